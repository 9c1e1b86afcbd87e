//! CSRF protection: judges a request by its headers and, where they do not decide, by a field of its form.
//!
//! [`CsrfGuard`] calls [`CsrfRules::judge`] for the adapters' middleware and, for [`CsrfDecision::AskForm`], reads the form
//! and verifies its token. The session is opened read-only, so that a refused request consumes no flash.

mod guard;
mod rules;

pub use guard::CsrfGuard;
pub use rules::CsrfRules;

use rules::{FIELDS, HEADERS, REFUSED};
use session_core::Session;
use session_core::adapter::{BareResponse, RequestHead, Visit};

use crate::rejection::Rejection;
use crate::visit::find_visit;

/// What [`CsrfRules::judge`] decides from a request's method, path and headers.
///
/// ```
/// # use session_core::Session;
/// use session_web::{CsrfDecision, verify_form};
///
/// /// What an adapter makes of it: the status to refuse with, if any.
/// fn refusal(verdict: CsrfDecision, field: Option<&str>) -> Option<u16> {
///     match verdict {
///         CsrfDecision::Pass => None,
///         CsrfDecision::Refuse(_) => Some(419),
///         CsrfDecision::AskForm(session) if verify_form(&session, |_| field) => None,
///         CsrfDecision::AskForm(_) => Some(419),
///     }
/// }
///
/// let session = Session::standalone();
/// let token = session.csrf().token()?;
/// assert_eq!(refusal(CsrfDecision::AskForm(session.clone()), Some(&token)), None);
/// assert_eq!(refusal(CsrfDecision::AskForm(session), None), Some(419));
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a promise: an adapter matches them all")]
pub enum CsrfDecision {
    /// The request may proceed: it needs no token, or its token is valid.
    Pass,
    /// The request is refused: respond with 419.
    Refuse(CsrfFailure),
    /// The headers have no token, and the body is a form: the request may proceed if
    /// [`verify_form`] of this session returns `true`.
    AskForm(Session),
}

/// The refusal of a request by CSRF protection, to render the error page.
///
/// ```
/// # use session_core::Session;
/// use session_web::CsrfFailure;
///
/// fn answer(refusal: &CsrfFailure) -> (u16, &'static str) {
///     match refusal.ended() {
///         true => (303, "/sign-in"), // signed out on another device a moment ago: the form only came too late
///         false => (419, "please load the page again"),
///     }
/// }
/// assert_eq!(answer(&CsrfFailure::from(Session::standalone())).0, 419);
/// ```
#[derive(Debug)]
pub struct CsrfFailure {
    session: Option<Session>,
    reason: CsrfReason,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsrfReason {
    /// There is no token in the headers, and the body is not a form.
    #[error("the request carries no CSRF token: no `x-csrf-token` header, and its body is not a form")]
    NoToken,
    /// The form has no field with a token.
    #[error("the form has no CSRF token: add a hidden field `_csrf`")]
    NoField,
    /// The request belongs to no stored session, so no token can be right.
    #[error("the request has a CSRF token but no session: its cookie is missing, expired or signed out")]
    NoSession,
    /// The token is not this session's.
    #[error("the CSRF token is not the session's own")]
    WrongToken,
}

impl CsrfFailure {
    /// Whether the session has ended a moment ago: signed out on another device, or replaced.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.session.as_ref().is_some_and(Session::ended)
    }

    /// The session, read-only. `None` if the request was refused without opening it.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Why it was refused.
    #[must_use]
    pub const fn reason(&self) -> CsrfReason {
        self.reason
    }

    /// The refusal of a form that [`verify_form`] did not accept; `field` looks up a field by its name.
    #[must_use]
    pub fn of_form<'f>(session: &Session, field: impl Fn(&'static str) -> Option<&'f str>) -> Self {
        let has_field = FIELDS.iter().any(|name| field(name).is_some());
        Self::of(session, if has_field { CsrfReason::WrongToken } else { CsrfReason::NoField })
    }

    /// Writes the reason to the log, at the level `warn` of the target `session`.
    pub fn log(&self) {
        let reason = self.reason;
        tracing::warn!(target: "session", %reason, status = REFUSED, "CSRF protection refused a request");
    }

    fn of(session: &Session, reason: CsrfReason) -> Self {
        let reason = if session.fresh() { CsrfReason::NoSession } else { reason };
        Self { session: Some(session.to_read_only()), reason }
    }
}

/// Unless the application says something better.
impl From<&CsrfFailure> for BareResponse {
    fn from(_: &CsrfFailure) -> Self {
        Self::uncached(REFUSED)
    }
}

/// The refusal of a request without a token.
impl Default for CsrfFailure {
    fn default() -> Self {
        Self { session: None, reason: CsrfReason::NoToken }
    }
}

/// The refusal of a token that is not this session's.
impl From<Session> for CsrfFailure {
    fn from(session: Session) -> Self {
        Self::of(&session, CsrfReason::WrongToken)
    }
}

impl CsrfRules {
    /// Judges a request. `found` is the visit in its extensions.
    ///
    /// A request that needs no token opens no session and needs no visit. The body is read only if the session has been
    /// stored before, since otherwise no token can be right.
    ///
    /// # Errors
    /// [`Rejection`] when the session layer is missing or inside this one, or the session cannot be read.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::adapter::{CookieHeaders, RequestHead};
    /// # use session_web::{CsrfRules, CsrfDecision};
    /// # let key = session_core::SecretKey::generate()?;
    /// # let sessions = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key).build()?;
    /// # let guard = sessions.visit(CookieHeaders::default(), &Here);
    /// let visit = guard.visit();
    /// let rules = CsrfRules::default();
    /// let head = RequestHead { method: "GET", url: "/orders", authority: None, header: |_| None };
    /// assert!(matches!(rules.judge(Some(visit), &head).await?, CsrfDecision::Pass));
    /// // No token and no form that could carry one: refused without asking the store.
    /// let head = RequestHead { method: "POST", ..head };
    /// assert!(matches!(rules.judge(Some(visit), &head).await?, CsrfDecision::Refuse(_)));
    /// assert!(!visit.is_opened());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn judge<'h>(
        &self,
        found: Option<&Visit>,
        head: &RequestHead<'h, impl Fn(&'static str) -> Option<&'h [u8]>>,
    ) -> Result<CsrfDecision, Rejection> {
        if !self.needs_token(head.method, head.path()) {
            return Ok(CsrfDecision::Pass);
        }
        let visit = match find_visit(found) {
            Err(Rejection::NoLayer) => return Err(Rejection::MisplacedCsrf),
            found => found?,
        };
        let token = HEADERS.iter().find_map(|name| (head.header)(name));
        let has_form = (head.header)("content-type").is_some_and(is_form);
        if token.is_none() && !has_form {
            return Ok(CsrfDecision::Refuse(CsrfFailure::default()));
        }
        let session = visit.read_only().await?;
        Ok(match token.map(std::str::from_utf8) {
            Some(Ok(token)) if session.csrf().verify(token) => CsrfDecision::Pass,
            None if !session.fresh() => CsrfDecision::AskForm(session),
            Some(_) | None => CsrfDecision::Refuse(session.into()),
        })
    }
}

fn is_form(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        || essence.eq_ignore_ascii_case(b"multipart/form-data")
}

/// Verifies the token of a form: its field `_csrf` or `_token`. `field` looks up a field by its name.
#[must_use]
pub fn verify_form<'f>(session: &Session, field: impl Fn(&'static str) -> Option<&'f str>) -> bool {
    FIELDS.iter().find_map(|name| field(name)).is_some_and(|token| session.csrf().verify(token))
}
