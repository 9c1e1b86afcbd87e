//! The store suite on a real server, each case under its own prefix; and on a server with fewer features.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::net::TcpListener;
use std::time::Duration;

use crate::common::{Bench, Wire};
use session_conformance::{Damage, DamageKind, Fixture, cases};
use session_core::store::{StoreKey, async_trait};
use session_store_dynamodb::DynamoDbStore;
use session_store_dynamodb::aws_sdk_dynamodb::Client;
use session_store_dynamodb::aws_sdk_dynamodb::types::AttributeValue;

struct Scribble {
    client: Client,
    table: String,
    prefix: String,
}

#[async_trait]
impl Damage for Scribble {
    async fn damage(&self, key: &StoreKey, kind: DamageKind) {
        let (name, value) = match kind {
            DamageKind::NewerFormat => ("format_version", AttributeValue::N("2".into())),
            DamageKind::Truncate => {
                ("payload", AttributeValue::S(self.payload(key, |text| text.truncate(3)).await))
            }
            DamageKind::FlipBit => {
                let flip = |text: &mut Vec<u8>| text[0] ^= 1;
                ("payload", AttributeValue::S(self.payload(key, flip).await))
            }
            _ => ("etag", AttributeValue::Bool(true)),
        };
        let update = self.client.update_item().table_name(&self.table);
        let update = update.key("pk", AttributeValue::S(format!("{}:s:{key}", self.prefix)));
        let update = update.key("sk", AttributeValue::S("session".into()));
        let update = update.update_expression(format!("SET {name} = :value"));
        update.expression_attribute_values(":value", value).send().await.unwrap();
    }
}

impl Scribble {
    /// What the session's payload is after this was done to it.
    async fn payload(&self, key: &StoreKey, change: impl FnOnce(&mut Vec<u8>)) -> String {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("pk", AttributeValue::S(format!("{}:s:{key}", self.prefix)));
        let item = get.key("sk", AttributeValue::S("session".into())).send().await.unwrap().item.unwrap();
        let mut bytes = item["payload"].as_s().unwrap().clone().into_bytes();
        change(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }
}

fn fixture_of(bench: Bench) -> Fixture {
    let Bench { client, table, prefix, .. } = &bench;
    let damage = Scribble { client: client.clone(), table: table.clone(), prefix: prefix.clone() };
    let (again, at) = (bench.again(), format!("{} {table} {prefix}", bench.host_port));
    Fixture::new(bench.store.clone())
        .reopen(move || std::future::ready(again.clone().build().unwrap()))
        .shared(at, |at| async move {
            let [host_port, table, prefix] = at.split(' ').collect::<Vec<_>>()[..] else { panic!("{at}") };
            let client = crate::common::client(host_port, None, 3);
            DynamoDbStore::new(client, table).prefix(prefix).deadline(crate::common::MINUTE).build().unwrap()
        })
        .stalled(BRIEF, || async {
            let silent = TcpListener::bind("127.0.0.1:0").unwrap();
            let client = crate::common::client(&silent.local_addr().unwrap().to_string(), None, 3);
            let store = DynamoDbStore::new(client, "sessions").prefix("p").deadline(BRIEF).build().unwrap();
            Fixture::new(store).with_guard(silent)
        })
        .with_damage(damage)
        // The index may name too many sessions; they are dropped from it when it is next read.
        .without_owner_entries()
        .without_sweep()
        .with_guard(bench)
}

const BRIEF: Duration = Duration::from_millis(200);

mod with_transactions {
    use super::*;

    async fn fixture() -> Fixture {
        fixture_of(Bench::with(Wire::default()).await)
    }

    session_conformance::store_suite!(fixture);
}

/// No item comes with a refusal, and there are no transactions: as on dynalite and some others. What remains is every
/// case but the one that a rotation is one step to whoever reads both keys.
mod knowing_less {
    use super::*;

    async fn check(third: usize) {
        for case in cases().iter().filter(|case| case.name() != NOT_IN_STEPS).skip(third).step_by(3) {
            println!("{}", case.name());
            case.run(fixture().await.rounds(10)).await;
        }
    }

    /// A second opinion, where somebody runs one: `SESSION_TEST_DYNALITE_URL=dynamodb://127.0.0.1:4567/sessions`.
    async fn fixture() -> Fixture {
        fixture_of(match std::env::var("SESSION_TEST_DYNALITE_URL") {
            Ok(url) => Bench::at(&url, Wire::default()).await,
            Err(_) => Bench::with(Wire { knows_less: true, ..Wire::default() }).await,
        })
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn one_third_of_the_other_cases_holds() {
        check(0).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn another_third_of_the_other_cases_holds() {
        check(1).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn the_last_third_of_the_other_cases_holds() {
        check(2).await;
    }

    const NOT_IN_STEPS: &str = "a_rotation_is_one_step_to_a_reader";
}
