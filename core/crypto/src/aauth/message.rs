//! HTTP message signatures (RFC 9421) in AAuth's profile: reading and verifying.
//!
//! A signature covers at least `@method`, `@authority`, `@path` and `signature-key`, and `authorization`
//! where that field is sent. What was signed is rebuilt from the request as it came and from the text of
//! `Signature-Input` as it was sent, whatever its spacing.

use super::Profile;
use super::fault::{FaultCode, SignatureFault};
use super::fields::{Member, members, standard_base64, unreadable};
use super::key::{AgentKey, AgentSignature};
use super::signature_key::{KeySource, Scheme};
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use landfall_identity::{Seconds, Timestamp};
use sfv::{Dictionary, InnerList, ListEntry, Parser};

/// How far `created` may be from our time, either way, unless configured otherwise.
pub const WINDOW: Seconds = Seconds(60);
/// The header field with the digest of the body (RFC 9530).
pub const CONTENT_DIGEST: &str = "content-digest";
/// What every signature covers.
pub const REQUIRED: [&str; 4] = ["@method", "@authority", "@path", "signature-key"];

/// The most components that one signature may cover.
const COMPONENTS_MAX: usize = 32;

/// A request, as far as it can be covered.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// What `Host` (or `:authority`) said.
    pub authority: &'a str,
    /// The path as sent, without the query.
    pub path: &'a str,
    /// The query as sent, without `?`.
    pub query: Option<&'a str>,
    /// Whether it came by TLS.
    pub https: bool,
    /// Every header field in its order, names in any case.
    pub fields: &'a [(&'a str, &'a str)],
    /// The body, as received.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// The value of a field: its lines in their order, joined (RFC 9421 section 2.1).
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let lines = self.fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        let lines: Vec<_> = lines.map(|(_, value)| value.trim_matches([' ', '\t'])).collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    }

    /// The value of a component, when we know it and the request has it.
    fn component(&self, name: &str) -> Option<String> {
        let path = if self.path.is_empty() { "/" } else { self.path };
        let query = self.query.map(|query| format!("?{query}"));
        let scheme = if self.https { "https" } else { "http" };
        let authority = normal_authority(self.authority, self.https);
        match name {
            "@method" => Some(self.method.to_owned()),
            "@authority" => Some(authority),
            "@path" => Some(path.to_owned()),
            "@query" => Some(query.unwrap_or_else(|| "?".to_owned())),
            "@scheme" => Some(scheme.to_owned()),
            "@request-target" => Some(format!("{path}{}", query.unwrap_or_default())),
            "@target-uri" => {
                Some(format!("{scheme}://{authority}{path}{}", query.unwrap_or_default()))
            }
            derived if derived.starts_with('@') => None,
            field => self.field(field),
        }
    }

    /// Whether nothing in it could forge a line of the base.
    pub(super) fn is_plain(&self) -> bool {
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
        let printable = |text: &str| !text.chars().any(|c| c.is_control() && c != '\t');
        let query = self.query.unwrap_or_default();
        [self.method, self.authority, self.path, query].into_iter().all(plain)
            && self.fields.iter().all(|(name, value)| plain(name) && printable(value))
    }
}

/// `@authority` (RFC 9421 section 2.2.3): lower case, without the scheme's own port.
pub fn normal_authority(host: &str, https: bool) -> String {
    let lower = host.to_ascii_lowercase();
    let own_port = if https { ":443" } else { ":80" };
    lower.strip_suffix(own_port).map(str::to_owned).unwrap_or(lower)
}

/// What a server demands of signatures.
#[derive(Debug, Clone, Copy)]
pub struct Demands<'a> {
    /// How lenient it is.
    pub profile: Profile,
    /// How far `created` may be from its time. See [`WINDOW`].
    pub window: Seconds,
    /// The authorities that it answers for, in the form of [`normal_authority`].
    pub authorities: &'a [String],
    /// The schemes that it takes, here.
    pub schemes: &'a [Scheme],
    /// Whether a body must be covered, by `content-digest` and `content-type`. [`Profile::Strict`]
    /// demands it always.
    pub digest: bool,
}

/// A signature whose form, coverage, digest and time are right. Nothing is proved yet.
#[derive(Debug, Clone)]
pub struct Unverified {
    label: String,
    source: KeySource,
    profile: Profile,
    created: Timestamp,
    keyid: Option<String>,
    covered: Vec<String>,
    signature: Vec<u8>,
    /// One, or two where a client is known to spell a component in its own way.
    bases: Vec<String>,
}

/// A signature that was made by the key, now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The key that made it.
    pub key: AgentKey,
    /// When, by the sender's clock.
    pub created: Timestamp,
}

