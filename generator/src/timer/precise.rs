//! Sleeping to tens of microseconds. tokio's timer wheel has a resolution of one millisecond
//! (<https://docs.rs/tokio/latest/tokio/time/fn.sleep.html>), which would stand in every response time; a timerfd is a
//! high-resolution kernel timer that the runtime's own epoll instance waits for.
//!
//! A core that has nothing to do sleeps, and takes tens of microseconds to wake, which would be in every response time of
//! a low rate. So the timer is set early by about as much, and the rest of the time is spent awake. At a high rate the core
//! hardly sleeps, and there staying awake would cost more than all else that a request costs.

use super::give_way::give_way;
use crate::clock::{Clock, Nanos};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The longest time that is spent awake before a deadline.
const MOST_LEAD: Nanos = 80_000;
/// The shortest time between deadlines that are approached so, so that at most 2 % of the time is spent awake. Closer ones
/// have no lead, not even some of them: it would cost as much as all else that a request costs, and scatter them.
const LEAST_GAP: Nanos = 50 * MOST_LEAD;

/// The timer of one worker thread. Something has to poll [`Timer::drive`] for as long as anyone sleeps.
#[derive(Debug)]
pub struct Timer {
    clock: Clock,
    /// CLOCK_MONOTONIC at the clock's origin, in ns.
    origin: i128,
    fd: AsyncFd<OwnedFd>,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    heap: BinaryHeap<Reverse<(Nanos, u64)>>,
    entries: slab::Slab<Entry>,
    /// Distinguishes a slot's users, so that a stale heap entry wakes nobody.
    generation: u32,
    armed: Option<Armed>,
    /// Deadlines have just passed, and those that they woke are about to set others: the kernel's timer waits for these.
    settling: bool,
    /// How often the kernel's timer was set.
    #[cfg(test)]
    settings: u32,
    /// How late the kernel woke us, on average over the last few times, and how far that varies; at most [`MOST_LEAD`].
    lateness: Nanos,
    spread: Nanos,
    /// When a deadline last passed, and how much time usually lies between two.
    passed: Nanos,
    gap: Nanos,
}

/// What the kernel's timer is set to: `lead` before `at`.
#[derive(Clone, Copy, Debug)]
struct Armed {
    at: Nanos,
    lead: Nanos,
}

impl State {
    fn next(&self) -> Option<Nanos> {
        self.heap.peek().map(|&Reverse((at, _))| at)
    }

    /// How early to wake for `at`: so early that nearly always there is time left (as RFC 6298 makes TCP's time-out), unless
    /// deadlines come closer than [`LEAST_GAP`].
    fn lead(&self, at: Nanos) -> Nanos {
        if self.gap.max(at.saturating_sub(self.passed)) < LEAST_GAP {
            return 0;
        }
        (self.lateness + 2 * self.spread).min(MOST_LEAD)
    }

    /// Deadlines have passed.
    fn pass(&mut self, now: Nanos) {
        let gap = now.saturating_sub(self.passed).min(1_000_000_000);
        self.gap = (7 * self.gap + gap) / 8;
        self.passed = now;
    }

    /// The kernel's timer has expired; how early that was to be.
    fn woken(&mut self, now: Nanos) -> Nanos {
        let Some(Armed { at, lead }) = self.armed else {
            return 0;
        };
        let late = now.saturating_sub(at.saturating_sub(lead)).min(MOST_LEAD);
        self.spread = (7 * self.spread + late.abs_diff(self.lateness)) / 8;
        self.lateness = (7 * self.lateness + late) / 8;
        lead
    }
}

#[derive(Debug)]
struct Entry {
    generation: u32,
    waker: Option<Waker>,
    fired: bool,
}

impl Timer {
    /// A timer on the current thread's runtime, which must have its I/O driver enabled.
    ///
    /// # Errors
    /// When the kernel gives no timerfd (no free file descriptor).
    pub fn new(clock: Clock) -> io::Result<Rc<Self>> {
        let fd = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        let monotonic = clock_gettime(ClockId::Monotonic);
        let origin = i128::from(monotonic.tv_sec) * 1_000_000_000 + i128::from(monotonic.tv_nsec)
            - i128::from(clock.now());
        // The constructor is deprecated for descriptors that somebody else may close; an `OwnedFd` is ours alone, and the
        // replacement can only be called from unsafe code.
        #[expect(deprecated, reason = "the descriptor is owned")]
        let fd = AsyncFd::with_interest(fd, Interest::READABLE)?;
        Ok(Rc::new(Self {
            clock,
            origin,
            fd,
            state: RefCell::default(),
        }))
    }

