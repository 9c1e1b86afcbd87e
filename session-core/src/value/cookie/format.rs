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
/// # Ok::<(), session_core::CookieError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieSpec {
    name: String,
    /// From the first `; ` on.
    attributes: String,
    persistent: bool,
    same_site: SameSite,
}

impl CookieSpec {
    /// Takes a name and attributes that [`Cookie::build`](crate::Cookie::build) has checked.
    pub(super) fn new(name: String, attributes: String, persistent: bool, same_site: SameSite) -> Self {
        Self { name, attributes, persistent, same_site }
    }

    /// Returns the name, including its prefix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
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

    /// What values of this cookie are bound to.
    #[must_use]
    pub fn binding(&self, purpose: &str) -> Binding {
        Binding::cookie(&self.name, purpose)
    }

    /// Returns the value of the `Set-Cookie` header.
    ///
    /// `Max-Age` and `Expires` are written when `expiry` says until when (a session decides for itself whether its
    /// cookie outlives the browser; the configuration is only its default); both at most
    /// [`MOST_AGE`], beyond which browsers cut them.
    ///
    /// # Errors
    /// [`CookieTooLarge`] if name and value together are longer than 4,096 bytes. Send no header then; the browser
    /// keeps its current cookie.
    ///
    /// ```
    /// # use session_core::{Cookie, KeyRing, SecretKey, Timestamp, machine::{Binding, SealKind}};
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
        let size = self.name.len() + value.as_str().len();
        if size > MOST_COOKIE_BYTES {
            return Err(CookieTooLarge { size, limit: MOST_COOKIE_BYTES });
        }
        Ok(self.header(&self.name, value.as_str(), expiry))
    }

    /// Returns the value of the `Set-Cookie` header that removes the cookie: an empty value, the same attributes, and
    /// both `Max-Age` and `Expires` in the past.
    #[must_use]
    pub fn clear(&self) -> String {
        self.header(&self.name, "", Some((Duration::ZERO, Timestamp::from_millis(0))))
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

/// Returned when a cookie is larger than browsers accept; they would drop it silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cookie's name and value are {size} bytes long; browsers keep at most {limit}")]
pub struct CookieTooLarge {
    /// The size of name and value in bytes.
    pub size: usize,
    /// The limit in bytes.
    pub limit: usize,
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

const EXPIRY_LEN: usize = "; Max-Age=34560000; Expires=Sun, 06 Nov 1994 08:49:37 GMT".len();

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
