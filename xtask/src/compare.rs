//! Two folders, or two files, side by side.

use anyhow::Result;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What `committed` lacks, has otherwise than `made`, or has too much; of the last, only files that
/// `ours` recognises by their content.
///
/// # Errors
/// Something cannot be read.
pub fn folders(committed: &Path, made: &Path, ours: impl Fn(&[u8]) -> bool) -> Result<Vec<String>> {
    let (old, new) = (contents(committed)?, contents(made)?);
    let mut findings = Vec::new();
    for (name, text) in &new {
        match old.get(name) {
            None => findings.push(format!("{} is missing", committed.join(name).display())),
            Some(was) if was != text => {
                findings.push(format!("{} is out of date", committed.join(name).display()));
            }
            Some(_) => {}
        }
    }
    for (name, text) in &old {
        if !new.contains_key(name) && ours(text) {
            findings
                .push(format!("{} is made by nothing any more", committed.join(name).display()));
        }
    }
    Ok(findings)
}

/// Writes every file under `from` to the same place under `to`.
///
/// # Errors
/// Something cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    for (name, text) in contents(from)? {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap_or(to))?;
        fs::write(path, text)?;
    }
    Ok(())
}

/// Every file under `root`, by its path from there.
fn contents(root: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(root)?.to_path_buf(), fs::read(&path)?);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_a_missing_and_a_stale_file_are_found() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (dir, name, text) in [
            (&old, "same", "1"),
            (&new, "same", "1"),
            (&old, "changed", "1"),
            (&new, "changed", "2"),
            (&new, "missing", "1"),
            (&old, "stale", "1"),
            (&old, "by hand", "mine"),
        ] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        assert_eq!(folders(old.path(), new.path(), |text| text == b"1").unwrap().len(), 3);
        assert!(folders(old.path(), old.path(), |_| true).unwrap().is_empty());
    }
}
