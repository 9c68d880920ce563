//! Pages: neighbouring rows packed into one block, because whatever stores them needs about as long for one small row as for some kilobytes.
//!
//! ```text
//! page    length of the rows (4), the rows as an lz4 block
//! row     bytes of the key (4), bytes of the value (4), key, value; sorted by key; numbers little endian
//! ```

use std::iter::Peekable;
use std::sync::Arc;

use super::rows::{Bytes, RowsError};

/// Bytes of rows, before compression, from which on a page is split.
pub(super) const PAGE_BYTES: usize = 32 << 10;
const HEAD_BYTES: usize = 8;

/// Rows of one page.
#[derive(Default)]
pub(super) struct Page(Vec<u8>);

impl Page {
    /// As it was stored.
    ///
    /// # Errors
    /// It was stored by something else.
    pub(super) fn unpack(packed: &[u8]) -> Result<Self, RowsError> {
        lz4_flex::block::decompress_size_prepended(packed).map(Self).map_err(RowsError::Page)
    }

    /// As it is stored.
    pub(super) fn pack(&self) -> Vec<u8> {
        lz4_flex::block::compress_prepend_size(&self.0)
    }

    /// Its rows, in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (key, value, after) = first_row(rest)?;
            rest = after;
            Some((key, value))
        })
    }

    /// Its rows from `key` on, in order.
    pub(super) fn rows_from(page: Arc<Self>, key: &[u8]) -> impl Iterator<Item = (Bytes, Bytes)> + use<> {
        let size = |(key, value): (&[u8], &[u8])| HEAD_BYTES + key.len() + value.len();
        let mut at: usize = page.rows().take_while(|(at, _)| *at < key).map(size).sum();
        std::iter::from_fn(move || {
            let (key, value, _) = first_row(page.0.get(at..)?)?;
            at += HEAD_BYTES + key.len() + value.len();
            Some((key.to_vec(), value.to_vec()))
        })
    }

    /// How large it is, before compression.
    pub(super) fn bytes(&self) -> usize {
        self.0.len()
    }

    /// One row.
    pub(super) fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.rows().find(|(at, _)| *at >= key).filter(|(at, _)| *at == key).map(|(_, value)| value)
    }

    fn push(&mut self, key: &[u8], value: &[u8]) {
        for part in [key, value] {
            // Nothing that is kept is near 4 GiB: the receiver takes less.
            self.0.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
        }
        self.0.extend_from_slice(key);
        self.0.extend_from_slice(value);
    }

    /// This page with sorted `changes`, `None` being a removed row; cut into pages of a bounded size, each with the key it begins with.
    pub(super) fn merged<'a, 'c: 'a, C>(&'a self, changes: C) -> impl Iterator<Item = (Bytes, Page)> + use<'a, 'c, C>
    where
        C: Iterator<Item = (&'c [u8], Option<&'c [u8]>)> + Clone,
    {
        let goal = self.goal(changes.clone());
        let mut rows = merge(self.rows(), changes.map(|(key, row)| -> (&'a [u8], Option<&'a [u8]>) { (key, row) }));
        std::iter::from_fn(move || {
            let (first, value) = rows.next()?;
            let mut page = Page(Vec::with_capacity(goal + HEAD_BYTES));
            page.push(first, value);
            while page.0.len() < goal {
                let Some((key, value)) = rows.next() else { break };
                page.push(key, value);
            }
            Some((first.to_vec(), page))
        })
    }

    /// How large the pages get. Where rows are only appended each is filled; else there is room left for more rows between these.
    fn goal<'a>(&self, mut changes: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>) -> usize {
        let Some((first, value)) = changes.next() else { return PAGE_BYTES };
        if self.rows().last().is_none_or(|(last, _)| last < first) {
            return PAGE_BYTES;
        }
        let size = |key: &[u8], value: Option<&[u8]>| HEAD_BYTES + key.len() + value.map_or(0, <[u8]>::len);
        let bytes = self.0.len() + size(first, value) + changes.map(|(key, value)| size(key, value)).sum::<usize>();
        bytes.div_ceil(bytes.div_ceil(PAGE_BYTES))
    }
}

