//! A server's use cases with people and machines, on a database in a folder of its own.

use landfall_crypto::Secret32;
use landfall_crypto::ambient::{Ambient, ManualClock};
use landfall_crypto::envelope::MasterKey;
use landfall_identity::audit::Personal;
use landfall_identity::caller::Role;
use landfall_identity::grant::{EnrollmentGrant, GRANT_TTL};
use landfall_identity::id::{EnrollmentId, GrantId, RequestId};
use landfall_identity::passkey::Attachment;
use landfall_identity::{
    Action, DeviceName, DeviceState, Label, Refusal, Seconds, TenantName, Timestamp, TrustDomain,
    UserName,
};
use landfall_protocol::ceremony::{
    BoundActBody, CeremonyBegun, CeremonyFinishRequest, CeremonyFinished, CeremonyOptions,
    CeremonyRedeemRequest, RegisterBeginRequest, ReturnPath, StepUpBeginRequest,
};
use landfall_protocol::passkey::PasskeyInfo;
use landfall_protocol::session::SessionOpened;
use landfall_server::ceremony::RelyingParty;
use landfall_server::failure::Failure;
use landfall_server::pki::{Pki, PkiSettings, RootKey};
use landfall_server::service::{Cutter, Peer, RequestContext, Service, Settings};
use landfall_server::store::{Lane, Store, Tx, enrollments, users};
use landfall_test_support::browser::Page;
use landfall_test_support::{SoftKeys, still_ambient};
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;
use url::Url;

/// The ceremony page's port, for the origin. Nobody listens there.
pub const PORT: u16 = 8421;
/// Its origin.
pub const ORIGIN: &str = "http://localhost:8421";
/// Its relying party.
pub const RP_ID: &str = "localhost";
/// The app's listener.
pub const RETURN: &str = "http://127.0.0.1:50123/an-app-s-random-path?completion=";

/// A machine of somebody, as the transport would know it: by its key.
#[derive(Clone)]
pub struct Machine {
    pub user: UserName,
    pub device: DeviceName,
    pub enrollment: EnrollmentId,
    pub thumbprint: String,
}

pub struct World {
    pub clock: Arc<ManualClock>,
    pub service: Service,
    store: Store,
    ambient: Ambient,
    folder: TempDir,
}

struct NothingToCut;

impl Cutter for NothingToCut {
    fn cut(&self, _thumbprint: &str) {}
}

pub fn tenant() -> TenantName {
    TenantName::parse("home").unwrap()
}

pub fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

pub fn loopback() -> ReturnPath {
    ReturnPath::Loopback { port: 50123, path: "an-app-s-random-path".into() }
}

impl World {
    pub async fn new() -> Self {
        let (clock, ambient) = still_ambient(Timestamp::from_seconds(1_800_000_000), 7);
        let folder = tempfile::tempdir().unwrap();
        let (store, service) =
            open(&folder, &ambient, Some(RelyingParty::local(PORT).unwrap())).await;
        Self { clock, service, store, ambient, folder }
    }

    /// The process ends; another one starts with what is on disk.
    pub async fn restart(self) -> Self {
        self.restart_as(RelyingParty::local(PORT).unwrap()).await
    }

    pub async fn restart_without_page(self) -> Self {
        self.restart_with(None).await
    }

    pub async fn restart_as(self, party: RelyingParty) -> Self {
        self.restart_with(Some(party)).await
    }

    async fn restart_with(self, party: Option<RelyingParty>) -> Self {
        let Self { clock, service, store, ambient, folder } = self;
        drop(service);
        store.close().await;
        let (store, service) = open(&folder, &ambient, party).await;
        Self { clock, service, store, ambient, folder }
    }

