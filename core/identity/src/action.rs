//! Everything that can be asked of a server, as one table.

use crate::caller::Role;
use crate::session::AuthStrength;
use crate::spiffe::PrincipalKind;
use crate::time::Seconds;

/// What a request must show before anything else is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Nothing: it is public.
    Anyone,
    /// The secret half of a token, and a CSR.
    DoorSecret,
    /// A request signature by an enrolled key.
    EnrolledKey,
    /// A request signature by the key that began a recovery.
    RecoveryKey,
    /// A connection made with an enrolled key.
    Connection,
    /// A ceremony's secret: the browser half.
    CeremonySecret,
    /// The secret of a mailed link: from the server's own page.
    MailedSecret,
    /// A token that a platform signed for one of its workloads, and a CSR.
    PlatformToken,
    /// A request signature by an agent's key (AAuth), or a key that was only named.
    AgentKey,
    /// A session of at least this strength, on a connection of its key.
    Session(AuthStrength),
}

/// Whether the human proof must name the act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// An unbound session serves.
    Unbound,
    /// Only a session that was opened for this very act.
    Bound,
    /// As `Bound`, or the holder of an enrolment grant.
    BoundOrGrant,
}

/// Whose things an act may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The caller's own.
    Own,
    /// Anybody's in the caller's tenant, for people of these roles.
    Tenant(&'static [Role]),
}

/// What an act demands. Read by `authorize` alone.
#[derive(Debug, Clone, Copy)]
pub struct Demand {
    /// Stable code, on the wire and in the audit.
    pub code: &'static str,
    /// Which principals may ask.
    pub kinds: &'static [PrincipalKind],
    /// What must be shown.
    pub entry: Entry,
    /// How old the human proof may be, when one is needed.
    pub freshness: Option<Seconds>,
    /// Whether it must name the act.
    pub binding: Binding,
    /// Whose things it touches.
    pub scope: Scope,
    /// Whether a frozen account may still do it.
    pub while_frozen: bool,
    /// Whether it takes a way in from somebody for ever, so that probation applies.
    pub evicts: bool,
    /// Which further roles a tenant's own policy may let do it. Without such a policy they may not.
    pub delegable: &'static [Role],
}

const HUMAN: &[PrincipalKind] = &[PrincipalKind::Human];
const PEOPLE_AND_DEVICES: &[PrincipalKind] =
    &[PrincipalKind::Human, PrincipalKind::ProvisionedDevice];
const MACHINES: &[PrincipalKind] = &[PrincipalKind::ProvisionedDevice];
const WORKLOADS: &[PrincipalKind] = &[PrincipalKind::Workload];
const AGENT: &[PrincipalKind] = &[PrincipalKind::Agent];
const ALL: &[PrincipalKind] = &PrincipalKind::ALL;
const ADMINS: &[Role] = &[Role::Admin];
/// Who reads what is only read.
const AUDITORS: &[Role] = &[Role::Admin, Role::Auditor];
/// Who makes keys for machines.
pub(crate) const PROVISIONERS: &[Role] = &[Role::Admin, Role::Operator];
/// To whom a tenant may hand the everyday work of helping people.
const HELPERS: &[Role] = &[Role::Operator];
/// Who must know which devices there are.
const DEVICE_READERS: &[Role] = &[Role::Admin, Role::Operator, Role::Auditor];
/// The human proof of an unbound step-up, good for its whole window.
const WINDOW: Option<Seconds> = Some(crate::session::CERT_HUMAN_TTL);
const MOMENT: Option<Seconds> = Some(crate::session::BOUND_TTL);
const CERT_ONLY: Entry = Entry::Session(AuthStrength::CertOnly);
const CERT_HUMAN: Entry = Entry::Session(AuthStrength::CertHuman);

impl Demand {
    const fn new(code: &'static str, kinds: &'static [PrincipalKind], entry: Entry) -> Self {
        let freshness = match entry {
            Entry::Session(AuthStrength::CertHuman) => WINDOW,
            _ => None,
        };
        Self {
            code,
            kinds,
            entry,
            freshness,
            binding: Binding::Unbound,
            scope: Scope::Own,
            while_frozen: false,
            evicts: false,
            delegable: &[],
        }
    }

