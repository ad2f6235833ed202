//! Enrolments, their certificates and the grants they bring: the device axis.

use super::{Row, StoreError, Tx, agent_tokens, params};
use landfall_identity::authorize::Object;
use landfall_identity::grant::EnrollmentGrant;
use landfall_identity::id::{EnrollmentId, GrantId};
use landfall_identity::{DeviceName, DeviceState, Label, TenantName, Timestamp, UserName};

/// One key of one device.
#[derive(Debug, Clone)]
pub struct Enrollment {
    /// Its identifier.
    pub id: EnrollmentId,
    /// Where.
    pub tenant: TenantName,
    /// Whose.
    pub user: UserName,
    /// Which machine.
    pub device: DeviceName,
    /// What its owner calls it.
    pub label: Option<Label>,
    /// The key's public name (RFC 7638).
    pub thumbprint: String,
    /// The key (SubjectPublicKeyInfo, DER).
    pub spki: Vec<u8>,
    /// Whether it may act.
    pub state: DeviceState,
    /// Since when it exists.
    pub enrolled_at: Timestamp,
    /// When it last opened a session or renewed.
    pub last_seen_at: Timestamp,
    /// When its newest certificate ends.
    pub not_after: Timestamp,
}

impl Enrollment {
    /// The device as an object of `authorize`.
    pub fn object(&self) -> Object {
        Object::Device {
            tenant: self.tenant.clone(),
            user: self.user.clone(),
            enrollment: self.id.clone(),
            since: self.enrolled_at,
        }
    }

    /// When it was suspended or revoked.
    pub fn state_changed_at(&self) -> Option<Timestamp> {
        match self.state {
            DeviceState::Active => None,
            DeviceState::Suspended { at } | DeviceState::Revoked { at } => Some(at),
        }
    }
}

fn read(row: &Row) -> Result<Enrollment, StoreError> {
    let state: String = row.get(7)?;
    let changed: Option<Timestamp> = row.get(8)?;
    let state = match (state.as_str(), changed) {
        ("active", _) => DeviceState::Active,
        ("suspended", Some(at)) => DeviceState::Suspended { at },
        ("revoked", Some(at)) => DeviceState::Revoked { at },
        _ => return Err(StoreError::Shape { column: 7 }),
    };
    Ok(Enrollment {
        id: row.parse(0)?,
        tenant: row.parse(1)?,
        user: row.parse(2)?,
        device: row.parse(3)?,
        label: row.parse_option(4)?,
        thumbprint: row.get(5)?,
        spki: row.get(6)?,
        state,
        enrolled_at: row.get(9)?,
        last_seen_at: row.get(10)?,
        not_after: row.get(11)?,
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, tenant, user_name, device, label, thumbprint, spki, state, ",
            "state_changed_at, enrolled_at, last_seen_at, not_after FROM enrollments ",
            $rest
        )
    };
}

/// The enrolment of a key of a person's device: what gives it authority. Machines have keys, too
/// (`provisioned`).
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn by_thumbprint(
    tx: &mut Tx<'_>,
    thumbprint: &str,
) -> Result<Option<Enrollment>, StoreError> {
    let row = tx
        .one(select!("WHERE thumbprint = $1 AND user_name IS NOT NULL"), params![thumbprint])
        .await?;
    row.as_ref().map(read).transpose()
}

/// Whether a key is enrolled at all, whoever's it is.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn is_known(tx: &mut Tx<'_>, thumbprint: &str) -> Result<bool, StoreError> {
    let found =
        tx.one("SELECT 1 FROM enrollments WHERE thumbprint = $1", params![thumbprint]).await?;
    Ok(found.is_some())
}

/// The enrolment of a device by name.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    device: &DeviceName,
) -> Result<Option<Enrollment>, StoreError> {
    let row = tx
        .one(
            select!("WHERE tenant = $1 AND user_name = $2 AND device = $3"),
            params![tenant.as_str(), user.as_str(), device.as_str()],
        )
        .await?;
    row.as_ref().map(read).transpose()
}

