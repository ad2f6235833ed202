//! What goes into a flow and what comes out of it.

use crate::view::FlowView;
use landfall_identity::id::{CeremonyId, RecoveryId};
use landfall_identity::passkey::Attachment;
use landfall_identity::{DeviceName, Label, Timestamp, UserName};
use landfall_protocol::Problem;
use landfall_protocol::ceremony::{BoundActBody, CeremonyBegun};
use landfall_protocol::enroll::CertIssued;
use landfall_protocol::link::LinkStatus;
use landfall_protocol::passkey::PasskeyInfo;
use landfall_protocol::recovery::{Recovered, RecoveryStatus};
use landfall_protocol::session::SessionOpened;
use serde::{Deserialize, Serialize};

/// A client state machine.
pub trait Flow {
    /// Takes one input, which happened at `now`.
    fn step(&mut self, input: Input, now: Timestamp) -> Step;

    /// What to show at `now`, without anything having happened.
    fn view(&self, now: Timestamp) -> FlowView;
}

/// Something that happened.
#[derive(Clone)]
pub enum Input {
    /// The person says go: for the first time, or again after a failure that can be resumed.
    Begin,
    /// A call was answered.
    Replied(Reply),
    /// The key exists.
    KeyReady {
        /// How the key store and the server call it.
        key: KeyRef,
    },
    /// The key signed its certificate request.
    Signed {
        /// The request, PEM.
        csr: String,
    },
    /// The browser half came back, or the person typed what the page shows.
    PasskeyAnswered {
        /// The completion secret, or the typed characters.
        completion: String,
    },
    /// What the person typed cannot be what the page shows: they may look and type again.
    Mistyped(Problem),
    /// The effect that was being carried out failed; those after it were not begun.
    Failed(Problem),
    /// The person takes the other way that the view offers.
    OtherWay,
    /// A new process has read the saved state back.
    Resumed,
    /// The person stops.
    Cancelled,
    /// A moment that was asked for by [`Effect::WakeAt`] has come, perhaps late, perhaps twice.
    Tick,
}

/// What a call was answered with.
#[derive(Clone)]
pub enum Reply {
    /// A first certificate, or the next one.
    Certificate(Box<CertIssued>),
    /// A ceremony has begun.
    Ceremony(CeremonyBegun),
    /// A step-up was redeemed.
    Session(SessionOpened),
    /// A passkey was registered.
    Passkey(Box<PasskeyInfo>),
    /// How a recovery stands.
    Recovery(RecoveryStatus),
    /// A recovery made a device.
    Recovered(Box<Recovered>),
    /// How a link stands, and what the engine has computed from it.
    Link(Box<LinkSeen>),
}

/// A link as this machine sees it. What a server must not supply, the engine has computed itself.
#[derive(Clone)]
pub struct LinkSeen {
    /// What the server said.
    pub status: LinkStatus,
    /// The eight characters that the approver types, of the link and this machine's key.
    pub code: String,
    /// The same for a camera, with the whole key and the server.
    pub scan: String,
    /// The six digits, once both sides have said everything, and what was revealed is what was
    /// committed to.
    pub check_code: Option<String>,
}

/// A key of this machine, by its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRef {
    /// Its local name in the key store.
    pub handle: String,
    /// Its public name (RFC 7638).
    pub thumbprint: String,
}

/// Something that an engine must do.
#[derive(Clone)]
pub enum Effect {
    /// Ask the server; answer with [`Input::Replied`].
    Call(Call),
    /// Make a key, or find it when it was made before a crash; answer with [`Input::KeyReady`].
    CreateKey {
        /// A name that is the same on every try.
        name: String,
    },
    /// Make a certificate request with it; answer with [`Input::Signed`].
    BuildCsr {
        /// Which key.
        key: KeyRef,
    },
    /// Have a person use a passkey; answer with [`Input::PasskeyAnswered`].
    AskPasskey {
        /// What the server said about the ceremony.
        begun: CeremonyBegun,
        /// How the completion comes back.
        by: Door,
    },
    /// Write to disk, durably, before the next effect.
    Save(Saved),
    /// Delete the saved progress, and the key if nothing uses it.
    Forget,
    /// Send [`Input::Tick`] at this time.
    WakeAt(Timestamp),
}

/// What to write to disk.
#[derive(Clone)]
pub enum Saved {
    /// The flow itself, so that it can be resumed.
    Progress,
    /// The outcome of an enrolment: from here on the machine is who the certificate says.
    Identity {
        /// The key.
        key: KeyRef,
        /// The certificate and what belongs to it.
        issued: Box<CertIssued>,
    },
}

