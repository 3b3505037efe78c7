use super::*;
use fastrand::Rng;

const SEARCH: Search = Search {
    start: 10.0,
    max: None,
    precision: 0.05,
    whole: false,
};

/// The steps of a search to its end, where `holds` says of a load whether it holds.
fn seek(search: &Search, mut holds: impl FnMut(f64) -> bool) -> (Vec<Trial>, Next) {
    let mut trials = Vec::new();
    loop {
        match search.next(&trials) {
            Next::Try(load) if trials.len() < 200 => trials.push(Trial {
                load,
                held: holds(load),
            }),
            end => return (trials, end),
        }
    }
}

fn found(end: Next) -> Interval {
    match end {
        Next::Found(interval) => interval,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sharp_limit_is_found_in_few_steps_wherever_it_lies() {
    for limit in [0.3, 7.0, 10.0, 523.0, 48_000.0] {
        let (trials, end) = seek(&SEARCH, |load| load <= limit);
        let interval = found(end);
        assert!(
            interval.low <= limit && limit <= interval.high,
            "{interval:?}"
        );
        assert!(interval.low <= interval.estimate && interval.estimate <= interval.high);
        assert!(interval.precision() <= 0.05, "{interval:?}");
        let doublings = (limit / 10.0_f64).log2().abs().ceil() as usize;
        assert!(
            trials.len() <= doublings + 12,
            "{} steps for {limit}",
            trials.len()
        );
    }
}

#[test]
fn the_same_steps_lead_to_the_same_load() {
    let (trials, _) = seek(&SEARCH, |load| load <= 523.0);
    for n in 0..trials.len() {
        assert_eq!(SEARCH.next(&trials[..n]), Next::Try(trials[n].load));
    }
}

#[test]
fn one_step_that_broke_by_chance_does_not_mislead() {
    for unlucky in 0..8 {
        let mut n = 0;
        let (_, end) = seek(&SEARCH, |load| {
            n += 1;
            n - 1 != unlucky && load <= 523.0
        });
        let interval = found(end);
        assert!(
            interval.low <= 523.0 && 523.0 <= interval.high,
            "{unlucky}: {interval:?}"
        );
    }
}

/// Where chance decides between a step that holds and one that breaks over a zone of 10 %, the interval still has the truth.
#[test]
fn intervals_contain_the_capacity_as_often_as_they_say() {
    let mut contained = 0;
    for seed in 0..50 {
        let mut rng = Rng::with_seed(seed);
        let (_, end) = seek(&SEARCH, |load| {
            let odds = ((load / 523.0_f64).ln() / 0.02).exp();
            rng.f64() < 1.0 / (1.0 + odds)
        });
        let interval = found(end);
        contained += u32::from(interval.low <= 523.0 && 523.0 <= interval.high);
    }
    assert!(contained >= 45, "{contained} of 50");
}

#[test]
fn the_largest_load_ends_the_search() {
    let search = Search {
        max: Some(100.0),
        ..SEARCH
    };
    let (trials, end) = seek(&search, |_| true);
    assert_eq!(end, Next::AtLeast(100.0));
    let loads: Vec<_> = trials.iter().map(|trial| trial.load).collect();
    assert_eq!(loads, [10.0, 20.0, 40.0, 80.0, 100.0]);
}

#[test]
fn nothing_that_holds_ends_the_search() {
    let (trials, end) = seek(&SEARCH, |_| false);
    assert!(matches!(end, Next::Below(load) if load < 0.1), "{end:?}");
    assert!(trials.len() <= 9);
    let whole = Search {
        whole: true,
        ..SEARCH
    };
    assert_eq!(seek(&whole, |_| false).1, Next::Below(1.0));
}

#[test]
fn vus_are_whole_numbers() {
    let whole = Search {
        whole: true,
        start: 1.0,
        ..SEARCH
    };
    let (trials, end) = seek(&whole, |load| load <= 5.0);
    assert!(trials.iter().all(|trial| trial.load.fract() == 0.0));
    let interval = found(end);
    assert!(interval.low >= 4.9 && interval.high <= 6.1, "{interval:?}");
}

#[test]
fn an_interval_needs_a_step_that_held_and_one_that_broke() {
    let trial = |load, held| Trial { load, held };
    assert_eq!(SEARCH.interval(&[]), None);
    assert_eq!(SEARCH.interval(&[trial(10.0, true)]), None);
    assert_eq!(SEARCH.interval(&[trial(10.0, false)]), None);
    let interval = SEARCH
        .interval(&[trial(10.0, true), trial(20.0, false)])
        .unwrap();
    assert!(interval.low < 20.0 && interval.high > 10.0 && interval.precision() > 0.05);
}
