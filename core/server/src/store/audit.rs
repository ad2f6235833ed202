//! Appending to the audit, in the transaction of the act.

use super::{StoreError, Tx, params};
use landfall_crypto::secret::sha256_of;
use landfall_identity::audit::{Actor, AuditEvent, Personal};
use landfall_identity::caller::ActorRole;

/// Writes one row. `salt` hides the personal fields behind their hash: erasing the side row leaves
/// the log whole and tells nothing.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn append(tx: &mut Tx<'_>, event: &AuditEvent, salt: [u8; 16]) -> Result<(), StoreError> {
    let (actor, user, device) = names_of(&event.actor);
    let parents: Vec<String> = event.parents.iter().map(ToString::to_string).collect();
    tx.run(
        "INSERT INTO audit_events (id, at, tenant, actor, actor_user, actor_device, parents, action,
             target, outcome, reason, strength, session, request, personal_hash, rule,
             actor_role, capability)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        params![
            event.id.as_str(),
            event.at,
            event.tenant.as_str(),
            actor,
            user,
            device,
            parents.join(" "),
            event.action.as_str(),
            event.target.as_str(),
            event.outcome.as_str(),
            event.reason.as_deref(),
            event.strength.map(|strength| strength.as_str()),
            event.session.as_ref().map(|session| session.as_str()),
            event.request.as_ref().map(|request| request.as_str()),
            personal_hash(&salt, &event.personal).as_slice(),
            event.rule.as_deref(),
            event.actor.role(&event.parents).map(ActorRole::as_str),
            event.capability.as_deref(),
        ],
    )
    .await?;
    tx.run(
        "INSERT INTO audit_personal (event, salt, source, user_agent) VALUES ($1, $2, $3, $4)",
        params![
            event.id.as_str(),
            salt.as_slice(),
            event.personal.source.as_deref(),
            event.personal.user_agent.as_deref(),
        ],
    )
    .await?;
    Ok(())
}

/// What a row commits to of its personal fields: each preceded by its length, after the salt.
pub fn personal_hash(salt: &[u8], personal: &Personal) -> [u8; 32] {
    let source = personal.source.as_deref().unwrap_or_default();
    let agent = personal.user_agent.as_deref().unwrap_or_default();
    let text = format!("{}:{source}{}:{agent}", source.len(), agent.len());
    sha256_of(&[b"landfall/audit-personal/v1\0", salt, text.as_bytes()])
}

fn names_of(actor: &Actor) -> (String, Option<String>, Option<String>) {
    match actor {
        Actor::Principal(id) => {
            let (user, device) = (id.principal.user(), id.principal.machine());
            (id.to_string(), user.map(ToString::to_string), device.map(ToString::to_string))
        }
        Actor::Stranger => ("stranger".into(), None, None),
        Actor::Server => ("server".into(), None, None),
    }
}
