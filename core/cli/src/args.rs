//! What can be typed. Help is written for somebody who has just lost a laptop.

mod agent;
mod audit;
mod device;
mod link;
mod notices;
mod policy;
mod provisioned;
mod recovery;
mod webauthn;
mod workload;

pub use agent::AgentVerb;
pub use audit::{AuditArgs, AuditFilterArgs, AuditVerb};
pub use device::DeviceVerb;
pub use link::LinkArgs;
pub use notices::{NoticesArgs, NoticesVerb};
pub use policy::{PolicyPart, PolicyVerb};
pub use provisioned::{ProvisionArgs, ProvisionedVerb};
pub use recovery::{
    AdminRecoveryVerb, CodesVerb, DrillVerb, GuardiansVerb, PlanVerb, RecoverArgs, RecoveryVerb,
    WaitingVerb, WardsVerb,
};
pub use webauthn::WebauthnVerb;
pub use workload::AdminWorkloadsVerb;
#[cfg(unix)]
pub use workload::{RunArgs, WorkloadVerb};

use clap::{ArgAction, ArgGroup, Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use landfall_client::words::{
    Attachment, DeviceName, Label, Role, Seconds, SecretName, Standing, TokenId, UserName,
};
use std::path::PathBuf;
use std::str::FromStr;

/// Landfall: your identity on this machine.
#[derive(Debug, Parser)]
#[command(name = "landfall", version, max_term_width = 100)]
#[command(after_help = HELP_TOP)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

const HELP_TOP: &str = "\
Lost a laptop? On this machine:
  landfall enroll                  type or paste the code that another device or an administrator made
  landfall secret get wifi         your secrets are here again
  landfall device lost old-laptop  cut the lost one off
Another device at hand that can sign in?
  landfall link                    shows a code here that you type there: landfall device link
No other device either? With a passkey, a printed sheet, or an administrator on the phone:
  landfall recover                 back in with nothing but your name and that

Exit codes: 0 done, 2 usage, 3 sign in, 4 step up, 5 refused, 6 not found, 7 conflict, 8 network,
9 server, 10 update needed, 11 Landfall's folder on this machine.";

/// What every verb takes.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct Global {
    /// Print one JSON document; errors as JSON on stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// Answer yes to questions
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// Use this server's profile (see `landfall doctor`)
    #[arg(long, value_name = "NAME", global = true, env = "LANDFALL_PROFILE")]
    pub server_profile: Option<String>,
    /// Open passkey pages with this command
    #[arg(long, value_name = "CMD", global = true)]
    pub browser: Option<String>,
    /// Do not open a browser here: show the page's address and ask for the code that it shows
    #[arg(long, global = true, conflicts_with = "browser")]
    pub no_browser: bool,
    /// Read the code that the page shows from stdin
    #[arg(long, value_name = "-", global = true, conflicts_with = "browser")]
    pub code: Option<Stdin>,
    /// Say what happens underneath (twice for more)
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// The one value that `--code` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stdin {
    /// Read it from stdin.
    #[value(name = "-")]
    Dash,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Become the first administrator of a new server
    #[command(
        after_help = "Examples:\n  landfall claim --user bert --device bert-laptop\n  landfall claim lf1.CODE --user bert --device bert-laptop --yes\n  landfall claim --user bert --device bert-laptop --roaming-authenticator"
    )]
    Claim(EnrollArgs),
    /// Make this machine yours, with a code from another device or an administrator
    #[command(
        after_help = "Leave the code out to be asked for it, or pipe it in: so it stays out of the shell's history.\nAn enrolment that was interrupted goes on with `landfall enroll` alone.\n\nExamples:\n  landfall enroll\n  landfall enroll lf1.CODE --yes\n  landfall enroll --user anna --device anna-phone lf1.CODE\n  landfall enroll --replace lf1.CODE\n  landfall enroll --provisioned build-7.age"
    )]
    Enroll(EnrollArgs),
    /// Make this machine yours, by another device of yours that is at hand
    #[command(
        after_help = "Shows a code to type on the other device (`landfall device link`), then six digits that both must\nshow. Asks for what it needs. It may be closed meanwhile: for ten minutes, `landfall link` alone\ngoes on.\n\nExamples:\n  landfall link\n  landfall link --server https://id.example.org --user bert --device bert-new"
    )]
    Link(LinkArgs),
    /// Get back in with no device at all: with a passkey, a recovery code, an administrator
    #[command(
        after_help = "Asks for what it needs. It may be closed at any time, also while somebody must approve:\n`landfall recover` alone goes on.\n\nExamples:\n  landfall recover\n  landfall recover --server https://id.example.org --user bert --device bert-new\n  landfall recover --server https://id.example.org --user bert --device bert-new --lost bert-laptop\n  landfall recover --with-passkey\n  landfall recover --mail --no-wait\n  landfall recover --mailed --no-wait\n  landfall recover --json"
    )]
    Recover(RecoverArgs),
    /// How much you could lose and still get back in, and what to do about it
    #[command(
        after_help = "Names and ways in are shown to you, not to whoever has this machine: with --full it asks for\nyour passkey first.\n\nExamples:\n  landfall readiness\n  landfall readiness --full"
    )]
    Readiness {
        /// Every way in and every single loss; takes your passkey
        #[arg(long)]
        full: bool,
    },
    /// Recovery codes, guardians, your own plan, drills, and recoveries that are under way
    #[command(subcommand)]
    Recovery(RecoveryVerb),
    /// Open a session; with --step-up, prove with a passkey that you are here
    #[command(
        after_help = "Examples:\n  landfall login\n  landfall login --step-up\n  landfall login --step-up --no-browser"
    )]
    Login {
        /// Use a passkey: good for ten minutes
        #[arg(long)]
        step_up: bool,
        /// Only this kind of passkey
        #[arg(long = "type", value_name = "platform|roaming", value_parser = attachment, requires = "step_up")]
        attachment: Option<Attachment>,
    },
    /// Close the sessions of this machine
    #[command(after_help = "Example:\n  landfall logout")]
    Logout,
    /// Who am I, on which device
    #[command(after_help = "Examples:\n  landfall whoami\n  landfall whoami --json")]
    Whoami,
    /// The server's line: what another machine types to find it, and to know that it is the one
    #[command(after_help = "Example:\n  landfall server")]
    Server,
    /// Your devices
    #[command(subcommand)]
    Device(DeviceVerb),
    /// Programs that act for you, and this machine's own
    #[command(subcommand)]
    Agent(AgentVerb),
    /// Everything that acts for you, under whatever let it in
    #[command(after_help = "Examples:\n  landfall tree\n  landfall tree --json")]
    Tree,
    /// Stop everything of your account at once, this machine too
    #[command(
        after_help = "The ways back in stay open. `landfall unfreeze` with a passkey ends it; so does an administrator.\n\nExample:\n  landfall freeze --yes"
    )]
    Freeze,
    /// End a freeze, with a passkey
    #[command(after_help = "Example:\n  landfall unfreeze")]
    Unfreeze,
    /// Codes that you have made
    #[command(subcommand)]
    Token(TokenVerb),
    /// Your passkeys
    #[command(subcommand)]
    Webauthn(WebauthnVerb),
    /// Your secrets
    #[command(subcommand)]
    Secret(SecretVerb),
    /// Print what a sealed file holds: it asks for the words that open it
    #[command(
        after_help = "Any age program opens such a file as well: age -d build-7.age\n\nExamples:\n  landfall reveal build-7.age"
    )]
    Reveal {
        /// The file
        file: PathBuf,
    },
    /// For administrators
    #[command(subcommand)]
    Admin(AdminVerb),
    /// Where a pod or a CI job runs: its SPIFFE identity
    #[cfg(unix)]
    #[command(subcommand)]
    Workload(WorkloadVerb),
    /// What happened to your account, newest first, and where that is mailed to
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "New devices, passkeys that came or went, what was cut off: what you must hear of.\n\nExamples:\n  landfall notices\n  landfall notices --limit 5 --json\n  landfall notices add bert@example.org\n  landfall notices confirm XXXX-XXXX"
    )]
    Notices(NoticesArgs),
    /// Who did what, newest first
    #[command(
        after_help = "Examples:\n  landfall audit\n  landfall audit --outcome deny --limit 20\n  landfall audit --tenant --user bert"
    )]
    Audit(AuditArgs),
    /// Find out what stands in the way on this machine
    #[command(after_help = "Examples:\n  landfall doctor\n  landfall doctor --json")]
    Doctor,
    /// Print completions for a shell
    #[command(after_help = "Example:\n  landfall completions bash")]
    Completions {
        /// Which shell
        shell: Shell,
    },
}

