//! What a server says of itself.

use crate::time::At;
use landfall_identity::TrustDomain;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// The version of this interface that this build speaks.
pub const API_VERSION: u32 = 1;

/// `GET /.well-known/landfall`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct WellKnown {
    /// The product's version.
    pub version: String,
    /// The oldest interface version that the server speaks.
    pub api_min: u32,
    /// The newest.
    pub api_max: u32,
    /// The server's public address.
    pub url: String,
    /// Where passkey pages are served; absent when browsers cannot use passkeys here.
    pub ceremony_origin: Option<String>,
    /// The trust domain.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub trust_domain: TrustDomain,
    /// `pin:` and the base64url SHA-256 of the root certificate, or `webpki`.
    pub trust: String,
    /// The server's time.
    #[schema(value_type = String, format = DateTime)]
    pub server_time: At,
}

/// `GET /healthz` and `GET /readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Health {
    /// `ok`, or what is wrong.
    pub status: String,
}
