//! A server that takes some models of key, and says so to whoever comes with another.

use super::world::{refused_by_page, typed};
use landfall_protocol::ceremony::{CeremonyBegun, CeremonyFinished};
use landfall_protocol::passkey::PasskeyInfo;
use landfall_protocol::paths;
use landfall_server::Config;
use landfall_test_support::browser::Page;
use landfall_test_support::keys::ROAMING_MODEL;
use landfall_test_support::{Forge, Raw, SoftBrowser, SoftKeys, World};
use reqwest::Method;
use serde_json::json;
use std::path::Path;

async fn begin(raw: &Raw, token: &str) -> CeremonyBegun {
    let body = json!({ "attachment": "roaming", "label": "key", "return_path": typed() });
    let begun = raw.send(Method::POST, paths::REGISTER_BEGIN, Some(token), Some(&body));
    serde_json::from_value(begun.await.unwrap().body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_list_only_a_model_that_somebody_vouches_for_is_taken() {
    let (keys, root) = SoftKeys::vouched_for().unwrap();
    let listed = |config: &mut Config, folder: &Path| {
        let file = folder.join("models");
        std::fs::write(&file, format!("# the office's keys\n{ROAMING_MODEL}\n{root}"))?;
        config.passkey_models_file = Some(file);
        Ok(())
    };
    let world = World::configured(listed).await.unwrap();
    let machine = world.machine("ana-desktop").unwrap();
    let token = world.server().claim_token.as_ref().unwrap().to_string();
    machine.enroll(&token, Some("ana"), Some("ana-desktop")).await.unwrap();
    let raw = Raw::of(&machine).unwrap();
    let session = raw.session().await.unwrap().token;

    // The same model, vouched for by somebody else; and one that says nothing of itself.
    let browser = SoftBrowser::new(SoftKeys::in_memory().unwrap());
    let mut browser = browser.unwrap();
    for silent in [false, true] {
        let page = Page::parse(&begin(&raw, &session).await.page_url).unwrap();
        let asked = browser.options(&page).await.unwrap();
        let answer = match silent {
            true => Forge::honest(&page.origin(), "localhost", 5).create(&asked.public_key),
            false => browser.touch(&page, &asked).await.unwrap(),
        };
        let refused = refused_by_page(browser.finish(&page, answer).await);
        assert_eq!(refused["code"], "passkey-model-refused", "{refused}");
    }
    let begun = begin(&raw, &session).await;
    let page = Page::parse(&begun.page_url).unwrap();
    let mut browser = SoftBrowser::new(keys).unwrap();
    let asked = browser.options(&page).await.unwrap();
    let answer = browser.touch(&page, &asked).await.unwrap();
    let CeremonyFinished::Show { code } = browser.finish(&page, answer).await.unwrap() else {
        panic!("no code")
    };
    let body = json!({ "ceremony_id": begun.ceremony_id, "completion": code });
    let kept = raw.send(Method::POST, paths::REGISTER_REDEEM, Some(&session), Some(&body));
    let kept: PasskeyInfo = serde_json::from_value(kept.await.unwrap().body).unwrap();
    assert_eq!(kept.aaguid, Some(ROAMING_MODEL.to_string()), "its model is kept, and shown");
}
