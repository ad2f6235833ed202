//! The agent's side as a library, against the real provider and against services behind the gate: a key
//! with a local name is all that an agent keeps.

mod challenges;
mod examples;
mod hosted;
mod keys;
mod provider;
mod service;
mod svids;

use landfall_client::agent::{
    Agent, AgentError, AgentRequest, AgentSetup, Algorithm, Enrolment, Keys, Scheme, ServerId,
    Trust,
};
use landfall_crypto::aauth::Profile;
use landfall_identity::AgentId;
use landfall_keystore::{FileKeyStore, KeyHandle, KeyStore};
use landfall_server::Config;
use landfall_server::config::AgentsConfig;
use landfall_test_support::{Person, World};
use service::Service;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use zeroize::Zeroizing;

/// A provider on this machine, by TLS alone.
fn by_tls(profile: Profile) -> impl FnOnce(&mut Config, &Path) -> anyhow::Result<()> {
    move |config, _| {
        let domain = Some("localhost".to_owned());
        let agents = AgentsConfig { loopback: true, domain, profile, ..AgentsConfig::default() };
        config.agents = Some(agents);
        Ok(())
    }
}

/// A provider on this machine, which serves agents without TLS too.
fn plain(config: &mut Config, folder: &Path) -> anyhow::Result<()> {
    by_tls(Profile::Compatible)(config, folder)?;
    if let Some(agents) = &mut config.agents {
        agents.loopback_listen = Some("127.0.0.1:0".parse()?);
    }
    Ok(())
}

async fn world(profile: Profile) -> (World, Person) {
    let world = World::configured(by_tls(profile)).await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    (world, ana)
}

fn provider_of(world: &World) -> ServerId {
    let server = world.server();
    let address = match server.agents_addr {
        Some(address) => format!("http://{address}"),
        None => server.site.url.to_string(),
    };
    ServerId::parse_with_loopback(&address).unwrap()
}

/// A machine that agents live on: a folder of keys.
struct Den {
    folder: TempDir,
}

impl Den {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The keys, as a fresh process finds them.
    fn keys(&self) -> Arc<dyn KeyStore> {
        Arc::new(FileKeyStore::open(self.folder.path().join("keys")).unwrap())
    }

    fn setup(&self, world: &World, key: &str, mode: Keys) -> AgentSetup {
        AgentSetup {
            provider: provider_of(world),
            trust: Trust::try_from(world.server().trust.clone()).unwrap(),
            keys: self.keys(),
            key: handle(key),
            mode,
            ambient: world.ambient.clone(),
        }
    }
}

fn handle(key: &str) -> KeyHandle {
    KeyHandle::parse(key).unwrap()
}

async fn code(person: &Person) -> Zeroizing<String> {
    let made = person.client().make_agent_code(None, None, &person.shell).await;
    Zeroizing::new(made.map_err(|failure| failure.code()).unwrap().text.to_string())
}

fn called(local: &str) -> AgentId {
    AgentId::new(local, "localhost").unwrap()
}

fn enrolment(algorithm: Algorithm, local: &str, code: Option<Zeroizing<String>>) -> Enrolment {
    Enrolment { algorithm, agent: Some(called(local)), code, person_server: None }
}

/// An agent of `person`'s whose key is called as the agent is.
async fn enrolled(
    world: &World,
    person: &Person,
    den: &Den,
    algorithm: Algorithm,
    local: &str,
) -> Agent {
    let setup = den.setup(world, local, Keys::One);
    let enrolment = enrolment(algorithm, local, Some(code(person).await));
    Agent::enrol(setup, &enrolment).await.unwrap()
}
