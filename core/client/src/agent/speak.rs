//! Signing and sending, whoever speaks: an enrolled agent or a service that issues its own tokens. And
//! what to do when a server has something against the signature.

use super::error::AgentError;
use super::transport::{AgentRequest, AgentResponse, Transport};
use landfall_crypto::Ambient;
use landfall_crypto::aauth::fault::{
    ACCEPT_SIGNATURE_ALG, ACCEPT_SIGNATURE_SCHEME, SIGNATURE_ERROR,
};
use landfall_crypto::aauth::message::CONTENT_DIGEST;
use landfall_crypto::aauth::{
    self, AgentSigner, Algorithm, Challenge, FaultCode, KeySource, Request, Scheme, Signing,
};
use landfall_identity::{Seconds, Timestamp};
use serde::Deserialize;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// How often one request is signed anew because of what the server said.
const ROUNDS_MAX: usize = 4;
/// How far a server's clock may differ from ours before we no longer sign by it.
const OFFSET_MAX: Seconds = Seconds::days(1);
/// Below this, a clock is not what a server has against a signature.
const OFFSET_MIN: Seconds = Seconds(30);
/// The longest text of a server that is repeated.
const DETAIL_MAX: usize = 300;

/// A key, and where a verifier finds it.
pub(super) struct Voice {
    pub(super) source: KeySource,
    pub(super) signer: Arc<dyn AgentSigner>,
}

/// Whoever can sign requests.
pub(super) trait Speaker {
    fn transport(&self) -> &Transport;
    fn ambient(&self) -> &Ambient;
    /// The key for one request, under `scheme`, at `now` by the server's clock. `anew`: the token that
    /// there is was refused.
    async fn voice(&self, scheme: Scheme, now: Timestamp, anew: bool) -> Result<Voice, AgentError>;
    /// Which schemes it can speak under, the best first.
    fn schemes(&self) -> &'static [Scheme];
    /// Takes up another algorithm for keys that it makes itself. Whether it could.
    async fn use_algorithm(&self, algorithm: Algorithm) -> bool;
}

/// How a request is signed, as far as it can be changed.
struct Plan {
    scheme: Scheme,
    tried: Vec<Scheme>,
    components: Vec<String>,
    /// What the server's clock shows beyond ours.
    offset: i64,
    anew: bool,
}

/// Signs `request` under `scheme`: the header fields to add.
pub(super) async fn sign<S: Speaker>(
    speaker: &S,
    request: &AgentRequest,
    scheme: Scheme,
) -> Result<Vec<(&'static str, String)>, AgentError> {
    let now = speaker.ambient().now();
    let voice = speaker.voice(scheme, now, false).await?;
    sign_as(&voice, request, &[], now)
}

/// Signs and sends `request`, first under `scheme`. What a server has against the signature is answered
/// where it can be; the last answer is returned, whatever it is.
pub(super) async fn send<S: Speaker>(
    speaker: &S,
    request: &AgentRequest,
    scheme: Scheme,
) -> Result<AgentResponse, AgentError> {
    let mut plan =
        Plan { scheme, tried: vec![scheme], components: Vec::new(), offset: 0, anew: false };
    let mut rounds = 1;
    loop {
        let now = shifted(speaker.ambient().now(), plan.offset);
        let voice = speaker.voice(plan.scheme, now, plan.anew).await?;
        plan.anew = false;
        let fields = sign_as(&voice, request, &plan.components, now)?;
        let answer = speaker.transport().send(request, &fields).await?;
        let Some(challenge) = challenge_of(&answer) else { return Ok(answer) };
        tracing::debug!(code = challenge.code.as_str(), "a signature was refused");
        if rounds == ROUNDS_MAX || !adapt(speaker, &mut plan, &challenge, request, &answer).await {
            return Ok(answer);
        }
        rounds += 1;
    }
}

/// Changes the plan as the server wishes. False when nothing is left to be tried.
async fn adapt<S: Speaker>(
    speaker: &S,
    plan: &mut Plan,
    challenge: &Challenge,
    request: &AgentRequest,
    answer: &AgentResponse,
) -> bool {
    match challenge.code {
        FaultCode::UnsupportedScheme => {
            let mut other = speaker.schemes().iter().filter(|one| !plan.tried.contains(one));
            let Some(scheme) = other.find(|one| challenge.schemes.contains(one)) else {
                return false;
            };
            plan.scheme = *scheme;
            plan.tried.push(*scheme);
            true
        }
        FaultCode::InvalidInput => {
            let before = plan.components.len();
            for name in &challenge.required_input {
                if !plan.components.contains(name) && can_cover(request, name) {
                    plan.components.push(name.clone());
                }
            }
            plan.components.len() > before
        }
        FaultCode::UnsupportedAlgorithm => {
            for algorithm in &challenge.algorithms {
                if speaker.use_algorithm(*algorithm).await {
                    plan.anew = true;
                    return true;
                }
            }
            false
        }
        FaultCode::ExpiredJwt | FaultCode::RevokedJwt => {
            // Once: a token that was just fetched and is refused is not ours to mend.
            let first = !plan.components.iter().any(|name| name == ANEW);
            plan.components.push(ANEW.to_owned());
            plan.anew = true;
            first
        }
        FaultCode::ClockSkew | FaultCode::InvalidSignature => {
            let offset = offset_of(answer, speaker.ambient().now());
            let told = offset.filter(|_| plan.offset == 0);
            plan.offset = told.unwrap_or(0);
            told.is_some()
        }
        _ => false,
    }
}

