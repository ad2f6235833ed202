//! A clock that jumps makes nobody older, until an operator says that it is right.

use landfall_identity::{DeviceName, Seconds};
use landfall_protocol::meta::Health;
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::world::BEGINNING;
use landfall_test_support::{Person, Raw, World};
use reqwest::Method;

/// Whether the server is ready, and what it says of itself.
async fn ready(world: &World) -> (bool, String) {
    let stranger = Raw::stranger(world).unwrap();
    let answer = stranger.send(Method::GET, paths::READYZ, None, None).await.unwrap();
    let health: Health = serde_json::from_value(answer.body).unwrap();
    (answer.status == 200, health.status)
}

/// Rows that the server itself wrote about its clock.
fn told(world: &World, action: &str) -> i64 {
    let sql =
        format!("SELECT COUNT(*) FROM audit_events WHERE actor = 'server' AND action = '{action}'");
    world.number(&sql).unwrap()
}

/// Lets the clock of a running server jump, and waits until it has seen that.
async fn jump(world: &World, span: Seconds) {
    let before = told(world, "clock-jumped");
    world.clock.advance(span);
    world.until("the jump is seen", |world| told(world, "clock-jumped") > before).await;
}

/// Bert with a passkey of today, and a second machine; his first machine is older than the passkey.
async fn bert_and_desktop(world: &World) -> (Person, Person) {
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let token = bert.device_token("bert-desktop").await.unwrap();
    let machine = world.machine("bert-desktop").unwrap();
    machine.enroll(&token, None, None).await.unwrap();
    let desktop = Person { name: bert.name.clone(), machine, shell: bert.shell.clone() };
    (bert, desktop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_ends_no_probation_until_the_operator_confirms_it() {
    let mut world = World::new().await.unwrap();
    let (_bert, desktop) = bert_and_desktop(&world).await;
    let laptop = DeviceName::parse("bert-laptop").unwrap();
    let revoke = async || {
        let revoked = desktop.client().revoke_device(&laptop, &desktop.shell).await;
        revoked.map(drop).map_err(|failure| failure.code())
    };
    assert_eq!(revoke().await, Err(ErrorCode::Probation));
    assert_eq!(ready(&world).await, (true, "ok".to_owned()));

    jump(&world, Seconds::hours(25)).await;
    let (is_ready, status) = ready(&world).await;
    assert!(is_ready, "a clock in doubt holds up what waits, and nobody's sign-in");
    assert!(status.contains("landfall-server clock confirm"), "{status}");
    assert_eq!(revoke().await, Err(ErrorCode::ClockJumped), "by the clock it would be old enough");
    // Neither a restart nor a second jump carries the wait along; suspending never had to wait.
    world.restart().await.unwrap();
    assert_eq!(revoke().await, Err(ErrorCode::ClockJumped));
    jump(&world, Seconds::hours(2)).await;
    world.restart().await.unwrap();
    assert_eq!(revoke().await, Err(ErrorCode::ClockJumped));
    desktop.step_up().await.unwrap();
    desktop.client().suspend_device(&laptop).await.unwrap();

    let said = world.confirm_clock().await.unwrap();
    assert!(said.contains("stood still at 2026-11-21T14:00") && said.contains("goes on"), "{said}");
    assert_eq!(told(&world, "clock-confirmed"), 1);
    assert_eq!(ready(&world).await, (true, "ok".to_owned()));
    revoke().await.unwrap();
    let said = world.confirm_clock().await.unwrap();
    assert!(said.contains("Nothing had to wait"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_back_is_noticed_at_the_start() {
    let mut world = World::new().await.unwrap();
    // Later than the server's own certificates begin, so that they are good on both sides.
    let noon = BEGINNING + Seconds::days(2);
    world.pass(Seconds::days(2)).await.unwrap();
    world.until("the time is noted", |world| high_water(world) == noon.millis()).await;
    world.clock.set(noon - Seconds::minutes(4));
    world.restart().await.unwrap();
    assert_eq!(ready(&world).await.1, "ok", "four minutes are no jump");
    world.clock.set(noon - Seconds::hours(1));
    world.restart().await.unwrap();
    world.until("the jump is seen", |world| told(world, "clock-jumped") > 0).await;
    assert!(ready(&world).await.1.contains("clock confirm"));
    world.confirm_clock().await.unwrap();
    assert_eq!(ready(&world).await.1, "ok");
}

fn high_water(world: &World) -> i64 {
    let sql = "SELECT COALESCE(MAX(CAST(value AS INTEGER)), 0) FROM meta WHERE key = 'high_water'";
    world.number(sql).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn four_minutes_are_no_jump_and_time_that_passes_is_none() {
    let mut world = World::new().await.unwrap();
    for span in [Seconds::minutes(4), Seconds::minutes(4)] {
        world.clock.advance(span);
        let now = world.ambient.now().millis();
        world.until("the time is noted", |world| high_water(world) == now).await;
    }
    // A server that was stopped for a year has seen no jump: nobody can know.
    world.pass(Seconds::days(365)).await.unwrap();
    let now = world.ambient.now().millis();
    world.until("the time is noted", |world| high_water(world) == now).await;
    assert_eq!(told(&world, "clock-jumped"), 0);
    assert_eq!(ready(&world).await.1, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_clock_is_in_doubt_nothing_is_dropped_as_over() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    ana.step_up().await.unwrap();
    let ceremonies = |world: &World| world.number("SELECT COUNT(*) FROM ceremonies").unwrap();
    let before = ceremonies(&world);
    assert!(before > 0);
    jump(&world, Seconds::days(2)).await;
    // The first thing that a server does is to keep house; only then does it note the time again.
    world.restart().await.unwrap();
    let raw = Raw::stranger(&world).unwrap();
    raw.send(Method::POST, paths::CERT_ISSUE, None, Some(&serde_json::json!({}))).await.unwrap();
    let counted = |world: &World| world.number("SELECT COUNT(*) FROM stranger_refusals").unwrap();
    world.until("a later round of the keeper", |world| counted(world) > 0).await;
    assert_eq!(ceremonies(&world), before, "they may only seem over");
    world.confirm_clock().await.unwrap();
    world.restart().await.unwrap();
    world.until("what is over is dropped", |world| ceremonies(world) == 0).await;
}
