//! The platforms' own keys: fetched seldom, believed for a while, exchanged under way.

use super::stage::{PAYMENTS, Stage, entry};
use landfall_crypto::KeyPair;
use landfall_identity::Seconds;
use landfall_identity::workload::Platform;
use landfall_protocol::ErrorCode;
use landfall_server::Config;
use landfall_test_support::{PlatformServer, TokenKey};
use serde_json::json;
use std::path::Path;

const DISCOVERY: &str = "/.well-known/openid-configuration";

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_fetched_once_and_an_unknown_name_asks_again_once_a_minute() {
    let stage = Stage::new().await;
    for _ in 0..3 {
        stage.granted(&stage.pod_token(), &KeyPair::generate().unwrap(), &[]).await;
    }
    assert_eq!(stage.cluster.asked_for("/keys"), 1);
    assert_eq!(stage.cluster.asked_for(DISCOVERY), 1);

    // Whoever makes names up does not make us call.
    stage.wait(Seconds(61));
    let made_up = TokenKey::rs256("made-up").unwrap().sign(&stage.pod()).unwrap();
    for _ in 0..5 {
        assert_eq!(stage.refused(&made_up).await, ErrorCode::WorkloadTokenInvalid);
    }
    assert_eq!(stage.cluster.asked_for("/keys"), 2);

    // The platform exchanges its key: heard of within the minute.
    let next = TokenKey::es256("cluster-2").unwrap();
    stage.cluster.publish(&[&stage.cluster_key, &next]);
    let token = next.sign(&stage.pod()).unwrap();
    assert_eq!(stage.refused(&token).await, ErrorCode::WorkloadTokenInvalid, "not yet");
    stage.wait(Seconds(60));
    let token = next.sign(&stage.pod()).unwrap();
    let issued = stage.granted(&token, &KeyPair::generate().unwrap(), &[]).await;
    assert_eq!(issued.spiffe_id.to_string(), PAYMENTS);
    assert_eq!(stage.cluster.asked_for("/keys"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_a_platform_takes_back_counts_no_longer_than_an_hour() {
    let stage = Stage::new().await;
    stage.granted(&stage.pod_token(), &KeyPair::generate().unwrap(), &[]).await;
    let next = TokenKey::rs256("cluster-2").unwrap();
    stage.cluster.publish(&[&next]);
    stage.granted(&stage.pod_token(), &KeyPair::generate().unwrap(), &[]).await;
    stage.wait(Seconds::hours(1));
    assert_eq!(stage.refused(&stage.pod_token()).await, ErrorCode::WorkloadTokenInvalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_falls_silent_is_believed_by_its_last_keys() {
    let mut stage = Stage::new().await;
    stage.granted(&stage.pod_token(), &KeyPair::generate().unwrap(), &[]).await;
    stage.cluster.fall_silent();
    stage.granted(&stage.pod_token(), &KeyPair::generate().unwrap(), &[]).await;
    let unknown = TokenKey::rs256("cluster-2").unwrap().sign(&stage.pod()).unwrap();
    assert_eq!(stage.refused(&unknown).await, ErrorCode::WorkloadTokenInvalid);
    // Whoever has never heard of it says that it is not the token's fault.
    stage.world.restart().await.unwrap();
    let answer = stage.exchange(&stage.pod_token(), &KeyPair::generate().unwrap(), &[]).await;
    assert_eq!(answer.code(), ErrorCode::WorkloadKeysUnavailable);
    assert_eq!(answer.body["retry_after_seconds"], 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_speaks_for_another_or_lies_inwards_is_not_asked() {
    let stage = Stage::new().await;
    let foreign = json!({ "issuer": "https://elsewhere.example.org",
        "jwks_uri": format!("{}/keys", stage.cluster.issuer()) });
    stage.cluster.put(DISCOVERY, &foreign);
    let code = ErrorCode::WorkloadKeysUnavailable;
    assert_eq!(stage.refused(&stage.pod_token()).await, code);
    let plain = json!({ "issuer": stage.cluster.issuer(),
        "jwks_uri": format!("http://{}/keys", stage.cluster.address) });
    stage.cluster.put(DISCOVERY, &plain);
    stage.wait(Seconds(60));
    assert_eq!(stage.refused(&stage.pod_token()).await, code, "https alone");
    assert_eq!(stage.cluster.asked_for("/keys"), 0);

    // Where the operator has not listed it, this machine itself is not called.
    let closed = Stage::with(|config: &mut Config| config.egress_networks.clear()).await;
    assert_eq!(closed.refused(&closed.pod_token()).await, code);
    assert_eq!(closed.cluster.asked_for(DISCOVERY), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_taken_from_where_the_operator_says_they_are() {
    let mut stage = Stage::new().await;
    let elsewhere = PlatformServer::start().await.unwrap();
    elsewhere.publish(&[&stage.cluster_key]);
    let issuer = stage.cluster.issuer();
    stage.cluster.fall_silent();
    let configure = |config: &mut Config, folder: &Path| {
        let mut moved = entry("prod", Platform::Kubernetes, &elsewhere, folder);
        moved.issuer = issuer;
        moved.keys_url = Some(format!("{}/keys", elsewhere.issuer()));
        config.workload_issuers[0] = moved;
        Ok(())
    };
    stage.world.restart_with(configure).await.unwrap();
    stage.granted(&stage.pod_token(), &KeyPair::generate().unwrap(), &[]).await;
    assert_eq!(elsewhere.asked_for(DISCOVERY), 0);
}
