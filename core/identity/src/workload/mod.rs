//! Workloads: pods and CI jobs, named by what their platform vouches for.
//!
//! A platform signs a token for each of them (OpenID Connect Core, section 2). Whoever may be named by
//! it is written down beforehand as a [`WorkloadIssuer`]; the names themselves are taken from claims
//! that never pass to somebody else. Nothing here checks a signature: a [`WorkloadProof`] is what one
//! said that was checked.

mod issuer;
mod proof;

pub use issuer::{
    AUDIENCE_MAX, AUTHORITY_MAX, CLAIM_NAME_MAX, CLAIM_VALUE_MAX, CLAIMS_PER_MAPPING, IssuerFault,
    IssuerName, KEYS_PER_POD_AND_HOUR, KEYS_PER_POD_AND_HOUR_MAX, MAPPINGS_MAX, Mapping, Platform,
    TOKEN_LIFETIME_CI_MAX, TOKEN_LIFETIME_MAX, URL_MAX, WorkloadIssuer,
};
pub use proof::{Named, Use, WorkloadProof};

use crate::time::Seconds;

/// How long an SVID lives.
pub const SVID_TTL: Seconds = Seconds::hours(1);
/// When the next one is due: half of its life.
pub const SVID_RENEW_AFTER: Seconds = Seconds::minutes(30);
/// The span that keys of one pod are counted over.
pub const POD_KEYS_WITHIN: Seconds = Seconds::hours(1);
/// How far a platform's clock may be ahead of ours.
pub const SKEW: Seconds = Seconds::minutes(1);
/// Issuers that one tenant may have beside those of the configuration, and those of it.
pub const ISSUERS_MAX: u32 = 32;
/// Audiences that one JWT-SVID may be for.
pub const SVID_AUDIENCES_MAX: usize = 8;
/// The longest of them, in bytes.
pub const SVID_AUDIENCE_MAX: usize = 256;

/// Whether a text may stand as the audience of a JWT-SVID: printable ASCII without spaces, bounded.
pub fn is_audience(text: &str) -> bool {
    (1..=SVID_AUDIENCE_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
#[path = "../workload_tests.rs"]
mod tests;
