//! How a response of a step differs from the contract.

use super::hop::Final;
use super::io::{Io, Request};
use super::scenario::{RequestSource, StepPlan};
use super::vu::Vu;
use floodgate_contract::{Difference, Response};

/// A response that the client has just read.
pub(crate) struct Answer<'a, I> {
    pub(crate) io: &'a I,
    pub(crate) status: u16,
}

impl<I: Io> Response for Answer<'_, I> {
    fn status(&self) -> u16 {
        self.status
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.io.header(name)
    }

    fn body(&self) -> &[u8] {
        self.io.body()
    }
}

impl<W> Vu<W> {
    /// How the response of a step differs from the contract; `None` if nothing is said of it there, or it is not one to check.
    #[cold]
    pub(super) fn differences<I: Io>(
        &self,
        step: &StepPlan<W>,
        last: &Final,
        io: &I,
    ) -> Option<Vec<Difference>> {
        let sampled = step.sampled.as_ref().filter(|_| last.sampled)?;
        let exchange = &last.hop.exchange;
        if exchange.error.is_some() || exchange.status == 0 {
            return None;
        }
        let request: &Request = match &step.source {
            RequestSource::Fixed { request, .. } => request,
            RequestSource::Rendered(_) => self.request.as_deref()?,
        };
        let operation = sampled.operation(request)?;
        let status = exchange.status;
        Some(operation.differences(&Answer { io, status }))
    }
}
