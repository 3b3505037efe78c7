//! What the VUs of one worker thread share.

use super::deadline::Deadlines;
use super::endpoint::{Endpoint, EndpointId, MAX_ENDPOINTS, TooManyEndpoints};
use super::options::{SetupError, TransportId, TransportOptions};
use super::pool::Pool;
use super::route::{Route, Routing};
use super::thread_state::ThreadState;
use super::tls::Tls;
use super::url::Origin;
use crate::clock::Clock;
use floodgate_core::definition::{ConnectionMode, HttpVersion};
use floodgate_core::targets::Targets;
use floodgate_records::connections::Connections;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Options that have been made ready.
#[derive(Debug)]
pub(super) struct Transport {
    pub(super) version: HttpVersion,
    pub(super) shared: bool,
    pub(super) keep_alive: bool,
    pub(super) reuse_across_iterations: bool,
    pub(super) connect_timeout: Duration,
    pub(super) max_body_bytes: u64,
    pub(super) cookies: bool,
    pub(super) sessions_per_iteration: bool,
    pub(super) tls: Tls,
    pub(super) pool: Pool,
    /// What may be connected to.
    pub(super) targets: Arc<Targets>,
    routing: Routing,
    /// By endpoint; found at the first connection to it.
    routes: RefCell<HashMap<EndpointId, Rc<Route>>>,
}

/// The HTTP side of one worker thread: clock, TLS, names, the shared pool, the read buffer and the deadlines.
/// Not `Send`: nothing on the path of a request is shared between threads.
#[derive(Debug)]
pub struct Worker {
    pub(super) clock: Clock,
    transports: Vec<Rc<Transport>>,
    endpoints: RefCell<Vec<Rc<Endpoint>>>,
    by_origin: RefCell<HashMap<Origin, EndpointId>>,
    pub(super) deadlines: Rc<Deadlines>,
    pub(super) state: ThreadState,
}

impl Worker {
    /// A worker for these transports; a [`TransportId`] is an index among them.
    ///
    /// # Errors
    /// [`SetupError`] if certificates or keys are not usable.
    pub fn new(clock: Clock, options: &[TransportOptions]) -> Result<Rc<Self>, SetupError> {
        let transports = options
            .iter()
            .map(|options| Transport::new(options).map(Rc::new))
            .collect::<Result<_, _>>()?;
        Ok(Rc::new(Self {
            clock,
            transports,
            endpoints: RefCell::default(),
            by_origin: RefCell::default(),
            deadlines: Deadlines::new(clock),
            state: ThreadState::new(clock),
        }))
    }

    /// The worker's clock.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The endpoint of an origin, noted at the first call.
    ///
    /// # Errors
    /// [`TooManyEndpoints`] past 16,384 of them.
    pub fn endpoint(&self, origin: &Origin) -> Result<EndpointId, TooManyEndpoints> {
        if let Some(&known) = self.by_origin.borrow().get(origin) {
            return Ok(known);
        }
        let mut endpoints = self.endpoints.borrow_mut();
        if endpoints.len() >= MAX_ENDPOINTS {
            return Err(TooManyEndpoints(origin.authority()));
        }
        let id = EndpointId(endpoints.len() as u32);
        endpoints.push(Rc::new(Endpoint::new(origin)));
        self.by_origin.borrow_mut().insert(origin.clone(), id);
        Ok(id)
    }

    /// The origin of an endpoint of this worker.
    ///
    /// # Panics
    /// If the endpoint is another worker's.
    pub fn origin(&self, id: EndpointId) -> Origin {
        self.endpoint_of(id).origin.clone()
    }

    pub(super) fn endpoint_of(&self, id: EndpointId) -> Rc<Endpoint> {
        Rc::clone(&self.endpoints.borrow()[id.0 as usize])
    }

    pub(super) fn transport(&self, id: TransportId) -> Rc<Transport> {
        Rc::clone(&self.transports[usize::from(id.0)])
    }

    /// What has become of connections so far.
    pub fn connections(&self) -> Connections {
        self.state.account.borrow().clone()
    }

    /// Wakes requests whose time-out passed. To be spawned once a worker, on its thread; without it nothing times out.
    pub async fn run_deadlines(self: Rc<Self>) {
        self.deadlines.run().await;
    }
}

impl Transport {
    fn new(options: &TransportOptions) -> Result<Self, SetupError> {
        Ok(Self {
            version: options.version,
            shared: options.connections == ConnectionMode::Shared,
            keep_alive: options.keep_alive,
            reuse_across_iterations: options.reuse_across_iterations,
            connect_timeout: options.connect_timeout,
            max_body_bytes: options.max_body_bytes,
            cookies: options.cookies,
            sessions_per_iteration: options.sessions_per_iteration,
            tls: Tls::new(options)?,
            pool: Pool::default(),
            targets: Arc::clone(&options.targets),
            routing: Routing::new(options),
            routes: RefCell::default(),
        })
    }

    /// The way to an endpoint.
    pub(super) fn route(&self, id: EndpointId, endpoint: &Endpoint) -> Rc<Route> {
        let mut routes = self.routes.borrow_mut();
        let route = routes
            .entry(id)
            .or_insert_with(|| Rc::new(self.routing.route(&endpoint.origin)));
        Rc::clone(route)
    }

    /// Whether a connection to the origin may turn out to be HTTP/2.
    pub(super) fn may_be_h2(&self, https: bool) -> bool {
        match self.version {
            HttpVersion::Http1 => false,
            HttpVersion::Http2 => true,
            HttpVersion::Auto => https,
        }
    }
}
