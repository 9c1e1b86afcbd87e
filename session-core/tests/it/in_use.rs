//! Application code that a call on the session runs, and that uses the same session: an error at once, never a thread that
//! waits for itself.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use session_core::adapter::{Closing, CookieHeaders, Spawn};
use session_core::{Event, Observer, SecretKey, Session, SessionError, Sessions};
use session_store_memory::MemoryStore;

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

type Use = (&'static str, fn(&Session) -> Result<(), SessionError>);

/// Everything that a session does and that can fail.
const USES: &[Use] = &[
    ("get_or", |session| session.get_or("a", 1).map(drop)),
    ("put_many", |session| session.put_many(serde_json::json!({ "a": 1 }))),
    ("pull", |session| session.pull::<u8>("a").map(drop)),
    ("push", |session| session.push("list", 1)),
    ("forget", |session| session.forget("a")),
    ("increment", |session| session.increment("n").map(drop)),
    ("clear", Session::clear),
    ("remember", |session| session.remember("r", || 1).map(drop)),
    ("update", |session| session.update("u", |_: Option<u8>| 1).map(drop)),
    ("put_struct", |session| session.put_struct(&serde_json::json!({}))),
    ("id", |session| session.id().map(drop)),
    ("regenerate", Session::regenerate),
    ("invalidate", Session::invalidate),
    ("destroy", Session::destroy),
    ("flash", |session| session.flash("a", 1)),
    ("notify", |session| session.notify(session_core::Level::Info, "a")),
    ("flash_many", |session| session.flash_many(&serde_json::json!({ "a": 1 }))),
    ("reflash", Session::reflash),
    ("flash_all", Session::flash_all),
    ("flash_only", |session| session.flash_only("a")),
    ("flash_except", |session| session.flash_except("a")),
    ("with_errors", |session| session.with_errors([("a", "b")])),
    ("old", |session| session.old::<String>("a").map(drop)),
    ("form.with_errors", |session| session.form("f").with_errors([("a", "b")])),
    ("form.old", |session| session.form("f").old::<String>("a").map(drop)),
    ("csrf.token", |session| session.csrf().token().map(drop)),
    ("csrf.regenerate", |session| session.csrf().regenerate().map(drop)),
    ("view", |session| session.view().map(drop)),
    ("csrf.view", |session| session.csrf().view().map(drop)),
    ("set_intended", |session| session.urls().set_intended("/a")),
    ("pull_intended", |session| session.urls().pull_intended().map(drop)),
    ("set_previous", |session| session.urls().set_previous("/a")),
    ("set_age", |session| session.lifetime().set_age(Duration::from_secs(60))),
    ("remember_me", |session| session.lifetime().remember_me(Duration::from_secs(60))),
    ("tag", |session| session.tag("ada")),
    ("untag", Session::untag),
    ("confirm", |session| session.user().confirm()),
    ("set_stamp", |session| session.user().set_stamp("a")),
    ("check_stamp", |session| session.user().check_stamp("a").map(drop)),
    ("set_meta", |session| session.user().set_meta("a", 1)),
    ("meta", |session| session.user().meta::<u8>("a").map(drop)),
];

thread_local! {
    /// The session and what is done with it, for application code that is given nothing.
    static HERE: RefCell<Option<(Session, Use)>> = const { RefCell::new(None) };
}

fn use_it() -> Option<SessionError> {
    HERE.with_borrow(|here| here.as_ref().and_then(|(session, (_, act))| act(session).err()))
}

/// Uses the session while it is written or read.
struct Nosy;

impl Serialize for Nosy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(matches!(use_it(), Some(SessionError::InUse)), "written");
        serializer.serialize_u8(1)
    }
}

impl<'de> Deserialize<'de> for Nosy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        assert!(matches!(use_it(), Some(SessionError::InUse)), "read");
        u8::deserialize(deserializer).map(|_| Self)
    }
}

#[test]
fn whatever_can_fail_is_an_error_in_closures_and_serde_implementations_and_nothing_changes() {
    ends(|| {
        for given in USES {
            let (name, session) = (given.0, Session::standalone());
            session.put("n", 1).unwrap();
            HERE.set(Some((session.clone(), *given)));
            session.put("copy", Nosy).unwrap();
            session.get::<Nosy>("n").unwrap();
            session.pull::<Nosy>("copy").unwrap();
            session.update("hits", |_: Option<u8>| use_it().map_or(0, |_| 1)).unwrap();
            HERE.set(None);
            assert_eq!(session.all().to_json(), r#"{"n":1,"hits":1}"#, "{name}");
            assert!(session.user().name().is_none() && session.urls().intended().is_none(), "{name}");
        }
    });
}

/// An event, and whose session it was.
type Sight = (&'static str, Option<String>);

/// Looks at the session with every event, as one that counts by user does.
#[derive(Clone, Debug, Default)]
struct Onlooker {
    session: Arc<Mutex<Option<Session>>>,
    seen: Arc<Mutex<Vec<Sight>>>,
}

impl Observer for Onlooker {
    fn observe(&self, event: &Event) {
        if let Some(session) = &*self.session.lock().unwrap() {
            assert!(session.exists("a") || session.is_empty());
            self.seen.lock().unwrap().push((event.name(), session.user().name()));
        }
    }
}

#[derive(Debug)]
struct Nowhere;

impl Spawn for Nowhere {
    fn spawn(&self, _: session_core::adapter::BoxFuture<()>) {}
}

#[tokio::test]
async fn an_observer_may_look_at_the_session_that_it_is_told_of() {
    let onlooker = Onlooker::default();
    let key = SecretKey::generate().unwrap();
    let sessions = Sessions::builder().store(MemoryStore::new()).key(key).observer(onlooker.clone());
    let sessions = sessions.build().unwrap();
    let guard = sessions.visit(CookieHeaders::default(), &Nowhere);
    let session = guard.visit().session().await.unwrap();
    onlooker.session.lock().unwrap().replace(session.clone());
    session.put("a", 1).unwrap();
    session.tag("ada").unwrap();
    session.commit().await.unwrap();
    session.put("a", 2).unwrap();
    session.commit().await.unwrap();
    session.put("a", "x".repeat(70_000)).unwrap();
    session.commit().await.unwrap_err();
    session.put("a", 3).unwrap();
    let Closing::Pending(closing) = guard.close(200) else { panic!("something is written") };
    closing.await;
    let user = Some("ada".to_owned());
    let seen = onlooker.seen.lock().unwrap().clone();
    let told = ["created", "committed", "too_large", "committed"].map(|name| (name, user.clone()));
    assert_eq!(seen, told);
}
