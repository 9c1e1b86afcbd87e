//! Rows of the security checklist about the whole driver: identifiers, expiry, defaults, and which responses may set the cookie.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use crate::driver_support::*;
use session_core::{
    adapter::*,
    error::*,
    machine::{cookie::*, *},
    store::*,
    *,
};
use session_testkit::{Fault, Outcome, Verb};

/// The scripted generator and the movable clock exist for tests alone: neither the code nor the trees of the crates that
/// applications depend on reach them without the feature.
#[test]
fn id_3_scripted_randomness_and_clocks_are_in_no_release() {
    let builder = include_str!("../../src/engine/builder/mod.rs");
    for door in ["pub fn clock(", "pub fn entropy("] {
        let (before, _) = builder.split_once(door).unwrap();
        let gate = before.trim_end().lines().next_back().unwrap().trim();
        assert_eq!(gate, "#[cfg(feature = \"test-util\")]", "{door}");
    }
    let mut tree = std::process::Command::new(env!("CARGO"));
    tree.args(["tree", "--offline", "--locked", "--edges", "normal,build", "--prefix", "none"]);
    tree.args(["--all-features", "--format", "{p} {f}", "--manifest-path"]);
    tree.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"));
    tree.args(["-p", "session-axum", "-p", "session-actix", "-p", "session-hyper", "-p", "session-stores"]);
    let output = tree.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(lines.lines().any(|line| line.starts_with("session-core ")), "{lines}");
    for line in lines.lines() {
        assert!(!line.starts_with("session-testkit "), "{line}");
        assert!(!(line.starts_with("session-core ") && line.contains("test-util")), "{line}");
    }
}

/// The same random bytes make the same id, whoever comes, whenever, and whatever the session holds.
#[tokio::test]
async fn id_7_an_id_says_nothing_about_time_user_or_content() {
    let mut seen = Vec::new();
    for (seconds, user) in [(0, "ada"), (86_400, "eve"), (10_000_000, "")] {
        let (app, mut browser) = (app(), Browser::new());
        app.pass(seconds);
        let handle = app
            .visit(&mut browser, async |session| {
                let handle = session.id().unwrap();
                session.put("user", user).unwrap();
                if !user.is_empty() {
                    session.tag(user).unwrap();
                }
                handle
            })
            .await;
        seen.push((app.store.ops()[0].key.unwrap(), handle));
    }
    assert!(seen.windows(2).all(|two| two[0] == two[1]), "{seen:?}");
}

/// Gives every id twice, with another etag each time.
#[derive(Clone, Debug, Default)]
struct Stuck(Arc<AtomicU8>);

impl Entropy for Stuck {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let drawn = self.0.fetch_add(1, Ordering::Relaxed);
        let (id, rest) = bytes.split_at_mut(32.min(bytes.len()));
        id.fill(drawn / 2);
        rest.fill(drawn);
        Ok(())
    }
}

#[tokio::test]
async fn id_9_a_taken_id_is_left_alone_and_another_one_is_drawn() {
    let app = app();
    let entropy = Stuck::default();
    let store = app.store.clone();
    let stuck = || {
        let entropy = entropy.clone();
        app_on(store.clone(), |builder| builder.store(store.clone()).entropy(entropy))
    };
    let (one, other) = (stuck(), stuck());
    let (mut ada, mut eve) = (Browser::new(), Browser::new());
    one.visit(&mut ada, async |session| session.put("user", "ada").unwrap()).await;
    other.visit(&mut eve, async |session| session.put("user", "eve").unwrap()).await;
    let creates: Vec<_> = store.ops().into_iter().filter(|op| op.verb == Verb::Create).collect();
    let outcomes: Vec<_> = creates.iter().map(|op| op.outcome.unwrap()).collect();
    assert!(outcomes.contains(&Outcome::Taken), "{outcomes:?}");
    assert_eq!(creates[0].key, creates[1].key, "the same id was drawn");
    assert_ne!(ada.cookie, eve.cookie);
    assert_eq!(read::<String>(&one, &mut ada, "user").await.as_deref(), Some("ada"));
    assert_eq!(read::<String>(&other, &mut eve, "user").await.as_deref(), Some("eve"));
}

