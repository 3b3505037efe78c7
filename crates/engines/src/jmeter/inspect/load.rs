//! The load of a thread group as an executor of ours.

use crate::jmeter::plan::{Element, Group, Kind, Values};
use floodgate_core::definition::model::{Executor, Stage};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long JMeter lets a group with a number of loops run: until it is done.
pub(super) const UNBOUNDED: Duration = Duration::from_secs(366 * 24 * 3_600);

/// The most steps of a stepping group that are planned one by one.
const MOST_STEPS: u64 = 1_000;

/// Seconds in a value; JMeter reads what is empty as 0.
fn seconds(values: &Values, text: &str) -> Result<Duration, String> {
    values.whole(text).map(Duration::from_secs)
}

/// When a group starts.
pub(super) fn start(group: &Group<'_>, values: &Values) -> Result<Duration, String> {
    match group.kind {
        Kind::Plain | Kind::SetUp | Kind::TearDown
            if group.element.text("ThreadGroup.scheduler") == "true" =>
        {
            seconds(values, group.element.text("ThreadGroup.delay"))
        }
        Kind::Stepping => seconds(values, group.element.text("Threads initial delay")),
        _ => Ok(Duration::ZERO),
    }
}

/// How a group makes its load; `None` where only the run can tell.
pub(super) fn executor(group: &Group<'_>, values: &Values) -> Result<Option<Executor>, String> {
    let element = group.element;
    match group.kind {
        Kind::Plain | Kind::SetUp | Kind::TearDown => plain(element, values),
        Kind::Ultimate => ultimate(element, values).map(Some),
        Kind::Stepping => stepping(element, values),
        Kind::Concurrency => {
            let target = values.whole(element.text("TargetLevel"))?;
            let (ramp, hold) = ramp_and_hold(element, values)?;
            let stages = vec![
                Stage {
                    duration: ramp,
                    target,
                },
                Stage {
                    duration: hold,
                    target,
                },
            ];
            Ok(Some(ramping(stages)))
        }
        Kind::Arrivals => {
            let (ramp, hold) = ramp_and_hold(element, values)?;
            let target = values.whole(element.text("TargetLevel"))?;
            let most = values.whole(element.text("ConcurrencyLimit"))?;
            Ok(Some(Executor::RampingArrivalRate {
                start_rate: 0,
                time_unit: unit(element),
                stages: vec![
                    Stage {
                        duration: ramp,
                        target,
                    },
                    Stage {
                        duration: hold,
                        target,
                    },
                ],
                pre_allocated_vus: 0,
                max_vus: most,
                max_lateness: UNBOUNDED,
            }))
        }
        Kind::FreeArrivals | Kind::OpenModel => Ok(None),
    }
}

/// JMeter's own: threads that start over the ramp, each with a number of loops or until the duration is over.
fn plain(element: &Element, values: &Values) -> Result<Option<Executor>, String> {
    let vus = values.whole(element.text("ThreadGroup.num_threads"))?;
    let ramp = seconds(values, element.text("ThreadGroup.ramp_time"))?;
    let loops = element
        .any("LoopController.loops")
        .map_or("1", |prop| prop.text.trim());
    let loops = values.evaluate(loops)?;
    let forever = loops.trim() == "-1"
        || element
            .any("LoopController.continue_forever")
            .is_some_and(|prop| prop.text == "true");
    let scheduled = element.text("ThreadGroup.scheduler") == "true";
    let duration = match scheduled {
        true => {
            Some(seconds(values, element.text("ThreadGroup.duration"))?).filter(|d| !d.is_zero())
        }
        false => None,
    };
    if !forever {
        let iterations = values.whole(&loops)?;
        return Ok(Some(Executor::PerVuIterations {
            vus,
            iterations,
            max_duration: duration.unwrap_or(UNBOUNDED),
        }));
    }
    // Without an end only the samplers or a person stop it.
    let Some(duration) = duration else {
        return Ok(None);
    };
    if ramp.is_zero() {
        return Ok(Some(Executor::ConstantVus { vus, duration }));
    }
    let ramp = ramp.min(duration);
    Ok(Some(ramping(vec![
        Stage {
            duration: ramp,
            target: vus,
        },
        Stage {
            duration: duration - ramp,
            target: vus,
        },
    ])))
}

