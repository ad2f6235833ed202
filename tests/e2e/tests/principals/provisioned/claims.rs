//! The machine claims itself: its own key takes the place of the one that travelled, once.

use super::{device, opened, people, pinned, provision, refused, server_key};
use landfall_client::HandedOut;
use landfall_crypto::KeyPair;
use landfall_crypto::csr::build_csr;
use landfall_protocol::provisioned::WhoAmI;
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::{Answer, Machine, Raw, World};
use reqwest::Method;
use serde_json::json;

async fn claim(machine: &Machine, made: &HandedOut) -> Result<(), ErrorCode> {
    let claiming = machine.client.claim(&made.file, &made.passphrase, false);
    let claiming = claiming.map_err(|failure| failure.code())?;
    claiming.run().await.map(drop).map_err(|failure| failure.code())
}

fn csr(key: &KeyPair) -> String {
    let der = build_csr(key).unwrap();
    let text = data_encoding::BASE64.encode(&der);
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n")
}

async fn send(raw: &Raw, token: &str, csr: &str) -> anyhow::Result<Answer> {
    let body = json!({ "csr": csr });
    raw.send(Method::POST, paths::CLAIM_CREDENTIAL, Some(token), Some(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_use_swaps_the_key_for_one_that_the_machine_made() {
    let mut world = World::new().await.unwrap();
    let (_, olga) = people(&world).await;
    let made = provision(&olga, server_key("build-7")).await.unwrap();
    let machine = world.machine("build-7").unwrap();
    claim(&machine, &made).await.unwrap();
    let WhoAmI::Machine(me) = machine.client.who_am_i().await.unwrap() else {
        panic!("a machine is no person")
    };
    assert!(me.key.made_on_device);
    // Whoever handed it out hears of it, wherever they are.
    let told = olga.client().notices(200, None).await.unwrap().items;
    let told: Vec<_> = told.iter().filter(|notice| notice.kind == "machine-claimed").collect();
    let said = "The key handed out for the machine build-7 was used up, by whoever held its file and \
                words.";
    assert_eq!(told.iter().map(|notice| notice.text.as_str()).collect::<Vec<_>>(), [said]);
    assert_eq!((me.key.device.clone(), me.key.expires_at), (device("build-7"), None));
    assert_eq!(machine.client.whoami().await.unwrap_err().code(), ErrorCode::Forbidden);
    // The key that travelled opens nothing any more, and says so.
    let raw = pinned(&world, &opened(&made).1);
    assert_eq!(refused(&raw).await, ErrorCode::CredentialClaimed);
    olga.step_up().await.unwrap();
    let back = olga.client().enable_key(&made.key.id).await.unwrap_err();
    assert_eq!(back.code(), ErrorCode::InvalidField, "it is dead");
    let keys = olga.client().machines().await.unwrap();
    let claimed = keys.iter().find(|key| key.id == made.key.id).unwrap();
    assert!(claimed.claimed_at.is_some());
    assert_eq!(keys.len(), 2);
    // From here on it is like any device: it renews by itself, and is cut off by its own key.
    world.pass(landfall_identity::Seconds::days(30)).await.unwrap();
    machine.client.who_am_i().await.unwrap();
    olga.step_up().await.unwrap();
    olga.client().disable_key(&me.key.id).await.unwrap();
    let cut = machine.client.who_am_i().await.unwrap_err();
    assert_eq!(cut.code(), ErrorCode::DeviceSuspended);
    let rows =
        "SELECT COUNT(*) FROM audit_events WHERE action = 'claim-credential' AND outcome = 'allow'
                AND actor = 'spiffe://landfall.local/tenant/home/device/build-7'";
    assert_eq!(world.number(rows).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_four_who_claim_at_once_one_wins() {
    let world = World::new().await.unwrap();
    let (_, olga) = people(&world).await;
    let made = provision(&olga, server_key("build-7")).await.unwrap();
    let (_, key) = opened(&made);
    let token = pinned(&world, &key).session().await.unwrap().token;
    let racers = (0..64).map(|_| {
        let raw = pinned(&world, &key);
        let (token, csr) = (token.clone(), csr(&KeyPair::generate().unwrap()));
        async move { send(&raw, &token, &csr).await }
    });
    let answers = futures::future::join_all(racers).await;
    let won: Vec<_> = answers.iter().flatten().filter(|answer| answer.status == 200).collect();
    assert_eq!(won.len(), 1);
    // The others were cut under way, or hear why.
    for lost in answers.iter().flatten().filter(|answer| answer.status != 200) {
        assert_eq!(lost.code(), ErrorCode::CredentialClaimed);
    }
    let count = |rest: &str| {
        world.number(&format!("SELECT COUNT(*) FROM provisioned_keys {rest}")).unwrap()
    };
    assert_eq!(count("WHERE file_hash IS NULL"), 1, "one key of the machine's own");
    assert_eq!(count("WHERE claimed_at IS NOT NULL"), 1);
    let live = "SELECT COUNT(*) FROM enrollments WHERE user_name IS NULL AND state = 'active'";
    assert_eq!(world.number(live).unwrap(), 1);
    let certificates =
        "SELECT COUNT(*) FROM certificates c JOIN enrollments e ON e.id = c.enrollment
                        WHERE e.user_name IS NULL";
    assert_eq!(world.number(certificates).unwrap(), 1, "no loser has a certificate");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_leads_to_the_same_end_and_a_thief_is_told() {
    let world = World::new().await.unwrap();
    let (_, olga) = people(&world).await;
    let made = provision(&olga, server_key("build-7")).await.unwrap();
    let machine = world.machine("build-7").unwrap();
    claim(&machine, &made).await.unwrap();
    let own = machine.client.profile().unwrap().key;
    // The answer never came: key and certificate are on the server, nothing is in the folder.
    std::fs::remove_dir_all(machine.folder.join("profiles")).unwrap();
    let again = Machine::at(&machine.folder, &world.ambient).unwrap();
    claim(&again, &made).await.unwrap();
    assert_eq!(again.client.profile().unwrap().key, own);
    again.client.who_am_i().await.unwrap();
    // Whoever comes with a copy of the file hears that it was used, and is left with nothing.
    let thief = world.machine("thief").unwrap();
    assert_eq!(claim(&thief, &made).await, Err(ErrorCode::CredentialClaimed));
    assert!(thief.client.profile().is_err());
    let keys = std::fs::read_dir(thief.folder.join("keys")).map_or(0, Iterator::count);
    assert_eq!(keys, 0);
    let told = "SELECT COUNT(*) FROM audit_events WHERE reason = 'credential-claimed'";
    assert!(world.number(told).unwrap() >= 1, "and the trail has it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_takes_a_key_of_ones_own_and_a_key_that_travelled() {
    let world = World::new().await.unwrap();
    let (_, olga) = people(&world).await;
    let made = provision(&olga, server_key("build-7")).await.unwrap();
    let (_, key) = opened(&made);
    let raw = pinned(&world, &key);
    let token = raw.session().await.unwrap().token;
    for (request, code) in [
        ("junk".to_owned(), ErrorCode::CsrMalformed),
        // The key itself, again; and one that belongs to somebody else.
        (csr(&key), ErrorCode::KeyInUse),
        (
            csr(&KeyPair::from_pkcs8(&olga.machine.key_file().unwrap()).unwrap()),
            ErrorCode::KeyInUse,
        ),
    ] {
        assert_eq!(send(&raw, &token, &request).await.unwrap().code(), code);
    }
    // A person has nothing to claim.
    let person = Raw::of(&olga.machine).unwrap();
    let session = person.session().await.unwrap().token;
    let own = csr(&KeyPair::generate().unwrap());
    assert_eq!(send(&person, &session, &own).await.unwrap().code(), ErrorCode::Forbidden);
    // Bad input has changed nothing, and a machine's own key is not swapped by this way.
    let fresh = KeyPair::generate().unwrap();
    assert_eq!(send(&raw, &token, &csr(&fresh)).await.unwrap().status, 200);
    let raw = pinned(&world, &fresh);
    let token = raw.session().await.unwrap().token;
    let next = csr(&KeyPair::generate().unwrap());
    assert_eq!(send(&raw, &token, &next).await.unwrap().code(), ErrorCode::Forbidden);
}
