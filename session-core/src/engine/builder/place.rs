//! Where sessions are kept: in a store, encrypted or not, or in the cookie, with or without a list of revocations.

use std::sync::Arc;

use super::SessionsBuilder;
use crate::engine::import::{Importer, Source};
use crate::engine::old_cookie::OldCookie;
use crate::engine::store::SessionStore;
use crate::value::time::Timestamp;

impl SessionsBuilder {
    /// Keeps sessions in this store. The cookie carries only an id.
    pub fn store(mut self, store: impl SessionStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Takes an `Arc`, for a store that is chosen at run time.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use session_core::{SecretKey, Sessions, store::SessionStore};
    /// # use session_store_memory::MemoryStore;
    /// let chosen: Arc<dyn SessionStore> = Arc::new(MemoryStore::new());
    /// let sessions = Sessions::builder().shared_store(chosen).key(SecretKey::generate()?).build()?;
    /// assert!(sessions.store().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shared_store(mut self, store: Arc<dyn SessionStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Replaces the store by what `wrap` makes of it: a store around it that measures or counts its calls. Without a store,
    /// nothing is wrapped. [`encrypt_at_rest`](Self::encrypt_at_rest) seals records before they reach either.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use session_core::{SecretKey, Sessions, store::SessionStore};
    /// # use session_store_memory::MemoryStore;
    /// use session_testkit::OpLog;
    ///
    /// // A store that the configuration chose, and a log around it.
    /// let builder = Sessions::builder().store(MemoryStore::new()).key(SecretKey::generate()?);
    /// let sessions = builder.map_store(OpLog::over).build()?;
    /// # let _ = sessions;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map_store<S: SessionStore>(mut self, wrap: impl FnOnce(Arc<dyn SessionStore>) -> S) -> Self {
        self.store = self.store.map(|store| Arc::new(wrap(store)) as Arc<dyn SessionStore>);
        self
    }

    /// Keeps each session in its cookie: no server is needed, a session holds about 3 KB, and of two concurrent writes
    /// the last response wins. A copied cookie works until its deadline; see [`revocations`](Self::revocations).
    pub fn in_cookie(mut self) -> Self {
        self.in_cookie = true;
        self
    }

    /// Carries visitors of another library over, until this time: for a request with that library's cookie and no valid
    /// cookie of this one, its session is read, stored as one of this library, and ended. The response sets the new cookie
    /// and removes the old one. Requests that arrive together make one session. It costs a visitor's first request the
    /// other library's read and removal; requests without the other library's cookie cost nothing more.
    ///
    /// Whatever is wrong with the old cookie or record, the visitor is a stranger and the event
    /// [`RefusedImport`](crate::Event::RefusedImport) says why. Sessions must be in a store, and their id in a cookie.
    /// [`detached`](crate::adapter::Visit::detached) sessions carry nobody over, since they set no cookie.
    pub fn import_from(mut self, importer: impl Importer, until: impl Into<Timestamp>) -> Self {
        self.imports.push(Source { importer: Box::new(importer), until: until.into() });
        self
    }

    /// Recognises the cookie of an earlier configuration, until this time, so that a change of its name, path, domain, or of
    /// the place where sessions are kept, signs nobody out. Call it once for each configuration that cookies may be left of.
    ///
    /// For a request with that cookie and none of the current one, the session is opened as it was, and the response sets the
    /// current cookie and removes the old one. A session that stays where it is keeps its id. One that moves from the cookie
    /// into the store, or back, gets another, the same for all requests that arrive together; that costs its visitor's first
    /// request a few store calls. A forged or expired old cookie is a stranger's, with the event
    /// [`RejectedCookie`](crate::Event::RejectedCookie).
    ///
    /// From a store into the cookie, the old store also keeps the list of revocations, unless one is configured: opening a
    /// session costs one load, as with [`revocations`](Self::revocations).
    ///
    /// [`detached`](crate::adapter::Visit::detached) sessions are opened by an old cookie only if they stay where they are.
    ///
    /// # Security
    /// Until then, the old cookie is worth as much as the current one, and is protected as it was: a cookie of a domain can
    /// be set by each of its hosts, whatever the current cookie is.
    ///
    /// ```
    /// # use session_core::{Cookie, OldCookie, SecretKey, Sessions, Timestamp};
    /// # use session_store_memory::MemoryStore;
    /// let month = std::time::Duration::from_secs(30 * 24 * 60 * 60);
    /// let sessions = Sessions::builder()
    ///     .store(MemoryStore::new())
    ///     .key(SecretKey::generate()?)
    ///     .cookie(Cookie::host("shop"))
    ///     .migrate_from_cookie(OldCookie::new(Cookie::named("sid").path("/shop")), Timestamp::now().plus(month))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn migrate_from_cookie(mut self, old: OldCookie, until: impl Into<Timestamp>) -> Self {
        self.old_cookies.push((old, until.into()));
        self
    }

    /// For sessions in cookies: keeps a list of ended sessions in this store, so that a copied cookie is refused after
    /// sign-out. It costs one load per request that opens its session. Without it, `destroy` only removes the cookie
    /// from the browser.
    ///
    /// ```
    /// # use session_core::{SecretKey, Sessions};
    /// # use session_store_memory::MemoryStore;
    /// let sessions = Sessions::builder()
    ///     .in_cookie()
    ///     .revocations(MemoryStore::new())
    ///     .key(SecretKey::generate()?)
    ///     .build()?;
    /// // The store holds notes of what ended, never a session.
    /// assert!(sessions.store().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn revocations(mut self, store: impl SessionStore) -> Self {
        self.revocations = Some(Arc::new(store));
        self
    }

    /// Takes an `Arc`, for a store that is chosen at run time.
    pub fn shared_revocations(mut self, store: Arc<dyn SessionStore>) -> Self {
        self.revocations = Some(store);
        self
    }

    /// Wraps the store in an [`EncryptedStore`](crate::store::EncryptedStore) with the keys of the cookie. A record
    /// that was altered or moved to another key is treated as corrupt. Records that were written without encryption
    /// become unreadable, and their visitors are signed out.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::{adapter::{Clock as _, CookieHeaders, SystemClock}, store::SessionStore as _};
    /// # let store = std::sync::Arc::new(session_store_memory::MemoryStore::new());
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().shared_store(store.clone()).key(key);
    /// let sessions = builder.encrypt_at_rest(true).build()?;
    /// # let guard = sessions.visit(CookieHeaders::default(), &Here);
    /// # let session = guard.visit().session().await?;
    /// # session.tag("ada")?;
    /// session.put("diagnosis", "a cold")?;
    /// session.commit().await?;
    /// # let index = store.owners().expect("the memory store has an index");
    /// # let (_, record) = index.list("ada", SystemClock.now()).await?.remove(0);
    /// // What the store got of it:
    /// assert!(!String::from_utf8_lossy(&record.payload).contains("a cold"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn encrypt_at_rest(mut self, encrypt: bool) -> Self {
        self.encrypt_at_rest = encrypt;
        self
    }
}
