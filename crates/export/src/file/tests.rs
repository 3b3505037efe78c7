use super::*;
use crate::schemes;
use crate::testing::{Nothing, key, row, run, trend};
use floodgate_core::histogram::Histogram;
use floodgate_records::metric::MetricKind;
use std::io::Read;

fn rows() -> Vec<Row> {
    let tags = [
        ("name", "GET /a, \"b\"\n"),
        ("status", "200"),
        ("check", "x=1"),
    ];
    vec![
        row(&key("http_reqs", MetricKind::Counter, &tags), 5_000, 3, 3.0),
        trend(
            &key("http_req_duration", MetricKind::Trend, &tags),
            5_000,
            10,
            [1_500, 250, 3_000_000],
        ),
        row(&key("vus", MetricKind::Gauge, &[]), 6_000, 1, 7.0),
    ]
}

/// What lies in the file after these batches.
async fn written(name: &str, batches: &[&[Row]]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name.split('?').next().unwrap());
    let url = format!("file:{}", folder.path().join(name).display());
    let target = schemes::parse(&url, &Nothing).unwrap();
    let mut sink = schemes::open(&target, &run()).unwrap();
    for batch in batches {
        assert_eq!(sink.push(batch).await.unwrap(), Accepted::ALL);
    }
    std::fs::read(path).unwrap()
}

async fn text(name: &str) -> String {
    let rows = rows();
    String::from_utf8(written(name, &[&rows[..2], &rows[2..]]).await).unwrap()
}

#[tokio::test]
async fn csv_has_a_line_a_row() {
    let text = text("a.csv").await;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let lines: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(lines.len(), 3);
    let field = |line: usize, name: &str| {
        let at = head.iter().position(|column| column == name).unwrap();
        lines[line][at].to_owned()
    };
    assert_eq!(field(1, "name"), "GET /a, \"b\"\n");
    assert_eq!(field(1, "tags"), "check=x=1");
    assert_eq!(
        (field(1, "count"), field(1, "sum")),
        ("3".into(), "3001.75".into())
    );
    assert_eq!(
        (field(1, "p50"), field(1, "max")),
        ("1.5".into(), "3000".into())
    );
    assert_eq!(
        (field(0, "sum"), field(0, "p50")),
        ("3".into(), String::new())
    );
    assert_eq!(field(2, "testid"), "run 1");
}

#[tokio::test]
async fn json_lines_have_all_buckets() {
    for name in ["a.jsonl", "a.ndjson"] {
        let text = text(name).await;
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0]["testid"], "run 1");
        assert_eq!(
            lines[2]["buckets"],
            serde_json::json!([[0.25, 1], [1.5, 1], [3_000.319, 1]])
        );
        assert_eq!(lines[2]["contains"], "time");
        assert_eq!(lines[2]["max"], 3_000.0);
        assert_eq!(lines[3]["tags"], serde_json::json!({}));
    }
}

#[tokio::test]
async fn k6_json_declares_each_metric_once_and_has_points() {
    let rows = rows();
    let written = written("a.json", &[&rows[..2], &rows[..1], &rows[2..]]).await;
    let text = String::from_utf8(written).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let declared = lines.iter().filter(|line| line["type"] == "Metric");
    let declared: Vec<_> = declared
        .map(|line| line["metric"].as_str().unwrap())
        .collect();
    assert_eq!(declared, ["http_reqs", "http_req_duration", "vus"]);
    let of = |metric: &str| -> Vec<f64> {
        let of = lines
            .iter()
            .filter(|line| line["type"] == "Point" && line["metric"] == metric);
        of.map(|line| line["data"]["value"].as_f64().unwrap())
            .collect()
    };
    assert_eq!(of("http_req_duration"), [0.25, 1.5, 3_000.0]);
    assert_eq!(of("http_reqs"), [3.0, 3.0]);
    let first = &lines[1]["data"];
    assert_eq!(first["time"], "1970-01-01T00:00:05.000000000Z");
    assert_eq!(first["tags"]["name"], "GET /a, \"b\"\n");
    assert_eq!(first["tags"]["testid"], "run 1");
}

#[tokio::test]
async fn a_histogram_log_can_be_decoded() {
    let text = text("a.hlog").await;
    let line = text.lines().last().unwrap();
    let fields: Vec<_> = line.split(',').collect();
    assert_eq!(
        fields[0],
        "Tag=http_req_duration{check:x=1;name:GET_/a___b__;status:200}"
    );
    assert_eq!(fields[1..4], ["4.000", "10.000", "3000.000"]);
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(fields[4])
        .unwrap();
    assert!(fields[4].starts_with("HISTFAAA"), "{line}");
    let mut plain = Vec::new();
    flate2::read::ZlibDecoder::new(&bytes[8..])
        .read_to_end(&mut plain)
        .unwrap();
    let mut histogram = Histogram::new();
    histogram.add_v2(&plain).unwrap();
    assert_eq!(histogram.count(), 3);
}

#[tokio::test]
async fn packed_files_are_read_as_one() {
    let rows = rows();
    let packed = written("a.csv.gz", &[&rows[..2], &rows[2..]]).await;
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, self::text("a.csv").await);
}

#[tokio::test]
async fn a_batch_that_cannot_be_written_leaves_nothing() {
    // Nothing can be written here, and opening it succeeds: as on a disk that is full, where there may be room later.
    let target = schemes::parse("file:/dev/full?format=csv", &Nothing).unwrap();
    let mut sink = schemes::open(&target, &run()).unwrap();
    let error = sink.push(&rows()).await.unwrap_err();
    assert!(matches!(error, SinkError::Again { .. }), "{error}");
    assert!(
        error.to_string().contains("/dev/full cannot be written")
            && error.to_string().contains("make room"),
        "{error}"
    );
}

/// Neither appears by itself.
#[tokio::test]
async fn a_place_for_no_file_is_told_at_once() {
    for url in ["file:/surely/not/there/a.csv", "file:/dev?format=csv"] {
        let target = schemes::parse(url, &Nothing).unwrap();
        let mut sink = schemes::open(&target, &run()).unwrap();
        let error = sink.push(&rows()).await.unwrap_err();
        assert!(matches!(error, SinkError::Never { .. }), "{error}");
        assert!(error.to_string().contains("name another file"), "{error}");
    }
}

/// What was there is replaced when there is something to replace it by.
#[tokio::test]
async fn opening_a_file_leaves_it_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, "earlier").unwrap();
    let target = schemes::parse(&format!("file:{}", path.display()), &Nothing).unwrap();
    schemes::check(&target).unwrap();
    let mut sink = schemes::open(&target, &run()).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "earlier");
    sink.push(&rows()).await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("time_ms,"), "{text}");
}

#[test]
fn a_format_has_to_be_known() {
    for (url, part) in [
        ("file:results", "its name says no format"),
        ("file:a.txt", "its name says no format"),
        ("file:a.csv?format=xml", "csv, jsonl, hlog or k6"),
        ("file:a.json?points=0", "points=0 is not valid"),
        ("file:", "names no file"),
    ] {
        let target = schemes::parse(url, &Nothing).unwrap();
        let Err(error) = schemes::open(&target, &run()) else {
            panic!("{url} was opened");
        };
        assert!(error.to_string().contains(part), "{url}: {error}");
    }
}
