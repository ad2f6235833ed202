//! A key speaks for one alone: what a machine or a workload holds becomes no agent's by any door, and what an
//! agent holds becomes nobody else's.

use super::*;
use crate::workloads::stage::{ClockNow, Stage};
use landfall_client::WantedKey;
use landfall_client::reveal;
use landfall_client::words::{CredentialFacts, MachineRole};
use landfall_crypto::aauth::AgentKeyPair;
use landfall_crypto::csr::build_csr;
use landfall_crypto::self_signed::self_signed;
use landfall_crypto::token::TokenText;
use landfall_crypto::{KeyPair, httpsig};
use landfall_identity::{DeviceName, Seconds};
use landfall_protocol::ErrorCode;
use landfall_test_support::{Bare, Raw};
use reqwest::Method;

async fn stage() -> (Stage, Person) {
    let stage = Stage::with(|config| {
        let issuer = Some(ServerId::parse(ISSUER).unwrap());
        config.agents = Some(AgentsConfig { issuer, ..AgentsConfig::default() });
    })
    .await;
    let ana = stage.world.admin("ana").await.unwrap();
    (stage, ana)
}

/// The key that is handed out for a new machine.
async fn machine_key(by: &Person) -> KeyPair {
    let wanted = WantedKey {
        device: DeviceName::parse("build-7").unwrap(),
        role: Some(MachineRole::parse("server").unwrap()),
        ttl: None,
        words: Some(4),
    };
    let made = by.client().provision(wanted, &by.shell).await;
    let made = made.map_err(|failure| failure.code()).unwrap();
    let text = reveal(&made.file, &made.passphrase).unwrap();
    CredentialFacts::parse(text.expose()).unwrap().1
}

fn with_key(world: &World, key: &KeyPair) -> SoftAgent {
    let mut agent = agent(world, Algorithm::Es256);
    agent.key = AgentKeyPair::from_pkcs8(key.to_pkcs8().unwrap().expose()).unwrap();
    agent
}

fn csr(key: &KeyPair) -> String {
    pem::encode(&pem::Pem::new("CERTIFICATE REQUEST", build_csr(key).unwrap()))
}

