//! Devices: listing, renaming, and cutting them off.
//!
//! One use case serves the owner and the administrator; what differs is the action that the route
//! demands, and so what `authorize` asks.

use super::last_admin::LastAdmin;
use super::passkeys::passkey_info;
use super::{RequestContext, Service, Turn, page};
use crate::failure::Failure;
use crate::store::enrollments::{self, Enrollment};
use crate::store::{Tx, agents, changes, passkeys, sessions, suspensions, users};
use landfall_identity::notice::Happening;
use landfall_identity::{Action, BoundAction, DeviceName, DeviceState, Label, Refusal, UserName};
use landfall_protocol::admin::AdminDevicesQuery;
use landfall_protocol::device::{DeviceCut, DeviceInfo, DeviceStateName};
use landfall_protocol::{Page, PageQuery};

/// Which device: one of the caller's own, or anybody's in the tenant.
#[derive(Debug, Clone)]
pub struct Target {
    /// Whose; the caller's own when absent.
    pub user: Option<UserName>,
    /// Which.
    pub device: DeviceName,
}

impl Target {
    /// One of the caller's own devices.
    pub fn own(device: DeviceName) -> Self {
        Self { user: None, device }
    }

    /// A device of somebody in the caller's tenant.
    pub fn of(user: UserName, device: DeviceName) -> Self {
        Self { user: Some(user), device }
    }

    pub(super) async fn load(&self, tx: &mut Tx<'_>, turn: &Turn) -> Result<Enrollment, Failure> {
        let user = match &self.user {
            Some(user) => user,
            None => turn.user()?,
        };
        turn.about(format!("device {} of {user}", self.device));
        let found = enrollments::find(tx, turn.tenant(), user, &self.device).await?;
        match found {
            Some(enrollment) => Ok(enrollment),
            // Who may not look at all is told so, whether it exists or not.
            None => {
                turn.refuse_strangers_first()?;
                Err(Refusal::NotFound.into())
            }
        }
    }
}

