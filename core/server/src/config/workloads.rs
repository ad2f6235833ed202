//! Platforms whose word is taken for who a workload is.

use super::Config;
use landfall_identity::spiffe::Segment;
use landfall_identity::workload::{
    ISSUERS_MAX, IssuerName, KEYS_PER_POD_AND_HOUR, Mapping, Platform, TOKEN_LIFETIME_MAX,
    WorkloadIssuer,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One of `[[workload_issuers]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadIssuerConfig {
    /// What it is called here.
    pub name: IssuerName,
    /// What kind it is: `kubernetes`, `github` or `gitlab`.
    pub platform: Platform,
    /// What its tokens say in `iss`, to the letter.
    pub issuer: String,
    /// What they must say in `aud`, and nothing else beside it.
    pub audience: String,
    /// The cluster of those whom it names; its own name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Segment>,
    /// Where its keys are; found by OpenID Connect Discovery when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_url: Option<String>,
    /// A file with the certificates, PEM, that vouch for its server, in place of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// The longest lifetime of a token of it.
    #[serde(default = "lifetime_max")]
    pub token_lifetime_max_seconds: u64,
    /// Keys that one pod may bring within an hour.
    #[serde(default = "pod_keys")]
    pub keys_per_pod_and_hour: u32,
    /// Who is let in. A cluster without any vouches for each of its service accounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<Mapping>,
}

fn lifetime_max() -> u64 {
    TOKEN_LIFETIME_MAX.0
}

fn pod_keys() -> u32 {
    KEYS_PER_POD_AND_HOUR
}

/// Why an issuer's certificates cannot be used. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadFileError {
    /// The file cannot be read.
    #[error("workload_issuers: {name}: ca_file {path} cannot be read: {source}; check who owns it")]
    File {
        /// Whose.
        name: IssuerName,
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is too large, or holds something else.
    #[error(
        "workload_issuers: {name}: ca_file {path}: put certificates there, PEM, at most 16 KiB"
    )]
    Authority {
        /// Whose.
        name: IssuerName,
        /// Which one.
        path: PathBuf,
    },
}

/// The rules within and between issuers, but for what their files hold.
pub(super) fn check(issuers: &[WorkloadIssuerConfig]) -> Result<(), String> {
    if issuers.len() > ISSUERS_MAX as usize {
        return Err(format!("workload_issuers may name {ISSUERS_MAX} at most"));
    }
    for (number, issuer) in issuers.iter().enumerate() {
        let name = &issuer.name;
        let plain = issuer.with_authority(None);
        plain.check().map_err(|fault| format!("workload_issuers: {name}: {fault}"))?;
        let others = &issuers[..number];
        if others.iter().any(|other| other.name == *name) {
            return Err(format!("workload_issuers: {name} stands there twice"));
        }
        if others.iter().any(|other| other.issuer == issuer.issuer) {
            return Err(format!(
                "workload_issuers: {name}: another one has the same issuer; give one of them both mappings"
            ));
        }
    }
    Ok(())
}

/// The issuers of a configuration, with the certificates that vouch for their servers.
///
/// # Errors
/// [`WorkloadFileError`], with what to change.
pub fn issuers(config: &Config) -> Result<Vec<WorkloadIssuer>, WorkloadFileError> {
    config.workload_issuers.iter().map(WorkloadIssuerConfig::read).collect()
}

impl WorkloadIssuerConfig {
    fn read(&self) -> Result<WorkloadIssuer, WorkloadFileError> {
        let Some(path) = &self.ca_file else { return Ok(self.with_authority(None)) };
        let (name, path) = (self.name.clone(), path.clone());
        let pem = match std::fs::read_to_string(&path) {
            Ok(pem) => pem,
            Err(source) => return Err(WorkloadFileError::File { name, path, source }),
        };
        let issuer = self.with_authority(Some(pem.clone()));
        let has_some = pem::parse_many(&pem)
            .is_ok_and(|blocks| blocks.iter().any(|block| block.tag() == "CERTIFICATE"));
        if !has_some || issuer.check().is_err() {
            return Err(WorkloadFileError::Authority { name, path });
        }
        Ok(issuer)
    }

    fn with_authority(&self, authority_pem: Option<String>) -> WorkloadIssuer {
        WorkloadIssuer {
            name: self.name.clone(),
            platform: self.platform,
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            cluster: self.cluster.clone(),
            keys_url: self.keys_url.clone(),
            authority_pem,
            token_lifetime_max_seconds: self.token_lifetime_max_seconds,
            keys_per_pod_and_hour: self.keys_per_pod_and_hour,
            mappings: self.mappings.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigError, Flags};

    fn load(issuers: &str) -> Result<Config, ConfigError> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("landfall.toml");
        std::fs::write(&file, format!("data_dir = '/x'\n{issuers}")).unwrap();
        Config::load(Some(&file), [], &Flags::default())
    }

    const CLUSTER: &str = "[[workload_issuers]]\nname = 'prod'\nplatform = 'kubernetes'\n\
        issuer = 'https://kubernetes.default.svc'\naudience = 'https://id.example.org'\n";
    const GITHUB: &str = "[[workload_issuers]]\nname = 'github'\nplatform = 'github'\n\
        issuer = 'https://token.actions.githubusercontent.com'\naudience = 'https://id.example.org'\n";
    const REPOSITORY: &str = "[[workload_issuers.mappings]]\nservice_account = 'releaser'\n\
        claims = { repository_id = '74', ref = 'refs/heads/main' }\n";

    #[test]
    fn a_cluster_takes_four_lines_and_a_forge_a_mapping_more() {
        let config = load(&format!("{CLUSTER}{GITHUB}{REPOSITORY}")).unwrap();
        let read = issuers(&config).unwrap();
        assert_eq!(read[0].token_lifetime_max_seconds, 3600);
        assert_eq!(read[1].mappings[0].claims["repository_id"], "74");
    }

    #[test]
    fn what_would_let_in_everybody_or_says_one_thing_twice_is_refused() {
        for (text, says) in [
            (GITHUB.to_owned(), "github: mappings must say who is let in"),
            (
                format!(
                    "{GITHUB}[[workload_issuers.mappings]]\nclaims = {{ repository = 'a/b' }}\n"
                ),
                "repository_id or repository_owner_id",
            ),
            (format!("{CLUSTER}{CLUSTER}"), "prod stands there twice"),
            (format!("{CLUSTER}{}", CLUSTER.replace("prod", "test")), "the same issuer"),
            (CLUSTER.replace("https://kube", "http://kube"), "issuer must be https://"),
            (format!("{CLUSTER}token_lifetime_max_seconds = 3601\n"), "from 1 to 3600"),
            (format!("{CLUSTER}colour = 'red'\n"), "colour"),
            (CLUSTER.replace("'kubernetes'", "'docker'"), "kubernetes"),
            (format!("{CLUSTER}cluster = 'a/b'\n"), "cluster"),
        ] {
            let error = load(&text).unwrap_err().to_string();
            assert!(error.contains(says), "{says}: {error}");
            assert!(error.contains("landfall.toml"), "{error}");
        }
    }
}
