//! The golden vectors of `tests/vectors`. They were computed by another implementation (Python's
//! `cryptography`), from the specifications; other clients can check themselves against them too.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use data_encoding::HEXLOWER;
use landfall_crypto::checkpoint::SignedCheckpoint;
use landfall_crypto::door::{AuthHalf, AuthHash};
use landfall_crypto::envelope::{MasterKey, master_key_id};
use landfall_crypto::httpsig::{self, Request, SignatureFields};
use landfall_crypto::link::{LinkNonce, LinkTranscript, parse_word};
use landfall_crypto::merkle::{
    Hash, consistency_proof, inclusion_proof, leaf_hash, root_of, verify_consistency,
    verify_inclusion,
};
use landfall_crypto::recovery_code::RecoveryCode;
use landfall_crypto::secret::sha256;
use landfall_crypto::token::{TokenPayload, TokenText};
use landfall_crypto::{PublicKey, Secret32, Thumbprint};
use landfall_identity::bound::BoundAction;
use landfall_identity::id::{ApprovalId, PairingId, PasskeyId, RecoveryId};
use landfall_identity::passkey::Attachment;
use landfall_identity::token::TokenKind;
use landfall_identity::{
    DeviceName, Label, MachineRole, Reason, Role, Seconds, TenantName, Timestamp, UserName,
};
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} in {value}"))
}

fn bytes(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).unwrap()
}

fn hashes(list: &Value) -> Vec<Hash> {
    let hash = |hex: &Value| bytes(hex.as_str().unwrap()).try_into().unwrap();
    list.as_array().unwrap().iter().map(hash).collect()
}

fn number(value: &Value, field: &str) -> usize {
    value[field].as_u64().unwrap().try_into().unwrap()
}

fn key() -> PublicKey {
    PublicKey::from_spki(&bytes(text(&vectors("thumbprint"), "spki_hex"))).unwrap()
}

#[test]
fn thumbprint() {
    let vector = vectors("thumbprint");
    assert_eq!(key().thumbprint().as_str(), text(&vector, "thumbprint"));
    let jwk = serde_json::to_value(key().jwk()).unwrap();
    assert_eq!((&jwk["x"], &jwk["y"]), (&vector["x"], &vector["y"]));
}

#[test]
fn recovery_codes() {
    let vector = vectors("recovery_code");
    let key = Secret32::from_slice(&bytes(text(&vector, "key_hex"))).unwrap();
    for case in vector["cases"].as_array().unwrap() {
        let code = RecoveryCode::parse(text(case, "text")).unwrap();
        assert_eq!(code.to_text().as_str(), text(case, "text"));
        assert_eq!(code.name().unwrap().as_str(), text(case, "name"));
        assert_eq!(code.auth().to_text().as_str(), text(case, "auth"));
        assert_eq!(HEXLOWER.encode(code.vault().expose()), text(case, "vault_hex"));
        assert_eq!(code.auth().hash().keyed(&key).to_string(), text(case, "keyed_hash"));
    }
}

