//! Minting codes. The secret is made here; the server is told a hash of the half that it will see.

use crate::ask::Ask;
use crate::client::Client;
use crate::failure::Failure;
use crate::shell::Shell;
use crate::texts;
use landfall_crypto::door::DoorSecret;
use landfall_crypto::secret::SecretText;
use landfall_crypto::token::{TokenPayload, TokenText, Trust};
use landfall_identity::caller::Role;
use landfall_identity::id::TokenId;
use landfall_identity::token::{DEVICE_TTL_MAX, TokenKind};
use landfall_identity::{Action, DeviceName, Seconds, UserName};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::enroll::{TokenInfo, TokenIssueRequest, TokenIssued};
use landfall_protocol::{ErrorCode, paths};
use reqwest::Method;
use url::Url;

/// What a new code is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MintRequest {
    /// Another device of one's own, or a new user.
    pub kind: TokenKind,
    /// Whom it signs in.
    pub user: UserName,
    /// Which device; an invitation may leave it open.
    pub device: Option<DeviceName>,
    /// The new user's role.
    pub role: Role,
    /// How long it can be used; the kind's own time when absent.
    pub ttl: Option<Seconds>,
}

/// A new code.
pub struct Minted {
    /// What the server keeps of it.
    pub info: TokenInfo,
    /// Its text: whoever has it can use it. For the person's eyes alone.
    pub text: SecretText,
}

impl Client {
    /// Makes a code, after the person has approved exactly this one.
    ///
    /// # Errors
    /// What the server says: `device-name-taken`, `user-exists`, `forbidden`, ...
    pub async fn mint(&self, request: MintRequest, shell: &dyn Shell) -> Result<Minted, Failure> {
        // What no server allows is not worth a touch; this one may allow less.
        let ttl = request.ttl.unwrap_or(request.kind.default_ttl());
        if !request.kind.allows_ttl(ttl, DEVICE_TTL_MAX) {
            return Err(Failure::new(ErrorCode::TtlNotAllowed, texts::TTL));
        }
        let secret = DoorSecret::generate(self.ambient().random.as_ref());
        let auth_hash = secret.auth().hash().to_string();
        let act = BoundActBody::IssueToken {
            kind: request.kind,
            user: request.user.clone(),
            device: request.device.clone(),
            role: request.role,
            ttl_seconds: ttl.0,
            auth_hash: auth_hash.clone(),
        };
        let session = self.step_up(Some(act), None, shell).await?;
        let action = match request.kind {
            TokenKind::Invite => Action::IssueInvite,
            TokenKind::Device | TokenKind::Claim => Action::IssueToken,
        };
        let body = TokenIssueRequest {
            kind: request.kind,
            user: request.user,
            device: request.device,
            role: Some(request.role),
            ttl_seconds: Some(ttl.0),
            auth_hash,
        };
        let ask = Ask::post(action, paths::TOKEN_ISSUE).json(&body)?.bound_to(session).repeatable();
        let issued: TokenIssued = self.ask(ask).await?;
        let text = self.print(&issued, request.role, secret)?;
        Ok(Minted { info: issued.token, text })
    }

    /// One's codes.
    ///
    /// # Errors
    /// What the server says.
    pub async fn tokens(&self) -> Result<Vec<TokenInfo>, Failure> {
        self.ask_all(Action::ListTokens, paths::TOKENS, &[]).await
    }

    /// Withdraws a code.
    ///
    /// # Errors
    /// What the server says.
    pub async fn cancel_token(&self, token: &TokenId) -> Result<TokenInfo, Failure> {
        let path = paths::fill(paths::TOKEN, &[token.as_str()]);
        self.ask(Ask::new(Action::CancelToken, Method::DELETE, path)).await
    }

    /// Assembles the text. The root that it pins must be the one that this client believes itself.
    fn print(
        &self,
        issued: &TokenIssued,
        role: Role,
        secret: DoorSecret,
    ) -> Result<SecretText, Failure> {
        let unreadable = || Failure::new(ErrorCode::AnswerUnreadable, texts::UNREADABLE);
        let trust = Trust::try_from(issued.trust.clone()).map_err(|_| unreadable())?;
        let ours = self.profile()?.trust;
        if matches!((ours, trust), (Trust::Pin(ours), Trust::Pin(theirs)) if ours != theirs) {
            return Err(Failure::new(ErrorCode::ServerNotTrusted, texts::NOT_TRUSTED));
        }
        let token = &issued.token;
        let payload = TokenPayload {
            id: token.id.clone(),
            kind: token.kind,
            url: Url::parse(&issued.url).map_err(|_| unreadable())?,
            trust,
            tenant: token.tenant.clone(),
            user: token.user.clone(),
            device: token.device.clone(),
            exp: token.expires_at.0,
            // Nothing is sealed to codes yet, so no code claims to open a vault.
            vault: false,
            role: (token.kind == TokenKind::Invite).then_some(role),
        };
        TokenText { payload, secret }.print().map_err(|_| unreadable())
    }
}
