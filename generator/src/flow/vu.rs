//! A virtual user: it runs iterations of a scenario, one after the other.

use super::digest::Sessions;
use super::hop::{Final, InFlight, Own, dress, prepare, write};
use super::io::{Io, Request, ThinkTimer};
use super::progress::{Progress, Turn};
use super::redirect::is_redirect;
use super::request::RequestTemplate;
use super::sampled::Sampled;
use super::scenario::{CompiledScenario, Op, RequestSource, StepPlan};
use super::text::Scope;
use super::trace::Trace;
use crate::clock::Nanos;
use crate::exchange::ErrorCode;
use crate::http::exchange::{HttpExchange, Timings};
use crate::recorder::Record;
use crate::timer::give_way;
use smallvec::SmallVec;
use std::cell::RefCell;

/// One iteration's number and times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IterationStart {
    /// Its number in the scenario, from 0, global over all tasks: no two iterations of a scenario share one.
    pub iteration: u64,
    /// When it was intended to start.
    pub intended: Nanos,
    /// When it is started.
    pub actual: Nanos,
}

/// How an iteration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IterationEnd {
    /// All steps were done; failed requests and checks do not end an iteration.
    Completed {
        /// When its last step ended: the end of the last exchange, or the planned end of the think time behind it.
        ended: Nanos,
    },
    /// An extraction found nothing, and its step does not go on without: no later step was done.
    Failed {
        /// When the response had come.
        ended: Nanos,
    },
    /// A `unique` data source has no row for it; nothing was done, and no later iteration of the scenario has one.
    DataExhausted,
}

/// A virtual user. `W` is the client's form of a request ([`Io::Wire`]).
///
/// It keeps between iterations only the memory of requests that have to be filled in.
#[derive(Debug)]
pub struct Vu<W> {
    number: u64,
    pub(super) iteration: u64,
    rng: fastrand::Rng,
    /// What was made of secrets in this iteration, for samples to leave out.
    pub(super) hidden: Vec<String>,
    pub(super) locals: Vec<String>,
    /// Of flows with loops, conditions or choices.
    pub(super) progress: Option<Box<Progress>>,
    rows: SmallVec<[u32; 2]>,
    pub(super) request: Option<Box<Request>>,
    wire: Option<W>,
    pub(super) digest: Sessions,
    /// Of the step that is under way, if it is traced.
    pub(super) trace: Option<Trace>,
    pub(super) in_flight: Option<InFlight>,
}

impl<W> Vu<W> {
    /// The VU of that number in its scenario, from 1, global over all tasks.
    pub fn new(number: u64) -> Self {
        Self {
            number,
            iteration: 0,
            rng: fastrand::Rng::with_seed(0),
            hidden: Vec::new(),
            locals: Vec::new(),
            progress: None,
            rows: SmallVec::new(),
            request: None,
            wire: None,
            digest: Sessions::default(),
            trace: None,
            in_flight: None,
        }
    }

