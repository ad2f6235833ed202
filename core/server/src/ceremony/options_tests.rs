use super::*;

fn ask(attachment: Attachment, resident: bool, exclude: Vec<Vec<u8>>) -> (Value, Value) {
    let asked = Asked { nonce: &[3; 32], act: b"act" };
    let handle = Uuid::from_bytes([9; 16]);
    let registration = Registration { handle, user: "bert", attachment, resident, exclude };
    let question =
        RelyingParty::local(8421).unwrap().ask_to_register(&asked, registration).unwrap();
    let parse = |text: &str| serde_json::from_str(text).unwrap();
    (parse(&question.options), parse(&question.expectation))
}

#[test]
fn what_the_browser_is_asked_is_what_the_answer_is_checked_against() {
    for (attachment, asked, word, resident, required, hint) in [
        (Attachment::Platform, false, "platform", "required", true, "client-device"),
        (Attachment::Roaming, false, "cross-platform", "preferred", false, "security-key"),
        (Attachment::Roaming, true, "cross-platform", "required", true, "security-key"),
    ] {
        let (options, expectation) = ask(attachment, asked, vec![vec![1, 2, 3]]);
        let selection = &options["authenticatorSelection"];
        assert_eq!(selection["authenticatorAttachment"], word);
        assert_eq!(selection["residentKey"], resident);
        assert_eq!(selection["requireResidentKey"], required);
        assert_eq!(selection["userVerification"], "required");
        assert_eq!(options["attestation"], "direct");
        assert_eq!(options["hints"], json!([hint]));
        assert_eq!(options["excludeCredentials"][0]["id"], "AQID");
        assert_eq!(options["rp"], json!({ "id": "localhost", "name": "Landfall" }));
        assert_eq!(options["user"]["id"], BASE64URL_NOPAD.encode(&[9; 16]));
        assert_eq!(options["extensions"]["credProps"], true);
        let inner = &expectation["rs"];
        assert_eq!(inner["challenge"], options["challenge"]);
        assert_eq!(inner["authenticator_attachment"], word);
        assert_eq!(inner["require_resident_key"], required);
        assert_eq!(inner["policy"], "required");
    }
}

#[test]
fn purpose_nonce_and_act_are_in_the_challenge() {
    let nonce = [1; 32];
    let base = challenge(Purpose::StepUp, &Asked { nonce: &nonce, act: b"a" });
    assert_eq!(base, sha256_of(&[b"landfall/step-up/v1", &nonce, b"a"]));
    let others = [
        challenge(Purpose::Register, &Asked { nonce: &nonce, act: b"a" }),
        challenge(Purpose::Recover, &Asked { nonce: &nonce, act: b"a" }),
        challenge(Purpose::StepUp, &Asked { nonce: &[2; 32], act: b"a" }),
        challenge(Purpose::StepUp, &Asked { nonce: &nonce, act: b"b" }),
        challenge(Purpose::StepUp, &Asked { nonce: &nonce, act: b"" }),
    ];
    assert!(others.iter().all(|other| *other != base));
}

#[test]
fn who_recovers_is_asked_without_a_name() {
    let party = RelyingParty::local(8421).unwrap();
    let question = party.ask_to_recover(&Asked { nonce: &[3; 32], act: b"act" }).unwrap();
    let options: Value = serde_json::from_str(&question.options).unwrap();
    assert_eq!(options["allowCredentials"], json!([]));
    assert_eq!(options["userVerification"], "required");
    assert!(options.get("mediation").is_none(), "a button asks, not a form");
    let expectation: Value = serde_json::from_str(&question.expectation).unwrap();
    assert_eq!(expectation["ast"]["challenge"], options["challenge"]);
    assert_eq!(expectation["ast"]["policy"], "required");
}
