use super::*;
use crate::view::FlowNext;
use crate::view::FlowStepState;
use landfall_identity::TenantName;
use landfall_identity::recovery::Door;
use landfall_protocol::At;

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn flow(code: bool) -> RecoverFlow {
    let facts = RecoverFacts {
        server: "https://landfall.example".into(),
        user: UserName::parse("bert").unwrap(),
        device: DeviceName::parse("bert-new").unwrap(),
        label: None,
        lost: DeviceName::parse("bert-laptop").ok(),
        key: "recover-1".into(),
    };
    RecoverFlow::new(facts, code, NOW)
}

fn key() -> KeyRef {
    KeyRef { handle: "recover-1".into(), thumbprint: "thumb".into() }
}

fn status(state: RecoveryStateName, proofs: &[Door]) -> Reply {
    Reply::Recovery(RecoveryStatus {
        recovery_id: RecoveryId::from_bits([1; 16]),
        tenant: TenantName::parse("home").unwrap(),
        state,
        proofs: proofs.to_vec(),
        held_until: None,
        may_wait_days: None,
        by_mail: true,
        device_taken: false,
        account_frozen: false,
        account_stopped: false,
        wait_passed_seconds: None,
        wait_left_seconds: None,
        expires_at: At(NOW),
        server_time: At(NOW),
    })
}

fn issued() -> CertIssued {
    serde_json::from_value(serde_json::json!({
        "spiffe_id": "spiffe://td/tenant/home/user/bert/device/bert-new",
        "trust_domain": "td", "certificate_chain": "", "trust_bundle": "",
        "not_after": "2026-11-22T14:00:00Z", "renew_at": "2026-11-22T06:00:00Z",
        "grant": null, "server_time": "2026-11-21T14:00:00Z",
    }))
    .unwrap()
}

fn problem(code: ErrorCode) -> Input {
    Input::Failed(Problem::new(code, "because"))
}

/// The one call among the effects, which must be saved for before.
fn call(step: &Step) -> &Call {
    let place = step.effects.iter().position(|effect| matches!(effect, Effect::Call(_))).unwrap();
    assert!(matches!(step.effects[0], Effect::Save(Saved::Progress)), "saved before it is sent");
    match &step.effects[place] {
        Effect::Call(call) => call,
        _ => unreachable!(),
    }
}

/// Up to the first call.
fn introduced(flow: &mut RecoverFlow) -> Step {
    flow.step(Input::Begin, NOW);
    flow.step(Input::KeyReady { key: key() }, NOW);
    flow.step(Input::Signed { csr: "csr".into() }, NOW)
}

#[test]
fn a_code_and_an_approval_lead_to_an_identity() {
    let mut flow = flow(true);
    assert!(flow.view(NOW).next == FlowNext::Confirm);
    assert!(matches!(call(&introduced(&mut flow)), Call::BeginRecovery { .. }));
    let step = flow.step(Input::Replied(status(RecoveryStateName::Unproved, &[])), NOW);
    assert!(matches!(call(&step), Call::ProveRecovery { .. }));
    let shown = status(RecoveryStateName::Unproved, &[Door::RecoveryCode]);
    let step = flow.step(Input::Replied(shown), NOW);
    assert!(step.view.next == FlowNext::AwaitOthers { held_until: None });
    // Hours later, perhaps in another process: the code is not shown again.
    let mut flow: RecoverFlow =
        serde_json::from_str(&serde_json::to_string(&flow).unwrap()).unwrap();
    assert!(matches!(call(&flow.step(Input::Resumed, NOW)), Call::ShowRecovery { .. }));
    let ready = status(RecoveryStateName::Ready, &[Door::RecoveryCode, Door::Admin]);
    let step = flow.step(Input::Replied(ready), NOW);
    let Call::CompleteRecovery { lost, .. } = call(&step) else { panic!("another call") };
    assert_eq!(lost.as_ref().map(|lost| lost.as_str()), Some("bert-laptop"));
    let done = Recovered { issued: issued(), suspended: None, unfrozen: false };
    let step = flow.step(Input::Replied(Reply::Recovered(Box::new(done))), NOW);
    assert!(matches!(step.effects[0], Effect::Save(Saved::Identity { .. })));
    assert!(!step.effects.iter().any(|effect| matches!(effect, Effect::Forget)), "not seen yet");
    assert!(flow.is_finished() && step.view.next == FlowNext::Finished);
    assert!(step.view.steps.iter().all(|step| step.state == FlowStepState::Done));
}

