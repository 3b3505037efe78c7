//! From an endpoint to a connected stream: name, TCP or Unix socket, proxy, TLS; each measured, and what fails told in
//! words beside its code.

use super::deadline::{Deadline, Expired};
use super::endpoint::{Endpoint, EndpointId, Resolved};
use super::failure;
use super::marks::Marks;
use super::route::{Destination, Forward, Route};
use super::stream::{Socket, Stream};
use super::tls::ALPN_H2;
use super::tls::reason::plain;
use super::tunnel::{self, NoTunnel};
use super::worker::{Transport, Worker};
use crate::clock::Nanos;
use crate::exchange::ErrorCode;
use floodgate_core::definition::HttpVersion;
use floodgate_core::targets::{Forbidden, Host};
use rustls::{ClientConfig, HandshakeKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// How long a resolved name is believed. k6 believes it for five minutes; a target that scales out during a test is
/// followed sooner.
pub const DNS_TTL: Duration = Duration::from_secs(30);

/// A new connection.
pub(super) struct Fresh {
    pub(super) stream: Stream,
    /// Whether HTTP/2 is spoken on it.
    pub(super) h2: bool,
    /// The proxy that requests are handed to.
    pub(super) by: Option<Rc<Forward>>,
}

/// Why there is no connection: its code, and in words what the code does not say.
#[derive(Debug)]
struct Failed {
    code: ErrorCode,
    why: Option<String>,
}

impl From<Expired> for Failed {
    fn from(Expired: Expired) -> Self {
        let code = ErrorCode::Timeout;
        Self { code, why: None }
    }
}

fn failed(code: ErrorCode, why: String) -> Failed {
    Failed {
        code,
        why: Some(why),
    }
}

impl From<Forbidden> for Failed {
    fn from(forbidden: Forbidden) -> Self {
        failed(ErrorCode::TargetForbidden, plain(&forbidden.to_string()))
    }
}

/// What is needed to connect.
#[derive(Clone, Copy)]
pub(super) struct Connecting<'a> {
    pub(super) worker: &'a Worker,
    pub(super) transport: &'a Transport,
    pub(super) deadline: &'a Deadline,
}

