//! What the program says to those who get back in, to those who let them in, and before either.

use landfall_client::FlowAbout;

pub const ASK_SERVER: &str = "The server, as on your sheet (https://...): ";
pub const ASK_SERVER_AGAIN: &str =
    "The server's line again, all of it (Enter alone: the same as before): ";
pub const ASK_PASSKEY: &str =
    "Have you a passkey here: a security key, or one that your phone or account carries?";
pub const PASSKEY_NOT_ENOUGH: &str = "Your passkey is accepted, and by itself it is not enough here. A recovery code goes with it; or an administrator.";
pub const ASK_PASSKEY_AGAIN: &str = "Try the passkey again?";
pub const ASK_RECOVERY_CODE: &str = "A recovery code, or Enter if you have none: ";
pub const ASK_OTHER_CODE: &str = "Another code, or Enter to go on without one: ";
pub const ASK_CODE_AGAIN: &str = "A code from your sheet, or Enter to go on without one: ";
pub const ASK_OTHER_LOST: &str = "The lost device, or Enter to cut off none now: ";
pub const ASK_RECOVER: &str = "Make this machine yours?";
pub const ASK_CHECK_CODE: &str = "The eight characters that they read out to you: ";
pub const RECOVERY_FROZEN: &str = "Your account is frozen, which keeps this machine out, whatever you have shown. Call an administrator, who can approve this in spite of it. When the freeze ends otherwise, this machine is turned away, and you begin again. If it was you who froze it, begin again now; what you have shown is not used up: landfall recover --anew";
pub const RECOVERY_STOPPED_ACCOUNT: &str = "An administrator has stopped your account, and nothing that you show gets in. Call one: landfall admin unfreeze, on their machine, ends it. What you have shown is not used up.";
pub const CANNOT_WAIT_YET: &str = "A wait can be asked for once a recovery code was shown and accepted, where your server and you allow it. Show one, then again: landfall recover --wait";
pub const CANNOT_WAIT: &str = "No wait can stand in for the proof that is missing. It takes a server that lets it (recovery_waiting_days, for whoever runs it) and your own yes from before you lost everything (landfall recovery waiting on). So it takes another proof:";
pub const RECOVERY_PAUSED: &str =
    "Not yet. To ask again, and to go on when it is time: landfall recover";
pub const NO_CODES: &str = "No recovery codes. Make some, print them, and put them where your passport is:\n  landfall recovery codes make --sheet codes.pdf";
pub const ASK_CODE_BY_MAIL: &str = "Shall a code be mailed to the addresses of your account? (Without one, an administrator helps.)";
pub const CODE_ON_ITS_WAY: &str = "If your account has a confirmed address, a code is on its way there. It works for 30 minutes, on this machine alone.";
pub const ASK_MAILED_CODE: &str = "The code from the mail (Enter alone: go on without it): ";
pub const ASK_MAILED_OR_NEW: &str =
    "The code from your mail (Enter alone: have one mailed; n: go on without): ";
/// Ahead of calling anybody: it takes nobody else.
pub const HAVE_ONE_MAILED: &str = "If your account has a mail address, a code that is mailed there counts as a proof, and takes nobody else: landfall recover --mail";
pub const GO_ON_BY_MAIL: &str =
    "With the code from the mail go on here: landfall recover (from a script, on stdin: --mailed)";
pub const NO_CODE_BY_MAIL: &str = "This server mails no codes, or takes none as a proof. Ask an administrator to approve: landfall recover shows what they need.";
pub const NO_RECOVERY_HERE: &str = "No recovery is under way on this machine, so no code was mailed for it. Begin one: landfall recover";
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
pub const CODES_LOST: &str = "The new codes are made all the same and nobody has seen them, and the sheet before them works no more: there is no sheet now that lets you back in. Make codes again, into a file: landfall recovery codes make --sheet codes.pdf";
pub const SUCCESSOR_LOST: &str = "This machine is in. The code that you used is burnt, and nobody has seen the one that takes its place; the others on your sheet work. For a whole sheet again: landfall recovery codes make --sheet codes.pdf";
pub const ASK_NEW_CODES: &str = "Make ten recovery codes? Codes that you made before stop working.";

