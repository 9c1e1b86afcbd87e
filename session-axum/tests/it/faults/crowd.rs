//! Many concurrent requests on one session, over HTTP and with a real server.

use std::time::Duration;

use tokio::task::JoinSet;

use super::site::{Place, Site};

pub(crate) async fn sixteen_clients_lose_no_write(place: Place) {
    let site = Site::open(&place.url, PATIENCE).await;
    let ada = site.ada().await;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let ada = ada.clone();
        clients.spawn(async move {
            for _ in 0..WRITES {
                let reply = ada.get("/write").await;
                assert_eq!((reply.status, reply.set_cookies.len()), (200, 0), "{reply:?}");
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    assert_eq!(ada.hits().await, CLIENTS * WRITES);
}

pub(crate) async fn a_logout_is_final_for_slow_writers(place: Place) {
    let site = Site::open(&place.url, PATIENCE).await;
    for round in 0..ROUNDS {
        let ada = site.ada().await;
        let mut writers = JoinSet::new();
        for _ in 0..CLIENTS {
            let ada = ada.clone();
            writers.spawn(async move { ada.get("/slow?ms=40").await });
        }
        // From before the first of them has read to after the last of them has written.
        tokio::time::sleep(Duration::from_millis(round * 5)).await;
        assert_eq!(ada.get("/logout").await.status, 200);
        while let Some(writer) = writers.join_next().await {
            let reply = writer.unwrap();
            assert_eq!((reply.status, reply.set_cookies.len()), (200, 0), "round {round}: {reply:?}");
        }
        assert_eq!(ada.get("/read").await.text, "anon", "round {round}");
        assert_eq!(ada.hits().await, 0, "round {round}");
    }
}

const CLIENTS: u64 = 16;
const WRITES: u64 = 25;
const ROUNDS: u64 = 20;
/// What is proved here is not the deadline.
const PATIENCE: Duration = Duration::from_secs(60);
