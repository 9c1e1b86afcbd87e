//! Visitors of an application on Laravel 8 or 13, whose sessions are in cookies, files or elsewhere.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use session_core::Timestamp;
use session_core::import::RefusedImport::{self, Expired, Forged, Gone, Malformed, TooLarge};
use session_import::{FileRecords, Laravel, LaravelKeys, OldCookie};

use crate::support::{InMemory, New, value_of};

/// What one version has written with one cipher.
pub(crate) struct Fixtures {
    pub(crate) keys: LaravelKeys,
    json: Value,
}

/// A session with its record.
pub(crate) struct Visitor {
    pub(crate) id: String,
    pub(crate) cookie: String,
    pub(crate) cookie_serialized: String,
    pub(crate) record: Vec<u8>,
    pub(crate) redis: Vec<u8>,
    pub(crate) is_encrypted: bool,
    pub(crate) is_json: bool,
}

pub(crate) fn fixtures() -> Vec<Fixtures> {
    let versions =
        [include_str!("../../fixtures/laravel/8.json"), include_str!("../../fixtures/laravel/13.json")];
    let of_cipher = |version: &str| {
        let version: Value = serde_json::from_str(version).unwrap();
        let ciphers = version["ciphers"].as_object().unwrap().clone();
        ciphers.into_iter().map(|(cipher, json)| {
            let key = json["app_key"].as_str().unwrap();
            let keys = match cipher.as_str() {
                "aes-256-cbc" => LaravelKeys::aes_256_cbc(key),
                _ => LaravelKeys::aes_256_gcm(key),
            };
            Fixtures { keys: keys.unwrap(), json }
        })
    };
    versions.into_iter().flat_map(of_cipher).collect()
}

impl Fixtures {
    pub(crate) fn visitors(&self) -> Vec<Visitor> {
        let bytes = |visitor: &Value, name: &str| STANDARD.decode(visitor[name].as_str().unwrap()).unwrap();
        let text = |visitor: &Value, name: &str| visitor[name].as_str().unwrap().to_owned();
        let records = self.json["records"].as_object().unwrap();
        let visitor = |(kind, visitor): (&String, &Value)| Visitor {
            id: text(visitor, "id"),
            cookie: text(visitor, "cookie"),
            cookie_serialized: text(visitor, "cookie_serialized"),
            record: bytes(visitor, "record"),
            redis: bytes(visitor, "redis"),
            is_encrypted: kind.ends_with("encrypted"),
            is_json: kind.starts_with("json"),
        };
        records.iter().map(visitor).collect()
    }

    /// Visitors whose session is in a cookie, with the time of their visit and whether it is JSON.
    pub(crate) fn in_cookie(&self) -> Vec<(String, Timestamp, bool)> {
        let visitors = self.json["in_cookie"].as_object().unwrap();
        let visitor = |(kind, visitor): (&String, &Value)| {
            let made_at = Timestamp::from_millis(visitor["made_at"].as_i64().unwrap() * 1_000);
            (visitor["cookie"].as_str().unwrap().to_owned(), made_at, kind == "json")
        };
        visitors.iter().map(visitor).collect()
    }

    pub(crate) fn cookie(&self) -> OldCookie {
        OldCookie::laravel("laravel_session", self.keys.clone())
    }

    pub(crate) fn importer(&self, visitor: &Visitor, importer: Laravel) -> Laravel {
        let importer =
            if visitor.is_encrypted { importer.with_encryption(self.keys.clone()) } else { importer };
        with_user(importer)
    }
}

pub(crate) fn with_user(importer: Laravel) -> Laravel {
    importer.with_user(|data| Laravel::user_of_guard(data, "web"))
}

