//! What the program does without a server: refusals that spend nothing, JSON, exit codes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use landfall_client::words::{
    Ambient, DoorSecret, Seconds, SystemRandom, TenantName, TokenId, TokenKind, TokenPayload,
    TokenText, Trust, UserName,
};
use serde_json::Value;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Nobody listens there: port 9 of this machine is reserved for discarding.
const NOBODY: &str = "https://127.0.0.1:9";

fn landfall(home: &Path, arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_landfall"))
        .args(arguments)
        .env_clear()
        .env("LANDFALL_HOME", home)
        .env("HOME", "/nonexistent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments does not read its input.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn home() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    (folder, home)
}

fn problem(output: &Output) -> Value {
    assert!(output.stdout.is_empty(), "nothing on stdout when it fails");
    serde_json::from_slice(&output.stderr)
        .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&output.stderr)))
}

fn token(user: Option<&str>, lifetime: Seconds) -> String {
    let payload = TokenPayload {
        id: TokenId::from_bits([3; 16]),
        kind: TokenKind::Claim,
        url: NOBODY.parse().unwrap(),
        trust: Trust::Pin([0; 32]),
        tenant: TenantName::parse("home").unwrap(),
        user: user.map(|user| UserName::parse(user).unwrap()),
        device: None,
        exp: Ambient::system().now() + lifetime,
        vault: false,
        role: None,
    };
    let token = TokenText { payload, secret: DoorSecret::generate(&SystemRandom) };
    token.print().unwrap().to_string()
}

#[test]
fn a_sheet_of_no_known_kind_is_refused_before_codes_are_made() {
    let (folder, home) = home();
    let file = folder.path().join("codes.txt");
    let words = ["recovery", "codes", "make", "--sheet", file.to_str().unwrap(), "--json", "--yes"];
    let output = landfall(&home, &words, "");
    assert_eq!(output.status.code(), Some(2));
    let problem = problem(&output);
    assert_eq!((&problem["code"], &problem["field"]), (&"invalid-field".into(), &"sheet".into()));
    assert!(!file.exists());
}

