//! The webhook's key: the only proof that a request comes from Sleekplan, which signs nothing.

use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderMap;
use sleeksync_connectors::contract::Secret;
use subtle::{Choice, ConstantTimeEq};

/// The configured keys, as hashes of one length. They can be replaced while the receiver listens.
#[derive(Clone, Debug)]
pub struct Keys(Arc<RwLock<Vec<[u8; 32]>>>);

impl Keys {
    /// These keys.
    pub fn new(keys: &[Secret]) -> Self {
        Self(Arc::new(RwLock::new(hashes(keys))))
    }

    /// Other keys from now on.
    pub fn replace(&self, keys: &[Secret]) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = hashes(keys);
    }

    /// Whether `?key=` or `X-Secret` is one of them. All are compared, in the same time whatever was sent.
    pub(super) fn admit(&self, query: &str, headers: &HeaderMap) -> bool {
        let mut from_query = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "key");
        let mut from_header = headers.get_all("x-secret").iter();
        from_query.any(|(_, key)| self.is_known(key.as_bytes())) || from_header.any(|key| self.is_known(key.as_bytes()))
    }

    fn is_known(&self, shown: &[u8]) -> bool {
        let shown = blake3::hash(shown);
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let known = keys.iter().fold(Choice::from(0), |found, key| found | key.ct_eq(shown.as_bytes()));
        known.into()
    }
}

fn hashes(keys: &[Secret]) -> Vec<[u8; 32]> {
    keys.iter().map(|key| *blake3::hash(key.expose().as_bytes()).as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_keys_opens_however_it_is_sent() {
        let keys = Keys::new(&[Secret::new("old key&1"), Secret::new("new")]);
        let header = |value: &'static str| {
            HeaderMap::from_iter([(http::HeaderName::from_static("x-secret"), http::HeaderValue::from_static(value))])
        };
        assert!(keys.admit("key=new", &HeaderMap::new()));
        assert!(keys.admit("a=b&key=old+key%261", &HeaderMap::new()));
        assert!(keys.admit("key=old%20key%261&key", &HeaderMap::new()));
        assert!(keys.admit("", &header("new")));
        for (query, headers) in [
            ("", HeaderMap::new()),
            ("key=", HeaderMap::new()),
            ("key=New", HeaderMap::new()),
            ("xkey=new", header("old")),
            ("key=old%2Bkey%261", HeaderMap::new()),
        ] {
            assert!(!keys.admit(query, &headers), "{query}");
        }
    }

    #[test]
    fn without_keys_nothing_opens() {
        assert!(!Keys::new(&[]).admit("key=", &HeaderMap::new()));
    }
}
