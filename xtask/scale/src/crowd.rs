//! Opens a store and creates many sessions in it.

use std::sync::Arc;
use std::time::Duration;

use session_core::adapter::{Clock, Entropy, SystemClock, SystemEntropy};
use session_core::store::{Etag, Record, SessionStore, StoreKey, Written};
use session_core::{SecretKey, Sessions, Timestamp};
use session_stores::StoreConfig;
use tokio::task::JoinSet;

use crate::Failure;
use crate::visits::{Values, sign_in};

/// Opens a store without limits.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn SessionStore>, Failure> {
    let mut config = StoreConfig::from_url(url)?;
    (config.max_sessions, config.max_bytes) = (usize::MAX, Some(usize::MAX));
    config.timeout = PATIENCE;
    Ok(session_stores::open(&config).await?)
}

/// Sessions in this store that do not expire during a run, and are not touched either.
pub(crate) fn sessions(store: &Arc<dyn SessionStore>) -> Result<Sessions, Failure> {
    let builder = Sessions::builder().shared_store(Arc::clone(store)).key(SecretKey::generate()?);
    Ok(builder.age(WEEK).absolute(WEEK).build()?)
}

/// Returns the record of a session with such values, as a visit writes it.
pub(crate) async fn template(store: &Arc<dyn SessionStore>, values: Values) -> Result<Record, Failure> {
    sign_in(&sessions(store)?, Some("template"), values).await?;
    let owners = store.owners().ok_or("this store keeps no owner index")?;
    let (key, record) = owners.list("template", now()).await?.pop().ok_or("the session is not listed")?;
    store.destroy(&key, now()).await?;
    Ok(record)
}

/// Creates sessions with new keys and etags, at a moment that may be past.
pub(crate) async fn fill(
    store: &Arc<dyn SessionStore>,
    number: usize,
    record: &Record,
    at: Timestamp,
) -> Result<(), Failure> {
    let mut lanes = JoinSet::new();
    for lane in 0..LANES {
        let (store, record) = (Arc::clone(store), record.clone());
        lanes.spawn(async move {
            for _ in (lane..number).step_by(LANES) {
                let mut bytes = [0; 40];
                SystemEntropy.fill(&mut bytes)?;
                let (etag, key) = bytes.split_first_chunk().expect("an etag has 8 bytes");
                let key = StoreKey::from_bytes(key.try_into().expect("a key has 32 bytes"));
                let record = record.clone().with_etag(Etag::new(u64::from_be_bytes(*etag)));
                let written = store.create(&key, &record, at).await?;
                if written != Written::Applied {
                    return Err::<(), Failure>(format!("a session was not created: {written:?}").into());
                }
            }
            Ok(())
        });
    }
    while let Some(done) = lanes.join_next().await {
        done??;
    }
    Ok(())
}

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

/// How many sessions are created at once.
const LANES: usize = 32;
/// A filled disk may make a call wait.
const PATIENCE: Duration = Duration::from_secs(30);
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
