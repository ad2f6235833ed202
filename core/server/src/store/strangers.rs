//! Refusals of strangers, counted by where they came from, why, and in which minute.

use super::{StoreError, Tx, params};
use landfall_identity::Timestamp;

/// Refusals of one kind from one place in one minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Where they came from.
    pub prefix: String,
    /// Why they were refused.
    pub code: &'static str,
    /// The minute's beginning.
    pub minute: Timestamp,
    /// How many.
    pub count: u64,
}

/// Adds to what was counted before.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn add(tx: &mut Tx<'_>, count: &Count) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO stranger_refusals (prefix, code, minute, count) VALUES ($1, $2, $3, $4)
         ON CONFLICT (prefix, code, minute)
         DO UPDATE SET count = stranger_refusals.count + excluded.count",
        params![
            count.prefix.as_str(),
            count.code,
            count.minute,
            i64::try_from(count.count).unwrap_or(i64::MAX)
        ],
    )
    .await?;
    Ok(())
}

/// How many refusals `prefix` has had since `since`, of those `codes` that mean guessing.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn guesses(
    tx: &mut Tx<'_>,
    prefix: &str,
    codes: &[&str],
    since: Timestamp,
) -> Result<u64, StoreError> {
    let rows = tx
        .all(
            "SELECT code, count FROM stranger_refusals WHERE prefix = $1 AND minute >= $2",
            params![prefix, since],
        )
        .await?;
    rows.iter().try_fold(0, |sum: u64, row| {
        let code: String = row.get(0)?;
        let count: u64 = row.get(1)?;
        Ok(if codes.contains(&code.as_str()) { sum.saturating_add(count) } else { sum })
    })
}
