//! Recordings of real runs.

use super::*;

fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/k6")
        .join(name);
    std::fs::read(&path).unwrap()
}

/// The JSON says which trends hold times; the CSV does not, but of k6's own it is known.
#[test]
fn trends_of_times_are_told_from_those_of_numbers() {
    for (name, expected) in [
        ("samples.json", &["group_duration", "rendering"][..]),
        ("samples-v1.json", &["group_duration", "rendering"]),
        ("samples.csv", &["group_duration"]),
    ] {
        let bytes = fixture(name);
        let mut into = collector();
        let mut reader = import(&bytes).unwrap();
        reader.push(&bytes, &mut into).unwrap();
        assert_eq!(into.durations(), expected, "{name}");
    }
}

/// The recordings of 2.x and 1.x hold what `record.js` does; the quick way and a JSON parser read the same from them.
#[test]
fn recordings_of_both_versions_hold_what_the_script_does() {
    for name in ["samples.json", "samples-v1.json"] {
        let bytes = fixture(name);
        let (rows, warnings) = read(&mut JsonReader::new(), &bytes, 4_096).unwrap();
        assert_eq!(warnings, [""; 0], "{name}");
        let has = |wanted: &str| {
            assert!(
                rows.iter().any(|row| row == wanted),
                "{name} has no {wanted}: {rows:#?}"
            );
        };
        let home = "build:42,expected_response:true,group:::front::home,method:GET,name:home,scenario:browse,status:200,team:shop";
        has(&format!("http_reqs{{{home}}} 6 6"));
        has(&format!("http_req_failed{{{home}}} 6 0"));
        has("orders{build:42,scenario:browse,team:shop} 6 12");
        has("basket_size{build:42,scenario:browse,team:shop} 6 75000");
        has("rendering{build:42,scenario:browse,team:shop} 6 19500");
        has("in_stock{build:42,scenario:browse,team:shop} 12 6");
        has(
            "checks{build:42,check:says <welcome>,group:::front::home,scenario:browse,team:shop} 6 6",
        );
        has("iterations{build:42,scenario:each} 4 4");
        assert!(
            rows.iter().any(|row| row.contains("name:${}/missing/${}")
                && row.contains("status:404")
                && !row.contains("error_code")),
            "{rows:#?}"
        );
        assert!(
            rows.iter().any(|row| row.starts_with("http_reqs")
                && row.contains("error_code:connection_refused")
                && row.contains("name:refused")
                && row.contains("status:0")),
            "{rows:#?}"
        );
        assert!(
            rows.iter()
                .any(|row| row.contains("name:kommt, \"später\"")),
            "{rows:#?}"
        );
        assert!(!rows.iter().any(|row| row.contains("proto:")
            || row.contains("url:")
            || row.contains("tls_version")));

        // Every line through the parser: what the quick way takes, it must take alike.
        let spaced = String::from_utf8(bytes)
            .unwrap()
            .replace("{\"metric\":", "{ \"metric\":");
        assert_eq!(
            read(&mut JsonReader::new(), spaced.as_bytes(), 1 << 20)
                .unwrap()
                .0,
            rows,
            "{name}"
        );
    }
}

#[test]
fn a_csv_recording_holds_the_same_series() {
    for (csv, json) in [
        ("samples.csv", "samples.json"),
        ("samples-v1.csv", "samples-v1.json"),
    ] {
        let kinds = [
            ("orders", "counter"),
            ("basket_size", "trend"),
            ("rendering", "trend"),
            ("in_stock", "rate"),
            ("queue_length", "gauge"),
        ];
        let kinds = kinds.map(|(name, kind)| {
            (
                name.to_owned(),
                floodgate_records::metric::MetricKind::parse(kind).unwrap(),
            )
        });
        let (rows, _) = read(&mut CsvReader::new(kinds.into()), &fixture(csv), 4_096).unwrap();
        let (expected, _) = read(&mut JsonReader::new(), &fixture(json), 4_096).unwrap();
        // The runs differ in where the target listened, in times and in how many arrivals found a VU.
        let stable = |rows: &[String]| -> Vec<String> {
            let keep =
                |row: &&String| !row.contains("127.0.0.1") && row.contains("scenario:browse");
            rows.iter()
                .filter(keep)
                .map(|row| row[..=row.rfind('}').unwrap()].to_owned())
                .collect()
        };
        assert_eq!(stable(&rows), stable(&expected), "{csv}");
        assert!(stable(&rows).len() > 10);
    }
}

#[test]
fn percentiles_equal_those_of_the_raw_values() {
    let bytes = fixture("samples.json");
    let mut into = collector();
    JsonReader::new().push(&bytes, &mut into).unwrap();
    let mut raw: Vec<f64> = Vec::new();
    for line in bytes
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let line: serde_json::Value = serde_json::from_slice(line).unwrap();
        if line["type"] == "Point" && line["metric"] == "http_req_duration" {
            raw.push(line["data"]["value"].as_f64().unwrap());
        }
    }
    raw.sort_by(f64::total_cmp);
    let mut all = floodgate_core::histogram::Histogram::new();
    let mut rows = Vec::new();
    into.finish(&mut rows);
    for row in rows
        .iter()
        .filter(|row| row.key.metric == Builtin::HttpReqDuration.name())
    {
        all.add_v2(row.histogram.as_ref().unwrap()).unwrap();
    }
    assert_eq!(all.count(), raw.len() as u64);
    for quantile in [0.5, 0.9, 0.95, 0.99, 1.0] {
        let rank = ((quantile * raw.len() as f64).ceil() as usize).max(1);
        let expected_us = raw[rank - 1] * 1_000.0;
        let ours = all.quantile(quantile) as f64;
        assert!(
            (ours - expected_us).abs() <= expected_us * 0.001 + 1.0,
            "{quantile}: {ours} µs, raw {expected_us} µs"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn cuts_change_nothing(step in 1usize..5_000) {
        let bytes = fixture("samples.json");
        let whole = read(&mut JsonReader::new(), &bytes, usize::MAX).unwrap();
        prop_assert_eq!(read(&mut JsonReader::new(), &bytes, step).unwrap(), whole);
    }
}
