//! The claim token, for whoever sits at the terminal.

use super::say;
use crate::config::{Config, PublicUrl, Site};
use crate::connections::Registry;
use crate::directory::DataDirectory;
use crate::failure::Failure;
use crate::pki::RootKey;
use crate::service::Service;
use crate::start::{open_keys, settings};
use crate::store::{Store, Tx, meta};
use landfall_crypto::ambient::Ambient;
use landfall_crypto::secret::SecretText;
use landfall_identity::{Refusal, UserName};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use std::error::Error;
use std::io::IsTerminal;
use std::sync::Arc;
use terminal_size::{Width, terminal_size_of};

/// `claim-token`: makes one and shows it. The server may run meanwhile.
pub(super) async fn claim_token(config: &Config) -> Result<(), Box<dyn Error>> {
    let service = beside(config, Ambient::system()).await?;
    match service.issue_claim().await {
        Ok(token) => show(&token),
        Err(Failure::Refused(Refusal::AlreadyClaimed)) => {
            let admins = service.administrators().await?;
            Err(format!(
                "this server has an administrator already: {}. They let people in: landfall admin invite \
                 NAME. If none of them can get in any more: landfall-server break-glass NAME --device DEVICE",
                admins.join(", ")
            )
            .into())
        }
        Err(failure) => Err(failure.into()),
    }
}

/// The token as text and as a QR code.
pub(super) fn show(token: &SecretText) -> Result<(), Box<dyn Error>> {
    say(
        "\nThis server has no administrator yet. Whoever uses this token within 60 minutes becomes it:\n",
    )?;
    say(format_args!("  landfall claim {}\n", token.as_str()))?;
    if let Some(picture) = picture(token.as_str()) {
        say(picture)?;
    }
    Ok(())
}

/// An emergency code, as text and as a QR code.
pub(super) fn show_glass(text: &SecretText, whom: &UserName) -> Result<(), Box<dyn Error>> {
    say(format_args!(
        "\nWhoever uses this code within 60 minutes is the administrator {whom}. Every administrator is told.\n"
    ))?;
    say(format_args!("  landfall enroll {}\n", text.as_str()))?;
    if let Some(picture) = picture(text.as_str()) {
        say(picture)?;
    }
    Ok(())
}

/// The text as a QR code, where somebody sees it and its lines are not broken: black on white, because
/// not every camera reads the reverse.
fn picture(text: &str) -> Option<String> {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let drawn = code.render::<Dense1x2>().quiet_zone(true).build();
    let needed = drawn.lines().map(|line| line.chars().count()).max()?;
    let columns = terminal_size_of(stdout).map(|(Width(columns), _)| usize::from(columns));
    let lines = drawn.lines().map(|line| format!("\u{1b}[30;107m{line}\u{1b}[0m\n"));
    columns.is_none_or(|columns| needed <= columns).then(|| lines.collect())
}

/// The use cases on a directory whose server may be running. The database takes one writer at a time;
/// what is done here is short.
pub(super) async fn beside(config: &Config, ambient: Ambient) -> Result<Service, Box<dyn Error>> {
    let directory = DataDirectory::attach(&config.data_dir)?;
    let mut site = Site::new(config, config.listen, config.localhost_listen)?;
    let store = Store::open(&directory.database()).await?;
    let kept = store.read(async |tx: &mut Tx<'_>| meta::get(tx, meta::PUBLIC_URL).await).await?;
    store.close().await;
    if config.public_url.is_none()
        && let Some(kept) = kept
    {
        // The address that the server took when it last started, also when its port was a free one.
        site.url = PublicUrl::parse(&kept)?;
    }
    let keys = open_keys(config, &directory, &site, RootKey::AsItIs, &ambient).await?;
    let settings = Arc::new(settings(config, &site, None)?);
    // Connections live in the running server; it finds what to cut in the changes table.
    let cutter = Arc::new(Registry::default());
    Ok(Service::new(keys.store, keys.pki, settings, ambient, cutter))
}
