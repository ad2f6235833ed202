//! Named steps with a log, a time and a verdict each.

use crate::sh;
use crate::tally::Tally;
use anyhow::{Context, Result, bail};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// No program of a step may run longer: a hung runner must not eat the whole of CI's time.
const PROGRAM_LIMIT: Duration = Duration::from_secs(35 * 60);
/// How much of a failed step's log is repeated on the terminal.
const TAIL_LINES: usize = 120;

/// One step of a longer run.
pub struct Step {
    /// What `--only` calls it, and its log.
    pub name: &'static str,
    /// What it does, for people.
    pub about: &'static str,
    /// Does it.
    pub run: fn(&mut Log) -> Result<Tally>,
}

/// A step's log file.
pub struct Log {
    path: PathBuf,
    file: File,
}

/// What a program in a step did.
pub struct Ran {
    /// It exited with success.
    pub success: bool,
    /// What it printed, both streams.
    pub text: String,
}

impl Log {
    fn open(name: &str) -> Result<Self> {
        let dir = sh::root().join(".ci/out");
        fs::create_dir_all(&dir)?;
        let path = dir.join(format!("{name}.log"));
        fs::remove_file(&path).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        Ok(Self { path, file })
    }

    /// Writes a line.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn line(&mut self, text: &str) -> Result<()> {
        Ok(writeln!(self.file, "{text}")?)
    }

    /// Runs `command` with its output in the log.
    ///
    /// # Errors
    /// It cannot be started or waited for.
    pub fn run(&mut self, command: &mut Command) -> Result<Ran> {
        self.line(&format!("\n$ {}", sh::shown(command)))?;
        let from = fs::metadata(&self.path)?.len();
        command
            .env("NO_COLOR", "1")
            .env("CARGO_TERM_COLOR", "never")
            .stdin(Stdio::null())
            .stdout(self.file.try_clone()?)
            .stderr(self.file.try_clone()?)
            .process_group(0);
        let mut child =
            command.spawn().with_context(|| format!("cannot start {}", sh::shown(command)))?;
        let group = format!("-{}", child.id());
        let (done, wait) = mpsc::channel::<()>();
        let guard = std::thread::spawn(move || {
            if wait.recv_timeout(PROGRAM_LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
                sh::succeeds(&mut sh::cmd("kill", ["-KILL", "--", &group]));
                return true;
            }
            false
        });
        let status = child.wait()?;
        drop(done);
        if guard.join().unwrap_or(false) {
            self.line(&format!("stopped after {} minutes", PROGRAM_LIMIT.as_secs() / 60))?;
        }
        let bytes = fs::read(&self.path)?;
        let start = usize::try_from(from)?.min(bytes.len());
        let text = String::from_utf8_lossy(&bytes[start..]).into_owned();
        Ok(Ran { success: status.success(), text })
    }

    /// Runs a test runner and counts.
    ///
    /// # Errors
    /// It cannot be started or waited for.
    pub fn tests(&mut self, command: &mut Command) -> Result<Tally> {
        let ran = self.run(command)?;
        Ok(Tally::judge(&ran.text, ran.success))
    }

    /// Runs a check that counts as one.
    ///
    /// # Errors
    /// It cannot be started or waited for.
    pub fn check(&mut self, command: &mut Command) -> Result<Tally> {
        Ok(if self.run(command)?.success { Tally::PASS } else { Tally::FAIL })
    }

    /// Notes the findings of a check of our own; none is a pass.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn findings(&mut self, findings: &[String]) -> Result<Tally> {
        for finding in findings {
            self.line(finding)?;
        }
        Ok(if findings.is_empty() { Tally::PASS } else { Tally::FAIL })
    }

    fn tail(&self) -> String {
        let text = fs::read(&self.path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }
}

/// Runs those of `steps` that `only` names, or all of them, and closes with the sum on a line of its
/// own.
///
/// # Errors
/// `only` names no step, or a log cannot be written.
pub fn choose_and_run(steps: &[&Step], only: &[String]) -> Result<ExitCode> {
    let names: Vec<_> = steps.iter().map(|step| step.name).collect();
    if let Some(unknown) = only.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("there is no step {unknown}; there are: {}", names.join(", "));
    }
    let wanted = |step: &&Step| only.is_empty() || only.iter().any(|name| name == step.name);
    let chosen: Vec<_> = steps.iter().copied().filter(wanted).collect();
    let started = Instant::now();
    let total = run(&chosen)?;
    println!("{} steps in {}", chosen.len(), minutes(started.elapsed()));
    println!("{} passed, {} failed", total.passed, total.failed);
    let good = total.failed == 0 && total.passed > 0;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn minutes(time: Duration) -> String {
    format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60)
}

/// Runs `steps`, whatever becomes of those before, and says how each went.
fn run(steps: &[&Step]) -> Result<Tally> {
    let mut total = Tally::default();
    for step in steps {
        println!("{:<10} {} ...", step.name, step.about);
        let started = Instant::now();
        let mut log = Log::open(step.name)?;
        let tally = (step.run)(&mut log).or_else(|error| {
            log.line(&format!("error: {error:#}"))?;
            anyhow::Ok(Tally::FAIL)
        })?;
        let verdict = if tally.failed == 0 { "ok" } else { "FAILED" };
        let summary = format!(
            "{:<10} {verdict}: {} good, {} bad, {}",
            step.name,
            tally.passed,
            tally.failed,
            minutes(started.elapsed())
        );
        if tally.failed > 0 {
            let path = log.path.strip_prefix(sh::root()).unwrap_or(&log.path);
            println!("---- the end of {} ----\n{}\n----", path.display(), indented(&log.tail()));
        }
        println!("{summary}");
        log.line(&format!("\n{summary}"))?;
        total = total.plus(tally);
    }
    Ok(total)
}

/// Keeps a log's lines from being taken for our own.
fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}
