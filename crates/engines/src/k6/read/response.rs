//! `http_req_response_time`, which k6 does not write, from what it does write.
//!
//! **A request that was sent** begins when k6 comes to it: an iteration of an arrival rate starts when it is due or is dropped, and a
//! later request begins when the step before it ends. So its response time is the wait for a connection (`http_req_blocked`, which
//! includes the handshakes) and the service time. Missing is only the lateness of a k6 that is itself short of CPU.
//!
//! **A start that was dropped** is what coordinated omission hides: all VUs were busy when it was due, as a rule because the target
//! stalled. It sent nothing, so its response time can only be estimated; the values stand in series of their own, with the tag
//! `corrected=dropped_start`. The estimate is the wait until a VU was free, which the output tells, and the response time of a request that
//! the scenario sent afterwards, in place of the one that was not sent. A VU was free when an iteration that was running ended, or
//! when one started (k6 may have added the VU), whichever came first. Nobody queues in this model: where a target is too slow for the rate all the time, a
//! queue would wait longer, so that the estimate is from below.

use crate::collector::Series;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How response times are estimated here: the value of the tag `corrected`.
pub(super) const CORRECTED: &str = "dropped_start";

/// Dropped starts that are kept until a VU is free, of all scenarios: 16 bytes each.
const MAX_WAITING: usize = 1 << 20;

/// A request stands in for this part of the estimates that wait for one, so that no single request stands for all of a stall.
const SPREAD: usize = 16;

/// Follows requests, iterations and dropped starts in the order of the output.
#[derive(Debug)]
pub(super) struct Responses {
    /// Scenarios with an arrival rate.
    queues: BTreeMap<String, Queue>,
    /// The script's only scenario, for samples without the tag: a script can leave system tags out.
    only: Option<String>,
    /// The service time of the request whose samples are being read, in milliseconds.
    service_ms: Option<f64>,
    /// Estimates that are not complete.
    waiting: usize,
    estimated: u64,
    /// Dropped starts that cannot be estimated.
    lost: u64,
}

#[derive(Debug, Default)]
struct Queue {
    /// By when they were due.
    dropped: VecDeque<Dropped>,
    /// The first so many of them have seen an iteration end.
    ended: usize,
    /// Those whose wait is known.
    freed: VecDeque<Freed>,
    /// The latest request while anybody waited: its series for estimates, and its response time.
    latest: Option<(Series, u64)>,
}

/// A start without a VU.
#[derive(Clone, Copy, Debug)]
struct Dropped {
    due_us: i64,
    /// The first end of an iteration since then.
    end_us: i64,
}

/// A start that could have had a VU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Freed {
    at_us: i64,
    wait_us: u64,
}

impl Freed {
    /// When its response would have come, and how long that would have taken.
    fn served(self, response_us: u64) -> Estimate {
        let end = i64::try_from(response_us).unwrap_or(i64::MAX);
        Estimate {
            at_us: self.at_us.saturating_add(end),
            response_us: self.wait_us.saturating_add(response_us),
        }
    }
}

/// A response time in place of one that could not be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Estimate {
    /// When the response would have come, Unix µs.
    pub(super) at_us: i64,
    /// From when it was due, in µs.
    pub(super) response_us: u64,
}

impl Responses {
    /// Of a run of a script: which of its scenarios have an arrival rate, and its only scenario if there is one.
    pub(super) fn new(open: BTreeSet<String>, only: Option<String>) -> Self {
        Self {
            queues: open
                .into_iter()
                .map(|name| (name, Queue::default()))
                .collect(),
            only,
            service_ms: None,
            waiting: 0,
            estimated: 0,
            lost: 0,
        }
    }

    /// The service time of a request; its `http_req_blocked` follows.
    #[inline]
    pub(super) fn duration(&mut self, service_ms: f64) {
        self.service_ms = Some(service_ms);
    }

    /// The wait of the same request for a connection: its response time in µs.
    #[inline]
    pub(super) fn blocked(&mut self, blocked_ms: f64) -> Option<u64> {
        // The cast saturates: what is negative or no number is 0.
        Some(((self.service_ms.take()? + blocked_ms) * 1_000.0).round() as u64)
    }

