//! Every setting: the accepted values, and the errors for all others, in the environment and in files.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests")]

use session_core::SameSite;
use session_stores::{SETTINGS, STORE_SETTINGS, SessionConfig, SettingError, StoreConfig};

const KEY: &str = "9f1c31d5a8e24b7790be1d5c83fa2647c9d80e31b4f56a72183ce09d5fa7b264";
const OTHER: &str = "7a0c31d5a8e24b7790be1d5c83fa2647c9d80e31b4f56a72183ce09d5fa7b201";

fn vars(vars: &[(&str, &str)]) -> Result<SessionConfig, SettingError> {
    SessionConfig::from_vars(vars.iter().copied())
}

fn refusal(name: &str, value: &str) -> String {
    vars(&[(name, value)])
        .map(|config| panic!("{name}={value} was taken: {config:?}"))
        .unwrap_err()
        .to_string()
}

/// For every setting: values that are taken, values that are not.
const TABLE: &[(&str, &[&str], &[&str])] = &[
    ("SESSION_ENABLED", &["true", "false", "1", "0"], &["yes", "TRUE", "2", " true"]),
    ("SESSION_DRIVER", &["cookie", "redis", "my-own"], &["a b", "redis://x", "a/b"]),
    ("SESSION_REVOCATIONS", &["memory", "redis", "my-own"], &["a b", "redis://x"]),
    (
        "SESSION_AGE",
        &["2h", "30 min", "7d", "3600", "1"],
        &["0", "-1", "-1h", "500ms", "abc", "1mo", "1.5h", "99999999999999999999"],
    ),
    ("SESSION_ABSOLUTE", &["24h", "30 days", "never", "86400"], &["0", "none", "-1h", "500ms", "1y"]),
    ("SESSION_CLEAR_WITH_BROWSER", &["true", "false"], &["maybe"]),
    ("SESSION_EAGER", &["true", "false"], &["maybe"]),
    ("SESSION_COMMIT_ON_ERROR", &["true", "false"], &["maybe"]),
    ("SESSION_ENCRYPT", &["true", "false"], &["maybe"]),
    (
        "SESSION_MAX_RECORD",
        &["256", "65536", "64 KiB", "64KiB", "1 MiB", "16 MiB"],
        &["0", "255", "-1", "64 KB", "64K", "17 MiB", "lots", "99999999999999999999 MiB"],
    ),
    ("SESSION_TOMBSTONE", &["60", "2 min"], &["0", "100ms"]),
    ("SESSION_CONTENTION", &["2s", "500ms", "2", "1 min"], &["0", "0ms", "6min", "-1", "1h", "abc", "1.5s"]),
    ("SESSION_PURPOSE", &["admin"], &["a b"]),
    ("SESSION_SECRET_FIELDS", &["pin", "pin, password"], &["a,,b", ","]),
    (
        "SESSION_REDIRECT_HOSTS",
        &["accounts.example.com,localhost:8080", "[::1]:8080"],
        &["a,", ",", "*", "*.example.com", "https://a.example", "a.example/b", "a.example:0", "a@b", "a b"],
    ),
    ("SESSION_REDIRECT_OVER_HTTP", &["true", "false"], &["maybe"]),
    ("SESSION_PRIVATE_PAGES", &["true", "false"], &["maybe"]),
    ("SESSION_XSRF_COOKIE", &["true", "false"], &["maybe"]),
    ("SESSION_DEVICE_BINDING", &["off", "observe", "require"], &["true", "on", "Require", "require "]),
    ("SESSION_DEVICE_BINDING_PATHS", &["/account", "/account, /orders"], &["account", "/a,", ","]),
    ("SESSION_DEVICE_BINDING_REFRESH", &["5min", "120", "1"], &["0", "500ms", "-1", "often"]),
    ("SESSION_DEVICE_BINDING_RS256", &["true", "false"], &["maybe"]),
    ("SESSION_COOKIE_NAME", &["sid", "__Host-shop"], &["a b", "a;b", "a=b", "ä"]),
    ("SESSION_COOKIE_PATH", &["/", "/shop"], &["shop", "/a;b", "/ä"]),
    ("SESSION_COOKIE_DOMAIN", &["example.com"], &["exa mple", "a;b", "https://a"]),
    ("SESSION_COOKIE_DOMAINS", &["example.com", "example.com, example.org"], &["a,", ","]),
    ("SESSION_COOKIE_HTTP_ONLY", &["true", "false"], &["maybe"]),
    ("SESSION_COOKIE_SECURE", &["true", "false"], &["maybe"]),
    ("SESSION_COOKIE_SAME_SITE", &["strict", "lax", "none", "Lax"], &["sometimes"]),
    ("SESSION_COOKIE_PARTITIONED", &["true", "false"], &["maybe"]),
    ("SESSION_COOKIE_MAX_SIZE", &["4096", "3 KiB", "8 KiB"], &["0", "-1", "large"]),
    ("SESSION_FILE_LOCATION", &["/var/lib/shop", "sessions"], &["a\nb"]),
    ("SESSION_REDB_PATH", &["/var/lib/shop/s.redb", "s.redb"], &["a\nb"]),
    ("SESSION_PREFIX", &["shop", "shop:", "a.b-c_d"], &[":", "a b", "a:b", "{a}"]),
    ("SESSION_REDB_PATH", &["/var/lib/shop/s.redb", "s.redb"], &["a\nb"]),
    ("SESSION_TABLE", &["sessions", "Shop.Sessions-1"], &["a b", "a;b", "a\"b"]),
    ("SESSION_STORE_TIMEOUT", &["2s", "500ms", "1"], &["0", "1h", "-1s"]),
    ("SESSION_PREPARE", &["true", "false"], &["maybe"]),
    ("SESSION_MAX_CONNECTIONS", &["1", "10000"], &["0", "10001", "-1", "many"]),
    ("SESSION_MIN_CONNECTIONS", &["1", "10000"], &["0", "10001", "-1", "many"]),
    ("SESSION_DURABILITY", &["power-cut", "process-crash"], &["full", "none", "Power-Cut"]),
    ("SESSION_FILE_CONCURRENCY", &["1", "10000"], &["0", "10001", "many"]),
    ("SESSION_CLIENT_CACHE", &["2", "10000000"], &["0", "1", "10000001", "true"]),
    ("SESSION_MAX_BYTES", &["1", "512 MiB", "1099511627776"], &["0", "512 MB", "1099511627777", "-1"]),
    ("SESSION_SHARDS", &["1", "65536"], &["0", "65537", "many"]),
    ("SESSION_MAX_SESSIONS", &["1", "50000"], &["0", "many"]),
    // A URL may hold a password, so refusals do not show the value: `migrate_settings` has them.
    ("SESSION_MIGRATE_FROM", &["file", "old-one", "redis://old.internal:6379"], &[]),
    ("SESSION_MIGRATE_PREFIX", &["shop", "a.b-c_d"], &[":", "a b", "{a}"]),
    ("SESSION_MIGRATE_TABLE", &["sessions", "Shop.Sessions-1"], &["a b", "a;b"]),
    ("SESSION_MIGRATE_STANDBY", &["true", "false"], &["maybe"]),
    ("SESSION_MIGRATE_COOKIE_NAME", &["sid", "__Host-shop"], &["a b", "a;b", "a=b"]),
    ("SESSION_MIGRATE_COOKIE_PATH", &["/", "/shop"], &["shop", "/a;b"]),
    ("SESSION_MIGRATE_COOKIE_DOMAIN", &["example.com", ".example.com"], &["a b", "a/b"]),
    ("SESSION_MIGRATE_UNTIL", &["2027-01-31", "2027-01-31T18:00:00Z"], &["soon", "2027-13-01", "31.01.2027"]),
];

