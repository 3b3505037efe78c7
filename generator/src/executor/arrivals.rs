//! constant-arrival-rate and ramping-arrival-rate: iterations begin when the schedule says so, whatever the target does.
//!
//! One driver follows the schedule and hands each start to an idle VU, or to a new one while there may be more. When all
//! are busy, starts fall behind: the next VU that gets free takes the oldest of them, late, and the lateness stands
//! in the response time. A start that is later than `maxLateness` is dropped and counted. The backlog needs no
//! queue: start *k* is a pure function of *k*, so the number of the next one is all there is to keep.

use super::counters::Counters;
use super::runner::{Begin, ScenarioRunner, join};
use super::vu::VuFactory;
use crate::clock::{Nanos, nanos};
use crate::timer::give_way;
use floodgate_core::schedule::Arrivals;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// While starts are behind, how often the driver looks whether one has become too late.
const BACKLOG_CHECK: Nanos = 20_000_000;

/// Iterations as short as this have no request in them; a backlog of them must not keep everyone else from running.
const NO_TIME: Nanos = 2_000;

struct Pool<R: VuFactory> {
    runner: Rc<ScenarioRunner<R>>,
    schedule: Arrivals,
    max_lateness: Nanos,
    /// Past this time no start is made any more, however late the schedule runs.
    last_start: Nanos,
    /// The same for a start that finds a VU ready: the driver may be woken a moment after the last one is due.
    last_prompt_start: Nanos,
    /// The next start that nobody has taken.
    next: Cell<u64>,
    next_at: Cell<Nanos>,
    next_number: Cell<u64>,
    idle: RefCell<Vec<Rc<Slot>>>,
    over: Cell<bool>,
    driver: Cell<Option<Waker>>,
}

/// Where a VU waits for work.
#[derive(Default)]
struct Slot {
    work: Cell<Option<Work>>,
    waker: Cell<Option<Waker>>,
}

#[derive(Clone, Copy)]
struct Work {
    number: u64,
    intended: Nanos,
    /// Whether a VU was ready when it was due.
    prompt: bool,
}

