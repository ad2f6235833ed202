//! Everything that the program says to people, in English. What is said on the way back in is next door.

mod agents;
pub mod provisioned;
pub mod readiness;
mod recovery;

pub use agents::*;
pub use recovery::*;

use crate::clock::clock_time;
use landfall_client::words::Role;
use landfall_client::{Failure, FlowStepId, Remedy};
use landfall_protocol::ErrorCode;
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::me::Frozen;
use landfall_protocol::passkey::PasskeyInfo;

pub const YES_NO: &str = "[Y/n]";
pub const NO_YES: &str = "[y/N]";
pub const YES_OR_NO: &str = "That is neither yes nor no. Type y or n.";
pub const NOTHING_CHANGED: &str = "Nothing was changed.";
pub const NOT_A_TERMINAL: &str = "Nobody can be asked here, because the input is not a terminal. Give the answer as an argument, or pipe it in.";
pub const NEEDS_YES: &str = "This asks a question first, and the input is not a terminal. Run it with --yes when you are sure.";
pub const INPUT_ENDED: &str = "The input ended before an answer came.";
pub const NOBODY_TO_TOUCH: &str = "This takes your passkey. Run it in a terminal, or with --browser CMD, or with --code - and the code that the page shows.";
pub const BROWSER_ALONE: &str = "The browser ended with an error, and nobody can type the code of its page here. Nothing was changed. Look at what the browser said, then begin again.";
pub const WRONG_PIPED_CODE: &str =
    "The code from stdin was not accepted. Nothing was changed; begin again.";
pub const TYPE_CODE: &str = "The code on the page: ";
pub const STILL_WAITING: &str = "Still waiting for the server. Is this machine online?";
pub const PASTE_CODE: &str = "Paste the code (it is not shown): ";
pub const PASTE_REST: &str =
    "That is not all of it. Paste the rest, or press Enter to begin again: ";
pub const NOT_A_CLAIM: &str = "This code lets somebody in, and does not claim a new server. Use it with `landfall enroll`. Nothing was used.";
pub const ASK_USER: &str = "Your user name: ";
pub const ASK_ENROLL: &str = "Make this machine yours with this code?";
pub const ANOTHER_CODE: &str = "An enrolment was begun on this machine with another code that goes by the same number. It is given up, and the code that you gave now is used instead. If you have not seen both of them, stop here and ask whoever sent you this one.";
pub const ASK_FREEZE: &str =
    "Stop everything of your account now, this machine too? The ways back in stay open.";
pub const ASK_VALUE: &str = "The value (it is not shown): ";
pub const EMPTY_VALUE: &str = "The value is empty. Pipe it in, or give it with --file.";
pub const SIGNED_OUT: &str =
    "Signed out on this machine. Its identity stays; the next command signs in again.";
pub const LAST_PASSKEY: &str = "This is your last passkey. Without one you cannot add devices or cut off lost ones for ever, and you come by another only with what gets you back in: `landfall readiness` says what that is. If you can, register another one first: landfall webauthn register";
pub const NO_DEVICES: &str = "No devices.";
pub const NO_TOKENS: &str = "No codes.";
pub const NO_PASSKEYS: &str = "No passkeys. Register one: landfall webauthn register";
pub const NO_SECRETS: &str = "No secrets yet. Keep one: landfall secret set NAME";
pub const NO_NOTICES: &str = "Nothing has happened to your account in the last 90 days.";
pub const NO_ADDRESSES: &str =
    "Notices are mailed nowhere. Have them mailed: landfall notices add ADDRESS";
pub const NO_SUCH_ADDRESS: &str = "`landfall notices addresses` shows yours.";
pub const NO_ADDRESS_WAITS: &str =
    "No address waits for a code. Add one first: landfall notices add ADDRESS";
pub const TWO_ADDRESSES_WAIT: &str = "Two addresses wait for a code. Say which: --address ADDRESS";
pub const NO_ROWS: &str = "Nothing.";
pub const FROZEN: &str = "Your account stands still now. `landfall unfreeze` with your passkey ends it; an administrator can, too.";
pub const UNFROZEN: &str = "Your account works again.";

pub const UNWELL: &str = "What is marked PROBLEM stands in the way; begin with the first.";

