//! The verbs on a cluster that concern one key.

use async_trait::async_trait;
use redis::Value;
use session_core::{
    Timestamp,
    store::{Etag, Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreKey, Written},
};

use super::builder::ClusterBuilder;
use super::line::Line;
use session_store_kv::codec::{self, Entry};

use crate::NAME;
use crate::fault::strange_reply;
use crate::script::{CREATE, DESTROY, REPLACE, Script, TOUCH};
use crate::store::{bytes, ended, entry, written};

/// Sessions in a Redis (or Valkey) Cluster.
///
/// Each session is one key on one node, so `load`, `create`, `replace`, `touch` and `destroy` are what they are on one
/// server: one script, one trip. Two things span nodes, and no script can: a rotation, and the owner index.
///
/// # Rotation
///
/// The new key's slot is not the old one's, so the move is made of three trips with one moment that decides:
///
/// 1. *Pend.* Under the new key goes a **pending** record, which names the old key and counts for nothing.
/// 2. *Commit.* On the old key's node, one script checks what `replace` checks (live, the expected etag) and turns the
///    old session into a tombstone that **points** to the new key and its etag. This is the moment.
/// 3. *Promote.* The pending record becomes an ordinary one. Only now is the answer `Applied`.
///
/// A reader that finds a pending record checks the old key: if its tombstone points to this key and etag, the rotation
/// has been committed and the reader promotes the record; otherwise the record counts as missing. So exactly the old id
/// is valid before the commit and exactly the new one after it, wherever the caller is interrupted. Of several
/// concurrent rotations of one session, the old key's node lets one commit. If the commit is refused, the pending
/// record is removed (conditional on its etag) before the call returns. If the commit is not answered, the record is
/// kept, since the commit may have been applied; a retry of the same call finds out. An interrupted caller leaves
/// behind either a pending record, which expires with its deadline, or a new session whose id was never sent in a
/// cookie, which is readable until the tombstone expires. A write that finds the tombstone follows it in one more trip
/// for each rotation.
///
/// # Owners
///
/// The index of an owner is on a third node. It is written **before** the session, so it may name a session that is
/// not there (such members are skipped, and lapse by their score) but never misses one that is: a session created
/// while [`destroy_all`](OwnerIndex::destroy_all) runs is ended by it or listed afterwards. `destroy_all` is not one
/// step; a failure half-way is an error, and asking again ends the rest. Cost: one more trip for `create` and `rotate`
/// of an owned session (beside the first), two for a `replace` that changes the owner, and one for a `touch` of an
/// owned session without an absolute deadline.
///
/// # Failures
///
/// A node that refuses because slots are moving or a fail-over is under way is asked again within the deadline. A
/// connection that breaks is an error at once, as on one server, because the command may have run. Reads go to masters
/// only: a replica may not know of a logout yet.
#[derive(Debug)]
pub struct RedisClusterStore {
    pub(crate) line: Line,
    pub(crate) sessions: String,
    pub(crate) owners: String,
    pub(crate) max_record: usize,
}

impl RedisClusterStore {
    /// Returns a builder for the cluster at `redis-cluster://[user:password@]host:port,host:port…`
    /// (`rediss-cluster://` with the feature `tls`). The URL may name any nodes; the others are discovered.
    pub fn builder(url: impl Into<String>) -> ClusterBuilder {
        ClusterBuilder::new(url.into())
    }

    pub(super) fn key(&self, key: &StoreKey) -> Vec<u8> {
        format!("{}{key}", self.sessions).into_bytes()
    }

    pub(super) async fn get(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        let mut get = redis::cmd("GET");
        get.arg(self.key(key));
        bytes(self.line.read(&get).await?)
    }

    /// Runs a script on a session; where it meets a pending record, settles that first and runs it again.
    async fn verb(&self, script: &Script, key: &StoreKey, rest: &[&[u8]]) -> Result<Value, StoreError> {
        let mut arguments: Vec<&[u8]> = vec![b""];
        arguments.extend(rest);
        let name = self.key(key);
        let reply = self.line.run(script, &name, &arguments).await?;
        let Some(pending) = met_pending(&reply) else { return Ok(reply) };
        match self.settle(key, entry(key, pending)?).await? {
            Some(_) => self.line.run(script, &name, &arguments).await,
            None => Ok(reply),
        }
    }
}

#[async_trait]
impl SessionStore for RedisClusterStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn max_record(&self) -> usize {
        self.max_record
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        let trips = async {
            match self.get(key).await? {
                Some(value) => {
                    let settled = self.settle(key, entry(key, &value)?).await?;
                    Ok(settled.map_or(Loaded::Missing, Entry::into_loaded))
                }
                None => Ok(Loaded::Missing),
            }
        };
        self.line.all_within(trips).await
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        StoreError::check_size(NAME, record, self.max_record)?;
        let trips = async {
            self.index(key, record, now).await?;
            let rest = [&codec::encode_record(key, record)[..], &codec::encode_moment(now)];
            written(key, self.verb(&CREATE, key, &rest).await?)
        };
        self.line.all_within(trips).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        StoreError::check_size(NAME, record, self.max_record)?;
        let value = codec::encode_record(key, record);
        let (at, expected) = (codec::encode_moment(now), codec::encode_etag(expected));
        let trips = async {
            if record.owner.is_some() {
                let reply = self.verb(&REPLACE, key, &[&value, &at, &expected, b"if-indexed"]).await?;
                if !wants_index_first(&reply) {
                    return self.answer(key, reply, Some(now)).await;
                }
                self.index(key, record, now).await?;
            }
            let reply = self.verb(&REPLACE, key, &[&value, &at, &expected]).await?;
            self.answer(key, reply, Some(now)).await
        };
        self.line.all_within(trips).await
    }

    async fn touch(
        &self,
        key: &StoreKey,
        idle_deadline: Timestamp,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        let rest = [&codec::encode_idle_deadline(key, idle_deadline)[..], &codec::encode_moment(now)];
        let trips = async {
            match self.verb(&TOUCH, key, &rest).await? {
                Value::Array(parts) if matches!(parts[..], [Value::Int(1), Value::BulkString(_)]) => {
                    let Some(Value::BulkString(owner)) = parts.into_iter().nth(1) else {
                        return Err(strange_reply());
                    };
                    self.index_until(&owner, key, idle_deadline, now).await?;
                    Ok(Written::Applied)
                }
                reply => written(key, reply),
            }
        };
        self.line.all_within(trips).await
    }

    async fn destroy(&self, key: &StoreKey, tombstone_until: Timestamp) -> Result<Written, StoreError> {
        let tombstone = codec::encode_tombstone(key, tombstone_until, None);
        let trips = async {
            let reply = self.verb(&DESTROY, key, &[&tombstone]).await?;
            self.answer(key, reply, None).await.map(ended)
        };
        self.line.all_within(trips).await
    }

    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        tombstone_until: Timestamp,
    ) -> Result<Written, StoreError> {
        StoreError::check_size(NAME, record, self.max_record)?;
        let trips = self.move_session(old, expected, new, record, now, tombstone_until);
        self.line.all_within(trips).await
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        Some(self)
    }
}

/// The pending record that stopped a script.
pub(super) fn met_pending(reply: &Value) -> Option<&[u8]> {
    match reply {
        Value::Array(parts) => match &parts[..] {
            [Value::Int(5), Value::BulkString(pending)] => Some(pending),
            _ => None,
        },
        _ => None,
    }
}

fn wants_index_first(reply: &Value) -> bool {
    matches!(reply, Value::Array(parts) if parts[..] == [Value::Int(6)])
}
