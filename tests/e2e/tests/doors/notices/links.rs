//! "That was not me": the link in a mail.

use super::codes::{SUBJECT, ask, code_in, show};
use super::post::{ANA, ana_with_mail, until_subject};
use landfall_identity::Seconds;
use landfall_identity::notice::delivery::{FIRST_WAIT, LINK_TTL};
use landfall_protocol::recovery::RecoveryStateName;
use landfall_protocol::{ErrorCode, Problem};
use landfall_server::Config;
use landfall_test_support::bare::status;
use landfall_test_support::{Bare, Person, SmtpServer, World};
use reqwest::{Client, Method, StatusCode};
use serde_json::json;
use std::path::Path;
use url::Url;

/// A certificate in files: browsers are said to trust it.
fn trusted(config: &mut Config, folder: &Path) -> anyhow::Result<()> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let (certificate, key) = (folder.join("chain.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem())?;
    std::fs::write(&key, made.signing_key.serialize_pem())?;
    (config.tls_certificate, config.tls_key) = (Some(certificate), Some(key));
    Ok(())
}

fn own(config: &mut Config, _: &Path) -> anyhow::Result<()> {
    (config.tls_certificate, config.tls_key) = (None, None);
    Ok(())
}

/// A browser, as far as the link is concerned. What it believes is another test's matter.
fn browser() -> Client {
    let client = Client::builder().no_proxy().danger_accept_invalid_certs(true);
    client.build().unwrap()
}

/// The link in the newest mail of that subject.
async fn link(world: &World, smtp: &SmtpServer, subject: &str) -> Url {
    let mails = until_subject(world, smtp, ANA, subject, 1).await;
    let text = mails.last().unwrap().text().unwrap();
    let line = text.lines().find(|line| line.contains("/notices/freeze#")).unwrap();
    Url::parse(line.trim()).unwrap()
}

/// A mail that waits until the server is one that browsers trust, and carries a link by then.
async fn told_with_link() -> (SmtpServer, World, Person, Url) {
    let (mut smtp, mut world, ana) = ana_with_mail().await;
    smtp.down().await;
    let tablet = world.machine("ana-tablet").unwrap();
    let token = ana.device_token("ana-tablet").await.unwrap();
    tablet.enroll(&token, None, None).await.unwrap();
    let failed = "SELECT COUNT(*) FROM outbox WHERE kind = 'device-enrolled' AND attempts = 1
                  AND leased_by IS NULL";
    world.until("the first attempt", |world| world.number(failed).unwrap() == 1).await;
    world.restart_with(trusted).await.unwrap();
    smtp.up().await.unwrap();
    world.clock.advance(FIRST_WAIT);
    let link = link(&world, &smtp, "New device: ana-tablet").await;
    (smtp, world, ana, link)
}

struct Press<'a> {
    origin: Option<&'a str>,
    site: Option<&'a str>,
    secret: &'a str,
}

async fn press(link: &Url, press: Press<'_>) -> Result<(), ErrorCode> {
    let mut address = link.clone();
    address.set_fragment(None);
    let mut request = browser().post(address).json(&json!({ "secret": press.secret }));
    if let Some(origin) = press.origin {
        request = request.header("origin", origin);
    }
    if let Some(site) = press.site {
        request = request.header("sec-fetch-site", site);
    }
    let answer = request.send().await.unwrap();
    match answer.status() {
        StatusCode::OK => Ok(()),
        _ => Err(answer.json::<Problem>().await.unwrap().code),
    }
}

