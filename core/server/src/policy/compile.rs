//! Rules made ready: read, checked, and laid out by action, once for each change of them.

use super::floors::{self, DELEGABLE, entity};
use super::question::{Question, beyond_rules, is_asked};
use super::{NO_RULE, UNREADABLE};
use cedar_policy::{
    ActionConstraint, AuthorizationError, Authorizer, Context, Decision as Verdict, Effect,
    Entities, EntityId, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};
use landfall_identity::spiffe::PrincipalKind;
use landfall_identity::{Action, AuthStrength};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The longest text of a tenant's rules, in bytes.
pub const TEXT_MAX: usize = 32 * 1024;
/// The most rules that a tenant adds: each is looked at in every question that it could decide.
pub const RULES_MAX: usize = 100;
/// The longest name of a rule.
pub const RULE_ID_MAX: usize = 64;
/// Faults of a text that are told one by one.
const FAULTS_MAX: usize = 10;
/// The most that is told of faults, in characters: they quote what they are about.
const FAULT_MAX: usize = 2_000;

/// What is shipped above the floors.
pub const SHIPPED: &str = include_str!("default.cedar");

/// Why a text is no set of rules, in words for whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(String);

impl PolicyError {
    fn new(why: impl std::fmt::Display) -> Self {
        Self::of([why.to_string()])
    }

    /// The first of many faults, within bounds.
    fn of(faults: impl IntoIterator<Item = String>) -> Self {
        let faults: Vec<String> = faults.into_iter().take(FAULTS_MAX).collect();
        Self(faults.join("\n").chars().take(FAULT_MAX).collect())
    }
}

/// What rules say to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether the caller may try.
    pub allowed: bool,
    /// The rule that decided. Where several do, the first by name: floors before the tenant's.
    pub rule: String,
}

impl Decision {
    fn deny(rule: impl Into<String>) -> Self {
        Self { allowed: false, rule: rule.into() }
    }
}

/// What every tenant has in common.
struct Base {
    schema: Schema,
    /// The actions and their groups.
    entities: Entities,
    rules: Vec<Rule>,
    kinds: HashMap<PrincipalKind, EntityTypeName>,
    tenant: EntityTypeName,
    /// What is decided without a tenant's rules.
    beyond: HashMap<&'static str, Asked>,
}

static BASE: LazyLock<Result<Base, PolicyError>> = LazyLock::new(Base::read);

impl Base {
    fn read() -> Result<Self, PolicyError> {
        let (schema, _) =
            Schema::from_cedarschema_str(&floors::schema()).map_err(PolicyError::new)?;
        let entities = schema.action_entities().map_err(PolicyError::new)?;
        let named = |name: &str| {
            format!("Landfall::{name}").parse::<EntityTypeName>().map_err(PolicyError::new)
        };
        let kinds = PrincipalKind::ALL.into_iter().map(|kind| Ok((kind, named(entity(kind))?)));
        let rules = shipped()?;
        // A test validates what is shipped: at every start it would take most of the time.
        let mut base = Self {
            kinds: kinds.collect::<Result<_, PolicyError>>()?,
            tenant: named("Tenant")?,
            schema,
            entities,
            rules: rules.iter().map(Rule::of).collect::<Result<_, _>>()?,
            beyond: HashMap::new(),
        };
        base.beyond = base.lay_out(&beyond_rules(), &[])?;
        Ok(base)
    }

    /// Rules by action: what every tenant has in common, and a tenant's own.
    fn lay_out(
        &self,
        actions: &[Action],
        own: &[Rule],
    ) -> Result<HashMap<&'static str, Asked>, PolicyError> {
        let mut ready = HashMap::new();
        for action in actions.iter().filter(|action| is_asked(**action)) {
            let uid = action_uid(action.code())?;
            let rules = self.rules.iter().chain(own).filter(|rule| self.covers(rule, &uid));
            let rules = PolicySet::from_policies(rules.map(|rule| rule.of_any_action.clone()))
                .map_err(PolicyError::new)?;
            ready.insert(action.code(), Asked { uid, rules });
        }
        Ok(ready)
    }

    fn get() -> Result<&'static Self, PolicyError> {
        BASE.as_ref().map_err(Clone::clone)
    }

    /// Strictly, and what can never hold is a mistake as well.
    fn validate(&self, rules: &[Policy]) -> Result<(), PolicyError> {
        let set = PolicySet::from_policies(rules.iter().cloned()).map_err(PolicyError::new)?;
        let found = Validator::new(self.schema.clone()).validate(&set, ValidationMode::Strict);
        let errors = found.validation_errors().map(ToString::to_string);
        let warnings = found.validation_warnings().map(ToString::to_string);
        let mut faults = errors.chain(warnings).peekable();
        if faults.peek().is_none() { Ok(()) } else { Err(PolicyError::of(faults)) }
    }

    /// Whether a rule's scope covers an action.
    fn covers(&self, rule: &Rule, action: &EntityUid) -> bool {
        let under =
            |group: &EntityUid| group == action || self.entities.is_ancestor_of(group, action);
        match &rule.actions {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(one) => one == action,
            ActionConstraint::In(groups) => groups.iter().any(under),
        }
    }
}

