//! The project's own HTTP client as the client of a flow.

use super::io::{Io, Request};
use crate::exchange::ErrorCode;
use crate::http::exchange::HttpExchange;
use crate::http::{BadRequest, Client, Keep, RequestParts, TransportId, Wire, Worker};
use std::rc::Rc;
use std::time::Duration;

/// A VU's native client.
#[derive(Debug)]
pub struct Native {
    worker: Rc<Worker>,
    client: Client,
}

impl Native {
    /// A client without connections.
    ///
    /// # Panics
    /// If the transport is not one of the worker's.
    pub fn new(worker: Rc<Worker>, transport: TransportId) -> Self {
        let client = Client::new(Rc::clone(&worker), transport);
        Self { worker, client }
    }

    /// Makes what the client sends of a request; also for [`super::CompiledScenario::compile`], which needs no VU.
    ///
    /// # Errors
    /// [`ErrorCode::BadUrl`] for a path or an origin that cannot be requested, [`ErrorCode::BadHeader`] for a header.
    pub fn wire(worker: &Worker, request: &Request, old: Option<Wire>) -> Result<Wire, ErrorCode> {
        // More origins than a worker keeps: they came out of values, like other URLs that are no use.
        let endpoint = worker
            .endpoint(&request.origin)
            .map_err(|_| ErrorCode::BadUrl)?;
        let headers = request.headers.iter();
        let parts = RequestParts {
            method: request.method.to_string(),
            endpoint,
            path_and_query: request.path_and_query.clone(),
            authority: request.authority.to_string(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_vec()))
                .collect(),
            body: request.body.clone(),
        };
        let made = match old {
            Some(mut wire) => wire.rebuild(&parts).map(|()| wire),
            None => Wire::build(&parts),
        };
        made.map_err(|bad| match bad {
            BadRequest::Method(_) | BadRequest::Path(_) => ErrorCode::BadUrl,
            _ => ErrorCode::BadHeader,
        })
    }
}

impl Io for Native {
    type Wire = Wire;

    fn prepare(&mut self, request: &Request, old: Option<Wire>) -> Result<Wire, ErrorCode> {
        Self::wire(&self.worker, request, old)
    }

    #[inline]
    fn begin_iteration(&mut self) {
        self.client.begin_iteration();
    }

    #[inline]
    fn cookie_header(&self, request: &Request) -> Option<String> {
        if !self.client.has_cookies() {
            return None;
        }
        let endpoint = self.worker.endpoint(&request.origin).ok()?;
        self.client.cookie_header(endpoint, &request.path_and_query)
    }

    #[inline]
    fn execute(
        &mut self,
        wire: &Wire,
        keep: Keep,
        timeout: Duration,
    ) -> impl Future<Output = HttpExchange> {
        self.client.execute(wire, keep, timeout)
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.client.response().get(name)
    }

    fn each_header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let all = self.client.response().headers();
        all.filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    fn cookie(&self, name: &str) -> Option<&[u8]> {
        let mut cookies = self.client.response().set_cookies();
        cookies
            .find(|(other, _)| *other == name)
            .map(|(_, value)| value.as_bytes())
    }

    fn body(&self) -> &[u8] {
        self.client.response().body()
    }

    fn size(&self) -> u64 {
        self.client.response().body_bytes()
    }

    #[inline]
    fn explain_next(&mut self) {
        self.client.explain_next();
    }

    fn take_evidence(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        self.client.take_evidence()
    }
}
