use super::super::tests::{NOW, pair};
use super::super::{AgentKeyPair, Algorithm};
use super::*;
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

const SKEW: Seconds = Seconds(60);

fn header(key: &AgentKeyPair) -> Value {
    json!({"typ": TYP, "alg": key.algorithm().name(), "kid": "p1"})
}

fn claims(agent: &AgentKey) -> Value {
    json!({
        "iss": "https://id.example.org", "dwk": DWK, "sub": "aauth:a.1@id.example.org",
        "jti": "t1", "cnf": {"jwk": agent.jwk()}, "iat": NOW.seconds(),
        "exp": NOW.seconds() + 3600,
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

fn forge(header: &Value, claims: &Value, key: &AgentKeyPair) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.bytes()))
}

fn outcome(jwt: &str, key: &AgentKeyPair) -> Result<AgentClaims, FaultCode> {
    let read = read(jwt, Profile::Compatible).map_err(|fault| fault.code)?;
    read.verify(&key.public_key(), NOW, SKEW).cloned().map_err(|fault| fault.code)
}

#[test]
fn a_token_says_who_and_with_what_key_or_is_none() {
    let provider = pair(Algorithm::Ed25519);
    let agent = pair(Algorithm::Es256).public_key();
    let (head, body) = (header(&provider), claims(&agent));
    let now = NOW.seconds();
    let read = outcome(&forge(&head, &body, &provider), &provider).unwrap();
    assert_eq!((read.key, read.agent.as_str()), (agent, "aauth:a.1@id.example.org"));
    let cases = [
        (with(&head, "typ", json!("JWT")), body.clone()),
        (with(&head, "typ", json!("jkt-s256+jwt")), body.clone()),
        (with(&head, "alg", json!("none")), body.clone()),
        (with(&head, "alg", json!("EdDSA")), body.clone()),
        (with(&head, "alg", json!("ES256")), body.clone()),
        (with(&head, "kid", Value::Null), body.clone()),
        (head.clone(), with(&body, "iss", json!("https://id.example.org/"))),
        (head.clone(), with(&body, "iss", json!("http://id.example.org"))),
        (head.clone(), with(&body, "iss", json!("https://evil.example.org"))),
        (head.clone(), with(&body, "dwk", json!("aauth-person.json"))),
        (head.clone(), with(&body, "dwk", Value::Null)),
        (head.clone(), with(&body, "sub", json!("aauth:A@id.example.org"))),
        (head.clone(), with(&body, "sub", json!("aauth:a.1@victim.example.org"))),
        (head.clone(), with(&body, "sub", json!("aauth:a.1+s@id.example.org"))),
        (head.clone(), with(&body, "parent_agent", json!("aauth:a.1@id.example.org"))),
        (head.clone(), with(&body, "parent_agent", json!("nobody"))),
        (head.clone(), with(&body, "ps", json!("http://ps.example.org"))),
        (head.clone(), with(&body, "jti", Value::Null)),
        (head.clone(), with(&body, "jti", json!(""))),
        (head.clone(), with(&body, "cnf", json!({"jkt": "x"}))),
        (head.clone(), with(&body, "exp", json!(now + 86_401))),
        (head.clone(), with(&body, "exp", json!(now))),
        (head.clone(), with(&body, "exp", Value::Null)),
    ];
    for (head, body) in cases {
        let refused = outcome(&forge(&head, &body, &provider), &provider);
        assert_eq!(refused, Err(FaultCode::InvalidJwt), "{head} {body}");
    }
    let other = pair(Algorithm::Ed25519);
    assert_eq!(outcome(&forge(&head, &body, &other), &provider), Err(FaultCode::InvalidJwt));
}

#[test]
fn a_token_counts_in_its_time_alone() {
    let provider = pair(Algorithm::Es256);
    let jwt = forge(&header(&provider), &claims(&pair(Algorithm::Es256).public_key()), &provider);
    let token = read(&jwt, Profile::Strict).unwrap();
    let at = |offset: i64| {
        let now = Timestamp::from_seconds(NOW.seconds() + offset);
        token.verify(&provider.public_key(), now, SKEW).err().map(|fault| fault.code)
    };
    assert_eq!([at(-60), at(0), at(3599)], [None; 3]);
    assert_eq!((at(-61), at(3600)), (Some(FaultCode::ClockSkew), Some(FaultCode::ExpiredJwt)));
}

#[test]
fn sub_agents_name_their_parent_and_audiences_come_in_both_forms() {
    let provider = pair(Algorithm::Ed25519);
    let body = claims(&pair(Algorithm::Ed25519).public_key());
    let body = with(&body, "sub", json!("aauth:a.1+s@id.example.org"));
    let body = with(&body, "parent_agent", json!("aauth:a.1@id.example.org"));
    for aud in [json!("https://api.example.org"), json!(["https://api.example.org"])] {
        let jwt = forge(&header(&provider), &with(&body, "aud", aud), &provider);
        let read = outcome(&jwt, &provider).unwrap();
        assert_eq!(read.audience, ["https://api.example.org"]);
        assert_eq!(read.parent, read.agent.parent());
        assert!(read.parent.is_some());
    }
}

#[test]
fn on_loopback_the_domain_is_free() {
    let provider = pair(Algorithm::Ed25519);
    let body = claims(&pair(Algorithm::Ed25519).public_key());
    let body = with(&body, "iss", json!("http://127.0.0.1:18901"));
    assert!(outcome(&forge(&header(&provider), &body, &provider), &provider).is_ok());
}
