//! Machines that stand for themselves, and their keys: enrolments without a user.

use super::{Row, StoreError, Tx, params};
use landfall_identity::authorize::Object;
use landfall_identity::id::{EnrollmentId, ProvisionApprovalId};
use landfall_identity::provisioned::MachineKey;
use landfall_identity::{
    DeviceName, DeviceState, MachineRole, SpiffeId, TenantName, Timestamp, UserName,
};

/// A machine that stands for itself.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Where.
    pub tenant: TenantName,
    /// Which.
    pub name: DeviceName,
    /// What it stands for.
    pub role: MachineRole,
    /// Whether it may act.
    pub state: DeviceState,
    /// Since when it exists.
    pub created_at: Timestamp,
}

impl Machine {
    /// The machine as an object of `authorize`.
    pub fn object(&self) -> Object {
        Object::Machine { tenant: self.tenant.clone(), since: self.created_at }
    }
}

/// One key of a machine.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its enrolment.
    pub id: EnrollmentId,
    /// Whose it is.
    pub machine: Machine,
    /// Its public name (RFC 7638).
    pub thumbprint: String,
    /// The key (SubjectPublicKeyInfo, DER).
    pub spki: Vec<u8>,
    /// Whether this key may act.
    pub state: DeviceState,
    /// Since when it exists.
    pub enrolled_at: Timestamp,
    /// When it last opened a session or renewed.
    pub last_seen_at: Timestamp,
    /// Who had it made.
    pub provisioned_by: SpiffeId,
    /// Who agreed, where that takes two.
    pub approved_by: Option<SpiffeId>,
    /// SHA-256 of the file that was handed out; none for a key that the machine made.
    pub file_hash: Option<[u8; 32]>,
    /// When a key that was handed out ends.
    pub expires_at: Option<Timestamp>,
    /// When the machine put another in its place.
    pub claimed_at: Option<Timestamp>,
}

impl Key {
    /// What decides whether it may act.
    pub fn facts(&self) -> MachineKey {
        MachineKey {
            machine: self.machine.state,
            key: self.state,
            expires_at: self.expires_at,
            claimed_at: self.claimed_at,
        }
    }
}

fn state(row: &Row, column: usize) -> Result<DeviceState, StoreError> {
    let text: String = row.get(column)?;
    let changed: Option<Timestamp> = row.get(column + 1)?;
    match (text.as_str(), changed) {
        ("active", _) => Ok(DeviceState::Active),
        ("suspended", Some(at)) => Ok(DeviceState::Suspended { at }),
        ("revoked", Some(at)) => Ok(DeviceState::Revoked { at }),
        _ => Err(StoreError::Shape { column }),
    }
}

fn read_machine(row: &Row) -> Result<Machine, StoreError> {
    Ok(Machine {
        tenant: row.parse(0)?,
        name: row.parse(1)?,
        role: row.parse(2)?,
        state: state(row, 3)?,
        created_at: row.get(5)?,
    })
}

fn read_key(row: &Row) -> Result<Key, StoreError> {
    let file_hash: Option<Vec<u8>> = row.get(15)?;
    let shape = StoreError::Shape { column: 15 };
    let file_hash = file_hash.map(<[u8; 32]>::try_from).transpose().map_err(|_| shape)?;
    Ok(Key {
        machine: read_machine(row)?,
        id: row.parse(6)?,
        thumbprint: row.get(7)?,
        spki: row.get(8)?,
        state: state(row, 9)?,
        enrolled_at: row.get(11)?,
        last_seen_at: row.get(12)?,
        provisioned_by: row.parse(13)?,
        approved_by: row.parse_option(14)?,
        file_hash,
        expires_at: row.get(16)?,
        claimed_at: row.get(17)?,
    })
}

macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT d.tenant, d.name, d.role, d.state, d.state_changed_at, d.created_at, e.id, ",
            "e.thumbprint, e.spki, e.state, e.state_changed_at, e.enrolled_at, e.last_seen_at, ",
            "k.provisioned_by, k.approved_by, k.file_hash, k.expires_at, k.claimed_at ",
            "FROM provisioned_keys k JOIN enrollments e ON e.id = k.enrollment ",
            "JOIN provisioned_devices d ON d.tenant = k.tenant AND d.name = k.device ",
            $rest
        )
    };
}

