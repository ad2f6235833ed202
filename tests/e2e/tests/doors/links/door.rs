//! The whole door, with the real clients on both sides.

use super::{NewMachine, begun, device, request};
use landfall_client::{AuditFilter, LinkProgress};
use landfall_crypto::SecretBytes;
use landfall_identity::Seconds;
use landfall_identity::passkey::Attachment;
use landfall_identity::secret::SecretName;
use landfall_protocol::ErrorCode;
use landfall_protocol::link::LinkStage;
use landfall_test_support::world::NoBrowser;
use landfall_test_support::{Person, PocketKey, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_device_at_hand_leads_to_secrets_on_a_new_machine_with_its_own_passkey() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let wifi = SecretName::parse("wifi").unwrap();
    bert.client().set_secret(&wifi, &SecretBytes::new(b"hunter2".to_vec())).await.unwrap();

    let machine = world.machine("bert-new").unwrap();
    let mut linking = machine.client.link(request(&bert, "bert-new")).unwrap();
    let (code, _) = begun(&mut linking).await;
    let new = NewMachine::watching(linking);

    let offer = bert.client().find_link(&code.to_lowercase().replace('-', " ")).await.unwrap();
    assert_eq!(
        (&offer.info().device, offer.info().source.as_str()),
        (&device("bert-new"), "127.0.0.1")
    );
    let meeting = offer.meet(&bert.shell).await.unwrap();
    let digits = new.digits.await.unwrap();
    assert_eq!(
        digits,
        meeting.check_code(),
        "both have computed the same, and no server told them"
    );

    // Other digits approve nothing, whatever is pressed.
    let wrong = if digits == "000000" { "000001" } else { "000000" };
    let refused = meeting.approve(wrong, &bert.shell).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::CheckCodeWrong);
    let proofs = "SELECT COUNT(*) FROM recovery_proofs";
    assert_eq!(world.number(proofs).unwrap(), 0);
    let typed = format!("{} {}", &digits[..3], &digits[3..]);
    let approved = meeting.approve(&typed, &bert.shell).await.unwrap();
    assert_eq!(approved.stage, LinkStage::Approved);
    let enrolled = new.end.await.unwrap().unwrap();
    assert!(enrolled.profile.grant.is_some(), "the right to register a passkey of its own");
    assert!(machine.client.resume_link().unwrap().is_none());

    let new = Person { name: bert.name.clone(), machine, shell: PocketKey::new().unwrap() };
    let read = new.client().get_secret(&wifi, None).await.unwrap();
    assert_eq!(read.value.expose(), b"hunter2");
    new.register(Attachment::Roaming).await.unwrap();
    new.step_up().await.unwrap();
    assert_eq!(new.client().passkeys().await.unwrap().len(), 2);
    // Nothing was lost: what it suspends is suspended, and not on its way to being revoked.
    new.client().suspend_device(&device("bert-laptop")).await.unwrap();
    let ripens = "SELECT COUNT(*) FROM recovery_suspensions";
    assert_eq!(world.number(ripens).unwrap(), 0);
    new.client().resume_device(&device("bert-laptop")).await.unwrap();

    // Bert hears of it on every device, and the audit names what let it in.
    let notices = bert.client().notices(50, None).await.unwrap().items;
    let told = notices.iter().find(|notice| notice.title == "New device: bert-new").unwrap();
    assert!(told.text.contains("by your device bert-laptop"), "{}", told.text);
    let rows = new.client().audit(&AuditFilter::default()).await.unwrap().items;
    let row = rows.iter().find(|row| row.action == "complete-recovery").unwrap();
    assert!(row.target.contains("by device bert-laptop"), "{}", row.target);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_camera_reads_leads_there_as_well_and_carries_the_server() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let machine = world.machine("ana-new").unwrap();
    let mut linking = machine.client.link(request(&ana, "ana-new")).unwrap();
    let (code, scan) = begun(&mut linking).await;
    let server = ana.client().profile().unwrap().server;
    assert!(scan.contains(&server.origin().ascii_serialization()), "{scan}");
    let new = NewMachine::watching(linking);
    // A picture of a machine that believes another server, or one that was painted over.
    for (from, to, expected) in [
        ("127.0.0.1", "evil.example", ErrorCode::ServerNotTrusted),
        ("#", "#0000-", ErrorCode::LinkUnknown),
        (code.as_str(), "0000-0000", ErrorCode::LinkUnknown),
    ] {
        let forged = scan.replacen(from, to, 1);
        let refused = ana.client().find_link(&forged).await.err().unwrap();
        assert_eq!(refused.code(), expected, "{forged}");
    }
    let meeting = ana.client().find_link(&scan).await.unwrap().meet(&ana.shell).await.unwrap();
    meeting.approve(&new.digits.await.unwrap(), &ana.shell).await.unwrap();
    new.end.await.unwrap().unwrap();
    assert_eq!(machine.client.whoami().await.unwrap().device.name, device("ana-new"));
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_lids_lost_answers_and_restarts_in_between_change_nothing() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let machine = world.machine("ana-new").unwrap();
    let mut linking = machine.client.link(request(&ana, "ana-new")).unwrap();
    let (code, _) = begun(&mut linking).await;
    drop(linking);
    world.restart().await.unwrap();
    // The same code after the lid was closed, from what is on disk.
    let mut linking = machine.client.resume_link().unwrap().unwrap();
    assert!(linking.is_resumed());
    assert_eq!(begun(&mut linking).await.0, code);
    let new = NewMachine::watching(linking);
    let meeting = ana.client().find_link(&code).await.unwrap().meet(&ana.shell).await.unwrap();
    let digits = new.digits.await.unwrap();
    new.end.abort();
    let _ = new.end.await;
    world.restart().await.unwrap();
    // The new machine comes back and shows the very same digits: it never adds another word.
    let again = NewMachine::watching(machine.client.resume_link().unwrap().unwrap());
    assert_eq!(again.digits.await.unwrap(), digits);
    again.end.abort();
    let _ = again.end.await;
    meeting.approve(&digits, &ana.shell).await.unwrap();
    let mut linking = machine.client.resume_link().unwrap().unwrap();
    let done = linking.run(&NoBrowser).await.unwrap();
    assert!(matches!(done, LinkProgress::Done(_)));
    assert_eq!(machine.client.whoami().await.unwrap().device.name, device("ana-new"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_compares_for_longer_than_a_touch_is_good_for_touches_again() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let machine = world.machine("ana-new").unwrap();
    let mut linking = machine.client.link(request(&ana, "ana-new")).unwrap();
    let (code, _) = begun(&mut linking).await;
    let new = NewMachine::watching(linking);
    let meeting = ana.client().find_link(&code).await.unwrap().meet(&ana.shell).await.unwrap();
    let digits = new.digits.await.unwrap();
    world.clock.advance(Seconds(121));
    meeting.approve(&digits, &ana.shell).await.unwrap();
    new.end.await.unwrap().unwrap();
}
