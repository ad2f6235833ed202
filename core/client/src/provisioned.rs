//! Machines that stand for themselves: operators have keys made for them, and see to them.

use crate::ask::Ask;
use crate::client::Client;
use crate::failure::Failure;
use crate::shell::Shell;
use crate::texts;
use data_encoding::{BASE64, HEXLOWER};
use landfall_crypto::secret::{SecretText, sha256};
use landfall_identity::id::EnrollmentId;
use landfall_identity::provisioned::{
    CREDENTIAL_TTL, CREDENTIAL_TTL_MAX, WORDS, WORDS_MAX, WORDS_MIN,
};
use landfall_identity::{Action, DeviceName, MachineRole, Seconds, UserName};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::provisioned::{
    MachineCut, MachineKeyInfo, ProvisionApproveRequest, ProvisionApproved, ProvisionRequest,
    ProvisionedCredential, WhoAmI,
};
use landfall_protocol::{ErrorCode, paths};

/// Which key is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedKey {
    /// For which machine.
    pub device: DeviceName,
    /// What a new machine stands for; absent for one more key of a machine that is there.
    pub role: Option<MachineRole>,
    /// How long it can be used; seven days when absent.
    pub ttl: Option<Seconds>,
    /// How many words open its file; six when absent.
    pub words: Option<u8>,
}

/// A key that the server has made and handed out. There is no second copy.
pub struct HandedOut {
    /// What the server keeps of it.
    pub key: MachineKeyInfo,
    /// The sealed file.
    pub file: Vec<u8>,
    /// Its SHA-256, hexadecimal.
    pub file_sha256: String,
    /// The words that open it: for the person's eyes, on another way than the file.
    pub passphrase: SecretText,
}

impl Client {
    /// Has a key made for a machine, after the person has approved exactly this one.
    ///
    /// # Errors
    /// What the server says: `forbidden`, `invalid-field`, `second-person-needed`, ...
    pub async fn provision(
        &self,
        wanted: WantedKey,
        shell: &dyn Shell,
    ) -> Result<HandedOut, Failure> {
        // What no server allows is not worth a touch.
        let ttl = wanted.ttl.unwrap_or(CREDENTIAL_TTL);
        if ttl.0 == 0 || ttl > CREDENTIAL_TTL_MAX {
            return Err(Failure::new(ErrorCode::TtlNotAllowed, texts::CREDENTIAL_TTL));
        }
        let words = wanted.words.unwrap_or(WORDS);
        if !(WORDS_MIN..=WORDS_MAX).contains(&words) {
            return Err(Failure::new(ErrorCode::InvalidField, texts::CREDENTIAL_WORDS));
        }
        let WantedKey { device, role, .. } = wanted;
        let act = BoundActBody::ProvisionCredential {
            device: device.clone(),
            role: role.clone(),
            ttl_seconds: ttl.0,
            words,
        };
        let session = self.step_up(Some(act), None, shell).await?;
        let body = ProvisionRequest { device, role, ttl_seconds: Some(ttl.0), words: Some(words) };
        let ask = Ask::post(Action::ProvisionCredential, paths::PROVISION).json(&body)?;
        let made: ProvisionedCredential = self.ask(ask.bound_to(session)).await?;
        let passphrase = SecretText::new(made.passphrase);
        let unreadable = || Failure::new(ErrorCode::AnswerUnreadable, texts::UNREADABLE);
        let file = BASE64.decode(made.file_base64.as_bytes()).map_err(|_| unreadable())?;
        if HEXLOWER.encode(&sha256(&file)) != made.file_sha256 {
            return Err(unreadable());
        }
        Ok(HandedOut { key: made.key, file, file_sha256: made.file_sha256, passphrase })
    }

    /// Agrees, as the second person, that `asker` has a key made for a machine.
    ///
    /// # Errors
    /// What the server says.
    pub async fn approve_provision(
        &self,
        device: DeviceName,
        role: MachineRole,
        asker: UserName,
        shell: &dyn Shell,
    ) -> Result<ProvisionApproved, Failure> {
        let act = BoundActBody::ApproveProvision {
            device: device.clone(),
            role: role.clone(),
            asker: asker.clone(),
        };
        let session = self.step_up(Some(act), None, shell).await?;
        let body = ProvisionApproveRequest { device, role, asker };
        let ask = Ask::post(Action::ApproveProvision, paths::PROVISION_APPROVE).json(&body)?;
        self.ask(ask.bound_to(session)).await
    }

    /// The tenant's machines and their keys.
    ///
    /// # Errors
    /// What the server says.
    pub async fn machines(&self) -> Result<Vec<MachineKeyInfo>, Failure> {
        self.ask_all(Action::ListProvisioned, paths::PROVISIONED, &[]).await
    }

    /// Cuts one key of a machine off for now.
    ///
    /// # Errors
    /// What the server says.
    pub async fn disable_key(&self, key: &EnrollmentId) -> Result<MachineKeyInfo, Failure> {
        let path = paths::fill(paths::KEY_DISABLE, &[key.as_str()]);
        self.ask(Ask::post(Action::DisableKey, path).repeatable()).await
    }

    /// Lets a disabled key work again.
    ///
    /// # Errors
    /// What the server says.
    pub async fn enable_key(&self, key: &EnrollmentId) -> Result<MachineKeyInfo, Failure> {
        let path = paths::fill(paths::KEY_ENABLE, &[key.as_str()]);
        self.ask(Ask::post(Action::EnableKey, path).repeatable()).await
    }

    /// Suspends a machine with all its keys.
    ///
    /// # Errors
    /// What the server says.
    pub async fn suspend_machine(&self, device: &DeviceName) -> Result<MachineCut, Failure> {
        let path = paths::fill(paths::MACHINE_SUSPEND, &[device.as_str()]);
        self.ask(Ask::post(Action::AdminSuspendDevice, path).repeatable()).await
    }

    /// Lets a suspended machine work again.
    ///
    /// # Errors
    /// What the server says.
    pub async fn resume_machine(&self, device: &DeviceName) -> Result<MachineCut, Failure> {
        let path = paths::fill(paths::MACHINE_RESUME, &[device.as_str()]);
        self.ask(Ask::post(Action::AdminResumeDevice, path).repeatable()).await
    }

    /// Revokes a machine for ever, after the administrator has approved exactly this.
    ///
    /// # Errors
    /// What the server says.
    pub async fn revoke_machine(
        &self,
        device: &DeviceName,
        shell: &dyn Shell,
    ) -> Result<MachineCut, Failure> {
        let act = BoundActBody::RevokeMachine { device: device.clone() };
        let session = self.step_up(Some(act), None, shell).await?;
        let path = paths::fill(paths::MACHINE_REVOKE, &[device.as_str()]);
        self.ask(Ask::post(Action::AdminRevokeDevice, path).bound_to(session)).await
    }

    /// Who am I, whoever this machine speaks for.
    ///
    /// # Errors
    /// What the server says.
    pub async fn who_am_i(&self) -> Result<WhoAmI, Failure> {
        self.ask(Ask::get(Action::ReadSelf, paths::ME)).await
    }
}
