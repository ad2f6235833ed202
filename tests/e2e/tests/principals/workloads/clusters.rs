//! Pods of a Kubernetes-shaped cluster.

use super::stage::{AUDIENCE, ClockNow, PAYMENTS, Stage, openssl_verify};
use landfall_crypto::certificate::CertificateFacts;
use landfall_crypto::{KeyPair, Signer};
use landfall_identity::Seconds;
use landfall_protocol::ErrorCode;
use landfall_test_support::{PlatformServer, TokenKey};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_gets_an_svid_that_says_who_it_is_and_openssl_believes_it() {
    let stage = Stage::new().await;
    let key = KeyPair::generate().unwrap();
    let issued = stage.granted(&stage.pod_token(), &key, &[]).await;
    assert_eq!(issued.spiffe_id.to_string(), PAYMENTS);
    assert!(issued.jwt_svid.is_none());
    let chain = issued.certificate_chain.unwrap();
    let leaf = pem::parse_many(&chain).unwrap()[0].contents().to_vec();
    let facts = CertificateFacts::read(&leaf).unwrap();
    assert_eq!(facts.spiffe_id.unwrap().to_string(), PAYMENTS);
    assert_eq!(facts.public_key, key.public_key(), "the key of the request");
    let now = stage.world.ambient.now();
    assert_eq!(facts.not_after, now + Seconds::hours(1));
    assert_eq!(issued.renew_at.0, now + Seconds::minutes(30));

    let at = stage.world.clock_now();
    for purpose in ["sslclient", "sslserver"] {
        openssl_verify(&chain, &issued.trust_bundle, at, purpose).unwrap();
    }
    let over = openssl_verify(&chain, &issued.trust_bundle, at + 3601, "sslclient");
    assert!(over.unwrap_err().contains("expired"));
    assert_eq!(stage.rows(), [(PAYMENTS.to_owned(), "allow".to_owned(), String::new())]);
    let about = "SELECT COUNT(*) FROM audit_events WHERE action = 'exchange-workload'
                 AND target LIKE 'an X.509-SVID, by prod pod pod-uid-1, serial %'";
    assert_eq!(stage.world.number(about).unwrap(), 1, "which pod");
}

#[tokio::test(flavor = "multi_thread")]
async fn rs256_es256_and_eddsa_are_taken() {
    let stage = Stage::new().await;
    let (ec, ed) = (TokenKey::es256("ec").unwrap(), TokenKey::eddsa("ed").unwrap());
    stage.cluster.publish(&[&stage.cluster_key, &ec, &ed]);
    for key in [&stage.cluster_key, &ec, &ed] {
        let token = key.sign(&stage.pod()).unwrap();
        let issued = stage.granted(&token, &KeyPair::generate().unwrap(), &[]).await;
        assert_eq!(issued.spiffe_id.to_string(), PAYMENTS, "{}", key.kid);
    }
}

