//! Any edit, deletion, reorder or truncation of the log is found and named (trap 47); what may be
//! erased can be.

use super::erase::erase_personal;
use super::report::{Fault, Place};
use super::sealer::STEP_ROWS;
use super::world_tests::{START, World};
use crate::audit::verify::{Exported, verify};
use crate::store::Store;
use landfall_crypto::KeyPair;
use landfall_crypto::Signer as _;
use landfall_identity::{TenantName, UserName};
use proptest::prelude::*;

#[tokio::test]
async fn a_whole_log_is_whole_and_tells_its_parts() {
    let world = World::new().await;
    let rows = 2 * STEP_ROWS + 44;
    for n in 0..rows {
        world.append(n).await;
    }
    let sealer = world.sealer();
    assert_eq!(sealer.seal(START).await.unwrap(), u64::from(rows));
    assert_eq!(sealer.seal(START).await.unwrap(), 0, "nothing new, nothing signed");
    for n in 0..3 {
        world.append(n).await;
    }
    let found = world.verify().await;
    assert!(found.is_sound(), "{found}");
    assert_eq!((found.sealed, found.waiting), (u64::from(rows), 3));
    assert_eq!((found.checkpoints, found.exported), (3, 3));

    // In the order of writing, although the times are not in order.
    let connection = world.files().open();
    let disorder: i64 = connection
        .query_row(
            "SELECT COUNT(*) FROM audit_events a JOIN audit_events b ON b.seq = a.seq + 1
             WHERE b.ordinal < a.ordinal",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(disorder, 0);
}

#[tokio::test]
async fn an_empty_log_is_whole() {
    let world = World::new().await;
    assert!(world.verify().await.is_sound());
    world.sealer().seal(START).await.unwrap();
    assert!(world.verify().await.is_sound());
}

#[tokio::test]
async fn an_edit_of_any_column_is_named() {
    let world = World::sealed(35).await;
    for edit in [
        "id = '00000000000000000000000000'",
        "at = at + 1",
        "at = 1.5",
        "at = 'yesterday'",
        "tenant = 'other'",
        "actor = 'server'",
        "actor_user = 'mallory'",
        "actor_user = NULL",
        "actor_device = 'phone'",
        "parents = 'spiffe://landfall.local/x'",
        "action = 'list-secrets'",
        "target = target || ' '",
        "target = CAST(target AS BLOB)",
        "outcome = 'error'",
        "reason = 'forbidden'",
        "strength = 'cert+human'",
        "session = ''",
        "request = NULL",
        "personal_hash = zeroblob(32)",
        "leaf = zeroblob(32)",
        "leaf = NULL",
    ] {
        let (_dir, files) = world.copy();
        files.harm(&format!("UPDATE audit_events SET {edit} WHERE seq = 14"));
        let found = files.verify(&world.key).await;
        assert!(found.faults.contains(&Fault::RowEdited(14)), "{edit}: {found}");
        let others = found.faults.iter().any(|f| matches!(f, Fault::RowEdited(n) if *n != 14));
        assert!(!others, "{edit} is told of other rows: {found}");
    }
}

#[tokio::test]
async fn an_edit_that_mends_its_hash_meets_the_signed_root() {
    let world = World::sealed(35).await;
    let (_dir, files) = world.copy();
    files.harm("UPDATE audit_events SET outcome = 'allow', reason = NULL WHERE seq = 13");
    files.mend_leaf(13).await;
    let found = files.verify(&world.key).await;
    assert_eq!(found.faults, [Fault::RootDiffers(11, 20, Place::Table)], "{found}");
    assert!(found.to_string().contains("rows 11 to 20"), "{found}");
    // Signing it anew takes the key.
    let forger = KeyPair::generate().unwrap();
    assert!(!files.verify(&forger).await.is_sound());
}

#[tokio::test]
async fn personal_fields_may_be_erased_and_not_edited() {
    let world = World::sealed(20).await;
    for edit in [
        "UPDATE audit_personal SET source = '198.51.100.1' WHERE event = (SELECT id FROM audit_events WHERE seq = 3)",
        "UPDATE audit_personal SET source = NULL WHERE event = (SELECT id FROM audit_events WHERE seq = 3)",
        "UPDATE audit_personal SET user_agent = 'x' WHERE event = (SELECT id FROM audit_events WHERE seq = 3)",
        "UPDATE audit_personal SET salt = zeroblob(16) WHERE event = (SELECT id FROM audit_events WHERE seq = 3)",
    ] {
        let (_dir, files) = world.copy();
        files.harm(edit);
        let found = files.verify(&world.key).await;
        assert_eq!(found.faults, [Fault::PersonalEdited(3)], "{edit}: {found}");
    }

    let (tenant, user) = (TenantName::parse("home").unwrap(), UserName::parse("bert").unwrap());
    let erased = erase_personal(&world.store, &world.ambient, &tenant, &user).await.unwrap();
    assert_eq!(erased, 20);
    world.sealer().seal(world.ambient.now()).await.unwrap();
    let found = world.verify().await;
    assert!(found.is_sound(), "{found}");
    assert_eq!((found.sealed, found.erased), (21, 20), "the erasure has a row of its own");
    assert_eq!(erase_personal(&world.store, &world.ambient, &tenant, &user).await.unwrap(), 0);

    // Not even in the free pages of the file.
    world.store.clone().close().await;
    let files = world.files();
    files.open().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let bytes = std::fs::read(&files.database).unwrap();
    let address = b"192.0.2.1";
    assert!(!bytes.windows(address.len()).any(|window| window == address));
}

#[tokio::test]
async fn deleted_moved_and_invented_rows_are_named() {
    let world = World::sealed(35).await;
    let swap = "UPDATE audit_events SET seq = -1 WHERE seq = 5;
                UPDATE audit_events SET seq = 5 WHERE seq = 9;
                UPDATE audit_events SET seq = 9 WHERE seq = -1;";
    let swap_with_leaves = "CREATE TEMP TABLE l AS SELECT seq, leaf FROM audit_events;
                UPDATE audit_events SET seq = -1 WHERE seq = 5;
                UPDATE audit_events SET seq = 5 WHERE seq = 9;
                UPDATE audit_events SET seq = 9 WHERE seq = -1;
                UPDATE audit_events SET leaf = (SELECT leaf FROM l WHERE l.seq = audit_events.seq)
                    WHERE seq IN (5, 9);";
    for (harm, expected) in [
        ("DELETE FROM audit_events WHERE seq = 1", Fault::RowsMissing(1, 1)),
        ("DELETE FROM audit_events WHERE seq = 14", Fault::RowsMissing(14, 14)),
        ("DELETE FROM audit_events WHERE seq BETWEEN 8 AND 22", Fault::RowsMissing(8, 22)),
        (
            "DELETE FROM audit_events WHERE seq = 14;
             UPDATE audit_events SET seq = -seq WHERE seq > 14;
             UPDATE audit_events SET seq = -seq - 1 WHERE seq < 0;",
            Fault::RowMoved(14, 15),
        ),
        (swap, Fault::RowMoved(5, 9)),
        (swap_with_leaves, Fault::RowMoved(9, 5)),
        ("UPDATE audit_events SET seq = NULL WHERE seq = 14", Fault::HalfSealed(1)),
        ("UPDATE audit_events SET seq = 'x' WHERE seq = 14", Fault::HalfSealed(1)),
        (
            "UPDATE audit_events SET seq = NULL, leaf = NULL WHERE seq = 14",
            Fault::RowsMissing(14, 14),
        ),
        (
            "INSERT INTO audit_events (id, at, tenant, actor, parents, action, target, outcome,
                 personal_hash, seq, leaf)
             SELECT 'forged', at, tenant, actor, parents, action, target, outcome, personal_hash,
                 36, leaf FROM audit_events WHERE seq = 35",
            Fault::Unsigned(36, 36),
        ),
    ] {
        let (_dir, files) = world.copy();
        files.harm(harm);
        let found = files.verify(&world.key).await;
        assert!(found.faults.contains(&expected), "{harm}: {found}");
    }
}

