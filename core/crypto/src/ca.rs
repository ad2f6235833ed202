//! The certificate authority: one root, and an intermediate for each kind of certificate.
//!
//! The root certifies issuers and nothing else; its key can be taken away afterwards. Each
//! [`Issuer`] is confined three times over: by its path length, by its extended key usage, and by
//! name constraints, so that a certificate for a person's device can never pass for a server.
//!
//! The server stamps every name itself. Issuing is one P-256 signature and no look-up.

use crate::ambient::Ambient;
use crate::csr::RcgenKey;
use crate::key::{KeyError, KeyPair, PublicKey, Signer, SignerError};
use crate::secret::{SecretBytes, sha256};
use landfall_identity::device::{BACKDATE, CERTIFICATE_TTL};
use landfall_identity::spiffe::PrincipalKind;
use landfall_identity::workload::SVID_TTL;
use landfall_identity::{Seconds, SpiffeId, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CidrSubnet,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyIdMethod,
    KeyUsagePurpose, NameConstraints, PublicKeyData, RevocationReason, RevokedCertParams, SanType,
    SerialNumber, SignatureAlgorithm,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use time::OffsetDateTime;

/// How long a root lives.
pub const ROOT_TTL: Seconds = Seconds::days(20 * 365);
/// How long an intermediate lives.
pub const ISSUER_TTL: Seconds = Seconds::days(10 * 365);
/// How long the server's own TLS certificate lives; the server makes another long before.
pub const SERVER_TTL: Seconds = Seconds::days(30);
/// Bytes of a serial number: the time in 48 bits, and 80 of chance.
pub const SERIAL_LENGTH: usize = 16;
/// Names that one server certificate may carry.
pub const SERVER_NAMES_MAX: usize = 100;

/// Why the authority did not do it.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The private key cannot be used.
    #[error("the authority's key cannot be used: {0}")]
    Key(#[from] KeyError),
    /// The certificate cannot be read.
    #[error("the authority's certificate cannot be read; restore it together with its key")]
    Certificate,
    /// Key and certificate do not belong together, or the certificate is of another kind.
    #[error("the authority's key, certificate and kind do not belong together")]
    Mismatch,
    /// A server name is no DNS name, or there are none or too many.
    #[error("`{0}` cannot stand in a server certificate")]
    ServerName(String),
    /// A name cannot stand in a certificate, or the library refused.
    #[error("the certificate cannot be made: {0}")]
    Library(#[from] rcgen::Error),
    /// The key did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

/// What an intermediate certifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IssuerKind {
    /// The server's own TLS certificate.
    Server,
    /// People's devices, and provisioned devices.
    People,
    /// Workloads: pods and CI jobs.
    Workloads,
}

impl IssuerKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Server, Self::People, Self::Workloads];

    /// Its stable name, for rows and file names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::People => "people",
            Self::Workloads => "workloads",
        }
    }

    /// The kind that a stable name names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Workloads are both sides of their connections (SPIFFE X509-SVID, section 4.4). That makes none of
    /// them our server: clients take nothing for it that is for more than servers.
    fn usages(self) -> Vec<ExtendedKeyUsagePurpose> {
        match self {
            Self::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
            Self::People => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Self::Workloads => {
                vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth]
            }
        }
    }

    fn common_name(self) -> &'static str {
        match self {
            Self::Server => "Landfall server issuer",
            Self::People => "Landfall people and devices issuer",
            Self::Workloads => "Landfall workloads issuer",
        }
    }

    /// An issuer of people and devices, or of workloads, names nothing that a server could be called by.
    /// The server's issuer is confined by its key usage: what the server is called may change after the
    /// root key was taken away.
    fn name_constraints(self) -> Option<NameConstraints> {
        let everything =
            |address| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, 0));
        (self != Self::Server).then(|| NameConstraints {
            permitted_subtrees: Vec::new(),
            excluded_subtrees: vec![
                GeneralSubtree::DnsName(String::new()),
                everything(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
                everything(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
            ],
        })
    }
}

/// The root: certifies issuers.
pub struct RootAuthority(Authority);

