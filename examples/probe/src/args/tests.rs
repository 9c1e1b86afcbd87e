//! Claims about the command line.

use session_core::SecretKey;

use super::*;

const BASE: &str = "--adapter axum --store memory --listen 127.0.0.1:0";

fn parse(line: &str) -> Result<Args, String> {
    Args::parse(line.split(' ').map(str::to_owned)).map_err(|refused| match refused {
        Refused::Asked(text) => text,
        Refused::Wrong(flag) => flag.to_string(),
    })
}

fn settings(flags: &str) -> Settings {
    match parse(&format!("{BASE} {flags}")).unwrap().rules {
        Rules::Flags(settings) => *settings,
        Rules::Environment => panic!("nobody asked for the environment"),
    }
}

fn key() -> String {
    SecretKey::generate().unwrap().expose_secret_hex().to_string()
}

#[test]
fn every_adapter_has_a_name_and_a_baseline() {
    for (name, adapter) in [("axum", Adapter::Axum), ("actix", Adapter::Actix), ("hyper", Adapter::Hyper)] {
        let rest = "--store memory --listen 127.0.0.1:0";
        let with = parse(&format!("--adapter {name} {rest}")).unwrap();
        assert_eq!((with.adapter, with.bare), (adapter, false));
        let without = parse(&format!("--adapter none-{name} {rest}")).unwrap();
        assert_eq!((without.adapter, without.bare), (adapter, true));
    }
}

#[test]
fn without_a_flag_the_library_decides() {
    let args = parse(BASE).unwrap();
    assert_eq!((args.threads, args.listen), (None, "127.0.0.1:0".parse().unwrap()));
    let settings = settings("--eager");
    assert_eq!((settings.age, settings.absolute, settings.max_record), (None, None, None));
    assert_eq!(settings.store.timeout, StoreConfig::new("memory").timeout);
    assert_eq!((settings.cookie.as_str(), settings.keys.len()), ("sid", 0));
    assert!(!settings.commit_on_error && !settings.encrypt_at_rest);
}

#[test]
fn every_flag_is_taken() {
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    assert_eq!(parse(&format!("{BASE} --threads 3")).unwrap().threads, Some(3));
    assert_eq!(settings("--age 3h").age, Some(hours(3)));
    assert_eq!(settings("--age 90").age, Some(Duration::from_secs(90)));
    assert_eq!(settings("--absolute 12h").absolute, Some(Some(hours(12))));
    assert_eq!(settings("--absolute never").absolute, Some(None));
    assert_eq!(settings("--cookie shop").cookie, "shop");
    assert_eq!(settings("--store-timeout 5s").store.timeout, Duration::from_secs(5));
    assert_eq!(settings("--store-timeout 250ms").store.timeout, Duration::from_millis(250));
    let limited = settings("--max-record 100");
    assert_eq!((limited.max_record, limited.store.max_record), (Some(100), Some(100)));
    assert_eq!(settings("--near-cache 1000").store.client_cache, Some(1000));
    assert!(settings("--eager").eager);
    assert!(settings("--commit-on-error").commit_on_error);
    assert!(settings("--encrypt-at-rest").encrypt_at_rest);
    assert_eq!(settings("--eager").bind_to_device, None);
    assert_eq!(settings("--bind-to-device").bind_to_device, Some(Duration::from_secs(300)));
    assert_eq!(settings("--bind-to-device=10s --eager").bind_to_device, Some(Duration::from_secs(10)));
    let tls = parse(&format!("{BASE} --tls cert.pem key.pem")).unwrap().tls;
    assert_eq!(tls, Some(["cert.pem".into(), "key.pem".into()]));
    assert_eq!(settings("--prefix shop").store.prefix, "shop");
    let (one, other) = (key(), key());
    assert_eq!(settings(&format!("--key {one} --key {other}")).keys.len(), 2);
}

