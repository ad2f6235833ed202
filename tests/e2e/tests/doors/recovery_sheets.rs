//! Paper that is made, and what its codes tell whoever has none.

use landfall_client::{Failure, NewCodes};
use landfall_protocol::ErrorCode;
use landfall_protocol::recovery::RecoveryCodeInfo;
use landfall_test_support::bare::status;
use landfall_test_support::{Bare, World};

/// The disk is full, and the sheet in the drawer is what there is.
#[tokio::test(flavor = "multi_thread")]
async fn codes_that_cannot_be_kept_are_never_made() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let old = ana.client().make_recovery_codes(&ana.shell).await.unwrap().codes;
    let full =
        |_: &NewCodes| Err(Failure::new(ErrorCode::StateUnwritable, "No space left on device"));
    let refused = ana.client().make_recovery_codes_kept(&ana.shell, full).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::StateUnwritable);
    let live = |codes: &[RecoveryCodeInfo]| codes.iter().filter(|c| c.ended_at.is_none()).count();
    let kept = ana.client().recovery_codes().await.unwrap();
    assert_eq!((kept.len(), live(&kept)), (old.len(), old.len()), "the server heard of nothing");
    // With room, it is on disk before the server knows, and says where.
    let database = world.database().unwrap();
    let mut said = Vec::new();
    let keep = |new: &NewCodes| {
        let live = "SELECT COUNT(*) FROM recovery_codes WHERE state = 'live' AND name = ?1";
        let name = new.codes[0].name().unwrap();
        let known: i64 = database.query_row(live, [name.as_str()], |row| row.get(0)).unwrap();
        said.push((new.server.to_string(), known));
        Ok(())
    };
    let new = ana.client().make_recovery_codes_kept(&ana.shell, keep).await.unwrap();
    assert_eq!(said, [(new.server.to_string(), 0)]);
}

/// Which names a user's devices have is told to whoever has shown something, and to nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_is_said_with_the_first_proof_and_not_before() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let codes = bert.client().make_recovery_codes(&bert.shell).await.unwrap().codes;
    for (name, taken) in [("bert-laptop", true), ("bert-new", false)] {
        let bare = Bare::new(&world).unwrap();
        let begun = bare.begin("bert", name).await.unwrap();
        let id = begun.recovery_id;
        assert!(!begun.device_taken && !bare.show(&id).await.unwrap().device_taken, "{name}");
        let shown = status(&bare.prove(&id, &codes[0]).await.unwrap()).unwrap();
        assert_eq!(shown.device_taken, taken, "{name}");
    }
}
