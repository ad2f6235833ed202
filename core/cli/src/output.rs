//! What is printed: one answer on stdout, everything else on stderr.

use crate::clock::with_clock_times;
use crate::texts;
use landfall_client::{Failure, words::SecretBytes};
use landfall_protocol::ErrorCode;
use serde::Serialize;
use serde_json::Value;
use std::io::{self, Write};

/// Where answers go.
#[derive(Debug, Clone)]
pub struct Output {
    json: bool,
}

/// The answer of a verb.
pub enum Answer {
    /// For people, and for programs.
    Text {
        /// One document.
        json: Value,
        /// Whole lines.
        text: String,
    },
    /// A report that something is wrong: printed like any other, and told by the exit code.
    Unwell {
        /// One document.
        json: Value,
        /// Whole lines.
        text: String,
        /// What is wrong first.
        code: ErrorCode,
    },
    /// An answer that is never shown again: nobody who missed it may think that they can ask once more.
    Once {
        /// One document.
        json: Value,
        /// Whole lines.
        text: String,
        /// What it means that nobody got it, and what to do.
        lost: &'static str,
    },
    /// Bytes exactly as they are, unless a program asked for JSON.
    Raw {
        /// One document.
        json: Value,
        /// The bytes.
        bytes: SecretBytes,
    },
}

impl Answer {
    /// An answer whose document is `value`.
    pub fn new(value: &impl Serialize, text: impl Into<String>) -> Result<Self, Failure> {
        let json = serde_json::to_value(value)
            .map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))?;
        Ok(Self::Text { json, text: text.into() })
    }
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a part of a long answer; tells whether somebody still reads.
    pub fn part(&self, text: &str) -> Result<bool, Failure> {
        taken(to_stdout(text.as_bytes()))
    }

    /// Prints help or version, in colour where somebody sees it.
    pub fn help(&self, text: &clap::Error) -> Result<(), Failure> {
        taken(text.print().and_then(|()| io::stdout().flush())).map(|_| ())
    }

    /// Prints the answer.
    pub fn done(&self, answer: Answer) -> Result<(), Failure> {
        let once = match &answer {
            Answer::Once { lost, .. } => Some(*lost),
            _ => None,
        };
        let printed = match answer {
            Answer::Text { json, .. }
            | Answer::Unwell { json, .. }
            | Answer::Once { json, .. }
            | Answer::Raw { json, .. }
                if self.json =>
            {
                to_stdout(format!("{json:#}\n").as_bytes())
            }
            Answer::Text { text, .. } | Answer::Unwell { text, .. } | Answer::Once { text, .. } => {
                to_stdout(with_newline(&text).as_bytes())
            }
            Answer::Raw { bytes, .. } => to_stdout(bytes.expose()),
        };
        match (once, printed) {
            // Also when somebody has closed the pipe: they have not read what is shown once.
            (Some(lost), Err(error)) => {
                let detail = format!("Standard output does not take it: {error}. {lost}");
                Err(Failure::new(ErrorCode::OutputUnwritable, detail))
            }
            (_, printed) => taken(printed).map(|_| ()),
        }
    }

    /// Prints what went wrong: what happened, why and what to do next, the code at the end.
    pub fn failure(&self, failure: &Failure) {
        let text = if self.json {
            serde_json::to_string_pretty(failure.problem()).unwrap_or_default()
        } else {
            human(failure)
        };
        say(&text);
    }
}

fn human(failure: &Failure) -> String {
    let problem = failure.problem();
    let mut text = format!("{}.\n", problem.title);
    if !problem.detail.is_empty() && problem.detail != problem.title {
        text.push_str(&wrap(&with_clock_times(&problem.detail), 80));
        text.push('\n');
    }
    // What was too much says so itself.
    let retry = problem.retry_after_seconds.filter(|_| problem.code != ErrorCode::RateLimited);
    if let Some(seconds) = retry {
        text.push_str(&texts::try_again_in(seconds));
        text.push('\n');
    }
    if let Some(next) = texts::remedy(failure) {
        text.push_str(&wrap(next, 80));
        text.push('\n');
    }
    let request = problem.request_id.as_ref();
    let request = request.map(|id| format!(", request {id}")).unwrap_or_default();
    text.push_str(&format!("\n({}{request})", problem.code));
    text
}

/// Prints a line on stderr. One that nobody can be told is no reason to stop, nor to end otherwise.
pub fn say(line: &str) {
    let _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// Whether somebody still reads: whoever closed the pipe has read enough, and no error of ours. A disk
/// that is full is one, and it is not the server's: what was asked for may be done all the same.
fn taken(printed: io::Result<()>) -> Result<bool, Failure> {
    match printed {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            let why = texts::output_unwritable(&error.to_string());
            Err(Failure::new(ErrorCode::OutputUnwritable, why))
        }
    }
}

fn to_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

fn with_newline(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

/// Breaks a text between words.
pub fn wrap(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

/// Rows under headings, in columns as wide as they must be.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([headings[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut headings.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_why_and_next_and_ends_with_its_code() {
        let failure = Failure::new(ErrorCode::TokenUsed, "It was used at 14:32 on bert-new.");
        let text = human(&failure);
        assert!(text.starts_with("This code was used already.\nIt was used at 14:32"));
        assert!(text.ends_with("(token-used)"));
    }

    #[test]
    fn what_a_detail_says_is_not_said_again() {
        let mut limited = Failure::new(ErrorCode::RateLimited, "Wait 10 minutes.").into_problem();
        limited.retry_after_seconds = Some(600);
        assert_eq!(human(&limited.into()).matches("minutes").count(), 1);
        let frozen = Failure::new(ErrorCode::AccountFrozen, "Then: landfall unfreeze.");
        assert_eq!(human(&frozen).matches("unfreeze").count(), 1);
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "x".to_owned()], vec!["long".to_owned(), "y".to_owned()]];
        assert_eq!(table(&["NAME", "B"], &rows), "NAME  B\na     x\nlong  y");
    }

    #[test]
    fn long_texts_break_between_words() {
        assert_eq!(wrap("one two three", 7), "one two\nthree");
        assert_eq!(wrap("unbreakable", 3), "unbreakable");
    }
}
