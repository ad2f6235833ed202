//! Registering and stepping up, as it should go.

use super::world::{ORIGIN, RETURN, World, label, loopback, refusal};
use landfall_identity::passkey::Attachment;
use landfall_identity::{Action, AuthStrength, Refusal};
use landfall_protocol::PageQuery;
use landfall_protocol::ceremony::{BoundActBody, CeremonyFinished, ReturnPath};
use landfall_protocol::passkey::PasskeyRemoveQuery;
use landfall_test_support::SoftKeys;
use url::Url;

#[tokio::test]
async fn a_passkey_of_each_kind_registers_and_steps_up() {
    for attachment in Attachment::ALL {
        let world = World::new().await;
        let laptop = world.machine("bert", "laptop").await;
        let mut keys = SoftKeys::in_memory().unwrap();
        let passkey = world.register(&laptop, &mut keys, attachment).await;
        assert_eq!(passkey.attachment, attachment);
        assert_eq!(passkey.registered_on, laptop.device);
        assert!(passkey.usable);
        assert_eq!(passkey.last_used_at, None);
        if attachment == Attachment::Platform {
            assert_eq!(passkey.resident, Some(true), "required, so it is one");
        }

        world.pass(60);
        let touched = world.now();
        let session = world.step_up(&laptop, &mut keys, None).await;
        assert_eq!(session.auth_strength, AuthStrength::CertHuman);
        assert!(!session.bound);
        assert_eq!(session.auth_time_at.0, touched);
        assert_eq!(session.expires_at.0.since(touched).0, 600);

        let request = world.request_of(&laptop, Action::ListPasskeys, Some(&session.token));
        let page = world.service.list_passkeys(request, PageQuery::default()).await.unwrap();
        assert_eq!(page.items.len(), 1);
        assert_eq!(page.items[0].last_used_at.map(|at| at.0), Some(touched));
        assert_eq!(page.next, None);
    }
}

#[tokio::test]
async fn the_page_asks_for_the_kind_that_was_chosen_and_says_who_and_what() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let token = world.sign_in(&laptop).await;
    for (attachment, word) in
        [(Attachment::Platform, "platform"), (Attachment::Roaming, "cross-platform")]
    {
        let begun = world.begin_register(&laptop, &token, attachment, "blue").await.unwrap();
        assert!(begun.page_url.starts_with(&format!("{ORIGIN}/ceremony#register.")));
        let options = world.options(&begun).await.unwrap();
        let selection = &options.public_key["authenticatorSelection"];
        assert_eq!(selection["authenticatorAttachment"], word);
        assert_eq!((options.user, options.device), (laptop.user.clone(), laptop.device.clone()));
        assert_eq!(options.match_number, begun.match_number);
        assert_eq!(options.match_number.len(), 2);
        assert!(!options.typed);
        assert_eq!(
            options.act,
            Some(BoundActBody::AddPasskey { attachment, label: label("blue") })
        );
    }
}

#[tokio::test]
async fn a_grant_is_good_for_one_passkey_and_for_ten_minutes() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    let token = world.sign_in(&laptop).await;
    let roaming = Attachment::Roaming;
    // Two ceremonies by one grant: the first redeemed spends it.
    let one = world.begin_register(&laptop, &token, roaming, "one").await.unwrap();
    let two = world.begin_register(&laptop, &token, roaming, "two").await.unwrap();
    let first = world.touch(&one, &mut keys).await;
    let second = world.touch(&two, &mut keys).await;
    world.redeem_passkey(&laptop, &token, &one, &first).await.unwrap();
    let late = world.redeem_passkey(&laptop, &token, &two, &second).await;
    assert_eq!(refusal(late), Refusal::CeremonyOver);
    let third = world.begin_register(&laptop, &token, roaming, "three").await;
    assert!(matches!(refusal(third), Refusal::StepUpRequired { bound: true, .. }));

    let phone = world.machine("bert", "phone").await;
    world.pass(599);
    let token = world.sign_in(&phone).await;
    let begun = world.begin_register(&phone, &token, roaming, "late").await.unwrap();
    assert_eq!(begun.expires_at.0.since(world.now()).0, 1, "it ends with the grant");
    world.pass(1);
    let over = world.begin_register(&phone, &token, roaming, "too late").await;
    assert!(matches!(refusal(over), Refusal::StepUpRequired { .. }));
}