    const fn bound(mut self) -> Self {
        self.binding = Binding::Bound;
        self.freshness = MOMENT;
        self
    }

    const fn bound_or_grant(mut self) -> Self {
        self.binding = Binding::BoundOrGrant;
        self.freshness = MOMENT;
        self
    }

    const fn tenant_wide(self) -> Self {
        self.tenant_wide_for(ADMINS)
    }

    const fn tenant_wide_for(mut self, roles: &'static [Role]) -> Self {
        self.scope = Scope::Tenant(roles);
        self
    }

    const fn while_frozen(mut self) -> Self {
        self.while_frozen = true;
        self
    }

    const fn evicts(mut self) -> Self {
        self.evicts = true;
        self
    }

    const fn delegable(mut self, roles: &'static [Role]) -> Self {
        self.delegable = roles;
        self
    }

    /// Whether somebody of this role may ever do it. That they may today is for policy to say.
    pub fn is_open_to(&self, role: Role) -> bool {
        match self.scope {
            Scope::Own => true,
            Scope::Tenant(roles) => roles.contains(&role) || self.delegable.contains(&role),
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $demand:expr;)*) => {
        /// One thing that can be asked. Every route names exactly one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// Every action: the route matrix test walks this.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What it demands.
            pub const fn demand(self) -> Demand {
                match self { $(Self::$name => $demand,)* }
            }
        }
    };
}

