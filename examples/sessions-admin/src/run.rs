//! Does what was asked, and says what came of it.

use std::time::Duration;

use session_core::{
    adapter::Clock,
    store::{Loaded, OwnerIndex, Record, SessionStore, StoreError, StoreKey},
};

use crate::command::{Command, Named, NoKey, Which};
use crate::show;

pub(crate) async fn run(
    store: &dyn SessionStore,
    command: &Command,
    show_values: bool,
    clock: &dyn Clock,
) -> Result<String, Failure> {
    let now = clock.now();
    match command {
        // Printed before any store is opened.
        Command::Completions { .. } => Ok(String::new()),
        Command::List { owner } => {
            let mut found = index(store)?.list(owner, now).await?;
            found.sort_by_key(|(key, record)| (std::cmp::Reverse(record.created), *key));
            Ok(show::list(&found))
        }
        Command::Show(which) => {
            let (key, record) = find(store, which, clock).await?;
            Ok(show::session(&key, &record, now, show_values))
        }
        Command::End(which) => {
            let (key, _) = find(store, which, clock).await?;
            store.destroy(&key, now.plus(TOMBSTONE)).await?;
            Ok(format!("ended {}\n", key.handle()))
        }
        Command::EndAll { owner } => {
            let ended = index(store)?.destroy_all(owner, None, now, now.plus(TOMBSTONE)).await?;
            Ok(format!("ended {ended}\n"))
        }
    }
}

async fn find(
    store: &dyn SessionStore,
    which: &Which,
    clock: &dyn Clock,
) -> Result<(StoreKey, Record), Failure> {
    match which.named()? {
        Named::Under(key) => match store.load(&key).await? {
            Loaded::Found(record) => Ok((key, record)),
            Loaded::Missing => Err(Failure::NotThere),
            Loaded::Ended { .. } => Err(Failure::Ended),
        },
        Named::Of { owner, handle } => {
            let found = index(store)?.list(owner, clock.now()).await?;
            found.into_iter().find(|(key, _)| key.handle() == handle).ok_or(Failure::NotThere)
        }
    }
}

fn index(store: &dyn SessionStore) -> Result<&dyn OwnerIndex, Failure> {
    store.owners().ok_or(Failure::NoIndex)
}

/// It was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("there is no such session")]
    NotThere,
    #[error("this session was ended already")]
    Ended,
    #[error("this store cannot find sessions by their user; name the session by its key")]
    NoIndex,
    #[error(transparent)]
    NoKey(#[from] NoKey),
    #[error("the store did not do it")]
    Store(#[from] StoreError),
}

/// As long as the library's own.
const TOMBSTONE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use session_core::{Handle, Timestamp, store::Etag};
    use session_stores::{StoreConfig, open};

    use super::*;

    #[derive(Debug)]
    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(43_200_000)
        }
    }

    async fn store() -> (std::sync::Arc<dyn SessionStore>, Handle) {
        let store = open(&StoreConfig::from_url("memory").unwrap()).await.unwrap();
        for (byte, owner) in [(1, Some("ada")), (2, Some("ada")), (3, Some("bob")), (4, None)] {
            let record = Record::new(
                Etag::new(1),
                Timestamp::from_millis(43_000_000 + i64::from(byte)),
                Timestamp::from_millis(50_000_000),
                br#"{"v":1,"data":{"card":"4111"},"system":{"csrf":"s3cret"}}"#.to_vec().into(),
            )
            .with_owner(owner.map(Into::into));
            store.create(&StoreKey::from_bytes([byte; 32]), &record, Noon.now()).await.unwrap();
        }
        (store, StoreKey::from_bytes([1; 32]).handle())
    }

    fn one(owner: &str, handle: Handle) -> Which {
        Which::of(owner, handle)
    }

    #[tokio::test]
    async fn a_users_sessions_are_listed_the_latest_first() {
        let (store, _) = store().await;
        let text = run(&*store, &Command::List { owner: "ada".into() }, false, &Noon).await.unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[1].starts_with(&"02".repeat(16)) && lines[2].starts_with(&"01".repeat(16)), "{text}");
    }

    #[tokio::test]
    async fn values_are_shown_only_when_they_are_asked_for() {
        let (store, handle) = store().await;
        let closed = run(&*store, &Command::Show(one("ada", handle)), false, &Noon).await.unwrap();
        assert!(closed.contains("data.card") && closed.contains("system.csrf"), "{closed}");
        assert!(!closed.contains("4111") && !closed.contains("s3cret"), "{closed}");
        let open = run(&*store, &Command::Show(one("ada", handle)), true, &Noon).await.unwrap();
        assert!(open.contains("data.card = \"4111\""), "{open}");
    }

    #[tokio::test]
    async fn one_session_is_ended_and_the_others_go_on() {
        let (store, handle) = store().await;
        run(&*store, &Command::End(one("ada", handle)), false, &Noon).await.unwrap();
        assert!(matches!(store.load(&StoreKey::from_bytes([1; 32])).await.unwrap(), Loaded::Ended { .. }));
        assert!(matches!(store.load(&StoreKey::from_bytes([2; 32])).await.unwrap(), Loaded::Found(_)));
        let again = run(&*store, &Command::End(one("ada", handle)), false, &Noon).await;
        assert_eq!(again.unwrap_err().to_string(), "there is no such session");
    }

    #[tokio::test]
    async fn another_users_session_is_not_found_by_its_handle() {
        let (store, handle) = store().await;
        assert!(run(&*store, &Command::End(one("bob", handle)), false, &Noon).await.is_err());
    }

    #[tokio::test]
    async fn an_anonymous_session_is_ended_by_its_key() {
        let (store, _) = store().await;
        let key = StoreKey::from_bytes([4; 32]);
        let text = run(&*store, &Command::End(Which::under(key)), false, &Noon).await.unwrap();
        assert_eq!(text, format!("ended {}\n", key.handle()));
    }

    #[tokio::test]
    async fn all_of_a_users_sessions_are_ended() {
        let (store, _) = store().await;
        let text = run(&*store, &Command::EndAll { owner: "ada".into() }, false, &Noon).await.unwrap();
        assert_eq!(text, "ended 2\n");
    }
}