impl Service {
    /// The caller's devices, by name.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_devices(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<DeviceInfo>, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let [after] = page::read_text_cursor::<1>(query.after.as_deref())?;
            let rows =
                enrollments::list(tx, turn.tenant(), turn.user()?, &after, limit + 1).await?;
            let next = |row: &Enrollment| page::text_cursor(&[row.device.as_str()]);
            Ok(page::cut(rows, limit, next, |row| service.device_info(row, turn)))
        })
        .await
    }

    /// The tenant's devices, by user and name.
    ///
    /// # Errors
    /// A refusal.
    pub async fn admin_list_devices(
        &self,
        request: RequestContext,
        query: AdminDevicesQuery,
    ) -> Result<Page<DeviceInfo>, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let after = page::read_text_cursor::<2>(query.after.as_deref())?;
            let after = (after[0].as_str(), after[1].as_str());
            let only = query.user.as_deref().map(UserName::parse).transpose();
            let only = only.map_err(|error| Failure::invalid("user", error.to_string()))?;
            if let Some(user) = &only
                && users::find(tx, turn.tenant(), user).await?.is_none()
            {
                return Err(Refusal::NotFound.into());
            }
            let rows = enrollments::list_tenant(tx, turn.tenant(), only.as_ref(), after, limit + 1)
                .await?;
            let next =
                |row: &Enrollment| page::text_cursor(&[row.user.as_str(), row.device.as_str()]);
            Ok(page::cut(rows, limit, next, |row| service.device_info(row, turn)))
        })
        .await
    }

    /// Another label for one's device. Its name stays for ever.
    ///
    /// # Errors
    /// A refusal.
    pub async fn rename_device(
        &self,
        request: RequestContext,
        device: DeviceName,
        label: Label,
    ) -> Result<DeviceInfo, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let mut row = Target::own(device.clone()).load(tx, turn).await?;
            turn.authorize(tx, &row.object(), None).await?;
            enrollments::set_label(tx, &row.id, &label).await?;
            row.label = Some(label.clone());
            Ok(service.device_info(&row, turn))
        })
        .await
    }

    /// Suspends a device: it is cut off as hard as by revoking, and can be resumed. A device may
    /// always suspend itself; another one takes a person.
    ///
    /// # Errors
    /// A refusal.
    pub async fn suspend_device(
        &self,
        mut request: RequestContext,
        target: Target,
    ) -> Result<DeviceCut, Failure> {
        if request.action == Action::SuspendDevice && self.is_this(&request, &target).await? {
            request.action = Action::SuspendThisDevice;
        }
        let service = self.clone();
        let (cut, thumbprint) = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                let row = target.load(tx, turn).await?;
                if turn.is(Action::SuspendThisDevice) && row.id != turn.caller.enrollment {
                    return Err(Refusal::NotFound.into());
                }
                turn.authorize(tx, &row.object(), None).await?;
                let suspended = DeviceState::Suspended { at: turn.now };
                let cut = service.cut_off(tx, turn, row.clone(), suspended).await?;
                service.after_a_recovery(tx, turn, &row).await?;
                Ok(cut)
            })
            .await?;
        self.cutter.cut(&thumbprint);
        Ok(cut)
    }

    /// Lets a suspended device act again.
    ///
    /// # Errors
    /// A refusal; [`Refusal::DeviceRevoked`] for one that is gone for ever.
    pub async fn resume_device(
        &self,
        request: RequestContext,
        target: Target,
    ) -> Result<DeviceInfo, Failure> {
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let mut row = target.load(tx, turn).await?;
            turn.authorize(tx, &row.object(), None).await?;
            if matches!(row.state, DeviceState::Revoked { .. }) {
                return Err(Refusal::DeviceRevoked.into());
            }
            if enrollments::set_state(tx, &row.id, DeviceState::Active).await? {
                row.state = DeviceState::Active;
                suspensions::end(tx, &row.id, false, turn.now).await?;
                let (device, label) = (row.device.clone(), row.label.clone());
                let what = Happening::DeviceResumed { device, label };
                service.tell(tx, turn.news(&row.user, what)?).await?;
            }
            Ok(service.device_info(&row, turn))
        })
        .await
    }

    /// Revokes a device for ever: sessions end, connections are cut, renewal stops. The user and the
    /// audit trail stay as they are. Revoking again changes nothing.
    ///
    /// # Errors
    /// A refusal; [`Refusal::Probation`] while the passkey is too young; [`Refusal::LastAdmin`].
    pub async fn revoke_device(
        &self,
        request: RequestContext,
        target: Target,
    ) -> Result<DeviceCut, Failure> {
        let service = self.clone();
        let (cut, thumbprint) = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                let row = target.load(tx, turn).await?;
                let act = BoundAction::RevokeDevice {
                    user: row.user.clone(),
                    device: row.device.clone(),
                };
                turn.authorize(tx, &row.object(), Some(&act)).await?;
                service.cut_off(tx, turn, row, DeviceState::Revoked { at: turn.now }).await
            })
            .await?;
        self.cutter.cut(&thumbprint);
        Ok(cut)
    }

    /// Whether the target is the very device that asks.
    async fn is_this(&self, request: &RequestContext, target: &Target) -> Result<bool, Failure> {
        let Some(peer) = &request.peer else { return Ok(false) };
        let found = self
            .store
            .read(async |tx: &mut Tx<'_>| enrollments::by_thumbprint(tx, &peer.thumbprint).await)
            .await?;
        Ok(target.user.is_none() && found.is_some_and(|row| row.device == target.device))
    }

    /// Applies a suspension or a revocation: the state, the sessions, and word to every node.
    async fn cut_off(
        &self,
        tx: &mut Tx<'_>,
        turn: &Turn,
        mut row: Enrollment,
        state: DeviceState,
    ) -> Result<(DeviceCut, String), Failure> {
        let view = self.view();
        let guard = LastAdmin::before(tx, &view, &row.tenant, &row.user, turn.now).await?;
        if enrollments::set_state(tx, &row.id, state).await? {
            row.state = state;
            let (device, label) = (row.device.clone(), row.label.clone());
            let what = match state {
                DeviceState::Revoked { .. } => Happening::DeviceRevoked { device, label },
                _ => Happening::DeviceSuspended { device, label },
            };
            self.tell(tx, turn.news(&row.user, what)?).await?;
        }
        guard.after(tx, &view).await?;
        let ended = sessions::end_of_device(tx, &row.id, turn.now).await?;
        changes::append(tx, &row.thumbprint, &self.node, turn.now).await?;
        let passkeys = passkeys::of_device(tx, &row.id).await?;
        let owner = users::find(tx, &row.tenant, &row.user).await?;
        let cut = DeviceCut {
            device: self.device_info(&row, turn),
            sessions_ended: u32::try_from(ended).unwrap_or(u32::MAX),
            passkeys_disabled: u32::try_from(passkeys.bound.len()).unwrap_or(u32::MAX),
            passkeys_synced: passkeys.elsewhere.iter().map(passkey_info).collect(),
            account_stopped: owner.is_some_and(|owner| owner.frozen_by_admin),
            agents: agents::count_introduced(tx, (&row.tenant, &row.user), &row.id).await?,
        };
        Ok((cut, row.thumbprint))
    }

    /// A device as its owner, or an administrator, sees it.
    pub(super) fn device_info(&self, row: &Enrollment, turn: &Turn) -> DeviceInfo {
        DeviceInfo {
            name: row.device.clone(),
            user: row.user.clone(),
            label: row.label.as_ref().map(ToString::to_string),
            spiffe_id: self.spiffe_id_of(row),
            state: match row.state {
                DeviceState::Active => DeviceStateName::Active,
                DeviceState::Suspended { .. } => DeviceStateName::Suspended,
                DeviceState::Revoked { .. } => DeviceStateName::Revoked,
            },
            this_device: row.id == turn.caller.enrollment,
            thumbprint: row.thumbprint.clone(),
            enrolled_at: row.enrolled_at.into(),
            last_seen_at: Some(row.last_seen_at.into()),
            certificate_not_after: Some(row.not_after.into()),
            state_changed_at: row.state_changed_at().map(Into::into),
        }
    }
}