/// The claims with one of them changed, or taken out.
fn with(claims: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = claims.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => drop(parent.remove(name)),
        value => drop(parent.insert(name.to_owned(), value)),
    }
    changed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_no_platform_of_ours_signed_is_a_strangers() {
    let stage = Stage::new().await;
    let pod = stage.pod();
    let thief = TokenKey::rs256("cluster-1").unwrap();
    let unknown = TokenKey::rs256("cluster-2").unwrap();
    let elsewhere = PlatformServer::start().await.unwrap();
    elsewhere.publish(&[&thief]);
    let genuine = stage.pod_token();
    let parts: Vec<&str> = genuine.split('.').collect();
    let job = stage.job_token("job-1");
    let other_words = format!("{}.{}.{}", parts[0], job.split('.').nth(1).unwrap(), parts[2]);
    for (what, token) in [
        ("another issuer", thief.sign(&with(&pod, "/iss", json!(elsewhere.issuer()))).unwrap()),
        ("almost the issuer", {
            let issuer = format!("{}/", stage.cluster.issuer());
            stage.cluster_key.sign(&with(&pod, "/iss", json!(issuer))).unwrap()
        }),
        ("no issuer", stage.cluster_key.sign(&with(&pod, "/iss", Value::Null)).unwrap()),
        ("another key of that name", thief.sign(&pod).unwrap()),
        ("a key of no name", unknown.sign(&pod).unwrap()),
        ("the forge's key", stage.forge_key.sign(&pod).unwrap()),
        ("algorithm none", stage.cluster_key.sign_not_at_all(&pod)),
        ("HS256 with the public key", stage.cluster_key.sign_with_public_half(&pod).unwrap()),
        ("another signature", other_words),
        ("cut off", genuine[..genuine.len() - 4].to_owned()),
        ("nothing", String::new()),
        ("no token", "a.b.c".to_owned()),
        ("too long", "x".repeat(10 * 1024)),
        ("no time of making", stage.cluster_key.sign(&with(&pod, "/iat", Value::Null)).unwrap()),
        ("no end", stage.cluster_key.sign(&with(&pod, "/exp", Value::Null)).unwrap()),
    ] {
        assert_eq!(stage.refused(&token).await, ErrorCode::WorkloadTokenInvalid, "{what}");
    }
    assert_eq!(stage.rows(), [], "strangers are counted, not written down");
    let counted = "SELECT COALESCE(SUM(count), 0) FROM stranger_refusals
                   WHERE code = 'workload-token-invalid'";
    stage.world.until("counted", |world| world.number(counted).unwrap() == 15).await;
    assert_eq!(stage.world.number("SELECT COUNT(*) FROM workload_uses").unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_signed_and_not_right_is_refused_for_its_own_reason() {
    let stage = Stage::new().await;
    let (pod, now) = (stage.pod(), stage.world.clock_now());
    let named = "/kubernetes.io/serviceaccount/name";
    let cases = [
        (
            "another audience",
            with(&pod, "/aud", json!(["bank"])),
            ErrorCode::WorkloadTokenElsewhere,
        ),
        (
            "a further audience",
            with(&pod, "/aud", json!([AUDIENCE, "bank"])),
            ErrorCode::WorkloadTokenElsewhere,
        ),
        ("no audience", with(&pod, "/aud", json!([])), ErrorCode::WorkloadTokenElsewhere),
        ("no pod", with(&pod, "/kubernetes.io/pod", Value::Null), ErrorCode::WorkloadUnknown),
        ("a path", with(&pod, named, json!("pay/ments")), ErrorCode::WorkloadUnknown),
        ("dots", with(&pod, named, json!("..")), ErrorCode::WorkloadUnknown),
        ("percent", with(&pod, named, json!("pay%2Fments")), ErrorCode::WorkloadUnknown),
        ("nobody", with(&pod, named, json!("")), ErrorCode::WorkloadUnknown),
        ("another name", with(&pod, named, json!("admin")), ErrorCode::WorkloadUnknown),
    ];
    for (what, claims, code) in cases {
        let token = stage.cluster_key.sign(&claims).unwrap();
        assert_eq!(stage.refused(&token).await, code, "{what}");
    }
    assert_eq!(stage.rows(), [], "who it is was not known");

    // Whom it names is known from here on: a row each.
    let cases = [
        ("expired", with(&pod, "/exp", json!(now)), ErrorCode::WorkloadTokenExpired),
        ("not yet valid", with(&pod, "/nbf", json!(now + 61)), ErrorCode::WorkloadTokenEarly),
        (
            "from the future",
            {
                let later = with(&pod, "/iat", json!(now + 61));
                with(&later, "/exp", json!(now + 3000))
            },
            ErrorCode::WorkloadTokenEarly,
        ),
        ("too long-lived", with(&pod, "/exp", json!(now + 3601)), ErrorCode::WorkloadTokenTooLong),
        (
            "for a year",
            with(&pod, "/exp", json!(now + 31_536_000)),
            ErrorCode::WorkloadTokenTooLong,
        ),
    ];
    let mut expected = Vec::new();
    for (what, claims, code) in cases {
        let token = stage.cluster_key.sign(&claims).unwrap();
        assert_eq!(stage.refused(&token).await, code, "{what}");
        expected.push((PAYMENTS.to_owned(), "deny".to_owned(), code.as_str().to_owned()));
    }
    assert_eq!(stage.rows(), expected);
    assert_eq!(stage.world.number("SELECT COUNT(*) FROM workload_uses").unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_brings_so_many_keys_within_an_hour() {
    let three = |config: &mut landfall_server::Config| {
        config.workload_issuers[0].keys_per_pod_and_hour = 3;
    };
    let mut stage = Stage::with(three).await;
    let token = stage.pod_token();
    let keys: Vec<KeyPair> = (0..4).map(|_| KeyPair::generate().unwrap()).collect();
    for key in &keys[..3] {
        stage.granted(&token, key, &[]).await;
    }
    assert_eq!(stage.exchange(&token, &keys[3], &[]).await.code(), ErrorCode::RateLimited);
    assert_eq!(stage.exchange(&token, &keys[3], &["bank"]).await.code(), ErrorCode::RateLimited);
    // A key that is known is none more, and neither is another pod's.
    stage.granted(&token, &keys[0], &[]).await;
    let other = with(&stage.pod(), "/kubernetes.io/pod/uid", json!("pod-uid-2"));
    stage.granted(&stage.cluster_key.sign(&other).unwrap(), &keys[3], &[]).await;
    stage.world.restart().await.unwrap();
    assert_eq!(stage.exchange(&token, &keys[3], &[]).await.code(), ErrorCode::RateLimited);
    stage.world.pass(Seconds::hours(1)).await.unwrap();
    stage.granted(&stage.pod_token(), &keys[3], &[]).await;
}