/// Whoever's output is full is not told that the server has failed.
#[test]
#[cfg(target_os = "linux")]
fn a_full_output_is_an_error_of_its_own_and_a_closed_one_is_none() {
    let (_folder, home) = home();
    let run = |arguments: &[&str], stdout: Stdio| {
        Command::new(env!("CARGO_BIN_EXE_landfall"))
            .args(arguments)
            .env_clear()
            .env("LANDFALL_HOME", &home)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .output()
            .unwrap()
    };
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    for arguments in [&["completions", "bash"][..], &["--help"], &["--version", "--json"]] {
        let output = run(arguments, full().into());
        assert_eq!(output.status.code(), Some(11), "{arguments:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("output-unwritable"), "{text}");
        assert!(text.contains("No space left on device"), "{text}");

        let output = run(arguments, closed().into());
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn without_an_identity_it_says_how_to_get_one() {
    let (_folder, home) = home();
    let output = landfall(&home, &["whoami"], "");
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("landfall enroll") && text.contains("(no-profile)"), "{text}");
    // Whoever has lost everything needs no administrator first.
    assert!(text.find("landfall recover") < text.find("landfall enroll"), "{text}");

    let output = landfall(&home, &["whoami", "--json"], "");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(problem(&output)["code"], "no-profile");
}

#[test]
fn a_bad_paste_is_found_here_and_changes_nothing() {
    let (_folder, home) = home();
    let good = token(None, Seconds::minutes(5));
    let names = ["--user", "bert", "--device", "x1", "--yes", "--json"];
    let cut = &good[..good.len() - 3];
    let mistyped = good.replacen(&good[20..21], if &good[20..21] == "A" { "B" } else { "A" }, 1);
    let newer = good.replacen("lf1", "lf2", 1);
    for (paste, code, exit) in [
        ("hello", "token-unreadable", 2),
        (cut, "token-mistyped", 2),
        (&mistyped, "token-mistyped", 2),
        (&newer, "token-too-new", 10),
        ("", "input-needed", 2),
    ] {
        let output = landfall(&home, &[&["enroll"][..], &names].concat(), paste);
        assert_eq!(problem(&output)["code"], code, "{paste}");
        assert_eq!(output.status.code(), Some(exit), "{paste}");
    }
    let over = landfall(&home, &[&["enroll"][..], &names].concat(), &token(None, Seconds(0)));
    assert_eq!(problem(&over)["code"], "token-expired");
    assert!(std::fs::read_dir(home.join("keys")).unwrap().next().is_none(), "no key was made");
}

#[test]
fn names_must_be_given_and_may_not_contradict_the_code() {
    let (_folder, home) = home();
    let open = token(None, Seconds::minutes(5));
    let output = landfall(&home, &["claim", &open, "--json", "--yes"], "");
    assert_eq!(problem(&output)["code"], "name-missing");
    assert_eq!(problem(&output)["field"], "user");
    let named = token(Some("bert"), Seconds::minutes(5));
    let arguments = ["enroll", &named, "--user", "eve", "--device", "x1", "--json", "--yes"];
    assert_eq!(problem(&landfall(&home, &arguments, ""))["code"], "token-names-another");
}

#[test]
fn no_question_is_asked_where_nobody_answers() {
    let (_folder, home) = home();
    let token = token(Some("bert"), Seconds::minutes(5));
    let output = landfall(&home, &["enroll", "--device", "x1", "--json"], &token);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(problem(&output)["code"], "input-needed");
}

#[test]
fn without_a_network_it_can_be_tried_again_with_the_same_key() {
    let (_folder, home) = home();
    let token = token(Some("bert"), Seconds::minutes(5));
    let arguments = ["enroll", "--device", "x1", "--yes", "--json"];
    let output = landfall(&home, &arguments, &token);
    assert_eq!(problem(&output)["code"], "server-unreachable");
    assert_eq!(output.status.code(), Some(8));
    let keys = || {
        let entries = std::fs::read_dir(home.join("keys")).unwrap().flatten();
        entries.map(|entry| std::fs::read(entry.path()).unwrap()).collect::<Vec<_>>()
    };
    let before = keys();
    assert_eq!(before.len(), 1);
    // Without a code, it takes up what was interrupted.
    let output = landfall(&home, &["enroll", "--json"], "");
    assert_eq!(problem(&output)["code"], "server-unreachable");
    assert_eq!(keys(), before, "same key");
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, home) = home();
    std::fs::create_dir(&home).unwrap();
    std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = landfall(&home, &["whoami", "--json"], "");
    assert_eq!(problem(&output)["code"], "state-exposed");
    // Whoever asks what is wrong is told in the form of the answer.
    let output = landfall(&home, &["doctor", "--json"], "");
    assert_eq!(output.status.code(), Some(11));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["healthy"], false);
    let check = &report["checks"][0];
    assert_eq!((&check["id"], &check["code"]), (&"folder".into(), &"state-exposed".into()));
    let output = landfall(&home, &["doctor"], "");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("PROBLEM") && text.contains("state-exposed"), "{text}");
}

#[test]
fn what_asks_for_json_gets_json_whatever_it_asks() {
    let (_folder, home) = home();
    for (words, key) in [
        (&["--json", "completions", "bash"][..], "script"),
        (&["completions", "--json", "zsh"], "script"),
        (&["--json", "--version"], "version"),
        (&["--json", "secret", "--help"], "help"),
    ] {
        let output = landfall(&home, words, "");
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(answer[key].as_str().is_some_and(|text| !text.is_empty()), "{words:?}: {answer}");
        assert!(output.stderr.is_empty(), "{words:?}");
    }
}

