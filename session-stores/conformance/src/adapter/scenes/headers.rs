//! Caching headers: `Vary` if a handler read the session, `no-store` if a cookie is set, nothing otherwise.

use std::time::Duration;

use http::header::{CACHE_CONTROL, VARY};

use crate::adapter::Stage;

/// PEERS 16, CK-10 to CK-12, incident 20: every accessor, with nothing to write, with a refresh due, with a write.
pub async fn peers_16_ck_10_ck_11_every_look_varies_and_every_cookie_is_not_stored(stage: &Stage) {
    let world = stage.open().await;
    let accessors = [
        r#""get","key":"a""#,
        r#""has","keys":"a""#,
        r#""exists","keys":"a""#,
        r#""missing","keys":"a""#,
        r#""has_any","keys":"a""#,
        r#""only","keys":"a""#,
        r#""except","keys":"a""#,
        r#""all""#,
        r#""keys""#,
        r#""len""#,
        r#""is_empty""#,
        r#""flash_messages""#,
        r#""flash_has","key":"a""#,
        r#""old","key":"a""#,
        r#""has_old","key":"a""#,
        r#""id""#,
        r#""fresh""#,
        r#""readonly""#,
        r#""has_regenerated""#,
        r#""initiated""#,
        r#""verify_csrf","token":"a""#,
    ];
    let ada = world.browser();
    ada.ops(&[(r#""put","key":"a","value":0"#, "null")]).await;
    for accessor in accessors {
        let reply = ada.ops(&[(accessor, "*")]).await;
        assert_eq!(told(&reply), (vec!["Cookie".to_owned()], vec![], 0), "{accessor}");
        let reply = world.browser().ops(&[(accessor, "*")]).await;
        assert_eq!(told(&reply), (vec!["Cookie".to_owned()], vec![], 0), "{accessor}, a stranger");
        let reply = world.browser().ops(&[(accessor, "*"), (r#""put","key":"b","value":1"#, "null")]).await;
        let expected = (vec!["Cookie".to_owned()], vec!["no-store".to_owned()], 1);
        assert_eq!(told(&reply), expected, "{accessor} and a write");
        world.clock.advance(Duration::from_secs(1_000));
        let reply = ada.ops(&[(accessor, "*")]).await;
        let cookies = usize::from(world.in_cookie());
        assert_eq!(
            (told(&reply).0, told(&reply).2),
            (vec!["Cookie".to_owned()], cookies),
            "{accessor}, refresh due"
        );
        assert_eq!(told(&reply).1.len(), cookies, "{accessor}, refresh due");
    }
}

/// I7: the session is not used.
pub async fn ou_2_ck_12_a_route_that_looks_at_nothing_says_nothing(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.get("/login").await;
    let before = world.calls().await;
    world.clock.advance(Duration::from_secs(1_000));
    let reply = ada.get("/none").await;
    assert_eq!(told(&reply), (vec![], vec![], 0));
    assert_eq!(world.calls().await, before);
}

/// With `eager`, every visit opens its session.
pub async fn an_eager_server_opens_every_visit_and_always_sends_the_cookie(stage: &Stage) {
    let world = stage.open_with(|sessions| sessions.eager(true)).await;
    let ada = world.browser();
    for path in ["/none", "/read", "/none"] {
        let reply = ada.get(path).await;
        assert_eq!(
            (reply.set_cookies().len(), reply.all(CACHE_CONTROL)),
            (1, vec!["no-store".to_owned()]),
            "{path}"
        );
    }
    ada.ops(&[(r#""flash","key":"a","value":1"#, "null")]).await;
    ada.get("/none").await;
    ada.ops(&[(r#""flash_messages""#, "{}")]).await;
}

fn told(reply: &crate::adapter::Reply) -> (Vec<String>, Vec<String>, usize) {
    (reply.all(VARY), reply.all(CACHE_CONTROL), reply.set_cookies().len())
}
