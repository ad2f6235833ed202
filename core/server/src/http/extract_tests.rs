use super::*;
use http::HeaderValue;
use landfall_protocol::ceremony::StepUpBeginRequest;
use landfall_protocol::enroll::TokenIssueRequest;
use landfall_protocol::passkey::RenameRequest;
use landfall_protocol::session::SessionOpenRequest;
use proptest::prelude::*;

fn refused<T: DeserializeOwned>(text: &str) -> (ErrorCode, Option<String>, String) {
    let Err(refused) = parse_json::<T>(text.as_bytes()) else { panic!("{text} was taken") };
    (refused.problem.code, refused.problem.field.clone(), refused.problem.detail.clone())
}

#[test]
fn what_is_not_json_says_where() {
    for text in ["", "{", "[]]", "{}{}", "{\"label\":\"a\"} x", "nul"] {
        let (code, _, detail) = refused::<SessionOpenRequest>(text);
        if code == ErrorCode::MalformedRequest {
            assert!(detail.contains("line 1"), "{text}: {detail}");
        }
    }
    assert_eq!(refused::<RenameRequest>("{\"label\":").0, ErrorCode::MalformedRequest);
    assert_eq!(refused::<SessionOpenRequest>("{} {}").0, ErrorCode::MalformedRequest);
}

#[test]
fn a_field_that_is_wrong_is_named() {
    let (code, field, _) = refused::<RenameRequest>(r#"{"label":"a","lable":"b"}"#);
    assert_eq!((code, field.as_deref()), (ErrorCode::UnknownField, Some("lable")));
    let (code, field, _) = refused::<RenameRequest>("{}");
    assert_eq!((code, field.as_deref()), (ErrorCode::InvalidField, Some("label")));
    let (_, field, detail) = refused::<RenameRequest>(r#"{"label":7}"#);
    assert_eq!((field.as_deref(), detail.as_str()), (Some("label"), "Send a string here."));
    let (_, field, detail) = refused::<RenameRequest>(r#"{"label":" "}"#);
    assert_eq!((field.as_deref(), detail.as_str()), (Some("label"), "It is empty."));
    let (_, field, _) = refused::<RenameRequest>(r#"{"label":"a","label":"b"}"#);
    assert_eq!(field.as_deref(), Some("label"));
}

#[test]
fn a_number_that_is_out_of_bounds_is_told_them() {
    let begin = |port: &str| {
        format!(
            r#"{{"return_path":{{"by":"loopback","port":{port},"path":"a-long-enough-path"}}}}"#
        )
    };
    for port in ["99999", "-1", "\"80\""] {
        let (_, field, detail) = refused::<StepUpBeginRequest>(&begin(port));
        assert!(field.is_some_and(|field| field.starts_with("return_path")), "{port}");
        assert_eq!(detail, "It must be a whole number from 0 to 65535.", "{port}");
    }
}

#[test]
fn nothing_that_was_sent_comes_back() {
    let value = "s3cret`, expected `x";
    let text = serde_json::json!({ "kind": value, "user": "a", "auth_hash": "b" }).to_string();
    let (_, _, detail) = refused::<TokenIssueRequest>(&text);
    assert!(!detail.contains("s3cret"), "{detail}");
    let text = "{\"<script>alert(1)</script>\\u0007\":1}";
    let (_, field, _) = refused::<SessionOpenRequest>(text);
    assert!(field.unwrap().bytes().all(|b| b.is_ascii_graphic()));
}

#[test]
fn an_inner_unknown_field_is_refused_too() {
    let text =
        r#"{"return_path":{"by":"typed"},"act":{"act":"remove-passkey","passkey":"0","x":1}}"#;
    let (code, ..) = refused::<StepUpBeginRequest>(text);
    assert!(matches!(code, ErrorCode::UnknownField | ErrorCode::InvalidField));
}

#[test]
fn one_bearer_token_or_none() {
    let headers = |values: &[&'static str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        headers
    };
    assert!(matches!(bearer(&headers(&[])), Ok(None)));
    assert!(matches!(bearer(&headers(&["Bearer abc"])), Ok(Some(token)) if token == "abc"));
    for wrong in [&["Basic abc"][..], &["Bearer "], &["Bearer"], &["Bearer a", "Bearer b"]] {
        assert!(bearer(&headers(wrong)).is_err(), "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn no_body_makes_the_reader_fall(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        let _ = parse_json::<TokenIssueRequest>(&bytes);
        let _ = parse_json::<StepUpBeginRequest>(&bytes);
    }

    #[test]
    fn a_detail_quotes_no_value(value in "[a-z]{12}") {
        let text = format!(r#"{{"kind":"{value}","user":"a","auth_hash":"b"}}"#);
        let (_, _, detail) = refused::<TokenIssueRequest>(&text);
        prop_assert!(!detail.contains(&value));
    }
}
