//! The outbox at work: what is due is taken on, carried, and settled.
//!
//! At least once: a mail is settled after the mail server took it, so a server that dies in between
//! sends it again, under the same Message-ID. A server that stops lets go of what is on its way: the
//! lease ends, and it goes out again.

use super::{Service, addresses::hash};
use crate::failure::Failure;
use crate::store::addresses::{self, MailedCode};
pub use crate::store::outbox::Channel;
use crate::store::outbox::{self, Ended, Parcel, Purpose, Recipient};
use crate::store::{self, Lane, StoreError, Tx, notices, recoveries, recovery_mails};
use landfall_crypto::crockford::TypedCode;
use landfall_identity::MailAddress;
use landfall_identity::Timestamp;
use landfall_identity::address::{CODE_TRIES, CODE_TTL};
use landfall_identity::audit::{AuditEvent, Outcome};
use landfall_identity::id::{AddressId, AuditId};
use landfall_identity::notice::delivery::{LEASE, Next, after_failure};
use landfall_identity::notice::letter::{self, Asker, Letter, NAMED_MAX, Told};
use landfall_identity::notice::{Happening, Notice};
use landfall_identity::recovery::MAILED_CODE_TTL;
use landfall_protocol::At;
use landfall_protocol::notice::WebhookNotice;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

/// Deliveries of a channel that are on their way at once.
const AT_ONCE: u32 = 8;
/// The code of a mail that was given up, in the audit.
const GIVEN_UP: &str = "give-up-notice";

/// A mail with everything on its outside.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The left half of its Message-ID: the same each time the same mail is sent.
    pub message_id: String,
    /// Where it goes.
    pub recipient: MailAddress,
    /// Its date.
    pub date: Timestamp,
    /// What it says.
    pub letter: Letter,
}

/// A call of a webhook with everything that it says.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Where it goes.
    pub url: String,
    /// The JSON that it carries; the same bytes each time it is sent.
    pub body: Vec<u8>,
}

/// Calls webhooks.
pub trait Caller: Sync {
    /// Calls one; done means that it said that it has it.
    fn call(&self, delivery: Delivery) -> impl Future<Output = Result<(), String>> + Send;
}

/// Every way out.
pub struct WaysOut<'a, M, H> {
    /// For mail. Without it every mail meets the same fault, and grows old until it is given up.
    pub mail: Option<&'a M>,
    /// For webhooks.
    pub webhooks: &'a H,
    /// Says when to let go of what is on its way.
    pub stop: &'a CancellationToken,
}

/// What goes out.
enum Packed {
    Mail(Envelope),
    Call(Delivery),
}

/// Hands a mail over to the world.
pub trait Carrier: Sync {
    /// Hands it over; done means that somebody else answers for it from here on.
    fn carry(&self, envelope: Envelope) -> impl Future<Output = Result<(), String>> + Send;
}

