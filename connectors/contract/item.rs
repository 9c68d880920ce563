//! Items: one Sleekplan thing and the latest state known of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{Fields, Time};

/// The longest id that is taken from a payload, in bytes.
const ID_BYTES_MAX: usize = 64;

/// A Sleekplan workspace. Larger than 32 bits in the vendor's own sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProductId(pub u64);

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The kinds of things Sleekplan has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// A feedback post.
    Feedback,
    /// A comment on a feedback post.
    Comment,
    /// A vote of one user on a feedback post.
    Vote,
    /// A user following a feedback post.
    Subscription,
    /// A person known to the workspace.
    User,
    /// A changelog entry.
    Changelog,
    /// A person subscribed to the changelog.
    Subscriber,
    /// A CSAT answer.
    Satisfaction,
}

impl ItemKind {
    /// All of them.
    pub const ALL: &'static [ItemKind] = &[
        ItemKind::Feedback,
        ItemKind::Comment,
        ItemKind::Vote,
        ItemKind::Subscription,
        ItemKind::User,
        ItemKind::Changelog,
        ItemKind::Subscriber,
        ItemKind::Satisfaction,
    ];

    /// The word users type for it, as in `feedback/48121`.
    pub const fn as_str(self) -> &'static str {
        match self {
            ItemKind::Feedback => "feedback",
            ItemKind::Comment => "comment",
            ItemKind::Vote => "vote",
            ItemKind::Subscription => "subscription",
            ItemKind::User => "user",
            ItemKind::Changelog => "changelog",
            ItemKind::Subscriber => "subscriber",
            ItemKind::Satisfaction => "satisfaction",
        }
    }

    /// The name templates and `when` know it by.
    pub const fn template_name(self) -> &'static str {
        match self {
            ItemKind::Changelog => "entry",
            other => other.as_str(),
        }
    }

    /// Whether it belongs to a feedback post and shares its lane.
    pub const fn is_child(self) -> bool {
        matches!(self, ItemKind::Comment | ItemKind::Vote | ItemKind::Subscription)
    }
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which thing: product, kind and id; a child also names its feedback post.
///
/// Ids are `[A-Za-z0-9._-]`, at most 64 bytes: anything else in a payload is not an id, so an `ItemId` is safe in paths, URLs and keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ItemId {
    product: ProductId,
    kind: ItemKind,
    parent: Option<SmolStr>,
    id: SmolStr,
}

impl ItemId {
    /// An item that stands by itself; `None` where `id` is no id or `kind` needs a parent.
    pub fn top(product: ProductId, kind: ItemKind, id: &str) -> Option<Self> {
        (!kind.is_child() && is_id(id)).then(|| Self { product, kind, parent: None, id: id.into() })
    }

    /// A child of the feedback post `parent`; `None` where an id is none or `kind` has no parent.
    pub fn child(product: ProductId, kind: ItemKind, parent: &str, id: &str) -> Option<Self> {
        (kind.is_child() && is_id(parent) && is_id(id)).then(|| Self { product, kind, parent: Some(parent.into()), id: id.into() })
    }

    /// Its workspace.
    pub fn product(&self) -> ProductId {
        self.product
    }

    /// Its kind.
    pub fn kind(&self) -> ItemKind {
        self.kind
    }

    /// Its own id, without the parent's.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The feedback post a child belongs to.
    pub fn parent(&self) -> Option<ItemId> {
        self.parent.as_ref().map(|id| Self { product: self.product, kind: ItemKind::Feedback, parent: None, id: id.clone() })
    }

    /// What orders its deliveries: a child rides its feedback's lane.
    pub fn lane(&self) -> ItemId {
        self.parent().unwrap_or_else(|| self.clone())
    }

    /// With the product in front, as in `5456534244/changelog/771`.
    pub fn qualified(&self) -> String {
        format!("{}/{self}", self.product)
    }

    /// Reads `feedback/48121`, `comment/48121/9` or the same with a product in front; `product` stands in where there is none.
    ///
    /// # Errors
    /// What is no item, or names no product where none stands in.
    pub fn parse(text: &str, product: Option<ProductId>) -> Result<Self, ParseItemIdError> {
        let fail = || ParseItemIdError { text: text.chars().take(80).collect() };
        let mut parts: Vec<&str> = text.split('/').collect();
        let product = match parts.first().and_then(|first| first.parse::<u64>().ok()) {
            Some(id) => {
                parts.remove(0);
                Some(ProductId(id))
            }
            None => product,
        }
        .ok_or_else(fail)?;
        let kind_of = |word: &str| ItemKind::ALL.iter().copied().find(|kind| kind.as_str() == word);
        match parts.as_slice() {
            [kind, id] => kind_of(kind).and_then(|kind| ItemId::top(product, kind, id)),
            [kind, parent, id] => kind_of(kind).and_then(|kind| ItemId::child(product, kind, parent, id)),
            _ => None,
        }
        .ok_or_else(fail)
    }
}

/// Without the product, as in `comment/48121/9`.
impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.parent {
            Some(parent) => write!(f, "{}/{parent}/{}", self.kind, self.id),
            None => write!(f, "{}/{}", self.kind, self.id),
        }
    }
}

/// With the product in front.
impl FromStr for ItemId {
    type Err = ParseItemIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ItemId::parse(text, None)
    }
}

/// A text that names no item.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{text}` is no item; expected KIND/ID such as feedback/48121, comment/48121/9 or changelog/771, with PRODUCT/ in front where there are several"
)]
pub struct ParseItemIdError {
    text: String,
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= ID_BYTES_MAX
        && !text.starts_with('.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// The latest state known of one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Which one.
    pub id: ItemId,
    /// All fields ever seen, each as last sent, under Sleekplan's own names.
    pub fields: Fields,
    /// Effective time of the newest event on it.
    pub at: Time,
    /// Deleted at Sleekplan; the fields are what was last known.
    pub deleted: bool,
}

impl Item {
    /// Whether readers may see it.
    ///
    /// An entry that is a draft, scheduled, switched off or limited to a segment is not public; nor is a private comment, or a
    /// feedback post hidden from the board (fields `draft`, `scheduled`, `enabled`, `segment`, `public`, `is_active` of the REST objects).
    pub fn is_public(&self) -> bool {
        self.fields.is_public(self.id.kind())
    }

    /// The feedback a comment, vote or subscription belongs to, or an entry was published from (`feedback_id` of the REST object).
    pub fn origin(&self) -> Option<ItemId> {
        let named = || {
            let id = self.fields.id("feedback_id")?;
            ItemId::top(self.id.product(), ItemKind::Feedback, &id)
        };
        match self.id.kind() {
            ItemKind::Changelog => named(),
            _ => self.id.parent(),
        }
    }
}
