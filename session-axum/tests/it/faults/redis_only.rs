//! Faults of Redis servers only: flushed scripts, paused clients, a master that becomes a replica.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use session_test_servers::{Kind, start};
use tokio::task::JoinSet;

use super::console::Console;
use super::down::{TIMEOUT, nothing_but_503, only_reading_works, signed_in, still_signed_in};
use super::site::Site;

/// Every process of the server forgets its scripts all the time, and no visitor notices.
pub(crate) async fn scripts_forgotten(kind: Kind) {
    let server = start(kind).unwrap();
    let site = Site::open(&server.url(), PATIENCE).await;
    let ada = site.ada().await;
    let over = Arc::new(AtomicBool::new(false));
    let forgetting = {
        let (mut consoles, over) = (consoles(&server.ports()), Arc::clone(&over));
        tokio::task::spawn_blocking(move || {
            let mut times = 0;
            while !over.load(Ordering::Relaxed) {
                consoles.iter_mut().for_each(|console| console.order("SCRIPT FLUSH"));
                times += 1;
            }
            times
        })
    };
    let mut clients = JoinSet::new();
    for _ in 0..4 {
        let ada = ada.clone();
        clients.spawn(async move {
            for _ in 0..25 {
                let reply = ada.get("/write").await;
                assert_eq!((reply.status, reply.set_cookies.len()), (200, 0), "{reply:?}");
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    assert_eq!(ada.hits().await, 100);
    for _ in 0..10 {
        // A login is a rotation or a create, and a logout destroys.
        let eve = site.ada().await;
        assert_eq!(eve.get("/logout").await.status, 200);
        assert_eq!(eve.get("/read").await.text, "anon");
    }
    over.store(true, Ordering::Relaxed);
    let times: u32 = forgetting.await.unwrap();
    assert!(times > 0, "nothing was forgotten");
}

/// The server takes commands and answers none of them, until it is told to go on.
pub(crate) async fn clients_paused() {
    let server = start(Kind::Redis).unwrap();
    let site = Site::open(&server.url(), TIMEOUT).await;
    let ada = signed_in(&site).await;
    let (mut console, mut replica) = (Console::to(server.port()), Console::to(server.port()));
    // Replicas are never paused: this one will end the pause.
    replica.say("SYNC");
    let begun = Instant::now();
    while !console.ask("CLIENT LIST").contains(" flags=S") {
        assert!(begun.elapsed() < PATIENCE, "it is not taken for a replica");
    }
    console.order("CLIENT PAUSE 3600000 ALL");
    nothing_but_503(&site, &ada).await;
    replica.say("CLIENT UNPAUSE");
    still_signed_in(&ada).await;
}

/// The server becomes a replica and takes no more writes.
pub(crate) async fn demoted() {
    let server = start(Kind::Redis).unwrap();
    let site = Site::open(&server.url(), TIMEOUT).await;
    let ada = signed_in(&site).await;
    let mut console = Console::to(server.port());
    // A replica of nobody keeps what it has.
    console.order("REPLICAOF 127.0.0.1 1");
    only_reading_works(&site, &ada).await;
    console.order("REPLICAOF NO ONE");
    still_signed_in(&ada).await;
}

/// The server hangs up on everybody, and takes nobody new.
pub(crate) async fn out_of_clients() {
    let server = start(Kind::Redis).unwrap();
    let site = Site::open(&server.url(), TIMEOUT).await;
    let ada = signed_in(&site).await;
    let mut console = Console::to(server.port());
    console.order("CONFIG SET maxclients 1");
    console.order("CLIENT KILL TYPE normal SKIPME yes");
    nothing_but_503(&site, &ada).await;
    console.order("CONFIG SET maxclients 1000");
    still_signed_in(&ada).await;
}

fn consoles(ports: &[u16]) -> Vec<Console> {
    ports.iter().map(|port| Console::to(*port)).collect()
}

const PATIENCE: Duration = Duration::from_secs(30);
