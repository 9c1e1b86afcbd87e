//! A form read as a type, with everything that does not fit: one error for each wrong field, as validators give them.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use crate::lenient::{Fault, Lenient};
use crate::rejection::{Rejection, RequestError};
use crate::validation::ValidationErrors;

/// A form does not fit the type that is asked for. It names every wrong field and its rule, and never what was typed.
///
/// It is a [`ValidationErrors`](crate::ValidationErrors): [`Redirects::or_back`](crate::Redirects::or_back) shows each
/// beside its field. As a response it is 422.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use session_web::ValidationErrors as _;
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Order { sku: String, count: u32 }
///
/// let body = "count=three";
/// let form = session_web::Form::read("application/x-www-form-urlencoded", body.into()).await.unwrap();
/// let error = form.to::<Order>().unwrap_err();
/// // What was typed is not in it: it may be a secret.
/// assert_eq!((error.field(), error.message()), ("count", "is not a number"));
/// assert_eq!(error.messages()[1], ("sku".to_owned(), "is missing".to_owned()));
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotThatForm {
    /// At least one: field and reason, in the order in which they were found.
    faults: Vec<(String, String)>,
}

impl NotThatForm {
    /// The path of the first wrong field, such as `rows.0.count`. Empty for the form as a whole.
    #[must_use]
    pub fn field(&self) -> &str {
        self.faults.first().map_or("", |(field, _)| field)
    }

    /// What is wrong with it, such as "is missing".
    #[must_use]
    pub fn message(&self) -> &str {
        self.faults.first().map_or("", |(_, reason)| reason)
    }
}

impl fmt::Display for NotThatForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (field, reason)) in self.faults.iter().enumerate() {
            f.write_str(if nth == 0 { "the form does not fit: " } else { "; " })?;
            match &**field {
                "" => f.write_str(reason)?,
                field => write!(f, "`{field}` {reason}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for NotThatForm {}

impl ValidationErrors for NotThatForm {
    fn messages(&self) -> Vec<(String, String)> {
        self.faults.clone()
    }
}

/// 422: the form can be read, and does not fit.
impl From<NotThatForm> for Rejection {
    fn from(error: NotThatForm) -> Self {
        RequestError::new(422, error).into()
    }
}

/// Reads the fields as a `T`. A field that is wrong is replaced by a null, which fits whatever is asked for, and the rest is
/// read again, until nothing more is wrong or nothing more can be said.
pub(crate) fn read<T: DeserializeOwned>(fields: &Map<String, Value>) -> Result<T, NotThatForm> {
    let mut value = Value::Object(fields.clone());
    let (mut faults, mut wrong) = (Vec::new(), Vec::<Vec<Step>>::new());
    for _ in 0..MOST_FAULTS {
        let (place, fault) = match serde_path_to_error::deserialize(Lenient(value.clone())) {
            Ok(read) if faults.is_empty() => return Ok(read),
            Ok(_) => break,
            Err(error) => place_of(error),
        };
        // A rule about a whole that has a wrong part says nothing: the part may be all that is wrong with it.
        let is_whole = wrong.iter().any(|before| before.starts_with(&place));
        if is_whole {
            break;
        }
        // The parts of a field that was found wrong before are not wrong themselves.
        if !wrong.iter().any(|before| place.starts_with(before)) {
            faults.push((path(&place), fault.reason));
            wrong.push(place.clone());
        }
        if place.is_empty() || !forgive(&mut value, &place) {
            break;
        }
    }
    Err(NotThatForm { faults })
}

/// A step on the way to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    /// Where it leads cannot be told.
    Unknown(String),
}

/// Where the error is. Of a missing field, the path that comes with the error is its parent's.
fn place_of(error: serde_path_to_error::Error<Fault>) -> (Vec<Step>, Fault) {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Step::Index(*index),
        Segment::Map { key } => Step::Name(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => Step::Unknown(segment.to_string()),
    };
    let mut place: Vec<_> = error.path().iter().map(step).collect();
    let fault = error.into_inner();
    place.extend(fault.missing.map(|name| Step::Name(name.to_owned())));
    (place, fault)
}

fn path(place: &[Step]) -> String {
    let text = |step: &Step| match step {
        Step::Name(name) | Step::Unknown(name) => name.clone(),
        Step::Index(index) => index.to_string(),
    };
    place.iter().map(text).collect::<Vec<_>>().join(".")
}

/// Puts a null in this place, which is found as [`Lenient`] finds it. `false` if it cannot be, or was done before.
fn forgive(value: &mut Value, place: &[Step]) -> bool {
    let Some((step, rest)) = place.split_first() else {
        return !std::mem::replace(value, Value::Null).is_null();
    };
    let next = match (step, value) {
        (Step::Name(name), Value::Object(fields)) => {
            if rest.is_empty() && !fields.contains_key(name) {
                fields.insert(name.clone(), Value::Null);
                return true;
            }
            fields.get_mut(name)
        }
        (Step::Name(name), value @ Value::Null) => {
            *value = Value::Object([(name.clone(), Value::Null)].into_iter().collect());
            return rest.is_empty();
        }
        (Step::Name(name), Value::Array(items)) => name.parse().ok().and_then(|at: usize| items.get_mut(at)),
        (Step::Index(at), Value::Array(items)) => items.get_mut(*at),
        (Step::Index(at), Value::Object(fields)) => fields.values_mut().nth(*at),
        (Step::Index(0), one) => Some(one),
        _ => None,
    };
    next.is_some_and(|next| forgive(next, rest))
}

/// How many wrong fields are named at most.
const MOST_FAULTS: usize = 100;

#[cfg(test)]
mod tests;
