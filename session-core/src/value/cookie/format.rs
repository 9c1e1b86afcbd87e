//! Formats `Set-Cookie` headers, always with the same attributes and never longer than browsers accept.

use std::fmt::Write as _;
use std::time::Duration;

use super::same_site::SameSite;
use super::seal::{Binding, Sealed};
use super::select::MOST_COOKIE_BYTES;
use crate::value::time::Timestamp;

/// A cookie's checked name and attributes: a combination that browsers accept.
///
/// Made by [`Cookie`](crate::Cookie). The cookie that sets and the one that removes have the same attributes, as removal requires.
///
/// ```
/// use session_core::Cookie;
///
/// let spec = Cookie::host("sid").build()?;
/// assert_eq!(
///     spec.clear(),
///     "__Host-sid=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
/// );
/// # Ok::<(), session_core::error::CookieError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieSpec {
    pub(super) name: String,
    /// The name of the cookie beside it that moves the idle deadline of a carried session.
    pub(super) touch_name: String,
    /// What tells it apart from other cookies of its name in a browser.
    pub(super) scope: String,
    /// From the first `; ` on.
    pub(super) attributes: String,
    pub(super) persistent: bool,
    pub(super) same_site: SameSite,
    pub(super) max_size: usize,
    /// The same cookie for each of the domains of [`Cookie::domains`](crate::Cookie::domains), lower-case.
    pub(super) tenants: Vec<(String, CookieSpec)>,
}

/// Which of a cookie's domains a request's host belongs to: its place in [`CookieSpec::scopes`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope(usize);

impl Scope {
    pub(crate) const fn place(self) -> usize {
        self.0
    }
}

impl CookieSpec {
    /// The cookie as it is configured, then as it is for each of its domains.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.tenants.iter().map(|(_, spec)| spec))
    }

    /// Whether the cookie's domain depends on the request's host.
    pub(crate) fn has_domains(&self) -> bool {
        !self.tenants.is_empty()
    }

    /// Whether a browser that keeps both keeps one: the name, path, domain and partition are the same.
    pub(crate) fn is_in_the_same_place(&self, other: &Self) -> bool {
        self.name == other.name && self.has_scope_of(other)
    }

    /// Whether the path, domain and partition are the same.
    pub(crate) fn has_scope_of(&self, other: &Self) -> bool {
        self.scope == other.scope
    }

    /// The same for all of the cookie's domains.
    pub(crate) fn is_in_the_same_places(&self, other: &Self) -> bool {
        self.tenants.len() == other.tenants.len()
            && self.scopes().zip(other.scopes()).all(|(one, other)| one.is_in_the_same_place(other))
    }

    /// The longest of its domains to which this host (with or without a port) belongs; else the cookie is host-only.
    pub(crate) fn scope_of(&self, host: &[u8]) -> Scope {
        let name = host.split(|byte| *byte == b':').next().unwrap_or(host);
        let name = name.strip_suffix(b".").unwrap_or(name).to_ascii_lowercase();
        let belongs = |domain: &str| {
            let above = name.strip_suffix(domain.as_bytes());
            above.is_some_and(|above| above.is_empty() || above.ends_with(b"."))
        };
        let found = self.tenants.iter().enumerate().filter(|(_, (domain, _))| belongs(domain));
        Scope(found.max_by_key(|(_, (domain, _))| domain.len()).map_or(0, |(place, _)| place + 1))
    }

    /// Returns the name, including its prefix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name of the touch cookie, which moves the idle deadline of a session that its cookie carries: the
    /// cookie's name and `.t`.
    #[must_use]
    pub fn touch_name(&self) -> &str {
        &self.touch_name
    }

    /// Returns the `SameSite` attribute.
    #[must_use]
    pub fn same_site(&self) -> SameSite {
        self.same_site
    }

    /// Returns whether the cookie outlives the browser.
    #[must_use]
    pub fn is_persistent(&self) -> bool {
        self.persistent
    }

    /// What values of this cookie are bound to: its name, domain, path and partition, and the purpose.
    #[must_use]
    pub fn binding(&self, purpose: &str) -> Binding {
        Binding::cookie(&self.name, &self.scope, purpose)
    }

    /// Returns the value of the `Set-Cookie` header.
    ///
    /// `Max-Age` and `Expires` are written when `expiry` says until when (a session decides for itself whether its
    /// cookie outlives the browser; the configuration is only its default); both at most
    /// [`MOST_AGE`], beyond which browsers cut them.
    ///
    /// # Errors
    /// [`CookieTooLarge`] if the cookie is longer than [`Cookie::max_size`](crate::Cookie::max_size) with its
    /// attributes, or longer than browsers keep. Send no header then; the browser keeps its current cookie.
    ///
    /// ```
    /// # use session_core::{Cookie, KeyRing, SecretKey, Timestamp, machine::cookie::{Binding, SealKind}};
    /// # use std::time::Duration;
    /// # let key = SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| (at * 37) as u8)).unwrap();
    /// # let ring = KeyRing::new([key]).unwrap();
    /// let spec = Cookie::host("sid").persistent(true).build().unwrap();
    /// let sealed = ring.seal(&spec.binding("session"), SealKind::Id, &[5; 24], b"text");
    /// let expiry = (Duration::from_secs(7200), Timestamp::from_millis(784_111_777_000));
    /// let header = spec.set(&sealed, Some(expiry)).unwrap();
    /// assert!(header.ends_with("; Max-Age=7200; Expires=Sun, 06 Nov 1994 08:49:37 GMT"));
    /// ```
    pub fn set(
        &self,
        value: &Sealed,
        expiry: Option<(Duration, Timestamp)>,
    ) -> Result<String, CookieTooLarge> {
        self.check(value.as_str().len(), expiry.is_some())?;
        Ok(self.header(&self.name, value.as_str(), expiry.map(at_least_a_second)))
    }

    /// Whether a value of this length fits: into what browsers keep, and into what is allowed with all attributes.
    pub(crate) fn check(&self, value: usize, expires: bool) -> Result<(), CookieTooLarge> {
        let pair = self.name.len() + value;
        let whole = pair + 1 + self.attributes.len() + if expires { EXPIRY_LEN } else { 0 };
        for (size, limit) in [(whole, self.max_size), (pair, MOST_COOKIE_BYTES)] {
            if size > limit {
                return Err(CookieTooLarge { size, limit });
            }
        }
        Ok(())
    }

    /// The header of the touch cookie, with the attributes of the cookie that it stands beside.
    pub(crate) fn set_touch(&self, value: &Sealed, expiry: Option<(Duration, Timestamp)>) -> String {
        self.header(&self.touch_name, value.as_str(), expiry.map(at_least_a_second))
    }

    /// Returns the value of the `Set-Cookie` header that removes the cookie: an empty value, the same attributes, and
    /// both `Max-Age` and `Expires` in the past.
    #[must_use]
    pub fn clear(&self) -> String {
        self.header(&self.name, "", PAST)
    }

    /// The header that removes the touch cookie.
    pub(crate) fn clear_touch(&self) -> String {
        self.header(&self.touch_name, "", PAST)
    }

    /// The attributes as text, without those that say until when.
    #[cfg(feature = "dbsc")]
    pub(crate) fn attributes(&self) -> &str {
        self.attributes.trim_start_matches([';', ' '])
    }

    /// Returns the value of a `Set-Cookie` header for another cookie that scripts may read, with this cookie's attributes.
    pub(crate) fn readable(&self, name: &str, value: &str) -> String {
        format!("{name}={value}{}", self.attributes.replace(HTTP_ONLY, ""))
    }

    /// Returns the value of the `Set-Cookie` header that removes such a cookie.
    pub(crate) fn clear_readable(&self, name: &str) -> String {
        self.header(name, "", PAST).replace(HTTP_ONLY, "")
    }

    pub(crate) fn header(&self, name: &str, value: &str, expiry: Option<(Duration, Timestamp)>) -> String {
        let len = name.len() + 1 + value.len() + self.attributes.len();
        let mut header = String::with_capacity(len + expiry.map_or(0, |_| EXPIRY_LEN));
        header.extend([name, "=", value, &*self.attributes]);
        if let Some((max_age, expires)) = expiry {
            let too_long = max_age.saturating_sub(MOST_AGE);
            expire(&mut header, max_age - too_long, expires.minus(too_long));
        }
        header
    }
}

