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
        body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n"),
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
