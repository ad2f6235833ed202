//! A key for a machine: made here, sealed under a phrase, handed out once.
//!
//! Decide, seal, decide again and apply: sealing takes its time, so it is done before the write, for those
//! alone whose request would be granted; and a key exists only once its file does. Neither the private key nor
//! the phrase is kept anywhere. Whoever loses the answer asks for another key.

use super::known::id_of_machine;
use super::sealing::SealError;
use super::{RequestContext, Service, Turn};
use crate::config::MachineRoles;
use crate::failure::Failure;
use crate::store::provisioned::{self, Approval, Key, Machine};
use crate::store::{Tx, enrollments, users};
use data_encoding::{BASE64, HEXLOWER};
use landfall_crypto::credential::CredentialFacts;
use landfall_crypto::key::{KeyPair, Signer};
use landfall_crypto::secret::{SecretText, sha256};
use landfall_crypto::token::Trust;
use landfall_crypto::words;
use landfall_identity::authorize::Object;
use landfall_identity::id::{EnrollmentId, ProvisionApprovalId};
use landfall_identity::provisioned::{
    APPROVAL_TTL, CREDENTIAL_TTL, CREDENTIAL_TTL_MAX, Handing, KEYS_MAX, WORDS, WORDS_MAX,
    WORDS_MIN, may_agree,
};
use landfall_identity::spiffe::Principal;
use landfall_identity::{
    BoundAction, DeviceState, MachineRole, Refusal, Seconds, Timestamp, UserName,
};
use landfall_protocol::provisioned::{
    ProvisionApproveRequest, ProvisionApproved, ProvisionRequest, ProvisionedCredential,
};
use std::sync::Arc;
use url::Url;

/// Yeses that are looked at for one key.
const APPROVALS_MAX: u32 = 10;

/// A request that may be granted.
struct Granted {
    machine: Machine,
    is_new: bool,
    /// The second person's yes, where the role takes two.
    approval: Option<Approval>,
}

/// A key that was made and sealed, and is in no row yet.
struct Made {
    file: Vec<u8>,
    phrase: SecretText,
    public: Public,
}

/// What the server keeps of it.
#[derive(Clone)]
struct Public {
    id: EnrollmentId,
    spki: Vec<u8>,
    thumbprint: String,
    file_hash: [u8; 32],
    expires_at: Timestamp,
}

