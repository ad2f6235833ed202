//! What platforms' tokens were used for.

use super::{StoreError, Tx, params};
use landfall_identity::Timestamp;

/// A use of a token, or of a pod's tokens, by one key.
#[derive(Debug, Clone)]
pub struct WorkloadUse {
    /// SHA-256 of the issuer, and of the pod or the token.
    pub digest: [u8; 32],
    /// The key (RFC 7638).
    pub thumbprint: String,
    /// When it was first used.
    pub used_at: Timestamp,
    /// The X.509-SVID that is handed out again, DER, and its end.
    pub certificate: Option<(Vec<u8>, Timestamp)>,
    /// From when on nothing asks for it.
    pub ends_at: Timestamp,
}

/// The first use by any key.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn first(tx: &mut Tx<'_>, digest: &[u8; 32]) -> Result<Option<WorkloadUse>, StoreError> {
    let row = tx
        .one(
            "SELECT thumbprint, used_at, certificate, not_after, ends_at FROM workload_uses
             WHERE digest = $1 ORDER BY used_at, thumbprint LIMIT 1",
            params![digest.as_slice()],
        )
        .await?;
    let read = |row: super::Row| {
        let certificate = match (row.get(2)?, row.get(3)?) {
            (Some(der), Some(end)) => Some((der, end)),
            _ => None,
        };
        Ok(WorkloadUse {
            digest: *digest,
            thumbprint: row.get(0)?,
            used_at: row.get(1)?,
            certificate,
            ends_at: row.get(4)?,
        })
    };
    row.map(read).transpose()
}

/// Whether this key is among them since `since`, and how many others are.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn keys_since(
    tx: &mut Tx<'_>,
    digest: &[u8; 32],
    thumbprint: &str,
    since: Timestamp,
) -> Result<(bool, u32), StoreError> {
    let row = tx
        .one(
            "SELECT COUNT(CASE WHEN thumbprint = $2 THEN 1 END), COUNT(CASE WHEN thumbprint <> $2 THEN 1 END)
             FROM workload_uses WHERE digest = $1 AND used_at > $3",
            params![digest.as_slice(), thumbprint, since],
        )
        .await?;
    match row {
        Some(row) => Ok((row.get::<u32>(0)? > 0, row.get(1)?)),
        None => Ok((false, 0)),
    }
}

/// Whether a workload has the key: it was used for an SVID that may live.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn is_held(
    tx: &mut Tx<'_>,
    thumbprint: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let found = tx
        .one(
            "SELECT 1 FROM workload_uses WHERE thumbprint = $1 AND ends_at > $2 LIMIT 1",
            params![thumbprint, now],
        )
        .await?;
    Ok(found.is_some())
}

/// Takes note of a use, in place of an older one by the same key.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn note(tx: &mut Tx<'_>, usage: &WorkloadUse) -> Result<(), StoreError> {
    let (certificate, not_after) = usage.certificate.clone().unzip();
    tx.run(
        "INSERT INTO workload_uses (digest, thumbprint, used_at, certificate, not_after, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (digest, thumbprint) DO UPDATE SET used_at = excluded.used_at,
             certificate = excluded.certificate, not_after = excluded.not_after,
             ends_at = excluded.ends_at",
        params![
            usage.digest.as_slice(),
            usage.thumbprint.as_str(),
            usage.used_at,
            certificate,
            not_after,
            usage.ends_at,
        ],
    )
    .await?;
    Ok(())
}
