//! A tenant's rules hold for workloads: by name, and by the platform whose word they come by.

use super::stage::{PAYMENTS, RELEASER, Stage};
use landfall_client::AuditFilter;
use landfall_crypto::KeyPair;
use landfall_identity::Seconds;
use landfall_protocol::ErrorCode;

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_forbids_one_platform_and_uses_no_token_up() {
    let stage = Stage::new().await;
    let ana = stage.world.admin("ana").await.unwrap();
    let (pod, job) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let token = stage.job_token("job-1");
    stage.granted(&stage.pod_token(), &pod, &[]).await;
    let newest = async || {
        let filter =
            AuditFilter { action: Some("exchange-workload".into()), ..AuditFilter::default() };
        ana.client().admin_audit(&filter).await.unwrap().items.remove(0)
    };
    let first = newest().await;
    assert_eq!((first.actor.as_str(), first.rule.as_deref()), (PAYMENTS, Some("default/own")));
    let rule = "@id(\"no-forge\") forbid (principal is Landfall::Workload, action == \
                Landfall::Action::\"exchange-workload\", resource) when { context.issuer == \
                \"github\" };";
    let tried = ana.client().admin_try_policy(rule).await.unwrap();
    assert_eq!(tried.newly_refused, 0, "the cluster's pods are none of it: {tried:?}");
    ana.client().admin_set_policy(rule, 0, &ana.shell).await.unwrap();
    stage.wait(Seconds(1));
    assert_eq!(stage.exchange(&token, &job, &[]).await.code(), ErrorCode::Forbidden);
    let denied = newest().await;
    assert_eq!((denied.actor.as_str(), denied.outcome.as_str()), (RELEASER, "deny"));
    assert_eq!(denied.rule.as_deref(), Some("tenant/no-forge"));
    stage.granted(&stage.pod_token(), &pod, &[]).await;
    assert_eq!(stage.world.number("SELECT COUNT(*) FROM workload_uses").unwrap(), 1);
    // What was asked is there for tries: without the rule it would be allowed.
    let tried = ana.client().admin_try_policy("").await.unwrap();
    assert_eq!(tried.newly_allowed, 1, "{tried:?}");
    assert_eq!(tried.changes[0].caller, RELEASER);
    ana.client().admin_set_policy("", 1, &ana.shell).await.unwrap();
    stage.granted(&token, &job, &[]).await;
}
