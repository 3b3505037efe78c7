//! What a pipeline is given.

use super::answers::{regressed, soak};
use super::example::{failed, in_the_cloud, inconclusive, nothing, passed};
use super::hostile::poisoned;
use super::*;
use floodgate_records::execution::Execution;
use floodgate_records::printable::shows;
use floodgate_records::summary::{RequestSummary, Summary};

#[test]
fn markdown_of_a_failure() {
    let (e, s) = failed();
    insta::assert_snapshot!(markdown(&e, &s, Some(".floodgate/report.html")));
    let (e, s) = regressed();
    let text = markdown(&e, &s, None);
    let from = text.find("#### Change").unwrap();
    insta::assert_snapshot!(
        "markdown_of_intervals",
        text[from..text.find("#### Requests").unwrap()]
    );
}

#[test]
fn markdown_of_hours() {
    let (e, s) = soak();
    let text = markdown(&e, &s, None);
    let from = text.find("#### Drift").unwrap();
    insta::assert_snapshot!(text[from..text.find("#### Requests").unwrap()]);
}

#[test]
fn markdown_fits_a_comment_whatever_is_in_it() {
    let (mut e, mut s) = failed();
    let hostile = "|`<@all>`|".repeat(200);
    let one = s.requests[0].clone();
    s.requests = (0..50)
        .map(|n| RequestSummary {
            name: format!("{n}{hostile}"),
            ..one.clone()
        })
        .collect();
    s.warnings = vec![hostile.clone(); 500];
    s.reasons = vec![hostile.clone(); 500];
    let t = e.thresholds[0].clone();
    e.thresholds = vec![
        floodgate_records::outcome::ThresholdOutcome {
            key: hostile.clone(),
            expression: hostile.clone(),
            ..t
        };
        300
    ];
    let b = s.baseline.as_mut().unwrap();
    b.outcomes = vec![
        floodgate_records::outcome::BaselineOutcome {
            key: hostile.clone(),
            ..b.outcomes[0].clone()
        };
        300
    ];
    let (_, hours) = soak();
    let mut drift = hours.drift.unwrap();
    let metric = drift.metrics[1].clone();
    drift.metrics = vec![
        floodgate_records::drift::DriftMetric {
            id: hostile.clone(),
            note: Some(hostile.clone()),
            ..metric
        };
        300
    ];
    s.drift = Some(drift);
    let text = markdown(&e, &s, Some(&hostile));
    assert!(
        text.chars().count() < 65_536 && text.len() > 20_000,
        "{}",
        text.len()
    );
    assert!(text.contains("more |") && text.contains("- and "));
}

#[test]
fn no_text_leaves_its_place_in_markdown() {
    for (e, s) in [failed(), inconclusive(), in_the_cloud(), regressed()] {
        let rows = |text: &str| {
            text.lines()
                .filter(|line| line.starts_with('|'))
                .map(|line| line.matches('|').count())
                .collect::<Vec<_>>()
        };
        let plain = markdown(&e, &s, None);
        let (e, _): (Execution, _) = poisoned(&e);
        let (s, _): (Summary, _) = poisoned(&s);
        let text = markdown(&e, &s, None);
        assert!(text.chars().all(|c| shows(c) || c == '\n'), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("✓ FORGED")));
        assert_eq!(rows(&text), rows(&plain));
        let lines = annotations(&e, &s);
        assert!(
            lines
                .lines()
                .all(|line| line.starts_with("::error ") || line.starts_with("::warning ")),
            "{lines}"
        );
        let samples = openmetrics(&s);
        assert!(
            samples
                .lines()
                .all(|line| line.split(' ').count() == 2 && line.starts_with("floodgate_")),
            "{samples}"
        );
        assert!(badge(&s).starts_with("<svg"));
    }
}

#[test]
fn annotations_say_why() {
    let (e, s) = failed();
    insta::assert_snapshot!(annotations(&e, &s));
    let (e, s) = passed();
    assert_eq!(annotations(&e, &s), "");
}

#[test]
fn samples_for_gitlab() {
    insta::assert_snapshot!(openmetrics(&passed().1));
    assert!(openmetrics(&nothing().1).starts_with("floodgate_passed{test=\"shop/checkout\"} 0\n"));
}

#[test]
fn a_badge_has_the_verdict() {
    insta::assert_snapshot!(badge(&passed().1));
    assert!(badge(&nothing().1).contains("load test: errored<"));
}
