//! Where a request comes from, by its headers: the first question of CSRF protection, and the only one for a WebSocket.
//!
//! Browsers say it in `Sec-Fetch-Site` (all since 2023, over HTTPS and to localhost) and in `Origin` (all, for every
//! request that may change something and for every WebSocket), and pages cannot forge either. Sources: Fetch Metadata
//! Request Headers (W3C), RFC 6454, OWASP's CSRF cheat sheet, `CrossOriginProtection` of Go 1.25.

use session_core::adapter::{Origin, RequestHead};

use super::rules::CsrfRuleError;

/// The origins whose requests an application accepts besides its own, and where it finds its own.
///
/// ```
/// use session_core::adapter::RequestHead;
/// use session_web::OriginRules;
///
/// let header = |name| match name {
///     "host" => Some(b"shop.example".as_slice()),
///     "origin" => Some(b"https://blog.shop.example".as_slice()),
///     _ => None,
/// };
/// let head = RequestHead { method: "GET", url: "/chat", authority: None, header };
/// assert!(OriginRules::default().same_origin(&head).is_err());
/// assert!(OriginRules::default().trust_origin("https://blog.shop.example")?.same_origin(&head).is_ok());
/// # Ok::<(), session_web::CsrfRuleError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginRules {
    trusted: Vec<Origin>,
    forwarded_host: bool,
}

/// What the headers of a request say about the page that sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// A page of this application or of a trusted origin, or the visitor.
    Ours,
    /// Nothing, so that the token must decide: no browser, or an old one, or an opaque origin.
    Unsaid(Option<CrossOrigin>),
    /// A page of another origin.
    Elsewhere(CrossOrigin),
}

/// Returned when another origin's page sent a request. Its text has no value of the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrossOrigin {
    /// The browser says that another site, or another origin of this site, sent the request.
    #[error(
        "`sec-fetch-site` says that a page of another origin sent the request, and this origin is not trusted"
    )]
    FetchSite {
        /// The `Origin`, if it is one.
        origin: Option<Origin>,
    },
    /// The `Origin` and the requested host are different.
    #[error(
        "`origin` is not at the requested host (`{host_header}`); behind a proxy that changes `host`, trust the origin or \
         the forwarded host"
    )]
    OtherHost {
        /// The `Origin`, if it is one.
        origin: Option<Origin>,
        /// The host that it was compared with, if it is one.
        host: Option<Box<str>>,
        /// The header that the host was taken from.
        host_header: &'static str,
    },
    /// The `Origin` is `null`, as of a sandboxed frame, or the request has no host to compare it with.
    #[error("`origin` is `null`, or there is no host to compare it with")]
    Opaque,
}

impl CrossOrigin {
    /// Returns the origin of the page that sent the request, if its header is well-formed.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::FetchSite { origin } | Self::OtherHost { origin, .. } => origin.as_ref(),
            Self::Opaque => None,
        }
    }

    /// Returns the requested host that the origin was compared with, if it is well-formed.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::OtherHost { host, .. } => host.as_deref(),
            Self::FetchSite { .. } | Self::Opaque => None,
        }
    }
}

impl OriginRules {
    /// Trusts the pages of another origin: `https://accounts.example.com`.
    ///
    /// # Errors
    /// [`CsrfRuleError::NotAnOrigin`] for anything but a scheme, a host and perhaps a port.
    pub fn trust_origin(mut self, origin: &str) -> Result<Self, CsrfRuleError> {
        self.trusted.push(Origin::parse(origin).ok_or(CsrfRuleError::NotAnOrigin)?);
        Ok(self)
    }

    /// Compares `Origin` with `X-Forwarded-Host` where a request has it, instead of `Host`. For an application behind a
    /// proxy that changes `Host` and sets this header.
    #[must_use]
    pub fn trust_forwarded_host(mut self) -> Self {
        self.forwarded_host = true;
        self
    }

