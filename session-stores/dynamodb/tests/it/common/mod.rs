//! Shared by the tests: a real server, a client that counts its requests, records and keys.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part")]

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Config, ConfigBag, Credentials, Intercept, Region, RuntimeComponents, SharedInterceptor,
};
use aws_sdk_dynamodb::error::BoxError;
use session_core::{
    Timestamp,
    store::{Etag, Loaded, Record, SessionStore, StoreKey, Written},
};
use session_store_dynamodb::{Builder, DynamoDbStore, aws_sdk_dynamodb};
use session_test_servers::{Kind, Shared, shared};

/// A moment that is neither small nor now.
pub const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_123);
pub const HOUR: Duration = Duration::from_secs(3_600);
pub const MINUTE: Duration = Duration::from_secs(60);

/// The server, the watched client and the store on it, under a prefix of its own, with a deadline that a busy machine
/// keeps: what the deadline does is told by the tests about faults.
pub struct Bench {
    pub store: DynamoDbStore,
    pub client: Client,
    pub table: String,
    pub prefix: String,
    pub host_port: String,
    pub wire: Arc<Wire>,
}

impl Bench {
    pub async fn new() -> Self {
        Self::with(Wire::default()).await
    }

    pub async fn with(wire: Wire) -> Self {
        static SERVER: LazyLock<Shared> = LazyLock::new(|| shared(Kind::DynamoDb));
        Self::at(SERVER.url(), wire).await
    }

    pub async fn at(url: &str, wire: Wire) -> Self {
        let wire = Arc::new(wire);
        let (host_port, table) = split(url);
        let client = client(&host_port, Some(Arc::clone(&wire)), 3);
        let prefix = fresh_prefix();
        let store =
            DynamoDbStore::new(client.clone(), &table).prefix(&prefix).deadline(MINUTE).build().unwrap();
        store.create_table().await.unwrap();
        wire.calls.lock().unwrap().clear();
        Self { store, client, table, prefix, host_port, wire }
    }

    /// Another store on the same data.
    pub fn again(&self) -> Builder {
        DynamoDbStore::new(self.client.clone(), &self.table).prefix(&self.prefix).deadline(MINUTE)
    }

    /// What stands in the table under this prefix.
    pub async fn items(
        &self,
    ) -> Vec<std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>> {
        let scan = self.client.scan().table_name(&self.table).consistent_read(true);
        let items = scan.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.unwrap();
        let begin = format!("{}:", self.prefix);
        items.into_iter().filter(|item| item["pk"].as_s().is_ok_and(|pk| pk.starts_with(&begin))).collect()
    }

    /// Makes this store meet an item that came with a refusal, after which it trusts the server to bring them.
    pub async fn learn(&self) {
        let (key, first) = (key(), record(HOUR));
        applied(self.store.create(&key, &first, NOW).await);
        let refused = self.store.replace(&key, Etag::new(0), &record(HOUR), NOW).await.unwrap();
        assert_eq!(refused, Written::Conflict(first));
        self.wire.calls.lock().unwrap().clear();
    }
}

/// What passes between the client and the server, and what is done to it.
#[derive(Debug, Default)]
pub struct Wire {
    /// The operations sent, every attempt of every call.
    pub calls: Mutex<Vec<String>>,
    /// The server gives no item with a refused condition and knows no transactions.
    pub knows_less: bool,
    /// So many answers from now on are lost, of calls that the server has done.
    pub lose: AtomicUsize,
    /// The answer to the call with this number (from 1) is lost, unless it is 0.
    pub lose_nth: AtomicUsize,
}

impl Wire {
    /// The operations sent since last asked.
    pub fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

impl Intercept for Wire {
    fn name(&self) -> &'static str {
        "wire"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let target = request.headers().get("x-amz-target").unwrap_or("").to_owned();
        let operation = target.rsplit('.').next().unwrap_or("").to_owned();
        if self.knows_less {
            if operation == "TransactWriteItems" {
                request.headers_mut().insert("x-amz-target", "DynamoDB_20120810.NoSuchOperation");
            }
            // The same length, so that the header stays true.
            let body = std::str::from_utf8(request.body().bytes().unwrap_or_default()).unwrap();
            let less = body.replace(
                r#""ReturnValuesOnConditionCheckFailure":"ALL_OLD""#,
                r#""ReturnValuesOnConditionCheckFailure":"NONE"   "#,
            );
            *request.body_mut() = less.into();
        }
        self.calls.lock().unwrap().push(operation);
        Ok(())
    }

    fn read_after_transmit(
        &self,
        _: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let nth = self.lose_nth.load(Ordering::SeqCst);
        if nth > 0 && self.calls.lock().unwrap().len() == nth {
            return Err("the answer was lost".into());
        }
        let lost = self.lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if lost.is_ok() { Err("the answer was lost".into()) } else { Ok(()) }
    }
}

/// A client for an emulator, watched or not.
pub fn client(host_port: &str, wire: Option<Arc<Wire>>, attempts: u32) -> Client {
    let retries =
        RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(Duration::from_millis(20));
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{host_port}"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .retry_config(retries)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    if let Some(wire) = wire {
        config = config.interceptor(SharedInterceptor::new(Forward(wire)));
    }
    Client::from_conf(config.build())
}

/// Lends a shared wire to a client.
#[derive(Debug)]
struct Forward(Arc<Wire>);

impl Intercept for Forward {
    fn name(&self) -> &'static str {
        "wire"
    }
    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.modify_before_signing(context, components, cfg)
    }
    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.read_after_transmit(context, components, cfg)
    }
}

/// `dynamodb://HOST:PORT/TABLE` in two.
pub fn split(url: &str) -> (String, String) {
    let (host_port, table) = url.strip_prefix("dynamodb://").unwrap().split_once('/').unwrap();
    (host_port.into(), table.into())
}

/// A key that no other test has.
pub fn key() -> StoreKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&unique().to_be_bytes());
    bytes[8..12].copy_from_slice(&std::process::id().to_be_bytes());
    StoreKey::from_bytes(bytes)
}

/// A prefix that no other test has.
pub fn fresh_prefix() -> String {
    format!("test-{}-{}", std::process::id(), unique())
}

/// A live record of nobody with a fresh etag.
pub fn record(idle: Duration) -> Record {
    Record::new(Etag::new(unique()), NOW, NOW.plus(idle), br#"{"cart":[1,2]}"#[..].into())
        .with_absolute_deadline(Some(NOW.plus(HOUR * 24)))
}

/// The same of somebody.
pub fn owned(owner: &str) -> Record {
    record(HOUR).with_owner(Some(owner.into()))
}

pub fn found(loaded: Result<Loaded, session_core::store::StoreError>) -> Record {
    match loaded.unwrap() {
        Loaded::Found(record) => record,
        other => panic!("{other:?}"),
    }
}

pub fn applied(written: Result<Written, session_core::store::StoreError>) {
    assert_eq!(written.unwrap(), Written::Applied);
}

/// A number that this process has not had, spread over all 64 bits.
pub fn unique() -> u64 {
    use std::hash::BuildHasher;
    static COUNT: AtomicU64 = AtomicU64::new(1);
    std::collections::hash_map::RandomState::new().hash_one(COUNT.fetch_add(1, Ordering::Relaxed))
}
