//! Keys of platforms whose word is taken: fetched by the one way out, kept for a while, asked for seldom.
//!
//! *Whoever writes down another key's name in a token could make us call the platform each time.* So an
//! unknown name asks again once a minute at most, one fetch of an issuer runs at a time, and who comes
//! meanwhile waits for it. A platform that does not answer is believed by its last keys for a day.

use crate::egress::{Egress, EgressError};
use crate::failure::Failure;
use ipnet::IpNet;
use landfall_crypto::ambient::Ambient;
use landfall_crypto::key_set::{KeySet, TokenFault};
use landfall_crypto::secret::sha256_of;
use landfall_identity::workload::WorkloadIssuer;
use landfall_identity::{Refusal, Seconds, Timestamp};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// How long keys serve before they are fetched again.
const FRESH: Seconds = Seconds::hours(1);
/// How long they serve when that fails.
const STALE: Seconds = Seconds::hours(24);
/// How soon after a fetch the next one may follow.
const AGAIN: Seconds = Seconds::minutes(1);
/// How long a fetch may take, discovery included: somebody waits for it.
const FETCH_TIME: Duration = Duration::from_secs(10);
/// Issuers whose keys are kept; beyond, all are fetched anew.
const KEPT_MAX: usize = 128;
/// Where a platform says where its keys are (OpenID Connect Discovery 1.0, section 4).
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Why keys could not be fetched. The texts are for operators.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("{0} is no URL")]
    Url(String),
    #[error("{0}: {1}")]
    Egress(Url, #[source] Box<EgressError>),
    #[error("{0} is no discovery document")]
    Discovery(Url),
    #[error("{0} speaks for another issuer")]
    OtherIssuer(Url),
    #[error("{0}: {1}")]
    Keys(Url, TokenFault),
    #[error("it took too long")]
    TimedOut,
}

/// What of a discovery document counts.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// The keys of every platform.
pub struct PlatformKeys {
    networks: Vec<IpNet>,
    ambient: Ambient,
    kept: Mutex<HashMap<[u8; 32], Arc<Kept>>>,
}

/// One platform's.
struct Kept {
    egress: Egress,
    keys: Mutex<Option<(Arc<KeySet>, Timestamp)>>,
    /// When a fetch was last begun. Whoever holds it fetches.
    tried: tokio::sync::Mutex<Option<Timestamp>>,
}

impl PlatformKeys {
    /// Nothing is fetched yet. `networks` are those that may be called although they are private.
    pub fn new(networks: Vec<IpNet>, ambient: Ambient) -> Self {
        Self { networks, ambient, kept: Mutex::default() }
    }

    /// Keys of an issuer, among them one of that name.
    ///
    /// # Errors
    /// [`Refusal::WorkloadTokenInvalid`] when there is none of that name;
    /// [`Refusal::WorkloadKeysUnavailable`] when the issuer does not answer.
    pub async fn of(&self, issuer: &WorkloadIssuer, kid: &str) -> Result<Arc<KeySet>, Failure> {
        let kept = self.kept(issuer)?;
        if let Some(keys) = kept.knowing(kid, self.ambient.now(), FRESH) {
            return Ok(keys);
        }
        let mut tried = kept.tried.lock().await;
        // Somebody else may have fetched meanwhile, and time has passed.
        let now = self.ambient.now();
        if let Some(keys) = kept.knowing(kid, now, FRESH) {
            return Ok(keys);
        }
        if tried.is_none_or(|at| !is_within(at, now, AGAIN)) {
            *tried = Some(now);
            match fetch_in_time(&kept.egress, issuer).await {
                Ok(keys) => kept.keep(keys, now),
                Err(error) => {
                    tracing::warn!(issuer = %issuer.name, %error, "a platform's keys cannot be fetched");
                }
            }
        }
        drop(tried);
        match (kept.knowing(kid, now, STALE), kept.has_any(now)) {
            (Some(keys), _) => Ok(keys),
            (None, true) => Err(Refusal::WorkloadTokenInvalid.into()),
            (None, false) => Err(Refusal::WorkloadKeysUnavailable { retry_after: AGAIN }.into()),
        }
    }

