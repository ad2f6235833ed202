//! `audit`.

use crate::app::App;
use crate::args::{AuditArgs, AuditFilterArgs, AuditVerb};
use crate::clock::clock_time;
use crate::output::{Answer, table};
use crate::texts;
use landfall_client::words::{SecretBytes, Timestamp};
use landfall_client::{AuditFilter, Failure, audit_checkpoint, audit_key};
use landfall_client::{check_growth, check_proof};
use landfall_protocol::audit::{AuditConsistency, AuditProof, AuditRow};
use landfall_protocol::audit_export::AuditFormat;
use landfall_protocol::{At, ErrorCode, Page};
use serde_json::json;
use std::path::Path;

/// Rows of one page of an export.
const EXPORT_PAGE: u32 = 200;
/// The most that is read of a file: a proof, a checkpoint, a key.
const FILE_MAX: u64 = 1024 * 1024;

pub async fn audit(app: &App, args: AuditArgs) -> Result<Answer, Failure> {
    match args.act {
        None => rows(app, args.filter, args.tenant).await,
        Some(AuditVerb::Checkpoint) => {
            let found = app.client.audit_checkpoint().await?;
            Answer::new(&found, found.line.clone())
        }
        Some(AuditVerb::Proof { seq, checkpoint }) => {
            let size = checkpoint.as_deref().map(size_of).transpose()?;
            document(&app.client.audit_proof(seq, size).await?)
        }
        Some(AuditVerb::Growth { checkpoint }) => {
            document(&app.client.audit_growth(size_of(&checkpoint)?, None).await?)
        }
        Some(AuditVerb::Verify { proof, checkpoint, key }) => verify(&proof, &checkpoint, &key),
    }
}

/// A page of rows, or all of them in a form for others.
pub async fn rows(app: &App, args: AuditFilterArgs, tenant: bool) -> Result<Answer, Failure> {
    let mut filter = AuditFilter {
        limit: Some(args.limit),
        after: args.after,
        user: args.user,
        device: args.device,
        action: args.action,
        outcome: args.outcome,
        since: args.since.and_then(At::to_text),
        until: args.until.and_then(At::to_text),
        actor: args.actor,
        behalf: args.behalf,
        kind: args.kind,
    };
    if let Some(format) = args.format {
        filter.limit = Some(EXPORT_PAGE);
        return export(app, filter, tenant, format).await;
    }
    let page = page(app, &filter, tenant).await?;
    let mut text = list(&page.items);
    if let Some(next) = &page.next {
        text.push_str(&format!("\nMore: --after {next}"));
    }
    Answer::new(&page, text)
}

async fn page(app: &App, filter: &AuditFilter, tenant: bool) -> Result<Page<AuditRow>, Failure> {
    match tenant {
        true => app.client.admin_audit(filter).await,
        false => app.client.audit(filter).await,
    }
}

/// Page by page, so that years of rows need no more room than one page.
async fn export(
    app: &App,
    mut filter: AuditFilter,
    tenant: bool,
    format: AuditFormat,
) -> Result<Answer, Failure> {
    if app.output.is_json() {
        let why = "Leave out --json: the form says how rows are printed.";
        return Err(Failure::new(ErrorCode::InvalidField, why));
    }
    let mut count = 0;
    loop {
        let page = page(app, &filter, tenant).await?;
        let mut lines = String::new();
        for row in &page.items {
            let line = format.line(row, env!("CARGO_PKG_VERSION"));
            lines.push_str(&line.map_err(|error| internal(&error))?);
            lines.push('\n');
        }
        count += page.items.len();
        let reads_on = app.output.part(&lines)?;
        filter.after = page.next;
        if filter.after.is_none() || !reads_on {
            let bytes = SecretBytes::new(Vec::new());
            return Ok(Answer::Raw { json: json!({ "rows": count }), bytes });
        }
    }
}

fn internal(error: &serde_json::Error) -> Failure {
    Failure::new(ErrorCode::Internal, error.to_string())
}

