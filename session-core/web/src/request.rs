//! The form of one request, wherever it is: in the query of a `GET`, else in the body, which is collected within a limit.

use std::pin::pin;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use session_core::adapter::{RequestHead, Visit};

use crate::read::Kind;
use crate::{Form, FormError, InputLimit};

impl Form {
    /// Reads the form of a request: of a `GET` or `HEAD` the query, else the body, up to a limit. A request without a body
    /// has an empty form. The session of this visit remembers it, for `old` and `flash_all`, and is not opened by it.
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
        limit: InputLimit,
        chunks: impl Stream<Item = Result<D, E>>,
    ) -> Result<Self, FormError> {
        let form = if matches!(head.method, "GET" | "HEAD") {
            let query = head.query().unwrap_or_default().to_owned();
            Self::read_within(limit, URLENCODED, query.into()).await?
        } else if let Some(content_type) = form_type((head.header)("content-type")) {
            let body = Self::collect(limit.bytes, head.content_length(), chunks).await?;
            // Whatever its type: a multipart body of no bytes has no boundary to find.
            match body.is_empty() {
                true => Self::default(),
                false => Self::read_within(limit, content_type, body).await?,
            }
        } else if is_empty(head.content_length(), chunks).await {
            Self::default()
        } else {
            return Err(FormError::NotAForm);
        };
        if let Some(visit) = visit {
            visit.set_input(form.as_map().clone());
        }
        Ok(form)
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

/// The `Content-Type`, if it is that of a form.
pub(crate) fn form_type(content_type: Option<&[u8]>) -> Option<&str> {
    let text = std::str::from_utf8(content_type?).ok()?;
    (text.is_ascii() && Kind::of(text).is_some()).then_some(text)
}

/// Whether a body has no bytes. Reads no further than the first.
async fn is_empty<D: Buf, E>(said: Option<u64>, chunks: impl Stream<Item = Result<D, E>>) -> bool {
    if let Some(said) = said {
        return said == 0;
    }
    let mut chunks = pin!(chunks);
    while let Some(chunk) = chunks.next().await {
        if !chunk.is_ok_and(|chunk| !chunk.has_remaining()) {
            return false;
        }
    }
    true
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

    async fn posted(content_type: Option<&'static str>, body: &[&'static str]) -> Result<Form, FormError> {
        let header = |name| (name == "content-type").then_some(content_type?.as_bytes());
        let head = RequestHead { method: "POST", url: "/", authority: None, header };
        Form::of_request(None, &head, InputLimit::default(), chunks(body)).await
    }

    #[tokio::test]
    async fn a_request_without_a_body_has_an_empty_form() {
        for content_type in [
            None,
            Some(URLENCODED),
            Some("text/plain;charset=UTF-8"),
            Some("application/json"),
            Some("multipart/form-data; boundary=X"),
            Some("multipart/form-data"),
        ] {
            for body in [&[][..], &["", ""]] {
                assert_eq!(posted(content_type, body).await.unwrap(), Form::default(), "{content_type:?}");
            }
        }
        // What browsers send for a form without fields.
        let none = posted(Some("multipart/form-data; boundary=X"), &["--X--\r\n"]).await;
        assert_eq!(none.unwrap(), Form::default());
        let broken = posted(Some("multipart/form-data; boundary=X"), &["--X\r\n"]).await;
        assert_eq!(broken.unwrap_err().status(), 400);
    }

    #[tokio::test]
    async fn a_body_of_another_type_is_no_form_and_is_read_no_further_than_that() {
        assert_eq!(posted(None, &["", "a=1"]).await.unwrap_err().status(), 415);
        let head = RequestHead { method: "POST", url: "/", authority: None, header: |_| None };
        let endless = chunks(&["1"]).chain(stream::pending());
        let refused = Form::of_request(None, &head, InputLimit::default(), endless).await;
        assert_eq!(refused.unwrap_err().status(), 415);
        let odd = |name| (name == "content-type").then_some(&b"multipart/form-data; boundary=\xff"[..]);
        let head = RequestHead { header: odd, method: "POST", url: "/", authority: None };
        let refused = Form::of_request(None, &head, InputLimit::default(), chunks(&["1"])).await;
        assert_eq!(refused.unwrap_err().status(), 415);
    }
}
