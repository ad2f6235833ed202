//! SVIDs for pods and CI jobs, by the word of their platform.
//!
//! Load: the issuer whose token it says it is, and that issuer's keys. Decide: signature, audience, whom
//! it names, whether it holds. Sign, outside the writer. Apply: the rules of use, in one transaction with
//! the audit row; who loses there is handed nothing that was signed. A token that nobody signed whom we
//! believe is a stranger's, and all of those hear one answer.

use super::key_holders::may_be_workloads;
use super::perform::{Notes, note};
use super::{RequestContext, Service, enroll::csr_refusal};
use crate::failure::Failure;
use crate::policy::Itself;
use crate::store::workload_uses::{self, WorkloadUse};
use crate::store::{Lane, Tx, workload_issuers};
use data_encoding::HEXLOWER;
use landfall_crypto::ca::IssuedCertificate;
use landfall_crypto::csr;
use landfall_crypto::jwt_svid::JwtSvid;
use landfall_crypto::key::PublicKey;
use landfall_crypto::key_set::UnreadToken;
use landfall_crypto::platform::read_proof;
use landfall_crypto::secret::sha256_of;
use landfall_identity::workload::{
    Named, POD_KEYS_WITHIN, SVID_AUDIENCES_MAX, SVID_RENEW_AFTER, SVID_TTL, Use, WorkloadIssuer,
    WorkloadProof, is_audience,
};
use landfall_identity::{Refusal, SpiffeId, Timestamp};
use landfall_protocol::workload::{WorkloadExchangeRequest, WorkloadIssued};
use std::sync::Arc;

/// What was signed before the write decides whether it is handed out.
enum Svid {
    /// An X.509-SVID.
    Certificate(IssuedCertificate),
    /// A JWT-SVID.
    Token { text: String, not_after: Timestamp },
}

/// Everything that the write needs, made before it.
struct Candidate {
    issuer: WorkloadIssuer,
    configured: bool,
    usage: Use,
    /// When the platform's token ends.
    token_ends_at: Timestamp,
    thumbprint: String,
    svid: Svid,
}

/// What is handed out.
enum Granted {
    /// A certificate, DER: the new one, or the one that the same key got before.
    Certificate { der: Vec<u8>, not_after: Timestamp },
    /// A token.
    Token { text: String, not_after: Timestamp },
}

