//! Does what was asked of a store.

use std::cmp::Reverse;
use std::time::Duration;

use session_core::{
    adapter::Clock,
    store::{Census, Loaded, OwnerIndex, Record, SessionHead, SessionStore, StoreKey, Written},
};

use crate::command::{Command, Named, Which};
use crate::failure::Failure;
use crate::report::Report;

pub(crate) async fn run(
    store: &dyn SessionStore,
    command: &Command,
    clock: &dyn Clock,
) -> Result<Report, Failure> {
    let now = clock.now();
    match command {
        Command::Top { newest } => top(store, *newest, clock).await,
        Command::List { owner } => {
            let mut found = index(store)?.list(owner, now).await?;
            found.sort_by_key(|(key, record)| (Reverse(record.created), *key));
            Ok(Report::List(found))
        }
        Command::Show(which) => {
            let (key, record) = find(store, which, clock).await?;
            Ok(Report::Session { key, record, now })
        }
        Command::End(which) => {
            let (key, record) = find(store, which, clock).await?;
            let ended = end(store, key, &record, clock).await?;
            Ok(Report::Ended { sessions: 1, handle: Some(ended.handle()) })
        }
        Command::EndAll { owner } => {
            let sessions = index(store)?.destroy_all(owner, None, now, now.plus(TOMBSTONE)).await?;
            Ok(Report::Ended { sessions, handle: None })
        }
        Command::Export { owner } => {
            let mut sessions = index(store)?.list(owner, now).await?;
            sessions.sort_by_key(|(key, record)| (record.created, *key));
            Ok(Report::Export { owner: owner.clone(), sessions })
        }
        Command::Erase { owner } => {
            let sessions = index(store)?.destroy_all(owner, None, now, now.plus(TOMBSTONE)).await?;
            let expired = sweep(store, clock).await?;
            Ok(Report::Erased { sessions, expired })
        }
        Command::Migrate(_) | Command::Keys(_) | Command::Completions { .. } => {
            unreachable!("these are no questions to one store, and are answered before it is opened")
        }
    }
}

/// Ends a session under whatever key it is by now, unless it has become another one.
async fn end(
    store: &dyn SessionStore,
    mut key: StoreKey,
    found: &Record,
    clock: &dyn Clock,
) -> Result<StoreKey, Failure> {
    let until = clock.now().plus(TOMBSTONE);
    while let Written::Moved { key: to, record } = store.destroy(&key, until).await? {
        if record.owner.is_none() || record.owner != found.owner || record.created != found.created {
            break;
        }
        key = to;
    }
    Ok(key)
}

async fn top(store: &dyn SessionStore, most: usize, clock: &dyn Clock) -> Result<Report, Failure> {
    let census: &dyn Census = store.census().ok_or(Failure::NoCensus(store.name()))?;
    let (mut seen, mut newest, mut from) = (std::collections::HashSet::new(), Vec::new(), None);
    loop {
        let page = census.survey(from.as_ref(), PAGE, clock.now()).await?;
        newest.extend(page.entries.into_iter().filter(|head: &SessionHead| seen.insert(head.key)));
        // Only the newest are kept, however many there are.
        newest.sort_by_key(|head| (Reverse(head.created), head.key));
        newest.truncate(most);
        from = page.next;
        if from.is_none() {
            return Ok(Report::Top { store: store.name(), live: seen.len(), left: None, newest });
        }
    }
}