impl Service {
    /// Makes a key for a machine and hands it out, once: for a new machine at a role, or one more for a machine
    /// that is there.
    ///
    /// # Errors
    /// A refusal; a role that no key is made for; [`Refusal::SecondPersonNeeded`]; [`Failure::Busy`] when
    /// others are being served.
    pub async fn provision(
        &self,
        request: RequestContext,
        body: ProvisionRequest,
    ) -> Result<ProvisionedCredential, Failure> {
        let roles = Arc::clone(&self.settings.machine_roles);
        let act = act_of(&body);
        let ahead = self.ahead(&request, async |tx: &mut Tx<'_>, turn: &Turn| {
            let found = provisioned::machine(tx, turn.tenant(), &body.device).await?;
            turn.authorize_again(&object_of(turn, found.as_ref()), &act)?;
            decide(tx, turn, &roles, &body, found).await
        });
        // What is refused is refused again below, and written down there.
        let made = match ahead {
            Some(granted) => self.make(&granted.machine, &body).await,
            None => Err(SealError::Busy),
        };
        let public = made.as_ref().map(|made| made.public.clone()).map_err(Clone::clone);
        let (service, act) = (self.clone(), act_of(&body));
        let key = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                turn.about(format!("machine {}", body.device));
                let found = provisioned::machine(tx, turn.tenant(), &body.device).await?;
                turn.authorize(tx, &object_of(turn, found.as_ref()), Some(&act)).await?;
                let granted =
                    decide(tx, turn, &service.settings.machine_roles, &body, found).await?;
                let role = granted.machine.role.clone();
                turn.about(format!("machine {} at role {role}", body.device));
                let key = apply(tx, turn, granted, public.clone()?).await?;
                turn.about(receipt(&key));
                Ok(service.key_info(&key, turn.now))
            })
            .await?;
        let made = made?;
        Ok(ProvisionedCredential {
            file_name: format!("{}.age", key.device),
            file_sha256: HEXLOWER.encode(&made.public.file_hash),
            file_base64: BASE64.encode(&made.file),
            passphrase: made.phrase.to_string(),
            key,
        })
    }

    /// Agrees, as the second person, that somebody makes a key for a machine. Good for an hour and one key.
    ///
    /// # Errors
    /// A refusal; a role that takes one person, or none.
    pub async fn approve_provision(
        &self,
        request: RequestContext,
        body: ProvisionApproveRequest,
    ) -> Result<ProvisionApproved, Failure> {
        let id = ProvisionApprovalId::from_bits(self.ambient.row_bits());
        let service = self.clone();
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            let ProvisionApproveRequest { device, role, asker } = &body;
            turn.about(format!("a key for machine {device} at role {role}, made by {asker}"));
            let act = BoundAction::ApproveProvision {
                device: device.clone(),
                role: role.clone(),
                asker: asker.clone(),
            };
            let found = provisioned::machine(tx, turn.tenant(), device).await?;
            turn.authorize(tx, &object_of(turn, found.as_ref()), Some(&act)).await?;
            may_be_approved(tx, turn, &service.settings.machine_roles, &body).await?;
            let approval = Approval {
                id: id.clone(),
                tenant: turn.tenant().clone(),
                device: device.clone(),
                role: role.clone(),
                asker: asker.clone(),
                approver: turn.user()?.clone(),
                approved_by: turn.caller.spiffe_id.clone(),
                approved_at: turn.now,
                expires_at: turn.now + APPROVAL_TTL,
            };
            provisioned::insert_approval(tx, &approval).await?;
            Ok(ProvisionApproved {
                id: approval.id,
                device: approval.device,
                asker: approval.asker,
                expires_at: approval.expires_at.into(),
            })
        })
        .await
    }

    /// Makes a key and seals it.
    async fn make(&self, machine: &Machine, body: &ProvisionRequest) -> Result<Made, SealError> {
        let failed = |error: &dyn std::fmt::Display| SealError::Failed(error.to_string());
        let expires_at = self.ambient.now() + ttl_of(body);
        let key = KeyPair::generate().map_err(|error| failed(&error))?;
        let facts = CredentialFacts {
            server: Url::parse(&self.settings.public_url).map_err(|error| failed(&error))?,
            trust: Trust::try_from(self.pki.trust().to_owned()).map_err(|error| failed(&error))?,
            tenant: machine.tenant.clone(),
            device: machine.name.clone(),
            role: machine.role.clone(),
            expires_at,
        };
        let text = facts.print(&key).map_err(|error| failed(&error))?;
        let phrase = words::phrase(words_of(body), self.ambient.random.as_ref());
        let file = self.sealing.seal(text, phrase.clone()).await?;
        let public = key.public_key();
        Ok(Made {
            public: Public {
                id: EnrollmentId::from_bits(self.ambient.row_bits()),
                spki: public.spki(),
                thumbprint: public.thumbprint().to_string(),
                file_hash: sha256(&file),
                expires_at,
            },
            file,
            phrase,
        })
    }
}

fn ttl_of(body: &ProvisionRequest) -> Seconds {
    body.ttl_seconds.map_or(CREDENTIAL_TTL, Seconds)
}

fn words_of(body: &ProvisionRequest) -> u8 {
    body.words.unwrap_or(WORDS)
}

fn act_of(body: &ProvisionRequest) -> BoundAction {
    BoundAction::ProvisionCredential {
        device: body.device.clone(),
        role: body.role.clone(),
        ttl: ttl_of(body),
        words: words_of(body),
    }
}

/// The machine as an object; one that is not there yet is the tenant's all the same.
pub(super) fn object_of(turn: &Turn, machine: Option<&Machine>) -> Object {
    let nothing = || Object::Machine { tenant: turn.tenant().clone(), since: turn.now };
    machine.map_or_else(nothing, Machine::object)
}

