//! What a series counts for.

use crate::execution::summarise::failed_as;
use floodgate_records::figures::Figures;
use floodgate_records::metric::{Builtin, SeriesKey};
use floodgate_records::summary::Summary;
use std::cmp::Reverse;
use std::collections::HashMap;

/// The trends that are followed, the first that there is being the one that matters most.
pub(super) const TIMES: [&str; 4] = [
    Builtin::HttpReqResponseTime.name(),
    Builtin::HttpReqDuration.name(),
    "sample_duration",
    Builtin::IterationDuration.name(),
];

/// What is done with the rows of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// One of [`TIMES`]; where it tells the times of a name, which.
    Time(usize, Option<usize>),
    Lag,
    /// Requests: of a name, and with which of the codes they failed.
    Requests(Option<usize>, Option<usize>),
    Failed(Option<usize>),
    Completed,
    Dropped,
    Sent,
    Received,
    Vus,
    VusMax,
    /// CPU use, and the line of its task.
    Cpu(Option<usize>),
    /// A group, by its name.
    Group,
    Nothing,
}

/// Which names, codes and tasks have figures of their own.
#[derive(Default)]
pub(super) struct Lines {
    /// The names with the metric that tells their times.
    pub(super) names: Vec<(String, String)>,
    /// Which of them got no response, so that their times say nothing of the target.
    unanswered: Vec<bool>,
    pub(super) more_names: u64,
    /// The codes; what is more is in one more line behind them.
    pub(super) codes: Vec<String>,
    pub(super) more_codes: u64,
    pub(super) tasks: Vec<u32>,
    pub(super) more_tasks: u64,
    by_name: HashMap<String, usize>,
}

impl Lines {
    /// Those that the summary puts first.
    pub(super) fn of(summary: &Summary) -> Self {
        let named = || {
            let all = summary.requests.iter().filter(|row| row.names == 1);
            all.take(Figures::MAX_NAMES)
        };
        let metric = |times: &std::collections::BTreeMap<String, _>| {
            let known = TIMES.into_iter().find(|metric| times.contains_key(*metric));
            known.unwrap_or(TIMES[0]).to_owned()
        };
        let names: Vec<_> = named()
            .map(|row| (row.name.clone(), metric(&row.times)))
            .collect();
        let all_names: u64 = summary.requests.iter().map(|row| row.names).sum();
        let mut codes: Vec<_> = summary.errors.iter().collect();
        codes.sort_by_key(|(code, n)| (Reverse(**n), code.as_str()));
        let mut tasks: Vec<_> = summary.generators.iter().collect();
        tasks.sort_by(|a, b| b.cpu_max.total_cmp(&a.cpu_max).then(a.task.cmp(&b.task)));
        let beyond = |all: usize, most: usize| all.saturating_sub(most) as u64;
        let by_name = names.iter().enumerate();
        Self {
            by_name: by_name.map(|(i, (name, _))| (name.clone(), i)).collect(),
            unanswered: named().map(|row| row.responses == 0).collect(),
            more_names: all_names.saturating_sub(names.len() as u64),
            names,
            more_codes: beyond(codes.len(), Figures::MAX_CODES),
            more_tasks: beyond(tasks.len(), Figures::MAX_TASKS),
            codes: codes
                .into_iter()
                .take(Figures::MAX_CODES)
                .map(|(code, _)| code.clone())
                .collect(),
            tasks: tasks
                .into_iter()
                .take(Figures::MAX_TASKS)
                .map(|generator| generator.task)
                .collect(),
        }
    }

    /// What a series counts for.
    pub(super) fn route(&self, key: &SeriesKey) -> Use {
        let tag = |name: &str| key.tags.get(name).unwrap_or_default();
        let name = || self.by_name.get(tag("name")).copied();
        if let Some(time) = TIMES.iter().position(|metric| *metric == key.metric) {
            let is_http = key.metric.starts_with("http_req_");
            let is_told =
                |n: &usize| self.names[*n].1 == key.metric && !(is_http && self.unanswered[*n]);
            let own = name().filter(is_told);
            return Use::Time(time, own);
        }
        match (Builtin::parse(&key.metric), key.metric.as_str()) {
            (Some(Builtin::HttpReqs), _) => {
                let code = failed_as(tag("error_code"), tag("status"), tag("expected_response"));
                Use::Requests(name(), code.map(|code| self.code(code)))
            }
            (Some(Builtin::HttpReqFailed), _) | (None, "sample_failed") => Use::Failed(name()),
            (None, "samples") => Use::Requests(name(), None),
            (Some(Builtin::GeneratorLag), _) => Use::Lag,
            (Some(Builtin::Iterations), _) => Use::Completed,
            (Some(Builtin::DroppedIterations), _) => Use::Dropped,
            (Some(Builtin::DataSent), _) => Use::Sent,
            (Some(Builtin::DataReceived), _) => Use::Received,
            (Some(Builtin::Vus), _) => Use::Vus,
            (Some(Builtin::VusMax), _) => Use::VusMax,
            (Some(Builtin::GeneratorCpu), _) => {
                let task: Option<u32> = tag("task").parse().ok();
                Use::Cpu(self.tasks.iter().position(|known| Some(*known) == task))
            }
            (None, "group_duration") => Use::Group,
            _ => Use::Nothing,
        }
    }

    /// The line of a code: its own, or that of the rest.
    fn code(&self, code: &str) -> usize {
        let own = self.codes.iter().position(|known| known == code);
        own.unwrap_or(self.codes.len())
    }
}
