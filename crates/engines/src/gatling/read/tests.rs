mod damaged;

use super::super::assertion::{Condition, Path, Requests, Stat, Target};
use super::super::inspect;
use super::*;
use crate::collector::Settings;
use floodgate_core::histogram::Histogram;
use floodgate_core::shard::Row;
use floodgate_records::metric::{MetricKind, Tags};
use proptest::prelude::*;
use std::collections::BTreeMap;

const TEXT: &[u8] = include_bytes!("../../../fixtures/gatling/text/simulation.log");
const BINARY: &[u8] = include_bytes!("../../../fixtures/gatling/binary/simulation.log");
const STATS: &str = include_str!("../../../fixtures/gatling/text/stats.json");

fn collector() -> Collector {
    Collector::new(Settings {
        origin_ms: 1_795_330_000_000,
        max_series: 1_000,
        folding: Default::default(),
        tags: Tags::new(),
    })
}

/// Reads pieces, and gives back the rows and the warnings.
fn read(pieces: &[&[u8]]) -> Result<(Vec<Row>, Vec<String>), ReadError> {
    let (mut reader, mut into, mut rows) = (LogReader::default(), collector(), Vec::new());
    for piece in pieces {
        reader.push(piece, &mut into)?;
    }
    let warnings = reader.finish(&mut into)?;
    into.finish(&mut rows);
    Ok((rows, warnings))
}

/// Count and sum by series.
fn sums(rows: &[Row]) -> BTreeMap<String, (u64, f64)> {
    let mut sums = BTreeMap::new();
    for row in rows {
        let sum: &mut (u64, f64) = sums.entry(row.key.to_string()).or_default();
        sum.0 += row.count;
        sum.1 += row.sum;
    }
    sums
}

/// The distribution of a trend over all series for which `of` holds.
fn distribution(rows: &[Row], metric: &str, of: impl Fn(&Tags) -> bool) -> Histogram {
    let mut all = floodgate_core::merge::Aggregate::new(MetricKind::Trend);
    for row in rows {
        if row.key.metric == metric && of(&row.key.tags) {
            all.add_row(row, floodgate_core::merge::Along::Time)
                .unwrap();
        }
    }
    all.histogram.unwrap_or_default()
}

/// A request as the test reads it, by other means than the reader.
#[derive(Debug)]
struct Raw {
    groups: Vec<String>,
    name: String,
    took_ms: i64,
    ok: bool,
}

fn raw_text(text: &[u8]) -> Vec<Raw> {
    let text = std::str::from_utf8(text).unwrap();
    let requests = text
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    requests
        .filter(|fields| fields[0] == "REQUEST")
        .map(|fields| Raw {
            groups: fields[1]
                .split(',')
                .filter(|g| !g.is_empty())
                .map(str::to_owned)
                .collect(),
            name: fields[2].to_owned(),
            took_ms: fields[4].parse::<i64>().unwrap() - fields[3].parse::<i64>().unwrap(),
            ok: fields[5] == "OK",
        })
        .collect()
}

/// Gatling's `LogFileParser`, line by line.
fn raw_binary(bytes: &[u8]) -> Vec<Raw> {
    struct In<'a>(&'a [u8], BTreeMap<i32, String>);
    impl In<'_> {
        fn take(&mut self, n: usize) -> Vec<u8> {
            let (taken, rest) = self.0.split_at(n);
            self.0 = rest;
            taken.to_vec()
        }
        fn int(&mut self) -> i32 {
            i32::from_be_bytes(self.take(4).try_into().unwrap())
        }
        fn string(&mut self) -> String {
            let length = self.int() as usize;
            if length == 0 {
                return String::new();
            }
            let value = self.take(length);
            match self.take(1)[0] {
                0 => value.iter().map(|&b| b as char).collect(),
                _ => String::from_utf16(
                    &value
                        .chunks(2)
                        .map(|b| u16::from_le_bytes([b[0], b[1]]))
                        .collect::<Vec<_>>(),
                )
                .unwrap(),
            }
        }
        fn cached(&mut self) -> String {
            let index = self.int();
            if index < 0 {
                return self.1[&-index].clone();
            }
            let string = self.string();
            self.1.insert(index, string.clone());
            string
        }
        fn groups(&mut self) -> Vec<String> {
            (0..self.int()).map(|_| self.cached()).collect()
        }
    }
    let (mut input, mut found) = (In(bytes, BTreeMap::new()), Vec::new());
    while !input.0.is_empty() {
        match input.take(1)[0] {
            0 => {
                let _ = (
                    input.string(),
                    input.string(),
                    input.take(8),
                    input.string(),
                );
                (0..input.int()).for_each(|_| drop(input.string()));
                for _ in 0..input.int() {
                    let length = input.int() as usize;
                    input.take(length);
                }
            }
            1 => {
                let (groups, name) = (input.groups(), input.cached());
                let (start, end) = (input.int(), input.int());
                let ok = input.take(1)[0] != 0;
                input.cached();
                found.push(Raw {
                    groups,
                    name,
                    took_ms: i64::from(end - start),
                    ok,
                });
            }
            2 => drop(input.take(9)),
            3 => {
                input.groups();
                input.take(13);
            }
            kind => panic!("{kind}"),
        }
    }
    found
}