/// Marks, among the components, that a token was fetched anew.
const ANEW: &str = "";

/// Whether the request has what a server wants covered.
fn can_cover(request: &AgentRequest, name: &str) -> bool {
    let derived = ["@query", "@scheme", "@target-uri", "@request-target"];
    derived.contains(&name)
        || request.headers.iter().any(|(field, _)| field.eq_ignore_ascii_case(name))
}

/// How far the server's clock is from ours, by its `Date`, when that could be what is wrong.
fn offset_of(answer: &AgentResponse, now: Timestamp) -> Option<i64> {
    let date = httpdate::parse_http_date(answer.header("date")?).ok()?;
    let theirs = i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
    let offset = theirs.checked_sub(now.seconds())?;
    let far = offset.unsigned_abs();
    (OFFSET_MIN.0..=OFFSET_MAX.0).contains(&far).then_some(offset)
}

fn shifted(now: Timestamp, offset: i64) -> Timestamp {
    Timestamp::from_millis(now.millis().saturating_add(offset.saturating_mul(1000)))
}

fn sign_as(
    voice: &Voice,
    request: &AgentRequest,
    components: &[String],
    now: Timestamp,
) -> Result<Vec<(&'static str, String)>, AgentError> {
    let taken = ["signature", "signature-input", "signature-key", CONTENT_DIGEST];
    let is_taken =
        |(name, _): &(String, String)| taken.iter().any(|taken| name.eq_ignore_ascii_case(taken));
    if request.headers.iter().any(is_taken) {
        return Err(AgentError::Request("it is signed already"));
    }
    let fields: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let https = request.url.scheme() == "https";
    let authority = authority_of(&request.url);
    let covered = Request {
        method: &request.method,
        authority: &authority,
        path: request.url.path(),
        query: request.url.query(),
        https,
        fields: &fields,
        body: &request.body,
    };
    let components: Vec<_> =
        components.iter().map(String::as_str).filter(|name| *name != ANEW).collect();
    let signing =
        Signing { source: &voice.source, created: now, components: &components, digest: true };
    let signed = aauth::sign(&covered, &signing, voice.signer.as_ref())?;
    let mut fields = vec![
        ("signature-key", signed.signature_key),
        ("signature-input", signed.signature_input),
        ("signature", signed.signature),
    ];
    fields.extend(signed.content_digest.map(|digest| (CONTENT_DIGEST, digest)));
    Ok(fields)
}

fn authority_of(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn challenge_of(answer: &AgentResponse) -> Option<Challenge> {
    let error = answer.header(SIGNATURE_ERROR).filter(|_| answer.status == 401)?;
    let (schemes, algorithms) =
        (answer.header(ACCEPT_SIGNATURE_SCHEME), answer.header(ACCEPT_SIGNATURE_ALG));
    Challenge::read(error, schemes, algorithms)
}

/// What a server says when it says no, in either age's members.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    error: Option<String>,
    code: Option<String>,
    detail: Option<String>,
    error_description: Option<String>,
}

/// An answer that is no yes, as an error.
pub(super) fn refusal_of(answer: &AgentResponse) -> AgentError {
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
    let detail = problem.detail.or(problem.error_description).unwrap_or_default();
    // It may be shown to a person: bounded, and without what could disguise a screen.
    let detail: String = detail.chars().filter(|c| !c.is_control()).take(DETAIL_MAX).collect();
    if let Some(challenge) = challenge_of(answer) {
        return AgentError::Signature { code: challenge.code, detail };
    }
    if matches!(answer.status, 429 | 503) {
        let after = answer.header("retry-after").and_then(|text| text.parse().ok());
        return AgentError::Busy(after.unwrap_or(1));
    }
    let error = problem.error.or(problem.code).unwrap_or_default();
    let error = error.chars().filter(char::is_ascii_graphic).take(DETAIL_MAX).collect();
    AgentError::Refused { status: answer.status, error, detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn answer(date: &str) -> AgentResponse {
        let headers = vec![("date".to_owned(), date.to_owned())];
        AgentResponse { status: 401, headers, body: Zeroizing::new(Vec::new()) }
    }

    #[test]
    fn a_servers_clock_is_followed_within_a_day() {
        let now = Timestamp::from_seconds(784_111_777);
        let at = |date| offset_of(&answer(date), now);
        assert_eq!(at("Sun, 06 Nov 1994 08:51:37 GMT"), Some(120));
        assert_eq!(at("Sun, 06 Nov 1994 08:47:37 GMT"), Some(-120));
        for no in ["Sun, 06 Nov 1994 08:49:40 GMT", "Tue, 08 Nov 1994 08:49:37 GMT", "x", ""] {
            assert_eq!(at(no), None, "{no}");
        }
    }

    #[test]
    fn what_a_server_says_is_bounded_before_it_is_shown() {
        let body = format!(r#"{{"error":"denied","detail":"a\u001b[2Jb{}"}}"#, "c".repeat(400));
        let answer = AgentResponse {
            status: 403,
            headers: Vec::new(),
            body: Zeroizing::new(body.into_bytes()),
        };
        let AgentError::Refused { status, error, detail } = refusal_of(&answer) else {
            panic!("another error")
        };
        assert_eq!((status, error.as_str(), detail.len()), (403, "denied", DETAIL_MAX));
        assert!(detail.starts_with("a[2Jb"));
    }
}
