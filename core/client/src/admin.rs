//! What administrators do.

use crate::ask::Ask;
use crate::client::Client;
use crate::failure::Failure;
use crate::shell::Shell;
use landfall_identity::{Action, DeviceName, Role, UserName};
use landfall_protocol::admin::{RoleSetRequest, UserInfo};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::device::{DeviceCut, DeviceInfo};
use landfall_protocol::me::Frozen;
use landfall_protocol::paths;

impl Client {
    /// The tenant's people.
    ///
    /// # Errors
    /// What the server says; `forbidden` for anybody but administrators.
    pub async fn admin_users(&self) -> Result<Vec<UserInfo>, Failure> {
        self.ask_all(Action::AdminListUsers, paths::ADMIN_USERS, &[]).await
    }

    /// The tenant's devices, or one user's.
    ///
    /// # Errors
    /// What the server says.
    pub async fn admin_devices(&self, user: Option<&UserName>) -> Result<Vec<DeviceInfo>, Failure> {
        let filter: Vec<_> = user.map(|user| ("user", user.as_str())).into_iter().collect();
        self.ask_all(Action::AdminListDevices, paths::ADMIN_DEVICES, &filter).await
    }

    /// Suspends anybody's device.
    ///
    /// # Errors
    /// What the server says.
    pub async fn admin_suspend_device(
        &self,
        user: &UserName,
        device: &DeviceName,
    ) -> Result<DeviceCut, Failure> {
        let path = paths::fill(paths::ADMIN_DEVICE_SUSPEND, &[user.as_str(), device.as_str()]);
        self.ask(Ask::post(Action::AdminSuspendDevice, path).repeatable()).await
    }

    /// Lets anybody's suspended device act again.
    ///
    /// # Errors
    /// What the server says.
    pub async fn admin_resume_device(
        &self,
        user: &UserName,
        device: &DeviceName,
    ) -> Result<DeviceInfo, Failure> {
        let path = paths::fill(paths::ADMIN_DEVICE_RESUME, &[user.as_str(), device.as_str()]);
        self.ask(Ask::post(Action::AdminResumeDevice, path).repeatable()).await
    }

    /// Revokes anybody's device for ever, after the administrator has approved exactly this.
    ///
    /// # Errors
    /// What the server says.
    pub async fn admin_revoke_device(
        &self,
        user: &UserName,
        device: &DeviceName,
        shell: &dyn Shell,
    ) -> Result<DeviceCut, Failure> {
        let act = BoundActBody::RevokeDevice { user: user.clone(), device: device.clone() };
        let session = self.step_up(Some(act), None, shell).await?;
        let path = paths::fill(paths::ADMIN_DEVICE_REVOKE, &[user.as_str(), device.as_str()]);
        self.ask(Ask::post(Action::AdminRevokeDevice, path).bound_to(session)).await
    }

    /// Gives somebody another role, after the administrator has approved exactly this.
    ///
    /// # Errors
    /// What the server says.
    pub async fn admin_set_role(
        &self,
        user: &UserName,
        role: Role,
        shell: &dyn Shell,
    ) -> Result<UserInfo, Failure> {
        let act = BoundActBody::SetRole { user: user.clone(), role };
        let session = self.step_up(Some(act), None, shell).await?;
        let path = paths::fill(paths::ADMIN_USER_ROLE, &[user.as_str()]);
        let ask = Ask::post(Action::AdminSetRole, path).json(&RoleSetRequest { role })?;
        self.ask(ask.bound_to(session)).await
    }

    /// Freezes somebody's account, until an administrator ends it.
    ///
    /// # Errors
    /// What the server says.
    pub async fn admin_freeze(
        &self,
        user: &UserName,
        shell: &dyn Shell,
    ) -> Result<Frozen, Failure> {
        let act = BoundActBody::FreezeUser { user: user.clone() };
        let session = self.step_up(Some(act), None, shell).await?;
        let path = paths::fill(paths::ADMIN_FREEZE, &[user.as_str()]);
        self.ask(Ask::post(Action::AdminFreezeUser, path).bound_to(session)).await
    }

    /// Ends somebody's freeze.
    ///
    /// # Errors
    /// What the server says.
    pub async fn admin_unfreeze(
        &self,
        user: &UserName,
        shell: &dyn Shell,
    ) -> Result<Frozen, Failure> {
        let act = BoundActBody::UnfreezeUser { user: user.clone() };
        let session = self.step_up(Some(act), None, shell).await?;
        let path = paths::fill(paths::ADMIN_UNFREEZE, &[user.as_str()]);
        self.ask(Ask::post(Action::AdminUnfreezeUser, path).bound_to(session)).await
    }
}
