//! Both sides of a link, spoken by hand.

use crate::bare::Bare;
use crate::raw::{Answer, Raw};
use crate::world::{Person, told};
use anyhow::Context;
use landfall_crypto::Signer;
use landfall_crypto::link::{LinkNonce, word_text};
use landfall_crypto::recovery_code::device_check;
use landfall_identity::id::RecoveryId;
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::link::{LinkInfo, LinkStatus};
use landfall_protocol::paths;
use reqwest::Method;
use serde_json::{Value, json};

impl Bare {
    /// Begins a link, and must be allowed to.
    ///
    /// # Errors
    /// The refusal.
    pub async fn begin_link(&self, user: &str, device: &str) -> anyhow::Result<LinkStatus> {
        link_status(&self.post(paths::LINK_BEGIN, &self.begin_body(user, device)?).await?)
    }

    /// Asks how it stands.
    ///
    /// # Errors
    /// The refusal.
    pub async fn show_link(&self, id: &RecoveryId) -> anyhow::Result<LinkStatus> {
        link_status(&self.post(paths::LINK_SHOW, &json!({ "link_id": id })).await?)
    }

    /// Answers a commitment.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn answer_link(
        &self,
        id: &RecoveryId,
        commitment: &str,
        nonce: &LinkNonce,
    ) -> anyhow::Result<Answer> {
        self.post(paths::LINK_ANSWER, &answer_body(id, commitment, nonce)).await
    }

    /// The eight characters that its screen shows.
    pub fn link_code(&self, id: &RecoveryId) -> String {
        device_check(id, self.key.public_key().thumbprint().as_str())
    }
}

/// What answers a commitment.
pub fn answer_body(id: &RecoveryId, commitment: &str, nonce: &LinkNonce) -> Value {
    json!({ "link_id": id, "commitment": commitment, "nonce": nonce.to_text().as_str() })
}

/// The status in an answer.
///
/// # Errors
/// When it is none.
pub fn link_status(answer: &Answer) -> anyhow::Result<LinkStatus> {
    serde_json::from_value(answer.body.clone())
        .with_context(|| format!("{} {}", answer.status, answer.body))
}

/// A device that speaks the approver's routes by itself.
pub struct Approver {
    /// Its connections.
    pub raw: Raw,
    /// A session without a human proof.
    pub weak: String,
    /// What it commits to.
    pub nonce: LinkNonce,
}

impl Approver {
    /// The person's own device.
    ///
    /// # Errors
    /// When it cannot open a session.
    pub async fn of(person: &Person) -> anyhow::Result<Self> {
        let raw = Raw::of(&person.machine)?;
        let weak = raw.session().await?.token;
        let nonce = LinkNonce::generate(person.client().ambient().random.as_ref());
        Ok(Self { raw, weak, nonce })
    }

    /// Looks for the new device that shows a code.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn find(&self, code: &str) -> anyhow::Result<Answer> {
        let body = json!({ "code": code });
        self.raw.send(Method::POST, paths::LINK_FIND, Some(&self.weak), Some(&body)).await
    }

    /// One of the routes of a link.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn post(
        &self,
        path: &str,
        id: &RecoveryId,
        token: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let path = paths::fill(path, &[id.as_str()]);
        self.raw.send(Method::POST, &path, Some(token), body).await
    }

    /// Takes a link on.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn claim(&self, id: &RecoveryId, token: &str) -> anyhow::Result<Answer> {
        let body = json!({ "commitment": word_text(&self.nonce.commitment(id)) });
        self.post(paths::LINK_CLAIM, id, token, Some(&body)).await
    }

    /// Reveals what was committed to.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn reveal(&self, id: &RecoveryId) -> anyhow::Result<Answer> {
        let body = json!({ "nonce": self.nonce.to_text().as_str() });
        self.post(paths::LINK_REVEAL, id, &self.weak, Some(&body)).await
    }

    /// Approves.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn approve(&self, id: &RecoveryId, token: &str) -> anyhow::Result<Answer> {
        self.post(paths::LINK_APPROVE, id, token, None).await
    }
}

/// What a touch for a link names.
pub fn link_act(info: &LinkInfo) -> BoundActBody {
    BoundActBody::ApproveLink {
        link: info.id.clone(),
        user: info.user.clone(),
        device: info.device.clone(),
        thumbprint: info.thumbprint.clone(),
    }
}

impl Person {
    /// Touches for exactly this link; the session's token.
    ///
    /// # Errors
    /// The server's problem.
    pub async fn touch_for(&self, info: &LinkInfo) -> anyhow::Result<String> {
        let session = self.client().step_up(Some(link_act(info)), None, &self.shell).await;
        session.map(|session| session.token).map_err(told)
    }
}
