//! `landfall`: a terminal shell over the client.

mod app;
mod args;
mod clock;
mod exit;
mod output;
mod qr;
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
use std::process::ExitCode;

fn main() -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    let output = Output::new(wants_json);
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) if error.kind() == ErrorKind::DisplayHelp || !error.use_stderr() => {
            // Help and version go where they were asked for.
            let _ = error.print();
            return ExitCode::SUCCESS;
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
    match run(args, &output) {
        Ok(code) => code,
        Err(failure) => {
            output.failure(&failure);
            exit::code_of(&failure)
        }
    }
}

fn run(args: Args, output: &Output) -> Result<ExitCode, Failure> {
    if let args::Verb::Completions { shell } = args.verb {
        return verbs::completions(shell).map(|()| ExitCode::SUCCESS);
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))?;
    let app = App::new(args.global, output.clone())?;
    let result = runtime.block_on(verbs::run(&app, args.verb));
    // A prompt that nobody answers must not keep the process alive.
    runtime.shutdown_background();
    let answer = result?;
    let code = match &answer {
        Answer::Unwell { code, .. } => exit::code_for(*code),
        Answer::Text { .. } | Answer::Raw { .. } => ExitCode::SUCCESS,
    };
    output.done(answer)?;
    Ok(code)
}

/// Logs go to stderr, and only when asked for; they hold no secrets.
fn trace(verbose: u8) {
    let filter = match verbose {
        // The problem that follows tells what the platform's verifier would.
        0 => "error,rustls_platform_verifier=off",
        1 => "landfall_client=debug",
        _ => "landfall_client=trace,rustls=debug,reqwest=debug",
    };
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
