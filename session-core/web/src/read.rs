//! Reads a body, urlencoded or multipart, within limits; what is wrong with it is the sender's fault and is said so.

use std::borrow::Cow;

use bytes::Bytes;
use percent_encoding::percent_decode;
use serde_json::Map;

use crate::charset::{self, Charset};
use crate::rejection::{Rejection, RequestError};
use crate::{Form, InputLimit, names};

/// A body is not a form that can be read. [`FormError::status`] is the answer it deserves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// Not `application/x-www-form-urlencoded` or `multipart/form-data`: 415.
    #[error("the body is not a form")]
    NotAForm,
    /// The form declares a charset that nobody knows: 415.
    #[error("the form declares an unknown charset")]
    UnknownCharset,
    /// More bytes than allowed: 413.
    #[error("the form is longer than {limit} bytes (`InputLimit::bytes`)")]
    TooLong {
        /// Bytes.
        limit: usize,
    },
    /// More fields than allowed: 413.
    #[error("the form has more than {limit} fields (`InputLimit::fields`)")]
    TooManyFields {
        /// Fields.
        limit: usize,
    },
    /// No CSRF token in as much of the form as is searched for one: 413.
    #[error(
        "the first {limit} bytes of the form (`InputLimit::bytes`) have no CSRF token: put its field before the files"
    )]
    NoTokenWithin {
        /// Bytes.
        limit: usize,
    },
    /// A multipart body that breaks its own rules, or text that is not of its charset: 400.
    #[error("the form is malformed")]
    Malformed,
}

impl FormError {
    /// The HTTP status to answer with.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotAForm | Self::UnknownCharset => 415,
            Self::TooLong { .. } | Self::TooManyFields { .. } | Self::NoTokenWithin { .. } => 413,
            Self::Malformed => 400,
        }
    }
}

/// A response with [`FormError::status`].
impl From<FormError> for Rejection {
    fn from(error: FormError) -> Self {
        RequestError::new(error.status(), error).into()
    }
}

/// The kinds of form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Urlencoded,
    Multipart,
}

impl Kind {
    /// The kind of a body with this `Content-Type`.
    pub(crate) fn of(content_type: &str) -> Option<Self> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Some(Self::Urlencoded)
        } else if essence.eq_ignore_ascii_case("multipart/form-data") {
            Some(Self::Multipart)
        } else {
            None
        }
    }
}

impl Form {
    /// Reads a body by its `Content-Type`, of up to 1,000 fields. Files are skipped.
    ///
    /// Text is UTF-8, unless the type's parameter `charset` or the field `_charset_` declares another charset of the
    /// [Encoding Standard](https://encoding.spec.whatwg.org/). A field without a charset of its own that is not text is
    /// an error, never text with replacement characters.
    ///
    /// # Errors
    /// [`FormError`].
    pub async fn read(content_type: &str, body: Bytes) -> Result<Self, FormError> {
        Self::read_within(InputLimit::default(), content_type, body).await
    }

    /// Reads a body by its `Content-Type`, of up to so many fields. Its bytes are not counted.
    ///
    /// # Errors
    /// [`FormError`].
    pub async fn read_within(limit: InputLimit, content_type: &str, body: Bytes) -> Result<Self, FormError> {
        match Kind::of(content_type) {
            Some(Kind::Urlencoded) => read_urlencoded(limit, content_type, &body),
            Some(Kind::Multipart) => read_multipart(limit, content_type, body).await,
            None => Err(FormError::NotAForm),
        }
    }
}

fn read_urlencoded(limit: InputLimit, content_type: &str, body: &[u8]) -> Result<Form, FormError> {
    let mut pairs = Vec::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        check_count(limit, pairs.len())?;
        pairs.push(split_pair(pair));
    }
    let declared = pairs.iter().find(|(name, _)| **name == *charset::FIELD).map(|(_, label)| &**label);
    let charset = Charset::of(content_type, declared)?;
    let mut fields = Map::new();
    for (name, text) in &pairs {
        names::add(&mut fields, &charset.decode(name)?, charset.decode(text)?);
    }
    names::settle(&mut fields);
    Ok(Form { fields })
}

/// The name and the value of one pair, decoded but for their charset.
pub(crate) fn split_pair(pair: &[u8]) -> (Cow<'_, [u8]>, Cow<'_, [u8]>) {
    let mut parts = pair.splitn(2, |byte| *byte == b'=');
    let mut part = || decode(parts.next().unwrap_or_default());
    (part(), part())
}

fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'+') {
        return percent_decode(text).into();
    }
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).collect()
}

