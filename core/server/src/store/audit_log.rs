//! The audit as a log: sealing it, reading it for proof, and erasing what is personal in it.

use super::{Row, StoreError, Tx, Value, params};
use landfall_crypto::merkle::{Frontier, Hash};
use landfall_identity::{TenantName, Timestamp, UserName};

/// What a leaf of the log is made of, in the order of its encoding: every column of a row but its
/// place and its own hash. Rule, actor's role and capability stand before the last one. A row with a capability
/// has all of them. One without has no place for it; and where it has no role either, being of before roles were
/// noted, or nobody's, it has the leaf that it always had: without the role, and without the rule where there is
/// none. So a leaf has 15 to 18 columns, and none can pass for another.
const SEALED_COLUMNS: usize = 18;
/// Where the rule stands among them.
const RULE: usize = 14;
/// Where the actor's role does.
const ROLE: usize = 15;
/// Where the capability does.
const CAPABILITY: usize = 16;

fn sealed_columns(mut columns: Vec<Value>) -> Vec<Value> {
    if columns.get(CAPABILITY) != Some(&Value::Null) {
        return columns;
    }
    columns.remove(CAPABILITY);
    if columns.get(ROLE) == Some(&Value::Null) {
        columns.remove(ROLE);
        if columns.get(RULE) == Some(&Value::Null) {
            columns.remove(RULE);
        }
    }
    columns
}

/// A row that waits for its place.
pub struct Unsealed {
    /// The order of writing.
    pub ordinal: i64,
    /// The sealed columns.
    pub columns: Vec<Value>,
}

/// The first rows that have no place yet, in the order of writing.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn unsealed(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Unsealed>, StoreError> {
    let rows = tx
        .all(
            "SELECT id, at, tenant, actor, actor_user, actor_device, parents, action, target, outcome,
                 reason, strength, session, request, rule, actor_role, capability, personal_hash,
                 ordinal
             FROM audit_events WHERE seq IS NULL ORDER BY ordinal LIMIT $1",
            params![limit],
        )
        .await?;
    rows.into_iter()
        .map(|row| {
            let ordinal = row.get(SEALED_COLUMNS)?;
            let mut columns = row.0;
            columns.truncate(SEALED_COLUMNS);
            Ok(Unsealed { ordinal, columns: sealed_columns(columns) })
        })
        .collect()
}

/// How far the log is sealed.
pub struct Head {
    /// What is needed to go on.
    pub frontier: Frontier,
    /// Who seals.
    pub holder: String,
    /// Until when nobody else does.
    pub held_until: Timestamp,
}

/// Reads the head.
///
/// # Errors
/// [`StoreError::Shape`] when it does not fit together.
pub async fn head(tx: &mut Tx<'_>) -> Result<Head, StoreError> {
    let row = tx
        .one("SELECT size, peaks, holder, held_until FROM audit_head WHERE name = 'log'", &[])
        .await?
        .ok_or(StoreError::Shape { column: 0 })?;
    let peaks: Vec<u8> = row.get(1)?;
    let (peaks, rest) = peaks.as_chunks::<32>();
    let frontier = Frontier::from_parts(row.get(0)?, peaks.to_vec())
        .filter(|_| rest.is_empty())
        .ok_or(StoreError::Shape { column: 1 })?;
    Ok(Head { frontier, holder: row.get(2)?, held_until: row.get(3)? })
}

/// Who seals, and how long.
pub struct Lease {
    /// The node.
    pub holder: String,
    /// When it asks.
    pub now: Timestamp,
    /// Until when nobody else may.
    pub until: Timestamp,
}

/// Moves the head from `from` to `frontier`, when it still stands there and nobody else holds it.
/// Tells whether it did.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn advance(
    tx: &mut Tx<'_>,
    from: u64,
    frontier: &Frontier,
    lease: &Lease,
) -> Result<bool, StoreError> {
    let moved = tx
        .run(
            "UPDATE audit_head SET size = $1, peaks = $2, holder = $3, held_until = $4
             WHERE name = 'log' AND size = $5 AND (holder = $3 OR held_until <= $6)",
            params![
                number(frontier.size()),
                frontier.peaks().concat(),
                lease.holder.as_str(),
                lease.until,
                number(from),
                lease.now,
            ],
        )
        .await?;
    Ok(moved == 1)
}

/// Ends a node's lease, when it holds one; whoever's, for the start of a server: see
/// [`super::outbox::release_all`].
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn release(tx: &mut Tx<'_>, holder: Option<&str>) -> Result<(), StoreError> {
    let sql = "UPDATE audit_head SET held_until = 0
               WHERE name = 'log' AND ($1 IS NULL OR holder = $1)";
    tx.run(sql, params![holder]).await?;
    Ok(())
}

/// Gives a row its place; tells whether it had none.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn place(
    tx: &mut Tx<'_>,
    ordinal: i64,
    seq: u64,
    leaf: &Hash,
) -> Result<bool, StoreError> {
    let placed = tx
        .run(
            "UPDATE audit_events SET seq = $1, leaf = $2 WHERE ordinal = $3 AND seq IS NULL",
            params![number(seq), leaf.as_slice(), ordinal],
        )
        .await?;
    Ok(placed == 1)
}

