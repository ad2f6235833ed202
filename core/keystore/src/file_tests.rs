use super::*;
use crate::OwnFormat;
use tempfile::TempDir;

fn handle(name: &str) -> KeyHandle {
    KeyHandle::parse(name).unwrap()
}

fn store() -> (TempDir, FileKeyStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = FileKeyStore::open(folder.path().join("keys")).unwrap();
    (folder, store)
}

#[test]
fn keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    crate::testing::contract_suite(|| {
        count.set(count.get() + 1);
        Box::new(FileKeyStore::open(folder.path().join(count.get().to_string())).unwrap())
    });
}

#[test]
fn a_key_outlives_the_store() {
    let (folder, store) = store();
    let public = store.create(&handle("device")).unwrap();
    drop(store);
    let again = FileKeyStore::open(folder.path().join("keys")).unwrap();
    assert_eq!(again.public(&handle("device")).unwrap(), public);
    let message = [OwnFormat::Checkpoint.prefix(), b"x"].concat();
    let purpose = Purpose::Own(OwnFormat::Checkpoint);
    let signature = again.sign(&handle("device"), purpose, &message).unwrap();
    assert!(public.verify(&message, &signature).is_ok());
}

#[test]
fn of_many_racers_for_one_name_one_wins_and_its_key_stays() {
    let (_folder, store) = store();
    let made: Vec<_> = std::thread::scope(|scope| {
        let racers: Vec<_> =
            (0..8).map(|_| scope.spawn(|| store.create(&handle("device")))).collect();
        racers.into_iter().filter_map(|racer| racer.join().unwrap().ok()).collect()
    });
    assert_eq!(made.len(), 1);
    assert_eq!(store.public(&handle("device")).unwrap(), made[0]);
}

#[test]
fn a_damaged_or_foreign_file_is_named_as_such() {
    let (_folder, store) = store();
    store.create(&handle("device")).unwrap();
    let path = store.path(&handle("device"));
    let whole = fs::read(&path).unwrap();
    for bad in [&whole[..whole.len() - 1], b"", &[0x30; 5000]] {
        fs::write(&path, bad).unwrap();
        assert!(matches!(store.public(&handle("device")), Err(KeyStoreError::Damaged(_))));
        assert!(matches!(store.create(&handle("device")), Err(KeyStoreError::Exists(_))));
    }
    fs::write(store.folder.join("notes.txt"), "x").unwrap();
    fs::write(store.folder.join("UPPER.p8"), "x").unwrap();
    assert_eq!(store.list().unwrap(), [handle("device")]);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn only_the_owner_can_read() {
        let (_folder, store) = store();
        store.create(&handle("device")).unwrap();
        assert_eq!(mode(&store.folder), 0o700);
        assert_eq!(mode(&store.path(&handle("device"))), 0o600);
    }

    #[test]
    fn what_others_can_read_is_not_used() {
        let (_folder, store) = store();
        store.create(&handle("device")).unwrap();
        let path = store.path(&handle("device"));
        set_mode(&path, 0o640);
        assert!(matches!(store.public(&handle("device")), Err(KeyStoreError::Exposed { .. })));
        set_mode(&path, 0o600);
        assert!(store.public(&handle("device")).is_ok());
        set_mode(&store.folder, 0o755);
        let opened = FileKeyStore::open(&store.folder);
        assert!(matches!(opened, Err(KeyStoreError::Exposed { .. })));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_found_by_the_probe() {
        let (_folder, store) = store();
        store.probe_writable().unwrap();
        assert_eq!(fs::read_dir(&store.folder).unwrap().count(), 0, "the probe leaves nothing");
        // Permissions do not stop root, so the folder itself goes.
        fs::remove_dir(&store.folder).unwrap();
        fs::write(&store.folder, "a file in its place").unwrap();
        set_mode(&store.folder, 0o600);
        assert!(matches!(store.probe_writable(), Err(KeyStoreError::Storage { .. })));
    }
}
