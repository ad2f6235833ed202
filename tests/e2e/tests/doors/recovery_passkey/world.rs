//! What these stories share.

use landfall_client::shell::Answer as Said;
use landfall_client::words::ServerLine;
use landfall_client::{Failure, FlowView, Opened, RecoverRequest, Shell};
use landfall_identity::id::RecoveryId;
use landfall_identity::{DeviceName, Label, Seconds, UserName};
use landfall_protocol::ceremony::{CeremonyBegun, CeremonyFinished};
use landfall_protocol::passkey::PasskeyInfo;
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::browser::Page;
use landfall_test_support::raw::Answer;
use landfall_test_support::{Arrived, Bare, Person, PocketKey, World};
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

pub fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

/// Ana, who claims the server, and Bert, who carries a key that opens his account.
pub async fn bert_with_a_key(world: &World) -> (Person, Person, PasskeyInfo) {
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    world.clock.advance(Seconds(1));
    let key = bert.client().register_root_key(label("on the ring"), &bert.shell).await.unwrap();
    (ana, bert, key)
}

/// What somebody says at a bare machine whose laptop is gone.
pub fn request(ana: &Person, user: &str, name: &str) -> RecoverRequest {
    let server = ana.client().profile().unwrap();
    RecoverRequest {
        server: ServerLine { url: server.server, trust: server.trust },
        user: UserName::parse(user).unwrap(),
        device: device(name),
        label: None,
        lost: Some(device(&format!("{user}-laptop"))),
        code: None,
        replace: false,
    }
}

/// A listener that nobody has opened: the completion is taken from the page instead.
pub fn loopback() -> Value {
    json!({ "by": "loopback", "port": 50123, "path": "an-app-s-random-path" })
}

pub fn typed() -> Value {
    json!({ "by": "typed" })
}

pub async fn begin(bare: &Bare, id: &RecoveryId, by: &Value) -> anyhow::Result<CeremonyBegun> {
    let body = json!({ "recovery_id": id, "return_path": by });
    let answer = bare.post(paths::RECOVER_BEGIN, &body).await?;
    anyhow::ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
    Ok(serde_json::from_value(answer.body)?)
}

/// The browser half, up to what the page does next.
pub async fn touch(shell: &PocketKey, begun: &CeremonyBegun) -> anyhow::Result<CeremonyFinished> {
    let browser = shell.browser();
    let mut browser = browser.lock().await;
    let page = Page::parse(&begun.page_url)?;
    let options = browser.options(&page).await?;
    let answer = browser.touch(&page, &options).await?;
    browser.finish(&page, answer).await
}

/// What a loopback address carries.
pub fn completion(url: &str) -> String {
    url.split_once("completion=").unwrap().1.to_owned()
}

pub fn redeem_body(id: &RecoveryId, begun: &CeremonyBegun, completion: &str) -> Value {
    json!({ "recovery_id": id, "ceremony_id": begun.ceremony_id, "completion": completion })
}

pub async fn redeem(
    bare: &Bare,
    id: &RecoveryId,
    begun: &CeremonyBegun,
    completion: &str,
) -> Answer {
    bare.post(paths::RECOVER_REDEEM, &redeem_body(id, begun, completion)).await.unwrap()
}

/// The problem that a page was answered with.
pub fn refused_by_page<T>(answer: anyhow::Result<T>) -> Value {
    let said = answer.err().expect("it was taken").to_string();
    serde_json::from_str(said.split_once(": ").unwrap().1).unwrap()
}

/// A machine without a browser: the page is opened elsewhere, and its code typed.
pub struct ByHand(pub PocketKey);

impl Shell for ByHand {
    fn show(&self, _: &FlowView) {}

    fn has_browser(&self) -> bool {
        false
    }

    fn open_page(&self, _: &CeremonyBegun) -> Result<Opened, Failure> {
        Err(Failure::new(ErrorCode::BrowserUnavailable, "no browser here"))
    }

    fn typed_code<'a>(
        &'a self,
        begun: &'a CeremonyBegun,
    ) -> Said<'a, Result<Zeroizing<String>, Failure>> {
        let (browser, url) = (self.0.browser(), begun.page_url.clone());
        Box::pin(async move {
            match browser.lock().await.open(&url).await {
                Ok(Arrived::Showing(code)) => Ok(Zeroizing::new(code)),
                other => {
                    let why = format!("the page shows no code: {other:?}");
                    Err(Failure::new(ErrorCode::InputNeeded, why))
                }
            }
        })
    }
}