/// Reads a request's signature: the first whose label all three fields share and whose scheme is taken.
///
/// # Errors
/// [`SignatureFault`] says what is wrong with it.
pub fn read(
    request: &Request<'_>,
    demands: &Demands<'_>,
    now: Timestamp,
) -> Result<Unverified, SignatureFault> {
    if !request.is_plain() {
        return Err(unreadable("the request holds control characters"));
    }
    let field = |name| request.field(name).ok_or_else(|| unreadable(MISSING));
    let (inputs, signatures) = (field("signature-input")?, field("signature")?);
    let keys = field("signature-key")?;
    let (inputs, signatures) = (members(&inputs)?, members(&signatures)?);
    let keys = members(&keys)?;
    let [input, signature, key] = choose(&inputs, &signatures, &keys, demands.schemes)?;
    let source = KeySource::read(&key, demands.profile)?;

    let profile = demands.profile;
    let Some(ListEntry::InnerList(list)) = input.value(Profile::Strict) else {
        return Err(unreadable("Signature-Input cannot be read"));
    };
    let covered = covered(&list)?;
    check_coverage(request, demands, &covered)?;
    check_digest(request, profile)?;
    let (created, keyid) = check_parameters(&list, demands.window, now)?;
    if !demands.authorities.contains(&normal_authority(request.authority, request.https)) {
        return Err(false_signature("this server does not answer for that authority"));
    }
    Ok(Unverified {
        label: input.label.to_owned(),
        source,
        profile,
        created,
        keyid,
        signature: signature_bytes(&signature, profile)?,
        bases: bases(request, profile, &covered, input.raw)?,
        covered,
    })
}

const MISSING: &str = "Signature-Input, Signature or Signature-Key is missing";

