//! A key's answer, as `PublicKeyCredential.toJSON()` writes it (WebAuthn Level 3, section 5.1).

use crate::fault::KeyFault;
use data_encoding::BASE64URL_NOPAD;
use serde_cbor_2::Value as Cbor;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use webauthn_rs_proto::{PublicKeyCredential, RegisterPublicKeyCredential};

/// Where the credential's id begins in authenticator data (WebAuthn Level 3, section 6.1): behind the
/// site's hash, flags, counter and the key's model; two bytes say how long it is.
const ID_LENGTH_AT: usize = 32 + 1 + 4 + 16;
/// The flag that says so.
const ATTESTED: u8 = 0x40;

/// A new passkey. `resident`: the key was asked to keep it, and did.
pub(crate) fn of_new(
    made: &RegisterPublicKeyCredential,
    resident: bool,
) -> Result<Value, KeyFault> {
    let object = attestation_object(made.response.attestation_object.as_ref())?;
    let id = BASE64URL_NOPAD.encode(&credential_id(&object.auth_data).ok_or(KeyFault::Gone)?);
    let told: Vec<String> =
        made.response.transports.iter().flatten().map(ToString::to_string).collect();
    let transports = if told.is_empty() { vec!["usb".to_owned()] } else { told };
    Ok(json!({
        "id": id,
        "rawId": id,
        "type": "public-key",
        "authenticatorAttachment": "cross-platform",
        "clientExtensionResults": { "credProps": { "rk": resident } },
        "response": {
            "attestationObject": BASE64URL_NOPAD.encode(&object.bytes),
            "clientDataJSON": BASE64URL_NOPAD.encode(made.response.client_data_json.as_ref()),
            "transports": transports,
        },
    }))
}

/// A proof.
pub(crate) fn of_proof(answer: &PublicKeyCredential, user_handle: Option<&[u8]>) -> Value {
    let id = BASE64URL_NOPAD.encode(answer.raw_id.as_ref());
    let response = &answer.response;
    json!({
        "id": id,
        "rawId": id,
        "type": "public-key",
        "authenticatorAttachment": "cross-platform",
        "clientExtensionResults": {},
        "response": {
            "authenticatorData": BASE64URL_NOPAD.encode(response.authenticator_data.as_ref()),
            "clientDataJSON": BASE64URL_NOPAD.encode(response.client_data_json.as_ref()),
            "signature": BASE64URL_NOPAD.encode(response.signature.as_ref()),
            "userHandle": user_handle.map(|handle| BASE64URL_NOPAD.encode(handle)),
        },
    })
}

struct Object {
    auth_data: Vec<u8>,
    bytes: Vec<u8>,
}

/// The library writes members down that a key does not have, as nothing; what the specification has in
/// an attestation object is three.
fn attestation_object(written: &[u8]) -> Result<Object, KeyFault> {
    let mut whole: BTreeMap<String, Cbor> =
        serde_cbor_2::from_slice(written).map_err(|_| KeyFault::Gone)?;
    whole.retain(|member, _| matches!(member.as_str(), "fmt" | "authData" | "attStmt"));
    let Some(Cbor::Bytes(auth_data)) = whole.get("authData").cloned() else {
        return Err(KeyFault::Gone);
    };
    let bytes = serde_cbor_2::to_vec(&whole).map_err(|_| KeyFault::Gone)?;
    Ok(Object { auth_data, bytes })
}

fn credential_id(auth_data: &[u8]) -> Option<Vec<u8>> {
    let attested = auth_data.get(32).is_some_and(|flags| flags & ATTESTED != 0);
    let length: [u8; 2] = auth_data.get(ID_LENGTH_AT..ID_LENGTH_AT + 2)?.try_into().ok()?;
    let from = ID_LENGTH_AT + 2;
    let id = auth_data.get(from..from + usize::from(u16::from_be_bytes(length)))?;
    attested.then(|| id.to_vec())
}
