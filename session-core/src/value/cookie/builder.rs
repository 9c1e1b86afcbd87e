//! The builder of a cookie's name and attributes, which refuses combinations that are unsafe or that browsers reject.

use super::error::CookieError;
use super::format::{CookieSpec, CookieTooLarge, HTTP_ONLY};
use super::same_site::SameSite;
use super::seal::sealed_len;
use super::select::MOST_COOKIE_BYTES;
use super::token::IdToken;

/// A cookie's name and attributes, before they are checked. Builds a [`CookieSpec`].
///
/// ```
/// use session_core::{Cookie, error::CookieError, SameSite};
///
/// let spec = Cookie::host("sid").same_site(SameSite::Strict).build()?;
/// assert_eq!(spec.name(), "__Host-sid");
///
/// let error = Cookie::host("sid").domain("example.com").build().unwrap_err();
/// assert_eq!(error.to_string(), "a __Host- cookie belongs to one host: it cannot have a Domain");
/// # Ok::<(), CookieError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Cookie {
    name: String,
    path: String,
    domain: Option<String>,
    domains: Vec<String>,
    same_site: SameSite,
    http_only: bool,
    secure: bool,
    partitioned: bool,
    persistent: bool,
    max_size: usize,
}

impl Cookie {
    /// Makes a `__Host-` cookie, the default: `__Host-NAME` with `Path=/; Secure; HttpOnly; SameSite=Lax`, which no
    /// other host and no plain-HTTP page can set. The prefix is added if the name does not have it.
    pub fn host(name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        Self::named(if has_prefix(name, "__host-") { name.to_owned() } else { format!("__Host-{name}") })
    }

