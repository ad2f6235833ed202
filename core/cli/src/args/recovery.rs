//! What can be typed to get back in, and to be ready for it.

use clap::{Args as ClapArgs, Subcommand};
use landfall_client::words::{DeviceName, Label, Preset, Reason, RecoveryId, ServerLine, UserName};
use std::path::PathBuf;

#[derive(Debug, ClapArgs)]
pub struct RecoverArgs {
    /// The server: the line on your sheet, beginning with https://
    #[arg(long, value_name = "LINE", value_parser = server_line)]
    pub server: Option<ServerLine>,
    /// Your user name
    #[arg(long)]
    pub user: Option<UserName>,
    /// This machine's name; it stays for ever
    #[arg(long)]
    pub device: Option<DeviceName>,
    /// What you call this machine ("Bert's blue laptop")
    #[arg(long)]
    pub label: Option<Label>,
    /// The device that you have lost: it is cut off in the same act
    #[arg(long, value_name = "DEVICE")]
    pub lost: Option<DeviceName>,
    /// None is lost after all: cut nothing off in a recovery that is under way
    #[arg(long, conflicts_with = "lost")]
    pub no_lost: bool,
    /// Show a passkey: a security key, or one that your phone or account carries
    #[arg(long)]
    pub with_passkey: bool,
    /// Go without a recovery code; an administrator approves
    #[arg(long)]
    pub without_code: bool,
    /// Wait for days instead of bringing another proof, where your server and you allow that
    #[arg(long)]
    pub wait: bool,
    /// Have a code mailed to the addresses of your account
    #[arg(long, conflicts_with = "mailed")]
    pub mail: bool,
    /// Read the code that was mailed from stdin, for a recovery that is under way
    #[arg(long, conflicts_with_all = ["server", "user", "device", "anew"])]
    pub mailed: bool,
    /// Do not wait for others: say how it stands and stop
    #[arg(long)]
    pub no_wait: bool,
    /// Begin anew, although a recovery is under way on this machine: about the same, unless you say else
    #[arg(long)]
    pub anew: bool,
    /// Replace the identity that this machine has on that server
    #[arg(long)]
    pub replace: bool,
}

#[derive(Debug, Subcommand)]
pub enum RecoveryVerb {
    /// Codes on paper, for the day when every device is gone
    #[command(subcommand)]
    Codes(CodesVerb),
    /// Whether a code and some days in which you do not say no may let you back in
    #[command(subcommand)]
    Waiting(WaitingVerb),
    /// People who vouch for you when every device is gone: two of them let you back in
    #[command(subcommand)]
    Guardians(GuardiansVerb),
    /// People who want you as a guardian
    #[command(subcommand)]
    Wards(WardsVerb),
    /// What lets you back in, and making it stricter than your organisation asks for
    #[command(subcommand)]
    Plan(PlanVerb),
    /// Try what you have, before you need it: nothing is used up and nothing changes
    #[command(subcommand)]
    Drill(DrillVerb),
    /// Who is on their way back into your account
    #[command(after_help = "Example:\n  landfall recovery list")]
    List,
    /// That is not you: end it, with your passkey
    #[command(after_help = "Example:\n  landfall recovery stop 00000000000000000000000000")]
    Stop {
        /// Which, from `landfall recovery list`
        id: RecoveryId,
    },
}

#[derive(Debug, Subcommand)]
pub enum WaitingVerb {
    /// How it stands
    #[command(after_help = "Example:\n  landfall recovery waiting show")]
    Show,
    /// Allow it, with your passkey: one proof less than otherwise
    #[command(after_help = "Example:\n  landfall recovery waiting on")]
    On,
    /// Allow it no longer, with your passkey
    #[command(after_help = "Example:\n  landfall recovery waiting off")]
    Off,
}

#[derive(Debug, Subcommand)]
pub enum GuardiansVerb {
    /// Choose somebody, with your passkey; they must accept, and can vouch from a day later on
    #[command(after_help = "Example:\n  landfall recovery guardians add anna")]
    Add {
        /// Their user name
        user: UserName,
    },
    /// Whom you have chosen
    #[command(after_help = "Example:\n  landfall recovery guardians list")]
    List,
    /// Have somebody no longer, with your passkey
    #[command(after_help = "Example:\n  landfall recovery guardians remove anna")]
    Remove {
        /// Their user name
        user: UserName,
    },
}

