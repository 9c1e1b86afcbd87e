//! Forms: input is available in the next visit, without secrets.

use crate::adapter::{Browser, Sent, Stage, at};

const URLENCODED: &str = "application/x-www-form-urlencoded";
const TYPED: &str = "name=Ada+L&profile%5Bemail%5D=a%40b&profile[city]=Paris&tags[]=x&tags[]=y";

/// Input is nested as its names say, in the next visit and only there.
pub async fn what_was_typed_comes_back_in_the_next_visit_only(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let reply = ada.submit(URLENCODED, TYPED, &[r#""flash_all""#, r#""has_old","key":"name""#]).await;
    assert_eq!(reply.results(), ["null", "false"]);
    ada.ops(&[
        (r#""old","key":"name""#, "\"Ada L\""),
        (r#""old","key":"profile.email""#, "\"a@b\""),
        (r#""old","key":"profile[city]""#, "\"Paris\""),
        (r#""old","key":"tags""#, r#"["x","y"]"#),
        (r#""old","key":"age","default":"-""#, "\"-\""),
        (r#""has_old","key":"tags""#, "true"),
        (r#""flash_messages""#, "{}"),
        (r#""all""#, "{}"),
    ])
    .await;
    ada.ops(&[(r#""has_old","key":"name""#, "false")]).await;
}

/// Flashing some fields, or all except some.
pub async fn only_the_fields_that_are_named_come_back(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.submit(URLENCODED, TYPED, &[r#""flash_only","keys":["name","profile[email]"]"#]).await;
    ada.ops(&[
        (r#""old","key":"name""#, "\"Ada L\""),
        (r#""old","key":"profile""#, r#"{"email":"a@b"}"#),
        (r#""has_old","key":"tags""#, "false"),
    ])
    .await;
    ada.submit(URLENCODED, TYPED, &[r#""flash_except","keys":["tags","profile.city"]"#]).await;
    ada.ops(&[
        (r#""old","key":"name""#, "\"Ada L\""),
        (r#""old","key":"profile""#, r#"{"email":"a@b"}"#),
        (r#""has_old","key":"tags""#, "false"),
    ])
    .await;
}

/// Secrets are left out at any depth, in objects and in arrays, unless the application names one.
pub async fn no_secret_comes_back(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let typed = "name=Ada&password=one&password_confirmation=two&_csrf=three&_token=four&user[password]=five&\
                 user[mail]=a&people[0][password]=six&people[0][name]=Bob";
    for carry in [
        r#""flash_all""#,
        r#""flash_except","keys":"none""#,
        r#""flash_only","keys":["name","user","people"]"#,
    ] {
        let reply = ada.submit(URLENCODED, typed, &[carry]).await;
        assert_eq!(reply.results(), ["null"], "{carry}");
        ada.ops(&[
            (r#""old","key":"name""#, "\"Ada\""),
            (r#""has_old","key":"password""#, "false"),
            (r#""has_old","key":"password_confirmation""#, "false"),
            (r#""has_old","key":"_csrf""#, "false"),
            (r#""has_old","key":"_token""#, "false"),
            (r#""old","key":"user""#, r#"{"mail":"a"}"#),
            (r#""has_old","key":"people[0].password""#, "false"),
            (r#""old","key":"people[0].name""#, "\"Bob\""),
        ])
        .await;
    }
}

/// Fields are flashed, files are not.
pub async fn a_multipart_form_comes_back_without_its_files(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let part =
        |head: &str, body: &str| format!("--X\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n");
    let form = [
        part("name=\"profile[email]\"", "a@b"),
        part("name=\"picture\"; filename=\"me.png\"\r\nContent-Type: image/png", "PNG"),
        part("name=\"profile[password]\"", "hunter2"),
        part("name=\"note\"", "two\r\nlines"),
        "--X--\r\n".to_owned(),
    ];
    let reply = ada.submit("multipart/form-data; boundary=X", &form.concat(), &[r#""flash_all""#]).await;
    assert_eq!(reply.results(), ["null"]);
    ada.ops(&[
        (r#""old","key":"profile""#, r#"{"email":"a@b"}"#),
        (r#""old","key":"note""#, r#""two\r\nlines""#),
        (r#""has_old","key":"picture""#, "false"),
    ])
    .await;
}

/// Malformed bodies are refused before the session is changed.
pub async fn a_body_that_is_no_form_is_refused_and_changes_nothing(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.get("/login").await;
    let many = "a=1&".repeat(1_001);
    for (content_type, body, status) in [
        ("multipart/form-data; boundary=X", "--X\r\n", 400),
        ("multipart/form-data", "a=1", 400),
        ("application/json", "{}", 415),
        ("text/plain", "a=1", 415),
        (URLENCODED, many.as_str(), 413),
    ] {
        let reply = ada.submit(content_type, body, &[r#""put","key":"user","value":"eve""#]).await;
        assert_eq!(reply.sent(), Sent { status, cookies: 0 }, "{content_type}");
    }
    assert_eq!(ada.get("/read").await.text(), "alice@example.com");
    let reply = ada.submit(URLENCODED, TYPED, &[r#""put","key":"user","value":"ada""#]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(ada.get("/read").await.text(), "ada");
}

/// A body of more than 1 MiB is refused, by its length or while it is read.
pub async fn a_form_that_is_too_long_is_refused(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser().quiet();
    let most = 1024 * 1024;
    let long = format!("note={}", "a".repeat(most - 5));
    assert_eq!(ada.submit(URLENCODED, &long, &[r#""fresh""#]).await.status, 200);
    assert_eq!(ada.submit(URLENCODED, &format!("{long}a"), &[r#""fresh""#]).await.status, 413);
}

/// Secrets are recognized by the words of the name, in any case and with any separators; similar names are kept.
pub async fn at_7_no_secret_comes_back_whatever_its_name(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let secrets = [
        "current_password",
        "new-password",
        "user[newPassword]",
        "NewPassword",
        "PASSWORD",
        "authenticity_token",
        "accessToken",
        "card[cvc]",
        "card[number]",
        "cardNumber",
        "api-key",
        "apiKey",
        "private_key",
        "clientSecret",
        "pin",
        "otpCode",
        "SSN",
        "rows[0][pwd]",
        "_method",
    ];
    let plain = ["compass", "spinner", "secretary", "company", "card[holder]", "payment_method", "passenger"];
    let typed: String = secrets.iter().chain(&plain).map(|name| format!("{name}=x&")).collect();
    for carry in [r#""flash_all""#, r#""flash_except","keys":"none""#] {
        ada.submit(URLENCODED, &typed, &[carry]).await;
        for name in secrets {
            assert!(!has_old(&ada.snapshot(), name).await, "{name}");
        }
        for name in plain {
            assert!(has_old(&ada.snapshot(), name).await, "{name}");
        }
    }
    ada.submit(URLENCODED, &typed, &[r#""flash_only","keys":["pin","card[cvc]"]"#]).await;
    ada.ops(&[(r#""old","key":"pin""#, "\"x\""), (r#""old","key":"card""#, r#"{"cvc":"x"}"#)]).await;
}

/// Reads old input without consuming it.
async fn has_old(browser: &Browser, name: &str) -> bool {
    let op = format!(r#""has_old","key":"{name}""#);
    let reply = browser.get(&at("/readonly", [op.as_str()])).await;
    reply.results() == ["true"]
}

/// Rows are a list in order, other numbers are names, and a repeated name begins a new row.
pub async fn a_form_keeps_its_shape_and_order_whatever_call_flashes_it(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let rows: String = (0..12).map(|n| format!("items[{n}][sku]=S{n}&items[{n}][qty]=1&")).collect();
    let others = "lines[][p]=1&lines[][q]=2&lines[][p]=3&lines[][q]=4&stock[98765]=5&opt[30]=a&opt[4]=b";
    let typed = format!("{rows}{others}");
    let names: Vec<String> = (0..12).map(|n| format!(r#""items[{n}][sku]","items[{n}][qty]""#)).collect();
    let names = names.join(",");
    let only = format!(r#""flash_only","keys":[{names},"lines","stock[98765]","opt[30]","opt[4]"]"#);
    let list: Vec<String> = (0..12).map(|n| format!(r#"{{"sku":"S{n}","qty":"1"}}"#)).collect();
    let list = format!("[{}]", list.join(","));
    for carry in [r#""flash_all""#, r#""flash_except","keys":"none""#, &only] {
        ada.submit(URLENCODED, &typed, &[carry]).await;
        ada.ops(&[
            (r#""old","key":"items""#, list.as_str()),
            (r#""old","key":"items[11][sku]""#, "\"S11\""),
            (r#""old","key":"lines""#, r#"[{"p":"1","q":"2"},{"p":"3","q":"4"}]"#),
            (r#""old","key":"stock""#, r#"{"98765":"5"}"#),
            (r#""old","key":"stock[98765]""#, "\"5\""),
            (r#""old","key":"opt""#, r#"{"30":"a","4":"b"}"#),
        ])
        .await;
    }
    ada.submit(URLENCODED, "qty[700]=1&qty[8]=2", &[r#""flash_only","keys":["qty[700]"]"#]).await;
    ada.ops(&[(r#""old","key":"qty""#, r#"{"700":"1"}"#)]).await;
}

/// Of a repeated name the last value counts; a name with brackets is a list.
pub async fn a_name_said_twice_is_its_last_value(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    ada.submit(URLENCODED, "active=0&active=1&tags[]=x&a[b]=1&a[b]=2", &[r#""flash_all""#]).await;
    ada.ops(&[
        (r#""old","key":"active""#, "\"1\""),
        (r#""old","key":"tags""#, r#"["x"]"#),
        (r#""old","key":"a.b""#, "\"2\""),
    ])
    .await;
}

/// Invalid text is refused, not stored with replacement characters.
pub async fn text_that_is_no_utf_8_is_refused_or_read_in_its_charset(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let reply = ada.submit(URLENCODED, "city=K%F6ln", &[r#""flash_all""#]).await;
    assert_eq!(reply.sent(), Sent { status: 400, cookies: 0 });
    let declared = format!("{URLENCODED}; charset=iso-8859-1");
    for (content_type, typed) in
        [(declared.as_str(), "city=K%F6ln"), (URLENCODED, "_charset_=latin1&city=K%F6ln")]
    {
        ada.submit(content_type, typed, &[r#""flash_all""#]).await;
        ada.ops(&[(r#""old","key":"city""#, "\"K\u{f6}ln\"")]).await;
    }
}

/// A form without fields.
pub async fn a_post_without_a_body_is_an_empty_form(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    for content_type in [URLENCODED, "text/plain;charset=UTF-8", ""] {
        let ops = [r#""flash_all""#, r#""put","key":"a","value":1"#];
        let reply = ada.submit(content_type, "", &ops).await;
        assert_eq!(reply.results(), ["null", "null"], "{content_type}");
    }
}

/// Old input gives way first, and a failed validation is never a 500.
pub async fn a_form_that_is_too_large_to_keep_comes_back_with_its_errors(stage: &Stage) {
    let world = stage.open_with(|sessions| sessions.max_record(3_000)).await;
    let ada = world.browser();
    let typed = format!("note={}&name=Ada", "x".repeat(8_000));
    let refuse = [r#""with_errors","errors":{"note":"is too long"}"#, r#""flash_all""#];
    assert_eq!(ada.submit(URLENCODED, &typed, &refuse).await.status, 200);
    ada.ops(&[
        (r#""get_error_for","key":"note""#, "\"is too long\""),
        (r#""has_old","key":"name""#, "false"),
    ])
    .await;
}

/// Two forms on a page have the same field name.
pub async fn forms_side_by_side_share_nothing(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser();
    let refuse = r#""with_errors_in","bag":"sign-in","errors":{"email":["is unknown","is odd"]}"#;
    ada.submit(URLENCODED, "email=a%40b&password=x", &[refuse]).await;
    ada.ops(&[
        (r#""errors_in","bag":"sign-in""#, r#"{"email":["is unknown","is odd"]}"#),
        (r#""old_in","bag":"sign-in","key":"email""#, "\"a@b\""),
        (r#""old_in","bag":"sign-in","key":"password""#, "null"),
        (r#""errors_in","bag":"sign-up""#, "{}"),
        (r#""old_in","bag":"sign-up","key":"email","default":"-""#, "\"-\""),
        (r#""errors""#, "{}"),
        (r#""has_old","key":"email""#, "false"),
        (r#""errors_in""#, "!BadOp"),
    ])
    .await;
    ada.ops(&[(r#""errors_in","bag":"sign-in""#, "{}")]).await;
}