/// What the new application finds of the visitor. A date is an object of a class to `serialize`, and fields to JSON.
pub(crate) fn expected(is_json: bool) -> Value {
    let mut all = json!({
        "login_web_59ba36addc2b2f9401580f014c7f58ea4e30989d": 1,
        "cart": { "items": [{ "sku": "tea", "price": 4.35 }], "note": null },
        "name": "Ada Lovelace, née Byron ☕",
        "rows": { "3": "three", "7": true },
    });
    if is_json {
        let date = "2026-01-02 03:04:05.000000";
        all["when"] = json!({ "date": date, "timezone_type": 3, "timezone": "UTC" });
    }
    json!({
        "user": "1",
        "all": all,
        "status": "Saved",
        "old title": "Old title",
        "error": "is taken",
        "login error": "is unknown",
        "intended": "/orders?page=2",
        "previous": "/cart?page=1",
    })
}

#[tokio::test]
async fn visitors_of_laravel_are_carried_over_from_any_record() {
    let fixtures = fixtures();
    assert_eq!(fixtures.iter().map(|cipher| cipher.visitors().len()).sum::<usize>(), 12);
    for cipher in fixtures {
        for visitor in cipher.visitors() {
            for (cookie, record) in [
                (&visitor.cookie, &visitor.record),
                (&visitor.cookie_serialized, &visitor.record),
                (&visitor.cookie, &visitor.redis),
            ] {
                let records = InMemory::with(&visitor.id, record.clone());
                let importer = Laravel::new(cipher.cookie(), records.clone());
                let app = New::importing(cipher.importer(&visitor, importer));
                app.carries_over(cookie, &expected(visitor.is_json)).await;
                assert!(records.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn visitors_of_laravel_with_sessions_in_cookies_are_carried_over() {
    for cipher in fixtures() {
        for (cookie, made_at, is_json) in cipher.in_cookie() {
            let importer = || with_user(Laravel::in_cookie(cipher.cookie(), cipher.keys.clone()));
            New::at(made_at, importer()).carries_over(&cookie, &expected(is_json)).await;
            let last = made_at.plus(Duration::from_secs(7_200));
            New::at(last, importer()).carries_over(&cookie, &expected(is_json)).await;
            New::at(last.plus(Duration::from_secs(2)), importer()).refuses(&cookie, Expired).await;
            let (id, _) = cookie.split_once("; ").unwrap();
            New::at(made_at, importer()).refuses(id, Gone).await;
            New::at(made_at, importer()).refuses(&cookie[..cookie.len() - 1], Forged).await;
        }
    }
}

#[tokio::test]
async fn visitors_of_laravel_with_sessions_in_files_are_carried_over() {
    let fixtures = fixtures();
    let cipher = &fixtures[0];
    for visitor in cipher.visitors() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(&visitor.id);
        let records = FileRecords::laravel(directory.path(), Duration::from_secs(7_200));
        let app =
            || New::importing(cipher.importer(&visitor, Laravel::new(cipher.cookie(), records.clone())));
        std::fs::write(&file, &visitor.record).unwrap();
        app().carries_over(&visitor.cookie, &expected(visitor.is_json)).await;
        assert!(!file.exists());
        std::fs::write(&file, &visitor.record).unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(7_201);
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(long_ago).unwrap();
        app().refuses(&visitor.cookie, Expired).await;
    }
}

#[tokio::test]
async fn a_former_key_opens_and_a_foreign_key_or_cipher_does_not() {
    const FOREIGN: &str = "0123456789abcdef0123456789abcdef";
    let all = fixtures();
    for (nth, cipher) in all.iter().enumerate() {
        let visitor = &cipher.visitors()[0];
        let records = || InMemory::with(&visitor.id, visitor.record.clone());
        let of = |keys| with_user(Laravel::new(OldCookie::laravel("laravel_session", keys), records()));
        let app_key = cipher.json["app_key"].as_str().unwrap();
        let is_cbc = nth % 2 == 0;
        let keys =
            |key| if is_cbc { LaravelKeys::aes_256_cbc(key) } else { LaravelKeys::aes_256_gcm(key) }.unwrap();
        let rotated = keys(FOREIGN).with_former(app_key).unwrap();
        New::importing(of(rotated)).carries_over(&visitor.cookie, &expected(false)).await;
        let other =
            if is_cbc { LaravelKeys::aes_256_gcm(app_key) } else { LaravelKeys::aes_256_cbc(app_key) };
        for foreign in [keys(FOREIGN), other.unwrap()] {
            New::importing(of(foreign)).refuses(&visitor.cookie, Forged).await;
        }
    }
}

#[tokio::test]
async fn a_bad_cookie_of_laravel_is_a_stranger() {
    for cipher in fixtures() {
        let visitor = &cipher.visitors()[0];
        let records = InMemory::with(&visitor.id, visitor.record.clone());
        let app = New::importing(with_user(Laravel::new(cipher.cookie(), records.clone())));
        let value = value_of(&visitor.cookie);
        let empty = STANDARD.encode("{}");
        for forged in ["", "e30%3D", &empty, &visitor.id, &value[..value.len() - 4], &format!("{value}AAAA")]
        {
            app.refuses(&format!("laravel_session={forged}"), Forged).await;
        }
        // The value of a cookie of another name.
        let named = OldCookie::laravel("other", cipher.keys.clone());
        let other = New::importing(with_user(Laravel::new(named, records.clone())));
        other.refuses(&format!("other={value}"), Forged).await;
        assert!(!records.is_empty(), "nothing was ended");
        let without = New::importing(with_user(Laravel::new(cipher.cookie(), InMemory::default())));
        without.refuses(&visitor.cookie, Gone).await;
    }
}

#[tokio::test]
async fn a_bad_record_of_laravel_is_a_stranger() {
    let fixtures = fixtures();
    let cipher = &fixtures[0];
    let visitor = &cipher.visitors()[0];
    let deep = |open: &str, close: &str| open.repeat(80) + "i:1;" + &close.repeat(80);
    let records: [(Vec<u8>, RefusedImport); 9] = [
        (Vec::new(), Malformed),
        (b"i:1;".to_vec(), Malformed),
        (b"O:8:\"stdClass\":0:{}".to_vec(), Malformed),
        (b"a:1:{s:1:\"a\";i:1;".to_vec(), Malformed),
        (b"a:99999999999:{}".to_vec(), Malformed),
        (b"{\"a\":1".to_vec(), Malformed),
        (b"[1]".to_vec(), Malformed),
        (deep("a:1:{i:0;", "}").into(), Malformed),
        (format!("a:1:{{s:1:\"a\";s:1100000:\"{}\";}}", "x".repeat(1_100_000)).into(), TooLarge),
    ];
    for (record, reason) in records {
        let importer = Laravel::new(cipher.cookie(), InMemory::with(&visitor.id, record));
        New::importing(with_user(importer)).refuses(&visitor.cookie, reason).await;
    }
    // Where sessions are encrypted, one that is not was written by somebody else.
    let importer = Laravel::new(cipher.cookie(), InMemory::with(&visitor.id, visitor.record.clone()));
    New::importing(with_user(importer.with_encryption(cipher.keys.clone())))
        .refuses(&visitor.cookie, Forged)
        .await;
}

#[tokio::test]
async fn flash_that_does_not_fit_gives_way_and_urls_of_other_sites_are_left_out() {
    let fixtures = fixtures();
    let cipher = &fixtures[0];
    let visitor = &cipher.visitors()[0];
    let large = "x".repeat(1_000_000);
    let json = json!({
        "login_web_59ba36addc2b2f9401580f014c7f58ea4e30989d": "ada",
        "_flash": { "old": ["status", "big"], "new": [] },
        "status": "Saved",
        "big": large,
        "url": { "intended": "https://shop.example//evil.example/" },
        "_previous": { "url": "javascript:alert(1)" },
    });
    let importer = Laravel::new(cipher.cookie(), InMemory::with(&visitor.id, json.to_string()));
    let seen = New::importing(with_user(importer)).request(&visitor.cookie).await;
    assert_eq!(seen.values["user"], "ada");
    for name in ["status", "intended", "previous"] {
        assert_eq!(seen.values[name], Value::Null, "{name}");
    }
}
