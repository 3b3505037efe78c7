//! Which way connections to an endpoint go, found out once: straight, to an address of `http.hosts`, through a proxy, or
//! to a Unix socket.

use super::endpoint::Endpoint;
use super::options::TransportOptions;
use super::proxy::{self, Choice, ProxyVariables};
use super::url::Origin;
use floodgate_core::definition::{HostOverride, HttpVersion, ProxyChoice};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;

/// Where connections lead.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) to: Destination,
    /// How a record calls the way; `None` if it is straight.
    pub(super) said: Option<String>,
}

#[derive(Debug)]
pub(super) enum Destination {
    /// The URL's host.
    Host,
    /// An address instead of what the name would resolve to.
    Address(SocketAddr),
    Unix(PathBuf),
    /// Requests are handed to a proxy (RFC 9112 §3.2.2).
    Forward(Rc<Forward>),
    /// A proxy connects (RFC 9110 §9.3.6).
    Tunnel(Tunnel),
    /// Nowhere, and why.
    Nowhere(String),
}

/// What a proxy that forwards requests needs to see in them.
#[derive(Debug)]
pub(super) struct Forward {
    pub(super) proxy: Endpoint,
    /// In front of the path: `http://HOST:PORT`.
    pub(super) prefix: String,
    pub(super) authorization: Option<String>,
}

#[derive(Debug)]
pub(super) struct Tunnel {
    pub(super) proxy: Endpoint,
    /// The whole request for a connection.
    pub(super) request: String,
}

/// The part of the options that routes depend on.
#[derive(Debug)]
pub(super) struct Routing {
    version: HttpVersion,
    unix: Option<PathBuf>,
    hosts: Vec<HostOverride>,
    proxy: Option<ProxyChoice>,
    variables: ProxyVariables,
}

impl Routing {
    pub(super) fn new(options: &TransportOptions) -> Self {
        Self {
            version: options.version,
            unix: options.unix_socket.clone().map(PathBuf::from),
            hosts: options.hosts.clone(),
            proxy: options.proxy.clone(),
            variables: options.variables.clone(),
        }
    }

    /// The way to an origin. A socket comes before addresses, and these before proxies: each says more than the next.
    pub(super) fn route(&self, origin: &Origin) -> Route {
        if let Some(path) = &self.unix {
            return Route {
                said: Some(format!("unix socket {}", path.display())),
                to: Destination::Unix(path.clone()),
            };
        }
        let own = self
            .hosts
            .iter()
            .filter(|own| own.is_for(&origin.host, origin.port))
            .max_by_key(|own| own.precedence());
        if let Some(own) = own {
            let address = SocketAddr::new(own.address, own.to_port.unwrap_or(origin.port));
            return Route {
                said: Some(format!("{} at {address}", origin.authority())),
                to: Destination::Address(address),
            };
        }
        match proxy::choose(self.proxy.as_ref(), &self.variables, origin) {
            Choice::Direct { told } => Route {
                to: Destination::Host,
                said: told.then(|| "no proxy (NO_PROXY)".to_owned()),
            },
            Choice::Unusable(why) => Route {
                to: Destination::Nowhere(why),
                said: None,
            },
            Choice::Proxy(named) => {
                let said = Some(named.said.clone());
                let to = if origin.https || self.version == HttpVersion::Http2 {
                    Destination::Tunnel(tunnel(origin, named))
                } else {
                    Destination::Forward(Rc::new(Forward {
                        proxy: Endpoint::new(&named.origin),
                        prefix: format!("http://{}", origin.authority()),
                        authorization: named.authorization,
                    }))
                };
                Route { to, said }
            }
        }
    }
}

fn tunnel(origin: &Origin, named: proxy::Named) -> Tunnel {
    let host = if origin.host.contains(':') {
        format!("[{}]:{}", origin.host, origin.port)
    } else {
        format!("{}:{}", origin.host, origin.port)
    };
    let authorization = named.authorization.map_or_else(String::new, |value| {
        format!("Proxy-Authorization: {value}\r\n")
    });
    let agent = concat!("floodgate/", env!("CARGO_PKG_VERSION"));
    Tunnel {
        proxy: Endpoint::new(&named.origin),
        request: format!(
            "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n{authorization}\r\n"
        ),
    }
}
