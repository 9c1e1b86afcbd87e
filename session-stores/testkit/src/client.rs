//! A test client: sessions arranged before a request and read after it, without HTTP.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use session_core::{
    FlashMessages, Session, Sessions,
    adapter::{BoxFuture, Closing, CookieHeaders, Spawn},
};

/// One visitor of an application under test, by way of its own [`Sessions`].
///
/// Arrange what the visitor's session holds, send [`cookie`](Self::cookie) with a request, feed back the response's
/// `Set-Cookie` values with [`follow`](Self::follow), and look at what has become of the session. It works wherever
/// sessions live, in a store or in their cookies, and follows a regenerated id as a browser does.
///
/// ```
/// use serde_json::json;
/// use session_core::{SecretKey, Sessions};
/// use session_testkit::TestClient;
///
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::builder()
///     .store(session_store_memory::MemoryStore::new())
///     .key(SecretKey::generate()?)
///     .build()?;
/// let mut ada = TestClient::new(&sessions);
/// ada.as_user("ada").await;
/// ada.with_session(json!({ "cart": { "items": 2 } })).await;
/// ada.with_errors([("email", "is taken")]).await;
///
/// // Send `ada.cookie()` as the `Cookie` header of a request; then `ada.follow(…)` with its `Set-Cookie` values.
/// assert!(ada.cookie().unwrap().starts_with("__Host-sid="));
///
/// ada.assert_session("cart.items", 2).await;
/// ada.assert_validation_error("email", "is taken").await;
/// ada.assert_missing("user").await;
/// # Ok(())
/// # }
/// ```
pub struct TestClient {
    sessions: Sessions,
    /// `name=value`, as the last response set it.
    cookie: Option<String>,
}

