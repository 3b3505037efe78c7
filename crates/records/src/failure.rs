//! Samples of failures: the first responses of each kind that were not as they should be, so that nobody has to run a test
//! again to see why it failed.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The samples of a task, or of a run: `artifacts/failures/NNNN.json` and `artifacts/failures.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FailureLog {
    /// Version of this layout: [`FailureLog::SCHEMA`].
    pub schema: u32,
    /// In the order in which they were kept; of a run, in that of their times.
    pub samples: Vec<FailureSample>,
    /// Samples of kinds beyond [`FailureLog::MAX_KINDS`], or beyond [`FailureLog::MAX_BYTES`] in all.
    #[serde(default)]
    pub left_out: u64,
    /// The first exchanges of all, whatever came of them: what `run --debug-requests N` asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<FailureSample>,
    /// Of each scenario and name the slowest requests that were traced, [`FailureLog::MAX_SLOWEST`] at most, the slowest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slowest: Vec<FailureSample>,
    #[serde(skip)]
    kinds: BTreeMap<Kind, u32>,
    #[serde(skip)]
    bytes: usize,
}

/// Samples are of one kind that agree in scenario, name, status, error code and the first check that did not hold.
type Kind = (String, String, Option<u16>, Option<String>, Option<String>);

impl FailureLog {
    /// The layout that this code writes and reads.
    pub const SCHEMA: u32 = 1;
    /// Samples of a kind.
    pub const MAX_OF_KIND: u32 = 10;
    /// Kinds.
    pub const MAX_KINDS: usize = 64;
    /// Bytes of all samples, about.
    pub const MAX_BYTES: usize = 1 << 20;
    /// Traced requests that are kept of a scenario and name.
    pub const MAX_SLOWEST: usize = 5;
    /// Traced requests that are kept in all.
    pub const MAX_TRACED: usize = 200;

    /// An empty one.
    pub fn new() -> Self {
        Self {
            schema: Self::SCHEMA,
            ..Self::default()
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.first.is_empty() && self.slowest.is_empty()
    }

    /// Keeps a sample within the bounds; `false`: it was one too many.
    pub fn add(&mut self, sample: FailureSample) -> bool {
        let kind = sample.kind();
        let known = self.kinds.get(&kind).copied().unwrap_or(0);
        if known >= Self::MAX_OF_KIND {
            return false;
        }
        let bytes = sample.bytes();
        let is_new = known == 0 && self.kinds.len() >= Self::MAX_KINDS;
        if is_new || self.bytes + bytes > Self::MAX_BYTES {
            self.left_out += 1;
            return false;
        }
        self.bytes += bytes;
        *self.kinds.entry(kind).or_default() += 1;
        self.samples.push(sample);
        true
    }

    /// Keeps a request that was traced, if it is one of the slowest.
    pub fn add_slow(&mut self, sample: FailureSample) {
        let took = FailureSample::response_ms;
        let at = self.slowest.partition_point(|s| took(s) >= took(&sample));
        self.slowest.insert(at, sample);
        let mut of_name: BTreeMap<(String, String), usize> = BTreeMap::new();
        self.slowest.retain(|s| {
            let known = of_name.entry((s.scenario.clone(), s.name.clone()));
            let count = known.or_default();
            *count += 1;
            *count <= Self::MAX_SLOWEST
        });
        self.slowest.truncate(Self::MAX_TRACED);
    }

    /// The slowest requests that were traced, for a summary.
    pub fn traced(&self) -> Vec<TracedRequest> {
        let traced = self.slowest.iter().filter_map(|s| {
            Some(TracedRequest {
                trace: s.trace.clone()?,
                at_ms: s.at_ms,
                task: s.task,
                scenario: s.scenario.clone(),
                name: s.name.clone(),
                status: s.status,
                error: s.error.clone(),
                response_ms: s.response_ms(),
            })
        });
        traced.take(TracedRequest::MAX).collect()
    }

    /// Which samples there are, for a summary; `object` is where they lie. `None` if there is none.
    pub fn summary(&self, object: String) -> Option<FailuresSummary> {
        let mut kinds = BTreeSet::new();
        let firsts = self.samples.iter().filter(|s| kinds.insert(s.kind()));
        let first = firsts
            .map(FailureSample::headline)
            .take(FailuresSummary::MAX_FIRST);
        (!self.samples.is_empty()).then(|| FailuresSummary {
            kept: self.samples.len() as u64,
            left_out: self.left_out,
            object,
            first: first.collect(),
        })
    }

    /// What several tasks kept, within the bounds of one log: the earliest of each kind.
    pub fn merged(logs: impl IntoIterator<Item = Self>) -> Self {
        let (mut all, mut samples) = (Self::new(), Vec::new());
        for log in logs {
            all.left_out += log.left_out;
            samples.extend(log.samples);
            all.first.extend(log.first);
            for slow in log.slowest {
                all.add_slow(slow);
            }
        }
        samples.sort_by_key(|s| (s.at_ms, s.task));
        all.first.sort_by_key(|s| (s.at_ms, s.task));
        for sample in samples {
            all.add(sample);
        }
        all
    }
}

/// Which samples of failures there are, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailuresSummary {
    /// How many are kept.
    pub kept: u64,
    /// How many were left out because there were too many kinds, or too many bytes in all.
    pub left_out: u64,
    /// The object that holds them, a [`FailureLog`]; `floodgate show ID --failures` shows it.
    pub object: String,
    /// The first of each kind on one line, [`FailuresSummary::MAX_FIRST`] at most.
    pub first: Vec<String>,
}

