//! Bodies of a fake service: read whole, and written whole or broken off.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// The largest request a fake service takes, in bytes.
const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The body of an answer.
#[derive(Debug)]
pub(super) struct ReplyBody {
    rest: Option<Bytes>,
    length: u64,
    cut: bool,
}

impl ReplyBody {
    /// The whole body.
    pub(super) fn whole(body: Bytes) -> Self {
        Self { length: body.len() as u64, rest: Some(body).filter(|body| !body.is_empty()), cut: false }
    }

    /// Promises the whole body, gives half of it, and breaks.
    pub(super) fn cut(body: Bytes) -> Self {
        let half = body.slice(..body.len() / 2);
        Self { length: body.len() as u64 + 1, rest: Some(half).filter(|half| !half.is_empty()), cut: true }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.rest.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        Poll::Ready(self.cut.then(|| Err(io::ErrorKind::ConnectionReset.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && !self.cut
    }

    fn size_hint(&self) -> SizeHint {
        // The hint becomes Content-Length, so that a client can tell a cut body from a whole one.
        SizeHint::with_exact(self.length)
    }
}

/// Reads a request's body to its end.
pub(super) async fn read(mut body: Incoming) -> Result<Bytes, io::Error> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame.map_err(io::Error::other)?.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() > REQUEST_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
    Ok(bytes.freeze())
}
