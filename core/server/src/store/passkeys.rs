//! Registered passkeys.

use super::{Row, StoreError, Tx, params};
use landfall_identity::id::{EnrollmentId, PasskeyId};
use landfall_identity::passkey::{Attachment, Reported, is_device_bound};
use landfall_identity::session::Factor;
use landfall_identity::{DeviceName, Label, TenantName, Timestamp, UserName};

/// Passkeys that one user may keep.
pub const PASSKEYS_PER_USER: u32 = 64;

/// A passkey to be kept.
#[derive(Clone)]
pub struct NewPasskey {
    /// Ours.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub label: Label,
    /// Where it lives.
    pub attachment: Attachment,
    /// The device it was registered on.
    pub enrollment: EnrollmentId,
    /// The authenticator's name for it.
    pub credential_id: Vec<u8>,
    /// Public key and attestation, as the WebAuthn library keeps them.
    pub credential: String,
    /// What the authenticator said about itself.
    pub reported: Reported,
    /// Whether it can be found without a user name.
    pub resident: Option<bool>,
    /// The model.
    pub aaguid: Option<String>,
    /// How its authenticator is reached (WebAuthn Level 3, section 5.8.4), as the browser told.
    pub transports: Vec<String>,
    /// When it was registered.
    pub registered_at: Timestamp,
}

/// A passkey as it is kept, with the state of its device.
#[derive(Clone)]
pub struct PasskeyRow {
    /// As it was registered; `reported` is what the authenticator said last.
    pub kept: NewPasskey,
    /// The device it was registered on.
    pub device: DeviceName,
    /// Whether that device may act.
    pub device_active: bool,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

impl PasskeyRow {
    /// Whether it cannot leave its device.
    pub fn device_bound(&self) -> bool {
        is_device_bound(self.kept.attachment, self.kept.reported.backup_eligible)
    }

    /// Whether it can be used: one that cannot leave its device stands and falls with it.
    pub fn usable(&self) -> bool {
        self.device_active || !self.device_bound()
    }