    /// Runs one iteration. The future may be dropped at any time; [`Self::interrupted`] then counts the exchange that
    /// was under way.
    pub async fn iterate<I, T, R>(
        &mut self,
        scenario: &CompiledScenario<W>,
        start: IterationStart,
        io: &mut I,
        timer: &T,
        record: &RefCell<R>,
    ) -> IterationEnd
    where
        I: Io<Wire = W>,
        T: ThinkTimer,
        R: Record,
    {
        self.in_flight = None;
        if !self.begin(scenario, start.iteration) {
            return IterationEnd::DataExhausted;
        }
        io.begin_iteration();
        // When the last step ended by plan, and when in fact.
        let (mut at, mut now) = (start.intended, start.actual);
        // Whether something took time, and whether the last thing that did was an answer.
        let (mut waited, mut answered) = (false, false);
        let mut place = 0;
        while let Some(op) = scenario.ops.get(place) {
            place += 1;
            match op {
                Op::Request(index) => {
                    waited = true;
                    if answered && scenario.closed {
                        give_way().await;
                    }
                    answered = true;
                    let step = &scenario.steps[*index as usize];
                    let tracing = step.tracing.as_ref();
                    self.trace = tracing.and_then(|tracing| tracing.draw(&mut self.rng));
                    let made = match &step.source {
                        RequestSource::Fixed { request, .. } => self.with_own(request, io),
                        RequestSource::Rendered(template) => {
                            self.fill_in(scenario, template, io).map(|()| true)
                        }
                    };
                    let own = match made {
                        Ok(own) => own,
                        Err(error) => {
                            now = timer.now();
                            let lost = Final::of(unsent(error, now), at);
                            if !self.settle(step, &lost, at, io, record) {
                                return IterationEnd::Failed { ended: now };
                            }
                            if step.remembered {
                                self.remember(lost, at);
                            }
                            at = now;
                            continue;
                        }
                    };
                    self.in_flight = Some(InFlight {
                        step: *index,
                        as_get: false,
                        intended: at,
                        begun: now,
                        passed: Vec::new(),
                    });
                    let wire = match &step.source {
                        RequestSource::Fixed { wire, .. } if !own => wire,
                        _ => self.wire.as_ref().expect("it was made just above"),
                    };
                    if step.failures.wants() || record.borrow().wants_all() {
                        io.explain_next();
                    }
                    let sampled = step.sampled.as_ref().is_some_and(|s| s.is_due());
                    let keep = if sampled { Sampled::KEEP } else { step.keep };
                    let exchange = io.execute(wire, keep, step.timeout).await;
                    self.in_flight = None;
                    let mut last = Final::of(exchange, at);
                    last.sampled = sampled;
                    if step.digest {
                        self.hear(step, io);
                    }
                    if exchange.error.is_none()
                        && (is_redirect(exchange.status) && step.max_redirects > 0
                            || exchange.status == 401 && step.digest)
                    {
                        // Boxed: redirects are rare, and every VU would carry the room for their futures.
                        last = Box::pin(self.follow(scenario, *index, last, io, record)).await;
                    }
                    if let Some(plan) = &step.retry
                        && plan.wants(&last.hop.exchange, step.is_expected(&last.hop.exchange))
                    {
                        let again = (*index, &**plan);
                        let world = (&mut *io, timer);
                        last = Box::pin(self.again(scenario, again, last, at, world, record)).await;
                    }
                    let goes_on = self.settle(step, &last, at, io, record);
                    let (intended, end) = (at, last.hop.exchange.timings.end);
                    (at, now) = (end, end);
                    if !goes_on {
                        return IterationEnd::Failed { ended: now };
                    }
                    if step.remembered {
                        self.remember(last, intended);
                    }
                }
                Op::Think { min, max } => {
                    at = at.saturating_add(self.rng.u64(*min..=*max));
                    if at > now {
                        (waited, answered) = (true, false);
                        now = timer.sleep_until(at).await;
                    }
                }
                Op::Set { slot, value } => {
                    let text = value.rendered(&mut self.scope(scenario));
                    self.locals[usize::from(*slot)] = text;
                }
                Op::Control(control) => match self.turn(scenario, control, io) {
                    Turn::On => {}
                    Turn::To(to) => place = to as usize,
                    Turn::Again(to) => {
                        place = to as usize;
                        // A loop without a request must not keep others from running.
                        give_way().await;
                    }
                    Turn::End => break,
                },
            }
        }
        if !waited {
            at = timer.now();
        }
        IterationEnd::Completed { ended: at }
    }

    /// Records the exchange that was under way when the future of [`Self::iterate`] was dropped, with the error
    /// `interrupted` and the time that it had taken so far (as waiting). Returns whether there was one.
    pub fn interrupted<R: Record>(
        &mut self,
        scenario: &CompiledScenario<W>,
        now: Nanos,
        record: &RefCell<R>,
    ) -> bool {
        let Some(lost) = self.in_flight.take() else {
            return false;
        };
        let end = now.max(lost.begun);
        let timings = Timings {
            begin: lost.begun,
            end,
            waiting: end - lost.begun,
            ..Timings::default()
        };
        let exchange = HttpExchange {
            timings,
            error: Some(ErrorCode::Interrupted),
            ..HttpExchange::default()
        };
        let record = &mut *record.borrow_mut();
        // What they asked for was on its way.
        for hop in &lost.passed {
            write(&scenario.steps[lost.step as usize], hop, true, record);
        }
        let series =
            scenario.steps[lost.step as usize]
                .series
                .get(record, &exchange, false, lost.as_get);
        record.request(series, &exchange, lost.intended, false);
        true
    }

