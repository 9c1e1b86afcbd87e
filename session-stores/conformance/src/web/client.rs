//! A visitor of a [`WebApp`]: keeps cookies and sends forms.

use std::cell::RefCell;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use serde_json::Value;
use session_core::Session;

use super::{WebApp, json_of};

/// One visitor.
#[derive(Debug)]
pub struct Client<'a, A> {
    app: &'a A,
    cookie: RefCell<Option<String>>,
}

/// A response.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "for tests")]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl<'a, A: WebApp> Client<'a, A> {
    /// Creates a visitor without cookies.
    pub fn new(app: &'a A) -> Self {
        Self { app, cookie: RefCell::default() }
    }

    /// Returns another visitor with a copy of this one's cookie.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { app: self.app, cookie: self.cookie.clone() }
    }

    /// Returns the `Cookie` header that it sends, if any.
    #[must_use]
    pub fn cookie(&self) -> Option<String> {
        self.cookie.borrow().clone()
    }

    /// Sets the `Cookie` header.
    pub fn wear(&self, cookie: Option<String>) {
        self.cookie.replace(cookie);
    }

    /// Gets a page.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, form: &str) -> Reply {
        self.post_with(path, form, &[]).await
    }

    /// Sends a form with more headers.
    pub async fn post_with(&self, path: &str, form: &str, headers: &[(&str, &str)]) -> Reply {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend(headers);
        self.send(Method::POST, path, &all, Bytes::copy_from_slice(form.as_bytes())).await
    }

    /// Sends a request. The host is `shop.example`, unless a header names another.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Bytes) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if headers.iter().all(|(name, _)| *name != "host") {
            request = request.header(header::HOST, "shop.example");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &*self.cookie.borrow() {
            request = request.header(header::COOKIE, cookie);
        }
        let (parts, body) = self.app.send(request.body(body).unwrap()).await.into_parts();
        for set in set_cookies(&parts.headers) {
            let pair = set.split(';').next().unwrap().to_owned();
            self.cookie.replace((!set.contains("Max-Age=0")).then_some(pair));
        }
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a request with this handler, and returns the handler's result.
    pub async fn visit<T: Send + 'static>(&self, handler: impl FnOnce(&Session) -> T + Send + 'static) -> T {
        self.submit("", handler).await.0
    }

    /// Sends a form to this handler, and returns the response.
    pub async fn submit<T: Send + 'static>(
        &self,
        form: &str,
        handler: impl FnOnce(&Session) -> T + Send + 'static,
    ) -> (T, Reply) {
        self.answer(form, move |session| {
            let given = handler(&session);
            async { given }
        })
        .await
    }

    /// Sends a request with this asynchronous handler.
    pub async fn wait<T, F>(&self, handler: impl FnOnce(Session) -> F + Send + 'static) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        self.answer("", handler).await.0
    }

    async fn answer<T, F>(
        &self,
        form: &str,
        handler: impl FnOnce(Session) -> F + Send + 'static,
    ) -> (T, Reply)
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let given = Arc::new(Mutex::new(None));
        let slot = given.clone();
        self.app.setting().handlers.give(Box::new(move |session| {
            let handling = handler(session);
            Box::pin(async move {
                let value = handling.await;
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            })
        }));
        let reply = self.post("/do", form).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT);
        let value = given.lock().unwrap_or_else(PoisonError::into_inner).take();
        (value.expect("the handler has run"), reply)
    }

    /// Returns the CSRF token that `/page` shows.
    pub async fn csrf(&self) -> String {
        self.get("/page").await.json()["csrf_token"].as_str().unwrap().to_owned()
    }
}

impl Reply {
    /// Returns the body as JSON, or null if it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        json_of(&self.body)
    }

    /// Returns the target of a redirect, or an empty text.
    #[must_use]
    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns whether `Vary` contains `Cookie`, possibly among others.
    #[must_use]
    pub fn varies_by_cookie(&self) -> bool {
        let values = self.headers.get_all(header::VARY).iter();
        let mut fields = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        fields.any(|field| field.trim_ascii().eq_ignore_ascii_case(b"cookie"))
    }

    /// Returns the only `Set-Cookie` header except those of touch cookies, or an empty text.
    ///
    /// # Panics
    /// If there are several.
    #[must_use]
    pub fn set_cookie(&self) -> &str {
        let mut all = set_cookies(&self.headers);
        let one = all.next().unwrap_or_default();
        assert!(all.next().is_none(), "one cookie, or none");
        one
    }
}

/// Returns all `Set-Cookie` headers except those of touch cookies, which these claims do not test, and of the token for
/// scripts.
fn set_cookies(headers: &http::HeaderMap) -> impl Iterator<Item = &str> {
    let all = headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    all.filter(|set| {
        let name = set.split('=').next().unwrap_or_default();
        !name.ends_with(".t") && name != "XSRF-TOKEN"
    })
}
