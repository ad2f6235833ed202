//! What the product's own table of routes can be tried with.

use landfall_protocol::paths;
use landfall_server::http::RouteInfo;
use serde_json::{Value, json};

/// A body that the route can read, so that what refuses is the rule and not the form.
pub fn readable_body(route: &RouteInfo) -> Option<Value> {
    let typed = json!({ "by": "typed" });
    match (route.method, route.path) {
        ("GET" | "DELETE", _) => None,
        (_, paths::TOKEN_ISSUE) => Some(json!({
            "kind": "device", "user": "ana", "device": "planted",
            "auth_hash": data_encoding::BASE64URL_NOPAD.encode(&[9; 32]),
        })),
        (_, paths::REGISTER_BEGIN) => {
            Some(json!({ "attachment": "roaming", "label": "planted", "return_path": typed }))
        }
        (_, paths::STEP_UP_BEGIN) => Some(json!({ "return_path": typed })),
        (_, paths::REGISTER_REDEEM | paths::STEP_UP_REDEEM) => {
            Some(json!({ "ceremony_id": "0".repeat(26), "completion": "AAAA-AAAA" }))
        }
        (_, paths::ADDRESSES) => Some(json!({ "address": "planted@example.org" })),
        (_, paths::ADDRESS_CONFIRM) => Some(json!({ "code": "AAAA-AAAA" })),
        (_, paths::SECRETS) => Some(json!({ "name": "planted", "value_base64": "eA==" })),
        (_, paths::RECOVERY_PLAN) => Some(json!({ "preset": "strict" })),
        (_, paths::DRILL_CODE) => Some(json!({ "code": "0".repeat(16), "auth": "planted" })),
        (_, paths::RECOVERY_CODES) => Some(json!({ "codes": [] })),
        (_, paths::LINK_FIND) => Some(json!({ "code": "AAAA-AAAA" })),
        (_, paths::LINK_CLAIM) => Some(json!({ "commitment": "A".repeat(43) })),
        (_, paths::LINK_REVEAL) => Some(json!({ "nonce": "A".repeat(43) })),
        (_, paths::PAIRING_FIND) => Some(json!({ "code": "AAAA-AAAA" })),
        (_, paths::PAIRING_CLAIM) => Some(json!({ "commitment": "A".repeat(43) })),
        (_, paths::PAIRING_REVEAL) => Some(json!({ "nonce": "A".repeat(43) })),
        (_, paths::AGENT_CODES) => Some(json!({
            "auth_hash": data_encoding::BASE64URL_NOPAD.encode(&[8; 32]),
        })),
        (_, paths::GUARDIANS) => Some(json!({ "guardian": "ana" })),
        (_, paths::PROVISION) => Some(json!({ "device": "planted", "role": "server" })),
        (_, paths::PROVISION_APPROVE) => {
            Some(json!({ "device": "planted", "role": "releaser", "asker": "ana" }))
        }
        (_, paths::CLAIM_CREDENTIAL) => Some(json!({ "csr": "planted" })),
        (_, paths::ADMIN_RECOVERY_APPROVE) => Some(json!({ "reason": "planted" })),
        (_, paths::ADMIN_USER_ROLE) => Some(json!({ "role": "member" })),
        (_, paths::ADMIN_WORKLOAD_ISSUERS) => Some(json!({
            "name": "planted", "platform": "kubernetes", "issuer": "https://planted.example.org",
            "audience": "planted",
        })),
        (_, paths::ADMIN_POLICIES) => Some(json!({ "text": "", "generation": 0 })),
        (_, paths::ADMIN_POLICY_TRY) => Some(json!({ "text": "" })),
        ("PATCH", _) => Some(json!({ "label": "planted" })),
        (_, paths::SESSION) => Some(json!({})),
        _ => None,
    }
}
