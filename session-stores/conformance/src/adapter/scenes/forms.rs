//! Forms: what was typed comes back after a page that was not satisfied, and secrets never do.

use crate::adapter::Stage;

const URLENCODED: &str = "application/x-www-form-urlencoded";
const TYPED: &str = "name=Ada+L&profile%5Bemail%5D=a%40b&profile[city]=Paris&tags[]=x&tags[]=y";

/// Nested as the names say, in the next visit and only there.
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

/// Some, or all but some.
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

/// At whatever depth, in objects and in arrays, unless a person who wrote the page names one.
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

/// Fields come back, files do not.
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

/// Refused before anything is done to the session.
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
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (status, 0), "{content_type}");
    }
    assert_eq!(ada.get("/read").await.text(), "alice@example.com");
    let reply = ada.submit(URLENCODED, TYPED, &[r#""put","key":"user","value":"ada""#]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(ada.get("/read").await.text(), "ada");
}

/// One byte more than 1 MiB is too many, told before or found out while it is read.
pub async fn a_form_that_is_too_long_is_refused(stage: &Stage) {
    let world = stage.open().await;
    let ada = world.browser().quiet();
    let most = 1024 * 1024;
    let long = format!("note={}", "a".repeat(most - 5));
    assert_eq!(ada.submit(URLENCODED, &long, &[r#""fresh""#]).await.status, 200);
    assert_eq!(ada.submit(URLENCODED, &format!("{long}a"), &[r#""fresh""#]).await.status, 413);
}
