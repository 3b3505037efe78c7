use super::{Sensitivity, change_points};
use serde::Deserialize;

/// What Apache Otava 0.8.0 finds, as `oracle.py` recorded it.
const OTAVA: &str = include_str!("oracle.json");

#[derive(Deserialize)]
struct Recorded {
    name: String,
    series: Vec<f64>,
    min_change: f64,
    points: Vec<Point>,
}

#[derive(Deserialize)]
struct Point {
    index: usize,
    before: f64,
    after: f64,
    p_value: f64,
}

#[test]
fn it_finds_what_otava_finds() {
    let all: Vec<Recorded> = serde_json::from_str(OTAVA).unwrap();
    assert!(
        all.iter()
            .filter(|recorded| !recorded.points.is_empty())
            .count()
            > 8
    );
    for Recorded {
        name,
        series,
        min_change,
        points,
    } in all
    {
        let sensitivity = Sensitivity {
            min_change,
            ..Sensitivity::default()
        };
        let found = change_points(&series, &sensitivity);
        let places = |indices: Vec<usize>| format!("{name}, {min_change}: {indices:?}");
        assert_eq!(
            places(found.iter().map(|point| point.index).collect()),
            places(points.iter().map(|point| point.index).collect()),
        );
        for (own, theirs) in found.iter().zip(&points) {
            let pairs = [
                (own.before, theirs.before),
                (own.after, theirs.after),
                (own.p_value, theirs.p_value),
            ];
            for (own, theirs) in pairs {
                let allowed = 1e-6 * theirs.abs() + 1e-12;
                assert!(
                    (own - theirs).abs() <= allowed,
                    "{name}: {own} instead of {theirs}"
                );
            }
        }
    }
}

#[test]
fn nothing_and_one_value_have_no_change_point() {
    for series in [&[][..], &[1.0]] {
        assert_eq!(change_points(series, &Sensitivity::default()), []);
    }
}

#[test]
fn a_step_has_its_place_and_size() {
    let series: Vec<f64> = (0..20)
        .map(|n| if n < 12 { 100.0 } else { 125.0 } + f64::from(n % 3))
        .collect();
    let found = change_points(&series, &Sensitivity::default());
    assert_eq!(
        found.iter().map(|point| point.index).collect::<Vec<_>>(),
        [12]
    );
    assert!((found[0].change() - 0.247).abs() < 0.01, "{found:?}");
    let blunt = Sensitivity {
        min_change: 0.3,
        ..Sensitivity::default()
    };
    assert_eq!(change_points(&series, &blunt), []);
}
