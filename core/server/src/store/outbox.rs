//! Mails, and calls of webhooks, on their way: put there by the act's own transaction, taken on by one node at a time.

use super::{Row, StoreError, Tx, notices, params};
use landfall_identity::id::{AddressId, NodeId, NoticeId, ParcelId, RecoveryMailId};
use landfall_identity::notice::Notice;
use landfall_identity::{MailAddress, TenantName, Timestamp, UserName};

/// The longest text of a fault that is kept, in bytes.
const FAULT_MAX: usize = 300;

/// What a mail is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// It tells of one notice.
    Notice(NoticeId),
    /// It tells of everything of one kind from this notice on.
    Summary(NoticeId),
    /// It carries the code of an address.
    Code(AddressId),
    /// It carries a code to get back into an account.
    RecoveryCode {
        /// What it was asked for by.
        asked: RecoveryMailId,
        /// Which address it goes to.
        address: AddressId,
    },
}

/// How something goes out. Each channel is worked off by itself: one that is slow holds up no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// By mail.
    Mail,
    /// By a POST.
    Webhook,
}

impl Channel {
    /// Its text, in rows and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }
}

/// Where something goes, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// By mail.
    Mail(MailAddress),
    /// By a POST to this URL.
    Webhook(String),
}

impl Recipient {
    /// The address, or the URL.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Mail(address) => address.as_str(),
            Self::Webhook(url) => url,
        }
    }

    /// How it goes out.
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Mail(_) => Channel::Mail,
            Self::Webhook(_) => Channel::Webhook,
        }
    }
}

impl Purpose {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Notice(_) => "notice",
            Self::Summary(_) => "summary",
            Self::Code(_) | Self::RecoveryCode { .. } => "code",
        }
    }
}

/// A mail, or a call, on its way.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Its identifier.
    pub id: ParcelId,
    /// Where.
    pub tenant: TenantName,
    /// Whose account it is about.
    pub user: UserName,
    /// What for.
    pub purpose: Purpose,
    /// The kind of what it tells of.
    pub kind: String,
    /// Where it goes.
    pub recipient: Recipient,
    /// When it was put here.
    pub made_at: Timestamp,
    /// When it shall go out.
    pub due_at: Timestamp,
    /// How often that was tried.
    pub attempts: u32,
}

/// How a mail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The mail server took it.
    Delivered,
    /// Nobody took it for too long.
    GivenUp,
    /// Nobody waits for it any more.
    Moot,
}

impl Ended {
    /// Its text, in rows and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::GivenUp => "given-up",
            Self::Moot => "moot",
        }
    }
}

/// Puts a mail there; once for each notice and recipient.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn put(tx: &mut Tx<'_>, parcel: &Parcel) -> Result<(), StoreError> {
    let (notice, address, asked) = match &parcel.purpose {
        Purpose::Notice(id) | Purpose::Summary(id) => (Some(id.as_str()), None, None),
        Purpose::Code(id) => (None, Some(id.as_str()), None),
        Purpose::RecoveryCode { asked, address } => {
            (None, Some(address.as_str()), Some(asked.as_str()))
        }
    };
    tx.run(
        "INSERT INTO outbox (id, tenant, user_name, purpose, kind, notice, address, recipient,
                             made_at, due_at, recovery_mail, channel)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (notice, recipient) DO NOTHING",
        params![
            parcel.id.as_str(),
            parcel.tenant.as_str(),
            parcel.user.as_str(),
            parcel.purpose.as_str(),
            parcel.kind.as_str(),
            notice,
            address,
            parcel.recipient.as_str(),
            parcel.made_at,
            parcel.due_at,
            asked,
            parcel.recipient.channel().as_str(),
        ],
    )
    .await?;
    Ok(())
}

