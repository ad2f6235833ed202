//! What the modules' own tests share, and whole stories across them.

use super::message::{Demands, Request, read};
use super::*;
use crate::key::Signer;
use landfall_identity::{AgentId, Seconds, Timestamp};
use serde_json::{Map, Value};

pub(super) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub(super) const ALL_TAKEN: &[Scheme] =
    &[Scheme::Hwk, Scheme::JktJwt, Scheme::JwksUri, Scheme::Jwt];

pub(super) fn pair(algorithm: Algorithm) -> AgentKeyPair {
    AgentKeyPair::generate(algorithm).unwrap()
}

pub(super) fn authorities() -> Vec<String> {
    vec!["id.example.org".to_owned(), "127.0.0.1:18901".to_owned()]
}

pub(super) fn demands(authorities: &[String], profile: Profile) -> Demands<'_> {
    Demands { profile, window: Seconds(60), authorities, schemes: ALL_TAKEN, digest: false }
}

pub(super) const POST: Request<'_> = Request {
    method: "POST",
    authority: "ID.example.org:443",
    path: "/refresh",
    query: None,
    https: true,
    fields: &[("Host", "id.example.org"), ("Content-Type", "application/json")],
    body: b"{}",
};

/// Signs `request`, and yields it as it arrives.
pub(super) fn arrive<'a>(
    request: &Request<'a>,
    signed: &'a SignedFields,
) -> Vec<(&'a str, &'a str)> {
    let mut fields = request.fields.to_vec();
    fields.push(("Signature-Key", &signed.signature_key));
    fields.push(("Signature-Input", &signed.signature_input));
    fields.push(("Signature", &signed.signature));
    if let Some(digest) = &signed.content_digest {
        fields.push(("Content-Digest", digest));
    }
    fields
}

pub(super) fn signed(
    request: &Request<'_>,
    source: &KeySource,
    key: &AgentKeyPair,
) -> SignedFields {
    let signing = Signing { source, created: NOW, components: &[], digest: true };
    sign::sign(request, &signing, key).unwrap()
}

#[test]
fn what_we_sign_is_taken_in_both_profiles_under_every_scheme() {
    for algorithm in Algorithm::ALL {
        let (durable, ephemeral) = (pair(algorithm), pair(algorithm));
        let own = ephemeral.public_key();
        let jwt =
            naming::make(&durable, &own, naming::NamingForm::SelfAnchored, "j1", NOW).unwrap();
        let jwks = ("https://svc.example.org".to_owned(), "aauth-agent.json".to_owned());
        let sources = [
            KeySource::Hwk { key: own },
            KeySource::JktJwt { jwt: jwt.clone(), jkt: None },
            KeySource::JwksUri { id: jwks.0, dwk: jwks.1, kid: "k \"1\"".to_owned() },
            KeySource::Jwt { jwt },
        ];
        for source in sources {
            let signed = signed(&POST, &source, &ephemeral);
            let fields = arrive(&POST, &signed);
            let request = Request { fields: &fields, ..POST };
            for profile in [Profile::Compatible, Profile::Strict] {
                let authorities = authorities();
                let unverified = read(&request, &demands(&authorities, profile), NOW).unwrap();
                assert_eq!(unverified.source(), &source);
                assert_eq!(unverified.verify(&own, None).unwrap().key, own);
                let other = pair(algorithm).public_key();
                let fault = unverified.verify(&other, None).unwrap_err();
                assert_eq!(fault.code, FaultCode::InvalidSignature);
            }
        }
    }
}

