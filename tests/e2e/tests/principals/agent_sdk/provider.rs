//! Enrolling and refreshing at the real provider.

use super::*;
use landfall_crypto::aauth::FaultCode;
use landfall_crypto::ambient::Clock;
use landfall_identity::Seconds;
use landfall_verifier::Roots;

async fn service(world: &World) -> Service {
    let roots = Roots::Pem(world.server().trust_bundle_pem.clone());
    Service::new(provider_of(world), roots, world.clock.clone()).await
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_enrols_once_and_a_fresh_process_needs_the_name_of_its_key_alone() {
    for profile in [Profile::Compatible, Profile::Strict] {
        let (world, ana) = world(profile).await;
        let service = service(&world).await;
        let den = Den::new();
        for (algorithm, local) in [(Algorithm::Ed25519, "research"), (Algorithm::Es256, "build")] {
            let first = enrolled(&world, &ana, &den, algorithm, local).await;
            let agent = Agent::load(den.setup(&world, local, Keys::One)).unwrap();
            assert_eq!(agent.thumbprint(), first.thumbprint());
            let token = agent.token().await.unwrap();
            assert_eq!(token.agent, called(local));
            assert_eq!(token.key.algorithm(), algorithm);
            let request = AgentRequest::post_json(service.at("/hello"), b"{}".to_vec());
            let answer = agent.send(&request, Scheme::Jwt).await.unwrap();
            let said = text(&answer.body);
            assert_eq!(
                (answer.status, &*said),
                (200, &*format!("aauth:{local}@localhost says {{}}"))
            );
        }
        let listed = ana.client().agents().await.unwrap();
        assert_eq!(listed.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_when_two_thirds_of_its_life_are_over_and_not_before() {
    let (mut world, ana) = world(Profile::Compatible).await;
    let den = Den::new();
    let agent = enrolled(&world, &ana, &den, Algorithm::Ed25519, "research").await;
    let first = agent.token().await.unwrap();
    world.pass(Seconds::minutes(39)).await.unwrap();
    assert_eq!(agent.token().await.unwrap().text, first.text);
    world.pass(Seconds::minutes(2)).await.unwrap();
    let second = agent.token().await.unwrap();
    assert_ne!(second.text, first.text);
    assert_eq!(second.expires_at, world.clock.now() + Seconds::hours(1));
    assert_eq!((second.agent, second.key), (first.agent, first.key));
    assert_ne!(agent.refresh().await.unwrap().text, second.text, "and whenever it is asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_two_keys_the_durable_one_names_another_for_each_token() {
    for profile in [Profile::Compatible, Profile::Strict] {
        let (world, ana) = world(profile).await;
        let (den, service) = (Den::new(), service(&world).await);
        let durable = enrolled(&world, &ana, &den, Algorithm::Es256, "research").await.thumbprint();
        for ephemeral in Algorithm::ALL {
            for guide_era in [false, true] {
                let mode = Keys::Two { ephemeral, guide_era };
                let agent = Agent::load(den.setup(&world, "research", mode)).unwrap();
                if guide_era && profile == Profile::Strict {
                    let refused = agent.token().await.unwrap_err();
                    let code = FaultCode::InvalidJwt;
                    assert!(
                        matches!(&refused, AgentError::Signature { code: it, .. } if *it == code),
                        "{refused}"
                    );
                    continue;
                }
                let (one, two) = (agent.token().await.unwrap(), agent.refresh().await.unwrap());
                assert_eq!((&one.agent, &two.agent), (&called("research"), &called("research")));
                assert_eq!(one.key.algorithm(), ephemeral);
                assert!(one.key != two.key && two.key.thumbprint() != durable);
                let request = AgentRequest::get(service.at("/hello"));
                assert_eq!(agent.send(&request, Scheme::Jwt).await.unwrap().status, 200);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_says_how_it_wants_to_be_spoken_to_and_is() {
    let (world, ana) = world(Profile::Compatible).await;
    let (den, service) = (Den::new(), service(&world).await);
    let agent = enrolled(&world, &ana, &den, Algorithm::Ed25519, "research").await;
    for scheme in [Scheme::Hwk, Scheme::JktJwt, Scheme::JwksUri, Scheme::Jwt] {
        let request = AgentRequest::post_json(service.at("/hello"), b"{}".to_vec());
        let answer = agent.send(&request, scheme).await.unwrap();
        assert_eq!(answer.status, 200, "{scheme:?}: {}", text(&answer.body));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_comes_in_again_and_another_code_is_not_used_up() {
    let (world, ana) = world(Profile::Compatible).await;
    let den = Den::new();
    let code = code(&ana).await;
    let enrol = |key: &str, code: &Zeroizing<String>| {
        let setup = den.setup(&world, key, Keys::One);
        let enrolment = enrolment(Algorithm::Ed25519, key, Some(code.clone()));
        async move { Agent::enrol(setup, &enrolment).await }
    };
    // As if the answer had been lost.
    let (one, again) = (enrol("a", &code).await.unwrap(), enrol("a", &code).await.unwrap());
    assert_eq!(one.thumbprint(), again.thumbprint());
    assert_eq!(den.keys().list().unwrap(), [handle("a")]);
    let refused = enrol("b", &code).await.unwrap_err();
    assert!(matches!(refused, AgentError::Refused { status: 403, .. }), "{refused}");
    let wrong = Zeroizing::new("nonsense".to_owned());
    assert!(enrol("b", &wrong).await.unwrap_err().is_over());
    assert_eq!(ana.client().agents().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_agent_hears_it_and_a_missing_key_is_called_so() {
    let (world, ana) = world(Profile::Compatible).await;
    let den = Den::new();
    let agent = enrolled(&world, &ana, &den, Algorithm::Ed25519, "research").await;
    ana.step_up().await.unwrap();
    ana.client().revoke_agent(&called("research")).await.unwrap();
    let refused = agent.refresh().await.unwrap_err();
    assert!(refused.is_over(), "{refused}");
    // What holds until its end is still there for who asks nothing new.
    assert!(agent.token().await.is_ok());
    let missing = Agent::load(den.setup(&world, "nobody", Keys::One));
    assert!(matches!(missing.err().unwrap(), AgentError::Key(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_in_the_providers_place_is_not_believed() {
    let (world, ana) = world(Profile::Compatible).await;
    let den = Den::new();
    enrolled(&world, &ana, &den, Algorithm::Ed25519, "research").await;
    let mut setup = den.setup(&world, "research", Keys::One);
    setup.trust = Trust::Pin([7; 32]);
    let refused = Agent::load(setup).unwrap().token().await.unwrap_err();
    assert!(matches!(refused, AgentError::Unreachable(_)), "{refused}");
    // Nor is the service sent anything in the clear.
    let agent = Agent::load(den.setup(&world, "research", Keys::One)).unwrap();
    let request = AgentRequest::get("http://api.example.org/hello".parse().unwrap());
    let refused = agent.send(&request, Scheme::Jwt).await;
    assert!(matches!(refused.err().unwrap(), AgentError::Insecure(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_without_tls_serves_this_machine() {
    let world = World::configured(plain).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let den = Den::new();
    let service = service(&world).await;
    let agent = enrolled(&world, &ana, &den, Algorithm::Ed25519, "research").await;
    let request = AgentRequest::get(service.at("/hello"));
    assert_eq!(agent.send(&request, Scheme::Jwt).await.unwrap().status, 200);
}
