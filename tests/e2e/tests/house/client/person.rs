//! What takes a person: passkeys, step-up, codes, the lost laptop.

use super::world::{Silent, World};
use landfall_client::words::{
    Attachment, DeviceName, Label, Role, Seconds, SecretBytes, SecretName, TokenKind, UserName,
};
use landfall_client::{GivenNames, MintRequest};
use landfall_protocol::ErrorCode;
use std::sync::Mutex;

fn for_device(name: &str) -> MintRequest {
    MintRequest {
        kind: TokenKind::Device,
        user: UserName::parse("ada").unwrap(),
        device: Some(DeviceName::parse(name).unwrap()),
        role: Role::Member,
        ttl: None,
    }
}

#[tokio::test]
async fn the_typed_form_forgives_two_slips() {
    let world = World::start().await;
    let (laptop, mut person) = world.with_passkey().await;
    person.types = Some(Mutex::new(2));
    laptop.step_up(None, None, &person).await.unwrap();
    assert!(laptop.human().is_some());
    world.clock.advance(Seconds::minutes(10));
    assert!(laptop.human().is_none(), "never prolonged");
}

#[tokio::test]
async fn a_second_passkey_takes_the_first() {
    let world = World::start().await;
    let (laptop, person) = world.with_passkey().await;
    let label = Label::parse("this machine").unwrap();
    // The enrolment's right is spent, so somebody must approve; and nobody is here.
    let refused = laptop.register_passkey(Attachment::Platform, label.clone(), &Silent).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::InputNeeded);
    assert_eq!(laptop.passkeys().await.unwrap().len(), 1);
    laptop.register_passkey(Attachment::Platform, label, &person).await.unwrap();
    assert_eq!(laptop.passkeys().await.unwrap().len(), 2);
}

#[tokio::test]
async fn without_a_touch_nothing_dangerous_happens() {
    let world = World::start().await;
    let (laptop, _) = world.with_passkey().await;
    let name = SecretName::parse("wifi").unwrap();
    laptop.set_secret(&name, &SecretBytes::new(b"x".to_vec())).await.unwrap();
    let refused = laptop.delete_secret(&name).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::StepUpRequired);
    let minted = laptop.mint(for_device("evil"), &Silent).await;
    assert_eq!(minted.err().unwrap().code(), ErrorCode::InputNeeded);
    assert!(laptop.tokens().await.unwrap().iter().all(|token| token.kind == TokenKind::Claim));
}

#[tokio::test]
async fn a_person_without_their_laptop_is_back_in_their_secrets() {
    let world = World::start().await;
    let (laptop, person) = world.with_passkey().await;
    let name = SecretName::parse("db/main").unwrap();
    laptop.set_secret(&name, &SecretBytes::new(b"correct horse\0\xFF".to_vec())).await.unwrap();

    let minted = laptop.mint(for_device("new"), &person).await.unwrap();
    let new = world.machine("new");
    let mut enrolling = new.enroll(&minted.text, GivenNames::default(), false).unwrap();
    enrolling.run(&Silent).await.unwrap();
    let read = new.get_secret(&name, None).await.unwrap();
    assert_eq!(read.value.expose(), b"correct horse\0\xFF");

    new.step_up(None, None, &person).await.unwrap();
    let lost = DeviceName::parse("laptop").unwrap();
    let cut = new.suspend_device(&lost).await.unwrap();
    assert!(cut.sessions_ended >= 1);
    assert_eq!(laptop.whoami().await.unwrap_err().code(), ErrorCode::DeviceSuspended);
    assert_eq!(new.devices().await.unwrap().len(), 2);
    // For ever, once the passkey is old enough to be a witness.
    let _world = world.pass(Seconds::hours(25)).await;
    new.revoke_device(&lost, &person).await.unwrap();
    assert_eq!(laptop.whoami().await.unwrap_err().code(), ErrorCode::DeviceRevoked);
    assert!(laptop.profile().unwrap().ended.is_some(), "a new code may take its place");
}
