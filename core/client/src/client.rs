//! The one object that shells hold.

use crate::failure::Failure;
use crate::http::Http;
use crate::renew::renew;
use crate::sessions::{HumanState, Sessions};
use crate::state::{Home, Profile, ProfileName};
use crate::texts;
use crate::tls::DeviceIdentity;
use landfall_crypto::Ambient;
use landfall_identity::AuthStrength;
use landfall_keystore::{KeyHandle, KeyStore};
use landfall_protocol::session::SessionOpened;
use landfall_protocol::{At, ErrorCode};
use std::sync::{Arc, Mutex as PlainMutex, MutexGuard, PoisonError};
use tokio::sync::{Mutex, MutexGuard as AsyncGuard};

/// What a client is made of. Everything that differs between a person's machine and a test is here.
pub struct Setup {
    /// The private folder.
    pub home: Home,
    /// Where keys live.
    pub keys: Arc<dyn KeyStore>,
    /// Clock and chance.
    pub ambient: Ambient,
    /// Which profile to use; the default one when absent.
    pub profile: Option<String>,
}

/// A client of one server at a time. Cheap to clone; clones share connections and sessions.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    setup: Setup,
    live: Mutex<Option<Arc<Live>>>,
    /// One call at a time goes on with the recovery that is under way here.
    recovering: Mutex<()>,
}

/// A profile in use: its connections and its sessions.
pub(crate) struct Live {
    pub(crate) name: ProfileName,
    pub(crate) profile: Profile,
    pub(crate) http: Http,
    sessions: PlainMutex<Sessions>,
}

impl Client {
    /// A client. Reads nothing yet.
    pub fn new(setup: Setup) -> Self {
        Self(Arc::new(Inner { setup, live: Mutex::new(None), recovering: Mutex::new(()) }))
    }

    /// Its folder.
    pub fn home(&self) -> &Home {
        &self.0.setup.home
    }

    /// Clock and chance.
    pub fn ambient(&self) -> &Ambient {
        &self.0.setup.ambient
    }

