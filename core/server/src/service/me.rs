//! The caller's own account: who am I, freeze, unfreeze.

use super::last_admin::LastAdmin;
use super::notices::News;
use super::recovery_standing::stop_answered;
use super::{RequestContext, Service, Turn};
use crate::failure::Failure;
use crate::store::provisioned::{self, Key};
use crate::store::users::{self, User};
use crate::store::{Tx, changes, enrollments, passkeys, sessions};
use landfall_identity::authorize::Object;
use landfall_identity::caller::AccountState;
use landfall_identity::notice::Happening;
use landfall_identity::{AuthStrength, BoundAction, Refusal, UserName};
use landfall_protocol::enroll::GrantInfo;
use landfall_protocol::me::{Frozen, Me};
use landfall_protocol::provisioned::{MachineSelf, WhoAmI};

impl Service {
    /// Who the caller is, on which device, with which session.
    ///
    /// # Errors
    /// A refusal.
    pub async fn me(&self, request: RequestContext) -> Result<WhoAmI, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &Object::Own, None).await?;
            if let Some(key) = provisioned::by_id(tx, &turn.caller.enrollment).await? {
                return Ok(WhoAmI::Machine(Box::new(service.machine_self(&key, turn)?)));
            }
            let row = enrollments::by_id(tx, &turn.caller.enrollment)
                .await?
                .ok_or(Refusal::NotEnrolled)?;
            let session = turn.caller.session.as_ref().ok_or(Refusal::SessionRequired)?;
            Ok(WhoAmI::Person(Box::new(Me {
                spiffe_id: turn.caller.spiffe_id.clone(),
                tenant: turn.tenant().clone(),
                user: turn.user()?.clone(),
                role: turn.caller.role,
                device: service.device_info(&row, turn),
                frozen: turn.caller.account == AccountState::Frozen,
                auth_strength: session.strength,
                session_expires_at: session.expires_at.into(),
                passkeys: passkeys::count_usable(tx, turn.tenant(), turn.user()?).await?,
                grant: turn.caller.grant.as_ref().map(|grant| GrantInfo {
                    id: grant.id.clone(),
                    expires_at: grant.expires_at.into(),
                }),
            })))
        })
        .await
    }

    fn machine_self(&self, key: &Key, turn: &Turn) -> Result<MachineSelf, Failure> {
        let session = turn.caller.session.as_ref().ok_or(Refusal::SessionRequired)?;
        Ok(MachineSelf {
            spiffe_id: turn.caller.spiffe_id.clone(),
            tenant: turn.tenant().clone(),
            key: self.key_info(key, turn.now),
            auth_strength: session.strength,
            session_expires_at: session.expires_at.into(),
        })
    }

    /// Freezes the caller's account: every device is cut, the caller's too. Doors back in stay open.
    /// What is frozen stays as it is: freezing again would end the session of the owner who has come
    /// to cut the thief off.
    ///
    /// # Errors
    /// A refusal.
    pub async fn freeze(&self, request: RequestContext) -> Result<Frozen, Failure> {
        let service = self.clone();
        let (report, thumbprints) = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                let user = turn.user()?;
                turn.about(format!("account {user}"));
                turn.authorize(tx, &turn.own()?, None).await?;
                if turn.caller.account == AccountState::Frozen {
                    return Ok((report(true, 0), Vec::new()));
                }
                service.stop_account(tx, turn.news(user, Happening::AccountFrozen)?).await
            })
            .await?;
        for thumbprint in &thumbprints {
            self.cutter.cut(thumbprint);
        }
        Ok(report)
    }

    /// Freezes the account that the news are about, ends its sessions, tells its owner and all nodes.
    /// Answers with the keys whose connections end.
    pub(super) async fn stop_account(
        &self,
        tx: &mut Tx<'_>,
        news: News,
    ) -> Result<(Frozen, Vec<String>), Failure> {
        let (tenant, user, now) = (&news.tenant, &news.user, news.at);
        users::set_frozen(tx, tenant, user, Some(now)).await?;
        let ended = sessions::end_of_user(tx, tenant, user, now).await?;
        let thumbprints = enrollments::thumbprints_of_user(tx, tenant, user).await?;
        for thumbprint in &thumbprints {
            changes::append(tx, thumbprint, &self.node, now).await?;
        }
        self.tell(tx, news).await?;
        Ok((report(true, ended), thumbprints))
    }

    /// Ends the caller's freeze.
    ///
    /// # Errors
    /// A refusal; [`Refusal::Probation`] while the passkey is too young.
    pub async fn unfreeze(&self, request: RequestContext) -> Result<Frozen, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let user = turn.user()?;
            turn.about(format!("account {user}"));
            let row = users::find(tx, turn.tenant(), user).await?.ok_or(Refusal::NotFound)?;
            let oldest = passkeys::all_of(tx, turn.tenant(), user).await?.into_iter().next();
            // Nobody waits a day to hear that nothing is frozen.
            let since = oldest.filter(|_| row.frozen_at.is_some());
            let since = since.map_or(turn.now, |row| row.kept.registered_at);
            turn.authorize(tx, &Object::Freeze { since }, None).await?;
            if row.frozen_by_admin {
                return Err(Refusal::FrozenByAdmin.into());
            }
            service.thaw(tx, turn, &row).await
        })
        .await
    }

    /// Freezes somebody's account, as an administrator: until one ends it, nothing that its owner holds gets
    /// them in. One's own would shut out its only judge.
    ///
    /// # Errors
    /// A refusal; [`Refusal::LastAdmin`].
    pub async fn admin_freeze(
        &self,
        request: RequestContext,
        user: UserName,
    ) -> Result<Frozen, Failure> {
        let service = self.clone();
        let view = self.view();
        let (report, thumbprints) = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                turn.about(format!("account {user}"));
                let act = BoundAction::FreezeUser { user: user.clone() };
                let row = judged_account(tx, turn, &user, &act).await?;
                if turn.user()? == &user {
                    return Err(Refusal::FreezeOneself.into());
                }
                if row.frozen_by_admin {
                    return Ok((report(true, 0), Vec::new()));
                }
                let guard = LastAdmin::before(tx, &view, &row.tenant, &row.name, turn.now).await?;
                let news = turn.news(&user, Happening::AccountFrozen)?;
                let stopped = service.stop_account(tx, news).await?;
                let by = Some(turn.user()?);
                users::set_frozen_by_admin(tx, (&row.tenant, &row.name), by, turn.now).await?;
                guard.after(tx, &view).await?;
                Ok(stopped)
            })
            .await?;
        for thumbprint in &thumbprints {
            self.cutter.cut(thumbprint);
        }
        Ok(report)
    }

    /// Ends somebody's freeze, as an administrator.
    ///
    /// # Errors
    /// A refusal.
    pub async fn admin_unfreeze(
        &self,
        request: RequestContext,
        user: UserName,
    ) -> Result<Frozen, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("account {user}"));
            let act = BoundAction::UnfreezeUser { user: user.clone() };
            let row = judged_account(tx, turn, &user, &act).await?;
            service.thaw(tx, turn, &row).await
        })
        .await
    }

    /// Ends a freeze, if there is one, with what it has kept out, and tells its owner.
    async fn thaw(&self, tx: &mut Tx<'_>, turn: &Turn, row: &User) -> Result<Frozen, Failure> {
        let mut report = report(false, 0);
        if row.frozen_at.is_some() {
            let plan = &self.settings.recovery_plan;
            report.recoveries_stopped = stop_answered(tx, plan, row, None, turn.now).await?;
            turn.about(format!(
                "account {}; recoveries stopped: {}",
                row.name, report.recoveries_stopped
            ));
            users::set_frozen(tx, &row.tenant, &row.name, None).await?;
            self.tell(tx, turn.news(&row.name, Happening::AccountUnfrozen)?).await?;
        }
        Ok(report)
    }
}

