use super::*;
use landfall_identity::TenantName;
use landfall_protocol::link::LinkApprover;
use landfall_protocol::recovery::RecoveryStatus;

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn flow() -> LinkFlow {
    let facts = LinkFacts {
        server: "https://landfall.example".into(),
        user: UserName::parse("bert").unwrap(),
        device: DeviceName::parse("bert-new").unwrap(),
        label: None,
        key: "link-1".into(),
    };
    LinkFlow::new(facts, NOW)
}

fn key() -> KeyRef {
    KeyRef { handle: "link-1".into(), thumbprint: "thumb".into() }
}

/// What the server says: how it stands, what was committed to, and the digits once they are known.
fn seen(state: RecoveryStateName, commitment: Option<&str>, check_code: Option<&str>) -> Input {
    let recovery = RecoveryStatus {
        recovery_id: RecoveryId::from_bits([1; 16]),
        tenant: TenantName::parse("home").unwrap(),
        state,
        proofs: vec![],
        held_until: None,
        may_wait_days: None,
        by_mail: false,
        device_taken: false,
        account_frozen: false,
        account_stopped: false,
        wait_passed_seconds: None,
        wait_left_seconds: None,
        expires_at: At(NOW),
        server_time: At(NOW),
    };
    let approver = commitment.map(|commitment| LinkApprover {
        device: DeviceName::parse("bert-laptop").unwrap(),
        thumbprint: "other".into(),
        commitment: commitment.into(),
        nonce: check_code.map(|_| "nonce".into()),
    });
    Input::Replied(Reply::Link(Box::new(LinkSeen {
        status: LinkStatus { recovery, approver },
        code: "4K7M-9QXA".into(),
        scan: "scan".into(),
        check_code: check_code.map(Into::into),
    })))
}

