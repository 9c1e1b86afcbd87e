//! The form that came with a request: read within limits, and remembered for `flash_all` and `old`.

use std::ops::Deref;

use http::{Request, Response};
use http_body_util::BodyDataStream;
use hyper::body::Body;
use session_core::adapter::{BareResponse, Rejection, Visit};
use session_forms::{Form, FormError, InputLimit, NotThatForm};

use crate::words;

/// The form that came with a request: urlencoded or multipart, of a `GET` the query. Files are skipped.
///
/// It dereferences to [`Form`]: [`text`](Form::text) for one field, [`to`](Form::to) for a type, `as_map` for all. The
/// session remembers it, whether it is opened before or after, and is not opened by it.
///
/// ```
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use hyper::body::{Bytes, Incoming};
/// use session_hyper::{Input, InputRejection, redirects, respond};
///
/// async fn order(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, InputRejection> {
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

/// A body is not a form, or not the one that a type asks for. [`into_response`](Self::into_response) is its answer.
///
/// ```
/// use http::Response;
/// use session_hyper::{InputRejection, SessionRejection};
///
/// let rejection = InputRejection::from(SessionRejection::NoLayer);
/// let response: Response<String> = rejection.into_response();
/// assert_eq!(response.status(), 500);
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
    /// The service is missing, or the session failed: 500 or 503.
    #[error(transparent)]
    Session(#[from] Rejection),
}

impl Input {
    /// Reads a request's form, up to 1 MiB.
    ///
    /// # Errors
    /// [`InputRejection`].
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// async fn handler(request: Request<Full<Bytes>>) -> Result<Response<String>, InputRejection> {
    ///     let input = Input::read(request).await?;
    ///     Ok(Response::new(input.text("email").unwrap_or("nobody").to_owned()))
    /// }
    /// # let request = Request::get("/?email=ada").body(Full::<Bytes>::default())?;
    /// # let response = service.call(request).await?;
    /// assert_eq!(response.body(), "ada");
    /// # Ok(()) }
    /// ```
    pub async fn read<B: Body>(request: Request<B>) -> Result<Self, InputRejection> {
        Self::read_up_to(Form::MOST_BYTES, request).await
    }

    /// The same, up to so many bytes.
    ///
    /// # Errors
    /// [`InputRejection`].
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// async fn handler(request: Request<Full<Bytes>>) -> Result<Response<String>, InputRejection> {
    ///     // A page for pictures' captions: 4 KiB will do.
    ///     let input = Input::read_up_to(4_096, request).await?;
    ///     Ok(Response::new(input.text("caption").unwrap_or_default().to_owned()))
    /// }
    /// # let request = Request::get("/?caption=a+cat").body(Full::<Bytes>::default())?;
    /// # let response = service.call(request).await?;
    /// assert_eq!(response.body(), "a cat");
    /// # Ok(()) }
    /// ```
    pub async fn read_up_to<B: Body>(bytes: usize, request: Request<B>) -> Result<Self, InputRejection> {
        let visit = Visit::found_for_input(request.extensions().get())?;
        let (parts, body) = request.into_parts();
        let head = words::head(&parts.method, &parts.uri, &parts.headers);
        Ok(Self(Form::of_request(visit, &head, InputLimit(bytes), BodyDataStream::new(body)).await?))
    }

    /// The form, to keep.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// async fn handler(request: Request<Full<Bytes>>) -> Result<Response<String>, InputRejection> {
    ///     let form = Input::read(request).await?.into_form();
    ///     Ok(Response::new(form.text("email").unwrap_or("nobody").to_owned()))
    /// }
    /// # let request = Request::get("/?email=ada").body(Full::<Bytes>::default())?;
    /// # let response = service.call(request).await?;
    /// assert_eq!(response.body(), "ada");
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

impl InputRejection {
    /// The answer: a bare status.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// use std::collections::BTreeMap;
    ///
    /// async fn order(request: Request<Full<Bytes>>) -> Result<Response<String>, InputRejection> {
    ///     let counts: BTreeMap<String, u32> = Input::read(request).await?.to()?;
    ///     Ok(Response::new(format!("{} ordered", counts.values().sum::<u32>())))
    /// }
    ///
    /// async fn handler(request: Request<Full<Bytes>>) -> Result<Response<String>, InputRejection> {
    ///     Ok(order(request).await.unwrap_or_else(InputRejection::into_response))
    /// }
    /// # let request = Request::get("/?tea=three").body(Full::<Bytes>::default())?;
    /// # let response = service.call(request).await?;
    /// assert_eq!(response.status(), 422);
    /// # Ok(()) }
    /// ```
    pub fn into_response<R: Default>(self) -> Response<R> {
        words::response(match self {
            Self::Form(error) => BareResponse::from(&error),
            Self::Unfit(error) => BareResponse::from(&error),
            Self::Session(rejection) => BareResponse::from(&rejection),
        })
    }
}
