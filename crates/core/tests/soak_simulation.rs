//! Rates of errors of slopes, by simulation: a small part of what `cargo xtask simulate soak` prints. The seeds are fixed.

#[path = "../examples/simulate/model.rs"]
#[allow(dead_code)]
mod model;
#[path = "../examples/simulate/soak.rs"]
#[allow(dead_code)]
mod soak;

use soak::{Hours, trials};

/// Ten minutes, the shortest run that has a slope: a debug build has to draw them.
const NOISY: Hours = Hours {
    hours: 1.0 / 6.0,
    rate: 100,
    noise: (0.03, 0.3),
    ..Hours::CALM
};

#[test]
fn a_leak_is_found_and_none_is_where_none_is() {
    let none = trials(&NOISY, 0.0, 1.0, 16, 1);
    // One in twenty may be called a slope; of 16 more than four with a chance of 0.1 %.
    assert!(none.sure <= 4 && none.stepped <= 3, "{none:?}");
    // Five times as slow after an hour, so by a third after these ten minutes.
    let leak = trials(&NOISY, 4.0, 1.0, 10, 2);
    assert!(leak.sure >= 9 && leak.missed <= 3, "{leak:?}");
    let step = trials(&NOISY, 0.0, 2.0, 6, 3);
    assert!(step.in_place >= 4, "{step:?}");
}
