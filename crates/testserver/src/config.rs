//! What to start.

use crate::{fast, faulty, service, tls};

/// What a server does, where and over which protocols.
#[derive(Clone, Debug)]
pub struct Config {
    /// How it behaves.
    pub kind: Kind,
    /// Port on 127.0.0.1; 0 for any that is free.
    pub port: u16,
    /// TLS, and with which certificate; `None` for plain TCP.
    pub tls: Option<tls::Mode>,
    /// Offers HTTP/2 beside HTTP/1.1 on the same port: by ALPN with TLS, by prior knowledge without. The faulty server
    /// never does.
    pub http2: bool,
}

/// How a server behaves.
#[derive(Clone, Debug)]
pub enum Kind {
    /// The demo shop.
    Service(service::Options),
    /// Misbehaves by script.
    Faulty(faulty::Script),
    /// Answers as fast as it can.
    Fast(fast::Options),
}

impl Config {
    /// The demo shop over HTTP/1.1 and HTTP/2, with its usual latencies.
    pub fn service() -> Self {
        Self {
            http2: true,
            ..Self::of(Kind::Service(service::Options::default()))
        }
    }

    /// The same shop, answering at once.
    pub fn prompt_service() -> Self {
        Self {
            kind: Kind::Service(service::Options {
                latency: 0.0,
                ..service::Options::default()
            }),
            ..Self::service()
        }
    }

    /// A server that follows a script, over HTTP/1.1.
    pub fn faulty(script: faulty::Script) -> Self {
        Self::of(Kind::Faulty(script))
    }

    /// The benchmark's server, 128-byte answers over HTTP/1.1.
    pub fn fast() -> Self {
        Self::of(Kind::Fast(fast::Options::default()))
    }

    /// The same over TLS.
    #[must_use]
    pub fn with_tls(mut self, mode: tls::Mode) -> Self {
        self.tls = Some(mode);
        self
    }

    /// The same with or without HTTP/2.
    #[must_use]
    pub fn with_http2(mut self, http2: bool) -> Self {
        self.http2 = http2;
        self
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            port: 0,
            tls: None,
            http2: false,
        }
    }

    /// Whether HTTP/2 is offered.
    pub(crate) fn offers_http2(&self) -> bool {
        self.http2 && !matches!(self.kind, Kind::Faulty(_))
    }
}
