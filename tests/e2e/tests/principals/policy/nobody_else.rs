//! Every route of the product's own table, tried by whoever is no person: a machine that stands for itself, an
//! agent, a workload. Each shows everything that it has; what is people's is within reach of none.

use super::super::provisioned::{opened, pinned, provision, server_key};
use super::super::workloads::stage::Stage;
use super::matrix::path;
use landfall_client::words::Role;
use landfall_crypto::KeyPair;
use landfall_crypto::aauth::{Algorithm, ServerId};
use landfall_identity::action::Entry;
use landfall_identity::spiffe::PrincipalKind;
use landfall_protocol::{ErrorCode, paths};
use landfall_server::config::AgentsConfig;
use landfall_server::http::{RouteInfo, routes};
use landfall_test_support::{Answer, Person, Raw, SoftAgent, Through, World, readable_body};
use reqwest::Method;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

/// Somebody with a connection of their own, and what they show on it.
struct Caller {
    name: &'static str,
    raw: Raw,
    shows: Option<String>,
}

impl Caller {
    async fn ask(&self, route: &RouteInfo) -> Answer {
        let method = Method::from_bytes(route.method.as_bytes()).unwrap();
        let (path, body) = (path(route), readable_body(route));
        self.raw.send(method, &path, self.shows.as_deref(), body.as_ref()).await.unwrap()
    }
}

async fn stage() -> (Stage, Person) {
    let with_agents = |config: &mut landfall_server::Config| {
        let issuer = ServerId::parse("https://agents.example.org").ok();
        config.agents = Some(AgentsConfig { issuer, ..AgentsConfig::default() });
    };
    let stage = Stage::with(with_agents).await;
    let ana = stage.world.admin("ana").await.unwrap();
    (stage, ana)
}

async fn machine(world: &World, ana: &Person) -> Caller {
    let olga = world.invited_as(ana, "olga", Role::Operator).await.unwrap();
    let made = provision(&olga, server_key("build-7")).await.unwrap();
    let raw = pinned(world, &opened(&made).1);
    let session = raw.session().await.unwrap().token;
    Caller { name: "a machine", raw, shows: Some(session) }
}

/// An agent of Ana's, with its token.
async fn agent(world: &World, ana: &Person) -> (SoftAgent, Caller) {
    let agent = SoftAgent::new(world, Algorithm::Ed25519, Through::Tls).unwrap();
    let made = ana.client().make_agent_code(Some("hers".into()), None, &ana.shell).await;
    let body = json!({ "enrollment_token": made.ok().unwrap().text.as_str() });
    assert_eq!(agent.post(paths::AGENT_ENROLL, &body).await.unwrap().status, 201);
    let granted = agent.post(paths::AGENT_REFRESH, &json!({})).await.unwrap();
    let token = granted.body["agent_token"].as_str().unwrap().to_owned();
    let raw = Raw::stranger(world).unwrap();
    (agent, Caller { name: "an agent", raw, shows: Some(token) })
}

/// A pod, with both of its SVIDs.
async fn workload(stage: &Stage) -> Caller {
    let key = KeyPair::generate().unwrap();
    let jwt = stage.granted(&stage.pod_token(), &key, &["landfall"]).await.jwt_svid;
    let issued = stage.granted(&stage.pod_token(), &key, &[]).await;
    let chain = issued.certificate_chain.unwrap();
    let leaf = CertificateDer::from_pem_slice(chain.as_bytes()).unwrap();
    let raw = Raw::showing(&stage.world, &key, leaf.to_vec()).unwrap();
    Caller { name: "a workload", raw, shows: jwt }
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_agents_and_workloads_reach_nothing_of_peoples_on_any_route() {
    let (stage, ana) = stage().await;
    let world = &stage.world;
    let machine = machine(world, &ana).await;
    let (signer, agent) = agent(world, &ana).await;
    let workload = workload(&stage).await;
    let things = "SELECT (SELECT COUNT(*) FROM users) || ' ' || (SELECT COUNT(*) FROM enrollments)
                  || ' ' || (SELECT COUNT(*) FROM secrets) || ' ' || (SELECT COUNT(*) FROM tokens)
                  || ' ' || (SELECT COUNT(*) FROM passkeys) || ' ' || (SELECT COUNT(*) FROM agents)
                  || ' ' || (SELECT COUNT(*) FROM policies) || ' ' || (SELECT COUNT(*) FROM outbox)";
    let count = || world.database().unwrap().query_row(things, [], |row| row.get::<_, String>(0));
    let before = count().unwrap();
    let mut tried = 0;
    for route in routes() {
        let demand = route.action.demand();
        if !matches!(demand.entry, Entry::Session(_) | Entry::Connection) {
            continue;
        }
        for caller in [&machine, &agent, &workload] {
            let is_machines = demand.kinds.contains(&PrincipalKind::ProvisionedDevice);
            let expected: &[ErrorCode] = match caller.name {
                // Its own affairs, among them the end of its session.
                "a machine" if is_machines => continue,
                // What is not one's own is not there, where it is looked for first.
                "a machine" => &[ErrorCode::Forbidden, ErrorCode::NotFound],
                "a workload" => &[ErrorCode::NotEnrolled],
                _ => &[ErrorCode::CertificateRequired],
            };
            let at = format!("{} {} as {}", route.method, route.path, caller.name);
            let answer = caller.ask(route).await;
            tried += 1;
            assert!(answer.status >= 400, "{at}: {answer:?}");
            assert!(expected.contains(&answer.code()), "{at}: {answer:?}");
        }
        // Nor by the signature that its own routes take.
        if route.method == "POST" {
            let body = readable_body(route).unwrap_or_else(|| json!({}));
            let answer = signer.post(&path(route), &body).await.unwrap();
            assert_eq!(answer.code(), ErrorCode::CertificateRequired, "{} signed", route.path);
            tried += 1;
        }
    }
    assert!(tried > 300, "only {tried} were tried");
    assert_eq!(count().unwrap(), before, "what was refused has changed nothing");
}

/// What speaks for one kind opens no door of another.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_an_agent_is_served_where_agents_sign() {
    let (stage, ana) = stage().await;
    let world = &stage.world;
    let machine = machine(world, &ana).await;
    let workload = workload(&stage).await;
    let raw = Raw::of(&ana.machine).unwrap();
    let strong = ana.client().step_up(None, None, &ana.shell).await.unwrap().token.to_string();
    let person = Caller { name: "a person", raw, shows: Some(strong) };
    let mut tried = 0;
    for route in routes().iter().filter(|route| route.action.demand().entry == Entry::AgentKey) {
        for caller in [&machine, &workload, &person] {
            let answer = caller.ask(route).await;
            let at = format!("{} {} as {}", route.method, route.path, caller.name);
            assert!((400..500).contains(&answer.status), "{at}: {answer:?}");
            tried += 1;
        }
    }
    assert!(tried >= 15, "only {tried} were tried");
    assert_eq!(world.number("SELECT COUNT(*) FROM agents").unwrap(), 0);
}
