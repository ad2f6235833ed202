//! The private folder.

use super::agent::{KeptAgent, PendingAgent};
use super::files;
use super::link::PendingLink;
use super::profile::{Pending, Profile, ProfileName};
use super::recovery::PendingRecovery;
use crate::agent_here::AGENTS_MAX;
use crate::failure::Failure;
use crate::sessions::Sessions;
use crate::texts;
use etcetera::BaseStrategy;
use landfall_identity::id::TokenId;
use landfall_keystore::KeyHandle;
use landfall_protocol::ErrorCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Profiles that one folder may hold.
const PROFILES_MAX: usize = 100;

/// Where the folder is: `LANDFALL_HOME` (handed in, read at the edge), else `landfall` under the
/// platform's configuration folder.
///
/// # Errors
/// When the platform has no such folder for this user.
pub fn default_home(landfall_home: Option<&OsStr>) -> Result<PathBuf, Failure> {
    if let Some(home) = landfall_home.filter(|home| !home.is_empty()) {
        return Ok(PathBuf::from(home));
    }
    let base = etcetera::choose_base_strategy()
        .map_err(|_| Failure::new(ErrorCode::StateUnwritable, texts::UNWRITABLE))?;
    Ok(base.config_dir().join("landfall"))
}

/// The private folder of one client.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

