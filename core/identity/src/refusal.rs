//! A domain "no", with its reason.

use crate::name::UserName;
use crate::session::AuthStrength;
use crate::time::{Seconds, Timestamp};

/// Why an act was refused. Each maps to one stable error code and one remedy; both maps are
/// exhaustive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    // Who is asking
    /// No client certificate on this connection.
    #[error("no client key was shown")]
    CertificateRequired,
    /// The key is not enrolled here.
    #[error("this key is not enrolled")]
    NotEnrolled,
    /// The certificate's time is over; renewal heals it.
    #[error("the certificate has expired")]
    CertificateExpired,
    /// The device was revoked.
    #[error("this device was revoked")]
    DeviceRevoked,
    /// The device is suspended.
    #[error("this device is suspended")]
    DeviceSuspended,
    /// The machine, which no person sits at, was revoked.
    #[error("this machine was revoked")]
    MachineRevoked,
    /// The machine is suspended.
    #[error("this machine is suspended")]
    MachineSuspended,
    /// The whole account is frozen.
    #[error("this account is frozen")]
    AccountFrozen,
    /// It is frozen by an administrator, whatever its owner holds.
    #[error("the account is frozen by an administrator")]
    FrozenByAdmin,
    /// The account was frozen after an emergency code for it was made: somebody's answer to it.
    #[error("the account was frozen after this emergency code was made")]
    FrozenSinceCode,
    /// Nobody of that name can be stopped with an emergency code.
    #[error("there is no {user} to stop, or the code is for them")]
    NobodyToStop {
        /// Who was named.
        user: UserName,
    },
    /// An administrator has stopped the account for which another one would vouch.
    #[error("the account is stopped by an administrator")]
    StoppedAccount,
    /// The account was frozen after this recovery began: the owner's answer to it.
    #[error("the account was frozen after this began")]
    FrozenSinceBegun,
    /// What an administrator does to others, tried on oneself: it would shut out whoever ends it.
    #[error("an administrator's freeze is not for oneself")]
    FreezeOneself,
    /// A session is needed.
    #[error("no session was shown")]
    SessionRequired,
    /// The session is over, was closed, or never was.
    #[error("the session is over")]
    SessionOver,
    /// The session belongs to another key.
    #[error("the session belongs to another key")]
    SessionOfAnotherKey,

    // What may be done
    /// Never, for this caller.
    #[error("not allowed")]
    Forbidden,
    /// It is for principals of another kind.
    #[error("that is for others than this one")]
    OtherKind,
    /// A rule of the tenant's does not let them.
    #[error("the tenant's policy does not allow it")]
    PolicyForbids {
        /// Whether an administrator asked, who can change them.
        admin: bool,
    },
    /// Only after a step-up.
    #[error("a fresh human proof is needed")]
    StepUpRequired {
        /// The strength that the act takes.
        needs: AuthStrength,
        /// Whether the step-up must name this very act.
        bound: bool,
    },
    /// The session was opened for another act.
    #[error("the session was opened for another act")]
    StepUpForAnotherAct,
    /// The session's one act was done already.
    #[error("the approval was spent")]
    StepUpSpent,
    /// A young factor may not evict an older one yet.
    #[error("too new to remove what is older")]
    Probation {
        /// When it may.
        until: Timestamp,
        /// What it may not do until then.
        what: Young,
    },
    /// The factor shown lives on the very device it acts against.
    #[error("the proof lives on the device it acts against")]
    FactorOnTarget,
    /// What was named does not exist, or is not the caller's.
    #[error("not found")]
    NotFound,

    // Tokens
    /// Unknown, or the wrong secret: one answer for both.
    #[error("the token is not valid")]
    TokenInvalid,
    /// Its time is over.
    #[error("the token has expired")]
    TokenExpired {
        /// Since when.
        at: Timestamp,
    },
    /// Another machine used it.
    #[error("the token was used")]
    TokenUsed {
        /// When.
        at: Timestamp,
        /// The device that it enrolled.
        device: String,
    },
    /// It was withdrawn.
    #[error("the token was cancelled")]
    TokenCancelled {
        /// When.
        at: Timestamp,
    },
    /// Whoever made the invitation may invite nobody now: frozen, or an administrator no longer.
    #[error("whoever made this code may invite nobody now")]
    InviterOut,
    /// The token names another user or device than the one asked for.
    #[error("the token is for another user or device")]
    TokenNamesAnother,
    /// The token leaves a name open, and none was given.
    #[error("a name is missing")]
    NameMissing {
        /// `user` or `device`.
        field: &'static str,
    },
    /// The lifetime asked for is not allowed.
    #[error("the lifetime is not allowed")]
    TtlNotAllowed {
        /// The most that is.
        max: Seconds,
    },
    /// The user exists already.
    #[error("the user exists")]
    UserExists,
    /// The device name was given before, to a device of this user.
    #[error("the device name was used")]
    DeviceNameTaken,
    /// An administrator exists: claiming is over.
    #[error("the server was claimed")]
    AlreadyClaimed,

    // Keys and signatures
    /// Not a CSR.
    #[error("not a certificate request")]
    CsrMalformed,
    /// Its signature does not match its key.
    #[error("the request's signature is wrong")]
    CsrSignature,
    /// Not a P-256 key.
    #[error("only P-256 keys are taken")]
    KeyUnsupported,
    /// The key belongs to another enrolment, or to the server.
    #[error("the key is in use")]
    KeyInUse,
    /// A request signature does not verify, or covers too little.
    #[error("the signature does not verify")]
    SignatureInvalid,
    /// The signature's time is too far from ours.
    #[error("the clock is too far off")]
    ClockSkew {
        /// Our time.
        server_time: Timestamp,
    },
    /// Silent for too long to renew by itself.
    #[error("silent for too long")]
    RenewalTooLate,

    // Ceremonies and passkeys
    /// Unknown, over, or another device's.
    #[error("no such ceremony")]
    CeremonyOver,
    /// The person has not touched yet.
    #[error("the ceremony is not proved yet")]
    CeremonyPending,
    /// The completion is wrong.
    #[error("the completion is wrong")]
    CompletionWrong {
        /// Tries that are left.
        tries_left: u32,
    },
    /// The authenticator's answer was refused.
    #[error("the passkey's answer was refused")]
    PasskeyRefused,
    /// The authenticator's counter or flags contradict what it said before.
    #[error("the passkey may have been copied")]
    PasskeySuspicious,
    /// No passkey could be used.
    #[error("no passkey can be used")]
    NoPasskey,
    /// Another kind of authenticator answered than was asked for.
    #[error("the wrong kind of passkey answered")]
    WrongAttachment,
    /// A new passkey of a model that this server does not take, or one that nobody vouches for.
    #[error("a model of passkey that is not taken")]
    PasskeyModelRefused,
    /// This authenticator is registered already.
    #[error("the passkey is registered")]
    PasskeyRegistered,
    /// It is the last one, and the loss was not confirmed.
    #[error("it is the last passkey")]
    LastPasskey,
    /// Passkeys cannot work on this server as it is configured.
    #[error("this server's address cannot use passkeys in a browser")]
    PasskeysUnavailable,

    // Recovery
    /// Not a code of this user: unknown user, no codes, another code. One answer for all.
    #[error("the recovery code is not valid")]
    RecoveryCodeWrong,
    /// The right code, burnt before.
    #[error("the recovery code was used")]
    RecoveryCodeUsed {
        /// When.
        at: Timestamp,
        /// The device that it let in.
        device: String,
    },
    /// The right code, of a sheet that another one has replaced.
    #[error("the recovery code was replaced")]
    RecoveryCodeReplaced {
        /// When.
        at: Timestamp,
    },
    /// Not the code that was mailed for this recovery: nobody to mail to, none asked for, over, another
    /// one. One answer for all.
    #[error("the mailed code is not valid")]
    MailedCodeWrong,
    /// Unknown, over, or another key's.
    #[error("no such recovery")]
    RecoveryOver,
    /// The owner, or an administrator, said no.
    #[error("the recovery was stopped")]
    RecoveryStopped {
        /// When.
        at: Timestamp,
    },
    /// More proofs are wanted.
    #[error("the recovery needs another proof")]
    RecoveryUnproved,
    /// Nothing is missing but time.
    #[error("the recovery is held")]
    RecoveryHeld {
        /// Until when.
        until: Timestamp,
        /// How long that is.
        left: Seconds,
    },
    /// No new device of this account waits with that code.
    #[error("no new device waits with this code")]
    LinkUnknown,
    /// Another device of the account has taken the link on.
    #[error("another device has taken the link on")]
    LinkTaken {
        /// Which one.
        device: String,
    },
    /// It is not that step's turn, or it was taken with other words.
    #[error("the link is not at this step")]
    LinkOutOfTurn,
    /// Nothing is missing but time, which stands still until somebody receives the notice of it.
    #[error("nobody has received the notice of the wait")]
    RecoveryUnheard,
    /// Time alone does not end this wait any more.
    #[error("the wait is contested")]
    RecoveryContested,
    /// A code was shown and none was made to take its place.
    #[error("a successor of the used code is missing")]
    SuccessorMissing,
    /// By that plan, and with what the user holds, the loss of their devices would be the end.
    #[error("that plan would lock its user out")]
    PlanLocksOut,
    /// It would leave the tenant without an administrator who can act or come back.
    #[error("it would leave no administrator who can act or come back")]
    LastAdmin,

    // Guardians
    /// No room for another guardian.
    #[error("too many guardians")]
    TooManyGuardians,

    // Secrets
    /// No room for another secret.
    #[error("too many secrets")]
    TooManySecrets,
    /// No room for another version that would not push out a young one.
    #[error("too many young versions")]
    TooManyVersions,

    // Notices
    /// This server sends no mail.
    #[error("this server sends no mail")]
    MailUnavailable,
    /// No room for another address.
    #[error("too many addresses")]
    TooManyAddresses,
    /// Not the code that was mailed.
    #[error("the mailed code is wrong")]
    AddressCodeWrong {
        /// Tries that are left.
        tries_left: u32,
    },
    /// Unknown, used, or over: one answer for all.
    #[error("the link cannot be used")]
    LinkOver,
    /// No code waits for this address: it is over, or used up.
    #[error("the mailed code is over")]
    AddressCodeOver,

    // Machines that stand for themselves
    /// The key that was handed out was not used in time.
    #[error("the credential has expired")]
    CredentialExpired {
        /// Since when.
        at: Timestamp,
    },
    /// A device has made a key of its own and put it in the place of the one that was handed out.
    #[error("the credential was claimed")]
    CredentialClaimed {
        /// When.
        at: Timestamp,
    },
    /// A key of this role is made by two people.
    #[error("a second person has to agree first")]
    SecondPersonNeeded,

    // Workloads
    /// Not a token that an issuer of ours signed: unknown issuer, unknown key, another algorithm, a
    /// false signature. One answer for all.
    #[error("the platform's token is not valid")]
    WorkloadTokenInvalid,
    /// Signed, and made for somebody else than this server.
    #[error("the platform's token is for another audience")]
    WorkloadTokenElsewhere,
    /// Signed, and nobody whom a mapping lets in.
    #[error("nobody whom this server lets in")]
    WorkloadUnknown,
    /// Its time is over.
    #[error("the platform's token has expired")]
    WorkloadTokenExpired {
        /// Since when.
        at: Timestamp,
    },
    /// Its time has not come.
    #[error("the platform's token is not valid yet")]
    WorkloadTokenEarly {
        /// From when on it is.
        from: Timestamp,
    },
    /// It lives longer than is taken.
    #[error("the platform's token lives too long")]
    WorkloadTokenTooLong {
        /// The most that is.
        max: Seconds,
    },
    /// Another key has used it.
    #[error("the platform's token was used")]
    WorkloadTokenUsed {
        /// When.
        at: Timestamp,
    },
    /// The issuer's keys cannot be fetched now.
    #[error("the platform's keys cannot be fetched")]
    WorkloadKeysUnavailable {
        /// When to come back.
        retry_after: Seconds,
    },
    /// The root key left before this server certified workloads.
    #[error("this server has no issuer of workloads")]
    WorkloadsUnavailable,
    /// An issuer of that name, or of that URL, is there.
    #[error("the issuer exists")]
    WorkloadIssuerExists,
    /// It stands in the configuration, and goes with it.
    #[error("the issuer stands in the configuration")]
    WorkloadIssuerConfigured,
    /// No room for another one.
    #[error("too many issuers")]
    TooManyWorkloadIssuers,

    // Limits
    /// Too many tries.
    #[error("too many tries")]
    RateLimited {
        /// When to come back.
        retry_after: Seconds,
    },
    /// Too many were begun from the network that this came from, by whomever.
    #[error("too many were begun from this network")]
    PlaceBusy {
        /// When to come back.
        retry_after: Seconds,
    },
    /// The server is waiting for its operator: the clock jumped.
    #[error("waiting for the operator")]
    ClockJumped,

    // Agents
    /// No agent has this key.
    #[error("no agent is enrolled with this key")]
    AgentUnknown,
    /// It, or the agent above it, was revoked.
    #[error("this agent was revoked")]
    AgentRevoked {
        /// Since when.
        at: Timestamp,
    },
    /// The device that let it in was revoked.
    #[error("the device that let this agent in was revoked")]
    AgentUnvouched,
    /// Its owner's account is frozen, or the device that let it in is suspended.
    #[error("this agent is held")]
    AgentHeld,
    /// Nothing was shown that lets an agent in.
    #[error("nothing lets this agent in")]
    AgentDoorShut,
    /// What was shown lets nobody in here.
    #[error("this way of enrolling is off")]
    AgentDoorOff,
    /// Unknown, wrong, used by another key, over: one answer for all.
    #[error("the code lets no agent in")]
    AgentCodeWrong,
    /// The agent has another key.
    #[error("this agent has another key")]
    AgentIdTaken,
    /// The key is another agent's.
    #[error("this key is another agent's")]
    AgentKeyKnown,
    /// The key is a device's, or the server's own.
    #[error("this key is no agent's")]
    AgentKeyRefused,
    /// A sub-agent wants a sub-agent.
    #[error("that is for the agent itself, and not for a part of it")]
    AgentNested,
    /// It has another person server.
    #[error("this agent has another person server")]
    AgentServerDiffers,
    /// No room for another agent.
    #[error("too many agents")]
    TooManyAgents,
    /// No agent waits with that code.
    #[error("no agent waits with this code")]
    PairingUnknown,
    /// It was stopped, or its time is over.
    #[error("no such pairing")]
    PairingOver,
    /// More than there is to hand on, or than the policy and the owner allow.
    #[error("without a yes of its owner this agent may not: {missing}")]
    CapabilityTooWide {
        /// What is too much.
        missing: String,
    },
    /// What is handed on does not hold it.
    #[error(
        "what is handed on does not hold this: {missing}. It only shrinks; ask for another capability"
    )]
    CapabilityShrinks {
        /// What it does not hold.
        missing: String,
    },
    /// It went through too many hands.
    #[error("it was handed on as often as any may be; ask for another capability")]
    CapabilityHandedOn,
    /// No capability of this key, or one that is over.
    #[error("this is no capability of this key, or it is over")]
    CapabilityInvalid,
    /// There is nobody to ask.
    #[error(
        "nobody owns this agent, so nobody can be asked; its ceiling is in the server's configuration"
    )]
    AgentUnowned,
    /// There is nothing to ask for.
    #[error("this agent may do that already")]
    CapabilityAllowed,
    /// Unknown, answered, or over.
    #[error("no such approval")]
    ApprovalOver,
}

/// What a young passkey may not do yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Young {
    /// Revoke an older device.
    RevokeDevice,
    /// Remove an older passkey.
    RemovePasskey,
    /// Remove an older address.
    RemoveAddress,
    /// End a freeze.
    Unfreeze,
    /// Replace older recovery codes.
    ReplaceCodes,
    /// Open a further way in.
    LoosenPlan,
    /// Have an older guardian no longer.
    RemoveGuardian,
    /// Vouch for somebody who has named them lately. It is the guardian who is new, not a passkey.
    Vouch,
    /// Vouch for an administrator. It is the one who vouches that became one lately.
    VouchForAdmin,
    /// Change one's own recovery plan.
    ChangePlan,
    /// Give another role to somebody who was there before.
    ChangeRole,
    /// Stop an older account, or let it go.
    StopAccount,
}
