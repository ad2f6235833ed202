//! The rules of a tenant: reading them, trying others, setting them, and putting them in force.
//!
//! What rules are asked is kept, without names of people, so that other rules can be tried on it.

use super::context::Judged;
use super::perform::Notes;
use super::{RequestContext, Service, Turn};
use crate::failure::Failure;
use crate::policy::{PolicyError, Question, Rules, SHIPPED, TEXT_MAX, floors};
use crate::store::policies::{self as stored, StoredPolicy};
use crate::store::{Lane, StoreError, Tx, audit, changes, enrollments, users};
use data_encoding::BASE64URL_NOPAD;
use landfall_crypto::secret::sha256;
use landfall_identity::audit::AuditEvent;
use landfall_identity::authorize::Object;
use landfall_identity::id::AuditId;
use landfall_identity::notice::Happening;
use landfall_identity::{AuthStrength, BoundAction, Seconds, TenantName, Timestamp, UserName};
use landfall_protocol::policy::{
    PolicyChange, PolicyInfo, PolicySetRequest, PolicyTried, PolicyTryRequest,
};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// What a change of rules is noted as, in the place of a key that was cut, before the tenant's name.
pub const RULES_CHANGED: &str = "policy ";
/// How long a question that is asked again and again is not written down again.
const KEPT_FOR: Seconds = Seconds::hours(1);
/// Questions that are remembered as written down.
const REMEMBERED_MAX: usize = 4_096;
/// Changes that a try tells one by one; the rest is counted.
const TOLD_MAX: usize = 100;
/// Which questions were written down lately, so that not every request writes one. What is missed in
/// here is only written once more.
#[derive(Default)]
pub(crate) struct Asked(Mutex<HashMap<u64, Timestamp>>);

impl Asked {
    /// Writes down what was asked, unless it was lately.
    pub(super) async fn keep(
        &self,
        tx: &mut Tx<'_>,
        notes: &Notes,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let judged = notes.lock().unwrap_or_else(PoisonError::into_inner).judged.take();
        let Some(Judged { question, .. }) = judged else { return Ok(()) };
        let kept = question.to_keep();
        if !self.is_due(&kept, now) {
            return Ok(());
        }
        let Ok(tenant) = TenantName::parse(kept.tenant.as_str()) else { return Ok(()) };
        let text = serde_json::to_string(&kept).map_err(|_| StoreError::Shape { column: 2 })?;
        stored::keep_question(tx, &tenant, &sha256(text.as_bytes()), &text, now).await
    }

    fn is_due(&self, kept: &Question, now: Timestamp) -> bool {
        let mut hasher = DefaultHasher::new();
        kept.hash(&mut hasher);
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED_MAX {
            seen.clear();
        }
        let due = |last: Timestamp| now < last || (last + KEPT_FOR).is_over(now);
        let hash = hasher.finish();
        if seen.get(&hash).is_some_and(|last| !due(*last)) {
            return false;
        }
        seen.insert(hash, now);
        true
    }
}

