//! Everything that the program says to people, in English, in one file.

pub mod readiness;

use crate::clock::clock_time;
use landfall_client::words::Attachment;
use landfall_client::{Failure, FlowStepId, Remedy};
use landfall_protocol::ErrorCode;
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::passkey::PasskeyInfo;

pub const YES_NO: &str = "[Y/n]";
pub const NO_YES: &str = "[y/N]";
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
pub const NOT_A_CLAIM: &str = "This code does not claim a server. Use it with `landfall enroll`.";
pub const ASK_USER: &str = "Your user name: ";
pub const ASK_ENROLL: &str = "Make this machine yours with this code?";
pub const RESUMING: &str = "Going on with the enrolment that was interrupted.";
pub const ASK_FREEZE: &str =
    "Stop everything of your account now, this machine too? The ways back in stay open.";
pub const ASK_VALUE: &str = "The value (it is not shown): ";
pub const EMPTY_VALUE: &str = "The value is empty. Pipe it in, or give it with --file.";
pub const SIGNED_OUT: &str =
    "Signed out on this machine. Its identity stays; the next command signs in again.";
pub const LAST_PASSKEY: &str = "This is your last passkey. Without one you cannot add devices or remove lost ones, and getting back in takes an administrator.";
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

pub const ASK_SERVER: &str = "The server, as on your sheet (https://...): ";
pub const ASK_PASSKEY: &str =
    "Have you a passkey here: a security key, or one that your phone or account carries?";
pub const PASSKEY_NOT_ENOUGH: &str = "Your passkey is accepted, and by itself it is not enough here. A recovery code goes with it; or an administrator.";
pub const ASK_PASSKEY_AGAIN: &str = "Try the passkey again?";
pub const ASK_RECOVERY_CODE: &str = "A recovery code, or Enter if you have none: ";
pub const ASK_OTHER_CODE: &str = "Another code, or Enter to go on without one: ";
pub const ASK_OTHER_LOST: &str = "The lost device, or Enter to cut off none now: ";
pub const ASK_RECOVER: &str = "Make this machine yours?";
pub const ASK_CHECK_CODE: &str = "The eight characters that they read out to you: ";
pub const RECOVERY_RESUMING: &str = "Going on with the recovery that is under way on this machine.";
pub const RECOVERY_PAUSED: &str =
    "Not yet. To ask again, and to go on when it is time: landfall recover";
pub const NO_CODES: &str = "No recovery codes. Make some, print them, and put them where your passport is:\n  landfall recovery codes make --sheet codes.pdf";
pub const ASK_CODE_BY_MAIL: &str = "Shall a code be mailed to the addresses of your account? (Without one, an administrator helps.)";
pub const CODE_ON_ITS_WAY: &str = "If your account has a confirmed address, a code is on its way there. It works for 30 minutes, on this machine alone.";
pub const ASK_MAILED_CODE: &str = "The code from the mail (Enter alone: go on without it): ";
pub const ASK_MAILED_OR_NEW: &str =
    "The code from your mail (Enter alone: have one mailed; n: go on without): ";
pub const NO_CODE_BY_MAIL: &str = "This server mails no codes, or takes none as a proof. Ask an administrator to approve: landfall recover shows what they need.";
pub const NO_RECOVERY_HERE: &str = "No recovery is under way on this machine, so no code was mailed for it. Begin one: landfall recover";
pub const UNWELL: &str = "What is marked PROBLEM stands in the way; begin with the first.";
pub const NO_RECOVERIES: &str = "Nobody is on their way back in.";
pub const RECOVERY_REFERRED: &str = "You have said no before today, so this one is left to your administrators: it is not let in by time alone any more. Call one of them.";
pub const ASK_WHICH_LOST: &str = "Which one is lost? (Enter if none is) ";
pub const ASK_WAITING: &str = "Let a recovery code, and some days in which you do not say no, sign a new machine in as you? Whoever finds your sheet could try it, too.";
pub const WAITING_NOT_HERE: &str = "This server does not let waiting stand in for a proof. Whoever runs it can: recovery_waiting_days.";
pub const WAITING_NOT_HERE_YET: &str =
    "You allow it, and this server does not. Whoever runs it can: recovery_waiting_days.";
pub const NO_GUARDIANS: &str = "You have no guardians. Choose people who know your voice: landfall recovery guardians add NAME";
pub const NO_WARDS: &str = "Nobody wants you as a guardian.";
pub const WARDS_ON_THEIR_WAY: &str = "On their way back in, if it is really them:";
pub const SHEET_ENDING: &str = "The name of a sheet ends with .pdf or .html. No codes were made.";
pub const ASK_NEW_CODES: &str = "Make ten recovery codes? Codes that you made before stop working.";

pub const ASK_LINK_SERVER: &str =
    "The server, as `landfall device link` shows it on your other device (https://...): ";