#[test]
fn every_variable_takes_what_is_allowed_and_refuses_the_rest_naming_key_value_and_what_is_allowed() {
    let of_stores = STORE_SETTINGS.iter().flat_map(|s| s.variables.iter().map(|v| (*v, s.allowed)));
    let known: Vec<_> = SETTINGS.iter().map(|s| (s.variable, s.allowed)).chain(of_stores).collect();
    for (name, allowed) in &known {
        if !name.starts_with("SESSION_") || *name == "SESSION_KEYS" {
            continue;
        }
        let (_, good, bad) = TABLE.iter().find(|row| row.0 == *name).expect(name);
        for value in *good {
            vars(&[(name, value)]).unwrap_or_else(|error| panic!("{name}={value}: {error}"));
        }
        for value in *bad {
            assert_eq!(
                refusal(name, value),
                format!("{name} = {value:?} is not allowed; allowed: {allowed}")
            );
        }
        assert_eq!(
            refusal(name, ""),
            format!("{name} is empty; omit it to use the default; allowed: {allowed}")
        );
    }
}

#[test]
fn the_exact_words_for_an_age() {
    assert_eq!(
        refusal("SESSION_AGE", "500ms"),
        "SESSION_AGE = \"500ms\" is not allowed; allowed: whole seconds, 1 or more, such as 2h, 30 min, 7d, \
         or a bare number of seconds"
    );
}

