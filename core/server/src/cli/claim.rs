//! The claim token, for whoever sits at the terminal.

use super::say;
use crate::config::{Config, PublicUrl, Site};
use crate::connections::Registry;
use crate::directory::DataDirectory;
use crate::pki::RootKey;
use crate::service::Service;
use crate::start::{open_keys, settings};
use crate::store::{Store, Tx, meta};
use landfall_crypto::ambient::Ambient;
use landfall_crypto::secret::SecretText;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use std::error::Error;
use std::sync::Arc;

/// `claim-token`: makes one and shows it. The server may run meanwhile.
pub(super) async fn claim_token(config: &Config) -> Result<(), Box<dyn Error>> {
    let service = beside(config).await?;
    let token = service.issue_claim().await?;
    show(&token)
}

/// The token as text and as a QR code.
pub(super) fn show(token: &SecretText) -> Result<(), Box<dyn Error>> {
    say(
        "\nThis server has no administrator yet. Whoever uses this token within 60 minutes becomes it:\n",
    )?;
    say(format_args!("  landfall claim {}\n", token.as_str()))?;
    if let Ok(code) = QrCode::new(token.as_str()) {
        let picture = code.render::<Dense1x2>().quiet_zone(true).build();
        say(picture)?;
    }
    Ok(())
}

/// The use cases on a directory whose server may be running. The database takes one writer at a time;
/// what is done here is short.
pub(super) async fn beside(config: &Config) -> Result<Service, Box<dyn Error>> {
    let ambient = Ambient::system();
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
    let settings = Arc::new(settings(config, &site)?);
    // Connections live in the running server; it finds what to cut in the changes table.
    let cutter = Arc::new(Registry::default());
    Ok(Service::new(keys.store, keys.pki, settings, ambient, cutter))
}
