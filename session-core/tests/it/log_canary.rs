//! No secret in any log: makes many requests and searches their traces for ids, cookies and values.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::io;
use std::sync::{Arc, Mutex};

use crate::driver_support::*;
use session_core::{
    machine::{table::*, *},
    store::*,
    *,
};
use session_testkit::{Fault, Verb};
use session_web::Rejection;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn id_8_peers_18_no_log_and_no_debug_form_shows_an_id_a_cookie_or_a_value() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut seen = String::new();
    let mut cookies = Vec::new();
    for app in [app(), app_with(|builder| builder.encrypt_at_rest(true)), app_in_cookie(|builder, _| builder)]
    {
        let mut browser = Browser::new();
        for step in 0..4 {
            let (session, report) = app
                .answer(&mut browser, 200, async |session| {
                    session.put("canary-key", "canary-value").unwrap();
                    session.flash("canary-flash", format!("canary-{step}")).unwrap();
                    session.with_errors([("canary-field", "canary-message")]).unwrap();
                    session.tag("canary-owner").unwrap();
                    session.csrf().token().unwrap();
                    if step == 2 {
                        session.regenerate().unwrap();
                    }
                    if step == 3 {
                        session.destroy().unwrap();
                    }
                    session
                })
                .await;
            seen += &format!("{session:?} {:?} {:?}", report.error, app.sessions);
            cookies.extend(browser.cookie.clone());
        }
        let guard = app.arrive(&[&cookies[0], &format!("{}x", cookies[0])]);
        seen += &format!("{guard:?} {:?}", guard.visit());
        app.fault(Fault::every());
        let error = guard.visit().session().await.err();
        app.fault(Fault::nth(1).on(Verb::Load));
        seen += &format!("{error:?}");
        finish(guard, 200).await;
    }
    let mut state = SessionState::open(
        Arrival::with_id(SessionId::from_bytes(*b"canary-id-canary-id-canary-id-ca")),
        Ok(Loaded::Missing),
        Access::Full,
        Timestamp::from_millis(0),
    )
    .unwrap();
    state.data_mut().put("canary-key", "canary-value").unwrap();
    state.flash(FlashBag::Input, "canary-key", "canary-value").unwrap();
    state.set_owner(Some("canary-owner"));
    seen += &format!("{state:?}");
    let policy = Policy::default();
    let commit = Commit::begin(state, &policy, Trigger::Response, Timestamp::from_millis(0), || {
        Ok::<_, ()>(Fresh::from_bytes(&[b'c'; 64]))
    });
    seen += &format!("{commit:?}");
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("Created") && logged.contains("Destroyed"), "there is a log: {logged}");
    for text in [&logged, &seen] {
        assert!(!text.contains("canary"), "{}", text.lines().find(|line| line.contains("canary")).unwrap());
        for cookie in &cookies {
            assert!(!text.contains(cookie.split_once('=').unwrap().1), "a cookie");
        }
    }
}

#[test]
fn what_a_handler_was_refused_is_in_the_log_with_its_reason_and_without_the_value() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::ERROR)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let session = Session::standalone();
    session.put("count", "canary-value").unwrap();
    let wrong_type = session.get::<u32>("count").unwrap_err();
    for rejection in [Rejection::NoLayer, wrong_type.into()] {
        assert_eq!(rejection.response().status(), 500);
    }
    let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for reason in
        ["put the session layer around this route", "\"count\" holds a string, which cannot be read as u32"]
    {
        assert!(said.contains(reason), "{reason} is not in\n{said}");
    }
    assert!(!said.contains("canary"), "{said}");
}

#[tokio::test]
async fn a_failed_write_is_in_the_log_at_warn_and_a_good_one_is_not() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let said = || String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let (app, mut browser) = (app(), Browser::new());
    app.answer(&mut browser, 200, async |session| session.put("n", 1).unwrap()).await;
    assert_eq!(said(), "");
    app.fault(Fault::every().on(Verb::Replace));
    let ((), report) = app.answer(&mut browser, 200, async |session| session.put("n", 2).unwrap()).await;
    assert!(report.error.is_some());
    assert!(said().contains("WARN session") && said().contains("StoreError"), "{}", said());
}