    pub(crate) async fn recovery_turn(&self) -> AsyncGuard<'_, ()> {
        self.0.recovering.lock().await
    }

    pub(crate) fn keys(&self) -> &Arc<dyn KeyStore> {
        &self.0.setup.keys
    }

    /// The name of the profile in use.
    ///
    /// # Errors
    /// `no-profile`.
    pub fn profile_name(&self) -> Result<ProfileName, Failure> {
        self.home().choose(self.0.setup.profile.as_deref())
    }

    /// Who this machine is, by what is on disk.
    ///
    /// # Errors
    /// `no-profile`, or when the file cannot be read.
    pub fn profile(&self) -> Result<Profile, Failure> {
        let name = self.profile_name()?;
        let missing = || Failure::new(ErrorCode::NoProfile, texts::NO_PROFILE);
        self.home().profile(&name)?.ok_or_else(missing)
    }

    /// Whether a person has stepped up here, as far as this machine knows.
    pub fn human(&self) -> Option<HumanState> {
        let sessions = self.home().sessions(&self.profile_name().ok()?);
        let session = sessions.live(AuthStrength::CertHuman, self.ambient().now())?;
        Some(HumanState { until: session.expires_at })
    }

    /// Asks for the next certificate now.
    ///
    /// # Errors
    /// What the server says: `device-revoked`, `renewal-too-late`, ...
    pub async fn renew_now(&self) -> Result<At, Failure> {
        let live = self.load().await?;
        let live = self.renew_live(&live).await?;
        Ok(live.profile.not_after)
    }

    /// The profile in use, with a certificate that is renewed when two thirds of its life are over.
    /// A renewal that fails is let go while the certificate still serves.
    pub(crate) async fn live(&self) -> Result<Arc<Live>, Failure> {
        let live = self.load().await?;
        let now = self.ambient().now();
        if !live.profile.renew_at.0.is_over(now) {
            return Ok(live);
        }
        match self.renew_live(&live).await {
            Ok(live) => Ok(live),
            Err(failure) if live.profile.not_after.0.is_over(now) => Err(failure),
            Err(failure) => {
                tracing::warn!(code = %failure.code(), "{}", texts::RENEW_FAILED);
                Ok(live)
            }
        }
    }

    async fn load(&self) -> Result<Arc<Live>, Failure> {
        let mut slot = self.0.live.lock().await;
        if let Some(live) = slot.as_ref() {
            return Ok(live.clone());
        }
        let name = self.profile_name()?;
        let live = Arc::new(self.connect(name, self.profile()?)?);
        *slot = Some(live.clone());
        Ok(live)
    }

    /// Puts a renewed certificate in the place of `old`, unless somebody else has done so meanwhile:
    /// a task of this process, or another process.
    pub(crate) async fn renew_live(&self, old: &Arc<Live>) -> Result<Arc<Live>, Failure> {
        let mut slot = self.0.live.lock().await;
        if let Some(live) = slot.as_ref().filter(|live| !Arc::ptr_eq(live, old)) {
            return Ok(live.clone());
        }
        let on_disk = self.home().profile(&old.name)?;
        let newer = |profile: &Profile| profile.not_after > old.profile.not_after;
        let profile = match on_disk.filter(newer) {
            Some(profile) => profile,
            None => {
                let key = &old.profile.key;
                let issued = renew(&old.http, &old.profile.server, key, self).await;
                let issued = issued.inspect_err(|failure| self.note_end(old, failure))?;
                let profile = old.profile.clone().renewed(issued);
                self.home().save_profile(&old.name, &profile)?;
                profile
            }
        };
        let live = self.connect(old.name.clone(), profile)?;
        *live.sessions() = old.sessions().clone();
        let live = Arc::new(live);
        *slot = Some(live.clone());
        Ok(live)
    }

    /// Forgets connections and sessions in memory: the profile has changed on disk.
    pub(crate) async fn reload(&self) {
        *self.0.live.lock().await = None;
    }

    fn connect(&self, name: ProfileName, profile: Profile) -> Result<Live, Failure> {
        let handle = key_handle(&profile.key.handle)?;
        let chain = profile.certificate_chain.clone();
        let identity = DeviceIdentity { keys: self.keys().clone(), handle, chain };
        let http = Http::new(&profile.server, profile.trust, Some(identity), self.ambient())?;
        let sessions = PlainMutex::new(self.home().sessions(&name));
        Ok(Live { name, profile, http, sessions })
    }

    /// Keeps a session for later calls, here and in later processes.
    pub(crate) fn keep_session(&self, live: &Live, session: SessionOpened) {
        live.sessions().keep(session);
        self.save_sessions(live);
    }

    pub(crate) fn drop_session(&self, live: &Live, strength: AuthStrength) {
        live.sessions().drop_strength(strength);
        self.save_sessions(live);
    }

    fn save_sessions(&self, live: &Live) {
        // A session that is not kept is opened again next time.
        if let Err(failure) = self.home().save_sessions(&live.name, &live.sessions()) {
            tracing::debug!(code = %failure.code(), "sessions are not kept");
        }
    }

    /// Remembers that the server called this identity over, so that a new one may take its place.
    pub(crate) fn note_end(&self, live: &Live, failure: &Failure) {
        if !matches!(failure.code(), ErrorCode::DeviceRevoked | ErrorCode::NotEnrolled) {
            return;
        }
        let mut profile = live.profile.clone();
        profile.ended = Some(failure.code());
        if let Err(failure) = self.home().save_profile(&live.name, &profile) {
            tracing::debug!(code = %failure.code(), "the end of this identity is not noted");
        }
    }
}

impl Live {
    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key's local name, as a profile or a flow keeps it.
pub(crate) fn key_handle(text: &str) -> Result<KeyHandle, Failure> {
    KeyHandle::parse(text)
        .map_err(|_| Failure::new(ErrorCode::KeyUnavailable, texts::KEY_UNAVAILABLE))
}
