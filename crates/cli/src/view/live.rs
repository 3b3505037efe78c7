//! The live view: a progress bar and five lines that are drawn over.

use super::format::{clock, iterations, quantiles, tasks};
use super::recent::Recent;
use super::shown::{Title, View};
use console::{Term, measure_text_width, style};
use floodgate_control::watch::{Phase, Progress};
use floodgate_report::format::{count, duration, percent, rate};
use floodgate_report::sparkline_from_zero;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Redraws a second at most; the figures change once or twice.
const DRAWS_PER_S: u8 = 8;
/// Steps of the bar: finer than any terminal is wide.
const STEPS: u64 = 10_000;

pub(super) struct LiveView {
    all: MultiProgress,
    bar: ProgressBar,
    lines: [ProgressBar; 5],
    terminal: Term,
    requests_per_s: Recent,
    p95_ms: Recent,
}

/// Columns in front of a line's text.
const LABEL: usize = 12;

impl LiveView {
    pub(super) fn new(title: &Title) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWS_PER_S));
        let head = format!(
            "{}  {}  {}",
            style(&title.test).bold().cyan(),
            title.target,
            style(&title.id).dim()
        );
        let generators = if title.generators == 1 {
            "1 generator".into()
        } else {
            format!("{} generators", title.generators)
        };
        // The terminal may be gone; then there is nobody to show it to.
        let _ = all.println(format!("{head}  {}", style(generators).dim()));
        let bar = all.add(ProgressBar::new(STEPS));
        bar.set_style(template("{wide_bar:.cyan/238} {msg}").progress_chars("━╸━"));
        let lines = std::array::from_fn(|_| {
            let line = all.add(ProgressBar::new(0));
            line.set_style(template("{prefix:>10.dim}  {wide_msg}"));
            line
        });
        Self {
            all,
            bar,
            lines,
            terminal: Term::stderr(),
            requests_per_s: Recent::default(),
            p95_ms: Recent::default(),
        }
    }

    /// The first of the texts that fits into a line as the terminal is now, else the last: the shortest.
    fn fitting(&self, texts: impl IntoIterator<Item = String>) -> String {
        let width = usize::from(self.terminal.size().1).saturating_sub(LABEL + 1);
        let mut shortest = String::new();
        for text in texts {
            if measure_text_width(&text) <= width {
                return text;
            }
            shortest = text;
        }
        shortest
    }

    fn line(&self, index: usize, label: &'static str, text: String) {
        self.lines[index].set_prefix(label);
        self.lines[index].set_message(text);
    }
}

/// A style from one of the templates above.
fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// A text with the last seconds behind it, and without.
fn with_bars(text: String, recent: &Recent) -> [String; 2] {
    let bars = sparkline_from_zero(recent.values());
    [format!("{text}   {}", style(bars).cyan()), text]
}

fn state(p: &Progress) -> String {
    let left = p.total.saturating_sub(p.elapsed);
    match p.phase {
        Phase::Waiting => style("waiting for the generators").dim().to_string(),
        Phase::Running if p.elapsed.is_zero() => style("starting").dim().to_string(),
        Phase::Running if p.total.is_zero() => clock(p.elapsed),
        Phase::Running if p.seeking.is_some() => {
            let sentence = p.seeking.as_deref().unwrap_or_default();
            format!("{}  {sentence}", clock(p.elapsed))
        }
        Phase::Running if left.is_zero() => {
            format!("{}  {}", clock(p.elapsed), style("last iterations").dim())
        }
        Phase::Running => {
            format!(
                "{} / {}  {}",
                clock(p.elapsed),
                clock(p.total),
                style(format!("{} left", clock(left))).dim()
            )
        }
        Phase::Stopping => style(format!(
            "stopping: {}",
            p.stopping.as_deref().unwrap_or("asked to")
        ))
        .yellow()
        .to_string(),
        Phase::Ended => style("merging").dim().to_string(),
    }
}

impl View for LiveView {
    fn update(&mut self, p: &Progress) {
        let share = if p.total.is_zero() {
            0.0
        } else {
            p.elapsed.as_secs_f64() / p.total.as_secs_f64()
        };
        let share = if p.phase == Phase::Ended {
            1.0
        } else {
            share.min(1.0)
        };
        self.bar.set_position((share * STEPS as f64) as u64);
        self.bar.set_message(state(p));
        let dropped = if p.dropped == 0 {
            "0".to_owned()
        } else {
            style(count(p.dropped)).red().to_string()
        };
        if p.phase == Phase::Running {
            self.requests_per_s.add(p.elapsed, Some(p.requests_per_s));
            let p95_ms = p.recent_response.map(|recent| recent.p95_ms);
            self.p95_ms.add(p.elapsed, p95_ms);
        }
        let errors = percent(p.error_ratio);
        let errors = if p.error_ratio == 0.0 {
            style(errors).green()
        } else {
            style(errors).red()
        };
        let recent_errors = if p.error_ratio == 0.0 {
            String::new()
        } else {
            format!("  now {}", percent(p.recent_error_ratio))
        };
        let checks = p
            .checks_ratio
            .map_or_else(String::new, |ratio| format!("   checks {}", percent(ratio)));
        let done = count(p.iterations);
        let iterations = iterations(p);
        self.line(
            0,
            "iterations",
            self.fitting([
                format!("{iterations:<32} {done} done   dropped {dropped}"),
                format!("{iterations}  {done} done  dropped {dropped}"),
                format!("{done} done  dropped {dropped}"),
            ]),
        );
        self.line(
            1,
            "requests",
            self.fitting(with_bars(
                format!(
                    "{:<32} {} sent",
                    format!("{}/s", rate(p.requests_per_s)),
                    count(p.requests)
                ),
                &self.requests_per_s,
            )),
        );
        let now = p.recent_response.map_or_else(String::new, |r| {
            let [p50, p95, p99] = [r.p50_ms, r.p95_ms, r.p99_ms].map(|ms| duration(ms, 3));
            format!("now {p50} / {p95} / {p99}")
        });
        let all = quantiles(p.response);
        let bars = sparkline_from_zero(self.p95_ms.values());
        let compact = all.split_whitespace().collect::<Vec<_>>().join(" ");
        self.line(
            2,
            "response",
            self.fitting([
                format!("{all}  {}  {}", style(&now).dim(), style(bars).cyan()),
                format!("{all}  {}", style(&now).dim()),
                all.trim_end().to_owned(),
                compact,
            ]),
        );
        self.line(
            3,
            "errors",
            format!("{errors}{}{checks}", style(recent_errors).dim()),
        );
        self.line(
            4,
            "vus",
            format!(
                "{} of {}   generators {}",
                count(p.vus),
                count(p.max_vus),
                tasks(p)
            ),
        );
    }

    fn note(&mut self, text: &str) {
        let _ = self.all.println(format!("{} {text}", style("▲").yellow()));
    }

    fn close(&mut self) {
        self.bar.finish_and_clear();
        for line in &self.lines {
            line.finish_and_clear();
        }
        let _ = self.all.clear();
    }
}

impl Drop for LiveView {
    fn drop(&mut self) {
        self.close();
    }
}
