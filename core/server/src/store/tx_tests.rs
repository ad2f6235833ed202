//! Parameters go where their number says, in both drivers, or not at all (trap 53).

use super::*;
use crate::store::{Row, Store, Value, params};
use std::path::Path;

/// A writer's connection and the store's readers on one file, with one table.
async fn pair(dir: &Path) -> (rusqlite::Connection, Store) {
    let path = dir.join("landfall.db");
    let store = Store::open(&path).await.unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE probe (a TEXT, b BIGINT, c BLOB);
             INSERT INTO probe VALUES ('x', 7, x'0102'), ('y', 8, NULL)",
        )
        .unwrap();
    (connection, store)
}

/// Runs one statement through both drivers and wants one answer.
async fn both(
    connection: &mut rusqlite::Connection,
    store: &Store,
    sql: &'static str,
    params: &[Value],
) -> Result<Vec<Vec<Value>>, StoreError> {
    let columns = |rows: Vec<Row>| rows.into_iter().map(|row| row.0).collect::<Vec<_>>();
    let written = Tx::Writer(connection).all(sql, params).await.map(columns);
    let read = store.read(async |tx: &mut Tx<'_>| tx.all(sql, params).await).await.map(columns);
    match (written, read) {
        (Ok(a), Ok(b)) => {
            assert!(a == b, "the drivers answer differently: {sql}");
            Ok(a)
        }
        (Err(error), Err(_)) => Err(error),
        (Ok(_), Err(error)) => panic!("only the reader refused {sql}: {error}"),
        (Err(error), Ok(_)) => panic!("only the writer refused {sql}: {error}"),
    }
}

#[tokio::test]
async fn parameters_bind_by_their_number_in_any_order() {
    let dir = tempfile::tempdir().unwrap();
    let (mut connection, store) = pair(dir.path()).await;
    let text = |text: &str| Value::Text(text.into());
    for (sql, expected) in [
        ("SELECT $1, $2, $3", ["one", "two", "three"]),
        ("SELECT $3, $2, $1", ["three", "two", "one"]),
        ("SELECT $2, $1 || $1, $3", ["two", "oneone", "three"]),
        ("SELECT $3 || $2, $2, $1", ["threetwo", "two", "one"]),
    ] {
        let rows =
            both(&mut connection, &store, sql, params!["one", "two", "three"]).await.unwrap();
        assert!(rows == [expected.map(text)], "{sql}");
    }
}

#[tokio::test]
async fn more_than_nine_parameters_keep_their_places() {
    let dir = tempfile::tempdir().unwrap();
    let (mut connection, store) = pair(dir.path()).await;
    let numbers: Vec<Value> = (1..=12).map(|n| Value::Int(n * 100)).collect();
    let sql = "SELECT $12, $1, $11, $10, $2, $3, $4, $5, $6, $7, $8, $9";
    let rows = both(&mut connection, &store, sql, &numbers).await.unwrap();
    let expected = [12, 1, 11, 10, 2, 3, 4, 5, 6, 7, 8, 9].map(|n| Value::Int(n * 100));
    assert!(rows == [expected]);
}

#[tokio::test]
async fn too_few_too_many_and_skipped_parameters_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (mut connection, store) = pair(dir.path()).await;
    let three = params![1_i64, 2_i64, 3_i64];
    for (sql, given) in [
        ("SELECT $1, $2", &three[..1]),
        ("SELECT $2, $1", &three[..1]),
        ("SELECT $1, $2", &three[..0]),
        ("SELECT $1, $2", three),
        ("SELECT 1", &three[..1]),
        // A number that is never used is a value that somebody believes to be stored.
        ("SELECT $1, $3", three),
        ("SELECT $2, $3", &three[..2]),
    ] {
        let refused = both(&mut connection, &store, sql, given).await;
        assert!(
            matches!(refused, Err(StoreError::Parameters { .. })),
            "{sql} took {}",
            given.len()
        );
        // A refused statement leaves nothing bound for the next use of its cached form.
        let again = both(&mut connection, &store, sql, given).await;
        assert!(matches!(again, Err(StoreError::Parameters { .. })), "{sql} the second time");
    }
    for sql in ["SELECT ?1", "SELECT :a", "SELECT $a", "SELECT $0"] {
        let mut tx = Tx::Writer(&mut connection);
        let refused = tx.all(sql, &three[..1]).await;
        assert!(matches!(refused, Err(StoreError::Parameters { .. })), "{sql}");
    }
}

#[tokio::test]
async fn a_cached_statement_forgets_the_values_before() {
    let dir = tempfile::tempdir().unwrap();
    let (mut connection, store) = pair(dir.path()).await;
    let sql = "SELECT $1";
    let first = both(&mut connection, &store, sql, params!["first"]).await.unwrap();
    let second = both(&mut connection, &store, sql, params![Option::<i64>::None]).await.unwrap();
    assert!(first == [[Value::Text("first".into())]]);
    assert!(second == [[Value::Null]]);
}

#[tokio::test]
async fn both_drivers_read_the_four_types_alike() {
    let dir = tempfile::tempdir().unwrap();
    let (mut connection, store) = pair(dir.path()).await;
    let sql = "SELECT a, b, c FROM probe WHERE b >= $1 ORDER BY b";
    let rows = both(&mut connection, &store, sql, params![0_i64]).await.unwrap();
    assert!(
        rows == [
            [Value::Text("x".into()), Value::Int(7), Value::Blob(vec![1, 2])],
            [Value::Text("y".into()), Value::Int(8), Value::Null],
        ]
    );
    let counted =
        both(&mut connection, &store, "SELECT COUNT(*), MAX(b), MIN(c) FROM probe", &[]).await;
    assert!(counted.unwrap() == [[Value::Int(2), Value::Int(8), Value::Blob(vec![1, 2])]]);
    let real = both(&mut connection, &store, "SELECT 1.5", &[]).await;
    assert!(matches!(real, Err(StoreError::Shape { column: 0 })));
}

#[tokio::test]
async fn a_reader_changes_nothing_by_any_verb() {
    let dir = tempfile::tempdir().unwrap();
    let (connection, store) = pair(dir.path()).await;
    let ran = store.read(async |tx: &mut Tx<'_>| tx.run("DELETE FROM probe", &[]).await).await;
    assert!(matches!(ran, Err(StoreError::ReadOnly)));
    // `RETURNING` makes a write look like a read; outside the batch it would also be a transaction
    // that upgrades and meets the writer (trap 56).
    for sql in
        ["DELETE FROM probe RETURNING a", "UPDATE probe SET b = 0 RETURNING a", "BEGIN IMMEDIATE"]
    {
        let refused = store.read(async |tx: &mut Tx<'_>| tx.all(sql, &[]).await).await;
        assert!(refused.is_err(), "{sql}");
    }
    let left: i64 = connection
        .query_row("SELECT COUNT(*) FROM probe WHERE b > 0", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 2);
}

#[test]
fn columns_that_hold_something_else_are_named() {
    let row = Row(vec![Value::Text("x".into()), Value::Null]);
    assert!(matches!(row.get::<i64>(0), Err(StoreError::Shape { column: 0 })));
    assert!(matches!(row.get::<String>(1), Err(StoreError::Shape { column: 1 })));
    assert!(matches!(row.get::<String>(2), Err(StoreError::Shape { column: 2 })));
    assert_eq!(row.get::<Option<String>>(1).unwrap(), None);
    assert!(row.parse::<u8>(0).is_err());
}
