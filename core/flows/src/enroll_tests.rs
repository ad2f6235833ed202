use super::*;
use crate::view::FlowStepState;
use landfall_identity::{Seconds, SpiffeId, TrustDomain};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn flow() -> EnrollFlow {
    let facts = EnrollFacts {
        token: TokenId::from_bits([7; 16]),
        kind: TokenKind::Device,
        server: "https://landfall.example".into(),
        tenant: TenantName::parse("home").unwrap(),
        user: UserName::parse("bert").unwrap(),
        device: DeviceName::parse("bert-new").unwrap(),
        label: None,
        expires_at: at(600),
    };
    EnrollFlow::new(facts, at(0))
}

fn key() -> KeyRef {
    KeyRef { handle: "k".into(), thumbprint: "t".into() }
}

fn issued() -> Reply {
    Reply::Certificate(Box::new(CertIssued {
        spiffe_id: SpiffeId::parse("spiffe://td/tenant/home/user/bert/device/bert-new").unwrap(),
        trust_domain: TrustDomain::parse("td").unwrap(),
        certificate_chain: "chain".into(),
        trust_bundle: "root".into(),
        not_after: At(at(86_400)),
        renew_at: At(at(57_600)),
        grant: None,
        server_time: At(at(3)),
    }))
}

/// The flow at the moment at which the server has been asked.
fn asking() -> EnrollFlow {
    let mut flow = flow();
    flow.step(Input::Begin, at(1));
    flow.step(Input::KeyReady { key: key() }, at(1));
    flow.step(Input::Signed { csr: "csr".into() }, at(2));
    flow
}

/// What a new process reads back from disk.
fn after_crash(flow: &EnrollFlow) -> EnrollFlow {
    serde_json::from_str(&serde_json::to_string(flow).unwrap()).unwrap()
}

fn problem(code: ErrorCode) -> Input {
    Input::Failed(Problem::new(code, "why"))
}

fn names(effects: &[Effect]) -> Vec<&'static str> {
    let name = |effect: &Effect| match effect {
        Effect::Call(Call::IssueCertificate { .. }) => "issue",
        Effect::Call(Call::RenewCertificate { .. }) => "renew",
        Effect::Call(_) => "other call",
        Effect::CreateKey { .. } => "create key",
        Effect::BuildCsr { .. } => "build csr",
        Effect::AskPasskey { .. } => "ask passkey",
        Effect::Save(Saved::Progress) => "save",
        Effect::Save(Saved::Identity { .. }) => "save identity",
        Effect::Forget => "forget",
        Effect::WakeAt(_) => "wake",
    };
    effects.iter().map(name).collect()
}

#[test]
fn the_straight_way_saves_before_it_asks() {
    let mut flow = flow();
    assert!(matches!(flow.view(at(0)).next, FlowNext::Confirm));
    assert_eq!(names(&flow.step(Input::Begin, at(1)).effects), ["save", "create key"]);
    assert_eq!(names(&flow.step(Input::KeyReady { key: key() }, at(1)).effects), ["build csr"]);
    let step = flow.step(Input::Signed { csr: "csr".into() }, at(2));
    assert_eq!(names(&step.effects), ["save", "wake", "issue"]);
    let step = flow.step(Input::Replied(issued()), at(3));
    assert_eq!(names(&step.effects), ["save identity", "forget"]);
    assert!(flow.is_finished());
    assert!(step.view.steps.iter().all(|step| step.state == FlowStepState::Done));
    assert!(matches!(step.view.next, FlowNext::Finished));
}

#[test]
fn nothing_is_spent_before_the_person_says_yes() {
    let mut flow = flow();
    let early = [Input::KeyReady { key: key() }, Input::Signed { csr: "x".into() }, Input::Tick];
    for input in early {
        assert!(flow.step(input, at(1)).effects.is_empty());
    }
    assert!(flow.step(Input::Replied(issued()), at(1)).effects.is_empty());
    assert!(matches!(flow.view(at(1)).next, FlowNext::Confirm));
}

#[test]
fn a_code_that_is_over_is_not_even_tried() {
    let mut flow = flow();
    let step = flow.step(Input::Begin, at(600));
    assert_eq!(names(&step.effects), ["forget"]);
    assert_eq!(flow.problem().unwrap().code, ErrorCode::TokenExpired);
    assert!(matches!(step.view.next, FlowNext::StartOver));
}