/// Whether an act would be granted, before a person is asked to touch for it.
///
/// # Errors
/// What the act itself would meet.
pub(super) async fn foreseen(
    tx: &mut Tx<'_>,
    turn: &Turn,
    roles: &MachineRoles,
    act: &BoundAction,
) -> Result<(), Failure> {
    match act {
        BoundAction::ProvisionCredential { device, role, ttl, words } => {
            let body = ProvisionRequest {
                device: device.clone(),
                role: role.clone(),
                ttl_seconds: Some(ttl.0),
                words: Some(*words),
            };
            let found = provisioned::machine(tx, turn.tenant(), device).await?;
            decide(tx, turn, roles, &body, found).await.map(drop)
        }
        BoundAction::ApproveProvision { device, role, asker } => {
            let (device, role, asker) = (device.clone(), role.clone(), asker.clone());
            let body = ProvisionApproveRequest { device, role, asker };
            may_be_approved(tx, turn, roles, &body).await
        }
        _ => Ok(()),
    }
}

/// Whether the request is granted to somebody who may ask.
async fn decide(
    tx: &mut Tx<'_>,
    turn: &Turn,
    roles: &MachineRoles,
    body: &ProvisionRequest,
    found: Option<Machine>,
) -> Result<Granted, Failure> {
    let ttl = ttl_of(body);
    if ttl.0 == 0 || ttl > CREDENTIAL_TTL_MAX {
        return Err(Refusal::TtlNotAllowed { max: CREDENTIAL_TTL_MAX }.into());
    }
    if !(WORDS_MIN..=WORDS_MAX).contains(&words_of(body)) {
        let why = format!("It must be between {WORDS_MIN} and {WORDS_MAX}.");
        return Err(Failure::invalid("words", why));
    }
    let is_new = found.is_none();
    let machine = match (&body.role, found) {
        (Some(role), found) => {
            handing_of(roles, role)?;
            if found.is_some() {
                return Err(Refusal::DeviceNameTaken.into());
            }
            let (tenant, name) = (turn.tenant().clone(), body.device.clone());
            let (role, created_at) = (role.clone(), turn.now);
            Machine { tenant, name, role, state: DeviceState::Active, created_at }
        }
        (None, Some(machine)) => machine,
        (None, None) => return Err(Refusal::NotFound.into()),
    };
    if let DeviceState::Revoked { .. } = machine.state {
        return Err(Failure::invalid("device", "It was revoked for ever. Choose another name."));
    }
    let live = provisioned::live_keys(tx, &machine.tenant, &machine.name).await?;
    if live.len() >= KEYS_MAX as usize {
        let why = format!("It has {KEYS_MAX} keys that are not dead. Disabling does not end them.");
        return Err(Failure::invalid("device", why));
    }
    let approval = match handing_of(roles, &machine.role)? {
        Handing::TwoPeople => {
            // Whoever agreed was told of no more than this.
            if ttl > CREDENTIAL_TTL || words_of(body) < WORDS {
                let why = format!(
                    "What two people agree to can be used for {} days at the most, and opens with {WORDS} words at \
                     the least.",
                    CREDENTIAL_TTL.0 / 86_400
                );
                return Err(Failure::invalid("ttl_seconds", why));
            }
            let found = second_person(tx, turn, &machine).await?;
            Some(found.ok_or(Refusal::SecondPersonNeeded)?)
        }
        Handing::OnePerson | Handing::Never => None,
    };
    Ok(Granted { machine, is_new, approval })
}

/// How keys of a role are handed out, when they are.
fn handing_of(roles: &MachineRoles, role: &MachineRole) -> Result<Handing, Failure> {
    match roles.handing(role) {
        Some(Handing::Never) => {
            Err(Failure::invalid("role", "No keys are made for machines of this role here."))
        }
        Some(handing) => Ok(handing),
        None => {
            let why = format!("There is no such role for machines here. There are: {roles}.");
            Err(Failure::invalid("role", why))
        }
    }
}

