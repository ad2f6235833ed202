//! The tenant's people, as an administrator sees them: never what they keep.

use super::{RequestContext, Service, Turn, page};
use crate::failure::Failure;
use crate::store::{Tx, enrollments, passkeys, users};
use landfall_protocol::admin::UserInfo;
use landfall_protocol::{Page, PageQuery};

impl Service {
    /// The tenant's users, by name.
    ///
    /// # Errors
    /// A refusal.
    pub async fn admin_list_users(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<UserInfo>, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let [after] = page::read_text_cursor::<1>(query.after.as_deref())?;
            let rows = users::list(tx, turn.tenant(), &after, limit + 1).await?;
            let next = |user: &users::User| page::text_cursor(&[user.name.as_str()]);
            let page = page::cut(rows, limit, next, Clone::clone);
            let mut items = Vec::with_capacity(page.items.len());
            for user in page.items {
                items.push(user_info(tx, user).await?);
            }
            Ok(Page { items, next: page.next })
        })
        .await
    }
}

/// A user as an administrator sees them.
pub(super) async fn user_info(tx: &mut Tx<'_>, user: users::User) -> Result<UserInfo, Failure> {
    Ok(UserInfo {
        active_devices: enrollments::count_active(tx, &user.tenant, &user.name).await?,
        passkeys: passkeys::count_usable(tx, &user.tenant, &user.name).await?,
        role: user.role,
        frozen: user.frozen_at.is_some(),
        stopped_by_admin: user.frozen_by_admin,
        stopped_by: user.frozen_by,
        created_at: user.created_at.into(),
        name: user.name,
    })
}
