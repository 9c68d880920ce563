//! Links: what exists where, and the key by which an object is found again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Hash, Part, Time};

/// An object at the service, in the service's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteRef {
    /// Its id there, such as an issue number or a path.
    pub id: String,
    /// Where a person can look at it.
    pub url: Option<String>,
}

/// How one part of an item stands at the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The object; `None` for a part that is only a mark, such as "mailed".
    pub remote: Option<RemoteRef>,
    /// Hash of Sleekplan's content as last confirmed there; `None` while a write is not known to have succeeded, and where a person wants all of
    /// it written again: then `rendering` still says what was.
    pub content: Option<Hash>,
    /// Hash of what was sent for it (content, settings, templates and release together).
    pub rendering: Option<Hash>,
    /// When it was last written.
    pub updated_at: Time,
}

/// The links a plan may look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Links {
    /// The item's own, by part.
    pub own: BTreeMap<Part, Link>,
    /// Those of the feedback it belongs to or was published from, by part.
    pub parent: BTreeMap<Part, Link>,
    /// Addresses that other connectors gave the item, by connector name.
    pub elsewhere: BTreeMap<String, String>,
}

impl Links {
    /// The id of the item's own object of this part.
    pub fn id(&self, part: &Part) -> Option<&str> {
        remote_id(&self.own, part)
    }

    /// Whether nothing of the item is there yet, or any more.
    pub fn is_new(&self) -> bool {
        self.own.keys().all(Part::outlives_object)
    }

    /// The id of the parent's object of this part.
    pub fn parent_id(&self, part: &Part) -> Option<&str> {
        remote_id(&self.parent, part)
    }
}

fn remote_id<'a>(links: &'a BTreeMap<Part, Link>, part: &Part) -> Option<&'a str> {
    links.get(part)?.remote.as_ref().map(|remote| remote.id.as_str())
}

/// By what an object is found again when the answer to its creation was lost.
///
/// Computed and signed by the engine: a stranger can copy the readable half into a post, but not sign it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteKey {
    key: String,
    signature: String,
}

impl RemoteKey {
    /// `key` is `sp-PRODUCT-KIND-ID`, of `[A-Za-z0-9._-]`; `signature` is hexadecimal.
    pub fn new(key: String, signature: String) -> Self {
        Self { key, signature }
    }

    /// The readable half, such as `sp-5456534244-feedback-3`: fits labels, slugs, file names.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Both halves, such as `sp-5456534244-feedback-3:0123456789abcdef`.
    pub fn signed(&self) -> String {
        format!("{}:{}", self.key, self.signature)
    }

    /// The key of what announces one event of the item: signed as far as this one is.
    #[must_use]
    pub fn of_event(&self, seq: u64) -> Self {
        let signature = Hash::of_parts([self.signature.as_bytes(), &seq.to_le_bytes()]).to_string();
        Self { key: format!("{}-e{seq}", self.key), signature }
    }

    /// The marker for HTML and Markdown, invisible there. Text conversion strips forged ones from strangers' text.
    pub fn marker(&self) -> String {
        format!("<!-- sleekplan:{} -->", self.signed())
    }
}
