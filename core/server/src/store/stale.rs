//! What is over, and when nobody asks for it any more. The audit keeps what it did; enrolments, users,
//! passkeys, secrets and the audit itself are never dropped.

use super::{StoreError, Tx, params};
use landfall_identity::address::CONFIRM_WITHIN;
use landfall_identity::notice::NOTICE_KEPT;
use landfall_identity::{Seconds, Timestamp};

/// The most rows that one step drops: nobody behind it in the writer's queue notices.
pub const STEP_ROWS: u32 = 200;

/// One kind of rows that end.
#[derive(Debug, Clone, Copy)]
pub struct Stale {
    /// What they are called, for the log.
    pub what: &'static str,
    /// How long they are kept after their end.
    pub keep: Seconds,
    sql: &'static str,
}

/// Every kind, in an order in which no row is dropped that another one names.
pub const STALE: [Stale; 26] = [
    Stale {
        what: "ceremonies",
        keep: Seconds::hours(1),
        sql: "DELETE FROM ceremonies WHERE id IN (SELECT id FROM ceremonies
              WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    },
    Stale {
        what: "agent_tokens",
        keep: Seconds::hours(1),
        sql: "DELETE FROM agent_tokens WHERE jti IN (SELECT jti FROM agent_tokens
              WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    },
    Stale {
        what: "grants",
        keep: Seconds::days(1),
        sql: "DELETE FROM grants WHERE id IN (SELECT id FROM grants
              WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    },
    Stale {
        what: "sessions",
        keep: Seconds::days(1),
        sql: "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions
              WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    },
    // A signature is too old to be taken after a minute.
    Stale {
        what: "recovery_messages",
        keep: Seconds::hours(1),
        sql: "DELETE FROM recovery_messages WHERE digest IN (SELECT digest FROM recovery_messages
              WHERE taken_at < $1 ORDER BY taken_at LIMIT $2)",
    },
    Stale {
        what: "recovery_mail_codes",
        keep: Seconds::days(1),
        sql: "DELETE FROM recovery_mail_codes WHERE (recovery, address) IN
              (SELECT recovery, address FROM recovery_mail_codes
              WHERE until < $1 ORDER BY until LIMIT $2)",
    },
    // Longer than any limit counts them.
    Stale {
        what: "recovery_mails",
        keep: Seconds::days(2),
        sql: "DELETE FROM recovery_mails WHERE id IN (SELECT id FROM recovery_mails
              WHERE asked_at < $1 ORDER BY asked_at LIMIT $2)",
    },
    Stale {
        what: "recovery_proofs",
        keep: Seconds::days(30),
        sql: "DELETE FROM recovery_proofs WHERE (recovery, door, given_by) IN
              (SELECT p.recovery, p.door, p.given_by FROM recoveries r
              JOIN recovery_proofs p ON p.recovery = r.id
              WHERE r.expires_at < $1 ORDER BY r.expires_at LIMIT $2)",
    },
    Stale {
        what: "links",
        keep: Seconds::days(30),
        sql: "DELETE FROM links WHERE recovery IN
              (SELECT l.recovery FROM recoveries r JOIN links l ON l.recovery = r.id
              WHERE r.expires_at < $1 ORDER BY r.expires_at LIMIT $2)",
    },
    Stale {
        what: "recoveries",
        keep: Seconds::days(30),
        sql: "DELETE FROM recoveries WHERE id IN (SELECT id FROM recoveries r
              WHERE expires_at < $1
                AND NOT EXISTS (SELECT 1 FROM recovery_proofs p WHERE p.recovery = r.id)
                AND NOT EXISTS (SELECT 1 FROM links l WHERE l.recovery = r.id)
              ORDER BY expires_at LIMIT $2)",
    },
    // Whoever made one sees for a month what became of it. The hash of its secret goes with it.
    Stale {
        what: "tokens",
        keep: Seconds::days(30),
        sql: "DELETE FROM tokens WHERE id IN (SELECT id FROM tokens
              WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    },
    // With a renewal's certificate goes the digest of the signature that was spent on it, which by then
    // has been too old to be taken for a month.
    Stale {
        what: "certificates",
        keep: Seconds::days(30),
        sql: "DELETE FROM certificates WHERE serial IN (SELECT serial FROM certificates c
              WHERE not_after < $1
                AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.certificate = c.serial)
              ORDER BY not_after LIMIT $2)",
    },
    // Longer than any connection lives.
    Stale {
        what: "changes",
        keep: Seconds::hours(2),
        sql: "DELETE FROM changes WHERE seq IN (SELECT seq FROM changes
              WHERE at < $1 ORDER BY seq LIMIT $2)",
    },
    // Operators see for a month what was given up.
    Stale {
        what: "outbox",
        keep: Seconds::days(30),
        sql: "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox
              WHERE ended_at IS NOT NULL AND ended_at < $1 ORDER BY ended_at LIMIT $2)",
    },
    Stale {
        what: "notices",
        keep: NOTICE_KEPT,
        sql: "DELETE FROM notices WHERE id IN (SELECT id FROM notices n
              WHERE at < $1 AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.notice = n.id)
              ORDER BY at LIMIT $2)",
    },
    Stale {
        what: "freeze_links",
        keep: Seconds::days(1),
        sql: "DELETE FROM freeze_links WHERE hash IN (SELECT hash FROM freeze_links
              WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    },
    Stale {
        what: "addresses",
        keep: CONFIRM_WITHIN,
        sql: "DELETE FROM addresses WHERE id IN (SELECT id FROM addresses
              WHERE confirmed_at IS NULL AND added_at < $1 ORDER BY added_at LIMIT $2)",
    },
    Stale {
        what: "stranger_refusals",
        keep: Seconds::days(30),
        sql: "DELETE FROM stranger_refusals WHERE (prefix, code, minute) IN
              (SELECT prefix, code, minute FROM stranger_refusals
              WHERE minute < $1 ORDER BY minute LIMIT $2)",
    },
    Stale {
        what: "provision_approvals",
        keep: Seconds::days(1),
        sql: "DELETE FROM provision_approvals WHERE id IN (SELECT id FROM provision_approvals
              WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    },
    Stale {
        what: "workload_uses",
        keep: Seconds::hours(1),
        sql: "DELETE FROM workload_uses WHERE (digest, thumbprint) IN
              (SELECT digest, thumbprint FROM workload_uses
              WHERE ends_at < $1 ORDER BY ends_at LIMIT $2)",
    },
    // A naming token is too old to be taken once it has ended.
    Stale {
        what: "agent_replays",
        keep: Seconds::minutes(5),
        sql: "DELETE FROM agent_replays WHERE (thumbprint, jti) IN
              (SELECT thumbprint, jti FROM agent_replays
              WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    },
    Stale {
        what: "agent_codes",
        keep: Seconds::days(30),
        sql: "DELETE FROM agent_codes WHERE id IN (SELECT id FROM agent_codes
              WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    },
    Stale {
        what: "agent_pairings",
        keep: Seconds::days(30),
        sql: "DELETE FROM agent_pairings WHERE id IN (SELECT id FROM agent_pairings
              WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    },
    Stale {
        what: "agent_approvals",
        keep: Seconds::days(30),
        sql: "DELETE FROM agent_approvals WHERE id IN (SELECT id FROM agent_approvals
              WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
    },
    Stale {
        what: "agents_unproven",
        keep: Seconds(0),
        sql: "DELETE FROM agents WHERE id IN (SELECT id FROM agents
              WHERE state = 'unproven' AND state_at < $1 ORDER BY state_at LIMIT $2)",
    },
    // Only its parent could bring one back, under the same name.
    Stale {
        what: "sub_agents",
        keep: Seconds::days(30),
        sql: "DELETE FROM agents WHERE id IN (SELECT id FROM agents
              WHERE parent IS NOT NULL AND token_until < $1 ORDER BY token_until LIMIT $2)",
    },
];

/// Drops at most [`STEP_ROWS`] rows of a kind, those that ended first. Answers how many.
///
/// # Errors
/// [`StoreError`] from the database.
pub async fn drop_some(tx: &mut Tx<'_>, stale: &Stale, now: Timestamp) -> Result<u64, StoreError> {
    tx.run(stale.sql, params![now - stale.keep, STEP_ROWS]).await
}
