//! The reading side of one HTTP/1 exchange, apart from any I/O: bytes in, in pieces of any size; a response out.

use super::chunked::Decoder;
use super::exchange::ErrorCode;
use super::head::{self, Framing, Head, MAX_HEAD_BYTES, Memo};
use super::response::{self, Response};

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
mod tests {
    use super::super::decompress::{Accepted, tests::gzip};
    use super::super::response::Keep;
    use super::*;
    use proptest::prelude::*;

    const ALL: Keep = Keep {
        headers: true,
        body: true,
    };

    /// What a response comes to: its status, headers and body, and whether the connection lives on.
    type Outcome = Result<(u16, Vec<(String, Vec<u8>)>, Vec<u8>, bool), ErrorCode>;

    /// Feeds pieces, then the end of the connection if the response is not complete by then.
    fn run<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, to_head: bool, max: u64) -> Outcome {
        run_with(&mut Memo::default(), ALL, pieces, to_head, max)
    }

    fn run_with<'a>(
        memo: &mut Memo,
        keep: Keep,
        pieces: impl IntoIterator<Item = &'a [u8]>,
        to_head: bool,
        max: u64,
    ) -> Outcome {
        let mut out = Response::default();
        let mut asked = Accepted::default();
        asked.add(b"gzip");
        out.reset(keep, true, max, asked);
        let mut reader = Reader::new(to_head);
        let mut progress = Progress::More;
        for piece in pieces {
            progress = reader.feed(piece, &mut out, memo)?;
        }
        if progress == Progress::More {
            reader.eof(&mut out)?;
        }
        let view = response::view(&out);
        let headers = view
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_vec()))
            .collect();
        Ok((
            view.status(),
            headers,
            view.body().to_vec(),
            reader.keep_alive(),
        ))
    }

    fn whole(data: &[u8]) -> Outcome {
        run([data], false, 1 << 20)
    }

    fn body(text: &str) -> Result<(String, bool), ErrorCode> {
        whole(text.as_bytes())
            .map(|(_, _, body, keep_alive)| (String::from_utf8(body).unwrap(), keep_alive))
    }

    #[test]
    fn bodies_end_where_their_framing_says() {
        let ok = |text: &str, keep_alive| Ok((text.to_owned(), keep_alive));
        assert_eq!(
            body("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
            ok("abc", true)
        );
        assert_eq!(
            body("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ok("", true)
        );
        assert_eq!(
            body(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n"
            ),
            ok("abc", true)
        );
        assert_eq!(body("HTTP/1.1 200 OK\r\n\r\nabc"), ok("abc", false));
        assert_eq!(
            body("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
            ok("abc", false)
        );
        assert_eq!(body("HTTP/1.1 204 No Content\r\n\r\n"), ok("", true));
        assert_eq!(
            body("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"),
            ok("", true)
        );
        assert!(
            run(
                [&b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"[..]],
                true,
                0
            )
            .is_ok()
        );
    }

    #[test]
    fn interim_responses_are_skipped_with_their_headers() {
        let text = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 1\r\n\r\nx";
        let (status, headers, body, _) = whole(text).unwrap();
        assert_eq!((status, body.as_slice()), (200, &b"x"[..]));
        assert_eq!(headers[0], ("A".to_owned(), b"b".to_vec()));
        assert_eq!(
            whole(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").unwrap_err(),
            ErrorCode::Protocol
        );
        assert_eq!(
            whole(&b"HTTP/1.1 100 Continue\r\n\r\n".repeat(65)).unwrap_err(),
            ErrorCode::Protocol
        );
    }

    #[test]
    fn what_follows_a_response_ends_the_connection_and_is_no_part_of_it() {
        for (text, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", "abc"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc\r\n", "abc"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx",
                "",
            ),
            ("HTTP/1.1 204 No Content\r\n\r\nx", ""),
            (
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 1\r\n\r\nx",
                "",
            ),
            (
                "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
                "",
            ),
            (
                "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
                "",
            ),
        ] {
            assert_eq!(body(text), Ok((expected.to_owned(), false)), "{text}");
        }
        let to_head = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        let (_, _, body, keep_alive) = run([&to_head[..]], true, 10).unwrap();
        assert_eq!((body.as_slice(), keep_alive), (&b""[..], false));
    }

    #[test]
    fn a_response_that_is_cut_short_is_a_fault() {
        for text in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"[..],
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ] {
            for end in 0..text.len() {
                assert_eq!(
                    whole(&text[..end]).unwrap_err(),
                    ErrorCode::ConnectionClosed,
                    "{end}"
                );
            }
        }
    }

    #[test]
    fn bodies_are_bounded_kept_or_not() {
        let of = |text: &str| run([text.as_bytes()], false, 3).map(|_| ()).unwrap_err();
        assert_eq!(
            of("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"),
            ErrorCode::BodyTooLarge
        );
        assert_eq!(of("HTTP/1.1 200 OK\r\n\r\nabcd"), ErrorCode::BodyTooLarge);
        assert_eq!(
            of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd"),
            ErrorCode::BodyTooLarge
        );
    }

    #[test]
    fn kept_bodies_are_decompressed() {
        let packed = gzip(b"hello");
        let mut text = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            packed.len()
        )
        .into_bytes();
        text.extend(&packed);
        assert_eq!(whole(&text).unwrap().2, b"hello");
        let end = text.len() - 1;
        text[end - 6] ^= 1;
        assert_eq!(whole(&text).unwrap_err(), ErrorCode::Decompression);
        let mut out = Response::default();
        out.reset(Keep::default(), false, 1 << 20, Accepted::default());
        assert_eq!(
            Reader::new(false).feed(&text, &mut out, &mut Memo::default()),
            Ok(Progress::Done)
        );
        assert_eq!(
            (
                response::view(&out).body_bytes(),
                response::view(&out).headers().count()
            ),
            (packed.len() as u64, 0)
        );
    }

    #[test]
    fn an_endless_head_is_given_up() {
        let mut out = Response::default();
        out.reset(ALL, true, 10, Accepted::default());
        let mut reader = Reader::new(false);
        let mut fed = 0;
        let error = loop {
            let line = if fed == 0 {
                &b"HTTP/1.1 200 OK\r\nx: "[..]
            } else {
                &[b'y'; 1000]
            };
            fed += line.len();
            match reader.feed(line, &mut out, &mut Memo::default()) {
                Ok(progress) => assert_eq!(progress, Progress::More),
                Err(error) => break error,
            }
        };
        assert_eq!(error, ErrorCode::HeadersTooLarge);
        assert!(fed <= MAX_HEAD_BYTES + 1000);
    }

    /// Responses of every framing, and damaged ones.
    fn responses() -> impl Strategy<Value = Vec<u8>> {
        let fixed: &[&[u8]] = &[
            b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 12\r\n\r\nhello world!",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;e=1\r\nhello\r\n1\r\n!\r\n0\r\nT: 1\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nL: 1\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
            b"HTTP/1.0 200 OK\r\n\r\nuntil the very end",
            b"HTTP/1.1 204 No Content\r\nSet-Cookie: a=b\r\n\r\n",
            b"HTTP/1.1 302 Found\nLocation: /x\nContent-Length: 0\n\n",
        ];
        let damage = prop::option::weighted(0.5, (any::<prop::sample::Index>(), any::<u8>()));
        (prop::sample::select(fixed.to_vec()), damage).prop_map(|(text, damage)| {
            let mut text = text.to_vec();
            if let Some((at, byte)) = damage {
                let at = at.index(text.len());
                text[at] = byte;
            }
            text
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn pieces_do_not_matter(data in responses(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(data.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut rest = &data[..];
            for cut in cuts {
                let at = cut - (data.len() - rest.len());
                let (piece, after) = rest.split_at(at);
                if !piece.is_empty() {
                    pieces.push(piece);
                }
                rest = after;
            }
            pieces.push(rest);
            prop_assert_eq!(run(pieces, false, 1 << 20), whole(&data));
            prop_assert_eq!(run(data.chunks(1), false, 1 << 20), whole(&data));
        }

        /// Whatever came before, to whatever request: a remembered head says what parsing it would.
        #[test]
        fn the_memo_does_not_matter(
            exchanges in prop::collection::vec((responses(), any::<bool>(), any::<[bool; 2]>()), 1..8)
        ) {
            let mut memo = Memo::default();
            for (data, to_head, [headers, body]) in &exchanges {
                let keep = Keep { headers: *headers, body: *body };
                prop_assert_eq!(
                    run_with(&mut memo, keep, [&data[..]], *to_head, 1 << 20),
                    run_with(&mut Memo::default(), keep, [&data[..]], *to_head, 1 << 20)
                );
            }
        }
    }
}
