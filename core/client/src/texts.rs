//! What the client itself says to people when something goes wrong: why, and what to do next.
//! Titles come from the error codes; what the server says travels in its own problems.

/// It cannot be a mailed code.
pub const MAILED_CODE_FORM: &str =
    "A mailed code has eight letters and digits, such as 4K7M-9QXA. Look at the newest mail.";
/// No answer at all.
pub const UNREACHABLE: &str =
    "The server did not answer. Check the network connection, then try again. Nothing was changed.";
/// A call that may have been carried out before the connection broke.
pub const ANSWER_LOST: &str = "The connection broke before the server's answer arrived, so what you asked may have been done. Look first, then try again.";
/// As above, where the same again is the same.
pub const ANSWER_LOST_AGAIN: &str = "The connection broke before the server's answer arrived, so what you asked may have been done. Try again: it is not done twice.";
/// As [`ANSWER_LOST`], with the command that shows it.
pub fn answer_lost(command: &str) -> String {
    ANSWER_LOST.replace("Look first,", &format!("Look first, with `{command}`,"))
}
/// The certificate is not what the code or the profile says it must be.
pub const NOT_TRUSTED: &str = "Something else answered at this address: its certificate is not the one that your code names. Do not go on over this network. If it stays, ask whoever runs the server.";
/// As above, for a line that a person typed, without its second half.
pub const LINE_WITHOUT_PIN: &str = "Look at the server's line first: its second half seems to be missing. On most sheets a # and 13 groups of four characters stand behind the address, and without them only a certificate that browsers trust is taken, which this server has not shown. Type all of the line; `landfall server` prints it on a machine that is in. If yours has no second half, do not go on over this network, and ask whoever runs the server.";
/// As above, with its second half.
pub const LINE_MISTYPED: &str = "Look at the server's line first: one wrong character behind its # looks exactly like this. Type all of it again, as it stands on your sheet, or as `landfall server` prints it on a machine that is in. If it is right, something else answered at this address: do not go on over this network, and ask whoever runs the server.";
/// The certificate is right and the time is not.
pub const CERTIFICATE_TIME: &str = "The server's certificate is not valid at the time that this machine's clock shows. Check the clock of this machine, then try again.";
/// Not JSON, or not the JSON that was expected.
pub const UNREADABLE: &str = "The answer is not one that this version of Landfall understands. Something between you and the server may have replaced it; if it stays, update Landfall.";
/// More bytes than any answer has.
pub const TOO_LONG: &str = "The answer is longer than any answer of a Landfall server. Something between you and the server may have replaced it.";
/// No shared version: the server is newer.
pub const APP_TOO_OLD: &str = "The server speaks a newer version. Update Landfall on this machine.";
/// No shared version: the server is older.
pub const SERVER_TOO_OLD: &str =
    "This Landfall is newer than the server. Ask whoever runs the server to update it.";
/// Nobody is enrolled here.
pub const NO_PROFILE: &str = "If you have lost your other devices: `landfall recover`. With another device at hand: `landfall device add NAME` there, then `landfall enroll` here. New here? Your administrator has a code for you; then, too, `landfall enroll`.";
/// A profile was named that does not exist.
pub const NO_SUCH_PROFILE: &str =
    "There is no profile of this name on this machine. `landfall doctor` lists those that exist.";
/// Several profiles and no choice.
pub const WHICH_PROFILE: &str =
    "This machine is enrolled with several servers. Say which with --server-profile NAME.";
/// There is a living identity for this server.
pub const PROFILE_EXISTS: &str = "This machine has an identity on this server already, and it was left as it is. If you want to replace it, run the same again with --replace.";
/// The folder is not writable.
pub const UNWRITABLE: &str = "Nothing was used. Make the folder writable for you alone, or set LANDFALL_HOME to another one.";
/// Something else than a folder is there.
pub const NO_FOLDER: &str = "Nothing was used or changed. Set LANDFALL_HOME to a folder, or leave it out: Landfall then keeps its folder where this system keeps such things.";
/// Others can read the folder.
pub const EXPOSED: &str = "Other people on this machine can read Landfall's folder. Run `chmod 700` on it, then try again.";
/// The file of an identity that cannot be read.
pub const IDENTITY_DAMAGED: &str = "Your secrets are on the server, and nothing there is lost. Get in anew, and replace what is broken: `landfall link --replace` beside another device of yours, `landfall recover --replace` if you have none, or `landfall enroll --replace` with a new code.";
/// The file of something that was under way.
pub const UNDERWAY_DAMAGED: &str = "It holds what was under way here and was not finished. Delete the file, then begin again; your secrets are on the server.";
/// The file of an agent.
pub const AGENT_DAMAGED: &str =
    "It holds an agent of this machine. Delete the file, then let the agent in again.";
