//! The master key under a passphrase, and the root key offline.

use crate::binary::{Serving, on, run};
use crate::support::host_with;
use landfall_crypto::ca::RootAuthority;
use landfall_crypto::{Ambient, SecretText, passphrase};
use landfall_protocol::paths;
use landfall_server::{Config, Server};
use std::path::Path;

/// A server whose master key rests under the passphrase in this file.
fn sealed(root: &Path, file: &Path) -> Result<Serving, String> {
    Serving::start(root, |command| {
        command.env("LANDFALL_MASTER_KEY_PASSPHRASE_FILE", file);
    })
}

/// Every file that holds this text.
fn holding(root: &Path, needle: &[u8]) -> Vec<String> {
    let entries = root.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let holds = |path: &std::path::PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle)
    };
    entries.filter(holds).map(|path| path.display().to_string()).collect()
}

#[test]
fn under_a_passphrase_the_server_starts_with_the_right_one_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (root, file) = (folder.path().join("data"), folder.path().join("passphrase"));
    std::fs::write(&file, "correct horse\nand a second line that is not read\n").unwrap();
    let first = sealed(&root, &file).unwrap();
    let fingerprint = first.ready["ca_fingerprint"].clone();
    first.stop();
    assert!(!root.join("master.key").exists(), "the open key was never written");
    let key = std::fs::read(root.join("master.key.age")).unwrap();
    let key = passphrase::open(&key, &SecretText::new("correct horse".into())).unwrap();
    assert_eq!(holding(&root, key.expose()), [""; 0]);
    assert_eq!(holding(&root, b"correct horse"), [""; 0]);

    let again = sealed(&root, &file).unwrap();
    assert_eq!(again.ready["ca_fingerprint"], fingerprint, "the same keys");
    again.stop();

    std::fs::write(&file, "battery staple\n").unwrap();
    let wrong = sealed(&root, &file).err().unwrap();
    assert!(wrong.contains("master.key.age does not open with the passphrase"), "{wrong}");
    assert!(!wrong.contains("battery"), "{wrong}");
    std::fs::write(&file, "\ncorrect horse\n").unwrap();
    let empty = sealed(&root, &file).err().unwrap();
    assert!(empty.contains("has nothing on its first line"), "{empty}");
    std::fs::remove_file(&file).unwrap();
    let gone = sealed(&root, &file).err().unwrap();
    assert!(gone.contains("master_key_passphrase_file") && gone.contains("passphrase"), "{gone}");
    let absent = Serving::start(&root, |_| {}).err().unwrap();
    assert!(absent.contains("set master_key_passphrase_file"), "{absent}");
    let beside = on(&root, &["claim-token"]);
    assert!(!beside.ok && beside.err.contains("set master_key_passphrase_file"), "{beside:?}");
    // None of the failures wrote a key, or spoilt the right one.
    assert!(!root.join("master.key").exists());
    std::fs::write(&file, "correct horse\n").unwrap();
    assert_eq!(sealed(&root, &file).unwrap().ready["ca_fingerprint"], fingerprint);
}

#[test]
fn a_key_that_lies_open_is_not_taken_for_a_sealed_one() {
    let folder = tempfile::tempdir().unwrap();
    let (root, file) = (folder.path().join("data"), folder.path().join("passphrase"));
    std::fs::write(&file, "correct horse\n").unwrap();
    let first = Serving::start(&root, |_| {}).unwrap();
    let fingerprint = first.ready["ca_fingerprint"].clone();
    first.stop();
    let refused = sealed(&root, &file).err().unwrap();
    assert!(refused.contains("age --passphrase --output"), "{refused}");
    assert!(!root.join("master.key.age").exists());
    // What the text says to do: seal it with the age tool, whose format ours is, and remove it.
    let open = std::fs::read(root.join("master.key")).unwrap();
    let phrase = SecretText::new("correct horse".into());
    let age = passphrase::seal(&open, &phrase).unwrap();
    std::fs::write(root.join("master.key.age"), age).unwrap();
    let refused = sealed(&root, &file).err().unwrap();
    assert!(refused.contains("remove"), "both are there: {refused}");
    std::fs::remove_file(root.join("master.key")).unwrap();
    assert_eq!(sealed(&root, &file).unwrap().ready["ca_fingerprint"], fingerprint);
}

#[test]
fn no_key_is_made_anew_over_a_database_that_needs_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    Serving::start(&root, |_| {}).unwrap().stop();
    for name in ["master.key", "audit.key"] {
        let kept = folder.path().join("kept");
        std::fs::rename(root.join(name), &kept).unwrap();
        let refused = Serving::start(&root, |_| {}).err().unwrap();
        assert!(refused.contains(name) && refused.contains("from your backup"), "{refused}");
        assert!(!root.join(name).exists());
        std::fs::rename(&kept, root.join(name)).unwrap();
    }
    Serving::start(&root, |_| {}).unwrap();
}

