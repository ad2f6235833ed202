//! The rules of a tenant: who may what, and what is on record. Part of the table of routes.

use super::route::{Route, get, post};
use super::{admin, audit, policies};
use crate::openapi::Docs;
use landfall_identity::Action;
use landfall_protocol::admin::{RoleSetRequest, UserInfo};
use landfall_protocol::audit::{
    AuditCheckpointInfo, AuditConsistency, AuditConsistencyQuery, AuditProof, AuditProofQuery,
};
use landfall_protocol::paths;
use landfall_protocol::policy::{PolicyInfo, PolicySetRequest, PolicyTried, PolicyTryRequest};

pub(super) fn role_routes() -> Vec<Route> {
    vec![
        post(paths::ADMIN_USER_ROLE, Action::AdminSetRole, admin::set_role)
            .documented(Docs::both::<RoleSetRequest, UserInfo>),
    ]
}

pub(super) fn policy_routes() -> Vec<Route> {
    vec![
        get(paths::ADMIN_POLICIES, Action::AdminReadPolicies, policies::show)
            .documented(Docs::gives::<PolicyInfo>),
        post(paths::ADMIN_POLICIES, Action::AdminSetPolicy, policies::set)
            .documented(Docs::both::<PolicySetRequest, PolicyInfo>),
        post(paths::ADMIN_POLICY_TRY, Action::AdminTryPolicy, policies::try_it)
            .documented(Docs::both::<PolicyTryRequest, PolicyTried>),
    ]
}

pub(super) fn proof_routes() -> Vec<Route> {
    vec![
        get(paths::AUDIT_CHECKPOINT, Action::ReadAuditCheckpoint, audit::checkpoint)
            .documented(Docs::gives::<AuditCheckpointInfo>),
        get(paths::AUDIT_CONSISTENCY, Action::ProveAuditGrowth, audit::prove_growth)
            .documented(|docs| docs.query::<AuditConsistencyQuery>().gives::<AuditConsistency>()),
        get(paths::AUDIT_PROOF, Action::ProveAuditRow, audit::prove)
            .documented(|docs| docs.query::<AuditProofQuery>().gives::<AuditProof>()),
    ]
}
