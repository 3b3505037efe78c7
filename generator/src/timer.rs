//! Sleeping to tens of microseconds. tokio's timer wheel has a resolution of one millisecond
//! (<https://docs.rs/tokio/latest/tokio/time/fn.sleep.html>), which would stand in every response time; a timerfd is a
//! high-resolution kernel timer that the runtime's own epoll instance waits for.
//!
//! A core that has nothing to do sleeps, and takes tens of microseconds to wake, which would be in every response time of
//! a low rate. So the timer is set early by about as much, and the rest of the time is spent awake. At a high rate the core
//! hardly sleeps, and there staying awake would cost more than all else that a request costs.

use crate::clock::{Clock, Nanos};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use std::cell::{Cell, RefCell};
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

/// Lets all tasks that are ready go first, and nothing else: `tokio::task::yield_now` waits for the reactor, too.
///
/// A closed loop does so between an answer and its next request. VUs whose answers have come then read them all before the
/// first of them sends, and the kernel does with fewer wake-ups and warmer caches.
pub async fn give_way() {
    let mut gave = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut gave, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Runs `future` until `deadline` at most; `None` if the deadline came first. The deadline is registered once for
/// however many times the future is polled.
pub async fn until<F: Future>(deadline: &mut Deadline, future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        if deadline.poll(cx).is_ready() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    })
    .await
}

/// A deadline of a task that outlives many futures of that task, or the order to stop now.
#[derive(Debug)]
pub struct Deadline {
    sleep: Sleep,
    stop: Rc<StopSignal>,
    listener: Option<usize>,
}

impl Deadline {
    /// At `at`, or when `stop` is given.
    pub fn new(timer: &Rc<Timer>, at: Nanos, stop: &Rc<StopSignal>) -> Self {
        Self {
            sleep: timer.sleep_until(at),
            stop: Rc::clone(stop),
            listener: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.stop.is_given() {
            return Poll::Ready(());
        }
        if self.listener.is_none() {
            self.listener = Some(self.stop.wakers.borrow_mut().insert(cx.waker().clone()));
        }
        Pin::new(&mut self.sleep).poll(cx)
    }

    /// Waits for it.
    pub async fn passed(&mut self) {
        std::future::poll_fn(|cx| self.poll(cx)).await;
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if let Some(listener) = self.listener {
            self.stop.wakers.borrow_mut().try_remove(listener);
        }
    }
}

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

