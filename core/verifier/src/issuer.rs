//! A provider's keys: fetched once, kept, and fetched again when they are old or when a token names one that
//! is not among them. At most once a minute, whoever asks for what; what is a day old counts no more.

use crate::fetch::{FetchError, Fetcher};
use landfall_crypto::aauth::documents::METADATA_PATH;
use landfall_crypto::aauth::{
    AgentKey, AgentKeys, FaultCode, Profile, ProviderMetadata, ServerId, SignatureFault,
};
use landfall_identity::{Seconds, Timestamp};
use std::sync::{Mutex, MutexGuard, PoisonError};
use url::Url;

/// How old keys may be before they are fetched again.
const FRESH: Seconds = Seconds::hours(1);
/// How old keys may be and still count, when they cannot be fetched.
const USABLE: Seconds = Seconds::hours(24);
/// The pause between two fetches, whatever came of the first.
const PAUSE: Seconds = Seconds::minutes(1);

/// One provider, as far as it is known.
pub(crate) struct Issuer {
    id: ServerId,
    profile: Profile,
    known: Mutex<Known>,
    /// One fetch at a time. Who needs none does not wait for it.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    keys: Option<(AgentKeys, Timestamp)>,
    tried: Option<Timestamp>,
    /// Why the last fetch brought nothing.
    fault: Option<SignatureFault>,
}

impl Issuer {
    pub(crate) fn new(id: ServerId, profile: Profile) -> Self {
        Self { id, profile, known: Mutex::default(), fetching: tokio::sync::Mutex::default() }
    }

    pub(crate) const fn id(&self) -> &ServerId {
        &self.id
    }

    /// The key that a token names.
    pub(crate) async fn key(
        &self,
        kid: &str,
        fetcher: &Fetcher,
        now: Timestamp,
    ) -> Result<AgentKey, SignatureFault> {
        if let Some(key) = self.known().key(kid, FRESH, now) {
            return Ok(key);
        }
        let _turn = self.fetching.lock().await;
        // Who waited for another's fetch finds its outcome.
        if self.known().key(kid, FRESH, now).is_none() && self.known().is_due(now) {
            let fetched = self.fetch(fetcher).await;
            let mut known = self.known();
            match fetched {
                Ok(keys) => (known.keys, known.fault) = (Some((keys, now)), None),
                Err(fault) => known.fault = Some(fault),
            }
        }
        let known = self.known();
        let unknown =
            || SignatureFault::new(FaultCode::UnknownKey, "the issuer publishes no such key");
        let key = known.key(kid, USABLE, now);
        key.ok_or_else(|| known.fault.clone().unwrap_or_else(unknown))
    }

    /// Never left half changed, so a panic elsewhere does not spoil it.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self, fetcher: &Fetcher) -> Result<AgentKeys, SignatureFault> {
        let here = self.id.is_loopback();
        let get = async |address: &str| {
            let url = Url::parse(address).map_err(|_| FetchError::Insecure(address.to_owned()));
            let fetched = match url {
                Ok(url) => fetcher.get(&url, here).await,
                Err(error) => Err(error),
            };
            fetched.map_err(|error| {
                tracing::warn!(issuer = %self.id, %error, "an issuer's keys are not to be had");
                let detail = "the issuer's keys cannot be fetched now";
                SignatureFault::new(FaultCode::UnknownKey, detail)
            })
        };
        let metadata = get(&format!("{}{METADATA_PATH}", self.id)).await?;
        let metadata = ProviderMetadata::read(&metadata, &self.id)?;
        AgentKeys::read(&get(&metadata.jwks_uri).await?, self.profile)
    }
}

impl Known {
    fn key(&self, kid: &str, age: Seconds, now: Timestamp) -> Option<AgentKey> {
        let (keys, fetched) = self.keys.as_ref()?;
        let young = !(*fetched + age).is_over(now);
        young.then(|| keys.get(kid).copied()).flatten()
    }

    /// Whether it may be fetched now; if so, that is noted.
    fn is_due(&mut self, now: Timestamp) -> bool {
        let due = self.tried.is_none_or(|tried| (tried + PAUSE).is_over(now));
        if due {
            self.tried = Some(now);
        }
        due
    }
}
