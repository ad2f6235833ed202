//! The law of the batch, on a real file (traps 54, 56, 57; 50 for what the process can survive).

use super::*;
use crate::store::params;
use landfall_identity::Refusal;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;

const SCHEMA: &str = "
    CREATE TABLE acts (id TEXT PRIMARY KEY);
    CREATE TABLE notes (id TEXT PRIMARY KEY, outcome TEXT NOT NULL);
    CREATE TABLE debts (act TEXT REFERENCES acts (id) DEFERRABLE INITIALLY DEFERRED);";

struct Bench {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("landfall.db");
        connect(&path).execute_batch(SCHEMA).unwrap();
        Self { _dir: dir, path }
    }

    fn writer(&self) -> Writer {
        Writer::start(&self.path, Duration::from_secs(1)).unwrap()
    }

    fn names(&self, sql: &str) -> Vec<String> {
        names(&self.path, sql)
    }
}

fn connect(path: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.pragma_update(None, "foreign_keys", "ON").unwrap();
    connection
}

fn names(path: &Path, sql: &str) -> Vec<String> {
    let connection = connect(path);
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

const ACTS: &str = "SELECT id FROM acts ORDER BY id";
const NOTES: &str = "SELECT id || ' ' || outcome FROM notes ORDER BY id";

async fn insert(tx: &mut Tx<'_>, id: &str) -> Result<(), Failure> {
    tx.run("INSERT INTO acts (id) VALUES ($1)", params![id]).await?;
    Ok(())
}

async fn owe(tx: &mut Tx<'_>, id: &str) -> Result<(), Failure> {
    tx.run("INSERT INTO debts (act) VALUES ($1)", params![id]).await?;
    Ok(())
}

/// Notes the outcome, as the audit does.
fn noting<T>(
    id: &'static str,
) -> impl AsyncFn(&mut Tx<'_>, &Result<T, Failure>) -> Result<(), StoreError> {
    async move |tx: &mut Tx<'_>, result: &Result<T, Failure>| {
        let outcome = if result.is_ok() { "allow" } else { "deny" };
        tx.run("INSERT INTO notes (id, outcome) VALUES ($1, $2)", params![id, outcome]).await?;
        Ok(())
    }
}

async fn silent<T>(_: &mut Tx<'_>, _: &Result<T, Failure>) -> Result<(), StoreError> {
    Ok(())
}

type Answer<T> = oneshot::Receiver<Result<T, Failure>>;

