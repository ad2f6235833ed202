//! Logs and metrics.

use crate::config::{Config, LogFormat};
use crate::connections::{Listener, Registry, Transport};
use crate::service::Service;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Upper bounds of the request histogram, in seconds.
const BUCKETS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0];
/// Scrapers that may be connected at once.
const SCRAPERS_MAX: usize = 16;

/// Sends log lines to standard error, in the form that the configuration asks for. Called once, by
/// the binary.
///
/// # Errors
/// When the filter cannot be read, or somebody logs already; the text says what to change.
pub fn init_logs(config: &Config) -> Result<(), String> {
    let filter = log_filter(config)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Or it would say on standard error that standard error cannot be written, and panic at that.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    let done = match config.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    done.map_err(|error| error.to_string())
}

/// What is logged.
///
/// # Errors
/// When the filter cannot be read; the text says what to change.
pub fn log_filter(config: &Config) -> Result<EnvFilter, String> {
    EnvFilter::try_new(&config.log_filter).map_err(|error| {
        format!(
            "log_filter cannot be read: {error}. It is a level, such as info, or levels of parts: \
             info,landfall_server=debug"
        )
    })
}

/// The process's one recorder. Several servers in one process, as in tests, share it.
fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let matcher = Matcher::Full("landfall_request_seconds".to_owned());
            let builder =
                PrometheusBuilder::new().set_buckets_for_metric(matcher, &BUCKETS).ok()?;
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            metrics::set_global_recorder(recorder).ok()?;
            Some(handle)
        })
        .as_ref()
}

/// What the metrics page reads at each scrape.
#[derive(Clone)]
struct Gauges {
    service: Service,
    registry: Arc<Registry>,
    handle: &'static PrometheusHandle,
}

/// The metrics listener: its own address, never the public port. None when another recorder is in
/// place already.
pub fn metrics_listener(
    service: Service,
    registry: Arc<Registry>,
    stop: CancellationToken,
) -> Option<Listener> {
    let gauges = Gauges { service, registry, handle: recorder()? };
    let router = Router::new().route("/metrics", get(scrape)).with_state(gauges);
    // Scrapers are not among the connections that are counted and cut.
    let registry = Arc::new(Registry::default());
    let (max, max_per_source) = (SCRAPERS_MAX, SCRAPERS_MAX);
    Some(Listener { transport: Transport::Plain, router, registry, max, max_per_source, stop })
}

#[allow(clippy::cast_precision_loss, reason = "gauges are floating point by their nature")]
async fn scrape(State(gauges): State<Gauges>) -> String {
    let writer = gauges.service.writer_stats();
    metrics::gauge!("landfall_connections_open").set(gauges.registry.open() as f64);
    metrics::counter!("landfall_writer_jobs_total").absolute(writer.jobs);
    metrics::counter!("landfall_writer_batches_total").absolute(writer.batches);
    metrics::counter!("landfall_writer_turned_away_total").absolute(writer.turned_away);
    if let Ok((waiting, given_up)) = gauges.service.post_standing().await {
        metrics::gauge!("landfall_notice_mails_waiting").set(waiting as f64);
        metrics::gauge!("landfall_notice_mails_given_up").set(given_up as f64);
    }
    gauges.handle.run_upkeep();
    gauges.handle.render()
}
