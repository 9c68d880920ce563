//! The bytes of a checkpoint file: a header, blocks of rows or carried records, a footer with the counts.
//!
//! ```text
//! header  magic (8), format (4), version of the rows (4), folded (8), salt (8), crc32 of the former (4)
//! block   crc32 of salt and all that follows (4), bytes of payload (4), index (8), kind (4), items (4), payload
//! row     kind (1), bytes of key (4), bytes of value (4), key, value
//! carried number (8), bytes (4), bytes of the record
//! footer  a block whose payload is: rows (8), carried records (8), blocks before it (8)
//! ```
//!
//! All numbers are little endian. The index in the checksum makes a repeated, missing or moved block show.

use std::fs::File;
use std::io;

use bytes::{Buf, Bytes};

use crate::journal::frame::{u32_at, u64_at};
use crate::journal::scan::Window;

pub(super) const FILE_HEADER_BYTES: usize = 36;
pub(super) const BLOCK_HEADER_BYTES: usize = 24;
/// Bytes of a row besides key and value.
pub(super) const ROW_OVERHEAD: usize = 9;
/// Bytes of a carried record besides its own.
pub(super) const CARRIED_OVERHEAD: usize = 12;

const MAGIC: &[u8; 8] = b"SLKCHKPT";
const FORMAT: u32 = 1;

/// What a checkpoint file begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileHeader {
    pub(super) version: u32,
    pub(super) folded: u64,
    pub(super) salt: u64,
}

impl FileHeader {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&self.version.to_le_bytes());
        bytes.extend_from_slice(&self.folded.to_le_bytes());
        bytes.extend_from_slice(&self.salt.to_le_bytes());
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<FileHeader> {
        let sound = bytes.get(..8)? == MAGIC && u32_at(bytes, 8)? == FORMAT && crc32fast::hash(bytes.get(..32)?) == u32_at(bytes, 32)?;
        let header = FileHeader { version: u32_at(bytes, 12)?, folded: u64_at(bytes, 16)?, salt: u64_at(bytes, 24)? };
        sound.then_some(header)
    }
}

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rows,
    Carried,
    Footer,
}

impl Kind {
    fn code(self) -> u32 {
        match self {
            Kind::Rows => 1,
            Kind::Carried => 2,
            Kind::Footer => 3,
        }
    }

    fn parse(code: u32) -> Option<Kind> {
        [Kind::Rows, Kind::Carried, Kind::Footer].into_iter().find(|kind| kind.code() == code)
    }
}

/// What stands before a block's payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) kind: Kind,
    pub(super) items: u32,
    crc: u32,
    index: u64,
    payload_bytes: u32,
}

impl Block {
    /// Bytes of the whole block.
    pub(super) fn block_bytes(&self) -> usize {
        BLOCK_HEADER_BYTES.saturating_add(self.payload_bytes as usize)
    }

    /// Makes a block of `payload`.
    pub(super) fn seal(kind: Kind, items: u32, index: u64, salt: u64, payload: &[u8]) -> Vec<u8> {
        let payload_bytes = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let mut checked = Vec::with_capacity(BLOCK_HEADER_BYTES + payload.len());
        checked.extend_from_slice(&payload_bytes.to_le_bytes());
        checked.extend_from_slice(&index.to_le_bytes());
        checked.extend_from_slice(&kind.code().to_le_bytes());
        checked.extend_from_slice(&items.to_le_bytes());
        checked.extend_from_slice(payload);
        let mut block = checksum(salt, &checked).to_le_bytes().to_vec();
        block.append(&mut checked);
        block
    }

    fn parse(bytes: &[u8]) -> Option<Block> {
        Some(Block {
            crc: u32_at(bytes, 0)?,
            payload_bytes: u32_at(bytes, 4)?,
            index: u64_at(bytes, 8)?,
            kind: Kind::parse(u32_at(bytes, 16)?)?,
            items: u32_at(bytes, 20)?,
        })
    }
}

fn checksum(salt: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// The block at `at`, whatever its index; none when there is no sound one.
pub(super) fn read_any<'w>(window: &'w mut Window, file: &File, salt: u64, at: u64, limit: u64) -> io::Result<Option<(Block, &'w [u8])>> {
    let Some(block) = Block::parse(window.read(file, at, BLOCK_HEADER_BYTES, limit)?) else {
        return Ok(None);
    };
    if at.saturating_add(block.block_bytes() as u64) > limit {
        return Ok(None);
    }
    let bytes = window.read(file, at, block.block_bytes(), limit)?;
    let sound = bytes.get(4..).is_some_and(|checked| checksum(salt, checked) == block.crc);
    Ok(bytes.get(BLOCK_HEADER_BYTES..).filter(|_| sound).map(|payload| (block, payload)))
}

/// The block at `at`, which must be number `index`.
pub(super) fn read<'w>(
    window: &'w mut Window,
    file: &File,
    salt: u64,
    at: u64,
    index: u64,
    limit: u64,
) -> io::Result<Option<(Block, &'w [u8])>> {
    Ok(read_any(window, file, salt, at, limit)?.filter(|(block, _)| block.index == index))
}

/// Adds a row to a payload.
pub(super) fn push_row(payload: &mut Vec<u8>, kind: u8, key: &[u8], value: &[u8]) {
    payload.push(kind);
    payload.extend_from_slice(&u32::try_from(key.len()).unwrap_or(u32::MAX).to_le_bytes());
    payload.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    payload.extend_from_slice(key);
    payload.extend_from_slice(value);
}

/// Takes the first row off a payload; none, and an empty payload, when that is not one.
pub(super) fn split_row(payload: &mut Bytes) -> Option<super::Row> {
    let mut rest = std::mem::take(payload);
    let kind = *rest.first()?;
    let key_bytes = u32_at(&rest, 1)? as usize;
    let value_bytes = u32_at(&rest, 5)? as usize;
    rest.advance(ROW_OVERHEAD);
    if rest.len() < key_bytes.checked_add(value_bytes)? {
        return None;
    }
    let key = rest.split_to(key_bytes);
    let value = rest.split_to(value_bytes);
    *payload = rest;
    Some(super::Row { kind, key, value })
}

/// Adds a carried record to a payload.
pub(super) fn push_carried(payload: &mut Vec<u8>, seq: u64, record: &[u8]) {
    payload.extend_from_slice(&seq.to_le_bytes());
    payload.extend_from_slice(&u32::try_from(record.len()).unwrap_or(u32::MAX).to_le_bytes());
    payload.extend_from_slice(record);
}

/// The carried records of a payload.
pub(super) fn carried(payload: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut rest = payload;
    std::iter::from_fn(move || {
        let seq = u64_at(rest, 0)?;
        let bytes = u32_at(rest, 8)? as usize;
        let record = rest.get(CARRIED_OVERHEAD..)?.get(..bytes)?;
        rest = rest.get(CARRIED_OVERHEAD + bytes..)?;
        Some((seq, record))
    })
}

/// What the last block says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) rows: u64,
    pub(super) carried: u64,
    pub(super) blocks: u64,
}

impl Footer {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        [self.rows, self.carried, self.blocks].into_iter().flat_map(u64::to_le_bytes).collect()
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Footer> {
        let footer = Footer { rows: u64_at(bytes, 0)?, carried: u64_at(bytes, 8)?, blocks: u64_at(bytes, 16)? };
        (bytes.len() == 24).then_some(footer)
    }
}