#[test]
fn usage_errors_are_json_too_when_asked_for() {
    let (_folder, home) = home();
    let output = landfall(&home, &["--json", "secret", "delete", "wifi"], "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(problem(&output)["code"], "invalid-field");
    let output = landfall(&home, &["device", "add", "Not A Name"], "");
    assert_eq!(output.status.code(), Some(2));
}

/// Whoever is nobody here needs an identity first, whatever else it would take.
#[test]
fn without_an_identity_no_passkey_is_asked_for() {
    let (_folder, home) = home();
    for words in [
        &["device", "add", "x2"][..],
        &["device", "suspend", "x2"],
        &["webauthn", "register"],
        &["admin", "invite", "bert"],
        &["recovery", "codes", "make"],
        &["login", "--step-up"],
        &["freeze"],
    ] {
        let output = landfall(&home, &[words, &["--json"]].concat(), "");
        assert_eq!(problem(&output)["code"], "no-profile", "{words:?}");
        assert_eq!(output.status.code(), Some(3), "{words:?}");
    }
    // Where an identity is what one comes for, the touch is.
    let words = ["enroll", "--roaming-authenticator", "--json"];
    let output = landfall(&home, &words, "");
    assert_eq!(problem(&output)["code"], "step-up-required");
    assert_eq!(output.status.code(), Some(4));
}

/// A number is no secret: whoever has seen a code can make another one that bears it.
#[test]
fn a_code_is_taken_for_itself_and_not_for_another_of_its_number() {
    let (_folder, home) = home();
    let theirs = token(Some("bert"), Seconds::minutes(5));
    let says = |code: &str| {
        let output = landfall(&home, &["enroll", "--device", "x1", "--yes"], code);
        assert_eq!(output.status.code(), Some(8));
        // Broken between words, so that it fits a terminal.
        let said = String::from_utf8(output.stderr).unwrap();
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let said = says(&theirs);
    assert!(said.contains("user bert") && !said.contains("another code"), "{said}");
    let said = says(&theirs);
    assert!(said.contains(&format!("interrupted: x1 of bert on {NOBODY}")), "{said}");

    let ours = token(Some("carl"), Seconds::minutes(5));
    let said = says(&ours);
    assert!(said.contains("another code that goes by the same number"), "{said}");
    assert!(said.contains("user carl") && !said.contains("bert"), "{said}");
    assert!(says(&ours).contains("interrupted: x1 of carl"));
}

/// What cannot be said changes nothing about what happened.
#[test]
#[cfg(target_os = "linux")]
fn whoever_cannot_be_told_still_gets_the_exit_code() {
    let (_folder, home) = home();
    let code = token(Some("bert"), Seconds::minutes(5));
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    for (words, exit) in [
        (&["whoami"][..], 3),
        (&["whoami", "--json"], 3),
        (&["secret", "delete"], 2),
        (&["enroll", &code, "--device", "x1", "--yes", "-vv"], 8),
    ] {
        for stderr in [Stdio::from(full()), Stdio::from(closed())] {
            let ended = Command::new(env!("CARGO_BIN_EXE_landfall"))
                .args(words)
                .env_clear()
                .env("LANDFALL_HOME", &home)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(stderr)
                .status()
                .unwrap();
            assert_eq!(ended.code(), Some(exit), "{words:?}");
        }
    }
}

#[test]
fn doctor_and_completions_need_no_identity() {
    let (_folder, home) = home();
    let output = landfall(&home, &["doctor", "--json"], "");
    assert_eq!(output.status.code(), Some(3), "scripts are told that something is wrong");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["healthy"], false);
    let output = landfall(&home, &["completions", "bash"], "");
    assert!(String::from_utf8(output.stdout).unwrap().contains("landfall"));
}

#[test]
fn a_machine_of_agents_misses_no_person() {
    let (_folder, home) = home();
    let agents = home.join("agents");
    std::fs::create_dir_all(&agents).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let kept = serde_json::json!({
        "handle": "research",
        "agent": "aauth:research@agents.example.org",
        "server": NOBODY,
        "trust": "webpki",
        "key": { "handle": "agent-gone", "thumbprint": "x" },
    });
    std::fs::write(agents.join("research.json"), kept.to_string()).unwrap();

    let output = landfall(&home, &["doctor", "--json"], "");
    assert_eq!(output.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let said = report["checks"][1]["detail"].as_str().unwrap();
    assert!(said.contains("research") && said.contains("`landfall agent here`"), "{report}");
    let output = landfall(&home, &["whoami", "--json"], "");
    let problem_of = problem(&output);
    assert_eq!(problem_of["code"], "no-profile");
    assert!(problem_of["detail"].as_str().unwrap().contains("research"), "{problem_of}");

    // Its key is lost: what helps is said, and works.
    let output = landfall(&home, &["agent", "token", "--json"], "");
    let said = problem(&output)["detail"].as_str().unwrap().to_owned();
    assert!(said.contains("`landfall agent forget research`") && !said.contains("--replace"));
    let again = ["agent", "enroll", "research", "--server", NOBODY, "--json"];
    let output = landfall(&home, &again, "");
    let said = problem(&output)["detail"].as_str().unwrap().to_owned();
    assert!(said.contains("`landfall agent forget research`"), "{said}");
    let output = landfall(&home, &["agent", "forget", "research", "--yes", "--json"], "");
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    let output = landfall(&home, &again, "");
    let needed = problem(&output);
    assert_eq!(needed["code"], "input-needed");
    let said = needed["detail"].as_str().unwrap();
    assert!(said.contains("lfa1.") && said.contains("--user"), "{said}");
    // Somebody else's secret goes nowhere, and makes no key.
    let output = landfall(&home, &again, &token(Some("bert"), Seconds::minutes(5)));
    let refused = problem(&output);
    assert_eq!(refused["code"], "token-unreadable");
    assert!(refused["detail"].as_str().unwrap().contains("`landfall enroll`"), "{refused}");
    let keys = std::fs::read_dir(home.join("keys")).map_or(0, Iterator::count);
    assert_eq!(keys, 0);
}

#[test]
fn no_words_are_not_wrong_words() {
    let (folder, home) = home();
    let file = folder.path().join("build-7.age");
    std::fs::write(&file, "age-encryption.org/v1\n").unwrap();
    let file = file.to_str().unwrap();
    for words in [&["reveal", file, "--json"][..], &["enroll", "--provisioned", file, "--json"]] {
        for nothing in ["", "\n"] {
            assert_eq!(problem(&landfall(&home, words, nothing))["code"], "input-needed");
        }
    }
}

#[test]
fn a_usage_error_for_a_program_is_one_sentence() {
    let (_folder, home) = home();
    let output = landfall(&home, &["--json", "token", "cancel", "nope"], "");
    let detail = problem(&output)["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("copy it from the list"), "{detail}");
    assert!(!detail.contains('\n') && !detail.contains("error:"), "{detail}");
}

#[test]
fn looking_leaves_no_folder_behind() {
    let (_folder, home) = home();
    for verb in ["whoami", "doctor", "secret list"] {
        landfall(&home, &verb.split(' ').collect::<Vec<_>>(), "");
        assert!(!home.exists(), "{verb}");
    }
}

/// Mail programs break long lines; on a terminal each line of a paste is an answer of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_code_in_three_lines_is_pasted_at_once_and_never_shown() {
    let (_folder, home) = home();
    let code = token(Some("bert"), Seconds::minutes(5));
    let (first, rest) = code.split_at(code.len() / 3);
    let (second, third) = rest.split_at(rest.len() / 2);
    let terminal = home.with_extension("terminal");
    let program = env!("CARGO_BIN_EXE_landfall");
    let command =
        format!("tty > {}; exec {program} enroll --device x1 --yes --json", terminal.display());
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env("LANDFALL_HOME", &home)
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut screen = child.stdout.take().unwrap();
    let mut seen = String::new();
    let mut chunk = [0; 1024];
    while !seen.contains("Paste the code") {
        let read = screen.read(&mut chunk).unwrap();
        assert!(read > 0, "{seen}");
        seen.push_str(&String::from_utf8_lossy(&chunk[..read]));
    }
    // People paste after the prompt, not within the same millisecond.
    let terminal = std::fs::read_to_string(&terminal).unwrap();
    while !settings_of(terminal.trim()).contains("-echo ") {
        std::thread::yield_now();
    }
    // Open until the end: `script` takes the end of its own input for the end of the terminal's.
    let mut keys = child.stdin.take().unwrap();
    keys.write_all(format!("{first}\n{second}\n{third}\n").as_bytes()).unwrap();
    screen.read_to_string(&mut seen).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(8), "{seen}");
    assert!(seen.contains("server-unreachable"), "the whole code was read: {seen}");
    assert!(!seen.contains(&code[20..40]) && !seen.contains(&third[..8]), "{seen}");
}

#[cfg(target_os = "linux")]
fn settings_of(terminal: &str) -> String {
    let told = Command::new("stty").args(["-a", "-F", terminal]).output().unwrap();
    String::from_utf8(told.stdout).unwrap()
}
