//! The story that everything else is for.

use landfall_crypto::SecretBytes;
use landfall_identity::DeviceName;
use landfall_identity::secret::SecretName;
use landfall_protocol::ErrorCode;
use landfall_protocol::device::DeviceStateName;
use landfall_test_support::{Person, Raw, World};

fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_laptop_recovers() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let name = SecretName::parse("mail/password").unwrap();
    bert.client().set_secret(&name, &SecretBytes::new(b"correct horse".to_vec())).await.unwrap();
    let token = bert.device_token("bert-desktop").await.unwrap();

    // The laptop is gone. The new machine has seen nothing but the code.
    let machine = world.machine("bert-desktop").unwrap();
    machine.enroll(&token, None, None).await.unwrap();
    let new = Person { name: bert.name.clone(), machine, shell: bert.shell.clone() };
    let read = new.client().get_secret(&name, None).await.unwrap();
    assert_eq!(read.value.expose(), b"correct horse");

    // The lost one is suspended at once, by the passkey in the pocket, and for ever by the admin.
    new.step_up().await.unwrap();
    let cut = new.client().suspend_device(&device("bert-laptop")).await.unwrap();
    assert_eq!(cut.device.state, DeviceStateName::Suspended);
    let refused = bert.client().get_secret(&name, None).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::DeviceSuspended);
    ana.client().admin_revoke_device(&bert.name, &device("bert-laptop"), &ana.shell).await.unwrap();
    assert_eq!(bert.client().renew_now().await.unwrap_err().code(), ErrorCode::DeviceRevoked);

    // Nothing else was touched: the new machine, the secret and the passkey work as before.
    assert_eq!(new.client().get_secret(&name, None).await.unwrap().version, 1);
    assert_eq!(new.client().passkeys().await.unwrap().len(), 1);
    assert_eq!(new.client().whoami().await.unwrap().device.name, device("bert-desktop"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_new_machine_may_register_its_own_passkey() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let token = bert.device_token("bert-desktop").await.unwrap();
    let machine = world.machine("bert-desktop").unwrap();
    machine.enroll(&token, None, None).await.unwrap();
    // Another key, since the old one went with the laptop: the enrolment's grant allows it.
    let shell = landfall_test_support::PocketKey::new().unwrap();
    let new = Person { name: bert.name.clone(), machine, shell };
    new.register(landfall_identity::passkey::Attachment::Roaming).await.unwrap();
    new.step_up().await.unwrap();
    assert_eq!(new.client().passkeys().await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_private_key_never_leaves_the_new_machine() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let key = ana.machine.key_file().unwrap();
    // The scalar of the key: 32 bytes that stand in the PKCS#8 after the tag of an octet string.
    let at = key.windows(4).position(|bytes| bytes == [0x02, 0x01, 0x01, 0x04]).unwrap();
    let scalar = &key[at + 5..at + 37];
    Raw::of(&ana.machine).unwrap().session().await.unwrap();
    let mut looked_at = 0;
    for entry in std::fs::read_dir(world.data_dir()).unwrap().flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        looked_at += bytes.len();
        assert!(!bytes.windows(32).any(|window| window == scalar), "{:?}", entry.path());
    }
    assert!(looked_at > 10_000, "the database was looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_account_is_not_called_healthy() {
    use landfall_client::doctor::{CheckId, CheckState};
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let of_account = async || {
        let checks = bert.client().doctor().await;
        checks.into_iter().find(|check| check.id == CheckId::Account)
    };
    assert_eq!(of_account().await, None);

    bert.client().freeze().await.unwrap();
    let check = of_account().await.unwrap();
    assert_eq!((check.state, check.code), (CheckState::Problem, Some(ErrorCode::AccountFrozen)));
    for word in ["frozen", "bert-laptop", "landfall device lost NAME", "landfall unfreeze"] {
        assert!(check.detail.contains(word), "`{word}` is missing: {}", check.detail);
    }
    bert.step_up().await.unwrap();
    bert.client().unfreeze().await.unwrap();
    assert_eq!(of_account().await, None);
}
