//! The law of the verdict, held against whole runs: requests with a true duration and a true fate are recorded, folded, encoded, lost,
//! merged and judged as in production, and a run that passes is compared with the truth.

use super::*;
use crate::course::{Course, Times};
use crate::definition::model::{Objective, RunPart, ThresholdSpec, phase_window_s};
use crate::execution::applied::applied_load;
use crate::execution::summarise::testing::{execution, finished};
use crate::execution::summarise::{Conclusion, Finished, conclude};
use crate::fold::Folding;
use crate::histogram::Histogram;
use crate::merge::{Aggregate, Collector};
use crate::shard::{Content, Row, ShardMeta, Sources, decode_groups, encode};
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
    /// The second after the start in which it ends.
    second: u32,
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
    /// Seconds that are not judged.
    warmup_s: u32,
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
/// Seconds of a run.
const LENGTH_S: u32 = 20;

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
    /// By window, from its first second.
    cells: BTreeMap<(Builtin, Tags, u32), Aggregate>,
    /// Seconds of a window of trends.
    phase_s: u32,
    totals: Totals,
}

impl Recorder {
    fn window_s(&self, metric: Builtin) -> u32 {
        match metric.in_phase_window() {
            true => self.phase_s,
            false => 1,
        }
    }

    fn cell(&mut self, metric: Builtin, tags: &Tags, second: u32) -> &mut Aggregate {
        let begin = second - second % self.window_s(metric);
        let key = (metric, tags.clone(), begin);
        let new = || Aggregate::new(metric.kind());
        self.cells.entry(key).or_insert_with(new)
    }

    fn count(&mut self, metric: Builtin, tags: &Tags, second: u32, value: f64) {
        let cell = self.cell(metric, tags, second);
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
        let second = iteration.second;
        self.count(Builtin::HttpReqs, &tags, second, 1.0);
        let failed = f64::from(u8::from(iteration.failed()));
        self.count(Builtin::HttpReqFailed, &tags, second, failed);
        let cell = self.cell(Builtin::HttpReqDuration, &tags, second);
        let histogram = cell.histogram.get_or_insert_with(Histogram::new);
        histogram.record(iteration.recorded_us());
        let exact = histogram.exact();
        cell.count += 1;
        (cell.sum, cell.min, cell.max) = (exact.sum as f64, exact.min as f64, exact.max as f64);
        self.totals.http_reqs += 1;
        if iteration.complete && !matches!(iteration.fate, Fate::CutOff(_)) {
            let scenario = Tags::new().with("scenario", SCENARIOS[iteration.scenario]);
            self.count(Builtin::Iterations, &scenario, second, 1.0);
            self.totals.iterations += 1;
        } else {
            self.totals.interrupted_iterations += 1;
        }
    }

    fn rows(&self) -> Vec<Row> {
        let row = |((metric, tags, begin), cell): (&(Builtin, Tags, u32), &Aggregate)| {
            let key = Arc::new(SeriesKey {
                metric: metric.name().into(),
                kind: metric.kind(),
                tags: tags.clone(),
            });
            cell.to_row(&key, i64::from(*begin) * 1_000, self.window_s(*metric))
        };
        self.cells.iter().map(row).collect()
    }
}

/// The thresholds of the test, as written, and what they mean: of all that is judged, of parts of the run, and objectives.
const THRESHOLDS: [(&str, &str); 9] = [
    ("http_req_failed{name:checkout}", "rate<0.5"),
    ("http_req_duration{scenario:pay}", "p(50)<1000"),
    ("http_req_duration", "p(90)<5400000"),
    ("http_req_duration{name:home}", "max<2000"),
    ("http_reqs{name:checkout}", "count>2"),
    ("http_req_duration{scenario:pay}", "p(50)<1000"),
    ("http_req_failed", "rate<0.5"),
    ("http_req_duration", "p(90)<1400"),
    ("http_reqs", "count>1"),
];
/// The parts that some of them are about, in seconds.
const PARTS: [(usize, u32, Option<u32>); 3] = [(5, 4, Some(13)), (6, 8, None), (8, 4, Some(16))];
/// The objectives among them: the share of windows, and seconds of one.
const OBJECTIVES: [(usize, f64, u32); 2] = [(7, 0.5, 4), (8, 0.75, 6)];

