//! A test client: arranges a visitor's session, sends requests as that visitor, and reads the session afterwards.

use std::fmt;

use http::header::{COOKIE, HeaderName, HeaderValue, SET_COOKIE};
use http::{Method, Request, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use session_core::adapter::{BoxFuture, Closing, CookieHeaders, Spawn};
use session_core::{FlashMessages, Session, Sessions, path::AnyKey};

/// One visitor of an application under test, who shares its [`Sessions`].
///
/// Arrange what the visitor's session holds, [`send`](Self::send) requests, and assert on the session afterwards. It
/// works with sessions in a store and in cookies, and follows a new id as a browser does. The methods may be called in any
/// order: arranging keeps the session's id, its CSRF token (until the user changes), and what was left for the next
/// request.
///
/// ```
/// use http::{Request, Response};
/// use serde_json::json;
/// use session_core::{Key, SecretKey, Sessions};
/// use session_testkit::TestClient;
///
/// const ITEMS: Key<u32> = Key::new("cart.items");
///
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::builder()
///     .store(session_store_memory::MemoryStore::new())
///     .key(SecretKey::generate()?)
///     .build()?;
/// let mut ada = TestClient::new(&sessions);
/// ada.as_user("ada").await;
/// ada.with_session(json!({ "cart": { "items": 2 } })).await;
///
/// // The application: with axum, `async |request| app.clone().oneshot(request).await.unwrap()`.
/// let app = async |request: Request<String>| {
///     assert!(request.headers().contains_key("cookie") && request.headers().contains_key("x-csrf-token"));
///     Response::new("ordered")
/// };
/// let response = ada.send(Request::post("/orders").body("sku=tea".to_owned())?, app).await;
/// assert_eq!(response.status(), 200);
///
/// ada.assert_session(ITEMS, 2).await;
/// ada.assert_missing("user").await;
/// # Ok(())
/// # }
/// ```
pub struct TestClient {
    sessions: Sessions,
    /// `name=value` of the session's cookie and its touch cookie, as the last responses set them.
    cookies: [Option<String>; 2],
}

impl TestClient {
    /// Creates a visitor without a session.
    #[must_use]
    pub fn new(sessions: &Sessions) -> Self {
        Self { sessions: sessions.clone(), cookies: [None, None] }
    }

    /// Puts these values (an object; names are paths) into the session.
    pub async fn with_session(&mut self, values: impl Serialize) {
        self.arrange(|session| session.put_many(values)).await;
    }

    /// Leaves these messages (an object) for the next request.
    pub async fn with_flash(&mut self, messages: impl Serialize) {
        self.arrange(|session| session.flash_many(&messages)).await;
    }

    /// Leaves this form as old input for the next request, without secrets.
    ///
    /// # Panics
    /// If the form is not an object.
    pub async fn with_input(&mut self, form: impl Serialize) {
        let form: Map<String, Value> = match serde_json::to_value(form) {
            Ok(Value::Object(form)) => form,
            _ => panic!("old input is an object: field to value"),
        };
        self.arrange(|session| {
            session.set_input(form);
            session.flash_all()
        })
        .await;
    }

    /// Leaves these errors, field and message, for the next request.
    pub async fn with_errors<'e>(&mut self, errors: impl IntoIterator<Item = (&'e str, &'e str)>) {
        self.arrange(|session| session.with_errors(errors)).await;
    }

    /// Signs the visitor in as this user, who has just confirmed, as after a sign-in.
    pub async fn as_user(&mut self, tag: impl AsRef<str>) {
        self.arrange(|session| {
            session.tag(tag)?;
            session.user().confirm()
        })
        .await;
    }

    /// Signs the visitor in as this user, whose last confirmation was long ago: for tests of pages that ask for the
    /// password again.
    pub async fn as_remembered_user(&mut self, tag: impl AsRef<str>) {
        self.arrange(|session| session.tag(tag)).await;
    }

    /// Returns the CSRF token of this visitor's forms, for the field `_csrf` or the header `x-csrf-token`. Makes one if
    /// there is none. [`send`](Self::send) adds it automatically.
    pub async fn csrf_token(&mut self) -> String {
        let mut token = String::new();
        self.arrange(|session| session.csrf().token().map(|made| token = made)).await;
        token
    }

    /// Sends a request as this visitor and follows the response: a new session id, or its removal.
    ///
    /// The request gets the visitor's cookie and, unless its method is safe or it has one, the header `x-csrf-token`. `app`
    /// calls the application: with axum `async |request| app.clone().oneshot(request).await.unwrap()`, with hyper
    /// `async |request| service.call(request).await.unwrap()`. For actix, whose requests are other types, see
    /// [`headers`](Self::headers).
    pub async fn send<B, R>(
        &mut self,
        mut request: Request<B>,
        app: impl AsyncFnOnce(Request<B>) -> Response<R>,
    ) -> Response<R> {
        let method = request.method().clone();
        for (name, value) in self.headers(method.as_str()).await {
            let name = HeaderName::from_static(name);
            if name == COOKIE || !request.headers().contains_key(&name) {
                let value = HeaderValue::try_from(value).expect("cookies and tokens are visible ASCII");
                request.headers_mut().append(name, value);
            }
        }
        let response = app(request).await;
        self.follow(response.headers().get_all(SET_COOKIE));
        response
    }

    /// Returns the headers of a request of this visitor with this method: `cookie` and, unless the method is safe, `x-csrf-token`.
    ///
    /// With actix, where `app` comes from `test::init_service`:
    ///
    /// ```text
    /// let mut request = test::TestRequest::post().uri("/orders");
    /// for header in ada.headers("POST").await {
    ///     request = request.insert_header(header);
    /// }
    /// let response = test::call_service(&app, request.to_request()).await;
    /// ada.follow(response.headers().get_all("set-cookie").map(|value| value.as_bytes()));
    /// ```
    pub async fn headers(&mut self, method: &str) -> Vec<(&'static str, String)> {
        let is_safe = Method::try_from(method).is_ok_and(|method| method.is_safe());
        let token = if is_safe { None } else { Some(("x-csrf-token", self.csrf_token().await)) };
        self.cookie().map(|cookie| ("cookie", cookie)).into_iter().chain(token).collect()
    }

    /// Returns the value of the `Cookie` header to send, or `None` for a visitor without a session.
    #[must_use]
    pub fn cookie(&self) -> Option<String> {
        let cookies: Vec<&str> = self.cookies.iter().flatten().map(String::as_str).collect();
        (!cookies.is_empty()).then(|| cookies.join("; "))
    }

    /// Applies the `Set-Cookie` values of a response: a new id or a removal. Ignores other cookies.
    pub fn follow<B: AsRef<[u8]>>(&mut self, set_cookies: impl IntoIterator<Item = B>) {
        for header in set_cookies {
            let header = String::from_utf8_lossy(header.as_ref()).into_owned();
            let (pair, attributes) = header.split_once(';').unwrap_or((&header, ""));
            let Some((name, _)) = pair.split_once('=') else { continue };
            let ours = [self.sessions.cookie_name(), self.sessions.touch_cookie_name()];
            if let Some(place) = ours.iter().position(|ours| *ours == name) {
                let removed = attributes.split(';').any(|attribute| attribute.trim() == "Max-Age=0");
                self.cookies[place] = (!removed).then(|| pair.to_owned());
            }
        }
    }

    /// Returns the current session, read-only. Consumes no flash.
    ///
    /// # Panics
    /// If the store fails.
    pub async fn session(&self) -> Session {
        let guard = self.sessions.visit(self.request_cookies(), &NOWHERE);
        guard.visit().read_only().await.expect("the session can be opened")
    }

    /// Returns the messages for the next request.
    ///
    /// # Panics
    /// If the store fails.
    pub async fn flash_messages(&self) -> FlashMessages {
        self.session().await.flash_messages()
    }

    /// Asserts that the session has this value: `assert_session("cart.items", 2)`, or with a `Key`.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    pub fn assert_session(&self, key: impl AnyKey, value: impl Serialize) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let (found, wanted) = (self.session().await.get::<Value>(key.path()), json(value));
            let name = key.path();
            assert!(
                matches!(&found, Ok(Some(found)) if *found == wanted),
                "{caller}: \"{name}\" holds {}, not {wanted}",
                shown(found.ok().flatten())
            );
        }
    }

    /// Asserts that the next request gets this message: `assert_flash("status", "Saved")`.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    pub fn assert_flash(&self, key: impl AnyKey, value: impl Serialize) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let (found, wanted) = (self.flash_messages().await.get::<Value>(key.path()), json(value));
            let name = key.path();
            assert!(
                matches!(&found, Ok(Some(found)) if *found == wanted),
                "{caller}: the message \"{name}\" is {}, not {wanted}",
                shown(found.ok().flatten())
            );
        }
    }

    /// Asserts that the next request gets this error for the field, possibly among others.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    pub fn assert_validation_error(&self, field: impl AnyKey, message: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let found = self.session().await.errors().of(field.path());
            assert!(
                found.iter().any(|found| found == message),
                "{caller}: the errors of \"{}\" are {found:?}, without {message:?}",
                field.path()
            );
        }
    }

    /// Asserts that the session has no such value, not even null.
    ///
    /// # Panics
    /// If it has one.
    #[track_caller]
    pub fn assert_missing(&self, key: impl AnyKey) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            assert!(self.session().await.missing(key.path()), "{caller}: there is a \"{}\"", key.path());
        }
    }

    /// Makes a visit that changes the session and keeps the flash that earlier calls have left for the next request.
    async fn arrange<E: fmt::Debug>(&mut self, change: impl FnOnce(&Session) -> Result<(), E>) {
        let guard = self.sessions.visit(self.request_cookies(), &NOWHERE);
        let session = guard.visit().session().await.expect("the session can be opened");
        session.reflash().expect("what was left is kept");
        change(&session).expect("the session can be arranged so");
        let report = match guard.close(200) {
            Closing::Ready(report) => report,
            Closing::Pending(writing) => writing.await,
        };
        assert!(report.error.is_none(), "the session cannot be written: {:?}", report.error);
        self.follow(report.set_cookies());
    }

    fn request_cookies(&self) -> CookieHeaders {
        self.cookie().into_iter().collect()
    }
}

fn json(value: impl Serialize) -> Value {
    serde_json::to_value(value).expect("what is asserted can be JSON")
}

fn shown(found: Option<Value>) -> String {
    found.map_or("nothing".to_owned(), |value| value.to_string())
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient").field("has_session", &self.cookie().is_some()).finish_non_exhaustive()
    }
}

/// The client awaits every commit, so nothing remains to be spawned.
#[derive(Debug)]
struct Nowhere;

impl Spawn for Nowhere {
    fn spawn(&self, _: BoxFuture<()>) {}
}

static NOWHERE: Nowhere = Nowhere;
