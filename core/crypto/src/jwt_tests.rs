use super::*;
use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example.org";
const OTHER: JwtClass = JwtClass { typ: "landfall-agent+jwt", aud: "landfall-agent" };

fn t(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn claims() -> SessionClaims {
    let id = "spiffe://landfall.local/tenant/home/user/bert/device/bert-laptop";
    SessionClaims {
        spiffe_id: SpiffeId::parse(id).unwrap(),
        actor_role: ActorRole::Master,
        role: Some(Role::Operator),
        session: SessionId::from_bits([3; 16]),
        key: KeyPair::generate().unwrap().public_key().thumbprint(),
        strength: AuthStrength::CertHuman,
        auth_time: t(990),
        amr: vec!["hwk".into(), "user".into()],
        issued_at: t(1000),
        expires_at: t(1600),
        bound: Some("abc".into()),
    }
}

fn signer() -> (KeyPair, JwtSigner) {
    let key = KeyPair::generate().unwrap();
    let signer = JwtSigner::new(SESSION, ISSUER, &key).unwrap();
    (key, signer)
}

/// A token with whatever header and claims, signed by the right key.
fn forged(key: &KeyPair, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(message.as_bytes()).unwrap();
    format!("{message}.{}", BASE64URL_NOPAD.encode(signature.fixed()))
}

fn parts(token: &str) -> (Value, Value) {
    let mut values = token.split('.').take(2).map(|part| {
        serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
    });
    (values.next().unwrap(), values.next().unwrap())
}

#[test]
fn a_token_says_what_was_signed_until_its_time_is_over() {
    let (_, signer) = signer();
    let token = signer.sign_session(&claims()).unwrap();
    let verifier = signer.verifier();
    let read = verifier.verify_session(&token, t(1000)).unwrap();
    assert_eq!(read, SessionClaims { key: read.key.clone(), ..claims() });
    assert!(verifier.verify_session(&token, Timestamp::from_millis(1_599_999)).is_ok());
    assert_eq!(verifier.verify_session(&token, t(1600)), Err(JwtError::Expired));
    assert_eq!(verifier.verify_session(&token, t(999)), Err(JwtError::NotYet));
}

#[test]
fn header_and_claims_have_the_agreed_names() {
    let (key, signer) = signer();
    let claims = claims();
    let (header, body) = parts(&signer.sign_session(&claims).unwrap());
    let kid = key.public_key().thumbprint();
    assert_eq!(header, json!({"typ": "landfall-session+jwt", "alg": "ES256", "kid": kid}));
    assert_eq!(
        body,
        json!({
            "iss": ISSUER, "aud": "landfall-session", "sid": claims.session,
            "sub": "spiffe://landfall.local/tenant/home/user/bert/device/bert-laptop",
            "iat": 1000, "exp": 1600, "cnf": {"jkt": claims.key},
            "auth_strength": "cert+human", "auth_time": 990, "amr": ["hwk", "user"],
            "bound": "abc", "actor_role": "master", "machine": "bert-laptop",
            "role": "operator",
        })
    );
}

#[test]
fn another_class_issuer_or_key_is_refused() {
    let (key, signer) = signer();
    let token = signer.sign_session(&claims()).unwrap();
    let public = key.public_key();
    let check = |verifier: JwtVerifier| verifier.verify_session(&token, t(1000)).err();
    let stranger = KeyPair::generate().unwrap().public_key();
    assert_eq!(check(JwtVerifier::new(SESSION, ISSUER, &[stranger, public])), None, "older keys");
    assert_eq!(check(JwtVerifier::new(OTHER, ISSUER, &[public])), Some(JwtError::Malformed));
    let elsewhere = "https://id.example.com";
    assert_eq!(check(JwtVerifier::new(SESSION, elsewhere, &[public])), Some(JwtError::Malformed));
    assert_eq!(check(JwtVerifier::new(SESSION, ISSUER, &[stranger])), Some(JwtError::UnknownKey));
    let other = JwtSigner::new(OTHER, ISSUER, &key).unwrap();
    assert_eq!(other.sign_session(&claims()), Err(JwtError::Malformed));
}

#[test]
fn every_deviation_is_refused_even_under_a_right_signature() {
    let (key, signer) = signer();
    let (header, body) = parts(&signer.sign_session(&claims()).unwrap());
    let verifier = signer.verifier();
    let check = |header: &Value, body: &Value| {
        verifier.verify_session(&forged(&key, header, body), t(1000)).err()
    };
    assert_eq!(check(&header, &body), None, "the frame itself is right");
    for (field, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("landfall-agent+jwt")),
        ("typ", Value::Null),
        ("alg", json!("HS256")),
        ("alg", json!("none")),
        ("crit", json!(["b64"])),
        ("jku", json!("https://evil.example")),
        ("x", json!(1)),
    ] {
        let mut header = header.clone();
        header[field] = value;
        assert_eq!(check(&header, &body), Some(JwtError::Malformed), "{header}");
    }
    for (field, value) in [
        ("iss", json!([ISSUER, "https://evil.example"])),
        ("aud", json!(["landfall-session", "landfall-agent"])),
        ("aud", json!("landfall-agent")),
        ("aud", Value::Null),
        ("sub", json!("spiffe://landfall.local/tenant/home/root")),
        ("sid", json!("x")),
        ("exp", json!(1000)),
        ("exp", json!("1600")),
        ("exp", json!(1600.5)),
        ("cnf", json!({})),
        ("cnf", json!({"jkt": "short"})),
        ("auth_strength", json!("cert+human+")),
        ("admin", json!(true)),
    ] {
        let mut body = body.clone();
        body[field] = value;
        assert_eq!(check(&header, &body), Some(JwtError::Malformed), "{body}");
    }
}

