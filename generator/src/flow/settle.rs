//! The end of a step: what its last exchange is recorded as, its checks, what it extracts, and the samples of what failed.

use super::check::{JsonBody, Outcome, measured};
use super::failure::{Parts, sample};
use super::hop::{Final, write};
use super::io::Io;
use super::scenario::{RequestSource, StepPlan};
use super::vu::Vu;
use crate::clock::Nanos;
use crate::recorder::{Record, Sample};
use floodgate_core::execution::redact::mask_values;
use std::cell::RefCell;

impl<W> Vu<W> {
    /// Records a step's last exchange, its checks and what it extracts; `false` if the iteration ends for want of something to
    /// extract. `first` is when the step was intended to begin.
    #[inline]
    pub(super) fn settle<I: Io, R: Record>(
        &mut self,
        step: &StepPlan<W>,
        last: &Final,
        first: Nanos,
        io: &mut I,
        record: &RefCell<R>,
    ) -> bool {
        let record = &mut *record.borrow_mut();
        let expected = step.is_expected(&last.hop.exchange);
        write(step, &last.hop, expected, record);
        // What did not hold, by number: checks first, then extractions. Nothing is allocated while all is well.
        let mut broken = Vec::new();
        let mut goes_on = true;
        if step.looks {
            goes_on = self.look(step, last, first, io, record, &mut broken);
        }
        if last.sampled
            && let Some(differences) = self.differences(step, last, io)
            && let Some(sampled) = &step.sampled
        {
            let held = differences.is_empty();
            let series = sampled.series.get(record);
            record.check(series, held, last.hop.exchange.timings.end);
            if !held {
                broken.push(step.looked_at());
            }
        }
        if !expected || !broken.is_empty() || record.wants_all() || self.trace.is_some() {
            self.explain(step, last, expected, first, &broken, io, record);
        }
        goes_on
    }

    /// Evaluates a step's checks, does its extractions and records its metrics; `false`: the iteration ends for want of one.
    #[inline]
    fn look<I: Io, R: Record>(
        &mut self,
        step: &StepPlan<W>,
        last: &Final,
        first: Nanos,
        io: &I,
        record: &mut R,
        broken: &mut Vec<u16>,
    ) -> bool {
        let exchange = &last.hop.exchange;
        let mut json = JsonBody::default();
        for (number, check) in (0..).zip(&step.checks) {
            let held = check.look.holds(
                Outcome {
                    exchange,
                    intended: first,
                    cookies: &last.cookies,
                },
                io,
                &mut json,
            );
            let series = check.series.get(record);
            record.check(series, held, exchange.timings.end);
            if !held {
                broken.push(number);
            }
        }
        let mut goes_on = true;
        for (number, extract) in (0..).zip(&step.extract) {
            let local = &mut self.locals[usize::from(extract.slot)];
            local.clear();
            if let Some(value) = extract.value(exchange, &last.cookies, io, &mut json) {
                local.push_str(&value);
            } else {
                let series = extract.missing.get(record);
                record.check(series, false, exchange.timings.end);
                goes_on &= !step.ends_on_missing;
                broken.push(step.checks.len() as u16 + number);
            }
        }
        for (number, own) in (0..).zip(&step.record) {
            let value = own.from.value(exchange, &last.cookies, io, &mut json);
            let held = value.and_then(|text| measured(&text)).is_some_and(|value| {
                let series = own.series.get(record);
                record.own(series, value, exchange.timings.end)
            });
            if !held {
                let series = own.from.missing.get(record);
                record.check(series, false, exchange.timings.end);
                broken.push((step.checks.len() + step.extract.len()) as u16 + number);
            }
        }
        goes_on
    }

    /// Hands over a sample of an exchange that failed or was traced, if it is one of the first of its kind, of the first of all, or of the slowest.
    #[cold]
    #[expect(
        clippy::too_many_arguments,
        reason = "it tells all that there is to tell"
    )]
    pub(super) fn explain<I: Io, R: Record>(
        &self,
        step: &StepPlan<W>,
        last: &Final,
        expected: bool,
        first: Nanos,
        broken: &[u16],
        io: &mut I,
        record: &mut R,
    ) {
        let failed = !expected || !broken.is_empty();
        let wanted = failed
            && step
                .failures
                .admits(&last.hop.exchange, broken.first().copied());
        let took = last.hop.exchange.timings.end.saturating_sub(first);
        let tracing = step.tracing.as_ref().filter(|_| self.trace.is_some());
        let slow = tracing.is_some_and(|tracing| tracing.admits(took));
        // Without a response, what is there is of the one before.
        let (size, evidence) = (io.size(), io.take_evidence());
        let evidence = evidence.filter(|_| last.hop.exchange.status != 0);
        if !wanted && !slow && !record.wants_all() {
            return;
        }
        let request = match (&last.followed, &step.source) {
            (Some(request), _) => Some(&**request),
            (None, RequestSource::Fixed { request, .. }) => Some(&**request),
            (None, RequestSource::Rendered(_)) => self.request.as_deref(),
        };
        let names = step.checks.iter().map(|check| check.series.check());
        let recorded = step.record.iter().map(|own| &own.from);
        let taken = step.extract.iter().chain(recorded);
        let names = names.chain(taken.map(|extract| extract.missing.check()));
        let contract = step.sampled.iter().map(|sampled| sampled.series.check());
        let names: Vec<_> = names.chain(contract).collect();
        let named = broken.iter().filter_map(|n| names.get(usize::from(*n)));
        let mut sample = sample(Parts {
            names: step.series.names(),
            request,
            exchange: &last.hop.exchange,
            intended: first,
            checks: named.map(|name| (*name).to_owned()).collect(),
            evidence,
            size,
            trace: self.trace,
        });
        if broken.contains(&step.looked_at()) {
            let differences = self.differences(step, last, io).unwrap_or_default();
            sample.message = differences.first().map(ToString::to_string);
        }
        mask_values(&mut sample, &self.hidden);
        let end = last.hop.exchange.timings.end;
        if record.wants_all() {
            record.sample(Sample::First(sample.clone()), end);
        }
        if slow {
            record.sample(Sample::Slow(sample.clone()), end);
        }
        if wanted {
            record.sample(Sample::Failure(sample), end);
        }
    }
}
