//! Who has a key made, of which role, and what is left of it: one answer.

use super::{device, opened, people, pinned, provision, refused, role, server_key};
use landfall_client::WantedKey;
use landfall_identity::Seconds;
use landfall_identity::caller::Role;
use landfall_identity::provisioned::{CREDENTIAL_TTL_MAX, Handing};
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::{ErrorCode, paths};
use landfall_server::Config;
use landfall_test_support::{Raw, World};
use reqwest::Method;
use serde_json::json;
use std::path::Path;

/// A role that machines have, and that no key is made for.
fn with_a_closed_role(config: &mut Config, _: &Path) -> anyhow::Result<()> {
    config.machine_roles = config.machine_roles.clone().with(role("legacy"), Handing::Never);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_and_administrators_have_keys_made_and_nobody_else() {
    let world = World::new().await.unwrap();
    let (ana, olga) = people(&world).await;
    let mia = world.invited(&ana, "mia").await.unwrap();
    let otto = world.invited_as(&ana, "otto", Role::Auditor).await.unwrap();
    provision(&olga, server_key("by-olga")).await.unwrap();
    provision(&ana, server_key("by-ana")).await.unwrap();
    for other in [&mia, &otto] {
        // Nobody is asked to touch for what is refused in any case.
        let no = provision(other, server_key("by-nobody")).await.err();
        assert_eq!(no, Some(ErrorCode::Forbidden));
        let raw = Raw::of(&other.machine).unwrap();
        let strong = other.client().step_up(None, None, &other.shell).await.unwrap().token;
        for (path, body) in [
            (paths::PROVISION, json!({ "device": "by-nobody", "role": "server" })),
            (
                paths::PROVISION_APPROVE,
                json!({ "device": "by-nobody", "role": "releaser", "asker": "olga" }),
            ),
        ] {
            let answer = raw.send(Method::POST, path, Some(&strong), Some(&body)).await.unwrap();
            assert_eq!(answer.code(), ErrorCode::Forbidden, "{path}");
        }
    }
    assert!(otto.client().machines().await.unwrap().len() == 2, "an auditor looks");
    assert_eq!(mia.client().machines().await.unwrap_err().code(), ErrorCode::Forbidden);
    let machines = "SELECT COUNT(*) FROM provisioned_devices";
    assert_eq!(world.number(machines).unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_none_is_refused_and_so_is_a_machine_that_is_not_there() {
    let world = World::configured(with_a_closed_role).await.unwrap();
    let (_, olga) = people(&world).await;
    let raw = Raw::of(&olga.machine).unwrap();
    // A touch for exactly this act, got where nobody foresees its end: the server decides again.
    let strong = olga.client().step_up(None, None, &olga.shell).await.unwrap().token;
    let send = async |body: serde_json::Value| {
        raw.send(Method::POST, paths::PROVISION, Some(&strong), Some(&body)).await.unwrap()
    };
    let unbound = send(json!({ "device": "x1", "role": "server" })).await;
    assert_eq!(unbound.code(), ErrorCode::StepUpRequired, "an unbound touch does not do");
    for (name, problem) in [
        ("nonsense", "no such role"),
        ("legacy", "No keys are made"),
        ("admin", "no such role"),
        ("member", "no such role"),
    ] {
        let wanted = WantedKey { role: Some(role(name)), ..server_key("x1") };
        let failure = olga.client().provision(wanted, &olga.shell).await.err().unwrap();
        assert_eq!(failure.code(), ErrorCode::InvalidField, "{name}");
        assert_eq!(
            (failure.problem().status, failure.problem().field.as_deref()),
            (400, Some("role"))
        );
        assert!(failure.problem().detail.contains(problem), "{name}: {failure}");
    }
    let badly = send(json!({ "device": "x1", "role": "../admin" })).await;
    assert_eq!((badly.status, badly.code()), (400, ErrorCode::InvalidField));
    let one_more = WantedKey { role: None, ..server_key("x1") };
    let failure = olga.client().provision(one_more, &olga.shell).await.err().unwrap();
    assert_eq!((failure.code(), failure.problem().status), (ErrorCode::NotFound, 404));
    assert_eq!(world.number("SELECT COUNT(*) FROM provisioned_devices").unwrap(), 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM provisioned_keys").unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_given_once() {
    let world = World::new().await.unwrap();
    let (_, olga) = people(&world).await;
    let act = BoundActBody::ProvisionCredential {
        device: device("build-7"),
        role: Some(role("server")),
        ttl_seconds: 3600,
        words: 5,
    };
    let token = olga.client().step_up(Some(act), None, &olga.shell).await.unwrap().token;
    let raw = Raw::of(&olga.machine).unwrap();
    let body = json!({ "device": "build-7", "role": "server", "ttl_seconds": 3600, "words": 5 });
    let send = async |body: &serde_json::Value| {
        raw.send(Method::POST, paths::PROVISION, Some(&token), Some(body)).await.unwrap()
    };
    // The touch is for exactly this.
    let other = json!({ "device": "build-7", "role": "server", "ttl_seconds": 3601, "words": 5 });
    assert_eq!(send(&other).await.code(), ErrorCode::StepUpForAnotherAct);
    let first = send(&body).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.cache_control, "no-store");
    assert_eq!(first.body["passphrase"].as_str().unwrap().split(' ').count(), 5);
    // Whoever asks again, or looks for it elsewhere, gets nothing of it.
    let again = send(&body).await;
    assert_eq!(again.code(), ErrorCode::StepUpSpent);
    let weak = raw.session().await.unwrap().token;
    let list = raw.send(Method::GET, paths::PROVISIONED, Some(&weak), None).await.unwrap();
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
    for secret in ["passphrase", "file_base64", "PRIVATE KEY"] {
        assert!(!list.body.to_string().contains(secret), "{secret}");
    }
    let read = raw.send(Method::GET, paths::PROVISION, Some(&weak), None).await.unwrap();
    assert_eq!(read.code(), ErrorCode::MethodNotAllowed);
    assert_eq!(world.number("SELECT COUNT(*) FROM provisioned_keys").unwrap(), 1);
    // The receipt: which key went out in which file, and to whom.
    let id = first.body["key"]["id"].as_str().unwrap();
    let receipt = format!(
        "SELECT COUNT(*) FROM audit_events WHERE action = 'provision-credential' AND outcome = 'allow'
         AND actor LIKE '%/user/olga/device/olga-laptop' AND strength = 'cert+human'
         AND target = 'key {id} of machine build-7 at role server, handed out as file {}'",
        first.body["file_sha256"].as_str().unwrap()
    );
    assert_eq!(world.number(&receipt).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_given_once_and_a_machine_may_have_several_keys() {
    let world = World::new().await.unwrap();
    let (_, olga) = people(&world).await;
    let first = provision(&olga, server_key("build-7")).await.unwrap();
    let taken = provision(&olga, server_key("build-7")).await.err();
    assert_eq!(taken, Some(ErrorCode::DeviceNameTaken));
    let one_more = WantedKey { role: None, ..server_key("build-7") };
    let second = provision(&olga, one_more).await.unwrap();
    assert_eq!((first.key.role.clone(), second.key.role.clone()), (role("server"), role("server")));
    assert_ne!(*first.passphrase, *second.passphrase);
    // Each is a key of the same machine, and one is cut off without the other.
    let raws = [&first, &second].map(|made| pinned(&world, &opened(made).1));
    for raw in &raws {
        raw.session().await.unwrap();
    }
    olga.step_up().await.unwrap();
    olga.client().disable_key(&first.key.id).await.unwrap();
    assert_eq!(refused(&raws[0]).await, ErrorCode::DeviceSuspended);
    raws[1].session().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_handed_out_ends_in_time() {
    let mut world = World::new().await.unwrap();
    let (_, olga) = people(&world).await;
    for (ttl, code) in [
        (Seconds(0), ErrorCode::TtlNotAllowed),
        (Seconds(CREDENTIAL_TTL_MAX.0 + 1), ErrorCode::TtlNotAllowed),
        (Seconds(u64::MAX), ErrorCode::TtlNotAllowed),
    ] {
        let body = json!({ "device": "x1", "role": "server", "ttl_seconds": ttl.0 });
        let act = BoundActBody::ProvisionCredential {
            device: device("x1"),
            role: Some(role("server")),
            ttl_seconds: ttl.0,
            words: 6,
        };
        // Foreseen before the touch, so that it takes one for another act to ask at all.
        let foreseen = olga.client().step_up(Some(act), None, &olga.shell).await.err().unwrap();
        assert_eq!(foreseen.code(), code, "{body}");
    }
    let wanted = WantedKey { ttl: Some(Seconds::hours(2)), ..server_key("build-7") };
    let made = provision(&olga, wanted).await.unwrap();
    let (facts, key) = opened(&made);
    assert_eq!(facts.expires_at, world.ambient.now() + Seconds::hours(2));
    let raw = pinned(&world, &key);
    raw.session().await.unwrap();
    world.pass(Seconds(2 * 3600 - 1)).await.unwrap();
    raw.session().await.unwrap();
    world.pass(Seconds(1)).await.unwrap();
    assert_eq!(refused(&raw).await, ErrorCode::CredentialExpired);
    let denied = "SELECT COUNT(*) FROM audit_events WHERE reason = 'credential-expired'
                  AND actor = 'spiffe://landfall.local/tenant/home/device/build-7'";
    assert_eq!(world.number(denied).unwrap(), 1);
    // Nor does it claim any more.
    let machine = world.machine("build-7").unwrap();
    let late = machine.client.claim(&made.file, &made.passphrase, false).unwrap();
    assert_eq!(late.run().await.unwrap_err().code(), ErrorCode::CredentialExpired);
    assert!(machine.client.profile().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_ask_at_once_wait_or_are_told_to_come_again() {
    let world = World::new().await.unwrap();
    let (_, olga) = people(&world).await;
    let raw = Raw::of(&olga.machine).unwrap();
    let mut tokens = Vec::new();
    for n in 0..12 {
        let act = BoundActBody::ProvisionCredential {
            device: device(&format!("m{n}")),
            role: Some(role("server")),
            ttl_seconds: 3600,
            words: 4,
        };
        tokens.push(olga.client().step_up(Some(act), None, &olga.shell).await.unwrap().token);
    }
    let asked = tokens.iter().enumerate().map(|(n, token)| {
        let raw = raw.clone();
        async move {
            let body = json!({ "device": format!("m{n}"), "role": "server", "ttl_seconds": 3600, "words": 4 });
            raw.send(Method::POST, paths::PROVISION, Some(token), Some(&body)).await.unwrap()
        }
    });
    let answers = futures::future::join_all(asked).await;
    let made = answers.iter().filter(|answer| answer.status == 200).count();
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!((answer.status, answer.code()), (503, ErrorCode::Busy));
    }
    assert!(made >= 1);
    let keys = world.number("SELECT COUNT(*) FROM provisioned_keys").unwrap();
    assert_eq!(keys, i64::try_from(made).unwrap(), "who was told to come again has no key");
}
