//! How fast rules decide, and how fast the audit is verified: on all processors, without a server.

use anyhow::{Context, Result, ensure};
use landfall_crypto::ambient::Ambient;
use landfall_crypto::{KeyPair, Signer};
use landfall_identity::audit::Personal;
use landfall_identity::id::{AuditId, RequestId};
use landfall_identity::spiffe::PrincipalKind;
use landfall_identity::{AuthStrength, Role};
use landfall_server::audit::journal::JOURNAL_FILE;
use landfall_server::audit::sealer::Sealer;
use landfall_server::audit::verify::{Exported, verify};
use landfall_server::policy::{Approval, Question, Rules};
use landfall_server::store::Store;
use landfall_server::store::audit::personal_hash;
use rusqlite::{Connection, params};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long questions are put.
const SPAN: Duration = Duration::from_secs(3);
/// Questions between two looks at the clock.
const ROUND: u64 = 256;
/// Rows of the log that is verified.
pub const ROWS: u32 = 1_000_000;

/// Rules such as a tenant adds.
const OWN: &str = r#"
@id("no-secrets-from-ci")
forbid (principal is Landfall::Workload, action == Landfall::Action::"read-secret", resource)
when { context.spiffe_id like "spiffe://landfall.local/tenant/home/workload/*" };
@id("help-desk")
permit (principal is Landfall::Human, action in Landfall::Action::"delegable", resource)
when { context.role == "operator" };
@id("fresh-hands")
forbid (principal, action in Landfall::Action::"evicts", resource)
when { context.proof_age_seconds > 60 };
"#;

/// Decisions a second, on all processors together.
pub fn decisions_per_second() -> Result<f64> {
    let rules = Rules::with(OWN, 1)?;
    let threads = std::thread::available_parallelism()?.get();
    let counts: Vec<u64> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| decide(&rules))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or(0)).collect()
    });
    // Counts of this size are exact.
    #[allow(clippy::cast_precision_loss)]
    Ok(counts.iter().sum::<u64>() as f64 / SPAN.as_secs_f64())
}

/// Puts questions as they come from requests, for [`SPAN`].
fn decide(rules: &Rules) -> u64 {
    let asked = ["read-secret", "read-self", "admin-list-users", "revoke-device"].map(question);
    let (begun, mut count) = (Instant::now(), 0);
    while begun.elapsed() < SPAN {
        for round in 0..ROUND {
            // Which one it is must not be known beforehand.
            let question = &asked[usize::try_from(round % 4).unwrap_or(0)];
            count += u64::from(!std::hint::black_box(rules.decide(question)).rule.is_empty());
        }
    }
    count
}

fn question(action: &str) -> Question {
    Question {
        action: action.into(),
        spiffe_id: "spiffe://landfall.local/tenant/home/user/bert/device/bert-laptop".into(),
        kind: PrincipalKind::Human,
        tenant: "home".into(),
        role: Role::Member,
        machine_role: String::new(),
        parents: Vec::new(),
        strength: Some(AuthStrength::CertOnly),
        proof_age_seconds: 42,
        approval: Approval::None,
        grant: false,
        device: "active".into(),
        frozen: false,
        object_tenant: "home".into(),
        own: true,
        proven: true,
        issuer: String::new(),
    }
}

/// Verifies a log of [`ROWS`] rows under `folder`; answers how long that took.
pub async fn verification(folder: &Path) -> Result<Duration> {
    let data = tempfile::Builder::new().prefix("bench-").tempdir_in(folder)?;
    let database = data.path().join("landfall.db");
    let store = Store::open(&database).await?;
    write_rows(&database)?;
    let key = Arc::new(KeyPair::generate()?);
    let signer: Arc<dyn Signer> = key.clone();
    let ambient = Ambient::system();
    let sealer = Sealer::open(store.clone(), signer, data.path(), &ambient)?;
    let sealed = sealer.seal(ambient.now()).await?;
    ensure!(sealed == u64::from(ROWS), "only {sealed} rows were sealed");
    store.close().await;
    let begun = Instant::now();
    let journal = data.path().join(JOURNAL_FILE);
    let found = verify(&database, &journal, Exported::Own, &key.public_key()).await?;
    let took = begun.elapsed();
    ensure!(found.is_sound() && found.sealed == u64::from(ROWS), "the log is not sound");
    Ok(took)
}

/// Rows as the server writes them, straight into the database: a million requests are not what is measured.
fn write_rows(database: &Path) -> Result<()> {
    let ambient = Ambient::system();
    let mut database = Connection::open(database).context("the database of the log")?;
    let all = database.transaction()?;
    let now = ambient.now().millis();
    for number in 0..ROWS {
        let id = AuditId::from_bits(ambient.row_bits());
        let salt: [u8; 16] = ambient.random();
        let personal = Personal {
            source: Some(format!("192.0.2.{}", number % 250)),
            user_agent: Some("landfall/0.1.0".into()),
        };
        all.prepare_cached(
            "INSERT INTO audit_events (id, at, tenant, actor, actor_user, actor_device, parents, \
             action, target, outcome, strength, request, rule, personal_hash) \
             VALUES (?1, ?2, 'home', ?3, 'bert', 'bert-laptop', '', 'read-secret', ?4, 'allow', \
             'cert-only', ?5, 'default/own', ?6)",
        )?
        .execute(params![
            id.as_str(),
            now + i64::from(number),
            "spiffe://landfall.local/tenant/home/user/bert/device/bert-laptop",
            format!("secret {}", number % 1000),
            RequestId::from_bits(ambient.row_bits()).as_str(),
            personal_hash(&salt, &personal).as_slice(),
        ])?;
        all.prepare_cached(
            "INSERT INTO audit_personal (event, salt, source, user_agent) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            id.as_str(),
            salt.as_slice(),
            personal.source,
            personal.user_agent
        ])?;
    }
    Ok(all.commit()?)
}