impl Home {
    /// Opens the folder. One that is missing is made, for its owner alone, when something is first
    /// kept in it: looking leaves no traces.
    ///
    /// # Errors
    /// `state-exposed` when others can read it, `state-unwritable` when it cannot be looked at.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Failure> {
        let home = Self(folder.into());
        if home.0.exists() && !home.0.is_dir() {
            let detail = format!("{} is no folder. {}", home.0.display(), texts::NO_FOLDER);
            return Err(Failure::new(ErrorCode::StateUnwritable, detail));
        }
        match files::is_exposed(&home.0) {
            Ok(false) => Ok(home),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(home),
            Ok(true) => Err(Failure::new(
                ErrorCode::StateExposed,
                format!("{} The folder is {}.", texts::EXPOSED, home.0.display()),
            )),
            Err(error) => Err(home.unwritable(&error)),
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where a file key store belongs.
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// Proves that a file can be written here now. Asked before a code is spent.
    ///
    /// # Errors
    /// `state-unwritable`.
    pub fn probe_writable(&self) -> Result<(), Failure> {
        let probe = self.0.join("pending").join(".probe");
        files::write_atomically(&probe, b"probe").map_err(|error| self.unwritable(&error))?;
        files::remove(&probe).map_err(|error| self.unwritable(&error))
    }

    /// Keeps other processes of this folder from changing identities at the same time.
    ///
    /// # Errors
    /// `state-busy` when another process is at it.
    pub(crate) fn lock(&self) -> Result<File, Failure> {
        files::make_private_folder(&self.0).map_err(|error| self.unwritable(&error))?;
        match files::try_lock(&self.0.join("lock")) {
            Ok(Some(file)) => Ok(file),
            Ok(None) => Err(Failure::new(ErrorCode::StateBusy, texts::STATE_BUSY)),
            Err(error) => Err(self.unwritable(&error)),
        }
    }

    /// The names of all profiles, sorted.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn profiles(&self) -> Result<Vec<ProfileName>, Failure> {
        let entries = match fs::read_dir(self.0.join("profiles")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.unwritable(&error)),
        };
        let names = entries.flatten().take(PROFILES_MAX).filter_map(|entry| {
            let name = ProfileName::parse(entry.file_name().to_str()?).ok()?;
            self.identity(&name).is_file().then_some(name)
        });
        let mut names: Vec<_> = names.collect();
        names.sort();
        Ok(names)
    }

    /// The profile to use: the one named, else the default, else the only one.
    ///
    /// # Errors
    /// `no-profile` when there is none, or when it is unclear which.
    pub fn choose(&self, named: Option<&str>) -> Result<ProfileName, Failure> {
        let profiles = self.profiles()?;
        let missing = |text: &str| Failure::new(ErrorCode::NoProfile, text);
        if let Some(named) = named {
            let found = profiles.into_iter().find(|name| name.as_str() == named);
            return found.ok_or_else(|| missing(texts::NO_SUCH_PROFILE));
        }
        let default = files::read(&self.0.join("default")).ok().flatten();
        let default = default.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(name) = profiles.iter().find(|name| Some(name.as_str()) == default.as_deref()) {
            return Ok(name.clone());
        }
        match &profiles[..] {
            [] => Err(missing(texts::NO_PROFILE)),
            [only] => Ok(only.clone()),
            _ => Err(missing(texts::WHICH_PROFILE)),
        }
    }

    /// Makes a profile the default.
    ///
    /// # Errors
    /// `state-unwritable`.
    pub fn set_default(&self, name: &ProfileName) -> Result<(), Failure> {
        self.write_bytes(&self.0.join("default"), name.as_str().as_bytes())
    }

    /// Reads a profile; `None` when there is none of this name.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn profile(&self, name: &ProfileName) -> Result<Option<Profile>, Failure> {
        self.read_json(&self.identity(name))
    }

    /// Writes a profile.
    ///
    /// # Errors
    /// `state-unwritable`; the one before stays.
    pub(crate) fn save_profile(
        &self,
        name: &ProfileName,
        profile: &Profile,
    ) -> Result<(), Failure> {
        self.write_json(&self.identity(name), profile)
    }

    pub(crate) fn sessions(&self, name: &ProfileName) -> Sessions {
        // What cannot be read is opened again.
        self.read_json(&self.folder(name).join("sessions.json")).ok().flatten().unwrap_or_default()
    }

    pub(crate) fn save_sessions(
        &self,
        name: &ProfileName,
        sessions: &Sessions,
    ) -> Result<(), Failure> {
        self.write_json(&self.folder(name).join("sessions.json"), sessions)
    }

    /// Every enrolment under way, oldest name first.
    pub(crate) fn pending(&self) -> Vec<Pending> {
        let Ok(entries) = fs::read_dir(self.0.join("pending")) else { return Vec::new() };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        paths.iter().filter_map(|path| self.read_json(path).ok().flatten()).collect()
    }

    pub(crate) fn pending_of(&self, token: &TokenId) -> Result<Option<Pending>, Failure> {
        self.read_json(&self.pending_path(token))
    }

    pub(crate) fn save_pending(&self, pending: &Pending) -> Result<(), Failure> {
        self.write_json(&self.pending_path(&pending.flow.facts().token), pending)
    }

    pub(crate) fn forget_pending(&self, token: &TokenId) -> Result<(), Failure> {
        files::remove(&self.pending_path(token)).map_err(|error| self.unwritable(&error))
    }

    /// The recovery that is under way.
    pub(crate) fn pending_recovery(&self) -> Result<Option<PendingRecovery>, Failure> {
        self.read_json(&self.recovery_path())
    }

    pub(crate) fn save_recovery(&self, pending: &PendingRecovery) -> Result<(), Failure> {
        self.write_json(&self.recovery_path(), pending)
    }

    pub(crate) fn forget_recovery(&self) -> Result<(), Failure> {
        files::remove(&self.recovery_path()).map_err(|error| self.unwritable(&error))
    }

    /// The link that is under way.
    pub(crate) fn pending_link(&self) -> Result<Option<PendingLink>, Failure> {
        self.read_json(&self.link_path())
    }

    pub(crate) fn save_link(&self, pending: &PendingLink) -> Result<(), Failure> {
        self.write_json(&self.link_path(), pending)
    }

    pub(crate) fn forget_link(&self) -> Result<(), Failure> {
        files::remove(&self.link_path()).map_err(|error| self.unwritable(&error))
    }

    /// The agent of this machine that is called that.
    ///
    /// # Errors
    /// `invalid-field` for a name that no file can have; when the file cannot be read.
    pub fn agent(&self, handle: &str) -> Result<Option<KeptAgent>, Failure> {
        self.read_json(&self.agent_path(handle)?)
    }

    /// Every agent of this machine, by name.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn agents(&self) -> Result<Vec<KeptAgent>, Failure> {
        let Ok(entries) = fs::read_dir(self.0.join("agents")) else { return Ok(Vec::new()) };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        paths.truncate(AGENTS_MAX);
        let read = |path: &PathBuf| self.read_json(path).transpose();
        paths.iter().filter_map(read).collect()
    }

    pub(crate) fn save_agent(&self, agent: &KeptAgent) -> Result<(), Failure> {
        self.write_json(&self.agent_path(&agent.handle)?, agent)
    }

    pub(crate) fn forget_agent(&self, handle: &str) -> Result<(), Failure> {
        files::remove(&self.agent_path(handle)?).map_err(|error| self.unwritable(&error))
    }

    /// The agent that is being let in under this name.
    pub(crate) fn pending_agent(&self, handle: &str) -> Result<Option<PendingAgent>, Failure> {
        self.read_json(&self.pending_agent_path(handle)?)
    }

    pub(crate) fn save_pending_agent(&self, agent: &PendingAgent) -> Result<(), Failure> {
        self.write_json(&self.pending_agent_path(&agent.handle)?, agent)
    }

    pub(crate) fn forget_pending_agent(&self, handle: &str) -> Result<(), Failure> {
        files::remove(&self.pending_agent_path(handle)?).map_err(|error| self.unwritable(&error))
    }

    fn agent_path(&self, handle: &str) -> Result<PathBuf, Failure> {
        Ok(self.0.join("agents").join(agent_file(handle)?))
    }

    fn pending_agent_path(&self, handle: &str) -> Result<PathBuf, Failure> {
        Ok(self.0.join("agents").join("begun").join(agent_file(handle)?))
    }

    fn link_path(&self) -> PathBuf {
        self.0.join("link.json")
    }

    fn recovery_path(&self) -> PathBuf {
        self.0.join("recovery.json")
    }

    fn folder(&self, name: &ProfileName) -> PathBuf {
        self.0.join("profiles").join(name.as_str())
    }

    fn identity(&self, name: &ProfileName) -> PathBuf {
        self.folder(name).join("identity.json")
    }

    fn pending_path(&self, token: &TokenId) -> PathBuf {
        self.0.join("pending").join(format!("{token}.json"))
    }

    fn read_json<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, Failure> {
        let damaged = || {
            let detail = format!("The file {} cannot be read. {}", path.display(), way_out(path));
            Failure::new(ErrorCode::StateDamaged, detail)
        };
        let Some(bytes) = files::read(path).map_err(|_| damaged())? else { return Ok(None) };
        let bytes = Zeroizing::new(bytes);
        serde_json::from_slice(&bytes).map(Some).map_err(|_| damaged())
    }

    fn write_json(&self, path: &Path, value: &impl Serialize) -> Result<(), Failure> {
        let bytes = serde_json::to_vec_pretty(value).map(Zeroizing::new);
        let bytes = bytes.map_err(|error| self.unwritable(&io::Error::other(error)))?;
        self.write_bytes(path, &bytes)
    }

    fn write_bytes(&self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        files::write_atomically(path, bytes).map_err(|error| self.unwritable(&error))
    }

    fn unwritable(&self, error: &io::Error) -> Failure {
        let detail = format!(
            "The folder {} cannot be used: {error}. {}",
            self.0.display(),
            texts::UNWRITABLE
        );
        Failure::new(ErrorCode::StateUnwritable, detail)
    }
}

/// The file of an agent.
fn agent_file(handle: &str) -> Result<String, Failure> {
    let name = KeyHandle::parse(handle)
        .map_err(|_| Failure::new(ErrorCode::InvalidField, texts::AGENT_NAME))?;
    Ok(format!("{name}.json"))
}

/// What to do about a file that cannot be read.
fn way_out(path: &Path) -> &'static str {
    let is_agent = path.parent().is_some_and(|folder| folder.ends_with("agents"));
    match path.file_name().and_then(OsStr::to_str) {
        Some("identity.json") => texts::IDENTITY_DAMAGED,
        _ if is_agent => texts::AGENT_DAMAGED,
        _ => texts::UNDERWAY_DAMAGED,
    }
}

#[cfg(test)]
#[path = "home_tests.rs"]
mod tests;
