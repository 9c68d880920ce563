//! Images of an entry, uploaded so that the post does not depend on Sleekplan's storage.
//!
//! An image that cannot be had, or that Ghost does not take, is left where it is: it must not keep the post from being published. Where the
//! answer to an upload was lost, a second file is left at Ghost, which nothing shows; Ghost has no request to delete one.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use url::Url;

use super::Ghost;
use crate::contract::{Cx, Failure, Hash, RemoteRef};
use crate::kit::http::Stage;
use crate::kit::image::ending;

impl Ghost {
    pub(super) async fn upload(&self, source: &str, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let Some((bytes, ending)) = fetch(source, cx).await else { return Ok(None) };
        let mut request = self.build(cx.now, http::Method::POST, &["images", "upload", ""], &[], None);
        let name = format!("sleekplan-{}.{ending}", Hash::of(&bytes));
        // No image holds the hash of itself.
        let boundary = format!("sleeksync-{}", Hash::of_parts([b"boundary".as_slice(), &bytes]));
        if let Ok(kind) = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}")) {
            request.headers.insert(CONTENT_TYPE, kind);
        }
        request.body = form(&boundary, &name, ending, &bytes);
        match self.call(cx, request, Stage::Create).await {
            Ok(answer) => Ok(Some(RemoteRef { id: answer.text("/images/0/url")?, url: None })),
            Err(Failure::Rejected { source }) => {
                tracing::warn!(cause = %source, "Ghost does not take an image; the post names it where it is");
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }
}

async fn fetch(source: &str, cx: &Cx<'_>) -> Option<(Bytes, &'static str)> {
    let url = Url::parse(source).ok()?;
    let bytes = match cx.transport.fetch_untrusted(&url).await {
        Ok(answer) if answer.status.is_success() => answer.body,
        Ok(answer) => {
            tracing::warn!(status = answer.status.as_u16(), "image cannot be copied; the post names it where it is");
            return None;
        }
        Err(error) => {
            tracing::warn!(cause = %error.source, "image cannot be copied; the post names it where it is");
            return None;
        }
    };
    // Ghost answers 415 to AVIF.
    let ending = ending(&bytes).filter(|ending| *ending != "avif")?;
    Some((bytes, ending))
}

/// One file as `multipart/form-data` (RFC 7578).
fn form(boundary: &str, name: &str, ending: &str, bytes: &[u8]) -> Bytes {
    let kind = if ending == "jpg" { "jpeg" } else { ending };
    let mut body = Vec::with_capacity(bytes.len() + 512);
    let file = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: image/{kind}\r\n\r\n");
    body.extend_from_slice(format!("--{boundary}\r\n{file}").as_bytes());
    body.extend_from_slice(bytes);
    let purpose = "Content-Disposition: form-data; name=\"purpose\"\r\n\r\nimage";
    body.extend_from_slice(format!("\r\n--{boundary}\r\n{purpose}\r\n--{boundary}--\r\n").as_bytes());
    body.into()
}
