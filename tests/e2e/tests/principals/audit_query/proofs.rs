//! Proofs, checked by who holds a checkpoint and the audit key, and by nobody's word.

use landfall_client::words::Role;
use landfall_client::{AuditFilter, audit_checkpoint, audit_key, check_growth, check_proof};
use landfall_crypto::{KeyPair, PublicKey, Signer};
use landfall_protocol::ErrorCode;
use landfall_server::keys::AUDIT_PUBLIC;
use landfall_test_support::{Person, World};

fn key_of(world: &World) -> PublicKey {
    audit_key(&std::fs::read_to_string(world.data_dir().join(AUDIT_PUBLIC)).unwrap()).unwrap()
}

/// The newest sealed row of a person.
async fn newest(person: &Person) -> u64 {
    let rows = person.client().audit(&AuditFilter::default()).await.unwrap();
    rows.items.iter().find_map(|row| row.seq).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_proved_against_a_checkpoint_that_was_kept() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    // A server that stops seals what was written.
    world.restart().await.unwrap();
    let key = key_of(&world);
    let kept = bert.client().audit_checkpoint().await.unwrap();
    let kept = audit_checkpoint(&kept.line, &key).unwrap();
    let seq = newest(&bert).await;
    let proof = bert.client().audit_proof(seq, Some(kept.size)).await.unwrap();
    let proved = check_proof(&proof, &kept, &key).unwrap();
    assert_eq!((proved.seq, proved.checkpoint), (seq, kept));
    assert!(
        proved
            .columns
            .iter()
            .any(|(name, value)| *name == "actor" && value.contains("/user/bert/")),
        "{proved:?}"
    );
    // Nothing of it can be changed.
    let mut other = proof.clone();
    other.seq += 1;
    assert!(check_proof(&other, &kept, &key).is_err(), "another place");
    let mut other = proof.clone();
    other.entry = other.entry.replace(&other.entry[40..44], "AAAA");
    assert!(check_proof(&other, &kept, &key).is_err(), "another row");
    for at in 0..proof.path.len() {
        let mut other = proof.clone();
        other.path.remove(at);
        assert!(check_proof(&other, &kept, &key).is_err(), "a shorter path");
    }
    let foreign = KeyPair::generate().unwrap().public_key();
    let no = check_proof(&proof, &kept, &foreign).unwrap_err();
    assert_eq!(no.code(), ErrorCode::AuditProofFalse, "another server's key");
    let mut elsewhere = kept;
    elsewhere.root = [7; 32];
    let forked = check_proof(&proof, &elsewhere, &key).unwrap_err();
    assert_eq!(forked.code(), ErrorCode::AuditProofFalse, "another log");
    assert_eq!(proved.columns.last().map(|(name, _)| *name), Some("personal hash"));
    // Later, the same row against the same checkpoint; and the log only grew.
    ana.client().admin_users().await.unwrap();
    world.restart().await.unwrap();
    let later = bert.client().audit_proof(seq, Some(kept.size)).await.unwrap();
    assert_eq!(later, proof);
    let growth = bert.client().audit_growth(kept.size, None).await.unwrap();
    let (from, to) = check_growth(&growth, &kept, &key).unwrap();
    assert!(from == kept && to.size > kept.size);
    let newer = bert.client().audit_proof(seq, None).await.unwrap();
    assert!(check_proof(&newer, &kept, &key).is_err(), "of a log that one has not kept");
    assert_eq!(check_proof(&newer, &to, &key).unwrap().columns, proved.columns);
    let mut forged = growth.clone();
    forged.path.reverse();
    assert!(forged.path == growth.path || check_growth(&forged, &kept, &key).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_for_ones_own_rows_and_for_those_who_read_all() {
    let mut world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let audrey = world.invited_as(&ana, "audrey", Role::Auditor).await.unwrap();
    world.restart().await.unwrap();
    let seq = newest(&ana).await;
    for reader in [&ana, &audrey] {
        assert!(reader.client().audit_proof(seq, None).await.is_ok());
    }
    let no = bert.client().audit_proof(seq, None).await.err().unwrap();
    assert_eq!(no.code(), ErrorCode::NotFound);
    for nowhere in [0, 1_000_000, u64::MAX] {
        let no = ana.client().audit_proof(nowhere, None).await.err().unwrap();
        assert_eq!(no.code(), ErrorCode::NotFound, "{nowhere}");
    }
    let no = ana.client().audit_proof(seq, Some(1_000_000)).await.err().unwrap();
    assert_eq!(no.code(), ErrorCode::InvalidField);
    for (from, to) in [(0, None), (1_000_000, None), (2, Some(1))] {
        let no = bert.client().audit_growth(from, to).await.err().unwrap();
        assert_eq!(no.code(), ErrorCode::InvalidField, "{from}");
    }
}
