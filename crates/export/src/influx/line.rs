//! The line protocol: <https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/>.

use crate::points::{Points, points};
use crate::row::Row;
use floodgate_records::metric::{MetricKind, SeriesKey};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::Arc;

/// Keys that the store keeps for itself, or that `"value"` in a query would not tell from the field.
const RESERVED: [&str; 4] = ["time", "value", "_field", "_measurement"];

/// Writes rows as lines.
pub(super) struct Lines {
    testid: String,
    fields: BTreeSet<String>,
    /// What stands before and after the value in the lines of a series.
    series: HashMap<Arc<SeriesKey>, Text>,
}

/// The fixed parts of a series' lines.
#[derive(Clone)]
struct Text {
    /// `measurement,tag=value `.
    start: String,
    /// `,tag="value"` of tags that are fields.
    fields: String,
}

/// The body of a request.
#[derive(Default)]
pub(super) struct Body {
    /// Rows in it.
    pub(super) rows: u64,
    /// Lines in it.
    pub(super) lines: u64,
    pub(super) text: String,
}

/// Series whose text is kept; past it they are few at a time.
const MAX_KEPT: usize = 100_000;

impl Lines {
    pub(super) fn new(testid: &str, fields: impl IntoIterator<Item = String>) -> Self {
        Self {
            testid: testid.to_owned(),
            fields: fields.into_iter().filter(|tag| !tag.is_empty()).collect(),
            series: HashMap::new(),
        }
    }

    /// Bodies of about so many lines at most.
    pub(super) fn bodies(&mut self, rows: &[Row], how: Points, max_lines: usize) -> Vec<Body> {
        let mut bodies = Vec::new();
        let mut body = Body::default();
        // Series that only differ in what is a field are one series to the store: points of the same time would replace each other.
        let mut alike: HashMap<(i64, String), i64> = HashMap::new();
        let mut at = i64::MIN;
        points(rows, how, |row, points| {
            if row.time_ms != at {
                alike.clear();
                at = row.time_ms;
            }
            let text = self.text(&row.key);
            let shift = match text.fields.is_empty() {
                true => 0,
                false => {
                    let window = (row.time_ms + i64::from(row.window_s), text.start.clone());
                    let others = alike.entry(window).or_default();
                    *others += 1;
                    *others - 1
                }
            };
            body.rows += 1;
            body.lines += figures(row, &text, shift, &mut body.text);
            for point in points {
                let (start, fields, time) = (&text.start, &text.fields, point.time_ns + shift);
                // Writing to a string cannot fail.
                let _ = writeln!(
                    body.text,
                    "{start}value={}{fields} {time}",
                    Number(point.value)
                );
            }
            body.lines += points.len() as u64;
            if body.lines >= max_lines as u64 {
                bodies.push(std::mem::take(&mut body));
            }
        });
        if body.lines > 0 {
            bodies.push(body);
        }
        bodies
    }

    fn text(&mut self, key: &Arc<SeriesKey>) -> Text {
        if let Some(text) = self.series.get(key) {
            return text.clone();
        }
        let mut text = Text {
            start: escaped(&key.metric, &[',', ' ']),
            fields: String::new(),
        };
        let testid = ("testid", self.testid.as_str());
        let own = key.tags.get("testid").is_none().then_some(testid);
        let tags = key.tags.0.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        for (name, value) in tags.chain(own).filter(|(_, value)| !value.is_empty()) {
            let shown = match RESERVED.contains(&name) {
                true => format!("{name}_"),
                false => name.to_owned(),
            };
            let shown = escaped(&shown, &[',', ' ', '=']);
            // Writing to a string cannot fail.
            let _ = match self.fields.contains(name) {
                true => write!(text.fields, ",{shown}=\"{}\"", quoted(value)),
                false => write!(text.start, ",{shown}={}", escaped(value, &[',', ' ', '='])),
            };
        }
        text.start.push(' ');
        if self.series.len() >= MAX_KEPT {
            self.series.clear();
        }
        self.series.insert(key.clone(), text.clone());
        text
    }
}

/// Exact figures of a rate or trend, at the start of its window; how many lines that takes.
fn figures(row: &Row, text: &Text, shift: i64, body: &mut String) -> u64 {
    let (start, fields) = (&text.start, &text.fields);
    let time = row.time_ms.saturating_mul(1_000_000) + shift;
    let count = row.count;
    let sum = Number(row.sum / row.scale());
    let (min, max) = (Number(row.min / row.scale()), Number(row.max / row.scale()));
    // Writing to a string cannot fail.
    let _ = match row.key.kind {
        MetricKind::Counter | MetricKind::Gauge => return 0,
        MetricKind::Rate => writeln!(
            body,
            "{start}count={count}i,sum={sum},rate={}{fields} {time}",
            Number(row.mean())
        ),
        MetricKind::Trend => writeln!(
            body,
            "{start}count={count}i,sum={sum},min={min},max={max},mean={},p50={},p90={},p95={},p99={}{fields} {time}",
            Number(row.mean()),
            Number(row.quantile(0.5)),
            Number(row.quantile(0.9)),
            Number(row.quantile(0.95)),
            Number(row.quantile(0.99)),
        ),
    };
    1
}

