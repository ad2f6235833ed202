//! What a platform said of a workload, and what follows from it.

use super::SKEW;
use super::issuer::{Mapping, Platform, WorkloadIssuer};
use crate::name::TenantName;
use crate::refusal::Refusal;
use crate::spiffe::{Principal, Segment};
use crate::time::{Seconds, Timestamp};
use std::collections::BTreeMap;

/// What a token said whose signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadProof {
    /// Whom it is for: `aud`.
    pub audience: Vec<String>,
    /// About whom it is: `sub`.
    pub subject: String,
    /// When it was made: `iat`.
    pub issued_at: Timestamp,
    /// From when on it holds: `nbf`.
    pub not_before: Option<Timestamp>,
    /// Until when: `exp`.
    pub expires_at: Timestamp,
    /// Its other claims that are texts, numbers or truth values, by their path.
    pub claims: BTreeMap<String, String>,
}

/// How often a token may be used, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// By one key, and that key again: a job of a CI.
    Once {
        /// The token's own name: `jti`.
        token: String,
    },
    /// By so many keys within an hour, for as long as the pod lives.
    Pod {
        /// The pod's `uid`.
        pod: String,
        /// How many.
        keys: u32,
    },
}

/// Who somebody is, by the word of a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The workload.
    pub principal: Principal,
    /// How often its token may be used.
    pub usage: Use,
}

/// The longest name of a token or a pod that is looked at.
const USE_NAME_MAX: usize = 256;

impl WorkloadIssuer {
    /// Whom a proof names.
    ///
    /// # Errors
    /// [`Refusal::WorkloadTokenElsewhere`] when it is for another audience;
    /// [`Refusal::WorkloadUnknown`] when no mapping fits, a claim is missing, or one is not a segment.
    pub fn names(&self, tenant: &TenantName, proof: &WorkloadProof) -> Result<Named, Refusal> {
        if proof.audience != [self.audience.as_str()] {
            return Err(Refusal::WorkloadTokenElsewhere);
        }
        let mapping = self.mapping(proof)?;
        let own = |fixed: Option<&Segment>, claim: &str| match fixed {
            Some(segment) => Ok(segment.clone()),
            None => segment(proof, claim),
        };
        let platform = self.platform;
        let fixed = mapping.and_then(|mapping| mapping.service_account.as_ref());
        let service_account = own(fixed, platform.service_account_claim())?;
        let fixed = mapping.and_then(|mapping| mapping.namespace.as_ref());
        let namespace = own(fixed, platform.namespace_claim())?;
        let usage = match platform {
            Platform::Kubernetes => self.pod_of(proof)?,
            Platform::Github | Platform::Gitlab => Use::Once { token: use_name(proof, "jti")? },
        };
        let cluster = self.cluster().map_err(|_| Refusal::WorkloadUnknown)?;
        let tenant = tenant.clone();
        Ok(Named {
            principal: Principal::Workload { tenant, service_account, namespace, cluster },
            usage,
        })
    }

    /// Whether the proof holds at `now`, and never held for too long.
    ///
    /// # Errors
    /// [`Refusal::WorkloadTokenExpired`], [`Refusal::WorkloadTokenEarly`],
    /// [`Refusal::WorkloadTokenTooLong`].
    pub fn holds(&self, proof: &WorkloadProof, now: Timestamp) -> Result<(), Refusal> {
        let max = Seconds(self.token_lifetime_max_seconds);
        let WorkloadProof { issued_at, not_before, expires_at, .. } = proof;
        if *expires_at > *issued_at + max {
            return Err(Refusal::WorkloadTokenTooLong { max });
        }
        if expires_at.is_over(now) {
            return Err(Refusal::WorkloadTokenExpired { at: *expires_at });
        }
        let from = not_before.map_or(*issued_at, |not_before| not_before.max(*issued_at));
        if from > now + SKEW {
            return Err(Refusal::WorkloadTokenEarly { from });
        }
        Ok(())
    }

    /// The first mapping that fits; none where a cluster vouches for all that is in it.
    fn mapping(&self, proof: &WorkloadProof) -> Result<Option<&Mapping>, Refusal> {
        if self.mappings.is_empty() && self.platform == Platform::Kubernetes {
            return Ok(None);
        }
        let fits = |mapping: &&Mapping| {
            !mapping.claims.is_empty()
                && mapping.claims.iter().all(|(name, value)| proof.claims.get(name) == Some(value))
        };
        self.mappings.iter().find(fits).map(Some).ok_or(Refusal::WorkloadUnknown)
    }

    /// The pod that a token is bound to. One that is bound to none outlives whoever holds it; one whose
    /// subject says another name than its claims is no cluster's.
    fn pod_of(&self, proof: &WorkloadProof) -> Result<Use, Refusal> {
        let said = |claim: &str| proof.claims.get(claim).map(String::as_str).unwrap_or_default();
        let (namespace, account) =
            (said("kubernetes.io/namespace"), said("kubernetes.io/serviceaccount/name"));
        if proof.subject != format!("system:serviceaccount:{namespace}:{account}") {
            return Err(Refusal::WorkloadUnknown);
        }
        let pod = use_name(proof, "kubernetes.io/pod/uid")?;
        Ok(Use::Pod { pod, keys: self.keys_per_pod_and_hour })
    }
}

fn segment(proof: &WorkloadProof, claim: &str) -> Result<Segment, Refusal> {
    let text = proof.claims.get(claim).ok_or(Refusal::WorkloadUnknown)?;
    Segment::parse(text.as_str()).map_err(|_| Refusal::WorkloadUnknown)
}

fn use_name(proof: &WorkloadProof, claim: &str) -> Result<String, Refusal> {
    let text = proof.claims.get(claim).filter(|text| (1..=USE_NAME_MAX).contains(&text.len()));
    text.cloned().ok_or(Refusal::WorkloadUnknown)
}