#[tokio::test]
async fn a_cut_log_and_a_rolled_back_database_are_found() {
    let world = World::sealed(35).await;
    let truncated = |place| Fault::Truncated { signed: 35, present: 20, place };
    let (_dir, files) = world.copy();
    files.harm("DELETE FROM audit_events WHERE seq > 20");
    let found = files.verify(&world.key).await;
    assert_eq!(found.faults, [truncated(Place::Table), truncated(Place::File(4))], "{found}");

    // Cut with its checkpoints: the file knows.
    files.harm("DELETE FROM audit_checkpoints WHERE size > 20");
    let found = files.verify(&world.key).await;
    assert!(found.faults.contains(&truncated(Place::File(4))), "{found}");
    assert!(found.to_string().contains("a checkpoint of 35 rows, the database has 20"), "{found}");

    // An older copy that went on with other rows: the file's roots are not its own.
    let other = World::sealed(20).await;
    let (dir, old) = other.copy();
    let kept = old.lines();
    for n in 100..120 {
        other.append(n).await;
    }
    other.sealer().seal(other.ambient.now()).await.unwrap();
    let history = other.files().lines();
    let store = Store::open(&old.database).await.unwrap();
    let rolled_back = World { dir, store, key: other.key.clone(), ..World::new().await };
    for n in 200..230 {
        rolled_back.append(n).await;
    }
    old.write_lines(&kept);
    rolled_back.sealer().seal(other.ambient.now()).await.unwrap();
    assert!(rolled_back.verify().await.is_sound(), "by itself it looks whole");
    old.write_lines(&history);
    let found = rolled_back.verify().await;
    assert!(!found.is_sound(), "a copy of the file kept elsewhere tells: {found}");
}

