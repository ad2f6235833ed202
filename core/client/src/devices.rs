//! One's devices.

use crate::ask::{Ask, with_query};
use crate::client::Client;
use crate::failure::Failure;
use crate::shell::Shell;
use landfall_identity::{Action, DeviceName, Label};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::device::{DeviceAct, DeviceCut, DeviceInfo, ExposedSecret};
use landfall_protocol::passkey::RenameRequest;
use landfall_protocol::{At, Page, paths};
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

    /// A page of what a device did since a time, newest first: at most `limit`, going on after the `next`
    /// of the page before. A page may be short, or empty, although older acts remain.
    ///
    /// # Errors
    /// What the server says.
    pub async fn review_device(
        &self,
        device: &DeviceName,
        since: Option<At>,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Page<DeviceAct>, Failure> {
        let path = paths::fill(paths::DEVICE_REVIEW, &[device.as_str()]);
        let (limit, since) = (limit.to_string(), since.and_then(|since| since.to_text()));
        let mut query = vec![("limit", limit.as_str())];
        query.extend(since.as_deref().map(|since| ("since", since)));
        query.extend(after.map(|after| ("after", after)));
        self.ask(Ask::get(Action::ReviewDevice, with_query(&path, &query))).await
    }

    /// One's secrets whose value a device could read, oldest value first.
    ///
    /// # Errors
    /// What the server says.
    pub async fn exposure(&self, device: &DeviceName) -> Result<Vec<ExposedSecret>, Failure> {
        let path = paths::fill(paths::DEVICE_EXPOSURE, &[device.as_str()]);
        self.ask_all(Action::ListExposure, &path, &[]).await
    }
}
