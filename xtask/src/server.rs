//! A local server as a child process.

use crate::sh;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running server. Dropping it stops it.
pub struct Server {
    process: Child,
    /// What it said when it was ready.
    pub ready: Value,
}

impl Server {
    /// Starts `command` (a `serve --json`), waits for the one line that says it is ready, and leaves
    /// its log in `log`.
    ///
    /// # Errors
    /// It cannot be started, or it ended before it was ready.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let shown = sh::shown(command);
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(private_file(log)?)
            .spawn()
            .with_context(|| format!("cannot start {shown}"))?;
        let pipe = process.stdout.take().context("the server has no output")?;
        let mut lines = BufReader::new(pipe);
        let mut line = String::new();
        lines.read_line(&mut line)?;
        // From here on it is stopped when this fails.
        let mut server = Self { process, ready: Value::Null };
        let Ok(ready) = serde_json::from_str(&line) else {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            let lines: Vec<_> = said.lines().rev().take(20).collect();
            let last = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
            bail!("the server did not become ready; it said:\n{line}{last}");
        };
        server.ready = ready;
        // Whatever else it prints must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Ok(server)
    }

    /// Waits until it ends; it is not expected to.
    ///
    /// # Errors
    /// It ended other than by being asked to.
    pub fn wait(&mut self) -> Result<()> {
        let status = self.process.wait()?;
        ensure!(status.success(), "the server ended by itself ({status})");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let id = self.process.id().to_string();
            // Asked first, so that it closes its database in peace.
            if !sh::succeeds(&mut sh::cmd("kill", ["-TERM", &id])) {
                self.process.kill().ok();
            }
            self.process.wait().ok();
        }
    }
}

fn private_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}
