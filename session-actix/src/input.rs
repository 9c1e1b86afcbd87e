//! The form extractor: reads a request's form within limits, and keeps it for `flash_all` and `old`.

use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::future::LocalBoxFuture;
use session_web::Form;
use session_web::find_visit_for_input;

use crate::rejection::SessionRejection;
use crate::words;

/// The form of this request: urlencoded or multipart; of a `GET`, the query. Files are skipped.
///
/// It dereferences to [`Form`]: [`text`](Form::text) for one field, [`to`](Form::to) for a type, `as_map` for all fields.
/// The session keeps it for old input, in whatever order the two are extracted. Extracting it opens no session.
///
/// A body of up to 1 MiB and 1,000 fields is read; an [`InputLimit`](crate::InputLimit) as `app_data` changes that. A request
/// without a body has an empty form. A body that cannot be read is rejected with 400, 413 or 415.
///
/// ```
/// use session_actix::{Input, Redirect, Redirects, SessionRejection};
///
/// #[derive(serde::Deserialize)]
/// struct Order { sku: String, count: u32 }
///
/// async fn order(redirects: Redirects, input: Input) -> Result<Redirect, SessionRejection> {
///     // A missing or invalid field becomes its error on the page with the form. A bare `input.to()?` is 422.
///     let order: Order = redirects.or_back(input.to(), "/order")?;
///     if order.count > 10 {
///         return Ok(redirects.back("/order").with_errors([("count", "is more than we have")]).with_input());
///     }
///     Ok(redirects.to("/orders").with("status", format!("{} of {} ordered", order.count, order.sku)))
/// }
/// # let _ = actix_web::App::new().route("/", actix_web::web::post().to(order));
/// ```
#[derive(Clone, Debug)]
pub struct Input(Form);

impl Input {
    /// The form itself.
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
    type Error = SessionRejection;
    type Future = LocalBoxFuture<'static, Result<Self, SessionRejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let visit = find_visit_for_input(request.extensions().get())?;
            let limit = request.app_data().copied().unwrap_or_default();
            Ok(Self(Form::of_request(visit, &words::head(request.head()), limit, payload).await?))
        })
    }
}