#[test]
fn a_passphrase_is_never_taken_from_the_command_line_or_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    let said = on(&root, &["serve", "--master-key-passphrase", "hunter2"]);
    assert!(!said.ok && said.err.contains("unexpected argument"), "{said:?}");
    let mut command = crate::binary::command();
    command.args(["config", "check", "--data-dir"]).arg(&root);
    let said = run(command.env("LANDFALL_MASTER_KEY_PASSPHRASE", "hunter2"));
    assert!(!said.ok && !said.err.contains("hunter2"), "{said:?}");
    assert!(said.err.contains("is master_key_passphrase_file meant?"), "{said:?}");
}

/// The root key in its age file, with its certificate.
fn opens_to_the_root(root: &Path, certificate: &[u8]) {
    let phrase = std::fs::read_to_string(root.join("root-key-passphrase.txt")).unwrap();
    let sealed = std::fs::read(root.join("root-key.age")).unwrap();
    let key = passphrase::open(&sealed, &SecretText::new(phrase)).unwrap();
    RootAuthority::from_parts(key.expose(), certificate).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_root_offline_the_server_starts_issues_and_renews() {
    let host = host_with(|config| config.keep_root_key = false).await;
    let root = host.directory.path().join("data");
    let export = host.running.root_export.clone().unwrap();
    assert_eq!(export.file, root.join("root-key.age"));
    let ca = pem::parse(&host.running.trust_bundle_pem).unwrap();
    opens_to_the_root(&root, ca.contents());
    // Both are carried away; what stays does all the work of every day.
    std::fs::remove_file(&export.file).unwrap();
    std::fs::remove_file(&export.passphrase).unwrap();
    let ada = host.claim().await;
    host.sign_in(&ada).await;
    let ambient = Ambient { clock: host.clock.clone(), ..Ambient::system() };
    host.running.shutdown().await;
    let mut config = Config::local(&root);
    config.keep_root_key = false;
    let running = Server::start(config, ambient).await.unwrap();
    assert_eq!(running.root_export, None, "it is written once");
    assert!(!export.file.exists() && !export.passphrase.exists());
    let host = crate::support::Host { running, clock: host.clock, directory: host.directory };
    let mut ada = host.sign_in(&ada).await;
    assert_eq!(ada.get(paths::ME).await.status, 200);
    assert_eq!(ada.get(paths::CRL).await.status, 200);
    host.running.shutdown().await;
}

#[test]
fn a_root_that_cannot_be_written_down_is_not_given_away() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    assert!(on(&root, &["migrate"]).ok);
    // Where the age file belongs stands something else.
    std::fs::create_dir(root.join("root-key.age")).unwrap();
    std::fs::write(root.join("root-key.age/in-the-way"), "").unwrap();
    let offline = |command: &mut std::process::Command| {
        command.env("LANDFALL_KEEP_ROOT_KEY", "false");
    };
    let refused = Serving::start(&root, offline).err().unwrap();
    assert!(refused.contains("root-key.age cannot be used"), "{refused}");
    let keys: i64 = rusqlite::Connection::open(landfall_server::directory::database_in(&root))
        .unwrap()
        .query_row("SELECT COUNT(*) FROM sealed_keys", [], |row| row.get(0))
        .unwrap();
    assert_eq!(keys, 0, "no server rests on a root that nobody has");
    std::fs::remove_dir_all(root.join("root-key.age")).unwrap();
    Serving::start(&root, offline).unwrap();
    assert!(root.join("root-key.age").is_file());
}

#[test]
fn a_root_that_was_kept_leaves_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    let kept = Serving::start(&root, |_| {}).unwrap();
    let fingerprint = kept.ready["ca_fingerprint"].clone();
    kept.stop();
    assert!(!root.join("root-key.age").exists());
    // A command beside the server does not move it, whatever the configuration says.
    let mut command = crate::binary::command();
    command.args(["claim-token", "--data-dir"]).arg(&root);
    assert!(run(command.env("LANDFALL_KEEP_ROOT_KEY", "false")).ok);
    assert!(!root.join("root-key.age").exists());

    let offline = |command: &mut std::process::Command| {
        command.env("LANDFALL_KEEP_ROOT_KEY", "false");
    };
    let server = Serving::start(&root, offline).unwrap();
    assert_eq!(server.ready["ca_fingerprint"], fingerprint);
    let log = server.stop();
    assert!(log.contains("root-key.age") && log.contains("move both away"), "{log}");
    let sealed: (Vec<u8>, Vec<u8>) =
        rusqlite::Connection::open(landfall_server::directory::database_in(&root))
            .unwrap()
            .query_row(
                "SELECT sealed, certificate FROM sealed_keys WHERE name = 'root'",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
    assert!(sealed.0.len() < 100, "no key is in there any more: {} bytes", sealed.0.len());
    opens_to_the_root(&root, &sealed.1);
    // Nor is there a way back by the switch; and the next start writes nothing.
    std::fs::remove_file(root.join("root-key.age")).unwrap();
    for configure in [offline, |_: &mut std::process::Command| {}] {
        assert_eq!(Serving::start(&root, configure).unwrap().ready["ca_fingerprint"], fingerprint);
        assert!(!root.join("root-key.age").exists());
    }
}
