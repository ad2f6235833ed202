//! Minting, listing and cancelling bootstrap tokens.

use super::known::Known;
use super::{RequestContext, Service, Turn, page, roles};
use crate::failure::Failure;
use crate::store::tokens::Token;
use crate::store::{Tx, enrollments, tokens, users};
use landfall_crypto::door::AuthHash;
use landfall_identity::authorize::Object;
use landfall_identity::caller::Role;
use landfall_identity::id::TokenId;
use landfall_identity::token::{INVITE_TTL_MAX, TokenKind, TokenState};
use landfall_identity::{
    Action, BoundAction, DeviceName, Refusal, Seconds, SpiffeId, Timestamp, UserName,
};
use landfall_protocol::enroll::{TokenInfo, TokenIssueRequest, TokenIssued, TokenStateName};
use landfall_protocol::{Page, PageQuery};

/// Tokens of one user that may be open at once.
const OPEN_TOKENS_MAX: u32 = 100;

impl Service {
    /// Mints a token for another device of the caller, or an invitation. The secret stays with the
    /// client; the same hash again answers with the same token.
    ///
    /// # Errors
    /// A refusal, or a name or lifetime that is not allowed.
    pub async fn issue_token(
        &self,
        mut request: RequestContext,
        body: TokenIssueRequest,
    ) -> Result<TokenIssued, Failure> {
        request.action = match body.kind {
            TokenKind::Device | TokenKind::Claim => Action::IssueToken,
            TokenKind::Invite => Action::IssueInvite,
        };
        let ttl = body.ttl_seconds.map_or(body.kind.default_ttl(), Seconds);
        let id = TokenId::from_bits(self.ambient.row_bits());
        let cap = self.settings.device_token_ttl_max;
        let token = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                issue(tx, turn, &body, ttl, cap, &id).await
            })
            .await?;
        Ok(TokenIssued {
            token: info(&token, self.ambient.now()),
            url: self.settings.public_url.clone(),
            trust: self.pki.trust().to_owned(),
        })
    }

    /// The caller's tokens, newest first.
    ///
    /// # Errors
    /// A refusal.
    pub async fn list_tokens(
        &self,
        request: RequestContext,
        query: PageQuery,
    ) -> Result<Page<TokenInfo>, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &turn.own()?, None).await?;
            let limit = page::limit(query.limit)?;
            let before = page::time_cursor(query.after.as_deref())?;
            let (at, id) = (before.0, before.1.as_str());
            let rows = tokens::list(tx, turn.tenant(), turn.user()?, (at, id), limit + 1).await?;
            let next = |token: &Token| page::time_cursor_text(token.issued_at, token.id.as_str());
            Ok(page::cut(rows, limit, next, |token| info(token, turn.now)))
        })
        .await
    }

    /// Withdraws one of the caller's tokens.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when it is not theirs; [`Refusal::TokenUsed`]. One that is withdrawn already
    /// is answered as it stands.
    pub async fn cancel_token(
        &self,
        mut request: RequestContext,
        id: TokenId,
    ) -> Result<TokenInfo, Failure> {
        if self.made_here(&request, &id)? {
            request.action = Action::CancelOwnToken;
        }
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.about(format!("token {id}"));
            let token = tokens::find(tx, &id).await?.ok_or(Refusal::NotFound)?;
            let user = token.issuer.clone().ok_or(Refusal::NotFound)?;
            let object = Object::Owned { tenant: token.tenant.clone(), user };
            if turn.is(Action::CancelOwnToken) && !is_made_by(&token, &turn.caller.spiffe_id) {
                return Err(Refusal::NotFound.into());
            }
            turn.authorize(tx, &object, None).await?;
            if !tokens::cancel(tx, &id, turn.now).await? {
                match token.state {
                    TokenState::Consumed { at, .. } => return Err(used(&token, at).into()),
                    TokenState::Cancelled { .. } => return Ok(info(&token, turn.now)),
                    TokenState::Issued => return Err(Refusal::NotFound.into()),
                }
            }
            let token = tokens::find(tx, &id).await?.ok_or(Refusal::NotFound)?;
            Ok(info(&token, turn.now))
        })
        .await
    }

    /// Whether the key of this connection made the token.
    fn made_here(&self, request: &RequestContext, id: &TokenId) -> Result<bool, Failure> {
        let Some(peer) = &request.peer else { return Ok(false) };
        let trust_domain = self.pki.trust_domain();
        let found = self.store.glance(async |tx: &mut Tx<'_>| {
            let known = Known::find(tx, trust_domain, &peer.thumbprint).await?;
            Ok(known.zip(tokens::find(tx, id).await?))
        })?;
        Ok(found.is_some_and(|(known, token)| is_made_by(&token, &known.spiffe_id)))
    }
}

fn is_made_by(token: &Token, device: &SpiffeId) -> bool {
    token.issued_by.as_deref() == Some(device.to_string().as_str())
}

/// Whether a code of this kind may live for `ttl`, where one for a device may for `cap`.
pub(super) fn lives_as_long(kind: TokenKind, ttl: Seconds, cap: Seconds) -> Result<(), Refusal> {
    let max = match kind {
        TokenKind::Invite => INVITE_TTL_MAX,
        _ => cap,
    };
    kind.allows_ttl(ttl, cap).then_some(()).ok_or(Refusal::TtlNotAllowed { max })
}