#[test]
fn a_wrong_code_may_be_followed_by_another_or_by_none() {
    for another in [true, false] {
        let mut flow = flow(true);
        introduced(&mut flow);
        flow.step(Input::Replied(status(RecoveryStateName::Unproved, &[])), NOW);
        let step = flow.step(problem(ErrorCode::RecoveryCodeWrong), NOW);
        assert!(step.view.next == FlowNext::TryAgain);
        if another {
            flow.give_code();
        }
        let step = flow.step(Input::Begin, NOW);
        assert_eq!(matches!(call(&step), Call::ProveRecovery { .. }), another);
        assert_eq!(matches!(call(&step), Call::ShowRecovery { .. }), !another);
    }
}

#[test]
fn a_code_by_mail_is_asked_for_and_shown_and_survives_a_new_process() {
    let mut flow = flow(true);
    introduced(&mut flow);
    flow.step(Input::Replied(status(RecoveryStateName::Unproved, &[])), NOW);
    let one = || status(RecoveryStateName::Unproved, &[Door::RecoveryCode]);
    flow.step(Input::Replied(one()), NOW);
    flow.ask_by_mail();
    let step = flow.step(Input::Begin, NOW);
    assert!(matches!(call(&step), Call::MailRecoveryCode { .. }));
    let step = flow.step(Input::Replied(one()), NOW);
    assert!(matches!(step.view.next, FlowNext::AwaitOthers { .. }));
    // A wrong one is not shown again by itself.
    flow.give_mailed_code();
    assert!(matches!(call(&flow.step(Input::Begin, NOW)), Call::ProveRecoveryByMail { .. }));
    let step = flow.step(problem(ErrorCode::MailedCodeWrong), NOW);
    assert!(step.view.next == FlowNext::TryAgain);
    assert!(matches!(call(&flow.step(Input::Begin, NOW)), Call::ShowRecovery { .. }));
    flow.step(Input::Replied(one()), NOW);
    flow.give_mailed_code();
    flow.step(Input::Begin, NOW);
    let mut flow: RecoverFlow =
        serde_json::from_str(&serde_json::to_string(&flow).unwrap()).unwrap();
    assert!(matches!(call(&flow.step(Input::Resumed, NOW)), Call::ProveRecoveryByMail { .. }));
    let both = status(RecoveryStateName::Ready, &[Door::RecoveryCode, Door::MailedCode]);
    let step = flow.step(Input::Replied(both), NOW);
    assert!(matches!(call(&step), Call::CompleteRecovery { .. }));
}

#[test]
fn a_lost_last_answer_is_asked_for_again_and_at_the_end_by_renewal() {
    let mut flow = flow(false);
    introduced(&mut flow);
    flow.step(Input::Replied(status(RecoveryStateName::Ready, &[Door::Admin])), NOW);
    flow.step(problem(ErrorCode::ServerUnreachable), NOW);
    let step = flow.step(Input::Begin, NOW);
    assert!(matches!(call(&step), Call::CompleteRecovery { .. }));
    let step = flow.step(problem(ErrorCode::RecoveryOver), NOW);
    assert!(matches!(call(&step), Call::RenewCertificate { .. }));
    let step = flow.step(Input::Replied(Reply::Certificate(Box::new(issued()))), NOW);
    assert!(step.view.next == FlowNext::Finished);
}

#[test]
fn what_the_server_calls_over_is_forgotten_with_its_key() {
    for state in [RecoveryStateName::Stopped, RecoveryStateName::Over] {
        let mut flow = flow(false);
        introduced(&mut flow);
        let step = flow.step(Input::Replied(status(state, &[])), NOW);
        assert!(matches!(step.effects[..], [Effect::Forget]));
        assert!(step.view.next == FlowNext::StartOver);
        assert!(flow.step(Input::Begin, NOW).effects.is_empty());
    }
}

#[test]
fn an_approval_that_was_withdrawn_is_waited_for_again() {
    let mut flow = flow(false);
    introduced(&mut flow);
    flow.step(Input::Replied(status(RecoveryStateName::Ready, &[Door::Admin])), NOW);
    let step = flow.step(problem(ErrorCode::RecoveryUnproved), NOW);
    assert!(matches!(step.view.next, FlowNext::AwaitOthers { .. }));
}

#[test]
fn a_taken_name_can_be_changed_and_nothing_is_lost() {
    let mut flow = flow(false);
    introduced(&mut flow);
    flow.step(Input::Replied(status(RecoveryStateName::Ready, &[Door::Admin])), NOW);
    let step = flow.step(problem(ErrorCode::DeviceNameTaken), NOW);
    assert!(step.view.next == FlowNext::TryAgain);
    flow.rename(DeviceName::parse("bert-newer").unwrap());
    let step = flow.step(Input::Begin, NOW);
    let Call::CompleteRecovery { device, .. } = call(&step) else { panic!("another call") };
    assert_eq!(device.as_str(), "bert-newer");
}

