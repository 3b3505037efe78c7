//! What went wrong with a request that got no response, out of the Java exception that stands in its place.

/// The values of the tag `error_code`: those of the native engine that JMeter can meet, and `other`.
pub const CODES: [&str; 17] = [
    "dns",
    "connection_refused",
    "connect_timeout",
    "unreachable",
    "generator_exhausted",
    "connection_reset",
    "connection_closed",
    "timeout",
    "tls",
    "tls_certificate",
    "protocol",
    "body_too_large",
    "decompression",
    "too_many_redirects",
    "bad_url",
    "interrupted",
    "other",
];

/// How the code of a sample begins that has no response code.
const NONE: &[u8] = b"Non HTTP response code";

/// The exception's class without its package: what stands after the last dot of `Non HTTP response code: java.net.ConnectException`.
/// Some versions add `/Non HTTP response message: …` to the code.
fn class(code: &[u8]) -> &[u8] {
    let code = match memchr::memchr(b'/', code) {
        Some(end) => &code[..end],
        None => code,
    };
    let start = memchr::memrchr2(b'.', b' ', code).map_or(0, |at| at + 1);
    &code[start..]
}

fn says(message: &[u8], what: &str) -> bool {
    memchr::memmem::find(message, what.as_bytes()).is_some()
}

/// The error code of a sample, given its response code and message; `None` if the code is not an exception's.
///
/// The classes are those of `java.net`, `java.io`, `javax.net.ssl` and of Apache HttpClient 4
/// (<https://hc.apache.org/httpcomponents-client-4.5.x/current/httpclient/apidocs/>), which JMeter sends requests with.
pub fn error_code(code: &[u8], message: &[u8]) -> Option<&'static str> {
    if !code.starts_with(NONE) {
        return None;
    }
    Some(match class(code) {
        b"UnknownHostException" => "dns",
        b"ConnectTimeoutException" => "connect_timeout",
        b"HttpHostConnectException" | b"ConnectException" => match message {
            m if says(m, "timed out") => "connect_timeout",
            m if says(m, "unreachable") || says(m, "No route") => "unreachable",
            m if says(m, "Cannot assign requested address") => "generator_exhausted",
            _ => "connection_refused",
        },
        b"NoRouteToHostException" | b"PortUnreachableException" => match message {
            // Linux: every local port is taken.
            m if says(m, "Cannot assign requested address") => "generator_exhausted",
            _ => "unreachable",
        },
        b"BindException" | b"ConnectionPoolTimeoutException" => "generator_exhausted",
        b"SocketTimeoutException" => match message {
            m if says(m, "onnect timed out") => "connect_timeout",
            _ => "timeout",
        },
        b"SocketException" => match message {
            m if says(m, "Too many open files") => "generator_exhausted",
            m if says(m, "unreachable") || says(m, "No route") => "unreachable",
            m if says(m, "ocket closed") || says(m, "ocket is closed") => "interrupted",
            _ => "connection_reset",
        },
        b"NoHttpResponseException"
        | b"ConnectionClosedException"
        | b"EOFException"
        | b"TruncatedChunkException"
        | b"ClosedChannelException" => "connection_closed",
        b"SSLPeerUnverifiedException"
        | b"CertificateException"
        | b"CertPathValidatorException"
        | b"CertificateExpiredException" => "tls_certificate",
        b"SSLHandshakeException"
        | b"SSLException"
        | b"SSLProtocolException"
        | b"SSLKeyException" => match message {
            m if says(m, "PKIX") || says(m, "ertificate") => "tls_certificate",
            _ => "tls",
        },
        b"HttpException"
        | b"ProtocolException"
        | b"ClientProtocolException"
        | b"ParseException"
        | b"MessageConstraintException"
        | b"UnsupportedHttpVersionException"
        | b"MalformedChunkCodingException" => "protocol",
        b"ContentTooLongException" => "body_too_large",
        b"ZipException" | b"DataFormatException" => "decompression",
        b"CircularRedirectException" | b"RedirectException" => "too_many_redirects",
        b"MalformedURLException" | b"URISyntaxException" => "bad_url",
        b"InterruptedException"
        | b"InterruptedIOException"
        | b"RequestAbortedException"
        | b"ClosedByInterruptException" => "interrupted",
        _ => "other",
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(code: &str, message: &str) -> Option<&'static str> {
        error_code(code.as_bytes(), message.as_bytes())
    }

    #[test]
    fn exceptions_become_codes_of_the_closed_list() {
        let cases = [
            (
                "org.apache.http.conn.HttpHostConnectException",
                "Connect to x failed: Connection refused",
                "connection_refused",
            ),
            (
                "org.apache.http.conn.HttpHostConnectException",
                "Connect to x failed: Connection timed out",
                "connect_timeout",
            ),
            (
                "java.net.UnknownHostException",
                "no.such.host.invalid",
                "dns",
            ),
            (
                "java.net.SocketTimeoutException",
                "Read timed out",
                "timeout",
            ),
            (
                "java.net.SocketTimeoutException",
                "connect timed out",
                "connect_timeout",
            ),
            (
                "java.net.NoRouteToHostException",
                "Cannot assign requested address (Address not available)",
                "generator_exhausted",
            ),
            (
                "java.net.SocketException/Non HTTP response message: Connection reset",
                "Connection reset",
                "connection_reset",
            ),
            (
                "javax.net.ssl.SSLHandshakeException",
                "PKIX path building failed",
                "tls_certificate",
            ),
            ("com.example.Odd", "", "other"),
        ];
        for (class, message, expected) in cases {
            let found = of(&format!("Non HTTP response code: {class}"), message);
            assert_eq!(found, Some(expected), "{class}: {message}");
            assert!(CODES.contains(&expected));
        }
        assert_eq!(of("200", "OK"), None);
        assert_eq!(of("", ""), None);
    }
}
