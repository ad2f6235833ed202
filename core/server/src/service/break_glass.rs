//! When no administrator can get in: whoever runs the server makes one code, on the server's own
//! machine, and every administrator hears of it.

use super::Service;
use super::notices::News;
use super::recovery_standing::stop_answered;
use crate::failure::Failure;
use crate::store::tokens::Token;
use crate::store::{self, Lane, StoreError, Tx, enrollments, tokens, users};
use landfall_crypto::door::DoorSecret;
use landfall_crypto::secret::SecretText;
use landfall_crypto::token::{TokenPayload, TokenText, Trust};
use landfall_identity::audit::AuditEvent;
use landfall_identity::id::{AuditId, TokenId};
use landfall_identity::notice::{By, Happening};
use landfall_identity::token::{CLAIM_TTL, TokenKind, TokenState};
use landfall_identity::{DeviceName, Refusal, Role, Seconds, TenantName, Timestamp, UserName};
use url::Url;

/// How long the code can be used, at most.
pub const BREAK_GLASS_TTL: Seconds = CLAIM_TTL;
/// Its code in the audit.
pub const BREAK_GLASS: &str = "break-glass";

/// Whom the code lets in.
#[derive(Debug, Clone)]
pub enum GlassFor {
    /// An administrator there is, on a device that has no such name yet.
    Existing {
        /// Who.
        user: UserName,
        /// The new device.
        device: DeviceName,
    },
    /// An administrator there is not yet.
    New {
        /// Who.
        user: UserName,
    },
}

impl GlassFor {
    /// Who.
    pub fn user(&self) -> &UserName {
        match self {
            Self::Existing { user, .. } | Self::New { user } => user,
        }
    }

    fn token(&self) -> (TokenKind, Option<DeviceName>) {
        match self {
            Self::Existing { device, .. } => (TokenKind::Device, Some(device.clone())),
            Self::New { .. } => (TokenKind::Invite, None),
        }
    }
}

/// Whether the server itself made this token, for another than its first administrator.
pub(super) fn is_emergency(token: &Token) -> bool {
    token.issued_by.is_none() && token.kind != TokenKind::Claim
}

