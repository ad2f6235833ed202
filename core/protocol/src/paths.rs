//! Where things are. `{x}` is one percent-encoded segment.

/// Liveness: the process answers.
pub const HEALTHZ: &str = "/healthz";
/// Readiness: the database answers and the clock is believed.
pub const READYZ: &str = "/readyz";
/// This interface, as OpenAPI.
pub const OPENAPI: &str = "/openapi.json";
/// What this server is.
pub const WELL_KNOWN: &str = "/.well-known/landfall";
/// The trust bundle (SPIFFE Trust Domain and Bundle, section 4).
pub const SPIFFE_BUNDLE: &str = "/.well-known/spiffe-bundle";
/// The keys that sign tokens.
pub const JWKS: &str = "/.well-known/jwks.json";
/// The keys that sign calls of webhooks.
pub const WEBHOOK_KEYS: &str = "/.well-known/landfall-webhook-keys.json";
/// The root certificate.
pub const CA_PEM: &str = "/ca.pem";
/// The revocation list of the people-and-devices issuer.
pub const CRL: &str = "/crl";

/// Mint a token.
pub const TOKEN_ISSUE: &str = "/auth/bootstrap/issue";
/// List tokens.
pub const TOKENS: &str = "/auth/bootstrap";
/// One token.
pub const TOKEN: &str = "/auth/bootstrap/{id}";
/// The first certificate.
pub const CERT_ISSUE: &str = "/auth/cert/issue";
/// The next certificate.
pub const CERT_RENEW: &str = "/auth/cert/renew";
/// Open and close a session.
pub const SESSION: &str = "/auth/session";

/// The page on which a person touches a passkey.
pub const CEREMONY_PAGE: &str = "/ceremony";
/// Script, style and fonts of that page.
pub const CEREMONY_FILE: &str = "/ceremony/{file}";
/// App half: begin to register.
pub const REGISTER_BEGIN: &str = "/auth/webauthn/register/begin";
/// Browser half: read the options.
pub const REGISTER_OPTIONS: &str = "/auth/webauthn/register/options";
/// Browser half: hand in the answer.
pub const REGISTER_FINISH: &str = "/auth/webauthn/register/finish";
/// App half: redeem.
pub const REGISTER_REDEEM: &str = "/auth/webauthn/register/redeem";
/// App half: begin a step-up.
pub const STEP_UP_BEGIN: &str = "/auth/webauthn/step-up/begin";
/// Browser half: read the options.
pub const STEP_UP_OPTIONS: &str = "/auth/webauthn/step-up/options";
/// Browser half: hand in the answer.
pub const STEP_UP_FINISH: &str = "/auth/webauthn/step-up/finish";
/// App half: redeem.
pub const STEP_UP_REDEEM: &str = "/auth/webauthn/step-up/redeem";
/// App half on a bare machine: begin to prove a recovery.
pub const RECOVER_BEGIN: &str = "/auth/webauthn/recover/begin";
/// Browser half: read the options.
pub const RECOVER_OPTIONS: &str = "/auth/webauthn/recover/options";
/// Browser half: hand in the answer.
pub const RECOVER_FINISH: &str = "/auth/webauthn/recover/finish";
/// App half on a bare machine: redeem.
pub const RECOVER_REDEEM: &str = "/auth/webauthn/recover/redeem";
/// Registered passkeys.
pub const PASSKEYS: &str = "/auth/webauthn/credentials";
/// One passkey.
pub const PASSKEY: &str = "/auth/webauthn/credentials/{id}";
/// Bind it to this device.
pub const PASSKEY_BIND: &str = "/auth/webauthn/credentials/{id}/bind";

