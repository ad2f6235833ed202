//! A machine claims itself: with the file that an operator had made for it, and the words that open it. The
//! key in the file proves who this is, once; the key that this machine makes takes its place.

use crate::ask::{check_version, read_json};
use crate::client::{Client, key_handle};
use crate::enroll::Enrolled;
use crate::failure::Failure;
use crate::http::{Http, Request};
use crate::loss::Loss;
use crate::renew::renew;
use crate::state::ProfileName;
use crate::texts;
use crate::tls::DeviceIdentity;
use data_encoding::HEXLOWER;
use landfall_crypto::credential::CredentialFacts;
use landfall_crypto::passphrase::{self, PassphraseError};
use landfall_crypto::secret::{SecretBytes, SecretText, sha256};
use landfall_crypto::self_signed::self_signed;
use landfall_crypto::{KeyPair, Signer};
use landfall_flows::KeyRef;
use landfall_identity::Seconds;
use landfall_keystore::MemoryKeyStore;
use landfall_protocol::enroll::CertIssued;
use landfall_protocol::meta::WellKnown;
use landfall_protocol::provisioned::ClaimRequest;
use landfall_protocol::session::{SessionOpenRequest, SessionOpened};
use landfall_protocol::{ErrorCode, paths};
use reqwest::Method;
use serde::Serialize;
use std::fs::File;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What the key in the file is called while it is in memory; it never lies in a key store.
const HANDED_OUT: &str = "handed-out";
/// How long the certificate lives that the key makes for itself. The server looks at the key alone.
const SELF_SIGNED_TTL: Seconds = Seconds::hours(1);

/// A machine's file that is open, and waits for a yes.
pub struct Claiming {
    client: Client,
    facts: CredentialFacts,
    key: KeyPair,
    _lock: File,
}

/// Opens a file that a phrase sealed: a machine's key, or anything that an age tool made. White space that a
/// paste brought along does not matter.
///
/// # Errors
/// `passphrase-wrong`, `credential-unreadable`.
pub fn reveal(file: &[u8], phrase: &SecretText) -> Result<SecretBytes, Failure> {
    let words: Vec<&str> = phrase.split_whitespace().collect();
    let tidy = SecretText::new(words.join(" "));
    let opened = match passphrase::open(file, &tidy) {
        // Somebody else's file may be sealed by a phrase with other white space.
        Err(PassphraseError::Wrong) if *tidy != **phrase => passphrase::open(file, phrase),
        opened => opened,
    };
    opened.map_err(|error| match error {
        PassphraseError::Wrong | PassphraseError::Empty => {
            Failure::new(ErrorCode::PassphraseWrong, texts::PASSPHRASE_WRONG)
        }
        PassphraseError::Malformed | PassphraseError::Library => {
            Failure::new(ErrorCode::CredentialUnreadable, texts::NOT_SEALED)
        }
    })
}

impl Client {
    /// Opens a machine's file and prepares to claim it. Nothing is sent: whatever is wrong with file, words or
    /// this machine is found before the key is used.
    ///
    /// # Errors
    /// `passphrase-wrong`, `credential-unreadable`, `credential-expired`, `profile-exists` (unless
    /// `replace`), `state-unwritable`, `key-unavailable`.
    pub fn claim(
        &self,
        file: &[u8],
        phrase: &SecretText,
        replace: bool,
    ) -> Result<Claiming, Failure> {
        let text = reveal(file, phrase)?;
        let (facts, key) = CredentialFacts::parse(text.expose()).map_err(|error| {
            let detail = format!("{} ({error})", texts::NO_CREDENTIAL);
            Failure::new(ErrorCode::CredentialUnreadable, detail)
        })?;
        let lock = self.prepare_identity()?;
        if !replace {
            self.refuse_to_replace(&facts.server)?;
        }
        Ok(Claiming { client: self.clone(), facts, key, _lock: lock })
    }
}

impl Claiming {
    /// Where, and as whom: what to show before the person says yes.
    pub fn facts(&self) -> &CredentialFacts {
        &self.facts
    }

