//! shared-iterations and per-vu-iterations: a number of iterations, as fast as the VUs make them.

use super::counters::Counters;
use super::runner::{ScenarioRunner, join};
use super::vu::VuFactory;
use floodgate_core::schedule::{Counted, Quota};
use std::cell::Cell;
use std::rc::Rc;

pub(super) async fn run<R: VuFactory>(runner: Rc<ScenarioRunner<R>>, schedule: Counted) {
    runner.counters.counts_starts.set(true);
    Counters::add(
        &runner.counters.scheduled,
        i64::try_from(schedule.total()).unwrap_or(i64::MAX),
    );
    let schedule = Rc::new(schedule);
    let taken = Rc::new(Cell::new(0));
    let tasks = (0..schedule.vus())
        .map(|slot| {
            tokio::task::spawn_local(vu(
                Rc::clone(&runner),
                Rc::clone(&schedule),
                slot,
                Rc::clone(&taken),
            ))
        })
        .collect();
    join(tasks).await;
}

async fn vu<R: VuFactory>(
    runner: Rc<ScenarioRunner<R>>,
    schedule: Rc<Counted>,
    slot: u64,
    taken: Rc<Cell<u64>>,
) {
    let mut vu = runner.allocate(schedule.vu_number(slot));
    if !runner.sleep_until(runner.begin).await {
        return;
    }
    let until = runner.at(schedule.max_duration());
    let mut deadline =
        runner.deadline(until.saturating_add(crate::clock::nanos(runner.graceful_stop)));
    let mut own = 0;
    runner
        .closed_loop(&mut vu, until, &mut deadline, || {
            let k = match schedule.quota() {
                Quota::PerVu(each) if own < each => own * schedule.vus() + slot,
                Quota::Shared(all) if taken.get() < all => taken.replace(taken.get() + 1),
                _ => return None,
            };
            own += 1;
            Counters::add(&runner.counters.started_by_schedule, 1);
            Some(schedule.iteration(k))
        })
        .await;
}
