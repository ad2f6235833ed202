//! The exported file of checkpoints, one JSON line each. Copied elsewhere it shows a log that was cut
//! or a database that was rolled back.

use landfall_crypto::checkpoint::{LINE_MAX, SignedCheckpoint};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Checkpoints that the file may lack at its end: those of a crash between commit and export. A server
/// seals once a second and brings the file up each time.
pub const TAIL_MAX: u32 = 3;
/// The file's name in the data directory.
pub const JOURNAL_FILE: &str = "audit-checkpoints.jsonl";

/// How much of its end is read at opening. The file grows for ever, by a quarter of a kilobyte for each
/// half second in which anything happened, and only its last checkpoint is needed to go on.
const TAIL: usize = 64 * LINE_MAX;

/// The file, open for appending.
pub struct Journal {
    path: PathBuf,
    last: Option<SignedCheckpoint>,
}

impl Journal {
    /// Opens the file, making it when it is not there, and cuts off a line that a crash left
    /// unfinished.
    ///
    /// # Errors
    /// [`io::Error`] from the file system.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file =
            private(OpenOptions::new().create(true).read(true).append(true)).open(path)?;
        let (whole, last) = match end_of(&mut file)? {
            Some((whole, last)) => (whole, Some(last)),
            None => all_of(&mut file)?,
        };
        if file.metadata()?.len() > whole {
            file.set_len(whole)?;
        }
        file.sync_all()?;
        sync_directory_of(path)?;
        Ok(Self { path: path.to_owned(), last })
    }

    /// The last checkpoint in the file.
    pub fn last(&self) -> Option<&SignedCheckpoint> {
        self.last.as_ref()
    }

    /// Appends checkpoints and returns when they are on disk.
    ///
    /// # Errors
    /// [`io::Error`] from the file system; what was half written is cut off at the next opening.
    pub fn append(&mut self, checkpoints: &[SignedCheckpoint]) -> io::Result<()> {
        let mut lines = String::new();
        for checkpoint in checkpoints {
            lines.push_str(&checkpoint.to_line().map_err(io::Error::other)?);
            lines.push('\n');
        }
        let mut file = private(OpenOptions::new().create(true).append(true)).open(&self.path)?;
        let before = file.metadata()?.len();
        if let Err(error) = file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()) {
            // The next try must not follow half a line.
            file.set_len(before)?;
            return Err(error);
        }
        if let Some(last) = checkpoints.last() {
            self.last = Some(last.clone());
        }
        Ok(())
    }
}

/// Bytes of the whole lines of a long file, and its last checkpoint; `None` when its end does not tell.
fn end_of(file: &mut File) -> io::Result<Option<(u64, SignedCheckpoint)>> {
    let Some(before) = file.metadata()?.len().checked_sub(TAIL as u64) else { return Ok(None) };
    let mut tail = vec![0; TAIL];
    file.seek(SeekFrom::Start(before))?;
    file.read_exact(&mut tail)?;
    let Some(newline) = tail.iter().rposition(|byte| *byte == b'\n') else { return Ok(None) };
    // The first piece may be the end of a line, and then it is no checkpoint either.
    let last = tail[..newline].rsplit(|byte| *byte == b'\n').find_map(checkpoint_of);
    Ok(last.map(|last| (before + newline as u64 + 1, last)))
}

/// As [`end_of`], from the beginning.
fn all_of(file: &mut File) -> io::Result<(u64, Option<SignedCheckpoint>)> {
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut last = None;
    let mut lines = Lines::new(file, length);
    for line in &mut lines {
        last = line?.checkpoint.or(last);
    }
    Ok((lines.whole, last))
}

/// What a line without its end holds, when it is a checkpoint.
fn checkpoint_of(line: &[u8]) -> Option<SignedCheckpoint> {
    SignedCheckpoint::parse_line(std::str::from_utf8(line).ok()?).ok()
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// The name of a new file is durable only when its directory is.
fn sync_directory_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        #[cfg(unix)]
        Some(directory) => File::open(directory)?.sync_all(),
        _ => Ok(()),
    }
}

/// A line of the file.
pub struct JournalLine {
    /// Counted from one.
    pub number: u64,
    /// What it holds, when it is a checkpoint.
    pub checkpoint: Option<SignedCheckpoint>,
}

/// The whole lines of the file; one that a crash left unfinished is not among them.
pub struct Lines<R> {
    reader: BufReader<io::Take<R>>,
    number: u64,
    /// Bytes of the whole lines so far.
    whole: u64,
}

impl<R: Read> Lines<R> {
    fn new(file: R, length: u64) -> Self {
        Self { reader: BufReader::new(file.take(length)), number: 0, whole: 0 }
    }
}

impl Lines<File> {
    /// Reads the file as long as it is now: what a running server appends later is not seen. `None`
    /// when there is no file.
    ///
    /// # Errors
    /// [`io::Error`] from the file system.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        Ok(Some(Self::new(file, length)))
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = io::Result<JournalLine>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.reader).take(LINE_MAX as u64);
        match bounded.read_until(b'\n', &mut line) {
            Err(error) => return Some(Err(error)),
            Ok(0) => return None,
            Ok(_) => {}
        }
        if line.last() != Some(&b'\n') && line.len() < LINE_MAX {
            return None;
        }
        self.number += 1;
        self.whole += line.len() as u64;
        let checkpoint = checkpoint_of(line.strip_suffix(b"\n").unwrap_or(&line));
        Some(Ok(JournalLine { number: self.number, checkpoint }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use landfall_crypto::KeyPair;
    use landfall_crypto::checkpoint::Checkpoint;
    use landfall_identity::Timestamp;

    #[test]
    fn a_long_file_opens_by_its_end_as_a_short_one_by_its_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(JOURNAL_FILE);
        let key = KeyPair::generate().unwrap();
        let signed = |size| {
            let checkpoint = Checkpoint { size, root: [7; 32], at: Timestamp::from_seconds(1) };
            checkpoint.sign(&key).unwrap()
        };
        for lines in [1, 3, 2 * TAIL / 200] {
            let _ = std::fs::remove_file(&path);
            let all: Vec<SignedCheckpoint> = (1..=lines as u64).map(signed).collect();
            Journal::open(&path).unwrap().append(&all).unwrap();
            let length = path.metadata().unwrap().len();
            assert_eq!(length > TAIL as u64, lines > 3);
            for torn in ["", "{\"size\":", "no checkpoint at all"] {
                OpenOptions::new()
                    .append(true)
                    .open(&path)
                    .unwrap()
                    .write_all(torn.as_bytes())
                    .unwrap();
                let journal = Journal::open(&path).unwrap();
                assert_eq!(journal.last(), all.last(), "{lines} lines and {torn:?}");
                assert_eq!(path.metadata().unwrap().len(), length, "{lines} lines and {torn:?}");
            }
        }
    }
}
