//! What a row of the log is hashed from.

use crate::store::Value;
use landfall_crypto::merkle::{self, Hash};

/// The leaf of the row at place `seq`, counted from one (RFC 9162, section 2.1.1, over [`encode`]).
pub fn hash(seq: u64, columns: &[Value]) -> Hash {
    merkle::leaf_hash(&encode(seq, columns))
}

/// One text of bytes for one row, and never one for two: each column by its type and its length, so
/// that nothing can move from one column to its neighbour.
pub fn encode(seq: u64, columns: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    begin(&mut out, seq);
    for column in columns {
        match column {
            Value::Null => null(&mut out),
            Value::Int(number) => int(&mut out, *number),
            Value::Text(value) => text(&mut out, value.as_bytes()),
            Value::Blob(bytes) => blob(&mut out, bytes),
        }
    }
    out
}

/// What every row begins with.
pub(super) fn begin(out: &mut Vec<u8>, seq: u64) {
    out.extend_from_slice(b"landfall/audit-row/v1\0");
    out.extend_from_slice(&seq.to_be_bytes());
}

pub(super) fn null(out: &mut Vec<u8>) {
    out.push(0);
}

pub(super) fn int(out: &mut Vec<u8>, number: i64) {
    out.push(1);
    out.extend_from_slice(&number.to_be_bytes());
}

pub(super) fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, 2, bytes);
}

pub(super) fn blob(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, 3, bytes);
}

fn put(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    out.push(kind);
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_share_an_encoding() {
        let text = |text: &str| Value::Text(text.into());
        let rows: [(u64, Vec<Value>); 9] = [
            (1, vec![text("ab"), text("c")]),
            (2, vec![text("ab"), text("c")]),
            (1, vec![text("a"), text("bc")]),
            (1, vec![text("abc")]),
            (1, vec![text("ab"), text("c"), Value::Null]),
            (1, vec![text(""), text("abc")]),
            (1, vec![Value::Null, text("abc")]),
            (1, vec![Value::Blob(b"ab".to_vec()), text("c")]),
            (1, vec![Value::Int(0), text("c")]),
        ];
        let hashes: std::collections::HashSet<Hash> =
            rows.iter().map(|(seq, columns)| hash(*seq, columns)).collect();
        assert_eq!(hashes.len(), rows.len());
    }
}
