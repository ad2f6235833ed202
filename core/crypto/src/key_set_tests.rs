use super::*;
use crate::key::{KeyPair, Signer};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair as RsaPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use jsonwebtoken::EncodingKey;
use serde_json::json;

fn signed(algorithm: Algorithm, key: &EncodingKey, kid: &str) -> String {
    let mut header = Header::new(algorithm);
    header.kid = Some(kid.to_owned());
    jsonwebtoken::encode(&header, &json!({ "iss": "i", "sub": "s" }), key).unwrap()
}

fn verify(set: &Value, token: &str) -> Result<Map<String, Value>, TokenFault> {
    let keys = KeySet::of_platform(set.to_string().as_bytes()).unwrap();
    keys.verify(&UnreadToken::new(token)?)
}

fn ec() -> (EncodingKey, Value) {
    let pair = KeyPair::generate().unwrap();
    let key = EncodingKey::from_ec_der(pair.to_pkcs8().unwrap().expose());
    let mut jwk = serde_json::to_value(pair.public_key().jwk()).unwrap();
    jwk["kid"] = json!("ec");
    (key, jwk)
}

fn rsa(size: KeySize) -> (EncodingKey, Value) {
    let pair = RsaPair::generate(size).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let public = pair.public_key();
    let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    let modulus = text(public.modulus().big_endian_without_leading_zero());
    let exponent = text(public.exponent().big_endian_without_leading_zero());
    let jwk = json!({ "kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256",
        "n": modulus, "e": exponent });
    // The library takes the inner RSAPrivateKey from PKCS#8 in PEM.
    let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref()));
    (EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(), jwk)
}

fn ed() -> (EncodingKey, Value) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed",
        "x": BASE64URL_NOPAD.encode(pair.public_key().as_ref()) });
    (EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref()), jwk)
}

#[test]
fn rs256_es256_and_eddsa_are_read() {
    let (rsa_key, rsa_jwk) = rsa(KeySize::Rsa2048);
    let (ec_key, ec_jwk) = ec();
    let (ed_key, ed_jwk) = ed();
    let set = json!({ "keys": [rsa_jwk, ec_jwk, ed_jwk, { "kty": "novel", "kid": "x" }, 7] });
    for (algorithm, key, kid) in [
        (Algorithm::RS256, &rsa_key, "rsa"),
        (Algorithm::ES256, &ec_key, "ec"),
        (Algorithm::EdDSA, &ed_key, "ed"),
    ] {
        let claims = verify(&set, &signed(algorithm, key, kid)).unwrap();
        assert_eq!(claims["sub"], "s", "{kid}");
    }
    // This key is for RS256 alone.
    let other = signed(Algorithm::RS512, &rsa_key, "rsa");
    assert_eq!(verify(&set, &other), Err(TokenFault::Algorithm));
}

#[test]
fn nothing_is_signed_by_nobody_or_by_a_public_key() {
    let (rsa_key, rsa_jwk) = rsa(KeySize::Rsa2048);
    let set = json!({ "keys": [rsa_jwk] });
    let modulus = BASE64URL_NOPAD.decode(set["keys"][0]["n"].as_str().unwrap().as_bytes()).unwrap();
    let with_public_key = signed(Algorithm::HS256, &EncodingKey::from_secret(&modulus), "rsa");
    assert_eq!(verify(&set, &with_public_key), Err(TokenFault::Algorithm));

    let part = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    for none in ["none", "None", "NONE"] {
        let header = part(json!({ "alg": none, "kid": "rsa" }));
        let token = format!("{header}.{}.", part(json!({ "iss": "i" })));
        assert_eq!(verify(&set, &token), Err(TokenFault::Malformed), "{none}");
    }
    // A symmetric key in the set is no key, whatever signed with it.
    let symmetric = json!({ "keys": [{ "kty": "oct", "kid": "rsa", "k": "c2VjcmV0" }] });
    let token = signed(Algorithm::HS256, &EncodingKey::from_secret(b"secret"), "rsa");
    assert_eq!(verify(&symmetric, &token), Err(TokenFault::UnknownKey));
    // The signature of one token does not go with another's words.
    let token = signed(Algorithm::RS256, &rsa_key, "rsa");
    let parts: Vec<&str> = token.split('.').collect();
    let changed = format!("{}.{}.{}", parts[0], part(json!({ "iss": "i", "sub": "t" })), parts[2]);
    assert_eq!(verify(&set, &changed), Err(TokenFault::Signature));
}

