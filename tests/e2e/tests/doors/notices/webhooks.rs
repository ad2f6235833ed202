//! Webhooks: the operator's programs hear of notices by signed calls, and nobody makes this server call
//! inwards.

use super::post::{ANA, confirm, mailing};
use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::ambient::Clock;
use landfall_crypto::httpsig::{self, RECOVERY, SignatureFields, WEBHOOK};
use landfall_crypto::key::PublicKey;
use landfall_identity::Seconds;
use landfall_identity::notice::delivery::{AGE_MAX, FIRST_WAIT};
use landfall_protocol::paths;
use landfall_server::Config;
use landfall_server::config::WebhookUrl;
use landfall_test_support::hook::Called;
use landfall_test_support::{HookServer, Person, Protection, Raw, SmtpServer, World};
use reqwest::Method;
use std::path::Path;
use std::time::{Duration, Instant};

/// A server that tells `hook` of notices, at this host, and may call these networks.
async fn told(hook: &HookServer, host: &str, networks: &[&str]) -> (World, Person) {
    let url = hook_url(hook, host);
    let (pem, networks) = (hook.certificate_pem.clone(), networks.to_vec());
    let edit = move |config: &mut Config, folder: &Path| {
        let file = folder.join("hook.pem");
        std::fs::write(&file, pem)?;
        config.webhooks = vec![WebhookUrl::parse(&url)?];
        config.webhook_ca_file = Some(file);
        config.egress_networks =
            networks.iter().map(|net| net.parse()).collect::<Result<_, _>>()?;
        Ok(())
    };
    let world = World::configured(edit).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    (world, ana)
}

fn hook_url(hook: &HookServer, host: &str) -> String {
    format!("https://{host}:{}/landfall/notices", hook.address.port())
}

fn of_kind(hook: &HookServer, kind: &str) -> Vec<Called> {
    let is = |call: &Called| call.json().unwrap()["kind"] == kind;
    hook.calls().into_iter().filter(is).collect()
}

async fn until(world: &World, hook: &HookServer, kind: &str, count: usize) -> Vec<Called> {
    world.until(kind, |_| of_kind(hook, kind).len() >= count).await;
    of_kind(hook, kind)
}

/// Whatever came before has been answered: of calls that are made at once the later may arrive first, and what a story
/// says of the next answer would be about the other.
async fn all_told(world: &World) {
    let open = "SELECT COUNT(*) FROM outbox WHERE ended_at IS NULL";
    let told =
        "SELECT COUNT(*) FROM outbox WHERE kind = 'passkey-registered' AND outcome = 'delivered'";
    let all = |world: &World| world.number(open).unwrap() == 0 && world.number(told).unwrap() > 0;
    world.until("what came before", all).await;
}

/// What the last failed attempt of that kind met with.
async fn fault(world: &World, kind: &str) -> String {
    let failed = format!(
        "SELECT COUNT(*) FROM outbox WHERE kind = '{kind}' AND fault IS NOT NULL
           AND leased_by IS NULL"
    );
    world.until("the failure", |world| world.number(&failed).unwrap() >= 1).await;
    let sql = format!("SELECT fault FROM outbox WHERE kind = '{kind}' AND fault IS NOT NULL");
    world.database().unwrap().query_row(&sql, [], |row| row.get(0)).unwrap()
}

fn fields(call: &Called) -> SignatureFields {
    let field = |name: &str| call.field(name).unwrap().to_owned();
    SignatureFields {
        content_digest: field("content-digest"),
        signature_input: field("signature-input"),
        signature: field("signature"),
    }
}