impl Connecting<'_> {
    /// Connects; phases go to `marks` even if a later one fails. `sessions` are the VU's own.
    pub(super) async fn connect(
        &self,
        id: EndpointId,
        sessions: &mut Option<Arc<ClientConfig>>,
        marks: &mut Marks,
    ) -> Result<Fresh, ErrorCode> {
        let endpoint = self.worker.endpoint_of(id);
        let route = self.transport.route(id, &endpoint);
        let made = self.make(&endpoint, &route, sessions, marks).await;
        let mut account = self.worker.state.account.borrow_mut();
        match made {
            Ok(fresh) => {
                account.opened += 1;
                if let Some(way) = &route.said {
                    account.route(way, 1);
                }
                Ok(fresh)
            }
            Err(Failed { code, why }) => {
                if let Some(why) = why {
                    account.fault(code.as_str(), &why, 1);
                }
                Err(code)
            }
        }
    }

    async fn make(
        &self,
        endpoint: &Endpoint,
        route: &Route,
        sessions: &mut Option<Arc<ClientConfig>>,
        marks: &mut Marks,
    ) -> Result<Fresh, Failed> {
        let socket = self.reach(endpoint, route, marks).await?;
        if endpoint.origin.https {
            return self.secure(socket, endpoint, sessions, marks).await;
        }
        let by = match &route.to {
            Destination::Forward(by) => Some(Rc::clone(by)),
            _ => None,
        };
        Ok(Fresh {
            stream: socket.into(),
            h2: self.transport.version == HttpVersion::Http2,
            by,
        })
    }

    /// A connection to the endpoint or to what stands for it, without TLS.
    async fn reach(
        &self,
        endpoint: &Endpoint,
        route: &Route,
        marks: &mut Marks,
    ) -> Result<Socket, Failed> {
        self.check(endpoint, route)?;
        match &route.to {
            Destination::Nowhere(why) => Err(failed(ErrorCode::Proxy, why.clone())),
            Destination::Unix(path) => {
                let began = self.worker.clock.now();
                let connected = self.deadline.limit(pin!(UnixStream::connect(path))).await;
                marks.connecting = self.worker.clock.now() - began;
                let connected = connected?.map_err(|error| {
                    let why = format!("{}: {error}", path.display());
                    failed(failure::of_connect(&error), why)
                });
                connected.map(Socket::Unix)
            }
            Destination::Address(address) => self.tcp(&[*address], marks).await.map(Socket::Tcp),
            Destination::Host => {
                let addresses = self.resolve(endpoint, marks).await?;
                let addresses = self.allowed(endpoint, addresses)?;
                self.tcp(&addresses, marks).await.map(Socket::Tcp)
            }
            Destination::Forward(by) => self.proxy(&by.proxy, marks).await.map(Socket::Tcp),
            Destination::Tunnel(tunnel) => {
                let mut proxy = self.proxy(&tunnel.proxy, marks).await?;
                let began = self.worker.clock.now();
                let dug = tunnel::dig(&mut proxy, &tunnel.request);
                let dug = self.deadline.limit(pin!(dug)).await;
                marks.connecting += self.worker.clock.now() - began;
                let host = tunnel.proxy.origin.authority();
                dug?.map_err(|error: NoTunnel| {
                    failed(ErrorCode::Proxy, format!("{host}: {error}"))
                })?;
                Ok(Socket::Tcp(proxy))
            }
        }
    }

    /// Whether load may take this way, as far as that can be told before a name is resolved. What a definition itself puts in place of
    /// a name says nothing of the name; and what a proxy connects to only its name tells.
    fn check(&self, endpoint: &Endpoint, route: &Route) -> Result<(), Forbidden> {
        let targets = &self.transport.targets;
        let host = &endpoint.origin.host;
        if targets.is_anything() {
            return Ok(());
        }
        let by = match &route.to {
            Destination::Nowhere(_) => return Ok(()),
            Destination::Unix(path) => {
                return targets.elsewhere(&format!("unix socket {}", path.display()));
            }
            Destination::Address(address) => return targets.address(address.ip()),
            Destination::Host => return targets.host(host).map(|_| ()),
            Destination::Forward(by) => &by.proxy,
            Destination::Tunnel(tunnel) => &tunnel.proxy,
        };
        targets.host(&by.origin.host)?;
        match targets.host(host)? {
            Host::ByAddress if endpoint.literal.is_none() => targets.elsewhere(host),
            Host::ByAddress | Host::Listed => Ok(()),
        }
    }

    /// Those of a host's addresses that load may be sent to.
    fn allowed(
        &self,
        endpoint: &Endpoint,
        mut addresses: Vec<SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Forbidden> {
        let targets = &self.transport.targets;
        if targets.is_anything() {
            return Ok(addresses);
        }
        let host = &endpoint.origin.host;
        let mut why = None;
        addresses.retain(|address| {
            let judged = targets.resolved(host, address.ip());
            why = why.take().or(judged.clone().err());
            judged.is_ok()
        });
        match why {
            Some(why) if addresses.is_empty() => Err(why),
            _ => Ok(addresses),
        }
    }

    /// A connection to a proxy. That it cannot be had is not the target's fault, whatever the reason.
    async fn proxy(&self, proxy: &Endpoint, marks: &mut Marks) -> Result<TcpStream, Failed> {
        let connected = match self.resolve(proxy, marks).await {
            Ok(addresses) => match self.allowed(proxy, addresses) {
                Ok(addresses) => self.tcp(&addresses, marks).await,
                Err(forbidden) => Err(forbidden.into()),
            },
            Err(failed) => Err(failed),
        };
        connected.map_err(|Failed { code, why }| match code {
            ErrorCode::GeneratorExhausted | ErrorCode::Timeout | ErrorCode::TargetForbidden => {
                Failed { code, why }
            }
            _ => failed(
                ErrorCode::Proxy,
                format!(
                    "cannot be reached ({}): {}",
                    code.as_str(),
                    why.unwrap_or_default()
                ),
            ),
        })
    }

    async fn secure(
        &self,
        socket: Socket,
        endpoint: &Endpoint,
        sessions: &mut Option<Arc<ClientConfig>>,
        marks: &mut Marks,
    ) -> Result<Fresh, Failed> {
        let authority = endpoint.origin.authority();
        let name = endpoint.server_name.clone().ok_or_else(|| {
            let why = "its name can be in no certificate";
            failed(
                ErrorCode::TlsCertificate,
                format!("{}: {why}", plain(&authority)),
            )
        })?;
        let tls = &self.transport.tls;
        let connector = TlsConnector::from(tls.config(sessions));
        let began = self.worker.clock.now();
        let handshake = self
            .deadline
            .limit(pin!(connector.connect(name, socket)))
            .await;
        marks.tls = self.worker.clock.now() - began;
        let stream = handshake?.map_err(|error| {
            let why = format!("{}: {}", plain(&authority), tls.why(&error));
            failed(failure::of_handshake(&error), why)
        })?;
        let session = stream.get_ref().1;
        let resumed = session.handshake_kind() == Some(HandshakeKind::Resumed);
        let h2 = session.alpn_protocol() == Some(ALPN_H2);
        {
            let mut account = self.worker.state.account.borrow_mut();
            account.tls_handshakes += 1;
            account.tls_resumed += u64::from(resumed);
            account.tls_resumption.insert(tls.resumption.into());
        }
        if self.transport.version == HttpVersion::Http2 && !h2 {
            let why = format!("{}: does not agree on HTTP/2 by ALPN", plain(&authority));
            return Err(failed(ErrorCode::Protocol, why));
        }
        Ok(Fresh {
            stream: Stream::Tls(Box::new(stream)),
            h2,
            by: None,
        })
    }

    /// The addresses in the order in which they are to be tried: IPv4 first (as k6 prefers it), each connection from the
    /// next one on.
    async fn resolve(
        &self,
        endpoint: &Endpoint,
        marks: &mut Marks,
    ) -> Result<Vec<SocketAddr>, Failed> {
        if let Some(address) = endpoint.literal {
            return Ok(vec![address]);
        }
        let began = self.worker.clock.now();
        let cell = {
            let mut resolved = endpoint.resolved.borrow_mut();
            if resolved.expires <= began
                && (resolved.addresses.initialized() || resolved.expires == 0)
            {
                let expires = began + DNS_TTL.as_nanos() as Nanos;
                *resolved = Resolved {
                    addresses: Rc::default(),
                    expires,
                };
            }
            Rc::clone(&resolved.addresses)
        };
        if let Some(addresses) = cell.get() {
            return Ok(in_turn(addresses, endpoint));
        }
        let origin = &endpoint.origin;
        let lookup = cell.get_or_try_init(async || {
            let found = tokio::net::lookup_host((origin.host.as_str(), origin.port)).await;
            let found: Vec<_> = found
                .map_err(|error| {
                    let why = format!("{}: {error}", plain(&origin.host));
                    failed(failure::of_lookup(&error), why)
                })?
                .collect();
            if found.is_empty() {
                let why = format!("{}: no address", plain(&origin.host));
                Err(failed(ErrorCode::Dns, why))
            } else {
                Ok(Rc::from(found))
            }
        });
        let found = self.deadline.limit(pin!(lookup)).await;
        marks.looking_up = self.worker.clock.now() - began;
        Ok(in_turn(found??, endpoint))
    }

    /// Tries one address after the other. What is left of the time is shared equally between those that are left, so that
    /// an address that swallows packets does not keep the next one from its turn (Go's `net.Dialer` does the same).
    async fn tcp(&self, addresses: &[SocketAddr], marks: &mut Marks) -> Result<TcpStream, Failed> {
        let clock = self.worker.clock;
        let began = clock.now();
        let connected = self.try_all(addresses, began).await;
        marks.connecting = clock.now() - began;
        let stream = connected?;
        // a request is written at once and whole: waiting for more to send would only delay it
        stream
            .set_nodelay(true)
            .map_err(|error| failed(failure::of_connect(&error), error.to_string()))?;
        Ok(stream)
    }

    async fn try_all(&self, addresses: &[SocketAddr], began: Nanos) -> Result<TcpStream, Failed> {
        let limit = self.transport.connect_timeout.as_nanos() as Nanos;
        let until = self.deadline.at().min(began.saturating_add(limit));
        let mut last = failed(ErrorCode::Unreachable, "no address".to_owned());
        for (tried, address) in addresses.iter().enumerate() {
            let now = self.worker.clock.now();
            let left = until.saturating_sub(now) / (addresses.len() - tried) as Nanos;
            let attempt = TcpStream::connect(address);
            last = match tokio::time::timeout(Duration::from_nanos(left), attempt).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => {
                    failed(failure::of_connect(&error), format!("{address}: {error}"))
                }
                Err(_) => {
                    let why = format!("{address}: no connection in its time");
                    failed(ErrorCode::ConnectTimeout, why)
                }
            };
            if last.code == ErrorCode::GeneratorExhausted {
                break;
            }
        }
        Err(last)
    }
}

