//! JWT-SVIDs, the trust bundle, and what an SVID is not.

use super::stage::{ClockNow, PAYMENTS, Stage, exchange_body, openssl_verify};
use landfall_crypto::KeyPair;
use landfall_crypto::jwt_svid::verify_svid;
use landfall_crypto::key_set::KeySet;
use landfall_identity::Seconds;
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::Raw;
use reqwest::Method;
use serde_json::{Value, json};

async fn bundle(stage: &Stage) -> Value {
    let stranger = Raw::stranger(&stage.world).unwrap();
    stranger.send(Method::GET, paths::SPIFFE_BUNDLE, None, None).await.unwrap().body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_svid_is_checked_by_the_bundle_and_is_for_its_audience() {
    let stage = Stage::new().await;
    let key = KeyPair::generate().unwrap();
    let issued = stage.granted(&stage.pod_token(), &key, &["bank", "shop"]).await;
    assert!(issued.certificate_chain.is_none());
    let token = issued.jwt_svid.unwrap();
    let keys = KeySet::of_bundle(bundle(&stage).await.to_string().as_bytes()).unwrap();
    let now = stage.world.ambient.now();
    let (subject, claims) = verify_svid(&token, &keys, "shop", now).unwrap();
    assert_eq!(subject, PAYMENTS);
    assert_eq!(claims["exp"], json!(stage.world.clock_now() + 3600));
    assert!(verify_svid(&token, &keys, "thief", now).is_err());
    assert!(verify_svid(&token, &keys, "shop", now + Seconds::hours(1)).is_err());
    let about = "SELECT COUNT(*) FROM audit_events WHERE action = 'exchange-workload'
                 AND target LIKE 'a JWT-SVID for bank shop, by prod pod pod-uid-1%'";
    assert_eq!(stage.world.number(about).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bundle_holds_a_key_for_each_kind_of_svid_and_no_other() {
    let stage = Stage::new().await;
    let bundle = bundle(&stage).await;
    let uses: Vec<&str> =
        bundle["keys"].as_array().unwrap().iter().map(|key| key["use"].as_str().unwrap()).collect();
    assert_eq!(uses, ["x509-svid", "jwt-svid"]);
    assert!(bundle["keys"][0]["x5c"][0].is_string() && bundle["keys"][1]["kid"].is_string());
    assert!(bundle["spiffe_sequence"].is_number() && bundle["spiffe_refresh_hint"].is_number());
    // The keys of sessions and of capabilities are others.
    let stranger = Raw::stranger(&stage.world).unwrap();
    let sessions = stranger.send(Method::GET, paths::JWKS, None, None).await.unwrap().body;
    let sessions = sessions["keys"].as_array().unwrap();
    assert!(!sessions.is_empty());
    assert!(sessions.iter().all(|key| key["x"] != bundle["keys"][1]["x"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_svid_is_no_session_and_no_device_and_a_session_is_no_svid() {
    let stage = Stage::new().await;
    let ana = stage.world.admin("ana").await.unwrap();
    let raw = Raw::of(&ana.machine).unwrap();
    let key = KeyPair::generate().unwrap();
    let svid = stage.granted(&stage.pod_token(), &key, &["landfall-session"]).await;
    let svid = svid.jwt_svid.unwrap();
    let answer = raw.send(Method::GET, paths::ME, Some(&svid), None).await.unwrap();
    assert_eq!(answer.code(), ErrorCode::SessionRequired);

    let session = raw.session().await.unwrap().token;
    let keys = KeySet::of_bundle(bundle(&stage).await.to_string().as_bytes()).unwrap();
    let now = stage.world.ambient.now();
    assert!(verify_svid(&session, &keys, "landfall-session", now).is_err());
    assert_eq!(stage.refused(&session).await, ErrorCode::WorkloadTokenInvalid);

    // The key of a device stays a device's.
    let own = KeyPair::from_pkcs8(&ana.machine.key_file().unwrap()).unwrap();
    let answer = stage.exchange(&stage.pod_token(), &own, &[]).await;
    assert_eq!(answer.code(), ErrorCode::KeyInUse);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_not_right_change_nothing() {
    let stage = Stage::new().await;
    let stranger = Raw::stranger(&stage.world).unwrap();
    let token = stage.pod_token();
    let good = exchange_body(&token, &KeyPair::generate().unwrap(), &[]);
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let many: Vec<String> = (0..9).map(|number| format!("a{number}")).collect();
    for (body, code) in [
        (with("csr", json!("-----BEGIN CERTIFICATE REQUEST-----")), ErrorCode::CsrMalformed),
        (with("audience", json!(many)), ErrorCode::InvalidField),
        (with("audience", json!([""])), ErrorCode::InvalidField),
        (with("audience", json!(["a b"])), ErrorCode::InvalidField),
        (with("audience", json!("bank")), ErrorCode::InvalidField),
        (with("spiffe_id", json!(PAYMENTS)), ErrorCode::UnknownField),
        (with("token", json!("x".repeat(30_000))), ErrorCode::BodyTooLarge),
    ] {
        let path = paths::WORKLOAD_EXCHANGE;
        let answer = stranger.send(Method::POST, path, None, Some(&body)).await.unwrap();
        assert_eq!(answer.code(), code, "{}", answer.body);
        assert!(!answer.body.to_string().contains(&token[..40]), "nothing is echoed");
    }
    assert_eq!(stage.world.number("SELECT COUNT(*) FROM workload_uses").unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platforms_token_is_kept_nowhere() {
    let stage = Stage::new().await;
    let token = stage.pod_token();
    stage.granted(&token, &KeyPair::generate().unwrap(), &["bank"]).await;
    let job = stage.job_token("job-1");
    stage.granted(&job, &KeyPair::generate().unwrap(), &[]).await;
    let mut kept = Vec::new();
    for file in std::fs::read_dir(stage.world.data_dir()).unwrap().flatten() {
        kept.extend(std::fs::read(file.path()).unwrap_or_default());
    }
    for secret in [&token, &job] {
        let signature = secret.rsplit('.').next().unwrap().as_bytes();
        let found = kept.windows(signature.len()).any(|window| window == signature);
        assert!(!found, "in a file of the server");
    }
}

/// As a server has it that is older than workloads.
fn forget_workloads(stage: &Stage) {
    let forget = "DELETE FROM sealed_keys WHERE name IN ('workloads', 'jwt-svid')";
    assert_eq!(stage.world.database().unwrap().execute(forget, []).unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_older_than_workloads_gets_their_issuer_while_its_root_is_there() {
    let mut stage = Stage::new().await;
    let key = KeyPair::generate().unwrap();
    forget_workloads(&stage);
    stage.world.restart().await.unwrap();
    let issued = stage.granted(&stage.pod_token(), &key, &[]).await;
    let (chain, at) = (issued.certificate_chain.unwrap(), stage.world.clock_now());
    openssl_verify(&chain, &issued.trust_bundle, at, "sslclient").unwrap();

    // The root leaves, the issuer stays; what is lost afterwards nobody can make.
    let offline = |config: &mut landfall_server::Config, _: &std::path::Path| {
        config.keep_root_key = false;
        Ok(())
    };
    stage.world.restart_with(offline).await.unwrap();
    stage.granted(&stage.pod_token(), &key, &[]).await;
    forget_workloads(&stage);
    stage.world.restart().await.unwrap();
    let answer = stage.exchange(&stage.pod_token(), &key, &[]).await;
    assert_eq!(answer.code(), ErrorCode::WorkloadsUnavailable);
    assert_eq!(bundle(&stage).await["keys"].as_array().unwrap().len(), 1);
    let last = stage.rows().pop().unwrap();
    assert_eq!((last.1.as_str(), last.2.as_str()), ("deny", "workloads-unavailable"));
}