/// An enrolment of a person's device by its identifier.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn by_id(tx: &mut Tx<'_>, id: &EnrollmentId) -> Result<Option<Enrollment>, StoreError> {
    let row =
        tx.one(select!("WHERE id = $1 AND user_name IS NOT NULL"), params![id.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

/// A page of a user's devices by name.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    after: &str,
    limit: u32,
) -> Result<Vec<Enrollment>, StoreError> {
    let rows = tx
        .all(
            select!(
                "WHERE tenant = $1 AND user_name = $2 AND device > $3 ORDER BY device LIMIT $4"
            ),
            params![tenant.as_str(), user.as_str(), after, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// A page of a tenant's devices by user and name; `user` narrows it to one.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list_tenant(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: Option<&UserName>,
    after: (&str, &str),
    limit: u32,
) -> Result<Vec<Enrollment>, StoreError> {
    let rows = tx
        .all(
            select!(
                "WHERE tenant = $1 AND ($2 IS NULL OR user_name = $2)
                 AND (user_name > $3 OR (user_name = $3 AND device > $4))
                 ORDER BY user_name, device LIMIT $5"
            ),
            params![tenant.as_str(), user.map(UserName::as_str), after.0, after.1, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Counts a user's devices that may act.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_active(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<u32, StoreError> {
    let row = tx
        .one(
            "SELECT COUNT(*) FROM enrollments
             WHERE tenant = $1 AND user_name = $2 AND state = 'active'",
            params![tenant.as_str(), user.as_str()],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Every device of a user that is not revoked: whom a freeze cuts.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn thumbprints_of_user(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
) -> Result<Vec<String>, StoreError> {
    let rows = tx
        .all(
            "SELECT thumbprint FROM enrollments
             WHERE tenant = $1 AND user_name = $2 AND state <> 'revoked'",
            params![tenant.as_str(), user.as_str()],
        )
        .await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Adds an enrolment.
///
/// # Errors
/// [`StoreError`] from the database, also when the key or the name is taken.
pub async fn insert(tx: &mut Tx<'_>, enrollment: &Enrollment) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO enrollments (id, tenant, user_name, device, label, thumbprint, spki, state,
             enrolled_at, last_seen_at, not_after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'active', $8, $9, $10)",
        params![
            enrollment.id.as_str(),
            enrollment.tenant.as_str(),
            enrollment.user.as_str(),
            enrollment.device.as_str(),
            enrollment.label.as_ref().map(Label::as_str),
            enrollment.thumbprint.as_str(),
            enrollment.spki.as_slice(),
            enrollment.enrolled_at,
            enrollment.last_seen_at,
            enrollment.not_after,
        ],
    )
    .await?;
    Ok(())
}

/// Changes whether a device may act. Revoked is for ever: such a row stays as it is. Since when it may not is
/// kept apart from the state's own time, for a suspension may turn into a revocation.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set_state(
    tx: &mut Tx<'_>,
    id: &EnrollmentId,
    state: DeviceState,
) -> Result<bool, StoreError> {
    let (text, at) = match state {
        DeviceState::Active => ("active", None),
        DeviceState::Suspended { at } => ("suspended", Some(at)),
        DeviceState::Revoked { at } => ("revoked", Some(at)),
    };
    let changed = tx
        .run(
            "UPDATE enrollments SET state = $2, state_changed_at = $3,
                 cut_at = CASE WHEN $3 IS NOT NULL THEN COALESCE(cut_at, $3) END
             WHERE id = $1 AND state <> 'revoked' AND state <> $2",
            params![id.as_str(), text, at],
        )
        .await?;
    if let Some(at) = at.filter(|_| changed == 1) {
        agent_tokens::call_in_of_device(tx, id, at).await?;
    }
    Ok(changed == 1)
}

/// Changes the label.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set_label(
    tx: &mut Tx<'_>,
    id: &EnrollmentId,
    label: &Label,
) -> Result<(), StoreError> {
    tx.run("UPDATE enrollments SET label = $2 WHERE id = $1", params![id.as_str(), label.as_str()])
        .await?;
    Ok(())
}

/// Notes that the device was seen, and until when its newest certificate serves.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn renewed(
    tx: &mut Tx<'_>,
    id: &EnrollmentId,
    now: Timestamp,
    not_after: Timestamp,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE enrollments SET last_seen_at = $2, not_after = $3 WHERE id = $1",
        params![id.as_str(), now, not_after],
    )
    .await?;
    Ok(())
}

/// Notes that the device was seen.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn touch(tx: &mut Tx<'_>, id: &EnrollmentId, now: Timestamp) -> Result<(), StoreError> {
    tx.run("UPDATE enrollments SET last_seen_at = $2 WHERE id = $1", params![id.as_str(), now])
        .await?;
    Ok(())
}

/// A stored certificate.
#[derive(Debug, Clone)]
pub struct StoredCertificate {
    /// Its serial, hexadecimal.
    pub serial: String,
    /// Whose it is.
    pub enrollment: EnrollmentId,
    /// The certificate, as it was first signed: ECDSA is not repeatable.
    pub der: Vec<u8>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub not_after: Timestamp,
}

/// Keeps a certificate.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert_certificate(
    tx: &mut Tx<'_>,
    certificate: &StoredCertificate,
    renewal_digest: Option<&[u8]>,
) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO certificates (serial, enrollment, der, issued_at, not_after, renewal_digest)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![
            certificate.serial.as_str(),
            certificate.enrollment.as_str(),
            certificate.der.as_slice(),
            certificate.issued_at,
            certificate.not_after,
            renewal_digest,
        ],
    )
    .await?;
    Ok(())
}

