//! What handlers can rely on under every adapter: claims over HTTP, written once.
//!
//! An adapter's test makes a [`WebApp`] of its extractors with the routes that [`WebApp`] lists, and calls
//! [`web_claims!`](crate::web_claims).

pub mod claims;
mod client;
mod exports;
mod list;
mod other_library;
mod setting;

use std::collections::BTreeMap;
use std::future::Future;

use bytes::Bytes;
use serde_json::{Value, json};
use session_core::{Session, SessionError};

pub use client::{Client, Reply};
pub use setting::{Handlers, Setting, rules};

/// An application made of an adapter's parts, inside a layer that tracks pages, with the sessions of a [`Setting`].
///
/// | route | does |
/// |---|---|
/// | `GET /page`, `GET /other` | [`page`] of its session, as `text/html` |
/// | `GET /api` | [`page`] of its session, as `application/json` |
/// | `GET /plain` | `plain`, as `text/html`, without a session |
/// | `POST /do` | session, then input: [`Handlers::run`]; 204 |
/// | `POST /echo`, `GET /echo` | the input's map as JSON, without a session |
/// | `POST /small` | the same with a limit of 64 bytes |
/// | `POST /count` | the input as [`Count`], 422 if it is not |
/// | `POST /flash` | input, then session: [`flash`] by the query; 204 |
/// | `POST /flash-late` | session, then input: the same |
/// | `POST /to` | a redirect to the input's `to` |
/// | `POST /back` | back, else `/fallback`, `.with("status", "Saved").with_errors([("email", "is taken")]).with_input()` |
/// | `POST /intend` | `set_intended_url` with the input's `to`: 204, or 400 if it is refused |
/// | `POST /intended` | a 302 to the intended URL, else `/fallback` |
/// | `POST /login` | regenerates; 204 |
/// | `GET /optional`, `GET /optional-read-only` | [`whose`] of an optional session |
/// | `GET /bare/optional` | the same outside of the session layer |
/// | `GET /device/{handle}` | the handle, read from the path; 4xx if it is none |
/// | `POST /order` | the input as [`Count`], or back to `/order` with its errors; the count |
/// | `POST /fail` | does what the input's `how` says, each with one `?` into an error type of the application's own: see the claim |
/// | `POST /sign-out`, `POST /farewell` | ends the session (with `?clear` clears the site's data), without and with the message `status`: `Bye`; 303 to `/page` with `more`: `Soon` |
/// | `GET`, `POST /account`, `GET /area/account` | for users only, else to `/sign-in`: the user's name; the second in a nested router |
/// | `GET /secret` | the same, for users who confirmed within 15 minutes |
/// | `POST /misplaced` | behind the CSRF middleware, outside of the session layer: `plain` |
/// | `POST /guarded/echo` | behind the CSRF middleware: the input's map as JSON; `GET` answers `plain` |
/// | `POST /guarded/raw` | behind it: the unchanged body |
/// | `POST /guarded/hooks/x` | behind it, exempt by `/guarded/hooks`: `plain` |
/// | `PUT /guarded/signed` | behind it, exempt by [`is_signed`]: `plain`; `POST` is not |
/// | `POST /strict/echo` | behind one that always asks for the token, and trusts [`TRUSTED`] and the forwarded host: `plain` |
/// | `GET /socket` | behind the same, and checked as a WebSocket is: `plain` |
/// | `POST /polite/echo` | behind one that answers 403 with [`PLEASE`] when it refuses: `plain` |
///
/// ```
/// use bytes::Bytes;
/// use session_conformance::web::{Client, Setting, WebApp, rules};
///
/// /// An application with one page.
/// struct Tiny(Setting);
///
/// impl WebApp for Tiny {
///     async fn send(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
///         let found = request.uri().path() == "/plain";
///         let mut response = http::Response::new(Bytes::from_static(b"plain"));
///         *response.status_mut() = if found { http::StatusCode::OK } else { http::StatusCode::NOT_FOUND };
///         response
///     }
///
///     fn setting(&self) -> &Setting {
///         &self.0
///     }
/// }
///
/// # #[tokio::main] async fn main() {
/// let app = Tiny(Setting::new(session_store_memory::MemoryStore::new(), rules::usual));
/// assert_eq!(Client::new(&app).get("/plain").await.status, 200);
/// assert_eq!(app.store_calls(), 0);
/// # }
/// ```
pub trait WebApp {
    /// Sends a request to the application.
    fn send(&self, request: http::Request<Bytes>) -> impl Future<Output = http::Response<Bytes>>;

