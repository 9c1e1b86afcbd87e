//! Visitors of another library are carried over once; a bad cookie of it opens a fresh session.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::driver_support::*;
use serde_json::{Map, Value, json};
use session_core::import::{Imported, Importer, OldSession, RefusedImport};
use session_core::store::{StoreError, async_trait};
use session_core::{adapter::*, *};
use session_testkit::{Fault, ManualClock, Verb, When};

/// Another library: its records by their ids, in a store or in the cookie itself.
#[derive(Clone, Debug)]
struct Old {
    records: Arc<Mutex<HashMap<String, Map<String, Value>>>>,
    in_cookie: bool,
    failing: Arc<AtomicBool>,
    failing_end: Arc<AtomicBool>,
}

impl Old {
    fn new() -> Self {
        let data = json!({ "user": "ada", "n": 7 }).as_object().unwrap().clone();
        let records = HashMap::from([("7f".to_owned(), data)]);
        let (failing, failing_end) = Default::default();
        Self { records: Arc::new(Mutex::new(records)), in_cookie: false, failing, failing_end }
    }

    fn records(&self) -> usize {
        self.records.lock().unwrap().len()
    }
}

#[async_trait]
impl Importer for Old {
    fn name(&self) -> &'static str {
        "old"
    }

    fn cookie(&self) -> &str {
        "old"
    }

    fn clear_cookie(&self) -> String {
        "old=; Path=/; Max-Age=0".to_owned()
    }

    fn keeps_records(&self) -> bool {
        !self.in_cookie
    }

    async fn read(&self, cookie: &[u8], _: &CookieHeaders, now: Timestamp) -> Result<OldSession, StoreError> {
        if self.failing.load(SeqCst) {
            return Err(StoreError::timeout("old"));
        }
        let Some(id) = str::from_utf8(cookie).ok().and_then(|value| value.strip_prefix("signed-")) else {
            return Ok(OldSession::Refused(RefusedImport::Forged));
        };
        let token = id.as_bytes().to_vec();
        Ok(match self.records.lock().unwrap().get(id) {
            Some(data) => {
                let expires = now.plus(Duration::from_secs(3_600));
                let session = Imported::new(data.clone()).with_user("ada").with_expiry(expires);
                OldSession::Found { token, session }
            }
            None => OldSession::Missing { token },
        })
    }

    async fn end(&self, token: &[u8]) -> Result<(), StoreError> {
        if self.failing_end.load(SeqCst) {
            return Err(StoreError::timeout("old"));
        }
        self.records.lock().unwrap().remove(str::from_utf8(token).unwrap());
        Ok(())
    }
}

const COOKIE: &str = "old=signed-7f";

fn importing(old: &Old) -> App {
    app_with(|builder| builder.import_from(old.clone(), until()))
}

/// Some hours after the clock of a new application.
fn until() -> Timestamp {
    ManualClock::default().now().plus(Duration::from_secs(10_000))
}

async fn opened(guard: &VisitGuard) -> Option<u64> {
    guard.visit().session().await.unwrap().get("n").unwrap()
}

fn handed(report: &VisitReport) -> Browser {
    let mut browser = Browser::new();
    browser.hear(report);
    browser
}

#[tokio::test]
async fn a_visitor_of_another_library_is_carried_over_once() {
    let old = Old::new();
    let app = importing(&old);
    let guard = app.arrive(&["theme=dark", COOKIE]);
    let session = guard.visit().session().await.unwrap();
    assert_eq!(session.get::<u64>("n").unwrap(), Some(7));
    assert_eq!(session.user().name().as_deref(), Some("ada"));
    assert!(!session.status().fresh());
    let report = finish(guard, 200).await;
    assert_eq!(old.records(), 0);
    let set: Vec<_> = report.set_cookies().collect();
    assert_eq!(set.len(), 2, "{set:?}");
    assert!(set[0].starts_with("__Host-sid=") && set[1] == "old=; Path=/; Max-Age=0", "{set:?}");
    assert!(app.events.take().iter().any(|event| matches!(event, Event::Imported(_))));
    let mut browser = handed(&report);
    app.calls();
    let (n, report) = app.answer(&mut browser, 200, async |session| session.get::<u64>("n").unwrap()).await;
    assert_eq!(n, Some(7));
    assert_eq!(
        report.set_cookies().count(),
        0,
        "a visitor who was carried over costs what every other costs"
    );
    assert_eq!(app.calls(), [Verb::Load]);
}

