//! The binary layout, Gatling 3.13 to 3.15
//! (<https://github.com/gatling/gatling/blob/v3.14.9/gatling-core/src/main/scala/io/gatling/core/stats/writer/LogFileDataWriter.scala>).
//!
//! ```text
//! 0 Run      version class start:i64 description n:i32 scenario*n n:i32 (length:i32 assertion)*n
//! 1 Request  n:i32 group*n name start:i32 end:i32 ok:u8 message
//! 2 User     scenario:i32 start:u8 time:i32
//! 3 Group    n:i32 group*n start:i32 end:i32 cumulated:i32 ok:u8
//! 4 Error    message time:i32
//! ```
//! Numbers are big-endian, times in ms from the run's start. A string is its length in bytes as an i32, its bytes, and unless
//! it is empty a byte that says how they are encoded: 0 Latin-1, 1 UTF-16 in the order of the machine that wrote it,
//! which is taken to be little-endian as all are that Gatling is run on. The strings of records are written once: a positive
//! i32 is a new one's number, with the string after it, a negative one refers back.

use super::super::pickle;
use super::head::Head;
use super::input::{Fault, Input, Text, Written};
use super::samples::{Message, Path, Request, Samples};
use crate::collector::Collector;
use crate::read::{LATEST_MS, ReadError};
use floodgate_core::fold::OTHER;
use std::collections::HashMap;
use std::ops::Range;

/// The first byte of a record, and so of a log.
pub(super) const RUN: u8 = 0;
const REQUEST: u8 = 1;
const USER: u8 = 2;
const GROUP: u8 = 3;
const ERROR: u8 = 4;

/// The versions of this layout: minor versions of 3.
const VERSIONS: Range<u32> = 13..16;
/// The longest record in bytes.
const LONGEST_RECORD: usize = 16 << 20;
/// Strings that are remembered. Simulations whose messages differ in each request have more.
const MOST_STRINGS: usize = 1 << 20;
/// Strings longer than this that came up as a message are not remembered: only what they mean is.
const SHORT: usize = 64;

/// Reads a binary log.
#[derive(Default)]
pub(super) struct Parser {
    head: Head,
    /// The start of the run, Unix ms.
    start_ms: i64,
    scenarios: Vec<String>,
    strings: Vec<CachedString>,
    /// By the numbers of the groups and the name.
    paths: HashMap<Box<[u32]>, Path>,
    /// The path of the last record, which the next one often has too.
    last: (Vec<u32>, Path),
    /// The groups and the name of the record at hand.
    place: Vec<Text>,
    key: Vec<u32>,
    /// Whether a name was not remembered.
    lost_names: bool,
    /// A record that has not come to its end.
    rest: Vec<u8>,
    /// How many bytes came before it.
    offset: u64,
}

/// A string of the log.
#[derive(Default)]
struct CachedString {
    text: Option<Box<str>>,
    message: Option<Message>,
}

fn in_order(start: i32, end: i32) -> Result<(), Fault> {
    if end >= start {
        return Ok(());
    }
    Err(Fault::Malformed(format!(
        "a record that ends before it starts, at {end} ms after {start} ms: was the clock set?"
    )))
}

impl Parser {
    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    /// How many bytes of an unfinished record there are.
    pub(super) fn rest(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        samples: &mut Samples,
        into: &mut Collector,
    ) -> Result<(), ReadError> {
        let mut all = std::mem::take(&mut self.rest);
        let bytes = if all.is_empty() {
            bytes
        } else {
            all.extend_from_slice(bytes);
            &all
        };
        let done = self.records(bytes, samples, into);
        // A name is lost once and for all, whichever record it was lost in.
        if self.lost_names {
            into.lost_names();
        }
        self.keep(&bytes[done?..])
    }

    /// Keeps what an unfinished record has of itself until the next piece comes.
    fn keep(&mut self, rest: &[u8]) -> Result<(), ReadError> {
        if rest.len() > LONGEST_RECORD {
            return Err(ReadError::malformed(
                format!("the record at byte {}", self.offset),
                format!(
                    "it is longer than {LONGEST_RECORD} bytes: is this a log of Gatling 3.13 to 3.15?"
                ),
            ));
        }
        self.rest.extend_from_slice(rest);
        Ok(())
    }

    /// Whether [`OTHER`] stands in place of a name.
    fn is_lost(&self, text: &Text) -> bool {
        let known = self.strings.get(text.number as usize - 1);
        known.is_none_or(|known| known.text.is_none())
    }

