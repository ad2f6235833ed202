//! Neither the private key nor its words lie anywhere on the server: not in the database, its journal, or a
//! log that says everything.

use super::terminal::Scene;
use super::{opened, server_key};
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_key_nor_words_are_kept_or_logged() {
    let scene = Scene::logging_everything().await;
    let client = scene.ana.client();
    let made = client.provision(server_key("build-7"), &scene.ana.shell).await.unwrap();
    let (_, key) = opened(&made);
    let machine = scene.machine("build-7");
    let claiming = machine.client.claim(&made.file, &made.passphrase, false).unwrap();
    claiming.run().await.unwrap();
    machine.client.who_am_i().await.unwrap();

    let pkcs8 = key.to_pkcs8().unwrap();
    let der = pkcs8.expose();
    // PKCS#8 of SEC 1: the scalar stands behind its version, as 32 bytes.
    let at =
        der.windows(5).position(|window| window == [0x02, 0x01, 0x01, 0x04, 0x20]).unwrap() + 5;
    let scalar = &der[at..at + 32];
    let pem = data_encoding::BASE64.encode(der);
    let words: Vec<&str> = made.passphrase.split(' ').collect();
    let file = data_encoding::BASE64.encode(&made.file);
    let canaries: Vec<Vec<u8>> = vec![
        scalar.to_vec(),
        data_encoding::HEXLOWER.encode(scalar).into_bytes(),
        data_encoding::BASE64.encode(scalar).into_bytes(),
        data_encoding::BASE64URL_NOPAD.encode(scalar).into_bytes(),
        // A line of PEM, from where the scalar stands.
        pem.as_bytes()[64..112].to_vec(),
        made.passphrase.as_bytes().to_vec(),
        words.join("-").into_bytes(),
        words.join("%20").into_bytes(),
        made.file[100..164].to_vec(),
        file.as_bytes()[100..164].to_vec(),
    ];
    // What is looked for is what there is: the opened file has it, and so has the answer.
    let plain = landfall_client::reveal(&made.file, &made.passphrase).unwrap();
    assert!(contains(plain.expose(), &canaries[4]) && contains(der, &canaries[0]));
    assert!(contains(&made.file, &canaries[8]));
    let mut looked = Vec::new();
    files(&scene.folder.path().join("server"), &mut looked);
    looked.push(scene.log());
    let mut bytes = 0;
    for path in &looked {
        let content = std::fs::read(path).unwrap();
        bytes += content.len();
        for (n, canary) in canaries.iter().enumerate() {
            assert!(!contains(&content, canary), "canary {n} lies in {}", path.display());
        }
    }
    let names: Vec<String> = looked.iter().map(|path| path.display().to_string()).collect();
    assert!(names.iter().any(|name| name.ends_with("-wal")), "{names:?}");
    assert!(bytes > 100_000, "only {bytes} bytes were looked at");
    let log = std::fs::read_to_string(scene.log()).unwrap();
    assert!(log.contains("provision_credential"), "the log says that it was asked");
}
