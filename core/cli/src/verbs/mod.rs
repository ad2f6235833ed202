//! The verbs: each asks the client and words the answer.

mod account;
mod admin;
mod aftermath;
mod agent;
mod audit;
mod device;
mod doctor;
mod enroll;
mod guardians;
mod link;
mod notices;
mod policy;
mod provisioned;
mod readiness;
mod recover;
mod recovery;
mod secret;
mod token;
mod tree;
mod under_way;
mod webauthn;
#[cfg(unix)]
pub mod workload;
mod workload_issuers;

use crate::app::App;
use crate::args::{Args, Verb};
use crate::output::Answer;
use clap::CommandFactory;
use clap_complete::Shell;
use landfall_client::Failure;
#[cfg(unix)]
use landfall_protocol::ErrorCode;
use serde_json::json;

pub use doctor::without_folder;

/// Does what was typed.
pub async fn run(app: &App, verb: Verb) -> Result<Answer, Failure> {
    match verb {
        Verb::Claim(args) => enroll::claim(app, args).await,
        Verb::Enroll(args) => enroll::enroll(app, args).await,
        Verb::Login { step_up, attachment } => account::login(app, step_up, attachment).await,
        Verb::Logout => account::logout(app).await,
        Verb::Server => account::server(app),
        Verb::Whoami => account::whoami(app).await,
        Verb::Freeze => account::freeze(app).await,
        Verb::Unfreeze => account::unfreeze(app).await,
        Verb::Link(args) => link::link(app, args).await,
        Verb::Recover(args) => recover::recover(app, args).await,
        Verb::Readiness { full } => readiness::readiness(app, full).await,
        Verb::Recovery(verb) => recovery::run(app, verb).await,
        Verb::Device(verb) => device::run(app, verb).await,
        Verb::Agent(verb) => agent::run(app, verb).await,
        Verb::Tree => tree::tree(app).await,
        Verb::Token(verb) => token::run(app, verb).await,
        Verb::Webauthn(verb) => webauthn::run(app, verb).await,
        Verb::Secret(verb) => secret::run(app, verb).await,
        Verb::Reveal { file } => provisioned::open(app, &file),
        Verb::Admin(verb) => admin::run(app, verb).await,
        Verb::Notices(args) => notices::run(app, args).await,
        Verb::Audit(args) => audit::audit(app, args).await,
        Verb::Doctor => doctor::doctor(app).await,
        Verb::Completions { shell } => completions(shell),
        // Taken before there is an app.
        #[cfg(unix)]
        Verb::Workload(_) => Err(Failure::new(ErrorCode::Internal, "it needs no folder")),
    }
}

/// Completions. Needs no folder, no server and no identity.
pub fn completions(shell: Shell) -> Result<Answer, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "landfall", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Answer::new(&json!({ "shell": shell.to_string(), "script": script }), script)
}
