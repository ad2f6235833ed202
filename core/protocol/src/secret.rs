//! Managed secrets.

use crate::time::At;
use landfall_identity::DeviceName;
use landfall_identity::secret::SecretName;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// A new version: `POST /secrets`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct SecretSetRequest {
    /// Its name.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub name: SecretName,
    /// The value, base64 (RFC 4648, section 4); at most 64 KiB once decoded.
    pub value_base64: String,
}

/// A secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SecretInfo {
    /// Its name.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub name: SecretName,
    /// The newest version's number.
    pub version: u64,
    /// How many versions are kept.
    pub versions: u64,
    /// When the newest version was written.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: At,
    /// The device that wrote it.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub updated_by: DeviceName,
}

/// One version, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SecretVersionInfo {
    /// Its number; numbers are never given twice.
    pub version: u64,
    /// The value's length in bytes.
    pub size: u64,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub written_at: At,
    /// The device that wrote it.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub written_by: DeviceName,
}

/// A value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SecretValue {
    /// Its name.
    #[ts(type = "string")]
    #[schema(value_type = String)]
    pub name: SecretName,
    /// Which version.
    pub version: u64,
    /// The value, base64 (RFC 4648, section 4).
    pub value_base64: String,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub written_at: At,
}
