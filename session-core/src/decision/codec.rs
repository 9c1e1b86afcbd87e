//! The cookie codec: decodes the cookies of a request, and encodes the `Set-Cookie` header of a response.
//!
//! It holds the keys, the cookie's name and attributes, and the binding of seals; it reads no clock and no store.

use std::fmt;

use super::commit::{CommitError, CookieOrder};
use super::decide::Placement;
use super::state::{Arrival, Claim};
use crate::value::cookie::format::CookieSpec;
use crate::value::cookie::keyring::KeyRing;
#[cfg(feature = "dbsc")]
use crate::value::cookie::seal::Sealed;
use crate::value::cookie::seal::{Binding, SealKind, sealed_len};
use crate::value::cookie::select::{MOST_COOKIE_BYTES, Rejections, Selection, select};
use crate::value::cookie::token::{IdToken, RecordToken, Token};
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
    /// The number of cookies with this name that were not read.
    pub duplicates: usize,
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
        headers: impl IntoIterator<Item = &'c [u8]>,
        now: Timestamp,
    ) -> Decoded {
        match placement {
            Placement::Store => decoded(self.select(headers, now), |token: IdToken| Claim::Id(token.id)),
            Placement::Cookie => {
                decoded(self.select(headers, now), |token: RecordToken| Claim::Record(token.id, token.record))
            }
        }
    }

    fn select<'c, T: Token>(
        &self,
        headers: impl IntoIterator<Item = &'c [u8]>,
        now: Timestamp,
    ) -> Selection<T> {
        select::<T>(&self.keys, &self.binding, self.cookie.name(), headers, now)
    }

    /// Returns the `Set-Cookie` value for this order, or `None` for no header. Calls `now` if a cookie must be sealed.
    ///
    /// # Errors
    /// [`CommitError::TooLarge`] if browsers would drop a cookie of this length.
    pub fn encode(
        &self,
        order: &CookieOrder,
        now: impl FnOnce() -> Timestamp,
    ) -> Result<Option<String>, CommitError> {
        let sealed = match order {
            CookieOrder::Keep => return Ok(None),
            CookieOrder::Clear => return Ok(Some(self.cookie.clear())),
            CookieOrder::SetId { id, absolute_deadline, expires, nonce } => {
                let now = now();
                let token = IdToken { issued_at: now, absolute_deadline: *absolute_deadline, id: id.clone() };
                self.set(SealKind::Id, nonce, &token.encode()[..], *expires, now)
            }
            CookieOrder::SetRecord { id, record, expires, nonce } => {
                let now = now();
                self.set(SealKind::Record, nonce, &RecordToken::encode_parts(now, id, record), *expires, now)
            }
        };
        sealed.map(Some)
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
        header.map_err(|error| CommitError::TooLarge { size: error.size, limit: error.limit })
    }

    /// Seals what belongs to this cookie's sessions, such as a challenge.
    #[cfg(feature = "dbsc")]
    pub(crate) fn seal(&self, kind: SealKind, nonce: &[u8; 24], text: &[u8]) -> Sealed {
        self.keys.seal(&self.binding, kind, nonce, text)
    }

    /// Opens what [`seal`](Self::seal) made.
    #[cfg(feature = "dbsc")]
    pub(crate) fn unseal(&self, kind: SealKind, value: &[u8]) -> Option<Vec<u8>> {
        self.keys.open(&self.binding, kind, value).ok().map(|opened| opened.plaintext)
    }

    /// Whether a cookie would be too long with this record in it, told before anything is done that counts on it.
    pub(crate) fn check(&self, record: &Record) -> Result<(), CommitError> {
        let size = self.cookie.name().len() + sealed_len(RecordToken::HEAD_LEN + record.size());
        let limit = MOST_COOKIE_BYTES;
        if size > limit { Err(CommitError::TooLarge { size, limit }) } else { Ok(()) }
    }
}

fn decoded<T>(chosen: Selection<T>, claim: impl FnOnce(T) -> Claim) -> Decoded {
    let mut arrival = Arrival::without_cookie();
    arrival.claim = chosen.token.map(claim);
    (arrival.came, arrival.old_key) = (chosen.came_in, chosen.with_old_key);
    Decoded { arrival, rejected: chosen.rejected, duplicates: chosen.duplicates }
}

/// Leaves out the keys.
impl fmt::Debug for CookieCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieCodec").field("cookie", &self.cookie).finish_non_exhaustive()
    }
}