/// VUs that follow stages from none.
pub(super) fn ramping(stages: Vec<Stage>) -> Executor {
    Executor::RampingVus {
        start_vus: 0,
        stages,
        graceful_ramp_down: Duration::ZERO,
    }
}

fn unit(element: &Element) -> Duration {
    match element.text("Unit") {
        "S" => Duration::from_secs(1),
        _ => Duration::from_secs(60),
    }
}

fn ramp_and_hold(element: &Element, values: &Values) -> Result<(Duration, Duration), String> {
    let long = |name: &str| -> Result<Duration, String> {
        let count = values.number(element.text(name)).or_else(|why| {
            if element.text(name).is_empty() {
                Ok(0.0)
            } else {
                Err(why)
            }
        })?;
        Ok(unit(element).mul_f64(count.clamp(0.0, 1e6)))
    };
    Ok((long("RampUp")?, long("Hold")?))
}

/// The corners of a table of ramps: each row has threads, delay, ramp up, hold, ramp down in seconds.
fn ultimate(element: &Element, values: &Values) -> Result<Executor, String> {
    let mut ramps = Vec::new();
    let rows = element.rows("ultimatethreadgroupdata");
    if rows.len() as u64 > MOST_STEPS {
        return Err(format!("a table of {} rows", rows.len()));
    }
    for row in rows {
        let cell = |n: usize| row.get(n).map_or(Ok(0), |prop| values.whole(&prop.text));
        let (threads, delay, up, hold, down) = (cell(0)?, cell(1)?, cell(2)?, cell(3)?, cell(4)?);
        let risen = delay.saturating_add(up);
        let falling = risen.saturating_add(hold);
        ramps.push((
            threads,
            [delay, risen, falling, falling.saturating_add(down)],
        ));
    }
    let level = |at: u64| -> u64 {
        let each = ramps
            .iter()
            .map(|&(threads, [delay, risen, falling, ended])| {
                let part =
                    |from: u64, to: u64| threads as f64 * (at - from) as f64 / (to - from) as f64;
                match at {
                    at if at < delay || at >= ended => 0.0,
                    at if at < risen => part(delay, risen),
                    at if at < falling => threads as f64,
                    _ => threads as f64 - part(falling, ended),
                }
            });
        each.sum::<f64>().round() as u64
    };
    let corners: BTreeSet<u64> = ramps.iter().flat_map(|(_, corners)| *corners).collect();
    let (mut stages, mut last) = (Vec::new(), 0);
    for at in corners {
        // A jump at a corner is a ramp to just before it and a stage without length.
        let before = if at > last { level(at - 1) } else { 0 };
        stages.push(Stage {
            duration: Duration::from_secs(at - last),
            target: before,
        });
        stages.push(Stage {
            duration: Duration::ZERO,
            target: level(at),
        });
        last = at;
    }
    Ok(ramping(stages))
}

/// Steps up, a flight, steps down.
fn stepping(element: &Element, values: &Values) -> Result<Option<Executor>, String> {
    let whole = |name: &str| values.whole(element.text(name));
    let all = whole("ThreadGroup.num_threads")?;
    let (count, burst, period) = (
        whole("Start users count")?,
        whole("Start users count burst")?,
        seconds(values, element.text("Start users period"))?,
    );
    let (stop, stop_period) = (
        whole("Stop users count")?,
        seconds(values, element.text("Stop users period"))?,
    );
    let flight = seconds(values, element.text("flighttime"))?;
    let ramp = seconds(values, element.text("rampUp"))?;
    if count == 0
        || stop == 0
        || all.div_ceil(count) > MOST_STEPS
        || all.div_ceil(stop) > MOST_STEPS
    {
        return Ok(None);
    }
    let mut stages = Vec::new();
    let mut now = if burst > 0 {
        burst.min(all)
    } else {
        count.min(all)
    };
    stages.push(Stage {
        duration: ramp,
        target: now,
    });
    while now < all {
        stages.push(Stage {
            duration: period.saturating_sub(ramp),
            target: now,
        });
        now = (now + count).min(all);
        stages.push(Stage {
            duration: ramp,
            target: now,
        });
    }
    stages.push(Stage {
        duration: flight,
        target: all,
    });
    while now > 0 {
        now = now.saturating_sub(stop);
        stages.push(Stage {
            duration: Duration::ZERO,
            target: now,
        });
        if now > 0 {
            stages.push(Stage {
                duration: stop_period,
                target: now,
            });
        }
    }
    Ok(Some(ramping(stages)))
}
