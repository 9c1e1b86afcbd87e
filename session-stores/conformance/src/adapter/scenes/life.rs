//! The life of a session as a browser sees it: created, regenerated, destroyed, expired.

use std::time::Duration;

use session_core::Cookie;

use crate::adapter::{Calls, Stage};
use crate::web::claims::{ELSEWHERE, NOT_ASCII};

const COOKIE: &str = "__Host-sid";

/// A visitor without data costs no store call and gets no cookie.
pub async fn a_visitor_who_writes_nothing_gets_no_cookie(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    for path in ["/none", "/read", "/hits"] {
        assert!(ada.get(path).await.set_cookies().is_empty(), "{path}");
    }
    ada.ops(&[
        (r#""fresh""#, "true"),
        (r#""initiated""#, "true"),
        (r#""readonly""#, "false"),
        (r#""put","key":"a","value":1"#, "null"),
        (r#""forget","keys":"a""#, "null"),
        (r#""regenerate""#, "null"),
        (r#""has_regenerated""#, "false"),
    ])
    .await;
    // The request has no cookie, so none is removed.
    assert!(ada.get("/logout").await.set_cookies().is_empty());
    assert_eq!(ada.cookie(COOKIE), None);
    assert_eq!(world.calls().await, Calls::NONE);
}

/// The public handle is stable; the cookie is not sent again.
pub async fn a_session_keeps_its_handle_from_visit_to_visit(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let first = ada.ops(&[(r#""id""#, "*"), (r#""put","key":"a","value":1"#, "null")]).await;
    let second = ada.ops(&[(r#""id""#, "*"), (r#""fresh""#, "false")]).await;
    assert_eq!(first.results()[0], second.results()[0]);
    assert!(second.set_cookies().is_empty());
}

/// PEERS 3, 20, 30.
pub async fn a_regenerate_moves_the_data_and_kills_the_old_id(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let old = ada
        .ops(&[
            (r#""put","key":"cart","value":[1]"#, "null"),
            (r#""tag","owner":"ada""#, "null"),
            (r#""csrf_token""#, "*"),
            (r#""id""#, "*"),
        ])
        .await
        .results();
    let thief = ada.snapshot();
    ada.ops(&[
        (r#""regenerate""#, "null"),
        (r#""regenerate""#, "null"),
        (r#""has_regenerated""#, "true"),
        (r#""put","key":"after","value":1"#, "null"),
    ])
    .await;
    let new = ada
        .ops(&[
            (r#""get","key":"cart""#, "[1]"),
            (r#""get","key":"after""#, "1"),
            (r#""csrf_token""#, "*"),
            (r#""id""#, "*"),
            (r#""has_regenerated""#, "false"),
        ])
        .await
        .results();
    assert_ne!(old[3], new[3], "the handle changes");
    if !world.in_cookie() {
        thief.ops(&[(r#""get","key":"cart""#, "null"), (r#""fresh""#, "true")]).await;
        let late = thief.ops(&[(r#""put","key":"x","value":1"#, "null")]).await;
        assert!(late.set_cookies().is_empty(), "a straggler overwrites no newer cookie");
    }
    let old_token = format!(r#""verify_csrf","token":{}"#, old[2]);
    ada.ops(&[(&old_token, "true")]).await;
    world.clock.advance(Duration::from_secs(120));
    ada.ops(&[(&old_token, "false"), (&format!(r#""verify_csrf","token":{}"#, new[2]), "true")]).await;
}

/// Values that are put afterwards are kept.
pub async fn an_invalidate_drops_everything_and_goes_on(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[(r#""put","key":"a","value":1"#, "null"), (r#""flash","key":"f","value":1"#, "null")]).await;
    let old = ada.cookie(COOKIE);
    ada.ops(&[(r#""invalidate""#, "null"), (r#""all""#, "{}"), (r#""put","key":"b","value":2"#, "null")])
        .await;
    assert_ne!(ada.cookie(COOKIE), old);
    ada.ops(&[(r#""all""#, r#"{"b":2}"#), (r#""flash_messages""#, "{}")]).await;
}

/// PEERS 2, and 4.1 of the bar: signed out everywhere.
pub async fn a_destroy_ends_the_session_and_removes_its_cookie(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.get("/login").await;
    let thief = ada.snapshot();
    let reply = ada
        .ops(&[
            (r#""destroy""#, "null"),
            (r#""put","key":"a","value":1"#, "!Destroyed"),
            (r#""regenerate""#, "!Destroyed"),
            (r#""flash","key":"a","value":1"#, "!Destroyed"),
        ])
        .await;
    let removal = reply.set_cookies();
    let attributes =
        "=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    let names = [COOKIE, &format!("{COOKIE}.t")];
    let cookies = if world.in_cookie() { &names[..] } else { &names[..1] };
    assert_eq!(removal, cookies.iter().map(|name| format!("{name}{attributes}")).collect::<Vec<_>>());
    assert_eq!(ada.cookie(COOKIE), None);
    assert_eq!(ada.get("/read").await.text(), "anon");
    if !world.in_cookie() {
        assert_eq!(thief.get("/read").await.text(), "anon");
    }
}

/// PEERS 22: every mutator, regenerate, tag and falsy flash included.
pub async fn a_read_only_session_refuses_every_change(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.get("/login").await;
    let mut ops = vec![(r#""readonly""#, "true"), (r#""get","key":"user""#, "\"alice@example.com\"")];
    let changes = [
        r#""put","key":"a","value":1"#,
        r#""push","key":"cart","value":1"#,
        r#""put_many","values":{"a":1}"#,
        r#""merge","values":{"a":1}"#,
        r#""replace","values":{}"#,
        r#""forget","keys":"user""#,
        r#""pull","key":"user""#,
        r#""increment","key":"hits""#,
        r#""decrement","key":"hits""#,
        r#""update_add","key":"hits","by":1"#,
        r#""remember","key":"new","value":1"#,
        r#""clear""#,
        r#""flash","key":"a","value":0"#,
        r#""flash_many","values":{"a":""}"#,
        r#""now","key":"a","value":false"#,
        r#""flash_all""#,
        r#""flash_only","keys":"a""#,
        r#""flash_except","keys":"a""#,
        r#""reflash""#,
        r#""reflash_only","keys":"a""#,
        r#""reflash_except","keys":"a""#,
        r#""keep","keys":"a""#,
        r#""with_errors","errors":{"a":"b"}"#,
        r#""regenerate""#,
        r#""invalidate""#,
        r#""destroy""#,
        r#""set_age","seconds":60"#,
        r#""csrf_token""#,
        r#""regenerate_csrf_token""#,
        r#""tag","owner":"eve""#,
        r#""untag""#,
        r#""set_intended_url","url":"/a""#,
        r#""pull_intended_url""#,
        r#""clear_intended_url""#,
        r#""commit""#,
    ];
    ops.extend(changes.map(|op| (op, "!ReadOnly")));
    let reply = ada.ops_at("/readonly", &ops).await;
    assert!(reply.set_cookies().is_empty());
    assert_eq!(ada.get("/read").await.text(), "alice@example.com");
}

/// Twice in a visit; later changes are kept as well.
pub async fn a_commit_writes_at_once(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[(r#""put","key":"a","value":0"#, "null")]).await;
    let before = world.calls().await;
    let failing = r#"{"ops":[{"op":"put","key":"a","value":1},{"op":"commit"},{"op":"commit"},{"op":"put","key":"a","value":2}],"status":500}"#;
    ada.run(failing).await;
    if !world.in_cookie() {
        let calls = world.calls().await.since(before);
        assert_eq!(calls, Calls { load: 1, replace: 1, ..Calls::NONE });
        ada.ops(&[(r#""get","key":"a""#, "1")]).await;
    }
    let before = world.calls().await;
    ada.ops(&[
        (r#""put","key":"a","value":3"#, "null"),
        (r#""commit""#, "null"),
        (r#""put","key":"b","value":4"#, "null"),
        (r#""commit""#, "null"),
        (r#""commit""#, "null"),
    ])
    .await;
    if !world.in_cookie() {
        let calls = world.calls().await.since(before);
        assert_eq!(calls, Calls { load: 1, replace: 2, ..Calls::NONE }, "a commit without changes is none");
    }
    ada.ops(&[(r#""all""#, r#"{"a":3,"b":4}"#)]).await;
}

/// The library enforces expiry, whatever the browser and the store still have.
pub async fn an_unused_session_ends_after_its_idle_time(stage: &Stage) {
    let world = stage.open_with(|sessions| sessions.age(Duration::from_secs(600))).await;
    let ada = world.browser();
    ada.get("/login").await;
    for _ in 0..4 {
        world.clock.advance(Duration::from_secs(500));
        assert_eq!(ada.get("/read").await.text(), "alice@example.com", "it is used");
    }
    let thief = ada.snapshot();
    world.clock.advance(Duration::from_secs(601));
    assert_eq!(ada.get("/read").await.text(), "anon");
    assert_eq!(thief.get("/read").await.text(), "anon");
    assert_eq!(ada.get("/write").await.text(), "1", "and a new one begins");
}

/// LC-5: no activity extends it.
pub async fn a_used_session_ends_after_its_absolute_lifetime(stage: &Stage) {
    let rules = |sessions: session_core::SessionsBuilder| {
        sessions.age(Duration::from_secs(600)).absolute(Duration::from_secs(3_600))
    };
    let world = stage.open_with(rules).await;
    let ada = world.browser();
    ada.get("/login").await;
    for _ in 0..6 {
        world.clock.advance(Duration::from_secs(590));
        ada.get("/write").await;
        ada.get("/rotate").await;
    }
    assert_eq!(ada.get("/read").await.text(), "alice@example.com");
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(ada.get("/read").await.text(), "anon");
}

/// `set_age` changes the idle timeout of this session only.
pub async fn a_session_may_have_an_age_of_its_own(stage: &Stage) {
    let world = stage.open().await;
    let (ada, bob) = (world.browser(), world.browser());
    bob.ops(&[(r#""put","key":"a","value":2"#, "null")]).await;
    ada.ops(&[
        (r#""put","key":"a","value":1"#, "null"),
        (r#""set_age","seconds":0"#, "!Lifetime"),
        (r#""set_age","seconds":5184000"#, "!Lifetime"),
        (r#""set_age","seconds":30"#, "null"),
    ])
    .await;
    world.clock.advance(Duration::from_secs(29));
    ada.ops(&[(r#""get","key":"a""#, "1")]).await;
    world.clock.advance(Duration::from_secs(31));
    ada.ops(&[(r#""get","key":"a""#, "null")]).await;
    bob.ops(&[(r#""get","key":"a""#, "2")]).await;
}

/// Two tabs share a cookie jar.
pub async fn two_tabs_share_a_session_and_signing_out_in_one_ends_the_other(stage: &Stage) {
    let world = stage.open().await;
    let one = world.browser();
    let two = one.clone();
    one.get("/login").await;
    assert_eq!(two.get("/read").await.text(), "alice@example.com");
    one.ops(&[(r#""put","key":"left","value":1"#, "null")]).await;
    two.ops(&[(r#""put","key":"right","value":2"#, "null")]).await;
    one.ops(&[(r#""get","key":"right""#, "2")]).await;
    two.get("/logout").await;
    assert_eq!(one.get("/read").await.text(), "anon");
    one.get("/login").await;
    two.ops(&[(r#""get","key":"left""#, "null"), (r#""get","key":"user""#, "\"alice@example.com\"")]).await;
}

/// Session cookies are removed when the browser closes, persistent ones are not.
pub async fn only_a_persistent_cookie_outlives_the_browser(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.get("/login").await;
    ada.jar().close_browser();
    assert_eq!(ada.get("/read").await.text(), "anon");
    let world = stage.open_with(|sessions| sessions.cookie(Cookie::host("sid").persistent(true))).await;
    let ada = world.browser();
    let reply = ada.get("/login").await;
    // With a session in the cookie, the cookie outlives the idle timeout: the touch cookie moves the idle deadline.
    let max_age = if world.in_cookie() { 86_400 } else { 7_200 };
    let expected = format!("; Max-Age={max_age}; Expires=");
    assert!(reply.set_cookies()[0].contains(&expected), "{:?}", reply.set_cookies());
    ada.jar().close_browser();
    assert_eq!(ada.get("/read").await.text(), "alice@example.com");
}

/// PEERS 25.
pub async fn an_intended_url_is_a_path_on_this_site(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    for evil in ELSEWHERE.iter().chain(NOT_ASCII) {
        let set =
            format!("\"set_intended_url\",\"url\":{}", serde_json::to_string(evil).expect("text is JSON"));
        ada.ops(&[(&set, "!RefusedUrl"), (r#""get_intended_url""#, "null")]).await;
    }
    assert_eq!(ada.cookie(COOKIE), None, "what was refused is not kept");
    ada.ops(&[(r#""set_intended_url","url":"/orders?page=2""#, "null")]).await;
    ada.ops(&[
        (r#""get_intended_url""#, "\"/orders?page=2\""),
        (r#""all""#, "{}"),
        (r#""pull_intended_url""#, "\"/orders?page=2\""),
        (r#""pull_intended_url""#, "null"),
    ])
    .await;
    ada.ops(&[
        (r#""get_intended_url""#, "null"),
        (r#""set_intended_url","url":"/a""#, "null"),
        (r#""clear_intended_url""#, "null"),
        (r#""get_intended_url""#, "null"),
    ])
    .await;
}

/// ID-11, PEERS 24: handles and never ids, and the index follows a regenerate.
pub async fn a_user_sees_and_ends_their_own_sessions(stage: &Stage) {
    let world = stage.open().await;
    let (laptop, phone, eve) = (world.browser(), world.browser(), world.browser());
    let tag = |owner: &str| format!(r#""tag","owner":"{owner}""#);
    for (browser, owner) in [(&laptop, "ada"), (&phone, "ada"), (&eve, "eve")] {
        browser.ops(&[(&tag(owner), "null"), (r#""put","key":"in","value":true"#, "null")]).await;
        // Lists are in order of creation.
        world.clock.advance(Duration::from_secs(1));
    }
    if world.in_cookie() {
        for op in [
            r#""devices""#,
            r#""count_devices""#,
            r#""destroy_others""#,
            r#""destroy_all_of","owner":"ada""#,
            r#""destroy_device","owner":"ada","handle":"no handle""#,
        ] {
            laptop.ops(&[(op, "!NotSupported")]).await;
        }
        return;
    }
    phone.ops(&[(r#""regenerate""#, "null")]).await;
    let handle = phone.ops(&[(r#""id""#, "*"), (r#""count_devices""#, "2")]).await.results().remove(0);
    let listed = laptop.ops(&[(r#""devices""#, "*")]).await.results().remove(0);
    assert!(listed.contains(&handle), "the phone is listed by its handle");
    assert_eq!(listed.matches("\"current\":true").count(), 1, "{listed}");
    eve.ops(&[
        (&format!(r#""destroy_device","owner":"eve","handle":{handle}"#), "false"),
        (r#""destroy_device","owner":"eve","handle":"no handle""#, "false"),
    ])
    .await;
    laptop.ops(&[(&format!(r#""destroy_device","owner":"ada","handle":{handle}"#), "true")]).await;
    phone.ops(&[(r#""get","key":"in""#, "null")]).await;

    let tablet = world.browser();
    tablet.ops(&[(&tag("ada"), "null")]).await;
    laptop.ops(&[(r#""destroy_others""#, "1"), (r#""count_devices""#, "1")]).await;
    tablet.ops(&[(r#""fresh""#, "true")]).await;
    laptop.ops(&[(r#""untag""#, "null"), (r#""devices""#, "!BadOp")]).await;
    laptop
        .ops(&[(r#""count_devices","owner":"ada""#, "0"), (r#""destroy_all_of","owner":"eve""#, "1")])
        .await;
    eve.ops(&[(r#""get","key":"in""#, "null")]).await;
}