#[test]
fn who_would_rather_wait_asks_for_it_as_soon_as_it_is_possible_and_once() {
    let offered = |days| match status(RecoveryStateName::Unproved, &[Door::RecoveryCode]) {
        Reply::Recovery(status) => {
            Reply::Recovery(RecoveryStatus { may_wait_days: days, ..status })
        }
        _ => unreachable!(),
    };
    for (wanted, days, asks) in
        [(true, Some(3), true), (true, None, false), (false, Some(3), false)]
    {
        let mut flow = flow(true);
        if wanted {
            flow.ask_to_wait();
        }
        introduced(&mut flow);
        flow.step(Input::Replied(status(RecoveryStateName::Unproved, &[])), NOW);
        let step = flow.step(Input::Replied(offered(days)), NOW);
        let calls = step.effects.iter().any(|effect| matches!(effect, Effect::Call(_)));
        assert_eq!(calls, asks, "wanted: {wanted}, possible: {days:?}");
        if asks {
            assert!(matches!(call(&step), Call::WaitRecovery { .. }));
            // The server still says that it could be asked for: nobody goes round in a circle.
            let step = flow.step(Input::Replied(offered(days)), NOW);
            assert!(matches!(step.view.next, FlowNext::AwaitOthers { .. }));
        }
    }
    for state in [RecoveryStateName::Unheard, RecoveryStateName::Contested] {
        let mut flow = flow(false);
        introduced(&mut flow);
        let step = flow.step(Input::Replied(status(state, &[Door::RecoveryCode])), NOW);
        assert!(matches!(step.view.next, FlowNext::AwaitOthers { .. }));
    }
}

fn begun() -> Reply {
    let begun = serde_json::json!({
        "ceremony_id": "0".repeat(26), "page_url": "http://localhost:1/ceremony#recover.x.secret",
        "match_number": "42", "expires_at": "2026-11-22T14:00:00Z",
    });
    Reply::Ceremony(serde_json::from_value(begun).unwrap())
}

#[test]
fn a_passkey_is_asked_for_and_opens_the_door() {
    let mut flow = flow(false);
    flow.give_passkey(crate::io::Door::Loopback);
    introduced(&mut flow);
    let step = flow.step(Input::Replied(status(RecoveryStateName::Unproved, &[])), NOW);
    assert!(matches!(call(&step), Call::BeginRecoverPasskey { .. }));
    let step = flow.step(Input::Replied(begun()), NOW);
    assert!(matches!(step.view.next, FlowNext::UsePasskey { typed: false, .. }));
    assert!(!step.effects.iter().any(|effect| matches!(effect, Effect::Save(_))), "a secret page");
    let step = flow.step(Input::PasskeyAnswered { completion: "x".into() }, NOW);
    let Some(Effect::Call(Call::RedeemRecoverPasskey { completion, .. })) = step.effects.last()
    else {
        panic!("another effect")
    };
    assert_eq!(completion, "x");
    let step = flow.step(Input::Replied(status(RecoveryStateName::Ready, &[Door::Passkey])), NOW);
    assert!(matches!(call(&step), Call::CompleteRecovery { .. }));
}

#[test]
fn a_passkey_that_does_not_help_leaves_what_is_waited_for() {
    let mut flow = flow(true);
    flow.give_passkey(crate::io::Door::Typed);
    introduced(&mut flow);
    flow.step(Input::Replied(status(RecoveryStateName::Unproved, &[])), NOW);
    let shown = status(RecoveryStateName::Unproved, &[Door::RecoveryCode]);
    let step = flow.step(Input::Replied(shown), NOW);
    assert!(matches!(call(&step), Call::BeginRecoverPasskey { .. }), "after the code");
    flow.step(Input::Replied(begun()), NOW);
    let step = flow.step(problem(ErrorCode::PasskeyRefused), NOW);
    assert!(step.view.next == FlowNext::TryAgain);
    assert!(matches!(call(&flow.step(Input::Begin, NOW)), Call::ShowRecovery { .. }));
}

#[test]
fn a_passkey_page_that_a_crash_closed_is_opened_anew() {
    let mut flow = flow(false);
    flow.give_passkey(crate::io::Door::Loopback);
    introduced(&mut flow);
    flow.step(Input::Replied(status(RecoveryStateName::Unproved, &[])), NOW);
    let mut flow: RecoverFlow =
        serde_json::from_str(&serde_json::to_string(&flow).unwrap()).unwrap();
    let step = flow.step(Input::Resumed, NOW);
    assert!(matches!(call(&step), Call::BeginRecoverPasskey { .. }));
}