pub const ASK_LINK_CODE: &str = "The eight characters that the new machine shows: ";
pub const ASK_IN_FRONT: &str = "Is that device in front of you?";
pub const LINK_RESUMING: &str = "Going on where this machine was interrupted.";
pub const LINK_NEVER_EQUAL: &str = "The digits never were the same, so nothing was approved. If you read them off the very device in front of you, somebody sits between the two: begin again on another network, and tell whoever runs the server.";

/// A step of a flow that is done; none for those that need no words.
pub fn step(id: FlowStepId) -> Option<&'static str> {
    match id {
        FlowStepId::Confirm => None,
        FlowStepId::MakeKey => Some("Made this machine's key"),
        FlowStepId::AskServer => Some("Got a certificate from the server"),
        FlowStepId::Keep => Some("Kept it on this machine"),
        FlowStepId::Prepare => None,
        FlowStepId::UsePasskey => Some("You used your passkey"),
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
        (ErrorCode::AccountFrozen, _) => Some(
            "Cut a lost device off first: landfall device lost NAME. Then, with your passkey: landfall unfreeze",
        ),
        (_, Remedy::SignIn) => Some("Sign in with: landfall login"),
        (ErrorCode::DeviceRevoked | ErrorCode::NotEnrolled, _) => {
            Some("This machine needs a new code, then: landfall enroll")
        }
        (_, Remedy::UpdateApp) => Some("Update Landfall on this machine."),
        (_, Remedy::Report) => Some("If it stays, report it with the request's number."),
        _ => None,
    }
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
pub fn act(act: &BoundActBody) -> String {
    match act {
        BoundActBody::IssueToken { user, device: Some(device), .. } => {
            format!("To approve: a code for {user} on {device}")
        }
        BoundActBody::IssueToken { user, device: None, .. } => {
            format!("To approve: an invitation for {user}")
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

pub fn passkey_elsewhere(passkey: &PasskeyInfo) -> String {
    let PasskeyInfo { label, id, .. } = passkey;
    let place = match passkey.attachment {
        Attachment::Roaming => "is in a key that you carry",
        Attachment::Platform => "is synced elsewhere",
    };
    format!(
        "The passkey \"{label}\" was registered on it and {place}, so it still works.\nIs it lost, too? landfall webauthn remove {id}\n(That takes an older passkey, or one that is 24 hours old.)"
    )
}

pub const NOT_FROZEN: &str = "Your account is not frozen. Nothing was changed.";

pub const LOST_ANYWAY: &str = "Nothing was cut off. Without a passkey at hand you can still stop everything of your account at once, the lost device too: landfall freeze";

pub fn revoked_already(device: &str, at: &str) -> String {
    format!("{device} was revoked for ever at {at}. There is nothing left to do.")
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
        "{device} is this very machine; it has cut itself off. From another device: landfall device revoke {device}"
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
    format!("Remove the passkey \"{label}\"?")
}

pub fn recover_about(view: &landfall_client::FlowView, lost: Option<&str>) -> String {
    let about = &view.about;
    let lost = lost.map(|lost| format!("\n  cut off  {lost}")).unwrap_or_default();
    format!(
        "This will be\n  device   {}\n  user     {}\n  server   {}{lost}\n",
        about.device, about.user, about.server
    )
}

/// What a person has shown so far.
#[derive(Clone, Copy)]
pub enum Shown {
    /// Nothing.
    Nothing,
    /// A recovery code.
    Code,
    /// A passkey.
    Passkey,
}

/// What to do while others are waited for.
pub fn recovery_waits(check_code: &str, until: &str, shown: Shown) -> String {
    let shown = match shown {
        Shown::Nothing => "",
        Shown::Code => "Your code is accepted. One more proof is needed.\n",
        Shown::Passkey => {
            "Your passkey is accepted. One more proof is needed: your server wants two, or the page's code was typed by hand, which anybody could have read out to you.\n"
        }
    };
    format!(
        "{shown}Call an administrator, or your guardians if you chose some. They will ask what this machine shows:\n\n    {check_code}\n\nThis goes on by itself once they have approved, until {until}.\nYou may close it: `landfall recover` on this machine goes on."
    )
}

/// Everything is shown and time must pass.
pub fn recovery_held(until: &str) -> String {
    format!(
        "Everything that is needed was shown. You, or whoever has one of your devices, could still say no, so it is held until {until}.\nYou may close this: `landfall recover` on this machine goes on."
    )
}

pub fn recovery_successor(code: &str) -> String {
    format!(
        "The code that you used is burnt. Write this one onto your sheet in its place, now:\n\n    {code}\n"
    )
}

pub fn sheet_written(path: &str) -> String {
    format!(
        "Ten codes are in {path}, readable by you alone.\nPrint it, keep it where your passport is, then delete the file. Older codes work no more."
    )
}

/// The codes exist and their paper does not.
pub fn sheet_lost(path: &std::path::Path, why: &std::io::Error) -> String {
    format!(
        "{} cannot be written: {why}. The codes on it are made and lost. Make others, into another file.",
        path.display()
    )
}

pub fn codes_made(server: &str) -> String {
    format!(
        "Ten codes. They are not shown again, and older ones work no more. Write them down together\nwith the server: {server}"
    )
}

pub fn recovery_stopped(user: &str, device: &str) -> String {
    format!(
        "{device} of {user} does not come in. If somebody else asked in that name, freeze the account or make new codes."
    )
}

pub fn recovery_approved(user: &str, held_until: Option<&str>, more: bool) -> String {
    match (held_until, more) {
        (_, true) => format!("Your approval for {user} is kept. One more proof is needed."),
        (Some(until), false) => format!(
            "Approved. A device of {user} could still object, so it is held until {until}.\nIs that the lost one? Cut it off, and the wait ends: landfall admin devices suspend {user} DEVICE"
        ),
        (None, false) => format!("Approved. {user} comes in now."),
    }
}

pub fn link_how(server: &str, user: &str) -> String {
    format!(
        "On the new machine, in front of you:\n\n  landfall link --server {server} --user {user}\n"
    )
}

pub fn link_code(code: &str, until: &str) -> String {
    format!(
        "On a device of yours that is in already:\n\n    landfall device link {code}\n\nIt waits until {until}. Whoever sends you such a code in a message wants in: type only what a machine in front of you shows."
    )
}

pub fn link_taken_on(approver: &str) -> String {
    format!("{approver} has found this machine. Go on there.")
}

pub fn link_digits(digits: &str, approver: &str) -> String {
    format!("Type these digits on {approver}, and nowhere else:\n\n    {digits}\n")
}

pub fn link_found(device: &str, source: &str, begun: &str) -> String {
    format!(
        "{device} wants to be a device of yours. It asks from {source}, since {begun}.\nYour passkey approves exactly this machine and its key."
    )
}

pub fn asks_digits(device: &str) -> String {
    format!("The six digits that {device} shows: ")
}

pub fn link_approved(device: &str) -> String {
    format!("{device} comes in now. Not you after all? Cut it off: landfall device lost {device}")
}

pub fn link_refused(device: &str) -> String {
    format!(
        "{device} does not come in. Somebody who has your user name wanted that. Whoever called or wrote to you about it is not a friend."
    )
}

/// Days could stand in for the proof that is missing.
pub fn may_wait(days: u32) -> String {
    format!(
        "\n\nNobody to call? Then {days} days in which nobody of your account says no let you in:\n  landfall recover --wait"
    )
}

/// The wait has begun, and nobody has heard of it.
pub fn recovery_unheard(check_code: &str) -> String {
    format!(
        "The wait is asked for. Its time counts from when your mailbox, or a device of yours, has received the notice of it.\nIf neither can, call an administrator. They will ask what this machine shows:\n\n    {check_code}\n"
    )
}

/// Time alone does not end it.
pub fn recovery_contested(check_code: &str) -> String {
    format!(
        "Another machine asks for your account, too, or somebody with your passkey has said no: waiting alone does not let you in any more.\nCall an administrator. They will ask what this machine shows:\n\n    {check_code}\n"
    )
}

pub fn waiting_on(days: u32, since: &str) -> String {
    format!(
        "Allowed since {since}: a recovery code and {days} days in which you do not say no let a machine in. You are told when it begins, at half, and a day before the end."
    )
}

pub fn waiting_off(days: u32) -> String {
    format!(
        "Not allowed. With `landfall recovery waiting on`, a recovery code and {days} days in which you do not say no would let a machine in."
    )
}

pub fn guardian_named(user: &str) -> String {
    format!(
        "{user} is asked. Once they have accepted, and a day from now at the earliest, their word counts: landfall recovery guardians list"
    )
}

pub fn ward_accepted(user: &str, from: &str) -> String {
    format!(
        "You are a guardian of {user}; your word counts from {from}. If they ever call you for it, make sure that it is really them."
    )
}

pub fn vouched(user: &str, more: bool) -> String {
    match more {
        true => format!("Your word for {user} is kept. One more is needed."),
        false => format!("Your word for {user} is kept. Nothing more is needed."),
    }
}

pub fn other_devices(names: &[&str]) -> String {
    format!(
        "You are back in. Your other devices that still work: {}.\nWhoever has one of them has what is on it.",
        names.join(", ")
    )
}

pub fn cut_off_in_recovery(device: &str) -> String {
    format!(
        "{device} is cut off. In 24 hours it is cut off for ever, by itself; if it turns up before: landfall device resume {device}"
    )
}

pub fn cut_off_later(device: &str) -> String {
    format!(
        "It is too late for that without a passkey. Register one here, then: landfall device lost {device}"
    )
}

/// What is worth a look once one is back in.
pub fn look_back(lost: Option<&str>) -> String {
    match lost {
        Some(lost) => format!(
            "\nThen see what it did, and which secrets to change: landfall device review {lost}"
        ),
        None => {
            "\nIs another device lost? landfall device lost NAME, then: landfall device review NAME"
                .to_owned()
        }
    }
}

pub fn to_rotate(device: &str) -> String {
    format!("Secrets that {device} could read, in the value that they have now. Change them:")
}

pub fn nothing_to_rotate(device: &str) -> String {
    format!("No secret has a value any more that {device} could read.")
}
