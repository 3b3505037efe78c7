//! The pool of connections that the VUs of a worker share (`connections: shared`).
//!
//! HTTP/1.1 connections stand in a stack: the one used last is the one most likely alive. There are as many as there
//! were requests at once. HTTP/2 connections carry as many requests as the peer allows; the first request makes one and
//! goes at once, and those that come meanwhile wait for it, and for the peer's SETTINGS, instead of making one each.

use super::endpoint::EndpointId;
use super::http1::H1;
use super::http2::{H2, Unsettled};
use std::cell::{RefCell, RefMut};
use tokio::sync::Notify;

/// A connection, or a part in one.
#[derive(Debug)]
pub(super) enum Connection {
    H1(H1),
    H2(Box<H2>),
}

#[derive(Debug, Default)]
struct Host {
    idle: Vec<H1>,
    multiplexed: Vec<H2>,
    /// Somebody is making a connection that may be multiplexed.
    connecting: bool,
    /// The peer chose HTTP/1.1: nobody need wait for another's connection.
    speaks_http1: bool,
}

/// All connections of a transport.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// By endpoint.
    hosts: RefCell<Vec<Host>>,
    changed: Notify,
}

/// The right to make a connection; ends with it.
pub(super) struct ConnectPermit<'a> {
    pool: &'a Pool,
    endpoint: EndpointId,
}

impl Drop for ConnectPermit<'_> {
    fn drop(&mut self) {
        self.pool.host(self.endpoint).connecting = false;
        self.pool.changed.notify_waiters();
    }
}

impl Pool {
    fn host(&self, endpoint: EndpointId) -> RefMut<'_, Host> {
        RefMut::map(self.hosts.borrow_mut(), |hosts| {
            let at = endpoint.0 as usize;
            if hosts.len() <= at {
                hosts.resize_with(at + 1, Host::default);
            }
            &mut hosts[at]
        })
    }

    /// A connection that is free now.
    pub(super) fn take(&self, endpoint: EndpointId) -> Option<Connection> {
        let mut host = self.host(endpoint);
        host.multiplexed
            .retain(|connection| !connection.is_closed());
        if let Some(connection) = host
            .multiplexed
            .iter()
            .find(|connection| connection.has_room())
        {
            return Some(Connection::H2(Box::new(connection.share())));
        }
        host.idle.pop().map(Connection::H1)
    }

    /// A connection that may have room as soon as the peer says so.
    fn unsettled(&self, endpoint: EndpointId) -> Option<Unsettled> {
        self.host(endpoint)
            .multiplexed
            .iter()
            .find_map(H2::unsettled)
    }

    /// Gives a connection back that may be used again.
    pub(super) fn give(&self, endpoint: EndpointId, connection: H1) {
        self.host(endpoint).idle.push(connection);
    }

    /// Lets others use a new connection, too.
    pub(super) fn publish(&self, endpoint: EndpointId, connection: &H2) {
        self.host(endpoint).multiplexed.push(connection.share());
    }

    /// Nobody shall use it any more.
    pub(super) fn retire(&self, endpoint: EndpointId, connection: &H2) {
        self.host(endpoint)
            .multiplexed
            .retain(|other| !other.is(connection));
    }

    /// Notes that the peer speaks HTTP/1.1.
    pub(super) fn note_http1(&self, endpoint: EndpointId) {
        self.host(endpoint).speaks_http1 = true;
    }

    /// A connection that is free, or the right to make one; waits while another makes one that may do for both.
    pub(super) async fn take_or_connect(
        &self,
        endpoint: EndpointId,
        may_be_h2: bool,
    ) -> Result<Connection, ConnectPermit<'_>> {
        loop {
            // before looking, not to miss the change
            let changed = self.changed.notified();
            if let Some(connection) = self.take(endpoint) {
                return Ok(connection);
            }
            if let Some(unsettled) = self.unsettled(endpoint) {
                unsettled.settled().await;
                continue;
            }
            {
                let mut host = self.host(endpoint);
                if !host.connecting || host.speaks_http1 || !may_be_h2 {
                    host.connecting = true;
                    return Err(ConnectPermit {
                        pool: self,
                        endpoint,
                    });
                }
            }
            changed.await;
        }
    }
}
