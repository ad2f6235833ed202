//! Reading the audit.

use super::{RequestContext, Service, Turn, page};
use crate::audit::erase;
use crate::failure::Failure;
use crate::store::audit_list::{self, Before, Filter, Found, Listed};
use crate::store::{StoreError, Tx, users};
use landfall_identity::audit::Outcome;
use landfall_identity::authorize::Object;
use landfall_identity::spiffe::{PrincipalKind, SpiffePrefix, TrustDomain};
use landfall_identity::{DeviceName, Refusal, TenantName, Timestamp, UserName};
use landfall_protocol::audit::{AuditQuery, AuditRow};
use landfall_protocol::{At, Page};

/// The longest action code that a filter may name.
const ACTION_MAX: usize = 64;

impl Service {
    /// The caller's own audit rows, newest first. A page may be short, or empty, although older rows
    /// remain: `next` says so.
    ///
    /// # Errors
    /// A filter that is none; another user's name.
    pub async fn list_audit(
        &self,
        request: RequestContext,
        query: AuditQuery,
    ) -> Result<Page<AuditRow>, Failure> {
        let asked = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                turn.authorize(tx, &turn.own()?, None).await?;
                let mut asked = Asked::read(&query, turn.trust_domain(), turn.tenant())?;
                let own = turn.user()?;
                if asked.filter.user.as_ref().is_some_and(|user| user != own) {
                    let why = "Only administrators may ask for the rows of others.";
                    return Err(Failure::invalid("user", why));
                }
                // One's own rows; or, asked for, those of whoever acts on one's behalf.
                let mine =
                    format!("spiffe://{}/tenant/{}/user/{own}", turn.trust_domain(), turn.tenant());
                let within = |text: &str| {
                    text == mine
                        || text.strip_prefix(&mine).is_some_and(|rest| rest.starts_with('/'))
                };
                match &asked.filter.behalf {
                    Some(behalf) if within(behalf) => {}
                    None if asked.filter.kind.is_some() => asked.filter.behalf = Some(mine),
                    _ => asked.filter.user = Some(own.clone()),
                }
                Ok(asked)
            })
            .await?;
        self.page_of_audit(asked).await
    }

    /// The tenant's audit rows, newest first. A page may be short, or empty, although older rows
    /// remain: `next` says so.
    ///
    /// # Errors
    /// A filter that is none.
    pub async fn admin_list_audit(
        &self,
        request: RequestContext,
        query: AuditQuery,
    ) -> Result<Page<AuditRow>, Failure> {
        let asked = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                turn.about(
                    query
                        .user
                        .as_deref()
                        .map(|user| format!("user {user:.64}"))
                        .unwrap_or_default(),
                );
                turn.authorize(tx, &Object::Own, None).await?;
                Asked::read(&query, turn.trust_domain(), turn.tenant())
            })
            .await?;
        self.page_of_audit(asked).await
    }

    /// Erases source addresses and user agents from all of a user's audit rows, and says in the audit
    /// that it did. What happened, and its proof, stays. Answers how many rows were touched.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when there never was such a user.
    pub async fn erase_personal(&self, user: &UserName) -> Result<u64, Failure> {
        let tenant = &self.settings.tenant;
        let find = async |tx: &mut Tx<'_>| users::find(tx, tenant, user).await;
        self.store.read(find).await?.ok_or(Refusal::NotFound)?;
        erase::erase_personal(&self.store, &self.ambient, tenant, user).await
    }

    /// Reads beside the writer: a search through years must not stand in front of other people. That
    /// it was asked for is on record by then.
    async fn page_of_audit(&self, asked: Asked) -> Result<Page<AuditRow>, Failure> {
        let Asked { tenant, filter, before, limit } = asked;
        let read = async |tx: &mut Tx<'_>| -> Result<Found, StoreError> {
            audit_list::list(tx, &tenant, &filter, &before, limit).await
        };
        let found = self.store.read(read).await?;
        Ok(Page {
            items: found.rows.into_iter().map(row).collect(),
            next: found.stopped_at.map(|(at, id)| page::time_cursor_text(at, &id)),
        })
    }
}

