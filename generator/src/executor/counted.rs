//! shared-iterations and per-vu-iterations: a number of iterations, as fast as the VUs make them.

use super::{Begin, Recruit, Scene, Tally, breathe, join};
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
    Tally::add(&scene.tally.busy, 1);
    let mut own = 0;
    let mut now = scene.now();
    while now < until && !scene.stop.is_given() {
        let number = match schedule.quota() {
            Quota::PerVu(each) if own < each => schedule.iteration(own * schedule.vus() + slot),
            Quota::Shared(all) if taken.get() < all => {
                schedule.iteration(taken.replace(taken.get() + 1))
            }
            _ => break,
        };
        own += 1;
        Tally::add(&scene.tally.started_by_schedule, 1);
        match scene
            .iterate(&mut vu, number, Begin::now(now), &mut deadline)
            .await
        {
            Some(ended) if ended.more => {
                breathe(now, ended.at).await;
                now = ended.at;
            }
            Some(_) => {
                scene.tally.data_exhausted.set(true);
                break;
            }
            None => break,
        }
    }
    Tally::add(&scene.tally.busy, -1);
}
