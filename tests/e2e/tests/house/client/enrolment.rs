//! From a code to an identity, and everything that may go wrong between.

use super::world::{Silent, World, names};
use landfall_client::words::{DeviceName, Role, TokenKind, TokenText, Trust, UserName};
use landfall_client::{FlowNext, GivenNames, MintRequest};
use landfall_protocol::ErrorCode;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn a_code_becomes_an_identity_that_the_server_knows() {
    let world = World::start().await;
    let laptop = world.machine("laptop");
    let mut enrolling = laptop.enroll(&world.claim_token(), names("ada", "laptop"), false).unwrap();
    let view = enrolling.view();
    assert!(matches!(view.next, FlowNext::Confirm), "nothing happens before the yes");
    assert_eq!((view.about.user.as_str(), view.about.device.as_str()), ("ada", "laptop"));
    let enrolled = enrolling.run(&Silent).await.unwrap();

    let me = laptop.whoami().await.unwrap();
    assert_eq!(me.spiffe_id, enrolled.profile.spiffe_id);
    assert_eq!(me.device.thumbprint, enrolled.profile.key.thumbprint);
    assert!(enrolled.profile.grant.is_some(), "the right to a first passkey");
    for entry in fs::read_dir(world.home("laptop").join("profiles")).unwrap().flatten() {
        for file in fs::read_dir(entry.path()).unwrap().flatten() {
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", file.path());
        }
    }
    // Nothing of the code stays behind.
    assert!(fs::read_dir(world.home("laptop").join("pending")).unwrap().next().is_none());
}

#[tokio::test]
async fn a_fresh_process_works_with_only_what_is_on_disk() {
    let world = World::start().await;
    world.claimed().await;
    let again = world.machine("laptop");
    assert_eq!(again.whoami().await.unwrap().user.as_str(), "ada");
}

#[tokio::test]
async fn another_server_in_the_middle_gets_nothing() {
    let world = World::start().await;
    let mut token = TokenText::parse(&world.claim_token()).unwrap();
    token.payload.trust = Trust::Pin([7; 32]);
    let laptop = world.machine("laptop");
    let wrong = token.print().unwrap();
    let mut enrolling = laptop.enroll(&wrong, names("ada", "laptop"), false).unwrap();
    let failure = enrolling.run(&Silent).await.unwrap_err();
    assert_eq!(failure.code(), ErrorCode::ServerNotTrusted);
    drop(enrolling);
    assert!(fs::read_dir(world.home("laptop").join("keys")).unwrap().next().is_none());
    // The code itself was not spent.
    world.claimed().await;
}

#[tokio::test]
async fn lost_reply_resumes_with_the_same_key_and_certificate() {
    let world = World::start().await;
    let laptop = world.machine("laptop");
    let token = world.claim_token();
    let mut enrolling = laptop.enroll(&token, names("ada", "laptop"), false).unwrap();
    // The server issues, and this machine cannot write the answer down: as good as a crash.
    let profiles = world.home("laptop").join("profiles");
    fs::write(&profiles, b"in the way").unwrap();
    let failure = enrolling.run(&Silent).await.unwrap_err();
    assert_eq!(failure.code(), ErrorCode::StateUnwritable);
    assert!(matches!(enrolling.view().next, FlowNext::TryAgain));
    drop(enrolling);
    fs::remove_file(&profiles).unwrap();

    // Another machine with the same code gets nothing.
    let thief = world.machine("thief");
    let mut stolen = thief.enroll(&token, names("ada", "laptop"), false).unwrap();
    assert_eq!(stolen.run(&Silent).await.unwrap_err().code(), ErrorCode::TokenUsed);

    // A new process on this one goes on.
    let fresh = world.machine("laptop");
    let mut resumed = fresh.resume_enroll().unwrap().unwrap();
    resumed.run(&Silent).await.unwrap();
    assert_eq!(fresh.devices().await.unwrap().len(), 1, "one enrolment, not two");
}

#[tokio::test]
async fn an_existing_identity_survives_a_second_and_a_failing_enrolment() {
    let world = World::start().await;
    let laptop = world.claimed().await;
    let name = laptop.profile_name().unwrap();
    let file = world.home("laptop").join("profiles").join(name.as_str()).join("identity.json");
    let before = fs::read(&file).unwrap();

    let again = laptop.enroll(&world.claim_token(), names("ada", "laptop-2"), false);
    assert_eq!(again.err().unwrap().code(), ErrorCode::ProfileExists);
    let mut replacing =
        laptop.enroll(&world.claim_token(), names("ada", "laptop-2"), true).unwrap();
    assert!(replacing.run(&Silent).await.is_err(), "the claim is over");
    drop(replacing);
    assert_eq!(fs::read(&file).unwrap(), before);
    assert!(world.machine("laptop").whoami().await.is_ok());
}

#[tokio::test]
async fn a_code_that_leaves_names_open_asks_for_them() {
    let world = World::start().await;
    let laptop = world.machine("laptop");
    let failure = laptop.enroll(&world.claim_token(), GivenNames::default(), false).err().unwrap();
    assert_eq!(failure.code(), ErrorCode::NameMissing);
    assert_eq!(failure.problem().field.as_deref(), Some("user"));
}

#[tokio::test]
async fn a_damaged_identity_is_replaced_as_its_message_says() {
    let world = World::start().await;
    let (laptop, person) = world.with_passkey().await;
    let request = MintRequest {
        kind: TokenKind::Device,
        user: UserName::parse("ada").unwrap(),
        device: Some(DeviceName::parse("laptop-2").unwrap()),
        role: Role::Member,
        ttl: None,
    };
    let token = laptop.mint(request, &person).await.unwrap().text;
    let name = laptop.profile_name().unwrap();
    let file = world.home("laptop").join("profiles").join(name.as_str()).join("identity.json");
    fs::write(&file, b"{\"server\":").unwrap();

    let fresh = world.machine("laptop");
    let damaged = fresh.whoami().await.unwrap_err();
    assert_eq!(damaged.code(), ErrorCode::StateDamaged);
    assert!(damaged.problem().detail.contains("landfall enroll --replace"), "{damaged}");
    let none = || GivenNames::default();
    let refused = fresh.enroll(&token, none(), false).err().unwrap();
    assert_eq!(refused.code(), ErrorCode::StateDamaged, "nothing is replaced unasked");
    let mut replacing = fresh.enroll(&token, none(), true).unwrap();
    replacing.run(&Silent).await.unwrap();
    drop(replacing);
    assert_eq!(world.machine("laptop").whoami().await.unwrap().device.name.as_str(), "laptop-2");
}