/// What an application shows and logs about sessions cannot be sent as a cookie, and is no store key either.
#[tokio::test]
async fn id_11_devices_are_named_by_handles_that_open_nothing() {
    let (app, mut browser) = (app(), Browser::new());
    app.visit(&mut browser, async |session| session.tag("ada").unwrap()).await;
    let key = app.store.ops()[0].key.unwrap();
    let devices = app.sessions.of("ada").list().await.unwrap();
    let (shown, debugged) = (devices[0].handle.to_string(), format!("{devices:?}"));
    let cookie = browser.cookie.clone().unwrap();
    assert!(!cookie.contains(&shown) && !debugged.contains(cookie.split_once('=').unwrap().1));
    assert!(shown.len() < key.to_string().len() && !debugged.contains(&key.to_string()));
    app.store.take();
    for forged in [shown.clone(), format!("{shown}{shown}"), key.to_string()] {
        let mut thief = Browser { cookie: Some(format!("__Host-sid={forged}")), ..Browser::new() };
        assert!(app.visit(&mut thief, async |session| session.status().fresh()).await);
    }
    assert_eq!(app.calls(), [], "and costs no store call");
}

/// The store still has it (its own clean-up may be days late): the record's deadlines decide.
#[tokio::test]
async fn lc_6_expiry_is_judged_by_the_library_whatever_the_store_still_has() {
    for absolute in [false, true] {
        let app =
            app_with(|builder| if absolute { builder.absolute(Duration::from_secs(7_200)) } else { builder });
        let mut browser = known(&app).await;
        if absolute {
            app.pass(3_600);
            app.visit(&mut browser, async |session| session.increment("n").unwrap()).await;
            app.pass(3_600);
        } else {
            app.pass(7_200);
        }
        app.store.take();
        let fresh =
            app.visit(&mut browser, async |session| session.status().fresh() && session.is_empty()).await;
        assert!(fresh, "absolute: {absolute}");
        let ops = app.store.take();
        if let Some(load) = ops.first() {
            let there = app.memory().load(&load.key.unwrap()).await.unwrap();
            assert!(matches!(there, Loaded::Found(_)), "the store has it: {there:?}");
            assert!(app.events.take().contains(&Event::Expired));
        } else {
            assert!(
                absolute,
                "an absolute deadline is sealed in the cookie, which is refused before the store is asked"
            );
        }
    }
}

#[test]
fn lc_7_two_hours_unused_and_a_day_in_all_unless_an_assurance_level_is_asked_for() {
    let lifetimes = |tune: fn(SessionsBuilder) -> SessionsBuilder| {
        let sessions = tune(Sessions::builder()).in_cookie().key(key(1)).build().unwrap();
        (sessions.policy().age.as_secs(), sessions.policy().absolute.map(|lifetime| lifetime.as_secs()))
    };
    assert_eq!(lifetimes(|builder| builder), (2 * 3_600, Some(24 * 3_600)));
    assert_eq!(lifetimes(SessionsBuilder::aal1), (30 * 86_400, Some(30 * 86_400)));
    assert_eq!(lifetimes(SessionsBuilder::aal2), (3_600, Some(24 * 3_600)));
    assert_eq!(lifetimes(SessionsBuilder::aal3), (15 * 60, Some(12 * 3_600)));
}

/// A visit that only reads, or signs out without being signed in, stores nothing.
#[tokio::test]
async fn lc_8_a_look_and_a_sign_out_of_nobody_create_nothing() {
    let app = app();
    for _ in 0..100 {
        let mut stranger = Browser::new();
        app.visit(&mut stranger, async |session| {
            assert!(session.status().fresh() && !session.has("a") && session.flash_messages().is_empty());
        })
        .await;
        app.visit(&mut stranger, async |session| session.destroy().unwrap()).await;
        app.visit(&mut stranger, async |session| session.invalidate().unwrap()).await;
        assert_eq!(stranger.cookie, None);
    }
    assert_eq!(app.calls(), []);
}

/// E1, E2: the cookie of a new id is sent once the write is known to have happened, and not otherwise.
#[tokio::test]
async fn ck_13_e1_e2_a_new_id_is_sent_only_after_its_write_was_applied() {
    for (verb, regenerates) in [(Verb::Create, false), (Verb::Rotate, true)] {
        let app = app();
        let mut browser = if regenerates { known(&app).await } else { Browser::new() };
        let before = browser.cookie.clone();
        app.fault(Fault::nth(1).on(verb));
        let change = async |session: Session| {
            session.put("a", 1).unwrap();
            if regenerates {
                session.regenerate().unwrap();
            }
        };
        let (_, report) = app.answer(&mut browser, 200, change).await;
        assert!(report.error.is_some() && report.set_cookie.is_none(), "{verb:?}");
        assert_eq!(browser.cookie, before);
        let (_, report) = app.answer(&mut browser, 200, change).await;
        assert!(report.set_cookie.is_some(), "{verb:?}");
    }
}

