//! What is counted and measured, under which names.

use std::collections::{BTreeMap, BTreeSet};

use session_core::store::{SessionStore, StoreErrorKind};
use session_core::{Event, Observer, SecretKey, Sessions};
use session_store_memory::MemoryStore;
use session_testkit::{Fault, TestClient};

use crate::support::{Kept, at, events, key, record};

/// The table of the README: for each metric, its unit and its attributes.
fn documented() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let readme = include_str!("../../README.md");
    let table = readme.split("| metric |").nth(1).unwrap().split("\n\n").next().unwrap();
    let ticked =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let rows = table.lines().skip(2).map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let attributes = ticked(cells[3]).into_iter().filter(|name| name.contains('.')).collect();
        (ticked(cells[1]).remove(0), (ticked(cells[2]).remove(0), attributes))
    });
    rows.collect()
}

#[tokio::test]
async fn every_event_and_call_is_counted_under_the_names_and_units_of_the_readme() {
    let kept = Kept::new();
    let metrics = kept.telemetry.metrics();
    events().iter().for_each(|event| metrics.observe(event));
    let (store, inner) = kept.store();
    inner.fail(Fault::nth(1));
    assert!(store.load(&key(1)).await.is_err());
    let exported = kept.metrics();
    let found: BTreeMap<_, _> = exported
        .iter()
        .map(|(name, metric)| (name.clone(), (metric.unit.clone(), metric.attributes())))
        .collect();
    assert_eq!(found, documented());
    assert!(exported.values().all(|metric| metric.description.ends_with('.')), "{exported:?}");
}

#[test]
fn no_event_is_left_out() {
    for event in events() {
        let kept = Kept::new();
        let metrics = kept.telemetry.metrics();
        let total = |kept: &Kept| -> u64 {
            kept.metrics().values().flat_map(|metric| &metric.points).map(|(_, value)| value).sum()
        };
        assert_eq!(total(&kept), 0, "zeros to begin with");
        metrics.observe(&event);
        let expected = match event {
            Event::DuplicateCookies(cookies) | Event::IgnoredCookies(cookies) => cookies as u64,
            Event::Conflict(conflicts) => conflicts.into(),
            _ => 1,
        };
        assert_eq!(total(&kept), expected, "{event:?}");
    }
}

#[test]
fn reasons_kinds_and_systems_are_attributes() {
    let kept = Kept::new();
    let metrics = kept.telemetry.metrics();
    events().iter().for_each(|event| metrics.observe(event));
    let exported = kept.metrics();
    let reason = "web_session.reason";
    for (name, attributes, value) in [
        ("web_session.opened", &[("web_session.fresh", "true")][..], 1),
        ("web_session.ended", &[(reason, "destroyed")], 1),
        ("web_session.ended", &[(reason, "expired")], 1),
        ("web_session.dropped", &[(reason, "gone")], 1),
        ("web_session.conflicts", &[], 4),
        ("web_session.failures", &[("error.type", "too_large")], 1),
        ("web_session.store.errors", &[("db.system.name", "postgresql"), ("error.type", "timeout")], 1),
        ("web_session.cookie.rejected", &[(reason, "unknown_key")], 1),
        ("web_session.cookie.surplus", &[(reason, "ignored")], 3),
        ("web_session.import.refused", &[(reason, "forged")], 1),
        ("web_session.flash.dropped", &[(reason, "input")], 1),
        ("web_session.device.unproven", &[(reason, "stale")], 1),
        ("web_session.device.refused", &[(reason, "replayed")], 1),
    ] {
        assert_eq!(exported[name].value(attributes), Some(value), "{name} {:?}", exported[name]);
    }
}

#[tokio::test]
async fn the_first_event_of_a_kind_is_an_increase() {
    let kept = Kept::new();
    let _metrics = kept.telemetry.metrics();
    let (_store, _) = kept.store();
    let exported = kept.metrics();
    let zero = |name: &str, attributes| assert_eq!(exported[name].value(attributes), Some(0), "{name}");
    zero("web_session.record.corrupt", &[]);
    zero("web_session.failures", &[("error.type", "contended")]);
    zero("web_session.cookie.surplus", &[("web_session.reason", "ignored")]);
    zero("web_session.cookie.rejected", &[("web_session.reason", "unknown_key")]);
    zero("web_session.store.errors", &[("db.system.name", "memory"), ("error.type", "unavailable")]);
}

#[tokio::test]
async fn calls_are_measured_in_seconds_by_operation_and_error() {
    let kept = Kept::new();
    let (store, inner) = kept.store();
    for byte in 1..=3 {
        store.create(&key(byte), &record(), at(1)).await.unwrap();
    }
    store.owners().unwrap().count("ada", at(1)).await.unwrap();
    inner.fail(Fault::nth(1).kind(StoreErrorKind::Timeout));
    assert!(store.load(&key(1)).await.is_err());
    let duration = &kept.metrics()["db.client.operation.duration"];
    assert_eq!(duration.unit, "s");
    assert_eq!(duration.bounds[..9], [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0]);
    let of = |operation, error: Option<&'static str>| {
        let mut attributes = vec![("db.system.name", "memory"), ("db.operation.name", operation)];
        attributes.extend(error.map(|error| ("error.type", error)));
        duration.value(&attributes)
    };
    assert_eq!(of("session.create", None), Some(3));
    assert_eq!(of("session.count", None), Some(1));
    assert_eq!(of("session.load", Some("timeout")), Some(1));
    assert_eq!(of("session.load", None), None);
}

#[tokio::test]
async fn a_configuration_is_instrumented_in_one_call_and_nothing_says_whose_session_it_is() {
    let kept = Kept::new();
    let builder = Sessions::builder().store(MemoryStore::new()).key(SecretKey::generate().unwrap());
    let sessions = kept.telemetry.instrument(builder).build().unwrap();
    let mut ada = TestClient::new(&sessions);
    ada.as_user("canary-user").await;
    ada.with_session(serde_json::json!({ "canary-key": "canary-value" })).await;
    let cookie = ada.cookie().unwrap();
    let device = sessions.of("canary-user").list().await.unwrap().remove(0);
    sessions.of("canary-user").destroy(device.handle).await.unwrap();
    let exported = kept.metrics();
    assert_eq!(exported["web_session.created"].value(&[]), Some(1), "{exported:?}");
    assert!(exported.contains_key("db.client.operation.duration"));
    let everything = kept.everything();
    let seal = cookie.split('=').nth(1).unwrap();
    for secret in ["canary", seal, &device.handle.to_string()] {
        assert!(!everything.contains(secret), "{secret} is in {everything}");
    }
    assert!(everything.contains("session.destroy"), "{everything}");
}

#[tokio::test]
async fn sessions_in_cookies_are_counted_too() {
    let kept = Kept::new();
    let builder = Sessions::builder().in_cookie().key(SecretKey::generate().unwrap());
    let sessions = kept.telemetry.instrument(builder).build().unwrap();
    assert!(sessions.store().is_none());
    TestClient::new(&sessions).with_session(serde_json::json!({ "theme": "dark" })).await;
    assert_eq!(kept.metrics()["web_session.opened"].value(&[("web_session.fresh", "true")]), Some(1));
}
