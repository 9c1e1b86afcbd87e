//! Which requests are checked, by whose headers, and where the token is looked for. All adapters share these rules.

use std::fmt;
use std::sync::Arc;

use super::origin::OriginRules;

/// The request headers that may carry the token, in the order in which they are read.
pub(super) const HEADERS: [&str; 2] = ["x-csrf-token", "x-xsrf-token"];

/// The fields of a form, or of a JSON object, that may carry the token.
pub(super) const FIELDS: [&str; 2] = ["_csrf", "_token"];

/// The status of a refused request: 419, as in Laravel, so that a page's script can tell it from a 403 and reload the
/// page.
pub(super) const REFUSED: u16 = 419;

/// Which routes are not checked, which other origins are trusted, and whether the token is always required. Given to an
/// adapter's CSRF layer.
///
/// ```
/// use session_web::CsrfRules;
///
/// let rules = CsrfRules::default().exempt("/webhooks")?;
/// assert!(rules.applies_to("POST", "/orders") && !rules.applies_to("GET", "/orders"));
/// assert!(!rules.applies_to("POST", "/webhooks/mail"));
/// // Not the same path, and a path that could be read as another.
/// assert!(rules.applies_to("POST", "/webhooks2") && rules.applies_to("POST", "/webhooks/../orders"));
/// # Ok::<(), session_web::CsrfRuleError>(())
/// ```
#[derive(Clone, Default)]
pub struct CsrfRules {
    everything: bool,
    prefixes: Vec<String>,
    predicates: Vec<Arc<Predicate>>,
    pub(super) origins: Arc<OriginRules>,
    pub(super) always_token: bool,
}

type Predicate = dyn Fn(&str, &str) -> bool + Send + Sync;

/// Returned for a rule that does not say what it exempts or trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsrfRuleError {
    /// The exemption covers every path.
    #[error("this exempts every path; if that is meant, call `exempt_everything`")]
    Everything,
    /// The exemption is not a plain path.
    #[error(
        "an exemption is a path with everything below it, such as `/webhooks`: it begins with `/`, and has no wildcard, \
         query, `..` or empty segment"
    )]
    NotAPath,
    /// The trusted origin is not an origin.
    #[error(
        "a trusted origin is a scheme and a host, such as `https://accounts.example.com`, without a path or wildcard"
    )]
    NotAnOrigin,
}

impl CsrfRules {
    /// Exempts a path and everything below it, for routes that authenticate the caller in another way, such as by a
    /// signature.
    ///
    /// # Errors
    /// [`CsrfRuleError::Everything`] for `/`, an empty text or a lone wildcard, and [`CsrfRuleError::NotAPath`] for what is
    /// no path.
    pub fn exempt(mut self, path: impl AsRef<str>) -> Result<Self, CsrfRuleError> {
        let path = path.as_ref();
        let prefix = path.strip_suffix('/').unwrap_or(path);
        if prefix.bytes().all(|byte| b"/*. \t\r\n".contains(&byte)) {
            return Err(CsrfRuleError::Everything);
        }
        let is_path_byte = |byte: u8| byte.is_ascii_graphic() && !b"*?#{}[]".contains(&byte);
        if !prefix.starts_with('/') || !prefix.bytes().all(is_path_byte) || !is_plain(path) {
            return Err(CsrfRuleError::NotAPath);
        }
        self.prefixes.push(prefix.to_owned());
        Ok(self)
    }

    /// Exempts the requests for which the predicate, given the method and the path, returns `true`.
    ///
    /// ```
    /// # use session_web::CsrfRules;
    /// let rules = CsrfRules::default().exempt_when(|method, path| method == "PUT" && path.starts_with("/api/"));
    /// assert!(!rules.applies_to("PUT", "/api/orders/7") && rules.applies_to("POST", "/api/orders"));
    /// ```
    #[must_use]
    pub fn exempt_when(mut self, exempt: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.predicates.push(Arc::new(exempt));
        self
    }

    /// Exempts every request: switches the protection off, for a test or behind another one.
    #[must_use]
    pub fn exempt_everything(mut self) -> Self {
        self.everything = true;
        self
    }

    /// Accepts requests from the pages of another origin, such as `https://accounts.example.com`, as from one's own.
    ///
    /// # Errors
    /// [`CsrfRuleError::NotAnOrigin`] for anything but a scheme, a host and perhaps a port.
    pub fn trust_origin(mut self, origin: impl AsRef<str>) -> Result<Self, CsrfRuleError> {
        self.origins = Arc::new(Arc::unwrap_or_clone(self.origins).trust_origin(origin.as_ref())?);
        Ok(self)
    }

