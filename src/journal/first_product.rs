//! Of which workspace the first accepted event was: a small file beside the identity, written before that event is answered.
//!
//! A product that is configured without an id is this one. It is known as soon as the store is open, whatever becomes of the index.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::files;

const NAME: &str = "first_product";

/// The first workspace's id, once there was an event.
#[derive(Debug, Default)]
pub struct FirstProduct {
    /// Where it is kept; `None` for a store in memory.
    path: Option<PathBuf>,
    id: OnceLock<u64>,
    writing: Mutex<()>,
}

/// It could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FirstProductError {
    /// The text is no number.
    #[error("{} does not hold the id of a product", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
}

impl FirstProduct {
    /// That of `store`.
    pub fn load(store: &Path) -> Result<Self, FirstProductError> {
        let path = store.join(NAME);
        let found: Option<u64> = match files::read_if_there(&path) {
            Ok(None) => None,
            Ok(Some(bytes)) => match std::str::from_utf8(&bytes).ok().and_then(|text| text.trim_end().parse().ok()) {
                Some(id) => Some(id),
                None => return Err(FirstProductError::Malformed { path }),
            },
            Err(source) => return Err(FirstProductError::Io { path, source }),
        };
        Ok(Self { path: Some(path), id: found.map(OnceLock::from).unwrap_or_default(), writing: Mutex::new(()) })
    }

    /// The id, where there was an event.
    pub fn id(&self) -> Option<u64> {
        self.id.get().copied()
    }

    /// The id, which is `id` where there was no event yet; on disk when this returns. Blocks on the disk, once in a store's life.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn fix(&self, id: u64) -> io::Result<u64> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.id() {
            return Ok(known);
        }
        if let Some(path) = &self.path {
            files::write_whole(path, format!("{id}\n").as_bytes())?;
        }
        Ok(*self.id.get_or_init(|| id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_one_stays_whatever_comes_and_is_known_at_the_next_start() {
        let store = tempfile::tempdir().unwrap();
        let first = FirstProduct::load(store.path()).unwrap();
        assert_eq!(first.id(), None);
        assert_eq!((first.fix(5).unwrap(), first.fix(6).unwrap()), (5, 5));
        assert_eq!(FirstProduct::load(store.path()).unwrap().id(), Some(5));
        std::fs::write(store.path().join(NAME), "five").unwrap();
        assert!(matches!(FirstProduct::load(store.path()), Err(FirstProductError::Malformed { .. })));
    }
}