fn read_certificate(row: &Row) -> Result<StoredCertificate, StoreError> {
    Ok(StoredCertificate {
        serial: row.get(0)?,
        enrollment: row.parse(1)?,
        der: row.get(2)?,
        issued_at: row.get(3)?,
        not_after: row.get(4)?,
    })
}

/// A certificate by its serial.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn certificate(
    tx: &mut Tx<'_>,
    serial: &str,
) -> Result<Option<StoredCertificate>, StoreError> {
    let row = tx
        .one(
            "SELECT serial, enrollment, der, issued_at, not_after FROM certificates
             WHERE serial = $1",
            params![serial],
        )
        .await?;
    row.as_ref().map(read_certificate).transpose()
}

/// The certificate that answered this very renewal.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn certificate_of_renewal(
    tx: &mut Tx<'_>,
    renewal_digest: &[u8],
) -> Result<Option<StoredCertificate>, StoreError> {
    let row = tx
        .one(
            "SELECT serial, enrollment, der, issued_at, not_after FROM certificates
             WHERE renewal_digest = $1",
            params![renewal_digest],
        )
        .await?;
    row.as_ref().map(read_certificate).transpose()
}

/// Serials, and times of revocation, of certificates that still run and whose device is cut off.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn revoked_certificates(
    tx: &mut Tx<'_>,
    now: Timestamp,
) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let rows = tx
        .all(
            "SELECT c.serial, COALESCE(e.state_changed_at, d.state_changed_at)
             FROM certificates c
             JOIN enrollments e ON e.id = c.enrollment
             LEFT JOIN provisioned_devices d
                 ON e.user_name IS NULL AND d.tenant = e.tenant AND d.name = e.device
             WHERE (e.state <> 'active' OR d.state <> 'active') AND c.not_after > $1
             ORDER BY c.serial",
            params![now],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Gives a device the right to register a first passkey.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert_grant(tx: &mut Tx<'_>, grant: &EnrollmentGrant) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO grants (id, enrollment, expires_at) VALUES ($1, $2, $3)",
        params![grant.id.as_str(), grant.held_by.as_str(), grant.expires_at],
    )
    .await?;
    Ok(())
}

/// The unspent grant of a device that ends last, when it is not over.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn live_grant(
    tx: &mut Tx<'_>,
    enrollment: &EnrollmentId,
    now: Timestamp,
) -> Result<Option<EnrollmentGrant>, StoreError> {
    let row = tx
        .one(
            "SELECT id, enrollment, expires_at FROM grants
             WHERE enrollment = $1 AND spent_at IS NULL AND expires_at > $2
             ORDER BY expires_at DESC LIMIT 1",
            params![enrollment.as_str(), now],
        )
        .await?;
    row.map(|row| {
        Ok(EnrollmentGrant { id: row.parse(0)?, held_by: row.parse(1)?, expires_at: row.get(2)? })
    })
    .transpose()
}

/// Spends a grant; `false` when somebody was faster or it is over.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn spend_grant(
    tx: &mut Tx<'_>,
    grant: &GrantId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let spent = tx
        .run(
            "UPDATE grants SET spent_at = $2
             WHERE id = $1 AND spent_at IS NULL AND expires_at > $2",
            params![grant.as_str(), now],
        )
        .await?;
    Ok(spent == 1)
}
