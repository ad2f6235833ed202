//! Pairing on the owner's device: find the agent, touch, meet it, compare, approve.

use crate::ask::Ask;
use crate::client::Client;
use crate::enroll::misplaced;
use crate::failure::Failure;
use crate::link::tampered;
use crate::shell::Shell;
use crate::texts;
use landfall_crypto::Thumbprint;
use landfall_crypto::crockford::TypedCode;
use landfall_crypto::link::{LinkNonce, parse_word, word_text};
use landfall_crypto::pairing::{PairingTranscript, commitment, pairing_code};
use landfall_crypto::secret::ct_eq;
use landfall_identity::Action;
use landfall_protocol::agent::AgentPairingInfo;
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::link::{LinkClaimRequest, LinkFindRequest, LinkRevealRequest};
use landfall_protocol::session::SessionOpened;
use landfall_protocol::{ErrorCode, paths};
use std::time::Duration;

/// How often the agent's answer is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// How often at the most: a minute.
const LOOKS_MAX: u32 = 150;

/// An agent that shows the code which the person typed. Nothing was done about it yet.
pub struct AgentOffer {
    client: Client,
    info: AgentPairingInfo,
}

/// An agent and a device that have told each other everything. What is left is for the person to compare.
pub struct AgentMeeting {
    client: Client,
    info: AgentPairingInfo,
    session: SessionOpened,
    check_code: String,
}

impl Client {
    /// Looks for the agent that shows `typed`.
    ///
    /// # Errors
    /// `pairing-unknown`, `link-taken`; `link-tampered` when what the server says does not fit what the
    /// agent shows.
    pub async fn find_agent(&self, typed: &str) -> Result<AgentOffer, Failure> {
        let shape = || Failure::new(ErrorCode::PairingUnknown, texts::LINK_SHAPE);
        let code = TypedCode::parse(typed).map_err(|_| shape())?.to_text();
        let body = LinkFindRequest { code: code.to_string() };
        let ask = Ask::post(Action::FindAgentPairing, paths::PAIRING_FIND).json(&body)?;
        let info: AgentPairingInfo = self.ask(ask.repeatable()).await?;
        let profile = self.profile()?;
        let (_, user, _) = profile.names().ok_or_else(misplaced)?;
        let fits = pairing_code(&info.id, &info.thumbprint) == *code && info.user == *user;
        if fits { Ok(AgentOffer { client: self.clone(), info }) } else { Err(tampered()) }
    }
}

impl AgentOffer {
    /// What the server says of it: name, where from, since when.
    pub fn info(&self) -> &AgentPairingInfo {
        &self.info
    }

    /// The person approves exactly this agent and key with their passkey; then the two tell each other what
    /// each has added.
    ///
    /// # Errors
    /// What the server says; `link-out-of-turn` when the agent does not answer within a minute;
    /// `link-tampered`.
    pub async fn meet(self, shell: &dyn Shell) -> Result<AgentMeeting, Failure> {
        let Self { client, info } = self;
        let session = client.step_up(Some(act(&info)), None, shell).await?;
        let nonce = LinkNonce::generate(client.ambient().random.as_ref());
        let body = LinkClaimRequest { commitment: word_text(&commitment(&info.id, &nonce)) };
        let path = paths::fill(paths::PAIRING_CLAIM, &[info.id.as_str()]);
        let ask = Ask::post(Action::ClaimAgentPairing, path).json(&body)?;
        let claimed: AgentPairingInfo =
            client.ask(ask.bound_to(session.clone()).repeatable()).await?;
        let met = match same_agent(&info, &claimed) {
            Ok(()) => exchange(&client, &info, &nonce).await,
            Err(failure) => Err(failure),
        };
        match met {
            Ok(check_code) => Ok(AgentMeeting { client, info, session, check_code }),
            Err(failure) => {
                // The agent hears at once that nothing comes of it.
                if let Err(unstopped) = stop(&client, &info).await {
                    tracing::debug!(code = %unstopped.code(), "the pairing ends by itself");
                }
                Err(failure)
            }
        }
    }
}

