//! Proofs from the audit log, and checking them with nothing but a checkpoint and the audit key.

use crate::ask::{Ask, with_query};
use crate::client::Client;
use crate::failure::Failure;
use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::PublicKey;
use landfall_crypto::checkpoint::{Checkpoint, SignedCheckpoint};
use landfall_crypto::merkle::{self, Hash};
use landfall_identity::Action;
use landfall_protocol::audit::{AuditCheckpointInfo, AuditConsistency, AuditProof};
use landfall_protocol::{ErrorCode, paths};

/// Hashes of a proof that are looked at: no log has more levels.
const PATH_MAX: usize = 64;
/// What an entry begins with.
const ENTRY: &[u8] = b"landfall/audit-row/v1\0";
/// What the columns of an entry are. The last but one to the last but three came one after the other: a row without them
/// has no place for them, from the last of them on.
const COLUMNS: [&str; 18] = [
    "id",
    "at",
    "tenant",
    "actor",
    "user",
    "device",
    "parents",
    "action",
    "target",
    "outcome",
    "reason",
    "strength",
    "session",
    "request",
    "rule",
    "role",
    "capability",
    "personal hash",
];
/// The fewest that an entry has.
const COLUMNS_MIN: usize = 15;

impl Client {
    /// What the log says of itself.
    ///
    /// # Errors
    /// What the server says.
    pub async fn audit_checkpoint(&self) -> Result<AuditCheckpointInfo, Failure> {
        self.ask(Ask::get(Action::ReadAuditCheckpoint, paths::AUDIT_CHECKPOINT)).await
    }

    /// That a row is in the log, as it was with `size` rows.
    ///
    /// # Errors
    /// What the server says.
    pub async fn audit_proof(&self, seq: u64, size: Option<u64>) -> Result<AuditProof, Failure> {
        let path = paths::fill(paths::AUDIT_PROOF, &[&seq.to_string()]);
        let size = size.map(|size| size.to_string());
        let filter: Vec<_> = size.iter().map(|size| ("size", size.as_str())).collect();
        self.ask(Ask::get(Action::ProveAuditRow, with_query(&path, &filter))).await
    }

    /// That the log of `from` rows is a beginning of the log of `to`, or of the newest.
    ///
    /// # Errors
    /// What the server says.
    pub async fn audit_growth(
        &self,
        from: u64,
        to: Option<u64>,
    ) -> Result<AuditConsistency, Failure> {
        let (from, to) = (from.to_string(), to.map(|to| to.to_string()));
        let mut filter = vec![("from", from.as_str())];
        filter.extend(to.iter().map(|to| ("to", to.as_str())));
        let path = with_query(paths::AUDIT_CONSISTENCY, &filter);
        self.ask(Ask::get(Action::ProveAuditGrowth, path)).await
    }
}

/// What a proof proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The row's place.
    pub seq: u64,
    /// The log that it is in.
    pub checkpoint: Checkpoint,
    /// The row's columns, in the order of the log, by name; what is no text is told as one.
    pub columns: Vec<(&'static str, String)>,
}

/// Reads the audit key's public half (PEM).
///
/// # Errors
/// `invalid-field` when it is none.
pub fn audit_key(pem: &str) -> Result<PublicKey, Failure> {
    let parsed = pem::parse(pem).map_err(|_| no("this is no public audit key (PEM)"))?;
    PublicKey::from_spki(parsed.contents()).map_err(|_| no("this is no public audit key"))
}

/// Reads a checkpoint: a line as the server exports it, by `key`.
///
/// # Errors
/// `invalid-field` when it is none; `audit-proof-false` when the key has not signed it.
pub fn audit_checkpoint(line: &str, key: &PublicKey) -> Result<Checkpoint, Failure> {
    let signed = SignedCheckpoint::parse_line(line.trim())
        .map_err(|_| no("this is no checkpoint: it is a line of the exported file"))?;
    signed
        .verify(key)
        .map_err(|_| false_because("That audit key has not signed this checkpoint"))?;
    Ok(signed.checkpoint)
}

