//! Redirects as axum responses: the extractor that makes them, and what they leave for the next page.

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use serde::Serialize;
use session_core::Messages;
use session_core::{Accepts, SessionError, ValidationErrors, adapter::RedirectKind};

use crate::rejection::SessionRejection;
use crate::words;

/// Makes redirects that know the session, and the page that this request came from. Extracting it opens the session.
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
pub struct Redirects(session_core::adapter::Redirects);

/// A redirect: 303 unless said. One that would lead elsewhere, or whose messages could not be left, is answered 500;
/// [`check`](Self::check) tells which.
///
/// ```
#[doc = include_str!("given/a_handler.in")]
/// async fn handler(redirects: Redirects) -> Redirect {
///     redirects.to("/cart").with("status", "Added")
/// }
/// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
/// assert_eq!(response.status().as_u16(), 303);
/// assert_eq!(response.headers().get("location").unwrap(), "/cart");
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a redirect does nothing unless it is the response"]
pub struct Redirect(session_core::adapter::Redirect);

impl Redirects {
    /// To a path on this site or an allowed host; anything else is refused.
    /// See [`session_core::adapter::Redirects::to`].
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

    /// To anywhere: never with anything that a visitor sent.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// async fn handler(redirects: Redirects) -> Redirect {
    ///     redirects.to_unchecked("https://pay.example/begin")
    /// }
    /// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
    /// assert_eq!(response.headers().get("location").unwrap(), "https://pay.example/begin");
    /// # Ok(()) }
    /// ```
    pub fn to_unchecked(&self, url: impl AsRef<str>) -> Redirect {
        Redirect(self.0.to_unchecked(url))
    }

    /// To the page that the visitor saw last: the one that the session knows
    /// ([`track_pages`](crate::SessionLayer::track_pages)), else a `Referer` on this very host, else the fallback.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// async fn handler(redirects: Redirects) -> Redirect {
    ///     redirects.back("/cart")
    /// }
    /// // The visitor comes from nowhere that the server knows of.
    /// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
    /// assert_eq!(response.headers().get("location").unwrap(), "/cart");
    /// # Ok(()) }
    /// ```
    pub fn back(&self, fallback: impl AsRef<str>) -> Redirect {
        Redirect(self.0.back(fallback))
    }

    /// To where the visitor wanted to go before they were sent to sign in, else to the fallback.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// async fn handler(redirects: Redirects) -> Result<Redirect, SessionRejection> {
    ///     // Noted by the page that asked for a sign-in:
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

    /// The session that messages are left in.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// async fn handler(redirects: Redirects) -> Result<Redirect, SessionRejection> {
    ///     redirects.session().put("theme", "dark")?;
    ///     Ok(redirects.back("/"))
    /// }
    /// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
    /// assert!(response.headers().contains_key("set-cookie"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn session(&self) -> &session_core::Session {
        self.0.session()
    }

    /// The core's own, which all adapters share: for functions that are to work under every framework.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// /// Works under every framework.
    /// fn saved(redirects: &session_core::adapter::Redirects) -> Result<session_core::adapter::Finished, SessionError> {
    ///     redirects.back("/cart").with("status", "Saved").finish()
    /// }
    ///
    /// async fn handler(redirects: Redirects) -> Result<String, SessionRejection> {
    ///     Ok(saved(&redirects.into_inner())?.location().to_owned())
    /// }
    /// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 200);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn into_inner(self) -> session_core::adapter::Redirects {
        self.0
    }
}

impl Redirect {
    /// Leaves a message for the page.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// async fn handler(redirects: Redirects) -> Redirect {
    ///     // On the next page: `session.flash_messages().get::<String>("status")`.
    ///     redirects.to("/cart").with("status", "Added to your cart")
    /// }
    /// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
    /// assert!(response.headers().contains_key("set-cookie"));
    /// # Ok(()) }
    /// ```
    pub fn with<V: Serialize>(self, key: impl Accepts<V>, value: V) -> Self {
        Self(self.0.with(key, value))
    }

    /// Leaves what was typed, for `old`: what [`Input`](crate::Input) read. Secrets stay out.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// async fn handler(redirects: Redirects, _form: Input) -> Redirect {
    ///     // On the next page: `session.old::<String>("email")`.
    ///     redirects.back("/").with_input()
    /// }
    /// # let response = app.call(Request::get("/?email=ada&password=secret").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 303);
    /// # Ok(()) }
    /// ```
    pub fn with_input(self) -> Self {
        Self(self.0.with_input())
    }

    /// Leaves errors: field to message, or to messages.
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

    /// Leaves a validation library's report as errors.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// use session_core::ValidationErrors;
    ///
    /// /// With the features `validator` and `garde` their reports are ones.
    /// struct Missing(&'static str);
    ///
    /// impl ValidationErrors for Missing {
    ///     fn messages(&self) -> Vec<(String, String)> {
    ///         vec![(self.0.to_owned(), "is missing".to_owned())]
    ///     }
    /// }
    ///
    /// async fn handler(redirects: Redirects) -> Redirect {
    ///     redirects.back("/").with_report(&Missing("email")).with_input()
    /// }
    /// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 303);
    /// # Ok(()) }
    /// ```
    pub fn with_report(self, report: &impl ValidationErrors) -> Self {
        Self(self.0.with_report(report))
    }

    /// Another kind than 303.
    ///
    /// ```
    #[doc = include_str!("given/a_handler.in")]
    /// use session_core::adapter::RedirectKind;
    ///
    /// async fn handler(redirects: Redirects) -> Redirect {
    ///     redirects.to("/v2/orders").of_kind(RedirectKind::Temporary)
    /// }
    /// # let response = app.call(Request::get("/").body(Body::empty())?).await?;
    /// assert_eq!(response.status().as_u16(), 307);
    /// # Ok(()) }
    /// ```
    pub fn of_kind(self, kind: RedirectKind) -> Self {
        Self(self.0.of_kind(kind))
    }

    /// The response, or what went wrong on the way to it.
    ///
    /// # Errors
    /// [`SessionError::RefusedUrl`] for a target that leads elsewhere, or what a change to the session may answer.
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
        Ok(words::response(self.0.finish()?.into()))
    }
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        self.check().unwrap_or_else(|error| SessionRejection::from(error).into_response())
    }
}

impl<S: Sync> FromRequestParts<S> for Redirects {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let head = words::head(&parts.method, &parts.uri, &parts.headers);
        Ok(Self(session_core::adapter::Redirects::of_request(parts.extensions.get(), &head).await?))
    }
}
