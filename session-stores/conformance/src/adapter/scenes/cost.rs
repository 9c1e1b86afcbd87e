//! The store's calls for each kind of request, as `/stats` counts them.

use std::time::Duration;

use crate::adapter::{Browser, Calls, Stage};

/// Each request makes exactly the calls of this table.
pub async fn every_request_costs_what_the_table_says(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let stranger = world.browser();
    let table: [(&str, &Browser, &str, Calls); 12] = [
        ("no cookie, session unused", &stranger, "/none", Calls::NONE),
        ("no cookie, read", &stranger, "/read", Calls::NONE),
        ("first write of a new visitor", &ada, "/write", Calls { create: 1, ..Calls::NONE }),
        ("cookie, session unused", &ada, "/none", Calls::NONE),
        ("read", &ada, "/read", Calls { load: 1, ..Calls::NONE }),
        ("write", &ada, "/write", Calls { load: 1, replace: 1, ..Calls::NONE }),
        ("login with regenerate", &ada, "/login", Calls { load: 1, rotate: 1, ..Calls::NONE }),
        ("rotate", &ada, "/rotate", Calls { load: 1, rotate: 1, ..Calls::NONE }),
        ("read again", &ada, "/hits", Calls { load: 1, ..Calls::NONE }),
        ("logout", &ada, "/logout", Calls { load: 1, destroy: 1, ..Calls::NONE }),
        ("after it", &ada, "/read", Calls::NONE),
        ("logout of a stranger", &stranger, "/logout", Calls::NONE),
    ];
    for (what, browser, path, cost) in table {
        let before = world.calls().await;
        browser.get(path).await;
        let spent = world.calls().await.since(before);
        assert_eq!(spent, if world.in_cookie() { Calls::NONE } else { cost }, "{what}");
    }
}

/// A touch has no data, and concurrent requests make only one.
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
    assert_eq!(world.calls().await.since(before), Calls { load: 1, touch: 1, ..Calls::NONE });
    let before = world.calls().await;
    ada.get("/read").await;
    assert_eq!(world.calls().await.since(before), Calls { load: 1, ..Calls::NONE });
    world.clock.advance(Duration::from_secs(1_000));
    let before = world.calls().await;
    let tabs = (0..32).map(|_| {
        let tab = ada.quiet();
        tokio::spawn(async move { tab.get("/read").await.text() })
    });
    for tab in tabs.collect::<Vec<_>>() {
        assert_eq!(tab.await.expect("a tab"), "alice@example.com");
    }
    assert_eq!(world.calls().await.since(before), Calls { load: 32, touch: 1, ..Calls::NONE });
}

/// A request loads its session once, however often it is used.
pub async fn many_calls_on_a_session_are_one_load_and_one_write(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.get("/write").await;
    let before = world.calls().await;
    let many: Vec<(&str, &str)> = (0..50).map(|_| (r#""increment","key":"n""#, "*")).collect();
    ada.ops(&many).await;
    let expected = if world.in_cookie() { Calls::NONE } else { Calls { load: 1, replace: 1, ..Calls::NONE } };
    assert_eq!(world.calls().await.since(before), expected);
    ada.ops(&[(r#""get","key":"n""#, "50")]).await;
}

/// Reading the counters opens no session, even with `eager`.
pub async fn reading_the_counters_counts_nothing(stage: &Stage) {
    let world = stage.open_with(|sessions| sessions.eager(true)).await;
    let before = world.calls().await;
    assert_eq!(world.calls().await.since(before), Calls::NONE);
}
