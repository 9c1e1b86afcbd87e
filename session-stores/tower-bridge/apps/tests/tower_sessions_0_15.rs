//! tower-sessions 0.15's own tests of its middleware, over the bridge instead of its memory store.

extern crate tower_sessions_0_15 as tower_sessions;

#[macro_use]
mod common {
    include!(env!("TOWER_SESSIONS_0_15"));
}

mod over_the_bridge {
    use axum::Router;
    use session_store_memory::MemoryStore;
    use session_tower_bridge::TowerSessionsBridge;
    use tower_sessions::SessionManagerLayer;

    use crate::common::build_app;

    async fn app(max_age: Option<Duration>, domain: Option<String>) -> Router {
        let store = TowerSessionsBridge::new(MemoryStore::new());
        build_app(SessionManagerLayer::new(store).with_secure(true), max_age, domain)
    }

    route_tests!(app);
}
