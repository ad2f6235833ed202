//! A passkey opens an account on a bare machine: all the way, its own account alone, and never for
//! whoever sent the link.

mod abuse;
mod back_in;
mod forged;
mod models;
mod plugged;
mod roaming;
mod world;
