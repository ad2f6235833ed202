use super::*;
use crate::ceremony::TYPED_TRIES;
use crate::io::Effect;
use crate::register_passkey::{RegisterFacts, RegisterPasskeyFlow};
use crate::view::{FlowNext, FlowOtherWay, FlowStepId, FlowStepState};
use landfall_identity::id::SessionId;
use landfall_identity::{AuthStrength, Label, Seconds};
use landfall_protocol::ceremony::CeremonyBegun;
use landfall_protocol::session::SessionOpened;
use landfall_protocol::{At, ErrorCode};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn facts() -> StepUpFacts {
    StepUpFacts {
        server: "https://landfall.example".into(),
        tenant: TenantName::parse("home").unwrap(),
        user: UserName::parse("bert").unwrap(),
        device: DeviceName::parse("bert-new").unwrap(),
        act: None,
        attachment: None,
    }
}

fn begun() -> CeremonyBegun {
    CeremonyBegun {
        ceremony_id: CeremonyId::from_bits([1; 16]),
        page_url: "http://localhost:1/ceremony#x.y".into(),
        match_number: "42".into(),
        expires_at: At(at(300)),
    }
}

fn session() -> Reply {
    Reply::Session(SessionOpened {
        id: SessionId::from_bits([2; 16]),
        token: "token".into(),
        auth_strength: AuthStrength::CertHuman,
        auth_time_at: At(at(20)),
        expires_at: At(at(620)),
        bound: false,
    })
}

fn waiting(by: Door) -> StepUpFlow {
    let mut flow = StepUpFlow::new(facts(), by);
    flow.step(Input::Begin, at(1));
    flow.step(Input::Replied(Reply::Ceremony(begun())), at(2));
    flow
}

fn redeeming(by: Door) -> StepUpFlow {
    let mut flow = waiting(by);
    flow.step(Input::PasskeyAnswered { completion: "done".into() }, at(20));
    flow
}

fn after_crash(flow: &StepUpFlow) -> StepUpFlow {
    serde_json::from_str(&serde_json::to_string(flow).unwrap()).unwrap()
}

fn problem(code: ErrorCode) -> Input {
    Input::Failed(Problem::new(code, "why"))
}

/// The effects, without the alarms.
fn names(effects: &[Effect]) -> Vec<&'static str> {
    let name = |effect: &Effect| match effect {
        Effect::Call(Call::BeginStepUp { by: Door::Loopback, .. }) => Some("begin"),
        Effect::Call(Call::BeginStepUp { by: Door::Typed, .. }) => Some("begin typed"),
        Effect::Call(Call::RedeemStepUp { .. }) => Some("redeem"),
        Effect::Call(Call::BeginRegister { .. }) => Some("begin register"),
        Effect::Call(Call::RedeemRegister { .. }) => Some("redeem register"),
        Effect::AskPasskey { by: Door::Loopback, .. } => Some("ask"),
        Effect::AskPasskey { by: Door::Typed, .. } => Some("ask typed"),
        Effect::WakeAt(_) => None,
        _ => Some("unexpected"),
    };
    effects.iter().filter_map(name).collect()
}

#[test]
fn the_straight_way() {
    let mut flow = StepUpFlow::new(facts(), Door::Loopback);
    assert_eq!(names(&flow.step(Input::Begin, at(1)).effects), ["begin"]);
    let step = flow.step(Input::Replied(Reply::Ceremony(begun())), at(2));
    assert_eq!(names(&step.effects), ["ask"]);
    assert!(matches!(step.view.next, FlowNext::UsePasskey { typed: false, .. }));
    let step = flow.step(Input::PasskeyAnswered { completion: "done".into() }, at(20));
    assert_eq!(names(&step.effects), ["redeem"]);
    let step = flow.step(Input::Replied(session()), at(21));
    assert!(flow.is_finished() && step.effects.is_empty());
    assert!(step.view.steps.iter().all(|step| step.state == FlowStepState::Done));
}

#[test]
fn without_a_browser_it_turns_to_the_typed_form() {
    let mut flow = waiting(Door::Loopback);
    let step = flow.step(problem(ErrorCode::BrowserUnavailable), at(3));
    assert_eq!(names(&step.effects), ["begin typed"]);
    assert_eq!(step.view.failure.unwrap().code, ErrorCode::BrowserUnavailable);
    let step = flow.step(Input::Replied(Reply::Ceremony(begun())), at(4));
    assert_eq!(names(&step.effects), ["ask typed"]);
}