/// Somebody's account, which an administrator may stop or let go: their passkey is as old as the account, or a day. *A
/// minutes-old administrator, or whoever has an administrator's ten minutes, would stop all the others.*
async fn judged_account(
    tx: &mut Tx<'_>,
    turn: &Turn,
    user: &UserName,
    act: &BoundAction,
) -> Result<User, Failure> {
    let found = users::find(tx, turn.tenant(), user).await?;
    turn.authorize(tx, &account_object(turn, user, found.as_ref()), Some(act)).await?;
    Ok(found.ok_or(Refusal::NotFound)?)
}

/// An account as an object of `authorize`.
pub(super) fn account_object(turn: &Turn, user: &UserName, found: Option<&User>) -> Object {
    let (tenant, user) = (turn.tenant().clone(), user.clone());
    match found {
        Some(row) => Object::Account { tenant, user, since: row.created_at },
        None => Object::Owned { tenant, user },
    }
}

pub(super) fn report(frozen: bool, ended: u64) -> Frozen {
    let sessions_ended = u32::try_from(ended).unwrap_or(u32::MAX);
    Frozen { frozen, sessions_ended, recoveries_stopped: 0 }
}

impl Turn {
    /// Refuses who could not do this to anything at all: so that "not found" never tells a caller
    /// without the right whether the thing exists.
    ///
    /// # Errors
    /// The refusal.
    pub(super) fn refuse_strangers_first(&self) -> Result<(), Failure> {
        match self.judge(&self.own()?, None, self.now.into()) {
            // A step-up for this very act is judged with the act in hand.
            Ok(()) | Err(Refusal::StepUpForAnotherAct | Refusal::Probation { .. }) => {
                // What refuses after this is not what was decided here.
                self.judged();
                Ok(())
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// The strength of the session in hand.
    pub fn strength(&self) -> Option<AuthStrength> {
        self.caller.session.as_ref().map(|session| session.strength)
    }
}
