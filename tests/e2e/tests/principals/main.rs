//! Agents, workloads and machines beside people: what each may, who decides it, and what is on record.
//!
//! One program for all of them: each links the whole server, and a program of its own for every
//! story would take longer to link than to run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story stops where it goes wrong"
)]

mod agent_sdk;
mod agents;
mod audit_query;
mod policy;
mod provisioned;
mod workloads;
