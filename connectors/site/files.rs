//! Files below the site's folder: written whole or not at all, and never over a person's work.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::config::below;

/// How much of a file is searched for our key: front matter comes first.
const HEAD_BYTES: usize = 16 << 10;
/// How many files of a folder are looked through.
const FOLDER_FILES_MAX: usize = 100_000;
/// Ending of a file that is being written.
const UNFINISHED: &str = "sleeksync-tmp";

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// A person wrote it.
    #[error("{path} exists and was not written by sleeksync; move it away, then retry")]
    NotOurs { path: String },
    /// What only this file knew in full is lost.
    #[error(
        "{path} is missing, and {shown} shows entries that it held; put it back, or take what sleeksync wrote out of {shown} and run `sleeksync replay --connector NAME`"
    )]
    Lost { path: String, shown: String },
    /// The same, though the file is there.
    #[error(
        "{path} is damaged; put an earlier version back, or remove it and what sleeksync wrote in {shown}, and run `sleeksync replay --connector NAME`"
    )]
    Damaged { path: String, shown: String },
    /// Its words would be changed.
    #[error("{path} is not UTF-8; write it as UTF-8, then retry")]
    NotUtf8 { path: String },
    /// The system does not allow it.
    #[error("{path} may not be written")]
    Denied { path: String },
    /// The system failed.
    #[error("{path} cannot be written: {source}")]
    Io { path: String, source: io::Error },
}

/// The site's folder.
pub(super) struct Files<'a> {
    root: &'a Path,
}

impl<'a> Files<'a> {
    pub(super) fn new(root: &'a Path) -> Self {
        Self { root }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, FileError> {
        match fs::read(self.at(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(wrong(path, error)),
        }
    }

    /// Writes a file of ours; leaves it untouched where it already says so.
    pub(super) fn write(&self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        if self.read(path)?.as_deref() == Some(bytes) {
            return Ok(());
        }
        replace(&self.at(path), bytes).map_err(|error| wrong(path, error))
    }

    /// Writes a page, which carries `key`; refuses where another file stands.
    pub(super) fn write_own(&self, path: &str, key: &str, bytes: &[u8]) -> Result<(), FileError> {
        match self.read(path)? {
            Some(known) if !carries(&known, key) => Err(FileError::NotOurs { path: path.to_owned() }),
            _ => self.write(path, bytes),
        }
    }

    /// Removes a page of ours; one that a person has taken over stays.
    pub(super) fn remove_own(&self, path: &str, key: &str) -> Result<(), FileError> {
        match self.read(path)? {
            Some(known) if carries(&known, key) => self.remove(path),
            _ => Ok(()),
        }
    }

    pub(super) fn remove(&self, path: &str) -> Result<(), FileError> {
        match fs::remove_file(self.at(path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(wrong(path, error)),
            _ => Ok(()),
        }
    }

    /// Names of the files of a folder; none where it is missing.
    pub(super) fn names(&self, folder: &str) -> Result<Vec<String>, FileError> {
        let entries = match fs::read_dir(self.at(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(wrong(folder, error)),
        };
        Ok(entries.take(FOLDER_FILES_MAX).filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
    }

    /// The page of a folder that carries `key`.
    pub(super) fn find_own(&self, folder: &str, key: &str) -> Result<Option<String>, FileError> {
        for name in self.names(folder)? {
            let path = below(folder, &name);
            if name.ends_with(".md") && self.read(&path)?.is_some_and(|known| carries(&known, key)) {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Proves that the folder is there and can be written.
    ///
    /// The name that is tried is of `directory`: another connector may try the same folder at the same time.
    pub(super) fn probe(&self, directory: &str) -> Result<(), FileError> {
        let shown = self.root.display().to_string();
        if !self.root.is_dir() {
            return Err(FileError::Denied { path: format!("{shown} (it is no folder)") });
        }
        let probe = self.root.join(format!(".{}.{UNFINISHED}", directory.replace('/', "-")));
        File::create(&probe).and_then(|_| fs::remove_file(&probe)).map_err(|error| wrong(&shown, error))
    }
}

/// Whether the front matter names the item of `key`. The signature is left aside: it changes when a site's folder moves, and who can write
/// here needs no forgery.
fn carries(bytes: &[u8], key: &str) -> bool {
    let head = String::from_utf8_lossy(bytes.get(..HEAD_BYTES).unwrap_or(bytes));
    let named = format!("\"{}:", key.split_once(':').map_or(key, |(name, _)| name));
    let mut front = head.lines().skip(1).take_while(|line| !matches!(*line, "---" | "+++"));
    front.any(|line| line.starts_with("sleekplan_key") && line.contains(&named))
}

/// Temporary name, sync, rename, sync of the folder: a crash leaves the old file or the new one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("file");
    let unfinished = folder.join(format!(".{name}.{UNFINISHED}"));
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(folder)?.sync_all()
}

fn wrong(path: &str, source: io::Error) -> FileError {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => FileError::Denied { path },
        _ => FileError::Io { path, source },
    }
}
