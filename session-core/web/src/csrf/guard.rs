//! The part of CSRF middleware that all adapters share: judges a request, and reads its body where the headers do not decide.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Buf;
use futures_util::stream;
use session_core::Session;
use session_core::adapter::{BareResponse, RequestHead, Visit};

use super::body::{JsonToken, is_json};
use super::rules::FIELDS;
use super::{CsrfDecision, CsrfFailure, CsrfRuleError, CsrfRules, OriginRules, verify_form};
use crate::request::form_type;
use crate::search::{ReadAhead, Searched, search};
use crate::{Form, FormError, InputLimit, Rejection};

/// The rules that an application has set, and what a refused request gets. `R` is the framework's response.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::task::{Context, Poll};
/// use session_core::adapter::{BareResponse, RequestHead};
/// use session_web::{CsrfGuard, InputLimit};
///
/// let guard = CsrfGuard::new(|answer: BareResponse| answer.status()).exempt("/webhooks")?;
/// let limit = InputLimit::default();
/// let body = |_: &mut Context<'_>| -> Poll<Option<std::io::Result<&[u8]>>> { Poll::Ready(None) };
///
/// let head = RequestHead { method: "POST", url: "/webhooks/mail", authority: None, header: |_| None };
/// assert!(guard.check(None, &head, limit, body).await.is_ok_and(|read| read.bytes.is_empty()));
/// // Here it must be known whose request it is, and there is no session: the layer is missing.
/// let head = RequestHead { url: "/orders", ..head };
/// assert_eq!(guard.check(None, &head, limit, body).await.unwrap_err(), 500);
/// # Ok(())
/// # }
/// ```
pub struct CsrfGuard<R> {
    rules: Arc<CsrfRules>,
    answer: fn(BareResponse) -> R,
    on_refused: Option<Arc<OnRefused<R>>>,
}

type OnRefused<R> = dyn Fn(&CsrfFailure) -> R + Send + Sync;

impl<R> CsrfGuard<R> {
    /// Makes a guard without exemptions. `answer` converts the library's responses into the framework's.
    #[must_use]
    pub fn new(answer: fn(BareResponse) -> R) -> Self {
        Self { rules: Arc::default(), answer, on_refused: None }
    }

    /// Exempts a path and everything below it: [`CsrfRules::exempt`].
    ///
    /// # Errors
    /// [`CsrfRuleError`] for what is no path, or every path.
    pub fn exempt(self, path: impl AsRef<str>) -> Result<Self, CsrfRuleError> {
        let rules = Arc::unwrap_or_clone(self.rules).exempt(path)?;
        Ok(Self { rules: Arc::new(rules), ..self })
    }

    /// Exempts the requests for which this is true, asked with the method and the path.
    ///
    /// ```
    /// let guard = session_web::CsrfGuard::new(|answer| answer.status());
    /// let guard = guard.exempt_when(|method, path| method == "POST" && path.ends_with("/callback"));
    /// ```
    #[must_use]
    pub fn exempt_when(mut self, exempt: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.rules = Arc::new(Arc::unwrap_or_clone(self.rules).exempt_when(exempt));
        self
    }

    /// Replaces all rules, the exemptions among them.
    #[must_use]
    pub fn rules(mut self, rules: CsrfRules) -> Self {
        self.rules = Arc::new(rules);
        self
    }

    /// Returns the origins that are trusted, for a check of sockets behind this guard; `None` if there are none.
    #[must_use]
    pub fn origins(&self) -> Option<Arc<OriginRules>> {
        let origins = &self.rules.origins;
        (**origins != OriginRules::default()).then(|| origins.clone())
    }

    /// Replaces the response to refused requests, which is an empty 419.
    #[must_use]
    pub fn on_refused(mut self, answer: impl Fn(&CsrfFailure) -> R + Send + Sync + 'static) -> Self {
        self.on_refused = Some(Arc::new(answer));
        self
    }

