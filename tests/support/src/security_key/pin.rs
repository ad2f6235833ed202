//! The key's PIN: protocol one of CTAP 2.1, section 6.5.6.

use super::ctap::{Message, PIN_AUTH_BLOCKED, PIN_BLOCKED, PIN_INVALID, PIN_NOT_SET, refused};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::{digest, hmac, rand};
use serde_cbor_2::Value;
use std::collections::BTreeMap;
use webauthn_authenticator_rs::error::WebauthnCError;

const TRIES: u32 = 8;
const IN_A_ROW: u32 = 3;

/// The PIN and what was done about it.
pub(super) struct Pins {
    pin: Option<String>,
    left: u32,
    /// Wrong ones since it was plugged in.
    in_a_row: u32,
    agreement: PrivateKey,
    /// What whoever knew the PIN was given.
    token: [u8; 16],
}

impl Pins {
    pub(super) fn new(pin: Option<&str>) -> Self {
        let mut token = [0; 16];
        rand::fill(&mut token).expect("randomness");
        let agreement = PrivateKey::generate(&ECDH_P256).expect("a key");
        Self { pin: pin.map(str::to_owned), left: TRIES, in_a_row: 0, agreement, token }
    }

    pub(super) fn is_set(&self) -> bool {
        self.pin.is_some()
    }

    /// Whether `param` shows that the PIN was known, for this very `hash`.
    pub(super) fn vouches(&self, param: &[u8], hash: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.token);
        hmac::sign(&key, hash).as_ref()[..16] == *param
    }

    /// `authenticatorClientPIN`.
    pub(super) fn command(&mut self, asked: &Message) -> Result<Message, WebauthnCError> {
        match asked.get(&0x02) {
            Some(Value::Integer(0x01)) => Ok([(0x03, Value::Integer(self.left.into()))].into()),
            Some(Value::Integer(0x02)) => Ok([(0x01, self.public())].into()),
            Some(Value::Integer(0x05 | 0x09)) => self.check(asked),
            other => panic!("a PIN command that no test needs: {other:?}"),
        }
    }

    /// The key for agreeing on a secret, in COSE's form.
    fn public(&self) -> Value {
        let point = self.agreement.compute_public_key().expect("a public key");
        let (x, y) = point.as_ref()[1..].split_at(32);
        let member = |name: i128, value| (Value::Integer(name), value);
        Value::Map(BTreeMap::from([
            member(1, Value::Integer(2)),
            member(3, Value::Integer(-25)),
            member(-1, Value::Integer(1)),
            member(-2, Value::Bytes(x.to_vec())),
            member(-3, Value::Bytes(y.to_vec())),
        ]))
    }

    fn check(&mut self, asked: &Message) -> Result<Message, WebauthnCError> {
        let Some(pin) = self.pin.clone() else { return Err(refused(PIN_NOT_SET)) };
        if self.left == 0 {
            return Err(refused(PIN_BLOCKED));
        }
        if self.in_a_row >= IN_A_ROW {
            return Err(refused(PIN_AUTH_BLOCKED));
        }
        let secret = self.secret(asked.get(&0x03).expect("the platform's key"));
        let Some(Value::Bytes(sealed)) = asked.get(&0x06) else { panic!("no PIN in it") };
        let typed = open(&secret, sealed);
        let hash = digest::digest(&digest::SHA256, pin.as_bytes());
        if typed != hash.as_ref()[..16] {
            self.left -= 1;
            self.in_a_row += 1;
            self.agreement = PrivateKey::generate(&ECDH_P256).expect("a key");
            return Err(refused(match (self.left, self.in_a_row) {
                (0, _) => PIN_BLOCKED,
                (_, IN_A_ROW) => PIN_AUTH_BLOCKED,
                _ => PIN_INVALID,
            }));
        }
        (self.left, self.in_a_row) = (TRIES, 0);
        Ok([(0x02, Value::Bytes(seal(&secret, &self.token)))].into())
    }

    fn secret(&self, platform: &Value) -> [u8; 32] {
        let Value::Map(key) = platform else { panic!("no key") };
        let part = |name: i128| match key.get(&Value::Integer(name)) {
            Some(Value::Bytes(bytes)) => bytes.clone(),
            other => panic!("no coordinate: {other:?}"),
        };
        let point = [vec![4], part(-2), part(-3)].concat();
        let peer = UnparsedPublicKey::new(&ECDH_P256, point);
        agreement::agree(&self.agreement, peer, (), |x| {
            let hash = digest::digest(&digest::SHA256, x);
            Ok(hash.as_ref().try_into().expect("32 bytes"))
        })
        .expect("two points on the curve")
    }
}

/// One block of AES-256-CBC without a vector is one block of AES-256.
fn open(secret: &[u8; 32], sealed: &[u8]) -> Vec<u8> {
    let key = UnboundCipherKey::new(&AES_256, secret).expect("a key");
    let mut block = sealed.to_vec();
    let key = DecryptingKey::ecb(key).expect("a cipher");
    key.decrypt(&mut block, DecryptionContext::None).expect("a block").to_vec()
}

fn seal(secret: &[u8; 32], plain: &[u8; 16]) -> Vec<u8> {
    let key = UnboundCipherKey::new(&AES_256, secret).expect("a key");
    let mut block = plain.to_vec();
    EncryptingKey::ecb(key).expect("a cipher").encrypt(&mut block).expect("a block");
    block
}
