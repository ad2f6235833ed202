//! Every route, every principal and strength, a foreign object: refused. The table of routes is the
//! product's own, so that a new route is in the matrix the moment it exists.

use landfall_crypto::SecretBytes;
use landfall_crypto::aauth::{Algorithm, ServerId};
use landfall_identity::action::{Entry, Scope};
use landfall_identity::secret::SecretName;
use landfall_identity::spiffe::PrincipalKind;
use landfall_identity::{Action, AuthStrength, MailAddress};
use landfall_protocol::paths::fill;
use landfall_protocol::{ErrorCode, paths};
use landfall_server::Config;
use landfall_server::config::{AgentsConfig, SmtpUrl};
use landfall_server::http::{RouteInfo, routes};
use landfall_test_support::{Person, Raw, SoftAgent, Through, World, readable_body};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;

/// Things of Ana's that Bert names.
struct Foreign {
    token: String,
    passkey: String,
    address: String,
}

/// A server that mails, though nobody answers there: what is mailed waits.
fn with_mail(config: &mut Config, _: &Path) -> anyhow::Result<()> {
    config.smtp_url = Some(SmtpUrl::parse("smtp://127.0.0.1:9")?);
    config.smtp_from = Some(MailAddress::parse("landfall@example.org")?);
    let issuer = ServerId::parse("https://agents.example.org")?;
    config.agents = Some(AgentsConfig { issuer: Some(issuer), ..AgentsConfig::default() });
    Ok(())
}

/// What Ana has: compared before and after.
async fn belongings(ana: &Person) -> Value {
    let client = ana.client();
    json!([
        client
            .devices()
            .await
            .unwrap()
            .iter()
            .map(|d| json!([d.name, d.state, d.label]))
            .collect::<Vec<_>>(),
        client.passkeys().await.unwrap().iter().map(|p| json!([p.id, p.label])).collect::<Vec<_>>(),
        client.tokens().await.unwrap().iter().map(|t| json!([t.id, t.state])).collect::<Vec<_>>(),
        client.secrets().await.unwrap(),
        client.addresses().await.unwrap(),
        client.notices(200, None).await.unwrap(),
        client.whoami().await.unwrap().frozen,
        client.agents().await.unwrap(),
    ])
}

/// The path with Ana's things in its places; `None` when it names nothing.
fn foreign_path(route: &RouteInfo, foreign: &Foreign) -> Option<String> {
    if !route.path.contains('{') || route.path.ends_with("{file}") {
        return None;
    }
    let values: Vec<&str> = route
        .path
        .split('/')
        .filter(|segment| segment.starts_with('{'))
        .map(|segment| match (segment, route.path) {
            ("{id}", paths::TOKEN) => foreign.token.as_str(),
            ("{id}", paths::ADDRESS | paths::ADDRESS_CONFIRM) => foreign.address.as_str(),
            ("{id}", _) => foreign.passkey.as_str(),
            ("{key}", _) => foreign.passkey.as_str(),
            ("{device}", _) => "ana-desktop",
            ("{user}" | "{guardian}", _) => "ana",
            ("{name}", _) => "wifi",
            ("{version}" | "{seq}", _) => "1",
            ("{issuer}", _) => "prod",
            ("{agent}", _) => "aauth:hers@agents.example.org",
            (other, _) => panic!("{other} is not in the matrix yet"),
        })
        .collect();
    Some(fill(route.path, &values))
}

async fn code(raw: &Raw, route: &RouteInfo, path: &str, token: Option<&str>) -> Option<ErrorCode> {
    let method = Method::from_bytes(route.method.as_bytes()).unwrap();
    let answer = raw.send(method, path, token, readable_body(route).as_ref()).await.unwrap();
    (answer.status >= 400).then(|| answer.code())
}

/// What a person's key alone is told. What only a machine may do is nobody's.
fn without_session(route: &RouteInfo) -> ErrorCode {
    match route.action.demand().kinds.contains(&PrincipalKind::Human) {
        true => ErrorCode::SessionRequired,
        false => ErrorCode::Forbidden,
    }
}

/// What only a machine may do, tried at every strength of a person.
async fn refused_as_a_person(
    raw: &Raw,
    route: &RouteInfo,
    path: &str,
    tokens: [&String; 2],
) -> u32 {
    for token in tokens {
        let refused = code(raw, route, path, Some(token)).await;
        assert_eq!(refused, Some(ErrorCode::Forbidden), "{path} as a person");
    }
    2
}

