//! Addresses that notices are mailed to.

use crate::time::Seconds;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Addresses that one user may have.
pub const ADDRESSES_PER_USER: u32 = 2;
/// How long an address may wait for its confirmation.
pub const CONFIRM_WITHIN: Seconds = Seconds::hours(24);
/// How long a mailed code can be used.
pub const CODE_TTL: Seconds = Seconds::hours(1);
/// Wrong tries that a mailed code survives, and the one that ends it.
pub const CODE_TRIES: u32 = 5;
/// Codes that one user may have mailed, and that one address may be mailed, within [`CODES_WITHIN`].
pub const CODES_MAX: u32 = 5;
/// See [`CODES_MAX`].
pub const CODES_WITHIN: Seconds = Seconds::hours(24);

/// The longest address (RFC 5321, section 4.5.3.1.3, without the brackets).
const ADDRESS_MAX: usize = 254;
/// The longest part before the `@` (RFC 5321, section 4.5.3.1.1).
const LOCAL_MAX: usize = 64;
/// The longest label of a host name (RFC 1035, section 2.3.4).
const HOST_LABEL_MAX: usize = 63;

/// A mail address in the form that every mail server takes: a dot-atom, an `@`, and a host name, all
/// in ASCII (RFC 5321, section 4.1.2, without quoted strings and address literals). It holds no white
/// space, no control character and no bracket, so that it cannot break out of a header or a command.
/// The host is kept in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailAddress(String);

/// The text is not a mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be a plain mail address, such as name@example.org")]
pub struct MailAddressError;

impl MailAddress {
    /// Checks `text` and takes it.
    ///
    /// # Errors
    /// [`MailAddressError`] for anything that is not a plain address.
    pub fn parse(text: &str) -> Result<Self, MailAddressError> {
        let (local, host) = text.split_once('@').ok_or(MailAddressError)?;
        match text.len() <= ADDRESS_MAX && is_local(local) && is_host(host) {
            true => Ok(Self(format!("{local}@{}", host.to_ascii_lowercase()))),
            false => Err(MailAddressError),
        }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before and after the `@`.
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once('@').unwrap_or((&self.0, ""))
    }
}

fn is_local(local: &str) -> bool {
    let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    local.len() <= LOCAL_MAX
        && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atext))
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=HOST_LABEL_MAX).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.contains('.') && host.split('.').all(label)
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MailAddress {
    type Err = MailAddressError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for MailAddress {
    type Error = MailAddressError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<MailAddress> for String {
    fn from(address: MailAddress) -> String {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_taken_and_hosts_fold() {
        let address = MailAddress::parse("Bert.B+x@Mail.Example.ORG").unwrap();
        assert_eq!(address.as_str(), "Bert.B+x@mail.example.org");
        assert_eq!(address.parts(), ("Bert.B+x", "mail.example.org"));
    }

    #[test]
    fn nothing_that_could_leave_its_line_is_an_address() {
        let long = format!("{}@example.org", "a".repeat(LOCAL_MAX + 1));
        for bad in [
            "",
            "@",
            "a@",
            "@b.c",
            "a@b",
            "a b@c.d",
            "a@b.c\r\nRCPT TO:<x@y.z>",
            "a\n@b.c",
            "<a@b.c>",
            "a@b.c>",
            "a@b@c.d",
            "\"a\"@b.c",
            "a..b@c.d",
            ".a@b.c",
            "a@-b.c",
            "a@b..c",
            "a@[127.0.0.1]",
            "ä@b.c",
            "a@b.c,d@e.f",
            "a@b.c\0",
            &long,
        ] {
            assert_eq!(MailAddress::parse(bad), Err(MailAddressError), "{bad:?}");
        }
    }
}
