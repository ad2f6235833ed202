use super::*;
use crate::client::Setup;
use crate::state::Home;
use landfall_crypto::ambient::{Ambient, SystemRandom};
use landfall_crypto::door::DoorSecret;
use landfall_identity::id::AgentCodeId;
use landfall_keystore::{KeyStore, MemoryKeyStore};
use std::sync::Arc;

struct Machine {
    _folder: tempfile::TempDir,
    keys: Arc<MemoryKeyStore>,
    client: Client,
}

fn machine() -> Machine {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path().join("home")).unwrap();
    let keys = Arc::new(MemoryKeyStore::new());
    let setup = Setup { home, keys: keys.clone(), ambient: Ambient::system(), profile: None };
    Machine { _folder: folder, keys, client: Client::new(setup) }
}

/// Nobody listens there.
fn nobody() -> ServerLine {
    ServerLine::parse("https://127.0.0.1:9").unwrap()
}

fn code() -> SecretText {
    let secret = DoorSecret::generate(&SystemRandom);
    AgentCodeText::new(AgentCodeId::from_bits([7; 16]), &secret).to_text()
}

#[tokio::test]
async fn what_is_no_agents_code_stays_here_and_makes_no_key() {
    let Machine { _folder, keys, client } = machine();
    let cut = &code()[..50];
    for (given, expected, says) in [
        ("correct horse battery staple", ErrorCode::TokenUnreadable, "landfall agent link"),
        ("", ErrorCode::TokenUnreadable, "lfa1."),
        (" lf1.abc.def.ghi", ErrorCode::TokenUnreadable, "`landfall enroll`"),
        (cut, ErrorCode::TokenMistyped, "Copy all of it"),
    ] {
        let failure = client.new_agent("research", nobody()).unwrap().enroll(given, None).await;
        // Whatever is sent finds nobody, and would be `server-unreachable`.
        let failure = failure.unwrap_err();
        assert_eq!(failure.code(), expected, "{given}");
        let detail = &failure.problem().detail;
        assert!(detail.contains(says) && detail.contains("Nothing was sent"), "{detail}");
        assert!(given.is_empty() || !detail.contains(given.trim()), "{detail}");
        assert!(keys.list().unwrap().is_empty());
        assert!(!client.has_new_agent("research").unwrap());
    }
}

#[tokio::test]
async fn a_key_that_was_never_sent_is_not_kept() {
    let Machine { _folder, keys, client } = machine();
    let new = client.new_agent("research", nobody()).unwrap();
    let failure = new.enroll(&code(), None).await.unwrap_err();
    assert_eq!(failure.code(), ErrorCode::ServerUnreachable);
    assert!(keys.list().unwrap().is_empty());
    assert!(!client.has_new_agent("research").unwrap());
}

#[test]
fn what_was_begun_goes_on_with_its_key_and_nowhere_else() {
    let Machine { _folder, keys, client } = machine();
    let begin = |by| client.new_agent("research", nobody()).unwrap().begin(by).unwrap();
    let first = begin(BegunBy::Code);
    let again = begin(BegunBy::Code);
    assert_eq!(first.pending.key.thumbprint, again.pending.key.thumbprint);
    assert!(!first.shown && again.shown);
    assert_eq!(keys.list().unwrap().len(), 1);
    let elsewhere = ServerLine::parse("https://id.example.org").unwrap();
    let failure = client.new_agent("research", elsewhere).err().unwrap();
    assert_eq!(failure.code(), ErrorCode::ProfileExists);
    assert!(failure.problem().detail.contains("`landfall agent forget research`"), "{failure}");
    assert!(client.forget_new_agent("research").unwrap());
    assert!(keys.list().unwrap().is_empty());
    // A pairing ends with its program.
    let paired = begin(BegunBy::Pairing);
    let again = begin(BegunBy::Pairing);
    assert_ne!(paired.pending.key.thumbprint, again.pending.key.thumbprint);
    assert_eq!(keys.list().unwrap().len(), 1);
    // Nothing goes on without its key.
    keys.delete(&key_handle(&again.pending.key.handle).unwrap()).unwrap();
    assert!(client.new_agent("research", nobody()).unwrap().before.is_none());
}

#[test]
fn a_key_that_may_be_an_agents_is_given_up_for_a_final_no_alone() {
    let over = |code, shown| is_over(&Failure::new(code, "x"), shown);
    for no in [ErrorCode::AgentCodeWrong, ErrorCode::TokenUsed, ErrorCode::PairingOver] {
        assert!(over(no, true) && over(no, false), "{no}");
    }
    for perhaps in [ErrorCode::AgentHeld, ErrorCode::InvalidField, ErrorCode::Forbidden] {
        assert!(!over(perhaps, true) && over(perhaps, false), "{perhaps}");
    }
    for later in [ErrorCode::RateLimited, ErrorCode::Busy, ErrorCode::AnswerUnreadable] {
        assert!(!over(later, true) && !over(later, false), "{later}");
    }
    let lost = Failure::new(ErrorCode::ServerUnreachable, texts::ANSWER_LOST_AGAIN);
    assert!(!is_over(&lost, false));
}
