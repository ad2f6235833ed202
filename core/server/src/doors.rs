//! Which doors lead anywhere on this build.
//!
//! One answer for all who ask: what a recovery counts (`service/recovery_standing.rs`), what readiness
//! promises, which plans can be chosen, and what is said to NIST's rules. A door that gets built turns
//! to `true` here, and in no second list.

use landfall_identity::recovery::Door;

/// Whether a proof of this kind leads in.
pub const fn leads_in(door: Door) -> bool {
    match door {
        // An enrolled device approves a link, and mints tokens beside the engine.
        Door::Device
        | Door::Passkey
        | Door::RecoveryCode
        | Door::MailedCode
        | Door::Admin
        | Door::Guardian => true,
    }
}
