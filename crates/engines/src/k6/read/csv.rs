//! k6's CSV output (`--out csv=FILE`), for import: a header line, then a sample a line.
//!
//! Columns are found by the header: `metric_name,timestamp,metric_value`, one for each system tag that was enabled, `extra_tags`
//! (`name=value&…`, not escaped) and `metadata` (source:
//! <https://github.com/grafana/k6/blob/v2.2.0/internal/output/csv/output.go>). The types of metrics are not in it.

use super::samples::{MetricId, Samples, excerpt, malformed};
use super::tags::SetId;
use super::{kinds, time};
use crate::collector::Collector;
use crate::read::{Lines, ReadError, Reader};
use floodgate_records::metric::MetricKind;
use memchr::memchr;
use std::collections::BTreeMap;

/// Reads k6's CSV output. A reader belongs to one [`Collector`].
pub struct CsvReader {
    lines: Lines,
    state: State,
}

struct State {
    kinds: BTreeMap<String, MetricKind>,
    columns: Vec<Column>,
    samples: Samples,
    /// The tag columns of the latest sample as they were written, and which set they are.
    raw: Vec<u8>,
    set: SetId,
    /// The number of the latest line.
    number: u64,
    /// A record whose quoted field goes on in the next line.
    open: Vec<u8>,
    /// The coarsest unit of time so far, in µs.
    unit_us: i64,
    guessed: Vec<String>,
}

/// What a column behind the first three is.
enum Column {
    Tag(String),
    Extra,
    Ignored,
}

/// How the header of k6's CSV begins.
pub(super) const HEADER: &str = "metric_name,timestamp,metric_value";

/// The longest record in bytes.
const LONGEST: usize = 1 << 20;

impl CsvReader {
    /// At the beginning of a file. The types of custom metrics are not in it: they are taken from `kinds`, and a metric that is not there
    /// either counts as a trend, with a warning.
    pub fn new(kinds: BTreeMap<String, MetricKind>) -> Self {
        Self {
            lines: Lines::default(),
            state: State {
                kinds,
                columns: Vec::new(),
                samples: Samples::default(),
                raw: Vec::new(),
                set: 0,
                number: 0,
                open: Vec::new(),
                unit_us: 0,
                guessed: Vec::new(),
            },
        }
    }
}

impl Reader for CsvReader {
    fn push(&mut self, bytes: &[u8], into: &mut Collector) -> Result<(), ReadError> {
        let Self { lines, state } = self;
        state.samples.sets.keep_names(into.folding());
        lines.push(bytes, |line, number| state.line(line, number, into))
    }

    fn finish(&mut self, into: &mut Collector) -> Result<Vec<String>, ReadError> {
        let state = &mut self.state;
        let mut warnings = Vec::new();
        // A file may lack its last line break; a record with fewer fields than the header is what a killed k6 leaves.
        let mut cut = false;
        if let Some(rest) = self.lines.rest() {
            cut = !state.is_whole(rest);
            if !cut {
                state.line(rest, state.number + 1, into)?;
            }
        }
        if cut || !state.open.is_empty() {
            into.note_cut();
            warnings.push("k6's output ends in the middle of a line, which is left out: k6 was killed, or the file was cut off".to_owned());
        }
        if state.unit_us >= 1_000_000 {
            warnings.push(
                "k6's CSV gives times in whole seconds: K6_CSV_TIME_FORMAT=unix_micro gives more"
                    .to_owned(),
            );
        }
        if !state.guessed.is_empty() {
            warnings.push(format!(
                "k6's CSV does not say what type these metrics are; they are taken as trends: {}",
                state.guessed.join(", ")
            ));
        }
        warnings.extend(state.samples.finish(into));
        Ok(warnings)
    }
}

impl State {
    /// Whether a line without an end has all fields of the header, or is the header.
    fn is_whole(&self, line: &[u8]) -> bool {
        let text = String::from_utf8_lossy(line);
        let quotes = memchr::memchr_iter(b'"', line).count();
        let all = fields(&text).len();
        self.open.is_empty()
            && quotes.is_multiple_of(2)
            && !self.columns.is_empty()
            && all == self.columns.len() + 3
    }

    fn line(&mut self, line: &[u8], number: u64, into: &mut Collector) -> Result<(), ReadError> {
        self.number = number;
        if self.open.is_empty() && memchr(b'"', line).is_none() {
            return self.record(line, number, into);
        }
        if self.open.len() + line.len() >= LONGEST {
            return Err(malformed(
                number,
                format!("a quoted field is longer than {LONGEST} bytes: is a quote missing?"),
            ));
        }
        self.open.extend_from_slice(line);
        // A quote within a field is doubled, so that an odd number leaves one open.
        if memchr::memchr_iter(b'"', &self.open).count() % 2 == 1 {
            self.open.push(b'\n');
            return Ok(());
        }
        let mut record = std::mem::take(&mut self.open);
        let done = self.record(&record, number, into);
        record.clear();
        self.open = record;
        done
    }

