//! The items in the table: expiry times that DynamoDB acts on, readable text, and no data of ended sessions.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use crate::common::*;
use session_core::{
    Timestamp,
    store::{Loaded, OwnerIndex, SessionStore, StoreErrorKind, Written},
};

#[tokio::test]
async fn st_10_peers_27_every_item_has_a_ttl_in_seconds_a_minute_behind_its_deadline() {
    let bench = Bench::new().await;
    let store = &bench.store;
    let (a, b, c, until) = (key(), key(), key(), NOW.plus(MINUTE));
    let (first, second) = (owned("ada"), owned("ada"));
    applied(store.create(&a, &first, NOW).await);
    applied(store.rotate(&a, first.etag, &b, &second, NOW, until).await);
    applied(store.create(&c, &record(HOUR), NOW).await);
    store.destroy(&c, until).await.unwrap();
    let items = bench.items().await;
    assert_eq!(items.len(), 5, "two entries, a record, two tombstones");
    for item in &items {
        let ttl: i64 = item["expires_at"].as_n().unwrap().parse().unwrap();
        let from_now = ttl - NOW.as_millis() / 1_000;
        assert!((60..=24 * 3_600 + 61).contains(&from_now), "{from_now} s from now: {item:?}");
    }
}

#[tokio::test]
async fn a_touch_moves_the_ttl_with_the_deadline() {
    let bench = Bench::new().await;
    let (key, first) = (key(), record(MINUTE));
    applied(bench.store.create(&key, &first, NOW).await);
    applied(bench.store.touch(&key, Timestamp::from_millis(NOW.as_millis() + 3_600_001), NOW).await);
    let ttl: i64 = bench.items().await[0]["expires_at"].as_n().unwrap().parse().unwrap();
    assert_eq!(ttl, (NOW.as_millis() + 3_600_001) / 1_000 + 1 + 60);
}

#[tokio::test]
async fn a_json_session_is_text_and_any_other_is_bytes() {
    let bench = Bench::new().await;
    let (text, bytes) = (key(), key());
    applied(bench.store.create(&text, &record(HOUR), NOW).await);
    let sealed = record(HOUR).with_payload(vec![0xff, 0x00, 0x80].into());
    applied(bench.store.create(&bytes, &sealed, NOW).await);
    let items = bench.items().await;
    let payload = |key: &session_core::store::StoreKey| {
        let mine = |item: &&std::collections::HashMap<_, _>| {
            let pk: &session_store_dynamodb::aws_sdk_dynamodb::types::AttributeValue = &item["pk"];
            pk.as_s().unwrap().ends_with(&key.to_string())
        };
        items.iter().find(mine).unwrap()["payload"].clone()
    };
    assert_eq!(payload(&text).as_s().unwrap(), r#"{"cart":[1,2]}"#);
    assert_eq!(payload(&bytes).as_b().unwrap().as_ref(), [0xff, 0x00, 0x80]);
    assert_eq!(found(bench.store.load(&bytes).await), sealed);
}

#[tokio::test]
async fn a_tombstone_keeps_nothing_of_the_session() {
    let bench = Bench::new().await;
    let (key, until) = (key(), NOW.plus(MINUTE));
    applied(bench.store.create(&key, &record(HOUR), NOW).await);
    bench.store.destroy(&key, until).await.unwrap();
    let items = bench.items().await;
    let mut names: Vec<_> = items[0].keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["expires_at", "format_version", "gone_until", "pk", "sk"]);
}

#[tokio::test]
async fn create_table_may_be_asked_again_and_refuses_another_key_schema() {
    use session_store_dynamodb::DynamoDbStore;
    use session_store_dynamodb::aws_sdk_dynamodb::types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    };
    let bench = Bench::new().await;
    bench.store.create_table().await.unwrap();
    let ttl = bench.client.describe_time_to_live().table_name(&bench.table).send().await.unwrap();
    assert_eq!(ttl.time_to_live_description.unwrap().attribute_name.unwrap(), "expires_at");

    let other = format!("other-{}", unique());
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
    let create = bench.client.create_table().table_name(&other).billing_mode(BillingMode::PayPerRequest);
    create.attribute_definitions(id.build().unwrap()).key_schema(key.build().unwrap()).send().await.unwrap();
    let store = DynamoDbStore::new(bench.client.clone(), other).build().unwrap();
    assert_eq!(store.create_table().await.unwrap_err().kind(), session_core::store::StoreErrorKind::Refused);
}

