//! The Landfall server: transport, use cases, store.

pub mod failure;
pub mod pki;
pub mod service;
pub mod store;
