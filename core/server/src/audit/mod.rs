//! The audit as a log that cannot be changed unnoticed.
//!
//! Rows commit with the act they tell of. Within a second the [`sealer`] numbers them in the order of
//! writing, hashes each into one Merkle log (RFC 9162) and signs a [`checkpoint`] with a key that is
//! not in the database; checkpoints also go to a file, to be copied elsewhere. [`verify`] recomputes
//! everything. What can be erased for a person's sake stands in side rows that a salted hash commits
//! to.

pub mod checkpoint;
mod cursor;
pub mod erase;
pub mod journal;
pub mod leaf;
pub mod proofs;
pub mod report;
pub mod sealer;
mod swift;
pub mod verify;

#[cfg(test)]
mod list_tests;
#[cfg(test)]
mod sealer_tests;
#[cfg(test)]
mod verify_tests;
#[cfg(test)]
mod world_tests;
