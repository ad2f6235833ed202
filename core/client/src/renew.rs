//! The next certificate, by a signature of the enrolled key: works when the certificate is over.

use crate::ask::read_json;
use crate::client::{Client, key_handle};
use crate::failure::Failure;
use crate::http::{Http, Request};
use crate::loss::Loss;
use crate::texts;
use landfall_crypto::certificate::CertificateFacts;
use landfall_crypto::httpsig::{self, Profile, RENEWAL};
use landfall_flows::KeyRef;
use landfall_identity::Timestamp;
use landfall_keystore::{Purpose, StoredKey};
use landfall_protocol::enroll::CertIssued;
use landfall_protocol::{ErrorCode, paths};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;
use zeroize::Zeroizing;

const BODY: &[u8] = b"{}";

/// Asks for a certificate for the same key. When the clocks disagree, once more by the server's
/// clock; this machine's clock is left alone.
pub(crate) async fn renew(
    http: &Http,
    server: &Url,
    key: &KeyRef,
    client: &Client,
) -> Result<CertIssued, Failure> {
    let ours = client.ambient().now();
    let failure = match renew_at(http, server, key, client, ours).await {
        Ok(issued) => return Ok(issued),
        Err(failure) => failure,
    };
    match (failure.code(), failure.problem().server_time) {
        (ErrorCode::ClockSkew, Some(theirs)) => renew_at(http, server, key, client, theirs.0).await,
        _ => Err(failure),
    }
}

async fn renew_at(
    http: &Http,
    server: &Url,
    key: &KeyRef,
    client: &Client,
    created: Timestamp,
) -> Result<CertIssued, Failure> {
    let to = SignedPost { profile: &RENEWAL, server, path: paths::CERT_RENEW, key };
    let mut request = client.signed(&to, Zeroizing::new(BODY.to_vec()), created)?;
    // The same signature is answered with the same certificate.
    request.repeatable = true;
    let body = http.send(&request).await?;
    let issued: CertIssued = serde_json::from_slice(&body)
        .map_err(|_| Failure::new(ErrorCode::AnswerUnreadable, texts::UNREADABLE))?;
    check_issued(&issued, key)?;
    Ok(issued)
}

/// Sends a message that the key signs and that is taken once; when the clocks disagree, once more by the
/// server's clock. One that may have arrived is signed anew, not sent again.
pub(crate) async fn post_signed<T: DeserializeOwned>(
    client: &Client,
    http: &Http,
    to: &SignedPost<'_>,
    body: &impl Serialize,
) -> Result<T, Failure> {
    let body = serde_json::to_vec(body).map(Zeroizing::new);
    let body = body.map_err(|_| Failure::new(ErrorCode::InvalidField, texts::UNREADABLE))?;
    let now = client.ambient().now();
    let failure = match http.send(&client.signed(to, body.clone(), now)?).await {
        Ok(answer) => return read_json(&answer),
        Err(failure) => failure,
    };
    match (failure.code(), failure.problem().server_time) {
        (ErrorCode::ClockSkew, Some(theirs)) => {
            read_json(&http.send(&client.signed(to, body, theirs.0)?).await?)
        }
        _ => Err(failure),
    }
}

/// Where a signed request goes, and whose it is.
pub(crate) struct SignedPost<'a> {
    pub(crate) profile: &'static Profile,
    pub(crate) server: &'a Url,
    pub(crate) path: &'static str,
    pub(crate) key: &'a KeyRef,
}

impl Client {
    /// A POST that the key signs, at the time that the server believes it to be.
    pub(crate) fn signed(
        &self,
        to: &SignedPost<'_>,
        body: Zeroizing<Vec<u8>>,
        created: Timestamp,
    ) -> Result<Request, Failure> {
        let unavailable = || Failure::new(ErrorCode::KeyUnavailable, texts::KEY_UNAVAILABLE);
        let handle = key_handle(&to.key.handle)?;
        let signer = StoredKey::find(self.keys().as_ref(), &handle, Purpose::HttpSignature)
            .map_err(|_| unavailable())?;
        let authority = authority_of(to.server);
        let covered =
            httpsig::Request { method: "POST", authority: &authority, path: to.path, body: &body };
        let fields =
            httpsig::sign(to.profile, &covered, created, &signer).map_err(|_| unavailable())?;
        let mut request = Request::new(Method::POST, to.path);
        request.headers = vec![
            ("content-digest", fields.content_digest),
            ("signature-input", fields.signature_input),
            ("signature", fields.signature),
        ];
        request.body = Some(body);
        // Signed anew it finds what the key has done before.
        request.loss = Loss::Again;
        Ok(request)
    }
}

/// Host, and port unless it is the scheme's own, in lower case (RFC 9421, section 2.2.3).
fn authority_of(server: &Url) -> String {
    let host = server.host_str().unwrap_or_default().to_ascii_lowercase();
    match server.port() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

/// Checks that a certificate is for our key and names whom the answer names, before it replaces
/// anything.
pub(crate) fn check_issued(issued: &CertIssued, key: &KeyRef) -> Result<(), Failure> {
    let leaf = pem::parse_many(&issued.certificate_chain).ok().and_then(|blocks| {
        let first = blocks.into_iter().next()?;
        CertificateFacts::read(first.contents()).ok()
    });
    let ours = leaf.is_some_and(|leaf| {
        leaf.public_key.thumbprint().as_str() == key.thumbprint
            && leaf.spiffe_id.as_ref() == Some(&issued.spiffe_id)
    });
    let unreadable = || Failure::new(ErrorCode::AnswerUnreadable, texts::UNREADABLE);
    ours.then_some(()).ok_or_else(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_has_a_port_only_where_it_is_not_the_usual_one() {
        for (url, authority) in [
            ("https://Landfall.example", "landfall.example"),
            ("https://landfall.example:443", "landfall.example"),
            ("https://localhost:8443", "localhost:8443"),
            ("https://[::1]:8443", "[::1]:8443"),
        ] {
            assert_eq!(authority_of(&Url::parse(url).unwrap()), authority);
        }
    }
}
