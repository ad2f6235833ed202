use super::*;
use crate::key::KeyPair;
use proptest::prelude::*;

const REQUEST: Request<'_> = Request {
    method: "POST",
    authority: "id.example.org:8443",
    path: "/auth/cert/renew",
    body: b"{}",
};

fn t(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn signed() -> (KeyPair, SignatureFields) {
    let key = KeyPair::generate().unwrap();
    let fields = sign_renewal(&REQUEST, t(1000), &key).unwrap();
    (key, fields)
}

fn check(key: &KeyPair, request: &Request<'_>, fields: &SignatureFields) -> Result<(), String> {
    let unverified = read_renewal(request, fields).map_err(|error| error.to_string())?;
    let verified = unverified.verify(&key.public_key(), t(1000));
    verified.map(drop).map_err(|error| error.to_string())
}

#[test]
fn a_signed_renewal_verifies_with_its_key() {
    let (key, fields) = signed();
    let unverified = read_renewal(&REQUEST, &fields).unwrap();
    assert_eq!(unverified.keyid(), &key.public_key().thumbprint());
    let verified = unverified.clone().verify(&key.public_key(), t(1000)).unwrap();
    assert_eq!(verified.created, t(1000));
    let other = KeyPair::generate().unwrap().public_key();
    assert_eq!(unverified.verify(&other, t(1000)), Err(VerifyError::Signature(BadSignature)));
}

#[test]
fn the_base_is_spelt_as_rfc_9421_spells_it() {
    let (key, fields) = signed();
    let keyid = key.public_key().thumbprint();
    let params = format!(
        "(\"@method\" \"@authority\" \"@path\" \"content-digest\")\
         ;created=1000;keyid=\"{keyid}\";tag=\"landfall-renew-v1\""
    );
    assert_eq!(fields.signature_input, format!("sig={params}"));
    assert_eq!(
        read_renewal(&REQUEST, &fields).unwrap().base,
        format!(
            "\"@method\": POST\n\"@authority\": id.example.org:8443\n\
             \"@path\": /auth/cert/renew\n\
             \"content-digest\": sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:\n\
             \"@signature-params\": {params}"
        )
    );
}

#[test]
fn the_window_is_a_minute_either_way_and_says_our_time() {
    let (key, fields) = signed();
    let unverified = read_renewal(&REQUEST, &fields).unwrap();
    let at = |now| unverified.clone().verify(&key.public_key(), now);
    for near in [t(940), t(1000), t(1060)] {
        assert!(at(near).is_ok(), "{near:?}");
    }
    for far in [t(939), t(1061), t(0), t(90_000_000)] {
        let skew = VerifyError::ClockSkew { created: t(1000), server_time: far };
        assert_eq!(at(far), Err(skew));
    }
}

#[test]
fn every_part_of_the_request_is_covered() {
    let (key, fields) = signed();
    assert_eq!(check(&key, &REQUEST, &fields), Ok(()));
    for other in [
        Request { method: "PUT", ..REQUEST },
        Request { authority: "id.example.org", ..REQUEST },
        Request { authority: "evil.example.org:8443", ..REQUEST },
        Request { path: "/auth/cert/renew/", ..REQUEST },
        Request { path: "/auth\n/cert/renew", ..REQUEST },
        Request { body: b"{ }", ..REQUEST },
        Request { body: b"", ..REQUEST },
    ] {
        assert!(check(&key, &other, &fields).is_err(), "{other:?}");
    }
}

#[test]
fn only_the_agreed_form_is_read() {
    let (key, fields) = signed();
    let input = &fields.signature_input;
    let inputs = [
        String::new(),
        input.replacen("sig=", "sig1=", 1),
        format!("{input}, other=(\"@method\")"),
        input.replacen("\"@path\" ", "", 1),
        input.replacen("\"@method\" \"@authority\"", "\"@authority\" \"@method\"", 1),
        input.replacen("\"@path\"", "\"@path\";req", 1),
        input.replacen("\"@path\"", "\"@path\" \"@path\"", 1),
        input.replacen("created=1000", "created=1000.0", 1),
        input.replacen(";created=1000", "", 1),
        input.replacen("tag=\"landfall-renew-v1\"", "tag=\"landfall-redeem-v1\"", 1),
        format!("{input};alg=\"ecdsa-p256-sha256\""),
        format!("{input};expires=2000"),
        format!("{input};nonce=\"x\""),
        input.replacen("keyid=\"", "keyid=\"x", 1),
        format!("{input}{}", " ".repeat(FIELD_MAX)),
        "sig=1".into(),
    ];
    for signature_input in inputs {
        let fields = SignatureFields { signature_input, ..fields.clone() };
        assert!(read_renewal(&REQUEST, &fields).is_err(), "{fields:?}");
    }
    let signature = &fields.signature;
    for signature in [
        String::new(),
        signature.replacen("sig=", "sig1=", 1),
        format!("{signature};x"),
        format!("{signature}, other=:AA==:"),
        "sig=:AA==:".into(),
        "sig=\"text\"".into(),
    ] {
        let fields = SignatureFields { signature, ..fields.clone() };
        assert_eq!(read_renewal(&REQUEST, &fields), Err(SignatureError::Malformed), "{fields:?}");
    }
    for content_digest in ["", "sha-512=:AA==:", "sha-256=:AA==:"] {
        let fields = SignatureFields { content_digest: content_digest.into(), ..fields.clone() };
        assert_eq!(read_renewal(&REQUEST, &fields), Err(SignatureError::Digest));
    }
    assert_eq!(check(&key, &REQUEST, &fields), Ok(()), "the fields were right to begin with");
}

#[test]
fn parameters_are_covered_too() {
    let (key, fields) = signed();
    let signature_input = fields.signature_input.replacen("created=1000", "created=1001", 1);
    let moved = SignatureFields { signature_input, ..fields };
    assert_eq!(check(&key, &REQUEST, &moved), Err(BadSignature.to_string()));
}

proptest! {
    #[test]
    fn no_fields_break_the_reader(input in ".{0,100}", signature in ".{0,100}") {
        let digest = content_digest(REQUEST.body);
        let fields =
            SignatureFields { content_digest: digest, signature_input: input, signature };
        prop_assert!(read_renewal(&REQUEST, &fields).is_err());
    }
}