#[test]
fn a_crash_at_any_step_resumes_with_the_same_key_and_request() {
    let mut begun = flow();
    begun.step(Input::Begin, at(1));
    let step = after_crash(&begun).step(Input::Resumed, at(9));
    assert_eq!(names(&step.effects), ["save", "create key"]);
    let token = TokenId::from_bits([7; 16]).to_string();
    assert!(
        matches!(&step.effects[1], Effect::CreateKey { name } if *name == token),
        "the key's name does not change between tries"
    );

    begun.step(Input::KeyReady { key: key() }, at(1));
    let step = after_crash(&begun).step(Input::Resumed, at(9));
    assert_eq!(names(&step.effects), ["build csr"]);

    let step = after_crash(&asking()).step(Input::Resumed, at(9));
    assert_eq!(names(&step.effects), ["save", "wake", "issue"]);
    assert!(matches!(&step.effects[2],
        Effect::Call(Call::IssueCertificate { csr, .. }) if csr == "csr"));

    let mut kept = asking();
    kept.step(Input::Replied(issued()), at(3));
    let step = after_crash(&kept).step(Input::Resumed, at(9));
    assert_eq!(names(&step.effects), ["save", "wake", "issue"], "until forgotten, it asks again");
}

#[test]
fn a_lost_answer_is_asked_for_again_and_after_the_codes_time_by_renewal() {
    let mut flow = asking();
    let step = flow.step(problem(ErrorCode::ServerUnreachable), at(5));
    assert!(step.effects.is_empty(), "what was saved stays");
    assert!(matches!(step.view.next, FlowNext::TryAgain));
    let step = flow.step(Input::Begin, at(700));
    assert_eq!(names(&step.effects), ["save", "wake", "issue"]);
    let step = flow.step(problem(ErrorCode::TokenExpired), at(701));
    assert_eq!(names(&step.effects), ["save", "wake", "renew"]);
    let mut enrolled = flow.clone();
    assert_eq!(
        names(&enrolled.step(Input::Replied(issued()), at(702)).effects),
        ["save identity", "forget"]
    );
    let step = flow.step(problem(ErrorCode::NotEnrolled), at(702));
    assert_eq!(names(&step.effects), ["forget"]);
    assert_eq!(flow.problem().unwrap().code, ErrorCode::TokenExpired, "the true reason");
}

#[test]
fn a_first_refusal_is_final_and_leaves_nothing_behind() {
    for code in [
        ErrorCode::TokenExpired,
        ErrorCode::TokenUsed,
        ErrorCode::TokenInvalid,
        ErrorCode::DeviceNameTaken,
        ErrorCode::ServerNotTrusted,
    ] {
        let mut flow = asking();
        let step = flow.step(problem(code), at(5));
        assert_eq!(names(&step.effects), ["forget"], "{code}");
        assert!(matches!(step.view.next, FlowNext::StartOver), "{code}");
        assert!(flow.step(Input::Replied(issued()), at(6)).effects.is_empty(), "late answer");
    }
}

#[test]
fn an_unwritable_disk_is_found_before_the_code_is_spent_and_after_it_loses_nothing() {
    let mut flow = flow();
    flow.step(Input::Begin, at(1));
    let step = flow.step(problem(ErrorCode::StateUnwritable), at(1));
    assert!(matches!(step.view.next, FlowNext::TryAgain));
    assert!(flow.key().is_none());

    let mut flow = asking();
    flow.step(Input::Replied(issued()), at(3));
    flow.step(problem(ErrorCode::StateUnwritable), at(3));
    let step = flow.step(Input::Begin, at(4));
    assert_eq!(names(&step.effects), ["save", "wake", "issue"], "same key, same request");
}

#[test]
fn stopping_before_the_server_is_asked_forgets_and_after_it_remembers() {
    let mut early = flow();
    early.step(Input::Begin, at(1));
    assert_eq!(names(&early.step(Input::Cancelled, at(1)).effects), ["forget"]);

    let mut late = asking();
    let step = late.step(Input::Cancelled, at(3));
    assert!(step.effects.is_empty());
    assert!(matches!(step.view.next, FlowNext::TryAgain));
    assert!(late.step(Input::Cancelled, at(3)).effects.is_empty(), "twice is once");
}

#[test]
fn after_eight_seconds_another_way_is_offered_and_stale_ticks_change_nothing() {
    let mut flow = asking();
    assert_eq!(flow.step(Input::Tick, at(9)).view.other_way, None);
    let step = flow.step(Input::Tick, at(2) + Seconds(8));
    assert!(step.effects.is_empty());
    assert_eq!(step.view.other_way, Some(FlowOtherWay::CheckConnection));
    flow.step(Input::Replied(issued()), at(11));
    assert_eq!(flow.step(Input::Tick, at(60)).view.other_way, None);
}

#[test]
fn what_is_saved_holds_no_secret() {
    let saved = serde_json::to_string(&asking()).unwrap();
    assert!(!saved.contains("auth") && !saved.contains("secret"));
}
