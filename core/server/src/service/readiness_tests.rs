//! What readiness says, held against the rows that decide: for generated people, plans and losses.

use super::house_tests::{House, NOON};
use super::readiness_facts::{Holdings, View, plan_of, readiness, vouchers};
use super::readiness_rules_tests as rules;
use super::recovery_standing::Standing as Judgement;
use crate::doors::leads_in;
use crate::failure::Failure;
use crate::store::enrollments::Enrollment;
use crate::store::passkeys::NewPasskey;
use crate::store::recoveries::{self, ProofRow, Recovery};
use crate::store::users::User;
use crate::store::waits::Wait;
use crate::store::{
    Lane, Tx, enrollments, guardians, passkeys, recovery_codes, recovery_plans, users, waits,
};
use landfall_identity::id::{EnrollmentId, NoticeId, PasskeyId, RecoveryId};
use landfall_identity::passkey::{Attachment, Reported};
use landfall_identity::recovery::{
    Carried, CodeName, Completion, Door, Hold, Leg, Plan, Readiness, RecoveryState, Standing,
    Thing, ThingKind, WaitState,
};
use landfall_identity::{DeviceState, Label, Role, Seconds, TenantName};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tenants and plans that are generated.
const CASES: u32 = 10_000;
/// Every wait of a plan is over by then.
const LATE: Seconds = Seconds::days(400);

/// Somebody, and those who could vouch for them.
#[derive(Debug, Clone)]
struct Tenant {
    admin: bool,
    devices: u8,
    codes: u8,
    roaming: u8,
    mailboxes: u8,
    /// How many of the others are guardians, too.
    guardians: u8,
    /// Other administrators: whether each has a device that may act, and a passkey.
    others: Vec<(bool, bool)>,
    frozen: bool,
    /// Whether they let a wait stand in for a proof.
    waits: bool,
    /// The tenant's rules.
    rules: usize,
    plan: Plan,
    own: Option<Plan>,
}

fn door() -> impl Strategy<Value = Door> {
    prop::sample::select(&Door::ALL)
}

/// Whatever a tenant could choose above no floor at all: device alone, and something else.
fn plan() -> impl Strategy<Value = Plan> {
    let leaf = (door(), 1_u8..=2).prop_map(|(door, count)| Plan::of(door, count));
    let more = leaf.prop_recursive(3, 12, 3, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 1..=3);
        let hold = prop::sample::select(&[Hold::Always, Hold::WhileADeviceLives]);
        prop_oneof![
            parts().prop_map(Plan::AnyOf),
            parts().prop_map(Plan::AllOf),
            (1_u8..=2, parts()).prop_map(|(count, of)| Plan::AtLeast { count, of }),
            (3_u64..=30, hold, inner.clone()).prop_map(|(days, hold, after)| Plan::Wait {
                seconds: Seconds::days(days),
                hold,
                after: Box::new(after),
            }),
        ]
    });
    more.prop_map(|more| Plan::AnyOf(vec![Plan::one(Door::Device), more]))
        .prop_filter("well formed", |plan| plan.check(&anything()).is_ok())
}

fn anything() -> Plan {
    Plan::AnyOf(Door::ALL.map(Plan::one).to_vec())
}

