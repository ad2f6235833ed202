//! What people may do in the tenant, and who says so.

use super::last_admin::LastAdmin;
use super::readiness_facts::ADMINISTRATORS_MAX;
use super::{RequestContext, Service, Turn, admin};
use crate::failure::Failure;
use crate::store::users::{self, User};
use crate::store::{StoreError, Tx};
use landfall_identity::authorize::Object;
use landfall_identity::notice::Happening;
use landfall_identity::{BoundAction, Refusal, Role, TenantName, UserName};
use landfall_protocol::admin::{RoleSetRequest, UserInfo};

/// What a change of this user's role is about: their role, if they exist.
///
/// # Errors
/// The database.
pub(super) async fn object(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<Option<Object>, StoreError> {
    Ok(users::find(tx, tenant, user).await?.as_ref().map(object_of))
}

fn object_of(user: &User) -> Object {
    Object::Role { tenant: user.tenant.clone(), user: user.name.clone(), since: user.created_at }
}

/// Whether taking this user's role from them would leave no administrator at all: then whoever reaches
/// the server first could claim it.
///
/// # Errors
/// [`Refusal::LastAdmin`].
pub(super) async fn is_not_the_only_admin(tx: &mut Tx<'_>, user: &User) -> Result<(), Failure> {
    let admins = users::admins(tx, &user.tenant, 2).await?;
    match admins.iter().all(|admin| admin.name == user.name) {
        true => Err(Refusal::LastAdmin.into()),
        false => Ok(()),
    }
}

/// Whether a tenant has as many administrators as it may. All of them are told of one another, and looked at when
/// somebody must be left: *a hundred who never act would hide the one who does.*
///
/// # Errors
/// The database.
pub(super) async fn is_full(tx: &mut Tx<'_>, tenant: &TenantName) -> Result<bool, StoreError> {
    let there = users::admins(tx, tenant, ADMINISTRATORS_MAX).await?;
    Ok(there.len() >= ADMINISTRATORS_MAX as usize)
}

/// Whether there may be one more of a role.
///
/// # Errors
/// There are [`ADMINISTRATORS_MAX`] administrators.
pub(super) async fn has_room(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    role: Role,
) -> Result<(), Failure> {
    if role != Role::Admin || !is_full(tx, tenant).await? {
        return Ok(());
    }
    let why = format!(
        "There are {ADMINISTRATORS_MAX} administrators, which is the most. Somebody's role can be taken first: \
         landfall admin role set NAME member."
    );
    Err(Failure::invalid("role", why))
}

impl Service {
    /// Gives somebody another role, after an administrator has approved exactly that. What they may do is
    /// read with every request, so it holds at once. The same role again changes nothing.
    ///
    /// # Errors
    /// A refusal; [`Refusal::LastAdmin`]; [`Refusal::Probation`] for a passkey younger than the user.
    pub async fn set_role(
        &self,
        request: RequestContext,
        user: UserName,
        body: RoleSetRequest,
    ) -> Result<UserInfo, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let role = body.role;
            turn.about(format!("role of {user}: {}", role.as_str()));
            let Some(mut found) = users::find(tx, turn.tenant(), &user).await? else {
                turn.refuse_strangers_first()?;
                return Err(Refusal::NotFound.into());
            };
            turn.about(format!("role of {user}: {} to {}", found.role.as_str(), role.as_str()));
            let act = BoundAction::SetRole { user: user.clone(), role };
            turn.authorize(tx, &object_of(&found), Some(&act)).await?;
            if found.role != role {
                service.change_role(tx, turn, &found, role).await?;
                found.role = role;
            }
            admin::user_info(tx, found).await
        })
        .await
    }

    async fn change_role(
        &self,
        tx: &mut Tx<'_>,
        turn: &Turn,
        user: &User,
        role: Role,
    ) -> Result<(), Failure> {
        let view = self.view();
        has_room(tx, &user.tenant, role).await?;
        let guard = LastAdmin::before(tx, &view, &user.tenant, &user.name, turn.now).await?;
        if user.role == Role::Admin {
            is_not_the_only_admin(tx, user).await?;
        }
        users::set_role(tx, &user.tenant, &user.name, role, turn.now).await?;
        guard.after(tx, &view).await?;
        if role == Role::Admin {
            let news = turn.news(&user.name, Happening::AdminAdded { user: user.name.clone() })?;
            self.tell_other_admins(tx, news).await?;
        }
        self.tell(tx, turn.news(&user.name, Happening::RoleChanged { role })?).await
    }
}
