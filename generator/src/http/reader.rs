//! The reading side of one HTTP/1 exchange, apart from any I/O: bytes in, in pieces of any size; a response out.

use super::chunked::Decoder;
use super::head::{self, Framing, Head, MAX_HEAD_BYTES, Memo};
use super::response::{self, Response};
use crate::exchange::ErrorCode;

/// Interim responses (1xx) that are skipped before the peer is taken for a broken one.
const MAX_INTERIM: u32 = 64;

/// Whether there is more to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    Done,
}

#[derive(Debug)]
enum Stage {
    Head,
    Length(u64),
    Chunked(Decoder),
    UntilClose,
    Done,
}

/// The state of a response that is being read.
#[derive(Debug)]
pub(super) struct Reader {
    stage: Stage,
    /// A head that is not complete yet; empty if heads come in one piece, as nearly all do.
    carry: Vec<u8>,
    to_head: bool,
    keep_alive: bool,
    interim: u32,
    /// An interim `100 (Continue)` has come.
    go_on: bool,
    /// Bytes have come behind the response.
    excess: bool,
}

impl Reader {
    /// For the response to one request; `to_head`: its method is `HEAD`.
    #[inline]
    pub(super) fn new(to_head: bool) -> Self {
        Self {
            stage: Stage::Head,
            carry: Vec::new(),
            to_head,
            keep_alive: false,
            interim: 0,
            go_on: false,
            excess: false,
        }
    }

    /// Whether bytes have come behind the response.
    #[inline]
    pub(super) fn has_excess(&self) -> bool {
        self.excess
    }

    /// Whether the peer has asked for the body by an interim `100 (Continue)`.
    #[inline]
    pub(super) fn may_go_on(&self) -> bool {
        self.go_on
    }

    /// Whether the connection may carry another request after this response.
    #[inline]
    pub(super) fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// Takes in the next piece. What follows a complete response is the connection's fault and not the response's: nobody
    /// asked for it, and taken for the next response it would make every later answer belong to another request. So the
    /// response counts and the connection ends. `memo` may come from any exchange.
    #[inline]
    pub(super) fn feed(
        &mut self,
        data: &[u8],
        out: &mut Response,
        memo: &mut Memo,
    ) -> Result<Progress, ErrorCode> {
        if !matches!(self.stage, Stage::Head) {
            return self.body(data, out);
        }
        if !self.carry.is_empty() {
            return self.feed_carried(data, out);
        }
        let used = self.heads(data, out, memo)?;
        if matches!(self.stage, Stage::Head) {
            self.carry.extend_from_slice(&data[used..]);
            return Ok(Progress::More);
        }
        self.body(&data[used..], out)
    }

    #[cold]
    fn feed_carried(&mut self, data: &[u8], out: &mut Response) -> Result<Progress, ErrorCode> {
        self.carry.extend_from_slice(data);
        // no head ends without a line feed: a peer that sends byte by byte does not make us parse byte by byte
        if !data.contains(&b'\n') && self.carry.len() <= MAX_HEAD_BYTES {
            return Ok(Progress::More);
        }
        let mut carry = std::mem::take(&mut self.carry);
        let used = self.heads(&carry, out, &mut Memo::default())?;
        if matches!(self.stage, Stage::Head) {
            carry.drain(..used);
            self.carry = carry;
            return Ok(Progress::More);
        }
        self.body(&carry[used..], out)
    }

    /// Parses heads up to the final response's; returns the bytes they took.
    #[inline]
    fn heads(
        &mut self,
        data: &[u8],
        out: &mut Response,
        memo: &mut Memo,
    ) -> Result<usize, ErrorCode> {
        let mut at = 0;
        while at < data.len() {
            let Some(head) = head_of(&data[at..], self.to_head, out, memo)? else {
                break;
            };
            at += head.len;
            if head.status >= 200 {
                out.status = head.status;
                out.head(|evidence| evidence.extend_from_slice(&data[at - head.len..at]));
                self.keep_alive = head.keep_alive;
                self.stage = match head.framing {
                    Framing::Length(length) => {
                        out.announce(length)?;
                        Stage::Length(length)
                    }
                    Framing::Chunked => Stage::Chunked(Decoder::new()),
                    Framing::UntilClose => Stage::UntilClose,
                };
                break;
            }
            self.interim += 1;
            self.go_on |= head.status == 100;
            // we never ask for another protocol
            if head.status == 101 || self.interim > MAX_INTERIM {
                return Err(ErrorCode::Protocol);
            }
            out.forget_headers();
        }
        Ok(at)
    }

    #[inline]
    fn body(&mut self, data: &[u8], out: &mut Response) -> Result<Progress, ErrorCode> {
        let (used, done) = match &mut self.stage {
            Stage::Length(left) => {
                let take = usize::try_from(*left).map_or(data.len(), |left| left.min(data.len()));
                out.data(&data[..take])?;
                *left -= take as u64;
                (take, *left == 0)
            }
            Stage::Chunked(decoder) => {
                let decoded = decoder.decode(data, |piece| out.data(piece))?;
                (decoded.consumed, decoded.done)
            }
            Stage::UntilClose => {
                out.data(data)?;
                (data.len(), false)
            }
            Stage::Head | Stage::Done => {
                self.keep_alive &= data.is_empty();
                return Ok(Progress::Done);
            }
        };
        if done {
            self.excess = used < data.len();
            self.keep_alive &= !self.excess;
            self.finish(out)
        } else {
            Ok(Progress::More)
        }
    }

    #[inline]
    fn finish(&mut self, out: &mut Response) -> Result<Progress, ErrorCode> {
        self.stage = Stage::Done;
        out.finish()?;
        Ok(Progress::Done)
    }

    /// The peer closed: the end of a response that lasts until then, a fault of any other.
    #[cold]
    pub(super) fn eof(&mut self, out: &mut Response) -> Result<Progress, ErrorCode> {
        match self.stage {
            Stage::UntilClose => return self.finish(out),
            // the end of a head that was never looked at may be no HTTP at all
            Stage::Head => {
                let carry = std::mem::take(&mut self.carry);
                self.heads(&carry, out, &mut Memo::default())?;
            }
            _ => {}
        }
        Err(ErrorCode::ConnectionClosed)
    }
}

/// The head that `data` begins with, out of the memo if it may be; `Ok(None)`: it is not complete yet.
#[inline]
fn head_of(
    data: &[u8],
    to_head: bool,
    out: &mut Response,
    memo: &mut Memo,
) -> Result<Option<Head>, ErrorCode> {
    if !out.keeps_headers()
        && let Some(head) = memo.recall(data, to_head)
    {
        return Ok(Some(head));
    }
    let mut forgettable = true;
    let head = head::parse(data, to_head, |status, name, value| {
        forgettable &= !response::may_be_needed(name);
        out.header(status, name, value);
    })?;
    if let Some(head) = head.filter(|head| forgettable && head.status >= 200) {
        memo.learn(&data[..head.len], to_head, head);
    }
    Ok(head)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
