//! Images of an entry in the media library, each once: a file is named by the hash of its bytes, and looked up by that name first.
//!
//! An image that cannot be had, or that WordPress does not take, is left where it is: it must not keep the post from being published.

use http::Method;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};

use super::WordPress;
use crate::contract::{Cx, Failure, Links, RemoteRef};
use crate::kit::http::Stage;
use crate::kit::image::{Fetched, fetch, part};

/// Where a copied image is: its number in the library and its address.
pub(super) fn placed<'a>(links: &'a Links, source: &str) -> Option<(u64, &'a str)> {
    let (id, address) = links.id(&part(source))?.split_once(' ')?;
    Some((id.parse().ok()?, address))
}

impl WordPress {
    pub(super) async fn upload(&self, source: &str, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let Some(image) = fetch(source, cx).await else { return Ok(None) };
        let _alone = self.library.lock().await;
        if let Some(known) = self.media(&image, cx).await? {
            return Ok(Some(known));
        }
        let mut request = self.build(Method::POST, &["media"], &[], None);
        let disposition = format!("attachment; filename=\"{}\"", image.name());
        for (name, value) in [(CONTENT_TYPE, image.media_type()), (CONTENT_DISPOSITION, disposition)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                request.headers.insert(name, value);
            }
        }
        request.body = image.bytes.clone();
        let made = match self.call(cx, request, Stage::Create).await {
            Ok(answer) => answer,
            Err(Failure::Rejected { source }) => {
                tracing::warn!(cause = %source, "WordPress does not take an image; the post names it where it is");
                return Ok(None);
            }
            Err(failure) => return Err(failure),
        };
        // The same file may have come from another daemon at the same time. Both take the first, and nothing is deleted: they may share the file.
        Ok(match self.media(&image, cx).await? {
            Some(first) => Some(first),
            None => Some(RemoteRef { id: format!("{} {}", made.text("/id")?, made.text("/source_url")?), url: None }),
        })
    }

    async fn media(&self, image: &Fetched, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let request = self.build(Method::GET, &["media"], &[("slug", &stem(image)), ("orderby", "id"), ("order", "asc")], None);
        let answer = self.call(cx, request, Stage::Find).await?;
        if answer.list("")?.is_empty() {
            return Ok(None);
        }
        Ok(Some(RemoteRef { id: format!("{} {}", answer.text("/0/id")?, answer.text("/0/source_url")?), url: None }))
    }
}

/// The file's name without its ending: WordPress makes it the slug.
fn stem(image: &Fetched) -> String {
    let name = image.name();
    name.rsplit_once('.').map_or(name.clone(), |(stem, _)| stem.to_owned())
}
