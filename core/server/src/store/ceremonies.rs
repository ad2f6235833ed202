//! Pending ceremonies. Everything about one is in its row, so that a restart, or another node, in
//! between changes nothing.

use super::{Row, StoreError, Tx, params};
use crate::ceremony::{Purpose, ReturnTo};
use landfall_identity::id::{CeremonyId, EnrollmentId, GrantId, PasskeyId, RecoveryId};
use landfall_identity::passkey::Attachment;
use landfall_identity::{DeviceName, Label, SpiffeId, TenantName, Timestamp, UserName};

/// Ceremonies that one key may have under way, a device's or a recovery's; the oldest makes room. Only
/// the key itself can push its own out.
pub const OPEN_PER_KEY: u32 = 4;

/// Who begins a ceremony.
#[derive(Clone)]
pub enum Beginner {
    /// A device of a user.
    Device {
        /// Whose it is.
        user: UserName,
        /// Its name as a principal.
        actor: SpiffeId,
        /// Its enrolment.
        enrollment: EnrollmentId,
    },
    /// A bare machine.
    Bare {
        /// Its recovery.
        recovery: RecoveryId,
    },
}

/// Who began a ceremony, as the rows know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BegunBy {
    /// A device of a user.
    Device {
        /// Its name as a principal.
        actor: SpiffeId,
        /// Its enrolment.
        enrollment: EnrollmentId,
        /// What its owner calls it.
        label: Option<Label>,
        /// The user's WebAuthn handle.
        handle: Vec<u8>,
    },
    /// A bare machine.
    Bare {
        /// Its recovery.
        recovery: RecoveryId,
        /// What it will be called.
        device: DeviceName,
    },
}

/// A ceremony that begins.
#[derive(Clone)]
pub struct NewCeremony {
    /// Its name.
    pub id: CeremonyId,
    /// What it is for.
    pub purpose: Purpose,
    /// Who begins it.
    pub by: Beginner,
    /// The key that begins it, and alone may redeem it.
    pub thumbprint: String,
    /// SHA-256 of the secret in the page's address.
    pub secret_hash: [u8; 32],
    /// The act to confirm, as the wire's JSON.
    pub act: Option<String>,
    /// In the challenge.
    pub nonce: [u8; 32],
    /// The kind of passkey that is asked for.
    pub attachment: Option<Attachment>,
    /// What a new passkey will be called.
    pub label: Option<Label>,
    /// Whether a new passkey must be one that is found without a user name.
    pub resident: bool,
    /// How the completion comes back.
    pub return_to: ReturnTo,
    /// Two digits for people.
    pub match_number: String,
    /// What the authenticator is asked.
    pub options: String,
    /// What its answer is checked against.
    pub expectation: String,
    /// The enrolment grant that a registration will spend.
    pub grant: Option<GrantId>,
    /// When it begins.
    pub begun_at: Timestamp,
    /// When it ends, if nobody touches before.
    pub expires_at: Timestamp,
    /// Tries of the completion.
    pub tries: u32,
}

/// How far a ceremony has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Waits for the touch.
    Begun,
    /// The touch was accepted; the app half may redeem it.
    Proved(Proved),
    /// Done.
    Redeemed,
    /// Over without effect.
    Failed,
}

/// What the browser half yielded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// When.
    pub at: Timestamp,
    /// Hash of the completion.
    pub completion_hash: Vec<u8>,
    /// The passkey of a step-up or a recovery.
    pub passkey: Option<PasskeyId>,
    /// A registration's new credential, as JSON.
    pub proof: Option<String>,
}

/// A ceremony as it is kept.
#[derive(Clone)]
pub struct CeremonyRow {
    /// Its name.
    pub id: CeremonyId,
    /// What it is for.
    pub purpose: Purpose,
    /// Its tenant.
    pub tenant: TenantName,
    /// Its user; of a recovery, whoever was named: they need not exist.
    pub user: UserName,
    /// Who began it.
    pub by: BegunBy,
    /// The key that began it.
    pub thumbprint: String,
    /// SHA-256 of the secret in the page's address.
    pub secret_hash: Vec<u8>,
    /// The act to confirm.
    pub act: Option<String>,
    /// The kind of passkey that is asked for.
    pub attachment: Option<Attachment>,
    /// What a new passkey will be called.
    pub label: Option<Label>,
    /// Whether a new passkey must be one that is found without a user name.
    pub resident: bool,
    /// How the completion comes back.
    pub return_to: ReturnTo,
    /// Two digits for people.
    pub match_number: String,
    /// What the authenticator is asked.
    pub options: String,
    /// What its answer is checked against.
    pub expectation: String,
    /// The grant that it will spend.
    pub grant: Option<GrantId>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Tries of the completion that are left.
    pub tries_left: u32,
    /// How far it has come.
    pub state: State,
}

