//! `config check`: what follows from a configuration, and what would keep a server from starting.

use super::say;
use crate::config::{AgentProvider, Config, Site, workload_issuers};
use crate::directory::{DirectoryError, database_in};
use crate::doors::leads_in;
use crate::keys;
use crate::mail::Mailer;
use crate::nist;
use crate::store::archive::snapshot;
use crate::store::{Tx, meta};
use crate::telemetry;
use crate::tls::{self, ServerKey};
use landfall_crypto::ambient::{Ambient, Clock, SystemClock};
use landfall_crypto::certificate::ends_at;
use landfall_identity::agent_life::AgentDoor;
use landfall_identity::{Seconds, Timestamp};
use landfall_protocol::At;
use std::collections::BTreeSet;
use std::error::Error;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A certificate that ends sooner than this is worth a word.
const ENDS_SOON: Seconds = Seconds::days(14);

/// What was found: lines to show, and what must be changed.
#[derive(Default)]
struct Findings {
    wrong: Vec<String>,
    notes: Vec<String>,
}

/// Shows what follows from the configuration. Fails when a server would not start with it, or would not
/// be believed.
pub(super) async fn check(config: &Config, file: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let site = Site::new(config, config.listen, config.localhost_listen)?;
    let mut found = Findings::default();
    let from =
        file.map_or("flags and variables alone".to_owned(), |path| path.display().to_string());
    line("Configuration", from)?;
    line("Data directory", directory(config, &mut found))?;
    line("HTTPS", address(config.listen))?;
    match (&config.public_url, config.listen.port()) {
        (None, 0) => line("Public address", "https://127.0.0.1 and the port that is taken")?,
        _ => line("Public address", &site.url)?,
    }
    line("Tenant", &site.tenant)?;
    line("Trust domain", trust_domain(config, &site, &mut found).await)?;
    line("Certificate", certificate(config, &site, SystemClock.now(), &mut found))?;
    line("Passkeys", passkeys(config, &site))?;
    line("Master key", master_key(config, &mut found))?;
    let root = match config.keep_root_key {
        true => {
            "stays, sealed, in the database: for local use; keep_root_key = false takes it offline"
        }
        false => {
            "leaves at the next start, as root-key.age in the data directory, if it is still there"
        }
    };
    line("Root key", root)?;
    let metrics = config.metrics_listen.map(|at| format!("http://{at}/metrics"));
    line("Metrics", metrics.as_deref().unwrap_or("not served; metrics_listen turns them on"))?;
    line("Logs", logs(config, &mut found))?;
    line("Way back in", recovery(config, &mut found))?;
    line("Mail", mail(config, &site, &mut found))?;
    line("Webhooks", webhooks(config, &mut found))?;
    line("Workloads", workloads(config, &mut found))?;
    line("Agents", agents(config, &site, &mut found))?;
    for note in &found.notes {
        say(format_args!("\nNote: {note}"))?;
    }
    match found.wrong.is_empty() {
        true => Ok(()),
        false => Err(found.wrong.join("\nlandfall-server: ").into()),
    }
}

/// What is logged, and whether that can be read.
fn logs(config: &Config, found: &mut Findings) -> String {
    if let Err(why) = telemetry::log_filter(config) {
        found.wrong.push(why);
    }
    config.log_filter.clone()
}

/// Which plan lets people back in, and whether it is one that NIST knows.
fn recovery(config: &Config, found: &mut Findings) -> String {
    let plan = back_in(config);
    match config.recovery_waiting_days {
        None => plan,
        Some(days) => {
            found.notes.push(format!(
                "recovery_waiting_days: a code and {days} days in which nobody says no let somebody in, for \
                 users who allow it. NIST SP 800-63B-4 knows no such way."
            ));
            format!("{plan}; or a wait of {days} days, for users who allow it")
        }
    }
}

/// What lets somebody in who has lost every device.
fn back_in(config: &Config) -> String {
    let plan = config.recovery_plan.plan();
    let ways = plan.words().unwrap_or_default();
    match plan.within(leads_in).and_then(|plan| plan.words().ok()) {
        Some(today) if today != ways => {
            format!("{today}; the rest of recovery_plan leads nowhere yet")
        }
        _ => ways,
    }
}

/// `config nist`.
pub(super) fn nist(config: &Config, json: bool) -> Result<(), Box<dyn Error>> {
    let statement = nist::statement(config);
    match json {
        true => say(serde_json::to_string_pretty(&statement)?)?,
        false => say(statement.to_string().trim_end())?,
    }
    Ok(())
}

