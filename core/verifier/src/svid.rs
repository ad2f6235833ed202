//! Workloads: what a SPIFFE trust domain issues to them, by its trust bundle.

use crate::fetch::{FetchError, Fetcher, Roots, root_store, unix_time};
use data_encoding::BASE64;
use landfall_crypto::Clock;
use landfall_crypto::certificate::CertificateFacts;
use landfall_crypto::jwt::JwtError;
use landfall_crypto::jwt_svid::verify_svid;
use landfall_crypto::key_set::KeySet;
use landfall_identity::{Seconds, SpiffeId, Timestamp, TrustDomain};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::CertificateDer;
use serde::Deserialize;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;

/// How old a bundle may be before it is fetched again, unless it says less.
const FRESH: Seconds = Seconds::hours(1);
/// How old a bundle may be and still count, when it cannot be fetched.
const USABLE: Seconds = Seconds::hours(24);
/// The pause between two fetches, whatever came of the first.
const PAUSE: Seconds = Seconds::minutes(1);
/// Keys of a bundle that are looked at.
const KEYS_MAX: usize = 64;
/// Certificates of a chain that are looked at.
const CHAIN_MAX: usize = 8;
/// What SPIFFE calls the use of an authority of X.509-SVIDs.
const X509_USE: &str = "x509-svid";

/// Whose workloads are let in.
#[derive(Clone)]
pub struct SvidSetup {
    /// Their trust domain.
    pub trust_domain: TrustDomain,
    /// Where its trust bundle is, such as `https://id.example.org/.well-known/spiffe-bundle`.
    pub bundle: Url,
    /// For whom JWT-SVIDs must be: this service's own name.
    pub audience: String,
    /// How the bundle's server is known.
    pub roots: Roots,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// Why an SVID is refused.
#[derive(Debug, thiserror::Error)]
pub enum SvidError {
    /// No certificate of this trust domain's.
    #[error("the certificate is none of this trust domain")]
    Certificate,
    /// No token of this trust domain's, for this service, now.
    #[error("the token is none for this service: {0}")]
    Token(#[from] JwtError),
    /// No name, or one of another trust domain.
    #[error("it names nobody of this trust domain")]
    Name,
    /// The bundle cannot be had, or is none.
    #[error("the trust bundle cannot be had now")]
    Bundle,
}

/// Who a workload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SvidCaller {
    /// Its name.
    pub spiffe_id: SpiffeId,
    /// Until when that counts.
    pub expires_at: Timestamp,
}

/// Checks SVIDs. Cheap to clone; clones share the bundle.
#[derive(Clone)]
pub struct SvidVerifier(Arc<Inner>);

struct Inner {
    setup: SvidSetup,
    fetcher: Fetcher,
    known: Mutex<Known>,
    /// One fetch at a time. Who needs none does not wait for it.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    bundle: Option<(Arc<Bundle>, Timestamp)>,
    tried: Option<Timestamp>,
}

struct Bundle {
    fresh: Seconds,
    /// None where the bundle holds none: then no certificate is of this trust domain.
    authorities: Option<Arc<dyn ClientCertVerifier>>,
    tokens: KeySet,
}

impl SvidVerifier {
    /// A verifier. Fetches nothing yet.
    ///
    /// # Errors
    /// [`FetchError`] when the roots are none.
    pub fn new(setup: SvidSetup) -> Result<Self, FetchError> {
        let fetcher = Fetcher::new(&setup.roots, setup.clock.clone())?;
        let (known, fetching) = (Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self(Arc::new(Inner { setup, fetcher, known, fetching })))
    }

