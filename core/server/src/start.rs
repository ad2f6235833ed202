//! Bringing a server up, and down again.

use crate::audit::sealer::Sealer;
use crate::background::{Background, Heartbeat, Post};
use crate::ceremony::{Models, ModelsError, RelyingParty, RelyingPartyError};
use crate::certificate::ServerCertificate;
use crate::config::{
    AgentProvider, Config, ConfigError, Site, WorkloadFileError, workload_issuers,
};
use crate::connections::{Listener, Registry, Transport};
use crate::directory::{DataDirectory, DirectoryError};
use crate::failure::Failure;
use crate::http::{self, App};
use crate::keys::{self, KeyFileError};
use crate::mail::{MailError, Mailer};
use crate::person_servers::{PersonServers, PersonServersError};
use crate::pki::{Pki, PkiError, PkiSettings, RootExport, RootKey};
use crate::service::{Cutter, RelyingPartyCheck, Service, Settings};
use crate::store::{Store, StoreError, meta, users};
use crate::strangers::Strangers;
use crate::telemetry;
use crate::tls::{self, Issuers, ServerKey, TlsError};
use crate::webhooks::{WebhookError, Webhooks};
use landfall_crypto::Thumbprint;
use landfall_crypto::ambient::Ambient;
use landfall_crypto::key::Signer;
use landfall_crypto::secret::SecretText;
use landfall_identity::TenantName;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Browsers that may be connected to the local listener at once.
const LOCAL_MAX: usize = 256;

