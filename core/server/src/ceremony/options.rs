//! What an authenticator is asked. The only place that changes what the WebAuthn library fixes: the
//! challenge, the attestation, the resident key and the attachment; always in both, the options that
//! the browser gets and the expectation that the answer is checked against.

use super::{Purpose, RelyingParty};
use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::secret::sha256_of;
use landfall_identity::passkey::Attachment;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyAuthentication, PasskeyRegistration, WebauthnError,
};
use webauthn_rs_proto::{
    AttestationConveyancePreference, AuthenticatorAttachment, AuthenticatorSelectionCriteria,
    PublicKeyCredentialHints, ResidentKeyRequirement, UserVerificationPolicy,
};

/// What the challenge commits to besides its purpose.
pub struct Asked<'a> {
    /// 256 random bits, kept in the row.
    pub nonce: &'a [u8; 32],
    /// The canonical bytes of the act to confirm; empty when there is none.
    pub act: &'a [u8],
}

/// A new passkey is asked for.
pub struct Registration<'a> {
    /// The user's WebAuthn handle: random, and nothing else's name.
    pub handle: Uuid,
    /// The user's name, shown by authenticators.
    pub user: &'a str,
    /// Where the passkey shall live.
    pub attachment: Attachment,
    /// Whether it must be one that is found without a user name. In a machine it always must.
    pub resident: bool,
    /// Credential ids of the passkeys that the user has.
    pub exclude: Vec<Vec<u8>>,
}

/// A proof by one of these passkeys is asked for.
pub struct StepUp<'a> {
    /// The passkeys, as the library keeps them.
    pub credentials: &'a [String],
    /// The kind that was asked for, when one was.
    pub attachment: Option<Attachment>,
}

/// The two halves of a question.
pub struct Question {
    /// For the browser: the inner object of WebAuthn's options, as JSON.
    pub options: String,
    /// For the row: what the answer is checked against.
    pub expectation: String,
}

