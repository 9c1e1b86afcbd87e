//! Claims about clusters: a rotation that is killed at any step, an index on another node, a master that dies.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![cfg(feature = "cluster")]

use crate::support;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use session_core::store::{Loaded, OwnerIndex, SessionStore, StoreErrorKind, StoreKey, Written};
use session_store_redis::{BuildError, RedisClusterStore, redis};
use session_test_servers::{Kind, Shared, shared, start};

use crate::support::{PATIENT, fresh_key, fresh_prefix, now, owned, record, seconds, until};

async fn store() -> Arc<RedisClusterStore> {
    static CLUSTER: LazyLock<Shared> = LazyLock::new(|| shared(Kind::RedisCluster));
    Arc::new(
        RedisClusterStore::builder(CLUSTER.url())
            .prefix(fresh_prefix())
            .timeout(PATIENT)
            .connect()
            .await
            .unwrap(),
    )
}

async fn lives(store: &RedisClusterStore, key: &StoreKey) -> bool {
    matches!(store.load(key).await.unwrap(), Loaded::Found(_))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_killed_anywhere_leaves_exactly_one_live_id() {
    let store = store().await;
    let (mut moved, mut step) = (0, 0);
    // Later and later, until some of them come to their end on a busy machine, too.
    while step < 120 || moved == 0 {
        step += 1;
        let (old, new) = (fresh_key(), fresh_key());
        let (before, after) = (owned("ada"), owned("ada"));
        store.create(&old, &before, now()).await.unwrap();
        let rotate = store.rotate(&old, before.etag, &new, &after, now(), until());
        let killed = tokio::time::timeout(Duration::from_micros(step * 20), rotate).await.is_err();
        // What was sent before the kill may still arrive.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let mut at = (lives(&store, &old).await, lives(&store, &new).await);
        if at == (true, true) {
            // It arrived between the two looks. It does so once.
            at = (lives(&store, &old).await, lives(&store, &new).await);
        }
        assert!(at.0 != at.1, "old and new live: {at:?} at step {step}");
        assert!(killed || at.1);
        moved += usize::from(at.1);
        let again = store.rotate(&old, before.etag, &new, &after, now(), until()).await;
        assert_eq!(again.unwrap(), Written::Applied);
        assert_eq!((lives(&store, &old).await, lives(&store, &new).await), (false, true));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i4_of_many_rotations_at_once_exactly_one_id_lives() {
    let store = store().await;
    for _ in 0..30 {
        let old = fresh_key();
        let stored = record("0");
        store.create(&old, &stored, now()).await.unwrap();
        let news: Vec<_> = (0..8).map(|_| fresh_key()).collect();
        let tasks: Vec<_> = news
            .iter()
            .map(|new| {
                let (store, etag, new) = (Arc::clone(&store), stored.etag, *new);
                tokio::spawn(async move {
                    store.rotate(&old, etag, &new, &record("1"), now(), until()).await.unwrap()
                })
            })
            .collect();
        let mut applied = 0;
        for task in tasks {
            applied += usize::from(task.await.unwrap() == Written::Applied);
        }
        let mut living = usize::from(lives(&store, &old).await);
        for new in &news {
            living += usize::from(lives(&store, new).await);
        }
        assert_eq!((applied, living), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_during_a_rotation_ends_the_session_or_comes_too_late_for_the_old_id_only() {
    let store = store().await;
    for _ in 0..100 {
        let (old, new) = (fresh_key(), fresh_key());
        let (before, after) = (record("0"), record("1"));
        store.create(&old, &before, now()).await.unwrap();
        let (rotated, destroyed) = tokio::join!(
            store.rotate(&old, before.etag, &new, &after, now(), until()),
            store.destroy(&old, until())
        );
        destroyed.unwrap();
        assert!(!lives(&store, &old).await);
        assert_eq!(lives(&store, &new).await, rotated.unwrap() == Written::Applied);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lc_10_a_session_begun_while_all_are_destroyed_is_ended_or_listed() {
    let store = store().await;
    for round in 0..200 {
        let (key, anonymous) = (fresh_key(), fresh_key());
        let guest = record("{}");
        store.create(&anonymous, &guest, now()).await.unwrap();
        // One session is created for the owner and another becomes the owner's, by a replace or by a rotation.
        let (begin, login, new) = (owned("ada"), owned("ada"), fresh_key());
        let becomes = async {
            match round % 2 {
                0 => store.replace(&anonymous, guest.etag, &login, now()).await,
                _ => store.rotate(&anonymous, guest.etag, &new, &login, now(), until()).await,
            }
        };
        let (created, became, ended) = tokio::join!(
            store.create(&key, &begin, now()),
            becomes,
            store.destroy_all("ada", None, now(), until())
        );
        created.unwrap();
        became.unwrap();
        ended.unwrap();
        let listed: Vec<_> =
            store.list("ada", now()).await.unwrap().into_iter().map(|(key, _)| key).collect();
        for key in [key, anonymous, new] {
            let Loaded::Found(found) = store.load(&key).await.unwrap() else { continue };
            assert!(found.owner.is_none() || listed.contains(&key), "missed in round {round}");
        }
        store.destroy_all("ada", None, now(), until()).await.unwrap();
        assert_eq!(store.count("ada", now()).await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_touched_session_without_an_absolute_end_stays_listed() {
    let (store, key) = (store().await, fresh_key());
    let endless = owned("eve").with_absolute_deadline(None).with_idle_deadline(now().plus(seconds(50)));
    store.create(&key, &endless, now()).await.unwrap();
    store.touch(&key, now().plus(seconds(500)), now()).await.unwrap();
    // Another session's write, later, sweeps out what is dead by then.
    let later = now().plus(seconds(100));
    store.create(&fresh_key(), &owned("eve"), later).await.unwrap();
    assert_eq!(store.count("eve", later).await.unwrap(), 2);
}

/// Asks every master until its replica is where it was itself when first asked.
async fn until_replicas_have_everything(ports: &[u16]) {
    let began = Instant::now();
    for port in ports {
        let mut node = support::plain(&format!("redis://127.0.0.1:{port}")).await;
        let mut goal = None;
        loop {
            let mut ask = redis::cmd("INFO");
            let text: String = ask.arg("replication").query_async(&mut node).await.unwrap();
            if text.contains("role:slave") {
                break;
            }
            let number = |name: &str| -> Option<u64> {
                text.split_once(name)?.1.split([',', '\r']).next()?.parse().ok()
            };
            let goal = *goal.get_or_insert(number("master_repl_offset:").unwrap());
            if text.contains("state=online") && number(",offset=").is_some_and(|offset| offset >= goal) {
                break;
            }
            assert!(began.elapsed() < seconds(60), "no replica of {port} has everything");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_master_is_replaced_and_the_session_goes_on() {
    let cluster = start(Kind::RedisCluster).unwrap();
    let at = || RedisClusterStore::builder(cluster.url()).prefix("failover:");
    let patient = at().timeout(PATIENT).connect().await.unwrap();
    // With the deadline that it has by itself.
    let store = at().open().unwrap();
    let mut sessions = Vec::new();
    for _ in 0..30 {
        let (key, stored) = (fresh_key(), record("before"));
        patient.create(&key, &stored, now()).await.unwrap();
        sessions.push((key, stored.etag));
    }
    // Fail-over keeps what the replica has; see the README for what it may not have yet.
    until_replicas_have_everything(&cluster.ports()).await;
    cluster.kill9_node(cluster.ports()[0]);
    let killed = Instant::now();
    let (mut failed, mut longest) = (0, Duration::ZERO);
    for (key, etag) in &sessions {
        let next = record("after");
        loop {
            let began = Instant::now();
            let answer = store.replace(key, *etag, &next, now()).await;
            longest = longest.max(began.elapsed());
            match answer {
                Ok(answer) => {
                    assert_eq!(answer, Written::Applied);
                    break;
                }
                Err(error) => {
                    failed += 1;
                    assert!(
                        matches!(error.kind(), StoreErrorKind::Unavailable | StoreErrorKind::Timeout),
                        "{error:?}"
                    );
                    assert!(
                        killed.elapsed() < seconds(60),
                        "no fail-over after {failed} failures: {error:?}"
                    );
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
    println!("writable again after {:?}, {failed} failures", killed.elapsed());
    assert!(longest < seconds(20), "{longest:?}");
    for (key, _) in &sessions {
        let Loaded::Found(found) = patient.load(key).await.unwrap() else { panic!("lost") };
        assert_eq!(&found.payload[..], b"after");
    }
}

/// Which sessions this node has. Every other node says where they are instead.
async fn on_node(port: u16, prefix: &str, keys: &[StoreKey]) -> Vec<bool> {
    let mut node = support::plain(&format!("redis://127.0.0.1:{port}")).await;
    let mut here = Vec::new();
    for key in keys {
        let mut exists = redis::cmd("EXISTS");
        here.push(exists.arg(format!("{prefix}session:{key}")).query_async::<u8>(&mut node).await.is_ok());
    }
    here
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_master_keeps_nobody_from_the_sessions_of_other_nodes() {
    let cluster = start(Kind::RedisCluster).unwrap();
    let silent = cluster.ports()[0];
    for port in cluster.ports() {
        let mut node = support::plain(&format!("redis://127.0.0.1:{port}")).await;
        let mut set = redis::cmd("CONFIG");
        set.arg("SET").arg(&["cluster-require-full-coverage", "no", "cluster-replica-no-failover", "yes"]);
        let () = set.query_async(&mut node).await.unwrap();
    }
    let at = || RedisClusterStore::builder(cluster.url()).prefix("silent:");
    let patient = at().timeout(PATIENT).connect().await.unwrap();
    let store = Arc::new(at().timeout(seconds(6)).connect().await.unwrap());
    let keys: Vec<_> = (0..30).map(|_| fresh_key()).collect();
    for key in &keys {
        patient.create(key, &record("before"), now()).await.unwrap();
    }
    let is_silent = on_node(silent, "silent:", &keys).await;
    assert!(is_silent.contains(&true) && is_silent.contains(&false), "{is_silent:?}");

    cluster.pause_node(silent);
    let is_over = Arc::new(AtomicBool::new(false));
    let mut others = Vec::new();
    let mut unanswered = Vec::new();
    for (key, is_silent) in keys.iter().copied().zip(is_silent) {
        let (store, is_over) = (store.clone(), is_over.clone());
        if is_silent {
            // Twice, so that new connections are made meanwhile.
            unanswered.push(tokio::spawn(async move { [store.load(&key).await, store.load(&key).await] }));
        } else {
            others.push(tokio::spawn(async move {
                let mut rounds = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let Loaded::Found(found) = store.load(&key).await.unwrap() else { panic!("lost") };
                    let answer = store.replace(&key, found.etag, &record("after"), now()).await.unwrap();
                    assert_eq!(answer, Written::Applied);
                    rounds += 1;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                rounds
            }));
        }
    }
    for twice in unanswered {
        for answer in twice.await.unwrap() {
            let kind = answer.unwrap_err().kind();
            assert!(matches!(kind, StoreErrorKind::Unavailable | StoreErrorKind::Timeout), "{kind:?}");
        }
    }
    is_over.store(true, Ordering::Relaxed);
    for other in others {
        assert!(other.await.unwrap() > 1);
    }
    cluster.resume();
    for key in &keys {
        assert!(lives(&patient, key).await);
    }
}

#[tokio::test]
async fn a_cluster_that_is_down_is_unavailable_in_time() {
    let store =
        RedisClusterStore::builder("redis-cluster://127.0.0.1:1,127.0.0.1:2").prefix("x:").open().unwrap();
    let began = Instant::now();
    assert_eq!(store.load(&fresh_key()).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert!(began.elapsed() < seconds(20), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_wrong_cluster_url_or_prefix_is_refused_without_showing_it() {
    for url in ["redis://127.0.0.1:7001", "redis-cluster://u:hunter2@host:notaport"] {
        let error = RedisClusterStore::builder(url).prefix("x:").open().unwrap_err();
        assert!(matches!(error, BuildError::ClusterUrl));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    let pinned = RedisClusterStore::builder("redis-cluster://127.0.0.1:7001").prefix("{x}:").open();
    assert!(matches!(pinned, Err(BuildError::HashTag)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_on_its_way_to_another_node_is_followed() {
    let cluster = start(Kind::RedisCluster).unwrap();
    let prefix = fresh_prefix();
    let store =
        RedisClusterStore::builder(cluster.url()).prefix(&prefix).timeout(PATIENT).connect().await.unwrap();
    let (key, first) = (fresh_key(), record("1"));
    store.create(&key, &first, now()).await.unwrap();
    // Where the key is, and another master.
    let name = format!("{prefix}session:{key}");
    let mut nodes = Vec::new();
    for port in cluster.ports() {
        let mut node = support::plain(&format!("redis://127.0.0.1:{port}")).await;
        let role: Vec<redis::Value> = redis::cmd("ROLE").query_async(&mut node).await.unwrap();
        if role.first() != Some(&redis::Value::BulkString(b"master".to_vec())) {
            continue;
        }
        let id: String = redis::cmd("CLUSTER").arg("MYID").query_async(&mut node).await.unwrap();
        let here = redis::cmd("EXISTS").arg(&name).query_async::<u8>(&mut node).await.is_ok();
        nodes.push((here, port, id, node));
    }
    nodes.sort_by_key(|(here, ..)| !here);
    let [(true, _, from_id, from), (false, to_port, to_id, to), ..] = &mut nodes[..] else { panic!() };
    let slot: u16 = redis::cmd("CLUSTER").arg("KEYSLOT").arg(&name).query_async(from).await.unwrap();
    let set_slot = |words: [&str; 2]| {
        let mut command = redis::cmd("CLUSTER");
        command.arg("SETSLOT").arg(slot).arg(&words);
        command
    };
    let () = set_slot(["IMPORTING", from_id]).query_async(to).await.unwrap();
    let () = set_slot(["MIGRATING", to_id]).query_async(from).await.unwrap();
    let mut migrate = redis::cmd("MIGRATE");
    migrate.arg("127.0.0.1").arg(*to_port).arg(&name).arg(0).arg(5000);
    let _: redis::Value = migrate.query_async(from).await.unwrap();
    // Half-way: the old node sends everybody on.
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(first.clone()));
    let second = record("2");
    assert_eq!(store.replace(&key, first.etag, &second, now()).await.unwrap(), Written::Applied);
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(second.clone()));
    // Arrived.
    let () = set_slot(["NODE", to_id]).query_async(to).await.unwrap();
    let () = set_slot(["NODE", to_id]).query_async(from).await.unwrap();
    assert_eq!(store.replace(&key, second.etag, &first, now()).await.unwrap(), Written::Applied);
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(first));
}
