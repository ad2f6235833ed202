//! Platforms whose word is taken, and for whom.

use crate::name::{NAME_MAX, NameError, check_name, text_type};
use crate::spiffe::Segment;
use crate::time::Seconds;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The longest lifetime of a token of a cluster, and of a CI unless said otherwise.
pub const TOKEN_LIFETIME_MAX: Seconds = Seconds::hours(1);
/// The longest that an operator may allow a CI.
pub const TOKEN_LIFETIME_CI_MAX: Seconds = Seconds::hours(24);
/// Keys that one pod may bring within an hour, unless said otherwise.
pub const KEYS_PER_POD_AND_HOUR: u32 = 12;
/// The most that an operator may allow.
pub const KEYS_PER_POD_AND_HOUR_MAX: u32 = 1000;
/// The longest URL of an issuer, in bytes.
pub const URL_MAX: usize = 512;
/// The longest audience that tokens must be made for, in bytes.
pub const AUDIENCE_MAX: usize = 512;
/// The largest set of certificates that vouches for an issuer's server, PEM, in bytes.
pub const AUTHORITY_MAX: usize = 16 * 1024;
/// Mappings that one issuer may have.
pub const MAPPINGS_MAX: usize = 64;
/// Claims that one mapping may ask for.
pub const CLAIMS_PER_MAPPING: usize = 16;
/// The longest name of a claim, in bytes.
pub const CLAIM_NAME_MAX: usize = 128;
/// The longest value of a claim that a mapping asks for, in bytes.
pub const CLAIM_VALUE_MAX: usize = 256;

text_type!(
    /// What an operator calls an issuer. Also the cluster of those whom it names, unless said otherwise.
    IssuerName, check_name, NameError
);

/// A kind of platform: it says which claims name a workload, and how often a token may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// Projected tokens of a cluster's service accounts. A pod has the same token for most of its life.
    Kubernetes,
    /// Jobs of GitHub Actions.
    Github,
    /// Jobs of GitLab CI.
    Gitlab,
}

impl Platform {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Kubernetes, Self::Github, Self::Gitlab];

    /// The wire text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
        }
    }

    /// Claims that are given once and never pass to somebody else, as a renamed repository's name does.
    /// Each mapping names at least one of them.
    pub const fn immutable_claims(self) -> &'static [&'static str] {
        match self {
            Self::Kubernetes => &["kubernetes.io/serviceaccount/uid"],
            Self::Github => &["repository_id", "repository_owner_id"],
            Self::Gitlab => &["project_id", "namespace_id"],
        }
    }

    /// The claim that the service account is called by, where a mapping does not say.
    pub(super) const fn service_account_claim(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes.io/serviceaccount/name",
            Self::Github => "repository_id",
            Self::Gitlab => "project_id",
        }
    }

    /// The claim that the namespace is called by, where a mapping does not say.
    pub(super) const fn namespace_claim(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes.io/namespace",
            Self::Github => "repository_owner_id",
            Self::Gitlab => "namespace_id",
        }
    }

    /// The longest lifetime that an operator may allow its tokens.
    pub const fn lifetime_max(self) -> Seconds {
        match self {
            Self::Kubernetes => TOKEN_LIFETIME_MAX,
            Self::Github | Self::Gitlab => TOKEN_LIFETIME_CI_MAX,
        }
    }
}

/// Who is let in of a platform, and what they are called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What the token must say, each exactly. Claims within others are named by their path:
    /// `kubernetes.io/serviceaccount/uid`.
    pub claims: BTreeMap<String, String>,
    /// Their service account; the platform's own claim for it when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<Segment>,
    /// Their namespace; the platform's own claim for it when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Segment>,
}

/// A platform whose word is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadIssuer {
    /// What the operator calls it.
    pub name: IssuerName,
    /// What kind it is.
    pub platform: Platform,
    /// What its tokens say in `iss`, to the letter.
    pub issuer: String,
    /// What they must say in `aud`, and nothing else beside it.
    pub audience: String,
    /// The cluster of those whom it names; its own name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Segment>,
    /// Where its keys are (RFC 7517); found by OpenID Connect Discovery when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_url: Option<String>,
    /// The certificates, PEM, that vouch for its server, in place of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority_pem: Option<String>,
    /// The longest lifetime of a token of it.
    #[serde(default = "default_lifetime")]
    pub token_lifetime_max_seconds: u64,
    /// Keys that one pod may bring within an hour.
    #[serde(default = "default_pod_keys")]
    pub keys_per_pod_and_hour: u32,
    /// Who is let in. A cluster without any vouches for each of its service accounts.
    #[serde(default)]
    pub mappings: Vec<Mapping>,
}

