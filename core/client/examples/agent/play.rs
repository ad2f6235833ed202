//! What the agent does; a test plays it too.

use landfall_client::agent::{
    Agent, AgentRequest, AgentSetup, Algorithm, Enrolment, Keys, Scheme, ServerId, Trust,
};
use landfall_client::words::Ambient;
use landfall_keystore::{FileKeyStore, KeyHandle};
use std::error::Error;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What the command line asks for.
///
/// # Errors
/// Says what did not work.
pub async fn run(ambient: &Ambient, words: &[&str]) -> Result<String, Box<dyn Error>> {
    let (verb, keys, provider, key, last) = match *words {
        [verb, keys, provider, key, last] => (verb, keys, provider, key, last),
        _ => return Err("enrol|call KEYS PROVIDER KEY CODE|URL".into()),
    };
    let setup = AgentSetup {
        provider: ServerId::parse_with_loopback(provider)?,
        trust: Trust::WebPki,
        keys: Arc::new(FileKeyStore::open(keys)?),
        key: KeyHandle::parse(key)?,
        mode: Keys::Two { ephemeral: Algorithm::Ed25519, guide_era: false },
        ambient: ambient.clone(),
    };
    match verb {
        "enrol" => {
            let enrolment = Enrolment {
                algorithm: Algorithm::Ed25519,
                agent: None,
                code: Some(Zeroizing::new(last.to_owned())),
                person_server: None,
            };
            let agent = Agent::enrol(setup, &enrolment).await?;
            Ok(format!("enrolled as {}", agent.token().await?.agent))
        }
        "call" => {
            let agent = Agent::load(setup)?;
            let answer = agent.send(&AgentRequest::get(last.parse()?), Scheme::Jwt).await?;
            Ok(format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)))
        }
        _ => Err("enrol or call".into()),
    }
}
