//! What a step does when a response asks for another request: redirects, and challenges of HTTP Digest.

use super::hop::{Final, Hop, InFlight, prepare, write};
use super::io::{Io, Request};
use super::redirect::{is_redirect, redirect};
use super::scenario::{CompiledScenario, RequestSource};
use super::vu::Vu;
use crate::exchange::ErrorCode;
use crate::recorder::Record;
use std::cell::RefCell;

/// What was answered on the way to the last response.
#[derive(Default)]
struct Way {
    /// Redirects followed.
    followed: u32,
    /// Challenges answered since the last redirect.
    answers: u32,
}

impl<W> Vu<W> {
    /// Goes where redirects lead and answers challenges, recording each hop but the last. They are recorded when the last is known,
    /// and count as it does: else a run in which nothing but redirects succeeded would not have failed.
    pub(super) async fn follow<I: Io<Wire = W>, R: Record>(
        &mut self,
        scenario: &CompiledScenario<W>,
        index: u32,
        mut last: Final,
        io: &mut I,
        record: &RefCell<R>,
    ) -> Final {
        let step = &scenario.steps[index as usize];
        let mut request = match &step.source {
            RequestSource::Fixed { request, .. } => Request::clone(request),
            RequestSource::Rendered(_) => self.request.as_deref().cloned().unwrap_or_default(),
        };
        let (mut way, mut wire, mut passed) = (Way::default(), None, Vec::new());
        while last.hop.exchange.error.is_none() {
            let method = request.method.clone();
            match self.goes_on(&mut request, &last.hop, step.max_redirects, &mut way, io) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    last.hop.exchange.error = Some(error);
                    break;
                }
            }
            let own = self.own(&request);
            let ready = match prepare(io, &request, own, wire.take()) {
                Ok(prepared) => &*wire.insert(prepared),
                Err(error) => {
                    last.hop.exchange.error = Some(error);
                    break;
                }
            };
            passed.push(last.hop);
            last.cookies.take_in(step.cookie_names(), io);
            let intended = last.hop.exchange.timings.end;
            let as_get = last.hop.as_get || method != request.method;
            self.in_flight = Some(InFlight {
                step: index,
                as_get,
                intended,
                begun: intended,
                passed: std::mem::take(&mut passed),
            });
            let exchange = io.execute(ready, step.keep, step.timeout).await;
            passed = self.in_flight.take().map_or_else(Vec::new, |f| f.passed);
            if let Some(info) = io.header("authentication-info").filter(|_| step.digest) {
                self.digest.learn(&request, info);
            }
            last.hop = Hop {
                exchange,
                intended,
                as_get,
            };
            last.followed = Some(Box::new(request.clone()));
            last.sampled = false;
        }
        let expected = step.is_expected(&last.hop.exchange);
        for hop in passed {
            write(step, &hop, expected, &mut *record.borrow_mut());
        }
        last
    }

    /// Turns a request into the one that the last response asks for, if it does.
    fn goes_on<I: Io<Wire = W>>(
        &mut self,
        request: &mut Request,
        hop: &Hop,
        max_redirects: u32,
        way: &mut Way,
        io: &I,
    ) -> Result<bool, ErrorCode> {
        let status = hop.exchange.status;
        if status == 401 {
            let asked = io.each_header("www-authenticate");
            let answered = self.digest.challenged(request, asked, way.answers);
            way.answers += u32::from(answered);
            return Ok(answered);
        }
        // an empty location leads nowhere, as for browsers and Go
        let location = io.header("location").filter(|l| !l.trim_ascii().is_empty());
        let Some(location) = location.filter(|_| is_redirect(status) && max_redirects > 0) else {
            return Ok(false);
        };
        if way.followed == max_redirects {
            return Err(ErrorCode::TooManyRedirects);
        }
        *way = Way {
            followed: way.followed + 1,
            answers: 0,
        };
        redirect(request, status, location)?;
        Ok(true)
    }
}
