//! Everything that is parsed from text: it takes what the grammar says, prints it unchanged, and takes
//! nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use landfall_identity::id::{ID_LENGTH, TokenId};
use landfall_identity::name::{LABEL_MAX, NAME_MAX};
use landfall_identity::secret::{SECRET_NAME_MAX, SecretName};
use landfall_identity::spiffe::{PrincipalKind, SPIFFE_ID_MAX, SpiffeError};
use landfall_identity::{
    DeviceName, Label, Principal, SpiffeId, TenantName, TrustDomain, UserName,
};
use proptest::prelude::*;
use serde_json::Value;

const NAME: &str = "[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?";
const SEGMENT: &str = "[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}";
const TRUST_DOMAIN: &str = "[a-z0-9._-]{1,255}";

/// A SPIFFE ID of each kind, with the kind.
fn spiffe_text() -> impl Strategy<Value = (PrincipalKind, String)> {
    let human = (TRUST_DOMAIN, NAME, NAME, NAME).prop_map(|(td, t, u, d)| {
        (PrincipalKind::Human, format!("spiffe://{td}/tenant/{t}/user/{u}/device/{d}"))
    });
    let device = (TRUST_DOMAIN, NAME, NAME).prop_map(|(td, t, d)| {
        (PrincipalKind::ProvisionedDevice, format!("spiffe://{td}/tenant/{t}/device/{d}"))
    });
    let workload = (TRUST_DOMAIN, NAME, SEGMENT, SEGMENT, SEGMENT).prop_map(|(td, t, s, n, c)| {
        let text = format!("spiffe://{td}/tenant/{t}/workload/{s}/ns/{n}/cluster/{c}");
        (PrincipalKind::Workload, text)
    });
    let agent = (TRUST_DOMAIN, NAME, SEGMENT, SEGMENT).prop_map(|(td, t, a, i)| {
        (PrincipalKind::Agent, format!("spiffe://{td}/tenant/{t}/agent/{a}/instance/{i}"))
    });
    prop_oneof![human, device, workload, agent]
}

/// Whether a text is a name, told without the code under test.
fn is_name(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c.is_ascii_lowercase());
    let inside = |c: char| edge(Some(c)) || "._-".contains(c);
    text.chars().count() <= 64
        && edge(text.chars().next())
        && edge(text.chars().last())
        && text.chars().all(inside)
}

proptest! {
    #[test]
    fn a_spiffe_id_of_every_kind_is_taken_and_printed_unchanged((kind, text) in spiffe_text()) {
        let id = SpiffeId::parse(&text).unwrap();
        prop_assert_eq!(id.principal.kind(), kind);
        prop_assert_eq!(id.to_string(), text.as_str());
        let json = serde_json::to_string(&id).unwrap();
        prop_assert_eq!(serde_json::from_str::<SpiffeId>(&json).unwrap(), id);
    }

    /// One character put in, taken out or replaced gives another valid ID, told apart, or none.
    #[test]
    fn no_two_texts_are_one_spiffe_id(
        (_, text) in spiffe_text(),
        place in any::<prop::sample::Index>(),
        with in prop::option::of(any::<char>()),
        keep in any::<bool>(),
    ) {
        let mut characters: Vec<char> = text.chars().collect();
        let place = place.index(characters.len());
        match (with, keep) {
            (Some(with), true) => characters.insert(place, with),
            (Some(with), false) => characters[place] = with,
            (None, _) => { characters.remove(place); }
        }
        let changed: String = characters.into_iter().collect();
        if let Ok(id) = SpiffeId::parse(&changed) {
            prop_assert_eq!(id.to_string(), changed.as_str());
            prop_assert!(changed == text || id != SpiffeId::parse(&text).unwrap());
        }
    }

    #[test]
    fn what_is_parsed_is_what_is_printed(text in "\\PC*") {
        if let Ok(id) = SpiffeId::parse(&text) {
            prop_assert_eq!(id.to_string(), text.as_str());
        }
        if let Ok(id) = TokenId::parse(text.as_str()) {
            prop_assert_eq!(id.as_str(), text.as_str());
        }
    }

    #[test]
    fn a_name_is_what_the_grammar_says(text in "[a-zA-Z0-9._/%é -]{0,70}") {
        prop_assert_eq!(UserName::parse(text.as_str()).is_ok(), is_name(&text));
        prop_assert_eq!(TenantName::parse(text.as_str()).is_ok(), is_name(&text));
        prop_assert_eq!(DeviceName::parse(text.as_str()).is_ok(), is_name(&text));
    }

    #[test]
    fn every_name_of_the_grammar_is_taken(text in NAME) {
        prop_assert!(text.len() <= NAME_MAX);
        let name = UserName::parse(text.as_str()).unwrap();
        prop_assert_eq!(name.as_str(), text.as_str());
    }

    #[test]
    fn a_label_is_shown_as_it_was_given_or_refused(text in any::<String>()) {
        if let Ok(label) = Label::parse(text.as_str()) {
            prop_assert_eq!(label.as_str(), text.as_str());
            prop_assert!(text.chars().count() <= LABEL_MAX);
            prop_assert!(!text.chars().any(char::is_control));
        }
    }

    #[test]
    fn a_secret_name_is_what_the_grammar_says(text in "[A-Za-z0-9._/%@ -]{0,130}") {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
        let fits = (1..=SECRET_NAME_MAX).contains(&text.len())
            && text.chars().all(plain)
            && text.split('/').all(|part| part != "." && part != "..");
        prop_assert_eq!(SecretName::parse(text.as_str()).is_ok(), fits);
    }

    #[test]
    fn an_identifier_is_its_bits(bits in any::<[u8; 16]>()) {
        let id = TokenId::from_bits(bits);
        prop_assert_eq!(id.as_str().len(), ID_LENGTH);
        prop_assert_eq!(TokenId::parse(id.as_str()), Ok(id));
    }
}

