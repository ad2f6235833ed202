//! Machines that stand for themselves: a key that the server makes and hands out once, in a file that any age
//! program opens, until the machine puts a key of its own in its place.

mod claims;
mod files;
mod handing;
mod pinned;
mod second_person;
mod terminal;
mod traces;

use landfall_client::words::{CredentialFacts, MachineRole, SecretText};
use landfall_client::{HandedOut, WantedKey, reveal};
use landfall_crypto::KeyPair;
use landfall_crypto::self_signed::self_signed;
use landfall_identity::caller::Role;
use landfall_identity::{DeviceName, Seconds};
use landfall_protocol::ErrorCode;
use landfall_test_support::{Person, Raw, World};

fn device(name: &str) -> DeviceName {
    DeviceName::parse(name).unwrap()
}

fn role(name: &str) -> MachineRole {
    MachineRole::parse(name).unwrap()
}

/// A key for a new machine at a role that takes one person.
pub(super) fn server_key(name: &str) -> WantedKey {
    WantedKey { device: device(name), role: Some(role("server")), ttl: None, words: Some(4) }
}

/// Ana, who administers, and Olga, who operates.
async fn people(world: &World) -> (Person, Person) {
    let ana = world.admin("ana").await.unwrap();
    let olga = world.invited_as(&ana, "olga", Role::Operator).await.unwrap();
    (ana, olga)
}

pub(super) async fn provision(by: &Person, wanted: WantedKey) -> Result<HandedOut, ErrorCode> {
    by.client().provision(wanted, &by.shell).await.map_err(|failure| failure.code())
}

/// What the file holds, opened by its words.
pub(super) fn opened(made: &HandedOut) -> (CredentialFacts, KeyPair) {
    let text = reveal(&made.file, &made.passphrase).unwrap();
    CredentialFacts::parse(text.expose()).unwrap()
}

/// A connection with a certificate that the key made for itself, years ago.
pub(super) fn pinned(world: &World, key: &KeyPair) -> Raw {
    let long_ago = world.ambient.now() - Seconds::days(1000);
    let certificate = self_signed(key, long_ago, long_ago + Seconds::days(1)).unwrap();
    Raw::showing(world, key, certificate).unwrap()
}

/// What a machine is told that may not open a session.
async fn refused(raw: &Raw) -> ErrorCode {
    let body = serde_json::json!({});
    let path = landfall_protocol::paths::SESSION;
    let ask = async || raw.send(reqwest::Method::POST, path, None, Some(&body)).await;
    // The connection may be the one that was just cut.
    match ask().await {
        Ok(answer) => answer.code(),
        Err(_) => ask().await.unwrap().code(),
    }
}

fn phrase(words: &str) -> SecretText {
    SecretText::new(words.to_owned())
}
