//! Records of a log into samples; what both layouts share.

use super::super::thresholds::Name;
use super::message::{Class, check, classify};
use crate::collector::{Collector, Series};
use floodgate_records::failure::FailureSample;
use floodgate_records::metric::{Builtin, Tags};
use std::collections::HashMap;

/// Requests whose series are remembered; those of further ones are looked up again each time.
pub(super) const MOST_PATHS: usize = 20_000;
/// Messages whose number is kept, and how many of them are shown.
const MOST_MESSAGES: usize = 200;
const SHOWN_MESSAGES: usize = 5;
/// The longest silence that is filled with samples of `vus`, in seconds.
const LONGEST_SILENCE_S: i64 = 60;

/// A request's or group's place among those that are remembered.
pub(super) type Path = u32;

/// A failed request's message: what it means, and where it is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    class: Class,
    place: u32,
}

/// A request as a record has it.
pub(super) struct Request {
    pub(super) path: Path,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    /// How it failed.
    pub(super) failure: Option<Message>,
}

/// Keeps series and counts.
#[derive(Default)]
pub(super) struct Samples {
    scenario: Option<String>,
    paths: Vec<NamedSeries>,
    users: HashMap<String, User>,
    vus: Option<Series>,
    /// Users that have started and not ended.
    running: i64,
    /// The last second, of Unix time, in which `vus` was sampled.
    second: i64,
    /// Failed requests' messages: what they mean, and their place in `counts`.
    messages: HashMap<Box<[u8]>, Message>,
    counts: Vec<u64>,
    /// By the same place: the text, of the last place the latest one, and the check that did not hold.
    texts: Vec<(Box<[u8]>, Option<String>)>,
    errors: u64,
    first_error: String,
}

struct NamedSeries {
    name: Name,
    passed: Option<Set>,
    failed: Vec<(Class, Set)>,
    group: Option<Series>,
}

/// The series of a request that ended one way.
#[derive(Clone, Copy)]
struct Set {
    requests: Series,
    failed: Series,
    duration: Series,
    /// The same as the duration: what a user waits for a start is not in the log. An open model leaves no start out, and in a closed one
    /// it is part of the model.
    response: Series,
    checks: Series,
}

#[derive(Clone, Copy)]
struct User {
    iterations: Series,
    duration: Series,
}

impl Samples {
    /// The one scenario that all requests belong to.
    pub(super) fn set_scenario(&mut self, name: &str) {
        self.scenario = Some(name.to_owned());
    }

    /// A place for a request or a group (whose name is empty). Past [`MOST_PATHS`] it holds until the next call only.
    pub(super) fn path(&mut self, group: &str, name: &str) -> Path {
        let known = NamedSeries {
            name: Name {
                group: group.to_owned(),
                name: name.to_owned(),
            },
            passed: None,
            failed: Vec::new(),
            group: None,
        };
        if self.paths.len() > MOST_PATHS {
            // The last place is the one that is used again and again.
            self.paths.pop();
        }
        self.paths.push(known);
        (self.paths.len() - 1) as Path
    }

    /// Whether a path may be remembered by the parser: it stays what it is.
    pub(super) fn is_kept(path: Path) -> bool {
        (path as usize) < MOST_PATHS
    }

