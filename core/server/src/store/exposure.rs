//! What a lost device did, and what it could have read.

use super::audit_list::{Before, SCAN_MAX};
use super::{Row, StoreError, Tx, params};
use landfall_identity::secret::SecretName;
use landfall_identity::{DeviceName, TenantName, Timestamp, UserName};

/// Whose device.
pub struct Of<'a> {
    /// Where.
    pub tenant: &'a TenantName,
    /// Whose.
    pub user: &'a UserName,
    /// Which.
    pub device: &'a DeviceName,
}

/// Something that a device did.
pub struct Act {
    /// The row of the audit.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: String,
    /// On what.
    pub target: String,
    /// How it ended.
    pub outcome: String,
    /// The session's strength.
    pub strength: Option<String>,
    /// Where the request came from, unless erased.
    pub source: Option<String>,
}

/// What a page of acts found, and where it stopped although older rows remain.
pub struct Acts {
    /// Newest first.
    pub rows: Vec<Act>,
    /// Where to go on.
    pub stopped_at: Option<Before>,
}

/// What a device did since a time, newest first, without what only looks: sessions, secrets, and whatever
/// changed something. Looks at [`SCAN_MAX`] rows of its user at the most.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn acts(
    tx: &mut Tx<'_>,
    of: &Of<'_>,
    since: Timestamp,
    before: &Before,
    limit: u32,
) -> Result<Acts, StoreError> {
    let Of { tenant, user, device } = of;
    let (at, id) = (before.0, before.1.as_str());
    let end = tx
        .one(
            "SELECT at, id FROM audit_events
             WHERE tenant = $1 AND actor_user = $2 AND (at, id) < ($3, $4) AND at >= $5
             ORDER BY at DESC, id DESC LIMIT 1 OFFSET $6",
            params![tenant.as_str(), user.as_str(), at, id, since, SCAN_MAX],
        )
        .await?;
    let end: Option<Before> =
        end.map(|row| Ok::<_, StoreError>((row.get(0)?, row.get(1)?))).transpose()?;
    let (end_at, end_id) =
        end.clone().unwrap_or_else(|| (Timestamp::from_millis(i64::MIN), String::new()));
    let found = tx
        .all(
            "SELECT e.id, e.at, e.action, e.target, e.outcome, e.strength, p.source
             FROM audit_events e LEFT JOIN audit_personal p ON p.event = e.id
             WHERE e.tenant = $1 AND e.actor_user = $2 AND e.actor_device = $3
               AND (e.at, e.id) < ($4, $5) AND (e.at, e.id) >= ($6, $7) AND e.at >= $8
               AND (e.action = 'read-secret' OR (e.action NOT LIKE 'list-%'
                    AND e.action NOT LIKE 'read-%' AND e.action NOT LIKE 'review-%'
                    AND e.action NOT LIKE 'admin-list-%' AND e.action NOT LIKE 'begin-%'
                    AND e.action <> 'finish-ceremony'))
             ORDER BY e.at DESC, e.id DESC LIMIT $9",
            params![
                tenant.as_str(),
                user.as_str(),
                device.as_str(),
                at,
                id,
                end_at,
                end_id,
                since,
                limit + 1,
            ],
        )
        .await?;
    let mut rows = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let stopped_at = match rows.last() {
        Some(last) if more => Some((last.at, last.id.clone())),
        _ => end,
    };
    Ok(Acts { rows, stopped_at })
}

fn read(row: &Row) -> Result<Act, StoreError> {
    Ok(Act {
        id: row.get(0)?,
        at: row.get(1)?,
        action: row.get(2)?,
        target: row.get(3)?,
        outcome: row.get(4)?,
        strength: row.get(5)?,
        source: row.get(6)?,
    })
}

/// A secret that a device could read.
pub struct Exposed {
    /// Its name.
    pub name: SecretName,
    /// Since when it has its value.
    pub written_at: Timestamp,
    /// When the device last read it.
    pub read_at: Option<Timestamp>,
}

/// The user's secrets whose newest value is no younger than `until`, oldest first, after a place: that value is
/// what the device could read.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn exposed(
    tx: &mut Tx<'_>,
    of: &Of<'_>,
    until: Timestamp,
    after: (Timestamp, &str),
    limit: u32,
) -> Result<Vec<Exposed>, StoreError> {
    let Of { tenant, user, device } = of;
    // A reading's target is `secret NAME`, or that and ` version N`.
    let rows = tx
        .all(
            "SELECT v.name, v.written_at,
                    (SELECT MAX(e.at) FROM audit_events e
                     WHERE e.tenant = $1 AND e.actor_user = $2 AND e.actor_device = $3
                       AND e.action = 'read-secret' AND e.outcome = 'allow'
                       AND e.target = 'secret ' || v.name),
                    (SELECT MAX(e.at) FROM secret_versions o JOIN audit_events e
                       ON e.tenant = $1 AND e.actor_user = $2 AND e.actor_device = $3
                       AND e.action = 'read-secret' AND e.outcome = 'allow'
                       AND e.target = 'secret ' || o.name || ' version ' || CAST(o.version AS TEXT)
                     WHERE o.tenant = v.tenant AND o.user_name = v.user_name AND o.name = v.name)
             FROM secret_versions v
             WHERE v.tenant = $1 AND v.user_name = $2 AND v.written_at <= $4
               AND v.version = (SELECT MAX(n.version) FROM secret_versions n
                                WHERE n.tenant = v.tenant AND n.user_name = v.user_name
                                  AND n.name = v.name)
               AND (v.written_at, v.name) > ($5, $6)
             ORDER BY v.written_at, v.name LIMIT $7",
            params![
                tenant.as_str(),
                user.as_str(),
                device.as_str(),
                until,
                after.0,
                after.1,
                limit,
            ],
        )
        .await?;
    let read = |row: &Row| {
        let (newest, version): (Option<Timestamp>, Option<Timestamp>) = (row.get(2)?, row.get(3)?);
        Ok(Exposed { name: row.parse(0)?, written_at: row.get(1)?, read_at: newest.max(version) })
    };
    rows.iter().map(read).collect()
}