#[tokio::test]
async fn checkpoints_that_were_tampered_with_are_named() {
    let world = World::sealed(35).await;
    for (harm, expected) in [
        (
            "UPDATE audit_checkpoints SET root = zeroblob(32) WHERE size = 20",
            Fault::NotSigned(20, Place::Table),
        ),
        (
            "UPDATE audit_checkpoints SET at = at + 1 WHERE size = 20",
            Fault::NotSigned(20, Place::Table),
        ),
        (
            "UPDATE audit_checkpoints SET signature = x'00' WHERE size = 20",
            Fault::NotSigned(20, Place::Table),
        ),
        (
            "UPDATE audit_checkpoints SET size = 21 WHERE size = 20",
            Fault::NotSigned(21, Place::Table),
        ),
        ("DELETE FROM audit_checkpoints WHERE size = 20", Fault::NotInTable(20)),
        ("DELETE FROM audit_checkpoints WHERE size = 35", Fault::Unsigned(31, 35)),
    ] {
        let (_dir, files) = world.copy();
        files.harm(harm);
        let found = files.verify(&world.key).await;
        assert!(found.faults.contains(&expected), "{harm}: {found}");
    }
    type Edit = fn(&mut Vec<String>);
    let edits: [(Edit, Fault); 4] = [
        (|lines| drop(lines.remove(1)), Fault::NotInFile(20)),
        (|lines| lines.swap(1, 2), Fault::LineGoesBack(3)),
        (|lines| lines[1] = "garbage\n".into(), Fault::LineUnreadable(2)),
        (
            |lines| lines[1] = lines[1].replace("\"size\":20", "\"size\":21"),
            Fault::NotSigned(21, Place::File(2)),
        ),
    ];
    for (edit, expected) in edits {
        let (_dir, files) = world.copy();
        let mut lines = files.lines();
        edit(&mut lines);
        files.write_lines(&lines);
        let found = files.verify(&world.key).await;
        assert!(found.faults.contains(&expected), "{expected}: {found}");
    }
    let (_dir, files) = world.copy();
    std::fs::remove_file(&files.journal).unwrap();
    assert_eq!(files.verify(&world.key).await.faults, [Fault::FileMissing]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever is written into whatever column of whatever row, the log is not whole any more.
    #[test]
    fn no_change_of_any_cell_passes(seq in 1_u32..=35, column in 0_usize..20, text in "[a-z]{1,8}") {
        const COLUMNS: [&str; 20] = [
            "id", "at", "tenant", "actor", "actor_user", "actor_device", "parents", "action",
            "target", "outcome", "reason", "strength", "session", "request", "personal_hash", "leaf",
            "seq", "rule", "actor_role", "capability",
        ];
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let world = World::sealed(35).await;
            assert!(world.verify().await.is_sound());
            let (_dir, files) = world.copy();
            let column = COLUMNS[column];
            files.harm(&format!(
                "UPDATE audit_events SET {column} = 'forged-{text}' WHERE seq = {seq}"
            ));
            let found = files.verify(&world.key).await;
            assert!(!found.is_sound(), "{column} of row {seq}: {found}");
            // The other rows are not accused.
            let accused = |fault: &Fault| matches!(fault, Fault::RowEdited(n) if *n != u64::from(seq));
            assert!(!found.faults.iter().any(accused), "{column} of row {seq}: {found}");
        });
    }
}

#[tokio::test]
async fn an_emptied_or_shortened_file_is_found_and_an_old_copy_is_none() {
    let world = World::sealed(100).await;
    let lines = world.files().lines();
    assert!(lines.len() > 6);
    for kept in [0, lines.len() / 2] {
        let (_dir, files) = world.copy();
        files.write_lines(&lines[..kept]);
        let found = files.verify(&world.key).await;
        let lacks = found.faults.iter().any(|fault| matches!(fault, Fault::FileBehind { .. }));
        assert!(lacks, "{kept}: {found}");
        let public = world.key.public_key();
        let copy = verify(&files.database, &files.journal, Exported::Copy, &public).await.unwrap();
        assert!(copy.is_sound(), "{copy}");
    }
}
