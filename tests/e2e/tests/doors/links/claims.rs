//! Who takes a link on, and who may approve it: one device of one's own, after a touch for exactly that.

use super::{Met, begun, device, met, request};
use futures::future::join_all;
use landfall_identity::Seconds;
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::link::LinkInfo;
use landfall_protocol::recovery::{Recovered, RecoveryStateName};
use landfall_protocol::{ErrorCode, paths};
use landfall_test_support::link::{Approver, link_act};
use landfall_test_support::{Bare, Person, World};

/// Ana on another machine, with the passkey of her pocket.
async fn on_phone(world: &World, ana: &Person) -> Person {
    let phone = world.machine("ana-phone").unwrap();
    let token = ana.device_token("ana-phone").await.unwrap();
    phone.enroll(&token, None, None).await.unwrap();
    Person { name: ana.name.clone(), machine: phone, shell: ana.shell.clone() }
}

async fn found(
    approver: &Approver,
    bare: &Bare,
    link: &landfall_protocol::link::LinkStatus,
) -> LinkInfo {
    let code = bare.link_code(&link.recovery.recovery_id);
    serde_json::from_value(approver.find(&code).await.unwrap().body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_approvers_one_takes_it_on_and_the_other_hears_which() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let phone = on_phone(&world, &ana).await;
    let bare = Bare::new(&world).unwrap();
    let link = bare.begin_link("ana", "ana-new").await.unwrap();
    let id = link.recovery.recovery_id.clone();
    let mut racers = Vec::new();
    for person in [&ana, &phone] {
        let approver = Approver::of(person).await.unwrap();
        let info = found(&approver, &bare, &link).await;
        let token = person.touch_for(&info).await.unwrap();
        racers.push((approver, token));
    }
    let race = (0..32).map(async |number| {
        let (approver, token) = &racers[number % 2];
        (number % 2, approver.claim(&id, token).await.unwrap())
    });
    let answers = join_all(race).await;
    let winners: Vec<_> = answers.iter().filter(|(_, answer)| answer.status == 200).collect();
    assert_eq!(winners.len(), 16, "one device, each time it asked");
    let winner = winners[0].0;
    assert!(winners.iter().all(|(who, _)| *who == winner));
    let name = ["ana-desktop", "ana-phone"][winner];
    for (_, lost) in answers.iter().filter(|(who, _)| *who != winner) {
        assert_eq!(lost.code(), ErrorCode::LinkTaken);
        assert!(lost.body["detail"].as_str().unwrap().contains(name), "{lost:?}");
    }
    // The loser can neither reveal, nor approve, nor end it; nor is it found any more.
    let (loser, touch) = &racers[1 - winner];
    for answer in [
        loser.reveal(&id).await.unwrap(),
        loser.approve(&id, touch).await.unwrap(),
        loser.post(paths::LINK_STOP, &id, &loser.weak, None).await.unwrap(),
        loser.find(&bare.link_code(&id)).await.unwrap(),
    ] {
        assert_eq!(answer.code(), ErrorCode::LinkTaken);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_counts_for_one_new_device_and_its_key_alone() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let Met { bare, approver, info, token } =
        met(&ana, Bare::new(&world).unwrap(), "ana-new").await;
    let thief = Bare::new(&world).unwrap();
    let theirs = thief.begin_link("ana", "ana-new").await.unwrap();
    let own = &theirs.recovery.recovery_id;
    // The touch for one is none for the other.
    let refused = approver.claim(own, &token).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::StepUpForAnotherAct);
    assert_eq!(approver.approve(&info.id, &token).await.unwrap().status, 200);
    // A lost answer is given again, and the touch is spent for everything else.
    assert_eq!(approver.approve(&info.id, &token).await.unwrap().status, 200);
    let refused = approver.approve(own, &token).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::StepUpForAnotherAct);

    // Another key has nothing of it, though it knows everything that was said.
    for answer in [
        thief.complete(&info.id, "ana-new", None).await.unwrap(),
        thief.post(paths::LINK_SHOW, &serde_json::json!({ "link_id": info.id })).await.unwrap(),
        thief.answer_link(&info.id, "x", &approver.nonce).await.unwrap(),
    ] {
        assert_eq!(answer.code(), ErrorCode::SignatureInvalid);
    }
    let refused = thief.complete(own, "ana-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
    // And the right one becomes what was approved, under no other name, and cuts nobody off.
    let renamed = bare.complete(&info.id, "ana-other", None).await.unwrap();
    assert_eq!(renamed.code(), ErrorCode::InvalidField);
    let body = serde_json::json!({
        "recovery_id": info.id, "device": "ana-new", "suspend": "ana-desktop",
    });
    let cutting = bare.post(paths::RECOVERY_COMPLETE, &body).await.unwrap();
    assert_eq!(cutting.code(), ErrorCode::InvalidField);
    let done = bare.complete(&info.id, "ana-new", None).await.unwrap();
    let done: Recovered = serde_json::from_value(done.body).unwrap();
    assert!(done.issued.grant.is_some() && done.suspended.is_none());
    // The same key again within ten minutes: the same certificate.
    let again = bare.complete(&info.id, "ana-new", None).await.unwrap();
    let again: Recovered = serde_json::from_value(again.body).unwrap();
    assert_eq!(again.issued.certificate_chain, done.issued.certificate_chain);
    // Nor does it cut anybody off afterwards, as a recovered machine may.
    let cutting = bare.post(paths::RECOVERY_COMPLETE, &body).await.unwrap();
    assert_eq!(cutting.code(), ErrorCode::InvalidField, "{cutting:?}");
    let cut = "SELECT COUNT(*) FROM enrollments WHERE state <> 'active'";
    assert_eq!(world.number(cut).unwrap(), 0);
    let told = "SELECT COUNT(*) FROM notices WHERE what LIKE '%ana-new%'";
    assert_eq!(world.number(told).unwrap(), 1, "told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_new_machines_of_one_name_make_one_device() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let one = met(&ana, Bare::new(&world).unwrap(), "ana-new").await;
    let two = met(&ana, Bare::new(&world).unwrap(), "ana-new").await;
    for Met { approver, info, token, .. } in [&one, &two] {
        assert_eq!(approver.approve(&info.id, token).await.unwrap().status, 200);
    }
    let done = one.bare.complete(&one.info.id, "ana-new", None).await.unwrap();
    assert_eq!(done.status, 200, "{done:?}");
    let lost = two.bare.complete(&two.info.id, "ana-new", None).await.unwrap();
    assert_eq!(lost.code(), ErrorCode::DeviceNameTaken);
    // Who begins under it now is told before anybody touches.
    let three = Bare::new(&world).unwrap();
    let link = three.begin_link("ana", "ana-new").await.unwrap();
    let approver = Approver::of(&ana).await.unwrap();
    let refused = approver.find(&three.link_code(&link.recovery.recovery_id)).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::DeviceNameTaken);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_touch_for_exactly_this_machine_takes_it_on_or_lets_it_in() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let link = bare.begin_link("ana", "ana-new").await.unwrap();
    let id = link.recovery.recovery_id.clone();
    let approver = Approver::of(&ana).await.unwrap();
    let info = found(&approver, &bare, &link).await;
    let human = ana.client().step_up(None, None, &ana.shell).await.unwrap().token;
    for token in [&approver.weak, &human] {
        for answer in
            [approver.claim(&id, token).await.unwrap(), approver.approve(&id, token).await.unwrap()]
        {
            assert_eq!(answer.code(), ErrorCode::StepUpRequired);
        }
    }
    // A touch for another name or key is refused before it is asked for: the page would show a lie.
    for lie in [
        LinkInfo { device: device("harmless"), ..info.clone() },
        LinkInfo { thumbprint: "x".repeat(43), ..info.clone() },
    ] {
        let refused = ana.client().step_up(Some(link_act(&lie)), None, &ana.shell).await;
        assert_eq!(refused.err().unwrap().code(), ErrorCode::NotFound);
    }
    let other = BoundActBody::MakeRecoveryCodes { codes_hash: "of some codes".to_owned() };
    let other = ana.client().step_up(Some(other), None, &ana.shell).await.unwrap().token;
    let refused = approver.claim(&id, &other).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::StepUpForAnotherAct);
    // Touched, and still nothing is approved before both sides could know the digits.
    let token = ana.touch_for(&info).await.unwrap();
    assert_eq!(approver.approve(&id, &token).await.unwrap().code(), ErrorCode::LinkOutOfTurn);
    assert_eq!(approver.reveal(&id).await.unwrap().code(), ErrorCode::LinkOutOfTurn);
    let refused = bare.complete(&id, "ana-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_somebody_else_finds_nothing_and_its_link_is_nobodys() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let eve = world.invited_admin(&ana, "eve").await.unwrap();
    let bare = Bare::new(&world).unwrap();
    let link = bare.begin_link("ana", "ana-new").await.unwrap();
    let id = &link.recovery.recovery_id;
    // Eve is an administrator, and has seen Ana's screen; it is Ana's account all the same.
    let theirs = Approver::of(&eve).await.unwrap();
    let unknown = theirs.find(&bare.link_code(id)).await.unwrap();
    let invented = theirs.find("0000-0000").await.unwrap();
    assert_eq!(unknown.code(), ErrorCode::LinkUnknown);
    assert_eq!(invented.code(), ErrorCode::LinkUnknown);
    assert_eq!(unknown.body["detail"], invented.body["detail"]);
    let strong = eve.client().step_up(None, None, &eve.shell).await.unwrap().token;
    for token in [&theirs.weak, &strong] {
        for answer in [
            theirs.claim(id, token).await.unwrap(),
            theirs.approve(id, token).await.unwrap(),
            theirs.post(paths::LINK_STOP, id, token, None).await.unwrap(),
        ] {
            assert_eq!(answer.code(), ErrorCode::NotFound);
        }
    }
    let own = Approver::of(&ana).await.unwrap();
    let info = found(&own, &bare, &link).await;
    let refused = eve.client().step_up(Some(link_act(&info)), None, &eve.shell).await;
    assert_eq!(refused.err().unwrap().code(), ErrorCode::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_ends_it_for_the_new_machine_and_for_a_later_yes() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let machine = world.machine("not-ana").unwrap();
    let mut linking = machine.client.link(request(&ana, "ana-new")).unwrap();
    let (code, _) = begun(&mut linking).await;
    let new = super::NewMachine::watching(linking);
    let meeting = ana.client().find_link(&code).await.unwrap().meet(&ana.shell).await.unwrap();
    new.digits.await.unwrap();
    let id = meeting.info().id.clone();
    meeting.stop().await.unwrap();
    let notices = ana.client().notices(50, None).await.unwrap().items;
    let told = notices.iter().find(|notice| notice.kind == "recovery-stopped").unwrap();
    assert!(told.text.contains("ana-new") && told.text.contains("by your device"), "{told:?}");
    let stopped = new.end.await.unwrap().err().unwrap();
    assert_eq!(stopped.code(), ErrorCode::RecoveryStopped);
    let approver = Approver::of(&ana).await.unwrap();
    let reveal = approver.reveal(&id).await.unwrap();
    assert_eq!(reveal.code(), ErrorCode::RecoveryOver);
    let stop = approver.post(paths::LINK_STOP, &id, &approver.weak, None).await.unwrap();
    assert_eq!(stop.code(), ErrorCode::RecoveryOver);

    // Also after a yes that was a mistake, as long as the new machine has not come for it.
    let Met { bare, approver, info, token } =
        met(&ana, Bare::new(&world).unwrap(), "ana-newer").await;
    approver.approve(&info.id, &token).await.unwrap();
    let stop = approver.post(paths::LINK_STOP, &info.id, &approver.weak, None).await.unwrap();
    assert_eq!(stop.status, 200, "{stop:?}");
    let refused = bare.complete(&info.id, "ana-newer", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryStopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_dies_with_the_device_that_gave_it_and_with_a_freeze() {
    let world = World::new().await.unwrap();
    let ana = world.admin("ana").await.unwrap();
    let bert = world.invited(&ana, "bert").await.unwrap();
    let Met { bare, approver, info, token } =
        met(&bert, Bare::new(&world).unwrap(), "bert-new").await;
    approver.approve(&info.id, &token).await.unwrap();
    let state = async || bare.show_link(&info.id).await.unwrap().recovery.state;
    assert_eq!(state().await, RecoveryStateName::Ready);
    // It was a thief who had Bert's laptop: it is cut off before the new machine comes.
    ana.step_up().await.unwrap();
    ana.client().admin_suspend_device(&bert.name, &device("bert-laptop")).await.unwrap();
    assert_eq!(state().await, RecoveryStateName::Unproved);
    let refused = bare.complete(&info.id, "bert-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
    ana.client().admin_resume_device(&bert.name, &device("bert-laptop")).await.unwrap();
    world.clock.advance(Seconds(1));
    bert.client().freeze().await.unwrap();
    let refused = bare.complete(&info.id, "bert-new", None).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::RecoveryUnproved);
    // Nor does a frozen account's device let anybody in: a link ends no freeze.
    let late = Bare::new(&world).unwrap();
    let link = late.begin_link("bert", "bert-newer").await.unwrap();
    let approver = Approver::of(&bert).await.unwrap();
    let refused = approver.find(&late.link_code(&link.recovery.recovery_id)).await.unwrap();
    assert_eq!(refused.code(), ErrorCode::AccountFrozen);
}
