//! A key that was only named: it has a token and nothing else, and is soon forgotten.

use super::*;
use landfall_identity::Seconds;
use landfall_protocol::agent::AgentStateName;
use landfall_server::Server;
use landfall_test_support::Raw;
use landfall_test_support::agent::claims;
use reqwest::Method;

#[tokio::test(flavor = "multi_thread")]
async fn who_only_names_a_key_has_nothing_until_that_key_signs() {
    let (world, ana) = world(Profile::Compatible).await;
    let agent = agent(&world, Algorithm::Es256);
    let mut body = enrol_body(&agent, "quiet", Some(&code(&ana, None).await));
    body["ps"] = "https://person.example.org".into();
    let answer = agent.unsigned(paths::AGENT_ENROL, &body).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let said = claims(text(&answer, "agent_token")).unwrap();
    assert_eq!(said["assurance"], "unproven");
    for nothing in ["ps", "spiffe_id", "parent_agent"] {
        assert!(said.get(nothing).is_none(), "{nothing}: {said}");
    }
    let keys = paths::fill(paths::AGENT_KEYS, &[name("quiet").as_str()]);
    assert_eq!(agent.get(&keys).await.unwrap().status, 404);
    assert_eq!(ana.client().agents().await.unwrap()[0].state, AgentStateName::Unproven);
    // Nor does it make parts of itself.
    let part = SoftAgent::new(&world, Algorithm::Ed25519, Through::Tls).unwrap();
    let body = json!({ "discriminator": "part", "cnf_jwk": part.jwk().unwrap() });
    let message = agent.by_token(paths::SUB_AGENT_TOKEN, &body, text(&answer, "agent_token"));
    refused(&agent.send(&message, &agent.key).await.unwrap(), 403, "not_enrolled");
    // The audit knows of no agent that acted.
    let actors = "SELECT COUNT(*) FROM audit_events WHERE action = 'enroll-agent'
                  AND outcome = 'allow' AND actor = 'stranger'";
    assert_eq!(world.number(actors).unwrap(), 1);

    let token = refresh(&agent).await;
    assert_eq!(token.status, 200, "{}", token.body);
    let said = claims(text(&token, "agent_token")).unwrap();
    assert_eq!(said["ps"], "https://person.example.org");
    assert!(said["spiffe_id"].is_string() && said.get("assurance").is_none());
    assert_eq!(agent.get(&keys).await.unwrap().status, 200);
    assert_eq!(ana.client().agents().await.unwrap()[0].state, AgentStateName::Active);
}

/// Bert knows the public half of the key that Ana's agent will come with, and names it first.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_somebody_else_has_named_comes_in_by_its_own_owners_code() {
    let (world, ana) = world(Profile::Compatible).await;
    let bert = world.invited(&ana, "bert").await.unwrap();
    let agent = agent(&world, Algorithm::Ed25519);
    let mut body = enrol_body(&agent, "bertbot", Some(&code(&bert, None).await));
    body["ps"] = "https://evil.example.org".into();
    assert_eq!(agent.unsigned(paths::AGENT_ENROL, &body).await.unwrap().status, 200);
    // A signature with a code that is none proves nothing for Bert either.
    let mut wrong = enrol_body(&agent, "anabot", Some("la1.nothing"));
    wrong["ps"] = "https://person.example.org".into();
    let refused_one = agent.post(paths::AGENT_ENROL, &wrong).await.unwrap();
    refused(&refused_one, 403, "invalid_enrollment_token");
    let mut right = enrol_body(&agent, "anabot", Some(&code(&ana, None).await));
    right["ps"] = "https://person.example.org".into();
    let enrolled = agent.post(paths::AGENT_ENROL, &right).await.unwrap();
    assert_eq!(enrolled.status, 200, "{}", enrolled.body);
    let said = claims(text(&enrolled, "agent_token")).unwrap();
    assert_eq!(
        (&said["sub"], &said["ps"]),
        (&json!(name("anabot")), &json!("https://person.example.org"))
    );
    assert!(bert.client().agents().await.unwrap().is_empty());
    assert_eq!(ana.client().agents().await.unwrap()[0].agent, name("anabot"));
}

