//! The file: opened by the age program as anybody has it, and the very key that the server knows.

use super::{opened, people, phrase, pinned, provision, role, server_key};
use landfall_client::{HandedOut, WantedKey, reveal};
use landfall_crypto::Signer;
use landfall_protocol::ErrorCode;
use landfall_test_support::World;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Opens a file by `age -d`, which asks for the words on the terminal and nowhere else.
fn age(folder: &Path, made: &HandedOut, words: &str) -> Option<String> {
    let (sealed, plain) = (folder.join("key.age"), folder.join("key.txt"));
    std::fs::write(&sealed, &made.file).unwrap();
    let _ = std::fs::remove_file(&plain);
    let command = format!("age --decrypt --output '{}' '{}'", plain.display(), sealed.display());
    let mut child = Command::new("timeout")
        .args(["--foreground", "60", "script", "--quiet", "--return", "--command", &command])
        .arg("/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut screen, mut seen) = (child.stdout.take().unwrap(), String::new());
    let mut chunk = [0; 256];
    while !seen.contains("passphrase") {
        let read = screen.read(&mut chunk).unwrap();
        assert!(read > 0, "{seen}");
        seen.push_str(&String::from_utf8_lossy(&chunk[..read]));
    }
    child.stdin.as_mut().unwrap().write_all(format!("{words}\n").as_bytes()).unwrap();
    let mut rest = Vec::new();
    screen.read_to_end(&mut rest).unwrap();
    let done = child.wait().unwrap().success();
    done.then(|| std::fs::read_to_string(plain).unwrap())
}

/// The public half of a private key in PEM, by OpenSSL, which passes over what stands before it.
fn public_half(folder: &Path, pem: &str) -> Vec<u8> {
    let file = folder.join("key.pem");
    std::fs::write(&file, pem).unwrap();
    let output = Command::new("openssl")
        .args(["pkey", "-pubout", "-outform", "DER", "-in"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn stored(world: &World, made: &HandedOut) -> Vec<u8> {
    let sql = "SELECT spki FROM enrollments WHERE id = ?1";
    world.database().unwrap().query_row(sql, [made.key.id.as_str()], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_age_program_opens_it_and_the_key_is_the_one_that_is_stored() {
    let world = World::new().await.unwrap();
    let (_, olga) = people(&world).await;
    let wanted = WantedKey { words: None, ..server_key("build-7") };
    let made = provision(&olga, wanted).await.unwrap();
    assert_eq!(made.passphrase.split(' ').count(), 6, "six words unless asked otherwise");
    let head = String::from_utf8_lossy(&made.file[..80]).into_owned();
    let stanza = head.lines().nth(1).unwrap();
    assert!(head.starts_with("age-encryption.org/v1\n-> scrypt "), "{head}");
    assert_eq!(stanza.rsplit(' ').next(), Some("17"), "the cost is fixed: {stanza}");
    let folder = tempfile::tempdir().unwrap();
    let text = age(folder.path(), &made, &made.passphrase).unwrap();
    assert_eq!(public_half(folder.path(), &text), stored(&world, &made));
    // Ours opens the same, and reads where it belongs.
    let ours = reveal(&made.file, &made.passphrase).unwrap();
    assert_eq!(ours.expose(), text.as_bytes());
    let (facts, key) = opened(&made);
    assert_eq!(key.public_key().spki(), stored(&world, &made));
    assert_eq!((facts.device.as_str(), facts.role), ("build-7", role("server")));
    let session = pinned(&world, &key).session().await.unwrap();
    assert_eq!(session.auth_strength.as_str(), "cert-only");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_words_and_a_changed_file_open_nothing() {
    let world = World::new().await.unwrap();
    let (_, olga) = people(&world).await;
    let made = provision(&olga, server_key("build-7")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(age(folder.path(), &made, "four other words here"), None);
    let code = |file: &[u8], words: &str| reveal(file, &phrase(words)).err().map(|no| no.code());
    assert_eq!(code(&made.file, "four other words here"), Some(ErrorCode::PassphraseWrong));
    assert_eq!(code(&made.file, " "), Some(ErrorCode::PassphraseWrong));
    let mut changed = made.file.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(code(&changed, &made.passphrase), Some(ErrorCode::PassphraseWrong));
    assert_eq!(code(b"junk", &made.passphrase), Some(ErrorCode::CredentialUnreadable));
    // White space that a paste brought along is no mistake.
    let pasted = format!("  {}\n", made.passphrase.replace(' ', "\n  "));
    assert!(reveal(&made.file, &phrase(&pasted)).is_ok());
}
