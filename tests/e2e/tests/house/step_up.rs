//! Only the server says what is fresh, and only a person makes it so.

use landfall_crypto::SecretBytes;
use landfall_identity::secret::SecretName;
use landfall_identity::{DeviceName, Seconds};
use landfall_protocol::ceremony::{BoundActBody, CeremonyBegun, CeremonyFinished};
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::browser::Page;
use landfall_test_support::{Person, Raw, World};
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn step_up_cannot_be_skipped() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let name = SecretName::parse("wifi").unwrap();
    ana.client().set_secret(&name, &SecretBytes::new(b"x".to_vec())).await.unwrap();
    let raw = Raw::of(&ana.machine).unwrap();
    let weak = raw.session().await.unwrap().token;
    let delete = |token: String| {
        let raw = raw.clone();
        async move { raw.send(Method::DELETE, "/secrets/wifi", Some(&token), None).await.unwrap() }
    };
    assert_eq!(delete(weak.clone()).await.code(), ErrorCode::StepUpRequired);

    // A strong session of ten minutes serves; an old weak one does not ride on it; time ends it.
    let strong = ana.client().step_up(None, None, &ana.shell).await.unwrap();
    assert_eq!(delete(weak).await.code(), ErrorCode::StepUpRequired);
    world.clock.advance(Seconds::minutes(10));
    assert_eq!(delete(strong.token).await.code(), ErrorCode::SessionOver);
    let strong = ana.client().step_up(None, None, &ana.shell).await.unwrap();
    // Reopening the weak session neither keeps nor prolongs it.
    raw.session().await.unwrap();
    let answer = delete(strong.token.clone()).await;
    assert!(answer.status == 200 || answer.status == 204, "{answer:?}");

    // It does not mint tokens: that takes an approval of the very token.
    let body = json!({
        "kind": "device", "user": "ana", "device": "ana-phone",
        "auth_hash": data_encoding::BASE64URL_NOPAD.encode(&[1; 32]),
    });
    let mint = |token: String, body: serde_json::Value| {
        let raw = raw.clone();
        async move {
            raw.send(Method::POST, paths::TOKEN_ISSUE, Some(&token), Some(&body)).await.unwrap()
        }
    };
    assert_eq!(mint(strong.token, body.clone()).await.code(), ErrorCode::StepUpRequired);
    let act = BoundActBody::IssueToken {
        kind: landfall_identity::token::TokenKind::Device,
        user: ana.name.clone(),
        device: Some(DeviceName::parse("ana-phone").unwrap()),
        role: landfall_identity::caller::Role::Member,
        ttl_seconds: 600,
        auth_hash: data_encoding::BASE64URL_NOPAD.encode(&[1; 32]),
    };
    let bound = ana.client().step_up(Some(act), None, &ana.shell).await.unwrap();
    let mut other = body.clone();
    other["device"] = json!("thief");
    assert_eq!(
        mint(bound.token.clone(), other).await.code(),
        ErrorCode::StepUpForAnotherAct,
        "approved for one device, used for another"
    );
    assert_eq!(mint(bound.token.clone(), body).await.status, 200);
    let mut another = json!({
        "kind": "device", "user": "ana", "device": "ana-tablet",
        "auth_hash": data_encoding::BASE64URL_NOPAD.encode(&[2; 32]),
    });
    assert_eq!(
        mint(bound.token.clone(), another.clone()).await.code(),
        ErrorCode::StepUpForAnotherAct
    );
    another["user"] = json!("bert");
    assert!(mint(bound.token, another).await.status >= 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_works_only_with_its_own_key() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let strong = ana.client().step_up(None, None, &ana.shell).await.unwrap();
    let thief = Raw::of(&bert.machine).unwrap();
    let answer = thief.send(Method::GET, paths::ME, Some(&strong.token), None).await.unwrap();
    assert_eq!(answer.code(), ErrorCode::SessionOfAnotherKey);
    let stranger = Raw::stranger(&world).unwrap();
    let answer = stranger.send(Method::GET, paths::ME, Some(&strong.token), None).await.unwrap();
    assert_eq!(answer.code(), ErrorCode::CertificateRequired);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_token_of_a_known_key_is_on_record() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let raw = Raw::of(&ana.machine).unwrap();
    let answer = raw.send(Method::GET, paths::ME, Some("not.a.token"), None).await.unwrap();
    assert_eq!(answer.code(), ErrorCode::SessionRequired);
    let rows = ana.client().audit(&landfall_client::AuditFilter::default()).await.unwrap();
    let row = rows.items.iter().find(|row| row.reason.as_deref() == Some("session-required"));
    assert_eq!(row.unwrap().action, "read-self");
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_really_revokes_and_a_restart_brings_nothing_back() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let raw = Raw::of(&ana.machine).unwrap();
    let (kept, closed) = (raw.session().await.unwrap(), raw.session().await.unwrap());
    raw.send(Method::DELETE, paths::SESSION, Some(&closed.token), None).await.unwrap();
    for _ in 0..2 {
        let me = |token: String| {
            let raw = raw.clone();
            async move { raw.send(Method::GET, paths::ME, Some(&token), None).await.unwrap() }
        };
        assert_eq!(me(closed.token.clone()).await.code(), ErrorCode::SessionOver);
        assert_eq!(me(kept.token.clone()).await.status, 200);
        world.restart().await.unwrap();
    }
}

