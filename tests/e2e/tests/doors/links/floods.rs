//! Strangers who begin and begin: nobody's phone rings, and the owner still gets in.

use landfall_identity::Seconds;
use landfall_identity::recovery::link::{LINKS_PER_ACCOUNT, LINKS_PER_TENANT};
use landfall_identity::recovery::{BEGUN_PER_PLACE, OPEN_PER_ACCOUNT};
use landfall_protocol::recovery::RecoveryStateName;
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::link::Approver;
use landfall_test_support::{Bare, World};
use std::net::IpAddr;

/// A place, among those that this machine can speak from.
fn place(number: u32) -> IpAddr {
    let [_, _, high, low] = number.to_be_bytes();
    IpAddr::from([127, 1, high, low])
}

#[tokio::test(flavor = "multi_thread")]
async fn one_place_floods_until_it_waits_and_the_owner_elsewhere_gets_in() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    // Under way before the flood, at the very place it comes from.
    let early = Bare::new(&world).unwrap();
    let met_before = super::met(&ana, early, "ana-early").await;
    for _ in 1..BEGUN_PER_PLACE {
        world.clock.advance(Seconds(1));
        Bare::new(&world).unwrap().begin_link("ana", "x").await.unwrap();
    }
    for restarted in [false, true] {
        if restarted {
            world.restart().await.unwrap();
        }
        let bare = Bare::new(&world).unwrap();
        let body = bare.begin_body("ana", "x").unwrap();
        let refused = bare.post(paths::LINK_BEGIN, &body).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::RateLimited, "restarted: {restarted}");
        // It is not their doing, and there is a way.
        for said in ["Too many tries from this network", "your phone's, works at once", "3600"] {
            assert!(refused.body.to_string().contains(said), "{said}: {}", refused.body);
        }
    }
    let super::Met { approver, info, token, .. } = &met_before;
    assert_eq!(approver.approve(&info.id, token).await.unwrap().status, 200);
    let done = met_before.bare.complete(&info.id, "ana-early", None).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
    let elsewhere = Bare::at(&world, place(1)).unwrap();
    let super::Met { bare, approver, info, token } = super::met(&ana, elsewhere, "ana-new").await;
    approver.approve(&info.id, &token).await.unwrap();
    let done = bare.complete(&info.id, "ana-new", None).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_fills_an_accounts_pool_pushes_out_their_own_and_never_the_owner() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let owner = Bare::at(&world, place(1)).unwrap();
    let id = owner.begin_link("ana", "ana-new").await.unwrap().recovery.recovery_id;
    // From two places, more than the pool holds, and plain recoveries on top.
    for number in 0..2 * LINKS_PER_ACCOUNT {
        world.clock.advance(Seconds(1));
        let stranger = Bare::at(&world, place(2 + number % 2)).unwrap();
        stranger.begin_link("ana", "x").await.unwrap();
    }
    for number in 0..OPEN_PER_ACCOUNT + 1 {
        let stranger = Bare::at(&world, place(100 + number)).unwrap();
        stranger.begin("ana", "x").await.unwrap();
    }
    let now = world.ambient.now().millis();
    let waiting =
        format!("SELECT COUNT(*) FROM links WHERE stage = 'waiting' AND expires_at > {now}");
    assert_eq!(world.number(&waiting).unwrap(), i64::from(LINKS_PER_ACCOUNT));
    assert_eq!(owner.show_link(&id).await.unwrap().recovery.state, RecoveryStateName::Unproved);
    let approver = Approver::of(&ana).await.unwrap();
    assert_eq!(approver.find(&owner.link_code(&id)).await.unwrap().status, 200);
}

/// Whoever has a network has as many places as they like.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_from_a_whole_network_pushes_out_its_own_and_not_the_owners() {
    let world = World::new().await.unwrap();
    world.admin("ana").await.unwrap();
    let (owner, linking) = (Bare::new(&world).unwrap(), Bare::new(&world).unwrap());
    let id = owner.begin("ana", "ana-new").await.unwrap().recovery_id;
    let link = linking.begin_link("ana", "ana-next").await.unwrap().recovery.recovery_id;
    let elsewhere = "UPDATE recoveries SET place = '192.0.2.1', net = '192.0'";
    world.database().unwrap().execute(elsewhere, ()).unwrap();
    world.clock.advance(Seconds(1));
    for number in 0..=OPEN_PER_ACCOUNT {
        let stranger = Bare::at(&world, place(1 + number)).unwrap();
        stranger.begin("ana", "x").await.unwrap();
    }
    for number in 0..=LINKS_PER_ACCOUNT {
        let stranger = Bare::at(&world, place(1 + number)).unwrap();
        stranger.begin_link("ana", "x").await.unwrap();
    }
    assert_eq!(owner.show(&id).await.unwrap().state, RecoveryStateName::Unproved);
    let shown = linking.show_link(&link).await.unwrap().recovery;
    assert_eq!(shown.state, RecoveryStateName::Unproved);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_pool_is_bounded_and_makes_room_where_it_is_fullest() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let owner = Bare::at(&world, place(1)).unwrap();
    let id = owner.begin_link("ana", "ana-new").await.unwrap().recovery.recovery_id;
    // As a thousand requests for as many names would leave it, from two places.
    let database = world.database().unwrap();
    let now = world.ambient.now().millis();
    for number in 0..LINKS_PER_TENANT {
        let name = format!("x{number}");
        let from = format!("10.0.0.{}", number % 2);
        let sql = "INSERT INTO recoveries (id, tenant, user_name, device, thumbprint, spki, place,
                state, begun_at, expires_at, tries_left)
            SELECT ?1, tenant, ?1, 'x', ?1, spki, ?2, 'open', ?3, expires_at, 1 FROM recoveries
            WHERE id = ?4";
        database.execute(sql, (&name, &from, now - 1, id.as_str())).unwrap();
        let sql = "INSERT INTO links (recovery, code, stage, expires_at)
            SELECT ?1, ?1, 'waiting', expires_at FROM links WHERE recovery = ?2";
        database.execute(sql, (&name, id.as_str())).unwrap();
    }
    let waiting =
        format!("SELECT COUNT(*) FROM links WHERE stage = 'waiting' AND expires_at > {now}");
    assert!(world.number(&waiting).unwrap() > i64::from(LINKS_PER_TENANT));
    let late = Bare::at(&world, place(2)).unwrap();
    let late_id = late.begin_link("ana", "ana-newer").await.unwrap().recovery.recovery_id;
    assert_eq!(world.number(&waiting).unwrap(), i64::from(LINKS_PER_TENANT));
    let approver = Approver::of(&ana).await.unwrap();
    for (bare, id) in [(&owner, &id), (&late, &late_id)] {
        assert_eq!(approver.find(&bare.link_code(id)).await.unwrap().status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_stranger_begins_makes_a_device_of_the_owner_ring() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let before = ana.client().notices(200, None).await.unwrap();
    for _ in 0..20 {
        Bare::new(&world).unwrap().begin_link("ana", "ana-new").await.unwrap();
    }
    assert_eq!(ana.client().notices(200, None).await.unwrap(), before);
    assert_eq!(world.number("SELECT COUNT(*) FROM outbox").unwrap(), 0);
    // Who looks sees them.
    let open = ana.client().recoveries().await.unwrap();
    assert_eq!(open.len(), usize::try_from(LINKS_PER_ACCOUNT).unwrap());
}
