//! The options of curl that matter here (<https://curl.se/docs/manpage.html>).

/// What an option does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Option_ {
    Method,
    Header,
    Data,
    DataRaw,
    DataBinary,
    DataUrlencode,
    Json,
    Form,
    FormString,
    Upload,
    Get,
    Head,
    Url,
    UrlQuery,
    User,
    Digest,
    Bearer,
    Cookie,
    Insecure,
    Location,
    Compressed,
    Proxy,
    MaxTime,
    Http11,
    Http2,
    UserAgent,
    Range,
    /// It changes nothing that is measured.
    Ignored,
    IgnoredValue,
    /// It would matter; a comment names it.
    Named,
    NamedValue,
}

use Option_::*;

/// Options by their names.
const TABLE: &[(&str, &str, Option_)] = &[
    ("X", "request", Method),
    ("H", "header", Header),
    ("d", "data", Data),
    ("", "data-ascii", Data),
    ("", "data-raw", DataRaw),
    ("", "data-binary", DataBinary),
    ("", "data-urlencode", DataUrlencode),
    ("", "json", Json),
    ("F", "form", Form),
    ("", "form-string", FormString),
    ("T", "upload-file", Upload),
    ("G", "get", Get),
    ("I", "head", Head),
    ("", "url", Url),
    ("", "url-query", UrlQuery),
    ("u", "user", User),
    ("", "digest", Digest),
    ("", "oauth2-bearer", Bearer),
    ("b", "cookie", Cookie),
    ("k", "insecure", Insecure),
    ("L", "location", Location),
    ("", "location-trusted", Location),
    ("", "compressed", Compressed),
    ("x", "proxy", Proxy),
    ("m", "max-time", MaxTime),
    ("", "http1.1", Http11),
    ("", "http2", Http2),
    ("", "http2-prior-knowledge", Http2),
    ("A", "user-agent", UserAgent),
    ("r", "range", Range),
    ("s", "silent", Ignored),
    ("S", "show-error", Ignored),
    ("v", "verbose", Ignored),
    ("i", "include", Ignored),
    ("", "show-headers", Ignored),
    ("f", "fail", Ignored),
    ("", "fail-with-body", Ignored),
    ("N", "no-buffer", Ignored),
    ("#", "progress-bar", Ignored),
    ("", "no-progress-meter", Ignored),
    ("O", "remote-name", Ignored),
    ("J", "remote-header-name", Ignored),
    ("", "basic", Ignored),
    ("", "http1.0", Named),
    ("", "http3", Named),
    ("4", "ipv4", Ignored),
    ("6", "ipv6", Ignored),
    ("Z", "parallel", Ignored),
    ("g", "globoff", Ignored),
    ("", "path-as-is", Named),
    ("", "tcp-nodelay", Ignored),
    ("", "tlsv1.2", Ignored),
    ("", "tlsv1.3", Ignored),
    ("1", "tlsv1", Ignored),
    ("", "ssl-no-revoke", Ignored),
    ("", "create-dirs", Ignored),
    ("o", "output", IgnoredValue),
    ("", "output-dir", IgnoredValue),
    ("w", "write-out", IgnoredValue),
    ("D", "dump-header", IgnoredValue),
    ("c", "cookie-jar", IgnoredValue),
    ("e", "referer", IgnoredValue),
    ("", "stderr", IgnoredValue),
    ("", "trace", IgnoredValue),
    ("", "trace-ascii", IgnoredValue),
    ("", "max-redirs", NamedValue),
    ("", "connect-timeout", NamedValue),
    ("", "retry", NamedValue),
    ("", "retry-delay", NamedValue),
    ("", "retry-max-time", NamedValue),
    ("", "limit-rate", NamedValue),
    ("", "resolve", NamedValue),
    ("", "connect-to", NamedValue),
    ("U", "proxy-user", NamedValue),
    ("", "proxy-header", NamedValue),
    ("", "noproxy", NamedValue),
    ("", "cacert", NamedValue),
    ("", "capath", NamedValue),
    ("E", "cert", NamedValue),
    ("", "cert-type", NamedValue),
    ("", "key", NamedValue),
    ("", "key-type", NamedValue),
    ("", "pass", NamedValue),
    ("", "ciphers", NamedValue),
    ("", "tls-max", NamedValue),
    ("", "tls13-ciphers", NamedValue),
    ("", "pinnedpubkey", NamedValue),
    ("", "interface", NamedValue),
    ("", "local-port", NamedValue),
    ("", "unix-socket", NamedValue),
    ("", "abstract-unix-socket", NamedValue),
    ("", "dns-servers", NamedValue),
    ("", "doh-url", NamedValue),
    ("", "socks4", NamedValue),
    ("", "socks4a", NamedValue),
    ("", "socks5", NamedValue),
    ("", "socks5-hostname", NamedValue),
    ("", "preproxy", NamedValue),
    ("", "request-target", NamedValue),
    ("", "keepalive-time", NamedValue),
    ("", "max-filesize", NamedValue),
    ("", "expect100-timeout", NamedValue),
    ("", "proto", NamedValue),
    ("", "proto-default", NamedValue),
    ("", "proto-redir", NamedValue),
    ("", "aws-sigv4", NamedValue),
    ("", "netrc-file", NamedValue),
    ("K", "config", NamedValue),
    ("z", "time-cond", NamedValue),
    ("C", "continue-at", NamedValue),
    ("Y", "speed-limit", NamedValue),
    ("y", "speed-time", NamedValue),
    ("Q", "quote", NamedValue),
    ("t", "telnet-option", NamedValue),
    ("P", "ftp-port", NamedValue),
    ("", "rate", NamedValue),
    ("n", "netrc", Named),
    ("", "ntlm", Named),
    ("", "negotiate", Named),
    ("", "anyauth", Named),
];

impl Option_ {
    /// Whether a value follows.
    pub(super) const fn takes_value(self) -> bool {
        !matches!(
            self,
            Get | Head
                | Digest
                | Insecure
                | Location
                | Compressed
                | Http11
                | Http2
                | Ignored
                | Named
        )
    }
}

/// An option by what stands behind `--`; unambiguous beginnings do, as for curl.
pub(super) fn long(name: &str) -> Option<Option_> {
    let exact = TABLE.iter().find(|(_, long, _)| *long == name);
    let mut begins = TABLE
        .iter()
        .filter(|(_, long, _)| name.len() >= 4 && long.starts_with(name));
    let begun = begins.next().filter(|_| begins.next().is_none());
    exact.or(begun).map(|(_, _, option)| *option)
}

/// An option by its letter.
pub(super) fn short(letter: char) -> Option<Option_> {
    let found = TABLE
        .iter()
        .find(|(short, _, _)| short.chars().eq([letter]));
    found.map(|(_, _, option)| *option)
}
