mod answers;
mod drawn;
mod example;
mod hostile;
mod page;
mod pipeline;

use super::*;
use answers::regressed;
use example::{failed, first_run, in_the_cloud, inconclusive, nothing, passed};
use floodgate_records::schema;
use floodgate_records::status::Status;
use floodgate_records::word::Word;

const NARROW: Style = Style {
    color: false,
    width: 72,
};

#[test]
fn a_pass() {
    let (e, s) = passed();
    insta::assert_snapshot!(summary(&e, &s, Style::PLAIN));
}

#[test]
fn a_pass_in_the_cloud() {
    let (e, s) = in_the_cloud();
    let text = summary(&e, &s, Style::PLAIN);
    let cost = text.find("Cost").unwrap();
    insta::assert_snapshot!(text[cost..]);
}

#[test]
fn a_failure() {
    let (e, s) = failed();
    insta::assert_snapshot!(summary(&e, &s, Style::PLAIN));
}

#[test]
fn an_inconclusive_run() {
    let (e, s) = inconclusive();
    insta::assert_snapshot!(summary(&e, &s, Style::PLAIN));
}

#[test]
fn a_run_of_which_nothing_came() {
    let (e, s) = nothing();
    insta::assert_snapshot!(summary(&e, &s, Style::PLAIN));
}

#[test]
fn a_run_that_has_regressed() {
    let (e, s) = regressed();
    let text = summary(&e, &s, Style::PLAIN);
    let end = text.find("\nRequests").unwrap();
    insta::assert_snapshot!(text[..end]);
    insta::assert_snapshot!("junit_of_gates", junit(&e, &s).unwrap());
}

#[test]
fn a_run_of_hours() {
    let (e, s) = answers::soak();
    let text = summary(&e, &s, Style::PLAIN);
    let end = text.find("\nRequests").unwrap();
    insta::assert_snapshot!(text[..end]);
    insta::assert_snapshot!("junit_of_hours", junit(&e, &s).unwrap());
    let narrow = summary(&e, &s, NARROW);
    assert!(
        narrow.lines().all(|line| line.chars().count() <= 72),
        "{narrow}"
    );
    let value = serde_json::to_value(&s).unwrap();
    let schema = jsonschema::draft202012::new(&schema::summary()).unwrap();
    assert!(schema.is_valid(&value));
}

#[test]
fn a_search_for_the_capacity() {
    let (e, mut s) = passed();
    s.capacity = Some(answers::capacity());
    let text = summary(&e, &s, Style::PLAIN);
    let end = text.find("\nThresholds").unwrap();
    insta::assert_snapshot!(text[..end]);
    let narrow = summary(&e, &s, NARROW);
    assert!(
        narrow.lines().all(|line| line.chars().count() <= 72),
        "{narrow}"
    );
}

#[test]
fn colours_change_nothing_but_colours() {
    let color = |width| Style { color: true, width };
    for (e, s) in [passed(), failed(), inconclusive(), nothing()] {
        for width in [60, 72, 80, 100, 120] {
            let text = summary(&e, &s, color(width));
            assert!(text.contains("\u{1b}["));
            let bare: String = console::strip_ansi_codes(&text)
                .lines()
                .map(|l| format!("{}\n", l.trim_end()))
                .collect();
            assert_eq!(
                bare,
                summary(
                    &e,
                    &s,
                    Style {
                        color: false,
                        width
                    }
                )
            );
        }
    }
}

#[test]
fn lines_stay_within_the_width() {
    let (e, mut s) = passed();
    let part = s.metrics["http_req_duration"].clone();
    s.metrics.insert(
        "http_req_duration{name:the way to the check-out}".into(),
        part,
    );
    for (e, s) in [passed(), failed(), inconclusive(), nothing(), (e, s)] {
        for style in [60, 72, 80, 100, 120].map(|width| Style {
            color: false,
            width,
        }) {
            let text = summary(&e, &s, style) + &runs(std::slice::from_ref(&e), style);
            // The first line names the target, which is not broken so that it can be copied.
            for line in text.lines().skip(1) {
                let width = console::measure_text_width(line);
                assert!(width <= usize::from(style.width), "{width} columns: {line}");
            }
        }
    }
}

/// A target that refuses every connection.
fn dead() -> example::Run {
    let (e, mut s) = failed();
    s.requests.truncate(1);
    let r = &mut s.requests[0];
    (r.failed, r.responses) = (r.count, 0);
    r.outcomes = [("connection_refused".to_owned(), r.count)].into();
    r.times.clear();
    (e, s)
}

