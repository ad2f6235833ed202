//! Platforms that administrators add and remove.

use super::stage::{AUDIENCE, PAYMENTS, Stage};
use landfall_crypto::KeyPair;
use landfall_identity::workload::{IssuerName, Platform};
use landfall_protocol::ErrorCode;
use landfall_protocol::workload::{WorkloadIssuerRequest, WorkloadMapping};
use landfall_server::Config;
use landfall_test_support::Person;

fn name(text: &str) -> IssuerName {
    IssuerName::parse(text).unwrap()
}

/// The stage's cluster, as an administrator would add it.
fn cluster(stage: &Stage) -> WorkloadIssuerRequest {
    WorkloadIssuerRequest {
        name: name("prod"),
        platform: Platform::Kubernetes,
        issuer: stage.cluster.issuer(),
        audience: AUDIENCE.to_owned(),
        cluster: None,
        keys_url: None,
        authority_pem: Some(stage.cluster.certificate_pem.clone()),
        token_lifetime_max_seconds: 3600,
        keys_per_pod_and_hour: 12,
        mappings: Vec::new(),
    }
}

async fn bare() -> (Stage, Person) {
    let stage = Stage::with(|config: &mut Config| drop(config.workload_issuers.remove(0))).await;
    let ana = stage.world.admin("ana").await.unwrap();
    (stage, ana)
}

async fn add(ana: &Person, issuer: &WorkloadIssuerRequest) -> Result<(), ErrorCode> {
    let added = ana.client().add_workload_issuer(issuer).await;
    added.map(drop).map_err(|failure| failure.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_lets_a_cluster_in_and_out_again() {
    let (mut stage, ana) = bare().await;
    let token = stage.pod_token();
    assert_eq!(stage.refused(&token).await, ErrorCode::WorkloadTokenInvalid);
    let issuer = cluster(&stage);
    assert_eq!(add(&ana, &issuer).await, Err(ErrorCode::StepUpRequired), "it takes a person");
    ana.step_up().await.unwrap();
    add(&ana, &issuer).await.unwrap();
    add(&ana, &issuer).await.unwrap();
    let listed = ana.client().workload_issuers().await.unwrap();
    let named: Vec<_> = listed.iter().map(|info| (info.name.as_str(), info.configured)).collect();
    assert_eq!(named, [("github", true), ("prod", false)]);
    assert_eq!(listed[1].added_by.as_ref().unwrap().principal.user(), Some(&ana.name));
    let key = KeyPair::generate().unwrap();
    assert_eq!(stage.granted(&token, &key, &[]).await.spiffe_id.to_string(), PAYMENTS);
    stage.world.restart().await.unwrap();
    stage.granted(&token, &key, &[]).await;

    ana.step_up().await.unwrap();
    ana.client().remove_workload_issuer(&name("prod")).await.unwrap();
    assert_eq!(stage.refused(&token).await, ErrorCode::WorkloadTokenInvalid, "at once");
    let gone = ana.client().remove_workload_issuer(&name("prod")).await.unwrap_err();
    assert_eq!(gone.code(), ErrorCode::NotFound);
    for (action, outcome, count) in [
        ("admin-add-workload-issuer", "allow", 2),
        ("admin-add-workload-issuer", "deny", 1),
        ("admin-remove-workload-issuer", "allow", 1),
        ("admin-remove-workload-issuer", "deny", 1),
    ] {
        let sql = format!(
            "SELECT COUNT(*) FROM audit_events WHERE action = '{action}' AND outcome = '{outcome}'
             AND target = 'workload issuer prod'"
        );
        assert_eq!(stage.world.number(&sql).unwrap(), count, "{action} {outcome}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_let_in_too_many_or_is_there_already_is_not_taken() {
    let (stage, ana) = bare().await;
    ana.step_up().await.unwrap();
    let good = cluster(&stage);
    let claims = [("repository".to_owned(), "acme/shop".to_owned())].into();
    let by_name = WorkloadMapping { claims, service_account: None, namespace: None };
    let slash = Some("a/b".to_owned());
    let bad = [
        WorkloadIssuerRequest { platform: Platform::Github, ..good.clone() },
        WorkloadIssuerRequest {
            platform: Platform::Gitlab,
            mappings: vec![by_name.clone()],
            ..good.clone()
        },
        WorkloadIssuerRequest { mappings: vec![by_name], ..good.clone() },
        WorkloadIssuerRequest { issuer: "http://127.0.0.1".to_owned(), ..good.clone() },
        WorkloadIssuerRequest { token_lifetime_max_seconds: 3601, ..good.clone() },
        WorkloadIssuerRequest { keys_per_pod_and_hour: 0, ..good.clone() },
        WorkloadIssuerRequest { audience: String::new(), ..good.clone() },
        WorkloadIssuerRequest { cluster: slash, ..good.clone() },
        WorkloadIssuerRequest { authority_pem: Some("junk".to_owned()), ..good.clone() },
    ];
    for issuer in &bad {
        assert_eq!(add(&ana, issuer).await, Err(ErrorCode::InvalidField), "{issuer:?}");
    }
    let same_name = WorkloadIssuerRequest { name: name("github"), ..good.clone() };
    assert_eq!(add(&ana, &same_name).await, Err(ErrorCode::WorkloadIssuerExists));
    let same_url = WorkloadIssuerRequest { issuer: stage.forge.issuer(), ..good.clone() };
    assert_eq!(add(&ana, &same_url).await, Err(ErrorCode::WorkloadIssuerExists));
    let configured = ana.client().remove_workload_issuer(&name("github")).await.unwrap_err();
    assert_eq!(configured.code(), ErrorCode::WorkloadIssuerConfigured);
    assert_eq!(ana.client().workload_issuers().await.unwrap().len(), 1);

    for number in 0..32 {
        let issuer = format!("https://cluster-{number}.example.org");
        let one =
            WorkloadIssuerRequest { name: name(&format!("c{number}")), issuer, ..good.clone() };
        add(&ana, &one).await.unwrap();
    }
    assert_eq!(add(&ana, &good).await, Err(ErrorCode::TooManyWorkloadIssuers));
    assert_eq!(ana.client().workload_issuers().await.unwrap().len(), 33, "in pages");
}
