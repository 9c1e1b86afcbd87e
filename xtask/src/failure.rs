//! The error type of xtask: a message for the terminal.

use std::error::Error;
use std::fmt;

/// A message with its causes.
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Converts any error, with its causes. (`Failure` does not implement `Error`, because the two impls would overlap.)
impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut below = error.source();
        while let Some(cause) = below {
            message.push_str(&format!(": {cause}"));
            below = cause.source();
        }
        Self(message)
    }
}