    /// Reads all complete records, and gives back how many bytes they are.
    fn records(
        &mut self,
        bytes: &[u8],
        samples: &mut Samples,
        into: &mut Collector,
    ) -> Result<usize, ReadError> {
        let mut input = Input { bytes, at: 0 };
        while input.at < bytes.len() {
            let begin = input.at;
            match self.record(&mut input, samples, into) {
                Ok(()) => self.offset += (input.at - begin) as u64,
                Err(Fault::Cut) => return Ok(begin),
                Err(Fault::Malformed(problem)) => {
                    return Err(ReadError::malformed(
                        format!("the record at byte {}", self.offset),
                        format!("{problem}: is this a log of Gatling 3.13 to 3.15?"),
                    ));
                }
                Err(Fault::Version(found)) => {
                    return Err(ReadError::Unknown {
                        what: "the binary log of Gatling",
                        found,
                        remedy: "logs of 3.13 to 3.15 are read, and text logs of 3.0 to 3.12: use one of these versions, or a \
                                 newer floodgate"
                            .into(),
                    });
                }
            }
        }
        Ok(input.at)
    }

    #[inline]
    fn record(
        &mut self,
        input: &mut Input<'_>,
        samples: &mut Samples,
        into: &mut Collector,
    ) -> Result<(), Fault> {
        let kind = input.byte()?;
        if (kind == RUN) != self.head.version.is_empty() {
            return Err(Fault::Malformed(format!(
                "a record of kind {kind} where none may be"
            )));
        }
        match kind {
            REQUEST => self.request(input, samples, into),
            USER => self.user(input, samples, into),
            GROUP => self.group(input, samples, into),
            ERROR => {
                let message = input.cached()?;
                input.int()?;
                self.learn(&message, input.bytes, false)?;
                samples.error(self.text(&message));
                Ok(())
            }
            RUN => self.run(input, samples),
            _ => Err(Fault::Malformed(format!(
                "a record of kind {kind}, which there is not"
            ))),
        }
    }

    #[cold]
    fn run(&mut self, input: &mut Input<'_>, samples: &mut Samples) -> Result<(), Fault> {
        let version = input.text()?;
        let minor = version
            .strip_prefix("3.")
            .and_then(|rest| rest.split(['.', '-']).next()?.parse::<u32>().ok());
        if !minor.is_some_and(|minor| VERSIONS.contains(&minor)) {
            return Err(Fault::Version(version));
        }
        let mut head = Head {
            version,
            simulation: input.text()?,
            ..Head::default()
        };
        let start_ms = input.long()?;
        if !(0..=LATEST_MS).contains(&start_ms) {
            return Err(Fault::Malformed(format!(
                "a run that started at {start_ms} ms of Unix time, which is not a valid time"
            )));
        }
        input.string()?;
        let scenarios = input.count()?;
        let scenarios: Vec<String> = (0..scenarios)
            .map(|_| input.text())
            .collect::<Result<_, _>>()?;
        for _ in 0..input.count()? {
            let length = input.length()?;
            match pickle::assertion(input.take(length)?) {
                Some(assertion) => head.assertions.push(assertion),
                None => head.unknown_assertions += 1,
            }
        }
        if let [scenario] = &scenarios[..] {
            samples.set_scenario(scenario);
        }
        (self.head, self.start_ms, self.scenarios) = (head, start_ms, scenarios);
        Ok(())
    }

    #[inline]
    fn request(
        &mut self,
        input: &mut Input<'_>,
        samples: &mut Samples,
        into: &mut Collector,
    ) -> Result<(), Fault> {
        self.groups(input)?;
        self.place.push(input.cached()?);
        let (start, end) = (input.int()?, input.int()?);
        let passed = input.byte()? != 0;
        let message = input.cached()?;
        in_order(start, end)?;
        // The record is complete: from here on it changes what is known.
        let path = self.path(input.bytes, true, samples)?;
        self.learn(&message, input.bytes, true)?;
        let failure = (!passed).then(|| self.message(&message, input.bytes, samples));
        let request = Request {
            path,
            start_ms: self.time(start),
            end_ms: self.time(end),
            failure,
        };
        samples.request(&request, into);
        Ok(())
    }

    fn group(
        &mut self,
        input: &mut Input<'_>,
        samples: &mut Samples,
        into: &mut Collector,
    ) -> Result<(), Fault> {
        self.groups(input)?;
        let (start, end) = (input.int()?, input.int()?);
        let _cumulated = input.int()?;
        let _passed = input.byte()?;
        in_order(start, end)?;
        let path = self.path(input.bytes, false, samples)?;
        samples.group(path, self.time(start), self.time(end), into);
        Ok(())
    }

