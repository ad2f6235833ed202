//! All the way back in.

use super::world::{
    ByHand, begin, bert_with_a_key, completion, device, loopback, redeem, request, touch,
};
use landfall_client::words::RecoveryCode;
use landfall_client::{AuditFilter, RecoveryProgress};
use landfall_crypto::SecretBytes;
use landfall_crypto::ambient::SystemRandom;
use landfall_identity::passkey::Attachment;
use landfall_identity::recovery::{Door, Preset};
use landfall_identity::secret::SecretName;
use landfall_protocol::ErrorCode;
use landfall_protocol::ceremony::CeremonyFinished;
use landfall_protocol::device::DeviceStateName;
use landfall_protocol::recovery::RecoveryStateName;
use landfall_server::Config;
use landfall_test_support::{Bare, Person, PocketKey, World};
use std::path::Path;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_alone_leads_to_secrets_on_a_bare_machine_with_a_passkey_of_its_own() {
    let world = World::new().await.unwrap();
    let (ana, bert, key) = bert_with_a_key(&world).await;
    let wifi = SecretName::parse("wifi").unwrap();
    bert.client().set_secret(&wifi, &SecretBytes::new(b"hunter2".to_vec())).await.unwrap();
    assert_eq!(key.registered_on, device("bert-laptop"));

    // The laptop is gone. A bare machine, and the key on the ring.
    let machine = world.machine("bert-new").unwrap();
    let mut recovering = machine.client.recover(request(&ana, "bert", "bert-new")).unwrap();
    recovering.use_passkey(&bert.shell).await;
    let progress = recovering.run(&bert.shell).await.unwrap();
    let RecoveryProgress::Done(end) = progress else { panic!("not in") };
    assert!(end.successor.is_none() && end.profile.grant.is_some());
    recovering.finish().unwrap();
    let read = machine.client.get_secret(&wifi, None).await.unwrap();
    assert_eq!(read.value.expose(), b"hunter2");

    // The lost one is cut off, the key belongs to the new machine, which makes a passkey of its own.
    let devices = machine.client.devices().await.unwrap();
    let lost = devices.iter().find(|found| found.name == device("bert-laptop")).unwrap();
    assert_eq!(lost.state, DeviceStateName::Suspended);
    let passkeys = machine.client.passkeys().await.unwrap();
    let moved = passkeys.iter().find(|found| found.id == key.id).unwrap();
    assert_eq!((&moved.registered_on, moved.usable), (&device("bert-new"), true));
    let new = Person { name: bert.name.clone(), machine, shell: PocketKey::new().unwrap() };
    new.register(Attachment::Platform).await.unwrap();
    new.step_up().await.unwrap();
    // Its owner hears of it, and one audit row names the proof.
    let told = world.number("SELECT COUNT(*) FROM notices WHERE user_name = 'bert'").unwrap();
    assert!(told >= 4, "an enrolment, keys, a recovery begun and done: {told}");
    let rows = new.client().audit(&AuditFilter::default()).await.unwrap();
    let by = format!("by passkey {} (sent)", key.id);
    assert!(rows.items.iter().any(|row| row.target.contains(&by)), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_shown_by_hand_opens_beside_a_code() {
    let world = World::new().await.unwrap();
    let (ana, bert, _) = bert_with_a_key(&world).await;
    let codes = bert.client().make_recovery_codes(&bert.shell).await.unwrap().codes;
    let machine = world.machine("bert-new").unwrap();
    let by_hand = ByHand(bert.shell.clone());
    let mut recovering = machine.client.recover(request(&ana, "bert", "bert-new")).unwrap();
    recovering.use_passkey(&by_hand).await;
    let RecoveryProgress::Waiting(status) = recovering.run(&by_hand).await.unwrap() else {
        panic!("one door sufficed")
    };
    assert_eq!((status.state, status.proofs), (RecoveryStateName::Unproved, vec![Door::Passkey]));
    // The process ends, and another one goes on with the code.
    drop(recovering);
    let mut recovering = machine.client.resume_recovery().unwrap().unwrap();
    recovering.give_code(&RecoveryCode::parse(&codes[0].to_text()).unwrap()).unwrap();
    let RecoveryProgress::Done(end) = recovering.run(&by_hand).await.unwrap() else {
        panic!("not in")
    };
    assert!(end.successor.is_some(), "the code is burnt, and replaced");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_plan_wants_two_proofs_a_passkey_is_one() {
    let strict = |config: &mut Config, _: &Path| {
        config.recovery_plan = Preset::Strict.into();
        Ok(())
    };
    let world = World::configured(strict).await.unwrap();
    let (_, bert, _) = bert_with_a_key(&world).await;
    let codes = bert.client().make_recovery_codes(&bert.shell).await.unwrap().codes;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    let begun = begin(&bare, &id, &loopback()).await.unwrap();
    let finished = touch(&bert.shell, &begun).await.unwrap();
    let CeremonyFinished::Redirect { url } = finished else { panic!("no redirect") };
    redeem(&bare, &id, &begun, &completion(&url)).await;
    let refused = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
    bare.prove(&id, &codes[0]).await.unwrap();
    let next = RecoveryCode::generate(&SystemRandom);
    let done = bare.complete(&id, "bert-new", Some(&next)).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
}
