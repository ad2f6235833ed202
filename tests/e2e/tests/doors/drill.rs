//! Drills: the real ceremony, and nothing comes of it but a date.

use landfall_client::words::RecoveryCode;
use landfall_crypto::ambient::SystemRandom;
use landfall_crypto::httpsig::{self, DRILL, Profile, RECOVERY};
use landfall_crypto::{KeyPair, Signer};
use landfall_identity::passkey::Attachment;
use landfall_identity::recovery::{CodeState, Door};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::raw::Answer;
use landfall_test_support::{Bare, Person, Raw, World};
use reqwest::Method;
use serde_json::{Value, json};

/// Everything that a recovery reads or writes, counted.
fn untouched(world: &World) -> Vec<i64> {
    [
        "SELECT COUNT(*) FROM recovery_codes WHERE state = 'live'",
        "SELECT COUNT(*) FROM recovery_proofs",
        "SELECT COUNT(*) FROM recoveries",
        "SELECT COUNT(*) FROM enrollments",
        "SELECT COUNT(*) FROM notices",
        "SELECT COUNT(*) FROM passkeys",
    ]
    .map(|sql| world.number(sql).unwrap())
    .to_vec()
}

/// A message to `path` as the machine's own key would sign it under `profile`, in a session of it.
async fn signed(world: &World, person: &Person, profile: &'static Profile, body: &Value) -> Answer {
    let raw = Raw::of(&person.machine).unwrap();
    let session = raw.session().await.unwrap().token;
    send(world, &raw, &session, &fields(world, person, profile, body), body).await
}

fn fields(
    world: &World,
    person: &Person,
    profile: &'static Profile,
    body: &Value,
) -> Vec<(&'static str, String)> {
    let key = KeyPair::from_pkcs8(&person.machine.key_file().unwrap()).unwrap();
    assert!(!key.public_key().spki().is_empty());
    let authority = world.server().https_addr.to_string();
    let text = body.to_string();
    let request = httpsig::Request {
        method: "POST",
        authority: &authority,
        path: paths::DRILL_CODE,
        body: text.as_bytes(),
    };
    let signed = httpsig::sign(profile, &request, world.ambient.now(), &key).unwrap();
    vec![
        ("content-type", "application/json".to_owned()),
        ("content-digest", signed.content_digest),
        ("signature-input", signed.signature_input),
        ("signature", signed.signature),
    ]
}

