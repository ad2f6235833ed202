//! Agents: requests that are signed by the key in a token of a provider that the service has listed.

use crate::fetch::{FetchError, Fetcher, Roots};
use crate::issuer::Issuer;
use landfall_crypto::aauth::message::{self, Demands, Request, WINDOW, normal_authority};
use landfall_crypto::aauth::{
    AgentClaims, FaultCode, KeySource, Profile, Scheme, ServerId, SignatureFault, agent_token,
};
use landfall_crypto::ambient::SystemClock;
use landfall_crypto::{Clock, Thumbprint};
use landfall_identity::{Seconds, Timestamp};
use std::sync::Arc;
use url::Url;

/// Providers that one service may list.
pub const ISSUERS_MAX: usize = 64;

/// What a service demands.
#[derive(Clone)]
pub struct VerifierSetup {
    /// Its own origins, as its callers know them: what their signatures must be made for.
    pub origins: Vec<Url>,
    /// The providers whose agents it lets in. Nobody else's are looked at.
    pub issuers: Vec<ServerId>,
    /// How lenient it is with older clients.
    pub profile: Profile,
    /// How far a signature's time may be from its own.
    pub window: Seconds,
    /// Whether bodies must be covered.
    pub digest: bool,
    /// How it knows the providers' servers.
    pub roots: Roots,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
}

impl VerifierSetup {
    /// What a service of this origin demands unless it says otherwise: the newest drafts' form, bodies
    /// covered, a minute either way.
    pub fn new(origin: Url, issuers: Vec<ServerId>) -> Self {
        Self {
            origins: vec![origin],
            issuers,
            profile: Profile::Compatible,
            window: WINDOW,
            digest: true,
            roots: Roots::Platform,
            clock: Arc::new(SystemClock),
        }
    }
}

/// Why a verifier cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No origin, or one without a host.
    #[error("name at least one origin of the service, such as https://api.example.org")]
    Origins,
    /// Too many providers, or none.
    #[error("list at least one and at most {ISSUERS_MAX} providers")]
    Issuers,
    /// TLS.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

/// Who sent a request.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentCaller {
    /// What its provider says of it.
    pub claims: AgentClaims,
    /// The public name of the key that signed the request.
    pub key: Thumbprint,
    /// When the request was signed, by the agent's clock.
    pub signed_at: Timestamp,
}

/// Checks agents' requests. Cheap to clone; clones share what was fetched.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    origins: Vec<String>,
    authorities: Vec<String>,
    https: bool,
    issuers: Vec<Issuer>,
    profile: Profile,
    window: Seconds,
    digest: bool,
    fetcher: Fetcher,
    clock: Arc<dyn Clock>,
}

impl Verifier {
    /// A verifier. Fetches nothing yet.
    ///
    /// # Errors
    /// [`SetupError`] says what is missing.
    pub fn new(setup: VerifierSetup) -> Result<Self, SetupError> {
        let has_host = |origin: &Url| origin.host_str().is_some();
        let https = setup.origins.first().is_some_and(|origin| origin.scheme() == "https");
        if setup.origins.is_empty() || !setup.origins.iter().all(has_host) {
            return Err(SetupError::Origins);
        }
        if !(1..=ISSUERS_MAX).contains(&setup.issuers.len()) {
            return Err(SetupError::Issuers);
        }
        let issuers = setup.issuers.into_iter().map(|id| Issuer::new(id, setup.profile));
        Ok(Self(Arc::new(Inner {
            origins: setup.origins.iter().map(|it| it.origin().ascii_serialization()).collect(),
            authorities: setup.origins.iter().map(authority_of).collect(),
            https,
            issuers: issuers.collect(),
            profile: setup.profile,
            window: setup.window,
            digest: setup.digest,
            fetcher: Fetcher::new(&setup.roots, setup.clock.clone())?,
            clock: setup.clock,
        })))
    }

    /// Whether the service is reached by https; what [`Request::https`] must say.
    pub fn is_https(&self) -> bool {
        self.0.https
    }

    /// Who sent `request`: form and coverage of the signature, then the token, its issuer's key, its
    /// times and audience, then the signature by the key that the token names.
    ///
    /// # Errors
    /// [`SignatureFault`], to be answered with [`crate::answer_to`].
    pub async fn verify(&self, request: &Request<'_>) -> Result<AgentCaller, SignatureFault> {
        let inner = &self.0;
        let now = inner.clock.now();
        let demands = Demands {
            profile: inner.profile,
            window: inner.window,
            authorities: &inner.authorities,
            schemes: &[Scheme::Jwt],
            digest: inner.digest,
        };
        let unverified = message::read(request, &demands, now)?;
        let KeySource::Jwt { jwt } = unverified.source() else {
            return Err(SignatureFault::unsupported_scheme(demands.schemes));
        };
        let token = agent_token::read(jwt, inner.profile)?;
        let invalid = |detail| SignatureFault::new(FaultCode::InvalidJwt, detail);
        let issuer = inner.issuers.iter().find(|issuer| issuer.id() == token.issuer());
        let issuer = issuer.ok_or_else(|| invalid("agents of this issuer are not let in here"))?;
        let issuer_key = issuer.key(token.kid(), &inner.fetcher, now).await?;
        let claims = token.verify(&issuer_key, now, inner.window)?;
        let is_ours = |audience: &String| inner.origins.contains(audience);
        if !claims.audience.is_empty() && !claims.audience.iter().any(is_ours) {
            return Err(invalid("the token is for another service"));
        }
        let verified = unverified.verify(&claims.key, None)?;
        let (key, signed_at) = (verified.key.thumbprint(), verified.created);
        Ok(AgentCaller { claims: claims.clone(), key, signed_at })
    }
}

fn authority_of(origin: &Url) -> String {
    let host = origin.host_str().unwrap_or_default();
    let authority = match origin.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    normal_authority(&authority, origin.scheme() == "https")
}