impl Service {
    /// Exchanges a platform's token for an X.509-SVID or, where an audience is named, a JWT-SVID.
    ///
    /// # Errors
    /// To strangers one answer, [`Refusal::WorkloadTokenInvalid`]; to whoever brings a token that a
    /// platform of ours did sign, the true reason.
    pub async fn exchange_workload(
        &self,
        request: RequestContext,
        body: WorkloadExchangeRequest,
    ) -> Result<WorkloadIssued, Failure> {
        let key = csr::public_key_of(body.csr.as_bytes()).map_err(csr_refusal)?;
        check_audience(&body.audience)?;
        let now = self.ambient.now();
        let (issuer, configured, proof) = self.prove(&body.token).await?;
        let Named { principal, usage } = issuer.names(&self.settings.tenant, &proof)?;
        let spiffe_id = SpiffeId::new(self.pki.trust_domain().clone(), principal);
        let notes = Notes::default();
        note(&notes, |seen| {
            seen.actor = Some(spiffe_id.clone());
            seen.target = target(&issuer, &usage, &body.audience);
        });
        let holds = issuer.holds(&proof, now).map_err(Failure::from);
        let made = holds.and_then(|()| self.make_svid(&spiffe_id, &key, &body.audience, now));
        let token_ends_at = proof.expires_at;
        let thumbprint = key.thumbprint().to_string();
        // A refusal that is decided here is written down like any other, by the same job.
        let prepared = match made {
            Ok(svid) => {
                Ok(Candidate { issuer, configured, usage, token_ends_at, thumbprint, svid })
            }
            Err(Failure::Refused(refusal)) => Err(refusal),
            Err(fault) => return Err(fault),
        };
        let (service, action) = (self.clone(), request.action);
        let record = self.record(request, Arc::clone(&notes), now);
        let who = spiffe_id.clone();
        let work = async move |tx: &mut Tx<'_>| match &prepared {
            Ok(candidate) => {
                let issuer = candidate.issuer.name.as_str();
                let who = Itself { spiffe_id: &who, parents: &[], proven: true, issuer };
                service.ask_rules(action, &who, &notes)?;
                let granted = service.grant(tx, candidate, now).await?;
                note(&notes, |seen| seen.target.push_str(&serial_of(candidate)));
                Ok(granted)
            }
            Err(refusal) => Err(refusal.clone().into()),
        };
        let granted = self.store.write(Lane::Known, work, record).await?;
        self.report_svid(spiffe_id, granted, now)
    }

    /// Whose token it is, and what it says.
    async fn prove(&self, token: &str) -> Result<(WorkloadIssuer, bool, WorkloadProof), Failure> {
        let invalid = |_| Refusal::WorkloadTokenInvalid;
        let token = UnreadToken::new(token).map_err(invalid)?;
        let url = token.issuer().ok_or(Refusal::WorkloadTokenInvalid)?;
        let (issuer, configured) =
            self.workload_issuer(url)?.ok_or(Refusal::WorkloadTokenInvalid)?;
        let keys = self.platform_keys.of(&issuer, token.kid()).await?;
        let proof = read_proof(&token, &issuer.issuer, &keys).map_err(invalid)?;
        Ok((issuer, configured, proof))
    }

    /// The issuer whose tokens say `url`, and whether it stands in the configuration, which wins.
    fn workload_issuer(&self, url: &str) -> Result<Option<(WorkloadIssuer, bool)>, Failure> {
        let configured = &self.settings.workload_issuers;
        if let Some(issuer) = configured.iter().find(|issuer| issuer.issuer == url) {
            return Ok(Some((issuer.clone(), true)));
        }
        let tenant = &self.settings.tenant;
        let find = async |tx: &mut Tx<'_>| workload_issuers::by_url(tx, tenant, url).await;
        Ok(self.store.glance(find)?.map(|added| (added.issuer, false)))
    }

    fn make_svid(
        &self,
        spiffe_id: &SpiffeId,
        key: &PublicKey,
        audience: &[String],
        now: Timestamp,
    ) -> Result<Svid, Failure> {
        if audience.is_empty() {
            return Ok(Svid::Certificate(self.pki.issue_workload(spiffe_id, key)?));
        }
        let not_after = now + SVID_TTL;
        let svid = JwtSvid {
            spiffe_id: spiffe_id.clone(),
            audience: audience.to_vec(),
            issued_at: now,
            expires_at: not_after,
        };
        Ok(Svid::Token { text: self.pki.sign_jwt_svid(&svid)?, not_after })
    }

    /// The write: the issuer is still believed, the key is nobody else's, and the token may be used.
    async fn grant(
        &self,
        tx: &mut Tx<'_>,
        candidate: &Candidate,
        now: Timestamp,
    ) -> Result<Granted, Failure> {
        let Candidate { issuer, thumbprint, .. } = candidate;
        if !candidate.configured {
            let tenant = &self.settings.tenant;
            let kept = workload_issuers::by_url(tx, tenant, &issuer.issuer).await?;
            if kept.is_none_or(|kept| kept.issuer != *issuer) {
                return Err(Refusal::WorkloadTokenInvalid.into());
            }
        }
        may_be_workloads(tx, thumbprint, now).await?;
        match &candidate.usage {
            Use::Once { token } => use_once(tx, candidate, token, now).await,
            Use::Pod { pod, keys } => use_of_pod(tx, candidate, pod, *keys, now).await,
        }
    }

    fn report_svid(
        &self,
        spiffe_id: SpiffeId,
        granted: Granted,
        now: Timestamp,
    ) -> Result<WorkloadIssued, Failure> {
        let (certificate_chain, jwt_svid, not_after) = match granted {
            Granted::Certificate { der, not_after } => {
                (Some(self.pki.workload_chain_pem(&der)?), None, not_after)
            }
            Granted::Token { text, not_after } => (None, Some(text), not_after),
        };
        Ok(WorkloadIssued {
            spiffe_id,
            trust_domain: self.pki.trust_domain().clone(),
            certificate_chain,
            jwt_svid,
            trust_bundle: self.pki.trust_bundle_pem(),
            not_after: not_after.into(),
            renew_at: (not_after - SVID_TTL + SVID_RENEW_AFTER).into(),
            server_time: now.into(),
        })
    }
}

