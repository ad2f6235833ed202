//! Making the keys of a new server, and taking the root away from an old one.

use super::{
    AGENT_KEY, CAPABILITY_KEY, JWT_SVID_KEY, PkiError, PkiSettings, ROOT, RootKey, SESSION_KEY,
    WEBHOOK_KEY, context_of, opened,
};
use crate::directory::write_private;
use crate::failure::Failure;
use crate::store::meta::{self, SealedKey};
use crate::store::{Lane, Store, Tx};
use landfall_crypto::aauth::{AgentKeyPair, Algorithm};
use landfall_crypto::ambient::Ambient;
use landfall_crypto::ca::{IssuerKind, RootAuthority};
use landfall_crypto::crockford;
use landfall_crypto::envelope::MasterKey;
use landfall_crypto::key::KeyPair;
use landfall_crypto::passphrase;
use landfall_crypto::secret::{SecretBytes, SecretText};
use landfall_identity::Timestamp;
use std::path::{Path, PathBuf};

const ROOT_FILE: &str = "root-key.age";
const ROOT_PASSPHRASE_FILE: &str = "root-key-passphrase.txt";

/// Where the root key was written for offline keeping. From then on it is nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootExport {
    /// The key (PKCS#8), as an age file.
    pub file: PathBuf,
    /// What opens it.
    pub passphrase: PathBuf,
}

/// The keys of a new server.
pub(super) struct Made {
    pub rows: Vec<SealedKey>,
    pub export: Option<RootExport>,
}

/// Makes every key of a new server. A root that does not stay is on disk before this returns, so that
/// no row is ever kept whose root a crash has lost.
pub(super) fn make(
    settings: &PkiSettings,
    master: &MasterKey,
    ambient: &Ambient,
) -> Result<Made, PkiError> {
    let seal = |name: &str, key: &[u8], certificate: Option<&[u8]>| {
        sealed(name, key, certificate, master, ambient)
    };
    let root = RootAuthority::create(ambient)?;
    let root_key = root.private_key()?;
    let mut rows = Vec::new();
    let export = match &settings.root_key {
        RootKey::AsItIs => return Err(PkiError::NotServedYet),
        RootKey::Kept => {
            rows.push(seal(ROOT, root_key.expose(), Some(root.certificate()))?);
            None
        }
        RootKey::Offline(directory) => {
            rows.push(seal(ROOT, &[], Some(root.certificate()))?);
            Some(export(&root_key, directory, ambient)?)
        }
    };
    for kind in IssuerKind::ALL {
        let issuer = root.issue(kind, ambient)?;
        let key = issuer.private_key()?;
        rows.push(seal(kind.as_str(), key.expose(), Some(issuer.certificate()))?);
    }
    rows.push(seal(SESSION_KEY, KeyPair::generate()?.to_pkcs8()?.expose(), None)?);
    rows.push(seal(WEBHOOK_KEY, KeyPair::generate()?.to_pkcs8()?.expose(), None)?);
    rows.push(seal(JWT_SVID_KEY, KeyPair::generate()?.to_pkcs8()?.expose(), None)?);
    rows.push(seal(AGENT_KEY, new_agent_key()?.expose(), None)?);
    rows.push(seal(CAPABILITY_KEY, KeyPair::generate()?.to_pkcs8()?.expose(), None)?);
    Ok(Made { rows, export })
}

/// Keeps the keys and the trust domain, together or not at all.
pub(super) async fn keep(
    store: &Store,
    settings: &PkiSettings,
    rows: Vec<SealedKey>,
    now: Timestamp,
) -> Result<(), PkiError> {
    let trust_domain = settings.trust_domain.clone();
    let work = async move |tx: &mut Tx<'_>| {
        for row in &rows {
            meta::insert_sealed_key(tx, row, now).await?;
        }
        meta::set(tx, meta::TRUST_DOMAIN, trust_domain.as_str()).await?;
        Ok(())
    };
    let nothing = async |_: &mut Tx<'_>, _: &Result<(), Failure>| Ok(());
    store.write(Lane::Known, work, nothing).await.map_err(|_| PkiError::NotKept)
}

/// Makes the key of webhooks for a server that is older than they are.
pub(super) async fn add_webhook_key(
    store: &Store,
    master: &MasterKey,
    ambient: &Ambient,
) -> Result<SealedKey, PkiError> {
    let key = KeyPair::generate()?.to_pkcs8()?;
    add(store, sealed(WEBHOOK_KEY, key.expose(), None, master, ambient)?, ambient.now()).await
}

