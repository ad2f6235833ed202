//! Commands that look, and the small ones that set right.

use super::claim::beside;
use super::{VerifyArgs, say};
use crate::audit::journal::JOURNAL_FILE;
use crate::audit::verify::verify;
use crate::config::{Config, Site};
use crate::directory::{DataDirectory, database_in};
use crate::keys::{AUDIT_PUBLIC, audit_public_key};
use crate::store::Store;
use crate::tls::ServerKey;
use std::error::Error;
use std::net::SocketAddr;

/// `migrate`.
pub(super) async fn migrate(config: &Config) -> Result<(), Box<dyn Error>> {
    let directory = DataDirectory::open(&config.data_dir)?;
    let store = Store::open(&directory.database()).await?;
    store.close().await;
    say(format_args!("The database in {} is up to date.", config.data_dir.display()))?;
    Ok(())
}

/// `config check`: what follows from the configuration.
pub(super) fn check(config: &Config) -> Result<(), Box<dyn Error>> {
    if let (Some(certificate), Some(key)) = (&config.tls_certificate, &config.tls_key) {
        ServerKey::from_files(certificate, key)?;
    }
    let site = Site::new(config, config.listen, config.localhost_listen)?;
    say(format_args!("Data directory   {}", config.data_dir.display()))?;
    say(format_args!("HTTPS            {}", address(config.listen)))?;
    match (&config.public_url, config.listen.port()) {
        (None, 0) => say("Public address   https://127.0.0.1 and the port that is taken")?,
        _ => say(format_args!("Public address   {}", site.url))?,
    }
    say(format_args!("Tenant           {}", site.tenant))?;
    say(format_args!("Trust domain     {} (fixed at the first start)", site.trust_domain))?;
    let trust = if site.web_pki { "certificate files" } else { "this server's own CA" };
    say(format_args!("Certificate      {trust}"))?;
    say(format_args!("Passkeys         {}", passkeys(config, &site)))?;
    Ok(())
}

/// `audit verify`. It reads: the server may run meanwhile.
pub(super) async fn verify_audit(config: &Config, args: &VerifyArgs) -> Result<(), Box<dyn Error>> {
    let root = &config.data_dir;
    let checkpoints = args.checkpoints.clone().unwrap_or_else(|| root.join(JOURNAL_FILE));
    let key = args.key.clone().unwrap_or_else(|| root.join(AUDIT_PUBLIC));
    let key = audit_public_key(&key)?;
    let found = verify(&database_in(root), &checkpoints, &key).await?;
    say(&found)?;
    if found.is_sound() { Ok(()) } else { Err("the audit log is not as it was signed".into()) }
}

/// `clock confirm`.
pub(super) async fn confirm_clock(config: &Config) -> Result<(), Box<dyn Error>> {
    let service = beside(config).await?;
    service.confirm_clock().await?;
    say("The clock is taken as right from here on.")?;
    Ok(())
}

fn address(address: SocketAddr) -> String {
    match address.port() {
        0 => format!("{}, a free port", address.ip()),
        _ => address.to_string(),
    }
}

/// Whether browsers can do passkeys here, and what is missing when they cannot.
fn passkeys(config: &Config, site: &Site) -> String {
    if let Some(address) = config.localhost_listen {
        let port = match address.port() {
            0 => "and the port that is taken".to_owned(),
            port => format!("on port {port}"),
        };
        return format!("in browsers on this machine, at http://localhost {port}");
    }
    if let Some(ceremony) = &site.ceremony {
        return format!(
            "in browsers, at {}, as long as they trust its certificate",
            ceremony.origin
        );
    }
    if site.url.domain().is_none() {
        return "not in browsers: they take no passkeys for a bare address. Set public_url to a name \
                and tls_certificate to a certificate for it, or localhost_listen for this machine"
            .to_owned();
    }
    "not in browsers: they do not trust this server's own CA. Set tls_certificate and tls_key, or \
     localhost_listen for use on this machine"
        .to_owned()
}
