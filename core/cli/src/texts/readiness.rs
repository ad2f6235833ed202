//! What is said about getting back in, before one must.

use landfall_client::words::{Door, ReadinessRemedy, Standing, ThingKind};
use landfall_protocol::readiness::{AdminsReadiness, DrillInfo, ThingInfo};

pub const NAMES_WITH_PASSKEY: &str =
    "Which ways in, and which loss, is shown to you alone: landfall readiness --full";
pub const NO_WAY_IN: &str = "Nothing that you have gets you in on another machine. While this machine works, you are in; without it you are locked out, and only whoever runs the server can help.";
pub const IDLE: &str = "You also have these. By this plan, on this server, they are not enough:";
pub const NO_DRILLS: &str =
    "You have tried none of it yet. It takes a minute: landfall recovery drill codes";
pub const STOPPED: &str = "An administrator has stopped your account: nothing that you hold gets in until an administrator ends that. Call one.";
pub const FROZEN: &str =
    "Your account is frozen: nothing works until that ends. landfall unfreeze, with your passkey";
pub const WHICH_PLAN: &str = "Say which: personal, team, strict, or --file FILE";
pub const ASK_CLEAR_PLAN: &str =
    "Go back to what your organisation asks for? It may take less to get into your account then.";
pub const TENANT_PLAN: &str =
    "That is what your organisation asks for. To ask for more: landfall recovery plan set strict";
pub const ASK_DRILL_CODE: &str = "One of your recovery codes (it is not used up): ";
pub const NO_CODE_GIVEN: &str = "No code was given. Nothing was tried.";

/// How somebody stands, in few words.
pub fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::LockedOut => "locked out",
        Standing::OneLossAway => "one loss away",
        Standing::Ready => "ready",
    }
}

/// How one stands, as a sentence.
pub fn headline(standing: Standing, losses: u8) -> String {
    match (standing, losses) {
        (Standing::LockedOut, _) => {
            "Locked out: nothing that you have would let you back in.".to_owned()
        }
        (Standing::OneLossAway, _) => {
            "One loss away: lose the wrong thing, and nothing lets you back in.".to_owned()
        }
        (Standing::Ready, 2) => {
            "Ready: you can lose any one thing and still get back in. Two at once could lock you out."
                .to_owned()
        }
        (Standing::Ready, _) => {
            "Ready: you can lose any two things at once and still get back in.".to_owned()
        }
    }
}

/// A thing, as its owner knows it.
pub fn thing(thing: &ThingInfo) -> String {
    let name = &thing.name;
    match thing.kind {
        ThingKind::Device => format!("your device {name}"),
        ThingKind::SyncedPasskey => format!("your synced passkey {name}"),
        ThingKind::RoamingKey => format!("your security key {name}"),
        ThingKind::CodeSheet => format!("your {name}"),
        ThingKind::Mailbox => format!("your mailbox {name}"),
        ThingKind::Admin => format!("the administrator {name}"),
        ThingKind::Guardian => format!("your guardian {name}"),
    }
}

/// What to do, with the command that does it.
pub fn remedy(remedy: ReadinessRemedy) -> &'static str {
    match remedy {
        ReadinessRemedy::PrintCodes => {
            "Print recovery codes: landfall recovery codes make --sheet codes.html"
        }
        ReadinessRemedy::AddPasskey => {
            "Register a key that you carry: landfall webauthn register --type roaming"
        }
        ReadinessRemedy::AddDevice => "Add another device: landfall device add NAME",
        ReadinessRemedy::ConfirmMail => "Confirm an address: landfall notices add ADDRESS",
        ReadinessRemedy::ChooseGuardian => "Choose somebody whom you trust as a guardian.",
        ReadinessRemedy::AskForAdmin => {
            "Have another administrator, who can vouch for you. An administrator invites one: landfall admin invite NAME --role admin"
        }
    }
}

/// The same, for a table.
pub fn in_a_word(remedy: ReadinessRemedy) -> &'static str {
    match remedy {
        ReadinessRemedy::PrintCodes => "recovery codes",
        ReadinessRemedy::AddPasskey => "a key",
        ReadinessRemedy::AddDevice => "another device",
        ReadinessRemedy::ConfirmMail => "an address",
        ReadinessRemedy::ChooseGuardian => "a guardian",
        ReadinessRemedy::AskForAdmin => "another administrator",
    }
}

/// Whether somebody will be there.
pub fn admins(admins: &AdminsReadiness) -> String {
    let AdminsReadiness { admins: there, acting, recoverable, safe } = admins;
    let who = if *there == 1 { "administrator" } else { "administrators" };
    let count = format!(
        "{there} {who}: {acting} can act now, {recoverable} can lose any one thing and come back."
    );
    let verdict = match safe {
        true => "Whatever one of them loses, somebody can still administer this.",
        false if *acting == 0 => {
            "Nobody can act now. Whoever runs the server can let one of them in, on its machine: landfall-server break-glass NAME --device DEVICE"
        }
        false => {
            "That is not safe: one loss, or one person gone, and nobody may be left who can. Invite another administrator, and have each add a second device."
        }
    };
    format!("{count}\n{verdict}")
}

fn tried(door: Door) -> &'static str {
    match door {
        Door::RecoveryCode => "a recovery code",
        Door::Passkey => "a passkey",
        Door::Device => "a device",
        Door::MailedCode => "a mailed code",
        Door::Admin => "an administrator",
        Door::Guardian => "a guardian",
    }
}

/// A drill, in a list.
pub fn drilled(drill: &DrillInfo) -> String {
    let what = tried(drill.door);
    match (drill.counts, drill.leads_in) {
        (true, true) => format!("{what}: it works"),
        (true, false) => format!("{what}: it works, and this server lets nobody in by one yet"),
        (false, _) => format!("{what}: it works here, and not on another machine"),
    }
}

/// A drill that was just done.
pub fn drill_done(drill: &DrillInfo) -> String {
    match (drill.door, drill.counts, drill.leads_in) {
        (Door::RecoveryCode, ..) => "This code works, and is not used up. Put the sheet back where it was.\nWhat else it takes on the day: landfall readiness --full".to_owned(),
        (_, true, true) => "It works, and would get you in on another machine.".to_owned(),
        (_, true, false) => "It works, and could be used on another machine. This server lets nobody in by a passkey alone yet: on the day, it takes something else.".to_owned(),
        (_, false, _) => "It works here. It lives on this machine and goes with it: on another machine it gets you nowhere. Have one that you carry, too: landfall webauthn register --type roaming".to_owned(),
    }
}