/// A query, checked.
struct Asked {
    tenant: TenantName,
    filter: Filter,
    before: Before,
    limit: u32,
}

impl Asked {
    fn read(
        query: &AuditQuery,
        domain: &TrustDomain,
        tenant: &TenantName,
    ) -> Result<Self, Failure> {
        let user = query.user.as_deref().map(UserName::parse).transpose();
        let device = query.device.as_deref().map(DeviceName::parse).transpose();
        let filter = Filter {
            user: user.map_err(|error| Failure::invalid("user", error.to_string()))?,
            device: device
                .map_err(|error| Failure::invalid("device", error.to_string()))?
                .map(String::from),
            action: query.action.clone().map(action).transpose()?,
            outcome: query.outcome.as_deref().map(outcome).transpose()?,
            since: query.since.as_deref().map(|text| time(text, "since")).transpose()?,
            until: query.until.as_deref().map(|text| time(text, "until")).transpose()?,
            actor: query.actor.as_deref().map(|text| prefix(text, "actor")).transpose()?,
            behalf: query.behalf.as_deref().map(|text| prefix(text, "behalf")).transpose()?,
            kind: query.kind.as_deref().map(|text| kind(text, domain, tenant)).transpose()?,
        };
        Ok(Self {
            tenant: tenant.clone(),
            filter,
            before: page::time_cursor(query.after.as_deref())?,
            limit: page::limit(query.limit)?,
        })
    }
}

/// Any code, not only those of this version: rows of other versions can be asked for too.
fn action(code: String) -> Result<String, Failure> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    match (1..=ACTION_MAX).contains(&code.len()) && code.bytes().all(plain) {
        true => Ok(code),
        false => Err(Failure::invalid("action", "Use an action's code, such as read-secret.")),
    }
}

fn outcome(text: &str) -> Result<String, Failure> {
    [Outcome::Allow, Outcome::Deny, Outcome::Error]
        .into_iter()
        .find(|outcome| outcome.as_str() == text)
        .map(|outcome| outcome.as_str().to_owned())
        .ok_or_else(|| Failure::invalid("outcome", "It is allow, deny or error."))
}

/// A time that a query names.
///
/// # Errors
/// One that is none.
pub(super) fn since(text: &str) -> Result<Timestamp, Failure> {
    time(text, "since")
}

fn time(text: &str, field: &'static str) -> Result<Timestamp, Failure> {
    At::parse(text).map(|at| at.0).ok_or_else(|| {
        Failure::invalid(field, "Use an RFC 3339 time, such as 2026-11-21T14:32:00Z.")
    })
}

fn prefix(text: &str, field: &'static str) -> Result<String, Failure> {
    let parsed = SpiffePrefix::parse(text);
    parsed.map(String::from).map_err(|error| Failure::invalid(field, format!("{error}.")))
}

/// A kind of actor, as the beginning of what stands in its rows.
fn kind(text: &str, domain: &TrustDomain, tenant: &TenantName) -> Result<String, Failure> {
    if ["stranger", "server"].contains(&text) {
        return Ok(text.to_owned());
    }
    let kind = PrincipalKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    let why = "It is human, provisioned-device, workload, agent, stranger or server.";
    kind.map(|kind| format!("spiffe://{domain}/tenant/{tenant}/{}", kind.segment()))
        .ok_or_else(|| Failure::invalid("kind", why))
}

fn row(listed: Listed) -> AuditRow {
    AuditRow {
        id: listed.id,
        seq: listed.seq,
        at: At(listed.at),
        tenant: listed.tenant,
        actor: listed.actor,
        actor_role: listed.actor_role,
        machine: listed.machine,
        capability: listed.capability,
        parents: listed.parents,
        action: listed.action,
        target: listed.target,
        outcome: listed.outcome,
        reason: listed.reason,
        auth_strength: listed.strength,
        session: listed.session,
        request_id: listed.request,
        rule: listed.rule,
        source: listed.source,
        user_agent: listed.user_agent,
    }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
