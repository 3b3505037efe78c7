//! Time-outs without a timer per request: each client owns a slot with its deadline, and one sweeper a worker looks
//! over all slots now and then and wakes what is overdue.
//!
//! Arming and disarming are one store each. The sweeper's period is a hundredth of the shortest time-out in use, between
//! 1 and 100 ms, so that a time-out comes at most 1 % (or 1 ms) late; with nothing armed it sleeps.

use crate::clock::{Clock, Nanos};
use slab::Slab;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Nothing to wait for.
const IDLE: Nanos = Nanos::MAX;
/// Passed, and the sweeper has seen it.
const EXPIRED: Nanos = 0;

#[derive(Debug)]
struct Slot {
    deadline: Cell<Nanos>,
    waker: RefCell<Option<Waker>>,
}

/// All deadlines of a worker.
#[derive(Debug)]
pub(super) struct Deadlines {
    clock: Clock,
    slots: RefCell<Slab<Rc<Slot>>>,
    /// The shortest time-out since the sweeper last slept, in ns; 0 makes every arming rouse the sweeper.
    shortest: Cell<Nanos>,
    /// Wakes the sweeper.
    sweeper: RefCell<Option<Waker>>,
}

/// A client's slot.
#[derive(Debug)]
pub(super) struct Deadline {
    slot: Rc<Slot>,
    key: usize,
    owner: Rc<Deadlines>,
}

/// The deadline passed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expired;

impl Deadlines {
    pub(super) fn new(clock: Clock) -> Rc<Self> {
        Rc::new(Self {
            clock,
            slots: RefCell::default(),
            shortest: Cell::new(Nanos::MAX),
            sweeper: RefCell::default(),
        })
    }

    pub(super) fn slot(self: &Rc<Self>) -> Deadline {
        let slot = Rc::new(Slot {
            deadline: Cell::new(IDLE),
            waker: RefCell::default(),
        });
        let key = self.slots.borrow_mut().insert(Rc::clone(&slot));
        Deadline {
            slot,
            key,
            owner: Rc::clone(self),
        }
    }

    /// Runs for as long as the worker.
    pub(super) async fn run(&self) {
        loop {
            // to be roused by the next arming
            if !self.any_armed() {
                self.shortest.set(Nanos::MAX);
                self.roused().await;
            }
            let period = (self.shortest.get() / 100).clamp(1_000_000, 100_000_000);
            let mut sleep = Box::pin(tokio::time::sleep(Duration::from_nanos(period)));
            // a shorter time-out cuts the sleep short, for the next one to be shorter
            poll_fn(|cx| {
                if self.shortest.get() / 100 < period && period > 1_000_000 {
                    return Poll::Ready(());
                }
                self.listen(cx);
                sleep.as_mut().poll(cx)
            })
            .await;
            self.sweep();
        }
    }

    fn any_armed(&self) -> bool {
        self.slots
            .borrow()
            .iter()
            .any(|(_, slot)| !matches!(slot.deadline.get(), IDLE | EXPIRED))
    }

    fn sweep(&self) {
        let now = self.clock.now();
        for (_, slot) in self.slots.borrow().iter() {
            let deadline = slot.deadline.get();
            if deadline <= now && deadline != EXPIRED {
                slot.deadline.set(EXPIRED);
                if let Some(waker) = slot.waker.borrow().as_ref() {
                    waker.wake_by_ref();
                }
            }
        }
    }

    fn listen(&self, cx: &Context<'_>) {
        let mut sweeper = self.sweeper.borrow_mut();
        if !sweeper
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            *sweeper = Some(cx.waker().clone());
        }
    }

    async fn roused(&self) {
        poll_fn(|cx| {
            if self.shortest.get() != Nanos::MAX {
                return Poll::Ready(());
            }
            self.listen(cx);
            Poll::Pending
        })
        .await;
    }

    #[cold]
    fn rouse(&self, timeout: Nanos) {
        self.shortest.set(timeout);
        if let Some(waker) = self.sweeper.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

impl Deadline {
    /// Sets the deadline to `timeout` ns after `now`.
    #[inline]
    pub(super) fn arm(&self, now: Nanos, timeout: Nanos) {
        if timeout < self.owner.shortest.get() {
            self.owner.rouse(timeout);
        }
        self.slot
            .deadline
            .set(now.saturating_add(timeout).clamp(1, IDLE - 1));
    }

    #[inline]
    pub(super) fn disarm(&self) {
        self.slot.deadline.set(IDLE);
    }

    /// When it is, on the worker's clock.
    pub(super) fn at(&self) -> Nanos {
        self.slot.deadline.get()
    }

    /// To be asked whenever something is pending: notes whom to wake, and tells whether it is too late.
    #[inline]
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<Expired> {
        if self.slot.deadline.get() == EXPIRED {
            return Poll::Ready(Expired);
        }
        let mut waker = self.slot.waker.borrow_mut();
        // a VU's task has one waker for all its life: it is cloned once, not once a request
        if !waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Runs a future until the deadline.
    pub(super) async fn limit<T>(
        &self,
        mut future: Pin<&mut impl Future<Output = T>>,
    ) -> Result<T, Expired> {
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Ok(value)),
            Poll::Pending => self.poll(cx).map(Err),
        })
        .await
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.owner.slots.borrow_mut().try_remove(self.key);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::future::pending;
    use std::pin::pin;

    fn local<T>(test: impl AsyncFnOnce(Rc<Deadlines>, Clock) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let clock = Clock::start();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let deadlines = Deadlines::new(clock);
            let sweeper = Rc::clone(&deadlines);
            tokio::task::spawn_local(async move { sweeper.run().await });
            test(deadlines, clock).await
        })
    }

    #[test]
    fn what_is_overdue_is_woken_and_never_early() {
        local(async |deadlines, clock| {
            for millis in [30, 5, 60] {
                let deadline = deadlines.slot();
                let begin = clock.now();
                deadline.arm(begin, millis * 1_000_000);
                assert_eq!(deadline.limit(pin!(pending::<()>())).await, Err(Expired));
                assert!(clock.now() - begin >= millis * 1_000_000);
            }
        });
    }

    #[test]
    fn a_shorter_timeout_does_not_wait_for_a_longer_one() {
        local(async |deadlines, clock| {
            let long = deadlines.slot();
            long.arm(clock.now(), 3_600_000_000_000);
            tokio::time::sleep(Duration::from_millis(5)).await;
            let short = deadlines.slot();
            short.arm(clock.now(), 2_000_000);
            assert_eq!(short.limit(pin!(pending::<()>())).await, Err(Expired));
            assert!(long.limit(pin!(async {})).await.is_ok());
        });
    }

    #[test]
    fn what_is_done_in_time_is_not_disturbed_and_slots_are_given_back() {
        local(async |deadlines, clock| {
            let deadline = deadlines.slot();
            deadline.arm(clock.now(), 1_000_000);
            assert_eq!(deadline.limit(pin!(async { 7 })).await, Ok(7));
            deadline.disarm();
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert_eq!(deadline.at(), IDLE);
            drop(deadline);
            assert!(deadlines.slots.borrow().is_empty());
        });
    }
}
