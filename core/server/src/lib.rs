//! The Landfall server: transport, use cases, store.
//!
//! `http` (extract, call, convert) -> `service` (load, decide, apply, report) -> `store` (all SQL).
//! [`Server::start`] brings it all up; the binary is a thin shell over it.

pub mod audit;
pub mod background;
pub mod ceremony;
mod certificate;
pub mod cli;
pub mod config;
pub mod connections;
pub mod directory;
mod doors;
mod egress;
pub mod failure;
pub mod http;
pub mod keys;
mod mail;
pub mod nist;
pub mod openapi;
mod person_servers;
pub mod pki;
mod platform_keys;
pub mod policy;
pub mod service;
pub mod store;
pub mod strangers;
pub mod telemetry;
pub mod tls;
mod webhooks;

mod start;

pub use config::Config;
pub use start::{Running, Server, StartError};