/// A step of a flow that is done; none for those that need no words.
pub fn step(id: FlowStepId) -> Option<&'static str> {
    match id {
        FlowStepId::Confirm => None,
        FlowStepId::MakeKey => Some("Made this machine's key"),
        FlowStepId::AskServer => Some("Got a certificate from the server"),
        FlowStepId::Keep => Some("Kept it on this machine"),
        FlowStepId::Prepare => None,
        FlowStepId::UsePasskey => Some("You used your passkey"),
        FlowStepId::UseSecurityKey => Some("You touched your security key"),
        FlowStepId::Collect => Some("The server confirmed it"),
        FlowStepId::Introduce => Some("Told the server whose machine this is"),
        FlowStepId::Prove => Some("Everything that was needed was shown"),
    }
}

/// A usage error for a program: what clap says first, without the usage lines that people get.
pub fn usage(rendered: &str) -> String {
    let first = rendered.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = first.trim_start_matches("error: ").split_whitespace().collect();
    format!("{}. The same with --help says what it takes.", words.join(" ").trim_end_matches('.'))
}

/// What to do next, where the problem's own words may not say it.
pub fn remedy(failure: &Failure) -> Option<&'static str> {
    match (failure.code(), failure.remedy()) {
        (ErrorCode::NoProfile | ErrorCode::TokenExpired, _) => None,
        (_, Remedy::SignIn) => Some("Sign in with: landfall login"),
        // Who is asked for what says the server: a machine that nobody sits at has none of a person's ways.
        (ErrorCode::DeviceRevoked | ErrorCode::NotEnrolled, _) => None,
        (_, Remedy::UpdateApp) => Some("Update Landfall on this machine."),
        (_, Remedy::Report) => Some("If it stays, report it with the request's number."),
        _ => None,
    }
}

pub fn output_unwritable(why: &str) -> String {
    format!(
        "Standard output does not take it: {why}. What you asked for may be done all the same. Look first, then ask again with the answer going where there is room."
    )
}

pub fn try_again_in(seconds: u64) -> String {
    match seconds {
        0..=90 => format!("Try again in {seconds} s."),
        _ => format!("Try again in {} minutes.", seconds.div_ceil(60)),
    }
}

pub fn use_passkey(match_number: &str, until: &str) -> String {
    format!(
        "Use your passkey in the browser. Its page shows {match_number}, and waits until {until}.\nIf the page fails, press Enter here and type a code instead."
    )
}

/// A key with a PIN of its own is asked for it before it blinks.
pub const ASK_PIN: &str =
    "PIN of the security key that is plugged in (Enter alone: use the browser instead): ";
pub const TOUCH_KEY: &str = "Now touch the security key: it blinks.";
pub const USE_KEY: &str = "A security key is plugged in: use it here.";

pub fn wrong_pin(tries_left: Option<u32>) -> String {
    match tries_left {
        Some(1) => "That PIN is wrong. One try is left: after that the key locks itself for good, \
            and what it opens is lost. Enter alone leaves it."
            .to_owned(),
        Some(left) => format!("That PIN is wrong. The key takes {left} more before it locks."),
        None => "That PIN is wrong.".to_owned(),
    }
}

pub fn open_elsewhere(url: &str, until: &str) -> String {
    format!(
        "Open this page in a browser, use your passkey there, and type the code that it shows.\nIt waits until {until}.\n\n  {url}\n"
    )
}

pub fn still_waiting_page(url: &str) -> String {
    format!(
        "No page yet? Open it yourself, in a browser on this machine:\n  {url}\nDid it fail, or is there no browser here? There is another way: press Enter, open the page that is then shown anywhere, and type the code that it shows."
    )
}

