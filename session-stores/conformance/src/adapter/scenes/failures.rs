//! Failures of the store, of the handler and of the connection to the client.

use std::time::{Duration, Instant};

use session_core::store::StoreErrorKind;

use crate::adapter::stage::eventually;
use crate::adapter::{Sent, Stage};
use session_testkit::{Fault, Verb, When};

const COOKIE: &str = "__Host-sid";

/// OU-1, OU-2, PEERS 8.
pub async fn ou_1_a_store_that_fails_is_a_503_and_changes_no_cookie(stage: &Stage) {
    let world = stage.open().await;
    let Some(doubles) = &world.doubles else { return };
    let ada = world.browser();
    ada.get("/login").await;
    let old = ada.cookie(COOKIE);
    doubles.faults.fail(Fault::every().kind(StoreErrorKind::Unavailable));
    for path in ["/read", "/write", "/rotate", "/logout", "/late?ms=0"] {
        let reply = ada.get(path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.set_cookies().len(), reply.text().len()),
            (503, 0, 0),
            "{path}"
        );
    }
    assert_eq!(world.browser().get("/write").await.status, 503, "a new visitor cannot be kept");
    assert_eq!(world.browser().get("/read").await.status, 200, "a stranger needs no store");
    assert_eq!(ada.get("/none").await.status, 200);
    assert_eq!(ada.get("/healthz").await.status, 200);
    assert_eq!(ada.cookie(COOKIE), old);
    doubles.faults.heal();
    assert_eq!(ada.get("/read").await.text(), "alice@example.com", "still signed in");
}

/// I1: no cookie of a session that may not exist.
pub async fn a_write_that_fails_is_a_503_and_sets_no_cookie(stage: &Stage) {
    for (verb, path) in [(Verb::Create, "/write"), (Verb::Rotate, "/login"), (Verb::Destroy, "/logout")] {
        let world = stage.open().await;
        let Some(doubles) = &world.doubles else { return };
        let ada = world.browser();
        if verb != Verb::Create {
            ada.get("/write").await;
        }
        doubles.faults.fail(Fault::every().on(verb).kind(StoreErrorKind::Timeout));
        let reply = ada.get(path).await;
        assert_eq!(reply.sent(), Sent { status: 503, cookies: 0 }, "{path}");
        doubles.faults.heal();
        assert_eq!(ada.get(path).await.status, 200);
    }
}

