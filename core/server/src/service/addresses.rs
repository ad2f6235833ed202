//! Where a user's notices are mailed to.
//!
//! Adding an address takes a person, and the code that is mailed to it. Taking one away takes a person
//! whose passkey is no younger than the address, and is told to that very address: a thief must not
//! silence the owner.

use super::{RequestContext, Service, Turn, page};
use crate::failure::Failure;
use crate::store::addresses::{self, Address};
use crate::store::outbox::{self, Parcel, Purpose, Recipient};
use crate::store::{Lane, Tx, enrollments};
use landfall_crypto::crockford::TypedCode;
use landfall_crypto::secret::{ct_eq, sha256_of};
use landfall_identity::address::{ADDRESSES_PER_USER, CODES_MAX, CODES_WITHIN, CONFIRM_WITHIN};
use landfall_identity::authorize::Object;
use landfall_identity::id::{AddressId, ParcelId};
use landfall_identity::notice::Happening;
use landfall_identity::prompt::{PROMPTS_MAX, PROMPTS_WITHIN};
use landfall_identity::{DeviceState, MailAddress, Refusal, Timestamp};
use landfall_protocol::notice::AddressInfo;
use landfall_protocol::{Page, PageQuery};

/// The kind of mails that carry a code.
const CODE_KIND: &str = "address-code";