#[test]
fn typing_is_no_proof_that_the_passkey_was_used() {
    let used = |step: &Step| {
        let track = &step.view.steps;
        track
            .iter()
            .any(|step| step.id == FlowStepId::UsePasskey && step.state == FlowStepState::Done)
    };
    let mut typed = waiting(Door::Typed);
    let typed = typed.step(Input::PasskeyAnswered { completion: "4K7M-9QXA".into() }, at(5));
    assert!(!used(&typed), "the server has not looked yet");
    let mut redirected = waiting(Door::Loopback);
    assert!(used(&redirected.step(Input::PasskeyAnswered { completion: "x".into() }, at(5))));
}

#[test]
fn a_mistyped_code_can_be_typed_again_while_tries_are_left() {
    let mut flow = redeeming(Door::Typed);
    let step = flow.step(problem(ErrorCode::CompletionWrong), at(21));
    assert_eq!(names(&step.effects), ["ask typed"]);
    assert_eq!(step.view.failure.unwrap().code, ErrorCode::CompletionWrong);
    flow.step(Input::PasskeyAnswered { completion: "again".into() }, at(25));
    let step = flow.step(problem(ErrorCode::CeremonyOver), at(26));
    assert!(step.effects.is_empty() && matches!(step.view.next, FlowNext::TryAgain));
    assert_eq!(names(&flow.step(Input::Begin, at(27)).effects), ["begin typed"], "from the start");
}

#[test]
fn what_cannot_be_a_code_can_be_typed_again_but_not_for_ever() {
    let mut flow = waiting(Door::Typed);
    let mistyped = || Input::Mistyped(Problem::new(ErrorCode::CompletionWrong, "eight characters"));
    for _ in 1..TYPED_TRIES {
        let step = flow.step(mistyped(), at(3));
        assert_eq!(names(&step.effects), ["ask typed"]);
        assert_eq!(step.view.failure.unwrap().detail, "eight characters");
    }
    let step = flow.step(mistyped(), at(4));
    assert!(step.effects.is_empty());
    assert!(flow.problem().unwrap().detail.contains("begin again"));
    flow.step(Input::Begin, at(5));
    flow.step(Input::Replied(Reply::Ceremony(begun())), at(6));
    assert_eq!(names(&flow.step(mistyped(), at(7)).effects), ["ask typed"], "counted anew");
}

#[test]
fn wrong_codes_are_counted_here_too() {
    let mut flow = waiting(Door::Typed);
    for left in (0..TYPED_TRIES).rev() {
        flow.step(Input::PasskeyAnswered { completion: "0000-0000".into() }, at(3));
        let step = flow.step(problem(ErrorCode::CompletionWrong), at(4));
        assert_eq!(step.effects.is_empty(), left == 0);
    }
    assert_eq!(flow.problem().unwrap().code, ErrorCode::CompletionWrong);
}

#[test]
fn a_shell_that_has_no_code_to_give_is_not_asked_again() {
    for code in [ErrorCode::CompletionWrong, ErrorCode::CeremonyPending, ErrorCode::InputNeeded] {
        let mut flow = waiting(Door::Typed);
        assert!(flow.step(problem(code), at(3)).effects.is_empty(), "{code}");
        assert_eq!(flow.problem().unwrap().code, code);
    }
}

#[test]
fn a_wrong_completion_by_redirect_is_never_asked_for_again() {
    let mut flow = redeeming(Door::Loopback);
    assert!(flow.step(problem(ErrorCode::CompletionWrong), at(21)).effects.is_empty());
    assert!(flow.problem().is_some());
}

#[test]
fn a_lost_answer_to_the_redemption_is_asked_for_again() {
    let mut flow = redeeming(Door::Loopback);
    flow.step(problem(ErrorCode::ServerUnreachable), at(21));
    assert_eq!(names(&flow.step(Input::Begin, at(30)).effects), ["redeem"]);
    let mut late = redeeming(Door::Loopback);
    late.step(problem(ErrorCode::ServerUnreachable), at(21));
    assert_eq!(names(&late.step(Input::Begin, at(301)).effects), ["begin"], "it is over by then");
}

#[test]
fn a_new_process_goes_on_where_it_can() {
    let mut fresh = StepUpFlow::new(facts(), Door::Loopback);
    assert!(after_crash(&fresh).step(Input::Resumed, at(1)).effects.is_empty());
    fresh.step(Input::Begin, at(1));
    assert_eq!(names(&after_crash(&fresh).step(Input::Resumed, at(3)).effects), ["begin"]);
    let resumed =
        |flow: &StepUpFlow, now| names(&after_crash(flow).step(Input::Resumed, now).effects);
    assert_eq!(resumed(&waiting(Door::Typed), at(9)), ["ask typed"]);
    assert_eq!(resumed(&waiting(Door::Typed), at(301)), ["begin typed"]);
    assert_eq!(resumed(&waiting(Door::Loopback), at(9)), ["begin"], "nobody listens any more");
    assert_eq!(resumed(&redeeming(Door::Loopback), at(22)), ["redeem"]);
    let mut done = redeeming(Door::Loopback);
    done.step(Input::Replied(session()), at(21));
    assert!(resumed(&done, at(22)).is_empty());
}

