//! Answers that an honest authenticator would not give, each bent in one place.

use super::world::{begin, completion, label, loopback, redeem, refused_by_page};
use landfall_client::shell::Answer as Said;
use landfall_client::{Failure, FlowView, Opened, Shell};
use landfall_protocol::ErrorCode;
use landfall_protocol::ceremony::{CeremonyBegun, CeremonyFinished, CeremonyPurpose};
use landfall_test_support::browser::Page;
use landfall_test_support::forge::{BE, BS, UP, UV};
use landfall_test_support::{Bare, Forge, PocketKey, World};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// A shell whose new passkeys are forged ones.
struct Forging(PocketKey);

fn forge(page: &Page) -> Forge {
    Forge { counter: 7, ..Forge::honest(&page.origin(), "localhost", 3) }
}

impl Shell for Forging {
    fn show(&self, _: &FlowView) {}

    fn has_browser(&self) -> bool {
        true
    }

    fn open_page(&self, begun: &CeremonyBegun) -> Result<Opened, Failure> {
        let (browser, page) = (self.0.browser(), Page::parse(&begun.page_url).unwrap());
        tokio::spawn(async move {
            let mut browser = browser.lock().await;
            let asked = browser.options(&page).await.unwrap();
            let answer = match page.purpose {
                CeremonyPurpose::Register => forge(&page).create(&asked.public_key),
                _ => browser.touch(&page, &asked).await.unwrap(),
            };
            let next = browser.finish(&page, answer).await.unwrap();
            let CeremonyFinished::Redirect { url } = next else { panic!("no redirect") };
            reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap();
        });
        Ok(Opened::unwatched())
    }

    fn typed_code<'a>(
        &'a self,
        _: &'a CeremonyBegun,
    ) -> Said<'a, Result<Zeroizing<String>, Failure>> {
        Box::pin(async { Err(Failure::new(ErrorCode::InputNeeded, "nobody types here")) })
    }
}

/// Bends an answer, or what it answers.
type Bend = fn(&mut Forge, &mut Value);

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_is_proved_only_as_it_was_asked() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let shell = Forging(bert.shell.clone());
    bert.client().register_root_key(label("forged"), &shell).await.unwrap();
    let handle = "SELECT webauthn_handle FROM users WHERE name = 'bert'";
    let handle: Vec<u8> =
        world.database().unwrap().query_row(handle, [], |row| row.get(0)).unwrap();
    let bends: [(&str, Bend); 13] = [
        ("nobody touched", |forge, _| forge.flags = UV),
        ("not verified", |forge, _| forge.flags = UP),
        ("the counter stands", |forge, _| forge.counter = 7),
        ("the counter falls", |forge, _| forge.counter = 6),
        ("eligible now", |forge, _| forge.flags = UP | UV | BE),
        ("backed up, not eligible", |forge, _| forge.flags = UP | UV | BS),
        ("no handle", |forge, _| forge.user_handle = None),
        ("another's handle", |forge, _| forge.user_handle = Some(vec![1; 16])),
        ("another page", |forge, _| forge.origin = "http://localhost.evil.example:1".into()),
        ("another server", |forge, _| forge.rp_id = "evil.example".into()),
        ("a registration", |forge, _| forge.client_data_type = Some("webauthn.create")),
        ("another signature", |forge, _| forge.spoil_signature = true),
        ("another challenge", |_, options| options["challenge"] = json!("A".repeat(43))),
    ];
    let browser = bert.shell.browser();
    let browser = browser.lock().await;
    for (what, bend) in bends {
        let bare = Bare::new(&world).unwrap();
        let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
        let page = Page::parse(&begin(&bare, &id, &loopback()).await.unwrap().page_url).unwrap();
        let mut options = browser.options(&page).await.unwrap().public_key;
        let mut answer = Forge { counter: 8, user_handle: Some(handle.clone()), ..forge(&page) };
        bend(&mut answer, &mut options);
        let refused = refused_by_page(browser.finish(&page, answer.get(&options)).await);
        let code = refused["code"].as_str().unwrap();
        assert!(["passkey-refused", "passkey-suspicious"].contains(&code), "{what}: {refused}");
        assert_eq!(bare.show(&id).await.unwrap().proofs, [], "{what}");
    }
    // As it was asked, it is taken.
    let bare = Bare::new(&world).unwrap();
    let id = bare.begin("bert", "bert-new").await.unwrap().recovery_id;
    let begun = begin(&bare, &id, &loopback()).await.unwrap();
    let page = Page::parse(&begun.page_url).unwrap();
    let options = browser.options(&page).await.unwrap().public_key;
    let honest = Forge { counter: 8, user_handle: Some(handle), ..forge(&page) };
    let next = browser.finish(&page, honest.get(&options)).await.unwrap();
    let CeremonyFinished::Redirect { url } = next else { panic!("no redirect") };
    let shown = redeem(&bare, &id, &begun, &completion(&url)).await;
    assert_eq!(shown.body["state"], "ready");
    let done = bare.complete(&id, "bert-new", None).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
}
