//! "That was not me": the link in a mailed notice, which freezes the account by a POST from its page.
//!
//! Whoever reads the owner's mail can do no more with it than stop the account; the owner's passkey
//! ends that, and so does a recovery that an administrator has vouched for since.

use super::notices::News;
use super::perform::{Notes, note, recorder};
use super::{RequestContext, Service, me};
use crate::failure::Failure;
use crate::store::freeze_links::{self, FreezeLink};
use crate::store::{Lane, Tx, users};
use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::Secret32;
use landfall_crypto::secret::sha256;
use landfall_identity::notice::delivery::LINK_TTL;
use landfall_identity::notice::{By, Happening};
use landfall_identity::{Refusal, TenantName, UserName};
use landfall_protocol::me::Frozen;
use landfall_protocol::paths;
use std::sync::Arc;
use zeroize::Zeroizing;

impl Service {
    /// A new link for a mail that is about to go out; none where no browser trusts this server. Of its
    /// secret only a hash rests.
    pub(super) async fn freeze_link(
        &self,
        tenant: &TenantName,
        user: &UserName,
    ) -> Result<Option<Zeroizing<String>>, Failure> {
        let Some(site) = &self.settings.browser_url else { return Ok(None) };
        let secret = Secret32::new(self.ambient.random());
        let hash = sha256(secret.expose());
        let link = FreezeLink { tenant: tenant.clone(), user: user.clone() };
        let until = self.now() + LINK_TTL;
        self.keep(async move |tx: &mut Tx<'_>| freeze_links::insert(tx, &hash, &link, until).await)
            .await?;
        let secret = Zeroizing::new(BASE64URL_NOPAD.encode(secret.expose()));
        Ok(Some(Zeroizing::new(format!("{site}{}#{}", paths::FREEZE_PAGE, secret.as_str()))))
    }

    /// Freezes the account that a link belongs to, once.
    ///
    /// # Errors
    /// [`Refusal::LinkOver`], whatever is wrong with it.
    pub async fn freeze_by_link(
        &self,
        request: RequestContext,
        secret: String,
    ) -> Result<Frozen, Failure> {
        let secret = Zeroizing::new(secret);
        let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(secret.as_bytes()).unwrap_or_default());
        let hash = sha256(&bytes);
        let found =
            self.store.glance(async |tx: &mut Tx<'_>| freeze_links::find(tx, &hash).await)?;
        let FreezeLink { tenant, user } = found.ok_or(Refusal::LinkOver)?;
        let now = self.now();
        let notes = Notes::default();
        note(&notes, |seen| {
            seen.tenant = Some(tenant.clone());
            seen.target = format!("account {user}, by the link in a notice");
        });
        let source = request.personal.source.clone();
        let record = recorder(self.ambient.clone(), request, Arc::clone(&notes), now);
        let service = self.clone();
        let work = async move |tx: &mut Tx<'_>| {
            if !freeze_links::spend(tx, &hash, now).await? {
                return Err(Refusal::LinkOver.into());
            }
            let row = users::find(tx, &tenant, &user).await?.ok_or(Refusal::LinkOver)?;
            if row.frozen_at.is_some() {
                // A recovery that was begun meanwhile, and would end the freeze, ends with this. One that an
                // administrator has vouched for in spite of the freeze goes on, and no other: else whoever reads the
                // mail keeps the owner out.
                users::set_frozen_again(tx, &tenant, &user, now).await?;
                return Ok((me::report(true, 0), Vec::new()));
            }
            let news = News {
                tenant: tenant.clone(),
                user: user.clone(),
                at: now,
                what: Happening::AccountFrozen,
                by: By::Link,
                source: source.clone(),
            };
            service.stop_account(tx, news).await
        };
        let (report, thumbprints) = self.store.write(Lane::Known, work, record).await?;
        for thumbprint in &thumbprints {
            self.cutter.cut(thumbprint);
        }
        Ok(report)
    }
}
