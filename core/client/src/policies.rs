//! The rules of the tenant.

use crate::ask::Ask;
use crate::client::Client;
use crate::failure::Failure;
use crate::shell::Shell;
use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::secret::sha256;
use landfall_identity::Action;
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::paths;
use landfall_protocol::policy::{PolicyInfo, PolicySetRequest, PolicyTried, PolicyTryRequest};

impl Client {
    /// The rules in force.
    ///
    /// # Errors
    /// What the server says; `forbidden` for anybody but administrators and auditors.
    pub async fn admin_policies(&self) -> Result<PolicyInfo, Failure> {
        self.ask(Ask::get(Action::AdminReadPolicies, paths::ADMIN_POLICIES)).await
    }

    /// What other rules would change, of what was asked lately.
    ///
    /// # Errors
    /// What the server says; `invalid-field` with what is wrong with the rules.
    pub async fn admin_try_policy(&self, text: &str) -> Result<PolicyTried, Failure> {
        let body = PolicyTryRequest { text: text.to_owned() };
        let ask = Ask::post(Action::AdminTryPolicy, paths::ADMIN_POLICY_TRY).json(&body)?;
        self.ask(ask.repeatable()).await
    }

    /// Sets the tenant's rules in the place of those of `generation`, after the administrator has approved
    /// exactly these.
    ///
    /// # Errors
    /// What the server says.
    pub async fn admin_set_policy(
        &self,
        text: &str,
        generation: i64,
        shell: &dyn Shell,
    ) -> Result<PolicyInfo, Failure> {
        let policy_hash = BASE64URL_NOPAD.encode(&sha256(text.as_bytes()));
        let act = BoundActBody::SetPolicy { policy_hash };
        let session = self.step_up(Some(act), None, shell).await?;
        let body = PolicySetRequest { text: text.to_owned(), generation };
        let ask = Ask::post(Action::AdminSetPolicy, paths::ADMIN_POLICIES).json(&body)?;
        self.ask(ask.bound_to(session)).await
    }
}
