//! What stands in the way, before somebody needs it.

use crate::client::{Client, key_handle};
use crate::failure::Failure;
use crate::texts;
use landfall_identity::Seconds;
use landfall_identity::notice::Happening;
use landfall_identity::recovery::Standing;
use landfall_protocol::ErrorCode;
use landfall_protocol::meta::WellKnown;
use landfall_protocol::provisioned::WhoAmI;
use serde::Serialize;

/// A clock that is off by more than this is worth a word.
const SKEW_WORTH_A_WORD: Seconds = Seconds(30);
/// The newest notices, among which the freeze of an account is looked for.
const NOTICES_SOUGHT: u32 = 100;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which; a shell has a text for each.
    pub id: CheckId,
    /// How it stands.
    pub state: CheckState,
    /// What was found, or why and what to do next.
    pub detail: String,
    /// The code, when something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckId {
    /// The private folder can be written, and nobody else can read it.
    Folder,
    /// There is a profile.
    Profile,
    /// The device key is there.
    Key,
    /// The server answers, is the right one, and speaks our version.
    Server,
    /// The clocks agree.
    Clock,
    /// The certificate serves, and the server gives the next one.
    Certificate,
    /// A session can be opened.
    Session,
    /// Whether the account is frozen; not mentioned when it is not.
    Account,
    /// Passkeys can be used here.
    Passkeys,
    /// How much may be lost before nothing gets the person back in.
    Readiness,
    /// An enrolment was interrupted.
    Interrupted,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// Fine.
    Ok,
    /// It works, and could be better.
    Warning,
    /// It stands in the way.
    Problem,
}

impl Check {
    fn of(id: CheckId, state: CheckState, detail: impl Into<String>) -> Self {
        Self { id, state, detail: detail.into(), code: None }
    }

    /// The folder cannot be opened at all.
    pub fn of_folder(failure: &Failure) -> Self {
        Self::failed(CheckId::Folder, failure)
    }

    fn failed(id: CheckId, failure: &Failure) -> Self {
        let problem = failure.problem();
        let detail = format!("{}. {}", problem.title, problem.detail);
        Self { id, state: CheckState::Problem, detail, code: Some(problem.code) }
    }
}

impl Client {
    /// Looks at everything that this machine needs. Changes nothing, except that it asks for the next
    /// certificate: only that tells whether there will be one when it is due.
    pub async fn doctor(&self) -> Vec<Check> {
        let mut checks = vec![self.check_folder()];
        checks.extend(self.check_interrupted());
        let profile = match self.profile() {
            Ok(profile) => profile,
            Err(failure) => {
                let agents = self.check_agents(&failure);
                checks.push(agents.unwrap_or_else(|| Check::failed(CheckId::Profile, &failure)));
                return checks;
            }
        };
        let who =
            format!("{} on {}", profile.spiffe_id, profile.server.origin().ascii_serialization());
        checks.push(Check::of(CheckId::Profile, CheckState::Ok, who));
        checks.push(self.check_key(&profile.key.handle));
        let server = self.well_known().await;
        checks.push(match &server {
            Ok(server) => {
                Check::of(CheckId::Server, CheckState::Ok, format!("Landfall {}", server.version))
            }
            Err(failure) => Check::failed(CheckId::Server, failure),
        });
        if let Ok(server) = server {
            checks.push(self.check_clock(&server));
            checks.push(self.check_certificate().await);
            checks.extend(self.check_person(&server).await);
        }
        checks
    }

    /// A machine of agents alone misses no person.
    fn check_agents(&self, missing: &Failure) -> Option<Check> {
        match self.agents_alone(missing) {
            Ok(detail) => detail.map(|detail| Check::of(CheckId::Profile, CheckState::Ok, detail)),
            Err(failure) => Some(Check::failed(CheckId::Profile, &failure)),
        }
    }

    fn check_folder(&self) -> Check {
        let folder = self.home().path().display();
        if !self.home().path().exists() {
            let detail = format!("{folder} is not there yet; the first enrolment makes it.");
            return Check::of(CheckId::Folder, CheckState::Ok, detail);
        }
        match self.home().probe_writable() {
            Ok(()) => Check::of(CheckId::Folder, CheckState::Ok, folder.to_string()),
            Err(failure) => Check::failed(CheckId::Folder, &failure),
        }
    }

    fn check_interrupted(&self) -> Option<Check> {
        let pending = self.home().pending().pop()?;
        let facts = pending.flow.facts();
        let detail = format!(
            "An enrolment of {} as {} was interrupted. `landfall enroll` without a code goes on.",
            facts.device, facts.user
        );
        Some(Check::of(CheckId::Interrupted, CheckState::Warning, detail))
    }