/// Writes a new ceremony; of this key's older ones only the newest few stay.
///
/// # Errors
/// [`StoreError`].
pub async fn begin(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    new: &NewCeremony,
) -> Result<(), StoreError> {
    make_room(tx, &new.by, new.begun_at).await?;
    let (user, actor, enrollment, recovery) = match &new.by {
        Beginner::Device { user, actor, enrollment } => {
            (Some(user.as_str()), Some(actor.to_string()), Some(enrollment.as_str()), None)
        }
        Beginner::Bare { recovery } => (None, None, None, Some(recovery.as_str())),
    };
    let (port, path) = match &new.return_to {
        ReturnTo::Loopback(loopback) => {
            (Some(u32::from(loopback.port())), Some(loopback.path().to_owned()))
        }
        ReturnTo::Typed => (None, None),
    };
    tx.run(
        "INSERT INTO ceremonies (id, purpose, tenant, user_name, actor, enrollment, thumbprint, \
         secret_hash, act, nonce, attachment, label, return_port, return_path, match_number, \
         options, expectation, grant_id, state, begun_at, expires_at, tries_left, recovery, resident) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
         'begun', $19, $20, $21, $22, $23)",
        params![
            new.id.as_str(),
            new.purpose.as_str(),
            tenant.as_str(),
            user,
            actor,
            enrollment,
            new.thumbprint.as_str(),
            new.secret_hash.as_slice(),
            new.act.clone(),
            new.nonce.as_slice(),
            new.attachment.map(Attachment::as_str),
            new.label.as_ref().map(Label::as_str),
            port,
            path,
            new.match_number.as_str(),
            new.options.as_str(),
            new.expectation.as_str(),
            new.grant.as_ref().map(GrantId::as_str),
            new.begun_at,
            new.expires_at,
            new.tries,
            recovery,
            new.resident,
        ],
    )
    .await?;
    Ok(())
}

async fn make_room(tx: &mut Tx<'_>, by: &Beginner, now: Timestamp) -> Result<(), StoreError> {
    let (sql, key) = match by {
        Beginner::Device { enrollment, .. } => (
            "DELETE FROM ceremonies WHERE enrollment = $1 AND (expires_at <= $2 OR id NOT IN \
             (SELECT id FROM ceremonies WHERE enrollment = $1 \
              ORDER BY begun_at DESC, id LIMIT $3))",
            enrollment.as_str(),
        ),
        Beginner::Bare { recovery } => (
            "DELETE FROM ceremonies WHERE recovery = $1 AND (expires_at <= $2 OR id NOT IN \
             (SELECT id FROM ceremonies WHERE recovery = $1 \
              ORDER BY begun_at DESC, id LIMIT $3))",
            recovery.as_str(),
        ),
    };
    tx.run(sql, params![key, now, OPEN_PER_KEY - 1]).await?;
    Ok(())
}

