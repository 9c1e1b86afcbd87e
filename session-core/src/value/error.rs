//! What can be wrong with a path or a value. One level per `Display`, and never the value itself.

use super::json::JsonError;

/// A value could not be read or changed as asked. Nothing was changed.
///
/// Messages name the key and the types, never the value: it is somebody's data.
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
    /// The stored value is of another type than the one asked for.
    #[error("\"{key}\" holds {found}, which cannot be read as {expected}")]
    WrongType {
        /// The path asked for.
        key: String,
        /// What is stored: `a string`, `an object`, …
        found: &'static str,
        /// The Rust type asked for.
        expected: &'static str,
        /// The reason that serde gives, without the value.
        source: JsonError,
    },
    /// `increment` or `decrement` of something that is not a number.
    #[error("Cannot {verb} \"{key}\": the existing value is not a number")]
    NotANumber {
        /// `increment` or `decrement`.
        verb: &'static str,
        /// The path asked for.
        key: String,
    },
    /// The sum is outside of what 128 bits (or a finite float) hold.
    #[error("\"{key}\" would overflow")]
    Overflow {
        /// The path asked for.
        key: String,
    },
    /// `push` onto something that is not an array.
    #[error("\"{key}\" is not an array")]
    NotAnArray {
        /// The path asked for.
        key: String,
    },
    /// A name was used inside an array.
    #[error("\"{key}\" names a field of something that is not an object")]
    NotAnObject {
        /// The path asked for.
        key: String,
    },
    /// A write so far behind the end of an array that filling the gap would be absurd.
    #[error("index {index} of \"{key}\" is too large: the most is {most}")]
    IndexTooLarge {
        /// The path asked for.
        key: String,
        /// The index asked for.
        index: u64,
        /// The largest index that would do.
        most: u64,
    },
    /// A path with an empty segment, or one that is too deep.
    #[error("\"{key}\" is not a path")]
    BadPath {
        /// The path asked for.
        key: String,
    },
    /// The value cannot be written as JSON that reads back (a map whose keys are not strings, a float that is not finite),
    /// or nests too deeply.
    #[error("the value for \"{key}\" cannot be written as JSON")]
    NotJson {
        /// The path asked for.
        key: String,
        /// The reason, without the value.
        source: JsonError,
    },
    /// Several values at once are given as an object: names and values.
    #[error("several values at once need names: give an object")]
    NotNamed,
}