#[test]
fn what_a_token_brings_along_counts_for_nothing() {
    let (key, jwk) = ec();
    let (thief, thiefs) = ec();
    let set = json!({ "keys": [jwk] });
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("ec".to_owned());
    header.jwk = Some(serde_json::from_value(thiefs).unwrap());
    let own_key = jsonwebtoken::encode(&header, &json!({ "iss": "i" }), &thief).unwrap();
    assert_eq!(verify(&set, &own_key), Err(TokenFault::Signature));

    header.jwk = None;
    header.crit = Some(vec!["exp".to_owned()]);
    let critical = jsonwebtoken::encode(&header, &json!({ "iss": "i" }), &key).unwrap();
    assert_eq!(verify(&set, &critical), Err(TokenFault::Malformed));

    let nameless = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &json!({}), &key).unwrap();
    assert_eq!(verify(&set, &nameless), Err(TokenFault::Malformed));
    assert_eq!(verify(&set, &signed(Algorithm::ES256, &key, "other")), Err(TokenFault::UnknownKey));
    let long = format!("{}{}", signed(Algorithm::ES256, &key, "ec"), "A".repeat(TOKEN_MAX));
    assert_eq!(verify(&set, &long), Err(TokenFault::Malformed));
}

#[test]
fn keys_for_other_uses_are_left_out() {
    let (key, mut jwk) = ec();
    let token = signed(Algorithm::ES256, &key, "ec");
    for (purpose, fits) in [("sig", true), ("enc", false), ("jwt-svid", false)] {
        jwk["use"] = json!(purpose);
        let set = json!({ "keys": [jwk] });
        assert_eq!(verify(&set, &token).is_ok(), fits, "{purpose}");
        let bundle = KeySet::of_bundle(set.to_string().as_bytes()).unwrap();
        assert_eq!(bundle.knows("ec"), purpose == "jwt-svid");
    }
    for broken in ["", "[]", "{}", r#"{"keys":{}}"#] {
        assert!(KeySet::of_platform(broken.as_bytes()).is_err(), "{broken}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_is_taken_for_a_token_or_a_key_set_by_accident(
        text in ".{0,200}",
        parts in proptest::collection::vec("[A-Za-z0-9_-]{0,40}", 1..5),
        document in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
    ) {
        proptest::prop_assert!(UnreadToken::new(&text).is_err());
        // Three parts that are base64 and no JSON, or some other number of them.
        proptest::prop_assert!(UnreadToken::new(&parts.join(".")).is_err());
        proptest::prop_assert!(KeySet::of_platform(&document).is_err());
    }

    #[test]
    fn a_token_that_was_changed_anywhere_is_none(place in 0_usize..10_000, other in "[A-Za-z0-9_-]") {
        let (key, jwk) = shared();
        let set = json!({ "keys": [jwk] });
        let good = signed(Algorithm::ES256, key, "ec");
        let place = place % good.len();
        let mut changed = good.clone();
        changed.replace_range(place..=place, &other);
        // Another letter may be another spelling of the same bits at the end of a part.
        let same = changed == good;
        let read = verify(&set, &changed);
        proptest::prop_assert!(same || read.is_err(), "{changed}");
    }
}

/// One key for many cases.
fn shared() -> &'static (EncodingKey, Value) {
    static KEY: std::sync::OnceLock<(EncodingKey, Value)> = std::sync::OnceLock::new();
    KEY.get_or_init(ec)
}
