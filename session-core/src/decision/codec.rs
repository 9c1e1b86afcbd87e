//! The cookie codec: decodes the cookies of a request, and encodes the `Set-Cookie` header of a response.
//!
//! It holds the keys, the cookie's name and attributes, and the binding of seals; it reads no clock and no store.

use std::fmt;

use super::commit::{CommitError, CookieOrder};
use super::decide::Placement;
use super::state::{Arrival, Claim, SessionState};
use crate::value::cookie::format::{CookieSpec, CookieTooLarge, Scope};
use crate::value::cookie::keyring::KeyRing;
use crate::value::cookie::parse::Candidates;
use crate::value::cookie::seal::{Binding, SealKind, Sealed, sealed_len};
use crate::value::cookie::select::{Rejections, Selection, select_from, touched};
use crate::value::cookie::token::{IdToken, RecordToken, Token, touch};
use crate::value::id::SessionId;
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// Opens and seals the session's cookie.
///
/// ```
/// use session_core::machine::{CookieCodec, table::Placement};
/// use session_core::{Cookie, KeyRing, SecretKey, Timestamp};
///
/// let keys = KeyRing::new([SecretKey::generate()?])?;
/// let codec = CookieCodec::new(keys, Cookie::host("sid").build()?, "session");
/// // A forged cookie came in, and it names nothing.
/// let read = codec.decode(Placement::Store, [b"__Host-sid=forged".as_slice()], Timestamp::from_millis(0));
/// assert!(read.arrival.came && read.arrival.claim.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CookieCodec {
    keys: KeyRing,
    /// The cookie for each domain; the first one is the cookie as configured.
    places: Vec<Place>,
    /// Tokens are the whole value of this header, and not in a cookie.
    header: Option<&'static str>,
}

/// The cookie of one scope and what its values are bound to.
struct Place {
    cookie: CookieSpec,
    binding: Binding,
}

/// The decoded cookies of a request.
#[derive(Debug)]
#[non_exhaustive]
pub struct Decoded {
    /// The arrival, to open a session with.
    pub arrival: Arrival,
    /// Why cookies with this name were rejected.
    pub rejected: Rejections,
    /// The number of cookies with this name beside the first.
    pub duplicates: usize,
    /// The number of those that were not looked at, since there were too many.
    pub ignored: usize,
}

impl CookieCodec {
    /// Makes a codec for this cookie and these keys. Cookies that were sealed for one `purpose` are rejected for
    /// another.
    #[must_use]
    pub fn new(keys: KeyRing, cookie: CookieSpec, purpose: &str) -> Self {
        let place = |cookie: &CookieSpec| Place { cookie: cookie.clone(), binding: cookie.binding(purpose) };
        Self { keys, places: cookie.scopes().map(place).collect(), header: None }
    }

    /// A codec for tokens in a header of this name, which open in no cookie, and the other way round.
    pub(crate) fn in_header(keys: KeyRing, cookie: CookieSpec, name: &'static str, purpose: &str) -> Self {
        let binding = Binding::cookie(name, "Header", purpose);
        Self { keys, places: vec![Place { cookie, binding }], header: Some(name) }
    }

    /// The id of the session that is made of another library's.
    pub(crate) fn imported_id(&self, library: &str, token: &[u8]) -> SessionId {
        SessionId::from_bytes(*self.keys.derive_imported(library, token))
    }

