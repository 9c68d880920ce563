//! Files of packed pages: each is written once and found by its place. A page that changes is written anew, and its old place is waste.
//!
//! Why not sled: it keeps whatever it read until thousands of other pages were read, so that large values take memory as the backlog
//! grows; see docs/adr. Synced only at the end: after a crash of the machine the index is folded anew.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::rows::{Bytes, RowsError};

/// Pages are written out in groups of about this size.
const BUFFER_BYTES: usize = 256 << 10;

/// Where a page lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub file: u32,
    offset: u32,
    pub bytes: u32,
}

impl Place {
    pub(super) fn encode(self) -> [u8; 12] {
        let mut encoded = [0; 12];
        let numbers = [self.file, self.offset, self.bytes].map(u32::to_be_bytes);
        encoded.iter_mut().zip(numbers.iter().flatten()).for_each(|(to, from)| *to = *from);
        encoded
    }

    /// `None` for what is no place.
    pub(super) fn decode(encoded: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u32::from_be_bytes(encoded.get(at..at + 4)?.try_into().ok()?));
        Some(Self { file: number(0)?, offset: number(4)?, bytes: number(8)? })
    }
}

/// All files. One thread appends and removes; any may read.
pub(super) struct Heap {
    folder: PathBuf,
    /// A file that is this long is followed by another one.
    file_bytes: u32,
    files: RwLock<BTreeMap<u32, Arc<File>>>,
    end: Mutex<End>,
}

/// The file that is being written; there is none before the first page.
#[derive(Default)]
struct End {
    file: Option<Arc<File>>,
    number: u32,
    bytes: u32,
    buffer: Vec<u8>,
}

impl Heap {
    /// The files in `folder`. What is there already is never appended to: its end may have been cut off.
    pub(super) fn open(folder: &Path, file_bytes: u32) -> Result<Self, RowsError> {
        let mut files = BTreeMap::new();
        fs::create_dir_all(folder).map_err(RowsError::File)?;
        for entry in fs::read_dir(folder).map_err(RowsError::File)? {
            let path = entry.map_err(RowsError::File)?.path();
            if let Some(number) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) {
                files.insert(number, Arc::new(File::open(&path).map_err(RowsError::File)?));
            }
        }
        let number = files.last_key_value().map_or(0, |(number, _)| *number);
        let end = Mutex::new(End { number, ..End::default() });
        Ok(Self { folder: folder.to_owned(), file_bytes, files: RwLock::new(files), end })
    }

    /// How long each file is.
    pub(super) fn sizes(&self) -> Result<BTreeMap<u32, u64>, RowsError> {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        files.iter().map(|(number, file)| Ok((*number, file.metadata().map_err(RowsError::File)?.len()))).collect()
    }

    /// Reads what was written out at `place`.
    pub(super) fn read(&self, place: Place) -> Result<Bytes, RowsError> {
        let file = self.files.read().unwrap_or_else(PoisonError::into_inner).get(&place.file).cloned();
        let mut bytes = vec![0; usize::try_from(place.bytes).unwrap_or(0)];
        let file = file.ok_or_else(|| RowsError::File(io::ErrorKind::NotFound.into()))?;
        file.read_exact_at(&mut bytes, place.offset.into()).map_err(RowsError::File)?;
        Ok(bytes)
    }

    /// Appends a page. It can be read once it was written out.
    pub(super) fn append(&self, page: &[u8]) -> Result<Place, RowsError> {
        let mut end = self.end();
        if end.file.is_none() || end.bytes >= self.file_bytes {
            end.write_out()?;
            self.next_file(&mut end)?;
        }
        // No page is near 4 GiB: the receiver takes less.
        let bytes = u32::try_from(page.len()).unwrap_or(u32::MAX);
        let place = Place { file: end.number, offset: end.bytes, bytes };
        end.bytes = end.bytes.saturating_add(bytes);
        end.buffer.extend_from_slice(page);
        if end.buffer.len() >= BUFFER_BYTES {
            end.write_out()?;
        }
        Ok(place)
    }

    /// Writes out what was appended.
    pub(super) fn write_out(&self) -> Result<(), RowsError> {
        self.end().write_out()
    }

    /// Goes on in another file, so that all there are may be removed.
    pub(super) fn leave_file(&self) -> Result<(), RowsError> {
        let mut end = self.end();
        end.write_out()?;
        end.file = None;
        Ok(())
    }

    /// Removes a file that nobody reads from any more. Says how long it was.
    pub(super) fn remove(&self, number: u32) -> Result<u64, RowsError> {
        let removed = self.files.write().unwrap_or_else(PoisonError::into_inner).remove(&number);
        let bytes = removed.map_or(Ok(0), |file| file.metadata().map(|known| known.len())).map_err(RowsError::File)?;
        fs::remove_file(self.path(number)).map_err(RowsError::File)?;
        Ok(bytes)
    }

    /// Returns once all that was written out is on disk.
    pub(super) fn sync(&self) -> Result<(), RowsError> {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        files.values().try_for_each(|file| file.sync_data()).map_err(RowsError::File)?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(RowsError::File)
    }

    fn next_file(&self, end: &mut End) -> Result<(), RowsError> {
        let number = end.number.saturating_add(1);
        let file = File::options().read(true).write(true).create_new(true).open(self.path(number)).map_err(RowsError::File)?;
        let file = Arc::new(file);
        self.files.write().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::clone(&file));
        *end = End { file: Some(file), number, bytes: 0, buffer: std::mem::take(&mut end.buffer) };
        Ok(())
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:010}"))
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl End {
    fn write_out(&mut self) -> Result<(), RowsError> {
        if let Some(mut file) = self.file.as_deref() {
            file.write_all(&self.buffer).map_err(RowsError::File)?;
        }
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read_from_where_they_were_written_and_go_with_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let heap = Heap::open(folder.path(), 1 << 20).unwrap();
        let first = heap.append(b"one").unwrap();
        let second = heap.append(b"three").unwrap();
        heap.leave_file().unwrap();
        let third = heap.append(b"another file").unwrap();
        heap.write_out().unwrap();
        assert_eq!(
            [first, second, third].map(|place| heap.read(place).unwrap()),
            [b"one".to_vec(), b"three".to_vec(), b"another file".to_vec()]
        );
        assert_eq!(Place::decode(&second.encode()), Some(second));
        heap.remove(first.file).unwrap();
        assert!(heap.read(second).is_err() && heap.read(third).is_ok());
        drop(heap);
        let heap = Heap::open(folder.path(), 1 << 20).unwrap();
        assert_eq!(heap.read(third).unwrap(), b"another file");
        assert!(heap.append(b"four").unwrap().file > third.file);
    }
}
