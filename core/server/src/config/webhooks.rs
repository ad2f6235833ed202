//! Programs that are told of notices, and where this server may call.

use super::Config;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;
use url::Url;

/// Webhooks that a server may have.
pub const WEBHOOKS_MAX: usize = 4;
/// The longest URL of one.
const URL_MAX: usize = 512;

/// The address of a program that is told of notices: `https://host/path`, with a port if need be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookUrl(String);

/// Why a text is no webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookUrlError {
    /// Another form.
    #[error("a webhook must be https://host/path, at most 512 characters, without ? and #")]
    Form,
    /// A name or a password in it.
    #[error(
        "a webhook must carry no name and no password: its receiver knows this server by its signature"
    )]
    Credentials,
}

impl WebhookUrl {
    /// Reads it.
    ///
    /// # Errors
    /// [`WebhookUrlError`], with what to write instead.
    pub fn parse(text: &str) -> Result<Self, WebhookUrlError> {
        let url = Url::parse(text).map_err(|_| WebhookUrlError::Form)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebhookUrlError::Credentials);
        }
        // The signature covers the path and no query.
        let bare = url.query().is_none() && url.fragment().is_none();
        let fits =
            url.scheme() == "https" && url.has_host() && bare && url.as_str().len() <= URL_MAX;
        if fits { Ok(Self(url.into())) } else { Err(WebhookUrlError::Form) }
    }

    /// The whole URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebhookUrl {
    type Err = WebhookUrlError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The rules between the keys of webhooks.
pub(super) fn rules(config: &Config) -> Result<(), (&'static str, &'static str)> {
    if config.webhooks.len() > WEBHOOKS_MAX {
        return Err(("webhooks", "webhooks may name four at most"));
    }
    if config.webhook_ca_file.is_some() && config.webhooks.is_empty() {
        return Err((
            "webhook_ca_file",
            "set webhooks to the programs whose certificate it vouches for",
        ));
    }
    Ok(())
}

/// Reads a list, or one text with its entries apart by white space: so a variable can hold it.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    deserializer.deserialize_any(ListVisitor(PhantomData))
}

/// Writes a list of texts.
pub(super) fn write_list<S: Serializer, T: Display>(
    list: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().serialize(serializer)
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: FromStr<Err: Display>> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
        let read = |part: &str| part.parse().map_err(|error: T::Err| E::custom(error));
        text.split_whitespace().map(read).collect()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut all = Vec::new();
        while let Some(text) = seq.next_element::<Entry>()? {
            all.push(text.0.parse().map_err(|error: T::Err| A::Error::custom(error))?);
        }
        Ok(all)
    }
}

#[derive(Deserialize)]
struct Entry(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_https_and_says_nothing_secret() {
        let parsed = WebhookUrl::parse("https://Hooks.example.org:8443/landfall").unwrap();
        assert_eq!(parsed.as_str(), "https://hooks.example.org:8443/landfall");
        for (text, why) in [
            ("http://hooks.example.org/", WebhookUrlError::Form),
            ("https://hooks.example.org/?token=x", WebhookUrlError::Form),
            ("https://hooks.example.org/#x", WebhookUrlError::Form),
            ("hooks.example.org", WebhookUrlError::Form),
            ("https://bert:pw@hooks.example.org/", WebhookUrlError::Credentials),
        ] {
            assert_eq!(WebhookUrl::parse(text), Err(why), "{text}");
        }
    }
}
