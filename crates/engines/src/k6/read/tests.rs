mod failures;
mod recordings;

use super::*;
use crate::collector::Settings;
use crate::{Collector, ReadError};
use floodgate_core::shard::Row;
use floodgate_records::metric::{Builtin, Tags};
use proptest::prelude::*;

const ORIGIN: i64 = 1_795_328_804_000;

fn collector() -> Collector {
    Collector::new(Settings {
        origin_ms: ORIGIN,
        max_series: 2_000,
        folding: Default::default(),
        tags: Tags::new(),
    })
}

/// Everything, as rows without their times: `metric{tags} count sum`.
fn shown(into: &mut Collector) -> Vec<String> {
    let mut rows: Vec<Row> = Vec::new();
    into.finish(&mut rows);
    let mut sums = BTreeMap::new();
    for row in rows {
        let (count, sum) = sums.entry(row.key.to_string()).or_insert((0, 0.0));
        *count += row.count;
        *sum += row.sum;
    }
    let line = |(key, (count, sum)): (String, (u64, f64))| format!("{key} {count} {sum}");
    sums.into_iter().map(line).collect()
}

fn read(
    reader: &mut dyn Reader,
    text: &[u8],
    step: usize,
) -> Result<(Vec<String>, Vec<String>), ReadError> {
    let mut into = collector();
    for piece in text.chunks(step.max(1)) {
        reader.push(piece, &mut into)?;
    }
    let warnings = reader.finish(&mut into)?;
    Ok((shown(&mut into), warnings))
}

fn json(text: &str) -> Result<(Vec<String>, Vec<String>), ReadError> {
    read(&mut JsonReader::new(), text.as_bytes(), usize::MAX)
}

const METRIC: &str = r#"{"type":"Metric","data":{"name":"orders","type":"counter","contains":"default","thresholds":[],"submetrics":null},"metric":"orders"}"#;

fn point(metric: &str, value: &str, tags: &str) -> String {
    format!(
        r#"{{"metric":"{metric}","type":"Point","data":{{"time":"2026-11-22T06:26:44.438038069Z","value":{value},"tags":{tags}}}}}"#
    )
}

