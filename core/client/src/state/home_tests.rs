use super::*;
use landfall_crypto::token::Trust;
use landfall_flows::KeyRef;
use landfall_identity::{SpiffeId, Timestamp};
use landfall_protocol::At;
use url::Url;

fn profile(server: &str) -> Profile {
    Profile {
        server: Url::parse(server).unwrap(),
        trust: Trust::WebPki,
        spiffe_id: SpiffeId::parse("spiffe://td/tenant/home/user/bert/device/x1").unwrap(),
        key: KeyRef { handle: "k".into(), thumbprint: "t".into() },
        certificate_chain: String::new(),
        trust_bundle: String::new(),
        not_after: At(Timestamp::from_seconds(10)),
        renew_at: At(Timestamp::from_seconds(5)),
        grant: None,
        ended: None,
    }
}

fn save(home: &Home, server: &str) -> ProfileName {
    let profile = profile(server);
    let name = ProfileName::of(&profile.server);
    home.save_profile(&name, &profile).unwrap();
    name
}

#[test]
fn landfall_home_moves_everything() {
    assert_eq!(default_home(Some(OsStr::new("/x/y"))).unwrap(), PathBuf::from("/x/y"));
    assert!(default_home(Some(OsStr::new(""))).unwrap().ends_with("landfall"));
}

#[test]
fn the_profile_is_the_named_one_the_default_or_the_only_one() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path().join("home")).unwrap();
    assert_eq!(home.choose(None).unwrap_err().code(), ErrorCode::NoProfile);
    let one = save(&home, "https://one.example");
    assert_eq!(home.choose(None).unwrap(), one);
    let two = save(&home, "https://two.example");
    assert!(home.choose(None).is_err(), "two, and none is the default");
    home.set_default(&two).unwrap();
    assert_eq!(home.choose(None).unwrap(), two);
    assert_eq!(home.choose(Some("one.example")).unwrap(), one);
    assert!(home.choose(Some("three.example")).is_err());
}

#[cfg(unix)]
#[test]
fn folders_and_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path().join("deep/home")).unwrap();
    let name = save(&home, "https://one.example");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(home.path()), 0o700);
    assert_eq!(mode(&home.folder(&name)), 0o700);
    assert_eq!(mode(&home.identity(&name)), 0o600);

    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let refused = Home::open(home.path()).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::StateExposed);
    assert!(refused.problem().detail.contains("chmod 700"));
}

#[test]
fn a_file_in_the_way_is_found_by_the_probe() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path().join("home")).unwrap();
    home.probe_writable().unwrap();
    fs::remove_dir_all(home.path().join("pending")).unwrap();
    fs::write(home.path().join("pending"), b"a file where a folder must be").unwrap();
    assert_eq!(home.probe_writable().unwrap_err().code(), ErrorCode::StateUnwritable);
}

#[test]
fn something_else_than_a_folder_is_told_apart_from_one_that_others_can_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"of somebody's").unwrap();
    let refused = Home::open(&file).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::StateUnwritable);
    assert!(refused.problem().detail.contains("is no folder"), "{refused}");
    assert_eq!(fs::read(&file).unwrap(), b"of somebody's");
}

#[test]
fn a_cut_off_file_is_reported_and_never_half_read() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path().join("home")).unwrap();
    let name = save(&home, "https://one.example");
    let path = home.identity(&name);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let damaged = home.profile(&name).unwrap_err();
    assert_eq!(damaged.code(), ErrorCode::StateDamaged);
    for word in [path.to_str().unwrap(), "landfall recover --replace", "landfall enroll --replace"]
    {
        assert!(damaged.problem().detail.contains(word), "{damaged}");
    }

    // What was merely under way is told apart: there is nothing to replace.
    fs::write(home.recovery_path(), b"{").unwrap();
    let damaged = home.pending_recovery().err().unwrap();
    assert_eq!(damaged.code(), ErrorCode::StateDamaged);
    assert!(damaged.problem().detail.contains("Delete the file"), "{damaged}");
}

#[test]
fn looking_leaves_no_traces() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path().join("deep/home")).unwrap();
    assert!(home.profiles().unwrap().is_empty());
    assert!(home.pending().is_empty());
    assert_eq!(home.choose(None).unwrap_err().code(), ErrorCode::NoProfile);
    assert!(!folder.path().join("deep").exists());
}

#[test]
fn two_at_work_in_one_folder_are_told_apart_from_a_folder_that_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path().join("home")).unwrap();
    let held = home.lock().unwrap();
    assert_eq!(home.lock().unwrap_err().code(), ErrorCode::StateBusy);
    drop(held);
    home.lock().unwrap();
}

#[test]
fn one_process_at_a_time_changes_identities() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path().join("home")).unwrap();
    let held = home.lock().unwrap();
    assert!(home.lock().is_err());
    drop(held);
    assert!(home.lock().is_ok());
}