/// The library and we do not understand each other: our fault, never the person's.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// The library refused what we asked of it.
    #[error("webauthn: {0}")]
    Library(#[from] WebauthnError),
    /// Its JSON is not what it was.
    #[error("webauthn's JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Its state is not shaped as it was.
    #[error("webauthn's state has no `{0}`")]
    Shape(&'static str),
}

impl RelyingParty {
    /// Asks for a new passkey.
    ///
    /// # Errors
    /// [`OptionsError`], our fault.
    pub fn ask_to_register(
        &self,
        asked: &Asked<'_>,
        registration: Registration<'_>,
    ) -> Result<Question, OptionsError> {
        let Registration { handle, user, attachment, resident, exclude } = registration;
        let resident = resident || attachment == Attachment::Platform;
        let (mut created, state) =
            self.webauthn.start_passkey_registration(handle, user, user, Some(exclude))?;
        let challenge = challenge(Purpose::Register, asked);
        let options = &mut created.public_key;
        options.challenge = challenge.to_vec();
        options.attestation = Some(AttestationConveyancePreference::Direct);
        options.hints = Some(vec![hint(attachment)]);
        options.authenticator_selection = Some(AuthenticatorSelectionCriteria {
            authenticator_attachment: Some(webauthn_attachment(attachment)),
            resident_key: Some(match resident {
                true => ResidentKeyRequirement::Required,
                // Keys have few places for resident ones, old keys none: `credProps.rk` tells which
                // it became, and only those that are can later be counted as doors.
                false => ResidentKeyRequirement::Preferred,
            }),
            require_resident_key: resident,
            user_verification: UserVerificationPolicy::Required,
        });
        let expectation = amend::<PasskeyRegistration>(&state, "rs", |inner| {
            replace(inner, "challenge", json!(BASE64URL_NOPAD.encode(&challenge)))?;
            replace(inner, "require_resident_key", json!(resident))?;
            replace(
                inner,
                "authenticator_attachment",
                serde_json::to_value(webauthn_attachment(attachment))?,
            )
        })?;
        Ok(Question { options: serde_json::to_string(&options)?, expectation })
    }

    /// Asks for a proof.
    ///
    /// # Errors
    /// [`OptionsError`], our fault.
    pub fn ask_to_step_up(
        &self,
        asked: &Asked<'_>,
        step_up: &StepUp<'_>,
    ) -> Result<Question, OptionsError> {
        let passkeys = step_up
            .credentials
            .iter()
            .map(|credential| serde_json::from_str::<Passkey>(credential))
            .collect::<Result<Vec<_>, _>>()?;
        let (mut requested, state) = self.webauthn.start_passkey_authentication(&passkeys)?;
        let challenge = challenge(Purpose::StepUp, asked);
        let options = &mut requested.public_key;
        options.challenge = challenge.to_vec();
        options.hints = step_up.attachment.map(|attachment| vec![hint(attachment)]);
        let expectation = amend::<PasskeyAuthentication>(&state, "ast", |inner| {
            replace(inner, "challenge", json!(BASE64URL_NOPAD.encode(&challenge)))?;
            // Backup eligibility is fixed at registration; the library would let it be raised.
            replace(inner, "allow_backup_eligible_upgrade", json!(false))
        })?;
        Ok(Question { options: serde_json::to_string(&options)?, expectation })
    }

    /// Asks for a proof by whichever passkey of ours the authenticator finds by itself: nobody is named
    /// to it, so that who asks learns nothing about anybody.
    ///
    /// # Errors
    /// [`OptionsError`], our fault.
    pub fn ask_to_recover(&self, asked: &Asked<'_>) -> Result<Question, OptionsError> {
        let (mut requested, state) = self.webauthn.start_discoverable_authentication()?;
        let challenge = challenge(Purpose::Recover, asked);
        let options = &mut requested.public_key;
        options.challenge = challenge.to_vec();
        let expectation = amend::<DiscoverableAuthentication>(&state, "ast", |inner| {
            replace(inner, "challenge", json!(BASE64URL_NOPAD.encode(&challenge)))?;
            replace(inner, "allow_backup_eligible_upgrade", json!(false))
        })?;
        Ok(Question { options: serde_json::to_string(&options)?, expectation })
    }
}

/// What the passkey signs: the hash of purpose, nonce and act. A proof for one act, or of another
/// purpose, therefore proves nothing here.
fn challenge(purpose: Purpose, asked: &Asked<'_>) -> [u8; 32] {
    sha256_of(&[purpose.domain(), asked.nonce, asked.act])
}

fn webauthn_attachment(attachment: Attachment) -> AuthenticatorAttachment {
    match attachment {
        Attachment::Platform => AuthenticatorAttachment::Platform,
        Attachment::Roaming => AuthenticatorAttachment::CrossPlatform,
    }
}

fn hint(attachment: Attachment) -> PublicKeyCredentialHints {
    match attachment {
        Attachment::Platform => PublicKeyCredentialHints::ClientDevice,
        Attachment::Roaming => PublicKeyCredentialHints::SecurityKey,
    }
}

/// Changes the inner object of a serialised state, and makes sure that the library still reads it.
fn amend<S: Serialize + DeserializeOwned>(
    state: &S,
    inner: &'static str,
    change: impl FnOnce(&mut Value) -> Result<(), OptionsError>,
) -> Result<String, OptionsError> {
    let mut value = serde_json::to_value(state)?;
    change(value.get_mut(inner).ok_or(OptionsError::Shape(inner))?)?;
    let text = value.to_string();
    serde_json::from_value::<S>(value)?;
    Ok(text)
}

/// Replaces a member that must be there.
fn replace(object: &mut Value, member: &'static str, with: Value) -> Result<(), OptionsError> {
    *object.get_mut(member).ok_or(OptionsError::Shape(member))? = with;
    Ok(())
}

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
