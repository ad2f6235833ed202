//! What a shell shows outside of flows, where the wire has no type for it: plain data, no logic.

use crate::view::FlowView;
use landfall_identity::token::TokenKind;
use landfall_identity::{DeviceName, TenantName, UserName};
use landfall_protocol::At;
use landfall_protocol::enroll::TokenInfo;
use landfall_protocol::recovery::RecoveryStatus;
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

/// What a recovery sheet says, as a person typed it, before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RecoveryPreview {
    /// The server's address.
    pub server: String,
    /// Whether the line names the server's own root, so that no other one is believed.
    pub pinned: bool,
    /// Whose account it is.
    #[ts(type = "string")]
    pub user: UserName,
    /// Whether a code goes with it.
    pub code: bool,
}

/// What a person says to begin a recovery, as typed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RecoveryTyped {
    /// The line of the sheet that names the server, or what its QR code says.
    pub server: String,
    /// The user.
    pub user: String,
    /// A code, if there is one.
    pub code: Option<String>,
    /// What this machine shall be called.
    pub device: String,
    /// The lost device, which is cut off in the same act.
    pub lost: Option<String>,
}

/// The recovery of this machine, as it stands.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RecoveryHere {
    /// Its flow.
    pub flow: FlowView,
    /// What the person can do.
    pub stage: RecoveryStage,
    /// The device that is cut off at the end.
    #[ts(type = "string | null")]
    pub lost: Option<DeviceName>,
    /// What this machine shows and an administrator types, once the server knows its key.
    pub check_code: Option<String>,
    /// What the server said last.
    pub status: Option<RecoveryStatus>,
    /// The code that takes the place of the used one. Shown until the person has it on paper.
    pub new_code: Option<String>,
    /// Until when this machine may register a passkey of its own.
    pub passkey_until: Option<At>,
}

/// What the person of a recovery can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum RecoveryStage {
    /// Somebody must approve, or time must pass. The shell asks again by itself.
    Waiting,
    /// The code was not taken: give another, or go on without.
    OtherCode,
    /// The name for this machine is taken: give another.
    OtherDevice,
    /// There is no device of the lost one's name: give another, or go on without.
    OtherLost,
    /// It goes on from where it stopped when the person says so.
    Paused,
    /// It is over; begin a new one.
    Over,
    /// This machine is in.
    In,
}

/// What the person of a recovery changes before it goes on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "change", rename_all = "kebab-case")]
#[ts(export)]
pub enum RecoveryChange {
    /// A code, the first or another one.
    Code {
        /// As typed.
        code: String,
    },
    /// Another name for this machine.
    Device {
        /// As typed.
        device: String,
    },
    /// Another lost device, or none.
    Lost {
        /// As typed.
        lost: Option<String>,
    },
}

/// New recovery codes and all that their sheet says: the only time that they are shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CodesSheet {
    /// Whose codes they are.
    #[ts(type = "string")]
    pub user: UserName,
    /// The line that names the server to a machine that has never seen it.
    pub server: String,
    /// The same line as a QR code. It holds no secret.
    pub qr: QrPicture,
    /// When they were made.
    pub made_at: At,
    /// The codes.
    pub codes: Vec<String>,
    /// The words around them, the same as in its files: whose codes these are.
    pub title: String,
    /// What to do with the paper.
    pub keep: String,
    /// What stands above the steps.
    pub when: String,
    /// What to do when every device is gone. Between backticks stands what is typed.
    pub steps: Vec<String>,
    /// What to do when the paper is gone.
    pub lost: String,
}

/// What a sheet may be kept as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
#[ts(export)]
pub enum SheetFormat {
    /// One HTML file that needs nothing else.
    Html,
    /// One page of PDF that fits A4 and Letter.
    Pdf,
}

/// Where a sheet was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SavedSheet {
    /// The file, which was not there before.
    pub path: String,
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
