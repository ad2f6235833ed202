//! Managed secrets: sealed versions, by user.

use super::{Row, StoreError, Tx, Value, params};
use landfall_identity::secret::SecretName;
use landfall_identity::{DeviceName, TenantName, Timestamp, UserName};

/// Whose secret, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretKey {
    /// The tenant.
    pub tenant: TenantName,
    /// Its owner.
    pub user: UserName,
    /// Its name.
    pub name: SecretName,
}

/// What a secret's versions come to.
pub struct Secret {
    /// Its name.
    pub name: SecretName,
    /// The newest version that is kept.
    pub version: u64,
    /// How many are kept.
    pub versions: u64,
    /// When the newest was written.
    pub updated_at: Timestamp,
    /// By which device.
    pub updated_by: DeviceName,
}

/// One version, without its value.
pub struct Version {
    /// Its number.
    pub version: u64,
    /// The value's length in bytes.
    pub size: u64,
    /// When it was written.
    pub written_at: Timestamp,
    /// By which device.
    pub written_by: DeviceName,
}

/// One version's sealed value.
pub struct Sealed {
    /// Its number.
    pub version: u64,
    /// The envelope.
    pub envelope: Vec<u8>,
    /// When it was written.
    pub written_at: Timestamp,
}

/// What decides whether another version may be written.
pub struct Room {
    /// The highest number that was ever given to a version of this secret; `None` when the name is new.
    pub newest: Option<u64>,
    /// Versions that are kept.
    pub versions: u64,
    /// The oldest of them, and when it was written.
    pub oldest: Option<(u64, Timestamp)>,
}

/// Looks for room in one secret.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn room(tx: &mut Tx<'_>, key: &SecretKey) -> Result<Room, StoreError> {
    let counter = tx
        .one(
            "SELECT newest, versions FROM secrets
             WHERE tenant = $1 AND user_name = $2 AND name = $3",
            &key.params(),
        )
        .await?;
    let Some(counter) = counter else {
        return Ok(Room { newest: None, versions: 0, oldest: None });
    };
    let oldest = tx
        .one(
            "SELECT version, written_at FROM secret_versions
             WHERE tenant = $1 AND user_name = $2 AND name = $3 ORDER BY version LIMIT 1",
            &key.params(),
        )
        .await?;
    Ok(Room {
        newest: Some(counter.get(0)?),
        versions: counter.get(1)?,
        oldest: oldest.map(|row| Ok::<_, StoreError>((row.get(0)?, row.get(1)?))).transpose()?,
    })
}

/// How many secrets a user has, and how many names they ever gave.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_of(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<(u64, u64), StoreError> {
    let counted = tx
        .one(
            "SELECT COUNT(CASE WHEN versions > 0 THEN 1 END), COUNT(*) FROM secrets
             WHERE tenant = $1 AND user_name = $2",
            params![tenant.as_str(), user.as_str()],
        )
        .await?;
    counted.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// How many versions of a secret are kept.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count(tx: &mut Tx<'_>, key: &SecretKey) -> Result<u64, StoreError> {
    tx.one(
        "SELECT versions FROM secrets WHERE tenant = $1 AND user_name = $2 AND name = $3",
        &key.params(),
    )
    .await?
    .map_or(Ok(0), |row| row.get(0))
}

/// A version to be written.
pub struct NewVersion<'a> {
    /// Its number, never given before.
    pub version: u64,
    /// The envelope.
    pub envelope: Vec<u8>,
    /// The value's length in bytes.
    pub size: u64,
    /// When.
    pub at: Timestamp,
    /// By which device.
    pub by: &'a DeviceName,
}

/// Writes a version, and remembers its number for ever.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert(
    tx: &mut Tx<'_>,
    key: &SecretKey,
    new: NewVersion<'_>,
) -> Result<(), StoreError> {
    let (tenant, user, name) = (key.tenant.as_str(), key.user.as_str(), key.name.as_str());
    tx.run(
        "INSERT INTO secrets (tenant, user_name, name, newest, versions) VALUES ($1, $2, $3, $4, 1)
         ON CONFLICT (tenant, user_name, name)
         DO UPDATE SET newest = excluded.newest, versions = secrets.versions + 1",
        params![tenant, user, name, number(new.version)],
    )
    .await?;
    tx.run(
        "INSERT INTO secret_versions
             (tenant, user_name, name, version, sealed, size, written_at, written_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            tenant,
            user,
            name,
            number(new.version),
            new.envelope,
            number(new.size),
            new.at,
            new.by.as_str(),
        ],
    )
    .await?;
    Ok(())
}

/// A version's sealed value: the newest, when no number is given.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(
    tx: &mut Tx<'_>,
    key: &SecretKey,
    version: Option<u64>,
) -> Result<Option<Sealed>, StoreError> {
    let (tenant, user, name) = (key.tenant.as_str(), key.user.as_str(), key.name.as_str());
    let row = tx
        .one(
            "SELECT version, sealed, written_at FROM secret_versions
             WHERE tenant = $1 AND user_name = $2 AND name = $3 AND ($4 IS NULL OR version = $4)
             ORDER BY version DESC LIMIT 1",
            params![tenant, user, name, version.map(number)],
        )
        .await?;
    row.map(|row| {
        Ok(Sealed { version: row.get(0)?, envelope: row.get(1)?, written_at: row.get(2)? })
    })
    .transpose()
}

