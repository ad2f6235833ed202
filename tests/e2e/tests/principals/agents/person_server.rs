//! Whoever acts for somebody elsewhere: the person server that its tokens name is told when they serve no more.

use super::*;
use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::aauth::documents::{AgentKeys, PERSON_METADATA_PATH};
use landfall_crypto::aauth::message::{self, Demands, Request};
use landfall_crypto::aauth::{KeySource, Scheme};
use landfall_crypto::ambient::Clock;
use landfall_identity::{DeviceName, Seconds};
use landfall_test_support::{Called, HookServer};

/// A provider on the loopback that trusts this person server.
async fn beside(person: &HookServer) -> (World, Person) {
    let pem = person.certificate_pem.clone();
    let world = World::configured(move |config: &mut Config, folder: &Path| {
        let authority = folder.join("person-server.pem");
        std::fs::write(&authority, &pem)?;
        config.egress_networks = vec!["127.0.0.0/8".parse()?];
        config.agents = Some(AgentsConfig {
            loopback: true,
            domain: Some(DOMAIN.to_owned()),
            person_server_ca_file: Some(authority),
            ..AgentsConfig::default()
        });
        Ok(())
    });
    let world = world.await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    (world, ana)
}

fn origin(person: &HookServer) -> String {
    format!("https://localhost:{}", person.address.port())
}

/// Says where the person server takes such calls, wherever it is asked for its metadata.
fn takes_calls_at(person: &HookServer, issuer: &str, endpoint: &str) {
    let body = json!({ "issuer": issuer, "revocation_endpoint": endpoint }).to_string();
    let raw = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    person.answer_at(PERSON_METADATA_PATH, raw);
}

/// Enrols an agent of `owner`'s that acts for the person server, and answers with its token's name.
async fn acting_for(
    world: &World,
    owner: &Person,
    person: &HookServer,
    local: &str,
) -> (SoftAgent, String) {
    let agent = agent(world, Algorithm::Ed25519);
    let code = code(owner, Some(local)).await;
    let mut body = enrol_body(&agent, local, Some(&code));
    body["ps"] = json!(origin(person));
    let answer = agent.post(paths::AGENT_ENROL, &body).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let jti = jti(&answer);
    (agent, jti)
}

fn jti(answer: &Answer) -> String {
    let claims = text(answer, "agent_token").split('.').nth(1).unwrap();
    let claims: Value =
        serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap()).unwrap();
    claims["jti"].as_str().unwrap().to_owned()
}

fn posts(person: &HookServer) -> Vec<Called> {
    person.calls().into_iter().filter(|call| call.method == "POST").collect()
}