    /// Gives it.
    pub fn give(&self) {
        self.given.set(true);
        for waker in self.wakers.borrow_mut().drain() {
            waker.wake();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tokio::runtime::{Builder, LocalOptions};

    fn run<F: Future>(body: impl FnOnce(Rc<Timer>) -> F) -> F::Output {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .build_local(LocalOptions::default())
            .unwrap();
        runtime.block_on(async {
            let timer = Timer::new(Clock::start()).unwrap();
            tokio::task::spawn_local(Rc::clone(&timer).drive());
            body(timer).await
        })
    }

    #[test]
    fn sleepers_wake_in_the_order_of_their_times_and_never_early() {
        let order = run(|timer| async move {
            let order = Rc::new(RefCell::new(Vec::new()));
            let base = timer.clock().now();
            let tasks: Vec<_> = [3_000_000_u64, 1_000_000, 2_000_000, 1_500_000]
                .into_iter()
                .map(|after| {
                    let (timer, order) = (Rc::clone(&timer), Rc::clone(&order));
                    tokio::task::spawn_local(async move {
                        timer.sleep_until(base + after).await;
                        assert!(timer.clock().now() >= base + after);
                        order.borrow_mut().push(after);
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            order.take()
        });
        assert_eq!(order, [1_000_000, 1_500_000, 2_000_000, 3_000_000]);
    }

    #[test]
    fn a_deadline_after_another_sets_the_kernels_timer_once() {
        let settings = run(|timer| async move {
            let now = timer.clock().now();
            // What is always there beside the starts: the end of the scenario.
            let mut end = Box::pin(timer.sleep_until(now + 3_600_000_000_000));
            std::future::poll_fn(|cx| {
                assert!(end.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            // A task, as executors are: the future that the runtime blocks on is polled after the tasks.
            let sleeper = Rc::clone(&timer);
            let starts = tokio::task::spawn_local(async move {
                for start in 1..=20 {
                    sleeper.sleep_until(now + start * 1_000_000).await;
                }
            });
            starts.await.unwrap();
            timer.state.borrow().settings
        });
        // The end, the first start, and no more than one for each that has passed.
        assert!(settings <= 22, "{settings}");
    }

    #[test]
    fn the_lead_follows_the_lateness_within_its_bounds() {
        let mut state = State::default();
        let mut woken = |late: Nanos, times: usize| {
            for _ in 0..times {
                state.armed = Some(Armed {
                    at: 5_000_000,
                    lead: 0,
                });
                assert_eq!(state.woken(5_000_000 + late), 0);
            }
            state.lead(1_000_000_000)
        };
        assert_eq!(woken(0, 1), 0);
        // lateness that hardly varies needs little more than itself
        let lead = woken(20_000, 50);
        assert!((20_000..=22_000).contains(&lead), "{lead}");
        woken(10_000, 1);
        let lead = woken(30_000, 1);
        assert!((22_000..=40_000).contains(&lead), "{lead}");
        // a second of lateness is a host that was busy, not a core that slept
        assert_eq!(woken(1_000_000_000, 100), MOST_LEAD);
    }

    #[test]
    fn deadlines_that_are_close_have_no_lead() {
        let after = |gap: Nanos| {
            let mut state = State {
                lateness: MOST_LEAD,
                ..State::default()
            };
            (1..=100).for_each(|n| state.pass(n * gap));
            let next = 101 * gap;
            // one that is far away may have it whatever came before
            assert_eq!(state.lead(next + 1_000_000_000), MOST_LEAD);
            state.lead(next)
        };
        assert_eq!(after(LEAST_GAP + 1_000), MOST_LEAD);
        assert_eq!(after(LEAST_GAP - 1_000), 0);
    }

    #[test]
    fn who_gives_way_comes_after_all_who_are_ready() {
        let order = run(|_| async {
            let order = Rc::new(RefCell::new(Vec::new()));
            let tasks: Vec<_> = (0..3)
                .map(|task| {
                    let order = Rc::clone(&order);
                    tokio::task::spawn_local(async move {
                        order.borrow_mut().push(("read", task));
                        give_way().await;
                        order.borrow_mut().push(("write", task));
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            order.take()
        });
        let (reads, writes) = order.split_at(3);
        assert!(reads.iter().all(|(what, _)| *what == "read"), "{order:?}");
        assert!(writes.iter().all(|(what, _)| *what == "write"), "{order:?}");
    }

    #[test]
    fn a_dropped_sleep_leaves_no_entry_and_its_slot_can_be_used_again() {
        run(|timer| async move {
            let soon = timer.clock().now() + 2_000_000;
            let mut sleep = Box::pin(timer.sleep_until(soon));
            std::future::poll_fn(|cx| {
                assert!(sleep.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            drop(sleep);
            assert!(timer.state.borrow().entries.is_empty());
            let later = soon + 2_000_000;
            timer.sleep_until(later).await;
            assert!(
                timer.clock().now() >= later,
                "the first sleeper's expiry must not wake the second"
            );
        });
    }

    #[test]
    fn a_deadline_cuts_a_future_off_and_a_stop_does_so_at_once() {
        run(|timer| async move {
            let stop = Rc::new(StopSignal::default());
            let mut deadline = Deadline::new(&timer, timer.clock().now() + 1_000_000, &stop);
            assert_eq!(until(&mut deadline, std::future::ready(7)).await, Some(7));
            assert_eq!(
                until(&mut deadline, std::future::pending::<()>()).await,
                None
            );

            let mut far = Deadline::new(&timer, timer.clock().now() + 3_600_000_000_000, &stop);
            let giver = Rc::clone(&stop);
            tokio::task::spawn_local(async move { giver.give() });
            assert_eq!(until(&mut far, std::future::pending::<()>()).await, None);
        });
    }
}