/// A document that is kept in a file.
fn document(value: &impl serde::Serialize) -> Result<Answer, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| internal(&error))?;
    Answer::new(value, text)
}

fn verify(proof: &Path, checkpoint: &Path, key: &Path) -> Result<Answer, Failure> {
    let key = audit_key(&read(key)?)?;
    let trusted = audit_checkpoint(&line_of(checkpoint)?, &key)?;
    let text = read(proof)?;
    if let Ok(growth) = serde_json::from_str::<AuditConsistency>(&text) {
        let (from, to) = check_growth(&growth, &trusted, &key)?;
        let said = format!("The log of {} rows begins with the log of {}.", to.size, from.size);
        return Answer::new(&json!({ "from": from.size, "to": to.size }), said);
    }
    let proof: AuditProof = serde_json::from_str(&text)
        .map_err(|_| Failure::new(ErrorCode::InvalidField, "This is no proof from an audit."))?;
    let proved = check_proof(&proof, &trusted, &key)?;
    let mut said = format!("Row {} is in the log of {} rows:", proved.seq, proved.checkpoint.size);
    let mut columns = serde_json::Map::new();
    for (name, value) in proved.columns.iter().filter(|(_, value)| !value.is_empty()) {
        let at = value.parse().ok().filter(|_| *name == "at").map(Timestamp::from_millis);
        let value = at.and_then(|at| At(at).to_text()).unwrap_or_else(|| value.clone());
        said.push_str(&format!("\n  {name:<14} {value}"));
        columns.insert(name.replace(' ', "_"), value.into());
    }
    let json = json!({ "seq": proved.seq, "size": proved.checkpoint.size, "row": columns });
    Answer::new(&json, said)
}

fn read(file: &Path) -> Result<String, Failure> {
    let fault =
        |why: String| Failure::new(ErrorCode::InvalidField, format!("{} {why}", file.display()));
    let size =
        std::fs::metadata(file).map_err(|error| fault(format!("cannot be read: {error}")))?;
    if size.len() > FILE_MAX {
        return Err(fault("is longer than such a file is".into()));
    }
    std::fs::read_to_string(file).map_err(|error| fault(format!("cannot be read: {error}")))
}

/// The checkpoint of a file: its last line, so that the server's own exported file serves as well; or what
/// `audit checkpoint --json` has printed.
fn line_of(file: &Path) -> Result<String, Failure> {
    let text = read(file)?;
    if let Ok(info) = serde_json::from_str::<landfall_protocol::audit::AuditCheckpointInfo>(&text) {
        return Ok(info.line);
    }
    Ok(text.trim_end().lines().next_back().unwrap_or_default().to_owned())
}

/// Rows of the checkpoint of a file. The server is only asked about it: what it says is checked later.
fn size_of(file: &Path) -> Result<u64, Failure> {
    let line = line_of(file)?;
    let size = serde_json::from_str::<serde_json::Value>(&line)
        .ok()
        .and_then(|value| value.get("size").and_then(serde_json::Value::as_u64));
    size.ok_or_else(|| {
        Failure::new(ErrorCode::InvalidField, format!("{} is no checkpoint.", file.display()))
    })
}

fn list(rows: &[AuditRow]) -> String {
    if rows.is_empty() {
        return texts::NO_ROWS.to_owned();
    }
    let row = |row: &AuditRow| {
        // user/device, which is what people recognise in a SPIFFE ID.
        let who = match row.actor.split_once("/user/") {
            Some((_, who)) => who.replace("/device/", " on "),
            None => row.actor.clone(),
        };
        // Most act for themselves: whoever does not stands out.
        let is_agent = row.actor_role.as_deref() == Some("agent");
        let outcome = match &row.reason {
            Some(reason) => format!("{} ({reason})", row.outcome),
            None => row.outcome.clone(),
        };
        vec![
            clock_time(row.at),
            if is_agent { format!("{who}, as agent") } else { who },
            row.action.clone(),
            row.target.clone(),
            outcome,
            row.rule.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    table(&["WHEN", "WHO", "WHAT", "ON", "OUTCOME", "RULE"], &rows)
}
