//! Passkeys without a browser: security keys that are plugged into this machine (CTAP 2, FIDO Alliance).
//!
//! [`SecurityKeys`] finds them and has one answer a ceremony's question, the way a browser would: the PIN
//! and the touch are asked of a [`Person`], and the answer is what `PublicKeyCredential.toJSON()` gives.
//! What travels to the key and back is `webauthn-authenticator-rs`'s work; [`Watched`] stands between the
//! two and adds what that library leaves out. Everything is generic over the library's own `Transport`,
//! so that a key in software takes a real one's place in tests.

mod answer;
mod fault;
mod keys;
mod question;
mod watched;

pub use fault::KeyFault;
pub use keys::{Person, PinAsk, SecurityKeys, UsbKeys};
pub use question::Question;
pub use watched::Watched;