    /// Makes a cookie with exactly this name, otherwise as [`host`](Self::host). For a cookie with a domain or a path.
    ///
    /// ```
    /// # use session_core::Cookie;
    /// let spec = Cookie::named("__Secure-sid").domain("example.com").build()?;
    /// assert!(spec.clear().starts_with("__Secure-sid=; Path=/; Domain=example.com; Secure; "));
    /// # Ok::<(), session_core::error::CookieError>(())
    /// ```
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            path: "/".to_owned(),
            domain: None,
            domains: Vec::new(),
            same_site: SameSite::Lax,
            http_only: true,
            secure: true,
            partitioned: false,
            persistent: false,
            max_size: MOST_COOKIE_BYTES,
        }
    }

    /// Makes a cookie without `Secure`, which works over plain HTTP.
    ///
    /// # Security
    /// For development only. An attacker who can read the traffic can take over the session.
    pub fn insecure_http(name: impl Into<String>) -> Self {
        Self::named(name).secure(false)
    }

    /// Sets the path below which browsers send the cookie; the default is `/`. A path is not a security boundary: pages
    /// on other paths of the host can read the cookie.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Sets the domain, with all of whose hosts the cookie is shared. The default is a host-only cookie.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Sets the domain of each request's cookie to the one of these that the request's host belongs to; the longest, if
    /// there are several. For an application that serves several tenants, each with a domain of its own.
    ///
    /// A host that belongs to none of them gets a host-only cookie. A cookie is bound to its domain: a session of one
    /// tenant does not open on the host of another. The host is that of the request target or the `Host` header. A proxy
    /// that changes it must pass on the original one.
    ///
    /// ```
    /// # use session_core::{Cookie, error::CookieError};
    /// let cookie = Cookie::named("__Secure-sid").domains(["example.com", "example.org"]);
    /// assert!(cookie.clone().build().is_ok());
    /// assert_eq!(cookie.domain("example.net").build(), Err(CookieError::DomainAndDomains));
    /// ```
    pub fn domains(mut self, domains: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.domains = domains.into_iter().map(Into::into).collect();
        self
    }

    /// Sets whether browsers send the cookie with cross-site requests. The default is `Lax`, so that a visitor who
    /// follows a link is signed in.
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Sets whether the cookie is hidden from scripts; on by default.
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.http_only = http_only;
        self
    }

    /// Sets whether the cookie is sent over encrypted connections only; on by default.
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// Sets whether the cookie is partitioned by top-level site (CHIPS); off by default.
    pub fn partitioned(mut self, partitioned: bool) -> Self {
        self.partitioned = partitioned;
        self
    }

    /// Sets whether the cookie outlives the browser; off by default.
    pub fn persistent(mut self, persistent: bool) -> Self {
        self.persistent = persistent;
        self
    }

    /// Sets how long the cookie may be in bytes, with its name, value and attributes; the default is 4,096.
    ///
    /// Browsers count name and value only, and keep at most 4,096 bytes of them, whatever is set here. Some proxies and
    /// load balancers count the attributes as well. A session that would make a longer cookie is not written, with
    /// [`CommitError::TooLarge`](crate::CommitError::TooLarge).
    ///
    /// ```
    /// # use session_core::{Cookie, error::CookieError};
    /// // Where nothing but a browser counts.
    /// assert!(Cookie::host("sid").max_size(5_000).build().is_ok());
    /// let error = Cookie::host("sid").max_size(100).build().unwrap_err();
    /// assert_eq!(error, CookieError::MaxSizeTooSmall { limit: 100, least: 228 });
    /// ```
    pub fn max_size(mut self, bytes: usize) -> Self {
        self.max_size = bytes;
        self
    }

    /// Checks the combination of name and attributes.
    ///
    /// # Errors
    /// [`CookieError`] names the attributes that contradict each other. Name prefixes are compared case-insensitively,
    /// as in browsers.
    ///
    /// ```
    /// # use session_core::{Cookie, error::CookieError};
    /// assert_eq!(Cookie::named("__host-sid").path("/a").build(), Err(CookieError::HostWithPath));
    /// ```
    pub fn build(self) -> Result<CookieSpec, CookieError> {
        if self.domain.is_some() && !self.domains.is_empty() {
            return Err(CookieError::DomainAndDomains);
        }
        let tenant = |domain: &String| {
            let cookie = Self { domains: Vec::new(), ..self.clone() }.domain(domain.clone());
            Ok((lower_case(domain), cookie.build()?))
        };
        let tenants = self.domains.iter().map(tenant).collect::<Result<Vec<_>, CookieError>>()?;
        self.check_texts()?;
        self.check_combination()?;
        let spec = CookieSpec {
            touch_name: format!("{}.t", self.name),
            scope: self.scope(),
            attributes: self.attributes(),
            persistent: self.persistent,
            same_site: self.same_site,
            max_size: self.max_size,
            name: self.name,
            tenants,
        };
        match spec.check(sealed_len(IdToken::LEN), true) {
            // The longest cookie of a session in a store: less would only do for no session at all.
            Err(CookieTooLarge { size, limit }) => Err(CookieError::MaxSizeTooSmall { limit, least: size }),
            Ok(()) => Ok(spec),
        }
    }

    /// What tells cookies of one name apart in a browser. Domains are compared as browsers do.
    fn scope(&self) -> String {
        let mut scope = format!("Path={}", self.path);
        if let Some(domain) = &self.domain {
            scope.push_str("; Domain=");
            scope.push_str(&lower_case(domain));
        }
        if self.partitioned {
            scope.push_str("; Partitioned");
        }
        scope
    }

    /// The attributes as a `Set-Cookie` header has them, from the first `; ` on.
    fn attributes(&self) -> String {
        let mut attributes = format!("; Path={}", self.path);
        let optional = [
            self.domain.as_ref().map(|domain| format!("; Domain={domain}")),
            self.secure.then(|| "; Secure".to_owned()),
            self.http_only.then(|| HTTP_ONLY.to_owned()),
            Some(format!("; SameSite={}", self.same_site.as_str())),
            self.partitioned.then(|| "; Partitioned".to_owned()),
        ];
        attributes.extend(optional.into_iter().flatten());
        attributes
    }

    fn check_texts(&self) -> Result<(), CookieError> {
        if self.name.is_empty() {
            return Err(CookieError::NoName);
        }
        if !self.name.bytes().all(is_token) {
            return Err(CookieError::BadName);
        }
        if self.name.len() > MOST_NAME_BYTES {
            return Err(CookieError::LongName { length: self.name.len(), limit: MOST_NAME_BYTES });
        }
        if !self.path.starts_with('/') {
            return Err(CookieError::RelativePath);
        }
        if !self.path.bytes().all(is_attribute) {
            return Err(CookieError::BadPath);
        }
        let domain = self.domain.as_deref().unwrap_or(".");
        if domain.is_empty() {
            return Err(CookieError::EmptyDomain);
        }
        if !domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')) {
            return Err(CookieError::BadDomain);
        }
        for (attribute, text) in [("Path", self.path.as_str()), ("Domain", domain)] {
            if text.len() > MOST_ATTRIBUTE_BYTES {
                let (length, limit) = (text.len(), MOST_ATTRIBUTE_BYTES);
                return Err(CookieError::LongAttribute { attribute, length, limit });
            }
        }
        Ok(())
    }

    fn check_combination(&self) -> Result<(), CookieError> {
        let name = &self.name;
        if has_prefix(name, "__host-") {
            if self.domain.is_some() {
                return Err(CookieError::HostWithDomain);
            }
            if self.path != "/" {
                return Err(CookieError::HostWithPath);
            }
        }
        let prefix = PREFIXES.iter().find(|prefix| has_prefix(name, prefix));
        if let (Some(prefix), false) = (prefix, self.secure) {
            return Err(CookieError::PrefixWithoutSecure { prefix });
        }
        if let (false, Some(prefix)) =
            (self.http_only, ["__Host-Http-", "__Http-"].into_iter().find(|prefix| has_prefix(name, prefix)))
        {
            return Err(CookieError::PrefixWithoutHttpOnly { prefix });
        }
        match self.same_site {
            SameSite::None if !self.secure => return Err(CookieError::SameSiteNoneWithoutSecure),
            SameSite::None | SameSite::Lax | SameSite::Strict => {}
        }
        if self.partitioned && !self.secure {
            return Err(CookieError::PartitionedWithoutSecure);
        }
        Ok(())
    }
}

/// The domain as browsers compare it.
fn lower_case(domain: &str) -> String {
    domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase()
}

fn has_prefix(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_attribute(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b';'
}

/// The prefixes that promise `Secure`.
const PREFIXES: [&str; 4] = ["__Host-Http-", "__Host-", "__Secure-", "__Http-"];

const MOST_NAME_BYTES: usize = 255;

/// RFC 6265bis, section 5.6: browsers ignore longer ones.
const MOST_ATTRIBUTE_BYTES: usize = 1024;
