//! One process a store: an advisory lock on a file that also says who holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const NAME: &str = "lock";

/// Why the store could not be locked.
#[derive(Debug)]
pub(super) enum LockError {
    /// Another process has it; its id, if the file says one.
    Held(Option<u32>),
    /// The file could not be opened or locked.
    Io(io::Error),
}

/// The lock. It goes when this is dropped, and with the process in any case.
#[derive(Debug)]
pub struct StoreLock {
    _file: File,
}

impl StoreLock {
    /// Locks `store` and writes this process's id into the file.
    pub(super) fn acquire(store: &Path) -> Result<StoreLock, LockError> {
        let path = store.join(NAME);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held(holder(&mut file))),
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        file.set_len(0).map_err(LockError::Io)?;
        file.rewind().map_err(LockError::Io)?;
        writeln!(file, "{}", std::process::id()).map_err(LockError::Io)?;
        Ok(StoreLock { _file: file })
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim_end().parse().ok()
}
