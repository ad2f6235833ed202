//! Making and checking: keys, requests, certificates, tokens, signatures, envelopes.
//!
//! Everything here is composed of well-kept libraries; nothing invents a primitive. Time and chance
//! are handed in ([`ambient`]); secrets have no `Debug`, are wiped on drop, and are compared in
//! constant time ([`secret`]).

pub mod aauth;
pub mod agent_code;
pub mod ambient;
pub mod ca;
pub mod capability;
pub mod certificate;
pub mod checkpoint;
pub mod credential;
pub mod crockford;
pub mod csr;
pub mod door;
pub mod envelope;
pub mod httpsig;
pub mod jwt;
pub mod jwt_svid;
pub mod key;
pub mod key_set;
pub mod link;
pub mod merkle;
mod once;
pub mod pairing;
pub mod passphrase;
pub mod platform;
pub mod recovery_code;
pub mod secret;
pub mod self_signed;
pub mod server_line;
pub mod thumbprint;
pub mod token;
pub mod words;

pub use ambient::{Ambient, Clock, Random};
pub use key::{KeyPair, PublicKey, Signature, Signer, SignerError};
pub use secret::{Secret32, SecretBytes, SecretText};
pub use thumbprint::Thumbprint;
