//! What a mail says, and what it cannot be made to say.

use super::post::{ANA, ana_with_mail, confirm, until_subject, with_subject, world_with};
use landfall_client::words::Label;
use landfall_identity::Seconds;
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::{Mail, Protection, Raw, SmtpServer};
use reqwest::Method;
use serde_json::json;

/// The fields that our mails have, and no others.
const FIELDS: [&str; 10] = [
    "Auto-Submitted",
    "Content-Transfer-Encoding",
    "Content-Type",
    "Date",
    "From",
    "MIME-Version",
    "Message-ID",
    "Sender",
    "Subject",
    "To",
];

fn fields(mail: &Mail) -> Vec<String> {
    let mut names: Vec<String> = mail.header().into_iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_mailed_in_plain_words() {
    let (smtp, world, ana) = ana_with_mail().await;
    ana.client().freeze().await.unwrap();
    let mails = until_subject(&world, &smtp, ANA, "Your account is frozen", 1).await;
    let mail = &mails[0];
    assert_eq!(mail.field("From").as_deref(), Some("Landfall <landfall@id.example.org>"));
    assert_eq!(mail.field("To").as_deref(), Some(ANA));
    assert_eq!(mail.field("Subject").as_deref(), Some("Landfall: Your account is frozen"));
    assert_eq!(mail.field("Auto-Submitted").as_deref(), Some("auto-generated"));
    assert_eq!(mail.field("Date").as_deref(), Some("Sat, 21 Nov 2026 14:00:01 +0000"));
    assert!(mail.field("Message-ID").unwrap().ends_with("@id.example.org>"));
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("landfall@id.example.org", &[ANA.to_owned()][..])
    );
    let text = mail.text().unwrap();
    for part in [
        "Hello ana,",
        "Everything of your account was stopped, by your device ana-desktop.",
        "2026-11-21T14:00:01Z",
        "127.0.0.1",
        &format!("https://{}", world.server().https_addr),
        "landfall unfreeze",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_addresses_hear_of_it_each_under_its_own_message_id() {
    let (smtp, world, ana) = ana_with_mail().await;
    let other = "ana.other@example.com";
    confirm(&world, &smtp, &ana, other).await;
    ana.client().freeze().await.unwrap();
    let mut ids = Vec::new();
    for address in [ANA, other] {
        let mails = until_subject(&world, &smtp, address, "Your account is frozen", 1).await;
        ids.push(mails[0].field("Message-ID").unwrap());
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_label_and_no_address_can_write_a_header() {
    let (smtp, world, ana) = ana_with_mail().await;
    let raw = Raw::of(&ana.machine).unwrap();
    let session = raw.session().await.unwrap().token;
    let passkey = ana.client().passkeys().await.unwrap()[0].id.to_string();
    let path = paths::fill(paths::PASSKEY, &[&passkey]);
    for label in ["x\r\nBcc: mallory@example.org", "x\nSubject: won", "a\u{202E}b", "a\u{2028}b"] {
        let body = json!({ "label": label });
        let answer = raw.send(Method::PATCH, &path, Some(&session), Some(&body)).await.unwrap();
        assert_eq!(answer.code(), ErrorCode::InvalidField, "{label:?}");
    }
    let strong = ana.client().step_up(None, None, &ana.shell).await.unwrap().token;
    for address in ["a@example.org\r\nRCPT TO:<m@example.org>", "a@example.org>", "<a@example.org"]
    {
        let body = json!({ "address": address });
        let answer =
            raw.send(Method::POST, paths::ADDRESSES, Some(&strong), Some(&body)).await.unwrap();
        assert_eq!(answer.code(), ErrorCode::InvalidField, "{address:?}");
    }
    // What is allowed in a label arrives as text, in its quotes, in the body alone.
    let label =
        Label::parse("Bcc: mallory@example.org \u{201D}. All is well. =?utf-8?q?x?=").unwrap();
    ana.client().rename_passkey(&passkey.parse().unwrap(), label).await.unwrap();
    world.clock.advance(Seconds(1));
    let id = passkey.parse().unwrap();
    // Somebody must be left who can administer.
    world.invited_admin(&ana, "eve").await.unwrap();
    ana.client().remove_passkey(&id, true, &ana.shell).await.unwrap();
    let mails = until_subject(&world, &smtp, ANA, "Passkey removed", 1).await;
    let names = fields(&mails[0]);
    assert!(names.iter().all(|name| FIELDS.contains(&name.as_str())), "{names:?}");
    assert_eq!(mails[0].to, [ANA]);
    let text = mails[0].text().unwrap();
    assert!(text.contains("\u{201C}Bcc: mallory@example.org \". All is well."), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_out_over_tls_with_a_password() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for (protection, scheme) in
        [(Protection::Tls, "smtps"), (Protection::StartTls, "smtp+starttls")]
    {
        let login = Some(("landfall", "hunter2"));
        let smtp = SmtpServer::with_login(protection, login).await.unwrap();
        let world = super::post::world_with_login(&smtp, scheme, "landfall\nhunter2\n").await;
        let ana = world.admin("ana").await.unwrap();
        confirm(&world, &smtp, &ana, ANA).await;
        assert!(smtp.mails().iter().all(|mail| mail.tls), "{scheme}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_a_mail_server_that_cannot_be_trusted() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let stranger = SmtpServer::start(Protection::Tls).await.unwrap();
    for (protection, scheme) in [
        // Without STARTTLS where it was asked for.
        (Protection::Plain, "smtp+starttls"),
        // Another one than its certificate says.
        (Protection::Tls, "smtps"),
        (Protection::StartTls, "smtp+starttls"),
    ] {
        let mut smtp = SmtpServer::start(protection).await.unwrap();
        smtp.certificate_pem.clone_from(&stranger.certificate_pem);
        let world = world_with(&smtp, scheme).await;
        let ana = world.admin("ana").await.unwrap();
        ana.step_up().await.unwrap();
        ana.client().add_address(&ANA.parse().unwrap()).await.unwrap();
        let failed = "SELECT COUNT(*) FROM outbox WHERE fault IS NOT NULL AND ended_at IS NULL";
        world.until("the refusal", |world| world.number(failed).unwrap() == 1).await;
        assert!(smtp.calls() > 0, "{scheme}");
        assert_eq!(smtp.mails(), Vec::new(), "{scheme}");
        assert!(with_subject(&smtp, ANA, "").is_empty());
    }
}
