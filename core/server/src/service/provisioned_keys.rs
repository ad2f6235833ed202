//! Machines and their keys, once they are there: seen, cut off, let back.

use super::provisioned::object_of;
use super::{RequestContext, Service, Turn, page};
use crate::failure::Failure;
use crate::store::provisioned::{self, Key, Machine};
use crate::store::{Tx, changes, enrollments, sessions};
use landfall_identity::id::EnrollmentId;
use landfall_identity::{Action, BoundAction, DeviceName, DeviceState, Refusal, Timestamp};
use landfall_protocol::device::DeviceStateName;
use landfall_protocol::provisioned::{MachineCut, MachineKeyInfo, MachineKeyState};
use landfall_protocol::{Page, PageQuery};

impl Service {
    /// The tenant's machines and their keys, by name.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_provisioned(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<MachineKeyInfo>, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &object_of(turn, None), None).await?;
            let limit = page::limit(query.limit)?;
            let after = page::read_text_cursor::<2>(query.after.as_deref())?;
            let after = (after[0].as_str(), after[1].as_str());
            let rows = provisioned::list(tx, turn.tenant(), after, limit + 1).await?;
            let next = |key: &Key| page::text_cursor(&[key.machine.name.as_str(), key.id.as_str()]);
            Ok(page::cut(rows, limit, next, |key| service.key_info(key, turn.now)))
        })
        .await
    }

    /// Cuts one key of a machine off for now; its other keys go on.
    ///
    /// # Errors
    /// A refusal.
    pub async fn disable_key(
        &self,
        request: RequestContext,
        id: EnrollmentId,
    ) -> Result<MachineKeyInfo, Failure> {
        let service = self.clone();
        let (info, thumbprint) = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                let mut key = load_key(tx, turn, &id).await?;
                turn.authorize(tx, &key.machine.object(), None).await?;
                let suspended = DeviceState::Suspended { at: turn.now };
                if enrollments::set_state(tx, &key.id, suspended).await? {
                    key.state = suspended;
                }
                service.end_key(tx, turn, (&key.id, &key.thumbprint)).await?;
                Ok((service.key_info(&key, turn.now), key.thumbprint))
            })
            .await?;
        self.cutter.cut(&thumbprint);
        Ok(info)
    }

    /// Lets a key that was disabled work again.
    ///
    /// # Errors
    /// A refusal; a key that is dead.
    pub async fn enable_key(
        &self,
        request: RequestContext,
        id: EnrollmentId,
    ) -> Result<MachineKeyInfo, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let mut key = load_key(tx, turn, &id).await?;
            turn.authorize(tx, &key.machine.object(), None).await?;
            if let DeviceState::Revoked { .. } = key.machine.state {
                let why = "Its machine was revoked for ever. Make a new one.";
                return Err(Failure::invalid("key", why));
            }
            if let DeviceState::Revoked { .. } = key.state {
                let why = "It is dead: another took its place, or it was revoked. Make a new one.";
                return Err(Failure::invalid("key", why));
            }
            if enrollments::set_state(tx, &key.id, DeviceState::Active).await? {
                key.state = DeviceState::Active;
            }
            Ok(service.key_info(&key, turn.now))
        })
        .await
    }

    /// Suspends a machine with all its keys, or revokes it for ever: as the route demands.
    ///
    /// # Errors
    /// A refusal; [`Refusal::Probation`] while the passkey is too young to revoke it.
    pub async fn cut_machine(
        &self,
        request: RequestContext,
        device: DeviceName,
    ) -> Result<MachineCut, Failure> {
        let service = self.clone();
        let (cut, thumbprints) = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                let mut machine = load_machine(tx, turn, &device).await?;
                let revoke = turn.is(Action::AdminRevokeDevice);
                let act = BoundAction::RevokeMachine { device: device.clone() };
                turn.authorize(tx, &machine.object(), revoke.then_some(&act)).await?;
                let state = match revoke {
                    true => DeviceState::Revoked { at: turn.now },
                    false => DeviceState::Suspended { at: turn.now },
                };
                if provisioned::set_state(tx, &machine, state).await? {
                    machine.state = state;
                }
                service.end_machine(tx, turn, &machine).await
            })
            .await?;
        for thumbprint in &thumbprints {
            self.cutter.cut(thumbprint);
        }
        Ok(cut)
    }

    /// Lets a suspended machine work again. Keys that were disabled by themselves stay so.
    ///
    /// # Errors
    /// A refusal; a machine that is gone for ever.
    pub async fn resume_machine(
        &self,
        request: RequestContext,
        device: DeviceName,
    ) -> Result<MachineCut, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let mut machine = load_machine(tx, turn, &device).await?;
            turn.authorize(tx, &machine.object(), None).await?;
            if let DeviceState::Revoked { .. } = machine.state {
                return Err(Failure::invalid("device", "It was revoked for ever."));
            }
            if provisioned::set_state(tx, &machine, DeviceState::Active).await? {
                machine.state = DeviceState::Active;
            }
            Ok(cut_of(&machine, 0))
        })
        .await
    }

    /// Ends what a key has open, and tells every node.
    pub(super) async fn end_key(
        &self,
        tx: &mut Tx<'_>,
        turn: &Turn,
        (id, thumbprint): (&EnrollmentId, &str),
    ) -> Result<u64, Failure> {
        let ended = sessions::end_of_device(tx, id, turn.now).await?;
        changes::append(tx, thumbprint, &self.node, turn.now).await?;
        Ok(ended)
    }

    async fn end_machine(
        &self,
        tx: &mut Tx<'_>,
        turn: &Turn,
        machine: &Machine,
    ) -> Result<(MachineCut, Vec<String>), Failure> {
        let keys = provisioned::live_keys(tx, &machine.tenant, &machine.name).await?;
        let mut ended = 0;
        for (id, thumbprint) in &keys {
            ended += self.end_key(tx, turn, (id, thumbprint)).await?;
        }
        let thumbprints = keys.into_iter().map(|(_, thumbprint)| thumbprint).collect();
        Ok((cut_of(machine, ended), thumbprints))
    }

    /// A machine's key as operators, and the machine, see it.
    pub(super) fn key_info(&self, key: &Key, now: Timestamp) -> MachineKeyInfo {
        let over = key.expires_at.is_some_and(|at| at.is_over(now));
        let state = match key.state {
            _ if key.claimed_at.is_some() => MachineKeyState::Claimed,
            DeviceState::Revoked { .. } => MachineKeyState::Revoked,
            _ if over => MachineKeyState::Expired,
            DeviceState::Suspended { .. } => MachineKeyState::Disabled,
            DeviceState::Active => MachineKeyState::Active,
        };
        let seen = (key.last_seen_at > key.enrolled_at).then_some(key.last_seen_at);
        MachineKeyInfo {
            id: key.id.clone(),
            device: key.machine.name.clone(),
            role: key.machine.role.clone(),
            spiffe_id: self.id_of(&key.machine),
            device_state: state_name(key.machine.state),
            state,
            made_on_device: key.file_hash.is_none(),
            thumbprint: key.thumbprint.clone(),
            provisioned_by: key.provisioned_by.clone(),
            approved_by: key.approved_by.clone(),
            created_at: key.enrolled_at.into(),
            expires_at: key.expires_at.map(Into::into),
            claimed_at: key.claimed_at.map(Into::into),
            last_seen_at: seen.map(Into::into),
        }
    }
}