    /// Checks a request. `visit` is the one in the request's extensions. `poll_chunk` reads the body, and is called only if
    /// the headers do not decide and the body is a form or JSON.
    ///
    /// Returns what was read of the body, which the handler must get before the rest of it: up to the field with the token,
    /// and at most as many bytes as `limit` allows. A file behind the token is not read.
    ///
    /// # Errors
    /// The response that the request gets: refused, of a form that cannot be read, of a session that cannot be opened, or
    /// of a layer that is missing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::task::{Context, Poll};
    /// # use session_core::adapter::{BoxFuture, CookieHeaders, RequestHead};
    /// # use session_web::{CsrfGuard, InputLimit};
    /// # static HERE: fn(BoxFuture<()>) = |future| drop(tokio::spawn(future));
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().in_cookie().key(key).build()?;
    /// # let begun = sessions.visit(CookieHeaders::default(), &HERE);
    /// let guard = CsrfGuard::new(|answer| answer.status());
    /// let body = |_: &mut Context<'_>| -> Poll<Option<std::io::Result<&[u8]>>> { unreachable!("there is no form") };
    /// let head = RequestHead { method: "POST", url: "/orders", authority: None, header: |_| None };
    /// let visit = begun.visit().clone();
    /// assert_eq!(guard.check(Some(visit.clone()), &head, InputLimit::default(), body).await.unwrap_err(), 419);
    /// // A form of another site is refused without reading it.
    /// let header = |name| match name {
    ///     "sec-fetch-site" => Some(b"cross-site".as_slice()),
    ///     "content-type" => Some(b"application/x-www-form-urlencoded".as_slice()),
    ///     _ => None,
    /// };
    /// let head = RequestHead { method: "POST", url: "/orders", authority: None, header };
    /// assert_eq!(guard.check(Some(visit), &head, InputLimit::default(), body).await.unwrap_err(), 419);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check<'r, D: Buf, E>(
        &self,
        visit: Option<Visit>,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
        limit: InputLimit,
        poll_chunk: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<D, E>>>,
    ) -> Result<ReadAhead, R> {
        let refusal = match self.rules.judge(visit.as_ref(), head).await {
            Ok(CsrfDecision::Pass) => return Ok(ReadAhead::default()),
            Ok(CsrfDecision::Refuse(refusal)) => refusal,
            Ok(CsrfDecision::AskBody(session)) => match look(&session, head, limit, poll_chunk).await {
                Ok(Ok(read)) => return Ok(read),
                Ok(Err(refusal)) => refusal,
                Err(error) => return Err((self.answer)(BareResponse::from(&Rejection::from(error)))),
            },
            Err(rejection) => return Err((self.answer)(BareResponse::from(&rejection))),
        };
        Err(self.refuse(&refusal))
    }

    fn refuse(&self, refusal: &CsrfFailure) -> R {
        refusal.log();
        match &self.on_refused {
            Some(answer) => answer(refusal),
            None => (self.answer)(BareResponse::from(refusal)),
        }
    }
}

/// Looks for the session's token in a body: what was read on the way, or the refusal.
async fn look<'r, D: Buf, E>(
    session: &Session,
    head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
    limit: InputLimit,
    poll_chunk: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<D, E>>>,
) -> Result<Result<ReadAhead, CsrfFailure>, FormError> {
    let content_type = (head.header)("content-type");
    if content_type.is_some_and(is_json) {
        let bytes = Form::collect(limit.bytes, head.content_length(), stream::poll_fn(poll_chunk)).await?;
        let refusal = {
            let json = JsonToken::find(&bytes);
            let field = |name| json.text(name);
            (!verify_form(session, field)).then(|| CsrfFailure::of_form(session, field))
        };
        return Ok(refusal.map_or(Ok(ReadAhead { bytes, ended: true }), Err));
    }
    let mut has_field = false;
    let is_token = |name: &str, text: &str| {
        has_field |= FIELDS.contains(&name);
        verify_form(session, |wanted| (wanted == name).then_some(text))
    };
    let searched = search(form_type(content_type).unwrap_or_default(), limit, poll_chunk, is_token).await;
    match searched {
        Ok(Searched { read, found: true }) => Ok(Ok(read)),
        // A token that is wrong is refused for that, wherever the search ended.
        Err(error @ FormError::NoTokenWithin { .. }) if !has_field => Err(error),
        Ok(_) | Err(FormError::NoTokenWithin { .. }) => {
            Ok(Err(CsrfFailure::of_form(session, |_| has_field.then_some(""))))
        }
        Err(error) => Err(error),
    }
}

impl<R> Clone for CsrfGuard<R> {
    fn clone(&self) -> Self {
        Self { rules: self.rules.clone(), answer: self.answer, on_refused: self.on_refused.clone() }
    }
}

impl<R> fmt::Debug for CsrfGuard<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfGuard").field("rules", &self.rules).finish_non_exhaustive()
    }
}
