//! JWT-SVIDs (SPIFFE JWT-SVID): who a workload is, for those with whom it speaks through others.
//!
//! Their key signs nothing else and stands in the trust bundle alone, so that no token of another class
//! passes for one, nor one of them for a session.

use crate::jwt::JwtError;
use crate::key::{KeyError, KeyPair, PublicKey, Signer};
use crate::key_set::{KeySet, TokenFault, UnreadToken};
use crate::thumbprint::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use landfall_identity::{SpiffeId, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

/// Types that a JWT-SVID may say it has, if it says so (SPIFFE JWT-SVID, section 2.3).
const TYPES: [&str; 2] = ["JWT", "JOSE"];

/// What a JWT-SVID says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtSvid {
    /// Who: `sub`.
    pub spiffe_id: SpiffeId,
    /// For whom: `aud`.
    pub audience: Vec<String>,
    /// Since when: `iat`, in whole seconds.
    pub issued_at: Timestamp,
    /// Until when: `exp`, in whole seconds.
    pub expires_at: Timestamp,
}

#[derive(Serialize)]
struct Wire<'a> {
    sub: &'a SpiffeId,
    aud: &'a [String],
    iat: i64,
    exp: i64,
}

/// Signs JWT-SVIDs.
pub struct SvidSigner {
    header: Header,
    key: EncodingKey,
    public: PublicKey,
}

impl SvidSigner {
    /// A signer, with a key that signs nothing else.
    ///
    /// # Errors
    /// When the library cannot write the key.
    pub fn new(key: &KeyPair) -> Result<Self, KeyError> {
        let public = key.public_key();
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(public.thumbprint().to_string());
        Ok(Self { header, key: EncodingKey::from_ec_der(key.to_pkcs8()?.expose()), public })
    }

    /// The key's entry in a trust bundle.
    pub fn jwk(&self) -> Jwk {
        self.public.jwk().for_jwt_svids()
    }

    /// Signs one.
    ///
    /// # Errors
    /// [`JwtError::Library`] when the library fails.
    pub fn sign(&self, svid: &JwtSvid) -> Result<String, JwtError> {
        let wire = Wire {
            sub: &svid.spiffe_id,
            aud: &svid.audience,
            iat: svid.issued_at.seconds(),
            exp: svid.expires_at.seconds(),
        };
        jsonwebtoken::encode(&self.header, &wire, &self.key).map_err(|_| JwtError::Library)
    }
}

/// Checks a JWT-SVID by the keys of a bundle: its form, its signature, that it is for `audience`, and
/// that it holds at `now`. Yields who it is about, and all that it says. Whether the trust domain is the
/// bundle's is for the caller to compare.
///
/// # Errors
/// [`JwtError`] says what is wrong with it.
pub fn verify_svid(
    token: &str,
    keys: &KeySet,
    audience: &str,
    now: Timestamp,
) -> Result<(String, Map<String, Value>), JwtError> {
    let token = UnreadToken::new(token).map_err(error_of)?;
    if token.typ().is_some_and(|typ| !TYPES.contains(&typ)) {
        return Err(JwtError::Malformed);
    }
    let claims = keys.verify(&token).map_err(error_of)?;
    let names = |value: &Value| value.as_str() == Some(audience);
    let is_for = match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().any(names),
        Some(one) => names(one),
        None => false,
    };
    let subject = claims.get("sub").and_then(Value::as_str).map(str::to_owned);
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(Timestamp::from_seconds);
    let (Some(subject), Some(expires_at), true) = (subject, time("exp"), is_for) else {
        return Err(JwtError::Malformed);
    };
    if expires_at.is_over(now) {
        return Err(JwtError::Expired);
    }
    if time("nbf").is_some_and(|from| from > now) {
        return Err(JwtError::NotYet);
    }
    Ok((subject, claims))
}

fn error_of(fault: TokenFault) -> JwtError {
    match fault {
        TokenFault::UnknownKey => JwtError::UnknownKey,
        TokenFault::Signature => JwtError::Signature,
        TokenFault::KeySet | TokenFault::Malformed | TokenFault::Algorithm => JwtError::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn svid() -> JwtSvid {
        let id = "spiffe://landfall.local/tenant/home/workload/payments/ns/shop/cluster/prod";
        JwtSvid {
            spiffe_id: id.parse().unwrap(),
            audience: vec!["bank".to_owned(), "shop".to_owned()],
            issued_at: NOW,
            expires_at: Timestamp::from_seconds(NOW.seconds() + 3600),
        }
    }

    fn bundle(signer: &SvidSigner) -> KeySet {
        let document = json!({ "keys": [signer.jwk()] }).to_string();
        KeySet::of_bundle(document.as_bytes()).unwrap()
    }

    #[test]
    fn an_svid_is_for_its_audiences_and_its_hour_alone() {
        let signer = SvidSigner::new(&KeyPair::generate().unwrap()).unwrap();
        let (token, keys) = (signer.sign(&svid()).unwrap(), bundle(&signer));
        let (subject, claims) = verify_svid(&token, &keys, "shop", NOW).unwrap();
        assert_eq!(subject, svid().spiffe_id.to_string());
        assert_eq!(claims["aud"], json!(["bank", "shop"]));
        let at = |audience: &str, now| verify_svid(&token, &keys, audience, now).err();
        assert_eq!(at("thief", NOW), Some(JwtError::Malformed));
        assert_eq!(at("shop", svid().expires_at), Some(JwtError::Expired));
        let other = SvidSigner::new(&KeyPair::generate().unwrap()).unwrap();
        assert_eq!(verify_svid(&token, &bundle(&other), "shop", NOW), Err(JwtError::UnknownKey));
    }

    #[test]
    fn a_key_that_is_not_for_svids_vouches_for_none() {
        let key = KeyPair::generate().unwrap();
        let signer = SvidSigner::new(&key).unwrap();
        let token = signer.sign(&svid()).unwrap();
        let document = json!({ "keys": [key.public_key().jwk().for_signatures()] }).to_string();
        let keys = KeySet::of_bundle(document.as_bytes()).unwrap();
        assert_eq!(verify_svid(&token, &keys, "shop", NOW), Err(JwtError::UnknownKey));
    }
}
