//! What a request can meet, and how it is put on the wire.

use crate::listen::Stream;
use crate::precise::Timer;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

/// Where something endless ends after all, should a client never give up: 1 GiB.
const ENDLESS_BYTES: usize = 1 << 30;

/// The body of a good answer.
const BODY: &str = "good";

/// What one request meets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// 200, `content-length: 4`, `good`.
    Ok,
    /// This status with the body `good`.
    Status(u16),
    /// A good answer after this time.
    Delay(Duration),
    /// Nothing, until the client gives up.
    Withhold,
    /// The connection is closed (FIN) without an answer.
    Close,
    /// The connection is reset (RST) without an answer.
    Reset,
    /// Half of a head, then closed.
    HalfHead,
    /// A good head and half of the body it announces, then closed.
    HalfBody,
    /// A good head and half of the body it announces, then reset.
    HalfBodyReset,
    /// One header after the other, without end (1 GiB).
    EndlessHeaders,
    /// One header of this many bytes, then the body `good`.
    HugeHeader(usize),
    /// This many small headers, then the body `good`.
    ManyHeaders(usize),
    /// A `content-length` of 100 and 4 bytes, then nothing more; the connection stays open.
    LengthTooLong,
    /// A `content-length` of 2 and 4 bytes, on a connection that is kept: the rest is not an answer to anything.
    LengthTooShort,
    /// A `content-length` that is not a number.
    LengthInvalid,
    /// Two `content-length` headers that differ.
    LengthTwice,
    /// A chunked body with a size that is not a number.
    ChunkSizeInvalid,
    /// A chunked body with a size of more than 64 bits.
    ChunkSizeOverflow,
    /// A chunk that is longer than its size says.
    ChunkTooLong,
    /// A chunked body that ends before its last chunk, then closed.
    ChunkCut,
    /// A good chunked answer, in three chunks, with an extension and a trailer.
    Chunked,
    /// A first line that is none of HTTP.
    StatusLineInvalid,
    /// A status that is not a number of three digits.
    StatusCodeInvalid,
    /// A head with a header line that has no colon.
    HeaderInvalid,
    /// A chunked body without end (1 GiB).
    EndlessBody,
    /// A good answer, one byte at a time, each after this time.
    Drip(Duration),
    /// 100, 103, then a good answer.
    Interim,
    /// A good answer with `connection: close`, and then closed.
    CloseAfter,
    /// A good answer that promises to keep the connection, and then closed all the same.
    CloseSilently,
    /// `HTTP/1.0`, no length: the body ends with the connection.
    Http10,
    /// 204, which has no body.
    NoContent,
    /// Two good answers to one request.
    Twice,
    /// These bytes, as they are; the connection is kept.
    Raw(Vec<u8>),
    /// These bytes, as they are, then closed.
    RawThenClose(Vec<u8>),
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It is kept for the next request.
    Keep,
    /// It is closed (FIN).
    Close,
    /// It is reset (RST).
    Reset,
    /// Nothing more is sent until the client closes it.
    Wait,
}

impl Answer {
    /// Sends it; says what is to become of the connection.
    pub(super) async fn send(&self, stream: &mut impl Stream, timer: &Timer) -> io::Result<Then> {
        match self {
            Self::Delay(delay) => timer.sleep(*delay).await?,
            Self::Drip(pause) => return drip(stream, timer, *pause).await,
            Self::EndlessHeaders => {
                let head = "HTTP/1.1 200 OK\r\n";
                return endless(stream, head, &"x-more: and more\r\n".repeat(900)).await;
            }
            Self::EndlessBody => {
                let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
                return endless(
                    stream,
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                    &chunk,
                )
                .await;
            }
            _ => {}
        }
        let (bytes, then) = self.bytes();
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        Ok(then)
    }

