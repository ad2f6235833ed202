//! Who sees what, and which rows a filter finds.

use landfall_client::AuditFilter;
use landfall_client::words::Role;
use landfall_crypto::SecretBytes;
use landfall_identity::Seconds;
use landfall_identity::secret::SecretName;
use landfall_protocol::ErrorCode;
use landfall_protocol::audit::AuditRow;
use landfall_test_support::{Person, Raw, World};
use reqwest::Method;

const BERT: &str = "spiffe://landfall.local/tenant/home/user/bert";

async fn rows(person: &Person, filter: AuditFilter) -> Vec<AuditRow> {
    let mut all = Vec::new();
    let mut filter = AuditFilter { limit: Some(7), ..filter };
    loop {
        let page = person.client().admin_audit(&filter).await.unwrap();
        all.extend(page.items);
        filter.after = page.next;
        if filter.after.is_none() {
            return all;
        }
    }
}

async fn keep(person: &Person, secret: &str) {
    let name = SecretName::parse(secret).unwrap();
    person.client().set_secret(&name, &SecretBytes::new(b"x".to_vec())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tenants_rows_are_found_by_who_kind_outcome_and_time() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let bertha = world.invited(&ana, "bertha").await.unwrap();
    keep(&bert, "one").await;
    keep(&bertha, "two").await;
    assert!(bert.client().admin_users().await.is_err());
    let by = |actor: &str| AuditFilter { actor: Some(actor.into()), ..Default::default() };
    let his = rows(&ana, by(BERT)).await;
    assert!(his.iter().all(|row| row.actor == format!("{BERT}/device/bert-laptop")), "{his:?}");
    assert!(his.iter().any(|row| row.target == "secret one"));
    // The border of a segment is the border of the answer.
    assert!(rows(&ana, by("spiffe://landfall.local/tenant/home/user/ber")).await.is_empty());
    assert_eq!(rows(&ana, by(&format!("{BERT}/device/bert-laptop"))).await.len(), his.len());
    let behalf = AuditFilter { behalf: Some(BERT.into()), ..Default::default() };
    assert_eq!(rows(&ana, behalf).await.len(), his.len(), "nobody acts on his behalf yet");
    let all = rows(&ana, by("spiffe://landfall.local")).await;
    assert!(all.len() > his.len() + 3);
    let kind = |kind: &str| AuditFilter { kind: Some(kind.into()), ..Default::default() };
    assert!(rows(&ana, kind("human")).await.len() >= all.len());
    for none in ["provisioned-device", "workload", "agent"] {
        assert!(rows(&ana, kind(none)).await.is_empty(), "{none}");
    }
    let server = rows(&ana, kind("server")).await;
    assert!(server.iter().all(|row| row.actor == "server"), "{server:?}");
    let denied = AuditFilter { outcome: Some("deny".into()), ..by(BERT) };
    let denied = rows(&ana, denied).await;
    assert_eq!(denied.len(), 1, "{denied:?}");
    assert!(denied[0].rule.as_deref().is_some_and(|rule| rule.starts_with("floor/role/")));
    // By time: since is within, until is not.
    let until = denied[0].at.to_text().unwrap();
    world.clock.advance(Seconds(60));
    keep(&bert, "three").await;
    let before = AuditFilter { until: Some(until.clone()), ..by(BERT) };
    assert!(rows(&ana, before).await.iter().all(|row| row.at.0 < denied[0].at.0));
    let since = AuditFilter { since: Some(until), action: Some("write-secret".into()), ..by(BERT) };
    let since = rows(&ana, since).await;
    assert!(since.iter().any(|row| row.target == "secret three"), "{since:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_that_are_none_are_refused_and_members_see_their_own() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let audrey = world.invited_as(&ana, "audrey", Role::Auditor).await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    assert!(!rows(&audrey, AuditFilter::default()).await.is_empty(), "an auditor reads all");
    let no = bert.client().admin_audit(&AuditFilter::default()).await.err().unwrap();
    assert_eq!(no.code(), ErrorCode::Forbidden);
    // One's own list is one's own, whatever it is asked for.
    let ana_id = "spiffe://landfall.local/tenant/home/user/ana";
    for filter in [
        AuditFilter { actor: Some(ana_id.into()), ..Default::default() },
        AuditFilter { behalf: Some(ana_id.into()), ..Default::default() },
        AuditFilter { kind: Some("server".into()), ..Default::default() },
    ] {
        assert!(bert.client().audit(&filter).await.unwrap().items.is_empty(), "{filter:?}");
    }
    let raw = Raw::of(&ana.machine).unwrap();
    let token = raw.session().await.unwrap().token;
    for (query, field) in [
        ("actor=bert", "actor"),
        ("actor=spiffe://landfall.local/tenant/home/", "actor"),
        ("actor=spiffe://landfall.local/tenant/%25", "actor"),
        ("behalf=x", "behalf"),
        ("kind=person", "kind"),
        ("until=yesterday", "until"),
    ] {
        let path = format!("/admin/audit?{query}");
        let answer = raw.send(Method::GET, &path, Some(&token), None).await.unwrap();
        assert_eq!((answer.status, answer.code()), (400, ErrorCode::InvalidField), "{query}");
        assert_eq!(answer.body["field"], field, "{query}");
    }
}