#[test]
fn a_changed_or_unsigned_token_is_refused() {
    let (_, signer) = signer();
    let token = signer.sign_session(&claims()).unwrap();
    let verifier = signer.verifier();
    let check = |token: &str| verifier.verify_session(token, t(1000)).err();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = message.split_once('.').unwrap();
    let (_, mut body) = parts(&token);
    body["auth_strength"] = json!("cert-only");
    let body = BASE64URL_NOPAD.encode(body.to_string().as_bytes());
    assert_eq!(check(&format!("{header}.{body}.{signature}")), Some(JwtError::Signature));
    assert!(check(&format!("{message}.")).is_some());
    assert!(check(message).is_some());
    assert!(check("").is_some());
    assert_eq!(check(&"a".repeat(JWT_MAX + 1)), Some(JwtError::Malformed));
}

#[test]
fn the_key_set_can_be_read_by_others() {
    let (key, signer) = signer();
    let set = serde_json::to_value(JwkSet { keys: vec![signer.jwk()] }).unwrap();
    let kid = key.public_key().thumbprint();
    let jwk = &set["keys"][0];
    assert_eq!(
        (&jwk["kty"], &jwk["crv"], &jwk["alg"]),
        (&json!("EC"), &json!("P-256"), &json!("ES256"))
    );
    assert_eq!((&jwk["use"], &jwk["kid"]), (&json!("sig"), &json!(kid)));
    let (x, y) = (jwk["x"].as_str().unwrap(), jwk["y"].as_str().unwrap());
    let decoding = DecodingKey::from_ec_components(x, y).unwrap();
    let token = signer.sign_session(&claims()).unwrap();
    assert!(
        jsonwebtoken::decode::<Value>(&token, &decoding, &signer.verifier().validation).is_ok()
    );
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "[A-Za-z0-9._=-]{0,200}") {
        let (_, signer) = signer();
        prop_assert!(signer.verifier().verify_session(&text, t(1000)).is_err());
    }
}
