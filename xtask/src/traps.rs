//! The table of traps (`tests/TRAPS.md`): each has a row, and what a row names exists.

use crate::sh;
use anyhow::{Context, Result};
use std::fs;
use std::ops::RangeInclusive;

/// Where the table is.
const TABLE: &str = "tests/TRAPS.md";
/// Every trap there is.
const TRAPS: RangeInclusive<u32> = 1..=57;
/// What a row says whose trap belongs to a part that does not exist yet.
const LATER: &str = "later issue";
/// The traps of the parts that exist: these must be held by a test or a type.
const HELD_NOW: &[RangeInclusive<u32>] = &[1..=26, 46..=48, 52..=57];

/// A file of the tree, as far as tests and types are concerned.
struct Source {
    name: String,
    text: String,
}

/// Every trap without a row, and every row that points at nothing.
///
/// # Errors
/// This is not a git work tree, or a file cannot be read.
pub fn findings() -> Result<Vec<String>> {
    let mut tree = Vec::new();
    for path in sh::files()? {
        let name = path.to_string_lossy().into_owned();
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        let ours = ["rs", "sql", "ts", "tsx", "mjs"].contains(&kind) && !name.starts_with("xtask/");
        if ours {
            tree.push(Source { name, text: fs::read_to_string(sh::root().join(&path))? });
        }
    }
    let table = fs::read_to_string(sh::root().join(TABLE))
        .with_context(|| format!("cannot read {TABLE}"))?;
    Ok(judge(&table, &tree))
}

fn judge(table: &str, tree: &[Source]) -> Vec<String> {
    let rows: Vec<_> = table.lines().filter_map(row).collect();
    let mut findings = Vec::new();
    for trap in TRAPS {
        match rows.iter().filter(|(number, _)| *number == trap).collect::<Vec<_>>()[..] {
            [] => findings.push(format!("trap {trap} has no row in {TABLE}")),
            [(_, held_by)] => findings.extend(judge_row(trap, held_by, tree)),
            _ => findings.push(format!("trap {trap} has several rows in {TABLE}")),
        }
    }
    findings
}

/// `| 7 | what it is | test `a`, type `B` |` as its number and its last cell.
fn row(line: &str) -> Option<(u32, &str)> {
    let cells: Vec<_> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
    Some((cells.first()?.parse().ok()?, cells.last()?))
}

fn judge_row(trap: u32, held_by: &str, tree: &[Source]) -> Vec<String> {
    if held_by == LATER {
        let now = HELD_NOW.iter().any(|range| range.contains(&trap));
        return if now { vec![format!("trap {trap} belongs here and now")] } else { vec![] };
    }
    // Between backticks: the odd parts are names, the even ones say what kind the next is.
    let parts: Vec<_> = held_by.split('`').collect();
    let items: Vec<_> = parts.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    if items.is_empty() {
        return vec![format!("trap {trap} is held by nothing")];
    }
    let mut findings = Vec::new();
    let mut kind = "";
    for (before, name) in items {
        kind = before.split_whitespace().rfind(|w| ["test", "type"].contains(w)).unwrap_or(kind);
        let exists = match kind {
            "test" => tree.iter().any(|source| has_test(source, name)),
            "type" => tree.iter().any(|source| has_item(source, name)),
            _ => false,
        };
        if !exists {
            findings.push(format!("trap {trap} names `{name}`, and there is no such {kind}"));
        }
    }
    findings
}

/// A Rust test function of that name, or a TypeScript test of that title.
fn has_test(source: &Source, name: &str) -> bool {
    if !source.name.ends_with(".rs") {
        return ['"', '\'', '`'].iter().any(|q| source.text.contains(&format!("({q}{name}{q}")));
    }
    let head = format!("fn {name}(");
    let lines: Vec<_> = source.text.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(index, line)| {
        // What stands directly above; inside `proptest!` too.
        let mut above = lines[..index].iter().rev();
        let attributes = above.by_ref().take_while(|line| line.starts_with(['#', '/']));
        line.contains(&head) && attributes.into_iter().any(|line| is_test_attribute(line))
    })
}

fn is_test_attribute(line: &str) -> bool {
    ["#[test]", "#[tokio::test"].iter().any(|head| line.starts_with(head))
}

/// A type, function or constant of that name, or a constraint quoted as it stands.
fn has_item(source: &Source, name: &str) -> bool {
    let words = ["struct", "enum", "trait", "fn", "const", "type"];
    let declared =
        source.name.ends_with(".rs") && words.iter().any(|word| declares(&source.text, word, name));
    let quoted = name.contains(' ') && source.text.contains(name);
    declared || (quoted && [".rs", ".sql"].iter().any(|kind| source.name.ends_with(kind)))
}

fn declares(text: &str, word: &str, name: &str) -> bool {
    let head = format!("{word} {name}");
    text.match_indices(&head).any(|(at, _)| {
        let next = text[at + head.len()..].chars().next();
        next.is_none_or(|next| !next.is_alphanumeric() && next != '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Vec<Source> {
        vec![
            Source {
                name: "a.rs".into(),
                text: "#[test]\nfn one_wins() {}\nstruct Grant;\nfn helper() {}\n".into(),
            },
            Source { name: "b.test.ts".into(), text: "test(\"the page speaks\", () => {})".into() },
        ]
    }

    #[test]
    fn the_table_of_traps_points_at_what_exists() {
        let findings = findings().unwrap();
        assert!(findings.is_empty(), "{}", findings.join("\n"));
    }

    #[test]
    fn names_of_tests_titles_and_types_are_found() {
        let row = "test `one_wins`, `the page speaks`; type `Grant`";
        assert_eq!(judge_row(1, row, &tree()), Vec::<String>::new());
    }

    #[test]
    fn what_points_at_nothing_is_found() {
        for row in ["", "by care", "test `helper`", "type `Gran`", "test `gone`", "later issue"] {
            assert_eq!(judge_row(1, row, &tree()).len(), 1, "{row}");
        }
        assert!(judge_row(35, "later issue", &tree()).is_empty());
    }

    #[test]
    fn every_trap_needs_one_row() {
        let row = |trap: u32| format!("| {trap} | x | test `one_wins` |\n");
        let table: String = (1..=57).map(row).collect();
        assert!(judge(&table, &tree()).is_empty());
        assert_eq!(judge(&table.replace("| 31 ", "| x "), &tree()).len(), 1);
        assert_eq!(judge(&format!("{table}{}", row(5)), &tree()).len(), 1);
    }
}
