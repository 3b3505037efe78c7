//! A search for the capacity of a target that is simulated shard by shard: the watch steers, what it orders is sent.

use crate::support::*;
use floodgate_control::watch::{Phase, Watch, WatchOptions};
use floodgate_core::definition::model::{CapacitySpec, Definition};
use floodgate_core::shard::{Content, Row, encode};
use floodgate_records::capacity::{CapacityControl, CapacityEnd, CapacitySummary, StepOutcome};
use floodgate_records::manifest::TaskOutcome;
use floodgate_records::metric::{Builtin, SeriesKey, Tags};
use floodgate_records::status::Status;
use std::sync::Arc;
use std::time::Duration;

/// What the simulated target takes, over all tasks.
const CAPACITY: f64 = 137.0;
/// Seconds of a shard.
const SHARD_S: u64 = 5;

fn seeking(max: Option<f64>) -> Definition {
    let mut definition = definition(&[("http_req_duration", "p(95)<100")]);
    definition.capacity = Some(CapacitySpec {
        start: Some(10.0),
        max,
        precision: 0.05,
        settle: Duration::from_secs(5),
        step: Duration::from_secs(15),
        max_duration: Duration::from_secs(1_800),
    });
    definition
}

/// How the tasks fare.
#[derive(Clone, Copy)]
struct World {
    /// The share of the CPU that a generator uses at a load.
    cpu: fn(f64) -> f64,
    /// For how many seconds a drowned target goes on with what it has.
    drains_s: u64,
}

const HEALTHY: World = World {
    cpu: |_| 0.2,
    drains_s: 7,
};

fn gauge(metric: Builtin, time_ms: i64, value: f64) -> Row {
    Row {
        time_ms,
        window_s: 1,
        key: Arc::new(SeriesKey {
            metric: metric.name().into(),
            kind: metric.kind(),
            tags: Tags::new(),
        }),
        count: 1,
        sum: value,
        min: value,
        max: value,
        histogram: None,
    }
}

impl World {
    /// The rows of a task's second, one of `tasks`, under these orders.
    fn second(self, control: &CapacityControl, second: u64, tasks: u64) -> Vec<Row> {
        let time_ms = START + second as i64 * 1_000;
        let at = second * 1_000;
        let step = control.steps.iter().rfind(|step| step.from_ms <= at);
        let under_way = step.filter(|step| at < step.until_ms);
        let drowned =
            step.filter(|step| step.load > CAPACITY && at < step.until_ms + self.drains_s * 1_000);
        let load = under_way.map_or(0.0, |step| step.load);
        let busy = if under_way.is_some() || drowned.is_some() {
            3.0
        } else {
            0.0
        };
        let mut all = vec![
            gauge(Builtin::Vus, time_ms, busy),
            gauge(Builtin::GeneratorCpu, time_ms, (self.cpu)(load)),
        ];
        if load > 0.0 {
            let slow = load > CAPACITY;
            let sent = Load {
                per_s: (load / tasks as f64).round().max(1.0) as u64,
                response_us: if slow { 900_000 } else { 20_000 },
                failed_per_s: 0,
            };
            all.extend(rows(sent, time_ms, 1, 1));
        }
        all
    }

    /// Plays a run to the end of the search; returns also how many requests each task has sent.
    async fn play(self, run: &mut Run<'_>, tasks: u64) -> (CapacityControl, u64) {
        run.start().await;
        let mut sent = 0;
        let mut control = CapacityControl::default();
        for second in 0..1_900 {
            let now = START + second as i64 * 1_000 + 300;
            if second > 0 && second % SHARD_S == 0 {
                let seq = second / SHARD_S - 1;
                let span = seq * SHARD_S..second;
                for task in 0..tasks as u32 {
                    let rows: Vec<Row> = span
                        .clone()
                        .flat_map(|second| self.second(&control, second, tasks))
                        .collect();
                    let requests = rows.iter().filter(|row| row.key.metric == "http_reqs");
                    let requests: f64 = requests.map(|row| row.sum).sum();
                    sent += if task == 0 { requests as u64 } else { 0 };
                    let meta = run.meta(Content::Shard, task, seq as u32, span.clone());
                    let key = run.keys.shard(task, seq as u32);
                    run.put(&key, encode(&meta, &rows).unwrap()).await;
                    run.live(task, Load::GOOD, second).await;
                }
            }
            if second % 97 == 0 {
                // Another process goes on with it.
                let (stores, state) = (run.folder.stores.clone(), run.watch.state().clone());
                let options = WatchOptions {
                    lead: Duration::from_secs(1),
                    ..WatchOptions::local()
                };
                let (prepared, definition) = (run.prepared.clone(), run.definition.clone());
                run.watch = Watch::resume(stores, prepared, definition, options, state);
            }
            assert_eq!(
                run.step(now).await.phase,
                Phase::Running,
                "after {second} s"
            );
            let key = run.keys.capacity();
            if let Some(bytes) = run.folder.stores.objects.get(&key).await.unwrap() {
                let ordered: CapacityControl = serde_json::from_slice(&bytes).unwrap();
                let before = &control.steps;
                let news = ordered.steps.iter().skip(before.len());
                assert!(
                    news.clone()
                        .all(|step| step.from_ms as i64 + START >= now + 1_000),
                    "a step began before every task could know of it"
                );
                control = ordered;
            }
            if control.ended.is_some() {
                return (control, sent);
            }
        }
        panic!("the search goes on for ever");
    }
}

