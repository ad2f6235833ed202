//! The programs as people run them: the real binaries, a real terminal where one is needed, the clock of
//! the wall.

use landfall_client::words::{DeviceName, ServerLine};
use landfall_crypto::ambient::{Ambient, SystemRandom};
use landfall_crypto::recovery_code::RecoveryCode;
use landfall_identity::UserName;
use landfall_identity::passkey::Attachment;
use landfall_test_support::{Arrived, Machine, Person, PocketKey, Protection, SmtpServer};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Where Ana reads her mail.
const ANA: &str = "ana@example.org";

/// A server, and Ana, who has claimed it.
pub(super) struct Scene {
    server: Child,
    pub(super) folder: TempDir,
    pub(super) ana: Person,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Beside the test's own folder, where cargo puts binaries.
pub(super) fn binary(name: &str) -> PathBuf {
    let here = std::env::current_exe().unwrap();
    here.parent().and_then(Path::parent).unwrap().join(name)
}

impl Scene {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With more said to the server.
    async fn with(configure: impl FnOnce(&mut Command)) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let mut server = Command::new(binary("landfall-server"));
        server
            .args(["serve", "--json", "--show-claim-token", "--listen", "127.0.0.1:0"])
            .args(["--localhost-listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.path().join("server"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        configure(&mut server);
        let mut server = server.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let machine = Machine::at(&folder.path().join("ana"), &Ambient::system()).unwrap();
        let claim = ready["claim_token"].as_str().unwrap();
        machine.enroll(claim, Some("ana"), Some("ana-desktop")).await.unwrap();
        let name = UserName::parse("ana").unwrap();
        let ana = Person { name, machine, shell: PocketKey::new().unwrap() };
        ana.register(Attachment::Roaming).await.unwrap();
        Self { server, folder, ana }
    }

    /// Ana gets another device.
    async fn add_phone(&self) {
        let phone = Machine::at(&self.folder.path().join("phone"), &Ambient::system()).unwrap();
        let token = self.ana.device_token("ana-phone").await.unwrap();
        phone.enroll(&token, None, None).await.unwrap();
    }

    /// The client's program on Ana's machine, with nobody before it and no browser.
    fn landfall(&self, words: &[&str]) -> Output {
        self.command(words).arg("--json").output().unwrap()
    }

    /// As above, not run yet, and for people.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(binary("landfall"));
        command.args(words).env("LANDFALL_HOME", &self.ana.machine.folder).stdin(Stdio::null());
        command
    }

