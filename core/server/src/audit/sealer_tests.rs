//! Sealing through crashes and with several nodes; listing what was sealed (trap 49).

use super::world_tests::{START, World, event};
use crate::store::Tx;
use crate::store::audit_list::{self, Filter};
use landfall_identity::audit::AuditEvent;
use landfall_identity::{Seconds, TenantName, Timestamp, UserName};

#[tokio::test]
async fn a_crash_between_commit_and_export_heals_by_itself() {
    let world = World::sealed(35).await;
    let files = world.files();
    let mut lines = files.lines();
    let torn = lines.pop().unwrap();
    lines.push(torn[..torn.len() / 2].to_owned());
    files.write_lines(&lines);
    assert!(world.verify().await.is_sound(), "half a line at the end is a crash, no forgery");

    world.sealer().seal(START).await.unwrap();
    let found = world.verify().await;
    assert!(found.is_sound(), "{found}");
    assert_eq!((found.checkpoints, found.exported), (4, 4));
    assert_eq!(files.lines().last(), Some(&torn));
}

#[tokio::test]
async fn one_node_seals_and_another_takes_over_when_it_goes_away() {
    let world = World::new().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let (first, second) = (world.sealer(), world.sealer_of_node(elsewhere.path()));
    world.append(0).await;
    assert_eq!(first.seal(START).await.unwrap(), 1);
    world.append(1).await;
    assert_eq!(second.seal(START + Seconds(1)).await.unwrap(), 0, "the lease is held");
    assert_eq!(second.seal(START + Seconds(2)).await.unwrap(), 1, "the lease is over");
    world.append(2).await;
    assert_eq!(first.seal(START + Seconds(3)).await.unwrap(), 0, "it is the other's now");
    assert_eq!(second.seal(START + Seconds(3)).await.unwrap(), 1);
    let found = world.verify().await;
    assert_eq!(found.sealed, 3, "{found}");
}

#[tokio::test]
async fn racing_sealers_number_every_row_once() {
    let world = World::new().await;
    for n in 0..200 {
        world.append(n).await;
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let (first, second) = (world.sealer(), world.sealer_of_node(elsewhere.path()));
    let (a, b) = tokio::join!(first.seal(START), second.seal(START));
    assert_eq!(a.unwrap() + b.unwrap(), 200);
    let found = world.verify().await;
    assert_eq!((found.sealed, found.waiting), (200, 0), "{found}");
}

#[tokio::test]
async fn lists_are_paged_filtered_and_show_codes_that_nobody_knows() {
    let world = World::sealed(25).await;
    let strange = AuditEvent {
        action: "from-a-newer-version".into(),
        reason: Some("unheard-of".into()),
        at: START + Seconds(60),
        ..event(99, &world.ambient)
    };
    world.write(strange, [1; 16]).await;
    let tenant = TenantName::parse("home").unwrap();
    let list = async |filter: Filter, limit: u32| {
        let mut seen = Vec::new();
        let mut before = (Timestamp::from_millis(i64::MAX), String::new());
        loop {
            let read = async |tx: &mut Tx<'_>| {
                audit_list::list(tx, &tenant, &filter, &before, limit).await
            };
            let found = world.store.read(read).await.unwrap();
            assert!(found.rows.len() <= limit as usize);
            seen.extend(found.rows);
            match found.stopped_at {
                Some(place) => before = place,
                None => return seen,
            }
        }
    };
    let all = list(Filter::default(), 7).await;
    assert_eq!(all.len(), 26);
    assert_eq!(all[0].action, "from-a-newer-version");
    assert!(all[0].seq.is_none() && all[1].seq.is_some());
    assert!(all.windows(2).all(|pair| (pair[0].at, &pair[0].id) > (pair[1].at, &pair[1].id)));

    let user = |name: &str| Some(UserName::parse(name).unwrap());
    assert_eq!(list(Filter { user: user("bert"), ..Filter::default() }, 200).await.len(), 26);
    assert_eq!(list(Filter { user: user("mallory"), ..Filter::default() }, 200).await.len(), 0);
    let device = Filter { device: Some("laptop-1".into()), ..Filter::default() };
    assert!(list(device, 3).await.iter().all(|row| row.actor.ends_with("laptop-1")));
    let denied = Filter { outcome: Some("deny".into()), ..Filter::default() };
    assert_eq!(list(denied, 2).await.len(), 7);
    let since = Filter { since: Some(START + Seconds(60)), ..Filter::default() };
    assert_eq!(list(since, 10).await.len(), 1);
}
