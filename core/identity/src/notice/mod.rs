//! What the owner of an account must hear of, in words.
//!
//! A notice is a fact that was committed together with the act it tells of. It is rendered here and nowhere else:
//! calm, whole, and saying what to do if it was not the owner who did it. Nothing in it is secret. Names and
//! labels that people gave are quoted, bounded, and cannot break a line.

pub mod delivery;
pub mod letter;
mod waiting;

use crate::address::MailAddress;
use crate::agent::AgentId;
use crate::caller::Role;
use crate::id::NoticeId;
use crate::name::{DeviceName, LABEL_MAX, Label, TenantName, UserName, is_hostile_in_a_label};
use crate::time::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};

/// Characters of an agent's name in the subject of a mail.
const AGENT_IN_SUBJECT: usize = 48;
/// How long a notice can be read on the owner's devices. The audit keeps what it tells of for ever.
pub const NOTICE_KEPT: Seconds = Seconds::days(90);

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Happening {
    /// A device got its first certificate.
    DeviceEnrolled {
        /// Its name.
        device: DeviceName,
        /// What it is called.
        label: Option<Label>,
    },
    /// A device was cut off, and can be resumed.
    DeviceSuspended {
        /// Its name.
        device: DeviceName,
        /// What it is called.
        label: Option<Label>,
    },
    /// A suspended device works again.
    DeviceResumed {
        /// Its name.
        device: DeviceName,
        /// What it is called.
        label: Option<Label>,
    },
    /// A device was cut off for ever.
    DeviceRevoked {
        /// Its name.
        device: DeviceName,
        /// What it is called.
        label: Option<Label>,
    },
    /// Everything of the account stands still.
    AccountFrozen,
    /// It works again.
    AccountUnfrozen,
    /// A passkey can be used from now on.
    PasskeyRegistered {
        /// What it is called.
        label: Label,
    },
    /// A passkey is gone.
    PasskeyRemoved {
        /// What it was called.
        label: Label,
    },
    /// Notices are mailed to another address as well.
    AddressAdded {
        /// Which one.
        address: MailAddress,
    },
    /// Notices are no longer mailed to an address.
    AddressRemoved {
        /// Which one.
        address: MailAddress,
    },
    /// A device that a recovery has suspended will be revoked, unless somebody objects.
    DeviceToBeRevoked {
        /// Its name.
        device: DeviceName,
    },
    /// A machine waits to be let in, and will be unless somebody objects.
    WaitBegun {
        /// The device that it would be.
        device: DeviceName,
        /// How long it waits.
        days: u64,
    },
    /// Half of that time is over.
    WaitHalf {
        /// The device that it would be.
        device: DeviceName,
    },
    /// It ends within a day.
    WaitEnds {
        /// The device that it would be.
        device: DeviceName,
    },
    /// Two machines wait, or there were two objections: time alone lets nobody in.
    WaitContested {
        /// The device that it would be.
        device: DeviceName,
    },
    /// A wait may stand in for a proof from now on.
    WaitingAllowed,
    /// It may not any more.
    WaitingForbidden,
    /// Somebody was chosen as a guardian.
    GuardianNamed {
        /// Who.
        guardian: UserName,
    },
    /// They accepted.
    GuardianAccepted {
        /// Who.
        guardian: UserName,
    },
    /// A guardian is one no longer.
    GuardianRemoved {
        /// Who.
        guardian: UserName,
    },
    /// They declined, or are no longer available.
    GuardianLeft {
        /// Who.
        guardian: UserName,
    },
    /// Somebody wants this user as their guardian.
    WardAsks {
        /// Who.
        ward: UserName,
    },
    /// Somebody began to recover the account, and has proved something: strangers who prove nothing
    /// write no notices.
    RecoveryBegun {
        /// The device that it would enrol.
        device: DeviceName,
    },
    /// Somebody vouched for a recovery of the account.
    RecoveryApproved {
        /// The device that it would enrol.
        device: DeviceName,
    },
    /// A recovery of the account was refused.
    RecoveryStopped {
        /// The device that it would have enrolled.
        device: DeviceName,
    },
    /// Somebody who is recovering the account had a code mailed to its addresses.
    RecoveryCodeMailed {
        /// The device that it would enrol.
        device: DeviceName,
    },
    /// The account was recovered.
    RecoveryCompleted {
        /// The device that it enrolled.
        device: DeviceName,
    },
    /// A recovery code was used up.
    RecoveryCodeUsed {
        /// Codes that can still be used.
        left: u32,
    },
    /// What lets the owner back in was changed.
    RecoveryPlanChanged,
    /// Whoever runs the server made a code that lets somebody in as an administrator.
    BreakGlass {
        /// Whom.
        user: UserName,
    },
    /// The recovery codes were made anew; the old ones are worthless.
    RecoveryCodesRemade {
        /// Codes that there are now.
        count: u32,
    },
    /// What the user may do in the tenant was changed.
    RoleChanged {
        /// To what.
        role: Role,
    },
    /// There is another administrator.
    AdminAdded {
        /// Who.
        user: UserName,
    },
    /// The tenant has other rules.
    RulesChanged,
    /// An agent acts for the owner from now on.
    AgentEnrolled {
        /// Which one.
        agent: AgentId,
    },
    /// One was cut off for ever.
    AgentRevoked {
        /// Which one.
        agent: AgentId,
    },
    /// A machine put a key of its own in the place of the one that the user had handed out for it.
    MachineClaimed {
        /// Its name.
        machine: DeviceName,
    },
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum By {
    /// One of the owner's own devices.
    Device {
        /// Which one.
        device: DeviceName,
    },
    /// An administrator.
    Administrator {
        /// Who.
        user: UserName,
    },
    /// Whoever followed the link in a mailed notice.
    Link,
    /// A machine that asks to be let in, or was let in, by a recovery.
    Recovery {
        /// What it is, or would be, called.
        device: DeviceName,
    },
    /// Whoever runs the server, on the server's own machine.
    Operator,
    /// Another person, in what concerns them both.
    Person {
        /// Who.
        user: UserName,
    },
    /// The server, as it had announced.
    Server,
    /// Whoever held a machine's file and its words.
    File,
    /// Whoever held a code.
    Code {
        /// Who made the code; nobody but the server for the claim of a new server.
        made_by: Option<UserName>,
        /// On which device.
        made_on: Option<DeviceName>,
    },
}

/// What happened, to whom, when, by whom and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its identifier.
    pub id: NoticeId,
    /// Where.
    pub tenant: TenantName,
    /// Whose account.
    pub user: UserName,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
    /// By whom.
    pub by: By,
    /// The address that the request came from.
    pub source: Option<String>,
}