    /// Checks that no other origin's page opens a WebSocket, which browsers permit with the visitor's cookies. Call it
    /// before the upgrade. A request without `Sec-Fetch-Site` and `Origin` is no browser's, and passes.
    ///
    /// # Errors
    /// [`CrossOrigin`]: refuse the request with 403.
    pub fn same_origin<'r>(
        &self,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
    ) -> Result<(), CrossOrigin> {
        match self.sender(head) {
            Sender::Ours | Sender::Unsaid(None) => Ok(()),
            Sender::Unsaid(Some(why)) | Sender::Elsewhere(why) => Err(why),
        }
    }

    pub(super) fn sender<'r>(
        &self,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
    ) -> Sender {
        // An empty header says as little as none.
        let said = |name| (head.header)(name).filter(|value| !value.is_empty());
        let text = said("origin").map(|value| std::str::from_utf8(value).unwrap_or_default());
        let origin = text.and_then(Origin::parse);
        if origin.as_ref().is_some_and(|origin| self.trusted.contains(origin)) {
            return Sender::Ours;
        }
        match said("sec-fetch-site") {
            Some(b"same-origin" | b"none") => return Sender::Ours,
            Some(_) => return Sender::Elsewhere(CrossOrigin::FetchSite { origin }),
            None => {}
        }
        let (host, host_header) = self.host(head);
        match (text, host) {
            (None, _) => Sender::Unsaid(None),
            (Some("null"), _) | (Some(_), None) => Sender::Unsaid(Some(CrossOrigin::Opaque)),
            (Some(_), Some(host)) if origin.as_ref().is_some_and(|origin| origin.is_at(host)) => Sender::Ours,
            (Some(_), Some(host)) => {
                let host = Origin::is_host(host).then(|| host.into());
                Sender::Elsewhere(CrossOrigin::OtherHost { origin, host, host_header })
            }
        }
    }

    /// The requested host, and the header that has it.
    fn host<'r>(
        &self,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
    ) -> (Option<&'r str>, &'static str) {
        let text = |value: &'r [u8]| std::str::from_utf8(value).unwrap_or_default();
        let forwarded = || (head.header)(FORWARDED_HOST).map(text).filter(|_| self.forwarded_host);
        match forwarded() {
            // Each proxy appends its own: the first is the browser's.
            Some(hosts) => (hosts.split(',').next().map(str::trim), FORWARDED_HOST),
            None => (head.host().map(text), "host"),
        }
    }
}

/// [`OriginRules::same_origin`] for an application that trusts no other origin.
///
/// # Errors
/// [`CrossOrigin`]: refuse the request with 403.
///
/// ```
/// use session_core::adapter::RequestHead;
/// use session_web::same_origin;
///
/// let header = |name| match name {
///     "host" => Some(b"shop.example".as_slice()),
///     "origin" => Some(b"https://shop.example".as_slice()),
///     _ => None,
/// };
/// let head = RequestHead { method: "GET", url: "/chat", authority: None, header };
/// assert!(same_origin(&head).is_ok());
/// ```
pub fn same_origin<'r>(
    head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
) -> Result<(), CrossOrigin> {
    OriginRules::default().same_origin(head)
}

const FORWARDED_HOST: &str = "x-forwarded-host";

#[cfg(test)]
mod tests {
    use super::*;

    type Headers = &'static [(&'static str, &'static str)];

    fn sender_with(rules: &OriginRules, headers: Headers) -> Sender {
        let header =
            move |name| headers.iter().find(|(there, _)| *there == name).map(|(_, value)| value.as_bytes());
        rules.sender(&RequestHead { method: "POST", url: "/", authority: None, header })
    }

    fn is_ours(headers: Headers) -> bool {
        sender_with(&OriginRules::default(), headers) == Sender::Ours
    }

    fn is_elsewhere(headers: Headers) -> bool {
        matches!(sender_with(&OriginRules::default(), headers), Sender::Elsewhere(_))
    }

    fn is_unsaid(headers: Headers) -> bool {
        matches!(sender_with(&OriginRules::default(), headers), Sender::Unsaid(_))
    }

    #[test]
    fn sec_fetch_site_decides_whatever_origin_and_host_are() {
        for site in ["same-origin", "none"] {
            let headers =
                [("sec-fetch-site", site), ("origin", "https://shop.example"), ("host", "10.0.0.1")];
            assert!(is_ours(Box::leak(Box::new(headers))), "{site}");
        }
        for site in ["cross-site", "same-site", "SAME-ORIGIN", "same-origin, cross-site", "?"] {
            let headers =
                [("sec-fetch-site", site), ("origin", "https://shop.example"), ("host", "shop.example")];
            assert!(is_elsewhere(Box::leak(Box::new(headers))), "{site}");
        }
    }

