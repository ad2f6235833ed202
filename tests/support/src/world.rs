//! A whole world in one process: the real server on real sockets with real SQLite, real clients with
//! their own folders, and a clock that a test holds in its hand.

#![allow(clippy::panic, clippy::print_stderr, reason = "a story stops where it goes wrong")]

use crate::ports::quiet_address;
use crate::{SoftBrowser, SoftKeys, still_ambient};
use anyhow::Context;
use landfall_client::shell::Answer;
use landfall_client::state::Home;
use landfall_client::{Client, Failure, FlowView, GivenNames, MintRequest, Opened, Setup, Shell};
use landfall_crypto::ambient::{Ambient, ManualClock};
use landfall_identity::caller::Role;
use landfall_identity::passkey::Attachment;
use landfall_identity::token::TokenKind;
use landfall_identity::{DeviceName, Label, Seconds, Timestamp, UserName};
use landfall_keystore::FileKeyStore;
use landfall_protocol::ErrorCode;
use landfall_protocol::ceremony::CeremonyBegun;
use landfall_protocol::passkey::PasskeyInfo;
use landfall_server::cli::{break_glass, confirm_clock};
use landfall_server::directory::database_in;
use landfall_server::{Config, Running, Server};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// When every world begins: 2026-11-21T14:00:00Z.
pub const BEGINNING: Timestamp = Timestamp::from_seconds(1_795_269_600);

/// A server and the machines around it.
pub struct World {
    /// The clock of the server and of every machine.
    pub clock: Arc<ManualClock>,
    /// Clock and chance.
    pub ambient: Ambient,
    folder: TempDir,
    server: Option<Running>,
    config: Config,
}

