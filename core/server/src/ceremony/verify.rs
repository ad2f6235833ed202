//! How an authenticator's answer is judged: the library checks what WebAuthn prescribes, we check
//! what it leaves to us.

use super::RelyingParty;
use landfall_crypto::secret::ct_eq;
use landfall_identity::Refusal;
use landfall_identity::passkey::{Attachment, Reported};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use webauthn_rs::prelude::{
    AttestationMetadata, AuthenticationResult, Credential, DiscoverableAuthentication,
    DiscoverableKey, Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, WebauthnError,
};

/// A new passkey, as its authenticator attested it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attested {
    /// The authenticator's name for it.
    pub credential_id: Vec<u8>,
    /// Public key and attestation, as the library keeps them.
    pub credential: String,
    /// The signature counter.
    pub counter: u32,
    /// Whether it may be copied to other machines.
    pub backup_eligible: bool,
    /// Whether it has been.
    pub backup_state: bool,
    /// Whether it can be found without a user name, when the browser told.
    pub resident: Option<bool>,
    /// The model, when it was attested.
    pub aaguid: Option<String>,
    /// How its authenticator is reached, when the browser told.
    #[serde(default)]
    pub transports: Vec<String>,
}

/// A proof by a passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Which one.
    pub credential_id: Vec<u8>,
    /// What its authenticator says about itself now.
    pub reported: Reported,
}

/// An answer that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// What the person is told.
    pub refusal: Refusal,
    /// What the audit is told.
    pub why: &'static str,
}

impl Rejected {
    fn refused(why: &'static str) -> Self {
        Self { refusal: Refusal::PasskeyRefused, why }
    }

    fn suspicious(why: &'static str) -> Self {
        Self { refusal: Refusal::PasskeySuspicious, why }
    }
}

impl RelyingParty {
    /// Judges the answer to a registration. An answer without attestation is taken; one with a false
    /// attestation is not.
    ///
    /// # Errors
    /// [`Rejected`].
    pub fn judge_registration(
        &self,
        expectation: &str,
        attachment: Option<Attachment>,
        resident_wanted: bool,
        answer: &Value,
    ) -> Result<Attested, Rejected> {
        let response: RegisterPublicKeyCredential = read(answer)?;
        came_as_asked(answer, attachment)?;
        same_page(&response.response.client_data_json)?;
        let passkey = match &self.models {
            Some(models) => models.finish(&self.webauthn, &response, &expected(expectation)?),
            None => {
                let state: PasskeyRegistration = expected(expectation)?;
                self.webauthn.finish_passkey_registration(&response, &state)
            }
        };
        let passkey = passkey.map_err(|error| rejected(&error))?;
        let credential = Credential::from(passkey.clone());
        if response.type_ != "public-key" || response.raw_id != credential.cred_id {
            return Err(Rejected::refused("the credential's names differ"));
        }
        if !credential.user_verified {
            return Err(Rejected::refused("the user was not verified"));
        }
        let resident = response.extensions.cred_props.and_then(|props| props.rk);
        // A browser that says nothing about it has asked for what it was told to.
        let wanted = resident_wanted || attachment == Some(Attachment::Platform);
        if wanted && resident == Some(false) {
            return Err(Rejected::refused("a resident key was asked for"));
        }
        Ok(Attested {
            credential: serde_json::to_string(&passkey)
                .map_err(|_| Rejected::refused("the credential cannot be kept"))?,
            counter: credential.counter,
            backup_eligible: credential.backup_eligible,
            backup_state: credential.backup_state,
            resident,
            aaguid: aaguid(&credential.attestation.metadata),
            transports: transports(answer),
            credential_id: credential.cred_id,
        })
    }

