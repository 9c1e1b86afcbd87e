//! Looks for the fields of a CSRF token at the beginning of a form, and keeps what it has read for the handler.
//!
//! It reads no further than to the field that it looks for: a file behind it is neither read nor kept in memory.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::Stream;

use crate::read::{Kind, is_file, split_pair};
use crate::{FormError, InputLimit};

/// What a [`CsrfGuard`](crate::CsrfGuard) has read of a body. The handler must get it before the rest.
#[derive(Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "a promise: an adapter uses both parts")]
pub struct ReadAhead {
    /// The bytes that were read; none if the body is untouched.
    pub bytes: Bytes,
    /// Whether the body has no more.
    pub ended: bool,
}

/// Shows how much was read, and not what: a form, and its token.
impl fmt::Debug for ReadAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadAhead").field("bytes", &self.bytes.len()).field("ended", &self.ended).finish()
    }
}

/// What a search has read of a body, and what it saw there.
#[derive(Debug, Default)]
pub(crate) struct Searched {
    /// What was read. The rest of the body follows it.
    pub(crate) read: ReadAhead,
    /// Whether the field is there that was looked for.
    pub(crate) found: bool,
}

/// Reads a form until `is_wanted` says so of a field, given its name and its text.
///
/// # Errors
/// [`FormError::NoTokenWithin`] when as much was read as the limit allows, [`FormError::Malformed`].
pub(crate) async fn search<D: Buf, E>(
    content_type: &str,
    limit: InputLimit,
    mut poll_chunk: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<D, E>>>,
    mut is_wanted: impl FnMut(&str, &str) -> bool,
) -> Result<Searched, FormError> {
    let feed = Feed::default();
    let mut read = VecDeque::new();
    let (mut left, mut ended) = (limit.bytes, false);
    let found = {
        let mut looking = pin!(look(content_type, feed.clone(), &mut is_wanted));
        poll_fn(|context| {
            loop {
                if let Poll::Ready(found) = looking.as_mut().poll(context) {
                    return Poll::Ready(found);
                }
                // It has looked at everything that there is.
                if left == 0 {
                    return Poll::Ready(Err(FormError::NoTokenWithin { limit: limit.bytes }));
                }
                match std::task::ready!(poll_chunk(context)) {
                    Some(Ok(mut chunk)) => {
                        let chunk = chunk.copy_to_bytes(chunk.remaining());
                        feed.push(chunk.slice(..left.min(chunk.len())));
                        left = left.saturating_sub(chunk.len());
                        read.push_back(chunk);
                    }
                    Some(Err(_)) => return Poll::Ready(Err(FormError::Malformed)),
                    None => {
                        ended = true;
                        feed.end();
                    }
                }
            }
        })
        .await
    };
    let found = match found {
        // A body of no bytes is a form without fields, whatever its type.
        Err(FormError::Malformed) if ended && read.iter().all(Bytes::is_empty) => false,
        found => found?,
    };
    Ok(Searched { read: ReadAhead { bytes: joined(read), ended }, found })
}

async fn look(
    content_type: &str,
    feed: Feed,
    is_wanted: &mut impl FnMut(&str, &str) -> bool,
) -> Result<bool, FormError> {
    match Kind::of(content_type) {
        Some(Kind::Urlencoded) => Ok(look_in_pairs(feed, is_wanted).await),
        Some(Kind::Multipart) => look_in_parts(content_type, feed, is_wanted).await,
        None => Err(FormError::NotAForm),
    }
}

async fn look_in_pairs(mut feed: Feed, is_wanted: &mut impl FnMut(&str, &str) -> bool) -> bool {
    let mut is_pair = |pair: &[u8]| {
        let (name, text) = split_pair(pair);
        matches!((str::from_utf8(&name), str::from_utf8(&text)), (Ok(name), Ok(text)) if is_wanted(name, text))
    };
    let mut begun = BytesMut::new();
    while let Some(Ok(chunk)) = poll_fn(|context| Pin::new(&mut feed).poll_next(context)).await {
        let mut rest = &*chunk;
        while let Some(end) = rest.iter().position(|byte| *byte == b'&') {
            begun.extend_from_slice(&rest[..end]);
            if is_pair(&begun.split()) {
                return true;
            }
            rest = &rest[end + 1..];
        }
        begun.extend_from_slice(rest);
    }
    is_pair(&begun)
}