impl Service {
    /// The caller's addresses, oldest first.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_addresses(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<AddressInfo>, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let after = match query.after.as_deref() {
                None => (Timestamp::from_millis(i64::MIN), String::new()),
                after => page::time_cursor(after)?,
            };
            let after = (after.0, after.1.as_str());
            let rows = addresses::list(tx, turn.tenant(), turn.user()?, after, limit + 1).await?;
            let next = |row: &Address| page::time_cursor_text(row.added_at, row.id.as_str());
            Ok(page::cut(rows, limit, next, info))
        })
        .await
    }

    /// Adds an address and mails it a code; one that waits already gets another code.
    ///
    /// # Errors
    /// A refusal: [`Refusal::MailUnavailable`], [`Refusal::TooManyAddresses`],
    /// [`Refusal::RateLimited`] when too many codes were asked for.
    pub async fn add_address(
        &self,
        request: RequestContext,
        address: MailAddress,
    ) -> Result<AddressInfo, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("address {address}"));
            turn.authorize(tx, &turn.own()?, None).await?;
            if !service.settings.mail {
                return Err(Refusal::MailUnavailable.into());
            }
            let (tenant, user) = (turn.tenant(), turn.user()?);
            addresses::drop_waiting(tx, tenant, user, CONFIRM_WITHIN, turn.now).await?;
            let start = (Timestamp::from_millis(i64::MIN), "");
            let kept = addresses::list(tx, tenant, user, start, ADDRESSES_PER_USER).await?;
            let row = match kept.iter().find(|row| row.address == address) {
                Some(row) if row.confirmed_at.is_some() => return Ok(info(row)),
                Some(row) => row.clone(),
                None if kept.len() >= ADDRESSES_PER_USER as usize => {
                    return Err(Refusal::TooManyAddresses.into());
                }
                None => service.new_address(tx, turn, &address).await?,
            };
            service.mail_code(tx, turn, &row).await?;
            Ok(info(&row))
        })
        .await
    }

    /// Takes the code that was mailed. Each try is paid for before the code is looked at.
    ///
    /// # Errors
    /// A refusal: [`Refusal::AddressCodeWrong`], [`Refusal::AddressCodeOver`].
    pub async fn confirm_address(
        &self,
        request: RequestContext,
        id: AddressId,
        code: String,
    ) -> Result<AddressInfo, Failure> {
        let paid = self.pay_code_try(&request, &id).await?;
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let mut row = load(tx, turn, &id).await?;
            turn.authorize(tx, &object(&row), None).await?;
            if row.confirmed_at.is_some() {
                return Ok(info(&row));
            }
            let kept = row.code.take().filter(|kept| paid && !kept.until.is_over(turn.now));
            let kept = kept.ok_or(Refusal::AddressCodeOver)?;
            let fits =
                TypedCode::parse(&code).is_ok_and(|code| ct_eq(&hash(&id, &code), &kept.hash));
            if !fits {
                return Err(Refusal::AddressCodeWrong { tries_left: row.tries_left }.into());
            }
            addresses::confirm(tx, &id, turn.now).await?;
            row.confirmed_at = Some(turn.now);
            // The new address hears of itself, too: it is confirmed by now.
            let what = Happening::AddressAdded { address: row.address.clone() };
            service.tell(tx, turn.news(&row.user, what)?).await?;
            Ok(info(&row))
        })
        .await
    }

    /// Takes an address away, and tells it so.
    ///
    /// # Errors
    /// A refusal; [`Refusal::Probation`] while the passkey is too young.
    pub async fn remove_address(
        &self,
        request: RequestContext,
        id: AddressId,
    ) -> Result<(), Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let row = load(tx, turn, &id).await?;
            turn.authorize(tx, &object(&row), None).await?;
            if row.confirmed_at.is_some() {
                let what = Happening::AddressRemoved { address: row.address.clone() };
                service.tell(tx, turn.news(&row.user, what)?).await?;
            }
            Ok(addresses::remove(tx, &id).await?)
        })
        .await
    }

    async fn new_address(
        &self,
        tx: &mut Tx<'_>,
        turn: &Turn,
        address: &MailAddress,
    ) -> Result<Address, Failure> {
        let row = Address {
            id: AddressId::from_bits(self.ambient.row_bits()),
            tenant: turn.tenant().clone(),
            user: turn.user()?.clone(),
            address: address.clone(),
            added_at: turn.now,
            confirmed_at: None,
            code: None,
            tries_left: 0,
        };
        addresses::insert(tx, &row).await?;
        Ok(row)
    }

    /// Puts the mail with the code into the outbox. The code itself is made when the mail goes out, so
    /// that it never rests anywhere but as a hash.
    async fn mail_code(&self, tx: &mut Tx<'_>, turn: &Turn, row: &Address) -> Result<(), Failure> {
        let parcel = Parcel {
            id: ParcelId::from_bits(self.ambient.row_bits()),
            tenant: row.tenant.clone(),
            user: row.user.clone(),
            purpose: Purpose::Code(row.id.clone()),
            kind: CODE_KIND.to_owned(),
            recipient: Recipient::Mail(row.address.clone()),
            made_at: turn.now,
            due_at: turn.now,
            attempts: 0,
        };
        let counts = outbox::count_codes(tx, &parcel, turn.now - CODES_WITHIN).await?;
        if counts.0.max(counts.1) >= CODES_MAX {
            return Err(Refusal::RateLimited { retry_after: CODES_WITHIN }.into());
        }
        let prompts = outbox::count_codes(tx, &parcel, turn.now - PROMPTS_WITHIN).await?;
        if prompts.0.max(prompts.1) >= PROMPTS_MAX {
            return Err(Refusal::RateLimited { retry_after: PROMPTS_WITHIN }.into());
        }
        Ok(outbox::put(tx, &parcel).await?)
    }

    /// Pays a try, if the key belongs to the owner of the address.
    async fn pay_code_try(
        &self,
        request: &RequestContext,
        id: &AddressId,
    ) -> Result<bool, Failure> {
        let Some(peer) = &request.peer else { return Ok(false) };
        let found = self.store.glance(async |tx: &mut Tx<'_>| {
            enrollments::by_thumbprint(tx, &peer.thumbprint).await
        })?;
        let Some(owner) = found.filter(|row| row.state == DeviceState::Active) else {
            return Ok(false);
        };
        let (id, now) = (id.clone(), self.now());
        let pay = async move |tx: &mut Tx<'_>| {
            Ok(addresses::pay_try(tx, &id, &owner.tenant, &owner.user, now).await?)
        };
        let no_row = async |_: &mut Tx<'_>, _: &Result<bool, Failure>| Ok(());
        self.store.write(Lane::Known, pay, no_row).await
    }
}

/// What is kept of a code: bound to the row that it belongs to.
pub(super) fn hash(id: &AddressId, code: &TypedCode) -> [u8; 32] {
    sha256_of(&[b"landfall/address-code/v1\0", id.as_str().as_bytes(), code.expose()])
}

async fn load(tx: &mut Tx<'_>, turn: &Turn, id: &AddressId) -> Result<Address, Failure> {
    turn.about(format!("address {id}"));
    match addresses::find(tx, id).await? {
        Some(row) => Ok(row),
        // Who may not look at all is told so, whether it exists or not.
        None => {
            turn.refuse_strangers_first()?;
            Err(Refusal::NotFound.into())
        }
    }
}

fn object(row: &Address) -> Object {
    Object::Address { tenant: row.tenant.clone(), user: row.user.clone(), since: row.added_at }
}

fn info(row: &Address) -> AddressInfo {
    AddressInfo {
        id: row.id.clone(),
        address: row.address.to_string(),
        added_at: row.added_at.into(),
        confirmed_at: row.confirmed_at.map(Into::into),
    }
}