fn tenant() -> impl Strategy<Value = Tenant> {
    let numbers = (any::<bool>(), 0_u8..=2, 0_u8..=2, 0_u8..=2, 0_u8..=2, 0_u8..=2);
    let others = prop::collection::vec((any::<bool>(), any::<bool>()), 0..=3);
    let plans = (plan(), prop::option::of(plan()));
    let rules = prop_oneof![4 => Just(0), 1 => 1..rules::KINDS];
    let choices = (prop::bool::weighted(0.1), any::<bool>(), rules);
    (numbers, others, choices, plans).prop_map(
        |(
            (admin, devices, codes, roaming, mailboxes, guardians),
            others,
            (frozen, waits, rules),
            (plan, own),
        )| {
            Tenant {
                admin,
                devices,
                codes,
                roaming,
                mailboxes,
                guardians,
                others,
                frozen,
                waits,
                rules,
                plan,
                own,
            }
        },
    )
}

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Bits that no row has yet.
fn fresh() -> [u8; 16] {
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed)).to_be_bytes()
}

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// A code's name that no other case has.
fn code_name() -> CodeName {
    name(&format!("{:016}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

async fn user(tx: &mut Tx<'_>, tenant: &TenantName, who: &str, role: Role) -> User {
    let user = User {
        tenant: tenant.clone(),
        name: name(who),
        role,
        admin_since: (role == Role::Admin).then_some(NOON - Seconds::days(2)),
        admin_until: None,
        frozen_by_admin: false,
        frozen_by: None,
        frozen_again_at: None,
        frozen_at: None,
        webauthn_handle: fresh().to_vec(),
        created_at: NOON,
    };
    users::insert(tx, &user).await.unwrap();
    user
}

async fn device(tx: &mut Tx<'_>, user: &User, device: &str) -> EnrollmentId {
    let bits = fresh();
    let enrollment = Enrollment {
        id: EnrollmentId::from_bits(bits),
        tenant: user.tenant.clone(),
        user: user.name.clone(),
        device: name(device),
        label: None,
        thumbprint: format!("{bits:?}"),
        spki: bits.to_vec(),
        state: DeviceState::Active,
        enrolled_at: NOON,
        last_seen_at: NOON,
        not_after: NOON + Seconds::days(1),
    };
    enrollments::insert(tx, &enrollment).await.unwrap();
    enrollment.id
}

async fn passkey(tx: &mut Tx<'_>, user: &User, on: &EnrollmentId) {
    let bits = fresh();
    let new = NewPasskey {
        id: PasskeyId::from_bits(bits),
        label: Label::parse("key").unwrap(),
        attachment: Attachment::Roaming,
        enrollment: on.clone(),
        credential_id: bits.to_vec(),
        credential: "{}".to_owned(),
        reported: Reported { counter: 0, backup_eligible: false, backup_state: false },
        resident: Some(true),
        aaguid: None,
        transports: Vec::new(),
        registered_at: NOON,
    };
    passkeys::insert(tx, &user.tenant, &user.name, &new).await.unwrap();
}

/// Makes the rows. What each thing proves with, beside the person whom it is about.
async fn furnish(
    tx: &mut Tx<'_>,
    made: &Tenant,
    tenant: &TenantName,
) -> (User, Vec<(String, String)>) {
    users::ensure_tenant(tx, tenant, NOON).await.unwrap();
    let role = if made.admin { Role::Admin } else { Role::Member };
    let bert = user(tx, tenant, "bert", role).await;
    for number in 0..made.devices {
        device(tx, &bert, &format!("d{number}")).await;
    }
    // What a key was registered on may be gone.
    let gone = device(tx, &bert, "gone").await;
    for _ in 0..made.roaming {
        passkey(tx, &bert, &gone).await;
    }
    enrollments::set_state(tx, &gone, DeviceState::Revoked { at: NOON }).await.unwrap();
    let mut proofs = Vec::new();
    for _ in 0..made.codes {
        let code = code_name();
        recovery_codes::insert(tx, tenant, &bert.name, &code, &[7; 32], NOON).await.unwrap();
        proofs.push(("sheet".to_owned(), code.to_string()));
    }
    for number in 0..made.mailboxes {
        let id = format!("{:026}", NEXT.fetch_add(1, Ordering::Relaxed));
        proofs.push((format!("bert{number}@example.org"), id.clone()));
        tx.run(
            "INSERT INTO addresses (id, tenant, user_name, address, added_at, confirmed_at)
             VALUES ($1, $2, 'bert', $3, 0, 0)",
            crate::store::params![id, tenant.as_str(), format!("bert{number}@example.org"),],
        )
        .await
        .unwrap();
    }
    for (number, (acts, has_passkey)) in made.others.iter().enumerate() {
        let other = user(tx, tenant, &format!("admin{number}"), Role::Admin).await;
        let on = device(tx, &other, "desk").await;
        if *has_passkey {
            passkey(tx, &other, &on).await;
        }
        if !acts {
            enrollments::set_state(tx, &on, DeviceState::Suspended { at: NOON }).await.unwrap();
        }
        proofs.push((other.name.to_string(), on.to_string()));
        if number < usize::from(made.guardians) {
            guardians::name(tx, tenant, &bert.name, &other.name, NOON - Seconds::days(2))
                .await
                .unwrap();
            guardians::accept(tx, tenant, &bert.name, &other.name, NOON - Seconds::days(2))
                .await
                .unwrap();
        }
    }
    if let Some(own) = &made.own {
        recovery_plans::set(tx, tenant, &bert.name, own, NOON).await.unwrap();
    }
    if made.waits {
        waits::allow(tx, tenant, &bert.name, NOON).await.unwrap();
    }
    if made.frozen {
        users::set_frozen(tx, tenant, &bert.name, Some(NOON)).await.unwrap();
    }
    let bert = users::find(tx, tenant, &bert.name).await.unwrap().unwrap();
    (bert, proofs)
}

/// What the rows say to whoever has these things left and nothing else: every device that is not among
/// them is lost, and each of the others proves what it can.
async fn lets_in(
    tx: &mut Tx<'_>,
    made: &Tenant,
    bert: &User,
    left: &[&Thing],
    proofs: &[(String, String)],
) -> bool {
    if left.iter().any(|thing| thing.kind == ThingKind::Device) {
        return true;
    }
    let row = Recovery {
        id: RecoveryId::from_bits(fresh()),
        tenant: bert.tenant.clone(),
        user: bert.name.clone(),
        device: name("new"),
        thumbprint: format!("{:?}", fresh()),
        spki: Vec::new(),
        place: "here".to_owned(),
        state: RecoveryState::Open,
        begun_at: NOON,
        expires_at: NOON + LATE + Seconds(1),
        tries_left: 1,
        enrollment: None,
        certificate: None,
    };
    recoveries::insert(tx, &row).await.unwrap();
    for thing in left {
        let door = thing.kind.door();
        let named = match thing.kind {
            ThingKind::CodeSheet => "sheet",
            _ => &thing.name,
        };
        let known = proofs.iter().find(|(who, _)| who == named).map(|(_, thing)| thing.clone());
        let (by, thing) = match thing.kind {
            // A label, and the identifier in brackets.
            ThingKind::RoamingKey => {
                let id = thing.name.rsplit_once('(').unwrap().1.trim_end_matches(')');
                (id.to_owned(), Carried::Sent.as_str().to_owned())
            }
            ThingKind::Mailbox => ("mailbox".to_owned(), known.unwrap()),
            _ => (named.to_owned(), known.unwrap()),
        };
        let proof = ProofRow { door, by, thing, reason: None, at: NOON };
        recoveries::add_proof(tx, &row.id, &proof).await.unwrap();
    }
    let judged = Judgement::of(tx, &made.plan, row.clone(), NOON + LATE).await.unwrap();
    if let Some(whole) = judged.may_wait {
        let hears = left.iter().any(|thing| thing.kind == ThingKind::Mailbox);
        wait(tx, &row, whole, hears).await;
        let judged = Judgement::of(tx, &made.plan, row, NOON + LATE).await.unwrap();
        return judged.completion == Completion::Issue;
    }
    judged.completion == Completion::Issue
}

/// A wait that was asked for, and that some mailbox has heard of in every leg, or none in the first.
async fn wait(tx: &mut Tx<'_>, row: &Recovery, whole: Seconds, hears: bool) {
    let state = match hears {
        true => WaitState::Running { leg: Leg::Last, ends_at: Some(NOON + whole) },
        false => WaitState::Running { leg: Leg::First, ends_at: None },
    };
    let made = Wait {
        recovery: row.id.clone(),
        tenant: row.tenant.clone(),
        user: row.user.clone(),
        device: row.device.clone(),
        state,
        whole,
        notice: NoticeId::from_bits(fresh()),
        begun_at: NOON,
        recovering_since: NOON,
    };
    waits::insert(tx, &made).await.unwrap();
    waits::set(tx, &made).await.unwrap();
}

fn is_promised(readiness: &Readiness, left: &[&Thing]) -> bool {
    readiness.ways_in.iter().any(|way| {
        way.needs.iter().all(|need| {
            let there = need.of.iter().filter(|thing| left.contains(thing)).count();
            there >= usize::from(need.count)
        })
    })
}

fn view(made: &Tenant, tenant: &TenantName, passkeys: bool) -> View {
    View {
        plan: made.plan.clone(),
        silence_max: Seconds::days(90),
        mail: true,
        passkeys,
        machine_roles: Default::default(),
        code_ttl_max: Seconds::minutes(10),
        rules: rules::under(made.rules, tenant),
    }
}

/// One case, whole; an `Err` says what did not fit.
async fn hold_together(tx: &mut Tx<'_>, made: &Tenant) -> Result<(), String> {
    let tenant: TenantName = name(&format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    let (bert, proofs) = furnish(tx, made, &tenant).await;
    let view = view(made, &tenant, true);
    let vouchers = vouchers(tx, &view, &tenant, NOON).await.unwrap();
    let holdings = Holdings::of(tx, &view, &bert, &vouchers, NOON).await.unwrap();
    // A plan on top of the tenant's may have more ways than anybody can read; nobody can choose it.
    let plan = plan_of(tx, &made.plan, &bert, NOON).await.unwrap();
    let Ok(ready) = readiness(&plan, &holdings) else { return Ok(()) };
    for thing in ready.ways_in.iter().flat_map(|way| &way.needs).flat_map(|need| &need.of) {
        if !leads_in(thing.kind.door()) {
            return Err(format!("{thing:?} is promised, and its door leads nowhere"));
        }
    }
    nobody_is_left_out(made, &bert, &holdings)?;
    // The devices are lost while the engine is asked; they were counted before.
    let names = crate::store::holdings::active_names(tx, &tenant, &bert.name, (NOON, NOON), 99)
        .await
        .unwrap();
    for device in names {
        let found = enrollments::find(tx, &tenant, &bert.name, &device).await.unwrap().unwrap();
        enrollments::set_state(tx, &found.id, DeviceState::Revoked { at: NOON }).await.unwrap();
    }
    let things = &holdings.things;
    let proves = |thing: &&Thing| rules::lets_prove(made.rules, &tenant, bert.role, thing);
    let heard: Vec<&Thing> = things.iter().filter(proves).collect();
    let heard = |left: &[&Thing]| -> Vec<&Thing> {
        heard.iter().copied().filter(|thing| left.contains(thing)).collect()
    };
    let all: Vec<&Thing> = things.iter().collect();
    let everything = lets_in(tx, made, &bert, &heard(&all), &proofs).await;
    if (ready.standing == Standing::LockedOut) == everything {
        return Err(format!("{:?}, and everything together lets in: {everything}", ready.standing));
    }
    for chosen in 0..1_u32 << things.len() {
        let taken = |(place, thing)| (chosen >> place & 1 == 1).then_some(thing);
        let left: Vec<&Thing> = things.iter().enumerate().filter_map(taken).collect();
        let said = is_promised(&ready, &left);
        let is = lets_in(tx, made, &bert, &heard(&left), &proofs).await;
        if said != is {
            return Err(format!("readiness says {said}, the rows say {is}, with {left:?}"));
        }
    }
    for lost in things {
        let gone = |thing: &Thing| thing == lost || lost.other_role().as_ref() == Some(thing);
        let left: Vec<&Thing> = things.iter().filter(|thing| !gone(thing)).collect();
        let locks_out = everything && !lets_in(tx, made, &bert, &heard(&left), &proofs).await;
        if ready.single_losses.contains(lost) != locks_out {
            return Err(format!("the loss of {lost:?} locks out: {locks_out}"));
        }
    }
    Ok(())
}

/// Whoever could give their word, and every device that leads in, is among the things.
fn nobody_is_left_out(made: &Tenant, bert: &User, holdings: &Holdings) -> Result<(), String> {
    let acts = |(number, (acts, has)): (usize, &(bool, bool))| {
        (*acts && *has).then(|| (number, format!("admin{number}")))
    };
    let others = || made.others.iter().enumerate().filter_map(acts);
    let thing = |kind, name| Thing { kind, name };
    let admins = others().map(|(_, name)| thing(ThingKind::Admin, name));
    let guards = others().filter(|(number, _)| *number < usize::from(made.guardians));
    let guardians = guards.map(|(_, name)| thing(ThingKind::Guardian, name));
    let devices = if made.frozen && made.roaming == 0 { 0 } else { made.devices };
    let devices = (0..devices).map(|number| thing(ThingKind::Device, format!("d{number}")));
    let proves = |thing: &Thing| rules::lets_prove(made.rules, &bert.tenant, bert.role, thing);
    let mut wanted = admins.chain(guardians).chain(devices).filter(proves);
    match wanted.find(|thing| !holdings.things.contains(thing)) {
        None => Ok(()),
        Some(thing) => Err(format!("{thing:?} is not counted")),
    }
}

fn check(cases: u32) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let house = runtime.block_on(House::new());
    let mut runner =
        TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&tenant(), |made| {
        let made = Arc::new(made);
        let work = async move |tx: &mut Tx<'_>| Ok::<_, Failure>(hold_together(tx, &made).await);
        let silent = async |_: &mut Tx<'_>, _: &_| Ok(());
        let held = runtime.block_on(house.service.store.write(Lane::Known, work, silent)).unwrap();
        held.map_err(TestCaseError::fail)
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// For generated tenants and plans: what readiness says gets in is what the rows let in, and every
/// "locks out" really does.
#[test]
fn readiness_says_what_the_engines_rows_do() {
    check(CASES);
}

/// How somebody stands who holds these things, and nobody else.
fn alone(made: Tenant, passkeys: bool) -> Readiness {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let house = runtime.block_on(House::new());
    let work = async move |tx: &mut Tx<'_>| {
        let tenant: TenantName = name("alone");
        let (bert, _) = furnish(tx, &made, &tenant).await;
        let view = view(&made, &tenant, passkeys);
        let holdings = Holdings::of(tx, &view, &bert, &[], NOON).await.unwrap();
        let plan = plan_of(tx, &made.plan, &bert, NOON).await.unwrap();
        readiness(&plan, &holdings)
    };
    let silent = async |_: &mut Tx<'_>, _: &_| Ok(());
    runtime.block_on(house.service.store.write(Lane::Known, work, silent)).unwrap()
}

fn nothing() -> Tenant {
    Tenant {
        admin: false,
        devices: 0,
        codes: 0,
        roaming: 0,
        mailboxes: 0,
        guardians: 0,
        others: Vec::new(),
        frozen: false,
        waits: false,
        rules: 0,
        plan: landfall_identity::recovery::Preset::Personal.plan(),
        own: None,
    }
}

#[test]
fn a_lone_user_with_a_sheet_and_no_mail_is_told_that_they_are_locked_out() {
    let plan = landfall_identity::recovery::Preset::Personal.plan().or_wait(3);
    for waits in [false, true] {
        let made = Tenant { codes: 1, waits, plan: plan.clone(), ..nothing() };
        let ready = alone(made, true);
        assert_eq!(ready.standing, Standing::LockedOut, "nobody would hear of a wait");
        assert_eq!((ready.score(), ready.ways_in.len()), (0, 0));
    }
}

#[test]
fn a_passkey_is_not_promised_where_no_page_can_ask_for_one() {
    for passkeys in [true, false] {
        let ready = alone(Tenant { roaming: 1, ..nothing() }, passkeys);
        assert_eq!(ready.standing == Standing::LockedOut, !passkeys);
    }
}