#[test]
fn stores_are_told_apart() {
    for (text, driver) in [
        ("memory", "memory"),
        ("cookie", "cookie"),
        ("file:/tmp/a", "file"),
        ("redis://a:1", "redis"),
        ("redis-cluster://a:1,b:2", "redis-cluster"),
        ("dynamodb://a:1/t", "dynamodb"),
        ("postgres://a/b", "postgres"),
        ("mysql://a/b", "mysql"),
        ("sqlite:/tmp/a", "sqlite"),
    ] {
        assert_eq!(store(text).unwrap().driver, driver);
    }
    for wrong in ["", "disk", "memory:x", "file:", "redis:x", "dynamodb://a:1", "sqlite:"] {
        assert!(store(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_wrong_flag_is_named_with_its_value_and_what_is_allowed() {
    for (flags, names) in [
        ("--age 500ms", &["--age", "500ms", "2h"][..]),
        ("--absolute 1mo", &["--absolute", "1mo", "never"]),
        ("--store-timeout 0", &["--store-timeout", "\"0\"", "whole seconds"]),
        ("--threads 0", &["--threads", "\"0\"", "1024"]),
        ("--max-record 0", &["--max-record", "\"0\"", "bytes"]),
        ("--near-cache 0", &["--near-cache", "\"0\"", "sessions"]),
        ("--colour red", &["--colour", "--eager"]),
        ("--max-record", &["--max-record", "needs a value"]),
        ("--adapter axum", &["--adapter", "twice"]),
        ("--tls cert.pem", &["--tls", "two files"]),
        ("--bind-to-device=0", &["--bind-to-device", "\"0\"", "whole seconds"]),
        ("--eager --eager", &["--eager", "twice"]),
    ] {
        let error = parse(&format!("{BASE} {flags}")).unwrap_err();
        assert!(names.iter().all(|name| error.contains(name)), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
    for (line, names) in [
        ("--store memory --listen 127.0.0.1:0", ["--adapter is missing", "none-hyper"]),
        ("--adapter axum --listen 127.0.0.1:0", ["--store is missing", "sqlite:PATH"]),
        ("--adapter axum --store memory", ["--listen is missing", "127.0.0.1:8080"]),
        ("--adapter rocket --store memory --listen 127.0.0.1:0", ["--adapter \"rocket\"", "actix"]),
        ("--adapter axum --store disk --listen 127.0.0.1:0", ["--store \"disk\"", "file:DIR"]),
        ("--adapter axum --store memory --listen here", ["--listen \"here\"", "127.0.0.1:8080"]),
    ] {
        let error = parse(line).unwrap_err();
        assert!(names.iter().all(|name| error.contains(name)), "{error}");
    }
}

#[test]
fn the_environment_is_asked_only_when_it_is_said_and_then_alone() {
    let asked = parse("--from-env --adapter hyper --listen 127.0.0.1:0 --threads 2").unwrap();
    assert!(matches!((asked.rules, asked.threads), (Rules::Environment, Some(2))));
    let key = format!("--key {}", key());
    for flag in ["--store memory", "--cookie a", "--eager", "--age 2h", &key] {
        let error = parse(&format!("--from-env --adapter hyper --listen 127.0.0.1:0 {flag}")).unwrap_err();
        let name = flag.split(' ').next().unwrap();
        assert!(
            error.starts_with(name) && error.contains("--from-env") && error.contains("SESSION_"),
            "{error}"
        );
    }
}

#[test]
fn a_key_is_64_hex_digits_and_nothing_else() {
    let base64 = "nxwx1ajiS3eQvh1cg_omR8nYDjG09WpyGDzgnV-nsmQ=";
    let zeros = "0".repeat(64);
    for wrong in [base64, "c0ffee", &"g".repeat(64), &zeros] {
        let error = parse(&format!("{BASE} --key {wrong}")).unwrap_err();
        assert!(
            error.contains("--key") && error.contains("64 hex digits") && !error.contains(wrong),
            "{error}"
        );
    }
}

#[test]
fn no_password_is_ever_shown() {
    for url in ["pg://ada:pass@host/db", "ada:pass@host", "pass@host", "//ada:pass@host"] {
        let error = parse(&format!("--adapter axum --store {url} --listen 127.0.0.1:0")).unwrap_err();
        assert!(error.contains("--store") && !error.contains("pass"), "{error}");
    }
}

#[test]
fn help_and_version_are_answers_and_not_errors() {
    for (flag, says) in [("--help", "--encrypt-at-rest"), ("--version", env!("CARGO_PKG_VERSION"))] {
        let Err(Refused::Asked(text)) = Args::parse([flag.to_owned()]) else { panic!("{flag} is asked") };
        assert!(text.contains(says), "{text}");
    }
}