/// What each of the agents' doors says to a key.
async fn tried(world: &World, ana: &Person, key: &KeyPair, parent: &SoftAgent) -> Vec<Answer> {
    let taken = with_key(world, key);
    let body = enrol_body(&taken, "planted", Some(&code(ana, None).await));
    let token = refresh(parent).await;
    let part = json!({ "discriminator": "planted", "cnf_jwk": taken.jwk().unwrap() });
    let part = parent.by_token(paths::SUB_AGENT_TOKEN, &part, text(&token, "agent_token"));
    let pairing = json!({ "user": "ana", "agent": "planted" });
    vec![
        taken.post(paths::AGENT_ENROL, &body).await.unwrap(),
        taken.unsigned(paths::AGENT_ENROL, &body).await.unwrap(),
        parent.send(&part, &parent.key).await.unwrap(),
        taken.post(paths::PAIRING_BEGIN, &pairing).await.unwrap(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_machines_and_of_workloads_become_no_agents_by_any_door() {
    let (stage, ana) = stage().await;
    let world = &stage.world;
    let parent = enrolled(world, &ana, Algorithm::Es256, "research").await;
    let (pod, job) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    stage.granted(&stage.pod_token(), &pod, &[]).await;
    stage.granted(&stage.job_token("job-1"), &job, &[]).await;
    // The job's token is over, its SVID is not.
    stage.wait(Seconds::minutes(20));
    let device = KeyPair::from_pkcs8(&ana.machine.key_file().unwrap()).unwrap();
    let machine = machine_key(&ana).await;
    for (whose, key) in
        [("a device", &device), ("a machine", &machine), ("a pod", &pod), ("a job", &job)]
    {
        for answer in tried(world, &ana, key, &parent).await {
            assert_eq!((answer.status, text(&answer, "error")), (400, "invalid_key"), "{whose}");
        }
    }
    assert_eq!(unused(&ana).await, 4, "no refusal used a code up");
    assert_eq!(world.number("SELECT COUNT(*) FROM agents").unwrap(), 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM agent_pairings").unwrap(), 0);
    // A workload has its key for as long as an SVID of it lives.
    let before = world.clock_now();
    stage.wait(Seconds::hours(1));
    assert_eq!(world.clock_now(), before + 3600);
    let free = with_key(world, &job);
    let body = enrol_body(&free, "freed", Some(&code(&ana, Some("freed")).await));
    assert_eq!(free.post(paths::AGENT_ENROL, &body).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_agents_and_of_workloads_become_no_devices_and_no_machines() {
    let (stage, ana) = stage().await;
    let world = &stage.world;
    let agent = enrolled(world, &ana, Algorithm::Es256, "research").await;
    let agents = KeyPair::from_pkcs8(agent.key.to_pkcs8().unwrap().expose()).unwrap();
    let pod = KeyPair::generate().unwrap();
    stage.granted(&stage.pod_token(), &pod, &[]).await;
    let machine = machine_key(&ana).await;
    let long_ago = world.ambient.now() - Seconds::days(1000);
    let own = self_signed(&machine, long_ago, long_ago + Seconds::days(1)).unwrap();
    let machine_raw = Raw::showing(world, &machine, own).unwrap();
    let session = machine_raw.session().await.unwrap().token;
    let stranger = Raw::stranger(world).unwrap();
    let text = ana.device_token("ana-phone").await.unwrap();
    let token = TokenText::parse(&text).unwrap();
    for (whose, key) in [("an agent", &agents), ("a workload", &pod)] {
        let redeem = json!({
            "token_id": token.payload.id, "auth": token.secret.auth().to_text().as_str(),
            "csr": csr(key),
        });
        let post = async |path| stranger.send(Method::POST, path, None, Some(&redeem)).await;
        let answer = post(paths::CERT_ISSUE).await.unwrap();
        assert_eq!(answer.code(), ErrorCode::KeyInUse, "{whose}");
        let mut bare = Bare::new(world).unwrap();
        bare.key = KeyPair::from_pkcs8(key.to_pkcs8().unwrap().expose()).unwrap();
        for path in [paths::RECOVERY_BEGIN, paths::LINK_BEGIN] {
            let begun = bare.post(path, &bare.begin_body("ana", "planted").unwrap()).await;
            assert_eq!(begun.unwrap().code(), ErrorCode::KeyInUse, "{whose} at {path}");
        }
        let claim = json!({ "csr": csr(key) });
        let path = paths::CLAIM_CREDENTIAL;
        let claimed = machine_raw.send(Method::POST, path, Some(&session), Some(&claim)).await;
        assert_eq!(claimed.unwrap().code(), ErrorCode::KeyInUse, "{whose}");
        assert_eq!(renewed(world, key).await, ErrorCode::SignatureInvalid, "{whose}");
    }
    // Nor a workload's; and the token is as good as before.
    for (whose, key) in [("an agent", &agents), ("a machine", &machine)] {
        let answer = stage.exchange(&stage.pod_token(), key, &[]).await;
        assert_eq!(answer.code(), ErrorCode::KeyInUse, "{whose}");
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM enrollments").unwrap(), 2);
    let phone = json!({
        "token_id": token.payload.id, "auth": token.secret.auth().to_text().as_str(),
        "csr": csr(&KeyPair::generate().unwrap()),
    });
    let answer = stranger.send(Method::POST, paths::CERT_ISSUE, None, Some(&phone)).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// What a renewal by this key comes to.
async fn renewed(world: &World, key: &KeyPair) -> ErrorCode {
    let (authority, body) = (world.server().https_addr.to_string(), "{}");
    let request = httpsig::Request {
        method: "POST",
        authority: &authority,
        path: paths::CERT_RENEW,
        body: body.as_bytes(),
    };
    let signed = httpsig::sign_renewal(&request, world.ambient.now(), key).unwrap();
    let fields = [
        ("content-type", "application/json"),
        ("content-digest", signed.content_digest.as_str()),
        ("signature-input", signed.signature_input.as_str()),
        ("signature", signed.signature.as_str()),
    ];
    let raw = Raw::stranger(world).unwrap();
    raw.send_text(Method::POST, paths::CERT_RENEW, &fields, body).await.unwrap().code()
}
