//! What a ceremony asks of a key, read from what the server would have a browser ask.

use crate::fault::KeyFault;
use landfall_protocol::ceremony::{CeremonyOptions, CeremonyPurpose};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;
use webauthn_rs_proto::{
    CreationChallengeResponse, RequestChallengeResponse, ResidentKeyRequirement,
};

/// A question, with the site that it is asked for.
#[derive(Clone)]
pub struct Question {
    pub(crate) origin: Url,
    /// The user's name at this site: one key may hold passkeys of several.
    pub(crate) user: String,
    pub(crate) asked: Asked,
}

/// What is asked for (WebAuthn Level 3, sections 5.4 and 5.5).
#[derive(Clone)]
pub(crate) enum Asked {
    /// A new passkey.
    Create {
        /// The options.
        options: Box<CreationChallengeResponse>,
        /// Whether the key is to keep it, so that it is found without a name.
        resident: bool,
    },
    /// A proof by one that exists.
    Get(Box<RequestChallengeResponse>),
}

impl Question {
    /// Reads the options of a page at `origin`.
    ///
    /// # Errors
    /// [`KeyFault::Unreadable`] when they are not WebAuthn's.
    pub fn read(origin: &Url, options: &CeremonyOptions) -> Result<Self, KeyFault> {
        let asked = match options.purpose {
            CeremonyPurpose::Register => {
                let options: Box<CreationChallengeResponse> = parse(&options.public_key)?;
                let selection = options.public_key.authenticator_selection.as_ref();
                let resident = selection.is_some_and(|selection| {
                    selection.require_resident_key
                        || selection.resident_key == Some(ResidentKeyRequirement::Required)
                });
                Asked::Create { options, resident }
            }
            CeremonyPurpose::StepUp | CeremonyPurpose::Recover => {
                Asked::Get(parse(&options.public_key)?)
            }
        };
        Ok(Self { origin: origin.clone(), user: options.user.to_string(), asked })
    }

    /// The site, as the key knows it.
    pub(crate) fn rp_id(&self) -> &str {
        match &self.asked {
            Asked::Create { options, .. } => &options.public_key.rp.id,
            Asked::Get(options) => &options.public_key.rp_id,
        }
    }
}

/// The library's types have the `publicKey` around them that pages take off.
fn parse<T: DeserializeOwned>(public_key: &Value) -> Result<Box<T>, KeyFault> {
    serde_json::from_value(json!({ "publicKey": public_key })).map(Box::new).map_err(|error| {
        tracing::debug!(%error, "options that are not WebAuthn's");
        KeyFault::Unreadable
    })
}