/// How many single mails of one kind an account has caused to one recipient since `since`.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_single(
    tx: &mut Tx<'_>,
    of: &Parcel,
    since: Timestamp,
) -> Result<u32, StoreError> {
    let row = tx
        .one(
            "SELECT COUNT(*) FROM outbox WHERE tenant = $1 AND user_name = $2 AND kind = $3
               AND made_at > $4 AND recipient = $5 AND purpose <> 'summary'",
            params![
                of.tenant.as_str(),
                of.user.as_str(),
                of.kind.as_str(),
                since,
                of.recipient.as_str(),
            ],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// How many codes an account has had mailed since `since`, and how many went to this recipient,
/// whoever asked.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn count_codes(
    tx: &mut Tx<'_>,
    of: &Parcel,
    since: Timestamp,
) -> Result<(u32, u32), StoreError> {
    let asked = tx
        .one(
            "SELECT COUNT(*) FROM outbox
             WHERE tenant = $1 AND user_name = $2 AND kind = $3 AND made_at > $4",
            params![of.tenant.as_str(), of.user.as_str(), of.kind.as_str(), since],
        )
        .await?;
    let received = tx
        .one(
            "SELECT COUNT(*) FROM outbox WHERE recipient = $1 AND kind = $2 AND made_at > $3",
            params![of.recipient.as_str(), of.kind.as_str(), since],
        )
        .await?;
    let number = |row: Option<Row>| row.map_or(Ok(0), |row| row.get(0));
    Ok((number(asked)?, number(received)?))
}

/// Whether a summary of this kind waits for this recipient, untouched: it will tell of what comes now.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn summary_waits(tx: &mut Tx<'_>, of: &Parcel) -> Result<bool, StoreError> {
    let row = tx
        .one(
            "SELECT 1 FROM outbox WHERE tenant = $1 AND user_name = $2 AND kind = $3
               AND recipient = $4 AND purpose = 'summary' AND attempts = 0 AND ended_at IS NULL
             LIMIT 1",
            params![of.tenant.as_str(), of.user.as_str(), of.kind.as_str(), of.recipient.as_str()],
        )
        .await?;
    Ok(row.is_some())
}

/// Whether anything is due on a channel. A look that keeps the writer out of idle hours.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn any_due(
    tx: &mut Tx<'_>,
    channel: Channel,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row = tx
        .one(
            "SELECT 1 FROM outbox WHERE ended_at IS NULL AND due_at <= $1
               AND (leased_until IS NULL OR leased_until <= $1) AND channel = $2 LIMIT 1",
            params![now, channel.as_str()],
        )
        .await?;
    Ok(row.is_some())
}

/// Takes on what is due on a channel, at most `limit`, until `until`. An attempt counts when it begins: one
/// that never ends was one, too.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn lease(
    tx: &mut Tx<'_>,
    channel: Channel,
    node: &NodeId,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Parcel>, StoreError> {
    let rows = tx
        .all(
            "UPDATE outbox SET leased_by = $1, leased_until = $2, attempts = attempts + 1
             WHERE id IN (SELECT id FROM outbox WHERE ended_at IS NULL AND due_at <= $3
                            AND (leased_until IS NULL OR leased_until <= $3)
                            AND channel = $5
                          ORDER BY due_at LIMIT $4)
             RETURNING id, tenant, user_name, purpose, kind, notice, address, recipient, made_at,
                       due_at, attempts, recovery_mail, channel",
            params![node.as_str(), until, now, limit, channel.as_str()],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Ends a mail that this node has leased.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn end(
    tx: &mut Tx<'_>,
    parcel: &ParcelId,
    node: &NodeId,
    ended: Ended,
    fault: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = tx
        .run(
            "UPDATE outbox SET ended_at = $3, outcome = $4, fault = COALESCE($5, fault),
                    leased_by = NULL, leased_until = NULL
             WHERE id = $1 AND leased_by = $2 AND ended_at IS NULL",
            params![parcel.as_str(), node.as_str(), now, ended.as_str(), fault.map(cut)],
        )
        .await?;
    Ok(changed == 1)
}

/// Gives a mail that this node has leased back, until `due_at`.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn postpone(
    tx: &mut Tx<'_>,
    parcel: &ParcelId,
    node: &NodeId,
    due_at: Timestamp,
    fault: &str,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE outbox SET due_at = $3, fault = $4, leased_by = NULL, leased_until = NULL
         WHERE id = $1 AND leased_by = $2 AND ended_at IS NULL",
        params![parcel.as_str(), node.as_str(), due_at, cut(fault)],
    )
    .await?;
    Ok(())
}

/// Ends every lease. For the start of a server that has the database to itself: whoever held them is
/// gone.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn release_all(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.run(
        "UPDATE outbox SET leased_by = NULL, leased_until = NULL
         WHERE ended_at IS NULL AND leased_by IS NOT NULL",
        params![],
    )
    .await?;
    Ok(())
}