/// PEERS 5: changes of data are dropped, a regenerate and a destroy are not.
pub async fn a_5xx_drops_the_data_and_keeps_what_was_ordered(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[(r#""put","key":"a","value":1"#, "null")]).await;
    let old = ada.cookie(COOKIE);
    let failing =
        |op: &str| format!(r#"{{"ops":[{{"op":"put","key":"a","value":2}},{{"op":"{op}"}}],"status":500}}"#);
    ada.run(&failing("all")).await;
    ada.ops(&[(r#""get","key":"a""#, "1")]).await;
    ada.run(&failing("regenerate")).await;
    assert_ne!(ada.cookie(COOKIE), old);
    ada.ops(&[(r#""get","key":"a""#, "1")]).await;
    ada.run(&failing("destroy")).await;
    assert_eq!(ada.cookie(COOKIE), None);

    let world = stage.open_with(|sessions| sessions.commit_on_error(true)).await;
    let ada = world.browser();
    ada.run(&failing("all")).await;
    ada.ops(&[(r#""get","key":"a""#, "2")]).await;
}

/// LC-3: a destroy or regenerate is done before the connection closes, changes of data are dropped, and the server goes
/// on.
pub async fn a_panic_after_regenerate_or_destroy_still_ends_the_old_id(stage: &Stage) {
    for order in ["regenerate", "destroy"] {
        let world = stage.open().await;
        let ada = world.browser();
        ada.get("/login").await;
        let old = ada.snapshot();
        let script = format!(r#"{{"ops":[{{"op":"{order}"}},{{"op":"panic"}}]}}"#);
        if let Some(reply) = ada.try_run(&script).await {
            let Sent { status, cookies } = reply.sent();
            assert_eq!((status, cookies > 0), (500, world.answers_panics()), "{order}");
        }
        if !world.in_cookie() {
            assert_eq!(old.get("/read").await.text(), "anon", "{order}");
        }
        assert_eq!(world.browser().get("/write").await.text(), "1", "the server lives on");
    }
}

/// A panic inside of a change.
pub async fn a_panic_drops_the_data_and_leaves_the_session(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.get("/login").await;
    let script = r#"{"ops":[{"op":"put","key":"user","value":"eve"},{"op":"panic"}]}"#;
    if let Some(reply) = ada.try_run(script).await {
        assert_eq!(reply.sent(), Sent { status: 500, cookies: 0 });
    }
    assert_eq!(ada.get("/read").await.text(), "alice@example.com");
}

/// LC-3, PEERS 9: a commit that has begun completes, even if the client disconnects.
pub async fn a_client_that_hangs_up_loses_no_write_that_has_begun(stage: &Stage) {
    let world = stage.open().await;
    let Some(doubles) = &world.doubles else { return };
    let ada = world.browser();
    ada.get("/write").await;
    let mut gate = doubles.gates.hold(Verb::Replace, When::Before);
    let tab = ada.quiet();
    let asking = tokio::spawn(async move { tab.try_get("/write").await });
    gate.arrived().await;
    asking.abort();
    let _ = asking.await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    gate.release();
    let tab = ada.quiet();
    eventually("the write is there", async || tab.get("/hits").await.text() == "2").await;
    ada.get("/logout").await;
    assert_eq!(ada.snapshot().get("/read").await.text(), "anon");
}

/// A destroy that was ordered before the client disconnected is done, whether the framework drops the handler or lets it
/// finish: axum and hyper drop it, actix-web lets it finish unless `h1_allow_half_closed` is off.
pub async fn a_client_that_hangs_up_after_a_destroy_is_signed_out(stage: &Stage) {
    let world = stage.open().await;
    if world.in_cookie() {
        return;
    }
    // On a busy machine the request may not have reached its handler yet: then disconnect later and try again.
    for patience in [200, 1_000, 4_000, 10_000] {
        let ada = world.browser().quiet();
        ada.get("/login").await;
        let tab = ada.clone();
        let script = format!(r#"{{"ops":[{{"op":"destroy"}},{{"op":"sleep","ms":{}}}]}}"#, patience + 1_500);
        let asking = tokio::spawn(async move { tab.try_run(&script).await });
        tokio::time::sleep(Duration::from_millis(patience)).await;
        asking.abort();
        for _ in 0..300 {
            if ada.get("/read").await.text() == "anon" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    panic!("signed out: not within three seconds of a request of any length");
}

/// E8: changes are never dropped silently.
pub async fn a_write_while_the_body_streams_is_closed(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.get("/login").await;
    let ops = [
        (r#""get","key":"user""#, "\"alice@example.com\""),
        (r#""put","key":"a","value":1"#, "!Closed"),
        (r#""destroy""#, "!Closed"),
        (r#""regenerate""#, "!Closed"),
        (r#""flash","key":"a","value":1"#, "!Closed"),
        (r#""csrf_token""#, "!Closed"),
        (r#""commit""#, "!Closed"),
    ];
    let reply = ada.ops_at("/stream", &ops).await;
    assert!(reply.text().starts_with("started\n"));
    assert!(reply.set_cookies().is_empty());
    assert_eq!(reply.all(http::header::VARY), ["Cookie"]);
    ada.ops(&[(r#""get","key":"a""#, "null"), (r#""get","key":"user""#, "\"alice@example.com\"")]).await;
}

/// The session is loaded when the handler opens it, not when the request arrives.
pub async fn a_session_opened_late_is_opened_then(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser().quiet();
    ada.get("/login").await;
    // A write that was answered before the other handler stopped waiting cannot have raced with an open session. On a machine too
    // busy for that, the other one waits longer.
    for wait in [300, 1_200, 4_000, 10_000] {
        let conflicts = world.counted("conflicts").await;
        let (tab, began) = (ada.clone(), Instant::now());
        let late = tokio::spawn(async move { tab.get(&format!("/late?ms={wait}")).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        let before = ada.get("/write").await.text();
        let in_time = began.elapsed() < Duration::from_millis(wait);
        assert_eq!(late.await.expect("an answer").text(), "ok");
        ada.ops(&[(r#""get","key":"touched""#, "true"), (r#""forget","keys":"touched""#, "null")]).await;
        if in_time {
            if !world.in_cookie() {
                assert_eq!(ada.get("/hits").await.text(), before, "neither write is lost");
                assert_eq!(world.counted("conflicts").await, conflicts, "and neither met the other");
            }
            return;
        }
    }
}
