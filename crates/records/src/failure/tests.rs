use super::*;

fn sample(name: &str, status: u16, at_ms: i64) -> FailureSample {
    FailureSample {
        at_ms,
        name: name.into(),
        status: Some(status),
        ..FailureSample::default()
    }
}

#[test]
fn the_first_of_each_kind_are_kept() {
    let mut log = FailureLog::new();
    for n in 0..100 {
        assert_eq!(log.add(sample("a", 500, n)), n < 10, "{n}");
        assert_eq!(log.add(sample("a", 404, n)), n < 10, "{n}");
    }
    assert_eq!((log.samples.len(), log.left_out), (20, 0));
}

#[test]
fn kinds_and_bytes_are_bounded() {
    let mut log = FailureLog::new();
    for n in 0..1_000 {
        log.add(sample(&format!("n{n}"), 500, n));
    }
    assert_eq!(log.samples.len(), FailureLog::MAX_KINDS);
    assert_eq!(log.left_out, 1_000 - FailureLog::MAX_KINDS as u64);
    let mut log = FailureLog::new();
    for n in 0..64 {
        let mut large = sample(&n.to_string(), 500, n);
        large.message = Some("x".repeat(100_000));
        log.add(large);
    }
    assert!(
        log.samples.len() <= 10 && log.left_out > 0,
        "{}",
        log.samples.len()
    );
}

#[test]
fn tasks_are_merged_by_time_within_the_bounds_of_one() {
    let log = |from: i64| {
        let mut log = FailureLog::new();
        (0..10).for_each(|n| assert!(log.add(sample("a", 500, from + n * 2))));
        let text = serde_json::to_string(&log).unwrap();
        serde_json::from_str::<FailureLog>(&text).unwrap()
    };
    let all = FailureLog::merged([log(1), log(0)]);
    let times: Vec<_> = all.samples.iter().map(|s| s.at_ms).collect();
    assert_eq!(times, (0..10).collect::<Vec<_>>());
}

#[test]
fn the_slowest_of_each_name_are_kept_over_all_tasks() {
    let slow = |name: &str, ms: f64| {
        let mut sample = sample(name, 200, 0);
        sample.trace = Some("ab".repeat(16));
        sample.times.insert("http_req_response_time".into(), ms);
        sample
    };
    let log = |offset: f64| {
        let mut log = FailureLog::new();
        for n in 0..20 {
            log.add_slow(slow("a", f64::from(n) + offset));
            log.add_slow(slow("b", 100.0 + f64::from(n)));
        }
        assert_eq!(log.slowest.len(), 2 * FailureLog::MAX_SLOWEST);
        log
    };
    let all = FailureLog::merged([log(0.0), log(0.5)]);
    let traced = all.traced();
    let of_a = traced.iter().filter(|t| t.name == "a");
    let of_a: Vec<_> = of_a.map(|t| t.response_ms).collect();
    assert_eq!(of_a, [19.5, 19.0, 18.5, 18.0, 17.5]);
    assert_eq!((traced.len(), traced[0].response_ms), (10, 119.0));
    let mut many = FailureLog::new();
    (0..1_000).for_each(|n| many.add_slow(slow(&n.to_string(), f64::from(n))));
    assert_eq!(many.slowest.len(), FailureLog::MAX_TRACED);
    assert_eq!(many.traced().len(), TracedRequest::MAX);
}

#[test]
fn a_headline_has_what_an_engine_tells() {
    let mut sample = FailureSample {
        checks: vec!["is paid".into()],
        ..FailureSample::default()
    };
    assert_eq!(sample.headline(), "is paid does not hold");
    sample.name = "::cart".into();
    assert_eq!(sample.headline(), "::cart: is paid does not hold");
    sample.request = Some(Sent {
        url: "http://shop/cart".into(),
        ..Sent::default()
    });
    sample.status = Some(503);
    sample.message = Some("busy".into());
    sample.times.insert("http_req_duration".into(), 12.14);
    assert_eq!(
        sample.headline(),
        "http://shop/cart: 503 after 12.1 ms, is paid does not hold (busy)"
    );
}

#[test]
fn an_excerpt_is_cut_between_characters() {
    let text = "é".repeat(3_000);
    let mut excerpt = Excerpt::of(text.as_bytes(), text.len() as u64).unwrap();
    excerpt.cut();
    assert!(excerpt.text.len() <= Excerpt::MAX_BYTES && excerpt.text.ends_with('é'));
    assert_eq!(excerpt.bytes, 6_000);
    assert_eq!(Excerpt::of(b"", 0), None);
}