    /// Whether a request has to be shown to [`Self::estimates`].
    #[inline]
    pub(super) fn is_waited_for(&self) -> bool {
        self.waiting > 0
    }

    /// A start was dropped.
    pub(super) fn dropped(&mut self, scenario: Option<&str>, at_us: i64, value: f64) {
        // Arrival rates drop starts one by one. Other executors tell at their end how many iterations they had no time for: those were never due.
        let room = self.waiting < MAX_WAITING;
        let Some(queue) = self.queue(scenario) else {
            return;
        };
        if room && value == 1.0 {
            queue.dropped.push_back(Dropped {
                due_us: at_us,
                end_us: i64::MAX,
            });
            self.waiting += 1;
        } else {
            // The cast saturates.
            self.lost = self.lost.saturating_add(value as u64);
        }
    }

    /// An iteration ended: from when, until when.
    pub(super) fn iteration(&mut self, scenario: Option<&str>, end_us: i64, duration_ms: f64) {
        if self.waiting == 0 {
            return;
        }
        let Some(queue) = self.queue(scenario) else {
            return;
        };
        let start_us = end_us.saturating_sub((duration_ms * 1_000.0).round() as i64);
        while let Some(dropped) = queue.dropped.get_mut(queue.ended)
            && dropped.due_us <= end_us
        {
            dropped.end_us = end_us;
            queue.ended += 1;
        }
        while let Some(&dropped) = queue.dropped.front()
            && dropped.due_us <= start_us
        {
            queue.free(dropped, start_us.min(dropped.end_us));
        }
    }

    /// The estimates for which a request stands in, with the series that it has for them.
    pub(super) fn estimates(
        &mut self,
        scenario: Option<&str>,
        series: Series,
        response_us: u64,
    ) -> Vec<Estimate> {
        let Some(queue) = self.queue(scenario) else {
            return Vec::new();
        };
        queue.latest = Some((series, response_us));
        let part = queue.freed.len().div_ceil(SPREAD);
        let made: Vec<_> = queue
            .freed
            .drain(..part)
            .map(|freed| freed.served(response_us))
            .collect();
        self.waiting -= made.len();
        self.estimated += made.len() as u64;
        made
    }

    /// The output has ended: the estimates that are left.
    pub(super) fn finish(&mut self) -> Vec<(Series, Estimate)> {
        let mut made = Vec::new();
        for queue in self.queues.values_mut() {
            while queue.ended > 0
                && let Some(&dropped) = queue.dropped.front()
            {
                queue.free(dropped, dropped.end_us);
            }
            self.lost += queue.dropped.len() as u64;
            match queue.latest {
                Some((series, response_us)) => {
                    let all = queue.freed.drain(..);
                    made.extend(all.map(|freed| (series, freed.served(response_us))));
                }
                None => self.lost += queue.freed.len() as u64,
            }
            *queue = Queue::default();
        }
        self.waiting = 0;
        self.estimated += made.len() as u64;
        made
    }

    /// What the reader of the record should know.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.estimated > 0 {
            warnings.push(format!(
                "http_req_response_time holds {} estimates for starts that k6 dropped, tagged corrected:dropped_start: the wait until a VU was free, and the response time of a later request",
                self.estimated
            ));
        }
        if self.lost > 0 {
            warnings.push(format!(
                "{} starts that k6 dropped have no response time, not even an estimate: the percentiles flatter the target",
                self.lost
            ));
        }
        warnings
    }

    fn queue(&mut self, scenario: Option<&str>) -> Option<&mut Queue> {
        let scenario = scenario.or(self.only.as_deref())?;
        self.queues.get_mut(scenario)
    }
}

