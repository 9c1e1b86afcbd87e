//! Why a cookie's name and attributes do not build.

/// Returned when browsers would reject, change or misread a cookie.
///
/// ```
/// use session_core::{Cookie, error::CookieError, SecretKey, Sessions};
///
/// let cookie = Cookie::host("sid").path("/shop");
/// let error = Sessions::builder().in_cookie().key(SecretKey::generate()?).cookie(cookie).build().unwrap_err();
/// assert_eq!(error.to_string(), CookieError::HostWithPath.to_string());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CookieError {
    /// The name is empty.
    #[error("a cookie needs a name")]
    NoName,
    /// The name has a character that is not allowed in an RFC 9110 token.
    #[error("a cookie's name consists of ASCII letters, digits and !#$%&'*+-.^_`|~")]
    BadName,
    /// The name leaves too little room for the value.
    #[error("the cookie's name is {length} bytes long; the most is {limit}, the rest belongs to the value")]
    LongName {
        /// Its length in bytes.
        length: usize,
        /// The most.
        limit: usize,
    },
    /// The path does not begin with a slash, so browsers would ignore it.
    #[error("a cookie's path begins with a slash; browsers ignore any other")]
    RelativePath,
    /// The path has a control character, a semicolon or a character beyond ASCII.
    #[error("a cookie's path consists of printable ASCII without semicolons")]
    BadPath,
    /// The domain is empty.
    #[error("a cookie's domain cannot be empty; leave it out to keep the cookie to one host")]
    EmptyDomain,
    /// The domain has a character that is not allowed in a host name.
    #[error("a cookie's domain consists of ASCII letters, digits, dots and hyphens")]
    BadDomain,
    /// An attribute is longer than browsers read.
    #[error("the cookie's {attribute} is {length} bytes long; browsers ignore it beyond {limit}")]
    LongAttribute {
        /// Which one.
        attribute: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The most.
        limit: usize,
    },
    /// Not even the cookie of a session in a store fits.
    #[error("a cookie of this name and these attributes needs {least} bytes; at most {limit} are allowed")]
    MaxSizeTooSmall {
        /// The most, as configured.
        limit: usize,
        /// The least that it must be.
        least: usize,
    },
    /// Both one domain and a domain for each host.
    #[error("a cookie has one `domain` or one of several `domains`, not both")]
    DomainAndDomains,
    /// `__Host-` with a `Domain`.
    #[error("a __Host- cookie belongs to one host: it cannot have a Domain")]
    HostWithDomain,
    /// `__Host-` with another path than `/`.
    #[error("a __Host- cookie belongs to the whole host: its Path can only be /")]
    HostWithPath,
    /// A prefix that promises `Secure`, without it.
    #[error("browsers refuse a {prefix} cookie without Secure")]
    PrefixWithoutSecure {
        /// The prefix.
        prefix: &'static str,
    },
    /// A prefix that promises `HttpOnly`, without it.
    #[error("browsers refuse a {prefix} cookie without HttpOnly")]
    PrefixWithoutHttpOnly {
        /// The prefix.
        prefix: &'static str,
    },
    /// `SameSite=None` without `Secure`.
    #[error("browsers refuse SameSite=None without Secure")]
    SameSiteNoneWithoutSecure,
    /// `Partitioned` without `Secure`.
    #[error("browsers refuse Partitioned without Secure")]
    PartitionedWithoutSecure,
}
