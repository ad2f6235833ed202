//! What two that meet have told each other, as the rows of links and of pairings keep it.

use super::{Row, StoreError};
use landfall_identity::id::EnrollmentId;
use landfall_identity::recovery::link::{Exchange, Word};

/// Reads `stage, claimed_by, commitment, answer, reveal`, in this order from column `first` on.
pub(super) fn read(row: &Row, first: usize) -> Result<Exchange, StoreError> {
    let stage: String = row.get(first)?;
    if stage == "waiting" {
        return Ok(Exchange::Waiting);
    }
    let by: Option<EnrollmentId> = row.parse_option(first + 1)?;
    let by = by.ok_or(StoreError::Shape { column: first + 1 })?;
    let commitment = word(row, first + 2)?;
    Ok(match stage.as_str() {
        "claimed" => Exchange::Claimed { by, commitment },
        "answered" => Exchange::Answered { by, commitment, answer: word(row, first + 3)? },
        "revealed" => {
            let (answer, reveal) = (word(row, first + 3)?, word(row, first + 4)?);
            Exchange::Revealed { by, commitment, answer, reveal }
        }
        _ => return Err(StoreError::Shape { column: first }),
    })
}

fn word(row: &Row, column: usize) -> Result<Word, StoreError> {
    let bytes: Vec<u8> = row.get(column)?;
    bytes.try_into().map_err(|_| StoreError::Shape { column })
}

/// What a row calls how far it has come.
pub(super) fn stage(exchange: &Exchange) -> &'static str {
    match exchange {
        Exchange::Waiting => "waiting",
        Exchange::Claimed { .. } => "claimed",
        Exchange::Answered { .. } => "answered",
        Exchange::Revealed { .. } => "revealed",
    }
}
