//! A post as WordPress shows it, and what its links keep of it.

use serde_json::Value;

use super::plan::{POST, STATE};
use crate::contract::{Hash, Links, RemoteKey, RemoteRef};

/// A post as it stands at WordPress (`context=edit`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub id: u64,
    pub status: String,
    pub slug: String,
    /// When it was last changed, by whomever: UTC without a zone, to the second.
    pub modified: String,
    /// When it was published, or is to be.
    date: Option<String>,
    content: String,
    link: Option<String>,
}

/// How the comment of a write begins.
const WRITE: &str = "<!-- sleekplan-write:";
/// In the place of a time: no change is of then.
const THEIRS: &str = "-";

impl Known {
    /// Reads a post; `None` where it is none as an editor sees it.
    pub fn read(post: &Value) -> Option<Self> {
        let text = |name: &str| post.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            id: post.get("id")?.as_u64()?,
            status: text("status")?,
            slug: text("slug").unwrap_or_default(),
            modified: text("modified_gmt")?,
            date: text("date_gmt"),
            content: post.pointer("/content/raw")?.as_str()?.to_owned(),
            link: text("link"),
        })
    }

    /// Whether it is ours, and this entry's: strangers' words bring no comment into a post.
    pub fn carries(&self, key: &RemoteKey) -> bool {
        self.content.contains(&key.marker())
    }

    /// Whether its text is what this write left: the comment with its hash stands in it.
    pub fn is_written(&self, write: &Hash) -> bool {
        self.content.contains(&write_comment(write))
    }

    /// Whether it is as our last write left it, by the time WordPress gave that.
    pub fn is_ours(&self, links: &Links) -> bool {
        [POST, STATE].iter().filter_map(|part| links.id(part)?.split_once('@')).any(|(_, modified)| modified == self.modified)
    }

    pub fn is_trashed(&self) -> bool {
        self.status == "trash"
    }

    /// Whether nobody has changed it since it was made: until then its last change is its date (`wp_insert_post`).
    pub fn is_untouched(&self) -> bool {
        self.date.as_ref() == Some(&self.modified)
    }

    /// Its text with the comment of another write; `None` where there is no comment.
    pub fn rewritten(&self, write: &Hash) -> Option<String> {
        let (before, rest) = self.content.split_once(WRITE)?;
        let (_, after) = rest.split_once(" -->")?;
        Some(format!("{before}{}{after}", write_comment(write)))
    }

    /// The link of its text: the post's number, and when we wrote it, or no time where somebody else did.
    pub fn post_ref(&self, is_ours: bool) -> RemoteRef {
        self.remote(&self.id.to_string(), is_ours)
    }

    /// The link of its status, and when we wrote it.
    pub fn state_ref(&self, is_ours: bool) -> RemoteRef {
        self.remote(&self.status, is_ours)
    }

    /// With its address, once it has one that readers can open.
    fn remote(&self, id: &str, is_ours: bool) -> RemoteRef {
        let url = self.link.clone().filter(|_| self.status == "publish");
        RemoteRef { id: format!("{id}@{}", if is_ours { &self.modified } else { THEIRS }), url }
    }
}

/// The number of the post that the links know.
pub(super) fn post_id(links: &Links) -> Option<&str> {
    let id = links.id(&POST)?;
    Some(id.split_once('@').map_or(id, |(id, _)| id))
}

/// Stands in a post's HTML, and says which write made it: that one need not be made again when its answer was lost.
pub(super) fn write_comment(write: &Hash) -> String {
    format!("{WRITE}{write} -->")
}