/// What was said before the key has signed is no word of its own.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_says_itself_whom_it_acts_for() {
    let (world, ana) = world(Profile::Compatible).await;
    let agent = agent(&world, Algorithm::Es256);
    let mut body = enrol_body(&agent, "quiet", Some(&code(&ana, None).await));
    body["ps"] = "https://evil.example.org".into();
    assert_eq!(agent.unsigned(paths::AGENT_ENROL, &body).await.unwrap().status, 200);
    let mine = json!({ "ps": "https://person.example.org" });
    let token = agent.post(paths::AGENT_REFRESH, &mine).await.unwrap();
    assert_eq!(token.status, 200, "{}", token.body);
    assert_eq!(claims(text(&token, "agent_token")).unwrap()["ps"], "https://person.example.org");
    let other = json!({ "ps": "https://evil.example.org" });
    refused(&agent.post(paths::AGENT_REFRESH, &other).await.unwrap(), 403, "ps_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_never_signs_is_gone_in_an_hour_and_the_name_is_free() {
    let (mut world, ana) = world(Profile::Compatible).await;
    let squatter = agent(&world, Algorithm::Ed25519);
    let spent = code(&ana, None).await;
    let body = enrol_body(&squatter, "wanted", Some(&spent));
    assert_eq!(squatter.unsigned(paths::AGENT_ENROL, &body).await.unwrap().status, 200);
    let owner = agent(&world, Algorithm::Ed25519);
    let mine = code(&ana, None).await;
    let body = enrol_body(&owner, "wanted", Some(&mine));
    refused(&owner.post(paths::AGENT_ENROL, &body).await.unwrap(), 409, "agent_id_taken");

    world.pass(Seconds::hours(1)).await.unwrap();
    refused(&refresh(&squatter).await, 403, "not_enrolled");
    assert!(ana.client().agents().await.unwrap().is_empty());
    let mine = code(&ana, None).await;
    let body = enrol_body(&owner, "wanted", Some(&mine));
    assert_eq!(owner.post(paths::AGENT_ENROL, &body).await.unwrap().status, 200);
    assert_eq!(refresh(&owner).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_names_somebody_elses_key_again_learns_and_changes_nothing() {
    let (world, ana) = world(Profile::Compatible).await;
    let agent_one = agent(&world, Algorithm::Ed25519);
    let mut body = enrol_body(&agent_one, "one", Some(&code(&ana, None).await));
    body["ps"] = "https://person.example.org".into();
    assert_eq!(agent_one.post(paths::AGENT_ENROL, &body).await.unwrap().status, 200);
    let stranger = agent(&world, Algorithm::Ed25519);
    let mut named = enrol_body(&agent_one, "one", None);
    named["ps"] = "https://evil.example.org".into();
    let answer = stranger.unsigned(paths::AGENT_ENROL, &named).await.unwrap();
    assert_eq!(answer.status, 200, "a lost answer is asked for again: {}", answer.body);
    let said = claims(text(&answer, "agent_token")).unwrap();
    assert!(said.get("ps").is_none() && said["assurance"] == "unproven", "{said}");
    let said = claims(text(&refresh(&agent_one).await, "agent_token")).unwrap();
    assert_eq!(said["ps"], "https://person.example.org");
}

#[tokio::test(flavor = "multi_thread")]
async fn open_doors_are_for_this_machine_alone() {
    let world = World::configured(open).await.unwrap();
    for (place, through) in [Through::Tls, Through::Plain].into_iter().enumerate() {
        let agent = SoftAgent::new(&world, Algorithm::Es256, through).unwrap();
        let id = format!("aauth:free-{place}@localhost");
        let body = json!({ "agent_id": id, "jwk": agent.jwk().unwrap() });
        let answer = agent.unsigned(paths::AGENT_ENROL, &body).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let base = format!("http://{}", world.server().agents_addr.unwrap());
        assert_eq!(claims(text(&answer, "agent_token")).unwrap()["iss"], base);
        assert_eq!(refresh(&agent).await.status, 200);
        // Nobody is behind it.
        let parents = "SELECT COUNT(*) FROM audit_events WHERE action = 'issue-agent-token'
                       AND parents <> ''";
        assert_eq!(world.number(parents).unwrap(), 0);
    }
    // A page whose name was made to lead here (DNS rebinding) enrols nothing.
    let agent = SoftAgent::new(&world, Algorithm::Ed25519, Through::Plain).unwrap();
    let raw = Raw::to_agents(&world).unwrap();
    let body = json!({ "agent_id": "aauth:evil@localhost", "jwk": agent.jwk().unwrap() });
    let fields = [("host", "evil.example.org"), ("content-type", "application/json")];
    let answer = raw.send_text(Method::POST, paths::AGENT_ENROL, &fields, &body.to_string()).await;
    unsigned(&answer.unwrap(), "invalid_request");
    // The plain listener serves agents, and nobody's session.
    for path in [paths::ME, paths::CA_PEM, paths::AGENTS, paths::HEALTHZ] {
        let answer = raw.send(Method::GET, path, None, None).await.unwrap();
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_server_starts_that_opens_its_doors_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let with = |edit: &dyn Fn(&mut AgentsConfig)| {
        let mut agents =
            AgentsConfig { issuer: ServerId::parse(ISSUER).ok(), ..Default::default() };
        edit(&mut agents);
        let mut config = Config::local(folder.path().join("server"));
        config.agents = Some(agents);
        config
    };
    let plain = Some("0.0.0.0:0".parse().unwrap());
    let wrong = [
        ("agents.enrolment", with(&|agents| agents.enrolment.push(AgentDoor::Open))),
        ("agents.enrolment", with(&|agents| agents.enrolment.clear())),
        ("agents.issuer", with(&|agents| agents.issuer = None)),
        ("agents.loopback_listen", with(&|agents| agents.loopback_listen = plain)),
        ("agents.token_ttl_seconds", with(&|agents| agents.token_ttl_seconds = 86_401)),
        ("agents.authorities", with(&|agents| agents.authorities.push("https://a".into()))),
        ("agents.allow", with(&|agents| agents.enrolment.push(AgentDoor::AllowList))),
        (
            "agents.guide_naming_tokens",
            with(&|agents| {
                agents.profile = Profile::Strict;
                agents.guide_naming_tokens = Some(true);
            }),
        ),
    ];
    for (key, config) in wrong {
        let said = Server::start(config, landfall_crypto::Ambient::system()).await.err().unwrap();
        assert!(said.to_string().contains(key), "{key}: {said}");
    }
}