impl Slot {
    fn give(&self, work: Work) {
        self.work.set(Some(work));
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

pub(super) async fn run<R: VuFactory>(runner: Rc<ScenarioRunner<R>>, schedule: Arrivals) {
    let max_lateness = nanos(schedule.max_lateness());
    let end = runner.at(schedule.duration());
    let pool = Rc::new(Pool {
        last_start: end.saturating_add(max_lateness.min(nanos(runner.graceful_stop))),
        last_prompt_start: end.saturating_add(nanos(runner.graceful_stop)),
        max_lateness,
        next: Cell::new(0),
        next_at: Cell::new(Nanos::MAX),
        next_number: Cell::new(0),
        idle: RefCell::default(),
        over: Cell::new(false),
        driver: Cell::new(None),
        runner,
        schedule,
    });
    pool.runner.counters.counts_starts.set(true);
    pool.turn_to(0);
    let mut tasks = Vec::new();
    for slot in 0..pool.schedule.pre_allocated_vus() {
        tasks.push(pool.add_vu(slot, None));
    }
    pool.drive(&mut tasks).await;
    pool.over.set(true);
    // Drained before waking: a VU that wakes may look at the list.
    let idle = std::mem::take(&mut *pool.idle.borrow_mut());
    idle.iter().for_each(|slot| slot.wake());
    join(tasks).await;
}

impl<R: VuFactory> Pool<R> {
    /// Makes start `k` the next one.
    fn turn_to(&self, k: u64) {
        self.next.set(k);
        match self.schedule.start(k) {
            Some(start) => {
                self.next_at.set(self.runner.at(start.at));
                self.next_number.set(start.iteration);
            }
            None => self.next_at.set(Nanos::MAX),
        }
    }

    /// Takes the next start if it is due. One that finds a VU ready (`prompt`) is made however late the driver is; of the others
    /// those are dropped that are too late.
    fn take(&self, now: Nanos, prompt: bool) -> Option<Work> {
        let last = if prompt {
            self.last_prompt_start
        } else {
            self.drop_overdue(now);
            self.last_start
        };
        if self.next_at.get() > now || now > last {
            return None;
        }
        let work = Work {
            number: self.next_number.get(),
            intended: self.next_at.get(),
            prompt,
        };
        self.turn_to(self.next.get() + 1);
        Some(work)
    }

    fn drop_overdue(&self, now: Nanos) {
        let mut dropped = 0;
        while self.next_at.get() != Nanos::MAX
            && (now - self.next_at.get().min(now) > self.max_lateness || now > self.last_start)
        {
            self.turn_to(self.next.get() + 1);
            dropped += 1;
        }
        if dropped > 0 {
            self.runner
                .recorder
                .borrow_mut()
                .dropped(self.runner.series, dropped, now);
        }
    }

    fn add_vu(self: &Rc<Self>, slot: u64, work: Option<Work>) -> tokio::task::JoinHandle<()> {
        let vu = self.runner.allocate(self.schedule.vu_number(slot));
        let place = Rc::new(Slot::default());
        if work.is_some() {
            place.work.set(work);
        } else {
            self.idle.borrow_mut().push(Rc::clone(&place));
        }
        tokio::task::spawn_local(Rc::clone(self).vu(vu, place))
    }

    /// Follows the schedule to its end.
    async fn drive(self: &Rc<Self>, tasks: &mut Vec<tokio::task::JoinHandle<()>>) {
        while self.next_at.get() != Nanos::MAX && !self.over.get() {
            if !self.runner.sleep_until(self.next_at.get()).await {
                break;
            }
            let now = self.runner.now();
            loop {
                let idle = self.idle.borrow_mut().pop();
                if let Some(slot) = idle {
                    match self.take(now, true) {
                        Some(work) => slot.give(work),
                        None => {
                            self.idle.borrow_mut().push(slot);
                            break;
                        }
                    }
                } else if (tasks.len() as u64) < self.schedule.max_vus() {
                    match self.take(now, true) {
                        Some(work) => tasks.push(self.add_vu(tasks.len() as u64, Some(work))),
                        None => break,
                    }
                } else {
                    self.drop_overdue(now);
                    break;
                }
            }
            if self.next_at.get() <= now {
                self.backlog(now + BACKLOG_CHECK).await;
            }
        }
        // What a stop left behind was wanted, so far as its time had come.
        let stopped = self.runner.now();
        let due = self.schedule.scheduled_by(std::time::Duration::from_nanos(
            stopped.saturating_sub(self.runner.begin),
        ));
        let scheduled = if self.runner.stop.is_given() || self.over.get() {
            due
        } else {
            self.schedule.total()
        };
        Counters::add(
            &self.runner.counters.scheduled,
            i64::try_from(scheduled).unwrap_or(i64::MAX),
        );
        let never = scheduled.saturating_sub(self.next.get());
        if never > 0 {
            self.runner
                .recorder
                .borrow_mut()
                .dropped(self.runner.series, never, stopped);
        }
    }

    /// Waits until `at`, or until a VU has found the backlog empty.
    async fn backlog(&self, at: Nanos) {
        let mut sleep = std::pin::pin!(self.runner.timer.sleep_until(at));
        let next = self.next_at.get();
        poll_fn(|cx| {
            if self.runner.stop.is_given()
                || (self.next_at.get() != next && self.next_at.get() > self.runner.now())
            {
                return Poll::Ready(());
            }
            self.driver.set(Some(cx.waker().clone()));
            sleep.as_mut().poll(cx)
        })
        .await;
        self.driver.take();
    }

    async fn vu(self: Rc<Self>, mut vu: R::Vu, place: Rc<Slot>) {
        let runner = &self.runner;
        let mut deadline = runner.deadline(
            runner
                .at(self.schedule.duration())
                .saturating_add(nanos(runner.graceful_stop)),
        );
        while let Some(mut work) = self.wait(&place).await {
            runner.counters.begin();
            let mut now = runner.now();
            let alive = loop {
                if work.prompt {
                    runner
                        .counters
                        .dispatch_lag
                        .borrow_mut()
                        .record(now.saturating_sub(work.intended) / 1_000);
                }
                Counters::add(&runner.counters.started_by_schedule, 1);
                let begin = Begin {
                    at: now,
                    intended: work.intended,
                    scheduled: true,
                };
                let Some(ended) = runner
                    .iterate(&mut vu, work.number, begin, &mut deadline)
                    .await
                else {
                    break false;
                };
                if !ended.more {
                    runner.counters.data_exhausted.set(true);
                    self.over.set(true);
                    break false;
                }
                if ended.at.saturating_sub(now) < NO_TIME {
                    give_way().await;
                }
                now = ended.at;
                match self.take(now, false) {
                    Some(late) => work = late,
                    None => break true,
                }
            };
            runner.counters.end();
            if !alive {
                return;
            }
            self.idle.borrow_mut().push(Rc::clone(&place));
            if let Some(driver) = self.driver.take() {
                driver.wake();
            }
        }
    }

    /// The next work for an idle VU; `None` when there will be no more.
    async fn wait(&self, place: &Slot) -> Option<Work> {
        poll_fn(|cx| {
            if let Some(work) = place.work.take() {
                return Poll::Ready(Some(work));
            }
            if self.over.get() || self.runner.stop.is_given() {
                return Poll::Ready(None);
            }
            place.waker.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await
    }
}
