//! Images of an entry, uploaded so that the post does not depend on Sleekplan's storage.
//!
//! An image that cannot be had, or that Ghost does not take, is left where it is: it must not keep the post from being published. Where the
//! answer to an upload was lost, a second file is left at Ghost, which nothing shows; Ghost has no request to delete one.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::Ghost;
use crate::contract::{Cx, Failure, Hash, RemoteRef};
use crate::kit::http::Stage;
use crate::kit::image::{Fetched, fetch};

impl Ghost {
    pub(super) async fn upload(&self, source: &str, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        // Ghost answers 415 to AVIF.
        let Some(image) = fetch(source, cx).await.filter(|image| image.ending != "avif") else { return Ok(None) };
        let mut request = self.build(cx.now, http::Method::POST, &["images", "upload", ""], &[], None);
        // No image holds the hash of itself.
        let boundary = format!("sleeksync-{}", Hash::of_parts([b"boundary".as_slice(), &image.bytes]));
        if let Ok(kind) = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}")) {
            request.headers.insert(CONTENT_TYPE, kind);
        }
        request.body = form(&boundary, &image);
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

/// One file as `multipart/form-data` (RFC 7578).
fn form(boundary: &str, image: &Fetched) -> Bytes {
    let (name, kind) = (image.name(), image.media_type());
    let mut body = Vec::with_capacity(image.bytes.len() + 512);
    let file = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n");
    body.extend_from_slice(format!("--{boundary}\r\n{file}").as_bytes());
    body.extend_from_slice(&image.bytes);
    let purpose = "Content-Disposition: form-data; name=\"purpose\"\r\n\r\nimage";
    body.extend_from_slice(format!("\r\n--{boundary}\r\n{purpose}\r\n--{boundary}--\r\n").as_bytes());
    body.into()
}
