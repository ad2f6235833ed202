//! One way to speak SQL, whichever database listens. The only module that names drivers' types.
//!
//! Statements use `$1`, `$2` … and the types of [`Value`]. SQLite takes `$2` for a *name* and numbers
//! parameters by first appearance, so binding goes by the digits, never by position; and a parameter
//! that nobody binds would be NULL in silence, so the counts must agree.

use super::StoreError;
use super::value::{Row, Value};
use rusqlite::types::ValueRef;
use sqlx::{Column, Row as _, SqliteConnection, TypeInfo, ValueRef as _};
use std::collections::BTreeSet;

/// A transaction, or a place within one.
pub enum Tx<'c> {
    /// SQLite's one writer, inside the batch's transaction.
    Writer(&'c mut rusqlite::Connection),
    /// A reader of SQLite's pool.
    Reader(&'c mut SqliteConnection),
    /// A look at a row or two of SQLite, on the thread that asks.
    Glance(&'c mut rusqlite::Connection),
}

impl Tx<'_> {
    /// Runs a statement that answers with rows.
    ///
    /// # Errors
    /// [`StoreError`] from the driver, or when the parameters do not fit the statement.
    pub async fn all(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Writer(connection) | Self::Glance(connection) => {
                writer_all(connection, sql, params)
            }
            Self::Reader(connection) => reader_all(connection, sql, params).await,
        }
    }

    /// Runs a statement that answers with at most one row.
    ///
    /// # Errors
    /// As [`Tx::all`].
    pub async fn one(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.all(sql, params).await?.into_iter().next())
    }

    /// Runs a statement and tells how many rows it changed.
    ///
    /// # Errors
    /// As [`Tx::all`]; a reader changes nothing and says so.
    pub async fn run(&mut self, sql: &'static str, params: &[Value]) -> Result<u64, StoreError> {
        match self {
            Self::Writer(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                bind(&mut statement, sql, params)?;
                Ok(statement.raw_execute()? as u64)
            }
            Self::Reader(_) | Self::Glance(_) => Err(StoreError::ReadOnly),
        }
    }
}

fn writer_all(
    connection: &rusqlite::Connection,
    sql: &'static str,
    params: &[Value],
) -> Result<Vec<Row>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, sql, params)?;
    let width = statement.column_count();
    let mut rows = statement.raw_query();
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let values: Result<Vec<Value>, StoreError> = (0..width)
            .map(|index| match row.get_ref(index)? {
                ValueRef::Null => Ok(Value::Null),
                ValueRef::Integer(number) => Ok(Value::Int(number)),
                ValueRef::Text(text) => String::from_utf8(text.to_vec())
                    .map(Value::Text)
                    .map_err(|_| StoreError::Shape { column: index }),
                ValueRef::Blob(bytes) => Ok(Value::Blob(bytes.to_vec())),
                ValueRef::Real(_) => Err(StoreError::Shape { column: index }),
            })
            .collect();
        out.push(Row(values?));
    }
    Ok(out)
}

/// Binds by the digits of each parameter's name.
fn bind(
    statement: &mut rusqlite::Statement<'_>,
    sql: &'static str,
    params: &[Value],
) -> Result<(), StoreError> {
    // Each `$n` counts once, however often it stands in the statement: with as many numbers as values,
    // and none beyond them, every value has its place.
    if statement.parameter_count() != params.len() {
        return Err(StoreError::Parameters { sql });
    }
    for position in 1..=statement.parameter_count() {
        let number = statement
            .parameter_name(position)
            .and_then(|name| name.strip_prefix('$'))
            .and_then(|digits| digits.parse::<usize>().ok())
            .filter(|number| *number >= 1)
            .ok_or(StoreError::Parameters { sql })?;
        let value = params.get(number - 1).ok_or(StoreError::Parameters { sql })?;
        match value {
            Value::Null => statement.raw_bind_parameter(position, rusqlite::types::Null)?,
            Value::Int(number) => statement.raw_bind_parameter(position, number)?,
            Value::Text(text) => statement.raw_bind_parameter(position, text)?,
            Value::Blob(bytes) => statement.raw_bind_parameter(position, bytes)?,
        }
    }
    Ok(())
}

async fn reader_all(
    connection: &mut SqliteConnection,
    sql: &'static str,
    params: &[Value],
) -> Result<Vec<Row>, StoreError> {
    if !numbered_parameters(sql).into_iter().eq(1..=params.len()) {
        return Err(StoreError::Parameters { sql });
    }
    let mut query = sqlx::query(sql);
    for value in params {
        query = match value.clone() {
            Value::Null => query.bind(Option::<i64>::None),
            Value::Int(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
            Value::Blob(bytes) => query.bind(bytes),
        };
    }
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(row_of).collect()
}

fn row_of(row: &sqlx::sqlite::SqliteRow) -> Result<Row, StoreError> {
    let read = |index: usize| -> Result<Value, StoreError> {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Value::Null);
        }
        match raw.type_info().name() {
            "INTEGER" | "BOOLEAN" => Ok(Value::Int(row.try_get_unchecked(index)?)),
            "TEXT" => Ok(Value::Text(row.try_get_unchecked(index)?)),
            "BLOB" => Ok(Value::Blob(row.try_get_unchecked(index)?)),
            _ => Err(StoreError::Shape { column: index }),
        }
    };
    row.columns().iter().map(|column| read(column.ordinal())).collect::<Result<_, _>>().map(Row)
}

/// The numbers behind `$`, each once. Our statements hold no `$` in literals.
fn numbered_parameters(sql: &str) -> BTreeSet<usize> {
    sql.split('$')
        .skip(1)
        .filter_map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            rest[..end].parse().ok()
        })
        .collect()
}

#[cfg(test)]
#[path = "tx_tests.rs"]
mod tests;