#[tokio::test]
async fn another_passkey_takes_a_touch_of_an_older_one_for_that_very_act() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    world.register(&laptop, &mut keys, Attachment::Roaming).await;

    let unbound = world.step_up(&laptop, &mut keys, None).await;
    let platform = Attachment::Platform;
    let refused = world.begin_register(&laptop, &unbound.token, platform, "mac").await;
    assert!(matches!(refusal(refused), Refusal::StepUpRequired { bound: true, .. }));

    let act = BoundActBody::AddPasskey { attachment: platform, label: label("mac") };
    let bound = world.step_up(&laptop, &mut keys, Some(act)).await;
    assert!(bound.bound);
    assert_eq!(bound.expires_at.0.since(world.now()).0, 120);
    let other = world.begin_register(&laptop, &bound.token, platform, "not mac").await;
    assert_eq!(refusal(other), Refusal::StepUpForAnotherAct);
    let begun = world.begin_register(&laptop, &bound.token, platform, "mac").await.unwrap();
    let again = world.begin_register(&laptop, &bound.token, platform, "mac").await;
    assert_eq!(refusal(again), Refusal::StepUpSpent);
    let completion = world.touch(&begun, &mut keys).await;
    let token = world.sign_in(&laptop).await;
    let made = world.redeem_passkey(&laptop, &token, &begun, &completion).await.unwrap();
    assert_eq!(made.attachment, platform);
}

#[tokio::test]
async fn a_cert_only_session_neither_adds_nor_removes_a_passkey() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    let passkey = world.register(&laptop, &mut keys, Attachment::Roaming).await;
    let token = world.sign_in(&laptop).await;
    let added = world.begin_register(&laptop, &token, Attachment::Roaming, "mine").await;
    assert!(matches!(refusal(added), Refusal::StepUpRequired { .. }));
    let request = world.request_of(&laptop, Action::RemovePasskey, Some(&token));
    let confirmed = PasskeyRemoveQuery { confirm_last: true };
    let removed = world.service.remove_passkey(request, passkey.id, confirmed).await;
    assert!(matches!(refusal(removed), Refusal::StepUpRequired { .. }));
}

#[tokio::test]
async fn without_a_passkey_there_is_no_step_up() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let token = world.sign_in(&laptop).await;
    let begun = world.begin_step_up(&laptop, &token, None, loopback()).await;
    assert_eq!(refusal(begun), Refusal::NoPasskey);
}

#[tokio::test]
async fn by_hand_the_page_shows_what_a_person_types() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    world.register(&laptop, &mut keys, Attachment::Roaming).await;
    let token = world.sign_in(&laptop).await;
    let begun = world.begin_step_up(&laptop, &token, None, ReturnPath::Typed).await.unwrap();
    let options = world.options(&begun).await.unwrap();
    assert!(options.typed);
    let answer = keys.get(&Url::parse(ORIGIN).unwrap(), &options.public_key).await.unwrap();
    let CeremonyFinished::Show { code } = world.finish(&begun, answer).await.unwrap() else {
        panic!("a redirect was not asked for");
    };
    assert_eq!((code.len(), code.find('-')), (9, Some(4)));
    let typed = code.to_lowercase().replace('-', " ");
    world.redeem_step_up(&laptop, &token, &begun, &typed).await.unwrap();
}

#[tokio::test]
async fn a_listener_elsewhere_is_refused_before_anything_begins() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    world.register(&laptop, &mut SoftKeys::in_memory().unwrap(), Attachment::Roaming).await;
    let token = world.sign_in(&laptop).await;
    for (port, path) in
        [(80, "a-long-enough-path"), (50123, "short"), (50123, "a/b/c/d/e/f/g/h/i/j")]
    {
        let path = ReturnPath::Loopback { port, path: path.into() };
        let begun = world.begin_step_up(&laptop, &token, None, path).await;
        assert!(matches!(begun, Err(landfall_server::failure::Failure::Invalid { .. })));
    }
    assert!(RETURN.starts_with("http://127.0.0.1:"));
}

#[tokio::test]
async fn every_step_leaves_one_audit_row_of_the_principal_that_began() {
    let world = World::new().await;
    let laptop = world.machine("bert", "laptop").await;
    let mut keys = SoftKeys::in_memory().unwrap();
    world.register(&laptop, &mut keys, Attachment::Roaming).await;
    let rows = world.audit().await;
    let actions: Vec<&str> = rows.iter().filter_map(|row| row.split(" | ").next()).collect();
    assert_eq!(
        actions,
        ["open-session", "register-passkey", "read-ceremony", "finish-ceremony", "redeem-passkey"]
    );
    for row in &rows {
        assert!(row.contains("| allow |"), "{row}");
        assert!(row.ends_with("/tenant/home/user/bert/device/laptop"), "{row}");
    }
    assert!(rows[1].contains("add a roaming passkey"), "{}", rows[1]);
}