/// A machine by its name.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn machine(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    name: &DeviceName,
) -> Result<Option<Machine>, StoreError> {
    let row = tx
        .one(
            "SELECT tenant, name, role, state, state_changed_at, created_at
             FROM provisioned_devices WHERE tenant = $1 AND name = $2",
            params![tenant.as_str(), name.as_str()],
        )
        .await?;
    row.as_ref().map(read_machine).transpose()
}

/// A machine's key by its public name: what gives it authority.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn by_thumbprint(tx: &mut Tx<'_>, thumbprint: &str) -> Result<Option<Key>, StoreError> {
    let row = tx.one(select_keys!("WHERE e.thumbprint = $1"), params![thumbprint]).await?;
    row.as_ref().map(read_key).transpose()
}

/// A machine's key by its enrolment.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn by_id(tx: &mut Tx<'_>, id: &EnrollmentId) -> Result<Option<Key>, StoreError> {
    let row = tx.one(select_keys!("WHERE k.enrollment = $1"), params![id.as_str()]).await?;
    row.as_ref().map(read_key).transpose()
}

/// A page of a tenant's keys, by machine and then by age.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    after: (&str, &str),
    limit: u32,
) -> Result<Vec<Key>, StoreError> {
    let rows = tx
        .all(
            select_keys!(
                "WHERE k.tenant = $1 AND (k.device > $2 OR (k.device = $2 AND k.enrollment > $3))
                 ORDER BY k.device, k.enrollment LIMIT $4"
            ),
            params![tenant.as_str(), after.0, after.1, limit],
        )
        .await?;
    rows.iter().map(read_key).collect()
}

/// The keys of a machine that are not dead.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn live_keys(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    device: &DeviceName,
) -> Result<Vec<(EnrollmentId, String)>, StoreError> {
    let rows = tx
        .all(
            "SELECT e.id, e.thumbprint FROM provisioned_keys k JOIN enrollments e ON e.id = k.enrollment
             WHERE k.tenant = $1 AND k.device = $2 AND e.state <> 'revoked' ORDER BY e.id",
            params![tenant.as_str(), device.as_str()],
        )
        .await?;
    rows.iter().map(|row| Ok((row.parse(0)?, row.get(1)?))).collect()
}

/// Adds a machine.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert_machine(tx: &mut Tx<'_>, machine: &Machine) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO provisioned_devices (tenant, name, role, state, created_at)
         VALUES ($1, $2, $3, 'active', $4)",
        params![
            machine.tenant.as_str(),
            machine.name.as_str(),
            machine.role.as_str(),
            machine.created_at,
        ],
    )
    .await?;
    Ok(())
}

/// Adds a key. No certificate was made for it yet.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert_key(tx: &mut Tx<'_>, key: &Key) -> Result<(), StoreError> {
    let Machine { tenant, name, .. } = &key.machine;
    tx.run(
        "INSERT INTO enrollments (id, tenant, device, thumbprint, spki, state, enrolled_at,
             last_seen_at, not_after)
         VALUES ($1, $2, $3, $4, $5, 'active', $6, $6, $6)",
        params![
            key.id.as_str(),
            tenant.as_str(),
            name.as_str(),
            key.thumbprint.as_str(),
            key.spki.as_slice(),
            key.enrolled_at,
        ],
    )
    .await?;
    tx.run(
        "INSERT INTO provisioned_keys (enrollment, tenant, device, provisioned_by, approved_by,
             file_hash, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            key.id.as_str(),
            tenant.as_str(),
            name.as_str(),
            key.provisioned_by.to_string(),
            key.approved_by.as_ref().map(ToString::to_string),
            key.file_hash.as_ref().map(<[u8; 32]>::as_slice),
            key.expires_at,
        ],
    )
    .await?;
    Ok(())
}

