//! constant-vus and ramping-vus: a closed loop for each VU, while its slot is active.

use super::runner::{ScenarioRunner, join};
use super::vu::VuFactory;
use floodgate_core::schedule::VuLoop;
use std::cell::Cell;
use std::rc::Rc;

pub(super) async fn run<R: VuFactory>(runner: Rc<ScenarioRunner<R>>, schedule: VuLoop) {
    let schedule = Rc::new(schedule);
    let iterations = Rc::new(Cell::new(0));
    let tasks = (0..schedule.slots())
        .map(|slot| {
            tokio::task::spawn_local(vu(
                Rc::clone(&runner),
                Rc::clone(&schedule),
                slot,
                Rc::clone(&iterations),
            ))
        })
        .collect();
    join(tasks).await;
}

async fn vu<R: VuFactory>(
    runner: Rc<ScenarioRunner<R>>,
    schedule: Rc<VuLoop>,
    slot: u64,
    iterations: Rc<Cell<u64>>,
) {
    let mut vu = runner.allocate(schedule.vu_number(slot));
    for active in schedule.active(slot) {
        if !runner.sleep_until(runner.at(active.from)).await {
            return;
        }
        let until = runner.at(active.until);
        let mut deadline =
            runner.deadline(runner.at(schedule.interrupted_at(&active, runner.graceful_stop)));
        let next = || Some(schedule.iteration(iterations.replace(iterations.get() + 1)));
        if !runner
            .closed_loop(&mut vu, until, &mut deadline, next)
            .await
        {
            return;
        }
    }
}
