//! Passkeys in software: a roaming key with attestation and a counter, a roaming key with room for
//! resident ones, and a platform authenticator. Both say that their user was verified. Kept in a file when several processes
//! must hold the same key.

use anyhow::{Context, anyhow, bail};
use data_encoding::BASE64;
use der::Encode;
use passkey::authenticator::{
    Authenticator, CredentialStore, DiscoverabilitySupport, StoreInfo, UiHint, UserCheck,
    UserValidationMethod,
};
use passkey::client::{Client, DefaultClientData};
use passkey::crypto::coset::{CborSerializable, CoseKey};
use passkey::crypto::rust_crypto::RustCryptoBackend;
use passkey::types::ctap2::make_credential::{
    Options, PublicKeyCredentialRpEntity, PublicKeyCredentialUserEntity,
};
use passkey::types::ctap2::{Aaguid, Ctap2Error, StatusCode};
use passkey::types::webauthn::PublicKeyCredentialDescriptor;
use passkey::types::{CredentialExtensions, Passkey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use url::Url;
use webauthn_authenticator_rs::WebauthnAuthenticator;
pub use webauthn_authenticator_rs::softtoken::AAGUID as ROAMING_MODEL;
use webauthn_authenticator_rs::softtoken::SoftToken;
use webauthn_rs_proto::{CreationChallengeResponse, RequestChallengeResponse};

/// The authenticators that a soft browser can reach.
pub struct SoftKeys {
    held: Held,
    file: Option<PathBuf>,
}

struct Held {
    roaming: SoftToken,
    /// A key that is carried and has room: the other has none.
    roomy: PlatformStore,
    platform: PlatformStore,
}

#[derive(Serialize, Deserialize)]
struct Written {
    roaming: String,
    #[serde(default)]
    roomy: Vec<WrittenPasskey>,
    platform: Vec<WrittenPasskey>,
}

#[derive(Serialize, Deserialize)]
struct WrittenPasskey {
    key: String,
    credential_id: String,
    rp_id: String,
    user_handle: Option<String>,
    counter: Option<u32>,
}

impl SoftKeys {
    /// New authenticators that end with this process.
    ///
    /// # Errors
    /// When the roaming key cannot be made.
    pub fn in_memory() -> anyhow::Result<Self> {
        Ok(Self { held: Held::new()?, file: None })
    }

    /// As [`Self::in_memory`], with the root certificate, PEM, that vouches for the roaming key.
    ///
    /// # Errors
    /// When the roaming key cannot be made.
    pub fn vouched_for() -> anyhow::Result<(Self, String)> {
        let (roaming, root) = SoftToken::new(true).map_err(|error| anyhow!("{error:?}"))?;
        let root = pem::encode(&pem::Pem::new("CERTIFICATE", root.to_der()?));
        let held = Held { roaming, ..Held::new()? };
        Ok((Self { held, file: None }, root))
    }

    /// Authenticators kept in `file`, made at the first use. Other processes may use them meanwhile:
    /// each touch locks the file, so that counters only rise.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn kept_in(file: &Path) -> anyhow::Result<Self> {
        Ok(Self { held: Held::new()?, file: Some(file.to_owned()) })
    }

    /// `navigator.credentials.create`: `options` is the inner object of the creation options. Answers
    /// as `PublicKeyCredential.toJSON()` does.
    ///
    /// # Errors
    /// When no authenticator does as asked.
    pub async fn create(&mut self, origin: &Url, options: &Value) -> anyhow::Result<Value> {
        let lock = self.load()?;
        let attachment = &options["authenticatorSelection"]["authenticatorAttachment"];
        let resident = options["authenticatorSelection"]["residentKey"] == "required";
        let Held { roomy, platform, .. } = &mut self.held;
        let answer = match attachment.as_str() {
            Some(kind @ "cross-platform") if resident => create(roomy, origin, options, kind).await,
            Some("cross-platform") => self.held.create_roaming(origin, options),
            Some(kind @ "platform") => create(platform, origin, options, kind).await,
            _ => bail!("the options ask for no kind of authenticator"),
        }?;
        self.save(lock)?;
        Ok(answer)
    }

    /// `navigator.credentials.get`: the first authenticator that holds an allowed credential answers.
    ///
    /// # Errors
    /// When none does.
    pub async fn get(&mut self, origin: &Url, options: &Value) -> anyhow::Result<Value> {
        let lock = self.load()?;
        let answer = match self.held.get_roaming(origin, options) {
            Ok(answer) => answer,
            Err(_) => {
                let Held { roomy, platform, .. } = &mut self.held;
                match get(roomy, origin, options, "cross-platform").await {
                    Ok(answer) => answer,
                    Err(_) => get(platform, origin, options, "platform").await?,
                }
            }
        };
        self.save(lock)?;
        Ok(answer)
    }

    /// A copy, as somebody would have who read the key out: both count on from here by themselves.
    ///
    /// # Errors
    /// When the state cannot be copied.
    pub fn cloned(&self) -> anyhow::Result<Self> {
        Ok(Self { held: Held::read(&self.held.write()?)?, file: None })
    }

    fn load(&mut self) -> anyhow::Result<Option<File>> {
        let Some(path) = &self.file else { return Ok(None) };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .with_context(|| format!("open {}", path.display()))?;
        file.lock()?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        if !text.is_empty() {
            self.held = Held::read(&serde_json::from_str(&text)?)?;
        }
        Ok(Some(file))
    }

    fn save(&self, file: Option<File>) -> anyhow::Result<()> {
        let Some(mut file) = file else { return Ok(()) };
        let text = serde_json::to_string(&self.held.write()?)?;
        file.seek(SeekFrom::Start(0))?;
        file.set_len(0)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(())
    }
}

