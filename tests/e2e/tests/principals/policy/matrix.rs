//! Every route of the tenant's, every role, both strengths: what the table of actions does not give, nobody
//! has. The table of routes is the product's own.

use landfall_client::words::Role;
use landfall_identity::action::{Entry, Scope};
use landfall_identity::token::TokenKind;
use landfall_identity::{AuthStrength, UserName};
use landfall_protocol::ErrorCode;
use landfall_protocol::paths::fill;
use landfall_server::http::{RouteInfo, routes};
use landfall_test_support::{Person, Raw, World, readable_body};
use reqwest::Method;

/// A path that names nobody: what is let through finds nothing to harm.
pub(super) fn path(route: &RouteInfo) -> String {
    let segments = route.path.split('/').filter(|segment| segment.starts_with('{'));
    let values: Vec<&str> = segments
        .map(|segment| match segment {
            "{id}" | "{key}" => "00000000000000000000000000",
            "{seq}" | "{version}" => "1",
            "{agent}" => "aauth:nobody@agents.example.org",
            _ => "nobody",
        })
        .collect();
    fill(route.path, &values)
}

async fn code(raw: &Raw, route: &RouteInfo, token: &str) -> Option<ErrorCode> {
    let method = Method::from_bytes(route.method.as_bytes()).unwrap();
    let (path, body) = (path(route), readable_body(route));
    let answer = raw.send(method, &path, Some(token), body.as_ref()).await.unwrap();
    (answer.status >= 400).then(|| answer.code())
}

async fn tokens(person: &Person) -> [(AuthStrength, String); 2] {
    let raw = Raw::of(&person.machine).unwrap();
    let weak = raw.session().await.unwrap().token;
    let strong = person.client().step_up(None, None, &person.shell).await.unwrap().token;
    [(AuthStrength::CertOnly, weak), (AuthStrength::CertHuman, strong.to_string())]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_reaches_what_the_table_gives_it_on_every_route() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let mut people = vec![(Role::Admin, world.invited_admin(&ana, "eve").await.unwrap())];
    for (user, role) in [("bert", Role::Member), ("audrey", Role::Auditor), ("tom", Role::Operator)]
    {
        people.push((role, world.invited_as(&ana, user, role).await.unwrap()));
    }
    let mut tried = 0;
    for (role, person) in &people {
        let raw = Raw::of(&person.machine).unwrap();
        let tokens = tokens(person).await;
        for route in routes() {
            let demand = route.action.demand();
            let (Scope::Tenant(roles), Entry::Session(needs)) = (demand.scope, demand.entry) else {
                continue;
            };
            for (strength, token) in &tokens {
                let at = format!("{} {} as {role:?}, {strength:?}", route.method, route.path);
                let code = code(&raw, route, token).await;
                tried += 1;
                if !roles.contains(role) {
                    assert_eq!(code, Some(ErrorCode::Forbidden), "{at}");
                    continue;
                }
                assert_ne!(code, Some(ErrorCode::Forbidden), "{at}");
                if *strength < needs {
                    let expected = [ErrorCode::StepUpRequired, ErrorCode::NotFound];
                    assert!(code.is_some_and(|code| expected.contains(&code)), "{at}: {code:?}");
                }
            }
        }
        // Nobody but an administrator invites, at any strength and with any touch.
        if *role != Role::Admin {
            let planted = UserName::parse("planted").unwrap();
            assert!(person.mint(TokenKind::Invite, &planted, None).await.is_err(), "{role:?}");
        }
    }
    assert!(tried > 100, "only {tried} were tried");
    // What was refused has changed nothing.
    let users = "SELECT COUNT(*) FROM users WHERE name IN ('ana', 'eve', 'bert', 'audrey', 'tom')";
    assert_eq!(world.number(users).unwrap(), 5);
    assert_eq!(world.number("SELECT COUNT(*) FROM users").unwrap(), 5);
    assert_eq!(world.number("SELECT COUNT(*) FROM policies").unwrap(), 0);
}