    #[test]
    fn origin_against_host_decides_where_a_browser_does_not_say_its_site() {
        assert!(is_ours(&[("origin", "https://shop.example"), ("host", "shop.example")]));
        assert!(is_ours(&[("origin", "http://localhost:3000"), ("host", "localhost:3000")]));
        assert!(is_ours(&[
            ("origin", "https://shop.example"),
            ("host", "Shop.Example:443"),
            ("sec-fetch-site", "")
        ]));
        for origin in
            ["https://evil.example", "https://shop.example:8443", "https://blog.shop.example", "shop.example"]
        {
            let headers = [("origin", origin), ("host", "shop.example")];
            assert!(is_elsewhere(Box::leak(Box::new(headers))), "{origin}");
        }
        assert!(is_elsewhere(&[("origin", "https://shop.example"), ("host", "shop.example, evil.example")]));
    }

    #[test]
    fn where_nothing_is_said_the_token_decides() {
        assert!(is_unsaid(&[]) && is_unsaid(&[("host", "shop.example"), ("origin", "")]));
        assert!(
            is_unsaid(&[("host", "shop.example"), ("origin", "null")])
                && is_unsaid(&[("origin", "https://a.b")])
        );
    }

    #[test]
    fn a_forwarded_host_counts_only_if_that_is_said() {
        let headers: Headers = &[
            ("origin", "https://shop.example"),
            ("host", "10.0.0.1"),
            ("x-forwarded-host", "shop.example, proxy"),
        ];
        assert!(matches!(sender_with(&OriginRules::default(), headers), Sender::Elsewhere(_)));
        let trusting = OriginRules::default().trust_forwarded_host();
        assert_eq!(sender_with(&trusting, headers), Sender::Ours);
        assert_eq!(sender_with(&trusting, &[("origin", "https://a.b"), ("host", "a.b")]), Sender::Ours);
        let other: Headers =
            &[("origin", "https://a.b"), ("host", "a.b"), ("x-forwarded-host", "shop.example")];
        assert!(matches!(sender_with(&trusting, other), Sender::Elsewhere(_)));
    }

    #[test]
    fn a_trusted_origin_passes_as_a_whole_only() {
        let rules = OriginRules::default().trust_origin("https://Accounts.example:443").unwrap();
        let from = |origin: &'static str| {
            sender_with(&rules, Box::leak(Box::new([("origin", origin), ("sec-fetch-site", "cross-site")])))
        };
        assert_eq!(from("https://accounts.example"), Sender::Ours);
        for other in
            ["http://accounts.example", "https://accounts.example:8443", "https://x.accounts.example", "null"]
        {
            assert!(matches!(from(other), Sender::Elsewhere(_)), "{other}");
        }
        for bad in
            ["", "*", "null", "accounts.example", "https://", "https://*.example", "https://a.example/"]
        {
            assert_eq!(
                OriginRules::default().trust_origin(bad).unwrap_err(),
                CsrfRuleError::NotAnOrigin,
                "{bad}"
            );
        }
    }

    #[test]
    fn at_9_a_socket_is_opened_by_our_own_pages_and_by_no_browser_only() {
        let opens = |headers: Headers| {
            let header = move |name| {
                headers.iter().find(|(there, _)| *there == name).map(|(_, value)| value.as_bytes())
            };
            same_origin(&RequestHead { method: "GET", url: "/chat", authority: None, header }).is_ok()
        };
        assert!(opens(&[("host", "a.b")]) && opens(&[("host", "a.b"), ("origin", "https://a.b")]));
        assert!(opens(&[("host", "a.b"), ("sec-fetch-site", "same-origin"), ("origin", "https://c.d")]));
        assert!(!opens(&[("host", "a.b"), ("origin", "null")]) && !opens(&[("origin", "https://a.b")]));
        assert!(!opens(&[("host", "a.b"), ("origin", "https://x.a.b")]));
        assert!(!opens(&[("host", "a.b"), ("sec-fetch-site", "same-site")]));
    }
}