/// One's recovery codes.
pub const RECOVERY_CODES: &str = "/auth/recovery/codes";
/// A machine without an identity asks to be somebody's new device.
pub const RECOVERY_BEGIN: &str = "/auth/recovery/begin";
/// It asks how it stands.
pub const RECOVERY_SHOW: &str = "/auth/recovery/show";
/// It shows a recovery code.
pub const RECOVERY_PROVE: &str = "/auth/recovery/prove";
/// It asks for the waiting period.
pub const RECOVERY_WAIT: &str = "/auth/recovery/wait";
/// It asks for a code to be mailed to the account's confirmed addresses.
pub const RECOVERY_MAIL: &str = "/auth/recovery/mail";
/// It shows the code that was mailed.
pub const RECOVERY_MAIL_PROVE: &str = "/auth/recovery/mail/prove";
/// It becomes a device.
pub const RECOVERY_COMPLETE: &str = "/auth/recovery/complete";
/// Recoveries of one's own account that are under way.
pub const RECOVERIES: &str = "/auth/recovery";
/// End one of them.
pub const RECOVERY_OBJECT: &str = "/auth/recovery/{id}/object";

/// A machine without an identity asks to be another device.
pub const LINK_BEGIN: &str = "/auth/links/begin";
/// It asks how it stands.
pub const LINK_SHOW: &str = "/auth/links/show";
/// It answers the approver's commitment.
pub const LINK_ANSWER: &str = "/auth/links/answer";
/// The approver looks for the device that shows a code.
pub const LINK_FIND: &str = "/auth/links/find";
/// One link, for its approver.
pub const LINK: &str = "/auth/links/{id}";
/// Take it on.
pub const LINK_CLAIM: &str = "/auth/links/{id}/claim";
/// Reveal what was committed to.
pub const LINK_REVEAL: &str = "/auth/links/{id}/reveal";
/// The check codes are equal.
pub const LINK_APPROVE: &str = "/auth/links/{id}/approve";
/// That device is not in front of me.
pub const LINK_STOP: &str = "/auth/links/{id}/stop";

/// Whether a waiting period may stand in for a proof of one's own.
pub const WAITING: &str = "/auth/recovery/waiting";
/// One's guardians.
pub const GUARDIANS: &str = "/auth/recovery/guardians";
/// One of them.
pub const GUARDIAN: &str = "/auth/recovery/guardians/{guardian}";
/// Whose guardian one is, or is asked to be.
pub const WARDS: &str = "/auth/recovery/wards";
/// One of them.
pub const WARD: &str = "/auth/recovery/wards/{user}";
/// Accept to be their guardian.
pub const WARD_ACCEPT: &str = "/auth/recovery/wards/{user}/accept";
/// Those of them who are on their way back in.
pub const WARD_RECOVERIES: &str = "/auth/recovery/ward-recoveries";
/// Vouch for one of them.
pub const WARD_VOUCH: &str = "/auth/recovery/ward-recoveries/{id}/vouch";

/// Who am I.
pub const ME: &str = "/me";
/// Freeze the account.
pub const FREEZE: &str = "/me/freeze";
/// End the freeze.
pub const UNFREEZE: &str = "/me/unfreeze";
/// The page to which mailed notices lead; a POST from it freezes the account.
pub const FREEZE_PAGE: &str = "/notices/freeze";
/// What happened to the account.
pub const NOTICES: &str = "/me/notices";
/// Where notices are mailed to.
pub const ADDRESSES: &str = "/me/addresses";
/// One address.
pub const ADDRESS: &str = "/me/addresses/{id}";
/// Prove that it is one's own.
pub const ADDRESS_CONFIRM: &str = "/me/addresses/{id}/confirm";
/// How ready one is to lose something.
pub const READINESS: &str = "/me/readiness";
/// What lets one back in.
pub const RECOVERY_PLAN: &str = "/me/recovery-plan";
/// Try a recovery code, without burning it.
pub const DRILL_CODE: &str = "/me/drills/code";
/// Try a passkey, without effect.
pub const DRILL_PASSKEY: &str = "/me/drills/passkey";
/// One's devices.
pub const DEVICES: &str = "/devices";
/// One device.
pub const DEVICE: &str = "/devices/{device}";
/// Suspend it.
pub const DEVICE_SUSPEND: &str = "/devices/{device}/suspend";
/// Resume it.
pub const DEVICE_RESUME: &str = "/devices/{device}/resume";
/// What it did since a time.
pub const DEVICE_REVIEW: &str = "/devices/{device}/review";
/// Which secrets it could read.
pub const DEVICE_EXPOSURE: &str = "/devices/{device}/exposure";
/// Revoke it.
pub const DEVICE_REVOKE: &str = "/devices/{device}/revoke";
/// One's secrets.
pub const SECRETS: &str = "/secrets";
/// One secret: its newest value, or all of it.
pub const SECRET: &str = "/secrets/{name}";
/// Its versions.
pub const SECRET_VERSIONS: &str = "/secrets/{name}/versions";
/// One version.
pub const SECRET_VERSION: &str = "/secrets/{name}/versions/{version}";
/// One's audit.
pub const AUDIT: &str = "/audit";