    /// Makes a key here and puts it in the place of the one in the file. After a lost answer the same file leads
    /// to the same end.
    ///
    /// # Errors
    /// `credential-claimed` when somebody else was here before; `credential-expired`; `device-suspended`, ...
    /// An identity that was here before is untouched.
    pub async fn run(self) -> Result<Enrolled, Failure> {
        let Self { client, facts, key, .. } = &self;
        let handed_out = key.public_key().thumbprint();
        // The same file makes the same name, so that the key of an interrupted try is found again.
        let name =
            format!("machine-{}", HEXLOWER.encode(&sha256(handed_out.as_str().as_bytes())[..16]));
        let own = client.create_key(&name)?;
        let issued = match self.swap(&own).await {
            Err(failure) if failure.code() == ErrorCode::CredentialClaimed => {
                self.claimed_by_us(&own).await.ok_or(failure)
            }
            other => other,
        };
        if let Err(failure) = &issued
            && failure.code() == ErrorCode::CredentialClaimed
        {
            client.delete_key_unless_used(&name);
        }
        client.keep_identity(&facts.server, facts.trust, own, issued?)?;
        client.reload().await;
        let name = ProfileName::of(&facts.server);
        let missing = || Failure::new(ErrorCode::NoProfile, texts::NO_PROFILE);
        let profile = client.home().profile(&name)?.ok_or_else(missing)?;
        Ok(Enrolled { name, profile })
    }

    /// Claims by a connection of the key in the file.
    async fn swap(&self, own: &KeyRef) -> Result<CertIssued, Failure> {
        let Self { client, facts, .. } = self;
        let http = Http::new(&facts.server, facts.trust, Some(self.identity()?), client.ambient())?;
        let well_known = http.send(&Request::new(Method::GET, paths::WELL_KNOWN)).await?;
        check_version(&read_json::<WellKnown>(&well_known)?)?;
        let mut open = post(paths::SESSION, &SessionOpenRequest {});
        (open.repeatable, open.loss) = (true, Loss::Nothing);
        let session: SessionOpened = read_json(&http.send(&open).await?)?;
        let csr = client.build_csr(own)?;
        let mut claim = post(paths::CLAIM_CREDENTIAL, &ClaimRequest { csr });
        // A claim of ours that went through is found by the key that it named.
        claim.loss = Loss::Again;
        claim.token = Some(Zeroizing::new(session.token));
        read_json(&http.send(&claim).await?)
    }

    /// When an earlier try of ours went through and its answer was lost, the new key is known already.
    async fn claimed_by_us(&self, own: &KeyRef) -> Option<CertIssued> {
        let Self { client, facts, .. } = self;
        let http = Http::new(&facts.server, facts.trust, None, client.ambient()).ok()?;
        renew(&http, &facts.server, own, client).await.ok()
    }

    /// The key in the file, as TLS uses it: in memory, with a certificate that it makes for itself.
    fn identity(&self) -> Result<DeviceIdentity, Failure> {
        let unusable = || Failure::new(ErrorCode::KeyUnavailable, texts::KEY_UNAVAILABLE);
        let now = self.client.ambient().now();
        let (from, to) = (now - SELF_SIGNED_TTL, now + SELF_SIGNED_TTL);
        let certificate = self_signed(&self.key, from, to).map_err(|_| unusable())?;
        let pkcs8 = self.key.to_pkcs8().map_err(|_| unusable())?;
        let copy = KeyPair::from_pkcs8(pkcs8.expose()).map_err(|_| unusable())?;
        let handle = key_handle(HANDED_OUT)?;
        Ok(DeviceIdentity {
            keys: Arc::new(MemoryKeyStore::holding(handle.clone(), copy)),
            handle,
            chain: pem::encode(&pem::Pem::new("CERTIFICATE", certificate)),
        })
    }
}

fn post(path: &'static str, body: &impl Serialize) -> Request {
    let mut request = Request::new(Method::POST, path);
    request.body = serde_json::to_vec(body).ok().map(Zeroizing::new);
    request
}
