//! Cost is a contract: the store's calls of each kind of request, as `/stats` counts them.

use std::time::Duration;

use crate::adapter::Stage;

/// Load, create, replace, touch, destroy, rotate.
pub async fn every_request_costs_what_the_table_says(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let stranger = world.browser();
    let table: [(&str, &crate::adapter::Browser, &str, [u64; 6]); 12] = [
        ("no cookie, session unused", &stranger, "/none", [0; 6]),
        ("no cookie, read", &stranger, "/read", [0; 6]),
        ("first write of a new visitor", &ada, "/write", [0, 1, 0, 0, 0, 0]),
        ("cookie, session unused", &ada, "/none", [0; 6]),
        ("read", &ada, "/read", [1, 0, 0, 0, 0, 0]),
        ("write", &ada, "/write", [1, 0, 1, 0, 0, 0]),
        ("login with regenerate", &ada, "/login", [1, 0, 0, 0, 0, 1]),
        ("rotate", &ada, "/rotate", [1, 0, 0, 0, 0, 1]),
        ("read again", &ada, "/hits", [1, 0, 0, 0, 0, 0]),
        ("logout", &ada, "/logout", [1, 0, 0, 0, 1, 0]),
        ("after it", &ada, "/read", [0; 6]),
        ("logout of a stranger", &stranger, "/logout", [0; 6]),
    ];
    for (what, browser, path, cost) in table {
        let before = world.calls().await;
        browser.get(path).await;
        let spent = spent(before, world.calls().await);
        assert_eq!(spent, if world.in_cookie() { [0; 6] } else { cost }, "{what}");
    }
}

/// A touch carries no data, and one is enough for all requests at once.
pub async fn a_due_refresh_costs_one_touch(stage: &Stage) {
    let world = stage.open().await;
    if world.in_cookie() {
        return;
    }
    let ada = world.browser();
    ada.get("/login").await;
    world.clock.advance(Duration::from_secs(1_000));
    let before = world.calls().await;
    ada.get("/read").await;
    assert_eq!(spent(before, world.calls().await), [1, 0, 0, 1, 0, 0]);
    let before = world.calls().await;
    ada.get("/read").await;
    assert_eq!(spent(before, world.calls().await), [1, 0, 0, 0, 0, 0]);
    world.clock.advance(Duration::from_secs(1_000));
    let before = world.calls().await;
    let tabs = (0..32).map(|_| {
        let tab = ada.quiet();
        tokio::spawn(async move { tab.get("/read").await.text() })
    });
    for tab in tabs.collect::<Vec<_>>() {
        assert_eq!(tab.await.expect("a tab"), "alice@example.com");
    }
    assert_eq!(spent(before, world.calls().await), [32, 0, 0, 1, 0, 0]);
}

/// The store is asked once per request, however much is asked of the session.
pub async fn many_calls_on_a_session_are_one_load_and_one_write(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.get("/write").await;
    let before = world.calls().await;
    let many: Vec<(&str, &str)> = (0..50).map(|_| (r#""increment","key":"n""#, "*")).collect();
    ada.ops(&many).await;
    let expected = if world.in_cookie() { [0; 6] } else { [1, 0, 1, 0, 0, 0] };
    assert_eq!(spent(before, world.calls().await), expected);
    ada.ops(&[(r#""get","key":"n""#, "50")]).await;
}

fn spent(before: [u64; 6], after: [u64; 6]) -> [u64; 6] {
    std::array::from_fn(|verb| after[verb] - before[verb])
}