fn spec(number: usize) -> ThresholdSpec {
    let seconds = |s: u32| Duration::from_secs(s.into());
    let part = PARTS.iter().find(|(of, ..)| *of == number);
    let objective = OBJECTIVES.iter().find(|(of, ..)| *of == number);
    ThresholdSpec {
        part: part.map_or_else(RunPart::default, |(_, from, to)| RunPart {
            from: Some(seconds(*from)),
            to: to.map(seconds),
            stage: None,
        }),
        objective: objective.map(|(_, of, window)| Objective {
            of: *of,
            window: seconds(*window),
        }),
        ..ThresholdSpec::new(THRESHOLDS[number].0, THRESHOLDS[number].1)
    }
}

impl Truth {
    /// Runs, merges and judges.
    fn judge(&self, chosen: &[usize]) -> Conclusion {
        let specs: Vec<_> = chosen.iter().map(|number| spec(*number)).collect();
        let warmup = Duration::from_secs(self.warmup_s.into());
        let thresholds = &Thresholds {
            warmup,
            ..Thresholds::compile(&specs).unwrap()
        };
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
                phase_s: phase_window_s(&specs, warmup),
                totals: Totals::default(),
            };
            let own = self.iterations.iter().filter(|i| i.task == task);
            own.for_each(|i| recorder.add(i));
            if task == 0 && self.dropped > 0 {
                let none = Tags::new();
                let cell = recorder.cell(Builtin::DroppedIterations, &none, 0);
                (cell.count, cell.sum) = (1, self.dropped as f64);
                recorder.totals.dropped_iterations = self.dropped;
            }
            let meta = ShardMeta {
                content: Content::Shard,
                execution: "x".into(),
                segment: String::new(),
                sources: Sources::one(task, 0),
                start_ms: 0,
                end_ms: i64::from(LENGTH_S) * 1_000,
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
        let totals = &collected.merged.totals;
        let length = Duration::from_secs(LENGTH_S.into());
        let times = Times {
            start_ms: 0,
            duration: length,
            planned: None,
        };
        let mut course = Course::of(thresholds, &[], times);
        decode_groups(&collected.merged.out, |rows| course.add(rows)).unwrap();
        let source = course.judged().unwrap_or(totals);
        let planned = self.iterations.len() as u64 + self.dropped;
        let applied = applied_load(&manifests, totals, Some(planned), false);
        conclude(&Finished {
            duration: length,
            warmup,
            course: Some(&course),
            completeness: collected.completeness,
            applied,
            ..finished(&execution(), source, thresholds, &manifests)
        })
    }

    /// The iterations that are judged, those of a tag's value from one second on until another.
    fn of(&self, (tag, value): (&str, &str), from: u32, to: u32) -> Vec<&Iteration> {
        let matching = |i: &&Iteration| {
            let has = value.is_empty() || i.true_tags().get(tag) == Some(value);
            has && (from.max(self.warmup_s)..to).contains(&i.second)
        };
        self.iterations.iter().filter(matching).collect()
    }

    /// Whether a threshold holds of what truly happened.
    fn holds(&self, number: usize) -> bool {
        let part = PARTS.iter().find(|(of, ..)| *of == number);
        let (from, to) = part.map_or((self.warmup_s, LENGTH_S), |(_, from, to)| {
            (*from, to.unwrap_or(LENGTH_S))
        });
        let Some((_, of, window)) = OBJECTIVES.iter().find(|(of, ..)| *of == number) else {
            return self.holds_in(number, from, to);
        };
        let windows: Vec<u32> = (from..to).step_by(*window as usize).collect();
        let held = |begin: &&u32| {
            let end = (**begin + window).min(to);
            // Of a window in which nothing happened nothing is known.
            !self.of(("", ""), **begin, end).is_empty() && self.holds_in(number, **begin, end)
        };
        windows.iter().filter(held).count() as f64 >= of * windows.len() as f64
    }

