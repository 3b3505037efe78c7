//! Runs whose processes are killed, stopped and told to end at any moment. Whatever happens: nothing passes whose count is not the target's,
//! nothing hangs, and no process is left.
//!
//! A few seeds are tried each time; `FLOODGATE_CHAOS=1000..1100` tries these, and a failure names its own.

use crate::support::*;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_testserver::{Config, TestServer};
use std::ops::Range;
use std::time::{Duration, Instant};

/// What is tried without a word.
const SEEDS: Range<u64> = 1..7;
/// Seeds that are tried at once: most of a run is waiting.
const AT_ONCE: usize = 3;
/// Iterations of the schedule that ends by their number.
const COUNTED: u64 = 6 * 20;

/// SplitMix64 (Steele, Lea, Flood 2014): the same choices for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// A signal to somebody at a moment.
#[derive(Debug)]
struct Act {
    at: Duration,
    signal: &'static str,
    /// A generator, if there are some; else the coordinator.
    to_generator: bool,
    which: u64,
    /// How long somebody who was stopped stays so.
    hold: Duration,
}

/// What happens to one run.
#[derive(Debug)]
struct Case {
    seed: u64,
    generators: u64,
    executor: &'static str,
    acts: Vec<Act>,
}

impl Case {
    fn of(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let millis = |n| Duration::from_millis(n);
        let generators = dice.one(&[1, 2, 2, 3]);
        let executor = dice.one(&[
            "executor: constant-arrival-rate, rate: 60, duration: 2s, preAllocatedVUs: 5, maxVUs: 20",
            "executor: constant-vus, vus: 4, duration: 2s",
            "executor: per-vu-iterations, vus: 6, iterations: 20, maxDuration: 10s",
        ]);
        let count = dice.one(&[1, 1, 2, 3]);
        let act = |dice: &mut Dice| Act {
            at: millis(dice.below(3_500)),
            signal: dice.one(&["KILL", "STOP", "TERM", "HUP", "STOP", "KILL", "INT"]),
            to_generator: dice.below(3) > 0,
            which: dice.below(8),
            hold: millis(dice.one(&[100, 500, 1_500])),
        };
        let mut acts: Vec<_> = (0..count).map(|_| act(&mut dice)).collect();
        acts.sort_by_key(|act| act.at);
        Self {
            seed,
            generators,
            executor,
            acts,
        }
    }

    fn is_counted(&self) -> bool {
        self.executor.contains("iterations")
    }

    fn definition(&self, target: &TestServer) -> String {
        let think = if self.executor.contains("rate") {
            ""
        } else {
            ", { think: 30ms }"
        };
        format!(
            "version: 1\nproject: e2e\ntest: chaos\ntarget: {}\nscenarios:\n  s: {{ {}, gracefulStop: 2s, flow: [{{ get: / }}{think}] }}\n\
             thresholds: {{ http_req_failed: [rate==0] }}\n",
            target.url(),
            self.executor
        )
    }

    /// Does what is to be done to a run while it is there; gives all processes that belonged to it, and whether one was killed.
    fn play(&self, running: &Running) -> (Vec<u32>, bool) {
        let (began, own) = (Instant::now(), running.pid());
        let (mut all, mut killed) = (Vec::new(), false);
        for act in &self.acts {
            while began.elapsed() < act.at && is_alive(own) {
                std::thread::sleep(Duration::from_millis(5));
            }
            if !is_alive(own) {
                break;
            }
            let children = running.children();
            let to = match children.len() as u64 {
                n if n > 0 && act.to_generator => children[(act.which % n) as usize],
                _ => own,
            };
            all.extend(children);
            signal(to, act.signal);
            killed |= act.signal == "KILL";
            if act.signal == "STOP" {
                std::thread::sleep(act.hold);
                signal(to, "CONT");
            }
        }
        all.extend(running.children());
        (all, killed)
    }

    fn run(&self) {
        let (bench, target) = (Bench::new(), TestServer::start(Config::fast()).unwrap());
        bench.write("test.yaml", &self.definition(&target));
        let generators = self.generators.to_string();
        let running = bench.spawn(&["run", "test.yaml", "--generators", &generators]);
        let (processes, killed) = self.play(&running);
        let ended = running.end();
        eventually("no process is left", || {
            !processes.iter().any(|&pid| is_alive(pid))
        });
        let listed = bench.floodgate(&["runs", "--json"]);
        let said = format!(
            "seed {}: {self:?}\n{}{}",
            self.seed,
            ended.stderr(),
            listed.stderr()
        );
        assert!(
            !said.contains("panicked") && !said.contains("BACKTRACE"),
            "{said}"
        );
        let runs: serde_json::Value = serde_json::from_str(&listed.stdout()).unwrap();
        let Some(record) = runs.get(0) else {
            // It ended before it was begun.
            assert_ne!(ended.code(), Some(0), "{said}");
            return;
        };
        let status = record["status"].as_str().unwrap();
        assert!(
            ["passed", "failed", "inconclusive", "errored", "aborted"].contains(&status),
            "{status}: {said}"
        );
        if ended.code() == Some(0) {
            assert_eq!(status, "passed", "{said}");
        }
        let id = record["id"].as_str().unwrap();
        let shown = bench.floodgate(&["show", id, "--json"]);
        if shown.code() == Some(0) && !shown.stdout().is_empty() {
            self.judge(
                &shown.summary(),
                target.counters().requests(),
                killed,
                &said,
            );
        } else {
            assert_ne!(status, "passed", "{said}");
        }
    }

    /// A request that was cut off or failed may never have reached the target; every other one it has seen.
    fn judge(&self, summary: &Summary, seen: u64, killed: bool, said: &str) {
        let counted = summary
            .metrics
            .get("http_reqs")
            .and_then(|m| m.values.get("count"));
        let counted = counted.map_or(0, |count| *count as u64);
        let unsure: u64 = summary.errors.values().sum();
        let said = format!("{counted} counted, {unsure} cut off or failed, {seen} seen: {said}");
        assert!(counted <= seen + unsure, "{said}");
        if summary.status == Status::Passed {
            assert_eq!(counted, seen, "{said}");
            assert!(!self.is_counted() || counted == COUNTED, "{said}");
        }
        // Without a kill nothing that was measured is lost.
        assert!(killed || seen <= counted, "{said}");
    }
}

/// `1000..1100`.
fn range(text: &str) -> Option<Range<u64>> {
    let (from, to) = text.split_once("..")?;
    Some(from.parse().ok()?..to.parse().ok()?)
}

#[test]
fn whatever_happens_to_its_processes_nothing_passes_that_was_not_so() {
    let given = std::env::var("FLOODGATE_CHAOS").ok();
    let seeds = given.map_or(SEEDS, |text| range(&text).expect("FLOODGATE_CHAOS=1..100"));
    let seeds = std::sync::Mutex::new(seeds);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = seeds.lock().unwrap().next();
                    let Some(seed) = next else { return };
                    Case::of(seed).run();
                }
            });
        }
    });
}
