//! What an operator says, and what follows from it.
//!
//! A TOML file, overlaid by `LANDFALL_*` variables, overlaid by flags. Every key is known or refused:
//! a misspelt bound must not become a silent default. [`Config`] is what was said; [`Site`] is what a
//! running server then is: its address, its trust domain, the origin of its passkey pages.

mod agents;
mod explain;
mod machine_roles;
mod plan;
mod site;
mod smtp;
mod webhooks;
mod workloads;

pub use agents::{AgentProvider, AgentsConfig, AllowedAgent, ScopeRule};
pub use machine_roles::MachineRoles;
pub use plan::PlanChoice;
pub use site::{PublicUrl, Site};
pub use smtp::{SmtpSecurity, SmtpUrl};
pub use webhooks::{WEBHOOKS_MAX, WebhookUrl, WebhookUrlError};
pub use workloads::{WorkloadFileError, WorkloadIssuerConfig, issuers as workload_issuers};

use explain::{Sources, explain};

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};
use ipnet::IpNet;
use landfall_identity::recovery::Plan;
use landfall_identity::token::{DEVICE_TTL, DEVICE_TTL_MAX};
use landfall_identity::{MailAddress, Seconds, TenantName, TrustDomain};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Variables with this prefix overlay the file.
const PREFIX: &str = "LANDFALL_";
/// Variables of the same family that belong to the client's programs, or to this program's flags.
const NOT_OURS: [&str; 8] =
    ["home", "browser", "config", "profile", "token", "no_color", "server", "token_file"];
/// Keys whose value is a number or a truth value; all others stay texts, so that a tenant may be
/// called `2026`.
const PLAIN: [&str; 6] = [
    "recovery_waiting_days",
    "device_token_ttl_max_seconds",
    "renewal_silence_max_days",
    "max_connections",
    "max_connections_per_source",
    "keep_root_key",
];

/// Connections that may be open at once, unless said otherwise.
const MAX_CONNECTIONS: usize = 4096;
/// Those of them that may come from one address, or one IPv6 customer: an office behind one address
/// fits, and nobody alone takes all.
const MAX_CONNECTIONS_PER_SOURCE: usize = 512;
/// Days without a renewal after which a device may not renew by itself any more.
const RENEWAL_SILENCE_MAX_DAYS: u64 = 90;
/// The most connections that can be configured.
const CONNECTIONS_LIMIT: usize = 1_000_000;

/// What the operator says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where everything is kept: database, keys, the lock. Made with mode 0700.
    pub data_dir: PathBuf,
    /// The HTTPS address. Port 0 takes a free one.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// A loopback address for `http://localhost` passkey pages, for use on one machine. Off when
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub localhost_listen: Option<SocketAddr>,
    /// Where `/metrics` is served, over plain HTTP. Off when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,
    /// The address that people and machines use, such as `https://id.example.org`. Defaults to the
    /// HTTPS address; needed when that is not one that can be dialled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_url: Option<PublicUrl>,
    /// The tenant.
    #[serde(default = "default_tenant")]
    pub tenant: TenantName,
    /// The trust domain; fixed at the first start. Defaults to the host of `public_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_domain: Option<TrustDomain>,
    /// A certificate chain that browsers trust, PEM, leaf first. Without it the server's own CA
    /// certifies the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_certificate: Option<PathBuf>,
    /// Its private key, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// The longest that a token for a device may live; at most 24 h.
    #[serde(default = "default_device_ttl")]
    pub device_token_ttl_max_seconds: u64,
    /// Days of silence after which a device may not renew by itself any more.
    #[serde(default = "default_renewal_silence")]
    pub renewal_silence_max_days: u64,
    /// What lets somebody in who has no device any more: `personal`, `team` or `strict`, or a plan made
    /// to measure.
    #[serde(default)]
    pub recovery_plan: PlanChoice,
    /// Days after which a recovery code and nobody's no let somebody in who has lost the only key, 3 to 30; for
    /// users who allow it, too. Outside NIST SP 800-63B-4. Off when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_waiting_days: Option<u32>,
    /// A file with the models of passkey that may be registered: their AAGUIDs, one a line, and the
    /// root certificates, PEM, that vouch for them. Without it every model is taken, and one that says
    /// nothing of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey_models_file: Option<PathBuf>,
    /// Whether the root key stays, sealed, in the data directory. Right for local use; a server that
    /// others rely on keeps it offline.
    #[serde(default = "yes")]
    pub keep_root_key: bool,
    /// A file whose first line is the passphrase that the master key rests under. Without it the
    /// master key rests in a file that only its owner reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master_key_passphrase_file: Option<PathBuf>,
    /// The server that notices are mailed by, such as `smtps://mail.example.org`. Without it no mail is
    /// sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_url: Option<SmtpUrl>,
    /// The address that mail comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_from: Option<MailAddress>,
    /// A file whose first line is the name, and whose second is the password, for that server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_credentials_file: Option<PathBuf>,
    /// The one certificate, PEM, that vouches for that server, in place of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_ca_file: Option<PathBuf>,
    /// Programs that are told of every notice by a signed POST, as `https://host/path`.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "webhooks::list",
        serialize_with = "webhooks::write_list"
    )]
    pub webhooks: Vec<WebhookUrl>,
    /// The one certificate, PEM, that vouches for those programs, in place of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_ca_file: Option<PathBuf>,
    /// Private networks that this server may call all the same, such as `10.1.2.0/24`.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "webhooks::list",
        serialize_with = "webhooks::write_list"
    )]
    pub egress_networks: Vec<IpNet>,
    /// What machines may stand for, and how keys for them are handed out: `one-person`, `two-people`, or
    /// `never`.
    #[serde(default)]
    pub machine_roles: MachineRoles,
    /// Platforms whose word is taken for who a workload is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workload_issuers: Vec<WorkloadIssuerConfig>,
    /// The agent provider. Without it there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agents: Option<AgentsConfig>,
    /// Connections that may be open at once.
    #[serde(default = "default_max_connections")]
    pub max_connections: usize,
    /// Those of them that may come from one address, or one IPv6 network of 64 bits.
    #[serde(default = "default_max_per_source")]
    pub max_connections_per_source: usize,
    /// How log lines look.
    #[serde(default)]
    pub log_format: LogFormat,
    /// Which log lines there are, as `tracing` filters.
    #[serde(default = "default_log_filter")]
    pub log_filter: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What flags of `serve` say; they win.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Flags {
    /// `--data-dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// `--listen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// `--localhost-listen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub localhost_listen: Option<SocketAddr>,
    /// `--metrics-listen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,
}

