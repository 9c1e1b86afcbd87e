//! A request's body of which the beginning was read already, for frameworks on `http-body`.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::search::ReadAhead;

/// The body that a handler behind a CSRF layer gets: the unchanged body of the request.
///
/// ```
/// use bytes::Bytes;
/// use http_body::Body;
/// use http_body_util::{BodyExt, Full};
/// use session_web::CheckedBody;
///
/// /// Read like any other body.
/// async fn read<B>(body: CheckedBody<B>) -> Option<Bytes>
/// where
///     B: Body<Data = Bytes> + Unpin,
/// {
///     body.collect().await.ok().map(|read| read.to_bytes())
/// }
/// # let _ = read::<Full<Bytes>>;
/// ```
pub struct CheckedBody<B> {
    read: Option<Bytes>,
    /// `None` once it has ended: a body is not asked again.
    rest: Option<B>,
}

/// Shows how much was read, and not what: a form, and its token.
impl<B> fmt::Debug for CheckedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = self.read.as_ref().map(Bytes::len);
        f.debug_struct("CheckedBody").field("read", &read).finish_non_exhaustive()
    }
}

impl<B> CheckedBody<B> {
    /// Puts what was read before the rest of the body.
    pub fn new(read: ReadAhead, rest: B) -> Self {
        Self { read: Some(read.bytes).filter(|bytes| !bytes.is_empty()), rest: (!read.ended).then_some(rest) }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for CheckedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

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
        self.read.is_none() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.as_ref().map_or(0, |read| u64::try_from(read.len()).unwrap_or(u64::MAX));
        let rest = self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint);
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint.set_lower(rest.lower().saturating_add(read));
        hint
    }
}

/// Polls for the next data of a body, and passes over its trailers.
pub fn poll_data<B: Body + Unpin>(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_3_a_checked_body_shows_nothing_of_the_form() {
        let body = CheckedBody::new(ReadAhead { bytes: "_csrf=canary".into(), ended: false }, "canary");
        assert!(!format!("{body:?}").contains("canary"));
    }
}
