//! The way back in, at a terminal and in scripts: what is typed is never dropped without a word, and what
//! is said leads on.

use super::terminal::{Scene, Screen, alone, binary, mailed, piped, touch, with_sheet};
use landfall_client::shell::Answer;
use landfall_client::{Failure, FlowView, Opened, Shell};
use landfall_identity::Label;
use landfall_identity::passkey::Attachment;
use landfall_identity::recovery::{BEGUN_PER_PLACE, Plan};
use landfall_protocol::ErrorCode;
use landfall_protocol::ceremony::CeremonyBegun;
use landfall_test_support::{Arrived, PocketKey};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use zeroize::Zeroizing;

fn bare(scene: &Scene) -> PathBuf {
    scene.folder.path().join("bare")
}

/// What the program says to a person who pipes nothing in.
fn said(home: &Path, words: &[&str]) -> String {
    let mut command = Command::new(binary("landfall"));
    command.args(words).args(["--yes", "--no-wait"]).env("LANDFALL_HOME", home);
    let output = command.stdin(Stdio::null()).output().unwrap();
    String::from_utf8(output.stderr).unwrap()
}

fn number(said: &Value) -> String {
    said["status"]["recovery_id"].as_str().unwrap_or_else(|| panic!("{said}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_not_dropped_while_a_recovery_is_under_way() {
    let (_smtp, scene, server, paper) = with_sheet().await;
    let home = bare(&scene);
    let words = ["recover", "--server", &server, "--user", "ana", "--device", "ana-new"];
    let (_, first) = piped(&home, &[&words[..], &["--without-code"]].concat(), "");
    assert_eq!(first["status"]["proofs"], serde_json::json!([]), "{first}");
    // Another user, or another server: both are named, and nothing goes on.
    for other in [["--user", "bert"], ["--server", "https://elsewhere.example"]] {
        let (code, refused) = piped(&home, &[&["recover"], &other[..]].concat(), "");
        let detail = refused["detail"].as_str().unwrap();
        assert_eq!(code, Some(2), "{refused}");
        for part in ["ana on https://", "ana-new", other[1], "--anew"] {
            assert!(detail.contains(part), "{part}: {detail}");
        }
    }
    // A new name is taken, and whose it is, where, is said.
    let text = said(&home, &["recover", "--device", "ana-newer", "--without-code"]);
    let origin = server.split('#').next().unwrap();
    let going_on = format!("the recovery of ana on {origin}. This machine will be ana-newer.");
    assert!(text.contains(&going_on), "{text}");
    // A code that is piped in is the next thing that was asked for. Without one, nothing changes.
    let (_, nothing) = piped(&home, &["recover"], "");
    assert_eq!(nothing["status"]["proofs"], serde_json::json!([]), "{nothing}");
    let (_, shown) = piped(&home, &["recover", "--wait"], &format!("{paper}\n"));
    assert_eq!(shown["status"]["proofs"], serde_json::json!(["recovery-code"]), "{shown}");
    assert_eq!(number(&first), number(&shown), "the same one");
    // Whoever has a mailbox needs to call nobody.
    let text = said(&home, &["recover"]);
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
    assert!(at("landfall recover --mail") < at("Call an administrator"), "{text}");
    assert!(text.contains("admin recoveries approve --check"), "{text}");
    // No wait can be asked for here, and what it would take is said.
    let why = shown["cannot_wait"].as_str().unwrap();
    assert!(why.contains("recovery_waiting_days") && why.contains("recovery waiting on"), "{why}");
    // Begun anew it is about the same.
    let (_, anew) = piped(&home, &["recover", "--anew", "--without-code"], "");
    assert_ne!(number(&first), number(&anew), "another one");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_not_dropped_while_a_link_is_under_way() {
    let (_smtp, scene, server, _paper) = with_sheet().await;
    let home = bare(&scene);
    let mut begun = Command::new(binary("landfall"))
        .args(["link", "--json", "--yes", "--server", &server, "--user", "ana", "--device", "l1"])
        .env("LANDFALL_HOME", &home)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It is closed as soon as it shows its code.
    let mut lines = BufReader::new(begun.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("show-code")));
    begun.kill().unwrap();
    begun.wait().unwrap();
    for (typed, parts) in [
        (["--user", "bert"], ["ana on https://", "bert on https://"]),
        (["--device", "l2"], ["l1", "l2"]),
    ] {
        let output = Command::new(binary("landfall"))
            .args([&["link", "--json"], &typed[..]].concat())
            .env("LANDFALL_HOME", &home)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let refused: Value = serde_json::from_slice(&output.stderr).unwrap();
        let detail = refused["detail"].as_str().unwrap();
        for part in parts.into_iter().chain(["--anew"]) {
            assert!(detail.contains(part), "{part}: {detail}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_with_a_slip_frightens_nobody_and_is_typed_again() {
    let (smtp, scene, server, paper) = with_sheet().await;
    let home = bare(&scene);
    let (address, pin) = server.split_once('#').unwrap();
    let slip = if pin.starts_with('0') { "1" } else { "0" };
    let slipped = format!("{address}#{slip}{}", &pin[1..]);
    for (line, hint) in [(address, "second half"), (slipped.as_str(), "one wrong character")] {
        let words = ["recover", "--server", line, "--user", "ana", "--device", "ana-new"];
        let (code, refused) = piped(&home, &words, &paper);
        assert_eq!(code, Some(8), "{refused}");
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.starts_with("Look at the server's line first"), "{detail}");
        assert!(detail.contains(hint), "{detail}");
    }
    // Typed as it stands, it goes on: what never reached a server stands in nobody's way.
    let mut screen = Screen::run(&home, "recover");
    screen.until(|seen| seen.contains("The server's line again").then_some(()));
    screen.press(&format!("{server}\n"));
    screen.until(|seen| seen.contains("Have you a passkey here").then_some(()));
    // What is neither yes nor no is no answer.
    screen.press("wrong\n");
    screen.until(|seen| seen.contains("neither yes nor no").then_some(()));
    screen.until(|seen| (seen.matches("Have you a passkey here").count() == 2).then_some(()));
    screen.press("\n");
    screen.until(|seen| seen.contains("A recovery code").then_some(()));
    screen.press(&format!("{paper}\n"));
    screen.until(|seen| seen.contains("Make this machine yours?").then_some(()));
    screen.press("\n");
    screen.until(|seen| seen.contains("Shall a code be mailed").then_some(()));
    screen.press("\n");
    screen.until(|seen| seen.contains("The code from the mail").then_some(()));
    let code = mailed(&smtp, alone).await;
    screen.press(&format!("{code}\n"));
    screen.until(|seen| seen.contains("Which one is lost?").then_some(()));
    screen.press("\n");
    screen.until(|seen| seen.contains("This machine is ana-new of ana").then_some(()));
    assert!(screen.child.wait().unwrap().success());
}

/// At an airport, and somebody there has begun as often as one network may.
#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_full_is_said_to_be_it_and_a_person_says_when_to_ask_again() {
    let (_smtp, scene, server, _paper) = with_sheet().await;
    for strangers in 0..BEGUN_PER_PLACE {
        let home = scene.folder.path().join(format!("stranger-{strangers}"));
        let words = ["recover", "--server", &server, "--user", "nobody", "--device", "x"];
        piped(&home, &[&words[..], &["--without-code"]].concat(), "");
    }
    let words = format!(
        "recover --server '{server}' --user ana --device ana-new --without-code --browser true"
    );
    let mut screen = Screen::run(&bare(&scene), &words);
    screen.until(|seen| seen.contains("Make this machine yours?").then_some(()));
    screen.press("\n");
    screen.until(|seen| seen.contains("Try again?").then_some(()));
    screen.press("n\n");
    let ended = screen.child.wait().unwrap();
    screen.rest();
    let plain = screen.seen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(ended.code(), Some(5), "{plain}");
    assert!(plain.contains("Too many tries from this network"), "{plain}");
    assert!(plain.contains("Another one, such as your phone's, works at once"), "{plain}");
    assert!(plain.matches("Too many tries").count() <= 2, "asked again by itself: {plain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_that_stopped_it_is_said_and_begun_anew_it_leads_in() {
    let (smtp, scene, server, paper) = with_sheet().await;
    let home = bare(&scene);
    let words = ["recover", "--mail", "--server", &server, "--user", "ana", "--device", "ana-new"];
    let (_, first) = piped(&home, &words, &paper);
    let code = mailed(&smtp, alone).await;
    scene.ana.client().freeze().await.unwrap();
    for round in ["first", "and again"] {
        let input = if round == "first" { code.as_str() } else { "" };
        let words: &[&str] = if round == "first" { &["recover", "--mailed"] } else { &["recover"] };
        let (exit, refused) = piped(&home, words, input);
        assert_eq!((exit, &refused["code"]), (Some(5), &"account-frozen".into()), "{refused}");
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains("landfall recover --anew"), "{detail}");
    }
    // What a frozen account is told elsewhere leads on as well: it begins anew, with the same code.
    let (_, anew) = piped(&home, &["recover", "--replace"], &paper);
    assert_ne!(number(&first), number(&anew));
    assert_eq!(anew["status"]["proofs"], serde_json::json!(["recovery-code"]), "{anew}");
    assert_eq!(anew["status"]["account_frozen"], false, "{anew}");
}

/// A device's name with a slip in it is named at the end, and corrected or left out by typing again. What
/// was registered on the lost one and can leave it is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_device_with_a_slip_is_named_and_its_passkey_is_not_forgotten() {
    let (smtp, scene, server, paper) = with_sheet().await;
    let home = bare(&scene);
    let words = ["recover", "--mail", "--server", &server, "--user", "ana", "--device", "ana-new"];
    piped(&home, &[&words[..], &["--lost", "ana-dektop"]].concat(), &paper);
    let code = mailed(&smtp, alone).await;
    let (_, refused) = piped(&home, &["recover", "--mailed"], &code);
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("ana-dektop") && detail.contains("--no-lost"), "{detail}");
    let (exit, done) = piped(&home, &["recover", "--lost", "ana-desktop"], "");
    assert_eq!((exit, &done["cut_off"]), (Some(0), &"ana-desktop".into()), "{done}");
    assert_eq!(done["passkeys_synced"][0]["registered_on"], "ana-desktop", "{done}");
    let review = Command::new(binary("landfall"))
        .args(["device", "review", "ana-desktop"])
        .env("LANDFALL_HOME", &home)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let review = String::from_utf8(review.stdout).unwrap();
    assert!(review.contains("so it still works") && review.contains("webauthn remove"), "{review}");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_codes_that_nobody_saw_are_not_called_done_all_the_same() {
    let scene = Scene::new().await;
    let words = "recovery codes make --yes --browser true > /dev/full";
    let mut screen = Screen::run(&scene.ana.machine.folder, words);
    touch(&mut screen, &scene).await;
    let ended = screen.child.wait().unwrap();
    screen.rest();
    let plain = screen.seen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(plain.contains("the sheet before them works no more"), "{plain}");
    assert!(plain.contains("recovery codes make --sheet codes.pdf"), "{plain}");
    assert_eq!(ended.code(), Some(11), "{plain}");
}

/// The plan that the help shows is one that a server takes as it comes.
#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_a_plan_can_be_set() {
    let scene = Scene::new().await;
    scene.ana.client().make_recovery_codes(&scene.ana.shell).await.unwrap();
    let help = Command::new(binary("landfall"))
        .args(["recovery", "plan", "set", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    // As a person copies it: a terminal may break its lines.
    let from = &help[help.find('{').unwrap()..];
    let mut plans = serde_json::Deserializer::from_str(from).into_iter::<Plan>();
    let plan = plans.next().unwrap().unwrap();
    let set = scene.ana.client().set_recovery_plan(&plan, &scene.ana.shell).await;
    assert!(set.map_err(|failure| failure.to_string()).unwrap().own.is_some());
}

/// A browser that opens the first page and fails from then on; what the pages show is typed.
struct Failing {
    key: PocketKey,
    opened: AtomicU32,
}

impl Shell for Failing {
    fn show(&self, _: &FlowView) {}

    fn has_browser(&self) -> bool {
        true
    }

    fn open_page(&self, begun: &CeremonyBegun) -> Result<Opened, Failure> {
        match self.opened.fetch_add(1, Ordering::SeqCst) {
            0 => self.key.open_page(begun),
            _ => Err(Failure::new(ErrorCode::BrowserUnavailable, "it crashed")),
        }
    }

    fn typed_code<'a>(
        &'a self,
        begun: &'a CeremonyBegun,
    ) -> Answer<'a, Result<Zeroizing<String>, Failure>> {
        Box::pin(async move {
            let browser = self.key.browser();
            match browser.lock().await.open(&begun.page_url).await {
                Ok(Arrived::Showing(code)) => Ok(Zeroizing::new(code)),
                other => panic!("{other:?}"),
            }
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_whose_browser_fails_takes_another_approval_and_ends_well() {
    // Before the first page, and between the two: the step-up is typed, or done again.
    for first in [1, 0] {
        let scene = Scene::new().await;
        let shell = Failing { key: scene.ana.shell.clone(), opened: AtomicU32::new(first) };
        let label = Label::parse(format!("another {first}")).unwrap();
        let client = scene.ana.client();
        let registered = client.register_passkey(Attachment::Platform, label, &shell).await;
        registered.unwrap_or_else(|failure| panic!("{first}: {failure}"));
    }
}