/// What a person is about to approve.
#[allow(clippy::too_many_lines, reason = "a table: a sentence for each act")]
pub fn act(act: &BoundActBody) -> String {
    match act {
        BoundActBody::IssueToken { user, device: Some(device), .. } => {
            format!("To approve: a code for {user} on {device}")
        }
        BoundActBody::IssueToken { user, device: None, role: Role::Member, .. } => {
            format!("To approve: an invitation for {user}")
        }
        BoundActBody::IssueToken { user, device: None, role, .. } => {
            format!("To approve: an invitation for {user}, as {}", role.in_words())
        }
        BoundActBody::AddPasskey { label, .. } => format!("To approve: a new passkey, {label}"),
        BoundActBody::RemovePasskey { .. } => "To approve: one passkey less".to_owned(),
        BoundActBody::BindPasskey { .. } => "To approve: this passkey belongs here now".to_owned(),
        BoundActBody::RevokeDevice { user, device } => {
            format!("To approve: cut {device} of {user} off for ever")
        }
        BoundActBody::MakeRecoveryCodes { .. } => {
            "To approve: ten new recovery codes; older ones stop working".to_owned()
        }
        BoundActBody::ApproveLink { user, device, .. } => {
            format!("To approve: {device} becomes another device of {user}")
        }
        BoundActBody::SetRecoveryPlan { ways } => {
            format!("To approve: what lets you back in is from now on: {ways}")
        }
        BoundActBody::FreezeUser { user } => {
            format!("To approve: everything of {user} is stopped until an administrator ends it")
        }
        BoundActBody::UnfreezeUser { user } => {
            format!("To approve: the account of {user} works again")
        }
        BoundActBody::SetRole { user, role } => {
            format!("To approve: {user} is {} from now on", role.in_words())
        }
        BoundActBody::ProvisionCredential { device, role: Some(role), .. } => {
            format!("To approve: the new machine {device} at the role {role}, and a key for it")
        }
        BoundActBody::ProvisionCredential { device, role: None, .. } => {
            format!("To approve: one more key for the machine {device}")
        }
        BoundActBody::ApproveProvision { device, role, asker } => {
            format!("To approve: {asker} makes a key for the machine {device} at the role {role}")
        }
        BoundActBody::RevokeMachine { device } => {
            format!("To approve: cut the machine {device} off for ever")
        }
        BoundActBody::IssueAgentCode { agent, .. } if agent.is_empty() => {
            "To approve: a code by which one agent acts for you".to_owned()
        }
        BoundActBody::IssueAgentCode { agent, .. } => {
            format!("To approve: a code by which the agent {agent} acts for you")
        }
        BoundActBody::GrantScope { agent, scope, audience, .. } => {
            format!("To approve: for an hour {agent} may: {scope}, at {audience}")
        }
        BoundActBody::PairAgent { user, agent, .. } => {
            format!("To approve: the agent {agent} acts for {user}")
        }
        BoundActBody::SetPolicy { policy_hash } => {
            format!("To approve: other rules for the whole tenant ({policy_hash})")
        }
        BoundActBody::DrillPasskey {} => {
            "To approve: nothing. This is a drill of your passkey".to_owned()
        }
        BoundActBody::ApproveRecovery { user, reason, .. } => {
            format!("To approve: a new device of {user}, who has lost theirs (\"{reason}\")")
        }
        BoundActBody::SetWaiting { allowed: true } => {
            "To approve: a code and a wait let a machine into your account".to_owned()
        }
        BoundActBody::SetWaiting { allowed: false } => {
            "To approve: no wait lets a machine into your account any more".to_owned()
        }
        BoundActBody::NameGuardian { guardian } => {
            format!("To approve: {guardian} as one of your guardians")
        }
        BoundActBody::RemoveGuardian { guardian } => {
            format!("To approve: {guardian} as a guardian no longer")
        }
        BoundActBody::VouchForRecovery { user, .. } => {
            format!("To approve: a new device of {user}, who has lost theirs and chose you")
        }
    }
}

pub fn enroll_about(view: &landfall_client::FlowView) -> String {
    let about = &view.about;
    let until = view.expires_at.map(clock_time).unwrap_or_default();
    format!(
        "This code is for\n  server  {}\n  user    {}\n  device  {}\n  tenant  {}\nIt can be used until {until}.\n",
        about.server,
        about.user,
        about.device,
        about.tenant.as_ref().map_or("-", |tenant| tenant.as_str())
    )
}

pub fn resuming(view: &landfall_client::FlowView) -> String {
    let about = &view.about;
    format!(
        "Going on with the enrolment that was interrupted: {} of {} on {}.",
        about.device, about.user, about.server
    )
}

pub fn enrolled(user: &str, device: &str, server: &str, until: Option<&str>) -> String {
    let mut text = format!("This machine is {device} of {user} on {server}.");
    if let Some(until) = until {
        text.push_str(&format!(
            "\nNext: register a passkey, until {until}: landfall webauthn register"
        ));
    }
    text
}

