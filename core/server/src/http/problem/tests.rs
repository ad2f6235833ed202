//! What problems say.

use super::*;

#[test]
fn a_problem_says_what_to_do_and_when_to_come_back() {
    let refusal = Refusal::RateLimited { retry_after: Seconds(60) };
    let response = render(Refused::from(refusal).into_response(), "r1");
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()[RETRY_AFTER], "60");
    assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
}

#[test]
fn what_went_wrong_inside_stays_inside() {
    let refused = Refused::from(Failure::internal("table users is gone"));
    assert!(!refused.problem.detail.contains("users"));
    assert_eq!(refused.problem.code, ErrorCode::Internal);
}

#[test]
fn who_is_too_young_hears_what_helps_for_that_very_act() {
    let until = Timestamp::from_seconds(1_800_000_000);
    let said = |what| next_step(&Refusal::Probation { until, what });
    assert!(said(Young::RevokeDevice).contains("suspending it works at once"));
    for what in [Young::RemovePasskey, Young::Unfreeze, Young::ReplaceCodes] {
        assert!(!said(what).contains("suspend"), "{}", said(what));
    }
    assert!(said(Young::Unfreeze).contains("end the freeze from 2027-01-15T08:00:00Z"));
    assert!(!said(Young::RemovePasskey).contains("administrator"), "who removes none of others");
}

#[test]
fn a_guardian_is_told_that_the_word_is_young_and_not_the_passkey() {
    let until = Timestamp::from_seconds(1_800_000_000);
    let said = of_refusal(&Refusal::Probation { until, what: Young::Vouch });
    assert_eq!((said.code, said.title.contains("passkey")), (ErrorCode::Probation, false));
}

#[test]
fn each_thing_is_said_once_and_in_the_units_of_people() {
    let frozen = next_step(&Refusal::AccountFrozen);
    assert_eq!(frozen.matches("landfall unfreeze").count(), 1, "{frozen}");
    let limited = next_step(&Refusal::RateLimited { retry_after: Seconds(600) });
    assert_eq!(limited, "Wait 10 minutes, then try again.");
}

#[test]
fn what_shares_a_code_with_another_reason_is_said_as_what_it_is() {
    let oneself = of_refusal(&Refusal::FreezeOneself);
    assert_eq!(oneself.code, ErrorCode::LastAdmin);
    assert!(!oneself.title.contains("Nobody"), "{}", oneself.title);
    assert!(oneself.detail.contains("landfall freeze."), "{}", oneself.detail);
    let place = of_refusal(&Refusal::PlaceBusy { retry_after: Seconds(3600) });
    assert_eq!((place.code, place.retry_after_seconds), (ErrorCode::RateLimited, Some(3600)));
    assert!(place.detail.contains("wait 60 minutes"), "{}", place.detail);
}

#[test]
fn rules_become_sentences() {
    assert_eq!(sentence("it is empty"), "It is empty.");
    let rule = landfall_identity::secret::SecretName::parse("a/../b").unwrap_err();
    assert!(sentence(&rule.to_string()).ends_with("no part of it is '.' or '..'."), "{rule}");
}