    fn user(
        &mut self,
        input: &mut Input<'_>,
        samples: &mut Samples,
        into: &mut Collector,
    ) -> Result<(), Fault> {
        let scenario = input.int()?;
        let start = input.byte()? != 0;
        let at = self.time(input.int()?);
        if start {
            samples.user_start(at, into);
            return Ok(());
        }
        let name = usize::try_from(scenario)
            .ok()
            .and_then(|i| self.scenarios.get(i));
        let name =
            name.ok_or_else(|| Fault::Malformed(format!("there is no scenario {scenario}")))?;
        samples.user_end(name, None, at, into);
        Ok(())
    }

    fn groups(&mut self, input: &mut Input<'_>) -> Result<(), Fault> {
        self.place.clear();
        for _ in 0..input.count()? {
            self.place.push(input.cached()?);
        }
        Ok(())
    }

    #[inline]
    fn time(&self, offset: i32) -> i64 {
        self.start_ms.saturating_add(i64::from(offset))
    }

    /// The path of the record at hand. The key of a group ends with 0, which is not a string's number, in place of a name.
    #[inline]
    fn path(&mut self, bytes: &[u8], named: bool, samples: &mut Samples) -> Result<Path, Fault> {
        self.key.clear();
        self.key.extend(self.place.iter().map(|text| text.number));
        if !named {
            self.key.push(0);
        }
        if self.key == self.last.0 {
            return Ok(self.last.1);
        }
        let path = match self.paths.get(&self.key[..]) {
            Some(&path) => path,
            None => self.new_path(bytes, named, samples)?,
        };
        if Samples::is_kept(path) {
            self.last.0.clone_from(&self.key);
            self.last.1 = path;
        }
        Ok(path)
    }

    #[cold]
    fn new_path(
        &mut self,
        bytes: &[u8],
        named: bool,
        samples: &mut Samples,
    ) -> Result<Path, Fault> {
        let place = std::mem::take(&mut self.place);
        for text in &place {
            self.learn(text, bytes, false)?;
        }
        self.lost_names |= place.iter().any(|text| self.is_lost(text));
        let (groups, name) = match place.split_last() {
            Some((name, groups)) if named => (groups, self.text(name)),
            _ => (&place[..], ""),
        };
        let group: String = groups
            .iter()
            .flat_map(|group| ["::", self.text(group)])
            .collect();
        let path = samples.path(&group, name);
        self.place = place;
        if Samples::is_kept(path) {
            self.paths.insert(self.key.as_slice().into(), path);
        }
        Ok(path)
    }

    /// Remembers a string that is new. Numbers count from 1.
    #[inline]
    fn learn(&mut self, text: &Text, bytes: &[u8], message: bool) -> Result<(), Fault> {
        match &text.new {
            None => Ok(()),
            Some(written) => self.learn_new(text.number, written, bytes, message),
        }
    }

    fn learn_new(
        &mut self,
        number: u32,
        written: &Written,
        bytes: &[u8],
        message: bool,
    ) -> Result<(), Fault> {
        let index = number as usize - 1;
        if index >= MOST_STRINGS {
            return Ok(());
        }
        // A number that leaves some out is not Gatling's, and would make room for what never comes.
        if index > self.strings.len() {
            return Err(Fault::Malformed(format!(
                "string {number} comes before string {}",
                self.strings.len() + 1
            )));
        }
        if index == self.strings.len() {
            self.strings.push(CachedString::default());
        }
        if !message || written.bytes.len() <= SHORT {
            self.strings[index].text = Some(written.decode(bytes).into());
        }
        Ok(())
    }

    /// A string that has been learnt. One that was not, for there are too many, is like a name past the bound on series.
    fn text(&self, text: &Text) -> &str {
        let known = self.strings.get(text.number as usize - 1);
        known
            .and_then(|known| known.text.as_deref())
            .unwrap_or(OTHER)
    }

    /// What a message means: looked at once for each string.
    fn message(&mut self, text: &Text, bytes: &[u8], samples: &mut Samples) -> Message {
        let index = text.number as usize - 1;
        if let Some(CachedString {
            message: Some(message),
            ..
        }) = self.strings.get(index)
        {
            return *message;
        }
        let message = match &text.new {
            Some(written) => samples.message(written.decode(bytes).as_bytes()),
            None => samples.message(self.text(text).as_bytes()),
        };
        if let Some(known) = self.strings.get_mut(index) {
            known.message = Some(message);
        }
        message
    }
}
