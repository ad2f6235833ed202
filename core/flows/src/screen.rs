//! What a shell shows outside of flows, where the wire has no type for it: plain data, no logic.

use landfall_identity::token::TokenKind;
use landfall_identity::{DeviceName, TenantName, UserName};
use landfall_protocol::At;
use landfall_protocol::enroll::TokenInfo;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Whether this machine is enrolled, and as whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "is", rename_all = "kebab-case")]
#[ts(export)]
pub enum Standing {
    /// It has never heard of a server, or has forgotten it.
    New,
    /// It has an identity.
    Enrolled {
        /// The server's address.
        server: String,
        /// The tenant.
        #[ts(type = "string")]
        tenant: TenantName,
        /// The user.
        #[ts(type = "string")]
        user: UserName,
        /// This machine.
        #[ts(type = "string")]
        device: DeviceName,
    },
}

/// What a code says about itself, read before anything is spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TokenPreview {
    /// What it is for.
    #[ts(type = "\"claim\" | \"invite\" | \"device\"")]
    pub kind: TokenKind,
    /// The server's address.
    pub server: String,
    /// The tenant.
    #[ts(type = "string")]
    pub tenant: TenantName,
    /// The user, where the code settles it.
    #[ts(type = "string | null")]
    pub user: Option<UserName>,
    /// The device, where the code settles it.
    #[ts(type = "string | null")]
    pub device: Option<DeviceName>,
    /// When it ends.
    pub expires_at: At,
}

/// A token that was just made: the only time that its text is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct NewToken {
    /// The text to enter on the new machine.
    pub text: String,
    /// The same as a QR code.
    pub qr: QrPicture,
    /// The token.
    pub info: TokenInfo,
}

/// A QR code (ISO/IEC 18004), to be drawn with a quiet zone of four modules.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct QrPicture {
    /// One string for each row: `#` is dark, `.` is light.
    pub rows: Vec<String>,
}

/// A secret's value, to be shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Revealed {
    /// The secret's name.
    pub name: String,
    /// Which version.
    pub version: u64,
    /// The value, when it is UTF-8 text.
    pub text: Option<String>,
    /// Its length in bytes.
    pub size: u64,
}

/// Something is on the clipboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Copied {
    /// When it is taken off again, unless something else was copied meanwhile.
    pub clears_at: At,
}
