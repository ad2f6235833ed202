//! On every device: the list.

use landfall_client::words::{DeviceName, Label};
use landfall_identity::Seconds;
use landfall_identity::passkey::Attachment;
use landfall_protocol::notice::NoticeInfo;
use landfall_test_support::{Machine, Person, PocketKey, World};

async fn notices(machine: &Machine) -> Vec<NoticeInfo> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        // Small pages: none is lost and none comes twice.
        let page = machine.client.notices(2, after.as_deref()).await.unwrap();
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

/// Ana on another machine, with the passkey of her pocket.
async fn on_phone(world: &World, ana: &Person) -> Person {
    let phone = world.machine("ana-phone").unwrap();
    let token = ana.device_token("ana-phone").await.unwrap();
    phone.enroll(&token, None, None).await.unwrap();
    Person { name: ana.name.clone(), machine: phone, shell: ana.shell.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_an_account_shows_on_every_device() {
    let world = World::new().await.unwrap();
    let tick = || world.clock.advance(Seconds(1));
    let ana = world.admin("ana").await.unwrap();
    tick();
    let phone = on_phone(&world, &ana).await;
    tick();
    // The pocket holds a passkey of Ana's already: another browser holds the spare one.
    let spare = PocketKey::new().unwrap();
    let label = Label::parse("spare \u{201C}key\u{201D}").unwrap();
    let spare = phone.client().register_passkey(Attachment::Roaming, label, &spare).await.unwrap();
    tick();
    ana.step_up().await.unwrap();
    let name = DeviceName::parse("ana-phone").unwrap();
    ana.client().suspend_device(&name).await.unwrap();
    ana.client().suspend_device(&name).await.unwrap();
    tick();
    ana.client().resume_device(&name).await.unwrap();
    tick();
    ana.client().remove_passkey(&spare.id, false, &ana.shell).await.unwrap();
    tick();
    phone.client().freeze().await.unwrap();
    phone.client().freeze().await.unwrap();
    tick();
    ana.step_up().await.unwrap();
    ana.client().unfreeze().await.unwrap();
    tick();

    let told = notices(&ana.machine).await;
    let kinds: Vec<&str> = told.iter().rev().map(|notice| notice.kind.as_str()).collect();
    let expected = [
        "device-enrolled",
        "passkey-registered",
        "device-enrolled",
        "passkey-registered",
        "device-suspended",
        "device-resumed",
        "passkey-removed",
        "account-frozen",
        "account-unfrozen",
    ];
    // The first two happened in one instant.
    let (mut first, mut wanted) = (kinds[..2].to_vec(), expected[..2].to_vec());
    first.sort_unstable();
    wanted.sort_unstable();
    assert_eq!((first, &kinds[2..]), (wanted, &expected[2..]));
    assert_eq!(notices(&phone.machine).await, told, "the same on the other device");

    let text = |kind: &str| told.iter().find(|notice| notice.kind == kind).unwrap().text.clone();
    assert_eq!(
        text("device-enrolled"),
        "The device ana-phone was added to your account, with a code that ana made on ana-desktop."
    );
    assert_eq!(
        text("account-frozen"),
        "Everything of your account was stopped, by your device ana-phone."
    );
    assert!(text("passkey-removed").contains("\u{201C}spare \"key\"\u{201D}"), "{told:?}");
    assert!(told.iter().all(|notice| notice.source.as_deref() == Some("127.0.0.1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_is_named_and_nobody_else_is_told() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let before = notices(&ana.machine).await;
    let invited = notices(&bert.machine).await;
    let enrolled = invited.iter().find(|notice| notice.kind == "device-enrolled").unwrap();
    assert!(enrolled.text.contains("with a code that ana made on ana-desktop"), "{enrolled:?}");

    world.clock.advance(Seconds(1));
    ana.step_up().await.unwrap();
    let laptop = DeviceName::parse("bert-laptop").unwrap();
    ana.client().admin_suspend_device(&bert.name, &laptop).await.unwrap();
    world.clock.advance(Seconds(1));
    ana.client().admin_resume_device(&bert.name, &laptop).await.unwrap();
    let told = notices(&bert.machine).await;
    assert_eq!(told[0].kind, "device-resumed");
    assert!(told[1].text.ends_with("by the administrator ana."), "{:?}", told[1]);
    assert_eq!(notices(&ana.machine).await, before, "what happened to Bert is Bert's to hear");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_or_asked_again_is_no_news() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let count = || world.number("SELECT COUNT(*) FROM notices").unwrap();
    let before = count();
    let nobody = DeviceName::parse("nobody").unwrap();
    ana.step_up().await.unwrap();
    assert!(ana.client().suspend_device(&nobody).await.is_err());
    assert!(ana.client().unfreeze().await.is_ok(), "nothing was frozen");
    assert_eq!(count(), before);
}
