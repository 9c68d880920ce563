//! Who this store is: a random key that signs markers, and an instance id.
//!
//! Written once, when the store is created, and part of every export: whoever loses it cannot recognise the markers
//! left in the services. The key has no way to be printed.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use subtle::ConstantTimeEq;

use super::files;

const NAME: &str = "identity";
const TITLE: &str = "sleeksync identity 1";
/// How many hexadecimal digits a signature has.
pub const SIGNATURE_DIGITS: usize = 16;

/// The store's key and instance id.
#[derive(Clone)]
pub struct Identity {
    key: [u8; 32],
    instance: [u8; 16],
}

/// The identity could not be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The journal holds records, but the identity that belongs to them is gone.
    #[error("{} is missing, but the journal is not empty", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// There is one already: an import must not replace it.
    #[error("{} exists already", path.display())]
    Exists {
        /// Where it is.
        path: PathBuf,
    },
    /// The text is no identity.
    #[error("{} is not a sleeksync identity", path.display())]
    Malformed {
        /// Where it came from.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot read or write {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
}

/// Whether `store` has an identity.
pub(super) fn exists(store: &Path) -> bool {
    store.join(NAME).exists()
}

impl Identity {
    /// Reads the identity of `store`. Creates one for a journal that is still empty.
    pub fn load(store: &Path, journal_is_empty: bool) -> Result<Identity, IdentityError> {
        let path = store.join(NAME);
        match files::read_if_there(&path) {
            Ok(Some(bytes)) => Self::parse(&bytes).ok_or(IdentityError::Malformed { path }),
            Ok(None) if journal_is_empty => Self::create(path),
            Ok(None) => Err(IdentityError::Missing { path }),
            Err(source) => Err(IdentityError::Io { path, source }),
        }
    }

    /// Gives `store` the identity that was exported from another.
    pub fn import(store: &Path, exported: &str) -> Result<Identity, IdentityError> {
        let path = store.join(NAME);
        if path.exists() {
            return Err(IdentityError::Exists { path });
        }
        let Some(identity) = Self::parse(exported.as_bytes()) else {
            return Err(IdentityError::Malformed { path });
        };
        identity.write(&path)?;
        Ok(identity)
    }

    fn create(path: PathBuf) -> Result<Identity, IdentityError> {
        let random = files::random().and_then(|key| Ok(Identity { key, instance: files::random()? }));
        let identity = random.map_err(|source| IdentityError::Io { path: path.clone(), source })?;
        identity.write(&path)?;
        Ok(identity)
    }

    fn write(&self, path: &Path) -> Result<(), IdentityError> {
        files::write_whole(path, self.export().as_bytes()).map_err(|source| IdentityError::Io { path: path.to_path_buf(), source })
    }

    /// The identity as text, key included: for the file and for an export, never for a log.
    pub fn export(&self) -> String {
        format!("{TITLE}\ninstance {}\nkey {}\n", self.instance(), hex(&self.key))
    }

    fn parse(bytes: &[u8]) -> Option<Identity> {
        let mut lines = std::str::from_utf8(bytes).ok()?.lines();
        if lines.next()? != TITLE {
            return None;
        }
        let instance = unhex(lines.next()?.strip_prefix("instance ")?)?;
        let key = unhex(lines.next()?.strip_prefix("key ")?)?;
        lines.next().is_none().then_some(Identity { key, instance })
    }

    /// The instance id: 32 hexadecimal digits, not a secret.
    pub fn instance(&self) -> String {
        hex(&self.instance)
    }

    /// The signature of `text`: [`SIGNATURE_DIGITS`] hexadecimal digits.
    pub fn sign(&self, text: &str) -> String {
        let mut signature = blake3::keyed_hash(&self.key, text.as_bytes()).to_hex().to_string();
        signature.truncate(SIGNATURE_DIGITS);
        signature
    }

    /// Whether `signature` is this store's for `text`. Takes the same time for every wrong one.
    pub fn verify(&self, text: &str, signature: &str) -> bool {
        self.sign(text).as_bytes().ct_eq(signature.as_bytes()).into()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("instance", &self.instance()).finish_non_exhaustive()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok())).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).filter_map(|pair| Some(pair.first()? << 4 | pair.last()?)).collect();
    (digits.len() == N * 2).then_some(bytes)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn an_identity_is_created_once_and_only_for_an_empty_journal() {
        let store = tempfile::tempdir().unwrap();
        assert!(matches!(Identity::load(store.path(), false), Err(IdentityError::Missing { .. })));
        let created = Identity::load(store.path(), true).unwrap();
        let loaded = Identity::load(store.path(), false).unwrap();
        assert_eq!(created.export(), loaded.export());
        let mode = std::fs::metadata(store.path().join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn only_the_same_key_and_text_verify() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let one = Identity::load(one.path(), true).unwrap();
        let other = Identity::load(two.path(), true).unwrap();
        let signature = one.sign("entry-1");
        assert_eq!(signature.len(), SIGNATURE_DIGITS);
        assert!(one.verify("entry-1", &signature));
        assert!(!one.verify("entry-2", &signature));
        assert!(!one.verify("entry-1", &format!("{signature}0")));
        assert!(!one.verify("entry-1", ""));
        assert!(!other.verify("entry-1", &signature));
    }

    #[test]
    fn an_exported_identity_moves_to_another_store_but_replaces_none() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let exported = Identity::load(one.path(), true).unwrap().export();
        let imported = Identity::import(two.path(), &exported).unwrap();
        assert_eq!(imported.export(), exported);
        assert!(matches!(Identity::import(two.path(), &exported), Err(IdentityError::Exists { .. })));
        assert!(matches!(Identity::import(one.path().join("x").as_path(), "nonsense"), Err(IdentityError::Malformed { .. })));
    }

    #[test]
    fn the_key_is_in_no_debug_output() {
        let store = tempfile::tempdir().unwrap();
        let identity = Identity::load(store.path(), true).unwrap();
        assert!(!format!("{identity:?}").contains(&hex(&identity.key)));
    }
}
