//! Telling the owner of an account what happened to it.
//!
//! A notice is written in the transaction of the act, by the use case that does it: no act that an
//! owner must hear of can become durable without its notice.

use super::readiness_facts::ADMINS_MAX;
use super::{RequestContext, Service, Turn, page};
use crate::failure::Failure;
use crate::store::outbox::{self, Parcel, Purpose, Recipient};
use crate::store::{Tx, addresses, notices, users};
use landfall_identity::address::ADDRESSES_PER_USER;
use landfall_identity::id::{NoticeId, ParcelId};
use landfall_identity::notice::delivery::{BURST_MAX, BURST_WITHIN};
use landfall_identity::notice::{By, Happening, Notice};
use landfall_identity::spiffe::Principal;
use landfall_identity::{MailAddress, TenantName, Timestamp, UserName};
use landfall_protocol::notice::NoticeInfo;
use landfall_protocol::{Page, PageQuery};

/// Something to tell, before it has a name.
#[derive(Clone)]
pub(super) struct News {
    /// Where.
    pub tenant: TenantName,
    /// Whose account it happened to.
    pub user: UserName,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
    /// By whom.
    pub by: By,
    /// Where the request came from.
    pub source: Option<String>,
}

impl Turn {
    /// What the caller did to `user`'s account: the caller's own, or as an administrator.
    pub(super) fn news(&self, user: &UserName, what: Happening) -> Result<News, Failure> {
        let by = match &self.caller.spiffe_id.principal {
            Principal::Human { user: own, device, .. } if own == user => {
                By::Device { device: device.clone() }
            }
            _ => By::Administrator { user: self.user()?.clone() },
        };
        Ok(News {
            tenant: self.tenant().clone(),
            user: user.clone(),
            at: self.now,
            what,
            by,
            source: self.source.clone(),
        })
    }
}

impl Turn {
    /// What the caller did to the whole tenant, as one of its administrators.
    pub(super) fn news_of_tenant(&self, what: Happening) -> Result<News, Failure> {
        let me = self.user()?;
        Ok(News { by: By::Administrator { user: me.clone() }, ..self.news(me, what)? })
    }

    /// What the caller did that concerns `user` as well, as one person to another.
    pub(super) fn news_of_both(&self, user: &UserName, what: Happening) -> Result<News, Failure> {
        let by = By::Person { user: self.user()?.clone() };
        Ok(News {
            tenant: self.tenant().clone(),
            user: user.clone(),
            at: self.now,
            what,
            by,
            // Where somebody else is, is not this user's to know.
            source: None,
        })
    }
}

impl Service {
    /// Writes a notice in the act's own transaction.
    ///
    /// # Errors
    /// [`Failure`] from the store; then the act is undone, too.
    pub(super) async fn tell(&self, tx: &mut Tx<'_>, news: News) -> Result<(), Failure> {
        let id = NoticeId::from_bits(self.ambient.row_bits());
        self.tell_as(tx, id, news).await
    }

    /// As [`Service::tell`], under a name that somebody remembers.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn tell_as(
        &self,
        tx: &mut Tx<'_>,
        id: NoticeId,
        news: News,
    ) -> Result<(), Failure> {
        let News { tenant, user, at, what, by, source } = news;
        let notice = Notice { id, tenant, user, at, what, by, source };
        notices::insert(tx, &notice).await?;
        let start = (Timestamp::from_millis(i64::MIN), "");
        let (tenant, user) = (&notice.tenant, &notice.user);
        let addresses = addresses::list(tx, tenant, user, start, ADDRESSES_PER_USER).await?;
        for address in addresses.into_iter().filter(|address| address.confirmed_at.is_some()) {
            self.mail_notice(tx, &notice, address.address).await?;
        }
        self.post_notice(tx, &notice).await
    }

    /// Writes a notice to each administrator but the one whom the news are about.
    ///
    /// # Errors
    /// As [`Service::tell`].
    pub(super) async fn tell_other_admins(
        &self,
        tx: &mut Tx<'_>,
        news: News,
    ) -> Result<(), Failure> {
        for admin in users::admins(tx, &news.tenant, ADMINS_MAX).await? {
            if admin.name != news.user {
                self.tell(tx, News { user: admin.name, ..news.clone() }).await?;
            }
        }
        Ok(())
    }

    /// Tells every administrator what whoever runs the server did.
    pub(super) async fn tell_admins(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantName,
        what: Happening,
        at: Timestamp,
    ) -> Result<(), Failure> {
        for admin in users::admins(tx, tenant, ADMINS_MAX).await? {
            let (tenant, user, what) = (tenant.clone(), admin.name, what.clone());
            let by = By::Operator;
            self.tell(tx, News { tenant, user, at, what, by, source: None }).await?;
        }
        Ok(())
    }

    /// Puts a call of each webhook into the outbox. Programs read them: each notice is told, none summed
    /// up.
    pub(super) async fn post_notice(
        &self,
        tx: &mut Tx<'_>,
        notice: &Notice,
    ) -> Result<(), Failure> {
        for url in &self.settings.webhooks {
            let parcel = self.parcel(notice, Recipient::Webhook(url.clone()));
            outbox::put(tx, &parcel).await?;
        }
        Ok(())
    }

    fn parcel(&self, notice: &Notice, recipient: Recipient) -> Parcel {
        Parcel {
            id: ParcelId::from_bits(self.ambient.row_bits()),
            tenant: notice.tenant.clone(),
            user: notice.user.clone(),
            purpose: Purpose::Notice(notice.id.clone()),
            kind: notice.what.kind().to_owned(),
            recipient,
            made_at: notice.at,
            due_at: notice.at,
            attempts: 0,
        }
    }

    /// Puts the mail of a notice into the outbox: one by one up to a bound, then summed up. The first
    /// of a kind always goes out at once.
    async fn mail_notice(
        &self,
        tx: &mut Tx<'_>,
        notice: &Notice,
        recipient: MailAddress,
    ) -> Result<(), Failure> {
        let mut parcel = self.parcel(notice, Recipient::Mail(recipient));
        let singles = outbox::count_single(tx, &parcel, notice.at - BURST_WITHIN).await?;
        if singles >= BURST_MAX {
            if outbox::summary_waits(tx, &parcel).await? {
                return Ok(());
            }
            parcel.purpose = Purpose::Summary(notice.id.clone());
            parcel.due_at = notice.at + BURST_WITHIN;
        }
        Ok(outbox::put(tx, &parcel).await?)
    }

    /// What happened to the caller's account, newest first.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_notices(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<NoticeInfo>, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let before = page::time_cursor(query.after.as_deref())?;
            let before = (before.0, before.1.as_str());
            let rows = notices::list(tx, turn.tenant(), turn.user()?, before, limit + 1).await?;
            if query.after.is_none() {
                // A device of the account that works has fetched the newest.
                super::waits::heard_by_device(tx, turn).await?;
            }
            let next = |notice: &Notice| page::time_cursor_text(notice.at, notice.id.as_str());
            Ok(page::cut(rows, limit, next, info))
        })
        .await
    }
}

fn info(notice: &Notice) -> NoticeInfo {
    NoticeInfo {
        id: notice.id.clone(),
        kind: notice.what.kind().to_owned(),
        at: notice.at.into(),
        title: notice.what.title(),
        text: notice.text(),
        source: notice.source.clone(),
    }
}
