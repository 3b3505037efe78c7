//! The page: what is in it, how large it is, and that no text leaves its place.

use super::answers::{capacity, regressed, soak};
use super::drawn::figures;
use super::example::{Run, failed, in_the_cloud, inconclusive, nothing, passed};
use super::hostile::{poisoned, poisoned_with};
use super::*;
use floodgate_records::execution::Execution;
use floodgate_records::figures::Figures;
use floodgate_records::printable::shows;
use floodgate_records::summary::{RequestSummary, Summary};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Instant;

/// The largest page in bytes.
const MAX_BYTES: usize = 1_500_000;
/// Ends a script, begins one, makes an image that does something, leaves an attribute.
const MARKUP: &str = "</script><script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">\"'><!--";

fn page((e, s): &Run) -> String {
    html(e, s, &figures(s, s.duration_s as u32 + 1)).unwrap()
}

/// The page without what is the same in all of them.
fn body(page: &str) -> &str {
    let from = page.find("<body>").unwrap();
    &page[from..page.find("<script type=\"application/json\"").unwrap()]
}

#[test]
fn the_same_data_gives_the_same_bytes() {
    assert!(page(&passed()) == page(&passed()));
}

#[test]
fn a_run_of_which_nothing_came_has_a_page() {
    let (e, s) = nothing();
    let empty = Figures {
        execution: s.execution.clone(),
        ..Figures::default()
    };
    insta::assert_snapshot!(body(&html(&e, &s, &empty).unwrap()));
}

#[test]
fn sections_stand_in_their_order() {
    let (e, mut s) = regressed();
    s.capacity = Some(capacity());
    s.warnings = vec!["something is to be known".into()];
    let page = page(&(e, s));
    let ids = [
        "thresholds",
        "baseline",
        "capacity",
        "load",
        "latency",
        "errors",
        "generators",
        "heat",
        "distribution",
        "requests",
        "groups",
        "checks",
        "custom",
        "tasks",
        "warnings",
        "ran",
    ];
    let places: Vec<_> = ids
        .map(|id| page.find(&format!("<section id=\"{id}\"")).expect(id))
        .into();
    assert!(places.is_sorted(), "{places:?}");
    assert!(page.contains("class=\"interval\""));
}

#[test]
fn the_course_of_a_run_of_hours_is_on_its_page() {
    let page = page(&soak());
    let from = page.find("<section id=\"drift\"").unwrap();
    let to = page.find("<section id=\"load\"").unwrap();
    insta::assert_snapshot!(page[from..to]);
}

#[test]
fn a_heat_map_says_what_it_counts() {
    let (e, s) = passed();
    let mut drawn = figures(&s, 94);
    let counts = |drawn: &Figures, what: &str| {
        let page = html(&e, &s, drawn).unwrap();
        body(&page).contains(&format!("How many {what} took how long"))
    };
    assert!(counts(&drawn, "requests"));
    drawn.heat.as_mut().unwrap().metric = "iteration_duration".into();
    assert!(counts(&drawn, "iterations") && !counts(&drawn, "requests"));
}

/// A large shop: as many names as a summary has.
fn of_many_names(names: u64) -> Run {
    let (e, mut s) = passed();
    let one = s.requests[0].clone();
    let listed = names.min(RequestSummary::MAX_ROWS as u64);
    s.requests = (0..listed)
        .map(|n| RequestSummary {
            name: format!("GET /catalogue/department/{n}/items"),
            ..one.clone()
        })
        .collect();
    if names > listed {
        s.requests.push(RequestSummary {
            name: String::new(),
            names: names - listed,
            ..one
        });
    }
    (e, s)
}

#[test]
fn an_hour_and_a_day_stay_within_their_bounds() {
    for (names, seconds) in [(20, 3_600), (2_000, 86_400)] {
        let (e, s) = of_many_names(names);
        let drawn = figures(&s, seconds);
        let began = Instant::now();
        let page = html(&e, &s, &drawn).unwrap();
        println!(
            "{seconds} s, {names} names: {} bytes in {:?}",
            page.len(),
            began.elapsed()
        );
        assert!(page.len() < MAX_BYTES, "{} bytes", page.len());
        assert_eq!(page.contains("1,980 more"), names > 20, "{names}");
    }
}

#[test]
fn nothing_is_loaded_and_only_the_pages_own_script_may_run() {
    let page = page(&passed());
    let policy = page
        .split("Content-Security-Policy\" content=\"")
        .nth(1)
        .unwrap();
    let policy = policy.split('"').next().unwrap().replace("&#39;", "'");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'sha256-"),
        "{policy}"
    );
    assert!(
        !policy.contains("unsafe") && !policy.contains("http"),
        "{policy}"
    );
    for what in [
        " src=",
        "@import",
        "url(",
        "<link",
        "<iframe",
        "import ",
        " style=\"",
    ] {
        let own = body(&page).to_owned()
            + page
                .split("<style>")
                .nth(1)
                .unwrap()
                .split("</style>")
                .next()
                .unwrap();
        assert!(!own.contains(what), "{what}");
    }
    assert!(!page.contains("\nimport ") && !page.contains("\nexport "));
}

/// The modules become one script, in which each name has to be the only one.
#[test]
fn no_two_modules_declare_the_same_name() {
    let page = page(&passed());
    let script = page.rsplit("<script type=\"module\">").next().unwrap();
    let mut names: Vec<_> = script
        .lines()
        .filter_map(|line| {
            let rest = ["function ", "const ", "let ", "class "]
                .iter()
                .find_map(|word| line.strip_prefix(word))?;
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
        })
        .collect();
    assert!(names.len() > 40, "{names:?}");
    names.sort_unstable();
    let again: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(again.is_empty(), "{again:?}");
}

