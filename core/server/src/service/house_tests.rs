//! A server's use cases on a real database, without the transport: for the tests of this folder.

use super::{Cutter, Peer, RequestContext, Service, Settings};
use crate::pki::{Pki, PkiSettings, RootKey};
use crate::store::enrollments::Enrollment;
use crate::store::users::User;
use crate::store::{Lane, Store, Tx, enrollments, sessions, users};
use landfall_crypto::ambient::{Ambient, ManualClock, SystemRandom};
use landfall_crypto::envelope::MasterKey;
use landfall_crypto::{KeyPair, Signer};
use landfall_identity::audit::Personal;
use landfall_identity::caller::Role;
use landfall_identity::id::{EnrollmentId, PasskeyId, RequestId, SessionId};
use landfall_identity::session::{CERT_HUMAN_TTL, CERT_ONLY_TTL, Factor, SessionFacts};
use landfall_identity::spiffe::{Principal, SpiffeId, TrustDomain};
use landfall_identity::{
    Action, AuthStrength, DeviceName, DeviceState, Seconds, TenantName, Timestamp, UserName,
};
use std::path::PathBuf;
use std::sync::Arc;

/// Noon, some day.
pub(super) const NOON: Timestamp = Timestamp::from_seconds(1_800_014_400);

struct NothingToCut;

impl Cutter for NothingToCut {
    fn cut(&self, _: &str) {}
}

/// The server.
pub(super) struct House {
    pub(super) service: Service,
    pub(super) clock: Arc<ManualClock>,
    dir: tempfile::TempDir,
}

/// One device of a user, at the door.
#[derive(Clone)]
pub(super) struct Guest {
    pub(super) thumbprint: String,
    pub(super) enrollment: EnrollmentId,
    pub(super) spiffe_id: SpiffeId,
}

impl House {
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("landfall.db")).await.unwrap();
        let clock = Arc::new(ManualClock::new(NOON));
        let ambient = Ambient { clock: clock.clone(), random: Arc::new(SystemRandom) };
        let settings = PkiSettings {
            trust_domain: TrustDomain::parse("landfall.local").unwrap(),
            public_url: "https://localhost".into(),
            webpki: false,
            root_key: RootKey::Kept,
        };
        let master = MasterKey::generate(&SystemRandom);
        let (pki, _) = Pki::open(&store, &settings, master, ambient.clone()).await.unwrap();
        let settings = Settings {
            tenant: TenantName::parse("home").unwrap(),
            public_url: "https://localhost".into(),
            relying_party: None,
            browser_url: None,
            mail: false,
            webhooks: Vec::new(),
            device_token_ttl_max: Seconds::hours(24),
            renewal_silence_max: Seconds::days(90),
            recovery_plan: landfall_identity::recovery::Preset::Personal.plan(),
            recovery_waiting_days: None,
            machine_roles: Arc::default(),
            workload_issuers: Vec::new(),
            egress_networks: Vec::new(),
            agents: None,
        };
        let cutter = Arc::new(NothingToCut);
        let service = Service::new(store, Arc::new(pki), Arc::new(settings), ambient, cutter);
        Self { service, clock, dir }
    }

    /// Adds a user with one device.
    pub(super) async fn guest(&self, user: &str, device: &str, role: Role) -> Guest {
        let key = KeyPair::generate().unwrap().public_key();
        let guest = Guest {
            thumbprint: key.thumbprint().to_string(),
            enrollment: EnrollmentId::from_bits(self.service.ambient.row_bits()),
            spiffe_id: SpiffeId::new(
                TrustDomain::parse("landfall.local").unwrap(),
                Principal::Human {
                    tenant: TenantName::parse("home").unwrap(),
                    user: UserName::parse(user).unwrap(),
                    device: DeviceName::parse(device).unwrap(),
                },
            ),
        };
        let enrollment = Enrollment {
            id: guest.enrollment.clone(),
            tenant: TenantName::parse("home").unwrap(),
            user: UserName::parse(user).unwrap(),
            device: DeviceName::parse(device).unwrap(),
            label: None,
            thumbprint: guest.thumbprint.clone(),
            spki: key.spki(),
            state: DeviceState::Active,
            enrolled_at: NOON,
            last_seen_at: NOON,
            not_after: NOON + Seconds::days(365),
        };
        let user = User {
            tenant: enrollment.tenant.clone(),
            name: enrollment.user.clone(),
            role,
            admin_since: None,
            admin_until: None,
            frozen_by_admin: false,
            frozen_by: None,
            frozen_again_at: None,
            frozen_at: None,
            webauthn_handle: self.service.ambient.random::<16>().to_vec(),
            created_at: NOON,
        };
        let work = async move |tx: &mut Tx<'_>| {
            users::ensure_tenant(tx, &user.tenant, NOON).await?;
            if users::find(tx, &user.tenant, &user.name).await?.is_none() {
                users::insert(tx, &user).await?;
            }
            Ok(enrollments::insert(tx, &enrollment).await?)
        };
        let silent = async |_: &mut Tx<'_>, _: &_| Ok(());
        self.service.store.write(Lane::Known, work, silent).await.unwrap();
        guest
    }

    /// A request of a guest with a session of this strength, fresh as of now.
    pub(super) async fn ask(
        &self,
        guest: &Guest,
        strength: AuthStrength,
        action: Action,
    ) -> RequestContext {
        let now = self.service.ambient.now();
        let (ttl, factor) = match strength {
            AuthStrength::CertOnly => (CERT_ONLY_TTL, None),
            AuthStrength::CertHuman => {
                let passkey = PasskeyId::from_bits(self.service.ambient.row_bits());
                (CERT_HUMAN_TTL, Some(Factor { passkey, registered_at: NOON, lives_on: None }))
            }
        };
        let facts = SessionFacts {
            id: SessionId::from_bits(self.service.ambient.row_bits()),
            strength,
            auth_time: now,
            expires_at: now + ttl,
            factor,
            bound_to: None,
        };
        let token = self
            .service
            .pki
            .sign_session(&guest.spiffe_id, Role::Member, &guest.thumbprint, &facts, now)
            .unwrap();
        let enrollment = guest.enrollment.clone();
        let work = async move |tx: &mut Tx<'_>| {
            let tenant = TenantName::parse("home").unwrap();
            Ok(sessions::insert(tx, &tenant, &enrollment, &facts).await?)
        };
        let silent = async |_: &mut Tx<'_>, _: &_| Ok(());
        self.service.store.write(Lane::Known, work, silent).await.unwrap();
        RequestContext {
            action,
            request_id: RequestId::from_bits(self.service.ambient.row_bits()),
            personal: Personal { source: Some("192.0.2.7".into()), user_agent: None },
            peer: Some(Peer {
                thumbprint: guest.thumbprint.clone(),
                not_after: NOON + Seconds::days(365),
                chain_ok: true,
            }),
            bearer: Some(token),
        }
    }

    /// `action outcome target` of every audit row, in the order of writing.
    pub(super) fn audit(&self) -> Vec<String> {
        let connection = rusqlite::Connection::open(self.database()).unwrap();
        let mut statement = connection
            .prepare(
                "SELECT action || ' ' || outcome || COALESCE(' ' || reason, '') || ': ' || target
                 FROM audit_events ORDER BY ordinal",
            )
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    pub(super) fn database(&self) -> PathBuf {
        self.dir.path().join("landfall.db")
    }

    /// Every file of the data directory, as bytes.
    pub(super) fn bytes_on_disk(&self) -> Vec<(PathBuf, Vec<u8>)> {
        std::fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
            .collect()
    }
}
