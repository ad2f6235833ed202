//! A security key in the machine's own port: no browser at all, unless the key does not do.

use super::world::{label, request};
use landfall_authenticator::{Person as Holder, PinAsk, Question, SecurityKeys};
use landfall_client::shell::Answer as Said;
use landfall_client::{
    Client, Failure, FlowNext, FlowOtherWay, FlowView, Opened, RecoveryProgress, Shell,
};
use landfall_crypto::SecretBytes;
use landfall_identity::Seconds;
use landfall_identity::passkey::Attachment;
use landfall_identity::secret::SecretName;
use landfall_protocol::ceremony::{BoundActBody, CeremonyBegun, CeremonyOptions};
use landfall_protocol::{ErrorCode, Problem};
use landfall_test_support::security_key::{Ports, SecurityKey, Touch};
use landfall_test_support::{Person, PocketKey, World};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use url::Url;
use zeroize::Zeroizing;

const PIN: &str = "482913";

/// Somebody at a machine with ports, who also has a browser.
struct Desk {
    ports: Ports,
    browser: PocketKey,
    /// What the browser finds from its second page on.
    new: PocketKey,
    pages: AtomicU32,
    views: Mutex<Vec<FlowView>>,
    holder: Arc<Typist>,
}

/// What they type when a PIN is asked for, and what they were told.
#[derive(Default)]
struct Typist {
    pins: Mutex<VecDeque<&'static str>>,
    asked: Mutex<Vec<PinAsk>>,
    blinked: AtomicU32,
}

impl Holder for Typist {
    fn pin(&self, ask: PinAsk) -> Option<Zeroizing<String>> {
        self.asked.lock().unwrap().push(ask);
        self.pins.lock().unwrap().pop_front().map(|pin| Zeroizing::new(pin.to_owned()))
    }

    fn touch(&self) {
        self.blinked.fetch_add(1, Ordering::Relaxed);
    }
}

impl Desk {
    fn with(keys: &[&SecurityKey], pins: &[&'static str], browser: &PocketKey) -> Self {
        let ports = Ports::empty();
        keys.iter().for_each(|key| ports.plug(key));
        let holder = Typist::default();
        holder.pins.lock().unwrap().extend(pins);
        Self {
            ports,
            browser: browser.clone(),
            new: PocketKey::new().unwrap(),
            pages: AtomicU32::new(0),
            views: Mutex::default(),
            holder: Arc::new(holder),
        }
    }

    fn pages(&self) -> u32 {
        self.pages.load(Ordering::Relaxed)
    }

    fn asked(&self) -> Vec<PinAsk> {
        self.holder.asked.lock().unwrap().clone()
    }

    /// What went wrong with the key and was survived.
    fn survived(&self) -> Vec<(ErrorCode, String)> {
        let views = self.views.lock().unwrap();
        let mut said: Vec<_> = views
            .iter()
            .filter_map(|view| view.failure.as_ref())
            .map(|failure| (failure.code, failure.detail.clone()))
            .collect();
        said.dedup();
        said
    }
}

impl Shell for Desk {
    fn show(&self, view: &FlowView) {
        self.views.lock().unwrap().push(view.clone());
    }

    fn has_security_key(&self) -> Said<'_, bool> {
        Box::pin(async { SecurityKeys::of(self.ports.clone()).is_plugged_in().await })
    }

    fn use_security_key<'a>(
        &'a self,
        origin: &'a Url,
        options: &'a CeremonyOptions,
    ) -> Said<'a, Result<Value, Failure>> {
        Box::pin(async move {
            let answer = async {
                let question = Question::read(origin, options)?;
                SecurityKeys::of(self.ports.clone()).ask(question, self.holder.clone()).await
            };
            answer.await.map_err(|fault| Problem::from(fault).into())
        })
    }

    fn has_browser(&self) -> bool {
        true
    }

    fn open_page(&self, begun: &CeremonyBegun) -> Result<Opened, Failure> {
        match self.pages.fetch_add(1, Ordering::Relaxed) {
            0 => self.browser.open_page(begun),
            _ => self.new.open_page(begun),
        }
    }

    fn typed_code<'a>(
        &'a self,
        begun: &'a CeremonyBegun,
    ) -> Said<'a, Result<Zeroizing<String>, Failure>> {
        self.browser.typed_code(begun)
    }
}

