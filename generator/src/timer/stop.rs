//! The order to stop.

use std::cell::{Cell, RefCell};
use std::task::Waker;

/// The order to stop everything on a worker at once; given once, never taken back.
#[derive(Debug, Default)]
pub struct StopSignal {
    given: Cell<bool>,
    wakers: RefCell<slab::Slab<Waker>>,
}

impl StopSignal {
    /// Whether the order has been given.
    pub fn is_given(&self) -> bool {
        self.given.get()
    }

    /// Wakes somebody when it is given; the number is for [`Self::forget`].
    pub(super) fn listen(&self, waker: &Waker) -> usize {
        self.wakers.borrow_mut().insert(waker.clone())
    }

    /// Wakes them no more.
    pub(super) fn forget(&self, listener: usize) {
        self.wakers.borrow_mut().try_remove(listener);
    }

    /// Gives it.
    pub fn give(&self) {
        self.given.set(true);
        for waker in self.wakers.borrow_mut().drain() {
            waker.wake();
        }
    }
}
