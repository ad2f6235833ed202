//! What is wrong with a configuration, as a person is told: which key, where it was said, what to do.

use figment::error::{Actual, Error, Kind};
use std::path::Path;

/// Where values come from, for telling it.
pub(super) struct Sources<'a> {
    /// The file, when there is one.
    pub file: Option<&'a Path>,
    /// The keys that variables set.
    pub variables: Vec<String>,
    /// The keys that flags set.
    pub flags: Vec<String>,
}

impl Sources<'_> {
    /// Where a key was said; the strongest source wins.
    pub(super) fn of(&self, key: &str) -> String {
        let has = |keys: &[String]| keys.iter().any(|other| other == key);
        match self.file {
            _ if has(&self.flags) => format!("the flag --{}", key.replace('_', "-")),
            _ if has(&self.variables) => {
                format!("the variable {}{}", super::PREFIX, key.to_ascii_uppercase())
            }
            Some(file) => file.display().to_string(),
            None => "the configuration".to_owned(),
        }
    }
}

/// Everything that is wrong, one sentence each.
pub(super) fn explain(error: Error, sources: &Sources<'_>) -> String {
    let told: Vec<String> = error.into_iter().map(|error| one(&error, sources)).collect();
    told.join("\n")
}

fn one(error: &Error, sources: &Sources<'_>) -> String {
    let key = error.path.join(".");
    let at = sources.of(&key);
    match &error.kind {
        Kind::MissingField(field) if field == "data_dir" => {
            "say where everything is kept: --data-dir DIR, or data_dir in the file".to_owned()
        }
        Kind::UnknownField(field, known) => {
            let at = sources.of(field);
            match nearest(field, known) {
                Some(meant) => format!("{at}: there is no key {field}; is {meant} meant?"),
                None => format!(
                    "{at}: there is no key {field}. Take it out, or use one of: {}",
                    known.join(", ")
                ),
            }
        }
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            let wanted = match found {
                Actual::Unsigned(_) | Actual::Signed(_) => bounds(&expected.to_string()),
                _ => None,
            };
            let wanted = wanted.unwrap_or_else(|| self::wanted(expected.to_string()));
            format!("{at}: {key} must be {wanted}, and is {}", given(found))
        }
        Kind::UnknownVariant(found, known) => {
            format!("{at}: {key} must be {}, and is {found}", known.join(" or "))
        }
        // What no key belongs to is the file's own form: the text shows line and column.
        Kind::Message(text) if key.is_empty() => format!("{at} is not TOML: {text}"),
        Kind::Message(text) if text.starts_with("invalid socket address") => format!(
            "{at}: {key} must be an address and a port, such as 127.0.0.1:8443, and no name"
        ),
        Kind::Message(text) => format!("{at}: {key}: {text}"),
        _ => format!("{at}: {error}"),
    }
}

/// What a number must be that is none of those which the program can keep there.
fn bounds(expected: &str) -> Option<String> {
    let max = match expected {
        "u8" => u8::MAX.into(),
        "u16" => u16::MAX.into(),
        "u32" => u32::MAX,
        "u64" | "usize" => return Some("a whole number, and 0 or more".to_owned()),
        _ => return None,
    };
    Some(format!("a whole number from 0 to {max}"))
}

/// What belongs there, in words: what a type is called in the program is nobody's business.
fn wanted(expected: String) -> String {
    let words = match expected.as_str() {
        "u8" | "u16" | "u32" | "u64" | "usize" | "i64" => "a whole number, such as 3600",
        "a boolean" => "true or false",
        "a string" | "str" | "string" | "path string" | "path" => "a text in quotes",
        "a sequence" | "seq" => "a list",
        "socket address" => "an address and a port, such as 127.0.0.1:8443",
        _ => return expected,
    };
    words.to_owned()
}

/// What stands there, in words.
fn given(found: &Actual) -> String {
    match found {
        Actual::Bool(value) => value.to_string(),
        Actual::Unsigned(value) => value.to_string(),
        Actual::Signed(value) => value.to_string(),
        Actual::Float(value) => value.to_string(),
        Actual::Char(value) => format!("the text \"{value}\""),
        Actual::Str(value) => format!("the text \"{value}\""),
        Actual::Seq => "a list".to_owned(),
        Actual::Map => "a table".to_owned(),
        _ => "something else".to_owned(),
    }
}

/// The known key that differs least, when it differs little.
fn nearest(field: &str, known: &'static [&'static str]) -> Option<&'static str> {
    let (distance, key) = known.iter().map(|key| (distance(field, key), *key)).min()?;
    (distance <= field.len() / 3).then_some(key)
}

/// Letters to change, add or leave out (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let changed = corner + usize::from(a != b);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_keys_are_recognised_and_others_are_not() {
        let known: &[&str] = &["listen", "localhost_listen", "tenant"];
        assert_eq!(nearest("lissten", known), Some("listen"));
        assert_eq!(nearest("localhost-listen", known), Some("localhost_listen"));
        assert_eq!(nearest("smtp_server", known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