#[derive(Debug, Subcommand)]
pub enum WardsVerb {
    /// Who wants you, and which of them are on their way back in
    #[command(after_help = "Example:\n  landfall recovery wards list")]
    List,
    /// Be somebody's guardian
    #[command(after_help = "Example:\n  landfall recovery wards accept bert")]
    Accept {
        /// Their user name
        user: UserName,
    },
    /// Decline, or be it no longer
    #[command(after_help = "Example:\n  landfall recovery wards leave bert")]
    Leave {
        /// Their user name
        user: UserName,
    },
    /// Vouch for somebody whom you have on the phone, and know
    #[command(
        after_help = "Have them read out what their new machine shows: that names it.\n\nExample:\n  landfall recovery wards vouch --check 4K7M-9QXA"
    )]
    Vouch {
        /// Which recovery, from `landfall recovery wards list`; without it the one whose machine shows the code
        id: Option<RecoveryId>,
        /// The eight characters that the new machine shows
        #[arg(long, value_name = "CODE")]
        check: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum CodesVerb {
    /// Make ten; those before them stop working
    #[command(
        after_help = "With --sheet they go into a file to be printed, and not onto the screen: a PDF, or HTML, by the ending of its name.\n\nExamples:\n  landfall recovery codes make --sheet codes.pdf\n  landfall recovery codes make"
    )]
    Make {
        /// Write a sheet to be printed (.pdf or .html, for you alone) to this new file
        #[arg(long, value_name = "FILE")]
        sheet: Option<PathBuf>,
    },
    /// Which there are, and what became of them
    #[command(after_help = "Example:\n  landfall recovery codes list")]
    List,
}

#[derive(Debug, Subcommand)]
pub enum PlanVerb {
    /// What lets you back in now
    #[command(after_help = "Example:\n  landfall recovery plan show")]
    Show,
    /// Make it stricter, with your passkey
    #[command(
        after_help = "A file holds the plan as JSON, such as\n{\"any_of\": [{\"proofs\": {\"door\": \"device\", \"count\": 1}}, {\"all_of\": [{\"proofs\": {\"door\": \"passkey\", \"count\": 1}}, {\"proofs\": {\"door\": \"recovery-code\", \"count\": 1}}]}]}\n(another device; or a passkey and a recovery code, both)\n\nExamples:\n  landfall recovery plan set strict\n  landfall recovery plan set --file plan.json"
    )]
    Set {
        /// One that comes ready-made
        #[arg(value_name = "personal|team|strict", value_parser = preset, required_unless_present = "file")]
        preset: Option<Preset>,
        /// One made to measure, as JSON
        #[arg(long, conflicts_with = "preset")]
        file: Option<PathBuf>,
    },
    /// Go back to what your organisation asks for; takes a passkey no younger than the plan
    #[command(after_help = "Example:\n  landfall recovery plan clear")]
    Clear,
}

#[derive(Debug, Subcommand)]
pub enum DrillVerb {
    /// Try a code from your sheet: it is checked, not burnt, and works as before
    #[command(
        after_help = "It is asked for, or piped in: so it stays out of the shell's history.\n\nExample:\n  landfall recovery drill codes"
    )]
    Codes,
    /// Try a passkey: the real touch, for that alone
    #[command(after_help = "Example:\n  landfall recovery drill passkey")]
    Passkey,
}

fn preset(text: &str) -> Result<Preset, String> {
    match text {
        "personal" => Ok(Preset::Personal),
        "team" => Ok(Preset::Team),
        "strict" => Ok(Preset::Strict),
        _ => Err("it is personal, team or strict".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
pub enum AdminRecoveryVerb {
    /// The queue, newest first
    #[command(after_help = "Example:\n  landfall admin recoveries list")]
    List,
    /// Vouch for somebody whom you have on the phone
    #[command(
        after_help = "Call them on a number that you know, and have them read out what their new machine shows: that names it, among however many.\n\nExample:\n  landfall admin recoveries approve --check 4K7M-9QXA --reason \"Bert called, knew his badge number\""
    )]
    Approve {
        /// Which, from `landfall admin recoveries list`; without it the one whose machine shows the code
        id: Option<RecoveryId>,
        /// The eight characters that the new machine shows
        #[arg(long, value_name = "CODE")]
        check: Option<String>,
        /// Why; kept in the audit
        #[arg(long)]
        reason: Reason,
    },
    /// End one
    #[command(
        after_help = "Example:\n  landfall admin recoveries refuse 00000000000000000000000000"
    )]
    Refuse {
        /// Which, from `landfall admin recoveries list`
        id: RecoveryId,
    },
}

pub(super) fn server_line(text: &str) -> Result<ServerLine, String> {
    ServerLine::parse(text).map_err(|error| error.to_string())
}
