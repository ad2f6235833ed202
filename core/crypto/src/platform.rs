//! What a platform's token says of a pod or a CI job: a checked token becomes a [`WorkloadProof`].

use crate::key_set::{KeySet, TokenFault, UnreadToken};
use landfall_identity::Timestamp;
use landfall_identity::workload::WorkloadProof;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Claims of one token that are looked at, those within others among them.
const CLAIMS_MAX: usize = 128;
/// How deep claims may lie within others.
const DEPTH_MAX: usize = 4;

/// Reads a token that one of `keys` signed for `issuer`.
///
/// # Errors
/// [`TokenFault`]; [`TokenFault::Malformed`] also for another issuer, for a token without `sub`, `iat`
/// or `exp`, and for one that says a thing twice.
pub fn read_proof(
    token: &UnreadToken<'_>,
    issuer: &str,
    keys: &KeySet,
) -> Result<WorkloadProof, TokenFault> {
    let claims = keys.verify(token)?;
    proof_of(&claims, issuer).ok_or(TokenFault::Malformed)
}

fn proof_of(claims: &Map<String, Value>, issuer: &str) -> Option<WorkloadProof> {
    if claims.get("iss")?.as_str()? != issuer {
        return None;
    }
    let time = |name: &str| claims.get(name)?.as_i64().map(Timestamp::from_seconds);
    let not_before = match claims.contains_key("nbf") {
        true => Some(time("nbf")?),
        false => None,
    };
    let mut flat = BTreeMap::new();
    flatten(claims, "", 1, &mut flat)?;
    Some(WorkloadProof {
        audience: audience_of(claims.get("aud")?)?,
        subject: claims.get("sub")?.as_str()?.to_owned(),
        issued_at: time("iat")?,
        not_before,
        expires_at: time("exp")?,
        claims: flat,
    })
}

/// One text, or several (RFC 7519 section 4.1.3).
fn audience_of(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(all) => all.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// Claims within others are named by their path. `None` when there are too many, or two have one path.
fn flatten(
    claims: &Map<String, Value>,
    path: &str,
    depth: usize,
    flat: &mut BTreeMap<String, String>,
) -> Option<()> {
    for (name, value) in claims {
        let name = match path {
            "" => name.clone(),
            path => format!("{path}/{name}"),
        };
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Object(inner) if depth < DEPTH_MAX => {
                flatten(inner, &name, depth + 1, flat)?;
                continue;
            }
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
        };
        if flat.len() >= CLAIMS_MAX || flat.insert(name, text).is_some() {
            return None;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(claims: Value) -> Option<WorkloadProof> {
        proof_of(claims.as_object().unwrap(), "https://issuer.example.org")
    }

    fn claims() -> Value {
        json!({
            "iss": "https://issuer.example.org", "aud": ["a"], "sub": "s", "iat": 1, "exp": 2,
            "kubernetes.io": { "namespace": "shop", "pod": { "uid": "u-1" } }, "list": [1], "run": 7,
        })
    }

    #[test]
    fn claims_within_others_are_named_by_their_path() {
        let proof = read(claims()).unwrap();
        assert_eq!(proof.claims["kubernetes.io/pod/uid"], "u-1");
        assert_eq!(proof.claims["run"], "7");
        assert!(!proof.claims.contains_key("list"));
        assert_eq!((proof.audience, proof.not_before), (vec!["a".to_owned()], None));
    }

    #[test]
    fn what_says_a_thing_twice_or_too_little_says_nothing() {
        let mut twice = claims();
        twice["kubernetes.io/pod/uid"] = json!("u-2");
        assert_eq!(read(twice), None, "two claims of one path");
        for missing in ["iss", "aud", "sub", "iat", "exp"] {
            let mut less = claims();
            less.as_object_mut().unwrap().remove(missing);
            assert_eq!(read(less), None, "{missing}");
        }
        for (name, value) in [
            ("iss", json!("https://issuer.example.org/")),
            ("iss", json!(["https://issuer.example.org"])),
            ("aud", json!([1])),
            ("exp", json!("2")),
            ("nbf", json!(1.5)),
        ] {
            let mut odd = claims();
            odd[name] = value;
            assert_eq!(read(odd), None, "{name}");
        }
    }

    #[test]
    fn claims_are_bounded() {
        let mut many = claims();
        for number in 0..=CLAIMS_MAX {
            many[format!("c{number}")] = json!("x");
        }
        assert_eq!(read(many), None);
        let mut deep = claims();
        deep["a"] = json!({ "b": { "c": { "d": { "e": "too deep" }, "f": "deep" } } });
        let proof = read(deep).unwrap();
        assert!(proof.claims.contains_key("a/b/c/f") && !proof.claims.contains_key("a/b/c/d/e"));
    }
}
