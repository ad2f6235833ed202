//! What an administrator is told at a terminal.

use super::terminal::Scene;
use landfall_crypto::ambient::Ambient;
use landfall_identity::UserName;
use landfall_identity::passkey::Attachment;
use landfall_identity::token::TokenKind;
use landfall_test_support::{Machine, Person, PocketKey};

impl Scene {
    /// Bert, whom Ana has invited, on a laptop of his, with a key that he carries.
    async fn bert(&self) -> Person {
        let name = UserName::parse("bert").unwrap();
        let invitation = self.ana.mint(TokenKind::Invite, &name, None).await.unwrap();
        let machine = Machine::at(&self.folder.path().join("bert"), &Ambient::system()).unwrap();
        machine.enroll(&invitation, None, Some("bert-laptop")).await.unwrap();
        let bert = Person { name, machine, shell: PocketKey::new().unwrap() };
        bert.register(Attachment::Roaming).await.unwrap();
        bert
    }
}

/// Cutting off a machine does not shut out whoever has the person's key.
#[tokio::test(flavor = "multi_thread")]
async fn who_cuts_off_somebody_elses_device_hears_how_they_can_come_back() {
    let scene = Scene::new().await;
    scene.bert().await;
    scene.ana.step_up().await.unwrap();
    let output = scene.command(&["admin", "devices", "suspend", "bert", "bert-laptop"]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    for words in [
        "bert can still come back in, with a passkey, a recovery code, the guardians or another device",
        "landfall admin freeze bert",
        "bert can remove it, and nobody else: landfall webauthn remove",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("that you carry"), "{said}");
}

/// The second word is as good as the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_withdrawn_as_often_as_one_likes() {
    let scene = Scene::new().await;
    scene.ana.device_token("ana-phone").await.unwrap();
    let id = scene.answer(&["token", "list"])["items"][0]["id"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        assert_eq!(scene.answer(&["token", "cancel", &id])["state"], "cancelled");
    }
}
