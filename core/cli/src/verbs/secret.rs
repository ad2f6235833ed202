//! `secret`.

use crate::app::App;
use crate::args::SecretVerb;
use crate::clock::clock_time;
use crate::output::{Answer, table};
use crate::terminal::read_stdin;
use crate::texts;
use data_encoding::BASE64;
use landfall_client::Failure;
use landfall_client::words::{MANAGED_VALUE_MAX, SecretBytes, SecretName};
use landfall_protocol::ErrorCode;
use landfall_protocol::secret::{SecretInfo, SecretVersionInfo};
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};

pub async fn run(app: &App, verb: SecretVerb) -> Result<Answer, Failure> {
    match verb {
        SecretVerb::Set { name, file } => set(app, name, file).await,
        SecretVerb::Get { name, version } => get(app, name, version).await,
        SecretVerb::List => {
            let secrets = app.client.secrets().await?;
            Answer::new(&json!({ "items": secrets }), list(&secrets))
        }
        SecretVerb::Versions { name } => {
            let versions = app.client.secret_versions(&name).await?;
            Answer::new(&json!({ "items": versions }), list_versions(&versions))
        }
        SecretVerb::Delete { name, version: Some(version), .. } => {
            let delete = async || app.client.delete_secret_version(&name, version).await;
            app.with_person(delete).await?;
            let json = json!({ "deleted": name, "version": version });
            Answer::new(&json, format!("Version {version} of {name} is deleted."))
        }
        SecretVerb::Delete { name, version: None, .. } => {
            app.confirm(&texts::ask_delete_all(name.as_str()))?;
            app.with_person(async || app.client.delete_secret(&name).await).await?;
            let json = json!({ "deleted": name, "version": null });
            Answer::new(&json, format!("{name} is deleted."))
        }
    }
}

async fn set(app: &App, name: SecretName, file: Option<PathBuf>) -> Result<Answer, Failure> {
    let value = match file {
        Some(file) => read_file(&file)?,
        None if app.terminal.can_ask() => {
            SecretBytes::new(app.terminal.ask_hidden(texts::ASK_VALUE)?.as_bytes().to_vec())
        }
        None => SecretBytes::new(read_stdin(MANAGED_VALUE_MAX)?.to_vec()),
    };
    if value.expose().is_empty() {
        return Err(Failure::new(ErrorCode::InvalidField, texts::EMPTY_VALUE).about("value"));
    }
    let secret = app.client.set_secret(&name, &value).await?;
    let text = texts::secret_kept(name.as_str(), secret.version);
    Answer::new(&secret, text)
}

fn read_file(path: &Path) -> Result<SecretBytes, Failure> {
    let refused = |error: std::io::Error| {
        let detail = format!("{} cannot be read: {error}.", path.display());
        Failure::new(ErrorCode::InvalidField, detail).about("file")
    };
    let file = std::fs::File::open(path).map_err(refused)?;
    let mut bytes = Vec::with_capacity(MANAGED_VALUE_MAX + 1);
    let read = file.take(MANAGED_VALUE_MAX as u64 + 1).read_to_end(&mut bytes);
    let bytes = SecretBytes::new(bytes);
    read.map_err(refused).map(|_| bytes)
}

async fn get(app: &App, name: SecretName, version: Option<u64>) -> Result<Answer, Failure> {
    let read = app.client.get_secret(&name, version).await?;
    let json = if app.output.is_json() {
        json!({
            "name": read.name,
            "version": read.version,
            "value_base64": BASE64.encode(read.value.expose()),
            "written_at": read.written_at,
        })
    } else {
        // The value is not copied where nobody asked for it.
        json!(null)
    };
    Ok(Answer::Raw { json, bytes: read.value })
}

fn list(secrets: &[SecretInfo]) -> String {
    if secrets.is_empty() {
        return texts::NO_SECRETS.to_owned();
    }
    let row = |secret: &SecretInfo| {
        let at = clock_time(secret.updated_at);
        vec![secret.name.to_string(), secret.version.to_string(), at, secret.updated_by.to_string()]
    };
    let rows: Vec<_> = secrets.iter().map(row).collect();
    table(&["NAME", "VERSION", "WRITTEN", "BY"], &rows)
}

fn list_versions(versions: &[SecretVersionInfo]) -> String {
    let row = |version: &SecretVersionInfo| {
        let at = clock_time(version.written_at);
        vec![
            version.version.to_string(),
            format!("{} bytes", version.size),
            at,
            version.written_by.to_string(),
        ]
    };
    let rows: Vec<_> = versions.iter().map(row).collect();
    table(&["VERSION", "SIZE", "WRITTEN", "BY"], &rows)
}
