//! The head of an HTTP/1 response: status line, headers, and what they say about the body (RFC 9112 §6.3). Pure.

use crate::exchange::ErrorCode;
use std::mem::MaybeUninit;

/// The largest head, in bytes; interim responses count for themselves.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;
/// The most headers.
pub const MAX_HEADERS: usize = 256;
/// Headers that are parsed at the first attempt; more cost a second one with room for [`MAX_HEADERS`].
const FEW_HEADERS: usize = 64;

/// How the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes; 0 for responses that have no body.
    Length(u64),
    /// With its last chunk.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// What a head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The status code, 100–999.
    pub status: u16,
    /// How the body ends.
    pub framing: Framing,
    /// Whether the connection may carry another request.
    pub keep_alive: bool,
    /// Bytes of the head.
    pub len: usize,
}

/// The last head of which a response keeps nothing, byte by byte. A target's answers mostly begin with the same bytes until
/// the second in `Date` changes, and comparing them takes a tenth of the time that parsing takes.
#[derive(Debug, Default)]
pub struct Memo {
    bytes: Vec<u8>,
    to_head: bool,
    head: Option<Head>,
}

impl Memo {
    /// The longest head that is remembered, in bytes.
    const MOST: usize = 1024;

    /// The head that `data` begins with, if it is the remembered one. A head ends with itself, whatever follows.
    #[inline]
    pub fn recall(&self, data: &[u8], to_head: bool) -> Option<Head> {
        self.head
            .filter(|_| self.to_head == to_head && data.starts_with(&self.bytes))
    }

    /// Remembers a complete head and what it says.
    #[inline]
    pub fn learn(&mut self, bytes: &[u8], to_head: bool, head: Head) {
        if bytes.len() > Self::MOST {
            return;
        }
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        (self.to_head, self.head) = (to_head, Some(head));
    }
}

/// Parses the head of a response to a request (`to_head`: its method was `HEAD`). `Ok(None)`: it is not complete yet.
/// Each header goes to `visit` with the status, in order, before framing faults are known.
///
/// # Errors
/// [`ErrorCode::Protocol`] for what is not HTTP or contradicts itself, [`ErrorCode::HeadersTooLarge`] past the bounds.
#[inline]
pub fn parse(
    data: &[u8],
    to_head: bool,
    visit: impl FnMut(u16, &str, &[u8]),
) -> Result<Option<Head>, ErrorCode> {
    let mut headers = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; FEW_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    match config.parse_response_with_uninit_headers(&mut response, data, &mut headers) {
        Ok(httparse::Status::Complete(len)) => interpret(&response, len, to_head, visit).map(Some),
        Err(httparse::Error::TooManyHeaders) => parse_many(data, to_head, visit),
        // a folded line looks like one whose header has no name
        Err(httparse::Error::HeaderName) => match unfolded(data) {
            Some(unfolded) => parse_many(&unfolded, to_head, visit),
            None => Err(ErrorCode::Protocol),
        },
        outcome => incomplete(outcome, data.len()),
    }
}

/// A head, and maybe what follows it, with blanks for the line ends of folded headers, as long as before (RFC 9112 §5.2: a
/// user agent must read them so); `None` if nothing is folded. No header is folded to the status line.
#[cold]
fn unfolded(data: &[u8]) -> Option<Vec<u8>> {
    let mut text = data[..data.len().min(MAX_HEAD_BYTES + 1)].to_vec();
    let (mut in_headers, mut empty, mut folded) = (false, true, false);
    for at in 0..text.len() {
        if text[at] != b'\n' {
            empty &= text[at] == b'\r';
            continue;
        }
        if empty && in_headers {
            break;
        }
        if in_headers && !empty && matches!(text.get(at + 1), Some(b' ' | b'\t')) {
            text[at] = b' ';
            if text[at - 1] == b'\r' {
                text[at - 1] = b' ';
            }
            folded = true;
        } else {
            // empty lines before the status line are skipped (RFC 9112 §2.2)
            in_headers |= !empty;
            empty = true;
        }
    }
    folded.then_some(text)
}