    pub fn now(&self) -> Timestamp {
        self.ambient.now()
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Seconds(seconds));
    }

    /// Enrols a machine of `user`, who begins to exist with the first; it holds a grant.
    pub async fn machine(&self, user: &str, device: &str) -> Machine {
        let machine = Machine {
            user: UserName::parse(user).unwrap(),
            device: DeviceName::parse(device).unwrap(),
            enrollment: EnrollmentId::from_bits(self.ambient.random()),
            thumbprint: data_encoding::BASE64URL_NOPAD.encode(&self.ambient.random::<32>()),
        };
        let made = machine.clone();
        let grant = GrantId::from_bits(self.ambient.random());
        let now = self.now();
        let handle = self.ambient.random::<16>().to_vec();
        self.write(async move |tx: &mut Tx<'_>| {
            users::ensure_tenant(tx, &tenant(), now).await?;
            if users::find(tx, &tenant(), &made.user).await?.is_none() {
                let user = users::User {
                    tenant: tenant(),
                    name: made.user.clone(),
                    role: Role::Member,
                    admin_since: None,
                    admin_until: None,
                    frozen_by_admin: false,
                    frozen_by: None,
                    frozen_at: None,
                    frozen_again_at: None,
                    webauthn_handle: handle.clone(),
                    created_at: now,
                };
                users::insert(tx, &user).await?;
            }
            let enrollment = enrollments::Enrollment {
                id: made.enrollment.clone(),
                tenant: tenant(),
                user: made.user.clone(),
                device: made.device.clone(),
                label: None,
                thumbprint: made.thumbprint.clone(),
                spki: made.thumbprint.as_bytes().to_vec(),
                state: DeviceState::Active,
                enrolled_at: now,
                last_seen_at: now,
                not_after: now + Seconds::days(30),
            };
            enrollments::insert(tx, &enrollment).await?;
            let grant = EnrollmentGrant {
                id: grant.clone(),
                held_by: made.enrollment.clone(),
                expires_at: now + GRANT_TTL,
            };
            Ok(enrollments::insert_grant(tx, &grant).await?)
        })
        .await;
        machine
    }

    pub async fn write(
        &self,
        work: impl AsyncFn(&mut Tx<'_>) -> Result<(), Failure> + Send + 'static,
    ) {
        let nothing = async |_: &mut Tx<'_>, _: &Result<(), Failure>| Ok(());
        self.store.write(Lane::Known, work, nothing).await.unwrap();
    }

    pub async fn set_state(&self, machine: &Machine, state: DeviceState) {
        let id = machine.enrollment.clone();
        self.write(async move |tx: &mut Tx<'_>| {
            enrollments::set_state(tx, &id, state).await?;
            Ok(())
        })
        .await;
    }

    pub async fn handle(&self, user: &UserName) -> Vec<u8> {
        let found = self
            .store
            .read(async |tx: &mut Tx<'_>| users::find(tx, &tenant(), user).await)
            .await
            .unwrap();
        found.unwrap().webauthn_handle
    }

    /// `action | target | outcome | reason` of every audit row, in the order of writing.
    pub async fn audit(&self) -> Vec<String> {
        let sql = "SELECT action, target, outcome, COALESCE(reason, ''), actor FROM audit_events \
                   ORDER BY rowid";
        let rows = self.store.read(async |tx: &mut Tx<'_>| tx.all(sql, &[]).await).await.unwrap();
        rows.iter()
            .map(|row| {
                let text = |n| row.get::<String>(n).unwrap();
                format!("{} | {} | {} | {} | {}", text(0), text(1), text(2), text(3), text(4))
            })
            .collect()
    }

    /// A request as the transport would hand it in.
    pub fn request_of(
        &self,
        machine: &Machine,
        action: Action,
        token: Option<&str>,
    ) -> RequestContext {
        RequestContext {
            action,
            request_id: RequestId::from_bits(self.ambient.random()),
            personal: Personal::default(),
            peer: Some(Peer {
                thumbprint: machine.thumbprint.clone(),
                not_after: self.now() + Seconds::days(1),
                chain_ok: true,
            }),
            bearer: token.map(str::to_owned),
        }
    }

    /// A request of a browser: no key, no session.
    pub fn request_of_a_browser(&self, action: Action) -> RequestContext {
        RequestContext {
            action,
            request_id: RequestId::from_bits(self.ambient.random()),
            personal: Personal::default(),
            peer: None,
            bearer: None,
        }
    }

    /// A `cert-only` session.
    pub async fn sign_in(&self, machine: &Machine) -> String {
        let request = self.request_of(machine, Action::OpenSession, None);
        self.service.open_session(request).await.unwrap().token
    }

    pub async fn begin_register(
        &self,
        machine: &Machine,
        token: &str,
        attachment: Attachment,
        name: &str,
    ) -> Result<CeremonyBegun, Failure> {
        let (label, return_path) = (label(name), loopback());
        let body = RegisterBeginRequest { attachment, label, resident: false, return_path };
        let request = self.request_of(machine, Action::RegisterPasskey, Some(token));
        self.service.begin_register(request, body).await
    }

    pub async fn begin_step_up(
        &self,
        machine: &Machine,
        token: &str,
        act: Option<BoundActBody>,
        return_path: ReturnPath,
    ) -> Result<CeremonyBegun, Failure> {
        let body = StepUpBeginRequest { act, return_path, attachment: None };
        let request = self.request_of(machine, Action::BeginStepUp, Some(token));
        self.service.begin_step_up(request, body).await
    }

    pub async fn options(&self, begun: &CeremonyBegun) -> Result<CeremonyOptions, Failure> {
        let page = Page::parse(&begun.page_url).unwrap();
        let request = self.request_of_a_browser(Action::ReadCeremony);
        self.service.ceremony_options(request, page.purpose, page.request).await
    }

    pub async fn finish(
        &self,
        begun: &CeremonyBegun,
        credential: Value,
    ) -> Result<CeremonyFinished, Failure> {
        let page = Page::parse(&begun.page_url).unwrap();
        let body = CeremonyFinishRequest {
            ceremony_id: page.request.ceremony_id,
            secret: page.request.secret,
            credential,
        };
        let request = self.request_of_a_browser(Action::FinishCeremony);
        self.service.ceremony_finish(request, page.purpose, body).await
    }

    /// The whole browser half; answers with the completion.
    pub async fn touch(&self, begun: &CeremonyBegun, keys: &mut SoftKeys) -> String {
        let options = self.options(begun).await.unwrap();
        let origin = Url::parse(ORIGIN).unwrap();
        let credential = match options.purpose {
            landfall_protocol::ceremony::CeremonyPurpose::Register => {
                keys.create(&origin, &options.public_key).await.unwrap()
            }
            _ => keys.get(&origin, &options.public_key).await.unwrap(),
        };
        completion(self.finish(begun, credential).await.unwrap())
    }

    pub async fn redeem_passkey(
        &self,
        machine: &Machine,
        token: &str,
        begun: &CeremonyBegun,
        completion: &str,
    ) -> Result<PasskeyInfo, Failure> {
        let request = self.request_of(machine, Action::RedeemPasskey, Some(token));
        self.service.redeem_passkey(request, redeem_body(begun, completion)).await
    }

    pub async fn redeem_step_up(
        &self,
        machine: &Machine,
        token: &str,
        begun: &CeremonyBegun,
        completion: &str,
    ) -> Result<SessionOpened, Failure> {
        let request = self.request_of(machine, Action::RedeemStepUp, Some(token));
        self.service.redeem_step_up(request, redeem_body(begun, completion)).await
    }

    /// Registers a passkey, from sign-in to redemption.
    pub async fn register(
        &self,
        machine: &Machine,
        keys: &mut SoftKeys,
        attachment: Attachment,
    ) -> PasskeyInfo {
        let token = self.sign_in(machine).await;
        let begun = self.begin_register(machine, &token, attachment, "key").await.unwrap();
        let completion = self.touch(&begun, keys).await;
        self.redeem_passkey(machine, &token, &begun, &completion).await.unwrap()
    }

    /// Steps up, from sign-in to redemption.
    pub async fn step_up(
        &self,
        machine: &Machine,
        keys: &mut SoftKeys,
        act: Option<BoundActBody>,
    ) -> SessionOpened {
        let token = self.sign_in(machine).await;
        let begun = self.begin_step_up(machine, &token, act, loopback()).await.unwrap();
        let completion = self.touch(&begun, keys).await;
        self.redeem_step_up(machine, &token, &begun, &completion).await.unwrap()
    }
}

async fn open(
    folder: &TempDir,
    ambient: &Ambient,
    party: Option<RelyingParty>,
) -> (Store, Service) {
    let store = Store::open(&folder.path().join("landfall.db")).await.unwrap();
    let keys = PkiSettings {
        trust_domain: TrustDomain::parse("landfall.local").unwrap(),
        public_url: "https://localhost:8420".into(),
        webpki: false,
        root_key: RootKey::Kept,
    };
    let master = MasterKey::new(Secret32::new([42; 32]));
    let (pki, _) = Pki::open(&store, &keys, master, ambient.clone()).await.unwrap();
    let settings = Settings {
        tenant: tenant(),
        public_url: "https://localhost:8420".into(),
        relying_party: party.map(Arc::new),
        browser_url: None,
        mail: false,
        webhooks: Vec::new(),
        device_token_ttl_max: Seconds::minutes(10),
        renewal_silence_max: Seconds::days(90),
        recovery_plan: landfall_identity::recovery::Preset::Personal.plan(),
        recovery_waiting_days: None,
        machine_roles: Arc::default(),
        workload_issuers: Vec::new(),
        egress_networks: Vec::new(),
        agents: None,
    };
    let service = Service::new(
        store.clone(),
        Arc::new(pki),
        Arc::new(settings),
        ambient.clone(),
        Arc::new(NothingToCut),
    );
    (store, service)
}

fn redeem_body(begun: &CeremonyBegun, completion: &str) -> CeremonyRedeemRequest {
    CeremonyRedeemRequest {
        ceremony_id: begun.ceremony_id.clone(),
        completion: completion.to_owned(),
    }
}

/// What comes back to the app.
pub fn completion(finished: CeremonyFinished) -> String {
    match finished {
        CeremonyFinished::Redirect { url } => url.strip_prefix(RETURN).unwrap().to_owned(),
        CeremonyFinished::Show { code } => code,
    }
}

/// The refusal of an act that must be refused.
#[track_caller]
pub fn refusal<T>(result: Result<T, Failure>) -> Refusal {
    match result {
        Err(Failure::Refused(refusal)) => refusal,
        Err(other) => panic!("refused for another reason: {other}"),
        Ok(_) => panic!("was not refused"),
    }
}