#[derive(Debug, ClapArgs)]
pub struct EnrollArgs {
    /// The code, beginning with lf1. (better asked for or piped in than typed here)
    pub token: Option<String>,
    /// Your user name, where the code leaves it open
    #[arg(long)]
    pub user: Option<UserName>,
    /// This machine's name, where the code leaves it open
    #[arg(long)]
    pub device: Option<DeviceName>,
    /// What you call this machine ("Bert's blue laptop")
    #[arg(long)]
    pub label: Option<Label>,
    /// Replace the identity that this machine has on that server
    #[arg(long)]
    pub replace: bool,
    /// Register the security key that you carry as your way in, at once
    #[arg(long)]
    pub roaming_authenticator: bool,
    /// Make this machine one that stands for itself, with the file that an operator had made for it
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["token", "user", "device", "label", "roaming_authenticator"]
    )]
    pub provisioned: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// The codes that you have made, and who used them
    #[command(after_help = "Example:\n  landfall token list")]
    List,
    /// Withdraw a code
    #[command(after_help = "Example:\n  landfall token cancel 00000000000000000000000000")]
    Cancel {
        /// Its name, from `landfall token list`
        #[arg(value_parser = listed::<TokenId>)]
        id: TokenId,
    },
}

#[derive(Debug, Subcommand)]
pub enum SecretVerb {
    /// Keep a value: asked for, piped in, or from a file
    #[command(
        after_help = "Examples:\n  landfall secret set wifi\n  landfall secret set db/main --file password.txt"
    )]
    Set {
        /// Its name
        name: SecretName,
        /// Read the value from this file
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// Print a value, exactly as it was kept
    #[command(
        after_help = "Examples:\n  landfall secret get wifi\n  landfall secret get db/main --version 3"
    )]
    Get {
        /// Its name
        name: SecretName,
        /// An older version
        #[arg(long)]
        version: Option<u64>,
    },
    /// Your secrets, without their values
    #[command(after_help = "Example:\n  landfall secret list")]
    List,
    /// A secret's versions, without their values
    #[command(after_help = "Example:\n  landfall secret versions wifi")]
    Versions {
        /// Its name
        name: SecretName,
    },
    /// Delete one version, or all of them
    #[command(
        group = ArgGroup::new("which").required(true).args(["version", "all_versions"]),
        after_help = "Examples:\n  landfall secret delete wifi --version 3\n  landfall secret delete wifi --all-versions"
    )]
    Delete {
        /// Its name
        name: SecretName,
        /// This version
        #[arg(long)]
        version: Option<u64>,
        /// Everything; takes a passkey
        #[arg(long)]
        all_versions: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum AdminVerb {
    /// Invite a new user
    #[command(
        after_help = "Examples:\n  landfall admin invite anna\n  landfall admin invite anna --device anna-phone --role admin --ttl 3d\n  landfall admin invite tom --role operator"
    )]
    Invite {
        /// The new user's name; it stays for ever
        user: UserName,
        /// Their first machine's name; they choose when left out
        #[arg(long)]
        device: Option<DeviceName>,
        /// What they may do: member, auditor, operator or admin
        #[arg(long, value_name = "ROLE", value_parser = role, default_value = "member")]
        role: Role,
        /// How long the code can be used: 1h, 3d
        #[arg(long, value_parser = duration)]
        ttl: Option<Seconds>,
    },
    /// The people of this tenant
    #[command(after_help = "Example:\n  landfall admin users")]
    Users,
    /// The devices of this tenant, or of one user
    #[command(
        after_help = "Examples:\n  landfall admin devices\n  landfall admin devices --user bert\n  landfall admin devices suspend bert bert-laptop\n  landfall admin devices revoke bert bert-laptop"
    )]
    Devices {
        /// Only this user's
        #[arg(long)]
        user: Option<UserName>,
        #[command(subcommand)]
        act: Option<AdminDeviceVerb>,
    },
    /// Who has lost every device and asks to come back
    #[command(subcommand)]
    Recoveries(AdminRecoveryVerb),
    /// Who could lose what and still get back in; whether an administrator always can
    #[command(
        after_help = "Examples:\n  landfall admin readiness\n  landfall admin readiness --full\n  landfall admin readiness --standing one-loss-away"
    )]
    Readiness {
        /// Which single loss locks whom out; takes your passkey
        #[arg(long)]
        full: bool,
        /// Only those who stand like this
        #[arg(long, value_name = "STANDING", value_parser = standing)]
        standing: Option<Standing>,
    },
    /// Machines that stand for themselves, and their keys
    #[command(subcommand)]
    Provisioned(ProvisionedVerb),
    /// Platforms whose pods and CI jobs are let in
    #[command(subcommand)]
    WorkloadIssuers(AdminWorkloadsVerb),
    /// Stop somebody's account: nothing of theirs works, and no way back in, until an administrator ends it
    #[command(after_help = "Example:\n  landfall admin freeze bert")]
    Freeze {
        /// Whose
        user: UserName,
    },
    /// End somebody's freeze
    #[command(after_help = "Example:\n  landfall admin unfreeze bert")]
    Unfreeze {
        /// Whose
        user: UserName,
    },
    /// What everybody in this tenant did
    #[command(
        after_help = "Examples:\n  landfall admin audit --outcome deny\n  landfall admin audit --kind workload --since 2026-11-21T00:00:00Z\n  landfall admin audit --behalf spiffe://example.org/tenant/home/user/bert\n  landfall admin audit --format ocsf"
    )]
    Audit(AuditFilterArgs),
    /// What people may do in this tenant
    #[command(subcommand)]
    Role(AdminRoleVerb),
    /// This tenant's own rules: who may try what
    #[command(subcommand)]
    Policy(PolicyVerb),
}

