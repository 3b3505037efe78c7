//! Further attempts of a request: each is a request of its own, with its own outcome and times. It is intended when the pause behind the
//! attempt before it is over.

use super::hop::{Final, InFlight, prepare, write};
use super::io::{Io, Request, ThinkTimer};
use super::redirect::is_redirect;
use super::retry::RetryPlan;
use super::scenario::{CompiledScenario, RequestSource, StepPlan};
use super::vu::Vu;
use crate::clock::Nanos;
use crate::recorder::Record;
use std::cell::RefCell;

impl<W> Vu<W> {
    /// Makes the request of a step again until it needs no other attempt or there are no more; each attempt but the last is recorded
    /// here. `first` is when the step was intended to begin.
    pub(super) async fn again<I: Io<Wire = W>, T: ThinkTimer, R: Record>(
        &mut self,
        scenario: &CompiledScenario<W>,
        (index, plan): (u32, &RetryPlan),
        mut last: Final,
        first: Nanos,
        (io, timer): (&mut I, &T),
        record: &RefCell<R>,
    ) -> Final {
        let step = &scenario.steps[index as usize];
        let request = match &step.source {
            RequestSource::Fixed { request, .. } => Request::clone(request),
            RequestSource::Rendered(_) => self.request.as_deref().cloned().unwrap_or_default(),
        };
        for number in 2..=plan.0.attempts {
            let expected = step.is_expected(&last.hop.exchange);
            if !plan.wants(&last.hop.exchange, expected) {
                break;
            }
            self.give_up(step, &last, expected, first, io, record);
            let end = last.hop.exchange.timings.end;
            let intended = end.saturating_add(plan.pause(number));
            let begun = match intended > end {
                true => timer.sleep_until(intended).await,
                false => end,
            };
            let own = self.own(&request);
            let wire = match prepare(io, &request, own, None) {
                Ok(wire) => wire,
                Err(error) => {
                    last = Final::of(super::vu::unsent(error, timer.now()), intended);
                    break;
                }
            };
            self.in_flight = Some(InFlight {
                step: index,
                as_get: false,
                intended,
                begun,
                passed: Vec::new(),
            });
            if step.failures.wants() || record.borrow().wants_all() {
                io.explain_next();
            }
            let exchange = io.execute(&wire, step.keep, step.timeout).await;
            self.in_flight = None;
            last = Final::of(exchange, intended);
            if let Some(info) = io.header("authentication-info").filter(|_| step.digest) {
                self.digest.learn(&request, info);
            }
            if exchange.error.is_none()
                && (is_redirect(exchange.status) && step.max_redirects > 0
                    || exchange.status == 401 && step.digest)
            {
                last = Box::pin(self.follow(scenario, index, last, io, record)).await;
            }
        }
        last
    }

    /// Records an attempt that another one follows.
    fn give_up<I: Io, R: Record>(
        &mut self,
        step: &StepPlan<W>,
        last: &Final,
        expected: bool,
        first: Nanos,
        io: &mut I,
        record: &RefCell<R>,
    ) {
        let record = &mut *record.borrow_mut();
        write(step, &last.hop, expected, record);
        if !expected || record.wants_all() {
            self.explain(step, last, expected, first, &[], io, record);
        }
        record.attempted_again();
    }
}

#[cfg(test)]
mod tests {
    use crate::exchange::ErrorCode;
    use floodgate_core::definition::RETRIED_ERRORS;

    #[test]
    fn every_error_that_another_attempt_may_mend_is_one() {
        // What was not allowed, was made wrong, or was cut off stays so.
        let others = [
            ErrorCode::TargetForbidden,
            ErrorCode::BadHeader,
            ErrorCode::Interrupted,
        ];
        let all = ErrorCode::ALL.iter().filter(|code| !others.contains(code));
        let all: Vec<_> = all.map(|code| code.as_str()).collect();
        assert_eq!(all, RETRIED_ERRORS);
    }
}
