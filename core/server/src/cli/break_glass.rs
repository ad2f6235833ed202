//! The emergency code, for whoever sits at the server.

use super::claim::{beside, show_glass};
use super::{BreakGlassArgs, say};
use crate::config::Config;
use crate::directory::{self, DataDirectory, DirectoryError};
use crate::failure::Failure;
use crate::service::GlassFor;
use crate::telemetry;
use landfall_crypto::ambient::Ambient;
use landfall_crypto::secret::SecretText;
use landfall_identity::{DeviceName, Refusal, UserName};
use std::error::Error;
use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The most files for one administrator that lie in a directory.
const GLASS_FILES_MAX: usize = 99;

/// `break-glass`: makes one and shows it. The server may run meanwhile.
pub(super) async fn run(config: &Config, args: BreakGlassArgs) -> Result<(), Box<dyn Error>> {
    telemetry::init_logs(config)?;
    let BreakGlassArgs { user, device, new: _, stop } = args;
    let code = break_glass(config, Ambient::system(), user.clone(), device, stop).await?;
    if std::io::stdout().is_terminal() {
        return show_glass(&code, &user);
    }
    let path = keep(&config.data_dir, &user, &code)?;
    say(format_args!(
        "The code for the administrator {user} is in {}, for 60 minutes, and works once. Every \
         administrator is told.",
        path.display()
    ))?;
    Ok(())
}

/// Writes the code into a new file of this administrator's: one that lies there may be somebody's only way
/// in.
fn keep(folder: &Path, user: &UserName, code: &SecretText) -> Result<PathBuf, DirectoryError> {
    let text = Zeroizing::new(format!("{}\n", code.as_str()));
    let mut number = 1;
    loop {
        let path = folder.join(match number {
            1 => format!("break-glass-{user}.txt"),
            more => format!("break-glass-{user}-{more}.txt"),
        });
        match directory::write_new_private(&path, text.as_bytes()) {
            Err(DirectoryError::Unusable { source, .. })
                if source.kind() == ErrorKind::AlreadyExists && number < GLASS_FILES_MAX =>
            {
                number += 1;
            }
            Err(error) => return Err(error),
            Ok(()) => return Ok(path),
        }
    }
}

/// Makes the code, by the clock of `ambient`: for an administrator there is, on a new device, or for a
/// new one. `stops` are stopped with it.
///
/// # Errors
/// The directory is not the caller's own, or is no server's; whom it cannot be made for.
pub async fn break_glass(
    config: &Config,
    ambient: Ambient,
    user: UserName,
    device: Option<DeviceName>,
    stops: Vec<UserName>,
) -> Result<SecretText, Box<dyn Error>> {
    // Before anything is opened: the keys lie in there.
    DataDirectory::attach_own(&config.data_dir)?;
    let service = beside(config, ambient).await?;
    if service.is_unclaimed().await? {
        return Err(
            "this server has no administrator yet; landfall-server claim-token makes the code \
                    for the first one"
                .into(),
        );
    }
    let whom = match device {
        Some(device) => GlassFor::Existing { user: user.clone(), device },
        None => GlassFor::New { user: user.clone() },
    };
    match service.break_glass(whom, stops).await {
        Ok(code) => {
            tracing::warn!(%user, "an emergency code was made; every administrator is told");
            Ok(code)
        }
        Err(Failure::Refused(refusal @ Refusal::NobodyToStop { .. })) => {
            Err(format!("--stop: {refusal}").into())
        }
        Err(Failure::Refused(refusal)) => Err(explain(&refusal, user.as_str()).into()),
        Err(failure) => Err(failure.into()),
    }
}

fn explain(refusal: &Refusal, user: &str) -> String {
    match refusal {
        Refusal::NotFound => format!(
            "{user} is no administrator of this server. Name one who is, or a name that is new with --new"
        ),
        Refusal::UserExists => format!(
            "{user} exists. Give them a new device with --device DEVICE, if they are an administrator; \
             else choose a new name"
        ),
        Refusal::DeviceNameTaken => {
            "that device name was given before, and names are given once; choose another".to_owned()
        }
        other => other.to_string(),
    }
}