pub fn asks_device(default: &str) -> String {
    if default.is_empty() {
        "This machine's name: ".to_owned()
    } else {
        format!("This machine's name [{default}]: ")
    }
}

pub fn code_made(user: &str, device: Option<&str>, until: &str) -> String {
    let device = device.map(|device| format!(" on {device}")).unwrap_or_default();
    format!(
        "A code for {user}{device}. It works once, until {until}.\nOn the other machine: landfall enroll, then paste it. Whoever has it can use it."
    )
}

pub fn code_mailed(address: &str) -> String {
    format!(
        "A code is on its way to {address}. Nothing else goes there until it comes back:\n  landfall notices confirm CODE"
    )
}

/// `needed` and `here` are columns and rows.
pub fn qr_too_large(needed: (usize, usize), here: (usize, usize)) -> String {
    format!(
        "As a picture to scan it takes {} columns and {} rows, and this terminal has {} and {}. Copy the text instead. Next time, make the terminal larger first, or use the desktop app, which draws it in any size.",
        needed.0, needed.1, here.0, here.1
    )
}

pub fn no_device(name: &str) -> String {
    format!(
        "You have no device called {name}. `landfall device list` shows yours. Nothing was changed."
    )
}

pub fn cut_off(device: &str, sessions: u32, passkeys: u32) -> String {
    let mut text = format!("{device} is cut off. ");
    text.push_str(&match sessions {
        0 => "It had no open sessions.".to_owned(),
        1 => "Its session has ended.".to_owned(),
        n => format!("Its {n} sessions have ended."),
    });
    match passkeys {
        0 => {}
        1 => text.push_str(" The passkey that lives on it is disabled."),
        n => text.push_str(&format!(" The {n} passkeys that live on it are disabled.")),
    }
    text
}

/// Of a passkey of somebody else.
pub fn passkey_elsewhere_of(user: &str, passkey: &PasskeyInfo) -> String {
    let PasskeyInfo { label, id, .. } = passkey;
    let place = match passkey.backup_eligible {
        true => "is synced elsewhere",
        false => "is in a key that is carried",
    };
    format!(
        "The passkey \"{label}\" of {user} was registered on it and {place}, so it still works: whoever has it can come back in with it. If it is lost, too, {user} can remove it, and nobody else: landfall webauthn remove {id}"
    )
}

/// To an administrator who has cut off one device of somebody else.
pub fn others_come_back(user: &str) -> String {
    format!(
        "{user} can still come back in, with a passkey, a recovery code, the guardians or another device, and so can whoever has taken those. To keep the whole account shut until an administrator opens it: landfall admin freeze {user}"
    )
}

pub fn passkey_elsewhere(passkey: &PasskeyInfo) -> String {
    let PasskeyInfo { label, id, .. } = passkey;
    let place = match passkey.backup_eligible {
        true => "is synced elsewhere",
        false => "is in a key that you carry",
    };
    format!(
        "The passkey \"{label}\" was registered on it and {place}, so it still works.\nIs it lost, too? landfall webauthn remove {id}\n(That takes an older passkey, or one that is 24 hours old.)"
    )
}

/// What a freeze that was none has done.
pub const NOTHING_FROZEN: Frozen =
    Frozen { frozen: false, sessions_ended: 0, recoveries_stopped: 0 };

/// Behind the word that an account works again.
pub fn recoveries_stopped(count: u32) -> String {
    match count {
        0 => String::new(),
        1 => " A machine that was on its way in before the freeze was turned away.".to_owned(),
        more => format!(
            " {more} machines that were on their way in before the freeze were turned away."
        ),
    }
}

pub const NOT_FROZEN: &str = "Your account is not frozen. Nothing was changed.";

pub const LOST_ANYWAY: &str = "Nothing was cut off. Without a passkey at hand you can still stop everything of your account at once, the lost device too: landfall freeze";

pub fn revoked_already(device: &str, at: &str) -> String {
    format!("{device} was revoked for ever at {at}. There is nothing left to do.")
}

pub fn ask_admin_freeze(user: &str) -> String {
    format!(
        "Stop the account of {user}? None of their devices, passkeys, codes and agents works until an administrator ends it."
    )
}

