//! Deterministic entropy that can fail on demand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use session_core::{adapter::Entropy, error::EntropyError};

/// A generator for tests: a counter, spread over all bits. It repeats no number and is not secret. Clones share the
/// counter.
///
/// ```
/// use session_core::adapter::Entropy;
/// use session_testkit::ScriptedEntropy;
///
/// let (entropy, again) = (ScriptedEntropy::new(), ScriptedEntropy::new());
/// let (mut one, mut other) = ([0; 32], [0; 32]);
/// entropy.fill(&mut one).unwrap();
/// again.fill(&mut other).unwrap();
/// assert_eq!(one, other);
/// assert_eq!(entropy.bytes_given(), 32);
/// entropy.fail(true);
/// assert!(entropy.fill(&mut one).is_err());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ScriptedEntropy(Arc<Script>);

#[derive(Debug, Default)]
struct Script {
    words: AtomicU64,
    bytes: AtomicU64,
    fails: AtomicBool,
}

impl ScriptedEntropy {
    /// Creates a generator with the seed 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a generator with this seed. Two with different seeds below 2^32 have no number in common.
    #[must_use]
    pub fn seeded(seed: u32) -> Self {
        let script = Script { words: AtomicU64::new(u64::from(seed) << 32), ..Script::default() };
        Self(Arc::new(script))
    }

    /// Sets whether calls fail from now on.
    pub fn fail(&self, fails: bool) {
        self.0.fails.store(fails, SeqCst);
    }

    /// Returns the number of bytes generated, without failed calls.
    #[must_use]
    pub fn bytes_given(&self) -> u64 {
        self.0.bytes.load(SeqCst)
    }
}

impl Entropy for ScriptedEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        if self.0.fails.load(SeqCst) {
            return Err(EntropyError);
        }
        for chunk in bytes.chunks_mut(8) {
            let word = spread(self.0.words.fetch_add(1, SeqCst)).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        self.0.bytes.fetch_add(bytes.len() as u64, SeqCst);
        Ok(())
    }
}

/// One-to-one on 64 bits, so that no two counts give the same word.
fn spread(count: u64) -> u64 {
    let mut word = count.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
