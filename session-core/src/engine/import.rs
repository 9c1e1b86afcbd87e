//! What reads the sessions of another library: the trait, and what it answers.

use std::fmt;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::visit::CookieHeaders;
use crate::value::answer::StoreError;
use crate::value::time::Timestamp;

/// Reads the sessions of another library, so that its visitors stay signed in when an application moves to this one.
///
/// Pass it to [`SessionsBuilder::import_from`](crate::SessionsBuilder::import_from). For a request with the other
/// library's cookie and no valid cookie of this one, the engine calls [`read`](Self::read) when the session is opened, stores what
/// was read as a session of its own, and calls [`end`](Self::end).
///
/// ```
/// use session_core::import::{CookieHeaders, Imported, Importer, OldSession, RefusedImport};
/// use session_core::{Timestamp, store::{StoreError, async_trait}};
///
/// /// Sessions whose cookie is the user's name in plain text: an example of the trait, and of nothing else.
/// #[derive(Debug)]
/// struct Trusting;
///
/// #[async_trait]
/// impl Importer for Trusting {
///     fn name(&self) -> &'static str {
///         "trusting"
///     }
///     fn cookie(&self) -> &str {
///         "user"
///     }
///     fn clear_cookie(&self) -> String {
///         "user=; Path=/; Max-Age=0".to_owned()
///     }
///     fn keeps_records(&self) -> bool {
///         false
///     }
///     async fn read(&self, cookie: &[u8], _: &CookieHeaders, _: Timestamp) -> Result<OldSession, StoreError> {
///         let Ok(user) = str::from_utf8(cookie) else { return Ok(OldSession::Refused(RefusedImport::Malformed)) };
///         Ok(OldSession::Found { token: cookie.to_vec(), session: Imported::new(Default::default()).with_user(user) })
///     }
///     async fn end(&self, _: &[u8]) -> Result<(), StoreError> {
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Importer: fmt::Debug + Send + Sync + 'static {
    /// The other library's name in errors and events: `"tower-sessions"`. The derived ids depend on it.
    fn name(&self) -> &'static str;

    /// The name of the other library's cookie.
    fn cookie(&self) -> &str;

    /// Returns the value of the `Set-Cookie` header that removes the other library's cookie.
    fn clear_cookie(&self) -> String;

    /// Whether the other library keeps a record that [`end`](Self::end) removes; `true` by default. Return `false` if the session
    /// is in the cookie itself: the engine then keeps a note in the store until [`Imported::expires`] or the import is
    /// switched off, so that a copied cookie is not imported again after a sign-out.
    fn keeps_records(&self) -> bool {
        true
    }

    /// Reads the session that this value of the cookie names, and changes nothing. The value is as it was received. `all` are
    /// the cookies of the request, for libraries that keep a part of the session in another one.
    ///
    /// # Errors
    /// [`StoreError`] if the other library's store fails; the request is answered with 503 and keeps its cookies.
    /// Whatever is wrong with the cookie or the record is [`OldSession::Refused`].
    async fn read(
        &self,
        cookie: &[u8],
        all: &CookieHeaders,
        now: Timestamp,
    ) -> Result<OldSession, StoreError>;

    /// Ends the session with this [`token`](OldSession::Found::token), whether or not it exists.
    ///
    /// # Errors
    /// [`StoreError`] if the other library's store fails. The next request tries again.
    async fn end(&self, token: &[u8]) -> Result<(), StoreError>;
}

/// What [`Importer::read`] found.
#[derive(Clone)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the answers there are")]
#[expect(clippy::large_enum_variant, reason = "made once for a visitor, and matched at once")]
pub enum OldSession {
    /// The cookie or the record cannot be used; the visitor is a stranger.
    Refused(RefusedImport),
    /// The cookie is authentic, but there is no record: the session was imported before, or has ended.
    Missing {
        /// As for `Found`.
        token: Vec<u8>,
    },
    /// A live session.
    Found {
        /// What identifies the session and cannot be guessed, such as its id. It is hashed with the application's key.
        token: Vec<u8>,
        /// The session.
        session: Imported,
    },
}

/// Leaves out the token, which is a secret, and the values.
impl fmt::Debug for OldSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => write!(f, "Refused({reason:?})"),
            Self::Missing { .. } => f.write_str("Missing"),
            Self::Found { .. } => f.write_str("Found"),
        }
    }
}

/// A session of another library.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Imported {
    /// The values by their top-level names.
    pub data: Map<String, Value>,
    /// The user that the session is tagged with.
    pub user: Option<String>,
    /// The flash that the next page shows.
    pub flash: ImportedFlash,
    /// The page that the visitor asked for before signing in, and the page before this one. A URL that
    /// [`Urls::allows`](crate::facet::Urls::allows) refuses is left out.
    pub intended: Option<String>,
    /// See `intended`.
    pub previous: Option<String>,
    /// When the old session would have expired, if it says so. The new session has the lifetimes of the application's
    /// policy.
    pub expires: Option<Timestamp>,
}

impl Imported {
    /// Makes a session of these values.
    #[must_use]
    pub fn new(data: Map<String, Value>) -> Self {
        Self { data, ..Self::default() }
    }

    /// Sets the user that the session is tagged with.
    #[must_use]
    pub fn with_user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Sets when the old session expires.
    #[must_use]
    pub fn with_expiry(mut self, expires: Timestamp) -> Self {
        self.expires = Some(expires);
        self
    }
}

/// What the other library kept for the next page. Whatever cannot be kept, or does not fit with the values, is left out.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ImportedFlash {
    /// The messages by their names.
    pub messages: Map<String, Value>,
    /// The fields of a rejected form; secrets are left out.
    pub input: Map<String, Value>,
    /// The messages of the fields that were rejected.
    pub errors: Vec<ImportedError>,
}

/// The messages of one field that was rejected.
#[derive(Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "a promise: an error has no more parts")]
pub struct ImportedError {
    /// The [named form](crate::Session::form) of the field; empty for the only form of a page.
    pub form: String,
    /// The field.
    pub field: String,
    /// The messages.
    pub messages: Vec<String>,
}

/// Shows how much there is, and no text of a visitor.
impl fmt::Debug for ImportedFlash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportedFlash")
            .field("messages", &self.messages.len())
            .field("input", &self.input.len())
            .field("errors", &self.errors.len())
            .finish()
    }
}

/// Shows the field, and how many messages it has.
impl fmt::Debug for ImportedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportedError")
            .field("form", &self.form)
            .field("field", &self.field)
            .field("messages", &self.messages.len())
            .finish()
    }
}

/// Why a session of another library was not imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusedImport {
    /// The cookie's signature or encryption is not valid under the given keys.
    Forged,
    /// The cookie or the record is not of the expected format.
    Malformed,
    /// The old session has expired.
    Expired,
    /// There is no such session any more: it has ended, or was imported more than five minutes ago.
    Gone,
    /// The session is larger than a record may be.
    TooLarge,
}

/// An importer and the time at which it is switched off.
pub(crate) struct Source {
    pub(crate) importer: Box<dyn Importer>,
    pub(crate) until: Timestamp,
}
