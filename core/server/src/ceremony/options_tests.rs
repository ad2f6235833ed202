use super::*;

fn ask(attachment: Attachment, exclude: Vec<Vec<u8>>) -> (Value, Value) {
    let asked = Asked { nonce: &[3; 32], act: b"act" };
    let registration =
        Registration { handle: Uuid::from_bytes([9; 16]), user: "bert", attachment, exclude };
    let question =
        RelyingParty::local(8421).unwrap().ask_to_register(&asked, registration).unwrap();
    let parse = |text: &str| serde_json::from_str(text).unwrap();
    (parse(&question.options), parse(&question.expectation))
}

#[test]
fn what_the_browser_is_asked_is_what_the_answer_is_checked_against() {
    for (attachment, word, resident, required, hint) in [
        (Attachment::Platform, "platform", "required", true, "client-device"),
        (Attachment::Roaming, "cross-platform", "preferred", false, "security-key"),
    ] {
        let (options, expectation) = ask(attachment, vec![vec![1, 2, 3]]);
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
        challenge(Purpose::StepUp, &Asked { nonce: &[2; 32], act: b"a" }),
        challenge(Purpose::StepUp, &Asked { nonce: &nonce, act: b"b" }),
        challenge(Purpose::StepUp, &Asked { nonce: &nonce, act: b"" }),
    ];
    assert!(others.iter().all(|other| *other != base));
}
