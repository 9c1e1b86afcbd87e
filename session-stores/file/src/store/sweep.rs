//! The sweep as the core asks for it: in bounded batches, each within its time, all of them together once around.

use std::sync::PoisonError;
use std::time::Instant;

use session_core::{
    Timestamp,
    store::{StoreError, Sweep, Swept, async_trait},
};

use super::FileStore;
use crate::locks;
use crate::sweep::{self, Circle};

/// One sweeper works at a time, among all processes: another one is told that nothing was removed and nothing waits.
/// A call goes on where the last one stopped, and stops when half of the store's timeout is over. It answers `more`
/// until it has been once through all directories, or for as long as its batches are full.
#[async_trait]
impl Sweep for FileStore {
    async fn sweep(&self, before: Timestamp, most: usize) -> Result<Swept, StoreError> {
        let only = self.perform(&[], |disk| locks::try_lock(disk, locks::SWEEPER)).await?;
        if only.is_none() || most == 0 {
            return Ok(Swept { removed: 0, more: false });
        }
        let stop = Instant::now() + self.shared.timeout / 2;
        let circle = |step: &dyn Fn(&mut Circle)| {
            let mut circle = self.shared.circle.lock().unwrap_or_else(PoisonError::into_inner);
            step(&mut circle);
            circle.fan()
        };
        let (mut removed, mut failure) = (0, None);
        while let Some(fan) = circle(&|_| {}) {
            let (gone, mut late) = self.sweep_fan(fan, before, most - removed, stop, &mut failure).await;
            removed += gone;
            if removed >= most {
                circle(&Circle::again);
                return Ok(Swept { removed, more: true });
            }
            // A directory is done, or so stuck that waiting on would keep all others.
            if !late || gone == 0 {
                circle(&Circle::advance);
            }
            late |= Instant::now() >= stop;
            if late && circle(&|_| {}).is_some() {
                return Ok(Swept { removed, more: true });
            }
        }
        circle(&Circle::again);
        match failure {
            Some(error) if removed == 0 => Err(error),
            _ => Ok(Swept { removed, more: false }),
        }
    }
}

impl FileStore {
    /// Sweeps one directory: how much was removed, and whether time ran out. One file that cannot be removed does not
    /// keep the others.
    async fn sweep_fan(
        &self,
        fan: u8,
        before: Timestamp,
        room: usize,
        stop: Instant,
        failure: &mut Option<StoreError>,
    ) -> (usize, bool) {
        let found = self.perform(&[], move |disk| {
            let mut found = sweep::suspects(disk, fan, before, room)?;
            found.extend(sweep::idle_marks(disk, fan)?);
            Ok(found)
        });
        let found = match found.await {
            Ok(found) => found,
            Err(error) => {
                *failure = Some(error);
                return (0, false);
            }
        };
        let mut removed = 0;
        for suspect in found {
            if Instant::now() >= stop {
                return (removed, true);
            }
            match self.perform(&suspect.keys(), move |disk| suspect.remove(disk, before)).await {
                Ok(gone) => removed += gone,
                Err(error) => *failure = Some(error),
            }
        }
        (removed, false)
    }
}
