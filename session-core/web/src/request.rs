//! The form of one request, wherever it is: in the query of a `GET`, else in the body, which is collected within a limit.

use std::pin::pin;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use session_core::adapter::{RequestHead, Visit};

use crate::{Form, FormError};

impl Form {
    /// Reads the form of a request: of a `GET` or `HEAD` the query, else the body, up to a limit. The session of this visit
    /// remembers it, for `old` and `flash_all`, and is not opened by it.
    ///
    /// # Errors
    /// [`FormError`].
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use futures_util::stream;
    /// use session_core::adapter::RequestHead;
    /// use session_web::{Form, InputLimit};
    ///
    /// let unasked = stream::poll_fn(|_| -> std::task::Poll<Option<std::io::Result<&[u8]>>> {
    ///     unreachable!("the form of a GET is not in its body")
    /// });
    /// let head = RequestHead { method: "GET", url: "/orders?page=2", authority: None, header: |_| None };
    /// let form = Form::of_request(None, &head, InputLimit::default(), unasked).await?;
    /// assert_eq!(form.text("page"), Some("2"));
    /// # Ok::<(), session_web::FormError>(()) }).unwrap();
    /// ```
    pub async fn of_request<'r, D: Buf, E>(
        visit: Option<Visit>,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
        InputLimit(limit): InputLimit,
        chunks: impl Stream<Item = Result<D, E>>,
    ) -> Result<Self, FormError> {
        let form = if matches!(head.method, "GET" | "HEAD") {
            Self::read(URLENCODED, head.query().unwrap_or_default().to_owned().into()).await?
        } else {
            let body = Self::collect(limit, head.content_length(), chunks).await?;
            Self::of_body((head.header)("content-type"), body).await?
        };
        if let Some(visit) = visit {
            visit.set_input(form.as_map().clone());
        }
        Ok(form)
    }

    /// Reads a body according to its raw `Content-Type`. A missing or non-ASCII value is not that of a form.
    ///
    /// # Errors
    /// [`FormError`].
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let error = session_web::Form::of_body(None, "a=1".into()).await.unwrap_err();
    /// assert_eq!(error.status(), 415);
    /// # });
    /// ```
    pub async fn of_body(content_type: Option<&[u8]>, body: Bytes) -> Result<Self, FormError> {
        let text = content_type.filter(|value| value.is_ascii()).map(std::str::from_utf8);
        let Some(Ok(content_type)) = text else { return Err(FormError::NotAForm) };
        Self::read(content_type, body).await
    }

    /// Collects a body up to a limit: one that says (`said` bytes) that it is longer is not read at all, one that turns
    /// out to be is read no further.
    ///
    /// # Errors
    /// [`FormError::TooLong`], or [`FormError::Malformed`] when a chunk is an error: the client stopped in the middle.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use futures_util::stream;
    /// use session_web::Form;
    ///
    /// let chunks = ["sku=", "tea"].map(|chunk| Ok::<_, std::io::Error>(chunk.as_bytes()));
    /// assert_eq!(Form::collect(7, None, stream::iter(chunks)).await.unwrap(), "sku=tea");
    /// let never = stream::pending::<Result<&[u8], std::io::Error>>();
    /// assert_eq!(Form::collect(7, Some(8), never).await.unwrap_err().status(), 413);
    /// # });
    /// ```
    pub async fn collect<D: Buf, E>(
        limit: usize,
        said: Option<u64>,
        chunks: impl Stream<Item = Result<D, E>>,
    ) -> Result<Bytes, FormError> {
        if said.is_some_and(|said| said > u64::try_from(limit).unwrap_or(u64::MAX)) {
            return Err(FormError::TooLong { limit });
        }
        let mut chunks = pin!(chunks);
        let mut body = BytesMut::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| FormError::Malformed)?;
            if chunk.remaining() > limit - body.len() {
                return Err(FormError::TooLong { limit });
            }
            body.put(chunk);
        }
        Ok(body.freeze())
    }
}

/// The most bytes that the body of a form may have: 1 MiB unless said. An adapter says where it is put.
///
/// ```
/// use session_web::{Form, InputLimit};
///
/// assert_eq!(InputLimit::default(), InputLimit(Form::MOST_BYTES));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a number with a name")]
pub struct InputLimit(pub usize);

impl Default for InputLimit {
    fn default() -> Self {
        Self(Form::MOST_BYTES)
    }
}

const URLENCODED: &str = "application/x-www-form-urlencoded";

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn chunks(bytes: &[&'static str]) -> impl Stream<Item = Result<&'static [u8], ()>> + use<> {
        stream::iter(bytes.iter().map(|chunk| Ok(chunk.as_bytes())).collect::<Vec<_>>())
    }

    #[tokio::test]
    async fn a_body_that_turns_out_too_long_is_read_no_further() {
        let endless = chunks(&["1234", "5"]).chain(stream::pending());
        assert_eq!(Form::collect(4, None, endless).await.unwrap_err().status(), 413);
        assert_eq!(Form::collect(5, None, chunks(&["1234", "5"])).await.unwrap(), "12345");
    }

    #[tokio::test]
    async fn a_client_that_stops_in_the_middle_has_sent_a_malformed_form() {
        let broken = chunks(&["a=1"]).chain(stream::iter([Err(())]));
        assert_eq!(Form::collect(100, None, broken).await.unwrap_err().status(), 400);
    }

    #[tokio::test]
    async fn a_type_that_is_no_text_is_no_forms() {
        let wrong = Form::of_body(Some(b"multipart/form-data; boundary=\xff"), Bytes::new()).await;
        assert_eq!(wrong.unwrap_err().status(), 415);
    }
}
