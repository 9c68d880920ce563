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

/// Bytes of a body that is too large that are read and thrown away. Who still sends when the connection is closed may not see the answer.
const DISCARD_BYTES_MAX: usize = 64 << 20;

/// Reads a body of at most `max` bytes. One that is declared longer is not begun.
pub(super) async fn read<B, C, E>(headers: &HeaderMap, body: &mut B, max: usize) -> Result<Bytes, BodyError>
where
    B: Stream<Item = Result<C, E>> + Send + Unpin,
    C: Buf,
{
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > max as u64) {
        return Err(BodyError::TooLarge);
    }
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

/// Reads what is left of a body, and keeps nothing of it.
pub(super) async fn discard<B, C, E>(body: &mut B)
where
    B: Stream<Item = Result<C, E>> + Send + Unpin,
    C: Buf,
{
    let mut length = 0;
    while let Some(Ok(chunk)) = body.next().await {
        length += chunk.remaining();
        if length > DISCARD_BYTES_MAX {
            return;
        }
    }
}
