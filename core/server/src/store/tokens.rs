//! Bootstrap tokens.

use super::{Row, StoreError, Tx, params};
use landfall_identity::caller::Role;
use landfall_identity::id::{EnrollmentId, TokenId};
use landfall_identity::token::{TokenKind, TokenState};
use landfall_identity::{DeviceName, TenantName, Timestamp, UserName};

/// A token. Of its secret only a hash is known here.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its public name.
    pub id: TokenId,
    /// Where.
    pub tenant: TenantName,
    /// What for.
    pub kind: TokenKind,
    /// Whom it signs in; open for a claim.
    pub user: Option<UserName>,
    /// Which device it enrols; may be open.
    pub device: Option<DeviceName>,
    /// The role of a user that it makes.
    pub role: Role,
    /// SHA-256 of the `auth` half.
    pub auth_hash: [u8; 32],
    /// Where it stands.
    pub state: TokenState,
    /// Who made it, as a SPIFFE ID; nobody for the server's own.
    pub issued_by: Option<String>,
    /// The user who made it.
    pub issuer: Option<UserName>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When its time is over.
    pub expires_at: Timestamp,
    /// What it enrolled.
    pub enrollment: Option<EnrollmentId>,
    /// The device that it enrolled.
    pub consumed_device: Option<DeviceName>,
    /// The certificate that it yielded, by serial.
    pub certificate: Option<String>,
    /// Refused tries by those who knew its public name.
    pub refused_tries: u32,
}

fn read(row: &Row) -> Result<Token, StoreError> {
    let shape = |column| StoreError::Shape { column };
    let kind: String = row.get(2)?;
    let role: String = row.get(5)?;
    let hash: Vec<u8> = row.get(6)?;
    let state: String = row.get(7)?;
    let state = match state.as_str() {
        "issued" => TokenState::Issued,
        "consumed" => TokenState::Consumed { at: row.get(12)?, by: row.get(13)? },
        "cancelled" => TokenState::Cancelled { at: row.get(16)? },
        _ => return Err(shape(7)),
    };
    Ok(Token {
        id: row.parse(0)?,
        tenant: row.parse(1)?,
        kind: TokenKind::parse(&kind).ok_or(shape(2))?,
        user: row.parse_option(3)?,
        device: row.parse_option(4)?,
        role: Role::parse(&role).ok_or(shape(5))?,
        auth_hash: hash.try_into().map_err(|_| shape(6))?,
        state,
        issued_by: row.get(8)?,
        issuer: row.parse_option(9)?,
        issued_at: row.get(10)?,
        expires_at: row.get(11)?,
        enrollment: row.parse_option(14)?,
        certificate: row.get(15)?,
        refused_tries: row.get(17)?,
        consumed_device: row.parse_option(18)?,
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.tenant, t.kind, t.user_name, t.device, t.role, t.auth_hash, t.state, ",
            "t.issued_by, t.issuer, t.issued_at, t.expires_at, t.consumed_at, t.consumed_by, ",
            "t.enrollment, t.certificate, t.cancelled_at, t.refused_tries, e.device ",
            "FROM tokens t LEFT JOIN enrollments e ON e.id = t.enrollment ",
            $rest
        )
    };
}

/// A token by its public name. Anybody may hold the name; the secret is compared by the caller.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn find(tx: &mut Tx<'_>, id: &TokenId) -> Result<Option<Token>, StoreError> {
    let row = tx.one(select!("WHERE t.id = $1"), params![id.as_str()]).await?;
    row.as_ref().map(read).transpose()
}

/// A token by the hash of its secret: how a repeated minting finds the first one.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn by_auth_hash(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    auth_hash: &[u8; 32],
) -> Result<Option<Token>, StoreError> {
    let row = tx
        .one(
            select!("WHERE t.tenant = $1 AND t.auth_hash = $2"),
            params![tenant.as_str(), auth_hash.as_slice()],
        )
        .await?;
    row.as_ref().map(read).transpose()
}