async fn look_in_parts(
    content_type: &str,
    mut feed: Feed,
    is_wanted: &mut impl FnMut(&str, &str) -> bool,
) -> Result<bool, FormError> {
    let Ok(boundary) = multer::parse_boundary(content_type) else {
        // It is malformed if there is anything in it.
        while let Some(Ok(chunk)) = poll_fn(|context| Pin::new(&mut feed).poll_next(context)).await {
            if !chunk.is_empty() {
                return Err(FormError::Malformed);
            }
        }
        return Ok(false);
    };
    let mut parts = multer::Multipart::new(feed, boundary);
    while let Some(part) = parts.next_field().await.map_err(|_| FormError::Malformed)? {
        let (Some(name), false) = (part.name().map(str::to_owned), is_file(&part)) else { continue };
        let text = part.bytes().await.map_err(|_| FormError::Malformed)?;
        if str::from_utf8(&text).is_ok_and(|text| is_wanted(&name, text)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The chunks that were read so far, as a stream for the parser. It is pending where it has no more, and the one who
/// feeds it asks the parser again.
#[derive(Clone, Debug, Default)]
struct Feed(Arc<Mutex<(VecDeque<Bytes>, bool)>>);

impl Feed {
    fn push(&self, chunk: Bytes) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.push_back(chunk);
    }

    fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
    }
}

impl Stream for Feed {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut feed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match feed.0.pop_front() {
            Some(chunk) => Poll::Ready(Some(Ok(chunk))),
            None if feed.1 => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

fn joined(mut chunks: VecDeque<Bytes>) -> Bytes {
    match chunks.len() {
        0 => Bytes::new(),
        1 => chunks.pop_front().unwrap_or_default(),
        _ => chunks.iter().flatten().copied().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MULTIPART: &str = "multipart/form-data; boundary=X";
    const URLENCODED: &str = "application/x-www-form-urlencoded";

    fn part(head: &str, body: &str) -> String {
        format!("--X\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
    }

    /// What is found in these chunks, and how many of them were asked for.
    async fn found(kind: &str, limit: usize, chunks: &[String]) -> (Result<Searched, FormError>, usize) {
        let mut asked = 0;
        let poll = |_: &mut Context<'_>| {
            let chunk = chunks.get(asked).map(|chunk| Ok::<_, ()>(chunk.as_bytes()));
            asked += 1;
            Poll::Ready(chunk)
        };
        let limit = InputLimit::default().bytes(limit);
        let searched = search(kind, limit, poll, |name, text| name == "_csrf" && text == "right").await;
        (searched, asked)
    }

    #[tokio::test]
    async fn a_search_stops_at_the_token_and_keeps_what_it_has_read() {
        let token = part("name=\"_csrf\"", "right");
        let file = part("name=\"f\"; filename=\"a\"", &"y".repeat(10_000));
        let upload = [part("name=\"a\"", "1"), token, part("name=\"b\"", "2"), file, "--X--\r\n".to_owned()];
        let (searched, asked) = found(MULTIPART, 1_000, &upload).await;
        let searched = searched.unwrap();
        assert!(searched.found && asked < upload.len(), "{asked}");
        assert_eq!((searched.read.bytes, searched.read.ended), (upload[..asked].concat().into(), false));
        let pairs = ["a=1&_cs", "rf=ri", "ght&b=2", "&c=3"].map(str::to_owned);
        let (searched, asked) = found(URLENCODED, 1_000, &pairs).await;
        assert_eq!((searched.unwrap().read.bytes, asked), ("a=1&_csrf=right&b=2".into(), 3));
    }

    #[tokio::test]
    async fn a_token_may_be_the_last_thing_and_the_wrong_one_may_come_first() {
        for body in ["a=1&_csrf=right", "_csrf=wrong&_csrf=right", "%5Fcsrf=right&", "_csrf=right"] {
            let bytes: Vec<String> = body.chars().map(String::from).collect();
            let (searched, _) = found(URLENCODED, 1_000, &bytes).await;
            assert!(searched.unwrap().found, "{body}");
        }
        let last = [part("name=\"_csrf\"", "wrong"), part("name=\"_csrf\"", "right"), "--X--\r\n".to_owned()];
        assert!(found(MULTIPART, 1_000, &last).await.0.unwrap().found);
        for body in ["", "a=1", "_csrf=", "_csrf[]=right", "x_csrf=right"] {
            assert!(!found(URLENCODED, 1_000, &[body.to_owned()]).await.0.unwrap().found, "{body}");
        }
    }

    #[tokio::test]
    async fn a_token_behind_the_limit_is_not_found_and_the_rest_not_read() {
        let file = part("name=\"f\"; filename=\"a\"", &"y".repeat(1_000));
        let mut upload: Vec<String> = vec![file; 5];
        upload.extend([part("name=\"_csrf\"", "right"), "--X--\r\n".to_owned()]);
        let (searched, asked) = found(MULTIPART, 2_000, &upload).await;
        assert_eq!((searched.unwrap_err().status(), asked), (413, 2));
        assert!(found(MULTIPART, 10_000, &upload).await.0.unwrap().found);
        // In one chunk as in many.
        let (searched, _) = found(MULTIPART, 2_000, &[upload.concat()]).await;
        assert_eq!(searched.unwrap_err(), FormError::NoTokenWithin { limit: 2_000 });
    }

    #[tokio::test]
    async fn what_is_no_form_is_said_so() {
        assert_eq!(found("text/plain", 100, &[]).await.0.unwrap_err().status(), 415);
        assert_eq!(found(MULTIPART, 100, &["nonsense".to_owned()]).await.0.unwrap_err().status(), 400);
        assert_eq!(found("multipart/form-data", 100, &["a".to_owned()]).await.0.unwrap_err().status(), 400);
        for none in [&[][..], &[String::new()], &["--X--\r\n".to_owned()]] {
            assert!(!found(MULTIPART, 100, none).await.0.unwrap().found, "{none:?}");
        }
        for none in [&[][..], &[String::new()]] {
            assert!(!found("multipart/form-data", 100, none).await.0.unwrap().found, "{none:?}");
        }
    }
}
