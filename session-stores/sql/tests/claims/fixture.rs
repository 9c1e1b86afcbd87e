//! What the testkit's suites are given: a store with a table of its own, and somebody who damages its rows.

use std::sync::Arc;

use session_core::store::{StoreKey, async_trait};
use session_testkit::crowd::Place;
use session_testkit::{Damage, DamageKind, Fixture};

use super::Ground;

pub(crate) async fn fixture<G: Ground>() -> Fixture {
    let ground = Arc::new(G::new().await);
    let again = Arc::clone(&ground);
    Fixture::new(ground.store()).with_damage(Spoil(Arc::clone(&ground))).reopen(move || {
        let store = again.store();
        async move { store }
    })
}

/// Where several processes may open a store.
pub(crate) async fn place<G: Ground>() -> Place {
    let ground = G::new().await;
    Place::at(ground.text()).with_guard(ground)
}

struct Spoil<G>(Arc<G>);

#[async_trait]
impl<G: Ground> Damage for Spoil<G> {
    async fn damage(&self, key: &StoreKey, kind: DamageKind) {
        let key = G::bytes(key.as_bytes());
        let spoiled = match kind {
            DamageKind::NewerFormat => "format = 3".to_owned(),
            DamageKind::Truncate => format!("payload = {}", G::HALF),
            DamageKind::FlipBit => "etag = CASE WHEN etag % 2 = 0 THEN etag + 1 ELSE etag - 1 END".to_owned(),
            _ => format!("payload = {}", G::bytes(&[0xff; 9])),
        };
        let spoil = format!("UPDATE {{table}} SET {spoiled} WHERE session_key = {key}");
        self.0.run(&spoil).await;
    }
}
