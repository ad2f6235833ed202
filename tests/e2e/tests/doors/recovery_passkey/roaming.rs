//! A key on the ring as the way in: bound to another machine, and lost.

use super::world::{ByHand, bert_with_a_key, device, label, request};
use landfall_client::RecoveryProgress;
use landfall_client::words::RecoveryCode;
use landfall_identity::passkey::Attachment;
use landfall_identity::token::TokenKind;
use landfall_identity::{Reason, Seconds, UserName};
use landfall_protocol::ErrorCode;
use landfall_protocol::ceremony::BoundActBody;
use landfall_test_support::world::NoBrowser;
use landfall_test_support::{Person, PocketKey, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_bound_where_it_proves_to_be_and_no_other_speaks_for_it() {
    let world = World::new().await.unwrap();
    let (_, bert, key) = bert_with_a_key(&world).await;
    let token = bert.device_token("bert-phone").await.unwrap();
    let phone = world.machine("bert-phone").unwrap();
    phone.enroll(&token, None, None).await.unwrap();
    let phone =
        Person { name: bert.name.clone(), machine: phone, shell: PocketKey::new().unwrap() };
    // The phone's own passkey, by the right that came with it, lives in it and stays there.
    let built_in = phone.register(Attachment::Platform).await.unwrap();
    let act = BoundActBody::BindPasskey { passkey: key.id.clone() };
    let refused = phone.client().step_up(Some(act), None, &ByHand(phone.shell.clone())).await;
    assert!(refused.is_err(), "the page asks for that very key, and it is not here");
    if built_in.device_bound {
        let stays = bert.client().bind_passkey(&built_in.id, &phone.shell).await.err().unwrap();
        assert_eq!(stays.code(), ErrorCode::InvalidField);
    }
    let bound = phone.client().bind_passkey(&key.id, &bert.shell).await.unwrap();
    assert_eq!((bound.id, bound.registered_on), (key.id, device("bert-phone")));
}

/// The only key is lost, and no other passkey was ever made: the laptop alone adds none, whoever holds
/// it. The sheet and an administrator bring Bert back on a new name, with a new key; a day later it
/// removes the lost one.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_sole_key_is_replaced_by_paper_and_an_administrator() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let name = UserName::parse("bert").unwrap();
    let invitation = ana.mint(TokenKind::Invite, &name, None).await.unwrap();
    let laptop = world.machine("bert-laptop").unwrap();
    laptop.enroll(&invitation, None, Some("bert-laptop")).await.unwrap();
    let mut bert = Person { name, machine: laptop, shell: PocketKey::new().unwrap() };
    world.clock.advance(Seconds(1));
    let lost = bert.client().register_root_key(label("the only one"), &bert.shell).await.unwrap();
    let codes = bert.client().make_recovery_codes(&bert.shell).await.unwrap().codes;

    // The key is gone. What is left is a laptop that signs in and confirms nothing.
    bert.shell = PocketKey::new().unwrap();
    let by_hand = ByHand(bert.shell.clone());
    let refused = bert.client().register_root_key(label("new"), &by_hand).await;
    assert!(refused.is_err(), "no passkey without a passkey");

    let machine = world.machine("bert-again").unwrap();
    let mut wanted = request(&ana, "bert", "bert-again");
    wanted.lost = None;
    wanted.code = Some(RecoveryCode::parse(&codes[0].to_text()).unwrap());
    let mut recovering = machine.client.recover(wanted).unwrap();
    recovering.run(&NoBrowser).await.unwrap();
    let check = recovering.check_code().unwrap();
    let id = ana.client().admin_recoveries().await.unwrap()[0].id.clone();
    let reason = Reason::parse("called back, and knew the plan").unwrap();
    ana.client().admin_approve_recovery(&id, &check, reason, &ana.shell).await.unwrap();
    let waits = recovering.run(&NoBrowser).await.unwrap();
    assert!(matches!(waits, RecoveryProgress::Waiting(_)), "the laptop lives and could object");
    world.pass(Seconds::hours(1)).await.unwrap();
    let RecoveryProgress::Done(_) = recovering.run(&NoBrowser).await.unwrap() else {
        panic!("not in")
    };
    recovering.finish().unwrap();

    bert.machine = machine;
    bert.client().register_root_key(label("the new one"), &bert.shell).await.unwrap();
    let young = bert.client().remove_passkey(&lost.id, false, &bert.shell).await.err().unwrap();
    assert_eq!(young.code(), ErrorCode::Probation);
    world.pass(Seconds::hours(24)).await.unwrap();
    bert.client().remove_passkey(&lost.id, false, &bert.shell).await.unwrap();
    assert_eq!(bert.client().passkeys().await.unwrap().len(), 1);
}