#[test]
fn no_figure_is_made_of_nothing() {
    let (e, s) = dead();
    let text = summary(&e, &s, Style::PLAIN);
    let times: Vec<_> = text
        .lines()
        .filter(|line| line.contains("  p(95)<") || line.contains("  p(99)<"))
        .collect();
    assert!(
        !times.is_empty() && times.iter().all(|line| line.ends_with('–')),
        "{text}"
    );
    assert!(text.contains("? no response"), "{text}");
    assert!(
        !text.contains("response time") && !text.contains("service time"),
        "{text}"
    );
    assert!(text.contains("connection_refused ×74,999"), "{text}");
    let lines = openmetrics(&s);
    assert!(lines.contains("failed_ratio"), "{lines}");
    assert!(!lines.contains("_time_seconds"), "{lines}");
}

/// What the order to stop a run cut off is no failure: it is in the list with what it is, and with no share of failures.
#[test]
fn what_a_stop_cut_off_has_no_share_of_failures() {
    let (e, mut s) = passed();
    let all = s.metrics["http_reqs"].values["count"];
    let rates = s.metrics.get_mut("http_req_failed").unwrap();
    rates.values.insert("passes".into(), 0.0);
    rates.values.insert("fails".into(), all - 3.0);
    s.errors = [("interrupted".to_owned(), 3)].into();
    let shown = |s: &_| {
        let drawn = drawn::figures(s, 94);
        [summary(&e, s, Style::PLAIN), html(&e, s, &drawn).unwrap()]
    };
    for text in shown(&s) {
        assert!(text.contains("cut off by the order to stop, in no rate"));
        assert!(!text.contains("Failed requests by error code"));
    }
    s.errors = [("interrupted".to_owned(), 5), ("timeout".to_owned(), 2)].into();
    for text in shown(&s) {
        assert!(text.contains("of requests; 3 cut off by the order to stop, in no rate"));
    }
}

#[test]
fn the_verdict_is_the_last_line_too() {
    for (e, s) in [passed(), failed(), inconclusive(), nothing()] {
        for width in [60, 120] {
            let text = summary(
                &e,
                &s,
                Style {
                    color: false,
                    width,
                },
            );
            let (first, last) = (text.lines().next().unwrap(), text.lines().last().unwrap());
            let verdict = |line: &str| line.split("  ").next().unwrap().to_owned();
            assert_eq!(verdict(first), verdict(last));
            assert!(last.chars().count() <= usize::from(width), "{last}");
        }
    }
}

fn sample() -> floodgate_records::failure::FailureSample {
    serde_json::from_value(serde_json::json!({
        "task": 1, "at_ms": 1_763_762_401_500_i64, "scenario": "buy", "name": "checkout", "status": 503,
        "checks": ["status == 201"],
        "request": {
            "method": "POST", "url": "https://staging.shop.example/checkout",
            "headers": [["Content-Type", "application/json"], ["Authorization", "***"]],
            "body": { "text": "{\"sku\":\"a\"}", "bytes": 11 }
        },
        "response": {
            "line": "HTTP/1.1 503 Service Unavailable", "headers": [["Retry-After", "1"]],
            "body": { "text": "<p>busy\n\u{1b}[2J</p>", "bytes": 9_000 }
        },
        "times": { "http_req_duration": 12.1, "http_req_waiting": 12.0 }
    }))
    .unwrap()
}

#[test]
fn a_sample_says_what_was_sent_and_what_came_back() {
    let mut log = floodgate_records::failure::FailureLog::new();
    assert!(log.add(sample()));
    log.left_out = 3;
    insta::assert_snapshot!(failures(&log, Style::PLAIN));
    log.first.push(sample());
    let text = first_exchanges(&log, Style::PLAIN);
    assert!(
        text.starts_with("✗ checkout  503") && !text.contains('\u{1b}'),
        "{text}"
    );
}

#[test]
fn many_names_are_summed_up() {
    let (e, mut s) = passed();
    let one = s.requests[1].clone();
    s.requests
        .extend((0..40).map(|n| floodgate_records::summary::RequestSummary {
            name: format!("page {n}"),
            count: 1,
            responses: 1,
            outcomes: [("200".to_owned(), 1)].into(),
            ..one.clone()
        }));
    let text = summary(&e, &s, Style::PLAIN);
    let line = text
        .lines()
        .find(|line| line.contains("more names"))
        .unwrap();
    assert!(
        line.contains("22 more names") && line.contains("200 ×22"),
        "{line}"
    );
}

