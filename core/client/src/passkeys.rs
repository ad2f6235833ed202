//! Registered passkeys.

use crate::ask::{Ask, with_query};
use crate::client::Client;
use crate::failure::Failure;
use crate::shell::Shell;
use landfall_identity::id::PasskeyId;
use landfall_identity::{Action, Label};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::passkey::{PasskeyInfo, RenameRequest};
use landfall_protocol::paths;
use reqwest::Method;

impl Client {
    /// Binds a passkey that can leave its device to this one: it proves that it is here, and counts as
    /// registered here from then on.
    ///
    /// # Errors
    /// What the server says: `no-passkey` for one that is none of this user's, ...
    pub async fn bind_passkey(
        &self,
        passkey: &PasskeyId,
        shell: &dyn Shell,
    ) -> Result<PasskeyInfo, Failure> {
        let act = BoundActBody::BindPasskey { passkey: passkey.clone() };
        let session = self.step_up(Some(act), None, shell).await?;
        let path = paths::fill(paths::PASSKEY_BIND, &[passkey.as_str()]);
        self.ask(Ask::post(Action::BindPasskey, path).bound_to(session)).await
    }

    /// One's passkeys.
    ///
    /// # Errors
    /// What the server says.
    pub async fn passkeys(&self) -> Result<Vec<PasskeyInfo>, Failure> {
        self.ask_all(Action::ListPasskeys, paths::PASSKEYS, &[]).await
    }

    /// Changes what a passkey is called.
    ///
    /// # Errors
    /// What the server says.
    pub async fn rename_passkey(
        &self,
        passkey: &PasskeyId,
        label: Label,
    ) -> Result<PasskeyInfo, Failure> {
        let path = paths::fill(paths::PASSKEY, &[passkey.as_str()]);
        let ask = Ask::new(Action::RenamePasskey, Method::PATCH, path);
        self.ask(ask.json(&RenameRequest { label })?.repeatable()).await
    }

    /// Removes a passkey, after the person has approved exactly this. `confirm_last`: they were told
    /// that it is the last one, and said yes.
    ///
    /// # Errors
    /// What the server says: `last-passkey`, `probation`, ...
    pub async fn remove_passkey(
        &self,
        passkey: &PasskeyId,
        confirm_last: bool,
        shell: &dyn Shell,
    ) -> Result<(), Failure> {
        let act = BoundActBody::RemovePasskey { passkey: passkey.clone() };
        let session = self.step_up(Some(act), None, shell).await?;
        let path = paths::fill(paths::PASSKEY, &[passkey.as_str()]);
        let query: &[_] = if confirm_last { &[("confirm_last", "true")] } else { &[] };
        let ask = Ask::new(Action::RemovePasskey, Method::DELETE, with_query(&path, query));
        self.ask_done(ask.bound_to(session)).await
    }
}
