//! What an operator is told when something stands in the way: each time with what to do.

use crate::binary::{Serving, command, on};
use crate::support::host;
use std::path::Path;
use std::process::Stdio;

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is missing: {text}");
    }
}

/// Copies a directory of files.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(to, mode).unwrap();
    for entry in from.read_dir().unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_damaged_database_is_called_damaged_with_the_way_back() {
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("sound");
    Serving::start(&sound, |_| {}).unwrap().stop();
    let database = std::fs::read(sound.join("landfall.db")).unwrap();
    let no_database = b"hello".to_vec();
    // The first page still says what it is; the others are gone.
    let torn = [&database[..4096], &vec![0xa5; database.len() - 4096]].concat();
    for (name, bytes) in [("other", no_database), ("torn", torn)] {
        let root = folder.path().join(name);
        copy(&sound, &root);
        std::fs::write(root.join("landfall.db"), bytes).unwrap();
        let words = [
            "the database is damaged",
            "Stop the server, and keep a copy",
            "landfall.db-wal",
            "from your backup",
            "audit-checkpoints.jsonl",
        ];
        says(&Serving::start(&root, |_| {}).err().unwrap(), &words);
        let said = on(&root, &["migrate"]);
        assert!(!said.ok, "{said:?}");
        says(&said.err, &words);
    }
}

#[test]
fn the_public_audit_key_is_missed_by_name_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    Serving::start(&root, |_| {}).unwrap().stop();
    let key = root.join("audit.pub");
    let before = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let said = on(&root, &["audit", "verify"]);
    assert!(!said.ok && said.out.is_empty(), "{said:?}");
    says(&said.err, &["audit.pub is not there", "nothing was verified", "--key FILE", "backup"]);
    let said = on(&root, &["audit", "verify", "--key", "/nowhere/audit.pub"]);
    says(&said.err, &["--key /nowhere/audit.pub cannot be read", "Nothing was verified"]);

    Serving::start(&root, |_| {}).unwrap().stop();
    assert_eq!(std::fs::read(&key).unwrap(), before, "it belongs to the private one");
    assert!(on(&root, &["audit", "verify"]).ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_to_claim_a_claimed_server_hears_who_can_let_them_in() {
    let host = host().await;
    let root = host.directory.path().join("data");
    host.claim().await;
    let said = on(&root, &["claim-token"]);
    assert!(!said.ok, "{said:?}");
    says(
        &said.err,
        &["has an administrator already: ada.", "landfall admin invite", "break-glass"],
    );
    host.running.shutdown().await;
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_standard_output_is_called_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    Serving::start(&root, |_| {}).unwrap().stop();
    for words in [&["claim-token"][..], &["config", "check"], &["serve", "--listen", "127.0.0.1:0"]]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = command();
        command.args(words).arg("--data-dir").arg(&root).stdout(full).stderr(Stdio::piped());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        says(&said, &["standard output does not take", "No space left on device", "again"]);
    }
}