/// A job's token serves one key, and that key again: with the same certificate while it lives.
async fn use_once(
    tx: &mut Tx<'_>,
    candidate: &Candidate,
    token: &str,
    now: Timestamp,
) -> Result<Granted, Failure> {
    let digest = digest(&candidate.issuer, b"token", token);
    let first = workload_uses::first(tx, &digest).await?;
    let kept = match &first {
        Some(first) if first.thumbprint != candidate.thumbprint => {
            return Err(Refusal::WorkloadTokenUsed { at: first.used_at }.into());
        }
        Some(first) => first.certificate.clone().filter(|(_, end)| !end.is_over(now)),
        None => None,
    };
    if let (Some((der, not_after)), Svid::Certificate(_)) = (&kept, &candidate.svid) {
        return Ok(Granted::Certificate { der: der.clone(), not_after: *not_after });
    }
    let granted = granted(&candidate.svid);
    let certificate = match &granted {
        Granted::Certificate { der, not_after } => Some((der.clone(), *not_after)),
        Granted::Token { .. } => kept,
    };
    let usage = WorkloadUse {
        digest,
        thumbprint: candidate.thumbprint.clone(),
        used_at: first.map_or(now, |first| first.used_at),
        certificate,
        // The key is the job's as long as its SVID lives, which may be longer than the token.
        ends_at: candidate.token_ends_at.max(svid_ends_at(&candidate.svid)),
    };
    workload_uses::note(tx, &usage).await?;
    Ok(granted)
}

/// A pod has the same token for most of its life; what is counted is the keys that it brings.
async fn use_of_pod(
    tx: &mut Tx<'_>,
    candidate: &Candidate,
    pod: &str,
    keys: u32,
    now: Timestamp,
) -> Result<Granted, Failure> {
    let digest = digest(&candidate.issuer, b"pod", pod);
    let thumbprint = candidate.thumbprint.as_str();
    let (known, others) =
        workload_uses::keys_since(tx, &digest, thumbprint, now - POD_KEYS_WITHIN).await?;
    if !known && others >= keys {
        return Err(Refusal::RateLimited { retry_after: POD_KEYS_WITHIN }.into());
    }
    let usage = WorkloadUse {
        digest,
        thumbprint: thumbprint.to_owned(),
        used_at: now,
        certificate: None,
        ends_at: now + POD_KEYS_WITHIN,
    };
    workload_uses::note(tx, &usage).await?;
    Ok(granted(&candidate.svid))
}

fn svid_ends_at(svid: &Svid) -> Timestamp {
    match svid {
        Svid::Certificate(issued) => issued.not_after,
        Svid::Token { not_after, .. } => *not_after,
    }
}

fn granted(svid: &Svid) -> Granted {
    match svid {
        Svid::Certificate(issued) => {
            Granted::Certificate { der: issued.der.clone(), not_after: issued.not_after }
        }
        Svid::Token { text, not_after } => {
            Granted::Token { text: text.clone(), not_after: *not_after }
        }
    }
}

/// What uses are counted by: no two issuers, and no pod and token, share one.
fn digest(issuer: &WorkloadIssuer, kind: &[u8], name: &str) -> [u8; 32] {
    let issuer = sha256_of(&[issuer.issuer.as_bytes()]);
    sha256_of(&[b"landfall/workload-use/v1\0", &issuer, kind, b"\0", name.as_bytes()])
}

fn check_audience(audience: &[String]) -> Result<(), Failure> {
    if audience.len() <= SVID_AUDIENCES_MAX && audience.iter().all(|one| is_audience(one)) {
        return Ok(());
    }
    let why = format!(
        "name one to {SVID_AUDIENCES_MAX} audiences, each up to 256 printable characters without spaces"
    );
    Err(Failure::invalid("audience", why))
}

/// What the audit says that it was about: by whose word, of which pod or job, for what.
fn target(issuer: &WorkloadIssuer, usage: &Use, audience: &[String]) -> String {
    let who = match usage {
        Use::Once { token } => format!("token {}", shown(token)),
        Use::Pod { pod, .. } => format!("pod {}", shown(pod)),
    };
    let what = match audience {
        [] => "an X.509-SVID".to_owned(),
        all => format!("a JWT-SVID for {}", all.join(" ")),
    };
    format!("{what}, by {} {who}", issuer.name)
}

/// A name that a platform gave, fit for a line of the audit.
fn shown(name: &str) -> String {
    name.chars().filter(char::is_ascii_graphic).take(64).collect()
}

fn serial_of(candidate: &Candidate) -> String {
    match &candidate.svid {
        Svid::Certificate(issued) => format!(", serial {}", HEXLOWER.encode(&issued.serial)),
        Svid::Token { .. } => String::new(),
    }
}
