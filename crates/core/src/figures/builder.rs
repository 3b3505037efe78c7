//! Rows become figures.

use super::axis::{axis, slot};
use super::gauge::Peaks;
use super::heat::heat_map;
use super::route::{Lines, TIMES, Use};
use super::spread::{Spread, distribution};
use crate::histogram::{Histogram, HistogramError};
use crate::merge::Aggregate;
use crate::shard::{PHASE_WINDOW_S, Row, WINDOW_S, window_s};
use floodgate_records::figures::{
    Axis, ErrorFigures, Figures, GeneratorFigures, GroupFigures, LoadFigures, NameFigures,
    TaskFigures, TimeFigures,
};
use floodgate_records::metric::{MetricKind, SeriesKey};
use floodgate_records::summary::Summary;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

/// Groups that are added up; there is no telling before which are the most frequent.
const GROUPS_ADDED: usize = 1_000;

/// Takes the rows of a run's merged data, in any order, and gives its figures.
pub struct FiguresBuilder {
    figures: Figures,
    lines: Lines,
    times: [Option<Spread>; TIMES.len()],
    /// Those of requests without any response, which say nothing of the target.
    unanswered: [bool; TIMES.len()],
    lag: Option<Spread>,
    by_name: Vec<Spread>,
    vus: Peaks,
    vus_max: Peaks,
    cpu: Peaks,
    tasks: Vec<Peaks>,
    groups: HashMap<String, Histogram>,
    group_rest: u64,
    /// The series of the row before, and what it counts for.
    last: Option<(Arc<SeriesKey>, Use)>,
}

