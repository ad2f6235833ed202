//! A tenant's rules hold for agents as for anybody else: at every route of theirs, one agent and not its
//! neighbour, on whose behalf it acts, and also before it is one.

use super::*;
use landfall_client::AuditFilter;
use landfall_client::words::Role;
use landfall_identity::Seconds;
use landfall_protocol::audit::AuditRow;

/// As a rule names it.
const RESEARCH: &str = "spiffe://landfall.local/tenant/home/agent/research/instance/MAIN";

/// A rule that keeps agents from an action.
fn forbid(id: &str, action: &str, when: &str) -> String {
    format!(
        "@id(\"{id}\") forbid (principal is Landfall::Agent, action == \
         Landfall::Action::\"{action}\", resource) when {{ {when} }};\n"
    )
}

async fn set(admin: &Person, rules: &str) {
    let known = admin.client().admin_policies().await.unwrap();
    let set = admin.client().admin_set_policy(rules, known.generation, &admin.shell).await;
    set.map_err(|failure| failure.code()).unwrap();
}

/// The newest row of an action.
async fn row(admin: &Person, action: &str) -> AuditRow {
    let filter = AuditFilter { action: Some(action.into()), ..Default::default() };
    admin.client().admin_audit(&filter).await.unwrap().items.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_keeps_one_agent_from_its_next_token_and_stands_in_the_audit() {
    let (world, ana) = world(Profile::Compatible).await;
    let research = enrolled(&world, &ana, Algorithm::Ed25519, "research").await;
    let other = enrolled(&world, &ana, Algorithm::Es256, "other").await;
    assert_eq!(row(&ana, "enroll-agent").await.rule.as_deref(), Some("default/own"));
    assert_eq!(refresh(&research).await.status, 200);
    let allowed = row(&ana, "issue-agent-token").await;
    assert_eq!((allowed.actor.as_str(), allowed.rule.as_deref()), (RESEARCH, Some("default/own")));
    assert_eq!((allowed.actor_role.as_deref(), allowed.machine), (Some("agent"), None));
    let own = row(&ana, "issue-agent-code").await;
    assert_eq!(own.actor_role.as_deref(), Some("master"));
    assert_eq!(own.machine.as_deref(), Some("ana-desktop"));
    let rule = forbid("no-research", "issue-agent-token", &named("research"));
    let tried = ana.client().admin_try_policy(&rule).await.unwrap();
    assert_eq!((tried.newly_refused, tried.newly_allowed), (1, 0), "{tried:?}");
    assert_eq!(tried.changes[0].caller, RESEARCH);

    set(&ana, &rule).await;
    world.clock.advance(Seconds(1));
    refused(&refresh(&research).await, 403, "forbidden");
    let denied = row(&ana, "issue-agent-token").await;
    assert_eq!((denied.outcome.as_str(), denied.actor.as_str()), ("deny", RESEARCH));
    assert_eq!(denied.rule.as_deref(), Some("tenant/no-research"));
    assert_eq!(denied.reason.as_deref(), Some("forbidden"));
    assert_eq!(refresh(&other).await.status, 200, "its neighbour is another");
    // On whose behalf: a rule about the owner's device holds for all that came through it.
    let parent = "context.parents.contains(\"spiffe://landfall.local/tenant/home/user/ana/device/\
                  ana-desktop\")";
    set(&ana, &forbid("not-for-ana", "issue-agent-token", parent)).await;
    refused(&refresh(&other).await, 403, "forbidden");
    set(&ana, "").await;
    assert_eq!(refresh(&research).await.status, 200, "taken back, it no longer holds");
    let rows = "SELECT COUNT(*) FROM audit_events WHERE rule IS NULL AND outcome <> 'error' AND \
                actor <> 'server'";
    assert_eq!(world.number(rows).unwrap(), 0, "every row of a caller names its rule");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_names_an_agent_holds_for_its_parts() {
    let (world, ana) = world(Profile::Compatible).await;
    let research = enrolled(&world, &ana, Algorithm::Ed25519, "research").await;
    let other = enrolled(&world, &ana, Algorithm::Ed25519, "other").await;
    let scan = super::capabilities::part(&world, &research, "scan").await;
    let theirs = super::capabilities::part(&world, &other, "scan").await;
    let wanted = json!({ "scope": ["read"], "audience": ["https://x.example.org"] });
    let exactly = format!("context.spiffe_id == \"{RESEARCH}\"");
    set(&ana, &forbid("no-research", "issue-capability", &exactly)).await;
    for agent in [&research, &scan] {
        world.clock.advance(Seconds(1));
        refused(&agent.post(paths::CAPABILITIES, &wanted).await.unwrap(), 403, "forbidden");
        let denied = row(&ana, "issue-capability").await;
        assert_eq!(denied.rule.as_deref(), Some("tenant/no-research"));
    }
    let actor = row(&ana, "issue-capability").await.actor;
    assert!(actor.ends_with("/agent/research/instance/MAIN.scan"), "the part's own row: {actor}");
    // A rule about the part alone: it is not made, and nothing is handed to it.
    let alone = "context.spiffe_id like \"*/MAIN.scan\"";
    set(&ana, &forbid("no-scan", "issue-sub-agent-token", alone)).await;
    let token = refresh(&research).await;
    let again = json!({ "discriminator": "scan", "cnf_jwk": scan.jwk().unwrap() });
    let message = research.by_token(paths::SUB_AGENT_TOKEN, &again, text(&token, "agent_token"));
    refused(&research.send(&message, &research.key).await.unwrap(), 403, "forbidden");
    let beyond = theirs.post(paths::CAPABILITIES, &wanted).await.unwrap();
    refused(&beyond, 403, "insufficient_scope");
}

/// The condition that a rule is about this agent.
fn named(local: &str) -> String {
    format!("context.spiffe_id like \"*/agent/{local}/*\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_hold_at_every_route_of_agents() {
    let (world, ana) = world(Profile::Compatible).await;
    let research = enrolled(&world, &ana, Algorithm::Es256, "research").await;
    let newcomer = agent(&world, Algorithm::Es256);
    let token = refresh(&research).await;
    let any = code(&ana, None).await;
    let wanted = json!({ "scope": ["a"], "audience": ["https://x.example.org"] });
    let asked = json!({ "approval_id": "00000000000000000000000000" });
    let rules = "@id(\"no-agents\") forbid (principal is Landfall::Agent, action, resource);\n";
    set(&ana, rules).await;
    let exchange = json!({ "capability": "x" });
    let part = json!({ "discriminator": "scan", "cnf_jwk": newcomer.jwk().unwrap() });
    let part = research.by_token(paths::SUB_AGENT_TOKEN, &part, text(&token, "agent_token"));
    let pairing = json!({ "user": "ana", "agent": "newcomer" });
    let mut answers = vec![
        ("part", research.send(&part, &research.key).await.unwrap()),
        (
            "enrolling",
            newcomer
                .post(paths::AGENT_ENROL, &enrol_body(&newcomer, "n", Some(&any)))
                .await
                .unwrap(),
        ),
        // A token is a token, by whichever route it is given.
        ("enrolling again", research.post(paths::AGENT_ENROL, &json!({})).await.unwrap()),
        ("pairing", newcomer.post(paths::PAIRING_BEGIN, &pairing).await.unwrap()),
    ];
    for (path, body) in [
        (paths::AGENT_REFRESH, &json!({})),
        (paths::AGENT_TOKEN, &json!({})),
        (paths::CAPABILITIES, &wanted),
        (paths::CAPABILITY_EXCHANGE, &exchange),
        (paths::APPROVALS, &wanted),
        (paths::APPROVAL_SHOW, &asked),
    ] {
        answers.push((path, research.post(path, body).await.unwrap()));
    }
    for (what, answer) in answers {
        assert_eq!((answer.status, text(&answer, "error")), (403, "forbidden"), "{what}");
    }
    // Whoever waits leaves a row where the rules refuse them; nothing else has changed.
    assert_eq!(row(&ana, "read-approval").await.rule.as_deref(), Some("tenant/no-agents"));
    assert_eq!(unused(&ana).await, 1, "a code that rules refused is as good as before");
    assert_eq!(world.number("SELECT COUNT(*) FROM agents").unwrap(), 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM agent_pairings").unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gets_no_next_token_gets_none_by_enrolling_again() {
    let (world, ana) = world(Profile::Compatible).await;
    let research = enrolled(&world, &ana, Algorithm::Ed25519, "research").await;
    set(&ana, &forbid("no-research", "issue-agent-token", &named("research"))).await;
    refused(&refresh(&research).await, 403, "forbidden");
    // Rows of one moment have no order.
    world.clock.advance(landfall_identity::Seconds(1));
    let again = research.post(paths::AGENT_ENROL, &json!({})).await.unwrap();
    refused(&again, 403, "forbidden");
    assert_eq!(row(&ana, "enroll-agent").await.rule.as_deref(), Some("tenant/no-research"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_tells_who_has_proved_its_key_and_no_rule_lifts_a_floor() {
    let (world, ana) = world(Profile::Compatible).await;
    set(&ana, &forbid("signed-only", "enroll-agent", "!context.proven")).await;
    let bold = agent(&world, Algorithm::Es256);
    let any = code(&ana, None).await;
    let body = enrol_body(&bold, "bold", Some(&any));
    let unsigned = bold.unsigned(paths::AGENT_ENROL, &body).await.unwrap();
    refused(&unsigned, 403, "forbidden");
    let denied = row(&ana, "enroll-agent").await;
    assert_eq!(denied.rule.as_deref(), Some("tenant/signed-only"));
    assert_eq!(unused(&ana).await, 1);
    assert_eq!(bold.post(paths::AGENT_ENROL, &body).await.unwrap().status, 200);
    // What agents do is delegable to nobody, and what people do never to agents.
    let tom = world.invited_as(&ana, "tom", Role::Operator).await.unwrap();
    for action in ["issue-agent-token", "exchange-workload", "enroll-agent"] {
        let rule = format!(
            "@id(\"all\") permit (principal, action == Landfall::Action::\"{action}\", resource);"
        );
        let known = ana.client().admin_policies().await.unwrap();
        let no = ana.client().admin_set_policy(&rule, known.generation, &ana.shell).await;
        assert!(no.unwrap_err().problem().detail.contains("delegat"), "{action}");
    }
    let floors = tom.client().admin_policies().await;
    assert!(floors.is_err(), "an operator does not read the rules");
    let floors = ana.client().admin_policies().await.unwrap().floors;
    for floor in ["floor/kind/agent", "floor/kind/workload"] {
        assert!(floors.contains(floor), "{floor}");
    }
    // A revoked agent is refused by the law, whatever the rules say.
    let id = ana.client().agents().await.unwrap()[0].agent.clone();
    ana.step_up().await.unwrap();
    ana.client().revoke_agent(&id).await.unwrap();
    world.clock.advance(Seconds(1));
    refused(&refresh(&bold).await, 403, "enrollment_revoked");
    let law = row(&ana, "issue-agent-token").await.rule.unwrap();
    assert!(law.starts_with("law/"), "{law}");
}
