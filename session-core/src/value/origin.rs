//! The origin of a page, as the `Origin` header and a list of trusted origins name it.

use super::host::{self, Host, default_port};

/// The origin of a page: scheme, host and port (RFC 6454).
///
/// ```
/// use session_core::adapter::Origin;
///
/// let origin = Origin::parse("https://shop.example").unwrap();
/// assert_eq!(Origin::parse("HTTPS://Shop.example:443"), Some(origin.clone()));
/// assert!(origin.is_at("shop.example") && origin.is_at("shop.example:443") && !origin.is_at("shop.example:8443"));
/// // An opaque origin, and a URL with more than an origin.
/// assert!(Origin::parse("null").is_none() && Origin::parse("https://shop.example/cart").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: Box<str>,
    host: Host,
}

impl Origin {
    /// Parses `scheme://host` or `scheme://host:port`. `None` for everything else, such as `null`, a wildcard, or a URL
    /// with a path.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, host) = text.split_once("://")?;
        let is_scheme_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if !scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            || !scheme.bytes().all(is_scheme_byte)
        {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let host = Host::parse(host)?.with_default_port(default_port(&scheme));
        Some(Self { scheme: scheme.into(), host })
    }

    /// Returns whether a text is a host as [`SessionsBuilder::redirect_hosts`](crate::SessionsBuilder::redirect_hosts)
    /// takes it: `host` or `host:port`.
    ///
    /// ```
    /// use session_core::adapter::Origin;
    ///
    /// let is_host = Origin::is_host;
    /// assert!(is_host("accounts.example.com") && is_host("localhost:8080") && is_host("[::1]:8080"));
    /// assert!(!is_host("") && !is_host("*.example.com") && !is_host("https://accounts.example.com"));
    /// ```
    #[must_use]
    pub fn is_host(text: &str) -> bool {
        host::is_host(text)
    }

    /// Returns whether pages of this origin are served at this `Host`. A `Host` does not say its scheme, so that
    /// `http://shop.example` is at `shop.example` like `https://shop.example`.
    #[must_use]
    pub fn is_at(&self, host: &str) -> bool {
        Host::parse(host).is_some_and(|host| host.with_default_port(default_port(&self.scheme)) == self.host)
    }
}

/// `https://shop.example`, with the port unless it is the scheme's default.
impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host.without_port(default_port(&self.scheme)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_and_a_host_and_nothing_else() {
        for text in
            ["https://a.example", "http://localhost:8080", "capacitor://localhost", "http://[::1]:3000"]
        {
            assert_eq!(Origin::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Origin::parse("HTTP://A.example:80").unwrap().to_string(), "http://a.example");
        for text in [
            "",
            "null",
            "*",
            "a.example",
            "//a.example",
            "://a.example",
            "https://",
            "https://*",
            "https://*.example",
            "https://a.example/",
            "https://a.example/x",
            "https://a.example?x",
            "https://a@b.example",
            "https://a.example https://b.example",
            "https://a.example, https://b.example",
            "ht tp://a.example",
            "1http://a.example",
            "file:///etc",
        ] {
            assert_eq!(Origin::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_origin_is_at_its_host_and_port_only() {
        let is_at = |origin: &str, host| Origin::parse(origin).unwrap().is_at(host);
        assert!(
            is_at("https://shop.example", "SHOP.example") && is_at("http://shop.example", "shop.example:80")
        );
        assert!(is_at("https://shop.example.", "shop.example.") && is_at("http://a.b.:80", "A.B."));
        assert!(is_at("http://127.0.0.1:8080", "127.0.0.1:8080") && is_at("https://[::1]", "[::1]:443"));
        for (origin, host) in [
            ("https://shop.example", "shop.example:80"),
            ("https://shop.example:8443", "shop.example"),
            ("https://blog.shop.example", "shop.example"),
            ("https://shop.example.evil.example", "shop.example"),
            ("https://evilshop.example", "shop.example"),
            ("https://shop.example.", "shop.example"),
            ("https://shop.example", "shop.example."),
            ("https://shop.example", ""),
            ("https://shop.example", "shop.example/"),
            ("https://shop.example", "shop.example, evil.example"),
        ] {
            assert!(!is_at(origin, host), "{origin} at {host}");
        }
    }
}
