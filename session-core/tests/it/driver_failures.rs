//! Failures of the store, the generator, the size, conflicting writes and the handler: the errors, and what stays
//! unchanged.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::time::Duration;

use crate::driver_support::*;
use session_core::{adapter::*, store::*, *};
use session_testkit::{Fault, Verb, When};

#[tokio::test]
async fn peers_8_ou_1_a_store_that_cannot_load_is_an_error_and_never_an_empty_session() {
    let app = app();
    let mut browser = known(&app).await;
    app.fault(Fault::nth(1).on(Verb::Load));
    let guard = app.arrive(&browser.cookies());
    assert!(matches!(guard.visit().session().await, Err(OpenError::Store(_))));
    let report = finish(guard, 503).await;
    assert!(report.set_cookie.is_none());
    assert_eq!(read(&app, &mut browser, "n").await, Some(1), "the next request finds it as it was");
}

#[tokio::test]
async fn a_store_that_cannot_write_is_503_without_a_cookie() {
    for (verb, after) in [
        (Verb::Create, false),
        (Verb::Create, true),
        (Verb::Replace, false),
        (Verb::Replace, true),
        (Verb::Rotate, false),
        (Verb::Rotate, true),
        (Verb::Destroy, false),
        (Verb::Destroy, true),
    ] {
        let app = app();
        let mut browser = if verb == Verb::Create { Browser::new() } else { known(&app).await };
        let fault = Fault::nth(1).on(verb);
        app.fault(if after { fault.after() } else { fault });
        let (_, report) = app
            .answer(&mut browser, 200, async |session| match verb {
                Verb::Create | Verb::Replace => session.put("n", 2).unwrap(),
                Verb::Rotate => session.regenerate().unwrap(),
                _ => session.destroy().unwrap(),
            })
            .await;
        assert_eq!(report.failure().map(Failure::status), Some(503), "{verb:?}");
        assert!(report.set_cookie.is_none(), "{verb:?}");
        if !after && verb != Verb::Create {
            assert_eq!(read(&app, &mut browser, "n").await, Some(1), "{verb:?}: as it was");
        }
    }
}

#[tokio::test]
async fn a_commit_that_failed_keeps_its_changes_for_the_next_one() {
    let app = app();
    let mut browser = known(&app).await;
    app.fault(Fault::nth(1).on(Verb::Replace));
    app.visit(&mut browser, async |session| {
        session.increment("n").unwrap();
        assert!(matches!(session.commit().await, Err(CommitError::Store(_))));
        session.increment("n").unwrap();
    })
    .await;
    assert_eq!(read(&app, &mut browser, "n").await, Some(3));
}

#[tokio::test]
async fn id_2_without_random_bytes_there_is_no_id_no_cookie_and_no_session() {
    let app = app();
    for regenerate in [false, true] {
        let mut browser = if regenerate { known(&app).await } else { Browser::new() };
        let guard = app.arrive(&browser.cookies());
        let session = guard.visit().session().await.unwrap();
        app.entropy.fail(true);
        if regenerate {
            assert!(matches!(session.regenerate(), Err(SessionError::Entropy(_))), "a new token is needed");
            session.forget("user").unwrap();
        }
        session.put("n", 2).unwrap();
        let report = finish(guard, 200).await;
        assert!(matches!(report.error, Some(CommitError::Entropy)));
        assert_eq!((report.failure().map(Failure::status), report.set_cookie), (Some(500), None));
        app.entropy.fail(false);
        assert_eq!(read(&app, &mut browser, "n").await, regenerate.then_some(1));
    }
}

#[tokio::test]
async fn peers_10_id_4_an_id_that_is_not_stored_is_never_adopted() {
    let (app, elsewhere) = (app(), app());
    let mut browser = known(&elsewhere).await;
    let foreign = browser.cookie.clone();
    app.visit(&mut browser, async |session| {
        assert!(session.status().fresh() && session.is_empty());
    })
    .await;
    assert_eq!((browser.heard.clone(), app.memory().stats().sessions()), (None, 0), "nothing for a look");
    app.visit(&mut browser, async |session| session.put("n", 1).unwrap()).await;
    assert!(browser.cookie.is_some() && browser.cookie != foreign);
}

#[tokio::test]
async fn peers_11_lc_8_a_visit_that_writes_nothing_creates_nothing() {
    let app = app();
    for cookie in [None, known(&self::app()).await.cookie] {
        let mut browser = Browser { cookie, ..Browser::new() };
        app.visit(&mut browser, async |session| {
            assert_eq!(session.get::<u8>("n").unwrap(), None);
            session.forget("n").unwrap();
            session.clear().unwrap();
            session.regenerate().unwrap();
        })
        .await;
        let guard = app.arrive(&browser.cookies());
        guard.visit().destroy().await.unwrap();
        finish(guard, 200).await;
    }
    assert_eq!(app.memory().stats().sessions(), 0);
}