/// The attribute as [`Cookie::build`](crate::Cookie::build) writes it.
pub(super) const HTTP_ONLY: &str = "; HttpOnly";

/// Returned when a cookie is larger than allowed: browsers would drop it silently, and some servers in between as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cookie is {size} bytes long; at most {limit} are allowed")]
pub struct CookieTooLarge {
    /// The size in bytes: of name, value and attributes (`Max-Age` and `Expires` counted with their longest text), or
    /// of name and value where only these are beyond the limit.
    pub size: usize,
    /// The limit in bytes.
    pub limit: usize,
}

/// `Max-Age=0` would remove the cookie.
fn at_least_a_second((max_age, at): (Duration, Timestamp)) -> (Duration, Timestamp) {
    (max_age.max(Duration::from_secs(1)), at)
}

/// Both attributes; the second in the one date format that HTTP has (IMF-fixdate).
fn expire(header: &mut String, max_age: Duration, expires: Timestamp) {
    // Browsers read no year before 1601.
    let at = expires.max(Timestamp::from_millis(0)).to_offset();
    let month = MONTHS[usize::from(u8::from(at.month())) - 1];
    let weekday = WEEKDAYS[usize::from(at.weekday().number_days_from_monday())];
    let (hour, minute, second) = at.to_hms();
    write!(
        header,
        "; Max-Age={}; Expires={weekday}, {:02} {month} {:04} {hour:02}:{minute:02}:{second:02} GMT",
        max_age.as_secs(),
        at.day(),
        at.year(),
    )
    .expect("a string takes all that is written to it");
}

/// The longest `Max-Age`: 400 days. Browsers cut longer ones down to it.
pub const MOST_AGE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// What removes a cookie.
const PAST: Option<(Duration, Timestamp)> = Some((Duration::ZERO, Timestamp::from_millis(0)));

pub(super) const EXPIRY_LEN: usize = "; Max-Age=34560000; Expires=Sun, 06 Nov 1994 08:49:37 GMT".len();

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
