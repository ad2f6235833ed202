//! `admin workload-issuers`.

use crate::app::App;
use crate::args::AdminWorkloadsVerb;
use crate::output::{Answer, table};
use landfall_client::Failure;
use landfall_protocol::ErrorCode;
use landfall_protocol::workload::{WorkloadIssuerInfo, WorkloadIssuerRequest};
use serde_json::json;
use std::io::Read;
use std::path::Path;

/// The largest file that is read.
const FILE_MAX: u64 = 64 * 1024;

pub async fn run(app: &App, verb: AdminWorkloadsVerb) -> Result<Answer, Failure> {
    match verb {
        AdminWorkloadsVerb::List => {
            let issuers = app.client.workload_issuers().await?;
            Answer::new(&json!({ "items": issuers }), list(&issuers))
        }
        AdminWorkloadsVerb::Add { file } => {
            let request = read(&file)?;
            let add = async || app.client.add_workload_issuer(&request).await;
            let info = app.with_person(add).await?;
            let text = format!("Workloads of {} are let in from now on.", info.name);
            Answer::new(&info, text)
        }
        AdminWorkloadsVerb::Remove { name } => {
            app.with_person(async || app.client.remove_workload_issuer(&name).await).await?;
            let text = format!(
                "No workload of {name} is let in any more. What was handed out ends within an hour."
            );
            Answer::new(&json!({ "removed": name }), text)
        }
    }
}

fn read(file: &Path) -> Result<WorkloadIssuerRequest, Failure> {
    let refused = |why: String| {
        let detail = format!("{}: {why}", file.display());
        Failure::new(ErrorCode::InvalidField, detail).about("file")
    };
    let opened = std::fs::File::open(file).map_err(|error| refused(error.to_string()))?;
    let mut text = String::new();
    let read = opened.take(FILE_MAX).read_to_string(&mut text);
    read.map_err(|error| refused(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| refused(error.to_string()))
}

fn list(issuers: &[WorkloadIssuerInfo]) -> String {
    let row = |issuer: &WorkloadIssuerInfo| {
        let by = match &issuer.added_by {
            Some(_) => "an administrator",
            None => "the configuration",
        };
        vec![
            issuer.name.to_string(),
            issuer.platform.as_str().to_owned(),
            issuer.issuer.clone(),
            issuer.mappings.len().to_string(),
            by.to_owned(),
        ]
    };
    let rows: Vec<_> = issuers.iter().map(row).collect();
    table(&["NAME", "PLATFORM", "ISSUER", "MAPPINGS", "BY"], &rows)
}
