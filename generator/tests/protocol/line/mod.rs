//! A protocol of lines over TCP: one is sent, one comes back. All that a protocol has to have is here.

use floodgate_generator::clock::{Clock, Nanos};
use floodgate_generator::exchange::{ErrorCode, Exchange, Protocol, Trend, Trends};
use floodgate_generator::executor::{Iterate, IterationOutcome, VuFactory};
use floodgate_generator::recorder::{Record, RequestSeries, WorkerRecorder};
use floodgate_records::metric::Tags;
use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Connecting, which takes no time where a connection is used again.
const REUSED: usize = 0;

pub(crate) static LINE: Protocol = Protocol::new(
    "line",
    "line_reqs",
    "line_req_failed",
    &[
        Trend {
            metric: "line_req_response_time",
            zeros: None,
        },
        Trend {
            metric: "line_req_duration",
            zeros: None,
        },
        Trend {
            metric: "line_req_connecting",
            zeros: Some(REUSED),
        },
    ],
);

/// A line and its answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LineExchange {
    begin: Nanos,
    connecting: Nanos,
    end: Nanos,
    sent: u64,
    received: u64,
    error: Option<ErrorCode>,
}

impl Exchange for LineExchange {
    const PROTOCOL: &'static Protocol = &LINE;

    fn end(&self) -> Nanos {
        self.end
    }

    fn error(&self) -> Option<ErrorCode> {
        self.error
    }

    fn sent(&self) -> u64 {
        self.sent
    }

    fn received(&self) -> u64 {
        self.received
    }

    fn outcome(&self) -> u32 {
        self.error.map_or(0, |error| error as u32 + 1)
    }

    fn record(&self, intended: Nanos, trends: &mut Trends) {
        let duration = self.end - self.begin - self.connecting;
        trends.record_all(0, [self.end.saturating_sub(intended), duration]);
        match self.connecting {
            0 => trends.zero(REUSED),
            connecting => trends.record(2, connecting),
        }
    }
}

/// Makes VUs that send lines to a server: `bye` in each fourth iteration, which it answers by closing the connection.
#[derive(Clone)]
pub(crate) struct LineVus {
    pub(crate) server: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) recorder: Rc<RefCell<WorkerRecorder>>,
}

impl VuFactory for LineVus {
    type Vu = LineVu;

    fn make(&self, _: u64) -> LineVu {
        LineVu {
            of: self.clone(),
            connection: None,
            known: Vec::new(),
        }
    }
}

pub(crate) struct LineVu {
    of: LineVus,
    connection: Option<BufReader<TcpStream>>,
    /// The series of each outcome so far.
    known: Vec<(u32, RequestSeries)>,
}

impl LineVu {
    async fn exchange(&mut self, line: &str) -> LineExchange {
        let mut exchange = LineExchange {
            begin: self.of.clock.now(),
            ..LineExchange::default()
        };
        if let Err(error) = self.attempt(line, &mut exchange).await {
            self.connection = None;
            exchange.error = Some(match error.kind() {
                io::ErrorKind::ConnectionRefused => ErrorCode::ConnectionRefused,
                _ => ErrorCode::ConnectionClosed,
            });
        }
        exchange.end = self.of.clock.now();
        exchange
    }

    async fn attempt(&mut self, line: &str, exchange: &mut LineExchange) -> io::Result<()> {
        if self.connection.is_none() {
            let stream = TcpStream::connect(self.of.server).await?;
            exchange.connecting = (self.of.clock.now() - exchange.begin).max(1);
            self.connection = Some(BufReader::new(stream));
        }
        let Some(connection) = &mut self.connection else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        connection
            .get_mut()
            .write_all(format!("{line}\n").as_bytes())
            .await?;
        exchange.sent = line.len() as u64 + 1;
        let mut answer = String::new();
        exchange.received = connection.read_line(&mut answer).await? as u64;
        match exchange.received {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    fn series(&mut self, exchange: &LineExchange, recorder: &mut WorkerRecorder) -> RequestSeries {
        let outcome = exchange.outcome();
        if let Some((_, known)) = self.known.iter().find(|(known, _)| *known == outcome) {
            return *known;
        }
        let tags = Tags::new().with("scenario", "lines").with("name", "line");
        let series = recorder.request_series(&LINE, &exchange.tags(tags));
        self.known.push((outcome, series));
        series
    }
}

impl Iterate for LineVu {
    async fn iterate(&mut self, number: u64, (intended, _): (Nanos, Nanos)) -> IterationOutcome {
        let line = if number % 4 == 3 { "bye" } else { "hello" };
        let exchange = self.exchange(line).await;
        let recorder = Rc::clone(&self.of.recorder);
        let recorder = &mut *recorder.borrow_mut();
        let series = self.series(&exchange, recorder);
        recorder.request(series, &exchange, intended, exchange.error.is_none());
        IterationOutcome {
            at: exchange.end,
            complete: true,
            more: true,
        }
    }

    fn interrupted(&mut self, _: Nanos) {}
}
