//! A key for a machine that could do much takes two people.

use super::{device, opened, people, pinned, provision, role, server_key};
use landfall_client::WantedKey;
use landfall_identity::Seconds;
use landfall_identity::caller::Role;
use landfall_protocol::ErrorCode;
use landfall_test_support::{Person, World};

fn releaser(name: &str) -> WantedKey {
    WantedKey { role: Some(role("releaser")), words: None, ..server_key(name) }
}

async fn agree(by: &Person, name: &str, to: &Person) -> Result<(), ErrorCode> {
    let (name, role, asker) = (device(name), role("releaser"), to.name.clone());
    let agreed = by.client().approve_provision(name, role, asker, &by.shell).await;
    agreed.map(drop).map_err(|failure| failure.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_alone_has_no_such_key_made() {
    let world = World::new().await.unwrap();
    let (ana, olga) = people(&world).await;
    let needed = Some(ErrorCode::SecondPersonNeeded);
    assert_eq!(provision(&olga, releaser("build-7")).await.err(), needed);
    // One person twice is not two, and an administrator alone is one.
    assert_eq!(agree(&olga, "build-7", &olga).await, Err(ErrorCode::InvalidField));
    assert_eq!(provision(&ana, releaser("build-7")).await.err(), needed);
    // Olga agrees to Ana; that is nothing for Olga, and nothing for another machine.
    agree(&olga, "build-7", &ana).await.unwrap();
    assert_eq!(provision(&olga, releaser("build-7")).await.err(), needed);
    assert_eq!(provision(&ana, releaser("build-8")).await.err(), needed);
    // And for no more than whoever agreed was told of.
    for more in [
        WantedKey { words: Some(4), ..releaser("build-7") },
        WantedKey { ttl: Some(Seconds::days(8)), ..releaser("build-7") },
    ] {
        assert_eq!(provision(&ana, more).await.err(), Some(ErrorCode::InvalidField));
    }
    let made = provision(&ana, releaser("build-7")).await.unwrap();
    let with = made.key.approved_by.clone().unwrap();
    assert_eq!(with.principal.user(), Some(&olga.name));
    pinned(&world, &opened(&made).1).session().await.unwrap();
    let receipt = "SELECT COUNT(*) FROM audit_events WHERE action = 'provision-credential'
                   AND target LIKE '%machine build-7 at role releaser, with olga, handed out%'";
    assert_eq!(world.number(receipt).unwrap(), 1);
    // A yes is good for one key: one more for the same machine takes another.
    let one_more = || WantedKey { role: None, ..releaser("build-7") };
    assert_eq!(provision(&ana, one_more()).await.err(), needed);
    agree(&olga, "build-7", &ana).await.unwrap();
    provision(&ana, one_more()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_counts_for_an_hour_and_as_long_as_its_giver_could_give_it() {
    let mut world = World::new().await.unwrap();
    let (ana, olga) = people(&world).await;
    let otto = world.invited_as(&ana, "otto", Role::Operator).await.unwrap();
    let needed = Some(ErrorCode::SecondPersonNeeded);
    agree(&otto, "build-7", &olga).await.unwrap();
    world.pass(Seconds(3599)).await.unwrap();
    // Otto's laptop is cut off: what was agreed on it counts no more, until it works again.
    ana.step_up().await.unwrap();
    let laptop = device("otto-laptop");
    ana.client().admin_suspend_device(&otto.name, &laptop).await.unwrap();
    assert_eq!(provision(&olga, releaser("build-7")).await.err(), needed);
    ana.client().admin_resume_device(&otto.name, &laptop).await.unwrap();
    world.pass(Seconds(1)).await.unwrap();
    assert_eq!(provision(&olga, releaser("build-7")).await.err(), needed, "an hour is over");
    // Who makes no keys any more agrees to none.
    agree(&otto, "build-7", &olga).await.unwrap();
    let database = world.database().unwrap();
    database.execute("UPDATE users SET role = 'member' WHERE name = 'otto'", []).unwrap();
    assert_eq!(provision(&olga, releaser("build-7")).await.err(), needed);
    database.execute("UPDATE users SET role = 'operator' WHERE name = 'otto'", []).unwrap();
    provision(&olga, releaser("build-7")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_is_for_a_role_that_takes_two_and_for_somebody_who_may_ask() {
    let world = World::new().await.unwrap();
    let (ana, olga) = people(&world).await;
    let mia = world.invited(&ana, "mia").await.unwrap();
    assert_eq!(agree(&olga, "build-7", &mia).await, Err(ErrorCode::InvalidField));
    assert_eq!(agree(&mia, "build-7", &olga).await, Err(ErrorCode::Forbidden));
    for (name, code) in [("server", ErrorCode::InvalidField), ("nonsense", ErrorCode::InvalidField)]
    {
        let (machine, asker) = (device("build-7"), ana.name.clone());
        let refused =
            olga.client().approve_provision(machine, role(name), asker, &olga.shell).await;
        assert_eq!(refused.unwrap_err().code(), code, "{name}");
    }
    provision(&olga, server_key("build-7")).await.unwrap();
    assert_eq!(agree(&olga, "build-7", &ana).await, Err(ErrorCode::InvalidField), "another role");
}