impl RootAuthority {
    /// A new root with a key of its own.
    ///
    /// # Errors
    /// When the library fails.
    pub fn create(ambient: &Ambient) -> Result<Self, CaError> {
        let key = KeyPair::generate()?;
        let mut params = ca_params("Landfall root", 1);
        validity(&mut params, ambient.now(), ROOT_TTL);
        params.serial_number = Some(serial(ambient));
        let signer = RcgenKey::new(&key);
        let certificate = params.self_signed(&signer).map_err(|error| signer.error(error))?;
        Ok(Self(Authority { key, certificate: certificate.der().to_vec(), name: "Landfall root" }))
    }

    /// The root from its kept parts: PKCS#8 and DER.
    ///
    /// # Errors
    /// [`CaError::Mismatch`] when they do not belong together.
    pub fn from_parts(pkcs8: &[u8], certificate: &[u8]) -> Result<Self, CaError> {
        let authority = Authority::from_parts(pkcs8, certificate, "Landfall root")?;
        if path_length(certificate)? != Some(1) {
            return Err(CaError::Mismatch);
        }
        Ok(Self(authority))
    }

    /// Certifies a new issuer, with a key of its own.
    ///
    /// # Errors
    /// When the library fails.
    pub fn issue(&self, kind: IssuerKind, ambient: &Ambient) -> Result<Issuer, CaError> {
        let key = KeyPair::generate()?;
        let mut params = ca_params(kind.common_name(), 0);
        validity(&mut params, ambient.now(), ISSUER_TTL);
        params.extended_key_usages = kind.usages();
        params.name_constraints = kind.name_constraints();
        let certificate = self.0.certify(params, &key.public_key(), ambient)?.der;
        Ok(Issuer { kind, authority: Authority { key, certificate, name: kind.common_name() } })
    }

    /// The root certificate, as DER.
    pub fn certificate(&self) -> &[u8] {
        &self.0.certificate
    }

    /// The root's private key as PKCS#8, to be sealed.
    ///
    /// # Errors
    /// When the library fails.
    pub fn private_key(&self) -> Result<SecretBytes, CaError> {
        Ok(self.0.key.to_pkcs8()?)
    }
}

/// SHA-256 over a root certificate's DER: what tokens, sheets and QR codes pin.
pub fn fingerprint(certificate: &[u8]) -> [u8; 32] {
    sha256(certificate)
}

/// An intermediate: certifies principals, or the server.
pub struct Issuer {
    kind: IssuerKind,
    authority: Authority,
}

/// A certificate that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// The certificate, as DER.
    pub der: Vec<u8>,
    /// Its serial number, big-endian; the first bit is zero.
    pub serial: [u8; SERIAL_LENGTH],
    /// When its validity begins.
    pub not_before: Timestamp,
    /// When it ends.
    pub not_after: Timestamp,
}

/// One certificate on a revocation list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    /// Its serial number.
    pub serial: [u8; SERIAL_LENGTH],
    /// Since when.
    pub at: Timestamp,
    /// Whether it may come back: a suspension (`certificateHold`), else a revocation.
    pub suspended: bool,
}

impl Issuer {
    /// The issuer from its kept parts: PKCS#8 and DER.
    ///
    /// # Errors
    /// [`CaError::Mismatch`] when they do not belong together or are of another kind.
    pub fn from_parts(kind: IssuerKind, pkcs8: &[u8], certificate: &[u8]) -> Result<Self, CaError> {
        let authority = Authority::from_parts(pkcs8, certificate, kind.common_name())?;
        if path_length(certificate)? != Some(0) {
            return Err(CaError::Mismatch);
        }
        Ok(Self { kind, authority })
    }

    /// What it certifies.
    pub fn kind(&self) -> IssuerKind {
        self.kind
    }

    /// Its certificate, as DER.
    pub fn certificate(&self) -> &[u8] {
        &self.authority.certificate
    }

    /// Its private key as PKCS#8, to be sealed.
    ///
    /// # Errors
    /// When the library fails.
    pub fn private_key(&self) -> Result<SecretBytes, CaError> {
        Ok(self.authority.key.to_pkcs8()?)
    }

