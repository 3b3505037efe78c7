//! A request in the form in which it is sent, made once and sent many times.

use super::chunked::is_token;
use super::decompress::Accepted;
use super::endpoint::EndpointId;
use super::route::Forward;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use std::cell::OnceCell;
use std::io::Write as _;

/// What a request is made of.
#[derive(Clone, Debug)]
pub struct RequestParts {
    /// The method, as it is sent.
    pub method: String,
    /// Where to.
    pub endpoint: EndpointId,
    /// The request target, percent-encoded; begins with `/`.
    pub path_and_query: String,
    /// The `Host` header, unless `headers` has one.
    pub authority: String,
    /// Headers in the order in which they are sent, without `Host` and `Content-Length`, which are added.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Bytes,
}

/// Why a request cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The method is not a token (RFC 9110 §9.1).
    #[error("method {0:?} is not a token: use letters, as in GET")]
    Method(String),
    /// The path has characters that may not stand in a request line.
    #[error(
        "request target {0:?} does not begin with / or has blanks or control characters: percent-encode it"
    )]
    Path(String),
    /// The name is not a token.
    #[error("header name {0:?} is not a token")]
    HeaderName(String),
    /// The value has a control character: it could smuggle a header or a request in.
    #[error("the value of header {0:?} has a control character")]
    HeaderValue(String),
    /// `Transfer-Encoding` and the like are the engine's own.
    #[error("header {0:?} is set by the engine: remove it")]
    Reserved(String),
}

/// A serialised request.
#[derive(Debug)]
pub struct Wire {
    /// Head and body as HTTP/1.1 sends them; also where the HTTP/2 form is taken from.
    bytes: Vec<u8>,
    head_len: usize,
    method_len: usize,
    path_len: usize,
    endpoint: EndpointId,
    is_head: bool,
    idempotent: bool,
    closes: bool,
    /// Whether the body waits for an interim `100 (Continue)`.
    expects: bool,
    accepted: Accepted,
    h2: OnceCell<Box<H2Request>>,
    forwarded: OnceCell<Box<[u8]>>,
}

/// The HTTP/2 form; cloning its parts copies no text.
#[derive(Debug)]
pub(super) struct H2Request {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Wire {
    /// Serialises a request. A `Content-Length` among the headers is replaced by the body's own length.
    ///
    /// # Errors
    /// [`BadRequest`] if a part may not stand where it would.
    pub fn build(parts: &RequestParts) -> Result<Self, BadRequest> {
        let mut wire = Self {
            bytes: Vec::new(),
            head_len: 0,
            method_len: 0,
            path_len: 0,
            endpoint: parts.endpoint,
            is_head: false,
            idempotent: false,
            closes: false,
            expects: false,
            accepted: Accepted::default(),
            h2: OnceCell::new(),
            forwarded: OnceCell::new(),
        };
        wire.rebuild(parts)?;
        Ok(wire)
    }