/// E3: whose session was ended meanwhile says nothing: neither a new session, nor the removal of a newer login's cookie.
#[tokio::test]
async fn ck_13_e3_a_commit_that_came_too_late_says_nothing() {
    let app = app();
    let mut browser = known(&app).await;
    let slow = app.arrive(&browser.cookies());
    let session = slow.visit().session().await.unwrap();
    session.put("a", 1).unwrap();
    app.visit(&mut browser, async |session| session.destroy().unwrap()).await;
    assert!(finish(slow, 200).await.set_cookie.is_none());
}

/// E4: an id that stands for nothing is not cleared away, since a newer login may have replaced it in the browser.
#[tokio::test]
async fn ck_13_e4_an_id_that_is_gone_is_not_removed() {
    let app = app();
    let mut browser = known(&app).await;
    app.pass(7_200);
    let (_, report) = app.answer(&mut browser, 200, async |session| session.status().fresh()).await;
    assert!(report.set_cookie.is_none());
}

/// E5: a straggler with an id that was just replaced writes into the air, and says nothing.
#[tokio::test]
async fn ck_13_e5_a_straggler_sets_no_cookie_over_a_newer_login() {
    let app = app();
    let mut browser = known(&app).await;
    let mut straggler = browser.clone();
    app.visit(&mut browser, async |session| session.regenerate().unwrap()).await;
    app.store.take();
    let (_, report) = app.answer(&mut straggler, 200, async |session| session.put("a", 1).unwrap()).await;
    assert!(report.set_cookie.is_none() && report.error.is_none());
    assert_eq!(app.calls(), [Verb::Load], "nothing is written");
}

/// E6: only a destroy of this very visit removes the cookie.
#[tokio::test]
async fn ck_13_e6_a_destroy_removes_the_cookie() {
    let app = app();
    let mut browser = known(&app).await;
    let (_, report) = app.answer(&mut browser, 200, async |session| session.destroy().unwrap()).await;
    assert!(report.set_cookie.unwrap().contains("Max-Age=0"));
}

/// E7: a refreshed cookie goes with a deadline that was moved, once for each time that it is due.
#[tokio::test]
async fn ck_13_e7_a_refreshed_cookie_is_sent_by_the_request_that_moved_the_deadline() {
    let app = app_with(|builder| builder.cookie(Cookie::host("sid").persistent(true)));
    let mut browser = known(&app).await;
    app.pass(1_000);
    let (_, report) = app.answer(&mut browser, 200, async |_| {}).await;
    assert!(report.set_cookie.is_some() && app.calls() == [Verb::Load, Verb::Touch]);
    let (_, report) = app.answer(&mut browser, 200, async |_| {}).await;
    assert!(report.set_cookie.is_none() && app.calls() == [Verb::Load]);
    app.pass(1_000);
    app.fault(Fault::nth(1).on(Verb::Touch));
    let (_, report) = app.answer(&mut browser, 200, async |_| {}).await;
    assert!(report.set_cookie.is_none(), "no deadline was moved");
}

/// E8: after the head is sent a write is an error, and not dropped in silence.
#[tokio::test]
async fn ck_13_e8_a_write_after_the_response_is_closed() {
    let app = app();
    let browser = known(&app).await;
    let guard = app.arrive(&browser.cookies());
    let session = guard.visit().session().await.unwrap();
    finish(guard, 200).await;
    assert!(matches!(session.put("a", 1), Err(SessionError::Closed)));
    assert!(matches!(session.commit().await, Err(CommitError::Closed)));
}

/// Every reason for which an operator may be woken has an event, each with a word of its own.
#[test]
fn lc_12_every_turn_of_a_session_s_life_has_an_event() {
    let handle = SessionId::from_bytes([7; 32]).store_key().handle();
    let events = [
        (Event::Created(handle), "created"),
        (Event::Initiated { fresh: false }, "initiated"),
        (Event::Touched(handle), "touched"),
        (Event::Migrated { from: handle, to: handle }, "migrated"),
        (Event::Destroyed(handle), "destroyed"),
        (Event::Expired, "expired"),
        (Event::RejectedCookie(RejectReason::Expired), "rejected_cookie"),
        (Event::DuplicateCookies(2), "duplicate_cookies"),
        (Event::Conflict(1), "conflict"),
        (Event::Gone, "gone"),
    ];
    for (event, word) in events {
        assert_eq!(event.name(), word);
    }
}