async fn read_multipart(limit: InputLimit, content_type: &str, body: Bytes) -> Result<Form, FormError> {
    let boundary = multer::parse_boundary(content_type).map_err(|_| FormError::Malformed)?;
    let body = futures_util::stream::once(async { Ok::<_, std::convert::Infallible>(body) });
    let mut parts = multer::Multipart::new(body, boundary);
    let mut texts = Vec::new();
    let mut nth = 0;
    while let Some(part) = parts.next_field().await.map_err(|_| FormError::Malformed)? {
        check_count(limit, nth)?;
        nth += 1;
        let (Some(name), false) = (part.name().map(str::to_owned), is_file(&part)) else { continue };
        let content_type = header(&part, "content-type").into_owned();
        texts.push((name, content_type, part.bytes().await.map_err(|_| FormError::Malformed)?));
    }
    let declared = texts.iter().find(|(name, ..)| name.as_bytes() == charset::FIELD);
    // The type of a multipart body has no charset of its own.
    let charset = Charset::of("", declared.map(|(_, _, label)| &**label))?;
    let mut fields = Map::new();
    for (name, content_type, text) in &texts {
        match charset.of_part(content_type)?.decode(text) {
            Ok(text) => names::add(&mut fields, name, text),
            // What is declared to be no text is a file without a name.
            Err(_) if is_binary(content_type) => {}
            Err(error) => return Err(error),
        }
    }
    names::settle(&mut fields);
    Ok(Form { fields })
}

/// Whether a part is a file: it has a file name, be it in the extended form of RFC 5987 only, or an empty one.
pub(crate) fn is_file(part: &multer::Field<'_>) -> bool {
    let disposition = header(part, "content-disposition");
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parameters = disposition.split(|letter: char| {
        let ends = letter == ';' && !is_quoted;
        is_quoted ^= letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        ends
    });
    let names = parameters.filter_map(|parameter| parameter.split_once('=')).map(|(name, _)| name.trim());
    // `filename*` is the extended form, `filename*0` and `filename*0*` are the parts of a long name (RFC 2231).
    names
        .map(|name| name.split('*').next().unwrap_or_default())
        .any(|name| name.eq_ignore_ascii_case("filename"))
}

fn is_binary(content_type: &str) -> bool {
    let is_text = content_type.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/"));
    !content_type.is_empty() && !is_text
}

/// A header of a part; empty if it is missing. What is not UTF-8 in it matters to nobody.
fn header<'p>(part: &'p multer::Field<'_>, name: &str) -> Cow<'p, str> {
    part.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes())).unwrap_or_default()
}