/// Removes what has expired from a store that does not do it by itself; returns how much.
async fn sweep(store: &dyn SessionStore, clock: &dyn Clock) -> Result<usize, Failure> {
    let Some(sweeper) = store.sweeper() else { return Ok(0) };
    let mut removed = 0;
    loop {
        let swept = sweeper.sweep(clock.now(), PAGE).await?;
        removed += swept.removed;
        if !swept.more {
            return Ok(removed);
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
    store.owners().ok_or(Failure::NoIndex(store.name()))
}

/// As long as the library's own.
const TOMBSTONE: Duration = Duration::from_secs(60);
const PAGE: usize = 250;

#[cfg(test)]
mod tests {
    use session_core::store::{Etag, StoreError, async_trait};
    use session_core::{Handle, Timestamp};
    use session_stores::MemoryStore;

    use super::*;

    #[derive(Debug)]
    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(43_200_000)
        }
    }

    fn record(created: i64, owner: Option<&str>) -> Record {
        let payload = br#"{"v":1,"data":{"card":"4111"},"system":{"csrf":"s3cret"}}"#.to_vec().into();
        let at = Timestamp::from_millis;
        Record::new(Etag::new(1), at(created), at(50_000_000), payload).with_owner(owner.map(Into::into))
    }

    async fn store() -> (MemoryStore, Handle) {
        let store = MemoryStore::new();
        for (byte, owner) in [(1, Some("ada")), (2, Some("ada")), (3, Some("bob")), (4, None)] {
            let record = record(43_000_000 + i64::from(byte), owner);
            store.create(&StoreKey::from_bytes([byte; 32]), &record, Noon.now()).await.unwrap();
        }
        (store, StoreKey::from_bytes([1; 32]).handle())
    }

    async fn text(store: &MemoryStore, command: Command) -> String {
        run(store, &command, &Noon).await.unwrap().to_text(false)
    }

    fn one(owner: &str, handle: Handle) -> Which {
        Which::of(owner, handle)
    }

    #[tokio::test]
    async fn a_users_sessions_are_listed_the_latest_first() {
        let (store, _) = store().await;
        let text = text(&store, Command::List { owner: "ada".into() }).await;
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[1].starts_with(&"02".repeat(16)) && lines[2].starts_with(&"01".repeat(16)), "{text}");
    }

    #[tokio::test]
    async fn values_are_shown_only_when_they_are_asked_for() {
        let (store, handle) = store().await;
        let shown = run(&store, &Command::Show(one("ada", handle)), &Noon).await.unwrap();
        for closed in [shown.to_text(false), shown.to_json(false).to_string()] {
            assert!(closed.contains("card") && closed.contains("csrf"), "{closed}");
            assert!(!closed.contains("4111") && !closed.contains("s3cret"), "{closed}");
        }
        assert!(shown.to_text(true).contains("data.card = \"4111\""));
        assert_eq!(shown.to_json(true)["content"]["data"]["card"], "4111");
    }

    #[tokio::test]
    async fn one_session_is_ended_and_the_others_go_on() {
        let (store, handle) = store().await;
        run(&store, &Command::End(one("ada", handle)), &Noon).await.unwrap();
        assert!(matches!(store.load(&StoreKey::from_bytes([1; 32])).await.unwrap(), Loaded::Ended { .. }));
        assert!(matches!(store.load(&StoreKey::from_bytes([2; 32])).await.unwrap(), Loaded::Found(_)));
        let again = run(&store, &Command::End(one("ada", handle)), &Noon).await.unwrap_err();
        assert_eq!((again.to_string().as_str(), again.code()), ("there is no such session", 3));
    }

    #[tokio::test]
    async fn a_session_that_gets_another_id_meanwhile_is_ended_all_the_same() {
        let (store, _) = store().await;
        let [old, new] = [1, 9].map(|byte| StoreKey::from_bytes([byte; 32]));
        let Loaded::Found(found) = store.load(&old).await.unwrap() else { panic!("it is there") };
        let until = Noon.now().plus(TOMBSTONE);
        let moved = found.clone().with_etag(Etag::new(2));
        store.rotate(&old, found.etag, &new, &moved, Noon.now(), until).await.unwrap();
        assert_eq!(end(&store, old, &found, &Noon).await.unwrap(), new);
        assert!(matches!(store.load(&new).await.unwrap(), Loaded::Ended { .. }));
        // Another session, which has begun later, is not.
        let (first, second) = (StoreKey::from_bytes([2; 32]), StoreKey::from_bytes([8; 32]));
        let Loaded::Found(found) = store.load(&first).await.unwrap() else { panic!("it is there") };
        let another = record(43_100_000, Some("ada")).with_etag(Etag::new(2));
        store.rotate(&first, found.etag, &second, &another, Noon.now(), until).await.unwrap();
        end(&store, first, &found, &Noon).await.unwrap();
        assert!(matches!(store.load(&second).await.unwrap(), Loaded::Found(_)));
    }

    #[tokio::test]
    async fn another_users_session_is_not_found_by_its_handle() {
        let (store, handle) = store().await;
        assert!(run(&store, &Command::End(one("bob", handle)), &Noon).await.is_err());
    }

    #[tokio::test]
    async fn an_anonymous_session_is_ended_by_its_key() {
        let (store, _) = store().await;
        let key = StoreKey::from_bytes([4; 32]);
        let text = text(&store, Command::End(Which::under(key))).await;
        assert_eq!(text, format!("ended {}\n", key.handle()));
    }

    #[tokio::test]
    async fn all_of_a_users_sessions_are_ended() {
        let (store, _) = store().await;
        assert_eq!(text(&store, Command::EndAll { owner: "ada".into() }).await, "ended 2\n");
    }

    #[tokio::test]
    async fn the_top_counts_everybody_and_shows_the_newest() {
        let (store, _) = store().await;
        let report = run(&store, &Command::Top { newest: 2 }, &Noon).await.unwrap();
        let json = report.to_json(false);
        assert_eq!((json["live"].as_u64(), json["store"].as_str()), (Some(4), Some("memory")));
        let newest: Vec<_> = json["newest"].as_array().unwrap().iter().map(|head| &head["handle"]).collect();
        assert_eq!(newest, [&"04".repeat(16), &"03".repeat(16)]);
    }

    /// A store that keeps nothing and can do nothing beyond the six verbs.
    #[derive(Debug)]
    struct Bare;

    #[async_trait]
    impl SessionStore for Bare {
        fn name(&self) -> &'static str {
            "bare"
        }
        async fn load(&self, _: &StoreKey) -> Result<Loaded, StoreError> {
            Ok(Loaded::Missing)
        }
        async fn create(&self, _: &StoreKey, _: &Record, _: Timestamp) -> Result<Written, StoreError> {
            Ok(Written::Taken)
        }
        async fn replace(
            &self,
            _: &StoreKey,
            _: Etag,
            _: &Record,
            _: Timestamp,
        ) -> Result<Written, StoreError> {
            Ok(Written::Gone)
        }
        async fn touch(&self, _: &StoreKey, _: Timestamp, _: Timestamp) -> Result<Written, StoreError> {
            Ok(Written::Gone)
        }
        async fn destroy(&self, _: &StoreKey, _: Timestamp) -> Result<Written, StoreError> {
            Ok(Written::Applied)
        }
        async fn rotate(
            &self,
            _: &StoreKey,
            _: Etag,
            _: &StoreKey,
            _: &Record,
            _: Timestamp,
            _: Timestamp,
        ) -> Result<Written, StoreError> {
            Ok(Written::Gone)
        }
    }

    #[tokio::test]
    async fn a_store_that_cannot_do_it_is_named_with_what_to_do_instead() {
        for command in [Command::List { owner: "ada".into() }, Command::Top { newest: 1 }] {
            let failure = run(&Bare, &command, &Noon).await.unwrap_err();
            assert_eq!(failure.code(), 4);
            assert!(failure.to_string().starts_with("the bare store cannot"), "{failure}");
        }
    }
}