#[derive(Debug, Subcommand)]
pub enum AdminRoleVerb {
    /// Give somebody another role; takes a touch for exactly that
    #[command(
        after_help = "Examples:\n  landfall admin role set bert operator\n  landfall admin role set anna member"
    )]
    Set {
        /// Whom
        user: UserName,
        /// Which: member, auditor (reads), operator (machines) or admin (everything)
        #[arg(value_parser = role)]
        role: Role,
    },
}

#[derive(Debug, Subcommand)]
pub enum AdminDeviceVerb {
    /// Cut somebody's device off for now
    Suspend {
        /// Whose
        user: UserName,
        /// Its name
        device: DeviceName,
    },
    /// Let it work again
    Resume {
        /// Whose
        user: UserName,
        /// Its name
        device: DeviceName,
    },
    /// Cut it off for ever
    Revoke {
        /// Whose
        user: UserName,
        /// Its name
        device: DeviceName,
    },
}

fn attachment(text: &str) -> Result<Attachment, String> {
    Attachment::parse(text).ok_or_else(|| "it is `platform` or `roaming`".to_owned())
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "it is member, auditor, operator or admin".to_owned())
}

fn standing(text: &str) -> Result<Standing, String> {
    [Standing::LockedOut, Standing::OneLossAway, Standing::Ready]
        .into_iter()
        .find(|standing| standing.as_str() == text)
        .ok_or_else(|| "it is locked-out, one-loss-away or ready".to_owned())
}

/// The name of a row, which nobody types by heart.
fn listed<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "copy it from the list: it has 26 letters and digits".to_owned())
}

/// `90s`, `10m`, `2h`, `3d`.
fn duration(text: &str) -> Result<Seconds, String> {
    let wrong = || "write it like 90s, 10m, 2h or 3d".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let each = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match number.checked_mul(each) {
        Some(0) => Err("that is no time at all; the least is 1s".to_owned()),
        Some(seconds) => Ok(Seconds(seconds)),
        None => Err("that is longer than anything lasts here".to_owned()),
    }
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