/// The platform's client for one touch. (A macro: its type names a crate that we do not.)
macro_rules! client {
    ($store:expr) => {
        Client::new(Authenticator::new(
            Aaguid::new_empty(),
            &mut $store,
            Verified,
            RustCryptoBackend,
        ))
        .allows_insecure_localhost(true)
    };
}

impl Held {
    fn new() -> anyhow::Result<Self> {
        let (roaming, _root) = SoftToken::new(true).map_err(|error| anyhow!("{error:?}"))?;
        Ok(Self { roaming, roomy: PlatformStore::default(), platform: PlatformStore::default() })
    }

    fn create_roaming(&mut self, origin: &Url, options: &Value) -> anyhow::Result<Value> {
        let options: CreationChallengeResponse =
            serde_json::from_value(json!({ "publicKey": options }))?;
        let made = self
            .roaming
            .do_registration(origin.clone(), options)
            .map_err(|error| anyhow!("the roaming key refused: {error:?}"))?;
        as_browsers_write(serde_json::to_value(made)?, "cross-platform")
    }

    fn get_roaming(&mut self, origin: &Url, options: &Value) -> anyhow::Result<Value> {
        let options: RequestChallengeResponse =
            serde_json::from_value(json!({ "publicKey": options }))?;
        let answer = self
            .roaming
            .do_authentication(origin.clone(), options)
            .map_err(|error| anyhow!("the roaming key refused: {error:?}"))?;
        as_browsers_write(serde_json::to_value(answer)?, "cross-platform")
    }

    fn write(&self) -> anyhow::Result<Written> {
        let roaming = self.roaming.to_cbor().map_err(|error| anyhow!("{error:?}"))?;
        Ok(Written {
            roaming: BASE64.encode(&roaming),
            roomy: self.roomy.write()?,
            platform: self.platform.write()?,
        })
    }

    fn read(written: &Written) -> anyhow::Result<Self> {
        let roaming = SoftToken::from_cbor(&BASE64.decode(written.roaming.as_bytes())?)
            .map_err(|error| anyhow!("{error:?}"))?;
        let roomy = PlatformStore::read(&written.roomy)?;
        Ok(Self { roaming, roomy, platform: PlatformStore::read(&written.platform)? })
    }
}

async fn create(
    store: &mut PlatformStore,
    origin: &Url,
    options: &Value,
    attachment: &str,
) -> anyhow::Result<Value> {
    let options = serde_json::from_value(json!({ "publicKey": options }))?;
    let made = client!(*store)
        .register(origin, options, DefaultClientData)
        .await
        .map_err(|error| anyhow!("the authenticator refused: {error:?}"))?;
    as_browsers_write(serde_json::to_value(made)?, attachment)
}

async fn get(
    store: &mut PlatformStore,
    origin: &Url,
    options: &Value,
    attachment: &str,
) -> anyhow::Result<Value> {
    let options = serde_json::from_value(json!({ "publicKey": options }))?;
    let answer = client!(*store)
        .authenticate(origin, options, DefaultClientData)
        .await
        .map_err(|error| anyhow!("no authenticator holds the passkey: {error:?}"))?;
    as_browsers_write(serde_json::to_value(answer)?, attachment)
}

impl PlatformStore {
    fn write(&self) -> anyhow::Result<Vec<WrittenPasskey>> {
        let write = |passkey: &Passkey| {
            let key = passkey.key.clone().to_vec().map_err(|error| anyhow!("{error}"))?;
            Ok(WrittenPasskey {
                key: BASE64.encode(&key),
                credential_id: BASE64.encode(&passkey.credential_id),
                rp_id: passkey.rp_id.clone(),
                user_handle: passkey.user_handle.as_ref().map(|handle| BASE64.encode(handle)),
                counter: passkey.counter,
            })
        };
        self.0.iter().map(write).collect()
    }

