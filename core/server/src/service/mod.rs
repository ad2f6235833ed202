//! Use cases: load, decide, apply, report. Nothing here sees axum, sqlx or rusqlite.

pub mod context;

mod perform;

pub use context::{Peer, RequestContext, Turn};

use crate::config::Config;
use crate::pki::Pki;
use crate::store::Store;
use landfall_crypto::ambient::Ambient;
use std::sync::Arc;

/// Everything a use case stands on. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    pub(crate) store: Store,
    pub(crate) pki: Arc<Pki>,
    pub(crate) config: Arc<Config>,
    pub(crate) ambient: Ambient,
}
