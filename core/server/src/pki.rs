//! The server's keys: what they are, where they rest, and what they sign.
//!
//! | key | rests | signs |
//! |---|---|---|
//! | root | sealed row, or an age file for offline keeping | issuers, once |
//! | issuers (server, people, workloads) | sealed rows | the server's certificate; devices'; X.509-SVIDs |
//! | session | sealed row | session tokens |
//! | webhook | sealed row | calls of webhooks |
//! | jwt-svid | sealed row | JWT-SVIDs |
//! | agent provider | sealed row | agents' tokens |
//! | capability | sealed row | agents' capabilities |
//! | audit | a file outside the database | checkpoints of the audit log |
//!
//! Rows are sealed under the master key and bound to their name, so that no row passes for another.

mod agents;
mod making;
mod workloads;

pub use making::RootExport;

use crate::directory::DirectoryError;
use crate::failure::Failure;
use crate::store::enrollments::StoredCertificate;
use crate::store::meta::{self, SealedKey};
use crate::store::{Store, StoreError, Tx};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use landfall_crypto::aauth::AgentKeyPair;
use landfall_crypto::ambient::Ambient;
use landfall_crypto::ca::{self, CaError, Issuer, IssuerKind, Revoked};
use landfall_crypto::capability::CapabilityIssuer;
use landfall_crypto::envelope::{EnvelopeError, MasterKey};
use landfall_crypto::httpsig::{self, SignatureFields};
use landfall_crypto::jwt::{JwtError, JwtSigner, JwtVerifier, SESSION, SessionClaims};
use landfall_crypto::key::{KeyError, KeyPair, PublicKey};
use landfall_crypto::passphrase::PassphraseError;
use landfall_crypto::secret::{Secret32, hkdf_sha256};
use landfall_crypto::thumbprint::{Jwk, Thumbprint};
use landfall_identity::caller::{ActorRole, Role};
use landfall_identity::device::{CERTIFICATE_TTL, RENEW_AFTER};
use landfall_identity::id::EnrollmentId;
use landfall_identity::session::SessionFacts;
use landfall_identity::spiffe::PrincipalKind;
use landfall_identity::{AuthStrength, Refusal, Seconds, SpiffeId, Timestamp, TrustDomain};
use std::path::PathBuf;

const ROOT: &str = "root";
const SESSION_KEY: &str = "session";
const WEBHOOK_KEY: &str = "webhook";
const JWT_SVID_KEY: &str = "jwt-svid";
const AGENT_KEY: &str = "agent-provider";
const CAPABILITY_KEY: &str = "capability";
const RECOVERY_CODE_INFO: &str = "landfall/recovery-code-key/v1";
/// How long a revocation list may be used.
const CRL_TTL: Seconds = Seconds::hours(24);

/// Why the keys could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The authority.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// A sealed row does not open.
    #[error("a key of this server does not open ({0}): is this the master key of this database?")]
    Sealed(#[from] EnvelopeError),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Keys could not be kept.
    #[error("the server's keys could not be written")]
    NotKept,
    /// The root could not be sealed for offline keeping.
    #[error("the root key cannot be sealed for offline keeping: {0}")]
    Passphrase(#[from] PassphraseError),
    /// The root could not be written for offline keeping; it stays where it is.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A command beside a server that never was one.
    #[error("no server has run in this directory yet; start it once: landfall-server serve")]
    NotServedYet,
    /// The database was made for another trust domain.
    #[error(
        "this database belongs to the trust domain {stored}; set trust_domain to it, or use another \
         data directory"
    )]
    OtherTrustDomain {
        /// What it was made for.
        stored: String,
    },
    /// Rows are missing.
    #[error("the key `{0}` is missing from the database")]
    Missing(&'static str),
}

/// The server's keys at work.
pub struct Pki {
    trust_domain: TrustDomain,
    trust: String,
    root_certificate: Vec<u8>,
    server_issuer: Issuer,
    people_issuer: Issuer,
    /// What goes with every certificate, written once.
    root_pem: String,
    people_issuer_pem: String,
    sessions: JwtSigner,
    session_verifier: JwtVerifier,
    /// None beside a server that has not started since webhooks exist.
    webhook_key: Option<KeyPair>,
    /// None where the root key left before there were any.
    workloads: Option<workloads::WorkloadKeys>,
    /// None beside a server that has not started since there are agents.
    agent_key: Option<AgentKeyPair>,
    /// As that.
    capabilities: Option<CapabilityIssuer>,
    /// Thumbprints of every key of the server's own, which is never anybody else's.
    own: Vec<Thumbprint>,
    master: MasterKey,
    ambient: Ambient,
}