    /// The same from one second on until another. A request that nothing cut off would have taken its true duration.
    fn holds_in(&self, number: usize, from: u32, to: u32) -> bool {
        let all = |tag, value| self.of((tag, value), from, to);
        let quantile_us = |list: Vec<&Iteration>, q: f64| {
            let mut all: Vec<u64> = list.iter().map(|i| i.duration_us).collect();
            all.sort_unstable();
            let rank = ((q * all.len() as f64).ceil() as usize).max(1);
            all[rank - 1]
        };
        let failing = |list: Vec<&Iteration>| {
            (list.iter().filter(|i| i.failed()).count() as f64) < 0.5 * list.len() as f64
        };
        match number {
            0 => failing(all("name", "checkout")),
            1 | 5 => quantile_us(all("scenario", "pay"), 0.5) < 1_000_000,
            2 => quantile_us(all("", ""), 0.9) < 5_400_000_000,
            3 => quantile_us(all("name", "home"), 1.0) < 2_000_000,
            4 => all("name", "checkout").len() > 2,
            6 => failing(all("", "")),
            7 => quantile_us(all("", ""), 0.9) < 1_400_000,
            _ => all("", "").len() > 1,
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
    let place = (0..TASKS, 0..SCENARIOS.len(), 0..NAMES.len(), 0..LENGTH_S);
    (place, duration, fate(), proptest::bool::weighted(0.97)).prop_map(
        |((task, scenario, name, second), duration_us, fate, complete)| Iteration {
            task,
            second,
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
        (iterations, prop_oneof![Just(0u32), Just(2)]),
        0u64..2,
        1usize..8,
        any::<bool>(),
        rarely(),
        rarely(),
        rarely(),
    )
        .prop_map(
            |((iterations, warmup_s), dropped, max_series, keeps, lost_task, lost_shard, lies)| {
                Truth {
                    iterations,
                    warmup_s,
                    dropped,
                    max_series,
                    keeps,
                    lost_task,
                    lost_shard,
                    lies,
                }
            },
        )
}

/// A run that is as good as it can be: it has to pass, or the law would hold of nothing.
#[test]
fn a_good_run_passes_whatever_is_folded() {
    for max_series in 1..10 {
        let iterations = (0..60)
            .map(|n| Iteration {
                task: n % TASKS,
                second: n % LENGTH_S,
                scenario: n as usize % 2,
                name: n as usize % 3,
                duration_us: 500 + u64::from(n),
                fate: Fate::Ok,
                complete: true,
            })
            .collect();
        let truth = Truth {
            iterations,
            warmup_s: max_series as u32 % 2 * 2,
            dropped: 0,
            max_series,
            keeps: true,
            lost_task: false,
            lost_shard: false,
            lies: false,
        };
        let verdict = truth
            .judge(&(0..THRESHOLDS.len()).collect::<Vec<_>>())
            .verdict;
        assert_eq!(verdict.status, Status::Passed, "{:?}", verdict.reasons);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_pass_means_what_it_says(
        truth in truth(), chosen in proptest::sample::subsequence((0..THRESHOLDS.len()).collect::<Vec<_>>(), 0..4),
    ) {
        let conclusion = truth.judge(&chosen);
        if conclusion.verdict.status == Status::Passed {
            prop_assert!(!truth.lost_task && !truth.lost_shard && !truth.lies, "something was missing");
            let all = &truth.iterations;
            let judged = truth.of(("", ""), 0, LENGTH_S);
            prop_assert!(judged.iter().any(|i| matches!(i.fate, Fate::Ok | Fate::Status500)), "nobody answered");
            for scenario in 0..SCENARIOS.len() {
                let mut of = judged.iter().copied().filter(|i| i.scenario == scenario).peekable();
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
