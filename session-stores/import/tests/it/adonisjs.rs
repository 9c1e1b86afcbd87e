//! Visitors of an application on AdonisJS 6 or 7, whose sessions are in cookies, files or elsewhere.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use session_core::import::RefusedImport::{Expired, Forged, Gone, Malformed, TooLarge};
use session_import::{AdonisJs, AdonisJsKeys, FileRecords, OldCookie};

use crate::support::{InMemory, New, value_of};

/// What AdonisJS 6 and 7 have written.
pub(crate) fn fixtures() -> [Value; 2] {
    [
        include_str!("../../fixtures/adonisjs/6/fixtures.json"),
        include_str!("../../fixtures/adonisjs/7/fixtures.json"),
    ]
    .map(|json| serde_json::from_str(json).unwrap())
}

pub(crate) fn keys(fixtures: &Value) -> AdonisJsKeys {
    AdonisJsKeys::new(text(fixtures, "app_key")).unwrap()
}

pub(crate) fn cookie(keys: AdonisJsKeys) -> OldCookie {
    OldCookie::adonisjs("adonis-session", keys)
}

pub(crate) fn text<'f>(fixture: &'f Value, name: &str) -> &'f str {
    fixture[name].as_str().unwrap()
}

pub(crate) fn new(importer: AdonisJs) -> New {
    New::importing(with_user(importer))
}

pub(crate) fn with_user(importer: AdonisJs) -> AdonisJs {
    importer.with_user(|data| AdonisJs::user_of_guard(data, "web"))
}

/// What the new application finds of the visitor.
pub(crate) fn expected(fixtures: &Value) -> Value {
    let cart = json!({ "items": [{ "sku": "tea", "price": 4.35 }], "note": null });
    let intended = (fixtures["versions"]["core"].as_str().unwrap() > "7").then_some("/orders?page=2");
    json!({
        "user": "1",
        "all": { "auth_web": 1, "cart": cart, "name": "Ada Lovelace, née Byron ☕" },
        "status": "Saved",
        "old title": "Old title",
        "error": "is taken",
        "intended": intended,
    })
}

#[tokio::test]
async fn visitors_of_adonisjs_with_sessions_in_cookies_are_carried_over() {
    for fixtures in fixtures() {
        let ciphers = fixtures["cookie"].as_object().unwrap();
        assert!(ciphers.len() == 1 || ciphers.len() == 4);
        for visitor in ciphers.values() {
            let importer = AdonisJs::in_cookie(cookie(keys(&fixtures)), keys(&fixtures));
            new(importer).carries_over(text(visitor, "cookie"), &expected(&fixtures)).await;
        }
    }
}

#[tokio::test]
async fn visitors_of_adonisjs_with_sessions_in_files_are_carried_over() {
    for fixtures in fixtures() {
        let visitor = &fixtures["file"];
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(visitor["files"][0].as_str().unwrap());
        std::fs::write(&file, text(visitor, "record")).unwrap();
        let records = FileRecords::adonisjs(directory.path(), Duration::from_secs(7_200));
        let app = new(AdonisJs::new(cookie(keys(&fixtures)), records.clone()));
        app.carries_over(text(visitor, "cookie"), &expected(&fixtures)).await;
        assert!(!file.exists());
        std::fs::write(&file, text(visitor, "record")).unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(7_201);
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(long_ago).unwrap();
        new(AdonisJs::new(cookie(keys(&fixtures)), records)).refuses(text(visitor, "cookie"), Expired).await;
    }
}

#[tokio::test]
async fn a_former_key_opens_and_a_foreign_one_does_not() {
    let foreign = AdonisJsKeys::new("another key of thirty-two letters").unwrap();
    for fixtures in fixtures() {
        let rotated = foreign.clone().with_former(text(&fixtures, "app_key")).unwrap();
        for visitor in fixtures["cookie"].as_object().unwrap().values() {
            let old = text(visitor, "cookie");
            let importer = AdonisJs::in_cookie(cookie(rotated.clone()), rotated.clone());
            new(importer).carries_over(old, &expected(&fixtures)).await;
            let importer = AdonisJs::in_cookie(cookie(foreign.clone()), keys(&fixtures));
            new(importer).refuses(old, Forged).await;
            let importer = AdonisJs::in_cookie(cookie(keys(&fixtures)), foreign.clone());
            new(importer).refuses(old, Forged).await;
        }
    }
}

#[tokio::test]
async fn a_bad_cookie_of_adonisjs_is_a_stranger() {
    for fixtures in fixtures() {
        let visitor = &fixtures["redis"];
        let records = InMemory::with(text(visitor, "id"), text(visitor, "record"));
        let app = new(AdonisJs::new(cookie(keys(&fixtures)), records.clone()));
        let value = value_of(text(visitor, "cookie"));
        for forged in
            ["", "s:", "s%3A", "s%3A.", text(visitor, "id"), &value[..value.len() - 1], &format!("{value}.x")]
        {
            app.refuses(&format!("adonis-session={forged}"), Forged).await;
        }
        // The signature of another cookie's value.
        let named = OldCookie::adonisjs("other", keys(&fixtures));
        new(AdonisJs::new(named, records.clone())).refuses(&format!("other={value}"), Forged).await;
        // Signed, and without a record.
        new(AdonisJs::new(cookie(keys(&fixtures)), InMemory::default()))
            .refuses(text(visitor, "cookie"), Gone)
            .await;
        assert!(!records.is_empty(), "nothing was ended");
    }
}

#[tokio::test]
async fn a_bad_record_of_adonisjs_is_a_stranger() {
    let fixtures = &fixtures()[1];
    let visitor = &fixtures["redis"];
    let id = text(visitor, "id");
    let of = |message: &str| format!(r#"{{"message":{message},"purpose":"{id}"}}"#);
    for (record, reason) in [
        (String::new(), Malformed),
        ("{}".to_owned(), Malformed),
        (of("null"), Malformed),
        (of("[1]"), Malformed),
        (of("{\"a\":"), Malformed),
        (of(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))), Malformed),
        (of(&format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100))), Malformed),
        (format!(r#"{{"message":{{"a":1}},"purpose":"{id}","expiryDate":"2020-01-01"}}"#), Malformed),
        (r#"{"message":{"a":1},"purpose":"of-another-visitor"}"#.to_owned(), Forged),
        (r#"{"message":{"a":1}}"#.to_owned(), Forged),
        (of(&format!("{{\"a\":\"{}\"}}", "x".repeat(1_100_000))), TooLarge),
    ] {
        let importer = AdonisJs::new(cookie(keys(fixtures)), InMemory::with(id, record));
        new(importer).refuses(text(visitor, "cookie"), reason).await;
    }
}

#[tokio::test]
async fn a_cookie_of_data_belongs_to_its_session() {
    for fixtures in fixtures() {
        let visitors: Vec<_> = fixtures["cookie"].as_object().unwrap().values().collect();
        let (first, second) = (visitors[0], visitors[visitors.len() - 1]);
        let app = new(AdonisJs::in_cookie(cookie(keys(&fixtures)), keys(&fixtures)));
        let (signed, data) = text(first, "cookie").split_once("; ").unwrap();
        app.refuses(signed, Gone).await;
        let other = value_of(text(second, "cookie").split_once("; ").unwrap().1);
        if visitors.len() > 1 {
            app.refuses(&format!("{signed}; {}={other}", text(first, "id")), Forged).await;
        }
        app.refuses(&format!("{signed}; {}", &data[..data.len() - 1]), Forged).await;
    }
}
