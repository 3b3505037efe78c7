//! What the watch of a run costs, against the model of it: invocations, their time, and their memory, as Lambda bills them.

use super::cli::{expect, floodgate, output};
use super::shop;
use crate::execution::{PROJECT, settled};
use crate::stack::{Invocation, Stack, has_engine};
use floodgate_core::cost::{WATCH_MB, Watched};
use floodgate_functions::{App, Course, Phases, Steps, expected};
use floodgate_records::execution::Execution;
use floodgate_records::summary::Summary;
use floodgate_store::RecordStore as _;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// How far the model may be from what is billed.
const PART: f64 = 0.1;
/// How long the load goes on, in seconds: longer than two invocations that stay.
const SECONDS: u64 = 45;

/// A run with its bill and what the emulator says of its functions.
struct Seen {
    record: Execution,
    watches: Vec<Invocation>,
    /// What the state machine carries from turn to turn, which the bill is made of.
    counted: Watched,
}

async fn run(folder: &Path, definition: &str) -> Seen {
    let (stack, shop) = (Stack::shared().await, shop());
    let definition = definition.replace("TARGET", &shop.url());
    std::fs::write(folder.join("test.yaml"), definition).unwrap();
    let arguments = ["run", "test.yaml", "--json"];
    let said = expect(&output(floodgate(&stack, folder, &arguments)).await, 0);
    let summary: Summary = serde_json::from_str(&said).unwrap();
    let id = summary.execution;
    let record = stack.records.get(Some(PROJECT), &id).await.unwrap();
    let record = record.unwrap();
    let arn = record.run_arn.clone().unwrap();
    let described = settled(&stack.states, &arn).await;
    let end: Value = serde_json::from_str(described.output().unwrap()).unwrap();
    let number = |key: &str| end[key].as_u64().unwrap();
    let mut watches = stack.invocations();
    watches.retain(|one| one.function == "watch" && one.execution == id);
    Seen {
        record,
        watches,
        counted: Watched {
            turns: number("turn"),
            looks: number("looks"),
            time: Duration::from_millis(number("watched_ms")),
        },
    }
}

impl Seen {
    /// GB-seconds that Lambda charges for.
    fn billed(&self) -> f64 {
        let of = |one: &Invocation| one.billed_ms as f64 / 1e3 * f64::from(one.memory_mb) / 1_024.0;
        self.watches.iter().map(of).sum()
    }

    /// What the model says of a run with these phases and such steps: those of the emulator are not those of AWS.
    fn modelled(&self, course: Course) -> Watched {
        let end = |one: &Invocation| one.began_ms + i64::try_from(one.billed_ms).unwrap();
        let first = self.watches.first().unwrap().began_ms;
        let last = end(self.watches.last().unwrap());
        let start = self.record.started_ms.unwrap();
        let running = Duration::from_secs(SECONDS);
        let phases = Phases {
            ready: span(first, start),
            running,
            end: span(start, last).saturating_sub(running),
        };
        expected(course, phases, self.steps(), App::STAY)
    }

    /// What the steps take here, by the invocations that only looked once. (The first one starts a process.)
    fn steps(&self) -> Steps {
        let short = self.watches.iter().skip(1).map(|one| one.billed_ms);
        let once = median(short.filter(|ms| *ms < 1_000)).unwrap_or(200);
        let gaps = self.watches.windows(2).map(|pair| {
            let billed = i64::try_from(pair[0].billed_ms).unwrap();
            // Waits are whole seconds.
            span(pair[0].began_ms + billed, pair[1].began_ms)
                .subsec_millis()
                .into()
        });
        Steps {
            load: Duration::from_millis(once / 2),
            look: Duration::from_millis(once / 2),
            between: Duration::from_millis(median(gaps).unwrap_or(0)),
        }
    }

