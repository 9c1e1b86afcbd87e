//! The browsers and the oracle on stores in memory: one without a flaw, and others with one each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use session_core::{
    Timestamp,
    store::{
        Cursor, Etag, Loaded, OwnerIndex, Page, Record, SessionStore, StoreError, StoreKey, Written,
        async_trait,
    },
};
use session_stores::MemoryStore;
use session_testkit::{Call, Hook, Hooked, Outcome};

use super::app::{App, key};
use super::oracle::{Heard, Rule, Violation};
use super::wire::{Reply, Request};
use super::world::{Application, World};

impl Application for App {
    fn pick(&self, _: u64) -> usize {
        0
    }

    async fn answer(&self, _: usize, request: Request) -> Reply {
        Self::answer(self, request).await
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    /// Every 50th replace that is applied is acknowledged and not stored.
    DropsWrites,
    /// Every 50th rotation leaves the session alive under its old key as well.
    KeepsOldKeys,
    /// A replace of an ended session is acknowledged, and the session is there again.
    Revives,
    /// Every 20th destroy is acknowledged and has no effect.
    DestroysNothing,
    /// The end of all sessions of a user misses one of them.
    MissesOne,
    /// Every 50th load of a live session finds nothing.
    LosesSessions,
}

/// A store in memory whose calls let others overtake them.
#[derive(Debug)]
struct Flawed {
    inner: MemoryStore,
    flaw: Flaw,
    calls: AtomicU64,
    /// Records that are shown although they are not there.
    ghosts: Mutex<HashMap<StoreKey, Record>>,
}

impl Flawed {
    fn with(flaw: Flaw) -> Self {
        Self { inner: MemoryStore::new(), flaw, calls: AtomicU64::new(0), ghosts: Mutex::default() }
    }

    /// Whether this flaw shows in this call.
    fn shows(&self, flaw: Flaw, every: u64) -> bool {
        self.flaw == flaw && self.calls.fetch_add(1, Relaxed) % every == every - 1
    }
}

#[async_trait]
impl SessionStore for Flawed {
    fn name(&self) -> &'static str {
        "flawed"
    }

    fn max_record(&self) -> usize {
        self.inner.max_record()
    }

    async fn load(&self, key: &StoreKey) -> Result<Loaded, StoreError> {
        tokio::task::yield_now().await;
        if let Some(ghost) = self.ghosts.lock().unwrap().get(key) {
            return Ok(Loaded::Found(ghost.clone()));
        }
        match self.inner.load(key).await? {
            Loaded::Found(_) if self.shows(Flaw::LosesSessions, 50) => Ok(Loaded::Missing),
            loaded => Ok(loaded),
        }
    }

    async fn create(&self, key: &StoreKey, record: &Record, now: Timestamp) -> Result<Written, StoreError> {
        self.inner.create(key, record, now).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        expected: Etag,
        record: &Record,
        now: Timestamp,
    ) -> Result<Written, StoreError> {
        tokio::task::yield_now().await;
        if self.shows(Flaw::DropsWrites, 50) {
            return Ok(Written::Applied);
        }
        let written = self.inner.replace(key, expected, record, now).await?;
        if written == Written::Gone && self.flaw == Flaw::Revives {
            self.ghosts.lock().unwrap().insert(*key, record.clone());
            return Ok(Written::Applied);
        }
        Ok(written)
    }

    async fn touch(&self, key: &StoreKey, idle: Timestamp, now: Timestamp) -> Result<Written, StoreError> {
        self.inner.touch(key, idle, now).await
    }

    async fn destroy(&self, key: &StoreKey, until: Timestamp) -> Result<Written, StoreError> {
        tokio::task::yield_now().await;
        if self.shows(Flaw::DestroysNothing, 20) {
            return Ok(Written::Applied);
        }
        self.inner.destroy(key, until).await
    }

