use super::*;
use crate::service::house_tests::{Guest, House};
use landfall_identity::AuthStrength::CertOnly;
use landfall_identity::caller::Role;
use landfall_identity::{Action, Refusal};

impl House {
    async fn own(&self, guest: &Guest, query: AuditQuery) -> Result<Page<AuditRow>, Failure> {
        let request = self.ask(guest, CertOnly, Action::ReadAudit).await;
        self.service.list_audit(request, query).await
    }

    async fn all(&self, guest: &Guest, query: AuditQuery) -> Result<Page<AuditRow>, Failure> {
        let request = self.ask(guest, CertOnly, Action::AdminReadAudit).await;
        self.service.admin_list_audit(request, query).await
    }
}

fn invalid<T>(result: Result<T, Failure>) -> &'static str {
    match result {
        Err(Failure::Invalid { field, .. }) => field,
        Err(other) => panic!("failed otherwise: {other}"),
        Ok(_) => panic!("was done"),
    }
}

#[tokio::test]
async fn people_see_their_own_rows_and_administrators_all() {
    let house = House::new().await;
    let bert = house.guest("bert", "laptop", Role::Member).await;
    let anna = house.guest("anna", "laptop", Role::Admin).await;
    house.own(&bert, AuditQuery::default()).await.unwrap();
    house.own(&anna, AuditQuery::default()).await.unwrap();

    let own = house.own(&bert, AuditQuery::default()).await.unwrap();
    assert_eq!(own.items.len(), 2, "this reading, too, is on record before it is answered");
    assert!(own.items.iter().all(|row| row.actor.contains("/user/bert/")));
    assert_eq!(own.items[0].source.as_deref(), Some("192.0.2.7"));
    assert_eq!(own.items[0].auth_strength.as_deref(), Some("cert-only"));

    let of_anna = AuditQuery { user: Some("anna".into()), ..AuditQuery::default() };
    assert_eq!(invalid(house.own(&bert, of_anna.clone()).await), "user");
    let refused = house.all(&bert, AuditQuery::default()).await;
    assert!(matches!(refused, Err(Failure::Refused(Refusal::Forbidden))));

    let all = house.all(&anna, AuditQuery::default()).await.unwrap();
    assert_eq!(all.items.len(), 6);
    let hers = house.all(&anna, of_anna).await.unwrap();
    assert!(hers.items.iter().all(|row| row.actor.contains("/user/anna/")));
    let denied = AuditQuery { outcome: Some("deny".into()), ..AuditQuery::default() };
    let denied = house.all(&anna, denied).await.unwrap();
    let mut reasons: Vec<_> = denied.items.iter().map(|row| row.reason.clone().unwrap()).collect();
    reasons.sort();
    assert_eq!(reasons, ["forbidden", "invalid-field"]);
}

#[tokio::test]
async fn filters_and_cursors_are_checked() {
    let house = House::new().await;
    let anna = house.guest("anna", "laptop", Role::Admin).await;
    let query = |edit: fn(&mut AuditQuery)| {
        let mut query = AuditQuery::default();
        edit(&mut query);
        query
    };
    for (bad, field) in [
        (query(|q| q.limit = Some(0)), "limit"),
        (query(|q| q.limit = Some(201)), "limit"),
        (query(|q| q.after = Some("%%".into())), "after"),
        (query(|q| q.user = Some("Anna".into())), "user"),
        (query(|q| q.device = Some("../x".into())), "device"),
        (query(|q| q.action = Some("Read Secret".into())), "action"),
        (query(|q| q.outcome = Some("maybe".into())), "outcome"),
        (query(|q| q.since = Some("yesterday".into())), "since"),
    ] {
        assert_eq!(invalid(house.all(&anna, bad).await), field);
    }
    let nobody_knows = query(|q| q.action = Some("from-a-newer-version".into()));
    assert!(house.all(&anna, nobody_knows).await.unwrap().items.is_empty());

    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let query =
            AuditQuery { limit: Some(3), after, ..query(|q| q.outcome = Some("deny".into())) };
        let page = house.all(&anna, query).await.unwrap();
        seen.extend(page.items.into_iter().map(|row| row.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let count = seen.len();
    seen.dedup();
    assert_eq!((count, seen.len()), (8, 8));
}
