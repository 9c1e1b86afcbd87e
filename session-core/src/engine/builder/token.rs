//! Where a session's token comes from: the cookie, or a header for clients that are no browsers.

use super::SessionsBuilder;
use crate::engine::error::ConfigError;

/// Where requests carry the token of their session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenFrom {
    /// In the cookie.
    #[default]
    Cookie,
    /// In the request header of this name, for native clients. See [`SessionsBuilder::token_from`].
    Header(&'static str),
}

impl TokenFrom {
    /// The name of the header in lower case.
    pub(super) fn header(self) -> Result<Option<&'static str>, ConfigError> {
        let Self::Header(name) = self else { return Ok(None) };
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_taken = TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(name))
            || FAMILIES.iter().any(|family| {
                name.get(..family.len()).is_some_and(|start| start.eq_ignore_ascii_case(family))
            });
        if name.is_empty() || name.len() > MOST_NAME_BYTES || !name.bytes().all(is_token) || is_taken {
            return Err(ConfigError::BadHeader { name });
        }
        Ok(Some(match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            // Once for each configuration, which lives as long as the application.
            true => Box::leak(name.to_ascii_lowercase().into_boxed_str()),
            false => name,
        }))
    }
}

impl SessionsBuilder {
    /// Sets where requests carry the token of their session; the default is the cookie.
    ///
    /// With [`TokenFrom::Header`], for native clients, the token is the whole value of a request header, and a new one
    /// is in the response header of the same name: the client stores it and sends it from then on. An empty value, after
    /// a sign-out, tells it to forget its token. Cookies are neither read nor set. Such a response has `Vary` with the
    /// header's name and, if it carries a token, `Cache-Control: no-store`.
    ///
    /// Use separate `Sessions` for these routes, so that no route takes both. CSRF protection does not apply to them: a
    /// browser never adds this header by itself, so another site cannot send a request in its visitor's name.
    /// Sessions must be in a store.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::{SecretKey, Sessions, TokenFrom, adapter::{Closing, CookieHeaders}};
    /// # use session_store_memory::MemoryStore;
    /// let api = Sessions::builder()
    ///     .store(MemoryStore::new())
    ///     .key(SecretKey::generate()?)
    ///     .token_from(TokenFrom::Header("X-Session"))
    ///     .build()?;
    /// # let guard = api.visit(CookieHeaders::default(), &Here);
    /// # guard.visit().session().await?.put("user", "ada")?;
    /// # let Closing::Pending(writing) = guard.close(200) else { unreachable!() };
    /// let report = writing.await;
    /// let (name, token) = report.set_token.unwrap();
    /// assert!(name == "x-session" && token.len() == 120 && report.set_cookie.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn token_from(mut self, source: TokenFrom) -> Self {
        self.token_from = source;
        self
    }
}

/// Headers that mean something else to servers, proxies, browsers or this library, in a request or in a response, or that
/// browsers send by themselves.
const TAKEN: [&str; 43] = [
    "accept",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "clear-site-data",
    "connection",
    "cookie",
    "date",
    "dnt",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "from",
    "host",
    "keep-alive",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "refresh",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
    "x-csrf-token",
    "x-requested-with",
    "x-xsrf-token",
];

/// The beginnings of more such headers.
const FAMILIES: [&str; 8] =
    ["accept-", "access-control-", "content-", "if-", "proxy-", "sec-", "x-forwarded-", "x-real-"];

const MOST_NAME_BYTES: usize = 64;
