//! Requests that no honest client sends, and what nobody may learn.

use super::met;
use landfall_identity::Reason;
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::link::{Approver, answer_body};
use landfall_test_support::{Bare, World};
use serde_json::{Value, json};

/// What differs by chance or time is taken out of an answer.
fn plain(mut body: Value) -> Value {
    for field in ["recovery_id", "expires_at", "server_time"] {
        body["recovery"].as_object_mut().unwrap().remove(field);
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_by_a_link_who_exists() {
    let world = World::new().await.unwrap();
    let _ana = world.admin("ana").await.unwrap();
    let mut seen = Vec::new();
    for user in ["ana", "nobody"] {
        let bare = Bare::new(&world).unwrap();
        let body = bare.begin_body(user, "new").unwrap();
        let begun = bare.post(paths::LINK_BEGIN, &body).await.unwrap();
        let id = begun.body["recovery"]["recovery_id"].clone();
        let show = bare.post(paths::LINK_SHOW, &json!({ "link_id": id })).await.unwrap();
        seen.push([begun, show].map(|answer| (answer.status, plain(answer.body))));
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_are_none_and_keys_that_are_taken_are_refused() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin_link("ana", "ana-new").await.unwrap().recovery.recovery_id;
    let approver = Approver::of(&ana).await.unwrap();
    for bad in ["", "x", "AAAA", &"A".repeat(44), &"+".repeat(43)] {
        let body = json!({ "commitment": bad });
        let claim = approver.post(paths::LINK_CLAIM, &id, &approver.weak, Some(&body)).await;
        assert_eq!(claim.unwrap().code(), ErrorCode::InvalidField, "{bad}");
        let answer = answer_body(&id, bad, &approver.nonce);
        let answer = bare.post(paths::LINK_ANSWER, &answer).await.unwrap();
        assert_eq!(answer.code(), ErrorCode::InvalidField, "{bad}");
    }
    for bad in ["", "4K7M", "not a code at all"] {
        let found = approver.find(bad).await.unwrap();
        assert_eq!(found.code(), ErrorCode::InvalidField, "{bad}");
    }
    // A key with a recovery under way, or one that is a device already, begins no link.
    let busy = Bare::new(&world).unwrap();
    busy.begin("ana", "x").await.unwrap();
    let body = busy.begin_body("ana", "x").unwrap();
    let refused = busy.post(paths::LINK_BEGIN, &body).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::KeyInUse);
    let done = met(&ana, bare, "ana-new").await;
    done.approver.approve(&done.info.id, &done.token).await.unwrap();
    done.bare.complete(&done.info.id, "ana-new", None).await.unwrap();
    let body = done.bare.begin_body("ana", "ana-newer").unwrap();
    let refused = done.bare.post(paths::LINK_BEGIN, &body).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::KeyInUse);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_administrator_lets_a_link_in_whose_code_they_were_read() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin_link("bert", "bert-new").await.unwrap().recovery.recovery_id;
    assert!(ana.client().admin_recoveries().await.unwrap().is_empty(), "it is not theirs to see");
    let own = bert.client().recoveries().await.unwrap();
    let [link] = own.as_slice() else { panic!("its owner sees it: {own:?}") };
    // Also by its number, which somebody may have told them: nobody touches for it.
    let act = BoundActBody::ApproveRecovery {
        recovery: id.clone(),
        user: bert.name.clone(),
        thumbprint: link.thumbprint.clone(),
        reason: Reason::parse("they called").unwrap(),
    };
    let refused = ana.client().step_up(Some(act), None, &ana.shell).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::NotFound);
    assert!(bare.show_link(&id).await.unwrap().recovery.proofs.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_recovery_is_no_link_and_a_device_proves_nothing_in_it() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("ana", "ana-new").await.unwrap().recovery_id;
    let approver = Approver::of(&ana).await.unwrap();
    let found = approver.find(&bare.link_code(&id)).await.unwrap();
    assert_eq!(found.code(), ErrorCode::LinkUnknown);
    let approve = approver.approve(&id, &approver.weak).await.unwrap();
    assert_eq!(approve.code(), ErrorCode::StepUpRequired);
    let strong = ana.client().step_up(None, None, &ana.shell).await.unwrap().token;
    for path in [paths::LINK_CLAIM, paths::LINK_APPROVE] {
        let body = json!({ "commitment": "A".repeat(43) });
        let body = (path == paths::LINK_CLAIM).then_some(&body);
        let refused = approver.post(path, &id, &strong, body).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::StepUpRequired, "{path}");
    }
    let show = bare.post(paths::LINK_SHOW, &json!({ "link_id": id })).await.unwrap();
    assert_eq!(show.code(), ErrorCode::RecoveryOver);
}