/// A delivery that did not succeed, or not yet.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// Its identifier.
    pub id: ParcelId,
    /// `mail` or `webhook`.
    pub channel: String,
    /// Where it should go.
    pub recipient: String,
    /// Whose account it is about.
    pub user: UserName,
    /// The kind of what it tells of.
    pub kind: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; none when it was given up.
    pub due_at: Option<Timestamp>,
    /// What the last attempt met with.
    pub fault: String,
}

/// Deliveries that have failed at least once and wait, and those that were given up and are still on
/// record: the newest first, at most `limit`.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn troubles(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Trouble>, StoreError> {
    let rows = tx
        .all(
            "SELECT id, channel, recipient, user_name, kind, attempts, ended_at, due_at, fault
             FROM outbox WHERE fault IS NOT NULL AND (ended_at IS NULL OR outcome = 'given-up')
             ORDER BY made_at DESC, id LIMIT $1",
            params![limit],
        )
        .await?;
    let read = |row: &Row| {
        let ended: Option<Timestamp> = row.get(6)?;
        let due: Timestamp = row.get(7)?;
        Ok(Trouble {
            id: row.parse(0)?,
            channel: row.get(1)?,
            recipient: row.get(2)?,
            user: row.parse(3)?,
            kind: row.get(4)?,
            attempts: row.get(5)?,
            due_at: ended.is_none().then_some(due),
            fault: row.get(8)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Mails that wait, and mails that were given up and are still on record.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn standing(tx: &mut Tx<'_>) -> Result<(u64, u64), StoreError> {
    let waiting = tx.one("SELECT COUNT(*) FROM outbox WHERE ended_at IS NULL", params![]).await?;
    let given_up = tx
        .one(
            "SELECT COUNT(*) FROM outbox WHERE ended_at IS NOT NULL AND outcome = 'given-up'",
            params![],
        )
        .await?;
    let number = |row: Option<Row>| row.map_or(Ok(0), |row| row.get(0));
    Ok((number(waiting)?, number(given_up)?))
}

/// The notices that a summary tells of: the first `limit` of them, and how many there are.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn summed_up(
    tx: &mut Tx<'_>,
    parcel: &Parcel,
    limit: u32,
) -> Result<(Vec<Notice>, u32), StoreError> {
    let (tenant, user) = (parcel.tenant.as_str(), parcel.user.as_str());
    let rows = tx
        .all(
            "SELECT id, tenant, user_name, at, what, by_whom, source FROM notices
             WHERE tenant = $1 AND user_name = $2 AND at >= $3 AND kind = $4
             ORDER BY at, id LIMIT $5",
            params![tenant, user, parcel.made_at, parcel.kind.as_str(), limit],
        )
        .await?;
    let count = tx
        .one(
            "SELECT COUNT(*) FROM notices
             WHERE tenant = $1 AND user_name = $2 AND at >= $3 AND kind = $4",
            params![tenant, user, parcel.made_at, parcel.kind.as_str()],
        )
        .await?;
    let told = rows.iter().map(notices::read).collect::<Result<_, _>>()?;
    Ok((told, count.map_or(Ok(0), |row| row.get(0))?))
}

fn read(row: &Row) -> Result<Parcel, StoreError> {
    let shape = || StoreError::Shape { column: 3 };
    let purpose: String = row.get(3)?;
    let purpose = match purpose.as_str() {
        "notice" => Purpose::Notice(row.parse(5)?),
        "summary" => Purpose::Summary(row.parse(5)?),
        "code" => match row.parse_option(11)? {
            Some(asked) => Purpose::RecoveryCode { asked, address: row.parse(6)? },
            None => Purpose::Code(row.parse(6)?),
        },
        _ => return Err(shape()),
    };
    let channel: String = row.get(12)?;
    let recipient = match channel.as_str() {
        "mail" => Recipient::Mail(row.parse(7)?),
        "webhook" => Recipient::Webhook(row.get(7)?),
        _ => return Err(StoreError::Shape { column: 12 }),
    };
    Ok(Parcel {
        id: row.parse(0)?,
        tenant: row.parse(1)?,
        user: row.parse(2)?,
        purpose,
        kind: row.get(4)?,
        recipient,
        made_at: row.get(8)?,
        due_at: row.get(9)?,
        attempts: row.get(10)?,
    })
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(FAULT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
