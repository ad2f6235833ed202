//! The mailed-code door: a code by mail is one proof of two, for the machine that asked, and no way to
//! bother anybody.

use super::post::{ANA, confirm, until_subject, with_subject, world_with};
use landfall_client::words::{RecoveryCode, ServerLine};
use landfall_client::{NewCodes, RecoverRequest, RecoveryProgress};
use landfall_crypto::ambient::SystemRandom;
use landfall_identity::id::RecoveryId;
use landfall_identity::prompt::{PROMPTS_MAX, PROMPTS_WITHIN};
use landfall_identity::recovery::{MAILED_CODE_TTL, MAILS_UNPROVED_MAX, RECOVERY_TTL, TRIES_MAX};
use landfall_identity::{DeviceName, Seconds};
use landfall_protocol::device::DeviceStateName;
use landfall_protocol::recovery::{RecoveryStateName, RecoveryStatus};
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::bare::status;
use landfall_test_support::world::NoBrowser;
use landfall_test_support::{Answer, Bare, Mail, Person, PocketKey, Protection, SmtpServer, World};
use serde_json::{Value, json};
use zeroize::Zeroizing;

const BERT: &str = "bert@example.org";
/// What mails with such codes are about.
pub const SUBJECT: &str = "a code to get back into your account";

/// Ana claims the server and has no address; Bert has one, and codes on paper.
async fn bert_with_mail() -> (SmtpServer, World, Person, Person, NewCodes) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let smtp = SmtpServer::start(Protection::Plain).await.unwrap();
    let world = world_with(&smtp, "smtp").await;
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    world.clock.advance(Seconds(1));
    confirm(&world, &smtp, &bert, BERT).await;
    let codes = bert.client().make_recovery_codes(&bert.shell).await.unwrap();
    (smtp, world, ana, bert, codes)
}

fn new_code() -> RecoveryCode {
    RecoveryCode::generate(&SystemRandom)
}

/// The code in a mail: alone on its line.
pub fn code_in(mail: &Mail) -> Zeroizing<String> {
    let text = mail.text().unwrap();
    let is_code = |line: &&str| line.len() == 9 && line.as_bytes()[4] == b'-';
    Zeroizing::new(text.lines().map(str::trim).find(is_code).unwrap().to_owned())
}

/// Asks for a code by mail.
pub async fn ask(bare: &Bare, id: &RecoveryId) -> Answer {
    bare.post(paths::RECOVERY_MAIL, &json!({ "recovery_id": id })).await.unwrap()
}

/// Shows the code that was mailed.
pub async fn show(bare: &Bare, id: &RecoveryId, code: &str) -> Answer {
    let body = json!({ "recovery_id": id, "code": code });
    bare.post(paths::RECOVERY_MAIL_PROVE, &body).await.unwrap()
}

async fn mails(world: &World, smtp: &SmtpServer, count: usize) -> Vec<Mail> {
    until_subject(world, smtp, BERT, SUBJECT, count).await
}

/// Every wish that came in has been looked at, and what was to be mailed has been.
async fn all_sorted(world: &World) {
    let sql = "SELECT (SELECT COUNT(*) FROM recovery_mails WHERE sorted_at IS NULL)
                    + (SELECT COUNT(*) FROM outbox WHERE ended_at IS NULL AND purpose = 'code')";
    world.until("the postman", |world| world.number(sql).unwrap() == 0).await;
}

