//! What a flow asks of the world around it: a client that carries requests, and a timer. The HTTP client and the
//! worker's timer implement them; tests script their own.

use crate::clock::Nanos;
use crate::http::exchange::{ErrorCode, Exchange};
use bytes::Bytes;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// Scheme, host and port of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether the scheme is `https`.
    pub https: bool,
    /// Lower-case name (IDNA-encoded) or address; an IPv6 address stands in brackets.
    pub host: String,
    /// The port, the scheme's default if the URL has none.
    pub port: u16,
}

impl Origin {
    /// `host` or, where the port is not the scheme's default, `host:port` (RFC 9110 §7.2).
    pub fn authority(&self) -> String {
        let default = if self.https { 443 } else { 80 };
        if self.port == default {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

/// A header field: its name as the definition writes it, and a value free of control characters.
pub type Header = (Rc<str>, Bytes);

/// A request with everything filled in. `Host` and `Content-Length` are not among the headers: the client writes them
/// from `authority` and `body`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Upper-case token.
    pub method: Rc<str>,
    /// Where to connect.
    pub origin: Rc<Origin>,
    /// The value of `Host` or `:authority`.
    pub authority: Rc<str>,
    /// Begins with `/`; ASCII without blanks.
    pub path_and_query: String,
    /// In the order to send.
    pub headers: Vec<Header>,
    /// The content; empty for none.
    pub body: Bytes,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: Rc::from(""),
            origin: Rc::default(),
            authority: Rc::from(""),
            path_and_query: String::new(),
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }
}

impl Request {
    /// The same request with these cookies behind those that it has; there must be one header of them only
    /// (RFC 6265 §5.4).
    #[must_use]
    pub fn with_cookies(&self, cookies: &str) -> Self {
        let mut request = self.clone();
        let own = request
            .headers
            .iter_mut()
            .find(|(name, _)| name.eq_ignore_ascii_case("cookie"));
        if let Some((_, value)) = own {
            *value = [value, &b"; "[..], cookies.as_bytes()].concat().into();
        } else {
            request.headers.push((
                Rc::from("Cookie"),
                Bytes::copy_from_slice(cookies.as_bytes()),
            ));
        }
        request
    }

    /// The absolute URL, for the resolution of redirects.
    pub fn url(&self) -> String {
        format!("{}{}", self.origin, self.path_and_query)
    }
}

/// What of a response the flow will look at. A client may forget everything else as it reads; it keeps the
/// `Location` of a 3xx response in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Headers and cookies.
    pub headers: bool,
    /// The body, decompressed.
    pub body: bool,
}

/// A VU's client: one exchange at a time, and a look at the last response.
pub trait Io {
    /// A request in the form in which the client sends it, so that a request that never changes is made once.
    type Wire;

    /// Makes that form, reusing the memory of `old` if there is one.
    ///
    /// # Errors
    /// The request cannot be sent: [`ErrorCode::BadUrl`], [`ErrorCode::BadHeader`].
    fn prepare(
        &mut self,
        request: &Request,
        old: Option<Self::Wire>,
    ) -> Result<Self::Wire, ErrorCode>;

    /// Forgets what belongs to one iteration: cookies, and connections unless they are to be reused.
    fn begin_iteration(&mut self);

    /// What the cookies that responses set in this iteration make of the header `Cookie`; `None`, at once, without any.
    fn cookie_header(&self, request: &Request) -> Option<String>;

    /// Sends a request and reads the response to its end. A failure is part of the exchange.
    fn execute(
        &mut self,
        wire: &Self::Wire,
        keep: Keep,
        timeout: Duration,
    ) -> impl Future<Output = Exchange>;

    /// The first header of that case-insensitive name in the last response.
    fn header(&self, name: &str) -> Option<&[u8]>;

    /// The value of a cookie that the last response set.
    fn cookie(&self, name: &str) -> Option<&[u8]>;

    /// The body of the last response; empty unless [`Keep::body`] was asked for.
    fn body(&self) -> &[u8];

    /// The length of the last response's body in bytes, also if it was not kept.
    fn size(&self) -> u64;
}

/// The worker's time.
pub trait Timer {
    /// Now, on the worker's clock.
    fn now(&self) -> Nanos;

    /// Waits until that time; the result is the time at which it woke. A time that has passed is no wait.
    fn sleep_until(&self, at: Nanos) -> impl Future<Output = Nanos>;
}
