//! Application code that a call on the session runs, and that uses the same session: an error at once, never a thread that
//! waits for itself.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::{Serialize, Serializer};
use session_core::{Session, SessionError};

/// Runs this in a thread of its own, which must end.
fn ends<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, outcome) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    outcome.recv_timeout(Duration::from_secs(20)).expect("the call ends")
}

#[test]
fn a_closure_of_update_that_changes_or_reads_the_session_gets_an_error() {
    let refused = ends(|| {
        let session = Session::standalone();
        let (refused, inner) = (mpsc::channel(), session.clone());
        let tell = std::sync::Mutex::new(refused.0);
        let hits = session.update("hits", move |hits: Option<u32>| {
            let tell = tell.lock().unwrap();
            tell.send(inner.put("other", 1).unwrap_err()).unwrap();
            tell.send(inner.get::<u32>("hits").unwrap_err()).unwrap();
            hits.unwrap_or(0) + 1
        });
        assert_eq!(hits.unwrap(), 1);
        session.put("after", true).unwrap();
        assert_eq!(session.all().keys().collect::<Vec<_>>(), ["hits", "after"]);
        refused.1.try_iter().collect::<Vec<_>>()
    });
    assert_eq!(refused.len(), 2);
    assert!(refused.iter().all(|error| matches!(error, SessionError::InUse)), "{refused:?}");
}

/// A value that asks the session while it is written.
struct Curious(Session);

impl Serialize for Curious {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.get::<String>("theme").map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

#[test]
fn a_value_that_uses_the_session_while_it_is_written_is_refused() {
    let outcome = ends(|| {
        let session = Session::standalone();
        session.put("theme", "dark").unwrap();
        let put = session.put("copy", Curious(session.clone())).map_err(|error| error.to_string());
        (put, session.get::<String>("copy").unwrap())
    });
    assert!(outcome.0.is_err(), "{outcome:?}");
    assert_eq!(outcome.1, None);
}

#[test]
fn a_read_that_cannot_fail_panics_with_the_cause_and_the_session_goes_on() {
    let session = Session::standalone();
    let inner = session.clone();
    let panicked = ends({
        let session = session.clone();
        move || {
            let update = || session.update("hits", move |_: Option<u32>| u32::from(inner.has("hits")));
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(update)).unwrap_err()
        }
    });
    let said = panicked.downcast_ref::<String>().expect("a message");
    assert!(said.contains("already in use by this call"), "{said}");
    session.put("hits", 7).unwrap();
    assert_eq!(session.get::<u32>("hits").unwrap(), Some(7));
}