fn needs_session(route: &RouteInfo) -> Option<AuthStrength> {
    match route.action.demand().entry {
        Entry::Session(strength) => Some(strength),
        _ => None,
    }
}

/// An agent of Ana's.
async fn enroll_hers(world: &World, ana: &Person) {
    let agent = SoftAgent::new(world, Algorithm::Ed25519, Through::Tls).unwrap();
    let made = ana.client().make_agent_code(Some("hers".into()), None, &ana.shell).await;
    let body = json!({ "enrollment_token": made.ok().unwrap().text.as_str() });
    assert_eq!(agent.post(paths::AGENT_ENROLL, &body).await.unwrap().status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn second_user_cannot_touch_the_first() {
    let world = World::configured(with_mail).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let wifi = SecretName::parse("wifi").unwrap();
    ana.client().set_secret(&wifi, &SecretBytes::new(b"hunter2".to_vec())).await.unwrap();
    ana.device_token("ana-phone").await.unwrap();
    ana.step_up().await.unwrap();
    let address = MailAddress::parse("ana@example.org").unwrap();
    ana.client().add_address(&address).await.unwrap();
    enroll_hers(&world, &ana).await;
    let foreign = Foreign {
        token: ana.client().tokens().await.unwrap()[0].id.to_string(),
        passkey: ana.client().passkeys().await.unwrap()[0].id.to_string(),
        address: ana.client().addresses().await.unwrap()[0].id.to_string(),
    };
    let before = belongings(&ana).await;

    let stranger = Raw::stranger(&world).unwrap();
    let raw = Raw::of(&bert.machine).unwrap();
    let weak = raw.session().await.unwrap().token;
    let strong = bert.client().step_up(None, None, &bert.shell).await.unwrap().token;
    let mut tried = 0;
    for route in routes() {
        let path = foreign_path(route, &foreign);
        let plain = path.clone().unwrap_or_else(|| route.path.to_owned());
        let Some(needs) = needs_session(route) else { continue };
        let at = format!("{} {plain}", route.method);

        // Without a key, and with a key but no session: the same on every route.
        assert_eq!(
            code(&stranger, route, &plain, None).await,
            Some(ErrorCode::CertificateRequired),
            "{at} as a stranger"
        );
        let expected = without_session(route);
        assert_eq!(code(&raw, route, &plain, None).await, Some(expected), "{at} without a session");
        tried += 2;
        if expected == ErrorCode::Forbidden {
            tried += refused_as_a_person(&raw, route, &plain, [&weak, &strong]).await;
            continue;
        }

        // A member reaches nothing of the administrators', at no strength.
        if matches!(route.action.demand().scope, Scope::Tenant(_)) {
            for token in [&weak, &strong] {
                let refused = code(&raw, route, &plain, Some(token)).await;
                assert_eq!(refused, Some(ErrorCode::Forbidden), "{at} as a member");
                tried += 1;
            }
            continue;
        }
        // A strength that does not suffice never does.
        if needs == AuthStrength::CertHuman {
            let refused = code(&raw, route, &plain, Some(&weak)).await;
            let expected = [ErrorCode::StepUpRequired, ErrorCode::NotFound];
            assert!(refused.is_some_and(|code| expected.contains(&code)), "{at} weak: {refused:?}");
            tried += 1;
        }
        // Somebody else's thing is not found, or needs a step-up first: it is never served.
        if path.is_some() {
            for token in [&weak, &strong] {
                let refused = code(&raw, route, &plain, Some(token)).await;
                let expected = [ErrorCode::NotFound, ErrorCode::StepUpRequired];
                assert!(refused.is_some_and(|code| expected.contains(&code)), "{at}: {refused:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "only {tried} refusals were tried");
    // Tokens for somebody else's account: planting a device of Bert's making on Ana (trap 14).
    let mint = routes().iter().find(|route| route.path == paths::TOKEN_ISSUE).unwrap();
    for token in [&weak, &strong] {
        let refused = code(&raw, mint, mint.path, Some(token)).await;
        assert_eq!(refused, Some(ErrorCode::NotFound), "a token for another user");
    }
    assert_eq!(belongings(&ana).await, before, "Ana's things are as they were");
}

#[test]
fn every_action_that_people_take_has_a_route() {
    let served: Vec<Action> = routes().iter().map(|route| route.action).collect();
    for action in Action::ALL {
        // Chosen by what is asked, on the route of its sibling.
        let by_body = [Action::IssueInvite, Action::CancelOwnToken, Action::SuspendThisDevice];
        assert!(served.contains(action) || by_body.contains(action), "{action:?} has no route");
    }
}
