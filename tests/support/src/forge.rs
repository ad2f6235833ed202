//! An authenticator that lies on request: everything it says can be set, and what it says is signed
//! properly. For proving that the server believes none of it.

use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::secret::sha256;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

/// User present.
pub const UP: u8 = 0x01;
/// User verified.
pub const UV: u8 = 0x04;
/// Eligible for backup.
pub const BE: u8 = 0x08;
/// Backed up.
pub const BS: u8 = 0x10;
/// Attested credential data follow.
const AT: u8 = 0x40;

/// A credential and what its authenticator and browser will say next. As made, all of it is true.
#[derive(Clone)]
pub struct Forge {
    /// Its private key.
    pub key: SigningKey,
    /// The credential's id.
    pub credential_id: Vec<u8>,
    /// What the browser says that the page's origin is.
    pub origin: String,
    /// The relying party that the authenticator signs for.
    pub rp_id: String,
    /// Flags, without the one for attested data.
    pub flags: u8,
    /// The counter that it reports.
    pub counter: u32,
    /// `type` of the client data, when it is not the right one.
    pub client_data_type: Option<&'static str>,
    /// Another challenge than the one asked, base64url.
    pub challenge: Option<String>,
    /// More members of the client data.
    pub client_data_more: Value,
    /// Which attachment the browser tells, if any.
    pub attachment: Option<&'static str>,
    /// The user handle that an assertion carries.
    pub user_handle: Option<Vec<u8>>,
    /// Whether the signature is spoilt.
    pub spoil_signature: bool,
}

impl Forge {
    /// An honest authenticator for a page; `seed` decides its key.
    #[allow(
        clippy::expect_used,
        reason = "one repeated small byte is always a scalar of the curve"
    )]
    pub fn honest(origin: &str, rp_id: &str, seed: u8) -> Self {
        let key = SigningKey::from_slice(&[seed.max(1); 32]).expect("a small number is a key");
        Self {
            key,
            credential_id: vec![seed; 32],
            origin: origin.to_owned(),
            rp_id: rp_id.to_owned(),
            flags: UP | UV,
            counter: 0,
            client_data_type: None,
            challenge: None,
            client_data_more: json!({ "crossOrigin": false }),
            attachment: None,
            user_handle: None,
            spoil_signature: false,
        }
    }

    /// Answers a creation; without attestation.
    pub fn create(&self, options: &Value) -> Value {
        let client_data = self.client_data("webauthn.create", options);
        let mut auth_data = self.auth_data(self.flags | AT);
        auth_data.extend_from_slice(&[0; 16]);
        auth_data.extend_from_slice(&(self.credential_id.len() as u16).to_be_bytes());
        auth_data.extend_from_slice(&self.credential_id);
        auth_data.extend_from_slice(&self.cose_key());
        // {"fmt": "none", "attStmt": {}, "authData": h'..'} in CBOR (RFC 8949).
        let mut object = b"\xA3\x63fmt\x64none\x67attStmt\xA0\x68authData\x59".to_vec();
        object.extend_from_slice(&(auth_data.len() as u16).to_be_bytes());
        object.extend_from_slice(&auth_data);
        self.credential(json!({
            "clientDataJSON": BASE64URL_NOPAD.encode(client_data.as_bytes()),
            "attestationObject": BASE64URL_NOPAD.encode(&object),
            "transports": ["usb"],
        }))
    }

    /// Answers a request.
    pub fn get(&self, options: &Value) -> Value {
        let client_data = self.client_data("webauthn.get", options);
        let auth_data = self.auth_data(self.flags);
        let mut signed = auth_data.clone();
        signed.extend_from_slice(&sha256(client_data.as_bytes()));
        if self.spoil_signature {
            signed.push(0);
        }
        let signature: Signature = self.key.sign(&signed);
        self.credential(json!({
            "clientDataJSON": BASE64URL_NOPAD.encode(client_data.as_bytes()),
            "authenticatorData": BASE64URL_NOPAD.encode(&auth_data),
            "signature": BASE64URL_NOPAD.encode(signature.to_der().as_bytes()),
            "userHandle": self.user_handle.as_deref().map(|handle| BASE64URL_NOPAD.encode(handle)),
        }))
    }

    fn credential(&self, response: Value) -> Value {
        let id = BASE64URL_NOPAD.encode(&self.credential_id);
        let mut credential = json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        });
        if let Some(attachment) = self.attachment {
            credential["authenticatorAttachment"] = attachment.into();
        }
        credential
    }

    fn client_data(&self, right_type: &str, options: &Value) -> String {
        let mut data = json!({
            "type": self.client_data_type.unwrap_or(right_type),
            "challenge": self.challenge.clone().map_or(options["challenge"].clone(), Value::from),
            "origin": self.origin,
        });
        if let (Some(data), Some(more)) = (data.as_object_mut(), self.client_data_more.as_object())
        {
            data.extend(more.clone());
        }
        data.to_string()
    }

    fn auth_data(&self, flags: u8) -> Vec<u8> {
        let mut data = sha256(self.rp_id.as_bytes()).to_vec();
        data.push(flags);
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }

    /// {1: 2, 3: -7, -1: 1, -2: x, -3: y}: an ES256 key (RFC 9053 section 7.1).
    fn cose_key(&self) -> Vec<u8> {
        let point = self.key.verifying_key().to_sec1_point(false);
        let mut key = b"\xA5\x01\x02\x03\x26\x20\x01\x21\x58\x20".to_vec();
        key.extend_from_slice(&point.as_bytes()[1..33]);
        key.extend_from_slice(b"\x22\x58\x20");
        key.extend_from_slice(&point.as_bytes()[33..65]);
        key
    }
}
