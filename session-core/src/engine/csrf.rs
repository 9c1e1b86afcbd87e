//! Whether a request may change something: what its headers tell, and what its form must tell if they do not.
//!
//! `session-forms` asks [`CsrfRules::judge`] for the adapters' middlewares and, for [`CsrfDecision::AskForm`], reads the form's
//! token and asks the session. The session is opened to be read, so that no flash is eaten by a request that is refused.

use super::head::RequestHead;
use super::rejection::Rejection;
use super::session::Session;
use super::visit::Visit;
use crate::value::csrf::{CsrfRules, HEADERS};

/// What a request's method, path and headers tell.
///
/// ```
/// # use session_core::{Session, adapter::CsrfDecision};
/// /// What an adapter makes of it: the status to refuse with, if any.
/// fn refusal(verdict: CsrfDecision, field: Option<&str>) -> Option<u16> {
///     match verdict {
///         CsrfDecision::Pass => None,
///         CsrfDecision::Refuse(_) => Some(419),
///         CsrfDecision::AskForm(session) if session.csrf().verify_form(|_| field) => None,
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
    /// It may go on; nothing was opened, or the token was right.
    Pass,
    /// It may not: answer 419.
    Refuse(CsrfFailure),
    /// There is no token in the headers and there is a form: it may go on if
    /// [`Csrf::verify_form`](crate::Csrf::verify_form) says so of this session.
    AskForm(Session),
}

/// A request that is refused: what the page that says so may want to know. It opens nothing and changes nothing.
///
/// ```
/// # use session_core::Session;
/// use session_core::adapter::CsrfFailure;
///
/// fn answer(refusal: &CsrfFailure) -> (u16, &'static str) {
///     match refusal.ended() {
///         true => (303, "/sign-in"), // signed out on another device a moment ago: the form only came too late
///         false => (419, "please load the page again"),
///     }
/// }
/// assert_eq!(answer(&CsrfFailure::from(Session::standalone())).0, 419);
/// ```
#[derive(Debug, Default)]
pub struct CsrfFailure {
    session: Option<Session>,
}

impl CsrfFailure {
    /// Whether the visitor's session was ended, or got another id, a moment ago: [`Session::ended`]. Then nobody forged
    /// anything: the form was open while they were signed out elsewhere. Send them to the page that signs in.
    ///
    /// ```
    /// # use session_core::{Session, adapter::CsrfFailure};
    /// // Nobody has signed this visitor out: the token is wrong for some other reason.
    /// assert!(!CsrfFailure::from(Session::standalone()).ended());
    /// ```
    #[must_use]
    pub fn ended(&self) -> bool {
        self.session.as_ref().is_some_and(Session::ended)
    }

    /// The visitor's session, to read: in which language to refuse. `None` if the request brought nothing that could
    /// be a token, so that nobody opened it.
    ///
    /// ```
    /// # use session_core::{Session, adapter::CsrfFailure};
    /// let session = Session::standalone();
    /// session.put("language", "de")?;
    /// let refusal = CsrfFailure::from(session);
    /// let language = refusal.session().map(|session| session.get::<String>("language"));
    /// assert_eq!(language.transpose()?.flatten().as_deref(), Some("de"));
    /// # Ok::<(), session_core::SessionError>(())
    /// ```
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }
}

/// The refusal of a form that does not carry this session's token.
impl From<Session> for CsrfFailure {
    fn from(session: Session) -> Self {
        Self { session: Some(session.to_read_only()) }
    }
}

impl CsrfRules {
    /// Judges a request. `found` is the visit in its extensions.
    ///
    /// A request that needs no token opens nothing, and needs no visit. A body is asked for only if the session has been stored before, since
    /// no token could be right otherwise.
    ///
    /// # Errors
    /// [`Rejection`] when the layer is missing, or the session cannot be read.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[derive(Debug)] struct Here;
    /// # impl session_core::adapter::Spawn for Here { fn spawn(&self, f: session_core::adapter::BoxFuture<()>) { tokio::spawn(f); } }
    /// # use session_core::{CsrfRules, adapter::{CookieHeaders, CsrfDecision, RequestHead}};
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
        let visit = Visit::found(found)?;
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
