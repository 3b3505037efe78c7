//! The law of the verdict, held against whole runs: requests with a true duration and a true fate are recorded, folded, encoded, lost,
//! merged and judged as in production, and a run that passes is compared with the truth.

use super::*;
use crate::execution::applied::applied_load;
use crate::execution::summarise::testing::{execution, finished};
use crate::execution::summarise::{Conclusion, Finished, conclude};
use crate::fold::Folding;
use crate::histogram::Histogram;
use crate::merge::{Aggregate, Collector};
use crate::shard::{Content, Row, ShardMeta, Sources, encode};
use crate::threshold::Thresholds;
use floodgate_records::manifest::Totals;
use floodgate_records::metric::{Builtin, SeriesKey, Tags};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const HOUR_US: u64 = 3_600_000_000;

/// What truly became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Ok,
    Status500,
    Refused,
    /// The end of the graceful stop came after so many µs.
    CutOff(u64),
}

/// One iteration: a request, and a rest that is cut off or not.
#[derive(Clone, Copy, Debug)]
struct Iteration {
    task: u32,
    scenario: usize,
    name: usize,
    /// How long the request takes if it is let.
    duration_us: u64,
    fate: Fate,
    complete: bool,
}

#[derive(Clone, Debug)]
struct Truth {
    iterations: Vec<Iteration>,
    dropped: u64,
    max_series: usize,
    /// Whether tasks keep the tags of thresholds when they fold, and say so.
    keeps: bool,
    lost_task: bool,
    lost_shard: bool,
    /// A manifest that says one request more than was written.
    lies: bool,
}

const SCENARIOS: [&str; 2] = ["browse", "pay"];
const NAMES: [&str; 3] = ["home", "search", "checkout"];
const TASKS: u32 = 2;

impl Iteration {
    fn tags(&self) -> Tags {
        let (status, error, expected) = match self.fate {
            Fate::Ok => ("200", "", "true"),
            Fate::Status500 => ("500", "", "false"),
            Fate::Refused => ("0", "connection_refused", "false"),
            Fate::CutOff(_) => ("0", "interrupted", "false"),
        };
        self.true_tags()
            .with("status", status)
            .with("error_code", error)
            .with("expected_response", expected)
    }

    fn true_tags(&self) -> Tags {
        Tags::new()
            .with("scenario", SCENARIOS[self.scenario])
            .with("name", NAMES[self.name])
    }

    fn failed(&self) -> bool {
        self.fate != Fate::Ok
    }

    fn recorded_us(&self) -> u64 {
        match self.fate {
            Fate::CutOff(after) => after.min(self.duration_us),
            _ => self.duration_us,
        }
    }
}

/// Records the samples of a task.
struct Recorder {
    folding: Folding,
    max_series: usize,
    known: BTreeSet<Tags>,
    cells: BTreeMap<(Builtin, Tags), Aggregate>,
    totals: Totals,
}

impl Recorder {
    fn cell(&mut self, metric: Builtin, tags: &Tags) -> &mut Aggregate {
        let key = (metric, tags.clone());
        let new = || Aggregate::new(metric.kind());
        self.cells.entry(key).or_insert_with(new)
    }

    fn count(&mut self, metric: Builtin, tags: &Tags, value: f64) {
        let cell = self.cell(metric, tags);
        (cell.count, cell.sum) = (cell.count + 1, cell.sum + value);
    }

    fn add(&mut self, iteration: &Iteration) {
        let mut tags = iteration.tags();
        if !self.known.contains(&tags) {
            if self.known.len() < self.max_series {
                self.known.insert(tags.clone());
            } else {
                tags = self.folding.fold(&tags);
                self.totals.folded_samples += 1;
            }
        }
        self.count(Builtin::HttpReqs, &tags, 1.0);
        let failed = f64::from(u8::from(iteration.failed()));
        self.count(Builtin::HttpReqFailed, &tags, failed);
        let cell = self.cell(Builtin::HttpReqDuration, &tags);
        let histogram = cell.histogram.get_or_insert_with(Histogram::new);
        histogram.record(iteration.recorded_us());
        let exact = histogram.exact();
        cell.count += 1;
        (cell.sum, cell.min, cell.max) = (exact.sum as f64, exact.min as f64, exact.max as f64);
        self.totals.http_reqs += 1;
        if iteration.complete && !matches!(iteration.fate, Fate::CutOff(_)) {
            let scenario = Tags::new().with("scenario", SCENARIOS[iteration.scenario]);
            self.count(Builtin::Iterations, &scenario, 1.0);
            self.totals.iterations += 1;
        } else {
            self.totals.interrupted_iterations += 1;
        }
    }

