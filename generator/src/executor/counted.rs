//! shared-iterations and per-vu-iterations: a number of iterations, as fast as the VUs make them.

use super::{Recruit, Scene, Tally, join};
use floodgate_core::schedule::{Counted, Quota};
use std::cell::Cell;
use std::rc::Rc;

pub(super) async fn run<R: Recruit>(scene: Rc<Scene<R>>, schedule: Counted) {
    scene.tally.counts_starts.set(true);
    Tally::add(
        &scene.tally.scheduled,
        i64::try_from(schedule.total()).unwrap_or(i64::MAX),
    );
    let schedule = Rc::new(schedule);
    let taken = Rc::new(Cell::new(0));
    let tasks = (0..schedule.vus())
        .map(|slot| {
            tokio::task::spawn_local(vu(
                Rc::clone(&scene),
                Rc::clone(&schedule),
                slot,
                Rc::clone(&taken),
            ))
        })
        .collect();
    join(tasks).await;
}

async fn vu<R: Recruit>(
    scene: Rc<Scene<R>>,
    schedule: Rc<Counted>,
    slot: u64,
    taken: Rc<Cell<u64>>,
) {
    let mut vu = scene.allocate(schedule.vu_number(slot));
    if !scene.sleep_until(scene.begin).await {
        return;
    }
    let until = scene.at(schedule.max_duration());
    let mut deadline = scene.deadline(until.saturating_add(super::nanos(scene.graceful_stop)));
    let mut own = 0;
    scene
        .closed_loop(&mut vu, until, &mut deadline, || {
            let k = match schedule.quota() {
                Quota::PerVu(each) if own < each => own * schedule.vus() + slot,
                Quota::Shared(all) if taken.get() < all => taken.replace(taken.get() + 1),
                _ => return None,
            };
            own += 1;
            Tally::add(&scene.tally.started_by_schedule, 1);
            Some(schedule.iteration(k))
        })
        .await;
}
