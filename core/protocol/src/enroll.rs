//! Tokens and certificates.

use crate::time::At;
use landfall_identity::caller::Role;
use landfall_identity::id::{GrantId, TokenId};
use landfall_identity::token::TokenKind;
use landfall_identity::{DeviceName, Label, SpiffeId, TenantName, TrustDomain, UserName};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// Mint a bootstrap token: `POST /auth/bootstrap/issue`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct TokenIssueRequest {
    /// `device` for another device of one's own, `invite` for a new user.
    #[ts(type = "\"device\" | \"invite\"")]
    #[schema(value_type = String)]
    pub kind: TokenKind,
    /// The user: oneself for `device`, the new one for `invite`.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub user: UserName,
    /// The device. An invitation may leave it to the invited.
    #[serde(default)]
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub device: Option<DeviceName>,
    /// The invited user's role; `member` when absent, and for `device`.
    #[serde(default)]
    #[ts(type = "\"member\" | \"auditor\" | \"operator\" | \"admin\" | null")]
    #[schema(value_type = Option<String>)]
    pub role: Option<Role>,
    /// How long it can be used; the kind's default when absent.
    #[serde(default)]
    pub ttl_seconds: Option<u64>,
    /// SHA-256 of the `auth` half of the secret that the client made, base64url without padding.
    /// Also makes the request repeatable: the same hash again answers with the same token.
    pub auth_hash: String,
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct TokenInfo {
    /// Its public name.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub id: TokenId,
    /// What it is for.
    #[ts(type = "\"claim\" | \"invite\" | \"device\"")]
    #[schema(value_type = String)]
    pub kind: TokenKind,
    /// Where.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub tenant: TenantName,
    /// Whom it signs in.
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub user: Option<UserName>,
    /// Which device it enrols.
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub device: Option<DeviceName>,
    /// Where it stands.
    pub state: TokenStateName,
    /// Who made it.
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub issued_by: Option<SpiffeId>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub issued_at: At,
    /// When its time is over.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: At,
    /// When it was used.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub consumed_at: Option<At>,
    /// The device that used it.
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub consumed_by: Option<DeviceName>,
    /// How many times it was presented with the wrong secret, or by the wrong machine.
    pub refused_tries: u32,
}

/// Where a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum TokenStateName {
    /// Can be used.
    Issued,
    /// Was used.
    Consumed,
    /// Its time is over.
    Expired,
    /// Was withdrawn.
    Cancelled,
}

/// A minted token and what its printed text must carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct TokenIssued {
    /// The token.
    pub token: TokenInfo,
    /// The server's public address.
    pub url: String,
    /// `webpki`, or `pin:` and the base64url SHA-256 of the root certificate.
    pub trust: String,
}

/// A first certificate: `POST /auth/cert/issue`. Works without a client certificate.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct CertIssueRequest {
    /// The token's public name.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub token_id: TokenId,
    /// The `auth` half of the token's secret, base64url without padding. Never the token's text.
    pub auth: String,
    /// The certificate request, PEM, at most 8 KiB. Only its key is used.
    pub csr: String,
    /// The user, where the token leaves it open; otherwise it must agree.
    #[serde(default)]
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub user: Option<UserName>,
    /// The device, where the token leaves it open; otherwise it must agree.
    #[serde(default)]
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub device: Option<DeviceName>,
    /// What the person calls the device.
    #[serde(default)]
    #[ts(type = "string | null")]
    #[schema(value_type = Option<String>)]
    pub label: Option<Label>,
}

/// A certificate, and what a client keeps with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct CertIssued {
    /// Who the device now is.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub spiffe_id: SpiffeId,
    /// The trust domain.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub trust_domain: TrustDomain,
    /// The certificate and its issuer, PEM, leaf first.
    pub certificate_chain: String,
    /// The root certificates, PEM.
    pub trust_bundle: String,
    /// When the certificate ends.
    #[schema(value_type = String, format = DateTime)]
    pub not_after: At,
    /// When to renew: two thirds of the lifetime.
    #[schema(value_type = String, format = DateTime)]
    pub renew_at: At,
    /// The right to register a first passkey, when this enrolment gives one.
    pub grant: Option<GrantInfo>,
    /// The server's time.
    #[schema(value_type = String, format = DateTime)]
    pub server_time: At,
}

/// A right to register a first passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct GrantInfo {
    /// Its identifier.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub id: GrantId,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: At,
}

/// The next certificate: `POST /auth/cert/renew`. The body is empty; the signature says it all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct CertRenewRequest {}
