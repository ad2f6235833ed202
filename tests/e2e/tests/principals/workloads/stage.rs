//! A server that takes the word of a cluster and of a forge, both at hand.

use landfall_crypto::csr::build_csr;
use landfall_crypto::{KeyPair, Signer};
use landfall_identity::Seconds;
use landfall_identity::workload::{IssuerName, KEYS_PER_POD_AND_HOUR, Mapping, Platform};
use landfall_protocol::workload::WorkloadIssued;
use landfall_protocol::{ErrorCode, paths};
use landfall_server::Config;
use landfall_server::config::WorkloadIssuerConfig;
use landfall_test_support::{Answer, PlatformServer, Raw, TokenKey, World};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What tokens must be made for.
pub const AUDIENCE: &str = "https://id.example.org";
/// Who the pod is.
pub const PAYMENTS: &str =
    "spiffe://landfall.local/tenant/home/workload/payments/ns/shop/cluster/prod";
/// Who the job is.
pub const RELEASER: &str =
    "spiffe://landfall.local/tenant/home/workload/releaser/ns/65/cluster/github";

/// The server, the platforms, and a key of each.
pub struct Stage {
    pub world: World,
    pub cluster: PlatformServer,
    pub forge: PlatformServer,
    pub cluster_key: TokenKey,
    pub forge_key: TokenKey,
}

/// A platform's entry in the configuration.
pub fn entry(
    name: &str,
    platform: Platform,
    server: &PlatformServer,
    folder: &Path,
) -> WorkloadIssuerConfig {
    let ca_file = folder.join(format!("{name}.pem"));
    std::fs::write(&ca_file, &server.certificate_pem).unwrap();
    WorkloadIssuerConfig {
        name: IssuerName::parse(name).unwrap(),
        platform,
        issuer: server.issuer(),
        audience: AUDIENCE.to_owned(),
        cluster: None,
        keys_url: None,
        ca_file: Some(ca_file),
        token_lifetime_max_seconds: 3600,
        keys_per_pod_and_hour: KEYS_PER_POD_AND_HOUR,
        mappings: Vec::new(),
    }
}

/// What the releasing job of one repository says, exactly.
pub fn releasing() -> Mapping {
    let claims = [("repository_id", "74"), ("ref", "refs/heads/main")];
    let claims: BTreeMap<String, String> =
        claims.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let service_account = Some("releaser".parse().unwrap());
    Mapping { claims, service_account, namespace: None }
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(edit: impl FnOnce(&mut Config)) -> Self {
        let cluster = PlatformServer::start().await.unwrap();
        let forge = PlatformServer::start().await.unwrap();
        let cluster_key = TokenKey::rs256("cluster-1").unwrap();
        let forge_key = TokenKey::rs256("forge-1").unwrap();
        cluster.publish(&[&cluster_key]);
        forge.publish(&[&forge_key]);
        let configure = |config: &mut Config, folder: &Path| {
            config.egress_networks = vec!["127.0.0.0/8".parse()?];
            let mut github = entry("github", Platform::Github, &forge, folder);
            github.mappings = vec![releasing()];
            config.workload_issuers =
                vec![entry("prod", Platform::Kubernetes, &cluster, folder), github];
            edit(config);
            Ok(())
        };
        let world = World::configured(configure).await.unwrap();
        Self { world, cluster, forge, cluster_key, forge_key }
    }

    /// What the cluster says of a pod, as it projects it into a volume.
    pub fn pod(&self) -> Value {
        let now = self.world.clock_now();
        json!({
            "iss": self.cluster.issuer(), "aud": [AUDIENCE], "iat": now, "nbf": now,
            "exp": now + 3600, "sub": "system:serviceaccount:shop:payments",
            "jti": "c0ffee00-0000-4000-8000-000000000000",
            "kubernetes.io": {
                "namespace": "shop",
                "node": { "name": "node-1", "uid": "node-uid-1" },
                "pod": { "name": "payments-7d9", "uid": "pod-uid-1" },
                "serviceaccount": { "name": "payments", "uid": "account-uid-1" },
            },
        })
    }

    /// What the forge says of a job, as it hands it out.
    pub fn job(&self, jti: &str) -> Value {
        let now = self.world.clock_now();
        json!({
            "iss": self.forge.issuer(), "aud": AUDIENCE, "iat": now, "nbf": now - 5,
            "exp": now + 300, "sub": "repo:acme/shop:ref:refs/heads/main", "jti": jti,
            "repository": "acme/shop", "repository_id": "74", "repository_owner": "acme",
            "repository_owner_id": "65", "ref": "refs/heads/main", "run_id": "1001",
            "event_name": "push", "runner_environment": "github-hosted",
        })
    }

    pub fn pod_token(&self) -> String {
        self.cluster_key.sign(&self.pod()).unwrap()
    }

    pub fn job_token(&self, jti: &str) -> String {
        self.forge_key.sign(&self.job(jti)).unwrap()
    }

    /// One exchange, by nobody in particular.
    pub async fn exchange(&self, token: &str, key: &KeyPair, audience: &[&str]) -> Answer {
        let stranger = Raw::stranger(&self.world).unwrap();
        let body = exchange_body(token, key, audience);
        let path = paths::WORKLOAD_EXCHANGE;
        stranger.send(Method::POST, path, None, Some(&body)).await.unwrap()
    }

    /// One exchange that must succeed.
    pub async fn granted(&self, token: &str, key: &KeyPair, audience: &[&str]) -> WorkloadIssued {
        issued(&self.exchange(token, key, audience).await)
    }

    /// One exchange with a key of its own that must not succeed.
    pub async fn refused(&self, token: &str) -> ErrorCode {
        self.exchange(token, &KeyPair::generate().unwrap(), &[]).await.code()
    }

    /// Rows of the audit about exchanges: who, how it ended, why.
    pub fn rows(&self) -> Vec<(String, String, String)> {
        let database = self.world.database().unwrap();
        let sql = "SELECT actor, outcome, COALESCE(reason, '') FROM audit_events
                   WHERE action = 'exchange-workload' ORDER BY rowid";
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Lets time pass without the server's noticing: less than a jump of its clock.
    pub fn wait(&self, span: Seconds) {
        self.world.clock.advance(span);
    }
}

/// Times as tokens write them.
pub trait ClockNow {
    fn clock_now(&self) -> i64;
}

impl ClockNow for World {
    fn clock_now(&self) -> i64 {
        self.ambient.now().seconds()
    }
}

pub fn exchange_body(token: &str, key: &dyn Signer, audience: &[&str]) -> Value {
    let csr = build_csr(key).unwrap();
    let csr = pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", csr));
    json!({ "token": token, "csr": csr, "audience": audience })
}

pub fn issued(answer: &Answer) -> WorkloadIssued {
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_value(answer.body.clone()).unwrap()
}

/// What openssl, on its own, says of a chain below these roots at that time.
pub fn openssl_verify(chain: &str, roots: &str, at: i64, purpose: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let blocks = pem::parse_many(chain).unwrap();
    let leaf = write("leaf.pem", &pem::encode(&blocks[0]));
    let issuer = write("issuer.pem", &pem::encode_many(&blocks[1..]));
    let roots = write("roots.pem", roots);
    let output = Command::new("openssl")
        .args(["verify", "-x509_strict", "-purpose", purpose, "-attime", &at.to_string()])
        .arg("-CAfile")
        .arg(roots)
        .arg("-untrusted")
        .arg(issuer)
        .arg(leaf)
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into()),
    }
}