/// Ana who claims, and Bert, whose key was registered through the port as the root of his account.
async fn bert_by_port(world: &World) -> (Person, Person, SecurityKey) {
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    world.clock.advance(Seconds(1));
    let key = SecurityKey::new(Some(PIN));
    // Adding another passkey is approved with the one that he has, in the browser.
    let desk = Desk::with(&[&key], &[PIN], &bert.shell);
    let made = bert.client().register_root_key(label("on the ring"), &desk).await.unwrap();
    assert_eq!((made.attachment, made.resident), (Attachment::Roaming, Some(true)), "{made:?}");
    assert_eq!(key.passkeys(), [("bert".to_owned(), true)]);
    assert_eq!(desk.asked().last(), Some(&PinAsk { wrong: false, tries_left: Some(8) }));
    (ana, bert, key)
}

async fn step_up(client: &Client, desk: &Desk) -> Result<(), Failure> {
    client.step_up(None, None, desk).await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugged_in_key_leads_all_the_way_back_in_without_a_browser() {
    let world = World::new().await.unwrap();
    let (ana, bert, key) = bert_by_port(&world).await;
    let wifi = SecretName::parse("wifi").unwrap();
    bert.client().set_secret(&wifi, &SecretBytes::new(b"hunter2".to_vec())).await.unwrap();

    let machine = world.machine("bert-new").unwrap();
    let desk = Desk::with(&[&key], &[PIN, PIN, PIN], &PocketKey::new().unwrap());
    let mut recovering = machine.client.recover(request(&ana, "bert", "bert-new")).unwrap();
    recovering.use_passkey(&desk).await;
    let RecoveryProgress::Done(_) = recovering.run(&desk).await.unwrap() else { panic!("not in") };
    recovering.finish().unwrap();
    let read = machine.client.get_secret(&wifi, None).await.unwrap();
    assert_eq!(read.value.expose(), b"hunter2");

    // It is offered before the browser, with the browser as the other way; and it steps up for one act.
    let offered = desk.views.lock().unwrap().iter().any(|view| {
        view.next == FlowNext::UseSecurityKey { pin: None }
            && view.other_way == Some(FlowOtherWay::UseBrowser)
    });
    assert!(offered, "the key is offered");
    step_up(&machine.client, &desk).await.unwrap();
    let act = BoundActBody::DrillPasskey {};
    machine.client.step_up(Some(act), None, &desk).await.unwrap();
    assert_eq!((desk.pages(), desk.survived()), (0, vec![]), "no browser, no fault");
    assert_eq!(key.touches(), 4, "one touch for each ceremony, none for looking");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_holds_nothing_of_ours_is_left_alone_and_the_browser_opens() {
    let world = World::new().await.unwrap();
    let (_, bert, _) = bert_by_port(&world).await;
    let stranger = SecurityKey::new(Some("0000"));
    let desk = Desk::with(&[&stranger], &[], &bert.shell);
    step_up(bert.client(), &desk).await.unwrap();
    assert_eq!(desk.pages(), 1);
    assert_eq!((stranger.touches(), desk.asked().len()), (0, 0), "no PIN, no touch for nothing");
    let survived = desk.survived();
    assert_eq!(survived.len(), 1, "{survived:?}");
    assert_eq!(survived[0].0, ErrorCode::SecurityKeyUnusable);
    assert!(survived[0].1.contains("holds no passkey"), "{survived:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_keys_the_one_that_holds_the_passkey_is_asked() {
    let world = World::new().await.unwrap();
    let (_, bert, key) = bert_by_port(&world).await;
    let stranger = SecurityKey::new(Some("0000"));
    let touched = key.touches();
    let desk = Desk::with(&[&stranger, &key], &[PIN], &bert.shell);
    step_up(bert.client(), &desk).await.unwrap();
    assert_eq!((desk.pages(), stranger.touches(), key.touches()), (0, 0, touched + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_keys_that_might_do_the_touched_one_is_taken_and_the_other_told() {
    let world = World::new().await.unwrap();
    let (ana, bert, key) = bert_by_port(&world).await;
    let other = SecurityKey::new(Some("0000"));
    other.owner(Touch::NotYet);
    let machine = world.machine("bert-new").unwrap();
    let desk = Desk::with(&[&other, &key], &[PIN], &bert.shell);
    // Nobody is named to a key on a bare machine, so neither can say before it was touched.
    let mut recovering = machine.client.recover(request(&ana, "bert", "bert-new")).unwrap();
    recovering.use_passkey(&desk).await;
    let RecoveryProgress::Done(_) = recovering.run(&desk).await.unwrap() else { panic!("not in") };
    assert_eq!((desk.pages(), other.cancels()), (0, 1), "the other stops blinking");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_accounts_on_one_key_the_one_that_is_meant_answers() {
    let world = World::new().await.unwrap();
    let (ana, bert, key) = bert_by_port(&world).await;
    // The same ring opens a second account, registered later: a key answers with the newest first.
    let cleo = world.invited(&ana, "cleo").await.unwrap();
    world.clock.advance(Seconds(1));
    let desk = Desk::with(&[&key], &[PIN, PIN], &cleo.shell);
    cleo.client().register_root_key(label("the same ring"), &desk).await.unwrap();
    let machine = world.machine("bert-new").unwrap();
    let mut recovering = machine.client.recover(request(&ana, "bert", "bert-new")).unwrap();
    recovering.use_passkey(&desk).await;
    let RecoveryProgress::Done(end) = recovering.run(&desk).await.unwrap() else {
        panic!("not in")
    };
    assert_eq!(end.profile.names().unwrap().1, &bert.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_pin_is_asked_for_again_with_what_is_left() {
    let world = World::new().await.unwrap();
    let (_, bert, key) = bert_by_port(&world).await;
    let desk = Desk::with(&[&key], &["000000", PIN], &bert.shell);
    step_up(bert.client(), &desk).await.unwrap();
    let asked =
        [PinAsk { wrong: false, tries_left: Some(8) }, PinAsk { wrong: true, tries_left: Some(7) }];
    assert_eq!((desk.asked(), desk.pages()), (asked.to_vec(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_stops_the_key_the_browser_opens_and_says_why() {
    let world = World::new().await.unwrap();
    let (_, bert, key) = bert_by_port(&world).await;
    let said = async |desk: Desk| {
        step_up(bert.client(), &desk).await.unwrap();
        assert_eq!(desk.pages(), 1, "the browser took over");
        desk.survived().pop().unwrap().1
    };
    // Somebody would rather not type the PIN here.
    let aside = said(Desk::with(&[&key], &[], &bert.shell)).await;
    assert!(aside.contains("left the security key aside"), "{aside}");
    key.owner(Touch::TooLate);
    let late = said(Desk::with(&[&key], &[PIN], &bert.shell)).await;
    assert!(late.contains("Nobody touched"), "{late}");
    key.owner(Touch::AtOnce);
    let resting = said(Desk::with(&[&key], &["1111", "2222", "3333"], &bert.shell)).await;
    assert!(resting.contains("Unplug"), "{resting}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_passkey_needs_a_pin_room_and_a_key_that_has_none_yet() {
    let world = World::new().await.unwrap();
    let (_, bert, key) = bert_by_port(&world).await;
    let register = async |key: &SecurityKey, pins: &[&'static str]| {
        let desk = Desk::with(&[key], pins, &bert.shell);
        let made = bert.client().register_root_key(label("another"), &desk).await;
        (made, desk)
    };
    let (made, _) = register(&key, &[PIN, PIN]).await;
    assert_eq!(made.unwrap_err().code(), ErrorCode::PasskeyRegistered);
    // The browser's own key takes over from one that cannot.
    let (made, desk) = register(&SecurityKey::new(None), &[]).await;
    made.unwrap();
    assert!(desk.survived().iter().any(|(_, why)| why.contains("no PIN yet")));
    let (_, desk) = register(&SecurityKey::new(Some(PIN)).with_room(0), &[PIN]).await;
    assert!(desk.survived().iter().any(|(_, why)| why.contains("no room")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_not_asked_for_what_lives_in_a_machine() {
    let world = World::new().await.unwrap();
    let (_, bert, key) = bert_by_port(&world).await;
    let desk = Desk::with(&[&key], &[PIN], &bert.shell);
    // The approval of the act may come from the key; the new passkey is the machine's own.
    let here = label("this laptop");
    bert.client().register_passkey(Attachment::Platform, here, &desk).await.unwrap();
    assert_eq!((desk.pages(), key.passkeys().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_waiting_stops_the_key() {
    let world = World::new().await.unwrap();
    let (_, bert, key) = bert_by_port(&world).await;
    key.owner(Touch::NotYet);
    let desk = Desk::with(&[&key], &[PIN], &bert.shell);
    let blinks = async {
        while desk.holder.blinked.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = step_up(bert.client(), &desk) => panic!("nobody touched it"),
        () = blinks => {}
    }
    while key.cancels() == 0 {
        tokio::task::yield_now().await;
    }
    // It serves again at once.
    key.owner(Touch::AtOnce);
    let desk = Desk::with(&[&key], &[PIN], &bert.shell);
    step_up(bert.client(), &desk).await.unwrap();
    assert_eq!(desk.pages(), 0);
}