#[test]
fn peers_28_an_age_of_3600_is_an_hour() {
    assert_eq!(vars(&[("SESSION_AGE", "3600")]).unwrap().age.as_secs(), 3_600);
}

#[test]
fn keys_are_one_to_eight_in_any_usual_form_and_never_shown() {
    let base64 = "base64:nxwx1ajiS3eQvh1cg/omR8nYDjG09WpyGDzgnV+nsmQ=";
    let both = format!("{OTHER}, {KEY}");
    for (name, value, keys) in [
        ("SESSION_KEYS", KEY, 1),
        ("SESSION_KEYS", both.as_str(), 2),
        ("APP_KEY", base64, 1),
        ("APP_KEY", KEY, 1),
    ] {
        let config = vars(&[(name, value)]).unwrap();
        assert_eq!(config.keys.len(), keys, "{name}={value}");
        assert!(!format!("{config:?}").contains("9f1c"));
    }
    let hunter = format!("{KEY},hunter2hunter2");
    let equal = format!("{KEY},{KEY}");
    let zeros = "0".repeat(64);
    for (value, start) in [
        (hunter.as_str(), "SESSION_KEYS, key 2: a key "),
        ("hunter2", "SESSION_KEYS, key 1: a key "),
        (zeros.as_str(), "SESSION_KEYS, key 1: all bytes of the key are equal"),
        (equal.as_str(), "SESSION_KEYS: keys 1 and 2 of the ring are equal"),
        (",", "the value of SESSION_KEYS is not allowed (and not shown"),
        ("", "SESSION_KEYS is empty; "),
    ] {
        let words = refusal("SESSION_KEYS", value);
        assert!(words.starts_with(start), "{words}");
        assert!(words.contains("1 to 8 keys of 32 random bytes"), "{words}");
        assert!(!words.contains("hunter2") && !words.contains(&KEY[..8]), "{words}");
    }
    let nine: Vec<String> = (0..9).map(|at| format!("{}{at:02}", &KEY[..62])).collect();
    assert!(refusal("SESSION_KEYS", &nine.join(",")).starts_with("SESSION_KEYS: a key ring holds at most 8"));
}

#[test]
fn session_keys_come_before_app_key() {
    let config = vars(&[("APP_KEY", OTHER), ("SESSION_KEYS", KEY)]).unwrap();
    assert_eq!(*config.keys[0].expose_secret_hex(), KEY);
}

#[test]
fn an_unknown_session_variable_is_a_typing_error_and_nobody_elses_variables_are() {
    for (name, meant) in [
        ("SESSION_COOKIE_SAMESITE", "SESSION_COOKIE_SAME_SITE"),
        ("SESSION_AEG", "SESSION_AGE"),
        ("SESSION_KEY", "SESSION_KEYS"),
        ("SESSION_DRIVERS", "SESSION_DRIVER"),
    ] {
        assert_eq!(
            refusal(name, "x"),
            format!(
                "unknown setting {name} (did you mean {meant}?); docs/configuration.md lists all settings"
            )
        );
    }
    // Nothing but the prefix in common with any setting.
    for name in ["SESSION_WHATEVER_ELSE", "SESSION_URL", "SESSION_TTL"] {
        assert_eq!(
            refusal(name, "x"),
            format!("unknown setting {name}; docs/configuration.md lists all settings")
        );
    }
    let others = [
        ("SESSION_MANAGER", "local/x"),
        ("SESSION_TEST_REDIS_URL", ""),
        ("PATH", ""),
        ("SESSIONS", "x"),
        ("REDIS_URL", ""),
    ];
    vars(&others).unwrap();
}

