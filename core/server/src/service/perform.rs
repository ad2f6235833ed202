//! One use case of a known caller: who it is, what it may, what it did, in one transaction.

use super::context::{Judged, law_of};
use super::known::Known;
use super::{RequestContext, Service, Turn};
use crate::failure::Failure;
use crate::store::{self, Lane, StoreError, Tx, enrollments, sessions};
use landfall_crypto::ambient::Ambient;
use landfall_crypto::jwt::SessionClaims;
use landfall_identity::audit::{Actor, AuditEvent, Outcome};
use landfall_identity::authorize::Object;
use landfall_identity::id::AuditId;
use landfall_identity::spiffe::{Principal, SpiffeId, TrustDomain};
use landfall_identity::{Action, Caller, DeviceState, Refusal, TenantName, Timestamp};
use landfall_protocol::ErrorCode;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keys that are remembered as enrolled; beyond, all are looked up again.
const REMEMBERED_MAX: usize = 10_000;

impl Service {
    /// Runs a use case of a known caller in the writer's next batch. The caller is read from rows
    /// inside the transaction; exactly one audit row is written with whatever comes out.
    ///
    /// # Errors
    /// What the use case answers, or what the caller lacks.
    pub(crate) async fn perform<T: Send + 'static>(
        &self,
        request: RequestContext,
        work: impl AsyncFn(&mut Tx<'_>, &Turn) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let peer = request.peer.as_ref().ok_or(Refusal::CertificateRequired)?;
        let thumbprint = peer.thumbprint.clone();
        let now = self.ambient.now();
        let presented = self.presented(request.bearer.as_deref(), now)?;
        let known = self.is_enrolled(&thumbprint)?;
        if !known {
            return Err(Refusal::NotEnrolled.into());
        }
        let notes: Notes = Arc::default();
        let noted = Arc::clone(&notes);
        let action = request.action;
        let (not_after, chain_ok) = (peer.not_after, peer.chain_ok);
        let source = request.personal.source.clone();
        let trust_domain = self.pki.trust_domain().clone();
        let policies = Arc::clone(&self.policies);
        let work = async move |tx: &mut Tx<'_>| {
            let claims = presented.as_ref().ok().and_then(Option::as_ref);
            let caller = load_caller(tx, &trust_domain, &thumbprint, claims, now, &noted).await?;
            // A token that is none is refused here, where the refusal is written down; a device that
            // was cut off hears that first.
            if let (Err(refusal), DeviceState::Active) = (&presented, caller.device) {
                return Err(refusal.clone().into());
            }
            // What a certificate says of itself means nothing unless we signed it. A machine that stands for
            // itself needs none: its row says when its key ends. A person's device has to come for one, and
            // whoever could make their own would never have to.
            let machine = matches!(caller.spiffe_id.principal, Principal::ProvisionedDevice { .. });
            let is_good = if chain_ok { !not_after.is_over(now) } else { machine };
            if !is_good {
                return Err(Refusal::CertificateExpired.into());
            }
            if let Some(claims) = claims
                && claims.key.as_str() != thumbprint
            {
                return Err(Refusal::SessionOfAnotherKey.into());
            }
            let rules = policies.of(caller.spiffe_id.principal.tenant());
            note(&noted, |seen| seen.parents.clone_from(&caller.parents));
            let turn = Turn::new(action, caller, source.clone(), now, rules);
            let result = work(tx, &turn).await;
            note(&noted, |seen| {
                seen.target = turn.target();
                seen.judged = turn.judged();
                seen.allowed = turn.was_authorized();
            });
            match result {
                // Nothing leaves that no rule has looked at.
                Ok(_) if !turn.was_authorized() => Err(Failure::internal(format!(
                    "{} never asked to be authorised",
                    action.code()
                ))),
                other => other,
            }
        };
        let record = self.record(request, notes, now);
        self.store.write(Lane::Known, work, record).await
    }

    /// What a use case decides, ahead of work that is too costly for those who would be refused. Nothing
    /// has effect, and nothing is written down: whoever gets `None` is refused by the use case itself.
    pub(crate) fn ahead<T>(
        &self,
        request: &RequestContext,
        work: impl AsyncFnOnce(&mut Tx<'_>, &Turn) -> Result<T, Failure>,
    ) -> Option<T> {
        let now = self.ambient.now();
        let thumbprint = request.peer.as_ref()?.thumbprint.as_str();
        let claims = self.presented(request.bearer.as_deref(), now).ok()?.ok()?;
        let (trust_domain, notes) = (self.pki.trust_domain(), Notes::default());
        let seen = self.store.glance(async |tx: &mut Tx<'_>| {
            let caller =
                load_caller(tx, trust_domain, thumbprint, claims.as_ref(), now, &notes).await;
            let turn = match caller {
                Ok(caller) => {
                    let rules = self.policies.of(caller.spiffe_id.principal.tenant());
                    Turn::new(request.action, caller, None, now, rules)
                }
                Err(failure) => return Ok(Err(failure)),
            };
            Ok(work(tx, &turn).await)
        });
        seen.ok()?.ok()
    }

    /// What a presented session token claims; the refusal that belongs to one that is none.
    fn presented(
        &self,
        bearer: Option<&str>,
        now: Timestamp,
    ) -> Result<Result<Option<SessionClaims>, Refusal>, Failure> {
        match bearer.map(|token| self.pki.verify_session(token, now)) {
            None => Ok(Ok(None)),
            Some(Ok(claims)) => Ok(Ok(Some(claims))),
            Some(Err(Failure::Refused(refusal))) => Ok(Err(refusal)),
            Some(Err(fault)) => Err(fault),
        }
    }

    /// Whether the key is enrolled at all: strangers never reach the writer by this way.
    fn is_enrolled(&self, thumbprint: &str) -> Result<bool, Failure> {
        if self.enrolled.knows(thumbprint) {
            return Ok(true);
        }
        let found = self
            .store
            .glance(async |tx: &mut Tx<'_>| enrollments::is_known(tx, thumbprint).await)?;
        if found {
            self.enrolled.remember(thumbprint);
        }
        Ok(found)
    }
}

