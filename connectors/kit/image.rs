//! Images of a text, brought along so that what is published does not depend on Sleekplan's storage.
//!
//! An image that cannot be had is left where it is: it must not keep its text from being published. It is tried again at the next change.
//! What an image is, its first bytes say and not its server.

use std::borrow::Cow;

use bytes::Bytes;
use url::Url;

use super::entry::content;
use super::text::Text;
use crate::contract::{Cx, Effect, Hash, Item, Links, Part, Repeat, Step, StepName};

/// So many images of a text are copied.
pub const IMAGES_MAX: usize = 50;

/// Stands for the N-th image of a text until it is known where that went.
const PLACEHOLDER: &str = "https://image.sleeksync.invalid/";

/// An image as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The file.
    pub bytes: Bytes,
    /// The ending of a name for it: `png`, `jpg`, `gif`, `webp` or `avif`.
    pub ending: &'static str,
}

impl Fetched {
    /// A name that only these bytes have.
    pub fn name(&self) -> String {
        format!("sleekplan-{}.{}", Hash::of(&self.bytes), self.ending)
    }

    /// Its media type, such as `image/jpeg`.
    pub fn media_type(&self) -> String {
        format!("image/{}", if self.ending == "jpg" { "jpeg" } else { self.ending })
    }
}

/// Fetches the image at `source`; `None`, with a line in the log, where it cannot be had.
pub async fn fetch(source: &str, cx: &Cx<'_>) -> Option<Fetched> {
    let url = Url::parse(source).ok()?;
    match cx.transport.fetch_untrusted(&url).await {
        Ok(answer) if answer.status.is_success() => {
            let ending = ending(&answer.body);
            if ending.is_none() {
                tracing::warn!("an image is none by its first bytes; it is named where it is");
            }
            Some(Fetched { ending: ending?, bytes: answer.body })
        }
        Ok(answer) => {
            tracing::warn!(status = answer.status.as_u16(), "image cannot be copied; it is named where it is");
            None
        }
        Err(error) => {
            tracing::warn!(cause = %error.source, "image cannot be copied; it is named where it is");
            None
        }
    }
}

/// The addresses of the images that are copied, each once.
pub fn sources(text: &Text) -> Vec<String> {
    let mut sources: Vec<String> = Vec::new();
    for image in text.images() {
        if sources.len() < IMAGES_MAX && !sources.contains(&image.url) {
            sources.push(image.url);
        }
    }
    sources
}

/// The part of an image: one for each address.
pub fn part(source: &str) -> Part {
    Part(Cow::Owned(format!("image {}", Hash::of(source.as_bytes()))))
}

/// The step that brings an image to the service. One that could not be had is tried again when the entry changes.
pub fn upload<Op>(source: &str, item: &Item, links: &Links, op: Op) -> Step<Op> {
    let part = part(source);
    let again = links.own.get(&part).filter(|link| link.remote.is_none()).map(|_| content(item));
    let hash = Hash::of_json(&(source, again.map(|hash| hash.to_string())));
    let effect = Effect::Link { content: hash, rendering: hash };
    Step { name: StepName::new("upload image"), part, effect, repeat: Repeat::Idempotent, op }
}

/// What stands for the image at `source` in a text that is planned; `None` where it is not copied.
pub fn placeholder(sources: &[String], source: &str) -> Option<String> {
    sources.iter().position(|known| known == source).map(|number| format!("{PLACEHOLDER}{number}/"))
}

/// `html` with every placeholder replaced by where its image is: `place` says that, else it is where it was.
pub fn placed(html: &str, sources: &[String], place: impl Fn(&str) -> Option<String>) -> String {
    let mut html = html.to_owned();
    for (number, source) in sources.iter().enumerate() {
        let address = place(source).unwrap_or_else(|| source.clone());
        html = html.replace(&format!("{PLACEHOLDER}{number}/"), &address.replace('&', "&amp;").replace('"', "%22"));
    }
    html
}

/// The ending of the file's name; `None` for what is no image, and for SVG, which can carry scripts.
fn ending(bytes: &[u8]) -> Option<&'static str> {
    let at = |from: usize, part: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(part));
    match () {
        () if at(0, b"\x89PNG\r\n\x1a\n") => Some("png"),
        () if at(0, b"\xff\xd8\xff") => Some("jpg"),
        () if at(0, b"GIF87a") || at(0, b"GIF89a") => Some("gif"),
        () if at(0, b"RIFF") && at(8, b"WEBP") => Some("webp"),
        () if at(4, b"ftypavif") => Some("avif"),
        () => None,
    }
}