#[test]
fn what_kubernetes_sets_for_a_service_is_no_setting() {
    let links = [
        ("SESSION_REDIS_SERVICE_HOST", "10.96.4.11"),
        ("SESSION_REDIS_SERVICE_PORT", "6379"),
        ("SESSION_REDIS_SERVICE_PORT_REDIS", "6379"),
        ("SESSION_REDIS_PORT", "tcp://10.96.4.11:6379"),
        ("SESSION_REDIS_PORT_6379_TCP", "tcp://10.96.4.11:6379"),
        ("SESSION_REDIS_PORT_6379_TCP_PROTO", "tcp"),
        ("SESSION_REDIS_PORT_6379_TCP_PORT", "6379"),
        ("SESSION_REDIS_PORT_6379_TCP_ADDR", "10.96.4.11"),
        ("SESSION_OPTION_SERVICE_HOST", "10.96.4.12"),
        ("SESSION_PORT", "tcp://10.96.4.13:80"),
    ];
    let config = vars(&[&[("SESSION_DRIVER", "memory")], &links[..]].concat()).unwrap();
    assert_eq!(config.driver.as_deref(), Some("memory"));
    for (name, value) in
        [("SESSION_REDIS_PORT", "6379"), ("SESSION_REDIS_HOST", "10.96.4.11"), ("SESSION_PORT", "80")]
    {
        let message = refusal(name, value);
        assert!(message.starts_with(&format!("unknown setting {name}")), "{message}");
    }
}

#[test]
fn the_variables_of_another_store_are_checked_where_they_are_ours_and_then_ignored() {
    let config =
        vars(&[("SESSION_DRIVER", "memory"), ("SESSION_FILE_LOCATION", "/x"), ("DATABASE_URL", "nonsense")])
            .unwrap();
    assert_eq!(config.store().unwrap().location, None);
    assert!(vars(&[("SESSION_DRIVER", "memory"), ("SESSION_PREFIX", "a b")]).is_err());
}

#[test]
fn dynamodb_takes_the_variables_of_aws() {
    let config = vars(&[
        ("SESSION_DRIVER", "dynamodb"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:8000/"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "me"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
    ])
    .unwrap();
    let store = config.store().unwrap();
    assert_eq!(store.endpoint.as_deref(), Some("http://127.0.0.1:8000"));
    assert_eq!((store.region.as_str(), store.access_key_id.as_deref()), ("eu-central-1", Some("me")));
    assert!(!format!("{config:?}").contains("hunter2"));
    let bad =
        vars(&[("SESSION_DRIVER", "dynamodb"), ("AWS_ENDPOINT_URL_DYNAMODB", "https://aws")]).unwrap_err();
    assert!(
        bad.to_string()
            .starts_with("AWS_ENDPOINT_URL_DYNAMODB = \"https://aws\" is not allowed; allowed: http://")
    );
}

#[test]
fn toml_and_json_say_the_same_as_the_environment() {
    let text = format!(
        "driver = 'main'\nkeys = ['{KEY}']\nage = 1800\nabsolute = 'never'\neager = true\nmax_record = 4096\n\
         secret_fields = ['pin']\n[cookie]\nname = 'sid'\nsame_site = 'strict'\nsecure = true\n\
         [stores.main]\ndriver = 'file'\nlocation = '/x'\ntimeout = '500ms'\n[stores.redis]\nurl = 'redis://h'"
    );
    let json = format!(
        r#"{{"driver":"main","keys":"{KEY}","age":"30 min","absolute":"never","eager":true,"max_record":"4 KiB",
            "secret_fields":["pin"],"cookie":{{"name":"sid","same_site":"strict"}},
            "stores":{{"main":{{"driver":"file","location":"/x","timeout":"500ms"}},"redis":{{"url":"redis://h"}}}}}}"#
    );
    let toml: SessionConfig = toml::from_str(&text).unwrap();
    let json: SessionConfig = serde_json::from_str(&json).unwrap();
    assert_eq!(format!("{toml:?}"), format!("{json:?}"));
    assert_eq!((toml.age.as_secs(), toml.absolute, toml.cookie.same_site), (1_800, None, SameSite::Strict));
    let store = toml.store().unwrap();
    assert_eq!(
        (store.driver.as_str(), store.timeout.as_millis(), store.max_record),
        ("file", 500, Some(4_096))
    );
    assert_eq!(toml.named_store("redis").unwrap().driver, "redis");
    let over = toml.with_vars([("SESSION_DRIVER", "redis"), ("SESSION_AGE", "1h")]).unwrap();
    assert_eq!((over.store().unwrap().url.unwrap().expose(), over.age.as_secs()), ("redis://h", 3_600));
}

