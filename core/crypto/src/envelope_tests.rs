use super::*;
use crate::ambient::SystemRandom;
use proptest::prelude::*;

#[test]
fn a_value_opens_where_it_was_sealed() {
    let key = MasterKey::generate(&SystemRandom);
    for value in [&b""[..], b"hunter2", &[7; 65_536]] {
        let envelope = key.seal(b"home/bert/secret/1", value, &SystemRandom).unwrap();
        assert_eq!(envelope.len(), value.len() + ENVELOPE_OVERHEAD);
        assert_eq!(master_key_id(&envelope), Ok(key.id()));
        let again = MasterKey::new(key.expose().clone());
        assert!(again.open(b"home/bert/secret/1", &envelope).unwrap().ct_eq(value));
    }
}

#[test]
fn it_opens_nowhere_else() {
    let key = MasterKey::generate(&SystemRandom);
    let envelope = key.seal(b"home/bert/secret/1", b"hunter2", &SystemRandom).unwrap();
    for context in [&b"home/bert/secret/2"[..], b"home/bert/secret/11", b""] {
        assert_eq!(key.open(context, &envelope).err(), Some(EnvelopeError::Forged));
    }
    let other = MasterKey::generate(&SystemRandom);
    let refused = other.open(b"home/bert/secret/1", &envelope).err();
    assert_eq!(refused, Some(EnvelopeError::OtherMasterKey(key.id())));
}

#[test]
fn every_bit_is_authenticated() {
    let key = MasterKey::generate(&SystemRandom);
    let envelope = key.seal(b"context", b"hunter2", &SystemRandom).unwrap();
    for bit in 0..envelope.len() * 8 {
        let mut changed = envelope.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(key.open(b"context", &changed).is_err(), "bit {bit}");
    }
    for length in 0..envelope.len() {
        assert!(key.open(b"context", &envelope[..length]).is_err(), "cut to {length}");
    }
    assert!(key.open(b"context", &[&envelope[..], &[0]].concat()).is_err(), "longer");
}

#[test]
fn the_halves_of_two_envelopes_do_not_mix() {
    let key = MasterKey::generate(&SystemRandom);
    let one = key.seal(b"context", b"old value", &SystemRandom).unwrap();
    let two = key.seal(b"context", b"new value", &SystemRandom).unwrap();
    let mixed = [&one[..VALUE_AT], &two[VALUE_AT..]].concat();
    assert_eq!(key.open(b"context", &mixed).err(), Some(EnvelopeError::Forged));
    assert_ne!(one, key.seal(b"context", b"old value", &SystemRandom).unwrap());
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let key = MasterKey::generate(&SystemRandom);
        prop_assert!(key.open(b"", &bytes).is_err());
        let ours = [&[VERSION][..], &key.id().0, &bytes].concat();
        prop_assert!(key.open(b"", &ours).is_err());
    }
}
