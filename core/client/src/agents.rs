//! One's agents: codes that let one in, the list, cutting one off.

use crate::ask::Ask;
use crate::client::Client;
use crate::failure::Failure;
use crate::shell::Shell;
use crate::texts;
use landfall_crypto::agent_code::AgentCodeText;
use landfall_crypto::door::DoorSecret;
use landfall_crypto::secret::SecretText;
use landfall_identity::id::{AgentCodeId, ApprovalId};
use landfall_identity::token::{DEVICE_TTL, DEVICE_TTL_MAX};
use landfall_identity::{Action, AgentId, Seconds, UserName};
use landfall_protocol::agent::{
    AgentCodeInfo, AgentCodeIssueRequest, AgentCodeIssued, AgentCut, AgentInfo,
};
use landfall_protocol::capability::ApprovalInfo;
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::{ErrorCode, paths};
use reqwest::Method;

/// A new code for an agent.
pub struct AgentCodeMade {
    /// What the server keeps of it, and where an agent shows it.
    pub issued: AgentCodeIssued,
    /// Its text: whoever has it can use it, once.
    pub text: SecretText,
}

impl Client {
    /// Makes a code that lets one agent in as one's own, after the person has approved exactly this one.
    /// `agent` is what it will be called: the part before `@`.
    ///
    /// # Errors
    /// What the server says: `agent-id-taken`, `ttl-not-allowed`, ...
    pub async fn make_agent_code(
        &self,
        agent: Option<String>,
        ttl: Option<Seconds>,
        shell: &dyn Shell,
    ) -> Result<AgentCodeMade, Failure> {
        let ttl = ttl.unwrap_or(DEVICE_TTL);
        // What no server allows is not worth a touch; this one may allow less.
        if ttl.0 == 0 || ttl > DEVICE_TTL_MAX {
            return Err(Failure::new(ErrorCode::TtlNotAllowed, texts::TTL));
        }
        let secret = DoorSecret::generate(self.ambient().random.as_ref());
        let auth_hash = secret.auth().hash().to_string();
        let act = BoundActBody::IssueAgentCode {
            agent: agent.clone().unwrap_or_default(),
            ttl_seconds: ttl.0,
            auth_hash: auth_hash.clone(),
        };
        let session = self.step_up(Some(act), None, shell).await?;
        let body = AgentCodeIssueRequest { agent, ttl_seconds: Some(ttl.0), auth_hash };
        let ask = Ask::post(Action::IssueAgentCode, paths::AGENT_CODES).json(&body)?;
        let issued: AgentCodeIssued = self.ask(ask.bound_to(session).repeatable()).await?;
        let text = AgentCodeText::new(issued.code.id.clone(), &secret).to_text();
        Ok(AgentCodeMade { issued, text })
    }

    /// One's codes for agents.
    ///
    /// # Errors
    /// What the server says.
    pub async fn agent_codes(&self) -> Result<Vec<AgentCodeInfo>, Failure> {
        self.ask_all(Action::ListAgentCodes, paths::AGENT_CODES, &[]).await
    }

    /// Withdraws one.
    ///
    /// # Errors
    /// What the server says.
    pub async fn cancel_agent_code(&self, id: &AgentCodeId) -> Result<AgentCodeInfo, Failure> {
        let path = paths::fill(paths::AGENT_CODE, &[id.as_str()]);
        self.ask(Ask::new(Action::CancelAgentCode, Method::DELETE, path)).await
    }

    /// One's agents, and their parts.
    ///
    /// # Errors
    /// What the server says.
    pub async fn agents(&self) -> Result<Vec<AgentInfo>, Failure> {
        self.ask_all(Action::ListAgents, paths::AGENTS, &[]).await
    }

    /// Cuts an agent of one's own off for ever.
    ///
    /// # Errors
    /// What the server says.
    pub async fn revoke_agent(&self, agent: &AgentId) -> Result<AgentCut, Failure> {
        let path = paths::fill(paths::AGENT_REVOKE, &[agent.as_str()]);
        self.ask(Ask::post(Action::RevokeAgent, path).repeatable()).await
    }

    /// What one's agents have asked for, newest first.
    ///
    /// # Errors
    /// What the server says.
    pub async fn approvals(&self) -> Result<Vec<ApprovalInfo>, Failure> {
        self.ask_all(Action::ListApprovals, paths::APPROVALS, &[]).await
    }

    /// Allows an agent exactly that for an hour, after the person has approved exactly that.
    ///
    /// # Errors
    /// `approval-over`; what the server says.
    pub async fn grant_approval(
        &self,
        approval: &ApprovalInfo,
        shell: &dyn Shell,
    ) -> Result<ApprovalInfo, Failure> {
        let act = BoundActBody::GrantScope {
            approval: approval.id.clone(),
            agent: approval.agent.to_string(),
            scope: approval.scope.join(" "),
            audience: approval.audience.join(" "),
        };
        let session = self.step_up(Some(act), None, shell).await?;
        let path = paths::fill(paths::APPROVAL_GRANT, &[approval.id.as_str()]);
        let ask = Ask::post(Action::GrantApproval, path).bound_to(session).repeatable();
        self.ask(ask).await
    }

    /// Says no.
    ///
    /// # Errors
    /// `approval-over`; what the server says.
    pub async fn refuse_approval(&self, id: &ApprovalId) -> Result<ApprovalInfo, Failure> {
        let path = paths::fill(paths::APPROVAL_REFUSE, &[id.as_str()]);
        self.ask(Ask::post(Action::RefuseApproval, path)).await
    }

    /// The tenant's agents, or one user's.
    ///
    /// # Errors
    /// What the server says; `forbidden` for anybody but administrators.
    pub async fn admin_agents(&self, user: Option<&UserName>) -> Result<Vec<AgentInfo>, Failure> {
        let filter: Vec<_> = user.map(|user| ("user", user.as_str())).into_iter().collect();
        self.ask_all(Action::AdminListAgents, paths::ADMIN_AGENTS, &filter).await
    }

    /// Cuts anybody's agent off for ever.
    ///
    /// # Errors
    /// What the server says; `forbidden` for anybody but administrators.
    pub async fn admin_revoke_agent(&self, agent: &AgentId) -> Result<AgentCut, Failure> {
        let path = paths::fill(paths::ADMIN_AGENT_REVOKE, &[agent.as_str()]);
        self.ask(Ask::post(Action::AdminRevokeAgent, path).repeatable()).await
    }
}
