//! A small shop over HTTP/1.1 and HTTP/2: what a load test meets in practice, and the odd ends of the protocol.
//!
//! | Path | Answer |
//! |---|---|
//! | `/` | HTML with "Welcome" |
//! | `/api/products`, `/api/products/{1..=20}` | JSON; 404 for another id |
//! | `POST /api/login` | JSON `{token, user}` and a `session` cookie; 400 for a body that is not JSON |
//! | `POST /api/checkout` | 201, JSON `{order, state: "open", sku}` |
//! | `/api/orders/{order}` | JSON `{order, state}`; 404 for an order that was not made |
//! | `/redirect/{n}` | 302 to `/redirect/{n-1}`, at 0 a 200 |
//! | `/status/{code}` | that status, 200 to 599 |
//! | `/delay/{ms}`, `/delay-us/{n}` | 200 after exactly that time, at most a minute |
//! | `/bytes/{n}` | `n` bytes, at most 64 MiB |
//! | `/gzip`, `/brotli`, `/deflate` | JSON, so encoded, whatever the client accepts |
//! | `/echo` | JSON `{method, path, query, version, headers, body}` |
//! | `/cookies`, `/cookies/set?a=b` | JSON of the cookies sent; sets them |
//! | `/basic-auth/{user}/{password}` | 200 with these credentials, else 401 |
//! | `/digest-auth/{algorithm}/{qop}/{uses}/{user}/{password}` | 200 with an answer by HTTP Digest, else 401; a nonce does for so many requests |
//! | `/bearer` | 200 with a bearer token, which it returns, else 401 |
//! | `/queue/{servers}/{per_s}` | 200 after its turn: so many servers that each answer `per_s` a second on average |
//! | `/bucket/{per_s}/{burst}` | 200 for a token, else 429 |
//! | `/count` | JSON `{requests, connections, paths}`; asking is not counted |
//!
//! `/` and `/api/…` take a realistic few milliseconds ([`Options::latency`]).

mod answer;
mod digest;
mod latency;
mod limits;
mod routes;

use crate::counters::Counters;
use crate::listen::{Handler, Stream};
use crate::precise::Timer;
use answer::Answer;
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Body as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The largest request body that is read; a larger one is answered with 413.
pub const MAX_BODY_BYTES: usize = 16 << 20;

/// How the shop behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many times their usual 2 to 20 ms (log-normal, median 5 ms, p95 10.5 ms) pages take; 0 answers at once.
    pub latency: f64,
    /// Seed of the latencies.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            latency: 1.0,
            seed: 1,
        }
    }
}

/// The shop: one for all connections of a target.
pub(crate) struct Shop {
    options: Options,
    counters: Arc<Counters>,
    timer: Timer,
    pages: Cell<u64>,
    orders: Cell<u64>,
    nonces: digest::Nonces,
    limits: limits::Limits,
}

impl Shop {
    pub(crate) fn factory(options: Options) -> impl FnOnce(Arc<Counters>, Timer) -> Self {
        move |counters, timer| Self {
            limits: limits::Limits::new(options.seed),
            options,
            counters,
            timer,
            pages: Cell::new(0),
            orders: Cell::new(0),
            nonces: digest::Nonces::default(),
        }
    }

    /// Reads one request and answers it when its time has come.
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        // Whoever breaks off in the middle of a body has not sent a request; hyper then drops the connection.
        let body = Limited::new(body, MAX_BODY_BYTES)
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes);
        let arrived = Instant::now();
        let answer = match body {
            Ok(body) => {
                let path = head.uri.path();
                if path != "/count" {
                    self.counters.received_at(path, body.len());
                }
                self.route(&head, &body)
            }
            Err(error) if error.is::<http_body_util::LengthLimitError>() => Answer::text(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("more than {MAX_BODY_BYTES} bytes"),
            ),
            Err(_) => Answer::text(StatusCode::BAD_REQUEST, "the body breaks off"),
        };
        let due = arrived + answer.after;
        let slept = if answer.exactly {
            self.timer.sleep_exactly_until(due).await
        } else {
            self.timer.sleep_until(due).await
        };
        if slept.is_err() {
            return Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "the timer failed").response;
        }
        if head.method == Method::HEAD {
            return without_content(answer.response);
        }
        answer.response
    }

    /// How long the next page takes.
    fn next_latency(&self) -> Duration {
        let n = self.pages.replace(self.pages.get() + 1);
        latency::latency(self.options.seed, n).mul_f64(self.options.latency)
    }

    fn next_order(&self) -> u64 {
        self.orders.set(self.orders.get() + 1);
        self.orders.get()
    }

    /// Orders so far.
    fn orders(&self) -> u64 {
        self.orders.get()
    }
}

/// The answer to HEAD: its content is not sent, and its length is told (RFC 9110, 9.3.2). Over HTTP/2 hyper leaves this to
/// the service, and content that is sent all the same is a protocol error to the client.
fn without_content(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    if let Some(length) = response.body().size_hint().exact() {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    *response.body_mut() = Full::default();
    response
}

impl Handler for Shop {
    async fn serve(self: Rc<Self>, stream: impl Stream, http2: bool) -> io::Result<()> {
        let service = service_fn(move |request| {
            let shop = self.clone();
            async move { Ok::<_, Infallible>(shop.answer(request).await) }
        });
        let io = TokioIo::new(stream);
        let served = if http2 {
            hyper::server::conn::http2::Builder::new(LocalExecutor)
                .serve_connection(io, service)
                .await
        } else {
            hyper::server::conn::http1::Builder::new()
                .serve_connection(io, service)
                .await
        };
        served.map_err(io::Error::other)
    }
}

/// Spawns HTTP/2's streams on the server's own thread.
#[derive(Clone, Copy)]
struct LocalExecutor;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
