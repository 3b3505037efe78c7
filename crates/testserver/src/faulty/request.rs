//! Reading requests, as far as a server that misbehaves must: where each begins and ends.

use bytes::{Buf, BytesMut};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest request head that is read.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// A request that has arrived whole.
pub(super) struct Request {
    /// Without the query.
    pub(super) path: String,
    pub(super) body_bytes: usize,
}

/// Reads the next request, its body included, and takes it out of `buffer`; `None` when the client closes before one.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> io::Result<Option<Request>> {
    loop {
        if let Some((path, head_bytes, body_bytes)) = parse(buffer)? {
            buffer.advance(head_bytes);
            while buffer.len() < body_bytes {
                if stream.read_buf(buffer).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            buffer.advance(body_bytes);
            return Ok(Some(Request { path, body_bytes }));
        }
        if buffer.len() > MAX_HEAD_BYTES {
            return Err(invalid(format!(
                "a head of more than {MAX_HEAD_BYTES} bytes"
            )));
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// Path, length of the head and of the body; `None` while the head is incomplete.
fn parse(buffer: &[u8]) -> io::Result<Option<(String, usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head_bytes) = request.parse(buffer).map_err(invalid)? else {
        return Ok(None);
    };
    let path = request
        .path
        .unwrap_or("/")
        .split('?')
        .next()
        .unwrap_or("/")
        .to_owned();
    let mut body_bytes = 0;
    for header in request.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            let text = std::str::from_utf8(header.value).map_err(invalid)?;
            body_bytes = text.trim().parse().map_err(invalid)?;
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(invalid("this target reads no chunked bodies"));
        }
    }
    Ok(Some((path, head_bytes, body_bytes)))
}

fn invalid(problem: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn requests_end_where_their_bodies_do() {
        let sent = b"POST /a?b=c HTTP/1.1\r\ncontent-length: 3\r\n\r\nxyzGET / HTTP/1.1\r\n\r\n";
        let (path, head, body) = parse(sent).unwrap().unwrap();
        assert_eq!((path.as_str(), body), ("/a", 3));
        let (path, rest, body) = parse(&sent[head + body..]).unwrap().unwrap();
        assert_eq!((path.as_str(), head + 3 + rest, body), ("/", sent.len(), 0));
        assert!(parse(&sent[..head - 1]).unwrap().is_none());
        assert!(parse(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
