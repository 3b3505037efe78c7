//! Sleeping to the microsecond.
//!
//! tokio's timer counts in milliseconds, so a server that says "10 ms" with it answers after 10 to 11. Here one
//! `timerfd` of the kernel's high-resolution clock wakes the runtime for the earliest of all deadlines
//! (<https://man7.org/linux/man-pages/man2/timerfd_create.2.html>); what remains is the time of a wake-up.

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

/// How long [`Timer::sleep_exactly_until`] spins: what an idle virtual machine takes to wake up, and some.
pub const SPIN: Duration = Duration::from_micros(150);

/// A timer for the tasks of one thread. Clones share its descriptor.
#[derive(Clone)]
pub struct Timer {
    inner: Rc<Inner>,
}

struct Inner {
    fd: AsyncFd<OwnedFd>,
    waiting: RefCell<BinaryHeap<Sleeper>>,
}

/// One sleeping task; the greatest is the one that is due first.
struct Sleeper {
    deadline: Instant,
    wake: oneshot::Sender<()>,
}

impl Timer {
    /// Makes a timer and starts the task that serves it.
    ///
    /// # Errors
    /// If the system has no descriptor left.
    ///
    /// # Panics
    /// Outside of a [`tokio::task::LocalSet`] with I/O enabled.
    pub fn new() -> io::Result<Self> {
        let fd = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        // tokio deprecates `new` because a type may lie about its descriptor. `OwnedFd` cannot, and the function that
        // replaces it (`register`) is unsafe, which this workspace forbids.
        #[allow(
            deprecated,
            reason = "sound for an OwnedFd, and the alternative is unsafe"
        )]
        let fd = AsyncFd::new(fd)?;
        let inner = Rc::new(Inner {
            fd,
            waiting: RefCell::default(),
        });
        tokio::task::spawn_local(serve(inner.clone()));
        Ok(Self { inner })
    }

    /// Returns at `deadline`, never before it; at once if it has passed.
    ///
    /// # Errors
    /// If the timer cannot be set, or its runtime ends.
    pub async fn sleep_until(&self, deadline: Instant) -> io::Result<()> {
        if deadline <= Instant::now() {
            return Ok(());
        }
        let (wake, woken) = oneshot::channel();
        let first = {
            let mut waiting = self.inner.waiting.borrow_mut();
            let first = waiting
                .peek()
                .is_none_or(|earliest| deadline < earliest.deadline);
            waiting.push(Sleeper { deadline, wake });
            first
        };
        if first {
            self.inner.arm(deadline)?;
        }
        woken
            .await
            .map_err(|_| io::Error::other("timer: its runtime has ended"))
    }

    /// As [`Timer::sleep_until`], but spends the last [`SPIN`] looking at the clock, so that the time of a wake-up is
    /// not added. For servers whose exactness is measured; other tasks of the thread go on meanwhile.
    ///
    /// # Errors
    /// As [`Timer::sleep_until`].
    pub async fn sleep_exactly_until(&self, deadline: Instant) -> io::Result<()> {
        if let Some(early) = deadline.checked_sub(SPIN) {
            self.sleep_until(early).await?;
        }
        while Instant::now() < deadline {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Returns after `duration`, never sooner.
    ///
    /// # Errors
    /// As [`Timer::sleep_until`].
    pub async fn sleep(&self, duration: Duration) -> io::Result<()> {
        self.sleep_until(Instant::now() + duration).await
    }
}

impl Inner {
    /// Sets the descriptor to fire at `deadline`.
    fn arm(&self, deadline: Instant) -> io::Result<()> {
        // Zero would disarm it.
        let left = deadline
            .saturating_duration_since(Instant::now())
            .max(Duration::from_nanos(1));
        let it_value = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let it_interval = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        timerfd_settime(
            self.fd.get_ref(),
            TimerfdTimerFlags::empty(),
            &Itimerspec {
                it_interval,
                it_value,
            },
        )?;
        Ok(())
    }

    /// Wakes everyone who is due and sets the descriptor for the next.
    fn fire(&self) -> io::Result<()> {
        let mut waiting = self.waiting.borrow_mut();
        while let Some(earliest) = waiting.peek() {
            if earliest.deadline > Instant::now() {
                return self.arm(earliest.deadline);
            }
            if let Some(due) = waiting.pop() {
                // A sleeper that has been dropped needs no waking.
                let _ = due.wake.send(());
            }
        }
        Ok(())
    }
}

/// Serves the descriptor for as long as its runtime lives. If reading it fails, every sleeper learns.
async fn serve(inner: Rc<Inner>) {
    loop {
        let Ok(mut ready) = inner.fd.readable().await else {
            break;
        };
        let mut expirations = [0u8; 8];
        let read = ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut expirations)?));
        if matches!(read, Ok(Err(_))) || inner.fire().is_err() {
            break;
        }
    }
    inner.waiting.borrow_mut().clear();
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.deadline == other.deadline
    }
}

impl Eq for Sleeper {}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sleeper {
    fn cmp(&self, other: &Self) -> Ordering {
        other.deadline.cmp(&self.deadline)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn on_local_set<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, work)
    }

    #[test]
    fn wakes_in_the_order_of_deadlines_and_never_early() {
        let order = on_local_set(async {
            let timer = Timer::new().unwrap();
            let order = Rc::new(RefCell::new(Vec::new()));
            let start = Instant::now();
            let tasks: Vec<_> = [3_000u64, 500, 9_000, 501, 1]
                .into_iter()
                .map(|us| {
                    let (timer, order) = (timer.clone(), order.clone());
                    tokio::task::spawn_local(async move {
                        timer
                            .sleep_until(start + Duration::from_micros(us))
                            .await
                            .unwrap();
                        assert!(start.elapsed() >= Duration::from_micros(us));
                        order.borrow_mut().push(us);
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            order.take()
        });
        assert_eq!(order, [1, 500, 501, 3_000, 9_000]);
    }

    #[test]
    fn exact_sleep_is_not_early_either() {
        on_local_set(async {
            let timer = Timer::new().unwrap();
            for us in [0, 50, 149, 151, 2_000] {
                let deadline = Instant::now() + Duration::from_micros(us);
                timer.sleep_exactly_until(deadline).await.unwrap();
                assert!(Instant::now() >= deadline);
            }
        });
    }

    #[test]
    fn a_cancelled_sleeper_does_not_hold_up_the_others() {
        on_local_set(async {
            let timer = Timer::new().unwrap();
            tokio::select! {
                biased;
                _ = timer.sleep(Duration::from_millis(2)) => panic!("polled first, but must wait"),
                () = std::future::ready(()) => {}
            }
            let start = Instant::now();
            timer.sleep(Duration::from_millis(4)).await.unwrap();
            assert!(start.elapsed() >= Duration::from_millis(4));
        });
    }
}