/// A checkpoint as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// Rows that it covers.
    pub size: u64,
    /// Their root.
    pub root: Vec<u8>,
    /// When it was signed.
    pub at: Timestamp,
    /// By the audit key.
    pub signature: Vec<u8>,
}

/// Keeps a checkpoint.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn keep_checkpoint(
    tx: &mut Tx<'_>,
    checkpoint: &StoredCheckpoint,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO audit_checkpoints (size, root, at, signature) VALUES ($1, $2, $3, $4)",
        params![
            number(checkpoint.size),
            checkpoint.root.as_slice(),
            checkpoint.at,
            checkpoint.signature.as_slice(),
        ],
    )
    .await?;
    Ok(())
}

/// Checkpoints of more than `size` rows, the smallest first.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn checkpoints_after(
    tx: &mut Tx<'_>,
    size: u64,
    limit: u32,
) -> Result<Vec<StoredCheckpoint>, StoreError> {
    let rows = tx
        .all(
            "SELECT size, root, at, signature FROM audit_checkpoints
             WHERE size > $1 ORDER BY size LIMIT $2",
            params![number(size), limit],
        )
        .await?;
    rows.iter().map(stored_checkpoint).collect()
}

/// Rows of the log, as the verifier reads them.
pub struct Sealed {
    /// Its place.
    pub seq: u64,
    /// Its hash, as stored.
    pub leaf: Value,
    /// The sealed columns, as they are now.
    pub columns: Vec<Value>,
    /// Salt, source and user agent of the side row; all NULL when it was erased.
    pub personal: [Value; 3],
}

/// Sealed rows after a place, in the order of their places.
///
/// # Errors
/// [`StoreError`] from the database; [`StoreError::Shape`] when a column holds a type that we never
/// write.
pub async fn sealed_after(
    tx: &mut Tx<'_>,
    seq: u64,
    limit: u32,
) -> Result<Vec<Sealed>, StoreError> {
    let rows = tx
        .all(
            "SELECT e.id, e.at, e.tenant, e.actor, e.actor_user, e.actor_device, e.parents, e.action,
                 e.target, e.outcome, e.reason, e.strength, e.session, e.request, e.rule,
                 e.actor_role, e.capability, e.personal_hash,
                 e.seq, e.leaf, p.salt, p.source, p.user_agent
             FROM audit_events e LEFT JOIN audit_personal p ON p.event = e.id
             WHERE typeof(e.seq) = 'integer' AND e.seq > $1 ORDER BY e.seq LIMIT $2",
            params![number(seq), limit],
        )
        .await?;
    rows.into_iter()
        .map(|row| {
            let seq = row.get(SEALED_COLUMNS)?;
            let mut columns = row.0;
            let mut rest = columns.split_off(SEALED_COLUMNS).into_iter().skip(1);
            let mut next = || rest.next().unwrap_or(Value::Null);
            let (leaf, personal) = (next(), [next(), next(), next()]);
            Ok(Sealed { seq, leaf, columns: sealed_columns(columns), personal })
        })
        .collect()
}

/// Hashes of the rows after place `from`, as far as place `to`.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn leaves(tx: &mut Tx<'_>, from: u64, to: u64) -> Result<Vec<Hash>, StoreError> {
    let rows = tx
        .all(
            "SELECT leaf FROM audit_events WHERE seq > $1 AND seq <= $2 ORDER BY seq",
            params![number(from), number(to)],
        )
        .await?;
    rows.iter().map(hash).collect()
}

fn hash(row: &Row) -> Result<Hash, StoreError> {
    let bytes: Vec<u8> = row.get(0)?;
    Hash::try_from(bytes.as_slice()).map_err(|_| StoreError::Shape { column: 0 })
}

/// The kept roots of the first `count` whole blocks, as far as they are kept without a gap.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn block_roots(tx: &mut Tx<'_>, count: u64) -> Result<Vec<Hash>, StoreError> {
    let rows = tx
        .all(
            "SELECT root FROM audit_blocks WHERE number < $1 ORDER BY number",
            params![number(count)],
        )
        .await?;
    rows.iter().map(hash).collect()
}

/// The last place of the sealed log.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn last_place(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let sql = "SELECT COALESCE(MAX(seq), 0) FROM audit_events WHERE typeof(seq) = 'integer'";
    let row = tx.one(sql, &[]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// How many roots of blocks are kept.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn blocks(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let row = tx.one("SELECT COALESCE(MAX(number) + 1, 0) FROM audit_blocks", &[]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Keeps the root of a block.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn keep_block(tx: &mut Tx<'_>, block: u64, root: &Hash) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO audit_blocks (number, root) VALUES ($1, $2) ON CONFLICT (number) DO NOTHING",
        params![number(block), root.as_slice()],
    )
    .await?;
    Ok(())
}

