//! Lures, replays, and other people's keys.

use super::world::{
    begin, bert_with_a_key, completion, loopback, redeem, redeem_body, refused_by_page, touch,
    typed,
};
use landfall_identity::Seconds;
use landfall_identity::recovery::Door;
use landfall_protocol::ceremony::{CeremonyBegun, CeremonyFinished};
use landfall_protocol::recovery::{RecoveryStateName, RecoveryStatus};
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::browser::Page;
use landfall_test_support::{Arrived, Bare, Forge, Raw, World};
use reqwest::Method;
use serde_json::json;

/// The lure: the thief's machine begins, and Bert gets the genuine link.
#[tokio::test(flavor = "multi_thread")]
async fn a_phished_recover_link_gives_its_sender_nothing() {
    let world = World::new().await.unwrap();
    let (_, bert, _) = bert_with_a_key(&world).await;
    let thief = Bare::new(&world).unwrap();
    let id = thief.begin("bert", "thief").await.unwrap().recovery_id;
    let lure = begin(&thief, &id, &loopback()).await.unwrap();
    let browser = bert.shell.browser();
    let page = Page::parse(&lure.page_url).unwrap();
    let shown = browser.lock().await.options(&page).await.unwrap();
    assert_eq!((shown.user.as_str(), shown.device.as_str()), ("bert", "thief"), "who and what");
    let CeremonyFinished::Redirect { url } = touch(&bert.shell, &lure).await.unwrap() else {
        panic!("no redirect")
    };
    // It went to a listener on the machine where the touch was. The thief guesses.
    assert!(url.starts_with("http://127.0.0.1:"));
    for _ in 0..3 {
        let guess = redeem(&thief, &id, &lure, &"A".repeat(43)).await;
        assert_eq!(guess.code(), ErrorCode::CompletionWrong);
    }
    let late = redeem(&thief, &id, &lure, &completion(&url)).await;
    assert_eq!(late.code(), ErrorCode::CeremonyOver, "three tries, however right the next one");

    // The page can be had without a browser on the machine that asks; then Bert must be talked into
    // reading the characters out. He is, and it does not suffice.
    let lure = begin(&thief, &id, &typed()).await.unwrap();
    let Arrived::Showing(code) = browser.lock().await.open(&lure.page_url).await.unwrap() else {
        panic!("no code")
    };
    let read_out = redeem(&thief, &id, &lure, &code).await;
    let status: RecoveryStatus = serde_json::from_value(read_out.body).unwrap();
    assert_eq!(status.state, RecoveryStateName::Unproved);
    let refused = thief.complete(&id, "thief", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
}

/// Bert's key on a recovery of Ana's and of nobody's account, and on his own one a key that the server
/// does not know: one answer, and one page.
#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_opens_its_own_account_and_nobody_learns_which_exist() {
    let world = World::new().await.unwrap();
    let (_, bert, _) = bert_with_a_key(&world).await;
    let browser = bert.shell.browser();
    let mut answers = Vec::new();
    for (user, known) in [("ana", true), ("nobody", true), ("bert", false)] {
        let bare = Bare::new(&world).unwrap();
        let id = bare.begin(user, "planted").await.unwrap().recovery_id;
        let begun = begin(&bare, &id, &loopback()).await.unwrap();
        let page = Page::parse(&begun.page_url).unwrap();
        let mut browser = browser.lock().await;
        let asked = browser.options(&page).await.unwrap();
        let answer = match known {
            true => browser.touch(&page, &asked).await.unwrap(),
            false => Forge::honest(&page.origin(), "localhost", 9).get(&asked.public_key),
        };
        let mut body = refused_by_page(browser.finish(&page, answer).await);
        assert_eq!(body["code"], "passkey-refused", "{user}");
        body["request_id"] = json!(null);
        let mut shown = serde_json::to_value(&asked).unwrap();
        for member in ["user", "match_number", "expires_at"] {
            shown[member] = json!(null);
        }
        shown["public_key"]["challenge"] = json!(null);
        answers.push((shown, body));
        assert_eq!(bare.show(&id).await.unwrap().state, RecoveryStateName::Unproved);
        let over = redeem(&bare, &id, &begun, &"A".repeat(43)).await;
        assert_eq!(over.code(), ErrorCode::CeremonyOver, "an answer that was refused ends it");
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_passkey_message_is_taken_twice_and_no_other_key_has_a_say() {
    let world = World::new().await.unwrap();
    let (_, bert, _) = bert_with_a_key(&world).await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    let body = json!({ "recovery_id": id, "return_path": loopback() });
    let first = bare.message(paths::RECOVER_BEGIN, &body).unwrap();
    let begun: CeremonyBegun =
        serde_json::from_value(bare.send(&first).await.unwrap().body).unwrap();
    assert_eq!(bare.send(&first).await.unwrap().code(), ErrorCode::SignatureInvalid);

    let finished = touch(&bert.shell, &begun).await.unwrap();
    let CeremonyFinished::Redirect { url } = finished else { panic!("no redirect") };
    let right = completion(&url);
    // Another machine, with a recovery of the same account, holds the completion.
    let thief = Bare::new(&world).unwrap();
    let theirs = thief.begin("bert", "thief").await.unwrap().recovery_id;
    let by_own = redeem(&thief, &theirs, &begun, &right).await;
    assert_eq!(by_own.code(), ErrorCode::CeremonyOver);
    let by_berts = redeem(&thief, &id, &begun, &right).await;
    assert_eq!(by_berts.code(), ErrorCode::SignatureInvalid);
    // A wrong try that is sent again costs no second one.
    let wrong = redeem_body(&id, &begun, &"A".repeat(43));
    let wrong = bare.message(paths::RECOVER_REDEEM, &wrong).unwrap();
    assert_eq!(bare.send(&wrong).await.unwrap().code(), ErrorCode::CompletionWrong);
    for _ in 0..3 {
        assert_eq!(bare.send(&wrong).await.unwrap().code(), ErrorCode::SignatureInvalid);
    }
    let good = bare.message(paths::RECOVER_REDEEM, &redeem_body(&id, &begun, &right)).unwrap();
    assert_eq!(bare.send(&good).await.unwrap().body["state"], "ready");
    assert_eq!(bare.send(&good).await.unwrap().code(), ErrorCode::SignatureInvalid);
    world.clock.advance(Seconds(1));
    let again = redeem(&bare, &id, &begun, &right).await;
    assert_eq!(again.code(), ErrorCode::CeremonyOver);
    assert_eq!(thief.show(&theirs).await.unwrap().state, RecoveryStateName::Unproved);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_takes_no_answer_of_another_purpose_and_gives_none() {
    let mut world = World::new().await.unwrap();
    let (_, bert, _) = bert_with_a_key(&world).await;
    let raw = Raw::of(&bert.machine).unwrap();
    let token = raw.session().await.unwrap().token;
    let body = json!({ "return_path": typed() });
    let answer =
        raw.send(Method::POST, paths::STEP_UP_BEGIN, Some(&token), Some(&body)).await.unwrap();
    let step_up: CeremonyBegun = serde_json::from_value(answer.body).unwrap();
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    let begun = begin(&bare, &id, &typed()).await.unwrap();
    // A restart in between changes nothing.
    world.restart().await.unwrap();

    let browser = bert.shell.browser();
    let mut browser = browser.lock().await;
    let (one, two) =
        (Page::parse(&step_up.page_url).unwrap(), Page::parse(&begun.page_url).unwrap());
    let (asked_one, asked_two) =
        (browser.options(&one).await.unwrap(), browser.options(&two).await.unwrap());
    // The page of one purpose is none of the other's.
    let crossed = Page { purpose: two.purpose, ..one.clone() };
    let refused = refused_by_page(browser.options(&crossed).await);
    assert_eq!(refused["code"], "ceremony-over");
    let answer_one = browser.touch(&one, &asked_one).await.unwrap();
    let answer_two = browser.touch(&two, &asked_two).await.unwrap();
    for (page, answer) in [(&one, answer_two), (&two, answer_one)] {
        let refused = refused_by_page(browser.finish(page, answer).await);
        assert_eq!(refused["code"], "passkey-refused");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_dies_with_the_passkey_that_gave_it() {
    let world = World::new().await.unwrap();
    let (ana, bert, key) = bert_with_a_key(&world).await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    let begun = begin(&bare, &id, &loopback()).await.unwrap();
    let finished = touch(&bert.shell, &begun).await.unwrap();
    let CeremonyFinished::Redirect { url } = finished else { panic!("no redirect") };
    let shown = redeem(&bare, &id, &begun, &completion(&url)).await;
    assert_eq!(shown.body["state"], "ready");
    bert.client().remove_passkey(&key.id, false, &bert.shell).await.unwrap();
    let refused = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
    let queue = ana.client().admin_recoveries().await.unwrap();
    assert!(queue[0].proofs.iter().all(|proof| proof.door == Door::Passkey && !proof.counts));
}

#[tokio::test(flavor = "multi_thread")]
async fn ceremonies_of_one_recovery_push_out_their_own_oldest_alone() {
    let world = World::new().await.unwrap();
    let (_, bert, _) = bert_with_a_key(&world).await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    let mine = begin(&bare, &id, &loopback()).await.unwrap();
    let flood = Bare::new(&world).unwrap();
    let theirs = flood.begin("bert", "flood").await.unwrap().recovery_id;
    for _ in 0..8 {
        world.clock.advance(Seconds(1));
        begin(&flood, &theirs, &loopback()).await.unwrap();
    }
    let under_way = "SELECT COUNT(*) FROM ceremonies WHERE recovery IS NOT NULL";
    assert_eq!(world.number(under_way).unwrap(), 5);
    let finished = touch(&bert.shell, &mine).await.unwrap();
    let CeremonyFinished::Redirect { url } = finished else { panic!("no redirect") };
    assert_eq!(redeem(&bare, &id, &mine, &completion(&url)).await.body["state"], "ready");
}

/// A thief at the unlocked laptop has added a key of their own, and its owner has frozen the account.
#[tokio::test(flavor = "multi_thread")]
async fn a_thiefs_fresh_passkey_thaws_nothing_by_a_recovery_either() {
    let mut world = World::new().await.unwrap();
    let (_, bert, _) = bert_with_a_key(&world).await;
    bert.client().freeze().await.unwrap();
    for (wait, opens) in [(Seconds(1), false), (Seconds::hours(24), true)] {
        world.pass(wait).await.unwrap();
        let bare = Bare::new(&world).unwrap();
        let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
        let begun = begin(&bare, &id, &loopback()).await.unwrap();
        let finished = touch(&bert.shell, &begun).await.unwrap();
        let CeremonyFinished::Redirect { url } = finished else { panic!("no redirect") };
        redeem(&bare, &id, &begun, &completion(&url)).await;
        let done = bare.complete(&id, "bert-new", None).await.unwrap();
        match opens {
            true => assert_eq!(done.body["unfrozen"], true, "{done:?}"),
            false => assert_eq!(done.code(), ErrorCode::Probation),
        }
    }
}
