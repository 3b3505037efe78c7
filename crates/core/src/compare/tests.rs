use super::dependence::{block_length, persistence, unseen};
use super::estimator::Estimator;
use super::interval::student;
use super::warmup::end_of_warmup;
use super::*;
use crate::histogram::Histogram;

const SETTINGS: Settings = Settings {
    confidence: 0.95,
    min_effect: 0.05,
    gates: 1,
    seed: 7,
};
const P95: Statistic = Statistic::Quantile(0.95);

/// Windows of spread values, each window by another factor.
fn run(seed: u64, windows: usize, factor: impl Fn(usize) -> f64) -> Vec<Window> {
    let mut random = fastrand::Rng::with_seed(seed);
    let window = |at| {
        let mut histogram = Histogram::new();
        let shared = factor(at) * (0.98 + 0.04 * random.f64());
        for _ in 0..300 {
            histogram.record((10_000.0 * shared * (1.0 + 4.0 * random.f64().powi(3))) as u64);
        }
        Window {
            count: histogram.count(),
            sum: histogram.sum() as f64,
            histogram: Some(histogram),
        }
    };
    (0..windows).map(window).collect()
}

fn near(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{found} instead of {expected}"
    );
}

#[test]
fn a_quantile_over_blocks_is_that_of_the_histograms_added_up() {
    let windows = run(1, 40, |at| 1.0 + 0.5 * (at % 7) as f64);
    for share in [0.01, 0.5, 0.95, 0.99] {
        let table = Estimator::new(Statistic::Quantile(share), &windows).unwrap();
        let one = |range: std::ops::Range<usize>| Vec::from([range]);
        for blocks in [one(0..40), vec![3..9, 30..36, 3..9], one(5..6)] {
            let mut sum = Histogram::new();
            for at in blocks.iter().cloned().flatten() {
                sum.add(windows[at].histogram.as_ref().unwrap());
            }
            let expected = sum.quantile(share) as f64;
            // A step is as wide as the values between the windows' quantiles over 512, or a bucket; one sample may lie between.
            near(table.value(&blocks) / expected, 1.0, 0.03);
        }
    }
}

#[test]
fn a_mean_over_blocks_is_exact() {
    let windows = run(2, 20, |at| at as f64 + 1.0);
    let table = Estimator::new(Statistic::Mean, &windows).unwrap();
    let sum = windows[2].sum + windows[3].sum + windows[9].sum;
    near(table.value(&[2..4, 9..10]), sum / 900.0, 1e-6);
}

#[test]
fn a_run_compared_with_itself_is_unchanged() {
    let windows = run(3, 30, |_| 1.0);
    let same = two(P95, &windows, &windows, &[], &SETTINGS).unwrap();
    assert_eq!(same.effect, Effect::Same);
    near(same.interval.ratio, 1.0, 1e-12);
    assert!(same.interval.low < 1.0 && same.interval.high > 1.0);
}

