//! The types that can be used as keys: strings, slices of segments, and typed constants.

use std::fmt;
use std::marker::PhantomData;

use super::Path;

/// A typed key, for a constant that readers and writers share.
///
/// ```
/// use session_core::{Key, machine::Values};
///
/// const HITS: Key<u32> = Key::new("stats.hits");
///
/// let mut values = Values::default();
/// values.put(HITS, 3)?;
/// let hits = values.get(HITS)?; // an Option<u32>, without saying so
/// assert_eq!(hits, Some(3));
/// # Ok::<(), session_core::ValueError>(())
/// ```
///
/// The compiler checks the type on reading and on writing:
///
/// ```compile_fail,E0277
/// # use session_core::{Key, machine::Values};
/// const HITS: Key<u32> = Key::new("stats.hits");
/// Values::default().put(HITS, "three");
/// ```
///
/// ```compile_fail,E0308
/// # use session_core::{Key, Session};
/// const HITS: Key<u32> = Key::new("stats.hits");
/// let hits: Option<String> = Session::standalone().get(HITS).unwrap();
/// ```
///
/// ```compile_fail,E0277
/// # use session_core::Session;
/// Session::standalone().get::<u32>(7).unwrap(); // a number is no key
/// ```
pub struct Key<T: ?Sized> {
    name: &'static str,
    holds: PhantomData<fn() -> Box<T>>,
}

impl<T: ?Sized> Key<T> {
    /// Makes a key from a path with dots and brackets.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, holds: PhantomData }
    }

    /// Returns the path as text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl<T: ?Sized> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Key<T> {}

impl<T: ?Sized> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.name).finish()
    }
}

/// Types that name one value, of any type.
///
/// ```
/// use session_core::{path::AnyKey, Key, Session};
///
/// /// Takes whatever names a value.
/// fn forget_it(session: &Session, key: impl AnyKey) -> bool {
///     session.forget(key.path()).is_ok()
/// }
/// let session = Session::standalone();
/// assert!(forget_it(&session, "cart.items[0]") && forget_it(&session, Key::<u32>::new("hits")));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a key of a session",
    label = "not a key",
    note = "a key is text with dots (\"cart.items.0\"), a list of segments ([\"user\", \"a.b\"]), or a constant `Key<T>`"
)]
pub trait AnyKey {
    /// Returns the path.
    fn path(&self) -> Path<'_>;
}

/// Keys from which a `T` can be read. Strings and slices fit every `T`, a [`Key`] only its own type.
///
/// ```
/// use session_core::{Session, SessionError, path::ToPath};
///
/// fn count(session: &Session, key: impl ToPath<u32>) -> Result<u32, SessionError> {
///     session.get_or(key, 0)
/// }
/// assert_eq!(count(&Session::standalone(), "hits")?, 0);
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no key of a `{T}`",
    label = "no key of a `{T}`",
    note = "a key is text (of any type), a list of segments, or a constant `Key<T>`, which is read as its own `T`"
)]
pub trait ToPath<T: ?Sized>: AnyKey {}

/// Keys under which a `V` can be put. Strings and slices accept every type; a [`Key<T>`] accepts `T` and `&T`, and a
/// `Key<String>` also `&str`.
///
/// ```
/// use session_core::{path::Accepts, Key, Session, SessionError};
///
/// fn greet(session: &Session, key: impl Accepts<String>) -> Result<(), SessionError> {
///     session.put(key, "Good morning".to_owned())
/// }
/// greet(&Session::standalone(), "greeting")?;
/// greet(&Session::standalone(), Key::<String>::new("greeting"))?;
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "a `{V}` cannot be put under `{Self}`",
    label = "this key does not hold a `{V}`",
    note = "a `Key<T>` takes a `T` or a `&T`; change the value or the constant's type, or use a string for a key of any type"
)]
pub trait Accepts<V: ?Sized>: AnyKey {}

macro_rules! keys {
    ($([$($generics:tt)*] $key:ty, $this:ident => $path:expr;)*) => {$(
        impl<$($generics)*> AnyKey for $key {
            fn path(&self) -> Path<'_> {
                let $this = self;
                $path
            }
        }

        impl<T: ?Sized, $($generics)*> ToPath<T> for $key {}

        impl<V: ?Sized, $($generics)*> Accepts<V> for $key {}
    )*};
}

keys! {
    [] &str, this => Path::text(this);
    [] String, this => Path::text(this);
    [] &String, this => Path::text(this);
    [] Path<'_>, this => *this;
    [] &[&str], this => Path::segments(this);
    [const N: usize] [&str; N], this => Path::segments(this);
    [const N: usize] &[&str; N], this => Path::segments(&this[..]);
    [] Vec<&str>, this => Path::segments(this);
    [] &[String], this => Path::owned_segments(this);
    [const N: usize] [String; N], this => Path::owned_segments(this);
    [const N: usize] &[String; N], this => Path::owned_segments(&this[..]);
    [] Vec<String>, this => Path::owned_segments(this);
    [] &Vec<String>, this => Path::owned_segments(this);
}

impl<T: ?Sized> AnyKey for Key<T> {
    fn path(&self) -> Path<'_> {
        Path::text(self.name)
    }
}

impl<T: ?Sized> ToPath<T> for Key<T> {}
impl<T> Accepts<T> for Key<T> {}
impl<T: ?Sized> Accepts<&T> for Key<T> {}
impl Accepts<&str> for Key<String> {}

/// One key or many.
///
/// A list holds keys here, not the segments of one: `forget(["a", "b"])` forgets two values. One key given by segments
/// is a [`Path`] (`Path::segments(&["user", "a.b"])`) or a list of lists.
///
/// ```
/// use session_core::Session;
///
/// let session = Session::standalone();
/// session.put("a", 1)?;
/// // One, or all of many.
/// assert!(session.has("a") && !session.has(["a", "b"]));
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a key of a session nor a list of keys",
    label = "neither a key nor a list of keys",
    note = "a key is text, a `Path` or a `Key<T>`; a list of them is an array, a slice or a `Vec`"
)]
pub trait ToPaths {
    /// Returns the paths, in order.
    fn paths(&self) -> Paths<'_>;
}

/// The paths returned by [`ToPaths`].
#[derive(Debug)]
pub struct Paths<'a>(Count<'a>);

#[derive(Debug)]
enum Count<'a> {
    One(Path<'a>),
    Many(Vec<Path<'a>>),
}

impl<'a> Paths<'a> {
    /// Returns all paths.
    #[must_use]
    pub fn as_slice(&self) -> &[Path<'a>] {
        match &self.0 {
            Count::One(path) => std::slice::from_ref(path),
            Count::Many(paths) => paths,
        }
    }
}

macro_rules! one {
    ($($key:ty),*) => {$(
        impl ToPaths for $key {
            fn paths(&self) -> Paths<'_> {
                Paths(Count::One(self.path()))
            }
        }
    )*};
}
one!(&str, String, &String, Path<'_>);

impl<T: ?Sized> ToPaths for Key<T> {
    fn paths(&self) -> Paths<'_> {
        Paths(Count::One(self.path()))
    }
}

macro_rules! many {
    ($([$($generics:tt)*] $list:ty;)*) => {$(
        impl<P: AnyKey, $($generics)*> ToPaths for $list {
            fn paths(&self) -> Paths<'_> {
                Paths(Count::Many(self.iter().map(AnyKey::path).collect()))
            }
        }
    )*};
}
many! {
    [const N: usize] [P; N];
    [const N: usize] &[P; N];
    [] &[P];
    [] Vec<P>;
    [] &Vec<P>;
}