actions! {
    /// Operations, trust bundle, metadata.
    ReadPublic = Demand::new("read-public", ALL, Entry::Anyone);
    /// The ceremony page and its files.
    ReadCeremonyPage = Demand::new("read-ceremony-page", ALL, Entry::Anyone);
    /// A first certificate, by a token.
    Enroll = Demand::new("enroll", HUMAN, Entry::DoorSecret);
    /// The next certificate, by the enrolled key's signature.
    RenewCertificate =
        Demand::new("renew-certificate", PEOPLE_AND_DEVICES, Entry::EnrolledKey).while_frozen();
    /// The page to which mailed notices lead.
    ReadFreezePage = Demand::new("read-freeze-page", ALL, Entry::Anyone);
    /// Freezes an account, by the link in a notice that was mailed to its owner.
    FreezeByLink =
        Demand::new("freeze-by-link", HUMAN, Entry::MailedSecret).while_frozen();
    /// A `cert-only` session.
    OpenSession =
        Demand::new("open-session", PEOPLE_AND_DEVICES, Entry::Connection).while_frozen();
    /// Closing one's session.
    CloseSession = Demand::new("close-session", PEOPLE_AND_DEVICES, CERT_ONLY).while_frozen();
    /// Who am I.
    ReadSelf = Demand::new("read-self", PEOPLE_AND_DEVICES, CERT_ONLY).while_frozen();

    /// Where notices are mailed to.
    ListAddresses = Demand::new("list-addresses", HUMAN, CERT_ONLY).while_frozen();
    /// Another address.
    AddAddress = Demand::new("add-address", HUMAN, CERT_HUMAN);
    /// Proof that an address is one's own, by the code that was mailed to it.
    ConfirmAddress = Demand::new("confirm-address", HUMAN, CERT_ONLY);
    /// One address fewer. A thief must not silence the owner.
    RemoveAddress = Demand::new("remove-address", HUMAN, CERT_HUMAN).evicts();
    /// What happened to one's account.
    ReadNotices = Demand::new("read-notices", HUMAN, CERT_ONLY).while_frozen();

    /// The app half begins a step-up.
    BeginStepUp = Demand::new("begin-step-up", HUMAN, CERT_ONLY).while_frozen();
    /// The app half redeems a step-up: a new session.
    RedeemStepUp = Demand::new("redeem-step-up", HUMAN, CERT_ONLY).while_frozen();
    /// The browser half reads the options of a ceremony.
    ReadCeremony = Demand::new("read-ceremony", HUMAN, Entry::CeremonySecret).while_frozen();
    /// The browser half hands in the authenticator's answer.
    FinishCeremony = Demand::new("finish-ceremony", HUMAN, Entry::CeremonySecret).while_frozen();

    /// The app half begins to register a passkey.
    RegisterPasskey = Demand::new("register-passkey", HUMAN, CERT_HUMAN).bound_or_grant();
    /// The app half redeems it: the passkey exists from here on.
    RedeemPasskey = Demand::new("redeem-passkey", HUMAN, CERT_ONLY);
    /// One's passkeys.
    ListPasskeys = Demand::new("list-passkeys", HUMAN, CERT_ONLY);
    /// Another label for one.
    RenamePasskey = Demand::new("rename-passkey", HUMAN, CERT_ONLY);
    /// One that can leave its device is bound to the device that asks.
    BindPasskey = Demand::new("bind-passkey", HUMAN, CERT_HUMAN).bound();
    /// One fewer.
    RemovePasskey = Demand::new("remove-passkey", HUMAN, CERT_HUMAN).bound().evicts();

    /// A token for another device of one's own.
    IssueToken = Demand::new("issue-token", HUMAN, CERT_HUMAN).bound();
    /// An invitation for a new user.
    IssueInvite = Demand::new("issue-invite", HUMAN, CERT_HUMAN).bound().tenant_wide();
    /// One's tokens; also while frozen, or nobody could say which one is not theirs.
    ListTokens = Demand::new("list-tokens", HUMAN, CERT_ONLY).while_frozen();
    /// Withdraws a token that this very device made.
    CancelOwnToken = Demand::new("cancel-own-token", HUMAN, CERT_ONLY).while_frozen();
    /// Withdraws any token of one's own. A stolen laptop could keep its owner from every new machine.
    CancelToken = Demand::new("cancel-token", HUMAN, CERT_HUMAN).while_frozen();

    /// One's devices; also while frozen, or nobody could say which one to cut off.
    ListDevices = Demand::new("list-devices", HUMAN, CERT_ONLY).while_frozen();
    /// Another label for one.
    RenameDevice = Demand::new("rename-device", HUMAN, CERT_ONLY);
    /// Suspends the very device that asks.
    SuspendThisDevice = Demand::new("suspend-this-device", HUMAN, CERT_ONLY).while_frozen();
    /// Suspends another device of one's own; also while frozen, or whoever holds that device could
    /// freeze again before its owner gets to it.
    SuspendDevice = Demand::new("suspend-device", HUMAN, CERT_HUMAN).while_frozen();
    /// Resumes a suspended device.
    ResumeDevice = Demand::new("resume-device", HUMAN, CERT_HUMAN);
    /// What a device of one's own did since a time.
    ReviewDevice = Demand::new("review-device", HUMAN, CERT_ONLY);
    /// Which secrets a device of one's own could read, and which it did.
    ListExposure = Demand::new("list-exposure", HUMAN, CERT_ONLY);
    /// Revokes a device for ever.
    RevokeDevice =
        Demand::new("revoke-device", HUMAN, CERT_HUMAN).bound().evicts().while_frozen();
    /// Freezes the account, the caller too.
    FreezeAccount = Demand::new("freeze-account", HUMAN, CERT_ONLY).while_frozen();
    /// Ends a freeze.
    UnfreezeAccount =
        Demand::new("unfreeze-account", HUMAN, CERT_HUMAN).while_frozen().evicts();

    /// One's secrets, by name.
    ListSecrets = Demand::new("list-secrets", HUMAN, CERT_ONLY);
    /// A secret's value.
    ReadSecret = Demand::new("read-secret", HUMAN, CERT_ONLY);
    /// A new version.
    WriteSecret = Demand::new("write-secret", HUMAN, CERT_ONLY);
    /// A secret's versions.
    ListSecretVersions = Demand::new("list-secret-versions", HUMAN, CERT_ONLY);
    /// One version. A device alone could write rubbish over a value and then delete the value.
    DeleteSecretVersion = Demand::new("delete-secret-version", HUMAN, CERT_HUMAN);
    /// All versions.
    DeleteSecret = Demand::new("delete-secret", HUMAN, CERT_HUMAN);

    /// Recovery codes for oneself; those that were there stop working.
    MakeRecoveryCodes =
        Demand::new("make-recovery-codes", HUMAN, CERT_HUMAN).bound().evicts();
    /// One's recovery codes, without what opens anything.
    ListRecoveryCodes = Demand::new("list-recovery-codes", HUMAN, CERT_ONLY);
    /// A machine without an identity asks to be somebody's new device.
    BeginRecovery = Demand::new("begin-recovery", HUMAN, Entry::RecoveryKey).while_frozen();
    /// It asks how it stands.
    ReadRecovery = Demand::new("read-recovery", HUMAN, Entry::RecoveryKey).while_frozen();
    /// It shows a recovery code, or one that was mailed.
    ProveRecovery = Demand::new("prove-recovery", HUMAN, Entry::RecoveryKey).while_frozen();
    /// It asks for the waiting period.
    AskForWait = Demand::new("ask-for-wait", HUMAN, Entry::RecoveryKey).while_frozen();
    /// It begins to show a passkey.
    BeginRecoveryPasskey =
        Demand::new("begin-recovery-passkey", HUMAN, Entry::RecoveryKey).while_frozen();
    /// It hands in what the passkey's page yielded.
    RedeemRecoveryPasskey =
        Demand::new("redeem-recovery-passkey", HUMAN, Entry::RecoveryKey).while_frozen();
    /// It asks for a code to be mailed to the account's confirmed addresses.
    MailRecoveryCode =
        Demand::new("mail-recovery-code", HUMAN, Entry::RecoveryKey).while_frozen();
    /// It becomes a device.
    CompleteRecovery = Demand::new("complete-recovery", HUMAN, Entry::RecoveryKey).while_frozen();
    /// Recoveries of one's own account that are under way.
    ListRecoveries = Demand::new("list-recoveries", HUMAN, CERT_ONLY).while_frozen();
    /// "That is not me": ends one. It takes a person, or the stolen laptop would do it for ever.
    ObjectToRecovery = Demand::new("object-to-recovery", HUMAN, CERT_HUMAN).while_frozen();

    /// A machine without an identity asks to be another device of somebody who has one at hand.
    BeginLink = Demand::new("begin-link", HUMAN, Entry::RecoveryKey).while_frozen();
    /// It asks how it stands.
    ReadLink = Demand::new("read-link", HUMAN, Entry::RecoveryKey).while_frozen();
    /// It answers the approver's commitment.
    AnswerLink = Demand::new("answer-link", HUMAN, Entry::RecoveryKey).while_frozen();
    /// The approver looks for the device that shows a code: one's own account's only.
    FindLink = Demand::new("find-link", HUMAN, CERT_ONLY);
    /// The approver takes it on, after a touch for exactly this device and key: what a stolen laptop
    /// could take on, its owner could not.
    ClaimLink = Demand::new("claim-link", HUMAN, CERT_HUMAN).bound();
    /// The approver looks whether the new device has answered.
    WatchLink = Demand::new("watch-link", HUMAN, CERT_ONLY);
    /// The approver reveals what it committed to.
    RevealLink = Demand::new("reveal-link", HUMAN, CERT_ONLY);
    /// The check codes are equal: spends the touch.
    ApproveLink = Demand::new("approve-link", HUMAN, CERT_HUMAN).bound();
    /// "That device is not in front of me": ends what this device has taken on.
    StopLink = Demand::new("stop-link", HUMAN, CERT_ONLY).while_frozen();

    /// Whether a wait may stand in for a proof, on this server and for oneself.
    ReadWaiting = Demand::new("read-waiting", HUMAN, CERT_ONLY);
    /// Lets a wait stand in for a proof: a way in more, so that probation applies.
    AllowWaiting = Demand::new("allow-waiting", HUMAN, CERT_HUMAN).bound().evicts();
    /// Lets it no longer.
    ForbidWaiting = Demand::new("forbid-waiting", HUMAN, CERT_HUMAN).bound();
    /// One's guardians.
    ListGuardians = Demand::new("list-guardians", HUMAN, CERT_ONLY);
    /// One guardian more: a way in more, so that probation applies.
    NameGuardian = Demand::new("name-guardian", HUMAN, CERT_HUMAN).bound().evicts();
    /// One fewer.
    RemoveGuardian = Demand::new("remove-guardian", HUMAN, CERT_HUMAN).bound().evicts();
    /// Who has named one as their guardian.
    ListWards = Demand::new("list-wards", HUMAN, CERT_ONLY);
    /// One accepts.
    AcceptWard = Demand::new("accept-ward", HUMAN, CERT_HUMAN);
    /// One declines, or is no longer available.
    LeaveWard = Demand::new("leave-ward", HUMAN, CERT_HUMAN);
    /// Recoveries of those whose guardian one is.
    ListWardRecoveries = Demand::new("list-ward-recoveries", HUMAN, CERT_ONLY);
    /// Vouches for one of them.
    VouchForWard = Demand::new("vouch-for-ward", HUMAN, CERT_HUMAN).bound();

    /// How ready one is to lose something: the score to the device, paths and names to the person.
    ReadReadiness = Demand::new("read-readiness", HUMAN, CERT_ONLY).while_frozen();
    /// What lets one back in.
    ReadRecoveryPlan = Demand::new("read-recovery-plan", HUMAN, CERT_HUMAN);
    /// A plan of one's own, or none again. Loosening it takes a way of being safe from somebody.
    SetRecoveryPlan = Demand::new("set-recovery-plan", HUMAN, CERT_HUMAN).bound().evicts();
    /// A drill: a recovery code is tried, and not burnt.
    DrillRecoveryCode = Demand::new("drill-recovery-code", HUMAN, CERT_ONLY);
    /// A drill: a passkey was tried, for that alone.
    DrillPasskey = Demand::new("drill-passkey", HUMAN, CERT_HUMAN).bound();

    /// One's own audit rows.
    ReadAudit = Demand::new("read-audit", HUMAN, CERT_ONLY);

    /// The tenant's people.
    AdminListUsers =
        Demand::new("admin-list-users", HUMAN, CERT_ONLY)
            .tenant_wide_for(AUDITORS)
            .delegable(HELPERS);
    /// The tenant's devices.
    AdminListDevices =
        Demand::new("admin-list-devices", HUMAN, CERT_ONLY).tenant_wide_for(DEVICE_READERS);
    /// Suspends anybody's device.
    AdminSuspendDevice =
        Demand::new("admin-suspend-device", HUMAN, CERT_HUMAN).tenant_wide().delegable(HELPERS);
    /// Resumes anybody's device.
    AdminResumeDevice =
        Demand::new("admin-resume-device", HUMAN, CERT_HUMAN).tenant_wide().delegable(HELPERS);
    /// Revokes anybody's device.
    AdminRevokeDevice =
        Demand::new("admin-revoke-device", HUMAN, CERT_HUMAN).bound().tenant_wide().evicts();
    /// Freezes anybody's account, until an administrator ends it.
    AdminFreezeUser =
        Demand::new("admin-freeze-user", HUMAN, CERT_HUMAN).bound().tenant_wide().evicts();
    /// Ends anybody's freeze.
    AdminUnfreezeUser =
        Demand::new("admin-unfreeze-user", HUMAN, CERT_HUMAN).bound().tenant_wide().evicts();
    /// Who in the tenant is on their way back in.
    AdminListRecoveries =
        Demand::new("admin-list-recoveries", HUMAN, CERT_ONLY)
            .tenant_wide_for(AUDITORS)
            .delegable(HELPERS);
    /// Vouches for one of them.
    AdminApproveRecovery =
        Demand::new("admin-approve-recovery", HUMAN, CERT_HUMAN).bound().tenant_wide();
    /// Ends one.
    AdminRefuseRecovery =
        Demand::new("admin-refuse-recovery", HUMAN, CERT_HUMAN).tenant_wide().delegable(HELPERS);
    /// How ready the tenant's people are.
    AdminReadReadiness =
        Demand::new("admin-read-readiness", HUMAN, CERT_ONLY)
            .tenant_wide_for(AUDITORS)
            .delegable(HELPERS);
    /// The tenant's audit.
    AdminReadAudit =
        Demand::new("admin-read-audit", HUMAN, CERT_ONLY)
            .tenant_wide_for(AUDITORS)
            .delegable(HELPERS);

    /// What the log says of itself: hashes, and nothing of anybody.
    ReadAuditCheckpoint = Demand::new("read-audit-checkpoint", PEOPLE_AND_DEVICES, CERT_ONLY);
    /// That it only grew: hashes as well.
    ProveAuditGrowth = Demand::new("prove-audit-growth", PEOPLE_AND_DEVICES, CERT_ONLY);
    /// That a row of one's own is in it; of anybody's, for those who read them.
    ProveAuditRow = Demand::new("prove-audit-row", HUMAN, CERT_ONLY);

    /// The tenant's rules.
    AdminReadPolicies =
        Demand::new("admin-read-policies", HUMAN, CERT_ONLY).tenant_wide_for(AUDITORS);
    /// What other rules would change.
    AdminTryPolicy = Demand::new("admin-try-policy", HUMAN, CERT_ONLY).tenant_wide();
    /// Other rules for the tenant.
    AdminSetPolicy = Demand::new("admin-set-policy", HUMAN, CERT_HUMAN).bound().tenant_wide();

    /// Another role for somebody.
    AdminSetRole =
        Demand::new("admin-set-role", HUMAN, CERT_HUMAN).bound().tenant_wide().evicts();

    /// A key for a machine that stands for itself: made here, handed out once.
    ProvisionCredential =
        Demand::new("provision-credential", HUMAN, CERT_HUMAN).bound().tenant_wide_for(PROVISIONERS);
    /// The second person's yes to one, where a machine's role takes two.
    ApproveProvision = Demand::new("approve-provision", HUMAN, CERT_HUMAN).bound().tenant_wide_for(PROVISIONERS);
    /// The tenant's machines and their keys.
    ListProvisioned = Demand::new("list-provisioned", HUMAN, CERT_ONLY).tenant_wide_for(DEVICE_READERS);
    /// Cuts one key of a machine off for now.
    DisableKey = Demand::new("disable-key", HUMAN, CERT_HUMAN).tenant_wide_for(PROVISIONERS);
    /// Lets it work again.
    EnableKey = Demand::new("enable-key", HUMAN, CERT_HUMAN).tenant_wide_for(PROVISIONERS);
    /// A machine puts a key of its own in the place of the one that was handed out.
    ClaimCredential = Demand::new("claim-credential", MACHINES, CERT_ONLY);

    /// An SVID for a pod or a CI job, by its platform's token.
    ExchangeWorkload = Demand::new("exchange-workload", WORKLOADS, Entry::PlatformToken);
    /// The platforms whose word is taken.
    AdminListWorkloadIssuers =
        Demand::new("admin-list-workload-issuers", HUMAN, CERT_ONLY).tenant_wide();
    /// One more.
    AdminAddWorkloadIssuer =
        Demand::new("admin-add-workload-issuer", HUMAN, CERT_HUMAN).tenant_wide();
    /// One fewer.
    AdminRemoveWorkloadIssuer =
        Demand::new("admin-remove-workload-issuer", HUMAN, CERT_HUMAN).tenant_wide();

    /// An agent wants to be one.
    EnrollAgent = Demand::new("enroll-agent", AGENT, Entry::AgentKey);
    /// An agent's next token, by its key.
    IssueAgentToken = Demand::new("issue-agent-token", AGENT, Entry::AgentKey);
    /// A token for a part of an agent, by the agent's own.
    IssueSubAgentToken = Demand::new("issue-sub-agent-token", AGENT, Entry::AgentKey);
    /// An agent asks to be somebody's, side by side with a device of theirs.
    BeginAgentPairing = Demand::new("begin-agent-pairing", AGENT, Entry::AgentKey);
    /// It asks how it stands.
    ReadAgentPairing = Demand::new("read-agent-pairing", AGENT, Entry::AgentKey);
    /// It answers the approver's commitment.
    AnswerAgentPairing = Demand::new("answer-agent-pairing", AGENT, Entry::AgentKey);
    /// A code that lets one agent in, as one's own.
    IssueAgentCode = Demand::new("issue-agent-code", HUMAN, CERT_HUMAN).bound();
    /// One's codes for agents.
    ListAgentCodes = Demand::new("list-agent-codes", HUMAN, CERT_ONLY);
    /// Withdraws one.
    CancelAgentCode = Demand::new("cancel-agent-code", HUMAN, CERT_ONLY);
    /// One's agents; also while frozen, or nobody could say which one to cut off.
    ListAgents = Demand::new("list-agents", HUMAN, CERT_ONLY).while_frozen();
    /// Cuts an agent of one's own off for ever, and its sub-agents with it.
    RevokeAgent = Demand::new("revoke-agent", HUMAN, CERT_HUMAN).while_frozen();
    /// The owner looks for the agent that shows a code: one that names them.
    FindAgentPairing = Demand::new("find-agent-pairing", HUMAN, CERT_ONLY);
    /// They take it on, after a touch for exactly this agent and key.
    ClaimAgentPairing = Demand::new("claim-agent-pairing", HUMAN, CERT_HUMAN).bound();
    /// They look whether the agent has answered.
    WatchAgentPairing = Demand::new("watch-agent-pairing", HUMAN, CERT_ONLY);
    /// They reveal what they committed to.
    RevealAgentPairing = Demand::new("reveal-agent-pairing", HUMAN, CERT_ONLY);
    /// The check codes are equal: spends the touch.
    ApproveAgentPairing = Demand::new("approve-agent-pairing", HUMAN, CERT_HUMAN).bound();
    /// "That agent is not mine": ends what this device has taken on.
    StopAgentPairing =
        Demand::new("stop-agent-pairing", HUMAN, CERT_ONLY).while_frozen();
    /// What an agent may do elsewhere, within its ceiling.
    IssueCapability = Demand::new("issue-capability", AGENT, Entry::AgentKey);
    /// Handing that on, smaller.
    ExchangeCapability = Demand::new("exchange-capability", AGENT, Entry::AgentKey);
    /// An agent asks its owner for more.
    RaiseApproval = Demand::new("raise-approval", AGENT, Entry::AgentKey);
    /// It asks how that stands.
    ReadApproval = Demand::new("read-approval", AGENT, Entry::AgentKey);
    /// What one's agents have asked for.
    ListApprovals = Demand::new("list-approvals", HUMAN, CERT_ONLY);
    /// Yes, for exactly that.
    GrantApproval = Demand::new("grant-approval", HUMAN, CERT_HUMAN).bound();
    /// No.
    RefuseApproval = Demand::new("refuse-approval", HUMAN, CERT_ONLY).while_frozen();
    /// The tenant's agents.
    AdminListAgents = Demand::new("admin-list-agents", HUMAN, CERT_ONLY).tenant_wide();
    /// Cuts anybody's agent off for ever.
    AdminRevokeAgent = Demand::new("admin-revoke-agent", HUMAN, CERT_HUMAN).tenant_wide();
}

impl Action {
    /// Its stable code.
    pub const fn code(self) -> &'static str {
        self.demand().code
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique() {
        let codes: HashSet<_> = Action::ALL.iter().map(|action| action.code()).collect();
        assert_eq!(codes.len(), Action::ALL.len());
    }

    #[test]
    fn what_evicts_or_creates_a_way_in_takes_a_human() {
        for action in Action::ALL {
            let demand = action.demand();
            if demand.evicts || demand.binding != Binding::Unbound {
                assert_eq!(demand.entry, CERT_HUMAN, "{action:?}");
                assert!(demand.freshness.is_some(), "{action:?}");
            }
        }
    }
}
