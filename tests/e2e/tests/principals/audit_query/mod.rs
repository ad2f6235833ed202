//! One query of the audit for everybody, in the forms that others read, with proofs that nobody need
//! believe.

mod programs;
mod proofs;
mod query;
