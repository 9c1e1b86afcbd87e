//! Moves the sessions that nobody uses, one after the other, until none is left or somebody presses Ctrl-C.

use std::future::Future;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use session_core::adapter::Clock;
use session_core::store::{Cursor, Loaded, MigratingStore, StoreKey};

use crate::command::Migrate;
use crate::failure::Failure;
use crate::report::Report;

pub(crate) async fn run(
    store: &MigratingStore,
    asked: &Migrate,
    clock: &dyn Clock,
) -> Result<Report, Failure> {
    let left = left(store, clock).await?;
    if asked.count {
        return Ok(Report::Left(left));
    }
    // On a terminal only, and away at the end.
    let bar = ProgressBar::new(left as u64).with_style(style());
    bar.enable_steady_tick(Duration::from_millis(200));
    let done = move_all(store, &bar, clock, tokio::signal::ctrl_c()).await;
    bar.finish_and_clear();
    let stay = done?;
    Ok(Report::Moved { moved: store.moved(), stay, left: self::left(store, clock).await? })
}

/// Returns how many sessions stay, because they do not fit.
async fn move_all(
    store: &MigratingStore,
    bar: &ProgressBar,
    clock: &dyn Clock,
    stop: impl Future,
) -> Result<usize, Failure> {
    let mut stop = std::pin::pin!(stop);
    let (mut stay, mut from) = (0, None);
    loop {
        let page = page(store, from.as_ref(), clock).await?;
        for key in page.0 {
            tokio::select! {
                biased;
                // A move that is left in the middle is completed by whoever finds it.
                _ = &mut stop => return Err(Failure::Stopped { moved: store.moved() }),
                moved = store.move_session(&key, clock.now()) => {
                    // One that has ended meanwhile has not to be moved any more.
                    if !moved? && is_left(store, &key, clock).await? {
                        stay += 1;
                    }
                }
            }
            bar.inc(1);
        }
        from = page.1;
        if from.is_none() {
            return Ok(stay);
        }
    }
}

pub(crate) async fn left(store: &MigratingStore, clock: &dyn Clock) -> Result<usize, Failure> {
    let (mut sessions, mut from) = (0, None);
    loop {
        let page = page(store, from.as_ref(), clock).await?;
        sessions += page.0.len();
        from = page.1;
        if from.is_none() {
            return Ok(sessions);
        }
    }
}

type Keys = (Vec<StoreKey>, Option<Cursor>);

async fn page(store: &MigratingStore, from: Option<&Cursor>, clock: &dyn Clock) -> Result<Keys, Failure> {
    let page = store.left(from, PAGE, clock.now()).await?.ok_or(Failure::NoCensus(store.from().name()))?;
    Ok((page.entries.into_iter().map(|head| head.key).collect(), page.next))
}

async fn is_left(store: &MigratingStore, key: &StoreKey, clock: &dyn Clock) -> Result<bool, Failure> {
    Ok(matches!(store.from().load(key).await?, Loaded::Found(record) if record.is_live(clock.now())))
}

fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} sessions, {per_sec}, {eta} to go");
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}

const PAGE: usize = 250;

#[cfg(test)]
mod tests {
    use session_core::adapter::SystemClock;
    use session_core::store::{Etag, Record, SessionStore as _};
    use session_stores::MemoryStore;

    use super::*;

    async fn sleepers(count: u8) -> (MemoryStore, MigratingStore) {
        let (new, old) = (MemoryStore::new(), MemoryStore::new());
        let now = SystemClock.now();
        for byte in 0..count {
            let record =
                Record::new(Etag::new(1), now, now.plus(Duration::from_secs(60)), b"{}".to_vec().into());
            old.create(&StoreKey::from_bytes([byte; 32]), &record, now).await.unwrap();
        }
        (new.clone(), MigratingStore::shared(std::sync::Arc::new(new), std::sync::Arc::new(old)))
    }

    #[tokio::test]
    async fn a_migration_that_was_stopped_goes_on_where_it_was() {
        let (new, store) = sleepers(40).await;
        let mut polls = 0;
        let stop = std::future::poll_fn(|_| {
            polls += 1;
            if polls > 15 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        });
        let stopped = move_all(&store, &ProgressBar::hidden(), &SystemClock, stop).await;
        assert!(matches!(stopped, Err(Failure::Stopped { .. })));
        let moved = store.moved();
        assert!(moved > 0 && moved < 40, "{moved}");
        assert_eq!(left(&store, &SystemClock).await.unwrap(), 40 - usize::try_from(moved).unwrap());
        move_all(&store, &ProgressBar::hidden(), &SystemClock, std::future::pending::<()>()).await.unwrap();
        assert_eq!(left(&store, &SystemClock).await.unwrap(), 0);
        for byte in 0..40 {
            assert!(matches!(new.load(&StoreKey::from_bytes([byte; 32])).await.unwrap(), Loaded::Found(_)));
        }
    }
}