#[test]
fn a_change_has_its_size_and_its_direction() {
    let (base, slower) = (run(4, 30, |_| 1.0), run(5, 30, |_| 1.2));
    for statistic in [P95, Statistic::Mean, Statistic::Quantile(0.5)] {
        let found = two(statistic, &base, &slower, &[], &SETTINGS).unwrap();
        assert_eq!(found.effect, Effect::More, "{found:?}");
        assert!(
            found.interval.low < 1.2 && found.interval.high > 1.2,
            "{found:?}"
        );
        let back = two(statistic, &slower, &base, &[], &SETTINGS).unwrap();
        assert_eq!(back.effect, Effect::Less, "{back:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_interval() {
    let (base, head) = (run(6, 30, |_| 1.0), run(7, 30, |_| 1.02));
    let twice = [(); 2].map(|()| two(P95, &base, &head, &[], &SETTINGS).unwrap());
    assert_eq!(twice[0], twice[1]);
}

#[test]
fn a_warm_up_of_one_run_is_left_out_of_both() {
    let base = run(8, 36, |at| if at < 4 { 3.0 } else { 1.0 });
    let head = run(9, 36, |_| 1.0);
    let found = two(P95, &base, &head, &[], &SETTINGS).unwrap();
    assert_eq!(
        (found.effect, found.warmup_s),
        (Effect::Same, 40),
        "{found:?}"
    );
}

#[test]
fn noise_is_no_warm_up() {
    let mut random = fastrand::Rng::with_seed(10);
    let cut = |_| end_of_warmup(&(0..30).map(|_| random.f64()).collect::<Vec<_>>());
    assert_eq!((0..200).map(cut).filter(|&cut| cut > 0).count(), 0);
}

#[test]
fn too_short_a_run_and_too_few_samples_have_no_interval() {
    let (short, long) = (run(11, 11, |_| 1.0), run(12, 30, |_| 1.0));
    // Shorter than a window, and shorter than its first sample takes: what is missing is time.
    for (none, found) in [
        (&[][..], "less than 10 s"),
        (&vec![Window::default(); 3], "30 s"),
    ] {
        for (base, head) in [(&long[..], none), (none, &long), (none, none)] {
            let error = two(P95, base, head, &[], &SETTINGS).unwrap_err();
            assert!(
                error.contains(found) && error.contains("at least 120 s"),
                "{error}"
            );
        }
    }
    let silent = vec![Window::default(); 30];
    let error = two(P95, &long, &silent, &[], &SETTINGS).unwrap_err();
    assert!(error.contains("no sample of it"), "{error}");
    let error = two(P95, &long, &short, &[], &SETTINGS).unwrap_err();
    assert!(
        error.contains("110 s") && error.contains("at least 120 s"),
        "{error}"
    );
    let rare = Statistic::Quantile(0.9999);
    let error = two(rare, &long, &long, &[], &SETTINGS).unwrap_err();
    assert!(
        error.contains("9000 samples") && error.contains("100000"),
        "{error}"
    );
    let nothing = vec![Window::default(); 30];
    assert!(two(P95, &long, &nothing, &[], &SETTINGS).is_err());
}

#[test]
fn failures_are_compared_from_none_on() {
    let failing = |each: u64| -> Vec<Window> {
        let window = |_| Window {
            count: 2_000,
            sum: each as f64,
            histogram: None,
        };
        (0..30).map(window).collect()
    };
    let effect = |base, head| {
        let found = two(
            Statistic::Share,
            &failing(base),
            &failing(head),
            &[],
            &SETTINGS,
        );
        found.unwrap().effect
    };
    assert_eq!(effect(0, 2), Effect::More);
    assert_eq!(effect(40, 80), Effect::More);
    assert_eq!(effect(200, 200), Effect::Same);
    // Nothing in either says that there are few, not how few.
    assert_eq!(effect(0, 0), Effect::Undecided);
}

#[test]
fn persistence_is_that_of_the_series_and_blocks_grow_with_it() {
    let series = |memory: f64| -> Vec<f64> {
        let mut random = fastrand::Rng::with_seed(13);
        let mut last = 0.0;
        let next = |_| {
            last = memory * last + random.f64() - 0.5;
            last
        };
        (0..4_000).map(next).collect()
    };
    for memory in [0.3, 0.6, 0.8] {
        near(persistence(&[series(memory)]), memory, 0.06);
    }
    assert_eq!(persistence(&[vec![1.0; 30]]), 0.0);
    let lengths = [0.0, 0.5, 0.8].map(|memory| block_length(360, memory));
    assert!(
        lengths.is_sorted() && lengths[0] == 19 && lengths[2] > 20,
        "{lengths:?}"
    );
    // Independent windows: only the mean takes something away.
    near(unseen(30, 6, 0.0), 1.25, 1e-12);
    assert!(unseen(30, 6, 0.7) > 1.6);
}

#[test]
fn students_distribution_is_scipys() {
    near(student(0.05, 7.3), 2.345_067, 1e-5);
    near(student(0.002_5, 4.0), 6.758_253, 1e-4);
}

#[test]
fn the_error_rate_is_shared_by_all_gates() {
    let many = Settings {
        gates: 20,
        ..SETTINGS
    };
    near(many.level(), 0.0025, 1e-12);
    let (base, head) = (run(14, 30, |_| 1.0), run(15, 30, |_| 1.0));
    let widths = [SETTINGS, many].map(|s| two(P95, &base, &head, &[], &s).unwrap().interval.high);
    assert!(widths[1] > widths[0], "{widths:?}");
}

#[test]
fn an_outcome_takes_size_and_certainty() {
    let outcome = |low, ratio, high| Interval { ratio, low, high }.outcome(&SETTINGS);
    assert_eq!(outcome(1.01, 1.06, 1.2), Effect::More);
    assert_eq!(outcome(0.8, 0.94, 0.99), Effect::Less);
    assert_eq!(outcome(0.97, 1.01, 1.04), Effect::Same);
    assert_eq!(outcome(1.01, 1.02, 1.03), Effect::Same);
    assert_eq!(outcome(1.01, 1.04, 1.07), Effect::Undecided);
    assert_eq!(outcome(0.9, 1.06, 1.2), Effect::Undecided);
}

fn values(logs: &[f64]) -> Vec<RunValue> {
    let value = |&log| RunValue {
        log,
        variance: 1e-6,
        warmup_s: 0,
    };
    logs.iter().map(value).collect()
}

#[test]
fn a_run_is_held_against_how_far_apart_earlier_ones_lie() {
    let calm = values(&[0.0, 0.01, -0.01, 0.005, -0.005]);
    let wild = values(&[0.0, 0.08, -0.08, 0.04, -0.04]);
    let head = values(&[0.095])[0];
    assert_eq!(after(&calm, head, &SETTINGS).unwrap().effect, Effect::More);
    let undecided = after(&wild, head, &SETTINGS).unwrap();
    assert_eq!(
        (undecided.effect, undecided.needed),
        (Effect::Undecided, None)
    );
    near(undecided.between.unwrap(), 0.065, 0.002);
    assert!(after(&calm[..4], head, &SETTINGS).is_err());
}

#[test]
fn what_earlier_runs_tell_is_the_least_that_two_runs_differ_by() {
    let (base, head) = (run(16, 30, |_| 1.0), run(17, 30, |_| 1.1));
    let alone = two(P95, &base, &head, &[], &SETTINGS).unwrap();
    assert_eq!(alone.effect, Effect::More);
    let wild = values(&[0.0, 0.08, -0.08, 0.04, -0.04]);
    let known = two(P95, &base, &head, &wild, &SETTINGS).unwrap();
    assert_eq!((known.effect, known.needed), (Effect::Undecided, None));
}

#[test]
fn ranks_have_scipys_chances() {
    near(
        mann_whitney(&[1.0, 2.0, 3.0, 4.0, 5.0], &[6.0, 7.0, 8.0, 9.0, 10.0]),
        2.0 / 252.0,
        1e-12,
    );
    near(
        mann_whitney(&[1.0, 2.0, 3.0, 4.0, 5.0], &[3.5, 6.0, 7.0, 8.0, 9.0]),
        0.031_746_031_746,
        1e-9,
    );
    near(
        mann_whitney(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[2.5, 6.5, 7.0, 8.0]),
        0.114_285_714_286,
        1e-9,
    );
    near(mann_whitney(&[1.0, 1.0], &[1.0, 1.0]), 1.0, 1e-12);
}

#[test]
fn groups_are_compared_by_ranks_alone() {
    let base = [0.0, 0.01, 0.02, -0.01, -0.02];
    let found = groups(&base, &base.map(|x| x + 0.1), &SETTINGS).unwrap();
    assert_eq!(found.effect, Effect::More);
    near(found.interval.ratio, 0.1_f64.exp(), 1e-9);
    let error = groups(&base[..3], &base[..3], &SETTINGS).unwrap_err();
    assert!(error.contains("4 on each side"), "{error}");
}
