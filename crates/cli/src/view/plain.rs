//! Plain lines, for logs of pipelines: one every few seconds, and one at each change of phase.

use super::format::{clock, iterations, quantiles, tasks};
use super::shown::{Title, View};
use floodgate_control::watch::{Phase, Progress};
use floodgate_report::format::{count, percent};
use std::io::{Stderr, Write, stderr};
use std::time::Duration;

/// A long run gets fewer lines.
const SHORTEST: Duration = Duration::from_secs(5);
const LINES_A_RUN: u32 = 60;

pub(super) struct PlainView<W = Stderr> {
    out: W,
    phase: Option<Phase>,
    shown_at: Duration,
    seeking: Option<String>,
}

impl PlainView {
    pub(super) fn new(title: &Title) -> Self {
        Self::to(stderr(), title)
    }
}

impl<W: Write> PlainView<W> {
    fn to(out: W, title: &Title) -> Self {
        let mut view = Self {
            out,
            phase: None,
            shown_at: Duration::ZERO,
            seeking: None,
        };
        view.say(&format!(
            "{} against {}: execution {}, generators: {}",
            title.test, title.target, title.id, title.generators
        ));
        view
    }

    /// How a search for the capacity stands, where that has changed.
    fn sought(&mut self, p: &Progress) {
        if self.seeking != p.seeking {
            self.seeking.clone_from(&p.seeking);
            let sentence = p.seeking.as_deref().unwrap_or_default();
            self.say(&format!("{}  {sentence}", clock(p.elapsed)));
        }
    }

    /// A log that cannot be written must not end a run.
    fn say(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
    }
}

impl<W: Write> View for PlainView<W> {
    fn update(&mut self, p: &Progress) {
        let changed = self.phase.replace(p.phase) != Some(p.phase);
        if p.phase == Phase::Running && p.seeking.is_some() {
            return self.sought(p);
        }
        match p.phase {
            Phase::Waiting if changed => self.say("waiting for the generators"),
            Phase::Stopping if changed => self.say(&format!(
                "stopping: {}",
                p.stopping.as_deref().unwrap_or("asked to")
            )),
            Phase::Ended if changed => self.say("merging"),
            Phase::Running
                if p.elapsed.saturating_sub(self.shown_at)
                    >= SHORTEST.max(p.total / LINES_A_RUN) =>
            {
                self.shown_at = p.elapsed;
                let line = format!(
                    "{} / {}  iterations {}  requests {}  {}  errors {}  vus {}  dropped {}  generators {}",
                    clock(p.elapsed),
                    clock(p.total),
                    iterations(p),
                    count(p.requests),
                    quantiles(p.recent_response).trim_end(),
                    percent(p.error_ratio),
                    p.vus,
                    count(p.dropped),
                    tasks(p)
                );
                self.say(&line);
            }
            _ => {}
        }
    }

    fn note(&mut self, text: &str) {
        self.say(&format!("warning: {text}"));
    }

    fn close(&mut self) {
        let _ = self.out.flush();
    }
}

/// How a run may stand, for tests.
#[cfg(test)]
pub(super) fn example() -> Progress {
    Progress {
        phase: Phase::Running,
        elapsed: Duration::from_secs(1),
        total: Duration::from_secs(20),
        offered_per_s: Some(500.0),
        achieved_per_s: 497.3,
        iterations_per_s: 497.3,
        requests_per_s: 994.6,
        iterations: 4_973,
        requests: 9_946,
        dropped: 3,
        bytes_received: 1,
        response: None,
        recent_response: Some(floodgate_control::watch::Quantiles {
            p50_ms: 12.14,
            p95_ms: 40.0,
            p99_ms: 1_530.0,
        }),
        error_ratio: 0.001_2,
        recent_error_ratio: 0.0,
        checks_ratio: None,
        vus: 57,
        max_vus: 400,
        tasks: vec![
            floodgate_control::watch::TaskState::Running,
            floodgate_control::watch::TaskState::Lost {
                reason: "killed".into(),
            },
        ],
        stopping: Some("ann".into()),
        seeking: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(phase: Phase, elapsed_s: u64) -> Progress {
        Progress {
            phase,
            elapsed: Duration::from_secs(elapsed_s),
            ..example()
        }
    }

    #[test]
    fn a_log_has_a_line_every_five_seconds_and_at_each_change() {
        let title = Title {
            test: "checkout".into(),
            target: "http://shop".into(),
            id: "01J".into(),
            generators: 2,
        };
        let mut view = PlainView::to(Vec::new(), &title);
        let steps = [
            (Phase::Waiting, 0),
            (Phase::Waiting, 0),
            (Phase::Running, 1),
            (Phase::Running, 5),
            (Phase::Running, 7),
        ];
        for (phase, elapsed) in steps.into_iter().chain([
            (Phase::Stopping, 8),
            (Phase::Stopping, 9),
            (Phase::Ended, 10),
        ]) {
            view.update(&progress(phase, elapsed));
        }
        insta::assert_snapshot!(String::from_utf8_lossy(&view.out), @r"
        checkout against http://shop: execution 01J, generators: 2
        waiting for the generators
        5s / 20s  iterations 497/s of 500/s  requests 9,946  p50 12.1 ms   p95 40.0 ms   p99 1.53 s  errors 0.12 %  vus 57  dropped 3  generators 1 running, 1 lost
        stopping: ann
        merging
        ");
    }
}
