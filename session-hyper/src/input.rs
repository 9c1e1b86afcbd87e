//! The form of a request: read within limits, and kept for `flash_all` and `old`.

use std::ops::Deref;

use http::Request;
use http_body_util::BodyDataStream;
use hyper::body::Body;
use session_web::{Form, InputLimit, find_visit_for_input, request_head};

use crate::rejection::SessionRejection;

/// The form of a request: urlencoded or multipart; of a `GET`, the query. Files are skipped.
///
/// It dereferences to [`Form`]: [`text`](Form::text) for one field, [`to`](Form::to) for a type, `as_map` for all fields.
/// The session keeps it for old input, whether it is opened before or after. Reading it opens no session.
///
/// ```
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use hyper::body::{Bytes, Incoming};
/// use session_hyper::{Input, SessionRejection, redirects, respond};
///
/// async fn order(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, SessionRejection> {
///     let redirects = redirects(&request).await?;
///     let input = Input::read(request).await?;
///     Ok(respond(match input.text("sku") {
///         Some(sku) => redirects.to("/orders").with("status", format!("{sku} ordered")),
///         None => redirects.back("/").with_errors([("sku", "is missing")]).with_input(),
///     }))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Input(Form);

impl Input {
    /// Reads a request's form, up to 1 MiB and 1,000 fields.
    ///
    /// # Errors
    /// 400, 413 or 415 for a body that cannot be read; 500 if the service is missing.
    pub async fn read<B: Body>(request: Request<B>) -> Result<Self, SessionRejection> {
        Self::read_within(InputLimit::default(), request).await
    }

    /// Reads a request's form, up to a limit.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// use session_hyper::InputLimit;
    ///
    /// async fn page(request: Request<Full<Bytes>>) -> Result<Response<String>, SessionRejection> {
    ///     // A page for pictures' captions: 4 KiB will do.
    ///     let input = Input::read_within(InputLimit::default().bytes(4_096), request).await?;
    ///     Ok(Response::new(input.text("caption").unwrap_or_default().to_owned()))
    /// }
    /// # let request = Request::get("/?caption=a+cat").body(Full::<Bytes>::default())?;
    /// # let response = service.call(request).await?;
    /// assert_eq!(response.body(), "a cat");
    /// # Ok(()) }
    /// ```
    pub async fn read_within<B: Body>(
        limit: InputLimit,
        request: Request<B>,
    ) -> Result<Self, SessionRejection> {
        let visit = find_visit_for_input(request.extensions().get())?;
        let (parts, body) = request.into_parts();
        let head = request_head(&parts.method, &parts.uri, &parts.headers);
        Ok(Self(Form::of_request(visit, &head, limit, BodyDataStream::new(body)).await?))
    }

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