#[tokio::test]
async fn destroy_all_ends_hundreds_of_sessions_and_spares_the_one_named() {
    let bench = Bench::new().await;
    let (store, until) = (&bench.store, NOW.plus(MINUTE));
    let mut keys = Vec::new();
    for _ in 0..230 {
        let key = key();
        applied(store.create(&key, &owned("ada"), NOW).await);
        keys.push(key);
    }
    let bobs = key();
    applied(store.create(&bobs, &owned("bob"), NOW).await);
    assert_eq!(store.count("ada", NOW).await.unwrap(), 230);
    assert_eq!(store.destroy_all("ada", Some(&keys[7]), NOW, until).await.unwrap(), 229);
    let left = store.list("ada", NOW).await.unwrap();
    assert_eq!(left.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [keys[7]]);
    assert_eq!(store.count("bob", NOW).await.unwrap(), 1);
}

#[tokio::test]
async fn a_session_that_rotates_while_all_are_ended_is_ended_or_listed() {
    let bench = Bench::new().await;
    for _ in 0..20 {
        let (store, until) = (bench.store.clone(), NOW.plus(MINUTE));
        let owner = format!("user-{}", unique());
        let (mut at, mut record) = (key(), owned(&owner));
        applied(store.create(&at, &record, NOW).await);
        let restless = {
            let (store, owner) = (store.clone(), owner.clone());
            tokio::spawn(async move {
                let mut stations = vec![at];
                for _ in 0..8 {
                    let (next, moved) = (key(), owned(&owner));
                    match store.rotate(&at, record.etag, &next, &moved, NOW, until).await.unwrap() {
                        Written::Applied => (at, record) = (next, moved),
                        Written::Gone => break,
                        other => panic!("{other:?}"),
                    }
                    stations.push(at);
                }
                stations
            })
        };
        store.destroy_all(&owner, None, NOW, until).await.unwrap();
        // It may have come to rest before all were ended: then its last station was ended as well.
        let mut alive = Vec::new();
        for station in restless.await.unwrap() {
            if let Loaded::Found(_) = store.load(&station).await.unwrap() {
                alive.push(station);
            }
        }
        let listed: Vec<_> = store.list(&owner, NOW).await.unwrap().into_iter().map(|(key, _)| key).collect();
        assert_eq!(listed, alive);
        assert!(alive.len() <= 1);
    }
}

#[tokio::test]
async fn st_9_the_largest_record_fits_into_an_item_and_one_byte_more_makes_no_call() {
    const MOST: usize = 390 * 1024;
    let bench = Bench::new().await;
    let store = bench.again().max_record(MOST).build().unwrap();
    // The owner's name counts, wherever else it stands.
    for owner in [String::new(), "ada".to_owned(), "x".repeat(3_000)] {
        let full = |bytes: usize| {
            record(HOUR)
                .with_owner((!owner.is_empty()).then(|| owner.as_str().into()))
                .with_payload(vec![b'x'; bytes - owner.len()].into())
        };
        let (old, new, first, second) = (key(), key(), full(MOST), full(MOST));
        applied(store.create(&old, &first, NOW).await);
        assert_eq!(found(store.load(&old).await), first);
        applied(store.rotate(&old, first.etag, &new, &second, NOW, NOW.plus(MINUTE)).await);
        applied(store.replace(&new, second.etag, &full(MOST), NOW).await);
        bench.wire.taken();
        let refused = store.create(&key(), &full(MOST + 1), NOW).await.unwrap_err().kind();
        assert_eq!(refused, StoreErrorKind::TooLarge { size: MOST + 1, limit: MOST });
        assert_eq!(bench.wire.taken(), [""; 0]);
    }
}