/// Makes the keys of agents' tokens and capabilities for a server that is older than they are.
pub(super) async fn add_agent_keys(
    store: &Store,
    master: &MasterKey,
    ambient: &Ambient,
) -> Result<[SealedKey; 2], PkiError> {
    let capability = KeyPair::generate()?.to_pkcs8()?;
    let capability = sealed(CAPABILITY_KEY, capability.expose(), None, master, ambient)?;
    let agent = sealed(AGENT_KEY, new_agent_key()?.expose(), None, master, ambient)?;
    // This one last: it is what tells that they are there.
    let capability = add(store, capability, ambient.now()).await?;
    Ok([capability, add(store, agent, ambient.now()).await?])
}

/// Ed25519: what every client of the drafts must know.
fn new_agent_key() -> Result<SecretBytes, PkiError> {
    Ok(AgentKeyPair::generate(Algorithm::Ed25519)?.to_pkcs8()?)
}

async fn add(store: &Store, row: SealedKey, now: Timestamp) -> Result<SealedKey, PkiError> {
    let kept = row.clone();
    let work = async move |tx: &mut Tx<'_>| Ok(meta::insert_sealed_key(tx, &kept, now).await?);
    let nothing = async |_: &mut Tx<'_>, _: &Result<(), Failure>| Ok(());
    store.write(Lane::Known, work, nothing).await.map_err(|_| PkiError::NotKept)?;
    Ok(row)
}

/// Makes what speaks for workloads for a server that is older than they are and still has its root.
pub(super) async fn add_workload_keys(
    store: &Store,
    rows: &[SealedKey],
    master: &MasterKey,
    ambient: &Ambient,
) -> Result<Vec<SealedKey>, PkiError> {
    let (root_key, certificate) = opened(rows, ROOT, master)?;
    let root = RootAuthority::from_parts(root_key.expose(), &certificate)?;
    let issuer = root.issue(IssuerKind::Workloads, ambient)?;
    let (name, key) = (IssuerKind::Workloads.as_str(), issuer.private_key()?);
    let issuer = sealed(name, key.expose(), Some(issuer.certificate()), master, ambient)?;
    let key = KeyPair::generate()?.to_pkcs8()?;
    let made = vec![issuer, sealed(JWT_SVID_KEY, key.expose(), None, master, ambient)?];
    let (kept, now) = (made.clone(), ambient.now());
    let work = async move |tx: &mut Tx<'_>| {
        for row in &kept {
            meta::insert_sealed_key(tx, row, now).await?;
        }
        Ok(())
    };
    let nothing = async |_: &mut Tx<'_>, _: &Result<(), Failure>| Ok(());
    store.write(Lane::Known, work, nothing).await.map_err(|_| PkiError::NotKept)?;
    Ok(made)
}

/// Takes the root key out of the database of a server that kept it until now. Nothing to do when it
/// left before.
pub(super) async fn take_offline(
    store: &Store,
    rows: &[SealedKey],
    directory: &Path,
    master: &MasterKey,
    ambient: &Ambient,
) -> Result<Option<RootExport>, PkiError> {
    let (root_key, certificate) = opened(rows, ROOT, master)?;
    if root_key.expose().is_empty() {
        return Ok(None);
    }
    let export = export(&root_key, directory, ambient)?;
    let emptied = sealed(ROOT, &[], Some(&certificate), master, ambient)?;
    let work = async move |tx: &mut Tx<'_>| Ok(meta::replace_sealed_key(tx, &emptied).await?);
    let nothing = async |_: &mut Tx<'_>, _: &Result<(), Failure>| Ok(());
    store.write(Lane::Known, work, nothing).await.map_err(|_| PkiError::NotKept)?;
    Ok(Some(export))
}

/// Writes the root key under a passphrase of its own: 128 random bits, which the operator keeps apart.
fn export(
    root_key: &SecretBytes,
    directory: &Path,
    ambient: &Ambient,
) -> Result<RootExport, PkiError> {
    let phrase = SecretText::new(crockford::encode(&ambient.random::<16>()));
    let export = RootExport {
        file: directory.join(ROOT_FILE),
        passphrase: directory.join(ROOT_PASSPHRASE_FILE),
    };
    write_private(&export.passphrase, phrase.as_bytes())?;
    write_private(&export.file, &passphrase::seal(root_key.expose(), &phrase)?)?;
    Ok(export)
}

fn sealed(
    name: &str,
    key: &[u8],
    certificate: Option<&[u8]>,
    master: &MasterKey,
    ambient: &Ambient,
) -> Result<SealedKey, PkiError> {
    let sealed = master.seal(&context_of(name), key, ambient.random.as_ref())?;
    let certificate = certificate.map(<[u8]>::to_vec);
    Ok(SealedKey { name: name.to_owned(), sealed, certificate })
}