impl Service {
    /// The tenant's rules: floors, what is shipped, its own.
    ///
    /// # Errors
    /// A refusal.
    pub async fn admin_read_policies(
        &self,
        request: RequestContext,
    ) -> Result<PolicyInfo, Failure> {
        self.perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
            turn.authorize(tx, &Object::Own, None).await?;
            Ok(info(stored::current(tx, turn.tenant()).await?))
        })
        .await
    }

    /// What other rules would change, for what was asked lately.
    ///
    /// # Errors
    /// A refusal; rules that are none, with the reason.
    pub async fn admin_try_policy(
        &self,
        request: RequestContext,
        body: PolicyTryRequest,
    ) -> Result<PolicyTried, Failure> {
        let tenant = self.settings.tenant.clone();
        let made = self.made_ready(&request, body.text, 0).await?;
        let candidate = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                turn.authorize(tx, &Object::Own, None).await?;
                taken(made.as_ref())
            })
            .await?;
        // Beside the writer: hundreds of questions must not stand in front of other people.
        let look = async |tx: &mut Tx<'_>| stored::questions(tx, &tenant).await;
        let questions = self.store.read(look).await?;
        let in_force = self.policies.of(&tenant);
        Ok(tried(&in_force, &candidate, &questions))
    }

    /// Sets the tenant's rules, after an administrator has approved exactly these. They are in force on
    /// this node when this answers, and on every other within a second.
    ///
    /// # Errors
    /// A refusal; rules that are none.
    pub async fn admin_set_policy(
        &self,
        request: RequestContext,
        body: PolicySetRequest,
    ) -> Result<PolicyInfo, Failure> {
        let service = self.clone();
        let next = body.generation.saturating_add(1);
        let made = self.made_ready(&request, body.text.clone(), next).await?;
        let (policy, tenant, rules) = self
            .perform(request, async move |tx: &mut Tx<'_>, turn: &Turn| {
                let act = act_of(&body.text);
                turn.about(format!("the tenant's rules, {}", digest_of(&body.text)));
                turn.authorize(tx, &Object::Own, Some(&act)).await?;
                let known = stored::current(tx, turn.tenant()).await?;
                let generation = known.as_ref().map_or(0, |known| known.generation);
                if body.generation != generation {
                    let why = "Somebody has set other rules meanwhile. Read them, and try again.";
                    return Err(Failure::invalid("generation", why));
                }
                let candidate = taken(made.as_ref())?;
                let policy = StoredPolicy {
                    generation: next,
                    text: body.text.clone(),
                    set_at: turn.now,
                    set_by: Some(turn.user()?.clone()),
                };
                service.keep_policy(tx, turn.tenant(), &policy, turn.now).await?;
                let what = Happening::RulesChanged;
                service.tell_other_admins(tx, turn.news_of_tenant(what.clone())?).await?;
                service.tell(tx, turn.news(turn.user()?, what)?).await?;
                Ok((policy, turn.tenant().clone(), candidate))
            })
            .await?;
        self.policies.put(&tenant, rules);
        Ok(info(Some(policy)))
    }

    /// Reads and checks rules before anything is asked of the writer, which has others to serve: but only
    /// for who could set them. Nobody else's text is looked at.
    async fn made_ready(
        &self,
        request: &RequestContext,
        text: String,
        generation: i64,
    ) -> Result<Option<Made>, Failure> {
        let Some(peer) = &request.peer else { return Ok(None) };
        let look = async |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
            let Some(row) = enrollments::by_thumbprint(tx, &peer.thumbprint).await? else {
                return Ok(false);
            };
            let user = users::find(tx, &row.tenant, &row.user).await?;
            Ok(user.is_some_and(|user| request.action.demand().is_open_to(user.role)))
        };
        if !self.store.read(look).await? {
            return Ok(None);
        }
        let make = move || Rules::with(&text, generation).map(Arc::new);
        Ok(Some(tokio::task::spawn_blocking(make).await.map_err(Failure::internal)?))
    }

    async fn keep_policy(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantName,
        policy: &StoredPolicy,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        stored::put(tx, tenant, policy).await?;
        changes::append(tx, &format!("{RULES_CHANGED}{tenant}"), &self.node, now).await
    }

    /// Takes all rules of the tenant's own away, by whoever runs the server: for rules that lock everybody
    /// out. Answers whether there were any.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn clear_policy(&self) -> Result<bool, Failure> {
        let (tenant, now) = (self.settings.tenant.clone(), self.now());
        let find = async |tx: &mut Tx<'_>| stored::current(tx, &tenant).await;
        let known = self.store.read(find).await?;
        let Some(known) = known.filter(|known| !known.text.is_empty()) else { return Ok(false) };
        let policy = StoredPolicy {
            generation: known.generation + 1,
            text: String::new(),
            set_at: now,
            set_by: None,
        };
        let (id, salt) = (AuditId::from_bits(self.ambient.row_bits()), self.ambient.random());
        let service = self.clone();
        let work = async move |tx: &mut Tx<'_>| {
            service.keep_policy(tx, &tenant, &policy, now).await?;
            service.tell_admins(tx, &tenant, Happening::RulesChanged, now).await?;
            let (action, target) = ("policy-clear", "the tenant's rules".to_owned());
            let event = AuditEvent::by_server(id.clone(), now, tenant.clone(), action, target);
            Ok(audit::append(tx, &event, salt).await?)
        };
        let no_row = async |_: &mut Tx<'_>, _: &Result<(), Failure>| Ok(());
        self.store.write(Lane::Known, work, no_row).await?;
        Ok(true)
    }

    /// Reads the tenant's rules and puts them in force: at the start, and when another node has changed
    /// them.
    ///
    /// # Errors
    /// [`Failure`] from the store.
    pub async fn reload_policy(&self) -> Result<(), Failure> {
        let tenant = &self.settings.tenant;
        let find = async |tx: &mut Tx<'_>| stored::current(tx, tenant).await;
        if let Some(policy) = self.store.read(find).await? {
            self.put_in_force(tenant, &policy);
        }
        Ok(())
    }

    fn put_in_force(&self, tenant: &TenantName, policy: &StoredPolicy) {
        let rules = Rules::with(&policy.text, policy.generation).unwrap_or_else(|error| {
            tracing::error!(
                %error,
                "the tenant's rules cannot be read, and nothing is allowed: set others, or run \
                 `landfall-server policy clear`"
            );
            Rules::unreadable(policy.generation)
        });
        self.policies.put(tenant, Arc::new(rules));
    }
}

