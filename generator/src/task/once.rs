//! Setup and teardown of the native engine: flows that one task of a run does once, in a thread of its own. Their requests are no load and
//! are in no metric; what goes wrong with them is told.

use super::apart::apart;
use crate::clock::{Clock, Nanos};
use crate::exchange::{Exchange, Protocol};
use crate::flow::{
    CompiledScenario, Files, Given, IterationStart, Native, Place, ThinkTimer as _, Vu,
    collect_locals,
};
use crate::http::{TransportId, TransportOptions, Worker};
use crate::recorder::{CheckSeries, OwnSeries, Record, RequestSeries};
use crate::timer::Timer;
use floodgate_core::definition::Definition;
use floodgate_records::metric::{MetricKind, Tags};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// A flow that is done once.
pub(super) struct Once {
    /// With that flow as its only scenario.
    pub(super) definition: Definition,
    pub(super) files: Arc<Files>,
    /// Of that scenario.
    pub(super) transports: Vec<TransportOptions>,
    pub(super) execution: String,
    pub(super) task: u32,
    /// What another has given before.
    pub(super) given: Given,
}

impl Once {
    /// Does it, and gives what it has set and extracted. Who drops the future cuts it off.
    ///
    /// # Errors
    /// What went wrong first.
    pub(super) async fn run(self) -> Result<Given, String> {
        apart("once", move || async move { self.work().await }).await
    }

    async fn work(&self) -> Result<Given, String> {
        let clock = Clock::start();
        let timer = Timer::new(clock).map_err(|error| format!("no timer: {error}"))?;
        let worker =
            Worker::new(clock, &self.transports).map_err(|error| format!("the client: {error}"))?;
        let place = Place {
            execution: &self.execution,
            task: self.task,
            given: &self.given,
        };
        let wire = |request: &_| Native::wire(&worker, request, None);
        let flow = CompiledScenario::compile(&self.definition, 0, &self.files, place, wire)
            .map_err(|error| error.to_string())?;
        let helpers = [
            tokio::task::spawn_local(Rc::clone(&timer).drive()),
            tokio::task::spawn_local(Rc::clone(&worker).run_deadlines()),
        ];
        let (mut vu, mut io) = (Vu::new(1), Native::new(Rc::clone(&worker), TransportId(0)));
        let judge = RefCell::new(Judge::default());
        let now = timer.now();
        let start = IterationStart {
            iteration: 0,
            intended: now,
            actual: now,
        };
        vu.iterate(&flow, start, &mut io, &timer, &judge).await;
        helpers.iter().for_each(tokio::task::JoinHandle::abort);
        match judge.into_inner().failures.into_iter().next() {
            Some(failure) => Err(failure),
            None => Ok(self.named(vu.variables())),
        }
    }

    fn named(&self, values: &[String]) -> Given {
        let mut names = Vec::new();
        let flows = self.definition.scenarios.iter();
        flows.for_each(|scenario| collect_locals(&scenario.flow, &mut names));
        names.into_iter().zip(values.iter().cloned()).collect()
    }
}

/// Looks whether all went well: each response is to be as expected, and each check to hold.
#[derive(Default)]
struct Judge {
    series: Vec<Tags>,
    failures: Vec<String>,
    /// Whether the request that was recorded last is the last failure.
    failed_last: bool,
}

impl Judge {
    fn number(&mut self, tags: &Tags) -> u32 {
        self.series.push(tags.clone());
        self.series.len() as u32 - 1
    }

    fn tag(&self, series: u32, name: &str) -> &str {
        let tags = self.series.get(series as usize);
        tags.and_then(|tags| tags.get(name)).unwrap_or_default()
    }
}

impl Record for Judge {
    fn request_series(&mut self, _: &'static Protocol, tags: &Tags) -> RequestSeries {
        RequestSeries::from_index(self.number(tags))
    }

    fn check_series(&mut self, tags: &Tags) -> CheckSeries {
        CheckSeries::from_index(self.number(tags))
    }

    fn own_series(&mut self, _: &str, _: MetricKind, tags: &Tags) -> OwnSeries {
        OwnSeries::from_index(self.number(tags))
    }

    fn own(&mut self, _: OwnSeries, value: f64, _: Nanos) -> bool {
        value.is_finite()
    }

    fn request<E: Exchange>(
        &mut self,
        series: RequestSeries,
        exchange: &E,
        _: Nanos,
        expected: bool,
    ) {
        self.failed_last = !expected;
        if !expected {
            let series = series.index();
            let status = match exchange.error() {
                Some(error) => error.as_str().to_owned(),
                None => format!("status {}", self.tag(series, "status")),
            };
            let (method, name) = (self.tag(series, "method"), self.tag(series, "name"));
            self.failures.push(format!("{method} {name}: {status}"));
        }
    }

    fn check(&mut self, series: CheckSeries, held: bool, _: Nanos) {
        if !held {
            let check = self.tag(series.index(), "check");
            let name = self.tag(series.index(), "name");
            self.failures.push(format!("{name}: {check} did not hold"));
        }
    }

    fn attempted_again(&mut self) {
        if std::mem::take(&mut self.failed_last) {
            self.failures.pop();
        }
    }
}