    /// Compares `Origin` with `X-Forwarded-Host` instead of `Host`: [`OriginRules::trust_forwarded_host`].
    #[must_use]
    pub fn trust_forwarded_host(mut self) -> Self {
        self.origins = Arc::new(Arc::unwrap_or_clone(self.origins).trust_forwarded_host());
        self
    }

    /// Requires the token from every request that is checked, also if its headers say that a page of this application sent
    /// it.
    #[must_use]
    pub fn always_token(mut self) -> Self {
        self.always_token = true;
        self
    }

    /// Returns whether a request with this method and path is checked. `GET`, `HEAD`, `OPTIONS` and `TRACE` are not; every
    /// other method, known or unknown, is.
    #[must_use]
    pub fn applies_to(&self, method: &str, path: &str) -> bool {
        let is_safe = matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE");
        !is_safe && !self.everything && !self.is_exempt(method, path)
    }

    fn is_exempt(&self, method: &str, path: &str) -> bool {
        let below = |prefix: &String| {
            path.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        (is_plain(path) && self.prefixes.iter().any(below))
            || self.predicates.iter().any(|exempt| exempt(method, path))
    }
}

/// Returns whether proxies and frameworks cannot disagree about the path: no `..`, no empty segment, no encoded slash or
/// dot.
fn is_plain(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    !["//", "/.", "\\", "%2e", "%2f", "%5c", "%25"].iter().any(|odd| path.contains(odd))
}

impl fmt::Debug for CsrfRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfRules")
            .field("everything", &self.everything)
            .field("exempt", &self.prefixes)
            .field("predicates", &self.predicates.len())
            .field("origins", &self.origins)
            .field("always_token", &self.always_token)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_5_a_prefix_exempts_whole_segments_of_plain_paths() {
        let rules = CsrfRules::default().exempt("/hooks/").unwrap();
        for exempt in ["/hooks", "/hooks/", "/hooks/a/b"] {
            assert!(!rules.applies_to("POST", exempt), "{exempt}");
        }
        for other in [
            "/hooks2",
            "/hook",
            "/hooks/../a",
            "/hooks/%2e%2e/a",
            "/hooks//a",
            "/hooks/..%2fa",
            "/hooks\\a",
            "/HOOKS",
        ] {
            assert!(rules.applies_to("POST", other), "{other}");
        }
    }

    #[test]
    fn features_5_a_method_that_nobody_knows_is_checked() {
        for method in ["POST", "PUT", "PATCH", "DELETE", "get", "PROPFIND", ""] {
            assert!(CsrfRules::default().applies_to(method, "/"), "{method}");
        }
    }

    #[test]
    fn features_5_a_predicate_exempts() {
        let rules = CsrfRules::default().exempt_when(|method, path| method == "PUT" && path == "/x");
        assert!(!rules.applies_to("PUT", "/x") && rules.applies_to("POST", "/x"));
    }

    #[test]
    fn at_17_an_exemption_of_everything_must_be_said() {
        for path in [
            "", " ", "/", "//", "///", "*", "/*", "/**", "**", ".", "/.", "/..", "\t", "\n", "/ ", " /",
            "/./",
        ] {
            assert_eq!(CsrfRules::default().exempt(path).unwrap_err(), CsrfRuleError::Everything, "{path:?}");
        }
        let rules = CsrfRules::default().exempt_everything();
        assert!(!rules.applies_to("POST", "/") && !rules.applies_to("DELETE", "/a/../b"));
    }

    #[test]
    fn at_17_an_exemption_that_is_no_path_is_refused() {
        for path in [
            "hooks",
            "./hooks",
            "hooks/",
            "/hooks*",
            "/hooks/*",
            "/{id}",
            "/hooks?a=1",
            "/hooks#a",
            "//hooks",
            "/hooks//",
            "/hooks/../a",
            "/hooks/./a",
            "/%2e%2e/a",
            "/a b",
            "/hooks\n",
            " /hooks",
            "/caf\u{e9}",
            "https://shop.example/hooks",
            "\\hooks",
        ] {
            assert_eq!(CsrfRules::default().exempt(path).unwrap_err(), CsrfRuleError::NotAPath, "{path:?}");
        }
        for path in ["/hooks", "/hooks/", "/a/b-c_d.e~f", "/a:b", "/caf%c3%a9", "/a@b"] {
            assert!(CsrfRules::default().exempt(path).is_ok(), "{path}");
        }
    }
}
