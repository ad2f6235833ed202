//! House rules that no linter knows: how long a file may be, and that nothing is left for later.

use crate::sh;
use anyhow::Result;
use std::fs;
use std::path::Path;

/// Past this a file is two files.
const MAX_LINES: usize = 500;
/// Tables, which may be longer: one row is one line there.
const TABLES: &[&str] = &["action.rs", "error.rs", "refusal.rs", "route.rs", "en.ts"];
/// What is checked: what people write.
const KINDS: &[&str] = &["rs", "ts", "tsx", "css", "mjs", "js"];
/// Written by a program.
const GENERATED: &[&str] = &["bindings/typescript"];

/// Every file that is too long, and every note to self.
///
/// # Errors
/// This is not a git work tree, or a file cannot be read.
pub fn findings() -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for path in sh::files()? {
        if is_ours(&path) {
            let text = fs::read_to_string(sh::root().join(&path))?;
            findings.extend(judge(&path, &text));
        }
    }
    Ok(findings)
}

fn is_ours(path: &Path) -> bool {
    let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
    KINDS.contains(&kind) && !GENERATED.iter().any(|dir| path.starts_with(dir))
}

fn judge(path: &Path, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let lines = text.lines().count();
    if lines > MAX_LINES && !TABLES.contains(&name) {
        findings.push(format!("{}: {lines} lines; {MAX_LINES} at most", path.display()));
    }
    for (index, line) in text.lines().enumerate() {
        if notes_to_self().iter().any(|note| line.contains(note.as_str())) {
            findings.push(format!("{}:{}: left for later", path.display(), index + 1));
        }
    }
    findings
}

/// Spelt in halves, so that this file does not find itself.
fn notes_to_self() -> [String; 3] {
    [["TO", "DO"], ["FIX", "ME"], ["XX", "X:"]].map(|halves| halves.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_keeps_the_house_rules() {
        let findings = findings().unwrap();
        assert!(findings.is_empty(), "{}", findings.join("\n"));
    }

    #[test]
    fn a_long_file_and_a_note_to_self_are_found() {
        let long = "line\n".repeat(MAX_LINES + 1);
        assert_eq!(judge(Path::new("a/b.rs"), &long).len(), 1);
        assert_eq!(judge(Path::new("a/action.rs"), &long).len(), 0);
        let note = format!("// {}later", notes_to_self()[0]);
        assert_eq!(judge(Path::new("a/b.rs"), &note).len(), 1);
    }
}