fn line(what: &str, text: impl std::fmt::Display) -> std::io::Result<()> {
    say(format_args!("{what:<16} {text}"))
}

fn directory(config: &Config, found: &mut Findings) -> String {
    let path = config.data_dir.display();
    match config.data_dir.metadata() {
        Err(_) => return format!("{path}, made at the first start"),
        Ok(about) if !about.is_dir() => {
            found.wrong.push(DirectoryError::NoDirectory(config.data_dir.clone()).to_string());
        }
        Ok(about) if about.mode() & 0o077 != 0 => {
            let (path, mode) = (config.data_dir.clone(), about.mode() & 0o777);
            found.wrong.push(DirectoryError::OpenToOthers { path, mode }.to_string());
        }
        Ok(_) => {}
    }
    path.to_string()
}

/// What the database was made for, where there is one.
async fn trust_domain(config: &Config, site: &Site, found: &mut Findings) -> String {
    let database = database_in(&config.data_dir);
    let asked = &site.trust_domain;
    if !database.exists() {
        return format!("{asked}, fixed at the first start");
    }
    let facts = async |tx: &mut Tx<'_>| {
        Ok((meta::get(tx, meta::TRUST_DOMAIN).await?, meta::get(tx, meta::RP_ID).await?))
    };
    let (fixed, rp_id) = match snapshot(&database, facts).await {
        Ok(facts) => facts,
        Err(error) => {
            found.wrong.push(format!("{} cannot be read: {error}", database.display()));
            return asked.to_string();
        }
    };
    if let Some(fixed) = fixed.filter(|fixed| *fixed != asked.as_str()) {
        found.wrong.push(format!(
            "trust_domain: this database belongs to {fixed}, and the configuration gives {asked}; set \
             trust_domain to {fixed}, or use another data_dir"
        ));
    }
    let asked_rp = site.ceremony.as_ref().map(|ceremony| ceremony.rp_id.as_str());
    if let (Some(fixed), Some(asked)) = (rp_id, asked_rp)
        && fixed != asked
    {
        found.wrong.push(format!(
            "public_url: the passkeys of this database belong to {fixed}, and the configuration gives \
             {asked}: every passkey would stop working; set the public address back to {fixed}"
        ));
    }
    format!("{asked}, fixed")
}

fn certificate(config: &Config, site: &Site, now: Timestamp, found: &mut Findings) -> String {
    let (Some(file), Some(key)) = (&config.tls_certificate, &config.tls_key) else {
        return "by this server's own CA".to_owned();
    };
    let at = file.display();
    let read = tls::read_files(file, key)
        .and_then(|(chain, key)| ServerKey::new(chain.clone(), key).map(|_| chain));
    let chain = match read {
        Ok(chain) => chain,
        Err(error) => {
            found.wrong.push(format!("tls_certificate, tls_key: {error}"));
            return format!("{at}, which cannot be used");
        }
    };
    let Some(leaf) = chain.first() else { return at.to_string() };
    let host = site.url.host_text();
    if !tls::is_for(leaf, host) {
        found.wrong.push(format!(
            "tls_certificate: {at} is not for {host}, the host of public_url: clients will not believe \
             it. Have one issued for {host}, or set public_url to a name that it carries"
        ));
    }
    let Ok(end) = ends_at(leaf) else { return at.to_string() };
    let ends = At(end).to_text().unwrap_or_default();
    if end.is_over(now) {
        found.wrong.push(format!("tls_certificate: {at} ended at {ends}; put a new one there"));
    } else if (now + ENDS_SOON) >= end {
        found
            .notes
            .push(format!("{at} ends soon, at {ends}. A new one is read as soon as it is there."));
    }
    format!("{at}, until {ends}")
}

fn master_key(config: &Config, found: &mut Findings) -> String {
    if let Err(error) = keys::check_modes(&config.data_dir) {
        found.wrong.push(error.to_string());
    }
    let Some(file) = &config.master_key_passphrase_file else {
        return "in a file that only its owner reads; master_key_passphrase_file seals it"
            .to_owned();
    };
    if let Err(error) = keys::passphrase_file(file) {
        found.wrong.push(error.to_string());
    }
    if file.metadata().is_ok_and(|about| about.mode() & 0o077 != 0) {
        found.notes.push(format!(
            "other users can read {0}, which holds the passphrase of the master key; run: chmod 600 {0}",
            file.display()
        ));
    }
    if file.parent().is_some_and(|folder| folder == config.data_dir) {
        found.notes.push(format!(
            "{} lies beside what it seals: whoever copies the data directory has both",
            file.display()
        ));
    }
    format!("under the passphrase in {}", file.display())
}

