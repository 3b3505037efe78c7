//! From an endpoint to a connected stream: name, TCP, TLS; each measured.

use super::deadline::{Deadline, Expired};
use super::exchange::ErrorCode;
use super::failure;
use super::marks::Marks;
use super::stream::Stream;
use super::tls::ALPN_H2;
use super::worker::{Endpoint, Resolved, Transport};
use crate::clock::{Clock, Nanos};
use floodgate_core::definition::HttpVersion;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long a resolved name is believed. k6 believes it for five minutes; a target that scales out during a test is
/// followed sooner.
pub const DNS_TTL: Duration = Duration::from_secs(30);

/// A new connection.
pub(super) struct Fresh {
    pub(super) stream: Stream,
    /// Whether HTTP/2 is spoken on it.
    pub(super) h2: bool,
}

/// Connects; phases go to `marks` even if a later one fails.
pub(super) async fn connect(
    clock: Clock,
    transport: &Transport,
    endpoint: &Endpoint,
    deadline: &Deadline,
    marks: &mut Marks,
) -> Result<Fresh, ErrorCode> {
    let addresses = resolve(clock, endpoint, deadline, marks).await?;
    let began = clock.now();
    let connected = open(clock, transport, &addresses, deadline).await;
    marks.connecting = clock.now() - began;
    let tcp = connected?;
    // a request is written at once and whole: waiting for more to send would only delay it
    tcp.set_nodelay(true)
        .map_err(|error| failure::of_connect(&error))?;
    if !endpoint.origin.https {
        return Ok(Fresh {
            stream: Stream::Plain(tcp),
            h2: transport.version == HttpVersion::Http2,
        });
    }
    let name = endpoint
        .server_name
        .clone()
        .ok_or(ErrorCode::TlsCertificate)?;
    let began = clock.now();
    let handshake = deadline
        .limit(pin!(transport.tls.0.connect(name, tcp)))
        .await;
    marks.tls = clock.now() - began;
    let stream = handshake
        .map_err(|Expired| ErrorCode::Timeout)?
        .map_err(|error| failure::of_handshake(&error))?;
    let h2 = stream.get_ref().1.alpn_protocol() == Some(ALPN_H2);
    if transport.version == HttpVersion::Http2 && !h2 {
        return Err(ErrorCode::Protocol);
    }
    Ok(Fresh {
        stream: Stream::Tls(Box::new(stream)),
        h2,
    })
}

/// The addresses in the order in which they are to be tried: IPv4 first (as k6 prefers it), each connection from the
/// next one on.
async fn resolve(
    clock: Clock,
    endpoint: &Endpoint,
    deadline: &Deadline,
    marks: &mut Marks,
) -> Result<Vec<SocketAddr>, ErrorCode> {
    if let Some(address) = endpoint.literal {
        return Ok(vec![address]);
    }
    let began = clock.now();
    let cell = {
        let mut resolved = endpoint.resolved.borrow_mut();
        if resolved.expires <= began && (resolved.addresses.initialized() || resolved.expires == 0)
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
        let found: Vec<_> = tokio::net::lookup_host((origin.host.as_str(), origin.port))
            .await
            .map_err(|error| failure::of_lookup(&error))?
            .collect();
        if found.is_empty() {
            Err(ErrorCode::Dns)
        } else {
            Ok(Rc::from(found))
        }
    });
    let found = deadline.limit(pin!(lookup)).await;
    marks.looking_up = clock.now() - began;
    Ok(in_turn(
        found.map_err(|Expired| ErrorCode::Timeout)??,
        endpoint,
    ))
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

/// Tries one address after the other. What is left of the time is shared equally between those that are left, so that
/// an address that swallows packets does not keep the next one from its turn (Go's `net.Dialer` does the same).
async fn open(
    clock: Clock,
    transport: &Transport,
    addresses: &[SocketAddr],
    deadline: &Deadline,
) -> Result<TcpStream, ErrorCode> {
    let until = deadline.at().min(
        clock
            .now()
            .saturating_add(transport.connect_timeout.as_nanos() as Nanos),
    );
    let mut last = ErrorCode::Unreachable;
    for (tried, address) in addresses.iter().enumerate() {
        let left = until.saturating_sub(clock.now()) / (addresses.len() - tried) as Nanos;
        last = match tokio::time::timeout(Duration::from_nanos(left), TcpStream::connect(address))
            .await
        {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure::of_connect(&error),
            Err(_) => ErrorCode::ConnectTimeout,
        };
        if last == ErrorCode::GeneratorExhausted {
            break;
        }
    }
    Err(last)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::url::Origin;
    use super::*;
    use std::cell::{Cell, RefCell};

    #[test]
    fn addresses_take_turns_and_ipv4_goes_first() {
        let endpoint = Endpoint {
            origin: Origin {
                https: false,
                host: "h".into(),
                port: 1,
            },
            literal: None,
            server_name: None,
            resolved: RefCell::default(),
            turn: Cell::new(0),
        };
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