    /// Returns the setting that it was made with.
    fn setting(&self) -> &Setting;

    /// Returns the number of store calls.
    fn store_calls(&self) -> usize {
        self.setting().store.count_all()
    }
}

/// The body of the response of `POST /polite/echo` to a refused request.
pub const PLEASE: &str = "Please load the page again.";

/// The predicate for exempt requests, called with the method and the path.
#[must_use]
pub fn is_signed(method: &str, path: &str) -> bool {
    method == "PUT" && path == "/guarded/signed"
}

/// The origin that the strict rules trust.
pub const TRUSTED: &str = "https://partner.example";

/// The type of the input of `POST /count`.
///
/// ```
/// let count: session_conformance::web::Count = serde_json::from_str(r#"{"count": 3}"#).unwrap();
/// assert_eq!(count.count, 3);
/// ```
#[derive(Debug, serde::Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a form of tests")]
pub struct Count {
    /// A number, which is text in forms.
    pub count: u32,
    /// Optional, but not malformed.
    pub price: Option<f64>,
    /// A checkbox.
    #[serde(default)]
    pub gift: bool,
}

/// What a page shows: `{"messages", "old", "errors", "csrf", "previous"}`.
///
/// # Errors
/// As for [`Csrf::token`](session_core::facet::Csrf::token).
///
/// ```
/// let shown = session_conformance::web::page(&session_core::Session::standalone())?;
/// assert!(shown.contains(r#""csrf_token""#) && shown.contains(r#""previous":null"#));
/// # Ok::<(), session_core::SessionError>(())
/// ```
pub fn page(session: &Session) -> Result<String, SessionError> {
    let view = session.csrf().view()?;
    let mut shown = serde_json::to_value(&view).unwrap();
    shown["previous"] = json!(session.urls().previous());
    Ok(shown.to_string())
}

/// Returns what a page shows of an optional session: the value `user`, `stranger`, or `no session`.
///
/// # Errors
/// As for [`Session::get`].
pub fn whose(session: Option<&Session>) -> Result<String, SessionError> {
    match session {
        Some(session) => session.get_or("user", "stranger"),
        None => Ok("no session".to_owned()),
    }
}

/// Flashes input as the query says: `all`, `only=a,b`, `except=a,b`.
///
/// # Errors
/// As for [`Session::flash_all`].
///
/// ```
/// use session_conformance::web::flash;
///
/// let session = session_core::Session::standalone();
/// flash(&session, "only=email,name")?;
/// flash(&session, "except=card")?;
/// flash(&session, "all")?;
/// # Ok::<(), session_core::SessionError>(())
/// ```
pub fn flash(session: &Session, query: &str) -> Result<(), SessionError> {
    let (how, names) = query.split_once('=').unwrap_or((query, ""));
    let names: Vec<&str> = names.split(',').filter(|name| !name.is_empty()).collect();
    match how {
        "only" => session.flash_only(names),
        "except" => session.flash_except(names),
        _ => session.flash_all(),
    }
}

/// Header names and values of a request, for [`Client::send`].
///
/// ```
/// use session_conformance::web::Headers;
///
/// let headers = Headers::from([("x-csrf-token", "wrong")]);
/// assert_eq!(headers["x-csrf-token"], "wrong");
/// ```
pub type Headers<'h> = BTreeMap<&'h str, &'h str>;

fn json_of(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or(Value::Null)
}
