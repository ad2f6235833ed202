//! "Which pod" and "which developer", by one query.

use super::world_tests::{World, event};
use crate::store::Tx;
use crate::store::audit_list::{self, Filter};
use landfall_identity::audit::{Actor, AuditEvent};
use landfall_identity::{SpiffeId, TenantName, Timestamp};

const BERT: &str = "spiffe://landfall.local/tenant/home/user/bert/device/laptop";
const BERTHA: &str = "spiffe://landfall.local/tenant/home/user/bertha/device/laptop";
const AGENT: &str = "spiffe://landfall.local/tenant/home/agent/helper/instance/1";
const CHILD: &str = "spiffe://landfall.local/tenant/home/agent/helper-sub/instance/2";
const POD: &str = "spiffe://landfall.local/tenant/home/workload/Ci_x/ns/build/cluster/c1";
const OTHER_POD: &str = "spiffe://landfall.local/tenant/home/workload/CiAx/ns/build/cluster/c1";
const MACHINE: &str = "spiffe://landfall.local/tenant/home/device/d1";

fn id(text: &str) -> SpiffeId {
    text.parse().unwrap()
}

#[tokio::test]
async fn one_query_answers_which_pod_and_which_developer() {
    let world = World::sealed(0).await;
    let acts: [(&str, &[&str]); 7] = [
        (BERT, &[]),
        (BERTHA, &[]),
        (AGENT, &[BERT]),
        (CHILD, &[AGENT, BERT]),
        (POD, &[]),
        (OTHER_POD, &[BERTHA]),
        (MACHINE, &[]),
    ];
    for (n, (actor, parents)) in acts.iter().enumerate() {
        let row = AuditEvent {
            actor: Actor::Principal(id(actor)),
            parents: parents.iter().map(|parent| id(parent)).collect(),
            ..event(u32::try_from(n).unwrap(), &world.ambient)
        };
        world.write(row, [1; 16]).await;
    }
    let tenant = TenantName::parse("home").unwrap();
    let find = async |filter: Filter| {
        let start = (Timestamp::from_millis(i64::MAX), String::new());
        let read =
            async |tx: &mut Tx<'_>| audit_list::list(tx, &tenant, &filter, &start, 100).await;
        let found = world.store.read(read).await.unwrap().rows;
        let mut actors: Vec<String> = found.into_iter().map(|row| row.actor).collect();
        actors.sort();
        actors
    };
    let home = "spiffe://landfall.local/tenant/home";
    let actor = |prefix: &str| Filter { actor: Some(prefix.into()), ..Filter::default() };
    let behalf = |prefix: &str| Filter { behalf: Some(prefix.into()), ..Filter::default() };
    let kind = |word: &str| Filter { kind: Some(format!("{home}/{word}")), ..Filter::default() };
    // Which pod: letter by letter, and no wildcard in a name.
    assert_eq!(find(actor(&format!("{home}/workload/Ci_x"))).await, [POD]);
    assert!(find(actor(&format!("{home}/workload/ci_x"))).await.is_empty());
    assert_eq!(find(behalf(&format!("{home}/workload/Ci_x"))).await, [POD]);
    assert!(find(behalf(&format!("{home}/workload/ci_x"))).await.is_empty());
    // Which developer: himself, and whatever acts for him, at any distance; not his namesake.
    assert_eq!(find(behalf(&format!("{home}/user/bert"))).await, [CHILD, AGENT, BERT]);
    assert_eq!(find(behalf(&format!("{home}/user/bertha"))).await, [BERTHA, OTHER_POD]);
    assert_eq!(find(behalf(AGENT)).await, [CHILD, AGENT]);
    assert_eq!(find(actor(&format!("{home}/agent/helper"))).await, [AGENT]);
    // By kind.
    assert_eq!(find(kind("user")).await, [BERT, BERTHA]);
    assert_eq!(find(kind("agent")).await, [CHILD, AGENT]);
    assert_eq!(find(kind("device")).await, [MACHINE]);
    assert_eq!(find(kind("workload")).await.len(), 2);
    let both = Filter { actor: Some(format!("{home}/agent/helper")), ..kind("user") };
    assert!(find(both).await.is_empty());
}
