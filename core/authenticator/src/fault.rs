//! Why a key did not answer, in words for the person who holds it.

use landfall_protocol::{ErrorCode, Problem};
use webauthn_authenticator_rs::error::{CtapError, WebauthnCError};

/// Why a key did not answer. Nothing was signed. The texts say what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// None is plugged in, or none that may be opened.
    #[error("No security key is plugged into this machine, or Landfall may not open it.")]
    NoKey,
    /// It holds none of the passkeys that would do.
    #[error("This security key holds no passkey that would do here.")]
    NotHere,
    /// It has no PIN and no fingerprint, and both sides must know that it is you.
    #[error(
        "This security key has no PIN yet. A browser lets you set one when you use the key there."
    )]
    NoPin,
    /// The PIN was wrong for the last time.
    #[error(
        "The PIN was wrong too often and the security key has locked itself for good. Its passkeys are lost to you: use another way in, then remove them from your account."
    )]
    Locked,
    /// The PIN was wrong three times in a row.
    #[error(
        "The PIN was wrong three times. Unplug the security key and plug it in again before you try once more."
    )]
    Resting,
    /// The person would rather not.
    #[error("You left the security key aside.")]
    Declined,
    /// Nobody touched it.
    #[error("Nobody touched the security key in time.")]
    Untouched,
    /// There is no place for another passkey.
    #[error(
        "This security key has no room for another passkey. Remove one that you do not need, or take another key."
    )]
    Full,
    /// It has one of this user's passkeys already.
    #[error("This security key is registered already. Register another one, or none.")]
    Known,
    /// It asks for a site that is not the page's.
    #[error(
        "The server asked the security key to sign for another site. It was not asked to. Tell whoever runs the server."
    )]
    AnotherSite,
    /// The question is none.
    #[error("The server's question was not one that a security key can be asked.")]
    Unreadable,
    /// It was pulled out, or broke.
    #[error("The security key stopped answering. Plug it in again, or use another way.")]
    Gone,
}

impl From<WebauthnCError> for KeyFault {
    fn from(error: WebauthnCError) -> Self {
        use CtapError as C;
        match error {
            WebauthnCError::Security => Self::AnotherSite,
            WebauthnCError::Cancelled => Self::Declined,
            WebauthnCError::UserVerificationRequired => Self::NoPin,
            WebauthnCError::Ctap(code) => match code {
                C::Ctap2NoCredentials | C::Ctap2InvalidCredential => Self::NotHere,
                C::Ctap2PinNotSet => Self::NoPin,
                C::Ctap2PinBlocked => Self::Locked,
                C::Ctap2PinAuthBlocked => Self::Resting,
                C::Ctap2KeepAliveCancel | C::Ctap2OperationDenied => Self::Declined,
                C::Ctap2UserActionTimeout | C::Ctap2ActionTimeout => Self::Untouched,
                C::Ctap2KeyStoreFull => Self::Full,
                C::Ctap2CredentialExcluded => Self::Known,
                _ => Self::Gone,
            },
            _ => Self::Gone,
        }
    }
}

impl From<KeyFault> for Problem {
    fn from(fault: KeyFault) -> Self {
        let code = match fault {
            KeyFault::Known => ErrorCode::PasskeyRegistered,
            _ => ErrorCode::SecurityKeyUnusable,
        };
        Self::new(code, fault.to_string())
    }
}