/// Takes the agent's word, gives this device's, and computes the six digits.
async fn exchange(
    client: &Client,
    info: &AgentPairingInfo,
    nonce: &LinkNonce,
) -> Result<String, Failure> {
    let answer = parse_word(&answer_of(client, info).await?).map_err(|_| tampered())?;
    // Only now that the other word is in hand does the server see what was committed to.
    let body = LinkRevealRequest { nonce: nonce.to_text().to_string() };
    let path = paths::fill(paths::PAIRING_REVEAL, &[info.id.as_str()]);
    let ask = Ask::post(Action::RevealAgentPairing, path).json(&body)?.repeatable();
    let revealed: AgentPairingInfo = client.ask(ask).await?;
    same_agent(info, &revealed)?;
    let profile = client.profile()?;
    let (tenant, user, device) = profile.names().ok_or_else(misplaced)?;
    let thumbprint = |text: &str| Thumbprint::parse(text).map_err(|_| tampered());
    let transcript = PairingTranscript {
        server: profile.server.origin().ascii_serialization(),
        tenant: tenant.clone(),
        user: user.clone(),
        pairing: info.id.clone(),
        agent: info.agent.clone(),
        key: thumbprint(&info.thumbprint)?,
        approver: device.clone(),
        approver_key: thumbprint(&profile.key.thumbprint)?,
        commitment: commitment(&info.id, nonce),
        answer,
        reveal: *nonce.word(),
    };
    Ok(transcript.check_code())
}

async fn stop(client: &Client, info: &AgentPairingInfo) -> Result<AgentPairingInfo, Failure> {
    let path = paths::fill(paths::PAIRING_STOP, &[info.id.as_str()]);
    client.ask(Ask::post(Action::StopAgentPairing, path)).await
}

/// Waits for what the agent adds.
async fn answer_of(client: &Client, info: &AgentPairingInfo) -> Result<String, Failure> {
    let path = paths::fill(paths::PAIRING, &[info.id.as_str()]);
    for _ in 0..LOOKS_MAX {
        let ask = Ask::get(Action::WatchAgentPairing, path.as_str());
        let seen: AgentPairingInfo = client.ask(ask).await?;
        same_agent(info, &seen)?;
        match seen.answer {
            Some(answer) => return Ok(answer),
            None => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
    Err(Failure::new(ErrorCode::LinkOutOfTurn, texts::LINK_NO_ANSWER))
}

/// What the person has approved must stay what it was.
fn same_agent(before: &AgentPairingInfo, now: &AgentPairingInfo) -> Result<(), Failure> {
    let facts = |info: &AgentPairingInfo| {
        (info.id.clone(), info.user.clone(), info.agent.clone(), info.thumbprint.clone())
    };
    if facts(before) == facts(now) { Ok(()) } else { Err(tampered()) }
}

fn act(info: &AgentPairingInfo) -> BoundActBody {
    BoundActBody::PairAgent {
        pairing: info.id.clone(),
        user: info.user.clone(),
        agent: info.agent.clone(),
        thumbprint: info.thumbprint.clone(),
    }
}

impl AgentMeeting {
    /// The pairing.
    pub fn info(&self) -> &AgentPairingInfo {
        &self.info
    }

    /// The six digits, as this device has computed them.
    pub fn check_code(&self) -> &str {
        &self.check_code
    }

    /// Lets the agent in, with the digits that it shows.
    ///
    /// # Errors
    /// `check-code-wrong` for other digits, and nothing is approved; what the server says. Somebody who
    /// takes longer than the touch is good for is asked to touch again.
    pub async fn approve(
        &self,
        typed: &str,
        shell: &dyn Shell,
    ) -> Result<AgentPairingInfo, Failure> {
        let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
        if !ct_eq(digits.as_bytes(), self.check_code.as_bytes()) {
            let differ = Failure::new(ErrorCode::CheckCodeWrong, texts::AGENT_DIGITS_DIFFER);
            return Err(differ.titled("That is not what the agent shows"));
        }
        let late = |failure: &Failure| {
            matches!(failure.code(), ErrorCode::SessionOver | ErrorCode::StepUpRequired)
        };
        match self.approve_with(self.session.clone()).await {
            Err(failure) if late(&failure) => {
                let session = self.client.step_up(Some(act(&self.info)), None, shell).await?;
                self.approve_with(session).await
            }
            other => other,
        }
    }

    async fn approve_with(&self, session: SessionOpened) -> Result<AgentPairingInfo, Failure> {
        let path = paths::fill(paths::PAIRING_APPROVE, &[self.info.id.as_str()]);
        let ask = Ask::post(Action::ApproveAgentPairing, path).bound_to(session).repeatable();
        self.client.ask(ask).await
    }

    /// That agent is not the person's: nothing comes of it.
    ///
    /// # Errors
    /// What the server says.
    pub async fn stop(self) -> Result<AgentPairingInfo, Failure> {
        stop(&self.client, &self.info).await
    }
}
