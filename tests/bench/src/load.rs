//! Clients in a closed loop: each sends its next request when the last one is answered.

use anyhow::Result;
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What a load showed.
#[derive(Debug, PartialEq)]
pub struct Figures {
    /// Requests answered per second, all clients together.
    pub per_second: f64,
    /// Half of them were answered within this.
    pub p50: Duration,
    /// All but one in a hundred were.
    pub p99: Duration,
}

/// Runs every client for `span`. A client is told whether it should go on; it says `false` when it
/// has nothing left to ask.
///
/// # Errors
/// The first request that failed: a load with errors measures nothing.
pub async fn run<C, F, Fut>(clients: Vec<C>, span: Duration, request: F) -> Result<Figures>
where
    C: Send + 'static,
    F: Fn(C) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<(C, bool)>> + Send,
{
    let started = Instant::now();
    let mut running = JoinSet::new();
    for mut client in clients {
        let request = request.clone();
        running.spawn(async move {
            let mut times = Vec::new();
            while started.elapsed() < span {
                let asked = Instant::now();
                let more;
                (client, more) = request(client).await?;
                if !more {
                    break;
                }
                times.push(asked.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = running.join_next().await {
        times.extend(done??);
    }
    Ok(figures(times, started.elapsed()))
}

fn figures(mut times: Vec<Duration>, over: Duration) -> Figures {
    times.sort_unstable();
    let count = u32::try_from(times.len()).unwrap_or(u32::MAX);
    Figures {
        per_second: f64::from(count) / over.as_secs_f64(),
        p50: percentile(&times, 50),
        p99: percentile(&times, 99),
    }
}

/// The smallest time that `percent` in a hundred do not exceed (nearest rank).
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let times: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        let figures = figures(times, Duration::from_secs(2));
        assert_eq!(figures.per_second, 100.0);
        assert_eq!(figures.p50, Duration::from_millis(100));
        assert_eq!(figures.p99, Duration::from_millis(198));
        assert_eq!(percentile(&[Duration::from_millis(7)], 99), Duration::from_millis(7));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_failing_request_fails_the_load() {
        let request = |()| async { Err::<((), bool), _>(anyhow::anyhow!("refused")) };
        assert!(run(vec![()], Duration::from_secs(5), request).await.is_err());
    }
}
