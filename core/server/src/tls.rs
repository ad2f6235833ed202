//! TLS 1.3, and what it proves: possession of a key. Authority comes from rows, on every request.
//!
//! So the verifier checks the handshake's signature and the kind of key, and nothing else. An expired
//! or foreign certificate is not dropped here (in TLS 1.3 that is an alert which the client sees at
//! its first read, and cannot tell from a broken network): it is recorded, and the request is answered
//! with a code that says what to do.

use crate::service::Peer;
use landfall_crypto::certificate::{CertificateError, CertificateFacts};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::verify_server_name;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError as TlsCertificateError, DigitallySignedStruct, DistinguishedName, Error,
    PeerIncompatible, ServerConfig, SignatureScheme,
};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// What is spoken inside, best first.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why TLS cannot be set up. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds something else.
    #[error("{path} cannot be used as {what}: {why}")]
    File {
        /// Which one.
        path: String,
        /// What it should hold.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// Certificate and key do not fit, or the library refuses them.
    #[error("the server's certificate and key cannot be used together: {0}")]
    Key(#[from] Error),
    /// One of our own issuers cannot be read.
    #[error("an issuer's certificate cannot be read: {0}")]
    Issuer(#[from] CertificateError),
}

/// The server's own certificate and key. Replaced while connections go on.
#[derive(Debug)]
pub struct ServerKey(RwLock<Arc<CertifiedKey>>);

impl ServerKey {
    /// From a chain (leaf first) and its private key.
    ///
    /// # Errors
    /// [`TlsError::Key`].
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, TlsError> {
        Ok(Self(RwLock::new(Arc::new(certified(chain, key)?))))
    }

    /// From PEM files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let (chain, key) = read_files(certificate, key)?;
        Self::new(chain, key)
    }

    /// Puts another chain and key in its place; new connections use it.
    ///
    /// # Errors
    /// [`TlsError::Key`]; the old one stays.
    pub fn replace(
        &self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), TlsError> {
        let fresh = Arc::new(certified(chain, key)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }
}

impl ResolvesServerCert for ServerKey {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Reads a chain and its key from PEM files.
///
/// # Errors
/// [`TlsError::File`].
pub fn read_files(
    certificate: &Path,
    key: &Path,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let file = |path: &Path, what, why: String| TlsError::File {
        path: path.display().to_string(),
        what,
        why,
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| file(certificate, "a certificate chain", error.to_string()))?;
    if chain.is_empty() {
        return Err(file(certificate, "a certificate chain", "it holds no certificate".into()));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| file(key, "a private key", error.to_string()))?;
    Ok((chain, private))
}

/// Whether a certificate is for this host: a name, or an address.
pub fn is_for(certificate: &CertificateDer<'_>, host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    let (Ok(parsed), Ok(name)) =
        (ParsedCertificate::try_from(certificate), ServerName::try_from(host))
    else {
        return false;
    };
    verify_server_name(&parsed, &name).is_ok()
}

/// The issuers whose certificates we recognise.
#[derive(Debug, Clone)]
pub struct Issuers(Vec<CertificateFacts>);

impl Issuers {
    /// From their certificates, DER.
    ///
    /// # Errors
    /// [`TlsError::Issuer`].
    pub fn new<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, TlsError> {
        let facts =
            certificates.into_iter().map(CertificateFacts::read).collect::<Result<_, _>>()?;
        Ok(Self(facts))
    }

    /// What a client's certificate says, of a key whose possession the handshake proved.
    pub fn peer(&self, certificate: &CertificateDer<'_>) -> Option<Peer> {
        let facts = CertificateFacts::read(certificate).ok()?;
        Some(Peer {
            thumbprint: facts.public_key.thumbprint().to_string(),
            not_after: facts.not_after,
            chain_ok: self.0.iter().any(|issuer| facts.issued_by(issuer)),
        })
    }
}

/// TLS for the public port. `hints` are the subjects of our own root and issuers: a browser asks its
/// person for a certificate only when it has one of ours.
///
/// # Errors
/// [`TlsError::Key`] when the library refuses the protocol version.
pub fn server_config(
    key: Arc<ServerKey>,
    hints: Vec<DistinguishedName>,
) -> Result<ServerConfig, TlsError> {
    let provider = provider();
    let verifier =
        Arc::new(KeyVerifier { hints, algorithms: provider.signature_verification_algorithms });
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(key);
    // A resumed connection would bring back a chain that nobody looked at.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    config.alpn_protocols = ALPN.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}

/// The subject of a certificate, DER, as a hint.
///
/// # Errors
/// [`TlsError::Issuer`] when it is no certificate.
pub fn hint(certificate: &[u8]) -> Result<DistinguishedName, TlsError> {
    let facts = CertificateFacts::read(certificate)?;
    Ok(DistinguishedName::from(facts.subject_name().to_vec()))
}

/// The one cryptographic library.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, TlsError> {
    Ok(CertifiedKey::from_der(chain, key, &provider())?)
}

/// Checks possession and the kind of key.
#[derive(Debug)]
struct KeyVerifier {
    hints: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for KeyVerifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        CertificateFacts::read(end_entity).map_err(tls_error)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // The key is read by the same parser that yields the thumbprint, so that both speak of one
        // key whatever the certificate looks like.
        let facts = CertificateFacts::read(certificate).map_err(tls_error)?;
        let spki = SubjectPublicKeyInfoDer::from(facts.public_key.spki());
        verify_tls13_signature_with_raw_key(message, &spki, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

fn tls_error(error: CertificateError) -> Error {
    let kind = match error {
        CertificateError::Malformed => TlsCertificateError::BadEncoding,
        CertificateError::Key => TlsCertificateError::ApplicationVerificationFailure,
    };
    Error::InvalidCertificate(kind)
}