/// The tasks end; the run is finished.
async fn capacity(
    run: &mut Run<'_>,
    tasks: u32,
    sent: u64,
) -> (Status, Vec<String>, CapacitySummary) {
    for task in 0..tasks {
        let mut manifest = run.manifest(task, Load::GOOD, Vec::new(), TaskOutcome::Completed);
        (manifest.totals.http_reqs, manifest.totals.iterations) = (sent, sent);
        run.write_manifest(&manifest).await;
    }
    let finished = run.finish(START + 1_900_000).await;
    let (execution, summary) = (finished.execution, finished.summary);
    assert_eq!(execution.capacity, summary.capacity);
    (
        execution.status,
        execution.reasons,
        summary.capacity.unwrap(),
    )
}

#[tokio::test]
async fn the_capacity_is_found_by_several_tasks_whoever_watches() {
    let folder = Folder::new();
    let mut run = folder.run(ID, seeking(None), 2).await;
    let (control, sent) = HEALTHY.play(&mut run, 2).await;
    assert_eq!(control.ended, Some(CapacityEnd::Found));
    for step in &control.steps {
        let seen = step.seen.as_ref().unwrap();
        let expected = match step.load <= CAPACITY {
            true => StepOutcome::Held,
            false => StepOutcome::Broke,
        };
        assert_eq!(seen.outcome, expected, "{step:?}");
        assert!(
            (seen.requests_per_s / step.load - 1.0).abs() < 0.1,
            "{step:?}"
        );
        assert!(step.until_ms - step.settled_ms >= 15_000);
        assert!(step.settled_ms - step.from_ms >= 5_000);
    }
    for pair in control.steps.windows(2) {
        let drained = match pair[0].load > CAPACITY {
            true => pair[0].until_ms + HEALTHY.drains_s * 1_000,
            false => pair[0].until_ms,
        };
        assert!(pair[1].from_ms >= drained, "it had not recovered: {pair:?}");
    }
    let (_, _, capacity) = capacity(&mut run, 2, sent).await;
    let (low, high) = (capacity.low.unwrap(), capacity.high.unwrap());
    assert!(low <= CAPACITY && CAPACITY <= high, "{low} to {high}");
    assert_eq!(
        capacity.limited_by.as_deref(),
        Some("http_req_duration: p(95)<100")
    );
}

#[tokio::test]
async fn a_generator_at_its_limit_ends_the_search() {
    let folder = Folder::new();
    let mut run = folder.run(ID, seeking(None), 1).await;
    let saturated = World {
        cpu: |load| if load > 100.0 { 0.97 } else { 0.5 },
        ..HEALTHY
    };
    let (control, sent) = saturated.play(&mut run, 1).await;
    assert_eq!(control.ended, Some(CapacityEnd::Generator));
    let (status, reasons, capacity) = capacity(&mut run, 1, sent).await;
    assert_eq!(status, Status::Inconclusive);
    assert_eq!((capacity.low, capacity.high), (Some(80.0), None));
    assert_eq!(capacity.limited_by.as_deref(), Some("generator"));
    let said = "the capacity is at least 80 iterations/s: the generator is the limit; twice the load takes 2 tasks of this size";
    assert!(reasons.iter().any(|reason| reason == said), "{reasons:?}");
}

#[tokio::test]
async fn the_largest_load_is_an_answer_of_its_own() {
    let folder = Folder::new();
    let mut run = folder.run(ID, seeking(Some(50.0)), 1).await;
    let (control, sent) = HEALTHY.play(&mut run, 1).await;
    assert_eq!(control.ended, Some(CapacityEnd::MaxLoad));
    let (status, reasons, capacity) = capacity(&mut run, 1, sent).await;
    assert_eq!(status, Status::Inconclusive);
    assert_eq!((capacity.low, capacity.estimate), (Some(50.0), None));
    assert!(
        reasons
            .iter()
            .any(|reason| reason.contains("at least 50 iterations/s")),
        "{reasons:?}"
    );
}

#[tokio::test]
async fn figures_that_do_not_come_end_the_search() {
    let folder = Folder::new();
    let mut run = folder.run(ID, seeking(None), 1).await;
    run.start().await;
    let mut second = 0;
    let ended = loop {
        second += 1;
        run.live(0, Load::GOOD, second).await;
        run.step(START + second as i64 * 1_000).await;
        let bytes = run.folder.stores.objects.get(&run.keys.capacity()).await;
        let control: CapacityControl = serde_json::from_slice(&bytes.unwrap().unwrap()).unwrap();
        if control.ended.is_some() || second > 200 {
            break control.ended;
        }
    };
    assert_eq!(ended, Some(CapacityEnd::Unmeasured));
}
