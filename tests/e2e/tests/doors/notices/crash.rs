//! kill -9 between the act and its mail, on the real binary.

use super::post::code_in;
use landfall_crypto::ambient::Ambient;
use landfall_identity::UserName;
use landfall_identity::passkey::Attachment;
use landfall_server::directory::database_in;
use landfall_test_support::{Machine, Person, PocketKey, Protection, SmtpServer};
use rusqlite::Connection;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ANA: &str = "ana@example.org";
const FROZEN: &str = "Landfall: Your account is frozen";

/// The server as an operator runs it, with mail.
struct Process {
    child: Child,
    ready: Value,
}

impl Process {
    fn start(data_dir: &Path, listen: &str, smtp: &SmtpServer) -> Self {
        // Beside the test's own folder, where cargo puts binaries.
        let here = std::env::current_exe().unwrap();
        let binary = here.parent().unwrap().parent().unwrap().join("landfall-server");
        let mut child = Command::new(binary)
            .args(["serve", "--json", "--show-claim-token", "--listen", listen])
            .args(["--localhost-listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .env("LANDFALL_SMTP_URL", format!("smtp://{}", smtp.address))
            .env("LANDFALL_SMTP_FROM", "landfall@id.example.org")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, ready: serde_json::from_str(&line).unwrap() }
    }

    fn listen(&self) -> String {
        self.ready["https"].as_str().unwrap().trim_start_matches("https://").to_owned()
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < patience, "{what}: it never came to it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn number(data_dir: &Path, sql: &str) -> i64 {
    let database = Connection::open(database_in(data_dir)).unwrap();
    database.busy_timeout(Duration::from_secs(10)).unwrap();
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_the_act_and_its_mail_the_owner_still_hears_of_it() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("server");
    let smtp = SmtpServer::start(Protection::Plain).await.unwrap();
    let mut server = Process::start(&data_dir, "127.0.0.1:0", &smtp);
    let machine = Machine::at(&folder.path().join("ana"), &Ambient::system()).unwrap();
    let claim = server.ready["claim_token"].as_str().unwrap().to_owned();
    machine.enroll(&claim, Some("ana"), Some("ana-desktop")).await.unwrap();
    let name = UserName::parse("ana").unwrap();
    let ana = Person { name, machine, shell: PocketKey::new().unwrap() };
    ana.register(Attachment::Roaming).await.unwrap();
    ana.step_up().await.unwrap();
    let added = ana.client().add_address(&ANA.parse().unwrap()).await.unwrap();
    until("the code", || smtp.mails_to(ANA).len() == 1).await;
    let code = code_in(&smtp.mails()[0]);
    ana.client().confirm_address(&added.id, &code).await.unwrap();
    until("the first notice", || smtp.mails_to(ANA).len() == 2).await;

    // The mail server answers nobody: the mail is on its way when the power goes.
    smtp.hold(true);
    let calls = smtp.calls();
    ana.client().freeze().await.unwrap();
    until("the attempt", || smtp.calls() > calls).await;
    let listen = server.listen();
    server.kill();
    assert_eq!(smtp.mails_to(ANA).len(), 2, "nothing has come yet");
    smtp.hold(false);

    let server = Process::start(&data_dir, &listen, &smtp);
    let frozen = || {
        let mails = smtp.mails_to(ANA);
        mails.iter().filter(|mail| mail.field("Subject").as_deref() == Some(FROZEN)).count()
    };
    until("the notice", || frozen() >= 1).await;
    let ended =
        "SELECT COUNT(*) FROM outbox WHERE outcome = 'delivered' AND kind = 'account-frozen'";
    until("the end of the mail", || number(&data_dir, ended) == 1).await;
    let notices = "SELECT COUNT(*) FROM notices WHERE kind = 'account-frozen'";
    assert_eq!(number(&data_dir, notices), 1);
    assert_eq!(number(&data_dir, "SELECT COUNT(*) FROM outbox WHERE ended_at IS NULL"), 0);
    drop(server);
}