/// Every number by which a table can be sorted is one of the summary, or a share or a group that follows from it.
#[test]
fn figures_are_those_of_the_summary() {
    let (e, s) = failed();
    let drawn = figures(&s, 94);
    let page = html(&e, &s, &drawn).unwrap();
    let mut known = Vec::new();
    numbers(&serde_json::to_value(&s).unwrap(), &mut known);
    numbers(&serde_json::to_value(&drawn.groups).unwrap(), &mut known);
    let part = |a: u64, b: u64| a as f64 / b.max(1) as f64;
    known.extend(s.requests.iter().map(|r| part(r.failed, r.count)));
    known.extend(s.checks.iter().flat_map(|c| {
        [
            part(c.passes, c.passes + c.fails),
            (c.passes + c.fails) as f64,
        ]
    }));
    let shown: Vec<f64> = page
        .split("data-v=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect();
    assert!(shown.len() > 100, "{}", shown.len());
    for value in shown {
        assert!(
            known
                .iter()
                .any(|k| (k - value).abs() <= value.abs() * 1e-12),
            "{value}"
        );
    }
    for (head, aggregate) in [("p50", "med"), ("p95", "p(95)"), ("p99", "p(99)")] {
        let value = format::duration(s.metrics["http_req_response_time"].values[aggregate], 3);
        assert!(
            page.contains(&format!("<dt>{head}</dt><dd class=\"\">{value}</dd>")),
            "{head} {value}"
        );
    }
    assert!(page.contains(&format!(
        "<dd class=\"\">{}</dd>",
        format::count(s.applied.http_reqs)
    )));
}

fn numbers(value: &Value, all: &mut Vec<f64>) {
    match value {
        Value::Number(n) => all.extend(n.as_f64()),
        Value::Array(items) => items.iter().for_each(|item| numbers(item, all)),
        Value::Object(map) => map.values().for_each(|item| numbers(item, all)),
        _ => {}
    }
}

#[test]
fn no_text_leaves_its_place() {
    for (e, s) in [failed(), inconclusive(), in_the_cloud(), regressed()] {
        let drawn = figures(&s, 60);
        let (e, _): (Execution, _) = poisoned_with(&e, MARKUP);
        let (s, in_summary): (Summary, _) = poisoned_with(&s, MARKUP);
        let (drawn, in_figures): (Figures, _) = poisoned_with(&drawn, MARKUP);
        assert!(
            in_summary > 10 && in_figures > 3,
            "{in_summary} {in_figures}"
        );
        let page = html(&e, &s, &drawn).unwrap();
        assert!(page.contains("pwned"));
        assert!(!page.contains("<img") && !page.contains("<script>") && !page.contains("<!--"));
        assert_eq!(page.matches("</script>").count(), 2);
        let (e, _): (Execution, _) = poisoned(&e);
        let (s, _): (Summary, _) = poisoned(&s);
        let (drawn, _): (Figures, _) = poisoned(&drawn);
        let page = html(&e, &s, &drawn).unwrap();
        assert!(body(&page).chars().all(|c| shows(c) || c == '\n'));
    }
}

/// Writes pages, and texts of numbers, for the tests that look at them in a browser: `cargo xtask pages`.
#[test]
fn pages_for_the_browser() {
    let Some(folder) = std::env::var_os("FLOODGATE_PAGES").map(PathBuf::from) else {
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    write("passed.html", page(&in_the_cloud()));
    write("inconclusive.html", page(&inconclusive()));
    write("hours.html", page(&soak()));
    let (e, mut s) = regressed();
    s.capacity = Some(capacity());
    s.warnings = failed().1.warnings;
    write("failed.html", page(&(e, s)));
    let (e, s) = of_many_names(2_000);
    write("day.html", html(&e, &s, &figures(&s, 86_400)).unwrap());
    let (e, s) = nothing();
    write("nothing.html", html(&e, &s, &Figures::default()).unwrap());
    let (e, s) = failed();
    let drawn = figures(&s, 94);
    let (e, s, drawn) = (
        poisoned_with(&e, MARKUP).0,
        poisoned_with(&s, MARKUP).0,
        poisoned_with(&drawn, MARKUP).0,
    );
    // Of these the engine gives no name.
    let drawn = Figures {
        times: figures(&s, 94).times,
        ..drawn
    };
    write("hostile.html", html(&e, &s, &drawn).unwrap());
    write("numbers.json", texts().to_string());
}

/// Numbers with the texts that stand for them, for the script that has to give the same.
fn texts() -> Value {
    let mut values = vec![
        0.0, 0.5, 1.5, 2.5, 12.25, 12.35, 4.35, 0.125, 999.5, 999.6, 999.96, 1e3, 1e6, 0.05, 99.95,
        99.94,
    ];
    let mut value = 0.000_123_f64;
    while value < 1e13 {
        values.extend([value, value.round(), (value * 8.0).round() / 8.0]);
        value *= 1.37;
    }
    let all = values.iter().map(|v| {
        json!({
            "value": v, "digits": format::digits(*v, 3), "number": format::number(*v, 6), "duration": format::duration(*v, 3),
            "rate": format::rate(*v), "bytes": format::bytes(*v), "percent": format::percent(*v / 1e4),
        })
    });
    all.collect()
}
