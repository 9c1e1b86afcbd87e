//! Where the driver gets the time and its random bytes: the machine, or a double in a test.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::value::time::Timestamp;

/// Tells the time.
///
/// ```
/// use session_core::{Timestamp, adapter::Clock};
///
/// /// A clock that runs five minutes ahead.
/// #[derive(Debug)]
/// struct Ahead<C>(C);
///
/// impl<C: Clock> Clock for Ahead<C> {
///     fn now(&self) -> Timestamp {
///         self.0.now().plus(std::time::Duration::from_secs(300))
///     }
/// }
///
/// assert!(Ahead(session_core::adapter::SystemClock).now() > session_core::adapter::SystemClock.now());
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// Gives random bytes fit for secrets.
///
/// ```
/// use session_core::{EntropyError, adapter::Entropy};
///
/// /// Always the same bytes: for a test, and for nothing else.
/// #[derive(Debug)]
/// struct Sevens;
///
/// impl Entropy for Sevens {
///     fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
///         bytes.fill(7);
///         Ok(())
///     }
/// }
///
/// let mut bytes = [0; 4];
/// Sevens.fill(&mut bytes)?;
/// assert_eq!(bytes, [7; 4]);
/// # Ok::<(), EntropyError>(())
/// ```
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// Fills the whole buffer, or fails; there is no fallback.
    ///
    /// # Errors
    /// [`EntropyError`] when the source cannot give that many bytes now.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The machine's clock.
///
/// ```
/// use session_core::adapter::{Clock as _, SystemClock};
///
/// assert!(SystemClock.now().as_millis() > 0);
/// ```
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
///
/// ```
/// use session_core::adapter::{Entropy as _, SystemEntropy};
///
/// let (mut one, mut other) = ([0; 32], [0; 32]);
/// SystemEntropy.fill(&mut one)?;
/// SystemEntropy.fill(&mut other)?;
/// assert_ne!(one, other);
/// # Ok::<(), session_core::EntropyError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|_| EntropyError)
    }
}

/// The operating system gave no random bytes. No id, key or nonce is made from anything else.
///
/// ```
/// assert_eq!(session_core::EntropyError.to_string(), "the system's random generator failed");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random generator failed")]
pub struct EntropyError;