    /// The clock that times are on.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// A future that is ready at `at` or at once if that has passed.
    pub fn sleep_until(self: &Rc<Self>, at: Nanos) -> Sleep {
        Sleep {
            timer: Rc::clone(self),
            at,
            slot: None,
        }
    }

    /// Waits for the kernel's timer and wakes who is due; never ends of itself.
    pub async fn drive(self: Rc<Self>) {
        loop {
            // Edge-triggered: each expiry is a new event, so nothing has to be read from the descriptor.
            match self.fd.readable().await {
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => return,
            }
            self.approach().await;
            self.fire();
            // First who was woken sets the next deadline, then whom that one woke sends; the timer is set once, after both.
            give_way().await;
            give_way().await;
            self.settle();
        }
    }

    /// Stays awake from an early expiry to the time itself. Each turn lets all other tasks run and polls the reactor
    /// without waiting, so nobody is held up by it.
    async fn approach(&self) {
        let lead = self.state.borrow_mut().woken(self.clock.now());
        loop {
            let now = self.clock.now();
            let next = self.state.borrow().next();
            if next.is_none_or(|at| at <= now || at - now > lead) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    fn fire(&self) {
        let now = self.clock.now();
        let mut state = self.state.borrow_mut();
        state.armed = None;
        state.settling = true;
        if state.next().is_some_and(|at| at <= now) {
            state.pass(now);
        }
        while let Some(&Reverse((at, id))) = state.heap.peek() {
            if at > now {
                break;
            }
            state.heap.pop();
            let (slot, generation) = split(id);
            if let Some(entry) = state
                .entries
                .get_mut(slot)
                .filter(|e| e.generation == generation)
            {
                entry.fired = true;
                if let Some(waker) = entry.waker.take() {
                    waker.wake();
                }
            }
        }
    }

    fn settle(&self) {
        let mut state = self.state.borrow_mut();
        state.settling = false;
        self.arm(&mut state);
    }

    fn arm(&self, state: &mut State) {
        let Some(at) = state.next() else {
            return;
        };
        if state.settling || state.armed.is_some_and(|armed| armed.at <= at) {
            return;
        }
        let lead = state.lead(at);
        let absolute = self.origin + i128::from(at.saturating_sub(lead));
        let value = Timespec {
            tv_sec: (absolute / 1_000_000_000) as i64,
            tv_nsec: (absolute % 1_000_000_000) as _,
        };
        let spec = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: value,
        };
        // An absolute time that has passed fires at once. The only errors are of a bad descriptor or a bad time.
        let armed = timerfd_settime(self.fd.get_ref(), TimerfdTimerFlags::ABSTIME, &spec);
        debug_assert!(armed.is_ok(), "timerfd_settime: {armed:?}");
        state.armed = Some(Armed { at, lead });
        #[cfg(test)]
        {
            state.settings += 1;
        }
    }
}

fn split(id: u64) -> (usize, u32) {
    ((id >> 32) as usize, id as u32)
}

/// Ready at a time of the worker's clock.
#[derive(Debug)]
pub struct Sleep {
    timer: Rc<Timer>,
    at: Nanos,
    slot: Option<u32>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let timer = Rc::clone(&self.timer);
        let mut state = timer.state.borrow_mut();
        if let Some(slot) = self.slot {
            let entry = &mut state.entries[slot as usize];
            if entry.fired {
                return Poll::Ready(());
            }
            if !entry
                .waker
                .as_ref()
                .is_some_and(|w| w.will_wake(cx.waker()))
            {
                entry.waker = Some(cx.waker().clone());
            }
            return Poll::Pending;
        }
        if self.at <= timer.clock.now() {
            return Poll::Ready(());
        }
        state.generation = state.generation.wrapping_add(1);
        let generation = state.generation;
        let slot = state.entries.insert(Entry {
            generation,
            waker: Some(cx.waker().clone()),
            fired: false,
        });
        let at = self.at;
        state
            .heap
            .push(Reverse((at, (slot as u64) << 32 | u64::from(generation))));
        timer.arm(&mut state);
        drop(state);
        self.slot = Some(slot as u32);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        // The heap keeps its entry until its time; the generation makes it harmless.
        if let Some(slot) = self.slot {
            self.timer.state.borrow_mut().entries.remove(slot as usize);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
