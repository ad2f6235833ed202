//! A person, the security key on their key ring, and their machines.

use crate::build::Binaries;
use crate::sh;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Somebody with a security key, which a small stand-in for a browser uses.
pub struct Person {
    name: &'static str,
    folder: PathBuf,
    cli: PathBuf,
    browser: String,
}

/// One machine: a home of its own, so that one computer can play several.
pub struct Machine {
    home: PathBuf,
    cli: PathBuf,
    browser: String,
}

/// What a command answered.
pub struct Answer {
    /// Its exit code.
    pub code: i32,
    /// What it printed on standard output: one JSON value.
    pub json: Value,
    /// What it printed on standard error where it failed: one problem (RFC 9457).
    pub problem: Value,
    /// What it printed for people.
    pub said: String,
}

impl Person {
    /// Somebody new, with a security key that nobody knows yet.
    pub fn new(name: &'static str, binaries: &Binaries, folder: &Path) -> Result<Self> {
        let key = folder.join(format!("{name}.security-key"));
        let browser =
            format!("{} --keys {}", binaries.path("soft-browser")?.display(), key.display());
        let cli = binaries.path("landfall")?;
        Ok(Self { name, folder: folder.to_path_buf(), cli, browser })
    }

    /// What opens pages for them: it uses their security key.
    pub fn browser(&self) -> &str {
        &self.browser
    }

    /// One of their machines.
    pub fn machine(&self, name: &str) -> Machine {
        Machine {
            home: self.folder.join(self.name).join(name),
            cli: self.cli.clone(),
            browser: self.browser.clone(),
        }
    }
}

impl Machine {
    /// Where this machine keeps what is its own.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Runs `landfall` here and expects it to succeed.
    pub fn run(&self, args: &[&str]) -> Result<Value> {
        self.run_with(args, "")
    }

    /// As `run`, with something on standard input: tokens and values stay off the command line.
    pub fn run_with(&self, args: &[&str], input: &str) -> Result<Value> {
        let answer = self.ask(args, input)?;
        match answer.code {
            0 => Ok(answer.json),
            code => bail!("landfall {} ended with {code}: {}", args.join(" "), answer.said.trim()),
        }
    }

    /// Runs `landfall` here and expects it to be refused for the reason `code`; returns what a
    /// person is told.
    pub fn refused(&self, args: &[&str], code: &str) -> Result<String> {
        let answer = self.ask(args, "")?;
        let problem = &answer.problem;
        if answer.code == 0 || problem["code"].as_str() != Some(code) {
            bail!("landfall {} did not end with {code}: {}", args.join(" "), answer.said.trim());
        }
        let told = |field: &str| problem[field].as_str().unwrap_or_default().to_owned();
        Ok(format!("{}. {}", told("title"), told("detail")))
    }

    /// Runs `landfall` here.
    pub fn ask(&self, args: &[&str], input: &str) -> Result<Answer> {
        let mut command = Command::new(&self.cli);
        command
            .args(args)
            .args(["--json", "--yes", "--browser", &self.browser])
            .env("LANDFALL_HOME", &self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child =
            command.spawn().with_context(|| format!("cannot start {}", sh::shown(&command)))?;
        if let Some(mut pipe) = child.stdin.take() {
            pipe.write_all(input.as_bytes())?;
        }
        let out = child.wait_with_output()?;
        let printed = String::from_utf8_lossy(&out.stdout);
        let complained = String::from_utf8_lossy(&out.stderr);
        Ok(Answer {
            code: out.status.code().unwrap_or(-1),
            json: serde_json::from_str(&printed).unwrap_or(Value::Null),
            problem: last_json(&complained),
            said: format!("{complained}{printed}"),
        })
    }
}

/// The JSON document that a text ends with; lines for people may stand before it.
fn last_json(text: &str) -> Value {
    let starts = text.match_indices('{').map(|(at, _)| at);
    starts.filter_map(|at| serde_json::from_str(&text[at..]).ok()).next().unwrap_or(Value::Null)
}