/// The secrets of a user after a name, by name.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    after: &str,
    limit: u32,
) -> Result<Vec<Secret>, StoreError> {
    let rows = tx
        .all(
            "SELECT s.name, v.version, v.written_at, v.written_by, s.versions
             FROM secrets s JOIN secret_versions v
               ON v.tenant = s.tenant AND v.user_name = s.user_name AND v.name = s.name
              AND v.version = (SELECT MAX(version) FROM secret_versions w
                  WHERE w.tenant = s.tenant AND w.user_name = s.user_name AND w.name = s.name)
             WHERE s.tenant = $1 AND s.user_name = $2 AND s.name > $3 AND s.versions > 0
             ORDER BY s.name LIMIT $4",
            params![tenant.as_str(), user.as_str(), after, limit],
        )
        .await?;
    rows.iter().map(secret_of).collect()
}

/// One secret, without its value.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn load(tx: &mut Tx<'_>, key: &SecretKey) -> Result<Option<Secret>, StoreError> {
    let row = tx
        .one(
            "SELECT s.name, v.version, v.written_at, v.written_by, s.versions
             FROM secrets s JOIN secret_versions v
               ON v.tenant = s.tenant AND v.user_name = s.user_name AND v.name = s.name
             WHERE s.tenant = $1 AND s.user_name = $2 AND s.name = $3
             ORDER BY v.version DESC LIMIT 1",
            &key.params(),
        )
        .await?;
    row.map(|row| secret_of(&row)).transpose()
}

fn secret_of(row: &Row) -> Result<Secret, StoreError> {
    Ok(Secret {
        name: row.parse(0)?,
        version: row.get(1)?,
        updated_at: row.get(2)?,
        updated_by: row.parse(3)?,
        versions: row.get(4)?,
    })
}

/// A secret's versions below a number, newest first.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn versions(
    tx: &mut Tx<'_>,
    key: &SecretKey,
    below: u64,
    limit: u32,
) -> Result<Vec<Version>, StoreError> {
    let (tenant, user, name) = (key.tenant.as_str(), key.user.as_str(), key.name.as_str());
    let rows = tx
        .all(
            "SELECT version, size, written_at, written_by FROM secret_versions
             WHERE tenant = $1 AND user_name = $2 AND name = $3 AND version < $4
             ORDER BY version DESC LIMIT $5",
            params![tenant, user, name, number(below), limit],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Version {
                version: row.get(0)?,
                size: row.get(1)?,
                written_at: row.get(2)?,
                written_by: row.parse(3)?,
            })
        })
        .collect()
}

/// Deletes one version; tells whether it was there.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn delete_version(
    tx: &mut Tx<'_>,
    key: &SecretKey,
    version: u64,
) -> Result<bool, StoreError> {
    let (tenant, user, name) = (key.tenant.as_str(), key.user.as_str(), key.name.as_str());
    let gone = tx
        .run(
            "DELETE FROM secret_versions
             WHERE tenant = $1 AND user_name = $2 AND name = $3 AND version = $4",
            params![tenant, user, name, number(version)],
        )
        .await?;
    tx.run(
        "UPDATE secrets SET versions = versions - $4
         WHERE tenant = $1 AND user_name = $2 AND name = $3",
        params![tenant, user, name, number(gone)],
    )
    .await?;
    Ok(gone == 1)
}

/// Deletes all versions; tells how many there were.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn delete_all(tx: &mut Tx<'_>, key: &SecretKey) -> Result<u64, StoreError> {
    tx.run(
        "UPDATE secrets SET versions = 0 WHERE tenant = $1 AND user_name = $2 AND name = $3",
        &key.params(),
    )
    .await?;
    tx.run(
        "DELETE FROM secret_versions WHERE tenant = $1 AND user_name = $2 AND name = $3",
        &key.params(),
    )
    .await
}

impl SecretKey {
    fn params(&self) -> [Value; 3] {
        [self.tenant.as_str(), self.user.as_str(), self.name.as_str()].map(Value::from)
    }

    /// What an envelope of this secret is bound to: this row and no other. Each part by its length, so
    /// that no two rows are one.
    pub fn envelope_context(&self, version: u64) -> Vec<u8> {
        let mut context = b"landfall/managed-secret/v1\0".to_vec();
        for part in [self.tenant.as_str(), self.user.as_str(), self.name.as_str()] {
            context.extend_from_slice(&(part.len() as u64).to_be_bytes());
            context.extend_from_slice(part.as_bytes());
        }
        context.extend_from_slice(&version.to_be_bytes());
        context
    }
}

/// No number of ours comes near SQLite's bound; one that a caller made up simply is not found.
fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