    /// Holds the model, and the count that the actual cost stands on, against what is billed; what does not fit.
    fn misfit(&self, course: Course) -> Option<String> {
        let modelled = self.modelled(course);
        let memory = f64::from(WATCH_MB) / 1_024.0;
        let of = |watched: &Watched| memory * watched.time.as_secs_f64();
        let said = format!(
            "billed {} invocations, {:.2} GB-s; modelled {modelled:?}, {:.2} GB-s by {:?}; counted {:?}, {:.2} GB-s",
            self.watches.len(),
            self.billed(),
            of(&modelled),
            self.steps(),
            self.counted,
            of(&self.counted),
        );
        println!("{}: {said}", self.record.engine);
        assert_eq!(self.counted.turns, self.watches.len() as u64, "{said}");
        assert!(self.record.cost.clone().unwrap().actual_usd.unwrap() > 0.0);
        let near = (PART * self.billed()).max(memory * LAST.as_secs_f64());
        let turns = modelled.turns.abs_diff(self.counted.turns);
        let few = (PART * self.counted.turns as f64).max(1.0);
        // What the emulator takes around a handler is not the product's, nor is it AWS's.
        let outside = self.billed() - of(&self.counted);
        let most = memory * OUTSIDE.as_secs_f64() * self.counted.turns as f64;
        let fits = (of(&modelled) - self.billed()).abs() <= near
            && turns as f64 <= few
            && (0.0..=most).contains(&outside);
        (!fits).then_some(said)
    }
}

/// On a machine that others use, steps of one kind take unlike times, of which the model knows one: then it is tried again.
async fn expect_fit(folder: &Path, definition: &str, course: impl Fn() -> Course) {
    let mut misfits = Vec::new();
    for _ in 0..3 {
        match run(folder, definition).await.misfit(course()) {
            None => return,
            Some(said) => misfits.push(said),
        }
    }
    panic!("{misfits:#?}");
}

/// Of a short run it depends on fractions of a second when in its last two seconds the watch begins to stay.
const LAST: Duration = Duration::from_secs(2);

/// What an invocation takes at most that its handler does not see.
const OUTSIDE: Duration = Duration::from_millis(500);

fn span(from_ms: i64, to_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(to_ms - from_ms).unwrap_or(0))
}

fn median(values: impl Iterator<Item = u64>) -> Option<u64> {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// Its end is waited for by an invocation that stays: what is billed is the whole run.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn the_watch_of_a_script_is_billed_as_the_model_says() {
    if !has_engine("k6") {
        eprintln!("skipped: the emulated stack has no image of k6");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cloud/runs/watching/counted.js");
    std::fs::copy(script, folder.path().join("counted.js")).unwrap();
    let definition = format!(
        "version: 1\nproject: {PROJECT}\ntest: watched-script\nengine: k6\nscript: counted.js\ntarget: TARGET\n\
         parameters: {{seconds: {SECONDS}}}\nrun: {{tasks: 1, cpu: 512, memory: 1024}}\n"
    );
    let course = || Course {
        duration_ms: 300_000,
        longest_ms: 300_000,
        any_time: true,
        judged: false,
    };
    expect_fit(folder.path(), &definition, course).await;
}

/// A schedule says when to look: what is billed is a look each few seconds, and the waiting at either end.
#[tokio::test]
#[ignore = "needs the emulator: cargo xtask test"]
async fn the_watch_of_a_schedule_is_billed_as_the_model_says() {
    let folder = tempfile::tempdir().unwrap();
    let definition = format!(
        "version: 1\nproject: {PROJECT}\ntest: watched\ntarget: TARGET\nrun: {{tasks: 1, cpu: 256, memory: 512}}\nscenarios:\n  \
         one:\n    executor: constant-arrival-rate\n    rate: 10\n    duration: {SECONDS}s\n    preAllocatedVUs: 5\n    \
         gracefulStop: 1s\n    flow:\n      - get: /\n"
    );
    let course = || Course {
        duration_ms: SECONDS * 1_000,
        longest_ms: SECONDS * 1_000 + 1_000,
        any_time: false,
        judged: false,
    };
    expect_fit(folder.path(), &definition, course).await;
}
