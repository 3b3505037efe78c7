//! How often answers are right, by simulation: prints the tables of `docs/compare.md`, `docs/capacity.md` and `docs/soak.md`.
//!
//! `cargo xtask simulate compare` (`paired`, `capacity`, `soak`) builds and runs it. The seeds are fixed: it prints the same each time.

mod capacity;
mod model;
mod paired;
mod queue;
mod soak;
mod trial;

use model::{Conditions, Tail};
use paired::Shared;
use trial::{Against, P95, power, trials};

const USAGE: &str = "usage: simulate compare|paired|capacity|soak [TRIALS]";

fn main() {
    let mut words = std::env::args().skip(1);
    let what = words.next();
    let count = words.next().map_or(Ok(1_000), |n| n.parse::<u32>());
    match (what.as_deref(), count) {
        (Some("compare"), Ok(count)) if count > 0 => compare(count),
        (Some("paired"), Ok(count)) if count > 0 => in_turns(count),
        (Some("capacity"), Ok(count)) if count > 0 => capacity::table(count),
        (Some("soak"), Ok(count)) if count > 0 => soak::table(count),
        _ => {
            eprintln!("{USAGE}");
            std::process::exit(2);
        }
    }
}

fn compare(count: u32) {
    println!("Two runs of five minutes at 200/s; {count} pairs a row; `min_effect: 5%`, 95 %.\n");
    header();
    for (seed, (name, of)) in (1..).zip(two_runs()) {
        row(name, &of, Against::One, count, seed);
    }
    println!(
        "\nRuns that differ from each other, held against several; {} trials a row.\n",
        count / 4
    );
    header();
    for (seed, (name, of, against)) in (101..).zip(several()) {
        row(&name, &of, against, count / 4, seed);
    }
}

/// The shifts of the operating curve.
const SHIFTS: [f64; 5] = [1.0, 1.01, 1.015, 1.02, 1.03];

fn in_turns(count: u32) {
    println!(
        "Two targets in turns of 2.5 s, ten minutes; `min_effect: 1%`, 99 %. How often p95 was found worse: of {count} runs with equal targets, of {} for each shift.\n",
        count / 4
    );
    let shifts = SHIFTS.map(|shift| match shift {
        1.0 => "equal".to_owned(),
        shift => format!("+{:.1} %", (shift - 1.0) * 100.0),
    });
    println!(
        "| Requests a second, and what varies | worse or better, if equal | {} |",
        shifts.join(" | ")
    );
    println!("|---|--:|{}", "--:|".repeat(SHIFTS.len()));
    for (seed, (name, of, shared)) in (201..).zip(turns()) {
        let trial = |at: usize, count: u32| {
            let seed = seed * 100 + at as u64;
            paired::trials(&of, shared, SHIFTS[at], count, seed)
        };
        let (equal, worse) = std::thread::scope(|scope| {
            let worse = scope.spawn(move || {
                let shifted = (1..SHIFTS.len()).map(|at| trial(at, count / 4).worse);
                shifted.collect::<Vec<_>>()
            });
            (trial(0, count), worse.join().expect("no trial fails"))
        });
        let share = |n: u32, of: u32| format!("{:.1} %", f64::from(n) * 100.0 / f64::from(of));
        let worse: Vec<_> = worse.into_iter().map(|n| share(n, count / 4)).collect();
        println!(
            "| {name} | {} | {} | {} |",
            share(equal.worse + equal.better, count),
            share(equal.worse, count),
            worse.join(" | ")
        );
    }
}

fn turns() -> Vec<(&'static str, Conditions, Shared)> {
    let lognormal = Tail::Lognormal(0.5);
    let shared = |sd, memory_s, step| Shared { sd, memory_s, step };
    let calm = shared(0.0, 1.0, 1.0);
    let of = paired::ten_minutes;
    vec![
        ("200/s, requests only", of(200, lognormal), calm),
        ("500/s, requests only", of(500, lognormal), calm),
        (
            "500/s, 5 % for 15 s",
            of(500, lognormal),
            shared(0.05, 15.0, 1.0),
        ),
        (
            "500/s, 10 % for 60 s",
            of(500, lognormal),
            shared(0.10, 60.0, 1.0),
        ),
        (
            "500/s, twice as slow from the middle on",
            of(500, lognormal),
            shared(0.03, 15.0, 2.0),
        ),
        (
            "500/s, heavy tail (Pareto 1.5), 5 % for 15 s",
            of(500, Tail::Pareto),
            shared(0.05, 15.0, 1.0),
        ),
        (
            "1000/s, 5 % for 15 s",
            of(1_000, lognormal),
            shared(0.05, 15.0, 1.0),
        ),
    ]
}

