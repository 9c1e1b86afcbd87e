//! What web pages need and a session does not: forms as nested input, redirects with messages, CSRF rules, sign-in
//! pages, reports of validation libraries, and one error type for handlers.
//!
//! The adapters share this crate, and applications find its types there. It knows no framework: an adapter brings the
//! head of a request and the chunks of its body.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! use session_web::Form;
//!
//! let form = Form::read("application/x-www-form-urlencoded", "profile[email]=a%40b&tags[]=x&tags[]=y".into()).await?;
//! assert_eq!(form.text("profile.email"), Some("a@b"));
//! assert_eq!(form.as_map()["tags"], serde_json::json!(["x", "y"]));
//! # Ok::<(), session_web::FormError>(()) }).unwrap();
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

mod charset;
#[cfg(feature = "http")]
mod checked;
#[cfg(feature = "http")]
mod convert;
mod csrf;
#[cfg(doctest)]
mod documents;
mod fit;
mod lenient;
mod limit;
mod names;
mod read;
mod redirect;
mod rejection;
mod request;
mod search;
mod sign_in;
mod validation;
mod visit;

#[cfg(feature = "http")]
pub use checked::{CheckedBody, poll_data};
#[cfg(feature = "http")]
pub use convert::{add_headers, bare_response, own_response, request_head};
pub use csrf::{
    CrossOrigin, CsrfDecision, CsrfFailure, CsrfGuard, CsrfReason, CsrfRuleError, CsrfRules, OriginRules,
    same_origin, verify_form,
};
pub use fit::NotThatForm;
pub use limit::InputLimit;
pub use read::FormError;
pub use redirect::{FinishedRedirect, Redirect, RedirectKind, Redirects};
pub use rejection::{Rejection, RequestError};
pub use search::ReadAhead;
pub use sign_in::SignIn;
pub use validation::ValidationErrors;
pub use visit::{find_visit, find_visit_for_input, find_visit_if_any, sign_out_with};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The fields of a form, nested as their names say. Every leaf is the text that was sent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form {
    fields: Map<String, Value>,
}

impl Form {
    /// The fields: objects and arrays by their names, leaves as text.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_map(self) -> Map<String, Value> {
        self.fields
    }

    /// One field's text: `email`, `profile.email` or `profile[email]`. Of a field that was sent twice, the last.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(literal) = self.fields.get(name) {
            return literal.as_str();
        }
        let segments = names::split(name)?;
        let (first, rest) = segments.split_first()?;
        let found = rest.iter().try_fold(self.fields.get(*first)?, |value, segment| match value {
            Value::Object(fields) => fields.get(*segment),
            Value::Array(items) => items.get(segment.parse::<usize>().ok()?),
            _ => None,
        })?;
        found.as_str()
    }

    /// The form as a typed value. Text becomes numbers and truth values where the type asks for them (`on` and `1` are
    /// true), empty text becomes `None`.
    ///
    /// # Errors
    /// [`NotThatForm`] with every field that is missing or is not what the type asks for.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// #[derive(serde::Deserialize)]
    /// struct Order { sku: String, count: u32, gift: bool }
    ///
    /// let body = "sku=tea&count=3&gift=on";
    /// let form = session_web::Form::read("application/x-www-form-urlencoded", body.into()).await.unwrap();
    /// let order: Order = form.to().unwrap();
    /// assert_eq!((order.sku.as_str(), order.count, order.gift), ("tea", 3, true));
    /// # });
    /// ```
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, NotThatForm> {
        fit::read(&self.fields)
    }
}

/// Shows names only, since the values are a visitor's data.
impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.fields.keys()).finish()
    }
}