/// A job and where its answer comes out, to compose batches by hand.
fn job<T: Send + 'static>(
    work: impl AsyncFn(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static,
    record: impl AsyncFn(&mut Tx<'_>, &Result<T, Failure>) -> Result<(), StoreError> + Send + 'static,
) -> (Box<dyn Job>, Answer<T>) {
    let (reply, answer) = oneshot::channel();
    (Box::new(UseCase { work, record, result: None, reply }), answer)
}

fn run_batch(connection: &mut rusqlite::Connection, jobs: Vec<Box<dyn Job>>) -> Shared {
    let shared = Shared::default();
    shared.lock().known.extend(jobs);
    while !shared.lock().is_empty() {
        batch(connection, &shared, &Pace::default());
    }
    shared
}

#[test]
fn a_failing_use_case_leaves_its_neighbours_rows_and_its_own_refusal() {
    let bench = Bench::new();
    let (first, a) = job(async |tx: &mut Tx<'_>| insert(tx, "a").await, noting("a"));
    let (refused, b) = job(
        async |tx: &mut Tx<'_>| {
            insert(tx, "b").await?;
            insert(tx, "b2").await?;
            Err::<(), _>(Failure::from(Refusal::Forbidden))
        },
        noting("b"),
    );
    let (broken, c) = job(
        async |tx: &mut Tx<'_>| {
            insert(tx, "c").await?;
            // The same key again: SQLite undoes this statement, the savepoint the rest.
            insert(tx, "a").await
        },
        noting("c"),
    );
    let (last, d) = job(async |tx: &mut Tx<'_>| insert(tx, "d").await, noting("d"));
    run_batch(&mut connect(&bench.path), vec![first, refused, broken, last]);

    assert!(a.blocking_recv().unwrap().is_ok());
    assert!(matches!(b.blocking_recv().unwrap(), Err(Failure::Refused(Refusal::Forbidden))));
    assert!(matches!(c.blocking_recv().unwrap(), Err(Failure::Internal(_))));
    assert!(d.blocking_recv().unwrap().is_ok());
    assert_eq!(bench.names(ACTS), ["a", "d"]);
    assert_eq!(bench.names(NOTES), ["a allow", "b deny", "c deny", "d allow"]);
}

#[test]
fn no_act_stands_without_its_note() {
    let bench = Bench::new();
    let (first, a) = job(async |tx: &mut Tx<'_>| insert(tx, "a").await, noting("same"));
    let (second, b) = job(async |tx: &mut Tx<'_>| insert(tx, "b").await, noting("same"));
    run_batch(&mut connect(&bench.path), vec![first, second]);
    assert!(a.blocking_recv().unwrap().is_ok());
    assert!(matches!(b.blocking_recv().unwrap(), Err(Failure::Internal(_))));
    assert_eq!(bench.names(ACTS), ["a"]);
    assert_eq!(bench.names(NOTES), ["same allow"]);
}

#[test]
fn a_later_job_of_the_batch_sees_the_earlier_ones() {
    let bench = Bench::new();
    bench_insert(&bench, "device");
    let revoke = || {
        job(
            async |tx: &mut Tx<'_>| {
                let gone = tx.run("DELETE FROM acts WHERE id = $1", params!["device"]).await?;
                if gone == 1 { Ok(()) } else { Err(Failure::from(Refusal::NotFound)) }
            },
            silent,
        )
    };
    let ((first, a), (second, b)) = (revoke(), revoke());
    let shared = run_batch(&mut connect(&bench.path), vec![first, second]);
    assert!(a.blocking_recv().unwrap().is_ok());
    assert!(matches!(b.blocking_recv().unwrap(), Err(Failure::Refused(Refusal::NotFound))));
    assert_eq!(shared.jobs.load(Ordering::Relaxed), 2);
}

fn bench_insert(bench: &Bench, id: &str) {
    connect(&bench.path).execute("INSERT INTO acts (id) VALUES (?1)", [id]).unwrap();
}

#[test]
fn when_commit_fails_nobody_in_the_batch_gets_a_yes() {
    let bench = Bench::new();
    let mut connection = connect(&bench.path);
    let (first, a) = job(async |tx: &mut Tx<'_>| insert(tx, "a").await, noting("a"));
    // The foreign key is checked at COMMIT: the statement itself succeeds.
    let (poison, b) = job(async |tx: &mut Tx<'_>| owe(tx, "nobody").await, noting("b"));
    let (last, c) =
        job(async |_: &mut Tx<'_>| Err::<(), _>(Failure::from(Refusal::Forbidden)), noting("c"));
    let shared = Shared::default();
    shared.lock().known.extend([first, poison, last]);
    // However slow the machine is: all three in one batch.
    batch(&mut connection, &shared, &Pace { work_max: Duration::MAX, ..Pace::default() });
    assert!(shared.lock().is_empty(), "three jobs are one batch");
    for answer in [a, b, c] {
        // Not even the refusal: it was not recorded.
        assert!(matches!(answer.blocking_recv().unwrap(), Err(Failure::Unavailable)));
    }
    assert!(bench.names(ACTS).is_empty() && bench.names(NOTES).is_empty());
    assert_eq!(shared.jobs.load(Ordering::Relaxed), 0);

    let (next, d) = job(async |tx: &mut Tx<'_>| insert(tx, "d").await, noting("d"));
    run_batch(&mut connection, vec![next]);
    assert!(d.blocking_recv().unwrap().is_ok(), "the writer goes on");
    assert_eq!(bench.names(ACTS), ["d"]);
}

#[test]
fn a_panic_in_a_use_case_is_its_own_fault() {
    let bench = Bench::new();
    let (first, a) = job(
        async |tx: &mut Tx<'_>| {
            insert(tx, "a").await?;
            assert!(tx.one("SELECT 1", &[]).await?.is_none(), "on purpose");
            Ok(())
        },
        noting("a"),
    );
    let (second, b) = job(async |tx: &mut Tx<'_>| insert(tx, "b").await, noting("b"));
    run_batch(&mut connect(&bench.path), vec![first, second]);
    assert!(matches!(a.blocking_recv().unwrap(), Err(Failure::Internal(_))));
    assert!(b.blocking_recv().unwrap().is_ok());
    assert_eq!(bench.names(ACTS), ["b"]);
    assert_eq!(bench.names(NOTES), ["a deny", "b allow"]);
}

#[test]
fn a_full_database_confirms_nothing_that_is_not_there() {
    let bench = Bench::new();
    let mut connection = connect(&bench.path);
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    connection.pragma_update(None, "max_page_count", pages + 4).unwrap();
    let ids: Vec<&'static str> =
        (0..64).map(|n| &*format!("{n:03}-{}", "x".repeat(1000)).leak()).collect();
    let (jobs, answers): (Vec<_>, Vec<_>) =
        ids.iter().map(|id| job(async |tx: &mut Tx<'_>| insert(tx, id).await, silent)).unzip();
    run_batch(&mut connection, jobs);
    let confirmed: Vec<&str> = ids
        .iter()
        .zip(answers)
        .filter_map(|(id, answer)| answer.blocking_recv().unwrap().is_ok().then_some(*id))
        .collect();
    assert!(confirmed.len() < ids.len(), "the database did fill up");
    assert_eq!(bench.names(ACTS), confirmed);
}

#[test]
fn a_flood_of_strangers_takes_a_quarter_and_leaves_nobody_waiting() {
    let shared = Shared::default();
    let order: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let mark = |who: &'static str| {
        let order = Arc::clone(&order);
        let work = async move |_: &mut Tx<'_>| {
            order.lock().unwrap().push(who);
            Ok(())
        };
        job(work, silent).0
    };
    {
        let mut queues = shared.lock();
        queues.strangers.extend((0..STRANGERS_MAX).map(|_| mark("stranger")));
        queues.known.extend((0..30).map(|_| mark("known")));
    }
    let bench = Bench::new();
    let mut connection = connect(&bench.path);
    while !shared.lock().is_empty() {
        batch(&mut connection, &shared, &Pace::default());
    }
    let order = order.lock().unwrap();
    let last_known = order.iter().rposition(|who| *who == "known").unwrap();
    assert!(last_known < 30 * 4 / 3 + 4, "30 known jobs were done after {last_known} places");
    let first_stranger = order.iter().position(|who| *who == "stranger").unwrap();
    assert!(first_stranger < STRANGERS_TURN, "strangers get their turn in a busy hour");
    assert_eq!(order.len(), 30 + STRANGERS_MAX);
}

/// Keeps the writer's thread inside a job until the sender is dropped.
async fn hold(writer: &Writer) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), Failure>>) {
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let (entered, inside) = oneshot::channel();
    let entered = Mutex::new(Some(entered));
    let gate = writer.clone();
    let task = tokio::spawn(async move {
        let work = async move |_: &mut Tx<'_>| {
            entered.lock().unwrap().take().unwrap().send(()).unwrap();
            // Ends with an error when the sender is dropped.
            let _ = held.lock().unwrap().recv();
            Ok(())
        };
        gate.submit(Lane::Known, work, silent).await
    });
    inside.await.unwrap();
    (release, task)
}

#[tokio::test]
async fn both_queues_are_bounded_and_apart() {
    let bench = Bench::new();
    let writer = bench.writer();
    let (release, gate) = hold(&writer).await;
    let mut waiting = Vec::new();
    let mut submit = |lane: Lane| {
        let work = async |_: &mut Tx<'_>| Ok(());
        let mut job = Box::pin({
            let writer = writer.clone();
            async move { writer.submit(lane, work, silent).await }
        });
        // The first poll queues it, or turns it away at once.
        let turned_away = (&mut job).now_or_never();
        waiting.push(job);
        turned_away
    };
    for _ in 0..STRANGERS_MAX {
        assert!(submit(Lane::Stranger).is_none());
    }
    assert!(matches!(submit(Lane::Stranger), Some(Err(Failure::Busy))));
    // The flood took nothing from those we know.
    for _ in 0..KNOWN_MAX {
        assert!(submit(Lane::Known).is_none());
    }
    assert!(matches!(submit(Lane::Known), Some(Err(Failure::Busy))));
    assert_eq!(writer.stats().turned_away, 2);

    drop(release);
    gate.await.unwrap().unwrap();
    writer.stop().await;
    assert_eq!(writer.stats().jobs, (1 + STRANGERS_MAX + KNOWN_MAX) as u64);
}

#[tokio::test]
async fn who_hangs_up_loses_the_answer_and_not_the_act() {
    let bench = Bench::new();
    let writer = bench.writer();
    let (release, gate) = hold(&writer).await;
    {
        let hangs_up =
            writer.submit(Lane::Known, async |tx: &mut Tx<'_>| insert(tx, "a").await, noting("a"));
        assert!(Box::pin(hangs_up).now_or_never().is_none());
    }
    drop(release);
    gate.await.unwrap().unwrap();
    writer.stop().await;
    assert_eq!(bench.names(ACTS), ["a"]);
    assert_eq!(bench.names(NOTES), ["a allow"]);
    let late = writer.submit(Lane::Known, async |_: &mut Tx<'_>| Ok(()), silent).await;
    assert!(matches!(late, Err(Failure::Unavailable)), "a stopped writer says so");
}

// Two deaths that only another process can die. The child is this test binary, running `child`.

const CHILD: &str = "LANDFALL_WRITER_CHILD";

/// Writes act after act from eight tasks and prints each one that was confirmed.
#[tokio::test]
#[ignore = "the other half of the two tests below"]
async fn child() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let writer = Writer::start(Path::new(&path), Duration::from_secs(1)).unwrap();
    let lanes: Vec<_> =
        (0..8).map(|lane| tokio::spawn(confirm_acts(writer.clone(), lane))).collect();
    for lane in lanes {
        lane.await.unwrap();
    }
}

async fn confirm_acts(writer: Writer, lane: u32) {
    for n in 0..10_000 {
        let id = format!("{lane}-{n:05}");
        let (act, note) = (id.clone(), id.clone());
        let done = writer
            .submit(
                Lane::Known,
                async move |tx: &mut Tx<'_>| insert(tx, &act).await,
                async move |tx: &mut Tx<'_>, _: &Result<(), Failure>| {
                    let row = params![note.as_str(), "allow"];
                    tx.run("INSERT INTO notes (id, outcome) VALUES ($1, $2)", row).await?;
                    Ok(())
                },
            )
            .await;
        if done.is_err() {
            return;
        }
        println!("ack {id}");
    }
}

fn acknowledged(output: &str) -> Vec<String> {
    let mut ids: Vec<String> = output
        .lines()
        .filter_map(|line| line.split("ack ").nth(1))
        // A line that the death cut short acknowledges nothing.
        .filter(|id| id.len() == "0-00000".len())
        .map(str::to_owned)
        .collect();
    ids.sort();
    ids
}

fn acts_and_notes_agree_and_hold(bench: &Bench, confirmed: &[String]) {
    let acts = bench.names(ACTS);
    assert_eq!(acts, bench.names("SELECT id FROM notes ORDER BY id"), "half an act");
    for id in confirmed {
        assert!(acts.binary_search(id).is_ok(), "{id} was confirmed and is gone");
    }
    assert_eq!(bench.names("PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn who_is_alone_never_waits_for_company() {
    let mut pace = Pace::default();
    assert_eq!(pace.expected(), 0);
    pace.took(1);
    pace.took(1);
    assert_eq!(pace.expected(), 0, "one client after another");
    pace.took(8);
    pace.took(8);
    assert_eq!(pace.expected(), 16, "two halves that take turns come together");
    pace.took(BATCH_MAX);
    assert_eq!(pace.expected(), BATCH_MAX);
}

/// More clients than one batch holds, in turns: everybody is answered, and the batches fill.
#[tokio::test]
async fn clients_that_come_back_share_a_commit() {
    let bench = Bench::new();
    let writer = bench.writer();
    let clients = (0..32).map(|client| {
        let writer = writer.clone();
        async move {
            for turn in 0..20 {
                let id = format!("{client}-{turn}");
                let work = async move |tx: &mut Tx<'_>| insert(tx, &id).await;
                writer.submit(Lane::Known, work, silent).await.unwrap();
            }
        }
    });
    futures::future::join_all(clients).await;
    let stats = writer.stats();
    assert_eq!(stats.jobs, 640);
    assert!(stats.batches < 320, "{} batches for 640 jobs", stats.batches);
    writer.stop().await;
    assert_eq!(bench.names("SELECT COUNT(*) || '' FROM acts"), ["640"]);
}

#[test]
fn kill_9_loses_no_confirmed_act_and_leaves_none_half_done() {
    use std::io::{BufRead, BufReader};
    let bench = Bench::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::writer::tests::child", "--ignored", "--nocapture"])
        .env(CHILD, &bench.path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = String::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    while acknowledged(&output).len() < 200 {
        assert!(lines.read_line(&mut output).unwrap() > 0, "the child ended early: {output}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it printed before it died counts as well.
    std::io::Read::read_to_string(&mut lines, &mut output).unwrap();
    acts_and_notes_agree_and_hold(&bench, &acknowledged(&output));
}

/// The kernel refuses to let the log grow: COMMIT itself fails, as on a full disk.
#[test]
#[cfg(unix)]
fn a_disk_that_fills_up_at_commit_confirms_nothing_more() {
    let bench = Bench::new();
    let exe = std::env::current_exe().unwrap();
    let output = Command::new("sh")
        .arg("-c")
        // In blocks of 512 bytes: room for the tables and a handful of commits.
        .arg("trap '' XFSZ; ulimit -f 512; exec \"$0\" --exact store::writer::tests::child --ignored --nocapture")
        .arg(exe)
        .env(CHILD, &bench.path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text} {}", String::from_utf8_lossy(&output.stderr));
    let confirmed = acknowledged(&text);
    assert!(!confirmed.is_empty(), "some went well before: {text}");
    assert!(confirmed.len() < 80_000, "the limit was reached");
    acts_and_notes_agree_and_hold(&bench, &confirmed);
    assert_eq!(bench.names(ACTS), confirmed, "what was not confirmed is not there either");
}