    /// Replaces the request by another one and keeps the buffer.
    ///
    /// # Errors
    /// As [`Wire::build`]; the request must not be sent after an error.
    pub fn rebuild(&mut self, parts: &RequestParts) -> Result<(), BadRequest> {
        let out = &mut self.bytes;
        out.clear();
        self.h2.take();
        self.forwarded.take();
        if parts.method.is_empty() || !parts.method.bytes().all(is_token) {
            return Err(BadRequest::Method(parts.method.clone()));
        }
        let path = parts.path_and_query.as_bytes();
        if path.first() != Some(&b'/')
            || !path
                .iter()
                .all(|byte| (b'!'..=b'~').contains(byte) && *byte != b'#')
        {
            return Err(BadRequest::Path(parts.path_and_query.clone()));
        }
        for piece in [parts.method.as_bytes(), b" ", path, b" HTTP/1.1\r\n"] {
            out.extend_from_slice(piece);
        }
        let given = |name: &str| {
            parts
                .headers
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name))
        };
        if !given("host") {
            put(out, "Host", parts.authority.as_bytes())?;
        }
        (self.closes, self.expects) = (false, false);
        self.accepted = Accepted::default();
        for (name, value) in &parts.headers {
            if name.eq_ignore_ascii_case("content-length") {
                continue;
            }
            if name.eq_ignore_ascii_case("transfer-encoding")
                || name.eq_ignore_ascii_case("upgrade")
            {
                return Err(BadRequest::Reserved(name.clone()));
            }
            self.closes |=
                name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case(b"close");
            self.expects |= name.eq_ignore_ascii_case("expect")
                && value.eq_ignore_ascii_case(b"100-continue")
                && !parts.body.is_empty();
            if name.eq_ignore_ascii_case("accept-encoding") {
                self.accepted.add(value);
            }
            put(out, name, value)?;
        }
        // methods that are expected to have a body say so when they have none (RFC 9110 §8.6)
        if !parts.body.is_empty() || matches!(parts.method.as_str(), "POST" | "PUT" | "PATCH") {
            // writing to a Vec does not fail
            let _ = write!(out, "Content-Length: {}\r\n", parts.body.len());
        }
        out.extend_from_slice(b"\r\n");
        self.head_len = out.len();
        out.extend_from_slice(&parts.body);
        self.method_len = parts.method.len();
        self.path_len = path.len();
        self.endpoint = parts.endpoint;
        self.is_head = parts.method == "HEAD";
        self.idempotent = matches!(
            parts.method.as_str(),
            "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS" | "TRACE"
        );
        Ok(())
    }

    /// Where it goes.
    #[inline]
    pub fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// Head and body as HTTP/1.1 sends them.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes at the end that wait until the peer has said `100 (Continue)`.
    #[inline]
    pub(super) fn held_back(&self) -> usize {
        if self.expects {
            self.bytes.len() - self.head_len
        } else {
            0
        }
    }

    /// The form that a proxy takes (RFC 9112 §3.2.2), made at the first call: a request goes one way only.
    pub(super) fn forwarded(&self, by: &Forward) -> &[u8] {
        self.forwarded.get_or_init(|| {
            let (method, rest) = self.bytes.split_at(self.method_len + 1);
            let line = self.path_len + " HTTP/1.1\r\n".len();
            let mut bytes = [method, by.prefix.as_bytes(), &rest[..line]].concat();
            if let Some(authorization) = &by.authorization {
                // writing to a Vec does not fail
                let _ = write!(bytes, "Proxy-Authorization: {authorization}\r\n");
            }
            bytes.extend_from_slice(&rest[line..]);
            bytes.into()
        })
    }

    /// Whether its method is `HEAD`.
    #[inline]
    pub(super) fn is_head(&self) -> bool {
        self.is_head
    }

    /// Whether it may be sent again when nobody knows whether it has been handled (RFC 9110 §9.2.2).
    #[inline]
    pub(super) fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    /// Whether it asks for the connection's end.
    #[inline]
    pub(super) fn closes(&self) -> bool {
        self.closes
    }

    /// The content codings that it asks for.
    #[inline]
    pub(super) fn accepted(&self) -> Accepted {
        self.accepted
    }

    /// The request target.
    pub(super) fn path(&self) -> &str {
        let start = self.method_len + 1;
        std::str::from_utf8(&self.bytes[start..start + self.path_len]).unwrap_or("/")
    }

    /// The HTTP/2 form, made at the first call. `None` if the authority makes no URI.
    pub(super) fn h2(&self, https: bool) -> Option<&H2Request> {
        if let Some(made) = self.h2.get() {
            return Some(made);
        }
        let made = self.make_h2(https)?;
        Some(self.h2.get_or_init(|| Box::new(made)))
    }

    fn make_h2(&self, https: bool) -> Option<H2Request> {
        let head = std::str::from_utf8(&self.bytes[..self.method_len]).ok()?;
        let method = Method::from_bytes(head.as_bytes()).ok()?;
        let mut headers = HeaderMap::new();
        let mut authority = None;
        for line in self.bytes[..self.head_len - 2]
            .split(|&byte| byte == b'\n')
            .skip(1)
        {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Some(colon) = line.iter().position(|&byte| byte == b':') else {
                continue;
            };
            let (name, value) = (
                line[..colon].to_ascii_lowercase(),
                line[colon + 1..].trim_ascii(),
            );
            match name.as_slice() {
                b"host" => authority = std::str::from_utf8(value).ok(),
                // they speak of the connection, which HTTP/2 does itself (RFC 9113 §8.2.2)
                b"connection" | b"keep-alive" | b"proxy-connection" | b"te" => {}
                _ => {
                    headers.append(
                        HeaderName::from_bytes(&name).ok()?,
                        HeaderValue::from_bytes(value).ok()?,
                    );
                }
            }
        }
        let uri = Uri::builder()
            .scheme(if https { "https" } else { "http" })
            .authority(authority?)
            .path_and_query(self.path())
            .build()
            .ok()?;
        Some(H2Request {
            method,
            uri,
            headers,
            body: Bytes::copy_from_slice(&self.bytes[self.head_len..]),
        })
    }
}

