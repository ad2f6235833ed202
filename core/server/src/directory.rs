//! The data directory: one server's, and nobody else's.

use crate::keys::PRIVATE_FILES;
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, PersistError};

/// Only the owner enters.
const DIRECTORY_MODE: u32 = 0o700;
/// Only the owner reads and writes.
const FILE_MODE: u32 = 0o600;

/// Why a directory cannot be used. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Another server, or an operator's command, has it.
    #[error(
        "another landfall-server is using {0}; stop it first, or choose another directory with --data-dir"
    )]
    InUse(PathBuf),
    /// It cannot be made, entered or written.
    #[error("{path} cannot be used: {source}; check who owns it and that the disk has room")]
    Unusable {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something else is there.
    #[error(
        "{0} is a file and no directory; choose a directory with --data-dir. Nothing was changed"
    )]
    NoDirectory(PathBuf),
    /// No server has ever served from it.
    #[error(
        "there is no server's data in {0}: check --data-dir, or let the server start there once: \
         landfall-server serve --data-dir {0}"
    )]
    Empty(PathBuf),
    /// It belongs to another user of the machine.
    #[error(
        "{path} belongs to the user with the number {owner}, and this command runs as {caller}: run it as \
         the user whom the server runs as, such as: sudo -u '#{owner}' landfall-server ..."
    )]
    NotYours {
        /// Which one.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who asks.
        caller: u32,
    },
    /// Others may enter it.
    #[error(
        "{path} is open to other users (mode {mode:o}) and keeps private keys; run: chmod 700 {path}"
    )]
    OpenToOthers {
        /// Which one.
        path: PathBuf,
        /// How it stands.
        mode: u32,
    },
}

/// An open data directory. The lock lasts as long as this value.
#[derive(Debug)]
pub struct DataDirectory {
    root: PathBuf,
    _lock: Option<File>,
}

impl DataDirectory {
    /// Opens the directory for this process alone, and makes it when it is not there.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub fn open(root: &Path) -> Result<Self, DirectoryError> {
        let unusable = |source| DirectoryError::Unusable { path: root.to_owned(), source };
        if root.exists() && !root.is_dir() {
            return Err(DirectoryError::NoDirectory(root.to_owned()));
        }
        if !root.exists() {
            DirBuilder::new()
                .recursive(true)
                .mode(DIRECTORY_MODE)
                .create(root)
                .map_err(unusable)?;
        }
        let mode = root.metadata().map_err(unusable)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(DirectoryError::OpenToOthers { path: root.to_owned(), mode });
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(FILE_MODE)
            .open(root.join("lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DirectoryError::InUse(root.to_owned())),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        tighten(root)?;
        Ok(Self { root: root.to_owned(), _lock: Some(lock) })
    }

    /// A directory that exists, beside the server that may have it: for an operator's short commands.
    ///
    /// # Errors
    /// [`DirectoryError::Empty`] when there is no database in it.
    pub fn attach(root: &Path) -> Result<Self, DirectoryError> {
        if root.exists() && !root.is_dir() {
            return Err(DirectoryError::NoDirectory(root.to_owned()));
        }
        match database_in(root).metadata() {
            Ok(_) => Ok(Self { root: root.to_owned(), _lock: None }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(DirectoryError::Empty(root.to_owned()))
            }
            Err(source) => Err(DirectoryError::Unusable { path: root.to_owned(), source }),
        }
    }

    /// As [`Self::attach`], and only for its owner: for what gives power over the server.
    ///
    /// # Errors
    /// [`DirectoryError::NotYours`], also for root: whoever can become anybody can become its owner, and
    /// then it is on record who did. [`DirectoryError::OpenToOthers`].
    pub fn attach_own(root: &Path) -> Result<Self, DirectoryError> {
        let unusable = |source| DirectoryError::Unusable { path: root.to_owned(), source };
        let directory = Self::attach(root)?;
        let about = root.metadata().map_err(unusable)?;
        let mode = about.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(DirectoryError::OpenToOthers { path: root.to_owned(), mode });
        }
        // A file that this process makes belongs to whoever runs it.
        let probe = tempfile::tempfile().and_then(|file| file.metadata()).map_err(unusable)?;
        let (owner, caller) = (about.uid(), probe.uid());
        match owner == caller {
            true => Ok(directory),
            false => Err(DirectoryError::NotYours { path: root.to_owned(), owner, caller }),
        }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Whether a server has served from it: it has exported checkpoints of its audit log.
    pub fn has_served(&self) -> bool {
        let exported = self.root.join(crate::audit::journal::JOURNAL_FILE);
        exported.metadata().is_ok_and(|file| file.len() > 0)
    }

    /// The embedded database.
    pub fn database(&self) -> PathBuf {
        database_in(&self.root)
    }

    /// Writes a file that only the owner reads, whole or not at all, and returns its path.
    ///
    /// # Errors
    /// [`DirectoryError::Unusable`].
    pub fn write_private(&self, name: &str, text: &str) -> Result<PathBuf, DirectoryError> {
        write_private(&self.file(name), text.as_bytes())?;
        Ok(self.file(name))
    }
}

/// Where a data directory keeps its embedded database.
pub fn database_in(root: &Path) -> PathBuf {
    root.join("landfall.db")
}

/// Sees to it that a file is there and that only its owner reads it. What SQLite puts beside a
/// database (its log, its index of the log) takes over the database's mode.
///
/// # Errors
/// [`io::Error`] from the file system.
pub fn make_private(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().create(true).append(true).mode(FILE_MODE).open(path)?;
    if file.metadata()?.mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    }
    Ok(())
}

