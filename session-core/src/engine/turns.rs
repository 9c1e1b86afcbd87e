//! Queues for requests of this process that write the same session concurrently, so that they take turns instead of
//! racing, and one of them writes for all that wait.
//!
//! An uncontended commit does not queue: it tries first, and waits here only after a conflict. While a queue exists,
//! later commits enter it before they try. A commit whose turn comes takes those behind it along, as long as they can be
//! written together, and returns each with its result. The turn after that starts from the record that was written. Other
//! processes are handled by compare-and-swap alone.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::decision::commit::{Group, Writing};
use crate::value::id::StoreKey;
use crate::value::record::Record;

/// A queue for each session that is fought over; none for the others.
#[derive(Debug)]
pub(crate) struct Turns {
    // Std mutexes: nothing awaits while one is held. A slot is locked after its shard.
    shards: [Mutex<HashMap<StoreKey, Queue>>; SHARDS],
    /// How many there are, so that one who is alone looks at one number.
    queues: AtomicUsize,
}

/// Exists for as long as somebody has a turn. No longer than the number of requests that are being served.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Arc<Slot>>,
    /// What the last turn wrote.
    latest: Option<Record>,
}

/// The place of one commit in a queue.
#[derive(Debug, Default)]
struct Slot(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    stage: Stage,
    waker: Option<Waker>,
}

#[derive(Debug, Default)]
enum Stage {
    Waits(Box<Writing>),
    /// Its turn has come.
    Leads(Box<Writing>),
    /// Another commit has taken it along, or nobody waits for it any more.
    #[default]
    Away,
    /// The one that took it along is done with it.
    Back(Box<Writing>),
}

/// What waiting ends with.
#[derive(Debug)]
pub(crate) enum Place<'t> {
    /// The turn of this commit has come.
    Turn(Turn<'t>, Box<Writing>),
    /// Another commit has taken it along. If it still has a step, it goes on by itself.
    Back(Box<Writing>),
}

impl Default for Turns {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), queues: AtomicUsize::new(0) }
    }
}

impl Turns {
    /// Returns whether there is a queue for this session. A queue that begins concurrently may be missed; a conflict
    /// then reveals it.
    pub(crate) fn has_queue(&self, key: &StoreKey) -> bool {
        self.queues.load(Ordering::Relaxed) > 0 && self.shard(key).contains_key(key)
    }

