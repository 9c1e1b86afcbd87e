//! The part of CSRF middleware that all adapters share: judges a request, and reads its body where the headers do not decide.

use std::fmt;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::Stream;
use session_core::Session;
use session_core::adapter::{BareResponse, RequestHead, Visit};

use super::body::{JsonToken, is_json};
use super::{CsrfDecision, CsrfFailure, CsrfRuleError, CsrfRules, OriginRules, verify_form};
use crate::{Form, FormError, InputLimit, Rejection};

/// The rules that an application has set, and what a refused request gets. `R` is the framework's response.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use futures_util::stream;
/// use session_core::adapter::{BareResponse, RequestHead};
/// use session_web::{CheckedBody, CsrfGuard, InputLimit};
///
/// let guard = CsrfGuard::new(|answer: BareResponse| answer.status()).exempt("/webhooks")?;
/// // A body is anything that `chunks` makes a stream of.
/// let chunks = |body: &'static str| stream::iter([Ok::<_, std::io::Error>(body.as_bytes())]);
/// let limit = InputLimit::default();
///
/// let head = RequestHead { method: "POST", url: "/webhooks/mail", authority: None, header: |_| None };
/// let checked = guard.check(None, &head, limit, "a letter", chunks).await;
/// assert!(matches!(checked, Ok(CheckedBody::Untouched("a letter"))));
/// // Here it must be known whose request it is, and there is no session: the layer is missing.
/// let head = RequestHead { url: "/orders", ..head };
/// assert_eq!(guard.check(None, &head, limit, "", chunks).await.unwrap_err(), 500);
/// # Ok(())
/// # }
/// ```
pub struct CsrfGuard<R> {
    rules: Arc<CsrfRules>,
    answer: fn(BareResponse) -> R,
    on_refused: Option<Arc<OnRefused<R>>>,
}

type OnRefused<R> = dyn Fn(&CsrfFailure) -> R + Send + Sync;

/// The body of a request that may go on.
///
/// ```
/// use session_web::CheckedBody;
///
/// /// What an adapter makes of it: one type of body for the handler.
/// fn give_on(body: CheckedBody<String>) -> String {
///     match body {
///         CheckedBody::Untouched(body) => body,
///         CheckedBody::Read(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
///     }
/// }
/// assert_eq!(give_on(CheckedBody::Read("a=1".into())), "a=1");
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a promise: an adapter matches both")]
pub enum CheckedBody<B> {
    /// The unread body.
    Untouched(B),
    /// The bytes of the form that was read in search of the token.
    Read(Bytes),
}

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

    /// Checks a request, and gives back its body. `visit` is the one in the request's extensions; `chunks` makes a stream
    /// of the body, and is called only if the headers do not decide and the body is a form or JSON.
    ///
    /// # Errors
    /// The response that the request gets: refused, of a form that cannot be read, of a session that cannot be opened, or
    /// of a layer that is missing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use futures_util::stream::{self, Empty};
    /// # use session_core::adapter::{BoxFuture, CookieHeaders, RequestHead};
    /// # use session_web::{CsrfGuard, InputLimit};
    /// # static HERE: fn(BoxFuture<()>) = |future| drop(tokio::spawn(future));
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().in_cookie().key(key).build()?;
    /// # let begun = sessions.visit(CookieHeaders::default(), &HERE);
    /// let guard = CsrfGuard::new(|answer| answer.status());
    /// let chunks = |()| -> Empty<std::io::Result<&[u8]>> { unreachable!("nothing to search for a token") };
    /// let head = RequestHead { method: "POST", url: "/orders", authority: None, header: |_| None };
    /// let visit = begun.visit().clone();
    /// assert_eq!(guard.check(Some(visit.clone()), &head, InputLimit::default(), (), chunks).await.unwrap_err(), 419);
    /// // A form of another site is refused without reading it.
    /// let header = |name| match name {
    ///     "sec-fetch-site" => Some(b"cross-site".as_slice()),
    ///     "content-type" => Some(b"application/x-www-form-urlencoded".as_slice()),
    ///     _ => None,
    /// };
    /// let head = RequestHead { method: "POST", url: "/orders", authority: None, header };
    /// assert_eq!(guard.check(Some(visit), &head, InputLimit::default(), (), chunks).await.unwrap_err(), 419);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check<'r, B, S, D: Buf, E>(
        &self,
        visit: Option<Visit>,
        head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
        limit: InputLimit,
        body: B,
        chunks: impl FnOnce(B) -> S,
    ) -> Result<CheckedBody<B>, R>
    where
        S: Stream<Item = Result<D, E>>,
    {
        match self.rules.judge(visit.as_ref(), head).await {
            Ok(CsrfDecision::Pass) => Ok(CheckedBody::Untouched(body)),
            Ok(CsrfDecision::Refuse(refusal)) => Err(self.refuse(&refusal)),
            Ok(CsrfDecision::AskBody(session)) => match read(head, limit, chunks(body)).await {
                Ok((bytes, fields)) => {
                    let refusal = refusal(&session, &bytes, &fields);
                    refusal.map_or(Ok(CheckedBody::Read(bytes)), |refusal| Err(self.refuse(&refusal)))
                }
                Err(error) => Err((self.answer)(BareResponse::from(&Rejection::from(error)))),
            },
            Err(rejection) => Err((self.answer)(BareResponse::from(&rejection))),
        }
    }

    fn refuse(&self, refusal: &CsrfFailure) -> R {
        refusal.log();
        match &self.on_refused {
            Some(answer) => answer(refusal),
            None => (self.answer)(BareResponse::from(refusal)),
        }
    }
}

/// Where a body has its fields.
enum Fields {
    Form(Form),
    Json,
}

/// The body's bytes to pass on, and its fields.
async fn read<'r, D: Buf, E>(
    head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
    InputLimit(limit): InputLimit,
    chunks: impl Stream<Item = Result<D, E>>,
) -> Result<(Bytes, Fields), FormError> {
    let bytes = Form::collect(limit, head.content_length(), chunks).await?;
    let content_type = (head.header)("content-type");
    let fields = match content_type.is_some_and(is_json) {
        true => Fields::Json,
        false => Fields::Form(Form::of_body(content_type, bytes.clone()).await?),
    };
    Ok((bytes, fields))
}

/// The refusal of a body without this session's token.
fn refusal(session: &Session, bytes: &[u8], fields: &Fields) -> Option<CsrfFailure> {
    let json = match fields {
        Fields::Json => JsonToken::find(bytes),
        Fields::Form(_) => JsonToken::default(),
    };
    let field = |name| match fields {
        Fields::Form(form) => form.text(name),
        Fields::Json => json.text(name),
    };
    (!verify_form(session, field)).then(|| CsrfFailure::of_form(session, field))
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
