use super::super::house_tests::{Guest, House, NOON};
use super::super::sealing::Sealing;
use super::*;
use crate::store::{Lane, sessions};
use landfall_identity::caller::Role;
use landfall_identity::id::{PasskeyId, SessionId};
use landfall_identity::session::{BOUND_TTL, Factor, SessionFacts};
use landfall_identity::{Action, AuthStrength, DeviceName, TenantName};

fn body() -> ProvisionRequest {
    ProvisionRequest {
        device: DeviceName::parse("build-7").unwrap(),
        role: Some(MachineRole::parse("server").unwrap()),
        ttl_seconds: None,
        words: None,
    }
}

/// A request of a guest who has touched a key for exactly this.
async fn approved(house: &House, guest: &Guest) -> RequestContext {
    let action = Action::ProvisionCredential;
    let mut request = house.ask(guest, AuthStrength::CertOnly, action).await;
    let service = &house.service;
    let now = service.ambient.now();
    let passkey = PasskeyId::from_bits(service.ambient.row_bits());
    let facts = SessionFacts {
        id: SessionId::from_bits(service.ambient.row_bits()),
        strength: AuthStrength::CertHuman,
        auth_time: now,
        expires_at: now + BOUND_TTL,
        factor: Some(Factor { passkey, registered_at: NOON, lives_on: None }),
        bound_to: Some(act_of(&body()).canonical()),
    };
    let token =
        service.pki.sign_session(&guest.spiffe_id, Role::Member, &guest.thumbprint, &facts, now);
    request.bearer = Some(token.unwrap());
    let enrollment = guest.enrollment.clone();
    let work = async move |tx: &mut Tx<'_>| {
        let tenant = TenantName::parse("home").unwrap();
        Ok(sessions::insert(tx, &tenant, &enrollment, &facts).await?)
    };
    let silent = async |_: &mut Tx<'_>, _: &_| Ok(());
    service.store.write(Lane::Known, work, silent).await.unwrap();
    request
}

fn count(house: &House, table: &str) -> i64 {
    let database = rusqlite::Connection::open(house.database()).unwrap();
    let sql = format!("SELECT COUNT(*) FROM {table}");
    database.query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn what_cannot_be_sealed_leaves_no_key_and_takes_no_touch() {
    let mut house = House::new().await;
    let olga = house.guest("olga", "olga-laptop", Role::Operator).await;
    let request = approved(&house, &olga).await;
    // No machine pays that cost: the library says no.
    house.service.sealing = Arc::new(Sealing::at(0));
    let refused = house.service.provision(request.clone(), body()).await.err().unwrap();
    assert!(matches!(refused, Failure::Internal(_)), "{refused}");
    for table in ["provisioned_devices", "provisioned_keys"] {
        assert_eq!(count(&house, table), 0, "{table}");
    }
    assert_eq!(count(&house, "enrollments"), 1, "Olga's laptop alone");
    let last = house.audit().pop().unwrap();
    assert_eq!(last, "provision-credential error internal: machine build-7 at role server");
    // The touch was for a key that does not exist: it serves still.
    house.service.sealing = Arc::default();
    let made = house.service.provision(request.clone(), body()).await.unwrap();
    assert_eq!(made.passphrase.split(' ').count(), 6);
    assert_eq!((count(&house, "provisioned_keys"), count(&house, "enrollments")), (1, 2));
    let again = house.service.provision(request, body()).await.err().unwrap();
    assert!(matches!(again, Failure::Refused(Refusal::StepUpSpent)), "{again}");
}

#[tokio::test]
async fn nothing_is_sealed_for_those_who_are_refused() {
    let mut house = House::new().await;
    let mia = house.guest("mia", "mia-laptop", Role::Member).await;
    let request = approved(&house, &mia).await;
    // Whoever came as far as sealing would be told of its failure.
    house.service.sealing = Arc::new(Sealing::at(0));
    let refused = house.service.provision(request, body()).await.err().unwrap();
    assert!(matches!(refused, Failure::Refused(Refusal::Forbidden)), "{refused}");
    let last = house.audit().pop().unwrap();
    assert_eq!(last, "provision-credential deny forbidden: machine build-7");
}
