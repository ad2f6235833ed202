//! The key's commands (CTAP 2.1, section 6).

use super::SecurityKey;
use aws_lc_rs::digest;
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_cbor_2::Value;
use std::collections::BTreeMap;
use webauthn_authenticator_rs::ctap2::commands::GetInfoResponse;
use webauthn_authenticator_rs::error::{CtapError, WebauthnCError};
use webauthn_authenticator_rs::ui::UiCallback;

const CREDENTIAL_EXCLUDED: u8 = 0x19;
const KEY_STORE_FULL: u8 = 0x28;
pub(super) const KEEPALIVE_CANCEL: u8 = 0x2d;
const NO_CREDENTIALS: u8 = 0x2e;
pub(super) const USER_ACTION_TIMEOUT: u8 = 0x2f;
pub(super) const PIN_INVALID: u8 = 0x31;
pub(super) const PIN_BLOCKED: u8 = 0x32;
const PIN_AUTH_INVALID: u8 = 0x33;
pub(super) const PIN_AUTH_BLOCKED: u8 = 0x34;
pub(super) const PIN_NOT_SET: u8 = 0x35;
const PIN_REQUIRED: u8 = 0x36;

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

/// A command's or an answer's members.
pub(super) type Message = BTreeMap<u32, Value>;

/// A passkey on the key.
pub(super) struct Kept {
    id: Vec<u8>,
    rp_id: String,
    user_id: Vec<u8>,
    pub(super) user_name: String,
    pub(super) resident: bool,
    pair: EcdsaKeyPair,
}

pub(super) fn refused(code: u8) -> WebauthnCError {
    WebauthnCError::Ctap(CtapError::from(code))
}

impl SecurityKey {
    pub(super) async fn answer(
        &self,
        message: &[u8],
        ui: &impl UiCallback,
    ) -> Result<Vec<u8>, WebauthnCError> {
        let (command, body) = message.split_first().expect("a command");
        let read = || serde_cbor_2::from_slice::<Message>(body).expect("members");
        match command {
            0x01 => self.make(&read(), ui).await,
            0x02 => self.assert(&read(), ui).await,
            0x04 => Ok(write(&self.info())),
            0x06 => self.state().pins.command(&read()).map(|answer| write(&answer)),
            0x08 => self.state().next.pop().ok_or_else(|| refused(0x30)),
            0x0b => self.touched(ui).await.map(|()| vec![]),
            other => panic!("a command that no test needs: {other}"),
        }
    }

    fn info(&self) -> GetInfoResponse {
        let pin = self.state().pins.is_set();
        let options = [("rk", true), ("up", true), ("plat", false)]
            .into_iter()
            .chain([("clientPin", pin), ("pinUvAuthToken", true)])
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        GetInfoResponse {
            versions: ["FIDO_2_0", "FIDO_2_1"].map(str::to_owned).into(),
            options: Some(options),
            pin_protocols: Some(vec![1]),
            max_cred_count_in_list: Some(1),
            transports: Some(vec!["usb".to_owned(), "nfc".to_owned()]),
            ..Default::default()
        }
    }

    /// Whether the PIN was shown. An empty proof is a question for a touch, and never a yes.
    async fn verified(
        &self,
        param: Option<&Value>,
        hash: &[u8],
        ui: &impl UiCallback,
    ) -> Result<bool, WebauthnCError> {
        let set = self.state().pins.is_set();
        match param {
            None => Ok(false),
            Some(Value::Bytes(param)) if param.is_empty() => {
                self.touched(ui).await?;
                Err(refused(if set { PIN_INVALID } else { PIN_NOT_SET }))
            }
            Some(Value::Bytes(param)) if set && self.state().pins.vouches(param, hash) => Ok(true),
            Some(_) => Err(refused(PIN_AUTH_INVALID)),
        }
    }

    async fn make(&self, asked: &Message, ui: &impl UiCallback) -> Result<Vec<u8>, WebauthnCError> {
        let hash = bytes(&asked[&0x01]);
        if !self.verified(asked.get(&0x08), &hash, ui).await? {
            return Err(refused(PIN_REQUIRED));
        }
        self.touched(ui).await?;
        let rp_id = text(member(&asked[&0x02], "id"));
        let excluded: Vec<_> = listed(asked.get(&0x05));
        let resident = asked.get(&0x07).is_some_and(|options| is_true(options, "rk"));
        let mut state = self.state();
        if state.kept.iter().any(|kept| kept.rp_id == rp_id && excluded.contains(&kept.id)) {
            return Err(refused(CREDENTIAL_EXCLUDED));
        }
        if resident && state.kept.iter().filter(|kept| kept.resident).count() >= state.room {
            return Err(refused(KEY_STORE_FULL));
        }
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        let mut id = vec![0; 48];
        rand::fill(&mut id).expect("randomness");
        state.counter += 1;
        let mut data = head(&rp_id, PRESENT | VERIFIED | ATTESTED, state.counter);
        data.extend([0; 16]);
        data.extend([0, 48]);
        data.extend(&id);
        data.extend(cose(&pair));
        let signature = sign(&pair, &data, &hash);
        let user = &asked[&0x03];
        state.kept.push(Kept {
            id,
            rp_id,
            user_id: bytes(member(user, "id")),
            user_name: text(member(user, "name")),
            resident,
            pair,
        });
        let statement = BTreeMap::from([
            (Value::Text("alg".into()), Value::Integer(-7)),
            (Value::Text("sig".into()), Value::Bytes(signature)),
        ]);
        Ok(write(&Message::from([
            (0x01, Value::Text("packed".into())),
            (0x02, Value::Bytes(data)),
            (0x03, Value::Map(statement)),
        ])))
    }

