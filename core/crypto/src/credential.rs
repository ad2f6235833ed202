//! What is inside the file of a machine's key: the key as PEM, and before it in plain lines where it works and
//! as whom. OpenSSL and others pass over those lines (RFC 7468, section 2), so `age -d` and a pipe suffice.

use crate::key::{KeyError, KeyPair};
use crate::passphrase::SEALED_MAX;
use crate::secret::SecretText;
use crate::token::Trust;
use landfall_identity::{DeviceName, MachineRole, TenantName, Timestamp};
use std::fmt::Write as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;

const HEAD: &str = "Landfall machine credential v1";
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const LABEL: &str = "PRIVATE KEY";

/// Where a machine's key works, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialFacts {
    /// The server.
    pub server: Url,
    /// How to know that it is that server: so a machine trusts nobody at first sight.
    pub trust: Trust,
    /// The tenant.
    pub tenant: TenantName,
    /// The machine.
    pub device: DeviceName,
    /// What it stands for.
    pub role: MachineRole,
    /// When the key ends.
    pub expires_at: Timestamp,
}

/// The text is not what such a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Another file, or a changed one.
    #[error("it holds no machine's key, or {0} cannot be read")]
    Malformed(&'static str),
    /// The key in it.
    #[error("its key cannot be used: {0}")]
    Key(#[from] KeyError),
}

impl CredentialFacts {
    /// The text of a file: these facts and the key.
    ///
    /// # Errors
    /// [`KeyError`] when the key cannot be written.
    pub fn print(&self, key: &KeyPair) -> Result<SecretText, KeyError> {
        let mut text = SecretText::default();
        // Room for all of it at once, so that no half of a key stays behind where the text has moved from.
        text.reserve(2048);
        let pkcs8 = key.to_pkcs8()?;
        let pem = SecretText::new(pem::encode(&pem::Pem::new(LABEL, pkcs8.expose())));
        let Self { server, trust, tenant, device, role, expires_at } = self;
        let server = server.origin().ascii_serialization();
        let expires = written(*expires_at).ok_or(KeyError::Library)?;
        // Writing into a text cannot fail.
        let _ = write!(
            text,
            "{HEAD}\nServer: {server}\nTrust: {trust}\nTenant: {tenant}\nDevice: {device}\nRole: {role}\n\
             Expires: {expires}\n"
        );
        text.push_str(&pem);
        Ok(text)
    }

    /// Reads such a text.
    ///
    /// # Errors
    /// [`CredentialError`] says what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<(Self, KeyPair), CredentialError> {
        let malformed = CredentialError::Malformed;
        if text.len() > SEALED_MAX {
            return Err(malformed("all of it"));
        }
        let text = std::str::from_utf8(text).map_err(|_| malformed("its text"))?;
        let (facts, _) = text.split_once(BEGIN).ok_or(malformed("the key"))?;
        let block = pem::parse(text).map_err(|_| malformed("the key"))?;
        let pkcs8 = crate::secret::SecretBytes::new(block.into_contents());
        let key = KeyPair::from_pkcs8(pkcs8.expose())?;
        let mut lines = facts.lines();
        if lines.next() != Some(HEAD) {
            return Err(malformed("its first line"));
        }
        let mut field = |name: &'static str| {
            let line = lines.next().and_then(|line| line.split_once(": "));
            line.filter(|(found, _)| *found == name).map(|(_, value)| value).ok_or(malformed(name))
        };
        let server = Url::parse(field("Server")?).map_err(|_| malformed("Server"))?;
        if server.scheme() != "https" || server.host().is_none() {
            return Err(malformed("Server"));
        }
        let trust = Trust::try_from(field("Trust")?.to_owned()).map_err(|_| malformed("Trust"))?;
        let tenant = TenantName::parse(field("Tenant")?).map_err(|_| malformed("Tenant"))?;
        let device = DeviceName::parse(field("Device")?).map_err(|_| malformed("Device"))?;
        let role = MachineRole::parse(field("Role")?).map_err(|_| malformed("Role"))?;
        let expires_at = read(field("Expires")?).ok_or(malformed("Expires"))?;
        Ok((Self { server, trust, tenant, device, role, expires_at }, key))
    }
}

fn written(at: Timestamp) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(at.seconds()).ok()?.format(&Rfc3339).ok()
}

fn read(text: &str) -> Option<Timestamp> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(Timestamp::from_seconds(at.unix_timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Signer;
    use proptest::prelude::*;

    fn facts() -> CredentialFacts {
        CredentialFacts {
            server: Url::parse("https://id.example.org:8443").unwrap(),
            trust: Trust::Pin([7; 32]),
            tenant: TenantName::parse("home").unwrap(),
            device: DeviceName::parse("build-7").unwrap(),
            role: MachineRole::parse("releaser").unwrap(),
            expires_at: Timestamp::from_seconds(1_795_269_600),
        }
    }

    #[test]
    fn what_is_printed_is_read() {
        let key = KeyPair::generate().unwrap();
        let text = facts().print(&key).unwrap();
        let (read, again) = CredentialFacts::parse(text.as_bytes()).unwrap();
        assert_eq!((read, again.public_key()), (facts(), key.public_key()));
    }

    #[test]
    fn a_line_less_or_another_one_is_told() {
        let key = KeyPair::generate().unwrap();
        let text = facts().print(&key).unwrap();
        for (from, to, part) in [
            ("https://", "http://", "Server"),
            ("pin:", "pin", "Trust"),
            ("Tenant: home\n", "", "Tenant"),
            ("Role: releaser", "Role: Releaser", "Role"),
            ("Expires: 2", "Expires: x", "Expires"),
            (" v1", " v2", "its first line"),
            ("BEGIN PRIVATE", "BEGIN PUBLIC", "the key"),
        ] {
            let changed = text.replacen(from, to, 1);
            let refused = CredentialFacts::parse(changed.as_bytes()).err();
            assert_eq!(refused, Some(CredentialError::Malformed(part)), "{from}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_read_brings_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = CredentialFacts::parse(&bytes);
            let framed = [HEAD.as_bytes(), b"\nServer: ", &bytes, BEGIN.as_bytes(), &bytes].concat();
            let _ = CredentialFacts::parse(&framed);
        }
    }
}