    fn record(
        &mut self,
        record: &[u8],
        number: u64,
        into: &mut Collector,
    ) -> Result<(), ReadError> {
        if record.is_empty() {
            return Ok(());
        }
        if self.columns.is_empty() {
            return self.header(record, number);
        }
        let wrong = || {
            malformed(
                number,
                format!("{} is not a line of k6's CSV output", excerpt(record)),
            )
        };
        let mut parts = record.splitn(4, |&byte| byte == b',');
        let mut part = || parts.next();
        let (Some(name), Some(time), Some(value), Some(tags)) = (part(), part(), part(), part())
        else {
            return Err(wrong());
        };
        let (at_us, unit_us) = time::of_csv(time, &mut self.samples.clock).ok_or_else(wrong)?;
        if !Samples::is_time(at_us) {
            let problem = format!("{} is not a time from 1970 to 2199", excerpt(time));
            return Err(malformed(number, problem));
        }
        self.unit_us = self.unit_us.max(unit_us);
        let value = std::str::from_utf8(value)
            .ok()
            .and_then(|value| value.parse().ok())
            .ok_or_else(wrong)?;
        let metric = match self.samples.metric(name) {
            Some(metric) => metric,
            None => self.define(name, number, into)?,
        };
        if !self.samples.is_sound(metric, value)
            && let Some(doubt) = self.samples.doubt(metric, value)
        {
            return Err(malformed(number, doubt));
        }
        if tags != self.raw || self.raw.is_empty() {
            self.set = match self.samples.sets.known(tags) {
                Some(set) => set,
                None => self.learn(tags, number)?,
            };
            self.raw.clear();
            self.raw.extend_from_slice(tags);
        }
        if self.samples.add(metric, self.set, at_us, value, into)
            && self.samples.wants_failure(metric, self.set, into)
        {
            let text = String::from_utf8_lossy(tags);
            let fields = fields(&text);
            let columns = || self.columns.iter().zip(&fields);
            let tag = |name: &str| {
                let mut named = columns()
                    .filter(|(column, _)| matches!(column, Column::Tag(tag) if tag == name));
                named.next().map(|(_, field)| field.as_str())
            };
            self.samples
                .keep_failure(metric, self.set, at_us, tag, into);
        }
        Ok(())
    }

    fn header(&mut self, record: &[u8], number: u64) -> Result<(), ReadError> {
        let text = std::str::from_utf8(record).ok();
        let tags = text.and_then(|text| text.trim_start_matches('\u{feff}').strip_prefix(HEADER));
        let Some(tags) = tags else {
            let problem = format!(
                "{} is not the header of k6's CSV output, which begins with {HEADER}",
                excerpt(record)
            );
            return Err(malformed(number, problem));
        };
        let column = |name: &str| match name {
            "extra_tags" => Column::Extra,
            "metadata" | "" => Column::Ignored,
            tag => Column::Tag(tag.to_owned()),
        };
        // At least one, so that the header is known to be read: a file without tag columns has the empty field behind the value.
        self.columns = tags
            .trim_start_matches(',')
            .split(',')
            .map(column)
            .collect();
        Ok(())
    }

    #[cold]
    fn define(
        &mut self,
        name: &[u8],
        number: u64,
        into: &mut Collector,
    ) -> Result<MetricId, ReadError> {
        let name = std::str::from_utf8(name).map_err(|error| {
            malformed(number, format!("the metric {} is not UTF-8", excerpt(name))).because(error)
        })?;
        let known = kinds::of(name).or_else(|| self.kinds.get(name).copied());
        let id = self
            .samples
            .define(name, known.unwrap_or(MetricKind::Trend));
        let id = id.map_err(|problem| malformed(number, problem))?;
        if kinds::is_duration(name) {
            into.note_duration(name);
        }
        if known.is_none() && !self.guessed.iter().any(|guessed| guessed == name) {
            self.guessed.push(name.to_owned());
        }
        Ok(id)
    }

    #[cold]
    fn learn(&mut self, raw: &[u8], number: u64) -> Result<SetId, ReadError> {
        let text = String::from_utf8_lossy(raw);
        let fields = fields(&text);
        if fields.len() != self.columns.len() {
            let problem = format!(
                "{} fields where the header has {}",
                fields.len() + 3,
                self.columns.len() + 3
            );
            return Err(malformed(number, problem));
        }
        let mut tags: Vec<(&str, &str)> = Vec::new();
        for (column, field) in self.columns.iter().zip(&fields) {
            match column {
                Column::Tag(tag) => tags.push((tag, field)),
                Column::Extra => tags.extend(pairs(field)),
                Column::Ignored => {}
            }
        }
        Ok(self.samples.sets.learn(raw, tags))
    }
}

/// `a=1&b=2`. A part without `=` belongs to the value before it, but is lost here: k6 does not escape it.
fn pairs(field: &str) -> impl Iterator<Item = (&str, &str)> {
    field.split('&').filter_map(|pair| pair.split_once('='))
}

/// The fields of a record by RFC 4180.
fn fields(text: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}