/// The ceremony of that name.
///
/// # Errors
/// [`StoreError`].
pub async fn find(tx: &mut Tx<'_>, id: &CeremonyId) -> Result<Option<CeremonyRow>, StoreError> {
    let found = tx
        .one(
            "SELECT c.id, c.purpose, c.tenant, COALESCE(c.user_name, r.user_name), c.actor, \
             c.enrollment, c.secret_hash, \
             c.act, c.attachment, c.label, c.return_port, c.return_path, c.match_number, \
             c.options, c.expectation, c.grant_id, c.expires_at, c.tries_left, c.state, \
             c.proved_at, c.completion_hash, c.passkey, c.proof, u.webauthn_handle, e.label, \
             c.thumbprint, c.recovery, r.device, c.resident \
             FROM ceremonies c \
             LEFT JOIN users u ON u.tenant = c.tenant AND u.name = c.user_name \
             LEFT JOIN enrollments e ON e.id = c.enrollment \
             LEFT JOIN recoveries r ON r.id = c.recovery \
             WHERE c.id = $1",
            params![id.as_str()],
        )
        .await?;
    found.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<CeremonyRow, StoreError> {
    let purpose: String = row.get(1)?;
    let attachment: Option<String> = row.get(8)?;
    let attachment = attachment
        .map(|text| Attachment::parse(&text).ok_or(StoreError::Shape { column: 8 }))
        .transpose()?;
    Ok(CeremonyRow {
        id: row.parse(0)?,
        purpose: Purpose::parse(&purpose).ok_or(StoreError::Shape { column: 1 })?,
        tenant: row.parse(2)?,
        user: row.parse(3)?,
        by: begun_by(row)?,
        secret_hash: row.get(6)?,
        act: row.get(7)?,
        attachment,
        label: row.parse_option(9)?,
        return_to: return_to(row)?,
        match_number: row.get(12)?,
        options: row.get(13)?,
        expectation: row.get(14)?,
        grant: row.parse_option(15)?,
        expires_at: row.get(16)?,
        tries_left: row.get(17)?,
        state: state(row)?,
        thumbprint: row.get(25)?,
        resident: row.get(28)?,
    })
}

fn begun_by(row: &Row) -> Result<BegunBy, StoreError> {
    match row.parse_option(26)? {
        Some(recovery) => Ok(BegunBy::Bare { recovery, device: row.parse(27)? }),
        None => Ok(BegunBy::Device {
            actor: row.parse(4)?,
            enrollment: row.parse(5)?,
            label: row.parse_option(24)?,
            handle: row.get(23)?,
        }),
    }
}

fn return_to(row: &Row) -> Result<ReturnTo, StoreError> {
    let port: Option<u32> = row.get(10)?;
    let path: Option<String> = row.get(11)?;
    match (port, path) {
        (Some(port), Some(path)) => u16::try_from(port)
            .ok()
            .and_then(|port| ReturnTo::loopback(port, path).ok())
            .ok_or(StoreError::Shape { column: 10 }),
        _ => Ok(ReturnTo::Typed),
    }
}

fn state(row: &Row) -> Result<State, StoreError> {
    let state: String = row.get(18)?;
    match state.as_str() {
        "begun" => Ok(State::Begun),
        "redeemed" => Ok(State::Redeemed),
        "failed" => Ok(State::Failed),
        "proved" => Ok(State::Proved(Proved {
            at: row.get(19)?,
            completion_hash: row.get(20)?,
            passkey: row.parse_option(21)?,
            proof: row.get(22)?,
        })),
        _ => Err(StoreError::Shape { column: 18 }),
    }
}

/// Accepts the touch, if the ceremony still waits for one; from now on it lives until
/// `redeem_before`. Answers whether it did.
///
/// # Errors
/// [`StoreError`].
pub async fn prove(
    tx: &mut Tx<'_>,
    id: &CeremonyId,
    proved: &Proved,
    redeem_before: Timestamp,
) -> Result<bool, StoreError> {
    let changed = tx
        .run(
            "UPDATE ceremonies SET state = 'proved', proved_at = $2, completion_hash = $3, \
             passkey = $4, proof = $5, expires_at = $6 \
             WHERE id = $1 AND state = 'begun' AND expires_at > $2",
            params![
                id.as_str(),
                proved.at,
                proved.completion_hash.as_slice(),
                proved.passkey.as_ref().map(PasskeyId::as_str),
                proved.proof.clone(),
                redeem_before,
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// Ends a ceremony that has yielded nothing yet.
///
/// # Errors
/// [`StoreError`].
pub async fn fail(tx: &mut Tx<'_>, id: &CeremonyId) -> Result<(), StoreError> {
    let sql = "UPDATE ceremonies SET state = 'failed' WHERE id = $1 AND state = 'begun'";
    tx.run(sql, params![id.as_str()]).await?;
    Ok(())
}

/// Pays for one look at a completion. A try is paid *before* it is looked at, in a transaction of its
/// own, so that many at once cannot buy more than there are. Only the key that began can pay.
///
/// # Errors
/// [`StoreError`].
pub async fn pay_try(
    tx: &mut Tx<'_>,
    id: &CeremonyId,
    thumbprint: &str,
) -> Result<bool, StoreError> {
    let changed = tx
        .run(
            "UPDATE ceremonies SET tries_left = tries_left - 1 \
             WHERE id = $1 AND thumbprint = $2 AND state = 'proved' AND tries_left > 0",
            params![id.as_str(), thumbprint],
        )
        .await?;
    Ok(changed == 1)
}

/// Takes what a proved ceremony yielded, once. Answers whether this call was the one.
///
/// # Errors
/// [`StoreError`].
pub async fn redeem(
    tx: &mut Tx<'_>,
    id: &CeremonyId,
    thumbprint: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = tx
        .run(
            "UPDATE ceremonies SET state = 'redeemed' \
             WHERE id = $1 AND thumbprint = $2 AND state = 'proved' AND expires_at > $3",
            params![id.as_str(), thumbprint, now],
        )
        .await?;
    Ok(changed == 1)
}