/// The tenant's people.
pub const ADMIN_USERS: &str = "/admin/users";
/// End somebody's freeze.
pub const ADMIN_FREEZE: &str = "/admin/users/{user}/freeze";
/// See there.
pub const ADMIN_UNFREEZE: &str = "/admin/users/{user}/unfreeze";
/// The tenant's devices.
pub const ADMIN_DEVICES: &str = "/admin/devices";
/// Suspend somebody's device.
pub const ADMIN_DEVICE_SUSPEND: &str = "/admin/users/{user}/devices/{device}/suspend";
/// Resume it.
pub const ADMIN_DEVICE_RESUME: &str = "/admin/users/{user}/devices/{device}/resume";
/// Revoke it.
pub const ADMIN_DEVICE_REVOKE: &str = "/admin/users/{user}/devices/{device}/revoke";
/// Who in the tenant is on their way back in.
pub const ADMIN_RECOVERIES: &str = "/admin/recoveries";
/// Vouch for one of them.
pub const ADMIN_RECOVERY_APPROVE: &str = "/admin/recoveries/{id}/approve";
/// End one.
pub const ADMIN_RECOVERY_REFUSE: &str = "/admin/recoveries/{id}/refuse";
/// How ready the tenant's people are.
pub const ADMIN_READINESS: &str = "/admin/readiness";
/// How ready the tenant's administrators are.
pub const ADMIN_READINESS_ADMINS: &str = "/admin/readiness/admins";
/// The tenant's audit.
pub const ADMIN_AUDIT: &str = "/admin/audit";

/// What the log says of itself.
pub const AUDIT_CHECKPOINT: &str = "/audit/checkpoint";
/// That it only grew.
pub const AUDIT_CONSISTENCY: &str = "/audit/proofs/consistency";
/// That a row is in it.
pub const AUDIT_PROOF: &str = "/audit/proofs/{seq}";

/// What somebody may do in the tenant.
pub const ADMIN_USER_ROLE: &str = "/admin/users/{user}/role";
/// The tenant's rules.
pub const ADMIN_POLICIES: &str = "/admin/policies";
/// What other rules would change.
pub const ADMIN_POLICY_TRY: &str = "/admin/policies/try";

/// A key for a machine that stands for itself: made by the server, handed out once.
pub const PROVISION: &str = "/api/devices/provision_credential";
/// The second person's yes to one.
pub const PROVISION_APPROVE: &str = "/api/devices/provision_credential/approve";
/// A machine puts a key of its own in the place of the one that was handed out.
pub const CLAIM_CREDENTIAL: &str = "/api/devices/claim_credential";
/// The tenant's machines and their keys.
pub const PROVISIONED: &str = "/admin/provisioned";
/// Cut one key of a machine off for now.
pub const KEY_DISABLE: &str = "/admin/provisioned/keys/{key}/disable";
/// Let it work again.
pub const KEY_ENABLE: &str = "/admin/provisioned/keys/{key}/enable";
/// Suspend a machine.
pub const MACHINE_SUSPEND: &str = "/admin/provisioned/devices/{device}/suspend";
/// Resume it.
pub const MACHINE_RESUME: &str = "/admin/provisioned/devices/{device}/resume";
/// Revoke it.
pub const MACHINE_REVOKE: &str = "/admin/provisioned/devices/{device}/revoke";

/// An SVID for a pod or a CI job, by its platform's token.
pub const WORKLOAD_EXCHANGE: &str = "/workload/exchange";
/// The platforms whose word is taken.
pub const ADMIN_WORKLOAD_ISSUERS: &str = "/admin/workload-issuers";
/// One of them.
pub const ADMIN_WORKLOAD_ISSUER: &str = "/admin/workload-issuers/{issuer}";

