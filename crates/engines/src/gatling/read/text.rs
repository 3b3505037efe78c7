//! The text layout, Gatling 3.0 to 3.12: a record a line, fields parted by tabs
//! (<https://github.com/gatling/gatling/blob/v3.12.0/gatling-core/src/main/scala/io/gatling/core/stats/writer/LogFileDataWriter.scala>).
//!
//! ```text
//! ASSERTION  Base64
//! RUN        class  id  start  description  version
//! USER       scenario [user] START|END [start] time
//! REQUEST    [user] groups name start end OK|KO message
//! GROUP      [user] groups start end cumulated OK|KO
//! ERROR      message time
//! ```
//! What stands in brackets was there up to 3.3. Groups are parted by commas. Times are Unix ms.

use super::super::pickle;
use super::head::Head;
use super::samples::{Path, Request, Samples};
use crate::collector::Collector;
use crate::read::{LATEST_MS, Lines, ReadError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::{memchr, memrchr};
use std::collections::HashMap;

/// Assertions of earlier versions are pickled in another order.
const PICKLED_SINCE: u32 = 10;
/// The first version without the users' ids.
const WITHOUT_USERS: u32 = 4;
/// The first version with a binary log.
const BINARY: u32 = 13;

/// Reads a text log.
#[derive(Default)]
pub(super) struct Parser {
    lines: Lines,
    records: Records,
}

#[derive(Default)]
struct Records {
    head: Head,
    assertions: Vec<Vec<u8>>,
    with_users: bool,
    /// By groups and name as they stand in a line.
    paths: HashMap<Box<[u8]>, Path>,
}

impl Parser {
    pub(super) fn head(&self) -> &Head {
        &self.records.head
    }

    /// Reads what stands behind the last line break, and says how many bytes of it are not a whole record. Times have so many digits that half
    /// of one is told from a whole one.
    pub(super) fn finish(&mut self, samples: &mut Samples, into: &mut Collector) -> usize {
        let Some(rest) = self.lines.rest() else {
            return 0;
        };
        let whole = ends_with_a_time(rest) && self.records.line(rest, samples, into).is_ok();
        if whole { 0 } else { rest.len() }
    }

    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        samples: &mut Samples,
        into: &mut Collector,
    ) -> Result<(), ReadError> {
        let records = &mut self.records;
        self.lines.push(bytes, |line, number| {
            records
                .line(line, samples, into)
                .map_err(|fault| fault.at(line, number))
        })
    }
}

/// Why a line cannot be read.
enum Fault {
    Field(&'static str),
    Record,
    Early,
    Backwards,
    Version(String),
}

impl Fault {
    fn at(self, line: &[u8], number: u64) -> ReadError {
        let shown: String = String::from_utf8_lossy(line).chars().take(120).collect();
        let problem = match self {
            Self::Field(what) => {
                format!("there is no {what} in {shown:?}: is this a log of Gatling 3.0 to 3.12?")
            }
            Self::Record => format!(
                "{shown:?} is not a record of Gatling's: a name with a line break, or a damaged file?"
            ),
            Self::Early => {
                format!("{shown:?} stands before the line RUN: the log's head is missing")
            }
            Self::Backwards => {
                format!(
                    "{shown:?} ends before it starts: was the clock set, or is the file damaged?"
                )
            }
            Self::Version(found) => {
                return ReadError::Unknown {
                    what: "the text log of Gatling",
                    found,
                    remedy: "text logs of 3.0 to 3.12 are read: make the run again with one of these, or with 3.13 to 3.15".into(),
                };
            }
        };
        ReadError::malformed(format!("line {number}"), problem)
    }
}

impl Records {
    fn line(
        &mut self,
        line: &[u8],
        samples: &mut Samples,
        into: &mut Collector,
    ) -> Result<(), Fault> {
        let (kind, rest) = first(line).unwrap_or((line, b""));
        match kind {
            b"ASSERTION" if self.assertions.len() < 10_000 => {
                self.assertions.push(rest.to_vec());
                Ok(())
            }
            b"RUN" => self.run(rest),
            _ if self.head.version.is_empty() => Err(Fault::Early),
            b"REQUEST" => self.request(rest, samples, into),
            b"USER" => self.user(rest, samples, into),
            b"GROUP" => self.group(rest, samples, into),
            b"ERROR" => {
                let (message, _) = last(rest).ok_or(Fault::Field("time"))?;
                samples.error(&String::from_utf8_lossy(message));
                Ok(())
            }
            b"" => Ok(()),
            _ => Err(Fault::Record),
        }
    }

    fn run(&mut self, line: &[u8]) -> Result<(), Fault> {
        let (rest, version) = last(line).ok_or(Fault::Field("version"))?;
        let version = String::from_utf8_lossy(version).trim().to_owned();
        let (class, _) = first(rest).ok_or(Fault::Field("class"))?;
        let minor = version
            .strip_prefix("3.")
            .and_then(|rest| rest.split(['.', '-']).next()?.parse::<u32>().ok())
            .filter(|minor| *minor < BINARY)
            .ok_or_else(|| Fault::Version(version.clone()))?;
        self.with_users = minor < WITHOUT_USERS;
        for pickled in std::mem::take(&mut self.assertions) {
            let known = (minor >= PICKLED_SINCE)
                .then(|| STANDARD.decode(pickled.trim_ascii()).ok())
                .flatten()
                .and_then(|bytes| pickle::assertion(&bytes));
            match known {
                Some(assertion) => self.head.assertions.push(assertion),
                None => self.head.unknown_assertions += 1,
            }
        }
        self.head.simulation = String::from_utf8_lossy(class).into_owned();
        self.head.version = version;
        Ok(())
    }

