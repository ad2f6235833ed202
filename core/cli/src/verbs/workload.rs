//! `workload run`: a program, and its identity kept fresh beside it. It needs no folder of Landfall's: a
//! container may have none that can be written.

use crate::args::{RunArgs, WorkloadVerb};
use crate::output::{Output, say};
use crate::texts;
use landfall_client::Failure;
use landfall_client::words::Ambient;
use landfall_protocol::ErrorCode;
use landfall_workload::{Identity, Keeper, Setup, Socket, serve};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};
use std::sync::Arc;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// Where SPIFFE clients look for the Workload API (SPIFFE Workload Endpoint, section 4).
const ENDPOINT: &str = "SPIFFE_ENDPOINT_SOCKET";
/// What a shell adds to the number of the signal that ended a program.
const BY_SIGNAL: u8 = 128;

/// Runs the verb to its end, and yields the exit code.
pub async fn run(verb: WorkloadVerb, output: &Output) -> Result<ExitCode, Failure> {
    let WorkloadVerb::Run(args) = verb;
    let RunArgs { server, token_file, socket, program } = args;
    let socket = Socket::bind(socket.as_deref())?;
    let (keeper, identity) =
        match begun(Setup { server, token_file, ambient: Ambient::system() }).await {
            Ok(begun) => begun,
            Err(failure) => {
                socket.discard();
                return Err(failure);
            }
        };
    let address = socket.address();
    let spiffe_id = identity.spiffe_id.to_string();
    // The program's own words are on stdout.
    match output.is_json() {
        true => say(&json!({ "spiffe_id": spiffe_id, "socket": address }).to_string()),
        false => say(&texts::workload_ready(&spiffe_id, &address)),
    }
    let serving = serve(socket, keeper);
    let code = match program.split_first() {
        None => until_stopped().await,
        Some((program, words)) => beside(program, words, &address).await,
    };
    serving.shutdown().await;
    code
}

/// A keeper that holds an identity: without one there is nothing to serve.
async fn begun(setup: Setup) -> Result<(Arc<Keeper>, Arc<Identity>), Failure> {
    let keeper = Arc::new(Keeper::new(setup)?);
    let identity = keeper.renew().await?;
    Ok((keeper, identity))
}

/// Waits for a signal to stop.
async fn until_stopped() -> Result<ExitCode, Failure> {
    let mut end = hear(SignalKind::terminate())?;
    let mut interrupt = hear(SignalKind::interrupt())?;
    tokio::select! {
        _ = end.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the program, and hands on the signals that are meant for it.
async fn beside(
    program: &OsString,
    words: &[OsString],
    address: &str,
) -> Result<ExitCode, Failure> {
    let mut end = hear(SignalKind::terminate())?;
    let mut interrupt = hear(SignalKind::interrupt())?;
    let mut hangup = hear(SignalKind::hangup())?;
    let mut quit = hear(SignalKind::quit())?;
    // A terminal tells the program itself.
    let told = std::io::stdin().is_terminal();
    let spawned =
        Command::new(program).args(words).env(ENDPOINT, address).kill_on_drop(true).spawn();
    let mut child = spawned.map_err(|error| {
        let detail = format!("{}: {error}. Check how it is written.", program.display());
        Failure::new(ErrorCode::ProgramUnusable, detail)
    })?;
    loop {
        let sent = tokio::select! {
            status = child.wait() => return status.map(exit_of).map_err(internal),
            _ = end.recv() => Signal::SIGTERM,
            _ = hangup.recv() => Signal::SIGHUP,
            _ = interrupt.recv() => Signal::SIGINT,
            _ = quit.recv() => Signal::SIGQUIT,
        };
        if !(told && matches!(sent, Signal::SIGINT | Signal::SIGQUIT)) {
            hand_on(&child, sent);
        }
    }
}

/// Hands a signal on. A program that has just ended does not hear it.
fn hand_on(child: &Child, sent: Signal) {
    if let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) {
        let _ = kill(Pid::from_raw(id), sent);
    }
}

/// The program's own exit code, as a shell would say it.
fn exit_of(status: ExitStatus) -> ExitCode {
    let by_signal = || {
        let number = status.signal().and_then(|number| u8::try_from(number).ok()).unwrap_or(1);
        BY_SIGNAL.saturating_add(number)
    };
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or_else(by_signal))
}

fn hear(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind).map_err(internal)
}

fn internal(error: std::io::Error) -> Failure {
    Failure::new(ErrorCode::Internal, error.to_string())
}