    /// Certifies that `key` speaks for `spiffe_id`, for [`CERTIFICATE_TTL`]. The SPIFFE ID is the only
    /// name in it (SPIFFE X509-SVID section 2: one URI; the subject stays empty, so the names are
    /// marked critical, RFC 5280 section 4.2.1.6).
    ///
    /// # Errors
    /// [`CaError::Mismatch`] when this is not the issuer of people and devices.
    pub fn issue_device(
        &self,
        key: &PublicKey,
        spiffe_id: &SpiffeId,
        ambient: &Ambient,
    ) -> Result<IssuedCertificate, CaError> {
        self.issue_device_for(CERTIFICATE_TTL, key, spiffe_id, ambient)
    }

    /// As [`Self::issue_device`], for `ttl` where that is shorter: a certificate does not outlive its key.
    ///
    /// # Errors
    /// As [`Self::issue_device`].
    pub fn issue_device_for(
        &self,
        ttl: Seconds,
        key: &PublicKey,
        spiffe_id: &SpiffeId,
        ambient: &Ambient,
    ) -> Result<IssuedCertificate, CaError> {
        let names = vec![SanType::URI(spiffe_id.to_string().try_into()?)];
        self.issue(IssuerKind::People, key, names, ttl.min(CERTIFICATE_TTL), ambient)
    }

    /// Certifies that `key` speaks for a workload, for [`SVID_TTL`]. Otherwise as [`Self::issue_device`].
    ///
    /// # Errors
    /// [`CaError::Mismatch`] when this is not the issuer of workloads, or the name is no workload's.
    pub fn issue_workload(
        &self,
        key: &PublicKey,
        spiffe_id: &SpiffeId,
        ambient: &Ambient,
    ) -> Result<IssuedCertificate, CaError> {
        if spiffe_id.principal.kind() != PrincipalKind::Workload {
            return Err(CaError::Mismatch);
        }
        let names = vec![SanType::URI(spiffe_id.to_string().try_into()?)];
        self.issue(IssuerKind::Workloads, key, names, SVID_TTL, ambient)
    }

    /// Certifies the server's own key for the names and addresses it is reached by.
    ///
    /// # Errors
    /// [`CaError::ServerName`] for a name that is no DNS name or address; [`CaError::Mismatch`] when
    /// this is not the server's issuer.
    pub fn issue_server(
        &self,
        key: &PublicKey,
        names: &[String],
        ambient: &Ambient,
    ) -> Result<IssuedCertificate, CaError> {
        let refused = |name: &str| CaError::ServerName(name.to_owned());
        let first = names.first().ok_or_else(|| refused(""))?;
        if names.len() > SERVER_NAMES_MAX {
            return Err(refused(first));
        }
        let names = names.iter().map(|name| server_name(name).ok_or_else(|| refused(name)));
        self.issue(IssuerKind::Server, key, names.collect::<Result<_, _>>()?, SERVER_TTL, ambient)
    }

    fn issue(
        &self,
        kind: IssuerKind,
        key: &PublicKey,
        names: Vec<SanType>,
        ttl: Seconds,
        ambient: &Ambient,
    ) -> Result<IssuedCertificate, CaError> {
        if self.kind != kind {
            return Err(CaError::Mismatch);
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.subject_alt_names = names;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = kind.usages();
        validity(&mut params, ambient.now(), ttl);
        self.authority.certify(params, key, ambient)
    }

    /// The list of this issuer's revoked certificates, as DER (RFC 5280 section 5). For third
    /// parties: the server itself reads its rows. `number` must grow from list to list.
    ///
    /// # Errors
    /// When `next_update` is not after `now`, or the library fails.
    pub fn revocation_list(
        &self,
        revoked: &[Revoked],
        number: u64,
        now: Timestamp,
        next_update: Timestamp,
    ) -> Result<Vec<u8>, CaError> {
        let entry = |entry: &Revoked| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&entry.serial),
            revocation_time: date(entry.at),
            reason_code: entry.suspended.then_some(RevocationReason::CertificateHold),
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date(now),
            next_update: date(next_update),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let signer = RcgenKey::new(&self.authority.key);
        let issuer_params = ca_params(self.authority.name, 0);
        let issuer = rcgen::Issuer::from_params(&issuer_params, &signer);
        let list = params.signed_by(&issuer).map_err(|error| signer.error(error))?;
        Ok(list.der().to_vec())
    }
}

