//! Files with codes in them: new ones only, for their owner alone from the first byte.

use crate::failure::Failure;
use landfall_flows::SheetFormat;
use landfall_protocol::ErrorCode;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// How many sheets of one day are told apart by a number.
const SAME_NAME_MAX: usize = 99;

/// A file that was not there, for its owner alone from its first byte.
///
/// # Errors
/// `state-unwritable`, with the reason; also when the file is there.
pub fn new_private_file(path: &Path) -> Result<File, Failure> {
    create(path).map_err(|error| unwritable(path, &error))
}

/// Fills a file of one's own, whole or not at all: beside it first, on disk, and then in its place.
///
/// # Errors
/// `state-unwritable`, with the reason; what was in it is in it still.
pub fn fill_private_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let fill = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    fill().map_err(|error| unwritable(path, &error))
}

/// Writes `bytes` into a new file in `folder`: `stem.pdf`, or with a number when that is there.
///
/// # Errors
/// `state-unwritable`.
pub(crate) fn save_new(
    folder: &Path,
    stem: &str,
    format: SheetFormat,
    bytes: &[u8],
) -> Result<PathBuf, Failure> {
    let ending = match format {
        SheetFormat::Html => "html",
        SheetFormat::Pdf => "pdf",
    };
    let numbered = (2..=SAME_NAME_MAX).map(|n| format!("{stem}-{n}.{ending}"));
    let mut last = folder.join(format!("{stem}.{ending}"));
    for name in std::iter::once(format!("{stem}.{ending}")).chain(numbered) {
        last = folder.join(name);
        match create(&last) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unwritable(&last, &error)),
            Ok(mut file) => {
                let written = file.write_all(bytes).and_then(|()| file.sync_all());
                return written.map(|()| last.clone()).map_err(|error| unwritable(&last, &error));
            }
        }
    }
    Err(unwritable(&last, &ErrorKind::AlreadyExists.into()))
}

fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let detail = format!("{} cannot be written: {error}. Name a new file.", path.display());
    // The person's own file, and not our folder.
    Failure::new(ErrorCode::StateUnwritable, detail).titled("The file cannot be written")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_sheet_overwrites_nothing_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let save = |bytes: &[u8]| save_new(folder.path(), "codes", SheetFormat::Pdf, bytes);
        let first = save(b"one").unwrap();
        let second = save(b"two").unwrap();
        assert!(first.ends_with("codes.pdf") && second.ends_with("codes-2.pdf"));
        assert_eq!(
            (fs::read(&first).unwrap(), fs::read(&second).unwrap()),
            (b"one".into(), b"two".into())
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let taken = new_private_file(&first).err().unwrap();
        assert_eq!(taken.code(), ErrorCode::StateUnwritable);
        assert!(!taken.to_string().contains("folder"), "it is no file of ours: {taken}");
        assert_eq!(fs::read(&first).unwrap(), b"one");
    }

    #[test]
    fn a_sheet_is_filled_whole_or_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("codes.pdf");
        drop(new_private_file(&path).unwrap());
        fill_private_file(&path, b"ten codes").unwrap();
        fill_private_file(&path, b"ten codes, and the server's name").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ten codes, and the server's name");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing beside it");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let gone = folder.path().join("gone").join("codes.pdf");
        assert_eq!(
            fill_private_file(&gone, b"x").err().unwrap().code(),
            ErrorCode::StateUnwritable
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_said() {
        let gone = tempfile::tempdir().unwrap().path().join("gone");
        let failure = save_new(&gone, "codes", SheetFormat::Html, b"x").err().unwrap();
        assert!(failure.to_string().contains("codes.html"));
    }
}