    /// The header that tokens come in, if they do not come in a cookie.
    pub(crate) fn header(&self) -> Option<&'static str> {
        self.header
    }

    /// Returns the cookie's name and attributes.
    #[must_use]
    pub fn cookie(&self) -> &CookieSpec {
        &self.places[0].cookie
    }

    fn place(&self, scope: Scope) -> &Place {
        self.places.get(scope.place()).unwrap_or(&self.places[0])
    }

    /// Decodes the values of a request's `Cookie` headers.
    pub fn decode<'c>(
        &self,
        placement: Placement,
        headers: impl IntoIterator<Item = &'c [u8]> + Clone,
        now: Timestamp,
    ) -> Decoded {
        self.decode_at(None, placement, headers, now)
    }

    /// Decodes the values of the `Cookie` headers of a request to this host, which decides on the cookie's domain with
    /// [`Cookie::domains`](crate::Cookie::domains).
    pub fn decode_at<'c>(
        &self,
        host: Option<&[u8]>,
        placement: Placement,
        headers: impl IntoIterator<Item = &'c [u8]> + Clone,
        now: Timestamp,
    ) -> Decoded {
        let scope = host.map(|host| self.cookie().scope_of(host)).unwrap_or_default();
        let place = self.place(scope);
        let mut decoded = match placement {
            Placement::Store => {
                decoded(self.select(place, headers, now, |_| {}), |token: IdToken| Claim::Id(token.id))
            }
            Placement::Cookie => {
                let complete = |token: &mut RecordToken| self.touch(place, token, headers.clone());
                decoded(self.select(place, headers.clone(), now, complete), |token| {
                    Claim::Record(token.id, token.record)
                })
            }
        };
        decoded.arrival.scope = scope;
        decoded
    }

    fn select<'c, T: Token>(
        &self,
        place: &Place,
        headers: impl IntoIterator<Item = &'c [u8]>,
        now: Timestamp,
        complete: impl FnOnce(&mut T),
    ) -> Selection<T> {
        let name = place.cookie.name();
        let candidates =
            if self.header.is_some() { Candidates::whole(headers) } else { Candidates::find(headers, name) };
        select_from(&self.keys, &place.binding, name, &candidates, now, complete)
    }

    /// Moves the idle deadline of a carried session to where its touch cookie says, never back.
    fn touch<'c>(&self, place: &Place, token: &mut RecordToken, headers: impl IntoIterator<Item = &'c [u8]>) {
        let binding = || place.binding.touch(&token.id.store_key(), token.record.etag);
        if let Some(deadline) = touched(&self.keys, binding, place.cookie.touch_name(), headers) {
            token.record.idle_deadline = token.record.idle_deadline.max(deadline);
        }
    }

    /// Returns the `Set-Cookie` values that the commits of this session ordered. Calls `now` if a cookie must be sealed.
    ///
    /// # Errors
    /// [`CommitError::TooLarge`] if the cookie is longer than allowed.
    pub fn encode(
        &self,
        state: &SessionState,
        now: impl FnOnce() -> Timestamp,
    ) -> Result<SetCookies, CommitError> {
        let place = self.place(state.scope());
        let mut cookies = SetCookies::default();
        match state.cookie() {
            CookieOrder::Keep => {}
            CookieOrder::Clear { .. } if self.header.is_some() => cookies.session = Some(String::new()),
            CookieOrder::Clear { touch } => {
                cookies.session = Some(place.cookie.clear());
                cookies.touch = touch.then(|| place.cookie.clear_touch());
            }
            CookieOrder::SetId { id, absolute_deadline, expires, nonce } => {
                let now = now();
                let token = IdToken { issued_at: now, absolute_deadline: *absolute_deadline, id: id.clone() };
                let sealed = self.keys.seal(&place.binding, SealKind::Id, nonce, &token.encode()[..]);
                cookies.session = Some(match self.header {
                    Some(_) => sealed.into_string(),
                    None => set(place, &sealed, *expires, now)?,
                });
            }
            CookieOrder::SetRecord { id, record, expires, nonce } => {
                let now = now();
                let text = RecordToken::encode_parts(now, id, record);
                let sealed = self.keys.seal(&place.binding, SealKind::Record, nonce, &text);
                cookies.session = Some(set(place, &sealed, *expires, now)?);
            }
            CookieOrder::SetTouch { id, etag, idle_deadline, expires, nonce } => {
                let binding = place.binding.touch(&id.store_key(), *etag);
                let sealed = self.keys.seal(&binding, SealKind::Touch, nonce, &touch(*idle_deadline));
                let expiry = expires.map(|at| (now().until(at), at));
                cookies.touch = Some(place.cookie.set_touch(&sealed, expiry));
            }
        }
        Ok(cookies)
    }

    /// Seals what belongs to this cookie's sessions, such as a challenge.
    #[cfg(feature = "dbsc")]
    pub(crate) fn seal(&self, kind: SealKind, nonce: &[u8; 24], text: &[u8]) -> Sealed {
        self.keys.seal(&self.places[0].binding, kind, nonce, text)
    }

    /// The cookie of this scope.
    pub(crate) fn cookie_at(&self, scope: Scope) -> &CookieSpec {
        &self.place(scope).cookie
    }

    /// Opens what [`seal`](Self::seal) made.
    #[cfg(feature = "dbsc")]
    pub(crate) fn unseal(&self, kind: SealKind, value: &[u8]) -> Option<Vec<u8>> {
        self.keys.open(&self.places[0].binding, kind, value).ok().map(|opened| opened.plaintext)
    }

    /// Whether a cookie would be too long with this record in it, told before anything is done that counts on it.
    pub(crate) fn check(
        &self,
        scope: Scope,
        record: &Record,
        is_persistent: bool,
    ) -> Result<(), CommitError> {
        self.room(scope, record, is_persistent).map_err(too_large)
    }

    /// Whether the cookie has room for this record.
    pub(crate) fn room(
        &self,
        scope: Scope,
        record: &Record,
        is_persistent: bool,
    ) -> Result<(), CookieTooLarge> {
        let value = sealed_len(RecordToken::HEAD_LEN + record.size());
        self.place(scope).cookie.check(value, is_persistent)
    }
}

fn set(
    place: &Place,
    sealed: &Sealed,
    expires: Option<Timestamp>,
    now: Timestamp,
) -> Result<String, CommitError> {
    place.cookie.set(sealed, expires.map(|at| (now.until(at), at))).map_err(too_large)
}

fn too_large(CookieTooLarge { size, limit }: CookieTooLarge) -> CommitError {
    CommitError::TooLarge { size, limit }
}

fn decoded<T>(chosen: Selection<T>, claim: impl FnOnce(T) -> Claim) -> Decoded {
    let mut arrival = Arrival::without_cookie();
    arrival.claim = chosen.token.map(claim);
    (arrival.came, arrival.old_key) = (chosen.came_in, chosen.with_old_key);
    Decoded { arrival, rejected: chosen.rejected, duplicates: chosen.duplicates, ignored: chosen.ignored }
}

/// The `Set-Cookie` values of a response, at most one for each cookie.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetCookies {
    /// The session's cookie.
    pub session: Option<String>,
    /// The touch cookie of a session that is carried in its cookie.
    pub touch: Option<String>,
}

/// Shows only whether they are set, since they are secrets.
impl fmt::Debug for SetCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetCookies")
            .field("session", &self.session.is_some())
            .field("touch", &self.touch.is_some())
            .finish()
    }
}

/// Leaves out the keys.
impl fmt::Debug for CookieCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieCodec").field("cookie", self.cookie()).finish_non_exhaustive()
    }
}
