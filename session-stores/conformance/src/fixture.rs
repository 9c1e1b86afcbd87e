//! What the author of a store provides for the suite: the store, and access to what the six verbs do not show.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use session_core::store::{SessionStore, StoreKey, async_trait};

/// One store for one case. The suite asks for a new fixture for every case; cases use random keys and owners, so
/// fixtures may share a database.
///
/// Some cases need more than the store: a way to damage a record, a second handle, a server that stalls. The fixture
/// provides it or declares that there is none. If it does neither, these cases fail, so that no case passes without having
/// tested anything:
///
/// | provides | declares that there is none |
/// |---|---|
/// | the store's `owners()` | [`without_owners`](Self::without_owners) |
/// | [`owner_entries`](Self::owner_entries) | [`without_owner_entries`](Self::without_owner_entries) |
/// | the store's `sweeper()` | [`without_sweep`](Self::without_sweep) |
/// | [`with_damage`](Self::with_damage) | [`without_damage`](Self::without_damage) |
/// | [`reopen`](Self::reopen) or [`shared`](Self::shared) | [`without_reopen`](Self::without_reopen) |
/// | [`shared`](Self::shared) | [`in_one_process`](Self::in_one_process) |
/// | [`stalled`](Self::stalled) | [`without_stall`](Self::without_stall) |
///
/// A store in this process:
///
/// ```
/// use session_conformance::Fixture;
/// use session_store_memory::MemoryStore;
///
/// async fn fixture() -> Fixture {
///     let store = MemoryStore::new();
///     let again = store.clone();
///     Fixture::new(store)
///         .rounds(200)
///         .with_guard("a temporary directory that is removed on drop")
///         .reopen(move || std::future::ready(again.clone()))
///         .in_one_process()
///         .without_damage()
///         .without_owner_entries()
///         .without_stall()
/// }
/// # let _ = fixture;
/// ```
///
/// A store on a server that expires records by itself, without an owner index:
///
/// ```
/// # use std::time::Duration;
/// # use session_conformance::{Damage, Fixture};
/// # use session_store_memory::MemoryStore;
/// # fn open(url: &str, deadline: Duration) -> MemoryStore { MemoryStore::new() }
/// # fn fixture(damage: impl Damage) -> Fixture {
/// # let url = "mydb://127.0.0.1:7777";
/// const A_MINUTE: Duration = Duration::from_secs(60);
/// const BRIEF: Duration = Duration::from_millis(200);
/// Fixture::new(open(url, A_MINUTE))
///     .shared(url, |url| async move { open(&url, A_MINUTE) })
///     .stalled(BRIEF, || async { Fixture::new(open("mydb://a-silent-proxy", BRIEF)) })
///     .with_damage(damage)
///     .without_owners()
///     .without_sweep()
/// # }
/// ```
///
/// A store with an index whose entries a test can count, and with at most one open handle:
///
/// ```
/// # use session_conformance::Fixture;
/// # use session_store_memory::MemoryStore;
/// # async fn rows_in_the_index_of(owner: &str) -> usize { 0 }
/// let fixture = Fixture::new(MemoryStore::new())
///     .owner_entries(|owner| async move { rows_in_the_index_of(&owner).await })
///     .without_reopen();
/// # let _ = fixture;
/// ```
pub struct Fixture {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) rounds: usize,
    pub(crate) owners: Door<()>,
    pub(crate) entries: Door<Entries>,
    pub(crate) sweep: Door<()>,
    pub(crate) damage: Door<Box<dyn Damage>>,
    pub(crate) reopen: Door<Reopen>,
    pub(crate) seen_within: Duration,
    pub(crate) shared: Door<(String, Open)>,
    pub(crate) stalled: Door<(Duration, Stalled)>,
    pub(crate) guards: Vec<Box<dyn Any + Send + Sync>>,
}

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;
pub(crate) type Reopen = Box<dyn Fn() -> Later<Arc<dyn SessionStore>> + Send + Sync>;
pub(crate) type Open = Arc<dyn Fn(String) -> Later<Arc<dyn SessionStore>> + Send + Sync>;
pub(crate) type Stalled = Box<dyn Fn() -> Later<Fixture> + Send + Sync>;
pub(crate) type Entries = Box<dyn Fn(String) -> Later<usize> + Send + Sync>;

/// What a fixture declares about something that some cases need.
pub(crate) enum Door<T> {
    /// Nothing: these cases fail.
    Undeclared,
    /// There is none: these cases do not apply.
    Without,
    /// It is provided.
    With(T),
}