/// Puts `successor` in the place of a key that was handed out; `false` when somebody was faster.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn claim(
    tx: &mut Tx<'_>,
    id: &EnrollmentId,
    successor: &EnrollmentId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let claimed = tx
        .run(
            "UPDATE provisioned_keys SET claimed_at = $3, successor = $2
             WHERE enrollment = $1 AND claimed_at IS NULL AND file_hash IS NOT NULL",
            params![id.as_str(), successor.as_str(), now],
        )
        .await?;
    Ok(claimed == 1)
}

/// Changes whether a machine may act. Revoked is for ever: such a row stays as it is.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn set_state(
    tx: &mut Tx<'_>,
    machine: &Machine,
    state: DeviceState,
) -> Result<bool, StoreError> {
    let (text, at) = match state {
        DeviceState::Active => ("active", None),
        DeviceState::Suspended { at } => ("suspended", Some(at)),
        DeviceState::Revoked { at } => ("revoked", Some(at)),
    };
    let changed = tx
        .run(
            "UPDATE provisioned_devices SET state = $3, state_changed_at = $4
             WHERE tenant = $1 AND name = $2 AND state <> 'revoked' AND state <> $3",
            params![machine.tenant.as_str(), machine.name.as_str(), text, at],
        )
        .await?;
    Ok(changed == 1)
}

/// A second person's yes.
#[derive(Debug, Clone)]
pub struct Approval {
    /// Its identifier.
    pub id: ProvisionApprovalId,
    /// Where.
    pub tenant: TenantName,
    /// For which machine.
    pub device: DeviceName,
    /// What the machine stands for.
    pub role: MachineRole,
    /// Who may make the key.
    pub asker: UserName,
    /// Who agreed.
    pub approver: UserName,
    /// Who agreed, and on which device.
    pub approved_by: SpiffeId,
    /// When.
    pub approved_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// Keeps a second person's yes.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert_approval(tx: &mut Tx<'_>, approval: &Approval) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO provision_approvals (id, tenant, device, role, asker, approver, approved_by,
             approved_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            approval.id.as_str(),
            approval.tenant.as_str(),
            approval.device.as_str(),
            approval.role.as_str(),
            approval.asker.as_str(),
            approval.approver.as_str(),
            approval.approved_by.to_string(),
            approval.approved_at,
            approval.expires_at,
        ],
    )
    .await?;
    Ok(())
}

/// The newest yeses for somebody's key of a machine which are good and not spent.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn live_approvals(
    tx: &mut Tx<'_>,
    (tenant, asker): (&TenantName, &UserName),
    (device, role): (&DeviceName, &MachineRole),
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Approval>, StoreError> {
    let rows = tx
        .all(
            "SELECT id, tenant, device, role, asker, approver, approved_by, approved_at, expires_at
             FROM provision_approvals
             WHERE tenant = $1 AND asker = $2 AND device = $3 AND role = $4
               AND spent_at IS NULL AND expires_at > $5
             ORDER BY expires_at DESC, id DESC LIMIT $6",
            params![tenant.as_str(), asker.as_str(), device.as_str(), role.as_str(), now, limit],
        )
        .await?;
    let read = |row: &Row| {
        Ok(Approval {
            id: row.parse(0)?,
            tenant: row.parse(1)?,
            device: row.parse(2)?,
            role: row.parse(3)?,
            asker: row.parse(4)?,
            approver: row.parse(5)?,
            approved_by: row.parse(6)?,
            approved_at: row.get(7)?,
            expires_at: row.get(8)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Spends a yes; `false` when somebody was faster.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn spend_approval(
    tx: &mut Tx<'_>,
    id: &ProvisionApprovalId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let spent = tx
        .run(
            "UPDATE provision_approvals SET spent_at = $2 WHERE id = $1 AND spent_at IS NULL",
            params![id.as_str(), now],
        )
        .await?;
    Ok(spent == 1)
}

#[cfg(test)]
#[path = "provisioned_tests.rs"]
mod tests;
