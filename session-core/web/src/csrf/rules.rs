//! Which requests need a CSRF token, and where the token is looked for. All adapters share these rules.

use std::fmt;
use std::sync::Arc;

/// The request headers that may carry the token, in the order in which they are read.
pub(crate) const HEADERS: [&str; 2] = ["x-csrf-token", "x-xsrf-token"];

/// The form fields that may carry the token.
pub(crate) const FIELDS: [&str; 2] = ["_csrf", "_token"];

/// The status of a refused request: 419, as in Laravel, so that a page's script can tell it from a 403 and reload the
/// page.
pub(crate) const REFUSED: u16 = 419;

/// Which routes need no CSRF token. Given to an adapter's CSRF layer.
///
/// ```
/// use session_web::CsrfRules;
///
/// let rules = CsrfRules::default().exempt("/webhooks");
/// assert!(rules.needs_token("POST", "/orders") && !rules.needs_token("GET", "/orders"));
/// assert!(!rules.needs_token("POST", "/webhooks/mail"));
/// // Not the same path, and a path that could be read as another.
/// assert!(rules.needs_token("POST", "/webhooks2") && rules.needs_token("POST", "/webhooks/../orders"));
/// ```
#[derive(Clone, Default)]
pub struct CsrfRules {
    prefixes: Vec<String>,
    predicates: Vec<Arc<Predicate>>,
}

type Predicate = dyn Fn(&str, &str) -> bool + Send + Sync;

impl CsrfRules {
    /// Exempts a path and everything below it, for routes that authenticate the caller in another way, such as by a
    /// signature.
    #[must_use]
    pub fn exempt(mut self, path: impl Into<String>) -> Self {
        self.prefixes.push(path.into().trim_end_matches('/').to_owned());
        self
    }

    /// Exempts the requests for which the predicate, given the method and the path, returns `true`.
    ///
    /// ```
    /// # use session_web::CsrfRules;
    /// let rules = CsrfRules::default().exempt_when(|method, path| method == "PUT" && path.starts_with("/api/"));
    /// assert!(!rules.needs_token("PUT", "/api/orders/7") && rules.needs_token("POST", "/api/orders"));
    /// ```
    #[must_use]
    pub fn exempt_when(mut self, exempt: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.predicates.push(Arc::new(exempt));
        self
    }

    /// Returns whether a request with this method and path must carry the token. `GET`, `HEAD`, `OPTIONS` and `TRACE`
    /// need none; every other method, known or unknown, does.
    #[must_use]
    pub fn needs_token(&self, method: &str, path: &str) -> bool {
        let is_safe = matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE");
        !is_safe && !self.is_exempt(method, path)
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
            .field("exempt", &self.prefixes)
            .field("predicates", &self.predicates.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_5_a_prefix_exempts_whole_segments_of_plain_paths() {
        let rules = CsrfRules::default().exempt("/hooks/");
        for exempt in ["/hooks", "/hooks/", "/hooks/a/b"] {
            assert!(!rules.needs_token("POST", exempt), "{exempt}");
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
            assert!(rules.needs_token("POST", other), "{other}");
        }
    }

    #[test]
    fn features_5_a_method_that_nobody_knows_needs_the_token() {
        for method in ["POST", "PUT", "PATCH", "DELETE", "get", "PROPFIND", ""] {
            assert!(CsrfRules::default().needs_token(method, "/"), "{method}");
        }
    }

    #[test]
    fn features_5_a_predicate_exempts() {
        let rules = CsrfRules::default().exempt_when(|method, path| method == "PUT" && path == "/x");
        assert!(!rules.needs_token("PUT", "/x") && rules.needs_token("POST", "/x"));
    }
}
