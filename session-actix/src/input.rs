//! The form that came with a request: read within limits, and remembered for `flash_all` and `old`.

use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError};
use futures_util::future::LocalBoxFuture;
use session_core::adapter::{BareResponse, Visit};
use session_forms::{Form, FormError, NotThatForm};

use crate::words::{self, SessionRejection};

/// The form that came with this request: urlencoded or multipart, of a `GET` the query. Files are skipped.
///
/// It dereferences to [`Form`]: [`text`](Form::text) for one field, [`to`](Form::to) for a type, `as_map` for all. The
/// session remembers it, in whatever order the two are extracted, and is not opened by it.
///
/// ```
/// use session_actix::{Input, InputRejection, Redirect, Redirects};
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
/// # let _ = actix_web::App::new().route("/", actix_web::web::post().to(order));
/// ```
#[derive(Clone, Debug)]
pub struct Input(Form);

/// The most bytes that the body of a form may have, instead of 1 MiB: the `app_data` of an application, scope or resource.
///
/// ```
/// use actix_web::{App, web};
/// use session_actix::{Input, InputLimit};
///
/// let app = App::new().service(
///     web::resource("/avatar")
///         .app_data(InputLimit(8 * 1024 * 1024))
///         .route(web::post().to(async |input: Input| format!("{input:?}"))),
/// );
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
/// # let response = test::call_service(&app, test::TestRequest::get().uri("/?count=3").to_request()).await;
/// assert_eq!(response.status().as_u16(), 200);
/// # let response = test::call_service(&app, test::TestRequest::get().uri("/?count=three").to_request()).await;
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
    /// The middleware is missing: 500.
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
    /// # let response = test::call_service(&app, test::TestRequest::get().uri("/?email=ada").to_request()).await;
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

impl FromRequest for Input {
    type Error = InputRejection;
    type Future = LocalBoxFuture<'static, Result<Self, InputRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let visit = Visit::found_for_input(request.extensions().get()).map_err(SessionRejection::from)?;
            let limit = request.app_data().copied().unwrap_or_default();
            Ok(Self(Form::of_request(visit, &words::head(request.head()), limit, payload).await?))
        })
    }
}

impl ResponseError for InputRejection {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Session(rejection) => rejection.status_code(),
            Self::Form(_) | Self::Unfit(_) => self.error_response().status(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        words::response(match self {
            Self::Form(error) => BareResponse::from(error),
            Self::Unfit(error) => BareResponse::from(error),
            Self::Session(rejection) => return rejection.error_response(),
        })
    }
}