    fn read(written: &[WrittenPasskey]) -> anyhow::Result<Self> {
        let bytes = |text: &str| BASE64.decode(text.as_bytes());
        let read = |passkey: &WrittenPasskey| {
            Ok(Passkey {
                key: CoseKey::from_slice(&bytes(&passkey.key)?)
                    .map_err(|error| anyhow!("{error}"))?,
                credential_id: bytes(&passkey.credential_id)?.into(),
                rp_id: passkey.rp_id.clone(),
                user_handle: match &passkey.user_handle {
                    Some(handle) => Some(bytes(handle)?.into()),
                    None => None,
                },
                username: None,
                user_display_name: None,
                counter: passkey.counter,
                extensions: CredentialExtensions::default(),
            })
        };
        Ok(Self(written.iter().map(read).collect::<anyhow::Result<_>>()?))
    }
}

/// The names that browsers use, and the attachment that they tell.
fn as_browsers_write(mut answer: Value, attachment: &str) -> anyhow::Result<Value> {
    let object = answer.as_object_mut().context("an answer is an object")?;
    if let Some(extensions) = object.remove("extensions") {
        object.insert("clientExtensionResults".into(), extensions);
    }
    object.insert("authenticatorAttachment".into(), attachment.into());
    Ok(answer)
}

/// The platform's credentials.
#[derive(Default)]
struct PlatformStore(Vec<Passkey>);

#[async_trait::async_trait]
impl CredentialStore for &mut PlatformStore {
    type PasskeyItem = Passkey;

    async fn find_credentials(
        &self,
        ids: Option<&[PublicKeyCredentialDescriptor]>,
        rp_id: &str,
        _user_handle: Option<&[u8]>,
    ) -> Result<Vec<Passkey>, StatusCode> {
        let allowed = |passkey: &&Passkey| {
            passkey.rp_id == rp_id
                && ids
                    .filter(|ids| !ids.is_empty())
                    .is_none_or(|ids| ids.iter().any(|id| id.id == passkey.credential_id))
        };
        let found: Vec<Passkey> = self.0.iter().filter(allowed).cloned().collect();
        if found.is_empty() { Err(Ctap2Error::NoCredentials.into()) } else { Ok(found) }
    }

    async fn save_credential(
        &mut self,
        cred: Passkey,
        _user: PublicKeyCredentialUserEntity,
        _rp: PublicKeyCredentialRpEntity,
        _options: Options,
    ) -> Result<(), StatusCode> {
        self.0.push(cred);
        Ok(())
    }

    async fn update_credential(&mut self, cred: &Passkey) -> Result<(), StatusCode> {
        self.0.retain(|kept| kept.credential_id != cred.credential_id);
        self.0.push(cred.clone());
        Ok(())
    }

    async fn get_info(&self) -> StoreInfo {
        StoreInfo { discoverability: DiscoverabilitySupport::Full }
    }
}

/// A user who is there and is who they are.
struct Verified;

#[async_trait::async_trait]
impl UserValidationMethod for Verified {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        hint: UiHint<'a, Passkey>,
        presence: bool,
        verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        match hint {
            UiHint::InformExcludedCredentialFound(_) => Err(Ctap2Error::CredentialExcluded),
            _ => Ok(UserCheck { presence, verification }),
        }
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn creation(attachment: &str) -> Value {
        json!({
            "rp": { "id": "localhost", "name": "Landfall" },
            "user": { "id": "AAAA", "name": "bert", "displayName": "bert" },
            "challenge": "AAAA",
            "pubKeyCredParams": [{ "type": "public-key", "alg": -7 }],
            "authenticatorSelection": {
                "authenticatorAttachment": attachment,
                "residentKey": "preferred",
                "requireResidentKey": false,
                "userVerification": "required",
            },
        })
    }

    fn request(created: &Value) -> Value {
        json!({
            "challenge": "AAAA",
            "rpId": "localhost",
            "allowCredentials": [{ "type": "public-key", "id": created["rawId"] }],
            "userVerification": "required",
        })
    }

    fn counter(answer: &Value) -> u32 {
        let data = answer["response"]["authenticatorData"].as_str().unwrap();
        let data = data_encoding::BASE64URL_NOPAD.decode(data.as_bytes()).unwrap();
        u32::from_be_bytes(data[33..37].try_into().unwrap())
    }

    #[tokio::test]
    async fn processes_share_the_keys_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        let origin = Url::parse("http://localhost:8421").unwrap();
        for attachment in ["cross-platform", "platform"] {
            let mut one = SoftKeys::kept_in(&file).unwrap();
            let created = one.create(&origin, &creation(attachment)).await.unwrap();
            assert_eq!(created["authenticatorAttachment"], attachment);
            let mut two = SoftKeys::kept_in(&file).unwrap();
            let first = two.get(&origin, &request(&created)).await.unwrap();
            let second = one.get(&origin, &request(&created)).await.unwrap();
            assert_eq!(first["authenticatorAttachment"], attachment);
            if attachment == "cross-platform" {
                assert!(counter(&second) > counter(&first), "the file carries the counter");
            }
            let stranger = SoftKeys::in_memory().unwrap().get(&origin, &request(&created)).await;
            assert!(stranger.is_err());
        }
    }
}