    /// It as the factor of a session.
    pub fn factor(&self) -> Factor {
        Factor {
            passkey: self.kept.id.clone(),
            registered_at: self.kept.registered_at,
            lives_on: self.device_bound().then(|| self.kept.enrollment.clone()),
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.label, p.attachment, p.enrollment, p.credential_id, p.credential, ",
            "p.counter, p.backup_eligible, p.backup_state, p.resident, p.aaguid, ",
            "p.registered_at, p.last_used_at, e.device, e.state, p.transports ",
            "FROM passkeys p JOIN enrollments e ON e.id = p.enrollment ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<PasskeyRow, StoreError> {
    let attachment: String = row.get(2)?;
    let state: String = row.get(14)?;
    Ok(PasskeyRow {
        kept: NewPasskey {
            id: row.parse(0)?,
            label: row.parse(1)?,
            attachment: Attachment::parse(&attachment).ok_or(StoreError::Shape { column: 2 })?,
            enrollment: row.parse(3)?,
            credential_id: row.get(4)?,
            credential: row.get(5)?,
            reported: Reported {
                counter: row.get(6)?,
                backup_eligible: row.get(7)?,
                backup_state: row.get(8)?,
            },
            resident: row.get(9)?,
            aaguid: row.get(10)?,
            transports: transports(row.get(15)?),
            registered_at: row.get(11)?,
        },
        last_used_at: row.get(12)?,
        device: row.parse(13)?,
        device_active: state == "active",
    })
}

fn transports(kept: Option<String>) -> Vec<String> {
    let kept = kept.unwrap_or_default();
    kept.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Keeps a passkey.
///
/// # Errors
/// [`StoreError`], also when its credential id is kept already.
pub async fn insert(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    new: &NewPasskey,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO passkeys (id, tenant, user_name, label, attachment, enrollment, credential_id, \
         credential, counter, backup_eligible, backup_state, resident, aaguid, registered_at, \
         transports) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        params![
            new.id.as_str(),
            tenant.as_str(),
            user.as_str(),
            new.label.as_str(),
            new.attachment.as_str(),
            new.enrollment.as_str(),
            new.credential_id.as_slice(),
            new.credential.as_str(),
            new.reported.counter,
            new.reported.backup_eligible,
            new.reported.backup_state,
            new.resident,
            new.aaguid.clone(),
            new.registered_at,
            Some(new.transports.join(",")).filter(|all| !all.is_empty()),
        ],
    )
    .await?;
    Ok(())
}

/// Whether anybody, in any tenant, has registered this credential.
///
/// # Errors
/// [`StoreError`].
pub async fn is_registered(tx: &mut Tx<'_>, credential_id: &[u8]) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM passkeys WHERE credential_id = $1";
    Ok(tx.one(sql, params![credential_id]).await?.is_some())
}

/// A passkey, and whose it is.
#[derive(Clone)]
pub struct Owned {
    /// Whose.
    pub user: UserName,
    /// Its owner's WebAuthn handle.
    pub handle: Vec<u8>,
    /// The passkey.
    pub passkey: PasskeyRow,
}

/// The passkey with that credential, whosever it is.
///
/// # Errors
/// [`StoreError`].
pub async fn by_credential(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    credential_id: &[u8],
) -> Result<Option<Owned>, StoreError> {
    let sql = "SELECT p.user_name, p.id, u.webauthn_handle FROM passkeys p \
               JOIN users u ON u.tenant = p.tenant AND u.name = p.user_name \
               WHERE p.tenant = $1 AND p.credential_id = $2";
    let Some(row) = tx.one(sql, params![tenant.as_str(), credential_id]).await? else {
        return Ok(None);
    };
    let (user, id, handle): (UserName, PasskeyId, _) = (row.parse(0)?, row.parse(1)?, row.get(2)?);
    let passkey = find(tx, tenant, &user, &id).await?;
    Ok(passkey.map(|passkey| Owned { user, handle, passkey }))
}

/// One passkey of a user.
///
/// # Errors
/// [`StoreError`].
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    id: &PasskeyId,
) -> Result<Option<PasskeyRow>, StoreError> {
    let sql = select!("WHERE p.tenant = $1 AND p.user_name = $2 AND p.id = $3");
    let found = tx.one(sql, params![tenant.as_str(), user.as_str(), id.as_str()]).await?;
    found.as_ref().map(read).transpose()
}

/// All passkeys of a user, oldest first: at most [`PASSKEYS_PER_USER`].
///
/// # Errors
/// [`StoreError`].
pub async fn all_of(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<Vec<PasskeyRow>, StoreError> {
    page_of(tx, tenant, user, None, PASSKEYS_PER_USER).await
}

/// How many of a user's passkeys can be used now.
///
/// # Errors
/// [`StoreError`].
pub async fn count_usable(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<u32, StoreError> {
    let usable = all_of(tx, tenant, user).await?.iter().filter(|row| row.usable()).count();
    Ok(u32::try_from(usable).unwrap_or(u32::MAX))
}

/// A page of a user's passkeys, oldest first, after the one registered at that instant under that id.
///
/// # Errors
/// [`StoreError`].
pub async fn page_of(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    after: Option<(Timestamp, PasskeyId)>,
    limit: u32,
) -> Result<Vec<PasskeyRow>, StoreError> {
    let (since, id) = match &after {
        Some((since, id)) => (*since, id.as_str()),
        None => (Timestamp::from_millis(i64::MIN), ""),
    };
    let sql = select!(
        "WHERE p.tenant = $1 AND p.user_name = $2 AND (p.registered_at, p.id) > ($3, $4) \
         ORDER BY p.registered_at, p.id LIMIT $5"
    );
    let rows = tx.all(sql, params![tenant.as_str(), user.as_str(), since, id, limit]).await?;
    rows.iter().map(read).collect()
}

/// Notes a use: what the authenticator reported, and when.
///
/// # Errors
/// [`StoreError`].
pub async fn used(
    tx: &mut Tx<'_>,
    id: &PasskeyId,
    reported: Reported,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE passkeys SET counter = $2, backup_state = $3, last_used_at = $4 WHERE id = $1",
        params![id.as_str(), reported.counter, reported.backup_state, now],
    )
    .await?;
    Ok(())
}

/// Notes that it was found without a user name: its authenticator may not have told at registration.
///
/// # Errors
/// [`StoreError`].
pub async fn found_by_itself(tx: &mut Tx<'_>, id: &PasskeyId) -> Result<(), StoreError> {
    tx.run("UPDATE passkeys SET resident = 1 WHERE id = $1", params![id.as_str()]).await?;
    Ok(())
}

/// Binds it to another device of its owner's: it counts as registered there.
///
/// # Errors
/// [`StoreError`].
pub async fn bind(
    tx: &mut Tx<'_>,
    id: &PasskeyId,
    enrollment: &EnrollmentId,
) -> Result<(), StoreError> {
    let sql = "UPDATE passkeys SET enrollment = $2 WHERE id = $1";
    tx.run(sql, params![id.as_str(), enrollment.as_str()]).await?;
    Ok(())
}

/// Gives it another label.
///
/// # Errors
/// [`StoreError`].
pub async fn rename(tx: &mut Tx<'_>, id: &PasskeyId, label: &Label) -> Result<(), StoreError> {
    let sql = "UPDATE passkeys SET label = $2 WHERE id = $1";
    tx.run(sql, params![id.as_str(), label.as_str()]).await?;
    Ok(())
}

/// Removes it. Its open sessions are the caller's to end.
///
/// # Errors
/// [`StoreError`].
pub async fn remove(tx: &mut Tx<'_>, id: &PasskeyId) -> Result<(), StoreError> {
    tx.run("DELETE FROM passkeys WHERE id = $1", params![id.as_str()]).await?;
    Ok(())
}

/// What a device's end means for passkeys.
#[derive(Clone)]
pub struct OfDevice {
    /// Those that cannot leave it: unusable from the moment it is suspended or revoked.
    pub bound: Vec<PasskeyRow>,
    /// Those that were registered on it and may live elsewhere too: their owner is asked about them.
    pub elsewhere: Vec<PasskeyRow>,
}

/// The passkeys that were registered on a device.
///
/// # Errors
/// [`StoreError`].
pub async fn of_device(tx: &mut Tx<'_>, device: &EnrollmentId) -> Result<OfDevice, StoreError> {
    let sql = select!("WHERE p.enrollment = $1 ORDER BY p.registered_at, p.id");
    let rows = tx.all(sql, params![device.as_str()]).await?;
    let rows = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let (bound, elsewhere) = rows.into_iter().partition(PasskeyRow::device_bound);
    Ok(OfDevice { bound, elsewhere })
}
