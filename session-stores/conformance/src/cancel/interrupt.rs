//! A future that is polled a given number of times, and a store whose calls return `Pending` first.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use session_core::store::{StoreError, async_trait};

use super::Responding;
use session_testkit::doubles::wrap::{Call, Hook, Outcome};

/// When, after its last poll, a request is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Immediately, while the operation that it awaits is in progress.
    UnderWay,
    /// When it is woken: the operation has completed, and the request has not been polled since.
    Happened,
}

/// How a request ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It completed, with this value of the response's `Set-Cookie` header.
    Answered(Option<String>),
    Dropped,
    Panicked,
}

impl Ended {
    pub(super) fn set_cookie(&self) -> Option<&str> {
        match self {
            Self::Answered(set_cookie) => set_cookie.as_deref(),
            Self::Dropped | Self::Panicked => None,
        }
    }
}

/// Polls a request at most so many times, each time after it was woken, and drops it.
pub(super) async fn interrupt(mut request: Responding, polls: usize, moment: Moment) -> Ended {
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(Ended::Dropped);
        }
        left -= 1;
        match catch_unwind(AssertUnwindSafe(|| request.as_mut().poll(context))) {
            Err(_) => Poll::Ready(Ended::Panicked),
            Ok(Poll::Ready(set_cookie)) => Poll::Ready(Ended::Answered(set_cookie)),
            Ok(Poll::Pending) if left == 0 && moment == Moment::UnderWay => Poll::Ready(Ended::Dropped),
            Ok(Poll::Pending) => Poll::Pending,
        }
    })
    .await
}

/// A hook that makes every call of a store return `Pending` twice before its effect and twice after it.
#[derive(Debug)]
pub(super) struct Pends;

#[async_trait]
impl Hook for Pends {
    async fn before(&self, _: &Call) -> Result<(), StoreError> {
        pend().await;
        pend().await;
        Ok(())
    }

    async fn after(&self, _: &Call, _: Outcome) -> Result<(), StoreError> {
        pend().await;
        pend().await;
        Ok(())
    }
}

/// Returns `Pending` once.
pub(super) async fn pend() {
    let mut pended = false;
    poll_fn(|context| {
        if std::mem::replace(&mut pended, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
