//! A workload's side of the server: no device, no profile, nothing on disk. What it shows is its
//! platform's token.

use crate::failure::Failure;
use crate::http::{Http, Request};
use crate::loss::Loss;
use crate::texts;
use landfall_crypto::csr::build_csr;
use landfall_crypto::secret::SecretText;
use landfall_crypto::server_line::ServerLine;
use landfall_crypto::token::Trust;
use landfall_crypto::{Ambient, Signer};
use landfall_protocol::workload::{WorkloadExchangeRequest, WorkloadIssued};
use landfall_protocol::{ErrorCode, paths};
use reqwest::Method;
use zeroize::{Zeroize, Zeroizing};

/// Where workloads get their SVIDs.
pub struct WorkloadDoor {
    http: Http,
    trust: Trust,
}

impl WorkloadDoor {
    /// The door of a server. Nothing is connected yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(server: &ServerLine, ambient: &Ambient) -> Result<Self, Failure> {
        let http = Http::new(&server.url, server.trust, None, ambient)?;
        Ok(Self { http, trust: server.trust })
    }

    /// Exchanges a platform's token for an X.509-SVID of `key`, or a JWT-SVID for `audience`. The same
    /// token and key may be sent again.
    ///
    /// # Errors
    /// What the server says: `workload-token-invalid`, `workload-unknown`, ...
    pub async fn exchange(
        &self,
        token: &SecretText,
        key: &dyn Signer,
        audience: &[String],
    ) -> Result<WorkloadIssued, Failure> {
        let unusable = || Failure::new(ErrorCode::KeyUnavailable, texts::KEY_UNAVAILABLE);
        let csr = build_csr(key).map_err(|_| unusable())?;
        let csr = pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", csr));
        let mut body =
            WorkloadExchangeRequest { token: token.to_string(), csr, audience: audience.to_vec() };
        let written = serde_json::to_vec(&body);
        body.token.zeroize();
        let mut request = Request::new(Method::POST, paths::WORKLOAD_EXCHANGE);
        request.body = Some(Zeroizing::new(written.map_err(|_| unusable())?));
        request.repeatable = true;
        request.loss = Loss::Again;
        let answer = self.send(&request).await?;
        serde_json::from_slice(&answer)
            .map_err(|_| Failure::new(ErrorCode::AnswerUnreadable, texts::UNREADABLE))
    }

    /// The trust bundle (SPIFFE Trust Domain and Bundle, section 4).
    ///
    /// # Errors
    /// What the server says.
    pub async fn bundle(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.send(&Request::new(Method::GET, paths::SPIFFE_BUNDLE)).await
    }

    /// Whoever wrote the job's configuration typed the line.
    async fn send(&self, request: &Request) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.http.send(request).await.map_err(|failed| failed.by_typed_line(self.trust))
    }
}
