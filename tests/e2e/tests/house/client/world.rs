//! A real server and the machines of people, in one process and on one clock.

use landfall_client::shell::{Answer, Shell};
use landfall_client::state::Home;
use landfall_client::words::{Attachment, DeviceName, Label, SecretText, UserName};
use landfall_client::{Client, Failure, FlowView, GivenNames, Opened, Setup};
use landfall_crypto::ambient::{Ambient, Clock, ManualClock, SystemClock, SystemRandom};
use landfall_identity::Seconds;
use landfall_keystore::FileKeyStore;
use landfall_protocol::ErrorCode;
use landfall_protocol::ceremony::CeremonyBegun;
use landfall_server::{Config, Running, Server};
use landfall_test_support::{SoftBrowser, SoftKeys};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

pub struct World {
    pub server: Running,
    pub clock: Arc<ManualClock>,
    pub folder: TempDir,
    ambient: Ambient,
    config: Config,
}

impl World {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let ambient = Ambient { clock: clock.clone(), random: Arc::new(SystemRandom) };
        let config = Config::local(folder.path().join("server"));
        let server = Server::start(config.clone(), ambient.clone()).await.unwrap();
        let config =
            Config { listen: server.https_addr, localhost_listen: server.localhost_addr, ..config };
        Self { server, clock, folder, ambient, config }
    }

    /// Lets time pass while the server is stopped: to one that runs, the clock would jump.
    pub async fn pass(self, span: Seconds) -> Self {
        self.server.shutdown().await;
        self.clock.advance(span);
        let server = Server::start(self.config.clone(), self.ambient.clone()).await.unwrap();
        Self { server, ..self }
    }

    /// One machine: a folder, a key store and a client of its own.
    pub fn machine(&self, name: &str) -> Client {
        let home = Home::open(self.home(name)).unwrap();
        let keys = Arc::new(FileKeyStore::open(home.keys()).unwrap());
        Client::new(Setup { home, keys, ambient: self.ambient.clone(), profile: None })
    }

    pub fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn claim_token(&self) -> SecretText {
        self.server.claim_token.clone().unwrap()
    }

    /// The first administrator, on `laptop`.
    pub async fn claimed(&self) -> Client {
        let laptop = self.machine("laptop");
        let mut enrolling =
            laptop.enroll(&self.claim_token(), names("ada", "laptop"), false).unwrap();
        enrolling.run(&Silent).await.unwrap();
        laptop
    }

    /// As [`Self::claimed`], with a passkey on a key that is carried around.
    pub async fn with_passkey(&self) -> (Client, Person) {
        let laptop = self.claimed().await;
        let person = Person::new(self);
        let label = Label::parse("blue key").unwrap();
        laptop.register_passkey(Attachment::Roaming, label, &person).await.unwrap();
        (laptop, person)
    }
}

pub fn names(user: &str, device: &str) -> GivenNames {
    GivenNames {
        user: Some(UserName::parse(user).unwrap()),
        device: Some(DeviceName::parse(device).unwrap()),
        label: None,
    }
}

/// A shell with nobody in front of it.
pub struct Silent;

impl Shell for Silent {
    fn show(&self, _view: &FlowView) {}

    fn has_browser(&self) -> bool {
        false
    }

    fn open_page(&self, _begun: &CeremonyBegun) -> Result<Opened, Failure> {
        Err(Failure::new(ErrorCode::BrowserUnavailable, "no browser"))
    }

    fn typed_code<'a>(
        &'a self,
        _begun: &'a CeremonyBegun,
    ) -> Answer<'a, Result<zeroize::Zeroizing<String>, Failure>> {
        Box::pin(async { Err(Failure::new(ErrorCode::InputNeeded, "nobody is here")) })
    }
}

/// A person with a key in a pocket and a browser at hand.
pub struct Person {
    keys: PathBuf,
    /// Types what the page shows instead of being redirected; spoils so many codes first.
    pub types: Option<Mutex<u32>>,
}

impl Person {
    pub fn new(world: &World) -> Self {
        Self { keys: world.folder.path().join("pocket.json"), types: None }
    }

    async fn visit(keys: PathBuf, url: String) -> landfall_test_support::Arrived {
        let mut browser = SoftBrowser::new(SoftKeys::kept_in(&keys).unwrap()).unwrap();
        browser.open(&url).await.unwrap()
    }
}

impl Shell for Person {
    fn show(&self, _view: &FlowView) {}

    fn has_browser(&self) -> bool {
        self.types.is_none()
    }

    fn open_page(&self, begun: &CeremonyBegun) -> Result<Opened, Failure> {
        tokio::spawn(Self::visit(self.keys.clone(), begun.page_url.clone()));
        Ok(Opened::unwatched())
    }

    fn typed_code<'a>(
        &'a self,
        begun: &'a CeremonyBegun,
    ) -> Answer<'a, Result<zeroize::Zeroizing<String>, Failure>> {
        Box::pin(async move {
            let spoils = {
                let mut left = self.types.as_ref().unwrap().lock().unwrap();
                let spoils = *left > 0;
                *left = left.saturating_sub(1);
                spoils
            };
            if spoils {
                return Ok(zeroize::Zeroizing::new("0000-0000".to_owned()));
            }
            match Self::visit(self.keys.clone(), begun.page_url.clone()).await {
                landfall_test_support::Arrived::Showing(code) => {
                    Ok(zeroize::Zeroizing::new(code.to_lowercase()))
                }
                landfall_test_support::Arrived::AtTheApp => panic!("nobody listens"),
            }
        })
    }
}
