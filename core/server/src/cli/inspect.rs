//! Commands that look, and the small ones that set right.

use super::claim::beside;
use super::{EraseArgs, VerifyArgs, say};
use crate::audit::journal::JOURNAL_FILE;
use crate::audit::verify::{Exported, verify};
use crate::config::Config;
use crate::directory::{DataDirectory, database_in};
use crate::failure::Failure;
use crate::keys::{AUDIT_PUBLIC, audit_public_key};
use crate::store::archive::{fold_log, snapshot_of_this_build};
use crate::store::{Store, Tx, outbox};
use landfall_crypto::ambient::Ambient;
use landfall_identity::Refusal;
use landfall_protocol::At;
use std::error::Error;
use std::fs::File;

/// Deliveries that `outbox` shows.
const SHOWN_MAX: u32 = 50;

/// `migrate`.
pub(super) async fn migrate(config: &Config) -> Result<(), Box<dyn Error>> {
    let directory = DataDirectory::open(&config.data_dir)?;
    let store = Store::open(&directory.database()).await?;
    store.close().await;
    say(format_args!("The database in {} is up to date.", config.data_dir.display()))?;
    Ok(())
}

/// `outbox`. It reads: the server may run meanwhile.
pub(super) async fn outbox(config: &Config) -> Result<(), Box<dyn Error>> {
    let database = DataDirectory::attach(&config.data_dir)?.database();
    let look = async |tx: &mut Tx<'_>| {
        Ok((outbox::standing(tx).await?, outbox::troubles(tx, SHOWN_MAX).await?))
    };
    let ((waiting, given_up), troubles) = snapshot_of_this_build(&database, look).await?;
    say(format_args!("{waiting} wait, {given_up} were given up within a month."))?;
    for trouble in &troubles {
        let next = match trouble.due_at {
            Some(due) => format!("again at {}", At(due).to_text().unwrap_or_default()),
            None => "given-up".to_owned(),
        };
        say(format_args!(
            "\n{} {} to {}: {} of {}\n  tried {} times, {next}\n  {}",
            trouble.channel,
            trouble.id,
            trouble.recipient,
            trouble.kind,
            trouble.user,
            trouble.attempts,
            trouble.fault
        ))?;
    }
    Ok(())
}

/// `audit verify`. It reads: the server may run meanwhile.
pub(super) async fn verify_audit(config: &Config, args: &VerifyArgs) -> Result<(), Box<dyn Error>> {
    let root = &config.data_dir;
    DataDirectory::attach(root)?;
    // A name that was mistyped says nothing about the log.
    for (flag, file) in [("--checkpoints", &args.checkpoints), ("--key", &args.key)] {
        if let Some(file) = file
            && let Err(error) = File::open(file)
        {
            let file = file.display();
            return Err(
                format!("{flag} {file} cannot be read: {error}. Nothing was verified").into()
            );
        }
    }
    let kind = if args.checkpoints.is_some() { Exported::Copy } else { Exported::Own };
    let checkpoints = args.checkpoints.clone().unwrap_or_else(|| root.join(JOURNAL_FILE));
    let key = args.key.clone().unwrap_or_else(|| root.join(AUDIT_PUBLIC));
    let key = audit_public_key(&key)?;
    let found = verify(&database_in(root), &checkpoints, kind, &key).await?;
    say(&found)?;
    if args.checkpoints.is_none() {
        say(
            "This compared the log with the checkpoint file beside it. What was cut off both is shown only \
             by a copy of that file that was kept elsewhere: audit verify --checkpoints FILE",
        )?;
    }
    if found.is_sound() { Ok(()) } else { Err("the audit log is not as it was signed".into()) }
}

/// `clock confirm`, by the clock of `ambient`. Answers what the operator is told.
///
/// # Errors
/// The directory is no server's, or its database cannot be written.
pub async fn confirm_clock(config: &Config, ambient: Ambient) -> Result<String, Box<dyn Error>> {
    let service = beside(config, ambient).await?;
    let stood = service.waits_stand_at().await?;
    let now = At(service.confirm_clock().await?).to_text().unwrap_or_default();
    Ok(match stood.and_then(|at| At(at).to_text()) {
        Some(stood) => format!(
            "It is {now}, and that is right. What waits stood still at {stood} and goes on now."
        ),
        None => format!("It is {now}, and that is right. Nothing had to wait."),
    })
}

/// `policy clear`. The server may run meanwhile, and hears of it.
pub(super) async fn clear_policy(config: &Config) -> Result<(), Box<dyn Error>> {
    match beside(config, Ambient::system()).await?.clear_policy().await? {
        true => say("The tenant's own rules are gone; the floors and the shipped ones hold.")?,
        false => say("The tenant has no rules of its own. Nothing was changed.")?,
    }
    Ok(())
}

/// `audit erase`. The server may run meanwhile.
pub(super) async fn erase_personal(
    config: &Config,
    args: &EraseArgs,
) -> Result<(), Box<dyn Error>> {
    let service = beside(config, Ambient::system()).await?;
    let rows = match service.erase_personal(&args.user).await {
        Ok(rows) => rows,
        Err(Failure::Refused(Refusal::NotFound)) => {
            return Err(format!("there is no user {}; check the name", args.user).into());
        }
        Err(failure) => return Err(failure.into()),
    };
    let folded = fold_log(&database_in(&config.data_dir)).await?;
    say(format_args!(
        "Source addresses and user agents of {rows} audit rows of {} are gone. What happened stays on \
         record, and `landfall-server audit verify` still vouches for it.",
        args.user
    ))?;
    if !folded {
        say(
            "Copies stay in the database's log until the server has a quiet moment; run this again \
             then, or restart the server.",
        )?;
    }
    Ok(())
}
