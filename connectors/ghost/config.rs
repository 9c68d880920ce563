//! Settings of `ghost`.

use ring::hmac;
use serde::Deserialize;

use crate::contract::{Mistakes, OnMissing, OnRemoteEdit, Secret, SettingsError};
use crate::kit::http::Base;
use crate::kit::template::{Output, Template};

/// The longest name of a tag ("Value in [tags.name] exceeds maximum length").
const TAG_CHARS_MAX: usize = 191;

/// What an entry becomes when it is public.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A published post.
    #[default]
    Published,
    /// A draft that a person publishes.
    Draft,
}

/// What becomes of a post whose entry is withdrawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnpublish {
    /// It becomes a draft again.
    #[default]
    Draft,
    /// It is deleted; Ghost has no trash.
    Delete,
    /// It stays as it is.
    Keep,
}

/// `[connectors.NAME]` of kind `ghost`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    url: String,
    admin_api_key: Secret,
    #[serde(default)]
    allow_insecure: bool,
    /// Tags of every post.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Slug of the newsletter that is mailed once, on first publication.
    #[serde(default)]
    pub newsletter: Option<String>,
    /// What an entry becomes.
    #[serde(default)]
    pub status: Status,
    /// What becomes of the post of a withdrawn entry.
    #[serde(default)]
    pub on_unpublish: OnUnpublish,
    /// What follows when the post was deleted at Ghost.
    #[serde(default)]
    pub on_missing: OnMissing,
    /// What follows when a person changed the post at Ghost.
    #[serde(default)]
    pub on_remote_edit: OnRemoteEdit,
    /// Whether images are uploaded to Ghost.
    #[serde(default = "yes")]
    pub copy_images: bool,
    /// Whether the first image is the post's feature image too.
    #[serde(default)]
    pub feature_image: bool,
    title: Option<String>,
    content: Option<String>,
}

/// Settings, parsed.
pub(super) struct Ready {
    pub base: Base,
    /// The readable half of the key.
    pub id: String,
    /// The other half, which signs.
    pub key: hmac::Key,
    pub title: Option<Template>,
    pub content: Option<Template>,
}

fn yes() -> bool {
    true
}

impl Settings {
    pub(super) fn ready(&self) -> Result<Ready, Vec<SettingsError>> {
        let mut mistakes = Mistakes::default();
        if self.tags.iter().any(|tag| tag.trim().is_empty() || tag.chars().count() > TAG_CHARS_MAX) {
            mistakes.add("tags", "a tag is empty or too long", "names of at most 191 characters");
        }
        let is_slug = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if self.newsletter.as_deref().is_some_and(|slug| !is_slug(slug)) {
            mistakes.add("newsletter", "it is no slug", "the slug of a newsletter, such as default-newsletter");
        }
        let template =
            |key, source: &Option<String>, output| source.as_deref().map(|source| Template::new(key, source, output)).transpose();
        let base = mistakes.note(Base::parse("url", &self.url, self.allow_insecure));
        let title = mistakes.note(template("title", &self.title, Output::Text));
        let content = mistakes.note(template("content", &self.content, Output::Html));
        let key = key(self.admin_api_key.expose());
        if key.is_none() {
            mistakes.add("admin_api_key", "it is no Admin API key", "ID:SECRET, both of hexadecimal digits, as Ghost shows it");
        }
        let made = (|| {
            let (id, key) = key?;
            Some(Ready { base: base?, id, key, title: title?, content: content? })
        })();
        mistakes.or(made)
    }
}

/// The two halves of `ID:SECRET`. The secret is hexadecimal and signs as the bytes it stands for (docs.ghost.org, "Token Authentication").
fn key(text: &str) -> Option<(String, hmac::Key)> {
    let (id, secret) = text.trim().split_once(':')?;
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs = secret.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        u8::from_str_radix(pair, 16).ok()
    });
    let bytes: Vec<u8> = pairs.collect::<Option<_>>()?;
    (is_id && !bytes.is_empty()).then(|| (id.to_owned(), hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
}
