//! Every interleaving of visits to a session that moves from one store to another, with a crash of each process after
//! each of its store operations.
//!
//! Checked in every state: the session is live exactly once (or, once it was ended, never again), the index lists exactly
//! the live sessions, and every acknowledged write and touch is kept.

use std::collections::HashSet;

use crate::migrating_support::{Act, Node, World};

/// What happens next in an interleaving.
#[derive(Clone, Copy)]
enum Next {
    Step(usize),
    Death(usize),
}

/// Runs every interleaving of these visits with every death, and returns the number of different states.
fn explore(visits: &[(Act, Node)]) -> usize {
    let (mut seen, mut open) = (HashSet::new(), vec![(Vec::new(), false)]);
    while let Some((path, was_dead)) = open.pop() {
        let world = run(visits, &path);
        if !seen.insert((world.fingerprint(), was_dead)) {
            continue;
        }
        world.check(was_dead);
        let is_dead = world.alive().is_empty();
        for who in world.open() {
            for next in [Next::Step(who), Next::Death(who)] {
                let path = path.iter().copied().chain([next]).collect();
                open.push((path, is_dead));
            }
        }
        if world.open().is_empty() {
            world.check_end();
        }
    }
    seen.len()
}

fn run(visits: &[(Act, Node)], path: &[Next]) -> World {
    let mut world = World::new(visits);
    for next in path {
        match next {
            Next::Step(who) => world.step(*who),
            Next::Death(who) => world.die(*who),
        }
    }
    world
}

const ACTS: [Act; 7] = [Act::Write, Act::Touch, Act::Rotate, Act::SignOut, Act::EndAll, Act::Read, Act::Move];

/// Against each of the others, on processes that all move sessions.
fn against_every(act: Act) {
    for other in ACTS {
        let states = explore(&[(act, Node::Moving), (other, Node::Moving)]);
        println!("{act:?} and {other:?}: {states} states");
        assert!(states > 10);
    }
}

#[test]
fn a_session_that_is_written_while_it_moves_is_one_session() {
    against_every(Act::Write);
}

#[test]
fn a_session_that_is_touched_while_it_moves_is_one_session() {
    against_every(Act::Touch);
}

#[test]
fn a_session_that_is_rotated_while_it_moves_is_one_session() {
    against_every(Act::Rotate);
}

#[test]
fn a_sign_out_while_a_session_moves_is_final() {
    against_every(Act::SignOut);
}

#[test]
fn an_end_of_all_sessions_while_one_moves_is_final() {
    against_every(Act::EndAll);
}

#[test]
fn a_reader_finds_a_session_that_moves() {
    against_every(Act::Read);
}

#[test]
fn moves_of_one_session_are_one_move() {
    against_every(Act::Move);
}

/// A visit that takes longer than every tombstone: what has ended does not come back, what lives is found.
#[test]
fn no_tombstone_needs_to_outlive_a_move() {
    for (act, other) in [(Act::Write, Act::SignOut), (Act::Move, Act::SignOut), (Act::Move, Act::Rotate)] {
        let visits = [act, other, Act::Sweep].map(|act| (act, Node::Moving));
        println!("{act:?}, {other:?} and a sweep: {} states", explore(&visits));
    }
}

/// While a deployment replaces processes one by one, some leave sessions where they are and some move them.
#[test]
fn processes_on_standby_and_processes_that_move_share_their_sessions() {
    for act in [Act::Write, Act::Touch, Act::Rotate, Act::SignOut] {
        for other in ACTS {
            let states = explore(&[(act, Node::Standby), (other, Node::Moving)]);
            println!("{act:?} on standby, {other:?}: {states} states");
        }
    }
}

mod edges {
    use std::time::Duration;

    use session_core::store::{
        EncryptedStore, Etag, Loaded, MigratingStore, Record, SessionStore, StoreError, StoreErrorKind,
        StoreKey, Written, async_trait,
    };
    use session_core::{KeyRing, SecretKey, Timestamp};
    use session_store_memory::MemoryStore;
    use session_testkit::{Call, Hook, Hooked, Outcome, Verb};

    const KEY: StoreKey = StoreKey::from_bytes([1; 32]);
    const NOW: Timestamp = Timestamp::from_millis(1_000_000);
    const LATER: Timestamp = Timestamp::from_millis(9_000_000);

    fn record(etag: u64, payload: &str) -> Record {
        Record::new(Etag::new(etag), NOW, LATER, payload.as_bytes().into()).with_owner(Some("ada".into()))
    }

    async fn old_with(payload: &str) -> MemoryStore {
        let old = MemoryStore::new();
        assert_eq!(old.create(&KEY, &record(1, payload), NOW).await.unwrap(), Written::Applied);
        old
    }

    #[tokio::test]
    async fn a_session_that_does_not_fit_stays_until_it_does() {
        let old = old_with(&"x".repeat(200)).await;
        let store = MigratingStore::new(MemoryStore::builder().max_record(150).build(), old);
        assert!(!store.move_session(&KEY, NOW).await.unwrap());
        assert_eq!(
            store.touch(&KEY, LATER.plus(Duration::from_secs(1)), NOW).await.unwrap(),
            Written::Applied
        );
        let small = record(2, "small").with_idle_deadline(LATER);
        assert_eq!(store.replace(&KEY, Etag::new(1), &small, NOW).await.unwrap(), Written::Applied);
        assert_eq!(store.load(&KEY).await.unwrap(), Loaded::Found(small));
        assert!(store.move_session(&KEY, NOW).await.unwrap());
        assert!(matches!(store.to().load(&KEY).await.unwrap(), Loaded::Found(_)));
    }