/// A number as a field of type float: every number that is written must be one, or the first would decide for all others.
struct Number(f64);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // There is neither infinity nor NaN in the protocol; rows have none.
        match self.0.is_finite() {
            true => write!(f, "{}", self.0),
            false => f.write_str("0"),
        }
    }
}

/// A name or the value of a tag. There is no escape for a line feed, and none for a backslash at the end, which would escape what
/// follows: they become a space and a slash.
fn escaped(text: &str, special: &[char]) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push_str(match special.contains(&' ') {
                true => "\\ ",
                false => " ",
            }),
            _ if special.contains(&c) => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    if out.ends_with('\\') {
        out.pop();
        out.push('/');
    }
    // A line that begins with it is a comment.
    if out.starts_with('#') {
        out.replace_range(..1, "_");
    }
    out
}

/// The inside of a text field.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{key, row, trend};

    fn lines(rows: &[Row]) -> String {
        let mut lines = Lines::new("run 1", ["url".to_owned()]);
        let bodies = lines.bodies(rows, Points::DEFAULT, 1_000);
        bodies.into_iter().map(|body| body.text).collect()
    }

    #[test]
    fn each_kind_is_written_as_k6_writes_it_and_with_its_exact_figures() {
        let tags = [("name", "GET /a b,c=d"), ("status", "200")];
        let reqs = key("http_reqs", MetricKind::Counter, &tags);
        let failed = key("http_req_failed", MetricKind::Rate, &tags);
        let duration = key("http_req_duration", MetricKind::Trend, &tags);
        let vus = key("vus", MetricKind::Gauge, &[("testid", "own")]);
        let rows = [
            row(&reqs, 1_000, 3, 3.0),
            row(&failed, 1_000, 3, 1.0),
            trend(&duration, 1_000, 1, [1_500, 250]),
            row(&vus, 1_000, 1, 7.0),
        ];
        insta_like(
            &lines(&rows),
            &[
                r"http_reqs,name=GET\ /a\ b\,c\=d,status=200,testid=run\ 1 value=3 1000000000",
                r"http_req_failed,name=GET\ /a\ b\,c\=d,status=200,testid=run\ 1 count=3i,sum=1,rate=0.3333333333333333 1000000000",
                r"http_req_failed,name=GET\ /a\ b\,c\=d,status=200,testid=run\ 1 value=0 1618033988",
                r"http_req_failed,name=GET\ /a\ b\,c\=d,status=200,testid=run\ 1 value=0 1236067977",
                r"http_req_failed,name=GET\ /a\ b\,c\=d,status=200,testid=run\ 1 value=1 1854101966",
                r"http_req_duration,name=GET\ /a\ b\,c\=d,status=200,testid=run\ 1 count=2i,sum=1.75,min=0.25,max=1.5,mean=0.875,p50=0.25,p90=1.5,p95=1.5,p99=1.5 1000000000",
                r"http_req_duration,name=GET\ /a\ b\,c\=d,status=200,testid=run\ 1 value=0.25 1618033988",
                r"http_req_duration,name=GET\ /a\ b\,c\=d,status=200,testid=run\ 1 value=1.5 1236067977",
                "vus,testid=own value=7 1000000000",
            ],
        );
    }

    fn insta_like(found: &str, expected: &[&str]) {
        let found: Vec<_> = found.lines().collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn hostile_values_stay_in_their_place() {
        let tags = [
            ("name", "a\nhttp_reqs value=9 1\\"),
            ("time", "noon"),
            ("url", "http://x/?\"q\"\\"),
            ("empty", ""),
        ];
        let reqs = key("http_reqs", MetricKind::Counter, &tags);
        insta_like(
            &lines(&[row(&reqs, 1_000, 3, 3.0)]),
            &[
                r#"http_reqs,name=a\ http_reqs\ value\=9\ 1/,time_=noon,testid=run\ 1 value=3,url="http://x/?\"q\"\\" 1000000000"#,
            ],
        );
    }

    #[test]
    fn series_that_differ_in_a_field_only_do_not_replace_each_other() {
        let one = key("http_reqs", MetricKind::Counter, &[("url", "/1")]);
        let two = key("http_reqs", MetricKind::Counter, &[("url", "/2")]);
        insta_like(
            &lines(&[row(&one, 1_000, 1, 1.0), row(&two, 1_000, 1, 1.0)]),
            &[
                r#"http_reqs,testid=run\ 1 value=1,url="/1" 1000000000"#,
                r#"http_reqs,testid=run\ 1 value=1,url="/2" 1000000001"#,
            ],
        );
    }

    #[test]
    fn bodies_are_cut() {
        let rows = crate::testing::counters(2_500);
        let mut lines = Lines::new("t", []);
        let bodies = lines.bodies(&rows, Points::DEFAULT, 1_000);
        assert_eq!(
            bodies.iter().map(|body| body.lines).collect::<Vec<_>>(),
            [1_000, 1_000, 500]
        );
    }
}