/// A page of the tokens that a user made, newest first, older than `before`.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    issuer: &UserName,
    before: (Timestamp, &str),
    limit: u32,
) -> Result<Vec<Token>, StoreError> {
    let rows = tx
        .all(
            select!(
                "WHERE t.tenant = $1 AND t.issuer = $2
                 AND (t.issued_at < $3 OR (t.issued_at = $3 AND t.id < $4))
                 ORDER BY t.issued_at DESC, t.id DESC LIMIT $5"
            ),
            params![tenant.as_str(), issuer.as_str(), before.0, before.1, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Counts the tokens of a user that can still be used.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_open(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    issuer: &UserName,
    now: Timestamp,
) -> Result<u32, StoreError> {
    let row = tx
        .one(
            "SELECT COUNT(*) FROM tokens
             WHERE tenant = $1 AND issuer = $2 AND state = 'issued' AND expires_at > $3",
            params![tenant.as_str(), issuer.as_str(), now],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Adds a token.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn insert(tx: &mut Tx<'_>, token: &Token) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO tokens (id, tenant, kind, user_name, device, role, auth_hash, state,
             issued_by, issuer, issued_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'issued', $8, $9, $10, $11)",
        params![
            token.id.as_str(),
            token.tenant.as_str(),
            token.kind.as_str(),
            token.user.as_ref().map(UserName::as_str),
            token.device.as_ref().map(DeviceName::as_str),
            token.role.as_str(),
            token.auth_hash.as_slice(),
            token.issued_by.as_deref(),
            token.issuer.as_ref().map(UserName::as_str),
            token.issued_at,
            token.expires_at,
        ],
    )
    .await?;
    Ok(())
}

/// The one place where a token is used up. `false` when it can no longer be: somebody was faster, or
/// its time is over.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn consume(
    tx: &mut Tx<'_>,
    id: &TokenId,
    thumbprint: &str,
    enrollment: &EnrollmentId,
    certificate: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = tx
        .run(
            "UPDATE tokens SET state = 'consumed', consumed_at = $2, consumed_by = $3,
                 enrollment = $4, certificate = $5
             WHERE id = $1 AND state = 'issued' AND expires_at > $2",
            params![id.as_str(), now, thumbprint, enrollment.as_str(), certificate],
        )
        .await?;
    Ok(changed == 1)
}

/// Withdraws a token; `false` when it was used or withdrawn before.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn cancel(tx: &mut Tx<'_>, id: &TokenId, now: Timestamp) -> Result<bool, StoreError> {
    let changed = tx
        .run(
            "UPDATE tokens SET state = 'cancelled', cancelled_at = $2
             WHERE id = $1 AND state = 'issued'",
            params![id.as_str(), now],
        )
        .await?;
    Ok(changed == 1)
}

/// Withdraws the other open tokens of a kind: all claims once an administrator exists, all
/// invitations of a user who exists now. `kept` is the one in hand.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn cancel_others(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    kind: TokenKind,
    user: Option<&UserName>,
    kept: &TokenId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.run(
        "UPDATE tokens SET state = 'cancelled', cancelled_at = $4
         WHERE tenant = $1 AND kind = $2 AND ($3 IS NULL OR user_name = $3)
           AND state = 'issued' AND id <> $5",
        params![tenant.as_str(), kind.as_str(), user.map(UserName::as_str), now, kept.as_str(),],
    )
    .await
}

/// Withdraws the tokens of the server's own making that a user can still use: each emergency code takes
/// the place of the one before.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn cancel_servers_own(
    tx: &mut Tx<'_>,
    tenant: &TenantName,
    user: &UserName,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.run(
        "UPDATE tokens SET state = 'cancelled', cancelled_at = $3
         WHERE tenant = $1 AND user_name = $2 AND issued_by IS NULL AND state = 'issued'",
        params![tenant.as_str(), user.as_str(), now],
    )
    .await
}

/// Counts a refused try, so that the owner sees it.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_refusal(tx: &mut Tx<'_>, id: &TokenId) -> Result<(), StoreError> {
    tx.run(
        "UPDATE tokens SET refused_tries = refused_tries + 1 WHERE id = $1",
        params![id.as_str()],
    )
    .await?;
    Ok(())
}
