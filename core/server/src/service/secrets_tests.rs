use super::*;
use crate::service::house_tests::{Guest, House};
use landfall_identity::Action;
use landfall_identity::AuthStrength::{CertHuman, CertOnly};
use landfall_identity::caller::Role;
use std::io;
use std::sync::{Arc, Mutex};

fn name(text: &str) -> SecretName {
    SecretName::parse(text).unwrap()
}

fn page_of(limit: u32, after: Option<String>) -> PageQuery {
    PageQuery { limit: Some(limit), after }
}

impl House {
    async fn set(&self, guest: &Guest, secret: &str, value: &[u8]) -> Result<SecretInfo, Failure> {
        let request = self.ask(guest, CertOnly, Action::WriteSecret).await;
        let body = SecretSetRequest { name: name(secret), value_base64: BASE64.encode(value) };
        self.service.set_secret(request, body).await
    }

    async fn get(&self, guest: &Guest, secret: &str) -> Result<Vec<u8>, Failure> {
        let request = self.ask(guest, CertOnly, Action::ReadSecret).await;
        let value = self.service.get_secret(request, name(secret)).await?;
        Ok(BASE64.decode(value.value_base64.as_bytes()).unwrap())
    }

    async fn delete(
        &self,
        guest: &Guest,
        strength: landfall_identity::AuthStrength,
        secret: &str,
        version: Option<u64>,
    ) -> Result<(), Failure> {
        match version {
            Some(version) => {
                let request = self.ask(guest, strength, Action::DeleteSecretVersion).await;
                self.service.delete_secret_version(request, name(secret), version).await
            }
            None => {
                let request = self.ask(guest, strength, Action::DeleteSecret).await;
                self.service.delete_secret(request, name(secret)).await
            }
        }
    }
}

fn refused<T>(result: Result<T, Failure>) -> Refusal {
    match result {
        Err(Failure::Refused(refusal)) => refusal,
        Err(other) => panic!("failed otherwise: {other}"),
        Ok(_) => panic!("was done"),
    }
}

fn invalid<T>(result: Result<T, Failure>) -> &'static str {
    match result {
        Err(Failure::Invalid { field, .. }) => field,
        Err(other) => panic!("failed otherwise: {other}"),
        Ok(_) => panic!("was done"),
    }
}

#[tokio::test]
async fn secrets_hang_on_the_user_and_not_on_the_device() {
    let house = House::new().await;
    let laptop = house.guest("bert", "laptop", Role::Member).await;
    let phone = house.guest("bert", "phone", Role::Member).await;
    let other = house.guest("anna", "laptop", Role::Admin).await;
    let first = house.set(&laptop, "db/password", b"one").await.unwrap();
    assert_eq!((first.version, first.versions), (1, 1));
    let second = house.set(&phone, "db/password", b"two").await.unwrap();
    assert_eq!((second.version, second.versions), (2, 2));
    assert_eq!(second.updated_by.as_str(), "phone");

    assert_eq!(house.get(&laptop, "db/password").await.unwrap(), b"two");
    let request = house.ask(&laptop, CertOnly, Action::ReadSecret).await;
    let old = house.service.get_secret_version(request, name("db/password"), 1).await.unwrap();
    assert_eq!(old.value_base64, BASE64.encode(b"one"));

    // An administrator, too, sees nothing: not even that it exists.
    assert_eq!(refused(house.get(&other, "db/password").await), Refusal::NotFound);
    assert_eq!(
        refused(house.delete(&other, CertHuman, "db/password", None).await),
        Refusal::NotFound
    );
    let request = house.ask(&other, CertOnly, Action::ListSecrets).await;
    let page = house.service.list_secrets(request, PageQuery::default()).await.unwrap();
    assert!(page.items.is_empty() && page.next.is_none());

    assert_eq!(
        house.audit(),
        [
            "write-secret allow: secret db/password",
            "write-secret allow: secret db/password",
            "read-secret allow: secret db/password",
            "read-secret allow: secret db/password version 1",
            "read-secret deny not-found: secret db/password",
            "delete-secret deny not-found: secret db/password",
            "list-secrets allow: ",
        ]
    );
}

