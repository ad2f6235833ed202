//! JWT-SVIDs at the gate, over real HTTP: a trust domain of the test publishes its bundle.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use axum::routing::get;
use axum::{Extension, Router, middleware};
use landfall_crypto::jwt::JwtError;
use landfall_crypto::jwt_svid::{JwtSvid, SvidSigner};
use landfall_crypto::{Clock, KeyPair, ambient::ManualClock};
use landfall_identity::{Seconds, Timestamp, TrustDomain};
use landfall_verifier::{
    Gate, Roots, SvidCaller, SvidError, SvidSetup, SvidVerifier, require_caller,
};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const AUDIENCE: &str = "https://api.example.org";
const PAYMENTS: &str = "spiffe://example.org/tenant/home/workload/payments/ns/shop/cluster/prod";

fn signer() -> SvidSigner {
    SvidSigner::new(&KeyPair::generate().unwrap()).unwrap()
}

/// A trust domain: its keys, how often they were fetched, and who checks by them.
struct Domain {
    clock: Arc<ManualClock>,
    bundle: Arc<Mutex<String>>,
    fetches: Arc<AtomicUsize>,
    svids: SvidVerifier,
}

async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

impl Domain {
    async fn new(signer: &SvidSigner) -> Self {
        let (bundle, fetches) = (Arc::new(Mutex::new(String::new())), Arc::default());
        let (document, counted) = (Arc::clone(&bundle), Arc::<AtomicUsize>::clone(&fetches));
        let published = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let document = document.lock().unwrap().clone();
            async move { document }
        };
        let address = serve(Router::new().route("/bundle", get(published))).await;
        let clock = Arc::new(ManualClock::new(NOW));
        let svids = SvidVerifier::new(SvidSetup {
            trust_domain: TrustDomain::parse("example.org").unwrap(),
            bundle: format!("http://{address}/bundle").parse().unwrap(),
            audience: AUDIENCE.to_owned(),
            roots: Roots::Platform,
            clock: clock.clone(),
        })
        .unwrap();
        let domain = Self { clock, bundle, fetches, svids };
        domain.publish(signer);
        domain
    }

    fn publish(&self, signer: &SvidSigner) {
        let document = json!({ "keys": [signer.jwk()], "spiffe_refresh_hint": 300 });
        *self.bundle.lock().unwrap() = document.to_string();
    }

    fn token(&self, signer: &SvidSigner, id: &str, audience: &str) -> String {
        let issued_at = self.clock.now();
        let svid = JwtSvid {
            spiffe_id: id.parse().unwrap(),
            audience: vec![audience.to_owned()],
            issued_at,
            expires_at: issued_at + Seconds::hours(1),
        };
        signer.sign(&svid).unwrap()
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_token_names_a_workload_of_this_domain_to_this_service_in_its_hour() {
    let key = signer();
    let domain = Domain::new(&key).await;
    let token = domain.token(&key, PAYMENTS, AUDIENCE);
    let caller = domain.svids.verify_jwt(&token).await.unwrap();
    assert_eq!(caller.spiffe_id.to_string(), PAYMENTS);
    assert_eq!(caller.expires_at, NOW + Seconds::hours(1));
    let other = domain.token(&key, PAYMENTS, "https://bank.example.org");
    let refused = domain.svids.verify_jwt(&other).await;
    assert!(matches!(refused, Err(SvidError::Token(JwtError::Malformed))));
    let strange = PAYMENTS.replace("example.org", "another.org");
    let refused = domain.svids.verify_jwt(&domain.token(&key, &strange, AUDIENCE)).await;
    assert!(matches!(refused, Err(SvidError::Name)));
    for nonsense in ["", "a.b.c", &token[..token.len() - 8]] {
        assert!(domain.svids.verify_jwt(nonsense).await.is_err(), "{nonsense}");
    }
    assert_eq!(domain.fetches(), 1);
    domain.clock.advance(Seconds::hours(1));
    let over = domain.svids.verify_jwt(&token).await;
    assert!(matches!(over, Err(SvidError::Token(JwtError::Expired))));
    // A bundle without authorities vouches for no certificate.
    assert!(matches!(domain.svids.verify_x509(&[]).await, Err(SvidError::Certificate)));
}

#[tokio::test]
async fn a_key_that_is_new_is_looked_for_once_a_minute() {
    let (key, next) = (signer(), signer());
    let domain = Domain::new(&key).await;
    let by_next = domain.token(&next, PAYMENTS, AUDIENCE);
    for _ in 0..3 {
        let refused = domain.svids.verify_jwt(&by_next).await;
        assert!(matches!(refused, Err(SvidError::Token(JwtError::UnknownKey))));
    }
    assert_eq!(domain.fetches(), 1);
    domain.publish(&next);
    domain.clock.advance(Seconds(61));
    assert!(domain.svids.verify_jwt(&by_next).await.is_ok());
    assert_eq!(domain.fetches(), 2);
    // The bundle says how soon it wants to be read again.
    domain.clock.advance(Seconds(301));
    assert!(domain.svids.verify_jwt(&by_next).await.is_ok());
    assert_eq!(domain.fetches(), 3);
}

async fn whoami(Extension(caller): Extension<SvidCaller>) -> String {
    caller.spiffe_id.to_string()
}

/// One GET, by hand: the head of the answer and its body.
async fn ask(address: &str, field: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{field}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_gate_takes_a_bearer_and_says_what_it_wants_otherwise() {
    let key = signer();
    let domain = Domain::new(&key).await;
    let gate = Gate::new().workloads(domain.svids.clone());
    let app = Router::new()
        .route("/me", get(whoami))
        .layer(middleware::from_fn_with_state(gate, require_caller));
    let address = serve(app).await;
    let token = domain.token(&key, PAYMENTS, AUDIENCE);
    let answer = ask(&address, &format!("Authorization: bearer {token}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(PAYMENTS), "{answer}");
    let answer = ask(&address, "Authorization: Bearer nonsense\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("www-authenticate: Bearer error=\"invalid_token\""), "{answer}");
    let answer = ask(&address, "").await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}