fn header() {
    println!(
        "| What varies | p50 | p95 | p99 | avg | failed | any of the five | p95 excludes 1 | p95 `unchanged` | +10 % p95 found |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
}

fn row(name: &str, of: &Conditions, against: Against, count: u32, seed: u64) {
    let found = std::thread::scope(|scope| {
        let same = scope.spawn(|| trials(of, against, count, seed));
        (
            power(of, against, 1.1, count, seed + 1_000),
            same.join().expect("no trial fails"),
        )
    });
    let (worse, same) = found;
    let share = |n: u32| format!("{:.1} %", f64::from(n) * 100.0 / f64::from(count));
    let alone: Vec<String> = same.alone.iter().map(|&n| share(n)).collect();
    println!(
        "| {name} | {} | {} | {} | {} | {} |",
        alone.join(" | "),
        share(same.any),
        share(same.excluded[P95]),
        share(same.same),
        share(worse),
    );
}

fn two_runs() -> Vec<(&'static str, Conditions)> {
    let calm = Conditions::CALM;
    let noise = |window_sd, memory| Conditions {
        window_sd,
        memory,
        ..calm
    };
    vec![
        ("requests only (lognormal)", calm),
        ("windows by 3 %, independent", noise(0.03, 0.0)),
        ("windows by 3 %, memory 0.5", noise(0.03, 0.5)),
        ("windows by 5 %, memory 0.5", noise(0.05, 0.5)),
        ("windows by 5 %, memory 0.7", noise(0.05, 0.7)),
        ("windows by 10 %, memory 0.5", noise(0.10, 0.5)),
        (
            "heavy tail (Pareto 1.5)",
            Conditions {
                tail: Tail::Pareto,
                ..calm
            },
        ),
        (
            "heavy tail, windows by 3 %, memory 0.5",
            Conditions {
                tail: Tail::Pareto,
                ..noise(0.03, 0.5)
            },
        ),
        (
            "warm-up, up to 3 × for up to 1 min",
            Conditions {
                warmup: (3.0, 6),
                ..noise(0.03, 0.5)
            },
        ),
        (
            "runs by 1 %, windows by 3 %, memory 0.5",
            Conditions {
                run_sd: 0.01,
                ..noise(0.03, 0.5)
            },
        ),
        (
            "runs by 2 %, windows by 3 %, memory 0.5",
            Conditions {
                run_sd: 0.02,
                ..noise(0.03, 0.5)
            },
        ),
        (
            "*runs by 5 %*, windows by 3 %, memory 0.5",
            Conditions {
                run_sd: 0.05,
                ..noise(0.03, 0.5)
            },
        ),
    ]
}

fn several() -> Vec<(String, Conditions, Against)> {
    let noise = Conditions {
        window_sd: 0.03,
        memory: 0.5,
        ..Conditions::CALM
    };
    let cases = [
        (0.01, Against::Earlier(5)),
        (0.02, Against::Earlier(5)),
        (0.02, Against::Earlier(10)),
        (0.05, Against::Earlier(10)),
        (0.05, Against::Each(5)),
        (0.05, Against::Each(10)),
    ];
    let named = |(run_sd, against): (f64, Against)| {
        let with = match against {
            Against::One => "1 against 1".to_owned(),
            Against::Earlier(n) => format!("1 against {n}"),
            Against::Each(n) => format!("{n} against {n}"),
        };
        (
            format!("runs by {:.0} %; {with}", run_sd * 100.0),
            Conditions { run_sd, ..noise },
            against,
        )
    };
    cases.into_iter().map(named).collect()
}