#[test]
fn two_keys_refresh_in_both_forms_and_the_token_confirms_the_second() {
    let provider = pair(Algorithm::Es256);
    let (durable, ephemeral) = (pair(Algorithm::Ed25519), pair(Algorithm::Es256));
    let rules = NamingRules {
        profile: Profile::Compatible,
        guide_era: true,
        issuer: "https://id.example.org",
        max_life: naming::LIFE_MAX,
        skew: Seconds(60),
    };
    let forms = [
        naming::NamingForm::SelfAnchored,
        naming::NamingForm::GuideEra { issuer: "https://id.example.org" },
    ];
    for form in forms {
        let jwt = naming::make(&durable, &ephemeral.public_key(), form, "j1", NOW).unwrap();
        let source = KeySource::JktJwt { jwt, jkt: None };
        let signed = signed(&POST, &source, &ephemeral);
        let fields = arrive(&POST, &signed);
        let authorities = authorities();
        let request = Request { fields: &fields, ..POST };
        let unverified = read(&request, &demands(&authorities, Profile::Compatible), NOW).unwrap();
        let KeySource::JktJwt { jwt, jkt } = unverified.source() else { panic!("another source") };
        let named = naming::read(jwt, jkt.as_ref(), &rules, NOW).unwrap();
        assert_eq!(named.durable(), &durable.public_key().thumbprint());
        let claims = named.confirm(&durable.public_key()).unwrap();
        assert_eq!(claims.replay_id, "jti:j1");
        let verified = unverified.verify(&claims.ephemeral, None).unwrap();
        assert_eq!(verified.key, ephemeral.public_key());

        let token = AgentClaims {
            issuer: ServerId::parse("https://id.example.org").unwrap(),
            agent: AgentId::parse("aauth:builder.7f3k@id.example.org").unwrap(),
            jti: "t1".to_owned(),
            key: claims.ephemeral,
            issued_at: NOW,
            expires_at: NOW + agent_token::LIFE,
            person_server: Some(ServerId::parse("https://ps.example.org").unwrap()),
            parent: None,
            audience: Vec::new(),
            extra: Map::from_iter([("assurance".to_owned(), Value::from("high"))]),
        };
        let text = agent_token::mint(&token, "p1", &provider).unwrap();
        let read = agent_token::read(&text, Profile::Strict).unwrap();
        assert_eq!((read.issuer().as_str(), read.kid()), ("https://id.example.org", "p1"));
        assert_eq!(read.verify(&provider.public_key(), NOW, Seconds(60)).unwrap(), &token);
    }
}

#[test]
fn an_issuers_documents_lead_to_its_keys_or_say_why_not() {
    let issuer = ServerId::parse("https://id.example.org").unwrap();
    let metadata = ProviderMetadata::new(&issuer, "https://id.example.org/jwks.json".to_owned());
    let json = serde_json::to_vec(&metadata).unwrap();
    assert_eq!(ProviderMetadata::read(&json, &issuer), Ok(metadata));
    for (json, code) in [
        (r#"{"jwks_uri":"https://id.example.org/j"}"#, FaultCode::IssuerMissing),
        (r#"{"issuer":7,"jwks_uri":"x"}"#, FaultCode::IssuerMissing),
        (r#"{"issuer":"https://id.example.org/","jwks_uri":"x"}"#, FaultCode::IssuerMismatch),
        (r#"{"issuer":"https://evil.example.org","jwks_uri":"x"}"#, FaultCode::IssuerMismatch),
        (r#"{"issuer":"https://id.example.org"}"#, FaultCode::UnknownKey),
        ("[]", FaultCode::IssuerMissing),
        ("{", FaultCode::UnknownKey),
    ] {
        let fault = ProviderMetadata::read(json.as_bytes(), &issuer).unwrap_err();
        assert_eq!(fault.code, code, "{json}");
    }
}

#[test]
fn a_jwks_yields_its_usable_keys_and_passes_over_the_others() {
    let (one, two) = (pair(Algorithm::Ed25519).public_key(), pair(Algorithm::Es256).public_key());
    let entry = |key: &AgentKey, kid| serde_json::to_value(key.jwks_entry(kid)).unwrap();
    let jwks = serde_json::json!({"keys": [
        entry(&one, "a"), entry(&two, "b"), entry(&one, "c"), entry(&two, "c"), one.jwk(),
        {"kty": "RSA", "n": "AA", "e": "AQAB", "kid": "r"},
        {"kty": "oct", "k": "AA", "kid": "s"},
        7,
    ]});
    let keys = AgentKeys::read(&serde_json::to_vec(&jwks).unwrap(), Profile::Strict).unwrap();
    assert_eq!((keys.get("a"), keys.get("b")), (Some(&one), Some(&two)));
    assert_eq!([keys.get("c"), keys.get("r"), keys.get("s"), keys.get("")], [None; 4]);
    assert!(AgentKeys::read(b"{}", Profile::Compatible).is_err());
}

#[test]
fn a_device_key_is_an_agent_key_of_the_same_name() {
    let key = crate::key::KeyPair::generate().unwrap().public_key();
    assert_eq!(AgentKey::p256(key).thumbprint(), key.thumbprint());
    assert_eq!(AgentKey::p256(key).as_p256(), Some(key));
}
