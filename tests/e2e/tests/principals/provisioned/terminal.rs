//! The programs as people run them: the real binaries, a real terminal where words are asked for.

use super::server_key;
use landfall_client::HandedOut;
use landfall_crypto::ambient::Ambient;
use landfall_identity::UserName;
use landfall_identity::passkey::Attachment;
use landfall_test_support::{Machine, Person, PocketKey};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A server of its own process, and Ana, who has claimed it.
pub struct Scene {
    server: Child,
    pub folder: TempDir,
    pub ana: Person,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Beside the test's own folder, where cargo puts binaries.
fn binary(name: &str) -> PathBuf {
    let here = std::env::current_exe().unwrap();
    here.parent().and_then(Path::parent).unwrap().join(name)
}

impl Scene {
    /// A server that logs whatever can be logged.
    pub async fn logging_everything() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut server = Command::new(binary("landfall-server"))
            .args(["serve", "--json", "--show-claim-token", "--listen", "127.0.0.1:0"])
            .args(["--localhost-listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.path().join("server"))
            .env("LANDFALL_LOG_FILTER", "trace")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
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

    pub fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    pub fn machine(&self, name: &str) -> Machine {
        Machine::at(&self.folder.path().join(name), &Ambient::system()).unwrap()
    }

    /// The client's program on a machine of this name, with something piped into it.
    fn piped(&self, home: &str, words: &[&str], input: &str) -> Output {
        let mut child = Command::new(binary("landfall"))
            .args(words)
            .env("LANDFALL_HOME", self.folder.path().join(home))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// The same, before a person who types `words` when they are asked for.
    fn typed(&self, home: &str, line: &str, words: &str) -> (bool, String) {
        let command = format!("'{}' {line}", binary("landfall").display());
        let mut child = Command::new("timeout")
            .args(["--foreground", "90", "script", "--quiet", "--return", "--command", &command])
            .arg("/dev/null")
            .env("LANDFALL_HOME", self.folder.path().join(home))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut screen, mut seen) = (child.stdout.take().unwrap(), String::new());
        let mut chunk = [0; 1024];
        while !seen.contains("The words that open the file") {
            let read = screen.read(&mut chunk).unwrap();
            assert!(read > 0, "{seen}");
            seen.push_str(&String::from_utf8_lossy(&chunk[..read]));
        }
        child.stdin.as_mut().unwrap().write_all(format!("{words}\n").as_bytes()).unwrap();
        let mut rest = Vec::new();
        screen.read_to_end(&mut rest).unwrap();
        seen.push_str(&String::from_utf8_lossy(&rest));
        (child.wait().unwrap().success(), seen)
    }

    async fn provision(&self, name: &str) -> (HandedOut, PathBuf) {
        let client = self.ana.client();
        let made = client.provision(server_key(name), &self.ana.shell).await.unwrap();
        let path = self.folder.path().join(format!("{name}.age"));
        std::fs::write(&path, &made.file).unwrap();
        (made, path)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_is_claimed_at_its_terminal_and_says_who_it_is() {
    let scene = Scene::logging_everything().await;
    let (made, path) = scene.provision("build-7").await;
    let file = path.display().to_string();
    let (opened, seen) = scene.typed("nobody", &format!("reveal '{file}'"), &made.passphrase);
    assert!(opened && seen.contains("BEGIN PRIVATE KEY"), "{seen}");
    assert!(seen.contains("Device: build-7"), "{seen}");
    assert!(!seen.contains(made.passphrase.as_str()), "what is typed is not shown");
    let line = format!("enroll --yes --provisioned '{file}'");
    let (wrong, seen) = scene.typed("build-7", &line, "four other words here");
    assert!(!wrong && seen.contains("passphrase-wrong"), "{seen}");
    let (claimed, seen) = scene.typed("build-7", &line, &made.passphrase);
    assert!(claimed && seen.contains("This machine is build-7 on https://"), "{seen}");
    let whoami = scene.piped("build-7", &["whoami"], "");
    let said = text(&whoami.stdout);
    assert!(said.starts_with("build-7, a machine that stands for itself"), "{said}");
    assert!(said.contains("/tenant/home/device/build-7"), "{said}");
    let doctor = scene.piped("build-7", &["doctor"], "");
    assert!(doctor.status.success(), "{}{}", text(&doctor.stdout), text(&doctor.stderr));
    // Nothing of a person's is here, and it says so.
    let devices = scene.piped("build-7", &["device", "list"], "");
    assert_eq!(devices.status.code(), Some(5), "{}", text(&devices.stderr));
    let step_up = scene.piped("build-7", &["login", "--step-up"], "");
    let said = text(&step_up.stderr);
    assert!(said.contains("stands for itself") && !said.contains("internal"), "{said}");
    let list = scene.piped("ana", &["admin", "provisioned", "list"], "");
    let said = text(&list.stdout);
    assert!(said.contains("claimed") && said.contains("its own"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_claims_a_machine_with_the_words_piped_in() {
    let scene = Scene::logging_everything().await;
    let (made, path) = scene.provision("build-8").await;
    let file = path.display().to_string();
    let words = ["enroll", "--provisioned", &file, "--yes", "--json"];
    let done = scene.piped("build-8", &words, &format!("{}\n", made.passphrase.as_str()));
    assert!(done.status.success(), "{}", text(&done.stderr));
    let answer: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&answer["device"], &answer["user"]), (&"build-8".into(), &Value::Null));
    // Again, on another machine: somebody has a copy of the file.
    let thief = scene.piped("thief", &words, &format!("{}\n", made.passphrase.as_str()));
    assert_eq!(thief.status.code(), Some(3));
    let problem: Value = serde_json::from_slice(&thief.stderr).unwrap();
    assert_eq!(problem["code"], "credential-claimed");
    // A claim of a server is a person's, and what takes a touch is not begun without one.
    let claim = scene.piped("ana", &["claim", "--provisioned", &file], "");
    assert_eq!(claim.status.code(), Some(2));
    let target = scene.folder.path().join("untouched.age");
    let words = ["device", "provision", "build-9", "--role", "server", "--file"];
    let nobody = scene.piped("ana", &[&words[..], &[target.to_str().unwrap()]].concat(), "");
    assert_eq!(nobody.status.code(), Some(4), "{}", text(&nobody.stderr));
    assert!(!target.exists(), "no file is left of what was not done");
}
