//! The form that came with a request: read within limits, and remembered for `flash_all` and `old`.

use std::ops::Deref;

use axum_core::body::Body;
use axum_core::extract::{FromRequest, Request};
use axum_core::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use session_core::{OpenError, Rejection, Visit};
use session_forms::{Form, FormError, NotThatForm};

use crate::rejection::SessionRejection;

/// The form that came with this request: urlencoded or multipart, of a `GET` the query. Files are skipped.
///
/// It dereferences to [`Form`]: [`text`](Form::text) for one field, [`to`](Form::to) for a type, `as_map` for all. The
/// session remembers it, in whatever order the two are extracted, and is not opened by it.
///
/// ```
/// use session_axum::{Input, InputRejection, Redirect, Redirects};
///
/// #[derive(serde::Deserialize)]
/// struct Order { sku: String, count: u32 }
///
/// async fn order(redirects: Redirects, input: Input) -> Result<Redirect, InputRejection> {
///     let order: Order = input.to()?;
///     if order.count > 10 {
///         return Ok(redirects.back("/").with_errors([("count", "is more than we have")]).with_input());
///     }
///     Ok(redirects.to("/orders").with("status", format!("{} of {} ordered", order.count, order.sku)))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(order));
/// ```
#[derive(Clone, Debug)]
pub struct Input(Form);

/// The most bytes that the body of a form may have on the routes around which this is laid, instead of 1 MiB.
///
/// ```
/// use axum::{Extension, Router, routing::post};
/// use session_axum::{Input, InputLimit};
///
/// let app: Router = Router::new()
///     .route("/avatar", post(async |input: Input| format!("{input:?}")))
///     .layer(Extension(InputLimit(8 * 1024 * 1024)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a number with a name")]
pub struct InputLimit(pub usize);

/// A body is not a form, or not the one that a type asks for.
///
/// ```
/// # use axum::{Router, body::Body, http::{Request, StatusCode}, response::{IntoResponse, Response}, routing::{any, get}};
/// # use session_axum::{CsrfLayer, Input, InputRejection, Redirect, Redirects, SecretKey, Session, SessionError, SessionLayer};
/// # use session_axum::{SessionRejection, Sessions};
/// # use tower_service::Service as _;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// #[derive(serde::Deserialize)]
/// struct Order {
///     count: u32,
/// }
///
/// async fn handler(input: Input) -> Result<String, InputRejection> {
///     let order: Order = input.to()?;
///     Ok(format!("{} ordered", order.count))
/// }
/// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
/// # let mut app: Router = Router::new().route("/", get(handler)).layer(SessionLayer::new(sessions));
/// # let response = app.call(Request::get("/?count=3").body(Body::empty())?).await?;
/// assert_eq!(response.status().as_u16(), 200);
/// # let response = app.call(Request::get("/?count=three").body(Body::empty())?).await?;
/// assert_eq!(response.status().as_u16(), 422);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputRejection {
    /// It cannot be read: 400, 413 or 415.
    #[error(transparent)]
    Form(#[from] FormError),
    /// It is not what the type asks for: 422.
    #[error(transparent)]
    Unfit(#[from] NotThatForm),
    /// The layer is missing: 500.
    #[error(transparent)]
    Session(#[from] SessionRejection),
}

impl Input {
    /// The form, to keep.
    ///
    /// ```
    /// # use axum::{Router, body::Body, http::{Request, StatusCode}, response::{IntoResponse, Response}, routing::{any, get}};
    /// # use session_axum::{CsrfLayer, Input, InputRejection, Redirect, Redirects, SecretKey, Session, SessionError, SessionLayer};
    /// # use session_axum::{SessionRejection, Sessions};
    /// # use tower_service::Service as _;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// async fn handler(input: Input) -> String {
    ///     let form = input.into_form();
    ///     form.text("email").unwrap_or("nobody").to_owned()
    /// }
    /// # let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
    /// # let mut app: Router = Router::new().route("/", get(handler)).layer(SessionLayer::new(sessions));
    /// # let response = app.call(Request::get("/?email=ada").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 200);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn into_form(self) -> Form {
        self.0
    }
}

impl Deref for Input {
    type Target = Form;

    fn deref(&self) -> &Form {
        &self.0
    }
}

impl<S: Sync> FromRequest<S> for Input {
    type Rejection = InputRejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, InputRejection> {
        let visit = match Visit::found(request.extensions().get()) {
            Ok(visit) => Some(visit),
            // Forms are read where sessions are switched off.
            Err(Rejection::Open(OpenError::Disabled)) => None,
            Err(rejection) => return Err(SessionRejection::from(rejection).into()),
        };
        let form = if matches!(*request.method(), Method::GET | Method::HEAD) {
            let query = request.uri().query().unwrap_or_default().to_owned();
            Form::read(URLENCODED, query.into()).await?
        } else {
            let limit = limit(request.extensions());
            let content_type = content_type(request.headers())?.to_owned();
            Form::read(&content_type, read(request.into_body(), limit).await?).await?
        };
        if let Some(visit) = visit {
            visit.set_input(form.as_map().clone());
        }
        Ok(Self(form))
    }
}

impl IntoResponse for InputRejection {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Form(error) => error.status(),
            Self::Unfit(_) => 422,
            Self::Session(rejection) => return rejection.into_response(),
        };
        StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST).into_response()
    }
}

pub(crate) fn limit(extensions: &http::Extensions) -> usize {
    extensions.get().map_or(Form::MOST_BYTES, |InputLimit(bytes)| *bytes)
}

/// Something that is no text is no form's type.
pub(crate) fn content_type(headers: &HeaderMap) -> Result<&str, FormError> {
    let value = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str);
    value.and_then(Result::ok).ok_or(FormError::NotAForm)
}

/// Reads a body up to a limit: one that says it is longer is not read at all, one that turns out to be is read no further.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, FormError> {
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(FormError::TooLong { limit });
    }
    match Limited::new(body, limit).collect().await {
        Ok(read) => Ok(read.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(FormError::TooLong { limit }),
        // The client stopped in the middle.
        Err(_) => Err(FormError::Malformed),
    }
}

const URLENCODED: &str = "application/x-www-form-urlencoded";
