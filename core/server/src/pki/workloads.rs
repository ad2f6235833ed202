//! The keys that speak for workloads: their issuer, and the key of JWT-SVIDs.

use super::{JWT_SVID_KEY, Pki, PkiError, ROOT, opened, row, to_pem};
use crate::failure::Failure;
use crate::store::meta::SealedKey;
use data_encoding::BASE64;
use landfall_crypto::ca::{IssuedCertificate, Issuer, IssuerKind};
use landfall_crypto::certificate::CertificateFacts;
use landfall_crypto::envelope::MasterKey;
use landfall_crypto::jwt_svid::{JwtSvid, SvidSigner};
use landfall_crypto::key::{KeyPair, PublicKey};
use landfall_identity::{Refusal, SpiffeId};
use serde_json::{Value, json};

/// What speaks for workloads.
pub(super) struct WorkloadKeys {
    issuer: Issuer,
    issuer_pem: String,
    svids: SvidSigner,
}

/// Whether the rows hold what speaks for workloads.
pub(super) fn are_there(rows: &[SealedKey]) -> bool {
    [IssuerKind::Workloads.as_str(), JWT_SVID_KEY]
        .iter()
        .all(|name| rows.iter().any(|row| row.name == *name))
}

/// Whether the root key is still there to certify an issuer.
pub(super) fn root_is_there(rows: &[SealedKey], master: &MasterKey) -> Result<bool, PkiError> {
    row(rows, ROOT)?;
    let (key, _) = opened(rows, ROOT, master)?;
    Ok(!key.expose().is_empty())
}

/// Opens what speaks for workloads, where it is.
pub(super) fn open(
    rows: &[SealedKey],
    master: &MasterKey,
) -> Result<Option<WorkloadKeys>, PkiError> {
    if !are_there(rows) {
        return Ok(None);
    }
    let (key, certificate) = opened(rows, IssuerKind::Workloads.as_str(), master)?;
    let issuer = Issuer::from_parts(IssuerKind::Workloads, key.expose(), &certificate)?;
    let (key, _) = opened(rows, JWT_SVID_KEY, master)?;
    let svids = SvidSigner::new(&KeyPair::from_pkcs8(key.expose())?)?;
    Ok(Some(WorkloadKeys { issuer_pem: to_pem(issuer.certificate()), issuer, svids }))
}

impl Pki {
    /// Whether this server can certify workloads.
    pub fn speaks_for_workloads(&self) -> bool {
        self.workloads.is_some()
    }

    /// An X.509-SVID.
    ///
    /// # Errors
    /// [`Refusal::WorkloadsUnavailable`]; [`Failure::Internal`] when signing fails.
    pub fn issue_workload(
        &self,
        spiffe_id: &SpiffeId,
        key: &PublicKey,
    ) -> Result<IssuedCertificate, Failure> {
        let issued = self.workload_keys()?.issuer.issue_workload(key, spiffe_id, &self.ambient);
        issued.map_err(Failure::internal)
    }

    /// An X.509-SVID and its issuer, PEM, leaf first.
    ///
    /// # Errors
    /// [`Refusal::WorkloadsUnavailable`].
    pub fn workload_chain_pem(&self, leaf: &[u8]) -> Result<String, Failure> {
        Ok(to_pem(leaf) + &self.workload_keys()?.issuer_pem)
    }

    /// A JWT-SVID.
    ///
    /// # Errors
    /// As [`Pki::issue_workload`].
    pub fn sign_jwt_svid(&self, svid: &JwtSvid) -> Result<String, Failure> {
        self.workload_keys()?.svids.sign(svid).map_err(Failure::internal)
    }

    /// The keys of the trust bundle (SPIFFE Trust Domain and Bundle, section 4.2): the root for
    /// X.509-SVIDs, and the key of JWT-SVIDs.
    ///
    /// # Errors
    /// [`Failure::Internal`] when our own root cannot be read.
    pub fn bundle_keys(&self) -> Result<Vec<Value>, Failure> {
        let root = self.root_certificate();
        let facts = CertificateFacts::read(root).map_err(Failure::internal)?;
        let mut key = serde_json::to_value(facts.public_key.jwk()).map_err(Failure::internal)?;
        key["use"] = json!("x509-svid");
        key["x5c"] = json!([BASE64.encode(root)]);
        let mut keys = vec![key];
        if let Some(workloads) = &self.workloads {
            keys.push(serde_json::to_value(workloads.svids.jwk()).map_err(Failure::internal)?);
        }
        Ok(keys)
    }

    fn workload_keys(&self) -> Result<&WorkloadKeys, Failure> {
        Ok(self.workloads.as_ref().ok_or(Refusal::WorkloadsUnavailable)?)
    }
}
