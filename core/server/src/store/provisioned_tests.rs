use super::super::{Lane, Store};
use super::*;
use crate::failure::Failure;
use rusqlite::Connection;

/// What a server had before machines had keys.
const BEFORE: [&str; 13] = [
    include_str!("../../migrations/sqlite/0001_skeleton.sql"),
    include_str!("../../migrations/sqlite/0002_passkeys.sql"),
    include_str!("../../migrations/sqlite/0003_secrets.sql"),
    include_str!("../../migrations/sqlite/0004_ages.sql"),
    include_str!("../../migrations/sqlite/0005_recovery.sql"),
    include_str!("../../migrations/sqlite/0006_notices.sql"),
    include_str!("../../migrations/sqlite/0007_freeze_links.sql"),
    include_str!("../../migrations/sqlite/0008_links.sql"),
    include_str!("../../migrations/sqlite/0009_passkey_recovery.sql"),
    include_str!("../../migrations/sqlite/0010_waits.sql"),
    include_str!("../../migrations/sqlite/0011_guardians.sql"),
    include_str!("../../migrations/sqlite/0012_readiness.sql"),
    include_str!("../../migrations/sqlite/0013_channels.sql"),
];
const THIS: &str = include_str!("../../migrations/sqlite/0022_provisioned.sql");

const ROWS: &str = "
    INSERT INTO tenants VALUES ('home', 1);
    INSERT INTO users (tenant, name, role, webauthn_handle, created_at)
        VALUES ('home', 'bert', 'member', x'01', 1);
    INSERT INTO enrollments VALUES
        ('e1', 'home', 'bert', 'laptop', 'blue', 't1', x'02', 'active', NULL, 1, 2, 3),
        ('e2', 'home', 'bert', 'phone', NULL, 't2', x'03', 'revoked', 5, 1, 2, 3);
    INSERT INTO certificates VALUES ('c1', 'e1', x'04', 1, 9, NULL);
    INSERT INTO sessions (id, tenant, enrollment, strength, auth_time, expires_at)
        VALUES ('s1', 'home', 'e1', 'cert-only', 1, 9);
    INSERT INTO grants VALUES ('g1', 'e2', 9, NULL);";

fn text(database: &Connection, sql: &str) -> String {
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn people_keep_their_devices_when_machines_come() {
    let mut database = Connection::open_in_memory().unwrap();
    database.pragma_update(None, "foreign_keys", "ON").unwrap();
    for migration in BEFORE {
        database.execute_batch(migration).unwrap();
    }
    database.execute_batch(ROWS).unwrap();
    let all = "SELECT group_concat(id || ifnull(label, '') || thumbprint || hex(spki) || state ||
               ifnull(state_changed_at, '') || enrolled_at || last_seen_at || not_after)
               FROM enrollments WHERE tenant = 'home' AND user_name = 'bert'";
    let before = text(&database, all);
    let transaction = database.transaction().unwrap();
    transaction.execute_batch(THIS).unwrap();
    transaction.commit().unwrap();
    assert_eq!(text(&database, all), before);
    let loose: i64 = database
        .query_row("SELECT COUNT(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(loose, 0);
    // What refers to a device still does, and a person's device still has one key and a person.
    for wrong in [
        "INSERT INTO sessions (id, tenant, enrollment, strength, auth_time, expires_at)
             VALUES ('s2', 'home', 'nobody', 'cert-only', 1, 9)",
        "DELETE FROM enrollments WHERE id = 'e1'",
        "INSERT INTO enrollments VALUES
             ('e3', 'home', 'bert', 'laptop', NULL, 't3', x'05', 'active', NULL, 1, 2, 3)",
        "INSERT INTO enrollments VALUES
             ('e3', 'home', 'anna', 'laptop', NULL, 't3', x'05', 'active', NULL, 1, 2, 3)",
        "INSERT INTO enrollments VALUES
             ('e3', 'home', NULL, 'laptop', NULL, 't1', x'05', 'active', NULL, 1, 2, 3)",
    ] {
        assert!(database.execute_batch(wrong).is_err(), "{wrong}");
    }
}

fn machine() -> Machine {
    Machine {
        tenant: TenantName::parse("home").unwrap(),
        name: DeviceName::parse("laptop").unwrap(),
        role: MachineRole::parse("server").unwrap(),
        state: DeviceState::Active,
        created_at: Timestamp::from_seconds(1),
    }
}

fn key(n: u8, file_hash: Option<[u8; 32]>) -> Key {
    Key {
        id: EnrollmentId::from_bits([n; 16]),
        machine: machine(),
        thumbprint: format!("t{n}"),
        spki: vec![n],
        state: DeviceState::Active,
        enrolled_at: Timestamp::from_seconds(1),
        last_seen_at: Timestamp::from_seconds(1),
        provisioned_by: SpiffeId::parse("spiffe://td/tenant/home/user/ana/device/x1").unwrap(),
        approved_by: None,
        file_hash,
        expires_at: file_hash.map(|_| Timestamp::from_seconds(9)),
        claimed_at: None,
    }
}

#[tokio::test]
async fn a_key_that_was_handed_out_is_claimed_once_and_one_of_its_own_never() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("landfall.db")).await.unwrap();
    let work = async |tx: &mut Tx<'_>| {
        let now = Timestamp::from_seconds(2);
        super::super::users::ensure_tenant(tx, &machine().tenant, now).await?;
        insert_machine(tx, &machine()).await?;
        let (handed, own, late) = (key(1, Some([7; 32])), key(2, None), key(3, None));
        for key in [&handed, &own, &late] {
            insert_key(tx, key).await?;
        }
        let swaps = [
            claim(tx, &handed.id, &own.id, now).await?,
            claim(tx, &handed.id, &late.id, now).await?,
            claim(tx, &own.id, &late.id, now).await?,
        ];
        let read = by_thumbprint(tx, "t1").await?.map(|key| (key.claimed_at, key.file_hash));
        // People's devices are looked for by people's names: a machine is none of them.
        let person = super::super::enrollments::by_thumbprint(tx, "t1").await?;
        Ok::<_, Failure>((swaps, read, person.is_none()))
    };
    let silent = async |_: &mut Tx<'_>, _: &Result<_, Failure>| Ok(());
    let (swaps, read, none) = store.write(Lane::Known, work, silent).await.unwrap();
    assert_eq!(swaps, [true, false, false]);
    assert_eq!(read, Some((Some(Timestamp::from_seconds(2)), Some([7; 32]))));
    assert!(none);
}
