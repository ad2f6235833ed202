//! The contract, as a suite that every store must pass: `contract_suite(|| Box::new(...))` in a test.

use crate::{KeyHandle, KeyStore, KeyStoreError, OwnFormat, Purpose, StoredAgentKey, StoredKey};
use landfall_crypto::aauth::{AgentKeyPair, AgentSigner, Algorithm, Signs, naming};
use landfall_crypto::csr::{build_csr, public_key_of};
use landfall_identity::Timestamp;
use std::sync::Arc;

const CHECKPOINT: Purpose = Purpose::Own(OwnFormat::Checkpoint);

/// Checks every promise of [`KeyStore`] on stores that `make` yields; each is empty.
pub fn contract_suite(make: impl Fn() -> Box<dyn KeyStore>) {
    an_empty_store_has_nothing(&*make());
    a_key_signs_what_it_is_for(&*make());
    a_key_signs_nothing_else(&*make());
    a_key_is_never_replaced(&*make());
    keys_are_separate(&*make());
    what_is_deleted_is_gone(&*make());
    a_request_can_be_made(&*make());
    the_probe_leaves_nothing(&*make());
    threads_can_share_it(&*make());
    for algorithm in Algorithm::ALL {
        an_agents_key_signs_requests_and_tokens(make(), algorithm);
    }
}

fn handle(name: &str) -> KeyHandle {
    KeyHandle::parse(name).unwrap()
}

fn message() -> Vec<u8> {
    [OwnFormat::Checkpoint.prefix(), b"something"].concat()
}

fn is_not_found<T>(result: Result<T, KeyStoreError>) -> bool {
    matches!(result, Err(KeyStoreError::NotFound(_)))
}

fn an_empty_store_has_nothing(store: &dyn KeyStore) {
    let device = handle("device");
    assert!(store.list().unwrap().is_empty());
    assert!(is_not_found(store.public(&device)));
    assert!(is_not_found(store.sign(&device, CHECKPOINT, &message())));
    assert!(is_not_found(store.delete(&device)));
}

fn a_key_signs_what_it_is_for(store: &dyn KeyStore) {
    let device = handle("device");
    let public = store.create(&device).unwrap();
    assert_eq!(store.public(&device).unwrap(), public);
    let handshake = [&[b' '; 64][..], b"TLS 1.3, client CertificateVerify\0", &[7; 32]].concat();
    let base = b"\"@method\": POST\n\"@signature-params\": (\"@method\");created=1".to_vec();
    for (purpose, message) in [
        (CHECKPOINT, message()),
        (Purpose::TlsClientHandshake, handshake),
        (Purpose::HttpSignature, base),
    ] {
        let signature = store.sign(&device, purpose, &message).unwrap();
        assert!(public.verify(&message, &signature).is_ok(), "{purpose:?}");
        assert!(public.verify(b"another message", &signature).is_err(), "{purpose:?}");
    }
}

fn a_key_signs_nothing_else(store: &dyn KeyStore) {
    let device = handle("device");
    store.create(&device).unwrap();
    for purpose in [Purpose::Csr, Purpose::TlsClientHandshake, Purpose::HttpSignature, CHECKPOINT] {
        for raw in [&b""[..], b"bytes that a caller chose", &[0; 32]] {
            let refused = store.sign(&device, purpose, raw);
            assert!(matches!(refused, Err(KeyStoreError::WrongShape(_))), "{purpose:?}");
        }
    }
    let crossed = store.sign(&device, Purpose::HttpSignature, &message());
    assert!(matches!(crossed, Err(KeyStoreError::WrongShape(_))));
}

fn a_key_is_never_replaced(store: &dyn KeyStore) {
    let public = store.create(&handle("device")).unwrap();
    assert!(matches!(store.create(&handle("device")), Err(KeyStoreError::Exists(_))));
    assert_eq!(store.public(&handle("device")).unwrap(), public);
}

fn keys_are_separate(store: &dyn KeyStore) {
    let (a, b) = (handle("a"), handle("b"));
    let (key_b, key_a) = (store.create(&b).unwrap(), store.create(&a).unwrap());
    assert_ne!(key_a, key_b);
    assert_eq!(store.list().unwrap(), [a.clone(), b]);
    let signature = store.sign(&a, CHECKPOINT, &message()).unwrap();
    assert!(key_a.verify(&message(), &signature).is_ok());
    assert!(key_b.verify(&message(), &signature).is_err());
}

fn what_is_deleted_is_gone(store: &dyn KeyStore) {
    let (gone, kept) = (handle("gone"), handle("kept"));
    let old = store.create(&gone).unwrap();
    store.create(&kept).unwrap();
    store.delete(&gone).unwrap();
    assert!(is_not_found(store.public(&gone)));
    assert!(is_not_found(store.delete(&gone)));
    assert_eq!(store.list().unwrap(), [kept]);
    assert_ne!(store.create(&gone).unwrap(), old, "the name is free, the key is another");
}

fn a_request_can_be_made(store: &dyn KeyStore) {
    let device = handle("device");
    let public = store.create(&device).unwrap();
    let csr = build_csr(&StoredKey::find(store, &device, Purpose::Csr).unwrap()).unwrap();
    assert_eq!(public_key_of(&csr), Ok(public));
    let wrong = StoredKey::find(store, &device, Purpose::HttpSignature).unwrap();
    assert!(build_csr(&wrong).is_err(), "the purpose decides, not the caller");
}

fn the_probe_leaves_nothing(store: &dyn KeyStore) {
    store.probe_writable().unwrap();
    assert!(store.list().unwrap().is_empty());
}

fn threads_can_share_it(store: &dyn KeyStore) {
    let device = handle("device");
    let public = store.create(&device).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let signature = store.sign(&device, CHECKPOINT, &message()).unwrap();
                assert!(public.verify(&message(), &signature).is_ok());
            });
        }
    });
}

fn an_agents_key_signs_requests_and_tokens(store: Box<dyn KeyStore>, algorithm: Algorithm) {
    let store: Arc<dyn KeyStore> = Arc::from(store);
    let agent = handle("agent");
    assert!(is_not_found(store.agent_public(&agent)));
    let public = store.create_agent(&agent, algorithm).unwrap();
    assert_eq!((public.algorithm(), store.agent_public(&agent).unwrap()), (algorithm, public));
    assert!(matches!(store.create_agent(&agent, algorithm), Err(KeyStoreError::Exists(_))));
    match store.public(&agent) {
        Ok(key) => assert_eq!(Some(key), public.as_p256()),
        Err(KeyStoreError::AgentOnly(_)) => assert_eq!(algorithm, Algorithm::Ed25519),
        Err(other) => panic!("{other}"),
    }
    let key = StoredAgentKey::find(store.clone(), &agent).unwrap();
    let ephemeral = AgentKeyPair::generate(algorithm).unwrap().public_key();
    let now = Timestamp::from_seconds(1_800_000_000);
    let form = naming::NamingForm::SelfAnchored;
    assert!(naming::make(&key, &ephemeral, form, "j1", now).is_ok());
    let base = b"\"@method\": POST\n\"@signature-params\": (\"@method\");created=1";
    let signature = key.sign_as(Signs::Request, base).unwrap();
    assert!(public.verify(base, &signature).is_ok());
    for what in [Signs::Request, Signs::NamingJwt, Signs::AgentToken] {
        assert!(key.sign_as(what, b"bytes that a caller chose").is_err());
    }
    store.delete(&agent).unwrap();
    assert!(is_not_found(store.agent_public(&agent)));
}
