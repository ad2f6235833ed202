//! A local server as a child process.

use crate::sh;
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
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
            .stderr(File::create(log)?)
            .spawn()
            .with_context(|| format!("cannot start {shown}"))?;
        let pipe = process.stdout.take().context("the server has no output")?;
        let mut lines = BufReader::new(pipe);
        let mut line = String::new();
        lines.read_line(&mut line)?;
        // From here on it is stopped when this fails.
        let mut server = Self { process, ready: Value::Null };
        server.ready = serde_json::from_str(&line).with_context(|| {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            format!("the server did not become ready; it said:\n{line}{said}")
        })?;
        // Whatever else it prints must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Ok(server)
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// The system does not let us wait.
    pub fn wait(&mut self) -> Result<()> {
        self.process.wait()?;
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