/// A second person's yes that counts: theirs who may still agree, given on a device that still works.
async fn second_person(
    tx: &mut Tx<'_>,
    turn: &Turn,
    machine: &Machine,
) -> Result<Option<Approval>, Failure> {
    let (tenant, asker) = (turn.tenant(), turn.user()?);
    let thing = (&machine.name, &machine.role);
    let found =
        provisioned::live_approvals(tx, (tenant, asker), thing, turn.now, APPROVALS_MAX).await?;
    for approval in found {
        let Principal::Human { device, .. } = &approval.approved_by.principal else { continue };
        let user = users::find(tx, tenant, &approval.approver).await?;
        let may = user.is_some_and(|user| may_agree(user.role) && user.frozen_at.is_none());
        let device = enrollments::find(tx, tenant, &approval.approver, device).await?;
        let works = device.is_some_and(|device| device.state == DeviceState::Active);
        if may && works && approval.approver != *asker {
            return Ok(Some(approval));
        }
    }
    Ok(None)
}

async fn may_be_approved(
    tx: &mut Tx<'_>,
    turn: &Turn,
    roles: &MachineRoles,
    body: &ProvisionApproveRequest,
) -> Result<(), Failure> {
    let ProvisionApproveRequest { device, role, asker } = body;
    if handing_of(roles, role)? != Handing::TwoPeople {
        return Err(Failure::invalid(
            "role",
            "Keys of this role take one person, who needs no yes.",
        ));
    }
    if asker == turn.user()? {
        return Err(Failure::invalid("asker", "Name somebody else: one person twice is not two."));
    }
    may_ask(tx, turn, asker).await?;
    match provisioned::machine(tx, turn.tenant(), device).await? {
        Some(machine) if machine.role != *role => {
            Err(Failure::invalid("role", "The machine of this name has another role."))
        }
        _ => Ok(()),
    }
}

async fn may_ask(tx: &mut Tx<'_>, turn: &Turn, asker: &UserName) -> Result<(), Failure> {
    let user = users::find(tx, turn.tenant(), asker).await?.ok_or(Refusal::NotFound)?;
    if may_agree(user.role) {
        Ok(())
    } else {
        Err(Failure::invalid("asker", "Only operators and administrators make keys for machines."))
    }
}

/// The write: the machine when it is new, the key, and the yes that it used up.
async fn apply(
    tx: &mut Tx<'_>,
    turn: &Turn,
    granted: Granted,
    public: Public,
) -> Result<Key, Failure> {
    let Granted { machine, is_new, approval } = granted;
    if is_new {
        provisioned::insert_machine(tx, &machine).await?;
    }
    if let Some(approval) = &approval
        && !provisioned::spend_approval(tx, &approval.id, turn.now).await?
    {
        return Err(Refusal::SecondPersonNeeded.into());
    }
    let key = Key {
        id: public.id,
        machine,
        thumbprint: public.thumbprint,
        spki: public.spki,
        state: DeviceState::Active,
        enrolled_at: turn.now,
        last_seen_at: turn.now,
        provisioned_by: turn.caller.spiffe_id.clone(),
        approved_by: approval.map(|approval| approval.approved_by),
        file_hash: Some(public.file_hash),
        expires_at: Some(public.expires_at),
        claimed_at: None,
    };
    provisioned::insert_key(tx, &key).await?;
    Ok(key)
}

/// The receipt of a delivery: which key went out, in which file. Whoever holds the file can tell that it is
/// the one.
fn receipt(key: &Key) -> String {
    let Machine { name, role, .. } = &key.machine;
    let file = key.file_hash.map(|hash| HEXLOWER.encode(&hash)).unwrap_or_default();
    let with = key.approved_by.as_ref().and_then(|id| id.principal.user());
    let with = with.map(|user| format!(", with {user}")).unwrap_or_default();
    format!("key {} of machine {name} at role {role}{with}, handed out as file {file}", key.id)
}

impl Service {
    /// Whom a machine speaks as.
    pub(super) fn id_of(&self, machine: &Machine) -> landfall_identity::SpiffeId {
        id_of_machine(self.pki.trust_domain(), machine)
    }
}

#[cfg(test)]
#[path = "provisioned_tests.rs"]
mod tests;
