//! Enrolling, once.

use super::error::AgentError;
use super::speak::{self, refusal_of};
use super::tokens::{Agent, AgentSetup};
use super::transport::AgentRequest;
use landfall_crypto::aauth::{AgentJwk, AgentSigner, Algorithm, Scheme, ServerId};
use landfall_identity::AgentId;
use landfall_keystore::KeyStoreError;
use serde::Serialize;
use url::Url;
use zeroize::Zeroizing;

/// What an agent says of itself, and what lets it in.
pub struct Enrolment {
    /// The algorithm of the key, where it must be made first.
    pub algorithm: Algorithm,
    /// What the agent wants to be called; the provider's choice when absent.
    pub agent: Option<AgentId>,
    /// The code that its owner made, where the provider asks for one.
    pub code: Option<Zeroizing<String>>,
    /// The server of the person whom it acts for.
    pub person_server: Option<ServerId>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<&'a AgentId>,
    jwk: AgentJwk,
    #[serde(skip_serializing_if = "Option::is_none")]
    ps: Option<&'a ServerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<&'a str>,
}

impl Agent {
    /// Makes the key, or finds the one of an earlier try, and shows it to the provider, signed by itself.
    /// When the answer is lost, do the same again: the same key is answered with the same agent, and a
    /// code that it used lets it in again.
    ///
    /// # Errors
    /// [`AgentError::Refused`] when the provider lets it not in; others when it cannot be asked.
    pub async fn enrol(setup: AgentSetup, enrolment: &Enrolment) -> Result<Self, AgentError> {
        match setup.keys.agent_public(&setup.key) {
            Ok(_) => {}
            Err(KeyStoreError::NotFound(_)) => {
                setup.keys.create_agent(&setup.key, enrolment.algorithm)?;
            }
            Err(error) => return Err(error.into()),
        }
        let agent = Self::load(setup)?;
        let metadata = agent.metadata().await?;
        let url = match &metadata.enrol_endpoint {
            Some(endpoint) => Url::parse(endpoint)
                .map_err(|_| AgentError::Unreadable(agent.0.setup.provider.to_string()))?,
            None => agent.at("/enrol")?,
        };
        let body = Body {
            agent_id: enrolment.agent.as_ref(),
            jwk: agent.0.durable.agent_key().jwk(),
            ps: enrolment.person_server.as_ref(),
            attestation: enrolment.code.as_ref().map(|code| code.as_str()),
        };
        let body = serde_json::to_vec(&body)
            .map_err(|_| AgentError::Request("its body cannot be written"))?;
        let request = AgentRequest::post_json(url, body);
        let answer = speak::send(&agent, &request, Scheme::Hwk).await?;
        if !answer.is_success() {
            return Err(refusal_of(&answer));
        }
        agent.keep(&answer).await?;
        Ok(agent)
    }
}
