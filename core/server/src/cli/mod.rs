//! The operator's commands.

mod break_glass;
mod check;
mod claim;
mod inspect;
mod serve;

pub use break_glass::break_glass;
pub use inspect::confirm_clock;

use crate::config::{Config, Flags};
use clap::{Args, Parser, Subcommand};
use landfall_crypto::ambient::Ambient;
use landfall_identity::{DeviceName, UserName};
use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Landfall's server: one identity system for people, devices, workloads and agents.
#[derive(Parser)]
#[command(name = "landfall-server", version, arg_required_else_help = true)]
#[command(
    after_help = "Every key of the configuration can also be set as LANDFALL_<KEY>, and most \
often used ones by flags; flags win over variables, variables over the file.\n\n\
Try it on this machine:\n  landfall-server serve --data-dir ./landfall-data --localhost-listen 127.0.0.1:8480"
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
struct Common {
    /// The configuration file (TOML).
    #[arg(long, global = true, value_name = "FILE", env = "LANDFALL_CONFIG")]
    config: Option<PathBuf>,
    /// Where everything is kept: database, keys, audit checkpoints. Made with mode 0700.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT.
    Serve(ServeArgs),
    /// Bring the database up to this build, without serving. `serve` does so too.
    Migrate,
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Make a fresh claim token, for the first administrator. Works while the server runs.
    ClaimToken,
    /// No administrator can get in: make one code that lets one in, for an hour. Every administrator
    /// hears of it. Works while the server runs, for the user who owns the data directory.
    #[command(after_help = "Examples:\n  landfall-server break-glass ana --device ana-new\n  \
landfall-server break-glass rescue --new")]
    BreakGlass(BreakGlassArgs),
    /// Mails and calls of webhooks that wait or were given up, with what they met. Works while the server
    /// runs.
    Outbox,
    /// The server's clock.
    #[command(subcommand)]
    Clock(ClockCommand),
    /// The tenant's own rules.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// The audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
}

/// How to serve.
#[derive(Args)]
pub(crate) struct ServeArgs {
    /// The HTTPS address; port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Also serve passkey pages at http://localhost, on this loopback address. For use on one
    /// machine; browsers accept passkeys there without a certificate.
    #[arg(long, value_name = "ADDR")]
    localhost_listen: Option<SocketAddr>,
    /// Serve metrics (Prometheus, plain HTTP) on this address.
    #[arg(long, value_name = "ADDR")]
    metrics_listen: Option<SocketAddr>,
    /// When ready, print one line of JSON instead of text.
    #[arg(long)]
    json: bool,
    /// Put the claim token into the JSON line. Whoever reads it becomes the administrator.
    #[arg(long, requires = "json")]
    show_claim_token: bool,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Check the configuration, and say what follows from it: addresses, trust domain, and whether
    /// passkeys can work in browsers.
    Check,
    /// Say which rules of NIST SP 800-63B-4 on recovery this configuration keeps, on one page.
    Nist {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Whom an emergency code lets in.
#[derive(Args)]
struct BreakGlassArgs {
    /// The administrator.
    user: UserName,
    /// What their new device will be called.
    #[arg(long, value_name = "DEVICE", required_unless_present = "new", conflicts_with = "new")]
    device: Option<DeviceName>,
    /// Make an administrator of this name, who is not there yet.
    #[arg(long)]
    new: bool,
    /// Stop this account with it, as an administrator can: against one who would answer the code with a freeze.
    /// Can be given several times.
    #[arg(long, value_name = "USER")]
    stop: Vec<UserName>,
}

#[derive(Subcommand)]
enum ClockCommand {
    /// The clock is right: let what waits go on after it jumped.
    Confirm,
}

#[derive(Subcommand)]
enum PolicyCommand {
    /// Take all of them away: for rules that lock everybody out. The floors and the shipped rules stay.
    /// Works while the server runs, which hears of it within a second.
    Clear,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Recompute the audit log, and say what was edited, removed, moved or cut off. Works while the
    /// server runs; fails when anything is wrong.
    Verify(VerifyArgs),
    /// Erase source addresses and user agents from all audit rows of a user, for good. What happened
    /// stays, and so does the proof that nothing else was changed. Works while the server runs.
    Erase(EraseArgs),
}

/// What to verify against.
#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// The exported checkpoints: better a copy that was kept elsewhere. Defaults to the server's own.
    #[arg(long, value_name = "FILE")]
    checkpoints: Option<PathBuf>,
    /// The public audit key (PEM): better a copy that was kept elsewhere. Defaults to the server's.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Whose.
#[derive(Args)]
pub(crate) struct EraseArgs {
    /// The user.
    #[arg(long, value_name = "NAME")]
    user: UserName,
}

/// The exit code for a command line that cannot be read.
const USAGE: u8 = 2;

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if json && error.use_stderr() => {
            let text = error.to_string();
            let first = text.split("\n\n").next().unwrap_or_default();
            let _ = complain(first.trim_start_matches("error: "), json);
            return ExitCode::from(USAGE);
        }
        Err(error) => error.exit(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.to_string(), json),
    };
    match runtime.block_on(cli.execute()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error.to_string(), json),
    }
}