    /// The variables of the last iteration, in the order in which its flow sets them first.
    pub(crate) fn variables(&self) -> &[String] {
        &self.locals
    }

    /// Sets up variables, random numbers and data rows; `false` if there are no rows left.
    fn begin(&mut self, scenario: &CompiledScenario<W>, iteration: u64) -> bool {
        self.iteration = iteration;
        if !scenario.reuses {
            self.digest.clear();
        }
        self.rng.seed(scenario.seed ^ mix(iteration));
        self.locals.resize_with(scenario.locals, String::new);
        self.locals.iter_mut().for_each(String::clear);
        self.hidden.clear();
        if scenario.controlled {
            let progress = self.progress.get_or_insert_default();
            progress.begin(scenario.loops, scenario.choices);
        }
        self.rows.clear();
        for rows in &scenario.rows {
            match rows.row(iteration, &mut self.rng) {
                Some(row) => self.rows.push(row),
                None => return false,
            }
        }
        true
    }

    pub(super) fn scope<'a>(&'a mut self, scenario: &'a CompiledScenario<W>) -> Scope<'a> {
        Scope {
            vu: self.number,
            iteration: self.iteration,
            locals: &self.locals,
            rows: &self.rows,
            tables: &scenario.tables,
            rng: &mut self.rng,
            hidden: &mut self.hidden,
        }
    }

    fn fill_in<I: Io<Wire = W>>(
        &mut self,
        scenario: &CompiledScenario<W>,
        template: &RequestTemplate,
        io: &mut I,
    ) -> Result<(), ErrorCode> {
        let mut request = self.request.take().unwrap_or_default();
        let filled = template.render(&mut self.scope(scenario), &mut request);
        let prepared = filled.and_then(|()| {
            let own = self.own(&request);
            prepare(io, &request, own, self.wire.take())
        });
        self.request = Some(request);
        self.wire = Some(prepared?);
        Ok(())
    }

    /// What the next exchange adds to a request.
    #[inline]
    pub(super) fn own(&mut self, request: &Request) -> Own {
        Own {
            authorization: self.digest.authorization(request),
            traceparent: self.trace.map(|trace| trace.header(&mut self.rng)),
        }
    }

    /// Makes the VU's own copy of a request that would be the same for all but for its cookies and what else is its own;
    /// `false`: there is nothing.
    #[inline]
    fn with_own<I: Io<Wire = W>>(
        &mut self,
        request: &Request,
        io: &mut I,
    ) -> Result<bool, ErrorCode> {
        let own = self.own(request);
        let cookies = io.cookie_header(request);
        if own.is_none() && cookies.is_none() {
            return Ok(false);
        }
        self.wire = Some(dress(io, request, cookies, own, self.wire.take())?);
        Ok(true)
    }

    /// Takes in what the target says of later requests.
    #[cold]
    fn hear<I: Io>(&mut self, step: &StepPlan<W>, io: &I) {
        let request = match &step.source {
            RequestSource::Fixed { request, .. } => Some(&**request),
            RequestSource::Rendered(_) => self.request.as_deref(),
        };
        if let (Some(request), Some(info)) = (request, io.header("authentication-info")) {
            self.digest.learn(request, info);
        }
    }
}

/// The sample of a request that could not be made.
pub(super) fn unsent(error: ErrorCode, now: Nanos) -> HttpExchange {
    HttpExchange {
        timings: Timings {
            begin: now,
            end: now,
            ..Timings::default()
        },
        error: Some(error),
        ..HttpExchange::default()
    }
}

/// The finaliser of SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>): neighbouring numbers become unrelated seeds.
pub(super) fn mix(n: u64) -> u64 {
    let z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