/// Why a configuration is not taken. Every text says what to change.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "the configuration file {path} cannot be read: {source}; check --config and who owns it"
    )]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key is unknown, missing, or holds something else; or a rule between keys is broken.
    #[error("the configuration is not right: {0}")]
    Rule(String),
}

impl Config {
    /// A configuration for this directory with every other key at its default; both listeners on
    /// free loopback ports. For tests and tools that bring their own server up.
    pub fn local(data_dir: impl Into<PathBuf>) -> Self {
        let loopback = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        Self {
            data_dir: data_dir.into(),
            listen: loopback,
            localhost_listen: Some(loopback),
            metrics_listen: None,
            public_url: None,
            tenant: default_tenant(),
            trust_domain: None,
            tls_certificate: None,
            tls_key: None,
            device_token_ttl_max_seconds: default_device_ttl(),
            renewal_silence_max_days: RENEWAL_SILENCE_MAX_DAYS,
            recovery_plan: PlanChoice::default(),
            recovery_waiting_days: None,
            passkey_models_file: None,
            keep_root_key: true,
            master_key_passphrase_file: None,
            smtp_url: None,
            smtp_from: None,
            smtp_credentials_file: None,
            smtp_ca_file: None,
            webhooks: Vec::new(),
            webhook_ca_file: None,
            egress_networks: Vec::new(),
            machine_roles: MachineRoles::default(),
            workload_issuers: Vec::new(),
            agents: None,
            max_connections: MAX_CONNECTIONS,
            max_connections_per_source: MAX_CONNECTIONS_PER_SOURCE,
            log_format: LogFormat::Text,
            log_filter: default_log_filter(),
        }
    }

