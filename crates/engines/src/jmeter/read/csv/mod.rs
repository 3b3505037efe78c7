//! Reads a JTL in CSV.

mod date;
mod record;

use super::columns::{self, Columns, Layout, MOST, NONE};
use super::evidence::{self, Evidence};
use super::family::{Family, Of, Row};
use super::feed::{Feed, Has};
use super::options::Options;
use super::outcome::{Code, Outcome};
use super::sample::{Kind, LATEST_MS, LONGEST_MS, TRANSACTION, group, is_orphan};
use crate::collector::Collector;
use crate::jmeter::figures::Figures;
use crate::read::{ReadError, Reader};
use date::parse_date;
use record::{Record, fields, is_web, parse};

/// The longest record in bytes.
const LONGEST: usize = 1 << 20;

/// A [`Reader`] of JMeter's CSV: columns by header in any order, quoted as by RFC 4180, fields over several lines.
pub struct CsvReader {
    layout: Option<Layout>,
    /// The header if the results have none.
    header: Option<String>,
    /// A record that is not complete, and whether it ends within quotes.
    rest: Vec<u8>,
    open: bool,
    /// Lines that were read.
    line: u64,
    feed: Feed,
    family: Family,
    dated: bool,
    /// Rows that were taken for Transaction Controllers without their message.
    guessed: u64,
}

fn evidence_of(columns: &Columns, record: &Record<'_>) -> Evidence {
    let text = |column: u8| evidence::text(&record.text(column));
    Evidence {
        url: text(columns.url),
        code: text(columns.code),
        message: text(columns.message),
        failure: text(columns.failure),
        ..Evidence::default()
    }
}

impl CsvReader {
    /// Nothing read yet.
    pub fn new(options: Options) -> Self {
        Self {
            layout: None,
            header: options.header,
            rest: Vec::new(),
            open: false,
            line: 0,
            feed: Feed::new(options.checks, options.paces),
            family: Family::default(),
            dated: false,
            guessed: 0,
        }
    }

    /// Reads complete records; keeps the rest. `bytes` begins with a record.
    fn records(&mut self, mut bytes: &[u8], into: &mut Collector) -> Result<(), ReadError> {
        if self.layout.is_none() {
            // A header has no line breaks, and a first record without a header is a request of an ordinary label.
            let Some(end) = memchr::memchr(b'\n', bytes) else {
                return self.keep(bytes, false);
            };
            let line = &bytes[..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let layout = match &self.header {
                Some(header) if !line.starts_with(b"timeStamp") => Layout {
                    header: false,
                    ..columns::layout(header.as_bytes())?
                },
                _ => columns::layout(line)?,
            };
            self.take_layout(layout);
            if layout.header {
                bytes = &bytes[end + 1..];
                self.line += 1;
            }
        }
        let Some(layout) = self.layout else {
            return Ok(());
        };
        let delimiter = layout.delimiter;
        let mut ends = [0_usize; MOST];
        let (mut count, mut start, mut open) = (0, 0, false);
        let mut line = self.line;
        for at in memchr::memchr3_iter(delimiter, b'"', b'\n', bytes) {
            let byte = bytes[at];
            if byte == b'"' {
                open = !open;
            } else if byte == b'\n' {
                line += 1;
                if open {
                    continue;
                }
                let mut end = at;
                if end > start && bytes[end - 1] == b'\r' {
                    end -= 1;
                }
                if count < MOST {
                    ends[count] = end - start;
                    count += 1;
                }
                if end > start {
                    let record = Record {
                        bytes: &bytes[start..end],
                        ends: &ends[..count],
                        line: self.line + 1,
                    };
                    self.record(&layout.columns, &record, into)?;
                }
                self.line = line;
                (start, count) = (at + 1, 0);
            } else if !open && count < MOST {
                ends[count] = at - start;
                count += 1;
            }
        }
        self.keep(&bytes[start..], open)
    }

    fn take_layout(&mut self, layout: Layout) {
        let columns = &layout.columns;
        self.feed.has = Has {
            connect: columns.connect != NONE,
            latency: columns.latency != NONE,
            bytes: columns.bytes != NONE,
            sent_bytes: columns.sent_bytes != NONE,
        };
        self.layout = Some(layout);
    }

    /// Keeps the beginning of a record.
    fn keep(&mut self, bytes: &[u8], open: bool) -> Result<(), ReadError> {
        if self.rest.len() + bytes.len() > LONGEST {
            return Err(ReadError::TooLong {
                line: self.line + 1,
                limit: LONGEST,
            });
        }
        self.rest.extend_from_slice(bytes);
        self.open = open;
        Ok(())
    }

    /// Reads what stands behind the last line break, if it has every field of the header; else it is what a killed JMeter leaves.
    fn last_record(&mut self, into: &mut Collector) -> Result<Option<String>, ReadError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let rest = self.rest.len();
        let whole = match &self.layout {
            Some(layout) => !self.open && fields(&self.rest, layout.delimiter) >= layout.fields,
            None => false,
        };
        if !whole {
            into.note_cut();
            return Ok(Some(format!(
                "the results end within a record of {rest} bytes, which is left out: JMeter did not end by itself, or the file was cut"
            )));
        }
        let mut last = std::mem::take(&mut self.rest);
        last.push(b'\n');
        self.records(&last, into)?;
        Ok(None)
    }

