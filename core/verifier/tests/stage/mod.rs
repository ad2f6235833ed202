//! A provider and a service, each on a port of this machine, and a clock for both.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::Clock;
use landfall_crypto::aauth::{
    AgentKeyPair, Algorithm, KeySource, ServerId, SignedFields, Signing, sign,
};
use landfall_crypto::ambient::ManualClock;
use landfall_identity::Timestamp;
use landfall_verifier::{AgentCaller, Gate, Request, Verifier, VerifierSetup, require_caller};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

#[derive(Default)]
struct Published {
    metadata: Value,
    keys: Vec<Value>,
    fetches: (usize, usize),
    away: bool,
}

type Shared = Arc<Mutex<Published>>;

pub struct Stage {
    pub provider: AgentKeyPair,
    pub issuer: ServerId,
    pub clock: Arc<ManualClock>,
    origin: String,
    published: Shared,
    http: reqwest::Client,
    servers: [JoinHandle<()>; 2],
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

/// What a service answered.
pub struct Answer {
    pub status: u16,
    pub error: Option<String>,
    pub schemes: Option<String>,
    pub kind: Option<String>,
    pub body: String,
}

async fn metadata(State(published): State<Shared>) -> Result<String, http::StatusCode> {
    let mut published = published.lock().unwrap();
    published.fetches.0 += 1;
    match published.away {
        true => Err(http::StatusCode::SERVICE_UNAVAILABLE),
        false => Ok(published.metadata.to_string()),
    }
}

async fn jwks(State(published): State<Shared>) -> String {
    let mut published = published.lock().unwrap();
    published.fetches.1 += 1;
    json!({ "keys": published.keys }).to_string()
}

async fn hello(Extension(caller): Extension<AgentCaller>, body: String) -> String {
    format!("{} says {body}", caller.claims.agent)
}

async fn serve(listener: TcpListener, app: Router) {
    axum::serve(listener, app).await.unwrap();
}

impl Stage {
    /// The service's setup is `with`'s.
    pub async fn new(with: impl FnOnce(VerifierSetup) -> VerifierSetup) -> Self {
        let listen = || TcpListener::bind("127.0.0.1:0");
        let (at_provider, at_service) = (listen().await.unwrap(), listen().await.unwrap());
        let origin = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let issuer = ServerId::parse_with_loopback(&origin(&at_provider)).unwrap();
        let provider = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
        let clock = Arc::new(ManualClock::new(NOW));
        let published: Shared = Shared::default();
        {
            let mut published = published.lock().unwrap();
            published.metadata = json!({
                "issuer": issuer.as_str(), "jwks_uri": format!("{issuer}/jwks.json"),
            });
            published.keys = vec![json!(provider.public_key().jwks_entry("p1"))];
        }
        let documents = Router::new()
            .route("/.well-known/aauth-agent.json", get(metadata))
            .route("/jwks.json", get(jwks))
            .with_state(published.clone());
        let setup = VerifierSetup {
            clock: clock.clone(),
            ..VerifierSetup::new(origin(&at_service).parse().unwrap(), vec![issuer.clone()])
        };
        let gate = Gate::new().agents(Verifier::new(with(setup)).unwrap()).body_max(4096);
        let app = Router::new()
            .route("/hello", post(hello))
            .route("/other", post(hello))
            .layer(middleware::from_fn_with_state(gate, require_caller));
        let origin = origin(&at_service);
        let servers =
            [tokio::spawn(serve(at_provider, documents)), tokio::spawn(serve(at_service, app))];
        let http = plain_client();
        Self { provider, issuer, clock, origin, published, http, servers }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How often metadata and keys were fetched.
    pub fn fetches(&self) -> (usize, usize) {
        self.published.lock().unwrap().fetches
    }

    pub fn publish(&self, kid: &str, key: &AgentKeyPair) {
        let entry = json!(key.public_key().jwks_entry(kid));
        self.published.lock().unwrap().keys.push(entry);
    }

    pub fn go_away(&self) {
        self.published.lock().unwrap().away = true;
    }

    /// Members of `bend` replace those of the metadata; null takes one away.
    pub fn bend_metadata(&self, bend: &Value) {
        let mut published = self.published.lock().unwrap();
        for (name, value) in bend.as_object().unwrap() {
            match value {
                Value::Null => drop(published.metadata.as_object_mut().unwrap().remove(name)),
                value => published.metadata[name] = value.clone(),
            }
        }
    }

    /// A token of the provider for `agent`; `bend` changes its `header` and `claims` before it is signed.
    pub fn token(&self, agent: &AgentKeyPair, bend: impl Fn(&mut Value)) -> String {
        self.token_by(&self.provider, agent, bend)
    }

    pub fn token_by(
        &self,
        signer: &AgentKeyPair,
        agent: &AgentKeyPair,
        bend: impl Fn(&mut Value),
    ) -> String {
        let now = self.now().seconds();
        let mut token = json!({
            "header": {"typ": "aa-agent+jwt", "alg": "Ed25519", "kid": "p1"},
            "claims": {
                "iss": self.issuer.as_str(), "dwk": "aauth-agent.json",
                "sub": "aauth:builder.1@agents.example.org", "jti": "t1",
                "cnf": {"jwk": agent.public_key().jwk()}, "iat": now, "exp": now + 86_000,
            },
        });
        bend(&mut token);
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&token["header"]), part(&token["claims"]));
        let signature = signer.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.bytes()))
    }

    /// Signs a POST to `/hello`.
    pub fn sign(
        &self,
        agent: &AgentKeyPair,
        source: &KeySource,
        body: &[u8],
    ) -> Vec<(&'static str, String)> {
        self.sign_with(agent, source, body, true)
    }

    pub fn sign_with(
        &self,
        agent: &AgentKeyPair,
        source: &KeySource,
        body: &[u8],
        digest: bool,
    ) -> Vec<(&'static str, String)> {
        let authority = self.origin.strip_prefix("http://").unwrap();
        let request = Request {
            method: "POST",
            authority,
            path: "/hello",
            query: None,
            https: false,
            fields: &[("content-type", "application/json")],
            body,
        };
        let signing = Signing { source, created: self.now(), components: &[], digest };
        fields_of(sign(&request, &signing, agent).unwrap())
    }

    pub async fn post(&self, agent: &AgentKeyPair, token: &str, body: &[u8]) -> Answer {
        let source = KeySource::Jwt { jwt: token.to_owned() };
        self.send(&self.sign(agent, &source, body), body).await
    }

    pub async fn send(&self, fields: &[(&'static str, String)], body: &[u8]) -> Answer {
        self.send_to("/hello", fields, body).await
    }

    pub async fn send_to(
        &self,
        path: &str,
        fields: &[(&'static str, String)],
        body: &[u8],
    ) -> Answer {
        let mut request = self.http.post(format!("{}{path}", self.origin)).body(body.to_vec());
        request = request.header("content-type", "application/json");
        for (name, value) in fields {
            request = request.header(*name, value);
        }
        let answer = request.send().await.unwrap();
        let field =
            |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        Answer {
            status: answer.status().as_u16(),
            error: field("signature-error"),
            schemes: field("accept-signature-scheme"),
            kind: field("content-type"),
            body: answer.text().await.unwrap(),
        }
    }
}

pub fn fields_of(signed: SignedFields) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("signature-key", signed.signature_key),
        ("signature-input", signed.signature_input),
        ("signature", signed.signature),
    ];
    fields.extend(signed.content_digest.map(|digest| ("content-digest", digest)));
    fields
}

/// A client without TLS: the library wants a configuration all the same.
fn plain_client() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
}