/// Rows of both, sorted: a change goes before what is known.
fn merge<'a>(
    known: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    changes: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    let (mut known, mut changes) = (known.peekable(), changes.peekable());
    std::iter::from_fn(move || {
        loop {
            let (key, value) = next_merged(&mut known, &mut changes)?;
            if let Some(value) = value {
                return Some((key, value));
            }
        }
    })
}

fn next_merged<'a>(
    known: &mut Peekable<impl Iterator<Item = (&'a [u8], &'a [u8])>>,
    changes: &mut Peekable<impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>>,
) -> Option<(&'a [u8], Option<&'a [u8]>)> {
    let Some((new, _)) = changes.peek() else { return known.next().map(|(key, value)| (key, Some(value))) };
    if let Some((key, value)) = known.next_if(|(key, _)| key < new) {
        return Some((key, Some(value)));
    }
    known.next_if(|(key, _)| key == new);
    changes.next()
}

/// Key and value of the row that comes first, and what is behind it.
fn first_row(rest: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (key_bytes, value_bytes) = (length(rest.get(..4)?)?, length(rest.get(4..HEAD_BYTES)?)?);
    let (row, after) = rest.get(HEAD_BYTES..)?.split_at_checked(key_bytes.checked_add(value_bytes)?)?;
    let (key, value) = row.split_at_checked(key_bytes)?;
    Some((key, value, after))
}

fn length(bytes: &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rows: &[(&str, &str)]) -> Page {
        let mut page = Page::default();
        rows.iter().for_each(|(key, value)| page.push(key.as_bytes(), value.as_bytes()));
        page
    }

    fn shown(page: &Page) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        page.rows().map(|(key, value)| (text(key), text(value))).collect()
    }

    #[test]
    fn changes_are_merged_in_order() {
        let changes = [("a", Some("new")), ("b", None), ("c", Some("other")), ("x", None), ("z", Some("last"))];
        let known = page(&[("b", "1"), ("c", "2"), ("d", "3")]);
        let merged: Vec<_> = known.merged(changes.iter().map(|(key, value)| (key.as_bytes(), value.map(str::as_bytes)))).collect();
        let (first, merged) = merged.first().unwrap();
        assert_eq!(first, b"a");
        assert_eq!(shown(merged), shown(&page(&[("a", "new"), ("c", "other"), ("d", "3"), ("z", "last")])));
        assert_eq!(merged.get(b"c"), Some(b"other".as_slice()));
        assert_eq!(merged.get(b"b"), None);
    }

    #[test]
    fn a_page_whose_rows_are_all_removed_is_no_page() {
        assert_eq!(page(&[("a", "1")]).merged([(b"a".as_slice(), None)].into_iter()).count(), 0);
    }

    #[test]
    fn packing_keeps_every_row() {
        let rows = page(&[("a", ""), ("b", "value")]);
        assert_eq!(shown(&Page::unpack(&rows.pack()).unwrap()), shown(&rows));
        assert!(Page::unpack(b"no page").is_err());
    }

    #[test]
    fn pages_are_cut_between_rows_and_filled_only_where_rows_are_appended() {
        // Two pages and a half.
        let (value, keys): (_, Vec<[u8; 4]>) = ("v".repeat(PAGE_BYTES / 160), (0..400_u32).map(u32::to_be_bytes).collect());
        let changes = |from: usize| keys[from..].iter().map(|key| (key.as_slice(), Some(value.as_bytes())));
        let mut between = Page::default();
        between.push(&399_u32.to_be_bytes(), b"last");
        for (known, appended) in [(Page::default(), true), (between, false)] {
            let pages: Vec<_> = known.merged(changes(0)).collect();
            assert!(pages.len() == 3 && pages.iter().all(|(first, page)| page.rows().next().unwrap().0 == first));
            let all: Vec<&[u8]> = pages.iter().flat_map(|(_, page)| page.rows().map(|(key, _)| key)).collect();
            assert_eq!(all, keys);
            assert_eq!(pages[0].1.0.len() >= PAGE_BYTES, appended);
        }
    }
}
