//! Which models of passkey a server takes.
//!
//! An AAGUID that nobody vouches for is a claim, so a list of models comes with the certificates of
//! those who make them, and with a list a passkey without attestation is refused. Without a list every
//! model is taken, and one that says nothing of itself.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use uuid::Uuid;
use webauthn_rs::prelude::{
    AttestationCaList, AttestationCaListBuilder, AttestedPasskey, AttestedPasskeyRegistration,
    Passkey, RegisterPublicKeyCredential, Webauthn, WebauthnError,
};

/// The models that are taken.
#[derive(Debug)]
pub struct Models(AttestationCaList);

/// Why a list cannot be used. Every text says what to change.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// It is not there, or not ours to read.
    #[error("passkey_models_file: {path} cannot be read: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line that is nothing.
    #[error(
        "passkey_models_file: line {0} is no AAGUID; write them like \
         2fc0579f-8113-47ea-b116-bb5a8db9202a, and certificates as PEM"
    )]
    Line(usize),
    /// A certificate that is none.
    #[error(
        "passkey_models_file: a certificate cannot be read; put root certificates there, as PEM"
    )]
    Certificate,
    /// One half without the other.
    #[error(
        "passkey_models_file: it takes at least one AAGUID and one root certificate that vouches for it"
    )]
    Half,
}

impl Models {
    /// Reads the operator's file.
    ///
    /// # Errors
    /// [`ModelsError`].
    pub fn read(path: &Path) -> Result<Self, ModelsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ModelsError::File { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Reads lines of AAGUIDs and blocks of PEM; what follows a `#` is for people.
    ///
    /// # Errors
    /// [`ModelsError`].
    pub fn parse(text: &str) -> Result<Self, ModelsError> {
        let aaguids = aaguids(text)?;
        let roots = CertificateDer::pem_slice_iter(text.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| ModelsError::Certificate)?;
        if aaguids.is_empty() || roots.is_empty() {
            return Err(ModelsError::Half);
        }
        let mut list = AttestationCaListBuilder::new();
        for root in &roots {
            for aaguid in &aaguids {
                list.insert_device_der(root, *aaguid, aaguid.to_string(), BTreeMap::new())
                    .map_err(|_| ModelsError::Certificate)?;
            }
        }
        Ok(Self(list.build()))
    }

    /// Finishes a registration that was begun without a list: by the list as it is now.
    pub(super) fn finish(
        &self,
        webauthn: &Webauthn,
        response: &RegisterPublicKeyCredential,
        expectation: &Value,
    ) -> Result<Passkey, WebauthnError> {
        let state = json!({ "rs": expectation.get("rs"), "ca_list": &self.0 });
        let state: AttestedPasskeyRegistration =
            serde_json::from_value(state).map_err(|_| WebauthnError::MissingAttestationCaList)?;
        let made: AttestedPasskey =
            webauthn.finish_attested_passkey_registration(response, &state)?;
        Ok(made.into())
    }
}

fn aaguids(text: &str) -> Result<Vec<Uuid>, ModelsError> {
    let mut found = Vec::new();
    let mut in_pem = false;
    for (place, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        match line {
            "" => {}
            line if line.starts_with("-----BEGIN ") => in_pem = true,
            line if line.starts_with("-----END ") => in_pem = false,
            _ if in_pem => {}
            line => {
                let aaguid = Uuid::try_parse(line).map_err(|_| ModelsError::Line(place + 1))?;
                found.push(aaguid);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AAGUID: &str = "2fc0579f-8113-47ea-b116-bb5a8db9202a";

    fn root() -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&key).unwrap().pem()
    }

    #[test]
    fn a_list_takes_models_and_those_who_vouch_for_them() {
        let root = root();
        assert!(Models::parse(&format!("# office keys\n{AAGUID} # blue\n\n{root}")).is_ok());
        assert!(matches!(Models::parse(AAGUID), Err(ModelsError::Half)));
        assert!(matches!(Models::parse(&root), Err(ModelsError::Half)));
        let wrong = format!("{root}\nblue key\n");
        let line = root.lines().count() + 2;
        let found = Models::parse(&wrong);
        assert!(matches!(found, Err(ModelsError::Line(at)) if at == line), "{found:?}");
        let spoilt =
            format!("{AAGUID}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        assert!(matches!(Models::parse(&spoilt), Err(ModelsError::Certificate)));
    }
}
