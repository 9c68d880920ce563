//! Settings of `wordpress`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::contract::{Mistakes, OnMissing, OnRemoteEdit, Secret, SettingsError};
use crate::kit::http::{Base, credential};
use crate::kit::template::{Output, Template};

/// The longest name of a term: its column takes no more.
const TERM_CHARS_MAX: usize = 200;

/// What an entry becomes when it is public.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Everybody can read it.
    #[default]
    Publish,
    /// A person publishes it.
    Draft,
    /// A person with the right to do so reviews and publishes it.
    Pending,
    /// Only editors of the site can read it.
    Private,
}

impl Status {
    /// As WordPress calls it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Draft => "draft",
            Self::Pending => "pending",
            Self::Private => "private",
        }
    }
}

/// What becomes of a post whose entry is withdrawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnpublish {
    /// It becomes a draft again.
    #[default]
    Draft,
    /// It goes to the trash.
    Trash,
    /// It is deleted, past the trash.
    Delete,
    /// It stays as it is.
    Keep,
}

/// `[connectors.NAME]` of kind `wordpress`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    url: String,
    /// The login, not the name of the application password.
    pub username: String,
    /// An application password of that user.
    pub application_password: Secret,
    #[serde(default)]
    allow_insecure: bool,
    /// What an entry becomes.
    #[serde(default)]
    pub status: Status,
    /// The REST base of the type of posts.
    #[serde(default = "posts")]
    pub post_type: String,
    /// Categories of every post.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Tags of every post.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Category by type of entry.
    #[serde(default)]
    pub type_categories: BTreeMap<String, String>,
    /// What becomes of the post of a withdrawn entry.
    #[serde(default)]
    pub on_unpublish: OnUnpublish,
    /// What follows when the post was deleted, or put into the trash, at WordPress.
    #[serde(default)]
    pub on_missing: OnMissing,
    /// What follows when a person changed the post at WordPress.
    #[serde(default)]
    pub on_remote_edit: OnRemoteEdit,
    /// Whether images are copied into the media library.
    #[serde(default = "yes")]
    pub copy_images: bool,
    /// Whether the first image is the post's featured image too.
    #[serde(default)]
    pub featured_image: bool,
    slug: Option<String>,
    title: Option<String>,
    content: Option<String>,
}

/// Settings, parsed.
pub(super) struct Ready {
    pub base: Base,
    pub slug: Option<Template>,
    pub title: Option<Template>,
    pub content: Option<Template>,
}

fn posts() -> String {
    "posts".to_owned()
}

fn yes() -> bool {
    true
}

impl Settings {
    pub(super) fn ready(&self) -> Result<Ready, Vec<SettingsError>> {
        let mut mistakes = Mistakes::default();
        let by_type: Vec<String> = self.type_categories.values().cloned().collect();
        for (key, names) in [("categories", &self.categories), ("tags", &self.tags), ("type_categories", &by_type)] {
            if names.iter().any(|name| name.trim().is_empty() || name.chars().count() > TERM_CHARS_MAX) {
                mistakes.add(key, "a name is empty or too long", "names of at most 200 characters");
            }
        }
        let is_base = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if self.post_type.is_empty() || !self.post_type.bytes().all(is_base) {
            mistakes.add("post_type", "it is no REST base", "the last part of the type's REST address, such as posts");
        }
        if self.username.trim().is_empty() || self.username.contains(|sign: char| sign == ':' || sign.is_control()) {
            mistakes.add("username", "it is no login", "the user's login, without a colon");
        }
        let template =
            |key, source: &Option<String>, output| source.as_deref().map(|source| Template::new(key, source, output)).transpose();
        mistakes.note(credential("application_password", &self.application_password));
        let base = mistakes.note(Base::parse("url", &self.url, self.allow_insecure));
        let slug = mistakes.note(template("slug", &self.slug, Output::Text));
        let title = mistakes.note(template("title", &self.title, Output::Text));
        let content = mistakes.note(template("content", &self.content, Output::Html));
        let made = (|| Some(Ready { base: base?, slug: slug?, title: title?, content: content? }))();
        mistakes.or(made)
    }
}