    /// What it answers, when it must go well.
    #[track_caller]
    pub(super) fn answer(&self, words: &[&str]) -> Value {
        let output = self.landfall(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_touches_a_key_for_what_is_done_already() {
    let scene = Scene::new().await;
    scene.add_phone().await;
    let name = DeviceName::parse("ana-phone").unwrap();
    // While there is something to do it takes a touch, and nobody is there to give it.
    let wanted = scene.landfall(&["device", "revoke", "ana-phone", "--yes"]);
    assert_eq!(wanted.status.code(), Some(4));
    scene.ana.client().revoke_device(&name, &scene.ana.shell).await.unwrap();
    for words in [
        &["device", "revoke", "ana-phone"][..],
        &["device", "lost", "ana-phone"],
        &["admin", "devices", "revoke", "ana", "ana-phone"],
    ] {
        let done = scene.answer(words);
        assert_eq!(done["device"]["state"], "revoked", "{words:?}: {done}");
    }
    for words in [&["unfreeze"][..], &["admin", "unfreeze", "ana"]] {
        assert_eq!(scene.answer(words)["frozen"], false, "{words:?}");
    }
}

/// A frightened person types the wrong name: the machine that they sit at.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_cuts_off_the_machine_that_they_sit_at_by_a_slip() {
    let scene = Scene::new().await;
    scene.add_phone().await;
    for verb in ["suspend", "lost"] {
        let asked = scene.landfall(&["device", verb, "ana-desktop"]);
        assert_eq!(asked.status.code(), Some(2), "{asked:?}");
        let problem: Value = serde_json::from_slice(&asked.stderr).unwrap();
        assert_eq!(problem["code"], "input-needed");
    }
    // At a terminal it asks, and Enter alone is a no.
    let words = "device suspend ana-desktop";
    let mut desktop = Screen::run(&scene.ana.machine.folder, words);
    desktop.until(|seen| seen.contains("the very machine that you sit at").then_some(()));
    desktop.until(|seen| seen.contains("[y/N]").then_some(()));
    desktop.press("\n");
    desktop.until(|seen| seen.contains("Nothing was changed").then_some(()));
    assert_eq!(scene.answer(&["whoami"])["device"]["name"], "ana-desktop");

    let ways = ["landfall device resume", "administrator", "landfall recover --replace"];
    let cut = scene.command(&["device", "suspend", "ana-desktop", "--yes"]).output().unwrap();
    assert!(cut.status.success(), "{cut:?}");
    let said = String::from_utf8(cut.stdout).unwrap();
    let refused = scene.landfall(&["whoami"]);
    let problem: Value = serde_json::from_slice(&refused.stderr).unwrap();
    assert_eq!(problem["code"], "device-suspended");
    for way in ways {
        assert!(said.contains(way), "{way}: {said}");
        assert!(problem["detail"].as_str().unwrap().contains(way), "{way}: {problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_there_is_not_found() {
    let scene = Scene::new().await;
    let output = scene.landfall(&["admin", "devices", "--user", "nope"]);
    assert_eq!(output.status.code(), Some(6), "{output:?}");
    let problem: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(problem["code"], "not-found");
    assert_eq!(scene.answer(&["admin", "devices", "--user", "ana"])["items"][0]["user"], "ana");
    // Also for whoever cannot be told.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = scene.command(&["secret", "get", "nope"]);
    assert_eq!(command.stderr(full).status().unwrap().code(), Some(6));
    // A name that leads elsewhere is no name, for the program and for the server.
    let output = scene.landfall(&["secret", "get", "a/../b"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

/// The client's program on an agent's machine: its folder is its own.
fn agent(scene: &Scene, words: &[&str]) -> Command {
    let mut command = Command::new(binary("landfall"));
    let home = scene.folder.path().join("agent");
    command.args(words).arg("--json").env("LANDFALL_HOME", home);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What it answers to a line of stdin.
fn agent_says(scene: &Scene, words: &[&str], line: &str) -> (bool, Value) {
    let mut child = agent(scene, words).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{line}").unwrap();
    let output = child.wait_with_output().unwrap();
    let done = output.status.success();
    let said = if done { &output.stdout } else { &output.stderr };
    let said = String::from_utf8_lossy(said);
    let json = serde_json::from_str(said.trim()).unwrap_or_else(|_| panic!("{words:?}: {said}"));
    (done, json)
}

/// A server that is an agent provider.
async fn provider() -> (TempDir, Scene) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agents.toml");
    let said = "[agents]\nissuer = 'https://agents.example.org'\n\
                scopes = [{ scope = ['read'], audience = ['https://a.example.org'] }]\n";
    std::fs::write(&file, said).unwrap();
    let scene = Scene::with(|server| {
        server.arg("--config").arg(&file);
    });
    (folder, scene.await)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_enrols_speaks_and_is_cut_off_at_the_terminal() {
    let (_folder, scene) = provider().await;
    let profile = scene.ana.client().profile().unwrap();
    let server = ServerLine { url: profile.server, trust: profile.trust }.to_string();
    let made = scene.ana.client().make_agent_code(Some("research".into()), None, &scene.ana.shell);
    let code = made.await.map_err(|failure| failure.code()).unwrap().text;
    let enroll = ["agent", "enroll", "helper", "--server", server.as_str()];
    let (done, enrolled) = agent_says(&scene, &enroll, &code);
    assert!(done, "{enrolled}");
    assert_eq!(enrolled["agent"], "aauth:research@agents.example.org");
    let (done, token) = agent_says(&scene, &["agent", "token", "helper"], "");
    assert!(done && token["agent_token"].as_str().unwrap().split('.').count() == 3, "{token}");
    let words = ["agent", "sign", "GET", "https://a.example.org/items?x=1"];
    let (done, signed) = agent_says(&scene, &words, "");
    assert!(done && signed["signature_key"].as_str().unwrap().starts_with("sig=jwt"), "{signed}");
    let words = ["agent", "capability", "--scope", "read", "--at", "https://a.example.org"];
    let (done, allowed) = agent_says(&scene, &words, "");
    assert!(done && allowed["scope"][0] == "read", "{allowed}");
    let words =
        ["agent", "capability", "--scope", "write", "--at", "https://a.example.org", "--ask"];
    let mut child = agent(&scene, &words).spawn().unwrap();
    assert!(!child.wait().unwrap().success(), "its owner has not said yes");
    let asked = scene.answer(&["agent", "approvals"]);
    assert_eq!(asked["items"][0]["missing"][0], "write", "{asked}");

    assert_eq!(scene.answer(&["agent", "list", "--admin"])["items"][0]["state"], "active");
    let spent = scene.answer(&["agent", "codes"])["items"][0].clone();
    assert_eq!((&spent["state"], &spent["name"]), (&"consumed".into(), &"research".into()));
    let open = scene.ana.client().make_agent_code(None, None, &scene.ana.shell).await;
    let open = open.map_err(|failure| failure.code()).unwrap().issued.code.id;
    let withdrawn = scene.answer(&["agent", "cancel", open.as_str()]);
    assert_eq!(withdrawn["state"], "cancelled", "{withdrawn}");
    let tree = scene.answer(&["tree"]);
    assert_eq!(tree["below"][0]["device"], "ana-desktop", "{tree}");
    assert_eq!(tree["below"][0]["below"][0]["agent"], "aauth:research@agents.example.org");
    scene.ana.step_up().await.unwrap();
    scene.answer(&["agent", "revoke", "aauth:research@agents.example.org", "--yes"]);
    let (done, refused) = agent_says(&scene, &["agent", "token"], "");
    assert!(!done && refused["code"] == "agent-revoked", "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_shows_a_code_is_let_in_by_six_digits() {
    let (_folder, scene) = provider().await;
    let profile = scene.ana.client().profile().unwrap();
    let server = ServerLine { url: profile.server, trust: profile.trust }.to_string();
    let words = ["agent", "enroll", "helper", "--server", &server, "--user", "ana"];
    let mut child = agent(&scene, &words).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut shown = |member: &str| loop {
        let line = lines.next().expect("the agent ended").unwrap();
        let json: Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(text) = json[member].as_str() {
            return text.to_owned();
        }
    };
    let code = shown("code");
    let offer = scene.ana.client().find_agent(&code).await.map_err(|failure| failure.code());
    let meeting = offer.unwrap().meet(&scene.ana.shell).await;
    let meeting = meeting.map_err(|failure| failure.code()).unwrap();
    let digits = shown("digits");
    meeting.approve(&digits, &scene.ana.shell).await.unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let enrolled: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(enrolled["agent"], "aauth:helper@agents.example.org");
    assert_eq!(scene.answer(&["agent", "list"])["items"][0]["door"], "pairing");
}

/// A terminal with a program in it.
pub(super) struct Screen {
    pub(super) child: Child,
    pub(super) seen: String,
}

impl Screen {
    pub(super) fn run(home: &Path, words: &str) -> Self {
        let command = format!("exec {} {words}", binary("landfall").display());
        // A program that waits for another answer than the story gives is ended, and what it showed is told.
        let child = Command::new("timeout")
            .args(["--foreground", "90", "script"])
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .env("LANDFALL_HOME", home)
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, seen: String::new() }
    }

    /// Reads on until `done` finds what it looks for.
    pub(super) fn until<T>(&mut self, done: impl Fn(&str) -> Option<T>) -> T {
        let screen = self.child.stdout.as_mut().unwrap();
        let mut chunk = [0; 1024];
        loop {
            if let Some(found) = done(&self.seen) {
                return found;
            }
            let read = screen.read(&mut chunk).unwrap();
            assert!(read > 0, "{}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&chunk[..read]));
        }
    }

    /// What is left to read, once the program has ended.
    pub(super) fn rest(&mut self) {
        let mut rest = Vec::new();
        self.child.stdout.as_mut().unwrap().read_to_end(&mut rest).unwrap();
        self.seen.push_str(&String::from_utf8_lossy(&rest));
    }

    pub(super) fn press(&mut self, keys: &str) {
        self.child.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }
}

/// Ana touches her key in a page that she opens herself: the program's own browser shows nothing.
pub(super) async fn touch(screen: &mut Screen, scene: &Scene) {
    screen.until(|seen| seen.contains("press Enter").then_some(()));
    screen.press("\n");
    // The page's address stands on a line of its own once the program asks for the code.
    let page = screen.until(|seen| {
        let asked = seen.contains("The code on the page");
        let mut lines = seen.lines().map(str::trim);
        let line = lines.rfind(|line| line.starts_with("http://localhost"));
        line.filter(|_| asked).map(str::to_owned)
    });
    let browser = scene.ana.shell.browser();
    let Arrived::Showing(code) = browser.lock().await.open(&page).await.unwrap() else {
        panic!("the page went elsewhere")
    };
    screen.press(&format!("{code}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_failed_and_that_nobody_closes_is_left_by_enter() {
    let scene = Scene::new().await;
    // A browser that shows nothing and ends well: nothing ever comes back from it.
    let mut screen = Screen::run(&scene.ana.machine.folder, "login --step-up --browser true");
    touch(&mut screen, &scene).await;
    screen.until(|seen| seen.contains("You are here").then_some(()));
    assert!(screen.child.wait().unwrap().success());
}

/// What `find` finds on a line of a mail to Ana, as soon as there is such a mail.
pub(super) async fn mailed(smtp: &SmtpServer, find: impl Fn(&str) -> Option<String>) -> String {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        let texts = smtp.mails_to(ANA).into_iter().rev().map(|mail| mail.text().unwrap());
        let found = texts.filter_map(|text| text.lines().find_map(|line| find(line.trim()))).next();
        if let Some(found) = found {
            return found;
        }
        assert!(Instant::now() < patience, "no mail came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A server that mails, and Ana's sheet: the line that names the server, and a code.
pub(super) async fn with_sheet() -> (SmtpServer, Scene, String, String) {
    let smtp = SmtpServer::start(Protection::Plain).await.unwrap();
    let url = format!("smtp://{}", smtp.address);
    let scene = Scene::with(|server| {
        server.env("LANDFALL_SMTP_URL", url).env("LANDFALL_SMTP_FROM", "landfall@example.org");
    })
    .await;
    let client = scene.ana.client();
    scene.ana.step_up().await.unwrap();
    let added = client.add_address(&ANA.parse().unwrap()).await.unwrap();
    let confirm = |line: &str| line.strip_prefix("landfall notices confirm ").map(str::to_owned);
    let code = mailed(&smtp, confirm).await;
    client.confirm_address(&added.id, &code).await.unwrap();
    let sheet = client.make_recovery_codes(&scene.ana.shell).await.unwrap();
    let (server, paper) = (sheet.server.to_string(), sheet.codes[0].to_text().to_string());
    (smtp, scene, server, paper)
}

/// A mailed code that stands alone on its line.
pub(super) fn alone(line: &str) -> Option<String> {
    let is_code = line.len() == 9 && line.as_bytes()[4] == b'-';
    is_code.then(|| line.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_comes_back_with_a_sheet_and_a_mailbox() {
    let (smtp, scene, server, paper) = with_sheet().await;
    let home = scene.folder.path().join("bare");
    let words = format!("recover --server '{server}' --user ana --device ana-new");
    let mut screen = Screen::run(&home, &words);
    screen.until(|seen| seen.contains("Have you a passkey here").then_some(()));
    screen.press("\n");
    screen.until(|seen| seen.contains("A recovery code").then_some(()));
    screen.press(&format!("{paper}\n"));
    screen.until(|seen| seen.contains("Make this machine yours?").then_some(()));
    screen.press("\n");
    screen.until(|seen| seen.contains("Shall a code be mailed").then_some(()));
    screen.press("\n");
    screen.until(|seen| seen.contains("The code from the mail").then_some(()));
    let code = mailed(&smtp, alone).await;
    // A slip of the finger is told, and asked again.
    screen.press("0000-0000\n");
    screen.until(|seen| seen.contains("mailed-code-wrong").then_some(()));
    screen.press(&format!("{}\n", code.to_lowercase()));
    screen.until(|seen| seen.contains("Which one is lost?").then_some(()));
    screen.press("\n");
    screen.until(|seen| seen.contains("This machine is ana-new of ana").then_some(()));
    assert!(screen.child.wait().unwrap().success());
    assert!(screen.seen.contains("Write this one onto your sheet"), "{}", screen.seen);
}

/// The first code was refused, and the window closed. Nine others stand on the sheet; and the machine is
/// to be called something else by now.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_code_and_a_closed_window_leave_the_other_nine() {
    let (smtp, scene, server, paper) = with_sheet().await;
    let home = scene.folder.path().join("bare");
    let words = ["recover", "--server", &server, "--user", "ana", "--device", "ana-old"];
    let unknown = RecoveryCode::generate(&SystemRandom).to_text();
    let (code, refused) = piped(&home, &words, &unknown);
    assert_ne!(code, Some(0));
    assert_eq!(refused["code"], "recovery-code-wrong", "{refused}");

    let mut screen = Screen::run(&home, "recover --device ana-new");
    screen.until(|seen| seen.contains("A code from your sheet").then_some(()));
    screen.press(&format!("{}\n", unknown.as_str()));
    screen.until(|seen| seen.contains("Another code").then_some(()));
    screen.press("\n");
    // What is asked for now is the mail; a code from the sheet is taken as what it is.
    screen.until(|seen| seen.contains("The code from your mail").then_some(()));
    screen.press(&format!("{paper}\n"));
    screen.until(|seen| (seen.matches("The code from your mail").count() == 2).then_some(()));
    screen.press("\n");
    screen.until(|seen| seen.contains("The code from the mail").then_some(()));
    let code = mailed(&smtp, alone).await;
    screen.press(&format!("{code}\n"));
    screen.until(|seen| seen.contains("Which one is lost?").then_some(()));
    screen.press("\n");
    screen.until(|seen| seen.contains("This machine is ana-new of ana").then_some(()));
    assert!(screen.child.wait().unwrap().success());
}

/// The client's program on a machine of its own, with something piped into it.
pub(super) fn piped(home: &Path, words: &[&str], input: &str) -> (Option<i32>, Value) {
    let mut child = Command::new(binary("landfall"))
        .args(words)
        .args(["--json", "--yes", "--no-wait"])
        .env("LANDFALL_HOME", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    (output.status.code(), serde_json::from_slice(said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_comes_back_in_two_steps() {
    let (smtp, scene, server, paper) = with_sheet().await;
    let home = scene.folder.path().join("bare");
    let (code, nothing) = piped(&home, &["recover", "--mailed"], "AAAA-AAAA");
    assert_ne!(code, Some(0));
    assert_eq!(nothing["code"], "input-needed", "no recovery is under way here: {nothing}");
    let words = ["recover", "--mail", "--server", &server, "--user", "ana", "--device", "ana-new"];
    let (code, waiting) = piped(&home, &words, &paper);
    assert_eq!(waiting["state"], "waiting", "{waiting}");
    assert_ne!(code, Some(0), "a script is told that it is not done");
    let mailed = mailed(&smtp, alone).await;
    let (code, done) = piped(&home, &["recover", "--mailed"], &format!("{mailed}\n"));
    assert_eq!((code, &done["state"]), (Some(0), &"done".into()), "{done}");
    assert!(done["new_code"].is_string(), "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_here_is_left_for_something_new_when_told_so() {
    let (_smtp, scene, server, paper) = with_sheet().await;
    let home = scene.folder.path().join("bare");
    let words = ["recover", "--server", &server, "--user", "ana", "--device"];
    let (_, first) = piped(&home, &[&words[..], &["ana-typo"]].concat(), &paper);
    assert_eq!(first["state"], "waiting", "{first}");
    let anew = [&words[..], &["ana-new", "--anew"]].concat();
    let (_, second) = piped(&home, &anew, &paper);
    assert_eq!(second["state"], "waiting", "{second}");
    let number =
        |said: &serde_json::Value| said["status"]["recovery_id"].as_str().unwrap().to_owned();
    assert_ne!(number(&first), number(&second), "another one");
}
