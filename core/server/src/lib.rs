//! The Landfall server: transport, use cases, store.

pub mod ceremony;
pub mod failure;
pub mod pki;
pub mod service;
pub mod store;