impl Happening {
    /// Its stable code.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::DeviceEnrolled { .. } => "device-enrolled",
            Self::DeviceSuspended { .. } => "device-suspended",
            Self::DeviceResumed { .. } => "device-resumed",
            Self::DeviceRevoked { .. } => "device-revoked",
            Self::AccountFrozen => "account-frozen",
            Self::AccountUnfrozen => "account-unfrozen",
            Self::PasskeyRegistered { .. } => "passkey-registered",
            Self::PasskeyRemoved { .. } => "passkey-removed",
            Self::AddressAdded { .. } => "address-added",
            Self::AddressRemoved { .. } => "address-removed",
            Self::DeviceToBeRevoked { .. } => "device-to-be-revoked",
            Self::WaitBegun { .. } => "wait-begun",
            Self::WaitHalf { .. } => "wait-half",
            Self::WaitEnds { .. } => "wait-ends",
            Self::WaitContested { .. } => "wait-contested",
            Self::WaitingAllowed => "waiting-allowed",
            Self::WaitingForbidden => "waiting-forbidden",
            Self::GuardianNamed { .. } => "guardian-named",
            Self::GuardianAccepted { .. } => "guardian-accepted",
            Self::GuardianRemoved { .. } => "guardian-removed",
            Self::GuardianLeft { .. } => "guardian-left",
            Self::WardAsks { .. } => "ward-asks",
            Self::RecoveryBegun { .. } => "recovery-begun",
            Self::RecoveryApproved { .. } => "recovery-approved",
            Self::RecoveryStopped { .. } => "recovery-stopped",
            Self::RecoveryCodeMailed { .. } => "recovery-code-mailed",
            Self::RecoveryCompleted { .. } => "recovery-completed",
            Self::RecoveryCodeUsed { .. } => "recovery-code-used",
            Self::RecoveryPlanChanged => "recovery-plan-changed",
            Self::BreakGlass { .. } => "break-glass",
            Self::RecoveryCodesRemade { .. } => "recovery-codes-remade",
            Self::RoleChanged { .. } => "role-changed",
            Self::AdminAdded { .. } => "admin-added",
            Self::RulesChanged => "rules-changed",
            Self::AgentEnrolled { .. } => "agent-enrolled",
            Self::AgentRevoked { .. } => "agent-revoked",
            Self::MachineClaimed { .. } => "machine-claimed",
        }
    }

    /// It in a few words. Names only, in their narrow alphabet: fit for the subject of a mail.
    pub fn title(&self) -> String {
        match self {
            Self::DeviceEnrolled { device, .. } => format!("New device: {device}"),
            Self::DeviceSuspended { device, .. } => format!("Device suspended: {device}"),
            Self::DeviceResumed { device, .. } => format!("Device works again: {device}"),
            Self::DeviceRevoked { device, .. } => format!("Device cut off for ever: {device}"),
            Self::AccountFrozen => "Your account is frozen".to_owned(),
            Self::AccountUnfrozen => "Your account works again".to_owned(),
            Self::PasskeyRegistered { .. } => "New passkey".to_owned(),
            Self::PasskeyRemoved { .. } => "Passkey removed".to_owned(),
            Self::AddressAdded { .. } => "New address for notices".to_owned(),
            Self::AddressRemoved { .. } => "Address for notices removed".to_owned(),
            Self::DeviceToBeRevoked { device } => {
                format!("Device to be cut off for ever: {device}")
            }
            Self::WaitBegun { device, .. } => format!("Waiting to be let in: {device}"),
            Self::WaitHalf { device } => format!("Still waiting to be let in: {device}"),
            Self::WaitEnds { device } => format!("Let in within a day: {device}"),
            Self::WaitContested { device } => format!("Not let in by time alone: {device}"),
            Self::WaitingAllowed => "A wait may let you back in".to_owned(),
            Self::WaitingForbidden => "A wait lets nobody in any more".to_owned(),
            Self::GuardianNamed { guardian } => format!("Guardian chosen: {guardian}"),
            Self::GuardianAccepted { guardian } => format!("Guardian accepted: {guardian}"),
            Self::GuardianRemoved { guardian } => format!("Guardian removed: {guardian}"),
            Self::GuardianLeft { guardian } => format!("Guardian gone: {guardian}"),
            Self::WardAsks { ward } => format!("{ward} wants you as a guardian"),
            Self::RecoveryBegun { device } => format!("Recovery begun, for the device {device}"),
            Self::RecoveryApproved { device } => {
                format!("Recovery approved, for the device {device}")
            }
            Self::RecoveryStopped { device } => format!("Recovery stopped, of the device {device}"),
            Self::RecoveryCodeMailed { device } => format!("Code mailed, for the device {device}"),
            Self::RecoveryCompleted { device } => format!("Account recovered, on {device}"),
            Self::RecoveryCodeUsed { .. } => "Recovery code used".to_owned(),
            Self::RecoveryPlanChanged => "What lets you back in was changed".to_owned(),
            Self::BreakGlass { user } => format!("Emergency code for the administrator {user}"),
            Self::RecoveryCodesRemade { .. } => "New recovery codes".to_owned(),
            Self::RoleChanged { role } => format!("You are {} now", role.in_words()),
            Self::AdminAdded { user } => format!("{user} is an administrator now"),
            Self::RulesChanged => "The tenant's rules were changed".to_owned(),
            Self::AgentEnrolled { agent } => format!("New agent: {}", short(agent)),
            Self::AgentRevoked { agent } => format!("Agent cut off for ever: {}", short(agent)),
            Self::MachineClaimed { machine } => format!("Machine claimed: {machine}"),
        }
    }

    /// It as a sentence without its end, so that "by whom" can follow.
    fn sentence(&self) -> String {
        match self {
            Self::DeviceToBeRevoked { .. }
            | Self::WaitBegun { .. }
            | Self::WaitHalf { .. }
            | Self::WaitEnds { .. }
            | Self::WaitContested { .. }
            | Self::WaitingAllowed
            | Self::WaitingForbidden => waiting::sentence(self),
            Self::GuardianNamed { .. }
            | Self::GuardianAccepted { .. }
            | Self::GuardianRemoved { .. }
            | Self::GuardianLeft { .. }
            | Self::WardAsks { .. } => waiting::of_guardians(self),
            Self::DeviceEnrolled { device, label } => {
                format!("The device {} was added to your account", named(device, label.as_ref()))
            }
            Self::DeviceSuspended { device, label } => {
                format!("The device {} was cut off for now", named(device, label.as_ref()))
            }
            Self::DeviceResumed { device, label } => {
                let device = named(device, label.as_ref());
                format!("The device {device}, which had been cut off, was let back in")
            }
            Self::DeviceRevoked { device, label } => {
                format!("The device {} was cut off for ever", named(device, label.as_ref()))
            }
            Self::AccountFrozen => "Everything of your account was stopped".to_owned(),
            Self::AccountUnfrozen => "The freeze of your account was ended".to_owned(),
            Self::PasskeyRegistered { label } => {
                format!("The passkey {} was added to your account", quoted(label))
            }
            Self::PasskeyRemoved { label } => {
                format!("The passkey {} was removed from your account", quoted(label))
            }
            Self::AddressAdded { address } => {
                format!("Notices of your account are mailed to {address} from now on")
            }
            Self::AddressRemoved { address } => {
                format!("Notices of your account are no longer mailed to {address}")
            }
            Self::RecoveryBegun { device } => {
                format!("Getting back into your account was begun, for the device {device}")
            }
            Self::RecoveryApproved { device } => {
                format!("Letting the device {device} into your account was approved")
            }
            Self::RecoveryStopped { device } => {
                format!("The device {device}, which asked to be let into your account, was refused")
            }
            Self::RecoveryCodeMailed { device } => {
                format!("A code to get back in, for the device {device}, was asked for")
            }
            Self::RecoveryCompleted { device } => {
                format!("Your account was recovered, on the device {device}")
            }
            Self::RecoveryCodeUsed { left } => {
                format!("One of your recovery codes was used; {left} can still be used")
            }
            Self::RecoveryPlanChanged => {
                "What lets you back in when you lose a device was changed".to_owned()
            }
            Self::RecoveryCodesRemade { count } => {
                format!("{count} new recovery codes were made; the old ones are worthless now")
            }
            Self::RoleChanged { role } => format!("You were made {}", role.in_words()),
            Self::AgentEnrolled { .. } | Self::AgentRevoked { .. } => waiting::of_agents(self),
            Self::AdminAdded { .. } | Self::RulesChanged => self.title(),
            Self::BreakGlass { .. } | Self::MachineClaimed { .. } => waiting::of_handed_out(self),
        }
    }
}