    /// Waits for a turn at this session, or until another commit has taken this one along. Cancel safe: a commit that
    /// was dropped while it waited is not written.
    pub(crate) fn wait(&self, key: StoreKey, writing: Box<Writing>) -> Waiting<'_> {
        let slot = Arc::new(Slot::default());
        let mut queues = self.shard(&key);
        slot.lock().stage = match queues.get_mut(&key) {
            Some(queue) => {
                queue.waiting.push_back(slot.clone());
                Stage::Waits(writing)
            }
            None => {
                queues.insert(key, Queue::default());
                self.queues.fetch_add(1, Ordering::Relaxed);
                Stage::Leads(writing)
            }
        };
        Waiting { turns: self, key, slot }
    }

    fn turn(&self, key: StoreKey) -> Turn<'_> {
        let latest = self.shard(&key).get_mut(&key).and_then(|queue| queue.latest.take());
        Turn { turns: self, key, latest }
    }

    fn shard(&self, key: &StoreKey) -> MutexGuard<'_, HashMap<StoreKey, Queue>> {
        self.shards[usize::from(key.as_bytes()[31]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the commit that waits in it, if it can be written together with others.
    fn take(&self) -> Result<Box<Writing>, Left> {
        let mut held = self.lock();
        match std::mem::take(&mut held.stage) {
            Stage::Waits(writing) if writing.joins() => Ok(writing),
            Stage::Away => Err(Left::Absent),
            stage @ (Stage::Waits(_) | Stage::Leads(_) | Stage::Back(_)) => {
                held.stage = stage;
                Err(Left::Stays)
            }
        }
    }

    /// Gives the turn to the commit that waits in it. `false` if nobody waits there any more.
    fn lead(&self) -> bool {
        let mut held = self.lock();
        match std::mem::take(&mut held.stage) {
            Stage::Waits(writing) => held.stage = Stage::Leads(writing),
            stage @ (Stage::Leads(_) | Stage::Away | Stage::Back(_)) => {
                held.stage = stage;
                return false;
            }
        }
        true
    }

    /// Returns the commit that was taken.
    fn put_back(&self, writing: Box<Writing>) {
        self.lock().stage = Stage::Back(writing);
        self.wake();
    }

    fn wake(&self) {
        let waker = self.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Why nothing was taken out of a slot.
enum Left {
    /// Nobody waits there any more.
    Absent,
    /// It waits for a turn of its own.
    Stays,
}

/// A commit that waits. Dropped, it leaves the queue.
#[derive(Debug)]
#[must_use = "it leaves the queue when it is dropped"]
pub(crate) struct Waiting<'t> {
    turns: &'t Turns,
    key: StoreKey,
    slot: Arc<Slot>,
}

impl<'t> Future for Waiting<'t> {
    type Output = Place<'t>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Place<'t>> {
        let mut held = self.slot.lock();
        match std::mem::take(&mut held.stage) {
            Stage::Leads(writing) => {
                drop(held);
                Poll::Ready(Place::Turn(self.turns.turn(self.key), writing))
            }
            Stage::Back(writing) => Poll::Ready(Place::Back(writing)),
            stage @ (Stage::Waits(_) | Stage::Away) => {
                held.stage = stage;
                held.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let left = std::mem::take(&mut self.slot.lock().stage);
        match left {
            // Its turn had come, and it will not take it.
            Stage::Leads(_) => drop(self.turns.turn(self.key)),
            Stage::Waits(_) => {
                if let Some(queue) = self.turns.shard(&self.key).get_mut(&self.key) {
                    queue.waiting.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
                }
            }
            Stage::Away | Stage::Back(_) => {}
        }
    }
}

/// The guard of a turn, which ends on drop.
#[derive(Debug)]
pub(crate) struct Turn<'t> {
    turns: &'t Turns,
    key: StoreKey,
    /// What the previous turn wrote: the current record, unless another process or a commit that did not queue has
    /// written since.
    pub(crate) latest: Option<Record>,
}

impl Turn<'_> {
    /// Takes those behind this turn along, for as long as they can be written together.
    pub(crate) fn take_along(&self, own: Box<Writing>) -> Batch {
        let (mut writings, mut slots) = (vec![own], Vec::new());
        if let Some(queue) = self.turns.shard(&self.key).get_mut(&self.key) {
            while slots.len() < MOST_FOLLOWERS
                && let Some(slot) = queue.waiting.front()
            {
                match slot.take() {
                    Ok(writing) => {
                        writings.push(writing);
                        slots.extend(queue.waiting.pop_front());
                    }
                    Err(Left::Absent) => drop(queue.waiting.pop_front()),
                    Err(Left::Stays) => break,
                }
            }
        }
        Batch { group: Some(Group::of(writings, self.latest.clone())), slots }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut queues = self.turns.shard(&self.key);
        let Some(queue) = queues.get_mut(&self.key) else { return };
        while let Some(slot) = queue.waiting.pop_front() {
            queue.latest = self.latest.take();
            if slot.lead() {
                drop(queues);
                return slot.wake();
            }
        }
        queues.remove(&self.key);
        self.turns.queues.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Commits in the hands of the first of them. Dropped unfinished, it tells the others that it was interrupted.
#[derive(Debug)]
pub(crate) struct Batch {
    group: Option<Group>,
    slots: Vec<Arc<Slot>>,
}

impl Batch {
    /// Returns the commits as a group, to be driven.
    pub(crate) fn group(&mut self) -> &mut Group {
        self.group.as_mut().expect("only `finish` and `drop` take it, and both end the batch")
    }

    /// Returns each commit to its owner, and the own one with what stands in the store now.
    pub(crate) fn finish(mut self) -> (Box<Writing>, Option<Record>) {
        let (writings, latest) = self.group.take().expect("taken by nobody before").finish();
        let mut writings = writings.into_iter();
        let own = writings.next().expect("the own one is the first");
        self.slots.drain(..).zip(writings).for_each(|(slot, writing)| slot.put_back(writing));
        (own, latest)
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let Some(group) = self.group.take() else { return };
        for (slot, mut writing) in self.slots.drain(..).zip(group.finish().0.into_iter().skip(1)) {
            writing.interrupt();
            slot.put_back(writing);
        }
    }
}

/// How many commits one turn takes along.
const MOST_FOLLOWERS: usize = 63;
const SHARDS: usize = 16;

#[cfg(test)]
mod tests;
