//! Reads a body, urlencoded or multipart, within limits; what is wrong with it is the sender's fault and is said so.

use crate::rejection::{Rejection, RequestError};
use crate::{Form, names};
use bytes::Bytes;
use serde_json::Map;

/// A body is not a form that can be read. [`FormError::status`] is the answer it deserves.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// Not `application/x-www-form-urlencoded` or `multipart/form-data`: 415.
    #[error("the body is not a form")]
    NotAForm,
    /// More bytes than allowed: 413.
    #[error("the form is longer than {limit} bytes")]
    TooLong {
        /// Bytes.
        limit: usize,
    },
    /// More fields than allowed: 413.
    #[error("the form has more than {limit} fields")]
    TooManyFields {
        /// Fields.
        limit: usize,
    },
    /// A multipart body that breaks its own rules, or text that is not UTF-8: 400.
    #[error("the form is malformed")]
    Malformed,
}

impl FormError {
    /// The HTTP status to answer with.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotAForm => 415,
            Self::TooLong { .. } | Self::TooManyFields { .. } => 413,
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

impl Form {
    /// The most bytes a body may have, unless an adapter is told otherwise: 1 MiB.
    pub const MOST_BYTES: usize = 1024 * 1024;

    /// Reads a body by its `Content-Type`. Files are skipped.
    ///
    /// # Errors
    /// [`FormError`].
    pub async fn read(content_type: &str, body: Bytes) -> Result<Self, FormError> {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            read_urlencoded(&body)
        } else if essence.eq_ignore_ascii_case("multipart/form-data") {
            read_multipart(content_type, body).await
        } else {
            Err(FormError::NotAForm)
        }
    }
}

fn read_urlencoded(body: &[u8]) -> Result<Form, FormError> {
    let mut fields = Map::new();
    for (nth, (name, text)) in form_urlencoded::parse(body).enumerate() {
        check_count(nth)?;
        names::add(&mut fields, &name, text.into_owned());
    }
    names::settle(&mut fields);
    Ok(Form { fields })
}

async fn read_multipart(content_type: &str, body: Bytes) -> Result<Form, FormError> {
    let boundary = multer::parse_boundary(content_type).map_err(|_| FormError::Malformed)?;
    let body = futures_util::stream::once(async { Ok::<_, std::convert::Infallible>(body) });
    let mut parts = multer::Multipart::new(body, boundary);
    let mut fields = Map::new();
    let mut nth = 0;
    while let Some(part) = parts.next_field().await.map_err(|_| FormError::Malformed)? {
        check_count(nth)?;
        nth += 1;
        let (Some(name), None) = (part.name().map(str::to_owned), part.file_name()) else { continue };
        let text = part.bytes().await.map_err(|_| FormError::Malformed)?;
        let text = String::from_utf8(text.into()).map_err(|_| FormError::Malformed)?;
        names::add(&mut fields, &name, text);
    }
    names::settle(&mut fields);
    Ok(Form { fields })
}

fn check_count(nth: usize) -> Result<(), FormError> {
    if nth < MOST_FIELDS { Ok(()) } else { Err(FormError::TooManyFields { limit: MOST_FIELDS }) }
}

/// PHP's long-standing limit: no form that a person fills in comes near it.
const MOST_FIELDS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    async fn multipart(body: &'static str) -> Result<Form, FormError> {
        Form::read("multipart/form-data; boundary=X", Bytes::from_static(body.as_bytes())).await
    }

    #[tokio::test]
    async fn files_are_skipped() {
        let form = multipart(
            "--X\r\nContent-Disposition: form-data; name=\"a[b]\"\r\n\r\n1\r\n\
             --X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.png\"\r\nContent-Type: image/png\r\n\r\nPNG\r\n\
             --X--\r\n",
        );
        assert_eq!(json!(form.await.unwrap().as_map()), json!({"a": {"b": "1"}}));
    }

    #[tokio::test]
    async fn bad_bodies_are_the_senders_fault() {
        for body in ["", "--X\r\n", "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1", "nonsense"]
        {
            assert_eq!(multipart(body).await.unwrap_err().status(), 400, "{body:?}");
        }
        let no_boundary = Form::read("multipart/form-data", Bytes::new()).await;
        assert_eq!(no_boundary.unwrap_err().status(), 400);
        let many = "a=1&".repeat(1_001);
        let many = Form::read("application/x-www-form-urlencoded", many.into()).await;
        assert_eq!(many.unwrap_err().status(), 413);
        let other = Form::read("text/plain", Bytes::new()).await;
        assert_eq!(other.unwrap_err().status(), 415);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_give_an_answer(body: Vec<u8>, multipart: bool) {
            let kind = if multipart { "multipart/form-data; boundary=X" } else { "application/x-www-form-urlencoded" };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(Form::read(kind, body.into()));
        }
    }
}
