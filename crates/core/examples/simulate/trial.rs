//! Trials: how often a comparison says what.

use super::model::{Conditions, Run, draw};
use floodgate_core::compare::{self, Compared, Effect, MIN_RUNS, Settings, Statistic, Window};

/// The gates that are judged together.
pub(crate) const GATES: [(&str, Statistic); 5] = [
    ("p50", Statistic::Quantile(0.5)),
    ("p95", Statistic::Quantile(0.95)),
    ("p99", Statistic::Quantile(0.99)),
    ("avg", Statistic::Mean),
    ("failed", Statistic::Share),
];
/// p95 among [`GATES`].
pub(crate) const P95: usize = 1;

type Seeds = [u64; GATES.len()];

/// What a run is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Against {
    /// The run before it.
    One,
    /// So many runs before it.
    Earlier(usize),
    /// As many runs as there are of its own.
    Each(usize),
}

/// How often, of all trials, something was said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Found {
    pub(crate) trials: u32,
    /// By gate, when it is the only one: worse or better.
    pub(crate) alone: [u32; GATES.len()],
    /// By gate, when it is the only one: the interval excludes 1, whatever the size.
    pub(crate) excluded: [u32; GATES.len()],
    /// Worse or better anywhere, when all are judged together.
    pub(crate) any: u32,
    /// p95 unchanged, when it is the only one.
    pub(crate) same: u32,
}

/// How often p95 is found worse when requests take `factor` as long.
pub(crate) fn power(of: &Conditions, against: Against, factor: f64, count: u32, seed: u64) -> u32 {
    let worse = each(of, against, factor, count, seed).filter(|(base, head, seeds)| {
        let settings = settings(1, seeds[P95]);
        compared(GATES[P95].1, base, head, &settings).effect == Effect::More
    });
    worse.count() as u32
}

/// Draws so many pairs of equal runs and compares them.
pub(crate) fn trials(of: &Conditions, against: Against, count: u32, seed: u64) -> Found {
    let mut found = Found::default();
    for (base, head, seeds) in each(of, against, 1.0, count, seed) {
        found.add(&base, &head, seeds);
    }
    found
}

/// Runs, later runs that take `factor` as long, and a seed for each gate's comparison.
fn each(
    of: &Conditions,
    against: Against,
    factor: f64,
    count: u32,
    seed: u64,
) -> impl Iterator<Item = (Vec<Run>, Vec<Run>, Seeds)> {
    let of = *of;
    (0..u64::from(count)).map(move |trial| {
        let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(trial));
        let mut runs = |count, factor| -> Vec<Run> {
            (0..count).map(|_| draw(&of, factor, &mut random)).collect()
        };
        let (base, head) = (runs(against.base(), 1.0), runs(against.head(), factor));
        (base, head, GATES.map(|_| random.u64(..)))
    })
}

fn settings(gates: usize, seed: u64) -> Settings {
    Settings {
        confidence: 0.95,
        min_effect: 0.05,
        gates,
        seed,
    }
}

impl Against {
    fn base(self) -> usize {
        match self {
            Self::One => 1,
            Self::Earlier(runs) | Self::Each(runs) => runs,
        }
    }

    fn head(self) -> usize {
        match self {
            Self::Each(runs) => runs,
            _ => 1,
        }
    }
}

impl Found {
    fn add(&mut self, base: &[Run], head: &[Run], seeds: Seeds) {
        self.trials += 1;
        let changed = |c: &Compared| matches!(c.effect, Effect::More | Effect::Less);
        let mut anywhere = false;
        for (gate, (_, statistic)) in GATES.iter().enumerate() {
            let alone = compared(*statistic, base, head, &settings(1, seeds[gate]));
            self.alone[gate] += u32::from(changed(&alone));
            let interval = alone.interval;
            self.excluded[gate] += u32::from(interval.low > 1.0 || interval.high < 1.0);
            if gate == P95 {
                self.same += u32::from(alone.effect == Effect::Same);
            }
            // What is not changed alone is hardly changed among others, where the level is stricter.
            if changed(&alone) && !anywhere {
                let among = compared(*statistic, base, head, &settings(GATES.len(), 1));
                anywhere = changed(&among);
            }
        }
        self.any += u32::from(anywhere);
    }
}

fn compared(statistic: Statistic, base: &[Run], head: &[Run], settings: &Settings) -> Compared {
    let value = |run: &Run| {
        let value = compare::run_value(statistic, windows(statistic, run), settings.seed);
        value.expect("enough windows")
    };
    let values = |runs: &[Run]| -> Vec<_> { runs.iter().map(value).collect() };
    let logs = |runs: &[Run]| -> Vec<f64> { runs.iter().map(|run| value(run).log).collect() };
    match (base, head) {
        ([base], [head]) => {
            let (base, head) = (windows(statistic, base), windows(statistic, head));
            compare::two(statistic, base, head, &[], settings)
        }
        (base, [head]) if base.len() >= MIN_RUNS => {
            compare::after(&values(base), value(head), settings)
        }
        (base, head) => compare::groups(&logs(base), &logs(head), settings),
    }
    .expect("comparable runs")
}

fn windows(statistic: Statistic, run: &Run) -> &[Window] {
    match statistic {
        Statistic::Share => &run.failed,
        _ => &run.times,
    }
}