    fn rows(&self) -> Vec<Row> {
        let row = |((metric, tags), cell): (&(Builtin, Tags), &Aggregate)| {
            let key = Arc::new(SeriesKey {
                metric: metric.name().into(),
                kind: metric.kind(),
                tags: tags.clone(),
            });
            cell.to_row(&key, 0, 10)
        };
        self.cells.iter().map(row).collect()
    }
}

/// The thresholds of the test, as written, and what they mean.
const THRESHOLDS: [(&str, &str); 5] = [
    ("http_req_failed{name:checkout}", "rate<0.5"),
    ("http_req_duration{scenario:pay}", "p(50)<1000"),
    ("http_req_duration", "p(90)<5400000"),
    ("http_req_duration{name:home}", "max<2000"),
    ("http_reqs{name:checkout}", "count>2"),
];

impl Truth {
    /// Runs, merges and judges.
    fn judge(&self, thresholds: &Thresholds) -> Conclusion {
        let folding = Folding::new(thresholds.items.iter().map(|t| t.key.tags.clone()));
        let mut manifests = BTreeMap::new();
        let mut objects = BTreeMap::new();
        for task in 0..TASKS {
            let mut recorder = Recorder {
                folding: if self.keeps {
                    folding.clone()
                } else {
                    Folding::default()
                },
                max_series: self.max_series,
                known: BTreeSet::new(),
                cells: BTreeMap::new(),
                totals: Totals::default(),
            };
            let own = self.iterations.iter().filter(|i| i.task == task);
            own.for_each(|i| recorder.add(i));
            if task == 0 && self.dropped > 0 {
                let none = Tags::new();
                let cell = recorder.cell(Builtin::DroppedIterations, &none);
                (cell.count, cell.sum) = (1, self.dropped as f64);
                recorder.totals.dropped_iterations = self.dropped;
            }
            let meta = ShardMeta {
                content: Content::Shard,
                execution: "x".into(),
                segment: String::new(),
                sources: Sources::one(task, 0),
                start_ms: 0,
                end_ms: 10_000,
            };
            let rows = recorder.rows();
            let bytes = encode(&meta, &rows).unwrap();
            let mut totals = recorder.totals;
            totals.http_reqs += u64::from(self.lies && task == 1);
            let manifest = Manifest {
                shards: vec![crate::shard::entry(0, rows.len(), &bytes)],
                unwritten: None,
                totals,
                kept_tags: recorder.folding.named().to_vec(),
                ..super::tests::manifest(task)
            };
            if !(self.lost_task && task == 1) {
                manifests.insert(task, manifest);
                objects.insert(task, bytes);
            }
        }
        if self.lost_shard {
            objects.remove(&0);
        }
        let found: Vec<_> = objects.keys().map(|task| (*task, 0)).collect();
        let tasks: Vec<u32> = (0..TASKS).collect();
        let mut collector = Collector::new("x", &tasks, &manifests, &found, Vec::new()).unwrap();
        for wanted in collector.wanted() {
            let object = objects.get(&wanted.task).map(Vec::as_slice);
            collector.supply(&wanted, Ok(object)).unwrap();
        }
        let collected = collector.finish().unwrap();
        let manifests: Vec<_> = manifests.into_values().collect();
        let source = &collected.merged.totals;
        let planned = self.iterations.len() as u64 + self.dropped;
        let applied = applied_load(&manifests, source, Some(planned), false);
        conclude(&Finished {
            duration: Duration::from_secs(10),
            completeness: collected.completeness,
            applied,
            ..finished(&execution(), source, thresholds, &manifests)
        })
    }

    fn of(&self, tag: &str, value: &str) -> Vec<&Iteration> {
        let matching = |i: &&Iteration| value.is_empty() || i.true_tags().get(tag) == Some(value);
        self.iterations.iter().filter(matching).collect()
    }

    /// Whether a threshold holds of what truly happened. A request that nothing cut off would have taken its true duration.
    fn holds(&self, number: usize) -> bool {
        let quantile_us = |list: Vec<&Iteration>, q: f64| {
            let mut all: Vec<u64> = list.iter().map(|i| i.duration_us).collect();
            all.sort_unstable();
            let rank = ((q * all.len() as f64).ceil() as usize).max(1);
            all[rank - 1]
        };
        match number {
            0 => {
                let all = self.of("name", "checkout");
                (all.iter().filter(|i| i.failed()).count() as f64) < 0.5 * all.len() as f64
            }
            1 => quantile_us(self.of("scenario", "pay"), 0.5) < 1_000_000,
            2 => quantile_us(self.of("", ""), 0.9) < 5_400_000_000,
            3 => quantile_us(self.of("name", "home"), 1.0) < 2_000_000,
            _ => self.of("name", "checkout").len() > 2,
        }
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        8 => Just(Fate::Ok),
        2 => Just(Fate::Status500),
        1 => Just(Fate::Refused),
        1 => (1u64..1_000_000).prop_map(Fate::CutOff),
    ]
}