impl World {
    /// A fresh server, not claimed yet.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn new() -> anyhow::Result<Self> {
        Self::configured(|_, _| Ok(())).await
    }

    /// A fresh server with another configuration than the usual one. Files that it names may lie in the
    /// folder that is handed in.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn configured(
        edit: impl FnOnce(&mut Config, &Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir()?;
        let (clock, still) = still_ambient(BEGINNING, 1);
        // Chance is the system's: keys and tokens of a test are as unguessable as anybody's.
        let ambient = Ambient { clock: still.clock, random: Ambient::system().random };
        let mut config = Config::local(folder.path().join("server"));
        config.listen = quiet_address()?;
        config.localhost_listen = Some(quiet_address()?);
        edit(&mut config, folder.path())?;
        let server = Some(Server::start(config.clone(), ambient.clone()).await?);
        let mut world = Self { clock, ambient, folder, server, config };
        world.pin_addresses();
        Ok(world)
    }

    /// Keeps the ports of the first start, so that a restart is the same server to its clients.
    fn pin_addresses(&mut self) {
        if let Some(server) = &self.server {
            self.config.listen = server.https_addr;
            self.config.localhost_listen = server.localhost_addr;
        }
    }

    /// The server at work.
    ///
    /// # Panics
    /// Between a stop and a start.
    pub fn server(&self) -> &Running {
        self.server.as_ref().unwrap_or_else(|| panic!("the server is stopped"))
    }

    /// The server's data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    /// Stops the server and starts it again on the same directory and ports.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.pass(Seconds(0)).await
    }

    /// Lets time pass while the server is stopped: to one that runs, the clock would jump.
    ///
    /// # Errors
    /// When it does not start again.
    pub async fn pass(&mut self, span: Seconds) -> anyhow::Result<()> {
        if let Some(server) = self.server.take() {
            server.shutdown().await;
        }
        self.clock.advance(span);
        self.server = Some(Server::start(self.config.clone(), self.ambient.clone()).await?);
        Ok(())
    }

    /// Stops the server and starts it again with another configuration.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart_with(
        &mut self,
        edit: impl FnOnce(&mut Config, &Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        edit(&mut self.config, self.folder.path())?;
        self.restart().await
    }

    /// The database of a running server, for looking, and for what no client can bring about.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn database(&self) -> anyhow::Result<rusqlite::Connection> {
        let database = rusqlite::Connection::open(database_in(&self.data_dir()))?;
        database.busy_timeout(Duration::from_secs(10))?;
        Ok(database)
    }

    /// The first number that a statement yields.
    ///
    /// # Errors
    /// When it yields none.
    pub fn number(&self, sql: &str) -> anyhow::Result<i64> {
        Ok(self.database()?.query_row(sql, [], |row| row.get(0))?)
    }

    /// Waits for what the server does by itself, until `wanted` says that it is done.
    ///
    /// # Panics
    /// After half a minute.
    pub async fn until(&self, what: &str, mut wanted: impl FnMut(&Self) -> bool) {
        let patience = Instant::now() + Duration::from_secs(30);
        while !wanted(self) {
            assert!(Instant::now() < patience, "{what}: it never came to it");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Runs a command of the operator, on the real binary, beside the running server.
    ///
    /// # Errors
    /// When the binary is not built, or the command fails: with what it said.
    pub fn operator(&self, words: &[&str]) -> anyhow::Result<String> {
        // Beside the test's own folder, where cargo puts binaries.
        let here = std::env::current_exe()?;
        let folder = here.parent().and_then(Path::parent).context("no folder of binaries")?;
        let mut command = Command::new(folder.join("landfall-server"));
        let output = command.args(words).arg("--data-dir").arg(self.data_dir()).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        Err(anyhow::anyhow!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// `landfall-server clock confirm` beside the running server, by the world's own clock: the binary
    /// would ask the machine for the time.
    ///
    /// # Errors
    /// When it fails.
    pub async fn confirm_clock(&self) -> anyhow::Result<String> {
        let said = confirm_clock(&self.config, self.ambient.clone()).await;
        said.map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// `landfall-server break-glass` beside the running server, by the world's own clock. Without a
    /// device it makes a new administrator.
    ///
    /// # Errors
    /// When it fails.
    pub async fn break_glass(&self, user: &str, device: Option<&str>) -> anyhow::Result<String> {
        self.break_glass_against(user, device, &[]).await
    }

    /// The same, stopping somebody with it.
    ///
    /// # Errors
    /// When it fails.
    pub async fn break_glass_against(
        &self,
        user: &str,
        device: Option<&str>,
        stops: &[&UserName],
    ) -> anyhow::Result<String> {
        let device = device.map(DeviceName::parse).transpose()?;
        let user = UserName::parse(user)?;
        let stops = stops.iter().map(|name| (*name).clone()).collect();
        let code = break_glass(&self.config, self.ambient.clone(), user, device, stops).await;
        code.map(|code| code.as_str().to_owned()).map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// A machine that has never seen the server.
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub fn machine(&self, name: &str) -> anyhow::Result<Machine> {
        let folder = self.folder.path().join(name);
        Machine::at(&folder, &self.ambient)
    }

    /// A machine on which `user` claims the server, with a passkey in the user's pocket.
    ///
    /// # Errors
    /// When any step is refused.
    pub async fn admin(&self, user: &str) -> anyhow::Result<Person> {
        let machine = self.machine(&format!("{user}-desktop"))?;
        let token = self.server().claim_token.as_ref().context("no claim token")?;
        let device = format!("{user}-desktop");
        machine.enroll(token, Some(user), Some(&device)).await?;
        let person = Person { name: UserName::parse(user)?, machine, shell: PocketKey::new()? };
        person.register(Attachment::Roaming).await?;
        Ok(person)
    }

    /// A person whom `admin` invites, on a laptop of theirs, with a passkey in their pocket.
    ///
    /// # Errors
    /// When any step is refused.
    pub async fn invited(&self, admin: &Person, user: &str) -> anyhow::Result<Person> {
        let name = UserName::parse(user)?;
        let invitation = admin.mint(TokenKind::Invite, &name, None).await?;
        self.accept(name, &invitation).await
    }

    /// As [`World::invited`], for another administrator.
    ///
    /// # Errors
    /// When any step is refused.
    pub async fn invited_admin(&self, admin: &Person, user: &str) -> anyhow::Result<Person> {
        self.invited_as(admin, user, Role::Admin).await
    }

    /// As [`World::invited`], for somebody with a role.
    ///
    /// # Errors
    /// When any step is refused.
    pub async fn invited_as(
        &self,
        admin: &Person,
        user: &str,
        role: Role,
    ) -> anyhow::Result<Person> {
        let name = UserName::parse(user)?;
        let kind = TokenKind::Invite;
        let request = MintRequest { kind, user: name.clone(), device: None, role, ttl: None };
        let minted = admin.client().mint(request, &admin.shell).await.map_err(told)?;
        self.accept(name, &minted.text).await
    }

    async fn accept(&self, name: UserName, invitation: &str) -> anyhow::Result<Person> {
        let user = name.as_str();
        let machine = self.machine(&format!("{user}-laptop"))?;
        machine.enroll(invitation, None, Some(&format!("{user}-laptop"))).await?;
        let person = Person { name, machine, shell: PocketKey::new()? };
        // A passkey is a moment younger than the machine that it was registered on.
        self.clock.advance(Seconds(1));
        person.register(Attachment::Roaming).await?;
        Ok(person)
    }
}

/// One machine: a folder, the keys in it, and a client.
pub struct Machine {
    /// The client.
    pub client: Client,
    /// Its folder.
    pub folder: PathBuf,
}

impl Machine {
    /// A machine whose state is in `folder`.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn at(folder: &Path, ambient: &Ambient) -> anyhow::Result<Self> {
        let home = Home::open(folder).map_err(told)?;
        let keys = Arc::new(FileKeyStore::open(home.keys())?);
        let setup = Setup { home, keys, ambient: ambient.clone(), profile: None };
        Ok(Self { client: Client::new(setup), folder: folder.to_owned() })
    }

    /// Enrols with a pasted code.
    ///
    /// # Errors
    /// The client's or the server's problem.
    pub async fn try_enroll(
        &self,
        token: &str,
        user: Option<&str>,
        device: Option<&str>,
    ) -> Result<(), Failure> {
        let names = GivenNames {
            user: user.and_then(|text| UserName::parse(text).ok()),
            device: device.and_then(|text| DeviceName::parse(text).ok()),
            label: None,
        };
        let nobody = NoBrowser;
        self.client.enroll(token, names, false)?.run(&nobody).await.map(|_| ())
    }

    /// Enrols with a pasted code, and it must work.
    ///
    /// # Errors
    /// The client's or the server's problem.
    pub async fn enroll(
        &self,
        token: &str,
        user: Option<&str>,
        device: Option<&str>,
    ) -> anyhow::Result<()> {
        self.try_enroll(token, user, device).await.map_err(told)
    }
}

/// A person with a machine and a passkey in their pocket.
pub struct Person {
    /// Who.
    pub name: UserName,
    /// Their machine at the moment.
    pub machine: Machine,
    /// Their passkey and the browser that reaches it.
    pub shell: PocketKey,
}

impl Person {
    /// The client of the machine.
    pub fn client(&self) -> &Client {
        &self.machine.client
    }

    /// Registers a passkey.
    ///
    /// # Errors
    /// The server's problem.
    pub async fn register(&self, attachment: Attachment) -> anyhow::Result<PasskeyInfo> {
        let label = Label::parse("in the pocket")?;
        self.client().register_passkey(attachment, label, &self.shell).await.map_err(told)
    }

    /// Steps up, unbound.
    ///
    /// # Errors
    /// The server's problem.
    pub async fn step_up(&self) -> anyhow::Result<()> {
        self.client().step_up(None, None, &self.shell).await.map(|_| ()).map_err(told)
    }

    /// Mints a code and hands out its text.
    ///
    /// # Errors
    /// The server's problem.
    pub async fn mint(
        &self,
        kind: TokenKind,
        user: &UserName,
        device: Option<&str>,
    ) -> anyhow::Result<String> {
        let device = device.map(DeviceName::parse).transpose()?;
        let request =
            MintRequest { kind, user: user.clone(), device, role: Role::Member, ttl: None };
        let minted = self.client().mint(request, &self.shell).await.map_err(told)?;
        Ok(minted.text.to_string())
    }

    /// A code for another device of this person.
    ///
    /// # Errors
    /// The server's problem.
    pub async fn device_token(&self, device: &str) -> anyhow::Result<String> {
        self.mint(TokenKind::Device, &self.name, Some(device)).await
    }
}

/// A shell whose browser is the soft one, with passkeys that the person carries.
#[derive(Clone)]
pub struct PocketKey(Arc<Mutex<SoftBrowser>>);

impl PocketKey {
    /// A new key.
    ///
    /// # Errors
    /// When the authenticator cannot be made.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(SoftBrowser::new(SoftKeys::in_memory()?)?))))
    }

    /// The browser itself.
    pub fn browser(&self) -> Arc<Mutex<SoftBrowser>> {
        Arc::clone(&self.0)
    }
}

impl Shell for PocketKey {
    fn show(&self, _: &FlowView) {}

    fn has_browser(&self) -> bool {
        true
    }

    fn open_page(&self, begun: &CeremonyBegun) -> Result<Opened, Failure> {
        let (browser, url) = (Arc::clone(&self.0), begun.page_url.clone());
        tokio::spawn(async move {
            // What goes wrong in the browser shows in what the app receives, or does not.
            if let Err(error) = browser.lock().await.open(&url).await {
                eprintln!("the soft browser: {error:#}");
            }
        });
        Ok(Opened::unwatched())
    }

    fn typed_code<'a>(
        &'a self,
        _: &'a CeremonyBegun,
    ) -> Answer<'a, Result<Zeroizing<String>, Failure>> {
        Box::pin(async { Err(Failure::new(ErrorCode::InputNeeded, "nobody types here")) })
    }
}

/// A shell with nobody in front of it.
pub struct NoBrowser;

impl Shell for NoBrowser {
    fn show(&self, _: &FlowView) {}

    fn has_browser(&self) -> bool {
        false
    }

    fn open_page(&self, _: &CeremonyBegun) -> Result<Opened, Failure> {
        Err(Failure::new(ErrorCode::BrowserUnavailable, "no browser here"))
    }

    fn typed_code<'a>(
        &'a self,
        _: &'a CeremonyBegun,
    ) -> Answer<'a, Result<Zeroizing<String>, Failure>> {
        Box::pin(async { Err(Failure::new(ErrorCode::InputNeeded, "nobody types here")) })
    }
}

/// A client's failure as a test's error, with its code in front.
pub fn told(failure: Failure) -> anyhow::Error {
    anyhow::anyhow!("{}: {}", failure.code(), failure.problem().detail)
}
