//! The service: makes each request's visit, and turns what the core made of the answer into headers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpResponse};
use pin_project_lite::pin_project;
use session_core::{CookieHeaders, HeaderChange, PageRequest, Refused, Report, Serve, Served};

use crate::middleware::{OnFailure, SessionMiddleware};
use crate::spawn::BACKGROUND;

/// What [`SessionMiddleware`] makes of a service.
///
/// ```
/// use actix_web::dev::{Service, ServiceRequest, Transform};
/// use session_actix::{SessionMiddleware, SessionService};
///
/// /// What `App::wrap` makes of it.
/// fn wrap<S>(middleware: &SessionMiddleware, inner: S) -> impl Future<Output = Result<SessionService<S>, ()>>
/// where
///     SessionMiddleware: Transform<S, ServiceRequest, Transform = SessionService<S>, InitError = ()>,
///     S: Service<ServiceRequest>,
/// {
///     middleware.new_transform(inner)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    pub(crate) inner: S,
    pub(crate) middleware: SessionMiddleware,
}

impl<S, B> Service<ServiceRequest> for SessionService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let cookies: CookieHeaders = request.headers().get_all(COOKIE).collect();
        let guard = self.middleware.sessions.visit(cookies, &BACKGROUND);
        request.extensions_mut().insert(guard.visit().clone());
        let page = self.middleware.tracks_pages.then(|| page(&request)).flatten();
        let serve = guard.serve(self.inner.call(request), |answer| match answer {
            Ok(response) => response.status().as_u16(),
            Err(error) => error.as_response_error().status_code().as_u16(),
        });
        let serve = serve
            .track_page(page, |answer| Some(answer.as_ref().ok()?.headers().get(CONTENT_TYPE)?.as_bytes()));
        ResponseFuture { serve, on_failure: self.middleware.on_failure.clone() }
    }
}

pin_project! {
    /// What [`SessionService`] answers with.
    pub struct ResponseFuture<F: Future> {
        #[pin]
        serve: Serve<F>,
        on_failure: OnFailure,
    }
}

impl<F, B> Future for ResponseFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Served { answer, report } = ready!(this.serve.poll(context));
        let refusal = |failure| -> HttpResponse {
            let mut response = (this.on_failure)(failure, &report);
            add_headers(response.headers_mut(), &report);
            response
        };
        Poll::Ready(match answer {
            Ok(Ok(mut response)) => {
                add_headers(response.headers_mut(), &report);
                Ok(response.map_into_left_body())
            }
            // An error becomes a response further out, and that one carries the headers.
            Ok(Err(mut error)) => {
                error.add_response_mapper(move |mut response| {
                    add_headers(response.headers_mut(), &report);
                    response
                });
                Err(error)
            }
            Err(Refused { failure, answer: Some(Ok(response)) }) => {
                Ok(response.into_response(refusal(failure)).map_into_right_body())
            }
            Err(Refused { failure, .. }) => {
                Err(InternalError::from_response("the session failed", refusal(failure)).into())
            }
        })
    }
}

fn add_headers(headers: &mut HeaderMap, report: &Report) {
    let changes = report.headers(|name| headers.get_all(name).map(HeaderValue::as_bytes));
    for change in changes.into_iter().flatten() {
        let (HeaderChange::Append(name, value) | HeaderChange::Replace(name, value)) = change;
        let (name, Ok(value)) = (HeaderName::from_static(name), HeaderValue::from_str(value)) else {
            continue;
        };
        match change {
            HeaderChange::Append(..) => headers.append(name, value),
            HeaderChange::Replace(..) => _ = headers.insert(name, value),
        }
    }
}

fn page(request: &ServiceRequest) -> Option<PageRequest> {
    let url = request.uri().path_and_query().map_or("/", |url| url.as_str());
    let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
    PageRequest::new(request.method().as_str(), url, header)
}
