//! Erasing what is personal in the audit.

use crate::failure::Failure;
use crate::store::audit_log::{self, EventKey};
use crate::store::{self, Lane, Store, Tx};
use landfall_crypto::Ambient;
use landfall_identity::audit::AuditEvent;
use landfall_identity::id::AuditId;
use landfall_identity::{TenantName, Timestamp, UserName};

/// Rows that one step looks at.
const STEP_ROWS: u32 = 200;
/// The erasure's own code in the audit.
const ACTION: &str = "erase-personal";

/// Erases source addresses and user agents from all of a user's audit rows, and says in the audit that
/// it did. What happened, and its proof, stays. Answers how many rows were touched.
///
/// # Errors
/// [`Failure`] from the store; calling again goes on.
pub async fn erase_personal(
    store: &Store,
    ambient: &Ambient,
    tenant: &TenantName,
    user: &UserName,
) -> Result<u64, Failure> {
    let mut after: Option<EventKey> = Some((Timestamp::from_millis(i64::MIN), String::new()));
    let mut erased = 0;
    while let Some(place) = after {
        let (tenant, user) = (tenant.clone(), user.clone());
        let work = async move |tx: &mut Tx<'_>| {
            Ok(audit_log::erase_personal(tx, &tenant, &user, &place, STEP_ROWS).await?)
        };
        let step = store.write(Lane::Known, work, async |_: &mut Tx<'_>, _: &_| Ok(())).await?;
        erased += step.rows;
        after = step.next;
    }
    let (home, owner) = (tenant.clone(), user.clone());
    let forget =
        async move |tx: &mut Tx<'_>| Ok(store::notices::erase_sources(tx, &home, &owner).await?);
    store.write(Lane::Known, forget, async |_: &mut Tx<'_>, _: &_| Ok(())).await?;
    let event = event_of(ambient, tenant, user);
    let salt = ambient.random();
    let work = async move |tx: &mut Tx<'_>| Ok(store::audit::append(tx, &event, salt).await?);
    store.write(Lane::Known, work, async |_: &mut Tx<'_>, _: &_| Ok(())).await?;
    Ok(erased)
}

fn event_of(ambient: &Ambient, tenant: &TenantName, user: &UserName) -> AuditEvent {
    let id = AuditId::from_bits(ambient.row_bits());
    AuditEvent::by_server(id, ambient.now(), tenant.clone(), ACTION, format!("user {user}"))
}
