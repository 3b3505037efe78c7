//! One VU's HTTP client.

use super::connect::{self, Fresh};
use super::cookies::{CookieJar, Site};
use super::deadline::Deadline;
use super::endpoint::EndpointId;
use super::exchange::HttpExchange;
use super::http1::{H1, RoundTrip};
use super::http2::H2;
use super::marks::Marks;
use super::options::TransportId;
use super::pool::Connection;
use super::response::{self, Keep, Response, ResponseView};
use super::wire::Wire;
use super::worker::{Transport, Worker};
use crate::clock::Nanos;
use crate::exchange::ErrorCode;
use rustls::ClientConfig;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Connections a VU keeps, one an endpoint; past it the one that was not used for longest goes.
const MAX_CONNECTIONS: usize = 16;

/// A VU's connections (or its access to the shared pool), its cookies and its last response.
#[derive(Debug)]
pub struct Client {
    pub(super) worker: Rc<Worker>,
    pub(super) transport: Rc<Transport>,
    pub(super) deadline: Deadline,
    connections: Vec<(EndpointId, Connection)>,
    pub(super) response: Response,
    /// Whether evidence is kept of the next response, whatever its status.
    explain: bool,
    jar: CookieJar,
    /// Its TLS sessions, if it has any of its own.
    sessions: Option<Arc<ClientConfig>>,
}

impl Client {
    /// A client without connections.
    ///
    /// # Panics
    /// If the transport is not one of the worker's.
    pub fn new(worker: Rc<Worker>, transport: TransportId) -> Self {
        Self {
            transport: worker.transport(transport),
            deadline: worker.deadlines.slot(),
            worker,
            connections: Vec::new(),
            response: Response::default(),
            explain: false,
            jar: CookieJar::default(),
            sessions: None,
        }
    }

    /// Sends one request and reads its response, without following redirects. What goes wrong is in the exchange.
    ///
    /// A request on a kept connection that the peer has closed is sent once more on a new one, if nothing of a response
    /// was read and it is idempotent or was not sent (RFC 9110 §9.2.2; browsers and Go do the same). So is one that met
    /// what is the connection's fault in other ways: see `is_fault_of_kept`. One that an HTTP/2 peer says it has not
    /// handled is sent up to six times more.
    ///
    /// Dropping the future drops the connection that it used.
    pub async fn execute(&mut self, wire: &Wire, keep: Keep, timeout: Duration) -> HttpExchange {
        let begin = self.worker.clock.now();
        let mut marks = Marks::default();
        self.response.reset(
            keep,
            self.transport.cookies,
            self.transport.max_body_bytes,
            wire.accepted(),
        );
        self.response.explain(std::mem::take(&mut self.explain));
        self.deadline.arm(
            begin,
            u64::try_from(timeout.as_nanos()).unwrap_or(Nanos::MAX),
        );
        let done = match self.take(wire.endpoint()) {
            Some(Connection::H1(mut connection)) => {
                marks.ready = begin;
                match self.round_trip(&mut connection, wire, &mut marks).await {
                    Ok(true) => {
                        self.give(wire, Connection::H1(connection));
                        Ok(())
                    }
                    done if self.is_fault_of_kept(&done, wire, &marks) => {
                        Box::pin(self.again(wire, &mut marks)).await
                    }
                    done => done.map(drop),
                }
            }
            Some(Connection::H2(connection)) => {
                Box::pin(self.multiplexed(connection, wire, &mut marks)).await
            }
            None => Box::pin(self.connect(wire, &mut marks)).await,
        };
        self.deadline.disarm();
        if done.is_err() {
            marks.end = self.worker.clock.now();
        }
        if self.transport.cookies && self.response.has_fields() {
            self.take_cookies(wire);
        }
        HttpExchange {
            timings: marks.timings(begin),
            status: self.response.status,
            error: done.err(),
            sent: marks.sent,
            received: marks.received,
            version: marks.version,
        }
    }