    async fn assert(
        &self,
        asked: &Message,
        ui: &impl UiCallback,
    ) -> Result<Vec<u8>, WebauthnCError> {
        let (rp_id, hash) = (text(&asked[&0x01]), bytes(&asked[&0x02]));
        let verified = self.verified(asked.get(&0x06), &hash, ui).await?;
        let present = !asked.get(&0x05).is_some_and(|options| is_false(options, "up"));
        if present {
            self.touched(ui).await?;
        }
        let allowed = listed(asked.get(&0x03));
        let mut state = self.state();
        state.counter += 1;
        let flags = (u8::from(present) * PRESENT) | (u8::from(verified) * VERIFIED);
        let data = head(&rp_id, flags, state.counter);
        let fits = |kept: &&Kept| {
            let named = allowed.contains(&kept.id);
            kept.rp_id == rp_id && (named || allowed.is_empty() && kept.resident)
        };
        let found: Vec<&Kept> = state.kept.iter().rev().filter(fits).collect();
        let count = if allowed.is_empty() { found.len() } else { 1 };
        let mut answers: Vec<Vec<u8>> = found
            .iter()
            .take(count)
            .enumerate()
            .map(|(at, kept)| {
                let mut answer = kept.prove(&data, &hash, verified && count > 1);
                if at == 0 && count > 1 {
                    answer.insert(0x05, Value::Integer(count as i128));
                }
                write(&answer)
            })
            .collect();
        answers.reverse();
        let first = answers.pop().ok_or_else(|| refused(NO_CREDENTIALS))?;
        state.next = answers;
        Ok(first)
    }
}

impl Kept {
    fn prove(&self, data: &[u8], hash: &[u8], named: bool) -> Message {
        let credential = BTreeMap::from([
            (Value::Text("id".into()), Value::Bytes(self.id.clone())),
            (Value::Text("type".into()), Value::Text("public-key".into())),
        ]);
        let mut user =
            BTreeMap::from([(Value::Text("id".into()), Value::Bytes(self.user_id.clone()))]);
        if named {
            user.insert(Value::Text("name".into()), Value::Text(self.user_name.clone()));
        }
        let mut answer = Message::from([
            (0x01, Value::Map(credential)),
            (0x02, Value::Bytes(data.to_vec())),
            (0x03, Value::Bytes(sign(&self.pair, data, hash))),
        ]);
        if self.resident {
            answer.insert(0x04, Value::Map(user));
        }
        answer
    }
}

/// How authenticator data begins.
fn head(rp_id: &str, flags: u8, counter: u32) -> Vec<u8> {
    let mut data = digest::digest(&digest::SHA256, rp_id.as_bytes()).as_ref().to_vec();
    data.push(flags);
    data.extend(counter.to_be_bytes());
    data
}

fn sign(pair: &EcdsaKeyPair, data: &[u8], hash: &[u8]) -> Vec<u8> {
    let message = [data, hash].concat();
    pair.sign(&SystemRandom::new(), &message).expect("a signature").as_ref().to_vec()
}

fn cose(pair: &EcdsaKeyPair) -> Vec<u8> {
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let member = |name: i128, value| (Value::Integer(name), value);
    write(&Value::Map(BTreeMap::from([
        member(1, Value::Integer(2)),
        member(3, Value::Integer(-7)),
        member(-1, Value::Integer(1)),
        member(-2, Value::Bytes(x.to_vec())),
        member(-3, Value::Bytes(y.to_vec())),
    ])))
}

fn write(value: &impl serde::Serialize) -> Vec<u8> {
    serde_cbor_2::ser::to_vec_packed(value).expect("CBOR")
}

fn member<'a>(map: &'a Value, name: &str) -> &'a Value {
    let Value::Map(map) = map else { panic!("no map: {map:?}") };
    map.get(&Value::Text(name.to_owned())).expect("a member")
}

fn is_true(map: &Value, name: &str) -> bool {
    matches!(map, Value::Map(map) if map.get(&Value::Text(name.into())) == Some(&Value::Bool(true)))
}

fn is_false(map: &Value, name: &str) -> bool {
    matches!(map, Value::Map(map) if map.get(&Value::Text(name.into())) == Some(&Value::Bool(false)))
}

/// The ids in a list of credentials.
fn listed(list: Option<&Value>) -> Vec<Vec<u8>> {
    match list {
        Some(Value::Array(list)) => list.iter().map(|item| bytes(member(item, "id"))).collect(),
        _ => vec![],
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    let Value::Bytes(bytes) = value else { panic!("no bytes: {value:?}") };
    bytes.clone()
}

fn text(value: &Value) -> String {
    let Value::Text(text) = value else { panic!("no text: {value:?}") };
    text.clone()
}
