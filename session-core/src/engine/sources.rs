//! The sources of time and random bytes: the system, or a test double.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::value::cookie::key::SecretKey;
use crate::value::time::Timestamp;

/// A source of time.
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
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

/// A source of cryptographic random bytes.
///
/// ```
/// use session_core::{error::EntropyError, adapter::Entropy};
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
    /// Fills the whole buffer. There is no fallback.
    ///
    /// # Errors
    /// [`EntropyError`] if the source fails.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

impl Timestamp {
    /// Returns the current time of the system's clock.
    ///
    /// Sessions use the clock that [`Sessions`](crate::Sessions) was built with, which may differ in tests.
    #[must_use]
    pub fn now() -> Self {
        SystemClock.now()
    }
}

/// The system's clock.
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

/// Returned when the operating system's random generator fails. No id, key or nonce is made from anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random generator failed")]
pub struct EntropyError;

impl SecretKey {
    /// Makes a key from 32 bytes of the operating system's generator.
    ///
    /// # Errors
    /// [`EntropyError`] if the generator fails.
    ///
    /// ```
    /// let key = session_core::SecretKey::generate()?;
    /// // Print it once, for the configuration; it is the key to every session.
    /// assert_eq!(key.expose_secret_hex().len(), 64);
    /// # Ok::<(), session_core::error::EntropyError>(())
    /// ```
    pub fn generate() -> Result<Self, EntropyError> {
        let mut bytes = zeroize::Zeroizing::new([0; 32]);
        SystemEntropy.fill(bytes.as_mut())?;
        Self::from_bytes(bytes.as_ref()).map_err(|_| EntropyError)
    }
}
