//! The caller's own account.

use super::{Answer, App, reply};
use crate::service::RequestContext;
use axum::extract::State;
use landfall_protocol::me::Frozen;
use landfall_protocol::provisioned::WhoAmI;

pub(super) async fn show(State(app): State<App>, context: RequestContext) -> Answer<WhoAmI> {
    reply(app.service.me(context).await)
}

pub(super) async fn freeze(State(app): State<App>, context: RequestContext) -> Answer<Frozen> {
    reply(app.service.freeze(context).await)
}

pub(super) async fn unfreeze(State(app): State<App>, context: RequestContext) -> Answer<Frozen> {
    reply(app.service.unfreeze(context).await)
}