    #[inline]
    fn record(
        &mut self,
        columns: &Columns,
        record: &Record<'_>,
        into: &mut Collector,
    ) -> Result<(), ReadError> {
        if record.ends.len() < columns.needed() {
            return Err(ReadError::malformed(
                format!("line {}", record.line),
                format!(
                    "{} fields where at least {} are needed: was the file cut or written by two at once?",
                    record.ends.len(),
                    columns.needed()
                ),
            ));
        }
        let figures = Figures {
            start_ms: self.time(columns, record)?,
            elapsed_ms: record.span(columns.elapsed, "elapsed")?,
            idle_ms: record
                .optional(columns.idle, "IdleTime")?
                .unwrap_or(0)
                .min(LONGEST_MS),
            latency_ms: record.optional(columns.latency, "Latency")?,
            connect_ms: record.optional(columns.connect, "Connect")?,
            bytes: record.optional(columns.bytes, "bytes")?,
            sent_bytes: record.optional(columns.sent_bytes, "sentBytes")?,
            group_threads: record.optional(columns.group_threads, "grpThreads")?,
            all_threads: record.optional(columns.all_threads, "allThreads")?,
        };
        let thread = record.text(columns.thread);
        let message = record.text(columns.message);
        if self.feed.names.is_full() {
            self.family.flush(&mut self.feed, into);
            self.feed.forget();
        }
        let label = self.feed.names.number(&record.text(columns.label));
        let kind = self.kind(columns, record, &message);
        let ok = match record.raw(columns.success) {
            b"true" => true,
            b"false" => false,
            other if other.eq_ignore_ascii_case(b"true") => true,
            other if other.eq_ignore_ascii_case(b"false") => false,
            other => return Err(record.malformed("success", other, "true or false")),
        };
        let unmet = !ok && !record.raw(columns.failure).is_empty();
        let code = Code::parse(&record.text(columns.code), &message);
        if kind == Kind::Transaction {
            let group = self.feed.names.number(group(&thread));
            self.feed.group(label, group, &figures, into);
            let outcome = Outcome {
                kind,
                label,
                group,
                code,
                ok,
            };
            // One that failed because a part did says nothing of its own.
            if unmet && into.wants_failure((outcome, unmet)) {
                let held = self.feed.hold(evidence_of(columns, record));
                self.feed.add_failure(held, outcome, &figures, unmet, into);
            }
            self.feed
                .assertions(outcome, !unmet, figures.end_ms(), into);
            return Ok(());
        }
        if let Some(threads) = figures.all_threads.filter(|threads| *threads > 0) {
            self.feed.threads(threads, figures.end_ms(), into);
        }
        let held = match ok {
            true => 0,
            false => self.hold((label, kind, code, unmet), &thread, columns, record, into),
        };
        let row = Row {
            held,
            kind,
            label,
            is_url: columns.url != NONE
                && is_web(record.raw(columns.label))
                && record.raw(columns.label) == record.raw(columns.url),
            code,
            ok,
            unmet,
            figures,
        };
        let of = Of {
            thread: &thread,
            orphan: columns.thread != NONE && is_orphan(&thread),
        };
        self.family.row(of, &row, &mut self.feed, into);
        Ok(())
    }

    /// Keeps what a failed row tells, if a sample of its kind is wanted.
    #[cold]
    fn hold(
        &mut self,
        kind: (u32, Kind, Code, bool),
        thread: &[u8],
        columns: &Columns,
        record: &Record<'_>,
        into: &mut Collector,
    ) -> u32 {
        match into.wants_failure((kind, group(thread))) {
            true => self.feed.hold(evidence_of(columns, record)),
            false => 0,
        }
    }

