//! Everything that a known caller asks is on record exactly once, also what no use case could read.

use landfall_identity::action::Entry;
use landfall_protocol::paths::fill;
use landfall_protocol::{ErrorCode, paths};
use landfall_server::http::{RouteInfo, routes};
use landfall_test_support::raw::Answer;
use landfall_test_support::{Raw, World};
use reqwest::Method;
use serde_json::{Value, json};

/// `action outcome reason` of every audit row of a request.
fn rows(world: &World, answer: &Answer) -> Vec<String> {
    let database = world.database().unwrap();
    let sql = "SELECT action, outcome, reason FROM audit_events WHERE request = $1";
    let mut statement = database.prepare(sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        let [action, outcome]: [String; 2] = [row.get(0)?, row.get(1)?];
        let reason: Option<String> = row.get(2)?;
        Ok(format!("{action} {outcome} {}", reason.unwrap_or_default()))
    };
    let rows = statement.query_map([answer.request_id.as_str()], row).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// The path with something of an admissible form in each place.
fn path(route: &RouteInfo) -> String {
    let values: Vec<String> = route
        .path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{'))
        .map(|name| match name {
            "id}" => "0".repeat(26),
            "version}" => "1".to_owned(),
            _ => "somebody".to_owned(),
        })
        .collect();
    fill(route.path, &values.iter().map(String::as_str).collect::<Vec<_>>())
}

fn takes_session(route: &RouteInfo) -> bool {
    matches!(route.action.demand().entry, Entry::Session(_))
}

/// Every list of the interface, as its own description tells.
async fn lists(world: &World) -> Vec<&'static RouteInfo> {
    let stranger = Raw::stranger(world).unwrap();
    let document = stranger.send(Method::GET, paths::OPENAPI, None, None).await.unwrap().body;
    let is_list = |route: &&RouteInfo| {
        let parameters = &document["paths"][route.path]["get"]["parameters"];
        let named = |parameter: &Value| parameter["name"] == "limit";
        route.method == "GET" && parameters.as_array().is_some_and(|all| all.iter().any(named))
    };
    routes().iter().filter(is_list).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_limit_or_cursor_is_on_record_once_on_every_list() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let raw = Raw::of(&ana.machine).unwrap();
    let token = raw.session().await.unwrap().token;
    let lists = lists(&world).await;
    assert!(lists.len() >= 8, "only {} lists were found", lists.len());
    let long = format!("after={}", "A".repeat(600));
    let queries =
        ["limit=0", "limit=201", "limit=many", "limit=-1", "after=!", "unheard=of", long.as_str()];
    for route in lists {
        for query in queries {
            let at = format!("{}?{query}", path(route));
            let answer = raw.send(Method::GET, &at, Some(&token), None).await.unwrap();
            assert_eq!(answer.status, 400, "{at}: {answer:?}");
            let code = answer.code();
            let reason = if query == "unheard=of" {
                ErrorCode::UnknownField
            } else {
                ErrorCode::InvalidField
            };
            assert_eq!(code, reason, "{at}");
            let expected = format!("{} deny invalid-field", route.action.code());
            assert_eq!(rows(&world, &answer), [expected], "{at}");
        }
        // And what is right is on record once as well, whether the thing exists or not.
        let answer =
            raw.send(Method::GET, &format!("{}?limit=1", path(route)), Some(&token), None).await;
        assert_eq!(rows(&world, &answer.unwrap()).len(), 1, "{}", route.path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_known_caller_sends_and_nobody_can_read_is_on_record_once() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let raw = Raw::of(&ana.machine).unwrap();
    let token = raw.session().await.unwrap().token;
    let bearer = format!("Bearer {token}");
    let mut tried = 0;
    for route in routes().iter().filter(|route| takes_session(route)) {
        let method = Method::from_bytes(route.method.as_bytes()).unwrap();
        let mut sent = vec![
            ([("authorization", "Basic YTpi"), ("content-type", "application/json")], "{}"),
            ([("authorization", "Bearer"), ("content-type", "application/json")], "{}"),
        ];
        let takes_body = route.method == "PATCH"
            || [
                paths::TOKEN_ISSUE,
                paths::SECRETS,
                paths::REGISTER_BEGIN,
                paths::REGISTER_REDEEM,
                paths::STEP_UP_BEGIN,
                paths::STEP_UP_REDEEM,
            ]
            .contains(&route.path)
                && route.method == "POST";
        if takes_body {
            let right = ("authorization", bearer.as_str());
            sent.push(([right, ("content-type", "application/json")], "{"));
            sent.push(([right, ("content-type", "application/json")], r#"{"unheard":"of"}"#));
            sent.push(([right, ("content-type", "text/plain")], "{}"));
        }
        for (fields, text) in sent {
            let at = path(route);
            let answer = raw.send_text(method.clone(), &at, &fields, text).await.unwrap();
            assert!(answer.status >= 400, "{} {at} with {fields:?} {text}", route.method);
            let expected = format!("{} deny invalid-field", route.action.code());
            assert_eq!(rows(&world, &answer), [expected], "{} {at} {fields:?}", route.method);
            tried += 1;
        }
    }
    assert!(tried > 60, "only {tried} were tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_wrong_kind_or_hash_and_a_wrong_way_back_are_on_record() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let raw = Raw::of(&ana.machine).unwrap();
    let token = raw.session().await.unwrap().token;
    let hash = data_encoding::BASE64URL_NOPAD.encode(&[1; 32]);
    let there = json!({ "by": "loopback", "port": 80, "path": "a-long-enough-path" });
    for (path, body, action) in [
        (
            paths::TOKEN_ISSUE,
            json!({ "kind": "claim", "user": "ana", "auth_hash": hash }),
            "issue-token",
        ),
        (
            paths::TOKEN_ISSUE,
            json!({ "kind": "invite", "user": "eve", "auth_hash": "short" }),
            "issue-invite",
        ),
        (paths::STEP_UP_BEGIN, json!({ "return_path": there }), "begin-step-up"),
    ] {
        let answer = raw.send(Method::POST, path, Some(&token), Some(&body)).await.unwrap();
        assert_eq!(answer.code(), ErrorCode::InvalidField, "{answer:?}");
        assert_eq!(rows(&world, &answer), [format!("{action} deny invalid-field")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_for_public_addresses_and_never_passes_for_a_reading() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let raw = Raw::of(&ana.machine).unwrap();
    let token = raw.session().await.unwrap().token;
    for route in routes().iter().filter(|route| route.method == "GET") {
        let at = path(route);
        let answer = raw.send(Method::HEAD, &at, Some(&token), None).await.unwrap();
        // Whoever asks with a third method is told the same.
        let other = raw.send(Method::PUT, &at, Some(&token), None).await.unwrap();
        let allowed = other.field("allow").unwrap().to_owned();
        match route.action.demand().entry {
            Entry::Anyone => {
                assert_ne!(answer.status, 405, "{at}");
                assert!(allowed.contains("HEAD"), "{at}: {allowed}");
                assert_eq!(rows(&world, &answer), [""; 0], "{at}");
            }
            _ => {
                assert_eq!(answer.status, 405, "{at}");
                assert_eq!(answer.field("allow"), Some(allowed.as_str()), "{at}");
                assert!(allowed.contains("GET") && !allowed.contains("HEAD"), "{at}: {allowed}");
                let expected = format!("{} deny invalid-field", route.action.code());
                assert_eq!(rows(&world, &answer), [expected], "{at}");
            }
        }
    }
    // A session that is none changes nothing about it; a stranger is counted, not written down.
    let stranger = Raw::stranger(&world).unwrap();
    let answer = stranger.send(Method::HEAD, paths::ME, None, None).await.unwrap();
    assert_eq!(answer.status, 401);
    assert_eq!(rows(&world, &answer), [""; 0]);
}