/// Takes other users' rights away from the files of a directory that an earlier version, a copy or a
/// hand has left open.
fn tighten(root: &Path) -> Result<(), DirectoryError> {
    let unusable = |path: &Path, source| DirectoryError::Unusable { path: path.to_owned(), source };
    for entry in root.read_dir().map_err(|source| unusable(root, source))? {
        let entry = entry.map_err(|source| unusable(root, source))?;
        // An open key is refused, and said: somebody may have it.
        if PRIVATE_FILES.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let path = entry.path();
        let about = path.symlink_metadata().map_err(|source| unusable(&path, source))?;
        if about.is_file() && about.mode() & 0o077 != 0 {
            std::fs::set_permissions(&path, Permissions::from_mode(FILE_MODE))
                .map_err(|source| unusable(&path, source))?;
            tracing::warn!(path = %path.display(), "other users could read this file; now only its owner can");
        }
    }
    Ok(())
}

/// Writes a file that only the owner reads: beside it first, then renamed over it, so that nobody
/// ever finds half a file.
///
/// # Errors
/// [`DirectoryError::Unusable`].
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), DirectoryError> {
    let unusable = |error: PersistError| unusable(path, error.error);
    beside(path, content)?.persist(path).map(|_| ()).map_err(unusable)
}

/// As [`write_private`], and never over a file that is there.
///
/// # Errors
/// [`DirectoryError::Unusable`]; its source is `AlreadyExists` for one that is.
pub fn write_new_private(path: &Path, content: &[u8]) -> Result<(), DirectoryError> {
    let unusable = |error: PersistError| unusable(path, error.error);
    beside(path, content)?.persist_noclobber(path).map(|_| ()).map_err(unusable)
}

fn unusable(path: &Path, source: io::Error) -> DirectoryError {
    DirectoryError::Unusable { path: path.to_owned(), source }
}

/// A file with this content beside `path`, on disk, and gone again unless it is renamed.
fn beside(path: &Path, content: &[u8]) -> Result<NamedTempFile, DirectoryError> {
    use std::io::Write;
    let unusable = |source| unusable(path, source);
    let parent = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".landfall-")
        .permissions(Permissions::from_mode(FILE_MODE))
        .tempfile_in(parent)
        .map_err(unusable)?;
    file.write_all(content).map_err(unusable)?;
    file.as_file().sync_all().map_err(unusable)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o777
    }

    #[test]
    fn it_is_made_for_its_owner_alone() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("a/b");
        let directory = DataDirectory::open(&root).unwrap();
        let file = directory.write_private("claim-token.txt", "x").unwrap();
        assert_eq!((mode(&root), mode(&file)), (0o700, 0o600));
    }

    #[test]
    fn a_second_server_is_refused_until_the_first_is_gone() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("data");
        let first = DataDirectory::open(&root).unwrap();
        let second = DataDirectory::open(&root).unwrap_err();
        assert!(matches!(second, DirectoryError::InUse(_)), "{second}");
        drop(first);
        assert!(DataDirectory::open(&root).is_ok());
    }

    #[test]
    fn a_directory_that_others_may_enter_is_refused() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("data");
        std::fs::create_dir(&root).unwrap();
        std::fs::set_permissions(&root, Permissions::from_mode(0o755)).unwrap();
        let error = DataDirectory::open(&root).unwrap_err().to_string();
        assert!(error.contains("chmod 700"), "{error}");
    }

    #[test]
    fn files_that_others_could_read_are_closed_and_links_are_left_alone() {
        let outer = tempfile::tempdir().unwrap();
        let (root, elsewhere) = (outer.path().join("data"), outer.path().join("elsewhere"));
        drop(DataDirectory::open(&root).unwrap());
        let open = |path: &Path| {
            std::fs::write(path, "").unwrap();
            std::fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
        };
        let (database, log) = (root.join("landfall.db"), root.join("landfall.db-wal"));
        for path in [&database, &log, &elsewhere] {
            open(path);
        }
        std::os::unix::fs::symlink(&elsewhere, root.join("link")).unwrap();
        let _directory = DataDirectory::open(&root).unwrap();
        assert_eq!([&database, &log, &elsewhere].map(|path| mode(path)), [0o600, 0o600, 0o644]);
    }

    #[test]
    fn what_gives_power_is_for_the_owner_alone() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("data");
        drop(DataDirectory::open(&root).unwrap());
        std::fs::write(root.join("landfall.db"), "").unwrap();
        assert!(DataDirectory::attach_own(&root).is_ok());
        std::fs::set_permissions(&root, Permissions::from_mode(0o750)).unwrap();
        let error = DataDirectory::attach_own(&root).unwrap_err();
        assert!(matches!(error, DirectoryError::OpenToOthers { .. }), "{error}");
        std::fs::set_permissions(&root, Permissions::from_mode(0o700)).unwrap();
        // Only root can give a directory away; elsewhere the rule is read above.
        if std::os::unix::fs::chown(&root, Some(4242), None).is_ok() {
            let error = DataDirectory::attach_own(&root).unwrap_err();
            assert!(matches!(error, DirectoryError::NotYours { owner: 4242, .. }), "{error}");
            assert!(error.to_string().contains("sudo -u"), "{error}");
        }
    }

    #[test]
    fn a_place_that_cannot_be_written_says_so() {
        let outer = tempfile::tempdir().unwrap();
        let file = outer.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = DataDirectory::open(&file.join("data")).unwrap_err();
        assert!(matches!(error, DirectoryError::Unusable { .. }), "{error}");
    }
}
