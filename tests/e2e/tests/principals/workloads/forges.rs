//! Jobs of a forge whose tokens everybody on it can get.

use super::stage::{ClockNow, RELEASER, Stage, exchange_body};
use landfall_crypto::KeyPair;
use landfall_identity::Seconds;
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::Raw;
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_jobs_token_serves_one_key_and_that_key_again() {
    let mut stage = Stage::new().await;
    let token = stage.job_token("job-1");
    let key = KeyPair::generate().unwrap();
    let first = stage.granted(&token, &key, &[]).await;
    assert_eq!(first.spiffe_id.to_string(), RELEASER);
    let again = stage.granted(&token, &key, &[]).await;
    assert_eq!(again.certificate_chain, first.certificate_chain, "the same certificate");
    assert!(stage.granted(&token, &key, &["bank"]).await.jwt_svid.is_some());
    assert_eq!(stage.refused(&token).await, ErrorCode::WorkloadTokenUsed);
    let other = KeyPair::generate().unwrap();
    let replayed = stage.exchange(&token, &other, &["bank"]).await;
    assert_eq!(replayed.code(), ErrorCode::WorkloadTokenUsed, "nor a JWT-SVID");

    stage.world.restart().await.unwrap();
    assert_eq!(
        stage.refused(&token).await,
        ErrorCode::WorkloadTokenUsed,
        "a restart forgets nothing"
    );
    let again = stage.granted(&token, &key, &[]).await;
    assert_eq!(again.certificate_chain, first.certificate_chain);
    let denied = stage.rows().into_iter().filter(|(_, outcome, _)| outcome == "deny");
    let expected = (RELEASER.to_owned(), "deny".to_owned(), "workload-token-used".to_owned());
    assert_eq!(denied.collect::<Vec<_>>(), vec![expected; 3]);

    // Another job of the same repository is another token.
    stage.granted(&stage.job_token("job-2"), &other, &[]).await;
    stage.wait(Seconds(299));
    stage.granted(&token, &key, &[]).await;
    stage.wait(Seconds(1));
    let over = stage.exchange(&token, &key, &[]).await;
    assert_eq!(over.code(), ErrorCode::WorkloadTokenExpired);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_racers_on_one_jobs_token_one_gets_an_svid() {
    let stage = Stage::new().await;
    let token = stage.job_token("job-1");
    let racers = (0..32).map(|_| {
        let raw = Raw::stranger(&stage.world).unwrap();
        let body = exchange_body(&token, &KeyPair::generate().unwrap(), &[]);
        tokio::spawn(async move {
            raw.send(Method::POST, paths::WORKLOAD_EXCHANGE, None, Some(&body)).await.unwrap()
        })
    });
    let racers: Vec<_> = racers.collect();
    let mut won = 0;
    for racer in racers {
        let answer = racer.await.unwrap();
        match answer.status {
            200 => won += 1,
            _ => assert_eq!(answer.code(), ErrorCode::WorkloadTokenUsed),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_mapping_names_by_its_numbers_is_nobody() {
    let stage = Stage::new().await;
    for (what, claim, value) in [
        ("another repository of that name", "repository_id", json!("75")),
        ("a number in another form", "repository_id", json!("074")),
        ("another branch", "ref", json!("refs/heads/evil")),
        ("a branch that begins alike", "ref", json!("refs/heads/main/../evil")),
        ("no branch", "ref", json!(null)),
        ("several branches", "ref", json!(["refs/heads/main"])),
        ("no name of its own", "jti", json!(null)),
        ("an owner that is no segment", "repository_owner_id", json!("6/5")),
    ] {
        let mut claims = stage.job("job-1");
        claims[claim] = value;
        let token = stage.forge_key.sign(&claims).unwrap();
        assert_eq!(stage.refused(&token).await, ErrorCode::WorkloadUnknown, "{what}");
    }
    assert_eq!(stage.rows(), [], "anybody on the forge can do that: counted, not written down");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_cluster_is_none_of_the_forge() {
    let stage = Stage::new().await;
    // The cluster may say what it likes of the forge's jobs: under its own name it is a cluster.
    let mut claims = stage.job("job-1");
    claims["iss"] = json!(stage.cluster.issuer());
    let token = stage.cluster_key.sign(&claims).unwrap();
    assert_eq!(stage.refused(&token).await, ErrorCode::WorkloadUnknown);
    let as_forge = stage.cluster_key.sign(&stage.job("job-1")).unwrap();
    assert_eq!(stage.refused(&as_forge).await, ErrorCode::WorkloadTokenInvalid);
    // Uses are kept apart by issuer.
    assert_eq!(stage.world.number("SELECT COUNT(*) FROM workload_uses").unwrap(), 0);
    assert!(stage.world.clock_now() > 0);
}
