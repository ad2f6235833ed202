//! Certificates and sessions, as time goes by for both sides.

use super::world::World;
use landfall_client::words::{DeviceName, Seconds};
use landfall_protocol::ErrorCode;

#[tokio::test]
async fn the_certificate_is_renewed_at_two_thirds_without_being_asked() {
    let world = World::start().await;
    let laptop = world.claimed().await;
    let first = laptop.profile().unwrap();
    world.clock.advance(Seconds::hours(15));
    laptop.whoami().await.unwrap();
    assert_eq!(laptop.profile().unwrap().not_after, first.not_after, "not before its time");
    world.clock.advance(Seconds::hours(2));
    laptop.whoami().await.unwrap();
    let second = laptop.profile().unwrap();
    assert!(second.not_after > first.not_after);
    assert_eq!(second.key, first.key, "the same key");
}

#[tokio::test]
async fn a_laptop_that_slept_past_its_certificate_heals_by_itself() {
    let world = World::start().await;
    world.claimed().await;
    world.clock.advance(Seconds::days(20));
    let awake = world.machine("laptop");
    assert_eq!(awake.whoami().await.unwrap().user.as_str(), "ada");
}

#[tokio::test]
async fn a_session_that_is_over_is_opened_again() {
    let world = World::start().await;
    let laptop = world.claimed().await;
    let first = laptop.whoami().await.unwrap();
    world.clock.advance(Seconds::minutes(20));
    let second = laptop.whoami().await.unwrap();
    assert!(second.session_expires_at > first.session_expires_at);
}

#[tokio::test]
async fn after_logout_the_next_call_signs_in_anew() {
    let world = World::start().await;
    let laptop = world.claimed().await;
    laptop.whoami().await.unwrap();
    assert_eq!(laptop.logout().await.unwrap(), 1);
    assert!(laptop.whoami().await.is_ok());
}

#[tokio::test]
async fn a_device_that_suspends_itself_is_out_at_once() {
    let world = World::start().await;
    let laptop = world.claimed().await;
    // An administrator without a passkey, and whose right to register one is over, can do nothing
    // anyway: nobody is the last one who could.
    world.clock.advance(Seconds::minutes(11));
    laptop.suspend_device(&DeviceName::parse("laptop").unwrap()).await.unwrap();
    assert_eq!(laptop.whoami().await.unwrap_err().code(), ErrorCode::DeviceSuspended);
    world.clock.advance(Seconds::days(2));
    let renewed = world.machine("laptop").renew_now().await;
    assert_eq!(renewed.unwrap_err().code(), ErrorCode::DeviceSuspended, "nor does it renew");
}
