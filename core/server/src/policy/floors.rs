//! The floors and the schema, written from the table of actions.
//!
//! Nothing here decides: `identity::authorize` does, from the same table. A test holds that the two never
//! differ.

use super::question::is_asked;
use landfall_identity::action::{Binding, Demand, Entry, Scope};
use landfall_identity::spiffe::PrincipalKind;
use landfall_identity::{Action, AuthStrength, Role};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The group of actions that a tenant may permit to further people.
pub const DELEGABLE: &str = "delegable";
const HEAD: &str = include_str!("schema.cedarschema");

/// What rules may speak of, in Cedar's schema language.
pub fn schema() -> String {
    let mut out = HEAD.to_owned();
    out.push_str("\n    // Groups of actions.\n");
    let roles = Role::ALL.iter().skip(1).map(|role| for_role(*role));
    let groups = ["own", "tenant-wide", "takes-a-person", "evicts", DELEGABLE];
    for group in groups.into_iter().map(str::to_owned).chain(roles) {
        // A string takes whatever is written into it.
        let _ = writeln!(out, "    action \"{group}\";");
    }
    out.push_str("\n    // Actions.\n");
    for action in asked() {
        let groups: Vec<String> =
            groups_of(action).iter().map(|group| format!("\"{group}\"")).collect();
        let _ = writeln!(
            out,
            "    action \"{}\" in [{}] appliesTo {{\n        principal: [Human, ProvisionedDevice, \
             Workload, Agent],\n        resource: [Tenant],\n        context: Asked,\n    }};",
            action.code(),
            groups.join(", ")
        );
    }
    out.push_str("}\n");
    out
}

/// The group of what a role may do in a tenant.
fn for_role(role: Role) -> String {
    format!("for-{}", role.as_str())
}

fn asked() -> impl Iterator<Item = Action> {
    Action::ALL.iter().copied().filter(|action| is_asked(*action))
}

fn groups_of(action: Action) -> Vec<String> {
    let demand = action.demand();
    let mut groups = Vec::new();
    match demand.scope {
        Scope::Own => groups.push("own".to_owned()),
        Scope::Tenant(roles) => {
            groups.push("tenant-wide".to_owned());
            groups.extend(roles.iter().map(|role| for_role(*role)));
        }
    }
    if demand.entry == Entry::Session(AuthStrength::CertHuman) {
        groups.push("takes-a-person".to_owned());
    }
    if demand.evicts {
        groups.push("evicts".to_owned());
    }
    if !demand.delegable.is_empty() {
        groups.push(DELEGABLE.to_owned());
    }
    groups
}

/// One floor in the making: why, its condition, and the actions that it holds for.
struct Floor {
    why: &'static str,
    condition: String,
    actions: Vec<&'static str>,
}

/// The floors, as rules.
pub fn floors() -> String {
    let mut out = String::from(
        "// The floors. No rule takes them away. They are written from the server's own table of actions.\n\
         \n// A device that was cut off does nothing.\n@id(\"floor/device\")\nforbid (principal, action, \
         resource)\nunless { context.device == \"active\" };\n\n// Nobody reaches into another tenant.\n\
         @id(\"floor/tenant\")\nforbid (principal, action, resource)\nunless { context.object_tenant == \
         context.tenant };\n",
    );
    let mut floors: BTreeMap<String, Floor> = BTreeMap::new();
    for action in asked() {
        for (id, why, condition) in of_demand(&action.demand()) {
            let floor = floors.entry(id).or_insert(Floor { why, condition, actions: Vec::new() });
            floor.actions.push(action.code());
        }
    }
    for (id, floor) in floors {
        let actions: Vec<String> = floor
            .actions
            .iter()
            .map(|code| format!("        Landfall::Action::\"{code}\""))
            .collect();
        let _ = write!(
            out,
            "\n// {}\n@id(\"floor/{id}\")\nforbid (\n    principal,\n    action in [\n{}\n    ],\n    \
             resource\n)\nunless {{ {} }};\n",
            floor.why,
            actions.join(",\n"),
            floor.condition
        );
    }
    out
}

type Line = (String, &'static str, String);

fn of_demand(demand: &Demand) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = |id: &str, why, condition: &str| {
        lines.push((id.to_owned(), why, condition.to_owned()));
    };
    if !demand.while_frozen {
        line(
            "frozen",
            "While an account is frozen, only the ways to end that work.",
            "!context.frozen",
        );
    }
    if demand.kinds.len() < PrincipalKind::ALL.len() {
        let kinds: Vec<&str> = demand.kinds.iter().map(|kind| entity(*kind)).collect();
        let condition: Vec<String> =
            kinds.iter().map(|kind| format!("principal is Landfall::{kind}")).collect();
        let id = format!("kind/{}", kinds.join("-").to_lowercase());
        line(&id, "For these principals alone.", &condition.join(" || "));
    }
    match demand.scope {
        Scope::Own => line("own", "Only the caller's own things.", "context.own"),
        Scope::Tenant(roles) => {
            let mut roles: Vec<Role> = roles.iter().chain(demand.delegable).copied().collect();
            roles.sort_unstable();
            let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            let set: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            let id = format!("role/{}", words.join("-"));
            let condition = format!("[{}].contains(context.role)", set.join(", "));
            line(&id, "For people of these roles, at the most.", &condition);
        }
    }
    if let Entry::Session(needs) = demand.entry {
        lines.extend(of_session(demand, needs));
    }
    lines
}

fn of_session(demand: &Demand, needs: AuthStrength) -> Vec<Line> {
    let (suffix, or) = match demand.binding {
        Binding::BoundOrGrant => ("-or-grant", " || context.grant"),
        Binding::Bound | Binding::Unbound => ("", ""),
    };
    let mut lines = vec![(
        "session".to_owned(),
        "Only with a session.",
        "context.strength != \"none\"".to_owned(),
    )];
    let mut line = |id: &str, why, condition: &str| {
        lines.push((format!("{id}{suffix}"), why, format!("{condition}{or}")));
    };
    if needs == AuthStrength::CertHuman {
        line(
            "person",
            "Only after a person touched a passkey.",
            "context.strength == \"cert+human\"",
        );
    }
    if let Some(window) = demand.freshness {
        let id = format!("fresh/{}", window.0);
        let condition = format!("context.proof_age_seconds < {}", window.0);
        line(&id, "Only so many seconds after it.", &condition);
    }
    match demand.binding {
        Binding::Unbound => {
            let why = "A touch for one act serves that act alone.";
            line("no-other-act", why, "context.approval == \"none\"");
        }
        Binding::Bound | Binding::BoundOrGrant => {
            let why = "Only with a touch for this very act.";
            line("this-act", why, "context.approval == \"this-act\"");
        }
    }
    lines
}

/// What a kind of principal is called in rules.
pub(super) fn entity(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::Human => "Human",
        PrincipalKind::ProvisionedDevice => "ProvisionedDevice",
        PrincipalKind::Workload => "Workload",
        PrincipalKind::Agent => "Agent",
    }
}