    /// What is kept for an issuer, as it is written down now.
    fn kept(&self, issuer: &WorkloadIssuer) -> Result<Arc<Kept>, Failure> {
        let (url, pem) = (issuer.keys_url.as_deref(), issuer.authority_pem.as_deref());
        let parts = [issuer.issuer.as_str(), url.unwrap_or_default(), pem.unwrap_or_default()];
        let parts = parts.map(|part| sha256_of(&[part.as_bytes()]));
        let name = sha256_of(&[&parts[0], &parts[1], &parts[2]]);
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = all.get(&name) {
            return Ok(Arc::clone(kept));
        }
        let clock = Arc::clone(&self.ambient.clock);
        let egress = Egress::new(self.networks.clone(), pem, clock).map_err(Failure::internal)?;
        let (keys, tried) = (Mutex::default(), tokio::sync::Mutex::default());
        let kept = Arc::new(Kept { egress, keys, tried });
        if all.len() >= KEPT_MAX {
            all.clear();
        }
        all.insert(name, Arc::clone(&kept));
        Ok(kept)
    }
}

impl Kept {
    /// The keys, when they are younger than `age` and one of them has that name.
    fn knowing(&self, kid: &str, now: Timestamp, age: Seconds) -> Option<Arc<KeySet>> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let (keys, at) = keys.as_ref()?;
        (is_within(*at, now, age) && keys.knows(kid)).then(|| Arc::clone(keys))
    }

    fn has_any(&self, now: Timestamp) -> bool {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.as_ref().is_some_and(|(_, at)| is_within(*at, now, STALE))
    }

    fn keep(&self, keys: KeySet, now: Timestamp) {
        let mut kept = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((Arc::new(keys), now));
    }
}

/// Whether `at` is less than `span` ago. A clock that went back keeps nothing alive.
fn is_within(at: Timestamp, now: Timestamp, span: Seconds) -> bool {
    at <= now && now.since(at) < span
}

async fn fetch_in_time(egress: &Egress, issuer: &WorkloadIssuer) -> Result<KeySet, FetchError> {
    let fetched = tokio::time::timeout(FETCH_TIME, fetch(egress, issuer)).await;
    fetched.map_err(|_| FetchError::TimedOut)?
}

async fn fetch(egress: &Egress, issuer: &WorkloadIssuer) -> Result<KeySet, FetchError> {
    let url = match &issuer.keys_url {
        Some(url) => parse(url)?,
        None => discover(egress, issuer).await?,
    };
    let document = get(egress, &url).await?;
    KeySet::of_platform(&document).map_err(|fault| FetchError::Keys(url, fault))
}

/// Where an issuer's keys are, by its own word: the document must speak for exactly this issuer.
async fn discover(egress: &Egress, issuer: &WorkloadIssuer) -> Result<Url, FetchError> {
    let url = parse(&format!("{}{DISCOVERY}", issuer.issuer.trim_end_matches('/')))?;
    let document = get(egress, &url).await?;
    let Ok(document) = serde_json::from_slice::<Discovery>(&document) else {
        return Err(FetchError::Discovery(url));
    };
    if document.issuer != issuer.issuer {
        return Err(FetchError::OtherIssuer(url));
    }
    parse(&document.jwks_uri)
}

async fn get(egress: &Egress, url: &Url) -> Result<Vec<u8>, FetchError> {
    egress.get(url).await.map_err(|error| FetchError::Egress(url.clone(), Box::new(error)))
}

fn parse(text: &str) -> Result<Url, FetchError> {
    Url::parse(text).map_err(|_| FetchError::Url(text.to_owned()))
}
