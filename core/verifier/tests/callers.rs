//! A service behind the gate, over real HTTP: a provider of the test publishes its documents, agents of
//! the test sign, and whatever a client could bend is bent.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod stage;

use landfall_crypto::aauth::{
    AgentKeyPair, Algorithm, FaultCode, KeySource, Profile, SignatureFault, Signing, sign,
};
use landfall_identity::Seconds;
use landfall_verifier::{Request, VerifierSetup};
use serde_json::{Value, json};
use stage::{Answer, Stage};

fn signed(answer: &Answer) -> Option<&str> {
    answer.error.as_deref()
}

#[tokio::test]
async fn an_agent_of_a_listed_provider_is_let_in_and_known() {
    for profile in [Profile::Compatible, Profile::Strict] {
        let stage = Stage::new(|setup| VerifierSetup { profile, ..setup }).await;
        for algorithm in Algorithm::ALL {
            let agent = AgentKeyPair::generate(algorithm).unwrap();
            let answer = stage.post(&agent, &stage.token(&agent, |_| {}), b"{}").await;
            assert_eq!((answer.status, signed(&answer)), (200, None));
            assert_eq!(answer.body, "aauth:builder.1@agents.example.org says {}");
        }
        assert_eq!(stage.fetches(), (1, 1), "documents are fetched once");
    }
}

#[tokio::test]
async fn without_a_signature_nobody_is_let_in_and_other_schemes_are_told_the_one_that_is() {
    let stage = Stage::new(|setup| setup).await;
    let bare = stage.send(&[], b"").await;
    assert_eq!((bare.status, signed(&bare)), (401, Some("error=invalid_request")));
    assert_eq!(bare.kind.as_deref(), Some("application/problem+json"));
    let agent = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
    let key = agent.public_key();
    let sources = [
        KeySource::Hwk { key },
        KeySource::JktJwt { jwt: "a.b.c".to_owned(), jkt: None },
        KeySource::JwksUri {
            id: stage.issuer.to_string(),
            dwk: "aauth-agent.json".to_owned(),
            kid: "p1".to_owned(),
        },
    ];
    for source in sources {
        let fields = stage.sign(&agent, &source, b"");
        let answer = stage.send(&fields, b"").await;
        assert_eq!((answer.status, signed(&answer)), (401, Some("error=unsupported_scheme")));
        assert_eq!(answer.schemes.as_deref(), Some("jwt"));
    }
    assert_eq!(stage.fetches(), (0, 0), "nothing was worth a question");
}

#[tokio::test]
async fn every_bent_token_is_refused_by_its_name() {
    let stage = Stage::new(|setup| setup).await;
    let agent = AgentKeyPair::generate(Algorithm::Es256).unwrap();
    let other = AgentKeyPair::generate(Algorithm::Es256).unwrap();
    let now = stage.now().seconds();
    let provider = stage.provider.public_key();
    type Bend<'a> = Box<dyn Fn(&mut Value) + 'a>;
    let cases: Vec<(Bend<'_>, FaultCode)> = vec![
        (Box::new(|it| it["header"]["typ"] = json!("JWT")), FaultCode::InvalidJwt),
        (Box::new(|it| it["header"]["alg"] = json!("none")), FaultCode::InvalidJwt),
        (Box::new(|it| it["header"]["alg"] = json!("EdDSA")), FaultCode::InvalidJwt),
        (Box::new(|it| it["header"]["kid"] = json!("unknown")), FaultCode::UnknownKey),
        (Box::new(|it| it["claims"]["dwk"] = json!("aauth-person.json")), FaultCode::InvalidJwt),
        (
            Box::new(|it| it["claims"]["iss"] = json!("https://evil.example.org")),
            FaultCode::InvalidJwt,
        ),
        (Box::new(|it| it["claims"]["sub"] = json!("builder")), FaultCode::InvalidJwt),
        (Box::new(|it| it["claims"]["ps"] = json!("http://ps.example.org")), FaultCode::InvalidJwt),
        (Box::new(|it| it["claims"]["parent_agent"] = json!("x")), FaultCode::InvalidJwt),
        (
            Box::new(|it| it["claims"]["aud"] = json!("https://another.example.org")),
            FaultCode::InvalidJwt,
        ),
        (
            Box::new(move |it| {
                it["claims"]["iat"] = json!(now - 3600);
                it["claims"]["exp"] = json!(now);
            }),
            FaultCode::ExpiredJwt,
        ),
        (Box::new(move |it| it["claims"]["iat"] = json!(now + 61)), FaultCode::ClockSkew),
        (
            Box::new(|it| it["claims"]["cnf"]["jwk"] = json!(other.public_key().jwk())),
            FaultCode::InvalidSignature,
        ),
        (
            Box::new(|it| it["claims"]["cnf"]["jwk"] = json!(provider.jwk())),
            FaultCode::InvalidSignature,
        ),
    ];
    for (bend, code) in cases {
        let token = stage.token(&agent, |token| bend(token));
        let answer = stage.post(&agent, &token, b"{}").await;
        let expected = SignatureFault::new(code, "").signature_error();
        assert_eq!((answer.status, signed(&answer)), (401, Some(expected.as_str())));
    }
    let forged = stage.token_by(&other, &agent, |_| {});
    let answer = stage.post(&agent, &forged, b"{}").await;
    assert_eq!(signed(&answer), Some("error=invalid_jwt"));
    let aud = json!(["https://another.example.org", stage.origin()]);
    let token = stage.token(&agent, |token| token["claims"]["aud"] = aud.clone());
    assert_eq!(stage.post(&agent, &token, b"{}").await.status, 200);
}