    #[tokio::test]
    async fn a_session_that_does_not_fit_is_rotated_and_signed_out_where_it_is() {
        let old = old_with(&"x".repeat(200)).await;
        let store = MigratingStore::new(MemoryStore::builder().max_record(150).build(), old);
        let (new, moved) = (StoreKey::from_bytes([2; 32]), record(2, "x"));
        let rotated = store.rotate(&KEY, Etag::new(1), &new, &moved, NOW, LATER).await.unwrap();
        assert_eq!(rotated, Written::Applied);
        let again = store.rotate(&KEY, Etag::new(1), &new, &moved, NOW, LATER).await.unwrap();
        assert_eq!(again, Written::Applied, "asked again after a lost answer");
        assert!(store.move_session(&new, NOW).await.unwrap());
        let again = store.rotate(&KEY, Etag::new(1), &new, &moved, NOW, LATER).await.unwrap();
        assert_eq!(again, Written::Applied, "also after the session has moved");
        let late = store.replace(&KEY, Etag::new(1), &record(3, "late"), NOW).await.unwrap();
        assert_eq!(late, Written::Moved { key: new, record: moved }, "a follow across stores");
    }

    #[tokio::test]
    async fn a_follow_across_stores_goes_to_the_end_of_several_rotations() {
        let old = old_with("first").await;
        let [second, third] = [2, 3].map(|byte| StoreKey::from_bytes([byte; 32]));
        old.rotate(&KEY, Etag::new(1), &second, &record(2, "second"), NOW, LATER).await.unwrap();
        let store = MigratingStore::new(MemoryStore::new(), old);
        let last = record(3, "third");
        let rotated = store.rotate(&second, Etag::new(2), &third, &last, NOW, LATER).await.unwrap();
        assert_eq!(rotated, Written::Applied);
        let is_there = Written::Moved { key: third, record: last };
        assert_eq!(store.replace(&KEY, Etag::new(1), &record(9, "late"), NOW).await.unwrap(), is_there);
        assert_eq!(store.destroy(&KEY, LATER).await.unwrap(), is_there);
        assert_eq!(store.destroy(&third, LATER).await.unwrap(), Written::Applied);
        assert_eq!(store.replace(&KEY, Etag::new(1), &record(9, "late"), NOW).await.unwrap(), Written::Gone);
    }

    #[tokio::test]
    async fn a_migration_may_begin_to_encrypt() {
        let (new, old) = (MemoryStore::new(), old_with("a secret").await);
        let keys = KeyRing::new([SecretKey::generate().unwrap()]).unwrap();
        let store = MigratingStore::new(EncryptedStore::new(new.clone(), keys), old);
        assert!(store.move_session(&KEY, NOW).await.unwrap());
        assert_eq!(store.load(&KEY).await.unwrap(), Loaded::Found(record(1, "a secret")));
        let Loaded::Found(sealed) = new.load(&KEY).await.unwrap() else { panic!("it has moved") };
        assert!(!String::from_utf8_lossy(&sealed.payload).contains("secret"));
    }

    /// Whatever is loaded is damaged.
    #[derive(Debug)]
    struct Damaged;

    #[async_trait]
    impl Hook for Damaged {
        async fn before(&self, call: &Call) -> Result<(), StoreError> {
            match call.verb {
                Verb::Load => Err(StoreError::new(StoreErrorKind::Corrupt, "damaged")),
                _ => Ok(()),
            }
        }
        async fn after(&self, _: &Call, _: Outcome) -> Result<(), StoreError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_damaged_session_can_be_signed_out_in_either_store() {
        let old = old_with("{}").await;
        let store = MigratingStore::new(MemoryStore::new(), Hooked::with(old.clone(), Damaged));
        assert_eq!(store.load(&KEY).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
        assert_eq!(store.destroy(&KEY, LATER).await.unwrap(), Written::Applied);
        assert_eq!(old.load(&KEY).await.unwrap(), Loaded::Ended { until: LATER });
        let new = old_with("{}").await;
        let store = MigratingStore::new(Hooked::with(new.clone(), Damaged), MemoryStore::new());
        assert_eq!(store.destroy(&KEY, LATER).await.unwrap(), Written::Applied);
        assert_eq!(new.load(&KEY).await.unwrap(), Loaded::Ended { until: LATER });
    }

    #[tokio::test]
    async fn nothing_is_created_under_a_key_of_the_old_store() {
        let old = old_with("old").await;
        let store = MigratingStore::new(MemoryStore::new(), old);
        assert_eq!(store.create(&KEY, &record(2, "new"), NOW).await.unwrap(), Written::Taken);
        assert_eq!(store.create(&KEY, &record(1, "old"), NOW).await.unwrap(), Written::Applied, "a retry");
        store.destroy(&KEY, LATER).await.unwrap();
        assert_eq!(store.create(&KEY, &record(2, "new"), NOW).await.unwrap(), Written::Taken);
    }
}