#[cold]
fn parse_many(
    data: &[u8],
    to_head: bool,
    visit: impl FnMut(u16, &str, &[u8]),
) -> Result<Option<Head>, ErrorCode> {
    let mut headers = [const { MaybeUninit::<httparse::Header<'_>>::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    match config.parse_response_with_uninit_headers(&mut response, data, &mut headers) {
        Ok(httparse::Status::Complete(len)) => interpret(&response, len, to_head, visit).map(Some),
        outcome => incomplete(outcome, data.len()),
    }
}

#[cold]
fn incomplete(outcome: httparse::Result<usize>, len: usize) -> Result<Option<Head>, ErrorCode> {
    match outcome {
        Err(httparse::Error::TooManyHeaders) => Err(ErrorCode::HeadersTooLarge),
        Err(_) => Err(ErrorCode::Protocol),
        Ok(_) if len > MAX_HEAD_BYTES => Err(ErrorCode::HeadersTooLarge),
        Ok(_) => Ok(None),
    }
}

#[inline]
fn interpret(
    response: &httparse::Response<'_, '_>,
    len: usize,
    to_head: bool,
    mut visit: impl FnMut(u16, &str, &[u8]),
) -> Result<Head, ErrorCode> {
    let (Some(status), Some(minor)) = (response.code, response.version) else {
        return Err(ErrorCode::Protocol);
    };
    if status < 100 {
        return Err(ErrorCode::Protocol);
    }
    if len > MAX_HEAD_BYTES {
        return Err(ErrorCode::HeadersTooLarge);
    }
    let mut length = None;
    let mut chunked = false;
    let mut keep_alive = minor == 1;
    for header in response.headers.iter() {
        // the lengths of the three names differ, and few other headers share them
        match header.name.len() {
            14 if header.name.eq_ignore_ascii_case("content-length") => {
                let value = content_length(header.value)?;
                if length.is_some_and(|before| before != value) {
                    return Err(ErrorCode::Protocol);
                }
                length = Some(value);
            }
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                // any other coding would have to be undone before the body can be measured; nobody sends one
                if chunked || !header.value.eq_ignore_ascii_case(b"chunked") {
                    return Err(ErrorCode::Protocol);
                }
                chunked = true;
            }
            10 if header.name.eq_ignore_ascii_case("connection") => {
                for option in header.value.split(|&byte| byte == b',') {
                    let option = option.trim_ascii();
                    if option.eq_ignore_ascii_case(b"close") {
                        keep_alive = false;
                    } else if option.eq_ignore_ascii_case(b"keep-alive") && minor == 0 {
                        keep_alive = true;
                    }
                }
            }
            _ => {}
        }
        visit(status, header.name, header.value);
    }
    // both, or chunks from an HTTP/1.0 server, are how requests are smuggled (RFC 9112 §6.1)
    if chunked && (length.is_some() || minor == 0) {
        return Err(ErrorCode::Protocol);
    }
    let framing = if to_head || status < 200 || status == 204 || status == 304 {
        // a 204 that announces a body (RFC 9110 §8.6 forbids it) may well send it: later, in front of the next response
        keep_alive &= status != 204 || !(chunked || length.is_some_and(|length| length > 0));
        Framing::Length(0)
    } else if chunked {
        Framing::Chunked
    } else if let Some(length) = length {
        Framing::Length(length)
    } else {
        keep_alive = false;
        Framing::UntilClose
    };
    Ok(Head {
        status,
        framing,
        keep_alive,
        len,
    })
}