#[test]
fn samples_of_all_shapes_count_alike() {
    let quick = point(
        "orders",
        "2",
        r#"{"group":"","scenario":"a \u003cb\u003e \"c\""}"#,
    );
    let spaced = quick.replace(":{", ": {");
    let reordered = r#"{"data":{"tags":{"scenario":"a <b> \"c\""},"value":2.0,"time":"2026-11-22T07:26:44.438+01:00"},"type":"Point","metric":"orders"}"#;
    let metadata = quick.replace("}}}", r#"},"metadata":{"vu":"1"}}}"#);
    let (rows, warnings) = json(&format!(
        "{METRIC}\n{quick}\r\n{spaced}\n\n{reordered}\n{metadata}"
    ))
    .unwrap();
    assert_eq!(rows, [r#"orders{scenario:a <b> "c"} 4 8"#]);
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn tags_may_be_missing_and_a_later_kind_of_line_is_passed_over() {
    let text = format!(
        "{METRIC}\n{}\n{}\n",
        point("orders", "1e0", "null"),
        r#"{"metric":"x","type":"Event","data":{}}"#
    );
    assert_eq!(json(&text).unwrap().0, ["orders 1 1"]);
}

#[test]
fn faults_name_line_value_and_remedy() {
    let fault = |text: &str| json(text).unwrap_err().to_string();
    let found_by = json("{\n").unwrap_err();
    let found_by = std::error::Error::source(&found_by).unwrap();
    assert!(found_by.is::<serde_json::Error>(), "{found_by}");
    let early = fault(&point("orders", "1", "{}"));
    assert!(
        early.contains("orders before the line that says its type"),
        "{early}"
    );
    let wrong = fault(&format!("{METRIC}\nnot json\n"));
    assert!(
        wrong.starts_with("line 2: ") && wrong.contains("not json") && wrong.contains("--out json"),
        "{wrong}"
    );
    let time = fault(&format!(
        "{METRIC}\n{}\n",
        point("orders", "1", "{}").replace("2026-11", "soon")
    ));
    assert!(
        time.contains("\"soon-22T06:26:44.438038069Z\" of a sample of orders"),
        "{time}"
    );
    let kind = fault(&METRIC.replace("counter", "histogram"));
    assert!(
        kind.contains("\"histogram\"") && kind.contains("trend"),
        "{kind}"
    );
    let changed = fault(&format!(
        "{METRIC}\n{}\n",
        METRIC.replace("counter", "rate")
    ));
    assert!(
        changed.contains("orders is a rate, and was a counter"),
        "{changed}"
    );
    let own = fault(
        &METRIC
            .replace("orders", "http_reqs")
            .replace("counter", "trend"),
    );
    assert!(
        own.contains("http_reqs is a trend here, not a counter"),
        "{own}"
    );
    let tags = fault(&format!(
        "{METRIC}\n{}\n",
        point("orders", "1", r#"{"a":1}"#)
    ));
    assert!(tags.starts_with("line 2: invalid type"), "{tags}");
}

/// What is not a number, or negative where that is damage, is named with its line: taken for zero it would pass.
#[test]
fn values_that_no_sample_has_are_named_with_their_line() {
    let define = |name: &str, kind: &str| METRIC.replace("orders", name).replace("counter", kind);
    let head = [
        METRIC.to_owned(),
        define("http_req_duration", "trend"),
        define("http_req_failed", "rate"),
        define("basket", "trend"),
        define("temperature", "gauge"),
    ]
    .join("\n");
    let fault = |metric: &str, value: &str| {
        let text = format!("{head}\n{}\n", point(metric, value, "{}"));
        let error = json(&text).err().map(|error| error.to_string());
        let csv =
            format!("metric_name,timestamp,metric_value,group\n{metric},1795328804,{value},\n");
        let csv = read(&mut CsvReader::new(BTreeMap::new()), csv.as_bytes(), 64);
        (error, csv.err().map(|error| error.to_string()))
    };
    for (metric, value) in [
        ("orders", "NaN"),
        ("orders", "1e999"),
        ("http_req_duration", "-1e999"),
        ("http_req_duration", "-5"),
        ("http_req_failed", "-5"),
        ("basket", "-0.5"),
        ("orders", "1e101"),
    ] {
        let (json, csv) = fault(metric, value);
        assert!(
            json.is_some_and(|e| e.starts_with("line 6: ")),
            "{metric} {value}"
        );
        assert!(
            csv.is_some_and(|e| e.starts_with("line 2: ")),
            "{metric} {value}"
        );
    }
    let early = format!(
        "{head}\n{}\n",
        point("orders", "1", "{}").replace("2026-", "9999-")
    );
    let error = json(&early).unwrap_err().to_string();
    assert!(error.starts_with("line 6: the time \"9999-"), "{error}");
    let (json, _) = fault("http_req_duration", "-5");
    assert!(
        json.unwrap()
            .contains("a sample of http_req_duration is -5")
    );
    assert_eq!(fault("orders", "-5").0, None, "a counter of a script's own");
    assert_eq!(fault("temperature", "-5").0, None);
}

/// k6 goes on with what a script gives a trend; that it counts as zero is said.
#[test]
fn a_negative_value_of_a_run_is_a_warning() {
    let text = format!(
        "{}\n{}\n",
        METRIC.replace("counter", "trend"),
        point("orders", "-5", "{}")
    );
    let (rows, warnings) = read(&mut JsonReader::of_run(&[]), text.as_bytes(), 64).unwrap();
    assert_eq!(rows, ["orders 1 0"]);
    assert!(
        warnings[0].starts_with("1 negative values of trends count as 0, first of orders"),
        "{warnings:?}"
    );
}

#[test]
fn half_a_line_at_the_end_is_what_a_killed_k6_leaves() {
    let whole = point("orders", "1", "{}");
    let (rows, warnings) = json(&format!("{METRIC}\n{whole}\n{}", &whole[..60])).unwrap();
    assert_eq!(rows, ["orders 1 1"]);
    assert!(
        warnings[0].contains("in the middle of a line"),
        "{warnings:?}"
    );
}

#[test]
fn csv_has_quotes_extra_tags_and_guessed_types() {
    let text = "metric_name,timestamp,metric_value,error,error_code,group,name,scenario,url,extra_tags,metadata\n\
        http_reqs,1795328804,1.000000,,,::front,home,a,http://x/,team=shop&build=4=2,vu=1\n\
        http_reqs,1795328805,1.000000,\"dial: \"\"x\"\",\nrefused\",1212,,\"a, b\",a,\"a, b\",,\n\
        basket,1795328804,12.500000,,,,,a,,,\n\
        queue,1795328804,7.000000,,,,,a,,,\n";
    let kinds = BTreeMap::from([(
        "queue".to_owned(),
        floodgate_records::metric::MetricKind::Gauge,
    )]);
    for step in [1, 7, 4_096] {
        let (rows, warnings) =
            read(&mut CsvReader::new(kinds.clone()), text.as_bytes(), step).unwrap();
        assert_eq!(
            rows,
            [
                "basket{scenario:a} 1 12500",
                "http_reqs{build:4=2,group:::front,name:home,scenario:a,team:shop} 1 1",
                "http_reqs{error_code:connection_refused,name:a, b,scenario:a} 1 1",
                "queue{scenario:a} 1 7",
            ]
        );
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(
            warnings[0].contains("whole seconds") && warnings[1].ends_with(": basket"),
            "{warnings:?}"
        );
    }
    let fault = |text: &str| {
        read(&mut CsvReader::new(BTreeMap::new()), text.as_bytes(), 4_096)
            .unwrap_err()
            .to_string()
    };
    assert!(fault("a,b\n").starts_with("line 1: \"a,b\" is not the header"));
    let header = "metric_name,timestamp,metric_value,group,extra_tags,metadata\n";
    assert_eq!(
        fault(&format!("{header}vus,1795328804,1,a\n")),
        "line 2: 4 fields where the header has 6"
    );
    assert!(fault(&format!("{header}vus,later,1,,,\n")).contains("is not a line of k6's CSV"));
}

#[test]
fn a_last_line_of_csv_without_a_break_counts_if_it_is_whole() {
    let header = "metric_name,timestamp,metric_value,group,extra_tags,metadata\n";
    for (line, counted) in [
        ("http_reqs,1795328804,1,a,,", true),
        ("http_reqs,1795328804,1,a,", false),
        ("http_reqs,1795328804,1,a,\"x,", false),
        ("http_reqs,17953", false),
    ] {
        let text = format!("{header}http_reqs,1795328804,1,a,,\n{line}");
        let (rows, warnings) =
            read(&mut CsvReader::new(BTreeMap::new()), text.as_bytes(), 9).unwrap();
        let expected = format!("http_reqs{{group:a}} {0} {0}", 1 + u8::from(counted));
        assert_eq!(rows, [expected], "{line}");
        let cut = warnings
            .iter()
            .any(|w| w.contains("in the middle of a line"));
        assert_eq!(cut, !counted, "{line}");
    }
}

#[test]
fn files_are_told_apart_by_their_beginning() {
    assert!(import(METRIC.as_bytes()).is_some());
    assert!(import(b"metric_name,timestamp,metric_value,check\n").is_some());
    assert!(import(b"timeStamp,elapsed,label\n").is_none());
    assert!(import(b"{\"a\":1}\n").is_none());
    assert!(import(b"").is_none());
}

proptest! {
    /// Whatever a value and tags are, both ways read the same.
    #[test]
    fn both_ways_read_the_same(value in (-1_000_000_000_000_000i64..1_000_000_000_000_000).prop_map(|nanos| nanos as f64 / 1e6), tags in prop::collection::btree_map("[a-z_]{1,6}", "\\PC{0,8}", 0..5)) {
        let tags = serde_json::to_string(&tags).unwrap();
        let quick = format!("{METRIC}\n{}\n", point("orders", &value.to_string(), &tags));
        let slow = quick.replace("\"value\":", "\"value\": ");
        prop_assert_eq!(json(&quick).unwrap(), json(&slow).unwrap());
    }

    #[test]
    fn rubbish_is_an_error_or_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..400) {
        let mut text = format!("{METRIC}\n{}\n", point("orders", "1", "{}")).into_bytes();
        let at = at.min(text.len());
        text.splice(at..at, bytes);
        let _ = read(&mut JsonReader::new(), &text, 64);
        let _ = read(&mut CsvReader::new(BTreeMap::new()), &text, 64);
    }
}