impl FiguresBuilder {
    /// Begins with what the summary lists first. `end_ms`: the end of the merged data, Unix ms.
    pub fn new(summary: &Summary, start_ms: i64, end_ms: i64) -> Self {
        let span_ms = end_ms.saturating_sub(start_ms);
        let fine = axis(span_ms, WINDOW_S, Figures::MAX_FINE);
        let coarse = axis(span_ms, PHASE_WINDOW_S, Figures::MAX_COARSE);
        let by_name = axis(span_ms, WINDOW_S, Figures::MAX_BY_NAME);
        let lines = Lines::of(summary);
        let none = || vec![0; fine.slots as usize];
        let peaks = || Peaks::new(fine.slots);
        Self {
            figures: Figures {
                schema: Figures::SCHEMA,
                execution: summary.execution.clone(),
                start_ms,
                seconds: u64::try_from(span_ms).unwrap_or(0).div_ceil(1_000),
                fine,
                coarse,
                by_name,
                load: LoadFigures {
                    planned: None,
                    started: None,
                    completed: none(),
                    dropped: none(),
                    requests: none(),
                    failed: none(),
                    sent: none(),
                    received: none(),
                },
                errors: error_lines(&lines, fine),
                names: name_lines(&lines, by_name),
                more_names: lines.more_names,
                ..Figures::default()
            },
            times: [const { None }; TIMES.len()],
            unanswered: TIMES.map(|metric| summary.is_unanswered(metric)),
            lag: None,
            by_name: (0..lines.names.len())
                .map(|_| Spread::new(by_name.slots))
                .collect(),
            vus: peaks(),
            vus_max: peaks(),
            cpu: peaks(),
            tasks: lines.tasks.iter().map(|_| peaks()).collect(),
            groups: HashMap::new(),
            group_rest: 0,
            last: None,
            lines,
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`HistogramError`] if its histogram is not sound; those of [`crate::shard::decode`] are.
    pub fn add(&mut self, row: &Row) -> Result<(), HistogramError> {
        let known = self
            .last
            .as_ref()
            .filter(|(key, _)| Arc::ptr_eq(key, &row.key));
        let used = match known {
            Some((_, used)) => *used,
            None => {
                let used = self.lines.route(&row.key);
                self.last = Some((row.key.clone(), used));
                used
            }
        };
        let after_ms = row.time_ms.saturating_sub(self.figures.start_ms);
        let (fine, coarse) = (self.figures.fine, self.figures.coarse);
        let at = slot(fine, after_ms);
        let load = &mut self.figures.load;
        match used {
            Use::Nothing => {}
            Use::Time(time, name) => return self.add_time(time, name, row, after_ms),
            Use::Lag => {
                let lag = self.lag.get_or_insert_with(|| Spread::new(coarse.slots));
                return lag.add(slot(coarse, after_ms), row);
            }
            Use::Group => return self.add_group(row),
            Use::Requests(name, code) => {
                count(&mut load.requests, at, row);
                if let Some(name) = name.and_then(|name| self.figures.names.get_mut(name)) {
                    count(
                        &mut name.requests,
                        slot(self.figures.by_name, after_ms),
                        row,
                    );
                }
                if let Some(code) = code.and_then(|code| self.figures.errors.get_mut(code)) {
                    count(&mut code.count, at, row);
                }
            }
            Use::Failed(name) => {
                count(&mut load.failed, at, row);
                if let Some(name) = name.and_then(|name| self.figures.names.get_mut(name)) {
                    count(&mut name.failed, slot(self.figures.by_name, after_ms), row);
                }
            }
            Use::Completed => count(&mut load.completed, at, row),
            Use::Dropped => count(&mut load.dropped, at, row),
            Use::Sent => count(&mut load.sent, at, row),
            Use::Received => count(&mut load.received, at, row),
            Use::Vus => self.vus.add(at, row, true),
            Use::VusMax => self.vus_max.add(at, row, true),
            Use::Cpu(task) => {
                self.cpu.add(at, row, false);
                if let Some(task) = task.and_then(|task| self.tasks.get_mut(task)) {
                    task.add(at, row, false);
                }
            }
        }
        Ok(())
    }

    fn add_time(
        &mut self,
        time: usize,
        name: Option<usize>,
        row: &Row,
        after_ms: i64,
    ) -> Result<(), HistogramError> {
        if self.unanswered[time] {
            return Ok(());
        }
        let axis = self.axis_of(time);
        let spread = self.times[time].get_or_insert_with(|| Spread::new(axis.slots));
        spread.add(slot(axis, after_ms), row)?;
        match name.and_then(|name| self.by_name.get_mut(name)) {
            Some(own) => own.add(slot(self.figures.by_name, after_ms), row),
            None => Ok(()),
        }
    }

    fn axis_of(&self, time: usize) -> Axis {
        match is_fine(time) {
            true => self.figures.fine,
            false => self.figures.coarse,
        }
    }

    fn add_group(&mut self, row: &Row) -> Result<(), HistogramError> {
        let name = row.key.tags.get("group").unwrap_or_default();
        if !self.groups.contains_key(name) && self.groups.len() >= GROUPS_ADDED {
            self.group_rest += 1;
            return Ok(());
        }
        let mut group = Aggregate::new(MetricKind::Trend);
        group.add_row(row, crate::merge::Along::Time)?;
        if let Some(histogram) = &group.histogram {
            self.groups
                .entry(name.to_owned())
                .or_default()
                .add(histogram);
        }
        Ok(())
    }

    /// Lets go of memory: to be called now and then, best where rows of other times follow.
    pub fn seal(&mut self) {
        let times = self.times.iter_mut().flatten();
        for spread in times.chain(&mut self.lag).chain(&mut self.by_name) {
            spread.seal();
        }
    }

    /// The figures of all rows. What the schedule had planned, and the definition, are for the caller to add.
    ///
    /// # Errors
    /// [`HistogramError`] as for [`Self::add`].
    pub fn finish(mut self) -> Result<Figures, HistogramError> {
        let times = std::mem::take(&mut self.times);
        for (time, (metric, spread)) in TIMES.into_iter().zip(times).enumerate() {
            let Some(spread) = spread.filter(|s| !s.is_empty()) else {
                continue;
            };
            if self.figures.heat.is_none() {
                let axis = self.axis_of(time);
                self.figures.heat = heat_map(metric, &spread, axis, Figures::MAX_COLUMNS)?;
            }
            self.figures.times.push(TimeFigures {
                metric: metric.to_owned(),
                fine: is_fine(time),
                slots: spread.quantiles()?,
                distribution: distribution(&spread.whole()?),
            });
        }
        for (name, spread) in self.figures.names.iter_mut().zip(&self.by_name) {
            name.times = spread.quantiles()?;
        }
        let lag = self.lag.map(|lag| lag.quantiles()).transpose()?;
        self.figures.load.started = lag.as_ref().map(|lag| lag.count.clone());
        let tasks = self.lines.tasks.iter().zip(self.tasks);
        self.figures.generators = GeneratorFigures {
            vus: self.vus.values(),
            vus_max: self.vus_max.values(),
            cpu: shares(self.cpu),
            tasks: tasks
                .map(|(task, cpu)| TaskFigures {
                    task: *task,
                    cpu: shares(cpu),
                })
                .collect(),
            more_tasks: self.lines.more_tasks,
            lag: lag.unwrap_or_default(),
        };
        let (groups, more) = most_frequent(self.groups);
        self.figures.groups = groups;
        self.figures.more_groups = more + self.group_rest;
        Ok(self.figures)
    }
}

fn is_fine(time: usize) -> bool {
    window_s(TIMES[time]) == WINDOW_S
}

/// Shares of CPU, as exact as they are shown: more digits would be most of the document.
fn shares(peaks: Peaks) -> Vec<Option<f64>> {
    let round = |share: f64| (share * 1e4).round() / 1e4;
    let values = peaks.values().into_iter();
    values.map(|share| share.map(round)).collect()
}

/// Adds what a counter gained, or how many samples of a rate were not zero.
fn count(into: &mut [u64], slot: usize, row: &Row) {
    if let Some(at) = into.get_mut(slot) {
        *at = at.saturating_add(row.sum.round().max(0.0) as u64);
    }
}

fn error_lines(lines: &Lines, fine: Axis) -> Vec<ErrorFigures> {
    let line = |code: Option<&String>, codes| ErrorFigures {
        code: code.cloned(),
        codes,
        count: vec![0; fine.slots as usize],
    };
    let own = lines.codes.iter().map(|code| line(Some(code), 1));
    let rest = (lines.more_codes > 0).then(|| line(None, lines.more_codes));
    own.chain(rest).collect()
}

fn name_lines(lines: &Lines, by_name: Axis) -> Vec<NameFigures> {
    let none = || vec![0; by_name.slots as usize];
    let line = |(name, metric): &(String, String)| NameFigures {
        name: name.clone(),
        metric: metric.clone(),
        requests: none(),
        failed: none(),
        times: Default::default(),
    };
    lines.names.iter().map(line).collect()
}

/// The groups with the most runs, and how many there are beside them.
fn most_frequent(groups: HashMap<String, Histogram>) -> (Vec<GroupFigures>, u64) {
    let mut all: Vec<_> = groups.into_iter().collect();
    all.sort_by(|(a, m), (b, n)| (Reverse(m.count()), a).cmp(&(Reverse(n.count()), b)));
    let more = all.len().saturating_sub(Figures::MAX_GROUPS) as u64;
    all.truncate(Figures::MAX_GROUPS);
    let ms = |us: u64| us as f64 / 1e3;
    let line = |(name, all): (String, Histogram)| GroupFigures {
        name,
        count: all.count(),
        med: ms(all.quantile(0.5)),
        p95: ms(all.quantile(0.95)),
        p99: ms(all.quantile(0.99)),
        max: ms(all.max()),
    };
    (all.into_iter().map(line).collect(), more)
}