impl Service {
    /// Takes on what is due on a channel, once, and settles it.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub(crate) async fn deliver_due<M: Carrier, H: Caller>(
        &self,
        channel: Channel,
        ways: &WaysOut<'_, M, H>,
    ) -> Result<(), Failure> {
        // What cannot be sorted holds up nothing that can be delivered.
        let sorted = match channel {
            Channel::Mail => self.sort_recovery_mails().await,
            Channel::Webhook => Ok(()),
        };
        let now = self.now();
        let due = async |tx: &mut Tx<'_>| outbox::any_due(tx, channel, now).await;
        if !self.store.read(due).await? {
            return sorted;
        }
        let node = self.node.clone();
        let lease = async move |tx: &mut Tx<'_>| {
            Ok(outbox::lease(tx, channel, &node, now, now + LEASE, AT_ONCE).await?)
        };
        let no_row = async |_: &mut Tx<'_>, _: &Result<Vec<Parcel>, Failure>| Ok(());
        let parcels = self.store.write(Lane::Known, lease, no_row).await?;
        let under_way = parcels.into_iter().map(|parcel| self.deliver(ways, parcel));
        let settled = futures::future::join_all(under_way).await;
        settled.into_iter().chain([sorted]).collect()
    }

    async fn deliver<M: Carrier, H: Caller>(
        &self,
        ways: &WaysOut<'_, M, H>,
        parcel: Parcel,
    ) -> Result<(), Failure> {
        let packed = match &parcel.recipient {
            Recipient::Mail(recipient) => {
                self.pack(&parcel, recipient.clone()).await?.map(Packed::Mail)
            }
            Recipient::Webhook(url) => self.pack_call(&parcel, url).await?.map(Packed::Call),
        };
        let Some(packed) = packed else { return self.end(parcel, Ended::Moot, None).await };
        let carry = async {
            match (packed, ways.mail) {
                (Packed::Mail(envelope), Some(carrier)) => carrier.carry(envelope).await,
                (Packed::Mail(_), None) => Err("this server has no smtp_url".to_owned()),
                (Packed::Call(delivery), _) => ways.webhooks.call(delivery).await,
            }
        };
        // A mail server that says nothing must not hold up the end of this one.
        let carried = tokio::select! {
            carried = carry => carried,
            () = ways.stop.cancelled() => return Ok(()),
        };
        let Err(fault) = carried else { return self.end(parcel, Ended::Delivered, None).await };
        let channel = parcel.recipient.channel().as_str();
        tracing::warn!(parcel = %parcel.id, channel, attempts = parcel.attempts, fault, "a delivery waits");
        let chance = u16::from_be_bytes(self.ambient.random());
        match after_failure(parcel.attempts, parcel.made_at, self.now(), chance) {
            Next::At(due_at) => self.postpone(parcel, due_at, fault).await,
            Next::Never => self.end(parcel, Ended::GivenUp, Some(fault)).await,
        }
    }

    /// Puts the mail into words; none when nobody waits for it any more.
    async fn pack(
        &self,
        parcel: &Parcel,
        recipient: MailAddress,
    ) -> Result<Option<Envelope>, Failure> {
        let server = self.settings.public_url.as_str();
        let mut message_id = parcel.id.to_string();
        let letter = match &parcel.purpose {
            Purpose::Notice(id) => {
                let find = async |tx: &mut Tx<'_>| notices::find(tx, id).await;
                let Some(notice) = self.store.read(find).await? else { return Ok(None) };
                let link = self.link_for(parcel).await?;
                let link = link.as_ref().map(|link| link.as_str());
                letter::of_one(Told { notice: &notice, at: &time(&notice) }, server, link)
            }
            Purpose::Summary(_) => {
                let sum = async |tx: &mut Tx<'_>| outbox::summed_up(tx, parcel, NAMED_MAX).await;
                let (named, count) = self.store.read(sum).await?;
                let times: Vec<String> = named.iter().map(time).collect();
                let told: Vec<Told<'_>> =
                    named.iter().zip(&times).map(|(notice, at)| Told { notice, at }).collect();
                let link = self.link_for(parcel).await?;
                let link = link.as_ref().map(|link| link.as_str());
                letter::of_more(&parcel.user, &told, count, server, link)
            }
            Purpose::Code(id) => {
                let Some(code) = self.new_code(id).await? else { return Ok(None) };
                // Each attempt carries a code of its own: it is another mail.
                message_id = format!("{message_id}.{}", parcel.attempts);
                letter::of_code(&parcel.user, &recipient, &code.to_text(), CODE_TTL, server)
            }
            Purpose::RecoveryCode { asked, address } => {
                let find = async |tx: &mut Tx<'_>| recovery_mails::find(tx, asked).await;
                let Some(asked) = self.store.read(find).await? else { return Ok(None) };
                let open = async |tx: &mut Tx<'_>| recoveries::find(tx, &asked.recovery).await;
                let Some(recovery) = self.store.read(open).await? else { return Ok(None) };
                let code = self.new_recovery_code(&asked, address).await?;
                let Some(code) = code else { return Ok(None) };
                message_id = format!("{message_id}.{}", parcel.attempts);
                let link = self.link_for(parcel).await?;
                let link = link.as_ref().map(|link| link.as_str());
                let asker = Asker {
                    user: &parcel.user,
                    device: &recovery.device,
                    source: asked.source.as_deref().unwrap_or("unknown"),
                    at: &At(asked.at).to_text().unwrap_or_default(),
                    proved: asked.shown.is_some(),
                };
                letter::of_recovery_code(asker, &code.to_text(), MAILED_CODE_TTL, server, link)
            }
        };
        Ok(Some(Envelope { message_id, recipient, date: parcel.made_at, letter }))
    }

    /// What a webhook is told; none when it is not configured any more.
    async fn pack_call(&self, parcel: &Parcel, url: &str) -> Result<Option<Delivery>, Failure> {
        let Purpose::Notice(id) = &parcel.purpose else { return Ok(None) };
        if !self.settings.webhooks.iter().any(|known| known == url) {
            return Ok(None);
        }
        let find = async |tx: &mut Tx<'_>| notices::find(tx, id).await;
        let Some(notice) = self.store.read(find).await? else { return Ok(None) };
        let told = WebhookNotice {
            delivery_id: parcel.id.clone(),
            notice_id: notice.id.clone(),
            server: self.settings.public_url.clone(),
            tenant: notice.tenant.clone(),
            user: notice.user.clone(),
            kind: notice.what.kind().to_owned(),
            at: notice.at.into(),
            title: notice.what.title(),
            text: notice.text(),
            source: notice.source.clone(),
        };
        let body = serde_json::to_vec(&told).map_err(Failure::internal)?;
        Ok(Some(Delivery { url: url.to_owned(), body }))
    }

    /// The link that the mail carries; what tells of a freeze needs none to freeze.
    async fn link_for(&self, parcel: &Parcel) -> Result<Option<Zeroizing<String>>, Failure> {
        match parcel.kind == Happening::AccountFrozen.kind() {
            true => Ok(None),
            false => self.freeze_link(&parcel.tenant, &parcel.user).await,
        }
    }

    /// A code for an address that waits for one, kept as a hash before anybody sees it.
    async fn new_code(&self, id: &AddressId) -> Result<Option<TypedCode>, Failure> {
        let code = TypedCode::generate(self.ambient.random.as_ref());
        let kept = MailedCode { hash: hash(id, &code).to_vec(), until: self.now() + CODE_TTL };
        let id = id.clone();
        let keep =
            async move |tx: &mut Tx<'_>| Ok(addresses::set_code(tx, &id, &kept, CODE_TRIES).await?);
        let no_row = async |_: &mut Tx<'_>, _: &Result<bool, Failure>| Ok(());
        let waits = self.store.write(Lane::Known, keep, no_row).await?;
        Ok(waits.then_some(code))
    }

    async fn postpone(
        &self,
        parcel: Parcel,
        due_at: Timestamp,
        fault: String,
    ) -> Result<(), Failure> {
        count(parcel.recipient.channel().as_str(), "postponed");
        let node = self.node.clone();
        self.keep(async move |tx: &mut Tx<'_>| {
            outbox::postpone(tx, &parcel.id, &node, due_at, &fault).await
        })
        .await
    }

    /// Settles a mail. One that was given up is on record, where operators look.
    async fn end(
        &self,
        parcel: Parcel,
        ended: Ended,
        fault: Option<String>,
    ) -> Result<(), Failure> {
        count(parcel.recipient.channel().as_str(), ended.as_str());
        let (node, now) = (self.node.clone(), self.now());
        let row = (ended == Ended::GivenUp).then(|| self.event_of(&parcel));
        let salt = self.ambient.random();
        self.keep(async move |tx: &mut Tx<'_>| {
            let fault = fault.as_deref();
            let ours = outbox::end(tx, &parcel.id, &node, ended, fault, now).await?;
            if ours && ended == Ended::Delivered {
                super::waits::heard_by_mail(tx, &parcel, now).await?;
            }
            match &row {
                Some(row) if ours => store::audit::append(tx, row, salt).await,
                _ => Ok::<_, StoreError>(()),
            }
        })
        .await
    }

    fn event_of(&self, parcel: &Parcel) -> AuditEvent {
        let id = AuditId::from_bits(self.ambient.row_bits());
        let channel = parcel.recipient.channel().as_str();
        let target = format!("{channel} {} of {}, {}", parcel.id, parcel.user, parcel.kind);
        let tenant = parcel.tenant.clone();
        AuditEvent {
            outcome: Outcome::Error,
            reason: Some("undeliverable".to_owned()),
            ..AuditEvent::by_server(id, self.now(), tenant, GIVEN_UP, target)
        }
    }

    /// Mails that wait, and those given up that are still on record: for `/metrics`.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn post_standing(&self) -> Result<(u64, u64), Failure> {
        Ok(self.store.read(outbox::standing).await?)
    }
}

fn time(notice: &Notice) -> String {
    At(notice.at).to_text().unwrap_or_default()
}

fn count(channel: &'static str, outcome: &'static str) {
    metrics::counter!("landfall_notice_deliveries_total", "channel" => channel, "outcome" => outcome)
        .increment(1);
}