/// Why a server does not start. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory is of a server that has served, and its database is empty or not there.
    #[error(
        "{0} is missing or empty, and the checkpoints beside it are of a server that has served: mount or \
         restore the database; to begin anew choose another directory with --data-dir"
    )]
    DatabaseGone(PathBuf),
    /// The database is of another tenant.
    #[error(
        "the database is of the tenant {stored}, and the configuration says {configured}: set tenant = \
         \"{stored}\", or choose another directory with --data-dir"
    )]
    OtherTenant {
        /// Whose it is.
        stored: TenantName,
        /// What was asked for.
        configured: TenantName,
    },
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// An address cannot be taken.
    #[error(
        "{key} = {address} cannot be used: {source}; choose another address or stop what uses it"
    )]
    Address {
        /// The configuration's key.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The database.
    #[error("the database cannot be opened: {0}")]
    Store(#[from] StoreError),
    /// The server's keys.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Passkeys cannot work at this address.
    #[error(transparent)]
    Passkeys(#[from] RelyingPartyError),
    /// Which models of passkey are taken cannot be told.
    #[error(transparent)]
    Models(#[from] ModelsError),
    /// The passkeys belong to another address.
    #[error(transparent)]
    RelyingParty(#[from] RelyingPartyCheck),
    /// The audit's exported checkpoints.
    #[error("the file of audit checkpoints cannot be written: {0}; check who owns it")]
    Checkpoints(#[source] std::io::Error),
    /// The way out for mail.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The way out for webhooks.
    #[error(transparent)]
    Webhooks(#[from] WebhookError),
    /// The way out to person servers.
    #[error(transparent)]
    PersonServers(#[from] PersonServersError),
    /// What vouches for platforms.
    #[error(transparent)]
    Workloads(#[from] WorkloadFileError),
    /// The first transactions.
    #[error("the server could not begin its work: {0}")]
    Work(#[from] Failure),
}

/// A server.
pub struct Server;

/// A running server. Dropping it stops it without waiting; [`Running::shutdown`] waits.
pub struct Running {
    /// Where HTTPS is served.
    pub https_addr: SocketAddr,
    /// Where passkey pages are served over plain HTTP, if they are.
    pub localhost_addr: Option<SocketAddr>,
    /// Where agents' routes are served over plain HTTP, if they are.
    pub agents_addr: Option<SocketAddr>,
    /// Where metrics are served, if they are.
    pub metrics_addr: Option<SocketAddr>,
    /// What this server is.
    pub site: Arc<Site>,
    /// SHA-256 of the root certificate, base64url.
    pub ca_fingerprint: String,
    /// What tokens carry: `webpki`, or `pin:` and the fingerprint.
    pub trust: String,
    /// The root certificates, PEM.
    pub trust_bundle_pem: String,
    /// The claim token, while no administrator has ever existed.
    pub claim_token: Option<SecretText>,
    /// Where the root key was written for offline keeping, when it left with this start.
    pub root_export: Option<RootExport>,
    store: Store,
    tasks: JoinSet<()>,
    sealing: JoinHandle<()>,
    seal_stop: CancellationToken,
    _seal_stop_when_dropped: DropGuard,
    stop: CancellationToken,
    _stop_when_dropped: DropGuard,
    _directory: DataDirectory,
    #[cfg(test)]
    pub(crate) heartbeat: Arc<Heartbeat>,
}

impl Running {
    /// Says when the server begins to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Stops: no new connections, answers under way go out, what is queued becomes durable.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        // The last answers have their rows; now they are sealed too.
        self.seal_stop.cancel();
        if let Err(fault) = self.sealing.await {
            tracing::error!(%fault, "the last audit rows wait for the next start to be sealed");
        }
        self.store.close().await;
    }
}

/// The listeners, bound and not served yet.
struct Bound {
    https: TcpListener,
    localhost: Option<TcpListener>,
    metrics: Option<TcpListener>,
    agents: Option<TcpListener>,
}

impl Bound {
    async fn new(config: &Config) -> Result<Self, StartError> {
        Ok(Self {
            https: bind("listen", config.listen).await?,
            localhost: bind_some("localhost_listen", config.localhost_listen).await?,
            metrics: bind_some("metrics_listen", config.metrics_listen).await?,
            agents: bind_some(
                "agents.loopback_listen",
                config.agents.as_ref().and_then(|agents| agents.loopback_listen),
            )
            .await?,
        })
    }

    /// Those of the local listener, of metrics and of agents, where they are served.
    fn further_addresses(&self) -> [Option<SocketAddr>; 3] {
        let address = |listener: &Option<TcpListener>| listener.as_ref()?.local_addr().ok();
        [&self.localhost, &self.metrics, &self.agents].map(address)
    }
}

impl Server {
    /// Opens the data directory, binds the addresses, and serves.
    ///
    /// # Errors
    /// [`StartError`], with what to do about it.
    pub async fn start(config: Config, ambient: Ambient) -> Result<Running, StartError> {
        config.check()?;
        let directory = DataDirectory::open(&config.data_dir)?;
        let bound = Bound::new(&config).await?;
        let https_addr = address_of(&bound.https, "listen", config.listen)?;
        let [localhost_addr, metrics_addr, agents_addr] = bound.further_addresses();
        let site = Arc::new(Site::new(&config, https_addr, localhost_addr)?);
        let keys =
            open_keys(&config, &directory, &site, root_key(&config, &directory), &ambient).await?;
        let Keys { store, pki, root_export, audit_key } = keys;
        let (sealer, audit_name) = open_sealer(&store, audit_key, &directory, &ambient)?;

        let stop = CancellationToken::new();
        let registry = Arc::new(Registry::default());
        let cutter: Arc<dyn Cutter> = Arc::clone(&registry) as _;
        let settings = Arc::new(settings(&config, &site, agents_addr)?);
        let (keys, now) = (Arc::clone(&pki), ambient.clone());
        let service =
            Service::new(store.clone(), keys, settings, now, cutter).with_audit_key(audit_name);
        service.check_relying_party().await?;
        service.settle_in().await?;
        let strangers = Arc::new(Strangers::new(store.clone(), ambient.clone()));
        let heartbeat = Arc::new(Heartbeat::new());
        let background = Background {
            service: service.clone(),
            registry: Arc::clone(&registry),
            heartbeat: Arc::clone(&heartbeat),
            strangers: Arc::clone(&strangers),
            stop: stop.clone(),
        };
        let post = post(&config, &site, &pki, &ambient)?;
        let certificate = Arc::new(ServerCertificate::open(&config, &site, &pki)?);
        #[cfg(test)]
        let beating = Arc::clone(&heartbeat);
        let app = App { service: service.clone(), site: Arc::clone(&site), strangers, heartbeat };
        let listeners = Listeners { config: &config, pki: &pki, app, registry, stop: &stop };
        let mut tasks = JoinSet::new();
        tasks.spawn(background.poller().await?);
        tasks.spawn(background.keeper(Arc::clone(&certificate)));
        background.messengers(&mut tasks, post);
        listeners.serve(bound, certificate.key(), &mut tasks)?;
        let seal_stop = CancellationToken::new();
        let sealing = tokio::spawn(sealer.run(ambient, seal_stop.clone()));
        let claim_token = match service.is_unclaimed().await? {
            true => Some(service.issue_claim().await?),
            false => None,
        };
        tracing::info!(https = %https_addr, url = %site.url, "serving");
        Ok(Running {
            https_addr,
            localhost_addr,
            agents_addr,
            metrics_addr,
            ca_fingerprint: pki.root_fingerprint(),
            trust: pki.trust().to_owned(),
            trust_bundle_pem: pki.trust_bundle_pem(),
            claim_token,
            root_export,
            store,
            tasks,
            sealing,
            _seal_stop_when_dropped: seal_stop.clone().drop_guard(),
            seal_stop,
            _stop_when_dropped: stop.clone().drop_guard(),
            stop,
            site,
            _directory: directory,
            #[cfg(test)]
            heartbeat: beating,
        })
    }
}

/// Every way out of a server with this configuration.
fn post(
    config: &Config,
    site: &Site,
    pki: &Arc<Pki>,
    ambient: &Ambient,
) -> Result<Post, StartError> {
    Ok(Post {
        mailer: Mailer::open(config, site)?,
        webhooks: Webhooks::open(config, Arc::clone(pki), ambient.clone())?,
        person_servers: PersonServers::open(config, Arc::clone(pki), ambient.clone())?,
    })
}

/// What becomes of the root key of a server with this configuration.
fn root_key(config: &Config, directory: &DataDirectory) -> RootKey {
    match config.keep_root_key {
        true => RootKey::Kept,
        false => RootKey::Offline(directory.path().to_owned()),
    }
}

/// The opened database and keys: what every command of the operator needs.
pub(crate) struct Keys {
    pub store: Store,
    pub pki: Arc<Pki>,
    pub root_export: Option<RootExport>,
    pub audit_key: Arc<dyn Signer>,
}

/// Opens, or makes, the keys and the database of a directory.
pub(crate) async fn open_keys(
    config: &Config,
    directory: &DataDirectory,
    site: &Site,
    root_key: RootKey,
    ambient: &Ambient,
) -> Result<Keys, StartError> {
    let store = Store::open(&directory.database()).await?;
    let opened = keys_of(&store, config, directory, site, root_key, ambient).await;
    match opened {
        Ok((pki, root_export, audit_key)) => Ok(Keys { store, pki, root_export, audit_key }),
        Err(error) => {
            store.close().await;
            Err(error)
        }
    }
}

async fn keys_of(
    store: &Store,
    config: &Config,
    directory: &DataDirectory,
    site: &Site,
    root_key: RootKey,
    ambient: &Ambient,
) -> Result<(Arc<Pki>, Option<RootExport>, Arc<dyn Signer>), StartError> {
    let needed = !store.read(meta::sealed_keys).await?.is_empty();
    if !needed && directory.has_served() {
        return Err(StartError::DatabaseGone(directory.database()));
    }
    is_of_tenant(store, &site.tenant).await?;
    if !needed && root_key == RootKey::AsItIs {
        return Err(PkiError::NotServedYet.into());
    }
    let passphrase =
        config.master_key_passphrase_file.as_deref().map(keys::passphrase_file).transpose()?;
    let master = keys::master_key(directory, passphrase.as_ref(), needed, ambient)?;
    let audit_key: Arc<dyn Signer> = Arc::new(keys::audit_key(directory, needed)?);
    let settings = PkiSettings {
        trust_domain: site.trust_domain.clone(),
        public_url: site.url.to_string(),
        webpki: site.web_pki,
        root_key,
    };
    let (pki, root_export) = Pki::open(store, &settings, master, ambient.clone()).await?;
    Ok((Arc::new(pki), root_export, audit_key))
}

/// A server is of one tenant, from its first user on.
async fn is_of_tenant(store: &Store, configured: &TenantName) -> Result<(), StartError> {
    match store.read(users::first_tenant).await? {
        Some(stored) if stored != *configured => {
            Err(StartError::OtherTenant { stored, configured: configured.clone() })
        }
        _ => Ok(()),
    }
}

/// The sealer, and whose its checkpoints are.
fn open_sealer(
    store: &Store,
    key: Arc<dyn Signer>,
    directory: &DataDirectory,
    ambient: &Ambient,
) -> Result<(Sealer, Thumbprint), StartError> {
    let name = key.public_key().thumbprint();
    let sealer = Sealer::open(store.clone(), key, directory.path(), ambient);
    Ok((sealer.map_err(StartError::Checkpoints)?, name))
}

/// What use cases take from the configuration.
pub(crate) fn settings(
    config: &Config,
    site: &Site,
    plain_agents: Option<SocketAddr>,
) -> Result<Settings, StartError> {
    let agents = AgentProvider::new(config, site, plain_agents).map_err(ConfigError::Rule)?;
    let party = match (&site.ceremony, site.localhost_port) {
        (None, _) => None,
        (Some(_), Some(port)) => Some(RelyingParty::local(port)?),
        (Some(_), None) => Some(RelyingParty::public(site.url.as_url())?),
    };
    let models = config.passkey_models_file.as_deref().map(Models::read).transpose()?;
    let relying_party = party.map(|party| Arc::new(party.taking(models)));
    Ok(Settings {
        tenant: site.tenant.clone(),
        public_url: site.url.to_string(),
        relying_party,
        browser_url: site.browser_url(),
        mail: config.smtp_url.is_some(),
        webhooks: config.webhooks.iter().map(ToString::to_string).collect(),
        device_token_ttl_max: config.device_token_ttl_max(),
        renewal_silence_max: config.renewal_silence_max(),
        recovery_plan: config.plan(),
        recovery_waiting_days: config.recovery_waiting_days,
        machine_roles: Arc::new(config.machine_roles.clone()),
        workload_issuers: workload_issuers(config)?,
        egress_networks: config.egress_networks.clone(),
        agents: agents.map(Arc::new),
    })
}

/// What listeners are made of.
struct Listeners<'a> {
    config: &'a Config,
    pki: &'a Pki,
    app: App,
    registry: Arc<Registry>,
    stop: &'a CancellationToken,
}

impl Listeners<'_> {
    fn serve(
        self,
        bound: Bound,
        key: Arc<ServerKey>,
        tasks: &mut JoinSet<()>,
    ) -> Result<(), StartError> {
        if let Some(socket) = bound.metrics {
            let (service, registry) = (self.app.service.clone(), Arc::clone(&self.registry));
            if let Some(listener) =
                telemetry::metrics_listener(service, registry, self.stop.clone())
            {
                tasks.spawn(listener.serve(socket));
            }
        }
        if let Some(socket) = bound.localhost {
            let authority = self.app.site.ceremony_authority();
            let router = http::localhost::router(self.app.clone(), authority);
            let listener = self.listener(Transport::Plain, router, LOCAL_MAX, LOCAL_MAX);
            tasks.spawn(listener.serve(socket));
        }
        if let Some(socket) = bound.agents {
            let router = http::plain_router(self.app.clone());
            let listener = self.listener(Transport::Plain, router, LOCAL_MAX, LOCAL_MAX);
            tasks.spawn(listener.serve(socket));
        }
        let hints = [self.pki.root_certificate(), self.pki.people_issuer_certificate()];
        let hints = hints.into_iter().map(tls::hint).collect::<Result<_, _>>()?;
        let acceptor = TlsAcceptor::from(Arc::new(tls::server_config(key, hints)?));
        let issuers = Arc::new(Issuers::new([self.pki.people_issuer_certificate()])?);
        let transport = Transport::Tls { acceptor, issuers };
        let router = http::router(self.app.clone());
        let (max, each) = (self.config.max_connections, self.config.max_connections_per_source);
        let listener = self.listener(transport, router, max, each);
        tasks.spawn(listener.serve(bound.https));
        Ok(())
    }

    fn listener(
        &self,
        transport: Transport,
        router: axum::Router,
        max: usize,
        max_per_source: usize,
    ) -> Listener {
        let (registry, stop) = (Arc::clone(&self.registry), self.stop.clone());
        Listener { transport, router, registry, max, max_per_source, stop }
    }
}

async fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| StartError::Address { key, address, source })
}

async fn bind_some(
    key: &'static str,
    address: Option<SocketAddr>,
) -> Result<Option<TcpListener>, StartError> {
    match address {
        Some(address) => Ok(Some(bind(key, address).await?)),
        None => Ok(None),
    }
}

fn address_of(
    listener: &TcpListener,
    key: &'static str,
    address: SocketAddr,
) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|source| StartError::Address { key, address, source })
}