/// Where the server is known, and by which keys.
pub struct PkiSettings {
    /// The trust domain asked for.
    pub trust_domain: TrustDomain,
    /// The public address: issuer of session tokens.
    pub public_url: String,
    /// Whether browsers and clients are told to trust the web's authorities instead of our root.
    pub webpki: bool,
    /// What becomes of the root key.
    pub root_key: RootKey,
}

/// What becomes of the root key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootKey {
    /// It stays, sealed, in the database: for local use.
    Kept,
    /// It leaves once, as an age file in this directory, and is nowhere else from then on. Issuers do
    /// without it.
    Offline(PathBuf),
    /// Whatever was decided stays; no keys are made. For commands beside a server.
    AsItIs,
}

impl Pki {
    /// Opens the keys of the database, making them at the first start.
    ///
    /// # Errors
    /// [`PkiError`] says what does not fit.
    pub async fn open(
        store: &Store,
        settings: &PkiSettings,
        master: MasterKey,
        ambient: Ambient,
    ) -> Result<(Self, Option<RootExport>), PkiError> {
        let (rows, export) = keys(store, settings, &master, &ambient).await?;
        check_trust_domain(store, settings).await?;
        let issuer = |kind: IssuerKind| -> Result<Issuer, PkiError> {
            let (key, certificate) = opened(&rows, kind.as_str(), &master)?;
            Ok(Issuer::from_parts(kind, key.expose(), &certificate)?)
        };
        let (session_key, _) = opened(&rows, SESSION_KEY, &master)?;
        let session_key = KeyPair::from_pkcs8(session_key.expose())?;
        let sessions = JwtSigner::new(SESSION, &settings.public_url, &session_key)?;
        let webhook_key = match rows.iter().any(|row| row.name == WEBHOOK_KEY) {
            true => {
                let (key, _) = opened(&rows, WEBHOOK_KEY, &master)?;
                Some(KeyPair::from_pkcs8(key.expose())?)
            }
            false => None,
        };
        let agent_key = match rows.iter().any(|row| row.name == AGENT_KEY) {
            true => Some(AgentKeyPair::from_pkcs8(opened(&rows, AGENT_KEY, &master)?.0.expose())?),
            false => None,
        };
        let capabilities = agents::capability_issuer(&rows, &settings.public_url, &master)?;
        let root_certificate = row(&rows, ROOT)?.certificate.clone();
        let root_certificate = root_certificate.ok_or(PkiError::Missing(ROOT))?;
        let pin = BASE64URL_NOPAD.encode(&ca::fingerprint(&root_certificate));
        let people_issuer = issuer(IssuerKind::People)?;
        let server_issuer = issuer(IssuerKind::Server)?;
        let certificates =
            [&root_certificate, people_issuer.certificate(), server_issuer.certificate()];
        let mut own = agents::certified_keys(&certificates);
        own.push(key_of(&session_key).thumbprint());
        own.extend(webhook_key.as_ref().map(|key| key_of(key).thumbprint()));
        own.extend(agent_key.as_ref().map(|key| key.public_key().thumbprint()));
        own.extend(capabilities.as_ref().map(CapabilityIssuer::thumbprint));
        let pki = Self {
            root_pem: to_pem(&root_certificate),
            people_issuer_pem: to_pem(people_issuer.certificate()),
            trust_domain: settings.trust_domain.clone(),
            trust: if settings.webpki { "webpki".to_owned() } else { format!("pin:{pin}") },
            root_certificate,
            server_issuer,
            people_issuer,
            session_verifier: sessions.verifier(),
            webhook_key,
            workloads: workloads::open(&rows, &master)?,
            agent_key,
            capabilities,
            own,
            sessions,
            master,
            ambient,
        };
        Ok((pki, export))
    }

    /// The trust domain.
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// What tokens carry: `webpki`, or `pin:` and the root's fingerprint.
    pub fn trust(&self) -> &str {
        &self.trust
    }

    /// SHA-256 of the root certificate, base64url: what people compare.
    pub fn root_fingerprint(&self) -> String {
        BASE64URL_NOPAD.encode(&ca::fingerprint(&self.root_certificate))
    }

    /// The root certificate, DER.
    pub fn root_certificate(&self) -> &[u8] {
        &self.root_certificate
    }

    /// The issuer of people's certificates, DER: with the root, what client certificates chain to.
    pub fn people_issuer_certificate(&self) -> &[u8] {
        self.people_issuer.certificate()
    }

    /// The root certificates, PEM.
    pub fn trust_bundle_pem(&self) -> String {
        self.root_pem.clone()
    }

    /// A certificate and its issuer, PEM, leaf first.
    pub fn chain_pem(&self, leaf: &[u8]) -> String {
        to_pem(leaf) + &self.people_issuer_pem
    }