fn recovered(device: &str) -> Input {
    let issued = serde_json::from_value(serde_json::json!({
        "spiffe_id": format!("spiffe://td/tenant/home/user/bert/device/{device}"),
        "trust_domain": "td", "certificate_chain": "", "trust_bundle": "",
        "not_after": "2026-11-22T14:00:00Z", "renew_at": "2026-11-22T06:00:00Z",
        "grant": null, "server_time": "2026-11-21T14:00:00Z",
    }));
    let recovered = Recovered { issued: issued.unwrap(), suspended: None, unfrozen: false };
    Input::Replied(Reply::Recovered(Box::new(recovered)))
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

/// Another process reads what was saved.
fn reopened(flow: &LinkFlow) -> LinkFlow {
    serde_json::from_str(&serde_json::to_string(flow).unwrap()).unwrap()
}

/// Up to the code on the screen.
fn showing() -> LinkFlow {
    let mut flow = flow();
    flow.step(Input::Begin, NOW);
    flow.step(Input::KeyReady { key: key() }, NOW);
    let step = flow.step(Input::Signed { csr: "csr".into() }, NOW);
    assert!(matches!(call(&step), Call::BeginLink { .. }));
    flow.step(seen(RecoveryStateName::Unproved, None, None), NOW);
    flow
}

#[test]
fn a_code_a_commitment_and_six_digits_lead_to_an_identity() {
    let mut flow = showing();
    assert!(matches!(flow.view(NOW).next, FlowNext::ShowCode { approver: None, .. }));
    assert!(matches!(call(&flow.step(Input::Begin, NOW)), Call::ShowLink { .. }));
    let step = flow.step(seen(RecoveryStateName::Unproved, Some("c"), None), NOW);
    assert!(matches!(call(&step), Call::AnswerLink { commitment, .. } if commitment == "c"));
    let step = flow.step(seen(RecoveryStateName::Unproved, Some("c"), None), NOW);
    assert!(matches!(step.view.next, FlowNext::ShowCode { approver: Some(_), .. }));
    flow.step(Input::Begin, NOW);
    let step = flow.step(seen(RecoveryStateName::Unproved, Some("c"), Some("042137")), NOW);
    let FlowNext::CompareCode { digits, .. } = step.view.next else { panic!() };
    assert_eq!(digits, "042137");
    flow.step(Input::Begin, NOW);
    let step = flow.step(seen(RecoveryStateName::Ready, Some("c"), Some("042137")), NOW);
    assert!(matches!(call(&step), Call::CompleteRecovery { lost: None, .. }));
    let step = flow.step(recovered("bert-new"), NOW);
    assert!(matches!(step.effects[0], Effect::Save(Saved::Identity { .. })));
    assert!(flow.is_finished() && step.view.next == FlowNext::Finished);
}

#[test]
fn a_crash_anywhere_goes_on_with_the_same_words() {
    let mut flow = showing();
    flow.step(Input::Begin, NOW);
    flow.step(seen(RecoveryStateName::Unproved, Some("c"), None), NOW);
    let step = reopened(&flow).step(Input::Resumed, NOW);
    assert!(matches!(call(&step), Call::AnswerLink { commitment, .. } if commitment == "c"));
    flow.step(seen(RecoveryStateName::Ready, Some("c"), Some("042137")), NOW);
    let mut later = reopened(&flow);
    assert!(matches!(call(&later.step(Input::Resumed, NOW)), Call::CompleteRecovery { .. }));
    // The answer was lost for so long that the link is over: the key asks for a renewal.
    let over = Problem::new(ErrorCode::RecoveryOver, "over");
    let step = later.step(Input::Failed(over), NOW);
    assert!(matches!(call(&step), Call::RenewCertificate { .. }));
}

#[test]
fn a_certificate_for_somebody_else_is_not_kept() {
    let mut flow = showing();
    flow.step(Input::Begin, NOW);
    flow.step(seen(RecoveryStateName::Ready, Some("c"), Some("042137")), NOW);
    let step = flow.step(recovered("another"), NOW);
    assert!(step.effects.iter().all(|effect| !matches!(effect, Effect::Save(_))));
    assert_eq!(flow.problem().unwrap().code, ErrorCode::LinkTampered);
}

#[test]
fn what_is_over_or_tampered_with_begins_anew_and_a_broken_line_does_not() {
    for (code, starts_over) in [
        (ErrorCode::RecoveryOver, true),
        (ErrorCode::LinkTampered, true),
        (ErrorCode::LinkOutOfTurn, true),
        (ErrorCode::ServerUnreachable, false),
        (ErrorCode::Busy, false),
    ] {
        let mut flow = showing();
        flow.step(Input::Begin, NOW);
        let step = flow.step(Input::Failed(Problem::new(code, "because")), NOW);
        assert_eq!(step.view.next == FlowNext::StartOver, starts_over, "{code}");
        let forgets = step.effects.iter().any(|effect| matches!(effect, Effect::Forget));
        assert_eq!(forgets, starts_over, "{code}");
        let call_again = flow.step(Input::Begin, NOW);
        assert_eq!(call_again.effects.is_empty(), starts_over, "{code}");
    }
    for (state, code) in [
        (RecoveryStateName::Stopped, ErrorCode::RecoveryStopped),
        (RecoveryStateName::Over, ErrorCode::RecoveryOver),
    ] {
        let mut flow = showing();
        flow.step(Input::Begin, NOW);
        flow.step(seen(state, Some("c"), None), NOW);
        assert_eq!(flow.problem().unwrap().code, code);
    }
}

#[test]
fn only_a_server_that_is_slow_now_makes_one_look_at_the_line() {
    let mut flow = showing();
    let minutes_later = NOW + landfall_identity::Seconds::minutes(5);
    let step = flow.step(Input::Begin, minutes_later);
    assert_eq!(step.view.other_way, None, "it was asked just now");
    let tick = flow.step(Input::Tick, minutes_later + PATIENCE);
    assert_eq!(tick.view.other_way, Some(FlowOtherWay::CheckConnection));
}

#[test]
fn late_and_foreign_inputs_change_nothing() {
    let mut flow = showing();
    let before = serde_json::to_string(&flow).unwrap();
    for input in [
        Input::Tick,
        Input::OtherWay,
        Input::KeyReady { key: key() },
        seen(RecoveryStateName::Ready, None, None),
        recovered("bert-new"),
    ] {
        assert!(flow.step(input, NOW).effects.is_empty());
    }
    assert_eq!(serde_json::to_string(&flow).unwrap(), before);
}