/// Nearest rank, as the histogram has it.
fn percentile(sorted: &[i64], q: f64) -> f64 {
    let rank = (q * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted[rank - 1] as f64
}

/// The reader's series against the raw requests: counts, sums, percentiles.
fn agrees(rows: &[Row], raw: &[Raw]) {
    let sums = sums(rows);
    let of_metric = |metric: &str| -> (u64, f64) {
        let all = sums
            .iter()
            .filter(|(key, _)| key.split('{').next() == Some(metric));
        all.fold((0, 0.0), |a, (_, b)| (a.0 + b.0, a.1 + b.1))
    };
    assert_eq!(of_metric("http_reqs").1, raw.len() as f64);
    let failed = raw.iter().filter(|r| !r.ok).count();
    assert_eq!(
        of_metric("http_req_failed"),
        (raw.len() as u64, failed as f64)
    );
    assert_eq!(
        of_metric("checks"),
        (raw.len() as u64, (raw.len() - failed) as f64)
    );
    let mut places: Vec<(String, String)> = Vec::new();
    for request in raw {
        let group: String = request.groups.iter().flat_map(|g| ["::", g]).collect();
        places.push((group, request.name.clone()));
    }
    places.sort_unstable();
    places.dedup();
    assert!(places.len() >= 4, "{places:?}");
    for (group, name) in places {
        let own = |tags: &Tags| {
            tags.get("name") == Some(&*name) && tags.get("group").unwrap_or_default() == group
        };
        let histogram = distribution(rows, "http_req_duration", own);
        let mut took: Vec<i64> = raw
            .iter()
            .filter(|r| {
                r.name == name
                    && r.groups.iter().flat_map(|g| ["::", g]).collect::<String>() == group
            })
            .map(|r| r.took_ms)
            .collect();
        took.sort_unstable();
        assert_eq!(histogram.count(), took.len() as u64, "{group} {name}");
        assert_eq!(
            histogram.exact().sum,
            took.iter().map(|ms| *ms as u64 * 1_000).sum::<u64>()
        );
        for q in [0.5, 0.9, 0.95, 0.99, 1.0] {
            let (ours, theirs) = (histogram.quantile(q) as f64 / 1_000.0, percentile(&took, q));
            // 0.1 % and Gatling's resolution.
            assert!(
                (ours - theirs).abs() <= theirs * 0.001 + 1.0,
                "{name} {q}: {ours} {theirs}"
            );
        }
    }
}

#[test]
fn series_hold_exactly_what_the_text_log_does() {
    let (rows, _) = read(&[TEXT]).unwrap();
    agrees(&rows, &raw_text(TEXT));
}

#[test]
fn series_hold_exactly_what_the_binary_log_does() {
    let (rows, _) = read(&[BINARY]).unwrap();
    agrees(&rows, &raw_binary(BINARY));
}

/// Gatling's own report of the run.
#[test]
fn figures_are_those_of_gatlings_report() {
    let stats: serde_json::Value = serde_json::from_str(STATS).unwrap();
    let (rows, _) = read(&[TEXT]).unwrap();
    let all = distribution(&rows, "http_req_duration", |_| true);
    let stats = &stats["stats"];
    let ms = |us: u64| us / 1_000;
    assert_eq!(stats["numberOfRequests"]["total"], all.count());
    assert_eq!(stats["minResponseTime"]["total"], ms(all.exact().min));
    assert_eq!(stats["maxResponseTime"]["total"], ms(all.exact().max));
    let mean = all.exact().sum as f64 / all.count() as f64 / 1_000.0;
    assert!((stats["meanResponseTime"]["total"].as_f64().unwrap() - mean).abs() <= 0.5);
    let failed: f64 = sums(&rows)
        .iter()
        .filter(|(key, _)| key.starts_with("http_req_failed"))
        .map(|(_, sum)| sum.1)
        .sum();
    assert_eq!(stats["numberOfRequests"]["ko"], failed as u64);
}

#[test]
fn both_layouts_make_the_same_series() {
    // A comma parts groups in text logs: there Gatling writes a blank instead.
    let names = |log| {
        let (rows, _) = read(&[log]).unwrap();
        let keys = sums(&rows).into_keys();
        keys.map(|key| key.replace("détails, 2", "détails  2"))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(TEXT), names(BINARY));
    let keys = names(BINARY);
    for expected in [
        "http_reqs{expected_response:true,name:home}",
        "http_req_duration{expected_response:true,group:::shop,name:search}",
        "http_req_duration{expected_response:false,group:::shop::détails  2,name:item €,status:200}",
        "http_req_failed{error_code:connection_refused,expected_response:false,name:nowhere}",
        "checks{check:all of the request,name:home}",
        "group_duration{group:::shop::détails  2}",
        "iterations{scenario:browse}",
        "vus",
    ] {
        assert!(
            keys.iter().any(|key| key == expected),
            "{expected} in {keys:#?}"
        );
    }
}

#[test]
fn users_are_iterations_and_their_number_at_a_time() {
    for log in [TEXT, BINARY] {
        let (rows, warnings) = read(&[log]).unwrap();
        let sums = sums(&rows);
        assert_eq!(sums["iterations{scenario:lost}"], (3, 3.0));
        assert!(sums["iterations{scenario:browse}"].1 > 80.0);
        let vus: Vec<&Row> = rows.iter().filter(|row| row.key.metric == "vus").collect();
        assert_eq!(vus.last().unwrap().sum, 0.0, "all have ended");
        assert!(vus.iter().all(|row| row.min >= 0.0));
        assert!(vus[0].max >= 7.0, "seven start at once");
        let seconds = vus.last().unwrap().time_ms - vus[0].time_ms;
        assert_eq!(
            vus.len() as i64,
            seconds / 1_000 + 1,
            "each second has a sample"
        );
        assert!(
            warnings[0].contains("requests failed: status.find.is(418), "),
            "{warnings:?}"
        );
    }
}

#[test]
fn assertions_are_the_same_from_either_log_and_from_the_simulation() {
    let mut found = Vec::new();
    for log in [TEXT, BINARY] {
        let mut reader = LogReader::default();
        reader.push(log, &mut collector()).unwrap();
        assert_eq!(reader.simulation(), "shop.Checkout");
        assert_eq!(reader.requests().len(), 4);
        found.push(reader.assertions().to_vec());
    }
    assert_eq!(found[0], found[1]);
    assert_eq!(found[0].len(), 8);
    assert_eq!(found[0][0].path, Path::Global);
    assert_eq!(found[0][0].target, Target::Time(Stat::Percentile(95.0)));
    assert_eq!(found[0][0].condition, Condition::Lt(800.0));
    assert_eq!(
        found[0][7].path,
        Path::Details(vec!["shop".into(), "search".into()])
    );
    assert_eq!(found[0][7].target, Target::Percent(Requests::Failed));

    let described = include_bytes!("../../../fixtures/gatling/binary/describe.json");
    let inspection = inspect("sim.jar", described).unwrap();
    assert_eq!(
        inspection.thresholds,
        super::super::thresholds(&found[0], &[]).0
    );
}

/// The layout of 3.0 to 3.3 (`LogFileDataWriter` of 3.3.1), with the users' ids: there the log says how long an iteration took.
#[test]
fn early_logs_have_users() {
    let log = "RUN\tshop.Buy\tbuy\t1795330000100\t \t3.3.1\n\
        USER\tbuy\t1\tSTART\t1795330000200\t1795330000200\n\
        REQUEST\t1\tcart,pay\thome\t1795330000210\t1795330000260\tOK\t \n\
        GROUP\t1\tcart,pay\t1795330000205\t1795330000300\t50\tOK\n\
        REQUEST\t1\t\thome\t1795330000310\t1795330000330\tKO\tj.i.IOException: Premature close\n\
        ERROR\tsearch: No attribute named 'q' is defined \t1795330000340\n\
        USER\tbuy\t1\tEND\t1795330000200\t1795330000400\n";
    let (rows, warnings) = read(&[log.as_bytes()]).unwrap();
    let sums = sums(&rows);
    assert_eq!(sums["iteration_duration{scenario:buy}"], (1, 200_000.0));
    assert_eq!(sums["group_duration{group:::cart::pay}"], (1, 95_000.0));
    assert_eq!(
        sums["http_req_duration{expected_response:true,group:::cart::pay,name:home}"],
        (1, 50_000.0)
    );
    let failed =
        "http_req_duration{error_code:connection_closed,expected_response:false,name:home}";
    assert_eq!(sums[failed], (1, 20_000.0));
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].starts_with("1 requests could not be built"),
        "{warnings:?}"
    );
}