/// Checks that a row is in the log of `trusted`, a checkpoint that one has kept. The server is not asked.
///
/// # Errors
/// `audit-proof-false` with what does not fit; `invalid-field` for what is no proof.
pub fn check_proof(
    proof: &AuditProof,
    trusted: &Checkpoint,
    key: &PublicKey,
) -> Result<Proved, Failure> {
    let stated = audit_checkpoint(&proof.checkpoint, key)?;
    if stated.size == trusted.size && stated.root != trusted.root {
        return Err(false_because(
            "The proof and your checkpoint are signed by the same key for two logs of the same length: the \
             server keeps two, and has shown you one of them",
        ));
    }
    if stated.size != trusted.size {
        return Err(no(format!(
            "the proof is for a log of {} rows, and the checkpoint for one of {}: ask for a proof with \
             --checkpoint, or prove that the log only grew",
            stated.size, trusted.size
        )));
    }
    let entry = bytes(&proof.entry)?;
    let columns = columns_of(&entry, proof.seq)
        .ok_or_else(|| false_because("Its row is none, or another one"))?;
    let path = path_of(&proof.path)?;
    let leaf = merkle::leaf_hash(&entry);
    let at = proof.seq.checked_sub(1).ok_or_else(|| no("places are counted from one"))?;
    if !merkle::verify_inclusion(&leaf, at, trusted.size, &path, &trusted.root) {
        return Err(false_because("The row is not in the log of that checkpoint"));
    }
    Ok(Proved { seq: proof.seq, checkpoint: *trusted, columns })
}

/// Checks that the log only grew between two checkpoints. Answers both.
///
/// # Errors
/// `audit-proof-false` with what does not fit; `invalid-field` for what is no proof.
pub fn check_growth(
    proof: &AuditConsistency,
    trusted: &Checkpoint,
    key: &PublicKey,
) -> Result<(Checkpoint, Checkpoint), Failure> {
    let (from, to) = (audit_checkpoint(&proof.from, key)?, audit_checkpoint(&proof.to, key)?);
    let same = |one: &Checkpoint| (one.size, one.root) == (trusted.size, trusted.root);
    if !same(&from) && !same(&to) {
        return Err(no("the proof is not about the checkpoint that was given"));
    }
    let path = path_of(&proof.path)?;
    if !merkle::verify_consistency(from.size, to.size, &path, &from.root, &to.root) {
        return Err(false_because(
            "The newer log does not begin with the older one: rows were changed",
        ));
    }
    Ok((from, to))
}

fn false_because(why: &str) -> Failure {
    let detail = format!("{why}. Keep the files, and ask whoever runs the server.");
    Failure::new(ErrorCode::AuditProofFalse, detail)
}

fn no(why: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::InvalidField, why)
}

fn bytes(text: &str) -> Result<Vec<u8>, Failure> {
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| no("the proof is not written in base64url"))
}

fn path_of(texts: &[String]) -> Result<Vec<Hash>, Failure> {
    if texts.len() > PATH_MAX {
        return Err(no("the proof is longer than any can be"));
    }
    let hash = |text: &String| {
        Hash::try_from(bytes(text)?.as_slice()).map_err(|_| no("the proof holds what is no hash"))
    };
    texts.iter().map(hash).collect()
}

/// The columns of an entry at place `seq`; `None` when it is none.
fn columns_of(entry: &[u8], seq: u64) -> Option<Vec<(&'static str, String)>> {
    let mut rest = entry.strip_prefix(ENTRY)?;
    if take::<8>(&mut rest)? != seq.to_be_bytes() {
        return None;
    }
    let mut columns = Vec::new();
    while !rest.is_empty() && columns.len() < COLUMNS.len() {
        let [kind] = take::<1>(&mut rest)?;
        columns.push(match kind {
            0 => String::new(),
            1 => i64::from_be_bytes(take(&mut rest)?).to_string(),
            2 | 3 => {
                let length = usize::try_from(u64::from_be_bytes(take(&mut rest)?)).ok()?;
                let (value, after) = rest.split_at_checked(length)?;
                rest = after;
                match kind {
                    2 => std::str::from_utf8(value).ok()?.to_owned(),
                    _ => BASE64URL_NOPAD.encode(value),
                }
            }
            _ => return None,
        });
    }
    if !rest.is_empty() || columns.len() < COLUMNS_MIN {
        return None;
    }
    let (last, first) = (COLUMNS.len() - 1, columns.len() - 1);
    let names = COLUMNS.iter().take(first).chain(COLUMNS.get(last));
    Some(names.copied().zip(columns).collect())
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*head)
}
