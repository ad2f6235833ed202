//! One line that says which server, and how to know that it is that one: what a recovery sheet carries
//! for a machine that has never seen it.
//!
//! `https://id.example.org` trusts the certificate that browsers trust. With `#` and a fingerprint behind
//! it, in groups of four as people type, nothing but a chain to the root with that SHA-256 is taken.

use crate::crockford;
use crate::token::Trust;
use std::fmt;
use url::Url;

/// The longest line that is looked at.
const LINE_MAX: usize = 512;
const GROUP: usize = 4;

/// Why a text is not such a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServerLineError {
    /// Not `https://` and a host.
    #[error("it begins with https:// and the server's name")]
    Address,
    /// What stands behind the `#` is no fingerprint.
    #[error("behind the # stand 13 groups of four characters, 0-9 and A-Z without U")]
    Fingerprint,
}

/// How a fingerprint begins that a program wrote: a token's `trust`, or a server's ready line.
const PIN: &str = "pin:";

/// A server, and how to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerLine {
    /// Its address: an `https` origin.
    pub url: Url,
    /// How to know it.
    pub trust: Trust,
}

impl ServerLine {
    /// Reads what a person typed: white space and dashes in the fingerprint do not matter, nor does case.
    ///
    /// # Errors
    /// [`ServerLineError`] says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, ServerLineError> {
        let text = text.trim();
        if text.len() > LINE_MAX {
            return Err(ServerLineError::Address);
        }
        let (address, fingerprint) = match text.split_once('#') {
            Some((address, fingerprint)) => (address.trim(), Some(fingerprint)),
            None => (text, None),
        };
        let url = Url::parse(address).map_err(|_| ServerLineError::Address)?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none();
        if url.scheme() != "https" || url.host().is_none() || !bare {
            return Err(ServerLineError::Address);
        }
        let trust = match fingerprint {
            None => Trust::WebPki,
            // As programs write it.
            Some(text) if text.trim().starts_with(PIN) => {
                let trust = Trust::try_from(text.trim().to_owned());
                trust.map_err(|_| ServerLineError::Fingerprint)?
            }
            Some(text) => {
                let bytes = crockford::decode(text).map_err(|_| ServerLineError::Fingerprint)?;
                let pin = bytes.try_into().map_err(|_| ServerLineError::Fingerprint)?;
                Trust::Pin(pin)
            }
        };
        Ok(Self { url, trust })
    }

    /// The fingerprint in groups, when there is one.
    pub fn fingerprint(&self) -> Option<String> {
        let Trust::Pin(pin) = &self.trust else { return None };
        let text = crockford::encode(pin);
        let groups: Vec<&str> = text
            .as_bytes()
            .chunks(GROUP)
            .filter_map(|group| std::str::from_utf8(group).ok())
            .collect();
        Some(groups.join("-"))
    }
}

impl fmt::Display for ServerLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url.origin().ascii_serialization())?;
        match self.fingerprint() {
            Some(fingerprint) => write!(f, "#{fingerprint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_without_a_fingerprint_trusts_what_browsers_trust() {
        let line = ServerLine::parse(" https://id.example.org/ \n").unwrap();
        assert_eq!(line.trust, Trust::WebPki);
        assert_eq!(line.to_string(), "https://id.example.org");
    }

    #[test]
    fn what_is_no_line_is_told_by_its_part() {
        for bad in ["", "id.example.org", "http://x", "https://a@b", "https://x/y", "https://x?y"] {
            assert_eq!(ServerLine::parse(bad), Err(ServerLineError::Address), "{bad}");
        }
        for bad in ["https://x#", "https://x#ABCD", "https://x#U", "https://x#pin:AAAA"] {
            assert_eq!(ServerLine::parse(bad), Err(ServerLineError::Fingerprint), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_can_be_typed(pin in any::<[u8; 32]>(), port in 1..u16::MAX) {
            let url = Url::parse(&format!("https://landfall.example:{port}")).unwrap();
            let line = ServerLine { url, trust: Trust::Pin(pin) };
            let text = line.to_string();
            prop_assert_eq!(ServerLine::parse(&text), Ok(line.clone()));
            let (address, fingerprint) = text.split_once('#').unwrap();
            let typed = format!("{address}# {} ", fingerprint.to_lowercase().replace('-', " "));
            prop_assert_eq!(ServerLine::parse(&typed), Ok(line.clone()));
            let piped = format!("{address}#{}\n", line.trust);
            prop_assert_eq!(ServerLine::parse(&piped), Ok(line));
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,80}") {
            let _ = ServerLine::parse(&text);
        }
    }
}
