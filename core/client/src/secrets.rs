//! Managed secrets. Values are wiped from this process's memory where we hold them.

use crate::ask::Ask;
use crate::client::Client;
use crate::failure::Failure;
use crate::texts;
use data_encoding::BASE64;
use landfall_crypto::SecretBytes;
use landfall_identity::Action;
use landfall_identity::secret::{MANAGED_VALUE_MAX, SecretName};
use landfall_protocol::secret::{SecretInfo, SecretSetRequest, SecretValue, SecretVersionInfo};
use landfall_protocol::{At, ErrorCode, paths};
use reqwest::Method;
use zeroize::Zeroizing;

/// A value that was read.
pub struct SecretRead {
    /// Its name.
    pub name: SecretName,
    /// Which version.
    pub version: u64,
    /// The value.
    pub value: SecretBytes,
    /// When it was written.
    pub written_at: At,
}

impl Client {
    /// Writes a new version.
    ///
    /// # Errors
    /// `body-too-large` over 64 KiB, before anything is sent; else what the server says.
    pub async fn set_secret(
        &self,
        name: &SecretName,
        value: &SecretBytes,
    ) -> Result<SecretInfo, Failure> {
        if value.expose().len() > MANAGED_VALUE_MAX {
            return Err(Failure::new(ErrorCode::BodyTooLarge, texts::VALUE_TOO_LARGE));
        }
        let value_base64 = BASE64.encode(value.expose());
        let body = SecretSetRequest { name: name.clone(), value_base64 };
        let ask = Ask::post(Action::WriteSecret, paths::SECRETS).json(&body)?;
        drop(Zeroizing::new(body.value_base64));
        self.ask(ask).await
    }

    /// Reads a version; the newest when none is named.
    ///
    /// # Errors
    /// What the server says.
    pub async fn get_secret(
        &self,
        name: &SecretName,
        version: Option<u64>,
    ) -> Result<SecretRead, Failure> {
        let ask = Ask::get(Action::ReadSecret, secret_path(name, version));
        let SecretValue { name, version, value_base64, written_at } = self.ask(ask).await?;
        let text = Zeroizing::new(value_base64);
        let value = BASE64
            .decode(text.as_bytes())
            .map_err(|_| Failure::new(ErrorCode::AnswerUnreadable, texts::UNREADABLE))?;
        Ok(SecretRead { name, version, value: SecretBytes::new(value), written_at })
    }

    /// One's secrets, without their values.
    ///
    /// # Errors
    /// What the server says.
    pub async fn secrets(&self) -> Result<Vec<SecretInfo>, Failure> {
        self.ask_all(Action::ListSecrets, paths::SECRETS, &[]).await
    }

    /// A secret's versions, without their values.
    ///
    /// # Errors
    /// What the server says.
    pub async fn secret_versions(
        &self,
        name: &SecretName,
    ) -> Result<Vec<SecretVersionInfo>, Failure> {
        let path = paths::fill(paths::SECRET_VERSIONS, &[name.as_str()]);
        self.ask_all(Action::ListSecretVersions, &path, &[]).await
    }

    /// Deletes one version. Takes a person, as all of them do.
    ///
    /// # Errors
    /// What the server says.
    pub async fn delete_secret_version(
        &self,
        name: &SecretName,
        version: u64,
    ) -> Result<(), Failure> {
        let path = secret_path(name, Some(version));
        self.ask_done(Ask::new(Action::DeleteSecretVersion, Method::DELETE, path)).await
    }

    /// Deletes a secret with all its versions. Takes a person.
    ///
    /// # Errors
    /// `step-up-required` without one; else what the server says.
    pub async fn delete_secret(&self, name: &SecretName) -> Result<(), Failure> {
        self.ask_done(Ask::new(Action::DeleteSecret, Method::DELETE, secret_path(name, None))).await
    }
}

fn secret_path(name: &SecretName, version: Option<u64>) -> String {
    match version {
        Some(version) => paths::fill(paths::SECRET_VERSION, &[name.as_str(), &version.to_string()]),
        None => paths::fill(paths::SECRET, &[name.as_str()]),
    }
}
