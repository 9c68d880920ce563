//! Small whole files and folders, written so that a power cut leaves the old or the new one, never a half.
//!
//! Everything in the store is readable by its owner only: event bodies hold personal data. Random bytes, which files are
//! told apart by, come from here too.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What stands behind a file's name until the file is complete.
pub(super) const UNFINISHED: &str = ".unfinished";

/// Opens a new, empty file of mode 0600, replacing a leftover of that name.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Creates `folder` (mode 0700) and those above it, and returns once their names are on disk.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = parent_of(folder);
    create_folder(&parent)?;
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_folder(&parent)
}

/// Returns once the names in `folder` are on disk: a created, renamed or removed file needs it.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The name under which `path` is written until it is complete.
pub(super) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    PathBuf::from(name)
}

/// Gives a synced file its final name, for good.
pub(super) fn publish(path: &Path) -> io::Result<()> {
    fs::rename(unfinished(path), path)?;
    sync_folder(&parent_of(path))
}

/// Writes `bytes` as the whole of `path`.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create(&unfinished(path))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    publish(path)
}

/// Reads `path`; none when there is no such file.
pub(super) fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes `path` for good; no error when it is gone already.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder(&parent_of(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// The folder that holds `path`; the current one for a bare name.
pub(super) fn parent_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Bytes nobody can guess, from the operating system.
pub(super) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(io::Error::other(error.to_string())),
    }
}
