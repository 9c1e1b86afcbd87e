//! The errors of reading and changing values. Messages never contain the value.

use super::json::JsonError;

/// Returned when a value cannot be read or changed. Nothing was changed.
///
/// Messages name the key and the types, never the value, since it is a visitor's data.
///
/// ```
/// use session_core::{ValueError, machine::Values};
///
/// let mut values = Values::default();
/// values.put("user.age", "old")?;
/// let error = values.increment("user.age").unwrap_err();
/// assert_eq!(error.to_string(), "Cannot increment \"user.age\": the existing value is not a number");
/// # Ok::<(), ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The stored value is of another type than the requested one.
    #[error("\"{key}\" holds {found}, which cannot be read as {expected}")]
    WrongType {
        /// The path.
        key: String,
        /// The type of the stored value: `a string`, `an object`, …
        found: &'static str,
        /// The requested Rust type.
        expected: &'static str,
        /// The reason that serde gives, without the value.
        source: JsonError,
    },
    /// `increment` or `decrement` of something that is not a number.
    #[error("Cannot {verb} \"{key}\": the existing value is not a number")]
    NotANumber {
        /// `increment` or `decrement`.
        verb: &'static str,
        /// The path.
        key: String,
    },
    /// The sum exceeds 128 bits, or is not a finite float.
    #[error("\"{key}\" would overflow")]
    Overflow {
        /// The path.
        key: String,
    },
    /// `push` onto something that is not an array.
    #[error("\"{key}\" is not an array")]
    NotAnArray {
        /// The path.
        key: String,
    },
    /// A name was used inside an array.
    #[error("\"{key}\" names a field of something that is not an object")]
    NotAnObject {
        /// The path.
        key: String,
    },
    /// The index is too far beyond the end of an array.
    #[error("index {index} of \"{key}\" is too large: the most is {most}")]
    IndexTooLarge {
        /// The path.
        key: String,
        /// The index.
        index: u64,
        /// The largest accepted index.
        most: u64,
    },
    /// The visit would hold more than twice the limit of a record
    /// ([`Policy::max_record`](crate::Policy::max_record)), so a commit would fail as well.
    #[error("\"{key}\" does not fit: the visit would hold {size} bytes, the most is {limit}")]
    TooLarge {
        /// The path.
        key: String,
        /// The number of bytes that the visit would hold, approximately.
        size: usize,
        /// Twice the limit of a record.
        limit: usize,
    },
    /// A path with an empty segment, or one that is too deep.
    #[error("\"{key}\" is not a path")]
    BadPath {
        /// The path.
        key: String,
    },
    /// The value cannot be written as JSON that reads back (a map whose keys are not strings, a float that is not finite),
    /// or nests too deeply.
    #[error("the value for \"{key}\" cannot be written as JSON")]
    NotJson {
        /// The path.
        key: String,
        /// The reason, without the value.
        source: JsonError,
    },
    /// Several values at once are given as an object: names and values.
    #[error("several values at once need names: give an object")]
    NotNamed,
}
