//! Pages and where they are: finding the one a key belongs to, and merging changed rows into theirs.
//!
//! sled knows each page by the first key it may hold; it reaches to the first key of the next one. A changed page is written anew, then all
//! changed places are put down as one batch: after kill -9 all of the changes are there, or none.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::heap::{Heap, Place};
use super::key::Key;
use super::page::{PAGE_BYTES, Page};
use super::rows::{Bytes, Changes, RowsError};

/// First byte of the keys of pages.
const PAGE: u8 = b'P';
/// Files cleared at once.
const CLEARED_MAX: usize = 2;

/// So many pages are kept as they were read, unless they are larger than usual.
const RECENT_PAGES: usize = 16;
const RECENT_BYTES: usize = 2 * PAGE_BYTES;

/// How pages are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Bytes of changed rows held in memory before they are merged into their pages.
    pub fresh: usize,
    /// Bytes of one file.
    pub file: u32,
    /// Bytes that may be wasted before files are cleared, besides as many as are in use.
    pub waste: u64,
}

/// Pages that were written, and are found once they are put in place.
#[derive(Default)]
pub(super) struct Rewritten {
    batch: sled::Batch,
    written: u64,
    replaced: u64,
    /// Files that nobody needs any more then.
    cleared: Vec<u32>,
}

/// All pages. One thread writes.
pub(super) struct Pages {
    db: sled::Db,
    heap: Heap,
    /// Those that were read last.
    recent: Mutex<VecDeque<Arc<Known>>>,
    waste_bytes: u64,
    /// Bytes of all pages that can be found, and of all files.
    used: AtomicU64,
    stored: AtomicU64,
}

impl Pages {
    /// Those of this database, which lie in `folder`.
    pub(super) fn open(db: sled::Db, folder: &Path, sizes: Sizes) -> Result<Self, RowsError> {
        let heap = Heap::open(folder, sizes.file)?;
        let pages =
            Self { db, heap, recent: Mutex::default(), waste_bytes: sizes.waste, used: AtomicU64::new(0), stored: AtomicU64::new(0) };
        let (used, stored) = (pages.used()?, pages.heap.sizes()?);
        for unused in stored.keys().filter(|file| !used.contains_key(file)) {
            pages.heap.remove(*unused)?;
        }
        pages.used.store(used.values().sum(), Ordering::Relaxed);
        pages.stored.store(used.keys().filter_map(|file| stored.get(file)).sum(), Ordering::Relaxed);
        Ok(pages)
    }