fn default_lifetime() -> u64 {
    TOKEN_LIFETIME_MAX.0
}

fn default_pod_keys() -> u32 {
    KEYS_PER_POD_AND_HOUR
}

/// Why an issuer is not taken: which field, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct IssuerFault {
    /// The field.
    pub field: &'static str,
    /// What to write instead.
    pub why: String,
}

fn fault(field: &'static str, why: impl Into<String>) -> Result<(), IssuerFault> {
    Err(IssuerFault { field, why: why.into() })
}

impl WorkloadIssuer {
    /// The cluster of those whom it names. The alphabet of names is within that of segments.
    ///
    /// # Errors
    /// Never, as it is.
    pub fn cluster(&self) -> Result<Segment, crate::spiffe::SpiffeError> {
        self.cluster.clone().map_or_else(|| Segment::parse(self.name.as_str()), Ok)
    }

    /// The rules between and within its fields.
    ///
    /// # Errors
    /// [`IssuerFault`] names the first that is broken.
    pub fn check(&self) -> Result<(), IssuerFault> {
        check_url("issuer", &self.issuer)?;
        if let Some(url) = &self.keys_url {
            check_url("keys_url", url)?;
        }
        let fits = (1..=AUDIENCE_MAX).contains(&self.audience.len());
        if !fits || !self.audience.bytes().all(|b| b.is_ascii_graphic()) {
            return fault("audience", "audience must be 1 to 512 printable characters");
        }
        if self.authority_pem.as_ref().is_some_and(|pem| pem.len() > AUTHORITY_MAX) {
            return fault("authority_pem", "authority_pem must be at most 16 KiB");
        }
        let max = self.platform.lifetime_max();
        if !(1..=max.0).contains(&self.token_lifetime_max_seconds) {
            let why = format!("token_lifetime_max_seconds must be from 1 to {} here", max.0);
            return fault("token_lifetime_max_seconds", why);
        }
        if !(1..=KEYS_PER_POD_AND_HOUR_MAX).contains(&self.keys_per_pod_and_hour) {
            return fault("keys_per_pod_and_hour", "keys_per_pod_and_hour must be from 1 to 1000");
        }
        self.check_mappings()
    }

    fn check_mappings(&self) -> Result<(), IssuerFault> {
        let shared = self.platform != Platform::Kubernetes;
        if shared && self.mappings.is_empty() {
            let why =
                "mappings must say who is let in: this platform signs for everybody who uses it";
            return fault("mappings", why);
        }
        if self.mappings.len() > MAPPINGS_MAX {
            return fault("mappings", format!("mappings must be at most {MAPPINGS_MAX}"));
        }
        let immutable = self.platform.immutable_claims();
        for Mapping { claims, .. } in &self.mappings {
            if !immutable.iter().any(|claim| claims.contains_key(*claim)) {
                let why = format!("each of mappings must name {}", immutable.join(" or "));
                return fault("mappings", why);
            }
            let fits = |text: &str, max: usize| {
                (1..=max).contains(&text.len()) && !text.chars().any(char::is_control)
            };
            let all_fit = claims
                .iter()
                .all(|(name, value)| fits(name, CLAIM_NAME_MAX) && fits(value, CLAIM_VALUE_MAX));
            if claims.len() > CLAIMS_PER_MAPPING || !all_fit {
                return fault(
                    "mappings",
                    "a claim of mappings is empty or too long, or there are too many",
                );
            }
        }
        Ok(())
    }
}

/// What of a URL can be said without a parser: https, a host, no query, no fragment, no credentials.
fn check_url(field: &'static str, url: &str) -> Result<(), IssuerFault> {
    let rest = url.strip_prefix("https://").unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    let plain =
        rest.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'@' | b'\\'));
    if host.is_empty() || !plain || url.len() > URL_MAX {
        let why =
            format!("{field} must be https://host/path, at most 512 characters, without ? and #");
        return fault(field, why);
    }
    Ok(())
}

// Names become segments of SPIFFE IDs; this fails to compile when they could be too long for one.
const _: () = assert!(NAME_MAX <= crate::spiffe::SEGMENT_MAX);
