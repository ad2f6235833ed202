//! Workloads: SVIDs by a platform's token, and the platforms whose word is taken.

use crate::time::At;
use landfall_identity::workload::{
    IssuerName, KEYS_PER_POD_AND_HOUR, Platform, TOKEN_LIFETIME_MAX,
};
use landfall_identity::{SpiffeId, TrustDomain};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;
use utoipa::ToSchema;

/// An SVID: `POST /workload/exchange`. Works without a client certificate.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct WorkloadExchangeRequest {
    /// The platform's token: a projected token of a service account, an ID token of a CI job. At most
    /// 8 KiB.
    pub token: String,
    /// The certificate request, PEM, at most 8 KiB. Only its key is used; a JWT-SVID takes one, too,
    /// for the token's uses are counted by keys.
    pub csr: String,
    /// Whom a JWT-SVID is for, one to eight. Without any, the answer is an X.509-SVID.
    #[serde(default)]
    pub audience: Vec<String>,
}

/// Who a workload is, and what proves it: one of the two forms.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct WorkloadIssued {
    /// Who the workload is.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub spiffe_id: SpiffeId,
    /// The trust domain.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub trust_domain: TrustDomain,
    /// The X.509-SVID and its issuer, PEM, leaf first; absent when an audience was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_chain: Option<String>,
    /// The JWT-SVID; absent when no audience was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt_svid: Option<String>,
    /// The root certificates, PEM.
    pub trust_bundle: String,
    /// When the SVID ends.
    #[schema(value_type = String, format = DateTime)]
    pub not_after: At,
    /// When to ask for the next one: half of its life.
    #[schema(value_type = String, format = DateTime)]
    pub renew_at: At,
    /// The server's time.
    #[schema(value_type = String, format = DateTime)]
    pub server_time: At,
}

/// Who is let in of a platform, and what they are called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct WorkloadMapping {
    /// What the token must say, each exactly, by the path of the claim. At least one of them is an
    /// immutable id: `kubernetes.io/serviceaccount/uid`; `repository_id` or `repository_owner_id`;
    /// `project_id` or `namespace_id`.
    pub claims: BTreeMap<String, String>,
    /// Their service account; the platform's own claim for it when absent.
    #[serde(default)]
    pub service_account: Option<String>,
    /// Their namespace; the platform's own claim for it when absent.
    #[serde(default)]
    pub namespace: Option<String>,
}

/// One platform more: `POST /admin/workload-issuers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct WorkloadIssuerRequest {
    /// What the operator calls it.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub name: IssuerName,
    /// What kind it is.
    #[ts(type = "\"kubernetes\" | \"github\" | \"gitlab\"")]
    #[schema(value_type = String)]
    pub platform: Platform,
    /// What its tokens say in `iss`, to the letter.
    pub issuer: String,
    /// What they must say in `aud`, and nothing else beside it.
    pub audience: String,
    /// The cluster of those whom it names; its own name when absent.
    #[serde(default)]
    pub cluster: Option<String>,
    /// Where its keys are; found by OpenID Connect Discovery when absent.
    #[serde(default)]
    pub keys_url: Option<String>,
    /// The certificates, PEM, that vouch for its server, in place of the system's.
    #[serde(default)]
    pub authority_pem: Option<String>,
    /// The longest lifetime of a token of it: an hour for a cluster, 24 for a CI.
    #[serde(default = "lifetime_max")]
    pub token_lifetime_max_seconds: u64,
    /// Keys that one pod may bring within an hour.
    #[serde(default = "pod_keys")]
    pub keys_per_pod_and_hour: u32,
    /// Who is let in. A cluster without any vouches for each of its service accounts.
    #[serde(default)]
    pub mappings: Vec<WorkloadMapping>,
}

fn lifetime_max() -> u64 {
    TOKEN_LIFETIME_MAX.0
}

fn pod_keys() -> u32 {
    KEYS_PER_POD_AND_HOUR
}

/// A platform whose word is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct WorkloadIssuerInfo {
    /// What the operator calls it.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub name: IssuerName,
    /// What kind it is.
    #[ts(type = "\"kubernetes\" | \"github\" | \"gitlab\"")]
    #[schema(value_type = String)]
    pub platform: Platform,
    /// What its tokens say in `iss`.
    pub issuer: String,
    /// What they must say in `aud`.
    pub audience: String,
    /// The cluster of those whom it names.
    pub cluster: String,
    /// Where its keys are, when that was said.
    pub keys_url: Option<String>,
    /// The longest lifetime of a token of it.
    pub token_lifetime_max_seconds: u64,
    /// Keys that one pod may bring within an hour.
    pub keys_per_pod_and_hour: u32,
    /// Who is let in.
    pub mappings: Vec<WorkloadMapping>,
    /// Whether it stands in the configuration, and goes with it.
    pub configured: bool,
    /// Who added it, when somebody did.
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub added_by: Option<SpiffeId>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub added_at: Option<At>,
}
