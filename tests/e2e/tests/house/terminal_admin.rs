//! What an administrator is told at a terminal.

use super::terminal::{Scene, Screen, piped, touch};
use landfall_client::words::ServerLine;
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

/// Somebody begins as many in Bert's name as they like. The one whose machine is on the phone is found by what it
/// shows, and by nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_full_of_decoys_hides_nobody_who_is_on_the_phone() {
    let scene = Scene::new().await;
    scene.bert().await;
    let profile = scene.ana.client().profile().unwrap();
    let server = ServerLine { url: profile.server, trust: profile.trust }.to_string();
    let begin = |device: &str| {
        let words = ["recover", "--server", &server, "--user", "bert", "--device", device];
        let home = scene.folder.path().join(device);
        piped(&home, &[&words[..], &["--without-code"]].concat(), "").1
    };
    for decoy in ["bert-new1", "bert-new2", "bert-new3"] {
        begin(decoy);
    }
    let check = begin("bert-new")["check_code"].as_str().unwrap().to_owned();
    begin("bert-new4");
    let approve = |check: &str| {
        format!("admin recoveries approve --check {check} --reason 'Bert called' --browser true")
    };
    // Nobody shows these. It is said, with what to ask, before anybody touches anything.
    let mut none = Screen::run(&scene.ana.machine.folder, &approve("0000-0000"));
    assert_eq!(none.child.wait().unwrap().code(), Some(6));
    none.rest();
    let said = none.seen.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["shows these characters", "letter by letter", "Nothing was approved"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    // As it is heard on the phone.
    let heard = check.to_lowercase().replace('-', "").replace('0', "o");
    let mut screen = Screen::run(&scene.ana.machine.folder, &approve(&heard));
    touch(&mut screen, &scene).await;
    assert!(screen.child.wait().unwrap().success());
    screen.rest();
    let said = screen.seen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("shown by the machine bert-new, which asks for the account of bert"),
        "{said}"
    );
    let queue = scene.answer(&["admin", "recoveries", "list"]);
    let approved = |info: &serde_json::Value| info["proofs"][0]["door"] == "admin";
    let queue = queue["items"].as_array().unwrap();
    let approved: Vec<_> = queue.iter().filter(|info| approved(info)).collect();
    assert_eq!(approved.len(), 1, "{queue:?}");
    assert_eq!(approved[0]["device"], "bert-new");
}

/// A word against what the account's owner did last is asked about before anybody touches for it.
#[tokio::test(flavor = "multi_thread")]
async fn who_would_vouch_in_spite_of_a_freeze_is_asked_first() {
    let scene = Scene::new().await;
    let bert = scene.bert().await;
    let profile = scene.ana.client().profile().unwrap();
    let server = ServerLine { url: profile.server, trust: profile.trust }.to_string();
    let home = scene.folder.path().join("bert-new");
    let words = ["recover", "--server", &server, "--user", "bert", "--device", "bert-new"];
    let begun = piped(&home, &[&words[..], &["--without-code"]].concat(), "").1;
    let check = begun["check_code"].as_str().unwrap();
    bert.client().freeze().await.unwrap();
    let line =
        format!("admin recoveries approve --check {check} --reason 'Bert called' --browser true");
    let mut screen = Screen::run(&scene.ana.machine.folder, &line);
    screen.until(|seen| seen.contains("since then?").then_some(()));
    screen.press("n\n");
    assert!(!screen.child.wait().unwrap().success());
    screen.rest();
    assert!(screen.seen.contains("was frozen after this machine began"), "{}", screen.seen);
    let queue = scene.answer(&["admin", "recoveries", "list"]);
    assert_eq!(queue["items"][0]["proofs"].as_array().unwrap().len(), 0, "{queue}");
}

/// What an administrator approves by a touch is said whole.
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_for_an_administrator_is_called_one() {
    let scene = Scene::new().await;
    for (words, said) in [
        ("admin invite eve --role admin", "an invitation for eve, as an administrator"),
        ("admin invite tom --role operator", "an invitation for tom, as an operator"),
        ("admin invite kim", "an invitation for kim"),
    ] {
        let words = format!("{words} --browser true");
        let mut screen = Screen::run(&scene.ana.machine.folder, &words);
        touch(&mut screen, &scene).await;
        assert!(screen.child.wait().unwrap().success());
        screen.rest();
        let plain = screen.seen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(plain.contains(&format!("To approve: {said}")), "{said}: {plain}");
        assert_eq!(plain.contains(", as "), said.contains(", as "), "{plain}");
    }
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