fn frozen(world: &World) -> bool {
    world.number("SELECT COUNT(*) FROM users WHERE frozen_at IS NOT NULL").unwrap() == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_freezes_by_a_post_from_its_own_page_alone_and_once() {
    let (smtp, mut world, ana, link) = told_with_link().await;
    let origin = link.origin().ascii_serialization();
    assert_eq!(origin, world.server().site.url.to_string());
    let secret = link.fragment().unwrap().to_owned();

    // What looks at links ahead changes nothing.
    for method in [Method::GET, Method::HEAD] {
        let mut address = link.clone();
        address.set_fragment(None);
        let page = browser().request(method, address).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        let policy = page.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(page.headers()["referrer-policy"], "no-referrer");
    }
    let good = || Press { origin: Some(&origin), site: Some("same-origin"), secret: &secret };
    for foreign in [
        Press { origin: Some("https://evil.example"), ..good() },
        Press { origin: Some("null"), ..good() },
        Press { origin: None, ..good() },
        Press { site: Some("cross-site"), ..good() },
        Press { site: Some("same-site"), ..good() },
        Press { site: None, ..good() },
    ] {
        assert_eq!(press(&link, foreign).await, Err(ErrorCode::OriginRefused));
    }
    for wrong in ["", "x", &"A".repeat(43), &secret[1..], &format!("{secret}A")] {
        let pressed = press(&link, Press { secret: wrong, ..good() }).await;
        assert_eq!(pressed, Err(ErrorCode::LinkOver), "{wrong:?}");
    }
    assert!(!frozen(&world));

    press(&link, good()).await.unwrap();
    assert!(frozen(&world));
    assert_eq!(press(&link, good()).await, Err(ErrorCode::LinkOver), "a second time");
    let mails = until_subject(&world, &smtp, ANA, "Your account is frozen", 1).await;
    let text = mails[0].text().unwrap();
    assert!(text.contains("by the link in a mailed notice"), "{text}");
    assert!(!text.contains("/notices/freeze#"), "what stands still needs no link");
    let rows = "SELECT COUNT(*) FROM audit_events WHERE action = 'freeze-by-link'
                AND outcome = 'allow' AND target LIKE 'account ana%'";
    assert_eq!(world.number(rows).unwrap(), 1);
    // The secret rests nowhere.
    let kept = "SELECT COUNT(*) FROM freeze_links WHERE length(hash) = 32 AND used_at IS NOT NULL";
    assert_eq!(world.number(kept).unwrap(), 1);

    // The owner comes back with the passkey.
    world.restart_with(own).await.unwrap();
    assert!(ana.client().secrets().await.is_err());
    ana.step_up().await.unwrap();
    ana.client().unfreeze().await.unwrap();
    assert!(!frozen(&world));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_is_over_after_seven_days() {
    let (_smtp, mut world, _ana, link) = told_with_link().await;
    let origin = link.origin().ascii_serialization();
    let secret = link.fragment().unwrap().to_owned();
    world.pass(Seconds(LINK_TTL.0)).await.unwrap();
    let late = Press { origin: Some(&origin), site: Some("same-origin"), secret: &secret };
    assert_eq!(press(&link, late).await, Err(ErrorCode::LinkOver));
    assert!(!frozen(&world));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_browsers_trust_the_mail_names_the_command() {
    let (smtp, world, ana) = ana_with_mail().await;
    ana.step_up().await.unwrap();
    let token = ana.device_token("ana-tablet").await.unwrap();
    let tablet = world.machine("ana-tablet").unwrap();
    tablet.enroll(&token, None, None).await.unwrap();
    let mails = until_subject(&world, &smtp, ANA, "New device: ana-tablet", 1).await;
    let text = mails[0].text().unwrap();
    assert!(text.contains("  landfall freeze\n") && !text.contains("/notices/freeze"), "{text}");
    assert_eq!(world.number("SELECT COUNT(*) FROM freeze_links").unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_stops_what_would_end_a_freeze() {
    let (smtp, mut world, ana, link) = told_with_link().await;
    let origin = link.origin().ascii_serialization();
    let secret = link.fragment().unwrap().to_owned();
    world.restart_with(own).await.unwrap();
    let codes = ana.client().make_recovery_codes(&ana.shell).await.unwrap().codes;
    // Frozen first, recovered afterwards: so a freeze ends.
    ana.client().freeze().await.unwrap();
    world.clock.advance(Seconds(1));
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("ana", "ana-new").await.unwrap().recovery_id;
    bare.prove(&id, &codes[0]).await.unwrap();
    ask(&bare, &id).await;
    let mail = until_subject(&world, &smtp, ANA, SUBJECT, 1).await.remove(0);
    let shown = status(&show(&bare, &id, &code_in(&mail)).await).unwrap();
    assert_eq!(shown.state, RecoveryStateName::Ready);
    // Somebody's word for another machine in spite of the freeze protects that one, and not this.
    let decoy = Bare::new(&world).unwrap().begin("ana", "decoy").await.unwrap().recovery_id;
    let word = "INSERT INTO recovery_proofs (recovery, door, given_by, thing, given_at)
                SELECT ?1, 'admin', 'eve', id, ?2 FROM enrollments LIMIT 1";
    let now = world.ambient.now().millis();
    world.database().unwrap().execute(word, (decoy.as_str(), now)).unwrap();
    // It is not Ana, and she has the link of a mail at hand.
    world.clock.advance(Seconds(1));
    world.restart_with(trusted).await.unwrap();
    let site = Some("same-origin");
    press(&link, Press { origin: Some(&origin), site, secret: &secret }).await.unwrap();
    world.restart_with(own).await.unwrap();
    let refused = bare.complete(&id, "ana-new", Some(&codes[1])).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::AccountFrozen);
}