impl FailuresSummary {
    /// The kinds that are named.
    pub const MAX_FIRST: usize = 5;
}

/// A request that carried a `traceparent`, one of the slowest of its name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TracedRequest {
    /// The id of its trace: 32 lower-case hexadecimal digits.
    pub trace: String,
    /// When it ended, Unix ms.
    pub at_ms: i64,
    /// The task that sent it.
    pub task: u32,
    /// The scenario.
    pub scenario: String,
    /// The request's name.
    pub name: String,
    /// The status; `None` without a response.
    pub status: Option<u16>,
    /// The `error_code`.
    pub error: Option<String>,
    /// From the intended start to the end, ms.
    pub response_ms: f64,
}

impl TracedRequest {
    /// The most of them in a summary.
    pub const MAX: usize = 50;
}

/// How many samples of failures there are: what the record keeps of a [`FailuresSummary`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCounts {
    /// See [`FailuresSummary::kept`].
    pub kept: u64,
    /// See [`FailuresSummary::left_out`].
    pub left_out: u64,
}

impl From<&FailuresSummary> for FailureCounts {
    fn from(summary: &FailuresSummary) -> Self {
        Self {
            kept: summary.kept,
            left_out: summary.left_out,
        }
    }
}

/// An exchange with all that is known of it, secrets left out (by `redact` of the core).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FailureSample {
    /// The task that sent it.
    pub task: u32,
    /// When it ended, Unix ms.
    pub at_ms: i64,
    /// The scenario; empty where the engine does not tell.
    #[serde(default)]
    pub scenario: String,
    /// The request's name; empty where the engine does not tell.
    #[serde(default)]
    pub name: String,
    /// The status; `None` without a response.
    #[serde(default)]
    pub status: Option<u16>,
    /// The `error_code`.
    #[serde(default)]
    pub error: Option<String>,
    /// What the engine says of it in words.
    #[serde(default)]
    pub message: Option<String>,
    /// The checks that did not hold.
    #[serde(default)]
    pub checks: Vec<String>,
    /// What was sent, as far as the engine tells.
    #[serde(default)]
    pub request: Option<Sent>,
    /// What came back, as far as it was kept.
    #[serde(default)]
    pub response: Option<Received>,
    /// Phases and times by name, ms.
    #[serde(default)]
    pub times: BTreeMap<String, f64>,
    /// The id of its trace, if it carried one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// A request of a sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// Its method.
    pub method: String,
    /// Where it went; user and password masked.
    pub url: String,
    /// Names and values in the order in which they were sent, without those that a client adds by itself.
    pub headers: Vec<(String, String)>,
    /// The body's beginning.
    #[serde(default)]
    pub body: Option<Excerpt>,
}

/// A response of a sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// Its status line.
    pub line: String,
    /// Names and values as they came.
    pub headers: Vec<(String, String)>,
    /// The body's beginning.
    #[serde(default)]
    pub body: Option<Excerpt>,
}

/// The beginning of a body.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Excerpt {
    /// At most [`Excerpt::MAX_BYTES`] of it, as text; what is not UTF-8 is replaced.
    pub text: String,
    /// Bytes of the whole body.
    pub bytes: u64,
}

impl Excerpt {
    /// The longest text of an excerpt, in bytes.
    pub const MAX_BYTES: usize = 2 << 10;
    /// Bytes that are kept until secrets have been left out, so that none is cut in two within the text.
    pub const RAW_BYTES: usize = 4 << 10;

