//! Values over HTTP: put in one request, read in the next.

use std::time::Duration;

use crate::adapter::Stage;

/// Puts in one visit, reads in the next.
pub async fn values_come_back_in_the_next_visit_as_they_were_put(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let wide = "170141183460469231731687303715884105727";
    let values = [
        ("\"zero\"", "0"),
        ("\"empty\"", "\"\""),
        ("\"no\"", "false"),
        ("\"list\"", "[]"),
        ("\"float\"", "1.5"),
        ("\"wide\"", wide),
        ("\"deep.er\"", "{\"a\":[1,{\"b\":null}]}"),
        ("\"text\"", "\"\u{fc}\\n\\\"\""),
    ];
    for (key, value) in values {
        ada.ops(&[(&format!("\"put\",\"key\":{key},\"value\":{value}"), "null")]).await;
    }
    for (key, value) in values {
        ada.ops(&[(&format!("\"get\",\"key\":{key}"), value)]).await;
    }
    ada.ops(&[
        (r#""put","key":"nothing","value":null"#, "null"),
        (r#""get","key":"nothing""#, "null"),
        (r#""get","key":"nothing","default":7"#, "7"),
        (r#""get","key":"zero","default":7"#, "0"),
        (r#""get","key":"missing","default":[1]"#, "[1]"),
    ])
    .await;
}

/// Dots, brackets, segments, and literal names first.
pub async fn paths_reach_into_objects_and_arrays(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[
        (r#""put","key":"user.profile.name","value":"ada""#, "null"),
        (r#""put","key":"cart.items.0.sku","value":"A""#, "null"),
        (r#""put","key":"cart.items[1].sku","value":"B""#, "null"),
        (r#""put","key":["user","a.b"],"value":1"#, "null"),
        (r#""put","key":["x.y"],"value":"literal""#, "null"),
        (r#""put","key":"__proto__","value":1"#, "null"),
    ])
    .await;
    ada.ops(&[
        (r#""get","key":"user""#, r#"{"profile":{"name":"ada"},"a.b":1}"#),
        (r#""get","key":"cart.items[0].sku""#, "\"A\""),
        (r#""get","key":"cart.items""#, r#"[{"sku":"A"},{"sku":"B"}]"#),
        (r#""get","key":["user","a.b"]"#, "1"),
        (r#""get","key":"x.y""#, "\"literal\""),
        (r#""get","key":"cart.items.-1""#, "null"),
        (r#""get","key":"cart..items""#, "null"),
        (r#""get","key":"cart.items.99999999999999999999""#, "null"),
        (r#""put","key":"cart","value":3"#, "null"),
        (r#""put","key":"cart.again","value":true"#, "null"),
        (r#""get","key":"cart""#, r#"{"again":true}"#),
    ])
    .await;
}

/// Every kind of error has its name; the script continues after each.
pub async fn what_cannot_be_done_is_answered_by_kind(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[
        (r#""put","key":"list","value":[1]"#, "null"),
        (r#""put","key":"name","value":"ada""#, "null"),
        (r#""put","key":"a..b","value":1"#, "!BadPath"),
        (r#""put","key":"list.x","value":1"#, "!NotAnObject"),
        (r#""put","key":"list.5000","value":1"#, "!IndexTooLarge"),
        (r#""push","key":"name","value":1"#, "!NotAnArray"),
        (r#""increment","key":"name""#, "!NotANumber"),
        (r#""decrement","key":"list""#, "!NotANumber"),
        (r#""update_add","key":"name","by":1"#, "!WrongType"),
        (r#""put","key":"big","value":340282366920938463463374607431768211455"#, "null"),
        (r#""increment","key":"big""#, "!Overflow"),
        (r#""fly""#, "!BadOp"),
        (r#""put","key":"a""#, "!BadOp"),
        (r#""put","value":1"#, "!BadOp"),
        (r#""put_many","values":[1]"#, "!BadOp"),
        (r#""get","key":"list""#, "[1]"),
    ])
    .await;
    let reply = ada.run(r#"{"ops":[{"op":"increment","key":"name"}],"status":418}"#).await;
    assert_eq!(reply.status, 418);
    let message = r#"Cannot increment \"name\": the existing value is not a number"#;
    assert!(reply.text().contains(message), "{}", reply.text());
    assert_eq!(ada.run("no script").await.status, 400);
    for status in [204, 205, 304] {
        let reply = ada.run(&format!(r#"{{"ops":[{{"op":"all"}}],"status":{status}}}"#)).await;
        assert_eq!((reply.status.as_u16(), reply.text()), (status, String::new()));
    }
    assert_eq!(ada.get("/healthz").await.status, 200, "nothing of theirs was left on the line");
}

/// A null value exists, but `has` is false.
pub async fn presence_null_and_absence_are_told_apart(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[(r#""put_many","values":{"null":null,"zero":0,"a":{"b":1}}"#, "null")]).await;
    ada.ops(&[
        (r#""has","keys":"null""#, "false"),
        (r#""exists","keys":"null""#, "true"),
        (r#""missing","keys":"null""#, "false"),
        (r#""has","keys":["zero","a.b"]"#, "true"),
        (r#""has","keys":["zero","null"]"#, "false"),
        (r#""has_any","keys":["null","a.b"]"#, "true"),
        (r#""has_any","keys":["null","c"]"#, "false"),
        (r#""exists","keys":["null","c"]"#, "false"),
        (r#""missing","keys":["c","d"]"#, "true"),
        (r#""missing","keys":["c","zero"]"#, "false"),
    ])
    .await;
}

/// Flash, the CSRF token and the owner are not among the values.
pub async fn all_values_are_listed_and_nothing_internal(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[
        (r#""is_empty""#, "true"),
        (r#""put_many","values":{"b":1,"a.c":2}"#, "null"),
        (r#""put","key":["d.e"],"value":3"#, "null"),
        (r#""flash","key":"status","value":"saved""#, "null"),
        (r#""tag","owner":"ada""#, "null"),
        (r#""csrf_token""#, "*"),
    ])
    .await;
    ada.ops(&[
        (r#""keys""#, r#"["b","a","d.e"]"#),
        (r#""len""#, "3"),
        (r#""is_empty""#, "false"),
        (r#""all""#, r#"{"b":1,"a":{"c":2},"d.e":3}"#),
        (r#""only","keys":["b","a.c"]"#, r#"{"b":1,"a":{"c":2}}"#),
        (r#""except","keys":["a","b"]"#, r#"{"d.e":3}"#),
    ])
    .await;
}

/// Merging is deep, except for arrays.
pub async fn many_values_are_put_merged_and_replaced(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[
        (r#""put_many","values":{"user":{"name":"ada","tags":[1,2]}}"#, "null"),
        (r#""merge","values":{"user":{"age":36,"tags":[3]},"a.b":1,"n":null}"#, "null"),
    ])
    .await;
    ada.ops(&[
        (r#""all""#, r#"{"user":{"name":"ada","tags":[3],"age":36},"a.b":1,"n":null}"#),
        (r#""replace","values":{"only":true}"#, "null"),
    ])
    .await;
    ada.ops(&[(r#""all""#, r#"{"only":true}"#)]).await;
}

/// A push to a missing or null value creates an array.
pub async fn a_push_makes_the_array(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[
        (r#""put","key":"nothing","value":null"#, "null"),
        (r#""push","key":"nothing","value":1"#, "null"),
        (r#""push","key":"log.lines","value":"a""#, "null"),
    ])
    .await;
    ada.ops(&[(r#""push","key":"log.lines","value":null"#, "null")]).await;
    ada.ops(&[(r#""all""#, r#"{"nothing":[1],"log":{"lines":["a",null]}}"#)]).await;
}

/// PEERS 6: removed values stay removed. PEERS 29: no value becomes null.
pub async fn what_is_forgotten_is_gone_with_the_parents_it_leaves_empty(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[(r#""put_many","values":{"user_id":7,"a":{"b":{"c":1}},"l":[1,2,3],"x":1,"y":2}"#, "null")])
        .await;
    ada.ops(&[
        (r#""forget","keys":"user_id""#, "null"),
        (r#""forget","keys":"a.b.c""#, "null"),
        (r#""forget","keys":"l.1""#, "null"),
        (r#""forget","keys":["x","never"]"#, "null"),
        (r#""pull","key":"y""#, "2"),
        (r#""pull","key":"y""#, "null"),
        (r#""pull","key":"y","default":9"#, "9"),
    ])
    .await;
    ada.ops(&[(r#""all""#, r#"{"l":[1,3]}"#), (r#""exists","keys":"user_id""#, "false")]).await;
}

/// Integers of 128 bits are exact.
pub async fn numbers_are_counted_exactly(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[
        (r#""increment","key":"hits""#, "1"),
        (r#""increment","key":"hits","by":41"#, "42"),
        (r#""decrement","key":"hits","by":2"#, "40"),
        (r#""decrement","key":"below""#, "-1"),
        (
            r#""increment","key":"wide","by":170141183460469231731687303715884105727"#,
            "170141183460469231731687303715884105727",
        ),
        (r#""increment","key":"half","by":0.5"#, "0.5"),
        (r#""update_add","key":"hits","by":2"#, "42"),
    ])
    .await;
    ada.ops(&[
        (r#""increment","key":"wide""#, "170141183460469231731687303715884105728"),
        (r#""get","key":"hits""#, "42"),
        (r#""get","key":"below""#, "-1"),
    ])
    .await;
}

/// Numbers that fit into no type are returned unchanged, and do not make listing fail.
pub async fn a_number_of_any_width_is_kept_and_listed(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let digits = "9".repeat(60);
    ada.ops(&[(&format!(r#""put","key":"a","value":{digits}"#), "null"), (r#""all""#, r#"{"a":1e+60}"#)])
        .await;
    ada.ops(&[
        (r#""get","key":"a""#, &*digits),
        (r#""increment","key":"a""#, "!Overflow"),
        (r#""put","key":"a","value":1e999"#, "null"),
        (r#""all""#, r#"{"a":null}"#),
    ])
    .await;
}

/// PEERS 6: an update of an existing key is saved.
pub async fn updates_and_remembered_values_are_saved(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.ops(&[
        (r#""remember","key":"made","value":{"a":1}"#, r#"{"a":1}"#),
        (r#""put","key":"n","value":1"#, "null"),
    ])
    .await;
    ada.ops(&[
        (r#""remember","key":"made","value":"again""#, r#"{"a":1}"#),
        (r#""update_add","key":"n","by":5"#, "6"),
    ])
    .await;
    ada.ops(&[(r#""get","key":"n""#, "6"), (r#""get","key":"made.a""#, "1")]).await;
}

/// Values and URLs are removed; id, tag, lifetimes, CSRF token and outgoing flash are kept.
pub async fn clear_takes_the_values_and_leaves_the_rest(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let first = ada.ops(&[
        (r#""tag","owner":"ada""#, "null"),
        (r#""csrf_token""#, "*"),
        (r#""id""#, "*"),
        (r#""put","key":"a","value":1"#, "null"),
        (r#""flash","key":"status","value":0"#, "null"),
        (r#""set_intended_url","url":"/orders""#, "null"),
        (r#""set_age","seconds":600"#, "null"),
        (r#""clear""#, "null"),
        (r#""put","key":"b","value":2"#, "null"),
    ]);
    let first = first.await.results();
    let verify = format!(r#""verify_csrf","token":{}"#, first[1]);
    let second = [
        (r#""all""#, r#"{"b":2}"#),
        (&verify, "true"),
        (r#""id""#, "*"),
        (r#""flash_get","key":"status""#, "0"),
        (r#""get_intended_url""#, "null"),
    ];
    let second = ada.ops(&second).await.results();
    assert_eq!(first[2], second[2]);
    if !world.in_cookie() {
        ada.ops(&[(r#""count_devices""#, "1")]).await;
    }
    world.clock.advance(Duration::from_secs(600));
    ada.ops(&[(r#""fresh""#, "true")]).await;
}
