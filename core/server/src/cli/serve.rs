//! `serve`: what an operator, or a program, is told when the server is ready.

use super::{ServeArgs, claim, say};
use crate::config::Config;
use crate::start::{Running, Server};
use crate::{directory, telemetry};
use landfall_crypto::ambient::Ambient;
use serde::Serialize;
use std::error::Error;
use std::io::IsTerminal;
use std::net::SocketAddr;
use tokio::signal::unix::{SignalKind, signal};

/// The file that the claim token goes to when nobody looks at a terminal.
const CLAIM_FILE: &str = "claim-token.txt";

/// Files beside connections: the database's, logs, listeners.
const OTHER_FILES: u64 = 256;

/// The one line of `--json`.
#[derive(Serialize)]
struct Ready<'a> {
    /// What clients call it by.
    https: String,
    /// Where it listens: behind a public address, and with port 0, another one.
    listen: SocketAddr,
    localhost: Option<String>,
    metrics: Option<String>,
    ca_fingerprint: &'a str,
    trust: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim_token: Option<&'a str>,
}

pub(super) async fn serve(config: Config, args: &ServeArgs) -> Result<(), Box<dyn Error>> {
    telemetry::init_logs(&config)?;
    raise_file_limit(&config);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let running = Server::start(config.clone(), Ambient::system()).await?;
    speak_of_root(&config, &running);
    if args.json {
        announce_json(&running, args.show_claim_token)?;
    } else {
        announce(&running)?;
    }
    if !args.show_claim_token {
        hand_over_claim(&config, &running, args.json)?;
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    running.shutdown().await;
    Ok(())
}

/// Each connection is an open file, and most systems begin with a limit below what is configured.
fn raise_file_limit(config: &Config) {
    let wanted = config.max_connections as u64 + OTHER_FILES;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(limit) if limit >= wanted => {}
        Ok(limit) => tracing::warn!(
            limit,
            wanted,
            "this system lets the server open fewer files than max_connections wants; raise the hard \
             limit (LimitNOFILE= in a systemd unit), or lower max_connections"
        ),
        Err(error) => tracing::warn!(%error, "the limit of open files could not be raised"),
    }
}

fn announce_json(running: &Running, show_claim_token: bool) -> Result<(), Box<dyn Error>> {
    let claim = running.claim_token.as_ref().filter(|_| show_claim_token);
    let ready = Ready {
        https: running.site.url.to_string(),
        listen: running.https_addr,
        localhost: running.localhost_addr.map(|at| format!("http://localhost:{}", at.port())),
        metrics: running.metrics_addr.map(|at| format!("http://{at}/metrics")),
        ca_fingerprint: &running.ca_fingerprint,
        trust: &running.trust,
        claim_token: claim.map(|token| token.as_str()),
    };
    say(serde_json::to_string(&ready)?)?;
    Ok(())
}

fn announce(running: &Running) -> Result<(), Box<dyn Error>> {
    say(format_args!("Landfall serves at   {}", running.site.url))?;
    say(format_args!("Root certificate     {}", running.ca_fingerprint))?;
    match &running.site.ceremony {
        Some(ceremony) => say(format_args!("Passkey pages        {}", ceremony.origin))?,
        None => say("Passkey pages        none: see landfall-server config check")?,
    }
    if let Some(address) = running.metrics_addr {
        say(format_args!("Metrics              http://{address}/metrics"))?;
    }
    Ok(())
}

/// To a terminal, with a QR code; otherwise into a file that only its owner reads.
fn hand_over_claim(config: &Config, running: &Running, json: bool) -> Result<(), Box<dyn Error>> {
    let Some(token) = &running.claim_token else { return Ok(()) };
    if !json && std::io::stdout().is_terminal() {
        return claim::show(token);
    }
    let path = config.data_dir.join(CLAIM_FILE);
    directory::write_private(&path, format!("{}\n", token.as_str()).as_bytes())?;
    tracing::info!(path = %path.display(), "this server has no administrator; the claim token is in a file");
    Ok(())
}

/// The root key leaves once, for offline keeping; where it stays, that is said each time.
fn speak_of_root(config: &Config, running: &Running) {
    if config.keep_root_key && !config.listen.ip().is_loopback() {
        tracing::warn!(
            "the root key stays on this server; for a server that others rely on set \
             keep_root_key = false, and keep what is then written offline"
        );
    }
    if let Some(export) = &running.root_export {
        tracing::warn!(
            file = %export.file.display(),
            passphrase = %export.passphrase.display(),
            "move both away from this machine, and apart: the root key is nowhere else"
        );
    }
}
