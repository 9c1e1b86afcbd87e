//! Chooses a request's session cookie: of all that came, the newest that is authentic, in whatever order they came.
//!
//! Choosing comes before judging: if the newest authentic cookie has expired there is no session, although an older
//! one might still be alive. Otherwise a copied old cookie would outlive the logout that followed it.

use std::time::Duration;

use super::keyring::KeyRing;
use super::parse::Candidates;
use super::reject::RejectReason;
use super::seal::{Binding, SealKind};
use super::token::{Token, read_touch};
use crate::value::time::Timestamp;
use crate::value::wipe::wipe;

/// Opens every candidate of this name and keeps the newest authentic one.
///
/// `T` says what is looked for, [`IdToken`](super::token::IdToken) or [`RecordToken`](super::token::RecordToken); a
/// cookie of the other kind is rejected. A cookie issued more than [`CLOCK_SKEW`] after `now` is rejected. No error
/// comes out of here: whatever a visitor sends, the answer is a selection.
///
/// ```
/// use session_core::{KeyRing, SecretKey, Timestamp, machine::{cookie::{Binding, IdToken, SealKind, select}, SessionId}};
///
/// # let key = SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| (at * 37) as u8)).unwrap();
/// # let ring = KeyRing::new([key]).unwrap();
/// # let nonce = [5; 24];
/// let binding = Binding::cookie("sid", "Path=/", "session");
/// let now = Timestamp::from_millis(1_000);
/// let token = IdToken { issued_at: now, absolute_deadline: None, id: SessionId::from_bytes([7; 32]) };
/// let sealed = ring.seal(&binding, SealKind::Id, &nonce, &token.encode()[..]);
///
/// let header = format!("sid=junk; sid={}", sealed.as_str());
/// let selection = select::<IdToken>(&ring, &binding, "sid", [header.as_bytes()], now);
/// assert_eq!(selection.token, Some(token));
/// assert_eq!(selection.duplicates, 1);
/// ```
#[must_use]
pub fn select<'h, T: Token>(
    ring: &KeyRing,
    binding: &Binding,
    name: &str,
    headers: impl IntoIterator<Item = &'h [u8]>,
    now: Timestamp,
) -> Selection<T> {
    select_from(ring, binding, name, &Candidates::find(headers, name), now, |_| {})
}

/// The same from candidates that were found already. `complete` adds what the newest one does not say by itself, before
/// its deadlines are judged.
pub(crate) fn select_from<T: Token>(
    ring: &KeyRing,
    binding: &Binding,
    name: &str,
    candidates: &Candidates<'_>,
    now: Timestamp,
    complete: impl FnOnce(&mut T),
) -> Selection<T> {
    let mut rejected = Rejections::default();
    let mut newest: Option<(T, bool, &[u8])> = None;
    for value in candidates.values() {
        match open_one::<T>(ring, binding, name, value, now) {
            Err(reason) => rejected.push(reason),
            Ok((token, old_key)) => {
                // Of two that were issued in the same millisecond the text decides: anything but the order.
                let age = (token.issued_at(), *value);
                if newest.as_ref().is_none_or(|(newest, _, value)| (newest.issued_at(), *value) < age) {
                    newest = Some((token, old_key, value));
                }
            }
        }
    }
    if let Some((token, ..)) = &mut newest {
        complete(token);
    }
    let newest = newest.filter(|(token, ..)| {
        let live = token.is_live(now);
        if !live {
            rejected.push(RejectReason::Expired);
        }
        live
    });
    let (token, with_old_key) = newest.map_or((None, false), |(token, old_key, _)| (Some(token), old_key));
    let came_in = candidates.values().len() + candidates.ignored();
    Selection {
        token,
        with_old_key,
        came_in: came_in > 0,
        duplicates: came_in.saturating_sub(1),
        ignored: candidates.ignored(),
        rejected,
    }
}

fn open_one<T: Token>(
    ring: &KeyRing,
    binding: &Binding,
    name: &str,
    value: &[u8],
    now: Timestamp,
) -> Result<(T, bool), RejectReason> {
    if name.len() + value.len() > MOST_COOKIE_BYTES {
        return Err(RejectReason::Length);
    }
    let mut opened = ring.open(binding, T::KIND, value).map_err(|rejected| rejected.reason())?;
    let token = T::read(&opened.plaintext);
    wipe(&mut opened.plaintext);
    let token = token.ok_or(RejectReason::Malformed)?;
    if token.issued_at() > now.plus(CLOCK_SKEW) {
        return Err(RejectReason::IssuedInFuture);
    }
    Ok((token, opened.with_old_key))
}

/// The result of selecting from a request's cookies.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selection<T> {
    /// The newest authentic token, if it has not expired.
    pub token: Option<T>,
    /// Whether the token was sealed with an old key, so that the cookie should be set again with the next response.
    pub with_old_key: bool,
    /// Whether the request had any cookie with this name, valid or not.
    pub came_in: bool,
    /// The number of cookies with this name beside the first, valid or not.
    pub duplicates: usize,
    /// The number of cookies with this name that were beyond the limit and not read.
    pub ignored: usize,
    /// The reasons of the rejected cookies. Valid but older cookies are not listed.
    pub rejected: Rejections,
}

/// The reasons for which candidates were rejected, in their order in the request.
///
/// ```
/// use session_core::{KeyRing, SecretKey, Timestamp, machine::cookie::{Binding, IdToken, RejectReason, select}};
///
/// # let key = SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| (at * 37) as u8)).unwrap();
/// # let ring = KeyRing::new([key]).unwrap();
/// let binding = Binding::cookie("sid", "Path=/", "session");
/// let selection = select::<IdToken>(&ring, &binding, "sid", [b"sid=junk".as_slice()], Timestamp::from_millis(0));
/// assert_eq!(selection.rejected.iter().collect::<Vec<_>>(), [RejectReason::Length]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rejections {
    reasons: [Option<RejectReason>; super::parse::MOST_CANDIDATES],
}

impl Rejections {
    /// Iterates over the reasons, one for each rejected candidate.
    pub fn iter(&self) -> impl Iterator<Item = RejectReason> {
        self.reasons.iter().map_while(|reason| *reason)
    }

    /// Returns whether nothing was rejected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reasons[0].is_none()
    }

    /// Every candidate has at most one reason, so that there is always room.
    fn push(&mut self, reason: RejectReason) {
        if let Some(place) = self.reasons.iter_mut().find(|place| place.is_none()) {
            *place = Some(reason);
        }
    }
}

/// The tolerated difference between the clocks of two servers: a cookie issued this far in the future is accepted.
pub const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// The idle deadline that the touch cookies of this name give the session to which `binding` belongs: the latest, if any
/// of them is its own. Those of other sessions and of other versions of this one do not open, and count for nothing.
pub(crate) fn touched<'h>(
    ring: &KeyRing,
    binding: impl FnOnce() -> Binding,
    name: &str,
    headers: impl IntoIterator<Item = &'h [u8]>,
) -> Option<Timestamp> {
    let candidates = Candidates::find(headers, name);
    if candidates.values().is_empty() {
        return None;
    }
    let binding = binding();
    let opened = candidates.values().iter().filter_map(|value| {
        if name.len() + value.len() > MOST_COOKIE_BYTES {
            return None;
        }
        read_touch(&ring.open(&binding, SealKind::Touch, value).ok()?.plaintext)
    });
    opened.max()
}

/// The browsers' limit for one cookie in bytes: name and value together.
pub const MOST_COOKIE_BYTES: usize = 4096;
