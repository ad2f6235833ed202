use super::super::tests::{NOW, POST, arrive, authorities, demands, pair, signed};
use super::super::{AgentKeyPair, Algorithm, SignedFields, Signs};
use super::*;
use crate::aauth::AgentSigner;
use crate::key::Signer;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use proptest::prelude::*;

fn try_read(request: &Request<'_>, profile: Profile) -> Result<Unverified, FaultCode> {
    let authorities = authorities();
    read(request, &demands(&authorities, profile), NOW).map_err(|fault| fault.code)
}

/// The outcome of reading and verifying with the key that `hwk` carries.
fn outcome(request: &Request<'_>, profile: Profile) -> Result<(), FaultCode> {
    let unverified = try_read(request, profile)?;
    let KeySource::Hwk { key } = unverified.source() else { panic!("another source") };
    unverified.verify(key, None).map(drop).map_err(|fault| fault.code)
}

fn both(request: &Request<'_>) -> [Result<(), FaultCode>; 2] {
    [outcome(request, Profile::Compatible), outcome(request, Profile::Strict)]
}

fn hwk(key: &AgentKeyPair) -> KeySource {
    KeySource::Hwk { key: key.public_key() }
}

/// A request signed by hand: its parameters as given, byte for byte.
fn by_hand(
    request: &Request<'_>,
    key: &AgentKeyPair,
    parameters: &str,
    encode: impl Fn(&[u8]) -> String,
) -> SignedFields {
    let signature_key = hwk(key).member("sig").unwrap();
    let mut fields = request.fields.to_vec();
    fields.push(("signature-key", &signature_key));
    let request = Request { fields: &fields, ..*request };
    let (list, _) = parameters.split_once(')').unwrap();
    let names: Vec<_> = list.split('"').skip(1).step_by(2).collect();
    let lines = lines(&request, &names).unwrap();
    let base = base(&lines, parameters);
    let signature = key.sign_as(Signs::Request, base.as_bytes()).unwrap();
    SignedFields {
        signature_input: format!("sig={parameters}"),
        signature: format!("sig=:{}:", encode(signature.bytes())),
        signature_key,
        content_digest: None,
    }
}

