//! The second half: single use, few tries, two minutes, whatever happens in between.

use super::world::{World, loopback, refusal};
use landfall_identity::Refusal;
use landfall_identity::passkey::Attachment;
use landfall_protocol::ceremony::{CeremonyBegun, ReturnPath};
use landfall_test_support::SoftKeys;

async fn with_passkey() -> (World, super::world::Machine, SoftKeys, String) {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    world.register(&laptop, &mut keys, Attachment::Roaming).await;
    let token = world.sign_in(&laptop).await;
    (world, laptop, keys, token)
}

#[tokio::test]
async fn nothing_is_redeemed_twice() {
    let (world, laptop, mut keys, token) = with_passkey().await;
    let begun = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let completion = world.touch(&begun, &mut keys).await;
    world.redeem_step_up(&laptop, &token, &begun, &completion).await.unwrap();
    let again = world.redeem_step_up(&laptop, &token, &begun, &completion).await;
    assert_eq!(refusal(again), Refusal::CeremonyOver);
}

#[tokio::test]
async fn of_many_redemptions_at_once_one_yields() {
    let (world, laptop, mut keys, token) = with_passkey().await;
    let begun = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let completion = world.touch(&begun, &mut keys).await;
    let (a, b, c) = tokio::join!(
        world.redeem_step_up(&laptop, &token, &begun, &completion),
        world.redeem_step_up(&laptop, &token, &begun, &completion),
        world.redeem_step_up(&laptop, &token, &begun, &completion),
    );
    assert_eq!([a.is_ok(), b.is_ok(), c.is_ok()].iter().filter(|ok| **ok).count(), 1);
}

#[tokio::test]
async fn before_the_touch_there_is_nothing_to_redeem() {
    let (world, laptop, _keys, token) = with_passkey().await;
    let begun = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let early = world.redeem_step_up(&laptop, &token, &begun, "x").await;
    assert_eq!(refusal(early), Refusal::CeremonyPending);
}

#[tokio::test]
async fn a_purpose_is_not_redeemed_as_the_other() {
    let (world, laptop, mut keys, token) = with_passkey().await;
    let begun = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let completion = world.touch(&begun, &mut keys).await;
    let other = world.redeem_passkey(&laptop, &token, &begun, &completion).await;
    assert_eq!(refusal(other), Refusal::CeremonyOver);
}

#[tokio::test]
async fn three_wrong_codes_end_it() {
    let (world, laptop, mut keys, token) = with_passkey().await;
    let begun = world.begin_step_up(&laptop, &token, None, ReturnPath::Typed).await.unwrap();
    let code = world.touch(&begun, &mut keys).await;
    for tries_left in [2, 1, 0] {
        let wrong = world.redeem_step_up(&laptop, &token, &begun, "0000-0000").await;
        assert_eq!(refusal(wrong), Refusal::CompletionWrong { tries_left });
    }
    let right = world.redeem_step_up(&laptop, &token, &begun, &code).await;
    assert_eq!(refusal(right), Refusal::CeremonyOver);
}

#[tokio::test]
async fn guessing_in_parallel_buys_no_more_tries() {
    let (world, laptop, mut keys, token) = with_passkey().await;
    let begun = world.begin_step_up(&laptop, &token, None, ReturnPath::Typed).await.unwrap();
    world.touch(&begun, &mut keys).await;
    let guesses = (0..32).map(|n| {
        let (world, laptop, token, begun) = (&world, &laptop, &token, &begun);
        async move {
            let guess = format!("0000-00{n:02}");
            refusal(world.redeem_step_up(laptop, token, begun, &guess).await)
        }
    });
    let answers = futures::future::join_all(guesses).await;
    let looked_at =
        answers.iter().filter(|refusal| matches!(refusal, Refusal::CompletionWrong { .. })).count();
    assert_eq!(looked_at, 3);
}

#[tokio::test]
async fn a_ceremony_waits_five_minutes_and_a_completion_two() {
    let (world, laptop, mut keys, token) = with_passkey().await;
    let begun = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    world.pass(299);
    let completion = world.touch(&begun, &mut keys).await;
    world.pass(119);
    world.redeem_step_up(&laptop, &token, &begun, &completion).await.unwrap();

    let token = world.sign_in(&laptop).await;
    let begun = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let completion = world.touch(&begun, &mut keys).await;
    world.pass(120);
    let late = world.redeem_step_up(&laptop, &token, &begun, &completion).await;
    assert_eq!(refusal(late), Refusal::CeremonyOver);

    let begun = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    world.pass(300);
    assert_eq!(refusal(world.options(&begun).await), Refusal::CeremonyOver);
}

#[tokio::test]
async fn ceremonies_side_by_side_do_not_disturb_each_other() {
    let (world, laptop, mut keys, token) = with_passkey().await;
    let one = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let two = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let second = world.touch(&two, &mut keys).await;
    let first = world.touch(&one, &mut keys).await;
    let crossed = world.redeem_step_up(&laptop, &token, &one, &second).await;
    assert!(matches!(refusal(crossed), Refusal::CompletionWrong { .. }));
    world.redeem_step_up(&laptop, &token, &one, &first).await.unwrap();
    world.redeem_step_up(&laptop, &token, &two, &second).await.unwrap();
}

#[tokio::test]
async fn a_device_pushes_out_only_its_own_oldest() {
    let (world, laptop, mut keys, token) = with_passkey().await;
    let phone = world.machine("bert", "phone").await;
    let others = world.sign_in(&phone).await;
    let theirs = world.begin_step_up(&phone, &others, None, loopback()).await.unwrap();
    let mut mine: Vec<CeremonyBegun> = Vec::new();
    for _ in 0..5 {
        world.pass(1);
        mine.push(world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap());
    }
    assert_eq!(refusal(world.options(&mine[0]).await), Refusal::CeremonyOver);
    for begun in &mine[1..] {
        world.options(begun).await.unwrap();
    }
    let completion = world.touch(&theirs, &mut keys).await;
    world.redeem_step_up(&phone, &others, &theirs, &completion).await.unwrap();
}

#[tokio::test]
async fn a_restart_in_between_changes_nothing() {
    let (world, laptop, mut keys, token) = with_passkey().await;
    let begun = world.begin_step_up(&laptop, &token, None, loopback()).await.unwrap();
    let world = world.restart().await;
    let completion = world.touch(&begun, &mut keys).await;
    let world = world.restart().await;
    world.redeem_step_up(&laptop, &token, &begun, &completion).await.unwrap();
}
