use super::super::tests::{NOW, pair};
use super::super::{AgentKeyPair, Algorithm};
use super::*;
use serde_json::{Value, json};

const RULES: NamingRules<'_> = NamingRules {
    profile: Profile::Compatible,
    guide_era: true,
    issuer: "https://id.example.org",
    max_life: LIFE_MAX,
    skew: Seconds(60),
};
const STRICT: NamingRules<'_> = NamingRules { profile: Profile::Strict, ..RULES };

/// A token with any header and any claims.
fn forge(header: &Value, claims: &Value, key: &AgentKeyPair) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.bytes()))
}

fn header(key: &AgentKeyPair) -> Value {
    let public = key.public_key();
    json!({"typ": TYP, "alg": key.algorithm().name(), "jwk": public.jwk()})
}

fn claims(durable: &AgentKeyPair, ephemeral: &AgentKey) -> Value {
    json!({
        "iss": format!("{URN}{}", durable.public_key().thumbprint()),
        "iat": NOW.seconds(), "exp": NOW.seconds() + 300, "jti": "j1",
        "cnf": {"jwk": ephemeral.jwk()},
    })
}

fn with(value: &Value, name: &str, member: Value) -> Value {
    let mut value = value.clone();
    if member.is_null() {
        value.as_object_mut().unwrap().remove(name);
    } else {
        value[name] = member;
    }
    value
}

fn code(jwt: &str, rules: &NamingRules<'_>) -> Option<FaultCode> {
    read(jwt, None, rules, NOW).err().map(|fault| fault.code)
}

#[test]
fn every_forged_claim_is_refused_in_both_profiles() {
    let (durable, other) = (pair(Algorithm::Ed25519), pair(Algorithm::Ed25519));
    let ephemeral = pair(Algorithm::Es256).public_key();
    let (head, body) = (header(&durable), claims(&durable, &ephemeral));
    let now = NOW.seconds();
    let invalid = FaultCode::InvalidJwt;
    let thumbprint = |key: &AgentKeyPair| format!("{URN}{}", key.public_key().thumbprint());
    let cases = [
        (head.clone(), with(&body, "iss", json!(thumbprint(&other))), invalid),
        (head.clone(), with(&body, "iss", json!("https://id.example.org")), invalid),
        (head.clone(), with(&body, "iss", json!("urn:jkt:sha-512:x")), invalid),
        (with(&head, "typ", json!("JWT")), body.clone(), invalid),
        (with(&head, "typ", Value::Null), body.clone(), invalid),
        (with(&head, "alg", json!("none")), body.clone(), invalid),
        (with(&head, "alg", json!("HS256")), body.clone(), invalid),
        (with(&head, "alg", json!("ES256")), body.clone(), invalid),
        (with(&head, "jwk", Value::Null), body.clone(), invalid),
        (with(&head, "jwk", json!({"kty": "oct", "k": "AA"})), body.clone(), invalid),
        (with(&head, "crit", json!(["exp"])), body.clone(), invalid),
        (head.clone(), with(&body, "exp", Value::Null), invalid),
        (head.clone(), with(&body, "iat", Value::Null), invalid),
        (head.clone(), with(&body, "exp", json!("soon")), invalid),
        (head.clone(), with(&body, "exp", json!(now + 3_155_760_000_i64)), invalid),
        (head.clone(), with(&body, "exp", json!(now + 601)), invalid),
        (head.clone(), with(&body, "exp", json!(i64::MAX)), invalid),
        (head.clone(), with(&body, "exp", json!(now)), invalid),
        (head.clone(), with(&body, "cnf", Value::Null), invalid),
        (head.clone(), with(&body, "cnf", json!({})), invalid),
        (head.clone(), with(&body, "cnf", json!({"jwk": {"kty": "oct", "k": "AA"}})), invalid),
        (head.clone(), with(&body, "cnf", json!({"jwk": durable.public_key().jwk()})), invalid),
        (head.clone(), with(&body, "jti", json!("")), invalid),
        (
            head.clone(),
            with(&with(&body, "iat", json!(now + 61)), "exp", json!(now + 90)),
            FaultCode::ClockSkew,
        ),
        (
            head.clone(),
            with(&with(&body, "iat", json!(now - 300)), "exp", json!(now)),
            FaultCode::ExpiredJwt,
        ),
    ];
    assert_eq!(code(&forge(&head, &body, &durable), &STRICT), None);
    for (head, body, expected) in cases {
        let jwt = forge(&head, &body, &durable);
        for rules in [&RULES, &STRICT] {
            assert_eq!(code(&jwt, rules), Some(expected), "{head} {body}");
        }
    }
    // A victim's key in the header, signed by somebody else.
    let stolen = forge(&header(&durable), &body, &other);
    assert_eq!(code(&stolen, &RULES), Some(invalid));
    for text in ["", "a", "a.b", "a.b.c", "..", &"a".repeat(9000)] {
        assert_eq!(code(text, &RULES), Some(invalid), "{text:.10}");
    }
}

