//! What grows old: rows that nobody needs any more, and sessions whose passkey went with its machine.

use landfall_client::shell::{Answer, Shell};
use landfall_client::{Failure, FlowView, Opened};
use landfall_identity::passkey::Attachment;
use landfall_identity::{DeviceName, Label, Seconds};
use landfall_protocol::ceremony::{CeremonyBegun, CeremonyFinished, CeremonyPurpose};
use landfall_protocol::{ErrorCode, paths};
use landfall_server::audit::journal::JOURNAL_FILE;
use landfall_server::audit::verify::{Exported, verify};
use landfall_server::directory::database_in;
use landfall_server::keys::{AUDIT_PUBLIC, audit_public_key};
use landfall_test_support::browser::Page;
use landfall_test_support::{Forge, Person, PocketKey, Raw, World};
use reqwest::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use zeroize::Zeroizing;

const KINDS: [&str; 7] =
    ["ceremonies", "grants", "sessions", "tokens", "certificates", "changes", "stranger_refusals"];

/// How many rows each kind has.
fn counts(world: &World) -> [i64; 7] {
    KINDS.map(|table| world.number(&format!("SELECT COUNT(*) FROM {table}")).unwrap())
}

/// More refusals than one step drops, all of one minute.
fn plant_refusals(world: &World) {
    let minute = world.ambient.now().millis();
    let mut database = world.database().unwrap();
    let batch = database.transaction().unwrap();
    for n in 0..900 {
        let sql = "INSERT INTO stranger_refusals VALUES ($1, 'token-invalid', $2, 1)";
        batch.execute(sql, (format!("2001:db8::{n:x}/64"), minute)).unwrap();
    }
    batch.commit().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_dropped_and_nothing_else() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    ana.device_token("ana-phone").await.unwrap();
    ana.client().renew_now().await.unwrap();
    ana.step_up().await.unwrap();
    let laptop = DeviceName::parse("bert-laptop").unwrap();
    ana.client().admin_suspend_device(&bert.name, &laptop).await.unwrap();
    plant_refusals(&world);
    let kept = |world: &World| {
        ["users", "enrollments", "passkeys"]
            .map(|table| world.number(&format!("SELECT COUNT(*) FROM {table}")).unwrap())
    };
    let (before, lasting) = (counts(&world), kept(&world));
    assert!(before.iter().all(|count| *count > 0), "{before:?}");

    // Three hours: ceremonies and what had to be cut. A day: sessions and grants. A month: the rest.
    let [_, grants, sessions, tokens, certificates, _, refusals] = before;
    world.pass(Seconds::hours(3)).await.unwrap();
    let after = [0, grants, sessions, tokens, certificates, 0, refusals];
    world.until("hours", |world| counts(world) == after).await;
    world.pass(Seconds::hours(24)).await.unwrap();
    let after = [0, 0, 0, tokens, certificates, 0, refusals];
    world.until("a day", |world| counts(world) == after).await;
    world.pass(Seconds::days(32)).await.unwrap();
    world.until("a month", |world| counts(world) == [0; 7]).await;
    assert_eq!(kept(&world), lasting);

    // Nobody is worse off: the key renews, the sessions are new, the record is whole.
    assert_eq!(ana.client().whoami().await.unwrap().user, ana.name);
    assert_eq!(ana.client().tokens().await.unwrap(), []);
    world.restart().await.unwrap();
    let root = world.data_dir();
    let key = audit_public_key(&root.join(AUDIT_PUBLIC)).unwrap();
    let found =
        verify(&database_in(&root), &root.join(JOURNAL_FILE), Exported::Own, &key).await.unwrap();
    assert!(found.is_sound(), "{found}");
}

/// A person with a key in the pocket and another that is built into a laptop; it is registered when a
/// registration asks, and touched when it was chosen.
#[derive(Clone)]
struct BothKeys {
    pocket: PocketKey,
    built_in: Forge,
    counter: Arc<AtomicU32>,
    chosen: Arc<AtomicBool>,
}

impl BothKeys {
    fn new(world: &World, pocket: PocketKey) -> Self {
        let origin = world.server().site.ceremony.as_ref().unwrap().origin.clone();
        let built_in = Forge::honest(&origin, "localhost", 7);
        Self { pocket, built_in, counter: Arc::default(), chosen: Arc::default() }
    }

