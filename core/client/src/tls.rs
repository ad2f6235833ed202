//! TLS as a client: which server is believed, and how the device key proves itself.
//!
//! With `pin:` the chain must end in the root whose SHA-256 the code carried, the host name must
//! fit, and every certificate below the root must be for servers and nothing else: so neither the
//! issuer of people's certificates nor any other certificate authority can pass for the server. With
//! `webpki` the platform decides, by its own roots.

use crate::failure::Failure;
use crate::texts;
use landfall_crypto::certificate::is_for_servers_only;
use landfall_crypto::secret::{ct_eq, sha256};
use landfall_crypto::token::Trust;
use landfall_crypto::{Clock, PublicKey};
use landfall_keystore::{KeyHandle, KeyStore, Purpose};
use landfall_protocol::ErrorCode;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureAlgorithm,
    SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The device key, as TLS uses it.
pub(crate) struct DeviceIdentity {
    pub(crate) keys: Arc<dyn KeyStore>,
    pub(crate) handle: KeyHandle,
    /// The certificate and its issuer, PEM, leaf first.
    pub(crate) chain: String,
}

/// A TLS configuration that believes `trust` and nobody else. TLS 1.3 only, no resumption, no early
/// data.
pub(crate) fn config(
    trust: Trust,
    identity: Option<DeviceIdentity>,
    clock: Arc<dyn Clock>,
) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = verifier(trust, &provider)?;
    let builder = ClientConfig::builder_with_details(provider, Arc::new(HandedTime(clock)))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| key_unavailable())?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(identity) => {
            builder.with_client_cert_resolver(Arc::new(DeviceCert(certified(identity)?)))
        }
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(
    trust: Trust,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Failure> {
    match trust {
        Trust::Pin(pin) => Ok(Arc::new(PinnedRoot { pin, provider: provider.clone() })),
        Trust::WebPki => {
            let platform = rustls_platform_verifier::Verifier::new(provider.clone());
            let platform = platform
                .map_err(|_| Failure::new(ErrorCode::ServerNotTrusted, texts::NOT_TRUSTED))?;
            Ok(Arc::new(platform))
        }
    }
}

/// Time from the clock that was handed in.
struct HandedTime(Arc<dyn Clock>);

impl fmt::Debug for HandedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandedTime")
    }
}

impl TimeProvider for HandedTime {
    fn current_time(&self) -> Option<UnixTime> {
        let millis = u64::try_from(self.0.now().millis()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(millis)))
    }
}

/// Believes chains that end in one root.
#[derive(Debug)]
struct PinnedRoot {
    pin: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedRoot {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let unknown = || rustls::Error::from(CertificateError::UnknownIssuer);
        let pinned = |der: &&CertificateDer<'_>| ct_eq(&sha256(der), &self.pin);
        let root = intermediates.iter().find(pinned).ok_or_else(unknown)?;
        let others: Vec<_> = intermediates.iter().filter(|der| !pinned(der)).cloned().collect();
        if others.is_empty()
            || !others.iter().chain([end_entity]).all(|der| is_for_servers_only(der))
        {
            return Err(CertificateError::InvalidPurpose.into());
        }
        let mut roots = RootCertStore::empty();
        roots.add(root.clone().into_owned()).map_err(|_| unknown())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .map_err(|_| unknown())?
            .verify_server_cert(end_entity, &others, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("only TLS 1.3 is spoken".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Shows the device's certificate to whoever asks on the other side of a trusted connection.
#[derive(Debug)]
struct DeviceCert(Arc<CertifiedKey>);

impl ResolvesClientCert for DeviceCert {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        schemes.contains(&SignatureScheme::ECDSA_NISTP256_SHA256).then(|| self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn certified(identity: DeviceIdentity) -> Result<Arc<CertifiedKey>, Failure> {
    let blocks = pem::parse_many(&identity.chain).map_err(|_| key_unavailable())?;
    let chain: Vec<_> =
        blocks.into_iter().map(|block| CertificateDer::from(block.into_contents())).collect();
    if chain.is_empty() {
        return Err(key_unavailable());
    }
    let public = identity.keys.public(&identity.handle).map_err(|_| key_unavailable())?;
    let key = TlsKey { keys: identity.keys, handle: identity.handle, public };
    Ok(Arc::new(CertifiedKey::new(chain, Arc::new(key))))
}

fn key_unavailable() -> Failure {
    Failure::new(ErrorCode::KeyUnavailable, texts::KEY_UNAVAILABLE)
}

/// The device key behind rustls: it signs in its store and never comes out.
#[derive(Clone)]
struct TlsKey {
    keys: Arc<dyn KeyStore>,
    handle: KeyHandle,
    public: PublicKey,
}

impl fmt::Debug for TlsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsKey({})", self.handle)
    }
}

impl SigningKey for TlsKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let fits = offered.contains(&SignatureScheme::ECDSA_NISTP256_SHA256);
        fits.then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(self.public.spki()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for TlsKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        self.keys
            .sign(&self.handle, Purpose::TlsClientHandshake, message)
            .map(|signature| signature.to_der())
            .map_err(|error| rustls::Error::General(error.to_string()))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP256_SHA256
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