#[tokio::test]
async fn what_was_signed_is_what_is_served() {
    let stage = Stage::new(|setup| setup).await;
    let agent = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
    let source = KeySource::Jwt { jwt: stage.token(&agent, |_| {}) };
    let fields = stage.sign(&agent, &source, b"{}");
    assert_eq!(stage.send(&fields, b"{}").await.status, 200);
    let changed = stage.send(&fields, b"{ }").await;
    assert_eq!(signed(&changed), Some("error=invalid_signature"));
    assert_eq!(stage.send_to("/other", &fields, b"{}").await.status, 401);
    let uncovered: Vec<_> =
        fields.iter().filter(|(name, _)| *name != "content-digest").cloned().collect();
    let answer = stage.send(&uncovered, b"{}").await;
    assert_eq!(answer.status, 401);
    // For another host of this very address.
    let authority = stage.origin().replace("http://127.0.0.1", "localhost");
    let request = Request {
        method: "POST",
        authority: &authority,
        path: "/hello",
        query: None,
        https: false,
        fields: &[("content-type", "application/json")],
        body: b"{}",
    };
    let created = stage.now();
    let signing = Signing { source: &source, created, components: &[], digest: true };
    let elsewhere = sign(&request, &signing, &agent).unwrap();
    let fields = stage::fields_of(elsewhere);
    assert_eq!(signed(&stage.send(&fields, b"{}").await), Some("error=invalid_signature"));
    // A minute later the signature is over.
    let fields = stage.sign(&agent, &source, b"{}");
    stage.clock.advance(Seconds(61));
    assert_eq!(signed(&stage.send(&fields, b"{}").await), Some("error=invalid_signature"));
}

#[tokio::test]
async fn bodies_must_be_covered_and_are_bounded() {
    let stage = Stage::new(|setup| setup).await;
    let agent = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
    let source = KeySource::Jwt { jwt: stage.token(&agent, |_| {}) };
    let fields = stage.sign_with(&agent, &source, b"{}", false);
    let answer = stage.send(&fields, b"{}").await;
    assert!(signed(&answer).unwrap().contains(r#""content-type" "content-digest""#));
    let large = vec![b' '; 5000];
    let fields = stage.sign(&agent, &source, &large);
    assert_eq!(stage.send(&fields, &large).await.status, 413);
}

#[tokio::test]
async fn keys_are_fetched_again_when_they_must_be_and_not_more_often_than_that() {
    let stage = Stage::new(|setup| setup).await;
    let agent = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
    let unknown = || stage.token(&agent, |token| token["header"]["kid"] = json!("unknown"));
    for _ in 0..3 {
        assert_eq!(stage.post(&agent, &unknown(), b"").await.status, 401);
    }
    assert_eq!(stage.fetches(), (1, 1), "once a minute, whoever asks for what");
    // The provider turns over to another key.
    stage.clock.advance(Seconds(61));
    let next = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
    stage.publish("p2", &next);
    let by_next = || stage.token_by(&next, &agent, |token| token["header"]["kid"] = json!("p2"));
    assert_eq!(stage.post(&agent, &by_next(), b"").await.status, 200);
    assert_eq!(stage.fetches(), (2, 2));
    // While the provider is away, what is known serves for a day.
    stage.go_away();
    stage.clock.advance(Seconds::hours(23));
    assert_eq!(stage.post(&agent, &by_next(), b"").await.status, 200);
    stage.clock.advance(Seconds::hours(1));
    let answer = stage.post(&agent, &by_next(), b"").await;
    assert_eq!(signed(&answer), Some("error=unknown_key"));
}

#[tokio::test]
async fn a_document_of_another_issuer_leads_nowhere() {
    for (bend, code) in [
        (json!({"issuer": "https://evil.example.org"}), "error=issuer_mismatch"),
        (json!({"issuer": null}), "error=issuer_missing"),
        (json!({"jwks_uri": "http://evil.example.org/jwks.json"}), "error=unknown_key"),
        (json!({"jwks_uri": "file:///etc/passwd"}), "error=unknown_key"),
    ] {
        let stage = Stage::new(|setup| setup).await;
        stage.bend_metadata(&bend);
        let agent = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
        let answer = stage.post(&agent, &stage.token(&agent, |_| {}), b"").await;
        assert_eq!(signed(&answer), Some(code), "{bend}");
    }
}

#[tokio::test]
async fn the_strict_profile_takes_the_newest_form_alone() {
    let bare = |token: &mut Value| {
        token["claims"]["cnf"]["jwk"].as_object_mut().unwrap().remove("alg");
    };
    for (profile, status) in [(Profile::Compatible, 200), (Profile::Strict, 401)] {
        let stage = Stage::new(|setup| VerifierSetup { profile, ..setup }).await;
        let agent = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
        let answer = stage.post(&agent, &stage.token(&agent, bare), b"").await;
        assert_eq!(answer.status, status);
    }
}
