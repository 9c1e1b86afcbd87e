//! Queues for the writers of one process: fair, and without a thread that waits.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::engine::Turn;

/// Queues by key, for [`CasEngine::turn`](crate::CasEngine::turn): writers of one session wait for each other instead of
/// racing for a swap that all but one of them lose.
///
/// There is a fixed number of queues, which keys share.
///
/// ```
/// use session_store_kv::Turns;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (turns, key) = (Turns::default(), "ab".repeat(32));
/// let first = turns.of(&key).await;
/// let second = tokio::time::timeout(std::time::Duration::ZERO, turns.of(&key)).await;
/// assert!(second.is_err(), "it is the first one's turn");
/// drop(first);
/// assert!(turns.of(&key).await.is_some());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Turns(Arc<[Arc<Mutex<()>>]>);

impl Turns {
    /// Waits for the turn of a key. Cancel safe.
    pub async fn of(&self, key: &str) -> Turn {
        let number = key.get(..DIGITS).and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let queue = &self.0[number.unwrap_or_default() % self.0.len()];
        Some(Box::new(Arc::clone(queue).lock_owned().await))
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self((0..1 << (4 * DIGITS)).map(|_| Arc::default()).collect())
    }
}

/// As many hexadecimal digits of a key as choose its queue.
const DIGITS: usize = 3;