#[test]
fn a_mistake_in_a_file_names_key_value_and_what_is_allowed() {
    for (text, words) in [
        (
            "age = '500ms'",
            "age = \"500ms\" is not allowed; allowed: whole seconds, 1 or more, such as 2h, 30 min, 7d, or a bare number of seconds",
        ),
        (
            "age = 0",
            "age = 0 is not allowed; allowed: whole seconds, 1 or more, such as 2h, 30 min, 7d, or a bare number of seconds",
        ),
        (
            "age = 1.5",
            "age = 1.5 is not allowed; allowed: whole seconds, 1 or more, such as 2h, 30 min, 7d, or a bare number of seconds",
        ),
        ("eager = 'perhaps'", "eager = \"perhaps\" is not allowed; allowed: true or false"),
        ("cookie.same_site = 'x'", "cookie.same_site = \"x\" is not allowed; allowed: strict, lax or none"),
        (
            "cookie.samesite = 'x'",
            "unknown setting cookie.samesite (did you mean cookie.same_site?); docs/configuration.md lists all settings",
        ),
        ("aeg = 1", "unknown setting aeg; docs/configuration.md lists all settings"),
        ("cookie = 1", "cookie = a value of another type is not allowed; allowed: a table of settings"),
        (
            "stores.a.driver = 'memory'\nstores.a.url = 'x'",
            "stores.a.url does not apply to the driver memory; it applies to redis, redis-cluster, redis-sentinel, \
             postgres, mysql, sqlite, memcached, etcd",
        ),
        (
            "stores.redis.ulr = 'x'",
            "unknown setting stores.redis.ulr; docs/configuration.md lists all settings",
        ),
        (
            "stores.memory.timeout = '1h'",
            "stores.memory.timeout = \"1h\" is not allowed; allowed: 1ms to 5min, such as 500ms, 2s, or a bare number of seconds",
        ),
    ] {
        let error = toml::from_str::<SessionConfig>(text).unwrap_err();
        assert_eq!(error.message(), words, "{text}");
    }
}

#[test]
fn no_format_shows_a_secret_that_is_wrong() {
    let text = "driver = 'x'\nkeys = ['hunter2hunter2']\n";
    assert!(!toml::from_str::<SessionConfig>(text).unwrap_err().message().contains("hunter2"));
    let json = r#"{"stores":{"redis":{"url":7}}}"#;
    let words = serde_json::from_str::<SessionConfig>(json).unwrap_err().to_string();
    assert!(words.starts_with("the value of stores.redis.url is not allowed (and not shown"), "{words}");
}

#[test]
fn a_store_is_named_by_one_text() {
    for (text, driver) in [
        ("memory", "memory"),
        ("cookie", "cookie"),
        ("file:/var/lib/shop", "file"),
        ("redis://127.0.0.1:6379", "redis"),
        ("rediss://127.0.0.1:6379", "redis"),
        ("redis-cluster://127.0.0.1:7001,127.0.0.1:7002", "redis-cluster"),
        ("redis-sentinel://127.0.0.1:26379,127.0.0.1:26380/main", "redis-sentinel"),
        ("rediss-sentinel://127.0.0.1:26379/main/1", "redis-sentinel"),
        ("memcached://127.0.0.1:11211", "memcached"),
        ("etcd://127.0.0.1:2379,127.0.0.1:2381", "etcd"),
        ("dynamodb://127.0.0.1:8000/sessions", "dynamodb"),
        ("postgres://u:p@h/d", "postgres"),
        ("postgresql://u:p@h/d", "postgres"),
        ("mysql://u:p@h/d", "mysql"),
        ("sqlite:/x/y.db", "sqlite"),
        ("redb:/x/y.redb", "redb"),
    ] {
        assert_eq!(StoreConfig::from_url(text).unwrap().driver, driver, "{text}");
    }
    for text in [
        "",
        "file:",
        "redb:",
        "sqlite:",
        "redis",
        "redis:",
        "redis://",
        "http://h",
        "hunter2://x",
        "dynamodb://h:1",
        "dynamodb://h/t",
        "mysql:x",
        "memory:",
    ] {
        let words = StoreConfig::from_url(text).unwrap_err().to_string();
        assert!(words.starts_with("the value of the store is not allowed (and not shown"), "{words}");
        assert!(
            words.contains("postgres://USER@HOST:PORT/DATABASE") && !words.contains("hunter2"),
            "{words}"
        );
    }
}
