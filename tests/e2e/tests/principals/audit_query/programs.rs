//! The programs as people run them: exports for other systems, and proofs that are checked without a
//! server.

use landfall_crypto::ambient::Ambient;
use landfall_identity::UserName;
use landfall_identity::passkey::Attachment;
use landfall_server::keys::AUDIT_PUBLIC;
use landfall_test_support::{Machine, Person, PocketKey};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A server, and Ana, who has claimed it.
struct Scene {
    server: Child,
    folder: TempDir,
    ana: Person,
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

fn serve(folder: &Path) -> (Child, Value) {
    let mut server = Command::new(binary("landfall-server"))
        .args(["serve", "--json", "--show-claim-token", "--listen", "127.0.0.1:0"])
        .args(["--localhost-listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.join("server"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (server, serde_json::from_str(&line).unwrap())
}

impl Scene {
    async fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let (server, ready) = serve(folder.path());
        let machine = Machine::at(&folder.path().join("ana"), &Ambient::system()).unwrap();
        let claim = ready["claim_token"].as_str().unwrap();
        machine.enroll(claim, Some("ana"), Some("ana-desktop")).await.unwrap();
        let name = UserName::parse("ana").unwrap();
        let ana = Person { name, machine, shell: PocketKey::new().unwrap() };
        ana.register(Attachment::Roaming).await.unwrap();
        Self { server, folder, ana }
    }

    fn landfall(&self, words: &[&str]) -> (bool, String) {
        let output = Command::new(binary("landfall"))
            .args(words)
            .env("LANDFALL_HOME", &self.ana.machine.folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = if output.status.success() { output.stdout } else { output.stderr };
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    #[track_caller]
    fn says(&self, words: &[&str]) -> String {
        let (well, said) = self.landfall(words);
        assert!(well, "{words:?}: {said}");
        said
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_out_in_three_forms_a_line_each() {
    let scene = Scene::new().await;
    // More than a page of them.
    for _ in 0..210 {
        scene.ana.client().whoami().await.unwrap();
    }
    let only = ["--action", "read-self", "--format"];
    let lines = |verb: &[&str], form: &str| -> Vec<String> {
        let said = scene.says(&[verb, &only[..], &[form]].concat());
        said.lines().map(str::to_owned).collect()
    };
    for (verb, form) in [
        (&["audit"][..], "jsonl"),
        (&["admin", "audit"][..], "ocsf"),
        (&["audit", "--tenant"][..], "cef"),
    ] {
        let lines = lines(verb, form);
        assert!(lines.len() >= 210, "{} lines of {form}", lines.len());
        for line in lines {
            match form {
                "cef" => assert!(
                    line.starts_with("CEF:0|Landfall|landfall-server|")
                        && line.contains(" act=read-self "),
                    "{line}"
                ),
                _ => {
                    let row: Value = serde_json::from_str(&line).unwrap();
                    let action = row["action"].as_str().or(row["api"]["operation"].as_str());
                    assert_eq!(action, Some("read-self"), "{line}");
                }
            }
        }
    }
    let (well, said) = scene.landfall(&["audit", "--format", "xml"]);
    assert!(!well && said.contains("jsonl, cef or ocsf"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_checked_when_the_server_is_gone() {
    let mut scene = Scene::new().await;
    // Sealed within a second.
    let seq = loop {
        let page: Value =
            serde_json::from_str(&scene.says(&["audit", "--json", "--limit", "200"])).unwrap();
        let sealed = page["items"].as_array().unwrap().iter().find_map(|row| row["seq"].as_u64());
        if let Some(seq) = sealed {
            break seq.to_string();
        }
    };
    let checkpoint = scene.file("checkpoint.json", &scene.says(&["audit", "checkpoint"]));
    let proof = scene.says(&["audit", "proof", &seq, "--checkpoint", &checkpoint]);
    let proof = scene.file("proof.json", &proof);
    let growth = scene.says(&["audit", "growth", "--checkpoint", &checkpoint]);
    let growth = scene.file("growth.json", &growth);
    let key = scene.folder.path().join("server").join(AUDIT_PUBLIC).display().to_string();
    scene.server.kill().unwrap();
    let trusted = ["--checkpoint", checkpoint.as_str(), "--key", key.as_str()];
    let verify = |file: &str| scene.landfall(&[&["audit", "verify", file][..], &trusted].concat());
    let (well, said) = verify(&proof);
    assert!(well && said.contains("/user/ana/device/ana-desktop"), "{said}");
    let (well, said) = verify(&growth);
    assert!(well && said.contains("begins with the log of"), "{said}");
    let other = std::fs::read_to_string(&proof)
        .unwrap()
        .replace(&format!("\"seq\": {seq}"), "\"seq\": 9999");
    let (well, said) = verify(&scene.file("forged.json", &other));
    assert!(!well, "{said}");
}
