//! `/form`: a form becomes the request's input, for adapters whose extractor is not what their test application shows.

use bytes::Bytes;
use session_core::Session;
use session_forms::{Form, FormError};

/// The most bytes that the body of `/form` may have.
pub const LARGEST_FORM: usize = Form::MOST_BYTES;

/// Reads the body as a form and lets the session remember it; the script comes after. The error's status is that of a
/// response without a body.
///
/// # Errors
/// [`FormError`] when there is no type, or the body is not of it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use session_core::Session;
/// use session_testkit::probe;
///
/// let error = probe::input(&Session::standalone(), Some("text/plain"), "hello".into()).await.unwrap_err();
/// assert_eq!(error.status(), 415);
/// # }
/// ```
pub async fn input(session: &Session, content_type: Option<&str>, body: Bytes) -> Result<(), FormError> {
    if body.len() > LARGEST_FORM {
        return Err(too_long());
    }
    let form = Form::read(content_type.ok_or(FormError::NotAForm)?, body).await?;
    session.set_input(form.into_map());
    Ok(())
}

/// What to say of a body that turned out longer than [`LARGEST_FORM`] while it was read.
#[must_use]
pub fn too_long() -> FormError {
    FormError::TooLong { limit: LARGEST_FORM }
}
