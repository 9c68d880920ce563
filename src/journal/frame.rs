//! One frame: what one write puts into a segment, holding one or many records.
//!
//! A frame is valid only with its segment's salt, a length that fits, and the right checksum; whether it is the
//! *expected* one (its number is the next) is the caller's question. All numbers are little endian:
//!
//! ```text
//! 0  crc32 of all that follows, up to the last record   24  number of the first record
//! 4  bytes of the records, lengths included             32  when it was written, milliseconds since 1970
//! 8  salt of the segment                                40  how many records
//! 16 number of the frame                                44  zero
//! 48 records, each: length (4 bytes), bytes; then zeros up to a multiple of 8
//! ```
//!
//! Frames are not padded to sectors: like other logs this one relies on a sector being written whole or not at
//! all, so that appending behind a synced frame cannot harm it.

/// Bytes before the first record.
pub(super) const HEADER_BYTES: usize = 48;
/// Frames start at multiples of this, which is what makes looking for one quick.
pub(super) const ALIGN: usize = 8;
/// Bytes a record takes besides its own.
pub(super) const RECORD_OVERHEAD: usize = 4;

/// What stands before a frame's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    crc: u32,
    payload_bytes: u32,
    pub(super) salt: u64,
    pub(super) number: u64,
    pub(super) first_seq: u64,
    pub(super) written_ms: u64,
    pub(super) records: u32,
}

impl Header {
    /// Reads the header at the beginning of `bytes`. None when that cannot be one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Header> {
        let header = Header {
            crc: u32_at(bytes, 0)?,
            payload_bytes: u32_at(bytes, 4)?,
            salt: u64_at(bytes, 8)?,
            number: u64_at(bytes, 16)?,
            first_seq: u64_at(bytes, 24)?,
            written_ms: u64_at(bytes, 32)?,
            records: u32_at(bytes, 40)?,
        };
        let plausible = header.records > 0
            && header.number > 0
            && header.first_seq > 0
            && header.first_seq.checked_add(u64::from(header.records)).is_some();
        plausible.then_some(header)
    }

    /// Bytes from the header's first to the last record's last.
    pub(super) fn checked_bytes(&self) -> usize {
        HEADER_BYTES.saturating_add(self.payload_bytes as usize)
    }

    /// Bytes the frame takes in its segment.
    pub(super) fn frame_bytes(&self) -> usize {
        aligned(self.checked_bytes())
    }

    /// Number of the frame's last record.
    pub(super) fn last_seq(&self) -> u64 {
        self.first_seq.saturating_add(u64::from(self.records)).saturating_sub(1)
    }

    /// Whether the checksum fits and the records fill `frame` exactly. `frame` starts at the header.
    pub(super) fn fits(&self, frame: &[u8]) -> bool {
        let Some(checked) = frame.get(4..self.checked_bytes()) else {
            return false;
        };
        crc32fast::hash(checked) == self.crc
            && self.records(frame).map(|record| record.1.len() + RECORD_OVERHEAD).sum::<usize>() == self.payload_bytes as usize
            && self.records(frame).count() == self.records as usize
    }

    /// The records of `frame`, which starts at the header.
    pub(super) fn records<'f>(&self, frame: &'f [u8]) -> Records<'f> {
        Records { rest: frame.get(HEADER_BYTES..self.checked_bytes()).unwrap_or(&[]), seq: self.first_seq, left: self.records }
    }
}

/// Iterates over a frame's records with their numbers.
#[derive(Debug)]
pub(super) struct Records<'f> {
    rest: &'f [u8],
    seq: u64,
    left: u32,
}

impl<'f> Iterator for Records<'f> {
    type Item = (u64, &'f [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let bytes = u32_at(self.rest, 0)? as usize;
        let record = self.rest.get(RECORD_OVERHEAD..)?.get(..bytes)?;
        self.rest = self.rest.get(RECORD_OVERHEAD + bytes..)?;
        let seq = self.seq;
        self.seq = self.seq.saturating_add(1);
        Some((seq, record))
    }
}

/// Gathers records and makes them a frame. One is used again and again: no allocation per frame.
#[derive(Debug, Default)]
pub(super) struct Builder {
    buffer: Vec<u8>,
    records: u32,
}

/// Above this a buffer is given back after use: one big record must not hold memory for ever.
pub(super) const KEPT_BYTES: usize = 2 << 20;

