//! How the browser half's yield comes back to the app half.

use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::crockford::TypedCode;
use landfall_crypto::secret::{ct_eq, sha256_of};
use landfall_crypto::{Random, Secret32};
use landfall_identity::id::CeremonyId;
use zeroize::Zeroizing;

/// The lowest port that an app may listen on: below are the system's services.
const PORT_MIN: u16 = 1024;
/// Bounds of the random path, in characters.
const PATH_LENGTH: std::ops::RangeInclusive<usize> = 16..=64;

/// Where the completion goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReturnTo {
    /// By a redirect to the app's listener on this machine.
    Loopback(Loopback),
    /// By hand.
    Typed,
}

/// The app's listener. Nothing but a loopback address can be made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loopback {
    port: u16,
    path: String,
}

/// Why that is no listener of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoopbackError {
    /// A port of the system.
    #[error("the port must be 1024 or higher")]
    Port,
    /// Not a random path.
    #[error("the path must be 16 to 64 characters of A-Z a-z 0-9 _ -")]
    Path,
}

impl ReturnTo {
    /// A listener on this machine.
    ///
    /// # Errors
    /// [`LoopbackError`] when port or path break the rules.
    pub fn loopback(port: u16, path: String) -> Result<Self, LoopbackError> {
        if port < PORT_MIN {
            return Err(LoopbackError::Port);
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if !PATH_LENGTH.contains(&path.len()) || !path.bytes().all(plain) {
            return Err(LoopbackError::Path);
        }
        Ok(Self::Loopback(Loopback { port, path }))
    }
}

impl Loopback {
    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path, without a slash.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// What the touch yields. It has no authority of its own: only the key that began can redeem it.
pub enum Completion {
    /// 256 bits for the redirect.
    Sent(Secret32),
    /// 40 bits for a person's fingers; few tries and two minutes make them enough.
    Typed(TypedCode),
}

/// The text is no completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a completion")]
pub struct CompletionError;

impl Completion {
    /// A new one, of the kind that `to` carries.
    pub fn generate(to: &ReturnTo, random: &dyn Random) -> Self {
        match to {
            ReturnTo::Loopback(_) => Self::Sent(Secret32::new(random.array())),
            ReturnTo::Typed => Self::Typed(TypedCode::generate(random)),
        }
    }

    /// Reads what the app half hands in.
    ///
    /// # Errors
    /// [`CompletionError`] for a text that is none of the kind that `to` carries.
    pub fn parse(to: &ReturnTo, text: &str) -> Result<Self, CompletionError> {
        match to {
            ReturnTo::Loopback(_) => {
                let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| CompletionError)?;
                let bytes = Zeroizing::new(bytes);
                Secret32::from_slice(&bytes).map(Self::Sent).ok_or(CompletionError)
            }
            ReturnTo::Typed => TypedCode::parse(text).map(Self::Typed).map_err(|_| CompletionError),
        }
    }

    /// What is kept of it, good for this ceremony alone.
    pub fn hash(&self, ceremony: &CeremonyId) -> [u8; 32] {
        let (kind, bytes): (&[u8], &[u8]) = match self {
            Self::Sent(secret) => (b"sent", secret.expose()),
            Self::Typed(code) => (b"typed", code.expose()),
        };
        let domain = b"landfall/completion/v1\0";
        sha256_of(&[domain, kind, b"\0", ceremony.as_str().as_bytes(), b"\0", bytes])
    }

    /// Whether it is the one that was kept, in constant time.
    pub fn matches(&self, ceremony: &CeremonyId, kept: &[u8]) -> bool {
        ct_eq(&self.hash(ceremony), kept)
    }

    /// Its text: a query value, or characters with a dash in the middle.
    pub fn to_text(&self) -> Zeroizing<String> {
        match self {
            Self::Sent(secret) => Zeroizing::new(BASE64URL_NOPAD.encode(secret.expose())),
            Self::Typed(code) => code.to_text(),
        }
    }

    /// Where the page goes with it.
    pub fn redirect(&self, to: &Loopback) -> String {
        let Loopback { port, path } = to;
        format!("http://127.0.0.1:{port}/{path}?completion={}", self.to_text().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_crypto::Ambient;
    use proptest::prelude::*;

    fn random() -> std::sync::Arc<dyn Random> {
        Ambient::system().random
    }

    #[test]
    fn only_a_listener_of_an_app_on_this_machine_is_sent_to() {
        let path = "A-random_path-01".to_owned();
        assert!(ReturnTo::loopback(49152, path.clone()).is_ok());
        assert_eq!(ReturnTo::loopback(1023, path), Err(LoopbackError::Port));
        for bad in [
            "",
            "short",
            "has/slash/and/more/x",
            "query?query?query?",
            "..%2f..%2f..%2f..",
            "@evil.example.org",
        ] {
            assert_eq!(ReturnTo::loopback(49152, bad.into()), Err(LoopbackError::Path), "{bad}");
        }
        assert_eq!(ReturnTo::loopback(49152, "a".repeat(65)), Err(LoopbackError::Path));
    }

    #[test]
    fn a_completion_serves_its_own_ceremony_only() {
        let to = ReturnTo::loopback(50000, "a".repeat(16)).unwrap();
        let one = CeremonyId::from_bits([1; 16]);
        let two = CeremonyId::from_bits([2; 16]);
        for to in [to, ReturnTo::Typed] {
            let made = Completion::generate(&to, random().as_ref());
            let kept = made.hash(&one);
            let read = Completion::parse(&to, made.to_text().as_str()).unwrap();
            assert!(read.matches(&one, &kept));
            assert!(!read.matches(&two, &kept));
        }
    }

    #[test]
    fn the_kinds_do_not_stand_for_each_other() {
        let loopback = ReturnTo::loopback(50000, "a".repeat(16)).unwrap();
        let typed = Completion::generate(&ReturnTo::Typed, random().as_ref());
        assert!(Completion::parse(&loopback, typed.to_text().as_str()).is_err());
        let sent = Completion::generate(&loopback, random().as_ref());
        assert!(Completion::parse(&ReturnTo::Typed, sent.to_text().as_str()).is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".{0,100}", port in any::<u16>()) {
            let _ = Completion::parse(&ReturnTo::Typed, &text);
            if let Ok(ReturnTo::Loopback(loopback)) = ReturnTo::loopback(port, text) {
                let url = Completion::generate(&ReturnTo::Loopback(loopback.clone()), random().as_ref())
                    .redirect(&loopback);
                let url = url::Url::parse(&url).unwrap();
                prop_assert_eq!(url.host_str(), Some("127.0.0.1"));
                prop_assert_eq!(url.port(), Some(port));
            }
        }
    }
}
