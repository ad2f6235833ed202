//! Keeps an identity fresh: by the platform's token, read anew for each exchange.

use crate::identity::Identity;
use landfall_client::words::{Ambient, SecretText, ServerLine};
use landfall_client::{Failure, WorkloadDoor};
use landfall_crypto::KeyPair;
use landfall_crypto::secret::sha256;
use landfall_identity::workload::SVID_AUDIENCES_MAX;
use landfall_identity::{SpiffeId, Timestamp};
use landfall_protocol::ErrorCode;
use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often is looked whether the identity is due.
const TICK: Duration = Duration::from_secs(1);
/// Ticks until the second try; they double.
const PAUSE: u32 = 1;
/// The most ticks between two tries.
const PAUSE_MAX: u32 = 60;
/// The largest token that is read.
const TOKEN_MAX: u64 = 16 * 1024;
/// JWT-SVIDs that are kept; beyond, all are fetched anew.
const TOKENS_KEPT: usize = 64;

/// What a keeper is made of.
pub struct Setup {
    /// Which server, and how to know it.
    pub server: ServerLine,
    /// The file that the platform keeps the token in.
    pub token_file: PathBuf,
    /// Clock and chance.
    pub ambient: Ambient,
}

/// Keeps an identity.
pub struct Keeper {
    setup: Setup,
    door: WorkloadDoor,
    current: watch::Sender<Option<Arc<Identity>>>,
    held: Mutex<Option<Held>>,
    tokens: Mutex<HashMap<Vec<String>, (String, Timestamp)>>,
    /// Whose identity this is, from the first exchange on.
    whose: OnceLock<SpiffeId>,
}

/// The key of this process, and the token that it goes with: a token of a CI job serves one key, and a
/// new token brings a new one.
struct Held {
    key: Arc<KeyPair>,
    token: [u8; 32],
}