    /// Judges the answer to a step-up, but for what the rows know better by now: whether the passkey
    /// still is one, and what its authenticator reported last.
    ///
    /// # Errors
    /// [`Rejected`].
    pub fn judge_step_up(
        &self,
        expectation: &str,
        attachment: Option<Attachment>,
        handle: &[u8],
        answer: &Value,
    ) -> Result<Assertion, Rejected> {
        let state: PasskeyAuthentication = expected(expectation)?;
        let response: PublicKeyCredential = read(answer)?;
        came_as_asked(answer, attachment)?;
        same_page(&response.response.client_data_json)?;
        if response.type_ != "public-key" {
            return Err(Rejected::refused("not a public key"));
        }
        // WebAuthn Level 3, section 7.2, step 6: a handle that is told must be the user's.
        let told = response.response.user_handle.as_deref().filter(|told| !told.is_empty());
        if told.is_some_and(|told| !ct_eq(told, handle)) {
            return Err(Rejected::refused("the passkey is another user's"));
        }
        let result = self
            .webauthn
            .finish_passkey_authentication(&response, &state)
            .map_err(|error| rejected(&error))?;
        if !result.user_verified() {
            return Err(Rejected::refused("the user was not verified"));
        }
        Ok(assertion(&result))
    }

    /// Judges the answer of a bare machine's browser by the passkey that answered: `credential` is as
    /// the library keeps it, `handle` its owner's. Whose recovery it may serve, the rows say.
    ///
    /// # Errors
    /// [`Rejected`].
    pub fn judge_recovery(
        &self,
        expectation: &str,
        credential: &str,
        handle: &[u8],
        answer: &Value,
    ) -> Result<Assertion, Rejected> {
        let state: DiscoverableAuthentication = expected(expectation)?;
        let response: PublicKeyCredential = read(answer)?;
        same_page(&response.response.client_data_json)?;
        if response.type_ != "public-key" {
            return Err(Rejected::refused("not a public key"));
        }
        // WebAuthn Level 3, section 7.2, step 6: nobody was named, so the handle must be told, and only a
        // passkey that was found by itself tells it.
        let told = response.response.user_handle.as_deref().unwrap_or_default();
        if !ct_eq(told, handle) {
            return Err(Rejected::refused("the handle is not the passkey's owner's"));
        }
        let passkey: Passkey = serde_json::from_str(credential)
            .map_err(|_| Rejected::refused("the passkey was kept by another version"))?;
        let result = self
            .webauthn
            .finish_discoverable_authentication_v2(&response, state, DiscoverableKey::from(passkey))
            .map_err(|error| rejected(&error))?;
        if !result.user_verified() {
            return Err(Rejected::refused("the user was not verified"));
        }
        Ok(assertion(&result))
    }
}

fn assertion(result: &AuthenticationResult) -> Assertion {
    Assertion {
        credential_id: result.cred_id().clone(),
        reported: Reported {
            counter: result.counter(),
            backup_eligible: result.backup_eligible(),
            backup_state: result.backup_state(),
        },
    }
}

/// The name of the passkey that answered; nothing in an answer that cannot be read.
pub fn credential_id_of(answer: &Value) -> Vec<u8> {
    let response = PublicKeyCredential::deserialize(answer);
    response.map(|response| response.raw_id.to_vec()).unwrap_or_default()
}

/// The words that WebAuthn has for it (Level 3, section 5.8.4). Others are not kept.
const TRANSPORTS: [&str; 6] = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"];

fn transports(answer: &Value) -> Vec<String> {
    let told = answer.pointer("/response/transports").and_then(Value::as_array);
    let told: Vec<&str> = told.into_iter().flatten().filter_map(Value::as_str).collect();
    let known = TRANSPORTS.into_iter().filter(|word| told.contains(word));
    known.map(str::to_owned).collect()
}

impl Attested {
    /// What the authenticator said about itself.
    pub fn reported(&self) -> Reported {
        Reported {
            counter: self.counter,
            backup_eligible: self.backup_eligible,
            backup_state: self.backup_state,
        }
    }
}

fn expected<S: DeserializeOwned>(expectation: &str) -> Result<S, Rejected> {
    serde_json::from_str(expectation)
        .map_err(|_| Rejected::refused("the ceremony was begun by another version"))
}