/// Whoever sets a limit stands below the generators, once; of the machine's own size there is nothing to say.
#[test]
fn limits_that_are_none_of_the_machines_are_told() {
    use floodgate_records::manifest::LimitSource::{Cgroup, Machine, TaskMetadata};
    let (e, mut s) = passed();
    let shown = |s: &_| summary(&e, s, Style::PLAIN);
    assert!(!shown(&s).contains("limits:"));
    for g in &mut s.generators {
        (g.limits.cpus, g.limits.cpus_from) = (0.25, Some(TaskMetadata));
        (g.limits.memory_bytes, g.limits.memory_from) = (Some(512 << 20), Some(Cgroup));
    }
    let text = shown(&s);
    let line = text.lines().filter(|line| line.contains("limits:"));
    let line: Vec<_> = line.collect();
    assert_eq!(line.len(), 1, "{text}");
    let both = line[0].contains("0.25 CPU by the task's metadata")
        && line[0].contains("of memory by its cgroup");
    assert!(both, "{text}");
    s.generators[0].limits.memory_from = Some(Machine);
    assert!(shown(&s).contains("limits: 0.25 CPU by the task's metadata\n"));
}

#[test]
fn a_narrow_terminal() {
    let (e, s) = failed();
    insta::assert_snapshot!(summary(&e, &s, NARROW));
}

#[test]
fn words_of_a_newer_version_are_shown() {
    let (mut e, mut s) = in_the_cloud();
    e.engine = Word::of("wrk");
    e.trigger.kind = Word::of("chatbot");
    e.infrastructure.kind = Word::of("edge");
    e.infrastructure.architecture = Word::of("riscv64");
    s.infrastructure = e.infrastructure.clone();
    s.generators[0].outcome = Word::of("hibernated");
    s.connections.tls_resumption = [Word::of("per-task")].into();
    let cost = e.cost.as_mut().unwrap();
    (cost.items[0].what, cost.items[0].usd) = (Word::of("s3 vectors"), 9.0);
    s.cost = e.cost.clone();
    let text = summary(&e, &s, Style::PLAIN);
    for word in ["hibernated", "sessions: per-task", "s3 vectors"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(runs(std::slice::from_ref(&e), Style::PLAIN).contains(&e.id));
    assert!(junit(&e, &s).unwrap().contains("\"wrk\""));
    let text = json(&s).unwrap();
    let read: floodgate_records::summary::Summary = serde_json::from_str(&text).unwrap();
    assert_eq!(read, s);
    let value = serde_json::from_str(&text).unwrap();
    assert!(jsonschema::draft202012::is_valid(
        &schema::summary(),
        &value
    ));
}

#[test]
fn the_list_of_runs() {
    let mut list: Vec<_> = [failed(), passed(), inconclusive(), nothing()]
        .into_iter()
        .map(|(e, _)| e)
        .collect();
    list[0].status = Status::Running;
    (list[0].ended_ms, list[0].applied) = (None, None);
    insta::assert_snapshot!(runs(&list, Style::PLAIN));
    assert!(runs(&[], Style::PLAIN).contains("floodgate run FILE"));
}

#[test]
fn junit_of_a_failure() {
    let (e, s) = failed();
    insta::assert_snapshot!(junit(&e, &s).unwrap());
}

#[test]
fn junit_tells_what_every_run_must_hold_from_what_its_definition_asks() {
    let (mut e, s) = failed();
    e.thresholds.truncate(1);
    e.thresholds[0].implicit = true;
    let xml = junit(&e, &s).unwrap();
    assert!(xml.contains("classname=\"implicit\""), "{xml}");
    assert!(!xml.contains("classname=\"threshold\""), "{xml}");
}

#[test]
fn junit_never_shows_a_pass_that_is_none() {
    let counts = |(e, s): example::Run| {
        let xml = junit(&e, &s).unwrap();
        let head = xml
            .lines()
            .find(|l| l.contains("<testsuites"))
            .unwrap()
            .to_owned();
        let of = |name: &str| {
            let from = head.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
            head[from..]
                .split('"')
                .next()
                .unwrap()
                .parse::<u32>()
                .unwrap()
        };
        (
            of("tests"),
            of("failures"),
            of("errors"),
            xml.matches("<skipped").count(),
        )
    };
    assert_eq!(counts(passed()), (6, 0, 0, 0));
    assert_eq!(counts(failed()), (6, 3, 0, 0));
    assert_eq!(counts(inconclusive()), (5, 0, 2, 0));
    assert_eq!(counts(nothing()), (1, 0, 1, 0));
    assert_eq!(counts(first_run()), (6, 0, 0, 1));
}

#[test]
fn json_is_of_the_published_schema() {
    let schema = schema::summary();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for (_, s) in [passed(), failed(), inconclusive(), nothing(), first_run()] {
        let text = json(&s).unwrap();
        assert!(text.ends_with("}\n"));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&value)
            .map(|e| format!("{e} at {}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}
