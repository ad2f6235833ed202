use super::*;
use crate::name::TenantName;
use crate::refusal::Refusal;
use crate::spiffe::{Principal, Segment};
use crate::time::Timestamp;
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn cluster() -> WorkloadIssuer {
    WorkloadIssuer {
        name: IssuerName::parse("prod").unwrap(),
        platform: Platform::Kubernetes,
        issuer: "https://kubernetes.default.svc".to_owned(),
        audience: "https://id.example.org".to_owned(),
        cluster: None,
        keys_url: None,
        authority_pem: None,
        token_lifetime_max_seconds: 3600,
        keys_per_pod_and_hour: 12,
        mappings: Vec::new(),
    }
}

fn github() -> WorkloadIssuer {
    let claims = texts(&[("repository_id", "74"), ("ref", "refs/heads/main")]);
    let mapping = Mapping { claims, service_account: None, namespace: None };
    WorkloadIssuer {
        name: IssuerName::parse("github").unwrap(),
        platform: Platform::Github,
        issuer: "https://token.actions.githubusercontent.com".to_owned(),
        mappings: vec![mapping],
        ..cluster()
    }
}

fn pod() -> WorkloadProof {
    WorkloadProof {
        audience: vec!["https://id.example.org".to_owned()],
        subject: "system:serviceaccount:shop:payments".to_owned(),
        issued_at: NOW,
        not_before: Some(NOW),
        expires_at: NOW + Seconds(3600),
        claims: texts(&[
            ("kubernetes.io/namespace", "shop"),
            ("kubernetes.io/serviceaccount/name", "payments"),
            ("kubernetes.io/serviceaccount/uid", "uid-1"),
            ("kubernetes.io/pod/uid", "pod-1"),
        ]),
    }
}

fn job() -> WorkloadProof {
    WorkloadProof {
        subject: "repo:acme/shop:ref:refs/heads/main".to_owned(),
        expires_at: NOW + Seconds(300),
        claims: texts(&[
            ("repository_id", "74"),
            ("repository_owner_id", "65"),
            ("ref", "refs/heads/main"),
            ("jti", "job-1"),
        ]),
        ..pod()
    }
}

fn named(issuer: &WorkloadIssuer, proof: &WorkloadProof) -> Result<Named, Refusal> {
    issuer.names(&TenantName::parse("home").unwrap(), proof)
}

fn workload(account: &str, namespace: &str, cluster: &str) -> Principal {
    Principal::Workload {
        tenant: TenantName::parse("home").unwrap(),
        service_account: Segment::parse(account).unwrap(),
        namespace: Segment::parse(namespace).unwrap(),
        cluster: Segment::parse(cluster).unwrap(),
    }
}

#[test]
fn a_pod_is_its_service_account_and_its_token_counts_by_the_pod() {
    let found = named(&cluster(), &pod()).unwrap();
    assert_eq!(found.principal, workload("payments", "shop", "prod"));
    assert_eq!(found.usage, Use::Pod { pod: "pod-1".to_owned(), keys: 12 });
}

#[test]
fn a_job_is_its_repository_by_numbers_that_never_pass_on() {
    let found = named(&github(), &job()).unwrap();
    assert_eq!(found.principal, workload("74", "65", "github"));
    assert_eq!(found.usage, Use::Once { token: "job-1".to_owned() });
    let mut chosen = github();
    chosen.mappings[0].service_account = Some(Segment::parse("releaser").unwrap());
    chosen.cluster = Some(Segment::parse("ci").unwrap());
    assert_eq!(named(&chosen, &job()).unwrap().principal, workload("releaser", "65", "ci"));
}

#[test]
fn a_job_of_gitlab_is_its_project() {
    let claims = texts(&[("namespace_id", "72"), ("ref_protected", "true")]);
    let mapping = Mapping { claims, service_account: None, namespace: None };
    let gitlab = WorkloadIssuer {
        name: IssuerName::parse("gitlab").unwrap(),
        platform: Platform::Gitlab,
        mappings: vec![mapping],
        ..cluster()
    };
    assert_eq!(gitlab.check(), Ok(()));
    let mut proof = job();
    proof.claims.extend(texts(&[
        ("project_id", "22"),
        ("namespace_id", "72"),
        ("ref_protected", "true"),
    ]));
    assert_eq!(named(&gitlab, &proof).unwrap().principal, workload("22", "72", "gitlab"));
    proof.claims.insert("ref_protected".to_owned(), "false".to_owned());
    assert_eq!(named(&gitlab, &proof), Err(Refusal::WorkloadUnknown));
}

#[test]
fn what_no_mapping_names_exactly_is_nobody() {
    for (claim, value) in
        [("repository_id", "75"), ("ref", "refs/heads/main2"), ("ref", "REFS/heads/main")]
    {
        let mut proof = job();
        proof.claims.insert(claim.to_owned(), value.to_owned());
        assert_eq!(named(&github(), &proof), Err(Refusal::WorkloadUnknown), "{claim} {value}");
    }
    let mut proof = job();
    proof.claims.remove("ref");
    assert_eq!(named(&github(), &proof), Err(Refusal::WorkloadUnknown));
}

