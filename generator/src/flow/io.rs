//! What a flow asks of the world around it: a client that carries requests, and a timer. The HTTP client and the
//! worker's timer implement them; tests script their own.

use super::credentials::Credentials;
use crate::clock::Nanos;
use crate::exchange::ErrorCode;
use crate::http::exchange::HttpExchange;
use crate::http::{Keep, Origin};
use bytes::Bytes;
use std::rc::Rc;
use std::time::Duration;

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
    /// Who it is from, should the target ask by HTTP Digest.
    pub digest: Option<Rc<Credentials>>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: Rc::from(""),
            origin: Rc::new(Origin {
                https: false,
                host: String::new(),
                port: 0,
            }),
            authority: Rc::from(""),
            path_and_query: String::new(),
            headers: Vec::new(),
            body: Bytes::new(),
            digest: None,
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
}

impl Request {
    /// The same request with another header.
    #[must_use]
    pub(crate) fn with_header(mut self, name: &str, value: String) -> Self {
        self.headers.push((Rc::from(name), value.into()));
        self
    }
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
    ) -> impl Future<Output = HttpExchange>;

    /// The first header of that case-insensitive name in the last response.
    fn header(&self, name: &str) -> Option<&[u8]>;

    /// All headers of that name in the last response, in order.
    fn each_header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]>;

    /// The value of a cookie that the last response set.
    fn cookie(&self, name: &str) -> Option<&[u8]>;

    /// The body of the last response; empty unless [`Keep::body`] was asked for.
    fn body(&self) -> &[u8];

    /// The length of the last response's body in bytes, also if it was not kept.
    fn size(&self) -> u64;

    /// Keeps evidence of the response to the next request, whatever its status. (Of a status from 400 on it is kept in any
    /// case.)
    fn explain_next(&mut self) {}

    /// What explains the last response: its head, and the beginning of its body; `None` if nothing was kept.
    fn take_evidence(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        None
    }
}

/// What think times are waited for with: the worker's clock.
pub trait ThinkTimer {
    /// Now, on the worker's clock.
    fn now(&self) -> Nanos;

    /// Waits until that time; the result is the time at which it woke. A time that has passed is not a wait.
    fn sleep_until(&self, at: Nanos) -> impl Future<Output = Nanos>;
}
