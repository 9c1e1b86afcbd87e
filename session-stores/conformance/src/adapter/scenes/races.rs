//! Concurrent requests: no acknowledged write is lost, and an ended session stays ended. Most are not for sessions in cookies.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::adapter::Stage;
use crate::adapter::stage::eventually;
use session_testkit::{Verb, When};

/// The number of requests that wait behind a slow one.
const WAITING: usize = 24;
const COOKIE: &str = "__Host-sid";

/// PEERS 1: 64 clients, 50 writes each, 3,200 hits.
pub async fn a_crowd_that_writes_to_one_session_loses_no_write(stage: &Stage) {
    let world = stage.open_with(|sessions| sessions.contention(Duration::from_secs(60))).await;
    if world.in_cookie() {
        return;
    }
    let ada = world.browser();
    ada.get("/login").await;
    let mut clients = JoinSet::new();
    for _ in 0..world.crowd {
        let tab = ada.quiet();
        clients.spawn(async move {
            for _ in 0..WRITES {
                assert_eq!(tab.get("/write").await.status, 200);
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.expect("a client ends");
    }
    assert_eq!(ada.get("/hits").await.text(), (world.crowd * WRITES).to_string());
}

/// Requests that wait behind a slow write are written together, and each gets its own result.
pub async fn writes_that_wait_for_each_other_are_one_call(stage: &Stage) {
    let world = stage.open_with(|sessions| sessions.contention(Duration::from_secs(60))).await;
    let Some(doubles) = &world.doubles else { return };
    let ada = world.browser();
    ada.get("/login").await;
    let mut first = doubles.gates.hold(Verb::Replace, When::Before);
    let tab = ada.quiet();
    let slow = tokio::spawn(async move { tab.get("/write").await });
    first.arrived().await;
    ada.get("/write").await;
    // The slow one had a conflict; it has the turn, and its second call is held.
    let mut again = doubles.gates.hold(Verb::Replace, When::Before);
    first.release();
    again.arrived().await;
    let before = world.calls().await;
    let tabs: Vec<_> = (0..WAITING)
        .map(|_| ada.quiet())
        .map(|tab| tokio::spawn(async move { tab.get("/write").await }))
        .collect();
    while world.calls().await.since(before).load < WAITING as u64 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    again.release();
    for request in tabs.into_iter().chain([slow]) {
        assert_eq!(request.await.expect("an answer").status, 200);
    }
    let calls = world.calls().await.since(before).replace;
    // On a busy machine, some arrive too late for the first group.
    assert!(calls < WAITING as u64, "{calls} calls for {WAITING} writes that wait");
    assert_eq!(ada.get("/hits").await.text(), (WAITING + 2).to_string());
}

/// PEERS 2: the session is not revived, and no cookie is sent.
pub async fn a_slow_writer_does_not_revive_a_session_that_was_signed_out(stage: &Stage) {
    for verb in [Verb::Load, Verb::Replace] {
        let world = stage.open().await;
        let Some(doubles) = &world.doubles else { return };
        let ada = world.browser();
        ada.get("/login").await;
        let thief = ada.snapshot();
        let when = if verb == Verb::Load { When::After } else { When::Before };
        let mut gate = doubles.gates.hold(verb, when);
        let tab = thief.quiet();
        let slow = tokio::spawn(async move { tab.get("/write").await });
        gate.arrived().await;
        ada.get("/logout").await;
        gate.release();
        let slow = slow.await.expect("an answer");
        assert_eq!(
            (slow.status.as_u16(), slow.set_cookies().len()),
            (200, 0),
            "not a new session, not a removal"
        );
        assert_eq!(thief.get("/read").await.text(), "anon");
        assert_eq!(world.counted("gone").await, 1);
    }
}

/// PEERS 3.
pub async fn a_slow_writer_does_not_revive_an_id_that_was_regenerated(stage: &Stage) {
    let world = stage.open().await;
    let Some(doubles) = &world.doubles else { return };
    let ada = world.browser();
    ada.get("/login").await;
    let old = ada.snapshot();
    let mut gate = doubles.gates.hold(Verb::Replace, When::Before);
    let tab = old.quiet();
    let slow = tokio::spawn(async move { tab.get("/write").await });
    gate.arrived().await;
    ada.get("/rotate").await;
    let new = ada.cookie(COOKIE);
    gate.release();
    assert!(slow.await.expect("an answer").set_cookies().is_empty());
    assert_eq!(old.get("/read").await.text(), "anon", "the old id is dead");
    assert_eq!(ada.cookie(COOKIE), new);
    assert_eq!(ada.get("/read").await.text(), "alice@example.com", "and the new one lives");
}

/// Each `commit` in a request that was in flight returns whether its changes were kept; none is lost silently.
pub async fn a_slow_writer_follows_its_user_to_a_new_id_and_nobody_else(stage: &Stage) {
    let world = stage.open().await;
    let Some(doubles) = &world.doubles else { return };
    for (user, answer) in [(Some(r#""tag","owner":"ada""#), "null"), (None, "!Gone")] {
        let ada = world.browser();
        let mut first = vec![(r#""increment","key":"n","by":1"#, "1")];
        first.extend(user.map(|tag| (tag, "null")));
        ada.ops(&first).await;
        let mut gate = doubles.gates.hold(Verb::Replace, When::Before);
        let tab = ada.snapshot().quiet();
        let slow = tokio::spawn(async move {
            tab.ops(&[
                (r#""increment","key":"n","by":10"#, "11"),
                (r#""flash","key":"status","value":"saved""#, "null"),
                (r#""commit""#, answer),
            ])
            .await
        });
        gate.arrived().await;
        ada.ops(&[(r#""regenerate""#, "null"), (r#""increment","key":"n","by":100"#, "101")]).await;
        gate.release();
        let slow = slow.await.expect("an answer");
        assert!(slow.set_cookies().is_empty(), "it does not know the new id");
        let kept = user.is_some();
        ada.ops(&[
            (r#""get","key":"n""#, if kept { "111" } else { "101" }),
            (r#""flash_get","key":"status""#, if kept { r#""saved""# } else { "null" }),
        ])
        .await;
    }
    assert_eq!(world.counted("gone").await, 1);
}

/// Forty requests of a signed-in user write while the id is changed twice.
pub async fn forty_writers_lose_nothing_while_their_user_gets_new_ids(stage: &Stage) {
    let world = stage.open_with(|sessions| sessions.contention(std::time::Duration::from_secs(60))).await;
    if world.in_cookie() {
        return;
    }
    let ada = world.browser();
    ada.ops(&[(r#""tag","owner":"ada""#, "null"), (r#""increment","key":"n","by":1"#, "1")]).await;
    let before = world.calls().await.load;
    let mut writers = JoinSet::new();
    for nth in 0..40 {
        let tab = ada.snapshot().quiet();
        writers.spawn(async move {
            let (sleep, push) =
                (format!(r#""sleep","ms":{}"#, 200 + 5 * nth), format!(r#""push","key":"l","value":{nth}"#));
            let add = r#""increment","key":"n","by":1"#;
            let ops = [(add, "*"), (&*sleep, "null"), (&*push, "null"), (r#""commit""#, "null"), (add, "*")];
            assert!(tab.ops(&ops).await.set_cookies().is_empty());
        });
    }
    // A request with an id that the session no longer has is a stranger's.
    eventually("every writer has the session", async || world.calls().await.load >= before + 40).await;
    for _ in 0..2 {
        ada.quiet().ops(&[(r#""regenerate""#, "null")]).await;
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    }
    while let Some(writer) = writers.join_next().await {
        writer.expect("a writer ends");
    }
    let reply = ada.quiet().ops(&[(r#""get","key":"n""#, "81"), (r#""get","key":"l""#, "*")]).await;
    let list: std::collections::BTreeSet<u32> = serde_json::from_str(&reply.results()[1]).expect("a list");
    assert_eq!(list.len(), 40);
}

/// A sign-out that had loaded the session ends it under its current id.
pub async fn a_slow_sign_out_ends_the_session_under_its_new_id(stage: &Stage) {
    let world = stage.open().await;
    let Some(doubles) = &world.doubles else { return };
    let ada = world.browser();
    ada.ops(&[(r#""tag","owner":"ada""#, "null"), (r#""increment","key":"n","by":1"#, "1")]).await;
    let mut gate = doubles.gates.hold(Verb::Destroy, When::Before);
    let tab = ada.snapshot().quiet();
    let slow = tokio::spawn(async move { tab.ops(&[(r#""destroy""#, "null")]).await });
    gate.arrived().await;
    ada.ops(&[(r#""regenerate""#, "null")]).await;
    gate.release();
    slow.await.expect("an answer");
    ada.ops(&[(r#""get","key":"n""#, "null"), (r#""ended""#, "true")]).await;
}

/// PEERS 4.
pub async fn a_slow_reader_with_the_old_id_signs_nobody_out(stage: &Stage) {
    let world = stage.open().await;
    if world.in_cookie() {
        return;
    }
    let ada = world.browser();
    ada.get("/login").await;
    let before = ada.snapshot();
    ada.get("/rotate").await;
    // The tab shares the jar, but its request was sent with the old cookie.
    let stale = format!("{COOKIE}={}", before.cookie(COOKIE).expect("a cookie"));
    for path in ["/read", "/write", "/hits"] {
        let reply = ada.get_with(path, &[stale.as_bytes()]).await;
        assert!(reply.set_cookies().is_empty(), "{path}");
    }
    assert_eq!(ada.get("/read").await.text(), "alice@example.com");
}

/// A request of a tab was sent before, and its response arrives last.
pub async fn a_slow_read_brings_no_session_back_that_was_replaced_or_ended(stage: &Stage) {
    for path in ["/rotate", "/login", "/write", "/logout"] {
        let world = stage.open().await;
        let ada = world.browser();
        ada.get("/login").await;
        world.clock.advance(Duration::from_secs(720));
        let stale = format!("{COOKIE}={}", ada.cookie(COOKIE).expect("a cookie"));
        let slow = ada.get_with("/read", &[stale.as_bytes()]).await;
        ada.get(path).await;
        let now = ada.cookie(COOKIE);
        ada.hear("/read", &slow);
        assert_eq!(ada.cookie(COOKIE), now, "after {path}");
        let user = if path == "/logout" { "anon" } else { "alice@example.com" };
        assert_eq!(ada.get("/read").await.text(), user, "after {path}");
    }
}

/// A session that is only read, for longer than its idle time.
pub async fn a_session_that_is_read_again_and_again_does_not_end(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.get("/login").await;
    let first = ada.cookie(COOKIE);
    for _ in 0..5 {
        world.clock.advance(Duration::from_secs(3_600));
        assert_eq!(ada.get("/read").await.text(), "alice@example.com");
        assert_eq!(ada.cookie(COOKIE), first, "a read sends no session");
    }
    world.clock.advance(Duration::from_secs(7_200));
    assert_eq!(ada.get("/read").await.text(), "anon");
}

/// Replay: another key, a counter, a list.
pub async fn two_requests_at_once_both_win(stage: &Stage) {
    let world = stage.open().await;
    let Some(doubles) = &world.doubles else { return };
    let ada = world.browser();
    ada.ops(&[(r#""put_many","values":{"n":1,"l":["a"]}"#, "null")]).await;
    let mut gate = doubles.gates.hold(Verb::Replace, When::Before);
    let tab = ada.quiet();
    let slow = tokio::spawn(async move {
        tab.ops(&[
            (r#""put","key":"slow","value":1"#, "null"),
            (r#""increment","key":"n","by":10"#, "11"),
            (r#""push","key":"l","value":"slow""#, "null"),
            (r#""update_add","key":"u","by":1"#, "1"),
        ])
        .await
    });
    gate.arrived().await;
    ada.ops(&[
        (r#""put","key":"fast","value":1"#, "null"),
        (r#""increment","key":"n","by":100"#, "101"),
        (r#""push","key":"l","value":"fast""#, "null"),
        (r#""update_add","key":"u","by":2"#, "2"),
    ])
    .await;
    gate.release();
    slow.await.expect("an answer");
    ada.ops(&[
        (r#""get","key":"slow""#, "1"),
        (r#""get","key":"fast""#, "1"),
        (r#""get","key":"n""#, "111"),
        (r#""get","key":"l""#, r#"["a","fast","slow"]"#),
        (r#""get","key":"u""#, "3"),
    ])
    .await;
    assert_eq!(world.counted("conflicts").await, 1);
}

/// Two requests with one cookie sign the same user in, at once or one after the other. Whichever of the responses the browser
/// receives, and in whatever order, it is signed in.
pub async fn a_double_click_on_sign_in_ends_signed_in_with_one_device(stage: &Stage) {
    const SIGN_IN: &[(&str, &str)] =
        &[(r#""tag","owner":"ada""#, "null"), (r#""push","key":"clicks","value":1"#, "null")];
    for at_once in [true, false] {
        let world = stage.open().await;
        let ada = world.browser();
        ada.ops(&[(r#""put","key":"cart","value":["tea"]"#, "null")]).await;
        let (one, other) = (ada.snapshot(), ada.snapshot());
        let (first, second) = match world.doubles.as_ref().filter(|_| at_once) {
            Some(doubles) => {
                let mut gate = doubles.gates.hold(Verb::Rotate, When::Before);
                let tab = one.quiet();
                let slow = tokio::spawn(async move { tab.ops(SIGN_IN).await });
                gate.arrived().await;
                let first = other.ops(SIGN_IN).await;
                gate.release();
                (first, slow.await.expect("an answer"))
            }
            None => (one.ops(SIGN_IN).await, other.ops(SIGN_IN).await),
        };
        for responses in [&[&first][..], &[&second], &[&first, &second], &[&second, &first]] {
            let browser = ada.snapshot();
            responses.iter().for_each(|reply| browser.hear("/run", reply));
            let (cart, clicks) = (r#""get","key":"cart""#, r#""get","key":"clicks""#);
            // Each cookie has its own session; in a store, both clicks have written to one.
            let (clicked, devices) =
                if world.in_cookie() { ("[1]", "!NotSupported") } else { ("[1,1]", "1") };
            browser.ops(&[(cart, r#"["tea"]"#), (clicks, clicked), (r#""count_devices""#, devices)]).await;
        }
        let signed_out = if world.in_cookie() { r#"["tea"]"# } else { "null" };
        ada.ops(&[(r#""get","key":"cart""#, signed_out)]).await;
    }
}

const WRITES: usize = 50;
