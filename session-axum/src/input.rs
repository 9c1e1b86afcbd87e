//! The form that came with a request: read within limits, and remembered for `flash_all` and `old`.

use std::ops::Deref;

use axum_core::extract::{FromRequest, Request};
use axum_core::response::{IntoResponse, Response};
use session_core::adapter::{BareResponse, Visit};
use session_forms::{Form, FormError, NotThatForm};

use crate::rejection::SessionRejection;
use crate::words;

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
pub use session_forms::InputLimit;

/// A body is not a form, or not the one that a type asks for.
///
/// ```
#[doc = include_str!("given/a_handler.in")]
/// #[derive(serde::Deserialize)]
/// struct Order {
///     count: u32,
/// }
///
/// async fn handler(input: Input) -> Result<String, InputRejection> {
///     let order: Order = input.to()?;
///     Ok(format!("{} ordered", order.count))
/// }
/// # let response = app.call(Request::get("/?count=3").body(Body::empty())?).await?;
/// assert_eq!(response.status().as_u16(), 200);
/// # let response = app.call(Request::get("/?count=three").body(Body::empty())?).await?;
/// assert_eq!(response.status().as_u16(), 422);
/// # Ok(()) }
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
    #[doc = include_str!("given/a_handler.in")]
    /// async fn handler(input: Input) -> String {
    ///     let form = input.into_form();
    ///     form.text("email").unwrap_or("nobody").to_owned()
    /// }
    /// # let response = app.call(Request::get("/?email=ada").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 200);
    /// # Ok(()) }
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
        let visit = Visit::found_for_input(request.extensions().get()).map_err(SessionRejection::from)?;
        let (parts, body) = request.into_parts();
        let head = words::head(&parts.method, &parts.uri, &parts.headers);
        let limit = parts.extensions.get().copied().unwrap_or_default();
        Ok(Self(Form::of_request(visit, &head, limit, body.into_data_stream()).await?))
    }
}

impl IntoResponse for InputRejection {
    fn into_response(self) -> Response {
        words::response(match self {
            Self::Form(error) => BareResponse::from(&error),
            Self::Unfit(error) => BareResponse::from(&error),
            Self::Session(rejection) => return rejection.into_response(),
        })
    }
}