fn short(agent: &AgentId) -> String {
    agent.local().chars().take(AGENT_IN_SUBJECT).collect()
}

impl By {
    fn words(&self) -> String {
        match self {
            Self::Device { device } => format!("by your device {device}"),
            Self::Link => "by the link in a mailed notice".to_owned(),
            Self::Recovery { device } => {
                format!("by the new machine {device}")
            }
            Self::Person { user } => format!("by {user}"),
            Self::Server => "by the server, as it had announced".to_owned(),
            Self::File => "by whoever held its file and words".to_owned(),
            Self::Administrator { user } => format!("by the administrator {user}"),
            Self::Code { made_by: Some(user), made_on: Some(device) } => {
                format!("with a code that {user} made on {device}")
            }
            Self::Operator => "by whoever runs the server, on its own machine".to_owned(),
            Self::Code { .. } => "with a code that the server itself made".to_owned(),
        }
    }
}

impl Notice {
    /// What happened and who did it, as one sentence.
    pub fn text(&self) -> String {
        format!("{}, {}.", self.what.sentence(), self.by.words())
    }
}

/// A device as its owner knows it.
fn named(device: &DeviceName, label: Option<&Label>) -> String {
    match label {
        Some(label) => format!("{device} ({})", quoted(label)),
        None => device.to_string(),
    }
}

/// A text that somebody chose, in quotes that it cannot leave.
fn quoted(label: &Label) -> String {
    format!("\u{201C}{}\u{201D}", neutral(label.as_str(), LABEL_MAX))
}

/// A text from outside without what could break a line, reorder it, or close its quotes. Labels are
/// checked when they are read; this is the second lock on the same door.
fn neutral(text: &str, max: usize) -> String {
    let safe = |c: char| match c {
        '\u{201C}' | '\u{201D}' => '"',
        c if is_hostile_in_a_label(c) => '\u{FFFD}',
        c => c,
    };
    text.chars().take(max).map(safe).collect()
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
