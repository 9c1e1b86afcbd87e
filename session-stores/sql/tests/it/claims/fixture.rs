//! The fixture of the store suite: a store with its own table, and access to its rows.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_conformance::crowd::Place;
use session_conformance::{Damage, DamageKind, Fixture};
use session_core::store::{StoreKey, async_trait};

use super::Ground;

pub(crate) async fn fixture<G: Ground>() -> Fixture {
    let ground = Arc::new(G::new().await);
    let again = Arc::clone(&ground);
    Fixture::new(ground.store())
        .reopen(move || std::future::ready(again.store()))
        .shared(ground.text(), |place| std::future::ready(G::at(&place)))
        .stalled(BRIEF, || async {
            let (store, guard) = G::stalled(BRIEF).await;
            // Only kept, never used: the lock makes it shareable.
            Fixture::new(store).with_guard(Mutex::new(guard))
        })
        .with_damage(Spoil(ground))
        // The index is a column of the session's row.
        .without_owner_entries()
}

const BRIEF: Duration = Duration::from_millis(200);

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