    /// The last response; empty before the first request and after a failed one, as far as it did not come.
    pub fn response(&self) -> ResponseView<'_> {
        response::view(&self.response)
    }

    /// Keeps evidence of the response to the next request, whatever its status; of a status from 400 on it is kept in any case.
    #[inline]
    pub fn explain_next(&mut self) {
        self.explain = true;
    }

    /// What explains the last response: its head, and the beginning of its body. Nothing is left of it here.
    pub fn take_evidence(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        self.response.take_evidence()
    }

    /// An iteration begins: cookies are forgotten, as in k6, and connections as the options say.
    pub fn begin_iteration(&mut self) {
        self.jar.clear();
        if !self.transport.reuse_across_iterations {
            self.connections.clear();
        }
        if self.transport.sessions_per_iteration {
            self.sessions = None;
        }
    }

    /// The cookies.
    pub fn cookies(&mut self) -> &mut CookieJar {
        &mut self.jar
    }

    /// Whether a response of this iteration has set a cookie.
    #[inline]
    pub fn has_cookies(&self) -> bool {
        !self.jar.is_empty()
    }

    /// The `Cookie` header for a request target at an endpoint; `None` if there is nothing to send.
    pub fn cookie_header(&self, endpoint: EndpointId, path_and_query: &str) -> Option<String> {
        if self.jar.is_empty() {
            return None;
        }
        let endpoint = self.worker.endpoint_of(endpoint);
        let (https, host) = (endpoint.origin.https, endpoint.origin.host.as_str());
        self.jar.header(
            Site {
                https,
                host,
                path: path_and_query,
            },
            SystemTime::now(),
        )
    }

    #[inline]
    fn take(&mut self, endpoint: EndpointId) -> Option<Connection> {
        if self.transport.shared {
            return self.transport.pool.take(endpoint);
        }
        let at = self
            .connections
            .iter()
            .position(|(of, _)| *of == endpoint)?;
        Some(self.connections.remove(at).1)
    }

    #[inline]
    pub(super) fn give(&mut self, wire: &Wire, connection: Connection) {
        if !self.transport.keep_alive || wire.closes() {
            return;
        }
        if self.transport.shared {
            // parts in an HTTP/2 connection need not be given back
            if let Connection::H1(connection) = connection {
                self.transport.pool.give(wire.endpoint(), connection);
            }
            return;
        }
        if self.connections.len() >= MAX_CONNECTIONS {
            self.connections.remove(0);
        }
        self.connections.push((wire.endpoint(), connection));
    }

    #[inline]
    fn round_trip<'a>(
        &'a mut self,
        connection: &'a mut H1,
        wire: &'a Wire,
        marks: &'a mut Marks,
    ) -> RoundTrip<'a> {
        RoundTrip::new(
            connection,
            wire,
            &self.worker.state,
            &self.deadline,
            &mut self.response,
            marks,
        )
    }

    /// A kept connection turned out to be closed: on a new one, for the last time. Where one idle connection is stale the
    /// next one may be, too.
    async fn again(&mut self, wire: &Wire, marks: &mut Marks) -> Result<(), ErrorCode> {
        self.restart(marks);
        match self.fresh(wire, marks).await? {
            Connection::H1(connection) => self.on_h1(connection, wire, marks).await,
            Connection::H2(connection) => self.multiplexed(connection, wire, marks).await,
        }
    }

    /// Another attempt begins.
    pub(super) fn restart(&mut self, marks: &mut Marks) {
        marks.restart();
        self.response.restart();
    }

    /// No connection was free.
    async fn connect(&mut self, wire: &Wire, marks: &mut Marks) -> Result<(), ErrorCode> {
        match self.another(wire, marks).await? {
            Connection::H2(connection) => self.multiplexed(connection, wire, marks).await,
            Connection::H1(mut connection) => {
                let kept = connection.used;
                marks.ready = self.worker.clock.now();
                match self.round_trip(&mut connection, wire, marks).await {
                    Ok(true) => {
                        self.give(wire, Connection::H1(connection));
                        Ok(())
                    }
                    done if kept && self.is_fault_of_kept(&done, wire, marks) => {
                        self.again(wire, marks).await
                    }
                    done => done.map(drop),
                }
            }
        }
    }

    /// A connection that has become free, or a new one.
    pub(super) async fn another(
        &mut self,
        wire: &Wire,
        marks: &mut Marks,
    ) -> Result<Connection, ErrorCode> {
        let endpoint = wire.endpoint();
        let transport = Rc::clone(&self.transport);
        if !transport.shared || !transport.keep_alive {
            return match self.take(endpoint) {
                Some(connection) => Ok(connection),
                None => self.fresh(wire, marks).await,
            };
        }
        let may_be_h2 = transport.may_be_h2(self.worker.endpoint_of(endpoint).origin.https);
        let took = self
            .deadline
            .limit(pin!(transport.pool.take_or_connect(endpoint, may_be_h2)))
            .await;
        match took.map_err(|_| ErrorCode::Timeout)? {
            Ok(connection) => Ok(connection),
            Err(_connecting) => self.fresh(wire, marks).await,
        }
    }

    /// Whether what came of a request on a kept connection is the connection's fault, and the request may be sent once
    /// more: the peer had given the connection up (see [`is_stale`]), or what it said came before it had seen the request.
    ///
    /// * A 408 that ends the connection speaks of the wait for a request (RFC 9110 §15.5.9), however it is timed.
    /// * Bytes that are not HTTP in front of any head belong to the response before; on a new connection it shows whether
    ///   they do.
    fn is_fault_of_kept(&self, done: &Result<bool, ErrorCode>, wire: &Wire, marks: &Marks) -> bool {
        match done {
            Ok(reusable) => self.response.status == 408 && !reusable,
            Err(ErrorCode::Protocol) => self.response.status == 0 && wire.is_idempotent(),
            Err(code) => is_stale(*code, wire, marks),
        }
    }

    /// A new connection, whatever there may be in a pool.
    async fn fresh(&mut self, wire: &Wire, marks: &mut Marks) -> Result<Connection, ErrorCode> {
        let fresh = self.open(wire, marks).await?;
        let connection = self.start(fresh).await?;
        if self.transport.shared && self.transport.keep_alive {
            let pool = &self.transport.pool;
            match &connection {
                Connection::H2(connection) => pool.publish(wire.endpoint(), connection),
                Connection::H1(_) => pool.note_http1(wire.endpoint()),
            }
        }
        Ok(connection)
    }

    async fn open(&mut self, wire: &Wire, marks: &mut Marks) -> Result<Fresh, ErrorCode> {
        let connecting = connect::Connecting {
            worker: &self.worker,
            transport: &self.transport,
            deadline: &self.deadline,
        };
        connecting
            .connect(wire.endpoint(), &mut self.sessions, marks)
            .await
    }

    async fn start(&mut self, fresh: Fresh) -> Result<Connection, ErrorCode> {
        if fresh.h2 {
            return Ok(Connection::H2(Box::new(
                H2::start(fresh.stream, &self.deadline).await?,
            )));
        }
        Ok(Connection::H1(H1 {
            stream: fresh.stream,
            used: false,
            by: fresh.by,
        }))
    }

    pub(super) async fn on_h1(
        &mut self,
        mut connection: H1,
        wire: &Wire,
        marks: &mut Marks,
    ) -> Result<(), ErrorCode> {
        marks.ready = self.worker.clock.now();
        if self.round_trip(&mut connection, wire, marks).await? {
            self.give(wire, Connection::H1(connection));
        }
        Ok(())
    }

    #[cold]
    fn take_cookies(&mut self, wire: &Wire) {
        let endpoint = self.worker.endpoint_of(wire.endpoint());
        let site = Site {
            https: endpoint.origin.https,
            host: &endpoint.origin.host,
            path: wire.path(),
        };
        for (name, value) in response::view(&self.response).headers() {
            if name.eq_ignore_ascii_case("set-cookie") {
                self.jar.set(site, value, SystemTime::now());
            }
        }
    }
}

/// Whether a kept connection failed as one does that the peer had given up, and the request may be sent once more.
pub(super) fn is_stale(code: ErrorCode, wire: &Wire, marks: &Marks) -> bool {
    let closed = matches!(
        code,
        ErrorCode::ConnectionClosed | ErrorCode::ConnectionReset
    );
    closed && marks.first == 0 && (wire.is_idempotent() || marks.sent == 0)
}
