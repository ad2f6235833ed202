//! `landfall`: a terminal shell over the client.

mod app;
mod args;
mod clock;
mod exit;
mod hidden;
mod keyboard;
mod output;
mod qr;
mod security_key;
mod terminal;
mod texts;
mod verbs;

use app::App;
use args::Args;
use clap::Parser;
use clap::error::ErrorKind;
use landfall_client::Failure;
use landfall_protocol::ErrorCode;
use output::{Answer, Output};
use serde_json::json;
use std::process::ExitCode;

fn main() -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    let output = Output::new(wants_json);
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) if error.kind() == ErrorKind::DisplayHelp || !error.use_stderr() => {
            // Help and version go where they were asked for, in the form that was asked for.
            let what = match error.kind() {
                ErrorKind::DisplayVersion => json!({ "version": env!("CARGO_PKG_VERSION") }),
                _ => json!({ "help": error.to_string() }),
            };
            let printed = match wants_json {
                true => output.done(Answer::Text { json: what, text: String::new() }),
                false => output.help(&error),
            };
            return finished(&output, printed.map(|()| ExitCode::SUCCESS));
        }
        Err(error) if wants_json => {
            output
                .failure(&Failure::new(ErrorCode::InvalidField, texts::usage(&error.to_string())));
            return exit::usage();
        }
        Err(error) => {
            let _ = error.print();
            return exit::usage();
        }
    };
    trace(args.global.verbose);
    finished(&output, run(args, &output))
}

/// The exit code; a failure is told.
fn finished(output: &Output, result: Result<ExitCode, Failure>) -> ExitCode {
    result.unwrap_or_else(|failure| {
        output.failure(&failure);
        exit::code_of(&failure)
    })
}

fn run(args: Args, output: &Output) -> Result<ExitCode, Failure> {
    if let args::Verb::Completions { shell } = args.verb {
        return answered(output, verbs::completions(shell)?);
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))?;
    #[cfg(unix)]
    if let args::Verb::Workload(verb) = args.verb {
        return runtime.block_on(verbs::workload::run(verb, output));
    }
    let app = match App::new(args.global, output.clone()) {
        Ok(app) => app,
        // Whoever looks for what is wrong is told in the form that they asked for.
        Err(failure) if matches!(args.verb, args::Verb::Doctor) => {
            return answered(output, verbs::without_folder(&failure));
        }
        Err(failure) => return Err(failure),
    };
    let result = runtime.block_on(verbs::run(&app, args.verb));
    // A prompt that nobody answers must not keep the process alive.
    runtime.shutdown_background();
    answered(output, result?)
}

/// Prints an answer, and says by the exit code what kind it is.
fn answered(output: &Output, answer: Answer) -> Result<ExitCode, Failure> {
    let code = match &answer {
        Answer::Unwell { code, .. } => exit::code_for(*code),
        Answer::Text { .. } | Answer::Once { .. } | Answer::Raw { .. } => ExitCode::SUCCESS,
    };
    output.done(answer)?;
    Ok(code)
}

/// Logs go to stderr, and only when asked for; they hold no secrets.
fn trace(verbose: u8) {
    let filter = match verbose {
        // The problem that follows tells what the platform's verifier would.
        // What the library says of a security key is told by us, and never with its messages.
        // What a workload's keeper says is all that anybody sees of it.
        0 => {
            "error,landfall_workload=info,rustls_platform_verifier=off,webauthn_authenticator_rs=off,fido_hid_rs=off"
        }
        1 => "landfall_client=debug,landfall_authenticator=debug,landfall_workload=debug",
        _ => "landfall_client=trace,landfall_authenticator=trace,rustls=debug,reqwest=debug",
    };
    // A line that cannot be written would be complained of where it cannot be written either.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .try_init();
}
