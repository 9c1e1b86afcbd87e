//! Serves the application; the store is the only line that differs from one on tower-sessions' own store.

use session_store_memory::MemoryStore;
use session_tower_bridge::TowerSessionsBridge;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    // let store = tower_sessions::MemoryStore::default();
    let store = TowerSessionsBridge::new(MemoryStore::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, tower_bridge_apps::app(store)).await
}