/// Rules that were read, or what is wrong with them.
type Made = Result<Arc<Rules>, PolicyError>;

/// The rules, once their caller was let in.
fn taken(made: Option<&Made>) -> Result<Arc<Rules>, Failure> {
    match made {
        Some(Ok(rules)) => Ok(Arc::clone(rules)),
        Some(Err(error)) => Err(Failure::invalid("text", error.to_string())),
        // Whoever became an administrator a moment ago asks again.
        None => Err(Failure::Busy),
    }
}

/// SHA-256 of the rules, base64url.
fn digest_of(text: &str) -> String {
    BASE64URL_NOPAD.encode(&sha256(text.as_bytes()))
}

/// The act of setting these rules.
fn act_of(text: &str) -> BoundAction {
    BoundAction::SetPolicy { policy_hash: digest_of(text) }
}

fn info(policy: Option<StoredPolicy>) -> PolicyInfo {
    PolicyInfo {
        schema: floors::schema(),
        floors: floors::floors(),
        shipped: SHIPPED.to_owned(),
        text: policy.as_ref().map(|policy| policy.text.clone()).unwrap_or_default(),
        generation: policy.as_ref().map_or(0, |policy| policy.generation),
        set_at: policy.as_ref().map(|policy| policy.set_at.into()),
        set_by: policy.and_then(|policy| policy.set_by).map(UserName::into),
        text_max: TEXT_MAX as u64,
    }
}

/// Puts every question to both, and tells where they differ.
fn tried(in_force: &Arc<Rules>, candidate: &Rules, questions: &[String]) -> PolicyTried {
    let mut told =
        PolicyTried { tried: 0, same: 0, newly_refused: 0, newly_allowed: 0, changes: Vec::new() };
    // One that another version wrote, and this one does not read, tells nothing.
    let known = questions.iter().filter_map(|text| serde_json::from_str::<Question>(text).ok());
    for question in known {
        let (before, after) = (in_force.decide(&question), candidate.decide(&question));
        told.tried += 1;
        match (before.allowed, after.allowed) {
            (true, false) => told.newly_refused += 1,
            (false, true) => told.newly_allowed += 1,
            _ => {
                told.same += 1;
                continue;
            }
        }
        if told.changes.len() < TOLD_MAX {
            told.changes.push(PolicyChange {
                action: question.action,
                caller: question.spiffe_id,
                role: question.role.as_str().to_owned(),
                strength: question.strength.map_or("none", AuthStrength::as_str).to_owned(),
                allowed: after.allowed,
                rule_before: before.rule,
                rule_after: after.rule,
            });
        }
    }
    told
}