/// Keys that were found enrolled. Rows of enrolments are never deleted, so what was true once stays
/// true; what such a key may do is read from its row, each time.
#[derive(Default)]
pub(crate) struct EnrolledKeys(Mutex<HashSet<String>>);

impl EnrolledKeys {
    fn knows(&self, thumbprint: &str) -> bool {
        self.lock().contains(thumbprint)
    }

    fn remember(&self, thumbprint: &str) {
        let mut keys = self.lock();
        if keys.len() >= REMEMBERED_MAX {
            keys.clear();
        }
        keys.insert(thumbprint.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a use case leaves for its audit row.
#[derive(Default)]
pub(super) struct Seen {
    /// Who acted, as soon as it is known.
    pub actor: Option<SpiffeId>,
    /// On whose behalf, nearest first.
    pub parents: Vec<SpiffeId>,
    /// Where, when nobody known acted.
    pub tenant: Option<TenantName>,
    /// The session presented.
    pub session: Option<landfall_identity::session::SessionFacts>,
    /// The capability that was given, or acted with.
    pub capability: Option<String>,
    /// On what.
    pub target: String,
    /// What the rules were asked, and which one decided.
    pub judged: Option<Judged>,
    /// Whether they let the caller try: then what refused is a law of `identity`'s.
    pub allowed: bool,
}

pub(super) type Notes = Arc<Mutex<Seen>>;

pub(super) fn note(notes: &Notes, write: impl FnOnce(&mut Seen)) {
    write(&mut notes.lock().unwrap_or_else(PoisonError::into_inner));
}

/// Builds the audit row from the request, the notes and the result.
pub(super) fn recorder<T>(
    ambient: Ambient,
    request: RequestContext,
    notes: Notes,
    now: Timestamp,
) -> impl AsyncFn(&mut Tx<'_>, &Result<T, Failure>) -> Result<(), StoreError> {
    async move |tx: &mut Tx<'_>, result: &Result<T, Failure>| {
        let event = {
            let seen = notes.lock().unwrap_or_else(PoisonError::into_inner);
            event_of(&ambient, &request, &seen, now, result.as_ref().err())
        };
        match event {
            Some(event) => store::audit::append(tx, &event, ambient.random()).await,
            None => Ok(()),
        }
    }
}

/// The row; none when neither an actor nor a tenant is known: strangers are counted elsewhere.
fn event_of(
    ambient: &Ambient,
    request: &RequestContext,
    seen: &Seen,
    now: Timestamp,
    failure: Option<&Failure>,
) -> Option<AuditEvent> {
    let tenant = match (&seen.actor, &seen.tenant) {
        (Some(actor), _) => actor.principal.tenant().clone(),
        (None, Some(tenant)) => tenant.clone(),
        (None, None) => return None,
    };
    let (outcome, reason) = match failure {
        None => (Outcome::Allow, None),
        Some(Failure::Refused(refusal)) => {
            (Outcome::Deny, Some(ErrorCode::from(refusal).as_str().to_owned()))
        }
        Some(Failure::Invalid { .. }) => {
            (Outcome::Deny, Some(ErrorCode::InvalidField.as_str().to_owned()))
        }
        Some(Failure::Agent(_)) => {
            (Outcome::Deny, Some(ErrorCode::AgentSignature.as_str().to_owned()))
        }
        Some(Failure::Busy) => (Outcome::Error, Some(ErrorCode::Busy.as_str().to_owned())),
        Some(Failure::Unavailable) => {
            (Outcome::Error, Some(ErrorCode::Unavailable.as_str().to_owned()))
        }
        Some(Failure::Internal(_)) => {
            (Outcome::Error, Some(ErrorCode::Internal.as_str().to_owned()))
        }
    };
    let rule = rule_of(request.action, seen, failure);
    Some(AuditEvent {
        rule,
        id: AuditId::from_bits(ambient.row_bits()),
        at: now,
        tenant,
        actor: seen.actor.clone().map_or(Actor::Stranger, Actor::Principal),
        parents: seen.parents.clone(),
        action: request.action.code().to_owned(),
        target: seen.target.clone(),
        outcome,
        reason,
        strength: seen.session.as_ref().map(|session| session.strength),
        session: seen.session.as_ref().map(|session| session.id.clone()),
        capability: seen.capability.clone(),
        request: Some(request.request_id.clone()),
        personal: request.personal.clone(),
    })
}

/// Which rule decided; none did where we failed.
fn rule_of(action: Action, seen: &Seen, failure: Option<&Failure>) -> Option<String> {
    let decided = seen.judged.as_ref().map(|judged| judged.rule.clone());
    match failure {
        // A door that nobody known goes through is opened by what was shown there.
        None => decided.or_else(|| Some(format!("door/{}", action.code()))),
        Some(Failure::Refused(refusal)) if seen.allowed || decided.is_none() => {
            Some(law_of(refusal))
        }
        Some(Failure::Refused(_)) => decided,
        Some(Failure::Invalid { .. }) => Some(format!("law/{}", ErrorCode::InvalidField.as_str())),
        Some(Failure::Agent(_)) => Some(format!("law/{}", ErrorCode::AgentSignature.as_str())),
        Some(Failure::Busy | Failure::Unavailable | Failure::Internal(_)) => None,
    }
}

/// The caller as the rows have it now.
async fn load_caller(
    tx: &mut Tx<'_>,
    trust_domain: &TrustDomain,
    thumbprint: &str,
    claims: Option<&SessionClaims>,
    now: Timestamp,
    notes: &Notes,
) -> Result<Caller, Failure> {
    let known = Known::find(tx, trust_domain, thumbprint).await?.ok_or(Refusal::NotEnrolled)?;
    note(notes, |seen| seen.actor = Some(known.spiffe_id.clone()));
    let device = known.standing(now)?;
    let session = match claims {
        Some(claims) => sessions::live(tx, &claims.session, now)
            .await?
            .filter(|live| live.enrollment == known.enrollment)
            .map(|live| live.facts),
        None => None,
    };
    // A token that was presented and is not live is over, whatever the device's state: but a cut
    // device is told that it was cut.
    let over = claims.is_some() && session.is_none();
    if over && device == DeviceState::Active {
        return Err(match claims.is_some_and(|claims| claims.key.as_str() != thumbprint) {
            true => Refusal::SessionOfAnotherKey.into(),
            false => Refusal::SessionOver.into(),
        });
    }
    note(notes, |seen| seen.session.clone_from(&session));
    let grant = enrollments::live_grant(tx, &known.enrollment, now).await?;
    Ok(known.caller(device, session, grant))
}

impl Turn {
    /// The caller's tenant.
    pub fn tenant(&self) -> &TenantName {
        self.caller.spiffe_id.principal.tenant()
    }

    /// The caller's trust domain: the server's.
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.caller.spiffe_id.trust_domain
    }

    /// The caller's user. Every action that reaches a use case of people demands one.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] for a principal that is no person.
    pub fn user(&self) -> Result<&landfall_identity::UserName, Failure> {
        Ok(self.caller.spiffe_id.principal.user().ok_or(Refusal::Forbidden)?)
    }

    /// The caller's own things as an object.
    ///
    /// # Errors
    /// As [`Turn::user`].
    pub fn own(&self) -> Result<Object, Failure> {
        Ok(Object::Owned { tenant: self.tenant().clone(), user: self.user()?.clone() })
    }

    /// Whether the route demands this action; a use case that serves two routes asks.
    pub fn is(&self, action: Action) -> bool {
        self.action == action
    }
}
