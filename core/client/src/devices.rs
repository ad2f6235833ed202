//! One's devices.

use crate::ask::Ask;
use crate::client::Client;
use crate::failure::Failure;
use crate::shell::Shell;
use landfall_identity::{Action, DeviceName, Label};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::device::{DeviceCut, DeviceInfo};
use landfall_protocol::passkey::RenameRequest;
use landfall_protocol::paths;
use reqwest::Method;

impl Client {
    /// One's devices.
    ///
    /// # Errors
    /// What the server says.
    pub async fn devices(&self) -> Result<Vec<DeviceInfo>, Failure> {
        self.ask_all(Action::ListDevices, paths::DEVICES, &[]).await
    }

    /// Changes what a device is called; its name stays.
    ///
    /// # Errors
    /// What the server says.
    pub async fn rename_device(
        &self,
        device: &DeviceName,
        label: Label,
    ) -> Result<DeviceInfo, Failure> {
        let path = paths::fill(paths::DEVICE, &[device.as_str()]);
        let ask = Ask::new(Action::RenameDevice, Method::PATCH, path);
        self.ask(ask.json(&RenameRequest { label })?.repeatable()).await
    }

    /// Cuts a device off for now: its sessions and connections end at once. This very device can do it
    /// to itself; another one takes a passkey that does not live on it.
    ///
    /// # Errors
    /// What the server says: `step-up-required`, `factor-on-target`, ...
    pub async fn suspend_device(&self, device: &DeviceName) -> Result<DeviceCut, Failure> {
        let profile = self.profile()?;
        let own = profile.names().is_some_and(|(_, _, own)| own == device);
        let action = if own { Action::SuspendThisDevice } else { Action::SuspendDevice };
        let path = paths::fill(paths::DEVICE_SUSPEND, &[device.as_str()]);
        self.ask(Ask::post(action, path).repeatable()).await
    }

    /// Lets a suspended device act again.
    ///
    /// # Errors
    /// What the server says.
    pub async fn resume_device(&self, device: &DeviceName) -> Result<DeviceInfo, Failure> {
        let path = paths::fill(paths::DEVICE_RESUME, &[device.as_str()]);
        self.ask(Ask::post(Action::ResumeDevice, path).repeatable()).await
    }

    /// Cuts a device off for ever, after the person has approved exactly this.
    ///
    /// # Errors
    /// What the server says: `probation` says from when on it may be done.
    pub async fn revoke_device(
        &self,
        device: &DeviceName,
        shell: &dyn Shell,
    ) -> Result<DeviceCut, Failure> {
        let profile = self.profile()?;
        let (_, user, _) = profile.names().ok_or_else(crate::enroll::misplaced)?;
        let act = BoundActBody::RevokeDevice { user: user.clone(), device: device.clone() };
        let session = self.step_up(Some(act), None, shell).await?;
        let path = paths::fill(paths::DEVICE_REVOKE, &[device.as_str()]);
        self.ask(Ask::post(Action::RevokeDevice, path).bound_to(session)).await
    }
}
