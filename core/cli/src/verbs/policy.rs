//! `admin policy`.

use crate::app::App;
use crate::args::{PolicyPart, PolicyVerb};
use crate::output::{Answer, table};
use crate::texts;
use landfall_client::Failure;
use landfall_protocol::ErrorCode;
use landfall_protocol::policy::{PolicyChange, PolicyTried};
use std::path::Path;

/// The most that is read of a file of rules, in bytes: the server takes less.
const FILE_MAX: u64 = 256 * 1024;

pub async fn run(app: &App, verb: PolicyVerb) -> Result<Answer, Failure> {
    match verb {
        PolicyVerb::Show { part } => {
            let rules = app.client.admin_policies().await?;
            let text = match part {
                PolicyPart::Own if rules.text.is_empty() => texts::NO_RULES,
                PolicyPart::Own => &rules.text,
                PolicyPart::Floors => &rules.floors,
                PolicyPart::Shipped => &rules.shipped,
                PolicyPart::Schema => &rules.schema,
            };
            Answer::new(&rules, text.trim_end().to_owned())
        }
        PolicyVerb::Check { file } => {
            let tried = app.client.admin_try_policy(&read(&file)?).await?;
            let mut text = "These rules can be set.".to_owned();
            if tried.newly_refused > 0 {
                text.push_str(&texts::policy_would_refuse(tried.newly_refused, &file));
            }
            Answer::new(&tried, text)
        }
        PolicyVerb::Try { file } => {
            let tried = app.client.admin_try_policy(&read(&file)?).await?;
            Answer::new(&tried, changes(&tried))
        }
        PolicyVerb::Set { file } => {
            let text = read(&file)?;
            let known = app.client.admin_policies().await?;
            if known.text == text {
                return Answer::new(&known, "These rules are in force already.".to_owned());
            }
            app.need_person()?;
            let set = app.client.admin_set_policy(&text, known.generation, &app.terminal).await?;
            Answer::new(&set, "These rules are in force now.".to_owned())
        }
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let fault =
        |why: &str| Failure::new(ErrorCode::InvalidField, format!("{} {why}", file.display()));
    let size =
        std::fs::metadata(file).map_err(|error| fault(&format!("cannot be read: {error}")))?;
    if size.len() > FILE_MAX {
        return Err(fault("is longer than any rules may be"));
    }
    std::fs::read_to_string(file).map_err(|error| fault(&format!("cannot be read: {error}")))
}

fn changes(tried: &PolicyTried) -> String {
    let mut text = format!(
        "Of {} kinds of request that were made lately, {} would be answered alike, {} newly refused and \
         {} newly allowed.",
        tried.tried, tried.same, tried.newly_refused, tried.newly_allowed
    );
    if !tried.changes.is_empty() {
        let row = |change: &PolicyChange| {
            vec![
                if change.allowed { "allowed" } else { "refused" }.to_owned(),
                change.action.clone(),
                change.role.clone(),
                change.strength.clone(),
                change.caller.clone(),
                change.rule_after.clone(),
            ]
        };
        let rows: Vec<_> = tried.changes.iter().map(row).collect();
        let heads = ["WOULD BE", "ACTION", "ROLE", "SESSION", "CALLER", "BY RULE"];
        text = format!("{text}\n\n{}", table(&heads, &rows));
    }
    text
}
