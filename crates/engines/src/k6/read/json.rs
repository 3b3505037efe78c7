//! k6's JSON output (`--out json=FILE`): an object a line, of type `Metric` (a metric's type, before its first sample) or `Point`.

use super::point;
use super::response::Responses;
use super::samples::{MetricId, Samples, excerpt, malformed};
use super::tags::SetId;
use crate::collector::Collector;
use crate::inspection::PlannedScenario;
use crate::read::{Lines, ReadError, Reader};
use floodgate_records::metric::MetricKind;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Reads k6's JSON output. A reader belongs to one [`Collector`]: it keeps that one's series.
#[derive(Default)]
pub struct JsonReader {
    lines: Lines,
    state: State,
}

#[derive(Default)]
struct State {
    samples: Samples,
    /// The tags of the latest sample as they were written, and which set they are.
    raw: Vec<u8>,
    set: SetId,
    /// The number of the latest line.
    number: u64,
}

/// Any line, by a JSON parser.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    metric: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    what: Cow<'a, str>,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
    value: Option<f64>,
    tags: Option<BTreeMap<String, String>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    contains: Option<Cow<'a, str>>,
}

impl JsonReader {
    /// At the beginning of a file from elsewhere. It does not say which executors there were, so that there is no
    /// `http_req_response_time`.
    pub fn new() -> Self {
        Self::default()
    }

    /// At the beginning of the output of a run of a script with these scenarios.
    pub fn of_run(scenarios: &[PlannedScenario]) -> Self {
        let open = scenarios.iter().filter(|planned| planned.is_open());
        let only = match scenarios {
            [only] => Some(only.name.clone()),
            _ => None,
        };
        let responses = Responses::new(open.map(|planned| planned.name.clone()).collect(), only);
        let mut reader = Self::default();
        reader.state.samples = Samples::with(responses);
        reader
    }
}

impl Reader for JsonReader {
    fn push(&mut self, bytes: &[u8], into: &mut Collector) -> Result<(), ReadError> {
        let Self { lines, state } = self;
        state.samples.sets.keep_names(into.folding());
        lines.push(bytes, |line, number| state.line(line, number, into))
    }

    fn finish(&mut self, into: &mut Collector) -> Result<Vec<String>, ReadError> {
        let mut warnings = Vec::new();
        if let Some(rest) = self.lines.rest() {
            // A file may lack its last line break; half a line is what a killed k6 leaves.
            if serde_json::from_slice::<Line<'_>>(rest).is_ok() {
                self.state.line(rest, self.state.number + 1, into)?;
            } else {
                into.note_cut();
                warnings.push("k6's output ends in the middle of a line, which is left out: k6 was killed, or the file was cut off".to_owned());
            }
        }
        warnings.extend(self.state.samples.finish(into));
        Ok(warnings)
    }
}

impl State {
    #[inline]
    fn line(&mut self, line: &[u8], number: u64, into: &mut Collector) -> Result<(), ReadError> {
        self.number = number;
        let quick = self.quickly(line, into);
        if quick.is_some() || line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        self.slowly(line, number, into)
    }

    /// Reads a sample in the shape that k6 writes; nothing is done if it is `None`.
    #[inline]
    fn quickly(&mut self, line: &[u8], into: &mut Collector) -> Option<()> {
        let point = point::cut(line)?;
        let at_us = self.samples.clock.read(point.time)?;
        if !Samples::is_time(at_us) {
            return None;
        }
        let metric = self.samples.metric(point.metric)?;
        if !self.samples.is_sound(metric, point.value) {
            return None;
        }
        let set = match point.rest.strip_prefix(&self.raw[..]) {
            // The samples of one request have the same tags, one after the other.
            Some(rest) if !self.raw.is_empty() && point::is_end(rest) => self.set,
            _ => self.change_set(point.rest)?,
        };
        if self.samples.add(metric, set, at_us, point.value, into)
            && self.samples.wants_failure(metric, set, into)
        {
            let tags: BTreeMap<Cow<'_, str>, Cow<'_, str>> =
                serde_json::from_slice(&self.raw).unwrap_or_default();
            let tag = |name: &str| tags.get(name).map(|value| &**value);
            self.samples.keep_failure(metric, set, at_us, tag, into);
        }
        Some(())
    }