impl Cli {
    async fn execute(self) -> Result<(), Box<dyn Error>> {
        match self.command {
            Command::Serve(args) => serve::serve(self.common.config(Some(&args))?, &args).await,
            Command::Migrate => inspect::migrate(&self.common.config(None)?).await,
            Command::Config(ConfigCommand::Check) => {
                check::check(&self.common.config(None)?, self.common.config.as_deref()).await
            }
            Command::Config(ConfigCommand::Nist { json }) => {
                check::nist(&self.common.config(None)?, json)
            }
            Command::BreakGlass(args) => break_glass::run(&self.common.config(None)?, args).await,
            Command::Outbox => inspect::outbox(&self.common.config(None)?).await,
            Command::ClaimToken => claim::claim_token(&self.common.config(None)?).await,
            Command::Audit(AuditCommand::Verify(args)) => {
                inspect::verify_audit(&self.common.config(None)?, &args).await
            }
            Command::Audit(AuditCommand::Erase(args)) => {
                inspect::erase_personal(&self.common.config(None)?, &args).await
            }
            Command::Policy(PolicyCommand::Clear) => {
                inspect::clear_policy(&self.common.config(None)?).await
            }
            Command::Clock(ClockCommand::Confirm) => {
                let config = self.common.config(None)?;
                Ok(say(confirm_clock(&config, Ambient::system()).await?)?)
            }
        }
    }
}

impl Common {
    fn config(&self, serve: Option<&ServeArgs>) -> Result<Config, Box<dyn Error>> {
        let flags = Flags {
            data_dir: self.data_dir.clone(),
            listen: serve.and_then(|args| args.listen),
            localhost_listen: serve.and_then(|args| args.localhost_listen),
            metrics_listen: serve.and_then(|args| args.metrics_listen),
        };
        Ok(Config::load(self.config.as_deref(), std::env::vars(), &flags)?)
    }
}

/// Writes to standard output; a reader that has gone away is no error of ours.
fn say(text: impl std::fmt::Display) -> io::Result<()> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| {
            io::Error::other(format!(
                "standard output does not take what there is to say: {error}. What was asked for may be \
                 done all the same; give it somewhere to write to, and run it again"
            ))
        }),
    }
}

fn complain(error: &str, json: bool) -> ExitCode {
    // There is nowhere else to say it when standard error is gone.
    let _ = match json {
        true => writeln!(io::stderr(), "{}", serde_json::json!({ "error": error })),
        false => writeln!(io::stderr(), "landfall-server: {error}"),
    };
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_claim_token_is_shown_only_in_json() {
        let wrong = ["landfall-server", "serve", "--data-dir", "/x", "--show-claim-token"];
        assert!(Cli::try_parse_from(wrong).is_err());
    }

    #[test]
    fn the_example_of_the_help_works() {
        let help = Cli::command().render_long_help().to_string();
        let example =
            help.lines().rev().find(|line| line.contains("landfall-server serve")).unwrap();
        assert!(Cli::try_parse_from(example.split_whitespace()).is_ok());
    }
}
