//! Reading a body with a cap, whether or not its length is declared: some senders use chunks.

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, header};

/// Why there is no body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is longer than allowed.
    TooLarge,
    /// The connection broke.
    Broken,
}

/// Reads a body of at most `max` bytes. One that is declared longer is not read at all.
pub(super) async fn read<B, C, E>(headers: &HeaderMap, body: B, max: usize) -> Result<Bytes, BodyError>
where
    B: Stream<Item = Result<C, E>> + Send,
    C: Buf,
{
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > max as u64) {
        return Err(BodyError::TooLarge);
    }
    let mut body = std::pin::pin!(body);
    let mut first = Bytes::new();
    // Most bodies come in one piece, and are not copied then.
    let mut whole: Option<BytesMut> = None;
    let mut length = 0;
    while let Some(chunk) = body.next().await {
        let mut chunk = chunk.map_err(|_| BodyError::Broken)?;
        let chunk = chunk.copy_to_bytes(chunk.remaining());
        length += chunk.len();
        if length > max {
            return Err(BodyError::TooLarge);
        }
        if length == chunk.len() {
            first = chunk;
        } else {
            whole.get_or_insert_with(|| BytesMut::from(&first[..])).extend_from_slice(&chunk);
        }
    }
    Ok(whole.map_or(first, BytesMut::freeze))
}