fn iteration() -> impl Strategy<Value = Iteration> {
    let duration = prop_oneof![
        20 => 100u64..1_500_000,
        1 => 1_500_000u64..3 * HOUR_US,
    ];
    let place = (0..TASKS, 0..SCENARIOS.len(), 0..NAMES.len());
    (place, duration, fate(), proptest::bool::weighted(0.97)).prop_map(
        |((task, scenario, name), duration_us, fate, complete)| Iteration {
            task,
            scenario,
            name,
            duration_us,
            fate,
            complete,
        },
    )
}

fn truth() -> impl Strategy<Value = Truth> {
    let rarely = || proptest::bool::weighted(0.05);
    // Most runs are good ones with few faults, so that many pass and the law has something to say.
    let iterations = prop_oneof![
        1 => proptest::collection::vec(iteration(), 1..60),
        2 => proptest::collection::vec(iteration(), 1..60).prop_map(|mut all| {
            for i in all.iter_mut().skip(2) {
                (i.fate, i.complete) = (Fate::Ok, true);
            }
            all
        }),
    ];
    (
        iterations,
        0u64..2,
        1usize..8,
        any::<bool>(),
        rarely(),
        rarely(),
        rarely(),
    )
        .prop_map(
            |(iterations, dropped, max_series, keeps, lost_task, lost_shard, lies)| Truth {
                iterations,
                dropped,
                max_series,
                keeps,
                lost_task,
                lost_shard,
                lies,
            },
        )
}

fn thresholds(chosen: &[usize]) -> Thresholds {
    let spec = |n: &usize| crate::definition::model::ThresholdSpec {
        key: THRESHOLDS[*n].0.into(),
        expression: THRESHOLDS[*n].1.into(),
        abort_on_fail: false,
        delay_abort_eval: Duration::ZERO,
    };
    Thresholds::compile(&chosen.iter().map(spec).collect::<Vec<_>>()).unwrap()
}

/// A run that is as good as it can be: it has to pass, or the law would hold of nothing.
#[test]
fn a_good_run_passes_whatever_is_folded() {
    for max_series in 1..10 {
        let iterations = (0..60)
            .map(|n| Iteration {
                task: n % TASKS,
                scenario: n as usize % 2,
                name: n as usize % 3,
                duration_us: 500 + u64::from(n),
                fate: Fate::Ok,
                complete: true,
            })
            .collect();
        let truth = Truth {
            iterations,
            dropped: 0,
            max_series,
            keeps: true,
            lost_task: false,
            lost_shard: false,
            lies: false,
        };
        let verdict = truth.judge(&thresholds(&[0, 1, 2, 3, 4])).verdict;
        assert_eq!(verdict.status, Status::Passed, "{:?}", verdict.reasons);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_pass_means_what_it_says(
        truth in truth(), chosen in proptest::sample::subsequence(vec![0usize, 1, 2, 3, 4], 0..4),
    ) {
        let conclusion = truth.judge(&thresholds(&chosen));
        if conclusion.verdict.status == Status::Passed {
            prop_assert!(!truth.lost_task && !truth.lost_shard && !truth.lies, "something was missing");
            let all = &truth.iterations;
            prop_assert!(all.iter().any(|i| matches!(i.fate, Fate::Ok | Fate::Status500)), "nobody answered");
            for scenario in 0..SCENARIOS.len() {
                let mut of = all.iter().filter(|i| i.scenario == scenario).peekable();
                prop_assert!(of.peek().is_none() || !of.all(Iteration::failed), "everything of a scenario failed");
            }
            let cut = |i: &&Iteration| !i.complete || matches!(i.fate, Fate::CutOff(_));
            let (cut, n) = (all.iter().filter(cut).count() as f64, all.len() as f64);
            prop_assert!(cut <= 0.05 * n, "{cut} of {n} were cut off");
            prop_assert!(n >= 0.95 * (n + truth.dropped as f64), "too few started");
            for number in chosen {
                prop_assert!(truth.holds(number), "{:?} does not hold of what happened", THRESHOLDS[number]);
            }
        }
    }
}
