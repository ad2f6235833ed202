//! The client object against a real server: enrolment, renewal, sessions, ceremonies, secrets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod enrolment;
mod person;
mod time;
mod world;