    /// Who proved possession of the first certificate of `chain` in TLS.
    ///
    /// # Errors
    /// [`SvidError`].
    pub async fn verify_x509(&self, chain: &[CertificateDer<'_>]) -> Result<SvidCaller, SvidError> {
        let inner = &self.0;
        let (leaf, others) = chain.split_first().ok_or(SvidError::Certificate)?;
        if others.len() > CHAIN_MAX {
            return Err(SvidError::Certificate);
        }
        let bundle = inner.bundle(false).await?;
        let now = unix_time(inner.setup.clock.as_ref()).ok_or(SvidError::Certificate)?;
        let authorities = bundle.authorities.as_ref().ok_or(SvidError::Certificate)?;
        authorities.verify_client_cert(leaf, others, now).map_err(|_| SvidError::Certificate)?;
        let facts = CertificateFacts::read(leaf).map_err(|_| SvidError::Certificate)?;
        let named = facts.spiffe_id.filter(|id| id.trust_domain == inner.setup.trust_domain);
        let spiffe_id = named.ok_or(SvidError::Name)?;
        Ok(SvidCaller { spiffe_id, expires_at: facts.not_after })
    }

    /// Whom a JWT-SVID for this service names. Whoever holds one is that: take it over TLS alone.
    ///
    /// # Errors
    /// [`SvidError`].
    pub async fn verify_jwt(&self, token: &str) -> Result<SvidCaller, SvidError> {
        let inner = &self.0;
        let (now, audience) = (inner.setup.clock.now(), inner.setup.audience.as_str());
        let bundle = inner.bundle(false).await?;
        let (subject, claims) = match verify_svid(token, &bundle.tokens, audience, now) {
            // The key may be younger than the bundle.
            Err(JwtError::UnknownKey) => {
                let bundle = inner.bundle(true).await?;
                verify_svid(token, &bundle.tokens, audience, now)?
            }
            checked => checked?,
        };
        let named = SpiffeId::parse(&subject).ok();
        let named = named.filter(|id| id.trust_domain == inner.setup.trust_domain);
        let spiffe_id = named.ok_or(SvidError::Name)?;
        let expires_at = claims.get("exp").and_then(Value::as_i64).map(Timestamp::from_seconds);
        let expires_at = expires_at.ok_or(SvidError::Token(JwtError::Malformed))?;
        Ok(SvidCaller { spiffe_id, expires_at })
    }
}

impl Inner {
    /// The bundle: the one that there is, or the next one. `anew`: the one that there is lacks a key.
    async fn bundle(&self, anew: bool) -> Result<Arc<Bundle>, SvidError> {
        let now = self.setup.clock.now();
        if let Some(bundle) = self.known().bundle(None, now).filter(|_| !anew) {
            return Ok(bundle);
        }
        let _turn = self.fetching.lock().await;
        // Who waited for another's fetch finds its outcome.
        let wanted = anew || self.known().bundle(None, now).is_none();
        if wanted && self.known().is_due(now) {
            match self.fetch().await {
                Ok(bundle) => self.known().bundle = Some((Arc::new(bundle), now)),
                Err(error) => {
                    let domain = &self.setup.trust_domain;
                    tracing::warn!(%domain, %error, "a trust bundle is not to be had");
                }
            }
        }
        self.known().bundle(Some(USABLE), now).ok_or(SvidError::Bundle)
    }

    /// Never left half changed, so a panic elsewhere does not spoil it.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self) -> Result<Bundle, FetchError> {
        let here = self.setup.bundle.scheme() == "http";
        let document = self.fetcher.get(&self.setup.bundle, here).await?;
        Bundle::read(&document).ok_or(FetchError::Roots)
    }
}

impl Known {
    /// The bundle, when it is not older than `age`, or than it wants to be.
    fn bundle(&self, age: Option<Seconds>, now: Timestamp) -> Option<Arc<Bundle>> {
        let (bundle, fetched) = self.bundle.as_ref()?;
        let age = age.unwrap_or(bundle.fresh);
        (!(*fetched + age).is_over(now)).then(|| bundle.clone())
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

/// A trust bundle (SPIFFE Trust Domain and Bundle, section 4).
#[derive(Deserialize)]
struct Document {
    keys: Vec<Key>,
    spiffe_refresh_hint: Option<u64>,
}

#[derive(Deserialize)]
struct Key {
    #[serde(rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    x5c: Vec<String>,
}

impl Bundle {
    fn read(document: &[u8]) -> Option<Self> {
        let tokens = KeySet::of_bundle(document).ok()?;
        let document: Document = serde_json::from_slice(document).ok()?;
        let authorities = document.keys.iter().take(KEYS_MAX).filter_map(|key| {
            let purpose = key.purpose.as_deref() == Some(X509_USE);
            // Exactly one certificate (section 4.2.2 of X.509-SVID).
            let [certificate] = key.x5c.as_slice() else { return None };
            purpose.then(|| BASE64.decode(certificate.as_bytes()).ok()).flatten()
        });
        let store = Arc::new(root_store(authorities).ok()?);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let authorities: Option<Arc<dyn ClientCertVerifier>> = match store.is_empty() {
            true => None,
            false => {
                Some(WebPkiClientVerifier::builder_with_provider(store, provider).build().ok()?)
            }
        };
        let hint = document.spiffe_refresh_hint.map_or(FRESH, Seconds);
        Some(Self { fresh: hint.min(FRESH).max(PAUSE), authorities, tokens })
    }
}
