//! What is over fails closed, and no message is taken twice.

use super::{Met, begun, device, met, request};
use landfall_client::LinkProgress;
use landfall_crypto::link::LinkNonce;
use landfall_identity::Seconds;
use landfall_identity::recovery::link::LINK_TTL;
use landfall_protocol::link::LinkInfo;
use landfall_protocol::recovery::RecoveryStateName;
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::bare::complete_body;
use landfall_test_support::link::{Approver, answer_body, link_act, link_status};
use landfall_test_support::world::NoBrowser;
use landfall_test_support::{Bare, World};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn after_ten_minutes_every_step_is_refused() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let fresh = Bare::new(&world).unwrap();
    let waiting = fresh.begin_link("ana", "ana-other").await.unwrap().recovery.recovery_id;
    let Met { bare, approver, info, token } =
        met(&ana, Bare::new(&world).unwrap(), "ana-new").await;
    approver.approve(&info.id, &token).await.unwrap();
    let touched: LinkInfo =
        serde_json::from_value(approver.find(&fresh.link_code(&waiting)).await.unwrap().body)
            .unwrap();
    world.pass(LINK_TTL).await.unwrap();

    let approver = Approver::of(&ana).await.unwrap();
    let found = approver.find(&fresh.link_code(&waiting)).await.unwrap();
    assert_eq!(found.code(), ErrorCode::LinkUnknown);
    let touch = ana.client().step_up(Some(link_act(&touched)), None, &ana.shell).await;
    assert_eq!(touch.err().unwrap().code(), ErrorCode::RecoveryOver, "said before the touch");
    assert_eq!(approver.reveal(&info.id).await.unwrap().code(), ErrorCode::RecoveryOver);
    let bare_again = bare.complete(&info.id, "ana-new", None).await.unwrap();
    assert_eq!(bare_again.code(), ErrorCode::RecoveryOver, "approved, and too late");
    assert_eq!(bare.show_link(&info.id).await.unwrap().recovery.state, RecoveryStateName::Over);
    let devices = "SELECT COUNT(*) FROM enrollments WHERE user_name = 'ana'";
    assert_eq!(world.number(devices).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_minutes_are_over_at_their_end_and_not_before() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin_link("ana", "ana-new").await.unwrap().recovery.recovery_id;
    let approver = Approver::of(&ana).await.unwrap();
    for span in [Seconds::minutes(4), Seconds::minutes(4), Seconds(119)] {
        world.clock.advance(span);
        let found = approver.find(&bare.link_code(&id)).await.unwrap();
        assert_eq!(found.status, 200, "{found:?}");
    }
    world.clock.advance(Seconds(1));
    let found = approver.find(&bare.link_code(&id)).await.unwrap();
    assert_eq!(found.code(), ErrorCode::LinkUnknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_of_a_link_is_taken_twice_and_no_word_is_replaced() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let replayed = async |message| {
        let first = bare.send(&message).await.unwrap();
        assert_eq!(first.status, 200, "{first:?}");
        let again = bare.send(&message).await.unwrap();
        assert_eq!(again.code(), ErrorCode::SignatureInvalid, "taken twice");
        first
    };
    let body = bare.begin_body("ana", "ana-new").unwrap();
    let begun = replayed(bare.message(paths::LINK_BEGIN, &body).unwrap()).await;
    let id = link_status(&begun).unwrap().recovery.recovery_id;
    // The same key asks anew and finds the same link; one that was signed for another route is none.
    assert_eq!(bare.begin_link("ana", "ana-new").await.unwrap().recovery.recovery_id, id);
    replayed(bare.message(paths::LINK_SHOW, &json!({ "link_id": id })).unwrap()).await;

    let approver = Approver::of(&ana).await.unwrap();
    let found = approver.find(&bare.link_code(&id)).await.unwrap();
    let info: LinkInfo = serde_json::from_value(found.body).unwrap();
    let token = ana.touch_for(&info).await.unwrap();
    let first = approver.claim(&id, &token).await.unwrap();
    assert_eq!(first.status, 200);
    // Asked again after a lost answer: the same. With another commitment: a second try, refused.
    assert_eq!(approver.claim(&id, &token).await.unwrap().status, 200);
    let other = Approver::of(&ana).await.unwrap();
    let refused = other.claim(&id, &token).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::LinkOutOfTurn);

    let commitment = bare.show_link(&id).await.unwrap().approver.unwrap().commitment;
    let answer = answer_body(&id, &commitment, &approver.nonce);
    replayed(bare.message(paths::LINK_ANSWER, &answer).unwrap()).await;
    let same = bare.answer_link(&id, &commitment, &approver.nonce).await.unwrap();
    assert_eq!(same.status, 200, "signed anew it is a lost answer");
    let changed = LinkNonce::generate(world.ambient.random.as_ref());
    let refused = bare.answer_link(&id, &commitment, &changed).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::LinkOutOfTurn);

    assert_eq!(approver.reveal(&id).await.unwrap().status, 200);
    assert_eq!(approver.reveal(&id).await.unwrap().status, 200);
    assert_eq!(other.reveal(&id).await.unwrap().code(), ErrorCode::LinkOutOfTurn);
    // A second poll is told the same as the first.
    let polls = [bare.show_link(&id).await.unwrap(), bare.show_link(&id).await.unwrap()];
    assert_eq!(polls[0].approver, polls[1].approver);
    approver.approve(&id, &token).await.unwrap();
    let body = complete_body(&id, "ana-new", None).unwrap();
    replayed(bare.message(paths::RECOVERY_COMPLETE, &body).unwrap()).await;
    let devices = "SELECT COUNT(*) FROM enrollments WHERE device = 'ana-new'";
    assert_eq!(world.number(devices).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_been_over_for_a_month_is_dropped_in_an_order_that_works() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    Bare::new(&world).unwrap().begin_link("ana", "never").await.unwrap();
    let Met { bare, approver, info, token } =
        met(&ana, Bare::new(&world).unwrap(), "ana-new").await;
    approver.approve(&info.id, &token).await.unwrap();
    assert_eq!(bare.complete(&info.id, "ana-new", None).await.unwrap().status, 200);
    world.pass(Seconds::days(31)).await.unwrap();
    for table in ["links", "recovery_proofs", "recoveries", "recovery_messages"] {
        let count = format!("SELECT COUNT(*) FROM {table}");
        world.until(table, |world| world.number(&count).unwrap() == 0).await;
    }
    let devices = "SELECT COUNT(*) FROM enrollments WHERE device = 'ana-new'";
    assert_eq!(world.number(devices).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approver_that_broke_off_leaves_nothing_and_the_new_machine_begins_anew() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let machine = world.machine("ana-new").unwrap();
    let mut linking = machine.client.link(request(&ana, "ana-new")).unwrap();
    let (code, _) = begun(&mut linking).await;
    // The approver takes it on and is gone, its word with it.
    let approver = Approver::of(&ana).await.unwrap();
    let found = approver.find(&code).await.unwrap();
    let info: LinkInfo = serde_json::from_value(found.body).unwrap();
    let token = ana.touch_for(&info).await.unwrap();
    approver.claim(&info.id, &token).await.unwrap();
    drop(approver);
    linking.run(&NoBrowser).await.unwrap();
    let refused = ana.client().find_link(&code).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::LinkTaken);
    drop(linking);

    let mut anew = machine.client.link(request(&ana, "ana-new")).unwrap();
    let (other, _) = begun(&mut anew).await;
    assert_ne!(other, code, "another key, another link");
    let new = super::NewMachine::watching(anew);
    let meeting = ana.client().find_link(&other).await.unwrap().meet(&ana.shell).await.unwrap();
    meeting.approve(&new.digits.await.unwrap(), &ana.shell).await.unwrap();
    new.end.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_was_lost_on_the_way_is_fetched_for_ten_minutes_and_renewed_afterwards()
{
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let machine = world.machine("ana-new").unwrap();
    let mut linking = machine.client.link(request(&ana, "ana-new")).unwrap();
    let (code, _) = begun(&mut linking).await;
    let new = super::NewMachine::watching(linking);
    let meeting = ana.client().find_link(&code).await.unwrap().meet(&ana.shell).await.unwrap();
    let digits = new.digits.await.unwrap();
    // What the new machine has on disk while it shows the digits: as if the power went at the end.
    let saved = machine.folder.join("link.json");
    let before = std::fs::read(&saved).unwrap();
    let keys = machine.folder.join("keys");
    meeting.approve(&digits, &ana.shell).await.unwrap();
    new.end.await.unwrap().unwrap();
    for late in [Seconds(0), Seconds::minutes(11)] {
        std::fs::remove_dir_all(machine.folder.join("profiles")).unwrap();
        std::fs::write(&saved, &before).unwrap();
        assert!(keys.is_dir());
        world.pass(late).await.unwrap();
        let mut linking = machine.client.resume_link().unwrap().unwrap();
        // It showed the digits and knows nothing of a yes: the server says that it is a device.
        let end = linking.run(&NoBrowser).await.unwrap();
        assert!(matches!(end, LinkProgress::Done(_)));
        assert_eq!(machine.client.whoami().await.unwrap().device.name, device("ana-new"));
    }
}