impl Service {
    /// Makes the code. The server itself makes it, so it opens no vault; it is used once, within an
    /// hour, and the one that its user had before is withdrawn.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for somebody who is no administrator, and on a server that nobody has
    /// claimed, whose claim token does all this; [`Refusal::UserExists`] for a new one who is there;
    /// [`Refusal::DeviceNameTaken`].
    /// *The administrator against whom it is made would answer it with a freeze:* `stops` are stopped with it, as by an
    /// administrator whom nobody outranks.
    pub async fn break_glass(
        &self,
        whom: GlassFor,
        stops: Vec<UserName>,
    ) -> Result<SecretText, Failure> {
        let now = self.ambient.now();
        let secret = DoorSecret::generate(self.ambient.random.as_ref());
        let (kind, device) = whom.token();
        let token = Token {
            id: TokenId::from_bits(self.ambient.row_bits()),
            tenant: self.settings.tenant.clone(),
            kind,
            user: Some(whom.user().clone()),
            device,
            role: Role::Admin,
            auth_hash: *secret.auth().hash().as_bytes(),
            state: TokenState::Issued,
            issued_by: None,
            issuer: None,
            issued_at: now,
            expires_at: now + BREAK_GLASS_TTL,
            enrollment: None,
            consumed_device: None,
            certificate: None,
            refused_tries: 0,
        };
        let text = self.glass_text(&token, secret)?;
        let id = AuditId::from_bits(self.ambient.row_bits());
        let mut target =
            format!("{} token {} for the administrator {}", kind.as_str(), token.id, whom.user());
        for user in &stops {
            target.push_str(&format!(", stopping {user}"));
        }
        let event = AuditEvent::by_server(id, now, token.tenant.clone(), BREAK_GLASS, target);
        let salt = self.ambient.random();
        let service = self.clone();
        let work = async move |tx: &mut Tx<'_>| {
            service.put_glass(tx, &whom, &token).await?;
            for user in &stops {
                service.stop_by_operator(tx, &whom, (&token.tenant, user), now).await?;
            }
            Ok(())
        };
        let record = async move |tx: &mut Tx<'_>, result: &Result<(), Failure>| match result {
            Ok(()) => store::audit::append(tx, &event, salt).await,
            Err(_) => Ok::<_, StoreError>(()),
        };
        self.store.write(Lane::Known, work, record).await?;
        Ok(text)
    }

    async fn put_glass(
        &self,
        tx: &mut Tx<'_>,
        whom: &GlassFor,
        token: &Token,
    ) -> Result<(), Failure> {
        if !users::any_admin(tx).await? {
            return Err(Refusal::NotFound.into());
        }
        let found = users::find(tx, &token.tenant, whom.user()).await?;
        match (whom, found) {
            (GlassFor::New { .. }, None) => {}
            (GlassFor::New { .. }, Some(_)) => return Err(Refusal::UserExists.into()),
            (GlassFor::Existing { user, device }, Some(found)) if found.role == Role::Admin => {
                if enrollments::find(tx, &token.tenant, user, device).await?.is_some() {
                    return Err(Refusal::DeviceNameTaken.into());
                }
            }
            (GlassFor::Existing { .. }, _) => return Err(Refusal::NotFound.into()),
        }
        tokens::cancel_servers_own(tx, &token.tenant, whom.user(), token.issued_at).await?;
        tokens::insert(tx, token).await?;
        let what = Happening::BreakGlass { user: whom.user().clone() };
        self.tell_admins(tx, &token.tenant, what, token.issued_at).await
    }

    /// Stops somebody's account until an administrator ends it, as whoever runs the server wants it. No guard asks whether
    /// somebody is left: the code beside it is for that.
    async fn stop_by_operator(
        &self,
        tx: &mut Tx<'_>,
        whom: &GlassFor,
        (tenant, user): (&TenantName, &UserName),
        now: Timestamp,
    ) -> Result<(), Failure> {
        let found = users::find(tx, tenant, user).await?.filter(|row| row.name != *whom.user());
        let row = found.ok_or_else(|| Refusal::NobodyToStop { user: user.clone() })?;
        let news = News {
            tenant: tenant.clone(),
            user: row.name.clone(),
            at: now,
            what: Happening::AccountFrozen,
            by: By::Operator,
            source: None,
        };
        // This process holds no connection of theirs: the server reads of it in the changes.
        self.stop_account(tx, news).await?;
        Ok(users::set_frozen_by_admin(tx, (tenant, &row.name), None, now).await?)
    }

    /// An emergency code lets somebody in. Like a recovery it ends a freeze from before it: else whoever
    /// comes in could not so much as register a passkey. A freeze that came afterwards is an answer to it.
    ///
    /// # Errors
    /// [`Refusal::FrozenSinceCode`].
    pub(super) async fn glass_is_broken(
        &self,
        tx: &mut Tx<'_>,
        token: &Token,
        user: &UserName,
        source: Option<String>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        tracing::warn!(%user, kind = token.kind.as_str(), "an emergency code lets somebody in");
        let found = users::find(tx, &token.tenant, user).await?;
        let Some(found) = found.filter(|user| user.frozen_at.is_some()) else { return Ok(()) };
        match found.frozen_at {
            Some(at) if at > token.issued_at => Err(Refusal::FrozenSinceCode.into()),
            _ => {
                let plan = &self.settings.recovery_plan;
                stop_answered(tx, plan, &found, None, now).await?;
                users::set_frozen(tx, &token.tenant, user, None).await?;
                let (tenant, user) = (token.tenant.clone(), user.clone());
                let (what, by) = (Happening::AccountUnfrozen, By::Operator);
                self.tell(tx, News { tenant, user, at: now, what, by, source }).await
            }
        }
    }

    fn glass_text(&self, token: &Token, secret: DoorSecret) -> Result<SecretText, Failure> {
        let payload = TokenPayload {
            id: token.id.clone(),
            kind: token.kind,
            url: Url::parse(&self.settings.public_url).map_err(Failure::internal)?,
            trust: Trust::try_from(self.pki.trust().to_owned()).map_err(Failure::internal)?,
            tenant: token.tenant.clone(),
            user: token.user.clone(),
            device: token.device.clone(),
            exp: token.expires_at,
            vault: false,
            role: (token.kind == TokenKind::Invite).then_some(Role::Admin),
        };
        TokenText { payload, secret }.print().map_err(Failure::internal)
    }
}