/// The key that a receiver fetches once.
async fn published_key(world: &World) -> PublicKey {
    let raw = Raw::stranger(world).unwrap();
    let keys = raw.send(Method::GET, paths::WEBHOOK_KEYS, None, None).await.unwrap().body;
    let part = |name: &str| {
        BASE64URL_NOPAD.decode(keys["keys"][0][name].as_str().unwrap().as_bytes()).unwrap()
    };
    let key = PublicKey::from_point(&[vec![4], part("x"), part("y")].concat()).unwrap();
    assert_eq!(keys["keys"][0]["kid"], key.thumbprint().as_str());
    let tokens = raw.send(Method::GET, paths::JWKS, None, None).await.unwrap().body;
    assert_ne!(tokens["keys"][0]["x"], keys["keys"][0]["x"], "no key serves two purposes");
    key
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_told_in_words_and_can_tell_who_told_it() {
    let hook = HookServer::start().await.unwrap();
    let (mut world, ana) = told(&hook, "localhost", &["127.0.0.1/32", "::1/128"]).await;
    ana.client().freeze().await.unwrap();
    let call = until(&world, &hook, "account-frozen", 1).await.remove(0);
    assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/landfall/notices"));
    assert_eq!(call.field("content-type"), Some("application/json"));
    let body = call.json().unwrap();
    assert_eq!((&body["user"], &body["tenant"]), (&"ana".into(), &"home".into()));
    assert_eq!(body["text"], "Everything of your account was stopped, by your device ana-desktop.");
    assert_eq!(body["source"], "127.0.0.1");

    let authority = format!("localhost:{}", hook.address.port());
    let request = httpsig::Request {
        method: &call.method,
        authority: &authority,
        path: &call.path,
        body: &call.body,
    };
    let key = published_key(&world).await;
    let now = world.clock.now();
    let signed = fields(&call);
    assert!(httpsig::read(&WEBHOOK, &request, &signed).unwrap().verify(&key, now).is_ok());
    // Another body, another receiver, another use, or a later time: not signed.
    let other = httpsig::Request { body: b"{}", ..request };
    assert!(httpsig::read(&WEBHOOK, &other, &signed).is_err());
    let other = httpsig::Request { authority: "elsewhere.example.org", ..request };
    assert!(httpsig::read(&WEBHOOK, &other, &signed).unwrap().verify(&key, now).is_err());
    assert!(httpsig::read(&RECOVERY, &request, &signed).is_err());
    let late = now + Seconds(61);
    assert!(httpsig::read(&WEBHOOK, &request, &signed).unwrap().verify(&key, late).is_err());
    // The key outlives a restart.
    world.restart().await.unwrap();
    assert_eq!(published_key(&world).await.thumbprint(), key.thumbprint());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_older_than_webhooks_gets_their_key_at_its_next_start() {
    let hook = HookServer::start().await.unwrap();
    let (mut world, ana) = told(&hook, "127.0.0.1", &["127.0.0.0/8"]).await;
    let before = published_key(&world).await.thumbprint();
    world
        .database()
        .unwrap()
        .execute("DELETE FROM sealed_keys WHERE name = 'webhook'", [])
        .unwrap();
    // Commands beside the server do without it, and make none.
    world.operator(&["clock", "confirm"]).unwrap();
    world.restart().await.unwrap();
    let key = published_key(&world).await;
    assert_ne!(key.thumbprint(), before);
    ana.client().freeze().await.unwrap();
    let call = until(&world, &hook, "account-frozen", 1).await.remove(0);
    let authority = format!("127.0.0.1:{}", hook.address.port());
    let request = httpsig::Request {
        method: &call.method,
        authority: &authority,
        path: &call.path,
        body: &call.body,
    };
    let read = httpsig::read(&WEBHOOK, &request, &fields(&call)).unwrap();
    assert!(read.verify(&key, world.clock.now()).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_fails_is_told_again_under_the_same_name_and_signed_anew() {
    let hook = HookServer::start().await.unwrap();
    let (world, ana) = told(&hook, "127.0.0.1", &["127.0.0.0/8"]).await;
    all_told(&world).await;
    hook.answer_next("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
    ana.client().freeze().await.unwrap();
    let fault = fault(&world, "account-frozen").await;
    assert!(fault.contains("127.0.0.1") && fault.contains("503"), "{fault}");
    world.clock.advance(FIRST_WAIT);
    let calls = until(&world, &hook, "account-frozen", 2).await;
    assert_eq!(calls[0].body, calls[1].body, "the same delivery, to the byte");
    assert_ne!(calls[0].field("signature-input"), calls[1].field("signature-input"));
    let done = "SELECT COUNT(*) FROM outbox WHERE kind = 'account-frozen' AND channel = 'webhook'
                AND outcome = 'delivered' AND attempts = 2";
    world.until("the end", |world| world.number(done).unwrap() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_program_holds_up_neither_mail_nor_the_end() {
    let hook = HookServer::start().await.unwrap();
    hook.hold(true);
    let smtp = SmtpServer::start(Protection::Plain).await.unwrap();
    let (url, mail) = (hook_url(&hook, "127.0.0.1"), mailing(&smtp, "smtp", ""));
    let edit = move |config: &mut Config, folder: &Path| {
        config.webhooks = vec![WebhookUrl::parse(&url)?];
        config.egress_networks = vec!["127.0.0.0/8".parse()?];
        mail(config, folder)
    };
    let mut world = World::configured(edit).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    // More calls than are made at once wait for an answer that never comes.
    for number in 0..10 {
        let token = ana.device_token(&format!("ana-{number}")).await.unwrap();
        let machine = world.machine(&format!("machine-{number}")).unwrap();
        machine.enroll(&token, None, None).await.unwrap();
    }
    world.until("the calls", |_| hook.connected() > 0).await;
    confirm(&world, &smtp, &ana, ANA).await;
    let began = Instant::now();
    world.restart().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed_and_an_endless_answer_is_not_read() {
    let hook = HookServer::start().await.unwrap();
    let elsewhere = HookServer::start().await.unwrap();
    let (world, ana) = told(&hook, "127.0.0.1", &["127.0.0.0/8"]).await;
    all_told(&world).await;
    let to = format!("https://127.0.0.1:{}/", elsewhere.address.port());
    hook.answer_next(format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {to}\r\n\r\n"));
    ana.client().freeze().await.unwrap();
    let said = fault(&world, "account-frozen").await;
    assert!(said.contains("redirect"), "{said}");
    assert_eq!(elsewhere.connected(), 0);
    let long = "x".repeat(100 * 1024);
    hook.answer_next(format!("HTTP/1.1 200 OK\r\ncontent-length: 102400\r\n\r\n{long}"));
    world.clock.advance(FIRST_WAIT);
    let done =
        "SELECT COUNT(*) FROM outbox WHERE kind = 'account-frozen' AND outcome = 'delivered'";
    world.until("it is delivered", |world| world.number(done).unwrap() == 1).await;
}

/// A small program answers 200 and hangs up: without a length, and without closing TLS.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_answers_200_and_hangs_up_was_told() {
    let hook = HookServer::start().await.unwrap();
    let (world, ana) = told(&hook, "127.0.0.1", &["127.0.0.0/8"]).await;
    all_told(&world).await;
    hook.drop_line(true);
    hook.answer_next("HTTP/1.1 200 OK\r\n\r\nthank y");
    ana.client().freeze().await.unwrap();
    until(&world, &hook, "account-frozen", 1).await;
    let done =
        "SELECT COUNT(*) FROM outbox WHERE kind = 'account-frozen' AND outcome = 'delivered'";
    world.until("it is delivered", |world| world.number(done).unwrap() == 1).await;
    assert_eq!(of_kind(&hook, "account-frozen").len(), 1, "and told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_calls_inwards_that_the_operator_has_not_listed() {
    // By number, and by a name that resolves to it; with nothing listed, or another network.
    for (host, networks) in
        [("127.0.0.1", &[][..]), ("localhost", &[]), ("127.0.0.1", &["10.0.0.0/8"])]
    {
        let hook = HookServer::start().await.unwrap();
        let (world, ana) = told(&hook, host, networks).await;
        ana.client().freeze().await.unwrap();
        let said = fault(&world, "account-frozen").await;
        assert!(said.contains("egress_networks"), "{said}");
        assert_eq!(hook.connected(), 0, "{host}: not even a connection");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_not_who_it_says_hears_nothing() {
    let (hook, other) = (HookServer::start().await.unwrap(), HookServer::start().await.unwrap());
    let mut posing = HookServer::start().await.unwrap();
    posing.certificate_pem.clone_from(&other.certificate_pem);
    let (world, ana) = told(&posing, "127.0.0.1", &["127.0.0.0/8"]).await;
    ana.client().freeze().await.unwrap();
    fault(&world, "account-frozen").await;
    assert!(posing.connected() > 0 && posing.calls().is_empty());
    assert_eq!(hook.connected(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_program_takes_for_days_is_on_record_and_one_that_is_gone_is_let_be() {
    let hook = HookServer::start().await.unwrap();
    let (mut world, ana) = told(&hook, "127.0.0.1", &[]).await;
    ana.client().freeze().await.unwrap();
    fault(&world, "account-frozen").await;
    world.pass(AGE_MAX).await.unwrap();
    let row = "SELECT COUNT(*) FROM audit_events WHERE action = 'give-up-notice'
               AND outcome = 'error' AND target LIKE 'webhook %of ana, account-frozen'";
    world.until("giving up", |world| world.number(row).unwrap() == 1).await;
    let said = world.operator(&["outbox"]).unwrap();
    assert!(said.contains("given-up") && said.contains("egress_networks"), "{said}");

    ana.step_up().await.unwrap();
    ana.client().unfreeze().await.unwrap();
    fault(&world, "account-unfrozen").await;
    world
        .restart_with(|config, _| {
            config.webhooks.clear();
            config.webhook_ca_file = None;
            Ok(())
        })
        .await
        .unwrap();
    world.clock.advance(FIRST_WAIT);
    let moot = "SELECT COUNT(*) FROM outbox WHERE kind = 'account-unfrozen' AND outcome = 'moot'";
    world.until("the end", |world| world.number(moot).unwrap() == 1).await;
}
