//! Platforms whose word is taken for who a workload is, as an administrator sees and changes them.

use crate::ask::Ask;
use crate::client::Client;
use crate::failure::Failure;
use landfall_identity::Action;
use landfall_identity::workload::IssuerName;
use landfall_protocol::paths;
use landfall_protocol::workload::{WorkloadIssuerInfo, WorkloadIssuerRequest};
use reqwest::Method;

impl Client {
    /// Every one of the tenant's.
    ///
    /// # Errors
    /// What the server says.
    pub async fn workload_issuers(&self) -> Result<Vec<WorkloadIssuerInfo>, Failure> {
        self.ask_all(Action::AdminListWorkloadIssuers, paths::ADMIN_WORKLOAD_ISSUERS, &[]).await
    }

    /// One more. Takes a person.
    ///
    /// # Errors
    /// What the server says: `workload-issuer-exists`, `invalid-field`, ...
    pub async fn add_workload_issuer(
        &self,
        issuer: &WorkloadIssuerRequest,
    ) -> Result<WorkloadIssuerInfo, Failure> {
        let ask = Ask::post(Action::AdminAddWorkloadIssuer, paths::ADMIN_WORKLOAD_ISSUERS);
        self.ask(ask.json(issuer)?.repeatable()).await
    }

    /// One fewer. Takes a person.
    ///
    /// # Errors
    /// What the server says: `not-found`, `workload-issuer-configured`.
    pub async fn remove_workload_issuer(&self, name: &IssuerName) -> Result<(), Failure> {
        let path = paths::fill(paths::ADMIN_WORKLOAD_ISSUER, &[name.as_str()]);
        self.ask_done(Ask::new(Action::AdminRemoveWorkloadIssuer, Method::DELETE, path)).await
    }
}