/// The door's halves are derived inside, so the vectors go through the token that carries them.
#[test]
fn door_secrets_and_token_texts() {
    let doors = vectors("door");
    let door = &doors["cases"][0];
    for case in vectors("token")["cases"].as_array().unwrap() {
        let token = TokenText::parse(text(case, "text")).unwrap();
        let payload: TokenPayload = serde_json::from_value(case["payload"].clone()).unwrap();
        assert_eq!(token.payload, payload);
        assert_eq!(token.print().unwrap().as_str(), text(case, "text"));
        assert_eq!(text(case, "secret_hex"), text(door, "secret_hex"));
        assert_eq!(token.secret.auth().to_text().as_str(), text(door, "auth"));
        let vault = HEXLOWER.encode(token.secret.vault().expose());
        assert_eq!(vault, text(door, "vault_hex"));
    }
    for case in doors["cases"].as_array().unwrap() {
        let stored = AuthHash::parse(text(case, "auth_hash")).unwrap();
        assert!(AuthHalf::parse(text(case, "auth")).unwrap().matches(&stored));
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table: a row for each act")]
fn canonical_acts() {
    let vector = vectors("actions");
    let (bert, laptop) =
        (UserName::parse("bert").unwrap(), DeviceName::parse("bert-laptop").unwrap());
    let passkey = PasskeyId::from_bits([0xFF; 16]);
    for (name, act) in [
        (
            "issue_token",
            BoundAction::IssueToken {
                kind: TokenKind::Device,
                user: bert.clone(),
                device: Some(laptop.clone()),
                role: Role::Member,
                ttl: Seconds::minutes(10),
                auth_hash: text(&vector, "auth_hash").to_owned(),
            },
        ),
        (
            "add_passkey",
            BoundAction::AddPasskey {
                attachment: Attachment::Roaming,
                label: Label::parse("ノート key").unwrap(),
            },
        ),
        ("bind_passkey", BoundAction::BindPasskey { passkey: passkey.clone() }),
        ("remove_passkey", BoundAction::RemovePasskey { passkey }),
        ("revoke_device", BoundAction::RevokeDevice { user: bert.clone(), device: laptop.clone() }),
        (
            "make_recovery_codes",
            BoundAction::MakeRecoveryCodes { codes_hash: text(&vector, "auth_hash").to_owned() },
        ),
        (
            "approve_recovery",
            BoundAction::ApproveRecovery {
                recovery: RecoveryId::from_bits([0xFF; 16]),
                user: bert.clone(),
                thumbprint: text(&vector, "auth_hash").to_owned(),
                reason: Reason::parse("Bert lost his laptop").unwrap(),
            },
        ),
        (
            "approve_link",
            BoundAction::ApproveLink {
                link: RecoveryId::from_bits([0xFF; 16]),
                user: bert.clone(),
                device: laptop,
                thumbprint: text(&vector, "auth_hash").to_owned(),
            },
        ),
        ("set_waiting", BoundAction::SetWaiting { allowed: true }),
        ("name_guardian", BoundAction::NameGuardian { guardian: bert.clone() }),
        ("remove_guardian", BoundAction::RemoveGuardian { guardian: bert.clone() }),
        (
            "vouch_for_recovery",
            BoundAction::VouchForRecovery {
                recovery: RecoveryId::from_bits([0xFF; 16]),
                user: bert.clone(),
                thumbprint: text(&vector, "auth_hash").to_owned(),
            },
        ),
        (
            "set_recovery_plan",
            BoundAction::SetRecoveryPlan { ways: "1 device; or 2 admin, after 1 h".to_owned() },
        ),
        ("drill_passkey", BoundAction::DrillPasskey),
        (
            "set_role",
            BoundAction::SetRole { user: UserName::parse("bert").unwrap(), role: Role::Operator },
        ),
        ("freeze_user", BoundAction::FreezeUser { user: UserName::parse("bert").unwrap() }),
        ("unfreeze_user", BoundAction::UnfreezeUser { user: UserName::parse("bert").unwrap() }),
        (
            "provision_credential",
            BoundAction::ProvisionCredential {
                device: DeviceName::parse("build-7").unwrap(),
                role: Some(MachineRole::parse("releaser").unwrap()),
                ttl: Seconds::days(7),
                words: 6,
            },
        ),
        (
            "approve_provision",
            BoundAction::ApproveProvision {
                device: DeviceName::parse("build-7").unwrap(),
                role: MachineRole::parse("releaser").unwrap(),
                asker: UserName::parse("bert").unwrap(),
            },
        ),
        (
            "revoke_machine",
            BoundAction::RevokeMachine { device: DeviceName::parse("build-7").unwrap() },
        ),
        (
            "issue_agent_code",
            BoundAction::IssueAgentCode {
                agent: "research".to_owned(),
                ttl: Seconds::minutes(10),
                auth_hash: text(&vector, "auth_hash").to_owned(),
            },
        ),
        (
            "grant_scope",
            BoundAction::GrantScope {
                approval: ApprovalId::from_bits([0xFF; 16]),
                agent: "aauth:research@agents.example.org".to_owned(),
                scope: "read write".to_owned(),
                audience: "https://calendar.example.org".to_owned(),
            },
        ),
        (
            "pair_agent",
            BoundAction::PairAgent {
                pairing: PairingId::from_bits([0xFF; 16]),
                user: bert,
                agent: "research".to_owned(),
                thumbprint: text(&vector, "auth_hash").to_owned(),
            },
        ),
        (
            "set_policy",
            BoundAction::SetPolicy { policy_hash: text(&vector, "auth_hash").to_owned() },
        ),
    ] {
        let case = &vector["cases"][name];
        assert_eq!(String::from_utf8(act.canonical()).unwrap(), text(case, "canonical"));
        let hash = data_encoding::BASE64URL_NOPAD.encode(&sha256(&act.canonical()));
        assert_eq!(hash, text(case, "sha256"));
    }
}

#[test]
fn two_devices_that_meet() {
    for case in vectors("link")["cases"].as_array().unwrap() {
        let word = |field: &str| parse_word(text(case, field)).unwrap();
        let thumbprint = |field: &str| Thumbprint::parse(text(case, field)).unwrap();
        let device = |field: &str| DeviceName::parse(text(case, field)).unwrap();
        let link: RecoveryId = text(case, "link").parse().unwrap();
        let reveal = LinkNonce::parse(text(case, "reveal")).unwrap();
        assert_eq!(reveal.commitment(&link), word("commitment"));
        let transcript = LinkTranscript {
            server: text(case, "server").to_owned(),
            tenant: TenantName::parse(text(case, "tenant")).unwrap(),
            user: UserName::parse(text(case, "user")).unwrap(),
            link,
            device: device("device"),
            key: thumbprint("key"),
            approver: device("approver"),
            approver_key: thumbprint("approver_key"),
            commitment: word("commitment"),
            answer: word("answer"),
            reveal: word("reveal"),
        };
        assert!(transcript.opens());
        assert_eq!(String::from_utf8(transcript.canonical()).unwrap(), text(case, "canonical"));
        assert_eq!(transcript.check_code(), text(case, "check_code"));
    }
}

#[test]
fn a_signed_renewal() {
    let vector = vectors("httpsig");
    let request = Request {
        method: text(&vector, "method"),
        authority: text(&vector, "authority"),
        path: text(&vector, "path"),
        body: text(&vector, "body").as_bytes(),
    };
    let fields = SignatureFields {
        content_digest: text(&vector, "content_digest").to_owned(),
        signature_input: text(&vector, "signature_input").to_owned(),
        signature: text(&vector, "signature").to_owned(),
    };
    let now = Timestamp::from_seconds(vector["created"].as_i64().unwrap());
    let signed = httpsig::read_renewal(&request, &fields).unwrap();
    assert_eq!(signed.base(), text(&vector, "base"));
    assert_eq!(signed.verify(&key(), now).unwrap().created, now);
}

#[test]
fn merkle_trees() {
    let vector = vectors("merkle");
    let leaf = |entry: &Value| leaf_hash(&bytes(entry.as_str().unwrap()));
    let leaves: Vec<Hash> = vector["entries_hex"].as_array().unwrap().iter().map(leaf).collect();
    let roots = hashes(&vector["roots_hex"]);
    for (size, root) in roots.iter().enumerate() {
        assert_eq!(root_of(&leaves[..size]), *root, "{size}");
    }
    for case in vector["inclusion"].as_array().unwrap() {
        let (index, size) = (number(case, "index"), number(case, "size"));
        let proof = hashes(&case["proof_hex"]);
        assert_eq!(inclusion_proof(&leaves[..size], index), Some(proof.clone()));
        let (at, of) = (index as u64, size as u64);
        assert!(verify_inclusion(&leaves[index], at, of, &proof, &roots[size]));
    }
    for case in vector["consistency"].as_array().unwrap() {
        let (old, size) = (number(case, "old"), number(case, "size"));
        let proof = hashes(&case["proof_hex"]);
        assert_eq!(consistency_proof(&leaves[..size], old), Some(proof.clone()));
        assert!(verify_consistency(old as u64, size as u64, &proof, &roots[old], &roots[size]));
    }
}

#[test]
fn a_signed_checkpoint() {
    let vector = vectors("checkpoint");
    let signed = SignedCheckpoint::parse_line(text(&vector, "line")).unwrap();
    assert_eq!(signed.checkpoint.canonical(), bytes(text(&vector, "canonical_hex")));
    assert_eq!(signed.verify(&key()), Ok(()));
    assert_eq!(signed.to_line().unwrap(), text(&vector, "line"));
}

#[test]
fn an_envelope() {
    let vector = vectors("envelope");
    let key = Secret32::from_slice(&bytes(text(&vector, "master_key_hex"))).unwrap();
    let key = MasterKey::new(key);
    let envelope = bytes(text(&vector, "envelope_hex"));
    assert_eq!(key.id().to_string(), text(&vector, "master_key_id"));
    assert_eq!(master_key_id(&envelope), Ok(key.id()));
    let value = key.open(text(&vector, "context").as_bytes(), &envelope).unwrap();
    assert!(value.ct_eq(text(&vector, "value").as_bytes()));
}
