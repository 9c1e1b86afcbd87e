//! What forms, redirects and CSRF protection must do under every adapter: claims over HTTP, written once.
//!
//! An adapter's test makes a [`WebApp`] of its own extractors with the routes that [`WebApp`] lists, and calls
//! [`web_claims!`](crate::web_claims).

pub mod claims;
mod client;

use std::collections::BTreeMap;
use std::future::Future;

use bytes::Bytes;
use serde_json::{Value, json};
use session_core::{Session, SessionError};

pub use client::{Client, Reply};

/// An application made of an adapter's parts, inside a layer that tracks pages, over a store that counts its calls.
///
/// | route | does |
/// |---|---|
/// | `GET /page`, `GET /other` | [`page`] of its session, as `text/html` |
/// | `GET /api` | [`page`] of its session, as `application/json` |
/// | `GET /plain` | `plain`, as `text/html`, without a session |
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
/// | `POST /guarded/echo` | behind the CSRF middleware: the input's map as JSON; `GET` answers `plain` |
/// | `POST /guarded/raw` | behind it: the body as it came |
/// | `POST /guarded/hooks/x` | behind it, exempt by `/guarded/hooks`: `plain` |
///
/// ```
/// use bytes::Bytes;
/// use session_testkit::web::{Client, WebApp};
///
/// /// As small as an application can be: it has one page.
/// struct Tiny;
///
/// impl WebApp for Tiny {
///     async fn send(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
///         let found = request.uri().path() == "/plain";
///         let mut response = http::Response::new(Bytes::from_static(b"plain"));
///         *response.status_mut() = if found { http::StatusCode::OK } else { http::StatusCode::NOT_FOUND };
///         response
///     }
///
///     fn store_calls(&self) -> usize {
///         0
///     }
/// }
///
/// # #[tokio::main] async fn main() {
/// let visitor = Client::new(&Tiny);
/// assert_eq!(visitor.get("/plain").await.status, 200);
/// # }
/// ```
pub trait WebApp {
    /// Sends a request through all of it.
    fn send(&self, request: http::Request<Bytes>) -> impl Future<Output = http::Response<Bytes>>;

    /// How often the store was asked anything.
    fn store_calls(&self) -> usize;
}

/// What `POST /count` reads its input as.
///
/// ```
/// let count: session_testkit::web::Count = serde_json::from_str(r#"{"count": 3}"#).unwrap();
/// assert_eq!(count.count, 3);
/// ```
#[derive(Debug, serde::Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a form of tests")]
pub struct Count {
    /// A number, which forms write as text.
    pub count: u32,
}

/// What a page shows: `{"messages", "old", "errors", "csrf", "previous"}`.
///
/// # Errors
/// As for [`Session::csrf_token`].
///
/// ```
/// let shown = session_testkit::web::page(&session_core::Session::standalone())?;
/// assert!(shown.contains(r#""csrf_token""#) && shown.contains(r#""previous":null"#));
/// # Ok::<(), session_core::SessionError>(())
/// ```
pub fn page(session: &Session) -> Result<String, SessionError> {
    let view = session.view_with_csrf()?;
    let mut shown = serde_json::to_value(&view).unwrap();
    shown["previous"] = json!(session.previous_url());
    Ok(shown.to_string())
}

/// Flashes input as the query says: `all`, `only=a,b`, `except=a,b`.
///
/// # Errors
/// As for [`Session::flash_all`].
///
/// ```
/// use session_testkit::web::flash;
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

/// The claims, each as a test of the given `async` expression for a [`WebApp`].
///
/// ```no_run
/// # use bytes::Bytes;
/// # use session_testkit::web::WebApp;
/// # struct App;
/// # impl WebApp for App {
/// #     async fn send(&self, _: http::Request<Bytes>) -> http::Response<Bytes> { unreachable!() }
/// #     fn store_calls(&self) -> usize { 0 }
/// # }
/// /// Makes the adapter's application, anew for each claim.
/// async fn app() -> App {
///     App
/// }
///
/// session_testkit::web_claims!(app());
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! web_claims {
    ($app:expr) => {
        $crate::web_claims!(@ $app;
            features_3_input_nests_and_is_read_without_a_session
            features_3_multipart_files_are_skipped
            features_3_bad_bodies_are_refused_with_their_status
            features_3_a_body_is_not_read_beyond_its_limit
            features_3_input_becomes_the_type_that_is_asked_for
            features_3_flash_all_keeps_input_but_no_secret_at_any_depth
            features_3_flash_only_and_except_choose_fields
            features_3_input_is_remembered_in_either_order
            features_3_a_post_that_flashes_nothing_costs_nothing
            features_5_back_leaves_message_errors_and_input
            features_5_back_prefers_the_previous_page_to_the_referer
            features_5_back_follows_only_a_referer_of_this_host
            features_5_pages_are_tracked_without_causing_a_load
            features_5_intended_urls_are_followed_once
            peers_25_no_redirect_leads_elsewhere
            features_5_a_redirect_target_ends_no_header_line
            features_5_csrf_header_or_field_lets_a_request_through
            features_5_csrf_refuses_what_carries_no_token_or_a_wrong_one
            features_5_csrf_gives_the_body_on_untouched
            features_5_csrf_costs_nothing_on_safe_and_exempt_routes
            features_5_csrf_refusal_eats_no_flash
            features_5_csrf_token_survives_a_login_in_another_tab
            features_5_csrf_reads_no_body_of_a_stranger_and_no_body_too_long
            ck_11_a_page_with_a_token_varies_by_cookie
        );
    };
    (@ $app:expr; $($claim:ident)*) => {$(
        #[tokio::test]
        async fn $claim() {
            $crate::web::claims::$claim(&$app.await).await;
        }
    )*};
}

/// Header names and values of a request, for [`Client::send`].
///
/// ```
/// use session_testkit::web::Headers;
///
/// let headers = Headers::from([("x-csrf-token", "wrong")]);
/// assert_eq!(headers["x-csrf-token"], "wrong");
/// ```
pub type Headers<'h> = BTreeMap<&'h str, &'h str>;

fn json_of(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or(Value::Null)
}