    /// The key that signs session tokens, for `jwks.json`.
    pub fn session_jwk(&self) -> Jwk {
        self.sessions.jwk()
    }

    /// The key that signs calls of webhooks, for its own key set.
    pub fn webhook_jwk(&self) -> Option<Jwk> {
        let key = self.webhook_key.as_ref()?;
        Some(landfall_crypto::key::Signer::public_key(key).jwk().for_signatures())
    }

    /// Signs a call of a webhook.
    ///
    /// # Errors
    /// [`Failure::Internal`] when signing fails.
    pub fn sign_webhook(
        &self,
        request: &httpsig::Request<'_>,
        now: Timestamp,
    ) -> Result<SignatureFields, Failure> {
        let missing = || Failure::internal("the key of webhooks is missing");
        let key = self.webhook_key.as_ref().ok_or_else(missing)?;
        httpsig::sign(&httpsig::WEBHOOK, request, now, key).map_err(Failure::internal)
    }

    /// The master key: seals managed secrets.
    pub fn master_key(&self) -> &MasterKey {
        &self.master
    }

    /// The key that hashes of recovery codes are kept under.
    pub fn recovery_code_key(&self) -> Secret32 {
        hkdf_sha256(self.master.expose().expose(), &[], RECOVERY_CODE_INFO)
    }

    /// Certifies a device.
    ///
    /// # Errors
    /// [`Failure::Internal`] when signing fails.
    pub fn issue(
        &self,
        spiffe_id: &SpiffeId,
        key: &PublicKey,
    ) -> Result<ca::IssuedCertificate, Failure> {
        self.people_issuer.issue_device(key, spiffe_id, &self.ambient).map_err(Failure::internal)
    }

    /// Certifies a device whose key ends at `ends_at`, if it ends at all.
    ///
    /// # Errors
    /// [`Failure::Internal`] when signing fails.
    pub fn issue_until(
        &self,
        ends_at: Option<Timestamp>,
        spiffe_id: &SpiffeId,
        key: &PublicKey,
    ) -> Result<ca::IssuedCertificate, Failure> {
        let left = ends_at.map_or(CERTIFICATE_TTL, |end| end.since(self.ambient.now()));
        self.people_issuer
            .issue_device_for(left, key, spiffe_id, &self.ambient)
            .map_err(Failure::internal)
    }

    /// A certificate for the server itself: DER, leaf first, and its private key.
    ///
    /// # Errors
    /// [`PkiError`] for a name that cannot stand in a certificate.
    pub fn issue_server(&self, names: &[String]) -> Result<(Vec<Vec<u8>>, KeyPair), PkiError> {
        let key = KeyPair::generate()?;
        let issued = self.server_issuer.issue_server(&key_of(&key), names, &self.ambient)?;
        // The root goes along: a client that knows no more than its fingerprint must see it.
        let issuer = self.server_issuer.certificate().to_vec();
        Ok((vec![issued.der, issuer, self.root_certificate.clone()], key))
    }

    /// When a certificate that was issued at `issued_at` is due for renewal.
    pub fn renew_at(&self, issued_at: Timestamp) -> Timestamp {
        issued_at + RENEW_AFTER
    }

    /// The revocation list of people's certificates, DER. For third parties: the server itself reads
    /// rows.
    ///
    /// # Errors
    /// [`Failure::Internal`] when signing fails.
    pub fn revocation_list(&self, revoked: &[(String, Timestamp)]) -> Result<Vec<u8>, Failure> {
        let now = self.ambient.now();
        let entries: Vec<Revoked> = revoked
            .iter()
            .filter_map(|(serial, at)| {
                let serial = HEXLOWER.decode(serial.as_bytes()).ok()?.try_into().ok()?;
                Some(Revoked { serial, at: *at, suspended: false })
            })
            .collect();
        // Milliseconds grow from list to list as the number must.
        let number = u64::try_from(now.millis()).unwrap_or_default();
        self.people_issuer
            .revocation_list(&entries, number, now, now + CRL_TTL)
            .map_err(Failure::internal)
    }

