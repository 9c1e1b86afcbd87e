//! Form bodies as nested input: what the adapters of session-core remember for `old` and `flash_all`.
//!
//! One function reads a body that is already in memory, urlencoded or multipart; names such as `profile[email]`,
//! `profile.email` and `tags[]` become nested values. It knows no framework: the adapters bring the bytes.
//! [`CsrfGuard`] is what their CSRF middlewares have in common: it may have to read a form, so it is here and not in the core.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! use session_forms::Form;
//!
//! let form = Form::read("application/x-www-form-urlencoded", "profile[email]=a%40b&tags[]=x&tags[]=y".into()).await?;
//! assert_eq!(form.text("profile.email"), Some("a@b"));
//! assert_eq!(form.as_map()["tags"], serde_json::json!(["x", "y"]));
//! # Ok::<(), session_forms::FormError>(()) }).unwrap();
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

mod charset;
#[cfg(doctest)]
mod documents;
mod guard;
mod lenient;
mod limit;
mod names;
mod read;
mod request;
mod search;

pub use guard::CsrfGuard;
pub use lenient::NotThatForm;
pub use limit::InputLimit;
pub use read::FormError;
pub use search::ReadAhead;

use std::error::Error;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use session_core::adapter::Rejection;

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
    /// [`NotThatForm`] when a field is missing or is not what the type asks for.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// #[derive(serde::Deserialize)]
    /// struct Order { sku: String, count: u32, gift: bool }
    ///
    /// let body = "sku=tea&count=3&gift=on";
    /// let form = session_forms::Form::read("application/x-www-form-urlencoded", body.into()).await.unwrap();
    /// let order: Order = form.to().unwrap();
    /// assert_eq!((order.sku.as_str(), order.count, order.gift), ("tea", 3, true));
    /// # });
    /// ```
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, NotThatForm> {
        lenient::read(Value::Object(self.fields.clone()))
    }
}

/// Shows names only, since the values are a visitor's data.
impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.fields.keys()).finish()
    }
}

/// Finds an error of this crate or of the core in an error or its sources: [`Rejection::find`], and forms.
///
/// ```
/// use std::error::Error;
/// use session_forms::{FormError, find_rejection};
///
/// let boxed: Box<dyn Error> = FormError::NotAForm.into();
/// assert_eq!(find_rejection(&*boxed).map(|rejection| rejection.status()), Some(415));
/// assert!(find_rejection(&std::fmt::Error).is_none());
/// ```
#[must_use]
pub fn find_rejection(error: &(dyn Error + 'static)) -> Option<Rejection> {
    let own = std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source())
        .find_map(|error| {
            let form = error.downcast_ref::<FormError>().cloned().map(Rejection::from);
            form.or_else(|| error.downcast_ref::<NotThatForm>().cloned().map(Rejection::from))
        });
    own.or_else(|| Rejection::find(error))
}