/// What this agent provider is (AAuth).
pub const AGENT_METADATA: &str = "/.well-known/aauth-agent.json";
/// The keys that sign agents' tokens.
pub const AGENT_PROVIDER_KEYS: &str = "/.well-known/aauth-agent-keys.json";
/// An agent's own key.
pub const AGENT_KEYS: &str = "/agents/{agent}/jwks.json";
/// An agent enrols.
pub const AGENT_ENROL: &str = "/enrol";
/// An agent's next token.
pub const AGENT_REFRESH: &str = "/refresh";
/// An agent enrols, in the second dialect.
pub const AGENT_ENROLL: &str = "/enroll";
/// An agent's next token, in the second dialect.
pub const AGENT_TOKEN: &str = "/agent-token";
/// A token for a part of an agent.
pub const SUB_AGENT_TOKEN: &str = "/subagent-token";
/// One's agents.
pub const AGENTS: &str = "/auth/agents";
/// Cut one of them off.
pub const AGENT_REVOKE: &str = "/auth/agents/{agent}/revoke";
/// Codes that let an agent in.
pub const AGENT_CODES: &str = "/auth/agents/codes";
/// One of them.
pub const AGENT_CODE: &str = "/auth/agents/codes/{id}";
/// An agent asks to be somebody's.
pub const PAIRING_BEGIN: &str = "/auth/agents/pairings/begin";
/// It asks how it stands.
pub const PAIRING_SHOW: &str = "/auth/agents/pairings/show";
/// It answers the approver's commitment.
pub const PAIRING_ANSWER: &str = "/auth/agents/pairings/answer";
/// The owner looks for the agent that shows a code.
pub const PAIRING_FIND: &str = "/auth/agents/pairings/find";
/// One pairing, for its approver.
pub const PAIRING: &str = "/auth/agents/pairings/{id}";
/// Take it on.
pub const PAIRING_CLAIM: &str = "/auth/agents/pairings/{id}/claim";
/// Reveal what was committed to.
pub const PAIRING_REVEAL: &str = "/auth/agents/pairings/{id}/reveal";
/// The check codes are equal.
pub const PAIRING_APPROVE: &str = "/auth/agents/pairings/{id}/approve";
/// That agent is not mine.
pub const PAIRING_STOP: &str = "/auth/agents/pairings/{id}/stop";
/// What an agent may do elsewhere.
pub const CAPABILITIES: &str = "/auth/capabilities";
/// Hand it on, smaller.
pub const CAPABILITY_EXCHANGE: &str = "/auth/capabilities/exchange";
/// What agents want beyond their policy: raise and list.
pub const APPROVALS: &str = "/auth/approvals";
/// How one stands, for its agent.
pub const APPROVAL_SHOW: &str = "/auth/approvals/show";
/// Yes.
pub const APPROVAL_GRANT: &str = "/auth/approvals/{id}/grant";
/// No.
pub const APPROVAL_REFUSE: &str = "/auth/approvals/{id}/refuse";
/// The tenant's agents.
pub const ADMIN_AGENTS: &str = "/admin/agents";
/// Cut one of them off.
pub const ADMIN_AGENT_REVOKE: &str = "/admin/agents/{agent}/revoke";

/// Fills the `{x}` places of a path, in order, percent-encoding each value as one segment
/// (RFC 3986, section 2.3: only unreserved characters stay).
pub fn fill(path: &str, values: &[&str]) -> String {
    let mut values = values.iter();
    let filled: Vec<String> = path
        .split('/')
        .map(|segment| match segment.starts_with('{') {
            true => values.next().map(|value| encode_segment(value)).unwrap_or_default(),
            false => segment.to_owned(),
        })
        .collect();
    filled.join("/")
}

fn encode_segment(value: &str) -> String {
    value.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_in_a_name_stays_in_its_segment() {
        assert_eq!(fill(SECRET_VERSION, &["db/main", "3"]), "/secrets/db%2Fmain/versions/3");
        assert_eq!(fill(ADMIN_DEVICE_REVOKE, &["bert", "x"]), "/admin/users/bert/devices/x/revoke");
    }
}