fn check_count(limit: InputLimit, nth: usize) -> Result<(), FormError> {
    if nth < limit.fields { Ok(()) } else { Err(FormError::TooManyFields { limit: limit.fields }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const URLENCODED: &str = "application/x-www-form-urlencoded";

    async fn multipart(body: &'static [u8]) -> Result<Value, FormError> {
        let form = Form::read("multipart/form-data; boundary=X", Bytes::from_static(body)).await?;
        Ok(json!(form.as_map()))
    }

    async fn urlencoded(content_type: &str, body: &'static [u8]) -> Result<Value, FormError> {
        Ok(json!(Form::read(content_type, Bytes::from_static(body)).await?.as_map()))
    }

    #[tokio::test]
    async fn files_are_skipped() {
        for disposition in [
            "filename=\"x.png\"",
            "filename=\"\"",
            "filename=\"Köln.png\"",
            "FileName=x.png",
            "filename*=UTF-8''x.png",
            "filename* = UTF-8''%e2%82%ac.png",
            "filename*0=\"x\"; filename*1=\".png\"",
            "filename*0*=UTF-8''%e2%82; filename*1*=%ac.png",
            "x=\"a;\\\"b\"; filename*=UTF-8''x.png",
        ] {
            let body = [
                b"--X\r\nContent-Disposition: form-data; name=\"a[b]\"\r\n\r\n1\r\n--X\r\nContent-Disposition: form-data; name=\"f\"; ",
                disposition.as_bytes(),
                b"\r\nContent-Type: image/png\r\n\r\n\x89PNG\xff\r\n--X--\r\n",
            ]
            .concat();
            let form = Form::read("multipart/form-data; boundary=X", body.into()).await;
            assert_eq!(json!(form.unwrap().as_map()), json!({"a": {"b": "1"}}), "{disposition}");
        }
        let named =
            multipart(b"--X\r\nContent-Disposition: form-data; name=\"a; filename=b\"\r\n\r\n1\r\n--X--\r\n");
        assert_eq!(named.await.unwrap(), json!({"a; filename=b": "1"}), "it is the field's name");
    }

    #[tokio::test]
    async fn a_part_that_says_it_is_no_text_is_no_field_unless_it_is() {
        let form = multipart(
            b"--X\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Type: application/octet-stream\r\n\r\n\xff\r\n\
              --X\r\nContent-Disposition: form-data; name=\"b\"\r\nContent-Type: application/json\r\n\r\n{}\r\n--X--\r\n",
        );
        assert_eq!(form.await.unwrap(), json!({"b": "{}"}));
    }

    #[tokio::test]
    async fn text_is_of_the_charset_that_is_declared() {
        let latin = json!({"city": "Köln"});
        for empty in ["charset=", "charset=\"\"; x=y"] {
            let content_type = format!("{URLENCODED}; {empty}");
            assert_eq!(urlencoded(&content_type, b"city=K%C3%B6ln").await.unwrap(), latin, "{empty}");
        }
        for content_type in ["charset=iso-8859-1", "Charset=\"windows-1252\"", " charset = latin1"] {
            let content_type = format!("{URLENCODED};{content_type}");
            assert_eq!(urlencoded(&content_type, b"city=K%F6ln").await.unwrap(), latin, "{content_type}");
        }
        let hidden = urlencoded(URLENCODED, b"city=K%F6ln&_charset_=windows-1252").await.unwrap();
        assert_eq!(hidden["city"], "Köln");
        assert_eq!(urlencoded(URLENCODED, b"city=K%C3%B6ln").await.unwrap(), latin);
        assert_eq!(urlencoded(URLENCODED, "city=Köln".as_bytes()).await.unwrap(), latin);
        let part = multipart(
            b"--X\r\nContent-Disposition: form-data; name=\"city\"\r\nContent-Type: text/plain; charset=latin1\r\n\r\nK\xf6ln\r\n--X--\r\n",
        );
        assert_eq!(part.await.unwrap(), latin);
        let hidden = multipart(
            b"--X\r\nContent-Disposition: form-data; name=\"city\"\r\n\r\nK\xf6ln\r\n\
              --X\r\nContent-Disposition: form-data; name=\"_charset_\"\r\n\r\niso-8859-1\r\n--X--\r\n",
        );
        assert_eq!(hidden.await.unwrap()["city"], "Köln");
    }

    #[tokio::test]
    async fn text_that_is_not_of_its_charset_is_malformed() {
        for body in
            [&b"city=K%F6ln"[..], b"city=K\xf6ln", b"K%F6ln=1", b"a=%ED%A0%80", b"a=%C3", b"q=%FF&_charset_="]
        {
            assert_eq!(urlencoded(URLENCODED, body).await, Err(FormError::Malformed), "{body:?}");
        }
        let part = multipart(b"--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\xf6\r\n--X--\r\n");
        assert_eq!(part.await, Err(FormError::Malformed));
        let unknown = urlencoded(&format!("{URLENCODED}; charset=klingon"), b"a=1").await;
        assert_eq!(unknown.unwrap_err().status(), 415);
    }

    #[tokio::test]
    async fn pairs_are_taken_apart_as_browsers_put_them_together() {
        let form = urlencoded(URLENCODED, b"a=1+2%2B3&&b&=c&d==&%65=%zz&f=%26%3D").await.unwrap();
        assert_eq!(form, json!({"a": "1 2+3", "b": "", "": "c", "d": "=", "e": "%zz", "f": "&="}));
    }

    #[tokio::test]
    async fn bad_bodies_are_the_senders_fault() {
        for body in ["", "--X\r\n", "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1", "nonsense"]
        {
            assert_eq!(multipart(body.as_bytes()).await.unwrap_err().status(), 400, "{body:?}");
        }
        let no_boundary = Form::read("multipart/form-data", Bytes::new()).await;
        assert_eq!(no_boundary.unwrap_err().status(), 400);
        let other = Form::read("text/plain", Bytes::new()).await;
        assert_eq!(other.unwrap_err().status(), 415);
    }

    #[tokio::test]
    async fn the_number_of_fields_is_limited_and_the_limit_can_be_set() {
        let fields = |count| Bytes::from("a=1&".repeat(count));
        assert!(Form::read(URLENCODED, fields(1_000)).await.is_ok());
        let error = Form::read(URLENCODED, fields(1_001)).await.unwrap_err();
        assert_eq!(error.to_string(), "the form has more than 1000 fields (`InputLimit::fields`)");
        let limit = InputLimit::default().fields(1_500);
        assert!(Form::read_within(limit, URLENCODED, fields(1_500)).await.is_ok());
        assert_eq!(Form::read_within(limit, URLENCODED, fields(1_501)).await.unwrap_err().status(), 413);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_give_an_answer(body: Vec<u8>, multipart: bool) {
            let kind = if multipart { "multipart/form-data; boundary=X" } else { URLENCODED };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(Form::read(kind, body.into()));
        }
    }
}
