//! What brings the tables up to this build, in the order of the numbers. None is ever changed once it is released.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use std::sync::LazyLock;

/// The files of a folder, by name. `sqlx::migrate!` would read the folder by itself, and have the whole of the
/// database compiled twice.
macro_rules! files {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../../migrations/sqlite/", $name, ".sql"))),)*]
    };
}

const SQLITE: &[(&str, &str)] = files![
    "0001_skeleton",
    "0002_passkeys",
    "0003_secrets",
    "0004_ages",
    "0005_recovery",
    "0006_notices",
    "0007_freeze_links",
    "0008_links",
    "0009_passkey_recovery",
    "0010_waits",
    "0011_guardians",
    "0012_readiness",
    "0013_channels",
    "0020_agents",
    "0021_workloads",
    "0022_provisioned",
    "0023_roles",
    "0024_audit",
    "0025_agent_approvals",
    "0026_key_holders",
    "0027_cut_at",
    "0028_agent_tokens",
    "0029_capability",
    "0030_admins",
    "0031_nets",
    "0032_messages",
    "0033_mail_shown",
    "0034_freezes",
    "0035_pairing_nets",
];

/// All of them.
pub(super) static MIGRATIONS: LazyLock<Migrator> =
    LazyLock::new(|| Migrator::with_migrations(SQLITE.iter().filter_map(read).collect()));

fn read((name, sql): &(&'static str, &'static str)) -> Option<Migration> {
    let (number, about) = name.split_once('_')?;
    let about = about.replace('_', " ").into();
    let plain = MigrationType::Simple;
    Some(Migration::new(number.parse().ok()?, about, plain, sql.into_sql_str(), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_run() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
        let mut there: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        there.sort();
        let listed: Vec<_> = SQLITE.iter().map(|(name, _)| format!("{name}.sql")).collect();
        assert_eq!(listed, there);
        assert_eq!(MIGRATIONS.iter().count(), there.len());
    }
}
