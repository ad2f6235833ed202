//! Somebody else's link, somebody else's machine, somebody else's passkey.

use super::world::{ORIGIN, RP_ID, World, loopback, refusal};
use landfall_identity::passkey::Attachment;
use landfall_identity::{DeviceState, Refusal};
use landfall_protocol::ceremony::{CeremonyFinished, ReturnPath};
use landfall_test_support::{Forge, SoftKeys};
use url::Url;

/// Bert's laptop was stolen and begins a step-up; its holder sends Bert the genuine link. Bert
/// touches.
#[tokio::test]
async fn a_phished_link_gives_its_sender_nothing() {
    let world = World::new().await;
    let desk = world.machine("bert", "desk").await;
    let stolen = world.machine("bert", "stolen").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    world.register(&desk, &mut keys, Attachment::Roaming).await;

    let thief = world.sign_in(&stolen).await;
    let lure = world.begin_step_up(&stolen, &thief, None, loopback()).await.unwrap();
    let options = world.options(&lure).await.unwrap();
    assert_eq!(options.device, stolen.device, "the page names the machine that asks");
    let answer = keys.get(&Url::parse(ORIGIN).unwrap(), &options.public_key).await.unwrap();
    let finished = world.finish(&lure, answer).await.unwrap();
    // The completion goes to a listener on the machine where the touch was, which is Bert's.
    let CeremonyFinished::Redirect { url } = finished else { panic!("no redirect") };
    let url = Url::parse(&url).unwrap();
    assert_eq!(url.host_str(), Some("127.0.0.1"));
    // Without it the thief's app has nothing to redeem, and three guesses at 256 bits.
    for _ in 0..3 {
        let guess = world.redeem_step_up(&stolen, &thief, &lure, &"A".repeat(43)).await;
        assert!(matches!(refusal(guess), Refusal::CompletionWrong { .. }));
    }
    let completion = url.query().unwrap().strip_prefix("completion=").unwrap();
    let late = world.redeem_step_up(&stolen, &thief, &lure, completion).await;
    assert_eq!(refusal(late), Refusal::CeremonyOver);
}

#[tokio::test]
async fn only_the_machine_that_began_can_redeem() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let other = world.machine("bert", "other").await;
    let anna = world.machine("anna", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    world.register(&laptop, &mut keys, Attachment::Roaming).await;
    let token = world.sign_in(&laptop).await;
    let begun = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let completion = world.touch(&begun, &mut keys).await;
    for thief in [&other, &anna] {
        let theirs = world.sign_in(thief).await;
        for _ in 0..4 {
            let redeemed = world.redeem_step_up(thief, &theirs, &begun, &completion).await;
            assert_eq!(refusal(redeemed), Refusal::CeremonyOver);
        }
    }
    // And none of that cost the owner a try.
    world.redeem_step_up(&laptop, &token, &begun, &completion).await.unwrap();
}

#[tokio::test]
async fn a_device_cut_off_meanwhile_redeems_nothing() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    world.register(&laptop, &mut keys, Attachment::Roaming).await;
    let token = world.sign_in(&laptop).await;
    let begun = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let completion = world.touch(&begun, &mut keys).await;
    world.set_state(&laptop, DeviceState::Suspended { at: world.now() }).await;
    let redeemed = world.redeem_step_up(&laptop, &token, &begun, &completion).await;
    assert_eq!(refusal(redeemed), Refusal::DeviceSuspended);
}

/// Trap 20: a certificate of A with a passkey of B.
#[tokio::test]
async fn anothers_passkey_does_not_step_me_up() {
    let world = World::new().await;
    let anna = world.machine("anna", "laptop").await;
    let bert = world.machine("bert", "laptop").await;
    let annas = Forge::honest(ORIGIN, RP_ID, 1);
    let berts = Forge::honest(ORIGIN, RP_ID, 2);
    for (machine, forge) in [(&anna, &annas), (&bert, &berts)] {
        let token = world.sign_in(machine).await;
        let begun =
            world.begin_register(machine, &token, Attachment::Roaming, "key").await.unwrap();
        let options = world.options(&begun).await.unwrap();
        let finished = world.finish(&begun, forge.create(&options.public_key)).await.unwrap();
        let completion = super::world::completion(finished);
        world.redeem_passkey(machine, &token, &begun, &completion).await.unwrap();
    }
    let token = world.sign_in(&anna).await;
    // Bert's passkey, and Bert's key under the name of Anna's; Anna's with the handle of Bert.
    let renamed = Forge { credential_id: annas.credential_id.clone(), ..berts.clone() };
    let bert_handle = world.handle(&bert.user).await;
    let handled = Forge { user_handle: Some(bert_handle), ..annas.clone() };
    for forge in [berts, renamed, handled] {
        let begun = world.begin_step_up(&anna, &token, None, loopback()).await.unwrap();
        let options = world.options(&begun).await.unwrap();
        let finished = world.finish(&begun, forge.get(&options.public_key)).await;
        assert_eq!(refusal(finished), Refusal::PasskeyRefused);
    }
    let handle = world.handle(&anna.user).await;
    let mine = Forge { user_handle: Some(handle), ..annas };
    let begun = world.begin_step_up(&anna, &token, None, loopback()).await.unwrap();
    let options = world.options(&begun).await.unwrap();
    world.finish(&begun, mine.get(&options.public_key)).await.unwrap();
}

#[tokio::test]
async fn a_credential_is_registered_once_in_the_world() {
    let world = World::new().await;
    let anna = world.machine("anna", "laptop").await;
    let bert = world.machine("bert", "laptop").await;
    let forge = Forge::honest(ORIGIN, RP_ID, 1);
    let mut begun = Vec::new();
    for machine in [&anna, &bert] {
        let token = world.sign_in(machine).await;
        let ceremony =
            world.begin_register(machine, &token, Attachment::Roaming, "key").await.unwrap();
        let options = world.options(&ceremony).await.unwrap();
        let finished = world.finish(&ceremony, forge.create(&options.public_key)).await.unwrap();
        begun.push((machine, token, ceremony, super::world::completion(finished)));
    }
    let (machine, token, ceremony, completion) = &begun[0];
    world.redeem_passkey(machine, token, ceremony, completion).await.unwrap();
    let (machine, token, ceremony, completion) = &begun[1];
    let second = world.redeem_passkey(machine, token, ceremony, completion).await;
    assert_eq!(refusal(second), Refusal::PasskeyRegistered);
    // The refusal cost no grant.
    let begun = world.begin_register(&bert, token, Attachment::Roaming, "key").await;
    assert!(begun.is_ok());
}

#[tokio::test]
async fn typed_codes_belong_to_the_machine_too() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let other = world.machine("bert", "other").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    world.register(&laptop, &mut keys, Attachment::Roaming).await;
    let token = world.sign_in(&laptop).await;
    let begun = world.begin_step_up(&laptop, &token, None, ReturnPath::Typed).await.unwrap();
    let code = world.touch(&begun, &mut keys).await;
    let theirs = world.sign_in(&other).await;
    let stolen = world.redeem_step_up(&other, &theirs, &begun, &code).await;
    assert_eq!(refusal(stolen), Refusal::CeremonyOver);
    world.redeem_step_up(&laptop, &token, &begun, &code).await.unwrap();
}
