//! A recovery under way, as it is kept on disk.

use crate::failure::Failure;
use crate::recovery_codes::told_of;
use landfall_crypto::recovery_code::RecoveryCode;
use landfall_crypto::secret::SecretText;
use landfall_crypto::token::Trust;
use landfall_flows::RecoverFlow;
use landfall_identity::recovery::CodeName;
use serde::{Deserialize, Serialize};
use url::Url;

/// A recovery that is under way. Its file holds the `auth` half of a code that is burnt at the end, a
/// mailed code until the server has seen it, and the code that takes a burnt one's place, until the
/// person has seen it.
#[derive(Clone, Serialize, Deserialize)]
pub struct PendingRecovery {
    /// The flow.
    pub flow: RecoverFlow,
    /// The server.
    pub server: Url,
    /// How to know that it is that server.
    pub trust: Trust,
    /// The code that the person gave.
    pub(crate) code: Option<ShownCode>,
    /// The code from the mail, as the person typed it.
    #[serde(default, with = "optional_text")]
    pub(crate) mailed: Option<SecretText>,
    /// The code that takes its place.
    #[serde(with = "optional_text")]
    pub(crate) successor: Option<SecretText>,
}

/// What is shown of a code: its name, and the half that authorises.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ShownCode {
    pub(crate) name: CodeName,
    #[serde(with = "super::profile::secret_text")]
    pub(crate) auth: SecretText,
}

impl ShownCode {
    pub(crate) fn of(code: &RecoveryCode) -> Result<Self, Failure> {
        Ok(Self { name: told_of(code)?.name, auth: code.auth().to_text() })
    }
}

mod optional_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(
        text: &Option<Zeroizing<String>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        text.as_ref().map(|text| text.as_str()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Zeroizing<String>>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Zeroizing::new))
    }
}