    fn uses(&self, attachment: Attachment) {
        self.chosen.store(attachment == Attachment::Platform, Ordering::SeqCst);
    }

    async fn visit(self, address: String) -> anyhow::Result<()> {
        let page = Page::parse(&address)?;
        let browser = self.pocket.browser();
        let mut browser = browser.lock().await;
        let options = browser.options(&page).await?;
        let counter = self.counter.fetch_add(1, Ordering::SeqCst);
        let built_in = Forge { counter, ..self.built_in };
        let credential = match options.purpose {
            CeremonyPurpose::Register => built_in.create(&options.public_key),
            CeremonyPurpose::StepUp if self.chosen.load(Ordering::SeqCst) => {
                built_in.get(&options.public_key)
            }
            _ => browser.touch(&page, &options).await?,
        };
        let CeremonyFinished::Redirect { url } = browser.finish(&page, credential).await? else {
            anyhow::bail!("nobody types here")
        };
        reqwest::Client::builder().no_proxy().build()?.get(url).send().await?;
        Ok(())
    }
}

impl Shell for BothKeys {
    fn show(&self, _: &FlowView) {}

    fn has_browser(&self) -> bool {
        true
    }

    fn open_page(&self, begun: &CeremonyBegun) -> Result<Opened, Failure> {
        let visit = self.clone().visit(begun.page_url.clone());
        tokio::spawn(async move { visit.await.unwrap() });
        Ok(Opened::unwatched())
    }

    fn typed_code<'a>(
        &'a self,
        _: &'a CeremonyBegun,
    ) -> Answer<'a, Result<Zeroizing<String>, Failure>> {
        Box::pin(async { Err(Failure::new(ErrorCode::InputNeeded, "nobody types here")) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_that_cannot_leave_a_machine_ends_with_it_on_every_other() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    // A second passkey of Bert's, which lives in his laptop and cannot leave it.
    let both = BothKeys::new(&world, bert.shell.clone());
    let label = Label::parse("in the laptop").unwrap();
    let made = bert.client().register_passkey(Attachment::Platform, label, &both).await.unwrap();
    assert!(made.device_bound, "{made:?}");
    let token = bert.device_token("bert-desktop").await.unwrap();
    let machine = world.machine("bert-desktop").unwrap();
    machine.enroll(&token, None, None).await.unwrap();
    let desktop = Person { name: bert.name.clone(), machine, shell: bert.shell.clone() };

    // On the desktop: a session of the key alone, one by the passkey in Bert's pocket, one by the
    // laptop's, as it is done over the cable or the air.
    let raw = Raw::of(&desktop.machine).unwrap();
    let weak = raw.session().await.unwrap().token;
    let by = async |attachment| {
        both.uses(attachment);
        desktop.client().step_up(None, Some(attachment), &both).await.unwrap().token
    };
    let (pocket, laptop) = (by(Attachment::Roaming).await, by(Attachment::Platform).await);
    let me = async |token: &str| raw.send(Method::GET, paths::ME, Some(token), None).await.unwrap();
    for token in [&weak, &pocket, &laptop] {
        assert_eq!(me(token).await.status, 200);
    }

    ana.step_up().await.unwrap();
    let name = DeviceName::parse("bert-laptop").unwrap();
    let cut = ana.client().admin_suspend_device(&bert.name, &name).await.unwrap();
    assert_eq!(cut.passkeys_disabled, 1);
    assert_eq!(me(&laptop).await.code(), ErrorCode::SessionOver);
    for token in [&weak, &pocket] {
        assert_eq!(me(token).await.status, 200, "what did not hang on the laptop goes on");
    }
    // Nor does it open another one; and what ended stays over when the laptop comes back.
    let refused = desktop.client().step_up(None, Some(Attachment::Platform), &both).await;
    assert_eq!(refused.err().unwrap().code(), ErrorCode::WrongAttachment);
    ana.client().admin_resume_device(&bert.name, &name).await.unwrap();
    assert_eq!(me(&laptop).await.code(), ErrorCode::SessionOver);
    assert_eq!(me(&by(Attachment::Platform).await).await.status, 200);
}
