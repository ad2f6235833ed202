//! The emergency code, for whoever sits at the server.

use super::claim::{beside, show_glass};
use super::{BreakGlassArgs, say};
use crate::config::Config;
use crate::directory::{self, DataDirectory};
use crate::failure::Failure;
use crate::service::GlassFor;
use crate::telemetry;
use landfall_crypto::ambient::Ambient;
use landfall_crypto::secret::SecretText;
use landfall_identity::{DeviceName, Refusal, UserName};
use std::error::Error;
use std::io::IsTerminal;

/// The file that the code goes to when nobody looks at a terminal.
const GLASS_FILE: &str = "break-glass-token.txt";

/// `break-glass`: makes one and shows it. The server may run meanwhile.
pub(super) async fn run(config: &Config, args: BreakGlassArgs) -> Result<(), Box<dyn Error>> {
    telemetry::init_logs(config)?;
    let BreakGlassArgs { user, device, new: _ } = args;
    let code = break_glass(config, Ambient::system(), user.clone(), device).await?;
    if std::io::stdout().is_terminal() {
        return show_glass(&code, &user);
    }
    let path = config.data_dir.join(GLASS_FILE);
    directory::write_private(&path, format!("{}\n", code.as_str()).as_bytes())?;
    say(format_args!(
        "The code for the administrator {user} is in {}, for 60 minutes, and works once. Every \
         administrator is told.",
        path.display()
    ))?;
    Ok(())
}

/// Makes the code, by the clock of `ambient`: for an administrator there is, on a new device, or for a
/// new one.
///
/// # Errors
/// The directory is not the caller's own, or is no server's; whom it cannot be made for.
pub async fn break_glass(
    config: &Config,
    ambient: Ambient,
    user: UserName,
    device: Option<DeviceName>,
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
    match service.break_glass(whom).await {
        Ok(code) => {
            tracing::warn!(%user, "an emergency code was made; every administrator is told");
            Ok(code)
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
