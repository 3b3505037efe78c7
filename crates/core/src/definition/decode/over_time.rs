//! What is judged of the course of a run: the warm-up, parts of it, and objectives.

use super::context::Decoder;
use crate::course::{LEAST_S, MAX_WINDOWS};
use crate::definition::keys::root;
use crate::definition::keys::threshold::{self, FROM, OF, STAGE, TO, WINDOW};
use crate::definition::model::{Executor, Objective, RunPart, Scenario, Stage, ThresholdSpec};
use crate::definition::tree::{Entry, Node};
use crate::schedule::{Segment, schedule_of};
use crate::syntax::nearest;
use crate::units::format_duration;
use floodgate_records::printable::quoted;
use std::time::Duration;

/// When a run is, as far as the definition says.
pub(super) struct Course<'a> {
    pub(super) warmup: Duration,
    scenarios: &'a [Scenario],
    /// The last scheduled start; `None` if it is known only where the test runs, or to a script.
    end: Option<Duration>,
}

impl Decoder<'_> {
    /// `warmup`, and when the run is over.
    pub(super) fn course<'a>(&mut self, root: &Node, scenarios: &'a [Scenario]) -> Course<'a> {
        let known = root::SCENARIOS
            .place(root)
            .is_none_or(|node| !is_open(node));
        let ends = scenarios.iter().map(|scenario| {
            let whole = schedule_of(scenario, &Segment::whole());
            scenario.start_time.saturating_add(whole.duration())
        });
        let end = ends
            .max()
            .filter(|_| known && !root::CAPACITY.is_given(root));
        let warmup = root::WARMUP.or_default(root);
        if let Some(place) = root::WARMUP.place(root).filter(|node| !node.is_open()) {
            self.in_whole_seconds(place, warmup);
            if let Some(end) = end.filter(|end| warmup >= *end) {
                let issue = place.issue(format!(
                    "nothing of a run of {} is left to judge after a warm-up of {}",
                    format_duration(end),
                    format_duration(warmup)
                ));
                let allowed = format!("less than {}", format_duration(end));
                self.sink.push(
                    issue
                        .hint("make the scenarios longer, or the warm-up shorter")
                        .allowed(allowed),
                );
            }
        }
        Course {
            warmup,
            scenarios,
            end,
        }
    }

    fn in_whole_seconds(&mut self, place: &Node, time: Duration) {
        if time.subsec_nanos() != 0 {
            let issue = place.issue(format!(
                "{} is no whole number of seconds, and samples are kept by the second",
                format_duration(time)
            ));
            self.sink
                .push(issue.allowed("whole seconds, such as 30s or 5m"));
        }
    }

    /// The part of the run that a threshold or an objective is about.
    pub(super) fn run_part(&mut self, item: &Node, root: &Node, course: &Course<'_>) -> RunPart {
        let given = [FROM, TO].into_iter().filter_map(|key| key.place(item));
        let given: Vec<&Node> = given.chain(STAGE.place(item)).collect();
        let Some(first) = given.first() else {
            return RunPart::default();
        };
        self.no_search(root, first);
        if let Some(stage) = STAGE.place(item) {
            if given.len() > 1 {
                let issue = stage.issue("a stage has a beginning and an end already");
                self.sink.push(issue.hint("remove from and to, or stage"));
                return RunPart::default();
            }
            return self.stage(stage, course);
        }
        let part = RunPart {
            from: FROM.of(item),
            to: TO.of(item),
            stage: None,
        };
        for (key, time) in [(FROM, part.from), (TO, part.to)] {
            if let Some((place, time)) = key.place(item).zip(time) {
                self.in_whole_seconds(place, time);
            }
        }
        self.check_part(item, &part, course);
        part
    }

    fn check_part(&mut self, item: &Node, part: &RunPart, course: &Course<'_>) {
        let from = part.from.unwrap_or(course.warmup);
        let said = format_duration;
        if let Some((place, to)) = TO.place(item).zip(part.to) {
            if to <= from {
                let issue = place.issue(format!(
                    "a part that ends at {} and begins at {} is empty",
                    said(to),
                    said(from)
                ));
                self.sink
                    .push(issue.allowed(format!("more than {}", said(from))));
            } else if let Some(end) = course.end.filter(|end| to > *end) {
                let issue = place.issue(format!(
                    "the run is over before {}, at {}",
                    said(to),
                    said(end)
                ));
                let hint = "leave to out to judge until the end";
                self.sink
                    .push(issue.hint(hint).allowed(format!("at most {}", said(end))));
            }
        }
        let Some((place, from)) = FROM.place(item).zip(part.from) else {
            return;
        };
        if from < course.warmup {
            let issue = place.issue(format!(
                "{} is within the warm-up of {}, which is not judged",
                said(from),
                said(course.warmup)
            ));
            self.sink
                .push(issue.allowed(format!("{} or more", said(course.warmup))));
        } else if let Some(end) = course.end.filter(|end| from >= *end) {
            let issue = place.issue(format!(
                "the run is over before {}, at {}",
                said(from),
                said(end)
            ));
            self.sink
                .push(issue.allowed(format!("less than {}", said(end))));
        }
    }

    /// `NAME`, a scenario from its start to its end, or `NAME.2`, its second stage.
    fn stage(&mut self, place: &Node, course: &Course<'_>) -> RunPart {
        let nothing = RunPart::default();
        let Some(text) = place.known() else {
            return nothing;
        };
        let (name, number) = match text.split_once('.') {
            Some((name, number)) => (name, number.parse::<usize>().ok()),
            None => (text.as_ref(), None),
        };
        let names = || course.scenarios.iter().map(|s| s.name.as_str());
        let Some(scenario) = course.scenarios.iter().find(|s| s.name == name) else {
            let all: Vec<_> = names().take(12).collect();
            let issue = place.issue(format!("there is no scenario {}", quoted(name)));
            let allowed = match all.is_empty() {
                true => "from and to: the script's stages are not known here".to_owned(),
                false => all.join(", "),
            };
            self.sink
                .push(issue.allowed(allowed).nearest(name, names()));
            return nothing;
        };
        let found = match number {
            None => {
                let whole = schedule_of(scenario, &Segment::whole());
                let end = scenario.start_time.saturating_add(whole.duration());
                Some((scenario.start_time, end))
            }
            Some(number) => stage_of(scenario, number),
        };
        let Some((from, to)) = found else {
            let count = stages(scenario).len();
            let issue = place.issue(format!("the scenario {} has no such stage", quoted(name)));
            let allowed = match count {
                0 => format!("{name}, since its executor has no stages"),
                _ => format!("{name}, and {name}.1 to {name}.{count}"),
            };
            self.sink.push(issue.allowed(allowed));
            return nothing;
        };
        if from.subsec_nanos() + to.subsec_nanos() != 0 || from >= to {
            let issue = place.issue(format!(
                "it lasts from {} to {}, and only whole seconds can be judged apart",
                format_duration(from),
                format_duration(to)
            ));
            self.sink
                .push(issue.hint("make stages and start times whole seconds long"));
            return nothing;
        }
        if from < course.warmup && to <= course.warmup {
            let issue = place.issue(format!(
                "it is over within the warm-up of {}, which is not judged",
                format_duration(course.warmup)
            ));
            self.sink.push(issue.hint("make the warm-up shorter"));
        }
        RunPart {
            from: Some(from.max(course.warmup)),
            to: Some(to),
            stage: Some(text.into_owned()),
        }
    }

    /// A search for the capacity judges its steps, each by all of what is measured in it.
    fn no_search(&mut self, root: &Node, place: &Node) {
        if root::CAPACITY.is_given(root) {
            let issue =
                place.issue("a search for the capacity judges its steps, not parts of the run");
            self.sink.push(issue.hint("remove it, or capacity"));
        }
    }

    /// What a slope needs beside its expression.
    pub(super) fn slope(
        &mut self,
        place: &Node,
        item: &Node,
        root: &Node,
        spec: &ThresholdSpec,
        course: &Course<'_>,
    ) {
        self.no_search(root, place);
        if let Some(abort) = threshold::ABORT_ON_FAIL
            .place(item)
            .filter(|_| spec.abort_on_fail)
        {
            let issue = abort.issue("a slope is known at the end of a run");
            self.sink.push(issue.hint("remove abortOnFail"));
        }
        let stretch = spec.part.stretch(course.warmup);
        let short = |end: &Duration| stretch.length(*end) < Duration::from_secs(LEAST_S.into());
        if let Some(end) = course.end.filter(short) {
            let issue = place.issue(format!(
                "a slope takes {} minutes, and {} are judged: it will be undecided",
                LEAST_S / 60,
                format_duration(stretch.length(end))
            ));
            self.sink.push(issue.hint("make the run longer").warning());
        }
    }

    /// `slo`: each an objective of one metric.
    pub(super) fn objectives(&mut self, root: &Node, course: &Course<'_>) -> Vec<ThresholdSpec> {
        let Some(node) = root::SLO.place(root) else {
            return Vec::new();
        };
        self.no_search(root, node);
        let items = match node.entries().is_empty() {
            true => node.items(),
            false => std::slice::from_ref(node),
        };
        let specs = items
            .iter()
            .filter_map(|item| self.one_objective(item, root, course));
        specs.collect()
    }

    fn one_objective(
        &mut self,
        item: &Node,
        root: &Node,
        course: &Course<'_>,
    ) -> Option<ThresholdSpec> {
        const OWN: [&str; 5] = ["of", "window", "from", "to", "stage"];
        let foreign = item.entries().iter();
        let mut metrics = foreign.filter(|entry| !OWN.contains(&entry.key.as_str()));
        let Some(entry) = metrics.next() else {
            let issue = item.issue("it does not say what must hold");
            self.sink.push(
                issue.allowed("a metric with an expression, such as http_req_duration: p(95)<300"),
            );
            return None;
        };
        for other in metrics {
            let issue = other.key_issue("an objective is about one metric");
            let hint = match nearest(&other.key, OWN) {
                Some(name) => format!("\"{name}\""),
                None => "write a list of objectives".to_owned(),
            };
            self.sink.push(issue.hint(hint));
        }
        let mut spec = ThresholdSpec {
            part: self.run_part(item, root, course),
            ..self.expression_of(entry, root)?
        };
        if spec.expression.trim_start().starts_with("trend") {
            let issue = entry.value.issue("a slope is about all windows together");
            self.sink.push(issue.hint("write it under thresholds"));
            return None;
        }
        let objective = Objective {
            of: OF.of(item).map_or(1.0, |share| share.0),
            window: WINDOW.or_default(item),
        };
        self.check_objective(item, &spec.part, objective, course);
        spec.objective = Some(objective);
        Some(spec)
    }

    /// The metric and the expression of an objective.
    fn expression_of(&mut self, entry: &Entry, root: &Node) -> Option<ThresholdSpec> {
        let key = self.threshold_key(entry)?;
        let text = entry.value.known()?.into_owned();
        self.no_secret(&entry.value);
        self.expression(&key, &entry.value, &text, root::SCRIPT.is_given(root));
        Some(ThresholdSpec::new(entry.key.clone(), text))
    }

    fn check_objective(
        &mut self,
        item: &Node,
        part: &RunPart,
        objective: Objective,
        course: &Course<'_>,
    ) {
        let known = |key: &Node| !key.is_open();
        if let Some(place) = OF.place(item).filter(|node| known(node))
            && objective.of <= 0.0
        {
            let issue = place.issue("an objective of 0 % asks for nothing");
            self.sink
                .push(issue.allowed("more than 0% to 100%, such as 99%"));
        }
        let window = objective.window;
        let Some(place) = WINDOW.place(item).filter(|node| known(node)) else {
            return;
        };
        self.in_whole_seconds(place, window);
        let stretch = part.stretch(course.warmup);
        let Some(length) = course.end.map(|end| stretch.length(end)) else {
            return;
        };
        let said = format_duration;
        let windows = length.as_secs() / window.as_secs().max(1);
        if window > length && !length.is_zero() {
            let issue = place.issue(format!(
                "a window of {} is longer than the {} that are judged",
                said(window),
                said(length)
            ));
            self.sink
                .push(issue.allowed(format!("at most {}", said(length))));
        } else if windows > MAX_WINDOWS {
            let issue = place.issue(format!(
                "{} would have {windows} such windows",
                said(length)
            ));
            let least = Duration::from_secs(length.as_secs().div_ceil(MAX_WINDOWS));
            self.sink.push(issue.allowed(format!(
                "{} or more: at most {MAX_WINDOWS} windows",
                said(least)
            )));
        }
    }

    /// The metric and the aggregate of a key such as `trend(http_req_duration p(95))`, as a threshold has them that is written
    /// `http_req_duration: trend(p(95))…`; `None` of any other key.
    pub(super) fn slope_key(entry: &Entry) -> Option<(String, String)> {
        let inside = entry.key.trim().strip_prefix("trend(")?.strip_suffix(')')?;
        let (metric, aggregate) = inside.trim().rsplit_once(char::is_whitespace)?;
        Some((metric.trim().to_owned(), aggregate.to_owned()))
    }
}

fn stages(scenario: &Scenario) -> &[Stage] {
    match &scenario.executor {
        Executor::RampingVus { stages, .. } | Executor::RampingArrivalRate { stages, .. } => stages,
        _ => &[],
    }
}

/// When a stage is, counted from 1.
fn stage_of(scenario: &Scenario, number: usize) -> Option<(Duration, Duration)> {
    let before = stages(scenario).get(..number.checked_sub(1)?)?;
    let stage = stages(scenario).get(number - 1)?;
    let begin = before.iter().fold(scenario.start_time, |at, stage| {
        at.saturating_add(stage.duration)
    });
    Some((begin, begin.saturating_add(stage.duration)))
}

/// Whether anything within is known only where the test runs.
fn is_open(node: &Node) -> bool {
    let entries = node.entries().iter().map(|entry| &entry.value);
    node.is_open() || node.items().iter().chain(entries).any(is_open)
}