async fn issue(
    tx: &mut Tx<'_>,
    turn: &Turn,
    body: &TokenIssueRequest,
    ttl: Seconds,
    cap: Seconds,
    id: &TokenId,
) -> Result<Token, Failure> {
    let device_text = body.device.as_ref().map_or("a device of their choice", |d| d.as_str());
    turn.about(format!("{} token for {} on {device_text}", body.kind.as_str(), body.user));
    if body.kind == TokenKind::Claim {
        return Err(Failure::invalid("kind", "Only device and invite can be asked for."));
    }
    let auth_hash = AuthHash::parse(&body.auth_hash).map_err(|_| {
        Failure::invalid("auth_hash", "It must be 32 bytes in base64url without padding.")
    })?;
    let auth_hash = *auth_hash.as_bytes();
    let role = match body.kind {
        TokenKind::Invite => body.role.unwrap_or(Role::Member),
        _ => Role::Member,
    };
    let act = BoundAction::IssueToken {
        kind: body.kind,
        user: body.user.clone(),
        device: body.device.clone(),
        role,
        ttl,
        auth_hash: body.auth_hash.clone(),
    };
    // A repeated request finds the token that the first one made, before the spent approval is asked.
    if let Some(token) = tokens::by_auth_hash(tx, turn.tenant(), &auth_hash).await? {
        return repeated(turn, &act, token);
    }
    let object = Object::Owned { tenant: turn.tenant().clone(), user: body.user.clone() };
    turn.authorize(tx, &object, Some(&act)).await?;
    lives_as_long(body.kind, ttl, cap)?;
    names_are_free(tx, turn, body.kind, &body.user, body.device.as_ref()).await?;
    roles::has_room(tx, turn.tenant(), role).await?;
    if tokens::count_open(tx, turn.tenant(), turn.user()?, turn.now).await? >= OPEN_TOKENS_MAX {
        return Err(Refusal::RateLimited { retry_after: Seconds::minutes(10) }.into());
    }
    let token = Token {
        id: id.clone(),
        tenant: turn.tenant().clone(),
        kind: body.kind,
        user: Some(body.user.clone()),
        device: body.device.clone(),
        role,
        auth_hash,
        state: TokenState::Issued,
        issued_by: Some(turn.caller.spiffe_id.to_string()),
        issuer: Some(turn.user()?.clone()),
        issued_at: turn.now,
        expires_at: turn.now + ttl,
        enrollment: None,
        consumed_device: None,
        certificate: None,
        refused_tries: 0,
    };
    tokens::insert(tx, &token).await?;
    Ok(token)
}

/// Whether a token can name these: a new user for an invitation, a new device otherwise.
pub(super) async fn names_are_free(
    tx: &mut Tx<'_>,
    turn: &Turn,
    kind: TokenKind,
    user: &UserName,
    device: Option<&DeviceName>,
) -> Result<(), Failure> {
    match (kind, device) {
        (TokenKind::Claim, _) => {
            Err(Failure::invalid("kind", "Only device and invite can be asked for."))
        }
        (TokenKind::Invite, _) => match users::find(tx, turn.tenant(), user).await? {
            Some(_) => Err(Refusal::UserExists.into()),
            None => Ok(()),
        },
        (TokenKind::Device, None) => Err(Refusal::NameMissing { field: "device" }.into()),
        (TokenKind::Device, Some(device)) => {
            match enrollments::find(tx, turn.tenant(), user, device).await? {
                Some(_) => Err(Refusal::DeviceNameTaken.into()),
                None => Ok(()),
            }
        }
    }
}

/// A lost reply: the same user asks with the same hash for the same token again.
fn repeated(turn: &Turn, act: &BoundAction, token: Token) -> Result<Token, Failure> {
    let object = Object::Owned {
        tenant: token.tenant.clone(),
        user: token.issuer.clone().ok_or(Refusal::NotFound)?,
    };
    turn.authorize_again(&object, act)?;
    let BoundAction::IssueToken { kind, user, device, role, ttl, .. } = act else {
        return Err(Refusal::NotFound.into());
    };
    let same = token.kind == *kind
        && token.user.as_ref() == Some(user)
        && token.device == *device
        && token.role == *role
        && token.expires_at == token.issued_at + *ttl;
    if same && token.state == TokenState::Issued {
        return Ok(token);
    }
    Err(Failure::invalid("auth_hash", "This hash belongs to another token. Make a new secret."))
}

/// The refusal that tells when, and on which device, a token was used.
pub(super) fn used(token: &Token, at: Timestamp) -> Refusal {
    let device = token.consumed_device.as_ref().map(ToString::to_string).unwrap_or_default();
    Refusal::TokenUsed { at, device }
}

fn info(token: &Token, now: Timestamp) -> TokenInfo {
    let (state, consumed_at) = match &token.state {
        TokenState::Consumed { at, .. } => (TokenStateName::Consumed, Some((*at).into())),
        TokenState::Cancelled { .. } => (TokenStateName::Cancelled, None),
        TokenState::Issued if token.expires_at.is_over(now) => (TokenStateName::Expired, None),
        TokenState::Issued => (TokenStateName::Issued, None),
    };
    TokenInfo {
        id: token.id.clone(),
        kind: token.kind,
        tenant: token.tenant.clone(),
        user: token.user.clone(),
        device: token.device.clone(),
        state,
        issued_by: token.issued_by.as_ref().and_then(|text| text.parse().ok()),
        issued_at: token.issued_at.into(),
        expires_at: token.expires_at.into(),
        consumed_at,
        consumed_by: token.consumed_device.clone(),
        refused_tries: token.refused_tries,
    }
}
