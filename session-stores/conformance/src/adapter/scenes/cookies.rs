//! Cookies of requests (forged, malformed, duplicated, split, foreign) and of responses.

use std::time::Duration;

use session_core::Cookie;

use crate::adapter::stage::key;
use crate::adapter::{Sent, Stage};

const COOKIE: &str = "__Host-sid";

/// CK-1: the exact header.
pub async fn ck_9_ou_4_the_cookie_has_its_attributes_on_every_path_behind_a_proxy_too(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    for path in ["/write", "/login", "/rotate"] {
        let cookies = ada.get(path).await.set_cookies();
        assert_eq!(cookies.len(), 1, "{path}");
        let (pair, attributes) = cookies[0].split_once(';').expect("attributes");
        assert_eq!(attributes, " Path=/; Secure; HttpOnly; SameSite=Lax", "{path}");
        assert!(pair.starts_with("__Host-sid="), "{path}");
    }
    assert!(ada.jar().visible_to_scripts(&ada.origin, "/", world_time(&ada)).is_empty());
    let plain = stage.open_with(|sessions| sessions.cookie(Cookie::insecure_http("dev"))).await;
    let cookies = plain.browser().get("/write").await.set_cookies();
    assert!(cookies[0].ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookies:?}");
}

fn world_time(browser: &crate::adapter::Browser) -> session_core::Timestamp {
    session_core::adapter::Clock::now(&browser.clock)
}

/// ID-5, PEERS 10, 11: no store call, no header, a fresh session.
pub async fn forged_and_malformed_cookies_cost_nothing(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.get("/login").await;
    let good = ada.cookie(COOKIE).expect("a cookie");
    let before = world.calls().await;
    let flipped = good.replacen(&good[60..61], if &good[60..61] == "A" { "B" } else { "A" }, 1);
    for value in [
        "",
        "x",
        "../../etc/passwd",
        "%00",
        "\"\"",
        &"A".repeat(164),
        &good[1..],
        &flipped,
        &"A".repeat(5_000),
    ] {
        let reply = ada.get_with("/read", &[format!("{COOKIE}={value}").as_bytes()]).await;
        assert_eq!((reply.status.as_u16(), reply.text().as_str()), (200, "anon"), "of {} bytes", value.len());
        assert!(reply.set_cookies().is_empty(), "of {} bytes", value.len());
    }
    assert_eq!(world.calls().await, before);
    assert!(world.counted("rejected_cookies").await >= 7);
}

/// PEERS 15, PA-7.
pub async fn a_forged_duplicate_hides_nothing_in_any_order(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.get("/login").await;
    let good = format!("{COOKIE}={}", ada.cookie(COOKIE).expect("a cookie"));
    let junk = format!("{COOKIE}=junk");
    for header in [
        format!("{good}; {junk}"),
        format!("{junk}; {good}"),
        format!("{junk}; a=1; {junk}; {good}; {junk}"),
        format!("a=\"1; {good}; b=2\""),
        format!("{}; {good}", COOKIE.to_lowercase() + "=x"),
        format!("={COOKIE}=x; {COOKIE}; {good}"),
    ] {
        let reply = ada.get_with("/read", &[header.as_bytes()]).await;
        assert_eq!(reply.text(), "alice@example.com", "{header}");
        assert!(reply.set_cookies().is_empty());
    }
}

/// PEERS 15, PA-1.
pub async fn a_sibling_of_any_bytes_hides_nothing(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.get("/login").await;
    let good = format!("{COOKIE}={}", ada.cookie(COOKIE).expect("a cookie"));
    for sibling in [&b"name=J\xf6rg"[..], b"\xff\xfe=\x80", b"utf=\xc3\xa9", b"quote=\""] {
        for header in [[sibling, b"; ", good.as_bytes()].concat(), [good.as_bytes(), b"; ", sibling].concat()]
        {
            assert_eq!(ada.get_with("/read", &[&header]).await.text(), "alice@example.com", "{header:?}");
        }
    }
}

/// PA-2.
pub async fn all_cookie_fields_are_read(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.get("/login").await;
    let good = format!("{COOKIE}={}", ada.cookie(COOKIE).expect("a cookie"));
    for fields in [[&b"a=1"[..], good.as_bytes(), b"b=2"], [good.as_bytes(), b"a=1", b"b=2"]] {
        assert_eq!(ada.get_with("/read", &fields).await.text(), "alice@example.com");
    }
}

/// PEERS 10, ID-4.
pub async fn id_4_an_id_whose_session_is_long_gone_is_not_adopted(stage: &Stage) {
    let world = stage.open().await;
    if world.in_cookie() {
        return;
    }
    let ada = world.browser();
    ada.get("/login").await;
    let thief = ada.snapshot();
    let old = thief.cookie(COOKIE);
    ada.get("/logout").await;
    world.clock.advance(Duration::from_secs(3_600));
    let reply = thief.get("/write").await;
    assert_eq!((reply.text().as_str(), reply.set_cookies().len()), ("1", 1));
    assert_ne!(thief.cookie(COOKIE), old);
}

/// PEERS 19, ID-12.
pub async fn a_value_moved_to_another_cookie_is_refused(stage: &Stage) {
    let mut world = stage.open().await;
    let ada = world.browser();
    ada.get("/login").await;
    let value = ada.cookie(COOKIE).expect("a cookie");
    stage.redeploy(&mut world, |sessions| sessions.cookie(Cookie::host("other"))).await;
    let moved = world.moved(&ada);
    let reply = moved.get_with("/read", &[format!("__Host-other={value}").as_bytes()]).await;
    assert_eq!(reply.text(), "anon");
    stage.redeploy(&mut world, |sessions| sessions.purpose("admin")).await;
    assert_eq!(world.moved(&ada).get("/read").await.text(), "anon");
}

/// CR-5.
pub async fn a_cookie_of_a_old_key_is_opened_and_sealed_anew(stage: &Stage) {
    let mut world = stage.open().await;
    let ada = world.browser();
    ada.get("/login").await;
    let old = ada.cookie(COOKIE);
    stage.redeploy(&mut world, |sessions| sessions.key(key(2))).await;
    let ada = world.moved(&ada);
    let reply = ada.get("/read").await;
    assert_eq!((reply.text().as_str(), reply.set_cookies().len()), ("alice@example.com", 1));
    assert_ne!(ada.cookie(COOKIE), old);
    assert!(ada.get("/read").await.set_cookies().is_empty(), "once is enough");
}

/// PEERS 13, CK-4.
pub async fn a_session_that_grew_too_large_is_a_500_and_the_old_cookie_stays(stage: &Stage) {
    let world = stage.open_with(|sessions| sessions.max_record(8_192)).await;
    let ada = world.browser();
    ada.ops(&[(r#""put","key":"a","value":1"#, "null")]).await;
    let old = ada.cookie(COOKIE);
    let large = "x".repeat(9_000);
    let put = format!(r#""put","key":"large","value":"{large}""#);
    let reply = ada.run(&crate::adapter::browser::script([put.as_str()])).await;
    assert_eq!(reply.sent(), Sent { status: 500, cookies: 0 });
    assert_eq!(ada.cookie(COOKIE), old);
    ada.ops(&[
        (r#""all""#, r#"{"a":1}"#),
        (&put, "null"),
        (r#""commit""#, "!TooLarge"),
        (r#""forget","keys":"large""#, "null"),
    ])
    .await;
}