pub const ASK_LINK_SERVER: &str =
    "The server, as `landfall device link` shows it on your other device (https://...): ";
pub const ASK_LINK_CODE: &str = "The eight characters that the new machine shows: ";
pub const ASK_IN_FRONT: &str = "Is that device in front of you?";
pub const ASK_IN_FRONT_FIRST: &str = "Is that device in front of you? [y/n] ";
pub const DIGITS_COME_NEXT: &str =
    "Type y or n. The digits come next; n refuses that device, for somebody else is asking then.";
pub const LINK_NEVER_EQUAL: &str = "The digits never were the same, so nothing was approved. If you read them off the very device in front of you, somebody sits between the two: begin again on another network, and tell whoever runs the server.";

/// What is under way, whose it is, and where.
pub fn recovery_resuming(about: &FlowAbout) -> String {
    let FlowAbout { user, server, device, .. } = about;
    format!("Going on with the recovery of {user} on {server}. This machine will be {device}.")
}

pub fn link_resuming(about: &FlowAbout) -> String {
    let FlowAbout { user, server, device, .. } = about;
    format!("Going on with the link to {user} on {server}. This machine will be {device}.")
}

/// What is under way by `verb` (with the server's line) is not what was typed (user and line).
pub fn under_way(verb: &str, (about, here): (&FlowAbout, &str), typed: (&str, &str)) -> String {
    let FlowAbout { user, device, .. } = about;
    format!(
        "Under way on this machine is: {user} on {here}, as {device}. You typed: {} on {}. To go on with what is under way: landfall {verb}, alone. To give it up and begin with what you typed: the same again with --anew. Nothing was sent.",
        typed.0, typed.1
    )
}

/// The other device approves a machine by its name.
pub fn link_name_stays(shown: &str, typed: &str) -> String {
    format!(
        "The link that is under way on this machine is for {shown}, which is what your other device approves; {typed} would be another one. Go on with landfall link, alone, or begin with the new name: the same again with --anew. Nothing was sent."
    )
}

/// How far a wait has come; empty when there is none.
pub fn wait_passed(passed: Option<u64>, left: Option<u64>) -> String {
    match (passed, left) {
        (Some(passed), Some(left)) if passed > 0 => {
            format!(" {} of the wait have passed; {} are left.", span(passed), span(left))
        }
        _ => String::new(),
    }
}

/// A span as people count it.
fn span(seconds: u64) -> String {
    match seconds {
        0..7200 => format!("{} minutes", seconds.div_ceil(60)),
        _ => format!("{} hours", seconds / 3600),
    }
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
        "{shown}Call an administrator, or your guardians if you chose some. They will ask what this machine shows:\n\n    {check_code}\n\nThat is all they need. An administrator: landfall admin recoveries approve --check {check_code} --reason \"...\"\nA guardian: landfall recovery wards vouch --check {check_code}\n\nThis goes on by itself once they have approved, until {until}.\nYou may close it: `landfall recover` on this machine goes on."
    )
}

/// Everything is shown and time must pass: for a device, be it cut off by now, or for whoever hears of the wait.
pub fn recovery_held(until: &str, passed: &str) -> String {
    let why = match passed.is_empty() {
        true => {
            "A device of yours works, or did until less than an hour ago, and whoever has it could say no"
        }
        false => "You, or whoever has one of your devices, could still say no",
    };
    format!(
        "Everything that is needed was shown. {why}, so it is held until {until}.{passed}\nYou may close this: `landfall recover` on this machine goes on."
    )
}

pub fn recovery_successor(code: &str) -> String {
    format!(
        "The code that you used is burnt. Write this one onto your sheet in its place, now:\n\n    {code}\n"
    )
}

pub fn sheet_written(path: &str) -> String {
    format!(
        "Ten codes are in {path}, readable by you alone.\nPrint it, keep it where your passport is, then delete the file. Older codes work no more.\nWhat goes with a code on the day: landfall readiness --full"
    )
}

