//! A recording of a tool's text output over and over: its times go on, and requests get new names if wanted.

use crate::{Labels, Source};
use std::io::Write as _;
use std::ops::Range;

/// A recording and how to find one's way in it.
#[derive(Clone, Copy)]
pub(crate) struct Format {
    /// Its file below `fixtures/`.
    file: &'static str,
    /// The lines that are not repeated: all up to the one with this in it; none if it is empty.
    head_ends: &'static str,
    /// What ends it, which is not repeated either.
    foot: &'static str,
    /// Where a request's name begins in a line.
    name: Name,
    /// What each record has once.
    record: &'static str,
}

#[derive(Clone, Copy)]
enum Name {
    /// Behind this text, for k6, whose samples of one request share its name.
    Behind(&'static str),
    /// In a column, from 0, of lines that begin with a text.
    Column(char, usize, &'static str),
}

pub(crate) const K6_JSON: Format = Format {
    file: "k6/samples.json",
    head_ends: "",
    foot: "",
    name: Name::Behind("\"name\":\""),
    record: "\n",
};
pub(crate) const K6_CSV: Format = Format {
    file: "k6/samples.csv",
    head_ends: "metric_name,",
    foot: "",
    name: Name::Column(',', 9, "http_req"),
    record: "\n",
};
pub(crate) const JTL_CSV: Format = Format {
    file: "jmeter/5.6.3-default.csv",
    head_ends: "timeStamp,",
    foot: "",
    // A message may have line breaks in it.
    name: Name::Column(',', 2, "1795"),
    record: "\n1795",
};
pub(crate) const JTL_XML: Format = Format {
    file: "jmeter/5.6.3-xml.jtl",
    head_ends: "<testResults",
    foot: "</testResults>\n",
    name: Name::Behind(" lb=\""),
    record: " ts=\"",
};
pub(crate) const GATLING_TEXT: Format = Format {
    file: "gatling/text/simulation.log",
    head_ends: "RUN\t",
    foot: "",
    name: Name::Column('\t', 2, "REQUEST"),
    record: "\n",
};

/// How fast time goes on. A round begins before the one before it has ended, as if several tools wrote.
const RECORDS_A_S: u64 = 10_000;

/// How a time is written.
#[derive(Clone, Copy)]
enum Unit {
    Ms,
    Us,
    /// RFC 3339 in UTC, of one month.
    Rfc3339,
}

enum Part {
    Text(Range<usize>),
    /// Unix µs, or those of the month.
    Time(i64, Unit),
    /// Before a name; whether it is that of another request than the one before.
    Name(bool),
}

pub(crate) struct Recording {
    format: Format,
    labels: Labels,
    head: Vec<u8>,
    body: Vec<u8>,
    parts: Vec<Part>,
    records: u64,
    /// From one round to the next.
    step_us: i64,
    rounds: i64,
    requests: u64,
}

impl Recording {
    pub(crate) fn new(format: Format, labels: Labels) -> Self {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let text = std::fs::read_to_string(path.join(format.file)).unwrap();
        let head = match text.find(format.head_ends) {
            Some(at) if !format.head_ends.is_empty() => at + text[at..].find('\n').unwrap() + 1,
            _ => 0,
        };
        let (head, body) = text.split_at(head);
        let body = body.strip_suffix(format.foot).unwrap().to_owned();
        let parts = parts(&body, format.name);
        let records = body.matches(format.record).count() as u64;
        Self {
            labels,
            head: head.into(),
            body: body.into_bytes(),
            step_us: (records * 1_000_000 / RECORDS_A_S) as i64,
            records,
            parts,
            format,
            rounds: 0,
            requests: 0,
        }
    }
}

impl Source for Recording {
    fn head(&self) -> Vec<u8> {
        self.head.clone()
    }

    fn more(&mut self, out: &mut Vec<u8>) -> u64 {
        let after = self.rounds * self.step_us;
        for part in &self.parts {
            match part {
                Part::Text(range) => out.extend_from_slice(&self.body[range.clone()]),
                Part::Time(us, Unit::Ms) => write!(out, "{}", (us + after) / 1_000).unwrap(),
                Part::Time(us, Unit::Us) => write!(out, "{}", us + after).unwrap(),
                Part::Time(us, Unit::Rfc3339) => write_rfc3339(out, us + after),
                Part::Name(new) => {
                    self.requests += u64::from(*new);
                    let prefix = self.labels.prefix(self.requests);
                    out.extend_from_slice(prefix.as_bytes());
                }
            }
        }
        self.rounds += 1;
        self.records
    }

    fn foot(&self) -> &'static [u8] {
        self.format.foot.as_bytes()
    }
}

/// The month in which all was recorded.
const MONTH: &str = "2026-11-";

fn parts(body: &str, name: Name) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        let names = name_in(line, name).map(|place| (place, None));
        let times = times_in(line)
            .into_iter()
            .map(|(place, us, unit)| (place, Some((us, unit))));
        let mut found: Vec<_> = names.into_iter().chain(times).collect();
        found.sort_by_key(|(place, _)| place.start);
        let new = !line.starts_with("{\"metric\"") && !line.starts_with("http_")
            || line.contains("http_reqs");
        let mut done = 0;
        for (place, time) in found {
            parts.push(Part::Text(at + done..at + place.start));
            parts.push(time.map_or(Part::Name(new), |(us, unit)| Part::Time(us, unit)));
            done = place.end;
        }
        parts.push(Part::Text(at + done..at + line.len()));
        at += line.len();
    }
    parts
}

