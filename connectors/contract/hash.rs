//! Hashes that tell whether something changed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Room for the JSON that is usually hashed.
const USUAL_BYTES: usize = 1024;

/// Sixteen bytes of BLAKE3 over some canonical bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hash([u8; 16]);

impl Hash {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_blake3(&blake3::hash(bytes))
    }

    /// The hash of several parts, each with its length, so that no two lists of parts look alike.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self::from_blake3(&hasher.finalize())
    }

    /// The hash of something's JSON. Maps of `serde_json` are sorted, so equal values give equal bytes.
    pub fn of_json<T: Serialize>(value: &T) -> Self {
        let mut json = Vec::with_capacity(USUAL_BYTES);
        serde_json::to_writer(&mut json, value).unwrap_or_default();
        Self::of(&json)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// From bytes made by [`Hash::as_bytes`].
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    fn from_blake3(hash: &blake3::Hash) -> Self {
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(hash.as_bytes()) {
            *to = *from;
        }
        Self(bytes)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
