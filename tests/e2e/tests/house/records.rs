//! Secrets that follow their user, and the record of everything that was done.

use landfall_crypto::SecretBytes;
use landfall_identity::secret::SecretName;
use landfall_protocol::{ErrorCode, paths};
use landfall_server::audit::journal::JOURNAL_FILE;
use landfall_server::audit::report::{Fault, Verification};
use landfall_server::audit::verify::{Exported, verify};
use landfall_server::directory::database_in;
use landfall_server::keys::{AUDIT_PUBLIC, audit_public_key};
use landfall_test_support::{Person, Raw, World};
use reqwest::Method;
use serde_json::json;
use std::path::Path;

fn name(text: &str) -> SecretName {
    SecretName::parse(text).unwrap()
}

fn value(bytes: &[u8]) -> SecretBytes {
    SecretBytes::new(bytes.to_vec())
}

async fn verified(world: &World) -> Verification {
    let root = world.data_dir();
    let key = audit_public_key(&root.join(AUDIT_PUBLIC)).unwrap();
    verify(&database_in(&root), &root.join(JOURNAL_FILE), Exported::Own, &key).await.unwrap()
}

/// `action outcome reason target` of a person's own rows, oldest first, without sessions and doors.
async fn record_of_secrets(person: &Person) -> Vec<String> {
    let rows = person.client().audit(&landfall_client::AuditFilter::default()).await.unwrap();
    let secret = rows.items.iter().filter(|row| row.target.starts_with("secret "));
    let mut told: Vec<String> = secret
        .map(|row| {
            let reason = row.reason.as_deref().unwrap_or_default();
            format!("{} {} {reason} {}", row.action, row.outcome, row.target)
        })
        .collect();
    told.sort();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_follow_the_user_and_every_touch_is_on_record() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let secret = name("db/main.password");
    bert.client().set_secret(&secret, &value(b"one")).await.unwrap();
    let second = bert.client().set_secret(&secret, &value(b"two")).await.unwrap();
    assert_eq!((second.version, second.versions), (2, 2));

    let read = bert.client().get_secret(&secret, None).await.unwrap();
    assert_eq!(read.value.expose(), b"two");
    let read = bert.client().get_secret(&secret, Some(1)).await.unwrap();
    assert_eq!(read.value.expose(), b"one");
    let refused = ana.client().get_secret(&secret, None).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::NotFound, "an administrator reads nobody's secrets");

    // One version, and all of them, take a person, whichever way they are asked for.
    let raw = Raw::of(&bert.machine).unwrap();
    let token = raw.session().await.unwrap().token;
    let path = |version| paths::fill(paths::SECRET_VERSION, &[secret.as_str(), version]);
    for path in [path("1"), path("2"), paths::fill(paths::SECRET, &[secret.as_str()])] {
        let refused = raw.send(Method::DELETE, &path, Some(&token), None).await.unwrap();
        assert_eq!(refused.code(), ErrorCode::StepUpRequired, "{path}");
    }
    bert.step_up().await.unwrap();
    bert.client().delete_secret_version(&secret, 1).await.unwrap();
    bert.client().delete_secret(&secret).await.unwrap();
    let refused = bert.client().get_secret(&secret, None).await.err().unwrap();
    assert_eq!(refused.code(), ErrorCode::NotFound);

    assert_eq!(
        record_of_secrets(&bert).await,
        [
            "delete-secret allow  secret db/main.password",
            "delete-secret deny step-up-required secret db/main.password",
            "delete-secret-version allow  secret db/main.password version 1",
            "delete-secret-version deny step-up-required secret db/main.password version 1",
            "delete-secret-version deny step-up-required secret db/main.password version 2",
            "read-secret allow  secret db/main.password",
            "read-secret allow  secret db/main.password version 1",
            "read-secret deny not-found secret db/main.password",
            "write-secret allow  secret db/main.password",
            "write-secret allow  secret db/main.password",
        ]
    );
    assert_eq!(
        record_of_secrets(&ana).await,
        ["read-secret deny not-found secret db/main.password"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_is_sealed_while_the_server_runs_and_an_edit_is_found() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    for n in 0..20 {
        ana.client().set_secret(&name("counter"), &value(&[n])).await.unwrap();
    }
    let running = verified(&world).await;
    assert!(running.is_sound(), "{running}");

    world.restart().await.unwrap();
    let stopped = verified(&world).await;
    assert!(stopped.is_sound(), "{stopped}");
    assert!(stopped.sealed >= 20 && stopped.exported == stopped.checkpoints, "{stopped}");

    let database = rusqlite::Connection::open(database_in(&world.data_dir())).unwrap();
    let edited = "UPDATE audit_events SET target = 'secret other' WHERE seq = 7";
    assert_eq!(database.execute(edited, []).unwrap(), 1);
    let found = verified(&world).await;
    assert_eq!(found.faults, [Fault::RowEdited(7)], "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_value_is_nowhere_on_the_servers_disk() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let planted = "planted-7c2e19-value-that-nobody-may-find";
    let encoded = data_encoding::BASE64.encode(planted.as_bytes());
    ana.client().set_secret(&name("planted"), &value(planted.as_bytes())).await.unwrap();
    ana.client().get_secret(&name("planted"), None).await.unwrap();
    // In every place where a value does not belong, too.
    let raw = Raw::of(&ana.machine).unwrap();
    let token = raw.session().await.unwrap().token;
    for body in [
        json!({ "name": "planted", "value_base64": planted }),
        json!({ "name": planted.repeat(9), "value_base64": encoded }),
        json!({ "name": "planted", "value_base64": encoded, planted: encoded }),
        json!({ "name": "planted", "value_base64": [planted] }),
    ] {
        let answer =
            raw.send(Method::POST, paths::SECRETS, Some(&token), Some(&body)).await.unwrap();
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    let mut files = Vec::new();
    read_all(&world.data_dir(), &mut files);
    assert!(files.len() > 4, "database, log of the database, keys, checkpoints");
    for (path, bytes) in &files {
        for shape in [planted, &encoded] {
            let found = bytes.windows(shape.len()).any(|window| window == shape.as_bytes());
            assert!(!found, "{path} holds the value");
        }
    }
    let named = |(_, bytes): &(String, Vec<u8>)| bytes.windows(14).any(|w| w == b"secret planted");
    assert!(files.iter().any(named), "the search finds what may be there");
}

fn read_all(folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, files);
        } else {
            files.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}
