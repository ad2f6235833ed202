use super::super::tests::pair;
use super::*;
use serde_json::json;

const PROFILES: [Profile; 2] = [Profile::Compatible, Profile::Strict];

#[test]
fn keys_survive_jwk_and_pkcs8_and_sign_what_only_they_sign() {
    for algorithm in Algorithm::ALL {
        let key = pair(algorithm);
        let public = key.public_key();
        let again = AgentKeyPair::from_pkcs8(key.to_pkcs8().unwrap().expose()).unwrap();
        assert_eq!((again.public_key(), again.algorithm()), (public, algorithm));
        for profile in PROFILES {
            let jwk = serde_json::to_vec(&public.jwk()).unwrap();
            assert_eq!(AgentKey::from_jwk_text(&jwk, profile), Ok(public));
            let entry = serde_json::to_value(public.jwks_entry("k1")).unwrap();
            assert_eq!((&entry["kid"], &entry["use"]), (&json!("k1"), &json!("sig")));
            assert_eq!(AgentKey::from_jwk(&entry, profile), Ok(public));
        }
        let signature = again.sign(b"message").unwrap();
        assert_eq!(public.verify(b"message", &signature), Ok(()));
        assert_eq!(public.verify(b"massage", &signature), Err(BadSignature));
        assert_eq!(pair(algorithm).public_key().verify(b"message", &signature), Err(BadSignature));
    }
    assert!(AgentKeyPair::from_pkcs8(b"nothing").is_err());
}

#[test]
fn alg_may_be_missing_or_say_the_family_where_older_clients_are_taken() {
    let key = pair(Algorithm::Ed25519).public_key();
    let mut jwk = serde_json::to_value(key.jwk()).unwrap();
    jwk["alg"] = json!("EdDSA");
    assert_eq!(AgentKey::from_jwk(&jwk, Profile::Compatible), Ok(key));
    assert_eq!(AgentKey::from_jwk(&jwk, Profile::Strict), Err(JwkError::Algorithm));
    jwk.as_object_mut().unwrap().remove("alg");
    assert_eq!(AgentKey::from_jwk(&jwk, Profile::Compatible), Ok(key));
    assert_eq!(AgentKey::from_jwk(&jwk, Profile::Strict), Err(JwkError::Algorithm));
}

#[test]
fn what_is_no_usable_public_key_is_refused_in_both_profiles() {
    let (ed, ec) = (pair(Algorithm::Ed25519).public_key(), pair(Algorithm::Es256).public_key());
    let with = |key: &AgentKey, name: &str, value: Value| {
        let mut jwk = serde_json::to_value(key.jwk()).unwrap();
        jwk[name] = value;
        jwk
    };
    let short = BASE64URL_NOPAD.encode(&[7; 31]);
    let (zeros, y) = (BASE64URL_NOPAD.encode(&[0; 32]), BASE64URL_NOPAD.encode(&[2; 32]));
    let one = [&[1][..], &[0; 31]].concat();
    let cases = [
        (with(&ed, "d", json!("AA")), JwkError::Private),
        (with(&ec, "d", json!(null)), JwkError::Private),
        (with(&ec, "k", json!("AA")), JwkError::Private),
        (with(&ed, "alg", json!("ES256")), JwkError::Algorithm),
        (with(&ec, "alg", json!("Ed25519")), JwkError::Algorithm),
        (with(&ec, "alg", json!("EdDSA")), JwkError::Algorithm),
        (with(&ec, "alg", json!("none")), JwkError::Algorithm),
        (with(&ed, "alg", json!(7)), JwkError::Malformed),
        (with(&ed, "crv", json!("P-256")), JwkError::Algorithm),
        (with(&ec, "crv", json!("Ed25519")), JwkError::Algorithm),
        (with(&ec, "crv", json!("P-384")), JwkError::Unsupported),
        (with(&ed, "crv", json!("X25519")), JwkError::Unsupported),
        (with(&ed, "use", json!("enc")), JwkError::Unsupported),
        (with(&ed, "x", json!(short)), JwkError::Point),
        (with(&ed, "x", json!("AA==")), JwkError::Point),
        (with(&ec, "x", json!(short)), JwkError::Point),
        (with(&ec, "y", json!(zeros)), JwkError::Point),
        // No y belongs to this x; the neutral point; y = 0, of order four.
        (with(&ed, "x", json!(y)), JwkError::Point),
        (with(&ed, "x", json!(BASE64URL_NOPAD.encode(&one))), JwkError::Point),
        (with(&ed, "x", json!(zeros)), JwkError::Point),
        (json!({"kty": "RSA", "n": "AA", "e": "AQAB"}), JwkError::Unsupported),
        (json!({"kty": "OKP"}), JwkError::Malformed),
        (json!({}), JwkError::Malformed),
        (json!("key"), JwkError::Malformed),
    ];
    for (jwk, error) in cases {
        for profile in PROFILES {
            assert_eq!(AgentKey::from_jwk(&jwk, profile), Err(error), "{jwk}");
        }
    }
    let long = vec![b' '; JWK_MAX + 1];
    assert_eq!(AgentKey::from_jwk_text(&long, Profile::Compatible), Err(JwkError::Malformed));
}

#[test]
fn an_ed25519_key_has_one_spelling() {
    // y = p + 3 is the point of y = 3, spelt another way.
    let mut other = [0xFF; 32];
    other[0] = 0xED + 3;
    other[31] = 0x7F;
    let mut plain = [0; 32];
    plain[0] = 3;
    assert!(AgentKey::ed25519(&plain).is_ok());
    assert_eq!(AgentKey::ed25519(&other), Err(JwkError::Point));
}

#[test]
fn es256_is_read_raw_or_as_der_and_ed25519_raw_alone() {
    let key = crate::key::KeyPair::generate().unwrap();
    let signature = key.sign(b"m").unwrap();
    let der = signature.to_der();
    let read = AgentSignature::from_raw_or_der(Algorithm::Es256, &der).unwrap();
    assert_eq!(read.bytes(), signature.fixed());
    assert!(AgentKey::p256(key.public_key()).verify(b"m", &read).is_ok());
    assert!(AgentSignature::from_raw(&der).is_err());
    assert!(AgentSignature::from_raw_or_der(Algorithm::Ed25519, &der).is_err());
}