/// The checkpoint of exactly `size` rows; the newest when no size is given.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn checkpoint(
    tx: &mut Tx<'_>,
    size: Option<u64>,
) -> Result<Option<StoredCheckpoint>, StoreError> {
    let row = tx
        .one(
            "SELECT size, root, at, signature FROM audit_checkpoints
             WHERE $1 IS NULL OR size = $1 ORDER BY size DESC LIMIT 1",
            params![size.map(number)],
        )
        .await?;
    row.as_ref().map(stored_checkpoint).transpose()
}

fn stored_checkpoint(row: &Row) -> Result<StoredCheckpoint, StoreError> {
    Ok(StoredCheckpoint {
        size: row.get(0)?,
        root: row.get(1)?,
        at: row.get(2)?,
        signature: row.get(3)?,
    })
}

/// Whose row stands at a place.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn owner_at(
    tx: &mut Tx<'_>,
    seq: u64,
) -> Result<Option<(TenantName, Option<UserName>)>, StoreError> {
    let row = tx
        .one("SELECT tenant, actor_user FROM audit_events WHERE seq = $1", params![number(seq)])
        .await?;
    let read = |row: Row| {
        let user: Option<String> = row.get(1)?;
        let user = user.map(UserName::parse).transpose();
        Ok((row.parse(0)?, user.map_err(|_| StoreError::Shape { column: 1 })?))
    };
    row.map(read).transpose()
}

/// The place that follows `seq`, whatever its row holds.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn next_place(tx: &mut Tx<'_>, seq: u64) -> Result<Option<u64>, StoreError> {
    tx.one(
        "SELECT seq FROM audit_events WHERE typeof(seq) = 'integer' AND seq > $1
         ORDER BY seq LIMIT 1",
        params![number(seq)],
    )
    .await?
    .map(|row| row.get(0))
    .transpose()
}

/// Rows outside the sealed log.
pub struct Outside {
    /// Written, and not sealed yet.
    pub waiting: u64,
    /// Marked half: a place without being one, or a hash without a place.
    pub half: u64,
}

/// Counts the rows outside the sealed log.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn outside(tx: &mut Tx<'_>) -> Result<Outside, StoreError> {
    let count = |row: Option<Row>| match row {
        Some(row) => row.get(0),
        None => Ok(0),
    };
    let waiting =
        tx.one("SELECT COUNT(*) FROM audit_events WHERE seq IS NULL AND leaf IS NULL", &[]).await?;
    let half = tx
        .one(
            "SELECT COUNT(*) FROM audit_events
             WHERE (seq IS NULL AND leaf IS NOT NULL)
                OR (seq IS NOT NULL AND (typeof(seq) <> 'integer' OR seq < 1))",
            &[],
        )
        .await?;
    Ok(Outside { waiting: count(waiting)?, half: count(half)? })
}

/// A row's time and id: the order of a user's rows.
pub type EventKey = (Timestamp, String);

/// What one step of an erasure did.
pub struct Erased {
    /// Side rows that are gone.
    pub rows: u64,
    /// Where to go on; `None` at the end.
    pub next: Option<EventKey>,
}

/// Erases the personal fields of at most `limit` of a user's rows after a place, oldest first. The
/// rows themselves stay, and so does the log's proof.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn erase_personal(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    after: &EventKey,
    limit: u32,
) -> Result<Erased, StoreError> {
    let (at, id) = (after.0, after.1.as_str());
    let events = tx
        .all(
            "SELECT at, id FROM audit_events
             WHERE tenant = $1 AND actor_user = $2 AND (at, id) > ($3, $4)
             ORDER BY at, id LIMIT $5",
            params![tenant.as_str(), user.as_str(), at, id, limit],
        )
        .await?;
    let mut rows = 0;
    for event in &events {
        let event: String = event.get(1)?;
        rows += tx.run("DELETE FROM audit_personal WHERE event = $1", params![event]).await?;
    }
    let next = match events.last() {
        Some(last) if events.len() == limit as usize => Some((last.get(0)?, last.get(1)?)),
        _ => None,
    };
    Ok(Erased { rows, next })
}

/// SQLite counts to 2^63; so many rows no log will have.
fn number(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_every_age_have_a_leaf_of_their_own() {
        let all_of = |rule: Value, role: Value, capability: Value| {
            let mut columns = vec![Value::Int(0); RULE];
            columns.extend([rule, role, capability, Value::Blob(vec![7; 32])]);
            crate::audit::leaf::encode(1, &sealed_columns(columns))
        };
        let row = |rule: Value, role: Value| all_of(rule, role, Value::Null);
        let text = |text: &str| Value::Text(text.into());
        let old = row(Value::Null, Value::Null);
        let mut plain = vec![Value::Int(0); RULE];
        plain.push(Value::Blob(vec![7; 32]));
        assert_eq!(old, crate::audit::leaf::encode(1, &plain), "as it always was");
        let all = [
            old,
            row(text("x"), Value::Null),
            row(Value::Null, text("x")),
            row(text("x"), text("x")),
            all_of(text("x"), text("x"), text("x")),
            all_of(Value::Null, text("x"), text("x")),
            all_of(Value::Null, Value::Null, text("x")),
        ];
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
