//! Two processes with a handle each, whose requests use one session at the same time.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use session_conformance::history::{Event, Recorder};
use session_core::Timestamp;
use session_core::adapter::{Clock as _, SystemClock};
use session_core::store::{Etag, Loaded, Record, SessionStore as _, StoreKey, Written};

/// What the second process does while the first one changes the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Situation {
    /// It changes the session as well.
    Change,
    /// It gives the session a new id.
    Renew,
    /// It ends the session.
    SignOut,
}

/// The browser's session, which both processes use.
struct Browser {
    /// The key that its cookie names.
    key: Mutex<StoreKey>,
    number: u64,
    /// The last version and the last key that were made.
    made: AtomicU64,
    began: Timestamp,
}

/// Records one history: a session, and requests of both processes, each of which loads the session, changes it and saves
/// it.
pub async fn history(situation: Situation, handles: &[Recorder; 2], number: u64) -> Vec<Event> {
    let browser = Browser {
        key: Mutex::new(key(number, 0)),
        number,
        made: AtomicU64::new(0),
        began: SystemClock.now(),
    };
    let browser = Arc::new(browser);
    let [one, other] = handles;
    // An error is in the history as a call without an answer.
    _ = one.create(&browser.key(), &browser.record(), browser.began).await;
    let first = tokio::spawn(change(Arc::clone(&browser), one.as_client(1), CHANGES));
    let second = match situation {
        Situation::Change => tokio::spawn(change(Arc::clone(&browser), other.as_client(2), CHANGES)),
        Situation::Renew => tokio::spawn(renew(Arc::clone(&browser), other.as_client(2))),
        Situation::SignOut => tokio::spawn(sign_out(Arc::clone(&browser), other.as_client(2))),
    };
    for requests in [first, second] {
        requests.await.expect("requests do not panic");
    }
    _ = one.as_client(3).load(&browser.key()).await;
    one.events()
}

/// Requests that change the session, one after the other, until it has ended.
async fn change(browser: Arc<Browser>, store: Recorder, requests: u32) {
    for _ in 0..requests {
        let key = browser.key();
        let Ok(Loaded::Found(there)) = store.load(&key).await else { continue };
        _ = store.replace(&key, there.etag, &browser.record(), browser.began).await;
    }
}

async fn renew(browser: Arc<Browser>, store: Recorder) {
    for _ in 0..CHANGES / 4 {
        let old = browser.key();
        let Ok(Loaded::Found(there)) = store.load(&old).await else { continue };
        let new = key(browser.number, browser.made.fetch_add(1, Relaxed) + 1);
        let (now, record) = (browser.began, browser.record());
        let rotated = store.rotate(&old, there.etag, &new, &record, now, now.plus(HOUR)).await;
        if matches!(rotated, Ok(Written::Applied)) {
            *browser.key.lock().unwrap_or_else(PoisonError::into_inner) = new;
        }
    }
}

async fn sign_out(browser: Arc<Browser>, store: Recorder) {
    // A request of its own first, so that the other process is in the middle of its own.
    _ = store.load(&browser.key()).await;
    _ = store.destroy(&browser.key(), browser.began.plus(HOUR)).await;
}

impl Browser {
    fn key(&self) -> StoreKey {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new version.
    fn record(&self) -> Record {
        let etag = (self.number << 20) + self.made.fetch_add(1, Relaxed) + 1;
        let payload = format!("{{\"version\":{etag}}}").into_bytes().into();
        Record::new(Etag::new(etag), self.began, self.began.plus(HOUR), payload)
    }
}

/// A key that differs from all others of the run in its first half.
fn key(history: u64, number: u64) -> StoreKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&history.to_be_bytes());
    bytes[8..16].copy_from_slice(&number.to_be_bytes());
    StoreKey::from_bytes(bytes)
}

/// Requests of a process.
const CHANGES: u32 = 20;
const HOUR: Duration = Duration::from_secs(3_600);
