//! HTTP: one table of routes, each with what it demands. Handlers translate and delegate.

mod admin;
mod agents;
mod agents_owned;
mod audit;
mod ceremony;
mod devices;
mod door;
mod extract;
mod front;
mod guardians;
mod links;
mod me;
mod notices;
mod pace;
mod passkeys;
mod policies;
mod problem;
mod provisioned;
mod public;
mod readiness;
mod recovery;
mod route;
mod route_tenant;
mod secrets;
mod sessions;
mod tokens;
mod workloads;

pub mod localhost;

pub use agents::plain_router;
pub use route::{RouteInfo, routes};

pub(crate) use route::table;

use crate::background::Heartbeat;
use crate::config::Site;
use crate::service::Service;
use crate::strangers::Strangers;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use problem::Refused;
use std::sync::Arc;

/// The most bytes of a body, where a route does not say otherwise.
pub const BODY_MAX: usize = 64 * 1024;
/// The most bytes of a new secret version: 64 KiB in base64, and its name.
pub const SECRET_BODY_MAX: usize = 128 * 1024;
/// The most bytes of what an agent sends.
pub const AGENT_BODY_MAX: usize = 16 * 1024;
/// The most bytes of a body with a certificate request.
pub const CSR_BODY_MAX: usize = 16 * 1024;

/// The most bytes of a body with a platform's token and a certificate request.
pub const EXCHANGE_BODY_MAX: usize = 24 * 1024;

/// What handlers stand on.
#[derive(Clone)]
pub struct App {
    /// The use cases.
    pub service: Service,
    /// What this server is.
    pub site: Arc<Site>,
    /// Who guesses.
    pub strangers: Arc<Strangers>,
    /// Whether revocations still reach this node.
    pub heartbeat: Arc<Heartbeat>,
}

/// A handler's answer.
type Answer<T> = Result<axum::Json<T>, Refused>;

fn reply<T>(result: Result<T, crate::failure::Failure>) -> Answer<T> {
    result.map(axum::Json).map_err(Refused::from)
}

/// Everything that the public port serves.
pub fn router(app: App) -> Router {
    finish(join(&app, table()), app)
}

/// Joins routes, each behind its door.
fn join(app: &App, routes: Vec<route::Route>) -> Router<App> {
    let mut router = Router::new();
    for route in routes {
        let door = door::Door { app: app.clone(), info: route.info, body_max: route.body_max };
        let mut handler = route.handler.layer(from_fn_with_state(door, door::pass));
        if pace::is_even(route.info.action) {
            handler = handler.layer(from_fn(pace::pass));
        }
        router = router.route(route.info.path, handler);
    }
    router.fallback(front::not_found).method_not_allowed_fallback(front::method_not_allowed)
}

/// Puts before them all what names a request and finishes its answer.
fn finish(router: Router<App>, app: App) -> Router {
    router
        .layer(from_fn_with_state(app.clone(), front::pass))
        .layer(from_fn(front::survive))
        .with_state(app)
}