    /// One row. Nothing may be put in place meanwhile.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, RowsError> {
        Ok(self.page_of(key)?.and_then(|known| known.page.get(key).map(<[u8]>::to_vec)))
    }

    /// Rows from `key` on, in order. Nothing may be put in place meanwhile.
    pub(super) fn forwards(&self, key: &[u8]) -> Result<impl Iterator<Item = Result<(Bytes, Bytes), RowsError>> + use<'_>, RowsError> {
        let known = self.page_of(key)?;
        // Without a page that it belongs to there is none before the first.
        let behind = known.as_ref().map_or_else(|| Some(Bytes::new()), |known| known.end.clone());
        let within = known.map(|known| Page::rows_from(Arc::clone(&known.page), key)).into_iter().flatten().map(Ok);
        let pages = behind.into_iter().flat_map(|first| self.db.range(page_key(&first)..vec![PAGE + 1]));
        Ok(within.chain(pages.flat_map(|known| {
            let (page, error) = match known_place(known).and_then(|(_, place)| self.read(place)) {
                Ok(page) => (Some(page), None),
                Err(error) => (None, Some(Err(error))),
            };
            page.map(|page| Page::rows_from(Arc::new(page), &[])).into_iter().flatten().map(Ok).chain(error)
        })))
    }

    /// Rows below `key`, from the last on. Nothing may be put in place meanwhile.
    pub(super) fn backwards(&self, key: &[u8]) -> impl Iterator<Item = Result<(Bytes, Bytes), RowsError>> + use<'_> {
        let key = key.to_vec();
        self.db.range(vec![PAGE]..page_key(&key)).rev().flat_map(move |known| {
            let mut rows: Vec<_> = match known_place(known).and_then(|(_, place)| self.read(place)) {
                Ok(page) => {
                    page.rows().take_while(|(at, _)| *at < key.as_slice()).map(|(at, row)| Ok((at.to_vec(), row.to_vec()))).collect()
                }
                Err(error) => vec![Err(error)],
            };
            rows.reverse();
            rows
        })
    }

    /// Writes the pages of all changed rows anew.
    pub(super) fn rewrite(&self, changes: &Changes) -> Result<Rewritten, RowsError> {
        let mut rewritten = Rewritten::default();
        let mut from = changes.keys().next();
        while let Some(key) = from {
            let (first, place) = self.find(key)?.map_or_else(|| (Bytes::new(), None), |(first, place)| (first, Some(place)));
            let end = self.first_behind(&first)?;
            let bounds = (Bound::Included(&**key), end.as_deref().map_or(Bound::Unbounded, Bound::Excluded));
            let changes_of_page = changes.range::<[u8], _>(bounds).map(|(key, row)| (&**key, row.as_deref()));
            self.rewrite_page(&mut rewritten, &first, place, changes_of_page)?;
            from = end.and_then(|end| changes.range(Key::from(end.as_slice())..).next()).map(|(key, _)| key);
        }
        self.heap.write_out()?;
        Ok(rewritten)
    }

    fn rewrite_page<'c>(
        &self,
        rewritten: &mut Rewritten,
        first: &[u8],
        place: Option<Place>,
        changes: impl Iterator<Item = (&'c [u8], Option<&'c [u8]>)> + Clone,
    ) -> Result<(), RowsError> {
        let known = match place {
            Some(place) => {
                rewritten.replaced += u64::from(place.bytes);
                rewritten.batch.remove(page_key(first));
                self.read(place)?
            }
            None => Page::default(),
        };
        for (number, (key, page)) in known.merged(changes).enumerate() {
            // The first one keeps its key: what lies below its first row belongs to it as well.
            rewritten.put(if number == 0 { first } else { &key }, self.heap.append(&page.pack())?);
        }
        Ok(())
    }

    /// Makes what was written be found. Nobody may be reading.
    pub(super) fn put_in_place(&self, rewritten: Rewritten) -> Result<(), RowsError> {
        let Rewritten { batch, written, replaced, cleared } = rewritten;
        self.db.apply_batch(batch).map_err(RowsError::Storage)?;
        self.recent().clear();
        if !cleared.is_empty() {
            // Until sled has written it out, kill -9 brings the old places back.
            self.db.flush().map_err(RowsError::Storage)?;
        }
        for file in cleared {
            self.stored.fetch_sub(self.heap.remove(file)?, Ordering::Relaxed);
        }
        self.stored.fetch_add(written, Ordering::Relaxed);
        self.used.fetch_add(written.saturating_sub(replaced), Ordering::Relaxed);
        self.used.fetch_sub(replaced.saturating_sub(written), Ordering::Relaxed);
        Ok(())
    }

    /// Writes the pages of files that hold mostly waste anew, where there is more waste than may be.
    pub(super) fn clear(&self) -> Result<Option<Rewritten>, RowsError> {
        let (used, stored) = (self.used.load(Ordering::Relaxed), self.stored.load(Ordering::Relaxed));
        if stored <= used * 2 + self.waste_bytes {
            return Ok(None);
        }
        self.heap.leave_file()?;
        let used = self.used()?;
        let wasted = |file: &u32, size: u64| used.get(file).copied().unwrap_or(0) * 2 < size;
        let sizes = self.heap.sizes()?;
        let cleared: Vec<u32> = sizes.iter().filter(|(file, size)| wasted(file, **size)).map(|(file, _)| *file).take(CLEARED_MAX).collect();
        let mut rewritten = Rewritten { cleared, ..Rewritten::default() };
        for known in self.db.range(vec![PAGE]..vec![PAGE + 1]) {
            let (first, place) = known_place(known)?;
            if rewritten.cleared.contains(&place.file) {
                rewritten.replaced += u64::from(place.bytes);
                rewritten.put(&first, self.heap.append(&self.heap.read(place)?)?);
            }
        }
        self.heap.write_out()?;
        Ok(Some(rewritten))
    }

    /// Returns once all pages are on disk.
    pub(super) fn sync(&self) -> Result<(), RowsError> {
        self.heap.sync()
    }

    /// Bytes of each file that can be found.
    fn used(&self) -> Result<BTreeMap<u32, u64>, RowsError> {
        let mut used = BTreeMap::new();
        for known in self.db.range(vec![PAGE]..vec![PAGE + 1]) {
            let (_, place) = known_place(known)?;
            *used.entry(place.file).or_default() += u64::from(place.bytes);
        }
        Ok(used)
    }

    /// The page that `key` belongs to: its first key and its place.
    fn find(&self, key: &[u8]) -> Result<Option<(Bytes, Place)>, RowsError> {
        self.db.range(vec![PAGE]..=page_key(key)).next_back().map(known_place).transpose()
    }

    /// First key of the page behind the one that begins with `first`.
    fn first_behind(&self, first: &[u8]) -> Result<Option<Bytes>, RowsError> {
        let behind = (Bound::Excluded(page_key(first)), Bound::Excluded(vec![PAGE + 1]));
        Ok(self.db.range(behind).next().map(known_place).transpose()?.map(|(first, _)| first))
    }

    /// The page that `key` belongs to, read.
    fn page_of(&self, key: &[u8]) -> Result<Option<Arc<Known>>, RowsError> {
        if let Some(known) = self.recent().iter().find(|known| known.holds(key)) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some((first, place)) = self.find(key)? else { return Ok(None) };
        let end = self.first_behind(&first)?;
        let known = Arc::new(Known { first, end, page: Arc::new(self.read(place)?) });
        if known.page.bytes() <= RECENT_BYTES {
            let mut recent = self.recent();
            recent.truncate(RECENT_PAGES - 1);
            recent.push_front(Arc::clone(&known));
        }
        Ok(Some(known))
    }

    fn read(&self, place: Place) -> Result<Page, RowsError> {
        Page::unpack(&self.heap.read(place)?)
    }

    fn recent(&self) -> MutexGuard<'_, VecDeque<Arc<Known>>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A page that was read lately: what is worked on lies close together.
struct Known {
    first: Bytes,
    /// The first key of the next one.
    end: Option<Bytes>,
    page: Arc<Page>,
}

impl Known {
    fn holds(&self, key: &[u8]) -> bool {
        self.first.as_slice() <= key && self.end.as_deref().is_none_or(|end| key < end)
    }
}

impl Rewritten {
    fn put(&mut self, first: &[u8], place: Place) {
        self.written += u64::from(place.bytes);
        self.batch.insert(page_key(first), place.encode().as_slice());
    }
}

fn known_place(known: sled::Result<(sled::IVec, sled::IVec)>) -> Result<(Bytes, Place), RowsError> {
    let (key, place) = known.map_err(RowsError::Storage)?;
    let place = Place::decode(&place).ok_or(RowsError::Place)?;
    Ok((key.get(1..).unwrap_or_default().to_vec(), place))
}

fn page_key(key: &[u8]) -> Bytes {
    [&[PAGE], key].concat()
}
