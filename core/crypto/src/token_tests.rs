use super::*;
use crate::ambient::SystemRandom;
use proptest::prelude::*;

fn payload() -> TokenPayload {
    TokenPayload {
        id: TokenId::from_bits([5; 16]),
        kind: TokenKind::Device,
        url: Url::parse("https://id.example.org:8443").unwrap(),
        trust: Trust::Pin([9; 32]),
        tenant: TenantName::parse("home").unwrap(),
        user: Some(UserName::parse("bert").unwrap()),
        device: Some(DeviceName::parse("bert-laptop").unwrap()),
        exp: Timestamp::from_seconds(1_800_000_000),
        vault: true,
        role: None,
    }
}

fn token(payload: TokenPayload) -> TokenText {
    TokenText { payload, secret: DoorSecret::generate(&SystemRandom) }
}

fn refusal(text: &str) -> TokenError {
    TokenText::parse(text).err().expect("it is refused")
}

/// A text with a right checksum, whatever the payload says.
fn sealed(json: &str, secret: &[u8]) -> String {
    let (payload, secret) =
        (BASE64URL_NOPAD.encode(json.as_bytes()), BASE64URL_NOPAD.encode(secret));
    let body = format!("lf1.{payload}.{secret}");
    format!("{body}.{}", checksum(&body))
}

#[test]
fn a_token_reads_as_it_was_printed() {
    let token = token(payload());
    let read = TokenText::parse(&token.print().unwrap()).unwrap();
    assert_eq!(read.payload, token.payload);
    assert_eq!(read.secret.expose(), token.secret.expose());
}

#[test]
fn white_space_of_a_paste_is_forgiven() {
    let token = token(payload());
    let text = token.print().unwrap();
    let wrapped: Vec<&str> =
        text.as_bytes().chunks(40).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pasted = format!("\u{FEFF} \t{}\r\n\u{200B} ", wrapped.join("\r\n   "));
    assert_eq!(TokenText::parse(&pasted).unwrap().payload, token.payload);
}

#[test]
fn every_fault_has_its_own_answer() {
    let text = token(payload()).print().unwrap();
    assert_eq!(refusal(" \r\n\u{FEFF}"), TokenError::Empty);
    assert_eq!(refusal("hello"), TokenError::NotAToken);
    assert_eq!(refusal("https://id.example.org/"), TokenError::NotAToken);
    assert_eq!(refusal(&text.replacen("lf1", "lf2", 1)), TokenError::OtherVersion);
    assert_eq!(refusal("lf1"), TokenError::CutShort);
    assert_eq!(refusal("lf1.e30"), TokenError::CutShort);
    assert_eq!(refusal(text.rsplit_once('.').unwrap().0), TokenError::CutShort);
    assert_eq!(refusal(&text[..text.len() - 1]), TokenError::Checksum);
    assert_eq!(refusal(&format!("{}x", text.as_str())), TokenError::Checksum);
    assert_eq!(refusal(&"a".repeat(TOKEN_MAX + 1)), TokenError::TooLong);
    assert_eq!(refusal(&" ".repeat(PASTE_MAX + 1)), TokenError::TooLong);
}

#[test]
fn an_unknown_field_or_a_nonsense_value_is_refused() {
    let json = serde_json::to_string(&payload()).unwrap();
    assert!(TokenText::parse(&sealed(&json, &[1; 32])).is_ok(), "the frame itself is right");
    let broken = [
        json.replacen('{', r#"{"admin":true,"#, 1),
        json.replace("https://", "http://"),
        json.replace("8443/", "8443/path"),
        json.replace("https://", "https://user@"),
        json.replace("pin:", "pim:"),
        json.replace(r#""kind":"device""#, r#""kind":"root""#),
        json.replace(r#""user":"bert","#, ""),
        json.replace(r#""device":"bert-laptop","#, ""),
        json.replace("bert-laptop", "Bert%20"),
        json.replace(r#""kind":"device""#, r#""kind":"claim""#),
        json.replace(r#""vault":true"#, r#""vault":1"#),
        "null".into(),
        format!("{json}{json}"),
    ];
    for json in broken {
        assert!(matches!(refusal(&sealed(&json, &[1; 32])), TokenError::Malformed(_)), "{json}");
    }
    assert!(matches!(refusal(&sealed(&json, &[1; 31])), TokenError::Malformed(_)));
}

#[test]
fn a_token_that_nobody_could_read_is_not_printed() {
    let mut nameless = payload();
    nameless.user = None;
    assert!(matches!(token(nameless).print(), Err(TokenError::Malformed(_))));
    let mut claim = payload();
    claim.kind = TokenKind::Claim;
    assert!(matches!(token(claim.clone()).print(), Err(TokenError::Malformed(_))), "vault");
    claim.vault = false;
    assert!(token(claim).print().is_ok());
}

proptest! {
    #[test]
    fn one_changed_character_is_noticed(place in any::<prop::sample::Index>(), with in "[A-Za-z0-9_.-]") {
        let token = token(payload());
        let text = token.print().unwrap();
        let at = place.index(text.len());
        prop_assume!(text[at..=at] != with);
        let mut changed = text.to_string();
        changed.replace_range(at..=at, &with);
        prop_assert!(TokenText::parse(&changed).is_err());
    }

    #[test]
    fn a_token_that_was_cut_anywhere_is_noticed(place in any::<prop::sample::Index>()) {
        let text = token(payload()).print().unwrap();
        prop_assert!(TokenText::parse(&text[..place.index(text.len())]).is_err());
    }

    #[test]
    fn no_text_breaks_the_reader(text in "(lf1\\.)?.{0,200}") {
        let _ = TokenText::parse(&text);
    }

    #[test]
    fn every_payload_survives(
        user in "[a-z0-9]{1,64}", device in "[a-z0-9]{1,64}", exp in 0i64..=253_402_300_799,
        vault in any::<bool>(), bits in any::<[u8; 16]>(), pin in proptest::option::of(any::<[u8; 32]>()),
    ) {
        let payload = TokenPayload {
            id: TokenId::from_bits(bits),
            user: Some(UserName::parse(user).unwrap()),
            device: Some(DeviceName::parse(device).unwrap()),
            exp: Timestamp::from_seconds(exp),
            trust: pin.map_or(Trust::WebPki, Trust::Pin),
            vault,
            ..payload()
        };
        let text = token(payload.clone()).print().unwrap();
        prop_assert_eq!(TokenText::parse(&text).unwrap().payload, payload);
    }
}
