//! A post as WordPress shows it, and what its links keep of it.

use serde_json::Value;

use super::plan::{POST, STATE};
use crate::contract::{Failure, Hash, Links, RemoteKey, RemoteRef};
use crate::kit::http::Answer;

/// A post as it stands at WordPress (`context=edit`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub id: u64,
    pub status: String,
    pub slug: String,
    /// When it was last changed, by whomever: UTC without a zone, to the second.
    pub modified: String,
    content: String,
    link: Option<String>,
}

impl Known {
    /// Reads the post at `pointer` of an answer.
    ///
    /// # Errors
    /// [`Failure::Unknown`] where it is no post as an editor sees it.
    pub fn read(answer: &Answer, pointer: &str) -> Result<Self, Failure> {
        let text = |name: &str| answer.text(&format!("{pointer}/{name}"));
        let post = answer.json.pointer(pointer).unwrap_or(&Value::Null);
        let id = answer.text(&format!("{pointer}/id"))?.parse().map_err(|_| answer.lacks("a number as id"))?;
        // Empty where the post is.
        let content = post.pointer("/content/raw").and_then(Value::as_str).ok_or_else(|| answer.lacks("content/raw"))?.to_owned();
        let slug = post.get("slug").and_then(Value::as_str).unwrap_or_default().to_owned();
        let link = post.get("link").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { id, status: text("status")?, slug, modified: text("modified_gmt")?, content, link })
    }

    /// All posts of a listing.
    pub fn read_all(answer: &Answer) -> Result<Vec<Self>, Failure> {
        (0..answer.list("")?.len()).map(|number| Self::read(answer, &format!("/{number}"))).collect()
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

    /// The link of its text: the post's number, and when we wrote it.
    pub fn post_ref(&self) -> RemoteRef {
        self.remote(self.id.to_string())
    }

    /// The link of its status, and when we wrote it.
    pub fn state_ref(&self) -> RemoteRef {
        self.remote(self.status.clone())
    }

    /// With its address, once it has one that readers can open.
    fn remote(&self, id: String) -> RemoteRef {
        let url = self.link.clone().filter(|_| self.status == "publish");
        RemoteRef { id: format!("{id}@{}", self.modified), url }
    }
}

/// The number of the post that the links know.
pub(super) fn post_id(links: &Links) -> Option<&str> {
    let id = links.id(&POST)?;
    Some(id.split_once('@').map_or(id, |(id, _)| id))
}

/// Stands in a post's HTML, and says which write made it: that one need not be made again when its answer was lost.
pub(super) fn write_comment(write: &Hash) -> String {
    format!("<!-- sleekplan-write:{write} -->")
}
