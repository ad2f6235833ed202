//! `landfall-server`, as an operator runs it.

use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a command said, and whether it went well.
#[derive(Debug)]
pub struct Said {
    pub ok: bool,
    pub out: String,
    pub err: String,
}

/// The binary, without this process's own variables of the family.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_landfall-server"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LANDFALL_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        ok: output.status.success(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command on a data directory.
pub fn on(data_dir: &Path, words: &[&str]) -> Said {
    run(command().args(words).arg("--data-dir").arg(data_dir))
}

/// A server that serves. Killed when dropped.
pub struct Serving {
    child: Child,
    stderr: PathBuf,
    pub ready: Value,
}

impl Serving {
    /// Starts it, on free ports, and waits until it is ready; what it says when it never is.
    pub fn start(data_dir: &Path, configure: impl FnOnce(&mut Command)) -> Result<Self, String> {
        let stderr = data_dir.with_extension("log");
        let mut command = command();
        command
            .args(["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .stdout(Stdio::piped())
            .stderr(File::create(&stderr).unwrap());
        configure(&mut command);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            let status = child.wait().unwrap();
            assert!(!status.success(), "it stopped without a word, and well");
            return Err(std::fs::read_to_string(&stderr).unwrap());
        }
        Ok(Self { child, stderr, ready: serde_json::from_str(&line).unwrap() })
    }

    /// Everything that it wrote to its log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap()
    }

    /// SIGTERM, and waits for its end. Answers its whole log.
    pub fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success(), "a server that is asked to stop ends well");
        self.log()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
