//! A user's passkeys: listing, renaming, removing.

use super::last_admin::LastAdmin;
use super::{RequestContext, Service, Turn, page};
use crate::failure::Failure;
use crate::store::passkeys::{self, PasskeyRow};
use crate::store::{StoreError, Tx, meta, sessions};
use landfall_identity::authorize::Object;
use landfall_identity::id::PasskeyId;
use landfall_identity::notice::Happening;
use landfall_identity::{BoundAction, Label, Refusal, Timestamp};
use landfall_protocol::passkey::{PasskeyInfo, PasskeyRemoveQuery};
use landfall_protocol::{Page, PageQuery};

/// Why a server must not start with this address.
#[derive(Debug, thiserror::Error)]
pub enum RelyingPartyCheck {
    /// Passkeys were registered under another name, and would all be worthless under this one.
    #[error(
        "the passkeys of this server belong to `{fixed}`, and it is configured as `{configured}`: \
         every passkey would stop working. Set the public address back to `{fixed}`"
    )]
    Changed {
        /// The name that the first passkey fixed.
        fixed: String,
        /// The name that the configuration gives now.
        configured: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Service {
    /// The caller's passkeys, oldest first.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_passkeys(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<PasskeyInfo>, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let after = cursor(query.after.as_deref())?;
            let rows = passkeys::page_of(tx, turn.tenant(), turn.user()?, after, limit + 1).await?;
            let next = |row: &PasskeyRow| {
                page::time_cursor_text(row.kept.registered_at, row.kept.id.as_str())
            };
            Ok(page::cut(rows, limit, next, passkey_info))
        })
        .await
    }

    /// Another label for one's passkey.
    ///
    /// # Errors
    /// A refusal.
    pub async fn rename_passkey(
        &self,
        request: RequestContext,
        id: PasskeyId,
        label: Label,
    ) -> Result<PasskeyInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let mut row = load(tx, turn, &id).await?;
            turn.authorize(tx, &object(turn, &row)?, None).await?;
            passkeys::rename(tx, &id, &label).await?;
            row.kept.label = label.clone();
            Ok(passkey_info(&row))
        })
        .await
    }

    /// Removes a passkey, and ends the sessions that were opened with it. The last one that can be
    /// used goes only when its loss was confirmed: after it there is no step-up on any machine.
    ///
    /// # Errors
    /// A refusal; [`Refusal::LastPasskey`] without the confirmation, which leaves the approval unspent.
    pub async fn remove_passkey(
        &self,
        request: RequestContext,
        id: PasskeyId,
        query: PasskeyRemoveQuery,
    ) -> Result<(), Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let row = load(tx, turn, &id).await?;
            let act = BoundAction::RemovePasskey { passkey: id.clone() };
            turn.authorize(tx, &object(turn, &row)?, Some(&act)).await?;
            let kept = passkeys::all_of(tx, turn.tenant(), turn.user()?).await?;
            let others = kept.iter().any(|other| other.kept.id != id && other.usable());
            if !others && !query.confirm_last {
                return Err(Refusal::LastPasskey.into());
            }
            let view = service.view();
            let (tenant, user) = (turn.tenant(), turn.user()?);
            let guard = LastAdmin::before(tx, &view, tenant, user, turn.now).await?;
            sessions::end_of_passkey(tx, id.as_str(), turn.now).await?;
            passkeys::remove(tx, &id).await?;
            guard.after(tx, &view).await?;
            let what = Happening::PasskeyRemoved { label: row.kept.label.clone() };
            service.tell(tx, turn.news(turn.user()?, what)?).await
        })
        .await
    }

    /// Whether this server may start: the relying party is fixed by the first passkey.
    ///
    /// # Errors
    /// [`RelyingPartyCheck::Changed`] when the configuration names another.
    pub async fn check_relying_party(&self) -> Result<(), RelyingPartyCheck> {
        let Some(party) = &self.settings.relying_party else { return Ok(()) };
        let fixed =
            self.store.read(async |tx: &mut Tx<'_>| meta::get(tx, meta::RP_ID).await).await?;
        match fixed {
            Some(fixed) if fixed != party.id() => {
                Err(RelyingPartyCheck::Changed { fixed, configured: party.id().to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// Binds a passkey to the device that asks, after that very passkey has said that it is there.
    ///
    /// # Errors
    /// A refusal; one that cannot leave its device stays there.
    pub async fn bind_passkey(
        &self,
        request: RequestContext,
        id: PasskeyId,
    ) -> Result<PasskeyInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let row = load(tx, turn, &id).await?;
            let act = BoundAction::BindPasskey { passkey: id.clone() };
            let factor = turn.caller.session.as_ref().and_then(|session| session.factor.as_ref());
            let proved = factor.is_some_and(|factor| factor.passkey == id);
            turn.authorize(tx, &object(turn, &row)?, Some(&act)).await?;
            if !proved {
                return Err(Refusal::StepUpForAnotherAct.into());
            }
            can_move(&row)?;
            passkeys::bind(tx, &id, &turn.caller.enrollment).await?;
            load(tx, turn, &id).await.map(|row| passkey_info(&row))
        })
        .await
    }
}

async fn load(tx: &mut Tx<'_>, turn: &Turn, id: &PasskeyId) -> Result<PasskeyRow, Failure> {
    turn.about(format!("passkey {id}"));
    let found = passkeys::find(tx, turn.tenant(), turn.user()?, id).await?;
    match found {
        Some(row) => Ok(row),
        // Who may not look at all is told so, whether it exists or not.
        None => {
            turn.refuse_strangers_first()?;
            Err(Refusal::NotFound.into())
        }
    }
}

/// Whether it can be bound to another device at all.
///
/// # Errors
/// What is wrong with it.
pub(super) fn can_move(row: &PasskeyRow) -> Result<(), Failure> {
    match row.device_bound() {
        true => {
            let why = "It lives in its device and cannot be bound to another one.";
            Err(Failure::invalid("passkey", why))
        }
        false => Ok(()),
    }
}

fn object(turn: &Turn, row: &PasskeyRow) -> Result<Object, Failure> {
    Ok(Object::Passkey {
        tenant: turn.tenant().clone(),
        user: turn.user()?.clone(),
        since: row.kept.registered_at,
    })
}

fn cursor(after: Option<&str>) -> Result<Option<(Timestamp, PasskeyId)>, Failure> {
    let Some(after) = after else { return Ok(None) };
    let ours = || Failure::invalid("after", "Use the next of the page before, unchanged.");
    let (at, id) = page::time_cursor(Some(after))?;
    Ok(Some((at, PasskeyId::parse(id).map_err(|_| ours())?)))
}

/// A passkey as its owner sees it.
pub(super) fn passkey_info(row: &PasskeyRow) -> PasskeyInfo {
    PasskeyInfo {
        id: row.kept.id.clone(),
        label: row.kept.label.to_string(),
        attachment: row.kept.attachment,
        registered_on: row.device.clone(),
        device_bound: row.device_bound(),
        backup_eligible: row.kept.reported.backup_eligible,
        backed_up: row.kept.reported.backup_state,
        resident: row.kept.resident,
        aaguid: row.kept.aaguid.clone(),
        transports: row.kept.transports.clone(),
        usable: row.usable(),
        registered_at: row.kept.registered_at.into(),
        last_used_at: row.last_used_at.map(Into::into),
    }
}