impl TestClient {
    /// A visitor without a session.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let ada = TestClient::new(&sessions);
    /// assert_eq!(ada.cookie(), None);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn new(sessions: &Sessions) -> Self {
        Self { sessions: sessions.clone(), cookie: None }
    }

    /// Puts these values (an object; names are paths) into the session.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let mut ada = TestClient::new(&sessions);
    /// ada.with_session(serde_json::json!({ "cart.items": 2 })).await;
    /// ada.assert_session("cart", serde_json::json!({ "items": 2 })).await;
    /// # Ok(()) }
    /// ```
    pub async fn with_session(&mut self, values: impl Serialize) {
        self.arrange(|session| session.put_many(values)).await;
    }

    /// Leaves these messages (an object) for the next request.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let mut ada = TestClient::new(&sessions);
    /// ada.with_flash(serde_json::json!({ "status": "Saved" })).await;
    /// ada.assert_flash("status", "Saved".to_owned()).await;
    /// # Ok(()) }
    /// ```
    pub async fn with_flash(&mut self, messages: impl Serialize) {
        self.arrange(|session| session.flash_many(&messages)).await;
    }

    /// Leaves this form as old input for the next request, but for secrets.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let mut ada = TestClient::new(&sessions);
    /// ada.with_input(serde_json::json!({ "email": "ada@example.com", "password": "secret" })).await;
    /// let session = ada.session().await;
    /// assert_eq!(session.old::<String>("email")?.as_deref(), Some("ada@example.com"));
    /// assert!(!session.has_old("password"));
    /// # Ok(()) }
    /// ```
    pub async fn with_input(&mut self, form: impl Serialize) {
        let form: Map<String, Value> = match serde_json::to_value(form) {
            Ok(Value::Object(form)) => form,
            _ => panic!("old input is an object: field to value"),
        };
        self.arrange(|session| session.flash_input(form)).await;
    }

    /// Leaves these errors, field and message, for the next request.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let mut ada = TestClient::new(&sessions);
    /// ada.with_errors([("email", "is taken"), ("name", "is missing")]).await;
    /// ada.assert_validation_error("name", "is missing").await;
    /// # Ok(()) }
    /// ```
    pub async fn with_errors<'e>(&mut self, errors: impl IntoIterator<Item = (&'e str, &'e str)>) {
        self.arrange(|session| session.with_errors(errors)).await;
    }

    /// Makes it a session of this user, as a sign-in would.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let mut ada = TestClient::new(&sessions);
    /// ada.as_user("ada").await;
    /// assert_eq!(sessions.of("ada").count().await?, 1);
    /// # Ok(()) }
    /// ```
    pub async fn as_user(&mut self, tag: impl AsRef<str>) {
        self.arrange(|session| session.tag(tag)).await;
    }

    /// The token that this visitor's forms carry, made in their session if it has none: for the field `_csrf` or the header
    /// `x-csrf-token` of a request that is to pass the CSRF middleware.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let mut ada = TestClient::new(&sessions);
    /// let form = format!("_csrf={}&sku=tea", ada.csrf_token().await);
    /// # assert!(ada.session().await.csrf().verify(form.trim_start_matches("_csrf=").trim_end_matches("&sku=tea")));
    /// # Ok(()) }
    /// ```
    pub async fn csrf_token(&mut self) -> String {
        let mut token = String::new();
        self.arrange(|session| session.csrf().token().map(|made| token = made)).await;
        token
    }

    /// The value of the `Cookie` header to send; none for a visitor without a session.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let mut ada = TestClient::new(&sessions);
    /// ada.as_user("ada").await;
    /// // Of a request that the application under test gets:
    /// let header = ("Cookie", ada.cookie().unwrap());
    /// assert!(header.1.starts_with("__Host-sid="));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn cookie(&self) -> Option<String> {
        self.cookie.clone()
    }

    /// Takes the `Set-Cookie` values of a response: a new id is followed, a removal obeyed, other cookies are ignored.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let mut ada = TestClient::new(&sessions);
    /// ada.as_user("ada").await;
    /// // The application has answered a sign-out.
    /// ada.follow(["__Host-sid=; Path=/; Max-Age=0", "theme=dark"]);
    /// assert_eq!(ada.cookie(), None);
    /// # Ok(()) }
    /// ```
    pub fn follow<B: AsRef<[u8]>>(&mut self, set_cookies: impl IntoIterator<Item = B>) {
        for header in set_cookies {
            let header = String::from_utf8_lossy(header.as_ref()).into_owned();
            let (pair, attributes) = header.split_once(';').unwrap_or((&header, ""));
            if pair.split_once('=').is_some_and(|(name, _)| name == self.sessions.cookie_name()) {
                let removed = attributes.split(';').any(|attribute| attribute.trim() == "Max-Age=0");
                self.cookie = (!removed).then(|| pair.to_owned());
            }
        }
    }

    /// The session as it is now, to read. Looking at it takes no flash.
    ///
    /// # Panics
    /// When the store fails.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let mut ada = TestClient::new(&sessions);
    /// ada.with_session(serde_json::json!({ "theme": "dark" })).await;
    /// assert_eq!(ada.session().await.get::<String>("theme")?.as_deref(), Some("dark"));
    /// # Ok(()) }
    /// ```
    pub async fn session(&self) -> Session {
        let guard = self.sessions.visit(self.headers(), &NOWHERE);
        guard.visit().read_only().await.expect("the session can be opened")
    }

    /// What the next request will be shown.
    ///
    /// # Panics
    /// When the store fails.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let mut ada = TestClient::new(&sessions);
    /// ada.with_flash(serde_json::json!({ "status": "Saved" })).await;
    /// assert!(ada.flash_messages().await.has("status"));
    /// // Looking takes nothing.
    /// assert!(ada.flash_messages().await.has("status"));
    /// # Ok(()) }
    /// ```
    pub async fn flash_messages(&self) -> FlashMessages {
        self.session().await.flash_messages()
    }

    /// Claims that this value is in the session.
    ///
    /// # Panics
    /// When it is not.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let mut ada = TestClient::new(&sessions);
    /// ada.with_session(serde_json::json!({ "cart": { "items": 2 } })).await;
    /// ada.assert_session("cart.items", 2).await;
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn assert_session<V>(&self, key: &str, value: V) -> impl Future<Output = ()>
    where
        V: DeserializeOwned + PartialEq + fmt::Debug,
    {
        let caller = std::panic::Location::caller();
        async move {
            let found = self.session().await.get::<V>(key);
            assert!(
                matches!(&found, Ok(Some(found)) if *found == value),
                "{caller}: \"{key}\" holds {found:?}, not {value:?}"
            );
        }
    }

    /// Claims that the next request is shown this message.
    ///
    /// # Panics
    /// When it is not.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let mut ada = TestClient::new(&sessions);
    /// ada.with_flash(serde_json::json!({ "status": "Saved" })).await;
    /// ada.assert_flash("status", "Saved".to_owned()).await;
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn assert_flash<V>(&self, key: &str, value: V) -> impl Future<Output = ()>
    where
        V: DeserializeOwned + PartialEq + fmt::Debug,
    {
        let caller = std::panic::Location::caller();
        async move {
            let found = self.flash_messages().await.get::<V>(key);
            assert!(
                matches!(&found, Ok(Some(found)) if *found == value),
                "{caller}: the message \"{key}\" is {found:?}, not {value:?}"
            );
        }
    }

    /// Claims that the next request is shown this error for the field, whatever other errors there are.
    ///
    /// # Panics
    /// When it is not.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let mut ada = TestClient::new(&sessions);
    /// ada.with_errors([("email", "is taken")]).await;
    /// ada.assert_validation_error("email", "is taken").await;
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn assert_validation_error(&self, field: &str, message: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let found = self.session().await.errors().of(field);
            assert!(
                found.iter().any(|found| found == message),
                "{caller}: the errors of \"{field}\" are {found:?}, without {message:?}"
            );
        }
    }

    /// Claims that there is no such value in the session, not even null.
    ///
    /// # Panics
    /// When there is.
    ///
    /// ```
    /// # use session_testkit::TestClient;
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// let mut ada = TestClient::new(&sessions);
    /// ada.with_session(serde_json::json!({ "theme": "dark" })).await;
    /// ada.assert_missing("user").await;
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn assert_missing(&self, key: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move { assert!(self.session().await.missing(key), "{caller}: there is a \"{key}\"") }
    }

    /// A visit that changes something and keeps what earlier calls have left for the next request.
    async fn arrange<E: fmt::Debug>(&mut self, change: impl FnOnce(&Session) -> Result<(), E>) {
        let guard = self.sessions.visit(self.headers(), &NOWHERE);
        let session = guard.visit().session().await.expect("the session can be opened");
        session.reflash().expect("what was left is kept");
        change(&session).expect("the session can be arranged so");
        let report = match guard.close(200) {
            Closing::Ready(report) => report,
            Closing::Pending(writing) => writing.await,
        };
        assert!(report.error.is_none(), "the session cannot be written: {:?}", report.error);
        self.follow(report.set_cookie);
    }

    fn headers(&self) -> CookieHeaders {
        self.cookie().into_iter().collect()
    }
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient").field("has_session", &self.cookie().is_some()).finish_non_exhaustive()
    }
}

/// A client awaits all that it begins, so nothing is ever left to run.
#[derive(Debug)]
struct Nowhere;

impl Spawn for Nowhere {
    fn spawn(&self, _: BoxFuture<()>) {}
}

static NOWHERE: Nowhere = Nowhere;
