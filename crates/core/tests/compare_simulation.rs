//! Rates of errors of comparisons, by simulation: a small part of what `cargo xtask simulate compare` prints. The seeds are fixed.

#[path = "../examples/simulate/model.rs"]
#[allow(dead_code)]
mod model;
#[path = "../examples/simulate/paired.rs"]
#[allow(dead_code)]
mod paired;
#[path = "../examples/simulate/trial.rs"]
#[allow(dead_code)]
mod trial;

use model::{Conditions, Tail};
use paired::{Shared, ten_minutes};
use trial::{Against, power, trials};

/// A tenth of the requests of the table's runs: they suffice for p95, and a debug build has to draw them.
const NOISY: Conditions = Conditions {
    rate: 20,
    window_sd: 0.04,
    memory: 0.5,
    ..Conditions::CALM
};

#[test]
fn equal_runs_are_seldom_called_worse() {
    for (seed, tail) in [(1, Tail::Lognormal(0.5)), (2, Tail::Pareto)] {
        let of = Conditions { tail, ..NOISY };
        // One in forty is allowed in one direction; of 80 more than seven are with a chance of 0.2 %.
        let worse = power(&of, Against::One, 1.0, 80, seed);
        assert!(worse <= 7, "{worse} of 80 with {tail:?}");
    }
}

#[test]
fn all_gates_together_are_seldom_wrong() {
    let found = trials(&NOISY, Against::One, 30, 3);
    // One in twenty; of 30 more than six with a chance of 0.1 %.
    assert!(found.any <= 6, "{found:?}");
    assert_eq!(found.trials, 30);
}

#[test]
fn a_tenth_more_is_found() {
    let of = Conditions {
        rate: 100,
        window_sd: 0.03,
        ..NOISY
    };
    let found = power(&of, Against::One, 1.1, 40, 4);
    assert!(found >= 36, "{found} of 40");
}

#[test]
fn runs_that_differ_by_themselves_are_known_from_earlier_ones() {
    let of = Conditions {
        run_sd: 0.05,
        ..NOISY
    };
    let two = power(&of, Against::One, 1.0, 60, 5);
    let six = power(&of, Against::Earlier(6), 1.0, 30, 5);
    // Two runs cannot tell that runs differ; it is said in the documentation, and shown here.
    assert!(two > 6, "{two} of 60");
    assert!(six <= 4, "{six} of 30");
}

/// What both targets share cancels: it would hide a tenth from two runs one after the other.
#[test]
fn in_turns_a_small_change_is_found_where_runs_drift() {
    let shared = Shared {
        sd: 0.1,
        memory_s: 30.0,
        step: 1.5,
    };
    let of = ten_minutes(60, Tail::Lognormal(0.3));
    let equal = paired::trials(&of, shared, 1.0, 40, 5);
    // One in a hundred is allowed; of 40 more than four are with a chance of 0.01 %.
    assert!(equal.worse + equal.better <= 4, "{equal:?}");
    let slower = paired::trials(&of, shared, 1.05, 20, 6);
    assert!(slower.worse >= 15, "{slower:?}");
}