#[tokio::test]
async fn versions_go_only_with_a_human_and_numbers_never_come_back() {
    let house = House::new().await;
    let guest = house.guest("bert", "laptop", Role::Member).await;
    for value in [b"1", b"2", b"3"] {
        house.set(&guest, "key", value).await.unwrap();
    }
    house.delete(&guest, CertHuman, "key", Some(3)).await.unwrap();
    assert_eq!(refused(house.delete(&guest, CertHuman, "key", Some(3)).await), Refusal::NotFound);
    assert_eq!(house.get(&guest, "key").await.unwrap(), b"2");
    assert_eq!(house.set(&guest, "key", b"4").await.unwrap().version, 4, "3 is not given again");
    house.delete(&guest, CertHuman, "key", Some(1)).await.unwrap();
    house.delete(&guest, CertHuman, "key", Some(2)).await.unwrap();

    let step_up = Refusal::StepUpRequired { needs: CertHuman, bound: false };
    assert_eq!(refused(house.delete(&guest, CertOnly, "key", Some(4)).await), step_up);
    assert_eq!(refused(house.delete(&guest, CertOnly, "key", None).await), step_up);
    assert_eq!(house.get(&guest, "key").await.unwrap(), b"4");
    house.delete(&guest, CertHuman, "key", Some(4)).await.unwrap();
    assert_eq!(refused(house.get(&guest, "key").await), Refusal::NotFound);

    let again = house.set(&guest, "key", b"5").await.unwrap();
    assert_eq!((again.version, again.versions), (5, 1), "not even after the last");
    house.set(&guest, "key", b"6").await.unwrap();
    house.delete(&guest, CertHuman, "key", None).await.unwrap();
    assert_eq!(refused(house.get(&guest, "key").await), Refusal::NotFound);
    let request = house.ask(&guest, CertOnly, Action::ListSecretVersions).await;
    let versions =
        house.service.list_secret_versions(request, name("key"), PageQuery::default()).await;
    assert_eq!(refused(versions), Refusal::NotFound);
}

#[tokio::test]
async fn an_old_version_makes_room_and_a_young_one_does_not() {
    let house = House::new().await;
    let guest = house.guest("bert", "laptop", Role::Member).await;
    for n in 0..VERSIONS_KEPT {
        house.set(&guest, "key", format!("{n}").as_bytes()).await.unwrap();
    }
    assert_eq!(refused(house.set(&guest, "key", b"flood").await), Refusal::TooManyVersions);
    house.clock.advance(Seconds(24 * 3600 - 1));
    assert_eq!(refused(house.set(&guest, "key", b"flood").await), Refusal::TooManyVersions);
    house.clock.advance(Seconds(1));
    let made = house.set(&guest, "key", b"next day").await.unwrap();
    assert_eq!((made.version, made.versions), (VERSIONS_KEPT + 1, VERSIONS_KEPT));
    let request = house.ask(&guest, CertOnly, Action::ReadSecret).await;
    let oldest = house.service.get_secret_version(request, name("key"), 1).await;
    assert_eq!(refused(oldest), Refusal::NotFound);
}

#[tokio::test]
async fn a_user_keeps_a_thousand_secrets_and_no_more() {
    let house = House::new().await;
    let guest = house.guest("bert", "laptop", Role::Member).await;
    house.set(&guest, "first", b"x").await.unwrap();
    let connection = rusqlite::Connection::open(house.database()).unwrap();
    connection
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
             INSERT INTO secrets SELECT 'home', 'bert', 'filled-' || i, 1, 1 FROM n",
        )
        .unwrap();
    assert_eq!(refused(house.set(&guest, "one-more", b"x").await), Refusal::TooManySecrets);
    assert_eq!(house.set(&guest, "first", b"y").await.unwrap().version, 2, "old ones go on");
    let other = house.guest("anna", "laptop", Role::Member).await;
    house.set(&other, "hers", b"x").await.unwrap();
}

#[tokio::test]
async fn values_are_read_strictly_and_bounded() {
    let house = House::new().await;
    let guest = house.guest("bert", "laptop", Role::Member).await;
    let set = async |value_base64: String| {
        let request = house.ask(&guest, CertOnly, Action::WriteSecret).await;
        house
            .service
            .set_secret(request, SecretSetRequest { name: name("key"), value_base64 })
            .await
    };
    for bad in ["a", "YQ", "YQ=", "YR==", "YQ==\n", " YQ==", "YQ==YQ==", "-_-_", "\u{e9}\u{e9}"] {
        assert_eq!(invalid(set(bad.to_owned()).await), "value_base64", "{bad:?}");
    }
    let large = BASE64.encode(&vec![7; MANAGED_VALUE_MAX + 1]);
    assert_eq!(invalid(set(large).await), "value_base64");
    let size = |value: &[u8]| BASE64.encode(value);
    assert_eq!(set(size(&vec![7; MANAGED_VALUE_MAX])).await.unwrap().version, 1);
    assert_eq!(set(String::new()).await.unwrap().version, 2, "an empty value is a value");
    assert_eq!(house.get(&guest, "key").await.unwrap(), b"");
    let audit = house.audit();
    let denied = audit.iter().filter(|row| row.contains("deny invalid-field")).count();
    assert_eq!(denied, 10, "bad input of a known caller is on record");
}