    /// Reads `file`, overlays `environment` and then `flags`. What is wrong is told with its key, with
    /// where it was said, and with what to do.
    ///
    /// # Errors
    /// [`ConfigError`], with what to change.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &Flags,
    ) -> Result<Self, ConfigError> {
        let mut figment = Figment::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
            figment = figment.merge(Toml::string(&text));
        }
        let environment = Environment::from_variables(environment);
        let sources = Sources {
            file,
            variables: environment.0.keys().cloned().collect(),
            flags: flags.keys(),
        };
        let config: Self = figment
            .merge(environment)
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(|error| ConfigError::Rule(explain(error, &sources)))?;
        config
            .rules()
            .map_err(|(key, why)| ConfigError::Rule(format!("{}: {why}", sources.of(key))))?;
        config
            .recovery_plan
            .check()
            .map_err(|why| ConfigError::Rule(format!("{}: {why}", sources.of("recovery_plan"))))?;
        workloads::check(&config.workload_issuers).map_err(|why| {
            ConfigError::Rule(format!("{}: {why}", sources.of("workload_issuers")))
        })?;
        Ok(config)
    }

    /// The longest that a token for a device may live.
    pub fn device_token_ttl_max(&self) -> Seconds {
        Seconds(self.device_token_ttl_max_seconds)
    }

    /// What lets somebody in, with the wait for those users who allow it.
    pub fn plan(&self) -> Plan {
        let plan = self.recovery_plan.plan();
        match self.recovery_waiting_days {
            Some(days) => plan.or_wait(days.into()),
            None => plan,
        }
    }

    /// How long a device may be silent and still renew by itself.
    pub fn renewal_silence_max(&self) -> Seconds {
        Seconds::days(self.renewal_silence_max_days)
    }

    /// Whether the server's certificate comes from files, which browsers are said to trust.
    pub fn has_certificate_files(&self) -> bool {
        self.tls_certificate.is_some()
    }

    /// The rules between keys.
    ///
    /// # Errors
    /// [`ConfigError::Rule`].
    pub fn check(&self) -> Result<(), ConfigError> {
        self.rules().map_err(|(_, why)| ConfigError::Rule(why.to_owned()))?;
        self.recovery_plan.check().map_err(ConfigError::Rule)?;
        workloads::check(&self.workload_issuers).map_err(ConfigError::Rule)
    }

    /// The rules between keys: the key that is to blame, and what to do.
    fn rules(&self) -> Result<(), (&'static str, &'static str)> {
        if self.data_dir.as_os_str().is_empty() {
            return Err((
                "data_dir",
                "data_dir is empty: name the directory where everything is kept, such as /var/lib/landfall",
            ));
        }
        self.tls_rules()?;
        self.number_rules()?;
        if self.localhost_listen.is_some_and(|address| !address.ip().is_loopback()) {
            return Err((
                "localhost_listen",
                "localhost_listen serves plain HTTP and must be a loopback address, such as 127.0.0.1:0",
            ));
        }
        if self.listen.ip().is_unspecified() && self.public_url.is_none() {
            return Err((
                "listen",
                "listen takes every address of this machine: set public_url to the one that people use",
            ));
        }
        self.machine_roles.rules()?;
        webhooks::rules(self)?;
        agents::rules(self)?;
        smtp::rules(self)
    }

    fn tls_rules(&self) -> Result<(), (&'static str, &'static str)> {
        match (&self.tls_certificate, &self.tls_key) {
            (Some(_), None) => {
                Err(("tls_certificate", "set tls_certificate and tls_key together, or neither"))
            }
            (None, Some(_)) => {
                Err(("tls_key", "set tls_certificate and tls_key together, or neither"))
            }
            _ => Ok(()),
        }
    }

    /// Numbers that a type alone does not bound.
    fn number_rules(&self) -> Result<(), (&'static str, &'static str)> {
        if !(1..=DEVICE_TTL_MAX.0).contains(&self.device_token_ttl_max_seconds) {
            return Err((
                "device_token_ttl_max_seconds",
                "device_token_ttl_max_seconds must be from 1 to 86400 (24 hours)",
            ));
        }
        if !(1..=3650).contains(&self.renewal_silence_max_days) {
            return Err((
                "renewal_silence_max_days",
                "renewal_silence_max_days must be from 1 to 3650 (ten years)",
            ));
        }
        if self.recovery_waiting_days.is_some_and(|days| !(3..=30).contains(&days)) {
            return Err((
                "recovery_waiting_days",
                "recovery_waiting_days must be from 3 to 30; leave it out to have no such way in",
            ));
        }
        if !(1..=CONNECTIONS_LIMIT).contains(&self.max_connections) {
            return Err(("max_connections", "max_connections must be from 1 to 1000000"));
        }
        if !(1..=CONNECTIONS_LIMIT).contains(&self.max_connections_per_source) {
            return Err((
                "max_connections_per_source",
                "max_connections_per_source must be from 1 to 1000000",
            ));
        }
        Ok(())
    }
}

impl Flags {
    /// The keys that they set.
    fn keys(&self) -> Vec<String> {
        let said = [
            ("data_dir", self.data_dir.is_some()),
            ("listen", self.listen.is_some()),
            ("localhost_listen", self.localhost_listen.is_some()),
            ("metrics_listen", self.metrics_listen.is_some()),
        ];
        said.into_iter().filter(|(_, said)| *said).map(|(key, _)| key.to_owned()).collect()
    }
}

/// `LANDFALL_*` as a layer. The variables are handed in, so that nothing else reads the environment.
struct Environment(Dict);

impl Environment {
    fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let ours = variables.into_iter().filter_map(|(name, value)| {
            let key = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
            if NOT_OURS.contains(&key.as_str()) {
                return None;
            }
            let value = if PLAIN.contains(&key.as_str()) { plain(&value) } else { value.into() };
            Some((key, value))
        });
        Self(ours.collect())
    }
}

fn plain(text: &str) -> Value {
    text.parse::<u64>()
        .map(Value::from)
        .or_else(|_| text.parse::<bool>().map(Value::from))
        .unwrap_or_else(|_| text.into())
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("LANDFALL_* environment variables")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.0.clone())]))
    }
}

fn default_listen() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8443)
}

#[allow(clippy::expect_used, reason = "a constant that a test parses")]
fn default_tenant() -> TenantName {
    TenantName::parse("home").expect("a name")
}

fn default_device_ttl() -> u64 {
    DEVICE_TTL.0
}

fn default_renewal_silence() -> u64 {
    RENEWAL_SILENCE_MAX_DAYS
}

fn default_max_connections() -> usize {
    MAX_CONNECTIONS
}

fn default_max_per_source() -> usize {
    MAX_CONNECTIONS_PER_SOURCE
}

fn default_log_filter() -> String {
    "info".to_owned()
}

fn yes() -> bool {
    true
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
