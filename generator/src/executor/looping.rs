//! constant-vus and ramping-vus: a closed loop for each VU, while its slot is active.

use super::{Recruit, Scene, join};
use floodgate_core::schedule::VuLoop;
use std::cell::Cell;
use std::rc::Rc;

pub(super) async fn run<R: Recruit>(scene: Rc<Scene<R>>, schedule: VuLoop) {
    let schedule = Rc::new(schedule);
    let iterations = Rc::new(Cell::new(0));
    let tasks = (0..schedule.slots())
        .map(|slot| {
            tokio::task::spawn_local(vu(
                Rc::clone(&scene),
                Rc::clone(&schedule),
                slot,
                Rc::clone(&iterations),
            ))
        })
        .collect();
    join(tasks).await;
}

async fn vu<R: Recruit>(
    scene: Rc<Scene<R>>,
    schedule: Rc<VuLoop>,
    slot: u64,
    iterations: Rc<Cell<u64>>,
) {
    let mut vu = scene.allocate(schedule.vu_number(slot));
    for active in schedule.active(slot) {
        if !scene.sleep_until(scene.at(active.from)).await {
            return;
        }
        let until = scene.at(active.until);
        let mut deadline =
            scene.deadline(scene.at(schedule.interrupted_at(&active, scene.graceful_stop)));
        let next = || Some(schedule.iteration(iterations.replace(iterations.get() + 1)));
        if !scene.closed_loop(&mut vu, until, &mut deadline, next).await {
            return;
        }
    }
}