fn cut_of(machine: &Machine, ended: u64) -> MachineCut {
    MachineCut {
        device: machine.name.clone(),
        device_state: state_name(machine.state),
        sessions_ended: u32::try_from(ended).unwrap_or(u32::MAX),
    }
}

fn state_name(state: DeviceState) -> DeviceStateName {
    match state {
        DeviceState::Active => DeviceStateName::Active,
        DeviceState::Suspended { .. } => DeviceStateName::Suspended,
        DeviceState::Revoked { .. } => DeviceStateName::Revoked,
    }
}

async fn load_key(tx: &mut Tx<'_>, turn: &Turn, id: &EnrollmentId) -> Result<Key, Failure> {
    turn.about(format!("key {id}"));
    match provisioned::by_id(tx, id).await? {
        Some(key) => {
            turn.about(format!("key {id} of machine {}", key.machine.name));
            Ok(key)
        }
        None => {
            turn.refuse_strangers_first()?;
            Err(Refusal::NotFound.into())
        }
    }
}

async fn load_machine(
    tx: &mut Tx<'_>,
    turn: &Turn,
    device: &DeviceName,
) -> Result<Machine, Failure> {
    turn.about(format!("machine {device}"));
    match provisioned::machine(tx, turn.tenant(), device).await? {
        Some(machine) => Ok(machine),
        None => {
            turn.refuse_strangers_first()?;
            Err(Refusal::NotFound.into())
        }
    }
}
