//! The client object against a real server: enrolment, renewal, sessions, ceremonies, secrets.
mod enrolment;
mod person;
mod time;
mod world;