async fn send(
    _: &World,
    raw: &Raw,
    session: &str,
    fields: &[(&'static str, String)],
    body: &Value,
) -> Answer {
    let bearer = format!("Bearer {session}");
    let mut all: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.push(("authorization", &bearer));
    raw.send_text(Method::POST, paths::DRILL_CODE, &all, &body.to_string()).await.unwrap()
}

fn code_body(code: &RecoveryCode) -> Value {
    json!({ "code": code.name().unwrap(), "auth": code.auth().to_text().as_str() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_tried_and_not_burnt_and_the_date_is_shown() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let codes = ana.client().make_recovery_codes(&ana.shell).await.unwrap().codes;
    let before = untouched(&world);
    let done = ana.client().drill_code(&codes[0]).await.unwrap();
    assert_eq!((done.door, done.counts, done.leads_in), (Door::RecoveryCode, true, true));
    assert_eq!(done.at.0, world.ambient.now());
    assert_eq!(untouched(&world), before, "nothing was burnt, nothing was begun");
    let kept = ana.client().recovery_codes().await.unwrap();
    assert!(kept.iter().all(|info| info.state == CodeState::Live));
    assert_eq!(ana.client().readiness().await.unwrap().drills, [done]);

    // The code still works on the day.
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("ana", "ana-new").await.unwrap().recovery_id;
    assert_eq!(bare.prove(&id, &codes[0]).await.unwrap().status, 200);

    // Not a code, another's code, an old sheet: the same answers as on the day.
    let strange = RecoveryCode::generate(&SystemRandom);
    let wrong = ana.client().drill_code(&strange).await.err().unwrap();
    assert_eq!(wrong.code(), ErrorCode::RecoveryCodeWrong);
    let bert = world.invited(&ana, "bert").await.unwrap();
    let foreign = bert.client().drill_code(&codes[1]).await.err().unwrap();
    assert_eq!(foreign.code(), ErrorCode::RecoveryCodeWrong);
    ana.client().make_recovery_codes(&ana.shell).await.unwrap();
    let old = ana.client().drill_code(&codes[1]).await.err().unwrap();
    assert_eq!(old.code(), ErrorCode::RecoveryCodeReplaced);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_engine_takes_the_others() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let code = ana.client().make_recovery_codes(&ana.shell).await.unwrap().codes.swap_remove(0);
    let body = code_body(&code);
    // Signed as a recovery, by another key, or not at all: no drill.
    let refused = signed(&world, &ana, &RECOVERY, &body).await;
    assert_eq!(refused.code(), ErrorCode::SignatureInvalid);
    let bert = world.invited(&ana, "bert").await.unwrap();
    let raw = Raw::of(&ana.machine).unwrap();
    let session = raw.session().await.unwrap().token;
    let foreign = fields(&world, &bert, &DRILL, &body);
    let refused = send(&world, &raw, &session, &foreign, &body).await;
    assert_eq!(refused.code(), ErrorCode::SignatureInvalid);
    let nothing = [("content-type", "application/json".to_owned())];
    let refused = send(&world, &raw, &session, &nothing, &body).await;
    assert_eq!(refused.code(), ErrorCode::SignatureInvalid);
    assert_eq!(world.number("SELECT COUNT(*) FROM recovery_drills").unwrap(), 0);
    // Signed as a drill: it is one, once, and in a recovery it is nothing.
    let sound = fields(&world, &ana, &DRILL, &body);
    assert_eq!(send(&world, &raw, &session, &sound, &body).await.status, 200);
    let again = send(&world, &raw, &session, &sound, &body).await;
    assert_eq!(again.code(), ErrorCode::SignatureInvalid, "taken twice");
    let proofs = "SELECT COUNT(*) FROM recovery_proofs";
    assert_eq!(world.number(proofs).unwrap(), 0);
    let sent: Vec<(&str, &str)> =
        sound.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let stranger = Raw::stranger(&world).unwrap();
    let prove =
        stranger.send_text(Method::POST, paths::RECOVERY_PROVE, &sent, &body.to_string()).await;
    assert!(prove.unwrap().status >= 400);

    // A touch for a drill serves the drill alone; a touch for anything else is no drill.
    let drill = ana.client().step_up(Some(BoundActBody::DrillPasskey {}), None, &ana.shell).await;
    let drill = drill.unwrap().token;
    let codes = json!({ "codes": [] });
    for (path, body) in [(paths::RECOVERY_CODES, &codes), (paths::TOKEN_ISSUE, &mint())] {
        let refused = raw.send(Method::POST, path, Some(&drill), Some(body)).await.unwrap();
        let never = [ErrorCode::StepUpForAnotherAct, ErrorCode::InvalidField];
        assert!(never.contains(&refused.code()), "{path}: {refused:?}");
    }
    let strong = ana.client().step_up(None, None, &ana.shell).await.unwrap().token;
    let refused = raw.send(Method::POST, paths::DRILL_PASSKEY, Some(&strong), None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::StepUpRequired);
    let act =
        BoundActBody::AddPasskey { attachment: Attachment::Roaming, label: "x".parse().unwrap() };
    let other = ana.client().step_up(Some(act), None, &ana.shell).await.unwrap().token;
    let refused = raw.send(Method::POST, paths::DRILL_PASSKEY, Some(&other), None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::StepUpForAnotherAct);
}

fn mint() -> Value {
    json!({
        "kind": "device", "user": "ana", "device": "planted",
        "auth_hash": data_encoding::BASE64URL_NOPAD.encode(&[9; 32]),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_drill_is_a_real_touch_and_says_whether_it_would_count() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let before = untouched(&world);
    let done = ana.client().drill_passkey(&ana.shell).await.unwrap();
    assert_eq!(done.door, Door::Passkey);
    assert!(done.leads_in, "a passkey is a way in here");
    assert_eq!(untouched(&world), before);
    // Once: the approval is spent.
    let bound = ana.client().step_up(Some(BoundActBody::DrillPasskey {}), None, &ana.shell).await;
    let (bound, raw) = (bound.unwrap().token, Raw::of(&ana.machine).unwrap());
    let first = raw.send(Method::POST, paths::DRILL_PASSKEY, Some(&bound), None).await.unwrap();
    assert_eq!(first.status, 200);
    let again = raw.send(Method::POST, paths::DRILL_PASSKEY, Some(&bound), None).await.unwrap();
    assert_eq!(again.code(), ErrorCode::StepUpSpent);
    let shown = ana.client().readiness().await.unwrap().drills;
    assert_eq!(shown.len(), 1, "the newest of each kind");
    // On record like everything else.
    let rows =
        "SELECT COUNT(*) FROM audit_events WHERE action = 'drill-passkey' AND outcome = 'allow'";
    assert_eq!(world.number(rows).unwrap(), 2);
}