    /// Of a body's beginning; `None` for an empty one. The text is still [`Self::RAW_BYTES`] long.
    pub fn of(beginning: &[u8], bytes: u64) -> Option<Self> {
        let beginning = &beginning[..beginning.len().min(Self::RAW_BYTES)];
        (bytes > 0).then(|| Self {
            text: String::from_utf8_lossy(beginning).into_owned(),
            bytes,
        })
    }

    /// Cuts the text to its final length.
    pub fn cut(&mut self) {
        cut(&mut self.text, Self::MAX_BYTES);
    }
}

/// Cuts a text between characters.
fn cut(text: &mut String, most: usize) {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}

impl FailureSample {
    /// The most headers of a message that are kept.
    pub const MAX_HEADERS: usize = 50;
    /// The longest value of a header, URL or message that is kept, in bytes.
    pub const MAX_VALUE_BYTES: usize = 2 << 10;

    /// Cuts what an engine says, which has no bound, to what is kept until secrets have been left out of it.
    pub fn shorten(&mut self) {
        for text in self.texts() {
            cut(text, Excerpt::RAW_BYTES);
        }
    }

    /// Cuts the texts that an engine gives to their final length; those of bodies are cut by themselves.
    pub fn cut(&mut self) {
        let said = [&mut self.name].into_iter().chain(&mut self.checks);
        for text in said.chain(&mut self.message) {
            cut(text, Self::MAX_VALUE_BYTES);
        }
    }

    /// From the intended start to the end, ms.
    pub fn response_ms(&self) -> f64 {
        let known = self.times.get("http_req_response_time");
        known.copied().unwrap_or_default()
    }

    fn kind(&self) -> Kind {
        let check = self.checks.first().cloned();
        let (scenario, name) = (self.scenario.clone(), self.name.clone());
        (scenario, name, self.status, self.error.clone(), check)
    }

    /// All texts that may hold something that was sent or received.
    pub fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let request = self.request.iter_mut().flat_map(|r| {
            let headers = r.headers.iter_mut().map(|(_, value)| value);
            let body = r.body.iter_mut().map(|b| &mut b.text);
            std::iter::once(&mut r.url).chain(headers).chain(body)
        });
        let response = self.response.iter_mut().flat_map(|r| {
            let headers = r.headers.iter_mut().map(|(_, value)| value);
            let body = r.body.iter_mut().map(|b| &mut b.text);
            std::iter::once(&mut r.line).chain(headers).chain(body)
        });
        let names = [&mut self.name].into_iter().chain(&mut self.checks);
        names
            .chain(&mut self.message)
            .chain(request)
            .chain(response)
    }

    fn bytes(&self) -> usize {
        const FIXED: usize = 512;
        let headers = |list: &[(String, String)]| -> usize {
            list.iter().map(|(n, v)| n.len() + v.len() + 16).sum()
        };
        let body = |body: &Option<Excerpt>| body.as_ref().map_or(0, |b| b.text.len());
        let sent = self
            .request
            .as_ref()
            .map_or(0, |r| r.url.len() + headers(&r.headers) + body(&r.body));
        let received = self
            .response
            .as_ref()
            .map_or(0, |r| headers(&r.headers) + body(&r.body));
        let message = self.message.as_ref().map_or(0, String::len);
        FIXED + self.name.len() + message + sent + received
    }

    /// The failure on one line: `GET http://shop/cart: 503 after 12.1 ms, status == 200 does not hold`.
    pub fn headline(&self) -> String {
        let what = match &self.request {
            // Not every engine tells the method.
            Some(request) => format!("{} {}", request.method, request.url),
            None => self.name.clone(),
        };
        let mut outcome = Vec::new();
        match (self.status, &self.error) {
            (Some(status), Some(error)) => outcome.push(format!("{status}, {error}")),
            (Some(status), None) => outcome.push(status.to_string()),
            (None, Some(error)) => outcome.push(error.clone()),
            (None, None) => {}
        }
        if let Some(ms) = self.times.get("http_req_duration") {
            outcome.push(format!("after {ms:.1} ms"));
        }
        let outcome = Some(outcome.join(" ")).filter(|outcome| !outcome.is_empty());
        let checks = self.checks.iter();
        let checks = checks.map(|check| format!("{check} does not hold"));
        let details: Vec<_> = outcome.into_iter().chain(checks).collect();
        let parts = [what.trim().to_owned(), details.join(", ")];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let mut text = parts.join(": ");
        if let Some(message) = &self.message {
            text += &format!(" ({message})");
        }
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