/// A key with its certificate, of the root or of an issuer.
struct Authority {
    key: KeyPair,
    certificate: Vec<u8>,
    /// Its common name, the whole of its subject.
    name: &'static str,
}

impl Authority {
    fn from_parts(pkcs8: &[u8], certificate: &[u8], name: &'static str) -> Result<Self, CaError> {
        let key = KeyPair::from_pkcs8(pkcs8)?;
        let (rest, parsed) =
            x509_parser::parse_x509_certificate(certificate).map_err(|_| CaError::Certificate)?;
        let same_key = parsed.public_key().raw == key.public_key().spki();
        let same_name = parsed
            .subject()
            .iter_common_name()
            .next()
            .is_some_and(|found| found.as_str() == Ok(name));
        if !rest.is_empty() || !same_key || !same_name {
            return Err(CaError::Mismatch);
        }
        Ok(Self { key, certificate: certificate.to_vec(), name })
    }

    fn certify(
        &self,
        mut params: CertificateParams,
        key: &PublicKey,
        ambient: &Ambient,
    ) -> Result<IssuedCertificate, CaError> {
        let number = serial_bytes(ambient);
        params.serial_number = Some(SerialNumber::from_slice(&number));
        params.use_authority_key_identifier_extension = true;
        let signer = RcgenKey::new(&self.key);
        let own_params = ca_params(self.name, 0);
        let issuer = rcgen::Issuer::from_params(&own_params, &signer);
        let made = params.signed_by(&Subject(key), &issuer).map_err(|error| signer.error(error))?;
        Ok(IssuedCertificate {
            der: made.der().to_vec(),
            serial: number,
            not_before: Timestamp::from_seconds(params.not_before.unix_timestamp()),
            not_after: Timestamp::from_seconds(params.not_after.unix_timestamp()),
        })
    }
}

struct Subject<'a>(&'a PublicKey);

impl PublicKeyData for Subject<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.point()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

fn ca_params(common_name: &str, path_length: u8) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(path_length));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn path_length(certificate: &[u8]) -> Result<Option<u32>, CaError> {
    let (_, parsed) =
        x509_parser::parse_x509_certificate(certificate).map_err(|_| CaError::Certificate)?;
    let constraints = parsed.basic_constraints().map_err(|_| CaError::Certificate)?;
    Ok(constraints.filter(|found| found.value.ca).and_then(|found| found.value.path_len_constraint))
}

fn validity(params: &mut CertificateParams, now: Timestamp, ttl: Seconds) {
    params.not_before = date(now - BACKDATE);
    params.not_after = date(now + ttl);
}

/// X.509 counts whole seconds. Times beyond the year 9999 cannot be written; they become its end.
fn date(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.seconds())
        .unwrap_or(time::macros::datetime!(9999-12-31 23:59:59 UTC))
}

fn serial(ambient: &Ambient) -> SerialNumber {
    SerialNumber::from_slice(&serial_bytes(ambient))
}

/// Positive, and of one length: the first bit is zero and the second is one (RFC 5280 section
/// 4.1.2.2). Like the name of any row it begins with the time; 80 bits of it are chance.
fn serial_bytes(ambient: &Ambient) -> [u8; SERIAL_LENGTH] {
    let mut bytes = ambient.row_bits();
    bytes[0] = bytes[0] & 0x7F | 0x40;
    bytes
}

fn server_name(name: &str) -> Option<SanType> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Some(SanType::IpAddress(address));
    }
    let name = rustls_pki_types::DnsName::try_from(name).ok()?;
    name.as_ref().to_ascii_lowercase().try_into().ok().map(SanType::DnsName)
}

#[cfg(test)]
#[path = "ca_tests.rs"]
mod tests;