fn read<T: DeserializeOwned>(answer: &Value) -> Result<T, Rejected> {
    T::deserialize(answer).map_err(|_| Rejected::refused("the answer cannot be read"))
}

/// A browser that tells which kind of authenticator answered must tell the kind that was asked for
/// (WebAuthn Level 3, section 5.1: `authenticatorAttachment`).
fn came_as_asked(answer: &Value, asked: Option<Attachment>) -> Result<(), Rejected> {
    let told = match answer.get("authenticatorAttachment").and_then(Value::as_str) {
        Some("platform") => Some(Attachment::Platform),
        Some("cross-platform") => Some(Attachment::Roaming),
        _ => None,
    };
    match (told, asked) {
        (Some(told), Some(asked)) if told != asked => Err(Rejected {
            refusal: Refusal::WrongAttachment,
            why: "another kind of authenticator answered",
        }),
        _ => Ok(()),
    }
}

/// The library looks at `crossOrigin` at registration only. Our page is never framed.
fn same_page(client_data: &[u8]) -> Result<(), Rejected> {
    let client_data: Value = serde_json::from_slice(client_data)
        .map_err(|_| Rejected::refused("the client data cannot be read"))?;
    let framed = client_data.get("crossOrigin").is_some_and(|cross| *cross != Value::Bool(false))
        || client_data.get("topOrigin").is_some();
    if framed { Err(Rejected::refused("the page was framed")) } else { Ok(()) }
}

fn aaguid(metadata: &AttestationMetadata) -> Option<String> {
    match metadata {
        AttestationMetadata::Packed { aaguid } | AttestationMetadata::Tpm { aaguid, .. } => {
            Some(aaguid.to_string())
        }
        _ => None,
    }
}

fn rejected(error: &WebauthnError) -> Rejected {
    match error {
        WebauthnError::CredentialPossibleCompromise => {
            Rejected::suspicious("the signature counter did not rise")
        }
        WebauthnError::CredentialBackupEligibilityInconsistent => {
            Rejected::suspicious("backup eligibility changed")
        }
        WebauthnError::CredentialMayNotBeHardwareBound => {
            Rejected::suspicious("backed up, and not eligible for backup")
        }
        WebauthnError::AttestationNotVerifiable
        | WebauthnError::AttestationLeafCertMissing
        | WebauthnError::AttestationCertificateTrustStoreEmpty
        | WebauthnError::AttestationChainNotTrusted(_)
        | WebauthnError::AttestationUntrustedAaguid
        | WebauthnError::AttestationFormatMissingAaguid
        | WebauthnError::MissingAttestationCaList => Rejected {
            refusal: Refusal::PasskeyModelRefused,
            why: "a model that is not taken, or one that nobody vouches for",
        },
        WebauthnError::InvalidClientDataType => Rejected::refused("the wrong type of answer"),
        WebauthnError::MismatchedChallenge => Rejected::refused("the answer to another challenge"),
        WebauthnError::InvalidRPOrigin | WebauthnError::CredentialCrossOrigin => {
            Rejected::refused("the answer from another page")
        }
        WebauthnError::InvalidRPIDHash => Rejected::refused("the answer for another server"),
        WebauthnError::UserNotPresent => Rejected::refused("nobody touched"),
        WebauthnError::UserNotVerified => Rejected::refused("the user was not verified"),
        WebauthnError::CredentialNotFound => Rejected::refused("a passkey that was not asked for"),
        WebauthnError::CredentialAlteredAlgFromRequest
        | WebauthnError::CredentialExcludedFromRequest => Rejected {
            refusal: Refusal::PasskeyRegistered,
            why: "the authenticator holds a passkey of this user",
        },
        WebauthnError::AuthenticationFailure | WebauthnError::SignatureInvalid => {
            Rejected::refused("the signature is wrong")
        }
        _ => Rejected::refused("the answer breaks a rule of WebAuthn"),
    }
}