/// A bare machine that has shown Bert's code and the one from the mail.
async fn proved(world: &World, smtp: &SmtpServer, code: &RecoveryCode) -> (Bare, RecoveryStatus) {
    let before = with_subject(smtp, BERT, SUBJECT).len();
    let bare = Bare::new(world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    bare.prove(&id, code).await.unwrap();
    status(&ask(&bare, &id).await).unwrap();
    let mail = mails(world, smtp, before + 1).await.pop().unwrap();
    let shown = status(&show(&bare, &id, &code_in(&mail)).await).unwrap();
    (bare, shown)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_and_a_mailbox_lead_back_in_without_anybody_else() {
    let (smtp, world, _ana, bert, NewCodes { codes, server }) = bert_with_mail().await;
    let machine = world.machine("bert-new").unwrap();
    let request = RecoverRequest {
        server: ServerLine::parse(&server.to_string()).unwrap(),
        user: bert.name.clone(),
        device: DeviceName::parse("bert-new").unwrap(),
        label: None,
        lost: DeviceName::parse("bert-laptop").ok(),
        code: Some(RecoveryCode::parse(&codes[0].to_text()).unwrap()),
        replace: false,
    };
    let mut recovering = machine.client.recover(request).unwrap();
    recovering.run(&NoBrowser).await.unwrap();
    assert!(recovering.can_ask_by_mail());
    recovering.ask_by_mail();
    let progress = recovering.run(&NoBrowser).await.unwrap();
    assert!(matches!(progress, RecoveryProgress::Waiting(_)));
    let mail = mails(&world, &smtp, 1).await.remove(0);
    // The terminal was closed meanwhile; what is typed in small letters is the same.
    drop(recovering);
    let mut recovering = machine.client.resume_recovery().unwrap().unwrap();
    recovering.run(&NoBrowser).await.unwrap();
    let refused = recovering.give_mailed_code("4K7M").unwrap_err();
    assert_eq!(refused.code(), ErrorCode::MailedCodeWrong, "said without asking anybody");
    recovering.give_mailed_code(&code_in(&mail).to_lowercase()).unwrap();
    let RecoveryProgress::Done(end) = recovering.run(&NoBrowser).await.unwrap() else {
        panic!("still waiting")
    };
    assert!(end.successor.is_some());
    recovering.finish().unwrap();

    let new = Person { name: bert.name.clone(), machine, shell: PocketKey::new().unwrap() };
    let devices = new.client().devices().await.unwrap();
    let lost = devices.iter().find(|info| info.name.as_str() == "bert-laptop").unwrap();
    assert_eq!(lost.state, DeviceStateName::Suspended);
    let left = "SELECT COUNT(*) FROM recovery_mail_codes";
    assert_eq!(world.number(left).unwrap(), 0, "what was used is gone");
    let row = "SELECT COUNT(*) FROM audit_events WHERE action = 'complete-recovery'
               AND target LIKE '%recovery code %' AND target LIKE '%code mailed to address %'";
    assert_eq!(world.number(row).unwrap(), 1, "the audit names each proof");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_says_who_asks_from_where_and_the_devices_hear_of_it() {
    let (smtp, world, _ana, bert, NewCodes { codes, .. }) = bert_with_mail().await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    bare.prove(&id, &codes[0]).await.unwrap();
    ask(&bare, &id).await;
    let mail = mails(&world, &smtp, 1).await.remove(0);
    let text = mail.text().unwrap();
    for part in ["Hello bert", "called bert-new", "127.0.0.1", "shown a recovery code", "freeze"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let subject = mail.field("Subject").unwrap();
    assert!(!subject.contains(code_in(&mail).as_str()), "{subject}");
    let told = bert.client().notices(200, None).await.unwrap().items;
    let notice = told.iter().find(|notice| notice.kind == "recovery-code-mailed").unwrap();
    assert!(
        notice.text.contains("bert-new") && notice.text.contains("by the new machine bert-new")
    );
    assert_eq!(notice.source.as_deref(), Some("127.0.0.1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailed_code_alone_lets_nobody_in() {
    let (smtp, world, _ana, _bert, NewCodes { codes, .. }) = bert_with_mail().await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    ask(&bare, &id).await;
    let mail = mails(&world, &smtp, 1).await.remove(0);
    assert!(mail.text().unwrap().contains("nothing else so far"));
    let shown = status(&show(&bare, &id, &code_in(&mail)).await).unwrap();
    assert_eq!((shown.state, shown.proofs.len()), (RecoveryStateName::Unproved, 1));
    // Shown again it is no second proof.
    let again = status(&show(&bare, &id, &code_in(&mail)).await).unwrap();
    assert_eq!((again.state, again.proofs.len()), (RecoveryStateName::Unproved, 1));
    let refused = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
    let ready = status(&bare.prove(&id, &codes[0]).await.unwrap()).unwrap();
    assert_eq!(ready.state, RecoveryStateName::Ready);
    let done = bare.complete(&id, "bert-new", Some(&new_code())).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
}

/// What differs by chance or time is taken out of an answer.
fn plain(mut body: Value) -> Value {
    for field in ["recovery_id", "request_id", "expires_at", "server_time"] {
        body.as_object_mut().unwrap().remove(field);
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_who_exists_or_has_an_address() {
    let (smtp, world, _ana, _bert, _codes) = bert_with_mail().await;
    let mut seen = Vec::new();
    // With an address; with a device and none; nobody at all.
    for user in ["bert", "ana", "nobody"] {
        let bare = Bare::new(&world).unwrap();
        let id = bare.begin(user, "new").await.unwrap().recovery_id;
        let asked = ask(&bare, &id).await;
        let limited = ask(&bare, &id).await;
        let wrong = show(&bare, &id, "0000-0000").await;
        let nonsense = show(&bare, &id, "not a code").await;
        let answers = [asked, limited, wrong, nonsense];
        seen.push(answers.map(|answer| (answer.status, plain(answer.body))));
    }
    assert_eq!(seen[0][0].0, 200, "{seen:?}");
    assert_eq!(seen[0][1].1["code"], "rate-limited");
    assert_eq!(seen[0][2].1["code"], "mailed-code-wrong");
    assert_eq!(seen[0][3].1["code"], "mailed-code-wrong");
    assert_eq!(seen[0], seen[2], "with an address, and nobody");
    assert_eq!(seen[1], seen[2], "without an address, and nobody");
    // What the request writes is the same for all; the rest happens apart from it.
    let rows = "SELECT COUNT(*) FROM recovery_mails";
    assert_eq!(world.number(rows).unwrap(), 3);
    all_sorted(&world).await;
    assert_eq!(with_subject(&smtp, BERT, SUBJECT).len(), 1);
    let others = smtp.mails().into_iter().filter(|mail| mail.to != [BERT]).count();
    assert_eq!(others, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_counts_for_the_machine_that_asked_and_no_other() {
    let (smtp, world, _ana, _bert, NewCodes { codes, .. }) = bert_with_mail().await;
    let owner = Bare::new(&world).unwrap();
    let id = owner.begin("bert", "bert-new").await.unwrap().recovery_id;
    owner.prove(&id, &codes[0]).await.unwrap();
    ask(&owner, &id).await;
    let code = code_in(&mails(&world, &smtp, 1).await[0]);
    // Somebody reads over the shoulder, with a sheet and a recovery of their own.
    let thief = Bare::new(&world).unwrap();
    assert_eq!(show(&thief, &id, &code).await.code(), ErrorCode::SignatureInvalid);
    assert_eq!(ask(&thief, &id).await.code(), ErrorCode::SignatureInvalid);
    let own = thief.begin("bert", "bert-new").await.unwrap().recovery_id;
    thief.prove(&own, &codes[1]).await.unwrap();
    assert_eq!(show(&thief, &own, &code).await.code(), ErrorCode::MailedCodeWrong);
    // One of their own asking makes none that the owner's machine would take, and spoils none.
    ask(&thief, &own).await;
    let second = code_in(&mails(&world, &smtp, 2).await[1]);
    assert_eq!(show(&owner, &id, &second).await.code(), ErrorCode::MailedCodeWrong);
    let shown = status(&show(&owner, &id, &code).await).unwrap();
    assert_eq!(shown.state, RecoveryStateName::Ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_about_a_mailed_code_is_taken_twice() {
    let (smtp, world, _ana, _bert, NewCodes { codes, .. }) = bert_with_mail().await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    bare.prove(&id, &codes[0]).await.unwrap();
    let body = json!({ "recovery_id": id });
    let message = bare.message(paths::RECOVERY_MAIL, &body).unwrap();
    assert_eq!(bare.send(&message).await.unwrap().status, 200);
    assert_eq!(bare.send(&message).await.unwrap().code(), ErrorCode::SignatureInvalid);
    let code = code_in(&mails(&world, &smtp, 1).await[0]);
    for (typed, expected) in [("0000-0000", 401), (code.as_str(), 200)] {
        let body = json!({ "recovery_id": id, "code": typed });
        let message = bare.message(paths::RECOVERY_MAIL_PROVE, &body).unwrap();
        assert_eq!(bare.send(&message).await.unwrap().status, expected);
        assert_eq!(bare.send(&message).await.unwrap().code(), ErrorCode::SignatureInvalid);
    }
    // A message that was refused is spent as well: one wrong try was paid, not two.
    let tries = format!("SELECT tries_left FROM recoveries WHERE id = '{id}'");
    assert_eq!(world.number(&tries).unwrap(), i64::from(TRIES_MAX) - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_are_few_and_a_code_is_soon_over() {
    let (smtp, mut world, _ana, _bert, NewCodes { codes, .. }) = bert_with_mail().await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    bare.prove(&id, &codes[0]).await.unwrap();
    ask(&bare, &id).await;
    let first = code_in(&mails(&world, &smtp, 1).await[0]);
    // A newer code makes the older one worthless.
    ask(&bare, &id).await;
    let second = code_in(&mails(&world, &smtp, 2).await[1]);
    assert_eq!(show(&bare, &id, &first).await.code(), ErrorCode::MailedCodeWrong);
    // So does time; a restart in between forgets neither.
    world.pass(MAILED_CODE_TTL).await.unwrap();
    assert_eq!(show(&bare, &id, &second).await.code(), ErrorCode::MailedCodeWrong);
    ask(&bare, &id).await;
    let third = code_in(&mails(&world, &smtp, 3).await[2]);
    for _ in 2..TRIES_MAX {
        assert_eq!(show(&bare, &id, "0000-0000").await.code(), ErrorCode::MailedCodeWrong);
    }
    world.restart().await.unwrap();
    let over = show(&bare, &id, &third).await;
    assert_eq!(over.code(), ErrorCode::RecoveryOver, "the right one, and no try is left");
    assert_eq!(ask(&bare, &id).await.code(), ErrorCode::RecoveryOver);
    world.pass(RECOVERY_TTL).await.unwrap();
    assert_eq!(ask(&bare, &id).await.code(), ErrorCode::RecoveryOver);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_floods_bothers_little_and_keeps_nobody_out() {
    let (smtp, mut world, _ana, bert, NewCodes { codes, .. }) = bert_with_mail().await;
    // Machines that hold nothing ask again and again, before and after a restart.
    for restarted in [false, true] {
        if restarted {
            world.restart().await.unwrap();
        }
        for number in 0..6 {
            let flood = Bare::new(&world).unwrap();
            let id = flood.begin("bert", "x").await.unwrap().recovery_id;
            let answer = ask(&flood, &id).await;
            let first = !restarted && number < MAILS_UNPROVED_MAX;
            assert_eq!(answer.status == 200, first, "{restarted} {number}: {answer:?}");
        }
    }
    all_sorted(&world).await;
    // Who is refused leaves no rows behind.
    let rows = "SELECT COUNT(*) FROM audit_events WHERE action = 'mail-recovery-code'";
    assert_eq!(world.number(rows).unwrap(), i64::from(MAILS_UNPROVED_MAX));
    // The owner holds a code, is mailed one at once, and gets in.
    let (owner, shown) = proved(&world, &smtp, &codes[0]).await;
    assert_eq!(shown.state, RecoveryStateName::Ready);
    all_sorted(&world).await;
    let asked = with_subject(&smtp, BERT, SUBJECT).len();
    assert!(asked <= PROMPTS_MAX as usize, "{asked} mails in ten minutes");
    let done = owner.complete(&shown.recovery_id, "bert-new", Some(&new_code())).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(bert.client().whoami().await.unwrap().user, bert.name, "and nothing was frozen");
}

#[tokio::test(flavor = "multi_thread")]
async fn even_who_holds_the_sheet_causes_few_mails_in_ten_minutes() {
    let (smtp, mut world, _ana, _bert, NewCodes { codes, .. }) = bert_with_mail().await;
    let begun = async |code: &RecoveryCode| {
        let bare = Bare::new(&world).unwrap();
        let id = bare.begin("bert", "x").await.unwrap().recovery_id;
        bare.prove(&id, code).await.unwrap();
        (bare, id)
    };
    let mut answers = Vec::new();
    let (last, id) = begun(&codes[9]).await;
    for code in &codes[..5] {
        let (bare, id) = begun(code).await;
        answers.push(ask(&bare, &id).await.status);
    }
    assert_eq!(answers, [200, 200, 429, 429, 429]);
    // Nor does a stranger notice: what is theirs is theirs.
    let stranger = Bare::new(&world).unwrap();
    let none = stranger.begin("bert", "x").await.unwrap().recovery_id;
    assert_eq!(ask(&stranger, &none).await.status, 200);
    all_sorted(&world).await;
    assert_eq!(mails(&world, &smtp, 3).await.len(), PROMPTS_MAX as usize);
    world.pass(PROMPTS_WITHIN).await.unwrap();
    assert_eq!(ask(&last, &id).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_found_one_code_and_asks_for_all_mails_keeps_its_owner_from_none() {
    let (smtp, world, _ana, _bert, NewCodes { codes, .. }) = bert_with_mail().await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let thief = Bare::new(&world).unwrap();
        let id = thief.begin("bert", "x").await.unwrap().recovery_id;
        thief.prove(&id, &codes[9]).await.unwrap();
        statuses.push(ask(&thief, &id).await.status);
    }
    assert_eq!(statuses, [200, 200, 429, 429], "one of its own, and the one that everybody shares");
    all_sorted(&world).await;
    let (_owner, shown) = proved(&world, &smtp, &codes[0]).await;
    assert_eq!(shown.state, RecoveryStateName::Ready);
    assert_eq!(with_subject(&smtp, BERT, SUBJECT).len(), PROMPTS_MAX as usize);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_away_proves_nothing_any_more() {
    let (smtp, world, _ana, bert, NewCodes { codes, .. }) = bert_with_mail().await;
    let (bare, shown) = proved(&world, &smtp, &codes[0]).await;
    assert_eq!(shown.state, RecoveryStateName::Ready);
    let address = bert.client().addresses().await.unwrap().remove(0);
    bert.step_up().await.unwrap();
    bert.client().remove_address(&address.id).await.unwrap();
    let left = bare.show(&shown.recovery_id).await.unwrap();
    assert_eq!((left.state, left.proofs.len()), (RecoveryStateName::Unproved, 1));
    let refused = bare.complete(&shown.recovery_id, "bert-new", Some(&new_code())).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_was_never_proved_gets_no_code() {
    let (smtp, world, ana, _bert, _codes) = bert_with_mail().await;
    ana.step_up().await.unwrap();
    ana.client().add_address(&ANA.parse().unwrap()).await.unwrap();
    until_subject(&world, &smtp, ANA, "confirm this address", 1).await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("ana", "new").await.unwrap().recovery_id;
    assert_eq!(ask(&bare, &id).await.status, 200);
    all_sorted(&world).await;
    assert!(with_subject(&smtp, ANA, SUBJECT).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_freezes_and_the_codes_are_worthless() {
    let (smtp, world, _ana, bert, NewCodes { codes, .. }) = bert_with_mail().await;
    let (bare, shown) = proved(&world, &smtp, &codes[0]).await;
    world.clock.advance(Seconds(1));
    bert.client().freeze().await.unwrap();
    let refused = bare.complete(&shown.recovery_id, "bert-new", Some(&new_code())).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::AccountFrozen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailed_code_is_nowhere_on_the_servers_disk() {
    let (smtp, mut world, _ana, _bert, NewCodes { codes, .. }) = bert_with_mail().await;
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    bare.prove(&id, &codes[0]).await.unwrap();
    ask(&bare, &id).await;
    let code = code_in(&mails(&world, &smtp, 1).await[0]);
    world.restart().await.unwrap();
    for entry in std::fs::read_dir(world.data_dir()).unwrap().flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        let found = bytes.windows(code.len()).any(|window| window == code.as_bytes());
        assert!(!found, "{:?}", entry.path());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_plan_counts_no_mail_mails_no_code() {
    let (_smtp, mut world, _ana, _bert, _codes) = bert_with_mail().await;
    world
        .restart_with(|config, _| {
            config.recovery_plan = landfall_identity::recovery::Preset::Strict.into();
            Ok(())
        })
        .await
        .unwrap();
    let bare = Bare::new(&world).unwrap();
    let begun = bare.begin("bert", "bert-new").await.unwrap();
    assert!(!begun.by_mail);
    assert_eq!(ask(&bare, &begun.recovery_id).await.code(), ErrorCode::MailUnavailable);
}