fn in_turn(addresses: &[SocketAddr], endpoint: &Endpoint) -> Vec<SocketAddr> {
    let turn = endpoint.turn.get();
    endpoint.turn.set(turn.wrapping_add(1));
    let mut ordered = Vec::with_capacity(addresses.len());
    for v4 in [true, false] {
        let family: Vec<_> = addresses
            .iter()
            .filter(|address| address.is_ipv4() == v4)
            .collect();
        ordered
            .extend((0..family.len()).map(|at| *family[(turn % family.len() + at) % family.len()]));
    }
    ordered
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::url::Origin;
    use super::*;

    #[test]
    fn addresses_take_turns_and_ipv4_goes_first() {
        let endpoint = Endpoint::new(&Origin {
            https: false,
            host: "h".into(),
            port: 1,
        });
        let all: Vec<SocketAddr> = ["[::1]:1", "10.0.0.1:1", "10.0.0.2:1", "[::2]:1"]
            .map(|text| text.parse().unwrap())
            .into();
        let order = |_| {
            in_turn(&all, &endpoint)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            (0..3).map(order).collect::<Vec<_>>(),
            [
                "10.0.0.1:1 10.0.0.2:1 [::1]:1 [::2]:1",
                "10.0.0.2:1 10.0.0.1:1 [::2]:1 [::1]:1",
                "10.0.0.1:1 10.0.0.2:1 [::1]:1 [::2]:1"
            ]
        );
    }
}