/// The floors, and what is shipped above them.
fn shipped() -> Result<Vec<Policy>, PolicyError> {
    let mut rules = read_rules(&floors::floors(), "")?;
    rules.extend(read_rules(SHIPPED, "")?);
    Ok(rules)
}

fn action_uid(code: &str) -> Result<EntityUid, PolicyError> {
    let name: EntityTypeName = "Landfall::Action".parse().map_err(PolicyError::new)?;
    Ok(EntityUid::from_type_name_and_id(name, EntityId::new(code)))
}

/// The rules of a text, each named by its `@id` behind `prefix`.
fn read_rules(text: &str, prefix: &str) -> Result<Vec<Policy>, PolicyError> {
    let set: PolicySet = text.parse().map_err(|error: cedar_policy::ParseErrors| {
        PolicyError::of(error.iter().map(ToString::to_string))
    })?;
    if set.templates().next().is_some() {
        return Err(PolicyError::new("templates (?principal, ?resource) are not taken"));
    }
    set.policies()
        .map(|rule| {
            let id = rule.annotation("id").ok_or_else(|| {
                PolicyError::new(format!(
                    "give each rule a name, such as @id(\"no-secrets\"): {rule}"
                ))
            })?;
            Ok(rule.new_id(PolicyId::new(format!("{prefix}{id}"))))
        })
        .collect()
}

/// A tenant's rules, checked for all but types.
fn read_tenant_rules(base: &Base, text: &str) -> Result<Vec<Policy>, PolicyError> {
    if text.len() > TEXT_MAX {
        return Err(PolicyError::new(format!("the rules are longer than {TEXT_MAX} bytes")));
    }
    let rules = read_rules(text, "tenant/")?;
    if rules.len() > RULES_MAX {
        return Err(PolicyError::new(format!("there are more than {RULES_MAX} rules")));
    }
    let mut seen = std::collections::HashSet::new();
    for rule in &rules {
        let id = rule.annotation("id").unwrap_or_default();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(1..=RULE_ID_MAX).contains(&id.len()) || !id.bytes().all(plain) {
            return Err(PolicyError::new(format!(
                "the name {id:?} must be 1 to {RULE_ID_MAX} lower-case letters, digits and '-'"
            )));
        }
        if !seen.insert(id) {
            return Err(PolicyError::new(format!("two rules are called {id}")));
        }
        if rule.effect() == Effect::Permit && !permits_what_is_delegable(base, rule)? {
            return Err(PolicyError::new(format!(
                "the rule {id} permits more than can be delegated: name actions of the group \
                 Landfall::Action::\"{DELEGABLE}\" and no others, or make it a forbid"
            )));
        }
    }
    Ok(rules)
}

fn permits_what_is_delegable(base: &Base, rule: &Policy) -> Result<bool, PolicyError> {
    let group = action_uid(DELEGABLE)?;
    let named = match rule.action_constraint() {
        ActionConstraint::Any => return Ok(false),
        ActionConstraint::Eq(one) => vec![one],
        ActionConstraint::In(all) => all,
    };
    Ok(named.iter().all(|one| *one == group || base.entities.is_ancestor_of(&group, one)))
}

/// A rule, and apart from it the actions that it is for. Among the rules of an action that it covers, their
/// list says nothing any more; and to look through a hundred actions takes longer than all the rest of a
/// decision.
struct Rule {
    of_any_action: Policy,
    actions: ActionConstraint,
}

impl Rule {
    fn of(rule: &Policy) -> Result<Self, PolicyError> {
        let mut json = rule.to_json().map_err(PolicyError::new)?;
        if let Some(action) = json.get_mut("action") {
            *action = serde_json::json!({ "op": "All" });
        }
        let of_any_action =
            Policy::from_json(Some(rule.id().clone()), json).map_err(PolicyError::new)?;
        Ok(Self { of_any_action, actions: rule.action_constraint() })
    }
}

/// One action, and the rules whose scope covers it.
struct Asked {
    uid: EntityUid,
    rules: PolicySet,
}

