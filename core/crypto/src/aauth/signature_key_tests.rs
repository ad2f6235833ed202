use super::super::fields::members;
use super::super::tests::pair;
use super::*;
use crate::aauth::Algorithm;

fn read(field: &str, profile: Profile) -> Result<KeySource, FaultCode> {
    let members = members(field).map_err(|fault| fault.code)?;
    KeySource::read(&members[0], profile).map_err(|fault| fault.code)
}

/// The field in both profiles.
fn both(field: &str) -> [Result<KeySource, FaultCode>; 2] {
    [read(field, Profile::Compatible), read(field, Profile::Strict)]
}

fn coordinates(key: &AgentKey) -> String {
    let jwk = key.jwk();
    let y = jwk.y.as_ref().map(|y| format!(r#";y="{y}""#)).unwrap_or_default();
    format!(r#"kty="{}";crv="{}";x="{}"{y}"#, jwk.kty, jwk.crv, jwk.x)
}

#[test]
fn hwk_is_read_in_every_revision_and_in_any_order() {
    for algorithm in Algorithm::ALL {
        let key = pair(algorithm).public_key();
        let (xy, alg) = (coordinates(&key), algorithm.name());
        let hwk = || Ok(KeySource::Hwk { key });
        assert_eq!(both(&format!(r#"sig=hwk;{xy};alg="{alg}""#)), [hwk(), hwk()]);
        assert_eq!(both(&format!(r#"sig=hwk; alg="{alg}"; {xy}"#)), [hwk(), hwk()]);
        let no_alg = both(&format!("sig=hwk;{xy}"));
        assert_eq!(no_alg, [hwk(), Err(FaultCode::InvalidKey)]);
    }
}

#[test]
fn hwk_of_the_guide_is_read_where_older_clients_are_taken() {
    let key = pair(Algorithm::Ed25519).public_key();
    let jwk = BASE64URL_NOPAD.encode(&serde_json::to_vec(&key.jwk()).unwrap());
    let jkt = key.thumbprint();
    let field = format!(r#"sig=hwk;jkt="{jkt}";jwk="{jwk}""#);
    assert_eq!(both(&field), [Ok(KeySource::Hwk { key }), Err(FaultCode::InvalidKey)]);
    let other = pair(Algorithm::Ed25519).public_key().thumbprint();
    for bad in [
        format!(r#"sig=hwk;jkt="{other}";jwk="{jwk}""#),
        format!(r#"sig=hwk;jkt="{jkt}""#),
        r#"sig=hwk;jwk="AAAA""#.to_owned(),
        r#"sig=hwk;jwk="?""#.to_owned(),
        "sig=hwk".to_owned(),
    ] {
        assert_eq!(read(&bad, Profile::Compatible), Err(FaultCode::InvalidKey), "{bad}");
    }
}

#[test]
fn a_bad_hwk_is_called_by_its_name() {
    let key = pair(Algorithm::Ed25519).public_key();
    let xy = coordinates(&key);
    for (field, code) in [
        (format!(r#"sig=hwk;{xy};alg="Ed25519";kid="a""#), FaultCode::InvalidKey),
        (format!(r#"sig=hwk;{xy};alg="ES256""#), FaultCode::InvalidKey),
        (format!(r#"sig=hwk;{xy};alg="Ed25519";d="AA""#), FaultCode::InvalidKey),
        (
            r#"sig=hwk;kty="OKP";crv="Ed25519";x="AA";alg="Ed25519""#.to_owned(),
            FaultCode::InvalidKey,
        ),
        (
            r#"sig=hwk;kty="RSA";n="AA";e="AQAB";alg="RS256""#.to_owned(),
            FaultCode::UnsupportedAlgorithm,
        ),
        (
            r#"sig=hwk;kty="EC";crv="P-384";x="AA";y="AA";alg="ES384""#.to_owned(),
            FaultCode::UnsupportedAlgorithm,
        ),
        (format!("sig=hwk;{xy};alg=7"), FaultCode::InvalidRequest),
        (r#"sig="hwk""#.to_owned(), FaultCode::InvalidRequest),
        ("sig=(hwk)".to_owned(), FaultCode::InvalidRequest),
    ] {
        assert_eq!(both(&field), [Err(code), Err(code)], "{field}");
    }
}

#[test]
fn the_other_schemes_are_read_and_the_guides_forms_only_where_they_are_taken() {
    let jkt = pair(Algorithm::Ed25519).public_key().thumbprint();
    let jwt = || "a.b.c".to_owned();
    let named = |jkt| Ok(KeySource::JktJwt { jwt: jwt(), jkt });
    assert_eq!(both(r#"sig=jkt-jwt;jwt="a.b.c";cache"#), [named(None), named(None)]);
    let with_jkt = both(&format!(r#"sig=jkt-jwt;jwt="a.b.c";jkt="{jkt}""#));
    assert_eq!(with_jkt, [named(Some(jkt)), named(None)]);
    let token = || Ok(KeySource::Jwt { jwt: jwt() });
    assert_eq!(both(r#"sig=jwt;jwt="a.b.c""#), [token(), token()]);
    let published = || {
        let id = "https://a.example.org".to_owned();
        Ok(KeySource::JwksUri { id, dwk: "aauth-agent.json".to_owned(), kid: "k".to_owned() })
    };
    let field = r#"sig=jwks_uri;id="https://a.example.org";dwk="aauth-agent.json";kid="k""#;
    assert_eq!(both(field), [published(), published()]);
    let uri = "https://a.example.org/j".to_owned();
    let direct = Ok(KeySource::JwksDirect { uri, kid: "k".to_owned() });
    let field = r#"sig=jwks_uri;uri="https://a.example.org/j";kid="k""#;
    assert_eq!(both(field), [direct, Err(FaultCode::InvalidRequest)]);
    for bad in ["sig=jkt-jwt", "sig=jwt;jwt=?1", r#"sig=jwks_uri;id="a";dwk="b""#] {
        assert_eq!(both(bad), [Err(FaultCode::InvalidRequest), Err(FaultCode::InvalidRequest)]);
    }
}

#[test]
fn unknown_schemes_are_called_unsupported() {
    for name in ["self-jwt", "jwks", "x509", "cached", "brand-new"] {
        let unsupported = || Ok(KeySource::Unsupported(name.to_owned()));
        assert_eq!(both(&format!(r#"sig={name};a="b""#)), [unsupported(), unsupported()]);
    }
    assert_eq!(KeySource::Unsupported("x509".to_owned()).member("sig"), None);
}