#[test]
fn a_threshold_on_failures_has_data_when_none_failed() {
    let log = "RUN\ta\tb\t1\t \t3.12.0\nREQUEST\t\thome\t1795330000310\t1795330000330\tOK\t \n";
    let (rows, _) = read(&[log.as_bytes()]).unwrap();
    assert_eq!(
        sums(&rows)["http_reqs{expected_response:false,name:home}"],
        (1, 0.0)
    );
}

#[test]
fn failures_are_sampled_with_gatlings_words() {
    for log in [TEXT, BINARY] {
        let (mut reader, mut into) = (LogReader::default(), collector());
        for piece in log.chunks(1_000) {
            reader.push(piece, &mut into).unwrap();
        }
        let (samples, left_out) = into.take_failures();
        assert_eq!(left_out, 0);
        let refused: Vec<_> = samples.iter().filter(|s| s.name == "nowhere").collect();
        assert!((1..=10).contains(&refused.len()));
        assert_eq!(refused[0].error.as_deref(), Some("connection_refused"));
        assert!(
            refused[0]
                .message
                .as_ref()
                .unwrap()
                .contains("ConnectException")
        );
        let status = samples.iter().find(|s| s.status == Some(200)).unwrap();
        assert_eq!(status.checks, ["status.find.is(418)"]);
        assert!(status.times["http_req_duration"] > 0.0 && status.at_ms > 1_795_330_000_000);
    }
}