#[test]
fn the_longest_of_every_part_still_fits() {
    let (domain, name, segment) = ("d".repeat(255), "n".repeat(NAME_MAX), "s".repeat(253));
    let text = format!(
        "spiffe://{domain}/tenant/{name}/workload/{segment}/ns/{segment}/cluster/{segment}"
    );
    assert!(text.len() <= SPIFFE_ID_MAX);
    assert!(SpiffeId::parse(&text).is_ok());
    let long = format!("spiffe://td/tenant/{name}/device/{}", "d".repeat(SPIFFE_ID_MAX));
    assert_eq!(SpiffeId::parse(&long), Err(SpiffeError::TooLong));
    assert!(TrustDomain::parse("d".repeat(256)).is_err());
}

fn names(principal: &Principal) -> Vec<&str> {
    match principal {
        Principal::Human { tenant, user, device } => {
            vec![tenant.as_str(), user.as_str(), device.as_str()]
        }
        Principal::ProvisionedDevice { tenant, device } => vec![tenant.as_str(), device.as_str()],
        Principal::Workload { tenant, service_account, namespace, cluster } => {
            vec![tenant.as_str(), service_account.as_str(), namespace.as_str(), cluster.as_str()]
        }
        Principal::Agent { tenant, name, instance } => {
            vec![tenant.as_str(), name.as_str(), instance.as_str()]
        }
    }
}

fn reason(error: SpiffeError) -> &'static str {
    match error {
        SpiffeError::TooLong => "too-long",
        SpiffeError::Scheme => "scheme",
        SpiffeError::TrustDomain => "trust-domain",
        SpiffeError::Segment => "segment",
        SpiffeError::Kind => "kind",
    }
}

#[test]
fn the_vectors_of_spiffe_ids_hold() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/spiffe.json")).unwrap();
    let text = |case: &Value, field: &str| case[field].as_str().unwrap().to_owned();
    for case in vectors["valid"].as_array().unwrap() {
        let id = SpiffeId::parse(&text(case, "text")).unwrap();
        assert_eq!(id.to_string(), text(case, "text"));
        assert_eq!(id.trust_domain.as_str(), text(case, "trust_domain"));
        assert_eq!(serde_json::to_value(id.principal.kind()).unwrap(), case["kind"]);
        assert_eq!(serde_json::to_value(names(&id.principal)).unwrap(), case["names"]);
    }
    for case in vectors["invalid"].as_array().unwrap() {
        let error = SpiffeId::parse(&text(case, "text")).unwrap_err();
        assert_eq!(reason(error), text(case, "reason"), "{case}");
    }
}
