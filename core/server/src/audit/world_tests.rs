//! A database with its exported file, and ways to harm copies of it.

use super::journal::JOURNAL_FILE;
use super::report::Verification;
use super::sealer::Sealer;
use super::verify::{Exported, verify};
use crate::store::audit_log;
use crate::store::{self, Lane, Store, Tx, archive};
use landfall_crypto::ambient::{Ambient, ManualClock, SystemRandom};
use landfall_crypto::{KeyPair, Signer};
use landfall_identity::audit::{Actor, AuditEvent, Outcome, Personal};
use landfall_identity::id::{AuditId, RequestId};
use landfall_identity::{Seconds, TenantName, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// A database with its file of checkpoints.
pub(super) struct World {
    pub(super) dir: tempfile::TempDir,
    pub(super) store: Store,
    pub(super) key: Arc<KeyPair>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) ambient: Ambient,
}

impl World {
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("landfall.db")).await.unwrap();
        let clock = Arc::new(ManualClock::new(START));
        let ambient = Ambient { clock: clock.clone(), random: Arc::new(SystemRandom) };
        Self { dir, store, key: Arc::new(KeyPair::generate().unwrap()), clock, ambient }
    }

    /// `rows` rows, sealed ten at a time.
    pub(super) async fn sealed(rows: u32) -> Self {
        let world = Self::new().await;
        let sealer = world.sealer();
        for n in 0..rows {
            world.append(n).await;
            if (n + 1).is_multiple_of(10) || n + 1 == rows {
                world.clock.advance(Seconds(1));
                sealer.seal(world.ambient.now()).await.unwrap();
            }
        }
        // Any lease is over.
        world.clock.advance(Seconds(60));
        world
    }

    pub(super) fn sealer(&self) -> Sealer {
        self.sealer_of_node(self.dir.path())
    }

    pub(super) fn sealer_of_node(&self, directory: &Path) -> Sealer {
        let key: Arc<dyn Signer> = self.key.clone();
        Sealer::open(self.store.clone(), key, directory, &self.ambient).unwrap()
    }

    pub(super) async fn append(&self, n: u32) {
        let event = event(n, &self.ambient);
        let salt = self.ambient.random();
        self.write(event, salt).await;
    }

    pub(super) async fn write(&self, event: AuditEvent, salt: [u8; 16]) {
        let work = async move |tx: &mut Tx<'_>| Ok(store::audit::append(tx, &event, salt).await?);
        let silent = async |_: &mut Tx<'_>, _: &_| Ok(());
        self.store.write(Lane::Known, work, silent).await.unwrap();
    }

    pub(super) fn files(&self) -> Files {
        Files::of(self.dir.path())
    }

    pub(super) async fn verify(&self) -> Verification {
        self.files().verify(&self.key).await
    }

    /// A copy to do harm to.
    pub(super) fn copy(&self) -> (tempfile::TempDir, Files) {
        let from = self.files();
        from.open().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let to = Files::of(dir.path());
        std::fs::copy(&from.database, &to.database).unwrap();
        std::fs::copy(&from.journal, &to.journal).unwrap();
        (dir, to)
    }
}

pub(super) struct Files {
    pub(super) database: PathBuf,
    pub(super) journal: PathBuf,
}

impl Files {
    pub(super) fn of(dir: &Path) -> Self {
        Self { database: dir.join("landfall.db"), journal: dir.join(JOURNAL_FILE) }
    }

    pub(super) fn open(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(&self.database).unwrap()
    }

    pub(super) fn harm(&self, sql: &str) {
        let connection = self.open();
        connection.pragma_update(None, "foreign_keys", "OFF").unwrap();
        connection.execute_batch(sql).unwrap();
    }

    /// What a careful forger does after an edit: the stored hash again fits the row.
    pub(super) async fn mend_leaf(&self, seq: u64) {
        let row = archive::snapshot(&self.database, async |tx: &mut Tx<'_>| {
            audit_log::sealed_after(tx, seq - 1, 1).await
        });
        let row = row.await.unwrap().remove(0);
        let leaf = super::leaf::hash(seq, &row.columns);
        self.open()
            .execute(
                "UPDATE audit_events SET leaf = ?1 WHERE seq = ?2",
                rusqlite::params![leaf, seq as i64],
            )
            .unwrap();
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.journal).unwrap();
        text.lines().map(|line| format!("{line}\n")).collect()
    }

    pub(super) fn write_lines(&self, lines: &[String]) {
        std::fs::write(&self.journal, lines.concat()).unwrap();
    }

    pub(super) async fn verify(&self, key: &KeyPair) -> Verification {
        verify(&self.database, &self.journal, Exported::Own, &key.public_key()).await.unwrap()
    }
}

pub(super) fn event(n: u32, ambient: &Ambient) -> AuditEvent {
    let device = format!("spiffe://landfall.local/tenant/home/user/bert/device/laptop-{}", n % 3);
    AuditEvent {
        id: AuditId::from_bits(ambient.row_bits()),
        // Times repeat and go backwards: the log's order is the order of writing.
        at: Timestamp::from_millis(START.millis() + i64::from(n * 7919 % 13)),
        tenant: TenantName::parse("home").unwrap(),
        actor: Actor::Principal(device.parse().unwrap()),
        parents: Vec::new(),
        action: "read-secret".into(),
        target: format!("secret {n}"),
        outcome: if n.is_multiple_of(4) { Outcome::Deny } else { Outcome::Allow },
        reason: n.is_multiple_of(4).then(|| "not-found".into()),
        rule: n.is_multiple_of(3).then(|| "default/own".into()),
        strength: None,
        session: None,
        capability: n.is_multiple_of(5).then(|| format!("capability-{n}")),
        request: Some(RequestId::from_bits(ambient.row_bits())),
        personal: Personal {
            source: Some(format!("192.0.2.{n}")),
            user_agent: n.is_multiple_of(2).then(|| "landfall/0.1".into()),
        },
    }
}