/// Everything of the account stands still.
pub const FROZEN: &str = "Your account is frozen, so this machine can do nothing for you.";
/// What to do about it.
pub const END_FREEZE: &str = "If a device is lost, cut it off first: `landfall device lost NAME`. Then end the freeze with your passkey: `landfall unfreeze`. Without one: `landfall recover --replace`, or ask an administrator.";
/// No passkey can be used, and no right to register one is left.
pub const NO_PASSKEY_LEFT: &str = "You have no passkey that can be used. Get in anew with what you have kept, and make one then: `landfall recover --replace`. Otherwise an administrator makes a code for this machine.";
/// Another process has the lock.
pub const STATE_BUSY: &str =
    "Another Landfall is at work in this folder. Wait for it to end, then try again.";
/// The key store failed.
pub const KEY_UNAVAILABLE: &str = "The key of this machine is missing or cannot be used. Get in anew: `landfall link --replace` beside another device of yours, `landfall recover --replace` if you have none, or `landfall enroll --replace` with a new code.";
/// The token is not one.
pub const TOKEN_UNREADABLE: &str =
    "A code begins with lf1. and is one long line. Copy all of it and paste it again.";
/// The checksum is wrong.
pub const TOKEN_MISTYPED: &str = "A part is missing or was changed on the way. Copy all of it and paste it again. Nothing was used.";
/// A version that this build does not know.
pub const TOKEN_TOO_NEW: &str =
    "It was made by a newer Landfall. Update Landfall on this machine, then paste it again.";
/// The code is over, by its own word.
pub const TOKEN_OVER: &str = "Nothing was used. Ask for a new code; it is made in a minute.";
/// A name is not in the code and was not given.
pub const USER_MISSING: &str = "The code leaves the user name open. Choose one with --user NAME: lower-case letters, digits, '.', '_' and '-'.";
/// As above, for the device.
pub const DEVICE_MISSING: &str = "The code leaves the device name open. Choose one with --device NAME: lower-case letters, digits, '.', '_' and '-'.";
/// The code names somebody else.
pub const NAMES_ANOTHER: &str = "The names that you gave are not those in the code. Leave them out, or ask for a code for them. Nothing was used.";
/// No browser.
pub const NO_BROWSER: &str = "No browser could be opened on this machine. Open the address that is shown on a device with a browser, and type the code that it shows.";
/// The command that should open the page ended badly.
pub const BROWSER_FAILED: &str = "The program that should show the page ended with an error. Open the address that is shown in a browser, and type the code that it shows.";
/// No key is plugged in, or none that this program can speak to.
pub const NO_SECURITY_KEY: &str = "No security key is plugged into this machine.";
/// The server's page is not the server's.
pub const PAGE_OF_ANOTHER: &str = "The server's page for passkeys is at an address that is not the server's own, so the key was not asked to sign for it.";
/// The redirect never came.
pub const NOBODY_CAME: &str = "Nobody used the passkey in time. Nothing was changed; begin again.";
/// The loopback listener could not be opened.
pub const NO_LOOPBACK: &str = "This machine does not let Landfall listen on 127.0.0.1, so the browser cannot come back by itself. Use the typed form.";
/// A typed code that is not one.
pub const CODE_SHAPE: &str = "The page shows eight characters like 4K7M-9QXA. Type them as they stand; small letters are fine.";
/// A person must be asked and nobody can be.
pub const INPUT_NEEDED: &str = "Nobody can be asked here, because the input is not a terminal.";
/// Waiting in vain for a renewal.
pub const RENEW_FAILED: &str = "This machine's certificate could not be renewed.";
/// A local value that breaks a rule.
pub const VALUE_TOO_LARGE: &str =
    "A secret holds 64 KiB at the most. Keep the large part elsewhere and put its key here.";
/// A lifetime that no server allows.
pub const TTL: &str = "A code for a device lives 24 hours at the most, an invitation 7 days; the server may allow less.";
/// A recovery code of another form.
pub const RECOVERY_CODE_SHAPE: &str = "A recovery code has 25 characters in groups of four, like 4K7M-9QXA-..., from your sheet. Type them as they stand; small letters are fine. Nothing was sent.";
/// A recovery code with a slip in it.
pub const RECOVERY_CODE_SLIP: &str = "One of its characters is not the one on the sheet. Look again: there is no letter O, I, L or U in it. Nothing was sent.";
/// No such recovery in the queue.
pub const NO_SUCH_RECOVERY: &str =
    "There is no such recovery under way. `landfall admin recoveries list` shows those that are.";
