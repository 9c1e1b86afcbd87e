//! The dashboard, the alert rules and the page on monitoring speak of metrics that exist, and of all of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use opentelemetry::trace::noop::NoopTracerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use serde_json::Value;
use session_core::Observer as _;
use session_core::store::SessionStore as _;
use session_opentelemetry::Telemetry;
use session_store_memory::MemoryStore;
use session_testkit::{Fault, FaultyStore};
use yaml_rust2::{Yaml, YamlLoader};

use crate::promql;
use crate::support::{Kept, events, key};

const DASHBOARD: &str = include_str!("../../grafana/sessions.json");
const ALERTS: &str = include_str!("../../prometheus/alerts.yml");
const MONITORING: &str = include_str!("../../../../docs/production.md");

/// What Prometheus reads from an application in which everything has happened: the names of metrics, and of labels.
async fn exported() -> (BTreeSet<String>, BTreeSet<String>) {
    let registry = prometheus::Registry::new();
    let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build().unwrap();
    let meters = SdkMeterProvider::builder().with_reader(exporter).build();
    let telemetry = Telemetry::new(&NoopTracerProvider::new(), &meters);
    let metrics = telemetry.metrics();
    events().iter().for_each(|event| metrics.observe(event));
    let inner = FaultyStore::new(MemoryStore::new());
    let store = telemetry.store(Arc::new(inner.clone()));
    store.load(&key(1)).await.unwrap();
    inner.fail(Fault::nth(1));
    assert!(store.load(&key(1)).await.is_err());
    let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    let (mut names, mut labels) = (BTreeSet::new(), BTreeSet::from(["job".to_owned()]));
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("target_info")) {
        let end = line.find(['{', ' ']).unwrap();
        names.insert(line[..end].to_owned());
        labels.extend(promql::names(&line[end..]));
    }
    (names, labels)
}

/// The expressions of all panels and variables.
fn dashboard() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let texts = targets
        .map(|target| &target["expr"])
        .chain(variables.iter().filter_map(|variable| variable.get("definition")));
    texts.map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn alerts() -> Vec<Yaml> {
    let file = YamlLoader::load_from_str(ALERTS).unwrap().remove(0);
    let groups = file["groups"].as_vec().unwrap().clone();
    groups.iter().flat_map(|group| group["rules"].as_vec().unwrap().clone()).collect()
}

#[tokio::test]
async fn every_name_on_the_dashboard_and_in_the_alerts_is_exported() {
    let (names, labels) = exported().await;
    let rules = alerts();
    let expressions = rules.iter().map(|rule| rule["expr"].as_str().unwrap().to_owned());
    let expressions: Vec<String> = dashboard().into_iter().chain(expressions).collect();
    assert!(expressions.len() > 30, "{expressions:?}");
    for expression in expressions {
        let named = promql::names(&expression);
        let unknown: Vec<_> =
            named.iter().filter(|name| !names.contains(*name) && !labels.contains(*name)).collect();
        assert!(unknown.is_empty(), "{unknown:?} in {expression}");
        assert!(named.iter().any(|name| names.contains(name)), "no metric in {expression}");
    }
}

#[tokio::test]
async fn every_metric_is_on_the_dashboard() {
    let (names, _) = exported().await;
    let shown: BTreeSet<String> = dashboard().iter().flat_map(|text| promql::names(text)).collect();
    let missing: Vec<_> = names.difference(&shown).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_panel_has_a_place_and_says_what_it_shows() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        let place = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(x < 24 && taken.insert((x, y)), "two panels in one place: {panel}");
            }
        }
        if panel["type"] != "row" {
            assert!(!panel["title"].as_str().unwrap().is_empty());
            assert!(panel["description"].as_str().unwrap().ends_with('.'), "{panel}");
            let targets = panel["targets"].as_array().unwrap();
            assert!(targets.iter().all(|target| target["datasource"]["uid"] == "${datasource}"), "{panel}");
        }
    }
}

#[test]
fn every_alert_says_how_bad_it_is_and_what_it_means() {
    let rules = alerts();
    assert!(rules.len() >= 10);
    for rule in rules {
        assert!(matches!(rule["labels"]["severity"].as_str(), Some("page" | "ticket")), "{rule:?}");
        for words in ["summary", "description"] {
            assert!(rule["annotations"][words].as_str().is_some_and(|text| text.len() > 20), "{rule:?}");
        }
    }
}

#[test]
fn every_metric_is_explained_to_operators() {
    let kept = Kept::new();
    let metrics = kept.telemetry.metrics();
    events().iter().for_each(|event| metrics.observe(event));
    for name in kept.metrics().keys().map(String::as_str).chain(["db.client.operation.duration"]) {
        assert!(MONITORING.contains(&format!("`{name}`")), "{name} is not explained");
    }
}