/// The attacker holds Bert's stolen laptop, begins a ceremony there, and sends the genuine link to
/// Bert, who touches his passkey at his own desk.
#[tokio::test(flavor = "multi_thread")]
async fn phished_ceremony_link_gives_nothing() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let token = bert.device_token("bert-desktop").await.unwrap();
    let machine = world.machine("bert-desktop").unwrap();
    machine.enroll(&token, None, None).await.unwrap();
    let desk = Person { name: bert.name.clone(), machine, shell: bert.shell.clone() };

    let thief = Raw::of(&bert.machine).unwrap();
    let weak = thief.session().await.unwrap().token;
    let body = json!({
        "return_path": { "by": "loopback", "port": 40_000, "path": "0123456789abcdef" },
    });
    let begun =
        thief.send(Method::POST, paths::STEP_UP_BEGIN, Some(&weak), Some(&body)).await.unwrap();
    let begun: CeremonyBegun = serde_json::from_value(begun.body).unwrap();

    // Bert's browser goes through with it. Where it is sent is Bert's own machine.
    let page = Page::parse(&begun.page_url).unwrap();
    let browser = desk.shell.browser();
    let mut browser = browser.lock().await;
    let options = browser.options(&page).await.unwrap();
    assert_eq!(options.device.as_str(), "bert-laptop", "the page names the device that asks");
    let credential = browser.touch(&page, &options).await.unwrap();
    let CeremonyFinished::Redirect { url } = browser.finish(&page, credential).await.unwrap()
    else {
        panic!("a loopback ceremony ends in a redirect");
    };
    assert!(url.starts_with("http://127.0.0.1:40000/0123456789abcdef?"), "{url}");
    let completion = url.split_once("completion=").unwrap().1.to_owned();

    // The thief has everything but the completion, and guesses.
    for guess in ["", "AAAAAAAA", &"A".repeat(43)] {
        let body = json!({ "ceremony_id": begun.ceremony_id, "completion": guess });
        let answer = thief
            .send(Method::POST, paths::STEP_UP_REDEEM, Some(&weak), Some(&body))
            .await
            .unwrap();
        assert!(answer.status >= 400, "{answer:?}");
    }
    // Bert's machine has the completion, and did not begin: it gets nothing either.
    let desk_raw = Raw::of(&desk.machine).unwrap();
    let desk_token = desk_raw.session().await.unwrap().token;
    let body = json!({ "ceremony_id": begun.ceremony_id, "completion": completion });
    let answer = desk_raw
        .send(Method::POST, paths::STEP_UP_REDEEM, Some(&desk_token), Some(&body))
        .await
        .unwrap();
    assert_eq!(answer.code(), ErrorCode::CeremonyOver);
}

/// People who touch for nothing learn to touch for everything.
#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_refused_is_refused_before_anybody_touches() {
    use landfall_identity::caller::Role;
    use landfall_identity::id::PasskeyId;
    use landfall_identity::token::TokenKind;
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let issue = |kind, user: &Person, device: Option<&str>| BoundActBody::IssueToken {
        kind,
        user: user.name.clone(),
        device: device.map(|name| DeviceName::parse(name).unwrap()),
        role: Role::Member,
        ttl_seconds: 600,
        auth_hash: data_encoding::BASE64URL_NOPAD.encode(&[1; 32]),
    };
    let for_too_long = |seconds| match issue(TokenKind::Device, &ana, Some("ana-new")) {
        BoundActBody::IssueToken { kind, user, device, role, auth_hash, .. } => {
            BoundActBody::IssueToken { kind, user, device, role, ttl_seconds: seconds, auth_hash }
        }
        other => other,
    };
    let agent_for_too_long = BoundActBody::IssueAgentCode {
        agent: "research".to_owned(),
        ttl_seconds: 3 * 60 * 60,
        auth_hash: data_encoding::BASE64URL_NOPAD.encode(&[1; 32]),
    };
    let revoke = |user: &Person, device: &str| BoundActBody::RevokeDevice {
        user: user.name.clone(),
        device: DeviceName::parse(device).unwrap(),
    };
    let unknown = BoundActBody::RemovePasskey { passkey: PasskeyId::from_bits([7; 16]) };
    let of_ana = ana.client().whoami().await.unwrap().device.name;
    let ceremonies = || world.number("SELECT COUNT(*) FROM ceremonies").unwrap();
    let before = ceremonies();
    for (person, act, code) in [
        (&ana, revoke(&ana, "never-there"), ErrorCode::NotFound),
        (&ana, revoke(&bert, "never-there"), ErrorCode::NotFound),
        (&bert, revoke(&ana, of_ana.as_str()), ErrorCode::Forbidden),
        (&ana, issue(TokenKind::Invite, &bert, None), ErrorCode::UserExists),
        (&bert, issue(TokenKind::Invite, &ana, None), ErrorCode::Forbidden),
        (&bert, issue(TokenKind::Device, &ana, Some("bert-spy")), ErrorCode::NotFound),
        (&ana, issue(TokenKind::Device, &ana, Some(of_ana.as_str())), ErrorCode::DeviceNameTaken),
        (&ana, unknown, ErrorCode::NotFound),
        (&ana, for_too_long(3 * 60 * 60), ErrorCode::TtlNotAllowed),
        (&ana, for_too_long(0), ErrorCode::TtlNotAllowed),
        (&ana, agent_for_too_long, ErrorCode::TtlNotAllowed),
    ] {
        let refused = person.client().step_up(Some(act.clone()), None, &person.shell).await;
        assert_eq!(refused.err().map(|failure| failure.code()), Some(code), "{act:?}");
    }
    assert_eq!(ceremonies(), before, "no page was ever offered");
}
