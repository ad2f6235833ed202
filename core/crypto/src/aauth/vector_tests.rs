//! The standards' own vectors, as far as agents use their algorithms.

use super::message::{Request, base, lines};
use super::{AgentKey, AgentKeyPair, AgentSignature, Profile};
use crate::secret::ct_eq;
use aws_lc_rs::digest::{SHA512, digest};
use aws_lc_rs::signature::Ed25519KeyPair;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::Value;

fn vector(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} in {value}"))
}

fn pairs(value: &Value) -> Vec<(&str, &str)> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
        .collect()
}

fn seed(value: &Value) -> AgentKeyPair {
    let seed = BASE64URL_NOPAD.decode(text(value, "seed").as_bytes()).unwrap();
    AgentKeyPair::Ed25519(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap())
}

#[test]
fn rfc_9421_appendix_b() {
    let vector = vector(include_str!("../../../../tests/vectors/rfc9421.json"));
    let (request, response) = (&vector["request"], &vector["response"]);

    let key = AgentKey::from_jwk(&request["jwk"], Profile::Compatible).unwrap();
    let pair = seed(request);
    assert_eq!(pair.public_key(), key);
    let message = &request["request"];
    let fields = pairs(&message["fields"]);
    let arrived = Request {
        method: text(message, "method"),
        authority: text(message, "authority"),
        path: text(message, "path"),
        query: Some(text(message, "query")),
        https: true,
        fields: &fields,
        body: text(message, "body").as_bytes(),
    };
    let names: Vec<_> = request["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let computed = base(&lines(&arrived, &names).unwrap(), text(request, "parameters"));
    assert_eq!(computed, text(request, "base"));
    let signature = BASE64.decode(text(request, "signature").as_bytes()).unwrap();
    assert_eq!(pair.sign(computed.as_bytes()).unwrap().bytes()[..], signature);

    let key = AgentKey::from_jwk(&response["jwk"], Profile::Compatible).unwrap();
    let lines: Vec<_> = pairs(&response["lines"])
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let computed = base(&lines, text(response, "parameters"));
    assert_eq!(computed, text(response, "base"));
    let signature = BASE64.decode(text(response, "signature").as_bytes()).unwrap();
    let signature = AgentSignature::from_raw(&signature).unwrap();
    assert!(key.verify(computed.as_bytes(), &signature).is_ok());
    let body = BASE64.encode(digest(&SHA512, text(response, "body").as_bytes()).as_ref());
    assert_eq!(lines[2].1, format!("sha-512=:{body}:"));
}

#[test]
fn rfc_8037_appendix_a() {
    let vector = vector(include_str!("../../../../tests/vectors/rfc8037.json"));
    let key = AgentKey::from_jwk(&vector["jwk"], Profile::Compatible).unwrap();
    assert_eq!(key.thumbprint().as_str(), text(&vector, "thumbprint"));
    let signed = text(&vector, "signed").as_bytes();
    let signature = seed(&vector).sign(signed).unwrap();
    let expected = BASE64URL_NOPAD.decode(text(&vector, "signature").as_bytes()).unwrap();
    assert!(ct_eq(signature.bytes(), &expected));
    assert!(key.verify(signed, &signature).is_ok());
}

/// The P-256 key of RFC 7517 appendix A.1.
#[test]
fn rfc_7638_of_p_256() {
    let vector = vector(include_str!("../../../../tests/vectors/thumbprint.json"));
    let jwk = serde_json::json!({
        "kty": "EC", "crv": "P-256", "x": vector["x"], "y": vector["y"], "use": "enc",
    });
    assert!(AgentKey::from_jwk(&jwk, Profile::Compatible).is_err(), "it is not for signing");
    let mut jwk = jwk;
    jwk.as_object_mut().unwrap().remove("use");
    let key = AgentKey::from_jwk(&jwk, Profile::Compatible).unwrap();
    assert_eq!(key.thumbprint().as_str(), text(&vector, "thumbprint"));
}
