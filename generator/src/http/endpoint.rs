//! Where requests go: an origin, and what is known about reaching it.

use super::url::Origin;
use crate::clock::Nanos;
use rustls_pki_types::ServerName;
use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

/// Endpoints a worker may know; a template or a redirect could otherwise make them without end.
pub(super) const MAX_ENDPOINTS: usize = 16 * 1024;

/// An origin that the worker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub(crate) u32);

/// Too many endpoints.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "more than {MAX_ENDPOINTS} different hosts and ports were requested, {0:?} is one too many: vary the path, not the host"
)]
pub struct TooManyEndpoints(pub String);

/// An origin, and what is known about reaching it.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) origin: Origin,
    /// Its host, if that is an IP address.
    pub(super) literal: Option<SocketAddr>,
    /// The name to verify; `None` if the host can be in no certificate.
    pub(super) server_name: Option<ServerName<'static>>,
    pub(super) resolved: RefCell<Resolved>,
    /// Which address is next.
    pub(super) turn: Cell<usize>,
}

/// The addresses of a name; the cell makes sure that a lookup is made once for all who wait for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Resolved {
    pub(super) addresses: Rc<tokio::sync::OnceCell<Rc<[SocketAddr]>>>,
    pub(super) expires: Nanos,
}

impl Endpoint {
    pub(super) fn new(origin: &Origin) -> Self {
        Self {
            literal: origin
                .host
                .parse::<IpAddr>()
                .ok()
                .map(|address| SocketAddr::new(address, origin.port)),
            server_name: ServerName::try_from(origin.host.clone()).ok(),
            origin: origin.clone(),
            resolved: RefCell::default(),
            turn: Cell::new(0),
        }
    }
}