    pub(super) fn requests(&self) -> Vec<Name> {
        let requests = self.paths.iter().map(|known| &known.name);
        let mut names: Vec<Name> = requests
            .filter(|name| !name.name.is_empty())
            .cloned()
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    #[inline]
    pub(super) fn request(&mut self, request: &Request, into: &mut Collector) {
        let Request {
            path,
            start_ms,
            end_ms,
            failure,
        } = *request;
        let at_us = end_ms.saturating_mul(1_000);
        if let Some(message) = failure {
            self.counts[message.place as usize] += 1;
        }
        let class = failure.map(|message| message.class);
        if let Some(message) = failure {
            self.sample(request, message, into);
        }
        let scenario = self.scenario.as_deref();
        let set = self.paths[path as usize].set(class, at_us, scenario, into);
        let failed = if failure.is_some() { 1.0 } else { 0.0 };
        into.add(set.requests, at_us, 1.0);
        into.add(set.failed, at_us, failed);
        into.add(set.checks, at_us, 1.0 - failed);
        let took_us = us_between(start_ms, end_ms);
        into.time(set.duration, at_us, took_us);
        into.time(set.response, at_us, took_us);
        self.tick(end_ms, into);
    }

    /// Samples a failure: what the log tells are its name, its time and Gatling's message.
    #[cold]
    fn sample(&self, request: &Request, message: Message, into: &mut Collector) {
        let name = &self.paths[request.path as usize].name;
        let Some((text, check)) = self.texts.get(message.place as usize) else {
            return;
        };
        let check = check.as_deref();
        let class = message.class;
        if !into.wants_failure((&name.group, &name.name, class, check)) {
            return;
        }
        let took_ms = us_between(request.start_ms, request.end_ms) as f64 / 1_000.0;
        into.add_failure(FailureSample {
            at_ms: request.end_ms,
            scenario: self.scenario.clone().unwrap_or_default(),
            name: name.name.clone(),
            status: class.status,
            error: class.error_code.map(str::to_owned),
            message: Some(String::from_utf8_lossy(text).into_owned())
                .filter(|text| !text.is_empty()),
            checks: check.map(str::to_owned).into_iter().collect(),
            times: [(Builtin::HttpReqDuration.name().to_owned(), took_ms)].into(),
            ..FailureSample::default()
        });
    }

    pub(super) fn group(&mut self, path: Path, start_ms: i64, end_ms: i64, into: &mut Collector) {
        let known = &mut self.paths[path as usize];
        let series = *known.group.get_or_insert_with(|| {
            let tags = place(&known.name, self.scenario.as_deref());
            into.duration("group_duration", &tags)
        });
        let at_us = end_ms.saturating_mul(1_000);
        into.time(series, at_us, us_between(start_ms, end_ms));
        self.tick(end_ms, into);
    }

    pub(super) fn user_start(&mut self, at_ms: i64, into: &mut Collector) {
        self.tick(at_ms, into);
        self.running += 1;
        self.sample_vus(at_ms, into);
    }

    /// A user has ended; `start_ms` if the log says when that one started.
    pub(super) fn user_end(
        &mut self,
        scenario: &str,
        start_ms: Option<i64>,
        at_ms: i64,
        into: &mut Collector,
    ) {
        self.tick(at_ms, into);
        self.running -= 1;
        self.sample_vus(at_ms, into);
        let series = match self.users.get(scenario) {
            Some(&series) => series,
            None => {
                let tags = Tags::new().with("scenario", scenario);
                let user = User {
                    iterations: into.builtin(Builtin::Iterations, &tags),
                    duration: into.builtin(Builtin::IterationDuration, &tags),
                };
                if self.users.len() < MOST_PATHS {
                    self.users.insert(scenario.to_owned(), user);
                }
                user
            }
        };
        let at_us = at_ms.saturating_mul(1_000);
        into.add(series.iterations, at_us, 1.0);
        if let Some(start_ms) = start_ms {
            into.time(series.duration, at_us, us_between(start_ms, at_ms));
        }
    }

    /// What a failed request's message means.
    pub(super) fn message(&mut self, text: &[u8]) -> Message {
        if let Some(&message) = self.messages.get(text) {
            return message;
        }
        let class = classify(text);
        // The last place counts all that are not kept.
        let place = self.messages.len().min(MOST_MESSAGES) as u32;
        let message = Message { class, place };
        if self.messages.len() < MOST_MESSAGES {
            self.messages.insert(text.into(), message);
        }
        let noted = (text.into(), check(text));
        match self.texts.get_mut(place as usize) {
            Some(latest) => *latest = noted,
            None => {
                self.texts.push(noted);
                self.counts.push(0);
            }
        }
        message
    }

    pub(super) fn error(&mut self, message: &str) {
        if self.errors == 0 {
            self.first_error = message.chars().take(200).collect();
        }
        self.errors += 1;
    }

    fn sample_vus(&mut self, at_ms: i64, into: &mut Collector) {
        let series = *self
            .vus
            .get_or_insert_with(|| into.builtin(Builtin::Vus, &Tags::new()));
        into.add(
            series,
            at_ms.saturating_mul(1_000),
            self.running.max(0) as f64,
        );
    }

    /// Once a second of the log, so that a second without starts and ends has its users too.
    #[inline]
    fn tick(&mut self, at_ms: i64, into: &mut Collector) {
        let second = at_ms.div_euclid(1_000);
        if second > self.second {
            self.pass_seconds(second, into);
        }
    }

    #[cold]
    fn pass_seconds(&mut self, second: i64, into: &mut Collector) {
        if self.vus.is_some() {
            let from = (self.second + 1).max(second - LONGEST_SILENCE_S);
            for passed in from..=second {
                self.sample_vus(passed.saturating_mul(1_000), into);
            }
        }
        self.second = second;
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.running > 0 {
            warnings.push(format!(
                "{} users had not ended when the log did: their iterations are not counted",
                self.running
            ));
        }
        if self.errors > 0 {
            warnings.push(format!(
                "{} requests could not be built, and were not sent; the first: {}",
                self.errors, self.first_error
            ));
        }
        let mut messages: Vec<_> = self.messages.iter().collect();
        messages.sort_unstable_by_key(|(text, message)| {
            (
                std::cmp::Reverse(self.counts[message.place as usize]),
                *text,
            )
        });
        warnings.extend(messages.iter().take(SHOWN_MESSAGES).map(|(text, message)| {
            let count = self.counts[message.place as usize];
            format!("{count} requests failed: {}", String::from_utf8_lossy(text))
        }));
        warnings
    }
}

impl NamedSeries {
    #[inline]
    fn set(
        &mut self,
        failure: Option<Class>,
        at_us: i64,
        scenario: Option<&str>,
        into: &mut Collector,
    ) -> Set {
        if self.passed.is_none() && self.failed.is_empty() {
            self.begin(at_us, scenario, into);
        }
        match (failure, self.passed) {
            (None, Some(set)) => set,
            (None, None) => {
                let set = self.make(None, scenario, into);
                self.passed = Some(set);
                set
            }
            (Some(class), _) => {
                if let Some((_, set)) = self.failed.iter().find(|(known, _)| *known == class) {
                    return *set;
                }
                let set = self.make(Some(class), scenario, into);
                self.failed.push((class, set));
                set
            }
        }
    }

