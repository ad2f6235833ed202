//! Services that have something against a signature, one thing after the other.

use super::*;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::routing::any;
use landfall_crypto::ambient::Clock;
use std::sync::Mutex;

/// Header fields of an answer.
type Fields = Vec<(&'static str, String)>;

/// What a service answers, in turn; afterwards it is content. And what it was sent.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<Vec<Fields>>>,
    seen: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Script {
    fn of(answers: &[&[(&'static str, &str)]]) -> Self {
        let answer = |fields: &&[(&'static str, &str)]| {
            fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
        };
        let answers = answers.iter().rev().map(answer).collect();
        Self { answers: Arc::new(Mutex::new(answers)), ..Self::default() }
    }

    async fn served(&self) -> Service {
        let script = self.clone();
        Service::serving(|_| Router::new().route("/api", any(answer)).with_state(script)).await
    }

    fn seen(&self, field: &str) -> Vec<String> {
        let value = |headers: &HeaderMap| headers[field].to_str().unwrap().to_owned();
        self.seen.lock().unwrap().iter().map(value).collect()
    }
}

async fn answer(
    State(script): State<Script>,
    headers: HeaderMap,
    _body: Bytes,
) -> (StatusCode, HeaderMap) {
    script.seen.lock().unwrap().push(headers);
    let Some(fields) = script.answers.lock().unwrap().pop() else {
        return (StatusCode::OK, HeaderMap::new());
    };
    let pair = |(name, value): (&'static str, String)| {
        (HeaderName::from_static(name), value.parse().unwrap())
    };
    (StatusCode::UNAUTHORIZED, fields.into_iter().map(pair).collect())
}

async fn agent(mode: Keys) -> (World, Person, Den, Agent) {
    let (world, ana) = world(Profile::Compatible).await;
    let den = Den::new();
    enrolled(&world, &ana, &den, Algorithm::Ed25519, "research").await;
    let agent = Agent::load(den.setup(&world, "research", mode)).unwrap();
    (world, ana, den, agent)
}

const ERROR: &str = "signature-error";

#[tokio::test(flavor = "multi_thread")]
async fn components_that_are_wanted_are_covered() {
    let (_world, _ana, _den, agent) = agent(Keys::One).await;
    let wanted =
        r#"error=invalid_input, required_input=("@method" "@query" "x-request" "x-absent")"#;
    let script = Script::of(&[&[(ERROR, wanted)]]);
    let service = script.served().await;
    let mut request = AgentRequest::get(service.at("/api?a=1"));
    request.headers.push(("x-request".to_owned(), "7".to_owned()));
    assert_eq!(agent.send(&request, Scheme::Jwt).await.unwrap().status, 200);
    let inputs = script.seen("signature-input");
    assert!(!inputs[0].contains("@query"));
    assert!(inputs[1].contains(r#""@query" "x-request""#) && !inputs[1].contains("x-absent"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheme_is_tried_once_and_only_where_it_is_taken() {
    let (_world, _ana, _den, agent) = agent(Keys::One).await;
    let no = |taken| [(ERROR, "error=unsupported_scheme"), ("accept-signature-scheme", taken)];
    let (first, second) = (no("brand-new, hwk, jwks_uri"), no("hwk"));
    let script = Script::of(&[&first, &second]);
    let service = script.served().await;
    let request = AgentRequest::get(service.at("/api"));
    assert_eq!(agent.send(&request, Scheme::Jwt).await.unwrap().status, 200);
    let keys = script.seen("signature-key");
    let schemes: Vec<_> = keys.iter().map(|key| key.split(';').next().unwrap()).collect();
    assert_eq!(schemes, ["sig=jwt", "sig=jwks_uri", "sig=hwk"]);

    let none = no("x509");
    let script = Script::of(&[&none, &none]);
    let service = script.served().await;
    let request = AgentRequest::get(service.at("/api"));
    assert_eq!(agent.send(&request, Scheme::Jwt).await.unwrap().status, 401);
    assert_eq!(script.seen("signature").len(), 1, "there is nothing to try");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_algorithm_that_is_wanted_is_taken_up_where_keys_are_made_anew() {
    let mode = Keys::Two { ephemeral: Algorithm::Ed25519, guide_era: false };
    let (_world, _ana, _den, agent) = agent(mode).await;
    let no = [(ERROR, "error=unsupported_algorithm"), ("accept-signature-alg", "ES256")];
    let script = Script::of(&[&no]);
    let service = script.served().await;
    let request = AgentRequest::get(service.at("/api"));
    assert_eq!(agent.send(&request, Scheme::Jwt).await.unwrap().status, 200);
    assert_eq!(agent.token().await.unwrap().key.algorithm(), Algorithm::Es256);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_over_for_the_service_is_fetched_anew_once() {
    let (_world, _ana, _den, agent) = agent(Keys::One).await;
    let over = [(ERROR, "error=expired_jwt")];
    let script = Script::of(&[&over]);
    let service = script.served().await;
    let request = AgentRequest::get(service.at("/api"));
    assert_eq!(agent.send(&request, Scheme::Jwt).await.unwrap().status, 200);
    let keys = script.seen("signature-key");
    assert_ne!(keys[0], keys[1]);
    let script = Script::of(&[&over, &over, &over]);
    let service = script.served().await;
    let request = AgentRequest::get(service.at("/api"));
    assert_eq!(agent.send(&request, Scheme::Jwt).await.unwrap().status, 401);
    assert_eq!(script.seen("signature").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_clock_differs_is_signed_for_by_its_clock() {
    let (world, _ana, _den, agent) = agent(Keys::One).await;
    // The beginning of every story, and two minutes.
    let ahead = world.clock.now().seconds() + 120;
    let date = httpdate_of(ahead);
    let skew = [(ERROR, "error=clock_skew"), ("date", date.as_str())];
    let script = Script::of(&[&skew, &skew]);
    let service = script.served().await;
    let request = AgentRequest::get(service.at("/api"));
    assert_eq!(agent.send(&request, Scheme::Hwk).await.unwrap().status, 401);
    let inputs = script.seen("signature-input");
    assert_eq!(inputs.len(), 2, "once");
    assert!(inputs[1].contains(&format!("created={ahead}")), "{}", inputs[1]);
    let request = AgentRequest::get(service.at("/api"));
    assert_eq!(agent.send(&request, Scheme::Hwk).await.unwrap().status, 200);
}

/// A time as HTTP writes it (RFC 9110 section 5.6.7).
fn httpdate_of(seconds: i64) -> String {
    let since = std::time::Duration::from_secs(seconds.try_into().unwrap());
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_never_content_is_left_alone() {
    let (_world, _ana, _den, agent) = agent(Keys::One).await;
    let wants = |name: &str| format!(r#"error=invalid_input, required_input=("{name}")"#);
    let names = ["@query", "@scheme", "@target-uri", "@request-target", "x-a"];
    let wanted: Vec<_> = names.iter().map(|name| wants(name)).collect();
    let answers: Vec<_> = wanted.iter().map(|wanted| [(ERROR, wanted.as_str())]).collect();
    let answers: Vec<&[(&'static str, &str)]> = answers.iter().map(|it| &it[..]).collect();
    let script = Script::of(&answers);
    let service = script.served().await;
    let request = AgentRequest::get(service.at("/api"));
    assert_eq!(agent.send(&request, Scheme::Hwk).await.unwrap().status, 401);
    assert_eq!(script.seen("signature").len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_signed_already_is_not_signed_again() {
    let (_world, _ana, _den, agent) = agent(Keys::One).await;
    let mut request = AgentRequest::get("http://127.0.0.1:9/".parse().unwrap());
    request.headers.push(("Signature".to_owned(), "sig=:AA==:".to_owned()));
    let refused = agent.sign(&request, Scheme::Hwk).await.unwrap_err();
    assert!(matches!(refused, AgentError::Request(_)));
}
