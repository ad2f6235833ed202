//! Linking on the device that lets another in: find it, touch, meet it, compare, approve.

use crate::ask::Ask;
use crate::client::Client;
use crate::enroll::misplaced;
use crate::failure::Failure;
use crate::link::tampered;
use crate::shell::Shell;
use crate::state::Profile;
use crate::texts;
use landfall_crypto::Thumbprint;
use landfall_crypto::link::{LinkNonce, LinkScan, LinkText, LinkTranscript, parse_word, word_text};
use landfall_crypto::recovery_code::device_check;
use landfall_crypto::secret::ct_eq;
use landfall_crypto::server_line::ServerLine;
use landfall_crypto::token::Trust;
use landfall_identity::Action;
use landfall_protocol::ceremony::BoundActBody;
use landfall_protocol::link::{LinkClaimRequest, LinkFindRequest, LinkInfo, LinkRevealRequest};
use landfall_protocol::session::SessionOpened;
use landfall_protocol::{ErrorCode, paths};
use std::time::Duration;

/// How often the new device's answer is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// How often at the most: a minute, and nobody waits for a machine that is off.
const LOOKS_MAX: u32 = 150;

/// A new device that shows the code which the person typed. Nothing was done about it yet.
pub struct LinkOffer {
    client: Client,
    info: LinkInfo,
}

/// Two devices that have told each other everything. What is left is for the person to compare.
pub struct LinkMeeting {
    client: Client,
    info: LinkInfo,
    session: SessionOpened,
    check_code: String,
}

impl Client {
    /// Looks for the new device that shows `typed`: eight characters, or what the camera read.
    ///
    /// # Errors
    /// `link-unknown`, `link-taken`; `link-tampered` when what the server says does not fit what the new
    /// device shows; `server-not-trusted` when that device speaks to another server.
    pub async fn find_link(&self, typed: &str) -> Result<LinkOffer, Failure> {
        let shown = LinkText::parse(typed);
        let shown = shown.map_err(|_| Failure::new(ErrorCode::LinkUnknown, texts::LINK_SHAPE))?;
        let profile = self.profile()?;
        if let LinkText::Scanned(scan) = &shown {
            same_server(scan, &profile)?;
        }
        let body = LinkFindRequest { code: shown.code().to_owned() };
        let ask = Ask::post(Action::FindLink, paths::LINK_FIND).json(&body)?.repeatable();
        let info: LinkInfo = self.ask(ask).await?;
        let (_, user, _) = profile.names().ok_or_else(misplaced)?;
        let fits = device_check(&info.id, &info.thumbprint) == shown.code()
            && info.user == *user
            && match &shown {
                LinkText::Typed(_) => true,
                LinkText::Scanned(scan) => scan.key.as_str() == info.thumbprint,
            };
        if fits { Ok(LinkOffer { client: self.clone(), info }) } else { Err(tampered()) }
    }
}

/// A device that believes another server to be ours must not be let in here.
fn same_server(scan: &LinkScan, profile: &Profile) -> Result<(), Failure> {
    let ServerLine { url, trust } = &scan.server;
    let pins_differ = match (trust, &profile.trust) {
        (Trust::Pin(theirs), Trust::Pin(ours)) => theirs != ours,
        _ => false,
    };
    if url.origin() != profile.server.origin() || pins_differ {
        return Err(Failure::new(ErrorCode::ServerNotTrusted, texts::LINK_OTHER_SERVER));
    }
    Ok(())
}

impl LinkOffer {
    /// What the server says of it: name, where from, since when.
    pub fn info(&self) -> &LinkInfo {
        &self.info
    }

    /// The person approves exactly this device and key with their passkey; then the two devices tell
    /// each other what each has added.
    ///
    /// # Errors
    /// What the server says; `link-out-of-turn` when the new device does not answer within a minute;
    /// `link-tampered`.
    pub async fn meet(self, shell: &dyn Shell) -> Result<LinkMeeting, Failure> {
        let Self { client, info } = self;
        let session = client.step_up(Some(act(&info)), None, shell).await?;
        let nonce = LinkNonce::generate(client.ambient().random.as_ref());
        let body = LinkClaimRequest { commitment: word_text(&nonce.commitment(&info.id)) };
        let path = paths::fill(paths::LINK_CLAIM, &[info.id.as_str()]);
        let ask = Ask::post(Action::ClaimLink, path).json(&body)?;
        let claimed: LinkInfo = client.ask(ask.bound_to(session.clone()).repeatable()).await?;
        let met = match same_device(&info, &claimed) {
            Ok(()) => exchange(&client, &info, &nonce).await,
            Err(failure) => Err(failure),
        };
        match met {
            Ok(check_code) => Ok(LinkMeeting { client, info, session, check_code }),
            Err(failure) => {
                // The new device hears at once that nothing comes of it.
                if let Err(unstopped) = stop(&client, &info).await {
                    tracing::debug!(code = %unstopped.code(), "the link ends by itself");
                }
                Err(failure)
            }
        }
    }
}

