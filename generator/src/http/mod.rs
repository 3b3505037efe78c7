//! The native HTTP engine's client: HTTP/1.1 and HTTP/2, plain and over TLS, for the VUs of one worker thread.
//!
//! A [`Worker`] holds what the VUs of a thread share, a [`Client`] is one VU's, a [`Wire`] is a request that was
//! serialised once. Everything stays on its thread: tokio's current-thread runtime in a `LocalSet`, `Rc` and `Cell`.
//!
//! ```text
//! Client::execute ─ kept connection? ─ http1::RoundTrip: write, read, parse in place ─► Exchange
//!                 └ no: connect (name, TCP, TLS) ─ HTTP/1.1 or multiplex (boxed: rare, so that a VU's future stays small)
//! ```

pub mod chunked;
mod client;
mod connect;
pub mod cookies;
mod deadline;
pub mod decompress;
mod endpoint;
pub mod exchange;
mod failure;
pub mod head;
mod http1;
mod http2;
mod marks;
mod multiplex;
mod options;
mod pool;
mod proxy;
mod reader;
mod response;
mod route;
mod stream;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod thread_state;
mod tls;
mod tunnel;
pub mod url;
mod wire;
mod worker;

pub use client::Client;
pub use connect::DNS_TTL;
pub use cookies::CookieJar;
pub use endpoint::{EndpointId, TooManyEndpoints};
pub use options::{SetupError, TransportId, TransportOptions};
pub use proxy::ProxyVariables;
pub use response::{Keep, ResponseView};
pub use url::{BadUrl, Origin, Redirect, Target, absolute};
pub use wire::{BadRequest, RequestParts, Wire};
pub use worker::Worker;