impl Keeper {
    /// Nothing is held yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(setup: Setup) -> Result<Self, Failure> {
        let door = WorkloadDoor::new(&setup.server, &setup.ambient)?;
        let (current, held, tokens) =
            (watch::Sender::new(None), Mutex::default(), Mutex::default());
        Ok(Self { setup, door, current, held, tokens, whose: OnceLock::new() })
    }

    /// The identity that is held, and each one after it.
    pub fn watch(&self) -> watch::Receiver<Option<Arc<Identity>>> {
        self.current.subscribe()
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.setup.ambient.now()
    }

    /// Fetches an identity now, in place of the one that is held.
    ///
    /// # Errors
    /// What the server says; `workload-token-unreadable`.
    pub async fn renew(&self) -> Result<Arc<Identity>, Failure> {
        let token = self.read_token()?;
        let key = self.key_for(&token).await?;
        let issued = self.door.exchange(&token, key.as_ref(), &[]).await?;
        self.check_whose(&issued.spiffe_id)?;
        let bundle = self.door.bundle().await?;
        let identity = Arc::new(Identity::of(issued, &key, &bundle)?);
        self.current.send_replace(Some(Arc::clone(&identity)));
        Ok(identity)
    }

    /// A JWT-SVID for these audiences: one that is young enough, or another.
    ///
    /// # Errors
    /// As [`Keeper::renew`].
    pub async fn jwt_svid(&self, audience: Vec<String>) -> Result<(SpiffeId, String), Failure> {
        if audience.is_empty() || audience.len() > SVID_AUDIENCES_MAX {
            let why = format!("Name one to {SVID_AUDIENCES_MAX} audiences.");
            return Err(Failure::new(ErrorCode::InvalidField, why).about("audience"));
        }
        let identity = self.current.borrow().clone().ok_or_else(nothing_held)?;
        let mut tokens = self.tokens.lock().await;
        if let Some((token, renew_at)) = tokens.get(&audience)
            && !renew_at.is_over(self.now())
        {
            return Ok((identity.spiffe_id.clone(), token.clone()));
        }
        let token = self.read_token()?;
        let key = self.key_for(&token).await?;
        let issued = self.door.exchange(&token, key.as_ref(), &audience).await?;
        self.check_whose(&issued.spiffe_id)?;
        let text = issued.jwt_svid.ok_or_else(nothing_held)?;
        if tokens.len() >= TOKENS_KEPT {
            tokens.clear();
        }
        tokens.insert(audience, (text.clone(), issued.renew_at.0));
        Ok((issued.spiffe_id, text))
    }

    /// Keeps the identity fresh until it is time to stop. What fails is tried again, after growing
    /// pauses, and the identity that is held serves until it ends.
    pub async fn keep(&self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut pause, mut left) = (PAUSE, 0);
        while next(&mut ticks, &stop).await {
            if left > 0 {
                left -= 1;
                continue;
            }
            let held = self.current.borrow().clone();
            if held.as_ref().is_some_and(|held| !held.renew_at.is_over(self.now())) {
                continue;
            }
            let ended = held.as_ref().map(|held| held.not_after);
            match self.renew().await {
                // The same one again, for the same token: the next token will bring another.
                Ok(again) if ended == Some(again.not_after) => {}
                Ok(identity) => {
                    pause = PAUSE;
                    tracing::info!(spiffe_id = %identity.spiffe_id, "the identity was renewed");
                    continue;
                }
                Err(failure) => {
                    tracing::warn!(code = %failure.code(), "the identity could not be renewed");
                }
            }
            (left, pause) = (pause, (pause * 2).min(PAUSE_MAX));
            if ended.is_some_and(|end| end.is_over(self.now())) {
                // What is over is handed to nobody.
                self.current.send_replace(None);
            }
        }
    }

    /// One keeper is one identity: who has changed the token's file does not become somebody else on a
    /// socket that programs know.
    fn check_whose(&self, spiffe_id: &SpiffeId) -> Result<(), Failure> {
        let first = self.whose.get_or_init(|| spiffe_id.clone());
        if first == spiffe_id {
            return Ok(());
        }
        let detail =
            format!("It names {spiffe_id}, and this is {first}. Begin anew for another one.");
        Err(Failure::new(ErrorCode::WorkloadChanged, detail))
    }

    /// The key that goes with this token: the one that is held, or for another token another one.
    async fn key_for(&self, token: &SecretText) -> Result<Arc<KeyPair>, Failure> {
        let digest = sha256(token.as_bytes());
        let mut held = self.held.lock().await;
        if let Some(held) = held.as_ref().filter(|held| held.token == digest) {
            return Ok(Arc::clone(&held.key));
        }
        let key = KeyPair::generate()
            .map_err(|error| Failure::new(ErrorCode::KeyUnavailable, error.to_string()))?;
        let key = Arc::new(key);
        *held = Some(Held { key: Arc::clone(&key), token: digest });
        Ok(key)
    }

    /// The platform's token as it stands in its file now.
    fn read_token(&self) -> Result<SecretText, Failure> {
        let path = &self.setup.token_file;
        let refused = |why: String| {
            let detail = format!("{}: {why}. Say where it is with --token-file.", path.display());
            Failure::new(ErrorCode::WorkloadTokenUnreadable, detail)
        };
        let file = std::fs::File::open(path).map_err(|error| refused(error.to_string()))?;
        let mut text = SecretText::default();
        file.take(TOKEN_MAX)
            .read_to_string(&mut text)
            .map_err(|error| refused(error.to_string()))?;
        let token = SecretText::new(text.trim().to_owned());
        if token.is_empty() { Err(refused("it is empty".to_owned())) } else { Ok(token) }
    }
}

fn nothing_held() -> Failure {
    let why = "No identity is held at the moment. Try again in a moment.";
    Failure::new(ErrorCode::Unavailable, why)
}

/// Waits for the next tick; false when it is time to stop.
async fn next(ticks: &mut tokio::time::Interval, stop: &CancellationToken) -> bool {
    tokio::select! {
        _ = ticks.tick() => true,
        () = stop.cancelled() => false,
    }
}