#[test]
fn time_offers_another_way_and_then_ends_it() {
    let mut flow = waiting(Door::Loopback);
    assert_eq!(flow.step(Input::Tick, at(9)).view.other_way, None);
    let step = flow.step(Input::Tick, at(2) + Seconds(8));
    assert_eq!(step.view.other_way, Some(FlowOtherWay::TypeCode));
    let mut by_hand = flow.clone();
    assert_eq!(names(&by_hand.step(Input::OtherWay, at(11)).effects), ["begin typed"]);
    flow.step(Input::Tick, at(300));
    assert_eq!(flow.problem().unwrap().code, ErrorCode::CeremonyOver);
    assert!(
        flow.step(Input::PasskeyAnswered { completion: "late".into() }, at(301)).effects.is_empty()
    );
}

#[test]
fn stopping_is_final_and_late_answers_are_dropped() {
    let mut flow = waiting(Door::Loopback);
    flow.step(Input::Cancelled, at(3));
    assert_eq!(flow.problem().unwrap().code, ErrorCode::Cancelled);
    assert!(flow.step(Input::PasskeyAnswered { completion: "x".into() }, at(4)).effects.is_empty());
    let mut done = redeeming(Door::Loopback);
    done.step(Input::Replied(session()), at(21));
    done.step(Input::Cancelled, at(22));
    assert!(done.is_finished(), "what is done stays done");
}

#[test]
fn a_registration_ends_with_a_passkey_and_not_with_a_session() {
    let facts = RegisterFacts {
        server: "https://landfall.example".into(),
        tenant: TenantName::parse("home").unwrap(),
        user: UserName::parse("bert").unwrap(),
        device: DeviceName::parse("bert-new").unwrap(),
        attachment: Attachment::Roaming,
        label: Label::parse("blue key").unwrap(),
        resident: false,
    };
    let mut flow = RegisterPasskeyFlow::new(facts, Door::Loopback);
    assert_eq!(names(&flow.step(Input::Begin, at(1)).effects), ["begin register"]);
    flow.step(Input::Replied(Reply::Ceremony(begun())), at(2));
    let step = flow.step(Input::PasskeyAnswered { completion: "x".into() }, at(3));
    assert_eq!(names(&step.effects), ["redeem register"]);
    flow.step(Input::Replied(session()), at(4));
    assert!(!flow.is_finished());
}

#[test]
fn a_key_that_does_not_do_leaves_the_page_of_the_same_ceremony() {
    for input in [problem(ErrorCode::SecurityKeyUnusable), Input::OtherWay] {
        let declined = matches!(input, Input::OtherWay);
        let mut flow = waiting(Door::SecurityKey);
        assert!(flow.view(at(3)).next == FlowNext::UseSecurityKey { pin: None });
        let named = |flow: &StepUpFlow, id| flow.view(at(3)).steps.iter().any(|s| s.id == id);
        assert!(named(&flow, FlowStepId::UseSecurityKey) && !named(&flow, FlowStepId::UsePasskey));
        assert_eq!(flow.view(at(3)).other_way, Some(FlowOtherWay::UseBrowser), "at once");
        let step = flow.step(input, at(4));
        let asks = |effect: &Effect| {
            matches!(effect, Effect::AskPasskey { begun, by: Door::Loopback }
                if begun.ceremony_id == self::begun().ceremony_id)
        };
        assert!(step.effects.iter().any(asks), "the same ceremony, in the browser");
        assert!(named(&flow, FlowStepId::UsePasskey), "and its step says so");
        assert_eq!(step.view.failure.is_none(), declined, "why is said, unless it was a choice");
        // Without a browser it is typed, as ever.
        let step = flow.step(problem(ErrorCode::BrowserUnavailable), at(5));
        assert_eq!(names(&step.effects), ["begin typed"]);
    }
}

#[test]
fn a_key_that_answered_is_redeemed_and_what_the_server_says_of_it_ends_it() {
    let mut flow = redeeming(Door::SecurityKey);
    flow.step(Input::Replied(session()), at(21));
    assert!(flow.is_finished());
    let mut refused = waiting(Door::SecurityKey);
    let step = refused.step(problem(ErrorCode::PasskeyRefused), at(4));
    assert!(step.effects.is_empty() && step.view.next == FlowNext::TryAgain);
}

#[test]
fn a_key_that_is_left_too_late_begins_another_ceremony() {
    let mut flow = waiting(Door::SecurityKey);
    let step = flow.step(Input::OtherWay, at(301));
    assert_eq!(names(&step.effects), ["begin"]);
}
