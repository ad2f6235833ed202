//! How ready somebody is to lose something, what lets them back in, and what they have tried.
//!
//! What a device alone may see is the score and what to do next. Names of things, and the ways in, are
//! for the person: whoever holds a stolen laptop must not learn what else to steal.

use crate::time::At;
use landfall_identity::recovery::{Door, Plan, Preset, Remedy, Standing, Thing, ThingKind, WayIn};
use landfall_identity::{Role, UserName};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::{IntoParams, ToSchema};

/// How ready the caller is: `GET /me/readiness`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct ReadinessInfo {
    /// In one word.
    #[ts(type = "\"locked-out\" | \"one-loss-away\" | \"ready\"")]
    #[schema(value_type = String)]
    pub standing: Standing,
    /// From 0 (locked out) to 100.
    pub score: u8,
    /// How many things must be lost at once before nothing gets in; 3 stands for that many or more.
    pub losses_to_lock_out: u8,
    /// What would help most; absent when nothing would, or nothing needs to.
    #[ts(
        type = "\"print-codes\" | \"add-passkey\" | \"add-device\" | \"confirm-mail\" | \"choose-guardian\" | \"ask-for-admin\" | null"
    )]
    #[schema(value_type = Option<String>)]
    pub next: Option<Remedy>,
    /// Whether everything of the account stands still.
    pub frozen: bool,
    /// Whether an administrator has stopped it: then nothing that its owner holds gets in.
    #[serde(default)]
    pub stopped_by_admin: bool,
    /// The newest drill of each kind.
    pub drills: Vec<DrillInfo>,
    /// Ways and names; only after a step-up.
    pub details: Option<ReadinessDetails>,
}

/// Ways and names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct ReadinessDetails {
    /// Every minimal set of things that gets in.
    pub ways_in: Vec<WayInInfo>,
    /// Every thing whose loss alone locks out.
    pub single_losses: Vec<ThingInfo>,
    /// What the user has and no way in asks for: by this plan, on this server, it opens nothing.
    pub idle: Vec<ThingInfo>,
}

/// Proofs that suffice together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct WayInInfo {
    /// So many of these, for each kind of proof.
    pub needs: Vec<NeedInfo>,
    /// How long one waits once everything is shown, when no device is left.
    pub wait_seconds: u64,
}

/// So many of these things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct NeedInfo {
    /// How many.
    pub count: u8,
    /// Of which.
    pub of: Vec<ThingInfo>,
}

/// Something that a user holds, or somebody who would vouch for them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct ThingInfo {
    /// What it is.
    #[ts(
        type = "\"device\" | \"synced-passkey\" | \"roaming-key\" | \"code-sheet\" | \"mailbox\" | \"admin\" | \"guardian\""
    )]
    #[schema(value_type = String)]
    pub kind: ThingKind,
    /// What the user calls it, or who it is.
    pub name: String,
}

impl From<&Thing> for ThingInfo {
    fn from(thing: &Thing) -> Self {
        Self { kind: thing.kind, name: thing.name.clone() }
    }
}

impl From<&WayIn> for WayInInfo {
    fn from(way: &WayIn) -> Self {
        let need = |need: &landfall_identity::recovery::Need| NeedInfo {
            count: need.count,
            of: need.of.iter().map(ThingInfo::from).collect(),
        };
        Self { needs: way.needs.iter().map(need).collect(), wait_seconds: way.wait_seconds.0 }
    }
}

/// A drill that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct DrillInfo {
    /// What was tried.
    #[ts(
        type = "\"device\" | \"passkey\" | \"recovery-code\" | \"mailed-code\" | \"admin\" | \"guardian\""
    )]
    #[schema(value_type = String)]
    pub door: Door,
    /// Whether it would have counted in a recovery: it works, and it is not bound to this very machine.
    pub counts: bool,
    /// Whether this server lets anybody in by such a thing yet.
    pub leads_in: bool,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: At,
}

/// Try a recovery code: `POST /me/drills/code`. Signed by the device's key (RFC 9421, tag
/// `landfall-drill-v1`); nothing is burnt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct DrillCodeRequest {
    /// The code's public name.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub code: landfall_identity::recovery::CodeName,
    /// Its `auth` half, base64url without padding.
    pub auth: String,
}

/// What lets the caller back in: `GET /me/recovery-plan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct RecoveryPlanInfo {
    /// The tenant's plan, in one line.
    pub tenant: String,
    /// The caller's own, on top of it, in one line.
    pub own: Option<String>,
    /// Since when the caller has one.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub own_since_at: Option<At>,
    /// What holds, in one line.
    pub holds: String,
}

/// Choose a plan of one's own: `POST /me/recovery-plan`. One of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RecoveryPlanRequest {
    /// One that comes ready-made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(type = "\"personal\" | \"team\" | \"strict\" | null")]
    #[schema(value_type = Option<String>)]
    pub preset: Option<Preset>,
    /// One made to measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(type = "unknown")]
    #[schema(value_type = Option<Object>)]
    pub plan: Option<Plan>,
}

/// A user, by readiness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct UserReadiness {
    /// Who.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub user: UserName,
    /// What they may do.
    #[ts(type = "\"member\" | \"auditor\" | \"operator\" | \"admin\"")]
    #[schema(value_type = String)]
    pub role: Role,
    /// In one word.
    #[ts(type = "\"locked-out\" | \"one-loss-away\" | \"ready\"")]
    #[schema(value_type = String)]
    pub standing: Standing,
    /// From 0 (locked out) to 100.
    pub score: u8,
    /// How many things must be lost at once before nothing gets in; 3 stands for that many or more.
    pub losses_to_lock_out: u8,
    /// What would help most.
    #[ts(
        type = "\"print-codes\" | \"add-passkey\" | \"add-device\" | \"confirm-mail\" | \"choose-guardian\" | \"ask-for-admin\" | null"
    )]
    #[schema(value_type = Option<String>)]
    pub next: Option<Remedy>,
    /// Whether everything of the account stands still.
    pub frozen: bool,
    /// Whether an administrator has stopped it: then nothing that its owner holds gets in.
    #[serde(default)]
    pub stopped_by_admin: bool,
    /// Whether the user has made the plan stricter for themselves.
    pub own_plan: bool,
    /// Every thing whose loss alone locks them out; only after a step-up.
    pub single_losses: Option<Vec<ThingInfo>>,
    /// When they last tried anything.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_drill_at: Option<At>,
}

/// Which users: `GET /admin/readiness`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AdminReadinessQuery {
    /// How many users are looked at, at the most: 1 to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Only those of them who stand like this: `locked-out`, `one-loss-away` or `ready`. Pages may come
    /// out short, or empty, and go on all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<String>,
}

/// Whether somebody will be there to administer the tenant: `GET /admin/readiness/admins`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct AdminsReadiness {
    /// Administrators there are; at most 128 are looked at.
    pub admins: u32,
    /// Those who can act now: with a device, and a passkey that serves on it.
    pub acting: u32,
    /// Those who can lose any one thing and come back.
    pub recoverable: u32,
    /// Whether any one loss, or any one administrator's absence, leaves somebody to administer.
    pub safe: bool,
}
