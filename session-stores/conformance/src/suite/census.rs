//! The census: every live session, page by page, of stores that have one.

use std::collections::BTreeMap;

use session_core::Timestamp;
use session_core::store::{Census, SessionHead, StoreKey, Written};

use super::Trial;
use super::trial::{HOUR, fine, skip};

macro_rules! census {
    ($t:ident) => {
        match $t.store.census() {
            Some(census) => census,
            None => return skip(&$t.store, "it has no census"),
        }
    };
}

/// Returns all sessions that the census finds. Cases may share a server, so those of other cases may be among them.
async fn all(census: &dyn Census, most: usize, now: Timestamp) -> BTreeMap<StoreKey, SessionHead> {
    let (mut found, mut from) = (BTreeMap::new(), None);
    for _ in 0..1_000_000 {
        let page = fine("survey", census.survey(from.as_ref(), most, now).await);
        found.extend(page.entries.into_iter().map(|head| (head.key, head)));
        from = page.next;
        if from.is_none() {
            return found;
        }
    }
    panic!("a census comes to an end");
}

/// Sessions with and without an owner are found, each with its head.
pub async fn a_census_finds_every_live_session(t: Trial) {
    let census = census!(t);
    let owner = t.owner();
    let mut stored = Vec::new();
    for number in 0..60 {
        let record = if number % 3 == 0 { t.owned(&owner) } else { t.record("{}") };
        let record = record.with_absolute_deadline((number % 2 == 0).then(|| t.now.plus(HOUR * 9)));
        stored.push((t.store_new(&record).await, record));
    }
    for most in [7, 1_000] {
        let found = all(census, most, t.now).await;
        for (key, record) in &stored {
            assert_eq!(found.get(key), Some(&SessionHead::of(*key, record)));
        }
    }
}

/// Ended and expired sessions are not found, nor is the old key of a rotated session.
pub async fn a_census_leaves_out_the_dead(t: Trial) {
    let census = census!(t);
    let (ended, _) = t.stored("{}").await;
    t.destroy(&ended).await;
    let soon = t.store_new(&t.record("{}").with_idle_deadline(t.now.plus(HOUR))).await;
    let (old, record) = t.stored("{}").await;
    let (new, moved) = (t.key(), t.record("{}"));
    assert_eq!(t.rotate(&old, record.etag, &new, &moved).await, Written::Applied);
    let found = all(census, 100, t.now.plus(HOUR)).await;
    assert!(![ended, soon, old].iter().any(|dead| found.contains_key(dead)));
    assert_eq!(found.get(&new), Some(&SessionHead::of(new, &moved)));
}

/// A session that is live from the first page to the last is found, whichever others are created and ended meanwhile.
pub async fn a_census_finds_every_session_that_stays(t: Trial) {
    let census = census!(t);
    let (mut staying, mut leaving) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        staying.push(t.stored("stays").await.0);
        leaving.push(t.stored("leaves").await.0);
    }
    let (mut found, mut from) = (Vec::new(), None);
    loop {
        let page = fine("survey", census.survey(from.as_ref(), 5, t.now).await);
        found.extend(page.entries.into_iter().map(|head| head.key));
        from = page.next;
        if let Some(key) = leaving.pop() {
            t.destroy(&key).await;
            t.stored("comes").await;
        }
        if from.is_none() {
            break;
        }
    }
    for key in &staying {
        assert!(found.contains(key), "it was there all the time");
    }
}