    fn change_set(&mut self, rest: &[u8]) -> Option<SetId> {
        let len = point::object_len(rest)?;
        let (raw, after) = rest.split_at(len);
        if !point::is_end(after) {
            return None;
        }
        let set = match self.samples.sets.known(raw) {
            Some(set) => set,
            None => {
                let tags: BTreeMap<Cow<'_, str>, Cow<'_, str>> =
                    serde_json::from_slice(raw).ok()?;
                let tags = tags.iter().map(|(tag, value)| (&**tag, &**value));
                self.samples.sets.learn(raw, tags)
            }
        };
        self.raw.clear();
        self.raw.extend_from_slice(raw);
        self.set = set;
        Some(set)
    }

    #[cold]
    fn slowly(&mut self, line: &[u8], number: u64, into: &mut Collector) -> Result<(), ReadError> {
        let parsed: Line<'_> = serde_json::from_slice(line).map_err(|error| {
            malformed(
                number,
                format!(
                    "{error} in {}: is this k6's JSON output (--out json=FILE)?",
                    excerpt(line)
                ),
            )
            .because(error)
        })?;
        match &*parsed.what {
            "Metric" => {
                if parsed.data.contains.as_deref() == Some("time") {
                    into.note_duration(&parsed.metric);
                }
                self.define(&parsed, number).map(|_| ())
            }
            "Point" => self.sample(&parsed, number, into),
            // What a later k6 may add is none of the samples.
            _ => Ok(()),
        }
    }

    fn define(&mut self, line: &Line<'_>, number: u64) -> Result<MetricId, ReadError> {
        let kind = line.data.kind.as_deref().unwrap_or_default();
        let kind = MetricKind::parse(kind).ok_or_else(|| {
            let problem = format!(
                "the metric {} has the type {kind:?}; there are counter, gauge, rate and trend",
                line.metric
            );
            malformed(number, problem)
        })?;
        self.samples
            .define(&line.metric, kind)
            .map_err(|problem| malformed(number, problem))
    }

    fn sample(
        &mut self,
        line: &Line<'_>,
        number: u64,
        into: &mut Collector,
    ) -> Result<(), ReadError> {
        let Line {
            metric: name, data, ..
        } = line;
        let metric = self.samples.metric(name.as_bytes()).ok_or_else(|| {
            malformed(number, format!("a sample of {name} before the line that says its type: the output is needed from its first line"))
        })?;
        let time = data.time.as_deref().unwrap_or_default();
        let at_us = self.samples.clock.read(time.as_bytes());
        let at_us = at_us.filter(|at_us| Samples::is_time(*at_us)).ok_or_else(|| {
            malformed(
                number,
                format!("the time {time:?} of a sample of {name} is none of RFC 3339 from 1970 to 2199"),
            )
        })?;
        let value = data
            .value
            .ok_or_else(|| malformed(number, format!("a sample of {name} has no value")))?;
        if let Some(doubt) = self.samples.doubt(metric, value) {
            return Err(malformed(number, doubt));
        }
        let tags = data.tags.iter().flatten();
        let set = self
            .samples
            .sets
            .of(tags.map(|(tag, value)| (tag.as_str(), value.as_str())));
        self.raw.clear();
        if self.samples.add(metric, set, at_us, value, into)
            && self.samples.wants_failure(metric, set, into)
        {
            let tag = |name: &str| data.tags.as_ref()?.get(name).map(String::as_str);
            self.samples.keep_failure(metric, set, at_us, tag, into);
        }
        Ok(())
    }
}