#[tokio::test]
async fn requests_that_arrive_together_make_one_session() {
    for when in [When::Before, When::After] {
        for verb in [Verb::Create, Verb::Load] {
            let old = Old::new();
            let app = importing(&old);
            let gate = app.gates().hold(verb, when);
            let guards: Vec<_> = (0..8).map(|_| app.arrive(&[COOKIE])).collect();
            let visits: Vec<_> = guards.iter().map(|guard| guard.visit().clone()).collect();
            let opening: Vec<_> = visits
                .into_iter()
                .enumerate()
                .map(|(nth, visit)| {
                    tokio::spawn(async move {
                        visit.session().await.unwrap().put(format!("key{nth}"), nth).unwrap();
                    })
                })
                .collect();
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            gate.release();
            for task in opening {
                task.await.unwrap();
            }
            let mut browser = Browser::new();
            for guard in guards {
                let report = finish(guard, 200).await;
                assert!(report.error.is_none() && report.set_cookie.is_some());
                browser.hear(&report);
            }
            for nth in 0..8 {
                assert_eq!(
                    read(&app, &mut browser, &format!("key{nth}")).await,
                    Some(nth),
                    "{verb:?} {when:?}"
                );
            }
            let imported = |event: &Event| matches!(event, Event::Imported(_));
            assert_eq!(app.events.take().iter().filter(|event| imported(event)).count(), 1);
        }
    }
}

#[tokio::test]
async fn a_lost_response_does_not_sign_the_visitor_out() {
    let old = Old::new();
    let app = importing(&old);
    let guard = app.arrive(&[COOKIE]);
    assert_eq!(opened(&guard).await, Some(7));
    drop(finish(guard, 200).await);
    app.pass(299);
    let guard = app.arrive(&[COOKIE]);
    assert_eq!(opened(&guard).await, Some(7));
    assert!(finish(guard, 200).await.set_cookie.is_some());
    app.pass(2);
    let guard = app.arrive(&[COOKIE]);
    assert_eq!(opened(&guard).await, None, "the old cookie is no key to the new session");
    let report = finish(guard, 200).await;
    assert_eq!(report.set_cookies().count(), 0);
    assert!(app.events.take().contains(&Event::RefusedImport(RefusedImport::Gone)));
}

#[tokio::test]
async fn a_failed_response_keeps_the_old_cookie_until_the_new_one_is_set() {
    let old = Old::new();
    let app = importing(&old);
    let guard = app.arrive(&[COOKIE]);
    assert_eq!(opened(&guard).await, Some(7));
    let report = finish(guard, 500).await;
    assert_eq!(report.set_cookie.is_some(), report.clear_old.is_some());
    let guard = app.arrive(&[COOKIE]);
    assert_eq!(opened(&guard).await, Some(7));
    let report = finish(guard, 200).await;
    assert!(report.set_cookie.is_some() && report.clear_old.is_some());
}

