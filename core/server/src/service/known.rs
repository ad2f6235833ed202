//! Whom a key speaks for: a person's device, or a machine that stands for itself.

use crate::store::{StoreError, Tx, enrollments, provisioned, users};
use landfall_identity::caller::{AccountState, Role};
use landfall_identity::grant::EnrollmentGrant;
use landfall_identity::id::EnrollmentId;
use landfall_identity::provisioned::MachineKey;
use landfall_identity::session::SessionFacts;
use landfall_identity::spiffe::{Principal, SpiffeId, TrustDomain};
use landfall_identity::{Caller, DeviceName, DeviceState, MachineRole, Refusal, Timestamp};

/// An enrolled key, as the rows have it now.
pub(super) struct Known {
    /// Who speaks.
    pub spiffe_id: SpiffeId,
    /// On which device.
    pub device: DeviceName,
    /// The row that gives the key authority.
    pub enrollment: EnrollmentId,
    /// The key (SubjectPublicKeyInfo, DER).
    pub spki: Vec<u8>,
    /// When it last opened a session or renewed.
    pub last_seen_at: Timestamp,
    enrolled_at: Timestamp,
    holder: Holder,
}

/// What differs between the two.
enum Holder {
    Person { role: Role, account: AccountState, device: DeviceState },
    Machine { role: MachineRole, key: MachineKey },
}

impl Known {
    /// Who holds the key with this thumbprint; nobody when it is not enrolled.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub async fn find(
        tx: &mut Tx<'_>,
        trust_domain: &TrustDomain,
        thumbprint: &str,
    ) -> Result<Option<Self>, StoreError> {
        match enrollments::by_thumbprint(tx, thumbprint).await? {
            Some(enrollment) => Self::person(tx, trust_domain, enrollment).await.map(Some),
            None => Ok(provisioned::by_thumbprint(tx, thumbprint)
                .await?
                .map(|key| Self::machine(trust_domain, key))),
        }
    }

    async fn person(
        tx: &mut Tx<'_>,
        trust_domain: &TrustDomain,
        row: enrollments::Enrollment,
    ) -> Result<Self, StoreError> {
        // The row of a person's device refers to its user.
        let user = users::find(tx, &row.tenant, &row.user).await?;
        let user = user.ok_or(StoreError::Shape { column: 0 })?;
        let (role, account) = (user.role, user.account());
        let principal =
            Principal::Human { tenant: row.tenant, user: row.user, device: row.device.clone() };
        Ok(Self {
            spiffe_id: SpiffeId::new(trust_domain.clone(), principal),
            device: row.device,
            enrollment: row.id,
            spki: row.spki,
            last_seen_at: row.last_seen_at,
            enrolled_at: row.enrolled_at,
            holder: Holder::Person { role, account, device: row.state },
        })
    }

    fn machine(trust_domain: &TrustDomain, key: provisioned::Key) -> Self {
        Self {
            spiffe_id: id_of_machine(trust_domain, &key.machine),
            device: key.machine.name.clone(),
            enrollment: key.id.clone(),
            spki: key.spki.clone(),
            last_seen_at: key.last_seen_at,
            enrolled_at: key.enrolled_at,
            holder: Holder::Machine { role: key.machine.role.clone(), key: key.facts() },
        }
    }

    /// Whether the device may act.
    ///
    /// # Errors
    /// Why a machine's key opens nothing any more.
    pub fn standing(&self, now: Timestamp) -> Result<DeviceState, Refusal> {
        match &self.holder {
            Holder::Person { device, .. } => Ok(*device),
            Holder::Machine { key, .. } => key.standing(now),
        }
    }

    /// When the key ends, whatever its certificates say; a person's has no end of its own.
    pub fn ends_at(&self) -> Option<Timestamp> {
        match &self.holder {
            Holder::Person { .. } => None,
            Holder::Machine { key, .. } => key.expires_at,
        }
    }

    /// The caller that this key speaks for.
    pub fn caller(
        self,
        device: DeviceState,
        session: Option<SessionFacts>,
        grant: Option<EnrollmentGrant>,
    ) -> Caller {
        let (role, machine, account) = match self.holder {
            Holder::Person { role, account, .. } => (role, None, account),
            // Nobody can freeze a machine: it is suspended.
            Holder::Machine { role, .. } => (Role::Member, Some(role), AccountState::Active),
        };
        Caller {
            spiffe_id: self.spiffe_id,
            role,
            machine,
            parents: Vec::new(),
            enrollment: self.enrollment,
            enrolled_at: self.enrolled_at,
            device,
            account,
            session,
            grant,
        }
    }
}

/// Whom a machine speaks as.
pub(super) fn id_of_machine(
    trust_domain: &TrustDomain,
    machine: &provisioned::Machine,
) -> SpiffeId {
    let (tenant, device) = (machine.tenant.clone(), machine.name.clone());
    SpiffeId::new(trust_domain.clone(), Principal::ProvisionedDevice { tenant, device })
}