/// Rules in force: floors, what is shipped, and what a tenant adds.
pub struct Rules {
    /// None when they could not be read: then nothing is allowed.
    ready: Option<HashMap<&'static str, Asked>>,
    text: String,
    generation: i64,
}

impl Rules {
    /// Without a tenant's own.
    ///
    /// # Errors
    /// [`PolicyError`] when what is shipped is wrong.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::with("", 0)
    }

    /// With a tenant's own, in their `generation`.
    ///
    /// # Errors
    /// [`PolicyError`] says what is wrong with `text`.
    pub fn with(text: &str, generation: i64) -> Result<Self, PolicyError> {
        let base = Base::get()?;
        let own = read_tenant_rules(base, text)?;
        base.validate(&own)?;
        let own = own.iter().map(Rule::of).collect::<Result<Vec<_>, _>>()?;
        let ready = base.lay_out(Action::ALL, &own)?;
        Ok(Self { ready: Some(ready), text: text.to_owned(), generation })
    }

    /// Rules that cannot be read (another version wrote them): nothing is allowed.
    pub fn unreadable(generation: i64) -> Self {
        Self { ready: None, text: String::new(), generation }
    }

    /// The tenant's own rules.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether they say what is shipped, and nothing else.
    pub fn are_as_shipped(&self) -> bool {
        self.ready.is_some() && self.text.is_empty()
    }

    /// How often they were changed.
    pub fn generation(&self) -> i64 {
        self.generation
    }

    /// Whether the caller may try. Any error is a deny: Cedar itself would skip the rule that erred.
    pub fn decide(&self, question: &Question) -> Decision {
        let Ok(base) = Base::get() else { return Decision::deny(UNREADABLE) };
        let ready = match question.is_beyond_rules() {
            true => Some(&base.beyond),
            false => self.ready.as_ref(),
        };
        let Some(ready) = ready else { return Decision::deny(UNREADABLE) };
        let Some(asked) = ready.get(question.action.as_str()) else {
            return Decision::deny(NO_RULE);
        };
        let Some(request) = request(base, asked, question) else {
            return Decision::deny(UNREADABLE);
        };
        let answer = Authorizer::new().is_authorized(&request, &asked.rules, &base.entities);
        let told = answer.diagnostics();
        if let Some(erred) = told.errors().map(|error| erring(error).to_string()).min() {
            return Decision::deny(format!("error/{erred}"));
        }
        let rule = told.reason().map(|id| -> &str { id.as_ref() }).min().unwrap_or(NO_RULE);
        Decision { allowed: answer.decision() == Verdict::Allow, rule: rule.to_owned() }
    }
}

/// The rule that erred.
fn erring(error: &AuthorizationError) -> &PolicyId {
    match error {
        AuthorizationError::PolicyEvaluationError(error) => error.policy_id(),
    }
}

fn request(base: &Base, asked: &Asked, question: &Question) -> Option<Request> {
    let uid = |name: &EntityTypeName, id: &str| {
        EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
    };
    let principal = uid(base.kinds.get(&question.kind)?, &question.spiffe_id);
    let resource = uid(&base.tenant, &question.object_tenant);
    let context = Context::from_pairs(context(question)).ok()?;
    Request::new(principal, asked.uid.clone(), resource, context, None).ok()
}

fn context(question: &Question) -> [(String, RestrictedExpression); 15] {
    let text = |value: &str| RestrictedExpression::new_string(value.to_owned());
    let yes = RestrictedExpression::new_bool;
    let parents = question.parents.iter().map(|parent| text(parent));
    [
        ("spiffe_id", text(&question.spiffe_id)),
        ("tenant", text(&question.tenant)),
        ("role", text(question.role.as_str())),
        ("machine_role", text(&question.machine_role)),
        ("parents", RestrictedExpression::new_set(parents)),
        ("strength", text(question.strength.map_or("none", AuthStrength::as_str))),
        ("proof_age_seconds", RestrictedExpression::new_long(question.proof_age_seconds)),
        ("approval", text(question.approval.as_str())),
        ("grant", yes(question.grant)),
        ("device", text(&question.device)),
        ("frozen", yes(question.frozen)),
        ("object_tenant", text(&question.object_tenant)),
        ("own", yes(question.own)),
        ("proven", yes(question.proven)),
        ("issuer", text(&question.issuer)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_valid() {
        assert_eq!(Base::get().unwrap().validate(&shipped().unwrap()), Ok(()));
        let wrong = "@id(\"a\") forbid (principal, action, resource) when { context.nothing };";
        let wrong = read_rules(wrong, "").unwrap();
        assert!(Base::get().unwrap().validate(&wrong).is_err());
    }
}