#[tokio::test]
async fn an_envelope_that_was_moved_or_changed_does_not_open() {
    let house = House::new().await;
    let guest = house.guest("bert", "laptop", Role::Member).await;
    house.set(&guest, "mine", b"mine").await.unwrap();
    house.set(&guest, "other", b"other").await.unwrap();
    house.set(&guest, "other", b"newer").await.unwrap();
    let connection = rusqlite::Connection::open(house.database()).unwrap();
    for harm in [
        "UPDATE secret_versions SET sealed = (SELECT sealed FROM secret_versions WHERE name = 'other'
             AND version = 1) WHERE name = 'mine'",
        "UPDATE secret_versions SET sealed = (SELECT sealed FROM secret_versions WHERE name = 'other'
             AND version = 1) WHERE name = 'other' AND version = 2",
        "UPDATE secret_versions SET sealed = zeroblob(length(sealed))",
        "UPDATE secret_versions SET sealed = x''",
    ] {
        connection.execute_batch(harm).unwrap();
        let secret = if harm.contains("'mine'") { "mine" } else { "other" };
        let read = house.get(&guest, secret).await;
        assert!(matches!(read, Err(Failure::Internal(_))), "{harm}");
    }
    let audit = house.audit();
    let errors = audit.iter().filter(|row| row.starts_with("read-secret error")).count();
    assert_eq!(errors, 4, "a read that failed is not told as one that went well");
}

#[tokio::test]
async fn lists_are_paged_and_take_only_our_cursors() {
    let house = House::new().await;
    let guest = house.guest("bert", "laptop", Role::Member).await;
    for secret in ["b", "a", "c/d", "e"] {
        house.set(&guest, secret, b"x").await.unwrap();
        house.set(&guest, secret, b"y").await.unwrap();
    }
    house.delete(&guest, CertHuman, "e", None).await.unwrap();
    house.delete(&guest, CertHuman, "b", Some(2)).await.unwrap();
    let list = async |limit, after| {
        let request = house.ask(&guest, CertOnly, Action::ListSecrets).await;
        house.service.list_secrets(request, page_of(limit, after)).await
    };
    let first = list(2, None).await.unwrap();
    let names = |page: &Page<SecretInfo>| {
        page.items.iter().map(|item| (item.name.to_string(), item.version, item.versions)).collect()
    };
    let seen: Vec<(String, u64, u64)> = names(&first);
    assert_eq!(seen, [("a".into(), 2, 2), ("b".into(), 1, 1)]);
    let second = list(2, first.next).await.unwrap();
    let seen: Vec<(String, u64, u64)> = names(&second);
    assert_eq!(seen, [("c/d".into(), 2, 2)]);
    assert_eq!(second.next, None);
    assert_eq!(invalid(list(0, None).await), "limit");
    assert_eq!(invalid(list(201, None).await), "limit");
    assert_eq!(invalid(list(2, Some("no cursor!".into())).await), "after");

    let versions = async |limit, after| {
        let request = house.ask(&guest, CertOnly, Action::ListSecretVersions).await;
        house.service.list_secret_versions(request, name("a"), page_of(limit, after)).await
    };
    let newest = versions(1, None).await.unwrap();
    assert_eq!((newest.items[0].version, newest.items[0].size), (2, 1));
    let oldest = versions(1, newest.next).await.unwrap();
    assert_eq!(oldest.items[0].version, 1);
    assert_eq!(oldest.next, None);
    let foreign = page::text_cursor(&["x"]);
    assert_eq!(invalid(versions(1, Some(foreign)).await), "after");
}

/// Trap 48, for managed values: planted in every way in, found nowhere.
#[tokio::test]
async fn a_planted_value_is_in_no_file_and_no_log() {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let sink = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || sink.clone())
        .finish();
    // Global, so that the writer's own thread is heard as well; other tests of this binary may have
    // been first, and then theirs is heard by nobody.
    let heard = tracing::subscriber::set_global_default(subscriber).is_ok();

    let house = House::new().await;
    let guest = house.guest("bert", "laptop", Role::Member).await;
    let planted = b"planted-f3a9c1-value-that-nobody-may-find";
    house.set(&guest, "key", planted).await.unwrap();
    assert_eq!(house.get(&guest, "key").await.unwrap(), planted);
    // Twice in base64 with rubbish behind: refused, and not repeated anywhere.
    let request = house.ask(&guest, CertOnly, Action::WriteSecret).await;
    let value_base64 = format!("{}!", BASE64.encode(planted));
    let body = SecretSetRequest { name: name("key"), value_base64 };
    assert_eq!(invalid(house.service.set_secret(request, body).await), "value_base64");

    let shapes: [Vec<u8>; 4] = [
        planted.to_vec(),
        BASE64.encode(planted).into_bytes(),
        data_encoding::HEXLOWER.encode(planted).into_bytes(),
        b"cGxhbnRlZC1mM2E5YzE".to_vec(),
    ];
    let mut places = house.bytes_on_disk();
    assert!(places.iter().any(|(path, _)| path.to_string_lossy().ends_with("-wal")));
    places.push(("the log".into(), log.0.lock().unwrap().clone()));
    for (place, bytes) in &places {
        for shape in &shapes {
            let found = bytes.windows(shape.len()).any(|window| window == shape.as_slice());
            assert!(!found, "{} holds the value", place.display());
        }
    }
    // The search itself works: what may be there is.
    let somewhere = |text: &[u8]| {
        places.iter().any(|(_, bytes)| bytes.windows(text.len()).any(|window| window == text))
    };
    assert!(somewhere(b"secret key"), "the audit's target");
    assert!(heard || log.0.lock().unwrap().is_empty());
}