#[tokio::test]
async fn st_9_a_session_that_is_too_large_says_both_numbers_before_any_call() {
    let app = app_with(|builder| builder.max_record(1_000));
    let mut browser = known(&app).await;
    let (_, report) =
        app.answer(&mut browser, 200, async |session| session.put("big", "x".repeat(1_500)).unwrap()).await;
    let Some(CommitError::TooLarge { size, limit }) = report.error else { panic!("{report:?}") };
    assert!(size > 1_500 && limit == 1_000);
    assert_eq!(report.failure().map(Failure::status), Some(500));
    assert_eq!(app.calls(), [Verb::Load]);
    assert_eq!(read(&app, &mut browser, "n").await, Some(1));
}

#[tokio::test]
async fn a_commit_that_others_keep_ahead_of_ends_with_contended_by_the_clock() {
    let app = app_with(|builder| builder.contention(Duration::from_secs(2)));
    let mut browser = known(&app).await;
    let guard = app.arrive(&browser.cookies());
    guard.visit().session().await.unwrap().increment("n").unwrap();
    app.visit(&mut browser, async |session| session.increment("n").unwrap()).await;
    let mut gate = app.gates().hold(Verb::Replace, When::After);
    let closing = tokio::spawn(finish(guard, 200));
    gate.arrived().await;
    app.pass(2);
    gate.release();
    let report = closing.await.unwrap();
    assert!(matches!(report.error, Some(CommitError::Contended)));
    assert_eq!((report.failure().map(Failure::status), report.set_cookie), (Some(503), None));
    assert_eq!(read(&app, &mut browser, "n").await, Some(2), "the other one stays");
}

#[tokio::test]
async fn on_5xx_data_is_dropped_and_flash_is_shown_again() {
    let app = app();
    let mut browser = known(&app).await;
    app.visit(&mut browser, async |session| session.flash("status", "Saved").unwrap()).await;
    let (_, report) = app
        .answer(&mut browser, 500, async |session| {
            assert!(session.flash_messages().has("status"));
            session.put("n", 9).unwrap();
            session.flash("late", 1).unwrap();
        })
        .await;
    assert!(report.set_cookie.is_none() && report.error.is_none());
    app.visit(&mut browser, async |session| {
        assert_eq!(session.get::<u8>("n").unwrap(), Some(1));
        assert!(session.flash_messages().has("status") && !session.flash_messages().has("late"));
    })
    .await;
}

#[tokio::test]
async fn on_5xx_an_invalidate_and_a_destroy_are_applied_whole() {
    let app = app();
    let mut browser = known(&app).await;
    app.answer(&mut browser, 500, async |session| {
        session.invalidate().unwrap();
        session.put("kept", 1).unwrap();
    })
    .await;
    assert_eq!(read::<String>(&app, &mut browser, "user").await, None);
    assert_eq!(read(&app, &mut browser, "kept").await, Some(1));
    app.answer(&mut browser, 500, async |session| session.destroy().unwrap()).await;
    assert_eq!(browser.cookie, None);
}

#[tokio::test]
async fn commit_on_error_keeps_data_on_5xx() {
    let app = app_with(|builder| builder.commit_on_error(true));
    let mut browser = known(&app).await;
    app.answer(&mut browser, 500, async |session| session.put("n", 2).unwrap()).await;
    assert_eq!(read(&app, &mut browser, "n").await, Some(2));
}

async fn overwrite(app: &App, payload: &[u8]) {
    let key = app.store.take().iter().rev().find_map(|op| op.key).unwrap();
    let memory = app.memory();
    let Loaded::Found(record) = memory.load(&key).await.unwrap() else { panic!("it is there") };
    let wrong = record.clone().with_etag(Etag::new(77)).with_payload(payload.into());
    let now = app.sessions_now();
    assert_eq!(memory.replace(&key, record.etag, &wrong, now).await.unwrap(), Written::Applied);
}

impl App {
    fn sessions_now(&self) -> Timestamp {
        Clock::now(&self.clock)
    }
}

#[tokio::test]
async fn st_5_a_corrupt_record_makes_a_stranger_and_is_counted() {
    for payload in [&b""[..], b"{", b"{}", b"{\"v\":1,\"data\":7}", b"\xff\xfe", b"[]", b"{\"v\":0}"] {
        let app = app();
        let mut browser = known(&app).await;
        read::<u8>(&app, &mut browser, "n").await;
        overwrite(&app, payload).await;
        app.events.take();
        app.visit(&mut browser, async |session| {
            assert!(session.status().fresh() && session.is_empty(), "{payload:?}");
            session.put("n", 5).unwrap();
        })
        .await;
        assert!(app.events.take().contains(&Event::Corrupt), "{payload:?}");
        assert_eq!(read(&app, &mut browser, "n").await, Some(5));
    }
}

