//! Whatever a message is bent to, it gets nobody further: each is refused by its own word, and leaves
//! nothing behind.

use super::*;
use landfall_crypto::aauth::naming::NamingForm;
use landfall_crypto::aauth::{AgentKeyPair, KeySource};
use landfall_test_support::Forged;
use landfall_test_support::agent::{jwt, naming_parts};

/// An enrolled agent, and somebody else's key.
struct Scene {
    world: World,
    ana: Person,
    agent: SoftAgent,
    other: AgentKeyPair,
}

async fn scene(profile: Profile) -> Scene {
    let (world, ana) = world(profile).await;
    let agent = enrolled(&world, &ana, Algorithm::Ed25519, "one").await;
    let other = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
    Scene { world, ana, agent, other }
}

fn right(agent: &SoftAgent) -> Forged {
    agent.by_key(paths::AGENT_REFRESH, &json!({}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_over_anything_else_is_none() {
    for profile in PROFILES {
        let Scene { agent, other, world: _world, .. } = scene(profile).await;
        let now = agent.now();
        let bent = |bend: &dyn Fn(&mut Forged)| {
            let mut message = right(&agent);
            bend(&mut message);
            message
        };
        let cases: Vec<(&str, Forged, &str)> = vec![
            ("other path", bent(&|m| m.signed.path = "/enrol".into()), "invalid_signature"),
            ("other method", bent(&|m| m.signed.method = "PUT".into()), "invalid_signature"),
            (
                "other host",
                bent(&|m| m.signed.authority = "evil.example.org".into()),
                "invalid_signature",
            ),
            (
                "digest of another body",
                bent(&|m| m.signed.body = "{\"a\":1}".into()),
                "invalid_signature",
            ),
            ("61 s old", right(&agent).created(now - 61), "invalid_signature"),
            ("61 s ahead", right(&agent).created(now + 61), "clock_skew"),
            (
                "expired",
                bent(&|m| m.parameters = format!(";created={now};expires={}", now - 1)),
                "invalid_signature",
            ),
            ("no created", bent(&|m| m.parameters = String::new()), "invalid_request"),
            ("labels differ", bent(&|m| m.input_label = "other".into()), "invalid_request"),
            (
                "signature of another label",
                bent(&|m| m.signature_label = "b".into()),
                "invalid_request",
            ),
            ("key not covered", right(&agent).without("signature-key"), "invalid_input"),
            ("method not covered", right(&agent).without("@method"), "invalid_input"),
            ("authority not covered", right(&agent).without("@authority"), "invalid_input"),
            ("path not covered", right(&agent).without("@path"), "invalid_input"),
            (
                "authorization not covered",
                bent(&|m| m.further.push(("authorization".into(), "Bearer x".into()))),
                "invalid_input",
            ),
        ];
        for (what, message, error) in cases {
            let answer = agent.send(&message, &agent.key).await.unwrap();
            assert_eq!(answer.status, 401, "{what}: {}", answer.body);
            assert_eq!(text(&answer, "error"), error, "{what}: {}", answer.body);
            unsigned(&answer, error);
        }
        unsigned(&agent.send(&right(&agent), &other).await.unwrap(), "invalid_signature");
        assert_eq!(refresh(&agent).await.status, 200, "the right one is taken, still");
        let exactly = right(&agent).created(agent.now() - 60);
        assert_eq!(agent.send(&exactly, &agent.key).await.unwrap().status, 200, "60 s old");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_be_covered_and_which_schemes_are_taken_is_said() {
    let Scene { agent, world: _world, .. } = scene(Profile::Compatible).await;
    let answer = agent.send(&right(&agent).without("@path"), &agent.key).await.unwrap();
    let field = answer.field("signature-error").unwrap();
    assert!(field.contains("required_input=(") && field.contains("\"@path\""), "{field}");
    let token = refresh(&agent).await;
    let by_token = agent.by_token(paths::AGENT_REFRESH, &json!({}), text(&token, "agent_token"));
    let answer = agent.send(&by_token, &agent.key).await.unwrap();
    unsigned(&answer, "unsupported_scheme");
    assert_eq!(answer.field("accept-signature-scheme"), Some("hwk, jkt-jwt"));
    let mut unknown = right(&agent);
    unknown.key_field = "sig=cached;cid=\"x\"".into();
    unsigned(&agent.send(&unknown, &agent.key).await.unwrap(), "unsupported_scheme");
    unsigned(&agent.unsigned(paths::AGENT_REFRESH, &json!({})).await.unwrap(), "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_signatures_each_stands_with_its_own_key() {
    let Scene { world, ana, agent, .. } = scene(Profile::Compatible).await;
    let victim = enrolled(&world, &ana, Algorithm::Ed25519, "victim").await;
    // The victim's key under the label of the attacker's signature, and the other way round.
    let own = KeySource::Hwk { key: agent.key.public_key() };
    let theirs = KeySource::Hwk { key: victim.key.public_key() };
    let mut message = right(&agent);
    message.key_field =
        format!("{}, {}", theirs.member("sig").unwrap(), own.member("mine").unwrap());
    unsigned(&agent.send(&message, &agent.key).await.unwrap(), "invalid_signature");
    message.key_field =
        format!("{}, {}", own.member("sig").unwrap(), theirs.member("theirs").unwrap());
    let answer = agent.send(&message, &agent.key).await.unwrap();
    assert_eq!((answer.status, text(&answer, "agent")), (200, name("one").as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_none_enrol_nobody() {
    for profile in PROFILES {
        let Scene { world, ana, agent, .. } = scene(profile).await;
        let fields = [
            ("kid", "sig=hwk;kty=\"OKP\";crv=\"Ed25519\";x=\"X\";alg=\"Ed25519\";kid=\"a\""),
            ("another alg", "sig=hwk;kty=\"OKP\";crv=\"Ed25519\";x=\"X\";alg=\"ES256\""),
            ("short", "sig=hwk;kty=\"OKP\";crv=\"Ed25519\";x=\"AAAA\";alg=\"Ed25519\""),
            ("off the curve", "sig=hwk;kty=\"EC\";crv=\"P-256\";x=\"X\";y=\"X\";alg=\"ES256\""),
        ];
        let x = agent.jwk().unwrap()["x"].as_str().unwrap().to_owned();
        for (what, field) in fields {
            let mut message = right(&agent);
            message.key_field = field.replace("\"X\"", &format!("\"{x}\""));
            let answer = agent.send(&message, &agent.key).await.unwrap();
            assert_eq!((answer.status, text(&answer, "error")), (401, "invalid_key"), "{what}");
        }
        // In a body as well, private members above all.
        let any = code(&ana, None).await;
        let new = super::agent(&world, Algorithm::Ed25519);
        let with = |member: &str, value: Value| {
            let mut jwk = new.jwk().unwrap();
            jwk[member] = value;
            json!({ "agent_id": name("new").as_str(), "jwk": jwk, "attestation": any })
        };
        for (member, value) in [
            ("d", json!("AAAA")),
            ("x", json!("AAAA")),
            ("alg", json!("ES256")),
            ("kty", json!("oct")),
            ("crv", json!("Ed448")),
        ] {
            let body = with(member, value);
            let answer = new.post(paths::AGENT_ENROL, &body).await.unwrap();
            assert_eq!((answer.status, text(&answer, "error")), (400, "invalid_key"), "{member}");
        }
        let listed = ana.client().agents().await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(unused(&ana).await, 1, "and used no code up");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_bodies_that_are_not_ours_change_nothing() {
    for profile in PROFILES {
        let Scene { world, ana, .. } = scene(profile).await;
        let any = code(&ana, None).await;
        let new = agent(&world, Algorithm::Ed25519);
        let with = |field: &str, value: &str| {
            let mut body = enrol_body(&new, "new", Some(&any));
            body[field] = value.into();
            body
        };
        for (field, value) in [
            ("agent_id", "aauth:new@evil.example.org"),
            ("agent_id", "aauth:new+part@agents.example.org"),
            ("agent_id", "aauth:New@agents.example.org"),
            ("agent_id", "new@agents.example.org"),
            ("agent_id", "aauth:..@agents.example.org"),
            ("agent_id", ""),
            ("ps", "http://person.example.org"),
            ("ps", "https://person.example.org/path"),
            ("ps", "https://person.example.org:8443"),
            ("ps", "https://127.0.0.1"),
        ] {
            let answer = new.post(paths::AGENT_ENROL, &with(field, value)).await.unwrap();
            assert_eq!(answer.status, 400, "{field} {value}: {}", answer.body);
            refused(&answer, 400, "invalid_request");
        }
        let huge = with("label", &"x".repeat(20_000));
        refused(&new.post(paths::AGENT_ENROL, &huge).await.unwrap(), 413, "invalid_request");
        let mut broken = new.by_key(paths::AGENT_ENROL, &json!({}));
        broken.body = "{\"agent_id\"".into();
        broken.signed.body.clone_from(&broken.body);
        refused(&new.send(&broken, &new.key).await.unwrap(), 400, "invalid_request");
        // Another key in the body than the one that signed.
        let victim = agent(&world, Algorithm::Ed25519);
        let body = enrol_body(&victim, "new", Some(&any));
        refused(&new.post(paths::AGENT_ENROL, &body).await.unwrap(), 400, "invalid_key");
        assert_eq!(world.number("SELECT COUNT(*) FROM agents").unwrap(), 1);
        // A field that nobody knows is passed over: clients of other drafts send them.
        let body = with("device", "laptop");
        assert_eq!(new.post(paths::AGENT_ENROL, &body).await.unwrap().status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn naming_tokens_that_say_something_else_name_nobody() {
    for profile in PROFILES {
        let Scene { world, ana, agent, other } = scene(profile).await;
        let victim = enrolled(&world, &ana, Algorithm::Ed25519, "victim").await;
        let key = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
        let now = agent.now();
        let (header, payload) = naming_parts(&agent.key, &key.public_key(), now, "bent").unwrap();
        let bent = |part: &str, member: &str, value: Value| {
            let (mut header, mut payload) = (header.clone(), payload.clone());
            let of = if part == "header" { &mut header } else { &mut payload };
            match value {
                Value::Null => drop(of.as_object_mut().unwrap().remove(member)),
                value => of[member] = value,
            }
            jwt(&header, &payload, &agent.key).unwrap()
        };
        let victims = victim.jwk().unwrap();
        let victims_iss = format!("urn:jkt:sha-256:{}", victim.thumbprint());
        let symmetric = json!({ "jwk": { "kty": "oct", "k": "AAAA" } });
        let cases = [
            (
                "iss of another key",
                bent("payload", "iss", victims_iss.clone().into()),
                "invalid_jwt",
            ),
            ("typ JWT", bent("header", "typ", "JWT".into()), "invalid_jwt"),
            ("no exp", bent("payload", "exp", Value::Null), "invalid_jwt"),
            ("for 100 years", bent("payload", "exp", (now + 3_153_600_000).into()), "invalid_jwt"),
            ("from the future", bent("payload", "iat", (now + 120).into()), "clock_skew"),
            ("over before it began", bent("payload", "exp", (now - 1).into()), "invalid_jwt"),
            ("no cnf", bent("payload", "cnf", Value::Null), "invalid_jwt"),
            ("symmetric cnf", bent("payload", "cnf", symmetric), "invalid_jwt"),
            ("alg none", bent("header", "alg", "none".into()), "invalid_jwt"),
            ("alg HS256", bent("header", "alg", "HS256".into()), "invalid_jwt"),
            (
                "the victim's key and another's signature",
                {
                    let (mut header, mut payload) = (header.clone(), payload.clone());
                    header["jwk"] = victims;
                    payload["iss"] = victims_iss.into();
                    jwt(&header, &payload, &other).unwrap()
                },
                "invalid_jwt",
            ),
            (
                "names itself",
                {
                    let mut payload = payload.clone();
                    payload["cnf"] = json!({ "jwk": agent.jwk().unwrap() });
                    jwt(&header, &payload, &agent.key).unwrap()
                },
                "invalid_jwt",
            ),
            ("no token at all", "a.b.c".to_owned(), "invalid_jwt"),
        ];
        for (what, jwt, error) in cases {
            let message = agent.by_naming(paths::AGENT_REFRESH, &json!({}), &jwt);
            let signer = if what == "names itself" { &agent.key } else { &key };
            let answer = agent.send(&message, signer).await.unwrap();
            assert_eq!(answer.status, 401, "{what}: {}", answer.body);
            assert_eq!(text(&answer, "error"), error, "{what}: {}", answer.body);
            assert!(answer.field("signature-error").is_some(), "{what}");
        }
        assert_eq!(world.number("SELECT COUNT(*) FROM agent_replays").unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_naming_token_of_the_first_form_under_a_victims_name_names_nobody() {
    let Scene { world, ana, agent, other } = scene(Profile::Compatible).await;
    let victim = enrolled(&world, &ana, Algorithm::Ed25519, "victim").await;
    let key = AgentKeyPair::generate(Algorithm::Ed25519).unwrap();
    let form = NamingForm::GuideEra { issuer: ISSUER };
    let real = victim.naming_as(&key.public_key(), "g", form).unwrap();
    let part = |place| landfall_test_support::agent::part(&real, place).unwrap();
    // The key comes from the table, and did not sign.
    let forged = jwt(&part(0), &part(1), &other).unwrap();
    let message = agent.by_naming(paths::AGENT_REFRESH, &json!({}), &forged);
    unsigned(&agent.send(&message, &key).await.unwrap(), "invalid_jwt");
    assert_eq!(world.number("SELECT COUNT(*) FROM agent_replays").unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_token_is_no_key_to_anything_but_parts_of_it() {
    let Scene { world, ana, agent, other } = scene(Profile::Compatible).await;
    let token = text(&refresh(&agent).await, "agent_token").to_owned();
    let part = json!({ "discriminator": "a", "cnf_jwk": super::agent(&world, Algorithm::Ed25519).jwk().unwrap() });
    let sub = |token: &str| agent.by_token(paths::SUB_AGENT_TOKEN, &part, token);
    // A token that somebody else has taken along, and one that nobody of ours has signed.
    unsigned(&agent.send(&sub(&token), &other).await.unwrap(), "invalid_signature");
    let (header, payload) = (
        landfall_test_support::agent::part(&token, 0).unwrap(),
        landfall_test_support::agent::claims(&token).unwrap(),
    );
    let forged = jwt(&header, &payload, &agent.key).unwrap();
    unsigned(&agent.send(&sub(&forged), &agent.key).await.unwrap(), "invalid_jwt");
    let mut foreign = payload.clone();
    foreign["iss"] = "https://other.example.org".into();
    let foreign = jwt(&header, &foreign, &agent.key).unwrap();
    unsigned(&agent.send(&sub(&foreign), &agent.key).await.unwrap(), "invalid_jwt");
    // By the durable key itself there is no part.
    let by_key = agent.by_key(paths::SUB_AGENT_TOKEN, &part);
    unsigned(&agent.send(&by_key, &agent.key).await.unwrap(), "unsupported_scheme");
    // It is nobody's session.
    let raw = landfall_test_support::Raw::of(&ana.machine).unwrap();
    let answer = raw.send(reqwest::Method::GET, paths::ME, Some(&token), None).await.unwrap();
    assert_eq!(answer.code(), landfall_protocol::ErrorCode::SessionRequired);
    assert_eq!(world.number("SELECT COUNT(*) FROM agents").unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_codes_waits_and_the_right_one_never_does() {
    let Scene { world, ana, .. } = scene(Profile::Compatible).await;
    let right = code(&ana, Some("right")).await;
    let guesser = agent(&world, Algorithm::Ed25519);
    let (head, _) = right.rsplit_once('.').unwrap();
    let wrong = format!("{head}.{}", data_encoding::BASE64URL_NOPAD.encode(&[7; 32]));
    let body = enrol_body(&guesser, "right", Some(&wrong));
    let mut last = None;
    for _ in 0..=landfall_server::strangers::GUESSES_MAX {
        last = Some(guesser.post(paths::AGENT_ENROL, &body).await.unwrap());
    }
    let last = last.unwrap();
    refused(&last, 429, "rate_limited");
    assert!(last.field("retry-after").is_some());
    let owner = agent(&world, Algorithm::Ed25519);
    let body = enrol_body(&owner, "right", Some(&right));
    assert_eq!(owner.post(paths::AGENT_ENROL, &body).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_strict_profile_takes_the_newest_draft_alone() {
    let x = |agent: &SoftAgent| agent.jwk().unwrap()["x"].as_str().unwrap().to_owned();
    for (profile, taken) in [(Profile::Compatible, true), (Profile::Strict, false)] {
        let Scene { world, ana, agent, .. } = scene(profile).await;
        let mut older = right(&agent);
        older.key_field = format!("sig=hwk;kty=\"OKP\";crv=\"Ed25519\";x=\"{}\"", x(&agent));
        let answer = agent.send(&older, &agent.key).await.unwrap();
        assert_eq!(answer.status == 200, taken, "a key without alg: {}", answer.body);
        // A body that is not covered: older clients digest none.
        let mut bare = right(&agent).without("content-digest").without("content-type");
        bare.digest = false;
        let answer = agent.send(&bare, &agent.key).await.unwrap();
        assert_eq!(answer.status == 200, taken, "no digest: {}", answer.body);
        let quiet = super::agent(&world, Algorithm::Ed25519);
        let body = enrol_body(&quiet, "quiet", Some(&code(&ana, None).await));
        let answer = quiet.unsigned(paths::AGENT_ENROL, &body).await.unwrap();
        assert_eq!(answer.status == 200, taken, "unsigned: {}", answer.body);
        if !taken {
            unsigned(&answer, "invalid_request");
        }
    }
}
