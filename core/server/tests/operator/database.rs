//! The database: who may read it, and bringing it up to this build.

use crate::binary::{Serving, on};
use crate::support::host;
use landfall_server::directory::database_in;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Every file of a directory that anybody but its owner has a right to.
fn open_files(root: &Path) -> Vec<String> {
    let entries = root.read_dir().unwrap().map(Result::unwrap);
    let open = entries.filter(|entry| entry.metadata().unwrap().mode() & 0o077 != 0);
    open.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn names(root: &Path) -> Vec<String> {
    let entries = root.read_dir().unwrap().map(Result::unwrap);
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_in_the_data_directory_is_its_owners_alone() {
    let host = host().await;
    let root = host.directory.path().join("data");
    let ada = host.claim().await;
    host.sign_in(&ada).await;
    assert_eq!(root.metadata().unwrap().mode() & 0o777, 0o700);
    let there = names(&root);
    for name in [
        "audit-checkpoints.jsonl",
        "audit.key",
        "landfall.db",
        "landfall.db-shm",
        "landfall.db-wal",
        "lock",
        "master.key",
    ] {
        assert!(there.iter().any(|other| other == name), "{name} is not among {there:?}");
    }
    assert_eq!(open_files(&root), [""; 0]);
    host.running.shutdown().await;
    assert_eq!(open_files(&root), [""; 0]);
}

#[test]
fn what_an_older_version_or_a_copy_left_open_is_closed_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    Serving::start(&root, |_| {}).unwrap().stop();
    let keys = ["master.key", "audit.key"];
    for name in names(&root).iter().filter(|name| !keys.contains(&name.as_str())) {
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(root.join(name), open).unwrap();
    }
    assert!(!open_files(&root).is_empty());
    let server = Serving::start(&root, |_| {}).unwrap();
    assert_eq!(open_files(&root), [""; 0]);
    let log = server.stop();
    assert!(log.contains("landfall.db") && log.contains("other users could read"), "{log}");
}

#[test]
fn a_key_that_others_can_read_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    Serving::start(&root, |_| {}).unwrap().stop();
    let set = |name: &str, mode: u32| {
        let path = root.join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for name in ["master.key", "audit.key"] {
        set(name, 0o644);
        let help = format!("chmod 600 {}", root.join(name).display());
        for words in [&["config", "check"][..], &["serve"], &["clock", "confirm"]] {
            let said = on(&root, words);
            assert!(!said.ok && said.err.contains(&help), "{words:?}: {said:?}");
        }
        assert_eq!(open_files(&root), [name], "it is not closed in silence");
        set(name, 0o600);
        let said = on(&root, &["config", "check"]);
        assert!(said.ok, "{said:?}");
    }
    Serving::start(&root, |_| {}).unwrap().stop();
}

#[test]
fn migrate_makes_what_is_missing_and_serve_goes_on_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    for _ in ["fresh", "current"] {
        let said = on(&root, &["migrate"]);
        assert!(said.ok, "{said:?}");
        assert_eq!(said.out, format!("The database in {} is up to date.\n", root.display()));
    }
    assert_eq!(open_files(&root), [""; 0]);
    // Tables are there and no keys: commands beside a server say so, and the first start makes them.
    let said = on(&root, &["claim-token"]);
    assert!(!said.ok && said.err.contains("landfall-server serve"), "{said:?}");
    let server = Serving::start(&root, |_| {}).unwrap();
    let busy = on(&root, &["migrate"]);
    assert!(!busy.ok && busy.err.contains("another landfall-server is using"), "{busy:?}");
    server.stop();
    assert!(on(&root, &["migrate"]).ok);
}

#[test]
fn a_database_that_is_not_there_any_more_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    Serving::start(&root, |_| {}).unwrap().stop();
    let journal = root.join("audit-checkpoints.jsonl");
    assert!(journal.metadata().unwrap().len() > 0, "the first start is on record");
    for name in names(&root).iter().filter(|name| name.starts_with("landfall.db")) {
        std::fs::remove_file(root.join(name)).unwrap();
    }
    // Whoever comes first would be its administrator.
    let refused = Serving::start(&root, |_| {}).err().unwrap();
    assert!(refused.contains("missing or empty") && refused.contains("restore"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_tenant_is_refused() {
    let host = host().await;
    let root = host.directory.path().join("data");
    let ada = host.claim().await;
    host.sign_in(&ada).await;
    host.running.shutdown().await;
    let refused = Serving::start(&root, |command| {
        command.env("LANDFALL_TENANT", "other");
    });
    let refused = refused.err().unwrap();
    assert!(refused.contains("is of the tenant"), "{refused}");
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    assert!(on(&root, &["migrate"]).ok);
    let database = rusqlite::Connection::open(database_in(&root)).unwrap();
    let newer = "INSERT INTO _sqlx_migrations
        (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'', 0)";
    assert_eq!(database.execute(newer, []).unwrap(), 1);
    let tables = |database: &rusqlite::Connection| -> Vec<String> {
        let mut statement = database.prepare("SELECT sql FROM sqlite_master ORDER BY 1").unwrap();
        let rows = statement.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
        rows.map(|row| row.unwrap().unwrap_or_default()).collect()
    };
    let before = tables(&database);
    let said = on(&root, &["migrate"]);
    assert!(!said.ok, "{said:?}");
    for words in ["a newer landfall-server", "9999", "install that version", "Nothing was changed"]
    {
        assert!(said.err.contains(words), "{}", said.err);
    }
    let refused = Serving::start(&root, |_| {}).err().unwrap();
    assert!(refused.contains("a newer landfall-server"), "{refused}");
    assert_eq!(tables(&database), before);
}

#[test]
fn a_database_of_an_older_version_is_not_called_broken() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    drop(Serving::start(&root, |_| {}).unwrap());
    // As it was before the build that notes which rule decided.
    let database = rusqlite::Connection::open(database_in(&root)).unwrap();
    database.execute_batch("ALTER TABLE audit_events DROP COLUMN rule").unwrap();
    database.execute("DELETE FROM _sqlx_migrations WHERE version >= 24", []).unwrap();
    for words in [&["audit", "verify"][..], &["outbox"]] {
        let said = on(&root, words);
        assert!(!said.ok, "{said:?}");
        for words in ["an older landfall-server wrote it", "landfall-server migrate"] {
            assert!(said.err.contains(words), "{}", said.err);
        }
        assert!(!said.err.contains("no such column"), "{}", said.err);
    }
    let columns = "SELECT COUNT(*) FROM pragma_table_info('audit_events') WHERE name = 'rule'";
    let there: i64 = database.query_row(columns, [], |row| row.get(0)).unwrap();
    assert_eq!(there, 0, "whoever only looks changes nothing");
}

#[test]
fn what_is_no_servers_directory_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    for words in [&["claim-token"][..], &["audit", "verify"], &["outbox"], &["policy", "clear"]] {
        let said = on(&empty, words);
        assert!(!said.ok && said.err.contains("there is no server's data in"), "{said:?}");
        assert!(said.err.contains("landfall-server serve --data-dir"), "{said:?}");
    }
    assert_eq!(names(&empty), [""; 0], "looking leaves no traces");

    let file = folder.path().join("file");
    std::fs::write(&file, "somebody's").unwrap();
    for words in [&["serve", "--listen", "127.0.0.1:0"][..], &["claim-token"], &["config", "check"]]
    {
        let said = on(&file, words);
        assert!(!said.ok && said.err.contains("is a file and no directory"), "{said:?}");
        assert!(!said.err.contains("chmod"), "{said:?}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"somebody's");
}
