//! `audit`.

use crate::app::App;
use crate::args::AuditArgs;
use crate::clock::clock_time;
use crate::output::{Answer, table};
use crate::texts;
use landfall_client::{AuditFilter, Failure};
use landfall_protocol::audit::AuditRow;

pub async fn audit(app: &App, args: AuditArgs) -> Result<Answer, Failure> {
    let filter = AuditFilter {
        limit: Some(args.limit),
        after: args.after,
        user: args.user,
        device: args.device,
        action: args.action,
        outcome: args.outcome,
        since: args.since,
    };
    let page = match args.tenant {
        true => app.client.admin_audit(&filter).await?,
        false => app.client.audit(&filter).await?,
    };
    let mut text = list(&page.items);
    if let Some(next) = &page.next {
        text.push_str(&format!("\nMore: --after {next}"));
    }
    Answer::new(&page, text)
}

fn list(rows: &[AuditRow]) -> String {
    if rows.is_empty() {
        return texts::NO_ROWS.to_owned();
    }
    let row = |row: &AuditRow| {
        // user/device, which is what people recognise in a SPIFFE ID.
        let who = row.actor.split_once("/user/").map_or(row.actor.as_str(), |(_, who)| who);
        let outcome = match &row.reason {
            Some(reason) => format!("{} ({reason})", row.outcome),
            None => row.outcome.clone(),
        };
        vec![
            clock_time(row.at),
            who.replace("/device/", " on "),
            row.action.clone(),
            row.target.clone(),
            outcome,
        ]
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    table(&["WHEN", "WHO", "WHAT", "ON", "OUTCOME"], &rows)
}
