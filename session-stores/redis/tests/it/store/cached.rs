//! The client-side cache: reads without a round trip that do not hide changes and sign-outs by other clients.

use std::time::{Duration, Instant};

use session_conformance::proxy::Weather;
use session_core::store::{Etag, Loaded, OwnerIndex, SessionStore, StoreErrorKind, Written};
use session_store_redis::{RedisStore, redis};
use session_test_servers::{Kind, start};

use super::cuts::proxy;
use crate::support::{
    PATIENT, SOON, fresh_key, fresh_prefix, now, owned, plain, random, record, shared_url, until,
};

/// Loads until the answer is this one; the invalidation is on its way when the other writer has its answer.
async fn sees(
    store: &RedisStore,
    key: &session_core::store::StoreKey,
    is: impl Fn(&Loaded) -> bool,
) -> Duration {
    let began = Instant::now();
    while !is(&store.load(key).await.unwrap()) {
        assert!(began.elapsed() < SOON, "still stale");
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    began.elapsed()
}

#[tokio::test]
async fn reads_of_an_unchanged_session_cost_nothing() {
    let server = start(Kind::Redis).unwrap();
    let store = RedisStore::builder(server.url())
        .prefix("c:")
        .timeout(PATIENT)
        .client_cache(100)
        .connect()
        .await
        .unwrap();
    let mut plain = plain(&server.url()).await;
    let stats = loop {
        let (key, stored) = (fresh_key(), record("1"));
        let elsewhere =
            RedisStore::builder(server.url()).prefix("c:").timeout(PATIENT).connect().await.unwrap();
        elsewhere.create(&key, &stored, now()).await.unwrap();
        let _: () = redis::cmd("CONFIG").arg("RESETSTAT").query_async(&mut plain).await.unwrap();
        let began = Instant::now();
        for _ in 0..100 {
            assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(stored.clone()));
        }
        // A line that was silent for a second is not believed; on a machine as busy as that it is tried again.
        if began.elapsed() < Duration::from_secs(1) {
            break redis::cmd("INFO").arg("commandstats").query_async::<String>(&mut plain).await.unwrap();
        }
    };
    assert!(stats.contains("cmdstat_get:calls=1,"), "{stats}");
}