    /// A sample of zero each way, so that a threshold on the number of failed requests has data when none has failed.
    #[cold]
    fn begin(&self, at_us: i64, scenario: Option<&str>, into: &mut Collector) {
        for expected in ["true", "false"] {
            let tags = place(&self.name, scenario).with("expected_response", expected);
            let requests = into.builtin(Builtin::HttpReqs, &tags);
            into.add(requests, at_us, 0.0);
        }
    }

    #[cold]
    fn make(&self, failure: Option<Class>, scenario: Option<&str>, into: &mut Collector) -> Set {
        let mut tags = place(&self.name, scenario);
        let expected = if failure.is_some() { "false" } else { "true" };
        tags = tags.with("expected_response", expected);
        if let Some(code) = failure.and_then(|class| class.error_code) {
            tags = tags.with("error_code", code);
        }
        if let Some(status) = failure.and_then(|class| class.status) {
            tags = tags.with("status", status.to_string());
        }
        let checks = place(&self.name, scenario).with("check", "all of the request");
        Set {
            requests: into.builtin(Builtin::HttpReqs, &tags),
            failed: into.builtin(Builtin::HttpReqFailed, &tags),
            duration: into.builtin(Builtin::HttpReqDuration, &tags),
            response: into.builtin(Builtin::HttpReqResponseTime, &tags),
            checks: into.builtin(Builtin::Checks, &checks),
        }
    }
}

fn place(name: &Name, scenario: Option<&str>) -> Tags {
    let mut tags = Tags::new();
    for (tag, value) in [
        ("group", &*name.group),
        ("name", &*name.name),
        ("scenario", scenario.unwrap_or("")),
    ] {
        if !value.is_empty() {
            tags = tags.with(tag, value);
        }
    }
    tags
}

/// Not below zero: a clock may be set back.
fn us_between(start_ms: i64, end_ms: i64) -> u64 {
    u64::try_from(end_ms.saturating_sub(start_ms))
        .unwrap_or(0)
        .saturating_mul(1_000)
}