/// Where notices go out, and whether they can.
fn mail(config: &Config, site: &Site, found: &mut Findings) -> String {
    let (Some(url), Some(from)) = (&config.smtp_url, &config.smtp_from) else {
        return "not sent; smtp_url and smtp_from turn it on".to_owned();
    };
    if let Err(error) = Mailer::open(config, site) {
        found.wrong.push(error.to_string());
    }
    if let Some(file) = &config.smtp_credentials_file
        && file.metadata().is_ok_and(|about| about.mode() & 0o077 != 0)
    {
        found.notes.push(format!(
            "other users can read {0}, which holds the password of the mail server; run: chmod 600 {0}",
            file.display()
        ));
    }
    format!("from {from}, by {url}")
}

/// Which programs are told of notices, and whether they can be.
fn webhooks(config: &Config, found: &mut Findings) -> String {
    if let Err(error) = crate::webhooks::egress(config, &Ambient::system()) {
        found.wrong.push(error.to_string());
    }
    match config.webhooks.is_empty() {
        true => "none; webhooks names programs that are told of notices".to_owned(),
        false => {
            let all: Vec<&str> = config.webhooks.iter().map(|url| url.as_str()).collect();
            all.join(", ")
        }
    }
}

/// Whose word is taken for who a workload is.
fn workloads(config: &Config, found: &mut Findings) -> String {
    if let Err(error) = workload_issuers(config) {
        found.wrong.push(error.to_string());
    }
    let mut clusters = BTreeSet::new();
    for issuer in &config.workload_issuers {
        let cluster =
            issuer.cluster.as_ref().map_or(issuer.name.as_str(), |cluster| cluster.as_str());
        if !clusters.insert(cluster) {
            found.notes.push(format!(
                "{} vouches for workloads of {cluster}, as another issuer does: whoever one of them lets in may have \
                 the name of whom the other does. Leave out its cluster, or give it one of its own.",
                issuer.name
            ));
        }
    }
    let all: Vec<String> = config
        .workload_issuers
        .iter()
        .map(|issuer| format!("{} ({}), {}", issuer.name, issuer.platform.as_str(), issuer.issuer))
        .collect();
    match all.is_empty() {
        true => "none; workload_issuers names platforms whose pods and jobs are let in".to_owned(),
        false => all.join("; "),
    }
}

/// Who issues agents' tokens, and what lets agents in.
fn agents(config: &Config, site: &Site, found: &mut Findings) -> String {
    let plain = config.agents.as_ref().and_then(|agents| agents.loopback_listen);
    let provider = match AgentProvider::new(config, site, plain) {
        Ok(Some(provider)) => provider,
        Ok(None) => return "no provider; the table [agents] makes this server one".to_owned(),
        Err(why) => {
            found.wrong.push(why);
            return "not as configured".to_owned();
        }
    };
    if let Err(error) = crate::person_servers::egress(config, &Ambient::system()) {
        found.wrong.push(error.to_string());
    }
    if provider.config.takes(AgentDoor::Open) {
        found.notes.push(
            "agents.enrolment: open lets in whoever asks on this machine. They prove nothing but a key."
                .to_owned(),
        );
    }
    if !provider.issuer.is_loopback() && !site.web_pki {
        found.notes.push(format!(
            "agents' tokens name {} as their issuer, and others fetch its keys there: they do not trust this \
             server's own CA. Set tls_certificate and tls_key, or put a server that they trust in front.",
            provider.issuer
        ));
    }
    let doors: Vec<&str> = provider.config.enrolment.iter().map(|door| door.as_str()).collect();
    let issuer = provider.issuer.to_string();
    let issuer = match issuer.strip_suffix(":0") {
        Some(host) => format!("{host} and the port that is taken"),
        None => issuer,
    };
    format!("issued by {issuer} as aauth:...@{}; in by {}", provider.domain, doors.join(", "))
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
        return match address.port() {
            0 => "in browsers on this machine, at http://localhost and the port that is taken"
                .to_owned(),
            port => format!("in browsers on this machine, at http://localhost:{port}"),
        };
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