    async fn rotate(
        &self,
        old: &StoreKey,
        expected: Etag,
        new: &StoreKey,
        record: &Record,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Written, StoreError> {
        tokio::task::yield_now().await;
        let written = self.inner.rotate(old, expected, new, record, now, until).await?;
        if written == Written::Applied && self.shows(Flaw::KeepsOldKeys, 50) {
            self.ghosts.lock().unwrap().insert(*old, record.clone());
        }
        Ok(written)
    }

    fn owners(&self) -> Option<&dyn OwnerIndex> {
        Some(self)
    }
}

#[async_trait]
impl OwnerIndex for Flawed {
    async fn page(
        &self,
        owner: &str,
        from: Option<&Cursor>,
        most: usize,
        now: Timestamp,
    ) -> Result<Page<(StoreKey, Record)>, StoreError> {
        self.inner.page(owner, from, most, now).await
    }

    async fn destroy_all(
        &self,
        owner: &str,
        except: Option<&StoreKey>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<usize, StoreError> {
        tokio::task::yield_now().await;
        let missed = match self.flaw {
            Flaw::MissesOne => self.inner.list(owner, now).await?.first().map(|(key, _)| *key),
            _ => except.copied(),
        };
        self.inner.destroy_all(owner, missed.as_ref(), now, until).await
    }
}

/// Fails calls before and after their effect.
#[derive(Debug)]
struct Fails;

#[async_trait]
impl Hook for Fails {
    async fn before(&self, call: &Call) -> Result<(), StoreError> {
        if call.number.is_multiple_of(13) { Err(StoreError::timeout("fails")) } else { Ok(()) }
    }

    async fn after(&self, call: &Call, _: Outcome) -> Result<(), StoreError> {
        if call.number.is_multiple_of(11) { Err(StoreError::timeout("fails")) } else { Ok(()) }
    }
}

/// Lets a few users live on this store, and returns what the oracle heard and found.
fn soak(store: impl SessionStore) -> (Heard, Vec<Violation>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let app = App::new(Arc::new(store), key(3).unwrap()).unwrap();
        let world = World::new(app, 3, Duration::ZERO, Duration::MAX);
        join_all((1..=8).map(|user| world.live(user))).await;
        world.try_all_ended().await;
        (world.heard(), world.violations())
    })
}

fn rules(flaw: Flaw) -> Vec<Rule> {
    let (_, violations) = soak(Flawed::with(flaw));
    violations.iter().map(|violation| violation.rule).collect()
}

#[test]
fn a_store_without_a_flaw_is_accepted_and_every_request_is_made() {
    let (heard, violations) = soak(Flawed::with(Flaw::None));
    assert_eq!(violations, []);
    assert_eq!(heard.unknown, 0);
    let made = [heard.writes, heard.reads, heard.sign_ins, heard.renewed, heard.sign_outs, heard.dead];
    assert!(heard.everywhere >= 8 && made.iter().all(|made| *made > 8), "{heard:?}");
}

#[test]
fn a_store_that_fails_before_and_after_the_effect_is_accepted() {
    let (heard, violations) = soak(Hooked::with(Flawed::with(Flaw::None), Fails));
    assert_eq!(violations, []);
    assert!(heard.unknown > 100 && heard.writes > 100, "{heard:?}");
}

#[test]
fn a_store_that_drops_every_fiftieth_write_is_found() {
    let rules = rules(Flaw::DropsWrites);
    assert!(rules.contains(&Rule::LostWrite), "{rules:?}");
}

#[test]
fn a_store_that_revives_a_session_for_a_late_write_is_found() {
    let rules = rules(Flaw::Revives);
    assert!(rules.contains(&Rule::Revived), "{rules:?}");
}

#[test]
fn a_store_that_acknowledges_a_sign_out_and_ends_nothing_is_found() {
    let rules = rules(Flaw::DestroysNothing);
    assert!(rules.contains(&Rule::Revived), "{rules:?}");
}

#[test]
fn a_store_that_misses_a_session_of_a_user_is_found() {
    let rules = rules(Flaw::MissesOne);
    assert!(rules.contains(&Rule::SurvivedEverywhere), "{rules:?}");
}

#[test]
fn a_store_that_keeps_old_ids_alive_is_found() {
    let rules = rules(Flaw::KeepsOldKeys);
    assert!(rules.contains(&Rule::OldCookie), "{rules:?}");
}

#[test]
fn a_store_that_loses_live_sessions_is_found() {
    let rules = rules(Flaw::LosesSessions);
    assert!(rules.contains(&Rule::EndedByNobody), "{rules:?}");
}
