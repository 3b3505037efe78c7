//! The server's side of an HTTP/2 connection, frame by frame (RFC 9113 §4, §6).

use std::io::{Read, Write};
use std::net::TcpStream;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const ACK: u8 = 1;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

pub(super) const NO_ERROR: u32 = 0;
pub(super) const REFUSED_STREAM: u32 = 7;
pub(super) const ENHANCE_YOUR_CALM: u32 = 11;

/// `:status: 200` (RFC 7541, appendix A, 8).
pub(super) const STATUS_200: u8 = 0x88;

pub(super) struct Peer {
    pub(super) stream: TcpStream,
}

pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) id: u32,
}

impl Peer {
    /// Reads the client's preface; no SETTINGS are sent yet.
    pub(super) fn silent(mut stream: TcpStream) -> Self {
        let mut preface = [0; 24];
        // a connection that the client gives up at once is none
        let _ = stream.read_exact(&mut preface);
        Self { stream }
    }

    /// Reads the client's preface and sends SETTINGS with a limit of streams.
    pub(super) fn new(stream: TcpStream, max_streams: u32) -> Self {
        let mut peer = Self::silent(stream);
        peer.settings(max_streams);
        peer
    }

    pub(super) fn settings(&mut self, max_streams: u32) {
        let limit = max_streams.to_be_bytes();
        self.send(SETTINGS, 0, 0, &[&[0, 3][..], &limit].concat());
    }

    /// Sends a frame; `false`: the client has gone.
    pub(super) fn send(&mut self, kind: u8, flags: u8, id: u32, payload: &[u8]) -> bool {
        let length = (payload.len() as u32).to_be_bytes();
        let head = [&length[1..], &[kind, flags], &id.to_be_bytes()].concat();
        self.stream.write_all(&[&head, payload].concat()).is_ok()
    }

    /// The next frame, without its payload; `None` at the end of the connection.
    pub(super) fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.stream.read_exact(&mut payload).ok()?;
        Some(Frame {
            kind: head[3],
            flags: head[4],
            id: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
        })
    }

    /// The stream of the next request whose end has come.
    pub(super) fn request(&mut self) -> Option<u32> {
        loop {
            let frame = self.next()?;
            if matches!(frame.kind, HEADERS | DATA) && frame.flags & END_STREAM != 0 {
                return Some(frame.id);
            }
        }
    }

    /// A whole response: 200 without a body.
    pub(super) fn ok(&mut self, id: u32) {
        self.send(HEADERS, END_HEADERS | END_STREAM, id, &[STATUS_200]);
    }

    pub(super) fn reset(&mut self, id: u32, code: u32) {
        self.send(RST_STREAM, 0, id, &code.to_be_bytes());
    }

    pub(super) fn go_away(&mut self, last: u32, code: u32) {
        let payload = [last.to_be_bytes(), code.to_be_bytes()].concat();
        self.send(GOAWAY, 0, 0, &payload);
    }

    /// Answers all that is left to come.
    pub(super) fn answer_all(&mut self) {
        while let Some(id) = self.request() {
            self.ok(id);
        }
    }
}

/// A header without indexing and without compression (RFC 7541 §6.2.2); name and value.
pub(super) fn literal(name: &str, value: &str) -> Vec<u8> {
    let mut out = vec![0];
    for text in [name, value] {
        integer(text.len(), &mut out);
        out.extend_from_slice(text.as_bytes());
    }
    out
}

/// RFC 7541 §5.1 with a prefix of seven bits.
fn integer(mut value: usize, out: &mut Vec<u8>) {
    if value < 127 {
        return out.push(value as u8);
    }
    out.push(127);
    value -= 127;
    while value >= 128 {
        out.push((value % 128) as u8 | 128);
        value /= 128;
    }
    out.push(value as u8);
}
