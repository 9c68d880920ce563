//! Which keys the index certainly does not hold: most of what an event asks for is new, and a look into sled costs as much as a write.
//!
//! A Bloom filter that grows: it may say "perhaps" of a key that is not there, never "no" of one that is. Until it knows all keys that were
//! on disk when the index was opened, it says "perhaps" of everything. Removed keys stay in it.

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use foldhash::quality::FixedState;

use super::key;

/// Bits of the first layer: 2 MiB. Each further layer has twice as many.
const FIRST_BITS: u64 = 16 << 20;
const GROWTH: u64 = 2;
/// Bits for each key, of which it sets [`PROBES`]: less than one key in a hundred is taken for another.
const BITS_PER_KEY: u64 = 12;
const PROBES: u32 = 8;
/// The bits of one key lie in one block, which is as long as a line of the processor's cache.
const BLOCK_WORDS: usize = 8;
const UPPER_HALF: u64 = u64::MAX << 32;

/// The keys that may be there.
pub(super) struct Filter {
    layers: RwLock<Vec<Layer>>,
    complete: AtomicBool,
}

struct Layer {
    blocks: Vec<Block>,
    keys: AtomicU64,
}

#[repr(align(64))]
#[derive(Default)]
struct Block([AtomicU64; BLOCK_WORDS]);

impl Filter {
    /// One of an index that is empty (`complete`), or of one whose keys are still to be told.
    pub(super) fn new(complete: bool) -> Self {
        Self::sized(FIRST_BITS, complete)
    }

    fn sized(first_bits: u64, complete: bool) -> Self {
        Self { layers: RwLock::new(vec![Layer::new(first_bits)]), complete: AtomicBool::new(complete) }
    }

    /// All keys that were there have been told.
    pub(super) fn complete(&self) {
        self.complete.store(true, Ordering::Release);
    }

    /// From now on `key` may be there.
    pub(super) fn add(&self, key: &[u8]) {
        let hash = hash(key);
        let full = {
            let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
            // Usually it is there already: rows are written again and again.
            if layers.iter().rev().any(|layer| layer.has(hash)) {
                return;
            }
            layers.last().is_none_or(|layer| !layer.add(hash))
        };
        if full {
            let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
            let layer = Layer::new(layers.last().map_or(FIRST_BITS, |last| last.bits() * GROWTH));
            layer.add(hash);
            layers.push(layer);
        }
    }

    /// Whether `key` may be there.
    pub(super) fn may_have(&self, key: &[u8]) -> bool {
        if !self.complete.load(Ordering::Acquire) {
            return true;
        }
        let hash = hash(key);
        self.layers.read().unwrap_or_else(PoisonError::into_inner).iter().any(|layer| layer.has(hash))
    }
}

impl Layer {
    fn new(bits: u64) -> Self {
        Self { blocks: (0..bits / 512).map(|_| Block::default()).collect(), keys: AtomicU64::new(0) }
    }

    fn bits(&self) -> u64 {
        self.blocks.len() as u64 * 512
    }

    /// `false` when it is full.
    fn add(&self, hash: u64) -> bool {
        if self.keys.fetch_add(1, Ordering::Relaxed) >= self.bits() / BITS_PER_KEY {
            return false;
        }
        for (word, bit) in self.probes(hash) {
            word.fetch_or(bit, Ordering::Release);
        }
        true
    }

    fn has(&self, hash: u64) -> bool {
        self.probes(hash).all(|(word, bit)| word.load(Ordering::Acquire) & bit != 0)
    }

    /// The upper half of the hash says which block, the lower one which bits: two parts of it give all by double hashing.
    fn probes(&self, hash: u64) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let [a, b, c, d, upper @ ..] = hash.to_le_bytes();
        let block = (u64::from(u32::from_le_bytes(upper)) * self.blocks.len() as u64) >> 32;
        let block = usize::try_from(block).ok().and_then(|block| self.blocks.get(block));
        let (first, step) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]) | 1);
        (0..PROBES).filter_map(move |probe| {
            let bit = u32::from(first).wrapping_add(probe * u32::from(step)) % 512;
            Some((block?.0.get((bit / 64) as usize)?, 1 << (bit % 64)))
        })
    }
}

/// The upper half is of the item alone: all that is asked about one lies in one block.
fn hash(key: &[u8]) -> u64 {
    let hash = |bytes: &[u8]| {
        let mut hasher = FixedState::default().build_hasher();
        hasher.write(bytes);
        hasher.finish()
    };
    let item = key::item_in(key);
    let whole = hash(key);
    if item.len() == key.len() { whole } else { (hash(item) & UPPER_HALF) | (whole & !UPPER_HALF) }
}

#[cfg(test)]
mod tests {
    use sleeksync_connectors::contract::{ItemId, ItemKind, ProductId};

    use super::*;
    use crate::index::key::Key;
    use crate::record::{ConnectorId, DutyKey};

    /// As events make them: a mark, and what is kept of an item and its delivery.
    fn keys(event: u64) -> [Key; 4] {
        let item = ItemId::top(ProductId(7), ItemKind::Feedback, &event.to_string()).unwrap();
        let duty = DutyKey { connector: ConnectorId(0), item, event: None };
        let digest = u128::from(event).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        [key::mark(&digest.to_le_bytes()), key::item(&duty.item), key::duty(&duty), key::lane(duty.connector, &duty.item)]
    }

    #[test]
    fn what_was_added_is_never_denied_and_little_else_is_claimed() {
        let first_bits = 1 << 18;
        let filter = Filter::sized(first_bits, true);
        // As many as fill two layers.
        let events = first_bits / BITS_PER_KEY * (1 + GROWTH) / 4;
        (0..events).flat_map(keys).for_each(|key| filter.add(&key));
        assert!((0..events).flat_map(keys).all(|key| filter.may_have(&key)));
        let claimed = (events..events + 5_000).flat_map(keys).filter(|key| filter.may_have(key)).count();
        assert!(claimed < 500, "{claimed} of 20,000 keys that are not there");
        assert_eq!(filter.layers.read().unwrap().len(), 2);
    }

    #[test]
    fn until_all_keys_are_told_everything_may_be_there() {
        let filter = Filter::new(false);
        assert!(filter.may_have(b"a"));
        filter.complete();
        assert!(!filter.may_have(b"a"));
    }
}