    /// Signs the token of a session.
    ///
    /// # Errors
    /// [`Failure::Internal`] when signing fails.
    pub fn sign_session(
        &self,
        spiffe_id: &SpiffeId,
        role: Role,
        thumbprint: &str,
        facts: &SessionFacts,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let kind = spiffe_id.principal.kind();
        // Proof of a key in software (RFC 8176, section 2): nothing attests to better as yet.
        let amr = match facts.strength {
            AuthStrength::CertOnly => vec!["swk".to_owned()],
            AuthStrength::CertHuman => vec!["swk".to_owned(), "user".to_owned()],
        };
        let claims = SessionClaims {
            spiffe_id: spiffe_id.clone(),
            actor_role: ActorRole::of(kind, &[]),
            // Machines have roles of another kind, which are no tenant's.
            role: (kind == PrincipalKind::Human).then_some(role),
            session: facts.id.clone(),
            key: Thumbprint::parse(thumbprint).map_err(Failure::internal)?,
            strength: facts.strength,
            auth_time: facts.auth_time,
            amr,
            issued_at: now,
            expires_at: facts.expires_at,
            bound: facts
                .bound_to
                .as_ref()
                .map(|act| BASE64URL_NOPAD.encode(&landfall_crypto::secret::sha256(act))),
        };
        self.sessions.sign_session(&claims).map_err(Failure::internal)
    }

    /// Checks a session token's signature and time. What it permits is decided from its row.
    ///
    /// # Errors
    /// [`Refusal::SessionOver`] when its time is over; [`Refusal::SessionRequired`] for anything that
    /// is no session token of ours.
    pub fn verify_session(&self, token: &str, now: Timestamp) -> Result<SessionClaims, Failure> {
        self.session_verifier.verify_session(token, now).map_err(|error| {
            match error {
                JwtError::Expired => Refusal::SessionOver,
                _ => Refusal::SessionRequired,
            }
            .into()
        })
    }
}

/// An issued certificate as the store keeps it.
pub fn stored(
    issued: &ca::IssuedCertificate,
    enrollment: &EnrollmentId,
    now: Timestamp,
) -> StoredCertificate {
    StoredCertificate {
        serial: HEXLOWER.encode(&issued.serial),
        enrollment: enrollment.clone(),
        der: issued.der.clone(),
        issued_at: now,
        not_after: issued.not_after,
    }
}

fn key_of(key: &KeyPair) -> PublicKey {
    landfall_crypto::key::Signer::public_key(key)
}

fn to_pem(der: &[u8]) -> String {
    pem::encode(&pem::Pem::new("CERTIFICATE", der))
}

fn context_of(name: &str) -> Vec<u8> {
    format!("landfall/sealed-key/v1\0{name}").into_bytes()
}

fn row<'a>(rows: &'a [SealedKey], name: &'static str) -> Result<&'a SealedKey, PkiError> {
    rows.iter().find(|row| row.name == name).ok_or(PkiError::Missing(name))
}

fn opened(
    rows: &[SealedKey],
    name: &'static str,
    master: &MasterKey,
) -> Result<(landfall_crypto::secret::SecretBytes, Vec<u8>), PkiError> {
    let row = row(rows, name)?;
    let key = master.open(&context_of(name), &row.sealed)?;
    Ok((key, row.certificate.clone().unwrap_or_default()))
}

/// The sealed keys of the database: made where there are none yet, and the newer ones added.
async fn keys(
    store: &Store,
    settings: &PkiSettings,
    master: &MasterKey,
    ambient: &Ambient,
) -> Result<(Vec<SealedKey>, Option<RootExport>), PkiError> {
    let mut rows = store.read(meta::sealed_keys).await?;
    let mut export = None;
    if rows.is_empty() {
        let made = making::make(settings, master, ambient)?;
        making::keep(store, settings, made.rows.clone(), ambient.now()).await?;
        (rows, export) = (made.rows, made.export);
    } else {
        // Before the root key leaves: without it nobody certifies another issuer.
        if settings.root_key != RootKey::AsItIs
            && !workloads::are_there(&rows)
            && workloads::root_is_there(&rows, master)?
        {
            rows.extend(making::add_workload_keys(store, &rows, master, ambient).await?);
        }
        if let RootKey::Offline(directory) = &settings.root_key {
            export = making::take_offline(store, &rows, directory, master, ambient).await?;
        }
    }
    if settings.root_key != RootKey::AsItIs && !rows.iter().any(|row| row.name == WEBHOOK_KEY) {
        rows.push(making::add_webhook_key(store, master, ambient).await?);
    }
    if settings.root_key != RootKey::AsItIs && !rows.iter().any(|row| row.name == AGENT_KEY) {
        rows.extend(making::add_agent_keys(store, master, ambient).await?);
    }
    Ok((rows, export))
}

async fn check_trust_domain(store: &Store, settings: &PkiSettings) -> Result<(), PkiError> {
    let stored = store
        .read(async |tx: &mut Tx<'_>| meta::get(tx, meta::TRUST_DOMAIN).await)
        .await?
        .ok_or(PkiError::Missing("trust domain"))?;
    if stored == settings.trust_domain.as_str() {
        return Ok(());
    }
    Err(PkiError::OtherTrustDomain { stored })
}