/// The paper exists, and whether its codes do only the server knows.
pub fn sheet_in_doubt(path: &std::path::Path) -> String {
    format!(
        "The sheet {} is kept, and so keep the one before it. Which of them works: landfall recovery codes list\nEach code begins with its name there.",
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

/// Whatever was shown, a freeze keeps the machine out.
pub fn ask_in_spite_of_freeze(user: &str) -> String {
    format!(
        "The account of {user} was frozen after this machine began: by {user}, or by somebody with their mail or a device of theirs. Your word lets the machine in in spite of that. Have you spoken with {user} since then?"
    )
}

pub fn recovery_approved_frozen(user: &str) -> String {
    format!(
        "Your approval is kept. But the account of {user} is frozen, and while that lasts this lets nobody in. Ask {user} first who froze it, and why. Whoever ends it, landfall admin unfreeze {user}, turns away what was begun before."
    )
}

pub fn recovery_approved(user: &str, held_until: Option<&str>, more: bool) -> String {
    match (held_until, more) {
        (_, true) => format!("Your approval for {user} is kept. One more proof is needed."),
        (Some(until), false) => format!(
            "Approved. A device of {user} could still object, so it is held until {until}.\nIs that the lost one? Cut it off, so that nobody uses it meanwhile: landfall admin devices suspend {user} DEVICE\nThat ends no wait: a device counts until it has been cut off for an hour."
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

pub fn six_digits(who: &str) -> String {
    format!("Type the six digits that {who} shows. Ctrl-C lets nobody in.")
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

/// The wait has begun, or has come to its next notice, and nobody has heard of it.
pub fn recovery_unheard(check_code: &str, passed: &str) -> String {
    let standing = match passed.is_empty() {
        true => "The wait is asked for. Its time counts from when".to_owned(),
        false => {
            format!("The wait goes on, and nothing begins again.{passed} They count from when")
        }
    };
    let which = if passed.is_empty() { "the notice of it" } else { "the newest notice of it" };
    format!(
        "{standing} your mailbox, or a device of yours, has received {which}.\nIf neither can, call an administrator. They will ask what this machine shows:\n\n    {check_code}\n\nThey approve with: landfall admin recoveries approve --check {check_code} --reason \"...\"\n"
    )
}

/// Time alone does not end it.
pub fn recovery_contested(check_code: &str) -> String {
    format!(
        "Another machine asks for your account, too, or somebody with your passkey has said no: waiting alone does not let you in any more.\nCall an administrator. They will ask what this machine shows:\n\n    {check_code}\n\nThey approve with: landfall admin recoveries approve --check {check_code} --reason \"...\"\n"
    )
}

/// Whose machine it is that shows what was read out.
pub fn recovery_shown_by(user: &str, device: &str, source: &str, begun: &str) -> String {
    format!(
        "These characters are shown by the machine {device}, which asks for the account of {user}, from {source}, since {begun}."
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

pub fn vouched(user: &str, more: bool, frozen: bool) -> String {
    match more {
        _ if frozen => format!(
            "Your word for {user} is kept. But their account is frozen, and while that lasts this lets nobody in. An administrator can end it; or, if it was {user} who froze it, they begin again on the new machine (landfall recover --anew) and call you once more."
        ),
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

/// How to go on where nobody can be asked.
pub fn no_such_lost(why: &str) -> String {
    format!("{why} Then go on: landfall recover --lost NAME, or landfall recover --no-lost")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_a_wait_has_come_is_said_and_nothing_begins_again() {
        assert_eq!(wait_passed(Some(0), Some(72 * 3600)), "");
        assert_eq!(wait_passed(None, None), "");
        let half = wait_passed(Some(36 * 3600), Some(36 * 3600));
        assert_eq!(half, " 36 hours of the wait have passed; 36 hours are left.");
        let fresh = recovery_unheard("4K7M-9QXA", "");
        assert!(fresh.starts_with("The wait is asked for."), "{fresh}");
        let text = recovery_unheard("4K7M-9QXA", &half);
        assert!(text.contains("nothing begins again") && text.contains("36 hours"), "{text}");
        assert!(!text.contains("is asked for"), "{text}");
    }
}
