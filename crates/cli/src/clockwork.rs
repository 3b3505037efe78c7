//! Runs that start by the clock, while the service runs.

use crate::clock::now_ms;
use crate::output::say;
use floodgate_api::{Scheduler, Ticked};
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two looks at the schedules.
const PACE: Duration = Duration::from_secs(1);

/// Starts what is due, for ever. What is said of a schedule is said again only when it is something else.
pub(crate) async fn by_the_clock(scheduler: &Scheduler) {
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    let mut tell = |of: String, told: String| {
        if said.get(&of) != Some(&told) {
            say!("{told}");
            said.insert(of, told);
        }
    };
    loop {
        match scheduler.tick(now_ms()).await {
            Ok(ticked) => {
                for Ticked { schedule, what } in ticked {
                    let name = format!("{}/{}", schedule.0, schedule.1);
                    let told = match what {
                        Ok(id) => format!("schedule {name}: started {id}"),
                        Err(why) => format!("schedule {name}: {why}"),
                    };
                    tell(name, told);
                }
            }
            Err(error) => tell(
                String::new(),
                format!("warning: schedules cannot be read: {error}"),
            ),
        }
        tokio::time::sleep(PACE).await;
    }
}
