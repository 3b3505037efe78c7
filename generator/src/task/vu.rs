//! A virtual user of the native engine: a flow, a client, and where its measurements go.

use crate::clock::Nanos;
use crate::executor::{Ended, Iterate, Recruit};
use crate::flow::{CompiledScenario, Io, IterationEnd, Keep, Request, Start, Vu};
use crate::http::exchange::{ErrorCode, Exchange};
use crate::http::{BadRequest, Client, RequestParts, TransportId, Wire, Worker};
use crate::recorder::WorkerRecorder;
use crate::timer::Timer;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// What the VUs of one scenario on one worker have in common.
#[derive(Debug)]
pub(super) struct NativeScenario {
    pub(super) worker: Rc<Worker>,
    pub(super) transport: TransportId,
    pub(super) flow: CompiledScenario<Wire>,
    pub(super) timer: Rc<Timer>,
    pub(super) recorder: Rc<RefCell<WorkerRecorder>>,
}

/// Recruits VUs for a scenario.
#[derive(Debug)]
pub(super) struct NativeRecruiter(pub(super) Rc<NativeScenario>);

impl Recruit for NativeRecruiter {
    type Vu = NativeVu;

    fn recruit(&self, number: u64) -> NativeVu {
        let client = Client::new(Rc::clone(&self.0.worker), self.0.transport);
        NativeVu {
            vu: Vu::new(number),
            io: ClientIo {
                worker: Rc::clone(&self.0.worker),
                client,
            },
            scenario: Rc::clone(&self.0),
        }
    }
}

#[derive(Debug)]
pub(super) struct NativeVu {
    vu: Vu<Wire>,
    io: ClientIo,
    scenario: Rc<NativeScenario>,
}

impl Iterate for NativeVu {
    async fn iterate(&mut self, number: u64, start: (Nanos, Nanos)) -> Ended {
        let scenario = &*self.scenario;
        let (intended, actual) = start;
        let start = Start {
            iteration: number,
            intended,
            actual,
        };
        match self
            .vu
            .iterate(
                &scenario.flow,
                start,
                &mut self.io,
                &scenario.timer,
                &scenario.recorder,
            )
            .await
        {
            IterationEnd::Completed { ended } => Ended {
                at: ended,
                more: true,
            },
            IterationEnd::DataExhausted => Ended {
                at: actual,
                more: false,
            },
        }
    }

    fn interrupted(&mut self, at: Nanos) {
        self.vu
            .interrupted(&self.scenario.flow, at, &self.scenario.recorder);
    }
}

impl crate::flow::Timer for Rc<Timer> {
    fn now(&self) -> Nanos {
        self.clock().now()
    }

    async fn sleep_until(&self, at: Nanos) -> Nanos {
        Timer::sleep_until(self, at).await;
        self.clock().now()
    }
}

/// A flow's view of the HTTP client.
#[derive(Debug)]
struct ClientIo {
    worker: Rc<Worker>,
    client: Client,
}

/// What the client sends of a request.
pub(super) fn wire(
    worker: &Worker,
    request: &Request,
    old: Option<Wire>,
) -> Result<Wire, ErrorCode> {
    let endpoint = worker
        .endpoint(&request.origin)
        .map_err(|_| ErrorCode::BadUrl)?;
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_vec()))
        .collect();
    let parts = RequestParts {
        method: request.method.to_string(),
        endpoint,
        path_and_query: request.path_and_query.clone(),
        authority: request.authority.to_string(),
        headers,
        body: request.body.clone(),
    };
    let built = match old {
        Some(mut wire) => wire.rebuild(&parts).map(|()| wire),
        None => Wire::build(&parts),
    };
    built.map_err(|error| match error {
        BadRequest::HeaderName(_) | BadRequest::HeaderValue(_) | BadRequest::Reserved(_) => ErrorCode::BadHeader,
        _ => ErrorCode::BadUrl,
    })
}

impl Io for ClientIo {
    type Wire = Wire;

    fn prepare(&mut self, request: &Request, old: Option<Wire>) -> Result<Wire, ErrorCode> {
        wire(&self.worker, request, old)
    }

    fn begin_iteration(&mut self) {
        self.client.begin_iteration();
    }

    fn cookie_header(&self, request: &Request) -> Option<String> {
        if !self.client.has_cookies() {
            return None;
        }
        let endpoint = self.worker.endpoint(&request.origin).ok()?;
        self.client.cookie_header(endpoint, &request.path_and_query)
    }

    fn execute(
        &mut self,
        wire: &Wire,
        keep: Keep,
        timeout: Duration,
    ) -> impl Future<Output = Exchange> {
        self.client.execute(wire, keep, timeout)
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.client.response().get(name)
    }

    fn cookie(&self, name: &str) -> Option<&[u8]> {
        self.client
            .response()
            .set_cookies()
            .find(|(cookie, _)| *cookie == name)
            .map(|(_, value)| value.as_bytes())
    }

    fn body(&self) -> &[u8] {
        self.client.response().body()
    }

    fn size(&self) -> u64 {
        self.client.response().body_bytes()
    }
}
