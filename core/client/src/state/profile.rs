//! Who this machine is on one server.

use landfall_crypto::token::Trust;
use landfall_flows::{EnrollFlow, KeyRef};
use landfall_identity::name::NameError;
use landfall_identity::{DeviceName, Principal, SpiffeId, TenantName, UserName};
use landfall_protocol::enroll::{CertIssued, GrantInfo};
use landfall_protocol::{At, ErrorCode};
use serde::{Deserialize, Serialize};
use std::fmt;
use url::Url;
use zeroize::Zeroizing;

/// The name of a profile: the server's host and, where it is not 443, its port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileName(String);

impl ProfileName {
    /// The name for a server.
    pub fn of(server: &Url) -> Self {
        let host = server.host_str().unwrap_or("server").to_ascii_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let host: String = host.chars().map(|c| if plain(c) { c } else { '-' }).collect();
        let host = host.trim_matches(['.', '-']).to_owned();
        match server.port() {
            Some(port) => Self(format!("{host}_{port}")),
            None => Self(host),
        }
    }

    /// Checks `text` and takes it: it is a folder's name.
    ///
    /// # Errors
    /// When it is not a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let plain =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
        match text.as_bytes() {
            [] => Err(NameError::Empty),
            bytes if bytes.len() > 255 => Err(NameError::TooLong(255)),
            [b'.' | b'-', ..] => Err(NameError::Edge),
            bytes if bytes.iter().all(|b| plain(*b)) => Ok(Self(text.to_owned())),
            _ => Err(NameError::Alphabet),
        }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who this machine is on one server. Holds no secret: the key lives in the key store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The server's public address.
    pub server: Url,
    /// How to know that it is that server.
    pub trust: Trust,
    /// Who this machine is.
    pub spiffe_id: SpiffeId,
    /// The key.
    pub key: KeyRef,
    /// The certificate and its issuer, PEM.
    pub certificate_chain: String,
    /// The root certificates, PEM.
    pub trust_bundle: String,
    /// When the certificate ends.
    pub not_after: At,
    /// When to renew.
    pub renew_at: At,
    /// The right to register a first passkey, if the enrolment gave one.
    pub grant: Option<GrantInfo>,
    /// Set when the server said that this identity is over, so that a new one may take its place.
    #[serde(default)]
    pub ended: Option<ErrorCode>,
}

impl Profile {
    /// The profile that an issued certificate makes.
    pub fn new(server: Url, trust: Trust, key: KeyRef, issued: CertIssued) -> Self {
        Self {
            server,
            trust,
            spiffe_id: issued.spiffe_id,
            key,
            certificate_chain: issued.certificate_chain,
            trust_bundle: issued.trust_bundle,
            not_after: issued.not_after,
            renew_at: issued.renew_at,
            grant: issued.grant,
            ended: None,
        }
    }

    /// Takes the next certificate. A grant is kept: renewals do not speak of it.
    #[must_use]
    pub fn renewed(mut self, issued: CertIssued) -> Self {
        self.certificate_chain = issued.certificate_chain;
        self.trust_bundle = issued.trust_bundle;
        self.not_after = issued.not_after;
        self.renew_at = issued.renew_at;
        self.grant = issued.grant.or(self.grant);
        self
    }

    /// Tenant and device, when a machine speaks that stands for itself.
    pub fn machine(&self) -> Option<(&TenantName, &DeviceName)> {
        match &self.spiffe_id.principal {
            Principal::ProvisionedDevice { tenant, device } => Some((tenant, device)),
            _ => None,
        }
    }

    /// Tenant, user and device, when a person's device speaks.
    pub fn names(&self) -> Option<(&TenantName, &UserName, &DeviceName)> {
        match &self.spiffe_id.principal {
            Principal::Human { tenant, user, device } => Some((tenant, user, device)),
            _ => None,
        }
    }
}

/// An enrolment that is under way. Its file holds the `auth` half of a single-use code until the
/// answer is safe, so that a new process can ask again.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    /// The flow.
    pub flow: EnrollFlow,
    /// The server.
    pub server: Url,
    /// How to know that it is that server.
    pub trust: Trust,
    /// The code's `auth` half.
    #[serde(with = "secret_text")]
    pub(crate) auth: Zeroizing<String>,
}

pub(super) mod secret_text {
    use serde::{Deserialize, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(crate) fn serialize<S: Serializer>(
        text: &Zeroizing<String>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Zeroizing<String>, D::Error> {
        String::deserialize(deserializer).map(Zeroizing::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_named_after_its_server_and_is_a_safe_folder_name() {
        for (url, name) in [
            ("https://landfall.example", "landfall.example"),
            ("https://LANDFALL.example:8443", "landfall.example_8443"),
            ("https://localhost:8443/", "localhost_8443"),
            ("https://127.0.0.1:1", "127.0.0.1_1"),
            ("https://[::1]:8443", "1_8443"),
        ] {
            let named = ProfileName::of(&Url::parse(url).unwrap());
            assert_eq!(named.as_str(), name);
            assert!(ProfileName::parse(named.as_str()).is_ok(), "{url}");
        }
        for bad in ["", ".", "..", "../x", "a/b", "A", "-x", &"a".repeat(256)] {
            assert!(ProfileName::parse(bad).is_err(), "{bad}");
        }
    }
}
