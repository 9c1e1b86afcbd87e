//! Flash: shown in the next visit that opens the session, and only there.

use crate::adapter::Stage;

/// A message is shown in one visit only.
pub async fn a_message_is_shown_in_the_next_visit_only(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[
        (r#""flash","key":"status.text","value":"Saved""#, "null"),
        (r#""flash_many","values":{"count":0,"empty":"","no":false,"null":null}"#, "null"),
        (r#""flash_messages""#, "{}"),
    ])
    .await;
    ada.ops(&[
        (r#""flash_get","key":"status.text""#, "\"Saved\""),
        (r#""flash_has","key":"status""#, "true"),
        (r#""flash_get","key":"count""#, "0"),
        (r#""flash_get","key":"no""#, "false"),
        (r#""flash_has","key":"null""#, "false"),
        (r#""flash_get","key":"missing","default":"x""#, "\"x\""),
        (r#""all""#, "{}"),
    ])
    .await;
    ada.ops(&[(r#""flash_messages""#, "{}"), (r#""flash_has","key":"count""#, "false")]).await;
}

/// PEERS 23: three bags, no reserved names.
pub async fn a_message_may_be_named_input_or_errors(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[
        (r#""flash","key":"input","value":1"#, "null"),
        (r#""flash","key":"errors","value":2"#, "null"),
        (r#""with_errors","errors":{"email":["is taken","is odd"],"name":"is missing"}"#, "null"),
    ])
    .await;
    ada.ops(&[
        (r#""flash_messages""#, r#"{"input":1,"errors":2}"#),
        (r#""has_old","key":"email""#, "false"),
        (r#""old","key":"email","default":"-""#, "\"-\""),
    ])
    .await;
}

/// `flash_now` is for this page, not for the next one.
pub async fn a_message_for_now_is_shown_now_and_not_later(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[
        (r#""now","key":"hint","value":"red""#, "null"),
        (r#""now","key":"nothing","value":null"#, "null"),
        (r#""flash_get","key":"hint""#, "\"red\""),
        (r#""flash_messages""#, r#"{"hint":"red","nothing":null}"#),
        (r#""put","key":"a","value":1"#, "null"),
    ])
    .await;
    ada.ops(&[
        (r#""flash_messages""#, "{}"),
        (r#""now","key":"hint","value":"blue""#, "null"),
        (r#""now","key":"nothing","value":null"#, "null"),
        (r#""reflash""#, "null"),
    ])
    .await;
    ada.ops(&[(r#""flash_messages""#, r#"{"hint":"blue","nothing":null}"#)]).await;
}

/// Reflashing all, some, or all except some.
pub async fn what_is_kept_is_shown_once_more(stage: &Stage) {
    let world = stage.open().await;
    for (carry, left) in [
        (r#""reflash""#, r#"{"a":1,"b":2,"c":3}"#),
        (r#""reflash_only","keys":["a","b"]"#, r#"{"a":1,"b":2}"#),
        (r#""reflash_except","keys":"a""#, r#"{"b":2,"c":3}"#),
        (r#""keep","keys":"c""#, r#"{"c":3}"#),
    ] {
        let ada = world.browser();
        ada.ops(&[(r#""flash_many","values":{"a":1,"b":2,"c":3}"#, "null")]).await;
        ada.ops(&[(carry, "null")]).await;
        ada.ops(&[(r#""flash_messages""#, left)]).await;
        ada.ops(&[(r#""flash_messages""#, "{}")]).await;
    }
}

/// PEERS 23: requests for an image, a poll or a static file do not consume messages.
pub async fn a_route_that_opens_no_session_eats_no_message(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[(r#""flash","key":"status","value":"Saved""#, "null")]).await;
    for _ in 0..3 {
        ada.get("/none").await;
    }
    ada.ops_at("/readonly", &[(r#""flash_get","key":"status""#, "\"Saved\"")]).await;
    ada.ops(&[(r#""flash_get","key":"status""#, "\"Saved\"")]).await;
    ada.ops_at("/readonly", &[(r#""flash_has","key":"status""#, "false")]).await;
}

/// A failed page consumes no message.
pub async fn a_failed_page_leaves_the_message_for_the_next(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[(r#""flash","key":"status","value":"Saved""#, "null")]).await;
    ada.run(r#"{"ops":[{"op":"flash_messages"}],"status":500}"#).await;
    ada.ops(&[(r#""flash_get","key":"status""#, "\"Saved\"")]).await;
}

/// PEERS 23: errors map fields (a name or a path) to messages, in order.
pub async fn errors_are_shown_by_field_in_the_next_visit(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[
        (r#""with_errors","errors":{"email":["is taken","is odd"],"profile[name]":"is missing"}"#, "null"),
        (r#""with_errors","errors":{"email":"is long"}"#, "null"),
        (r#""has_errors""#, "false"),
    ])
    .await;
    ada.ops(&[
        (r#""has_errors""#, "true"),
        (r#""has_error_for","key":"email""#, "true"),
        (r#""has_error_for","key":"age""#, "false"),
        (r#""get_error_for","key":"email""#, "\"is taken\""),
        (r#""get_error_for","key":"profile.name""#, "\"is missing\""),
        (r#""get_error_for","key":"age""#, "null"),
        (r#""flash_messages""#, "{}"),
    ])
    .await;
    ada.ops(&[(r#""has_errors""#, "false"), (r#""errors""#, "{}")]).await;
}

/// A redirect whose handler read no message passes all of them on.
pub async fn a_redirect_that_reads_nothing_passes_messages_on(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let leave = [
        (r#""flash","key":"status","value":"Saved""#, "null"),
        (r#""with_errors","errors":{"email":"is taken"}"#, "null"),
    ];
    ada.ops(&leave).await;
    ada.run(r#"{"ops":[{"op":"get","key":"user"}],"status":303}"#).await;
    ada.run(r#"{"ops":[{"op":"put","key":"user","value":"ada"},{"op":"commit"}],"status":302}"#).await;
    ada.ops(&[
        (r#""flash_get","key":"status""#, "\"Saved\""),
        (r#""get_error_for","key":"email""#, "\"is taken\""),
    ])
    .await;
    ada.ops(&[(r#""flash_messages""#, "{}"), (r#""has_errors""#, "false")]).await;
    ada.ops(&leave).await;
    ada.run(r#"{"ops":[{"op":"flash_messages"}],"status":303}"#).await;
    ada.ops(&[(r#""flash_messages""#, "{}"), (r#""has_errors""#, "false")]).await;
}

/// A response without a body, such as that to a beacon, passes messages on if its handler read none.
pub async fn a_response_without_a_body_passes_messages_on(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[(r#""flash","key":"status","value":"Saved""#, "null")]).await;
    for status in [204, 205, 304] {
        ada.run(&format!(r#"{{"ops":[{{"op":"get","key":"user"}}],"status":{status}}}"#)).await;
        ada.run(&format!(r#"{{"ops":[{{"op":"increment","key":"pings"}}],"status":{status}}}"#)).await;
    }
    ada.ops(&[(r#""flash_get","key":"status""#, "\"Saved\"")]).await;
    ada.ops(&[(r#""flash_messages""#, "{}")]).await;
}

/// Messages are appended in order, under one key.
pub async fn messages_that_are_pushed_make_a_list(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[
        (r#""flash_push","key":"notices","value":"one""#, "null"),
        (r#""flash_push","key":"notices","value":{"level":"info","text":"two"}"#, "null"),
        (r#""flash_get","key":"notices""#, "null"),
    ])
    .await;
    ada.ops(&[(r#""flash_get","key":"notices""#, r#"["one",{"level":"info","text":"two"}]"#)]).await;
    ada.ops(&[(r#""flash_get","key":"notices""#, "null")]).await;
}

/// Two tabs are both answered with a redirect. With sessions in cookies, the last response wins.
pub async fn messages_pushed_from_two_tabs_are_all_shown(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[(r#""put","key":"user","value":"ada""#, "null")]).await;
    if world.in_cookie() {
        return;
    }
    let tab = ada.quiet();
    let slow = r#"{"ops":[{"op":"flash_push","key":"notices","value":"slow"},{"op":"sleep","ms":300}],"status":303}"#;
    let quick = r#"{"ops":[{"op":"flash_push","key":"notices","value":"quick"}],"status":303}"#;
    tokio::join!(tab.run(slow), tab.run(quick));
    ada.ops(&[(r#""flash_get","key":"notices""#, r#"["quick","slow"]"#)]).await;
}

/// A large index creates no empty items before it.
pub async fn a_number_in_the_name_of_a_message_is_a_name(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[
        (r#""flash","key":"order-1.5","value":"sent""#, "null"),
        (r#""with_errors","errors":{"qty[98765]":"is odd"}"#, "null"),
    ])
    .await;
    ada.ops(&[
        (r#""flash_messages""#, r#"{"order-1":{"5":"sent"}}"#),
        (r#""flash_get","key":"order-1.5""#, "\"sent\""),
        (r#""get_error_for","key":"qty[98765]""#, "\"is odd\""),
    ])
    .await;
}
