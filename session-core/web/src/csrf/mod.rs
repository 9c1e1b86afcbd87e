//! CSRF protection: judges a request by the headers that say where it comes from and, where they do not, by its token.
//!
//! [`CsrfGuard`] calls [`CsrfRules::judge`] for the adapters' middleware and, for [`CsrfDecision::AskBody`], reads the body
//! and verifies its token. The session is opened read-only, so that a refused request consumes no flash.

mod body;
mod failure;
mod guard;
mod origin;
mod rules;

pub use failure::{CsrfFailure, CsrfReason};
pub use guard::CsrfGuard;
pub use origin::{CrossOrigin, OriginRules, same_origin};
pub use rules::{CsrfRuleError, CsrfRules};

use body::{is_form, is_json};
use origin::Sender;
use rules::{FIELDS, HEADERS};
use session_core::Session;
use session_core::adapter::{RequestHead, Visit};

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
///         CsrfDecision::AskBody(session) if verify_form(&session, |_| field) => None,
///         CsrfDecision::AskBody(_) => Some(419),
///     }
/// }
///
/// let session = Session::standalone();
/// let token = session.csrf().token()?;
/// assert_eq!(refusal(CsrfDecision::AskBody(session.clone()), Some(&token)), None);
/// assert_eq!(refusal(CsrfDecision::AskBody(session), None), Some(419));
/// # Ok::<(), session_core::SessionError>(())
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a promise: an adapter matches them all")]
pub enum CsrfDecision {
    /// The request may proceed: it is not checked, a page of this application sent it, or its token is valid.
    Pass,
    /// The request is refused: respond with 419.
    Refuse(CsrfFailure),
    /// The headers do not decide, and the body is a form or JSON: the request may proceed if [`verify_form`] of this
    /// session returns `true`.
    AskBody(Session),
}

impl CsrfRules {
    /// Judges a request. `found` is the visit in its extensions.
    ///
    /// In this order: a request whose method is safe or whose path is exempt passes. `Sec-Fetch-Site` decides, and without
    /// it `Origin` against `Host`. Where neither is sent, as by old browsers and by clients that are no browser, the token
    /// decides. Only then the session is opened, and the body is read only if the session has been stored before, since
    /// otherwise no token can be right.
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
    /// // Nothing says where it comes from, and it has no token: refused without asking the store.
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
        if !self.applies_to(head.method, head.path()) {
            return Ok(CsrfDecision::Pass);
        }
        let visit = match find_visit(found) {
            Err(Rejection::NoLayer) => return Err(Rejection::MisplacedCsrf),
            found => found?,
        };
        if visit.takes_header() {
            // No browser sends it by itself, so no other site can make one send it.
            return Ok(CsrfDecision::Pass);
        }
        match self.origins.sender(head) {
            Sender::Elsewhere(why) => return Ok(CsrfDecision::Refuse(why.into())),
            Sender::Ours if !self.always_token => return Ok(CsrfDecision::Pass),
            Sender::Ours | Sender::Unsaid(_) => {}
        }
        // An empty header carries no more than none: scripts send it for a page without a token.
        let mut tokens =
            HEADERS.iter().filter_map(|name| (head.header)(name)).filter(|token| !token.is_empty());
        let has_token = tokens.clone().next().is_some();
        let may_carry = |content_type| is_form(content_type) || is_json(content_type);
        if !has_token && !(head.header)("content-type").is_some_and(may_carry) {
            return Ok(CsrfDecision::Refuse(CsrfFailure::default()));
        }
        let session = visit.read_only().await?;
        let is_own = |token| std::str::from_utf8(token).is_ok_and(|token| session.csrf().verify(token));
        Ok(match tokens.any(is_own) {
            true => CsrfDecision::Pass,
            false if !has_token && !session.status().fresh() => CsrfDecision::AskBody(session),
            false => CsrfDecision::Refuse(session.into()),
        })
    }
}

/// Verifies the token of a form or of a JSON object: its field `_csrf` or `_token`. `field` looks up a field by its name.
#[must_use]
pub fn verify_form<'f>(session: &Session, field: impl Fn(&'static str) -> Option<&'f str>) -> bool {
    FIELDS.iter().find_map(|name| field(name)).is_some_and(|token| session.csrf().verify(token))
}