#[test]
fn a_claim_that_is_no_segment_names_nobody() {
    for bad in
        ["", ".", "..", "pay/ments", "pay%2Fments", "pay ments", "päyments", &"a".repeat(254)]
    {
        let mut proof = pod();
        proof.claims.insert("kubernetes.io/serviceaccount/name".to_owned(), bad.to_owned());
        proof.subject = format!("system:serviceaccount:shop:{bad}");
        assert_eq!(named(&cluster(), &proof), Err(Refusal::WorkloadUnknown), "{bad}");
    }
}

#[test]
fn a_token_that_is_bound_to_no_pod_or_contradicts_itself_names_nobody() {
    let mut loose = pod();
    loose.claims.remove("kubernetes.io/pod/uid");
    assert_eq!(named(&cluster(), &loose), Err(Refusal::WorkloadUnknown));
    let mut other = pod();
    other.subject = "system:serviceaccount:shop:admin".to_owned();
    assert_eq!(named(&cluster(), &other), Err(Refusal::WorkloadUnknown));
    let mut nameless = job();
    nameless.claims.remove("jti");
    assert_eq!(named(&github(), &nameless), Err(Refusal::WorkloadUnknown));
}

#[test]
fn the_audience_is_ours_alone() {
    for audience in [
        vec![],
        vec!["https://id.example.org".to_owned(), "other".to_owned()],
        vec!["https://id.example.org/".to_owned()],
    ] {
        let proof = WorkloadProof { audience, ..pod() };
        assert_eq!(named(&cluster(), &proof), Err(Refusal::WorkloadTokenElsewhere));
    }
}

#[test]
fn a_proof_holds_within_its_time_and_for_an_hour_at_most() {
    let issuer = cluster();
    let holds = |proof: &WorkloadProof, now| issuer.holds(proof, now);
    let end = NOW + Seconds(3600);
    assert_eq!(holds(&pod(), NOW), Ok(()));
    assert_eq!(holds(&pod(), end - Seconds(1)), Ok(()));
    assert_eq!(holds(&pod(), end), Err(Refusal::WorkloadTokenExpired { at: end }));
    assert_eq!(holds(&pod(), NOW - SKEW), Ok(()), "clocks differ");
    let early = Err(Refusal::WorkloadTokenEarly { from: NOW });
    assert_eq!(holds(&pod(), NOW - Seconds(61)), early);
    let long = WorkloadProof { expires_at: NOW + Seconds(3601), ..pod() };
    let too_long = Err(Refusal::WorkloadTokenTooLong { max: Seconds(3600) });
    assert_eq!(holds(&long, NOW), too_long);
    assert_eq!(holds(&long, NOW + Seconds(9999)), too_long, "also when it is over");
}

#[test]
fn an_issuer_that_lets_in_more_than_it_says_is_not_taken() {
    assert_eq!(cluster().check(), Ok(()));
    assert_eq!(github().check(), Ok(()));
    let field = |issuer: WorkloadIssuer| issuer.check().unwrap_err().field;
    for url in
        ["http://x", "https://", "https:///x", "https://a@b", "https://a?b", "https://a#b", "x"]
    {
        assert_eq!(
            field(WorkloadIssuer { issuer: url.to_owned(), ..cluster() }),
            "issuer",
            "{url}"
        );
        let keys_url = Some(url.to_owned());
        assert_eq!(field(WorkloadIssuer { keys_url, ..cluster() }), "keys_url", "{url}");
    }
    assert_eq!(field(WorkloadIssuer { audience: String::new(), ..cluster() }), "audience");
    let too_long = WorkloadIssuer { token_lifetime_max_seconds: 3601, ..cluster() };
    assert_eq!(field(too_long), "token_lifetime_max_seconds");
    let many = WorkloadIssuer { keys_per_pod_and_hour: 1001, ..cluster() };
    assert_eq!(field(many), "keys_per_pod_and_hour");
    assert_eq!(field(WorkloadIssuer { mappings: Vec::new(), ..github() }), "mappings");
    let by_name = Mapping {
        claims: texts(&[("repository", "acme/shop")]),
        service_account: None,
        namespace: None,
    };
    let renamed = WorkloadIssuer { mappings: vec![by_name], ..github() };
    assert!(renamed.check().unwrap_err().why.contains("repository_id"), "names pass on");
}

#[test]
fn audiences_of_svids_are_bounded() {
    assert!(is_audience("https://shop.example.org") && is_audience(&"a".repeat(SVID_AUDIENCE_MAX)));
    for bad in ["", "a b", "ä", "a\n", &"a".repeat(SVID_AUDIENCE_MAX + 1)] {
        assert!(!is_audience(bad), "{bad:?}");
    }
}