/// Where the name begins: an empty range.
fn name_in(line: &str, name: Name) -> Option<Range<usize>> {
    let at = match name {
        Name::Behind(text) => line.find(text)? + text.len(),
        Name::Column(separator, number, begins) => {
            if !line.starts_with(begins) {
                return None;
            }
            let mut separators = line.match_indices(separator);
            let at = separators.nth(number.checked_sub(1)?)?.0 + 1;
            at + usize::from(line[at..].starts_with('"'))
        }
    };
    Some(at..at)
}

/// Unix times of 2026 in ms and µs, and those of RFC 3339.
fn times_in(line: &str) -> Vec<(Range<usize>, i64, Unit)> {
    let mut found = Vec::new();
    if let Some(at) = line.find(MONTH) {
        let end = at + line[at..].find('Z').unwrap();
        found.push((at..end + 1, of_rfc3339(&line[at..end]), Unit::Rfc3339));
    }
    let mut at = 0;
    while let Some(next) = line[at..].find("1795") {
        let start = at + next;
        let digits = line[start..].bytes().take_while(u8::is_ascii_digit).count();
        let whole = !line[..start].ends_with(|before: char| before.is_ascii_digit());
        at = start + digits;
        let number = || line[start..at].parse::<i64>().unwrap();
        match digits {
            13 if whole => found.push((start..at, number() * 1_000, Unit::Ms)),
            16 if whole => found.push((start..at, number(), Unit::Us)),
            _ => {}
        }
    }
    found
}

/// µs of the month.
fn of_rfc3339(text: &str) -> i64 {
    let number = |range: Range<usize>| text[range].parse::<i64>().unwrap();
    let seconds =
        ((number(8..10) * 24 + number(11..13)) * 60 + number(14..16)) * 60 + number(17..19);
    let fraction: f64 = format!("0{}", &text[19..]).parse().unwrap();
    seconds * 1_000_000 + (fraction * 1e6) as i64
}

fn write_rfc3339(out: &mut Vec<u8>, us: i64) {
    let (seconds, us) = (us / 1_000_000, us % 1_000_000);
    let (day, hour) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minute, second) = (seconds / 60 % 60, seconds % 60);
    assert!(day <= 30, "more than the month has days");
    // k6 writes nanoseconds.
    write!(
        out,
        "{MONTH}{day:02}T{hour:02}:{minute:02}:{second:02}.{us:06}655Z"
    )
    .unwrap();
}
