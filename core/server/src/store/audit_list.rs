//! Listing the audit for people. Appending is in [`super::audit`], sealing in [`super::audit_log`].

use super::{Row, StoreError, Tx, params};
use landfall_identity::{TenantName, Timestamp, UserName};

/// Rows that one page of a filtered list looks at, at the most: a filter that matches little must not
/// walk through years.
pub const SCAN_MAX: u32 = 5_000;

/// One row as a person reads it. Codes are texts: rows of other versions still render.
pub struct Listed {
    /// Its identifier.
    pub id: String,
    /// Its place in the sealed log.
    pub seq: Option<u64>,
    /// When.
    pub at: Timestamp,
    /// Where.
    pub tenant: String,
    /// Who.
    pub actor: String,
    /// Whether as a master or as an agent; absent where nobody known acted, and in older rows.
    pub actor_role: Option<String>,
    /// The capability that they were given, or acted with.
    pub capability: Option<String>,
    /// On which machine, where it is one's own name that says so.
    pub machine: Option<String>,
    /// On whose behalf, nearest first.
    pub parents: Vec<String>,
    /// What.
    pub action: String,
    /// On what.
    pub target: String,
    /// How it ended.
    pub outcome: String,
    /// Why.
    pub reason: Option<String>,
    /// The session's strength.
    pub strength: Option<String>,
    /// The session.
    pub session: Option<String>,
    /// The request.
    pub request: Option<String>,
    /// Which rule decided, where that was noted.
    pub rule: Option<String>,
    /// Where the request came from, unless erased.
    pub source: Option<String>,
    /// What the client called itself, unless erased.
    pub user_agent: Option<String>,
}

/// Which rows; `None` is any.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this user.
    pub user: Option<UserName>,
    /// Of this device.
    pub device: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// With this outcome.
    pub outcome: Option<String>,
    /// At or after this instant.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// Of principals under this prefix, which ends at a segment's border.
    pub actor: Option<String>,
    /// Of principals under this one as well: their kind.
    pub kind: Option<String>,
    /// Of principals under this prefix, or of those who act on their behalf.
    pub behalf: Option<String>,
}

/// A place in a list that runs backwards in time: the rows strictly before it.
pub type Before = (Timestamp, String);

/// What a page of the list found.
pub struct Found {
    /// Matching rows, newest first.
    pub rows: Vec<Listed>,
    /// Where the search stopped although older rows remain.
    pub stopped_at: Option<Before>,
}

// What follows a prefix is a slash, and '0' is the character after it: a range, without LIKE's own mind
// about upper case and underscores.
macro_rules! listing {
    ($whose:literal) => {
        concat!(
            "SELECT e.id, e.seq, e.at, e.tenant, e.actor, e.parents, e.action, e.target, e.outcome,
                 e.reason, e.strength, e.session, e.request, p.source, p.user_agent, e.rule,
                 e.actor_role, e.actor_device, e.capability
             FROM audit_events e LEFT JOIN audit_personal p ON p.event = e.id
             WHERE e.tenant = $1 AND (e.at, e.id) < ($2, $3) AND (e.at, e.id) >= ($4, $5)
               AND e.at >= $6 AND ",
            $whose,
            " AND ($8 IS NULL OR e.actor_device = $8)
               AND ($9 IS NULL OR e.action = $9) AND ($10 IS NULL OR e.outcome = $10)
               AND ($12 IS NULL OR e.at < $12)
               AND ($13 IS NULL OR e.actor = $13
                    OR (e.actor > $13 || '/' AND e.actor < $13 || '0'))
               AND ($14 IS NULL OR e.actor = $14
                    OR (e.actor > $14 || '/' AND e.actor < $14 || '0'))
               AND ($15 IS NULL
                    OR instr(' ' || replace(e.actor || ' ' || e.parents, ' ', '/ ') || '/',
                             ' ' || $15 || '/') > 0)
             ORDER BY e.at DESC, e.id DESC LIMIT $11"
        )
    };
}

/// At most `limit` rows of a tenant before a place, newest first, among the next [`SCAN_MAX`].
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    filter: &Filter,
    before: &Before,
    limit: u32,
) -> Result<Found, StoreError> {
    let end = scan_end(tx, tenant, filter, before).await?;
    let (end_at, end_id) = match &end {
        Some((at, id)) => (at.millis(), id.clone()),
        None => (i64::MIN, String::new()),
    };
    let since = filter.since.unwrap_or(Timestamp::from_millis(i64::MIN));
    // A user's rows have an index of their own, which `OR` would hide from the planner.
    let sql = match filter.user {
        Some(_) => listing!("e.actor_user = $7"),
        None => listing!("$7 IS NULL"),
    };
    let found = tx
        .all(
            sql,
            params![
                tenant.as_str(),
                before.0,
                before.1.as_str(),
                end_at,
                end_id,
                since,
                filter.user.as_ref().map(UserName::as_str),
                filter.device.as_deref(),
                filter.action.as_deref(),
                filter.outcome.as_deref(),
                limit + 1,
                filter.until,
                filter.actor.as_deref(),
                filter.kind.as_deref(),
                filter.behalf.as_deref(),
            ],
        )
        .await?;
    let mut rows = found.iter().map(listed).collect::<Result<Vec<_>, _>>()?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let stopped_at = match rows.last() {
        Some(last) if more => Some((last.at, last.id.clone())),
        _ => end,
    };
    Ok(Found { rows, stopped_at })
}

/// The last row that one page looks at; `None` when it reaches the end.
async fn scan_end(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    filter: &Filter,
    before: &Before,
) -> Result<Option<Before>, StoreError> {
    let since = filter.since.unwrap_or(Timestamp::from_millis(i64::MIN));
    let (at, id) = (before.0, before.1.as_str());
    let row = match &filter.user {
        // The user's rows are found by their index: only those count.
        Some(user) => {
            tx.one(
                "SELECT at, id FROM audit_events
                 WHERE tenant = $1 AND actor_user = $2 AND (at, id) < ($3, $4) AND at >= $5
                 ORDER BY at DESC, id DESC LIMIT 1 OFFSET $6",
                params![tenant.as_str(), user.as_str(), at, id, since, SCAN_MAX],
            )
            .await?
        }
        None => {
            tx.one(
                "SELECT at, id FROM audit_events
                 WHERE tenant = $1 AND (at, id) < ($2, $3) AND at >= $4
                 ORDER BY at DESC, id DESC LIMIT 1 OFFSET $5",
                params![tenant.as_str(), at, id, since, SCAN_MAX],
            )
            .await?
        }
    };
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

fn listed(row: &Row) -> Result<Listed, StoreError> {
    let parents: String = row.get(5)?;
    Ok(Listed {
        id: row.get(0)?,
        seq: row.get(1)?,
        at: row.get(2)?,
        tenant: row.get(3)?,
        actor: row.get(4)?,
        parents: parents.split_whitespace().map(str::to_owned).collect(),
        action: row.get(6)?,
        target: row.get(7)?,
        outcome: row.get(8)?,
        reason: row.get(9)?,
        strength: row.get(10)?,
        session: row.get(11)?,
        request: row.get(12)?,
        source: row.get(13)?,
        user_agent: row.get(14)?,
        rule: row.get(15)?,
        actor_role: row.get(16)?,
        machine: row.get(17)?,
        capability: row.get(18)?,
    })
}
