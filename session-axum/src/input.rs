//! The form extractor: reads a request's form within limits, and keeps it for `flash_all` and `old`.

use std::ops::Deref;

use axum_core::extract::{FromRequest, Request};
use session_web::{Form, find_visit_for_input, request_head};

use crate::rejection::SessionRejection;

/// The form of this request: urlencoded or multipart; of a `GET`, the query. Files are skipped.
///
/// It dereferences to [`Form`]: [`text`](Form::text) for one field, [`to`](Form::to) for a type, `as_map` for all fields.
/// The session keeps it for old input, in whatever order the two are extracted. Extracting it opens no session.
///
/// A body of up to 1 MiB and 1,000 fields is read; an [`InputLimit`](crate::InputLimit) as an `Extension` changes that. A request
/// without a body has an empty form. A body that cannot be read is rejected with 400, 413 or 415.
///
/// ```
/// use session_axum::{Input, Redirect, Redirects, SessionRejection};
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
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(order));
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

impl<S: Sync> FromRequest<S> for Input {
    type Rejection = SessionRejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, SessionRejection> {
        let visit = find_visit_for_input(request.extensions().get())?;
        let (parts, body) = request.into_parts();
        let head = request_head(&parts.method, &parts.uri, &parts.headers);
        let limit = parts.extensions.get().copied().unwrap_or_default();
        Ok(Self(Form::of_request(visit, &head, limit, body.into_data_stream()).await?))
    }
}
