//! Proof of what the module promises.

pub(crate) mod actions;
pub(crate) mod goldens;
mod hostile;
mod mrkdwn;
mod ordinary;
mod properties;
mod reader;
mod speed;

use super::*;

/// Every dialect.
const DIALECTS: [Dialect; 7] =
    [Dialect::GitHub, Dialect::Hugo, Dialect::Zola, Dialect::Jekyll, Dialect::Astro, Dialect::Docusaurus, Dialect::Plain];

/// Every format.
fn formats() -> Vec<Format> {
    let mut formats = vec![Format::Html, Format::Plain, Format::Slack];
    formats.extend(DIALECTS.map(Format::Markdown));
    formats
}