impl Fixture {
    /// Creates a fixture with this store, by value or as an `Arc<dyn SessionStore>`.
    #[must_use]
    pub fn new<How>(store: impl IntoStore<How>) -> Self {
        Self {
            store: store.into_store(),
            rounds: 40,
            owners: Door::Undeclared,
            entries: Door::Undeclared,
            sweep: Door::Undeclared,
            damage: Door::Undeclared,
            reopen: Door::Undeclared,
            seen_within: Duration::ZERO,
            shared: Door::Undeclared,
            stalled: Door::Undeclared,
            guards: Vec::new(),
        }
    }

    /// Keeps a value until the case has ended: a temporary directory, a server.
    #[must_use]
    pub fn with_guard(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guards.push(Box::new(guard));
        self
    }

    /// Sets how often the cases about races are repeated; 40 by default. Raise it for a fast store.
    #[must_use]
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds.max(1);
        self
    }

    /// Declares that the store has no [`OwnerIndex`](session_core::store::OwnerIndex).
    #[must_use]
    pub fn without_owners(mut self) -> Self {
        self.owners = Door::Without;
        self.without_owner_entries()
    }

    /// Provides the number of entries that the index has for an owner, including stale ones. The suite then checks that
    /// the entries of ended and rotated sessions are removed, at the latest by the sweep.
    #[must_use]
    pub fn owner_entries<O>(mut self, count: impl Fn(String) -> O + Send + Sync + 'static) -> Self
    where
        O: Future<Output = usize> + Send + 'static,
    {
        self.entries = Door::With(Box::new(move |owner| Box::pin(count(owner))));
        self
    }

    /// Declares that the index has no entries beside the records (it is an indexed column), or none that a test can
    /// count.
    #[must_use]
    pub fn without_owner_entries(mut self) -> Self {
        self.entries = Door::Without;
        self
    }

    /// Declares that the store has no [`Sweep`](session_core::store::Sweep): its records expire without one.
    #[must_use]
    pub fn without_sweep(mut self) -> Self {
        self.sweep = Door::Without;
        self
    }

    /// Lets the suite damage stored records.
    #[must_use]
    pub fn with_damage(mut self, damage: impl Damage) -> Self {
        self.damage = Door::With(Box::new(damage));
        self
    }

    /// Declares that a record cannot be damaged, because the store keeps values and not bytes.
    #[must_use]
    pub fn without_damage(mut self) -> Self {
        self.damage = Door::Without;
        self
    }

    /// Provides a second handle on the same data in this process.
    #[must_use]
    pub fn reopen<F, S, O, How>(mut self, open: F) -> Self
    where
        F: Fn() -> O + Send + Sync + 'static,
        O: Future<Output = S> + Send + 'static,
        S: IntoStore<How>,
    {
        self.reopen = Door::With(Box::new(move || {
            let opening = open();
            Box::pin(async move { opening.await.into_store() })
        }));
        self
    }

    /// Declares that a handle may read what it has cached for up to this long after another handle has written. By default,
    /// a write is seen at once. A handle must always read its own writes.
    #[must_use]
    pub fn seen_within(mut self, bound: Duration) -> Self {
        self.seen_within = bound;
        self
    }

    /// Declares that at most one handle can be open. Includes [`in_one_process`](Self::in_one_process).
    #[must_use]
    pub fn without_reopen(mut self) -> Self {
        self.reopen = Door::Without;
        self.in_one_process()
    }

    /// Provides a way to open the same data from any process, by a text such as a URL or a path. Includes
    /// [`reopen`](Self::reopen), unless that was called before. The other process calls the fixture's function to get
    /// this closure, and calls it with the `place` of the first process.
    #[must_use]
    pub fn shared<F, S, O, How>(mut self, place: impl Into<String>, open: F) -> Self
    where
        F: Fn(String) -> O + Send + Sync + 'static,
        O: Future<Output = S> + Send + 'static,
        S: IntoStore<How>,
    {
        let place = place.into();
        let open: Open = Arc::new(move |place| {
            let opening = open(place);
            Box::pin(async move { opening.await.into_store() })
        });
        if !matches!(self.reopen, Door::With(_)) {
            let (place, open) = (place.clone(), Arc::clone(&open));
            self.reopen = Door::With(Box::new(move || open(place.clone())));
        }
        self.shared = Door::With((place, open));
        self
    }

    /// Declares that one process at a time can open the data.
    #[must_use]
    pub fn in_one_process(mut self) -> Self {
        self.shared = Door::Without;
        self
    }

    /// Provides a store of this kind that stalls: on a server that accepts connections and never answers (a
    /// [`Proxy`](crate::proxy::Proxy) with [`Weather::BlackHole`](crate::proxy::Weather) in between), or behind a lock
    /// that is held elsewhere. `deadline` is the deadline of that store; a few hundred milliseconds will do.
    #[must_use]
    pub fn stalled<O>(mut self, deadline: Duration, open: impl Fn() -> O + Send + Sync + 'static) -> Self
    where
        O: Future<Output = Self> + Send + 'static,
    {
        self.stalled = Door::With((deadline, Box::new(move || Box::pin(open()))));
        self
    }

    /// Declares that the store cannot stall: it waits for nothing outside of its process.
    #[must_use]
    pub fn without_stall(mut self) -> Self {
        self.stalled = Door::Without;
        self
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture").field("store", &self.store.name()).finish_non_exhaustive()
    }
}

/// A store by value, or shared as `Arc<dyn SessionStore>`. The parameter distinguishes the two implementations.
///
/// ```
/// use session_core::store::SessionStore;
/// use session_conformance::Fixture;
/// use std::sync::Arc;
///
/// let store = session_store_memory::MemoryStore::new();
/// let shared: Arc<dyn SessionStore> = Arc::new(store.clone());
/// // Both are accepted.
/// let fixtures = [Fixture::new(store), Fixture::new(shared)];
/// # drop(fixtures);
/// ```
pub trait IntoStore<How> {
    /// Returns the shared store.
    fn into_store(self) -> Arc<dyn SessionStore>;
}

/// See [`IntoStore`].
#[derive(Debug)]
pub enum ByValue {}

/// See [`IntoStore`].
#[derive(Debug)]
pub enum Shared {}

impl<S: SessionStore> IntoStore<ByValue> for S {
    fn into_store(self) -> Arc<dyn SessionStore> {
        Arc::new(self)
    }
}

impl IntoStore<Shared> for Arc<dyn SessionStore> {
    fn into_store(self) -> Arc<dyn SessionStore> {
        self
    }
}

/// Damages stored records, with the tools of the database and not through the store. Implemented by the author of a store.
///
/// ```
/// use session_core::store::{async_trait, StoreKey};
/// use session_conformance::{Damage, DamageKind};
///
/// /// For a store without a checksum of its own.
/// struct Scribble;
///
/// #[async_trait]
/// impl Damage for Scribble {
///     async fn damage(&self, _key: &StoreKey, _kind: DamageKind) {
///         // change the bytes of the file or row of this key
///     }
///
///     fn kinds(&self) -> &[DamageKind] {
///         &[DamageKind::Truncate, DamageKind::Garbage, DamageKind::NewerFormat]
///     }
/// }
/// ```
#[async_trait]
pub trait Damage: Send + Sync + 'static {
    /// Damages the record stored under this key, which the suite has just written.
    async fn damage(&self, key: &StoreKey, kind: DamageKind);

    /// Returns the kinds of damage that the store must detect; all by default. A store without a checksum leaves
    /// [`FlipBit`](DamageKind::FlipBit) out, and states in its documentation that it does not detect flipped bits.
    fn kinds(&self) -> &[DamageKind] {
        &DamageKind::ALL
    }
}

/// A way to damage a record.
///
/// ```
/// use session_conformance::DamageKind;
///
/// /// Damages the bytes of a record.
/// fn spoil(bytes: &mut Vec<u8>, kind: DamageKind) {
///     match kind {
///         DamageKind::Truncate => bytes.truncate(bytes.len() / 2),
///         DamageKind::FlipBit => bytes[0] ^= 1,
///         DamageKind::Garbage => bytes.fill(0xAA),
///         _ => bytes[0] = u8::MAX, // the version
///     }
/// }
/// # spoil(&mut vec![1; 4], DamageKind::ALL[0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// Truncated in the middle.
    Truncate,
    /// One bit flipped.
    FlipBit,
    /// Overwritten with arbitrary bytes.
    Garbage,
    /// Rewritten with a newer version of the format.
    NewerFormat,
}

impl DamageKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Truncate, Self::FlipBit, Self::Garbage, Self::NewerFormat];
}
