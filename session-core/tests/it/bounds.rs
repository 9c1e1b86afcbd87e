//! AT-4: what a visit holds is bounded by the record's limit at the call, and not only at the commit, in each placement.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use crate::driver_support::*;
use serde_json::{Map, json};
use session_core::machine::FlashBag;
use session_core::*;

fn apps() -> [App; 2] {
    [app(), app_in_cookie(|builder, _| builder)]
}

/// Twice the limit of a record.
const MOST: usize = 2 * 64 * 1024;

/// What may be held in excess.
const EXCESS: usize = MOST / 8;

fn held(session: &Session) -> usize {
    session.all().to_json().len()
}

fn is_refused<T: std::fmt::Debug>(result: Result<T, SessionError>) -> bool {
    match result {
        Ok(_) => false,
        Err(SessionError::Value(ValueError::TooLarge { size, limit, .. })) => {
            assert!(size > limit && limit == MOST, "{size} of {limit}");
            true
        }
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn at_4_ten_thousand_values_of_ten_kilobytes_are_refused_at_the_call() {
    for app in apps() {
        let mut browser = Browser::default();
        app.visit(&mut browser, async |session| {
            let value = "x".repeat(10_000);
            let refused = (0..10_000).filter(|n| is_refused(session.put(format!("key{n}"), &value))).count();
            assert!(refused >= 10_000 - (MOST + EXCESS) / 10_000, "{refused}");
            assert!(held(&session) <= MOST + EXCESS && session.exists("key0"));
            session.clear().unwrap();
            session.put("small", 1).unwrap();
        })
        .await;
        let told = app.events.take();
        assert!(
            told.iter().any(|event| matches!(event, Event::TooLarge { limit: MOST, .. })),
            "it is logged"
        );
        assert_eq!(read(&app, &mut browser, "small").await, Some(1), "the session is written as it is then");
    }
}

#[tokio::test]
async fn at_4_whatever_call_takes_a_visit_beyond_the_bound_is_refused_and_changes_nothing() {
    type Call = fn(&Session) -> Result<(), SessionError>;
    let calls: [(&str, Call); 14] = [
        ("put", |session| session.put("new.deep", "x".repeat(20_000))),
        ("put beside", |session| session.put("big.more", "x".repeat(20_000))),
        ("put_many", |session| session.put_many(json!({ "a": 1, "b": "x".repeat(20_000) }))),
        ("merge", |session| session.merge(json!({ "a": 1, "big": { "b": "x".repeat(20_000) } }))),
        ("replace", |session| session.replace(json!({ "a": 1, "b": "x".repeat(150_000) }))),
        ("put_struct", |session| session.put_struct(&json!({ "a": 1, "b": "x".repeat(150_000) }))),
        ("push", |session| session.push("list", "x".repeat(20_000))),
        ("update", |session| session.update("text", |_: Option<String>| "x".repeat(20_000)).map(drop)),
        ("remember", |session| session.remember("text", || "x".repeat(20_000)).map(drop)),
        ("increment", |session| session.increment("n".repeat(20_000)).map(drop)),
        ("nulls", |session| (0..40).try_for_each(|n| session.put(format!("gap{n}[1024]"), 1))),
        ("set_meta", |session| session.user().set_meta("browser", "x".repeat(150_000))),
        ("flash_now", |session| session.flash_now("text", "x".repeat(150_000))),
        ("flash_many", |session| session.flash_many(&json!({ "a": 1, "b": "x".repeat(150_000) }))),
    ];
    for app in apps() {
        for (name, call) in calls {
            let mut browser = Browser::default();
            app.answer(&mut browser, 500, async |session| {
                for n in 0..12 {
                    session.put(format!("big.key{n}"), "x".repeat(9_900)).unwrap();
                }
                let before = session.all().to_json();
                assert!(is_refused(call(&session)), "{name}");
                match name {
                    "nulls" => assert!(held(&session) <= MOST + EXCESS),
                    _ => assert_eq!(session.all().to_json(), before, "{name}"),
                }
                session.put("still", "works").unwrap();
            })
            .await;
        }
    }
}

#[tokio::test]
async fn at_4_one_key_is_replaced_as_often_as_one_likes_just_below_the_limit() {
    let app = app();
    let mut browser = Browser::default();
    for round in 0..2 {
        app.visit(&mut browser, async |session| {
            for n in 0..100 {
                session.put("page", format!("{n:0width$}", width = 65_000 - round)).unwrap();
            }
            for n in 0..100 {
                session.put("page", json!({ "text": "x".repeat(60_000), "n": n })).unwrap();
                session.put("page.text", n).unwrap();
            }
            for n in 0..100 {
                session.update("other", move |_: Option<String>| format!("{n:040000}")).unwrap();
            }
            session.forget("other").unwrap();
            for n in 0..100 {
                session.replace(json!({ "all": format!("{n:065000}") })).unwrap();
            }
            session.replace(json!({ "last": "y".repeat(65_000) })).unwrap();
        })
        .await;
        assert_eq!(read::<String>(&app, &mut browser, "last").await.unwrap().len(), 65_000);
    }
}

#[tokio::test]
async fn at_4_no_change_is_refused_that_the_commit_accepts() {
    let app = app();
    let mut browser = Browser::default();
    // Many small values, whose names outweigh them.
    app.visit(&mut browser, async |session| {
        for n in 0..5_000 {
            session.put(format!("n{n}"), n % 10).unwrap();
        }
        session.put_many(json!({ "n0": 2, "text": "x".repeat(10_000) })).unwrap();
    })
    .await;
    // Emptied and filled again in one visit, with values that replace each other.
    app.visit(&mut browser, async |session| {
        session.replace(json!({ "b": "x".repeat(65_000) })).unwrap();
        session.merge(json!({ "b": 1, "c": "x".repeat(64_000) })).unwrap();
        session.put_struct(&json!({ "c": "y".repeat(65_000) })).unwrap();
    })
    .await;
    assert_eq!(read::<String>(&app, &mut browser, "c").await.unwrap().len(), 65_000);
}

#[tokio::test]
async fn at_4_a_session_that_is_larger_than_a_lowered_limit_can_be_made_smaller() {
    let app = app();
    let mut browser = Browser::default();
    app.visit(&mut browser, async |session| session.put("big", "x".repeat(60_000)).unwrap()).await;
    let lowered = app_on(app.store.clone(), |builder| builder.store(app.store.clone()).max_record(4_000));
    let (_, report) = lowered
        .answer(&mut browser, 200, async |session| {
            session.put("big", "y".repeat(59_000)).unwrap();
            let refused = session.put("more", 1);
            assert!(matches!(refused, Err(SessionError::Value(ValueError::TooLarge { limit: 8_000, .. }))));
            session.put("big", "small").unwrap();
            session.put("more", 1).unwrap();
        })
        .await;
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(read::<u8>(&lowered, &mut browser, "more").await, Some(1));
}

#[tokio::test]
async fn at_4_messages_are_refused_at_the_call_and_forms_give_way() {
    for app in apps() {
        let mut browser = Browser::default();
        app.visit(&mut browser, async |session| {
            session.flash("first", "Saved").unwrap();
            let refused = (0..200).filter(|_| is_refused(session.flash_push("list", "x".repeat(10_000))));
            assert!(refused.count() >= 200 - (MOST + EXCESS) / 10_000);
            session.flash("list", "one").unwrap();
            session.set_input(Map::from_iter([("text".to_owned(), json!("x".repeat(300_000)))]));
            for _ in 0..3 {
                session.flash_all().unwrap();
            }
            for n in 0..200 {
                session.with_errors([(format!("field{n}"), "x".repeat(10_000))]).unwrap();
            }
        })
        .await;
        let told = app.events.take();
        for bag in [FlashBag::Input, FlashBag::Errors] {
            assert!(told.contains(&Event::GaveWay(bag)), "{bag:?}");
        }
        app.visit(&mut browser, async |session| {
            assert_eq!(session.flash_messages().get::<String>("first").unwrap().as_deref(), Some("Saved"));
            assert_eq!(session.flash_messages().get::<String>("list").unwrap().as_deref(), Some("one"));
            assert!(!session.has_old("text"));
        })
        .await;
    }
}

#[tokio::test]
async fn at_4_the_bound_holds_after_a_commit_and_after_the_session_was_discarded() {
    for app in apps() {
        let mut browser = Browser::default();
        app.answer(&mut browser, 500, async |session| {
            session.put("a", 1).unwrap();
            _ = session.commit().await;
            assert!(is_refused(session.put("b", "x".repeat(150_000))));
            session.invalidate().unwrap();
            assert!(is_refused(session.put("b", "x".repeat(150_000))));
        })
        .await;
    }
}