    fn check_key(&self, handle: &str) -> Check {
        let found = key_handle(handle)
            .and_then(|handle| self.keys().public(&handle).map_err(Failure::from));
        match found {
            Ok(key) => Check::of(CheckId::Key, CheckState::Ok, key.thumbprint().to_string()),
            Err(failure) => Check::failed(CheckId::Key, &failure),
        }
    }

    fn check_clock(&self, server: &WellKnown) -> Check {
        let ours = self.ambient().now();
        let theirs = server.server_time.0;
        let off = ours.since(theirs).max(theirs.since(ours));
        let detail = format!("{} s apart from the server's", off.0);
        if off > SKEW_WORTH_A_WORD {
            return Check::of(CheckId::Clock, CheckState::Warning, detail);
        }
        Check::of(CheckId::Clock, CheckState::Ok, detail)
    }

    async fn check_certificate(&self) -> Check {
        match self.renew_now().await {
            Ok(not_after) => {
                let until = not_after.to_text().unwrap_or_default();
                let detail = format!("until {until}, renewed just now");
                Check::of(CheckId::Certificate, CheckState::Ok, detail)
            }
            Err(failure) => {
                let refused = Check::failed(CheckId::Certificate, &failure);
                let detail = format!("{} {}", texts::RENEW_FAILED, refused.detail);
                Check { detail, ..refused }
            }
        }
    }

    async fn check_person(&self, server: &WellKnown) -> Vec<Check> {
        let me = match self.who_am_i().await {
            Ok(WhoAmI::Person(me)) => me,
            // It has no passkeys, and nobody who could be locked out.
            Ok(WhoAmI::Machine(machine)) => {
                let session =
                    format!("{} as {}", machine.auth_strength.as_str(), machine.spiffe_id);
                return vec![Check::of(CheckId::Session, CheckState::Ok, session)];
            }
            Err(failure) => return vec![Check::failed(CheckId::Session, &failure)],
        };
        let session = format!("{} as {}", me.auth_strength.as_str(), me.spiffe_id);
        let mut checks = vec![Check::of(CheckId::Session, CheckState::Ok, session)];
        if me.frozen {
            checks.push(self.check_freeze().await);
        }
        let (state, detail) = match (&server.ceremony_origin, me.passkeys) {
            (None, _) => (
                CheckState::Warning,
                "This server's address cannot use passkeys in a browser: it needs a certificate that browsers trust, or localhost.".to_owned(),
            ),
            (Some(_), 0) if me.grant.is_some() => (
                CheckState::Warning,
                "You have no passkey yet. Register one now: `landfall webauthn register`.".to_owned(),
            ),
            (Some(_), 0) => (
                CheckState::Warning,
                texts::NO_PASSKEY_LEFT.to_owned(),
            ),
            (Some(_), 1) => (
                CheckState::Warning,
                "You have one passkey. A second one, elsewhere, lets you back in when the first is lost.".to_owned(),
            ),
            (Some(origin), count) => (CheckState::Ok, format!("{count}, used at {origin}")),
        };
        checks.push(Check::of(CheckId::Passkeys, state, detail));
        checks.push(self.check_readiness().await);
        checks
    }

    /// Who froze the account and when, as its owner was told, and what ends it.
    async fn check_freeze(&self) -> Check {
        let kind = Happening::AccountFrozen.kind();
        let told = self.notices(NOTICES_SOUGHT, None).await.ok();
        let told = told.and_then(|page| page.items.into_iter().find(|told| told.kind == kind));
        let what = told.map_or(texts::FROZEN.to_owned(), |told| {
            let at = told.at.to_text().map(|at| format!(", at {at}")).unwrap_or_default();
            let from = told.source.map(|source| format!(", from {source}")).unwrap_or_default();
            format!("{} {}{at}{from}.", texts::FROZEN, told.text.trim_end_matches('.'))
        });
        let detail = format!("{what} {}", texts::END_FREEZE);
        let code = Some(ErrorCode::AccountFrozen);
        Check { id: CheckId::Account, state: CheckState::Problem, detail, code }
    }

    async fn check_readiness(&self) -> Check {
        let ready = match self.readiness().await {
            Ok(ready) => ready,
            Err(failure) => return Check::failed(CheckId::Readiness, &failure),
        };
        let (state, what) = match ready.standing {
            Standing::Ready => (CheckState::Ok, "You can lose any one thing and come back."),
            Standing::OneLossAway => {
                (CheckState::Warning, "One loss, and nothing lets you back in.")
            }
            Standing::LockedOut => {
                (CheckState::Warning, "Nothing that you have would let you back in.")
            }
        };
        let more = if ready.standing == Standing::Ready {
            ""
        } else {
            " `landfall readiness` says what helps."
        };
        Check::of(CheckId::Readiness, state, format!("{what}{more}"))
    }
}
