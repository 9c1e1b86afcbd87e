//! A destroy against many slow writers: the session stays destroyed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use session_core::{
    Timestamp,
    adapter::{Clock as _, SystemClock},
    store::{Loaded, Record, SessionStore, StoreKey, Written},
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::suite::trial::{HOUR, SECOND, fine, fresh_etag, fresh_key, record_at};

/// The size of the race: writers, sessions, and sessions at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowd {
    /// Writers in flight on each session.
    pub writers: usize,
    /// Sessions that are destroyed, each once.
    pub rounds: usize,
    /// Sessions at the same time, each with all its writers.
    pub at_once: usize,
    /// Starts no further session after this time. For a slow server.
    pub within: Option<Duration>,
}

impl Default for Crowd {
    fn default() -> Self {
        Self { writers: 160, rounds: 1_000, at_once: 4, within: None }
    }
}

/// Destroys one session after another while many writers work on each, all of which have read it before. None of the
/// sessions may be live afterwards.
///
/// For each session, two writers of three write at once and retry until their write is applied or the answer is `Gone`;
/// some of them touch it. The destroy is sent after some of the answers, a different number in each round, so that it
/// falls before, between and after the writes. One writer of three waits until the destroy is acknowledged, and must get
/// `Gone`; some of these try a rotation, or the create that made the session. In the end the tombstone is there, and no
/// rotation has left anything.
///
/// Returns the number of sessions.
///
/// # Panics
/// If a session is live, an answer is impossible, or the store fails.
///
/// ```
/// use session_conformance::crowd::{Crowd, a_destroyed_session_stays_dead};
///
/// # #[tokio::main] async fn main() {
/// let store = std::sync::Arc::new(session_store_memory::MemoryStore::new());
/// let died = a_destroyed_session_stays_dead(store, Crowd { rounds: 10, ..Crowd::default() }).await;
/// assert_eq!(died, 10);
/// # }
/// ```
pub async fn a_destroyed_session_stays_dead(store: Arc<dyn SessionStore>, crowd: Crowd) -> usize {
    let (mut sessions, begun) = (JoinSet::new(), Instant::now());
    let mut died = 0;
    for round in 0..crowd.rounds {
        if crowd.within.is_some_and(|most| begun.elapsed() > most) {
            break;
        }
        if sessions.len() >= crowd.at_once.max(1) {
            let ended: Option<Result<(), _>> = sessions.join_next().await;
            ended.expect("one is at work").expect("the claim holds");
        }
        sessions.spawn(one_session(Arc::clone(&store), crowd.writers, round));
        died += 1;
    }
    while let Some(ended) = sessions.join_next().await {
        ended.expect("the claim holds");
    }
    died
}

async fn one_session(store: Arc<dyn SessionStore>, writers: usize, round: usize) {
    let now = SystemClock.now();
    let (key, first, until) = (fresh_key(), record_at(now, "0"), now.plus(SECOND * 60));
    let created = fine("create", store.create(&key, &first, now).await);
    assert_eq!(created, Written::Applied, "a new session");
    let Loaded::Found(read) = fine("load", store.load(&key).await) else { panic!("the session lives") };
    let story = Arc::new(Story {
        store,
        key,
        now,
        first: read,
        answers: Semaphore::new(0),
        ended: Semaphore::new(0),
    });
    let late = writers / 3;
    let mut crowd = JoinSet::new();
    for number in 0..writers {
        let story = Arc::clone(&story);
        crowd.spawn(async move {
            match number < late {
                true => story.write_after_the_end(number).await,
                false => story.write(number).await,
            }
        });
    }
    let answers = round % ((writers - late) / 2 + 1);
    let heard = story.answers.acquire_many(answers.try_into().expect("a few")).await;
    heard.expect("it is never closed").forget();
    fine("destroy", story.store.destroy(&key, until).await);
    story.expect_dead(round, "once the logout was acknowledged").await;
    story.ended.add_permits(late);
    while let Some(writer) = crowd.join_next().await {
        writer.expect("a writer comes to its end");
    }
    story.expect_dead(round, "once all writers were done").await;
}

/// What the destroy and its writers share.
struct Story {
    store: Arc<dyn SessionStore>,
    key: StoreKey,
    now: Timestamp,
    /// What every writer has read.
    first: Record,
    /// One permit for every answer to a writer.
    answers: Semaphore,
    /// Permits for the writers that wait for the destroy.
    ended: Semaphore,
}

impl Story {
    /// Writes while the destroy is sent.
    async fn write(&self, number: usize) {
        if number.is_multiple_of(5) {
            let later = self.now.plus(HOUR * 3);
            let touched = fine("touch", self.store.touch(&self.key, later, self.now).await);
            self.answers.add_permits(1);
            assert!(matches!(touched, Written::Applied | Written::Gone), "a touch hears {touched:?}");
            return;
        }
        let mut expected = self.first.etag;
        loop {
            let mine = self.mine();
            let written = self.store.replace(&self.key, expected, &mine, self.now).await;
            self.answers.add_permits(1);
            match fine("replace", written) {
                Written::Conflict(newer) => expected = newer.etag,
                Written::Applied | Written::Gone => return,
                Written::Taken | Written::Moved { .. } => panic!("nobody rotates this session"),
            }
        }
    }

    /// Writes once the destroy has been acknowledged.
    async fn write_after_the_end(&self, number: usize) {
        self.ended.acquire().await.expect("it is never closed").forget();
        let Self { store, key, now, first, .. } = self;
        let until = now.plus(SECOND * 60);
        match number % 8 {
            0 => {
                let created = fine("create", store.create(key, first, *now).await);
                assert_eq!(created, Written::Taken, "the tombstone holds the place");
            }
            1 => {
                let new = fresh_key();
                let rotated = store.rotate(key, first.etag, &new, &self.mine(), *now, until).await;
                assert_eq!(fine("rotate", rotated), Written::Gone, "there is nothing to rotate");
                assert_eq!(fine("load", store.load(&new).await), Loaded::Missing, "nothing came into being");
            }
            2 => {
                let touched = fine("touch", store.touch(key, now.plus(HOUR * 4), *now).await);
                assert_eq!(touched, Written::Gone, "there is nothing to touch");
            }
            3 => drop(fine("destroy", store.destroy(key, until.plus(SECOND)).await)),
            _ => {
                let written = fine("replace", store.replace(key, first.etag, &self.mine(), *now).await);
                assert_eq!(written, Written::Gone, "there is nothing to write to");
            }
        }
    }

    fn mine(&self) -> Record {
        self.first.clone().with_etag(fresh_etag())
    }

    async fn expect_dead(&self, round: usize, when: &str) {
        let found = fine("load", self.store.load(&self.key).await);
        let until = self.now.plus(SECOND * 60);
        assert_eq!(found, Loaded::Ended { until }, "dead {when}, in round {round}");
    }
}
