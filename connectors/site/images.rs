//! Images of a page, copied so that the site does not depend on Sleekplan's storage.
//!
//! An image that cannot be had is left where it is: it must not keep the page from being published. It is tried again at the next change.

use super::config::Settings;
use super::files::{FileError, Files};
use super::page::Page;
use crate::contract::{Cx, Hash};
use crate::kit::image::{Fetched, IMAGES_MAX, fetch};

/// An image that was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Copied {
    /// Where it came from.
    pub url: String,
    /// How the page names it.
    pub place: String,
    /// Name of its file.
    name: String,
}

/// Copies the images of a page; those that cannot be had are missing in the answer.
pub(super) async fn copy(settings: &Settings, page: &Page, files: &Files<'_>, cx: &Cx<'_>) -> Vec<Copied> {
    let (folder, shown) = settings.image_folder();
    let mut copied = Vec::new();
    for address in page.images.iter().take(IMAGES_MAX) {
        let Some(Fetched { bytes, ending }) = fetch(address, cx).await else { continue };
        let name = format!("{}-{}.{ending}", page.stem(), Hash::of(&bytes));
        if let Err(error) = files.write(&format!("{folder}/{name}"), &bytes) {
            tracing::warn!(
                page = page.path,
                error = &error as &dyn std::error::Error,
                "image cannot be written; the page names it where it is"
            );
            continue;
        }
        copied.push(Copied { url: address.clone(), place: format!("{shown}{name}"), name });
    }
    copied
}

/// Removes copies of an entry's images that its page no longer shows.
pub(super) fn remove_others(settings: &Settings, stem: &str, kept: &[Copied], files: &Files<'_>) -> Result<(), FileError> {
    let (folder, _) = settings.image_folder();
    let prefix = format!("{stem}-");
    for name in files.names(&folder)? {
        if name.starts_with(&prefix) && !kept.iter().any(|image| image.name == name) {
            files.remove(&format!("{folder}/{name}"))?;
        }
    }
    Ok(())
}