/// How often the server has run a command for this server's clients.
async fn calls(plain: &mut redis::aio::MultiplexedConnection, command: &str) -> u64 {
    let stats: String = redis::cmd("INFO").arg("commandstats").query_async(plain).await.unwrap();
    let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.map_or(0, |rest| rest.split(',').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_write_is_one_trip_and_the_read_after_it_none() {
    let server = start(Kind::Redis).unwrap();
    let (url, prefix) = (server.url(), "c:");
    let store =
        RedisStore::builder(&url).prefix(prefix).timeout(PATIENT).client_cache(100).connect().await.unwrap();
    let elsewhere = RedisStore::builder(&url).prefix(prefix).timeout(PATIENT).connect().await.unwrap();
    let mut plain = plain(&url).await;
    loop {
        let (key, new, mut current) = (fresh_key(), fresh_key(), record("0"));
        let _: () = redis::cmd("CONFIG").arg("RESETSTAT").query_async(&mut plain).await.unwrap();
        let began = Instant::now();
        store.create(&key, &current, now()).await.unwrap();
        for round in 0..20 {
            assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(current.clone()));
            let next = record(&round.to_string());
            assert_eq!(store.replace(&key, current.etag, &next, now()).await.unwrap(), Written::Applied);
            current = next;
        }
        let stale = store.replace(&key, Etag::new(1), &record("x"), now()).await.unwrap();
        assert_eq!(stale, Written::Conflict(current.clone()));
        assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(current.clone()));
        let moved = record("moved");
        let rotated = store.rotate(&key, current.etag, &new, &moved, now(), until()).await.unwrap();
        assert_eq!(rotated, Written::Applied);
        assert_eq!(store.load(&new).await.unwrap(), Loaded::Found(moved.clone()));
        // The scripts read as well: one `GET` for each, two where there are two keys.
        let reads = calls(&mut plain, "get").await;
        if began.elapsed() > Duration::from_secs(1) {
            // A line that was silent for a second is not believed; on a machine as busy as that it is tried again.
            continue;
        }
        assert_eq!(reads, 1 + 20 + 1 + 1);
        // The server goes on telling of what others do to what was written and not read.
        for ends in [false, true] {
            let next = record("elsewhere");
            match ends {
                true => drop(elsewhere.destroy(&new, until()).await.unwrap()),
                false => drop(elsewhere.replace(&new, moved.etag, &next, now()).await.unwrap()),
            }
            let is = |loaded: &Loaded| match ends {
                true => matches!(loaded, Loaded::Ended { .. }),
                false => *loaded == Loaded::Found(next.clone()),
            };
            sees(&store, &new, is).await;
        }
        return;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_elsewhere_is_seen_after_a_write_here_as_after_a_read() {
    let (url, prefix) = (shared_url(), fresh_prefix());
    let open = async || {
        let store = RedisStore::builder(&url).prefix(&prefix).timeout(PATIENT);
        store.client_cache(1000).connect().await.unwrap()
    };
    let (here, there) = (open().await, open().await);
    let key = fresh_key();
    let mut current = record("0");
    here.create(&key, &current, now()).await.unwrap();
    for _ in 0..300 {
        for (writer, reader) in [(&here, &there), (&there, &here)] {
            // Either one may stand on what it has cached: the server refuses what is stale.
            let next = record("next");
            while let Written::Conflict(found) =
                writer.replace(&key, current.etag, &next, now()).await.unwrap()
            {
                current = found;
            }
            assert_eq!(writer.load(&key).await.unwrap(), Loaded::Found(next.clone()));
            sees(reader, &key, |loaded| *loaded == Loaded::Found(next.clone())).await;
            current = next;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_and_readers_on_two_stores_never_read_what_is_older_than_their_own_write() {
    let (url, prefix) = (shared_url(), fresh_prefix());
    let key = fresh_key();
    let mut tasks = Vec::new();
    let first = record("0");
    for nth in 0..2 {
        let builder = RedisStore::builder(&url).prefix(&prefix).timeout(PATIENT).client_cache(1000);
        let store = std::sync::Arc::new(builder.connect().await.unwrap());
        if nth == 0 {
            store.create(&key, &first, now()).await.unwrap();
        }
        for _ in 0..4 {
            let (store, mut current) = (store.clone(), first.clone());
            tasks.push(tokio::spawn(async move {
                let mut won = 0;
                while won < 200 {
                    // The payload counts the writes that have been applied.
                    let count: u64 = std::str::from_utf8(&current.payload).unwrap().parse().unwrap();
                    let next = record(&(count + 1).to_string());
                    match store.replace(&key, current.etag, &next, now()).await.unwrap() {
                        Written::Applied => won += 1,
                        Written::Conflict(found) => {
                            current = found;
                            continue;
                        }
                        other => panic!("{other:?}"),
                    }
                    let Loaded::Found(read) = store.load(&key).await.unwrap() else { panic!("it is there") };
                    let seen: u64 = std::str::from_utf8(&read.payload).unwrap().parse().unwrap();
                    assert!(seen > count, "{seen} was read after {} was written", count + 1);
                    current = read;
                }
            }));
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_and_a_logout_elsewhere_are_seen_at_once() {
    let (url, prefix) = (shared_url(), fresh_prefix());
    let here = RedisStore::builder(&url)
        .prefix(&prefix)
        .timeout(PATIENT)
        .client_cache(1000)
        .connect()
        .await
        .unwrap();
    let there = RedisStore::builder(&url).prefix(&prefix).timeout(PATIENT).connect().await.unwrap();
    for _ in 0..100 {
        let (key, first, second) = (fresh_key(), owned("ada"), owned("ada"));
        there.create(&key, &first, now()).await.unwrap();
        assert_eq!(here.load(&key).await.unwrap(), Loaded::Found(first.clone()));
        there.replace(&key, first.etag, &second, now()).await.unwrap();
        sees(&here, &key, |loaded| *loaded == Loaded::Found(second.clone())).await;
        // What is stale is refused by the server, not by luck.
        let late = here.replace(&key, first.etag, &record("x"), now()).await.unwrap();
        assert_eq!(late, Written::Conflict(second.clone()));
        there.destroy_all("ada", None, now(), until()).await.unwrap();
        sees(&here, &key, |loaded| matches!(loaded, Loaded::Ended { .. })).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_always_reads_its_own_writes() {
    let store = RedisStore::builder(shared_url())
        .prefix(fresh_prefix())
        .timeout(PATIENT)
        .client_cache(1000)
        .connect()
        .await
        .unwrap();
    let store = std::sync::Arc::new(store);
    let (key, mut current) = (fresh_key(), record("0"));
    store.create(&key, &current, now()).await.unwrap();
    // Readers that keep the cache busy with what was there a moment ago.
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let store = std::sync::Arc::clone(&store);
            tokio::spawn(async move {
                loop {
                    store.load(&key).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..1000 {
        let next = current.clone().with_etag(Etag::new(random()));
        assert_eq!(store.replace(&key, current.etag, &next, now()).await.unwrap(), Written::Applied);
        assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(next.clone()));
        current = next;
    }
    readers.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_server_is_not_covered_up() {
    let server = start(Kind::Redis).unwrap();
    let store = RedisStore::builder(server.url())
        .prefix("c:")
        .timeout(PATIENT)
        .client_cache(100)
        .connect()
        .await
        .unwrap();
    let key = fresh_key();
    store.create(&key, &record("1"), now()).await.unwrap();
    store.load(&key).await.unwrap();
    server.kill9();
    // The end of the connection is on its way.
    let killed = Instant::now();
    let error = loop {
        match store.load(&key).await {
            Ok(_) => assert!(killed.elapsed() < SOON, "covered up"),
            Err(error) => break error,
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    server.restart().unwrap();
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Missing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_line_hides_a_logout_for_a_second_at_most() {
    let (proxy, url) = proxy().await;
    let prefix = fresh_prefix();
    let deadline = Duration::from_secs(2);
    let here =
        RedisStore::builder(url).prefix(&prefix).timeout(deadline).client_cache(100).connect().await.unwrap();
    let there = RedisStore::builder(shared_url()).prefix(&prefix).timeout(PATIENT).connect().await.unwrap();
    let key = fresh_key();
    there.create(&key, &record("1"), now()).await.unwrap();
    assert!(matches!(here.load(&key).await.unwrap(), Loaded::Found(_)));
    proxy.set(Weather::BlackHole);
    there.destroy(&key, until()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1010)).await;
    assert_eq!(here.load(&key).await.unwrap_err().kind(), StoreErrorKind::Timeout);
    proxy.set(Weather::Fine);
    let back = Instant::now();
    loop {
        match here.load(&key).await {
            Ok(loaded) => break assert!(matches!(loaded, Loaded::Ended { .. })),
            Err(_) => assert!(back.elapsed() < SOON),
        }
    }
}

/// Runs this on a runtime of its own, as each worker of actix-web has one.
fn on_a_worker<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        scope.spawn(move || runtime().block_on(work)).join().unwrap()
    })
}

#[test]
fn a_write_of_one_worker_is_read_by_the_others_at_once() {
    let store = RedisStore::builder(shared_url()).prefix(fresh_prefix()).timeout(PATIENT).client_cache(1000);
    let store = store.open().unwrap();
    let (key, first) = (fresh_key(), record("0"));
    let barrier = std::sync::Barrier::new(2);
    let turn = std::sync::Mutex::new(first.clone());
    let worker = async |parity: u64| {
        for round in 0..300 {
            barrier.wait();
            if round % 2 == parity {
                let next = record("next");
                let current = turn.lock().unwrap().clone();
                let written = store.replace(&key, current.etag, &next, now()).await.unwrap();
                assert_eq!(written, Written::Applied);
                *turn.lock().unwrap() = next;
            }
            barrier.wait();
            let current = turn.lock().unwrap().clone();
            assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(current));
        }
    };
    on_a_worker(async { store.create(&key, &first, now()).await.unwrap() });
    std::thread::scope(|scope| {
        scope.spawn(|| on_a_worker(worker(0)));
        scope.spawn(|| on_a_worker(worker(1)));
    });
}

#[test]
fn a_store_outlives_the_runtimes_that_have_used_it() {
    let store = RedisStore::builder(shared_url()).prefix(fresh_prefix()).timeout(PATIENT).open().unwrap();
    let (key, stored) = (fresh_key(), record("1"));
    on_a_worker(async { store.create(&key, &stored, now()).await.unwrap() });
    for _ in 0..300 {
        assert_eq!(on_a_worker(async { store.load(&key).await.unwrap() }), Loaded::Found(stored.clone()));
    }
}