impl Queue {
    /// Its first dropped start could have had a VU at that time.
    fn free(&mut self, dropped: Dropped, at_us: i64) {
        self.dropped.pop_front();
        self.ended = self.ended.saturating_sub(1);
        self.freed.push_back(Freed {
            at_us,
            wait_us: u64::try_from(at_us.saturating_sub(dropped.due_us)).unwrap_or(0),
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::JsonReader;
    use crate::collector::{Collector, Settings};
    use crate::inspection::PlannedScenario;
    use crate::read::Reader;
    use floodgate_core::definition::model::Executor;
    use floodgate_core::histogram::Histogram;
    use floodgate_records::metric::Tags;
    use std::collections::VecDeque;
    use std::fmt::Write as _;
    use std::time::Duration;

    const SECOND: i64 = 1_000_000;

    fn scenario(name: &str, open: bool) -> PlannedScenario {
        let (vus, duration) = (20, Duration::from_secs(12));
        let executor = if open {
            Executor::ConstantArrivalRate {
                rate: 200,
                time_unit: Duration::from_secs(1),
                duration,
                pre_allocated_vus: vus,
                max_vus: vus,
                max_lateness: Duration::ZERO,
            }
        } else {
            Executor::ConstantVus { vus, duration }
        };
        PlannedScenario {
            name: name.to_owned(),
            start: Duration::ZERO,
            executor: Some(executor),
            graceful_stop: Duration::ZERO,
        }
    }

    /// k6's output, written by hand; times are µs from its beginning.
    #[derive(Default)]
    struct Written(String);

    impl Written {
        fn new() -> Self {
            let mut written = Self::default();
            for (metric, kind) in [
                ("http_req_duration", "trend"),
                ("http_req_blocked", "trend"),
                ("iteration_duration", "trend"),
                ("dropped_iterations", "counter"),
            ] {
                writeln!(
                    written.0,
                    r#"{{"type":"Metric","data":{{"name":"{metric}","type":"{kind}"}},"metric":"{metric}"}}"#
                )
                .unwrap();
            }
            written
        }

        fn point(&mut self, metric: &str, at_us: i64, value: f64, tags: &str) {
            let (s, us) = (at_us / SECOND, at_us % SECOND);
            writeln!(
                self.0,
                r#"{{"metric":"{metric}","type":"Point","data":{{"time":"2026-11-22T06:26:{s:02}.{us:06}Z","value":{value},"tags":{{{tags}}}}}}}"#
            )
            .unwrap();
        }

        fn dropped(&mut self, scenario: &str, at_us: i64) {
            let tags = format!(r#""scenario":"{scenario}""#);
            self.point("dropped_iterations", at_us, 1.0, &tags);
        }

        fn request(&mut self, scenario: &str, end_us: i64, service_us: i64, blocked_us: i64) {
            let tags = format!(r#""name":"home","scenario":"{scenario}""#);
            let ms = |us: i64| us as f64 / 1_000.0;
            self.point("http_req_duration", end_us, ms(service_us), &tags);
            self.point("http_req_blocked", end_us, ms(blocked_us), &tags);
        }

        fn iteration(&mut self, scenario: &str, end_us: i64, took_us: i64) {
            let tags = format!(r#""scenario":"{scenario}""#);
            let ms = took_us as f64 / 1_000.0;
            self.point("iteration_duration", end_us, ms, &tags);
        }
    }

    /// Response times that were measured, those that were estimated, and the warnings.
    fn read(text: &str, scenarios: &[PlannedScenario]) -> (Histogram, Histogram, Vec<String>) {
        let mut into = Collector::new(Settings {
            origin_ms: 1_795_328_760_000,
            max_series: 100,
            folding: Default::default(),
            tags: Tags::new(),
        });
        let mut reader = JsonReader::of_run(scenarios);
        reader.push(text.as_bytes(), &mut into).unwrap();
        let warnings = reader.finish(&mut into).unwrap();
        let mut rows = Vec::new();
        into.finish(&mut rows);
        let (mut measured, mut estimated) = (Histogram::new(), Histogram::new());
        for row in rows {
            if row.key.metric == "http_req_response_time" {
                let all = match row.key.tags.get("corrected") {
                    Some("dropped_start") => &mut estimated,
                    Some(other) => panic!("corrected={other}"),
                    None => &mut measured,
                };
                all.add_v2(row.histogram.as_ref().unwrap()).unwrap();
            }
        }
        (measured, estimated, warnings)
    }

    /// The example of `docs/measuring.md`: 200 starts a second for 12 s, one stall of 1 s, 20 VUs. What a schedule that is kept would
    /// measure is known: p95 is 0.4 s, whatever the number of VUs.
    #[test]
    fn a_stall_has_the_percentiles_of_a_schedule_that_was_kept() {
        const BEGIN: i64 = 5 * SECOND;
        const END: i64 = 6 * SECOND;
        const SERVICE: i64 = 250;
        let mut written = Written::new();
        let mut busy: VecDeque<(i64, i64)> = VecDeque::new();
        let (mut started, mut dropped) = (0, 0);
        let drain = |busy: &mut VecDeque<(i64, i64)>, until: i64, written: &mut Written| {
            while let Some(&(start, end)) = busy.front()
                && end <= until
            {
                busy.pop_front();
                written.request("open", end, end - start - 20, 20);
                written.iteration("open", end, end - start);
            }
        };
        for n in 0..2_400 {
            let due = n * 5_000;
            drain(&mut busy, due, &mut written);
            if busy.len() == 20 {
                dropped += 1;
                written.dropped("open", due);
                continue;
            }
            started += 1;
            let from = if (BEGIN..END).contains(&due) {
                END
            } else {
                due
            };
            busy.push_back((due, from + SERVICE));
        }
        drain(&mut busy, i64::MAX, &mut written);
        // The one that is due when the stall ends comes before the answers.
        assert_eq!((started, dropped), (2_219, 181));

        let (mut all, estimated, warnings) = read(&written.0, &[scenario("open", true)]);
        assert_eq!((all.count(), estimated.count()), (2_219, 181));
        assert!(
            all.quantile(0.95) < 1_000,
            "what was sent flatters the target"
        );
        all.add(&estimated);
        let p95 = all.quantile(0.95) as f64 / 1_000.0;
        assert!((395.0..405.0).contains(&p95), "{p95} ms");
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("181 estimates"), "{warnings:?}");
    }

    /// k6 adds a VU while the others are busy: the start of its first iteration is when a VU was free, not their end.
    #[test]
    fn a_vu_that_is_added_ends_the_wait() {
        let mut written = Written::new();
        written.dropped("open", SECOND);
        written.request("open", 2 * SECOND, 2 * SECOND, 0);
        written.iteration("open", 2 * SECOND, 2 * SECOND);
        written.request("open", 5 * SECOND / 2, SECOND, 0);
        // Started at 1.1 s.
        written.iteration("open", 5 * SECOND / 2, 1_400_000);
        written.request("open", 3 * SECOND, 30_000, 1_000);
        let (measured, estimated, _) = read(&written.0, &[scenario("open", true)]);
        assert_eq!((measured.count(), estimated.count()), (3, 1));
        // 100 ms until then, and 31 ms of the next request; three digits.
        let estimate = estimated.quantile(0.5);
        assert!((130_900..131_100).contains(&estimate), "{estimate} µs");
    }

    #[test]
    fn starts_that_never_find_a_vu_are_told() {
        let mut written = Written::new();
        written.request("open", SECOND, 1_000, 0);
        written.dropped("open", 2 * SECOND);
        written.dropped("open", 3 * SECOND);
        let (measured, estimated, warnings) = read(&written.0, &[scenario("open", true)]);
        assert_eq!((measured.count(), estimated.count()), (1, 0));
        assert!(
            warnings[0].starts_with("2 starts that k6 dropped"),
            "{warnings:?}"
        );
    }

    /// What an executor with a number of iterations has no time for was never due, and scenarios do not mix.
    #[test]
    fn only_arrival_rates_drop_starts() {
        let scenarios = [scenario("loop", false), scenario("open", true)];
        let mut written = Written::new();
        written.dropped("loop", SECOND);
        written.dropped("open", SECOND);
        written.iteration("loop", 2 * SECOND, 500_000);
        written.request("loop", 3 * SECOND, 1_000, 0);
        let (measured, estimated, warnings) = read(&written.0, &scenarios);
        assert_eq!((measured.count(), estimated.count()), (1, 0));
        assert!(warnings[0].starts_with("1 starts"), "{warnings:?}");
    }
}