#[tokio::test]
async fn st_5_a_record_of_a_newer_format_is_left_alone_and_answered_like_an_outage() {
    let app = app();
    let mut browser = known(&app).await;
    read::<u8>(&app, &mut browser, "n").await;
    overwrite(&app, b"{\"v\":2,\"data\":[\"something else\"],\"more\":1}").await;
    let guard = app.arrive(&browser.cookies());
    assert!(matches!(guard.visit().session().await, Err(OpenError::Newer(_))));
    assert!(finish(guard, 503).await.set_cookie.is_none());
    assert_eq!(app.calls(), [Verb::Load]);
}

#[tokio::test]
async fn a_record_that_turned_newer_while_we_worked_is_not_overwritten() {
    let app = app();
    let mut browser = known(&app).await;
    read::<u8>(&app, &mut browser, "n").await;
    let key = app.store.ops()[0].key.unwrap();
    let guard = app.arrive(&browser.cookies());
    guard.visit().session().await.unwrap().put("n", 2).unwrap();
    overwrite(&app, b"{\"v\":2}").await;
    let report = finish(guard, 200).await;
    assert!(matches!(report.error, Some(CommitError::Newer(_))) && report.set_cookie.is_none());
    let Loaded::Found(record) = app.memory().load(&key).await.unwrap() else { panic!("it is there") };
    assert_eq!(&*record.payload, b"{\"v\":2}");
}

#[tokio::test]
async fn what_was_acknowledged_in_the_middle_reaches_its_visitor_although_the_last_write_fails() {
    for renews in [false, true] {
        let app = app();
        let mut browser = if renews { known(&app).await } else { Browser::new() };
        app.fault(Fault::nth(1).on(Verb::Replace));
        let (_, report) = app
            .answer(&mut browser, 200, async |session| {
                session.put("n", 2).unwrap();
                if renews {
                    session.regenerate().unwrap();
                }
                session.commit().await.unwrap();
                session.put("n", 3).unwrap();
            })
            .await;
        assert_eq!(report.failure().map(Failure::status), Some(503));
        assert_eq!(app.calls().last(), Some(&Verb::Replace));
        assert_eq!(read(&app, &mut browser, "n").await, Some(2), "renews: {renews}");
    }
}

#[tokio::test]
async fn what_was_acknowledged_in_the_middle_is_not_handed_out_once_it_is_to_be_destroyed_or_is_gone() {
    let (app, mut browser) = (app(), Browser::new());
    app.fault(Fault::nth(1).on(Verb::Destroy));
    let (_, report) = app
        .answer(&mut browser, 200, async |session| {
            session.put("n", 2).unwrap();
            session.commit().await.unwrap();
            session.destroy().unwrap();
        })
        .await;
    assert_eq!((report.failure().map(Failure::status), report.set_cookie), (Some(503), None));

    let (_, report) = app
        .answer(&mut browser, 200, async |session| {
            session.put("n", 2).unwrap();
            session.tag("ada").unwrap();
            session.commit().await.unwrap();
            let now = app.sessions_now();
            app.memory().destroy_all("ada", None, now, now.plus(Duration::from_secs(60))).await.unwrap();
            session.put("n", 3).unwrap();
        })
        .await;
    assert!(matches!(report.error, Some(CommitError::Gone)), "{:?}", report.error);
    assert_eq!(report.set_cookie, None);
}

#[tokio::test]
async fn every_observer_is_told_of_a_failing_store_with_its_name_and_kind() {
    let others = Events::default();
    let app = app_with(|builder| builder.observer(others.clone()));
    let mut browser = known(&app).await;
    app.events.take();
    others.take();
    app.fault(Fault::nth(1).on(Verb::Load).kind(StoreErrorKind::Timeout));
    let guard = app.arrive(&browser.cookies());
    assert!(guard.visit().session().await.is_err());
    app.fault(Fault::nth(1).on(Verb::Replace).kind(StoreErrorKind::Refused));
    app.answer(&mut browser, 200, async |session| session.put("n", 2).unwrap()).await;
    let failures = |events: Vec<Event>| -> Vec<Event> {
        events.into_iter().filter(|event| event.name() == "store_error").collect()
    };
    let told = failures(app.events.take());
    let expected = [StoreErrorKind::Timeout, StoreErrorKind::Refused]
        .map(|kind| Event::StoreError { store: "memory", kind });
    assert_eq!(told, expected);
    assert_eq!(told.iter().map(Event::reason).collect::<Vec<_>>(), [Some("timeout"), Some("refused")]);
    assert_eq!(failures(others.take()), expected);
}

#[tokio::test]
async fn a_store_is_wrapped_where_there_is_one() {
    let log = std::sync::Arc::new(std::sync::Mutex::new(None));
    let kept = log.clone();
    let app = app_with(|builder| {
        builder.map_store(|store| {
            let around = session_testkit::OpLog::over(store);
            *kept.lock().unwrap() = Some(around.clone());
            around
        })
    });
    known(&app).await;
    assert_eq!(log.lock().unwrap().as_ref().unwrap().verbs(), [Verb::Create]);
    let in_cookie = app_in_cookie(|builder, _| builder.map_store(session_testkit::OpLog::over));
    assert!(in_cookie.sessions.store().is_none());
}