/// A request to the server. What is secret in it the engine adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// The first certificate. The engine adds the token's public name and `auth` half.
    IssueCertificate {
        /// The request, PEM.
        csr: String,
        /// The user.
        user: UserName,
        /// The device.
        device: DeviceName,
        /// What the person calls it.
        label: Option<Label>,
    },
    /// The next certificate, by the key's signature.
    RenewCertificate {
        /// Which key.
        key: KeyRef,
    },
    /// Begin a recovery. This and the next ones are signed by the key.
    BeginRecovery {
        /// Which key.
        key: KeyRef,
        /// Its request, PEM.
        csr: String,
        /// Whose account it is.
        user: UserName,
        /// What this machine will be called.
        device: DeviceName,
    },
    /// Show the code that the person gave. The engine adds its name and its `auth` half.
    ProveRecovery {
        /// Which key.
        key: KeyRef,
        /// Which recovery.
        recovery: RecoveryId,
    },
    /// Begin to show a passkey. The engine opens the door first and adds it.
    BeginRecoverPasskey {
        /// Which key.
        key: KeyRef,
        /// Which recovery.
        recovery: RecoveryId,
        /// How the completion comes back.
        by: Door,
    },
    /// Redeem what the passkey's page yielded.
    RedeemRecoverPasskey {
        /// Which key.
        key: KeyRef,
        /// Which recovery.
        recovery: RecoveryId,
        /// Which ceremony.
        ceremony: CeremonyId,
        /// What the browser half yielded.
        completion: String,
    },
    /// Ask for a code to be mailed.
    MailRecoveryCode {
        /// Which key.
        key: KeyRef,
        /// Which recovery.
        recovery: RecoveryId,
    },
    /// Show the code that was mailed. The engine adds what the person typed.
    ProveRecoveryByMail {
        /// Which key.
        key: KeyRef,
        /// Which recovery.
        recovery: RecoveryId,
    },
    /// Ask how it stands.
    ShowRecovery {
        /// Which key.
        key: KeyRef,
        /// Which recovery.
        recovery: RecoveryId,
    },
    /// Begin a link. This and the next two are signed by the key.
    BeginLink {
        /// Which key.
        key: KeyRef,
        /// Its request, PEM.
        csr: String,
        /// Whose account it is.
        user: UserName,
        /// What this machine will be called.
        device: DeviceName,
    },
    /// Ask how the link stands.
    ShowLink {
        /// Which key.
        key: KeyRef,
        /// Which link.
        link: RecoveryId,
    },
    /// Answer the approver's commitment. The engine makes the nonce, keeps it together with the
    /// commitment, and answers no other one ever.
    AnswerLink {
        /// Which key.
        key: KeyRef,
        /// Which link.
        link: RecoveryId,
        /// What the approver committed to.
        commitment: String,
    },
    /// Ask for the waiting period.
    WaitRecovery {
        /// Which key.
        key: KeyRef,
        /// Which recovery.
        recovery: RecoveryId,
    },
    /// Become a device. The engine makes the code that replaces a used one, and adds it.
    CompleteRecovery {
        /// Which key.
        key: KeyRef,
        /// Which recovery.
        recovery: RecoveryId,
        /// What this machine is called.
        device: DeviceName,
        /// What the person calls it.
        label: Option<Label>,
        /// A lost device, to be suspended.
        lost: Option<DeviceName>,
    },
    /// Begin a step-up. The engine opens the door first and adds it.
    BeginStepUp {
        /// The one act to confirm.
        act: Option<BoundActBody>,
        /// Only this kind of passkey.
        attachment: Option<Attachment>,
        /// How the completion comes back.
        by: Door,
    },
    /// Redeem a step-up.
    RedeemStepUp {
        /// Which.
        ceremony: CeremonyId,
        /// What the browser half yielded.
        completion: String,
    },
    /// Begin to register a passkey. The engine opens the door first and adds it.
    BeginRegister {
        /// Where it shall live.
        attachment: Attachment,
        /// What the person calls it.
        label: Label,
        /// Whether it must be found without a user name.
        resident: bool,
        /// How the completion comes back.
        by: Door,
    },
    /// Redeem a registration.
    RedeemRegister {
        /// Which.
        ceremony: CeremonyId,
        /// What the browser half yielded.
        completion: String,
    },
}

/// How a completion comes back to the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// From a security key that is plugged into this machine: the app is its own browser. It falls back
    /// to the redirect, in the same ceremony.
    SecurityKey,
    /// By a redirect to this machine.
    Loopback,
    /// By hand.
    Typed,
}

/// What an input led to.
#[derive(Clone)]
pub struct Step {
    /// To be carried out in this order; the first failure ends it.
    pub effects: Vec<Effect>,
    /// To be shown.
    pub view: FlowView,
}
