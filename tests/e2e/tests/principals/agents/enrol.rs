//! Enrolling by a code: who is let in, as what, and what everybody then sees.

use super::*;
use landfall_crypto::aauth::{AgentKey, AgentKeyPair, agent_token};
use landfall_crypto::ambient::Clock;
use landfall_identity::Seconds;
use landfall_protocol::ErrorCode;
use landfall_protocol::agent::AgentStateName;
use landfall_test_support::agent::{claims, part};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_says_who_it_is_and_publishes_one_key() {
    let (world, _) = world(Profile::Compatible).await;
    let anybody = agent(&world, Algorithm::Ed25519);
    let answer = anybody.get(paths::AGENT_METADATA).await.unwrap();
    let base = format!("https://{}", world.server().https_addr);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.field("cache-control"), Some("public, max-age=300"));
    assert_eq!(answer.field("content-type"), Some("application/json"));
    assert_eq!(
        answer.body,
        json!({
            "issuer": ISSUER,
            "jwks_uri": format!("{base}/.well-known/aauth-agent-keys.json"),
            "enrol_endpoint": format!("{base}/enrol"),
            "refresh_endpoint": format!("{base}/refresh"),
            "accept_signature_algs": ["Ed25519", "ES256"],
        })
    );
    let keys = anybody.get(paths::AGENT_PROVIDER_KEYS).await.unwrap();
    let keys = keys.body["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 1);
    assert_eq!((keys[0]["alg"].as_str(), keys[0]["use"].as_str()), (Some("Ed25519"), Some("sig")));
    assert!(keys[0]["kid"].is_string() && keys[0].get("d").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_the_table_is_no_provider() {
    let world = World::new().await.unwrap();
    let agent = agent(&world, Algorithm::Ed25519);
    for path in [paths::AGENT_METADATA, paths::AGENT_PROVIDER_KEYS] {
        assert_eq!(agent.get(path).await.unwrap().status, 404, "{path}");
    }
    for path in [paths::AGENT_ENROL, paths::AGENT_REFRESH, paths::SUB_AGENT_TOKEN] {
        let body = json!({ "discriminator": "a", "cnf_jwk": {} });
        refused(&agent.post(path, &body).await.unwrap(), 404, "not_found");
    }
}

/// Checks a token as a resource would: with nothing but what the provider publishes.
async fn believed(world: &World, agent: &SoftAgent, token: &str) -> Value {
    let keys = agent.get(paths::AGENT_PROVIDER_KEYS).await.unwrap().body;
    let kid = part(token, 0).unwrap()["kid"].clone();
    let jwk =
        keys["keys"].as_array().unwrap().iter().find(|jwk| jwk["kid"] == kid).unwrap().clone();
    let key = AgentKey::from_jwk(&jwk, Profile::Strict).unwrap();
    let read = agent_token::read(token, Profile::Strict).unwrap();
    read.verify(&key, world.clock.now(), Seconds(0)).unwrap();
    claims(token).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_enrols_by_its_owners_code_and_shows_up_under_them() {
    for profile in PROFILES {
        let (world, ana) = world(profile).await;
        for (algorithm, local) in
            [(Algorithm::Ed25519, "research"), (Algorithm::Es256, "build.7f3k")]
        {
            let agent = agent(&world, algorithm);
            let code = code(&ana, Some(local)).await;
            let mut body = enrol_body(&agent, local, Some(&code));
            body["ps"] = "https://person.example.org".into();
            let answer = agent.post(paths::AGENT_ENROL, &body).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(answer.field("cache-control"), Some("no-store"));
            let id = name(local).to_string();
            assert_eq!((text(&answer, "agent"), text(&answer, "agent_id")), (&*id, &*id));
            assert_eq!(answer.body["expires_in"], 3600);
            assert_eq!(text(&answer, "token_type"), "aa-agent+jwt");

            let said = believed(&world, &agent, text(&answer, "agent_token")).await;
            let (tenant, instance) = ("spiffe://landfall.local/tenant/home", local.split_once('.'));
            let (first, second) = instance.unwrap_or((local, "MAIN"));
            assert_eq!(said["iss"], ISSUER);
            assert_eq!(said["dwk"], "aauth-agent.json");
            assert_eq!(said["sub"], id);
            assert_eq!(said["ps"], "https://person.example.org");
            assert_eq!(said["cnf"]["jwk"], agent.jwk().unwrap());
            assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 3600);
            let spiffe_id = format!("{tenant}/agent/{first}/instance/{second}");
            assert_eq!(said["spiffe_id"], spiffe_id);
            assert!(said.get("parent_agent").is_none() && said["jti"].is_string());

            // Its own key, under its name as it is and percent-encoded.
            let raw = format!("/agents/{id}/jwks.json");
            assert_eq!(text(&answer, "jwks_uri").split("/agents/").count(), 2);
            for path in [raw, paths::fill(paths::AGENT_KEYS, &[&id])] {
                let keys = agent.get(&path).await.unwrap().body;
                let jwk = &keys["keys"][0];
                assert_eq!(jwk["kid"], answer.body["key_id"], "{path}");
                assert_eq!(jwk["x"], agent.jwk().unwrap()["x"]);
            }

            // In the audit it is the actor, and its owner's device stands behind it.
            let row: (String, String) = world
                .database()
                .unwrap()
                .query_row(
                    "SELECT actor, parents FROM audit_events WHERE action = 'enroll-agent'
                     ORDER BY ordinal DESC LIMIT 1",
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .unwrap();
            assert_eq!(row, (spiffe_id, format!("{tenant}/user/ana/device/ana-desktop")));
        }
        let listed = ana.client().agents().await.unwrap();
        let names: Vec<_> = listed.iter().map(|info| info.agent.local()).collect();
        assert_eq!(names, ["build.7f3k", "research"]);
        assert!(listed.iter().all(|info| info.state == AgentStateName::Active));
        assert_eq!(listed[0].introduced_by.as_ref().unwrap().as_str(), "ana-desktop");
        let told = ana.client().notices(10, None).await.unwrap();
        assert!(
            told.items.iter().any(|notice| notice.text.contains("The agent research acts for you"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_second_dialect_the_provider_names_the_agent_and_the_token_comes_separately() {
    for profile in PROFILES {
        let (world, ana) = world(profile).await;
        let agent = agent(&world, Algorithm::Ed25519);
        let body = json!({ "platform": "linux", "enrollment_token": code(&ana, None).await });
        let answer = agent.post(paths::AGENT_ENROLL, &body).await.unwrap();
        assert_eq!((answer.status, text(&answer, "status")), (201, "enrolled"), "{}", answer.body);
        assert!(answer.body.get("agent_token").is_none());
        assert!(text(&answer, "agent").starts_with("aauth:agent-"));
        let again = agent.post(paths::AGENT_ENROLL, &json!({})).await.unwrap();
        assert_eq!((again.status, text(&again, "status")), (200, "existing"));
        assert_eq!(again.body["agent"], answer.body["agent"]);
        let token = agent.post(paths::AGENT_TOKEN, &json!({})).await.unwrap();
        assert_eq!(token.status, 200, "{}", token.body);
        assert_eq!(text(&token, "token_type"), "aa-agent+jwt");
        let said = believed(&world, &agent, text(&token, "agent_token")).await;
        assert_eq!(said["sub"], answer.body["agent"]);
        let listed = ana.client().agents().await.unwrap();
        assert_eq!(listed[0].label.as_deref(), Some("linux"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_lets_one_key_in_and_that_key_again() {
    let (world, ana) = world(Profile::Compatible).await;
    let (one, other) = (agent(&world, Algorithm::Ed25519), agent(&world, Algorithm::Ed25519));
    let first = code(&ana, None).await;
    let body = |agent: &SoftAgent, local: &str| enrol_body(agent, local, Some(&first));
    for _ in 0..2 {
        let answer = one.post(paths::AGENT_ENROL, &body(&one, "one")).await.unwrap();
        assert_eq!((answer.status, text(&answer, "agent")), (200, name("one").as_str()));
    }
    let answer = other.post(paths::AGENT_ENROL, &body(&other, "other")).await.unwrap();
    refused(&answer, 403, "invalid_enrollment_token");
    assert_eq!(ana.client().agents().await.unwrap().len(), 1);

    // A known key uses no code up.
    let second = code(&ana, None).await;
    let body = enrol_body(&one, "one", Some(&second));
    assert_eq!(one.post(paths::AGENT_ENROL, &body).await.unwrap().status, 200);
    let codes = ana.client().agent_codes().await.unwrap();
    let used: Vec<_> = codes.iter().filter_map(|code| code.agent.as_deref()).collect();
    assert_eq!((codes.len(), used), (2, vec![name("one").as_str()]));
    let open = codes.iter().filter(|code| code.state == TokenStateName::Issued).count();
    assert_eq!(open, 1, "the second waits for another agent");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_reads_what_their_own_agents_did() {
    let (world, ana) = world(Profile::Compatible).await;
    let bert = world.invited(&ana, "bert").await.unwrap();
    let his = enrolled(&world, &bert, Algorithm::Ed25519, "his").await;
    assert_eq!(refresh(&his).await.status, 200);
    let agents = landfall_client::AuditFilter { kind: Some("agent".into()), ..Default::default() };
    let me = "spiffe://landfall.local/tenant/home/user/bert".to_owned();
    let behalf = landfall_client::AuditFilter { behalf: Some(me), ..Default::default() };
    for filter in [&agents, &behalf] {
        let rows = bert.client().audit(filter).await.unwrap().items;
        assert!(rows.iter().any(|row| row.actor.contains("/agent/his/")), "{rows:?}");
        let hers = ana.client().audit(filter).await.unwrap().items;
        assert!(hers.iter().all(|row| !row.actor.contains("/agent/his/")), "{hers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_code_was_stolen_hears_when_it_was_used_and_not_that_the_name_is_taken() {
    for profile in PROFILES {
        let (world, ana) = world(profile).await;
        let (thief, rightful) =
            (agent(&world, Algorithm::Ed25519), agent(&world, Algorithm::Ed25519));
        let stolen = code(&ana, Some("research")).await;
        let body = |agent: &SoftAgent| enrol_body(agent, "research", Some(&stolen));
        let answer = thief.post(paths::AGENT_ENROL, &body(&thief)).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let late = rightful.post(paths::AGENT_ENROL, &body(&rightful)).await.unwrap();
        refused(&late, 403, "invalid_enrollment_token");
        assert_eq!(late.code(), ErrorCode::TokenUsed, "{}", late.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_agents_with_one_code_make_one() {
    let (world, ana) = world(Profile::Compatible).await;
    let code = Arc::new(code(&ana, None).await);
    let tries = (0..64).map(|place| {
        let (agent, code) = (agent(&world, Algorithm::Ed25519), Arc::clone(&code));
        tokio::spawn(async move {
            let body = enrol_body(&agent, &format!("racer-{place}"), Some(&code));
            agent.post(paths::AGENT_ENROL, &body).await.unwrap().status
        })
    });
    let mut let_in = 0;
    for racer in tries.collect::<Vec<_>>() {
        match racer.await.unwrap() {
            200 => let_in += 1,
            status => assert_eq!(status, 403),
        }
    }
    assert_eq!((let_in, world.number("SELECT COUNT(*) FROM agents").unwrap()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_key_never_takes_a_name_and_a_known_key_never_another() {
    for profile in PROFILES {
        let (world, ana) = world(profile).await;
        let agent_one = enrolled(&world, &ana, Algorithm::Ed25519, "research").await;
        let thief = agent(&world, Algorithm::Ed25519);
        let any = code(&ana, None).await;
        let body = enrol_body(&thief, "research", Some(&any));
        refused(&thief.post(paths::AGENT_ENROL, &body).await.unwrap(), 409, "agent_id_taken");
        if profile.is_compatible() {
            let answer = thief.unsigned(paths::AGENT_ENROL, &body).await.unwrap();
            refused(&answer, 409, "agent_id_taken");
        }
        let body = enrol_body(&agent_one, "another", Some(&any));
        let answer = agent_one.post(paths::AGENT_ENROL, &body).await.unwrap();
        refused(&answer, 409, "agent_key_known");

        let listed = ana.client().agents().await.unwrap();
        assert_eq!((listed.len(), &listed[0].thumbprint), (1, &agent_one.thumbprint()));
        assert_eq!(unused(&ana).await, 1, "no refusal used the code up");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_devices_and_of_the_server_are_no_agents() {
    let (world, ana) = world(Profile::Compatible).await;
    let agent_one = agent(&world, Algorithm::Es256);
    let device = AgentKeyPair::from_pkcs8(&ana.machine.key_file().unwrap()).unwrap();
    let any = code(&ana, None).await;
    let provider = agent_one.get(paths::AGENT_PROVIDER_KEYS).await.unwrap().body["keys"][0].clone();
    let sessions = agent_one.get(paths::JWKS).await.unwrap().body["keys"][0].clone();
    let bare = |jwk: &Value| {
        let mut jwk = jwk.clone();
        for member in ["kid", "use"] {
            jwk.as_object_mut().unwrap().remove(member);
        }
        jwk
    };
    let device = serde_json::to_value(device.public_key().jwk()).unwrap();
    for (whose, jwk) in
        [("a device", device), ("provider", bare(&provider)), ("sessions", bare(&sessions))]
    {
        let body = json!({ "agent_id": name("planted").as_str(), "jwk": jwk, "attestation": any });
        let answer = agent_one.unsigned(paths::AGENT_ENROL, &body).await.unwrap();
        assert_eq!((answer.status, text(&answer, "error")), (400, "invalid_key"), "{whose}");
    }
    assert_eq!(unused(&ana).await, 1);
    // And the other way round: no device enrols with an agent's key.
    let bare = landfall_test_support::Bare::new(&world).unwrap();
    let body = json!({
        "agent_id": name("bare").as_str(), "attestation": any,
        "jwk": AgentKey::p256(landfall_crypto::Signer::public_key(&bare.key)).jwk(),
    });
    assert_eq!(agent_one.unsigned(paths::AGENT_ENROL, &body).await.unwrap().status, 200);
    let begun = bare.post(paths::RECOVERY_BEGIN, &bare.begin_body("ana", "planted").unwrap()).await;
    assert_eq!(begun.unwrap().code(), ErrorCode::KeyInUse);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_takes_a_touch_for_exactly_it_and_is_its_owners() {
    let (world, ana) = world(Profile::Compatible).await;
    let bert = world.invited(&ana, "bert").await.unwrap();
    code(&ana, Some("research")).await;
    let id = ana.client().agent_codes().await.unwrap()[0].id.clone();
    let foreign = bert.client().cancel_agent_code(&id).await.unwrap_err();
    assert_eq!(foreign.code(), ErrorCode::NotFound);
    assert!(bert.client().agent_codes().await.unwrap().is_empty());
    // Ten minutes of a person's session make none.
    ana.step_up().await.unwrap();
    let raw = landfall_test_support::Raw::of(&ana.machine).unwrap();
    let token = ana.client().step_up(None, None, &ana.shell).await.unwrap().token;
    let body = json!({ "auth_hash": data_encoding::BASE64URL_NOPAD.encode(&[9; 32]) });
    let answer =
        raw.send(reqwest::Method::POST, paths::AGENT_CODES, Some(&token), Some(&body)).await;
    assert_eq!(answer.unwrap().code(), ErrorCode::StepUpRequired);
    // Cancelled, it lets nobody in.
    let any = code(&ana, None).await;
    for open in ana.client().agent_codes().await.unwrap() {
        ana.client().cancel_agent_code(&open.id).await.unwrap();
    }
    let late = agent(&world, Algorithm::Ed25519);
    let answer = late.post(paths::AGENT_ENROL, &enrol_body(&late, "late", Some(&any))).await;
    refused(&answer.unwrap(), 403, "invalid_enrollment_token");
    // Nor for a name that is taken.
    enrolled(&world, &ana, Algorithm::Ed25519, "taken").await;
    let taken = ana.client().make_agent_code(Some("taken".into()), None, &ana.shell).await;
    assert_eq!(taken.err().unwrap().code(), ErrorCode::AgentIdTaken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_is_shown_and_bad_is_the_end_of_it() {
    // Open to everybody, and still no for whoever shows something that is not right.
    let mut world = World::configured(open).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let expired = code(&ana, None).await;
    let used = code(&ana, None).await;
    let named = code(&ana, Some("named")).await;
    let body = |agent: &SoftAgent, local: &str, shown: Value| {
        json!({
            "agent_id": format!("aauth:{local}@localhost"), "jwk": agent.jwk().unwrap(),
            "attestation": shown,
        })
    };
    let first = agent(&world, Algorithm::Ed25519);
    let answer = first.post(paths::AGENT_ENROL, &body(&first, "first", used.clone().into())).await;
    assert_eq!(answer.unwrap().status, 200);
    let wrong = agent(&world, Algorithm::Ed25519);
    let (head, _) = named.rsplit_once('.').unwrap();
    let other_secret = format!("{head}.{}", used.rsplit_once('.').unwrap().1);
    for shown in ["lfa1.x.y", "hunter2", "", &used, &other_secret] {
        let answer = wrong.post(paths::AGENT_ENROL, &body(&wrong, "wrong", shown.into())).await;
        refused(&answer.unwrap(), 403, "invalid_enrollment_token");
    }
    let answer = wrong.post(paths::AGENT_ENROL, &body(&wrong, "wrong", json!({ "a": 1 }))).await;
    refused(&answer.unwrap(), 400, "invalid_request");
    // A code for one name lets no other in.
    let answer = wrong.post(paths::AGENT_ENROL, &body(&wrong, "wrong", named.into())).await;
    refused(&answer.unwrap(), 403, "invalid_enrollment_token");
    let assertion = json!({ "enrollment_assertion": { "format": "x" } });
    let answer = wrong.post(paths::AGENT_ENROLL, &assertion).await.unwrap();
    refused(&answer, 403, "method_disabled");
    world.pass(Seconds::minutes(10)).await.unwrap();
    let late = agent(&world, Algorithm::Ed25519);
    let answer = late.post(paths::AGENT_ENROL, &body(&late, "late", expired.into())).await;
    refused(&answer.unwrap(), 403, "invalid_enrollment_token");
    assert_eq!(world.number("SELECT COUNT(*) FROM agents").unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_credential_nobody_gets_in_where_others_reach() {
    for profile in PROFILES {
        let (world, _) = world(profile).await;
        let agent = agent(&world, Algorithm::Ed25519);
        let answer =
            agent.post(paths::AGENT_ENROL, &enrol_body(&agent, "new", None)).await.unwrap();
        refused(&answer, 403, "enrollment_required");
        let answer = agent.post(paths::AGENT_ENROLL, &json!({})).await.unwrap();
        refused(&answer, 403, "enrollment_required");
        assert_eq!(world.number("SELECT COUNT(*) FROM agents").unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_list_lets_its_keys_in_by_their_names() {
    let listed = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
    let thumbprint = listed.public_key().thumbprint();
    let world = World::configured(|config, path| {
        provider(Profile::Strict)(config, path)?;
        let agents = config.agents.as_mut().unwrap();
        agents.enrolment.push(AgentDoor::AllowList);
        agents.allow.push(landfall_server::config::AllowedAgent {
            key: thumbprint,
            name: "watcher".to_owned(),
        });
        Ok(())
    })
    .await
    .unwrap();
    let mut agent = agent(&world, Algorithm::Ed25519);
    let answer = agent.post(paths::AGENT_ENROLL, &json!({})).await.unwrap();
    refused(&answer, 403, "enrollment_required");
    agent.key = listed;
    let answer = agent.post(paths::AGENT_ENROLL, &json!({})).await.unwrap();
    assert_eq!((answer.status, text(&answer, "agent")), (201, name("watcher").as_str()));
    let said = refresh(&agent).await;
    assert_eq!(said.status, 200, "{}", said.body);
}
