//! One VU's HTTP client.

use super::connect::{self, Fresh};
use super::cookies::{CookieJar, Site};
use super::deadline::Deadline;
use super::exchange::{ErrorCode, Exchange, Protocol};
use super::http1::{H1, RoundTrip};
use super::http2::{self, H2};
use super::marks::Marks;
use super::options::TransportId;
use super::pool::Connection;
use super::response::{self, Keep, Response, ResponseView};
use super::wire::Wire;
use super::worker::{EndpointId, Transport, Worker};
use crate::clock::Nanos;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

/// Connections a VU keeps, one an endpoint; past it the one that was not used for longest goes.
const MAX_CONNECTIONS: usize = 16;

/// A VU's connections (or its access to the shared pool), its cookies and its last response.
#[derive(Debug)]
pub struct Client {
    worker: Rc<Worker>,
    transport: Rc<Transport>,
    deadline: Deadline,
    connections: Vec<(EndpointId, Connection)>,
    response: Response,
    jar: CookieJar,
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
            jar: CookieJar::default(),
        }
    }

    /// Sends one request and reads its response, without following redirects. What goes wrong is in the exchange.
    ///
    /// A request on a kept connection that the peer has closed is sent once more on a new one, if nothing of a response
    /// was read and it is idempotent or was not sent (RFC 9110 §9.2.2; browsers and Go do the same). So is one that met
    /// what is the connection's fault in other ways: see [`Self::is_fault_of_kept`].
    ///
    /// Dropping the future drops the connection that it used.
    pub async fn execute(&mut self, wire: &Wire, keep: Keep, timeout: Duration) -> Exchange {
        let begin = self.worker.clock.now();
        let mut marks = Marks::default();
        self.response
            .reset(keep, self.transport.cookies, self.transport.max_body_bytes);
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
                marks.ready = begin;
                Box::pin(self.multiplexed(connection, wire, &mut marks)).await
            }
            None => Box::pin(self.connect(wire, &mut marks, false)).await,
        };
        self.deadline.disarm();
        if done.is_err() {
            marks.end = self.worker.clock.now();
        }
        if self.transport.cookies && self.response.has_fields() {
            self.take_cookies(wire);
        }
        Exchange {
            timings: marks.timings(begin),
            status: self.response.status,
            error: done.err(),
            sent: marks.sent,
            received: marks.received,
            protocol: marks.protocol,
        }
    }

    /// The last response; empty before the first request and after a failed one, as far as it did not come.
    pub fn response(&self) -> ResponseView<'_> {
        response::view(&self.response)
    }

    /// An iteration begins: cookies are forgotten, as in k6, and connections as the options say.
    pub fn begin_iteration(&mut self) {
        self.jar.clear();
        if !self.transport.reuse_across_iterations {
            self.connections.clear();
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
    fn give(&mut self, wire: &Wire, connection: Connection) {
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
            &self.worker,
            &self.deadline,
            &mut self.response,
            marks,
        )
    }

    /// A kept connection turned out to be closed: on another one, for the last time.
    async fn again(&mut self, wire: &Wire, marks: &mut Marks) -> Result<(), ErrorCode> {
        let multiplexed = marks.protocol == Protocol::Http2;
        marks.restart();
        self.response.restart();
        if multiplexed && self.transport.shared {
            // all who were on it come here at once: one makes a new connection, the others wait for it
            return Box::pin(self.connect(wire, marks, true)).await;
        }
        // where one idle connection is stale the next one may be, too
        self.on_fresh(wire, marks).await
    }

    /// No connection was free. `last`: what fails now is not tried again.
    async fn connect(
        &mut self,
        wire: &Wire,
        marks: &mut Marks,
        last: bool,
    ) -> Result<(), ErrorCode> {
        let transport = Rc::clone(&self.transport);
        if !transport.shared || !transport.keep_alive {
            return self.on_fresh(wire, marks).await;
        }
        let endpoint = wire.endpoint();
        let may_be_h2 = transport.may_be_h2(self.worker.endpoint_of(endpoint).origin.https);
        let took = self
            .deadline
            .limit(pin!(transport.pool.take_or_connect(endpoint, may_be_h2)))
            .await;
        match took.map_err(|_| ErrorCode::Timeout)? {
            Err(connecting) => {
                let fresh = self.open(wire, marks).await?;
                match self.start(fresh).await? {
                    Connection::H2(connection) => {
                        transport.pool.publish(endpoint, &connection);
                        drop(connecting);
                        self.on_h2(connection, wire, marks).await
                    }
                    Connection::H1(connection) => {
                        transport.pool.note_http1(endpoint);
                        drop(connecting);
                        self.on_h1(connection, wire, marks).await
                    }
                }
            }
            Ok(Connection::H2(connection)) if last => self.on_h2(connection, wire, marks).await,
            Ok(Connection::H2(connection)) => self.multiplexed(connection, wire, marks).await,
            Ok(Connection::H1(mut connection)) => {
                marks.ready = self.worker.clock.now();
                match self.round_trip(&mut connection, wire, marks).await {
                    Ok(true) => {
                        self.give(wire, Connection::H1(connection));
                        Ok(())
                    }
                    done if !last && self.is_fault_of_kept(&done, wire, marks) => {
                        self.again(wire, marks).await
                    }
                    done => done.map(drop),
                }
            }
        }
    }

    /// Whether what came of a request on a kept connection is the connection's fault, and the request may be sent once
    /// more: the peer had given the connection up (see [`is_stale`]), or what it said came before it had seen the request.
    ///
    /// * A 408 that ends the connection speaks of the wait for a request (RFC 9110 §15.5.9), however it is timed.
    /// * Bytes that are no HTTP in front of any head belong to the response before; on a new connection it shows whether
    ///   they do.
    fn is_fault_of_kept(&self, done: &Result<bool, ErrorCode>, wire: &Wire, marks: &Marks) -> bool {
        match done {
            Ok(reusable) => self.response.status == 408 && !reusable,
            Err(ErrorCode::Protocol) => self.response.status == 0 && wire.is_idempotent(),
            Err(code) => is_stale(*code, wire, marks),
        }
    }

    /// On a connection of its own, whatever there may be in a pool.
    async fn on_fresh(&mut self, wire: &Wire, marks: &mut Marks) -> Result<(), ErrorCode> {
        let fresh = self.open(wire, marks).await?;
        match self.start(fresh).await? {
            Connection::H1(connection) => self.on_h1(connection, wire, marks).await,
            Connection::H2(connection) => {
                if self.transport.shared && self.transport.keep_alive {
                    self.transport.pool.publish(wire.endpoint(), &connection);
                }
                self.on_h2(connection, wire, marks).await
            }
        }
    }

    async fn open(&mut self, wire: &Wire, marks: &mut Marks) -> Result<Fresh, ErrorCode> {
        let endpoint = self.worker.endpoint_of(wire.endpoint());
        connect::connect(
            self.worker.clock,
            &self.transport,
            &endpoint,
            &self.deadline,
            marks,
        )
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
        }))
    }

    async fn on_h1(
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

    /// On an HTTP/2 connection that was there; if it is going away, on a new one.
    async fn multiplexed(
        &mut self,
        connection: Box<H2>,
        wire: &Wire,
        marks: &mut Marks,
    ) -> Result<(), ErrorCode> {
        if marks.ready == 0 {
            marks.ready = self.worker.clock.now();
        }
        match self.on_h2_attempt(connection, wire, marks).await {
            Ok(()) => Ok(()),
            Err(failed) if failed.unprocessed || is_stale(failed.code, wire, marks) => {
                self.again(wire, marks).await
            }
            Err(failed) => Err(failed.code),
        }
    }

    async fn on_h2(
        &mut self,
        connection: Box<H2>,
        wire: &Wire,
        marks: &mut Marks,
    ) -> Result<(), ErrorCode> {
        marks.ready = self.worker.clock.now();
        self.on_h2_attempt(connection, wire, marks)
            .await
            .map_err(|failed| failed.code)
    }

    async fn on_h2_attempt(
        &mut self,
        mut connection: Box<H2>,
        wire: &Wire,
        marks: &mut Marks,
    ) -> Result<(), http2::Failed> {
        let endpoint = wire.endpoint();
        let https = self.worker.endpoint_of(endpoint).origin.https;
        let request = http2::request(wire, https)?;
        let clock = self.worker.clock;
        let done = connection
            .exchange(request, clock, &self.deadline, &mut self.response, marks)
            .await;
        match &done {
            // the stream failed, the connection is none the worse for it
            Ok(()) => self.give(wire, Connection::H2(connection)),
            Err(failed)
                if matches!(
                    failed.code,
                    ErrorCode::BodyTooLarge | ErrorCode::Decompression
                ) =>
            {
                self.give(wire, Connection::H2(connection));
            }
            Err(_) if self.transport.shared => self.transport.pool.retire(endpoint, &connection),
            Err(_) => {}
        }
        done
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
fn is_stale(code: ErrorCode, wire: &Wire, marks: &Marks) -> bool {
    let closed = matches!(
        code,
        ErrorCode::ConnectionClosed | ErrorCode::ConnectionReset
    );
    closed && marks.first == 0 && (wire.is_idempotent() || marks.sent == 0)
}
