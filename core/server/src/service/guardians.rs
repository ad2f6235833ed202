//! Guardians as the user has them: chosen, listed, removed. The guardians' own side is in
//! [`super::wards`].

use super::waits::plan_object;
use super::{RequestContext, Service, Turn, page};
use crate::failure::Failure;
use crate::store::guardians::{self, Guardian};
use crate::store::{Tx, users};
use landfall_identity::authorize::Object;
use landfall_identity::notice::Happening;
use landfall_identity::recovery::GUARDIANS_PER_USER;
use landfall_identity::{BoundAction, Refusal, UserName};
use landfall_protocol::guardian::{GuardianInfo, GuardianNameRequest};
use landfall_protocol::{Page, PageQuery};

impl Service {
    /// Chooses a guardian, who must accept, and whose word counts from a day after this. One who is chosen
    /// already stays as they are.
    ///
    /// # Errors
    /// A refusal; [`Refusal::NotFound`] for nobody of the tenant; [`Refusal::TooManyGuardians`].
    pub async fn name_guardian(
        &self,
        request: RequestContext,
        body: GuardianNameRequest,
    ) -> Result<GuardianInfo, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let guardian = &body.guardian;
            turn.about(format!("guardian {guardian}"));
            let act = BoundAction::NameGuardian { guardian: guardian.clone() };
            let object = plan_object(tx, turn).await?;
            turn.authorize(tx, &object, Some(&act)).await?;
            let (tenant, user) = (turn.tenant(), turn.user()?);
            if let Some(named) = guardians::find(tx, tenant, user, guardian).await? {
                return Ok(guardian_info(&named));
            }
            may_name(tx, turn, guardian).await?;
            guardians::name(tx, tenant, user, guardian, turn.now).await?;
            let what = Happening::GuardianNamed { guardian: guardian.clone() };
            service.tell(tx, turn.news(user, what)?).await?;
            let what = Happening::WardAsks { ward: user.clone() };
            service.tell(tx, turn.news_of_both(guardian, what)?).await?;
            let named = guardians::find(tx, tenant, user, guardian).await?;
            Ok(guardian_info(&named.ok_or_else(|| Failure::internal("a guardian is not there"))?))
        })
        .await
    }

    /// The caller's guardians by name, those too who have not accepted.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_guardians(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<GuardianInfo>, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let [after] = page::read_text_cursor::<1>(query.after.as_deref())?;
            let rows = guardians::list(tx, turn.tenant(), turn.user()?, &after, limit + 1).await?;
            let next = |row: &Guardian| page::text_cursor(&[row.guardian.as_str()]);
            Ok(page::cut(rows, limit, next, guardian_info))
        })
        .await
    }

    /// Has a guardian no longer. What they vouched for and is not completed yet counts no more.
    ///
    /// # Errors
    /// A refusal; [`Refusal::Probation`] while the passkey is too young to remove one who is older.
    pub async fn remove_guardian(
        &self,
        request: RequestContext,
        guardian: UserName,
    ) -> Result<(), Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("guardian {guardian}"));
            turn.refuse_strangers_first()?;
            let (tenant, user) = (turn.tenant(), turn.user()?);
            let named = guardians::find(tx, tenant, user, &guardian).await?;
            let named = named.ok_or(Refusal::NotFound)?;
            let act = BoundAction::RemoveGuardian { guardian: guardian.clone() };
            turn.authorize(tx, &object(&named), Some(&act)).await?;
            guardians::end(tx, tenant, user, &guardian, turn.now).await?;
            let what = Happening::GuardianRemoved { guardian: guardian.clone() };
            service.tell(tx, turn.news(user, what)?).await
        })
        .await
    }
}

/// A guardian as an object of `authorize`.
pub(super) fn object(guardian: &Guardian) -> Object {
    Object::Guardian { since: guardian.since.named_at }
}

/// Whether the caller could name them: somebody else of the tenant, and there is room.
///
/// # Errors
/// The refusal.
pub(super) async fn may_name(
    tx: &mut Tx<'_>,
    turn: &Turn,
    guardian: &UserName,
) -> Result<(), Failure> {
    let (tenant, user) = (turn.tenant(), turn.user()?);
    if guardian == user {
        return Err(Failure::invalid("guardian", "Nobody vouches for themselves. Choose others."));
    }
    users::find(tx, tenant, guardian).await?.ok_or(Refusal::NotFound)?;
    if guardians::count(tx, tenant, user).await? >= GUARDIANS_PER_USER {
        return Err(Refusal::TooManyGuardians.into());
    }
    Ok(())
}

pub(super) fn guardian_info(row: &Guardian) -> GuardianInfo {
    GuardianInfo {
        user: row.user.clone(),
        guardian: row.guardian.clone(),
        named_at: row.since.named_at.into(),
        accepted_at: row.since.accepted_at.map(Into::into),
        counts_from: row.since.counts_from().map(Into::into),
    }
}