#[tokio::test]
async fn who_signs_out_with_the_old_cookie_is_signed_out() {
    for unopened in [true, false] {
        for in_cookie in [true, false] {
            let old = Old { in_cookie, ..Old::new() };
            let app = importing(&old);
            let guard = app.arrive(&[COOKIE]);
            match unopened {
                true => guard.visit().destroy().await.unwrap(),
                false => guard.visit().session().await.unwrap().destroy().unwrap(),
            }
            let report = finish(guard, 200).await;
            assert!(report.clear_old.is_some());
            for seconds in [0, 61, 400] {
                app.pass(seconds);
                let guard = app.arrive(&[COOKIE]);
                assert_eq!(
                    opened(&guard).await,
                    None,
                    "unopened {unopened}, in cookie {in_cookie}, {seconds} s"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_copied_cookie_that_holds_its_session_is_imported_once() {
    let old = Old { in_cookie: true, ..Old::new() };
    let app = importing(&old);
    let guard = app.arrive(&[COOKIE]);
    assert_eq!(opened(&guard).await, Some(7));
    let mut browser = handed(&finish(guard, 200).await);
    app.visit(&mut browser, async |session| session.destroy().unwrap()).await;
    app.pass(3_000);
    let guard = app.arrive(&[COOKIE]);
    assert_eq!(opened(&guard).await, None);
}

#[tokio::test]
async fn a_change_of_id_at_once_is_kept_and_the_old_cookie_leads_nowhere() {
    let old = Old::new();
    let app = importing(&old);
    let guard = app.arrive(&[COOKIE]);
    guard.visit().session().await.unwrap().regenerate().unwrap();
    let mut browser = handed(&finish(guard, 200).await);
    let late = app.arrive(&[COOKIE]);
    assert_eq!(opened(&late).await, None);
    let report = finish(late, 200).await;
    assert!(report.set_cookie.is_none(), "a late request takes nothing away: {report:?}");
    assert_eq!(read::<u64>(&app, &mut browser, "n").await, Some(7));
}

#[tokio::test]
async fn a_bad_cookie_is_a_stranger_and_an_event() {
    let old = Old::new();
    let app = importing(&old);
    let mut deep = Value::Null;
    (0..80).for_each(|_| deep = json!([deep]));
    let add = |id: &str, name: &str, value: Value| {
        let data = Map::from_iter([(name.to_owned(), value)]);
        old.records.lock().unwrap().insert(id.to_owned(), data);
    };
    add("deep", "n", deep);
    add("huge", "n", "x".repeat(100_000).into());
    for (cookie, reason) in [
        ("old=forged", RefusedImport::Forged),
        ("old=", RefusedImport::Forged),
        ("old=signed-unknown", RefusedImport::Gone),
        ("old=signed-deep", RefusedImport::Malformed),
        ("old=signed-huge", RefusedImport::TooLarge),
    ] {
        app.events.take();
        let guard = app.arrive(&[cookie]);
        assert!(guard.visit().session().await.unwrap().status().fresh(), "{cookie}");
        let report = finish(guard, 200).await;
        assert!(report.error.is_none() && report.set_cookies().count() == 0);
        assert!(app.events.take().contains(&Event::RefusedImport(reason)), "{cookie}");
    }
    // The good one among bad ones is found.
    let guard = app.arrive(&["old=forged; old=signed-7f"]);
    assert_eq!(opened(&guard).await, Some(7));
}

#[tokio::test]
async fn a_failing_store_is_an_error_and_changes_no_cookie() {
    let old = Old::new();
    let app = importing(&old);
    old.failing.store(true, SeqCst);
    let guard = app.arrive(&[COOKIE]);
    assert!(matches!(guard.visit().session().await, Err(OpenError::Store(_))));
    assert_eq!(finish(guard, 503).await.set_cookies().count(), 0);
    old.failing.store(false, SeqCst);
    app.fault(Fault::nth(1).on(Verb::Create).after());
    let guard = app.arrive(&[COOKIE]);
    assert!(matches!(guard.visit().session().await, Err(OpenError::Store(_))));
    drop(guard);
    // It stands in the store already, and the old one does as well; and then the old store fails.
    old.failing_end.store(true, SeqCst);
    let guard = app.arrive(&[COOKIE]);
    assert!(guard.visit().session().await.is_err());
    drop(guard);
    app.pass(1_000);
    old.failing_end.store(false, SeqCst);
    let guard = app.arrive(&[COOKIE]);
    assert_eq!(opened(&guard).await, Some(7));
    assert_eq!(old.records(), 0);
}

#[tokio::test]
async fn after_the_date_nobody_is_carried_over_and_the_other_library_is_not_asked() {
    let old = Old::new();
    let app = importing(&old);
    app.clock.set(until());
    old.failing.store(true, SeqCst);
    let guard = app.arrive(&[COOKIE]);
    assert_eq!(opened(&guard).await, None);
    assert_eq!(old.records(), 1);
}

#[tokio::test]
async fn a_valid_cookie_of_ours_is_preferred_to_the_old_one() {
    let old = Old::new();
    let app = importing(&old);
    let browser = known(&app).await;
    let mut cookies = browser.cookies();
    cookies.push(COOKIE);
    let guard = app.arrive(&cookies);
    assert_eq!(opened(&guard).await, Some(1));
    assert_eq!(old.records(), 1);
}

#[test]
fn sessions_are_imported_into_a_store_and_a_cookie() {
    let until = Timestamp::from_millis(1);
    let builder = || Sessions::builder().key(key(1)).import_from(Old::new(), until);
    assert!(matches!(builder().in_cookie().build(), Err(ConfigError::ImportNeedsStore)));
    let in_header = builder().store(new_store()).token_from(TokenFrom::Header("x-session"));
    assert!(matches!(in_header.build(), Err(ConfigError::ImportNeedsStore)));
}
