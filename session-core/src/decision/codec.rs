//! The cookie codec: decodes the cookies of a request, and encodes the `Set-Cookie` header of a response.
//!
//! It holds the keys, the cookie's name and attributes, and the binding of seals; it reads no clock and no store.

use std::fmt;

use super::commit::{CommitError, CookieOrder};
use super::decide::Placement;
use super::state::{Arrival, Claim};
use crate::value::cookie::format::{CookieSpec, CookieTooLarge};
use crate::value::cookie::keyring::KeyRing;
use crate::value::cookie::parse::Candidates;
use crate::value::cookie::seal::{Binding, SealKind, sealed_len};
use crate::value::cookie::select::{Rejections, Selection, select_from, touched};
use crate::value::cookie::token::{IdToken, RecordToken, Token, touch};
use crate::value::record::Record;
use crate::value::time::Timestamp;

/// Opens and seals the session's cookie.
///
/// ```
/// use session_core::machine::{CookieCodec, Placement};
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
        Self { binding: cookie.binding(purpose), keys, cookie }
    }

    /// Returns the cookie's name and attributes.
    #[must_use]
    pub fn cookie(&self) -> &CookieSpec {
        &self.cookie
    }

    /// Decodes the values of a request's `Cookie` headers.
    pub fn decode<'c>(
        &self,
        placement: Placement,
        headers: impl IntoIterator<Item = &'c [u8]> + Clone,
        now: Timestamp,
    ) -> Decoded {
        match placement {
            Placement::Store => {
                decoded(self.select(headers, now, |_| {}), |token: IdToken| Claim::Id(token.id))
            }
            Placement::Cookie => {
                let complete = |token: &mut RecordToken| self.touch(token, headers.clone());
                decoded(self.select(headers.clone(), now, complete), |token| {
                    Claim::Record(token.id, token.record)
                })
            }
        }
    }

    fn select<'c, T: Token>(
        &self,
        headers: impl IntoIterator<Item = &'c [u8]>,
        now: Timestamp,
        complete: impl FnOnce(&mut T),
    ) -> Selection<T> {
        let name = self.cookie.name();
        select_from(&self.keys, &self.binding, name, &Candidates::find(headers, name), now, complete)
    }

    /// Moves the idle deadline of a carried session to where its touch cookie says, never back.
    fn touch<'c>(&self, token: &mut RecordToken, headers: impl IntoIterator<Item = &'c [u8]>) {
        let binding = || self.binding.touch(&token.id.store_key(), token.record.etag);
        if let Some(deadline) = touched(&self.keys, binding, self.cookie.touch_name(), headers) {
            token.record.idle_deadline = token.record.idle_deadline.max(deadline);
        }
    }

    /// Returns the `Set-Cookie` values for this order. Calls `now` if a cookie must be sealed.
    ///
    /// # Errors
    /// [`CommitError::TooLarge`] if the cookie is longer than allowed.
    pub fn encode(
        &self,
        order: &CookieOrder,
        now: impl FnOnce() -> Timestamp,
    ) -> Result<SetCookies, CommitError> {
        let mut cookies = SetCookies::default();
        match order {
            CookieOrder::Keep => {}
            CookieOrder::Clear { touch } => {
                cookies.session = Some(self.cookie.clear());
                cookies.touch = touch.then(|| self.cookie.clear_touch());
            }
            CookieOrder::SetId { id, absolute_deadline, expires, nonce } => {
                let now = now();
                let token = IdToken { issued_at: now, absolute_deadline: *absolute_deadline, id: id.clone() };
                let set = self.set(SealKind::Id, nonce, &token.encode()[..], *expires, now)?;
                cookies.session = Some(set);
            }
            CookieOrder::SetRecord { id, record, expires, nonce } => {
                let now = now();
                let text = RecordToken::encode_parts(now, id, record);
                cookies.session = Some(self.set(SealKind::Record, nonce, &text, *expires, now)?);
            }
            CookieOrder::SetTouch { id, etag, idle_deadline, expires, nonce } => {
                let binding = self.binding.touch(&id.store_key(), *etag);
                let sealed = self.keys.seal(&binding, SealKind::Touch, nonce, &touch(*idle_deadline));
                let expiry = expires.map(|at| (now().until(at), at));
                cookies.touch = Some(self.cookie.set_touch(&sealed, expiry));
            }
        }
        Ok(cookies)
    }

    fn set(
        &self,
        kind: SealKind,
        nonce: &[u8; 24],
        text: &[u8],
        expires: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<String, CommitError> {
        let sealed = self.keys.seal(&self.binding, kind, nonce, text);
        let header = self.cookie.set(&sealed, expires.map(|at| (now.until(at), at)));
        header.map_err(too_large)
    }

    /// Whether a cookie would be too long with this record in it, told before anything is done that counts on it.
    pub(crate) fn check(&self, record: &Record, is_persistent: bool) -> Result<(), CommitError> {
        let value = sealed_len(RecordToken::HEAD_LEN + record.size());
        self.cookie.check(value, is_persistent).map_err(too_large)
    }
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
        f.debug_struct("CookieCodec").field("cookie", &self.cookie).finish_non_exhaustive()
    }
}