    /// The bytes of an answer that has an end.
    fn bytes(&self) -> (Vec<u8>, Then) {
        let good = || with_headers("", BODY);
        let half = |text: String, then| (text[..text.len() - BODY.len() / 2].to_owned(), then);
        let (text, then) = match self {
            Self::Ok | Self::Delay(_) | Self::Drip(_) => (good(), Then::Keep),
            Self::Status(code) => (
                good().replacen("200 OK", &format!("{code} Scripted"), 1),
                Then::Keep,
            ),
            Self::Withhold => (String::new(), Then::Wait),
            Self::Close => (String::new(), Then::Close),
            Self::Reset => (String::new(), Then::Reset),
            Self::HalfHead => ("HTTP/1.1 200 OK\r\ncontent-le".into(), Then::Close),
            Self::HalfBody => half(good(), Then::Close),
            Self::HalfBodyReset => half(good(), Then::Reset),
            Self::EndlessHeaders | Self::EndlessBody => (String::new(), Then::Close),
            Self::HugeHeader(bytes) => (
                with_headers(&format!("x-huge: {}\r\n", "h".repeat(*bytes)), BODY),
                Then::Keep,
            ),
            Self::ManyHeaders(count) => (
                with_headers(&"x-many: 1\r\n".repeat(*count), BODY),
                Then::Keep,
            ),
            Self::LengthTooLong => (raw("content-length: 100", BODY), Then::Wait),
            Self::LengthTooShort => (raw("content-length: 2", BODY), Then::Keep),
            Self::LengthInvalid => (raw("content-length: four", BODY), Then::Keep),
            Self::LengthTwice => (
                raw("content-length: 4\r\ncontent-length: 3", BODY),
                Then::Keep,
            ),
            Self::ChunkSizeInvalid => (raw(CHUNKED, "zz\r\ngood\r\n0\r\n\r\n"), Then::Keep),
            Self::ChunkSizeOverflow => (
                raw(CHUNKED, "ffffffffffffffff0\r\ngood\r\n0\r\n\r\n"),
                Then::Keep,
            ),
            Self::ChunkTooLong => (raw(CHUNKED, "2\r\ngood\r\n0\r\n\r\n"), Then::Keep),
            Self::ChunkCut => (raw(CHUNKED, "4\r\ngood\r\n"), Then::Close),
            Self::Chunked => (
                raw(
                    CHUNKED,
                    "1\r\ng\r\n2;x=y\r\noo\r\n1\r\nd\r\n0\r\nx-end: yes\r\n\r\n",
                ),
                Then::Keep,
            ),
            Self::StatusLineInvalid => ("SPDY/9 fine\r\n\r\n".into(), Then::Keep),
            Self::StatusCodeInvalid => (
                "HTTP/1.1 2xx OK\r\ncontent-length: 0\r\n\r\n".into(),
                Then::Keep,
            ),
            Self::HeaderInvalid => (with_headers("no colon here\r\n", BODY), Then::Keep),
            Self::Interim => {
                let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n";
                (format!("{early}{}", good()), Then::Keep)
            }
            Self::CloseAfter => (with_headers("connection: close\r\n", BODY), Then::Close),
            Self::CloseSilently => (good(), Then::Close),
            Self::Http10 => (format!("HTTP/1.0 200 OK\r\n\r\n{BODY}"), Then::Close),
            Self::NoContent => ("HTTP/1.1 204 No Content\r\n\r\n".into(), Then::Keep),
            Self::Twice => (good() + &good(), Then::Keep),
            Self::Raw(bytes) => return (bytes.clone(), Then::Keep),
            Self::RawThenClose(bytes) => return (bytes.clone(), Then::Close),
        };
        (text.into_bytes(), then)
    }
}

const CHUNKED: &str = "transfer-encoding: chunked";

/// A 200 with these header lines, and the length of its body.
fn with_headers(lines: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\n{lines}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A 200 whose one header may well be wrong.
fn raw(header: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{header}\r\n\r\n{body}")
}

async fn drip(stream: &mut impl Stream, timer: &Timer, pause: Duration) -> io::Result<Then> {
    for byte in with_headers("", BODY).into_bytes() {
        timer.sleep(pause).await?;
        stream.write_all(&[byte]).await?;
        stream.flush().await?;
    }
    Ok(Then::Keep)
}

async fn endless(stream: &mut impl Stream, first: &str, then: &str) -> io::Result<Then> {
    stream.write_all(first.as_bytes()).await?;
    for _ in 0..ENDLESS_BYTES / then.len() {
        stream.write_all(then.as_bytes()).await?;
    }
    Ok(Then::Close)
}

/// Reads and forgets until the client closes.
pub(super) async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) {
    let mut forgotten = [0; 4096];
    while stream.read(&mut forgotten).await.is_ok_and(|n| n > 0) {}
}
