//! Where the driver gets the time and its random bytes: the machine, or a double in a test.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::value::time::Timestamp;

/// Tells the time.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// Gives random bytes fit for secrets.
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// Fills the whole buffer, or fails; there is no fallback.
    ///
    /// # Errors
    /// [`EntropyError`] when the source cannot give that many bytes now.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock set before 1970 reads as 1970: cookies and records then look unissued, and nothing lives longer.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|_| EntropyError)
    }
}

/// The operating system gave no random bytes. No id, key or nonce is made from anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random generator failed")]
pub struct EntropyError;