    fn time(&mut self, columns: &Columns, record: &Record<'_>) -> Result<i64, ReadError> {
        let raw = record.raw(columns.timestamp);
        if let Some(ms) = parse(raw) {
            return i64::try_from(ms)
                .ok()
                .filter(|_| ms <= LATEST_MS)
                .ok_or_else(|| record.malformed("timeStamp", raw, "Unix time in milliseconds"));
        }
        self.dated = true;
        let date = parse_date(&record.text(columns.timestamp));
        date.filter(|ms| (0..=crate::read::LATEST_MS).contains(ms))
            .ok_or_else(|| {
                record.malformed(
                    "timeStamp",
                    raw,
                    "Unix time in milliseconds or yyyy/MM/dd HH:mm:ss.SSS",
                )
            })
    }

    #[inline]
    fn kind(&mut self, columns: &Columns, record: &Record<'_>, message: &[u8]) -> Kind {
        if message.starts_with(TRANSACTION) {
            return Kind::Transaction;
        }
        if columns.url == NONE {
            return Kind::Http;
        }
        let url = record.raw(columns.url);
        if is_web(url) {
            return Kind::Http;
        }
        let nowhere = url.is_empty() || url == b"null";
        if nowhere
            && columns.message == NONE
            && columns.data_type != NONE
            && record.raw(columns.data_type).is_empty()
        {
            self.guessed += 1;
            return Kind::Transaction;
        }
        Kind::Other
    }
}

impl Reader for CsvReader {
    fn push(&mut self, mut bytes: &[u8], into: &mut Collector) -> Result<(), ReadError> {
        while !self.rest.is_empty() && !bytes.is_empty() {
            // The record that was begun ends with the first line break outside of quotes.
            let mut from = 0;
            let mut open = self.open;
            // The first line is one whatever quotes it has: see `records`.
            let first = self.layout.is_none();
            let odd = |bytes| !first && memchr::memchr_iter(b'"', bytes).count() % 2 == 1;
            let end = loop {
                let Some(at) = memchr::memchr(b'\n', &bytes[from..]) else {
                    open ^= odd(&bytes[from..]);
                    return self.keep(bytes, open);
                };
                open ^= odd(&bytes[from..from + at]);
                from += at + 1;
                if !open {
                    break from;
                }
            };
            self.keep(&bytes[..end], false)?;
            bytes = &bytes[end..];
            let mut whole = std::mem::take(&mut self.rest);
            let done = self.records(&whole, into);
            // All of it was read: its buffer serves again.
            if self.rest.is_empty() {
                whole.clear();
                self.rest = whole;
            }
            done?;
        }
        if !bytes.is_empty() {
            self.records(bytes, into)?;
        }
        self.family.settle(&mut self.feed, into);
        Ok(())
    }

    fn finish(&mut self, into: &mut Collector) -> Result<Vec<String>, ReadError> {
        let mut warnings = Vec::new();
        warnings.extend(self.last_record(into)?);
        self.family.flush(&mut self.feed, into);
        let Some(layout) = self.layout else {
            warnings.push("the results have no complete line: JMeter wrote no sample".to_owned());
            return Ok(warnings);
        };
        let columns = layout.columns;
        if columns.message == NONE && (columns.url == NONE || columns.data_type == NONE) {
            warnings.push(
                "the results have neither responseMessage nor both URL and dataType: Transaction Controllers cannot be told from requests"
                    .to_owned(),
            );
        }
        if columns.url == NONE {
            warnings.push(
                "the results have no column URL: every sampler counts as an HTTP request"
                    .to_owned(),
            );
        }
        if columns.connect == NONE {
            warnings.push(
                "the results have no column Connect: http_req_duration has connecting in it"
                    .to_owned(),
            );
        }
        if columns.thread == NONE {
            warnings.push("the results have no column threadName: sums are told from requests by their labels alone".to_owned());
        }
        if self.guessed > 0 {
            warnings.push(format!(
                "{} rows without a URL and a dataType are taken for Transaction Controllers: without responseMessage they cannot be told from other samplers",
                self.guessed
            ));
        }
        if !self.feed.is_of_run() {
            warnings.extend(self.family.warning());
        }
        if self.dated {
            warnings.push("times of day are read as UTC: save them as ms (jmeter.save.saveservice.timestamp_format=ms)".to_owned());
        }
        warnings.extend(self.feed.warning());
        Ok(warnings)
    }
}
