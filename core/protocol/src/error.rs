//! Errors on the wire: stable codes in RFC 9457 problems.

use crate::time::At;
use landfall_identity::Refusal;
use serde::{Deserialize, Serialize};
use std::fmt;
use ts_rs::TS;
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $code:literal, $title:literal;)*) => {
        /// Every way a request can end badly. A code never changes its meaning and never goes away;
        /// the list is frozen in `tests/vectors/error_codes.json`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS, ToSchema)]
        #[ts(export)]
        pub enum ErrorCode { $($(#[$doc])* #[serde(rename = $code)] $name,)* }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The wire text.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status it travels with; 0 for those that only a client raises.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// What happened, in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    // The request itself
    /// Not JSON, or not the JSON that this route takes.
    MalformedRequest = 400, "malformed-request", "The request could not be read";
    /// A field that this route does not know.
    UnknownField = 400, "unknown-field", "The request has a field that is not known";
    /// A field whose value breaks a rule; `field` names it.
    InvalidField = 400, "invalid-field", "A value is not allowed";
    /// A body over the route's bound.
    BodyTooLarge = 413, "body-too-large", "The request is too large";
    /// A head over the server's bound.
    HeadersTooLarge = 431, "headers-too-large", "The request's headers are too large";
    /// A body that is not JSON by its content type.
    UnsupportedMediaType = 415, "unsupported-media-type", "Only JSON is taken here";
    /// No such route or thing.
    NotFound = 404, "not-found", "Not found";
    /// A route that exists, with another method.
    MethodNotAllowed = 405, "method-not-allowed", "This address takes another method";
    /// A browser request from another origin.
    OriginRefused = 403, "origin-refused", "The request came from another page";

    // Who is asking
    /// No client key on the connection.
    CertificateRequired = 401, "certificate-required", "This machine has not shown its key";
    /// The key is not enrolled here.
    NotEnrolled = 401, "not-enrolled", "This machine is not enrolled";
    /// The certificate is over; renewing heals it.
    CertificateExpired = 401, "certificate-expired", "This machine's certificate has expired";
    /// The device is gone for good.
    DeviceRevoked = 401, "device-revoked", "This device was revoked";
    /// The device is cut off for now.
    DeviceSuspended = 401, "device-suspended", "This device is suspended";
    /// Everything of this user stands still.
    AccountFrozen = 403, "account-frozen", "This account is frozen";
    /// It is frozen by an administrator, whatever its owner holds.
    FrozenByAdmin = 403, "frozen-by-admin", "An administrator has stopped this account";
    /// A session is needed.
    SessionRequired = 401, "session-required", "Sign in first";
    /// The session is over.
    SessionOver = 401, "session-over", "The session is over";
    /// The session belongs to another key.
    SessionOfAnotherKey = 401, "session-of-another-key", "The session belongs to another machine";

    // What may be done
    /// Never.
    Forbidden = 403, "forbidden", "You may not do this";
    /// After a step-up.
    StepUpRequired = 403, "step-up-required", "Confirm with your passkey first";
    /// The approval names another act.
    StepUpForAnotherAct = 403, "step-up-for-another-act", "You approved something else";
    /// The approval was used.
    StepUpSpent = 403, "step-up-spent", "This approval was used already";
    /// Too young to evict what is older.
    Probation = 403, "probation", "This passkey is too new for that";
    /// The proof lives on the device it acts against.
    FactorOnTarget = 403, "factor-on-target", "The proof lives on the device it acts against";

    // Tokens
    /// Unknown or wrong: one answer.
    TokenInvalid = 401, "token-invalid", "This code is not valid";
    /// Over.
    TokenExpired = 401, "token-expired", "This code has expired";
    /// Used by another machine.
    TokenUsed = 401, "token-used", "This code was used already";
    /// Withdrawn.
    TokenCancelled = 401, "token-cancelled", "This code was cancelled";
    /// It names another user or device.
    TokenNamesAnother = 403, "token-names-another", "This code is for another user or device";
    /// A name is needed.
    NameMissing = 400, "name-missing", "A name is missing";
    /// The lifetime is not allowed.
    TtlNotAllowed = 400, "ttl-not-allowed", "This lifetime is not allowed";
    /// The user exists.
    UserExists = 409, "user-exists", "This user exists already";
    /// The device name was given before.
    DeviceNameTaken = 409, "device-name-taken", "This device name was used before";
    /// The server has its administrator.
    AlreadyClaimed = 409, "already-claimed", "This server has an administrator already";

    // Keys and signatures
    /// Not a CSR.
    CsrMalformed = 400, "csr-malformed", "The certificate request could not be read";
    /// Bad signature on it.
    CsrSignature = 400, "csr-signature", "The certificate request is not signed by its key";
    /// Another kind of key.
    KeyUnsupported = 400, "key-unsupported", "Only P-256 keys are taken";
    /// The key belongs to something else.
    KeyInUse = 409, "key-in-use", "This key is in use already";
    /// A request signature is wrong.
    SignatureInvalid = 401, "signature-invalid", "The signature does not verify";
    /// The clocks disagree.
    ClockSkew = 401, "clock-skew", "This machine's clock is too far off";
    /// Silent for too long.
    RenewalTooLate = 403, "renewal-too-late", "This device was silent for too long";

    // Ceremonies and passkeys
    /// Unknown or over.
    CeremonyOver = 404, "ceremony-over", "This confirmation is over";
    /// Not touched yet.
    CeremonyPending = 409, "ceremony-pending", "The passkey has not been used yet";
    /// The completion is wrong.
    CompletionWrong = 403, "completion-wrong", "That is not the code the page shows";
    /// The authenticator's answer was refused.
    PasskeyRefused = 403, "passkey-refused", "The passkey was not accepted";
    /// A copy may exist.
    PasskeySuspicious = 403, "passkey-suspicious", "This passkey may have been copied";
    /// None can be used.
    NoPasskey = 409, "no-passkey", "No passkey can be used";
    /// Another kind answered.
    WrongAttachment = 403, "wrong-attachment", "Another kind of passkey was asked for";
    /// Its model is not on this server's list.
    PasskeyModelRefused = 403, "passkey-model-refused", "This server does not take this model of key";
    /// Registered already.
    PasskeyRegistered = 409, "passkey-registered", "This passkey is registered already";
    /// The last one.
    LastPasskey = 409, "last-passkey", "This is your last passkey";
    /// The address does not allow them.
    PasskeysUnavailable = 409, "passkeys-unavailable", "Passkeys cannot be used on this server's address";

    // Recovery
    /// Unknown user, no codes, another code: one answer.
    RecoveryCodeWrong = 401, "recovery-code-wrong", "This recovery code did not open anything";
    /// Burnt.
    RecoveryCodeUsed = 401, "recovery-code-used", "This recovery code was used before";
    /// A newer sheet took its place.
    RecoveryCodeReplaced = 401, "recovery-code-replaced", "This recovery code is from an old sheet";
    /// Not the code that was mailed, whoever's account it is.
    MailedCodeWrong = 401, "mailed-code-wrong", "That is not the code that was mailed";
    /// Unknown or over.
    RecoveryOver = 404, "recovery-over", "This recovery is over";
    /// Somebody said no.
    RecoveryStopped = 403, "recovery-stopped", "This recovery was stopped";
    /// More proofs are wanted.
    RecoveryUnproved = 409, "recovery-unproved", "One more proof is needed";
    /// Only time is missing.
    RecoveryHeld = 409, "recovery-held", "Everything is proved, and there is a wait";
    /// No new device waits with that code.
    LinkUnknown = 404, "link-unknown", "No new device waits with this code";
    /// Another device has taken it on.
    LinkTaken = 409, "link-taken", "Another device of yours has taken this on";
    /// Not at this step.
    LinkOutOfTurn = 409, "link-out-of-turn", "The two devices are not at this step";
    /// Time stands still until somebody hears of the wait.
    RecoveryUnheard = 409, "recovery-unheard", "Nobody has received the notice of this wait yet";
    /// Time alone does not end the wait.
    RecoveryContested = 409, "recovery-contested", "This wait is contested";
    /// The chosen plan would lock its user out.
    PlanLocksOut = 409, "plan-locks-out", "That would lock you out";
    /// No administrator could act or come back.
    LastAdmin = 409, "last-admin", "Nobody could administer this any more";
    /// A used code has no successor.
    SuccessorMissing = 400, "successor-missing", "A new code must take the used one's place";

    // Guardians
    /// Too many.
    TooManyGuardians = 409, "too-many-guardians", "There is no room for another guardian";

    // Secrets
    /// Too many.
    TooManySecrets = 409, "too-many-secrets", "There is no room for another secret";
    /// Too many young versions.
    TooManyVersions = 409, "too-many-versions", "There is no room for another version yet";

    // Notices
    /// No mail here.
    MailUnavailable = 409, "mail-unavailable", "This server sends no mail";
    /// Too many.
    TooManyAddresses = 409, "too-many-addresses", "There is no room for another address";
    /// The mailed code is another one.
    AddressCodeWrong = 403, "address-code-wrong", "That is not the code that was mailed";
    /// The mailed code is over.
    AddressCodeOver = 409, "address-code-over", "The mailed code cannot be used any more";
    /// Unknown, used, or over.
    LinkOver = 404, "link-over", "This link cannot be used any more";

    // Machines that stand for themselves
    /// The key was not used in time.
    CredentialExpired = 401, "credential-expired", "This machine's key has expired";
    /// Another key took its place.
    CredentialClaimed = 401, "credential-claimed", "This machine's key was replaced";
    /// Two people make such a key.
    SecondPersonNeeded = 409, "second-person-needed", "A second person has to agree first";

    // Workloads
    /// No token that an issuer of ours signed: one answer.
    WorkloadTokenInvalid = 401, "workload-token-invalid", "The platform's token is not valid";
    /// For another audience.
    WorkloadTokenElsewhere = 401, "workload-token-elsewhere", "The platform's token is for another audience";
    /// No mapping lets it in.
    WorkloadUnknown = 403, "workload-unknown", "Nobody whom this server lets in";
    /// Over.
    WorkloadTokenExpired = 401, "workload-token-expired", "The platform's token has expired";
    /// Not valid yet.
    WorkloadTokenEarly = 401, "workload-token-early", "The platform's token is not valid yet";
    /// Too long-lived.
    WorkloadTokenTooLong = 403, "workload-token-too-long", "The platform's token lives too long";
    /// Used by another key.
    WorkloadTokenUsed = 401, "workload-token-used", "The platform's token was used already";
    /// The issuer does not answer.
    WorkloadKeysUnavailable = 503, "workload-keys-unavailable", "The platform's keys cannot be fetched";
    /// This server cannot certify workloads.
    WorkloadsUnavailable = 409, "workloads-unavailable", "This server cannot certify workloads";
    /// The name or the URL is taken.
    WorkloadIssuerExists = 409, "workload-issuer-exists", "This issuer exists already";
    /// It stands in the configuration.
    WorkloadIssuerConfigured = 409, "workload-issuer-configured", "This issuer stands in the configuration";
    /// Too many.
    TooManyWorkloadIssuers = 409, "too-many-workload-issuers", "There is no room for another issuer";

    // Limits and faults
    /// Too many tries.
    RateLimited = 429, "rate-limited", "Too many tries";
    /// The server has more work than it takes on.
    Busy = 503, "busy", "The server is busy";
    /// Waiting for the operator.
    ClockJumped = 503, "clock-jumped", "The server's clock jumped";
    /// The database does not answer.
    Unavailable = 503, "unavailable", "The server cannot reach its database";
    /// Our fault; the log has it under the request id.
    Internal = 500, "internal", "Something failed on the server";

    // Raised by clients only
    /// The text is not a recovery code, or not a sheet's first line.
    RecoveryCodeMistyped = 0, "recovery-code-mistyped", "This recovery code is mistyped";
    /// What an administrator typed is not what the new machine shows.
    CheckCodeWrong = 0, "check-code-wrong", "That is not what the new machine shows";
    /// A proof from the audit that proves nothing.
    AuditProofFalse = 0, "audit-proof-false", "This proof does not hold";
    /// What two devices told each other was changed on the way.
    LinkTampered = 0, "link-tampered", "Somebody is between the two devices";
    /// Other words than those that sealed the file.
    PassphraseWrong = 0, "passphrase-wrong", "These words do not open the file";
    /// Not the file of a machine's key.
    CredentialUnreadable = 0, "credential-unreadable", "This is not the file of a machine's key";
    /// The text is not a token.
    TokenUnreadable = 0, "token-unreadable", "This is not a Landfall code";
    /// The text was cut or mistyped.
    TokenMistyped = 0, "token-mistyped", "This code is incomplete or mistyped";
    /// A newer kind of token.
    TokenTooNew = 0, "token-too-new", "This code needs a newer Landfall";
    /// No connection.
    ServerUnreachable = 0, "server-unreachable", "The server cannot be reached";
    /// The server is not the one that was meant.
    ServerNotTrusted = 0, "server-not-trusted", "This is not the server that was meant";
    /// The answer could not be read.
    AnswerUnreadable = 0, "answer-unreadable", "The server's answer could not be read";
    /// Client and server share no version.
    UpdateNeeded = 0, "update-needed", "This app and the server do not speak the same version";
    /// No profile here.
    NoProfile = 0, "no-profile", "This machine is not enrolled with any server";
    /// Enrolled already.
    ProfileExists = 0, "profile-exists", "This machine is enrolled already";
    /// The state folder cannot be written.
    StateUnwritable = 0, "state-unwritable", "Landfall's folder cannot be written";
    /// Others can read the state folder, or a key in it.
    StateExposed = 0, "state-exposed", "Others can read Landfall's folder";
    /// A file of the state folder makes no sense.
    StateDamaged = 0, "state-damaged", "A file in Landfall's folder is damaged";
    /// Another process works in the state folder.
    StateBusy = 0, "state-busy", "Another Landfall is at work here";
    /// The key is gone or cannot be used.
    KeyUnavailable = 0, "key-unavailable", "This machine's key cannot be used";
    /// No browser could be opened.
    BrowserUnavailable = 0, "browser-unavailable", "No browser could show the page";
    /// A plugged-in security key did not answer; the browser may still.
    SecurityKeyUnusable = 0, "security-key-unusable", "The security key did not do it";
    /// The file with the platform's token cannot be read.
    WorkloadTokenUnreadable = 0, "workload-token-unreadable", "The platform's token cannot be read";
    /// The token names somebody else than the one whose identity is served.
    WorkloadChanged = 0, "workload-changed", "The platform's token names another workload";
    /// The Workload API cannot be served there.
    WorkloadSocketUnusable = 0, "workload-socket-unusable", "The Workload API cannot be served there";
    /// The program beside which the Workload API would be served does not start.
    ProgramUnusable = 0, "program-unusable", "The program could not be started";
    /// The answer is there, and standard output does not take it.
    OutputUnwritable = 0, "output-unwritable", "The answer could not be written";
    /// A question that nobody can answer.
    InputNeeded = 0, "input-needed", "An answer is needed and nobody can be asked";
    /// The person stopped it.
    Cancelled = 0, "cancelled", "Stopped";

    // Agents
    /// A request signature, or what names its key, is not taken; the problem says which rule it breaks.
    AgentSignature = 401, "agent-signature", "The request's signature was not accepted";
    /// No agent has this key.
    AgentUnknown = 403, "agent-unknown", "No agent is enrolled with this key";
    /// Cut off for ever.
    AgentRevoked = 403, "agent-revoked", "This agent was revoked";
    /// The device that let it in is gone.
    AgentUnvouched = 403, "agent-unvouched", "Nobody vouches for this agent any more";
    /// Not now.
    AgentHeld = 403, "agent-held", "This agent is held";
    /// Nothing was shown that lets it in.
    AgentDoorShut = 403, "agent-door-shut", "Nothing was shown that lets this agent in";
    /// That way is off here.
    AgentDoorOff = 403, "agent-door-off", "Agents do not enrol this way here";
    /// Not a code that works.
    AgentCodeWrong = 403, "agent-code-wrong", "This code lets no agent in";
    /// Another key has that name.
    AgentIdTaken = 409, "agent-id-taken", "This agent has another key";
    /// That key has another name.
    AgentKeyKnown = 409, "agent-key-known", "This key is another agent's";
    /// A device's key, or one of the server's.
    AgentKeyRefused = 400, "agent-key-refused", "This key cannot be an agent's";
    /// One level is the most.
    AgentNested = 403, "agent-nested", "That is for the agent itself, and not for a part of it";
    /// It was enrolled for another one.
    AgentServerDiffers = 403, "agent-server-differs", "This agent acts for somebody elsewhere";
    /// No room.
    TooManyAgents = 409, "too-many-agents", "There is no room for another agent";
    /// No agent waits with that code.
    PairingUnknown = 404, "pairing-unknown", "No agent waits with this code";
    /// It is over.
    PairingOver = 404, "pairing-over", "This pairing is over";
    /// Nobody can be asked.
    AgentUnowned = 403, "agent-unowned", "Nobody owns this agent";
    /// Beyond what the policy, or what is handed on, allows.
    CapabilityTooWide = 403, "capability-too-wide", "This agent may not do that";
    /// None of this key's, or over.
    CapabilityInvalid = 403, "capability-invalid", "This capability cannot be used";
    /// Nothing is missing.
    CapabilityAllowed = 409, "capability-allowed", "This agent may do that already";
    /// Unknown, answered, or over.
    ApprovalOver = 404, "approval-over", "This request cannot be answered any more";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&Refusal> for ErrorCode {
    #[allow(clippy::too_many_lines, reason = "a table: a line for each refusal")]
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::CertificateRequired => Self::CertificateRequired,
            Refusal::NotEnrolled => Self::NotEnrolled,
            Refusal::CertificateExpired => Self::CertificateExpired,
            Refusal::DeviceRevoked | Refusal::MachineRevoked => Self::DeviceRevoked,
            Refusal::DeviceSuspended | Refusal::MachineSuspended => Self::DeviceSuspended,
            Refusal::AccountFrozen | Refusal::FrozenSinceBegun | Refusal::FrozenSinceCode => {
                Self::AccountFrozen
            }
            Refusal::FrozenByAdmin | Refusal::StoppedAccount => Self::FrozenByAdmin,
            Refusal::SessionRequired => Self::SessionRequired,
            Refusal::SessionOver => Self::SessionOver,
            Refusal::SessionOfAnotherKey => Self::SessionOfAnotherKey,
            Refusal::Forbidden | Refusal::OtherKind | Refusal::PolicyForbids { .. } => {
                Self::Forbidden
            }
            Refusal::StepUpRequired { .. } => Self::StepUpRequired,
            Refusal::StepUpForAnotherAct => Self::StepUpForAnotherAct,
            Refusal::StepUpSpent => Self::StepUpSpent,
            Refusal::Probation { .. } => Self::Probation,
            Refusal::FactorOnTarget => Self::FactorOnTarget,
            Refusal::NotFound | Refusal::NobodyToStop { .. } => Self::NotFound,
            Refusal::TokenInvalid => Self::TokenInvalid,
            Refusal::TokenExpired { .. } => Self::TokenExpired,
            Refusal::TokenUsed { .. } => Self::TokenUsed,
            Refusal::TokenCancelled { .. } | Refusal::InviterOut => Self::TokenCancelled,
            Refusal::TokenNamesAnother => Self::TokenNamesAnother,
            Refusal::NameMissing { .. } => Self::NameMissing,
            Refusal::TtlNotAllowed { .. } => Self::TtlNotAllowed,
            Refusal::UserExists => Self::UserExists,
            Refusal::DeviceNameTaken => Self::DeviceNameTaken,
            Refusal::AlreadyClaimed => Self::AlreadyClaimed,
            Refusal::CsrMalformed => Self::CsrMalformed,
            Refusal::CsrSignature => Self::CsrSignature,
            Refusal::KeyUnsupported => Self::KeyUnsupported,
            Refusal::KeyInUse => Self::KeyInUse,
            Refusal::SignatureInvalid => Self::SignatureInvalid,
            Refusal::ClockSkew { .. } => Self::ClockSkew,
            Refusal::RenewalTooLate => Self::RenewalTooLate,
            Refusal::CeremonyOver => Self::CeremonyOver,
            Refusal::CeremonyPending => Self::CeremonyPending,
            Refusal::CompletionWrong { .. } => Self::CompletionWrong,
            Refusal::PasskeyRefused => Self::PasskeyRefused,
            Refusal::PasskeySuspicious => Self::PasskeySuspicious,
            Refusal::NoPasskey => Self::NoPasskey,
            Refusal::WrongAttachment => Self::WrongAttachment,
            Refusal::PasskeyModelRefused => Self::PasskeyModelRefused,
            Refusal::PasskeyRegistered => Self::PasskeyRegistered,
            Refusal::LastPasskey => Self::LastPasskey,
            Refusal::PasskeysUnavailable => Self::PasskeysUnavailable,
            Refusal::RecoveryCodeWrong => Self::RecoveryCodeWrong,
            Refusal::RecoveryCodeUsed { .. } => Self::RecoveryCodeUsed,
            Refusal::RecoveryCodeReplaced { .. } => Self::RecoveryCodeReplaced,
            Refusal::MailedCodeWrong => Self::MailedCodeWrong,
            Refusal::RecoveryOver => Self::RecoveryOver,
            Refusal::RecoveryStopped { .. } => Self::RecoveryStopped,
            Refusal::RecoveryUnproved => Self::RecoveryUnproved,
            Refusal::RecoveryHeld { .. } => Self::RecoveryHeld,
            Refusal::LinkUnknown => Self::LinkUnknown,
            Refusal::LinkTaken { .. } => Self::LinkTaken,
            Refusal::LinkOutOfTurn => Self::LinkOutOfTurn,
            Refusal::RecoveryUnheard => Self::RecoveryUnheard,
            Refusal::RecoveryContested => Self::RecoveryContested,
            Refusal::PlanLocksOut => Self::PlanLocksOut,
            Refusal::LastAdmin | Refusal::FreezeOneself => Self::LastAdmin,
            Refusal::SuccessorMissing => Self::SuccessorMissing,
            Refusal::TooManyGuardians => Self::TooManyGuardians,
            Refusal::TooManySecrets => Self::TooManySecrets,
            Refusal::TooManyVersions => Self::TooManyVersions,
            Refusal::MailUnavailable => Self::MailUnavailable,
            Refusal::TooManyAddresses => Self::TooManyAddresses,
            Refusal::AddressCodeWrong { .. } => Self::AddressCodeWrong,
            Refusal::AddressCodeOver => Self::AddressCodeOver,
            Refusal::LinkOver => Self::LinkOver,
            Refusal::CredentialExpired { .. } => Self::CredentialExpired,
            Refusal::CredentialClaimed { .. } => Self::CredentialClaimed,
            Refusal::SecondPersonNeeded => Self::SecondPersonNeeded,
            Refusal::WorkloadTokenInvalid => Self::WorkloadTokenInvalid,
            Refusal::WorkloadTokenElsewhere => Self::WorkloadTokenElsewhere,
            Refusal::WorkloadUnknown => Self::WorkloadUnknown,
            Refusal::WorkloadTokenExpired { .. } => Self::WorkloadTokenExpired,
            Refusal::WorkloadTokenEarly { .. } => Self::WorkloadTokenEarly,
            Refusal::WorkloadTokenTooLong { .. } => Self::WorkloadTokenTooLong,
            Refusal::WorkloadTokenUsed { .. } => Self::WorkloadTokenUsed,
            Refusal::WorkloadKeysUnavailable { .. } => Self::WorkloadKeysUnavailable,
            Refusal::WorkloadsUnavailable => Self::WorkloadsUnavailable,
            Refusal::WorkloadIssuerExists => Self::WorkloadIssuerExists,
            Refusal::WorkloadIssuerConfigured => Self::WorkloadIssuerConfigured,
            Refusal::TooManyWorkloadIssuers => Self::TooManyWorkloadIssuers,
            Refusal::RateLimited { .. } | Refusal::PlaceBusy { .. } => Self::RateLimited,
            Refusal::ClockJumped => Self::ClockJumped,
            Refusal::AgentUnknown => Self::AgentUnknown,
            Refusal::AgentRevoked { .. } => Self::AgentRevoked,
            Refusal::AgentUnvouched => Self::AgentUnvouched,
            Refusal::AgentHeld => Self::AgentHeld,
            Refusal::AgentDoorShut => Self::AgentDoorShut,
            Refusal::AgentDoorOff => Self::AgentDoorOff,
            Refusal::AgentCodeWrong => Self::AgentCodeWrong,
            Refusal::AgentIdTaken => Self::AgentIdTaken,
            Refusal::AgentKeyKnown => Self::AgentKeyKnown,
            Refusal::AgentKeyRefused => Self::AgentKeyRefused,
            Refusal::AgentNested => Self::AgentNested,
            Refusal::AgentServerDiffers => Self::AgentServerDiffers,
            Refusal::TooManyAgents => Self::TooManyAgents,
            Refusal::PairingUnknown => Self::PairingUnknown,
            Refusal::PairingOver => Self::PairingOver,
            Refusal::CapabilityTooWide { .. } | Refusal::CapabilityShrinks { .. } => {
                Self::CapabilityTooWide
            }
            Refusal::CapabilityHandedOn => Self::CapabilityInvalid,
            Refusal::AgentUnowned => Self::AgentUnowned,
            Refusal::CapabilityInvalid => Self::CapabilityInvalid,
            Refusal::CapabilityAllowed => Self::CapabilityAllowed,
            Refusal::ApprovalOver => Self::ApprovalOver,
        }
    }
}

/// A problem (RFC 9457), sent as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Problem {
    /// `urn:landfall:problem:` and the code (RFC 9457, section 3.1.1).
    #[serde(rename = "type")]
    pub kind: String,
    /// The stable code.
    pub code: ErrorCode,
    /// What happened, in a few words.
    pub title: String,
    /// Why, and what to do next, in whole sentences.
    pub detail: String,
    /// The HTTP status.
    pub status: u16,
    /// Which field of the request, when it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// When trying again makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
    /// The server's time, where clocks are the matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_time: Option<At>,
    /// What to quote when asking for help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Problem {
    /// A problem of this code, with its own title and the given detail.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:landfall:problem:{code}"),
            code,
            title: code.title().to_owned(),
            detail: detail.into(),
            status: code.status(),
            field: None,
            retry_after_seconds: None,
            server_time: None,
            request_id: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_frozen() {
        let frozen: Vec<String> =
            serde_json::from_str(include_str!("../../../tests/vectors/error_codes.json")).unwrap();
        let ours: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(ours, frozen, "a code may be added to the file, never changed or removed");
    }
}