fn plain_parameters(rest: &str) -> String {
    format!(r#"("@method" "@authority" "@path" "signature-key");{rest}"#)
}

const GET: Request<'_> = Request { method: "GET", body: b"", ..POST };

fn outcomes(
    request: &Request<'_>,
    parameters: &str,
    encode: impl Fn(&[u8]) -> String,
) -> [Result<(), FaultCode>; 2] {
    let key = pair(Algorithm::Ed25519);
    let signed = by_hand(request, &key, parameters, encode);
    let fields = arrive(request, &signed);
    both(&Request { fields: &fields, ..*request })
}

fn plain(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

#[test]
fn the_text_that_was_sent_is_what_was_signed_whatever_its_spacing() {
    let created = NOW.seconds();
    for parameters in [
        plain_parameters(&format!("created={created}")),
        format!(r#"( "@path"   "@method" "signature-key"  "@authority" ); created={created}"#),
        plain_parameters(&format!(r#"created={created};alg="rsa-v1_5-sha256";nonce="n";tag="t""#)),
        plain_parameters(&format!("expires={};created={created}", created + 1)),
    ] {
        assert_eq!(outcomes(&GET, &parameters, plain), [Ok(()), Ok(())], "{parameters}");
    }
}

#[test]
fn signatures_are_read_in_either_alphabet_where_older_clients_are_taken() {
    let parameters = plain_parameters(&format!("created={}", NOW.seconds()));
    let url = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    // Whatever the bytes, one of a few signatures holds a character in which the alphabets differ.
    let strict_refused = (0..20).any(|_| {
        let [compatible, strict] = outcomes(&GET, &parameters, url);
        assert_eq!(compatible, Ok(()));
        strict == Err(FaultCode::InvalidRequest)
    });
    assert!(strict_refused);
}

#[test]
fn der_is_taken_from_older_clients_alone() {
    let key = pair(Algorithm::Es256);
    let AgentKeyPair::Es256(inner) = &key else { panic!("another algorithm") };
    let signed = signed(&GET, &hwk(&key), &key);
    let fields = arrive(&GET, &signed);
    let request = Request { fields: &fields, ..GET };
    let unverified = try_read(&request, Profile::Strict).unwrap();
    let der = inner.sign(unverified.bases[0].as_bytes()).unwrap().to_der();
    let in_der = SignedFields { signature: format!("sig=:{}:", plain(&der)), ..signed };
    let fields = arrive(&GET, &in_der);
    let request = Request { fields: &fields, ..GET };
    assert_eq!(both(&request), [Ok(()), Err(FaultCode::InvalidSignature)]);
}

#[test]
fn time_is_a_window_and_expires_is_honoured() {
    let at = |offset: i64| {
        let parameters = plain_parameters(&format!("created={}", NOW.seconds() + offset));
        outcomes(&GET, &parameters, plain)
    };
    for near in [-60, 0, 60] {
        assert_eq!(at(near), [Ok(()), Ok(())], "{near}");
    }
    assert_eq!(at(-61), [Err(FaultCode::InvalidSignature); 2]);
    assert_eq!(at(61), [Err(FaultCode::ClockSkew); 2]);
    let created = NOW.seconds();
    for (rest, code) in [
        (format!("created={created};expires={created}"), FaultCode::InvalidSignature),
        (format!("created={created};expires=\"x\""), FaultCode::InvalidRequest),
        (format!("created={created};keyid=7"), FaultCode::InvalidRequest),
        ("created=\"x\"".to_owned(), FaultCode::InvalidRequest),
        ("created=1.5".to_owned(), FaultCode::InvalidRequest),
        ("created=-999999999999999".to_owned(), FaultCode::InvalidSignature),
        ("created=999999999999999".to_owned(), FaultCode::ClockSkew),
        ("alg=\"ed25519\"".to_owned(), FaultCode::InvalidRequest),
    ] {
        assert_eq!(outcomes(&GET, &plain_parameters(&rest), plain), [Err(code); 2], "{rest}");
    }
}

#[test]
fn what_must_be_covered_is_named_when_it_is_not() {
    let created = NOW.seconds();
    for missing in REQUIRED {
        let names = REQUIRED.into_iter().filter(|name| *name != missing);
        let names: Vec<_> = names.map(|name| format!("\"{name}\"")).collect();
        let parameters = format!("({});created={created}", names.join(" "));
        assert_eq!(outcomes(&GET, &parameters, plain), [Err(FaultCode::InvalidInput); 2]);
    }
    let fields = [GET.fields, &[("Authorization", "Bearer x")]].concat();
    let request = Request { fields: &fields, ..GET };
    let parameters = plain_parameters(&format!("created={created}"));
    assert_eq!(outcomes(&request, &parameters, plain), [Err(FaultCode::InvalidInput); 2]);
    let parameters = format!(
        r#"("@method" "@authority" "@path" "signature-key" "authorization");created={created}"#
    );
    assert_eq!(outcomes(&request, &parameters, plain), [Ok(()); 2]);
    // Twice, with a parameter, unknown, or not there.
    for extra in [r#""@path""#, r#""date";sf"#, r#""@status""#, r#""date""#] {
        let parameters = format!(
            r#"("@method" "@authority" "@path" "signature-key" {extra});created={created}"#
        );
        let key = pair(Algorithm::Ed25519);
        let mut signed = by_hand(&GET, &key, &plain_parameters("created=1"), plain);
        signed.signature_input = format!("sig={parameters}");
        let fields = arrive(&GET, &signed);
        let request = Request { fields: &fields, ..GET };
        assert_eq!(both(&request), [Err(FaultCode::InvalidInput); 2], "{extra}");
    }
}

#[test]
fn a_body_is_covered_where_that_is_demanded_and_a_digest_always_checked() {
    let parameters = plain_parameters(&format!("created={}", NOW.seconds()));
    assert_eq!(outcomes(&POST, &parameters, plain), [Ok(()), Err(FaultCode::InvalidInput)]);
    let key = pair(Algorithm::Ed25519);
    let signed = by_hand(&POST, &key, &parameters, plain);
    let fields = arrive(&POST, &signed);
    let authorities = authorities();
    let demanding = Demands { digest: true, ..demands(&authorities, Profile::Compatible) };
    let fault = read(&Request { fields: &fields, ..POST }, &demanding, NOW).unwrap_err();
    let required =
        ["@method", "@authority", "@path", "signature-key", "content-type", "content-digest"];
    assert_eq!(fault.required_input, required);

    let sha512 = format!("sha-512=:{}:", plain(digest(&SHA512, b"{}").as_ref()));
    let sha256 = "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:".to_owned();
    let lenient = sha256.replace('+', "-").replace("o=:", "o:");
    let other = format!("sha-256=:{}:", plain(&[7; 32]));
    for (digest, code) in [
        (sha256.clone(), None),
        (sha512.clone(), None),
        (format!("{sha256}, {sha512}"), None),
        (lenient, None),
        (other.clone(), Some(FaultCode::InvalidSignature)),
        (format!("{other}, {sha512}"), Some(FaultCode::InvalidSignature)),
        ("md5=:AAAA:".to_owned(), Some(FaultCode::InvalidSignature)),
        ("sha-256=7".to_owned(), Some(FaultCode::InvalidSignature)),
        ("sha-256=:".to_owned(), Some(FaultCode::InvalidRequest)),
    ] {
        let fields = [POST.fields, &[("Content-Digest", digest.as_str())]].concat();
        let request = Request { fields: &fields, ..POST };
        let [compatible, _] = outcomes(&request, &parameters, plain);
        assert_eq!(compatible.err(), code, "{digest}");
    }
}

#[test]
fn nothing_else_of_the_request_may_change() {
    let key = pair(Algorithm::Es256);
    let signed = signed(&POST, &hwk(&key), &key);
    let fields = arrive(&POST, &signed);
    let request = Request { fields: &fields, ..POST };
    assert_eq!(both(&request), [Ok(()); 2]);
    let here = "127.0.0.1:18901";
    for changed in [
        Request { method: "PUT", ..request },
        Request { path: "/enrol", ..request },
        Request { authority: here, ..request },
        Request { body: b"{ }", ..request },
        Request { authority: "evil.example.org", ..request },
        Request { authority: "id.example.org:80", ..request },
    ] {
        assert_eq!(both(&changed), [Err(FaultCode::InvalidSignature); 2], "{changed:?}");
    }
    for unsigned in ["signature", "signature-input", "signature-key"] {
        let fields: Vec<_> = fields
            .iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case(unsigned))
            .copied()
            .collect();
        let request = Request { fields: &fields, ..POST };
        assert_eq!(both(&request), [Err(FaultCode::InvalidRequest); 2], "{unsigned}");
    }
    let forged = Request { path: "/a\n\"@method\": GET", ..request };
    assert_eq!(both(&forged), [Err(FaultCode::InvalidRequest); 2]);
}

#[test]
fn labels_agree_and_keys_cannot_be_swapped_between_them() {
    let (a, b) = (pair(Algorithm::Ed25519), pair(Algorithm::Ed25519));
    let (first, second) = (signed(&GET, &hwk(&a), &a), signed(&GET, &hwk(&b), &b));
    let relabel = |text: &str, label: &str| text.replacen("sig", label, 1);
    let two = |x: &str, y: &str| format!("{}, {}", relabel(x, "s1"), relabel(y, "s2"));
    let swapped = SignedFields {
        signature_key: two(&second.signature_key, &first.signature_key),
        signature_input: two(&first.signature_input, &second.signature_input),
        signature: two(&first.signature, &second.signature),
        content_digest: None,
    };
    let fields = arrive(&GET, &swapped);
    let request = Request { fields: &fields, ..GET };
    assert_eq!(both(&request), [Err(FaultCode::InvalidSignature); 2]);
    let other = SignedFields { signature: relabel(&first.signature, "other"), ..first.clone() };
    let fields = arrive(&GET, &other);
    let request = Request { fields: &fields, ..GET };
    assert_eq!(both(&request), [Err(FaultCode::InvalidRequest); 2]);
    let twice = SignedFields {
        signature_key: format!("{}, {}", first.signature_key, second.signature_key),
        ..first
    };
    let fields = arrive(&GET, &twice);
    let request = Request { fields: &fields, ..GET };
    assert_eq!(both(&request), [Err(FaultCode::InvalidRequest); 2]);
}

#[test]
fn other_members_are_let_be_and_only_other_schemes_are_unsupported() {
    let key = pair(Algorithm::Ed25519);
    let mine = signed(&GET, &hwk(&key), &key);
    // Signed over the whole field, so that the member of another label is covered too.
    let beside = SignedFields {
        signature_key: format!(r#"x=brand-new;???, {}"#, mine.signature_key),
        ..mine.clone()
    };
    let fields = arrive(&GET, &beside);
    let request = Request { fields: &fields, ..GET };
    let unverified = try_read(&request, Profile::Strict).unwrap();
    assert_eq!((unverified.label(), unverified.covers("@path")), ("sig", true));
    assert!(unverified.verify(&key.public_key(), None).is_err(), "the field itself is signed");

    let x509 = SignedFields { signature_key: r#"sig=x509;x5u="u""#.to_owned(), ..mine.clone() };
    let fields = arrive(&GET, &x509);
    let request = Request { fields: &fields, ..GET };
    let authorities = authorities();
    let demands = Demands { schemes: &[Scheme::Jwt], ..demands(&authorities, Profile::Compatible) };
    let fault = read(&request, &demands, NOW).unwrap_err();
    assert_eq!((fault.code, fault.schemes), (FaultCode::UnsupportedScheme, vec![Scheme::Jwt]));
    let fields = arrive(&GET, &mine);
    let fault = read(&Request { fields: &fields, ..GET }, &demands, NOW).unwrap_err();
    assert_eq!(fault.code, FaultCode::UnsupportedScheme);
}

#[test]
fn keyid_names_the_same_key_or_the_signature_is_none() {
    let key = pair(Algorithm::Ed25519);
    for (keyid, accepted) in [
        (key.public_key().thumbprint().to_string(), true),
        ("k1".to_owned(), true),
        ("k2".to_owned(), false),
    ] {
        let parameters = plain_parameters(&format!(r#"created={};keyid="{keyid}""#, NOW.seconds()));
        let signed = by_hand(&GET, &key, &parameters, plain);
        let fields = arrive(&GET, &signed);
        let unverified = try_read(&Request { fields: &fields, ..GET }, Profile::Strict).unwrap();
        let verified = unverified.verify(&key.public_key(), Some("k1"));
        assert_eq!(verified.is_ok(), accepted, "{keyid}");
    }
}

#[test]
fn the_query_may_lack_its_mark_where_older_clients_are_taken() {
    let request = Request { query: Some("a=1"), ..GET };
    let key = pair(Algorithm::Ed25519);
    let parameters = format!(
        r#"("@method" "@authority" "@path" "@query" "signature-key");created={}"#,
        NOW.seconds()
    );
    let good = by_hand(&request, &key, &parameters, plain);
    let fields = arrive(&request, &good);
    let arrived = Request { fields: &fields, ..request };
    assert_eq!(both(&arrived), [Ok(()); 2]);
    let base = try_read(&arrived, Profile::Strict).unwrap().bases.remove(0);
    let bare = base.replace("\"@query\": ?a=1", "\"@query\": a=1");
    let signature = key.sign(bare.as_bytes()).unwrap();
    let bare = SignedFields { signature: format!("sig=:{}:", plain(signature.bytes())), ..good };
    let fields = arrive(&request, &bare);
    let arrived = Request { fields: &fields, ..request };
    assert_eq!(both(&arrived), [Ok(()), Err(FaultCode::InvalidSignature)]);
}

#[test]
fn authorities_are_spelt_in_one_way() {
    for (host, https, authority) in [
        ("ID.Example.org", true, "id.example.org"),
        ("id.example.org:443", true, "id.example.org"),
        ("id.example.org:443", false, "id.example.org:443"),
        ("id.example.org:80", false, "id.example.org"),
        ("127.0.0.1:18901", false, "127.0.0.1:18901"),
    ] {
        assert_eq!(normal_authority(host, https), authority);
    }
}

proptest! {
    #[test]
    fn no_text_of_a_field_stops_the_reader(
        key in ".{0,120}", input in ".{0,120}", signature in ".{0,120}", digest in ".{0,60}",
    ) {
        let fields = [
            ("signature-key", key.as_str()),
            ("signature-input", input.as_str()),
            ("signature", signature.as_str()),
            ("content-digest", digest.as_str()),
        ];
        let request = Request { fields: &fields, ..POST };
        for profile in [Profile::Compatible, Profile::Strict] {
            prop_assert!(try_read(&request, profile).is_err());
        }
    }
}
