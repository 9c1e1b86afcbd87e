//! A request's body of which the beginning was read already.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_core::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use session_web::ReadAhead;

/// The bytes that were read, and the rest of the body.
#[derive(Debug)]
pub(crate) struct Checked {
    read: Option<Bytes>,
    /// `None` once it has ended: a body is not asked again.
    rest: Option<Body>,
}

impl Checked {
    pub(crate) fn new(read: ReadAhead, rest: Body) -> Self {
        Self { read: Some(read.bytes).filter(|bytes| !bytes.is_empty()), rest: (!read.ended).then_some(rest) }
    }
}

impl http_body::Body for Checked {
    type Data = Bytes;
    type Error = axum_core::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(read) = self.read.take() {
            return Poll::Ready(Some(Ok(Frame::data(read))));
        }
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(rest).poll_frame(context));
        if frame.is_none() {
            self.rest = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_none() && self.rest.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.as_ref().map_or(0, |read| u64::try_from(read.len()).unwrap_or(u64::MAX));
        let rest = self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint);
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint.set_lower(rest.lower().saturating_add(read));
        hint
    }
}

/// The next data of a body; its trailers are passed over.
pub(crate) fn poll_data<B: http_body::Body + Unpin>(
    body: &mut B,
    context: &mut Context<'_>,
) -> Poll<Option<Result<B::Data, B::Error>>> {
    loop {
        match ready!(Pin::new(&mut *body).poll_frame(context)) {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Poll::Ready(Some(Ok(data)));
                }
            }
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            None => return Poll::Ready(None),
        }
    }
}
