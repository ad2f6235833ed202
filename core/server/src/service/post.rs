//! The outbox at work: what is due is taken on, carried, and settled.
//!
//! At least once: a mail is settled after the mail server took it, so a server that dies in between
//! sends it again, under the same Message-ID.

use super::{Service, addresses::hash};
use crate::failure::Failure;
use crate::store::addresses::{self, MailedCode};
use crate::store::outbox::{self, Ended, Parcel, Purpose};
use crate::store::{self, Lane, StoreError, Tx, notices};
use landfall_crypto::crockford::TypedCode;
use landfall_identity::MailAddress;
use landfall_identity::Timestamp;
use landfall_identity::address::{CODE_TRIES, CODE_TTL};
use landfall_identity::audit::{AuditEvent, Outcome};
use landfall_identity::id::{AddressId, AuditId};
use landfall_identity::notice::delivery::{LEASE, Next, after_failure};
use landfall_identity::notice::letter::{self, Letter, NAMED_MAX, Told};
use landfall_identity::notice::{Happening, Notice};
use landfall_protocol::At;
use zeroize::Zeroizing;

/// Mails that are on their way at once.
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

/// Hands a mail over to the world.
pub trait Carrier: Sync {
    /// Hands it over; done means that somebody else answers for it from here on.
    fn carry(&self, envelope: Envelope) -> impl Future<Output = Result<(), String>> + Send;
}

impl Service {
    /// Takes on what is due, once, and settles it. Without a carrier everything meets the same fault,
    /// and grows old until it is given up.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub(crate) async fn deliver_due<C: Carrier>(&self, carrier: Option<&C>) -> Result<(), Failure> {
        let now = self.now();
        if !self.store.read(async |tx: &mut Tx<'_>| outbox::any_due(tx, now).await).await? {
            return Ok(());
        }
        let node = self.node.clone();
        let lease = async move |tx: &mut Tx<'_>| {
            Ok(outbox::lease(tx, &node, now, now + LEASE, AT_ONCE).await?)
        };
        let no_row = async |_: &mut Tx<'_>, _: &Result<Vec<Parcel>, Failure>| Ok(());
        let parcels = self.store.write(Lane::Known, lease, no_row).await?;
        let under_way = parcels.into_iter().map(|parcel| self.deliver(carrier, parcel));
        let settled = futures::future::join_all(under_way).await;
        settled.into_iter().collect()
    }

    async fn deliver<C: Carrier>(
        &self,
        carrier: Option<&C>,
        parcel: Parcel,
    ) -> Result<(), Failure> {
        let Some(envelope) = self.pack(&parcel).await? else {
            return self.end(parcel, Ended::Moot, None).await;
        };
        let carried = match carrier {
            Some(carrier) => carrier.carry(envelope).await,
            None => Err("this server has no smtp_url".to_owned()),
        };
        let Err(fault) = carried else { return self.end(parcel, Ended::Delivered, None).await };
        tracing::warn!(parcel = %parcel.id, attempts = parcel.attempts, fault, "a mail waits");
        let chance = u16::from_be_bytes(self.ambient.random());
        match after_failure(parcel.attempts, parcel.made_at, self.now(), chance) {
            Next::At(due_at) => self.postpone(parcel, due_at, fault).await,
            Next::Never => self.end(parcel, Ended::GivenUp, Some(fault)).await,
        }
    }

    /// Puts the mail into words; none when nobody waits for it any more.
    async fn pack(&self, parcel: &Parcel) -> Result<Option<Envelope>, Failure> {
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
                letter::of_code(&parcel.user, &parcel.recipient, &code.to_text(), CODE_TTL, server)
            }
        };
        let recipient = parcel.recipient.clone();
        Ok(Some(Envelope { message_id, recipient, date: parcel.made_at, letter }))
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
        count("postponed");
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
        count(ended.as_str());
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
        let target = format!("mail {} of {}, {}", parcel.id, parcel.user, parcel.kind);
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

fn count(outcome: &'static str) {
    metrics::counter!("landfall_notice_mails_total", "outcome" => outcome).increment(1);
}
