//! The caller's own account: who am I, sessions, freeze, audit.

use crate::ask::{Ask, check_version, read_json, with_query};
use crate::client::Client;
use crate::failure::Failure;
use crate::http::Request;
use crate::loss::Loss;
use crate::texts;
use landfall_identity::{Action, AuthStrength};
use landfall_protocol::audit::AuditRow;
use landfall_protocol::me::{Frozen, Me};
use landfall_protocol::meta::WellKnown;
use landfall_protocol::provisioned::WhoAmI;
use landfall_protocol::session::SessionOpened;
use landfall_protocol::{ErrorCode, Page, paths};
use reqwest::Method;
use zeroize::Zeroizing;

/// Which audit rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// How many at the most: 1 to 200.
    pub limit: Option<u32>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// Only this user's; administrators.
    pub user: Option<String>,
    /// Only this device's.
    pub device: Option<String>,
    /// Only this action's.
    pub action: Option<String>,
    /// Only with this outcome.
    pub outcome: Option<String>,
    /// Only since this RFC 3339 time.
    pub since: Option<String>,
    /// Only until this one.
    pub until: Option<String>,
    /// Only of principals whose SPIFFE ID begins with this.
    pub actor: Option<String>,
    /// As `actor`, or of those who act on their behalf.
    pub behalf: Option<String>,
    /// Only of this kind of principal.
    pub kind: Option<String>,
}

impl AuditFilter {
    fn target(&self, path: &str) -> String {
        let limit = self.limit.map(|limit| limit.to_string());
        let fields = [
            ("limit", &limit),
            ("after", &self.after),
            ("user", &self.user),
            ("device", &self.device),
            ("action", &self.action),
            ("outcome", &self.outcome),
            ("since", &self.since),
            ("until", &self.until),
            ("actor", &self.actor),
            ("behalf", &self.behalf),
            ("kind", &self.kind),
        ];
        let pairs = fields.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
        with_query(path, &pairs.collect::<Vec<_>>())
    }
}

impl Client {
    /// What the server says of itself. Checks that both sides speak a common version.
    ///
    /// # Errors
    /// `server-unreachable`, `server-not-trusted`, `update-needed`.
    pub async fn well_known(&self) -> Result<WellKnown, Failure> {
        let live = self.live().await?;
        let body = live.http.send(&Request::new(Method::GET, paths::WELL_KNOWN)).await?;
        let server: WellKnown = read_json(&body)?;
        check_version(&server).map(|()| server)
    }

    /// Opens a fresh `cert-only` session.
    ///
    /// # Errors
    /// `device-revoked`, `device-suspended`, ...
    pub async fn login(&self) -> Result<SessionOpened, Failure> {
        self.well_known().await?;
        self.open_session(&self.live().await?).await
    }

    /// Closes every open session of this profile, on the server and here.
    ///
    /// # Errors
    /// When the server cannot be told; the sessions are forgotten here all the same.
    pub async fn logout(&self) -> Result<u32, Failure> {
        let live = self.live().await?;
        let now = self.ambient().now();
        let open: Vec<_> = live.sessions().all().cloned().collect();
        let mut closed = 0;
        let mut told = Ok(());
        for session in open.into_iter().filter(|session| !session.expires_at.0.is_over(now)) {
            let mut request = Request::new(Method::DELETE, paths::SESSION);
            request.token = Some(Zeroizing::new(session.token));
            request.loss = Loss::Again;
            match live.http.send(&request).await {
                Ok(_) => closed += 1,
                Err(failure) => told = told.and(Err(failure)),
            }
        }
        for strength in landfall_identity::AuthStrength::ALL {
            self.drop_session(&live, strength);
        }
        // A session that was over already is as closed as one can be.
        match told {
            Err(failure) if failure.problem().status == 401 => Ok(closed),
            Err(failure) => Err(failure),
            Ok(()) => Ok(closed),
        }
    }

    /// Who am I, as the server sees it now, on a person's device.
    ///
    /// # Errors
    /// What the server says; `forbidden` on a machine that stands for itself.
    pub async fn whoami(&self) -> Result<Me, Failure> {
        match self.who_am_i().await? {
            WhoAmI::Person(me) => Ok(*me),
            WhoAmI::Machine(_) => Err(Failure::new(ErrorCode::Forbidden, texts::NOT_A_PERSON)),
        }
    }

    /// Whether a person sits here: nobody else has a passkey to touch.
    ///
    /// # Errors
    /// `forbidden` on a machine that stands for itself; `no-profile`.
    pub fn is_a_persons(&self) -> Result<(), Failure> {
        match self.profile()?.names() {
            Some(_) => Ok(()),
            None => Err(Failure::new(ErrorCode::Forbidden, texts::NOT_A_PERSON)),
        }
    }

    /// Stops everything of this account, this device too. The ways back in stay open.
    ///
    /// # Errors
    /// What the server says.
    pub async fn freeze(&self) -> Result<Frozen, Failure> {
        let frozen = self.ask(Ask::post(Action::FreezeAccount, paths::FREEZE).repeatable()).await?;
        // The freeze has ended every session, those of this machine too.
        let live = self.live().await?;
        for strength in [AuthStrength::CertOnly, AuthStrength::CertHuman] {
            self.drop_session(&live, strength);
        }
        Ok(frozen)
    }

    /// Ends a freeze.
    ///
    /// # Errors
    /// What the server says.
    pub async fn unfreeze(&self) -> Result<Frozen, Failure> {
        self.ask(Ask::post(Action::UnfreezeAccount, paths::UNFREEZE).repeatable()).await
    }

    /// A page of one's own audit, newest first.
    ///
    /// # Errors
    /// What the server says.
    pub async fn audit(&self, filter: &AuditFilter) -> Result<Page<AuditRow>, Failure> {
        self.ask(Ask::get(Action::ReadAudit, filter.target(paths::AUDIT))).await
    }

    /// A page of the tenant's audit, newest first.
    ///
    /// # Errors
    /// What the server says; `forbidden` for anybody but administrators.
    pub async fn admin_audit(&self, filter: &AuditFilter) -> Result<Page<AuditRow>, Failure> {
        self.ask(Ask::get(Action::AdminReadAudit, filter.target(paths::ADMIN_AUDIT))).await
    }
}
