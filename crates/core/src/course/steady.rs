//! Whether what is judged was steady: whether the run begins otherwise than it goes on.

use super::Course;
use super::grid::{Grid, Layout};
use crate::compare::{MIN_WINDOWS, WINDOW_S, end_of_warmup};
use crate::threshold::{Aggregate, MissingSamples, observe};
use crate::units::format_duration;
use floodgate_records::key::Key;
use floodgate_records::metric::{Builtin, Tags};
use std::time::Duration;

/// What shows a warm-up, and how many samples a window needs.
const SHOWS: [(Aggregate, u64); 2] = [
    (Aggregate::Percentile(50.0), 4),
    (Aggregate::Percentile(95.0), 40),
];

impl Course {
    /// The windows of a run that is too short for a slope and long enough to tell; those of slopes serve longer ones.
    pub(super) fn steady_layout(&self) -> Option<Layout> {
        let key = Key {
            metric: Builtin::HttpReqDuration.name().to_owned(),
            tags: Tags::new(),
        };
        if self.load_changes != Some(false) {
            return None;
        }
        if let Some(layout) = self.slope_layout(&key, self.whole()) {
            return Some(layout);
        }
        let length = self.times.end().saturating_sub(self.warmup);
        let windows = usize::try_from(length.as_secs() / u64::from(WINDOW_S)).ok()?;
        (windows >= MIN_WINDOWS).then_some(Layout {
            key,
            from_ms: i64::try_from(self.warmup.as_millis()).ok()?,
            window_s: WINDOW_S,
            windows,
            with_rest: false,
        })
    }
}

/// The beginning that differs from the rest, in words. Where the load changes by plan nothing is steady, and nothing is said.
pub(super) fn unsteady(course: &Course) -> Option<String> {
    let grid = course.grid(&course.steady_layout()?)?;
    let found = SHOWS.iter().filter_map(|(aggregate, least)| {
        let values = values(grid, *aggregate, *least)?;
        let logs: Vec<f64> = values.iter().map(|v| v.max(1e-3).ln()).collect();
        let cut = end_of_warmup(&logs);
        (cut > 0).then_some((cut, *aggregate, values))
    });
    let (cut, aggregate, values) = found.max_by_key(|(cut, ..)| *cut)?;
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (before, after) = values.split_at(cut);
    let length = Duration::from_secs(u64::from(grid.layout.window_s) * cut as u64);
    let (before, after) = (mean(before), mean(after));
    let until = format_duration(course.warmup.saturating_add(length));
    let what = match course.warmup.is_zero() {
        true => "the run",
        false => "what is judged",
    };
    Some(format!(
        "{what} was not steady: {aggregate} of http_req_duration was {before:.4} ms in the first {}, and {after:.4} ms from then on; write warmup: {until} to judge \
         the steady part alone",
        format_duration(length)
    ))
}

/// In ms by window; `None` if one has too few samples to tell.
fn values(grid: &Grid, aggregate: Aggregate, least: u64) -> Option<Vec<f64>> {
    let key = &grid.layout.key;
    let length = Duration::from_secs(u64::from(grid.layout.window_s));
    let value = |window| {
        let samples = crate::threshold::select(window, key)?.count;
        let seen = observe(window, key, aggregate, length, &MissingSamples::default());
        seen.value.filter(|_| samples >= least)
    };
    grid.windows.iter().map(|window| value(window)).collect()
}