/// As above, for a guardian.
pub const NO_RECOVERY_OF_WARDS: &str = "There is no such recovery of anybody who chose you and whom you have accepted. `landfall recovery wards list` shows those that are. Were you asked, and have not accepted yet? landfall recovery wards accept NAME";
/// No machine in the queue shows what was typed.
pub const NO_MACHINE_SHOWS: &str = "No machine that is on its way back in shows these characters. Have them read out again, letter by letter, and ask whether it still waits there: what was begun anew shows others. Nothing was approved.";
/// As above, for a guardian.
pub const NO_WARDS_MACHINE_SHOWS: &str = "No machine of anybody who chose you, and whom you have accepted, shows these characters. Have them read out again, letter by letter, and ask whether it still waits there: what was begun anew shows others. Were you asked, and have not accepted yet? landfall recovery wards accept NAME. Nothing was approved.";
/// Forty bits of two machines are alike, which does not happen by chance.
pub const TWO_SHOW_IT: &str = "Two machines show these characters, which does not happen by chance. Nothing was approved. Have the person begin anew (landfall recover --anew) and read out what is shown then.";
/// An administrator typed something else.
pub const CHECK_CODE_WRONG: &str = "The machine that asks shows other characters. Somebody else may be asking in that name: call the person on a number that you know, and have the characters read out again. Nothing was approved.";
/// What the two devices and the server say does not fit together.
pub const LINK_TAMPERED: &str = "What the two devices and the server say does not fit together, as if somebody sat in between. Nothing was approved. Begin again on another network; if it stays, tell whoever runs the server.";
/// The new device speaks to another server.
pub const LINK_OTHER_SERVER: &str = "The new device speaks to another server than this one does. Nothing was approved. Type the server there as this device shows it: landfall device link.";
/// Not eight characters.
pub const LINK_SHAPE: &str = "The new device shows eight characters like 4K7M-9QXA. Type them as they stand; small letters are fine.";
/// The new device does not answer.
pub const LINK_NO_ANSWER: &str =
    "The new device has not answered for a minute. Is it still on, and online? Begin again there.";
/// The digits differ.
pub const LINK_DIGITS_DIFFER: &str = "The new device shows other digits than this one has computed. Look again. If they stay different, somebody is between the two: nothing was approved, and you should begin on another network.";
/// As above, of an agent.
pub const AGENT_DIGITS_DIFFER: &str = "The agent shows other digits than this device has computed. Look again. If they stay different, somebody is between the two: nothing was approved, and you should begin on another network.";
/// A machine's key that no server makes.
pub const CREDENTIAL_TTL: &str = "A machine's key can be used for 365 days at the most.";
/// A phrase that no server makes.
pub const CREDENTIAL_WORDS: &str = "4 to 12 words open the file of a machine's key.";
/// Other words than those that sealed the file.
pub const PASSPHRASE_WRONG: &str = "Those are not the words that open this file, or the file was changed on the way. Look at each word again; nothing was sent.";
/// Another file.
pub const NOT_SEALED: &str = "That is no file that words open. It begins with age-encryption.org/v1; was it copied whole, and as it is?";
/// A file with something else in it.
pub const NO_CREDENTIAL: &str = "The file opens, and holds something else than a machine's key.";
/// A machine that does what people do.
pub const NOT_A_PERSON: &str = "This machine stands for itself, and for nobody's account.";
pub(crate) fn agent_exists(name: &str) -> String {
    format!(
        "An agent of this machine is called that already. Choose another name, or take that one off this machine first: `landfall agent forget {name}`."
    )
}
/// Where there are agents and no person.
pub fn agents_alone(names: &str) -> String {
    format!(
        "This machine is nobody's device. It has agents: {names}. `landfall agent here` shows them."
    )
}
pub(crate) fn agent_keyless(name: &str) -> String {
    format!(
        "The key of the agent {name} is missing or damaged, and no other one can take its place. Take it off this machine: `landfall agent forget {name}`. Then let it in again with a new code of its owner's: `landfall agent link` there, `landfall agent enroll {name}` here."
    )
}
pub(crate) fn agent_begun(name: &str, server: &str, by_code: bool) -> String {
    let how = if by_code { "with its code, and without --user" } else { "with --user" };
    format!(
        "The agent {name} was being let in at {server} before, and what became of it was never heard. Ask again as you did then: at that server, {how}. Or give it up: `landfall agent forget {name}`."
    )
}
/// It cannot be an agent's code.
pub(crate) const AGENT_CODE_FORM: &str = "A code for an agent begins with lfa1. and is one long line. Its owner makes one on a device of theirs: `landfall agent link`. Nothing was sent.";
/// It began well.
pub(crate) const AGENT_CODE_MISTYPED: &str = "A part of the code is missing or was changed on the way. Copy all of it, from lfa1. on, and paste it again. Nothing was sent.";
/// A bootstrap code.
pub(crate) const AGENT_CODE_OF_DEVICE: &str = "That code lets a person's device in, and `landfall enroll` takes it. One for an agent begins with lfa1.: its owner makes it on a device of theirs, with `landfall agent link`. Nothing was sent.";
/// The worst of all to hand to an agent.
pub(crate) const AGENT_CODE_OF_RECOVERY: &str = "That is a recovery code: it lets its owner back in, with `landfall recover`, and nobody else should see it. A code for an agent begins with lfa1., and `landfall agent link` makes it. Nothing was sent.";
pub(crate) const AGENTS_FULL: &str = "This folder holds as many agents as it can.";
pub(crate) const NO_SUCH_AGENT: &str =
    "No agent of this machine is called that. Without a name there must be exactly one.";
pub(crate) const AGENT_NAME: &str =
    "A name on this machine may hold a-z, 0-9 and '-', and begins and ends with a letter or digit.";
pub(crate) const PAIRING_OVER: &str =
    "Ten minutes have passed, or somebody said no. Begin again; nothing was used.";