fn put(out: &mut Vec<u8>, name: &str, value: &[u8]) -> Result<(), BadRequest> {
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(BadRequest::HeaderName(name.to_owned()));
    }
    if value
        .iter()
        .any(|&byte| (byte < b' ' && byte != b'\t') || byte == 0x7f)
    {
        return Err(BadRequest::HeaderValue(name.to_owned()));
    }
    for piece in [name.as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(piece);
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parts(method: &str, body: &'static [u8]) -> RequestParts {
        RequestParts {
            method: method.into(),
            endpoint: EndpointId(0),
            path_and_query: "/p?q=1".into(),
            authority: "h:81".into(),
            headers: vec![
                ("X-A".into(), b"1".to_vec()),
                ("Content-Length".into(), b"99".to_vec()),
            ],
            body: Bytes::from_static(body),
        }
    }

    #[test]
    fn a_request_is_serialised_once() {
        let mut wire = Wire::build(&parts("GET", b"")).unwrap();
        assert_eq!(
            wire.bytes(),
            b"GET /p?q=1 HTTP/1.1\r\nHost: h:81\r\nX-A: 1\r\n\r\n"
        );
        assert_eq!(wire.path(), "/p?q=1");
        wire.rebuild(&parts("POST", b"abc")).unwrap();
        assert_eq!(
            wire.bytes(),
            b"POST /p?q=1 HTTP/1.1\r\nHost: h:81\r\nX-A: 1\r\nContent-Length: 3\r\n\r\nabc"
        );
        assert!(!wire.is_idempotent());
        wire.rebuild(&parts("PUT", b"")).unwrap();
        assert!(wire.bytes().ends_with(b"Content-Length: 0\r\n\r\n"));
    }

    #[test]
    fn a_host_header_replaces_the_authority() {
        let mut given = parts("GET", b"");
        given.headers.push(("host".into(), b"other".to_vec()));
        let wire = Wire::build(&given).unwrap();
        assert_eq!(
            wire.bytes(),
            b"GET /p?q=1 HTTP/1.1\r\nX-A: 1\r\nhost: other\r\n\r\n"
        );
        assert_eq!(wire.h2(true).unwrap().uri, "https://other/p?q=1");
    }

    #[test]
    fn the_http_2_form_has_the_same_parts() {
        let mut given = parts("POST", b"abc");
        given.headers.push(("Connection".into(), b"close".to_vec()));
        given.headers.push(("X-A".into(), b"2".to_vec()));
        let wire = Wire::build(&given).unwrap();
        assert!(wire.closes());
        let request = wire.h2(false).unwrap();
        assert_eq!(
            (request.method.as_str(), request.uri.to_string().as_str()),
            ("POST", "http://h:81/p?q=1")
        );
        let headers: Vec<_> = request
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        assert_eq!(
            headers,
            [("x-a", &b"1"[..]), ("x-a", b"2"), ("content-length", b"3")]
        );
        assert_eq!(request.body, "abc");
    }

    #[test]
    fn nothing_can_be_smuggled_in() {
        let with = |change: &dyn Fn(&mut RequestParts)| {
            let mut given = parts("GET", b"");
            change(&mut given);
            Wire::build(&given).unwrap_err()
        };
        assert!(matches!(
            with(&|p| p.method = "GE T".into()),
            BadRequest::Method(_)
        ));
        assert!(matches!(
            with(&|p| p.path_and_query = "/a b".into()),
            BadRequest::Path(_)
        ));
        assert!(matches!(
            with(&|p| p.path_and_query = "/a\r\nX: y".into()),
            BadRequest::Path(_)
        ));
        assert!(matches!(
            with(&|p| p.path_and_query = "x".into()),
            BadRequest::Path(_)
        ));
        assert!(matches!(
            with(&|p| p.headers[0].0 = "a:".into()),
            BadRequest::HeaderName(_)
        ));
        assert!(matches!(
            with(&|p| p.headers[0].1 = b"a\r\nb: c".to_vec()),
            BadRequest::HeaderValue(_)
        ));
        assert!(matches!(
            with(&|p| p.authority = "a\nb".into()),
            BadRequest::HeaderValue(_)
        ));
        assert!(matches!(
            with(&|p| p.headers[0].0 = "Transfer-Encoding".into()),
            BadRequest::Reserved(_)
        ));
    }
}
