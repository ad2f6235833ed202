//! A service that lets agents in, on a port of this machine.

use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use landfall_crypto::ambient::Clock;
use landfall_verifier::{
    AgentCaller, Gate, Roots, ServerId, Verifier, VerifierSetup, require_caller,
};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

pub struct Service {
    pub origin: String,
    server: JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn hello(Extension(caller): Extension<AgentCaller>, body: String) -> String {
    format!("{} says {body}", caller.claims.agent)
}

impl Service {
    /// A service that lets agents of `issuer` in, whose server it knows by `roots`.
    pub async fn new(issuer: ServerId, roots: Roots, clock: Arc<dyn Clock>) -> Self {
        Self::serving(|origin| {
            let setup = VerifierSetup { roots, clock, ..VerifierSetup::new(origin, vec![issuer]) };
            let gate = Gate::new().agents(Verifier::new(setup).unwrap());
            Router::new()
                .route("/hello", post(hello).get(hello))
                .layer(middleware::from_fn_with_state(gate, require_caller))
        })
        .await
    }

    /// Any service.
    pub async fn serving(app: impl FnOnce(Url) -> Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let app = app(origin.parse().unwrap()).route("/alive", get(async || ()));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { origin, server }
    }

    pub fn at(&self, path: &str) -> Url {
        format!("{}{path}", self.origin).parse().unwrap()
    }
}
