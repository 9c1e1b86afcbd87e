//! What a `WebApp` is made with: sessions on doubles, and handlers that a claim gives on the way.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use session_core::{
    ConfigError, Event, Observer, SecretKey, Session, Sessions, SessionsBuilder, adapter::BoxFuture,
    store::SessionStore,
};

use crate::fixture::IntoStore;
use session_testkit::{FaultyStore, ManualClock, OpLog};

/// The sessions of an application under trial, and the doors to what is around them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setting {
    /// What the adapter lays around its routes.
    pub sessions: Sessions,
    /// Moves their time.
    pub clock: ManualClock,
    /// What their store was asked.
    pub store: OpLog<dyn SessionStore>,
    /// Makes their store fail.
    pub faults: FaultyStore<dyn SessionStore>,
    /// What they told their observer.
    pub events: Events,
    /// What `POST /do` does.
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
        // The store is for all rules but those that put sessions into the cookie.
        let sessions = match ruled().build() {
            Err(ConfigError::NoPlacement) => ruled().shared_store(Arc::new(store.clone())).build(),
            built => built,
        };
        let sessions = sessions.expect("the rules agree");
        Self { sessions, clock, store, faults, events, handlers: Handlers::default() }
    }
}

/// Which rules a claim's application has.
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

    /// Sessions in their cookies.
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

    /// No sessions at all.
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

/// What the next `POST /do` does: a claim writes its handler where it says what comes of it.
#[derive(Clone, Default)]
pub struct Handlers(Arc<Mutex<Option<Handler>>>);

impl Handlers {
    /// Runs the handler that was given for this request.
    ///
    /// # Panics
    /// When there is none, and where the handler does.
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

/// Everything that an observer hears.
#[derive(Clone, Debug, Default)]
pub struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    /// What was heard since the last time.
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