/// The names of the tokens that the person server was told of, in order.
fn told(person: &HookServer) -> Vec<String> {
    let mut names: Vec<String> = posts(person)
        .iter()
        .map(|call| call.json().unwrap()["jti"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn kept(world: &World) -> i64 {
    world.number("SELECT COUNT(*) FROM agent_tokens").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_server_is_told_of_each_token_of_an_agent_that_was_revoked() {
    let person = HookServer::start().await.unwrap();
    takes_calls_at(&person, &origin(&person), &format!("{}/revoked", origin(&person)));
    let (world, ana) = beside(&person).await;
    let (agent, first) = acting_for(&world, &ana, &person, "one").await;
    let second = jti(&refresh(&agent).await);
    // Who acts for nobody elsewhere is nobody's business elsewhere.
    let other = enrolled(&world, &ana, Algorithm::Ed25519, "two").await;
    refresh(&other).await;
    assert_eq!(kept(&world), 2);
    ana.step_up().await.unwrap();
    ana.client().revoke_agent(&name("two")).await.unwrap();
    assert_eq!(person.connected(), 0, "nobody is asked anything while nothing of theirs is cut");

    ana.client().revoke_agent(&name("one")).await.unwrap();
    world.until("both are settled", |world| kept(world) == 0).await;
    let mut names = vec![first, second];
    names.sort();
    assert_eq!(told(&person), names);

    let call = &posts(&person)[0];
    let issuer = world.server().site.url.to_string();
    assert_eq!(
        (call.path.as_str(), call.json().unwrap()["iss"].as_str()),
        ("/revoked", Some(&*issuer))
    );
    let fields: Vec<(&str, &str)> =
        call.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let request = Request {
        method: "POST",
        authority: call.field("host").unwrap(),
        path: &call.path,
        query: None,
        https: true,
        fields: &fields,
        body: &call.body,
    };
    let authorities = [origin(&person).trim_start_matches("https://").to_owned()];
    let demands = Demands {
        profile: Profile::Strict,
        window: Seconds(60),
        authorities: &authorities,
        schemes: &[Scheme::JwksUri],
        digest: true,
    };
    let signed = message::read(&request, &demands, world.clock.now()).unwrap();
    let KeySource::JwksUri { id, dwk, kid } = signed.source() else { panic!("another scheme") };
    assert_eq!((id.as_str(), dwk.as_str()), (&*issuer, "aauth-agent.json"));
    let keys = agent.get(paths::AGENT_PROVIDER_KEYS).await.unwrap();
    let keys = AgentKeys::read(keys.body.to_string().as_bytes(), Profile::Strict).unwrap();
    signed.verify(keys.get(kid).unwrap(), Some(kid)).unwrap();
}

/// A lost laptop takes its agents along, and whoever they spoke to hears of it; a freeze ends by itself or is
/// ended, and calls nothing in.
#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_cut_off_calls_in_the_tokens_of_its_agents() {
    let person = HookServer::start().await.unwrap();
    takes_calls_at(&person, &origin(&person), &format!("{}/revoked", origin(&person)));
    let (world, ana) = beside(&person).await;
    let bert = world.invited(&ana, "bert").await.unwrap();
    let (_, his) = acting_for(&world, &bert, &person, "his").await;
    acting_for(&world, &ana, &person, "hers").await;
    bert.client().freeze().await.unwrap();
    ana.step_up().await.unwrap();
    ana.client().admin_unfreeze(&bert.name, &ana.shell).await.unwrap();
    assert_eq!(kept(&world), 2);
    let laptop = DeviceName::parse("bert-laptop").unwrap();
    ana.client().admin_suspend_device(&bert.name, &laptop).await.unwrap();
    world.until("his is settled", |world| kept(world) == 1).await;
    assert_eq!(told(&person), [his]);
}

/// A person server that is down is told later; one that does not know the token, or takes no such calls,
/// needs not be; and nobody is bothered about a token that has ended.
#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_told_now_is_told_later_and_nobody_for_ever() {
    let person = HookServer::start().await.unwrap();
    let (mut world, ana) = beside(&person).await;
    let waiting = "SELECT COUNT(*) FROM agent_tokens WHERE attempts > 0 AND leased_by IS NULL";
    let busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    person.answer_at(PERSON_METADATA_PATH, busy);
    acting_for(&world, &ana, &person, "one").await;
    ana.step_up().await.unwrap();
    ana.client().revoke_agent(&name("one")).await.unwrap();
    world.until("it waits", |world| world.number(waiting).unwrap() == 1).await;

    // It speaks for somebody else, or sends us inwards: neither is followed.
    let inwards = "https://169.254.169.254/latest";
    for (issuer, endpoint) in [("https://ps.example.org", inwards), (&*origin(&person), inwards)] {
        takes_calls_at(&person, issuer, endpoint);
        let before = person.connected();
        world.clock.advance(Seconds::minutes(5));
        world.until("it was asked", |_| person.connected() > before).await;
        world.until("it waits", |world| world.number(waiting).unwrap() == 1).await;
    }
    assert!(posts(&person).is_empty());

    let gone = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    person.answer_at("/revoked", gone);
    takes_calls_at(&person, &origin(&person), &format!("{}/revoked", origin(&person)));
    world.clock.advance(Seconds::minutes(10));
    world.until("unknown is done", |world| kept(world) == 0).await;
    assert_eq!(posts(&person).len(), 1);

    person.answer_at(PERSON_METADATA_PATH, busy);
    acting_for(&world, &ana, &person, "two").await;
    ana.step_up().await.unwrap();
    ana.client().revoke_agent(&name("two")).await.unwrap();
    world.until("it waits", |world| world.number(waiting).unwrap() == 1).await;
    world.pass(Seconds::hours(2)).await.unwrap();
    world.until("nobody is told of what has ended", |world| kept(world) == 0).await;
    assert_eq!(posts(&person).len(), 1);
}
