//! Making and listing recovery codes. The codes themselves are made by the client: what comes here opens
//! nothing.

use super::{RequestContext, Service, Turn, page};
use crate::failure::Failure;
use crate::store::Tx;
use crate::store::recovery_codes::{self, Code};
use landfall_crypto::Secret32;
use landfall_crypto::door::AuthHash;
use landfall_crypto::recovery_code::codes_hash;
use landfall_identity::BoundAction;
use landfall_identity::authorize::Object;
use landfall_identity::notice::Happening;
use landfall_identity::recovery::{CODES_PER_USER, CodeName, CodeState};
use landfall_protocol::recovery::{
    NewRecoveryCode, RecoveryCodeInfo, RecoveryCodesMade, RecoveryCodesRequest,
};
use landfall_protocol::{Page, PageQuery};
use std::collections::BTreeSet;

/// A code as it will be kept.
pub(super) struct Kept {
    pub(super) name: CodeName,
    pub(super) auth_hash: AuthHash,
}

impl Kept {
    /// Reads what a client tells of a new code, and puts its hash under the server's key.
    ///
    /// # Errors
    /// A hash that is none.
    pub(super) fn of(
        new: &NewRecoveryCode,
        key: &Secret32,
        field: &'static str,
    ) -> Result<Self, Failure> {
        let hash = AuthHash::parse(&new.auth_hash).map_err(|_| {
            Failure::invalid(field, "A hash must be 32 bytes in base64url without padding.")
        })?;
        Ok(Self { name: new.name.clone(), auth_hash: hash.keyed(key) })
    }
}

impl Service {
    /// Takes the names and hashes of new codes; those before them stop working. The same codes again
    /// answer as the first time.
    ///
    /// # Errors
    /// A refusal; [`landfall_identity::Refusal::Probation`] while the passkey is too young to replace older codes; other
    /// than ten different codes.
    pub async fn make_recovery_codes(
        &self,
        request: RequestContext,
        body: RecoveryCodesRequest,
    ) -> Result<RecoveryCodesMade, Failure> {
        let key = self.pki.recovery_code_key();
        let service = self.clone();
        let codes = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                let (codes, again) = make(tx, turn, &body.codes, &key).await?;
                if !again {
                    let count = u32::try_from(codes.len()).unwrap_or(u32::MAX);
                    let what = Happening::RecoveryCodesRemade { count };
                    service.tell(tx, turn.news(turn.user()?, what)?).await?;
                }
                Ok(codes)
            })
            .await?;
        Ok(RecoveryCodesMade {
            codes: codes.iter().map(info).collect(),
            url: self.settings.public_url.clone(),
            trust: self.pki.trust().to_owned(),
        })
    }

    /// The caller's codes by name, those that are over too.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_recovery_codes(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<RecoveryCodeInfo>, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let [after] = page::read_text_cursor::<1>(query.after.as_deref())?;
            let rows =
                recovery_codes::list(tx, turn.tenant(), turn.user()?, &after, limit + 1).await?;
            let next = |code: &Code| page::text_cursor(&[code.name.as_str()]);
            Ok(page::cut(rows, limit, next, info))
        })
        .await
    }
}

/// The codes, and whether a request before this one made them.
async fn make(
    tx: &mut Tx<'_>,
    turn: &Turn,
    new: &[NewRecoveryCode],
    key: &Secret32,
) -> Result<(Vec<Code>, bool), Failure> {
    turn.about(format!("{} recovery codes", new.len()));
    turn.refuse_strangers_first()?;
    let names: BTreeSet<_> = new.iter().map(|code| &code.name).collect();
    if new.len() != CODES_PER_USER || names.len() != new.len() {
        let why = format!("Make exactly {CODES_PER_USER} different codes.");
        return Err(Failure::invalid("codes", why));
    }
    let act = BoundAction::MakeRecoveryCodes {
        codes_hash: codes_hash(new.iter().map(|code| (&code.name, code.auth_hash.as_str()))),
    };
    let mut kept = Vec::with_capacity(new.len());
    for code in new {
        kept.push(Kept::of(code, key, "codes")?);
    }
    // A repeated request finds what the first one made, before the spent approval is asked.
    let object = object(tx, turn).await?;
    if let Some(made) = made_before(tx, turn, &kept).await? {
        turn.authorize_again(&object, &act)?;
        return Ok((made, true));
    }
    turn.authorize(tx, &object, Some(&act)).await?;
    recovery_codes::replace_all(tx, turn.tenant(), turn.user()?, turn.now).await?;
    for Kept { name, auth_hash } in &kept {
        let hash = auth_hash.as_bytes();
        let (tenant, user) = (turn.tenant(), turn.user()?);
        if !recovery_codes::insert(tx, tenant, user, name, hash, turn.now).await? {
            return Err(Failure::invalid("codes", "One of them was used before. Make new ones."));
        }
    }
    let made = made_before(tx, turn, &kept).await?;
    let made = made.ok_or_else(|| Failure::internal("codes that were just made are not there"))?;
    Ok((made, false))
}

/// The codes, when all of them are there and work.
async fn made_before(
    tx: &mut Tx<'_>,
    turn: &Turn,
    kept: &[Kept],
) -> Result<Option<Vec<Code>>, Failure> {
    let mut made = Vec::with_capacity(kept.len());
    for Kept { name, auth_hash } in kept {
        let found = recovery_codes::find(tx, turn.tenant(), turn.user()?, name).await?;
        let same =
            |code: &Code| code.state == CodeState::Live && code.auth_hash == *auth_hash.as_bytes();
        match found.filter(same) {
            Some(code) => made.push(code),
            None => return Ok(None),
        }
    }
    Ok(Some(made))
}

/// What making codes evicts: those that work, if any do.
///
/// # Errors
/// A caller that is no person; the database.
pub(super) async fn object(tx: &mut Tx<'_>, turn: &Turn) -> Result<Object, Failure> {
    let since = recovery_codes::live_since(tx, turn.tenant(), turn.user()?).await?;
    Ok(Object::Codes { since: since.unwrap_or(turn.now) })
}

fn info(code: &Code) -> RecoveryCodeInfo {
    RecoveryCodeInfo {
        name: code.name.clone(),
        state: code.state,
        made_at: code.made_at.into(),
        ended_at: code.ended_at.map(Into::into),
        used_by: code.used_by.clone(),
    }
}
