//! What a `WebApp` is made with: sessions on test doubles, and the handlers of a claim.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use session_core::{
    ConfigError, Event, Observer, SecretKey, Session, Sessions, SessionsBuilder, adapter::BoxFuture,
    store::SessionStore,
};

use crate::fixture::IntoStore;
use session_testkit::{FaultyStore, ManualClock, OpLog};

/// The sessions of an application under test, with access to their clock, store and observer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setting {
    /// The sessions for the adapter's layer.
    pub sessions: Sessions,
    /// The clock.
    pub clock: ManualClock,
    /// The calls of the store.
    pub store: OpLog<dyn SessionStore>,
    /// The faults of the store.
    pub faults: FaultyStore<dyn SessionStore>,
    /// The events that the observer received.
    pub events: Events,
    /// The handler of `POST /do`.
    pub handlers: Handlers,
}

impl Setting {
    /// Sessions in this store, with these [`rules`].
    #[must_use]
    pub fn new<How>(store: impl IntoStore<How>, rules: impl Fn(SessionsBuilder) -> SessionsBuilder) -> Self {
        let (clock, events) = (ManualClock::default(), Events::default());
        let faults = FaultyStore::over(store.into_store());
        let store = OpLog::over(Arc::new(faults.clone()) as Arc<dyn SessionStore>);
        let ruled = || {
            let key = SecretKey::generate().expect("the system's random generator works");
            rules(Sessions::builder().key(key).clock(clock.clone()).observer(events.clone()))
        };
        // Every configuration uses the store except those with sessions in the cookie.
        let sessions = match ruled().build() {
            Err(ConfigError::NoPlacement) => ruled().shared_store(Arc::new(store.clone())).build(),
            built => built,
        };
        let sessions = sessions.expect("the rules agree");
        Self { sessions, clock, store, faults, events, handlers: Handlers::default() }
    }
}

/// Configurations of a claim's application.
pub mod rules {
    use session_core::{Cookie, OldCookie, SecretKey, SessionsBuilder, Timestamp, TokenFrom};

    use crate::web::other_library::OtherLibrary;

    /// The defaults.
    pub fn usual(sessions: SessionsBuilder) -> SessionsBuilder {
        sessions
    }

    /// Secret fields that replace the built-in ones.
    pub fn its_own_secrets(sessions: SessionsBuilder) -> SessionsBuilder {
        sessions.replace_secret_fields(["pin"])
    }

    /// Sessions in the cookie.
    pub fn in_cookies(sessions: SessionsBuilder) -> SessionsBuilder {
        sessions.in_cookie()
    }

    /// Sessions of native clients.
    pub fn in_a_header(sessions: SessionsBuilder) -> SessionsBuilder {
        sessions.token_from(TokenFrom::Header("X-Session"))
    }

    /// A cookie for the domain of each tenant.
    pub fn per_tenant(sessions: SessionsBuilder) -> SessionsBuilder {
        sessions.cookie(Cookie::named("sid").domains(["example.net", "shop.example", "example.org"]))
    }

    /// Visitors of another library are carried over.
    pub fn importing(sessions: SessionsBuilder) -> SessionsBuilder {
        sessions.import_from(OtherLibrary::default(), Timestamp::from_millis(i64::MAX))
    }

    /// The cookie had another name, domain and key.
    pub fn with_an_old_cookie(sessions: SessionsBuilder) -> SessionsBuilder {
        let old = OldCookie::new(old_cookie()).key(old_key());
        sessions.xsrf_cookie(true).migrate_from_cookie(old, FOR_EVER)
    }

    /// Sessions were in that cookie.
    pub fn once_in_cookies(sessions: SessionsBuilder) -> SessionsBuilder {
        sessions.migrate_from_cookie(OldCookie::new(old_cookie()).key(old_key()).in_cookie(), FOR_EVER)
    }

    /// The cookie before a change of configuration.
    pub(crate) fn old_cookie() -> Cookie {
        Cookie::named("old").domain("shop.example")
    }

    pub(crate) fn old_key() -> SecretKey {
        SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| (at * 37) as u8))
            .expect("not too simple")
    }

    const FOR_EVER: Timestamp = Timestamp::from_millis(i64::MAX);

    /// Sessions that are switched off.
    pub fn switched_off(sessions: SessionsBuilder) -> SessionsBuilder {
        sessions.enabled(false)
    }

    /// Private pages, and the cookie that scripts read the token from.
    pub fn of_pages(sessions: SessionsBuilder) -> SessionsBuilder {
        sessions.private_pages(true).xsrf_cookie(true)
    }

    /// Secret fields and hosts that the application names.
    pub fn its_own(sessions: SessionsBuilder) -> SessionsBuilder {
        sessions.secret_fields(["iban"]).redirect_hosts(["accounts.example", "accounts.example:8080"])
    }
}

type Handler = Box<dyn FnOnce(Session) -> BoxFuture<()> + Send>;

/// The handler of the next `POST /do`, so that a claim has its handler beside its assertions.
#[derive(Clone, Default)]
pub struct Handlers(Arc<Mutex<Option<Handler>>>);

impl Handlers {
    /// Runs the handler that was given for this request.
    ///
    /// # Panics
    /// If there is none, or if the handler panics.
    pub async fn run(&self, session: Session) {
        let handler = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        handler.expect("a claim gives the handler before it sends the request")(session).await;
    }

    pub(super) fn give(&self, handler: Handler) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(handler);
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handlers").finish_non_exhaustive()
    }
}

/// An observer that keeps all events.
#[derive(Clone, Debug, Default)]
pub struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    /// Returns the events since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Events {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}
