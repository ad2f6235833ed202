//! The claim token: how a new server gets its first administrator.

use super::Service;
use crate::failure::Failure;
use crate::store::tokens::Token;
use crate::store::{self, Lane, StoreError, Tx, tokens, users};
use landfall_crypto::door::DoorSecret;
use landfall_crypto::secret::SecretText;
use landfall_crypto::token::{TokenPayload, TokenText, Trust};
use landfall_identity::audit::AuditEvent;
use landfall_identity::id::{AuditId, TokenId};
use landfall_identity::token::{CLAIM_TTL, TokenKind, TokenState};
use landfall_identity::{Action, Refusal, Role};
use url::Url;

/// Administrators who are named to somebody at the server's own terminal.
const NAMED_MAX: u32 = 20;

impl Service {
    /// Makes a claim token and withdraws those that were made before. The server itself makes it, so
    /// it opens no vault.
    ///
    /// # Errors
    /// [`Refusal::AlreadyClaimed`] once an administrator has ever existed.
    pub async fn issue_claim(&self) -> Result<SecretText, Failure> {
        let now = self.ambient.now();
        let secret = DoorSecret::generate(self.ambient.random.as_ref());
        let token = Token {
            id: TokenId::from_bits(self.ambient.row_bits()),
            tenant: self.settings.tenant.clone(),
            kind: TokenKind::Claim,
            user: None,
            device: None,
            role: Role::Admin,
            auth_hash: *secret.auth().hash().as_bytes(),
            state: TokenState::Issued,
            issued_by: None,
            issuer: None,
            issued_at: now,
            expires_at: now + CLAIM_TTL,
            enrollment: None,
            consumed_device: None,
            certificate: None,
            refused_tries: 0,
        };
        let text = self.claim_text(&token, secret)?;
        let event = self.claim_event(&token);
        let salt = self.ambient.random();
        let work = async move |tx: &mut Tx<'_>| {
            if users::any_admin(tx).await? {
                return Err(Refusal::AlreadyClaimed.into());
            }
            let (tenant, kind) = (&token.tenant, TokenKind::Claim);
            tokens::cancel_others(tx, tenant, kind, None, &token.id, now).await?;
            Ok(tokens::insert(tx, &token).await?)
        };
        let record = async move |tx: &mut Tx<'_>, result: &Result<(), Failure>| match result {
            Ok(()) => store::audit::append(tx, &event, salt).await,
            Err(_) => Ok::<_, StoreError>(()),
        };
        self.store.write(Lane::Known, work, record).await?;
        Ok(text)
    }

    /// Whether this server waits for its first administrator.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn is_unclaimed(&self) -> Result<bool, Failure> {
        Ok(!self.store.read(users::any_admin).await?)
    }

    /// The administrators of the tenant, by name; a screen of them.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn administrators(&self) -> Result<Vec<String>, Failure> {
        let tenant = &self.settings.tenant;
        let look = async |tx: &mut Tx<'_>| users::admins(tx, tenant, NAMED_MAX).await;
        let admins = self.store.read(look).await?;
        Ok(admins.into_iter().map(|admin| admin.name.to_string()).collect())
    }

    fn claim_text(&self, token: &Token, secret: DoorSecret) -> Result<SecretText, Failure> {
        let payload = TokenPayload {
            id: token.id.clone(),
            kind: token.kind,
            url: Url::parse(&self.settings.public_url).map_err(Failure::internal)?,
            trust: Trust::try_from(self.pki.trust().to_owned()).map_err(Failure::internal)?,
            tenant: token.tenant.clone(),
            user: None,
            device: None,
            exp: token.expires_at,
            vault: false,
            role: None,
        };
        TokenText { payload, secret }.print().map_err(Failure::internal)
    }

    fn claim_event(&self, token: &Token) -> AuditEvent {
        let id = AuditId::from_bits(self.ambient.row_bits());
        let action = Action::IssueToken.code();
        let target = format!("claim token {}", token.id);
        AuditEvent::by_server(id, token.issued_at, token.tenant.clone(), action, target)
    }
}
