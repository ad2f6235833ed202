//! `doctor`.

use crate::app::App;
use crate::clock::with_clock_times;
use crate::output::{Answer, wrap};
use crate::texts;
use landfall_client::Failure;
use landfall_client::doctor::{Check, CheckId, CheckState};
use landfall_protocol::ErrorCode;
use serde_json::json;

pub async fn doctor(app: &App) -> Result<Answer, Failure> {
    let checks = app.client.doctor().await;
    let profiles: Vec<_> =
        app.client.home().profiles()?.iter().map(|name| name.as_str().to_owned()).collect();
    report(&checks, &profiles)
}

/// The report of a machine whose folder cannot even be opened: nothing else can be looked at.
pub fn without_folder(failure: &Failure) -> Answer {
    let checks = [Check::of_folder(failure)];
    Answer::Unwell {
        json: document(false, &checks, &[]),
        text: format!("{}\n\n{}", line(&checks[0]), texts::UNWELL),
        code: failure.code(),
    }
}

fn document(healthy: bool, checks: &[Check], profiles: &[String]) -> serde_json::Value {
    json!({ "healthy": healthy, "checks": checks, "profiles": profiles })
}

fn report(checks: &[Check], profiles: &[String]) -> Result<Answer, Failure> {
    let healthy = checks.iter().all(|check| check.state != CheckState::Problem);
    let mut lines: Vec<String> = checks.iter().map(line).collect();
    if profiles.len() > 1 {
        lines.push(format!("         Profiles: {}", profiles.join(", ")));
    }
    let end = match healthy {
        true => "Nothing stands in the way.",
        false => texts::UNWELL,
    };
    lines.push(format!("\n{end}"));
    let json = document(healthy, checks, profiles);
    let text = lines.join("\n");
    let first = checks.iter().find(|check| check.state == CheckState::Problem);
    match first.map(|check| check.code.unwrap_or(ErrorCode::Internal)) {
        // The report is the answer; the exit code says that it is a bad one, and of what kind.
        Some(code) => Ok(Answer::Unwell { json, text, code }),
        None => Answer::new(&json, text),
    }
}

fn line(check: &Check) -> String {
    let state = match check.state {
        CheckState::Ok => "ok",
        CheckState::Warning => "look",
        CheckState::Problem => "PROBLEM",
    };
    let name = match check.id {
        CheckId::Folder => "Folder",
        CheckId::Profile => "Identity",
        CheckId::Key => "Key",
        CheckId::Server => "Server",
        CheckId::Clock => "Clock",
        CheckId::Certificate => "Certificate",
        CheckId::Session => "Session",
        CheckId::Account => "Account",
        CheckId::Passkeys => "Passkeys",
        CheckId::Readiness => "Way back",
        CheckId::Interrupted => "Interrupted",
    };
    let detail = wrap(&with_clock_times(&check.detail), 70).replace('\n', &format!("\n{:22}", ""));
    let code = check.code.map(|code| format!(" ({code})")).unwrap_or_default();
    format!("{state:<8} {name:<12} {detail}{code}")
}
