//! What a failed request's message says. Gatling shortens the names of packages to their first letters
//! (`Throwables.detailedMessage`).

use memchr::memmem;

/// What is told apart among failed requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Class {
    /// One of the values of the tag `error_code`, if nothing came back.
    pub(super) error_code: Option<&'static str>,
    /// The status that a check did not like.
    pub(super) status: Option<u16>,
}

/// Fragments of messages and the codes that they mean; the first that is found counts.
const CODES: [(&str, &str); 33] = [
    ("UnknownHostException", "dns"),
    ("DnsNameResolver", "dns"),
    ("DnsErrorCause", "dns"),
    ("Connection refused", "connection_refused"),
    ("ConnectTimeoutException", "connect_timeout"),
    ("connection timed out", "connect_timeout"),
    ("NoRouteToHost", "unreachable"),
    ("No route to host", "unreachable"),
    ("Network is unreachable", "unreachable"),
    ("Cannot assign requested address", "generator_exhausted"),
    ("Too many open files", "generator_exhausted"),
    ("Connection reset", "connection_reset"),
    ("Broken pipe", "connection_reset"),
    ("Premature close", "connection_closed"),
    ("Remotely closed", "connection_closed"),
    ("ClosedChannelException", "connection_closed"),
    ("StacklessClosedChannel", "connection_closed"),
    ("SslHandshakeTimeout", "tls"),
    ("RequestTimeoutException", "timeout"),
    ("Request timeout", "timeout"),
    ("ReadTimeout", "timeout"),
    ("CertificateException", "tls_certificate"),
    ("CertPathBuilder", "tls_certificate"),
    ("No name matching", "tls_certificate"),
    ("SSLException", "tls"),
    ("SSLHandshakeException", "tls"),
    ("NotSslRecord", "tls"),
    ("TooLongHttpHeader", "headers_too_large"),
    ("HTTP header is larger", "headers_too_large"),
    ("Http2Exception", "protocol"),
    ("DecompressionException", "decompression"),
    ("oo many redirects", "too_many_redirects"),
    ("URISyntaxException", "bad_url"),
];

/// Classifies the message of a failed request.
pub(super) fn classify(message: &[u8]) -> Class {
    // A check's message quotes what the answer held, which may hold anything: it is known by its form first.
    if let Some(status) = failed_status(message) {
        return Class {
            error_code: None,
            status,
        };
    }
    let code = CODES
        .iter()
        .find(|(fragment, _)| memmem::find(message, fragment.as_bytes()).is_some());
    Class {
        error_code: code.map(|(_, code)| *code),
        status: None,
    }
}

/// What stands between a check and what it found instead: up to 3.14, and since.
const FOUND: [&[u8]; 2] = [b", but actually found ", b", found "];

/// The check that a failed request's message says did not hold: `status.find.is(200)`.
pub(super) fn check(message: &[u8]) -> Option<String> {
    let mut ends = FOUND
        .iter()
        .filter_map(|words| memmem::find(message, words));
    let name = &message[..ends.next()?];
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}

/// `None` if it is not a check's message; the status that was found if it is one of the status.
fn failed_status(message: &[u8]) -> Option<Option<u16>> {
    let found = FOUND
        .iter()
        .find_map(|words| Some(&message[memmem::find(message, words)? + words.len()..]));
    let check = found.is_some() || memmem::find(message, b".find").is_some();
    check.then(|| {
        let digits = found.filter(|_| message.starts_with(b"status."))?;
        let status: u16 = std::str::from_utf8(digits).ok()?.trim().parse().ok()?;
        (100..600).contains(&status).then_some(status)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checks_message_has_the_check_in_it() {
        for (message, expected) in [
            (
                "status.find.is(418), found 200",
                Some("status.find.is(418)"),
            ),
            (
                "jsonPath($.a).find.is(1), but actually found 2",
                Some("jsonPath($.a).find.is(1)"),
            ),
            ("j.i.IOException: Premature close", None),
            (", found nothing", None),
        ] {
            assert_eq!(check(message.as_bytes()).as_deref(), expected, "{message}");
        }
    }

    /// Messages of real runs of 3.12 and 3.15, and of Gatling's sources.
    #[test]
    fn messages_become_codes_of_the_closed_list() {
        for (message, code, status) in [
            (
                "j.n.ConnectException: finishConnect(..) failed: Connection refused",
                Some("connection_refused"),
                None,
            ),
            (
                "j.n.ConnectException: finishConnect(..) failed with error(-111): Connection refused",
                Some("connection_refused"),
                None,
            ),
            (
                "i.n.c.ConnectTimeoutException: connection timed out after 10000 ms: /10.0.0.1:80",
                Some("connect_timeout"),
                None,
            ),
            (
                "i.g.h.c.i.RequestTimeoutException: Request timeout to 127.0.0.1/127.0.0.1:80 after 60000 ms",
                Some("timeout"),
                None,
            ),
            (
                "j.i.IOException: Premature close",
                Some("connection_closed"),
                None,
            ),
            (
                "i.n.u.c.NativeIoException: recvAddress(..) failed: Connection reset by peer",
                Some("connection_reset"),
                None,
            ),
            (
                "j.n.UnknownHostException: nowhere.invalid: Name or service not known",
                Some("dns"),
                None,
            ),
            (
                "j.n.s.SSLHandshakeException: PKIX path building failed: s.s.p.c.SunCertPathBuilderException",
                Some("tls_certificate"),
                None,
            ),
            (
                "status.find.is(418), but actually found 200",
                None,
                Some(200),
            ),
            ("status.find.is(418), found 200", None, Some(200)),
            (
                "status.find.in(200,304), but actually found 503",
                None,
                Some(503),
            ),
            ("status.find.is(1), but actually found 99999", None, None),
            (
                "regex(Connection refused).find.exists, found nothing",
                None,
                None,
            ),
            ("jsonPath($.a).find.is(1), but actually found 2", None, None),
            ("", None, None),
        ] {
            let found = classify(message.as_bytes());
            assert_eq!(
                (found.error_code, found.status),
                (code, status),
                "{message}"
            );
        }
    }
}