/// The members of one label that all three fields share and whose scheme is taken.
fn choose<'a>(
    inputs: &[Member<'a>],
    signatures: &[Member<'a>],
    keys: &[Member<'a>],
    taken: &[Scheme],
) -> Result<[Member<'a>; 3], SignatureFault> {
    let find = |members: &[Member<'a>], label: &str| {
        members.iter().find(|member| member.label == label).copied()
    };
    let mut shared = inputs.iter().filter_map(|input| {
        Some([*input, find(signatures, input.label)?, find(keys, input.label)?])
    });
    let is_taken = |[_, _, key]: &[Member<'_>; 3]| {
        KeySource::scheme_of(key).is_some_and(|scheme| taken.contains(&scheme))
    };
    let first = shared.next().ok_or_else(|| unreadable("the labels of the three fields differ"))?;
    let mut all = std::iter::once(first).chain(shared);
    all.find(is_taken).ok_or_else(|| SignatureFault::unsupported_scheme(taken))
}

/// The names of the covered components, which have no parameters.
fn covered(list: &InnerList) -> Result<Vec<String>, SignatureFault> {
    if list.items.len() > COMPONENTS_MAX {
        return Err(unreadable("the signature covers too many components"));
    }
    let mut names: Vec<String> = Vec::new();
    for item in &list.items {
        let name = item.bare_item.as_string().map(|name| name.as_str().to_owned());
        let name = name.ok_or_else(|| unreadable("a covered component is no text"))?;
        if !item.params.is_empty() || names.contains(&name) {
            let detail = "a component is covered twice, or in a form that is not taken";
            return Err(SignatureFault::new(FaultCode::InvalidInput, detail));
        }
        names.push(name);
    }
    Ok(names)
}

fn check_coverage(
    request: &Request<'_>,
    demands: &Demands<'_>,
    covered: &[String],
) -> Result<(), SignatureFault> {
    let mut required = REQUIRED.to_vec();
    if request.field("authorization").is_some() {
        required.push("authorization");
    }
    if !request.body.is_empty() && (demands.digest || !demands.profile.is_compatible()) {
        required.extend(["content-type", CONTENT_DIGEST]);
    }
    if required.iter().all(|name| covered.iter().any(|one| one == name)) {
        Ok(())
    } else {
        Err(SignatureFault::uncovered(required))
    }
}

/// A digest is checked wherever one is sent, covered or not (RFC 9530). Of the algorithms that we know
/// there must be one, and each must agree.
fn check_digest(request: &Request<'_>, profile: Profile) -> Result<(), SignatureFault> {
    let Some(field) = request.field(CONTENT_DIGEST) else { return Ok(()) };
    let field = if profile.is_compatible() { standard_base64(&field) } else { field };
    let digests: Dictionary =
        Parser::new(&field).parse().map_err(|_| unreadable("Content-Digest cannot be read"))?;
    let mut known = 0;
    for (name, algorithm) in [("sha-256", &SHA256), ("sha-512", &SHA512)] {
        let Some(ListEntry::Item(item)) = digests.get(name) else { continue };
        let computed = digest(algorithm, request.body);
        if item.bare_item.as_byte_sequence() != Some(computed.as_ref()) {
            return Err(false_signature("Content-Digest is not that of the body"));
        }
        known += 1;
    }
    if known == 0 {
        return Err(false_signature("Content-Digest names no algorithm that is known here"));
    }
    Ok(())
}

/// `created`, and `keyid` where it is sent. `alg` is ignored: the key decides.
fn check_parameters(
    list: &InnerList,
    window: Seconds,
    now: Timestamp,
) -> Result<(Timestamp, Option<String>), SignatureFault> {
    let integer = |name: &str| match list.params.get(name) {
        None => Ok(None),
        Some(value) => match value.as_integer() {
            Some(number) => Ok(Some(i64::from(number))),
            None => Err(unreadable("a time in Signature-Input is no integer")),
        },
    };
    let created = integer("created")?.ok_or_else(|| unreadable("created is missing"))?;
    let window = i64::try_from(window.0).unwrap_or(i64::MAX);
    // In whole seconds, as `created` is: exactly the window is still near enough.
    let age = now.seconds().saturating_sub(created);
    if age > window {
        return Err(false_signature("the signature was made too long ago"));
    }
    if age.saturating_neg() > window {
        let detail = "the signature comes from the future; set the clock";
        return Err(SignatureFault::new(FaultCode::ClockSkew, detail));
    }
    if integer("expires")?.is_some_and(|expires| Timestamp::from_seconds(expires).is_over(now)) {
        return Err(false_signature("the signature has expired"));
    }
    let keyid = list.params.get("keyid");
    let keyid = keyid.map(|keyid| match keyid.as_string() {
        Some(text) => Ok(text.as_str().to_owned()),
        None => Err(unreadable("keyid in Signature-Input is no text")),
    });
    Ok((Timestamp::from_seconds(created), keyid.transpose()?))
}

fn signature_bytes(member: &Member<'_>, profile: Profile) -> Result<Vec<u8>, SignatureFault> {
    match member.value(profile) {
        Some(ListEntry::Item(item)) => item.bare_item.as_byte_sequence().map(<[u8]>::to_vec),
        _ => None,
    }
    .ok_or_else(|| unreadable("Signature cannot be read"))
}

/// What must have been signed. The JavaScript package leaves `?` out of `@query`; where the profile is
/// lenient, that spelling is tried too.
fn bases(
    request: &Request<'_>,
    profile: Profile,
    covered: &[String],
    parameters: &str,
) -> Result<Vec<String>, SignatureFault> {
    let mut lines = Vec::new();
    for name in covered {
        let value = request.component(name).ok_or_else(|| {
            let detail = "a covered component is not in the request, or not taken here";
            SignatureFault::new(FaultCode::InvalidInput, detail)
        })?;
        lines.push((name.as_str(), value));
    }
    let mut bases = vec![base(&lines, parameters)];
    let query = lines.iter_mut().find(|(name, _)| *name == "@query");
    if let (true, Some((_, value))) = (profile.is_compatible(), query) {
        value.remove(0);
        bases.push(base(&lines, parameters));
    }
    Ok(bases)
}

/// The signature base (RFC 9421 section 2.5).
pub(super) fn base<N: AsRef<str>>(lines: &[(N, String)], parameters: &str) -> String {
    let mut base = String::new();
    for (name, value) in lines {
        base.push_str(&format!("\"{}\": {value}\n", name.as_ref()));
    }
    base.push_str(&format!("\"@signature-params\": {parameters}"));
    base
}

/// Value of each component, for signing.
pub(super) fn lines<'n>(
    request: &Request<'_>,
    names: &[&'n str],
) -> Option<Vec<(&'n str, String)>> {
    names.iter().map(|name| Some((*name, request.component(name)?))).collect()
}

impl Unverified {
    /// The label that the three fields share.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Where the key comes from.
    pub const fn source(&self) -> &KeySource {
        &self.source
    }

    /// When it was made, by the sender's clock.
    pub const fn created(&self) -> Timestamp {
        self.created
    }

    /// Whether the component is covered.
    pub fn covers(&self, name: &str) -> bool {
        self.covered.iter().any(|covered| covered == name)
    }

    /// Checks the signature with the key that was found; `kid` is its name where it was found, if it has one.
    ///
    /// # Errors
    /// [`FaultCode::InvalidSignature`] when the key did not make it, or `keyid` names another.
    pub fn verify(&self, key: &AgentKey, kid: Option<&str>) -> Result<Verified, SignatureFault> {
        let named = |keyid: &str| keyid == key.thumbprint().as_str() || Some(keyid) == kid;
        if self.keyid.as_deref().is_some_and(|keyid| !named(keyid)) {
            return Err(false_signature("keyid names another key"));
        }
        let signature = match self.profile {
            Profile::Compatible => {
                AgentSignature::from_raw_or_der(key.algorithm(), &self.signature)
            }
            Profile::Strict => AgentSignature::from_raw(&self.signature),
        };
        let signature = signature
            .map_err(|_| false_signature("the signature is none of the key's algorithm"))?;
        let holds = |base: &String| key.verify(base.as_bytes(), &signature).is_ok();
        if self.bases.iter().any(holds) {
            Ok(Verified { key: *key, created: self.created })
        } else {
            Err(false_signature("the signature does not hold"))
        }
    }
}

const fn false_signature(detail: &'static str) -> SignatureFault {
    SignatureFault::new(FaultCode::InvalidSignature, detail)
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