/// Takes the new device's word, gives this one's, and computes the six digits.
async fn exchange(client: &Client, info: &LinkInfo, nonce: &LinkNonce) -> Result<String, Failure> {
    let answer = parse_word(&answer_of(client, info).await?).map_err(|_| tampered())?;
    // Only now that the other word is in hand does the server see what was committed to.
    let body = LinkRevealRequest { nonce: nonce.to_text().to_string() };
    let path = paths::fill(paths::LINK_REVEAL, &[info.id.as_str()]);
    let ask = Ask::post(Action::RevealLink, path).json(&body)?.repeatable();
    let revealed: LinkInfo = client.ask(ask).await?;
    same_device(info, &revealed)?;
    let profile = client.profile()?;
    let (tenant, user, device) = profile.names().ok_or_else(misplaced)?;
    let thumbprint = |text: &str| Thumbprint::parse(text).map_err(|_| tampered());
    let transcript = LinkTranscript {
        server: profile.server.origin().ascii_serialization(),
        tenant: tenant.clone(),
        user: user.clone(),
        link: info.id.clone(),
        device: info.device.clone(),
        key: thumbprint(&info.thumbprint)?,
        approver: device.clone(),
        approver_key: thumbprint(&profile.key.thumbprint)?,
        commitment: nonce.commitment(&info.id),
        answer,
        reveal: *nonce.word(),
    };
    Ok(transcript.check_code())
}

async fn stop(client: &Client, info: &LinkInfo) -> Result<LinkInfo, Failure> {
    let path = paths::fill(paths::LINK_STOP, &[info.id.as_str()]);
    client.ask(Ask::post(Action::StopLink, path)).await
}

/// Waits for what the new device adds.
async fn answer_of(client: &Client, info: &LinkInfo) -> Result<String, Failure> {
    let path = paths::fill(paths::LINK, &[info.id.as_str()]);
    for _ in 0..LOOKS_MAX {
        let seen: LinkInfo = client.ask(Ask::get(Action::WatchLink, path.as_str())).await?;
        same_device(info, &seen)?;
        match seen.answer {
            Some(answer) => return Ok(answer),
            None => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
    Err(Failure::new(ErrorCode::LinkOutOfTurn, texts::LINK_NO_ANSWER))
}

/// What the person has approved must stay what it was.
fn same_device(before: &LinkInfo, now: &LinkInfo) -> Result<(), Failure> {
    let facts = |info: &LinkInfo| {
        (info.id.clone(), info.user.clone(), info.device.clone(), info.thumbprint.clone())
    };
    if facts(before) == facts(now) { Ok(()) } else { Err(tampered()) }
}

fn act(info: &LinkInfo) -> BoundActBody {
    BoundActBody::ApproveLink {
        link: info.id.clone(),
        user: info.user.clone(),
        device: info.device.clone(),
        thumbprint: info.thumbprint.clone(),
    }
}

impl LinkMeeting {
    /// The link.
    pub fn info(&self) -> &LinkInfo {
        &self.info
    }

    /// The six digits, as this device has computed them: for a screen that shows both side by side.
    pub fn check_code(&self) -> &str {
        &self.check_code
    }

    /// Whether what the person read off the new device is what this one has computed.
    pub fn is_equal(&self, typed: &str) -> bool {
        let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
        ct_eq(digits.as_bytes(), self.check_code.as_bytes())
    }

    /// Lets the new device in, with the digits that it shows.
    ///
    /// # Errors
    /// `check-code-wrong` for other digits, and nothing is approved; what the server says. Somebody who
    /// takes longer than the touch is good for is asked to touch again.
    pub async fn approve(&self, typed: &str, shell: &dyn Shell) -> Result<LinkInfo, Failure> {
        if !self.is_equal(typed) {
            return Err(Failure::new(ErrorCode::CheckCodeWrong, texts::LINK_DIGITS_DIFFER));
        }
        let late = |failure: &Failure| {
            matches!(failure.code(), ErrorCode::SessionOver | ErrorCode::StepUpRequired)
        };
        match self.approve_with(self.session.clone()).await {
            Err(failure) if late(&failure) => {
                let session = self.client.step_up(Some(act(&self.info)), None, shell).await?;
                self.approve_with(session).await
            }
            other => other,
        }
    }

    async fn approve_with(&self, session: SessionOpened) -> Result<LinkInfo, Failure> {
        let path = paths::fill(paths::LINK_APPROVE, &[self.info.id.as_str()]);
        let ask = Ask::post(Action::ApproveLink, path).bound_to(session).repeatable();
        self.client.ask(ask).await
    }

    /// That device is not in front of the person: nothing comes of it.
    ///
    /// # Errors
    /// What the server says.
    pub async fn stop(self) -> Result<LinkInfo, Failure> {
        stop(&self.client, &self.info).await
    }
}
