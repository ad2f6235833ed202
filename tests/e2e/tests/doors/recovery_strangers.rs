//! What somebody learns who names accounts and measures: nothing, however often they ask.

use futures::StreamExt;
use futures::stream;
use landfall_identity::Seconds;
use landfall_identity::id::RecoveryId;
use landfall_identity::recovery::{MESSAGES_MAX, MESSAGES_WINDOW};
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::bare::{Message, complete_body};
use landfall_test_support::{Answer, Bare, World};
use serde_json::json;
use std::time::{Duration, Instant};

/// Messages on their way at once.
const AT_ONCE: usize = 64;

fn show(bare: &Bare, id: &RecoveryId) -> Message {
    bare.message(paths::RECOVERY_SHOW, &json!({ "recovery_id": id })).unwrap()
}

async fn send_all(bare: &Bare, messages: Vec<Message>) -> Vec<Answer> {
    let send = |message: Message| async move { bare.send(&message).await.unwrap() };
    stream::iter(messages).map(send).buffer_unordered(AT_ONCE).collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_asks_only_so_often_whoever_it_names_and_a_restart_forgets_nothing() {
    let mut world = World::new().await.unwrap();
    let _ana = world.admin("ana").await.unwrap();
    let (known, unknown) = (Bare::new(&world).unwrap(), Bare::new(&world).unwrap());
    let mut ids = Vec::new();
    for (bare, user) in [(&known, "ana"), (&unknown, "nobody")] {
        let id = bare.begin(user, "new").await.unwrap().recovery_id;
        // Whatever it asks counts, also what is refused before anything is written.
        let complete = complete_body(&id, "new", None).unwrap();
        let refused = bare.post(paths::RECOVERY_COMPLETE, &complete).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
        let wait = json!({ "recovery_id": id });
        let refused = bare.post(paths::RECOVERY_WAIT, &wait).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
        let rest = (3..MESSAGES_MAX).map(|_| show(bare, &id)).collect();
        for answer in send_all(bare, rest).await {
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        ids.push((bare, id));
    }

    world.restart().await.unwrap();
    for (bare, id) in &ids {
        let refused = bare.send(&show(bare, id)).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::RateLimited, "{}", refused.body);
        let complete = complete_body(id, "new", None).unwrap();
        let refused = bare.post(paths::RECOVERY_COMPLETE, &complete).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::RateLimited, "{}", refused.body);
    }
    world.pass(Seconds(MESSAGES_WINDOW.0 + 1)).await.unwrap();
    for (bare, id) in &ids {
        assert_eq!(bare.send(&show(bare, id)).await.unwrap().status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_completion_is_taken_once_like_every_message() {
    let world = World::new().await.unwrap();
    let _ana = world.admin("ana").await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("ana", "new").await.unwrap().recovery_id;
    let body = complete_body(&id, "new", None).unwrap();
    let message = bare.message(paths::RECOVERY_COMPLETE, &body).unwrap();
    assert_eq!(bare.send(&message).await.unwrap().code(), ErrorCode::RecoveryUnproved);
    assert_eq!(bare.send(&message).await.unwrap().code(), ErrorCode::SignatureInvalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_about_somebody_leave_at_whole_steps_of_time() {
    let world = World::new().await.unwrap();
    let _ana = world.admin("ana").await.unwrap();
    for user in ["ana", "nobody"] {
        let bare = Bare::new(&world).unwrap();
        let begin = bare.begin_body(user, "new").unwrap();
        let link = bare.begin_body(user, "other").unwrap();
        let id = bare.begin(user, "new").await.unwrap().recovery_id;
        let about = json!({ "recovery_id": id });
        for (path, body) in [
            (paths::RECOVERY_BEGIN, &begin),
            (paths::LINK_BEGIN, &link),
            (paths::RECOVERY_SHOW, &about),
            (paths::RECOVERY_WAIT, &about),
            (paths::RECOVERY_MAIL, &about),
            (paths::RECOVERY_COMPLETE, &complete_body(&id, "new", None).unwrap()),
        ] {
            let message = bare.message(path, body).unwrap();
            let sent = Instant::now();
            let answer = bare.send(&message).await.unwrap();
            let took = sent.elapsed();
            assert!(took >= Duration::from_millis(20), "{path}: {took:?}, {}", answer.body);
        }
    }
}
