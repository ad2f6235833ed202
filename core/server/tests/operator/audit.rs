//! Erasing what is personal in the audit, and the clock's confirmation, beside a running server.

use crate::binary::on;
use crate::support::host;
use landfall_protocol::paths;
use std::path::Path;

/// How often a text is found in the files of a directory.
fn found(root: &Path, needle: &str) -> usize {
    let entries = root.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let count = |path| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(needle.len()).filter(|window| *window == needle.as_bytes()).count()
    };
    entries.map(count).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_personal_is_erased_for_good_and_the_log_still_verifies() {
    let host = host().await;
    let root = host.directory.path().join("data");
    let ada = host.claim().await;
    let mut session = host.sign_in(&ada).await;
    let agent = "planted-agent-51b7";
    for _ in 0..300 {
        let answer = session.send("GET", paths::ME, &[("User-Agent", agent)], b"").await;
        assert_eq!(answer.status, 200);
    }
    assert!(found(&root, agent) >= 300, "the search finds what is there");

    let unknown = on(&root, &["audit", "erase", "--user", "adda"]);
    assert!(!unknown.ok && unknown.err.contains("there is no user adda"), "{unknown:?}");
    // The server runs meanwhile, and goes on afterwards.
    let erased = on(&root, &["audit", "erase", "--user", "ada"]);
    assert!(erased.ok, "{erased:?}");
    let rows: u64 = erased.out.split(' ').find_map(|word| word.parse().ok()).unwrap();
    assert!(rows >= 302, "claim, session and 300 readings: {}", erased.out);
    assert_eq!(found(&root, agent), 0, "not in the database, nor in its log");

    let after = "planted-after-51b7";
    let answer = session.send("GET", paths::ME, &[("User-Agent", after)], b"").await;
    assert_eq!(answer.status, 200);
    host.running.shutdown().await;
    let verified = on(&root, &["audit", "verify"]);
    assert!(verified.ok && verified.out.contains("The log is whole."), "{verified:?}");
    assert!(verified.out.contains(&format!("(personal fields erased: {rows})")), "{verified:?}");
    assert!(found(&root, after) > 0, "what came later is kept as before");
    let again = on(&root, &["audit", "erase", "--user", "ada"]);
    assert!(again.ok && again.out.contains(" of 1 audit rows "), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_is_confirmed_beside_the_server_and_on_record() {
    let host = host().await;
    let root = host.directory.path().join("data");
    let confirmed = on(&root, &["clock", "confirm"]);
    assert!(confirmed.ok && confirmed.out.contains("Nothing had to wait"), "{confirmed:?}");
    host.running.shutdown().await;
    let database =
        rusqlite::Connection::open(landfall_server::directory::database_in(&root)).unwrap();
    let sql =
        "SELECT COUNT(*) FROM audit_events WHERE action = 'clock-confirmed' AND actor = 'server'";
    let rows: i64 = database.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_name_of_a_file_says_nothing_about_the_log() {
    let host = host().await;
    let root = host.directory.path().join("data");
    host.claim().await;
    host.running.shutdown().await;
    let nowhere = root.join("no-such-file");
    let said = on(&root, &["audit", "verify", "--checkpoints", nowhere.to_str().unwrap()]);
    assert!(!said.ok && said.out.is_empty(), "{said:?}");
    for words in ["no-such-file cannot be read", "No such file", "Nothing was verified"] {
        assert!(said.err.contains(words), "{said:?}");
    }
    assert!(!said.err.contains("not as it was signed"), "{said:?}");
}