/// Digits only; a list of equal numbers is one number (RFC 9110 §8.6).
#[inline]
fn content_length(value: &[u8]) -> Result<u64, ErrorCode> {
    if value.contains(&b',') {
        let mut all = value
            .split(|&byte| byte == b',')
            .map(|part| content_length(part.trim_ascii()));
        let first = all.next().unwrap_or(Err(ErrorCode::Protocol))?;
        return if all.all(|other| other == Ok(first)) {
            Ok(first)
        } else {
            Err(ErrorCode::Protocol)
        };
    }
    if value.is_empty() || value.len() > 19 {
        return Err(ErrorCode::Protocol);
    }
    let mut number = 0u64;
    for &byte in value {
        if !byte.is_ascii_digit() {
            return Err(ErrorCode::Protocol);
        }
        number = number * 10 + u64::from(byte - b'0');
    }
    Ok(number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(text: &str) -> Result<Option<Head>, ErrorCode> {
        parse(text.as_bytes(), false, |_, _, _| {})
    }

    fn framing(headers: &str) -> Result<(Framing, bool), ErrorCode> {
        head(&format!("HTTP/1.1 200 OK\r\n{headers}\r\n")).map(|head| {
            let head = head.unwrap();
            (head.framing, head.keep_alive)
        })
    }

    #[test]
    fn framing_follows_rfc_9112() {
        assert_eq!(
            framing("Content-Length: 5\r\n"),
            Ok((Framing::Length(5), true))
        );
        assert_eq!(
            framing("content-length: 5\r\nCONNECTION: Close\r\n"),
            Ok((Framing::Length(5), false))
        );
        assert_eq!(
            framing("content-length: 5\r\nconnection: x, close\r\n"),
            Ok((Framing::Length(5), false))
        );
        assert_eq!(
            framing("Transfer-Encoding: Chunked\r\n"),
            Ok((Framing::Chunked, true))
        );
        assert_eq!(framing(""), Ok((Framing::UntilClose, false)));
        assert_eq!(
            framing("content-length: 5\r\ncontent-length: 5\r\n"),
            Ok((Framing::Length(5), true))
        );
        assert_eq!(
            framing("content-length: 5, 5\r\n"),
            Ok((Framing::Length(5), true))
        );
    }

    #[test]
    fn contradictions_are_faults() {
        for headers in [
            "content-length: 5\r\ncontent-length: 6\r\n",
            "content-length: 5, 6\r\n",
            "content-length: -1\r\n",
            "content-length: +1\r\n",
            "content-length: 1 2\r\n",
            "content-length: \r\n",
            "content-length: ,\r\n",
            "content-length: 99999999999999999999\r\n",
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: gzip, chunked\r\n",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: identity\r\n",
            "no colon\r\n",
            "a b: c\r\n",
            " folded: to the status line\r\n",
            "content-length: 5\r\n 6\r\n",
            "content-length:\r\n",
            "no colon\r\n folded\r\n",
        ] {
            assert_eq!(framing(headers), Err(ErrorCode::Protocol), "{headers:?}");
        }
        assert_eq!(
            head("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
            Err(ErrorCode::Protocol)
        );
        for text in [
            "HTTP/2 200 OK\r\n\r\n",
            "ICY 200 OK\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 abc\r\n\r\n",
            "\0",
        ] {
            assert_eq!(head(text), Err(ErrorCode::Protocol), "{text:?}");
        }
        assert_eq!(head("HTTP/1.1 099 x\r\n\r\n"), Err(ErrorCode::Protocol));
    }

    #[test]
    fn folded_headers_are_one_line() {
        let text = "HTTP/1.1 200 OK\r\nA: one\r\n two\r\nB:\r\n\t three\r\n \r\nContent-Length:\r\n 5\r\n\r\nabc\r\n def";
        let mut seen = Vec::new();
        let head = parse(text.as_bytes(), false, |_, name, value| {
            let value = String::from_utf8(value.to_vec()).unwrap();
            seen.push(format!("{name}={value}"));
        })
        .unwrap()
        .unwrap();
        assert_eq!(seen, ["A=one   two", "B=three", "Content-Length=5"]);
        assert_eq!(head.framing, Framing::Length(5));
        assert_eq!(&text[head.len..], "abc\r\n def");
        for end in 0..head.len {
            assert_eq!(
                parse(&text.as_bytes()[..end], false, |_, _, _| {}),
                Ok(None),
                "{end}"
            );
        }
        let bare = "HTTP/1.1 200 OK\nA: one\n two\n\n";
        assert_eq!(self::head(bare).unwrap().unwrap().len, bare.len());
        let long = format!(
            "HTTP/1.1 200 OK\r\nA: b\r\n {}\r\n\r\n",
            "x".repeat(MAX_HEAD_BYTES)
        );
        assert_eq!(self::head(&long), Err(ErrorCode::HeadersTooLarge));
    }

    #[test]
    fn some_responses_have_no_body() {
        for status in [100, 103, 204, 304] {
            let text = format!("HTTP/1.1 {status} x\r\ncontent-length: 9\r\n\r\n");
            assert_eq!(head(&text).unwrap().unwrap().framing, Framing::Length(0));
        }
        let text = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(
            parse(text, true, |_, _, _| {}).unwrap().unwrap().framing,
            Framing::Length(0)
        );
    }

    #[test]
    fn a_204_that_announces_a_body_ends_the_connection() {
        let kept = |headers: &str| {
            head(&format!("HTTP/1.1 204 No Content\r\n{headers}\r\n"))
                .unwrap()
                .unwrap()
                .keep_alive
        };
        assert!(kept("") && kept("content-length: 0\r\n"));
        assert!(!kept("content-length: 2\r\n") && !kept("transfer-encoding: chunked\r\n"));
    }

    #[test]
    fn http_1_0_closes_unless_told() {
        let of = |headers: &str| {
            head(&format!(
                "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n{headers}\r\n"
            ))
            .unwrap()
            .unwrap()
        };
        assert!(!of("").keep_alive);
        assert!(of("connection: Keep-Alive\r\n").keep_alive);
        assert!(!of("connection: keep-alive, close\r\n").keep_alive);
    }

    #[test]
    fn bounds_hold() {
        let of = |headers: usize| format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(headers));
        for headers in [0, 63, 64, 65, 256] {
            let mut seen = 0;
            let parsed = parse(of(headers).as_bytes(), false, |_, _, _| seen += 1)
                .unwrap()
                .unwrap();
            assert_eq!((parsed.len, seen), (of(headers).len(), headers));
        }
        assert_eq!(head(&of(257)), Err(ErrorCode::HeadersTooLarge));
        let long = format!("HTTP/1.1 200 OK\r\na: {}", "x".repeat(MAX_HEAD_BYTES));
        assert_eq!(head(&long), Err(ErrorCode::HeadersTooLarge));
        assert_eq!(
            head(&format!("{long}\r\n\r\n")),
            Err(ErrorCode::HeadersTooLarge)
        );
    }

    #[test]
    fn a_head_is_incomplete_until_its_last_byte() {
        let text = "HTTP/1.1 200 OK\r\nserver: x\r\ncontent-length: 3\r\n\r\nabc";
        for end in 0..text.len() - 3 {
            assert_eq!(head(&text[..end]), Ok(None), "{end}");
        }
        assert_eq!(head(text).unwrap().unwrap().len, text.len() - 3);
    }

    proptest! {
        #[test]
        fn junk_never_panics(junk in prop::collection::vec(any::<u8>(), 0..200), prefix in any::<bool>()) {
            let mut data = if prefix { b"HTTP/1.1 200 OK\r\n".to_vec() } else { Vec::new() };
            data.extend(junk);
            if let Ok(Some(head)) = parse(&data, false, |_, _, _| {}) {
                prop_assert!(head.len <= data.len());
            }
        }
    }
}