pub fn admin_frozen(user: &str) -> String {
    format!(
        "The account of {user} is stopped, and nobody gets back into it. What it has is kept.\nTo end that: landfall admin unfreeze {user}"
    )
}

pub fn not_frozen_account(user: &str) -> String {
    format!("The account of {user} is not frozen. Nothing was changed.")
}

pub fn lost_for_ever(device: &str) -> String {
    format!("{device} is revoked for ever. Your secrets and your other devices are as they were.")
}

pub fn lost_for_now(device: &str, why: &str) -> String {
    format!(
        "{device} is cut off, as hard as if it were revoked. For ever, it could not be revoked yet:\n{why}\nLater: landfall device revoke {device}"
    )
}

pub fn lost_this_one(device: &str) -> String {
    format!(
        "{device} is this very machine; it has cut itself off.\n{}\nFor ever, from another device: landfall device revoke {device}",
        after_cutting_this_off(device)
    )
}

/// How somebody comes back to the machine that they have cut off.
pub fn after_cutting_this_off(device: &str) -> String {
    format!(
        "What lets it work again: on another device of yours, landfall device resume {device}; or an administrator. Without either: landfall recover --replace, here or on another machine."
    )
}

pub fn ask_cut_this_off(device: &str) -> String {
    format!(
        "{device} is the very machine that you sit at. Cut it off now? It cannot take that back itself: another device of yours can, or an administrator; without either there is only landfall recover."
    )
}

pub fn stepped_up(until: &str) -> String {
    format!("You are here, confirmed with your passkey, until {until}.")
}

pub fn signed_in(until: &str) -> String {
    format!("Signed in until {until}. It goes on by itself.")
}

pub fn passkey_registered(label: &str) -> String {
    format!("The passkey \"{label}\" is registered.")
}

pub const ROOT_KEY_LATER: &str = "This machine is yours. The key is not registered yet; try again soon: landfall webauthn register --roaming-authenticator";

pub fn root_key_registered(passkey: &PasskeyInfo) -> String {
    let PasskeyInfo { label, .. } = passkey;
    format!(
        "The key \"{label}\" is registered. On a bare machine it gets you back in: landfall recover --with-passkey\nIt is your only one? Whoever loses it needs another way: landfall recovery codes make"
    )
}

pub fn passkey_removed(label: &str) -> String {
    format!(
        "\"{label}\" is removed and opens nothing here any more. The key, phone or browser that holds it may go on offering it: delete it there, too."
    )
}

pub fn passkey_bound(label: &str, device: &str) -> String {
    format!(
        "\"{label}\" belongs to {device} now. Cutting off an older device asks about it no more."
    )
}

pub fn default_passkey_label(roaming: bool, device: &str) -> String {
    if roaming {
        format!("Security key, added on {device}")
    } else {
        format!("This machine, {device}")
    }
}

pub fn secret_kept(name: &str, version: u64) -> String {
    format!("Kept {name}, version {version}.")
}

pub fn ask_delete_all(name: &str) -> String {
    format!("Delete {name} with all its versions? Nobody can bring it back.")
}

pub fn ask_revoke(device: &str) -> String {
    format!("Cut {device} off for ever? It can never come back under this name.")
}

pub fn ask_lost(device: &str) -> String {
    format!("Cut {device} off now? It stops working at once; your secrets stay where they are.")
}

pub fn ask_remove_passkey(label: &str) -> String {
    format!(
        "Remove the passkey \"{label}\"? It opens nothing here any more, and can only be registered anew."
    )
}
/// A workload has its identity.
pub fn workload_ready(spiffe_id: &str, socket: &str) -> String {
    format!("{spiffe_id}\nThe SPIFFE Workload API is at {socket}")
}

pub const NO_RULES: &str =
    "This tenant adds no rules to the shipped ones. See them: landfall admin policy show shipped";

/// Below what happened.
pub const NOT_YOU: &str = "\n\nWas something of this not you? Stop everything: landfall freeze\nIs somebody on their way \
                           into your account? landfall recovery list";

pub fn policy_would_refuse(kinds: u64, file: &std::path::Path) -> String {
    format!(
        " Of what was asked lately they would refuse some ({kinds} in kind): landfall admin policy try {}",
        file.display()
    )
}
