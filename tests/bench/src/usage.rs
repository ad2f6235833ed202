//! What a process has taken of the processors, and how busy the machine is besides.

use anyhow::{Context, Result};
use std::time::{Duration, Instant};

/// Ticks a second of the times in `/proc/<pid>/stat`: Linux tells programs 100, whatever the kernel
/// itself counts in.
const TICKS: u32 = 100;
/// Fields of `/proc/<pid>/stat` before the time in user mode, counted from the process's state.
const BEFORE_TIMES: usize = 11;

/// Processor time of two processes over the same span.
pub struct Meter {
    server: u32,
    started: Instant,
    before: (Duration, Duration),
}

/// How many processors were kept busy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// By the server.
    pub server: f64,
    /// By the clients, which are all in this process.
    pub clients: f64,
}

impl Meter {
    /// Starts counting for the server with this process id, and for this process.
    pub fn start(server: u32) -> Result<Self> {
        Ok(Self { server, started: Instant::now(), before: times(server)? })
    }

    /// What was taken since.
    pub fn stop(self) -> Result<Share> {
        let over = self.started.elapsed().as_secs_f64();
        let after = times(self.server)?;
        let share = |before: Duration, after: Duration| (after - before).as_secs_f64() / over;
        Ok(Share { server: share(self.before.0, after.0), clients: share(self.before.1, after.1) })
    }
}

/// The machine's load over the last minute: what else ran makes figures worse.
pub fn load_average() -> Result<String> {
    let text = std::fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}

fn times(server: u32) -> Result<(Duration, Duration)> {
    Ok((time_of(server)?, time_of(std::process::id())?))
}

fn time_of(process: u32) -> Result<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    parse(&text).context("no processor times in /proc/<pid>/stat")
}

fn parse(stat: &str) -> Option<Duration> {
    // The program's name stands in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(BEFORE_TIMES);
    let (user, system): (u32, u32) = (times.next()?.parse().ok()?, times.next()?.parse().ok()?);
    Some(Duration::from_secs(1) * (user + system) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_times_are_read_behind_any_name() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 4";
        assert_eq!(parse(stat), Some(Duration::from_secs(3)));
        assert_eq!(parse("42 (a) S 1"), None);
        assert!(time_of(std::process::id()).is_ok());
    }
}
