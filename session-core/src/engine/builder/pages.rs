//! The rules for responses: where redirects may lead, who may cache pages, and the token that scripts read.

use super::SessionsBuilder;

impl SessionsBuilder {
    /// Sets the hosts that a redirect may lead to besides this site, each as `host` or `host:port`, over `https`. Each
    /// subdomain is listed separately; [`build`](Self::build) refuses wildcards, empty entries and URLs.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::adapter::CookieHeaders;
    /// # use session_web::Redirects;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// let sessions = builder.redirect_hosts(["accounts.example.com"]).build()?;
    /// # let guard = sessions.visit(CookieHeaders::default(), &Here);
    /// # let session = guard.visit().session().await?;
    /// let redirects = Redirects::new(session, None, None);
    /// assert!(redirects.to("https://accounts.example.com/profile").finish().is_ok());
    /// assert!(redirects.to("https://evil.example/").finish().is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn redirect_hosts<S: Into<String>>(mut self, hosts: impl IntoIterator<Item = S>) -> Self {
        self.redirect_hosts = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// Sets whether a redirect may lead to the [`redirect_hosts`](Self::redirect_hosts) over plain `http` as well; off by
    /// default. For development.
    ///
    /// ```
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// let sessions = builder.redirect_hosts(["localhost:8080"]).redirect_over_http(true).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn redirect_over_http(mut self, allow: bool) -> Self {
        self.redirect_over_http = allow;
        self
    }

    /// Keeps pages out of every cache, the browser's included: a response that shows the CSRF token, or whose handler
    /// opened the session of a user, gets `Cache-Control: no-store, private`. The browser then cannot show such a page
    /// after the user has signed out. Off by default: without it, only responses with a `Set-Cookie` are not stored.
    ///
    /// ```
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// let sessions = builder.private_pages(true).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn private_pages(mut self, private: bool) -> Self {
        self.private_pages = private;
        self
    }

    /// Sets the cookie `XSRF-TOKEN`, which axios and Angular send back in the header `X-XSRF-TOKEN`. Off by default.
    ///
    /// Scripts can read it; its other attributes are those of the session's cookie. It is set by a response whose handler
    /// opened a session that has a CSRF token ([`Csrf::token`](crate::facet::Csrf::token)), unless the browser has sent this
    /// token already.
    ///
    /// ```
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// let sessions = builder.xsrf_cookie(true).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn xsrf_cookie(mut self, set: bool) -> Self {
        self.xsrf_cookie = set;
        self
    }
}