impl Builder {
    /// How many records were gathered.
    pub(super) fn records(&self) -> u32 {
        self.records
    }

    /// Bytes the frame would take in its segment with `more` bytes of records.
    pub(super) fn frame_bytes_with(&self, more: usize) -> usize {
        aligned(self.buffer.len().max(HEADER_BYTES).saturating_add(more))
    }

    /// Takes one record along.
    pub(super) fn push(&mut self, record: &[u8]) {
        self.extend(&[], 1);
        put_record(&mut self.buffer, record);
    }

    /// Takes `count` records along that stand as [`put_record`] puts them.
    pub(super) fn extend(&mut self, records: &[u8], count: usize) {
        if self.buffer.is_empty() {
            self.buffer.resize(HEADER_BYTES, 0);
        }
        self.buffer.extend_from_slice(records);
        self.records = self.records.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// Completes the frame and returns it with its header.
    pub(super) fn seal(&mut self, salt: u64, number: u64, first_seq: u64, written_ms: u64) -> (Header, &[u8]) {
        let checked_bytes = self.buffer.len().max(HEADER_BYTES);
        let payload_bytes = u32::try_from(checked_bytes - HEADER_BYTES).unwrap_or(u32::MAX);
        self.buffer.resize(aligned(checked_bytes), 0);
        let mut header = Header { crc: 0, payload_bytes, salt, number, first_seq, written_ms, records: self.records };
        put(&mut self.buffer, 4, &payload_bytes.to_le_bytes());
        put(&mut self.buffer, 8, &salt.to_le_bytes());
        put(&mut self.buffer, 16, &number.to_le_bytes());
        put(&mut self.buffer, 24, &first_seq.to_le_bytes());
        put(&mut self.buffer, 32, &written_ms.to_le_bytes());
        put(&mut self.buffer, 40, &self.records.to_le_bytes());
        header.crc = crc32fast::hash(self.buffer.get(4..checked_bytes).unwrap_or(&[]));
        put(&mut self.buffer, 0, &header.crc.to_le_bytes());
        (header, &self.buffer)
    }

    /// Forgets what was gathered, for the next frame.
    pub(super) fn clear(&mut self) {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BYTES);
        self.records = 0;
    }
}

/// Adds a record as it stands in a frame. Its length fits: the journal refuses longer groups when they arrive.
pub(super) fn put_record(records: &mut Vec<u8>, record: &[u8]) {
    let bytes = u32::try_from(record.len()).unwrap_or(u32::MAX);
    records.extend_from_slice(&bytes.to_le_bytes());
    records.extend_from_slice(record);
}

/// `bytes` rounded up to a multiple of [`ALIGN`].
pub(super) fn aligned(bytes: usize) -> usize {
    bytes.div_ceil(ALIGN).saturating_mul(ALIGN)
}

/// The number at `at`, if `bytes` is that long.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The number at `at`, if `bytes` is that long.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Overwrites what stands at `at`. The callers' offsets lie within a header they just made room for.
fn put(buffer: &mut [u8], at: usize, value: &[u8]) {
    if let Some(target) = buffer.get_mut(at..at + value.len()) {
        target.copy_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_frame_reads_back_as_the_records_that_went_in() {
        let (mut builder, mut more) = (Builder::default(), Vec::new());
        put_record(&mut more, b"");
        put_record(&mut more, b"three");
        builder.push(b"one");
        builder.extend(&more, 2);
        let (header, bytes) = builder.seal(7, 3, 11, 99);
        assert_eq!(Header::parse(bytes), Some(header));
        assert!(header.fits(bytes));
        assert_eq!(bytes.len(), header.frame_bytes());
        assert_eq!(header.last_seq(), 13);
        let records: Vec<_> = header.records(bytes).collect();
        assert_eq!(records, [(11, &b"one"[..]), (12, b""), (13, b"three")]);
    }

    #[test]
    fn any_single_changed_byte_makes_a_frame_invalid() {
        let mut builder = Builder::default();
        builder.push(b"a record");
        let (header, bytes) = builder.seal(7, 3, 11, 99);
        for at in 0..header.checked_bytes() {
            let mut changed = bytes.to_vec();
            changed[at] ^= 0x40;
            let valid = Header::parse(&changed).is_some_and(|parsed| parsed.fits(&changed));
            assert!(!valid, "byte {at} changed");
        }
    }
}
