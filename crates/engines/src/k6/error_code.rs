//! k6's numeric error codes as values of our tag `error_code`.
//!
//! Source: <https://github.com/grafana/k6/blob/v2.2.0/lib/netext/httpext/error_codes.go>. Ours are the closed list of the native engine
//! (docs/definition.md). A code that says less than ours do is told apart by the text of k6's tag `error`.

use std::borrow::Cow;

/// The value of `error_code` for k6's code and message; `None` where k6 gives a code to a response that came, which the tag
/// `status` says already (1400 to 1599). What has no counterpart keeps k6's number.
pub(super) fn of<'a>(code: &'a str, message: &str) -> Option<Cow<'a, str>> {
    let ours = match code.parse::<u16>() {
        Ok(1400..1600) => return None,
        Ok(1020) => "bad_url",
        Ok(1050) => "timeout",
        Ok(1100..1110) => "dns",
        // A blacklisted address.
        Ok(1110) => "target_forbidden",
        Ok(1201 | 1220) => "connection_reset",
        Ok(1210 | 1213) => of_dial(message),
        Ok(1211) => "connect_timeout",
        Ok(1212) => "connection_refused",
        Ok(1300..1310) => "tls",
        Ok(1310..1400) => "tls_certificate",
        Ok(number @ 1600..=1699) => of_http2(number),
        Ok(1701) => "decompression",
        Ok(1000 | 1010 | 1200 | 1202) => match of_message(message) {
            Some(ours) => ours,
            None => return Some(Cow::Borrowed(code)),
        },
        _ => return Some(Cow::Borrowed(code)),
    };
    Some(Cow::Borrowed(ours))
}

/// A dial that failed otherwise: `dial: unknown errno 99 error with msg …`.
fn of_dial(message: &str) -> &'static str {
    let errno = message
        .split_once("unknown errno ")
        .and_then(|(_, rest)| rest.split(' ').next()?.parse::<u32>().ok());
    match errno {
        // EMFILE, ENFILE, EADDRNOTAVAIL, ENOBUFS, ENOMEM of Linux: what ran out is the generator's.
        Some(24 | 23 | 99 | 105 | 12) => "generator_exhausted",
        Some(110) => "connect_timeout",
        Some(104 | 103) => "connection_reset",
        _ if message.contains("too many open files")
            || message.contains("cannot assign requested address") =>
        {
            "generator_exhausted"
        }
        _ => "unreachable",
    }
}

/// HTTP/2: GOAWAY from 1610, stream errors from 1630, connection errors from 1650; one more than the offset is the code of
/// RFC 9113 §7.
fn of_http2(number: u16) -> &'static str {
    match number {
        1611 => "connection_closed",
        // REFUSED_STREAM, CANCEL and INTERNAL_ERROR: the peer gave the stream up.
        1633 | 1638 | 1639 => "connection_reset",
        _ => "protocol",
    }
}

/// What Go's messages tell where k6 has one code for all.
fn of_message(message: &str) -> Option<&'static str> {
    const TELLING: [(&str, &str); 12] = [
        ("EOF", "connection_closed"),
        ("server closed idle connection", "connection_closed"),
        ("connection reset", "connection_reset"),
        ("broken pipe", "connection_reset"),
        ("too many open files", "generator_exhausted"),
        ("x509:", "tls_certificate"),
        ("certificate", "tls_certificate"),
        ("tls:", "tls"),
        ("malformed", "protocol"),
        ("exceeded", "timeout"),
        ("timeout", "timeout"),
        ("i/o timeout", "timeout"),
    ];
    let mut telling = TELLING.iter();
    telling
        .find(|(words, _)| message.contains(words))
        .map(|&(_, ours)| ours)
}

/// Our tag for k6's in a threshold's key: `error_code:1212` and `error_code:1404` are `error_code:connection_refused` and
/// `status:404`.
pub(super) fn of_filter(code: &str) -> (&'static str, String) {
    match code.parse::<u16>() {
        Ok(number @ 1400..1600) => ("status", (number - 1000).to_string()),
        _ => (
            "error_code",
            of(code, "").map_or_else(String::new, Cow::into_owned),
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn codes_with_a_counterpart_have_its_name() {
        let ours = |code, message| of(code, message).map(Cow::into_owned);
        for (code, message, name) in [
            ("1212", "dial: connection refused", "connection_refused"),
            ("1101", "lookup: no such host", "dns"),
            ("1050", "request timeout", "timeout"),
            ("1220", "read: connection reset by peer", "connection_reset"),
            ("1211", "dial: i/o timeout", "connect_timeout"),
            (
                "1213",
                "dial: unknown errno 99 error with msg `cannot assign`",
                "generator_exhausted",
            ),
            (
                "1213",
                "dial: unknown errno 113 error with msg `no route`",
                "unreachable",
            ),
            ("1000", "Get \"http://x/\": EOF", "connection_closed"),
            ("1000", "malformed HTTP response", "protocol"),
            ("1310", "x509: unknown authority", "tls_certificate"),
            ("1611", "", "connection_closed"),
            ("1638", "", "connection_reset"),
            ("1651", "", "protocol"),
            ("1701", "", "decompression"),
            ("1000", "something new", "1000"),
            ("1111", "hostname is blocked", "1111"),
            ("nonsense", "", "nonsense"),
        ] {
            assert_eq!(ours(code, message).unwrap(), name, "{code} {message}");
        }
        assert_eq!(ours("1404", ""), None);
        assert_eq!(ours("1599", ""), None);
    }

    #[test]
    fn filters_follow() {
        assert_eq!(of_filter("1404"), ("status", "404".to_owned()));
        assert_eq!(
            of_filter("1212"),
            ("error_code", "connection_refused".to_owned())
        );
        assert_eq!(of_filter("1000"), ("error_code", "1000".to_owned()));
    }
}