    fn request(
        &mut self,
        line: &[u8],
        samples: &mut Samples,
        into: &mut Collector,
    ) -> Result<(), Fault> {
        // From the end: messages hold no tab, names may.
        let (rest, message) = last(line).ok_or(Fault::Field("message"))?;
        let before = last(rest).ok_or(Fault::Field("status"))?;
        // The message of a request that passed is a blank, which editors and repositories trim.
        let (rest, status, message) = match (before.1, message) {
            (b"OK" | b"KO", _) => (before.0, before.1, message),
            (_, b"OK" | b"KO") => (rest, message, &b""[..]),
            _ => (before.0, before.1, message),
        };
        let (rest, end) = last(rest).ok_or(Fault::Field("end"))?;
        let (place, start) = last(rest).ok_or(Fault::Field("start"))?;
        let failure = match status {
            b"OK" => None,
            b"KO" => Some(samples.message(message.trim_ascii())),
            _ => return Err(Fault::Field("OK or KO")),
        };
        let request = Request {
            path: self.path(place, samples)?,
            start_ms: number(start).ok_or(Fault::Field("start in ms"))?,
            end_ms: number(end).ok_or(Fault::Field("end in ms"))?,
            failure,
        };
        if request.end_ms < request.start_ms {
            return Err(Fault::Backwards);
        }
        samples.request(&request, into);
        Ok(())
    }

    /// The path of `[user] groups name`, as they stand in a line; a group has no name.
    fn path(&mut self, place: &[u8], samples: &mut Samples) -> Result<Path, Fault> {
        let place = if self.with_users {
            first(place).ok_or(Fault::Field("user"))?.1
        } else {
            place
        };
        if let Some(&path) = self.paths.get(place) {
            return Ok(path);
        }
        let (groups, name) = first(place).unwrap_or((place, b""));
        let group: String = groups
            .split(|&c| c == b',')
            .filter(|group| !group.is_empty())
            .flat_map(|group| ["::".into(), String::from_utf8_lossy(group)])
            .collect();
        let path = samples.path(&group, &String::from_utf8_lossy(name));
        if Samples::is_kept(path) {
            self.paths.insert(place.into(), path);
        }
        Ok(path)
    }

    fn group(
        &mut self,
        line: &[u8],
        samples: &mut Samples,
        into: &mut Collector,
    ) -> Result<(), Fault> {
        let (rest, _status) = last(line).ok_or(Fault::Field("status"))?;
        let (rest, _cumulated) = last(rest).ok_or(Fault::Field("cumulated response time"))?;
        let (rest, end) = last(rest).ok_or(Fault::Field("end"))?;
        let (place, start) = last(rest).ok_or(Fault::Field("start"))?;
        let path = self.path(place, samples)?;
        let start = number(start).ok_or(Fault::Field("start in ms"))?;
        let end = number(end).ok_or(Fault::Field("end in ms"))?;
        if end < start {
            return Err(Fault::Backwards);
        }
        samples.group(path, start, end, into);
        Ok(())
    }

    fn user(
        &mut self,
        line: &[u8],
        samples: &mut Samples,
        into: &mut Collector,
    ) -> Result<(), Fault> {
        let (mut rest, time) = last(line).ok_or(Fault::Field("time"))?;
        let at = number(time).ok_or(Fault::Field("time in ms"))?;
        let mut start = None;
        if self.with_users {
            let (before, began) = last(rest).ok_or(Fault::Field("start"))?;
            start = Some(number(began).ok_or(Fault::Field("start in ms"))?);
            rest = before;
        }
        let (mut scenario, event) = last(rest).ok_or(Fault::Field("START or END"))?;
        if self.with_users {
            scenario = last(scenario).ok_or(Fault::Field("user"))?.0;
        }
        match event {
            b"START" => samples.user_start(at, into),
            b"END" => {
                let scenario = String::from_utf8_lossy(scenario);
                samples.user_end(&scenario, start, at, into);
            }
            _ => return Err(Fault::Field("START or END")),
        }
        Ok(())
    }
}

/// Whether a line that may have been cut off has its last field: a time of 13 digits, or an outcome and a message behind one.
fn ends_with_a_time(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_time = |field: &[u8]| field.len() == 13 && number(field).is_some();
    let mut fields = line.rsplit(|&byte| byte == b'\t');
    let (end, before) = (fields.next(), fields.next());
    match (line.split(|&byte| byte == b'\t').next(), end, before) {
        (Some(b"USER" | b"ERROR"), Some(time), _) => is_time(time),
        // A message may have been cut, and is one all the same.
        (Some(b"REQUEST"), Some(b"OK"), Some(time)) => is_time(time),
        (Some(b"REQUEST"), Some(_), Some(b"OK" | b"KO")) => true,
        (Some(b"GROUP"), Some(b"OK" | b"KO"), _) => true,
        _ => false,
    }
}

/// What stands before the first tab, and after it.
#[inline]
fn first(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr(b'\t', line)?;
    Some((&line[..at], &line[at + 1..]))
}

/// What stands before the last tab, and after it.
#[inline]
fn last(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memrchr(b'\t', line)?;
    Some((&line[..at], &line[at + 1..]))
}

/// A time in Unix ms.
#[inline]
fn number(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    let value = digits.iter().try_fold(0i64, |value, &c| {
        let digit = c.wrapping_sub(b'0');
        (digit < 10).then(|| value * 10 + i64::from(digit))
    })?;
    (value <= LATEST_MS).then_some(value)
}
