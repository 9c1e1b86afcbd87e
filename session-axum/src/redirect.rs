//! Redirects as axum responses: the extractor that creates them, and what they leave for the next page.

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use serde::Serialize;
use session_core::{Messages, SessionError, path::Accepts};
use session_web::{RedirectKind, ValidationErrors, bare_response, request_head};

use crate::rejection::SessionRejection;

/// Creates redirects that know the session and the page that this request came from. Extracting it opens the session.
///
/// ```
/// use session_axum::{Input, Redirect, Redirects};
///
/// async fn subscribe(redirects: Redirects, input: Input) -> Redirect {
///     match input.text("email") {
///         Some(email) if email.contains('@') => redirects.to("/thanks").with("status", "See you soon"),
///         _ => redirects.back("/").with_errors([("email", "is no address")]).with_input(),
///     }
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(subscribe));
/// ```
#[derive(Clone, Debug)]
pub struct Redirects(session_web::Redirects);

/// A redirect: 303 unless set otherwise.
///
/// As a response it is 500 if its target leaves the site or its messages could not be left; [`check`](Self::check) returns
/// that error. It can also be returned as an error: `return Err(redirects.to("/sign-in").into())`.
///
/// After the session was destroyed its messages are dropped. To say goodbye, use [`SignOut::with`](crate::SignOut::with).
#[derive(Debug)]
#[must_use = "a redirect does nothing unless it is the response"]
pub struct Redirect(pub(crate) session_web::Redirect);

impl Redirects {
    /// To a path on this site, or to an allowed host; any other target is refused.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// async fn handler(redirects: Redirects, input: Input) -> Redirect {
    ///     redirects.to(input.text("next").unwrap_or("/"))
    /// }
    /// // `GET /?next=/cart`, and what somebody else would like it to be:
    /// # let response = app.call(Request::get("/?next=/cart").body(Body::empty())?).await?;
    /// assert_eq!(response.headers().get("location").unwrap(), "/cart");
    /// # let response = app.call(Request::get("/?next=//evil.example").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 500);
    /// # Ok(()) }
    /// ```
    pub fn to(&self, path: impl AsRef<str>) -> Redirect {
        Redirect(self.0.to(path))
    }

    /// To any URL, unchecked. Never pass anything that a visitor sent.
    pub fn to_unchecked(&self, url: impl AsRef<str>) -> Redirect {
        Redirect(self.0.to_unchecked(url))
    }

    /// To the page that the visitor came from: a `Referer` on this host that has a path, else the page that the session
    /// tracks ([`track_pages`](crate::SessionLayer::track_pages)), else the fallback.
    pub fn back(&self, fallback: impl AsRef<str>) -> Redirect {
        Redirect(self.0.back(fallback))
    }

    /// To the URL that the visitor wanted before they were sent to sign in, else to the fallback.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// async fn handler(redirects: Redirects) -> Result<Redirect, SessionRejection> {
    ///     // Set by the page that asked for a sign-in:
    ///     redirects.session().urls().set_intended("/orders/7")?;
    ///     // … and followed, once, after it:
    ///     Ok(redirects.intended("/"))
    /// }
    /// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
    /// assert_eq!(response.headers().get("location").unwrap(), "/orders/7");
    /// # Ok(()) }
    /// ```
    pub fn intended(&self, fallback: impl AsRef<str>) -> Redirect {
        Redirect(self.0.intended(fallback))
    }

    /// The value of a validation, or a redirect [`back`](Self::back) that carries its errors and the input.
    ///
    /// It takes the result of [`Form::to`](crate::Form::to), or of a validation library, and its error goes through `?`.
    ///
    /// # Errors
    /// The redirect.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// #[derive(serde::Deserialize)]
    /// struct Order {
    ///     count: u32,
    /// }
    ///
    /// async fn handler(redirects: Redirects, input: Input) -> Result<String, SessionRejection> {
    ///     let order: Order = redirects.or_back(input.to(), "/order")?;
    ///     Ok(format!("{} ordered", order.count))
    /// }
    /// // `GET /?count=three`: on the next page, `session.errors().first("count")` is "is not a number".
    /// # let response = app.call(Request::get("/?count=three").body(Body::empty())?).await?;
    /// assert_eq!(response.status(), StatusCode::SEE_OTHER);
    /// # Ok(()) }
    /// ```
    #[expect(clippy::result_large_err, reason = "made for a form that is sent back, and moved once")]
    pub fn or_back<T>(
        &self,
        validated: Result<T, impl ValidationErrors>,
        fallback: impl AsRef<str>,
    ) -> Result<T, Redirect> {
        self.0.or_back(validated, fallback).map_err(Redirect)
    }

    /// The session that messages are left in.
    #[must_use]
    pub fn session(&self) -> &session_core::Session {
        self.0.session()
    }

    /// The core's own, for functions that serve every framework.
    #[must_use]
    pub fn into_inner(self) -> session_web::Redirects {
        self.0
    }
}

impl Redirect {
    /// Leaves a message for the next page: `session.flash_messages().get::<String>("status")`.
    pub fn with<V: Serialize>(self, key: impl Accepts<V>, value: V) -> Self {
        Self(self.0.with(key, value))
    }

    /// Leaves the form that [`Input`](crate::Input) read as old input: `session.old("email")`. Secrets stay out.
    pub fn with_input(self) -> Self {
        Self(self.0.with_input())
    }

    /// Leaves errors: a field and its message, or messages.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// async fn handler(redirects: Redirects) -> Redirect {
    ///     redirects.back("/").with_errors([("email", "is taken")]).with_errors([("name", ["is short", "is odd"])])
    /// }
    /// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 303);
    /// # Ok(()) }
    /// ```
    pub fn with_errors<F: AsRef<str>, M: Into<Messages>>(
        self,
        errors: impl IntoIterator<Item = (F, M)>,
    ) -> Self {
        Self(self.0.with_errors(errors))
    }

    /// Leaves the errors of one of several forms on the page, and its input, without secrets: `session.form("sign-in").errors()`
    /// and `session.form("sign-in").old("email")`.
    pub fn with_errors_in<F: AsRef<str>, M: Into<Messages>>(
        self,
        form: impl AsRef<str>,
        errors: impl IntoIterator<Item = (F, M)>,
    ) -> Self {
        Self(self.0.with_errors_in(form, errors))
    }

    /// Leaves the errors of a validation library's report. The features `validator` and `garde` bring those crates'.
    pub fn with_report(self, report: &impl ValidationErrors) -> Self {
        Self(self.0.with_report(report))
    }

    /// Sets another kind than 303.
    pub fn of_kind(self, kind: RedirectKind) -> Self {
        Self(self.0.of_kind(kind))
    }

    /// The response, or what went wrong.
    ///
    /// # Errors
    /// [`SessionError::RefusedUrl`] for a target that leaves the site, or the error of the change that failed first.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// async fn handler(redirects: Redirects, input: Input) -> Response {
    ///     let next = input.text("next").unwrap_or("/");
    ///     redirects.to(next).check().unwrap_or_else(|_| StatusCode::BAD_REQUEST.into_response())
    /// }
    /// # let response = app.call(Request::get("/?next=//evil.example").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 400);
    /// # Ok(()) }
    /// ```
    pub fn check(self) -> Result<Response, SessionError> {
        Ok(bare_response(self.0.finish()?.into()))
    }
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        SessionRejection::from(self).into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for Redirects {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let head = request_head(&parts.method, &parts.uri, &parts.headers);
        Ok(Self(session_web::Redirects::of_request(parts.extensions.get(), &head).await?))
    }
}