#[test]
fn older_spellings_are_taken_and_strictly_refused() {
    let durable = pair(Algorithm::Ed25519);
    let ephemeral = pair(Algorithm::Ed25519).public_key();
    let (head, body) = (header(&durable), claims(&durable, &ephemeral));
    let bare = with(&serde_json::to_value(ephemeral.jwk()).unwrap(), "alg", Value::Null);
    let cases = [
        (with(&head, "alg", json!("EdDSA")), body.clone()),
        (head.clone(), with(&body, "jti", Value::Null)),
        (head.clone(), with(&body, "sub", json!("aauth:build@id.example.org"))),
        (with(&head, "kid", json!(durable.public_key().thumbprint())), body.clone()),
        (head.clone(), with(&body, "cnf", json!({"jwk": bare}))),
    ];
    for (head, body) in cases {
        let jwt = forge(&head, &body, &durable);
        assert_eq!(code(&jwt, &RULES), None, "{head} {body}");
        assert_eq!(code(&jwt, &STRICT), Some(FaultCode::InvalidJwt), "{head} {body}");
    }
}

#[test]
fn without_a_jti_the_token_itself_is_remembered() {
    let durable = pair(Algorithm::Es256);
    let ephemeral = pair(Algorithm::Ed25519).public_key();
    let body = with(&claims(&durable, &ephemeral), "jti", Value::Null);
    // ECDSA signs anew each time; what is remembered is what was signed.
    let id = || {
        let jwt = forge(&header(&durable), &body, &durable);
        let named = read(&jwt, None, &RULES, NOW).unwrap();
        named.confirm(&durable.public_key()).unwrap().replay_id
    };
    assert_eq!(id(), id());
    assert!(id().starts_with("sha-256:"));
}

#[test]
fn the_guides_form_is_proved_by_the_enrolled_key_alone() {
    let (durable, other) = (pair(Algorithm::Ed25519), pair(Algorithm::Ed25519));
    let ephemeral = pair(Algorithm::Ed25519).public_key();
    let form = NamingForm::GuideEra { issuer: RULES.issuer };
    let jwt = make(&durable, &ephemeral, form, "j1", NOW).unwrap();
    let named = read(&jwt, Some(&ephemeral.thumbprint()), &RULES, NOW).unwrap();
    assert!(named.is_guide_era());
    assert_eq!(named.durable(), &durable.public_key().thumbprint());
    let wrong = named.clone().confirm(&other.public_key()).unwrap_err();
    assert_eq!(wrong.code, FaultCode::InvalidJwt);
    let claims = named.confirm(&durable.public_key()).unwrap();
    assert_eq!((claims.ephemeral, claims.guide_era), (ephemeral, true));

    // Signed by another key under the victim's name.
    let head = json!({
        "typ": GUIDE_TYP, "alg": "EdDSA", "kid": durable.public_key().thumbprint(),
    });
    let body = with(&self::claims(&durable, &ephemeral), "iss", json!(RULES.issuer));
    let forged = read(&forge(&head, &body, &other), None, &RULES, NOW).unwrap();
    assert!(forged.confirm(&durable.public_key()).is_err());
    // The guide's own spelling holds.
    let guide = read(&forge(&head, &body, &durable), None, &RULES, NOW).unwrap();
    assert!(guide.confirm(&durable.public_key()).is_ok());

    let elsewhere = with(&body, "iss", json!("https://evil.example.org"));
    assert_eq!(code(&forge(&head, &elsewhere, &durable), &RULES), Some(FaultCode::InvalidJwt));
    let jkt = other.public_key().thumbprint();
    assert!(read(&jwt, Some(&jkt), &RULES, NOW).is_err(), "jkt is of another key");
    let off = NamingRules { guide_era: false, ..RULES };
    for rules in [&off, &STRICT] {
        assert_eq!(code(&jwt, rules), Some(FaultCode::InvalidJwt));
    }
}
